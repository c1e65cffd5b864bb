//! Which numbers a tree of values keeps. serde_json has 64 bits for each, and rounds what needs more.

use serde_json::Value;

/// Whether every number of a JSON text still is the same one after it was read and written.
pub(super) fn is_exact(json: &str) -> bool {
    let bytes = json.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = after_text(bytes, at + 1),
            b'-' | b'0'..=b'9' => {
                let of_number = |byte: &u8| byte.is_ascii_digit() || b"-+.eE".contains(byte);
                let end = at + bytes[at..].iter().take_while(|byte| of_number(byte)).count();
                if !is_kept(&json[at..end]) {
                    return false;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    true
}

/// Where a text ends, its closing mark included.
fn after_text(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

fn is_kept(number: &str) -> bool {
    // As many digits as any whole number of 64 bits has room for.
    if number.len() <= 18 && number.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    let read = serde_json::from_str::<Value>(number);
    read.is_ok_and(|read| Decimal::of(number).is_some_and(|it| Decimal::of(&read.to_string()) == Some(it)))
}

/// A number by its digits, the first and last of which are not zero.
#[derive(PartialEq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn of(number: &str) -> Option<Self> {
        let (negative, number) = number.strip_prefix('-').map_or((false, number), |number| (true, number));
        let (number, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let all = format!("{whole}{part}");
        let digits = all.trim_end_matches('0');
        let shift = i64::try_from(all.len() - digits.len()).ok()? - i64::try_from(part.len()).ok()?;
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Some(Self { negative: false, digits: String::new(), exponent: 0 });
        }
        let exponent = exponent.parse::<i64>().ok()?.checked_add(shift)?;
        Some(Self { negative, digits: digits.to_owned(), exponent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_kept_or_said_not_to_be() {
        let kept = [
            "0",
            "-0",
            "-0.0",
            "7",
            "1.50",
            "100",
            "1e2",
            "1E+2",
            "100.00e-1",
            "0.1",
            "1.769000000123E9",
            "9007199254740993",
            "18446744073709551615",
            "-9223372036854775808",
            "0e99999999999999999999",
        ];
        for number in kept {
            assert!(is_exact(number), "{number}");
        }
        let changed = [
            "18446744073709551616",
            "-9223372036854775809",
            "12345678901234567890123",
            "9007199254740993.0",
            "0.1000000000000000055511151231257827",
            "1e400",
            "1e-400",
            "1e99999999999999999999",
        ];
        for number in changed {
            assert!(!is_exact(number), "{number}");
            assert!(!is_exact(&format!(r#"{{"a":["\\",{{"1":{number}}}]}}"#)), "{number}");
        }
    }

    #[test]
    fn what_stands_in_a_text_is_no_number() {
        for text in
            [r#"{"a":"1e400","\"1e400":"\\"}"#, r#"["\u00e9 1e400 \" 1e400","é\\\" 1e400"]"#, "[true,null]"]
        {
            assert!(serde_json::from_str::<Value>(text).is_ok() && is_exact(text), "{text}");
        }
        assert!(is_exact("\"\\é1e400"), "broken, and no matter");
    }
}
