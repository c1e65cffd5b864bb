//! Captured events of the folder `events`: onto the bus, or into the batch that Lambda hands to a function.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::{ACCOUNT, REGION, root};

/// Reads an event by its path below `events`, such as `ecs/origin.own.json`.
pub fn event(path: &str) -> Result<Value> {
    let file = root().join("events").join(path);
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    serde_json::from_str(&text).with_context(|| file.display().to_string())
}

/// Puts an event on the default bus, as the service would that it is from, and answers the id that the bus gave it.
/// The bus also gives account and Region, those of the caller, and the time.
pub fn put(aws: &Aws, event: &Value) -> Result<String> {
    let entry = json!({
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": event["detail"].to_string(),
        "Resources": event["resources"],
    });
    let answer = aws.call("events", "PutEvents", &json!({"Entries": [entry]}))?;
    ensure!(answer["FailedEntryCount"] == 0, "{answer}");
    Ok(answer["Entries"][0]["EventId"].as_str().unwrap_or_default().to_owned())
}

/// A batch of a queue's messages, one for each body. Message ids are `message-0`, `message-1` …
pub fn batch(queue: &str, bodies: &[Value]) -> Value {
    let records = bodies.iter().enumerate().map(|(index, body)| record(queue, index, &body.to_string(), 1));
    json!({"Records": records.collect::<Vec<_>>()})
}

/// One message of a batch, whatever its body; `received` counts how often it was handed out, this time included.
pub fn record(queue: &str, index: usize, body: &str, received: u32) -> Value {
    json!({
        "messageId": format!("message-{index}"),
        "receiptHandle": format!("receipt-{index}-{received}"),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": received.to_string(),
            "SentTimestamp": "1793606531000",
            "SenderId": ACCOUNT,
            "ApproximateFirstReceiveTimestamp": "1793606531200",
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"),
        "awsRegion": REGION,
    })
}
