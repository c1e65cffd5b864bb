//! `replay`: captured events, in time order, through one world a policy.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::ThreadPool;
use shipshape_core::change::Change;
use shipshape_core::control::Compliance;
use shipshape_core::event::{ParseError, Parsed, Record, parse};
use shipshape_core::ids::{AccountId, ChangeId};
use shipshape_core::inventory::Inventory;
use shipshape_core::judgement::Judgement;
use shipshape_core::ledger::Outcome;
use shipshape_core::policy::{Mode, Policy};
use shipshape_core::replay::World;
use shipshape_core::selection::Selection;

use crate::args::{Format, Replay};
use crate::output::{Row, json, text};
use crate::read::pieces::Piece;
use crate::read::{self, Fault, files};
use crate::tally::{Counterfactual, Events, Tally};
use crate::{Status, Voices, policy_file};

const NOT_AN_EVENT: &str = "not an event";

/// What the input held.
#[derive(Default)]
struct Reading {
    changes: Vec<(Change, String)>,
    faults: Vec<Fault>,
    events: Events,
}

/// What replay has to tell.
pub(crate) struct Report {
    /// Every answer that is to be shown, in the order in which they were given.
    pub(crate) rows: Vec<Row>,
    /// What could not be read.
    pub(crate) faults: Vec<Fault>,
    /// What was read, and what became of it.
    pub(crate) tally: Tally,
    /// How many messages mode notify would have sent.
    pub(crate) messages: u64,
    /// What mode fix would have done.
    pub(crate) fix: Counterfactual,
}

pub(crate) fn replay(args: &Replay, voices: &mut Voices<'_>) -> anyhow::Result<Status> {
    let policy = policy_file::load(args.common.policy.as_deref(), voices)?;
    let policy = match args.mode {
        Some(mode) => policy.with_mode(mode, "--mode"),
        None => policy,
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.jobs.map_or(0, usize::from)).build()?;
    let (inventory, faults) = inventory(args);
    let mut reading = read(args, &pool, voices);
    reading.faults.extend(faults);
    let report = pool.install(|| walk(reading, args, &policy, &inventory));
    let output = match args.format {
        Format::Text => text::replay(&report),
        Format::Json => json::replay(&report)?,
    };
    voices.faults(&report.faults);
    voices.result(&output, args.common.output.as_deref())?;
    Ok(Status::of(&report.faults, &report.rows, args.fail_on))
}

/// Walks the changes through the world as it is, and through those that the counterfactual asks about.
fn walk(reading: Reading, args: &Replay, policy: &Policy, inventory: &Inventory) -> Report {
    let Reading { changes, mut faults, mut events } = reading;
    let changes = in_order(changes, &mut events);
    faults.sort();
    let world = |policy: Policy| {
        let selection = Selection::of(&policy, &args.common.controls, args.common.severity);
        World::new(policy, selection, inventory.clone())
    };
    let as_it_is = || {
        let (mut world, mut tally, mut rows) = (world(policy.clone()), Tally::default(), Vec::new());
        let mut sources = BTreeMap::new();
        for (change, source) in &changes {
            sources.insert((&change.id, &change.account), source.as_str());
            let step = world.walk(change);
            events.stale += u64::from(step.stale);
            events.unjudged += u64::from(step.unjudged);
            events.changes += u64::from(!step.stale && !step.unjudged);
            tally.add_all(&step);
            rows.extend(shown(&step.judgements, &sources, args.common.all));
        }
        let last = world.finish();
        tally.add_all(&last);
        rows.extend(shown(&last.judgements, &sources, args.common.all));
        tally.events = events;
        (rows, tally)
    };
    let told = || {
        let mut world = world(policy.clone().with_mode(Mode::Notify, "what if"));
        for (change, _) in &changes {
            world.walk(change);
        }
        world.finish();
        world.messages()
    };
    let fixed = || {
        let policy = policy.clone().with_mode(Mode::Fix, "what if").with_disruptive(true, "what if");
        let (mut world, mut tally) = (world(policy), Tally::default());
        for (change, _) in &changes {
            tally.add_all(&world.walk(change));
        }
        tally.add_all(&world.finish());
        tally.counterfactual()
    };
    let ((rows, tally), (messages, fix)) = rayon::join(as_it_is, || rayon::join(told, fixed));
    Report { rows, faults, tally, messages, fix }
}

