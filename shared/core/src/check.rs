//! Documents judged without any event: what a template's author checks before anything is deployed.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::control::{Compliance, Evaluation, evaluate};
use crate::document::{Document, Field, Present};
use crate::event::identify;
use crate::facts::Facts;
use crate::ids::{AccountId, Arn, Region};
use crate::policy::{ExemptionMatch, Mode, Policy, Subject};
use crate::remediation::{Fix, plan};
use crate::resource::{ExpressGatewayService, Resource, ResourceId, ResourceType, Service};
use crate::selection::Selection;
use crate::text::offset_of;

/// Why a document is not one that can be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not a JSON object.
    #[error("not a JSON object")]
    NotAnObject,
    /// An answer that should hold resources, and holds none that can be read.
    #[error(
        "the answer holds no resource that can be judged: look at its `failures`, or at the names that were asked for"
    )]
    NothingFound,
    /// An object of no known shape.
    #[error(
        "no known shape: wanted what describe-clusters, describe-services, describe-task-definition, describe-task-sets, \
         describe-capacity-providers, describe-express-gateway-service or list-account-settings print, one of their \
         objects, or the input of register-task-definition or create-capacity-provider (force a kind with --type)"
    )]
    NoKnownShape,
}

/// The members by which answers and objects are told apart.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Shape<'a> {
    #[serde(borrow)]
    clusters: Field<Vec<&'a RawValue>>,
    #[serde(borrow)]
    cluster: Field<&'a RawValue>,
    #[serde(borrow)]
    services: Field<Vec<&'a RawValue>>,
    #[serde(borrow)]
    service: Field<&'a RawValue>,
    #[serde(borrow)]
    task_definition: Field<&'a RawValue>,
    #[serde(borrow)]
    tags: Field<&'a RawValue>,
    #[serde(borrow)]
    task_sets: Field<Vec<&'a RawValue>>,
    #[serde(borrow)]
    task_set: Field<&'a RawValue>,
    /// A cluster has these two as well.
    #[serde(borrow)]
    capacity_providers: Field<Vec<&'a RawValue>>,
    #[serde(borrow)]
    settings: Field<Vec<&'a RawValue>>,
    #[serde(borrow)]
    capacity_provider: Field<&'a RawValue>,
    #[serde(borrow)]
    setting: Field<&'a RawValue>,
    /// Recorders of answers put them here.
    #[serde(borrow)]
    data: Field<&'a RawValue>,
    #[serde(rename = "status_code")]
    status_code: Field<u16>,
    cluster_arn: Field<String>,
    cluster_name: Field<String>,
    service_arn: Field<String>,
    service_name: Field<String>,
    failures: Field<Vec<Present>>,
    task_definition_arn: Field<String>,
    task_set_arn: Field<String>,
    capacity_provider_arn: Field<String>,
    auto_scaling_group_provider: Field<Present>,
    managed_instances_provider: Field<Present>,
    principal_arn: Field<String>,
    name: Field<String>,
    value: Field<String>,
    container_definitions: Field<Present>,
    family: Field<String>,
    tasks: Field<Present>,
    task: Field<Present>,
    container_instances: Field<Present>,
    container_instance: Field<Present>,
    cluster_arns: Field<Present>,
    service_arns: Field<Present>,
    task_definition_arns: Field<Present>,
    task_arns: Field<Present>,
    container_instance_arns: Field<Present>,
    #[serde(rename = "ResponseMetadata")]
    response_metadata: Field<Present>,
}

impl Shape<'_> {
    /// An answer without failures whose lists are empty: there is nothing.
    fn empty_answer(&self) -> bool {
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

    /// Whether it is a cluster, or what one is made or changed by: its capacity providers and settings are its own.
    fn of_a_cluster(&self) -> bool {
        self.cluster_arn.known().is_some()
            || self.cluster_name.known().is_some()
            || self.cluster.known().is_some()
    }
}

/// A resource that a document holds.
#[derive(Debug, Clone)]
pub struct Found {
    /// The resource.
    pub resource: Resource,
    /// Where its own document begins, in bytes of the text that was read.
    pub offset: usize,
}

