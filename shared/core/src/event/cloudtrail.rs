//! CloudTrail records: the header that all calls share. The parameters of each call are read by its service's module.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::actor::{UserIdentity, origin};
use super::effect::{Effect, Nothing};
use super::{Envelope, Ignored, ParseError, Parsed, Place, foreign, missing, reason};
use super::{autoscaling, ec2, ecr, ecs, iam};
use crate::change::{Api, Change};
use crate::document::{Field, Present};
use crate::finding::Fingerprint;

/// A record's members beside the parameters. Names by CloudTrail's record contents reference.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Header<'a> {
    #[serde(borrow)]
    event_source: Field<Cow<'a, str>>,
    #[serde(borrow)]
    event_name: Field<Cow<'a, str>>,
    #[serde(borrow, rename = "eventID")]
    event_id: Field<Cow<'a, str>>,
    #[serde(borrow)]
    event_time: Field<Cow<'a, str>>,
    #[serde(borrow)]
    event_type: Field<Cow<'a, str>>,
    #[serde(borrow)]
    aws_region: Field<Cow<'a, str>>,
    #[serde(borrow)]
    recipient_account_id: Field<Cow<'a, str>>,
    #[serde(borrow)]
    error_code: Field<Cow<'a, str>>,
    #[serde(borrow)]
    error_message: Field<Cow<'a, str>>,
    #[serde(borrow)]
    user_agent: Field<Cow<'a, str>>,
    #[serde(borrow, rename = "sourceIPAddress")]
    source_ip_address: Field<Cow<'a, str>>,
    /// The string `"true"` in every capture.
    #[serde(borrow)]
    session_credential_from_console: Field<Cow<'a, str>>,
    #[serde(borrow)]
    user_identity: Field<UserIdentity<'a>>,
    #[serde(borrow)]
    request_parameters: Option<&'a RawValue>,
    #[serde(borrow)]
    response_elements: Option<&'a RawValue>,
    addendum: Field<Present>,
}

pub(super) fn parse(json: &RawValue, envelope: Option<&Envelope<'_>>) -> Result<Parsed, ParseError> {
    if !json.get().starts_with('{') {
        return Err(ParseError::NotAnObject);
    }
    let not_json = |error: serde_json::Error| ParseError::NotJson(reason(&error));
    let header: Header<'_> = serde_json::from_str(json.get()).map_err(not_json)?;
    let (Some(source), Some(name)) = (header.event_source.known(), header.event_name.known()) else {
        return Err(ParseError::NotAnEvent);
    };
    let Some(api) = Api::find(source, name) else { return Ok(Parsed::Ignored(Ignored::Unwatched)) };
    // Records before version 1.02 have no type, and are calls.
    if header.event_type.known().is_some_and(|kind| kind != "AwsApiCall") {
        return Ok(Parsed::Ignored(Ignored::NotACall));
    }
    if failed(&header) {
        return Ok(Parsed::Ignored(Ignored::Failed));
    }
    let identity = header.user_identity.into_known().unwrap_or_default();
    let place = match envelope {
        Some(envelope) => envelope.place(name)?,
        None => Place {
            // Records before version 1.02 do not say who received them.
            account: [&header.recipient_account_id, &identity.account_id]
                .into_iter()
                .find_map(|field| field.known().and_then(|text| text.parse().ok()))
                .ok_or_else(|| missing(name, "recipientAccountId"))?,
            region: header
                .aws_region
                .known()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| missing(name, "awsRegion"))?,
        },
    };
    let time = header.event_time.known().and_then(|text| time(text));
    let time = time.ok_or_else(|| missing(name, "eventTime"))?;
    let id = header.event_id.known().and_then(|text| text.parse().ok());
    let id = match id {
        Some(id) => id,
        // Publishers cut ids out; the same record still has the same name.
        None => Fingerprint::of_text(json.get()).to_string().parse().map_err(|_| missing(name, "eventID"))?,
    };
    let actor = identity.actor();
    let origin = origin(
        &identity,
        &actor,
        header.user_agent.known().map_or("", Cow::as_ref),
        header.source_ip_address.known().map_or("", Cow::as_ref),
        header.session_credential_from_console.known().is_some_and(|flag| flag == "true"),
    );
    let (request, response) = (header.request_parameters, header.response_elements);
    let effect = match source.as_ref() {
        "ecs.amazonaws.com" => ecs::effect(api, &place, request, response),
        "ec2.amazonaws.com" => ec2::effect(api, &place, request, response),
        "iam.amazonaws.com" => iam::effect(api, &place, request, response),
        "ecr.amazonaws.com" => ecr::effect(api, &place, request, response),
        "autoscaling.amazonaws.com" => autoscaling::effect(&place, request),
        _ => return Ok(Parsed::Ignored(Ignored::Unwatched)),
    };
    let Effect { request, observed, retagged } = match effect {
        Ok(effect) => effect,
        Err(Nothing::NoEffect) => return Ok(Parsed::Ignored(Ignored::NoEffect)),
        Err(Nothing::Unnamed) => return Err(ParseError::Unnamed(name.to_string())),
    };
    let change = Change {
        id,
        time,
        account: place.account.clone(),
        region: place.region.clone(),
        actor,
        origin,
        api,
        request,
        observed,
        task_version: None,
        deployment: None,
        retagged,
        addendum: !header.addendum.is_absent(),
    };
    Ok(match foreign(&place, &change) {
        Some(rejected) => Parsed::Rejected(rejected),
        None => Parsed::Change(Box::new(change)),
    })
}

/// CloudTrail's times are UTC; some that export them leave the zone away.
fn time(text: &str) -> Option<Timestamp> {
    let civil = || text.parse::<DateTime>().ok().and_then(|time| Offset::UTC.to_timestamp(time).ok());
    text.parse().ok().or_else(civil)
}

/// A call with an error code changed nothing, dry runs (`Client.DryRunOperation`) among them. Records of old
/// versions carry the message alone. A code of 200 has been seen on successes.
fn failed(header: &Header<'_>) -> bool {
    match &header.error_code {
        Field::Known(code) => !code.starts_with('2'),
        Field::Hidden => true,
        Field::Absent => !header.error_message.is_absent(),
    }
}
