//! Task sets, as `DescribeTaskSets` prints them: what a service whose controller is EXTERNAL or CODE_DEPLOY runs.

use serde::Deserialize;

use super::service::{AwsvpcConfiguration, CapacityProviderStrategyItem, NetworkConfiguration, awsvpc};
use super::{ResourceId, ResourceType};
use crate::document::Field;

/// The members of a task set that controls read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TaskSet {
    /// `PRIMARY`, `ACTIVE` or `DRAINING`.
    pub status: Field<String>,
    /// The ARN of the revision that it runs.
    pub task_definition: Field<String>,
    /// Absent for bridge, host and external networking.
    pub network_configuration: Field<NetworkConfiguration>,
    /// `FARGATE`, `EC2` or `EXTERNAL`; absent where a strategy decides.
    pub launch_type: Field<String>,
    /// Where its tasks are placed, if no launch type says it.
    pub capacity_provider_strategy: Field<Vec<CapacityProviderStrategyItem>>,
    /// Fargate only.
    pub platform_version: Field<String>,
}

impl TaskSet {
    /// The network block of the awsvpc mode; hidden where any part of the way to it is.
    pub fn awsvpc(&self) -> Field<&AwsvpcConfiguration> {
        awsvpc(&self.network_configuration)
    }

    /// Whether it serves, or may yet.
    pub fn live(&self) -> bool {
        self.status.text() != Some("DRAINING")
    }

    /// The revision that it runs.
    pub fn revision(&self) -> Option<ResourceId> {
        let arn = self.task_definition.text()?.parse().ok()?;
        Some(ResourceId { kind: ResourceType::TaskDefinition, arn })
    }
}
