//! Counts: what was read, what was found, and what would have been done about it.
//!
//! What was read is each of changes, unjudged, ignored, duplicate, rejected, stale and skipped once; what is broken was
//! not.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use shipshape_core::decide::Why;
use shipshape_core::judgement::Judgement;
use shipshape_core::ledger::{IncidentId, Outcome};
use shipshape_core::preflight::count_topics;
use shipshape_core::remediation::Safety;
use shipshape_core::replay::Step;

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
    kind: &'static str,
    why: Why,
    failed: bool,
    fixed: bool,
    disruptive: bool,
}

/// What one world came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) events: Events,
    by_status: BTreeMap<&'static str, u64>,
    by_control: BTreeMap<&'static str, u64>,
    incidents: BTreeMap<IncidentId, Stand>,
    repeats: u64,
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
            if let Some(stand) = self.incidents.get_mut(id) {
                stand.kind = "gone";
            }
        }
    }

    fn add(&mut self, judgement: &Judgement) {
        let control = judgement.evaluation.control.slug;
        if judgement.outcome == Some(Outcome::Repeated) {
            self.repeats += 1;
            return;
        }
        let known = judgement.incident.as_ref().is_some_and(|id| self.incidents.contains_key(id));
        if !known {
            *self.by_status.entry(judgement.evaluation.compliance.status()).or_default() += 1;
            if judgement.incident.is_some() {
                *self.by_control.entry(control).or_default() += 1;
            }
        }
        let (Some(id), outcome) = (&judgement.incident, &judgement.outcome) else { return };
        if *outcome == Some(Outcome::Stale) {
            if let Some(stand) = self.incidents.get_mut(id) {
                stand.kind = "stale";
            }
            return;
        }
        let Some(ruling) = &judgement.ruling else { return };
        let disruptive = judgement.fix.as_ref().is_some_and(|fix| fix.safety == Safety::Disruptive);
        let stand = Stand {
            kind: ruling.kind,
            why: ruling.reason.why.clone(),
            failed: judgement.evaluation.compliance.status() == "failed",
            fixed: *outcome == Some(Outcome::Applied),
            disruptive,
        };
        self.incidents.insert(id.clone(), stand);
    }

    pub(crate) fn by_status(&self) -> &BTreeMap<&'static str, u64> {
        &self.by_status
    }

    pub(crate) fn by_control(&self) -> &BTreeMap<&'static str, u64> {
        &self.by_control
    }

    pub(crate) fn repeats(&self) -> u64 {
        self.repeats
    }

    /// How the incidents stand, by the word of their last decision.
    pub(crate) fn by_decision(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for stand in self.incidents.values() {
            *counts.entry(stand.kind).or_default() += 1;
        }
        counts
    }

    /// What this world did, for the counterfactual of mode fix. Only what fails counts.
    pub(crate) fn counterfactual(&self) -> Counterfactual {
        let mut sum = Counterfactual::default();
        let mut topics: Vec<&str> = Vec::new();
        for stand in self.incidents.values().filter(|stand| stand.failed) {
            match &stand.why {
                _ if matches!(stand.kind, "stale" | "gone") => sum.ended += 1,
                _ if stand.fixed => {
                    sum.fixed += 1;
                    sum.fixed_disruptive += u64::from(stand.disruptive);
                }
                Why::Refused(of) => {
                    sum.refused += 1;
                    sum.refused_for_roles += u64::from(of.iter().any(|topic| topic == ROLES));
                    topics.extend(of.first().map(String::as_str));
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
        let counted = count_topics(topics.into_iter()).into_iter();
        sum.refused_by_topic = counted.map(|(count, topic)| (topic.to_owned(), count as u64)).collect();
        sum
    }
}

impl fmt::Display for Counterfactual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fixed", self.fixed)?;
        if self.fixed_disruptive > 0 {
            write!(f, " ({} of them need disruptive = true)", self.fixed_disruptive)?;
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
