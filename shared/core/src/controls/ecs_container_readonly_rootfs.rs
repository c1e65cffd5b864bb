//! ECS.5: containers can't change their own root filesystem.
//!
//! Absent means writable. Windows containers have no such thing. Every container counts. Says nothing of volumes,
//! which are how a container is meant to write.

use serde_json::{Value, json};

use crate::control::scratch::{missing, volume, writes};
use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Place, Practice, Ratchet, Rule, Severity, Violation,
    every_container, is_root, windows,
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
    preflight: "every container has somewhere to write that its user may write to; roles are within PassableRoles; for the service: ECS Exec is \
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
    let (mut patch, mut names, mut volumes) = (PatchBuilder::new(), Vec::new(), Vec::new());
    for (index, container) in task.container_definitions.items().iter().enumerate() {
        let seen = match container.readonly_root_filesystem {
            Field::Known(false) => Some(Value::Bool(false)),
            Field::Absent => None,
            Field::Known(true) | Field::Hidden => continue,
        };
        let start = format!("/containerDefinitions/{index}");
        // Nothing can be added to lists that are not shown, nor beside a volume that may have the new one's name.
        let unnamed = task.volumes.items().iter().any(|volume| volume.name.is_hidden());
        let missing = missing(container, &scratch)?;
        if !scratch.is_empty() && (task.volumes.is_hidden() || unnamed) {
            return None;
        }
        patch = patch.container(index, container);
        patch = patch.set(&format!("{start}/readonlyRootFilesystem"), seen, true);
        let mut points = Vec::new();
        for (number, path) in missing {
            let name = volume(task, index, number);
            points.push(json!({"sourceVolume": name, "containerPath": path, "readOnly": false}));
            volumes.push(json!({ "name": name }));
        }
        patch = patch.append(&format!("{start}/mountPoints"), &container.mount_points, points);
        names.push(container.label(index));
    }
    patch = patch.append("/volumes", &task.volumes, volumes);
    let summary = format!("register a revision in which the root of {} is read-only", names.join(", "));
    Some(Fix::new(patch, Safety::Disruptive, summary))
}

/// What an image writes can't be read from its configuration; somebody has to have said where it may.
fn preflight(task: &TaskDefinition, context: &Context<'_>, doubts: &mut Doubts) {
    let scratch = context.parameters.list("scratch");
    for (index, container) in task.container_definitions.items().iter().enumerate() {
        if container.readonly_root_filesystem.known() == Some(&true) {
            continue;
        }
        let name = shown(&container.label(index));
        match missing(container, &scratch) {
            _ if container.mount_points.is_hidden() || task.volumes.is_hidden() => {
                doubts.need(Need::Member(format!("/containerDefinitions/{index}/mountPoints")));
            }
            _ if scratch.is_empty() && !writes(container) => doubts.refuse(
                "nowhere to write",
                format!(
                    "container `{name}` has no writable mount, so nothing says where it may write: mount a volume where it \
                     writes, or set scratch = [\"/tmp\"] under [controls.ecs-container-readonly-rootfs]"
                ),
            ),
            None => doubts.need(Need::Member(format!("/containerDefinitions/{index}/linuxParameters"))),
            Some(missing) if !missing.is_empty() => owned(container, index, &missing, doubts),
            Some(_) => {}
        }
    }
}

