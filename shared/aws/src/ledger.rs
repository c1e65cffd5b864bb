//! The ledger in DynamoDB: one item for each resource, whose lease makes one attempt at a time its only writer, and one
//! for each change to it.
//!
//! | `pk` | `sk` | holds |
//! |---|---|---|
//! | `FUNCTION#ARN` | `resource` | lease (`owner`, `until`, `fence`), [`Book`] in `body` |
//! | `FUNCTION#ARN` | `change#ID` | [`Story`] in `body`; `ttl` |
//! | `account#ID` | `hour#…` | `fixes` made in that hour; `ttl` |
//! | `rolling#ARN` | `cluster` | which services of the cluster roll because of us, in `body` |

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shipshape_core::finding::{Cause, Finding};
use shipshape_core::ids::ChangeId;
use shipshape_core::ledger::book::{Book, Message, Story};
use shipshape_core::ledger::{Claim, IncidentId, Opened, Outcome, Request, Settled};
use shipshape_core::resource::ResourceId;

mod claim;
mod items;
mod table;

pub use table::Table;

use crate::failure::Failure;
use items::Lease;

/// One attempt's view of the ledger: the resources that it holds.
#[derive(Debug)]
pub struct Attempt<'a> {
    table: &'a Table,
    /// Names this attempt.
    owner: String,
    /// Until when its leases hold: longer than it can run.
    until: Timestamp,
    /// The changes that it deals with.
    causes: Vec<Cause>,
    held: BTreeMap<ResourceId, Held>,
}

/// A resource that this attempt alone may write.
#[derive(Debug)]
struct Held {
    lease: Lease,
    book: Book,
    stories: BTreeMap<ChangeId, Story>,
    /// The stories that are in the table already.
    stored: BTreeSet<ChangeId>,
    /// Whether anything is not written down yet.
    dirty: bool,
}

impl<'a> Attempt<'a> {
    /// An attempt to deal with some changes, which holds nothing yet. `owner` is no other attempt's name, and `until` is
    /// after its end.
    pub fn new(table: &'a Table, owner: String, until: Timestamp, causes: Vec<Cause>) -> Self {
        Self { table, owner, until, causes, held: BTreeMap::new() }
    }

    /// Takes the lease of a resource, if this attempt does not hold it yet. Where another one lives, that is a failure
    /// that passes.
    async fn hold(&mut self, target: &ResourceId, now: Timestamp) -> Result<&mut Held, Failure> {
        if !self.held.contains_key(target) {
            let (lease, book) = self.table.lease(target, &self.owner, self.until, now).await?;
            let held = Held { lease, book, stories: BTreeMap::new(), stored: BTreeSet::new(), dirty: false };
            self.held.insert(target.clone(), held);
        }
        self.held.get_mut(target).ok_or_else(|| lost(target))
    }

    /// Takes up what earlier deliveries of changes left behind. `None` where there is nothing of them.
    pub async fn take_up(
        &mut self,
        target: &ResourceId,
        now: Timestamp,
    ) -> Result<Vec<(ChangeId, Story)>, Failure> {
        let table = self.table;
        let changes: Vec<ChangeId> = self.causes.iter().map(|cause| cause.id.clone()).collect();
        let held = self.hold(target, now).await?;
        let mut stories = Vec::new();
        for change in &changes {
            if let Some(story) = table.story(target, change).await? {
                held.stored.insert(change.clone());
                held.stories.insert(change.clone(), story.clone());
                stories.push((change.clone(), story));
            }
        }
        Ok(stories)
    }

    /// Puts a finding to its incident.
    pub async fn open(&mut self, finding: &Finding, now: Timestamp) -> Result<Opened, Failure> {
        let table = self.table;
        let held = self.hold(&finding.resource, now).await?;
        let mut opened = held.book.open(finding, now);
        held.dirty = true;
        let began = &opened.id.change;
        // What goes on since another change is that change's story.
        if *began != finding.cause.id
            && !held.stories.contains_key(began)
            && let Some(story) = table.story(&finding.resource, began).await?
        {
            held.stored.insert(began.clone());
            held.stories.insert(began.clone(), story);
        }
        let story = held.stories.entry(began.clone()).or_insert_with(|| Story::new(&finding.cause));
        opened.dealt_with = *began == finding.cause.id && story.has_ended(finding.control.slug);
        Ok(opened)
    }

