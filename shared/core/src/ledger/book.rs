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
        let (known, settled) = match self.controls.get_mut(&key) {
            Some(known) if known.meets(finding) == Meeting::Continues => {
                known.repeats += u32::from(known.change != finding.cause.id);
                (known.clone(), known.repeats(finding).cloned())
            }
            // Brought again before its end: it goes on.
            Some(known) if known.change == finding.cause.id => (known.clone(), None),
            before => {
                if before.as_ref().is_some_and(|known| known.meets(finding) == Meeting::Reverts) {
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
        Self { cause: told, ends: BTreeMap::new(), applying: None, message: Message::None }
    }

    /// Whether the incident of a control has come to its end.
    pub fn has_ended(&self, control: &str) -> bool {
        self.ends.get(control).is_some_and(|settled| !matches!(settled.outcome, Outcome::Waiting(_)))
    }

    /// What is open of a control, or of all, ends: what waits, and a write that was begun and not made.
    pub fn close(&mut self, control: Option<&str>, outcome: &Outcome) {
        let concerns = |slug: &str| control.is_none_or(|control| control == slug);
        if let Some(applying) = &mut self.applying {
            for (slug, settled) in applying.ends.extract_if(.., |slug, _| concerns(slug)) {
                self.ends.insert(slug, Settled { outcome: outcome.clone(), ..settled });
            }
        }
        self.applying.take_if(|applying| applying.ends.is_empty());
        let waits = |settled: &Settled| matches!(settled.outcome, Outcome::Waiting(_));
        let open = self.ends.iter_mut().filter(|(slug, settled)| concerns(slug) && waits(settled));
        open.for_each(|(_, settled)| settled.outcome = outcome.clone());
    }

    /// The write that was begun has been made: it ends as it would have, and its message is to be sent.
    pub fn adopt(&mut self) -> Option<BTreeMap<String, Settled>> {
        let applying = self.applying.take()?;
        self.ends.extend(applying.ends.clone());
        self.message = Message::Pending(applying.message);
        Some(applying.ends)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::change::{Actor, Api};
    use crate::control::Violation;
    use crate::decide::Wait;
    use crate::resource::ResourceType;

    const CONTROL: &str = "ecs-service-no-public-ip";

    fn finding(change: &str, made_by_cause: bool) -> Finding {
        let arn = "arn:aws:ecs:eu-west-1:111122223333:service/shop/checkout".parse().unwrap();
        let cause = Cause {
            id: change.parse().unwrap(),
            time: at(0),
            account: "111122223333".parse().unwrap(),
            region: "eu-west-1".parse().unwrap(),
            actor: Actor::default(),
            origin: Origin::Cli,
            api: Api::UpdateService,
        };
        Finding {
            control: selection::find(CONTROL).unwrap(),
            resource: ResourceId { kind: ResourceType::Service, arn },
            found_in: None,
            violations: vec![Violation { path: "/a".to_owned(), actual: 1.into(), expected: 2.into() }],
            cause: Arc::new(cause),
            made_by_cause,
            starts_deployment: false,
            owner: None,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn settled(finding: &Finding, outcome: Outcome) -> Settled {
        Settled { fingerprint: finding.fingerprint(), outcome, reason: "r".into() }
    }

    #[test]
    fn what_is_only_seen_again_goes_on_and_is_counted() {
        let mut book = Book::default();
        let first = finding("a", true);
        assert_eq!(book.open(&first, at(0)).settled, None);
        book.settle(CONTROL, &first.cause.id, &settled(&first, Outcome::Notified));
        let again = book.open(&finding("b", false), at(10));
        assert_eq!((again.id.change.as_str(), again.settled.is_some()), ("a", true));
        assert_eq!(book.controls[CONTROL].repeats, 1);
        // The same change brought again is no repeat.
        book.open(&first, at(20));
        assert_eq!(book.controls[CONTROL].repeats, 1);
    }

    #[test]
    fn a_revert_is_counted_for_a_day_and_once_a_change() {
        let mut book = Book::default();
        let first = finding("a", true);
        book.open(&first, at(0));
        book.settle(CONTROL, &first.cause.id, &settled(&first, Outcome::Applied));
        let back = finding("b", true);
        assert_eq!(book.open(&back, at(10)).history.reverts, 1);
        assert_eq!(book.open(&back, at(20)).history.reverts, 1);
        assert_eq!(book.open(&back, at(10 + 24 * 3600)).history.reverts, 0);
    }

    #[test]
    fn what_was_told_is_told_again_once_it_has_passed_in_between() {
        let mut book = Book::default();
        let first = finding("a", true);
        book.open(&first, at(0));
        book.settle(CONTROL, &first.cause.id, &settled(&first, Outcome::Notified));
        assert_eq!(book.close(&first.resource, Some(CONTROL), &Outcome::Stale), []);
        let back = book.open(&finding("b", false), at(10));
        assert_eq!(back.settled.map(|settled| settled.outcome), Some(Outcome::Stale));
    }

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
