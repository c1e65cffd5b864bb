//! The report for people: by resource, worst first; one block a resource and control, however many events.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use owo_colors::OwoColorize;
use shipshape_core::control::{Compliance, Severity};
use shipshape_core::ledger::Outcome;
use shipshape_core::remediation::Action;
use shipshape_core::resource::ResourceId;

use super::diff::{Line, lines};
use super::{Row, plain};
use crate::read::Fault;
use crate::tally::Tally;

/// The report of `replay`.
pub(crate) fn replay(rows: &[Row], faults: &[Fault], tally: &Tally, fix: &Tally) -> String {
    let mut text = blocks(rows);
    text.push_str(&said(faults));
    let mut line = |name: &str, what: String| {
        let _infallible = writeln!(text, "{:<16} {what}", name.bold());
    };
    line("events", tally.events.to_string());
    line("judged", format!("{}, {} repeats", counts(tally.by_status()), tally.repeats()));
    line("decided", or_nothing(counts(&tally.by_decision())));
    line("by control", or_nothing(counts(tally.by_control())));
    line("in mode notify", format!("{} messages", tally.messages_in_notify));
    line("in mode fix", fix.counterfactual().to_string());
    let mut missing: Vec<String> = rows.iter().flat_map(calls).collect();
    missing.sort();
    missing.dedup();
    for (index, call) in missing.iter().take(SHOWN_CALLS).enumerate() {
        line(if index == 0 { "--state wants" } else { "" }, plain(call));
    }
    if missing.len() > SHOWN_CALLS {
        line("", format!("and {} more (--format json has all)", missing.len() - SHOWN_CALLS));
    }
    text
}

/// How many of the calls that `--state` lacks the summary names.
const SHOWN_CALLS: usize = 5;

/// The report of `check`.
pub(crate) fn check(
    rows: &[Row],
    faults: &[Fault],
    documents: usize,
    judged: &BTreeMap<&'static str, u64>,
) -> String {
    let mut text = blocks(rows);
    text.push_str(&said(faults));
    let _infallible =
        writeln!(text, "{:<16} {documents} resources; {}", "checked".bold(), or_nothing(counts(judged)));
    text
}

fn counts(counts: &BTreeMap<&'static str, u64>) -> String {
    counts.iter().map(|(what, count)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
}

fn or_nothing(text: String) -> String {
    if text.is_empty() { "nothing".to_owned() } else { text }
}

fn said(faults: &[Fault]) -> String {
    let mut text = String::new();
    for fault in faults {
        let word = if fault.rejected { "rejected" } else { "error" };
        let _infallible = writeln!(text, "{}: {}", word.red().bold(), plain(&fault.to_string()));
    }
    if !faults.is_empty() {
        text.push('\n');
    }
    text
}

/// Rows of one resource and control.
type Group<'a> = Vec<&'a Row>;

fn blocks(rows: &[Row]) -> String {
    let mut resources: BTreeMap<&ResourceId, BTreeMap<&str, Group<'_>>> = BTreeMap::new();
    for row in rows {
        resources.entry(&row.resource).or_default().entry(row.control.slug).or_default().push(row);
    }
    let mut ordered: Vec<_> =
        resources.into_iter().map(|(id, groups)| (worst(&groups), id, groups)).collect();
    ordered.sort_by(|(a, a_id, _), (b, b_id, _)| b.cmp(a).then_with(|| a_id.arn.cmp(&b_id.arn)));
    if ordered.is_empty() {
        return "Nothing fails.\n\n".to_owned();
    }
    let mut text = String::new();
    for (_, id, groups) in ordered {
        let _infallible = writeln!(text, "{}  {}", plain(id.arn.as_str()).bold(), id.kind.name().dimmed());
        let mut groups: Vec<Group<'_>> = groups.into_values().collect();
        groups.sort_by_key(|group| (std::cmp::Reverse(rank(shown(group))), shown(group).control.slug));
        for group in groups.iter().filter(|group| !unknown(shown(group))) {
            block(&mut text, group);
        }
        not_judged(&mut text, &groups);
        text.push('\n');
    }
    text
}

fn unknown(row: &Row) -> bool {
    matches!(row.compliance, Compliance::Unknown(_))
}

/// Controls that lack the same facts are said together.
fn not_judged(text: &mut String, groups: &[Group<'_>]) {
    let mut by_call: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for row in groups.iter().map(|group| shown(group)).filter(|row| unknown(row)) {
        by_call.entry(plain(&calls(row).join(" · "))).or_default().push(row.control.slug);
    }
    for (call, slugs) in by_call {
        let _infallible = writeln!(text, "  {}       not judged: {}", "unknown".magenta(), slugs.join(", "));
        let _infallible = writeln!(text, "{:16}needs {call}", "");
    }
}

/// The calls that would answer what a row lacks.
fn calls(row: &Row) -> Vec<String> {
    match &row.compliance {
        Compliance::Unknown(needs) => {
            let mut calls: Vec<String> = needs.iter().map(|need| need.of(&row.resource).call()).collect();
            calls.dedup();
            calls
        }
        _ => Vec::new(),
    }
}

/// How much a row weighs: what fails before what is unknown, then by severity.
fn rank(row: &Row) -> (u8, Severity) {
    let weight = match row.compliance {
        Compliance::Failed(_) if row.exempt.is_none() => 3,
        Compliance::Failed(_) => 2,
        Compliance::Unknown(_) => 1,
        Compliance::Passed | Compliance::NotApplicable(_) => 0,
    };
    (weight, row.control.severity)
}

fn worst(groups: &BTreeMap<&str, Group<'_>>) -> (u8, Severity) {
    groups.values().map(|group| rank(shown(group))).max().unwrap_or((0, Severity::Informational))
}

/// The row that stands for a group: the last one that was not a repeat.
fn shown<'a>(group: &[&'a Row]) -> &'a Row {
    let last = group.iter().rev().find(|row| row.outcome != Some(Outcome::Repeated));
    last.or(group.last()).copied().expect("a group has rows")
}

