//! What a ledger that outlives the process keeps: of each resource a book, of each change to it a story. Pure; who
//! stores them sees to it that one attempt at a time writes.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{IncidentId, Known, Meeting, Opened, Outcome, Settled};
use crate::change::Origin;
use crate::decide::History;
use crate::finding::{Cause, Finding, Fingerprint};
use crate::ids::{AccountId, ChangeId, Region};
use crate::notification::Notification;
use crate::remediation::Expected;
use crate::resource::ResourceId;
use crate::selection;

/// How long a revert counts.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What is remembered of one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// The latest incidents by [`key`].
    controls: BTreeMap<String, Known>,
    /// The changes that put back what a fix of ours had taken away, each once, however many controls it concerns.
    reverts: BTreeMap<ChangeId, Timestamp>,
}

/// A control's place in a book: what could not be judged is kept apart from what fails.
fn key(control: &str, fails: bool) -> String {
    if fails { control.to_owned() } else { format!("{control}?") }
}

impl Book {
    /// Puts a finding to its incident.
    pub fn open(&mut self, finding: &Finding, now: Timestamp) -> Opened {
        let key = key(finding.control.slug, !finding.violations.is_empty());
        let (known, settled) = match self.controls.get(&key) {
            Some(known) if known.meets(finding) == Meeting::Continues => {
                (known.clone(), known.repeats(finding).cloned())
            }
            // Brought again before its end: it goes on.
            Some(known) if known.change == finding.cause.id => (known.clone(), None),
            before => {
                if before.is_some_and(|known| known.meets(finding) == Meeting::Reverts) {
                    self.reverts.insert(finding.cause.id.clone(), now);
                }
                let known = Known::new(finding, now);
                self.controls.insert(key, known.clone());
                (known, None)
            }
        };
        self.reverts.retain(|_, time| now.duration_since(*time) < DAY);
        let reverts = u32::try_from(self.reverts.len()).unwrap_or(u32::MAX);
        let history =
            History { first_seen: Some(known.began), deadline: known.deadline(), reverts, failures: 0 };
        let id = IncidentId {
            target: finding.resource.clone(),
            control: finding.control.slug,
            change: known.change.clone(),
        };
        Opened { id, fingerprint: finding.fingerprint(), history, settled, dealt_with: false }
    }

    /// Writes down where an incident stands, if it is the latest of its control.
    pub fn settle(&mut self, control: &str, change: &ChangeId, settled: &Settled) {
        for fails in [true, false] {
            if let Some(known) = self.controls.get_mut(&key(control, fails))
                && known.change == *change
            {
                known.settled = Some(settled.clone());
                return;
            }
        }
    }

    /// Ends what is open, of one control or of all. Answers the incidents that had waited. What passes was not left so by
    /// us: should it come back, it is told again; what a fix of ours made pass is remembered, to count who puts it back.
    pub fn close(
        &mut self,
        target: &ResourceId,
        control: Option<&str>,
        outcome: &Outcome,
    ) -> Vec<IncidentId> {
        let mut ended = Vec::new();
        for (key, known) in &mut self.controls {
            let slug = key.trim_end_matches('?');
            if control.is_some_and(|control| control != slug) {
                continue;
            }
            if let (true, Some(control)) = (known.waits(), selection::find(slug)) {
                let change = known.change.clone();
                ended.push(IncidentId { target: target.clone(), control: control.slug, change });
            }
            if let Some(settled) = &mut known.settled
                && (*outcome == Outcome::Gone || settled.outcome != Outcome::Applied)
            {
                settled.outcome = outcome.clone();
                settled.reason = "".into();
            }
        }
        ended
    }

    /// Whether nothing was ever written into it.
    pub fn is_empty(&self) -> bool {
        self.controls.is_empty()
    }
}

/// What happened to one resource by one change: an incident of each control that failed, one message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// Who did it and when.
    pub cause: Told,
    /// Where the incident of each control stands.
    pub ends: BTreeMap<String, Settled>,
    /// A write that was begun, and of whose end nothing is written down.
    pub applying: Option<Applying>,
    /// The message about it.
    pub message: Message,
}

/// The change behind a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    time: Timestamp,
    account: AccountId,
    region: Region,
    actor: String,
    origin: Origin,
    event: String,
}

/// The message about a story.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// There is nothing to tell, so far.
    None,
    /// It has to be sent, or sent again: nobody knows that it was.
    Pending(Box<Notification>),
    /// It was sent.
    Sent(Timestamp),
}

/// A write that was begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Applying {
    /// The call.
    pub action: String,
    /// By what its effect is known again.
    pub expected: Option<Expected>,
    /// By what a revision that it registers is known again.
    pub content: Option<Fingerprint>,
    /// The hash of the plan.
    pub plan: Fingerprint,
    /// Where the incidents stand once it is done.
    pub ends: BTreeMap<String, Settled>,
    /// What is told once it is done.
    pub message: Box<Notification>,
}

impl Story {
    /// The beginning of a story.
    pub fn new(cause: &Cause) -> Self {
        let told = Told {
            time: cause.time,
            account: cause.account.clone(),
            region: cause.region.clone(),
            actor: cause.actor.name.clone(),
            origin: cause.origin,
            event: cause.api.as_str().to_owned(),
        };
        Self::like(told)
    }

    /// The beginning of the story of a change that was judged with another one.
    pub fn like(cause: Told) -> Self {
        Self { cause, ends: BTreeMap::new(), applying: None, message: Message::None }
    }

    /// Whether the incident of a control has come to its end.
    pub fn has_ended(&self, control: &str) -> bool {
        self.ends.get(control).is_some_and(|settled| !matches!(settled.outcome, Outcome::Waiting(_)))
    }

    /// The write that was begun has been made: it ends as it would have, and its message is to be sent.
    pub fn adopt(&mut self) -> Option<BTreeMap<String, Settled>> {
        let applying = self.applying.take()?;
        self.ends.extend(applying.ends.clone());
        self.message = Message::Pending(applying.message);
        Some(applying.ends)
    }
}
