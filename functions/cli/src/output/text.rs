//! The reports for people: by resource, worst first; one block a resource and control, however many events.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use owo_colors::OwoColorize;
use shipshape_core::control::{Compliance, Severity};
use shipshape_core::resource::ResourceId;

use super::Row;
use super::block::{Group, block, unjudged};
use super::words::{counts, number, plain, wrap};
use crate::check;
use crate::read::Fault;
use crate::replay;

/// How many of the calls that `--state` lacks the summary names.
const SHOWN_CALLS: usize = 8;

/// The report of `replay`.
pub(crate) fn replay(report: &replay::Report) -> String {
    let replay::Report { rows, faults, tally, messages, fix } = report;
    let mut text = blocks(rows, |row| (&row.resource, ""));
    if tally.events.changes == 0 {
        text.push_str(
            "Nothing was judged: no control judges what changed in the input, if anything did.\n\n",
        );
    } else if !rows.iter().any(|row| matches!(row.compliance, Compliance::Failed(_))) {
        text.push_str("Nothing fails.\n\n");
    }
    text.push_str(&said(faults));
    line(&mut text, "events", &tally.events.to_string());
    let repeats = match tally.repeats() {
        0 => String::new(),
        repeats => format!("; seen again {}", number(repeats as usize, "time")),
    };
    line(&mut text, "judged", &format!("{}{repeats}", counts(tally.by_status())));
    line(&mut text, "decided", &counts(&tally.by_decision()));
    line(&mut text, "by control", &counts(tally.by_control()));
    text.push_str(&missing(rows, fix.refused_for_roles));
    text.push('\n');
    line(&mut text, "in mode notify:", &number(*messages as usize, "message"));
    line(&mut text, "in mode fix:", &fix.to_string());
    text
}

/// The report of `check`. A document need not have a name of its own, so files are kept apart.
pub(crate) fn check(report: &check::Report) -> String {
    let check::Report { rows, faults, documents, .. } = report;
    let mut text = blocks(rows, |row| (&row.resource, &row.source));
    let failed = documents.by_status.get("failed");
    if documents.resources > 0 && failed.is_none() {
        text.push_str("Nothing fails.\n\n");
    }
    text.push_str(&said(faults));
    line(&mut text, "documents", &documents.to_string());
    line(&mut text, "judged", &counts(&documents.by_status));
    text
}

/// A line of a summary: a name, and prose beside it.
fn line(text: &mut String, name: &str, what: &str) {
    let mut name = name;
    for part in wrap(&plain(what), 17) {
        let _infallible = writeln!(text, "{:<16} {part}", name.bold());
        name = "";
    }
}

/// Faults, each in a line of its own, so that they can be searched for.
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

/// What would have told more.
fn missing(rows: &[Row], refused_for_roles: u64) -> String {
    let mut calls: Vec<String> =
        rows.iter().flat_map(|row| [row.needs(), row.preflight_needs()].concat()).collect();
    // What the policy leaves open no document answers.
    calls.retain(|call| !call.starts_with("the policy's"));
    calls.sort();
    calls.dedup();
    let mut text = String::new();
    let mut name = "--state";
    if !calls.is_empty() {
        line(&mut text, name, &format!("would tell more with {}:", number(calls.len(), "answer")));
        name = "";
    }
    for call in calls.iter().take(SHOWN_CALLS) {
        let _infallible = writeln!(text, "{name:<16}   {}", plain(call));
    }
    if calls.len() > SHOWN_CALLS {
        let _infallible = writeln!(text, "{:<16}   and {} more", "", calls.len() - SHOWN_CALLS);
    }
    if refused_for_roles > 0 {
        let what = format!(
            "might answer {}: their task definitions name roles that nothing may be handed yet",
            number(refused_for_roles as usize, "refusal")
        );
        line(&mut text, "--passable-role", &what);
    }
    text
}

/// The blocks, by what they are kept apart by.
fn blocks<'a>(rows: &'a [Row], apart: impl Fn(&'a Row) -> (&'a ResourceId, &'a str)) -> String {
    let mut resources: BTreeMap<(&ResourceId, &str), BTreeMap<&str, Group<'_>>> = BTreeMap::new();
    for row in rows {
        let controls = resources.entry(apart(row)).or_default();
        controls.entry(row.control.slug).or_insert_with(|| Group::new(row)).push(row);
    }
    let mut ordered: Vec<_> =
        resources.into_iter().map(|(key, groups)| (worst(&groups), key, groups)).collect();
    ordered.sort_by(|(a, (a_id, a_source), _), (b, (b_id, b_source), _)| {
        b.cmp(a).then_with(|| (&a_id.arn, a_source).cmp(&(&b_id.arn, b_source)))
    });
    let mut text = String::new();
    for (_, (id, source), groups) in ordered {
        let _infallible = writeln!(text, "{}  {}", plain(id.arn.as_str()).bold(), id.kind.name().dimmed());
        if !source.is_empty() {
            let _infallible = writeln!(text, "{}", plain(source).dimmed());
        }
        let mut groups: Vec<Group<'_>> = groups.into_values().collect();
        groups.sort_by_key(|group| (Reverse(rank(group.shown)), group.shown.control.slug));
        for group in groups.iter().filter(|group| !group.shown.is_unknown()) {
            text.push_str(&block(group));
        }
        text.push_str(&unjudged(&groups));
        text.push('\n');
    }
    text
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
    groups.values().map(|group| rank(group.shown)).max().unwrap_or((0, Severity::Informational))
}
