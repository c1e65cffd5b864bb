//! What is known beside the event, and what would have to be asked.
//!
//! [`Need`] is data: whoever runs the pipeline fetches it (replay from its inventory, a function from AWS, a test
//! from a map) and judges again. A fact that is missing stays missing: nothing here guesses.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::document::{Document, Field};
use crate::event::identify;
use crate::ids::Arn;
use crate::image::ImageReference;
use crate::resource::{Resource, ResourceId, ResourceType};
use crate::text::argument;

pub mod network;

use network::Network;

/// A fact that a judgement lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A member of the resource itself, which the event does not show.
    Member(String),
    /// A resource's document.
    Resource(ResourceId),
    /// A subnet.
    Subnet(String),
    /// The route tables of a VPC.
    RouteTables(String),
    /// A NAT gateway.
    NatGateway(String),
    /// The endpoints of a VPC.
    Endpoints(String),
    /// Whether a VPC resolves names.
    VpcDns(String),
    /// A security group.
    SecurityGroup(String),
    /// The digests that a service runs.
    RunningImages(Arn),
    /// The images of an ECR repository.
    Repository(ImageReference),
    /// A log group.
    LogGroup(String),
    /// Whether a role may write to a log group.
    LogRights(String),
}

impl Need {
    /// The need as seen from outside: a member of a resource is shown by describing the resource.
    pub fn of(&self, id: &ResourceId) -> Self {
        match self {
            Self::Member(_) => Self::Resource(id.clone()),
            other => other.clone(),
        }
    }

    /// The call that would answer it, for people.
    pub fn call(&self) -> String {
        match self {
            Self::Member(path) => format!("the described resource's `{path}`"),
            Self::Resource(id) => describe(id),
            Self::Subnet(id) => format!("aws ec2 describe-subnets --subnet-ids {}", argument(id)),
            Self::RouteTables(vpc) => {
                format!("aws ec2 describe-route-tables --filters Name=vpc-id,Values={}", argument(vpc))
            }
            Self::NatGateway(id) => {
                format!("aws ec2 describe-nat-gateways --nat-gateway-ids {}", argument(id))
            }
            Self::Endpoints(vpc) => {
                format!("aws ec2 describe-vpc-endpoints --filters Name=vpc-id,Values={}", argument(vpc))
            }
            Self::VpcDns(vpc) => format!(
                "aws ec2 describe-vpc-attribute --vpc-id {} --attribute enableDnsSupport, and enableDnsHostnames",
                argument(vpc)
            ),
            Self::SecurityGroup(id) => {
                format!("aws ec2 describe-security-groups --group-ids {}", argument(id))
            }
            Self::RunningImages(arn) => {
                format!("aws ecs describe-service-revisions for the revision that {arn} runs")
            }
            Self::Repository(image) => {
                let account = image.ecr().map_or("", |(account, _)| account);
                format!(
                    "aws ecr describe-images --registry-id {account} --repository-name {}",
                    image.repository
                )
            }
            Self::LogGroup(name) => {
                format!("aws logs describe-log-groups --log-group-name-prefix {}", argument(name))
            }
            Self::LogRights(role) => format!(
                "aws iam simulate-principal-policy --policy-source-arn {} --action-names logs:CreateLogStream logs:PutLogEvents",
                argument(role)
            ),
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.call())
    }
}

