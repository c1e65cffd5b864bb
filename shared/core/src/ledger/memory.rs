//! A ledger that lives as long as the process: replay's, and the tests'.

use std::collections::BTreeMap;
use std::convert::Infallible;

use jiff::{SignedDuration, Timestamp};

use super::{Claim, IncidentId, Ledger, Opened, Outcome, Request, Settled};
use crate::decide::History;
use crate::finding::Finding;
use crate::ids::{AccountId, Arn, ChangeId};
use crate::resource::ResourceId;

/// How long a deployment of ours is taken to roll, where nothing tells when it ended.
const ROLLING: SignedDuration = SignedDuration::from_mins(15);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Incidents and budgets in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryLedger {
    /// What could not be judged is kept apart from what fails.
    last: BTreeMap<(ResourceId, &'static str, bool), Entry>,
    claimed: BTreeMap<(ResourceId, ChangeId), ()>,
    fixes: BTreeMap<AccountId, Vec<Timestamp>>,
    rolling: BTreeMap<Arn, Vec<Timestamp>>,
    reverts: BTreeMap<ResourceId, Vec<Timestamp>>,
}

/// The latest incident of a resource and control.
#[derive(Debug, Clone)]
struct Entry {
    id: IncidentId,
    began: Timestamp,
    settled: Option<Settled>,
}

impl MemoryLedger {
    /// The incidents that wait, with what they wait for.
    pub fn waiting(&self) -> impl Iterator<Item = (&IncidentId, &crate::decide::Wait)> {
        self.last.values().filter_map(|entry| match entry.settled.as_ref()?.outcome {
            Outcome::Waiting(ref wait) => Some((&entry.id, wait)),
            _ => None,
        })
    }

    /// Whether our last fix of this control on this resource stands, as far as the ledger knows.
    fn applied(entry: &Entry) -> bool {
        entry.settled.as_ref().is_some_and(|settled| settled.outcome == Outcome::Applied)
    }
}

/// How many of these times lie within a span before `now`; older ones are dropped.
fn within(times: &mut Vec<Timestamp>, span: SignedDuration, now: Timestamp) -> u32 {
    times.retain(|time| now.duration_since(*time) < span);
    u32::try_from(times.len()).unwrap_or(u32::MAX)
}

impl Ledger for MemoryLedger {
    type Error = Infallible;

    async fn open(&mut self, finding: &Finding, now: Timestamp) -> Result<Opened, Infallible> {
        let fails = !finding.violations.is_empty();
        let key = (finding.resource.clone(), finding.control.slug, fails);
        let fingerprint = finding.fingerprint();
        let before = self.last.get(&key);
        let waits = before.is_some_and(|entry| {
            entry.settled.as_ref().is_some_and(|settled| {
                matches!(settled.outcome, Outcome::Waiting(_)) && settled.fingerprint == fingerprint
            })
        });
        // A violation put back over a fix of ours, by whatever change.
        if fails
            && !waits
            && before.is_some_and(|entry| Self::applied(entry) && entry.id.change != finding.cause.id)
        {
            self.reverts.entry(finding.resource.clone()).or_default().push(now);
        }
        let settled = before
            .and_then(|entry| entry.settled.clone())
            .filter(|settled| settled.fingerprint == fingerprint && !finding.made_by_cause);
        let continued = waits || settled.is_some();
        let entry = match (continued, self.last.get(&key)) {
            (true, Some(entry)) => entry.clone(),
            _ => Entry {
                id: IncidentId {
                    target: finding.resource.clone(),
                    control: finding.control.slug,
                    change: finding.cause.id.clone(),
                },
                began: now,
                settled: None,
            },
        };
        self.last.insert(key, entry.clone());
        let reverts = self.reverts.get_mut(&finding.resource).map_or(0, |times| within(times, DAY, now));
        let history = History { first_seen: Some(entry.began), reverts, failures: 0 };
        Ok(Opened { id: entry.id, history, settled })
    }

    async fn claim(&mut self, request: &Request<'_>, now: Timestamp) -> Result<Claim, Infallible> {
        let target = request.remediation.target();
        if self.claimed.contains_key(&(target.clone(), request.change.clone())) {
            return Ok(Claim::Done);
        }
        let fixes = self.fixes.entry(request.account.clone()).or_default();
        let made = within(fixes, HOUR, now);
        if made >= request.fixes_per_hour {
            return Ok(Claim::OverBudget(format!("{made} fixes were made in this account within the hour")));
        }
        if let Some((cluster, services)) = &request.rolls {
            let rolling = self.rolling.entry(cluster.clone()).or_default();
            let now_rolling = within(rolling, ROLLING, now);
            // Without the cluster's count, one service at a time.
            let share = services.unwrap_or(0).saturating_mul(request.rolling_percent) / 100;
            if now_rolling >= share.max(1) {
                return Ok(Claim::OverBudget(format!(
                    "{now_rolling} services of the cluster roll because of us already"
                )));
            }
            rolling.push(now);
        }
        self.fixes.entry(request.account.clone()).or_default().push(now);
        self.claimed.insert((target.clone(), request.change.clone()), ());
        Ok(Claim::Mine)
    }

    async fn settle(&mut self, id: &IncidentId, settled: Settled, _: Timestamp) -> Result<(), Infallible> {
        for fails in [true, false] {
            let entry = self.last.get_mut(&(id.target.clone(), id.control, fails));
            if let Some(entry) = entry.filter(|entry| entry.id == *id) {
                entry.settled = Some(settled);
                break;
            }
        }
        Ok(())
    }

    async fn close(
        &mut self,
        target: &ResourceId,
        control: Option<&'static str>,
        outcome: Outcome,
    ) -> Result<Vec<IncidentId>, Infallible> {
        let mut ended = Vec::new();
        for ((resource, slug, _), entry) in &mut self.last {
            let concerned = resource == target && control.is_none_or(|one| one == *slug);
            let Some(settled) = entry.settled.as_mut().filter(|_| concerned) else { continue };
            if matches!(settled.outcome, Outcome::Waiting(_)) {
                ended.push(entry.id.clone());
            }
            // What passes, or is gone, was not left so by us: should it come back, it is told again.
            if outcome == Outcome::Gone || !matches!(settled.outcome, Outcome::Applied) {
                settled.outcome = outcome.clone();
                settled.reason = String::new();
            }
        }
        Ok(ended)
    }
}
