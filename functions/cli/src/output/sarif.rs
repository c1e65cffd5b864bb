//! SARIF 2.1.0: what code scanning and editors show beside the lines of a document.
//!
//! One result a violation, not one a control and resource: GitHub reads the first location of a result and no other,
//! so that the second container of a task definition would be nowhere.

mod finding;
mod log;
mod outline;
mod rule;
mod uri;

use std::collections::BTreeSet;

use super::words::{harmful, plain};
use crate::check::Report;
use crate::read::{Fault, files};
use finding::Findings;
use log::{
    Descriptor, Driver, Invocation, Location, Log, Notification, PhysicalLocation, Region, Run, Text, Tool,
};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The log of `check`.
pub(crate) fn check(report: &Report) -> anyhow::Result<String> {
    let driver = Driver {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        semantic_version: env!("CARGO_PKG_VERSION"),
        rules: report.controls.iter().copied().map(rule::rule).collect(),
    };
    let run = Run {
        tool: Tool { driver },
        invocations: [Invocation {
            execution_successful: report.faults.is_empty(),
            tool_execution_notifications: notifications(report),
        }],
        column_kind: "utf16CodeUnits",
        results: Findings::of(report),
    };
    let log = Log { schema: SCHEMA, version: "2.1.0", runs: [run] };
    Ok(escaped(serde_json::to_string_pretty(&log)? + "\n"))
}

/// What could not be read, each thing once, also where its file was named in two ways.
fn notifications<'a>(report: &'a Report) -> Vec<Notification> {
    let mut said = BTreeSet::new();
    let mut notification = |fault: &'a Fault| {
        let path = fault.file.as_deref();
        let artifact = path.map(uri::artifact);
        // `:LINE` and `#INDEX` stay: two pieces of a file may be wrong in the same way.
        let piece = path.and_then(|path| fault.source.strip_prefix(&files::name(path)));
        let new = said.insert((artifact.clone(), piece.unwrap_or(&fault.source), fault.line, &fault.message));
        new.then(|| Notification {
            descriptor: Descriptor { id: "input-not-read" },
            level: "error",
            message: Text { text: message(&fault.to_string()) },
            locations: artifact.map(|artifact| location(artifact, fault.line)).into_iter().collect(),
        })
    };
    report.faults.iter().filter_map(&mut notification).collect()
}

fn location(artifact_location: log::ArtifactLocation, line: Option<usize>) -> Location {
    let region =
        line.map(|start_line| Region { start_line, start_column: None, end_line: None, end_column: None });
    Location {
        id: None,
        physical_location: PhysicalLocation { artifact_location, region },
        logical_locations: Vec::new(),
        message: None,
    }
}

/// Words out of documents, paths and policies, for a message: neither a placeholder nor a link in them is one.
fn message(words: &str) -> String {
    rule::literal(&plain(words)).replace("](", "] (")
}

/// JSON in which nothing controls a terminal or turns the direction of writing. What is harmful there stands in
/// strings, but for the ends of lines.
fn escaped(json: String) -> String {
    let raw = |c: char| harmful(c) && c != '\n';
    if !json.contains(raw) {
        return json;
    }
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if raw(c) {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}
