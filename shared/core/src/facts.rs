//! What is known beside the event, and what would have to be asked.
//!
//! [`Need`] is data: whoever runs the pipeline fetches it (replay from its inventory, a function from AWS, a test
//! from a map) and judges again. A fact that is missing stays missing: nothing here guesses.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::document::{Document, Field};
use crate::event::identify;
use crate::ids::Arn;
use crate::image::ImageReference;
use crate::resource::{Body, ExpressGatewayService, Resource, ResourceId, ResourceType, Service};

pub mod hosts;
pub mod identity;
pub mod images;
mod need;
pub mod network;

pub use need::Need;

use hosts::Hosts;
use identity::Identity;
use images::{Repositories, Repository};
use network::Network;

/// What is known.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    resources: BTreeMap<Arn, Resource>,
    /// Express services, which have the ARNs of the services that they manage.
    express: BTreeMap<Arn, Resource>,
    mended: BTreeMap<Arn, Arn>,
    gone: BTreeSet<ResourceId>,
    /// Subnets, routes, endpoints and groups.
    pub network: Network,
    /// Roles and policies.
    pub identity: Identity,
    /// Container instances and what they are.
    pub hosts: Hosts,
    /// The digest that each container runs, by service and the revision of its task definition.
    running: BTreeMap<(Arn, Arn), Vec<BTreeMap<String, String>>>,
    repositories: Repositories,
    log_groups: Vec<String>,
    /// Patterns of the roles that the `task-definition` function may pass (the template's `PassableRoles`).
    pub passable_roles: Vec<String>,
}

impl Facts {
    /// Nothing, but which roles may be passed.
    pub fn passing(passable_roles: Vec<String>) -> Self {
        Self { passable_roles, ..Self::default() }
    }

    /// A resource's last known state, by its ARN; of an Express service, that of the service that it manages.
    pub fn resource(&self, arn: &Arn) -> Option<&Resource> {
        self.resources.get(arn)
    }

    /// A resource's last known state.
    pub fn known(&self, id: &ResourceId) -> Option<&Resource> {
        match id.kind {
            ResourceType::ExpressGatewayService => self.express.get(&id.arn),
            _ => self.resources.get(&id.arn),
        }
    }

