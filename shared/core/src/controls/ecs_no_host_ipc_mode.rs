//! A task does not share memory, semaphores and message queues with its host.
//!
//! As `ecs-no-host-pid-mode`, for System V and POSIX interprocess communication. Absent leaves it to the host's Docker,
//! which can be set to private or shareable namespaces and not to its own; `task` and `none` comply. Daemons call the
//! host's `shared`. Says nothing of a mounted `/dev/shm`.

use crate::control::namespaces::{leave_the_hosts, not_the_hosts};
use crate::control::{
    Compliance, Context, Control, FARGATE_REFUSES, Functions, MENDED, Practice, Ratchet, Rule, Severity,
};
use crate::preflight;
use crate::remediation::{Action, Fix, Safety};
use crate::resource::TaskDefinition;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-no-host-ipc-mode",
    title: "Tasks do not share the host's IPC namespace",
    severity: Severity::High,
    standards: &[],
    practice: Some(Practice::NonRootAndNonPrivileged),
    rationale: "In the host's IPC namespace a container reads and writes the shared memory of whatever else runs \
                there, the host's own programs among it.",
    template: "remove IpcMode from AWS::ECS::TaskDefinition, or set it to task where containers share memory; \
               Terraform: drop ipc_mode",
    prevention: FARGATE_REFUSES,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html",
    safety: Safety::Disruptive,
    call: Some(Action::RegisterTaskDefinition),
    ratchet: Ratchet::Code,
    preflight: MENDED,
    opt_in: false,
    parameters: &[],
    rule: Rule::TaskDefinition(Functions { check, fix, preflight: preflight::nothing }),
};

const PATH: &str = "/ipcMode";

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    not_the_hosts(&task.ipc_mode, PATH)
}

/// Disruptive: programs that speak through the host's shared memory no longer meet, which no configuration can tell
/// beforehand. Hardly any that serves does, the old revision stays, and the deployment is rolled back if it fails.
fn fix(task: &TaskDefinition, _: &Context<'_>) -> Option<Fix> {
    let patch = leave_the_hosts(&task.ipc_mode, PATH)?;
    let summary =
        "register a revision whose tasks no longer share the host's memory segments, semaphores and queues";
    Some(Fix::new(patch, Safety::Disruptive, summary))
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

    fn one(mode: Value) -> Value {
        let mut task = task(&[json!({"name": "web"})]);
        task["ipcMode"] = mode;
        task
    }

    #[test]
    fn table() {
        let mut inactive = one(json!("host"));
        inactive["status"] = json!("INACTIVE");
        check(
            &CONTROL,
            &[
                ("host", one(json!("host")), Failed(&[PATH])),
                ("absent", task(&[json!({"name": "web"})]), Passed),
                ("null", one(Value::Null), Passed),
                ("empty", one(json!("")), Passed),
                ("task", one(json!("task")), Passed),
                ("none", one(json!("none")), Passed),
                ("a mode of the future", one(json!("service")), Unknown),
                ("a boolean is no mode", one(json!(true)), Unknown),
                ("redacted", one(json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
                ("inactive", inactive, NotApplicable),
            ],
        );
    }

    #[test]
    fn daemons_have_words_of_their_own_and_people_to_mend_them() {
        let daemon = |mode: &str| resource(ResourceType::DaemonTaskDefinition, &one(json!(mode)));
        let answer = |mode: &str| judge(&CONTROL, &daemon(mode), Parameters::default());
        assert_eq!(answer("none").compliance, Compliance::Passed);
        let selected = Selected { control: &CONTROL, parameters: Parameters::default() };
        let fix = plan(&daemon("shared"), &answer("shared"), &Facts::default(), &selected).unwrap();
        assert_eq!(fix.safety, Safety::Manual);
        let mended = simulate(&fix.patch, &daemon("shared")).unwrap().document.value().unwrap();
        assert_eq!(mended.get("ipcMode"), None);
    }
}
