//! Tags that the policy demands. Only keys are read and shown: a value may be anything.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Compliance, Context, Violation};
use crate::document::Field;
use crate::facts::Need;
use crate::policy::{Parameter, ParameterKind};
use crate::remediation::{Fix, PatchBuilder, Safety};
use crate::resource::{ResourceType, Tagged, keys};

const PATH: &str = "/tags";

/// What the policy may say of tags.
pub(crate) const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "required",
        kind: ParameterKind::TextList,
        about: "keys that have to be there; unset, any tag of the user's own will do",
    },
    Parameter {
        name: "values",
        kind: ParameterKind::TextList,
        about: "`key=value` for the keys that may be missing, such as \"owner=unknown\"; unset, a person has to choose",
    },
];

/// What the pre-flight proves of tags.
pub(crate) const PROVES: &str = "the policy gives the missing tags their values";

/// The keys that are somebody's own: what begins with `aws:` is AWS's.
fn own(keys: &[String]) -> Vec<&str> {
    keys.iter().map(String::as_str).filter(|key| !key.starts_with("aws:")).collect()
}

/// The keys that are demanded and not there.
fn missing<'a>(context: &Context<'a>, own: &[&str]) -> Vec<&'a str> {
    context.parameters.list("required").into_iter().filter(|key| !own.contains(key)).collect()
}

/// Whether a resource has the tags that are demanded. Tags that are not shown were not asked for.
pub(crate) fn check(context: &Context<'_>) -> Compliance {
    let Field::Known(keys) = &context.resource.tags else {
        return Compliance::Unknown(vec![Need::Member(PATH.to_owned())]);
    };
    // Clusters show an empty list where nobody asked for tags.
    if keys.is_empty() && context.resource.id.kind == ResourceType::Cluster && !context.resource.whole {
        return Compliance::Unknown(vec![Need::Member(PATH.to_owned())]);
    }
    let own = own(keys);
    let missing = missing(context, &own);
    let expected = match (own.is_empty(), missing.is_empty()) {
        (false, true) => return Compliance::Passed,
        (_, false) => json!(missing),
        (true, true) => Value::from("a tag"),
    };
    let actual = if own.is_empty() { Value::Null } else { json!(own) };
    Compliance::Failed(vec![Violation::new(PATH, actual, expected)])
}

/// Safe, where the policy says what the missing tags hold: tags change nothing that runs, and one call takes them away.
/// Tags by which somebody may do something (ABAC) are the policy's to leave out. Without values there is no fix: only
/// people know whose the resource is.
pub(crate) fn fix(context: &Context<'_>) -> Option<Fix> {
    let missing = missing(context, &own(context.resource.tags.known()?));
    let pairs = context.parameters.list("values").into_iter().filter_map(|pair| pair.split_once('='));
    let mut tags: BTreeMap<&str, &str> = pairs.filter(|(key, _)| !key.is_empty()).collect();
    if !missing.is_empty() {
        tags.retain(|key, _| missing.contains(key));
    }
    if missing.iter().any(|key| !tags.contains_key(key)) {
        return None;
    }
    if tags.is_empty() {
        return None;
    }
    let names: Vec<&str> = tags.keys().copied().collect();
    let summary = format!("add the tags {}, with the values that the policy gives", names.join(", "));
    let tags = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    // Tags of a task definition stand beside its document, and then there is no list in it.
    let list = context.resource.document.view::<Tagged>()?.tags;
    Some(Fix::new(PatchBuilder::new().append(PATH, &keys(&list), tags), Safety::Safe, summary))
}
