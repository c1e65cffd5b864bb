//! The names of ECS resources: short, ARN, ARN of the old form, or none at all, made one.

use serde::Deserialize;

use super::Place;
use crate::document::{Document, Field};
use crate::ids::Arn;
use crate::resource::{ResourceId, ResourceType};

/// The resource that tags were changed on; services in the long form.
pub(super) fn tagged_id(place: &Place, arn: Arn) -> Option<ResourceId> {
    match ResourceType::of_ecs_arn(&arn)? {
        ResourceType::Service => service_id(place, None, arn.as_str()),
        kind => Some(ResourceId { kind, arn }),
    }
}

/// The members by which a document names itself.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct SelfNames {
    cluster_arn: Field<String>,
    service_arn: Field<String>,
    task_definition_arn: Field<String>,
    task_set_arn: Field<String>,
    task_arn: Field<String>,
    container_instance_arn: Field<String>,
    capacity_provider_arn: Field<String>,
    name: Field<String>,
    principal_arn: Field<String>,
}

/// The name that a document gives itself, as `Describe` and the responses print it.
pub(crate) fn identify(kind: ResourceType, document: &Document) -> Option<ResourceId> {
    let names: SelfNames = document.view()?;
    let arn: Arn = match kind {
        ResourceType::Cluster => &names.cluster_arn,
        ResourceType::Service | ResourceType::ExpressGatewayService => &names.service_arn,
        ResourceType::TaskDefinition => &names.task_definition_arn,
        ResourceType::TaskSet => &names.task_set_arn,
        ResourceType::Task => &names.task_arn,
        ResourceType::ContainerInstance => &names.container_instance_arn,
        ResourceType::CapacityProvider => &names.capacity_provider_arn,
        ResourceType::AccountSetting => return setting_id(&names),
        _ => &Field::Absent,
    }
    .text()?
    .parse()
    .ok()?;
    let arn = match kind {
        ResourceType::Service => long_arn("service", arn, names.cluster_arn.text()),
        ResourceType::ContainerInstance => long_arn("container-instance", arn, names.cluster_arn.text()),
        _ => arn,
    };
    Some(ResourceId { kind, arn })
}

/// Settings have no ARN. They are named by the account of the principal whose they are; an answer does not tell its
/// Region.
fn setting_id(names: &SelfNames) -> Option<ResourceId> {
    let principal: Arn = names.principal_arn.text()?.parse().ok()?;
    let name = setting_name(names.name.text()?, Some(&principal));
    let arn = format!("arn:{}:ecs::{}:{name}", principal.partition(), principal.account()).parse().ok()?;
    Some(ResourceId { kind: ResourceType::AccountSetting, arn })
}

/// A setting's name in an ARN: the account's default, or one principal's own.
pub(super) fn setting_name(name: &str, principal: Option<&Arn>) -> String {
    match principal.map(Arn::resource) {
        None | Some("root") => format!("account-setting/{name}"),
        Some(principal) => format!("account-setting/{name}/{principal}"),
    }
}

/// Services and container instances made before 2018 have ARNs without the cluster (`service/NAME`); here every one is
/// known by the long form, so that it has one name.
fn long_arn(kind: &str, arn: Arn, cluster: Option<&str>) -> Arn {
    let short = !arn.name().contains('/');
    match cluster {
        Some(cluster) if short => {
            let cluster = cluster_name(Some(cluster));
            let long = arn.as_str().replacen(&format!(":{kind}/"), &format!(":{kind}/{cluster}/"), 1);
            long.parse().unwrap_or(arn)
        }
        _ => arn,
    }
}

/// The cluster's short name, from a name or an ARN; no name means `default`.
pub(crate) fn cluster_name(given: Option<&str>) -> &str {
    let given = given.unwrap_or("default");
    given.rsplit_once(":cluster/").map_or(given, |(_, name)| name)
}

pub(super) fn cluster_id(place: &Place, given: Option<&str>) -> Option<ResourceId> {
    let arn = match given {
        Some(text) if text.starts_with("arn:") => text.parse().ok()?,
        other => Arn::ecs(&place.account, &place.region, &format!("cluster/{}", cluster_name(other))).ok()?,
    };
    Some(ResourceId { kind: ResourceType::Cluster, arn })
}

/// A service by name, ARN, or ARN of the old form, in a cluster by name, ARN or default.
pub(super) fn service_id(place: &Place, cluster: Option<&str>, given: &str) -> Option<ResourceId> {
    let arn = if given.starts_with("arn:") {
        long_arn("service", given.parse().ok()?, Some(cluster.unwrap_or("default")))
    } else {
        Arn::ecs(&place.account, &place.region, &format!("service/{}/{given}", cluster_name(cluster))).ok()?
    };
    Some(ResourceId { kind: ResourceType::Service, arn })
}

/// A container instance by its id, ARN, or ARN of the old form, in a cluster by name, ARN or default.
pub(super) fn instance_id(place: &Place, cluster: Option<&str>, given: &str) -> Option<ResourceId> {
    let arn = if given.starts_with("arn:") {
        long_arn("container-instance", given.parse().ok()?, Some(cluster.unwrap_or("default")))
    } else {
        let name = format!("container-instance/{}/{given}", cluster_name(cluster));
        Arn::ecs(&place.account, &place.region, &name).ok()?
    };
    Some(ResourceId { kind: ResourceType::ContainerInstance, arn })
}

/// A task definition by ARN, `family:revision`, or family, which means its latest active revision.
pub(super) fn definition_id(place: &Place, given: &str) -> Option<ResourceId> {
    let arn = if given.starts_with("arn:") {
        given.parse().ok()?
    } else {
        Arn::ecs(&place.account, &place.region, &format!("task-definition/{given}")).ok()?
    };
    Some(ResourceId { kind: ResourceType::TaskDefinition, arn })
}
