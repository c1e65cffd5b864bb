//! Containers log by the drivers that the team chose; awslogs, unless the policy names others.
//!
//! Every container that has a driver counts by itself: what the whole revision demands of its hosts
//! (`requiresAttributes`) tells only that one of them uses a driver. A container without a driver is
//! `ecs-container-logging`'s. Says nothing of where a driver sends what it takes.

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Place, Practice, Ratchet, Rule, Severity, Violation,
    every_container, no_fix,
};
use crate::document::Field;
use crate::policy::{Parameter, ParameterKind};
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::TaskDefinition;
use crate::text::shown;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-log-awslogs-driver",
    title: "Containers log by a driver that the team chose",
    severity: Severity::Low,
    standards: &[],
    practice: Some(Practice::LoggingAndMonitoring),
    rationale: "Logs that go somewhere else than all others are kept for another time, searched by nobody, and missing when \
                an incident is put together.",
    template: "LogDriver: awslogs in the LogConfiguration of AWS::ECS::TaskDefinition; Terraform: \"logDriver\": \"awslogs\" in \
               container_definitions",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: true,
    parameters: &[Parameter {
        name: "drivers",
        kind: ParameterKind::TextList,
        about: "the log drivers that are fine, such as [\"awslogs\", \"awsfirelens\"]; unset, it is awslogs alone",
    }],
    // What takes the place of another driver (groups, rights, parsing) has to be thought out, and the options of the one
    // that is there may hold its token.
    rule: Rule::TaskDefinition(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

fn check(task: &TaskDefinition, context: &Context<'_>) -> Compliance {
    let drivers = context.parameters.list_or("drivers", &["awslogs"]);
    let containers = task.container_definitions.items();
    if containers
        .iter()
        .all(|one| one.log_configuration.then(|log| log.log_driver.then(Field::Known)).is_absent())
    {
        return Compliance::NotApplicable("no container has a log driver");
    }
    every_container(task, |container, at| {
        let path = format!("{at}/logConfiguration/logDriver");
        match container.log_configuration.then(|log| log.log_driver.then(Field::Known)) {
            Field::Absent => Place::Fine,
            Field::Hidden => Place::Hidden(path),
            Field::Known(driver) if drivers.contains(&driver.as_str()) => Place::Fine,
            Field::Known(driver) => {
                Place::Violates(Violation::new(path, shown(driver), drivers.join(" or ")))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, check_with, task};
    use crate::selection::Parameters;

    const PATH: &[&str] = &["/containerDefinitions/0/logConfiguration/logDriver"];

    fn one(log: Value) -> Value {
        task(&[json!({"name": "web", "logConfiguration": log})])
    }

    #[test]
    fn table() {
        let mut attributes = task(&[
            json!({"name": "web", "logConfiguration": {"logDriver": "awslogs"}}),
            json!({"name": "side", "logConfiguration": {"logDriver": "json-file"}}),
        ]);
        attributes["requiresAttributes"] =
            json!([{"name": "com.amazonaws.ecs.capability.logging-driver.awslogs"}]);
        let second = &["/containerDefinitions/1/logConfiguration/logDriver"];
        check(
            &CONTROL,
            &[
                ("awslogs", one(json!({"logDriver": "awslogs"})), Passed),
                ("another driver", one(json!({"logDriver": "splunk"})), Failed(PATH)),
                ("one of two, whatever the revision demands", attributes, Failed(second)),
                ("no driver", one(json!({"logDriver": ""})), NotApplicable),
                ("no configuration", task(&[json!({"name": "web"})]), NotApplicable),
                (
                    "a container without a driver beside",
                    task(&[
                        json!({"name": "a"}),
                        json!({"name": "b", "logConfiguration": {"logDriver": "awslogs"}}),
                    ]),
                    Passed,
                ),
                ("redacted", one(json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
                (
                    "a driver that is redacted",
                    one(json!({"logDriver": "HIDDEN_DUE_TO_SECURITY_REASONS"})),
                    Unknown,
                ),
            ],
        );
    }

    #[test]
    fn the_policy_names_the_drivers() {
        let named =
            |drivers: Vec<&str>| Parameters::new([("drivers".to_owned(), toml::Value::from(drivers))]);
        let firelens = || one(json!({"logDriver": "awsfirelens"}));
        let awslogs = || one(json!({"logDriver": "awslogs"}));
        check_with(
            &CONTROL,
            &named(vec!["awsfirelens", "splunk"]),
            &[("named", firelens(), Passed), ("not named", awslogs(), Failed(PATH))],
        );
        check_with(&CONTROL, &named(Vec::new()), &[("none is fine", awslogs(), Failed(PATH))]);
    }
}
