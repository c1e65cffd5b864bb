//! ECS.19: a capacity provider keeps hosts that run tasks from being scaled in.
//!
//! Judged where the hosts come from an Auto Scaling group; absent means off, the API's default. Fargate and hosts that
//! ECS manages have no such group. It only works where ECS scales the group and the group protects new instances
//! (`NewInstancesProtectedFromScaleIn`); whether it does is not seen here.

use serde_json::Value;

use crate::control::{Compliance, Context, Control, Functions, NO_KEY, Ratchet, Rule, Severity, Violation};
use crate::document::Field;
use crate::facts::Need;
use crate::preflight::Doubts;
use crate::remediation::{Fix, PatchBuilder, Safety};
use crate::resource::capacity_provider::AutoScalingGroupProvider;
use crate::resource::{CapacityProvider, ResourceId, ResourceType};

pub(super) static CONTROL: Control = Control {
    slug: "ecs-capacity-provider-termination-protection",
    title: "Capacity providers protect hosts that run tasks from being scaled in",
    severity: Severity::Medium,
    standards: &["ECS.19"],
    practice: None,
    rationale: "Without it the Auto Scaling group terminates any host, with the tasks on it. It needs managed scaling, and \
                a group that protects new instances from scale-in.",
    template: "ManagedTerminationProtection: ENABLED in AutoScalingGroupProvider of AWS::ECS::CapacityProvider; Terraform: \
               managed_termination_protection = \"ENABLED\", with protect_from_scale_in = true in aws_autoscaling_group",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-19",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: false,
    parameters: &[],
    rule: Rule::CapacityProvider(Functions { check, fix, preflight }),
};

const PATH: &str = "/autoScalingGroupProvider/managedTerminationProtection";

fn check(provider: &CapacityProvider, _: &Context<'_>) -> Compliance {
    if matches!(provider.status.text(), Some("INACTIVE" | "DEPROVISIONING")) {
        return Compliance::NotApplicable("the capacity provider is gone, or going");
    }
    match &provider.auto_scaling_group_provider {
        Field::Absent => Compliance::NotApplicable("its hosts come from no Auto Scaling group"),
        Field::Hidden => Compliance::Unknown(vec![Need::Member("/autoScalingGroupProvider".to_owned())]),
        Field::Known(group) => match &group.managed_termination_protection {
            Field::Known(value) if value == "ENABLED" => Compliance::Passed,
            Field::Known(value) if value == "DISABLED" => failed(Value::from(value.as_str())),
            Field::Absent => failed(Value::Null),
            // A value that came after this was built may mean anything.
            Field::Known(_) | Field::Hidden => Compliance::Unknown(vec![Need::Member(PATH.to_owned())]),
        },
    }
}

fn failed(actual: Value) -> Compliance {
    Compliance::Failed(vec![Violation::new(PATH, actual, "ENABLED")])
}

/// Manual: hosts that are protected and never empty are never scaled in, which costs; and whether its group protects new
/// instances nobody sees here, without which ECS refuses it. Not even proposed where ECS does not scale the group.
fn fix(provider: &CapacityProvider, _: &Context<'_>) -> Option<Fix> {
    let group = provider.auto_scaling_group_provider.known()?;
    if !scales(group) {
        return None;
    }
    let seen = group.managed_termination_protection.text().map(Value::from);
    let patch = PatchBuilder::new()
        .test("/autoScalingGroupProvider/managedScaling/status", "ENABLED")
        .set(PATH, seen, "ENABLED");
    let summary = "have ECS protect hosts that run tasks (UpdateCapacityProvider), once the Auto Scaling group protects \
                   new instances from scale-in";
    Some(Fix::new(patch, Safety::Manual, summary))
}

fn scales(group: &AutoScalingGroupProvider) -> bool {
    group.managed_scaling.known().is_some_and(|scaling| scaling.status.text() == Some("ENABLED"))
}

/// The group has to protect new instances, and only describing it tells.
fn preflight(provider: &CapacityProvider, context: &Context<'_>, doubts: &mut Doubts) {
    let arn =
        provider.auto_scaling_group_provider.known().and_then(|group| group.auto_scaling_group_arn.text());
    match arn.and_then(|arn| arn.parse().ok()) {
        Some(arn) => doubts.need(Need::Resource(ResourceId { kind: ResourceType::AutoScalingGroup, arn })),
        None => doubts.need(Need::Resource(context.resource.id.clone())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, judge, resource};
    use crate::facts::Facts;
    use crate::remediation::plan;
    use crate::selection::{Parameters, Selected};

    fn with(scaling: &str, protection: Value) -> Value {
        json!({"name": "hosts", "status": "ACTIVE", "autoScalingGroupProvider": {
            "autoScalingGroupArn": "arn:aws:autoscaling:eu-west-1:111122223333:autoScalingGroup:1:autoScalingGroupName/hosts",
            "managedScaling": {"status": scaling}, "managedTerminationProtection": protection}})
    }

    #[test]
    fn table() {
        let mut gone = with("ENABLED", json!("DISABLED"));
        gone["status"] = json!("INACTIVE");
        check(
            &CONTROL,
            &[
                ("on", with("ENABLED", json!("ENABLED")), Passed),
                ("off", with("ENABLED", json!("DISABLED")), Failed(&[PATH])),
                ("absent is off", with("ENABLED", Value::Null), Failed(&[PATH])),
                ("off, and ECS does not scale", with("DISABLED", json!("DISABLED")), Failed(&[PATH])),
                ("a value of the future", with("ENABLED", json!("PARTIAL")), Unknown),
                ("redacted", with("ENABLED", json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
                ("Fargate", json!({"name": "FARGATE_SPOT", "status": "ACTIVE"}), NotApplicable),
                (
                    "hosts that ECS manages",
                    json!({"name": "mi", "managedInstancesProvider": {"propagateTags": "NONE"}}),
                    NotApplicable,
                ),
                ("cut off", json!({"autoScalingGroupProvider": {"omitted": "true"}}), Unknown),
                ("gone", gone, NotApplicable),
            ],
        );
    }

    #[test]
    fn it_is_proposed_only_where_ecs_scales_the_group() {
        let planned = |scaling: &str| {
            let hosts = resource(ResourceType::CapacityProvider, &with(scaling, json!("DISABLED")));
            let evaluation = judge(&CONTROL, &hosts, Parameters::default());
            let selected = Selected { control: &CONTROL, parameters: Parameters::default() };
            plan(&hosts, &evaluation, &Facts::default(), &selected).map(|fix| (fix.safety, fix.call))
        };
        assert_eq!(planned("ENABLED"), Some((Safety::Manual, None)));
        assert_eq!(planned("DISABLED"), None);
    }
}
