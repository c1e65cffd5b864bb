//! `check`: documents, judged without any event.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use shipshape_core::check as core;
use shipshape_core::control::Compliance;
use shipshape_core::facts::Facts;
use shipshape_core::policy::Policy;
use shipshape_core::resource::{Resource, ResourceType};
use shipshape_core::selection::Selection;

use crate::args::{Check, Format};
use crate::output::{Row, json, text};
use crate::read::{self, Fault, files};
use crate::{Status, Voices, policy_file};

/// What was read, and how it was judged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Documents {
    /// Documents.
    pub(crate) read: u64,
    /// The resources that they hold.
    pub(crate) resources: u64,
    /// Answers that hold nothing to judge.
    pub(crate) ignored: u64,
    /// What could not be read.
    pub(crate) broken: u64,
    /// Answers of controls, by status; `exempt` is what fails and is accepted.
    pub(crate) by_status: BTreeMap<&'static str, u64>,
    /// Failed answers, by control.
    pub(crate) by_control: BTreeMap<&'static str, u64>,
}

impl fmt::Display for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} read, {} resources", self.read, self.resources)?;
        for (count, what) in
            [(self.ignored, "with nothing to judge"), (self.broken, "broken and not among those read")]
        {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}

/// What check has to tell.
pub(crate) struct Report {
    /// Every answer that is to be shown, in the order of the documents.
    pub(crate) rows: Vec<Row>,
    /// What could not be read.
    pub(crate) faults: Vec<Fault>,
    /// The counts.
    pub(crate) documents: Documents,
}

/// What the input held.
#[derive(Default)]
struct Reading {
    resources: Vec<(Resource, Arc<str>)>,
    faults: Vec<Fault>,
    documents: Documents,
}

pub(crate) fn check(args: &Check, voices: &mut Voices<'_>) -> anyhow::Result<Status> {
    let policy = policy_file::load(args.common.policy.as_deref(), voices)?;
    let report = judge(read(args, voices), args, &policy);
    let output = match args.common.format {
        Format::Text => text::check(&report, args.common.full),
        Format::Json => json::check(&report)?,
    };
    voices.faults(&report.faults);
    voices.result(&output, args.common.output.as_deref())?;
    Ok(Status::of(&report.faults, &report.rows, args.fail_on))
}

fn judge(reading: Reading, args: &Check, policy: &Policy) -> Report {
    let Reading { resources, mut faults, mut documents } = reading;
    let now = args.now.unwrap_or_else(Timestamp::now);
    let selection = Selection::of(policy, &args.common.controls, args.common.severity);
    let mut facts = Facts::default();
    // A service answers for the revision that it runs, where that is among the documents.
    for (resource, _) in resources.iter().filter(|(one, _)| one.id.kind == ResourceType::TaskDefinition) {
        facts.learn(resource.clone());
    }
    let mut rows = Vec::new();
    for (resource, source) in resources {
        for checked in core::check(&resource, &facts, policy, &selection, now) {
            let evaluation = &checked.evaluation;
            let status = if checked.exempt.is_some() { "exempt" } else { evaluation.compliance.status() };
            *documents.by_status.entry(status).or_default() += 1;
            if matches!(evaluation.compliance, Compliance::Failed(_)) {
                *documents.by_control.entry(evaluation.control.slug).or_default() += 1;
            }
            let complies = matches!(evaluation.compliance, Compliance::Passed | Compliance::NotApplicable(_));
            if args.common.all || !complies {
                rows.push(Row::checked(checked, Arc::clone(&source)));
            }
        }
    }
    faults.sort();
    Report { rows, faults, documents }
}

fn read(args: &Check, voices: &mut Voices<'_>) -> Reading {
    let (paths, faults) = files::list(&args.paths);
    let one = |index, path: &Path, buffer: &mut Vec<u8>, read: &mut Vec<(usize, Reading)>| {
        read.push((index, one(path, args.kind, buffer)));
    };
    let mut readings: Vec<_> =
        read::all(&paths, read::jobs(None), voices.quiet, Vec::new, one).into_iter().flatten().collect();
    readings.sort_by_key(|(index, _)| *index);
    let mut whole = Reading { faults, ..Reading::default() };
    for (path, (_, reading)) in paths.iter().zip(readings) {
        voices.detail(&format!("{}: {}", files::name(path), reading.documents));
        whole.resources.extend(reading.resources);
        whole.faults.extend(reading.faults);
        whole.documents.read += reading.documents.read;
        whole.documents.resources += reading.documents.resources;
        whole.documents.ignored += reading.documents.ignored;
    }
    whole.documents.broken = whole.faults.len() as u64;
    whole
}

fn one(path: &Path, kind: Option<ResourceType>, buffer: &mut Vec<u8>) -> Reading {
    let (mut resources, mut documents) = (Vec::new(), Documents::default());
    let faults = read::pieces(path, buffer, |piece| {
        let read = core::read(&piece.json, kind)
            .map_err(|error| Fault::new(&piece.source, error.to_string()).at_line(piece.line))?;
        documents.read += 1;
        documents.resources += read.len() as u64;
        documents.ignored += u64::from(read.is_empty());
        let source: Arc<str> = piece.source.as_str().into();
        resources.extend(read.into_iter().map(|resource| (resource, Arc::clone(&source))));
        Ok(())
    });
    documents.broken = faults.len() as u64;
    Reading { resources, faults, documents }
}
