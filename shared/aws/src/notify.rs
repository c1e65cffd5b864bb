//! Messages to people and programs, through SNS.

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use shipshape_core::notification::Letter;

use crate::failure::Failure;

/// Publishes a message. Where nobody knows whether it was, it is published again, with the same incident's id.
pub async fn publish(client: &Client, topic: &str, letter: Letter) -> Result<(), Failure> {
    let mut call = client
        .publish()
        .topic_arn(topic)
        .subject(letter.subject)
        .message(letter.message)
        .message_structure("json");
    for (name, attribute) in letter.attributes {
        let value = MessageAttributeValue::builder()
            .data_type(attribute.data_type())
            .string_value(attribute.value())
            .build()
            .map_err(|error| Failure::refused("Publish", "incomplete", error.to_string()))?;
        call = call.message_attributes(name, value);
    }
    call.send().await.map(drop).map_err(|error| Failure::of("Publish", &error))
}
