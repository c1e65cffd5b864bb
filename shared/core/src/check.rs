//! Documents judged without any event: what a template's author checks before anything is deployed.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::control::{Compliance, Evaluation, evaluate, evaluate_part};
use crate::document::{Document, Field, Present};
use crate::event::identify;
use crate::facts::{Facts, Need};
use crate::ids::{AccountId, Arn, Region};
use crate::policy::{Exemption, ExemptionMatch, Mode, Policy, Subject};
use crate::remediation::{Fix, plan};
use crate::resource::{ExpressGatewayService, Resource, ResourceId, ResourceType, Service};
use crate::selection::Selection;
use crate::text::offset_of;

mod error;
mod input;
mod revisions;

pub use error::DocumentError;
pub use input::Home;
pub use revisions::Revisions;

use input::one;

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
    external_id: Field<Present>,
    scale: Field<Present>,
    launch_type: Field<Present>,
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

    /// Whether it is the input of `update-service`. That of `create-task-set` names a service too.
    fn updates_a_service(&self) -> bool {
        self.service.known().is_some_and(|service| service.get().starts_with('"'))
            && self.service_arn.is_absent()
            && self.service_name.is_absent()
            && self.task_set_arn.is_absent()
            && [&self.external_id, &self.scale, &self.launch_type].iter().all(|member| member.is_absent())
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
    /// Whether it is the input of an update, which shows only what that changes.
    pub part: bool,
}

