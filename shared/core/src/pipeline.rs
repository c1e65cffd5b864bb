//! One change's way: evaluate, plan, pre-flight, decide, combine, claim, act, settle, tell. Nothing else is async; the
//! ports do what waits. Replay, notify and fix run this very code, and differ in their ports alone.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::change::{Change, Observed};
use crate::control::{Compliance, Evaluation, evaluate_part};
use crate::decide::Authorized;
use crate::facts::{Facts, Need};
use crate::finding::Cause;
use crate::judgement::{Judgement, Report};
use crate::ledger::{IncidentId, Opened, Outcome, Settled};
use crate::policy::Policy;
use crate::ports::Ports;
use crate::remediation::Prover;
use crate::resource::{Resource, ResourceId};
use crate::selection::Selection;

mod act;
mod judge;
mod rule;

/// How often needs are fetched and a change judged again.
const ROUNDS: usize = 3;

/// Why a change is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// It arrived.
    Arrived,
    /// It arrived before, and came again.
    Again,
    /// An incident of it had waited.
    Resumed,
}

/// What is judged, and when.
#[derive(Debug, Clone)]
pub struct Case<'a> {
    change: &'a Change,
    earlier: &'a [Change],
    causes: Vec<Arc<Cause>>,
    occasion: Occasion,
    now: Timestamp,
}

impl<'a> Case<'a> {
    /// One change.
    pub fn new(change: &'a Change, occasion: Occasion, now: Timestamp) -> Self {
        Self { change, earlier: &[], causes: vec![Arc::new(Cause::of(change))], occasion, now }
    }

    /// The same with changes of the same resource that came before it, oldest first: what the resource is now is judged
    /// once for all of them.
    pub fn after(mut self, earlier: &'a [Change]) -> Self {
        self.earlier = earlier;
        self.causes.extend(earlier.iter().map(|change| Arc::new(Cause::of(change))));
        self
    }

    /// Its changes with their causes, the last one first.
    fn changes(&self) -> impl Iterator<Item = (&'a Change, &Arc<Cause>)> {
        let (last, before) = (self.causes.first(), self.causes.iter().skip(1));
        let earlier = self.earlier.iter().zip(before).rev();
        last.map(|cause| (self.change, cause)).into_iter().chain(earlier)
    }

    /// The last change that a test finds true, and its cause; the last one of all where none is.
    fn last(&self, is: impl Fn(&Change) -> bool) -> (&'a Change, Arc<Cause>, bool) {
        let found = self.changes().find(|(change, _)| is(change));
        let (change, cause) = found.unwrap_or((self.change, &self.causes[0]));
        (change, Arc::clone(cause), found.is_some())
    }

    /// An answer of which nothing follows.
    fn judgement(&self, id: &ResourceId, evaluation: Evaluation) -> Judgement {
        Judgement {
            cause: Arc::clone(&self.causes[0]),
            at: self.now,
            resource: id.clone(),
            evaluation,
            owner: None,
            fix: None,
            readiness: None,
            ruling: None,
            incident: None,
            outcome: None,
        }
    }
}

/// Takes one change from its evaluation to its end.
pub async fn handle<P: Ports>(
    case: &Case<'_>,
    ports: &mut P,
    policy: &Policy,
    selection: &Selection,
) -> Result<Report, P::Failure> {
    let mut report = Report::default();
    for observed in &case.change.observed {
        if let Observed::Gone(id) = observed {
            report.gone.extend(ports.close(id, None, Outcome::Gone).await?);
            continue;
        }
        if !selection.concerns(observed.id().kind) {
            continue;
        }
        // A revision never changes: one that was mended is judged by the revision that stands in its place, which
        // describing it may tell. What is open of the one before ends then.
        let mut observed = Cow::Borrowed(observed);
        let (resource, evaluations) = loop {
            if let Some(last) = in_its_place(observed.id(), ports.facts()) {
                ports.close(observed.id(), None, Outcome::Stale).await?;
                observed = Cow::Owned(last);
            }
            let judged = judge::judge(&observed, ports, selection).await?;
            if in_its_place(observed.id(), ports.facts()).is_none() {
                break judged;
            }
        };
        let id = observed.id();
        if ports.facts().is_gone(id) {
            report.gone.extend(ports.close(id, None, Outcome::Gone).await?);
            continue;
        }
        let resource = resource.as_deref();
        let (mut ruled, authorized) =
            rule_all(case, &observed, resource, evaluations, ports, policy, selection).await?;
        act::act(case.change, authorized, &mut ruled, ports, policy, selection, case.now).await?;
        let mut judgements = Vec::with_capacity(ruled.len());
        for one in ruled {
            judgements.push(settle(one, ports, case.now).await?);
        }
        for judgement in &judgements {
            others(case, judgement, ports).await?;
        }
        let told: Vec<&Judgement> = judgements.iter().filter(|one| tells(one)).collect();
        if !told.is_empty() {
            ports.publish(&told).await?;
        }
        match report.judgements.is_empty() {
            true => report.judgements = judgements,
            false => report.judgements.append(&mut judgements),
        }
    }
    Ok(report)
}

/// One answer with what was decided, and its incident where that is still to be written down.
struct Ruled {
    judgement: Judgement,
    opened: Option<Opened>,
}

impl Ruled {
    /// An answer of which nothing is written down any more.
    fn without(judgement: Judgement) -> Self {
        Self { judgement, opened: None }
    }
}

