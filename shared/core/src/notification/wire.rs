//! What SNS is handed: a document with a text for each protocol, and attributes to filter by.

use serde::Serialize;
use serde_json::json;

use super::{Notification, email, subject, words};

/// One attribute of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// `String`
    Text(String),
    /// `String.Array`
    List(Vec<String>),
}

impl Attribute {
    /// The value as SNS takes it: of a list, a JSON array as text.
    pub fn value(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(texts) => json!(texts).to_string(),
        }
    }

    /// The type by SNS's name.
    pub fn data_type(&self) -> &'static str {
        match self {
            Self::Text(_) => "String",
            Self::List(_) => "String.Array",
        }
    }
}

/// A message as SNS takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// At most 99 printable ASCII characters, the first of them a letter.
    pub subject: String,
    /// The document for `MessageStructure=json`: a text for each protocol.
    pub message: String,
    /// What subscriptions can filter by.
    pub attributes: Vec<(&'static str, Attribute)>,
}

/// What programs get: what is kept, beside what filters and people call it.
#[derive(Serialize)]
struct ForPrograms<'a> {
    kind: &'static str,
    subject: String,
    resource_type: &'a str,
    #[serde(flatten)]
    notification: &'a Notification,
}

/// The text for programs.
fn for_programs(of: &Notification) -> String {
    let all = ForPrograms {
        kind: "notification",
        subject: of.subject(),
        resource_type: of.resource.kind.name(),
        notification: &Notification { undo: of.undo(), ..of.clone() },
    };
    // Texts, numbers and lists: there is nothing in it that JSON can't say.
    serde_json::to_string(&all).unwrap_or_default()
}

/// The whole document.
pub(super) fn message(of: &Notification) -> String {
    let data = for_programs(of);
    json!({
        "default": words::chat(of),
        "email": email::email(of),
        "sms": subject::sms(of),
        "sqs": data,
        "lambda": data,
        "https": data,
        "http": data,
    })
    .to_string()
}

/// The attributes. Fewer than ten: with raw delivery, SNS throws away a message that has more.
pub(super) fn attributes(of: &Notification) -> Vec<(&'static str, Attribute)> {
    let text = |text: &str| Attribute::Text(text.to_owned());
    vec![
        ("account", text(&of.account)),
        ("region", text(&of.region)),
        ("control", Attribute::List(of.controls.clone())),
        ("severity", text(of.severity.as_str())),
        ("action", text(of.upshot.as_str())),
        ("resource_type", text(of.resource.kind.name())),
    ]
}

/// What it all weighs, in bytes.
pub(super) fn weight(of: &Notification) -> usize {
    let attributes: usize =
        attributes(of).iter().map(|(name, one)| name.len() + one.data_type().len() + one.value().len()).sum();
    message(of).len() + of.subject().len() + attributes
}
