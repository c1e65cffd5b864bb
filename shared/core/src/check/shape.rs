//! What tells answers, objects and inputs apart: the members that only one of them has.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::document::{Field, Present};
use crate::resource::ResourceType;

/// The members by which answers and objects are told apart.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Shape<'a> {
    #[serde(borrow)]
    pub(super) clusters: Field<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub(super) cluster: Field<&'a RawValue>,
    #[serde(borrow)]
    pub(super) services: Field<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub(super) service: Field<&'a RawValue>,
    #[serde(borrow)]
    pub(super) task_definition: Field<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tags: Field<&'a RawValue>,
    #[serde(borrow)]
    pub(super) task_sets: Field<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub(super) task_set: Field<&'a RawValue>,
    /// A cluster has these two as well.
    #[serde(borrow)]
    pub(super) capacity_providers: Field<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub(super) settings: Field<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub(super) capacity_provider: Field<&'a RawValue>,
    #[serde(borrow)]
    pub(super) setting: Field<&'a RawValue>,
    /// Recorders of answers put them here.
    #[serde(borrow)]
    pub(super) data: Field<&'a RawValue>,
    #[serde(rename = "status_code")]
    pub(super) status_code: Field<u16>,
    pub(super) cluster_arn: Field<String>,
    pub(super) cluster_name: Field<String>,
    pub(super) service_arn: Field<String>,
    pub(super) service_name: Field<String>,
    pub(super) failures: Field<Vec<Present>>,
    pub(super) task_definition_arn: Field<String>,
    pub(super) task_set_arn: Field<String>,
    pub(super) capacity_provider_arn: Field<String>,
    pub(super) auto_scaling_group_provider: Field<Present>,
    pub(super) managed_instances_provider: Field<Present>,
    pub(super) principal_arn: Field<String>,
    pub(super) name: Field<String>,
    pub(super) value: Field<String>,
    pub(super) external_id: Field<Present>,
    pub(super) scale: Field<Present>,
    pub(super) launch_type: Field<Present>,
    pub(super) container_definitions: Field<Present>,
    pub(super) family: Field<String>,
    pub(super) tasks: Field<Present>,
    pub(super) task: Field<Present>,
    pub(super) container_instances: Field<Present>,
    pub(super) container_instance: Field<Present>,
    pub(super) cluster_arns: Field<Present>,
    pub(super) service_arns: Field<Present>,
    pub(super) task_definition_arns: Field<Present>,
    pub(super) task_arns: Field<Present>,
    pub(super) container_instance_arns: Field<Present>,
    #[serde(rename = "ResponseMetadata")]
    pub(super) response_metadata: Field<Present>,
}

impl Shape<'_> {
    /// An answer without failures whose lists are empty: there is nothing.
    pub(super) fn empty_answer(&self) -> bool {
        let none = |list: &Field<Vec<&RawValue>>| list.items().is_empty();
        self.failures.items().is_empty()
            && none(&self.clusters)
            && none(&self.services)
            && none(&self.task_sets)
            && none(&self.capacity_providers)
            && none(&self.settings)
            && self.cluster.is_absent()
            && self.service.is_absent()
            && self.task_set.is_absent()
            && self.capacity_provider.is_absent()
            && self.setting.is_absent()
    }

    /// Whether it is the input of `update-service`. That of `create-task-set` names a service too.
    pub(super) fn updates_a_service(&self) -> bool {
        self.service.known().is_some_and(|service| service.get().starts_with('"'))
            && self.service_arn.is_absent()
            && self.service_name.is_absent()
            && self.task_set_arn.is_absent()
            && [&self.external_id, &self.scale, &self.launch_type].iter().all(|member| member.is_absent())
    }

    /// Whether it is a cluster, or what one is made or changed by: its capacity providers and settings are its own.
    pub(super) fn of_a_cluster(&self) -> bool {
        self.cluster_arn.known().is_some()
            || self.cluster_name.known().is_some()
            || self.cluster.known().is_some()
    }
}

/// What a bare object is, by the members that only its kind has.
pub(super) fn bare(shape: &Shape<'_>) -> Option<ResourceType> {
    if !shape.container_definitions.is_absent() {
        Some(ResourceType::TaskDefinition)
    } else if shape.task_set_arn.known().is_some() {
        Some(ResourceType::TaskSet)
    } else if shape.service_arn.known().is_some()
        || shape.service_name.known().is_some()
        || shape.updates_a_service()
    {
        Some(ResourceType::Service)
    } else if shape.task_definition_arn.known().is_some() && shape.family.known().is_some() {
        Some(ResourceType::TaskDefinition)
    } else if shape.cluster_arn.known().is_some() && shape.cluster_name.known().is_some() {
        Some(ResourceType::Cluster)
    } else if shape.capacity_provider_arn.known().is_some()
        || !shape.auto_scaling_group_provider.is_absent()
        || !shape.managed_instances_provider.is_absent()
    {
        Some(ResourceType::CapacityProvider)
    } else if [&shape.principal_arn, &shape.name, &shape.value].iter().all(|member| member.known().is_some())
    {
        Some(ResourceType::AccountSetting)
    } else {
        None
    }
}

/// Answers of other calls of ECS: lists of ARNs, tasks, instances, and those that only say that it worked.
pub(super) fn nothing_to_judge(shape: &Shape<'_>) -> bool {
    !shape.tasks.is_absent()
        || !shape.task.is_absent()
        || !shape.container_instances.is_absent()
        || !shape.container_instance.is_absent()
        || !shape.response_metadata.is_absent()
        || !shape.cluster_arns.is_absent()
        || !shape.service_arns.is_absent()
        || !shape.task_definition_arns.is_absent()
        || !shape.task_arns.is_absent()
        || !shape.container_instance_arns.is_absent()
}
