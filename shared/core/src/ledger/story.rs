//! What a ledger that outlives the process keeps of each change to a resource: what it led to, and what was told of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Outcome, Settled};
use crate::change::Origin;
use crate::finding::{Cause, Fingerprint};
use crate::ids::{AccountId, ChangeId, Region};
use crate::notification::Notification;
use crate::remediation::Expected;

/// What happened to one resource by one change: an incident of each control that failed, and what was told of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// Who did it and when.
    pub cause: StoryCause,
    /// Where the incident of each control stands.
    pub ends: BTreeMap<String, Settled>,
    /// Writes that were begun, and of whose end nothing is written down.
    pub applying: Vec<Applying>,
    /// The latest message about it.
    pub message: Message,
    /// How many messages there have been about it.
    pub messages: u32,
}

/// The change behind a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryCause {
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
    /// Whether the call may have been sent. What was held before it was counted, and is nobody's write.
    pub called: bool,
    /// By what its effect is known again.
    pub expected: Option<Expected>,
    /// By what a revision that it registers is known again.
    pub content: Option<Fingerprint>,
    /// The hash of the plan.
    pub plan: Fingerprint,
    /// Where the incidents stand once it is done.
    pub ends: Vec<End>,
    /// What is told once it is done.
    pub message: Box<Notification>,
}

/// Where one incident of a resource will stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The control.
    pub control: String,
    /// The change that began the incident.
    pub change: ChangeId,
    /// The end.
    pub settled: Settled,
}

impl Applying {
    /// Whether it ends the incident of a control.
    pub fn ends(&self, control: &str) -> bool {
        self.ends.iter().any(|end| end.control == control)
    }
}

impl Story {
    /// The beginning of a story.
    pub fn new(cause: &Cause) -> Self {
        let told = StoryCause {
            time: cause.time,
            account: cause.account.clone(),
            region: cause.region.clone(),
            actor: cause.actor.name.clone(),
            origin: cause.origin,
            event: cause.api.as_str().to_owned(),
        };
        Self { cause: told, ends: BTreeMap::new(), applying: Vec::new(), message: Message::None, messages: 0 }
    }

    /// Whether the incident of a control has come to its end.
    pub fn has_ended(&self, control: &str) -> bool {
        self.ends.get(control).is_some_and(|settled| !matches!(settled.outcome, Outcome::Waiting(_)))
    }

    /// Whether nothing of it is left to be taken up.
    pub fn is_finished(&self) -> bool {
        self.applying.is_empty() && !matches!(self.message, Message::Pending(_))
    }

    /// What is open of a control, or of all, ends: what waits, and a write that was begun and not made.
    pub fn close(&mut self, control: Option<&str>, outcome: &Outcome) {
        let concerns = |slug: &str| control.is_none_or(|control| control == slug);
        for applying in &mut self.applying {
            for end in applying.ends.extract_if(.., |end| concerns(&end.control)) {
                self.ends.insert(end.control, Settled { outcome: outcome.clone(), ..end.settled });
            }
        }
        self.applying.retain(|applying| !applying.ends.is_empty());
        let waits = |settled: &Settled| matches!(settled.outcome, Outcome::Waiting(_));
        let open = self.ends.iter_mut().filter(|(slug, settled)| concerns(slug) && waits(settled));
        open.for_each(|(_, settled)| settled.outcome = outcome.clone());
    }

    /// The message that is to be sent next; answers it with its number.
    pub fn tell(&mut self, mut notification: Notification) -> Notification {
        self.messages += 1;
        notification.sequence = self.messages;
        self.message = Message::Pending(Box::new(notification.clone()));
        notification
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Wait;
    use crate::ledger::book::tests::{at, finding, settled};

    #[test]
    fn a_story_ends_what_passes_and_leaves_the_rest_of_a_write_that_was_begun() {
        let first = finding("a", true);
        let mut story = Story::new(&first.cause);
        story
            .ends
            .insert("waits".to_owned(), settled(&first, Outcome::Waiting(Box::new(Wait::Until(at(9))))));
        story.ends.insert("told".to_owned(), settled(&first, Outcome::Notified));
        assert!(!story.has_ended("waits") && story.has_ended("told") && !story.has_ended("other"));
        story.close(Some("waits"), &Outcome::Stale);
        story.close(None, &Outcome::Gone);
        let outcomes: Vec<&str> = story.ends.values().map(|settled| settled.outcome.as_str()).collect();
        assert_eq!(outcomes, ["notified", "stale"]);
    }
}
