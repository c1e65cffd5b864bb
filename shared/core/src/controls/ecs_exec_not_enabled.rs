//! A service has ECS Exec off.
//!
//! Absent means off. Opt-in: on a bench ECS Exec is a tool, and only who writes the policy knows which services are
//! long-lived and in production; the policy's rules say where it counts, so that there is no parameter for it here.
//! Says nothing of tasks that run: those that started with ECS Exec keep it until they are replaced. Nor of tasks that
//! are run without a service.

use crate::control::{Compliance, Context, Control, Functions, Practice, Ratchet, Rule, Severity, Violation};
use crate::document::Field;
use crate::facts::Need;
use crate::preflight::{Doubts, updatable};
use crate::remediation::{Action, Fix, PatchBuilder, Safety};
use crate::resource::Service;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-exec-not-enabled",
    title: "Services have ECS Exec off",
    severity: Severity::Medium,
    standards: &[],
    practice: Some(Practice::LeastPrivilege),
    rationale: "ECS Exec gives whoever may call ecs:ExecuteCommand a shell beside the program, with its role, its secrets \
                and its data; what is changed there is in no image and no template.",
    template: "EnableExecuteCommand: false in AWS::ECS::Service; Terraform: enable_execute_command = false",
    prevention: "deny ecs:CreateService and ecs:UpdateService with the condition StringEquals \
                 ecs:enable-execute-command = true in an SCP",
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html",
    safety: Safety::Disruptive,
    call: Some(Action::UpdateService),
    ratchet: Ratchet::Iam("ecs:enable-execute-command"),
    preflight: "nobody else manages the service, and ECS takes the update",
    opt_in: true,
    parameters: &[],
    rule: Rule::Service(Functions { check, fix, preflight }),
};

const PATH: &str = "/enableExecuteCommand";

fn check(service: &Service, _: &Context<'_>) -> Compliance {
    if !service.active() {
        return Compliance::NotApplicable("the service is not active");
    }
    match service.enable_execute_command {
        Field::Absent | Field::Known(false) => Compliance::Passed,
        Field::Known(true) => Compliance::Failed(vec![Violation::new(PATH, true, false)]),
        Field::Hidden => Compliance::Unknown(vec![Need::Member(PATH.to_owned())]),
    }
}

/// Disruptive, though nothing restarts: no deployment starts, and the tasks that run keep it. But people lose a way in
/// that they may count on when something is broken, and learn of it then.
fn fix(_: &Service, _: &Context<'_>) -> Option<Fix> {
    let summary = "switch ECS Exec off for tasks that start from now on; this starts no deployment, and the tasks that \
                   run keep it until they are replaced";
    Some(Fix::new(PatchBuilder::new().replace(PATH, true, false), Safety::Disruptive, summary))
}

fn preflight(service: &Service, context: &Context<'_>, doubts: &mut Doubts) {
    updatable(context.resource, service, doubts);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::check;

    #[test]
    fn table() {
        let with = |status: &str, exec: Value| json!({"status": status, "enableExecuteCommand": exec});
        check(
            &CONTROL,
            &[
                ("on", with("ACTIVE", json!(true)), Failed(&[PATH])),
                ("off", with("ACTIVE", json!(false)), Passed),
                ("absent is off", with("ACTIVE", Value::Null), Passed),
                ("a text", with("ACTIVE", json!("true")), Unknown),
                ("redacted", with("ACTIVE", json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
                ("draining", with("DRAINING", json!(true)), NotApplicable),
            ],
        );
    }
}
