//! What the controls say of what a change shows, and of what is known beside it.

use std::borrow::Cow;

use super::{ROUNDS, fails};
use crate::change::Observed;
use crate::control::{Compliance, Evaluation, evaluate};
use crate::facts::Need;
use crate::ports::Ports;
use crate::resource::{Resource, ResourceId};
use crate::selection::{Selected, Selection};

/// Evaluates what was observed, fetching what it needs, at most three times. Of what the event shows in part, the whole
/// is evaluated.
pub(super) async fn judge<'o, P: Ports>(
    observed: &'o Observed,
    ports: &mut P,
    selection: &Selection,
) -> Result<(Option<Cow<'o, Resource>>, Vec<Evaluation>), P::Failure> {
    let mut shown = match observed {
        Observed::State(resource) => Some(Cow::Borrowed(&**resource)),
        observed => ports.facts().known(observed.id()).cloned().map(Cow::Owned),
    };
    let mut described = !matches!(observed, Observed::State(_));
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
        // The event is a hint, and may be an old one: nothing is planned on what nobody has looked at since.
        if !described && evaluations.iter().any(fails) {
            described = true;
            if ports.refresh(observed.id()).await? {
                shown = ports.facts().known(observed.id()).cloned().map(Cow::Owned);
                continue;
            }
        }
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

/// The sentence about what could not be judged.
pub(super) fn unknown(needs: &[Need], id: &ResourceId) -> String {
    let mut calls: Vec<String> = needs.iter().map(|need| need.of(id).call()).collect();
    calls.dedup();
    ["cannot be judged without ", &calls.join(" · ")].concat()
}
