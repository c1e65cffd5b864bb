//! One change's way: evaluate, plan, pre-flight, decide, combine, claim, act, settle. Nothing else is async; the
//! ports do what waits. Replay, notify and fix run this very code, and differ in their ports alone.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::change::{Change, Observed, Request};
use crate::control::{Compliance, Evaluation, evaluate, evaluate_part};
use crate::decide::{Authorized, Decision, Proposal, Why, decide};
use crate::facts::Need;
use crate::finding::{Cause, Finding, Owner};
use crate::judgement::{Judgement, Readiness, Report, Ruling};
use crate::ledger::{Opened, Outcome, Settled};
use crate::policy::{ExemptionMatch, Mode, Policy};
use crate::ports::Ports;
use crate::preflight::{Preflight, preflight};
use crate::remediation::{self, Fix, Prover};
use crate::resource::{Resource, ResourceId};
use crate::selection::{Selected, Selection};

mod act;

/// How often needs are fetched and a change judged again.
const ROUNDS: usize = 3;

/// Why a change is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// It arrived.
    Arrived,
    /// An incident of it had waited.
    Resumed,
}

/// Takes one change from its evaluation to its end.
pub async fn handle<P: Ports>(
    change: &Change,
    occasion: Occasion,
    ports: &mut P,
    policy: &Policy,
    selection: &Selection,
    now: Timestamp,
) -> Result<Report, P::Failure> {
    let case = Case { change, cause: Arc::new(Cause::of(change)), occasion, now };
    let mut report = Report::default();
    for observed in &change.observed {
        let id = observed.id();
        if let Observed::Gone(id) = observed {
            report.gone.extend(ports.close(id, None, Outcome::Gone).await?);
            continue;
        }
        if !selection.concerns(id.kind) {
            continue;
        }
        // A revision never changes: one that was mended is judged by the revision that stands in its place.
        let mended = ports.facts().mended(&id.arn).map(|last| Observed::State(Box::new(last.clone())));
        let observed = mended.as_ref().unwrap_or(observed);
        let id = observed.id();
        let (resource, evaluations) = judge(observed, ports, selection).await?;
        let whole = resource.as_deref().map(|resource| Judged { resource, part: false });
        let (part, shown) = match observed {
            Observed::Part(resource) => {
                (Some(Judged { resource, part: true }), evaluate_part(resource, ports.facts(), selection))
            }
            _ => (None, Vec::new()),
        };
        let mut judgements = Vec::with_capacity(evaluations.len());
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
            let judgement = match (&evaluation.compliance, judged) {
                (Compliance::Failed(_), Some(judged)) => {
                    let (judgement, fix) =
                        rule(&case, judged, evaluation, &mut prover, ports, policy, selection).await?;
                    authorized.extend(fix);
                    judgement
                }
                (Compliance::Unknown(needs), _) => {
                    if occasion == Occasion::Resumed {
                        // Nobody knows whether it still fails: what waited ends, and that is said instead.
                        ports.close(id, Some(evaluation.control.slug), Outcome::Stale).await?;
                    }
                    // Many controls lack the same.
                    let text = match unjudged.take().filter(|(lacked, _)| lacked == needs) {
                        Some((_, text)) => text,
                        None => unknown(needs, id),
                    };
                    unjudged = Some((needs.clone(), text.clone()));
                    undecided(&case, id, evaluation, text, ports, policy).await?
                }
                _ => {
                    // What waited has nothing to fix any more, and what was told is told again should it come back.
                    let ended = ports.close(id, Some(evaluation.control.slug), Outcome::Stale).await?;
                    let mut judgement = case.judgement(id, evaluation);
                    judgement.outcome = ended.first().map(|_| Outcome::Stale);
                    judgement.incident = ended.into_iter().next();
                    judgement
                }
            };
            judgements.push(judgement);
        }
        act::act(change, authorized, &mut judgements, ports, policy, selection, now).await?;
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

/// A change as it is judged.
struct Case<'a> {
    change: &'a Change,
    cause: Arc<Cause>,
    occasion: Occasion,
    now: Timestamp,
}

