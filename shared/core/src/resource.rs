//! Resources: what controls judge. The document as AWS prints it, and a typed view of the members that
//! controls read. The view is made from the document alone, so that a patched document is judged the same way.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::document::{Document, Field};
use crate::ids::Arn;

pub mod account_setting;
pub mod capacity_provider;
pub mod cluster;
pub mod express;
pub mod health;
pub mod launch;
pub mod service;
pub mod task_definition;
pub mod task_set;

pub use account_setting::AccountSetting;
pub use capacity_provider::CapacityProvider;
pub use cluster::Cluster;
pub use express::ExpressGatewayService;
pub use launch::Launch;
pub use service::Service;
pub use task_definition::TaskDefinition;
pub use task_set::TaskSet;

/// The kind of a resource, by its CloudFormation type name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the serialised names say it")]
pub enum ResourceType {
    #[serde(rename = "AWS::ECS::Cluster")]
    Cluster,
    #[serde(rename = "AWS::ECS::TaskDefinition")]
    TaskDefinition,
    #[serde(rename = "AWS::ECS::DaemonTaskDefinition")]
    DaemonTaskDefinition,
    #[serde(rename = "AWS::ECS::Service")]
    Service,
    #[serde(rename = "AWS::ECS::ExpressGatewayService")]
    ExpressGatewayService,
    #[serde(rename = "AWS::ECS::Daemon")]
    Daemon,
    #[serde(rename = "AWS::ECS::TaskSet")]
    TaskSet,
    #[serde(rename = "AWS::ECS::Task")]
    Task,
    #[serde(rename = "AWS::ECS::ContainerInstance")]
    ContainerInstance,
    #[serde(rename = "AWS::ECS::AccountSetting")]
    AccountSetting,
    #[serde(rename = "AWS::ECS::CapacityProvider")]
    CapacityProvider,
    #[serde(rename = "AWS::AutoScaling::AutoScalingGroup")]
    AutoScalingGroup,
    #[serde(rename = "AWS::EC2::SecurityGroup")]
    SecurityGroup,
    #[serde(rename = "AWS::EC2::NetworkInterface")]
    NetworkInterface,
    #[serde(rename = "AWS::EC2::NetworkAcl")]
    NetworkAcl,
    #[serde(rename = "AWS::IAM::Role")]
    Role,
    #[serde(rename = "AWS::IAM::User")]
    User,
    #[serde(rename = "AWS::IAM::Group")]
    Group,
    #[serde(rename = "AWS::IAM::ManagedPolicy")]
    ManagedPolicy,
    #[serde(rename = "AWS::IAM::PasswordPolicy")]
    PasswordPolicy,
    #[serde(rename = "AWS::ECR::Repository")]
    Repository,
    #[serde(rename = "AWS::ECR::Registry")]
    Registry,
    #[serde(rename = "AWS::ECR::Image")]
    Image,
}

impl ResourceType {
    /// Every kind, in the order in which reports list them.
    pub const ALL: [Self; 23] = [
        Self::Cluster,
        Self::TaskDefinition,
        Self::DaemonTaskDefinition,
        Self::Service,
        Self::ExpressGatewayService,
        Self::Daemon,
        Self::TaskSet,
        Self::Task,
        Self::ContainerInstance,
        Self::AccountSetting,
        Self::CapacityProvider,
        Self::AutoScalingGroup,
        Self::SecurityGroup,
        Self::NetworkInterface,
        Self::NetworkAcl,
        Self::Role,
        Self::User,
        Self::Group,
        Self::ManagedPolicy,
        Self::PasswordPolicy,
        Self::Repository,
        Self::Registry,
        Self::Image,
    ];

