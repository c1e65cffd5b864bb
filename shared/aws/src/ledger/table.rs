//! Calls to the ledger's table.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Put, ReturnValue, TransactWriteItem, Update};
use jiff::Timestamp;
use shipshape_core::finding::Fingerprint;
use shipshape_core::ids::ChangeId;
use shipshape_core::ledger::book::Book;
use shipshape_core::ledger::story::Story;
use shipshape_core::resource::ResourceId;

use super::Held;
use super::items::{self, Item, Lease, body, int, number, text};
use crate::failure::Failure;

/// The code of a transaction that met another one, or what another one has written.
pub(super) const CONFLICT: &str = "conflict";

/// How long nobody is told again of a policy that is wrong, in seconds.
const DAY: i64 = 24 * 3600;

/// The ledger's table.
#[derive(Debug)]
pub struct Table {
    pub(super) client: Client,
    pub(super) name: String,
}

impl Table {
    /// A table by its name.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Takes a resource's lease, and reads its book: one call.
    pub(super) async fn lease(
        &self,
        target: &ResourceId,
        owner: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(Lease, Book), Failure> {
        let asked = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(items::resource(target)))
            .update_expression(
                "SET #owner = :owner, #until = :until, v = :v, fence = if_not_exists(fence, :zero) + :one",
            )
            .condition_expression(
                "(attribute_not_exists(#owner) OR #until < :now OR #owner = :owner) AND (attribute_not_exists(v) OR v <= :v)",
            )
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":until", number(until.as_second()))
            .expression_attribute_values(":now", number(now.as_second()))
            .expression_attribute_values(":v", number(items::VERSION))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let answer = match asked {
            Ok(answer) => answer,
            Err(error) => {
                let failure = Failure::of("UpdateItem", &error);
                return Err(match failure.code.as_str() {
                    "ConditionalCheckFailedException" => Failure::later(
                        "UpdateItem",
                        "held",
                        format!("another attempt is at work on {target}, or a newer version was"),
                    ),
                    _ => failure,
                });
            }
        };
        let item = answer.attributes.unwrap_or_default();
        let fence = int(&item, "fence").unwrap_or_default();
        Ok((Lease { fence }, items::read(&item)?.unwrap_or_default()))
    }

    /// An item as it is.
    pub(super) async fn get(&self, key: Item) -> Result<Option<Item>, Failure> {
        let asked = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key))
            .consistent_read(true)
            .send()
            .await;
        asked.map(|answer| answer.item).map_err(|error| Failure::of("GetItem", &error))
    }

    /// Whether a notice about the policy was told within the last day.
    pub async fn was_told(&self, notice: Fingerprint, now: Timestamp) -> Result<bool, Failure> {
        let told = self.get(items::notice(notice)).await?.and_then(|item| int(&item, "ttl"));
        Ok(told.is_some_and(|until| now.as_second() < until))
    }

    /// A notice about the policy was told, and is not for a day.
    pub async fn told(&self, notice: Fingerprint, now: Timestamp) -> Result<(), Failure> {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(items::notice(notice)));
        let sent = put.item("ttl", number(now.as_second() + DAY)).send().await;
        sent.map(drop).map_err(|error| Failure::of("PutItem", &error))
    }

    /// What is written down of a change to a resource.
    pub(super) async fn story(
        &self,
        target: &ResourceId,
        change: &ChangeId,
    ) -> Result<Option<Story>, Failure> {
        self.get(items::change(target, change)).await?.map_or(Ok(None), |item| items::read(&item))
    }

    /// Whether anything is written down of a resource.
    pub(super) async fn knows(&self, target: &ResourceId) -> Result<bool, Failure> {
        Ok(self.get(items::resource(target)).await?.is_some())
    }

    /// Writes down a resource's book and stories, as one, and gives the lease back if that is all.
    pub(super) async fn write(
        &self,
        target: &ResourceId,
        held: &mut Held,
        release: bool,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if !held.dirty {
            if release {
                self.release(target, &held.lease).await;
            }
            return Ok(());
        }
        let writes = self.all(target, held, release, now)?;
        self.transact(writes).await.map_err(|(failure, _)| failure)?;
        held.stored.extend(held.stories.keys().cloned());
        held.dirty = false;
        Ok(())
    }

    /// The writes of a resource's book and stories.
    pub(super) fn all(
        &self,
        target: &ResourceId,
        held: &mut Held,
        release: bool,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, Failure> {
        held.stories.iter().for_each(|(change, story)| held.book.note(change, story));
        let mut writes = vec![TransactWriteItem::builder().update(self.book(target, held, release)?).build()];
        writes.extend(self.stories(target, held, now)?);
        Ok(writes)
    }

    /// The write of a resource's book, which counts only while this attempt holds the lease.
    fn book(&self, target: &ResourceId, held: &Held, release: bool) -> Result<Update, Failure> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(items::resource(target)))
            .condition_expression("fence = :fence")
            .expression_attribute_values(":fence", number(held.lease.fence))
            .expression_attribute_values(":body", body(&held.book)?);
        let update = match release {
            false => update.update_expression("SET body = :body"),
            true => update
                .update_expression("SET body = :body REMOVE #owner, #until")
                .expression_attribute_names("#owner", "owner")
                .expression_attribute_names("#until", "until"),
        };
        update.build().map_err(items::incomplete)
    }

    /// The writes of its stories; one that nobody had written down yet must still be so.
    fn stories(
        &self,
        target: &ResourceId,
        held: &Held,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, Failure> {
        let put = |(change, story): (&ChangeId, &Story)| {
            let mut put = Put::builder()
                .table_name(&self.name)
                .set_item(Some(items::change(target, change)))
                .item("v", number(items::VERSION))
                .item("body", body(story)?);
            if story.is_finished() {
                put = put.item("ttl", items::forgotten(now));
            }
            if !held.stored.contains(change) {
                put = put.condition_expression("attribute_not_exists(pk)");
            }
            let put = put.build();
            put.map(|put| TransactWriteItem::builder().put(put).build()).map_err(items::incomplete)
        };
        held.stories.iter().map(put).collect()
    }

    /// Writes all or nothing. Answers, beside the failure, which writes' conditions did not hold.
    pub(super) async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<(), (Failure, Vec<bool>)> {
        let sent = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        let Err(error) = sent else { return Ok(()) };
        let failure = Failure::of("TransactWriteItems", &error);
        let cancelled = error.as_service_error().and_then(|error| match error {
            aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
                cancelled,
            ) => Some(cancelled.cancellation_reasons()),
            _ => None,
        });
        let Some(reasons) = cancelled else { return Err((failure, Vec::new())) };
        let unmet: Vec<bool> =
            reasons.iter().map(|reason| reason.code() == Some("ConditionalCheckFailed")).collect();
        let refused = reasons.iter().find(|reason| reason.code() == Some("ValidationError"));
        if let Some(reason) = refused {
            let message = reason.message().unwrap_or_default();
            return Err((Failure::refused("TransactWriteItems", "ValidationError", message), unmet));
        }
        // Another write was at the same items, another attempt has taken the lease, or the change was dealt with: it
        // is brought again, and then that is looked at first.
        let message = "another attempt was there first, or is at the same items";
        Err((Failure::later("TransactWriteItems", CONFLICT, message), unmet))
    }

    /// Gives a lease back. Where that fails it ends by itself.
    pub(super) async fn release(&self, target: &ResourceId, lease: &Lease) {
        let released = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(items::resource(target)))
            .update_expression("REMOVE #owner, #until")
            .condition_expression("fence = :fence")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":fence", number(lease.fence))
            .send()
            .await;
        if let Err(error) = released {
            let failure = Failure::of("UpdateItem", &error);
            tracing::warn!(resource = %target.arn, %failure, "a lease was not given back, and ends by itself");
        }
    }
}
