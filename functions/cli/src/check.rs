//! `check`: documents, judged without any event.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::RawValue;
use shipshape_core::check::{self as core, DocumentError};
use shipshape_core::control::{Compliance, Control};
use shipshape_core::facts::Facts;
use shipshape_core::ids::Arn;
use shipshape_core::policy::Policy;
use shipshape_core::resource::{Body, Resource, ResourceType};
use shipshape_core::selection::Selection;

use crate::args::{Check, CheckFormat};
use crate::output::words::number;
use crate::output::{Row, json, sarif, text};
use crate::place::{Place, Places};
use crate::read::faults::Faults;
use crate::read::{self, Fault, files};
use crate::{Status, Voices, Worst, policy_file};

/// What was read, and how it was judged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Documents {
    /// Documents.
    pub(crate) read: u64,
    /// The resources that they hold.
    pub(crate) resources: u64,
    /// Answers that hold nothing to judge.
    pub(crate) ignored: u64,
    /// What lies in a folder and is surely no document of AWS.
    pub(crate) unrelated: u64,
    /// What could not be read.
    pub(crate) broken: u64,
    /// Answers of controls, by status; `exempt` is what does not comply and is accepted.
    pub(crate) by_status: BTreeMap<&'static str, u64>,
    /// Failed answers, by control.
    pub(crate) by_control: BTreeMap<&'static str, u64>,
}

impl fmt::Display for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} read, {}", self.read, number(self.resources as usize, "resource"))?;
        for (count, what) in [
            (self.ignored, "with nothing to judge"),
            (self.unrelated, "passed over, since they are no documents of AWS"),
            (self.broken, "broken and not among those read"),
        ] {
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
    /// The controls that were judged by, in the order of their slugs.
    pub(crate) controls: Vec<&'static Control>,
    /// Where the documents stand that services may have been judged by.
    pub(crate) revisions: BTreeMap<Arn, Arc<Place>>,
}

/// A resource, and where it was read.
struct Found {
    found: core::Found,
    source: Arc<str>,
    place: Arc<Place>,
}

/// What the input held.
#[derive(Default)]
struct Reading {
    resources: Vec<Found>,
    /// Answers with nothing to judge, which may tell what others need.
    answers: Vec<Box<RawValue>>,
    faults: Faults,
    documents: Documents,
}

pub(crate) fn check(args: &Check, voices: &mut Voices<'_>) -> anyhow::Result<Status> {
    let policy = policy_file::load(args.common.policy.as_deref(), voices)?;
    let report = judge(read(args, voices), args, &policy);
    let output = match args.format {
        CheckFormat::Text => text::check(&report, args.common.full),
        CheckFormat::Json => json::check(&report)?,
        CheckFormat::Sarif => sarif::check(&report)?,
    };
    voices.faults(&report.faults);
    voices.result(&output, args.common.output.as_deref())?;
    let mut worst = Worst::default();
    report.rows.iter().for_each(|row| worst.add(row));
    Ok(Status::of(&report.faults, &worst, &args.counts()))
}

fn judge(reading: Reading, args: &Check, policy: &Policy) -> Report {
    let Reading { resources, answers, faults, mut documents } = reading;
    let now = args.now.unwrap_or_else(Timestamp::now);
    let selection = Selection::of(policy, &args.common.controls, args.common.severity);
    let (mut facts, mut revisions) = (Facts::default(), BTreeMap::new());
    // A service answers for the revision that it runs, where that is among the documents.
    let named = core::Revisions::of(resources.iter().map(|one| &one.found.resource));
    for Found { found, place, .. } in &resources {
        let id = &found.resource.id;
        if id.kind == ResourceType::TaskDefinition && named.is_one(&id.arn) {
            facts.learn(found.resource.clone());
            revisions.insert(id.arn.clone(), place.clone());
        }
    }
    for answer in &answers {
        facts.absorb(answer);
    }
    let mut rows = Vec::new();
    for Found { mut found, source, place } in resources {
        let mut unjoined = None;
        if let Some((joined, note)) = named.join(&found.resource) {
            (found.resource, unjoined) = (joined, note);
        }
        for mut checked in core::check(&found, &facts, policy, &selection, &args.home(), now) {
            if checked.evaluation.found_in.is_some() && checked.evaluation.compliance.status() == "unknown" {
                checked.notes.extend(unjoined.clone());
            }
            let evaluation = &checked.evaluation;
            let complies = matches!(evaluation.compliance, Compliance::Passed | Compliance::NotApplicable(_));
            // What complies needs no exemption.
            let exempt = checked.exempt.is_some() && !complies;
            let status = if exempt { "exempt" } else { evaluation.compliance.status() };
            *documents.by_status.entry(status).or_default() += 1;
            if matches!(evaluation.compliance, Compliance::Failed(_)) {
                *documents.by_control.entry(evaluation.control.slug).or_default() += 1;
            }
            if args.common.all || !complies {
                let judged = match &checked.evaluation.found_in {
                    Some(id) => facts.resource(&id.arn),
                    None => Some(&found.resource),
                };
                let containers = judged.map_or_else(Vec::new, containers);
                rows.push(Row::checked(checked, containers, Arc::clone(&source), Arc::clone(&place)));
            }
        }
    }
    let faults = faults.into_list();
    let controls = selection.iter().map(|selected| selected.control).collect();
    Report { rows, faults, documents, controls, revisions }
}

