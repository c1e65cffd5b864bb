//! History walked in time order, in a world of its own: an inventory for the lookups and the writes, a ledger in
//! memory, and a clock that stands where the events stand.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::change::{Change, Observed, Progress, Request as Members};
use crate::control::Compliance;
use crate::facts::{Facts, Need};
use crate::finding::Finding;
use crate::ids::{AccountId, ChangeId};
use crate::inventory::Inventory;
use crate::judgement::Judgement;
use crate::ledger::memory::MemoryLedger;
use crate::ledger::{Claim, IncidentId, Intent, Ledger, Opened, Outcome, Settled};
use crate::pipeline::{Case, Occasion, handle};
use crate::policy::Policy;
use crate::ports::{Applied, Lookup, Notifier, Ports, Remediator};
use crate::preflight::WaitFor;
use crate::remediation::Remediation;
use crate::resource::{Body, ResourceId, ResourceType};
use crate::selection::Selection;

/// How much is parting before it is looked at what may go.
const PARTING: usize = 32;

/// The resources that a change names and that come and go with deployments: revisions and tasks.
pub fn passing(change: &Change) -> impl Iterator<Item = ResourceId> {
    let of_state = |observed: &Observed| match observed {
        Observed::State(resource) | Observed::Part(resource) => match &resource.body {
            Body::Service(service) => service.revision(),
            Body::TaskSet(set) => set.revision(),
            _ => None,
        },
        Observed::Touched(_) | Observed::Gone(_) => None,
    };
    let named = change.observed.iter().map(|observed| observed.id().clone());
    let run = change.observed.iter().filter_map(of_state);
    let task =
        change.task_version.iter().map(|(arn, _)| ResourceId { kind: ResourceType::Task, arn: arn.clone() });
    // A definition without a number is any revision of its family.
    named.chain(run).chain(task).filter(|id| match id.kind {
        ResourceType::TaskDefinition => id.arn.name().contains(':'),
        kind => kind == ResourceType::Task,
    })
}

/// The messages that were sent. One tells everything about one resource of one change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Messages {
    /// How many.
    #[serde(rename = "messages")]
    pub all: u64,
    /// Those of them that tell of nothing but what could not be judged.
    pub unknown: u64,
}

/// One policy's course of history.
#[derive(Debug, Clone)]
pub struct World {
    policy: Policy,
    selection: Arc<Selection>,
    ports: Desk,
    /// The changes behind the incidents that wait.
    causes: BTreeMap<IncidentId, Change>,
    /// Whether ECS's own events are among the input: without them nothing tells when a deployment ended.
    announced: bool,
    /// What no later change names and could not be forgotten so far, and how much of it there was when that was last
    /// looked at.
    parting: BTreeSet<ResourceId>,
    stayed: usize,
}

/// What walking one change led to.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// Every answer, those of incidents that had waited among them, in the order in which they were given.
    pub judgements: Vec<Judgement>,
    /// The incidents that ended because their resource is gone.
    pub gone: Vec<IncidentId>,
    /// The event was older than what is known of its task, and was passed over.
    pub stale: bool,
    /// No selected control judges any kind of resource that it was about.
    pub unjudged: bool,
}

impl World {
    /// A world that follows a policy.
    pub fn new(policy: Policy, selection: Selection, mut inventory: Inventory) -> Self {
        inventory.seal();
        let ledger = MemoryLedger::default();
        let hourly = policy.budget().messages_per_account_per_hour.value;
        let ports = Desk { inventory, ledger, hourly, sent: BTreeMap::new(), messages: Messages::default() };
        Self {
            policy,
            selection: Arc::new(selection),
            ports,
            causes: BTreeMap::new(),
            announced: false,
            parting: BTreeSet::new(),
            stayed: 0,
        }
    }

    /// The messages that were sent.
    pub fn messages(&self) -> Messages {
        self.ports.messages
    }

    /// What is known by now, our fixes included.
    pub fn facts(&self) -> &Facts {
        self.ports.facts()
    }

