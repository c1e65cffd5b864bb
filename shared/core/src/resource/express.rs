//! Express services, as `DescribeExpressGatewayService` prints them. `DescribeServices` knows the same service, by the
//! same ARN, in another shape: that of [`Service`](super::Service).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::document::{Field, Present};

/// The members of an Express service that controls read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExpressGatewayService {
    /// Its status, in an object.
    pub status: Field<Status>,
    /// The configurations that serve: more than one while a deployment goes on.
    pub active_configurations: Field<Vec<Configuration>>,
    /// The configuration that an update leads to; in the answer to the update alone.
    pub target_configuration: Field<Configuration>,
}

/// The status of an Express service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Status {
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status_code: Field<String>,
}

/// One configuration of an Express service. `environment` and its kin are not among what is read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Configuration {
    /// The ways in; absent until the load balancer is there.
    pub ingress_paths: Field<Vec<IngressPath>>,
}

/// A way into an Express service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct IngressPath {
    /// `PUBLIC` or `PRIVATE`.
    pub access_type: Field<String>,
}

impl ExpressGatewayService {
    /// Whether a `service` in an answer is an Express service, and not the one that `DescribeServices` knows: by
    /// the members that only the former has.
    pub fn is_one(json: &RawValue) -> bool {
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "camelCase")]
        struct Shape {
            active_configurations: Field<Present>,
            target_configuration: Field<Present>,
            infrastructure_role_arn: Field<Present>,
            status: Field<Status>,
        }
        serde_json::from_str::<Shape>(json.get()).is_ok_and(|shape| {
            !shape.active_configurations.is_absent()
                || !shape.target_configuration.is_absent()
                || !shape.infrastructure_role_arn.is_absent()
                || shape.status.known().is_some()
        })
    }
}