impl Case<'_> {
    /// An answer of which nothing follows.
    fn judgement(&self, id: &ResourceId, evaluation: Evaluation) -> Judgement {
        Judgement {
            cause: Arc::clone(&self.cause),
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

/// Evaluates what was observed, fetching what it needs, at most three times. Of what the event shows in part, the whole
/// is evaluated.
async fn judge<'o, P: Ports>(
    observed: &'o Observed,
    ports: &mut P,
    selection: &Selection,
) -> Result<(Option<Cow<'o, Resource>>, Vec<Evaluation>), P::Failure> {
    let mut shown = match observed {
        Observed::State(resource) => Some(Cow::Borrowed(&**resource)),
        observed => ports.facts().known(observed.id()).cloned().map(Cow::Owned),
    };
    let mut round = 0;
    loop {
        let (evaluations, needs) = match shown.as_deref() {
            None => (missing(observed.id(), selection), vec![Need::Resource(observed.id().clone())]),
            Some(resource) => {
                let evaluations = evaluate(resource, ports.facts(), selection);
                let needs = needed(&evaluations, resource);
                (evaluations, needs)
            }
        };
        if needs.is_empty() || round == ROUNDS || !ports.fetch(&needs).await? {
            return Ok((shown, evaluations));
        }
        // A resource that hides a member is replaced by its description.
        if let Some(described) = ports.facts().known(observed.id()) {
            shown = Some(Cow::Owned(described.clone()));
        }
        round += 1;
    }
}

fn needed(evaluations: &[Evaluation], resource: &Resource) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for evaluation in evaluations {
        if let Compliance::Unknown(missing) = &evaluation.compliance {
            needs.extend(missing.iter().map(|need| need.of(&resource.id)));
        }
    }
    needs.sort();
    needs.dedup();
    needs
}

/// Every control's answer for a resource of which only the name is known.
fn missing(id: &ResourceId, selection: &Selection) -> Vec<Evaluation> {
    let concerned = selection.iter().filter(|selected| selected.control.concerns(id.kind));
    let unknown = |selected: &Selected| Evaluation {
        control: selected.control,
        found_in: None,
        compliance: Compliance::Unknown(vec![Need::Resource(id.clone())]),
    };
    concerned.map(unknown).collect()
}

fn unknown(needs: &[Need], id: &ResourceId) -> String {
    let mut calls: Vec<String> = needs.iter().map(|need| need.of(id).call()).collect();
    calls.dedup();
    ["cannot be judged without ", &calls.join(" · ")].concat()
}

/// Tells, once, that a control could not be judged.
async fn undecided<P: Ports>(
    case: &Case<'_>,
    id: &ResourceId,
    evaluation: Evaluation,
    text: String,
    ports: &mut P,
    policy: &Policy,
) -> Result<Judgement, P::Failure> {
    let mut judgement = case.judgement(id, evaluation);
    let finding = Finding {
        control: judgement.evaluation.control,
        resource: id.clone(),
        found_in: None,
        violations: Vec::new(),
        cause: Arc::clone(&judgement.cause),
        made_by_cause: false,
        starts_deployment: false,
        owner: None,
    };
    if policy.effective(&finding.subject()).mode.value == Mode::Off {
        return Ok(judgement);
    }
    let opened = ports.open(&finding, case.now).await?;
    let (ruling, end) = match policy.exemption(&finding.subject(), case.now) {
        Some(ExemptionMatch::Live(exemption)) => (Ruling::exempt(exemption), Outcome::Suppressed),
        _ => (Ruling::notify(Why::Unknown, text), Outcome::Notified),
    };
    let outcome = settle(&opened, &ruling, end, ports, case.now).await?;
    judgement.ruling = Some(ruling);
    judgement.incident = Some(opened.id);
    judgement.outcome = Some(outcome);
    Ok(judgement)
}

/// Writes down where an incident stands; the same end of the same state as before is a repeat.
async fn settle<P: Ports>(
    opened: &Opened,
    ruling: &Ruling,
    outcome: Outcome,
    ports: &mut P,
    now: Timestamp,
) -> Result<Outcome, P::Failure> {
    let text = ruling.reason.text.as_str();
    let same = |before: &Settled| {
        before.fingerprint == opened.fingerprint && before.outcome == outcome && &*before.reason == text
    };
    if opened.settled.as_ref().is_some_and(same) {
        return Ok(Outcome::Repeated);
    }
    let settled = Settled { fingerprint: opened.fingerprint, outcome: outcome.clone(), reason: text.into() };
    ports.settle(&opened.id, settled, now).await?;
    Ok(outcome)
}

