//! ECS.10: a service on Fargate runs on the newest platform version.
//!
//! `LATEST` passes, a service that names no version gets it, and so does the newest number: `1.4.0` for Linux, `1.0.0`
//! for Windows, which are counted apart. Whatever is newer passes too. A service is on Fargate by its launch type or by
//! its strategy, which exclude each other. Says nothing of the tasks that run: they keep their version, and the revision
//! of it, until they are replaced, also below a service that says `LATEST`.

use crate::control::fargate::{self, PATH, Version, pinned, windows};
use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Practice, Ratchet, Rule, Severity, Violation,
};
use crate::facts::Need;
use crate::policy::{Parameter, ParameterKind};
use crate::remediation::{Action, Safety};
use crate::resource::Service;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-fargate-latest-platform",
    title: "Services on Fargate run on the newest platform version",
    severity: Severity::Medium,
    standards: &[
        "ECS.10",
        "PCI DSS v4.0.1/6.3.3",
        "NIST SI-2",
        "NIST SI-2(2)",
        "NIST SI-2(4)",
        "NIST SI-2(5)",
    ],
    practice: Some(Practice::Patching),
    rationale: "A platform version is the kernel and the runtime below the containers. An old one is patched late and \
                then retired, and nobody but the service's owner can leave it.",
    template: "PlatformVersion: LATEST in AWS::ECS::Service, or none; Terraform: platform_version = \"LATEST\"",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-10",
    safety: Safety::Disruptive,
    call: Some(Action::UpdateService),
    ratchet: Ratchet::Code,
    preflight: fargate::PROVES,
    opt_in: false,
    parameters: &[
        Parameter {
            name: "linux",
            kind: ParameterKind::Text,
            about: "the oldest version that passes on Linux; unset, it is 1.4.0",
        },
        Parameter {
            name: "windows",
            kind: ParameterKind::Text,
            about: "the oldest version that passes on Windows; unset, it is 1.0.0",
        },
    ],
    rule: Rule::Service(Functions { check, fix: fargate::fix, preflight: fargate::preflight }),
};

fn check(service: &Service, context: &Context<'_>) -> Compliance {
    let named = match pinned(service) {
        Ok(Some(named)) => named,
        Ok(None) => return Compliance::Passed,
        Err(answer) => return answer,
    };
    let Some(version) = Version::read(named) else {
        // A word that came after this was built may mean anything.
        return Compliance::Unknown(vec![Need::Member(PATH.to_owned())]);
    };
    // What the policy says and nobody can read is reached by no version.
    let reaches = |name: &str, newest: &str| {
        let newest = Version::read(context.parameters.text(name).unwrap_or(newest));
        newest.is_some_and(|newest| version >= newest)
    };
    let (on_linux, on_windows) = (reaches("linux", "1.4.0"), reaches("windows", "1.0.0"));
    let passes = match windows(service, context.facts) {
        Some(true) => on_windows,
        Some(false) => on_linux,
        None if on_linux == on_windows => on_linux,
        None => return Compliance::Unknown(vec![system(service)]),
    };
    if passes { Compliance::Passed } else { Compliance::Failed(vec![Violation::new(PATH, named, "LATEST")]) }
}

/// What would tell the operating system: the revision, if it can be named.
fn system(service: &Service) -> Need {
    service.revision().map_or(Need::Member("/platformFamily".to_owned()), Need::Resource)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, check_knowing, check_with, facts, task};
    use crate::selection::Parameters;

    const FAILS: crate::controls::table::Expect = Failed(&[PATH]);

    fn on(kind: &str, family: &str, version: &str) -> Value {
        json!({"status": "ACTIVE", "launchType": kind, "platformFamily": family, "platformVersion": version})
    }

    #[test]
    fn table() {
        let spot = |version: &str| {
            json!({"status": "ACTIVE", "platformFamily": "Linux", "platformVersion": version,
                "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]})
        };
        let neither = |version: Value| json!({"platformFamily": "Linux", "platformVersion": version});
        let mut draining = on("FARGATE", "Linux", "1.3.0");
        draining["status"] = json!("DRAINING");
        let mut external = on("FARGATE", "Linux", "1.3.0");
        external["deploymentController"] = json!({"type": "EXTERNAL"});
        check(
            &CONTROL,
            &[
                ("the newest", on("FARGATE", "Linux", "LATEST"), Passed),
                ("the newest by its number", on("FARGATE", "Linux", "1.4.0"), Passed),
                ("newer than this program", on("FARGATE", "LINUX", "1.10.0"), Passed),
                ("old", on("FARGATE", "Linux", "1.3.0"), FAILS),
                ("Windows", on("FARGATE", "WINDOWS_SERVER_2022_CORE", "1.0.0"), Passed),
                ("Linux of that number", on("FARGATE", "LINUX", "1.0.0"), FAILS),
                ("by its strategy", spot("1.3.0"), FAILS),
                ("the newest by its strategy", spot("LATEST"), Passed),
                ("absent is the newest", json!({"launchType": "FARGATE"}), Passed),
                ("EC2", json!({"launchType": "EC2"}), NotApplicable),
                ("EXTERNAL", json!({"launchType": "EXTERNAL"}), NotApplicable),
                (
                    "hosts of the account's own",
                    json!({"capacityProviderStrategy": [{"capacityProvider": "hosts"}]}),
                    NotApplicable,
                ),
                ("only a version is shown", neither(json!("1.3.0")), FAILS),
                ("nothing is shown", neither(Value::Null), Unknown),
                ("redacted", neither(json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
                ("a word of the future", on("FARGATE", "Linux", "NEWEST"), Unknown),
                ("not a version", on("FARGATE", "Linux", "1.4"), Unknown),
                ("no system, and only one of them complies", json!({"platformVersion": "1.3.0"}), Unknown),
                ("no system, and both comply", json!({"platformVersion": "1.4.0"}), Passed),
                ("no system, and neither complies", json!({"platformVersion": "0.9.0"}), FAILS),
                ("draining", draining, NotApplicable),
                ("its task sets have one", external, NotApplicable),
            ],
        );
    }

    #[test]
    fn the_revision_tells_the_system_where_the_service_does_not() {
        let mut definition = task(&[json!({"name": "web"})]);
        let arn = "arn:aws:ecs:eu-west-1:111122223333:task-definition/checkout:7";
        definition["taskDefinitionArn"] = json!(arn);
        let service = json!({"launchType": "FARGATE", "taskDefinition": arn, "platformVersion": "1.3.0"});
        let linux = facts(&[json!({"taskDefinition": definition})]);
        definition["runtimePlatform"] = json!({"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"});
        let windows = facts(&[json!({"taskDefinition": definition})]);
        check_knowing(&CONTROL, &Parameters::default(), &linux, &[("Linux", service.clone(), FAILS)]);
        check_knowing(&CONTROL, &Parameters::default(), &windows, &[("Windows", service, Passed)]);
    }

    #[test]
    fn the_policy_says_what_is_new() {
        let set = |linux: &str| Parameters::new([("linux".to_owned(), toml::Value::from(linux))]);
        let row = |expect| [("of the policy", on("FARGATE", "Linux", "1.4.0"), expect)];
        check_with(&CONTROL, &set("1.5.0"), &row(FAILS));
        check_with(&CONTROL, &set("1.3.0"), &row(Passed));
        check_with(&CONTROL, &set("newest"), &row(FAILS));
    }
}
