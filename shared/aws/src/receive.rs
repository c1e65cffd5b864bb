//! What arrives: a batch of messages of a queue, or one event as `cargo lambda invoke` sends it. Each message is read by
//! itself, so that a broken one is its own failure alone.

use std::collections::BTreeMap;

use aws_lambda_events::event::sqs::SqsEvent;
use serde::Deserialize;
use serde_json::value::RawValue;
use shipshape_core::asked::Asked;
use shipshape_core::change::{Change, Observed};
use shipshape_core::event::{Parsed, Record, parse};
use shipshape_core::finding::Cause;
use shipshape_core::ids::ChangeId;
use shipshape_core::resource::{ResourceId, ResourceType};

/// A message, and what became of its text.
#[derive(Debug)]
pub struct Message {
    /// The queue's id of it; `None` for an event that came by itself.
    pub id: Option<String>,
    /// Whether it was delivered before, and something may have been begun then.
    pub again: bool,
    /// The change that it tells of; `None` where it is not for us.
    pub change: Result<Option<Change>, String>,
}

/// Changes to one resource, to be judged at once.
#[derive(Debug)]
pub struct Matter {
    /// The resource, and what the last change shows of it.
    pub change: Change,
    /// The changes before that one, oldest first.
    pub earlier: Vec<Change>,
    /// Whether any of them was delivered before.
    pub again: bool,
    /// The messages that told of them, by their places in the batch.
    pub messages: Vec<usize>,
}

impl Matter {
    /// What it is about.
    pub fn target(&self) -> Option<&ResourceId> {
        self.change.observed.first().map(Observed::id)
    }

    /// Its changes, as the ledger tells of them.
    pub fn causes(&self) -> Vec<Cause> {
        self.earlier.iter().chain([&self.change]).map(Cause::of).collect()
    }
}

#[derive(Deserialize)]
struct Probe<'a> {
    #[serde(borrow, rename = "Records")]
    records: Option<&'a RawValue>,
}

/// Reads a payload. An error where it is neither a batch nor an object.
pub fn read(payload: &RawValue) -> Result<Vec<Message>, String> {
    let probe: Probe<'_> = serde_json::from_str(payload.get())
        .map_err(|error| format!("the payload is no JSON object ({:?})", error.classify()))?;
    if probe.records.is_none() {
        return Ok(vec![Message { id: None, again: false, change: change(payload.get()) }]);
    }
    let batch: SqsEvent = serde_json::from_str(payload.get())
        .map_err(|error| format!("the payload is no batch of SQS messages ({:?})", error.classify()))?;
    let message = |message: aws_lambda_events::event::sqs::SqsMessage| {
        let received = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        Message {
            // A failure without an id would make the whole batch come again.
            id: message.message_id,
            again: received.unwrap_or(1_u32) > 1,
            change: message.body.as_deref().map_or_else(|| Err("the message has no body".to_owned()), change),
        }
    };
    Ok(batch.records.into_iter().map(message).collect())
}

/// Reads the body of a message: an event, or what another function asks.
fn change(body: &str) -> Result<Option<Change>, String> {
    let json: &RawValue = serde_json::from_str(body)
        .map_err(|error| format!("the message is no JSON ({:?})", error.classify()))?;
    if let Ok(asked) = serde_json::from_str::<Asked>(json.get()) {
        let change = asked.into_change();
        return change.map(Some).ok_or_else(|| "the message asks for what is no revision".to_owned());
    }
    let parsed = Record::read(json).and_then(|record| parse(&record)).map_err(|error| error.to_string())?;
    match parsed {
        Parsed::Change(change) => Ok(Some(*change)),
        Parsed::Ignored(why) => {
            tracing::debug!(why = why.as_str(), "ignored");
            Ok(None)
        }
        Parsed::Rejected(rejected) => {
            tracing::error!(alarm = "rejected", %rejected, "an event was rejected");
            Ok(None)
        }
    }
}

/// Sorts changes by what they are about, among the kinds that a function owns; what came first is judged first.
pub fn matters(messages: &[Message], owns: &[ResourceType]) -> Vec<Matter> {
    let mut by_target: BTreeMap<&ResourceId, Vec<(usize, &Change, &Observed)>> = BTreeMap::new();
    for (index, message) in messages.iter().enumerate() {
        let Ok(Some(change)) = &message.change else { continue };
        for observed in change.observed.iter().filter(|observed| owns.contains(&observed.id().kind)) {
            by_target.entry(observed.id()).or_default().push((index, change, observed));
        }
    }
    let matter = |mut all: Vec<(usize, &Change, &Observed)>| {
        all.sort_by_key(|(index, change, _)| (change.time, change.api, *index));
        // EventBridge delivers an event twice now and then.
        let mut seen: Vec<&ChangeId> = Vec::new();
        let mut changes: Vec<Change> = Vec::new();
        for (_, change, observed) in &all {
            if !seen.contains(&&change.id) {
                seen.push(&change.id);
                changes.push(Change { observed: vec![(*observed).clone()], ..(*change).clone() });
            }
        }
        let last = changes.pop()?;
        Some(Matter {
            change: last,
            earlier: changes,
            again: all.iter().any(|(index, ..)| messages[*index].again),
            messages: all.iter().map(|(index, ..)| *index).collect(),
        })
    };
    let mut matters: Vec<Matter> = by_target.into_values().filter_map(matter).collect();
    matters.sort_by_key(|matter| matter.messages.first().copied());
    matters
}
