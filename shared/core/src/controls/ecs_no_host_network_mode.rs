//! ECS.17: a task does not use its host's network.
//!
//! Absent means `bridge`, on Windows `default`: neither is the host's. A mode that nobody knows yet is unknown. Says
//! nothing of `bridge`, whose tasks share the host's addresses and security groups: that is
//! `ecs-task-awsvpc-network-mode`.

use crate::control::namespaces::{
    NETWORK_MODE, Network, OWN_INTERFACE, change_network, network, unknown_network,
};
use crate::control::{
    Compliance, Context, Control, FARGATE_REFUSES, Functions, MENDED, Practice, Ratchet, Rule, Severity,
    Violation,
};
use crate::preflight;
use crate::remediation::{Action, Fix, Safety};
use crate::resource::TaskDefinition;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-no-host-network-mode",
    title: "Tasks do not use the host's network",
    severity: Severity::Medium,
    standards: &["ECS.17"],
    practice: Some(Practice::NonRootAndNonPrivileged),
    rationale: "On the host's network a container reaches what listens on the host alone, takes its ports, has its \
                security groups and, through the metadata service, its role.",
    template: "NetworkMode: awsvpc in AWS::ECS::TaskDefinition, NetworkConfiguration in its services; Terraform: \
               network_mode = \"awsvpc\", and network_configuration in aws_ecs_service",
    prevention: FARGATE_REFUSES,
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-17",
    safety: Safety::Manual,
    call: Some(Action::RegisterTaskDefinition),
    ratchet: Ratchet::Code,
    preflight: MENDED,
    opt_in: false,
    parameters: &[],
    rule: Rule::TaskDefinition(Functions { check, fix, preflight: preflight::nothing }),
};

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    match network(task) {
        Network::Own | Network::Docker => Compliance::Passed,
        Network::Host => {
            Compliance::Failed(vec![Violation::new(NETWORK_MODE, "host", "a network of the task's own")])
        }
        Network::Unknown => unknown_network(),
    }
}

/// Manual: ports, addresses, security groups and target groups change with the mode, and no service can move to the new
/// revision before they have. Hosts outside AWS have no interfaces to give, so that there it is `bridge`.
fn fix(task: &TaskDefinition, _: &Context<'_>) -> Option<Fix> {
    let external = task.requires_compatibilities.items().iter().any(|launch_type| launch_type == "EXTERNAL");
    let (mode, also) = match external {
        true => ("bridge", "its ports are mapped to the host's, and callers must know which"),
        false => ("awsvpc", OWN_INTERFACE),
    };
    let summary = format!("register a revision in the mode {mode}: {also}");
    Some(Fix::new(change_network(task, mode), Safety::Manual, summary))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, judge, resource, task};
    use crate::facts::Facts;
    use crate::remediation::{plan, simulate};
    use crate::resource::ResourceType;
    use crate::selection::{Parameters, Selected};

    fn with(mode: Value, requires: Value) -> Value {
        let mut task = task(&[json!({"name": "web"})]);
        task["networkMode"] = mode;
        task["requiresCompatibilities"] = requires;
        task
    }

    #[test]
    fn table() {
        let one = |mode: Value| with(mode, Value::Null);
        let mut inactive = one(json!("host"));
        inactive["status"] = json!("INACTIVE");
        check(
            &CONTROL,
            &[
                ("host", one(json!("host")), Failed(&[NETWORK_MODE])),
                (
                    "host on hosts outside AWS",
                    with(json!("host"), json!(["EXTERNAL"])),
                    Failed(&[NETWORK_MODE]),
                ),
                (
                    "host on any host",
                    with(json!("host"), json!(["EC2", "EXTERNAL"])),
                    Failed(&[NETWORK_MODE]),
                ),
                ("awsvpc", one(json!("awsvpc")), Passed),
                ("bridge", one(json!("bridge")), Passed),
                ("none", one(json!("none")), Passed),
                ("absent is bridge", task(&[json!({"name": "web"})]), Passed),
                ("null is bridge", one(Value::Null), Passed),
                ("empty is bridge", one(json!("")), Passed),
                ("Windows' own", one(json!("default")), Passed),
                ("a mode of the future", one(json!("host-v2")), Unknown),
                ("redacted", one(json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
                ("inactive", inactive, NotApplicable),
            ],
        );
    }

    #[test]
    fn the_proposal_is_a_mode_that_the_hosts_have_and_says_what_else_changes() {
        for (requires, mode, also) in
            [(json!(["EC2"]), "awsvpc", "target groups"), (json!(["EC2", "EXTERNAL"]), "bridge", "ports")]
        {
            let resource = resource(ResourceType::TaskDefinition, &with(json!("host"), requires));
            let evaluation = judge(&CONTROL, &resource, Parameters::default());
            let selected = Selected { control: &CONTROL, parameters: Parameters::default() };
            let fix = plan(&resource, &evaluation, &Facts::default(), &selected).unwrap();
            let mended = simulate(&fix.patch, &resource).unwrap().document.value().unwrap();
            assert_eq!((mended["networkMode"].as_str(), fix.safety), (Some(mode), Safety::Manual));
            assert!(fix.summary.contains(also), "{}", fix.summary);
        }
    }
}
