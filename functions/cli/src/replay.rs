//! `replay`: captured events, in time order, through one world a policy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use shipshape_core::change::Change;
use shipshape_core::control::Compliance;
use shipshape_core::event::{ParseError, Parsed, Record, parse};
use shipshape_core::ids::{AccountId, ChangeId};
use shipshape_core::inventory::Inventory;
use shipshape_core::ledger::Outcome;
use shipshape_core::policy::{Mode, Policy};
use shipshape_core::replay::{Step, World};
use shipshape_core::selection::Selection;

use crate::args::{Format, Replay};
use crate::output::{Row, json, text};
use crate::read::{Fault, files, pieces};
use crate::tally::{Events, Tally};
use crate::{Status, Voices, policy_file, progress};

const NOT_AN_EVENT: &str = "not an event";

/// What one file held.
#[derive(Default)]
struct Reading {
    changes: Vec<(Change, String)>,
    faults: Vec<Fault>,
    events: Events,
}

pub(crate) fn replay(args: &Replay, voices: &mut Voices<'_>) -> anyhow::Result<Status> {
    let common = &args.common;
    let policy = policy_file::load(common.policy.as_deref(), voices)?;
    let policy = match args.mode {
        Some(mode) => policy.with_mode(mode, "--mode"),
        None => policy,
    };
    let (inventory, mut faults) = inventory(args);
    let reading = read(args, voices)?;
    faults.extend(reading.faults);
    let mut events = reading.events;
    if events.ignored_by_reason.get(NOT_AN_EVENT).is_some_and(|others| *others == events.read) {
        let message =
            "nothing here is an event: neither `detail-type` (EventBridge) nor `eventSource` (CloudTrail)";
        faults.push(Fault {
            source: "input".to_owned(),
            line: None,
            message: message.to_owned(),
            rejected: false,
        });
    }
    let changes = in_order(reading.changes, &mut events);

    let selection = |policy: &Policy| Selection::of(policy, &common.controls, common.severity);
    let told = policy.clone().with_mode(Mode::Notify, "what if");
    let fixed = policy.clone().with_mode(Mode::Fix, "what if").with_disruptive(true, "what if");
    let world = |policy: &Policy| World::new(policy.clone(), selection(policy), inventory.clone());
    let (mut real, mut told_world, mut fixed_world) = (world(&policy), world(&told), world(&fixed));
    let (mut tally, mut fix_tally) = (Tally::default(), Tally::default());
    let mut rows: Vec<Row> = Vec::new();
    let mut sources: BTreeMap<(ChangeId, AccountId), String> = BTreeMap::new();
    for (change, source) in &changes {
        sources.insert((change.id.clone(), change.account.clone()), source.clone());
        let step = real.walk(change);
        events.stale += u64::from(step.stale);
        note(&step, &sources, common.all, &mut tally, &mut rows);
        told_world.walk(change);
        fix_tally.add_all(&fixed_world.walk(change));
    }
    note(&real.finish(), &sources, common.all, &mut tally, &mut rows);
    told_world.finish();
    fix_tally.add_all(&fixed_world.finish());
    tally.events = events;
    tally.messages_in_notify = told_world.messages();

    faults.sort();
    let output = match common.format {
        Format::Text => text::replay(&rows, &faults, &tally, &fix_tally),
        Format::Json => json::replay(&rows, &faults, &tally, &fix_tally)?,
    };
    voices.faults(&faults, common.format);
    voices.result(&output, common.output.as_deref())?;
    Ok(Status::of(&faults, &rows, args.fail_on))
}

/// Keeps what is to be shown, and counts all of it.
fn note(
    step: &Step,
    sources: &BTreeMap<(ChangeId, AccountId), String>,
    all: bool,
    tally: &mut Tally,
    rows: &mut Vec<Row>,
) {
    tally.add_all(step);
    for judgement in &step.judgements {
        let shown = match judgement.evaluation.compliance {
            Compliance::Failed(_) | Compliance::Unknown(_) => true,
            Compliance::Passed | Compliance::NotApplicable(_) => {
                all || judgement.outcome == Some(Outcome::Stale)
            }
        };
        if shown {
            let key = (judgement.cause.id.clone(), judgement.cause.account.clone());
            rows.push(Row::judged(judgement, sources.get(&key).cloned().unwrap_or_default()));
        }
    }
}

