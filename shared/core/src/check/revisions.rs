//! Which task definition is meant by a name: the inputs of services name families, not ARNs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::document::Document;
use crate::ids::Arn;
use crate::resource::{Body, Resource, ResourceType};
use crate::text::shown;

/// The task definitions among the documents.
#[derive(Debug, Clone, Default)]
pub struct Revisions {
    /// By what follows the account, such as `task-definition/web:7`. An input has no number yet: it becomes the next.
    named: BTreeMap<String, BTreeSet<Arn>>,
    /// How many inputs there are of a family.
    inputs: BTreeMap<Arn, usize>,
}

impl Revisions {
    /// Those of all documents.
    pub fn of<'a>(resources: impl Iterator<Item = &'a Resource>) -> Self {
        let mut revisions = Self::default();
        for resource in resources.filter(|one| one.id.kind == ResourceType::TaskDefinition) {
            let arn = &resource.id.arn;
            revisions.named.entry(arn.resource().to_owned()).or_default().insert(arn.clone());
            *revisions.inputs.entry(arn.clone()).or_default() += usize::from(resource.whole);
        }
        revisions
    }

    /// Whether an ARN says which document is meant: several inputs of one family have the same.
    pub fn is_one(&self, arn: &Arn) -> bool {
        self.inputs.get(arn).is_some_and(|inputs| *inputs < 2)
    }

    /// A resource whose input names its task definition, with that one's ARN in the place of the name; none where there
    /// is no such name. Beside it, what keeps it from being known which document is meant.
    pub fn join(&self, resource: &Resource) -> Option<(Resource, Option<String>)> {
        let name = match &resource.body {
            Body::Service(service) => service.task_definition.text(),
            Body::TaskSet(set) => set.task_definition.text(),
            _ => None,
        };
        let name = name.filter(|name| name.parse::<Arn>().is_err())?;
        let (arn, note) = self.find(&resource.id.arn, name)?;
        let mut value = resource.document.value()?;
        *value.get_mut("taskDefinition")? = Value::String(arn.to_string());
        let joined = Resource::read(resource.id.clone(), Document::from_value(&value))?;
        let (tags, whole) = (resource.tags.clone(), resource.whole);
        Some((Resource { tags, whole, ..joined }, note))
    }

    fn find(&self, place: &Arn, name: &str) -> Option<(Arn, Option<String>)> {
        let resource = format!("task-definition/{name}");
        let (partition, region, account) = (place.partition(), place.region(), place.account());
        let there: Arn = format!("arn:{partition}:ecs:{region}:{account}:{resource}").parse().ok()?;
        let (family, number) =
            name.split_once(':').map_or((name, None), |(family, number)| (family, Some(number)));
        let family = shown(family);
        let may_be = |arn: &&Arn| {
            let same = |one: &str, other: &str| one == other || one.is_empty() || other.is_empty();
            same(arn.account(), account) && same(arn.region(), region)
        };
        let candidates: Vec<&Arn> = self.named.get(&resource).into_iter().flatten().filter(may_be).collect();
        if let [only] = candidates.as_slice() {
            if self.is_one(only) {
                return Some(((*only).clone(), None));
            }
            let count = self.inputs.get(only).copied().unwrap_or_default();
            return Some((
                there,
                Some(format!(
                    "which of the {count} inputs of family {family} it runs cannot be told: check it beside one of them"
                )),
            ));
        }
        let several = || {
            format!(
                "which {resource} it runs cannot be told, since {} documents are called so: give --account and --region",
                candidates.len()
            )
        };
        let inputs = || {
            let input = self.named.get(&format!("task-definition/{}", name.split_once(':')?.0))?;
            input.iter().any(|arn| may_be(&arn)).then(|| format!(
                "the input of family {family} beside it becomes the next revision, which need not be {}: name the family alone where that is meant",
                shown(number.unwrap_or_default())
            ))
        };
        Some((there, if candidates.is_empty() { inputs() } else { Some(several()) }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::check::{Home, read};

    fn resource(text: &str) -> Resource {
        let json: &RawValue = serde_json::from_str(text).unwrap();
        read(json, None, &Home::default()).unwrap().remove(0).resource
    }

    #[test]
    fn an_input_is_joined_where_it_is_certain_which_revision_is_meant() {
        let input = r#"{"family":"web","containerDefinitions":[]}"#;
        let described = |account: &str| {
            format!(
                r#"{{"taskDefinitionArn":"arn:aws:ecs:eu-west-1:{account}:task-definition/web:7","family":"web","containerDefinitions":[]}}"#
            )
        };
        let (one, other) = (described("111122223333"), described("444455556666"));
        let rows: [(&str, &[&str], &str, &str); 7] = [
            ("web", &[input], "arn:aws:ecs:::task-definition/web", ""),
            ("web", &[input, &one], "arn:aws:ecs:::task-definition/web", ""),
            (
                "web",
                &[input, input],
                "arn:aws:ecs:::task-definition/web",
                "which of the 2 inputs of family web",
            ),
            ("web", &[], "arn:aws:ecs:::task-definition/web", ""),
            ("web:7", &[input], "arn:aws:ecs:::task-definition/web:7", "the input of family web beside it"),
            ("web:7", &[input, &one], "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:7", ""),
            ("web:7", &[&one, &other], "arn:aws:ecs:::task-definition/web:7", "2 documents are called so"),
        ];
        for (name, beside, arn, note) in rows {
            let documents: Vec<Resource> = beside.iter().map(|text| resource(text)).collect();
            let service = resource(&format!(r#"{{"serviceName":"web","taskDefinition":"{name}"}}"#));
            let (joined, said) = Revisions::of(documents.iter()).join(&service).unwrap();
            let Body::Service(body) = &joined.body else { panic!("{name}") };
            assert_eq!(body.revision().unwrap().arn.as_str(), arn, "{name} {beside:?}");
            let said = said.unwrap_or_default();
            assert!(said.contains(note) && said.is_empty() == note.is_empty(), "{name} {beside:?}: {said}");
            assert!(joined.whole && joined.tags == service.tags);
        }
        let two = Revisions::of([resource(input), resource(input)].iter());
        assert!(!two.is_one(&"arn:aws:ecs:::task-definition/web".parse().unwrap()));
        let described = resource(&format!(
            r#"{{"serviceName":"web","taskDefinition":"{}"}}"#,
            "arn:aws:ecs:eu-west-1:1:task-definition/a:1"
        ));
        assert!(two.join(&described).is_none(), "an ARN is nobody else's");
    }
}
