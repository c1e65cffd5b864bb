//! Where documents stand in files, for formats that show lines.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use shipshape_core::check::Found;
use shipshape_core::document::Document;
use shipshape_core::text::offset_of;

/// A line and a column, each from 1. Columns count UTF-16 code units, as editors do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Position {
    /// Where a file begins.
    const FIRST: Self = Self { line: 1, column: 1 };

    /// Where a text ends that begins here.
    fn after(self, text: &str) -> Self {
        let width = |text: &str| text.encode_utf16().count();
        match text.rsplit_once('\n') {
            Some((before, last)) => {
                Self { line: self.line + before.matches('\n').count() + 1, column: width(last) + 1 }
            }
            None => Self { column: self.column + width(text), ..self },
        }
    }
}

/// How many bytes there are between two positions that are kept.
const STRIDE: usize = 1024;

/// A text's positions: some are kept, so that the others are near one, also where all of the text is one line.
#[derive(Debug, Clone)]
pub(crate) struct Lines(Vec<(usize, Position)>);

impl Lines {
    /// The lines of a text that begins here.
    pub(crate) fn of(text: &str, start: Position) -> Self {
        let mut kept = vec![(0, start)];
        let (mut offset, mut position) = (0, start);
        while offset + STRIDE < text.len() {
            let next = text.ceil_char_boundary(offset + STRIDE);
            position = position.after(text.get(offset..next).unwrap_or_default());
            offset = next;
            kept.push((offset, position));
        }
        Self(kept)
    }

    /// The position of an offset of that text.
    pub(crate) fn at(&self, text: &str, offset: usize) -> Position {
        let behind = self.0.partition_point(|(kept, _)| *kept <= offset);
        let (kept, position) = self.0.get(behind.saturating_sub(1)).copied().unwrap_or((0, Position::FIRST));
        position.after(text.get(kept..offset).unwrap_or_default())
    }
}

/// Where one resource's document stands.
#[derive(Debug)]
pub(crate) struct Place {
    /// The file, as given.
    pub(crate) path: Arc<Path>,
    /// Where in the file it begins; none behind gzip and in strings of JSON, where no line of the file is its own.
    pub(crate) start: Option<Position>,
    /// The document, as it stands there.
    pub(crate) document: Document,
}

/// The places in one file.
pub(crate) struct Places {
    path: Arc<Path>,
    /// Whether the file's lines are those of the text that was read from it.
    has_lines: bool,
    lines: Option<Lines>,
}

impl Places {
    /// The places in a file.
    pub(crate) fn new(path: &Path) -> Self {
        let mut first = [0; 2];
        // Of a pipe, what is read here would be missing afterwards.
        let is_gzip = path.is_file()
            && File::open(path).and_then(|mut file| file.read_exact(&mut first)).is_ok()
            && first == [0x1f, 0x8b];
        Self { path: path.into(), has_lines: !is_gzip, lines: None }
    }

    /// What was found in a piece of the file's text, with its place.
    pub(crate) fn of(&mut self, text: &str, piece: &str, found: Vec<Found>) -> Vec<(Found, Arc<Place>)> {
        // A byte order mark is no character of its line.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = self.lines.get_or_insert_with(|| Lines::of(text, Position::FIRST));
        let begins = offset_of(piece, text).filter(|_| self.has_lines);
        let place = |one: Found| {
            let start = begins.map(|begins| lines.at(text, begins + one.offset));
            let document = one.resource.document.clone();
            (one, Arc::new(Place { path: self.path.clone(), start, document }))
        };
        found.into_iter().map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_as_editors_do_and_every_way_of_ending_a_line_ends_one() {
        let text = "a\r\n\u{1f980}é\tb\n\nc";
        let lines = Lines::of(text, Position::FIRST);
        for (what, line, column) in [("b", 2, 5), ("a", 1, 1), ("c", 4, 1), ("é", 2, 3)] {
            assert_eq!(lines.at(text, text.find(what).unwrap()), Position { line, column }, "{what}");
        }
        let later = Lines::of("ab\nc", Position { line: 7, column: 3 });
        assert_eq!(later.at("ab\nc", 1), Position { line: 7, column: 4 });
        assert_eq!(later.at("ab\nc", 3), Position { line: 8, column: 1 });
    }

    #[test]
    fn what_is_kept_changes_no_position() {
        let text = "é\u{1f980}ab\n".repeat(300) + &"ü\u{1f980}".repeat(2000);
        let lines = Lines::of(&text, Position::FIRST);
        assert!(lines.0.len() > 10);
        for (offset, _) in text.char_indices() {
            assert_eq!(lines.at(&text, offset), Position::FIRST.after(&text[..offset]), "{offset}");
        }
    }
}
