//! One block of a report: what one control says of one resource, and what is done about it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use owo_colors::OwoColorize;
use shipshape_core::control::{Compliance, Control, Severity, Violation};
use shipshape_core::finding::Cause;
use shipshape_core::ledger::Outcome;
use shipshape_core::remediation::diff::{Line, lines};
use shipshape_core::remediation::{Action, Fix, provisional_arn};
use shipshape_core::text::shown;

use super::Row;
use super::words::{plain, wrap};

/// Where a block's content begins, and where what stands beside a label does.
const INDENT: usize = 11;
const COLUMN: usize = INDENT + 12;

/// The first lines of a block: the control, and how often it answered so.
pub(crate) fn head(control: &Control, status: &str, times: &str) -> String {
    let (severity, slug) = (colored(control.severity), control.slug.bold());
    let status = status.replace('_', " ");
    format!("  {severity} {slug}  {status}{times}\n{:INDENT$}{}\n", "", control.title)
}

/// A severity in its colour, as wide as the widest.
pub(crate) fn colored(severity: Severity) -> String {
    let word = pad(severity.as_str());
    match severity {
        Severity::Critical | Severity::High => word.red().to_string(),
        Severity::Medium => word.yellow().to_string(),
        Severity::Low | Severity::Informational => word.dimmed().to_string(),
    }
}

/// The other lines of a block, out of the row that stands for all. Later events may only have shown that it is still
/// so: who began it is another matter.
pub(crate) fn body(row: &Row, began: Option<&Cause>) -> String {
    let mut block = Block::default();
    if let Some(cause) = began {
        let who = format!("{}  {} by {}, {}", cause.time, cause.api, cause.actor, cause.origin);
        block.line("changed", &plain(&who));
    }
    if let Some(document) = &row.found_in {
        block.line("runs", &plain(document.arn.name()));
    }
    match &row.compliance {
        Compliance::Failed(violations) => block.violations(violations, &row.containers),
        Compliance::NotApplicable(reason) => block.prose("because", reason),
        Compliance::Unknown(_) | Compliance::Passed => {}
    }
    if let Some(fix) = &row.fix {
        block.plan(fix);
    }
    block.readiness(row);
    if let Some(ruling) = &row.ruling {
        let until = match &row.outcome {
            Some(Outcome::Waiting(wait)) => format!(", until {} at the latest", wait.latest()),
            _ => String::new(),
        };
        let reason = without_calls(&ruling.reason.text, row);
        block.prose(ruling.kind, &format!("{}{reason}{until}", done(row)));
        if let (Some(at), Some(cause), Some(began)) = (row.at, &row.cause, began)
            && at != began.time
        {
            block.line("judged", &format!("again at {at}, last seen in {}", cause.api));
        }
    }
    if let Some(exempt) = &row.exempt {
        block.prose("exempt", exempt);
    }
    block.notes(&row.notes);
    block.0
}

/// Why controls could not judge, and what is said beside that.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lack<'a> {
    /// The calls whose answers they lack.
    pub(crate) calls: &'a [String],
    /// Of which revisions.
    pub(crate) times: String,
    /// What is said beside each of them.
    pub(crate) notes: &'a [String],
}

/// Controls that lack the same facts are said together.
pub(crate) fn unjudged(together: &BTreeMap<Lack<'_>, Vec<&str>>) -> String {
    let mut block = Block::default();
    for (Lack { calls, times, notes }, slugs) in together {
        let _infallible = writeln!(block.0, "  {}  not judged{times}", pad("unknown").magenta());
        block.prose("controls", &slugs.join(", "));
        block.calls(calls);
        block.notes(notes);
    }
    block.0
}

#[derive(Default)]
struct Block(String);

impl Block {
    fn violations(&mut self, violations: &[Violation], containers: &[String]) {
        let mut label = "found";
        for one in violations {
            let actual = if one.actual.is_null() { "not set".to_owned() } else { one.actual.to_string() };
            let index =
                one.path.strip_prefix("/containerDefinitions/").and_then(|rest| rest.split('/').next());
            let name = index.and_then(|index| containers.get(index.parse::<usize>().ok()?));
            let name = name.filter(|name| !name.is_empty());
            let within = name.map_or_else(String::new, |name| format!(" (container {})", shown(name)));
            self.line(label, &plain(&format!("{}{within} is {actual}, wanted {}", one.path, one.expected)));
            label = "";
        }
    }

    fn plan(&mut self, fix: &Fix) {
        let call = fix.call.map_or_else(String::new, |action| format!("{action}, "));
        self.prose("plan", &format!("{call}{}: {}", fix.safety, fix.summary));
        for change in lines(&fix.patch) {
            let line = match change {
                Line::Removed(what) => format!("- {}", plain(&what)).red().to_string(),
                Line::Added(what) => format!("+ {}", plain(&what)).green().to_string(),
            };
            let _infallible = writeln!(self.0, "{:COLUMN$}{line}", "");
        }
    }

    /// What the pre-flight said, unless the decision quotes it.
    fn readiness(&mut self, row: &Row) {
        let Some(readiness) = &row.readiness else { return };
        let quoted = row.ruling.as_ref().is_some_and(|ruling| ruling.reason.text.contains(&readiness.text));
        match readiness.kind {
            "proved" => self.line("pre-flight", "proved"),
            "unknown" => {
                self.line("pre-flight", "not proved");
                self.calls(&row.preflight_needs());
            }
            _ if quoted => {}
            kind => self.prose("pre-flight", &format!("{kind}: {}", readiness.text)),
        }
    }

    /// Commands, which people copy: never wrapped.
    fn calls(&mut self, calls: &[String]) {
        let mut label = "needs";
        for call in calls {
            self.line(label, &plain(call));
            label = "";
        }
    }

    fn notes(&mut self, notes: &[String]) {
        notes.iter().for_each(|note| self.prose("note", note));
    }

    fn prose(&mut self, label: &str, text: &str) {
        let mut label = label;
        for part in wrap(&plain(text), COLUMN) {
            self.line(label, &part);
            label = "";
        }
    }

    fn line(&mut self, label: &str, text: &str) {
        let width = COLUMN - INDENT - 1;
        let label = format!("{label:width$}");
        let _infallible = writeln!(self.0, "{:INDENT$}{} {text}", "", label.cyan());
    }
}

/// What was done, where something was.
fn done(row: &Row) -> String {
    match (&row.outcome, row.fix.as_ref().and_then(|fix| fix.call)) {
        (Some(Outcome::Applied), Some(Action::RegisterTaskDefinition)) => {
            let arn = provisional_arn(&row.resource.arn);
            let name = arn.rsplit('/').next().unwrap_or_default();
            format!("applied, {name} was registered: ")
        }
        (Some(Outcome::Applied), _) => "applied: ".to_owned(),
        _ => String::new(),
    }
}

/// A reason without the calls that its pre-flight wants, which stand above it.
fn without_calls<'a>(reason: &'a str, row: &Row) -> &'a str {
    let wanted = row.readiness.as_ref().filter(|readiness| readiness.kind == "unknown");
    wanted.and_then(|wanted| reason.strip_suffix(&format!("; it {}", wanted.text))).unwrap_or(reason)
}

fn pad(word: &str) -> String {
    format!("{word:<8}")
}
