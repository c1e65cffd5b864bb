//! Answers of the query protocols, as JSON: an element of `member`s or `item`s is a list, one of others an object, one
//! of text a string. A list that is empty reads as an empty string.

use anyhow::Result;
use serde_json::{Map, Value};

/// Reads a document, without its root element's name.
pub(super) fn read(text: &str) -> Result<Value> {
    Ok(value(roxmltree::Document::parse(text)?.root_element()))
}

/// What an operation answers is one element deeper, except in EC2's answers.
pub(super) fn unwrapped(mut value: Value, operation: &str) -> Value {
    match value.get_mut(format!("{operation}Result")) {
        Some(result) => result.take(),
        None => value,
    }
}

fn value(node: roxmltree::Node<'_, '_>) -> Value {
    let children: Vec<_> = node.children().filter(roxmltree::Node::is_element).collect();
    if children.is_empty() {
        return Value::String(node.text().unwrap_or_default().to_owned());
    }
    if children.iter().all(|child| matches!(child.tag_name().name(), "member" | "item")) {
        return children.into_iter().map(value).collect();
    }
    let members = children.into_iter().map(|child| (child.tag_name().name().to_owned(), value(child)));
    Value::Object(members.collect::<Map<_, _>>())
}