/// What `--state` holds, and what in it could not be read.
fn inventory(args: &Replay) -> (Inventory, Vec<Fault>) {
    let mut inventory = Inventory::new(args.passable_roles.clone());
    let folder: Vec<PathBuf> = args.state.iter().cloned().collect();
    let (listed, mut faults) = files::list(&folder);
    for path in listed {
        let (name, (text, broken)) = (files::name(&path), files::text(&path));
        faults.extend(broken);
        let (pieces, more) = pieces::split(&name, &text);
        faults.extend(more);
        for piece in pieces {
            if inventory.describe(&piece.json).is_none() {
                let message = "not an answer of a describe call that replay knows".to_owned();
                faults.push(Fault { source: piece.source, line: piece.line, message, rejected: false });
            }
        }
    }
    (inventory, faults)
}

fn read(args: &Replay, voices: &mut Voices<'_>) -> anyhow::Result<Reading> {
    let (paths, faults) = files::list(&args.paths);
    let bar = progress::files(paths.len(), voices.quiet);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.jobs.map_or(0, usize::from)).build()?;
    let readings: Vec<Reading> = pool.install(|| {
        let each = paths.par_iter().map(|path| {
            let reading = one(path, args);
            bar.inc(1);
            reading
        });
        each.collect()
    });
    bar.finish_and_clear();
    let mut whole = Reading { faults, ..Reading::default() };
    for (path, reading) in paths.iter().zip(readings) {
        voices.detail(&format!("{}: {}", files::name(path), reading.events));
        whole.changes.extend(reading.changes);
        whole.faults.extend(reading.faults);
        whole.events.add(&reading.events);
    }
    Ok(whole)
}

fn one(path: &Path, args: &Replay) -> Reading {
    let name = files::name(path);
    let (text, broken) = files::text(path);
    let mut reading = Reading::default();
    let empty_for_a_reason = text.is_empty() && broken.is_some();
    reading.faults.extend(broken);
    if empty_for_a_reason {
        reading.events.broken += 1;
        return reading;
    }
    let (pieces, faults) = pieces::split(&name, &text);
    reading.events.read += (pieces.len() + faults.len()) as u64;
    reading.events.broken += faults.len() as u64;
    reading.faults.extend(faults);
    for piece in pieces {
        let parsed = Record::read(&piece.json).and_then(|record| parse(&record));
        let fault =
            |message, rejected| Fault { source: piece.source.clone(), line: piece.line, message, rejected };
        match parsed {
            Ok(Parsed::Change(change)) => {
                let early = args.since.is_some_and(|since| change.time < since);
                let late = args.until.is_some_and(|until| change.time >= until);
                if early || late {
                    reading.events.skipped += 1;
                } else {
                    reading.changes.push((*change, piece.source));
                }
            }
            Ok(Parsed::Ignored(why)) => reading.events.ignore(why.as_str()),
            Ok(Parsed::Rejected(rejected)) => {
                reading.events.rejected += 1;
                reading.faults.push(fault(rejected.to_string(), true));
            }
            // Digests, indexes and other JSON lie beside logs.
            Err(ParseError::NotAnEvent) => reading.events.ignore(NOT_AN_EVENT),
            Err(error) => {
                reading.events.broken += 1;
                reading.faults.push(fault(error.to_string(), false));
            }
        }
    }
    reading
}

/// Time order, and in one second the order in which things refer to each other; each change once. The order depends
/// on nothing but the events and the names of their files.
fn in_order(mut changes: Vec<(Change, String)>, events: &mut Events) -> Vec<(Change, String)> {
    changes.sort_by(|(a, a_source), (b, b_source)| {
        (a.time, a.api, &a.id, &a.account, a_source).cmp(&(b.time, b.api, &b.id, &b.account, b_source))
    });
    let read = changes.len();
    changes.dedup_by(|(later, _), (first, _)| later.id == first.id && later.account == first.account);
    events.duplicate += (read - changes.len()) as u64;
    events.changes += changes.len() as u64;
    changes
}
