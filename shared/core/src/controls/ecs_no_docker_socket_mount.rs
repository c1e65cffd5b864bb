//! No container mounts the socket of the host's container runtime, or what amounts to it: the host's root, its
//! configuration, its programs, the files of Docker and of the ECS agent, root's home.
//!
//! A path counts when it is one of these, lies in one or holds one, however it is written: `//var/./run/`,
//! `/srv/../var/run` and `/proc/1/root/run` are `/run`. A bind mount that Docker's `local` driver makes is a path of
//! the host too. Read-only helps where the way out begins with a write (`/proc`, `/sys`, single files of `/etc`),
//! which is how agents mount them; a socket is as open read-only, and so are other containers' files and credentials.
//! A read-only `/proc` still shows what the host tells about processes of the same uid (their environment, with the
//! secrets in it); it passes, since every monitoring agent mounts it so and nothing that it shows starts anything.
//! A volume that nobody mounts gives nothing to anybody, and no launch can mount it. Says nothing of devices, of
//! links that only one host has, and of containers that take over mounts by `volumesFrom`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::control::host_path::{Gives, gives};
use crate::control::{
    Compliance, Context, Control, FARGATE_REFUSES, Functions, MENDED, Place, Practice, Ratchet, Rule,
    Severity, Violation, every,
};
use crate::document::Field;
use crate::facts::Need;
use crate::preflight;
use crate::remediation::{Action, Fix, PatchBuilder, Safety};
use crate::resource::TaskDefinition;
use crate::resource::task_definition::{MountPoint, Volume};
use crate::text::shown;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-no-docker-socket-mount",
    title: "No container mounts the container runtime's socket or the host's own files",
    severity: Severity::High,
    standards: &[],
    practice: Some(Practice::NonRootAndNonPrivileged),
    rationale: "Who can speak to the container runtime can start a privileged container, and who can write the host's \
                files can have the host run theirs: one break-in becomes the host, with every task and role on it.",
    template: "drop the Volumes entry with Host SourcePath, and its MountPoints, from AWS::ECS::TaskDefinition; \
               Terraform: the volume block with host_path, and \"mountPoints\" in container_definitions",
    prevention: FARGATE_REFUSES,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HostVolumeProperties.html",
    safety: Safety::Manual,
    call: Some(Action::RegisterTaskDefinition),
    ratchet: Ratchet::Code,
    preflight: MENDED,
    opt_in: false,
    parameters: &[],
    rule: Rule::TaskDefinition(Functions { check, fix, preflight: preflight::nothing }),
};

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    if task.volumes.is_hidden() {
        return Compliance::Unknown(vec![Need::Member("/volumes".to_owned())]);
    }
    every(task.volumes.items().iter().enumerate().map(|(index, volume)| judge(task, index, volume)))
}

fn judge(task: &TaskDefinition, index: usize, volume: &Volume) -> Place {
    let (member, path) = match volume.host_path() {
        Field::Absent => return Place::Fine,
        Field::Hidden => return Place::Hidden(format!("/volumes/{index}")),
        Field::Known(found) => found,
    };
    let gives = gives(path);
    let (open, hidden) = mounts(task, volume, gives);
    let containers = task.container_definitions.items().iter().enumerate();
    let mounting = containers.filter(|(index, _)| open.iter().any(|(container, _)| container == index));
    let names = mounting.map(|(index, container)| container.label(index)).collect::<Vec<_>>().join(", ");
    let expected = match (gives, hidden) {
        (Gives::TheHost, _) if !open.is_empty() => format!("not mounted by {names}"),
        (Gives::TheHostToWriters, _) if !open.is_empty() => format!("mounted read-only by {names}"),
        (Gives::Itself, _) | (_, None) => return Place::Fine,
        (_, Some(hidden)) => return Place::Hidden(hidden),
    };
    Place::Violates(Violation::new(format!("/volumes/{index}{member}"), path, expected))
}

/// The mounts of a volume that give away what they should not, by their places in the lists of containers and of mount
/// points; and what would have to be shown to know that there are no more.
fn mounts(task: &TaskDefinition, volume: &Volume, gives: Gives) -> (Vec<(usize, usize)>, Option<String>) {
    let (mut open, mut hidden) = (Vec::new(), None);
    for (index, container) in task.container_definitions.items().iter().enumerate() {
        let points = container.mount_points.items().iter().map(|point| is_open(point, volume, gives));
        let states: Vec<Field<bool>> = points.collect();
        open.extend(
            (0..).zip(&states).filter(|(_, state)| **state == Field::Known(true)).map(|(at, _)| (index, at)),
        );
        if container.mount_points.is_hidden() || states.contains(&Field::Hidden) {
            hidden = Some(format!("/containerDefinitions/{index}/mountPoints"));
        }
    }
    (open, hidden)
}

