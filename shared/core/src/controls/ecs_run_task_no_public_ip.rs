//! Tasks that are run by themselves get no public address.
//!
//! Judged is the request of RunTask or StartTask, whoever sent it: people, schedules, state machines. Absent means
//! `DISABLED`, the API's default, and a launch without awsvpc networking has no such setting. What `DescribeTasks` prints
//! shows neither, so that a request that hides it leaves the task's network interface to look at. Services and task sets
//! are other controls'.

use crate::control::{
    Compliance, Context, Control, Functions, Practice, Ratchet, Rule, Severity, Violation, no_fix,
};
use crate::document::Field;
use crate::facts::Need;
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::Launch;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-run-task-no-public-ip",
    title: "Tasks that are run by themselves get no public IP address",
    severity: Severity::High,
    standards: &[],
    practice: Some(Practice::NetworkSecurity),
    rationale: "A migration or a job with a public address can be reached from anywhere that its security group allows, as a \
                service can, and no service is there for anybody to look at.",
    template: "stop the task (aws ecs stop-task) if it still runs, and change whoever starts it: --network-configuration \
               'awsvpcConfiguration={…,assignPublicIp=DISABLED}'; AssignPublicIp: DISABLED in the target of AWS::Scheduler::Schedule \
               or AWS::Events::Rule; Terraform: assign_public_ip = false in network_configuration of the target",
    prevention: "deny ecs:RunTask and ecs:StartTask with the condition Bool ecs:auto-assign-public-ip = true in \
                 an SCP, and try whether it holds: ECS long did not look at the key for these two calls",
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: false,
    parameters: &[],
    // The task runs by now: it can be stopped, and the next one started otherwise, by those who know what it does.
    rule: Rule::Launch(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

const PATH: &str = "/networkConfiguration/awsvpcConfiguration/assignPublicIp";

fn check(launch: &Launch, context: &Context<'_>) -> Compliance {
    let unknown = || Compliance::Unknown(vec![Need::PublicAddress(context.resource.id.arn.clone())]);
    match launch.awsvpc() {
        Field::Absent => Compliance::NotApplicable("the launch has no awsvpc network configuration"),
        Field::Hidden => unknown(),
        Field::Known(block) => match &block.assign_public_ip {
            Field::Absent => Compliance::Passed,
            Field::Known(value) if value == "DISABLED" => Compliance::Passed,
            Field::Known(value) if value == "ENABLED" => {
                Compliance::Failed(vec![Violation::new(PATH, value.as_str(), "DISABLED")])
            }
            // A value that came after this was built may mean anything.
            Field::Known(_) | Field::Hidden => unknown(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, judge, resource};
    use crate::resource::ResourceType;
    use crate::selection::Parameters;

    fn with(value: Value) -> Value {
        json!({"cluster": "shop", "taskDefinition": "migrate:2", "launchType": "FARGATE", "networkConfiguration": {
            "awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": value}}})
    }

    #[test]
    fn table() {
        let hidden = || json!("HIDDEN_DUE_TO_SECURITY_REASONS");
        check(
            &CONTROL,
            &[
                ("enabled", with(json!("ENABLED")), Failed(&[PATH])),
                ("disabled", with(json!("DISABLED")), Passed),
                ("absent is disabled", with(Value::Null), Passed),
                ("a value of the future", with(json!("DUAL_STACK")), Unknown),
                ("redacted", with(hidden()), Unknown),
                ("a block that is redacted", json!({"networkConfiguration": hidden()}), Unknown),
                (
                    "a block that is cut off",
                    json!({"networkConfiguration": {"awsvpcConfiguration": {"omitted": "true"}}}),
                    Unknown,
                ),
                ("no block", json!({"taskDefinition": "migrate:2"}), NotApplicable),
                ("an empty block", json!({"networkConfiguration": {}}), NotApplicable),
            ],
        );
    }

    #[test]
    fn what_is_hidden_is_seen_at_the_interface_alone() {
        let resource = resource(ResourceType::Task, &with(json!("HIDDEN_DUE_TO_SECURITY_REASONS")));
        let Compliance::Unknown(needs) = judge(&CONTROL, &resource, Parameters::default()).compliance else {
            panic!("judged");
        };
        let call = needs[0].of(&resource.id).call();
        assert!(
            call.starts_with("aws ecs describe-tasks --cluster shop --tasks 0f1e2d3c · aws ec2"),
            "{call}"
        );
    }
}
