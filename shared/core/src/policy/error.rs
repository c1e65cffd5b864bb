//! What is wrong with a policy document, and exactly where. Positions are lines and columns from 1, a column
//! being a character, as editors count them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::Source;

/// One thing that is wrong with a policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct PolicyError {
    /// The file's or the parameter's name.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Everything that could be found wrong in one go, in the order of the document; never empty. One a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyErrors(Vec<PolicyError>);

impl PolicyErrors {
    /// Sorts by position, because the checks do not run in the order of the document.
    pub(super) fn new(mut errors: Vec<PolicyError>) -> Self {
        errors.sort_by_key(|error| (error.line, error.column));
        Self(errors)
    }

    /// The errors, in the order of the document.
    pub fn as_slice(&self) -> &[PolicyError] {
        &self.0
    }

    /// The place of the first.
    pub(super) fn source(&self) -> Source {
        match self.0.first() {
            Some(first) => Source::Line { file: Arc::clone(&first.file), line: first.line },
            None => Source::Default,
        }
    }
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyErrors {}

/// A document with its name: turns the parser's byte offsets into positions.
#[derive(Debug)]
pub(super) struct Text<'a> {
    file: Arc<str>,
    text: &'a str,
    /// Where each line begins, so that a large document is walked once.
    starts: Vec<usize>,
}

impl<'a> Text<'a> {
    pub(super) fn new(file: &str, text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { file: file.into(), text, starts }
    }

    fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// Where a value was said.
    pub(super) fn source(&self, span: Range<usize>) -> Source {
        Source::Line { file: Arc::clone(&self.file), line: self.line(span.start) }
    }

    /// An error at the start of `span`.
    pub(super) fn error(&self, span: Range<usize>, message: String) -> PolicyError {
        let line = self.line(span.start);
        let before = self.text.get(self.starts[line - 1]..span.start).unwrap_or_default();
        PolicyError { file: Arc::clone(&self.file), line, column: before.chars().count() + 1, message }
    }
}

/// The end of a message about a name that is not known: the known name that was probably meant, or `otherwise`.
pub(super) fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>, otherwise: &str) -> String {
    let near = known
        .map(|known| (distance(name, known), known))
        .filter(|(distance, _)| *distance <= (name.chars().count() / 3).max(2))
        .min();
    match near {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => otherwise.to_owned(),
    }
}

/// Levenshtein's edit distance, in characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let text = Text::new("p.toml", "a\n# é\nüb = 1");
        let rows =
            [(0, (1, 1)), (1, (1, 2)), (2, (2, 1)), (7, (3, 1)), (9, (3, 2)), (14, (3, 7)), (99, (3, 1))];
        for (offset, expected) in rows {
            let error = text.error(offset..offset, String::new());
            assert_eq!((error.line, error.column), expected, "{offset}");
        }
        assert_eq!(Text::new("p", "").error(0..0, "x".to_owned()).to_string(), "p:1:1: x");
    }

    #[test]
    fn only_a_near_name_is_suggested() {
        let known = ["ecs-service-no-public-ip", "ecs-cluster-container-insights"];
        let rows = [
            ("ecs-servce-no-public-ips", "did you mean `ecs-service-no-public-ip`?"),
            ("ecs-cluster-insights", "none"),
            ("kubernetes", "none"),
            ("", "none"),
            // Two letters swapped are two edits.
            ("ecs-service-no-public-pi", "did you mean `ecs-service-no-public-ip`?"),
        ];
        for (name, expected) in rows {
            assert_eq!(suggestion(name, known.into_iter(), "none"), expected, "{name}");
        }
    }

    #[test]
    fn edits_are_counted() {
        for (left, right, expected) in
            [("", "", 0), ("", "ab", 2), ("kitten", "sitting", 3), ("prod", "prdo", 2)]
        {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }
}
