//! One function asks another, by a message on its queue.

use aws_sdk_sqs::Client;
use shipshape_core::asked::Asked;

use crate::failure::Failure;

/// Asks for a mended revision.
pub async fn ask(client: &Client, queue: &str, asked: &Asked) -> Result<(), Failure> {
    let body = serde_json::to_string(asked)
        .map_err(|error| Failure::refused("SendMessage", "not JSON", error.to_string()))?;
    let sent = client.send_message().queue_url(queue).message_body(body).send().await;
    sent.map(drop).map_err(|error| Failure::of("SendMessage", &error))
}