fn block(text: &mut String, group: &[&Row]) {
    let row = shown(group);
    let mut line = |indent: usize, what: &str| {
        let _infallible = writeln!(text, "{:indent$}{what}", "");
    };
    let severity = row.control.severity.as_str();
    let severity = match row.control.severity {
        Severity::Critical | Severity::High => severity.red().to_string(),
        Severity::Medium => severity.yellow().to_string(),
        Severity::Low | Severity::Informational => severity.dimmed().to_string(),
    };
    let pad = " ".repeat(13usize.saturating_sub(row.control.severity.as_str().len()));
    let status = row.compliance.status().replace('_', " ");
    line(2, &format!("{severity}{pad} {}  {status}{}", row.control.slug.bold(), times(group)));
    // Who began it: later events may only have shown that it is still so.
    let began = group.iter().find(|one| one.incident == row.incident).and_then(|one| one.cause.as_ref());
    if let Some(cause) = began {
        let (actor, origin) = (plain(&cause.actor.to_string()), cause.origin);
        line(16, &format!("{} {} by {actor}, {origin}", cause.time, cause.api));
    }
    match &row.compliance {
        Compliance::Failed(violations) => {
            if let Some(document) = &row.found_in {
                line(16, &format!("it runs {}", plain(document.arn.name())));
            }
            for one in violations {
                line(16, &plain(&format!("{} is {}, wanted {}", one.path, one.actual, one.expected)));
            }
        }
        Compliance::NotApplicable(reason) => line(16, reason),
        Compliance::Unknown(_) | Compliance::Passed => {}
    }
    if let Some(fix) = &row.fix {
        let call = Action::of(row.resource.kind).map_or_else(String::new, |action| format!("{action}, "));
        line(16, &format!("{} {} ({call}{})", "plan:".cyan(), plain(&fix.summary), fix.safety));
        for change in lines(&fix.patch) {
            match change {
                Line::Removed(what) => line(18, &format!("- {}", plain(&what)).red().to_string()),
                Line::Added(what) => line(18, &format!("+ {}", plain(&what)).green().to_string()),
            }
        }
    }
    // A decision that rests on the pre-flight quotes it.
    if let Some(readiness) = &row.readiness
        && !row.ruling.as_ref().is_some_and(|ruling| ruling.reason.text.contains(&readiness.text))
    {
        line(16, &format!("{} {}: {}", "pre-flight".cyan(), readiness.kind, plain(&readiness.text)));
    } else if row.readiness.as_ref().is_some_and(|readiness| readiness.kind == "proved") {
        line(16, &format!("{} proved", "pre-flight".cyan()));
    }
    if let Some(exempt) = &row.exempt {
        line(16, &plain(exempt));
    }
    if let Some(ruling) = &row.ruling {
        let outcome = match &row.outcome {
            Some(Outcome::Waiting(wait)) => format!(", until {} at the latest", wait.latest()),
            _ => String::new(),
        };
        line(16, &format!("{} {}{outcome}", format!("{}:", ruling.kind).bold(), plain(&ruling.reason.text)));
        if let (Some(at), Some(cause), Some(began)) = (row.at, &row.cause, began)
            && at != began.time
        {
            line(16, &format!("judged again at {at}, last seen in {}", cause.api));
        }
    }
    for note in &row.notes {
        line(16, &format!("{} {}", "note:".yellow(), plain(note)));
    }
}

/// How often it was found: incidents and repeats.
fn times(group: &[&Row]) -> String {
    let repeats = group.iter().filter(|row| row.outcome == Some(Outcome::Repeated)).count();
    let mut incidents: Vec<_> = group.iter().filter_map(|row| row.incident.as_ref()).collect();
    incidents.sort();
    incidents.dedup();
    let again = match repeats {
        0 => String::new(),
        1 => "seen again once".to_owned(),
        repeats => format!("seen again {repeats} times"),
    };
    match (incidents.len(), again.as_str()) {
        (0 | 1, "") => String::new(),
        (0 | 1, again) => format!(" ({again})"),
        (changes, "") => format!(" (the last of {changes} changes)"),
        (changes, again) => format!(" (the last of {changes} changes, and {again})"),
    }
}
