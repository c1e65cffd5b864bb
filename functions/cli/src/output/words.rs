//! Words for people: harmless, and in lines of one length whatever the terminal's.

use std::collections::BTreeMap;

use shipshape_core::text;
pub(crate) use shipshape_core::text::{harmful, plain};

/// How long a line of prose gets. Fixed, since a report's bytes must not depend on who looks at it.
const WIDTH: usize = 110;

/// Prose in lines that end at word boundaries, where the first begins in this column.
pub(crate) fn wrap(text: &str, column: usize) -> Vec<String> {
    text::wrap(text, column, WIDTH)
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
