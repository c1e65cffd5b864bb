//! The reports for people: by resource, worst first; one block a resource and control, however many events. Where there
//! are too many to be read, the worst are whole and the others a line each.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use owo_colors::OwoColorize;
use shipshape_core::control::Control;
use shipshape_core::replay::Messages;

use super::block::colored;
use super::groups::{Calls, Groups, Section};
use super::words::{counts, number, plain, wrap};
use crate::check;
use crate::read::Fault;
use crate::replay;
use crate::tally::{Counterfactual, Found, Tally};

/// How many resources are shown in full.
const WHOLE: usize = 50;

/// The report of `replay`.
pub(crate) fn replay(report: &replay::Report, groups: Groups, full: bool) -> String {
    let replay::Report { faults, strange, tally, messages, fix, fix_by_control } = report;
    let nothing_fails = !groups.fail();
    let (sections, calls) = groups.into_sections(true);
    let mut text = report_of(&sections, full);
    if tally.events.changes == 0 {
        let _infallible = writeln!(text, "Nothing was judged: {}.\n", why_nothing(report));
    } else if nothing_fails {
        // Of what could not be judged once, a later answer may have told.
        let unknown = sections.iter().map(Section::unknown).sum();
        text.push_str(&headline(tally.by_status(), unknown));
    }
    text.push_str(&said(faults));
    line(&mut text, "events", &tally.events.to_string());
    // Where that is all there is, the errors name them.
    if strange.count > 0 && !only_strange(tally) {
        let named: Vec<&str> = strange.named.iter().map(String::as_str).collect();
        let more = match strange.more() {
            0 => String::new(),
            more => format!(", and in {}, which -v names", number(more, "more file")),
        };
        line(&mut text, "no event", &format!("in {}{more}", named.join(", ")));
    }
    let repeats = match tally.repeats() {
        0 => String::new(),
        repeats => format!("; seen again {}", number(repeats as usize, "time")),
    };
    line(&mut text, "judged", &format!("{}{repeats}", counts(tally.by_status())));
    line(&mut text, "decided", &counts(&tally.by_decision()));
    text.push_str(&by_control(tally.by_control(), fix_by_control));
    text.push_str(&missing(&calls, fix.refused_for_roles));
    text.push('\n');
    line(&mut text, "in mode notify:", &told(messages));
    line(&mut text, "in mode fix:", &fix.to_string());
    text
}

/// The report of `check`. A document need not have a name of its own, so files are kept apart.
pub(crate) fn check(report: &check::Report, full: bool) -> String {
    let check::Report { rows, faults, documents, .. } = report;
    let mut groups = Groups::default();
    rows.iter().for_each(|row| groups.add(row, &row.source));
    let mut text = report_of(&groups.into_sections(false).0, full);
    let failed = documents.by_status.get("failed");
    if documents.resources > 0 && failed.is_none() {
        let unknown = documents.by_status.get("unknown").copied().unwrap_or(0);
        text.push_str(&headline(&documents.by_status, unknown));
    }
    text.push_str(&said(faults));
    line(&mut text, "documents", &documents.to_string());
    line(&mut text, "judged", &counts(&documents.by_status));
    text
}

