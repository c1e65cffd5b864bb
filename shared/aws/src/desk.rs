//! The ports of a function: AWS asked and written, the ledger, and people told.

use std::sync::Arc;

use jiff::Timestamp;
use shipshape_core::facts::{Facts, Need};
use shipshape_core::finding::Finding;
use shipshape_core::ids::{AccountId, ChangeId};
use shipshape_core::judgement::Judgement;
use shipshape_core::ledger::story::{Applying, Message};
use shipshape_core::ledger::{Claim, IncidentId, Intent, Ledger, Opened, Outcome, Settled};
use shipshape_core::notification::{Done, Notification};
use shipshape_core::pipeline::Occasion;
use shipshape_core::policy::Switch;
use shipshape_core::ports::{Applied, Lookup, Notifier, Ports, Remediator};
use shipshape_core::remediation::{Action, Remediation};
use shipshape_core::resource::{Resource, ResourceId};

use crate::failure::{Failure, FailureKind};
use crate::ledger::Attempt;
use crate::notify::publish;
use crate::policy::{Decreed, Policies};
use crate::reach::{Reach, Wrote};

/// One attempt to deal with one resource.
#[derive(Debug)]
pub struct Desk<'a, R> {
    /// What is known by now.
    pub facts: Facts,
    /// The account that it lives in.
    pub account: AccountId,
    /// What it is decided by.
    pub decreed: Arc<Decreed>,
    /// Asks and writes.
    pub reach: R,
    /// The ledger.
    pub attempt: Attempt<'a>,
    /// Reads the switch and the policy again.
    pub policies: &'a mut Policies,
    /// Tells people.
    pub sns: &'a aws_sdk_sns::Client,
    /// Where.
    pub topic: &'a str,
    /// What was written, where the plan could not know what it leads to.
    pub done: Option<Done>,
    /// What the last write made of the resource.
    pub ours: Option<Resource>,
}

impl<R: Reach> Desk<'_, R> {
    /// Takes up a resource whose changes were delivered before: what was begun is ended first. Answers whether they had
    /// waited.
    pub async fn take_up(&mut self, target: &ResourceId) -> Result<Occasion, Failure> {
        self.hold(target).await?;
        let waited = self.attempt.load_all(target).await?;
        Ok(if waited { Occasion::Resumed } else { Occasion::Again })
    }

    /// Holds a resource for this attempt alone. What earlier ones left unfinished, whatever brought them, is finished:
    /// messages that were not sent are, and of writes that were begun it is found out what became of them. What AWS refuses
    /// to have finished stays so, and keeps nothing else from being done.
    async fn hold(&mut self, target: &ResourceId) -> Result<(), Failure> {
        for change in self.attempt.hold(target, Timestamp::now()).await? {
            match self.finish(target, &change).await {
                Err(failure) if failure.kind == FailureKind::Refused => {
                    tracing::error!(alarm = "unfinished", resource = %target.arn, %change, %failure, "what an earlier attempt left can't be finished");
                }
                finished => finished?,
            }
        }
        Ok(())
    }

    /// Finishes the story of a change.
    async fn finish(&mut self, target: &ResourceId, change: &ChangeId) -> Result<(), Failure> {
        let now = Timestamp::now();
        let Some(story) = self.attempt.story(target, change).cloned() else { return Ok(()) };
        if let Message::Pending(notification) = &story.message {
            self.send(target, change, notification).await?;
            self.attempt.record(target, now).await?;
        }
        for applying in story.applying.iter().filter(|applying| applying.called) {
            let Some(wrote) = self.was_made(target, applying).await? else { continue };
            tracing::info!(resource = %target.arn, %change, action = applying.action, "an earlier attempt made this write: adopted");
            let told = self.attempt.adopt(target, change, applying, wrote).await?;
            self.attempt.record(target, now).await?;
            if let Some(told) = told {
                self.send(target, change, &told).await?;
                self.attempt.record(target, now).await?;
            }
        }
        Ok(())
    }

    /// Whether a write that was begun was made, and what it led to where the plan could not know.
    async fn was_made(
        &mut self,
        target: &ResourceId,
        applying: &Applying,
    ) -> Result<Option<Option<Done>>, Failure> {
        if let Some(content) = applying.content {
            // What is still to be said on the source is a write like any other.
            let switch = self.policies.read(&self.account).await?.policy.switch();
            let link = switch != Switch::Freeze;
            return Ok(self.reach.registered(&target.arn, content, link).await?.map(Some));
        }
        let now = self.reach.describe(target).await?;
        let made = now.zip(applying.expected.as_ref()).is_some_and(|(now, expected)| expected.holds(&now));
        Ok(made.then_some(None))
    }

    async fn send(
        &mut self,
        target: &ResourceId,
        change: &ChangeId,
        notification: &Notification,
    ) -> Result<(), Failure> {
        publish(self.sns, self.topic, notification.letter()).await?;
        self.attempt.sent(target, change, Timestamp::now())
    }

    async fn write(&mut self, remediation: &Remediation) -> Result<Wrote, Failure> {
        if remediation.action() == Action::RegisterTaskDefinition {
            // A revision never changes.
            return self.reach.write(remediation, remediation.after()).await;
        }
        let now = match self.reach.describe(remediation.target()).await {
            Err(failure) => {
                self.attempt.withhold(remediation, Timestamp::now()).await?;
                return Err(failure);
            }
            Ok(now) => now,
        };
        let Some(now) = now else {
            let message = "it is gone";
            return Err(Failure {
                kind: FailureKind::Missing,
                ..Failure::refused("Describe", "gone", message)
            });
        };
        let ours = self.ours.as_ref().filter(|ours| ours.id == *remediation.target());
        let Some(after) = remediation.onto(&now, ours) else {
            self.attempt.withhold(remediation, Timestamp::now()).await?;
            let message =
                format!("{} has changed since it was judged: it is judged anew", remediation.target());
            return Err(Failure::later("Describe", "changed", message));
        };
        let wrote = self.reach.write(remediation, &after).await?;
        self.ours = Some(after);
        Ok(wrote)
    }
}

