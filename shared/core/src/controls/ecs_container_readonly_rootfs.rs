//! ECS.5: containers can't change their own root filesystem.
//!
//! Absent means writable. Windows containers have no such thing. Every container counts. Says nothing of volumes,
//! which are how a container is meant to write.

use serde_json::{Value, json};

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Place, Practice, Ratchet, Rule, Severity, Violation,
    every_container, windows,
};
use crate::document::Field;
use crate::facts::Need;
use crate::policy::{Parameter, ParameterKind};
use crate::preflight::Doubts;
use crate::remediation::{Action, Fix, PatchBuilder, Safety};
use crate::resource::TaskDefinition;
use crate::resource::task_definition::Container;
use crate::text::shown;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-container-readonly-rootfs",
    title: "Root filesystems are read-only",
    severity: Severity::High,
    standards: &["ECS.5", "NIST AC-2(1)", "NIST AC-3", "NIST AC-5", "NIST AC-6"],
    practice: Some(Practice::ReadOnlyRootFilesystem),
    rationale: "Who breaks into a container with a writable root can change the program that runs and leave tools \
                behind for the next visit.",
    template: "ReadonlyRootFilesystem: true in the container of AWS::ECS::TaskDefinition, and a volume mounted \
               where it writes; Terraform: \"readonlyRootFilesystem\": true in container_definitions",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-5",
    safety: Safety::Disruptive,
    call: Some(Action::RegisterTaskDefinition),
    ratchet: Ratchet::Code,
    preflight: "every container has somewhere to write; roles are within PassableRoles; for the service: ECS Exec is \
                off, ECS rolls it, the same images, no deployment under way",
    opt_in: false,
    parameters: &[Parameter {
        name: "scratch",
        kind: ParameterKind::TextList,
        about: "paths that get an empty volume in every mended container, such as [\"/tmp\"]",
    }],
    rule: Rule::TaskDefinition(Functions { check, fix, preflight }),
};

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    if let Some(answer) = windows(task, "Windows containers have no read-only root") {
        return answer;
    }
    every_container(task, |container, at| {
        let path = format!("{at}/readonlyRootFilesystem");
        match &container.readonly_root_filesystem {
            Field::Known(true) => Place::Fine,
            Field::Known(false) => Place::Violates(Violation::new(path, false, true)),
            Field::Absent => Place::Violates(Violation::new(path, Value::Null, true)),
            Field::Hidden => Place::Hidden(path),
        }
    })
}

/// Disruptive: a program that writes elsewhere fails when it starts or, worse, later. The pre-flight demands a
/// declared place to write, and the deployment is rolled back if it fails.
fn fix(task: &TaskDefinition, context: &Context<'_>) -> Option<Fix> {
    let scratch = context.parameters.list("scratch");
    let (mut patch, mut names, mut mounted) = (PatchBuilder::new(), Vec::new(), false);
    for (index, container) in task.container_definitions.items().iter().enumerate() {
        let seen = match container.readonly_root_filesystem {
            Field::Known(false) => Some(Value::Bool(false)),
            Field::Absent => None,
            Field::Known(true) | Field::Hidden => continue,
        };
        let start = format!("/containerDefinitions/{index}");
        // Nothing can be added to lists that are not shown, nor beside a volume that may have the new one's name.
        let unnamed = task.volumes.items().iter().any(|volume| volume.name.is_hidden());
        if !scratch.is_empty() && (container.mount_points.is_hidden() || task.volumes.is_hidden() || unnamed)
        {
            return None;
        }
        patch = patch.container(index, container);
        patch = patch.set(&format!("{start}/readonlyRootFilesystem"), seen, true);
        let missing = scratch.iter().enumerate().filter(|(_, path)| !mounts(container, path));
        let points: Vec<Value> = missing
            .map(|(number, path)| json!({"sourceVolume": volume(number), "containerPath": path, "readOnly": false}))
            .collect();
        mounted |= !points.is_empty();
        patch = patch.append(&format!("{start}/mountPoints"), &container.mount_points, points);
        names.push(container.label(index));
    }
    if mounted {
        let declared = |name: &String| task.volumes.items().iter().any(|one| one.name.text() == Some(name));
        let new = (0..scratch.len()).map(volume).filter(|name| !declared(name));
        patch = patch.append("/volumes", &task.volumes, new.map(|name| json!({ "name": name })).collect());
    }
    let summary = format!("register a revision in which the root of {} is read-only", names.join(", "));
    Some(Fix::new(patch, Safety::Disruptive, summary))
}

fn volume(number: usize) -> String {
    format!("shipshape-scratch-{number}")
}

fn mounts(container: &Container, path: &str) -> bool {
    container.mount_points.items().iter().any(|point| point.container_path.text() == Some(path))
}

/// What an image writes can't be read from its configuration; somebody has to have said where it may.
fn preflight(task: &TaskDefinition, context: &Context<'_>, doubts: &mut Doubts) {
    let scratch = !context.parameters.list("scratch").is_empty();
    for (index, container) in task.container_definitions.items().iter().enumerate() {
        if container.readonly_root_filesystem.known() == Some(&true) {
            continue;
        }
        if container.mount_points.is_hidden() || task.volumes.is_hidden() {
            doubts.need(Need::Member(format!("/containerDefinitions/{index}/mountPoints")));
        } else if !scratch
            && !container
                .mount_points
                .items()
                .iter()
                .any(|one| matches!(one.read_only, Field::Absent | Field::Known(false)))
        {
            doubts.refuse(
                "nowhere to write",
                format!(
                    "container `{}` has no writable mount, so nothing says where it may write: mount a volume where it \
                     writes, or set scratch = [\"/tmp\"] under [controls.ecs-container-readonly-rootfs]",
                    shown(&container.label(index))
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, check_with, task};
    use crate::selection::Parameters;

    const PATH: &[&str] = &["/containerDefinitions/0/readonlyRootFilesystem"];

    #[test]
    fn table() {
        let one = |value: Value| task(&[json!({"name": "web", "readonlyRootFilesystem": value})]);
        let mut windows = one(json!(false));
        windows["runtimePlatform"] = json!({"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"});
        let mut hidden = one(json!(false));
        hidden["runtimePlatform"] = json!("HIDDEN_DUE_TO_SECURITY_REASONS");
        check(
            &CONTROL,
            &[
                ("true", one(json!(true)), Passed),
                ("false", one(json!(false)), Failed(PATH)),
                ("absent is writable", task(&[json!({"name": "web"})]), Failed(PATH)),
                ("null is writable", one(Value::Null), Failed(PATH)),
                ("redacted", one(json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
                ("Windows", windows, NotApplicable),
                ("the platform is hidden", hidden, Unknown),
            ],
        );
    }

    #[test]
    fn scratch_volumes_are_declared_and_mounted() {
        let parameters = Parameters::new([("scratch".to_owned(), toml::Value::from(vec!["/tmp", "/run"]))]);
        let mut declared =
            task(&[json!({"name": "web", "mountPoints": [{"containerPath": "/tmp", "sourceVolume": "t"}]})]);
        declared["volumes"] = json!([{"name": "t"}]);
        check_with(
            &CONTROL,
            &parameters,
            &[("none", task(&[json!({"name": "web"})]), Failed(PATH)), ("one", declared, Failed(PATH))],
        );
    }
}
