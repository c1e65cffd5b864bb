//! Containers have no variables in plain text at all.
//!
//! Every container with a list of variables that is not empty fails, whatever they hold. `secrets` and
//! `environmentFiles` are other lists. Stricter than most want, hence judged only where the policy asks for it.

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Place, Practice, Ratchet, Rule, Severity, Violation,
    every_container, no_fix,
};
use crate::document::Field;
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::TaskDefinition;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-no-inline-environment",
    title: "Containers have no variables in plain text",
    severity: Severity::Low,
    standards: &[],
    practice: Some(Practice::LeastPrivilege),
    rationale: "What is configured in the definition is read by all who may describe it, and one day somebody puts a secret \
                there. Where everything comes from Parameter Store or Secrets Manager, each value has its own rights and its \
                own history.",
    template: "Secrets: [{Name, ValueFrom}] in the place of Environment in AWS::ECS::TaskDefinition; Terraform: \"secrets\" in \
               container_definitions",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: true,
    parameters: &[],
    // Where the values should come from is for people to say.
    rule: Rule::TaskDefinition(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    every_container(task, |container, at| {
        let path = format!("{at}/environment");
        match task.variables(container) {
            Field::Absent | Field::Known([]) => Place::Fine,
            Field::Known([_]) => Place::Violates(Violation::new(path, "1 variable", "none")),
            Field::Known(some) => {
                Place::Violates(Violation::new(path, format!("{} variables", some.len()), "none"))
            }
            Field::Hidden => Place::Hidden(path),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::table::Expect::{Failed, Passed, Unknown};
    use crate::controls::table::{check, task};

    #[test]
    fn table() {
        let with = |environment: Value| task(&[json!({"name": "web", "environment": environment})]);
        let path = &["/containerDefinitions/0/environment"];
        let mut registered = task(&[json!({"name": "web"})]);
        registered["taskDefinitionArn"] =
            json!("arn:aws:ecs:eu-west-1:111122223333:task-definition/checkout:7");
        check(
            &CONTROL,
            &[
                ("one", with(json!([{"name": "LOG_LEVEL", "value": "info"}])), Failed(path)),
                ("two", with(json!([{"name": "A", "value": "1"}, {"name": "B", "value": ""}])), Failed(path)),
                ("none", with(json!([])), Passed),
                ("null", with(Value::Null), Passed),
                ("absent before it is registered", task(&[json!({"name": "web"})]), Passed),
                ("absent of what ECS registered", registered, Unknown),
                ("redacted", with(json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
                (
                    "secrets and files are other lists",
                    task(&[json!({"name": "web", "secrets": [{"name": "A", "valueFrom": "x"}],
                        "environmentFiles": [{"value": "arn:aws:s3:::b/a.env", "type": "s3"}]})]),
                    Passed,
                ),
                (
                    "a sidecar",
                    task(&[
                        json!({"name": "a"}),
                        json!({"name": "b", "essential": false, "environment": [{"name": "A", "value": "1"}]}),
                    ]),
                    Failed(&["/containerDefinitions/1/environment"]),
                ),
            ],
        );
    }
}