    /// Every resource that is known.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.resources.values().chain(self.express.values())
    }

    /// Learns a resource's state.
    pub fn learn(&mut self, resource: Resource) {
        if !self.gone.is_empty() {
            self.gone.remove(&resource.id);
        }
        self.of_kind(resource.id.kind).insert(resource.id.arn.clone(), resource);
    }

    /// Learns that nothing of this name exists.
    pub fn learn_gone(&mut self, id: ResourceId) {
        self.of_kind(id.kind).remove(&id.arn);
        self.gone.insert(id);
    }

    /// Whether it was looked for, and does not exist.
    pub fn is_gone(&self, id: &ResourceId) -> bool {
        self.gone.contains(id)
    }

    /// Forgets what is gone, or what can no longer be told. Of a setting that was deleted, what an answer told of every
    /// Region does not hold any more either.
    pub fn forget(&mut self, id: &ResourceId) {
        self.of_kind(id.kind).remove(&id.arn);
        let setting = id.arn.resource().strip_prefix("account-setting/");
        if let Some(everywhere) = setting.and_then(|name| setting_arn(&id.arn, "", name)) {
            self.resources.remove(&everywhere);
        }
    }

    fn of_kind(&mut self, kind: ResourceType) -> &mut BTreeMap<Arn, Resource> {
        match kind {
            ResourceType::ExpressGatewayService => &mut self.express,
            _ => &mut self.resources,
        }
    }

    /// The revision that was registered in the place of a violating one; where that was mended again, the last.
    pub fn mended(&self, arn: &Arn) -> Option<&Resource> {
        let mut last = self.mended.get(arn)?;
        while let Some(next) = self.mended.get(last) {
            last = next;
        }
        self.resource(last)
    }

    /// Learns that a revision was mended by another. Two that stand in each other's place are none.
    pub fn learn_mended(&mut self, violating: Arn, mended: Resource) {
        let stands = self.mended(&mended.id.arn).map_or(&mended.id, |last| &last.id);
        if stands.arn != violating {
            self.mended.insert(violating, mended.id.arn.clone());
        }
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

    /// What is known of an ECR repository; `None` where nobody asked it for this image.
    pub fn repository(&self, image: &ImageReference) -> Option<&Repository> {
        self.repositories.of(image)
    }

    /// Whether a log group is known to exist.
    pub fn has_log_group(&self, name: &str) -> bool {
        self.log_groups.iter().any(|group| group == name)
    }

    /// An account's default of a setting, in the Region of a resource. Answers of `ListAccountSettings` name no Region,
    /// and count for every one of which no event told.
    pub fn account_setting(&self, place: &Arn, name: &str) -> Option<&str> {
        [place.region(), ""].iter().find_map(|region| {
            let arn = setting_arn(place, region, name)?;
            match &self.resource(&arn)?.body {
                Body::AccountSetting(setting) => setting.value.text(),
                _ => None,
            }
        })
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
            (ResourceType::AccountSetting, &answer.settings),
        ];
        for (kind, list) in lists {
            for document in list.items() {
                told += usize::from(self.absorb_resource(kind, document, Field::Absent));
            }
        }
        // A service is described with the task sets that it runs, and nothing else may ever describe them.
        for set in answer.services.items().iter().flat_map(|service| Service::task_sets(service)) {
            told += usize::from(self.absorb_resource(ResourceType::TaskSet, set, Field::Absent));
        }
        if let Some(express) = answer.express() {
            let kind = ResourceType::ExpressGatewayService;
            told += usize::from(self.absorb_resource(kind, express, Field::Absent));
        }
        if let Some(document) = answer.task_definition.known() {
            let beside = answer.tags.known().map_or(Field::Absent, |tags| Resource::tag_keys(tags));
            told += usize::from(self.absorb_resource(ResourceType::TaskDefinition, document, beside));
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
        told += self.network.absorb(json) + self.identity.absorb(json) + self.hosts.absorb(json);
        told += self.repositories.absorb(json);
        let beside = [Identity::is_answer, Hosts::is_answer, Repositories::is_answer];
        let one = answer.is_one() || beside.iter().any(|is_answer| is_answer(json));
        (told > 0 || one).then_some(told)
    }

    fn absorb_resource(&mut self, kind: ResourceType, json: &RawValue, tags: Field<Vec<String>>) -> bool {
        let document = Document::new(json);
        let Some(id) = identify(kind, &document) else { return false };
        let Some(resource) = Resource::read(id, document) else { return false };
        self.learn(resource.with_tags_beside(tags));
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
    settings: Field<Vec<&'a RawValue>>,
    #[serde(borrow)]
    service: Field<&'a RawValue>,
    #[serde(borrow)]
    task_definition: Field<&'a RawValue>,
    #[serde(borrow)]
    tags: Field<&'a RawValue>,
    service_revisions: Field<Vec<ServiceRevision>>,
    log_groups: Field<Vec<LogGroup>>,
}

impl Answer<'_> {
    fn express(&self) -> Option<&RawValue> {
        self.service.known().copied().filter(|json| ExpressGatewayService::is_one(json))
    }

    /// Whether it is one of the known answers, though perhaps an empty one.
    fn is_one(&self) -> bool {
        !(self.clusters.is_absent()
            && self.services.is_absent()
            && self.task_sets.is_absent()
            && self.capacity_providers.is_absent()
            // A bare cluster has settings too, and is told by its own members.
            && self.settings.known().is_none_or(|settings| !settings.is_empty())
            && self.task_definition.is_absent()
            && self.service_revisions.is_absent()
            && self.log_groups.is_absent())
    }
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

fn setting_arn(place: &Arn, region: &str, name: &str) -> Option<Arn> {
    let (partition, account) = (place.partition(), place.account());
    format!("arn:{partition}:ecs:{region}:{account}:account-setting/{name}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_sets_are_learned_from_the_services_that_they_are_described_with() {
        let service = "arn:aws:ecs:eu-west-1:111122223333:service/c/s";
        let set = "arn:aws:ecs:eu-west-1:111122223333:task-set/c/s/ecs-svc/1";
        let text = format!(
            r#"{{"services":[{{"serviceArn":"{service}","taskSets":[{{"taskSetArn":"{set}"}}, 7, {{}}]}}]}}"#
        );
        let mut facts = Facts::default();
        assert_eq!(facts.absorb(serde_json::from_str(&text).unwrap()), Some(2));
        let known = facts.resource(&set.parse().unwrap()).unwrap();
        assert_eq!(known.id.kind, ResourceType::TaskSet);
    }
}