impl<R: Reach> Ports for Desk<'_, R> {
    type Failure = Failure;
}

impl<R: Reach> Lookup for Desk<'_, R> {
    type Error = Failure;

    fn facts(&self) -> &Facts {
        &self.facts
    }

    async fn fetch(&mut self, needs: &[Need]) -> Result<bool, Failure> {
        self.reach.fetch(needs, &mut self.facts, &self.decreed.selection).await
    }

    async fn refresh(&mut self, id: &ResourceId) -> Result<bool, Failure> {
        let needs = [Need::Resource(id.clone())];
        self.reach.fetch(&needs, &mut self.facts, &self.decreed.selection).await?;
        Ok(self.facts.is_gone(id) || self.facts.known(id).is_some())
    }
}

impl<R: Reach> Remediator for Desk<'_, R> {
    type Error = Failure;

    async fn apply(&mut self, remediation: &Remediation) -> Result<Applied, Failure> {
        match self.policies.still(&self.account, &self.decreed).await {
            Ok(true) => {}
            still => {
                self.attempt.withhold(remediation, Timestamp::now()).await?;
                let message =
                    "the switch or the policy has changed since this was decided: it is decided anew";
                return Err(still.err().unwrap_or(Failure::later("GetParameters", "changed", message)));
            }
        }
        let action = remediation.action().as_str();
        match self.write(remediation).await {
            Ok(Wrote::Done(done)) => {
                self.done = done;
                Ok(Applied::Done)
            }
            Ok(Wrote::Refused(text)) => Ok(Applied::Refused(text)),
            Err(failure) if failure.kind == FailureKind::Missing => Ok(Applied::Gone),
            Err(failure) if failure.kind == FailureKind::Refused => {
                tracing::error!(alarm = "fix failed", resource = %remediation.target().arn, action, %failure, "AWS refused a fix");
                Ok(Applied::Refused(format!("AWS refused it: {failure}")))
            }
            Err(failure) => Err(failure),
        }
    }
}

impl<R: Reach> Notifier for Desk<'_, R> {
    type Error = Failure;

    async fn publish(&mut self, judgements: &[&Judgement]) -> Result<(), Failure> {
        let now = Timestamp::now();
        let name = self.decreed.policy.account_name(&self.account);
        let Some(mut notification) = Notification::of(judgements, name) else { return Ok(()) };
        let incidents = || judgements.iter().filter_map(|judgement| judgement.incident.as_ref());
        let named = incidents().find(|id| id.change.as_str() == notification.incident());
        let Some(incident) = named.or(incidents().next()) else { return Ok(()) };
        notification.done = self.done.take();
        let (target, change) = (&incident.target, &incident.change);
        let notification = self.attempt.tell(target, change, notification)?;
        self.attempt.record(target, now).await?;
        self.send(target, change, &notification).await
    }
}

impl<R: Reach> Ledger for Desk<'_, R> {
    type Error = Failure;

    async fn open(&mut self, finding: &Finding, now: Timestamp) -> Result<Opened, Failure> {
        self.hold(&finding.resource).await?;
        self.attempt.open(finding, now).await
    }

    async fn claim(&mut self, intent: &Intent<'_>, now: Timestamp) -> Result<Claim, Failure> {
        self.attempt.claim(intent, now).await
    }

    async fn settle(&mut self, id: &IncidentId, settled: Settled, _: Timestamp) -> Result<(), Failure> {
        self.attempt.settle(id, settled)
    }

    async fn close(
        &mut self,
        target: &ResourceId,
        control: Option<&'static str>,
        outcome: Outcome,
    ) -> Result<Vec<IncidentId>, Failure> {
        if control.is_none() && self.attempt.knows(target).await? {
            self.hold(target).await?;
        }
        Ok(self.attempt.close(target, control, &outcome))
    }
}
