//! Policy documents in events: texts, plain or URL-encoded, made the JSON objects that they are.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::document::Field;
use crate::text::url_decoded;

/// A policy as the object that it is, byte for byte. A text that is none stays hidden: somebody has to look at it, and
/// the event is not lost for it.
pub(super) fn object(given: Field<&RawValue>) -> Field<Box<RawValue>> {
    given.and_then(|json| {
        let text: Option<Cow<'_, str>> = match json.get().starts_with('"') {
            true => serde_json::from_str::<String>(json.get()).ok().and_then(url_decoded).map(Cow::Owned),
            false => Some(Cow::Borrowed(json.get())),
        };
        text.and_then(|text| serde_json::from_str::<Box<RawValue>>(&text).ok())
            .filter(|json| json.get().starts_with('{'))
            .map_or(Field::Hidden, Field::Known)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(given: &Value) -> Field<Value> {
        let text = given.to_string();
        let json: &RawValue = serde_json::from_str(&text).unwrap();
        object(Field::read(json)).map(|json| serde_json::from_str(json.get()).unwrap())
    }

    #[test]
    fn a_policy_is_an_object_however_it_was_sent() {
        let policy = json!({"Statement": [{"Action": "s3:*", "Resource": "arn:aws:s3:::a+b%41/é"}]});
        let plain = policy.to_string();
        let encode = |byte: u8| match byte {
            b'+' | b'a'..=b'z' | b'A'..=b'Z' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        };
        let encoded: String = plain.bytes().map(encode).collect();
        let small = encoded.replacen("%7B", "%7b", 1);
        let spaced = format!("\n  {plain}\n");
        for given in [json!(plain), json!(spaced), json!(encoded), json!(small), policy.clone()] {
            assert_eq!(read(&given), Field::Known(policy.clone()), "{given}");
        }
    }

    #[test]
    fn a_text_that_is_no_object_is_hidden_and_no_text_is_absent() {
        for broken in ["{", "[]", "%5B%5D", "7", "%7B%", "%7B%2", "%7B%+a%7D", "%7B%FF%7D", "%7B%22é"] {
            assert_eq!(read(&json!(broken)), Field::Hidden, "{broken}");
        }
        for hidden in [json!(["{}"]), json!({"omitted": true}), json!("HIDDEN_DUE_TO_SECURITY_REASONS")] {
            assert_eq!(read(&hidden), Field::Hidden, "{hidden}");
        }
        assert_eq!(read(&json!("")), Field::Absent);
        assert_eq!(read(&json!("{}")), Field::Known(json!({})));
    }

    #[test]
    fn a_policy_is_kept_byte_for_byte() {
        let text = r#"{"Statement":[],"Statement":[1.50]}"#;
        let json = serde_json::value::to_raw_value(text).unwrap();
        assert_eq!(object(Field::read(&json)).known().map(|json| json.get()), Some(text));
    }
}
