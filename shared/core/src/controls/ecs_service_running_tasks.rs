//! A service that should run tasks runs some.
//!
//! House-keeping, and opt-in. Scaled to zero is as somebody wanted it, and passes; one task of many is enough. While a
//! deployment is under way nothing is said: a service that was just made runs nothing yet. Nor is anything said of
//! services that CodeDeploy or an external controller rolls, which do not tell whether they are rolled right now.

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Ratchet, Rule, Severity, Violation, no_fix,
};
use crate::document::Field;
use crate::facts::Need;
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::Service;

/// No fix: why its tasks do not stay up is in their logs.
pub(super) static CONTROL: Control = Control {
    slug: "ecs-service-running-tasks",
    title: "Services that should run tasks run some",
    severity: Severity::Low,
    standards: &[],
    practice: None,
    rationale: "A service that wants tasks and has none is down, or forgotten: what is forgotten is not patched either.",
    template: "DesiredCount: 0 in AWS::ECS::Service where nothing should run; Terraform: desired_count = 0",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: true,
    parameters: &[],
    rule: Rule::Service(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

const RUNNING: &str = "/runningCount";

fn check(service: &Service, context: &Context<'_>) -> Compliance {
    if !service.active() {
        return Compliance::NotApplicable("the service is not active");
    }
    let unknown = |path: &str| Compliance::Unknown(vec![Need::Member(path.to_owned())]);
    match (&service.desired_count, &service.running_count) {
        (Field::Known(0), _) => return Compliance::Passed,
        (_, Field::Known(running)) if *running > 0 => return Compliance::Passed,
        (Field::Known(_), Field::Known(_)) => {}
        (_, Field::Absent) if context.resource.whole => {
            return Compliance::NotApplicable("the service is still to be made");
        }
        (Field::Known(_), _) => return unknown(RUNNING),
        (Field::Absent | Field::Hidden, _) => return unknown("/desiredCount"),
    }
    match service.controller() {
        Field::Known("ECS") => {}
        Field::Known(_) => {
            return Compliance::NotApplicable("its controller does not tell whether it is rolled right now");
        }
        Field::Absent | Field::Hidden => return unknown("/deploymentController"),
    }
    match service.rolling() {
        Field::Known(_) => Compliance::NotApplicable("a deployment is under way"),
        Field::Hidden => unknown("/deployments"),
        Field::Absent => Compliance::Failed(vec![Violation::new(RUNNING, 0, "at least 1")]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::check;

    #[test]
    fn table() {
        let with = |desired: Value, running: Value, state: &str| {
            json!({"status": "ACTIVE", "desiredCount": desired, "runningCount": running,
                "deployments": [{"id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": state}]})
        };
        let done = |desired: u32, running: u32| with(json!(desired), json!(running), "COMPLETED");
        let mut code_deploy = done(2, 0);
        code_deploy["deploymentController"] = json!({"type": "CODE_DEPLOY"});
        let mut classic = done(2, 0);
        classic["deployments"][0]["rolloutState"] = Value::Null;
        let mut gone = done(2, 0);
        gone["status"] = json!("INACTIVE");
        check(
            &CONTROL,
            &[
                ("none of two", done(2, 0), Failed(&[RUNNING])),
                ("one of two", done(2, 1), Passed),
                ("scaled to zero", done(0, 0), Passed),
                ("its deployment failed", with(json!(2), json!(0), "FAILED"), Failed(&[RUNNING])),
                ("just made", with(json!(2), json!(0), "IN_PROGRESS"), NotApplicable),
                ("nothing tells of a deployment", classic, Unknown),
                ("CodeDeploy", code_deploy, NotApplicable),
                ("gone", gone, NotApplicable),
                ("no count", with(Value::Null, json!(0), "COMPLETED"), Unknown),
                ("hidden", with(json!(2), json!("HIDDEN_DUE_TO_SECURITY_REASONS"), "COMPLETED"), Unknown),
            ],
        );
    }
}
