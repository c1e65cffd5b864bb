//! Answers what ECS alone can tell: needs go out in as few calls as the API takes, and what comes back is the JSON that
//! ECS sent. Maxima by the ECS API reference.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{
    CapacityProviderField, ClusterField, ExpressGatewayServiceInclude, ServiceField, TaskDefinitionField,
    TaskSetField,
};
use serde_json::value::RawValue;
use shipshape_aws::failure::Failure;
use shipshape_aws::reach::or_nothing;
use shipshape_core::facts::Need;
use shipshape_core::ids::Arn;
use shipshape_core::resource::{ResourceId, ResourceType};

use crate::raw::RawAnswer;

mod pages;
mod running;

/// What AWS sent, call by call.
pub(crate) type Answers = Vec<Box<RawValue>>;

/// How many services one DescribeServices takes.
const SERVICES: usize = 10;
/// How many names any other call takes.
const NAMES: usize = 100;

/// Whether a resource is asked for by its name, so that an answer without it says that there is none.
pub(crate) fn describes(id: &ResourceId) -> bool {
    match id.kind {
        ResourceType::Cluster
        | ResourceType::TaskDefinition
        | ResourceType::CapacityProvider
        | ResourceType::ExpressGatewayService => true,
        // ARNs of before 2018 name no cluster, and without one there is no call.
        ResourceType::Service | ResourceType::TaskSet => id.cluster_arn().is_some(),
        _ => false,
    }
}

/// Asks for everything among these needs that ECS can tell. What it refuses to tell of anything but the resources
/// themselves stays unknown.
pub(crate) async fn fetch(client: &Client, needs: &[Need]) -> Result<Answers, Failure> {
    let wanted = Wanted::of(needs);
    let mut answers = Answers::new();
    for names in wanted.clusters.chunks(NAMES) {
        answers.extend(clusters(client, names).await?);
    }
    for (cluster, services) in &wanted.services {
        for names in services.chunks(SERVICES) {
            answers.extend(services_of(client, cluster, names).await?);
        }
    }
    for (cluster, service, set) in &wanted.task_sets {
        answers.extend(task_set(client, cluster, service, set).await?);
    }
    for revision in &wanted.definitions {
        answers.extend(definition(client, revision).await?);
    }
    for names in wanted.providers.chunks(NAMES) {
        answers.extend(providers(client, names).await?);
    }
    for service in &wanted.express {
        answers.extend(express(client, service).await?);
    }
    if wanted.settings {
        answers.extend(or_nothing(pages::settings(client).await)?);
    }
    for service in &wanted.running {
        answers.extend(or_nothing(running::images(client, service).await)?);
    }
    for cluster in &wanted.instances {
        answers.extend(or_nothing(pages::container_instances(client, cluster).await)?);
    }
    for cluster in &wanted.tasks {
        answers.extend(or_nothing(pages::tasks(client, cluster).await)?);
    }
    Ok(answers)
}

/// Names of what is to be described, by the call that does it.
#[derive(Debug, Default)]
struct Wanted {
    clusters: Vec<String>,
    services: BTreeMap<Arn, Vec<String>>,
    task_sets: BTreeSet<(String, String, String)>,
    definitions: BTreeSet<String>,
    providers: Vec<String>,
    express: BTreeSet<String>,
    settings: bool,
    running: BTreeSet<Arn>,
    instances: BTreeSet<Arn>,
    tasks: BTreeSet<Arn>,
}

impl Wanted {
    fn of(needs: &[Need]) -> Self {
        let mut wanted = Self::default();
        for need in needs {
            match need {
                Need::Resource(id) => wanted.resource(id),
                Need::RunningImages(service) => {
                    wanted.running.insert(service.clone());
                }
                Need::ContainerInstances(cluster) => {
                    wanted.instances.insert(cluster.clone());
                }
                Need::Tasks(cluster) => {
                    wanted.tasks.insert(cluster.clone());
                }
                _ => {}
            }
        }
        wanted
    }

