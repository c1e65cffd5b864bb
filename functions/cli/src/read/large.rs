//! What is no log, and too long to be held as a whole: JSON lines, or a list, piece by piece.

use std::str;

use memchr::memchr;
use serde_json::value::RawValue;

use super::faults::Faults;
use super::pieces;
use super::scan::{self, Opening};
use super::window::{More, Window};
use super::{Each, Fault, Input, log, mebibytes};

/// Reads what fills the window to its limit and goes on behind it.
pub(crate) fn read(path: &str, limit: usize, window: &mut Window<'_>, faults: &mut Faults, each: Each<'_>) {
    let begins = window.start();
    let text = window.from(begins);
    let first = memchr(b'\n', text).map_or(text, |end| &text[..end]);
    // JSON lines may be lists too.
    let list = scan::opening(text).filter(|_| !is_json(first));
    if let Some(Opening { list, at }) = list {
        return elements(path, list, begins + at as u64, limit, window, faults, each);
    }
    if memchr(b'\n', text).is_some() && !pieces::by_line(text, false) {
        let size = mebibytes(limit as u64);
        let message = format!("a document of more than {size}: cut it up, one event a line");
        return faults.add(Fault::new(path, message));
    }
    lines(path, (begins, Number::Line(1)), limit, window, faults, each);
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(text).is_ok()
}

fn elements(
    path: &str,
    list: &str,
    at: u64,
    limit: usize,
    window: &mut Window<'_>,
    faults: &mut Faults,
    each: Each<'_>,
) {
    let mut inner = Faults::default();
    log::elements(window, path, (at, !list.is_empty()), limit, faults, &mut |found| {
        let piece = found.piece(path)?;
        pieces::element(list, piece.source, &piece.json, &mut inner, &mut |piece| {
            each(Input::Piece("", piece))
        });
        Ok(())
    });
    faults.append(inner);
}

/// What lines are told apart by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    /// Their number in the file.
    Line(usize),
    /// The number of the document: those of a log that they follow on may have any number of lines.
    Document(u64),
}

impl Number {
    fn fault(self, path: &str, at: u64, message: String) -> Fault {
        Fault::new(self.source(path), message).at_line(self.line()).at_offset(at)
    }

    fn source(self, path: &str) -> String {
        match self {
            Self::Line(number) => format!("{path}:{number}"),
            Self::Document(number) => format!("{path}#{number}"),
        }
    }

    fn line(self) -> Option<usize> {
        if let Self::Line(number) = self { Some(number) } else { None }
    }

    fn next(self) -> Self {
        match self {
            Self::Line(number) => Self::Line(number + 1),
            Self::Document(number) => Self::Document(number + 1),
        }
    }
}

/// Reads one document a line, from the first on.
pub(crate) fn lines(
    path: &str,
    (mut at, mut number): (u64, Number),
    limit: usize,
    window: &mut Window<'_>,
    faults: &mut Faults,
    each: Each<'_>,
) {
    loop {
        let Some(end) = line_end(window, at, at) else {
            faults.add(too_long(path, number, limit, window, &mut at));
            if window.done() && window.from(at).is_empty() {
                break;
            }
            number = number.next();
            continue;
        };
        let last = window.done() && end == window.end();
        // Where the bytes break off, that the text does so too is no news.
        let cut = last && window.broken().is_some();
        let source = number.source(path);
        let fault = |message: String| Fault::new(source.clone(), message).at_line(number.line());
        let mut take = |piece: &pieces::Piece<'_>| each(Input::Piece("", piece));
        match str::from_utf8(window.between(at, end)).map(str::trim) {
            Ok("") => {}
            Ok(text) => match serde_json::from_str::<&RawValue>(text) {
                Ok(json) => pieces::line(&source, number.line(), json, faults, &mut take),
                Err(error) if cut && error.is_eof() => {}
                Err(error) => faults.add(fault(pieces::not_json(&error))),
            },
            Err(_) if cut => {}
            Err(error) => faults.add(fault(format!("not UTF-8 at column {}", error.valid_up_to() + 1))),
        }
        if last {
            break;
        }
        number = number.next();
        at = end + 1;
    }
}

