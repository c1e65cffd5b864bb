//! JSON lines: findings, errors, and the summary last. Versioned, for programs.

use std::collections::BTreeMap;

use json_patch::Patch;
use serde::Serialize;
use shipshape_core::control::{Compliance, Violation};
use shipshape_core::remediation::Safety;
use shipshape_core::replay::Messages;
use shipshape_core::resource::ResourceId;

use super::Row;
use crate::check;
use crate::read::Fault;
use crate::replay;
use crate::tally::{Counterfactual, Events, Found};

#[derive(Serialize)]
struct Finding<'a> {
    v: u8,
    kind: &'static str,
    control: &'a str,
    standards: &'a [&'a str],
    severity: &'a str,
    status: &'a str,
    resource: &'a ResourceId,
    found_in: Option<&'a str>,
    account: Option<&'a str>,
    region: Option<&'a str>,
    event: Option<Event<'a>>,
    violations: &'a [Violation],
    needs: Vec<String>,
    decision: Option<Decision<'a>>,
    notes: &'a [String],
    plan: Option<&'a Patch>,
    safety: Option<Safety>,
    preflight: Option<Preflight<'a>>,
    summary: Option<&'a str>,
    outcome: Option<&'a str>,
    incident: Option<&'a str>,
    at: Option<String>,
    source: &'a str,
}

#[derive(Serialize)]
struct Event<'a> {
    id: &'a str,
    time: String,
    name: &'a str,
    actor: &'a str,
    origin: &'a str,
}

#[derive(Serialize)]
struct Preflight<'a> {
    kind: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct Decision<'a> {
    kind: &'a str,
    reason: &'a str,
    notes: &'a [String],
}

fn finding(row: &Row) -> Finding<'_> {
    let arn = &row.resource.arn;
    let given = |text| Some(text).filter(|text: &&str| !text.is_empty());
    let decision = match (&row.ruling, &row.exempt) {
        (Some(ruling), _) => {
            Some(Decision { kind: ruling.kind, reason: &ruling.reason.text, notes: &row.notes })
        }
        (None, Some(exempt)) => Some(Decision { kind: "suppress", reason: exempt, notes: &row.notes }),
        (None, None) => None,
    };
    Finding {
        v: 1,
        kind: "finding",
        control: row.control.slug,
        standards: row.control.standards,
        severity: row.control.severity.as_str(),
        status: row.compliance.status(),
        resource: &row.resource,
        found_in: row.found_in.as_ref().map(|id| id.arn.as_str()),
        account: row.cause.as_ref().map(|cause| cause.account.as_str()).or(given(arn.account())),
        region: row.cause.as_ref().map(|cause| cause.region.as_str()).or(given(arn.region())),
        event: row.cause.as_ref().map(|cause| Event {
            id: cause.id.as_str(),
            time: cause.time.to_string(),
            name: cause.api.as_str(),
            actor: &cause.actor.name,
            origin: cause.origin.as_str(),
        }),
        violations: match &row.compliance {
            Compliance::Failed(violations) => violations,
            _ => &[],
        },
        needs: row.needs(),
        decision,
        notes: &row.notes,
        plan: row.fix.as_ref().map(|fix| &fix.patch),
        safety: row.fix.as_ref().map(|fix| fix.safety),
        preflight: row
            .readiness
            .as_ref()
            .map(|readiness| Preflight { kind: readiness.kind, text: &readiness.text }),
        summary: row.fix.as_ref().map(|fix| fix.summary.as_str()),
        outcome: row.outcome.as_ref().map(|outcome| outcome.as_str()),
        incident: row.incident.as_ref().map(|id| id.change.as_str()),
        at: row.at.map(|at| at.to_string()),
        source: &row.source,
    }
}

#[derive(Serialize)]
struct Error<'a> {
    v: u8,
    kind: &'static str,
    source: &'a str,
    line: Option<usize>,
    offset: Option<u64>,
    message: &'a str,
    rejected: bool,
}

#[derive(Serialize)]
struct Summary<T> {
    v: u8,
    kind: &'static str,
    summary: T,
}

type Counts = BTreeMap<&'static str, u64>;

#[derive(Serialize)]
struct Replayed<'a> {
    events: &'a Events,
    findings: Findings<'a>,
    counterfactual: Counterfactuals<'a>,
}

#[derive(Serialize)]
struct Findings<'a> {
    by_control: &'a BTreeMap<&'static str, Found>,
    by_status: &'a Counts,
    by_decision: Counts,
    repeats: u64,
}

#[derive(Serialize)]
struct Counterfactuals<'a> {
    notify: &'a Messages,
    fix: &'a Counterfactual,
}

/// The line of one answer.
pub(crate) fn row(row: &Row, lines: &mut Vec<u8>) -> serde_json::Result<()> {
    serde_json::to_writer(&mut *lines, &finding(row))?;
    lines.push(b'\n');
    Ok(())
}

/// The lines of `replay` behind those of its answers.
pub(crate) fn replay(report: &replay::Report) -> anyhow::Result<String> {
    let tally = &report.tally;
    let summary = Replayed {
        events: &tally.events,
        findings: Findings {
            by_control: tally.by_control(),
            by_status: tally.by_status(),
            by_decision: tally.by_decision(),
            repeats: tally.repeats(),
        },
        counterfactual: Counterfactuals { notify: &report.messages, fix: &report.fix },
    };
    lines(&[], &report.faults, summary)
}

#[derive(Serialize)]
struct Checked<'a> {
    documents: Read,
    findings: CheckedFindings<'a>,
}

#[derive(Serialize)]
struct Read {
    read: u64,
    resources: u64,
    ignored: u64,
    unrelated: u64,
    broken: u64,
}

#[derive(Serialize)]
struct CheckedFindings<'a> {
    by_control: &'a Counts,
    by_status: &'a Counts,
}

/// The lines of `check`.
pub(crate) fn check(report: &check::Report) -> anyhow::Result<String> {
    let check::Documents { read, resources, ignored, unrelated, broken, by_status, by_control } =
        &report.documents;
    let summary = Checked {
        documents: Read {
            read: *read,
            resources: *resources,
            ignored: *ignored,
            unrelated: *unrelated,
            broken: *broken,
        },
        findings: CheckedFindings { by_control, by_status },
    };
    lines(&report.rows, &report.faults, summary)
}

fn lines<T: Serialize>(rows: &[Row], faults: &[Fault], summary: T) -> anyhow::Result<String> {
    let mut text = Vec::new();
    for one in rows {
        row(one, &mut text)?;
    }
    for Fault { source, line, offset, message, rejected, .. } in faults {
        let (line, offset, rejected) = (*line, *offset, *rejected);
        serde_json::to_writer(
            &mut text,
            &Error { v: 1, kind: "error", source, line, offset, message, rejected },
        )?;
        text.push(b'\n');
    }
    serde_json::to_writer(&mut text, &Summary { v: 1, kind: "summary", summary })?;
    text.push(b'\n');
    Ok(String::from_utf8(text)?)
}