/// Reads the resources of a document: an answer of ECS, one of its objects, or the input of a register call. None
/// where it is an answer that holds nothing to judge. `forced` says what a bare object is.
pub fn read(json: &RawValue, forced: Option<ResourceType>, home: &Home) -> Result<Vec<Found>, DocumentError> {
    if !json.get().starts_with('{') {
        return Err(DocumentError::NotAnObject);
    }
    let within = |object: &RawValue| offset_of(object.get(), json.get()).unwrap_or_default();
    let found = |kind, object: &RawValue, tags| {
        let part = kind == ResourceType::Service && is_update(object);
        let resource = one(kind, object, tags, home, part);
        resource.map(|resource| Found { resource, offset: within(object), part })
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
    let shape: Shape<'_> = serde_json::from_str(json.get()).map_err(|_| DocumentError::of(json))?;
    if let (Some(data), Field::Known(_)) = (shape.data.known(), &shape.status_code) {
        let mut inside = read(data, forced, home)?;
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
        None => Err(DocumentError::of(json)),
    }
}

fn is_update(json: &RawValue) -> bool {
    serde_json::from_str::<Shape<'_>>(json.get()).is_ok_and(|shape| shape.updates_a_service())
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
/// Where nobody says which account and Region a document is for, what names neither holds all the same.
pub fn check(
    found: &Found,
    facts: &Facts,
    policy: &Policy,
    selection: &Selection,
    home: &Home,
    now: Timestamp,
) -> Vec<Checked> {
    let resource = &found.resource;
    let arn = &resource.id.arn;
    let account: Option<AccountId> = arn.account().parse().ok().or_else(|| home.account.clone());
    let region: Option<Region> = arn.region().parse().ok().or_else(|| home.region.clone());
    let deployed = deployed(resource);
    let mut checked = Vec::new();
    for evaluation in judged(found, facts, selection) {
        let control = evaluation.control;
        let subject = |resource| Subject {
            account: account.as_ref(),
            region: region.as_ref(),
            resource,
            cluster: found.resource.id.cluster(),
            control: control.slug,
            severity: control.severity,
        };
        if policy.effective(&subject(&deployed)).mode.value == Mode::Off {
            continue;
        }
        let fix = match &evaluation.compliance {
            Compliance::Failed(_) => {
                selection.get(control).and_then(|one| plan(resource, &evaluation, facts, one))
            }
            _ => None,
        };
        let complies = matches!(evaluation.compliance, Compliance::Passed | Compliance::NotApplicable(_));
        let mut answer =
            Checked { resource: resource.id.clone(), evaluation, fix, exempt: None, notes: Vec::new() };
        // Whoever exempts a family by its name alone means the next revision too.
        let matches = [&deployed, arn].map(|arn| policy.exemption(&subject(arn), now));
        let live = matches.iter().find(|one| matches!(one, Some(ExemptionMatch::Live(_))));
        match live.or(matches.iter().find(|one| one.is_some())) {
            Some(Some(ExemptionMatch::Live(exemption))) => answer.exempt = Some(exemption.to_string()),
            Some(Some(ExemptionMatch::Expired(exemption))) => answer.notes.push(exemption.expired()),
            _ => {}
        }
        if answer.exempt.is_none() && !complies && (account.is_none() || region.is_none()) {
            let may = |one: &&Exemption| {
                one.is_live(now) && [&deployed, arn].iter().any(|arn| one.may_cover(&subject(arn)))
            };
            let exemption = policy.exemptions().iter().rev().find(may);
            answer.notes.extend(exemption.map(|exemption| {
                format!("an exemption at {} may cover it: give --account and --region", exemption.source)
            }));
        }
        checked.push(answer);
    }
    checked
}

/// A member that an input lacks is the input's.
fn of_input(need: Need) -> Need {
    match need {
        Need::Member(path) => Need::Input(path),
        other => other,
    }
}

/// What is not made yet nobody can describe. What an update changes is judged by itself, and what it leaves alone is not known. A task definition that it names
/// is seen as a whole.
fn judged(found: &Found, facts: &Facts, selection: &Selection) -> Vec<Evaluation> {
    let mut evaluations = evaluate(&found.resource, facts, selection);
    for evaluation in &mut evaluations {
        let Compliance::Unknown(needs) = &mut evaluation.compliance else { continue };
        let revision = evaluation.found_in.as_ref().and_then(|id| facts.resource(&id.arn));
        if let Some(revision) = revision.filter(|revision| revision.whole) {
            let own = evaluate(revision, facts, &selection.only(&[evaluation.control.slug]));
            if let Some(Compliance::Unknown(own)) = own.into_iter().next().map(|one| one.compliance) {
                *needs = own.into_iter().map(of_input).collect();
            }
        } else if found.resource.whole && evaluation.found_in.is_none() {
            *needs = std::mem::take(needs).into_iter().map(of_input).collect();
        }
    }
    if found.part {
        let parts = evaluate_part(&found.resource, facts, selection);
        for (whole, part) in evaluations.iter_mut().zip(parts) {
            if whole.found_in.is_none() {
                *whole = part;
            }
        }
    }
    evaluations
}

/// The ARN as the policy will be asked about it: the next revision of a family has a number, though nobody knows which.
fn deployed(resource: &Resource) -> Arn {
    let arn = &resource.id.arn;
    let is_input = resource.id.kind == ResourceType::TaskDefinition && !arn.name().contains(':');
    let numbered = is_input.then(|| format!("{arn}:0").parse().ok()).flatten();
    numbered.unwrap_or_else(|| arn.clone())
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
            let found = read(json, None, &Home::default()).unwrap();
            assert!(!found.is_empty(), "{text}");
            for Found { resource, offset, .. } in found {
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
            let kinds: Vec<_> = read(json, forced, &Home::default())
                .unwrap()
                .iter()
                .map(|one| one.resource.id.kind)
                .collect();
            assert_eq!(kinds, both, "{text}");
        }
        let text = format!(r#"{{"clusters":[{{"clusterName":"c","taskSets":[{set}]}}]}}"#);
        let json: &RawValue = serde_json::from_str(&text).unwrap();
        assert_eq!(read(json, None, &Home::default()).unwrap().len(), 1, "only services have them");
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
            (r#"{"x":{"taskArns":[]},"name":"a"}"#, Err(DocumentError::Unrelated)),
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
                Err(DocumentError::Unrelated),
            ),
            // Neither is a list of something else: a cluster's own members.
            (
                r#"{"clusterArn":"arn:aws:ecs:eu-west-1:1:cluster/a","clusterName":"a","capacityProviders":["FARGATE"],
                    "settings":[{"name":"containerInsights","value":"enabled"}]}"#,
                Ok(1),
            ),
            (r#"{"cluster":"a","capacityProviders":["FARGATE"]}"#, Err(DocumentError::NoKnownShape)),
            (r#"{"name":"LOG_LEVEL","value":"info"}"#, Err(DocumentError::Unrelated)),
            ("[]", Err(DocumentError::NotAnObject)),
        ];
        for (text, expected) in rows {
            let json: &RawValue = serde_json::from_str(text).unwrap();
            assert_eq!(
                read(json, None, &Home::default()).map(|resources| resources.len()),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_service_that_is_still_to_be_made_is_named_by_its_cluster() {
        let home = Home {
            account: Some("111122223333".parse().unwrap()),
            region: Some("cn-north-1".parse().unwrap()),
        };
        let rows = [
            (
                r#"{"cluster":"shop","serviceName":"web"}"#,
                "arn:aws-cn:ecs:cn-north-1:111122223333:service/shop/web",
            ),
            (r#"{"serviceName":"web"}"#, "arn:aws-cn:ecs:cn-north-1:111122223333:service/default/web"),
            (
                r#"{"cluster":"arn:aws:ecs:eu-west-1:444455556666:cluster/shop","serviceName":"web"}"#,
                "arn:aws:ecs:eu-west-1:444455556666:service/shop/web",
            ),
            (
                r#"{"cluster":"shop","service":"web","taskDefinition":"web:1"}"#,
                "arn:aws-cn:ecs:cn-north-1:111122223333:service/shop/web",
            ),
        ];
        for (text, arn) in rows {
            let json: &RawValue = serde_json::from_str(text).unwrap();
            let found = read(json, None, &home).unwrap().remove(0);
            assert_eq!(found.resource.id.arn.as_str(), arn, "{text}");
            assert_eq!(
                (found.part, found.resource.whole),
                (!text.contains("serviceName"), text.contains("serviceName"))
            );
        }
        let set = r#"{"cluster":"shop","service":"web","taskDefinition":"web:1","externalId":"x"}"#;
        let json: &RawValue = serde_json::from_str(set).unwrap();
        assert!(read(json, None, &home).is_err(), "a task set's input names a service too");
    }

    /// The controls of a document that fail, are exempt, or may be, as the policy says.
    fn said(text: &str, policy: &str, home: &Home) -> Vec<String> {
        let json: &RawValue = serde_json::from_str(text).unwrap();
        let policy = Policy::parse("policy.toml", policy, &crate::selection::names()).unwrap();
        let controls: Vec<_> = ["ecs-container-not-privileged", "ecs-no-host-pid-mode"]
            .iter()
            .filter_map(|slug| crate::selection::find(slug))
            .collect();
        let selection = Selection::of(&policy, &controls, crate::control::Severity::Informational);
        let now = "2026-11-01T00:00:00Z".parse().unwrap();
        let found = read(json, None, home).unwrap();
        let checked =
            found.iter().flat_map(|one| check(one, &Facts::default(), &policy, &selection, home, now));
        let say = |one: Checked| {
            let exempt = if one.exempt.is_some() { " exempt" } else { "" };
            format!(
                "{} {}{exempt} {}",
                one.evaluation.control.slug,
                one.evaluation.compliance.status(),
                one.notes.join(" ")
            )
            .trim()
            .to_owned()
        };
        checked.map(say).collect()
    }

    #[test]
    fn a_policy_holds_for_what_is_still_to_be_deployed() {
        let text = r#"{"family":"web","containerDefinitions":[{"name":"a","image":"a","privileged":true}]}"#;
        let exemption = |resource: &str| {
            format!(
                "version = 1\n[[exemptions]]\ncontrol = \"ecs-container-not-privileged\"\nresource = \"{resource}\"\n\
                 owner = \"o\"\nreason = \"r\"\nexpires = 2030-01-31\n"
            )
        };
        let home = Home {
            account: Some("111122223333".parse().unwrap()),
            region: Some("eu-west-1".parse().unwrap()),
        };
        let exact = exemption("arn:aws:ecs:eu-west-1:111122223333:task-definition/web:*");
        let (failed, passed) = ("ecs-container-not-privileged failed", "ecs-no-host-pid-mode passed");
        let exempt = "ecs-container-not-privileged failed exempt";
        let may = format!("{failed} an exemption at policy.toml:2 may cover it: give --account and --region");
        let none = Home::default();
        let rows = [
            (exemption("*"), &none, vec![exempt, passed]),
            (exemption("arn:aws:ecs:*:*:task-definition/web*"), &none, vec![exempt, passed]),
            (exemption("arn:aws:ecs:*:*:task-definition/web:*"), &none, vec![exempt, passed]),
            (exemption("arn:aws:ecs:*:*:task-definition/web"), &none, vec![exempt, passed]),
            (exemption("arn:aws:ecs:*:*:task-definition/api*"), &none, vec![failed, passed]),
            (exact.clone(), &none, vec![may.as_str(), passed]),
            (exact, &home, vec![exempt, passed]),
            ("version = 1\nmode = \"off\"\n".to_owned(), &none, vec![]),
            (
                "version = 1\n[[rules]]\ncontrols = [\"ecs-no-host-*\"]\nmode = \"off\"\n".to_owned(),
                &none,
                vec![failed],
            ),
            (
                "version = 1\n[accounts.111122223333]\nmode = \"off\"\n".to_owned(),
                &none,
                vec![failed, passed],
            ),
            ("version = 1\n[accounts.111122223333]\nmode = \"off\"\n".to_owned(), &home, vec![]),
            (
                "version = 1\n[[rules]]\nregions = [\"eu-west-1\"]\nmode = \"off\"\n".to_owned(),
                &none,
                vec![failed, passed],
            ),
        ];
        for (policy, home, expected) in rows {
            assert_eq!(said(text, &policy, home), expected, "{policy}");
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
            assert_eq!(read(json, forced, &Home::default()).unwrap()[0].resource.id.arn.as_str(), arn);
        }
    }

    #[test]
    fn what_is_still_to_be_made_is_shown_whole() {
        let whole = |text: &str| {
            let json: &RawValue = serde_json::from_str(text).unwrap();
            let resource = read(json, None, &Home::default()).unwrap().remove(0).resource;
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
            assert_eq!(read(json, None, &Home::default()).unwrap()[0].resource.id.kind, kind, "{text}");
        }
    }
}
