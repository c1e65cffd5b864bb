//! The right to write: an incident that says so, and the budgets, in one transaction.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use jiff::{SignedDuration, Timestamp};
use shipshape_core::finding::Fingerprint;
use shipshape_core::ids::Arn;
use shipshape_core::ledger::book::Applying;
use shipshape_core::ledger::{Claim, Outcome, Request, Settled};
use shipshape_core::notification::Notification;
use shipshape_core::remediation::{Action, mended};
use shipshape_core::resource::ResourceId;

use super::items::{self, body, int, number};
use super::{Held, Table};
use crate::failure::Failure;

/// How long a deployment of ours is taken to roll.
const ROLLING: SignedDuration = SignedDuration::from_mins(15);
/// How long an hour's count is kept.
const COUNTED: i64 = 2 * 24 * 3600;

/// The services of a cluster that roll because of us, and since when.
type Rolling = BTreeMap<String, Timestamp>;

pub(super) async fn claim(
    table: &Table,
    target: &ResourceId,
    held: &mut Held,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Claim, Failure> {
    let Some(applying) = applying(request) else {
        return Err(Failure::refused("TransactWriteItems", "nothing to tell", "a write without a judgement"));
    };
    let story = held.stories.get_mut(request.change);
    let Some(story) = story else {
        return Err(Failure::later("TransactWriteItems", "no story", "the change is not open"));
    };
    // Begun before and not made: it was counted then.
    let counted = story.applying.is_some();
    story.applying = Some(applying);
    held.dirty = true;
    let mut writes = vec![TransactWriteItem::builder().update(table.book(target, held, false)?).build()];
    writes.extend(table.stories(target, held, now)?);
    let after_stories = writes.len();
    if !counted {
        if request.fixes_per_hour == 0 {
            return Ok(refuse(held, request, "the budget allows no fix in this account".to_owned()));
        }
        writes.push(TransactWriteItem::builder().update(hour(table, request, now)?).build());
    }
    if let Some((cluster, services)) = request.rolls.as_ref().filter(|_| !counted) {
        match rolling(table, target, cluster, *services, request.rolling_percent, now).await? {
            Ok(put) => writes.push(TransactWriteItem::builder().put(put).build()),
            Err(text) => return Ok(refuse(held, request, text)),
        }
    }
    match table.transact(writes).await {
        Ok(()) => {
            held.stored.extend(held.stories.keys().cloned());
            Ok(Claim::Mine)
        }
        Err((_, unmet))
            if unmet.get(after_stories) == Some(&true) && !unmet[..after_stories].contains(&true) =>
        {
            let text = format!("{} fixes were made in this account within the hour", request.fixes_per_hour);
            Ok(refuse(held, request, text))
        }
        Err((failure, _)) => Err(failure),
    }
}

fn refuse(held: &mut Held, request: &Request<'_>, text: String) -> Claim {
    if let Some(story) = held.stories.get_mut(request.change) {
        story.applying = None;
    }
    Claim::OverBudget(text)
}

/// What is written down before the write: all that is needed to know its effect again, and to tell of it.
fn applying(request: &Request<'_>) -> Option<Applying> {
    let remediation = request.remediation;
    let message = Notification::of(&request.judgements, None)?;
    let ends = request.judgements.iter().filter_map(|judgement| {
        let reason = judgement.ruling.as_ref()?.reason.text.as_str().into();
        let settled = Settled { fingerprint: judgement.fingerprint(), outcome: Outcome::Applied, reason };
        Some((judgement.evaluation.control.slug.to_owned(), settled))
    });
    let registers = remediation.action() == Action::RegisterTaskDefinition;
    let after = registers.then(|| remediation.after().document.value()).flatten();
    Some(Applying {
        action: remediation.action().as_str().to_owned(),
        expected: remediation.expected(),
        content: after.map(|value| mended::content_hash(&value)),
        plan: Fingerprint::of_text(&serde_json::to_string(remediation.patch()).unwrap_or_default()),
        ends: ends.collect(),
        message: Box::new(message),
    })
}

/// One fix more in this hour, if there is room.
fn hour(table: &Table, request: &Request<'_>, now: Timestamp) -> Result<Update, Failure> {
    let update = Update::builder()
        .table_name(&table.name)
        .set_key(Some(items::hour(request.account.as_str(), now)))
        .update_expression("SET #ttl = :ttl ADD fixes :one")
        .condition_expression("attribute_not_exists(fixes) OR fixes < :limit")
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":ttl", number(now.as_second() + COUNTED))
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":limit", number(i64::from(request.fixes_per_hour)));
    update.build().map_err(items::incomplete)
}

/// One service more that rolls because of us, if the cluster has room for it; otherwise what is said instead.
async fn rolling(
    table: &Table,
    target: &ResourceId,
    cluster: &Arn,
    services: Option<u32>,
    percent: u32,
    now: Timestamp,
) -> Result<Result<Put, String>, Failure> {
    let key = items::rolling(cluster.as_str());
    let asked = table
        .client
        .get_item()
        .table_name(&table.name)
        .set_key(Some(key.clone()))
        .consistent_read(true)
        .send()
        .await;
    let item = asked.map_err(|error| Failure::of("GetItem", &error))?.item;
    let seen = item.as_ref().and_then(|item| int(item, "n")).unwrap_or_default();
    let mut known: Rolling = item.as_ref().map_or(Ok(None), items::read)?.unwrap_or_default();
    known.retain(|_, since| now.duration_since(*since) < ROLLING);
    let others = known.keys().filter(|service| *service != target.arn.as_str()).count();
    let others = u32::try_from(others).unwrap_or(u32::MAX);
    // Without the cluster's count, one service at a time.
    let share = services.unwrap_or(0).saturating_mul(percent) / 100;
    if others >= share.max(1) {
        return Ok(Err(format!("{others} services of the cluster roll because of us already")));
    }
    known.insert(target.arn.to_string(), now);
    let put = Put::builder()
        .table_name(&table.name)
        .set_item(Some(key))
        .item("v", number(items::VERSION))
        .item("n", number(seen + 1))
        .item("body", body(&known)?)
        .condition_expression("attribute_not_exists(n) OR n = :n")
        .expression_attribute_values(":n", number(seen));
    Ok(Ok(put.build().map_err(items::incomplete)?))
}