/// Decides about every answer.
async fn rule_all<P: Ports>(
    case: &Case<'_>,
    observed: &Observed,
    resource: Option<&Resource>,
    evaluations: Vec<Evaluation>,
    ports: &mut P,
    policy: &Policy,
    selection: &Selection,
) -> Result<(Vec<Ruled>, Vec<Authorized>), P::Failure> {
    let id = observed.id();
    let whole = resource.map(|resource| Judged { resource, part: false });
    let (part, shown) = match observed {
        Observed::Part(resource) => {
            (Some(Judged { resource, part: true }), evaluate_part(resource, ports.facts(), selection))
        }
        _ => (None, Vec::new()),
    };
    let mut ruled = Vec::with_capacity(evaluations.len());
    let mut authorized = Vec::new();
    let mut unjudged: Option<(Vec<Need>, String)> = None;
    let mut prover = whole.map(|whole| Prover::new(whole.resource));
    for evaluation in evaluations {
        // What the event shows to be wrong is wrong, even where what is known of the whole does not show it.
        let of_part = shown.iter().find(|one| one.control == evaluation.control && fails(one));
        let (evaluation, judged) = match of_part.filter(|_| !fails(&evaluation)) {
            Some(of_part) => (of_part.clone(), part),
            None => (evaluation, whole),
        };
        let one = match (&evaluation.compliance, judged) {
            (Compliance::Failed(_), Some(judged)) => {
                let (one, fix) =
                    rule::rule(case, judged, evaluation, &mut prover, ports, policy, selection).await?;
                authorized.extend(fix);
                one
            }
            (Compliance::Unknown(needs), _) => {
                if case.occasion == Occasion::Resumed {
                    // Nobody knows whether it still fails: what waited ends, and that is said instead.
                    ports.close(id, Some(evaluation.control.slug), Outcome::Stale).await?;
                }
                // Many controls lack the same.
                let text = match unjudged.take().filter(|(lacked, _)| lacked == needs) {
                    Some((_, text)) => text,
                    None => judge::unknown(needs, id),
                };
                unjudged = Some((needs.clone(), text.clone()));
                rule::undecided(case, id, evaluation, text, ports, policy).await?
            }
            _ => {
                // What waited has nothing to fix any more, and what was told is told again should it come back.
                let ended = ports.close(id, Some(evaluation.control.slug), Outcome::Stale).await?;
                let mut judgement = case.judgement(id, evaluation);
                judgement.outcome = ended.first().map(|_| Outcome::Stale);
                judgement.incident = ended.into_iter().next();
                Ruled::without(judgement)
            }
        };
        ruled.push(one);
    }
    Ok((ruled, authorized))
}

/// The mended revision that stands in the place of another, if one is known.
fn in_its_place(id: &ResourceId, facts: &Facts) -> Option<Observed> {
    facts.mended(&id.arn).map(|last| Observed::State(Box::new(last.clone())))
}

/// The document that an answer is about.
#[derive(Clone, Copy)]
struct Judged<'a> {
    resource: &'a Resource,
    /// It shows some of the resource only.
    part: bool,
}

fn fails(evaluation: &Evaluation) -> bool {
    matches!(evaluation.compliance, Compliance::Failed(_))
}

fn tells(judgement: &Judgement) -> bool {
    matches!(judgement.outcome, Some(Outcome::Notified | Outcome::Applied | Outcome::Failed))
}

/// Every change that was judged with another has an incident of its own, which says where its end stands.
async fn others<P: Ports>(case: &Case<'_>, judgement: &Judgement, ports: &mut P) -> Result<(), P::Failure> {
    let (Some(incident), Some(ruling)) = (&judgement.incident, &judgement.ruling) else { return Ok(()) };
    if case.earlier.is_empty() || matches!(judgement.outcome, Some(Outcome::Waiting(_)) | None) {
        return Ok(());
    }
    for (change, _) in case.changes().filter(|(change, _)| change.id != incident.change) {
        let id = IncidentId { change: change.id.clone(), ..incident.clone() };
        let settled = Settled {
            fingerprint: judgement.fingerprint(),
            outcome: Outcome::Repeated,
            reason: format!("judged together with {}: {}", incident.change, ruling.reason.text).into(),
        };
        ports.settle(&id, settled, case.now).await?;
    }
    Ok(())
}

/// Writes down where an incident stands. The same end of the same state as before is a repeat, unless something was
/// written.
async fn settle<P: Ports>(ruled: Ruled, ports: &mut P, now: Timestamp) -> Result<Judgement, P::Failure> {
    let Ruled { mut judgement, opened } = ruled;
    let (Some(opened), Some(ruling), Some(outcome)) = (opened, &judgement.ruling, &judgement.outcome) else {
        return Ok(judgement);
    };
    let settled = Settled {
        fingerprint: opened.fingerprint,
        outcome: outcome.clone(),
        reason: ruling.reason.text.as_str().into(),
    };
    let written = *outcome == Outcome::Applied;
    if *outcome == Outcome::Repeated {
        return Ok(judgement);
    }
    let repeats = !written && opened.settled.is_some_and(|before| before == settled);
    ports.settle(&opened.id, settled, now).await?;
    if repeats {
        judgement.outcome = Some(Outcome::Repeated);
    }
    Ok(judgement)
}
