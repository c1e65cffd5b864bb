//! ECS.15: a revision of a task definition has tags.
//!
//! Tags belong to one revision, and AWS prints them beside the document, where they are asked for: a revision without a
//! word of them is unknown, not untagged. Keys that begin with `aws:` are AWS's own and do not count. A service answers
//! for the revision that it runs. Opt-in: which tags an account wants is its own business, Security Hub keeps
//! such controls in a standard apart, and an update shows no tags, so that every one of them would have to be asked for.

use crate::control::{Compliance, Context, Control, Functions, Ratchet, Rule, Severity, tags};
use crate::preflight;
use crate::remediation::{Action, Fix, Safety};
use crate::resource::TaskDefinition;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-taskdef-tagged",
    title: "Task definitions have tags",
    severity: Severity::Low,
    standards: &["ECS.15"],
    practice: None,
    rationale: "A tag says whose it is: whom to ask before it is mended, and whom it costs.",
    template: "Tags in AWS::ECS::TaskDefinition; Terraform: tags in aws_ecs_task_definition, or default_tags of the \
               provider",
    prevention: "deny ecs:RegisterTaskDefinition with the condition Null aws:RequestTag/owner = true in an SCP, with \
                 your own key",
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-15",
    safety: Safety::Manual,
    call: Some(Action::TagResource),
    ratchet: Ratchet::Code,
    preflight: tags::PROVES,
    opt_in: true,
    parameters: tags::PARAMETERS,
    rule: Rule::TaskDefinition(Functions { check, fix, preflight: preflight::nothing }),
};

fn check(_: &TaskDefinition, context: &Context<'_>) -> Compliance {
    tags::check(context)
}

/// Safe where the policy gives the values: the revision itself is tagged, no other is registered, and nothing rolls.
fn fix(_: &TaskDefinition, context: &Context<'_>) -> Option<Fix> {
    tags::fix(context)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::table::Expect::{Failed, Passed, Unknown};
    use crate::controls::table::{check, check_with, judge, resource, task};
    use crate::document::Field;
    use crate::facts::Facts;
    use crate::remediation::{plan, simulate};
    use crate::resource::ResourceType;
    use crate::selection::{Parameters, Selected};

    fn set(required: &[&str], values: &[&str]) -> Parameters {
        Parameters::new([
            ("required".to_owned(), toml::Value::from(required.to_vec())),
            ("values".to_owned(), toml::Value::from(values.to_vec())),
        ])
    }

    fn with(tags: Value) -> Value {
        let mut definition = task(&[json!({"name": "web"})]);
        definition["tags"] = tags;
        definition
    }

    fn key(key: &str) -> Value {
        json!([{"key": key, "value": "SHIPSHAPE_CANARY_tag"}])
    }

    #[test]
    fn table() {
        let hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";
        check(
            &CONTROL,
            &[
                ("one", with(key("team")), Passed),
                ("none", with(json!([])), Failed(&["/tags"])),
                ("AWS's own", with(key("aws:cloudformation:stack-name")), Failed(&["/tags"])),
                ("not asked for", with(Value::Null), Unknown),
                ("redacted", with(json!(hidden)), Unknown),
            ],
        );
        let rows = [
            ("the key", with(key("owner")), Passed),
            ("another key", with(key("team")), Failed(&["/tags"])),
            ("another case", with(key("Owner")), Failed(&["/tags"])),
            ("none", with(json!([])), Failed(&["/tags"])),
            ("not asked for", with(Value::Null), Unknown),
        ];
        for values in [&[][..], &["owner=unknown"], &["team=unknown"], &["owner"]] {
            check_with(&CONTROL, &set(&["owner"], values), &rows);
        }
        // Any tag will do, and the policy names one.
        check_with(&CONTROL, &set(&[], &["owner=unknown"]), &[("none", with(json!([])), Failed(&["/tags"]))]);
    }

    #[test]
    fn the_policys_values_cover_what_is_missing_or_nothing_is_written() {
        let planned = |document: &Value, parameters: Parameters| {
            let resource = resource(ResourceType::TaskDefinition, document);
            let evaluation = judge(&CONTROL, &resource, parameters.clone());
            plan(&resource, &evaluation, &Facts::default(), &Selected { control: &CONTROL, parameters })
        };
        let written = |fix: Option<Fix>| serde_json::to_value(fix.unwrap().patch).unwrap();
        assert_eq!(planned(&with(json!([])), Parameters::default()), None);
        assert_eq!(planned(&with(json!([])), set(&["owner", "team"], &["owner=a"])), None);
        assert_eq!(planned(&with(json!([])), set(&[], &["=a", "owner"])), None);
        let fix = planned(&with(key("team")), set(&["owner", "team"], &["owner=a=b", "team=c", "cost=d"]));
        assert_eq!(
            fix.as_ref().map(|fix| (fix.safety, fix.call)),
            Some((Safety::Safe, Some(Action::TagResource)))
        );
        assert_eq!(
            written(fix),
            json!([{"op": "add", "path": "/tags/-", "value": {"key": "owner", "value": "a=b"}}])
        );
    }

    #[test]
    fn tags_beside_the_document_are_kept_and_added_to() {
        let beside = Field::Known(vec!["team".to_owned()]);
        let resource =
            resource(ResourceType::TaskDefinition, &task(&[json!({"name": "web"})])).with_tags_beside(beside);
        let parameters = set(&["owner"], &["owner=a"]);
        let evaluation = judge(&CONTROL, &resource, parameters.clone());
        let selected = Selected { control: &CONTROL, parameters };
        let fix = plan(&resource, &evaluation, &Facts::default(), &selected).unwrap();
        let after = simulate(&fix.patch, &resource).unwrap();
        assert_eq!(after.tags, Field::Known(vec!["owner".to_owned(), "team".to_owned()]));
    }
}