    /// The CloudFormation type name; what CloudFormation does not have, such as tasks, account settings and
    /// the password policy, is named in its manner.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cluster => "AWS::ECS::Cluster",
            Self::TaskDefinition => "AWS::ECS::TaskDefinition",
            Self::DaemonTaskDefinition => "AWS::ECS::DaemonTaskDefinition",
            Self::Service => "AWS::ECS::Service",
            Self::ExpressGatewayService => "AWS::ECS::ExpressGatewayService",
            Self::Daemon => "AWS::ECS::Daemon",
            Self::TaskSet => "AWS::ECS::TaskSet",
            Self::Task => "AWS::ECS::Task",
            Self::ContainerInstance => "AWS::ECS::ContainerInstance",
            Self::AccountSetting => "AWS::ECS::AccountSetting",
            Self::CapacityProvider => "AWS::ECS::CapacityProvider",
            Self::AutoScalingGroup => "AWS::AutoScaling::AutoScalingGroup",
            Self::SecurityGroup => "AWS::EC2::SecurityGroup",
            Self::NetworkInterface => "AWS::EC2::NetworkInterface",
            Self::NetworkAcl => "AWS::EC2::NetworkAcl",
            Self::Role => "AWS::IAM::Role",
            Self::User => "AWS::IAM::User",
            Self::Group => "AWS::IAM::Group",
            Self::ManagedPolicy => "AWS::IAM::ManagedPolicy",
            Self::PasswordPolicy => "AWS::IAM::PasswordPolicy",
            Self::Repository => "AWS::ECR::Repository",
            Self::Registry => "AWS::ECR::Registry",
            Self::Image => "AWS::ECR::Image",
        }
    }

    /// The kind of a type name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind that an ECS ARN names by its first part, such as `service` of `service/shop/checkout`.
    pub fn of_ecs_arn(arn: &Arn) -> Option<Self> {
        match arn.resource().split_once('/')?.0 {
            "cluster" => Some(Self::Cluster),
            "task-definition" => Some(Self::TaskDefinition),
            "daemon-task-definition" => Some(Self::DaemonTaskDefinition),
            "service" => Some(Self::Service),
            "daemon" => Some(Self::Daemon),
            "task-set" => Some(Self::TaskSet),
            "task" => Some(Self::Task),
            "container-instance" => Some(Self::ContainerInstance),
            "capacity-provider" => Some(Self::CapacityProvider),
            _ => None,
        }
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ResourceId {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: ResourceType,
    /// Its ARN, in the one form by which a resource is known here whichever call names it: services and container
    /// instances in the long form (`service/CLUSTER/NAME`), roles, users and groups without their path, Auto Scaling
    /// groups without their number. Where AWS has no ARN, one is made in its manner: `account-setting/NAME` of ECS,
    /// `account-password-policy` of IAM, `registry` of ECR; images are called as Inspector calls them
    /// (`repository/NAME/sha256:…`). An Express service has the ARN of the service that it manages. A security group
    /// that only its name tells is `security-group/NAME`: no name begins with `sg-`.
    pub arn: Arn,
}

impl ResourceId {
    /// The cluster that the ARN names: of the cluster itself and of what lives in one.
    pub fn cluster(&self) -> Option<&str> {
        let name = self.arn.name();
        match self.kind {
            ResourceType::Cluster => Some(name),
            ResourceType::Service
            | ResourceType::ExpressGatewayService
            | ResourceType::TaskSet
            | ResourceType::Task
            | ResourceType::Daemon
            | ResourceType::ContainerInstance => name.split_once('/').map(|(cluster, _)| cluster),
            _ => None,
        }
    }

    /// The ARN of that cluster.
    pub fn cluster_arn(&self) -> Option<Arn> {
        let (start, _) = self.arn.as_str().split_once(self.arn.resource())?;
        format!("{start}cluster/{}", self.cluster()?).parse().ok()
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.arn)
    }
}

/// The typed view of a document, shared by all who know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A revision of a task definition, or of a daemon's.
    TaskDefinition(Arc<TaskDefinition>),
    /// A service.
    Service(Arc<Service>),
    /// An Express service.
    ExpressGatewayService(Arc<ExpressGatewayService>),
    /// A cluster.
    Cluster(Arc<Cluster>),
    /// A task set.
    TaskSet(Arc<TaskSet>),
    /// A launch of tasks.
    Launch(Arc<Launch>),
    /// A capacity provider.
    CapacityProvider(Arc<CapacityProvider>),
    /// An account setting.
    AccountSetting(Arc<AccountSetting>),
    /// A kind that no control reads; its document is kept.
    Other,
}

impl Body {
    /// The same without how much of it runs, which changes all the time and tells nothing of how it is set up.
    pub fn without_counts(&self) -> Self {
        match self {
            Self::Service(service) => Self::Service(Arc::new(Service {
                desired_count: Field::Absent,
                running_count: Field::Absent,
                ..(**service).clone()
            })),
            Self::Cluster(cluster) => Self::Cluster(Arc::new(Cluster {
                active_services_count: Field::Absent,
                running_tasks_count: Field::Absent,
                pending_tasks_count: Field::Absent,
                ..(**cluster).clone()
            })),
            other => other.clone(),
        }
    }
}

/// One resource as a change, a `Describe` call or a simulation shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its name.
    pub id: ResourceId,
    /// The document that everything below is read from.
    pub document: Document,
    /// The typed view.
    pub body: Body,
    /// The keys of its tags. Values are not kept: nothing may print them.
    pub tags: Field<Vec<String>>,
    /// Whether the document shows everything there is, as the answer to the call that made it does. What `Describe`
    /// prints lacks what was not asked for.
    pub whole: bool,
}

