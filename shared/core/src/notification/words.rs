//! What is said of a notification in sentences, whatever the text that they stand in; and the short text for chats.

use json_patch::PatchOperation;
use serde_json::Value;

use crate::control::Violation;
use crate::remediation::{Action, Safety};
use crate::text::{plain, shown};

use super::{Notification, Step, Told, Upshot, subject};

/// How many violations a chat shows.
const FEW: usize = 3;
/// How much of a value people read, in characters.
const VALUE: usize = 200;

/// A text of a few lines.
pub(super) fn chat(of: &Notification) -> String {
    let mut lines = vec![headline(of)];
    let mut line = |text: String| lines.push(plain(&text));
    if let Some(lead) = of.findings.first() {
        lead.violations.iter().take(FEW).for_each(|one| line(found(lead, one)));
        more(lead.violations.len().saturating_sub(FEW) + lead.violations_left_out)
            .into_iter()
            .for_each(&mut line);
        lead.needs.first().into_iter().for_each(|call| line(format!("Missing: {call}")));
        line(done(lead));
        if let Some(owner) = &of.owner {
            line(format!("{owner} owns it, change it there: {}", lead.template));
        }
    }
    line(who(of));
    let by_hand = if of.owner.is_none() { of.by_hand.clone() } else { Vec::new() };
    let steps = [("Undo", of.undo()), ("By hand", by_hand)];
    for (label, steps) in steps {
        for step in steps {
            let (Step::Run(what) | Step::Say(what)) = step;
            line(format!("{label}: {what}"));
        }
    }
    line(incident(of));
    lines.join("\n")
}

/// `NOT FIXED high: service shop/checkout fails ecs-service-no-public-ip`
pub(super) fn headline(of: &Notification) -> String {
    let event = subject::event(of, subject::full_name(&of.resource));
    let more = match subject::others(of) {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    plain(&format!("{}: {event}{more} ({})", subject::label(of), place(of)))
}

fn place(of: &Notification) -> String {
    let name = of.account_name.as_ref().map_or_else(String::new, |name| format!("{} ", shown(name)));
    format!("{name}{}, {}", of.account, of.region)
}

pub(super) fn who(of: &Notification) -> String {
    let event = &of.event;
    format!(
        "{} by {} with {} at {}, in {}.",
        event.name,
        shown(&event.actor),
        tool(&event.origin),
        event.time,
        place(of)
    )
}

/// The tool of an event in a sentence.
fn tool(origin: &str) -> &str {
    match origin {
        "cloudformation" => "CloudFormation",
        "cdk" => "the CDK",
        "terraform" => "Terraform",
        "pulumi" => "Pulumi",
        "console" => "the console",
        "cli" => "the AWS CLI",
        "sdk" => "an SDK",
        "service" => "an AWS service",
        "ecs" => "ECS itself",
        "shipshape" => "Shipshape",
        _ => "an unknown tool",
    }
}

pub(super) fn incident(of: &Notification) -> String {
    format!("Incident {}, message {}", of.incident, of.sequence)
}

pub(super) fn more(left_out: usize) -> Option<String> {
    (left_out > 0).then(|| format!("… and {left_out} more"))
}

/// The beginning of a text.
pub(super) fn beginning(text: &str) -> String {
    match text.char_indices().nth(VALUE) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn value(value: &Value) -> String {
    if value.is_null() { "not set".to_owned() } else { beginning(&value.to_string()) }
}

/// `/user (container web) is "root", wanted "1000"`
pub(super) fn found(told: &Told, one: &Violation) -> String {
    let container =
        container(told, &one.path).map_or_else(String::new, |name| format!(" (container {name})"));
    format!("{}{container} is {}, wanted {}", one.path, value(&one.actual), value(&one.expected))
}

/// The container that a path leads into, where the plan makes sure of its name.
fn container(told: &Told, path: &str) -> Option<String> {
    let index = path.strip_prefix("/containerDefinitions/")?.split('/').next()?;
    let wanted = format!("/containerDefinitions/{index}/name");
    told.plan.as_ref()?.0.iter().find_map(|operation| match operation {
        PatchOperation::Test(test) if test.path.as_str() == wanted => test.value.as_str().map(shown),
        _ => None,
    })
}

/// Whether a fix was written that a deployment of its own has to bring about.
pub(super) fn rolls(told: &Told) -> bool {
    let deploys = told.call == Some(Action::UpdateService) && told.safety == Some(Safety::Disruptive);
    told.upshot == Upshot::Fixed && deploys
}

/// What was done about a finding, or why nothing was.
pub(super) fn done(told: &Told) -> String {
    let reason = told.decision.as_ref().map_or("", |decision| decision.reason.as_str());
    let call = told.call.map_or("the write", Action::as_str);
    match told.upshot {
        Upshot::Fixed => {
            let summary = told.summary.as_deref().unwrap_or("it is written");
            let rest = match told.call {
                Some(Action::RegisterTaskDefinition) => {
                    " Services that run the old one still do: each move is told by its own message."
                }
                _ if rolls(told) => " Whether it holds, that deployment tells.",
                _ => "",
            };
            format!("{call}: {summary}. Allowed, since {reason}.{rest}")
        }
        Upshot::Failed => format!("{call} failed: {reason}."),
        Upshot::Notified => format!("Nothing was written: {}.", without_calls(told, reason)),
        Upshot::Unknown => "Nothing was written: what cannot be judged is not fixed.".to_owned(),
    }
}

/// A reason without the calls that its pre-flight wants, which stand in lines of their own.
fn without_calls<'a>(told: &Told, reason: &'a str) -> &'a str {
    let wanted = told.preflight.as_ref().filter(|preflight| preflight.kind == "unknown");
    wanted.and_then(|wanted| reason.strip_suffix(&format!("; it {}", wanted.text))).unwrap_or(reason)
}
