//! Launches of tasks: the request of `RunTask` and `StartTask`. What `DescribeTasks` prints of a task shows neither its
//! network block nor whether it has a public address.

use serde::Deserialize;

use super::service::{AwsvpcConfiguration, CapacityProviderStrategyItem, NetworkConfiguration, awsvpc};
use super::task_definition::Variable;
use crate::document::Field;

/// The members of a launch that controls read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Launch {
    /// A family, `family:revision` or an ARN.
    pub task_definition: Field<String>,
    /// `FARGATE`, `EC2` or `EXTERNAL`; absent where a strategy decides.
    pub launch_type: Field<String>,
    /// Where its tasks are placed, if no launch type says it.
    pub capacity_provider_strategy: Field<Vec<CapacityProviderStrategyItem>>,
    /// Absent for bridge, host and external networking.
    pub network_configuration: Field<NetworkConfiguration>,
    /// What the launch sets in the place of the definition.
    pub overrides: Field<Overrides>,
    /// Whether ECS Exec is on.
    pub enable_execute_command: Field<bool>,
}

/// What a launch sets in the place of the definition.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Overrides {
    /// By container.
    pub container_overrides: Field<Vec<ContainerOverride>>,
}

/// What a launch sets in one container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerOverride {
    /// The container's name.
    pub name: Field<String>,
    /// The names of its variables; CloudTrail may hide them.
    pub environment: Field<Vec<Variable>>,
}

impl Launch {
    /// The network block of the awsvpc mode; hidden where any part of the way to it is.
    pub fn awsvpc(&self) -> Field<&AwsvpcConfiguration> {
        awsvpc(&self.network_configuration)
    }
}