fn describe(id: &ResourceId) -> String {
    let name = argument(id.arn.name());
    let (cluster, last) = name.split_once('/').unwrap_or(("default", &name));
    match id.kind {
        ResourceType::Cluster => {
            format!("aws ecs describe-clusters --clusters {name} --include SETTINGS CONFIGURATIONS TAGS")
        }
        ResourceType::TaskDefinition => {
            format!("aws ecs describe-task-definition --task-definition {name} --include TAGS")
        }
        ResourceType::DaemonTaskDefinition => {
            format!("aws ecs describe-daemon-task-definition --daemon-task-definition {name}")
        }
        ResourceType::Service => {
            format!("aws ecs describe-services --cluster {cluster} --services {last} --include TAGS")
        }
        ResourceType::Daemon => format!("aws ecs describe-daemon --daemon-arn {}", id.arn),
        ResourceType::TaskSet => format!("aws ecs describe-task-sets --cluster {cluster} --service {last}"),
        ResourceType::Task => format!("aws ecs describe-tasks --cluster {cluster} --tasks {last}"),
        ResourceType::ContainerInstance => {
            format!("aws ecs describe-container-instances --cluster {cluster} --container-instances {last}")
        }
        ResourceType::AccountSetting => "aws ecs list-account-settings --effective-settings".to_owned(),
        ResourceType::CapacityProvider => {
            format!("aws ecs describe-capacity-providers --capacity-providers {name} --include TAGS")
        }
        ResourceType::AutoScalingGroup => {
            format!("aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names {last}")
        }
        ResourceType::SecurityGroup => {
            format!("aws ec2 describe-security-group-rules --filters Name=group-id,Values={name}")
        }
        ResourceType::NetworkInterface => {
            format!("aws ec2 describe-network-interfaces --network-interface-ids {name}")
        }
        ResourceType::NetworkAcl => format!("aws ec2 describe-network-acls --network-acl-ids {name}"),
        ResourceType::Role | ResourceType::User | ResourceType::Group | ResourceType::ManagedPolicy => {
            "aws iam get-account-authorization-details".to_owned()
        }
        ResourceType::PasswordPolicy => "aws iam get-account-password-policy".to_owned(),
        ResourceType::Repository => format!("aws ecr describe-repositories --repository-names {name}"),
        ResourceType::Registry => "aws ecr get-registry-scanning-configuration".to_owned(),
        ResourceType::Image => format!("aws ecr describe-image-scan-findings --repository-name {name}"),
    }
}

/// An image that ECR keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImage {
    /// `sha256:…`
    pub digest: String,
    /// The tags that point at it now.
    pub tags: Vec<String>,
}

/// What is known.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    resources: BTreeMap<Arn, Resource>,
    mended: BTreeMap<Arn, Arn>,
    /// Subnets, routes, endpoints and groups.
    pub network: Network,
    /// The digest that each container runs, by service and the revision of its task definition.
    running: BTreeMap<(Arn, Arn), Vec<BTreeMap<String, String>>>,
    /// What each ECR repository holds, by `account/repository`: answers of `DescribeImages` name no
    /// Region, so that described images count for every Region of the account.
    repositories: BTreeMap<String, Vec<StoredImage>>,
    log_groups: Vec<String>,
    /// Patterns of the roles that the `task-definition` function may pass (the template's `PassableRoles`).
    pub passable_roles: Vec<String>,
}

impl Facts {
    /// Nothing, but which roles may be passed.
    pub fn passing(passable_roles: Vec<String>) -> Self {
        Self { passable_roles, ..Self::default() }
    }

    /// A resource's last known state.
    pub fn resource(&self, arn: &Arn) -> Option<&Resource> {
        self.resources.get(arn)
    }

