//! ECS.21: Windows containers name a user that is no administrator.
//!
//! Absent fails, and so do `ContainerAdministrator`, `Administrator` and `SYSTEM`, in any case and with or without what
//! stands before a backslash, and the SIDs of the system and of the administrators. Only where the family says Windows:
//! AWS counts an absent family as Windows here and as Linux in ECS.20, so that every such definition would fail twice.
//! Opt-in, since the API's reference says that `user` is not supported for Windows containers, which is the opposite of
//! what ECS.21 asks for.

use serde_json::Value;

use crate::control::{
    Compliance, Context, Control, Functions, MENDED, NO_KEY, Place, Practice, Ratchet, Rule, Severity,
    Violation, every_container,
};
use crate::document::Field;
use crate::facts::Need;
use crate::preflight;
use crate::remediation::{Action, Fix, PatchBuilder, Safety};
use crate::resource::TaskDefinition;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-container-windows-non-admin",
    title: "Windows containers run as another user than an administrator",
    severity: Severity::Medium,
    standards: &["ECS.21"],
    practice: Some(Practice::NonRootAndNonPrivileged),
    rationale: "An administrator in the container changes everything in it and in every folder that is mounted, and \
                is nearer to the host's kernel than a user is.",
    template: "User: ContainerUser in the container of AWS::ECS::TaskDefinition; Terraform: \"user\": \
               \"ContainerUser\" in container_definitions; or USER ContainerUser in the image",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-21",
    safety: Safety::Manual,
    call: Some(Action::RegisterTaskDefinition),
    ratchet: Ratchet::Code,
    preflight: MENDED,
    opt_in: true,
    parameters: &[],
    rule: Rule::TaskDefinition(Functions { check, fix, preflight: preflight::nothing }),
};

/// The user that Windows images bring along beside the administrator.
const PROPOSED: &str = "ContainerUser";
const EXPECTED: &str = "a user that is no administrator";

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    match task.windows() {
        Field::Known(true) => {}
        Field::Hidden => return Compliance::Unknown(vec![Need::Member("/runtimePlatform".to_owned())]),
        Field::Known(false) | Field::Absent => {
            return Compliance::NotApplicable("the definition does not say that it is for Windows");
        }
    }
    every_container(task, |container, at| {
        let path = format!("{at}/user");
        match &container.user {
            Field::Known(user) if !is_administrator(user) => Place::Fine,
            Field::Known(user) => Place::Violates(Violation::new(path, user.as_str(), EXPECTED)),
            Field::Absent => Place::Violates(Violation::new(path, Value::Null, EXPECTED)),
            Field::Hidden => Place::Hidden(path),
        }
    })
}

fn is_administrator(user: &str) -> bool {
    let name = user.rsplit('\\').next().unwrap_or_default().trim().to_lowercase();
    // The last two are the SIDs of the system and of the administrators.
    matches!(
        name.as_str(),
        "" | "containeradministrator"
            | "administrator"
            | "system"
            | "localsystem"
            | "s-1-5-18"
            | "s-1-5-32-544"
    )
}

/// Manual: whether the program may write where it has to, and whether the platform takes a user at all, shows when it
/// starts.
fn fix(task: &TaskDefinition, _: &Context<'_>) -> Option<Fix> {
    let (mut patch, mut names) = (PatchBuilder::new(), Vec::new());
    for (index, container) in task.container_definitions.items().iter().enumerate() {
        let seen = match &container.user {
            Field::Known(seen) if is_administrator(seen) => Some(Value::from(seen.as_str())),
            Field::Absent => None,
            Field::Known(_) | Field::Hidden => continue,
        };
        let path = format!("/containerDefinitions/{index}/user");
        patch = patch.container(index, container).set(&path, seen, PROPOSED);
        names.push(container.label(index));
    }
    let summary = format!(
        "register a revision in which {} runs as {PROPOSED}, once it was seen to start so",
        names.join(", ")
    );
    Some(Fix::new(patch, Safety::Manual, summary))
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
        let with = |family: Value, containers: &[Value]| {
            let mut task = task(containers);
            task["runtimePlatform"] = json!({ "operatingSystemFamily": family });
            task
        };
        let one =
            |user: Value| with(json!("WINDOWS_SERVER_2022_CORE"), &[json!({"name": "web", "user": user})]);
        let mut hidden = task(&[json!({"name": "web"})]);
        hidden["runtimePlatform"] = json!(HIDDEN);
        check(
            &CONTROL,
            &[
                ("absent", one(Value::Null), Failed(FIRST)),
                ("empty", one(json!("")), Failed(FIRST)),
                ("the administrator", one(json!("ContainerAdministrator")), Failed(FIRST)),
                ("in any case", one(json!("CONTAINERADMINISTRATOR")), Failed(FIRST)),
                ("with its authority", one(json!("User Manager\\ContainerAdministrator")), Failed(FIRST)),
                ("the system", one(json!("NT AUTHORITY\\SYSTEM")), Failed(FIRST)),
                ("the system's SID", one(json!("S-1-5-18")), Failed(FIRST)),
                ("the administrators' SID", one(json!("s-1-5-32-544")), Failed(FIRST)),
                ("another SID", one(json!("S-1-5-19")), Passed),
                ("nobody of a domain", one(json!("CORP\\")), Failed(FIRST)),
                ("the user", one(json!("ContainerUser")), Passed),
                ("a user of a domain", one(json!("CORP\\svc-web")), Passed),
                ("a name that begins so", one(json!("administrators")), Passed),
                ("redacted", one(json!(HIDDEN)), Unknown),
                (
                    "one of two",
                    with(
                        json!("WINDOWS_SERVER_2019_FULL"),
                        &[json!({"name": "a", "user": "ContainerUser"}), json!({"name": "b"})],
                    ),
                    Failed(&["/containerDefinitions/1/user"]),
                ),
                ("Linux", with(json!("LINUX"), &[json!({"name": "web"})]), NotApplicable),
                ("no family", task(&[json!({"name": "web"})]), NotApplicable),
                ("the family is hidden", with(json!(HIDDEN), &[json!({"name": "web"})]), Unknown),
                ("the platform is hidden", hidden, Unknown),
            ],
        );
    }
}