/// Reads the resources of a document: an answer of ECS, one of its objects, or the input of a register call. None
/// where it is an answer that holds nothing to judge. `forced` says what a bare object is.
pub fn read(json: &RawValue, forced: Option<ResourceType>) -> Result<Vec<Found>, DocumentError> {
    if !json.get().starts_with('{') {
        return Err(DocumentError::NotAnObject);
    }
    let within = |object: &RawValue| offset_of(object.get(), json.get()).unwrap_or_default();
    let found = |kind, object: &RawValue, tags| {
        one(kind, object, tags).map(|resource| Found { resource, offset: within(object) })
    };
    if let Some(kind) = forced {
        let mut resources: Vec<Found> = found(kind, json, Field::Absent).into_iter().collect();
        if resources.is_empty() {
            return Err(DocumentError::NotAnObject);
        }
        resources
            .extend(task_sets(kind, json).filter_map(|set| found(ResourceType::TaskSet, set, Field::Absent)));
        return Ok(resources);
    }
    let shape: Shape<'_> = serde_json::from_str(json.get()).map_err(|_| DocumentError::NoKnownShape)?;
    if let (Some(data), Field::Known(_)) = (shape.data.known(), &shape.status_code) {
        let mut inside = read(data, forced)?;
        inside.iter_mut().for_each(|one| one.offset += within(data));
        return Ok(inside);
    }
    let tags = shape.tags.known().map_or(Field::Absent, |tags| Resource::tag_keys(tags));
    let mut lists = vec![
        (ResourceType::Cluster, &shape.clusters, &shape.cluster),
        (ResourceType::Service, &shape.services, &shape.service),
    ];
    // A bare service has task sets too, and is told by its own members.
    if shape.service_arn.known().is_none() && shape.service_name.known().is_none() {
        lists.push((ResourceType::TaskSet, &shape.task_sets, &shape.task_set));
    }
    if !shape.of_a_cluster() {
        lists.push((ResourceType::CapacityProvider, &shape.capacity_providers, &shape.capacity_provider));
        // Settings of an account say whose they are; those that a cluster is changed by do not.
        let whose = |json: &&RawValue| identify(ResourceType::AccountSetting, &Document::new(json)).is_some();
        if shape.settings.items().iter().all(whose) {
            lists.push((ResourceType::AccountSetting, &shape.settings, &shape.setting));
        }
    }
    let mut resources = Vec::new();
    let mut answer = false;
    for (kind, many, single) in lists {
        answer |= many.known().is_some() || (single.known().is_some_and(|json| json.get().starts_with('{')));
        let objects = many.items().iter().chain(single.known()).filter(|json| json.get().starts_with('{'));
        for object in objects {
            resources.extend(found(shaped(kind, object), object, Field::Absent));
            let sets = task_sets(kind, object);
            resources.extend(sets.filter_map(|set| found(ResourceType::TaskSet, set, Field::Absent)));
        }
    }
    // In a bare service or task set this member is the ARN of what it runs.
    if let Some(definition) = shape.task_definition.known().filter(|json| json.get().starts_with('{')) {
        answer = true;
        resources.extend(found(ResourceType::TaskDefinition, definition, tags));
    }
    // What a misspelt name is answered with, or a list of something else, must not pass as judged.
    if answer && resources.is_empty() && !shape.empty_answer() {
        return Err(DocumentError::NothingFound);
    }
    if answer {
        return Ok(resources);
    }
    match bare(&shape) {
        Some(kind) => {
            let sets =
                task_sets(kind, json).filter_map(|set| found(ResourceType::TaskSet, set, Field::Absent));
            Ok(found(shaped(kind, json), json, Field::Absent).into_iter().chain(sets).collect())
        }
        None if nothing_to_judge(&shape) || Facts::default().absorb(json).is_some_and(|told| told > 0) => {
            Ok(Vec::new())
        }
        None => Err(DocumentError::NoKnownShape),
    }
}

/// The task sets that a service is described with: they launch tasks by a configuration of their own.
fn task_sets(kind: ResourceType, json: &RawValue) -> impl Iterator<Item = &RawValue> {
    let sets = if kind == ResourceType::Service { Service::task_sets(json) } else { Vec::new() };
    sets.into_iter().filter(|set| set.get().starts_with('{'))
}

/// A `service` is one of two kinds, by its shape.
fn shaped(kind: ResourceType, json: &RawValue) -> ResourceType {
    match kind {
        ResourceType::Service if ExpressGatewayService::is_one(json) => ResourceType::ExpressGatewayService,
        kind => kind,
    }
}

