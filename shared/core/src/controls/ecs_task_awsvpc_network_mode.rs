//! CT.ECS.PR.4: every task has a network interface of its own.
//!
//! Everything but `awsvpc` fails, also an absent mode, which is `bridge`. Hosts outside AWS have no interfaces to give,
//! so that definitions for them alone are not concerned; nor are daemons, which have no such member. The stricter
//! sister of `ecs-no-host-network-mode`, hence opt-in.

use serde_json::Value;

use crate::control::namespaces::{
    NETWORK_MODE, Network, OWN_INTERFACE, change_network, network, unknown_network,
};
use crate::control::{
    Compliance, Context, Control, FARGATE_REFUSES, Functions, MENDED, Practice, Ratchet, Rule, Severity,
    Violation,
};
use crate::document::Field;
use crate::facts::Need;
use crate::preflight;
use crate::remediation::{Action, Fix, Safety};
use crate::resource::{ResourceType, TaskDefinition};

pub(super) static CONTROL: Control = Control {
    slug: "ecs-task-awsvpc-network-mode",
    title: "Every task has a network interface of its own",
    severity: Severity::Medium,
    standards: &["CT.ECS.PR.4", "NIST AC-4", "NIST SC-7"],
    practice: Some(Practice::NetworkSecurity),
    rationale: "Tasks that share their host's interface share its security groups: nothing can be allowed to one of \
                them and denied to its neighbour, and flow logs can't tell them apart.",
    template: "NetworkMode: awsvpc in AWS::ECS::TaskDefinition, NetworkConfiguration in its services; Terraform: \
               network_mode = \"awsvpc\", and network_configuration in aws_ecs_service",
    prevention: FARGATE_REFUSES,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-networking-awsvpc.html",
    safety: Safety::Manual,
    call: Some(Action::RegisterTaskDefinition),
    ratchet: Ratchet::Code,
    preflight: MENDED,
    opt_in: true,
    parameters: &[],
    rule: Rule::TaskDefinition(Functions { check, fix, preflight: preflight::nothing }),
};

fn check(task: &TaskDefinition, context: &Context<'_>) -> Compliance {
    if context.resource.id.kind == ResourceType::DaemonTaskDefinition {
        return Compliance::NotApplicable("daemons have no network mode to choose");
    }
    match (network(task), task.requires_only("EXTERNAL")) {
        (Network::Own, _) => Compliance::Passed,
        (_, Field::Known(true)) => {
            Compliance::NotApplicable("hosts outside AWS have no network interfaces to give")
        }
        (Network::Unknown, _) => unknown_network(),
        (_, Field::Hidden) => Compliance::Unknown(vec![Need::Member("/requiresCompatibilities".to_owned())]),
        (Network::Host | Network::Docker, _) => {
            let actual = task.network_mode.text().map_or(Value::Null, Value::from);
            Compliance::Failed(vec![Violation::new(NETWORK_MODE, actual, "awsvpc")])
        }
    }
}

/// Manual: ports, addresses, security groups and target groups change with the mode, and no service can move to the new
/// revision before they have. None where the definition must run outside AWS too.
fn fix(task: &TaskDefinition, _: &Context<'_>) -> Option<Fix> {
    if task.requires_compatibilities.items().iter().any(|launch_type| launch_type == "EXTERNAL") {
        return None;
    }
    let summary = format!("register a revision in the mode awsvpc: {OWN_INTERFACE}");
    Some(Fix::new(change_network(task, "awsvpc"), Safety::Manual, summary))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, judge, resource, task};
    use crate::facts::Facts;
    use crate::remediation::plan;
    use crate::selection::{Parameters, Selected};

    const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

    fn with(mode: Value, requires: Value) -> Value {
        let mut task = task(&[json!({"name": "web"})]);
        task["networkMode"] = mode;
        task["requiresCompatibilities"] = requires;
        task
    }

    #[test]
    fn table() {
        let one = |mode: Value| with(mode, Value::Null);
        check(
            &CONTROL,
            &[
                ("awsvpc", one(json!("awsvpc")), Passed),
                ("absent is bridge", task(&[json!({"name": "web"})]), Failed(&[NETWORK_MODE])),
                ("bridge", one(json!("bridge")), Failed(&[NETWORK_MODE])),
                ("host", one(json!("host")), Failed(&[NETWORK_MODE])),
                ("none", one(json!("none")), Failed(&[NETWORK_MODE])),
                ("Windows' own", one(json!("default")), Failed(&[NETWORK_MODE])),
                ("hosts outside AWS", with(json!("host"), json!(["EXTERNAL"])), NotApplicable),
                ("there and absent", with(Value::Null, json!(["EXTERNAL"])), NotApplicable),
                (
                    "also hosts outside AWS",
                    with(json!("bridge"), json!(["EC2", "EXTERNAL"])),
                    Failed(&[NETWORK_MODE]),
                ),
                ("no demand", with(json!("bridge"), json!([])), Failed(&[NETWORK_MODE])),
                ("a mode of the future", one(json!("awsvpc-v2")), Unknown),
                ("redacted", one(json!(HIDDEN)), Unknown),
                ("where it runs is hidden", with(json!("bridge"), json!(HIDDEN)), Unknown),
                (
                    "where it runs is hidden, and it does not matter",
                    with(json!("awsvpc"), json!(HIDDEN)),
                    Passed,
                ),
            ],
        );
    }

    #[test]
    fn daemons_are_not_concerned() {
        let daemon = resource(ResourceType::DaemonTaskDefinition, &task(&[json!({"name": "probe"})]));
        let answer = judge(&CONTROL, &daemon, Parameters::default()).compliance;
        assert!(matches!(answer, Compliance::NotApplicable(_)));
    }

    #[test]
    fn nothing_is_proposed_that_hosts_outside_aws_can_not_give() {
        let selected = Selected { control: &CONTROL, parameters: Parameters::default() };
        for (requires, proposed) in [(json!(["EC2"]), true), (json!(["EC2", "EXTERNAL"]), false)] {
            let resource = resource(ResourceType::TaskDefinition, &with(json!("bridge"), requires));
            let evaluation = judge(&CONTROL, &resource, Parameters::default());
            assert_eq!(plan(&resource, &evaluation, &Facts::default(), &selected).is_some(), proposed);
        }
    }
}
