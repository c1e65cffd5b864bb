//! Counts: what was read, what was found, and what would have been done about it.
//!
//! What was read is each of changes, unjudged, ignored, duplicate, rejected, stale and skipped once; what is broken was
//! not.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::Serialize;
use shipshape_core::decide::Why;
use shipshape_core::ids::ChangeId;
use shipshape_core::judgement::Judgement;
use shipshape_core::ledger::{IncidentId, Outcome};
use shipshape_core::remediation::Safety;
use shipshape_core::replay::Step;
use shipshape_core::resource::ResourceId;

/// What was read.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Events {
    /// Pieces of input.
    pub(crate) read: u64,
    /// Changes that were judged.
    pub(crate) changes: u64,
    /// Changes of what no selected control judges.
    pub(crate) unjudged: u64,
    /// Known, and not for us.
    pub(crate) ignored: u64,
    /// Delivered before.
    pub(crate) duplicate: u64,
    /// Not readable.
    pub(crate) broken: u64,
    /// Of another account's resource.
    pub(crate) rejected: u64,
    /// Older than what is known of the task.
    pub(crate) stale: u64,
    /// Outside `--since` and `--until`.
    pub(crate) skipped: u64,
    /// Why what was ignored was.
    pub(crate) ignored_by_reason: BTreeMap<&'static str, u64>,
}

impl Events {
    pub(crate) fn ignore(&mut self, why: &'static str) {
        self.ignored += 1;
        *self.ignored_by_reason.entry(why).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.changes += other.changes;
        self.unjudged += other.unjudged;
        self.ignored += other.ignored;
        self.duplicate += other.duplicate;
        self.broken += other.broken;
        self.rejected += other.rejected;
        self.stale += other.stale;
        self.skipped += other.skipped;
        for (why, count) in &other.ignored_by_reason {
            *self.ignored_by_reason.entry(why).or_default() += count;
        }
    }
}

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = vec![format!("{} read", self.read)];
        let mut part = |count: u64, what: &str| {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        };
        part(self.changes, if self.changes == 1 { "change" } else { "changes" });
        part(self.unjudged, "of what no control judges");
        let reasons = self.ignored_by_reason.iter().map(|(why, count)| format!("{count} {why}"));
        part(self.ignored, &format!("ignored ({})", reasons.collect::<Vec<_>>().join(", ")));
        part(self.duplicate, "duplicate");
        part(self.stale, "stale");
        part(self.skipped, "outside --since and --until");
        part(self.rejected, "of another account's resource");
        part(self.broken, "broken and not among those read");
        f.write_str(&parts.join(", "))
    }
}

/// The topic of core's refusals that `--passable-role` answers.
const ROLES: &str = "role outside PassableRoles";

/// How an incident stands.
#[derive(Debug, Clone)]
struct Stand {
    /// The change that began the incident.
    change: ChangeId,
    /// Whether it is the latest of what could not be judged, and of what fails. One that is neither never changes again.
    latest: [bool; 2],
    kind: &'static str,
    why: Why,
    failed: bool,
    fixed: bool,
    disruptive: bool,
}

/// The incidents of one resource, each under its control: one of what fails and one of what could not be judged at most.
type Stands = Vec<(&'static str, Stand)>;

/// The incidents of one control, by what began them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Found {
    /// It failed.
    pub(crate) failed: u64,
    /// It could not be judged.
    pub(crate) unknown: u64,
}

/// What one world came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) events: Events,
    by_status: BTreeMap<&'static str, u64>,
    by_control: BTreeMap<&'static str, Found>,
    /// The incidents that may still change. All others are in the sums.
    standing: HashMap<ResourceId, Stands>,
    sums: Sums,
    repeats: u64,
}

/// How incidents stand, summed.
#[derive(Debug, Clone, Default)]
struct Sums {
    by_decision: BTreeMap<&'static str, u64>,
    by_control: BTreeMap<&'static str, Counterfactual>,
    refused_by_topic: BTreeMap<String, u64>,
}

