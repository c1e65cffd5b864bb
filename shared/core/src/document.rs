//! Documents as AWS sent them, and members that a document may show, omit or hide.
//!
//! A [`Document`] keeps the text: a member that this program has never heard of survives every copy.
//! It holds `environment`, `secrets` and their kin, so it has no `Display`, and its `Debug` shows a length.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

mod exact;

/// What CloudTrail puts in the place of a value, a list or an object that it will not show.
const REDACTED: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// One resource's JSON, in the form in which AWS's `Describe` calls print it.
#[derive(Clone, PartialEq, Eq)]
pub struct Document(Arc<str>);

impl Document {
    /// Keeps a piece of JSON as it is.
    pub fn new(json: &RawValue) -> Self {
        Self(json.get().into())
    }

    /// Writes a shape out as a document.
    pub(crate) fn of(shape: &Shape) -> Option<Self> {
        serde_json::to_string(shape).ok().map(|text| Self(text.into()))
    }

    /// Writes a value out as a document.
    pub fn from_value(value: &Value) -> Self {
        Self(value.to_string().into())
    }

    /// The text, with everything in it: never print it.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The document as a tree, to patch it. `None` where a tree would not hold all of it: where it nests deeper than
    /// serde_json goes (128), or has a number that needs more than 64 bits. What is written is made of the tree, and
    /// nothing may be changed in it but what a plan changes.
    pub fn value(&self) -> Option<Value> {
        let value = serde_json::from_str(&self.0).ok()?;
        exact::is_exact(&self.0).then_some(value)
    }

    /// Reads the members that a view names; every other member is passed over.
    /// `None` where the text is no object, or not the kind of object that the view wants.
    pub fn view<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        self.0.starts_with('{').then(|| serde_json::from_str(&self.0).ok()).flatten()
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} bytes)", self.0.len())
    }
}

/// A document in the making: members under the names that AWS gives them. What is absent is left out, and what is
/// hidden stays so, in CloudTrail's own word for it.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Shape(BTreeMap<&'static str, Box<RawValue>>);

impl Shape {
    /// The same with one more member.
    pub(crate) fn with(mut self, name: &'static str, member: Field<impl Serialize>) -> Self {
        let json = match member {
            Field::Absent => return self,
            Field::Hidden => to_raw_value(REDACTED),
            Field::Known(value) => to_raw_value(&value),
        };
        self.0.extend(json.ok().map(|json| (name, json)));
        self
    }

    /// The same with the members of another.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The names of its members.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.keys().map(|name| (*name).to_owned()).collect()
    }

    /// Whether it has no member at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A member of a document, as far as the document shows it.
///
/// Absent, `null` and `""` are one (exports of CloudTrail Lake write `""` for what is absent). A value that is
/// redacted, cut off (`{"omitted": true}`) or of another type than AWS's model says is `Hidden`: nobody may
/// conclude anything from it, and it is never an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Field<T> {
    /// The document was shown and does not have the member.
    #[default]
    Absent,
    /// There is a member, and it can't be read.
    Hidden,
    /// The member's value.
    Known(T),
}

impl<T> Field<T> {
    /// The value, if it is shown.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent | Self::Hidden => None,
        }
    }

    /// The value, if it is shown.
    pub fn into_known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent | Self::Hidden => None,
        }
    }

    /// What the value leads to; absent or hidden where it is.
    pub fn then<'f, U>(&'f self, next: impl FnOnce(&'f T) -> Field<U>) -> Field<U> {
        let borrowed = match self {
            Self::Known(value) => Field::Known(value),
            Self::Absent => Field::Absent,
            Self::Hidden => Field::Hidden,
        };
        borrowed.and_then(next)
    }

    /// The value made another, if it is shown.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Field<U> {
        self.and_then(|value| Field::Known(make(value)))
    }

    /// What the value is read as, if it is shown.
    pub fn and_then<U>(self, read: impl FnOnce(T) -> Field<U>) -> Field<U> {
        match self {
            Self::Known(value) => read(value),
            Self::Hidden => Field::Hidden,
            Self::Absent => Field::Absent,
        }
    }

    /// The same as another place shows it, where this one does not.
    pub fn or(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Known(_), _) | (Self::Hidden, Self::Absent) => self,
            _ => other,
        }
    }

    /// The value that stands for the member where the document does not have it.
    pub fn or_if_absent(self, value: T) -> Self {
        if self.is_absent() { Self::Known(value) } else { self }
    }

    /// Whether the document has the member and does not show it.
    pub fn is_hidden(&self) -> bool {
        matches!(self, Self::Hidden)
    }

    /// Whether the document does not have the member.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<T> Field<Vec<T>> {
    /// The elements that are shown; none where the list is absent or hidden.
    pub fn items(&self) -> &[T] {
        match self {
            Self::Known(items) => items,
            Self::Absent | Self::Hidden => &[],
        }
    }
}