/// What a bare object is, by the members that only its kind has.
fn bare(shape: &Shape<'_>) -> Option<ResourceType> {
    if !shape.container_definitions.is_absent() {
        Some(ResourceType::TaskDefinition)
    } else if shape.task_set_arn.known().is_some() {
        Some(ResourceType::TaskSet)
    } else if shape.service_arn.known().is_some() || shape.service_name.known().is_some() {
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
fn nothing_to_judge(shape: &Shape<'_>) -> bool {
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

/// Names a document by the ARN in it; what is not registered yet has none, and neither account nor Region.
fn one(kind: ResourceType, json: &RawValue, tags: Field<Vec<String>>) -> Option<Resource> {
    #[derive(Deserialize, Default)]
    #[serde(default, rename_all = "camelCase")]
    struct Names {
        family: Field<String>,
        service_name: Field<String>,
        cluster_name: Field<String>,
        name: Field<String>,
    }
    let document = Document::new(json);
    let id = identify(kind, &document).or_else(|| {
        let names: Names = document.view()?;
        let (of, name) = match kind {
            ResourceType::TaskDefinition => ("task-definition", names.family),
            ResourceType::Service | ResourceType::ExpressGatewayService => ("service", names.service_name),
            ResourceType::Cluster => ("cluster", names.cluster_name),
            ResourceType::CapacityProvider => ("capacity-provider", names.name),
            ResourceType::AccountSetting => ("account-setting", names.name),
            _ => (kind.name().rsplit("::").next().unwrap_or_default(), Field::Absent),
        };
        // A name that no ARN takes must not keep the document from being judged.
        let named = |name: &str| format!("arn:aws:ecs:::{of}/{name}").parse::<Arn>().ok();
        let arn = name.text().and_then(named).or_else(|| named("unnamed"))?;
        Some(ResourceId { kind, arn })
    })?;
    // What is still to be made is made as its input says, and has no more than that.
    let whole = id.arn.account().is_empty();
    let tags = if whole && tags.is_absent() { Field::Known(Vec::new()) } else { tags };
    Resource::read(id, document).map(|resource| Resource { whole, ..resource.with_tags_beside(tags) })
}

/// One control's answer for one document.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The resource.
    pub resource: ResourceId,
    /// The answer.
    pub evaluation: Evaluation,
    /// The plan of the fix, if there is one.
    pub fix: Option<Fix>,
    /// The exemption that covers it, in words.
    pub exempt: Option<String>,
    /// What is said beside it, such as that an exemption has expired.
    pub notes: Vec<String>,
}

/// Judges a document by the selected controls. Controls that the policy switches off for the resource are left out.
pub fn check(
    resource: &Resource,
    facts: &Facts,
    policy: &Policy,
    selection: &Selection,
    now: Timestamp,
) -> Vec<Checked> {
    let arn = &resource.id.arn;
    let account: Option<AccountId> = arn.account().parse().ok();
    let region: Option<Region> = arn.region().parse().ok();
    let mut checked = Vec::new();
    for evaluation in evaluate(resource, facts, selection) {
        let control = evaluation.control;
        let fix = match &evaluation.compliance {
            Compliance::Failed(_) => {
                selection.get(control).and_then(|one| plan(resource, &evaluation, facts, one))
            }
            _ => None,
        };
        let mut answer =
            Checked { resource: resource.id.clone(), evaluation, fix, exempt: None, notes: Vec::new() };
        if let (Some(account), Some(region)) = (&account, &region) {
            let cluster = resource.id.cluster();
            let subject = Subject {
                account,
                region,
                resource: arn,
                cluster,
                control: control.slug,
                severity: control.severity,
            };
            if policy.effective(&subject).mode.value == Mode::Off {
                continue;
            }
            match policy.exemption(&subject, now) {
                Some(ExemptionMatch::Live(exemption)) => answer.exempt = Some(exemption.to_string()),
                Some(ExemptionMatch::Expired(exemption)) => answer.notes.push(exemption.expired()),
                None => {}
            }
        }
        checked.push(answer);
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_found_where_its_document_begins() {
        let bare = r#" {"family":"a","containerDefinitions":[]}"#;
        let answers = [
            bare.to_owned(),
            format!(r#"{{"tags":[], "taskDefinition": {bare} }}"#),
            format!(r#"{{"status_code":200,"data":{{"taskDefinition":{bare}}}}}"#),
            r#"{"services":[ {"serviceName":"a"}, {"serviceName":"b"}],"clusters":[{"clusterName":"c"}]}"#
                .to_owned(),
            r#"{"services":[ {"serviceName":"a", "taskSets": [ {"id":"1"}, {"id":"2"}]}]}"#.to_owned(),
        ];
        for text in answers {
            let json: &RawValue = serde_json::from_str(&text).unwrap();
            let found = read(json, None).unwrap();
            assert!(!found.is_empty(), "{text}");
            for Found { resource, offset } in found {
                let rest = &json.get()[offset..];
                assert!(rest.starts_with(resource.document.text()), "{text}: {rest}");
            }
        }
    }

    #[test]
    fn task_sets_are_found_in_the_services_that_they_are_described_with() {
        let set = r#"{"taskSetArn":"arn:aws:ecs:eu-west-1:1:task-set/c/s/ecs-svc/1"}"#;
        let service = format!(r#"{{"serviceName":"s","taskSets":[{set},null,"x"]}}"#);
        let both = [ResourceType::Service, ResourceType::TaskSet];
        let rows = [
            (format!(r#"{{"services":[{service}]}}"#), None),
            (format!(r#"{{"service":{service}}}"#), None),
            (service.clone(), None),
            (service, Some(ResourceType::Service)),
        ];
        for (text, forced) in rows {
            let json: &RawValue = serde_json::from_str(&text).unwrap();
            let kinds: Vec<_> = read(json, forced).unwrap().iter().map(|one| one.resource.id.kind).collect();
            assert_eq!(kinds, both, "{text}");
        }
        let text = format!(r#"{{"clusters":[{{"clusterName":"c","taskSets":[{set}]}}]}}"#);
        let json: &RawValue = serde_json::from_str(&text).unwrap();
        assert_eq!(read(json, None).unwrap().len(), 1, "only services have them");
    }

    #[test]
    fn answers_objects_and_inputs_are_told_apart() {
        let rows = [
            (r#"{"taskDefinition":{"family":"a","containerDefinitions":[]},"tags":[]}"#, Ok(1)),
            (r#"{"family":"a","containerDefinitions":[]}"#, Ok(1)),
            (r#"{"family":"no name of ARNs","containerDefinitions":[]}"#, Ok(1)),
            (
                r#"{"status_code":200,"data":{"clusters":[{"clusterArn":"arn:aws:ecs:eu-west-1:1:cluster/a"}]}}"#,
                Ok(1),
            ),
            (r#"{"taskArns":[]}"#, Ok(0)),
            (r#"{"Subnets":[{"SubnetId":"subnet-1"}]}"#, Ok(0)),
            (r#"{"x":{"taskArns":[]},"name":"a"}"#, Err(DocumentError::NoKnownShape)),
            (r#"{"services":[],"failures":[]}"#, Ok(0)),
            (r#"{"services":[],"failures":[{"reason":"MISSING"}]}"#, Err(DocumentError::NothingFound)),
            (r#"{"clusters":["arn:aws:ecs:eu-west-1:1:cluster/a"]}"#, Err(DocumentError::NothingFound)),
            (r#"{"services":"oops"}"#, Err(DocumentError::NoKnownShape)),
            (r#"{"taskDefinition":"mine:3","count":1}"#, Err(DocumentError::NoKnownShape)),
            (r#"{"cluster":"c","serviceName":"s","taskDefinition":"mine"}"#, Ok(1)),
            (
                r#"{"capacityProviders":[{"capacityProviderArn":"arn:aws:ecs:eu-west-1:1:capacity-provider/a"}]}"#,
                Ok(1),
            ),
            (r#"{"capacityProviders":[],"failures":[]}"#, Ok(0)),
            (r#"{"capacityProviders":["FARGATE"]}"#, Err(DocumentError::NothingFound)),
            (r#"{"capacityProvider":{"name":"a","status":"ACTIVE"}}"#, Ok(1)),
            (r#"{"name":"a","autoScalingGroupProvider":{"autoScalingGroupArn":"arn:x"}}"#, Ok(1)),
            (r#"{"settings":[{"name":"a","value":"b","principalArn":"arn:aws:iam::1:root"}]}"#, Ok(1)),
            (r#"{"setting":{"name":"a","value":"b","principalArn":"arn:aws:iam::1:user/x"}}"#, Ok(1)),
            (r#"{"name":"a","value":"b","principalArn":"arn:aws:iam::1:root"}"#, Ok(1)),
            (r#"{"settings":[]}"#, Ok(0)),
            (
                r#"{"settings":[{"name":"containerInsights","value":"disabled"}]}"#,
                Err(DocumentError::NoKnownShape),
            ),
            // Neither is a list of something else: a cluster's own members.
            (
                r#"{"clusterArn":"arn:aws:ecs:eu-west-1:1:cluster/a","clusterName":"a","capacityProviders":["FARGATE"],
                    "settings":[{"name":"containerInsights","value":"enabled"}]}"#,
                Ok(1),
            ),
            (r#"{"cluster":"a","capacityProviders":["FARGATE"]}"#, Err(DocumentError::NoKnownShape)),
            (r#"{"name":"LOG_LEVEL","value":"info"}"#, Err(DocumentError::NoKnownShape)),
            ("[]", Err(DocumentError::NotAnObject)),
        ];
        for (text, expected) in rows {
            let json: &RawValue = serde_json::from_str(text).unwrap();
            assert_eq!(read(json, None).map(|resources| resources.len()), expected, "{text}");
        }
    }

    #[test]
    fn what_has_no_arn_is_named_by_what_it_is() {
        let rows = [
            (
                r#"{"name":"containerInsights","value":"disabled","principalArn":"arn:aws-cn:iam::111122223333:root"}"#,
                None,
                "arn:aws-cn:ecs::111122223333:account-setting/containerInsights",
            ),
            (
                r#"{"name":"containerInsights","value":"disabled","principalArn":"arn:aws:iam::111122223333:user/mary"}"#,
                None,
                "arn:aws:ecs::111122223333:account-setting/containerInsights/user/mary",
            ),
            (
                r#"{"name":"containerInsights","value":"disabled"}"#,
                Some(ResourceType::AccountSetting),
                "arn:aws:ecs:::account-setting/containerInsights",
            ),
            (
                r#"{"name":"hosts","autoScalingGroupProvider":{}}"#,
                None,
                "arn:aws:ecs:::capacity-provider/hosts",
            ),
        ];
        for (text, forced, arn) in rows {
            let json: &RawValue = serde_json::from_str(text).unwrap();
            assert_eq!(read(json, forced).unwrap()[0].resource.id.arn.as_str(), arn);
        }
    }

    #[test]
    fn what_is_still_to_be_made_is_shown_whole() {
        let whole = |text: &str| {
            let json: &RawValue = serde_json::from_str(text).unwrap();
            let resource = read(json, None).unwrap().remove(0).resource;
            (resource.whole, resource.tags)
        };
        let none = Field::Known(Vec::new());
        assert_eq!(whole(r#"{"family":"a","containerDefinitions":[]}"#), (true, none));
        let own = Field::Known(vec!["owner".to_owned()]);
        assert_eq!(
            whole(r#"{"family":"a","containerDefinitions":[],"tags":[{"key":"owner","value":"x"}]}"#),
            (true, own)
        );
        let described = r#"{"taskDefinition":{"taskDefinitionArn":"arn:aws:ecs:eu-west-1:1:task-definition/a:1",
            "family":"a","containerDefinitions":[]}}"#;
        assert_eq!(whole(described), (false, Field::Absent));
    }

    #[test]
    fn a_service_is_of_the_kind_that_its_members_are() {
        let rows = [
            (r#"{"service":{"serviceName":"a","status":"ACTIVE"}}"#, ResourceType::Service),
            (r#"{"services":[{"serviceName":"a"}]}"#, ResourceType::Service),
            (r#"{"serviceName":"a","status":"ACTIVE","taskDefinition":"a:1"}"#, ResourceType::Service),
            (r#"{"service":{"activeConfigurations":[]}}"#, ResourceType::ExpressGatewayService),
            (r#"{"service":{"targetConfiguration":{}}}"#, ResourceType::ExpressGatewayService),
            (r#"{"service":{"status":{"statusCode":"DRAINING"}}}"#, ResourceType::ExpressGatewayService),
            (r#"{"serviceName":"a","infrastructureRoleArn":"r"}"#, ResourceType::ExpressGatewayService),
        ];
        for (text, kind) in rows {
            let json: &RawValue = serde_json::from_str(text).unwrap();
            assert_eq!(read(json, None).unwrap()[0].resource.id.kind, kind, "{text}");
        }
    }
}
