//! What is remembered of a resource and control: its latest incident, and what that means for a finding.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Outcome, Settled};
use crate::change::Origin;
use crate::decide::Wait;
use crate::finding::{Finding, Fingerprint};
use crate::ids::ChangeId;

/// The latest incident of a resource and control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// What began it.
    pub change: ChangeId,
    /// With what tool what fails was made; `None` where only events were seen that show it.
    pub maker: Option<Origin>,
    /// When it began: the time of that change, however late it was told.
    pub began: Timestamp,
    /// What was seen when it began.
    pub seen: Fingerprint,
    /// How often later changes showed that it is still so.
    pub repeats: u32,
    /// Whether it ended with a fix of ours, and what that had mended was so again later.
    pub undone: bool,
    /// Where it stands; `None` while it is judged for the first time.
    pub settled: Option<Settled>,
}

/// What a finding is to the latest incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meeting {
    /// The same: it waits, or is seen once more.
    Continues,
    /// An incident of its own.
    Begins,
    /// An incident of its own, which puts back what a fix of ours had taken away.
    Reverts,
}

impl Known {
    /// An incident that begins with a finding.
    pub fn new(finding: &Finding, now: Timestamp) -> Self {
        let cause = &finding.cause;
        let began = cause.time.min(now);
        let maker = finding.made_by_cause.then_some(cause.origin);
        Self {
            change: cause.id.clone(),
            maker,
            began,
            seen: finding.fingerprint(),
            repeats: 0,
            undone: false,
            settled: None,
        }
    }

    /// What a finding is to it.
    pub fn meets(&self, finding: &Finding) -> Meeting {
        let fingerprint = finding.fingerprint();
        // An attempt that was broken off has settled nothing.
        let goes_on = (self.waits() || self.settled.is_none()) && self.stands_at(fingerprint);
        if goes_on || self.repeats(finding).is_some() {
            return Meeting::Continues;
        }
        let fails = !finding.violations.is_empty();
        // A violation put back over a fix of ours. One that is only seen again may be our own deployment rolled back.
        let put_back = fails && finding.made_by_cause && self.change != finding.cause.id;
        let applied = self.settled.as_ref().is_some_and(|settled| settled.outcome == Outcome::Applied);
        if put_back && (applied || self.undone) { Meeting::Reverts } else { Meeting::Begins }
    }

    /// How the same state ended before, where a finding only shows it once more. So does one that comes late: another
    /// change has made that state since.
    pub fn repeats(&self, finding: &Finding) -> Option<&Settled> {
        let shows = !finding.made_by_cause || finding.cause.time < self.began;
        self.settled.as_ref().filter(|_| shows && self.stands_at(finding.fingerprint()))
    }

    /// Who makes what fails once more while that is not known.
    fn made_by(&mut self, finding: &Finding) {
        self.maker = self.maker.or(finding.made_by_cause.then_some(finding.cause.origin));
    }

    /// Counts that a later change shows the same.
    pub fn seen_again(&mut self, finding: &Finding) {
        self.made_by(finding);
        if self.change != finding.cause.id {
            let applied = |settled: &Settled| settled.outcome == Outcome::Applied;
            self.undone |= self.repeats(finding).is_some_and(applied);
            self.repeats += 1;
        }
    }

    /// Whether it waits for something.
    pub fn waits(&self) -> bool {
        self.settled.as_ref().is_some_and(|settled| matches!(settled.outcome, Outcome::Waiting(_)))
    }

    /// Until when it waits at the latest for what it waits for.
    pub fn deadline(&self) -> Option<Timestamp> {
        match &self.settled.as_ref()?.outcome {
            Outcome::Waiting(wait) => match &**wait {
                Wait::For(_, latest) => Some(*latest),
                Wait::Until(_) => None,
            },
            _ => None,
        }
    }

    fn stands_at(&self, fingerprint: Fingerprint) -> bool {
        self.settled.as_ref().map_or(self.seen, |settled| settled.fingerprint) == fingerprint
    }
}
