//! The texts for people: a short one for chats, and a letter that is in the order in which somebody who was woken wants
//! to know.

use json_patch::PatchOperation;
use serde_json::Value;

use crate::control::Violation;
use crate::remediation::Action;
use crate::remediation::diff::{Line, lines};
use crate::text::{plain, shown, wrap};

use super::{Notification, Step, Told, Upshot, subject};

/// How wide the letter is.
const WIDTH: usize = 70;
/// How many lines of one list people read.
const LINES: usize = 10;
/// How many findings are told one by one.
const FINDINGS: usize = 20;
/// How many of them with their reasons.
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

/// The letter.
pub(super) fn email(of: &Notification) -> String {
    let mut page = Page::default();
    page.prose("", &headline(of));
    if let Some(owner) = &of.owner {
        page.section("CHANGE IT IN THE TEMPLATE");
        page.prose("  ", &format!("{owner} owns this resource, and puts back what is changed beside it."));
        templates(of, &mut page);
    }
    page.section("WHAT WAS FOUND");
    findings(of, &mut page);
    page.section("WHAT WAS DONE");
    outcome(of, &mut page);
    changes(of, &mut page);
    steps("HOW TO MAKE THAT CHANGE BY HAND", &of.by_hand, &mut page);
    page.section("WHO DID IT");
    page.prose("  ", &who(of));
    if of.at != of.event.time {
        page.prose("  ", &format!("Judged at {}.", of.at));
    }
    let undo = of.undo();
    if !undo.is_empty() {
        steps("HOW TO UNDO IT", &undo, &mut page);
        let changed =
            |told: &&Told| told.upshot == Upshot::Fixed && told.call != Some(Action::RegisterTaskDefinition);
        if of.findings.iter().any(|told| changed(&told)) {
            let again = "That is a violation again, and answered like any other: exempt the resource in the policy first.";
            page.prose("  ", again);
        }
    }
    if of.upshot != Upshot::Unknown {
        page.section("HOW TO PREVENT IT");
        if of.owner.is_none() {
            templates(of, &mut page);
        }
        distinct(of, |told| &told.prevention).into_iter().for_each(|how| page.prose("  - ", how));
    }
    page.text.push_str("\n---\n");
    page.line("", &incident(of));
    page.line("", of.resource.arn.as_str());
    for told in judged(of).take(FINDINGS) {
        page.line("", &format!("{} {}", told.control, told.reference));
    }
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn section(&mut self, title: &str) {
        self.text.push_str(&format!("\n{title}\n"));
    }

    /// A line that people copy, and that is never wrapped.
    fn line(&mut self, start: &str, text: &str) {
        self.text.push_str(&format!("{start}{}\n", plain(text)));
    }

    /// Prose; its other lines begin where its first one's words do.
    fn prose(&mut self, start: &str, text: &str) {
        let mut start = start.to_owned();
        for part in wrap(&plain(text), start.len(), WIDTH) {
            self.text.push_str(&format!("{start}{part}\n"));
            start = " ".repeat(start.len());
        }
    }
}

/// `NOT FIXED high: service shop/checkout fails ecs-service-no-public-ip`
fn headline(of: &Notification) -> String {
    let event = subject::event(of, subject::full_name(&of.resource));
    plain(&format!("{}: {event} ({})", subject::label(of), place(of)))
}

fn place(of: &Notification) -> String {
    let name = of.account_name.as_ref().map_or_else(String::new, |name| format!("{} ", shown(name)));
    format!("{name}{}, {}", of.account, of.region)
}

