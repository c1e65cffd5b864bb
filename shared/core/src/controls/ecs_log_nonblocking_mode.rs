//! Log drivers do not stop the program that logs.
//!
//! Where a container names no mode, the account's setting `defaultLogDriverMode` decides; where that is not known, nobody
//! can tell, since AWS made `non-blocking` its own default in June 2025. What one user or role set for itself is not
//! looked at. Containers without a driver are not judged, and neither are those that log through FireLens: ECS connects
//! them without waiting, and what stands in their options is the router's own configuration, which knows no mode.
//! Availability, not security: a buffer that is full drops lines, which an audit log must not.

use serde_json::{Value, json};

use crate::control::{
    Compliance, Context, Control, Functions, MENDED, NO_KEY, Ratchet, Rule, Severity, Violation,
};
use crate::document::Field;
use crate::facts::Need;
use crate::preflight;
use crate::remediation::{Action, Fix, PatchBuilder, Safety};
use crate::resource::TaskDefinition;
use crate::resource::task_definition::Container;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-log-nonblocking-mode",
    title: "Log drivers do not block their containers",
    severity: Severity::Low,
    standards: &[],
    practice: None,
    rationale: "In blocking mode a program waits whenever its log can't be delivered: an outage of CloudWatch Logs becomes \
                one of everything that writes to it.",
    template: "mode: non-blocking in the LogConfiguration Options of AWS::ECS::TaskDefinition; Terraform: \"mode\": \
               \"non-blocking\" in the options of container_definitions; or aws_ecs_account_setting_default { name = \
               \"defaultLogDriverMode\" value = \"non-blocking\" }",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LogConfiguration.html",
    safety: Safety::Manual,
    call: Some(Action::RegisterTaskDefinition),
    ratchet: Ratchet::Code,
    preflight: MENDED,
    opt_in: true,
    parameters: &[],
    rule: Rule::TaskDefinition(Functions { check, fix, preflight: preflight::nothing }),
};

const SETTING: &str = "defaultLogDriverMode";
const WANTED: &str = "non-blocking";

/// How a container logs.
enum Mode<'a> {
    NotJudged,
    NonBlocking,
    /// With what its options say.
    Blocking(Option<&'a str>),
    /// By the account's setting, which is not known.
    Unset(Need),
    Hidden(String),
}

fn mode<'a>(container: &'a Container, index: usize, context: &Context<'_>) -> Mode<'a> {
    let at = format!("/containerDefinitions/{index}/logConfiguration");
    let log = &container.log_configuration;
    match log.then(|log| log.log_driver.then(Field::Known)) {
        Field::Absent => return Mode::NotJudged,
        Field::Known(driver) if driver == "awsfirelens" => return Mode::NotJudged,
        Field::Known(_) => {}
        Field::Hidden => return Mode::Hidden(at),
    }
    let at = format!("{at}/options/mode");
    match log.then(|log| log.options.then(|options| options.mode.then(Field::Known))) {
        Field::Known(mode) if mode == WANTED => Mode::NonBlocking,
        Field::Known(mode) if mode == "blocking" => Mode::Blocking(Some(mode.as_str())),
        Field::Known(_) | Field::Hidden => Mode::Hidden(at),
        Field::Absent => {
            let place = &context.resource.id.arn;
            match context.facts.account_setting(place, SETTING) {
                Some(WANTED) => Mode::NonBlocking,
                Some("blocking") => Mode::Blocking(None),
                _ => Need::account_setting(place, SETTING).map_or(Mode::Hidden(at), Mode::Unset),
            }
        }
    }
}

fn check(task: &TaskDefinition, context: &Context<'_>) -> Compliance {
    let (mut violations, mut needs, mut judged) = (Vec::new(), Vec::new(), false);
    for (index, container) in task.container_definitions.items().iter().enumerate() {
        let mode = mode(container, index, context);
        judged |= !matches!(mode, Mode::NotJudged);
        match mode {
            Mode::NotJudged | Mode::NonBlocking => {}
            Mode::Blocking(seen) => {
                let path = format!("/containerDefinitions/{index}/logConfiguration/options/mode");
                violations.push(Violation::new(path, seen.map_or(Value::Null, Value::from), WANTED));
            }
            Mode::Unset(need) => needs.push(need),
            Mode::Hidden(path) => needs.push(Need::Member(path)),
        }
    }
    needs.dedup();
    match judged {
        true => Compliance::of(violations, needs),
        false => Compliance::NotApplicable("no container has a log driver that could block it"),
    }
}