type Sources<'a> = BTreeMap<(&'a ChangeId, &'a AccountId), &'a str>;

/// The answers that are to be shown: what passes only where that was asked for, or where it ends an incident.
fn shown(judgements: &[Judgement], sources: &Sources<'_>, all: bool) -> impl Iterator<Item = Row> {
    let shown = judgements.iter().filter(move |judgement| match judgement.evaluation.compliance {
        Compliance::Failed(_) | Compliance::Unknown(_) => true,
        Compliance::Passed | Compliance::NotApplicable(_) => all || judgement.outcome == Some(Outcome::Stale),
    });
    shown.map(|judgement| {
        let source = sources.get(&(&judgement.cause.id, &judgement.cause.account)).copied();
        Row::judged(judgement, source.unwrap_or_default().to_owned())
    })
}

/// What `--state` holds, and what in it could not be read.
fn inventory(args: &Replay) -> (Inventory, Vec<Fault>) {
    let mut inventory = Inventory::new(args.passable_roles.clone());
    let (paths, mut faults) = files::list(args.state.as_slice());
    for path in paths {
        faults.extend(read::file(&path, |piece| match inventory.describe(&piece.json) {
            Some(_) => Ok(()),
            None => {
                let message = "not an answer of a describe call that replay knows";
                Err(Fault::new(&piece.source, message).at_line(piece.line))
            }
        }));
    }
    (inventory, faults)
}

fn read(args: &Replay, pool: &ThreadPool, voices: &mut Voices<'_>) -> Reading {
    let (paths, faults) = files::list(&args.paths);
    let quiet = voices.quiet;
    let readings = pool.install(|| read::all(&paths, quiet, |path| one(path, args)));
    let mut whole = Reading { faults, ..Reading::default() };
    whole.events.broken += whole.faults.len() as u64;
    for (path, reading) in paths.iter().zip(readings) {
        voices.detail(&format!("{}: {}", files::name(path), reading.events));
        whole.changes.extend(reading.changes);
        whole.faults.extend(reading.faults);
        whole.events.add(&reading.events);
    }
    let others = whole.events.ignored_by_reason.get(NOT_AN_EVENT);
    if others.is_some_and(|others| *others == whole.events.read) {
        let message =
            "nothing here is an event: neither `detail-type` (EventBridge) nor `eventSource` (CloudTrail)";
        whole.faults.push(Fault::new("input", message));
    }
    whole
}

fn one(path: &Path, args: &Replay) -> Reading {
    let mut reading = Reading::default();
    let faults = read::file(path, |piece| reading.event(piece, args));
    reading.events.broken += faults.iter().filter(|fault| !fault.rejected).count() as u64;
    reading.faults = faults;
    reading
}

impl Reading {
    fn event(&mut self, piece: &Piece<'_>, args: &Replay) -> Result<(), Fault> {
        let parsed = match Record::read(&piece.json).and_then(|record| parse(&record)) {
            // Digests, indexes and other JSON lie beside logs.
            Err(ParseError::NotAnEvent) => None,
            Err(error) => return Err(Fault::new(&piece.source, error.to_string()).at_line(piece.line)),
            Ok(parsed) => Some(parsed),
        };
        self.events.read += 1;
        match parsed {
            None => self.events.ignore(NOT_AN_EVENT),
            Some(Parsed::Ignored(why)) => self.events.ignore(why.as_str()),
            Some(Parsed::Rejected(rejected)) => {
                self.events.rejected += 1;
                let fault = Fault::new(&piece.source, rejected.to_string()).at_line(piece.line);
                return Err(Fault { rejected: true, ..fault });
            }
            Some(Parsed::Change(change)) => {
                let early = args.since.is_some_and(|since| change.time < since);
                let late = args.until.is_some_and(|until| change.time >= until);
                match early || late {
                    true => self.events.skipped += 1,
                    false => self.changes.push((*change, piece.source.clone())),
                }
            }
        }
        Ok(())
    }
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
    changes
}
