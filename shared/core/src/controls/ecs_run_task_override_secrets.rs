//! A launch hands no secret to its containers in plain text.
//!
//! RunTask and StartTask can set variables and commands in the place of the definition's, and what they set is kept with
//! the task and in CloudTrail's logs. Judged as in a task definition: the three names of ECS.8
//! (`ecs-no-aws-credentials-env`), and what looks like a secret, or is called like one
//! (`ecs-no-plaintext-secrets-env`). A launch that overrides nothing passes; what the definition itself says is those
//! controls'.

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Place, Practice, Ratchet, Rule, Severity, every, no_fix,
};
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::Launch;
use crate::secrets::handed_texts;

use super::ecs_no_aws_credentials_env::credential;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-run-task-override-secrets",
    title: "Launches hand no secret to containers in plain text",
    severity: Severity::Critical,
    standards: &["CWE-798"],
    practice: Some(Practice::LeastPrivilege),
    rationale: "What a launch overrides is read by everybody who may describe tasks, and stays in CloudTrail's logs for years. \
                A secret that was handed over so is known, and has to be changed.",
    template: "name the secret in Secrets of AWS::ECS::TaskDefinition, and override nothing; where every launch has its own, \
               hand over the ARN and let the program read it by its task role; then change the secret",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerOverride.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: false,
    parameters: &[],
    // It has been handed over: whoever starts the task has to do it in another way, and the secret has to be changed.
    rule: Rule::Launch(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

/// A variable that fails by its name is told once. What can't be read is said by the texts' own places.
fn check(launch: &Launch, context: &Context<'_>) -> Compliance {
    let containers =
        launch.overrides.known().map_or(&[][..], |overrides| overrides.container_overrides.items());
    let names: Vec<Place> = containers
        .iter()
        .enumerate()
        .flat_map(|(index, container)| {
            let at = format!("/overrides/containerOverrides/{index}/environment");
            container.environment.items().iter().enumerate().map(move |one| credential(one, &at))
        })
        .collect();
    let told = |path: &str| {
        names.iter().any(|name| matches!(name, Place::Violates(one) if one.path == format!("{path}/name")))
    };
    let mut texts = handed_texts(&context.resource.document);
    texts.retain(|text| !matches!(text, Place::Violates(one) if told(&one.path)));
    every(names.into_iter().chain(texts))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::table::Expect::{Failed, Passed, Unknown};
    use crate::controls::table::{check, judge, resource};
    use crate::resource::ResourceType;
    use crate::selection::Parameters;

    fn with(overrides: Value) -> Value {
        json!({"cluster": "shop", "taskDefinition": "migrate:2", "overrides": overrides})
    }

    fn one(container: Value) -> Value {
        with(json!({"containerOverrides": [container]}))
    }

    #[test]
    fn table() {
        let variable = |name: &str, value: &str| {
            one(json!({"name": "web", "environment": [{"name": name, "value": value}]}))
        };
        let hidden = || json!("HIDDEN_DUE_TO_SECURITY_REASONS");
        let first = &["/overrides/containerOverrides/0/environment/0"];
        check(
            &CONTROL,
            &[
                (
                    "a key's id by its name",
                    variable("AWS_ACCESS_KEY_ID", "x"),
                    Failed(&["/overrides/containerOverrides/0/environment/0/name"]),
                ),
                (
                    "a key by its name, told once",
                    variable("AWS_SECRET_ACCESS_KEY", "s3cr3t"),
                    Failed(&["/overrides/containerOverrides/0/environment/0/name"]),
                ),
                ("a password", variable("DB_PASSWORD", "hunter2"), Failed(first)),
                (
                    "a password in an address",
                    variable("DATABASE_URL", "postgres://app:hunter2@db/shop"),
                    Failed(first),
                ),
                (
                    "a reference",
                    variable("DB_PASSWORD", "arn:aws:ssm:eu-west-1:111122223333:parameter/db"),
                    Passed,
                ),
                ("nothing of the kind", variable("BATCH_DATE", "2026-11-03"), Passed),
                (
                    "a command",
                    one(json!({"name": "web", "command": ["migrate", "--password=hunter2"]})),
                    Failed(&["/overrides/containerOverrides/0/command/1"]),
                ),
                (
                    "a flag and its value",
                    one(json!({"name": "web", "command": ["migrate", "--db-password", "hunter2"]})),
                    Failed(&["/overrides/containerOverrides/0/command/2"]),
                ),
                (
                    "the second container",
                    with(
                        json!({"containerOverrides": [{"name": "a"}, {"name": "b", "environment": [{"name": "API_TOKEN", "value": "abcdef12"}]}]}),
                    ),
                    Failed(&["/overrides/containerOverrides/1/environment/0"]),
                ),
                ("no overrides", json!({"taskDefinition": "migrate:2"}), Passed),
                ("empty overrides", with(json!({})), Passed),
                ("no list of variables", one(json!({"name": "web"})), Passed),
                ("overrides that are redacted", with(hidden()), Unknown),
                ("containers that are redacted", with(json!({"containerOverrides": hidden()})), Unknown),
                (
                    "variables that are redacted",
                    one(json!({"name": "web", "environment": hidden()})),
                    Unknown,
                ),
                (
                    "a value that is redacted",
                    variable("LOG_LEVEL", "HIDDEN_DUE_TO_SECURITY_REASONS"),
                    Unknown,
                ),
                ("a name that is redacted", variable("HIDDEN_DUE_TO_SECURITY_REASONS", "x"), Unknown),
                ("a command that is redacted", one(json!({"name": "web", "command": hidden()})), Unknown),
            ],
        );
    }

    #[test]
    fn nothing_of_a_value_is_told() {
        let planted = "PLANTED7canary";
        let document =
            one(json!({"name": "web", "environment": [{"name": "AWS_SECRET_ACCESS_KEY", "value": planted}],
            "command": [format!("--token={planted}")]}));
        let resource = resource(ResourceType::Task, &document);
        let evaluation = judge(&CONTROL, &resource, Parameters::default());
        let Compliance::Failed(violations) = &evaluation.compliance else { panic!("{evaluation:?}") };
        assert_eq!(violations.len(), 2);
        let text = format!("{evaluation:?} {resource:?} {}", serde_json::to_string(violations).unwrap());
        assert!(!text.contains(planted), "{text}");
    }
}
