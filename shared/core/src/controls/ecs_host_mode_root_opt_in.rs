//! ECS.1, which AWS retired in March 2026: on the host's network a container is privileged on purpose, or runs as
//! another user than root.
//!
//! Either satisfies it, as AWS had it: `privileged: true` was taken for a choice that somebody made. Every container
//! counts. Concerns `networkMode: host` alone. For reports that still cite ECS.1, hence opt-in;
//! `ecs-container-not-privileged`, `ecs-no-host-network-mode` and `ecs-container-non-root-user` are what replaced it,
//! and say what to do.

use serde_json::Value;

use crate::control::namespaces::{Network, network, unknown_network};
use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Place, Practice, Ratchet, Rule, Severity, Violation,
    every_container, is_root, no_fix,
};
use crate::document::Field;
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::TaskDefinition;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-host-mode-root-opt-in",
    title: "On the host's network, containers are privileged on purpose or run without root",
    severity: Severity::High,
    standards: &["ECS.1"],
    practice: Some(Practice::NonRootAndNonPrivileged),
    rationale: "Root on the host's network that nobody asked for has the host's ports and neighbours, and is there by \
                default, not by decision.",
    template: "NetworkMode: awsvpc in AWS::ECS::TaskDefinition, or User: \"1000:1000\" in its containers; Terraform: \
               network_mode = \"awsvpc\", or \"user\" in container_definitions",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/config/latest/developerguide/ecs-task-definition-user-for-host-mode-check.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: true,
    parameters: &[],
    // The controls that replaced it carry the plans; to set `privileged` would satisfy it, and loosen.
    rule: Rule::TaskDefinition(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    match network(task) {
        Network::Host => {}
        Network::Own | Network::Docker => {
            return Compliance::NotApplicable("the task does not use the host's network");
        }
        Network::Unknown => return unknown_network(),
    }
    every_container(task, |container, at| {
        let path = format!("{at}/user");
        let root = match &container.user {
            Field::Known(user) => Field::Known(is_root(user)),
            Field::Absent => Field::Known(true),
            Field::Hidden => Field::Hidden,
        };
        match (&container.privileged, root) {
            (Field::Known(true), _) | (_, Field::Known(false)) => Place::Fine,
            (Field::Hidden, _) => Place::Hidden(format!("{at}/privileged")),
            (_, Field::Hidden) => Place::Hidden(path),
            (Field::Known(false) | Field::Absent, Field::Known(true) | Field::Absent) => {
                let actual = container.user.text().map_or(Value::Null, Value::from);
                Place::Violates(Violation::new(path, actual, "a user other than root"))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, task};

    const FIRST: &[&str] = &["/containerDefinitions/0/user"];
    const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

    #[test]
    fn table() {
        let with = |mode: Value, containers: &[Value]| {
            let mut task = task(containers);
            task["networkMode"] = mode;
            task
        };
        let one = |user: Value, privileged: Value| {
            with(json!("host"), &[json!({"name": "web", "user": user, "privileged": privileged})])
        };
        check(
            &CONTROL,
            &[
                ("neither is set", with(json!("host"), &[json!({"name": "web"})]), Failed(FIRST)),
                ("root and not privileged", one(json!("root"), json!(false)), Failed(FIRST)),
                ("uid 0", one(json!("0:1000"), Value::Null), Failed(FIRST)),
                ("another user", one(json!("1000"), Value::Null), Passed),
                ("gid 0 is not root", one(json!("1000:0"), json!(false)), Passed),
                ("privileged alone is a choice", one(Value::Null, json!(true)), Passed),
                ("root and privileged", one(json!("root"), json!(true)), Passed),
                ("both", one(json!("app"), json!(true)), Passed),
                (
                    "every container counts",
                    with(
                        json!("host"),
                        &[json!({"name": "a", "user": "app"}), json!({"name": "b", "essential": false})],
                    ),
                    Failed(&["/containerDefinitions/1/user"]),
                ),
                ("bridge", with(json!("bridge"), &[json!({"name": "web"})]), NotApplicable),
                ("awsvpc", with(json!("awsvpc"), &[json!({"name": "web"})]), NotApplicable),
                ("absent", task(&[json!({"name": "web"})]), NotApplicable),
                ("a mode of the future", with(json!("host-v2"), &[json!({"name": "web"})]), Unknown),
                ("the mode is hidden", with(json!(HIDDEN), &[json!({"name": "web"})]), Unknown),
                ("the user is hidden", one(json!(HIDDEN), Value::Null), Unknown),
                ("privileged is hidden", one(json!("root"), json!(HIDDEN)), Unknown),
                ("privileged is hidden, and it does not matter", one(json!("app"), json!(HIDDEN)), Passed),
                ("the user is hidden, and it does not matter", one(json!(HIDDEN), json!(true)), Passed),
            ],
        );
    }
}
