//! Capacity providers, as `DescribeCapacityProviders` prints them.

use serde::Deserialize;

use crate::document::{Field, Present};

/// The members of a capacity provider that controls read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CapacityProvider {
    /// Its name; `FARGATE` and `FARGATE_SPOT` are AWS's own.
    pub name: Field<String>,
    /// `PROVISIONING`, `ACTIVE`, `DEPROVISIONING` or `INACTIVE`.
    pub status: Field<String>,
    /// Present where its hosts come from an Auto Scaling group.
    pub auto_scaling_group_provider: Field<AutoScalingGroupProvider>,
    /// Present where ECS manages its hosts.
    pub managed_instances_provider: Field<Present>,
}

/// Hosts out of an Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AutoScalingGroupProvider {
    /// The group's ARN.
    pub auto_scaling_group_arn: Field<String>,
    /// Whether ECS scales the group.
    pub managed_scaling: Field<ManagedScaling>,
    /// `ENABLED` or `DISABLED`.
    pub managed_termination_protection: Field<String>,
}

/// Whether ECS scales an Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ManagedScaling {
    /// `ENABLED` or `DISABLED`.
    pub status: Field<String>,
}
