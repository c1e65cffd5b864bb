//! What was authorised on one resource, made one write.

use std::collections::BTreeMap;

use json_patch::Patch;
use serde_json::Value;

use super::{
    Action, Expected, Loosening, by_slug, members, never_worse, simulate, starts_deployment as starts,
};
use crate::control::evaluate_all;
use crate::decide::Authorized;
use crate::facts::Facts;
use crate::resource::{Body, Resource, ResourceId};
use crate::selection::Selection;

/// Everything that was decided on one resource, as one write. Made by [`combine`] alone, out of what
/// [`decide`](crate::decide::decide) authorised.
#[derive(Debug, Clone)]
pub struct Remediation {
    target: ResourceId,
    action: Action,
    patch: Patch,
    controls: Vec<&'static str>,
    before: Resource,
    after: Resource,
    starts_deployment: bool,
}

impl Remediation {
    /// The resource that is written.
    pub fn target(&self) -> &ResourceId {
        &self.target
    }

    /// The call that writes it.
    pub fn action(&self) -> Action {
        self.action
    }

    /// The change.
    pub fn patch(&self) -> &Patch {
        &self.patch
    }

    /// The controls that it makes pass.
    pub fn controls(&self) -> &[&'static str] {
        &self.controls
    }

    /// The state that it was planned from.
    pub fn before(&self) -> &Resource {
        &self.before
    }

    /// The state that it leads to.
    pub fn after(&self) -> &Resource {
        &self.after
    }

    /// What this write makes of the resource as it is now. `None` where it is not what was judged any more, in anything
    /// that a control or a pre-flight reads: how many tasks run is no difference. `ours` is what an earlier write of the
    /// same judgement has made of it.
    pub fn onto(&self, now: &Resource, ours: Option<&Resource>) -> Option<Resource> {
        let known = ours.unwrap_or(&self.before);
        let tags = self.action != Action::TagResource || now.tags == known.tags;
        let same = now.id == self.target && now.body.without_counts() == known.body.without_counts();
        (same && tags).then(|| simulate(&self.patch, now).ok()).flatten()
    }

    /// What the plan makes of a document. `None` where it does not fit.
    pub fn applied_to(&self, document: &Value) -> Option<Value> {
        let mut document = document.clone();
        json_patch::patch(&mut document, &self.patch.0).ok()?;
        Some(document)
    }

    /// The names of the members of the document that are written, each once.
    pub fn members(&self) -> Vec<String> {
        members(&self.patch)
    }

    /// By what the write is known again, should its answer be lost. `None` where the state can't be read.
    pub fn expected(&self) -> Option<Expected> {
        Expected::of(&self.patch, &self.after)
    }

    /// Whether tasks are replaced.
    pub fn starts_deployment(&self) -> bool {
        self.starts_deployment
    }
}

/// A fix that could not be made part of its resource's one write.
#[derive(Debug, Clone)]
pub struct LeftOut {
    /// The control.
    pub control: &'static str,
    /// Why.
    pub why: Loosening,
}

/// Makes one remediation a resource and call of what was authorised, in the order of the controls. A fix that does not
/// fit on top of the others is left out, and said: the next evaluation finds it again.
pub fn combine(
    authorized: Vec<Authorized>,
    facts: &Facts,
    selection: &Selection,
) -> (Vec<Remediation>, Vec<LeftOut>) {
    let mut by_target: BTreeMap<(ResourceId, Action), Vec<Authorized>> = BTreeMap::new();
    for one in authorized {
        // What no call can make is never authorised.
        let Some(action) = one.fix().call else { continue };
        by_target.entry((one.resource().id.clone(), action)).or_default().push(one);
    }
    let (mut remediations, mut left_out) = (Vec::new(), Vec::new());
    for ((target, action), mut fixes) in by_target {
        fixes.sort_by_key(|one| one.control().slug);
        let Some(before) = fixes.first().map(|one| one.resource().clone()) else { continue };
        let old = by_slug(evaluate_all(&before, facts, selection));
        let mut after = before.clone();
        let mut patches: Vec<Patch> = Vec::new();
        let mut controls: Vec<&'static str> = Vec::new();
        let mut starts_deployment = false;
        for one in &fixes {
            let slug = one.control().slug;
            // A service that runs a revision with three faults moves once.
            let next = if patches.contains(&one.fix().patch) {
                Ok(after.clone())
            } else {
                simulate(&one.fix().patch, &after)
            };
            let with: Vec<&str> = controls.iter().copied().chain([slug]).collect();
            let proved = next.and_then(|next| {
                never_worse(&old, &evaluate_all(&next, facts, selection), &with).map(|()| next)
            });
            match proved {
                Ok(next) => {
                    after = next;
                    if !patches.contains(&one.fix().patch) {
                        patches.push(one.fix().patch.clone());
                    }
                    controls.push(slug);
                    starts_deployment |= starts(action, &one.fix().patch);
                }
                Err(why) => left_out.push(LeftOut { control: slug, why }),
            }
        }
        if let Some(name) = privileged(&after).filter(|_| action == Action::RegisterTaskDefinition) {
            let why = Loosening::Privileged(name);
            left_out.extend(controls.drain(..).map(|control| LeftOut { control, why: why.clone() }));
        }
        if !controls.is_empty() {
            let patch = Patch(patches.into_iter().flat_map(|patch| patch.0).collect());
            remediations.push(Remediation {
                target,
                action,
                patch,
                controls,
                before,
                after,
                starts_deployment,
            });
        }
    }
    (remediations, left_out)
}

/// A container of a revision that has every right on its host.
fn privileged(revision: &Resource) -> Option<String> {
    let Body::TaskDefinition(task) = &revision.body else { return None };
    let mut containers = task.container_definitions.items().iter();
    let found = containers.find(|container| container.privileged.known() == Some(&true))?;
    Some(found.name.text().unwrap_or_default().to_owned())
}
