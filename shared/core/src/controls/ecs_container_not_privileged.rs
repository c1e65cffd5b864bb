//! ECS.4: no container has the host's own rights.
//!
//! Every container counts, sidecars and non-essential ones too; absent means `false`. Fargate and Windows refuse
//! the member, so that a failure means EC2, external or managed instances. Says nothing of capabilities, devices
//! and mounts that amount to the same.

use serde_json::Value;

use crate::control::{Compliance, Control, Functions, Practice, Ratchet, Rule, Severity, Violation};
use crate::document::Field;
use crate::facts::Need;
use crate::preflight;
use crate::remediation::{Fix, PatchBuilder, Safety};
use crate::resource::{Resource, TaskDefinition};
use crate::selection::Parameters;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-container-not-privileged",
    title: "Containers are not privileged",
    severity: Severity::High,
    standards: &["ECS.4", "NIST AC-2(1)", "NIST AC-3", "NIST AC-5", "NIST AC-6"],
    practice: Practice::NonRootAndNonPrivileged,
    rationale: "A privileged container has all of the host's capabilities and devices: who breaks into it owns the \
                host, and every task and role on it.",
    template: "remove Privileged from the container in AWS::ECS::TaskDefinition; Terraform: drop \"privileged\" from \
               container_definitions",
    prevention: "deny ecs:RegisterTaskDefinition with the condition BoolIfExists ecs:privileged = true in an SCP",
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-4",
    ratchet: Ratchet::Iam("ecs:privileged"),
    preflight: "roles are within PassableRoles; for the service: ECS rolls it, the same images, no deployment under way",
    opt_in: false,
    parameters: &[],
    rule: Rule::TaskDefinition(Functions { check, fix, preflight: preflight::nothing }),
};

fn check(task: &TaskDefinition, _: &Parameters) -> Compliance {
    let (mut violations, mut hidden) = (Vec::new(), Vec::new());
    for (index, container) in task.container_definitions.items().iter().enumerate() {
        let path = format!("/containerDefinitions/{index}/privileged");
        match &container.privileged {
            Field::Known(true) => violations.push(Violation::new(path, true, false)),
            Field::Known(false) | Field::Absent => {}
            Field::Hidden => hidden.push(Need::Member(path)),
        }
    }
    Compliance::of(violations, hidden)
}

/// Disruptive: what needs the rights (Docker in Docker, agents that read the kernel, mounts) stops working, which
/// no configuration can tell beforehand. The old revision stays, and the deployment is rolled back if it fails.
fn fix(_: &Resource, task: &TaskDefinition, _: &Parameters) -> Option<Fix> {
    let mut patch = PatchBuilder::new();
    let mut names = Vec::new();
    for (index, container) in task.container_definitions.items().iter().enumerate() {
        if container.privileged.known() == Some(&true) {
            if let Some(name) = container.name.text() {
                patch = patch.test(&format!("/containerDefinitions/{index}/name"), name);
            }
            patch =
                patch.replace(&format!("/containerDefinitions/{index}/privileged"), true, Value::Bool(false));
            names.push(container.label(index));
        }
    }
    let summary = format!("register a revision in which {} has no host rights", names.join(", "));
    Some(Fix::new(patch, Safety::Disruptive, summary))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, judge, resource, task};
    use crate::facts::Facts;
    use crate::remediation::{Loosening, plan, prove};
    use crate::resource::ResourceType;
    use crate::selection::{Selected, Selection};

    #[test]
    fn table() {
        let one = |privileged: Value| task(&[json!({"name": "web", "privileged": privileged})]);
        check(
            &CONTROL,
            &[
                ("absent", task(&[json!({"name": "web"})]), Passed),
                ("null", one(Value::Null), Passed),
                ("false", one(json!(false)), Passed),
                ("true", one(json!(true)), Failed(&["/containerDefinitions/0/privileged"])),
                ("a text is no boolean of the API", one(json!("true")), Unknown),
                ("redacted", one(json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
                (
                    "a sidecar that is not essential",
                    task(&[
                        json!({"name": "web"}),
                        json!({"name": "agent", "essential": false, "privileged": true}),
                    ]),
                    Failed(&["/containerDefinitions/1/privileged"]),
                ),
                ("no containers shown", json!({"family": "x"}), Unknown),
                ("containers are no list", json!({"containerDefinitions": "web"}), Unknown),
                ("inactive", json!({"status": "INACTIVE", "containerDefinitions": []}), NotApplicable),
            ],
        );
    }

    #[test]
    fn a_violation_outweighs_what_is_hidden_and_its_fix_is_not_proved() {
        let document =
            task(&[json!({"name": "web", "privileged": true}), json!({"name": "b", "privileged": 1})]);
        let resource = resource(ResourceType::TaskDefinition, &document);
        let evaluation = judge(&CONTROL, &resource, Parameters::default());
        assert!(matches!(evaluation.compliance, Compliance::Failed(_)));
        let selected = Selected { control: &CONTROL, parameters: Parameters::default() };
        let facts = Facts::default();
        let fix = plan(&resource, &evaluation, &facts, &selected).unwrap();
        let proof = prove(&fix, &CONTROL, &resource, &facts, &Selection::one(&selected));
        assert!(matches!(proof, Err(Loosening::DoesNotConverge(_))));
    }
}
