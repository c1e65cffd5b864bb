//! Tasks are no administrators: the role that a task definition hands to them has no policy that gives everything.
//!
//! The role's name says nothing and its policies everything: AWS's own `AdministratorAccess`, `PowerUserAccess` and
//! `IAMFullAccess`, and any attached or inline policy whose text allows every action, every action but some, or every
//! action of IAM, on everything. A condition does not clear it and is said; a permissions boundary that is less does.
//! A definition without a task role is not concerned, whatever its hosts' role may do.
//!
//! Says nothing of the execution role, whose credentials no container gets; of a service's own `roleArn`, which ECS
//! alone assumes, to register targets; of rights that only lead to more (`iam:PassRole`, `iam:PutRolePolicy`); and
//! of a task role that RunTask sets in place of the definition's.
//! Opt-in, since it asks IAM at every registration, where every other control judges what the event shows.

use crate::control::{
    Compliance, Context, Control, Functions, Practice, Ratchet, Rule, Severity, Violation, no_fix,
};
use crate::document::Field;
use crate::facts::Need;
use crate::facts::identity::{Power, role_arn};
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::TaskDefinition;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-service-role-not-admin",
    title: "Tasks run with a role that is no administrator",
    severity: Severity::High,
    standards: &["NIST AC-6"],
    practice: Some(Practice::LeastPrivilege),
    rationale: "Every program in a task can fetch the task role's credentials: who breaks into one container of an \
                administrator owns the account.",
    template: "ManagedPolicyArns and Policies of the AWS::IAM::Role in TaskRoleArn name the actions and resources that \
               the program needs; Terraform: the same in the policies of aws_iam_role",
    prevention: "deny iam:AttachRolePolicy with the condition ArnLike iam:PolicyARN = \
                 arn:*:iam::aws:policy/AdministratorAccess in an SCP",
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: true,
    parameters: &[],
    rule: Rule::TaskDefinition(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

const PATH: &str = "/taskRoleArn";

fn check(task: &TaskDefinition, context: &Context<'_>) -> Compliance {
    let hidden = || Compliance::Unknown(vec![Need::Member(PATH.to_owned())]);
    let given = match &task.task_role_arn {
        Field::Absent => return Compliance::NotApplicable("the task definition names no task role"),
        Field::Hidden => return hidden(),
        Field::Known(given) => given,
    };
    let Some(role) = role_arn(given, &context.resource.id.arn) else { return hidden() };
    match context.facts.identity.power(&role) {
        Power::Less => Compliance::Passed,
        Power::Unknown(needs) => Compliance::Unknown(needs),
        Power::Administrator(reasons) => {
            let actual = format!("{}: {}", role.name(), reasons.join("; "));
            Compliance::Failed(vec![Violation::new(PATH, actual, "a role that is no administrator")])
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check_knowing, facts, judge_with, resource, task};
    use crate::resource::ResourceType;
    use crate::selection::Parameters;

    const HERE: &[&str] = &[PATH];

    fn role(name: &str, attached: &[&str], inline: &[Value]) -> Value {
        let attached: Vec<Value> =
            attached.iter().map(|arn| json!({"PolicyName": "p", "PolicyArn": arn})).collect();
        let inline: Vec<Value> =
            inline.iter().map(|text| json!({"PolicyName": "own", "PolicyDocument": text})).collect();
        json!({"RoleName": name, "Arn": format!("arn:aws:iam::111122223333:role/apps/{name}"),
            "AttachedManagedPolicies": attached, "RolePolicyList": inline})
    }

    fn bounded(name: &str, boundary: &str) -> Value {
        let mut bounded = role(name, &["arn:aws:iam::aws:policy/AdministratorAccess"], &[]);
        bounded["PermissionsBoundary"] =
            json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary});
        bounded
    }

    fn allow(action: &str) -> Value {
        json!({"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})
    }

    fn policy(name: &str, default: &str, versions: &[(&str, Value)]) -> Value {
        let versions: Vec<Value> = versions
            .iter()
            .map(|(id, text)| json!({"VersionId": id, "IsDefaultVersion": id == &default, "Document": text}))
            .collect();
        json!({"PolicyName": name, "Arn": format!("arn:aws:iam::111122223333:policy/{name}"),
            "DefaultVersionId": default, "PolicyVersionList": versions})
    }

    /// One account's answer, with a role for each row.
    fn account() -> Value {
        let own = |name: &str| format!("arn:aws:iam::111122223333:policy/{name}");
        let encoded = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22*%22%2C%22Resource%22%3A%22*%22%7D%7D";
        let mut unlisted = role("unlisted", &[], &[]);
        unlisted.as_object_mut().unwrap().remove("RolePolicyList");
        let mut hidden_boundary = bounded("bounded-unseen", "");
        hidden_boundary["PermissionsBoundary"] = json!("HIDDEN_DUE_TO_SECURITY_REASONS");
        let mut bare = role("elsewhere", &[], &[]);
        bare["Arn"] = json!("arn:aws:iam::999988887777:role/elsewhere");
        json!({
            "RoleDetailList": [
                role("none", &[], &[]),
                role("admin", &["arn:aws:iam::aws:policy/AdministratorAccess"], &[]),
                role("admin-cn", &["arn:aws-cn:iam::aws:policy/PowerUserAccess"], &[]),
                role("admin-gov", &["arn:aws-us-gov:iam::aws:policy/IAMFullAccess"], &[]),
                role("named-admin", &[&own("AdministratorAccess-reader")], &[]),
                role("reads", &["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"], &[allow("sqs:*")]),
                role("inline", &[], &[allow("ecs:*"), allow("*")]),
                role("encoded", &[], &[json!(encoded)]),
                role("unread", &[], &[json!({"Statement": [{"Effect": "Allow"}]})]),
                role("unread-admin", &["arn:aws:iam::aws:policy/AdministratorAccess"], &[json!("{")]),
                role("narrowed", &[&own("narrowed")], &[]),
                role("widened", &[&own("widened")], &[]),
                role("unshown", &[&own("unshown")], &[]),
                role("missing", &[&own("missing")], &[]),
                role("denied", &["arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/AWSDenyAll"], &[]),
                bounded("bounded", &own("narrowed")),
                bounded("unbounded", &own("widened")),
                bounded("bounded-by-aws", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
                bounded("bounded-somehow", &own("missing")),
                hidden_boundary,
                unlisted,
                bare,
            ],
            "Policies": [
                policy("AdministratorAccess-reader", "v1", &[("v1", allow("s3:GetObject"))]),
                policy("narrowed", "v2", &[("v1", allow("*")), ("v2", allow("s3:*"))]),
                policy("widened", "v1", &[("v1", allow("iam:*")), ("v2", allow("s3:*"))]),
                policy("unshown", "v3", &[("v1", allow("s3:*"))]),
            ]
        })
    }

    fn with(role: &str) -> Value {
        let mut task = task(&[json!({"name": "web"})]);
        task["taskRoleArn"] = json!(role);
        task
    }

    #[test]
    fn table() {
        let facts = facts(&[account()]);
        #[rustfmt::skip]
        let rows = [
            ("no task role", task(&[json!({"name": "web"})]), NotApplicable),
            ("no policy", with("none"), Passed),
            ("an administrator by AWS's own policy", with("admin"), Failed(HERE)),
            ("in China", with("admin-cn"), Failed(HERE)),
            ("of people, in GovCloud", with("admin-gov"), Failed(HERE)),
            ("a name is no right", with("named-admin"), Passed),
            ("less", with("reads"), Passed),
            ("by an inline policy", with("inline"), Failed(HERE)),
            ("by one that is encoded", with("encoded"), Failed(HERE)),
            ("a policy that can't be read", with("unread"), Unknown),
            ("a violation outweighs it", with("unread-admin"), Failed(HERE)),
            ("only the default version counts", with("narrowed"), Passed),
            ("and counts for what it is", with("widened"), Failed(HERE)),
            ("a default version that is not shown", with("unshown"), Unknown),
            ("a policy that is not shown", with("missing"), Unknown),
            ("everything is denied", with("denied"), Passed),
            ("bounded", with("bounded"), Passed),
            ("bounded by an administrator's rights", with("unbounded"), Failed(HERE)),
            ("bounded by one of AWS's", with("bounded-by-aws"), Passed),
            ("bounded by what is not shown", with("bounded-somehow"), Unknown),
            ("bounded, and it is hidden by what", with("bounded-unseen"), Unknown),
            ("inline policies are not shown", with("unlisted"), Unknown),
            ("by ARN", with("arn:aws:iam::111122223333:role/admin"), Failed(HERE)),
            ("by ARN with another path", with("arn:aws:iam::111122223333:role/x/y/admin"), Failed(HERE)),
            ("the same name in another account", with("arn:aws:iam::999988887777:role/admin"), Unknown),
            ("that account's role", with("arn:aws:iam::999988887777:role/elsewhere"), Passed),
            ("not in this account", with("elsewhere"), Unknown),
            ("nobody listed it", with("nowhere"), Unknown),
            ("no role at all", with("arn:aws:iam::111122223333:user/admin"), Unknown),
            ("redacted", with("HIDDEN_DUE_TO_SECURITY_REASONS"), Unknown),
        ];
        check_knowing(&CONTROL, &Parameters::default(), &facts, &rows);
    }

    #[test]
    fn what_is_found_and_what_is_missing_is_said() {
        let facts = facts(&[account()]);
        let answer = |role: &str| {
            let resource = resource(ResourceType::TaskDefinition, &with(role));
            judge_with(&CONTROL, &resource, Parameters::default(), &facts).compliance
        };
        let Compliance::Failed(violations) = answer("widened") else { panic!("passes") };
        assert_eq!(
            violations[0].actual,
            json!("widened: policy `widened` allows every action of IAM on every resource")
        );
        let call = "aws iam get-account-authorization-details --filter";
        let policy = "arn:aws:iam::111122223333:policy/missing";
        let query = format!("{call} LocalManagedPolicy --query \"{{Policies:Policies[?Arn=='{policy}']}}\"");
        for (role, expected) in [("nowhere", format!("{call} Role LocalManagedPolicy")), ("missing", query)] {
            let Compliance::Unknown(needs) = answer(role) else { panic!("{role} is judged") };
            assert_eq!(needs.iter().map(Need::call).collect::<Vec<_>>(), [expected], "{role}");
        }
    }
}
