//! Walks changes through three worlds, batch by batch: as the policy is, and as the two modes would have it. While one
//! batch is walked the next is read, so that neither history nor its findings are ever held.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use rayon::prelude::*;
use serde_json::value::RawValue;
use shipshape_core::change::Change;
use shipshape_core::control::Compliance;
use shipshape_core::ids::{AccountId, ChangeId};
use shipshape_core::judgement::Judgement;
use shipshape_core::ledger::Outcome;
use shipshape_core::replay::{Step, World};
use shipshape_core::resource::ResourceId;

use super::gather::{Gathered, Seen, TEMPORARY};
use super::parting::Parting;
use crate::Worst;
use crate::output::{Answers, Row};
use crate::read::sort::{Record, Sorted};
use crate::tally::Tally;

/// How much of history is held at a time.
const CHANGES: usize = 64;
const BYTES: usize = 2 * 1024 * 1024;

/// How many records one thread reads at a time.
const PORTION: usize = 32;

/// A change, and where it stands.
type Sourced = (Change, Arc<str>);

/// Changes that are walked together.
#[derive(Default)]
pub(crate) struct Batch {
    changes: Vec<Sourced>,
    /// What no later batch names.
    parting: Vec<ResourceId>,
    pub(crate) seen: Seen,
}

impl Batch {
    /// How many changes it holds.
    pub(crate) fn len(&self) -> u64 {
        self.changes.len() as u64
    }
}

/// Where batches come from.
pub(crate) struct Feed {
    records: Sorted,
    names: Vec<String>,
    parting: Option<Parting>,
    last: Option<(ChangeId, AccountId)>,
}

impl Feed {
    /// Of what was gathered.
    pub(crate) fn of(gathered: Gathered) -> (Self, Seen) {
        let Gathered { records, names, mentions, seen } = gathered;
        (Self { records, names, parting: mentions.map(Parting::new), last: None }, seen)
    }

    /// How many records there are.
    pub(crate) fn count(&self) -> u64 {
        self.records.count()
    }

    /// The next batch, each change once. `None` where history ends.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<Batch>> {
        let (mut records, mut bytes) = (Vec::new(), 0);
        while records.len() < CHANGES && bytes < BYTES {
            let Some(record) = self.records.next().context(TEMPORARY)? else { break };
            bytes += record.content().text.len();
            records.push(record);
        }
        if records.is_empty() {
            return Ok(None);
        }
        let portions: Vec<(Vec<Sourced>, Seen)> =
            records.par_chunks(PORTION).map(|portion| read(portion, &self.names)).collect();
        let mut batch = Batch::default();
        for (changes, seen) in portions {
            batch.seen.append(seen);
            for (change, source) in changes {
                // Two deliveries of one change are neighbours.
                let id = (change.id.clone(), change.account.clone());
                if self.last.as_ref() == Some(&id) {
                    batch.seen.events.duplicate += 1;
                } else {
                    self.last = Some(id);
                    batch.changes.push((change, source));
                }
            }
        }
        if let (Some((last, _)), Some(parting)) = (batch.changes.last(), &mut self.parting) {
            let changes = batch.changes.iter().map(|(change, _)| change);
            batch.parting = parting.after(changes, last.time);
        }
        Ok(Some(batch))
    }
}

/// Reads records whose turn has come.
fn read(records: &[Record], names: &[String]) -> (Vec<Sourced>, Seen) {
    let (mut changes, mut seen) = (Vec::new(), Seen::default());
    for record in records {
        let content = record.content();
        let path = names.get(record.key().file as usize).map_or("", String::as_str);
        let source = || format!("{path}{}", content.place);
        let read = serde_json::from_str::<&RawValue>(content.text)
            .map_err(|_| content.fault(path, "not JSON"))
            .and_then(|json| seen.change(path, json, &content));
        match read {
            Ok(change) => changes.extend(change.map(|change| (change, source().into()))),
            Err(fault) => seen.faults.add(fault),
        }
    }
    (changes, seen)
}

