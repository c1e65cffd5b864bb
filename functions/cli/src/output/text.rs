//! The reports for people: by resource, worst first; one block a resource and control, however many events. Where there
//! are too many to be read, the worst are whole and the others a line each.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use owo_colors::OwoColorize;
use shipshape_core::control::Control;

use super::block::colored;
use super::groups::{Groups, Section};
use super::words::{counts, number, plain, wrap};
use crate::check;
use crate::read::Fault;
use crate::replay;
use crate::tally::{Counterfactual, Tally};

/// How many resources are shown in full.
const WHOLE: usize = 50;

/// The report of `replay`.
pub(crate) fn replay(report: &replay::Report, groups: Groups, full: bool) -> String {
    let replay::Report { faults, tally, messages, fix, fix_by_control } = report;
    let missing = missing(&groups, fix.refused_for_roles);
    let nothing_fails = !groups.fail();
    let sections = groups.into_sections(true);
    let mut text = report_of(&sections, full);
    if tally.events.changes == 0 {
        text.push_str(
            "Nothing was judged: no control judges what changed in the input, if anything did.\n\n",
        );
    } else if nothing_fails {
        text.push_str(&headline(tally.by_status()));
    }
    text.push_str(&said(faults));
    line(&mut text, "events", &tally.events.to_string());
    let repeats = match tally.repeats() {
        0 => String::new(),
        repeats => format!("; seen again {}", number(repeats as usize, "time")),
    };
    line(&mut text, "judged", &format!("{}{repeats}", counts(tally.by_status())));
    line(&mut text, "decided", &counts(&tally.by_decision()));
    if many(&sections) {
        text.push_str(&by_control(tally, fix_by_control));
    } else {
        line(&mut text, "by control", &counts(tally.by_control()));
    }
    text.push_str(&missing);
    text.push('\n');
    line(&mut text, "in mode notify:", &number(*messages as usize, "message"));
    line(&mut text, "in mode fix:", &fix.to_string());
    text
}

/// The report of `check`. A document need not have a name of its own, so files are kept apart.
pub(crate) fn check(report: &check::Report, full: bool) -> String {
    let check::Report { rows, faults, documents, .. } = report;
    let mut groups = Groups::default();
    rows.iter().for_each(|row| groups.add(row, &row.source));
    let mut text = report_of(&groups.into_sections(false), full);
    let failed = documents.by_status.get("failed");
    if documents.resources > 0 && failed.is_none() {
        text.push_str(&headline(&documents.by_status));
    }
    text.push_str(&said(faults));
    line(&mut text, "documents", &documents.to_string());
    line(&mut text, "judged", &counts(&documents.by_status));
    text
}

/// What there is to say where nothing fails. That what is unknown complies nobody knows.
fn headline(by_status: &BTreeMap<&'static str, u64>) -> String {
    let count = |status: &str| by_status.get(status).copied().unwrap_or(0);
    let sentence = match (count("unknown"), count("passed") + count("exempt")) {
        _ if by_status.is_empty() => {
            "Nothing was judged: no selected control has an answer to what was read.".to_owned()
        }
        (0, _) => "Nothing fails.".to_owned(),
        (_, 0) => "Nothing could be judged.".to_owned(),
        (unknown, _) => format!("Nothing fails; {unknown} could not be judged."),
    };
    sentence + "\n\n"
}

/// The width of the names in a summary.
const NAMES: usize = 16;

