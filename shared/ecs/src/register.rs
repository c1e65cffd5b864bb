//! Registering a mended revision. The document goes out as ECS had sent it, but for the patch; there is no idempotency
//! token, so that no retry is made before it was looked whether the first call was.

use std::time::Duration;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::retry::RetryConfig;
use aws_sdk_ecs::types::SortOrder;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use shipshape_aws::failure::{Failure, FailureKind};
use shipshape_aws::reach::Wrote;
use shipshape_core::finding::Fingerprint;
use shipshape_core::ids::Arn;
use shipshape_core::notification::Done;
use shipshape_core::remediation::Remediation;
use shipshape_core::remediation::mended::{SET_BY_ECS, content, content_hash};

use crate::lookup::definition;
use crate::raw::{RawAnswer, carry};

/// On a violating revision: the one that stands in its place.
pub const MENDED: &str = "shipshape:mended";
/// On a mended revision: the one that it was made from.
pub const SOURCE: &str = "shipshape:source";
/// On a mended revision: the hash of its content, by which it is found again.
pub const CONTENT: &str = "shipshape:content";

/// How often a throttled registration is tried, and how long the first retry waits.
const ATTEMPTS: u32 = 4;
const BACKOFF: Duration = Duration::from_millis(200);

/// How many revisions of a family are looked through for one whose registration was not answered.
const NEWEST: i32 = 100;

/// Registers what a remediation leads to, and says on the source which revision stands in its place. `tags` are those of
/// the source.
pub(crate) async fn register(
    client: &Client,
    remediation: &Remediation,
    tags: &[Value],
) -> Result<Wrote, Failure> {
    let source = &remediation.target().arn;
    let (Some(before), Some(after)) =
        (remediation.before().document.value(), remediation.after().document.value())
    else {
        return Ok(Wrote::Refused(
            "the revision can't be read so that all of it would be written".to_owned(),
        ));
    };
    let hash = content_hash(&after);
    let body = body(&after, source, hash, tags);
    if !differs_by_the_patch(&before, &body, remediation) {
        return Ok(Wrote::Refused(
            "the revision to be registered differs from its source by more than the plan: nothing was registered".to_owned(),
        ));
    }
    // A revision is registered once, whoever asks for it and however often.
    if let Some(found) = find(client, source, hash).await? {
        return Ok(Wrote::Done(Some(done(client, source, &found).await?)));
    }
    let registered = match send(client, &body).await {
        Ok(registered) => registered,
        Err(failure) if failure.kind == FailureKind::Retryable => {
            // It may have been registered all the same. If not, the message comes again: minutes later nobody has to
            // guess whether a list is up to date.
            match find(client, source, hash).await? {
                Some(found) => found,
                None => return Err(failure),
            }
        }
        Err(failure) => return Err(failure),
    };
    Ok(Wrote::Done(Some(done(client, source, &registered).await?)))
}

/// What was registered, once it is said on its source. Where AWS refuses that, it is registered all the same: services
/// don't find it, and a person is told.
pub(crate) async fn done(client: &Client, source: &Arn, mended: &Arn) -> Result<Done, Failure> {
    match link(client, source, mended).await {
        Err(failure) if failure.kind != FailureKind::Retryable => {
            tracing::error!(alarm = "not linked", resource = %source, %mended, %failure, "a mended revision is not found by its source");
            Ok(unlinked(source, mended, &format!("AWS refused it: {}", failure.code)))
        }
        linked => linked.map(|()| registered(source, mended, None)),
    }
}

/// What was registered, and is not said on its source, for this reason.
pub(crate) fn unlinked(source: &Arn, mended: &Arn, why: &str) -> Done {
    let undo = format!(
        "Nothing runs it: the tag {MENDED} is not on its source ({why}), so that no service is moved to it. Set the tag to its ARN, or deregister it."
    );
    registered(source, mended, Some(undo))
}

fn registered(source: &Arn, mended: &Arn, undo: Option<String>) -> Done {
    Done {
        call: "RegisterTaskDefinition".to_owned(),
        before: source.to_string(),
        after: mended.to_string(),
        undo,
    }
}

