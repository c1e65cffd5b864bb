//! The ledger in DynamoDB: one item for each resource, whose lease makes one attempt at a time its only writer, and one
//! for each change to it.
//!
//! | `pk` | `sk` | holds |
//! |---|---|---|
//! | `FUNCTION#ARN` | `resource` | lease (`owner`, `until`, `fence`), [`Book`] in `body` |
//! | `FUNCTION#ARN` | `change#ID` | [`Story`] in `body`; `ttl` |
//! | `account#ID` | `fixes` | when fixes were made in the account, in `body` and counted by `n`; `ttl` |
//! | `notice#HASH` | `told` | that a wrong policy was told, until `ttl` |
//! | `rolling#ARN` | `cluster` | which services of the cluster roll because of us, in `body` and counted by `n`; `ttl` |

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shipshape_core::decide::History;
use shipshape_core::finding::{Cause, Finding};
use shipshape_core::ids::ChangeId;
use shipshape_core::ledger::book::Book;
use shipshape_core::ledger::story::{Applying, Message, Story};
use shipshape_core::ledger::{Claim, IncidentId, Intent, Opened, Outcome, Settled};
use shipshape_core::notification::{Done, Notification};
use shipshape_core::remediation::Remediation;
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
    /// The changes whose stories were looked for.
    looked: BTreeSet<ChangeId>,
    /// Whether nothing was ever written down of it: no story is looked for then.
    fresh: bool,
    /// Whether anything is not written down yet.
    dirty: bool,
}

impl<'a> Attempt<'a> {
    /// An attempt to deal with some changes, which holds nothing yet. `owner` is no other attempt's name, and `until` is
    /// after its end.
    pub fn new(table: &'a Table, owner: String, until: Timestamp, causes: Vec<Cause>) -> Self {
        Self { table, owner, until, causes, held: BTreeMap::new() }
    }

    /// Takes the lease of a resource, if this attempt does not hold it yet, and answers the changes whose stories earlier
    /// attempts left unfinished. Where another attempt lives, that is a failure that passes.
    pub async fn hold(&mut self, target: &ResourceId, now: Timestamp) -> Result<Vec<ChangeId>, Failure> {
        if self.held.contains_key(target) {
            return Ok(Vec::new());
        }
        let (lease, book) = self.table.lease(target, &self.owner, self.until, now).await?;
        let unfinished: Vec<ChangeId> = book.unfinished().cloned().collect();
        let fresh = book.is_empty();
        let held = Held {
            lease,
            book,
            stories: BTreeMap::new(),
            stored: BTreeSet::new(),
            looked: BTreeSet::new(),
            fresh,
            dirty: false,
        };
        self.held.insert(target.clone(), held);
        for change in &unfinished {
            self.load(target, change).await?;
            if self.story(target, change).is_none() {
                self.held(target)?.book.forget(change);
            }
        }
        Ok(unfinished)
    }

    /// What is written down of a change to a resource that is held.
    pub fn story(&self, target: &ResourceId, change: &ChangeId) -> Option<&Story> {
        self.held.get(target)?.stories.get(change)
    }

    /// Loads what earlier deliveries of this attempt's changes have written down. Answers whether anything waits.
    pub async fn load_all(&mut self, target: &ResourceId) -> Result<bool, Failure> {
        let changes: Vec<ChangeId> = self.causes.iter().map(|cause| cause.id.clone()).collect();
        for change in &changes {
            self.load(target, change).await?;
        }
        Ok(self.held.get(target).is_some_and(|held| held.book.waits()))
    }

    async fn load(&mut self, target: &ResourceId, change: &ChangeId) -> Result<(), Failure> {
        let table = self.table;
        let held = self.held(target)?;
        if !held.fresh
            && held.looked.insert(change.clone())
            && let Some(story) = table.story(target, change).await?
        {
            held.stored.insert(change.clone());
            held.stories.insert(change.clone(), story);
        }
        Ok(())
    }

    fn held(&mut self, target: &ResourceId) -> Result<&mut Held, Failure> {
        self.held.get_mut(target).ok_or_else(|| lost(target))
    }

