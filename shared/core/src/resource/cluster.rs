//! ECS clusters, as `DescribeClusters` prints them.

use serde::Deserialize;

use crate::document::Field;

/// The members of a cluster that controls read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Cluster {
    /// `ACTIVE`, `INACTIVE`, `PROVISIONING`, …
    pub status: Field<String>,
    /// Shown only when asked for with `include=SETTINGS`, hence absent is not "off".
    pub settings: Field<Vec<ClusterSetting>>,
    /// Shown only when asked for with `include=CONFIGURATIONS`.
    pub configuration: Field<ClusterConfiguration>,
    /// How many services run in it.
    pub active_services_count: Field<u32>,
    /// How many tasks run in it.
    pub running_tasks_count: Field<u32>,
    /// How many tasks are about to.
    pub pending_tasks_count: Field<u32>,
}

impl Cluster {
    /// Whether it is gone, or going.
    pub fn gone(&self) -> bool {
        matches!(self.status.text(), Some("INACTIVE" | "DEPROVISIONING"))
    }
}

/// One setting of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClusterSetting {
    /// `containerInsights` is the only name so far.
    pub name: Field<String>,
    /// `enabled`, `enhanced` or `disabled`.
    pub value: Field<String>,
}

/// What is configured beside the settings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClusterConfiguration {
    /// How ECS Exec works in the cluster.
    pub execute_command_configuration: Field<ExecuteCommandConfiguration>,
}

/// How ECS Exec works in a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExecuteCommandConfiguration {
    /// The key that encrypts sessions.
    pub kms_key_id: Field<String>,
    /// `NONE`, `DEFAULT` (as the container logs) or `OVERRIDE` (as below); absent means `DEFAULT`.
    pub logging: Field<String>,
    /// Where sessions are logged to with `OVERRIDE`.
    pub log_configuration: Field<ExecuteCommandLogConfiguration>,
}

/// Where sessions of ECS Exec are logged to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExecuteCommandLogConfiguration {
    /// A log group.
    pub cloud_watch_log_group_name: Field<String>,
    /// Whether the group is demanded to be encrypted; absent means `false`.
    pub cloud_watch_encryption_enabled: Field<bool>,
    /// A bucket.
    pub s3_bucket_name: Field<String>,
    /// Whether objects are demanded to be encrypted; absent means `false`.
    pub s3_encryption_enabled: Field<bool>,
}