fn who(of: &Notification) -> String {
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

fn incident(of: &Notification) -> String {
    format!("Incident {}, copy {}", of.incident, of.sequence)
}

fn more(left_out: usize) -> Option<String> {
    (left_out > 0).then(|| format!("… and {left_out} more"))
}

/// The beginning of a text.
fn beginning(text: &str) -> String {
    match text.char_indices().nth(VALUE) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn value(value: &Value) -> String {
    if value.is_null() { "not set".to_owned() } else { beginning(&value.to_string()) }
}

/// `/user (container web) is "root", wanted "1000"`
fn found(told: &Told, one: &Violation) -> String {
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

fn findings(of: &Notification, page: &mut Page) {
    let (unknown, known): (Vec<&Told>, Vec<&Told>) =
        of.findings.iter().partition(|told| told.upshot == Upshot::Unknown);
    let several = of.findings.len() > 1;
    for told in known.iter().take(FINDINGS) {
        if several {
            page.line("  ", &format!("{} {}: {}", subject::word(told), told.severity, told.control));
        }
        let indent = if several { "    " } else { "  " };
        page.prose(indent, &format!("{}.", told.title));
        for one in told.violations.iter().take(LINES) {
            page.prose(&format!("{indent}- "), &found(told, one));
        }
        let left_out = told.violations.len().saturating_sub(LINES) + told.violations_left_out;
        more(left_out).into_iter().for_each(|more| page.line(indent, &more));
        if let Some(document) = &told.found_in {
            page.prose(indent, &format!("In {document}, which it runs."));
        }
        if known.len() <= FEW {
            page.prose(indent, told.rationale.as_str());
        }
    }
    more(known.len().saturating_sub(FINDINGS)).into_iter().for_each(|more| page.line("  ", &more));
    let mut groups: Vec<(&[String], usize, Vec<&str>)> = Vec::new();
    for told in unknown {
        match groups.iter_mut().find(|(needs, ..)| *needs == told.needs) {
            Some((.., controls)) => controls.push(&told.control),
            None => groups.push((&told.needs, told.needs_left_out, vec![&told.control])),
        }
    }
    for (needs, left_out, controls) in groups {
        page.prose("  ", &format!("Not judged, neither good nor bad: {}.", controls.join(", ")));
        page.prose("  ", "What is missing is the answer to");
        needs.iter().take(LINES).for_each(|call| page.line("    ", call));
        more(needs.len().saturating_sub(LINES) + left_out)
            .into_iter()
            .for_each(|more| page.line("    ", &more));
    }
    if let Some(more) = more(of.findings_left_out) {
        page.prose("  ", &format!("{more} controls, by name: {}", of.controls.join(", ")));
    }
}

/// What was done about a finding, or why nothing was.
fn done(told: &Told) -> String {
    let reason = told.decision.as_ref().map_or("", |decision| decision.reason.as_str());
    let call = told.call.map_or("the write", Action::as_str);
    match told.upshot {
        Upshot::Fixed => {
            let summary = told.summary.as_deref().unwrap_or("it is written");
            format!("{call}: {summary}. Allowed, since {reason}.")
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

/// What was done, said once for all findings of which it is true.
fn outcome(of: &Notification, page: &mut Page) {
    let mut groups: Vec<(String, Vec<&Told>)> = Vec::new();
    for told in &of.findings {
        let sentence = done(told);
        match groups.iter_mut().find(|(known, _)| *known == sentence) {
            Some((_, those)) => those.push(told),
            None => groups.push((sentence, vec![told])),
        }
    }
    let several = groups.len() > 1;
    for (sentence, those) in groups {
        if several {
            let slugs: Vec<&str> = those.iter().map(|told| told.control.as_str()).collect();
            page.prose("  ", &format!("{}:", slugs.join(", ")));
        }
        let indent = if several { "    " } else { "  " };
        page.prose(indent, &sentence);
        let mut notes: Vec<&String> =
            those.iter().flat_map(|told| &told.decision).flat_map(|one| &one.notes).collect();
        notes.dedup();
        notes.into_iter().for_each(|note| page.prose(indent, &format!("Note: {note}")));
    }
    if let Some(done) = &of.done {
        page.prose("  ", &format!("{}: {} became {}.", done.call, done.before, done.after));
    }
}

/// The differences; several findings may want the same.
fn changes(of: &Notification, page: &mut Page) {
    let mut seen: Vec<&Told> = Vec::new();
    for told in of.findings.iter().take(FINDINGS) {
        let Some(plan) = &told.plan else { continue };
        let same =
            |known: &&Told| (&known.plan, known.call, known.upshot) == (&told.plan, told.call, told.upshot);
        if seen.iter().any(same) {
            continue;
        }
        if seen.is_empty() {
            page.section(match of.upshot {
                Upshot::Fixed => "WHAT IT CHANGED",
                _ => "WHAT THE FIX CHANGES",
            });
        }
        seen.push(told);
        let summary = told.summary.as_deref().unwrap_or_default();
        if told.upshot == Upshot::Fixed {
            if of.upshot != Upshot::Fixed {
                page.prose("  ", &format!("Written: {summary}."));
            }
        } else {
            let call = told.call.map_or_else(String::new, |call| format!("{call}, "));
            let safety = told.safety.map_or_else(String::new, |safety| format!("{safety}: "));
            page.prose("  ", &format!("{call}{safety}{summary}."));
            preflight(told, page);
        }
        let lines = lines(plan);
        for change in lines.iter().take(LINES) {
            match change {
                Line::Removed(what) => page.line("  - ", &beginning(what)),
                Line::Added(what) => page.line("  + ", &beginning(what)),
            }
        }
        let left_out = lines.len().saturating_sub(LINES) + told.plan_left_out;
        more(left_out).into_iter().for_each(|more| page.line("  ", &more));
    }
}

/// What the pre-flight said, unless the reason quotes it.
fn preflight(told: &Told, page: &mut Page) {
    let Some(preflight) = &told.preflight else { return };
    let quoted = told.decision.as_ref().is_some_and(|decision| decision.reason.contains(&preflight.text));
    match preflight.kind.as_str() {
        "proved" => page.prose("  ", "The pre-flight proves that it can be made."),
        "unknown" => {
            page.prose("  ", "The pre-flight could not prove it without the answer to");
            let calls: Vec<&str> = preflight
                .text
                .strip_prefix("needs ")
                .map_or_else(Vec::new, |calls| calls.split(" · ").collect());
            calls.iter().take(LINES).for_each(|call| page.line("    ", call));
            more(calls.len().saturating_sub(LINES)).into_iter().for_each(|more| page.line("    ", &more));
        }
        _ if quoted => {}
        kind => page.prose("  ", &format!("The pre-flight {kind}: {}.", preflight.text)),
    }
}

fn steps(title: &str, steps: &[Step], page: &mut Page) {
    if steps.is_empty() {
        return;
    }
    page.section(title);
    for step in steps {
        match step {
            Step::Run(command) => page.line("  ", command),
            Step::Say(sentence) => page.prose("  ", sentence),
        }
    }
}

/// How templates and programs say it, each tool on a line of its own, the owner's first.
fn templates(of: &Notification, page: &mut Page) {
    for how in distinct(of, |told| &told.template) {
        match how.split_once("; Terraform: ") {
            Some((template, terraform)) => {
                let terraform = format!("Terraform: {terraform}");
                let mut lines = [template, &terraform];
                if of.owner.as_deref() == Some("Terraform") {
                    lines.reverse();
                }
                lines.into_iter().for_each(|line| page.prose("  - ", line));
            }
            None => page.prose("  - ", how),
        }
    }
}

/// The findings of what could be judged.
fn judged(of: &Notification) -> impl Iterator<Item = &Told> {
    of.findings.iter().filter(|told| told.upshot != Upshot::Unknown)
}

/// A text of every finding that could be judged, each once.
fn distinct<'a>(of: &'a Notification, text: impl Fn(&'a Told) -> &'a String) -> Vec<&'a String> {
    let mut texts: Vec<&String> = Vec::new();
    for told in judged(of).take(FINDINGS) {
        if !texts.contains(&text(told)) {
            texts.push(text(told));
        }
    }
    texts
}
