//! What was done: the calls that are watched, and the events that services announce themselves.

use std::fmt;

use crate::resource::ResourceType;

/// What was done: an API call, or a native event. In the order in which changes of one second are read: what others
/// refer to comes first, what is deleted last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the calls' own names")]
pub enum Api {
    CreateRole,
    UpdateAssumeRolePolicy,
    CreatePolicy,
    CreatePolicyVersion,
    SetDefaultPolicyVersion,
    DeletePolicyVersion,
    PutRolePolicy,
    PutUserPolicy,
    PutGroupPolicy,
    DeleteRolePolicy,
    DeleteUserPolicy,
    DeleteGroupPolicy,
    AttachRolePolicy,
    AttachUserPolicy,
    AttachGroupPolicy,
    DetachRolePolicy,
    DetachUserPolicy,
    DetachGroupPolicy,
    PutRolePermissionsBoundary,
    PutUserPermissionsBoundary,
    DeleteRolePermissionsBoundary,
    DeleteUserPermissionsBoundary,
    UpdateAccountPasswordPolicy,
    DeleteAccountPasswordPolicy,
    CreateSecurityGroup,
    AuthorizeSecurityGroupIngress,
    AuthorizeSecurityGroupEgress,
    ModifySecurityGroupRules,
    RevokeSecurityGroupIngress,
    RevokeSecurityGroupEgress,
    ModifyNetworkInterfaceAttribute,
    CreateNetworkAcl,
    CreateNetworkAclEntry,
    ReplaceNetworkAclEntry,
    DeleteNetworkAclEntry,
    ReplaceNetworkAclAssociation,
    CreateRepository,
    PutImageScanningConfiguration,
    PutRegistryScanningConfiguration,
    PutImageTagMutability,
    SetRepositoryPolicy,
    DeleteRepositoryPolicy,
    PutLifecyclePolicy,
    DeleteLifecyclePolicy,
    PutImage,
    TagRepository,
    UntagRepository,
    UpdateAutoScalingGroup,
    CreateCapacityProvider,
    UpdateCapacityProvider,
    CreateCluster,
    UpdateCluster,
    UpdateClusterSettings,
    PutClusterCapacityProviders,
    PutAccountSetting,
    PutAccountSettingDefault,
    DeleteAccountSetting,
    RegisterContainerInstance,
    UpdateContainerAgent,
    UpdateContainerInstancesState,
    RegisterTaskDefinition,
    RegisterDaemonTaskDefinition,
    CreateDaemon,
    UpdateDaemon,
    CreateService,
    UpdateService,
    CreateExpressGatewayService,
    UpdateExpressGatewayService,
    CreateTaskSet,
    UpdateTaskSet,
    UpdateServicePrimaryTaskSet,
    RunTask,
    StartTask,
    TagResource,
    UntagResource,
    TagChange,
    DeploymentStateChange,
    ServiceAction,
    TaskStateChange,
    ContainerInstanceStateChange,
    DaemonDeploymentStateChange,
    DaemonServiceAction,
    EcrImageAction,
    EcrImageScan,
    EcrScanResourceChange,
    InspectorFinding,
    DeleteTaskSet,
    DeleteService,
    DeleteExpressGatewayService,
    DeleteDaemon,
    DeleteDaemonTaskDefinition,
    DeregisterContainerInstance,
    DeleteCluster,
    DeleteCapacityProvider,
    DeregisterTaskDefinition,
    DeleteTaskDefinitions,
    DeleteSecurityGroup,
    DeleteNetworkAcl,
    DeleteRepository,
    DeleteRole,
    DeleteUser,
    DeleteGroup,
    DeletePolicy,
}

