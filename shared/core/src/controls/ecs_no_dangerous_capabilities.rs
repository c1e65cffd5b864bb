//! No container is given Linux capabilities that amount to the host's own rights.
//!
//! What counts is what `add` names, in any case and with or without `CAP_`; `drop` takes nothing of it away, since
//! Docker drops first and adds then. `ALL` is every capability there is to Docker, whatever the API reference says of
//! its default set. A privileged container has them all and Docker ignores its list; it is judged all the same, for
//! once the container is no longer privileged the list holds. SYS_PTRACE passes where the definition is for Fargate
//! alone: there the task has its machine to itself, and it is the one capability that Fargate grants. What Docker
//! gives by default (NET_RAW, MKNOD, …) fails nobody who names it, or dropping ALL and adding little would be worse
//! than doing nothing. Windows has no capabilities. Says nothing of those that only strain the host (SYS_NICE,
//! SYS_TIME, …).

use crate::control::{
    Compliance, Context, Control, FARGATE_REFUSES, Functions, MENDED, Place, Practice, Ratchet, Rule,
    Severity, Violation, every, windows,
};
use crate::document::Field;
use crate::policy::{Parameter, ParameterKind};
use crate::preflight;
use crate::remediation::{Action, Fix, PatchBuilder, Safety};
use crate::resource::TaskDefinition;
use crate::resource::task_definition::Container;
use crate::text::shown;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-no-dangerous-capabilities",
    title: "Containers have no capabilities that amount to the host's rights",
    severity: Severity::High,
    standards: &[],
    practice: Some(Practice::NonRootAndNonPrivileged),
    rationale: "With one of these a container mounts the host's disks, loads code into its kernel, reads any of its \
                files or listens to its network: it is privileged by another name.",
    template: "drop them from LinuxParameters.Capabilities.Add in AWS::ECS::TaskDefinition; Terraform: from \
               \"linuxParameters\" in container_definitions",
    prevention: FARGATE_REFUSES,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_KernelCapabilities.html",
    safety: Safety::Disruptive,
    call: Some(Action::RegisterTaskDefinition),
    ratchet: Ratchet::Code,
    preflight: MENDED,
    opt_in: false,
    parameters: &[Parameter {
        name: "allow",
        kind: ParameterKind::TextList,
        about: "capabilities that containers may have all the same, such as [\"NET_ADMIN\"]",
    }],
    rule: Rule::TaskDefinition(Functions { check, fix, preflight: preflight::nothing }),
};

/// Each of them is known to lead to the host or into its kernel (capabilities(7)), or out of the confinement that is
/// left without it.
const DANGEROUS: &str = "ALL BPF DAC_READ_SEARCH MAC_ADMIN MAC_OVERRIDE NET_ADMIN PERFMON SYS_ADMIN SYS_BOOT \
                         SYS_MODULE SYS_PTRACE SYS_RAWIO";

/// The rest of those that Linux has, Docker's default ones among them.
const OTHERS: &str = "AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE \
                      FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MKNOD NET_BIND_SERVICE \
                      NET_BROADCAST NET_RAW SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_CHROOT SYS_NICE SYS_PACCT \
                      SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM";

/// A capability as Linux calls it, without `CAP_`.
fn name(capability: &str) -> String {
    let name = capability.trim().to_uppercase();
    name.strip_prefix("CAP_").map_or(name.clone(), ToOwned::to_owned)
}

/// Whether a capability is one that amounts to the host's rights; hidden where nobody can tell.
fn is_dangerous(capability: &str, task: &TaskDefinition, context: &Context<'_>) -> Field<bool> {
    let name = name(capability);
    if context.parameters.list("allow").iter().any(|allowed| self::name(allowed) == name) {
        return Field::Known(false);
    }
    let among = |names: &str| names.split(' ').any(|one| one == name);
    match (name.as_str(), task.requires_only("FARGATE")) {
        ("SYS_PTRACE", Field::Known(fargate)) => Field::Known(!fargate),
        ("SYS_PTRACE", Field::Hidden) => Field::Hidden,
        _ if among(DANGEROUS) => Field::Known(true),
        _ if among(OTHERS) => Field::Known(false),
        // One that came after this was built may be any.
        _ => Field::Hidden,
    }
}

fn added(container: &Container) -> Field<&Vec<String>> {
    container.linux_parameters.then(|linux| linux.capabilities.then(|both| both.add.then(Field::Known)))
}

fn check(task: &TaskDefinition, context: &Context<'_>) -> Compliance {
    if let Some(answer) = windows(task, "Windows containers have no Linux capabilities") {
        return answer;
    }
    let containers = task.container_definitions.items().iter().enumerate();
    every(containers.flat_map(|(index, container)| judge(task, context, index, container)))
}