    /// Walks one change; first come the incidents whose time has come before it.
    pub fn walk(&mut self, change: &Change) -> Step {
        let mut step = self.until(change.time);
        self.announced |= change.deployment.is_some();
        let Some(seen) = self.ports.inventory.observe(change) else {
            step.stale = true;
            return step;
        };
        step.unjudged = !seen.observed.iter().any(|one| self.selection.concerns(one.id().kind));
        self.judge(&seen, Occasion::Arrived, change.time, &self.selection.clone(), &mut step);
        if let Some(news) = change.deployment.as_ref().filter(|news| news.progress != Progress::InProgress) {
            let woken = self.ports.ledger.waiting_for(&WaitFor::Deployment(news.id.clone()));
            self.resume(&woken, change.time, &mut step);
        }
        self.ask(change.time, &mut step);
        step
    }

    /// Lets time go on after the last change, until no incident waits for a time alone.
    pub fn finish(&mut self) -> Step {
        let mut step = Step::default();
        while let Some(time) = self.ports.ledger.next_time() {
            let mut later = self.until(time);
            if later.judgements.is_empty() {
                break;
            }
            step.judgements.append(&mut later.judgements);
        }
        step
    }

    /// Forgets the revisions and tasks that no later change names, as soon as nothing runs them and nothing waits on
    /// them: they come with every deployment, and history is long. No answer depends on it. What was forgotten is the
    /// answer.
    pub fn let_go(
        &mut self,
        named_last: impl IntoIterator<Item = ResourceId>,
        now: Timestamp,
    ) -> Vec<ResourceId> {
        self.parting.extend(named_last);
        // What stays does so for a while.
        if self.parting.len() < 2 * self.stayed + PARTING {
            return Vec::new();
        }
        let mut gone = Vec::new();
        let mut parting = std::mem::take(&mut self.parting);
        while let Some(id) = parting.pop_first() {
            let waits = self.ports.ledger.waits(&id);
            match (!waits).then(|| self.ports.inventory.let_go(&id)).flatten() {
                Some(mended) => {
                    self.ports.ledger.forget(&id);
                    parting.extend(mended);
                    gone.push(id);
                }
                None => {
                    self.parting.insert(id);
                }
            }
        }
        self.stayed = self.parting.len();
        self.causes.retain(|id, _| self.ports.ledger.is_latest(id));
        let judged_again: BTreeSet<&ChangeId> = self.causes.values().map(|cause| &cause.id).collect();
        self.ports.ledger.tidy(&judged_again, now);
        gone
    }

    /// The changes that may be judged again.
    pub fn causes(&self) -> impl Iterator<Item = &Change> {
        self.causes.values()
    }

    /// Judges again what waits, up to a time, in the order of the times.
    fn until(&mut self, now: Timestamp) -> Step {
        let mut step = Step::default();
        let next = |world: &Self| world.ports.ledger.next(world.announced, now);
        while let Some(due) = next(self) {
            self.resume(&due.1, due.0, &mut step);
            self.ask(due.0, &mut step);
            // Whatever still waits for the same time would never let time go on.
            if next(self).as_ref() == Some(&due) {
                for id in due.1 {
                    ready(self.ports.close(&id.target, Some(id.control), Outcome::Stale));
                }
            }
        }
        step
    }

    /// Judges incidents again; those of one resource and change together, so that they become one write.
    fn resume(&mut self, ids: &[IncidentId], now: Timestamp, step: &mut Step) {
        let mut together: BTreeMap<(&ResourceId, &ChangeId), Vec<&'static str>> = BTreeMap::new();
        for id in ids {
            together.entry((&id.target, &id.change)).or_default().push(id.control);
        }
        for ((target, change), controls) in together {
            let of = |control: &&'static str| IncidentId {
                target: target.clone(),
                control,
                change: change.clone(),
            };
            let cause = controls.iter().find_map(|control| self.causes.get(&of(control)).cloned());
            let Some(cause) = cause else { continue };
            let only = self.selection.only(&controls);
            self.judge(&cause, Occasion::Resumed, now, &only, step);
        }
    }

    /// Asks for a mended revision of what a service waits on, as the `service` function asks `task-definition`: in
    /// the account and Region of the change that the service waits with.
    fn ask(&mut self, now: Timestamp, step: &mut Step) {
        for arn in self.ports.ledger.newly_wanted() {
            let waits = WaitFor::Mended(arn.clone());
            let waiting = self.ports.ledger.waiting_for(&waits);
            let Some(cause) = waiting.iter().find_map(|id| self.causes.get(id)) else { continue };
            let Some(resource) = self.ports.facts().resource(&arn) else { continue };
            let mut asked = cause.clone();
            asked.observed = vec![Observed::State(Box::new(resource.clone()))];
            asked.request = Members::Nothing;
            self.judge(&asked, Occasion::Arrived, now, &Arc::clone(&self.selection), step);
            if self.ports.facts().mended(&arn).is_some() {
                let woken = self.ports.ledger.waiting_for(&waits);
                self.resume(&woken, now, step);
            }
        }
    }

    fn judge(
        &mut self,
        change: &Change,
        occasion: Occasion,
        now: Timestamp,
        selection: &Selection,
        step: &mut Step,
    ) {
        let case = Case::new(change, occasion, now);
        let report = ready(handle(&case, &mut self.ports, &self.policy, selection));
        for judgement in &report.judgements {
            let (Some(id), Some(Outcome::Waiting(_))) = (&judgement.incident, &judgement.outcome) else {
                continue;
            };
            let mut cause = change.clone();
            cause.observed = vec![Observed::Touched(judgement.resource.clone())];
            self.causes.entry(id.clone()).or_insert(cause);
        }
        match step.judgements.is_empty() {
            true => step.judgements = report.judgements,
            false => step.judgements.extend(report.judgements),
        }
        step.gone.extend(report.gone);
    }
}

