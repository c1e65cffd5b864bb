//! Spans of time as a policy writes them: `30m`, `2h`, `1d`, `90s`, and combinations such as `1h30m`.

use jiff::SignedDuration;

/// What is accepted, as every message about a duration ends.
const ACCEPTED: &str =
    r#"write it in d, h, m and s, the largest first, such as "30m", "2h", "1d", "90s" or "1h30m""#;

/// Units, the largest first, with their seconds. A day is 24 hours: a span has no calendar.
const UNITS: [(char, i64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Longer than this is a slip of the keyboard, and no date arithmetic with it can overflow.
const LONGEST: i64 = 366 * 86_400;

/// Reads a span of time. The error is a whole sentence.
pub(super) fn parse(text: &str) -> Result<SignedDuration, String> {
    let refused = || format!("`{text}` is not a duration: {ACCEPTED}");
    let too_long = || format!("`{text}` is longer than a year: {ACCEPTED}");
    let mut seconds: i64 = 0;
    let mut units = UNITS.iter();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(refused)?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.chars().next().ok_or_else(refused)?;
        // The iterator goes on from the last unit: each is taken once, and only in this order.
        let (_, length) = units.find(|(name, _)| *name == unit).ok_or_else(refused)?;
        if number.is_empty() {
            return Err(refused());
        }
        seconds = number
            .parse::<i64>()
            .ok()
            .and_then(|number| number.checked_mul(*length))
            .and_then(|more| seconds.checked_add(more))
            .filter(|sum| *sum <= LONGEST)
            .ok_or_else(too_long)?;
        rest = &tail[unit.len_utf8()..];
    }
    if text.is_empty() { Err(refused()) } else { Ok(SignedDuration::from_secs(seconds)) }
}

/// Reads a value of the document. `grace = 30` is the mistake to expect, and TOML's own message would not name
/// the units.
pub(super) fn from_value(value: &toml::Value) -> Result<SignedDuration, String> {
    match value.as_str() {
        Some(text) => parse(text),
        None => Err(format!("`{value}` is not a duration: {ACCEPTED}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        let rows = [
            ("30m", 1_800),
            ("2h", 7_200),
            ("1d", 86_400),
            ("90s", 90),
            ("1h30m", 5_400),
            ("1d12h5m1s", 129_901),
            ("0m", 0),
            ("366d", LONGEST),
        ];
        for (text, seconds) in rows {
            assert_eq!(parse(text), Ok(SignedDuration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_what_is_accepted() {
        for text in
            ["", "30", "m", "30 m", " 30m", "-30m", "1.5h", "30M", "30min", "1w", "30m1h", "1h1h", "1hm", "é"]
        {
            assert_eq!(parse(text), Err(format!("`{text}` is not a duration: {ACCEPTED}")), "{text}");
        }
        for text in ["367d", "366d1s", "99999999999999999999s", "9223372036854775807d"] {
            assert_eq!(parse(text), Err(format!("`{text}` is longer than a year: {ACCEPTED}")), "{text}");
        }
    }

    #[test]
    fn a_number_without_a_unit_is_told_the_units() {
        assert_eq!(from_value(&toml::Value::from(30)), Err(format!("`30` is not a duration: {ACCEPTED}")));
        assert_eq!(from_value(&toml::Value::from("30m")), Ok(SignedDuration::from_mins(30)));
    }
}