/// Plans, pre-flights and decides about one failed evaluation.
async fn rule<P: Ports>(
    case: &Case<'_>,
    judged: Judged<'_>,
    evaluation: Evaluation,
    prover: &mut Option<Prover<'_>>,
    ports: &mut P,
    policy: &Policy,
    selection: &Selection,
) -> Result<(Judgement, Option<Authorized>), P::Failure> {
    let (resource, now) = (judged.resource, case.now);
    let finding = finding(case, resource, &evaluation);
    let opened = ports.open(&finding, now).await?;
    let proposal = propose(judged, &evaluation, prover, ports, selection).await?;
    let proposed = proposal.as_ref().map(|(fix, preflight)| Proposal { resource, fix, preflight });
    let decision = decide(&finding, proposed, policy, &opened.history, now);
    let ruling = Ruling::of(&decision);
    let outcome = match &decision {
        // Stands until the write has been tried.
        Decision::Fix(..) => Outcome::Applied,
        Decision::Wait(wait, _) => {
            settle(&opened, &ruling, Outcome::Waiting(Box::new(wait.clone())), ports, now).await?
        }
        Decision::Notify(_) => settle(&opened, &ruling, Outcome::Notified, ports, now).await?,
        Decision::Suppress(_) => settle(&opened, &ruling, Outcome::Suppressed, ports, now).await?,
        Decision::Off(_) => settle(&opened, &ruling, Outcome::Off, ports, now).await?,
    };
    let mut judgement = case.judgement(&resource.id, evaluation);
    judgement.owner = finding.owner;
    judgement.readiness = proposal.as_ref().map(|(_, preflight)| Readiness::of(preflight));
    judgement.fix = proposal.map(|(fix, _)| fix);
    judgement.ruling = Some(ruling);
    judgement.incident = Some(opened.id);
    judgement.outcome = Some(outcome);
    let authorized = match decision {
        Decision::Fix(authorized, _) => Some(*authorized),
        _ => None,
    };
    Ok((judgement, authorized))
}

fn finding(case: &Case<'_>, resource: &Resource, evaluation: &Evaluation) -> Finding {
    let change = case.change;
    let violations = match &evaluation.compliance {
        Compliance::Failed(violations) => violations.clone(),
        _ => Vec::new(),
    };
    // A service answers for its revision by naming it.
    let set = |path: &str| match evaluation.found_in {
        Some(_) => change.touches(resource.id.kind, "taskDefinition"),
        None => change
            .touches(resource.id.kind, path.trim_start_matches('/').split('/').next().unwrap_or_default()),
    };
    let made_by_cause = violations.iter().any(|violation| set(&violation.path));
    // A request that is hidden may have named anything, and is no proof that this change rolls the service.
    let shown = change.api.creates().is_some() || matches!(change.request, Request::Members(_));
    Finding {
        control: evaluation.control,
        resource: resource.id.clone(),
        found_in: evaluation.found_in.clone(),
        made_by_cause,
        starts_deployment: made_by_cause && shown && case.occasion == Occasion::Arrived,
        violations,
        cause: Arc::clone(&case.cause),
        owner: Owner::of(resource, change.origin),
    }
}

/// The plan and what its pre-flight says, fetching what that needs, at most three times. Nothing is proved on a part:
/// what is not shown may make the plan another one.
async fn propose<P: Ports>(
    judged: Judged<'_>,
    evaluation: &Evaluation,
    prover: &mut Option<Prover<'_>>,
    ports: &mut P,
    selection: &Selection,
) -> Result<Option<(Fix, Preflight)>, P::Failure> {
    let resource = judged.resource;
    let Some(selected) = selection.get(evaluation.control) else { return Ok(None) };
    for round in 0..=ROUNDS {
        let facts = ports.facts();
        let Some(fix) = remediation::plan(resource, evaluation, facts, selected) else { return Ok(None) };
        let Some(prover) = prover.as_mut().filter(|_| !judged.part) else {
            return Ok(Some((fix, Preflight::Unknown(vec![Need::Resource(resource.id.clone())]))));
        };
        let proof = prover.prove(&fix, selected.control, facts, selection);
        let answer = preflight(&fix, resource, facts, selected, proof);
        match &answer {
            Preflight::Unknown(needs) if round < ROUNDS => {
                if !ports.fetch(needs).await? {
                    return Ok(Some((fix, answer)));
                }
                prover.facts_changed();
            }
            _ => return Ok(Some((fix, answer))),
        }
    }
    Ok(None)
}