/// The document that is sent: without what ECS sets, with the source's tags and ours.
fn body(after: &Value, source: &Arn, hash: Fingerprint, tags: &[Value]) -> Value {
    let mut body = after.clone();
    let ours = [(SOURCE, source.to_string()), (CONTENT, hash.to_string())];
    let key = |tag: &Value| tag.get("key").and_then(Value::as_str).unwrap_or_default().to_owned();
    // Tags that AWS sets can't be set by others (ECS API reference, Tag).
    let kept = tags.iter().filter(|tag| {
        let key = key(tag);
        !key.to_ascii_lowercase().starts_with("aws:") && ![MENDED, SOURCE, CONTENT].contains(&key.as_str())
    });
    let tags: Vec<Value> = kept
        .cloned()
        .chain(ours.into_iter().map(|(key, value)| json!({ "key": key, "value": value })))
        .collect();
    if let Some(members) = body.as_object_mut() {
        SET_BY_ECS.iter().for_each(|name| {
            members.remove(*name);
        });
        members.insert("tags".to_owned(), tags.into());
    }
    body
}

/// Whether applying the plan to the source gives what is sent, and nothing else.
fn differs_by_the_patch(before: &Value, body: &Value, remediation: &Remediation) -> bool {
    remediation.applied_to(before).is_some_and(|planned| content(&planned) == content(body))
}

/// Registers, and tries again only what was throttled, which was not made.
async fn send(client: &Client, body: &Value) -> Result<Arn, Failure> {
    let mut wait = BACKOFF;
    for _ in 1..ATTEMPTS {
        match send_once(client, body).await {
            Err(failure) if failure.is_throttled() => tokio::time::sleep(wait).await,
            answer => return answer,
        }
        wait *= 2;
    }
    send_once(client, body).await
}

async fn send_once(client: &Client, body: &Value) -> Result<Arn, Failure> {
    let text = body.to_string();
    let raw = RawAnswer::default();
    let once = aws_sdk_ecs::config::Builder::default().retry_config(RetryConfig::disabled());
    let call = client.register_task_definition().customize().config_override(once);
    let sent = call
        .mutate_request(move |request| carry(request, &text))
        .interceptor(raw.clone())
        .send()
        .await
        .map_err(|error| Failure::of_document("RegisterTaskDefinition", &error))?;
    let arn = sent.task_definition().and_then(|registered| registered.task_definition_arn());
    let arn = arn.and_then(|arn| arn.parse().ok());
    arn.ok_or_else(|| Failure::later("RegisterTaskDefinition", "no ARN", "the answer names no revision"))
}

/// Finds a revision that was made from another, by its content: the newest of the family come first.
pub(crate) async fn find(client: &Client, source: &Arn, hash: Fingerprint) -> Result<Option<Arn>, Failure> {
    let family = source.name().rsplit_once(':').map_or(source.name(), |(family, _)| family);
    let number = |arn: &str| arn.rsplit_once(':').and_then(|(_, number)| number.parse::<u64>().ok());
    let asked = client
        .list_task_definitions()
        .family_prefix(family)
        .sort(SortOrder::Desc)
        .max_results(NEWEST)
        .send()
        .await
        .map_err(|error| Failure::of("ListTaskDefinitions", &error))?;
    let newer = asked.task_definition_arns.unwrap_or_default();
    for name in newer.into_iter().filter(|name| number(name) > number(source.as_str())) {
        let Some(answer) = definition(client, &name).await? else { continue };
        let tags = tags(&answer);
        if tag(&tags, CONTENT) == Some(hash.to_string().as_str())
            && tag(&tags, SOURCE) == Some(source.as_str())
            && let Ok(arn) = name.parse()
        {
            return Ok(Some(arn));
        }
    }
    Ok(None)
}

/// Says on a revision which other stands in its place.
async fn link(client: &Client, source: &Arn, mended: &Arn) -> Result<(), Failure> {
    let tag = aws_sdk_ecs::types::Tag::builder().key(MENDED).value(mended.as_str()).build();
    let sent = client.tag_resource().resource_arn(source.as_str()).tags(tag).send().await;
    sent.map(drop).map_err(|error| Failure::of_document("TagResource", &error))
}

/// The tags that stand beside a described revision.
pub(crate) fn tags(answer: &RawValue) -> Vec<Value> {
    let answer: Value = serde_json::from_str(answer.get()).unwrap_or_default();
    answer.get("tags").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// The value of a tag.
pub(crate) fn tag<'t>(tags: &'t [Value], key: &str) -> Option<&'t str> {
    let found = tags.iter().find(|tag| tag.get("key").and_then(Value::as_str) == Some(key))?;
    found.get("value")?.as_str()
}
