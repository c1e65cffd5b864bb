//! The program inside has another role than ECS has to start it.
//!
//! Fails where both roles are named and are one. A bare name and an ARN, with a path or without, are one role if the last
//! name is the same: within an account no two roles share a name, whatever their paths and case. Roles of two accounts
//! differ. A definition without one of them passes; whether it should have a role is `ecs-task-role-present`'s. Says
//! nothing of what either role may do.

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Practice, Ratchet, Rule, Severity, Violation, no_fix,
};
use crate::document::Field;
use crate::facts::Need;
use crate::ids::Arn;
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::TaskDefinition;
use crate::text::shown;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-task-role-differs-from-execution-role",
    title: "The task role is not the execution role",
    severity: Severity::Medium,
    standards: &["NIST AC-6"],
    practice: Some(Practice::LeastPrivilege),
    rationale: "The execution role may pull every image and read every secret that tasks start with. As the task role it \
                hands all of that to whoever breaks into the program.",
    template: "a TaskRoleArn of its own in AWS::ECS::TaskDefinition, with what the program calls and no more; Terraform: \
               task_role_arn other than execution_role_arn",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-iam-roles.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: false,
    parameters: &[],
    // Nobody can tell from the outside which of the rights the program needs.
    rule: Rule::TaskDefinition(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

const PATH: &str = "/taskRoleArn";

fn check(task: &TaskDefinition, context: &Context<'_>) -> Compliance {
    let need = |path: &str| Compliance::Unknown(vec![Need::Member(path.to_owned())]);
    match (&task.task_role_arn, &task.execution_role_arn) {
        (Field::Absent, _) | (_, Field::Absent) => Compliance::Passed,
        (Field::Hidden, _) => need(PATH),
        (_, Field::Hidden) => need("/executionRoleArn"),
        (Field::Known(task), Field::Known(execution)) if same(task, execution, &context.resource.id.arn) => {
            Compliance::Failed(vec![Violation::new(PATH, shown(task), "another role than executionRoleArn")])
        }
        (Field::Known(_), Field::Known(_)) => Compliance::Passed,
    }
}

fn same(one: &str, other: &str, of: &Arn) -> bool {
    let ((account, name), (other_account, other_name)) = (role(one, of), role(other, of));
    // What is not registered yet may not say whose it is; then it is nobody else's.
    let one_account = account == other_account || account.is_empty() || other_account.is_empty();
    one_account && name.eq_ignore_ascii_case(&other_name)
}

/// A role's account and its name without a path.
fn role(text: &str, of: &Arn) -> (String, String) {
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    match text.parse::<Arn>() {
        Ok(arn) => (arn.account().to_owned(), last(arn.name())),
        Err(_) => (of.account().to_owned(), last(text)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::table::Expect::{Failed, Passed, Unknown};
    use crate::controls::table::{check, judge, task};
    use crate::document::Document;
    use crate::resource::{Resource, ResourceId, ResourceType};
    use crate::selection::Parameters;

    fn with(task_role: Value, execution_role: Value) -> Value {
        let mut task = task(&[json!({"name": "web"})]);
        task["taskRoleArn"] = task_role;
        task["executionRoleArn"] = execution_role;
        task
    }

    #[test]
    fn table() {
        let arn = |name: &str| json!(format!("arn:aws:iam::111122223333:role/{name}"));
        let hidden = || json!("HIDDEN_DUE_TO_SECURITY_REASONS");
        check(
            &CONTROL,
            &[
                ("one ARN", with(arn("web"), arn("web")), Failed(&[PATH])),
                ("two roles", with(arn("web-task"), arn("web-execution")), Passed),
                ("two bare names", with(json!("web"), json!("web")), Failed(&[PATH])),
                ("a bare name and its ARN", with(json!("web"), arn("web")), Failed(&[PATH])),
                ("an ARN and its bare name", with(arn("web"), json!("web")), Failed(&[PATH])),
                (
                    "a bare name and an ARN with a path",
                    with(json!("web"), arn("app/prod/web")),
                    Failed(&[PATH]),
                ),
                ("two paths can't both be there", with(arn("a/web"), arn("b/web")), Failed(&[PATH])),
                ("case does not make another role", with(json!("Web"), arn("web")), Failed(&[PATH])),
                ("a path that is called like the other", with(arn("web/task"), json!("web")), Passed),
                (
                    "the same name in another account",
                    with(json!("arn:aws:iam::444455556666:role/web"), arn("web")),
                    Passed,
                ),
                (
                    "a bare name is this account's",
                    with(json!("arn:aws:iam::444455556666:role/web"), json!("web")),
                    Passed,
                ),
                ("no task role", with(Value::Null, arn("web")), Passed),
                ("no execution role", with(arn("web"), json!("")), Passed),
                ("neither", task(&[json!({"name": "web"})]), Passed),
                ("the task role is redacted", with(hidden(), arn("web")), Unknown),
                ("the execution role is redacted", with(arn("web"), hidden()), Unknown),
                ("redacted, and no task role", with(Value::Null, hidden()), Passed),
            ],
        );
    }

    #[test]
    fn what_says_no_account_is_nobody_elses() {
        let document = with(json!("web"), json!("arn:aws:iam::111122223333:role/web"));
        let arn = "arn:aws:ecs:::task-definition/web".parse().unwrap();
        let id = ResourceId { kind: ResourceType::TaskDefinition, arn };
        let resource = Resource::read(id, Document::from_value(&document)).unwrap();
        let answer = judge(&CONTROL, &resource, Parameters::default()).compliance;
        assert!(matches!(answer, Compliance::Failed(_)), "{answer:?}");
    }
}
