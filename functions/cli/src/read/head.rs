//! The few members by which a record is told apart and put in order, without reading the rest of it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use shipshape_core::document::{Field, Present};

/// A record's members, as far as they are read here. Every one may be missing.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Head<'a> {
    #[serde(borrow, rename = "eventSource")]
    pub(crate) source: Field<Cow<'a, str>>,
    #[serde(borrow, rename = "eventName")]
    pub(crate) name: Field<Cow<'a, str>>,
    #[serde(borrow, rename = "eventTime")]
    pub(crate) time: Field<Cow<'a, str>>,
    #[serde(borrow, rename = "eventID")]
    pub(crate) id: Field<Cow<'a, str>>,
    #[serde(borrow, rename = "recipientAccountId")]
    pub(crate) account: Field<Cow<'a, str>>,
    /// Only events in EventBridge's envelope have one.
    #[serde(rename = "detail-type")]
    pub(crate) envelope: Field<Present>,
}

/// What one value of JSON at the beginning of a text is.
pub(crate) enum Value<'a> {
    /// Whole: as read, and how long.
    Whole(Option<Head<'a>>, usize),
    /// The text ends before the value does.
    Cut,
    /// Not JSON from this place on.
    Broken(usize),
}

/// Reads one value; its head only where that is asked for and it has one. That the text is UTF-8 is not looked at.
pub(crate) fn value(text: &[u8], with_head: bool) -> Value<'_> {
    if with_head {
        let mut heads = serde_json::Deserializer::from_slice(text).into_iter::<Head<'_>>();
        match heads.next() {
            Some(Ok(head)) => return Value::Whole(Some(head), heads.byte_offset()),
            Some(Err(error)) if error.is_eof() => return Value::Cut,
            // Not an object, or one with a member twice: core says so.
            _ => {}
        }
    }
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<&RawValue>();
    match values.next() {
        Some(Ok(_)) => Value::Whole(None, values.byte_offset()),
        Some(Err(error)) if !error.is_eof() => Value::Broken(place(text, &error)),
        _ => Value::Cut,
    }
}

/// The offset that an error names by line and column.
fn place(text: &[u8], error: &serde_json::Error) -> usize {
    let lines = text.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    lines.map(<[u8]>::len).sum::<usize>() + error.column().saturating_sub(1)
}
