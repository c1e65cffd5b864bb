//! The dialects in which CloudTrail writes down the calls of EC2. The older calls have names as the API's XML has them,
//! lists as `{"items": […]}` and empty ones as `{}`. The newer ones lie in `<Action>Request`, have the API's own names,
//! a list of one as its element, an empty one as `""`, and texts that look like numbers or booleans as those; numbers of
//! elements (`"tag": 1`) lie in between.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::document::Field;

/// One value, by its text: a text, a number or boolean that a text was taken for, or `{"tag": 1, "content": …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Word(String);

impl Word {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    fn read(json: &RawValue) -> Option<Self> {
        match json.get().as_bytes().first()? {
            b'"' => serde_json::from_str(json.get()).ok().map(Self),
            b'[' | b'{' | b'n' => None,
            _ => Some(Self(json.get().to_owned())),
        }
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Tagged<'a> {
            #[serde(borrow)]
            content: &'a RawValue,
        }
        let json = <&RawValue>::deserialize(deserializer)?;
        let word = match json.get().starts_with('{') {
            true => {
                serde_json::from_str::<Tagged<'_>>(json.get()).ok().and_then(|one| Self::read(one.content))
            }
            false => Self::read(json),
        };
        word.ok_or_else(|| D::Error::custom("not one value"))
    }
}

/// A number, however it is written.
pub(super) fn number(word: &Field<Word>) -> Field<i64> {
    match word {
        Field::Known(word) => word.text().parse().map_or(Field::Hidden, Field::Known),
        Field::Hidden => Field::Hidden,
        Field::Absent => Field::Absent,
    }
}

/// A boolean, however it is written.
pub(super) fn flag(word: &Field<Word>) -> Field<bool> {
    match word {
        Field::Known(word) => word.text().parse().map_or(Field::Hidden, Field::Known),
        Field::Hidden => Field::Hidden,
        Field::Absent => Field::Absent,
    }
}

/// The elements of a list in any dialect. What is absent is an empty list.
pub(super) fn list<'a, T: Deserialize<'a>>(json: &Field<&'a RawValue>) -> Field<Vec<Field<T>>> {
    let Field::Known(json) = json else {
        return if json.is_absent() { Field::Known(Vec::new()) } else { Field::Hidden };
    };
    if !json.get().starts_with('{') {
        return elements(json);
    }
    let members: Field<BTreeMap<Cow<'_, str>, &RawValue>> = Field::read(json);
    match members {
        Field::Known(members) if members.is_empty() => Field::Known(Vec::new()),
        Field::Known(members) => elements(members.get("items").or(members.get("item")).unwrap_or(json)),
        Field::Hidden | Field::Absent => Field::Hidden,
    }
}

/// A list as a list, or its only element.
fn elements<'a, T: Deserialize<'a>>(json: &'a RawValue) -> Field<Vec<Field<T>>> {
    let many: Field<&RawValue> = Field::read(json);
    many.and_then(|json| match json.get().starts_with('[') {
        true => serde_json::from_str::<Vec<&RawValue>>(json.get())
            .map_or(Field::Hidden, |items| Field::Known(items.into_iter().map(Field::read).collect())),
        false => Field::Known(vec![Field::read(json)]),
    })
}

/// The parameters of a call, which the newer dialect wraps in `<Action>Request` or `<Action>Response`.
pub(super) fn parameters<'a>(action: &str, kind: &str, json: Option<&'a RawValue>) -> Field<&'a RawValue> {
    let given: Field<&RawValue> = json.map_or(Field::Absent, Field::read);
    given.and_then(|json| {
        let members: Field<BTreeMap<Cow<'_, str>, &RawValue>> = Field::read(json);
        members.and_then(|members| match members.get(format!("{action}{kind}").as_str()) {
            Some(wrapped) => Field::read(wrapped),
            None => Field::Known(json),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Wire<'a> {
        word: Field<Word>,
        #[serde(borrow)]
        list: Field<&'a RawValue>,
    }

    #[test]
    fn a_value_is_its_text_however_it_was_coerced() {
        let rows = [
            (r#"{"word":"22"}"#, Field::Known(22)),
            (r#"{"word":22}"#, Field::Known(22)),
            (r#"{"word":-1}"#, Field::Known(-1)),
            (r#"{"word":{"tag":1,"content":"22"}}"#, Field::Known(22)),
            (r#"{"word":{"content":22}}"#, Field::Known(22)),
            (r#"{"word":""}"#, Field::Absent),
            (r#"{"word":"all"}"#, Field::Hidden),
            (r#"{"word":[22]}"#, Field::Hidden),
            (r#"{"word":{"content":{"content":22}}}"#, Field::Hidden),
            (r#"{"word":{}}"#, Field::Hidden),
            (r#"{"word":1e300}"#, Field::Hidden),
        ];
        for (json, expected) in rows {
            let wire: Wire<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(number(&wire.word), expected, "{json}");
        }
        let wire: Wire<'_> = serde_json::from_str(r#"{"word":true}"#).unwrap();
        assert_eq!((flag(&wire.word), wire.word.known().map(Word::text)), (Field::Known(true), Some("true")));
    }

    #[test]
    fn a_list_has_its_elements_in_every_dialect() {
        let rows = [
            (r"{}", Some(0)),
            (r#"{"list":{}}"#, Some(0)),
            (r#"{"list":""}"#, Some(0)),
            (r#"{"list":{"items":[]}}"#, Some(0)),
            (r#"{"list":{"items":["a","b"]}}"#, Some(2)),
            (r#"{"list":{"items":"a"}}"#, Some(1)),
            (r#"{"list":{"item":"a"}}"#, Some(1)),
            (r#"{"list":["a","b"]}"#, Some(2)),
            (r#"{"list":{"tag":1,"content":"a"}}"#, Some(1)),
            (r#"{"list":"a"}"#, Some(1)),
            (r#"{"list":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#, None),
            (r#"{"list":{"omitted":"true"}}"#, None),
            (r#"{"list":{"items":{"omitted":true}}}"#, None),
            (r#"{"list":["a",{"omitted":true}]}"#, None),
        ];
        for (json, expected) in rows {
            let wire: Wire<'_> = serde_json::from_str(json).unwrap();
            let read: Field<Vec<Field<Word>>> = list(&wire.list);
            assert_eq!(read.known().map(Vec::len), expected, "{json}");
        }
    }

    #[test]
    fn parameters_are_taken_out_of_their_wrapping() {
        let json: &RawValue = serde_json::from_str(r#"{"CreateRequest":{"A":1}}"#).unwrap();
        let read = |action| parameters(action, "Request", Some(json)).into_known().map(RawValue::get);
        assert_eq!(read("Create"), Some(r#"{"A":1}"#));
        assert_eq!(read("Delete"), Some(json.get()));
    }
}