/// What there is to say where nothing fails. That what is unknown complies nobody knows.
fn headline(by_status: &BTreeMap<&'static str, u64>, unknown: u64) -> String {
    let count = |status: &str| by_status.get(status).copied().unwrap_or(0);
    let sentence = match (unknown, count("passed") + count("exempt")) {
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

/// Whether nothing that was read is an event.
fn only_strange(tally: &Tally) -> bool {
    tally.events.read > 0 && replay::no_events(&tally.events) == tally.events.read
}

/// Why nothing was judged.
fn why_nothing(report: &replay::Report) -> &'static str {
    let events = &report.tally.events;
    match (events.read, report.faults.iter().any(|fault| !fault.rejected)) {
        (0, true) => "nothing could be read",
        (0, false) => "the input holds nothing",
        _ if events.unjudged > 0 => "no control judges what changed in the input",
        _ if events.skipped > 0 => "what changed in the input did so outside --since and --until",
        _ if events.stale > 0 => "the input is older than what is known",
        _ if events.rejected > 0 => "what changed in the input is another account's",
        _ if only_strange(&report.tally) => "nothing in the input is an event",
        _ => "nothing in the input changes what is watched",
    }
}

/// How many messages, and what they would have been about.
fn told(messages: &Messages) -> String {
    let Messages { all, unknown } = *messages;
    let about = match (all - unknown, unknown) {
        (_, 0) => String::new(),
        (0, _) => ", about what could not be judged".to_owned(),
        (failed, unknown) => {
            format!(" ({failed} about violations, {unknown} about what could not be judged alone)")
        }
    };
    number(all as usize, "message") + &about
}

/// The columns behind a control that fails; those of mode fix are of a world of its own, and add up to its own number.
type Column = (&'static str, fn(&Counterfactual) -> u64);
const IN_MODE_FIX: [Column; 6] = [
    ("failed", Counterfactual::failed),
    ("fixed", |of| of.fixed),
    ("refused", |of| of.refused),
    ("for a person", |of| of.for_a_person),
    ("not proved", |of| of.unknown),
    ("other", Counterfactual::others),
];

/// How often each control failed, and what mode fix would have done about it; then how often each could not be judged.
/// Columns in which nothing stands are left out.
fn by_control(found: &BTreeMap<&str, Found>, fixed: &BTreeMap<&'static str, Counterfactual>) -> String {
    let none = Counterfactual::default();
    let of = |slug: &str| fixed.get(slug).unwrap_or(&none);
    let failing: Vec<(&str, u64)> =
        found.iter().map(|(slug, found)| (*slug, found.failed)).filter(|(_, failed)| *failed > 0).collect();
    let differs = failing.iter().any(|(slug, failed)| of(slug).failed() != *failed);
    let columns = IN_MODE_FIX.iter().filter(|(title, count)| match *title {
        "failed" => differs,
        _ => failing.iter().any(|(slug, _)| count(of(slug)) > 0),
    });
    let mut columns: Vec<(String, _)> = columns.map(|(title, count)| ((*title).to_owned(), *count)).collect();
    if let Some((title, _)) = columns.first_mut() {
        title.insert_str(0, "in mode fix: ");
    }
    let mut text = String::new();
    if !failing.is_empty() {
        let width = failing.iter().map(|(slug, _)| slug.len()).max().unwrap_or(0);
        let titles: String = columns.iter().map(|(title, _)| format!("  {title}")).collect();
        let _infallible = writeln!(text, "{:<NAMES$} {:<width$}  failed{titles}", "by control".bold(), "");
        for (slug, failed) in failing {
            let _infallible = write!(text, "{:<NAMES$} {slug:<width$}  {failed:>6}", "");
            for (title, count) in &columns {
                let _infallible = write!(text, "  {:>1$}", count(of(slug)), title.len());
            }
            text.push('\n');
        }
    }
    let mut unknown: BTreeMap<Reverse<u64>, Vec<&str>> = BTreeMap::new();
    for (slug, found) in found.iter().filter(|(_, found)| found.unknown > 0) {
        unknown.entry(Reverse(found.unknown)).or_default().push(slug);
    }
    let unknown = unknown.into_iter().map(|(Reverse(count), slugs)| {
        let each = if slugs.len() == 1 { "" } else { " each" };
        format!("{}{each}: {}", number(count as usize, "time"), slugs.join(", "))
    });
    let unknown: Vec<String> = unknown.collect();
    if !unknown.is_empty() {
        line(&mut text, "not judged", &unknown.join("; "));
    }
    text
}

/// What would have told more.
fn missing(calls: &Calls, refused_for_roles: u64) -> String {
    let count = calls.count();
    let mut text = String::new();
    if count > 0 {
        line(&mut text, "--state", &format!("would tell more with {}:", number(count, "answer")));
    }
    let mut of = None;
    for (account, call) in &calls.named {
        if calls.accounts.len() > 1 && of != Some(account) {
            let _infallible = writeln!(text, "{:<NAMES$} in account {}:", "", plain(account));
            of = Some(account);
        }
        let _infallible = writeln!(text, "{:<NAMES$}   {}", "", plain(call));
    }
    if count > calls.named.len() {
        let more = count - calls.named.len();
        let _infallible = writeln!(text, "{:<NAMES$}   and {more} more, which --full names", "");
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
