//! ECS.4: no container has the host's own rights.
//!
//! Every container counts, sidecars and non-essential ones too; absent means `false`. Fargate and Windows refuse
//! the member, so that a failure means EC2, external or managed instances. Says nothing of capabilities, devices
//! and mounts that amount to the same.

use serde_json::Value;

use crate::control::{
    Compliance, Context, Control, Functions, MENDED, Place, Practice, Ratchet, Rule, Severity, Violation,
    every_container,
};
use crate::document::Field;
use crate::preflight;
use crate::remediation::{Action, Fix, PatchBuilder, Safety};
use crate::resource::TaskDefinition;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-container-not-privileged",
    title: "Containers are not privileged",
    severity: Severity::High,
    standards: &["ECS.4", "NIST AC-2(1)", "NIST AC-3", "NIST AC-5", "NIST AC-6"],
    practice: Some(Practice::NonRootAndNonPrivileged),
    rationale: "A privileged container has all of the host's capabilities and devices: who breaks into it owns the \
                host, and every task and role on it.",
    template: "remove Privileged from the container in AWS::ECS::TaskDefinition; Terraform: drop \"privileged\" from \
               container_definitions",
    prevention: "deny ecs:RegisterTaskDefinition with the condition Bool ecs:privileged = true in an SCP",
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-4",
    safety: Safety::Disruptive,
    call: Some(Action::RegisterTaskDefinition),
    ratchet: Ratchet::Iam("ecs:privileged"),
    preflight: MENDED,
    opt_in: false,
    parameters: &[],
    rule: Rule::TaskDefinition(Functions { check, fix, preflight: preflight::nothing }),
};

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    every_container(task, |container, at| {
        let path = format!("{at}/privileged");
        match &container.privileged {
            Field::Known(true) => Place::Violates(Violation::new(path, true, false)),
            Field::Known(false) | Field::Absent => Place::Fine,
            Field::Hidden => Place::Hidden(path),
        }
    })
}

/// Disruptive: what needs the rights (Docker in Docker, agents that read the kernel, mounts) stops working, which
/// no configuration can tell beforehand. The old revision stays, and the deployment is rolled back if it fails.
fn fix(task: &TaskDefinition, _: &Context<'_>) -> Option<Fix> {
    let mut patch = PatchBuilder::new();
    let mut names = Vec::new();
    for (index, container) in task.container_definitions.items().iter().enumerate() {
        if container.privileged.known() == Some(&true) {
            let path = format!("/containerDefinitions/{index}/privileged");
            patch = patch.container(index, container).replace(&path, true, Value::Bool(false));
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
    use crate::selection::Parameters;
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
        assert!(matches!(proof, Err(Loosening::NotShown(_))));
    }
}
