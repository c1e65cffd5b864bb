//! What is known of accounts, folded from changes and from our own actions.
//!
//! History shows what happened without us. Where a fix was decided on the way, later documents still show the
//! violation: they are read as they would have been, unless their change set the fixed member again.

use std::collections::BTreeMap;
use std::mem;

use json_patch::Patch;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::change::{Api, Change, Observed, Progress};
use crate::document::{Document, Field};
use crate::facts::{Facts, Need};
use crate::ids::Arn;
use crate::remediation::{Action, Remediation, members, provisional_arn, simulate};
use crate::resource::{Body, Resource, ResourceId, ResourceType, Retagged};

/// What is known, and what we changed.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    facts: Facts,
    /// Documents from `--state`: what describing a resource answers when no event shows it.
    described: BTreeMap<ResourceId, Resource>,
    fixed: BTreeMap<ResourceId, Vec<Patch>>,
    versions: BTreeMap<Arn, u64>,
    running: Running,
}

impl Inventory {
    /// An inventory that knows these roles to be passable and nothing else.
    pub fn new(passable_roles: Vec<String>) -> Self {
        Self { facts: Facts::passing(passable_roles), ..Self::default() }
    }

    /// What is known.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Learns from a document as `aws … describe-*` prints it. `None` where it is no such document.
    pub fn describe(&mut self, json: &RawValue) -> Option<usize> {
        let told = self.facts.absorb(json)?;
        Some(told)
    }

    /// Keeps what was described apart from what events will show.
    pub fn seal(&mut self) {
        self.described = self.facts.resources().map(|one| (one.id.clone(), one.clone())).collect();
        self.facts.resources().for_each(|one| self.running.learn(one));
    }

    fn learn(&mut self, resource: Resource) {
        self.running.learn(&resource);
        self.facts.learn(resource);
    }

    fn forget(&mut self, id: &ResourceId) {
        self.running.forget(id);
        self.facts.forget(id);
    }

    /// Lets go of a revision or a task that nothing names from now on. `None` where something known still runs it, or
    /// somebody described it; otherwise the mended revision that stood in its place, which nothing names either.
    pub fn let_go(&mut self, id: &ResourceId) -> Option<Option<ResourceId>> {
        if self.described.contains_key(id) || self.running.runs(&id.arn) {
            return None;
        }
        self.forget(id);
        self.fixed.remove(id);
        self.versions.remove(&id.arn);
        let mended = self.facts.forget_mended(&id.arn);
        Some(mended.map(|arn| ResourceId { kind: id.kind, arn }))
    }

    /// Answers needs as describing would: a resource that an event did not show whole is replaced by its description.
    /// `false` where nothing new was learned.
    pub fn fetch(&mut self, needs: &[Need]) -> bool {
        let mut learned = false;
        for need in needs {
            let Need::Resource(id) = need else { continue };
            let Some(described) = self.described.get(id) else { continue };
            if self.facts.known(id) != Some(described) {
                self.learn(described.clone());
                learned = true;
            }
        }
        learned
    }

    /// Folds a change in, and answers it as it would have looked with our fixes in force. `None` for a task event
    /// that is older than what is known of the task.
    pub fn observe(&mut self, change: &Change) -> Option<Change> {
        if let Some((task, version)) = &change.task_version {
            let known = self.versions.entry(task.clone()).or_default();
            if *known >= *version {
                return None;
            }
            *known = *version;
        }
        let mut seen = change.clone();
        for observed in &mut seen.observed {
            match observed {
                Observed::State(resource) | Observed::Part(resource) if change.addendum => {
                    *observed = Observed::Touched(resource.id.clone());
                }
                // The rest may have changed as well since it was last seen.
                Observed::Part(resource) => self.outdated(&resource.id),
                Observed::State(resource) => {
                    let named = Observed::Touched(resource.id.clone());
                    if let Observed::State(resource) = mem::replace(observed, named) {
                        let state = self.with_our_fixes(*resource, change);
                        self.learn(state.clone());
                        *observed = Observed::State(Box::new(state));
                    }
                }
                Observed::Touched(id) => self.touched(&id.clone(), change),
                Observed::Gone(id) => {
                    // Services go on running a deregistered revision.
                    if id.kind != ResourceType::TaskDefinition {
                        self.forget(id);
                        self.described.remove(id);
                        self.fixed.remove(id);
                    }
                }
            }
        }
        Some(seen)
    }

    /// The document as it would look: our patches hold where the change did not set their members again.
    fn with_our_fixes(&mut self, resource: Resource, change: &Change) -> Resource {
        // Answers to updates show no tags; what was known of them still holds.
        let known = self.facts.known(&resource.id).map(|known| known.tags.clone());
        let mut state = resource.with_tags_beside(known.unwrap_or_default());
        // Nor do they lack what the answer to the creating call had shown to be absent.
        state.whole |= self.facts.known(&state.id).is_some_and(|known| known.whole);
        let Some(patches) = self.fixed.get_mut(&state.id) else { return state };
        patches.retain(|patch| {
            let held = !members(patch).iter().any(|member| change.touches(state.id.kind, member));
            match simulate(patch, &state) {
                Ok(after) if held => {
                    state = after;
                    true
                }
                _ => false,
            }
        });
        state
    }

