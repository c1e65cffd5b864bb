//! A definition that may run on a host names a task role.
//!
//! On EC2, external and managed instances a task without a role of its own may find the host's, by the metadata service
//! or in the host's files. On Fargate there is no such role to find: a definition that demands Fargate alone is not
//! concerned. One that demands nothing may be placed on a host, and is. Says nothing of what the role may do, and nothing
//! of hosts that keep containers from the metadata service.

use serde_json::Value;

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Practice, Ratchet, Rule, Severity, Violation, no_fix,
};
use crate::document::Field;
use crate::facts::Need;
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::TaskDefinition;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-task-role-present",
    title: "Definitions that may run on hosts name a task role",
    severity: Severity::Low,
    standards: &[],
    practice: Some(Practice::LeastPrivilege),
    rationale: "A program that has no role and looks for one asks the metadata service, and gets the role of its host: that \
                of the agent, which may register hosts and pull every image.",
    template: "TaskRoleArn in AWS::ECS::TaskDefinition, also of a role that may do nothing, or RequiresCompatibilities: \
               [FARGATE]; Terraform: task_role_arn, or requires_compatibilities = [\"FARGATE\"]",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: false,
    parameters: &[],
    // A role has to be made, by those who know what the program calls.
    rule: Rule::TaskDefinition(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

const PATH: &str = "/taskRoleArn";
const HOSTS: &[&str] = &["EC2", "EXTERNAL", "MANAGED_INSTANCES"];

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    let places = match on_hosts(task) {
        Field::Known(false) => {
            return Compliance::NotApplicable("it runs on Fargate alone, where no host has a role");
        }
        places => places,
    };
    match (&task.task_role_arn, places) {
        (Field::Known(_), _) => Compliance::Passed,
        (_, Field::Hidden) => Compliance::Unknown(vec![Need::Member("/requiresCompatibilities".to_owned())]),
        (Field::Hidden, _) => Compliance::Unknown(vec![Need::Member(PATH.to_owned())]),
        (Field::Absent, _) => {
            Compliance::Failed(vec![Violation::new(PATH, Value::Null, "a role of the task's own")])
        }
    }
}

/// Whether a host may run it. What the author demanded counts before what ECS found that it could run on; where neither
/// is shown, nothing keeps it from a host.
fn on_hosts(task: &TaskDefinition) -> Field<bool> {
    for types in [&task.requires_compatibilities, &task.compatibilities] {
        match types {
            Field::Hidden => return Field::Hidden,
            Field::Known(types) if types.iter().any(|one| HOSTS.contains(&one.as_str())) => {
                return Field::Known(true);
            }
            Field::Known(types) if types.iter().any(|one| one != "FARGATE") => {
                // A kind that came after this was built may have hosts or not.
                return Field::Hidden;
            }
            Field::Known(types) if !types.is_empty() => return Field::Known(false),
            Field::Known(_) | Field::Absent => {}
        }
    }
    Field::Absent
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, task};

    #[test]
    fn table() {
        let of = |requires: Value, compatible: Value, role: Value| {
            let mut task = task(&[json!({"name": "web"})]);
            task["requiresCompatibilities"] = requires;
            task["compatibilities"] = compatible;
            task["taskRoleArn"] = role;
            task
        };
        let none = || Value::Null;
        let hidden = || json!("HIDDEN_DUE_TO_SECURITY_REASONS");
        let both = || json!(["EC2", "FARGATE"]);
        check(
            &CONTROL,
            &[
                ("EC2", of(json!(["EC2"]), none(), none()), Failed(&[PATH])),
                ("external", of(json!(["EXTERNAL"]), none(), none()), Failed(&[PATH])),
                ("managed instances", of(json!(["MANAGED_INSTANCES"]), none(), none()), Failed(&[PATH])),
                ("either", of(both(), none(), json!("")), Failed(&[PATH])),
                ("a role", of(json!(["EC2"]), none(), json!("web")), Passed),
                ("Fargate alone", of(json!(["FARGATE"]), both(), none()), NotApplicable),
                ("Fargate alone, with a role", of(json!(["FARGATE"]), both(), json!("web")), NotApplicable),
                ("nothing demanded, both possible", of(none(), both(), none()), Failed(&[PATH])),
                ("nothing demanded, both possible, a role", of(none(), both(), json!("web")), Passed),
                ("an empty demand is none", of(json!([]), json!(["FARGATE"]), none()), NotApplicable),
                ("neither is shown before it is registered", of(none(), none(), none()), Failed(&[PATH])),
                ("a kind of the future", of(json!(["OUTPOST"]), none(), none()), Unknown),
                (
                    "a kind of the future beside EC2",
                    of(json!(["OUTPOST", "EC2"]), none(), none()),
                    Failed(&[PATH]),
                ),
                (
                    "a kind of the future beside Fargate",
                    of(json!(["FARGATE", "OUTPOST"]), none(), none()),
                    Unknown,
                ),
                ("a kind of the future, with a role", of(json!(["OUTPOST"]), none(), json!("web")), Passed),
                ("the demand is redacted", of(hidden(), both(), none()), Unknown),
                ("the demand is redacted, a role", of(hidden(), both(), json!("web")), Passed),
                ("the role is redacted", of(json!(["EC2"]), none(), hidden()), Unknown),
            ],
        );
    }
}