/// Where each is known from: `eventSource` and `eventName` of a call, `source` and `detail-type` of a native event.
/// In the order of the variants.
const WATCHED: &[(Api, &str, &str)] = &[
    (Api::CreateRole, "iam.amazonaws.com", "CreateRole"),
    (Api::UpdateAssumeRolePolicy, "iam.amazonaws.com", "UpdateAssumeRolePolicy"),
    (Api::CreatePolicy, "iam.amazonaws.com", "CreatePolicy"),
    (Api::CreatePolicyVersion, "iam.amazonaws.com", "CreatePolicyVersion"),
    (Api::SetDefaultPolicyVersion, "iam.amazonaws.com", "SetDefaultPolicyVersion"),
    (Api::DeletePolicyVersion, "iam.amazonaws.com", "DeletePolicyVersion"),
    (Api::PutRolePolicy, "iam.amazonaws.com", "PutRolePolicy"),
    (Api::PutUserPolicy, "iam.amazonaws.com", "PutUserPolicy"),
    (Api::PutGroupPolicy, "iam.amazonaws.com", "PutGroupPolicy"),
    (Api::DeleteRolePolicy, "iam.amazonaws.com", "DeleteRolePolicy"),
    (Api::DeleteUserPolicy, "iam.amazonaws.com", "DeleteUserPolicy"),
    (Api::DeleteGroupPolicy, "iam.amazonaws.com", "DeleteGroupPolicy"),
    (Api::AttachRolePolicy, "iam.amazonaws.com", "AttachRolePolicy"),
    (Api::AttachUserPolicy, "iam.amazonaws.com", "AttachUserPolicy"),
    (Api::AttachGroupPolicy, "iam.amazonaws.com", "AttachGroupPolicy"),
    (Api::DetachRolePolicy, "iam.amazonaws.com", "DetachRolePolicy"),
    (Api::DetachUserPolicy, "iam.amazonaws.com", "DetachUserPolicy"),
    (Api::DetachGroupPolicy, "iam.amazonaws.com", "DetachGroupPolicy"),
    (Api::PutRolePermissionsBoundary, "iam.amazonaws.com", "PutRolePermissionsBoundary"),
    (Api::PutUserPermissionsBoundary, "iam.amazonaws.com", "PutUserPermissionsBoundary"),
    (Api::DeleteRolePermissionsBoundary, "iam.amazonaws.com", "DeleteRolePermissionsBoundary"),
    (Api::DeleteUserPermissionsBoundary, "iam.amazonaws.com", "DeleteUserPermissionsBoundary"),
    (Api::UpdateAccountPasswordPolicy, "iam.amazonaws.com", "UpdateAccountPasswordPolicy"),
    (Api::DeleteAccountPasswordPolicy, "iam.amazonaws.com", "DeleteAccountPasswordPolicy"),
    (Api::CreateSecurityGroup, "ec2.amazonaws.com", "CreateSecurityGroup"),
    (Api::AuthorizeSecurityGroupIngress, "ec2.amazonaws.com", "AuthorizeSecurityGroupIngress"),
    (Api::AuthorizeSecurityGroupEgress, "ec2.amazonaws.com", "AuthorizeSecurityGroupEgress"),
    (Api::ModifySecurityGroupRules, "ec2.amazonaws.com", "ModifySecurityGroupRules"),
    (Api::RevokeSecurityGroupIngress, "ec2.amazonaws.com", "RevokeSecurityGroupIngress"),
    (Api::RevokeSecurityGroupEgress, "ec2.amazonaws.com", "RevokeSecurityGroupEgress"),
    (Api::ModifyNetworkInterfaceAttribute, "ec2.amazonaws.com", "ModifyNetworkInterfaceAttribute"),
    (Api::CreateNetworkAcl, "ec2.amazonaws.com", "CreateNetworkAcl"),
    (Api::CreateNetworkAclEntry, "ec2.amazonaws.com", "CreateNetworkAclEntry"),
    (Api::ReplaceNetworkAclEntry, "ec2.amazonaws.com", "ReplaceNetworkAclEntry"),
    (Api::DeleteNetworkAclEntry, "ec2.amazonaws.com", "DeleteNetworkAclEntry"),
    (Api::ReplaceNetworkAclAssociation, "ec2.amazonaws.com", "ReplaceNetworkAclAssociation"),
    (Api::CreateRepository, "ecr.amazonaws.com", "CreateRepository"),
    (Api::PutImageScanningConfiguration, "ecr.amazonaws.com", "PutImageScanningConfiguration"),
    (Api::PutRegistryScanningConfiguration, "ecr.amazonaws.com", "PutRegistryScanningConfiguration"),
    (Api::PutImageTagMutability, "ecr.amazonaws.com", "PutImageTagMutability"),
    (Api::SetRepositoryPolicy, "ecr.amazonaws.com", "SetRepositoryPolicy"),
    (Api::DeleteRepositoryPolicy, "ecr.amazonaws.com", "DeleteRepositoryPolicy"),
    (Api::PutLifecyclePolicy, "ecr.amazonaws.com", "PutLifecyclePolicy"),
    (Api::DeleteLifecyclePolicy, "ecr.amazonaws.com", "DeleteLifecyclePolicy"),
    (Api::PutImage, "ecr.amazonaws.com", "PutImage"),
    (Api::TagRepository, "ecr.amazonaws.com", "TagResource"),
    (Api::UntagRepository, "ecr.amazonaws.com", "UntagResource"),
    (Api::UpdateAutoScalingGroup, "autoscaling.amazonaws.com", "UpdateAutoScalingGroup"),
    (Api::CreateCapacityProvider, "ecs.amazonaws.com", "CreateCapacityProvider"),
    (Api::UpdateCapacityProvider, "ecs.amazonaws.com", "UpdateCapacityProvider"),
    (Api::CreateCluster, "ecs.amazonaws.com", "CreateCluster"),
    (Api::UpdateCluster, "ecs.amazonaws.com", "UpdateCluster"),
    (Api::UpdateClusterSettings, "ecs.amazonaws.com", "UpdateClusterSettings"),
    (Api::PutClusterCapacityProviders, "ecs.amazonaws.com", "PutClusterCapacityProviders"),
    (Api::PutAccountSetting, "ecs.amazonaws.com", "PutAccountSetting"),
    (Api::PutAccountSettingDefault, "ecs.amazonaws.com", "PutAccountSettingDefault"),
    (Api::DeleteAccountSetting, "ecs.amazonaws.com", "DeleteAccountSetting"),
    (Api::RegisterContainerInstance, "ecs.amazonaws.com", "RegisterContainerInstance"),
    (Api::UpdateContainerAgent, "ecs.amazonaws.com", "UpdateContainerAgent"),
    (Api::UpdateContainerInstancesState, "ecs.amazonaws.com", "UpdateContainerInstancesState"),
    (Api::RegisterTaskDefinition, "ecs.amazonaws.com", "RegisterTaskDefinition"),
    (Api::RegisterDaemonTaskDefinition, "ecs.amazonaws.com", "RegisterDaemonTaskDefinition"),
    (Api::CreateDaemon, "ecs.amazonaws.com", "CreateDaemon"),
    (Api::UpdateDaemon, "ecs.amazonaws.com", "UpdateDaemon"),
    (Api::CreateService, "ecs.amazonaws.com", "CreateService"),
    (Api::UpdateService, "ecs.amazonaws.com", "UpdateService"),
    (Api::CreateExpressGatewayService, "ecs.amazonaws.com", "CreateExpressGatewayService"),
    (Api::UpdateExpressGatewayService, "ecs.amazonaws.com", "UpdateExpressGatewayService"),
    (Api::CreateTaskSet, "ecs.amazonaws.com", "CreateTaskSet"),
    (Api::UpdateTaskSet, "ecs.amazonaws.com", "UpdateTaskSet"),
    (Api::UpdateServicePrimaryTaskSet, "ecs.amazonaws.com", "UpdateServicePrimaryTaskSet"),
    (Api::RunTask, "ecs.amazonaws.com", "RunTask"),
    (Api::StartTask, "ecs.amazonaws.com", "StartTask"),
    (Api::TagResource, "ecs.amazonaws.com", "TagResource"),
    (Api::UntagResource, "ecs.amazonaws.com", "UntagResource"),
    (Api::TagChange, "aws.tag", "Tag Change on Resource"),
    (Api::DeploymentStateChange, "aws.ecs", "ECS Deployment State Change"),
    (Api::ServiceAction, "aws.ecs", "ECS Service Action"),
    (Api::TaskStateChange, "aws.ecs", "ECS Task State Change"),
    (Api::ContainerInstanceStateChange, "aws.ecs", "ECS Container Instance State Change"),
    (Api::DaemonDeploymentStateChange, "aws.ecs", "ECS Daemon Deployment State Change"),
    (Api::DaemonServiceAction, "aws.ecs", "ECS Daemon Service Action"),
    (Api::EcrImageAction, "aws.ecr", "ECR Image Action"),
    (Api::EcrImageScan, "aws.ecr", "ECR Image Scan"),
    (Api::EcrScanResourceChange, "aws.ecr", "ECR Scan Resource Change"),
    (Api::InspectorFinding, "aws.inspector2", "Inspector2 Finding"),
    (Api::DeleteTaskSet, "ecs.amazonaws.com", "DeleteTaskSet"),
    (Api::DeleteService, "ecs.amazonaws.com", "DeleteService"),
    (Api::DeleteExpressGatewayService, "ecs.amazonaws.com", "DeleteExpressGatewayService"),
    (Api::DeleteDaemon, "ecs.amazonaws.com", "DeleteDaemon"),
    (Api::DeleteDaemonTaskDefinition, "ecs.amazonaws.com", "DeleteDaemonTaskDefinition"),
    (Api::DeregisterContainerInstance, "ecs.amazonaws.com", "DeregisterContainerInstance"),
    (Api::DeleteCluster, "ecs.amazonaws.com", "DeleteCluster"),
    (Api::DeleteCapacityProvider, "ecs.amazonaws.com", "DeleteCapacityProvider"),
    (Api::DeregisterTaskDefinition, "ecs.amazonaws.com", "DeregisterTaskDefinition"),
    (Api::DeleteTaskDefinitions, "ecs.amazonaws.com", "DeleteTaskDefinitions"),
    (Api::DeleteSecurityGroup, "ec2.amazonaws.com", "DeleteSecurityGroup"),
    (Api::DeleteNetworkAcl, "ec2.amazonaws.com", "DeleteNetworkAcl"),
    (Api::DeleteRepository, "ecr.amazonaws.com", "DeleteRepository"),
    (Api::DeleteRole, "iam.amazonaws.com", "DeleteRole"),
    (Api::DeleteUser, "iam.amazonaws.com", "DeleteUser"),
    (Api::DeleteGroup, "iam.amazonaws.com", "DeleteGroup"),
    (Api::DeletePolicy, "iam.amazonaws.com", "DeletePolicy"),
];

