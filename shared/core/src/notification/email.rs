//! The letter, in the order in which somebody who was woken wants to know.

use crate::control::NO_KEY;
use crate::remediation::Action;
use crate::remediation::diff::{Line, lines};
use crate::text::{plain, wrap};

use super::words::{beginning, done, found, headline, incident, more, who};
use super::{Notification, Step, Told, Upshot, subject};

/// How wide the letter is.
const WIDTH: usize = 70;
/// How many lines of one list people read.
const LINES: usize = 10;
/// How many findings are told one by one.
const FINDINGS: usize = 20;
/// How many of them with their reasons.
const FEW: usize = 3;

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
    if of.findings.iter().any(|told| told.upshot == Upshot::Unknown) {
        page.section("WHAT TO DO ABOUT WHAT IS NOT JUDGED");
        let next = "Make the call that is missing. Where it is refused, the function's role lacks it too; where it finds nothing, there is nothing to do; and what it shows is judged with the next change, or by `shipshape check` at once.";
        page.prose("  ", next);
    }
    changes(of, &mut page);
    if of.owner.is_none() {
        steps("HOW TO MAKE THAT CHANGE BY HAND", &of.by_hand, &mut page);
    }
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
        preventions(of, &mut page);
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

fn findings(of: &Notification, page: &mut Page) {
    let (unknown, known): (Vec<&Told>, Vec<&Told>) =
        of.findings.iter().partition(|told| told.upshot == Upshot::Unknown);
    let several = of.findings.len() > 1;
    for told in known.iter().take(FINDINGS) {
        if several {
            page.line("  ", &format!("{} {}: {}", subject::word(told), told.severity, told.control));
        }
        let indent = if several { "    " } else { "  " };
        page.prose(indent, &format!("Wanted: {}.", told.title));
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

/// How to prevent it, and of which controls nothing can: that is one sentence for all of them.
fn preventions(of: &Notification, page: &mut Page) {
    let several = of.findings.len() > 1;
    for how in distinct(of, |told| &told.prevention) {
        if several && how == NO_KEY {
            let those = judged(of).filter(|told| told.prevention == *how);
            let slugs: Vec<&str> = those.map(|told| told.control.as_str()).collect();
            page.prose("  - ", &format!("{}: {how}", slugs.join(", ")));
        } else {
            page.prose("  - ", how);
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