/// What mode fix would have done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counterfactual {
    /// Incidents that a fix answers.
    pub(crate) fixed: u64,
    /// Those of them that need `disruptive = true`.
    pub(crate) fixed_disruptive: u64,
    /// Incidents whose pre-flight refused.
    pub(crate) refused: u64,
    /// Those of them that `--passable-role` might answer.
    #[serde(skip)]
    pub(crate) refused_for_roles: u64,
    /// Why, by topic, most first.
    pub(crate) refused_by_topic: Vec<(String, u64)>,
    /// Incidents for which facts are missing.
    pub(crate) unknown: u64,
    /// Incidents that a person has to answer.
    pub(crate) for_a_person: u64,
    /// Incidents that still wait at the end.
    pub(crate) waiting: u64,
    /// Incidents past the budget.
    pub(crate) over_budget: u64,
    /// Incidents of resources that are left alone.
    pub(crate) left_alone: u64,
    /// Incidents that an exemption covers.
    pub(crate) exempt: u64,
    /// Incidents that ended before anything was done: fixed by others, or gone.
    pub(crate) ended: u64,
    /// Incidents answered otherwise.
    pub(crate) other: u64,
}

impl Tally {
    pub(crate) fn add_all(&mut self, step: &Step) {
        for judgement in &step.judgements {
            self.add(judgement);
        }
        for id in &step.gone {
            if let Some(stand) = self.stand(id) {
                stand.kind = "gone";
            }
        }
    }

    fn stand(&mut self, id: &IncidentId) -> Option<&mut Stand> {
        let mut stands = self.standing.get_mut(&id.target)?.iter_mut();
        stands
            .find(|(control, stand)| *control == id.control && stand.change == id.change)
            .map(|(_, stand)| stand)
    }

    fn add(&mut self, judgement: &Judgement) {
        let control = judgement.evaluation.control.slug;
        if judgement.outcome == Some(Outcome::Repeated) {
            self.repeats += 1;
            return;
        }
        let status = judgement.evaluation.compliance.status();
        let known = judgement.incident.as_ref().is_some_and(|id| self.stand(id).is_some());
        if !known {
            *self.by_status.entry(status).or_default() += 1;
            if judgement.incident.is_some() {
                let found = self.by_control.entry(control).or_default();
                found.failed += u64::from(status == "failed");
                found.unknown += u64::from(status == "unknown");
            }
        }
        let (Some(id), outcome) = (&judgement.incident, &judgement.outcome) else { return };
        if *outcome == Some(Outcome::Stale) {
            if let Some(stand) = self.stand(id) {
                stand.kind = "stale";
            }
            return;
        }
        let Some(ruling) = &judgement.ruling else { return };
        let failed = status == "failed";
        let stand = Stand {
            change: id.change.clone(),
            latest: [!failed, failed],
            kind: ruling.kind,
            why: ruling.reason.why.clone(),
            failed,
            fixed: *outcome == Some(Outcome::Applied),
            disruptive: judgement.fix.as_ref().is_some_and(|fix| fix.safety == Safety::Disruptive),
        };
        self.put(id, stand);
    }

    /// Puts an incident where it stands. The one before it stands as it is for ever.
    fn put(&mut self, id: &IncidentId, mut stand: Stand) {
        let stands = self.standing.entry(id.target.clone()).or_default();
        for (_, one) in stands.iter_mut().filter(|(control, _)| *control == id.control) {
            one.latest[usize::from(stand.failed)] = false;
            if one.change == stand.change {
                stand.latest = [0, 1].map(|fails| stand.latest[fails] || one.latest[fails]);
            }
        }
        stands.retain(|(control, one)| *control != id.control || one.change != stand.change);
        // There are very many of these lists, and none is long.
        if stands.len() == stands.capacity() {
            stands.reserve_exact(8);
        }
        stands.push((id.control, stand));
        let sums = &mut self.sums;
        stands.retain(|(control, one)| {
            let stands = one.latest.contains(&true);
            if !stands {
                sums.add(control, one);
            }
            stands
        });
    }

    /// Sums up what is never judged again.
    pub(crate) fn let_go(&mut self, gone: &[ResourceId]) {
        for stands in gone.iter().filter_map(|id| self.standing.remove(id)) {
            self.sums.add_all(&stands);
        }
    }

