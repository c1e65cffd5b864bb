//! A ledger that lives as long as the process: replay's, and the tests'.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::budget::{Fixes, Rolling};
use super::{Claim, IncidentId, Intent, Known, Ledger, Meeting, Opened, Outcome, Settled};
use crate::decide::{History, Wait};
use crate::finding::Finding;
use crate::ids::{AccountId, Arn, ChangeId};
use crate::preflight::WaitFor;
use crate::resource::ResourceId;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A resource, a control, and whether it fails: what could not be judged is kept apart.
type Key = (ResourceId, &'static str, bool);

/// Incidents and budgets in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryLedger {
    last: Book,
    /// What waits for a time, or for a revision at the latest until a time, by that time.
    by_time: BTreeSet<(Timestamp, Key)>,
    /// What waits for a deployment at the latest until a time: nothing comes of it where nothing tells of deployments.
    by_deadline: BTreeSet<(Timestamp, Key)>,
    /// What waits for something, by what it is.
    by_cause: BTreeMap<WaitFor, BTreeSet<Key>>,
    claimed: BTreeSet<(ResourceId, ChangeId, Vec<&'static str>)>,
    fixes: BTreeMap<AccountId, Fixes>,
    /// What rolls because of us, by cluster.
    rolling: BTreeMap<Arn, Rolling>,
    /// The changes that put something back, each once, however many controls it concerns.
    reverts: BTreeMap<ResourceId, BTreeMap<ChangeId, Timestamp>>,
    /// Revisions of which a mended one is wanted and was not asked for yet.
    fresh: Vec<Arn>,
}

/// The latest incidents of each resource, by control and whether it fails. Looked up all the time, and never listed
/// but for one resource.
#[derive(Debug, Clone, Default)]
struct Book(HashMap<ResourceId, Vec<(&'static str, bool, Known)>>);

impl Book {
    fn of(&self, target: &ResourceId) -> &[(&'static str, bool, Known)] {
        self.0.get(target).map_or(&[], Vec::as_slice)
    }

    fn get(&self, (target, control, fails): &Key) -> Option<&Known> {
        self.of(target)
            .iter()
            .find(|(of, failed, _)| of == control && failed == fails)
            .map(|(.., entry)| entry)
    }

    fn get_mut(&mut self, (target, control, fails): &Key) -> Option<&mut Known> {
        let entries = self.0.get_mut(target)?.iter_mut();
        entries.into_iter().find(|(of, failed, _)| of == control && failed == fails).map(|(.., entry)| entry)
    }

    fn put(&mut self, key: &Key, entry: Known) {
        match self.get_mut(key) {
            Some(known) => *known = entry,
            None => {
                let entries = self.0.entry(key.0.clone()).or_default();
                // There are very many of these lists, and none is long.
                if entries.len() == entries.capacity() {
                    entries.reserve_exact(8);
                }
                entries.push((key.1, key.2, entry));
            }
        }
    }
}

/// The name of the incident under a key.
fn incident_of((target, control, _): &Key, entry: &Known) -> IncidentId {
    IncidentId { target: target.clone(), control, change: entry.change.clone() }
}

impl MemoryLedger {
    /// The next time up to `now` at which something that waits has to be judged again, and what that is. Deadlines of
    /// deployments count only with `deployments`.
    pub fn next(&self, deployments: bool, now: Timestamp) -> Option<(Timestamp, Vec<IncidentId>)> {
        let sets = [Some(&self.by_time), Some(&self.by_deadline).filter(|_| deployments)];
        let first = |set: &BTreeSet<(Timestamp, Key)>| set.first().map(|(time, _)| *time);
        let time = sets.into_iter().flatten().filter_map(first).min().filter(|time| *time <= now)?;
        let due = sets.into_iter().flatten().flat_map(|set| set.iter().take_while(|(at, _)| *at == time));
        Some((time, due.filter_map(|(_, key)| self.incident(key)).collect()))
    }

    /// The next time that something waits for, where it waits for nothing else.
    pub fn next_time(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(time, _)| *time)
    }

    /// The incidents that wait for something.
    pub fn waiting_for(&self, what: &WaitFor) -> Vec<IncidentId> {
        let keys = self.by_cause.get(what).into_iter().flatten();
        keys.filter_map(|key| self.incident(key)).collect()
    }

    /// The latest incident of a resource and control.
    fn incident(&self, key: &Key) -> Option<IncidentId> {
        self.last.get(key).map(|entry| incident_of(key, entry))
    }

    /// The revisions of which mended ones have come to be waited for since this was last asked.
    pub fn newly_wanted(&mut self) -> Vec<Arn> {
        std::mem::take(&mut self.fresh)
    }

    /// Whether an incident is the latest of its resource and control.
    pub fn is_latest(&self, id: &IncidentId) -> bool {
        self.last
            .of(&id.target)
            .iter()
            .any(|(control, _, entry)| *control == id.control && entry.change == id.change)
    }

    /// Whether an incident of a resource waits.
    pub fn waits(&self, target: &ResourceId) -> bool {
        self.last.of(target).iter().any(|(.., entry)| entry.waits())
    }

    /// Forgets a resource of which nothing waits and that is never judged again.
    pub fn forget(&mut self, target: &ResourceId) {
        self.last.0.remove(target);
        self.reverts.remove(target);
    }

    /// Forgets what no later decision looks at: reverts of more than a day ago, and who was answered among the changes
    /// that are not judged again.
    pub fn tidy(&mut self, judged_again: &BTreeSet<&ChangeId>, now: Timestamp) {
        self.reverts.retain(|_, changes| changes.values().any(|time| now.duration_since(*time) < DAY));
        self.claimed.retain(|(_, change, _)| judged_again.contains(change));
    }

    /// Puts an incident where it stands, and keeps the lists of what waits.
    fn stand(&mut self, key: &Key, settled: Option<Settled>) {
        let Some(entry) = self.last.get_mut(key) else { return };
        let before = std::mem::replace(&mut entry.settled, settled);
        let after = entry.settled.clone();
        self.list(key, before.as_ref(), false);
        self.list(key, after.as_ref(), true);
    }

    fn list(&mut self, key: &Key, settled: Option<&Settled>, waits: bool) {
        let Some(Outcome::Waiting(wait)) = settled.map(|settled| &settled.outcome) else { return };
        let times = match &**wait {
            Wait::For(WaitFor::Deployment(_), _) => &mut self.by_deadline,
            Wait::Until(_) | Wait::For(WaitFor::Mended(_), _) => &mut self.by_time,
        };
        let at = (wait.latest(), key.clone());
        if waits {
            times.insert(at)
        } else {
            times.remove(&at)
        };
        let Wait::For(what, _) = &**wait else { return };
        if let (WaitFor::Mended(arn), true) = (what, waits && !self.by_cause.contains_key(what)) {
            self.fresh.push(arn.clone());
        }
        let keys = self.by_cause.entry(what.clone()).or_default();
        if waits {
            keys.insert(key.clone())
        } else {
            keys.remove(key)
        };
        if keys.is_empty() {
            self.by_cause.remove(what);
        }
    }
}

impl Ledger for MemoryLedger {
    type Error = Infallible;

    async fn open(&mut self, finding: &Finding, now: Timestamp) -> Result<Opened, Infallible> {
        let fails = !finding.violations.is_empty();
        let key = (finding.resource.clone(), finding.control.slug, fails);
        let fingerprint = finding.fingerprint();
        let (entry, settled) = match self.last.get_mut(&key) {
            Some(entry) if entry.meets(finding) == Meeting::Continues => {
                entry.seen_again(finding);
                (entry.clone(), entry.repeats(finding).cloned())
            }
            before => {
                if before.is_some_and(|entry| entry.meets(finding) == Meeting::Reverts) {
                    let reverts = self.reverts.entry(finding.resource.clone()).or_default();
                    reverts.insert(finding.cause.id.clone(), now);
                }
                let entry = Known::new(finding, now);
                self.stand(&key, None);
                self.last.put(&key, entry.clone());
                (entry, None)
            }
        };
        let reverts = self.reverts.get_mut(&finding.resource).map_or(0, |changes| {
            changes.retain(|_, time| now.duration_since(*time) < DAY);
            u32::try_from(changes.len()).unwrap_or(u32::MAX)
        });
        let (first_seen, deadline, undone) = (Some(entry.began), entry.deadline(), entry.undone);
        let history = History { first_seen, deadline, reverts, undone, ..History::default() };
        let id = incident_of(&key, &entry);
        Ok(Opened { id, fingerprint, maker: entry.maker, history, settled, dealt_with: false })
    }

    async fn claim(&mut self, intent: &Intent<'_>, now: Timestamp) -> Result<Claim, Infallible> {
        let target = intent.remediation.target();
        let claimed =
            (target.clone(), intent.incident.change.clone(), intent.remediation.controls().to_vec());
        if self.claimed.contains(&claimed) {
            return Ok(Claim::Done);
        }
        let mut fixes = self.fixes.get(intent.account).cloned().unwrap_or_default();
        if let Err(text) = fixes.count(intent.fixes_per_hour, now) {
            return Ok(Claim::OverBudget(text));
        }
        if let Some((cluster, services)) = &intent.rolls {
            let rolling = self.rolling.entry(cluster.clone()).or_default();
            if let Err(text) = rolling.enter(&target.arn, *services, intent.rolling_percent, now) {
                return Ok(Claim::OverBudget(text));
            }
        }
        self.fixes.insert(intent.account.clone(), fixes);
        self.claimed.insert(claimed);
        Ok(Claim::Mine)
    }

    async fn settle(
        &mut self,
        id: &IncidentId,
        mut settled: Settled,
        _: Timestamp,
    ) -> Result<(), Infallible> {
        let is = |fails: bool| {
            move |(of, failed, entry): &&(&str, bool, Known)| {
                *of == id.control && *failed == fails && entry.change == id.change
            }
        };
        let entries = self.last.of(&id.target);
        if let Some((_, fails, _)) =
            [true, false].into_iter().find_map(|fails| entries.iter().find(is(fails)))
        {
            // What many controls lack is one sentence, and kept once.
            let mut reasons = entries.iter().filter_map(|(.., entry)| Some(&entry.settled.as_ref()?.reason));
            if let Some(known) = reasons.find(|known| **known == settled.reason) {
                settled.reason = Arc::clone(known);
            }
            self.stand(&(id.target.clone(), id.control, *fails), Some(settled));
        }
        Ok(())
    }

    async fn close(
        &mut self,
        target: &ResourceId,
        control: Option<&'static str>,
        outcome: Outcome,
    ) -> Result<Vec<IncidentId>, Infallible> {
        let concerned = |of: &'static str| control.is_none_or(|control| control == of);
        let entries = self.last.of(target).iter().filter(|(of, ..)| concerned(of));
        let mut keys: Vec<Key> = entries.map(|(of, fails, _)| (target.clone(), *of, *fails)).collect();
        keys.sort_by_key(|(_, control, fails)| (*control, Reverse(*fails)));
        let mut ended = Vec::new();
        for key in keys {
            let Some(entry) = self.last.get(&key) else { continue };
            let Some(settled) = entry.settled.clone() else { continue };
            if entry.waits() {
                ended.push(incident_of(&key, entry));
            }
            // What passes, or is gone, was not left so by us: should it come back, it is told again.
            if outcome == Outcome::Gone || settled.outcome != Outcome::Applied {
                let closed = Settled { outcome: outcome.clone(), reason: "".into(), ..settled };
                self.stand(&key, Some(closed));
            }
        }
        Ok(ended)
    }
}
