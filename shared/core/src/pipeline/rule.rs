//! What is done about one answer: plan, pre-flight, decide.

use std::sync::Arc;

use super::{Case, Judged, Occasion, ROUNDS, Ruled};
use crate::change::Request;
use crate::control::{Compliance, Evaluation};
use crate::decide::{Authorized, Decision, Proposal, Why, decide};
use crate::facts::Need;
use crate::finding::{Finding, Owner};
use crate::judgement::{Readiness, Ruling};
use crate::ledger::Outcome;
use crate::policy::{ExemptionMatch, Mode, Policy};
use crate::ports::Ports;
use crate::preflight::{Preflight, preflight};
use crate::remediation::{self, Fix, Prover};
use crate::resource::{Resource, ResourceId, ResourceType};
use crate::selection::Selection;

/// Tells, once, that a control could not be judged.
pub(super) async fn undecided<P: Ports>(
    case: &Case<'_>,
    id: &ResourceId,
    evaluation: Evaluation,
    text: String,
    ports: &mut P,
    policy: &Policy,
) -> Result<Ruled, P::Failure> {
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
        return Ok(Ruled::without(judgement));
    }
    let opened = ports.open(&finding, case.now).await?;
    judgement.incident = Some(opened.id.clone());
    if opened.dealt_with {
        judgement.outcome = Some(Outcome::Repeated);
        return Ok(Ruled::without(judgement));
    }
    let (ruling, end) = match policy.exemption(&finding.subject(), case.now) {
        Some(ExemptionMatch::Live(exemption)) => (Ruling::exempt(exemption), Outcome::Suppressed),
        _ => (Ruling::notify(Why::Unknown, text), Outcome::Notified),
    };
    judgement.ruling = Some(ruling);
    judgement.outcome = Some(end);
    Ok(Ruled { judgement, opened: Some(opened) })
}

/// Plans, pre-flights and decides about one failed evaluation.
pub(super) async fn rule<P: Ports>(
    case: &Case<'_>,
    judged: Judged<'_>,
    evaluation: Evaluation,
    prover: &mut Option<Prover<'_>>,
    ports: &mut P,
    policy: &Policy,
    selection: &Selection,
) -> Result<(Ruled, Option<Authorized>), P::Failure> {
    let (resource, now) = (judged.resource, case.now);
    let mut finding = finding(case, resource, &evaluation);
    let opened = ports.open(&finding, now).await?;
    // A revision that somebody asks about is of the tool of who asks, until its registration is seen.
    let asked = resource.id.kind == ResourceType::TaskDefinition;
    let maker = opened.maker.or(asked.then_some(finding.cause.origin));
    finding.owner = Owner::of(resource, maker);
    let mut judgement = case.judgement(&resource.id, evaluation);
    judgement.cause = Arc::clone(&finding.cause);
    judgement.incident = Some(opened.id.clone());
    if opened.dealt_with {
        judgement.outcome = Some(Outcome::Repeated);
        return Ok((Ruled::without(judgement), None));
    }
    let proposal = propose(judged, &judgement.evaluation, prover, ports, selection).await?;
    let proposed = proposal.as_ref().map(|(fix, preflight)| Proposal { resource, fix, preflight });
    let decision = decide(&finding, proposed, policy, &opened.history, now);
    let ruling = Ruling::of(&decision);
    let outcome = match &decision {
        // Stands until the write has been tried.
        Decision::Fix(..) => Outcome::Applied,
        Decision::Wait(wait, _) => Outcome::Waiting(Box::new(wait.clone())),
        Decision::Notify(_) => Outcome::Notified,
        Decision::Suppress(_) => Outcome::Suppressed,
        Decision::Off(_) => Outcome::Off,
    };
    judgement.owner = finding.owner;
    judgement.readiness = proposal.as_ref().map(|(_, preflight)| Readiness::of(preflight));
    judgement.fix = proposal.map(|(fix, _)| fix);
    judgement.ruling = Some(ruling);
    judgement.outcome = Some(outcome);
    let authorized = match decision {
        Decision::Fix(authorized, _) => Some(*authorized),
        _ => None,
    };
    Ok((Ruled { judgement, opened: Some(opened) }, authorized))
}

fn finding(case: &Case<'_>, resource: &Resource, evaluation: &Evaluation) -> Finding {
    let violations = match &evaluation.compliance {
        Compliance::Failed(violations) => violations.clone(),
        _ => Vec::new(),
    };
    // A service answers for its revision by naming it.
    let member = |path: &str| match evaluation.found_in {
        Some(_) => "taskDefinition".to_owned(),
        None => path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned(),
    };
    let members: Vec<String> = violations.iter().map(|violation| member(&violation.path)).collect();
    let (change, cause, made_by_cause) =
        case.last(|change| members.iter().any(|member| change.touches(resource.id.kind, member)));
    // A request that is hidden may have named anything, and is no proof that this change rolls the service.
    let shown = change.api.creates().is_some() || matches!(change.request, Request::Members(_));
    Finding {
        control: evaluation.control,
        resource: resource.id.clone(),
        found_in: evaluation.found_in.clone(),
        made_by_cause,
        starts_deployment: made_by_cause && shown && case.occasion == Occasion::Arrived,
        violations,
        cause,
        owner: None,
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
