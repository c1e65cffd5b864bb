//! The right to write: an incident that says so, and the budgets, in one transaction.

use std::time::Duration;

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shipshape_core::finding::Fingerprint;
use shipshape_core::ledger::budget::{Fixes, Rolling};
use shipshape_core::ledger::story::{Applying, End};
use shipshape_core::ledger::{Claim, Intent, Outcome, Settled};
use shipshape_core::notification::Notification;
use shipshape_core::remediation::{Action, Remediation, mended};
use shipshape_core::resource::ResourceId;

use super::items::{self, Item, body, int, number};
use super::table::CONFLICT;
use super::{Held, Table};
use crate::failure::Failure;

/// How long a count is kept that nothing was added to, in seconds.
const COUNTED: i64 = 2 * 24 * 3600;
/// How often a claim is tried while others add to the same counts.
const TRIES: u8 = 4;
/// How long the first wait between two of these is.
const BACKOFF: Duration = Duration::from_millis(50);

pub(super) async fn claim(
    table: &Table,
    target: &ResourceId,
    held: &mut Held,
    intent: &Intent<'_>,
    now: Timestamp,
) -> Result<Claim, Failure> {
    let Some(applying) = applying(intent) else {
        return Err(Failure::refused("TransactWriteItems", "nothing to tell", "a write without a judgement"));
    };
    // Begun before and not made: it was counted then.
    let counted = take_back(held, &applying);
    // The story that the message about it names.
    let named = held.stories.keys().find(|change| change.as_str() == applying.message.incident()).cloned();
    let change = named.unwrap_or_else(|| intent.incident.change.clone());
    let Some(story) = held.stories.get_mut(&change) else {
        return Err(Failure::later("TransactWriteItems", "no story", "the incident is not open"));
    };
    story.applying.push(applying.clone());
    held.dirty = true;
    for attempt in 1..=TRIES {
        let mut writes = table.all(target, held, false, now)?;
        let own = writes.len();
        match budgets(table, intent, counted, now).await? {
            Ok(puts) => writes.extend(puts),
            Err(text) => {
                take_back(held, &applying);
                return Ok(Claim::OverBudget(text));
            }
        }
        match table.transact(writes).await {
            Ok(()) => {
                held.stored.extend(held.stories.keys().cloned());
                return Ok(Claim::Mine);
            }
            // Somebody else is counted at this time, or was in the meantime: there may be room all the same.
            Err((failure, unmet))
                if failure.code == CONFLICT && !unmet.iter().take(own).any(|unmet| *unmet) =>
            {
                tokio::time::sleep(BACKOFF * u32::from(attempt)).await;
            }
            Err((failure, _)) => return Err(failure),
        }
    }
    Err(Failure::later("TransactWriteItems", "busy", "others were counted at the same time, again and again"))
}

/// Takes back what was begun for the same incidents. Answers whether anything was.
fn take_back(held: &mut Held, applying: &Applying) -> bool {
    let same = |begun: &Applying| applying.ends.iter().any(|end| begun.ends(&end.control));
    let mut was = false;
    for story in held.stories.values_mut() {
        let before = story.applying.len();
        story.applying.retain(|begun| !same(begun));
        was |= story.applying.len() < before;
    }
    was
}

/// What is written down before the write: all that is needed to know its effect again, and to tell of it.
fn applying(intent: &Intent<'_>) -> Option<Applying> {
    let remediation = intent.remediation;
    let message = Notification::of(&intent.judgements, intent.account_name)?;
    let ends = intent.judgements.iter().filter_map(|judgement| {
        let reason = judgement.ruling.as_ref()?.reason.text.as_str().into();
        Some(End {
            control: judgement.evaluation.control.slug.to_owned(),
            change: judgement.incident.as_ref()?.change.clone(),
            settled: Settled { fingerprint: judgement.fingerprint(), outcome: Outcome::Applied, reason },
        })
    });
    let registers = remediation.action() == Action::RegisterTaskDefinition;
    let after = registers.then(|| remediation.after().document.value()).flatten();
    Some(Applying {
        action: remediation.action().as_str().to_owned(),
        called: true,
        expected: remediation.expected(),
        content: after.map(|value| mended::content_hash(&value)),
        plan: plan(remediation),
        ends: ends.collect(),
        message: Box::new(message),
    })
}

/// The hash of a plan.
pub(super) fn plan(remediation: &Remediation) -> Fingerprint {
    Fingerprint::of_text(&serde_json::to_string(remediation.patch()).unwrap_or_default())
}

/// The counts with this write in them; otherwise the sentence that says which of them has no room. What rolls is looked
/// at again with every attempt: the room that there was may be taken by now.
async fn budgets(
    table: &Table,
    intent: &Intent<'_>,
    counted: bool,
    now: Timestamp,
) -> Result<Result<Vec<TransactWriteItem>, String>, Failure> {
    let mut puts = Vec::new();
    if !counted {
        let mut count = Count::<Fixes>::read(table, items::fixes(intent.account.as_str())).await?;
        if let Err(text) = count.value.count(intent.fixes_per_hour, now) {
            return Ok(Err(text));
        }
        puts.push(count.put(table, now)?);
    }
    if let Some((cluster, services)) = &intent.rolls {
        let mut count = Count::<Rolling>::read(table, items::rolling(cluster.as_str())).await?;
        let service = &intent.remediation.target().arn;
        if let Err(text) = count.value.enter(service, *services, intent.rolling_percent, now) {
            return Ok(Err(text));
        }
        puts.push(count.put(table, now)?);
    }
    Ok(Ok(puts))
}

/// What attempts at different resources count together: it is written only where nobody has written it since it was
/// read.
struct Count<T> {
    key: Item,
    seen: i64,
    value: T,
}

impl<T: Default + Serialize + DeserializeOwned> Count<T> {
    async fn read(table: &Table, key: Item) -> Result<Self, Failure> {
        let item = table.get(key.clone()).await?;
        let seen = item.as_ref().and_then(|item| int(item, "n")).unwrap_or_default();
        let value = item.as_ref().map_or(Ok(None), items::read)?.unwrap_or_default();
        Ok(Self { key, seen, value })
    }

    fn put(self, table: &Table, now: Timestamp) -> Result<TransactWriteItem, Failure> {
        let put = Put::builder()
            .table_name(&table.name)
            .set_item(Some(self.key))
            .item("v", number(items::VERSION))
            .item("n", number(self.seen + 1))
            .item("ttl", number(now.as_second() + COUNTED))
            .item("body", body(&self.value)?)
            .condition_expression("attribute_not_exists(n) OR n = :n")
            .expression_attribute_values(":n", number(self.seen));
        let put = put.build().map_err(items::incomplete)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
