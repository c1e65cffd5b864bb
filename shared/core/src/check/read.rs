//! What a document holds: an answer of ECS, one of its objects, or the input of a call, told apart by their members.

use serde_json::value::RawValue;

use super::error::DocumentError;
use super::input::{Home, one};
use super::shape::{Shape, bare, nothing_to_judge};
use crate::document::{Document, Field};
use crate::event::identify;
use crate::facts::Facts;
use crate::resource::{ExpressGatewayService, Resource, ResourceType, Service};
use crate::text::offset_of;

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
