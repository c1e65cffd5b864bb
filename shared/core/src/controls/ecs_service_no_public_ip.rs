//! ECS.2: a service gives its tasks no public address.
//!
//! Absent means `DISABLED`, the API's default. Services without awsvpc networking have no such setting; those with
//! the EXTERNAL controller have it in their task sets. While a deployment goes on, what counts is the service, not
//! its old deployments. Says nothing of tasks that are run without a service.

use serde_json::Value;

use crate::control::address::{PATH, none_assigned};
use crate::control::{Compliance, Context, Control, Functions, Practice, Ratchet, Rule, Severity};
use crate::document::Field;
use crate::preflight::reachability::without_public_address;
use crate::preflight::{Doubts, rollout};
use crate::remediation::{Action, Fix, PatchBuilder, Safety};
use crate::resource::Service;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-service-no-public-ip",
    title: "Services give their tasks no public IP address",
    severity: Severity::High,
    standards: &[
        "ECS.2",
        "PCI DSS v4.0.1/1.4.4",
        "NIST AC-3",
        "NIST AC-4",
        "NIST AC-6",
        "NIST AC-21",
        "NIST SC-7",
    ],
    practice: Some(Practice::NetworkSecurity),
    rationale: "A task with a public address can be reached from anywhere that its security group allows, today or \
                after the next change of the group.",
    template: "AssignPublicIp: DISABLED in AWS::ECS::Service NetworkConfiguration.AwsvpcConfiguration; Terraform: \
               assign_public_ip = false in network_configuration",
    prevention: "deny ecs:CreateService and ecs:UpdateService with the condition Bool \
                 ecs:auto-assign-public-ip = true in an SCP",
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-2",
    safety: Safety::Disruptive,
    call: Some(Action::UpdateService),
    ratchet: Ratchet::Iam("ecs:auto-assign-public-ip"),
    preflight: "ECS rolls it; every subnet reaches the registry, logs and secrets without a public address; nobody \
                calls the address; the same images; no deployment under way",
    opt_in: false,
    parameters: &[],
    rule: Rule::Service(Functions { check, fix, preflight }),
};

fn check(service: &Service, _: &Context<'_>) -> Compliance {
    if !service.active() {
        return Compliance::NotApplicable("the service is not active");
    }
    none_assigned(service.awsvpc(), "the service has no awsvpc network configuration")
}

/// Disruptive: UpdateService starts a deployment. The block is sent whole, since AWS replaces it whole and an
/// omitted list of groups would mean the VPC's default group. Never `forceNewDeployment`, which it does not need.
fn fix(service: &Service, _: &Context<'_>) -> Option<Fix> {
    let block = service.awsvpc();
    let Field::Known(block) = block else { return None };
    let start = "/networkConfiguration/awsvpcConfiguration";
    let mut patch = PatchBuilder::new();
    if let Some(subnets) = block.subnets.known() {
        patch =
            patch.test(&format!("{start}/subnets"), subnets.iter().map(String::as_str).collect::<Value>());
    }
    if let Some(groups) = block.security_groups.known() {
        patch = patch
            .test(&format!("{start}/securityGroups"), groups.iter().map(String::as_str).collect::<Value>());
    }
    patch = patch.replace(PATH, "ENABLED", "DISABLED");
    let summary = "take the public address away, in the same subnets and groups; this starts a deployment";
    Some(Fix::new(patch, Safety::Disruptive, summary))
}

fn preflight(service: &Service, context: &Context<'_>, doubts: &mut Doubts) {
    rollout(context.resource, service, context.facts, doubts);
    without_public_address(context.resource, service, context.facts, doubts);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::check;

    #[test]
    fn table() {
        let with = |value: Value| {
            json!({"status": "ACTIVE", "networkConfiguration": {"awsvpcConfiguration": {
                "subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": value}}})
        };
        let mut draining = with(json!("ENABLED"));
        draining["status"] = json!("DRAINING");
        check(
            &CONTROL,
            &[
                ("enabled", with(json!("ENABLED")), Failed(&[PATH])),
                ("disabled", with(json!("DISABLED")), Passed),
                ("absent is disabled", with(Value::Null), Passed),
                ("redacted", with(json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
                ("a value of the future", with(json!("DUAL_STACK")), Unknown),
                ("no network block", json!({"status": "ACTIVE"}), NotApplicable),
                ("an empty network block", json!({"networkConfiguration": {}}), NotApplicable),
                (
                    "a network block that is cut off",
                    json!({"networkConfiguration": {"omitted": "true"}}),
                    Unknown,
                ),
                ("draining", draining, NotApplicable),
                (
                    "an old deployment does not count",
                    json!({"networkConfiguration": {"awsvpcConfiguration": {"assignPublicIp": "DISABLED"}},
                        "deployments": [{"networkConfiguration": {"awsvpcConfiguration": {"assignPublicIp": "ENABLED"}}}]}),
                    Passed,
                ),
            ],
        );
    }
}