/// Where the line ends that begins at an offset; `None` where it is longer than the window gets.
fn line_end(window: &mut Window<'_>, at: u64, keep: u64) -> Option<u64> {
    let mut from = at;
    loop {
        if let Some(end) = memchr(b'\n', window.from(from)) {
            return Some(from + end as u64);
        }
        from = window.end();
        match window.more(keep) {
            More::Read => {}
            More::End => return Some(window.end()),
            More::Full => return None,
        }
    }
}

/// A line that is too long is passed over.
fn too_long(path: &str, number: Number, limit: usize, window: &mut Window<'_>, at: &mut u64) -> Fault {
    let begins = *at;
    loop {
        let end = window.end();
        if window.more(end) != More::Read {
            *at = window.end();
            break;
        }
        if let Some(found) = memchr(b'\n', window.from(end)) {
            *at = end + found as u64 + 1;
            break;
        }
    }
    let message = format!(
        "the line at offset {begins} is longer than {} and is not read: put one event on it",
        mebibytes(limit as u64)
    );
    number.fault(path, begins, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts and places of the pieces of a text that is longer than a limit, and what is no piece.
    fn pieces(text: &str, size: usize, limit: usize) -> (Vec<String>, Vec<String>) {
        let (mut buffer, mut found) = (Vec::new(), Vec::new());
        let mut window = Window::new(Box::new(text.as_bytes()), &mut buffer, size, limit);
        while window.more(0) == More::Read {}
        assert!(!window.done(), "{text} is not long enough");
        let mut faults = Faults::default();
        read("f", limit, &mut window, &mut faults, &mut |input| {
            if let Input::Piece(_, piece) = input {
                found.push(format!("{} {}", piece.source, piece.json.get()));
            }
            Ok(())
        });
        (found, faults.into_list().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn lines_go_on_and_one_that_is_too_long_is_passed_over() {
        let long = format!("{{\"long\":\"{}\"}}", "x".repeat(90));
        let lines =
            ["{\"a\":1}", "", "[{\"b\":2},{\"c\":3}]", "oops", &long, "{\"d\":4}", &long, "{\"e\":5}"];
        for end in ["", "\n"] {
            for size in [1, 7, 64] {
                let (found, faults) = pieces(&(lines.join("\n") + end), size, 64);
                let expected =
                    ["f:1 {\"a\":1}", "f:3#0 {\"b\":2}", "f:3#1 {\"c\":3}", "f:6 {\"d\":4}", "f:8 {\"e\":5}"];
                assert_eq!(found, expected, "{size}");
                assert_eq!(faults.len(), 3, "{faults:?}");
                assert!(faults[0].starts_with("f:4: not JSON: it breaks at column 1"), "{faults:?}");
                assert!(faults[1].starts_with("f:5: the line at offset 32 is longer than"), "{faults:?}");
                assert!(faults[2].starts_with("f:7: the line at offset"), "{faults:?}");
            }
        }
    }

    #[test]
    fn lists_are_read_by_element() {
        let events: Vec<String> = (0..9).map(|number| format!("{{\"number\":{number}}}")).collect();
        let list = format!("[\n{}\n]", events.join(",\n"));
        let (found, faults) = pieces(&list, 16, 64);
        assert_eq!((found.len(), faults.len()), (9, 0));
        assert_eq!(found[8], "f#8 {\"number\":8}");
        let (found, faults) = pieces(&list[..list.len() - 4], 16, 64);
        assert_eq!(found.len(), 8);
        assert!(faults[0].starts_with("f: the list breaks off at offset"), "{faults:?}");
        let wrap = |event: &String| serde_json::json!({ "CloudTrailEvent": event }).to_string();
        let answer = format!(
            "{{ \"Events\": [\n{}],\n\"NextToken\": null}}",
            events.iter().map(wrap).collect::<Vec<_>>().join(",")
        );
        let (found, faults) = pieces(&answer, 16, 64);
        assert_eq!((found.len(), faults.len()), (9, 0), "{faults:?}");
        assert_eq!(found[2], "f#2 {\"number\":2}");
    }

    #[test]
    fn one_document_that_is_too_long_is_said_once() {
        for (element, last) in [("1,\n", "1"), ("\n{\"b\":2}\n,", "{}")] {
            let document = format!("{{\n\"a\": [{}{last}]\n}}", element.repeat(90));
            let (found, faults) = pieces(&document, 16, 64);
            assert_eq!((found.len(), faults.len()), (0, 1), "{faults:?}");
            assert!(faults[0].contains("one event a line"), "{faults:?}");
        }
    }
}