/// What the containers of a task definition are called, in their order.
fn containers(resource: &Resource) -> Vec<String> {
    let Body::TaskDefinition(task) = &resource.body else { return Vec::new() };
    let names = task.container_definitions.items().iter().map(|one| one.name.text().unwrap_or_default());
    names.map(ToOwned::to_owned).collect()
}

fn read(args: &Check, voices: &mut Voices<'_>) -> Reading {
    let files::Listed { files: paths, faults: unlisted, others } = files::list(&args.paths);
    files::passed_over(&others).for_each(|line| voices.detail(&line));
    let mut whole = Reading::default();
    whole.faults.extend(unlisted);
    // What could not be read is kept by thread, not by file, so that it stays little.
    let state = || (Vec::new(), Faults::default());
    // What was named was meant, whatever it is.
    let named: BTreeSet<PathBuf> =
        args.paths.iter().filter(|path| !path.is_dir()).map(|path| files::place(path)).collect();
    let one = |index, path: &Path, buffer: &mut Vec<u8>, read: &mut (Vec<(usize, Reading)>, Faults)| {
        let mut reading = one(path, args, named.contains(&files::place(path)), buffer);
        read.1.append(mem::take(&mut reading.faults));
        read.0.push((index, reading));
    };
    let mut readings = Vec::new();
    for (read, faults) in read::all(&paths, read::jobs(None), voices.quiet, state, one) {
        readings.extend(read);
        whole.faults.append(faults);
    }
    readings.sort_by_key(|(index, _)| *index);
    for (path, (_, reading)) in paths.iter().zip(readings) {
        voices.detail(&format!("{}: {}", files::name(path), reading.documents));
        whole.resources.extend(reading.resources);
        whole.answers.extend(reading.answers);
        whole.documents.read += reading.documents.read;
        whole.documents.resources += reading.documents.resources;
        whole.documents.ignored += reading.documents.ignored;
        whole.documents.unrelated += reading.documents.unrelated;
    }
    if whole.documents.read == 0 && whole.documents.unrelated > 0 && whole.faults.unread() == 0 {
        let message = "nothing here is a document that can be checked: `shipshape check --help` says what is";
        whole.faults.add(Fault::new("input", message));
    }
    whole.documents.broken = whole.faults.unread();
    whole
}

fn one(path: &Path, args: &Check, named: bool, buffer: &mut Vec<u8>) -> Reading {
    let (mut reading, mut places) = (Reading::default(), Places::new(path));
    let mut faults = Faults::default();
    let mut events = false;
    read::within(path, buffer, &mut faults, |text, piece| {
        let found = match core::read(&piece.json, args.kind, &args.home()) {
            Ok(found) => found,
            Err(error) if error.is_unrelated() && !named => {
                reading.documents.unrelated += 1;
                return Ok(());
            }
            // A log has thousands of them.
            Err(DocumentError::Event) if events => return Ok(()),
            Err(error @ DocumentError::Event) => {
                events = true;
                return Err(Fault::new(files::name(path), error.to_string()));
            }
            Err(error) => return Err(Fault::new(&piece.source, error.to_string()).at_line(piece.line)),
        };
        reading.documents.read += 1;
        reading.documents.resources += found.len() as u64;
        reading.documents.ignored += u64::from(found.is_empty());
        if found.is_empty() {
            reading.answers.push(piece.json.clone().into_owned());
        }
        let source: Arc<str> = piece.source.as_str().into();
        for (found, place) in places.of(text, piece.json.get(), found) {
            reading.resources.push(Found { found, source: Arc::clone(&source), place });
        }
        Ok(())
    });
    reading.documents.broken = faults.unread();
    reading.faults = faults.of_file(&Arc::from(path));
    reading
}
