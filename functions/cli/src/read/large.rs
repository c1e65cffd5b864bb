//! What is no log, and too long to be held as a whole: JSON lines, or a list, piece by piece.

use std::str;

use memchr::memchr;
use serde_json::value::RawValue;

use super::pieces::{self, Split};
use super::scan::{self, Opening};
use super::window::{More, Window};
use super::{Each, Fault, Input, log};

/// Reads what fills the window to its limit and goes on behind it.
pub(crate) fn read(path: &str, limit: usize, window: &mut Window<'_>, each: Each<'_>) -> Vec<Fault> {
    let begins = window.start();
    let text = window.from(begins);
    let first = memchr(b'\n', text).map_or(text, |end| &text[..end]);
    // JSON lines may be lists too.
    let list = scan::opening(text).filter(|_| !is_json(first));
    if let Some(Opening { list, at }) = list {
        return elements(path, list, begins + at as u64, limit, window, each);
    }
    let line = |line: &[u8]| line.trim_ascii_start().starts_with(b"{") && is_json(line);
    if memchr(b'\n', text).is_some() && !text.split(|byte| *byte == b'\n').any(line) {
        let message = format!("a document of more than {}: cut it up, one event a line", mebibytes(limit));
        return vec![Fault::new(path, message)];
    }
    lines(path, limit, window, each)
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(text).is_ok()
}

fn mebibytes(limit: usize) -> String {
    format!("{} MiB", limit >> 20)
}

fn elements(
    path: &str,
    list: &str,
    at: u64,
    limit: usize,
    window: &mut Window<'_>,
    each: Each<'_>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let broken = log::elements(window, path, (at, !list.is_empty()), limit, &mut |found| {
        let piece = found.piece(path)?;
        faults.extend(take(pieces::element(list, piece.source, &piece.json), each));
        Ok(())
    });
    faults.extend(broken);
    faults
}

fn take(split: Split<'_>, each: Each<'_>) -> Vec<Fault> {
    let mut faults = split.faults;
    faults.extend(split.pieces.iter().filter_map(|piece| each(Input::Piece("", piece)).err()));
    faults
}

fn lines(path: &str, limit: usize, window: &mut Window<'_>, each: Each<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut at = window.start();
    for number in 1.. {
        let Some(end) = line_end(window, at, at) else {
            faults.push(too_long(path, number, limit, window, &mut at));
            if window.done() && window.from(at).is_empty() {
                break;
            }
            continue;
        };
        let last = window.done() && end == window.end();
        let line = window.between(at, end);
        let source = format!("{path}:{number}");
        let fault = |message: &str| Fault::new(source.clone(), message).at_line(Some(number));
        match str::from_utf8(line).map(str::trim) {
            Ok("") => {}
            Ok(text) => match serde_json::from_str::<&RawValue>(text) {
                Ok(json) => faults.extend(take(pieces::line(&source, number, json), each)),
                // Where the bytes break off, that the text does so too is no news.
                Err(error) if last && error.is_eof() && window.broken().is_some() => {}
                Err(error) => faults.push(fault(&pieces::not_json(&error))),
            },
            Err(_) if last && window.broken().is_some() => {}
            Err(error) => faults.push(fault(&format!("not UTF-8 at column {}", error.valid_up_to() + 1))),
        }
        if last {
            break;
        }
        at = end + 1;
    }
    faults
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
fn too_long(path: &str, number: usize, limit: usize, window: &mut Window<'_>, at: &mut u64) -> Fault {
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
        mebibytes(limit)
    );
    Fault::new(format!("{path}:{number}"), message).at_line(Some(number)).at_offset(begins)
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
        let faults = read("f", limit, &mut window, &mut |input| {
            if let Input::Piece(_, piece) = input {
                found.push(format!("{} {}", piece.source, piece.json.get()));
            }
            Ok(())
        });
        (found, faults.iter().map(ToString::to_string).collect())
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
        let document = format!("{{\n\"a\": [{}]\n}}", "1,\n".repeat(90) + "1");
        let (found, faults) = pieces(&document, 16, 64);
        assert_eq!((found.len(), faults.len()), (0, 1));
        assert!(faults[0].contains("one event a line"), "{faults:?}");
    }
}