impl Api {
    /// A watched call by `eventSource` and `eventName`, or a watched native event by `source` and `detail-type`.
    pub fn find(source: &str, name: &str) -> Option<Self> {
        WATCHED.iter().find(|(_, from, called)| *called == name && *from == source).map(|(api, ..)| *api)
    }

    /// The names of all watched calls; a name may be another service's too (`TagResource`).
    pub fn call_names() -> impl Iterator<Item = &'static str> {
        WATCHED.iter().filter(|(api, ..)| !api.is_native()).map(|(_, _, name)| *name)
    }

    /// The call's name, or the native event's detail type.
    pub fn as_str(self) -> &'static str {
        WATCHED.get(self as usize).map_or("", |(_, _, name)| name)
    }

    /// Where it is known from: the call's `eventSource`, or the native event's `source`.
    pub fn source(self) -> &'static str {
        WATCHED.get(self as usize).map_or("", |(_, source, _)| source)
    }

    /// Whether a service announces it itself; such events tell that something happened, not that a setting was made.
    pub fn is_native(self) -> bool {
        WATCHED.get(self as usize).is_some_and(|(_, source, _)| source.starts_with("aws."))
    }

    /// What the call creates, if it creates something.
    pub fn creates(self) -> Option<ResourceType> {
        match self {
            Self::CreateCluster => Some(ResourceType::Cluster),
            Self::CreateCapacityProvider => Some(ResourceType::CapacityProvider),
            Self::RegisterTaskDefinition => Some(ResourceType::TaskDefinition),
            Self::RegisterDaemonTaskDefinition => Some(ResourceType::DaemonTaskDefinition),
            Self::CreateDaemon => Some(ResourceType::Daemon),
            Self::CreateService | Self::CreateExpressGatewayService => Some(ResourceType::Service),
            Self::CreateTaskSet => Some(ResourceType::TaskSet),
            Self::RunTask | Self::StartTask => Some(ResourceType::Task),
            Self::RegisterContainerInstance => Some(ResourceType::ContainerInstance),
            Self::CreateSecurityGroup => Some(ResourceType::SecurityGroup),
            Self::CreateNetworkAcl => Some(ResourceType::NetworkAcl),
            Self::CreateRole => Some(ResourceType::Role),
            Self::CreatePolicy => Some(ResourceType::ManagedPolicy),
            Self::CreateRepository => Some(ResourceType::Repository),
            Self::PutImage => Some(ResourceType::Image),
            _ => None,
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_the_variants_in_their_order() {
        for (index, (api, source, name)) in WATCHED.iter().enumerate() {
            assert_eq!(*api as usize, index, "{name}");
            assert_eq!(Api::find(source, name), Some(*api), "{name}");
        }
        assert!(WATCHED.is_sorted_by_key(|(api, ..)| *api));
    }
}