    /// Asks for the right to write, and writes down that it is about to be used.
    pub async fn claim(&mut self, request: &Request<'_>, now: Timestamp) -> Result<Claim, Failure> {
        let target = request.remediation.target();
        let table = self.table;
        let held = self.held.get_mut(target).ok_or_else(|| lost(target))?;
        claim::claim(table, target, held, request, now).await
    }

    /// Writes down where an incident stands, when the attempt's next message is sent, or at its end.
    pub fn settle(&mut self, id: &IncidentId, settled: Settled) -> Result<(), Failure> {
        let held = self.held.get_mut(&id.target).ok_or_else(|| lost(&id.target))?;
        held.book.settle(id.control, &id.change, &settled);
        let cause = self.causes.iter().find(|cause| cause.id == id.change);
        let story = match (held.stories.get_mut(&id.change), cause) {
            (Some(story), _) => story,
            (None, Some(cause)) => held.stories.entry(id.change.clone()).or_insert_with(|| Story::new(cause)),
            (None, None) => return Ok(()),
        };
        if story.applying.as_ref().is_some_and(|applying| applying.ends.contains_key(id.control)) {
            story.applying = None;
        }
        story.ends.insert(id.control.to_owned(), settled);
        held.dirty = true;
        Ok(())
    }

    /// Ends the open incidents of a resource. Of what this attempt does not hold, nothing is open that anybody waits for
    /// here: what passes costs no call.
    pub async fn close(
        &mut self,
        target: &ResourceId,
        control: Option<&'static str>,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<Vec<IncidentId>, Failure> {
        if control.is_none() && !self.held.contains_key(target) && !self.table.knows(target).await? {
            return Ok(Vec::new());
        }
        let held = match control {
            Some(_) => match self.held.get_mut(target) {
                Some(held) => held,
                None => return Ok(Vec::new()),
            },
            None => self.hold(target, now).await?,
        };
        held.dirty = true;
        let ended = held.book.close(target, control, outcome);
        held.stories.values_mut().for_each(|story| story.close(control, outcome));
        Ok(ended)
    }

    /// A write that was begun by an earlier attempt was made: it ends as it would have.
    pub fn adopt(&mut self, target: &ResourceId, change: &ChangeId) -> Result<(), Failure> {
        let held = self.held.get_mut(target).ok_or_else(|| lost(target))?;
        let ends = held.stories.get_mut(change).and_then(Story::adopt).unwrap_or_default();
        for (control, settled) in &ends {
            held.book.settle(control, change, settled);
        }
        held.dirty = true;
        Ok(())
    }

    /// Writes everything down, with the message that is to be sent about a change.
    pub async fn record(
        &mut self,
        target: &ResourceId,
        change: &ChangeId,
        message: Message,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let table = self.table;
        let held = self.held.get_mut(target).ok_or_else(|| lost(target))?;
        if let Some(story) = held.stories.get_mut(change) {
            story.message = message;
        }
        table.write(target, held, false, now).await
    }

    /// The message about a change was sent; written down with the attempt's last write.
    pub fn sent(&mut self, target: &ResourceId, change: &ChangeId, now: Timestamp) -> Result<(), Failure> {
        let held = self.held.get_mut(target).ok_or_else(|| lost(target))?;
        if let Some(story) = held.stories.get_mut(change) {
            story.message = Message::Sent(now);
            held.dirty = true;
        }
        Ok(())
    }

    /// Writes down what is not yet, and gives every lease back.
    pub async fn finish(mut self, now: Timestamp) -> Result<(), Failure> {
        for (target, held) in &mut self.held {
            self.table.write(target, held, true, now).await?;
        }
        Ok(())
    }

    /// Gives every lease back, and writes nothing else down: the message comes again.
    pub async fn abandon(self) {
        for (target, held) in &self.held {
            self.table.release(target, &held.lease).await;
        }
    }
}

fn lost(target: &ResourceId) -> Failure {
    Failure::later("UpdateItem", "no lease", format!("nothing is held of {target}"))
}