    /// Puts a finding of a resource that is held to its incident.
    pub async fn open(&mut self, finding: &Finding, now: Timestamp) -> Result<Opened, Failure> {
        let (target, cause) = (&finding.resource, &finding.cause);
        self.load(target, &cause.id).await?;
        let ended = |story: &Story| story.has_ended(finding.control.slug);
        if self.story(target, &cause.id).is_some_and(ended) {
            return Ok(Opened {
                id: IncidentId {
                    target: target.clone(),
                    control: finding.control.slug,
                    change: cause.id.clone(),
                },
                fingerprint: finding.fingerprint(),
                maker: None,
                history: History::default(),
                settled: None,
                dealt_with: true,
            });
        }
        let held = self.held(target)?;
        let opened = held.book.open(finding, now);
        held.dirty = true;
        // What goes on since another change is that change's story.
        self.load(target, &opened.id.change).await?;
        let stories = &mut self.held(target)?.stories;
        stories.entry(opened.id.change.clone()).or_insert_with(|| Story::new(cause));
        Ok(opened)
    }

    /// Asks for the right to write, and writes down that it is about to be used.
    pub async fn claim(&mut self, intent: &Intent<'_>, now: Timestamp) -> Result<Claim, Failure> {
        let target = intent.remediation.target();
        let table = self.table;
        claim::claim(table, target, self.held(target)?, intent, now).await
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
        story.ends.insert(id.control.to_owned(), settled);
        for story in held.stories.values_mut() {
            story.applying.retain(|applying| !applying.ends(id.control));
        }
        held.dirty = true;
        Ok(())
    }

    /// Whether anything is open of a resource, or may be: of what this attempt does not hold, the ledger tells.
    pub async fn knows(&self, target: &ResourceId) -> Result<bool, Failure> {
        Ok(self.held.contains_key(target) || self.table.knows(target).await?)
    }

    /// Ends the open incidents of a resource. Of what this attempt does not hold, nothing is open that anybody waits for
    /// here: what passes costs no call.
    pub fn close(
        &mut self,
        target: &ResourceId,
        control: Option<&str>,
        outcome: &Outcome,
    ) -> Vec<IncidentId> {
        let Some(held) = self.held.get_mut(target) else { return Vec::new() };
        held.dirty = true;
        held.stories.values_mut().for_each(|story| story.close(control, outcome));
        held.book.close(target, control, outcome)
    }

    /// A write that was begun by an earlier attempt was made: it ends as it would have. Answers the message that is to be
    /// sent.
    pub async fn adopt(
        &mut self,
        target: &ResourceId,
        change: &ChangeId,
        applying: &Applying,
        done: Option<Done>,
    ) -> Result<Option<Notification>, Failure> {
        for end in &applying.ends {
            self.load(target, &end.change).await?;
            let held = self.held(target)?;
            held.book.settle(&end.control, &end.change, &end.settled);
            if let Some(story) = held.stories.get_mut(&end.change) {
                story.ends.insert(end.control.clone(), end.settled.clone());
            }
        }
        let held = self.held(target)?;
        held.dirty = true;
        let Some(story) = held.stories.get_mut(change) else { return Ok(None) };
        story.applying.retain(|one| one.plan != applying.plan);
        let mut message = (*applying.message).clone();
        message.done = done;
        Ok(Some(story.tell(message)))
    }

    /// What was claimed was not called: it stays counted, and is nobody's write.
    pub async fn withhold(&mut self, remediation: &Remediation, now: Timestamp) -> Result<(), Failure> {
        let (table, target) = (self.table, remediation.target());
        let plan = claim::plan(remediation);
        let held = self.held(target)?;
        let begun = held.stories.values_mut().flat_map(|story| &mut story.applying);
        begun.filter(|applying| applying.plan == plan).for_each(|applying| applying.called = false);
        held.dirty = true;
        table.write(target, held, false, now).await
    }

    /// The message about a change, with its number.
    pub fn tell(
        &mut self,
        target: &ResourceId,
        change: &ChangeId,
        notification: Notification,
    ) -> Result<Notification, Failure> {
        let held = self.held(target)?;
        held.dirty = true;
        Ok(match held.stories.get_mut(change) {
            Some(story) => story.tell(notification),
            None => notification,
        })
    }

    /// Writes everything down.
    pub async fn record(&mut self, target: &ResourceId, now: Timestamp) -> Result<(), Failure> {
        let table = self.table;
        table.write(target, self.held(target)?, false, now).await
    }

    /// The message about a change was sent; written down with the attempt's last write.
    pub fn sent(&mut self, target: &ResourceId, change: &ChangeId, now: Timestamp) -> Result<(), Failure> {
        let held = self.held(target)?;
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
