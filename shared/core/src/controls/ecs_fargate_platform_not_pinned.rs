//! A service on Fargate names no platform version: it takes the newest with every deployment.
//!
//! Stricter than `ecs-fargate-latest-platform`, hence opt-in: `1.4.0` is the newest today and fails here, since it will
//! not be one day and AWS tells nobody by an event. Only `LATEST` and no version pass. What is not on Fargate has none.

use crate::control::fargate::{self, PATH, pinned};
use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Practice, Ratchet, Rule, Severity, Violation,
};
use crate::remediation::{Action, Safety};
use crate::resource::Service;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-fargate-platform-not-pinned",
    title: "Services on Fargate pin no platform version",
    severity: Severity::Low,
    standards: &["CT.ECS.PR.1"],
    practice: Some(Practice::Patching),
    rationale: "A version that is pinned today is an old one some day, and no event tells when. LATEST is looked up \
                again by every deployment.",
    template: "no PlatformVersion in AWS::ECS::Service, or LATEST; Terraform: platform_version = \"LATEST\"",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-fargate.html",
    safety: Safety::Disruptive,
    call: Some(Action::UpdateService),
    ratchet: Ratchet::Code,
    preflight: fargate::PROVES,
    opt_in: true,
    parameters: &[],
    rule: Rule::Service(Functions { check, fix: fargate::fix, preflight: fargate::preflight }),
};

fn check(service: &Service, _: &Context<'_>) -> Compliance {
    match pinned(service) {
        Ok(Some(version)) => Compliance::Failed(vec![Violation::new(PATH, version, "LATEST")]),
        Ok(None) => Compliance::Passed,
        Err(answer) => answer,
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
        let with = |version: Value| json!({"launchType": "FARGATE", "platformVersion": version});
        check(
            &CONTROL,
            &[
                ("the newest", with(json!("LATEST")), Passed),
                ("absent is the newest", with(Value::Null), Passed),
                ("the newest by its number", with(json!("1.4.0")), Failed(&[PATH])),
                ("a word of the future is a pin", with(json!("STABLE")), Failed(&[PATH])),
                ("redacted", with(json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
                ("nothing is shown", json!({}), Unknown),
                ("EC2", json!({"launchType": "EC2"}), NotApplicable),
                ("gone", json!({"status": "INACTIVE", "platformVersion": "1.4.0"}), NotApplicable),
            ],
        );
    }
}
