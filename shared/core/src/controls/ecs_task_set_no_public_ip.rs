//! ECS.16: a task set gives its tasks no public address.
//!
//! Services that an external controller or CodeDeploy rolls keep their network in their task sets. Those that serve, or
//! may yet, are judged; one that drains is on its way out. Absent means `DISABLED`, the API's default. Says nothing
//! of the service's own network block, nor of task sets that only `DescribeServices` lists.

use crate::control::address::none_assigned;
use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Practice, Ratchet, Rule, Severity, no_fix,
};
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::TaskSet;

/// No fix: UpdateTaskSet takes nothing but the scale, so that another task set has to be made, made primary, and the old
/// one deleted. That is a release, and belongs to the controller that makes the releases: it would fight ours.
pub(super) static CONTROL: Control = Control {
    slug: "ecs-task-set-no-public-ip",
    title: "Task sets give their tasks no public IP address",
    severity: Severity::High,
    standards: &["ECS.16"],
    practice: Some(Practice::NetworkSecurity),
    rationale: "A task with a public address can be reached from anywhere that its security group allows. UpdateTaskSet \
                takes nothing but a scale: it ends with the next task set, which the service's own controller makes.",
    template: "AssignPublicIp: DISABLED in AWS::ECS::TaskSet NetworkConfiguration.AwsVpcConfiguration; Terraform: \
               assign_public_ip = false in network_configuration of aws_ecs_task_set; CodeDeploy: AssignPublicIp in the \
               AppSpec",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-16",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: false,
    parameters: &[],
    rule: Rule::TaskSet(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

fn check(set: &TaskSet, _: &Context<'_>) -> Compliance {
    if !set.live() {
        return Compliance::NotApplicable("the task set is draining");
    }
    none_assigned(set.awsvpc(), "the task set has no awsvpc network configuration")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::control::address::PATH;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::check;

    #[test]
    fn table() {
        let with = |status: &str, value: Value| {
            json!({"status": status, "launchType": "FARGATE", "networkConfiguration": {"awsvpcConfiguration": {
                "subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": value}}})
        };
        check(
            &CONTROL,
            &[
                ("primary", with("PRIMARY", json!("ENABLED")), Failed(&[PATH])),
                ("active", with("ACTIVE", json!("ENABLED")), Failed(&[PATH])),
                ("a status of the future", with("PAUSED", json!("ENABLED")), Failed(&[PATH])),
                ("draining", with("DRAINING", json!("ENABLED")), NotApplicable),
                ("disabled", with("PRIMARY", json!("DISABLED")), Passed),
                ("absent is disabled", with("PRIMARY", Value::Null), Passed),
                ("a value of the future", with("PRIMARY", json!("DUAL_STACK")), Unknown),
                ("redacted", with("PRIMARY", json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
                ("no network block", json!({"status": "PRIMARY"}), NotApplicable),
                ("cut off", json!({"networkConfiguration": {"omitted": "true"}}), Unknown),
            ],
        );
    }
}