    pub(crate) fn by_status(&self) -> &BTreeMap<&'static str, u64> {
        &self.by_status
    }

    pub(crate) fn by_control(&self) -> &BTreeMap<&'static str, Found> {
        &self.by_control
    }

    pub(crate) fn repeats(&self) -> u64 {
        self.repeats
    }

    /// How the incidents stand, by the word of their last decision.
    pub(crate) fn by_decision(&self) -> BTreeMap<&'static str, u64> {
        self.all().by_decision
    }

    fn all(&self) -> Sums {
        let mut sums = self.sums.clone();
        self.standing.values().for_each(|stands| sums.add_all(stands));
        sums
    }

    /// What this world did, for the counterfactual of mode fix, and the same by control. Only what fails counts.
    pub(crate) fn counterfactual(&self) -> (Counterfactual, BTreeMap<&'static str, Counterfactual>) {
        let sums = self.all();
        let mut sum = Counterfactual::default();
        sums.by_control.values().for_each(|one| sum.add(one));
        sum.refused_by_topic = sums.refused_by_topic.into_iter().collect();
        sum.refused_by_topic.sort_by_key(|(_, count)| Reverse(*count));
        (sum, sums.by_control)
    }
}

impl Sums {
    fn add_all(&mut self, stands: &Stands) {
        stands.iter().for_each(|(control, stand)| self.add(control, stand));
    }

    fn add(&mut self, control: &'static str, stand: &Stand) {
        *self.by_decision.entry(stand.kind).or_default() += 1;
        if !stand.failed {
            return;
        }
        let sum = self.by_control.entry(control).or_default();
        match &stand.why {
            _ if matches!(stand.kind, "stale" | "gone") => sum.ended += 1,
            _ if stand.fixed => {
                sum.fixed += 1;
                sum.fixed_disruptive += u64::from(stand.disruptive);
            }
            Why::Refused(of) => {
                sum.refused += 1;
                sum.refused_for_roles += u64::from(of.iter().any(|topic| topic == ROLES));
                if let Some(topic) = of.first() {
                    *self.refused_by_topic.entry(topic.clone()).or_default() += 1;
                }
            }
            Why::Unknown => sum.unknown += 1,
            Why::Person | Why::IacOwned => sum.for_a_person += 1,
            Why::Waiting | Why::Grace | Why::Window if stand.kind == "wait" => sum.waiting += 1,
            Why::OverBudget => sum.over_budget += 1,
            Why::FlipFlop | Why::Breaker => sum.left_alone += 1,
            Why::Exempt => sum.exempt += 1,
            _ => sum.other += 1,
        }
    }
}

impl Counterfactual {
    /// How many incidents there were.
    pub(crate) fn failed(&self) -> u64 {
        self.fixed + self.refused + self.for_a_person + self.unknown + self.others()
    }

    /// Those that were neither fixed, nor refused, nor unknown, nor for a person.
    pub(crate) fn others(&self) -> u64 {
        self.waiting + self.over_budget + self.left_alone + self.exempt + self.ended + self.other
    }

    fn add(&mut self, other: &Self) {
        self.fixed += other.fixed;
        self.fixed_disruptive += other.fixed_disruptive;
        self.refused += other.refused;
        self.refused_for_roles += other.refused_for_roles;
        self.unknown += other.unknown;
        self.for_a_person += other.for_a_person;
        self.waiting += other.waiting;
        self.over_budget += other.over_budget;
        self.left_alone += other.left_alone;
        self.exempt += other.exempt;
        self.ended += other.ended;
        self.other += other.other;
    }
}

impl fmt::Display for Counterfactual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fixed", self.fixed)?;
        if self.fixed_disruptive > 0 {
            let needs = if self.fixed_disruptive == 1 { "needs" } else { "need" };
            write!(f, " ({} of them {needs} disruptive = true)", self.fixed_disruptive)?;
        }
        if self.refused > 0 {
            let topics = self.refused_by_topic.iter().map(|(topic, count)| format!("{count} {topic}"));
            write!(f, ", {} refused ({})", self.refused, topics.collect::<Vec<_>>().join(", "))?;
        }
        let parts = [
            (self.unknown, "not proved for want of facts"),
            (self.for_a_person, "for a person"),
            (self.waiting, "waiting"),
            (self.over_budget, "past the budget"),
            (self.left_alone, "left alone"),
            (self.exempt, "exempt"),
            (self.ended, "ended by themselves"),
            (self.other, "told for another reason"),
        ];
        for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, ", {count} {what}")?;
        }
        Ok(())
    }
}
