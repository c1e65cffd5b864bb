//! ECS.8: no variable is called like a credential of AWS.
//!
//! Three names, exactly as AWS's programs read them: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
//! `ECS_ENGINE_AUTH_DATA`. The value does not matter. Entries of `secrets` may be called so: their values are elsewhere.
//! Says nothing of other names (`ecs-no-plaintext-secrets-env` does), nor of what a launch sets
//! (`ecs-run-task-override-secrets` does).

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Place, Practice, Ratchet, Rule, Severity, Violation,
    every, no_fix,
};
use crate::document::Field;
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::TaskDefinition;
use crate::resource::task_definition::Variable;
use crate::secrets::AWS_CREDENTIALS;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-no-aws-credentials-env",
    title: "No variable is called like a credential of AWS",
    severity: Severity::High,
    standards: &["ECS.8", "PCI DSS v4.0.1/8.6.2", "NIST CA-9(1)", "NIST CM-2"],
    practice: Some(Practice::LeastPrivilege),
    rationale: "A key in a variable is read by everybody who may describe the task definition, in every revision that ever \
                had it, and it works until somebody makes it invalid: a new revision does not take it back, only a new key \
                does.",
    template: "TaskRoleArn in AWS::ECS::TaskDefinition in the place of keys, or Secrets: [{Name, ValueFrom}]; Terraform: \
               task_role_arn, or \"secrets\" in container_definitions; then make the old key invalid",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-8",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: false,
    parameters: &[],
    rule: Rule::TaskDefinition(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    let containers = task.container_definitions.items().iter().enumerate();
    every(containers.flat_map(|(index, container)| {
        let at = format!("/containerDefinitions/{index}/environment");
        match task.variables(container) {
            Field::Absent => Vec::new(),
            Field::Hidden => vec![Place::Hidden(at)],
            Field::Known(variables) => variables.iter().enumerate().map(|one| credential(one, &at)).collect(),
        }
    }))
}

/// What a variable's name says; its value is nobody's business.
pub(super) fn credential((index, variable): (usize, &Variable), at: &str) -> Place {
    let path = format!("{at}/{index}/name");
    match &variable.name {
        Field::Known(name) if AWS_CREDENTIALS.contains(&name.as_str()) => {
            Place::Violates(Violation::new(path, name.as_str(), "a task role, or an entry of secrets"))
        }
        Field::Known(_) | Field::Absent => Place::Fine,
        Field::Hidden => Place::Hidden(path),
    }
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
        let named =
            |name: &str| with(json!([{"name": "LOG_LEVEL", "value": "info"}, {"name": name, "value": "x"}]));
        let path = &["/containerDefinitions/0/environment/1/name"];
        let mut registered = task(&[json!({"name": "web"})]);
        registered["taskDefinitionArn"] =
            json!("arn:aws:ecs:eu-west-1:111122223333:task-definition/checkout:7");
        check(
            &CONTROL,
            &[
                ("a key's id", named("AWS_ACCESS_KEY_ID"), Failed(path)),
                ("a key", named("AWS_SECRET_ACCESS_KEY"), Failed(path)),
                ("a registry's password", named("ECS_ENGINE_AUTH_DATA"), Failed(path)),
                ("case matters", named("aws_access_key_id"), Passed),
                ("a longer name", named("MY_AWS_ACCESS_KEY_ID"), Passed),
                ("a session's token is not among the three", named("AWS_SESSION_TOKEN"), Passed),
                (
                    "no value",
                    with(json!([{"name": "AWS_ACCESS_KEY_ID"}])),
                    Failed(&["/containerDefinitions/0/environment/0/name"]),
                ),
                (
                    "both keys",
                    with(json!([{"name": "AWS_ACCESS_KEY_ID"}, {"name": "AWS_SECRET_ACCESS_KEY"}])),
                    Failed(&[
                        "/containerDefinitions/0/environment/0/name",
                        "/containerDefinitions/0/environment/1/name",
                    ]),
                ),
                (
                    "as secrets",
                    task(&[
                        json!({"name": "web", "environment": [], "secrets": [{"name": "AWS_SECRET_ACCESS_KEY", "valueFrom": "x"}]}),
                    ]),
                    Passed,
                ),
                (
                    "without any list of secrets, in a sidecar",
                    task(&[
                        json!({"name": "web"}),
                        json!({"name": "b", "essential": false, "environment": [{"name": "AWS_ACCESS_KEY_ID", "value": "x"}]}),
                    ]),
                    Failed(&["/containerDefinitions/1/environment/0/name"]),
                ),
                ("none", with(json!([])), Passed),
                ("absent before it is registered", task(&[json!({"name": "web"})]), Passed),
                ("absent of what ECS registered", registered, Unknown),
                ("redacted", with(json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
                ("cut off", with(json!({"omitted": "true"})), Unknown),
                ("a name that is redacted", named("HIDDEN_DUE_TO_SECURITY_REASONS"), Unknown),
                (
                    "a value that is redacted",
                    with(json!([{"name": "LOG_LEVEL", "value": "HIDDEN_DUE_TO_SECURITY_REASONS"}])),
                    Passed,
                ),
            ],
        );
    }
}
