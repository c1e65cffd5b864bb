//! What a ledger that outlives the process keeps of each resource. Pure; who stores it sees to it that one attempt at a
//! time writes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::story::Story;
use super::{IncidentId, Known, Meeting, Opened, Outcome, Settled};
use crate::decide::History;
use crate::finding::Finding;
use crate::ids::ChangeId;
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
    /// The changes whose story is not finished: a write was begun of whose end nothing is known, or a message was not
    /// sent. Whoever holds the book next takes them up.
    #[serde(default)]
    unfinished: BTreeSet<ChangeId>,
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
                known.seen_again(finding);
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
        let (first_seen, deadline, undone) = (Some(known.began), known.deadline(), known.undone);
        let id = IncidentId {
            target: finding.resource.clone(),
            control: finding.control.slug,
            change: known.change.clone(),
        };
        Opened {
            id,
            fingerprint: finding.fingerprint(),
            maker: known.maker,
            history: History { first_seen, deadline, reverts, undone, ..History::default() },
            settled,
            dealt_with: false,
        }
    }

    /// Whether nothing was ever written into it.
    pub fn is_empty(&self) -> bool {
        self.controls.is_empty()
    }

    /// Whether an incident waits.
    pub fn waits(&self) -> bool {
        self.controls.values().any(Known::waits)
    }

    /// The changes whose story is not finished.
    pub fn unfinished(&self) -> impl Iterator<Item = &ChangeId> {
        self.unfinished.iter()
    }

    /// A story that is told of nowhere has nothing to be finished.
    pub fn forget(&mut self, change: &ChangeId) {
        self.unfinished.remove(change);
    }

    /// Remembers whether a story is finished.
    pub fn note(&mut self, change: &ChangeId, story: &Story) {
        if story.is_finished() {
            self.unfinished.remove(change);
        } else {
            self.unfinished.insert(change.clone());
        }
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
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::change::{Actor, Api, Origin};
    use crate::control::{Compliance, Evaluation, Violation};
    use crate::decide::Wait;
    use crate::finding::{Cause, Fingerprint};
    use crate::judgement::Judgement;
    use crate::ledger::story::{Applying, End, Message};
    use crate::notification::Notification;
    use crate::resource::ResourceType;

    const CONTROL: &str = "ecs-service-no-public-ip";

    pub(in crate::ledger) fn finding(change: &str, made_by_cause: bool) -> Finding {
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

    pub(in crate::ledger) fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    pub(in crate::ledger) fn settled(finding: &Finding, outcome: Outcome) -> Settled {
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
    fn a_fix_that_did_not_hold_is_remembered_as_long_as_its_incident() {
        let mut book = Book::default();
        let first = finding("a", true);
        assert!(!book.open(&first, at(0)).history.undone);
        book.settle(CONTROL, &first.cause.id, &settled(&first, Outcome::Applied));
        assert!(!book.open(&first, at(1)).history.undone, "delivered once more");
        let shown = book.open(&finding("b", false), at(10));
        assert!(shown.history.undone);
        book.settle(CONTROL, &shown.id.change, &settled(&first, Outcome::Notified));
        assert!(book.open(&finding("c", false), at(20)).history.undone);
        let back = book.open(&finding("d", true), at(30)).history;
        assert_eq!(
            (back.undone, back.reverts),
            (false, 1),
            "the news came before the change that they told of"
        );
    }

    #[test]
    fn what_was_broken_off_goes_on_whoever_tells_of_it_next() {
        let mut book = Book::default();
        book.open(&finding("a", true), at(0));
        let news = book.open(&finding("b", false), at(10));
        assert_eq!((news.id.change.as_str(), news.maker), ("a", Some(Origin::Cli)));
        let mut other = finding("c", true);
        other.violations[0].actual = 3.into();
        assert_eq!(book.open(&other, at(20)).id.change.as_str(), "c", "of another state");
    }

    #[test]
    fn what_comes_late_begins_nothing() {
        let mut book = Book::default();
        let mut newer = finding("b", true);
        Arc::get_mut(&mut newer.cause).unwrap().time = at(60);
        book.open(&newer, at(70));
        book.settle(CONTROL, &newer.cause.id, &settled(&newer, Outcome::Notified));
        let older = finding("a", true);
        let opened = book.open(&older, at(80));
        assert_eq!((opened.id.change.as_str(), opened.settled.is_some()), ("b", true));
        assert_eq!(opened.history.first_seen, Some(at(60)), "when it happened, not when it was told");
    }

    #[test]
    fn what_made_a_violation_keeps_that_state_whoever_tells_of_it_later() {
        let mut book = Book::default();
        let shown = finding("a", false);
        assert_eq!(book.open(&shown, at(0)).maker, None, "nobody saw who made it");
        let mut made = finding("b", true);
        Arc::get_mut(&mut made.cause).unwrap().origin = Origin::Terraform;
        assert_eq!(book.open(&made, at(10)).maker, Some(Origin::Terraform));
        book.settle(CONTROL, &made.cause.id, &settled(&made, Outcome::Notified));
        assert_eq!(book.open(&finding("c", false), at(20)).maker, Some(Origin::Terraform));
    }

    #[test]
    fn who_makes_what_waits_again_is_its_maker_unless_a_maker_is_known() {
        let mut book = Book::default();
        let shown = finding("a", false);
        book.open(&shown, at(0));
        let waits = Outcome::Waiting(Box::new(Wait::Until(at(100))));
        book.settle(CONTROL, &shown.cause.id, &settled(&shown, waits));
        assert_eq!(book.open(&finding("b", true), at(10)).maker, Some(Origin::Cli));
        let mut later = finding("c", true);
        Arc::get_mut(&mut later.cause).unwrap().origin = Origin::Terraform;
        assert_eq!(book.open(&later, at(20)).maker, Some(Origin::Cli));
    }

    fn notification() -> Notification {
        let Finding { control, resource, cause, .. } = finding("a", true);
        let evaluation = Evaluation { control, found_in: None, compliance: Compliance::Passed };
        let judgement = Judgement {
            at: cause.time,
            cause,
            resource,
            evaluation,
            owner: None,
            fix: None,
            readiness: None,
            ruling: None,
            incident: None,
            outcome: None,
        };
        Notification::of(&[&judgement], None).unwrap()
    }

    #[test]
    fn a_book_knows_what_is_unfinished() {
        let first = finding("a", true);
        let (mut book, mut story) = (Book::default(), Story::new(&first.cause));
        let unfinished = |book: &mut Book, story: &Story| {
            book.note(&first.cause.id, story);
            book.unfinished().count()
        };
        assert_eq!(unfinished(&mut book, &story), 0);
        let settled = settled(&first, Outcome::Applied);
        let end = End { control: CONTROL.to_owned(), change: first.cause.id.clone(), settled };
        let message = Box::new(notification());
        story.applying = vec![Applying {
            action: "UpdateService".to_owned(),
            called: true,
            expected: None,
            content: None,
            plan: Fingerprint::of_text(""),
            ends: vec![end],
            message,
        }];
        assert_eq!(unfinished(&mut book, &story), 1);
        story.close(Some(CONTROL), &Outcome::Stale);
        assert_eq!((unfinished(&mut book, &story), story.has_ended(CONTROL)), (0, true));
        assert_eq!(story.tell(notification()).sequence, 1);
        assert_eq!(unfinished(&mut book, &story), 1);
        story.message = Message::Sent(at(9));
        assert_eq!(unfinished(&mut book, &story), 0);
        assert_eq!(story.tell(notification()).sequence, 2);
    }
}
