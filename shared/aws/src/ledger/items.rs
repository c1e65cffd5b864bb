//! Keys and attributes of the ledger's items.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shipshape_core::finding::Fingerprint;
use shipshape_core::ids::ChangeId;
use shipshape_core::resource::{ResourceId, ResourceType};

use crate::failure::Failure;

/// The version of what is written. What a newer program has written is not touched.
pub(super) const VERSION: i64 = 1;
/// How long stories are kept after their end: longer than anything that brings their change again.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// An item.
pub(super) type Item = HashMap<String, AttributeValue>;

/// That this attempt holds a resource: no write of it counts once another has taken the lease.
#[derive(Debug, Clone)]
pub(super) struct Lease {
    pub(super) fence: i64,
}

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The function that owns a kind of resource, and alone writes its items.
fn owner(kind: ResourceType) -> &'static str {
    match kind {
        ResourceType::TaskDefinition | ResourceType::DaemonTaskDefinition => "task-definition",
        ResourceType::Cluster | ResourceType::CapacityProvider | ResourceType::AccountSetting => "cluster",
        _ => "service",
    }
}

fn key(pk: String, sk: String) -> Item {
    Item::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

/// A resource's item.
pub(super) fn resource(target: &ResourceId) -> Item {
    key(format!("{}#{}", owner(target.kind), target.arn), "resource".to_owned())
}

/// The item of a change to a resource.
pub(super) fn change(target: &ResourceId, change: &ChangeId) -> Item {
    key(format!("{}#{}", owner(target.kind), target.arn), format!("change#{change}"))
}

/// The item that counts an account's fixes.
pub(super) fn fixes(account: &str) -> Item {
    key(format!("account#{account}"), "fixes".to_owned())
}

/// The item of a cluster whose services roll because of us.
pub(super) fn rolling(cluster: &str) -> Item {
    key(format!("rolling#{cluster}"), "cluster".to_owned())
}

/// The item of a notice about the policy.
pub(super) fn notice(name: Fingerprint) -> Item {
    key(format!("notice#{name}"), "told".to_owned())
}

/// When a story may be forgotten.
pub(super) fn forgotten(now: Timestamp) -> AttributeValue {
    number(now.as_second() + KEPT.as_secs())
}

/// What an item holds, as JSON.
pub(super) fn body(value: &impl Serialize) -> Result<AttributeValue, Failure> {
    let json = serde_json::to_string(value);
    json.map(text).map_err(|error| Failure::refused("TransactWriteItems", "not JSON", error.to_string()))
}

/// Reads what an item holds. One that a newer version wrote, or that can't be read, is not touched.
pub(super) fn read<T: DeserializeOwned>(item: &Item) -> Result<Option<T>, Failure> {
    let written_by = int(item, "v").unwrap_or(VERSION);
    if written_by > VERSION {
        let message = format!(
            "an item of version {written_by} is in the ledger, and this program knows version {VERSION}: a newer Shipshape is being deployed, or was rolled back"
        );
        return Err(Failure::later("GetItem", "newer version", message));
    }
    let Some(AttributeValue::S(json)) = item.get("body") else { return Ok(None) };
    let value = serde_json::from_str(json);
    value.map(Some).map_err(|error| {
        let message = format!("an item of the ledger can't be read (line {})", error.line());
        Failure::later("GetItem", "not readable", message)
    })
}

/// A whole number of an item.
pub(super) fn int(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// A request that was not made whole, which no caller can mend.
pub(super) fn incomplete(error: aws_sdk_dynamodb::error::BuildError) -> Failure {
    Failure::refused("TransactWriteItems", "incomplete", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureKind;

    fn item(version: Option<i64>, json: &str) -> Item {
        let mut item = Item::from([("body".to_owned(), text(json))]);
        item.extend(version.map(|version| ("v".to_owned(), number(version))));
        item
    }

    #[test]
    fn what_a_newer_program_wrote_or_nobody_can_read_is_left_alone_and_comes_again() {
        let good = "[1,2]";
        for version in [None, Some(0), Some(VERSION)] {
            assert_eq!(read::<Vec<u8>>(&item(version, good)), Ok(Some(vec![1, 2])), "{version:?}");
        }
        assert_eq!(read::<Vec<u8>>(&Item::new()), Ok(None), "a lease that was taken and never used");
        let rows = [
            (item(Some(VERSION + 1), good), "newer version", "an item of version 2 is in the ledger"),
            (
                item(Some(VERSION), "[1,\n300]"),
                "not readable",
                "an item of the ledger can't be read (line 2)",
            ),
            (item(None, "s3cret"), "not readable", "an item of the ledger can't be read (line 1)"),
        ];
        for (item, code, words) in rows {
            let failure = read::<Vec<u8>>(&item).unwrap_err();
            assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Retryable, code));
            assert!(failure.message.starts_with(words), "{}", failure.message);
            assert!(!failure.message.contains("s3cret"));
        }
    }

    #[test]
    fn every_kind_has_the_key_of_the_function_that_owns_it() {
        let rows = [
            (ResourceType::TaskDefinition, "task-definition"),
            (ResourceType::DaemonTaskDefinition, "task-definition"),
            (ResourceType::Cluster, "cluster"),
            (ResourceType::CapacityProvider, "cluster"),
            (ResourceType::AccountSetting, "cluster"),
            (ResourceType::Service, "service"),
            (ResourceType::TaskSet, "service"),
        ];
        for (kind, function) in rows {
            let arn = "arn:aws:ecs:eu-west-1:111122223333:x/y";
            let target = ResourceId { kind, arn: arn.parse().unwrap() };
            let pk = text(format!("{function}#{arn}"));
            assert_eq!(resource(&target), key_of(&pk, "resource"));
            assert_eq!(change(&target, &"e-1".parse().unwrap()), key_of(&pk, "change#e-1"));
        }
    }

    fn key_of(pk: &AttributeValue, sk: &str) -> Item {
        Item::from([("pk".to_owned(), pk.clone()), ("sk".to_owned(), text(sk))])
    }
}