fn judge(task: &TaskDefinition, context: &Context<'_>, index: usize, container: &Container) -> Vec<Place> {
    let at = format!("/containerDefinitions/{index}/linuxParameters");
    let added = match added(container) {
        Field::Absent => return Vec::new(),
        Field::Hidden => return vec![Place::Hidden(at)],
        Field::Known(added) => added.iter().enumerate(),
    };
    let place = |(place, capability): (usize, &String)| {
        let path = format!("{at}/capabilities/add/{place}");
        match is_dangerous(capability, task, context) {
            Field::Known(true) => {
                Place::Violates(Violation::new(path, capability.as_str(), "none that leads to the host"))
            }
            Field::Known(false) | Field::Absent => Place::Fine,
            Field::Hidden => Place::Hidden(path),
        }
    };
    added.map(place).collect()
}

/// Disruptive: what uses the capability (a VPN, a profiler, a storage driver) fails when it does, which no
/// configuration can tell beforehand. Only the dangerous ones go, what is dropped stays dropped, the old revision
/// stays, and the deployment is rolled back if it fails. Who needs one says so by `allow`.
fn fix(task: &TaskDefinition, context: &Context<'_>) -> Option<Fix> {
    let (mut patch, mut what) = (PatchBuilder::new(), Vec::new());
    for (index, container) in task.container_definitions.items().iter().enumerate() {
        let Field::Known(added) = added(container) else { continue };
        let dangerous = |one: &&String| is_dangerous(one, task, context) == Field::Known(true);
        let (taken, kept): (Vec<&String>, Vec<&String>) = added.iter().partition(dangerous);
        if taken.is_empty() {
            continue;
        }
        let path = format!("/containerDefinitions/{index}/linuxParameters/capabilities/add");
        let kept: Vec<&str> = kept.into_iter().map(String::as_str).collect();
        patch = patch.container(index, container);
        patch = match kept.is_empty() {
            true => patch.test(&path, added.as_slice()).remove(&path),
            false => patch.replace(&path, added.as_slice(), kept),
        };
        let taken: Vec<String> = taken.into_iter().map(|one| shown(one)).collect();
        what.push(format!("{} does without {}", container.label(index), taken.join(" and ")));
    }
    let summary = format!("register a revision in which {}", what.join(", "));
    Some(Fix::new(patch, Safety::Disruptive, summary))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, check_with, judge as judged, resource, task};
    use crate::facts::Facts;
    use crate::remediation::{plan, simulate};
    use crate::resource::ResourceType;
    use crate::selection::{Parameters, Selected};

    const FIRST: &[&str] = &["/containerDefinitions/0/linuxParameters/capabilities/add/0"];
    const SECOND: &[&str] = &["/containerDefinitions/0/linuxParameters/capabilities/add/1"];
    const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

    fn adding(add: Value) -> Value {
        task(&[json!({"name": "web", "linuxParameters": {"capabilities": {"add": add, "drop": ["ALL"]}}})])
    }

    fn on(launch_types: Value, add: Value) -> Value {
        let mut task = adding(add);
        task["requiresCompatibilities"] = launch_types;
        task
    }

    #[test]
    fn table() {
        let linux = |linux: Value| task(&[json!({"name": "web", "linuxParameters": linux})]);
        let mut windows = adding(json!(["SYS_ADMIN"]));
        windows["runtimePlatform"] = json!({"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"});
        let mut could = adding(json!(["SYS_PTRACE"]));
        could["compatibilities"] = json!(["EC2", "FARGATE"]);
        let privileged = json!({"name": "web", "privileged": true, "linuxParameters": {"capabilities": {"add": ["SYS_ADMIN"]}}});
        check(
            &CONTROL,
            &[
                ("nothing is said", task(&[json!({"name": "web"})]), Passed),
                ("no capabilities", linux(json!({"initProcessEnabled": true})), Passed),
                ("nothing is added", linux(json!({"capabilities": {"drop": ["ALL"]}})), Passed),
                ("an empty list", adding(json!([])), Passed),
                ("SYS_ADMIN", adding(json!(["SYS_ADMIN"])), Failed(FIRST)),
                ("with CAP_", adding(json!(["CAP_SYS_MODULE"])), Failed(FIRST)),
                ("in any case", adding(json!([" cap_net_admin "])), Failed(FIRST)),
                ("all there are", adding(json!(["all"])), Failed(FIRST)),
                ("newer ones", adding(json!(["CHOWN", "BPF"])), Failed(SECOND)),
                (
                    "two of four",
                    adding(json!(["PERFMON", "KILL", "SYS_RAWIO", "SYS_NICE"])),
                    Failed(&[
                        "/containerDefinitions/0/linuxParameters/capabilities/add/0",
                        "/containerDefinitions/0/linuxParameters/capabilities/add/2",
                    ]),
                ),
                (
                    "what is added is not taken away by what is dropped",
                    linux(json!({"capabilities": {"add": ["SYS_BOOT"], "drop": ["SYS_BOOT"]}})),
                    Failed(FIRST),
                ),
                (
                    "what Docker gives by default",
                    adding(json!(["NET_RAW", "MKNOD", "NET_BIND_SERVICE"])),
                    Passed,
                ),
                ("what strains the host", adding(json!(["SYS_NICE", "SYS_TIME", "IPC_LOCK"])), Passed),
                ("a privileged container ignores them for now", task(&[privileged]), Failed(FIRST)),
                ("SYS_PTRACE on Fargate", on(json!(["FARGATE"]), json!(["SYS_PTRACE"])), Passed),
                ("the rest on Fargate", on(json!(["FARGATE"]), json!(["SYS_ADMIN"])), Failed(FIRST)),
                ("SYS_PTRACE on both", on(json!(["EC2", "FARGATE"]), json!(["SYS_PTRACE"])), Failed(FIRST)),
                (
                    "SYS_PTRACE on hosts of ECS",
                    on(json!(["MANAGED_INSTANCES"]), json!(["SYS_PTRACE"])),
                    Failed(FIRST),
                ),
                ("SYS_PTRACE where it could run on both", could, Failed(FIRST)),
                ("SYS_PTRACE, and where is hidden", on(json!(HIDDEN), json!(["SYS_PTRACE"])), Unknown),
                ("one of the future", adding(json!(["QUANTUM_ADMIN"])), Unknown),
                ("a harmless one beside it", adding(json!(["SYS_ADMIN", "KILL"])), Failed(FIRST)),
                ("the list is hidden", adding(json!(HIDDEN)), Unknown),
                ("no list of texts", adding(json!([7])), Unknown),
                ("capabilities are hidden", linux(json!({"capabilities": HIDDEN})), Unknown),
                ("all parameters are hidden", linux(json!(HIDDEN)), Unknown),
                (
                    "a sidecar",
                    task(&[
                        json!({"name": "web"}),
                        json!({"name": "agent", "essential": false, "linuxParameters": {"capabilities": {"add": ["DAC_READ_SEARCH"]}}}),
                    ]),
                    Failed(&["/containerDefinitions/1/linuxParameters/capabilities/add/0"]),
                ),
                ("Windows", windows, NotApplicable),
            ],
        );
    }

    #[test]
    fn what_the_policy_allows_stays() {
        let allow = Parameters::new([(
            "allow".to_owned(),
            toml::Value::from(vec!["cap_net_admin", "QUANTUM_ADMIN"]),
        )]);
        check_with(
            &CONTROL,
            &allow,
            &[
                ("allowed", adding(json!(["NET_ADMIN"])), Passed),
                ("known to the policy", adding(json!(["QUANTUM_ADMIN"])), Passed),
                ("another beside it", adding(json!(["NET_ADMIN", "SYS_ADMIN"])), Failed(SECOND)),
                ("all is more than it allows", adding(json!(["ALL"])), Failed(FIRST)),
            ],
        );
    }

    #[test]
    fn only_the_dangerous_ones_go() {
        let selected = Selected { control: &CONTROL, parameters: Parameters::default() };
        let rows = [
            (
                json!(["SYS_ADMIN", "CHOWN", "cap_bpf", "KILL"]),
                json!({"add": ["CHOWN", "KILL"], "drop": ["ALL"]}),
            ),
            (json!(["ALL"]), json!({"drop": ["ALL"]})),
        ];
        for (add, left) in rows {
            let resource = resource(ResourceType::TaskDefinition, &adding(add));
            let evaluation = judged(&CONTROL, &resource, Parameters::default());
            let fix = plan(&resource, &evaluation, &Facts::default(), &selected).unwrap();
            let mended = simulate(&fix.patch, &resource).unwrap().document.value().unwrap();
            assert_eq!(mended["containerDefinitions"][0]["linuxParameters"]["capabilities"], left);
        }
    }

    #[test]
    fn daemons_run_on_hosts() {
        let daemon = resource(ResourceType::DaemonTaskDefinition, &adding(json!(["SYS_PTRACE"])));
        let evaluation = judged(&CONTROL, &daemon, Parameters::default());
        let selected = Selected { control: &CONTROL, parameters: Parameters::default() };
        let fix = plan(&daemon, &evaluation, &Facts::default(), &selected).unwrap();
        assert_eq!(fix.safety, Safety::Manual);
    }
}
