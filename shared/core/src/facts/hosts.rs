//! Container instances, and the EC2 instances that they are: what host and bridge tasks share their network with.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::network::GroupReference;
use crate::document::{Field, Present};
use crate::ids::Arn;

/// What is known of hosts. An answer that lists container instances of a cluster counts for all of them.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    /// By cluster, and by the ARN of the container instance.
    clusters: BTreeMap<Arn, BTreeMap<Arn, ContainerInstance>>,
    machines: BTreeMap<String, Machine>,
}

/// A container instance, as `describe-container-instances` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerInstance {
    container_instance_arn: Field<String>,
    /// `i-…`, or `mi-…` where it is a machine outside of EC2.
    pub ec2_instance_id: Field<String>,
    /// `ACTIVE`, `DRAINING`, `REGISTERING`, `DEREGISTERING`, `REGISTRATION_FAILED` or `INACTIVE`.
    pub status: Field<String>,
    /// The capacity provider that it came by, if it did.
    pub capacity_provider_name: Field<String>,
}

impl ContainerInstance {
    /// Whether tasks may run on it.
    pub fn in_service(&self) -> bool {
        !matches!(self.status.text(), Some("INACTIVE" | "REGISTRATION_FAILED"))
    }

    /// Whether it is a machine outside of EC2 (ECS Anywhere), which has no security group.
    pub fn is_external(&self) -> bool {
        self.ec2_instance_id.text().is_some_and(|id| id.starts_with("mi-"))
    }
}

/// An EC2 instance, as `describe-instances` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Machine {
    instance_id: Field<String>,
    /// Those of its primary interface. Further interfaces are those of awsvpc tasks for the most part.
    security_groups: Field<Vec<GroupReference>>,
}

impl Machine {
    /// The ids of the groups of its primary interface; `None` where they are not all shown. Every interface has one.
    pub fn groups(&self) -> Option<BTreeSet<&str>> {
        let groups = self.security_groups.known().filter(|groups| !groups.is_empty())?;
        groups.iter().map(|group| group.group_id.text()).collect()
    }
}

impl Hosts {
    /// The container instances of a cluster; `None` where nobody listed any.
    pub fn of_cluster(&self, cluster: &Arn) -> Option<impl Iterator<Item = &ContainerInstance>> {
        self.clusters.get(cluster).map(BTreeMap::values)
    }

    /// An EC2 instance.
    pub fn machine(&self, id: &str) -> Option<&Machine> {
        self.machines.get(id)
    }

    /// Learns from an answer of ECS or EC2; says how many things it told of.
    pub(super) fn absorb(&mut self, json: &RawValue) -> usize {
        let mut told = 0;
        let instances = serde_json::from_str::<Instances>(json.get()).unwrap_or_default();
        for instance in instances.container_instances.into_known().unwrap_or_default() {
            let arn = instance.container_instance_arn.text().and_then(|text| text.parse::<Arn>().ok());
            if let Some((arn, cluster)) = arn.and_then(|arn| Some((arn.clone(), cluster_of(&arn)?))) {
                self.clusters.entry(cluster).or_default().insert(arn, instance);
                told += 1;
            }
        }
        let reservations = serde_json::from_str::<Reservations>(json.get()).unwrap_or_default();
        for reservation in reservations.reservations.into_known().unwrap_or_default() {
            for machine in reservation.instances.into_known().unwrap_or_default() {
                if let Some(id) = machine.instance_id.text() {
                    self.machines.insert(id.to_owned(), machine);
                    told += 1;
                }
            }
        }
        told
    }

    /// Whether a document is an answer of ECS or EC2 that is known here, though perhaps an empty one.
    pub(super) fn is_answer(json: &RawValue) -> bool {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Shape {
            #[serde(rename = "containerInstances")]
            container_instances: Field<Present>,
            #[serde(rename = "Reservations")]
            reservations: Field<Present>,
        }
        serde_json::from_str::<Shape>(json.get())
            .is_ok_and(|shape| !shape.container_instances.is_absent() || !shape.reservations.is_absent())
    }
}

/// The cluster that a container instance is in. ARNs of the old form name none.
fn cluster_of(instance: &Arn) -> Option<Arn> {
    let (start, rest) = instance.as_str().split_once(":container-instance/")?;
    let (cluster, _) = rest.split_once('/')?;
    format!("{start}:cluster/{cluster}").parse().ok()
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Instances {
    container_instances: Field<Vec<ContainerInstance>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Reservations {
    reservations: Field<Vec<Reservation>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Reservation {
    instances: Field<Vec<Machine>>,
}
