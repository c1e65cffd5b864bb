//! Namespaces of the host that a task may ask for: its network, its processes, its shared memory.

use serde_json::Value;

use super::{Compliance, Violation};
use crate::document::Field;
use crate::facts::Need;
use crate::remediation::PatchBuilder;
use crate::resource::TaskDefinition;

/// The network that a task definition asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// An interface of its own.
    Own,
    /// The host's.
    Host,
    /// One that Docker makes on the host, or none at all.
    Docker,
    /// Not shown, or a mode that came after this was built.
    Unknown,
}

/// Where a task definition says which network it wants.
pub(crate) const NETWORK_MODE: &str = "/networkMode";

/// The network that a task definition asks for. Absent means `bridge`, on Windows `default`.
pub(crate) fn network(task: &TaskDefinition) -> Network {
    match &task.network_mode {
        Field::Absent => Network::Docker,
        Field::Hidden => Network::Unknown,
        Field::Known(mode) => match mode.as_str() {
            "awsvpc" => Network::Own,
            "host" => Network::Host,
            "bridge" | "none" | "default" | "nat" => Network::Docker,
            _ => Network::Unknown,
        },
    }
}

/// The answer where the network can't be told.
pub(crate) fn unknown_network() -> Compliance {
    Compliance::Unknown(vec![Need::Member(NETWORK_MODE.to_owned())])
}

/// What is seen of the network mode, and what is wanted in its place.
pub(crate) fn change_network(task: &TaskDefinition, wanted: &str) -> PatchBuilder {
    PatchBuilder::new().set(NETWORK_MODE, task.network_mode.text().map(Value::from), wanted)
}

/// What a person has to change beside the mode before tasks run with an interface of their own (ECS developer guide,
/// task networking; API reference, ContainerDefinition).
pub(crate) const OWN_INTERFACE: &str = "services and tasks need a networkConfiguration whose subnets have a way out and whose security groups let \
     their callers in; target groups have to be of type ip and host ports the containers' own; links, hostname \
     and extraHosts have to go; and every task takes one of its host's network interfaces";

/// The answer for a PID or IPC mode: is it the host's? Daemons call that `shared`.
pub(crate) fn not_the_hosts(mode: &Field<String>, path: &str) -> Compliance {
    match mode {
        Field::Absent => Compliance::Passed,
        Field::Known(mode) if is_the_hosts(mode) => {
            Compliance::Failed(vec![Violation::new(path, mode.as_str(), "a namespace of the task's own")])
        }
        Field::Known(mode) if mode == "task" || mode == "none" => Compliance::Passed,
        // A value that came after this was built may mean anything.
        Field::Hidden | Field::Known(_) => Compliance::Unknown(vec![Need::Member(path.to_owned())]),
    }
}

fn is_the_hosts(mode: &str) -> bool {
    mode == "host" || mode == "shared"
}

/// Takes the mode away, which leaves every container a namespace of its own.
pub(crate) fn leave_the_hosts(mode: &Field<String>, path: &str) -> Option<PatchBuilder> {
    let mode = mode.text().filter(|mode| is_the_hosts(mode))?;
    Some(PatchBuilder::new().test(path, mode).remove(path))
}
