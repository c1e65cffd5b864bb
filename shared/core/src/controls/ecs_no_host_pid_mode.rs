//! ECS.3: a task does not see the processes of its host.
//!
//! The mode is the task's, not a container's. Absent means a namespace for each container, `task` one for the task:
//! both comply. Daemons call the host's `shared`, and their own `none`. Says nothing of a mounted `/proc`, which shows
//! the same processes and gives no hold of them.

use crate::control::namespaces::{leave_the_hosts, not_the_hosts};
use crate::control::{
    Compliance, Context, Control, FARGATE_REFUSES, Functions, MENDED, Practice, Ratchet, Rule, Severity,
};
use crate::preflight;
use crate::remediation::{Action, Fix, Safety};
use crate::resource::TaskDefinition;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-no-host-pid-mode",
    title: "Tasks do not share the host's process namespace",
    severity: Severity::High,
    standards: &["ECS.3", "NIST CA-9(1)", "NIST CM-2"],
    practice: Some(Practice::NonRootAndNonPrivileged),
    rationale: "Among the host's processes a container sees the command lines and, as the same user, the variables of \
                every other task, and may stop them; with SYS_PTRACE it becomes them.",
    template: "remove PidMode from AWS::ECS::TaskDefinition, or set it to task where sidecars watch their own task; \
               Terraform: drop pid_mode",
    prevention: FARGATE_REFUSES,
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-3",
    safety: Safety::Disruptive,
    call: Some(Action::RegisterTaskDefinition),
    ratchet: Ratchet::Code,
    preflight: MENDED,
    opt_in: false,
    parameters: &[],
    rule: Rule::TaskDefinition(Functions { check, fix, preflight: preflight::nothing }),
};

const PATH: &str = "/pidMode";

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    not_the_hosts(&task.pid_mode, PATH)
}

/// Disruptive: what watches other tasks' processes (profilers, security agents) no longer finds them, which no
/// configuration can tell beforehand. Whatever serves does not look beyond itself, the old revision stays, and the
/// deployment is rolled back if it fails. An agent that goes blind may run on all the same: exempt it.
fn fix(task: &TaskDefinition, _: &Context<'_>) -> Option<Fix> {
    let patch = leave_the_hosts(&task.pid_mode, PATH)?;
    let summary = "register a revision whose tasks no longer see the host's processes";
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
        task["pidMode"] = mode;
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
                (
                    "in a container it is no member of the API",
                    task(&[json!({"name": "web", "pidMode": "host"})]),
                    Passed,
                ),
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
        assert_eq!(mended.get("pidMode"), None);
    }
}
