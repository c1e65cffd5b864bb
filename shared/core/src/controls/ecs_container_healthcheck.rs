//! Every container has a health check of its own.
//!
//! ECS does not look at the `HEALTHCHECK` of an image, so that an absent member is none; nor is one without a command,
//! or whose command is `NONE`. What the check does is not judged. Opt-in: a service behind a load balancer has its
//! target's health anyway, and this is about serving, not about safety.

use serde_json::Value;

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Place, Ratchet, Rule, Severity, Violation,
    every_container, no_fix,
};
use crate::document::Field;
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::TaskDefinition;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-container-healthcheck",
    title: "Every container has a health check",
    severity: Severity::Low,
    standards: &[],
    practice: None,
    rationale: "Without a check ECS takes a program that hangs for one that runs: it is not replaced, and a deployment \
                of one that never serves counts as a success.",
    template: "HealthCheck: {Command: [CMD-SHELL, …]} in every container of AWS::ECS::TaskDefinition; Terraform: \
               \"healthCheck\" in container_definitions",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/healthcheck.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: true,
    parameters: &[],
    // Only its author knows how a program tells that it is well, and a wrong check kills it.
    rule: Rule::TaskDefinition(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

const WANTED: &str = "a health check";

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    every_container(task, |container, at| {
        let path = format!("{at}/healthCheck");
        match &container.health_check {
            Field::Absent => Place::Violates(Violation::new(path, Value::Null, WANTED)),
            Field::Hidden => Place::Hidden(path),
            Field::Known(check) => match &check.command {
                Field::Known(command) if command.checks => Place::Fine,
                Field::Known(_) => Place::Violates(Violation::new(format!("{path}/command"), "NONE", WANTED)),
                Field::Absent => {
                    Place::Violates(Violation::new(format!("{path}/command"), Value::Null, WANTED))
                }
                Field::Hidden => Place::Hidden(format!("{path}/command")),
            },
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, task};

    const COMMAND: &[&str] = &["/containerDefinitions/0/healthCheck/command"];
    const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
    const FIRST: &[&str] = &["/containerDefinitions/0/healthCheck"];

    #[test]
    fn table() {
        let one = |health: Value| task(&[json!({"name": "web", "healthCheck": health})]);
        let mut inactive = task(&[json!({"name": "web"})]);
        inactive["status"] = json!("INACTIVE");
        check(
            &CONTROL,
            &[
                ("set", one(json!({"command": ["CMD-SHELL", "exit 0"]})), Passed),
                ("empty", one(json!({})), Failed(COMMAND)),
                ("no command", one(json!({"command": []})), Failed(COMMAND)),
                ("switched off", one(json!({"command": ["NONE"]})), Failed(COMMAND)),
                ("the command is redacted", one(json!({"command": HIDDEN})), Unknown),
                ("absent", task(&[json!({"name": "web"})]), Failed(FIRST)),
                ("null", one(Value::Null), Failed(FIRST)),
                ("redacted", one(json!(HIDDEN)), Unknown),
                ("cut off", one(json!({"omitted": "true"})), Unknown),
                (
                    "a sidecar counts too",
                    task(&[
                        json!({"name": "web", "healthCheck": {"command": ["CMD", "/check"]}}),
                        json!({"name": "agent", "essential": false}),
                    ]),
                    Failed(&["/containerDefinitions/1/healthCheck"]),
                ),
                ("inactive", inactive, NotApplicable),
            ],
        );
    }
}