/// A tag, of which only the key is read. ECS and IAM's events begin names small, other services' answers do not.
#[derive(Debug, Deserialize)]
pub(crate) struct Tag {
    #[serde(alias = "Key")]
    key: String,
}

/// What a change did to tags, by their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retagged {
    /// These are there now.
    Added(Vec<String>),
    /// These are not.
    Removed(Vec<String>),
}

/// The tags that a document itself holds.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Tagged {
    #[serde(alias = "Tags")]
    pub(crate) tags: Field<Vec<Tag>>,
}

impl Resource {
    /// Reads a document as a resource of a kind. `None` where it is no JSON object.
    pub fn read(id: ResourceId, document: Document) -> Option<Self> {
        let body = match id.kind {
            ResourceType::TaskDefinition | ResourceType::DaemonTaskDefinition => {
                Body::TaskDefinition(document.view()?)
            }
            ResourceType::Service => Body::Service(document.view()?),
            ResourceType::ExpressGatewayService => Body::ExpressGatewayService(document.view()?),
            ResourceType::Cluster => Body::Cluster(document.view()?),
            ResourceType::TaskSet => Body::TaskSet(document.view()?),
            ResourceType::Task => Body::Launch(document.view()?),
            ResourceType::CapacityProvider => Body::CapacityProvider(document.view()?),
            ResourceType::AccountSetting => Body::AccountSetting(document.view()?),
            _ => Body::Other,
        };
        let tags = keys(&document.view::<Tagged>()?.tags);
        Some(Self { id, document, body, tags, whole: false })
    }

    /// The same from an answer that was asked for everything: what it lacks is not there.
    pub fn asked_for_whole(mut self) -> Self {
        self.whole = true;
        self.tags = self.tags.or_if_absent(Vec::new());
        self
    }

    /// Adds tags that AWS prints beside the document, as it does for task definitions.
    pub fn with_tags_beside(mut self, tags: Field<Vec<String>>) -> Self {
        if self.tags.is_absent() {
            self.tags = tags;
        }
        self
    }

    /// The same after a change of its tags. Tags that were not known stay so.
    pub fn retagged(&self, change: &Retagged) -> Option<Self> {
        let Field::Known(keys) = &self.tags else { return Some(self.clone()) };
        let mut value = self.document.value()?;
        // Where tags stand beside the document, it has no list of them.
        let mut list = value.get_mut("tags").and_then(Value::as_array_mut);
        let mut keys = keys.clone();
        let (Retagged::Added(named) | Retagged::Removed(named)) = change;
        keys.retain(|key| !named.contains(key));
        if let Some(list) = &mut list {
            list.retain(|tag| !named.iter().any(|key| tag.get("key").and_then(Value::as_str) == Some(key)));
        }
        if let Retagged::Added(named) = change {
            keys.extend(named.iter().cloned());
            if let Some(list) = list {
                list.extend(named.iter().map(|key| json!({ "key": key })));
            }
        }
        let after = Self::read(self.id.clone(), Document::from_value(&value))?;
        Some(Self { tags: Field::Known(keys), whole: self.whole, ..after })
    }

    /// Keeps what was known of the state before beside its document: no fix takes a tag away, and none tells which
    /// tags there are where that was not known.
    pub fn following(self, before: &Self) -> Self {
        let tags = match (&self.tags, &before.tags) {
            (Field::Known(now), Field::Known(then)) => {
                let added = then.iter().filter(|key| !now.contains(key)).cloned();
                Field::Known(now.iter().cloned().chain(added).collect())
            }
            (_, then) => then.clone(),
        };
        Self { tags, whole: before.whole, ..self }
    }

    /// Reads a list of tags, `[{"key": …, "value": …}]`, and keeps the keys.
    pub fn tag_keys(json: &serde_json::value::RawValue) -> Field<Vec<String>> {
        keys(&Field::read(json))
    }
}

/// The keys of a list of tags.
pub(crate) fn keys(tags: &Field<Vec<Tag>>) -> Field<Vec<String>> {
    match tags {
        Field::Absent => Field::Absent,
        Field::Hidden => Field::Hidden,
        Field::Known(tags) => Field::Known(tags.iter().map(|tag| tag.key.clone()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_and_kinds_are_one_list() {
        for kind in ResourceType::ALL {
            assert_eq!(ResourceType::from_name(kind.name()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn the_cluster_comes_from_the_arn() {
        let arn: Arn = "arn:aws:ecs:eu-west-1:111122223333:service/shop/checkout".parse().unwrap();
        let id = ResourceId { kind: ResourceType::of_ecs_arn(&arn).unwrap(), arn };
        assert_eq!(id.cluster(), Some("shop"));
    }
}
