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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shipshape_core::change::Api;

    use super::*;

    const WEB: &str = "arn:aws:ecs:eu-west-1:111122223333:service/shop/web";
    const TASK: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:3";

    /// A call that moves a service, as EventBridge delivers it.
    fn event(id: &str, minute: u32, service: &str) -> Value {
        let time = format!("2026-11-03T08:{minute:02}:00Z");
        let state = json!({"serviceArn": service, "serviceName": "web", "status": "ACTIVE", "taskDefinition": TASK,
            "clusterArn": "arn:aws:ecs:eu-west-1:111122223333:cluster/shop", "launchType": "FARGATE"});
        json!({"version": "0", "id": format!("envelope-{id}"), "detail-type": "AWS API Call via CloudTrail",
            "source": "aws.ecs", "account": "111122223333", "time": time, "region": "eu-west-1", "resources": [],
            "detail": {"eventVersion": "1.11", "eventID": id, "eventTime": time, "eventSource": "ecs.amazonaws.com",
                "eventName": "UpdateService", "eventType": "AwsApiCall", "awsRegion": "eu-west-1",
                "recipientAccountId": "111122223333", "userAgent": "Mozilla/5.0",
                "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/Admin/mary"},
                "requestParameters": {"cluster": "shop", "service": "web", "taskDefinition": TASK},
                "responseElements": {"service": state}}})
    }

    fn asked() -> Value {
        json!({"asked": TASK, "account": "111122223333", "region": "eu-west-1", "change": "e-1",
            "time": "2026-11-03T08:00:00Z", "actor": "role/ci", "role": null, "origin": "terraform",
            "source": "ecs.amazonaws.com", "event": "UpdateService"})
    }

    fn read_text(text: &str) -> Result<Vec<Message>, String> {
        read(&RawValue::from_string(text.to_owned()).unwrap())
    }

    /// A batch of these bodies, each delivered so many times by now.
    fn batch(bodies: &[(&str, u32)]) -> Vec<Message> {
        let records = bodies.iter().enumerate().map(|(index, (body, count))| {
            json!({"messageId": format!("m-{index}"), "body": body, "eventSource": "aws:sqs",
                "attributes": {"ApproximateReceiveCount": count.to_string()}})
        });
        read_text(&json!({ "Records": records.collect::<Vec<_>>() }).to_string()).unwrap()
    }

    fn changes(messages: &[Message]) -> Vec<Option<&str>> {
        let id = |message: &Message| {
            message.change.as_ref().ok().and_then(Option::as_ref).map(|change| change.id.to_string())
        };
        let known = ["a", "b", "c", "e-1"];
        messages
            .iter()
            .map(|message| known.into_iter().find(|one| Some(*one) == id(message).as_deref()))
            .collect()
    }

    #[test]
    fn a_broken_body_is_its_own_failure_alone() {
        let good = [event("a", 0, WEB).to_string(), event("b", 1, WEB).to_string()];
        for broken in ["{\"detail\":", "no JSON", "[]", "{}"] {
            let messages = batch(&[(&good[0], 1), (broken, 1), (&good[1], 2)]);
            assert_eq!(changes(&messages), [Some("a"), None, Some("b")], "{broken}");
            assert!(messages[1].change.is_err(), "{broken}");
            let ids: Vec<Option<&str>> = messages.iter().map(|one| one.id.as_deref()).collect();
            assert_eq!(ids, [Some("m-0"), Some("m-1"), Some("m-2")]);
            assert_eq!(messages.iter().map(|one| one.again).collect::<Vec<_>>(), [false, false, true]);
        }
        let without = read_text(r#"{"Records":[{"messageId":"m-0","attributes":{}}]}"#).unwrap();
        assert!(without[0].change.is_err());
    }

    #[test]
    fn what_is_broken_says_nothing_of_what_it_holds() {
        let messages = batch(&[("{\"password\": s3cret}", 1)]);
        let why = messages[0].change.as_ref().unwrap_err();
        assert!(!why.contains("s3cret"), "{why}");
    }

    #[test]
    fn an_event_may_come_by_itself() {
        let messages = read_text(&event("a", 0, WEB).to_string()).unwrap();
        assert_eq!((changes(&messages), messages[0].id.as_ref()), (vec![Some("a")], None));
        assert!(read_text("[]").is_err() && read_text("7").is_err());
        assert!(read_text(r#"{"Records":{}}"#).is_err());
    }

    #[test]
    fn a_call_that_failed_is_for_nobody() {
        let mut failed = event("a", 0, WEB);
        failed["detail"]["errorCode"] = json!("AccessDenied");
        let messages = batch(&[(&failed.to_string(), 1)]);
        assert!(matches!(messages[0].change, Ok(None)));
        assert!(matters(&messages, &[ResourceType::Service]).is_empty());
    }

    #[test]
    fn another_function_may_ask() {
        let elsewhere = asked().to_string().replace("\"account\":\"1111", "\"account\":\"4444");
        let messages = batch(&[(&asked().to_string(), 1), (&elsewhere, 1)]);
        assert_eq!(messages[1].change.as_ref().unwrap_err(), "the message asks for what is no revision");
        let matters = matters(&messages, &[ResourceType::TaskDefinition]);
        assert_eq!(matters.len(), 1);
        assert_eq!(matters[0].target().unwrap().arn.as_str(), TASK);
        assert_eq!(matters[0].change.api, Api::UpdateService);
    }

    #[test]
    fn changes_of_one_resource_are_one_matter_oldest_first_and_each_once() {
        let texts = [event("c", 9, WEB), event("a", 1, WEB), event("b", 5, WEB), event("a", 1, WEB)];
        let texts = texts.map(|event| event.to_string());
        let other = event("b", 5, "arn:aws:ecs:eu-west-1:111122223333:service/shop/api").to_string();
        let messages = batch(&[(&texts[0], 1), (&other, 1), (&texts[1], 1), (&texts[2], 3), (&texts[3], 1)]);
        let matters = matters(&messages, &[ResourceType::Service]);
        let told: Vec<_> = matters.iter().map(|one| (one.messages.clone(), one.again)).collect();
        assert_eq!(told, [(vec![1], false), (vec![2, 4, 3, 0], true)]);
        let ids: Vec<String> = matters[1].causes().iter().map(|cause| cause.id.to_string()).collect();
        assert_eq!(ids, ["a", "b", "c"]);
        assert!(matters[1].earlier.iter().all(|change| change.observed.len() == 1));
    }

    #[test]
    fn a_change_of_two_resources_is_two_matters() {
        let mut event = event("a", 0, WEB);
        let names = [TASK.to_owned(), TASK.replace(":3", ":4")];
        event["detail"]["eventName"] = json!("DeleteTaskDefinitions");
        event["detail"]["requestParameters"] = json!({ "taskDefinitions": names });
        let gone = names.clone().map(|arn| json!({"taskDefinitionArn": arn, "status": "DELETE_IN_PROGRESS"}));
        event["detail"]["responseElements"] = json!({"taskDefinitions": gone, "failures": []});
        let matters = matters(&batch(&[(&event.to_string(), 1)]), &[ResourceType::TaskDefinition]);
        let shown = matters.iter().map(|one| &one.change.observed);
        let shown: Vec<Vec<&str>> =
            shown.map(|all| all.iter().map(|one| one.id().arn.as_str()).collect()).collect();
        assert_eq!(shown, names.each_ref().map(|name| vec![name.as_str()]));
    }

    #[test]
    fn a_function_takes_what_it_owns() {
        let messages = batch(&[(&event("a", 0, WEB).to_string(), 1)]);
        assert_eq!(matters(&messages, &[ResourceType::Service]).len(), 1);
        assert!(matters(&messages, &[ResourceType::Cluster]).is_empty());
        assert!(matters(&messages, &[]).is_empty());
    }
}