    fn resource(&mut self, id: &ResourceId) {
        let name = id.arn.as_str().to_owned();
        match (id.kind, id.cluster_arn()) {
            (ResourceType::Cluster, _) => self.clusters.push(name),
            (ResourceType::Service, Some(cluster)) => self.services.entry(cluster).or_default().push(name),
            (ResourceType::TaskSet, Some(cluster)) => {
                // task-set/CLUSTER/SERVICE/ID
                if let Some(service) = id.arn.name().split('/').nth(1) {
                    self.task_sets.insert((cluster.to_string(), service.to_owned(), name));
                }
            }
            (ResourceType::TaskDefinition, _) => {
                self.definitions.insert(name);
            }
            (ResourceType::CapacityProvider, _) => self.providers.push(name),
            (ResourceType::ExpressGatewayService, _) => {
                self.express.insert(name);
            }
            (ResourceType::AccountSetting, _) => self.settings = true,
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
        .include(ClusterField::Statistics)
        .include(ClusterField::Tags);
    let sent = call.customize().interceptor(raw.clone()).send().await;
    raw.of("DescribeClusters", sent)
}

async fn services_of(
    client: &Client,
    cluster: &Arn,
    names: &[String],
) -> Result<Option<Box<RawValue>>, Failure> {
    let raw = RawAnswer::default();
    let call = client.describe_services().cluster(cluster.as_str()).set_services(Some(names.to_vec()));
    let sent = call.include(ServiceField::Tags).customize().interceptor(raw.clone()).send().await;
    raw.of("DescribeServices", sent)
}

async fn task_set(
    client: &Client,
    cluster: &str,
    service: &str,
    set: &str,
) -> Result<Option<Box<RawValue>>, Failure> {
    let raw = RawAnswer::default();
    let call = client.describe_task_sets().cluster(cluster).service(service).task_sets(set);
    let sent = call.include(TaskSetField::Tags).customize().interceptor(raw.clone()).send().await;
    raw.of("DescribeTaskSets", sent)
}

/// Describes one revision, with its tags.
pub(crate) async fn definition(client: &Client, revision: &str) -> Result<Option<Box<RawValue>>, Failure> {
    let raw = RawAnswer::default();
    let call = client.describe_task_definition().task_definition(revision).include(TaskDefinitionField::Tags);
    let sent = call.customize().interceptor(raw.clone()).send().await;
    match raw.of("DescribeTaskDefinition", sent) {
        // What was deleted, and what never was, is a client's mistake here, and has no code of its own.
        Err(failure)
            if failure.code == "ClientException" && failure.message.contains("Unable to describe") =>
        {
            Ok(None)
        }
        answer => answer,
    }
}

async fn providers(client: &Client, names: &[String]) -> Result<Option<Box<RawValue>>, Failure> {
    let raw = RawAnswer::default();
    let call = client.describe_capacity_providers().set_capacity_providers(Some(names.to_vec()));
    let sent = call.include(CapacityProviderField::Tags).customize().interceptor(raw.clone()).send().await;
    raw.of("DescribeCapacityProviders", sent)
}

async fn express(client: &Client, service: &str) -> Result<Option<Box<RawValue>>, Failure> {
    let raw = RawAnswer::default();
    let call = client.describe_express_gateway_service().service_arn(service);
    let sent =
        call.include(ExpressGatewayServiceInclude::Tags).customize().interceptor(raw.clone()).send().await;
    match raw.of("DescribeExpressGatewayService", sent) {
        // Other calls say the same of what they only refer to.
        Err(failure) if failure.code == "ResourceNotFoundException" => Ok(None),
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_to_the_calls_that_describe_them() {
        let need = |text: &str| {
            let arn: Arn = format!("arn:aws:ecs:eu-west-1:111122223333:{text}").parse().unwrap();
            Need::Resource(ResourceId { kind: ResourceType::of_ecs_arn(&arn).unwrap(), arn })
        };
        let wanted = Wanted::of(&[
            need("service/shop/a"),
            need("service/shop/b"),
            need("service/edge/a"),
            need("task-set/shop/a/ecs-svc/1"),
            need("task-definition/web:3"),
            need("task-definition/web:3"),
            need("cluster/shop"),
        ]);
        let per_cluster: Vec<usize> = wanted.services.values().map(Vec::len).collect();
        assert_eq!(per_cluster, [1, 2]);
        let (cluster, service, _) = wanted.task_sets.first().unwrap();
        assert_eq!(
            (cluster.as_str(), service.as_str()),
            ("arn:aws:ecs:eu-west-1:111122223333:cluster/shop", "a")
        );
        assert_eq!((wanted.definitions.len(), wanted.clusters.len()), (1, 1));
    }
}
