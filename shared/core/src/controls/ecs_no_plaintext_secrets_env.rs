//! No secret stands in a task definition in plain text.
//!
//! Judged are the values of variables, the words of `command`, `entryPoint` and health checks, labels, and the options
//! of log drivers, of log routers (FireLens) and of the drivers of volumes. What fails is what only a secret looks like
//! (keys and tokens with a form of their own, private keys, web tokens, passwords in addresses and in JSON, headers'
//! credentials), and a value under a name such as `DB_PASSWORD` or behind a flag such as `--db-password` that could be
//! the secret itself. References, paths, addresses, switches, numbers, templates and words to be replaced pass. Entries
//! of `secrets` and `secretOptions` are where secrets belong. Says nothing of files that `environmentFiles` names, nor
//! of secrets in the image. Values are never kept and never told: a finding names the place, the variable and the kind.

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Practice, Ratchet, Rule, Severity, every, no_fix,
};
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::TaskDefinition;
use crate::secrets::handed_texts;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-no-plaintext-secrets-env",
    title: "No secret stands in a task definition in plain text",
    severity: Severity::Critical,
    standards: &["CWE-798"],
    practice: Some(Practice::LeastPrivilege),
    rationale: "Whoever may describe a task definition reads what is in it, in every revision that there ever was, and so do \
                those who keep CloudTrail's logs. A secret that stood there once is known: moving it is half of the work, \
                the other half is a new one.",
    template: "Secrets: [{Name: DB_PASSWORD, ValueFrom: <ARN in Secrets Manager or Parameter Store>}] in the container of \
               AWS::ECS::TaskDefinition, SecretOptions for log drivers; Terraform: \"secrets\" in container_definitions; then \
               change the secret itself",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: false,
    parameters: &[],
    // Where the secret should be kept, and the new one, are for people to say.
    rule: Rule::TaskDefinition(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

fn check(_: &TaskDefinition, context: &Context<'_>) -> Compliance {
    every(handed_texts(&context.resource.document))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::control::Violation;
    use crate::controls::table::Expect::{Failed, Passed, Unknown};
    use crate::controls::table::{check, judge, resource, task};
    use crate::facts::Facts;
    use crate::finding::Fingerprint;
    use crate::remediation::plan;
    use crate::resource::ResourceType;
    use crate::selection::{Parameters, Selected};

    fn one(members: Value) -> Value {
        let mut container = json!({"name": "web"});
        for (member, value) in members.as_object().unwrap() {
            container[member] = value.clone();
        }
        task(&[container])
    }

    fn variable(name: &str, value: &str) -> Value {
        one(json!({"environment": [{"name": "LOG_LEVEL", "value": "info"}, {"name": name, "value": value}]}))
    }

    fn volume(docker: Value) -> Value {
        let mut definition = one(json!({}));
        definition["volumes"] = json!([{"name": "files", "dockerVolumeConfiguration": docker}]);
        definition
    }

    #[test]
    fn table() {
        let second = &["/containerDefinitions/0/environment/1"];
        let hidden = || json!("HIDDEN_DUE_TO_SECURITY_REASONS");
        let mut registered = one(json!({"command": ["serve"]}));
        registered["taskDefinitionArn"] =
            json!("arn:aws:ecs:eu-west-1:111122223333:task-definition/checkout:7");
        let mut shown = registered.clone();
        shown["containerDefinitions"][0]["environment"] = json!([]);
        check(
            &CONTROL,
            &[
                (
                    "a password in an address",
                    variable("DATABASE_URL", "postgres://app:hunter2@db/shop"),
                    Failed(second),
                ),
                ("a value under a password's name", variable("DB_PASSWORD", "hunter2"), Failed(second)),
                ("a reference under the same name", variable("DB_PASSWORD", "/run/secrets/db"), Passed),
                ("a switch", variable("MYSQL_ALLOW_EMPTY_PASSWORD", "yes"), Passed),
                ("no value", variable("DB_PASSWORD", ""), Passed),
                ("nothing of the kind", variable("REGION", "eu-west-1"), Passed),
                (
                    "as secrets",
                    one(
                        json!({"secrets": [{"name": "DB_PASSWORD", "valueFrom": "arn:aws:ssm:eu-west-1:111122223333:parameter/db"}]}),
                    ),
                    Passed,
                ),
                (
                    "a flag of the command",
                    one(json!({"command": ["serve", "--password=hunter2"]})),
                    Failed(&["/containerDefinitions/0/command/1"]),
                ),
                (
                    "the entry point",
                    one(json!({"entryPoint": ["sh", "-c", "DB_PASSWORD=hunter2 exec serve"]})),
                    Failed(&["/containerDefinitions/0/entryPoint/2"]),
                ),
                (
                    "the health check",
                    one(
                        json!({"healthCheck": {"command": ["CMD-SHELL", "curl http://probe:hunter2@localhost"]}}),
                    ),
                    Failed(&["/containerDefinitions/0/healthCheck/command/1"]),
                ),
                (
                    "a label",
                    one(json!({"dockerLabels": {"com.example/api-key": "0f1e2d3c4b5a", "team": "shop"}})),
                    Failed(&["/containerDefinitions/0/dockerLabels/com.example~1api-key"]),
                ),
                (
                    "an option of the log driver",
                    one(json!({"logConfiguration": {"logDriver": "splunk", "options": {
                        "splunk-url": "https://splunk.example.com:8088", "splunk-token": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}}})),
                    Failed(&["/containerDefinitions/0/logConfiguration/options/splunk-token"]),
                ),
                (
                    "the same as a secret option",
                    one(
                        json!({"logConfiguration": {"logDriver": "splunk", "options": {"splunk-url": "https://splunk.example.com"},
                        "secretOptions": [{"name": "splunk-token", "valueFrom": "arn:aws:ssm:eu-west-1:111122223333:parameter/splunk"}]}}),
                    ),
                    Passed,
                ),
                (
                    "an option of the log router",
                    one(json!({"firelensConfiguration": {"type": "fluentbit", "options": {
                        "enable-ecs-log-metadata": "true", "http_password": "hunter2"}}})),
                    Failed(&["/containerDefinitions/0/firelensConfiguration/options/http_password"]),
                ),
                (
                    "the options of a volume's driver",
                    volume(
                        json!({"driver": "local", "driverOpts": {"type": "cifs", "device": "//files/shop",
                        "o": "addr=files,username=app,password=hunter2"}}),
                    ),
                    Failed(&["/volumes/0/dockerVolumeConfiguration/driverOpts/o"]),
                ),
                (
                    "the same without a password",
                    volume(json!({"driverOpts": {"type": "nfs", "device": ":/shop", "o": "addr=files,rw"}})),
                    Passed,
                ),
                (
                    "a volume's label",
                    volume(json!({"labels": {"api-key": "0f1e2d3c4b5a", "team": "shop"}})),
                    Failed(&["/volumes/0/dockerVolumeConfiguration/labels/api-key"]),
                ),
                ("a log router that is redacted", one(json!({"firelensConfiguration": hidden()})), Unknown),
                ("a volume that is redacted", volume(hidden()), Unknown),
                ("options of a volume that are redacted", volume(json!({"driverOpts": hidden()})), Unknown),
                (
                    "each by itself, in every container",
                    task(&[
                        json!({"name": "a", "environment": [{"name": "A_TOKEN", "value": "abcdef12"}, {"name": "B_SECRET", "value": "ghijkl34"}]}),
                        json!({"name": "b", "environment": [{"name": "C_API_KEY", "value": "mnopqr56"}]}),
                    ]),
                    Failed(&[
                        "/containerDefinitions/0/environment/0",
                        "/containerDefinitions/0/environment/1",
                        "/containerDefinitions/1/environment/0",
                    ]),
                ),
                ("absent of what ECS registered", registered, Unknown),
                ("shown of what ECS registered", shown, Passed),
                ("variables that are redacted", one(json!({"environment": hidden()})), Unknown),
                (
                    "a value that is redacted",
                    variable("LOG_LEVEL", "HIDDEN_DUE_TO_SECURITY_REASONS"),
                    Unknown,
                ),
                (
                    "a value that is no text",
                    one(json!({"environment": [{"name": "A", "value": 5}]})),
                    Unknown,
                ),
                ("a command that is redacted", one(json!({"command": hidden()})), Unknown),
                ("a word of it that is redacted", one(json!({"command": ["serve", hidden()]})), Unknown),
                ("an entry point that is cut off", one(json!({"entryPoint": {"omitted": "true"}})), Unknown),
                ("labels that are redacted", one(json!({"dockerLabels": hidden()})), Unknown),
                ("a label that is redacted", one(json!({"dockerLabels": {"team": hidden()}})), Unknown),
                ("a log configuration that is redacted", one(json!({"logConfiguration": hidden()})), Unknown),
                (
                    "options that are redacted",
                    one(json!({"logConfiguration": {"options": hidden()}})),
                    Unknown,
                ),
                ("a health check that is redacted", one(json!({"healthCheck": hidden()})), Unknown),
                (
                    "a violation outweighs what is hidden",
                    one(json!({"environment": hidden(), "command": ["--token=hunter2"]})),
                    Failed(&["/containerDefinitions/0/command/0"]),
                ),
            ],
        );
    }

    /// Everything that is ever printed of a finding, or could be by mistake.
    fn told(document: &Value) -> (String, Vec<Violation>) {
        let resource = resource(ResourceType::TaskDefinition, document);
        let evaluation = judge(&CONTROL, &resource, Parameters::default());
        let Compliance::Failed(violations) = &evaluation.compliance else { panic!("{evaluation:?}") };
        let print = Fingerprint::of_finding(CONTROL.slug, &resource.id, None, violations);
        let selected = Selected { control: &CONTROL, parameters: Parameters::default() };
        assert!(plan(&resource, &evaluation, &Facts::default(), &selected).is_none());
        let json = serde_json::to_string(violations).unwrap();
        (format!("{evaluation:?} {resource:?} {json} {print}"), violations.clone())
    }

    const PLANTED: &str = "PLANTED7canary";

    #[test]
    fn a_finding_names_kind_and_variable_and_nothing_of_the_value() {
        let (text, violations) = told(&variable("DB_PASSWORD", PLANTED));
        assert_eq!(violations[0].actual, "a password, by its name");
        assert_eq!(violations[0].expected, "DB_PASSWORD in secrets, by valueFrom");
        assert!(!text.contains(PLANTED), "{text}");
        let (text, violations) = told(&one(json!({
            "environment": [{"name": "DB_PASSWORD", "value": PLANTED}, {"name": "URL", "value": format!("amqp://u:{PLANTED}@q")}],
            "command": [format!("--token={PLANTED}"), format!("redis://:{PLANTED}@cache")],
            "entryPoint": [format!("API_KEY={PLANTED}")],
            "healthCheck": {"command": ["CMD-SHELL", format!("curl http://u:{PLANTED}@localhost")]},
            "dockerLabels": {"api-key": PLANTED, format!("postgres://u:{PLANTED}@db/token"): PLANTED},
            "logConfiguration": {"logDriver": "splunk", "options": {"splunk-token": PLANTED, format!("x://u:{PLANTED}@y/token"): PLANTED}}
        })));
        assert_eq!(violations.len(), 10, "{violations:?}");
        assert!(!text.contains(PLANTED), "{text}");
        let (text, violations) = told(&volume(json!({"labels": {"api-key": PLANTED}, "driverOpts": {
            "device": format!("x://u:{PLANTED}@y"), "o": format!("username=app,password={PLANTED}")}})));
        assert_eq!(violations.len(), 3, "{violations:?}");
        assert!(!text.contains(PLANTED), "{text}");
    }

    #[test]
    fn a_name_that_may_be_the_secret_is_not_spelt_out() {
        let token = format!("ghp_{PLANTED}{}", "0123456789".repeat(3));
        for name in [format!("postgres://u:{PLANTED}@db"), token] {
            let (_, violations) = told(&variable(&name, &name));
            assert_eq!(violations[0].expected, "the variable in secrets, by valueFrom");
            assert!(!format!("{violations:?}").contains(PLANTED), "{violations:?}");
        }
    }
}