/// The world as the policy is, and everything that is told of it.
pub(crate) struct AsItIs {
    pub(crate) world: World,
    pub(crate) tally: Tally,
    pub(crate) answers: Answers,
    /// The worst of what was found.
    pub(crate) worst: Worst,
    /// Where the changes stand that may be judged again.
    pub(crate) sources: BTreeMap<(ChangeId, AccountId), Arc<str>>,
    /// Whether what passes is shown too.
    pub(crate) all: bool,
}

impl AsItIs {
    pub(crate) fn walk(&mut self, batch: &Batch) -> anyhow::Result<()> {
        for (change, source) in &batch.changes {
            let step = self.world.walk(change);
            self.tally.events.stale += u64::from(step.stale);
            self.tally.events.unjudged += u64::from(step.unjudged);
            self.tally.events.changes += u64::from(!step.stale && !step.unjudged);
            self.step(step, Some((change, source)))?;
        }
        if let Some((last, _)) = batch.changes.last() {
            let gone = self.world.let_go(batch.parting.iter().cloned(), last.time);
            self.tally.let_go(&gone);
            self.answers.let_go(&gone);
            let again: BTreeMap<_, _> =
                self.world.causes().map(|cause| ((&cause.id, &cause.account), ())).collect();
            self.sources.retain(|(id, account), _| again.contains_key(&(id, account)));
        }
        Ok(())
    }

    /// Lets time go on behind the last change.
    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        let last = self.world.finish();
        self.step(last, None)
    }

    fn step(&mut self, step: Step, now: Option<(&Change, &Arc<str>)>) -> anyhow::Result<()> {
        self.tally.add_all(&step);
        for judgement in step.judgements {
            let cause = &judgement.cause;
            let of_now = now.filter(|(change, _)| change.id == cause.id && change.account == cause.account);
            let waits = matches!(judgement.outcome, Some(Outcome::Waiting(_)));
            let source = match of_now {
                Some((_, source)) => Some(source),
                None if waits || shown(&judgement, self.all) => {
                    self.sources.get(&(cause.id.clone(), cause.account.clone()))
                }
                None => None,
            };
            let source = source.map_or_else(|| Arc::from(""), Arc::clone);
            if waits {
                self.sources.insert((cause.id.clone(), cause.account.clone()), Arc::clone(&source));
            }
            if shown(&judgement, self.all) {
                let row = Row::judged(judgement, source);
                self.worst.add(&row);
                self.answers.add(&row)?;
            } else {
                self.answers.passes(&judgement.resource, judgement.evaluation.control.slug);
            }
        }
        Ok(())
    }
}

/// Whether an answer is shown: what passes only where that was asked for, or where it ends an incident.
fn shown(judgement: &Judgement, all: bool) -> bool {
    match judgement.evaluation.compliance {
        Compliance::Failed(_) | Compliance::Unknown(_) => true,
        Compliance::Passed | Compliance::NotApplicable(_) => all || judgement.outcome == Some(Outcome::Stale),
    }
}

/// A world that a mode would have led to, of which only the numbers are wanted.
pub(crate) struct WhatIf {
    pub(crate) world: World,
    /// Where they are wanted by incident.
    pub(crate) tally: Option<Tally>,
}

impl WhatIf {
    pub(crate) fn walk(&mut self, batch: &Batch) {
        for (change, _) in &batch.changes {
            let step = self.world.walk(change);
            if let Some(tally) = &mut self.tally {
                tally.add_all(&step);
            }
        }
        if let Some((last, _)) = batch.changes.last() {
            let gone = self.world.let_go(batch.parting.iter().cloned(), last.time);
            if let Some(tally) = &mut self.tally {
                tally.let_go(&gone);
            }
        }
    }

    pub(crate) fn finish(&mut self) {
        let last = self.world.finish();
        if let Some(tally) = &mut self.tally {
            tally.add_all(&last);
        }
    }
}