/// Manual: which lines may be lost when the buffer is full is for those to say who have to keep them. Containers that
/// name no mode get one with the others, whatever the account's setting is.
fn fix(task: &TaskDefinition, context: &Context<'_>) -> Option<Fix> {
    let (mut patch, mut names) = (PatchBuilder::new(), Vec::new());
    for (index, container) in task.container_definitions.items().iter().enumerate() {
        let seen = match mode(container, index, context) {
            Mode::Blocking(seen) => seen.map(Value::from),
            Mode::Unset(_) => None,
            Mode::NotJudged | Mode::NonBlocking | Mode::Hidden(_) => continue,
        };
        let log = container.log_configuration.known()?;
        let at = format!("/containerDefinitions/{index}/logConfiguration");
        patch = patch.container(index, container).test(&format!("{at}/logDriver"), log.log_driver.text()?);
        patch = match &log.options {
            Field::Absent => patch.add(&format!("{at}/options"), json!({"mode": WANTED})),
            Field::Known(_) | Field::Hidden => patch.set(&format!("{at}/options/mode"), seen, WANTED),
        };
        names.push(container.label(index));
    }
    let summary = format!(
        "register a revision in which {} logs without waiting; lines are lost when the buffer (max-buffer-size) is full, \
         which an audit log must not do",
        names.join(", ")
    );
    Some(Fix::new(patch, Safety::Manual, summary))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, check_knowing, facts, judge, resource, task};
    use crate::resource::ResourceType;
    use crate::selection::Parameters;

    const PATH: &[&str] = &["/containerDefinitions/0/logConfiguration/options/mode"];

    fn one(log: Value) -> Value {
        task(&[json!({"name": "web", "logConfiguration": log})])
    }

    fn with(mode: &str) -> Value {
        one(json!({"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web", "mode": mode}}))
    }

    #[test]
    fn table() {
        let hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";
        check(
            &CONTROL,
            &[
                ("non-blocking", with("non-blocking"), Passed),
                ("blocking", with("blocking"), Failed(PATH)),
                (
                    "any driver",
                    one(json!({"logDriver": "splunk", "options": {"mode": "blocking"}})),
                    Failed(PATH),
                ),
                ("a mode of the future", with("dropping"), Unknown),
                ("redacted", with(hidden), Unknown),
                (
                    "one that names none beside one that blocks",
                    task(&[
                        json!({"name": "a", "logConfiguration": {"logDriver": "awslogs", "options": {"mode": "blocking"}}}),
                        json!({"name": "b", "logConfiguration": {"logDriver": "awslogs"}}),
                    ]),
                    Failed(PATH),
                ),
                (
                    "options that are redacted",
                    one(json!({"logDriver": "awslogs", "options": hidden})),
                    Unknown,
                ),
                ("a configuration that is redacted", one(json!(hidden)), Unknown),
                (
                    "no mode, and nothing is known of the account",
                    one(json!({"logDriver": "awslogs"})),
                    Unknown,
                ),
                ("no driver", one(json!({"options": {"mode": "blocking"}})), NotApplicable),
                ("no configuration", task(&[json!({"name": "web"})]), NotApplicable),
                (
                    "FireLens",
                    one(json!({"logDriver": "awsfirelens", "options": {"Name": "cloudwatch_logs"}})),
                    NotApplicable,
                ),
                (
                    "a container without a driver beside",
                    task(&[
                        json!({"name": "a"}),
                        json!({"name": "b", "logConfiguration": {"logDriver": "awslogs", "options": {"mode": WANTED}}}),
                    ]),
                    Passed,
                ),
            ],
        );
    }

    #[test]
    fn the_accounts_setting_decides_where_no_mode_is_named() {
        let setting = |value: &str, principal: &str| {
            facts(&[json!({"settings": [
                {"name": "containerInsights", "value": "enabled", "principalArn": "arn:aws:iam::111122223333:root", "type": "user"},
                {"name": SETTING, "value": value, "principalArn": format!("arn:aws:iam::{principal}"), "type": "user"}]})])
        };
        let silent = || one(json!({"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web"}}));
        let bare = || one(json!({"logDriver": "awslogs"}));
        let none = Parameters::default();
        let root = "111122223333:root";
        check_knowing(
            &CONTROL,
            &none,
            &setting("non-blocking", root),
            &[
                ("non-blocking", silent(), Passed),
                ("the container's own word wins", with("blocking"), Failed(PATH)),
            ],
        );
        check_knowing(
            &CONTROL,
            &none,
            &setting("blocking", root),
            &[
                ("blocking", silent(), Failed(PATH)),
                ("blocking, without options", bare(), Failed(PATH)),
                ("the container's own word wins", with("non-blocking"), Passed),
            ],
        );
        for (value, principal) in
            [("dropping", root), ("blocking", "444455556666:root"), ("blocking", "111122223333:user/mary")]
        {
            let facts = setting(value, principal);
            check_knowing(&CONTROL, &none, &facts, &[(principal, silent(), Unknown)]);
        }
    }

    #[test]
    fn what_is_not_known_is_asked_for() {
        let document = one(json!({"logDriver": "awslogs"}));
        let resource = resource(ResourceType::TaskDefinition, &document);
        let Compliance::Unknown(needs) = judge(&CONTROL, &resource, Parameters::default()).compliance else {
            panic!("judged");
        };
        assert_eq!(needs[0].call(), "aws ecs list-account-settings --effective-settings");
    }
}
