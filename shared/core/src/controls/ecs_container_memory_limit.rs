//! Every container has a hard limit of memory.
//!
//! At least 4 MiB, the least that any Docker accepts (6 since version 20.10). `memoryReservation` is a wish; the task's
//! own memory caps all of its containers together and none of them alone, on Fargate too. Opt-in, since most Fargate
//! definitions limit the task alone, and nobody but their authors knows what a container needs.

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
    slug: "ecs-container-memory-limit",
    title: "Every container has a hard memory limit",
    severity: Severity::Low,
    standards: &["CT.ECS.PR.7", "NIST SC-5"],
    practice: None,
    rationale: "A container without a limit of its own takes its neighbours' memory when it leaks or is attacked: the \
                kernel then kills whichever it likes, the log router or the proxy among them.",
    template: "Memory: 512 in every container of AWS::ECS::TaskDefinition; Terraform: \"memory\": 512 in \
               container_definitions",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: true,
    parameters: &[],
    // How much a program needs nobody can read from its definition, and too little kills it.
    rule: Rule::TaskDefinition(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

/// In MiB.
const LEAST: i64 = 4;
const EXPECTED: &str = "at least 4 MiB";

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    every_container(task, |container, at| {
        let path = format!("{at}/memory");
        match container.memory {
            Field::Known(limit) if limit >= LEAST => Place::Fine,
            Field::Known(limit) => Place::Violates(Violation::new(path, limit, EXPECTED)),
            Field::Absent => Place::Violates(Violation::new(path, Value::Null, EXPECTED)),
            Field::Hidden => Place::Hidden(path),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, task};

    const FIRST: &[&str] = &["/containerDefinitions/0/memory"];

    #[test]
    fn table() {
        let one = |memory: Value| task(&[json!({"name": "web", "memory": memory})]);
        let mut fargate = task(&[json!({"name": "web", "memoryReservation": 256})]);
        fargate["memory"] = json!("512");
        fargate["requiresCompatibilities"] = json!(["FARGATE"]);
        let mut inactive = task(&[json!({"name": "web"})]);
        inactive["status"] = json!("INACTIVE");
        check(
            &CONTROL,
            &[
                ("set", one(json!(512)), Passed),
                ("the least", one(json!(4)), Passed),
                ("less", one(json!(3)), Failed(FIRST)),
                ("none", one(json!(0)), Failed(FIRST)),
                ("absent", task(&[json!({"name": "web"})]), Failed(FIRST)),
                ("null", one(Value::Null), Failed(FIRST)),
                ("the task's, and a reservation", fargate, Failed(FIRST)),
                ("a text is no number of the API", one(json!("512")), Unknown),
                ("redacted", one(json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
                (
                    "one of two",
                    task(&[json!({"name": "a", "memory": 64}), json!({"name": "b", "essential": false})]),
                    Failed(&["/containerDefinitions/1/memory"]),
                ),
                ("inactive", inactive, NotApplicable),
            ],
        );
    }
}
