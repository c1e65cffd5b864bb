//! Answers what ECS alone can tell: needs go out in as few calls as the API takes, and what comes back is the JSON that
//! ECS sent. Maxima by the ECS API reference.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{
    CapacityProviderField, ClusterField, ContainerInstanceField, ExpressGatewayServiceInclude, ServiceField,
    SettingName, TaskDefinitionField, TaskField, TaskSetField,
};
use serde_json::value::RawValue;
use shipshape_core::facts::Need;
use shipshape_core::ids::Arn;
use shipshape_core::resource::{ResourceId, ResourceType};

use crate::raw::RawAnswer;
use shipshape_aws::failure::Failure;

/// What AWS sent, call by call.
pub type Answers = Vec<Box<RawValue>>;

/// How many services one DescribeServices takes.
const SERVICES: usize = 10;
/// How many revisions one DescribeServiceRevisions takes.
const REVISIONS: usize = 20;
/// How many names any other call takes.
const NAMES: usize = 100;

/// Asks for everything among these needs that ECS can tell.
pub async fn fetch(client: &Client, needs: &[Need]) -> Result<Answers, Failure> {
    let wanted = Wanted::of(needs);
    let mut answers = Answers::new();
    for names in wanted.clusters.chunks(NAMES) {
        answers.extend(clusters(client, names).await?);
    }
    for (cluster, services) in &wanted.services {
        for names in services.chunks(SERVICES) {
            answers.extend(describe_services(client, cluster, names).await?);
        }
    }
    for revision in &wanted.definitions {
        answers.extend(definition(client, revision).await?);
    }
    Ok(answers)
}

/// Names of what is to be described, by the call that does it.
#[derive(Debug, Default)]
struct Wanted {
    clusters: Vec<String>,
    services: BTreeMap<Arn, Vec<String>>,
    definitions: BTreeSet<String>,
}

impl Wanted {
    fn of(needs: &[Need]) -> Self {
        let mut wanted = Self::default();
        for need in needs {
            if let Need::Resource(id) = need {
                wanted.add(id);
            }
        }
        wanted
    }

    fn add(&mut self, id: &ResourceId) {
        let name = id.arn.as_str().to_owned();
        match (id.kind, id.cluster_arn()) {
            (ResourceType::Cluster, _) => self.clusters.push(name),
            (ResourceType::Service, Some(cluster)) => self.services.entry(cluster).or_default().push(name),
            (ResourceType::TaskDefinition, _) => {
                self.definitions.insert(name);
            }
            _ => {}
        }
    }
}

async fn clusters(client: &Client, names: &[String]) -> Result<Option<Box<RawValue>>, Failure> {
    let raw = RawAnswer::default();
    let call = client
        .describe_clusters()
        .set_clusters(Some(names.to_vec()))
        .include(ClusterField::Settings)
        .include(ClusterField::Configurations)
        .include(ClusterField::Tags);
    let sent = call.customize().interceptor(raw.clone()).send().await;
    raw.of("DescribeClusters", sent)
}

async fn describe_services(
    client: &Client,
    cluster: &Arn,
    names: &[String],
) -> Result<Option<Box<RawValue>>, Failure> {
    let raw = RawAnswer::default();
    let call = client.describe_services().cluster(cluster.as_str()).set_services(Some(names.to_vec()));
    let sent = call.include(ServiceField::Tags).customize().interceptor(raw.clone()).send().await;
    raw.of("DescribeServices", sent)
}

async fn definition(client: &Client, revision: &str) -> Result<Option<Box<RawValue>>, Failure> {
    let raw = RawAnswer::default();
    let call = client.describe_task_definition().task_definition(revision).include(TaskDefinitionField::Tags);
    let sent = call.customize().interceptor(raw.clone()).send().await;
    raw.of("DescribeTaskDefinition", sent)
}
