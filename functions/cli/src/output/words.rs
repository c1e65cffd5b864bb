//! Words for people: harmless, and in lines of one length whatever the terminal's.

use std::collections::BTreeMap;

/// How long a line of prose gets. Fixed, since a report's bytes must not depend on who looks at it.
const WIDTH: usize = 110;

/// Control characters, and those that turn the direction of writing, could forge a report.
pub(crate) fn harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text for people, in which nothing harmful is left.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if harmful(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Prose in lines that end at word boundaries, where the first begins in this column.
pub(crate) fn wrap(text: &str, column: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if column + line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Counts in a row: `3 failed, 1 unknown`.
pub(crate) fn counts(counts: &BTreeMap<&'static str, u64>) -> String {
    if counts.is_empty() {
        return "nothing".to_owned();
    }
    let parts = counts.iter().map(|(what, count)| format!("{count} {}", what.replace('_', " ")));
    parts.collect::<Vec<_>>().join(", ")
}

/// A number and its noun: `1 time`, `2 times`.
pub(crate) fn number(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