/// An empty volume belongs to root (0755) on Fargate unless the image has a VOLUME there, and no user of the container
/// could write to what is mounted for him to write (developer guide, bind mounts).
fn owned(container: &Container, index: usize, missing: &[(usize, &str)], doubts: &mut Doubts) {
    let user = match &container.user {
        Field::Hidden => return doubts.need(Need::Member(format!("/containerDefinitions/{index}/user"))),
        Field::Known(user) if !is_root(user) => shown(user),
        Field::Known(_) | Field::Absent => return,
    };
    let paths = missing.iter().map(|(_, path)| format!("`{}`", shown(path))).collect::<Vec<_>>().join(", ");
    let name = shown(&container.label(index));
    doubts.refuse(
        "scratch belongs to root",
        format!(
            "container `{name}` runs as `{user}`, and an empty volume at {paths} belongs to root unless the image says \
             otherwise, which is not shown: make the path a VOLUME of the image that `{user}` owns, and mount a volume \
             there in the task definition"
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, check_with, judge, resource, task};
    use crate::facts::Facts;
    use crate::remediation::{plan, simulate};
    use crate::resource::{Body, ResourceType};
    use crate::selection::{Parameters, Selected};

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

    fn scratch(paths: &[&str]) -> Parameters {
        Parameters::new([("scratch".to_owned(), toml::Value::from(paths.to_vec()))])
    }

    /// The mended definition, without telling whether the pre-flight lets it through.
    fn mended(document: &Value, paths: &[&str]) -> Option<Value> {
        let resource = resource(ResourceType::TaskDefinition, document);
        let evaluation = judge(&CONTROL, &resource, scratch(paths));
        let selected = Selected { control: &CONTROL, parameters: scratch(paths) };
        let fix = plan(&resource, &evaluation, &Facts::default(), &selected)?;
        simulate(&fix.patch, &resource).unwrap().document.value()
    }

    #[test]
    fn scratch_volumes_are_declared_and_mounted() {
        let mut declared =
            task(&[json!({"name": "web", "mountPoints": [{"containerPath": "/tmp", "sourceVolume": "t"}]})]);
        declared["volumes"] = json!([{"name": "t"}]);
        check_with(
            &CONTROL,
            &scratch(&["/tmp", "/run"]),
            &[("none", task(&[json!({"name": "web"})]), Failed(PATH)), ("one", declared, Failed(PATH))],
        );
    }

    #[test]
    fn every_container_has_a_volume_of_its_own() {
        let mut two = task(&[json!({"name": "a"}), json!({"name": "b"})]);
        two["volumes"] = json!([{"name": "shipshape-scratch-0-0"}, {"name": "shipshape-scratch-0-0-1"}]);
        let mended = mended(&two, &["/tmp"]).unwrap();
        let source = |index: usize| &mended["containerDefinitions"][index]["mountPoints"][0]["sourceVolume"];
        assert_eq!(source(0), "shipshape-scratch-0-0-2");
        assert_eq!(source(1), "shipshape-scratch-1-0");
        assert_eq!(mended["volumes"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn nothing_is_mounted_twice() {
        let with = |points: Value, tmpfs: Value| {
            task(&[json!({"name": "a", "mountPoints": points, "linuxParameters": {"tmpfs": tmpfs}})])
        };
        let count = |document: Value| {
            let mended = mended(&document, &["/tmp/", "/tmp", "/run"])?;
            mended["containerDefinitions"][0]["mountPoints"].as_array().map(Vec::len)
        };
        let point = |path: &str| json!([{"containerPath": path, "sourceVolume": "t"}]);
        assert_eq!(count(with(json!([]), json!([]))), Some(2));
        assert_eq!(count(with(point("/tmp"), json!([]))), Some(2));
        assert_eq!(count(with(point("//run/."), json!([{"containerPath": "/var/../tmp/"}]))), Some(1));
        let hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";
        assert_eq!(count(with(point(hidden), json!([]))), None);
        assert_eq!(count(with(json!([]), json!(hidden))), None);
    }

    #[test]
    fn whoever_runs_there_can_write_there() {
        let doubts = |container: Value, paths: &[&str]| {
            let resource = resource(ResourceType::TaskDefinition, &task(&[container]));
            let Body::TaskDefinition(task) = &resource.body else { panic!("another kind") };
            let (facts, parameters, mut doubts) = (Facts::default(), scratch(paths), Doubts::default());
            let context = Context { resource: &resource, facts: &facts, parameters: &parameters };
            preflight(task, &context, &mut doubts);
            format!("{doubts:?}")
        };
        let memory = json!({"tmpfs": [{"containerPath": "/tmp", "size": 64}]});
        let point = json!([{"containerPath": "/tmp/", "sourceVolume": "t"}]);
        let none = format!("{:?}", Doubts::default());
        let said = doubts(json!({"name": "web", "user": "1000"}), &["/tmp"]);
        assert!(said.contains("container `web` runs as `1000`, and an empty volume at `/tmp`"), "{said}");
        let said = doubts(json!({"name": "web", "user": "HIDDEN_DUE_TO_SECURITY_REASONS"}), &["/tmp"]);
        assert!(said.contains("/containerDefinitions/0/user"), "{said}");
        assert!(doubts(json!({"name": "web"}), &[]).contains("nowhere to write"));
        for container in [
            json!({"name": "web"}),
            json!({"name": "web", "user": "0:1000"}),
            json!({"name": "web", "user": "1000", "linuxParameters": memory}),
            json!({"name": "web", "user": "1000", "mountPoints": point}),
            json!({"name": "web", "user": "1000", "readonlyRootFilesystem": true}),
        ] {
            assert_eq!(doubts(container.clone(), &["/tmp"]), none, "{container}");
        }
        assert_eq!(doubts(json!({"name": "web", "user": "1000", "linuxParameters": memory}), &[]), none);
    }
}