/// Replay's ports: everything is at hand, and nothing ever waits.
#[derive(Debug, Clone)]
struct Desk {
    inventory: Inventory,
    ledger: MemoryLedger,
    /// How many messages an account gets in an hour; what comes past that becomes one summary.
    hourly: u32,
    /// The hour that an account's messages are counted in, and their number.
    sent: BTreeMap<AccountId, (Timestamp, u32)>,
    messages: Messages,
}

/// Runs what never waits.
fn ready<T>(future: impl Future<Output = Result<T, Infallible>>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(value)) => value,
        Poll::Pending => unreachable!("replay's ports answer at once"),
    }
}

impl Ports for Desk {
    type Failure = Infallible;
}

impl Lookup for Desk {
    type Error = Infallible;

    fn facts(&self) -> &Facts {
        self.inventory.facts()
    }

    async fn fetch(&mut self, needs: &[Need]) -> Result<bool, Infallible> {
        Ok(self.inventory.fetch(needs))
    }

    async fn refresh(&mut self, _: &ResourceId) -> Result<bool, Infallible> {
        Ok(false)
    }
}

impl Remediator for Desk {
    type Error = Infallible;

    async fn apply(&mut self, remediation: &Remediation) -> Result<Applied, Infallible> {
        self.inventory.apply(remediation);
        Ok(Applied::Done)
    }
}

impl Notifier for Desk {
    type Error = Infallible;

    async fn publish(&mut self, judgements: &[&Judgement]) -> Result<(), Infallible> {
        let Some(first) = judgements.first() else { return Ok(()) };
        let hour = self.sent.entry(first.cause.account.clone()).or_insert((first.at, 0));
        if first.at.duration_since(hour.0) >= SignedDuration::from_hours(1) {
            *hour = (first.at, 0);
        }
        hour.1 += 1;
        // The first one past the budget stands for the hour's summary.
        if hour.1 <= self.hourly.saturating_add(1) {
            self.messages.all += 1;
            let unknown = |one: &&Judgement| matches!(one.evaluation.compliance, Compliance::Unknown(_));
            self.messages.unknown += u64::from(judgements.iter().all(unknown));
        }
        Ok(())
    }
}

impl Ledger for Desk {
    type Error = Infallible;

    async fn open(&mut self, finding: &Finding, now: Timestamp) -> Result<Opened, Infallible> {
        self.ledger.open(finding, now).await
    }

    async fn claim(&mut self, intent: &Intent<'_>, now: Timestamp) -> Result<Claim, Infallible> {
        self.ledger.claim(intent, now).await
    }

    async fn settle(&mut self, id: &IncidentId, settled: Settled, now: Timestamp) -> Result<(), Infallible> {
        self.ledger.settle(id, settled, now).await
    }

    async fn close(
        &mut self,
        target: &ResourceId,
        control: Option<&'static str>,
        outcome: Outcome,
    ) -> Result<Vec<IncidentId>, Infallible> {
        self.ledger.close(target, control, outcome).await
    }
}
