//! Rights of tasks are in managed policies: neither the task role nor the execution role has one of its own.
//!
//! A matter of order: an inline policy is found by looking at its role alone, has no versions and can't be shared.
//! What it allows is not judged here. Says nothing of roles that a definition does not name.

use serde_json::Value;

use crate::control::{Compliance, Context, Control, Functions, Ratchet, Rule, Severity, Violation, no_fix};
use crate::document::Field;
use crate::facts::Need;
use crate::facts::identity::role_arn;
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::TaskDefinition;
use crate::text::shown;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-service-no-inline-policy",
    title: "Roles of tasks have no inline policies",
    severity: Severity::Low,
    standards: &["NIST AC-6"],
    practice: None,
    rationale: "An inline policy has no versions, can't be shared and is in no list of policies: rights in it are \
                easily forgotten.",
    template: "an AWS::IAM::ManagedPolicy in ManagedPolicyArns in place of Policies of AWS::IAM::Role; Terraform: \
               aws_iam_policy with aws_iam_role_policy_attachment in place of aws_iam_role_policy",
    prevention: "deny iam:PutRolePolicy in an SCP",
    reference: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: true,
    parameters: &[],
    rule: Rule::TaskDefinition(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

fn check(task: &TaskDefinition, context: &Context<'_>) -> Compliance {
    let roles = [("/executionRoleArn", &task.execution_role_arn), ("/taskRoleArn", &task.task_role_arn)];
    if roles.iter().all(|(_, role)| role.is_absent()) {
        return Compliance::NotApplicable("the task definition names no role");
    }
    let (mut violations, mut needs) = (Vec::new(), Vec::new());
    for (path, given) in roles {
        let role = match given {
            Field::Absent => continue,
            Field::Hidden => None,
            Field::Known(given) => role_arn(given, &context.resource.id.arn),
        };
        let Some(role) = role else {
            needs.push(Need::Member(path.to_owned()));
            continue;
        };
        match context.facts.identity.role(&role).and_then(|known| known.role_policy_list.known()) {
            None => needs.push(Need::Role(role)),
            Some(inline) if inline.is_empty() => {}
            Some(inline) => {
                let names = inline.iter().map(|one| shown(one.policy_name.text().unwrap_or("?")));
                let actual = format!("{}: {}", role.name(), names.collect::<Vec<_>>().join(", "));
                violations.push(Violation::new(path, Value::from(actual), "a role without inline policies"));
            }
        }
    }
    Compliance::of(violations, needs)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check_knowing, facts, task};
    use crate::selection::Parameters;

    #[test]
    fn table() {
        let role = |name: &str, inline: Value| {
            json!({"RoleName": name, "Arn": format!("arn:aws:iam::111122223333:role/{name}"),
                "AttachedManagedPolicies": [], "RolePolicyList": inline})
        };
        let own = json!([{"PolicyName": "read", "PolicyDocument": "{broken"}]);
        let facts = facts(&[json!({"RoleDetailList": [
            role("clean", json!([])), role("own", own), role("hidden", json!("HIDDEN_DUE_TO_SECURITY_REASONS"))]})]);
        let with = |execution: Value, own: Value| {
            let mut task = task(&[json!({"name": "web"})]);
            task["executionRoleArn"] = execution;
            task["taskRoleArn"] = own;
            task
        };
        let clean = || json!("arn:aws:iam::111122223333:role/apps/clean");
        check_knowing(
            &CONTROL,
            &Parameters::default(),
            &facts,
            &[
                ("no role", with(Value::Null, Value::Null), NotApplicable),
                ("one clean role", with(Value::Null, clean()), Passed),
                ("two clean roles", with(clean(), json!("clean")), Passed),
                ("the task role", with(clean(), json!("own")), Failed(&["/taskRoleArn"])),
                ("the execution role", with(json!("own"), Value::Null), Failed(&["/executionRoleArn"])),
                ("both", with(json!("own"), json!("own")), Failed(&["/executionRoleArn", "/taskRoleArn"])),
                ("one that nobody listed", with(clean(), json!("nobody")), Unknown),
                ("a violation outweighs it", with(json!("nobody"), json!("own")), Failed(&["/taskRoleArn"])),
                ("policies that are hidden", with(Value::Null, json!("hidden")), Unknown),
                ("redacted", with(json!({"omitted": true}), clean()), Unknown),
            ],
        );
    }
}
