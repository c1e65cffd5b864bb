//! Why a document is not one that can be checked, and what it is instead, where that can be told.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

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
    /// An event, of CloudTrail or EventBridge.
    #[error("an event: use `shipshape replay`")]
    Event,
    /// What `terraform show -json` prints.
    #[error(
        "a plan or state of Terraform: README shows under \"In CI\" how tasks.jq takes the task definitions out"
    )]
    Terraform,
    /// A template.
    #[error("a template of CloudFormation: templates are not read yet")]
    Template,
    /// A task definition whose containers are called otherwise.
    #[error("`{0}` is no member of a task definition: write `containerDefinitions`")]
    Miscased(String),
    /// A task definition without containers.
    #[error(
        "a task definition whose `containerDefinitions` is missing or null: it is the list of containers"
    )]
    NoContainers,
    /// An object of no known shape, with members that documents of ECS have.
    #[error("{NO_KNOWN_SHAPE}")]
    NoKnownShape,
    /// An object that is surely not a document of ECS.
    #[error("{NO_KNOWN_SHAPE}")]
    Unrelated,
}

/// What is wanted instead.
const NO_KNOWN_SHAPE: &str = "no known shape: wanted what `describe-*` prints, or the input of \
     register-task-definition, create-service, update-service or create-capacity-provider";

impl DocumentError {
    /// Whether it is surely something else than what the caller is about, such as a `package.json`.
    pub fn is_unrelated(&self) -> bool {
        matches!(self, Self::NotAnObject | Self::Unrelated)
    }

    /// What an object of no known shape is.
    pub(super) fn of(json: &RawValue) -> Self {
        let Ok(members) = serde_json::from_str::<Members<'_>>(json.get()) else { return Self::NoKnownShape };
        let has = |name: &str| members.contains_key(name);
        let types = || {
            let resources = members.get("Resources").map(|json| json.get());
            resources.and_then(|json| serde_json::from_str::<BTreeMap<Cow<'_, str>, Typed<'_>>>(json).ok())
        };
        let plain = |name: &str| name.replace(['_', '-'], "").to_ascii_lowercase();
        if has("detail-type") || (has("eventName") && (has("eventSource") || has("eventVersion"))) {
            Self::Event
        } else if has("terraform_version") || has("planned_values") {
            Self::Terraform
        } else if has("AWSTemplateFormatVersion")
            || types().is_some_and(|types| types.values().any(|one| one.kind.starts_with("AWS::")))
        {
            Self::Template
        } else if let Some(name) = members
            .keys()
            .find(|name| plain(name) == "containerdefinitions" && *name != "containerDefinitions")
        {
            Self::Miscased(name.clone().into_owned())
        } else if has("containerDefinitions") || has("family") {
            Self::NoContainers
        } else if members.keys().any(|name| OURS.iter().any(|ours| plain(name).starts_with(ours))) {
            Self::NoKnownShape
        } else {
            Self::Unrelated
        }
    }
}

type Members<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(rename = "Type", borrow)]
    kind: Cow<'a, str>,
}

/// How the names begin of members that documents of ECS have, and hardly any others.
const OURS: [&str; 9] = [
    "aws",
    "capacityprovider",
    "cluster",
    "container",
    "failures",
    "launchtype",
    "networkconfiguration",
    "service",
    "task",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Home, read};

    #[test]
    fn what_is_no_document_is_told_what_it_is_in_one_short_sentence() {
        let rows = [
            (
                r#"{"eventVersion":"1.11","eventName":"RunTask","eventSource":"ecs.amazonaws.com"}"#,
                "an event: use `shipshape replay`",
            ),
            (r#"{"version":"0","detail-type":"ECS Task State Change","detail":{}}"#, "an event: use"),
            (r#"{"family":"a","containerDefinitions":null}"#, "missing or null"),
            (r#"{"family":"a"}"#, "missing or null"),
            (r#"{"family":"a","ContainerDefinitions":[]}"#, "`ContainerDefinitions` is no member"),
            (r#"{"family":"a","containerdefinitions":[]}"#, "write `containerDefinitions`"),
            (r#"{"family":"a","container_definitions":"[]"}"#, "write `containerDefinitions`"),
            (r#"{"format_version":"1.2","terraform_version":"1.9.0","planned_values":{}}"#, "tasks.jq"),
            (r#"{"AWSTemplateFormatVersion":"2010-09-09","Resources":{}}"#, "templates are not read yet"),
            (r#"{"Resources":{"Task":{"Type":"AWS::ECS::TaskDefinition"}}}"#, "templates are not read yet"),
            (r#"{"Resources":{"Task":{"Type":7}}}"#, "no known shape"),
            (r#"{"services":"oops"}"#, "no known shape"),
            (r#"{"name":"web","version":"1.0.0","dependencies":{}}"#, "no known shape"),
        ];
        for (text, expected) in rows {
            let json: &RawValue = serde_json::from_str(text).unwrap();
            let said = read(json, None, &Home::default()).unwrap_err().to_string();
            assert!(said.contains(expected) && said.chars().count() <= 160, "{text}: {said}");
        }
    }

    #[test]
    fn only_what_surely_is_something_else_is_unrelated() {
        let unrelated = |text: &str| {
            let json: &RawValue = serde_json::from_str(text).unwrap();
            read(json, None, &Home::default()).unwrap_err().is_unrelated()
        };
        for text in [r#"{"name":"web","version":"1.0.0","dependencies":{}}"#, "[]", r#""text""#, "{}"] {
            assert!(unrelated(text), "{text}");
        }
        for text in [
            r#"{"taskDefinition":"mine:3","count":1}"#,
            r#"{"services":"oops"}"#,
            r#"{"family":"a"}"#,
            r#"{"detail-type":"x"}"#,
        ] {
            assert!(!unrelated(text), "{text}");
        }
    }
}
