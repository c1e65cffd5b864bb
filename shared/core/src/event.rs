//! Events to changes. Wire structs stay in here; what leaves is a [`Change`].
//!
//! A record comes bare, from a CloudTrail log, or in EventBridge's envelope. Members that nobody watches are not
//! validated; members, Regions, enum values and detail types that came after this was built are data, never
//! errors. `serde_json::Value` is not used: records are read once, and documents are kept as text.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::change::{Api, Change};
use crate::document::Field;
use crate::ids::{AccountId, Arn, Region};

mod actor;
mod autoscaling;
mod cloudtrail;
mod ec2;
mod ecr;
mod ecs;
mod effect;
mod iam;
mod names;
mod native;
mod policy;

pub(crate) use names::{cluster_name, identify};

/// One event as it arrived.
#[derive(Debug)]
pub enum Record<'a> {
    /// A CloudTrail record without envelope, as in log files.
    CloudTrail(&'a RawValue),
    /// An event in EventBridge's envelope: a CloudTrail record in `detail`, or a native event.
    EventBridge(Envelope<'a>),
}

/// EventBridge's envelope, borrowed from the text that arrived.
#[derive(Debug, Deserialize)]
pub struct Envelope<'a> {
    #[serde(borrow, default)]
    id: Field<Cow<'a, str>>,
    #[serde(borrow, default, rename = "detail-type")]
    detail_type: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    source: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    account: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    time: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    region: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    resources: Field<Vec<Cow<'a, str>>>,
    #[serde(borrow, default)]
    detail: Option<&'a RawValue>,
}

/// What became of a record.
#[derive(Debug)]
pub enum Parsed {
    /// A change to judge.
    Change(Box<Change>),
    /// Known, and not for us.
    Ignored(Ignored),
    /// Not to be acted on, and somebody should look: counted and alarmed.
    Rejected(Rejected),
}

/// Why a record is not for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ignored {
    /// A call or detail type that nothing here watches.
    Unwatched,
    /// The call failed, or was a dry run: nothing changed.
    Failed,
    /// Not an API call: service events, insights, network activity, console sign-in.
    NotACall,
    /// The event names no resource that can be judged.
    NoResource,
    /// The call succeeded and did nothing, such as RunTask that started no task.
    NoEffect,
}

impl Ignored {
    /// The sentence in the output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unwatched => "not a watched event",
            Self::Failed => "the call failed, nothing changed",
            Self::NotACall => "not an API call",
            Self::NoResource => "no resource that can be judged",
            Self::NoEffect => "the call had no effect",
        }
    }
}

/// A change of a resource that lives in another account or Region than the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The account that AWS delivered the event to.
    pub account: AccountId,
    /// The resource that the event names.
    pub arn: Arn,
}

impl std::fmt::Display for Rejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the event belongs to account {} and names a resource of another account or Region, {}",
            self.account, self.arn
        )
    }
}

/// Why a record can't be read. Never holds a value of the record but names and numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// JSON, and not an object.
    #[error("not a JSON object")]
    NotAnObject,
    /// Not readable as a record, in serde_json's words, without what they quote.
    #[error("not a readable record: {0}")]
    NotJson(String),
    /// Neither an EventBridge event nor a CloudTrail record.
    #[error("neither an EventBridge event (`detail-type`) nor a CloudTrail record (`eventSource`)")]
    NotAnEvent,
    /// Neither request nor response names the resource, or not in a way that can be read.
    #[error("`{0}` names no resource that can be told: describe what it was called for")]
    Unnamed(String),
    /// A member that no event can do without.
    #[error("`{event}` has no usable `{member}`")]
    Missing {
        /// The event's name or detail type.
        event: String,
        /// The member.
        member: &'static str,
    },
}

/// Enough of a record to tell what it is.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Probe<'a> {
    #[serde(borrow, rename = "detail-type")]
    detail_type: Field<Cow<'a, str>>,
    #[serde(borrow, rename = "eventSource")]
    event_source: Field<Cow<'a, str>>,
    #[serde(borrow, rename = "eventName")]
    event_name: Field<Cow<'a, str>>,
}

impl<'a> Record<'a> {
    /// Tells what a piece of JSON is.
    pub fn read(json: &'a RawValue) -> Result<Self, ParseError> {
        if !json.get().starts_with('{') {
            return Err(ParseError::NotAnObject);
        }
        let not_json = |error: serde_json::Error| ParseError::NotJson(reason(&error));
        let probe: Probe<'_> = serde_json::from_str(json.get()).map_err(not_json)?;
        if !probe.detail_type.is_absent() {
            return serde_json::from_str(json.get()).map(Record::EventBridge).map_err(not_json);
        }
        if probe.event_source.is_absent() && probe.event_name.is_absent() {
            return Err(ParseError::NotAnEvent);
        }
        Ok(Self::CloudTrail(json))
    }
}

/// serde_json's message without the place, which is the caller's to give, and without the value that it quotes.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let cut = text.rfind(" at line ").unwrap_or(text.len());
    // A message about a type quotes the value that it met ("invalid type: string \"…\""); only its kind is kept.
    let text = &text[..cut];
    text.split_once(": ")
        .filter(|(kind, _)| kind.starts_with("invalid"))
        .map_or(text, |(kind, _)| kind)
        .to_owned()
}

/// Reads a record as a change.
pub fn parse(record: &Record<'_>) -> Result<Parsed, ParseError> {
    match record {
        Record::CloudTrail(json) => cloudtrail::parse(json, None),
        Record::EventBridge(envelope) => match envelope.detail_type.known().map(Cow::as_ref) {
            Some("AWS API Call via CloudTrail") => {
                let detail =
                    envelope.detail.ok_or_else(|| missing("AWS API Call via CloudTrail", "detail"))?;
                cloudtrail::parse(detail, Some(envelope))
            }
            Some(name) => {
                let source = envelope.source.known().map_or("", Cow::as_ref);
                match Api::find(source, name) {
                    Some(api) => native::parse(api, envelope),
                    None => Ok(Parsed::Ignored(Ignored::Unwatched)),
                }
            }
            None => Ok(Parsed::Ignored(Ignored::Unwatched)),
        },
    }
}

fn missing(event: &str, member: &'static str) -> ParseError {
    ParseError::Missing { event: event.to_owned(), member }
}

/// Where a change happened, and so where a fix would act.
#[derive(Debug, Clone)]
struct Place {
    account: AccountId,
    region: Region,
}

impl Envelope<'_> {
    /// The envelope's account and Region, which AWS sets.
    fn place(&self, event: &str) -> Result<Place, ParseError> {
        let account = self.account.known().and_then(|text| text.parse().ok());
        let region = self.region.known().and_then(|text| text.parse().ok());
        Ok(Place {
            account: account.ok_or_else(|| missing(event, "account"))?,
            region: region.ok_or_else(|| missing(event, "region"))?,
        })
    }
}

/// Whether a part of an ARN names another place; global services leave it empty.
fn elsewhere(named: &str, place: &str) -> bool {
    !named.is_empty() && named != place
}

/// The first resource of a change that lives in another account or Region.
fn foreign(place: &Place, change: &Change) -> Option<Rejected> {
    change
        .observed
        .iter()
        .map(|observed| &observed.id().arn)
        .find(|arn| {
            elsewhere(arn.account(), place.account.as_str()) || elsewhere(arn.region(), place.region.as_str())
        })
        .map(|arn| Rejected { account: place.account.clone(), arn: arn.clone() })
}