impl Field<String> {
    /// The text, if it is shown.
    pub fn text(&self) -> Option<&str> {
        self.known().map(String::as_str)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::read(<&RawValue>::deserialize(deserializer)?))
    }
}

impl<'a, T: Deserialize<'a>> Field<T> {
    /// Reads a piece of JSON as the member's type.
    pub fn read(json: &'a RawValue) -> Self {
        match json.get() {
            "null" | "\"\"" => Self::Absent,
            text if text.trim_matches('"') == REDACTED => Self::Hidden,
            text if is_omitted(text) || (text.starts_with('[') && !is_list::<T>(text)) => Self::Hidden,
            text => serde_json::from_str(text).map_or(Self::Hidden, Self::Known),
        }
    }
}

/// That a member is there, whatever it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Present;

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// CloudTrail cuts members above 100 KB down to `{"reason": …, "omitted": "true", "originalSize": …}`;
/// the flag is a string there, and a boolean in its documentation.
fn is_omitted(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Cut<'a> {
        #[serde(borrow)]
        omitted: Option<&'a RawValue>,
    }
    text.starts_with('{')
        && text.len() < 4096
        && text.contains("\"omitted\"")
        && serde_json::from_str::<Cut<'_>>(text)
            .is_ok_and(|cut| cut.omitted.is_some_and(|flag| matches!(flag.get(), "true" | "\"true\"")))
}

/// Whether a list stands where one belongs, and all of it is shown. serde reads a struct from a list too, member by
/// member in the order of the source; what reads an empty object and no number is such a struct. No list of AWS holds
/// lists.
fn is_list<'a, T: Deserialize<'a>>(text: &str) -> bool {
    let shown = |item: &&RawValue| !item.get().starts_with('[') && !is_omitted(item.get());
    let reads = |text| serde_json::from_str::<T>(text).is_ok();
    (!reads("{}") || reads("0"))
        && serde_json::from_str::<Vec<&RawValue>>(text).is_ok_and(|items| items.iter().all(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Default, Debug, PartialEq)]
    #[serde(default)]
    struct View {
        flag: Field<bool>,
        list: Field<Vec<u32>>,
        text: Field<String>,
    }

    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Nested {
        inner: Field<View>,
        many: Field<Vec<View>>,
    }

    #[test]
    fn a_member_is_absent_hidden_or_known() {
        let rows = [
            ("{}", Field::Absent),
            (r#"{"flag":null}"#, Field::Absent),
            (r#"{"flag":""}"#, Field::Absent),
            (r#"{"flag":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#, Field::Hidden),
            (r#"{"flag":{"reason":"too large","omitted":"true","originalSize":"149893"}}"#, Field::Hidden),
            (r#"{"flag":{"omitted":true}}"#, Field::Hidden),
            (r#"{"flag":[{"omitted":"true"}]}"#, Field::Hidden),
            (r#"{"flag":"true"}"#, Field::Hidden),
            (r#"{"flag":[true]}"#, Field::Hidden),
            (r#"{"flag":false}"#, Field::Known(false)),
        ];
        for (json, expected) in rows {
            let document = Document(json.into());
            assert_eq!(document.view::<View>().unwrap().flag, expected, "{json}");
        }
    }

    #[test]
    fn a_list_is_no_object() {
        let nested = |json: &str| {
            let document = Document(format!("{{\"inner\":{json},\"many\":[{json}]}}").into());
            let view: Nested = document.view().unwrap();
            (view.inner.is_hidden(), view.many.is_hidden())
        };
        assert_eq!(nested("[true,[7]]"), (true, true));
        assert_eq!(nested("[]"), (true, true));
        assert_eq!(nested("{}"), (false, false));
        assert!(Document("[true]".into()).view::<View>().is_none());
        let list: &RawValue = serde_json::from_str("[1]").unwrap();
        assert!(Field::<&RawValue>::read(list).known().is_some());
        assert!(Field::<Present>::read(list).known().is_some());
    }

    #[test]
    fn deep_nesting_is_hidden_and_costs_no_stack() {
        let text = format!("{{\"list\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let view: View = Document(text.as_str().into()).view().unwrap();
        assert!(view.list.is_hidden());
    }

    #[test]
    fn a_tree_holds_all_of_a_document_or_there_is_none() {
        let value = |text: &str| Document(text.into()).value();
        assert_eq!(value(r#"{"a":1.50}"#), Some(serde_json::json!({"a": 1.5})));
        assert_eq!(value(r#"{"a":12345678901234567890123}"#), None);
        assert_eq!(value(&format!("{}{}", "[".repeat(200), "]".repeat(200))), None);
    }

    #[test]
    fn debug_shows_no_content() {
        let document = Document(r#"{"environment":[{"name":"A","value":"s3cret"}]}"#.into());
        assert!(!format!("{document:?}").contains("s3cret"));
    }
}
