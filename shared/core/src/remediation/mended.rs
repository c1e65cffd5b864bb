//! Is this revision that one, mended? Its tags say so, and anyone may set tags: what counts is the difference.

use serde_json::Value;

use super::expected::plain;
use super::{plan, simulate};
use crate::control::{Compliance, Evaluation, evaluate};
use crate::facts::Facts;
use crate::finding::Fingerprint;
use crate::resource::{Resource, ResourceType};
use crate::selection::{Selected, Selection};

/// Members that ECS sets itself, which differ from revision to revision and which no registration takes (ECS API
/// reference: in `TaskDefinition`, and no parameter of RegisterTaskDefinition).
pub const SET_BY_ECS: &[&str] = &[
    "compatibilities",
    "deleteRequestedAt",
    "deregisteredAt",
    "registeredAt",
    "registeredBy",
    "requiresAttributes",
    "revision",
    "status",
    "taskDefinitionArn",
];

/// The content of a revision: what registering it again would send, and nothing that tells revisions apart.
pub fn content(document: &Value) -> Value {
    let mut content = plain(document);
    if let Some(members) = content.as_object_mut() {
        SET_BY_ECS.iter().for_each(|name| {
            members.remove(*name);
        });
        // They stand beside the document, and are no part of what runs.
        members.remove("tags");
    }
    content
}

/// The content's short hash, by which a registration whose answer was lost is found again.
pub fn content_hash(document: &Value) -> Fingerprint {
    Fingerprint::of_text(&content(document).to_string())
}

/// Whether a revision differs from another by our own fixes alone: by those of the controls that the one fails and the
/// other passes.
pub fn is_mended(source: &Resource, candidate: &Resource, facts: &Facts, selection: &Selection) -> bool {
    if source.id.kind != ResourceType::TaskDefinition || candidate.id.kind != source.id.kind {
        return false;
    }
    let fails = |selected: &Selected, resource: &Resource| -> Option<Evaluation> {
        let judged = evaluate(resource, facts, &Selection::one(selected));
        judged.into_iter().find(|one| matches!(one.compliance, Compliance::Failed(_)))
    };
    let mut mended = source.clone();
    let mut changed = false;
    for selected in selection.iter() {
        if fails(selected, candidate).is_some() {
            continue;
        }
        // Planned from the source, as they were; what another fix has mended with its own needs none.
        let Some(evaluation) = fails(selected, source) else { continue };
        if fails(selected, &mended).is_none() {
            continue;
        }
        let after =
            plan(source, &evaluation, facts, selected).and_then(|fix| simulate(&fix.patch, &mended).ok());
        let Some(after) = after else { continue };
        mended = after;
        changed = true;
    }
    let content = |resource: &Resource| resource.document.value().map(|value| content(&value));
    changed && content(&mended).is_some_and(|ours| content(candidate) == Some(ours))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::control::Severity;
    use crate::controls::table::{resource, task};
    use crate::policy::Policy;

    fn mended(change: impl Fn(&mut Value)) -> bool {
        let document = task(&[json!({"name": "web", "image": "i", "privileged": true, "environment": []})]);
        let source = resource(ResourceType::TaskDefinition, &document);
        let mut other = document;
        other["revision"] = json!(8);
        change(&mut other);
        let candidate = resource(ResourceType::TaskDefinition, &other);
        let selection = Selection::of(&Policy::notify_only(), &[], Severity::Informational);
        is_mended(&source, &candidate, &Facts::default(), &selection)
    }

    #[test]
    fn only_a_revision_that_differs_by_our_fixes_is_a_mended_one() {
        let unprivileged = |other: &mut Value| other["containerDefinitions"][0]["privileged"] = json!(false);
        let container = |other: &mut Value, name: &str, value: Value| {
            unprivileged(other);
            other["containerDefinitions"][0][name] = value;
        };
        assert!(mended(unprivileged));
        assert!(mended(|other| {
            unprivileged(other);
            other["volumes"] = json!([]);
            other["registeredAt"] = json!(1);
        }));
        assert!(mended(|other| container(other, "readonlyRootFilesystem", json!(true))));
        assert!(!mended(|_| {}));
        assert!(!mended(|other| container(other, "image", json!("evil"))));
        assert!(!mended(|other| container(other, "environment", json!([{"name": "A", "value": "b"}]))));
        assert!(!mended(|other| {
            unprivileged(other);
            other["taskRoleArn"] = json!("arn:aws:iam::111122223333:role/admin");
        }));
    }
}