    /// A resource that changed without showing its state is only known as somebody described it.
    fn touched(&mut self, id: &ResourceId, change: &Change) {
        if let Some(news) = &change.deployment {
            return self.deployment(id, &news.id, news.progress);
        }
        if let Some(retagged) = change.retagged.as_ref().filter(|_| !change.addendum) {
            return self.retag(id, retagged);
        }
        let rewritten = match change.api {
            Api::CreateExpressGatewayService | Api::UpdateExpressGatewayService => true,
            Api::TagResource | Api::UntagResource | Api::RunTask | Api::StartTask => false,
            Api::TagRepository | Api::UntagRepository => false,
            // The groups of the interface are in use from now on, and are as they were.
            Api::ModifyNetworkInterfaceAttribute => false,
            Api::CreateTaskSet
            | Api::UpdateTaskSet
            | Api::UpdateServicePrimaryTaskSet
            | Api::DeleteTaskSet => false,
            api => !api.is_native() && !change.addendum,
        };
        if rewritten {
            self.outdated(id);
        }
    }

    /// Of a resource that was rewritten, only what somebody described is known.
    fn outdated(&mut self, id: &ResourceId) {
        self.forget(id);
        self.fixed.remove(id);
        if let Some(described) = self.described.get(id) {
            self.learn(described.clone());
        }
    }

    /// Tags came or went, perhaps those that we had set.
    fn retag(&mut self, id: &ResourceId, retagged: &Retagged) {
        if matches!(retagged, Retagged::Removed(_))
            && let Some(patches) = self.fixed.get_mut(id)
        {
            patches.retain(|patch| !members(patch).iter().any(|member| member == "tags"));
        }
        if let Some(after) = self.facts.resource(&id.arn).and_then(|known| known.retagged(retagged)) {
            self.learn(after);
        }
    }

    /// ECS announced how a deployment went.
    fn deployment(&mut self, service: &ResourceId, id: &str, progress: Progress) {
        let Some(known) = self.facts.known(service) else { return };
        match progress {
            Progress::Completed => {
                if let Some(after) = completed(known, id) {
                    self.learn(after);
                }
            }
            // A failed deployment may have been rolled back: only describing the service tells what it runs now.
            Progress::Failed => {
                self.forget(service);
                self.fixed.remove(service);
            }
            Progress::InProgress | Progress::Other => {}
        }
    }

    /// Writes a remediation, as AWS would.
    pub fn apply(&mut self, remediation: &Remediation) {
        let before = remediation.before();
        match remediation.action() {
            Action::RegisterTaskDefinition => {
                // Tags that were set since it was planned go with it.
                let tags = self.facts.resource(&before.id.arn).map_or(&before.tags, |known| &known.tags);
                if let Some(mended) = registered(before, remediation.after(), tags) {
                    self.facts.learn_mended(before.id.arn.clone(), mended);
                }
            }
            Action::UpdateClusterSettings
            | Action::UpdateCluster
            | Action::PutAccountSettingDefault
            | Action::UpdateService
            | Action::TagResource => {
                self.learn(remediation.after().clone());
                self.fixed.entry(before.id.clone()).or_default().push(remediation.patch().clone());
            }
        }
    }
}

/// Which revisions are run, by whatever is known: a revision has to be known as long as what runs it.
#[derive(Debug, Clone, Default)]
struct Running {
    /// By the one that runs it.
    revisions: BTreeMap<ResourceId, String>,
    /// How many run it.
    counts: BTreeMap<String, usize>,
}

impl Running {
    fn learn(&mut self, resource: &Resource) {
        let revision = match &resource.body {
            Body::Service(service) => service.task_definition.text(),
            Body::TaskSet(set) => set.task_definition.text(),
            Body::Launch(launch) => launch.task_definition.text(),
            _ => return,
        };
        let revision = revision.map(short);
        if self.revisions.get(&resource.id).map(String::as_str) == revision {
            return;
        }
        self.forget(&resource.id);
        if let Some(revision) = revision {
            self.revisions.insert(resource.id.clone(), revision.to_owned());
            *self.counts.entry(revision.to_owned()).or_default() += 1;
        }
    }

    fn forget(&mut self, id: &ResourceId) {
        let Some(revision) = self.revisions.remove(id) else { return };
        if let Some(count) = self.counts.get_mut(&revision) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&revision);
            }
        }
    }

    fn runs(&self, arn: &Arn) -> bool {
        self.counts.contains_key(short(arn.as_str()))
    }
}

/// `family:revision`, as callers may call it too.
fn short(revision: &str) -> &str {
    revision.rsplit_once('/').map_or(revision, |(_, short)| short)
}

/// The service once its deployment is through: the deployments before it are gone.
fn completed(service: &Resource, id: &str) -> Option<Resource> {
    let mut value = service.document.value()?;
    let members = value.as_object_mut()?;
    let deployments = members.get_mut("deployments")?.as_array_mut()?;
    if !deployments.iter().any(|one| one.get("id").and_then(Value::as_str) == Some(id)) {
        return None;
    }
    deployments.retain(|one| one.get("id").and_then(Value::as_str) == Some(id));
    for deployment in deployments.iter_mut() {
        deployment.as_object_mut()?.insert("rolloutState".to_owned(), "COMPLETED".into());
    }
    members.remove("currentServiceDeployment");
    let settled = Resource::read(service.id.clone(), Document::from_value(&value))?;
    Some(settled.following(service))
}

/// The mended revision under the name that it has until ECS gives it a number.
fn registered(before: &Resource, after: &Resource, tags: &Field<Vec<String>>) -> Option<Resource> {
    let arn: Arn = provisional_arn(&before.id.arn).parse().ok()?;
    let mut value = after.document.value()?;
    value.as_object_mut()?.insert("taskDefinitionArn".to_owned(), arn.as_str().into());
    let id = ResourceId { kind: before.id.kind, arn };
    Resource::read(id, Document::from_value(&value)).map(|mended| Resource { tags: tags.clone(), ..mended })
}