fn is_open(point: &MountPoint, volume: &Volume, gives: Gives) -> Field<bool> {
    let same = point.source_volume.then(|source| volume.name.then(|name| Field::Known(source == name)));
    match (same, gives, &point.read_only) {
        (Field::Known(true), Gives::TheHostToWriters, Field::Known(read_only)) => Field::Known(!read_only),
        (Field::Known(true), Gives::TheHostToWriters, Field::Hidden) => Field::Hidden,
        (same, ..) => same,
    }
}

/// Manual: whatever mounts these does so on purpose, and what it needs in their place (a log driver, the task metadata
/// endpoint, a build service) only its owner can say. What need only not be written is proposed read-only.
fn fix(task: &TaskDefinition, _: &Context<'_>) -> Option<Fix> {
    let mut open = BTreeMap::new();
    for volume in task.volumes.items() {
        let Field::Known((_, path)) = volume.host_path() else { continue };
        let gives = gives(path);
        for at in mounts(task, volume, gives).0.into_iter().filter(|_| gives != Gives::Itself) {
            open.entry(at).and_modify(|worst| *worst = gives.min(*worst)).or_insert(gives);
        }
    }
    let (mut patch, mut what) = (PatchBuilder::new(), BTreeSet::new());
    // From the last to the first: what is taken out moves nothing that is still to be changed.
    for ((index, place), gives) in open.into_iter().rev() {
        let container = task.container_definitions.items().get(index)?;
        let point = container.mount_points.items().get(place)?;
        let volume = point.source_volume.text()?;
        let at = format!("/containerDefinitions/{index}/mountPoints/{place}");
        patch = patch.container(index, container).test(&format!("{at}/sourceVolume"), volume);
        let (name, volume) = (container.label(index), shown(volume));
        if gives == Gives::TheHost {
            patch = patch.remove(&at);
            what.insert(format!("{name} does without {volume}"));
        } else {
            let seen = point.read_only.known().map(|seen| Value::Bool(*seen));
            patch = patch.set(&format!("{at}/readOnly"), seen, true);
            what.insert(format!("{name} only reads {volume}"));
        }
    }
    let what = what.into_iter().collect::<Vec<_>>().join(", ");
    let summary =
        format!("register a revision in which {what}, once whatever needs more has it in another way");
    Some(Fix::new(patch, Safety::Manual, summary))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, Passed, Unknown};
    use crate::controls::table::{check, judge as judged, resource, task};
    use crate::facts::Facts;
    use crate::remediation::{plan, simulate};
    use crate::resource::ResourceType;
    use crate::selection::{Parameters, Selected};

    const PATH: &[&str] = &["/volumes/0/host/sourcePath"];
    const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

    fn with(volumes: Value, containers: &[Value]) -> Value {
        let mut task = task(containers);
        task["volumes"] = volumes;
        task
    }

    fn host(path: &str) -> Value {
        json!([{"name": "v", "host": {"sourcePath": path}}])
    }

    fn mount(name: &str, read_only: Value) -> Value {
        json!({"name": name, "mountPoints": [{"sourceVolume": "v", "containerPath": "/v", "readOnly": read_only}]})
    }

    #[test]
    fn table() {
        let one = |path: &str, read_only: Value| with(host(path), &[mount("agent", read_only)]);
        let docker = |options: Value| {
            let volume = json!([{"name": "v", "dockerVolumeConfiguration": {"driver": "local", "driverOpts": options}}]);
            with(volume, &[mount("agent", Value::Null)])
        };
        const BOUND: &[&str] = &["/volumes/0/dockerVolumeConfiguration/driverOpts/device"];
        check(
            &CONTROL,
            &[
                ("the socket", one("/var/run/docker.sock", Value::Null), Failed(PATH)),
                ("a read-only socket is as open", one("/var/run/docker.sock", json!(true)), Failed(PATH)),
                ("its folder", one("/var/run/", json!(true)), Failed(PATH)),
                ("the root", one("/", json!(true)), Failed(PATH)),
                ("another way to write it", one("/srv/..//run/./docker.sock", Value::Null), Failed(PATH)),
                ("through a process", one("/proc/1/root/run", json!(true)), Failed(PATH)),
                (
                    "containers' logs and variables",
                    one("/var/lib/docker/containers", json!(true)),
                    Failed(PATH),
                ),
                ("a pipe of Windows", one("\\\\.\\pipe\\docker_engine", Value::Null), Failed(PATH)),
                ("processes, to write", one("/proc", json!(false)), Failed(PATH)),
                ("absent is writable", one("/sys/fs/cgroup", Value::Null), Failed(PATH)),
                ("processes, to read, as agents do", one("/proc", json!(true)), Passed),
                ("a file of /etc, to read", one("/etc/passwd", json!(true)), Passed),
                ("all of /etc holds keys", one("/etc", json!(true)), Failed(PATH)),
                ("a folder of its own", one("/srv/data", Value::Null), Passed),
                (
                    "a place that Docker picks",
                    with(json!([{"name": "v", "host": {}}]), &[mount("a", Value::Null)]),
                    Passed,
                ),
                ("no volumes", task(&[json!({"name": "web"})]), Passed),
                (
                    "a name that two volumes share",
                    with(
                        json!([{"name": "v", "host": {"sourcePath": "/proc"}}, {"name": "v", "host": {"sourcePath": "/run"}}]),
                        &[mount("a", json!(false))],
                    ),
                    Failed(&["/volumes/0/host/sourcePath", "/volumes/1/host/sourcePath"]),
                ),
                ("nobody mounts it", with(host("/var/run/docker.sock"), &[json!({"name": "web"})]), Passed),
                (
                    "the second container, and the first does not count",
                    with(host("/proc"), &[mount("reads", json!(true)), mount("writes", json!(false))]),
                    Failed(PATH),
                ),
                (
                    "two mounts in one container, and one in another",
                    with(
                        json!([
                            {"name": "v", "host": {"sourcePath": "/run"}}, {"name": "w", "host": {"sourcePath": "/etc/cron.d"}}
                        ]),
                        &[
                            json!({"name": "a", "mountPoints": [
                                {"sourceVolume": "v", "containerPath": "/a"}, {"sourceVolume": "w", "containerPath": "/b"},
                                {"sourceVolume": "x", "containerPath": "/c"}, {"sourceVolume": "v", "containerPath": "/d"}]}),
                            mount("b", json!(true)),
                        ],
                    ),
                    Failed(&["/volumes/0/host/sourcePath", "/volumes/1/host/sourcePath"]),
                ),
                (
                    "a bind of the local driver",
                    docker(json!({"type": "none", "o": "bind", "device": "/run"})),
                    Failed(BOUND),
                ),
                ("with other options", docker(json!({"o": "ro,rbind", "device": "/run"})), Failed(BOUND)),
                (
                    "a file server",
                    docker(json!({"type": "nfs", "o": "addr=10.0.0.4,rw", "device": ":/run"})),
                    Passed,
                ),
                ("a disk", docker(json!({"type": "ext4", "device": "/dev/xvdf"})), Passed),
                ("a driver without options", docker(Value::Null), Passed),
                ("options that are hidden", docker(json!(HIDDEN)), Unknown),
                ("an option that is hidden", docker(json!({"o": HIDDEN, "device": "/run"})), Unknown),
                ("volumes are hidden", with(json!(HIDDEN), &[mount("a", Value::Null)]), Unknown),
                (
                    "the path is hidden",
                    with(json!([{"name": "v", "host": {"sourcePath": HIDDEN}}]), &[]),
                    Unknown,
                ),
                (
                    "the host is hidden",
                    with(json!([{"name": "v", "host": HIDDEN}]), &[mount("a", Value::Null)]),
                    Unknown,
                ),
                (
                    "mounts are hidden",
                    with(host("/run"), &[json!({"name": "a", "mountPoints": HIDDEN})]),
                    Unknown,
                ),
                (
                    "mounts are hidden, and the path is harmless",
                    with(host("/srv"), &[json!({"name": "a", "mountPoints": HIDDEN})]),
                    Passed,
                ),
                (
                    "what is mounted is hidden",
                    {
                        let point = json!({"sourceVolume": HIDDEN, "containerPath": "/v"});
                        with(host("/run"), &[json!({"name": "a", "mountPoints": [point]})])
                    },
                    Unknown,
                ),
                ("whether it is read-only is hidden", one("/proc", json!(HIDDEN)), Unknown),
                ("it does not matter for the socket", one("/run/docker.sock", json!(HIDDEN)), Failed(PATH)),
            ],
        );
    }

    #[test]
    fn who_mounts_it_is_said_and_the_proposal_takes_no_more_than_it_must() {
        let volumes = json!([
            {"name": "v", "host": {"sourcePath": "/var/run/docker.sock"}}, {"name": "proc", "host": {"sourcePath": "/proc"}}
        ]);
        let points = json!([
            {"sourceVolume": "v", "containerPath": "/a"}, {"sourceVolume": "proc", "containerPath": "/p"},
            {"sourceVolume": "v", "containerPath": "/b", "newer": 1}
        ]);
        let document = with(volumes, &[json!({"name": "a", "mountPoints": points}), mount("b", json!(true))]);
        let resource = resource(ResourceType::TaskDefinition, &document);
        let evaluation = judged(&CONTROL, &resource, Parameters::default());
        let Compliance::Failed(violations) = &evaluation.compliance else { panic!("passes") };
        assert_eq!(violations[0].expected, json!("not mounted by a, b"));
        assert_eq!(violations[1].expected, json!("mounted read-only by a"));
        let selected = Selected { control: &CONTROL, parameters: Parameters::default() };
        let fix = plan(&resource, &evaluation, &Facts::default(), &selected).unwrap();
        assert!(
            fix.summary.contains("a does without v, a only reads proc, b does without v,"),
            "{}",
            fix.summary
        );
        let mended = simulate(&fix.patch, &resource).unwrap().document.value().unwrap();
        let left = json!([{"sourceVolume": "proc", "containerPath": "/p", "readOnly": true}]);
        assert_eq!(mended["containerDefinitions"][0]["mountPoints"], left);
        assert_eq!(mended["containerDefinitions"][1]["mountPoints"], json!([]));
    }
}
