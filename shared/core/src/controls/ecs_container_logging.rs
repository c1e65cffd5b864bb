//! ECS.9: every container's output goes somewhere.
//!
//! A missing object, `null` and an empty driver fail. The driver itself is not judged. A FireLens router is a
//! container like any other.

use serde_json::{Value, json};

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Place, Practice, Ratchet, Rule, Severity, Violation,
    every_container,
};
use crate::document::Field;
use crate::facts::Need;
use crate::policy::{Parameter, ParameterKind};
use crate::preflight::Doubts;
use crate::remediation::{Action, Fix, PatchBuilder, Safety};
use crate::resource::TaskDefinition;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-container-logging",
    title: "Every container has a log driver",
    severity: Severity::High,
    standards: &["ECS.9", "NIST AC-4(26)", "NIST AU-2", "NIST AU-3", "NIST AU-10", "NIST AU-12", "NIST CA-7"],
    practice: Some(Practice::LoggingAndMonitoring),
    rationale: "What a container says is gone with it, unless a log driver takes it away: after an incident nobody \
                can tell what happened.",
    template: "LogConfiguration: {LogDriver: awslogs, Options: {…}} in every container of AWS::ECS::TaskDefinition; \
               Terraform: \"logConfiguration\" in container_definitions",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-9",
    safety: Safety::Disruptive,
    call: Some(Action::RegisterTaskDefinition),
    ratchet: Ratchet::Code,
    preflight: "an execution role that may write to the log group, which exists; roles are within PassableRoles; for \
                the service: ECS rolls it, the same images, no deployment under way",
    opt_in: false,
    parameters: &[Parameter {
        name: "group",
        kind: ParameterKind::Text,
        about: "the log group of mended containers; {family} is replaced; unset, it is /ecs/{family}",
    }],
    rule: Rule::TaskDefinition(Functions { check, fix, preflight }),
};

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    every_container(task, |container, at| {
        let path = format!("{at}/logConfiguration");
        let driver = match &container.log_configuration {
            Field::Absent => Field::Absent,
            Field::Hidden => Field::Hidden,
            Field::Known(log) => log.log_driver.clone(),
        };
        match driver {
            Field::Known(_) => Place::Fine,
            Field::Absent => Place::Violates(Violation::new(path, Value::Null, "a log driver")),
            Field::Hidden => Place::Hidden(path),
        }
    })
}

fn group(task: &TaskDefinition, context: &Context<'_>) -> Option<String> {
    let family = task.family.text()?;
    Some(context.parameters.text("group").unwrap_or("/ecs/{family}").replace("{family}", family))
}

/// Disruptive: a task whose logs can't be written does not start. Non-blocking, since a full buffer would otherwise
/// stop the program.
fn fix(task: &TaskDefinition, context: &Context<'_>) -> Option<Fix> {
    let group = group(task, context)?;
    // What is not registered yet has no Region.
    let region =
        Some(context.resource.id.arn.region()).filter(|region| !region.is_empty()).unwrap_or("<Region>");
    let mut patch = PatchBuilder::new();
    let mut names = Vec::new();
    for (index, container) in task.container_definitions.items().iter().enumerate() {
        let without = match &container.log_configuration {
            Field::Absent => true,
            Field::Known(log) => log.log_driver.is_absent(),
            Field::Hidden => false,
        };
        if !without {
            continue;
        }
        let name = container.label(index);
        let options = json!({
            "awslogs-group": group, "awslogs-region": region, "awslogs-stream-prefix": name, "mode": "non-blocking"
        });
        let log = json!({"logDriver": "awslogs", "options": options});
        let path = format!("/containerDefinitions/{index}/logConfiguration");
        patch = patch.container(index, container).add(&path, log);
        names.push(name);
    }
    let summary = format!(
        "register a revision in which {} logs to {group}; CloudWatch bills what is written",
        names.join(", ")
    );
    Some(Fix::new(patch, Safety::Disruptive, summary))
}

fn preflight(task: &TaskDefinition, context: &Context<'_>, doubts: &mut Doubts) {
    let Some(group) = group(task, context) else { return doubts.need(Need::Member("/family".to_owned())) };
    if !context.facts.has_log_group(&group) {
        doubts.need(Need::LogGroup(group.clone()));
    }
    match task.execution_role_arn.text() {
        Some(role) => doubts.need(Need::LogRights(role.to_owned())),
        None => doubts.refuse(
            "no execution role",
            format!("the task definition has no execution role, so that nothing may write to {group}: give it one with logs:CreateLogStream and logs:PutLogEvents"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::table::Expect::{Failed, Passed, Unknown};
    use crate::controls::table::{check, check_with, task};
    use crate::selection::Parameters;

    const FIRST: &[&str] = &["/containerDefinitions/0/logConfiguration"];

    #[test]
    fn table() {
        let one = |log: Value| task(&[json!({"name": "web", "logConfiguration": log})]);
        let rows = [
            ("awslogs", one(json!({"logDriver": "awslogs"})), Passed),
            ("any driver", one(json!({"logDriver": "splunk"})), Passed),
            ("absent", task(&[json!({"name": "web"})]), Failed(FIRST)),
            ("null", one(Value::Null), Failed(FIRST)),
            ("no driver", one(json!({})), Failed(FIRST)),
            ("empty driver", one(json!({"logDriver": ""})), Failed(FIRST)),
            ("redacted", one(json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
            (
                "one of two",
                task(&[
                    json!({"name": "a", "logConfiguration": {"logDriver": "awslogs"}}),
                    json!({"name": "b"}),
                ]),
                Failed(&["/containerDefinitions/1/logConfiguration"]),
            ),
            (
                "the router itself",
                task(&[json!({"name": "router", "firelensConfiguration": {"type": "fluentbit"}})]),
                Failed(FIRST),
            ),
        ];
        check(&CONTROL, &rows);
        let group = Parameters::new([("group".to_owned(), toml::Value::from("/central/{family}"))]);
        check_with(&CONTROL, &group, &rows);
    }
}
