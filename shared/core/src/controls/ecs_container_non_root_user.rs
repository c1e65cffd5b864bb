//! ECS.20: Linux containers name a user other than root.
//!
//! The user is the part before the colon: gid 0 is not root. Absent fails, as AWS has it, although the image may
//! set a user of its own. Numbers are read as numbers: `00` is root. Windows containers are ECS.21's.

use serde_json::Value;

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Place, Practice, Ratchet, Rule, Severity, Violation,
    every_container, is_root, windows,
};
use crate::document::Field;
use crate::policy::{Parameter, ParameterKind};
use crate::preflight;
use crate::remediation::{Action, Fix, PatchBuilder, Safety};
use crate::resource::TaskDefinition;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-container-non-root-user",
    title: "Linux containers run as another user than root",
    severity: Severity::Medium,
    standards: &["ECS.20"],
    practice: Some(Practice::NonRootAndNonPrivileged),
    rationale: "Root in the container is root in every mounted volume, and one flaw of the kernel or the runtime away \
                from root on the host.",
    template: "User: \"1000:1000\" in the container of AWS::ECS::TaskDefinition; Terraform: \"user\": \"1000:1000\" in \
               container_definitions",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-20",
    safety: Safety::Manual,
    call: Some(Action::RegisterTaskDefinition),
    ratchet: Ratchet::Code,
    preflight: "the policy names the user; roles are within PassableRoles; for the service: ECS rolls it, the same \
                images, no deployment under way",
    opt_in: false,
    parameters: &[Parameter {
        name: "user",
        kind: ParameterKind::Text,
        about: "the user that mended containers run as, such as \"1000:1000\"; unset, a person has to choose",
    }],
    rule: Rule::TaskDefinition(Functions { check, fix, preflight: preflight::nothing }),
};

/// What the plan proposes where nobody named a user.
const PROPOSED: &str = "1000:1000";
const EXPECTED: &str = "a user other than root";

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    if let Some(answer) = windows(task, "Windows containers have no root user") {
        return answer;
    }
    every_container(task, |container, at| {
        let path = format!("{at}/user");
        match &container.user {
            Field::Known(user) if !is_root(user) => Place::Fine,
            Field::Known(user) => Place::Violates(Violation::new(path, user.as_str(), EXPECTED)),
            Field::Absent => Place::Violates(Violation::new(path, Value::Null, EXPECTED)),
            Field::Hidden => Place::Hidden(path),
        }
    })
}

/// Manual, unless the policy names the user: which files and ports a user may have is the image's business. Then
/// Disruptive: the owner chose, and the deployment is rolled back if it fails.
fn fix(task: &TaskDefinition, context: &Context<'_>) -> Option<Fix> {
    let named = context.parameters.text("user").filter(|user| !is_root(user));
    let (user, safety) = named.map_or((PROPOSED, Safety::Manual), |user| (user, Safety::Disruptive));
    let mut patch = PatchBuilder::new();
    let mut names = Vec::new();
    for (index, container) in task.container_definitions.items().iter().enumerate() {
        let seen = match &container.user {
            Field::Known(seen) if is_root(seen) => Some(Value::from(seen.as_str())),
            Field::Absent => None,
            Field::Known(_) | Field::Hidden => continue,
        };
        patch =
            patch.container(index, container).set(&format!("/containerDefinitions/{index}/user"), seen, user);
        names.push(container.label(index));
    }
    let names = names.join(", ");
    let summary = match safety {
        Safety::Manual => format!(
            "register a revision in which {names} runs as a user that its image is made for; {user} is a guess (set \
             user under [controls.ecs-container-non-root-user] to have it done)"
        ),
        Safety::Disruptive | Safety::Safe => format!("register a revision in which {names} runs as {user}"),
    };
    Some(Fix::new(patch, safety, summary))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, check_with, task};
    use crate::selection::Parameters;

    const PATH: &[&str] = &["/containerDefinitions/0/user"];

    #[test]
    fn table() {
        let one = |user: &str| task(&[json!({"name": "web", "user": user})]);
        let mut windows = task(&[json!({"name": "web"})]);
        windows["runtimePlatform"] = json!({"operatingSystemFamily": "WINDOWS_SERVER_2019_CORE"});
        let rows = [
            ("absent", task(&[json!({"name": "web"})]), Failed(PATH)),
            ("empty", one(""), Failed(PATH)),
            ("root", one("root"), Failed(PATH)),
            ("root and a group", one("root:wheel"), Failed(PATH)),
            ("uid 0", one("0"), Failed(PATH)),
            ("uid and gid 0", one("0:0"), Failed(PATH)),
            ("uid 0 and a group", one("0:1000"), Failed(PATH)),
            ("zeros", one("00"), Failed(PATH)),
            ("plus zero", one("+0"), Failed(PATH)),
            ("minus zero", one("-0"), Failed(PATH)),
            ("a group alone", one(":1000"), Failed(PATH)),
            ("uid", one("1000"), Passed),
            ("gid 0 is not root", one("1000:0"), Passed),
            ("a name", one("app"), Passed),
            ("a name and a group", one("app:app"), Passed),
            ("a name that begins so", one("rooted"), Passed),
            ("redacted", one("HIDDEN_DUE_TO_SECURITY_REASONS"), Unknown),
            ("Windows", windows, NotApplicable),
        ];
        check(&CONTROL, &rows);
        let named = Parameters::new([("user".to_owned(), toml::Value::from("10001"))]);
        check_with(&CONTROL, &named, &rows);
    }

    #[test]
    fn root_as_the_policys_user_is_not_taken() {
        let named = Parameters::new([("user".to_owned(), toml::Value::from("0:1000"))]);
        check_with(&CONTROL, &named, &[("absent", task(&[json!({"name": "web"})]), Failed(PATH))]);
    }
}