/// A line of a summary: a name, and prose beside it.
fn line(text: &mut String, name: &str, what: &str) {
    let mut name = name;
    for part in wrap(&plain(what), NAMES + 1) {
        let _infallible = writeln!(text, "{:<NAMES$} {part}", name.bold());
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

/// What each control found, and what mode fix would have done about it.
fn by_control(tally: &Tally, fixed: &BTreeMap<&'static str, Counterfactual>) -> String {
    let mut text = String::new();
    let found = tally.by_control();
    let width = found.keys().map(|slug| slug.len()).max().unwrap_or(0);
    let titles =
        ["not judged", "failed", "in mode fix: fixed", "refused", "for a person", "not proved", "other"];
    let none = Counterfactual::default();
    let mut name = "by control";
    let mut row = |slug: &str, cells: [String; 7]| {
        let _infallible = write!(text, "{:<NAMES$} {slug:<width$}", name.bold());
        for (title, cell) in titles.iter().zip(cells) {
            let _infallible = write!(text, "  {cell:>0$}", title.len());
        }
        text.push('\n');
        name = "";
    };
    row("", titles.map(str::to_owned));
    for (slug, found) in found {
        let (of, unjudged) = (fixed.get(slug).unwrap_or(&none), tally.unjudged(slug));
        let failed = found - unjudged;
        let other = of.waiting + of.over_budget + of.left_alone + of.exempt + of.ended + of.other;
        let cells = [unjudged, failed, of.fixed, of.refused, of.for_a_person, of.unknown, other];
        row(slug, cells.map(|cell| cell.to_string()));
    }
    text
}

/// What would have told more.
fn missing(groups: &Groups, refused_for_roles: u64) -> String {
    let (calls, count) = groups.calls();
    let mut text = String::new();
    let mut name = "--state";
    if count > 0 {
        line(&mut text, name, &format!("would tell more with {}:", number(count, "answer")));
        name = "";
    }
    for call in calls {
        let _infallible = writeln!(text, "{name:<NAMES$}   {}", plain(call));
    }
    if count > calls.len() {
        let _infallible = writeln!(text, "{:<NAMES$}   and {} more", "", count - calls.len());
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

/// What is said of each resource. Of very many the worst are whole, and the others have a line for each control.
fn report_of(sections: &[Section], full: bool) -> String {
    if full || !many(sections) {
        return sections.iter().map(whole).collect();
    }
    let findings = findings(sections);
    let (worst, others) = sections.split_at(WHOLE);
    let mut text = format!(
        "{findings} resources have findings. The {WHOLE} worst stand here as a whole, then the others in a line each, by \
         control; the numbers are at the end.\n{} shows all of them as a whole, {} one control's, {} everything for \
         programs.\n\n",
        "--full".bold(),
        "--control SLUG".bold(),
        "--format json".bold()
    );
    text.extend(worst.iter().map(whole));
    text.push_str(&lines(others));
    text
}

fn findings(sections: &[Section]) -> usize {
    sections.iter().filter(|section| section.is_finding()).count()
}

/// Whether nobody would read them all.
fn many(sections: &[Section]) -> bool {
    findings(sections) > WHOLE
}

fn whole(section: &Section) -> String {
    let mut text = format!("{}  {}\n", section.name().bold(), section.id.kind.name().dimmed());
    if !section.source.is_empty() {
        let _infallible = writeln!(text, "{}", plain(&section.source).dimmed());
    }
    text.push_str(&section.blocks());
    text.push('\n');
    text
}

/// A line for each resource and control, by control. What could not be judged is said of the resource alone.
fn lines(sections: &[Section]) -> String {
    let mut controls: BTreeMap<_, (&Control, &str, Vec<String>)> = BTreeMap::new();
    let mut unknown = Vec::new();
    for section in sections {
        let name = section.name();
        for group in section.groups.iter().filter(|group| group.status != "unknown") {
            let (slug, status) = (group.control.slug, group.status);
            let (.., lines) = controls
                .entry((Reverse(group.rank), slug, status))
                .or_insert_with(|| (group.control, status, Vec::new()));
            lines.push(format!(
                "  {:<8} {name}  {}",
                group.decision.unwrap_or(status),
                group.changed.dimmed()
            ));
        }
        let unjudged = section.groups.iter().filter(|group| group.status == "unknown").count();
        if unjudged > 0 {
            unknown.push(format!("  {name}  {}", number(unjudged, "control").dimmed()));
        }
    }
    let mut text = String::new();
    for (control, status, lines) in controls.into_values() {
        let (severity, count) = (colored(control.severity), lines.len());
        let status = status.replace('_', " ");
        let _infallible = writeln!(
            text,
            "{severity} {}  {status}, {count} more\n{}\n",
            control.slug.bold(),
            lines.join("\n")
        );
    }
    if !unknown.is_empty() {
        let (count, lines) = (number(unknown.len(), "other resource"), unknown.join("\n"));
        let _infallible = writeln!(text, "{}  not judged, {count}\n{lines}\n", "unknown".magenta());
    }
    text
}