    /// Every resource that is known.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.resources.values()
    }

    /// Learns a resource's state.
    pub fn learn(&mut self, resource: Resource) {
        self.resources.insert(resource.id.arn.clone(), resource);
    }

    /// Forgets what is gone, or what can no longer be told.
    pub fn forget(&mut self, arn: &Arn) {
        self.resources.remove(arn);
    }

    /// The revision that was registered in the place of a violating one; where that was mended again, the last.
    pub fn mended(&self, arn: &Arn) -> Option<&Resource> {
        let mut last = self.mended.get(arn)?;
        while let Some(next) = self.mended.get(last) {
            last = next;
        }
        self.resource(last)
    }

    /// Learns that a revision was mended by another.
    pub fn learn_mended(&mut self, violating: Arn, mended: Resource) {
        self.mended.insert(violating, mended.id.arn.clone());
        self.learn(mended);
    }

    /// Forgets that a revision was mended; answers by which other.
    pub fn forget_mended(&mut self, violating: &Arn) -> Option<Arn> {
        self.mended.remove(violating)
    }

    /// The digest that each container of a service runs, if it is known of this revision. Service revisions that
    /// share a task definition and differ in digests tell nothing.
    pub fn running(&self, service: &Arn, revision: &Arn) -> Option<&BTreeMap<String, String>> {
        let known = self.running.get(&(service.clone(), revision.clone()))?;
        known.first().filter(|first| known.iter().all(|one| one == *first))
    }

    /// What an ECR repository holds.
    pub fn repository(&self, image: &ImageReference) -> Option<&[StoredImage]> {
        let (account, _) = image.ecr()?;
        self.repositories.get(&format!("{account}/{}", image.repository)).map(Vec::as_slice)
    }

    /// Whether a log group is known to exist.
    pub fn has_log_group(&self, name: &str) -> bool {
        self.log_groups.iter().any(|group| group == name)
    }

    /// Learns from a document as `aws … describe-*` prints it. Answers how many things it told of;
    /// `None` where it is no such document.
    pub fn absorb(&mut self, json: &RawValue) -> Option<usize> {
        let answer: Answer<'_> = serde_json::from_str(json.get()).ok()?;
        let mut told = 0;
        let lists = [
            (ResourceType::Cluster, &answer.clusters),
            (ResourceType::Service, &answer.services),
            (ResourceType::TaskSet, &answer.task_sets),
            (ResourceType::CapacityProvider, &answer.capacity_providers),
        ];
        for (kind, list) in lists {
            for document in list.items() {
                told += usize::from(self.absorb_resource(kind, document, Field::Absent));
            }
        }
        if let Some(document) = answer.task_definition.known() {
            let beside = answer.tags.known().map_or(Field::Absent, |tags| Resource::tag_keys(tags));
            told += usize::from(self.absorb_resource(ResourceType::TaskDefinition, document, beside));
        }
        for image in answer.image_details.items() {
            told += usize::from(self.absorb_image(image));
        }
        for revision in answer.service_revisions.items() {
            told += usize::from(self.absorb_revision(revision));
        }
        for group in answer.log_groups.items() {
            if let Some(name) = group.log_group_name.text() {
                self.log_groups.push(name.to_owned());
                told += 1;
            }
        }
        told += self.network.absorb(json);
        (told > 0 || answer.is_one()).then_some(told)
    }

    fn absorb_resource(&mut self, kind: ResourceType, json: &RawValue, tags: Field<Vec<String>>) -> bool {
        let document = Document::new(json);
        let Some(id) = identify(kind, &document) else { return false };
        let Some(resource) = Resource::read(id, document) else { return false };
        self.learn(resource.with_tags_beside(tags));
        true
    }

    fn absorb_image(&mut self, image: &ImageDetail) -> bool {
        let (Some(account), Some(name), Some(digest)) =
            (image.registry_id.text(), image.repository_name.text(), image.image_digest.text())
        else {
            return false;
        };
        let stored = StoredImage { digest: digest.to_owned(), tags: image.image_tags.items().to_vec() };
        self.repositories.entry(format!("{account}/{name}")).or_default().push(stored);
        true
    }

    fn absorb_revision(&mut self, revision: &ServiceRevision) -> bool {
        let arn = |field: &Field<String>| field.text().and_then(|text| text.parse::<Arn>().ok());
        let Some(key) = arn(&revision.service_arn).zip(arn(&revision.task_definition)) else { return false };
        let images = revision.container_images.items().iter();
        let digests = images.filter_map(|image| {
            Some((image.container_name.text()?.to_owned(), image.image_digest.text()?.to_owned()))
        });
        self.running.entry(key).or_default().push(digests.collect());
        true
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow)]
    clusters: Field<Vec<&'a RawValue>>,
    #[serde(borrow)]
    services: Field<Vec<&'a RawValue>>,
    #[serde(borrow)]
    task_sets: Field<Vec<&'a RawValue>>,
    #[serde(borrow)]
    capacity_providers: Field<Vec<&'a RawValue>>,
    #[serde(borrow)]
    task_definition: Field<&'a RawValue>,
    #[serde(borrow)]
    tags: Field<&'a RawValue>,
    image_details: Field<Vec<ImageDetail>>,
    service_revisions: Field<Vec<ServiceRevision>>,
    log_groups: Field<Vec<LogGroup>>,
}

impl Answer<'_> {
    /// Whether it is one of the known answers, though perhaps an empty one.
    fn is_one(&self) -> bool {
        !(self.clusters.is_absent()
            && self.services.is_absent()
            && self.task_sets.is_absent()
            && self.capacity_providers.is_absent()
            && self.task_definition.is_absent()
            && self.image_details.is_absent()
            && self.service_revisions.is_absent()
            && self.log_groups.is_absent())
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ImageDetail {
    registry_id: Field<String>,
    repository_name: Field<String>,
    image_digest: Field<String>,
    image_tags: Field<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ServiceRevision {
    service_arn: Field<String>,
    task_definition: Field<String>,
    container_images: Field<Vec<ContainerImage>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ContainerImage {
    container_name: Field<String>,
    image_digest: Field<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct LogGroup {
    log_group_name: Field<String>,
}
