//! Text to pieces of JSON: one document, a list, JSON lines, or one of the wrappers that events come in.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::faults::Faults;
use super::scan::{Depth, LISTS, Opening, RECORDS, opening};
use super::{Fault, lists::Lists, lists::each_of};
use crate::output::words::number;

/// One piece, and where it stands: `path`, `path:LINE`, `path#INDEX`.
pub(crate) struct Piece<'a> {
    pub(crate) source: String,
    pub(crate) line: Option<usize>,
    /// The offset at which it begins, where that is known.
    pub(crate) at: Option<u64>,
    pub(crate) json: Cow<'a, RawValue>,
}

/// Takes a piece that was found; answers why it cannot be read.
pub(crate) type Take<'t> = &'t mut dyn FnMut(&Piece<'_>) -> Result<(), Fault>;

/// Hands over pieces as they are found, and says what is none.
struct Split<'s> {
    take: Take<'s>,
    faults: &'s mut Faults,
}

/// Splits a file's text. What is no JSON is a fault of its own, and the rest goes on; that the text breaks off before its
/// end is the answer.
pub(crate) fn split(path: &str, text: &str, faults: &mut Faults, take: Take<'_>) -> Option<Fault> {
    let mut split = Split { take, faults };
    if text.trim().is_empty() {
        split.faults.add(Fault::new(path, "the file is empty"));
    } else if let Ok(json) = serde_json::from_str::<&RawValue>(text) {
        split.document(path, None, json);
    } else if let Some(start) = unended_list(text) {
        return Some(split.beginning(path, text, &start));
    } else {
        return split.lines(path, text);
    }
    None
}

/// The pieces of one line of JSON lines.
pub(crate) fn line(source: &str, line: Option<usize>, json: &RawValue, faults: &mut Faults, take: Take<'_>) {
    Split { take, faults }.document(source, line, json);
}

/// The pieces of one element of a list, which has a name where it is one of the wrappers'.
pub(crate) fn element(list: &str, source: String, json: &RawValue, faults: &mut Faults, take: Take<'_>) {
    Split { take, faults }.element(list, source, json);
}

/// An answer of `aws cloudtrail lookup-events`, or a message of CloudWatch Logs, with the record as a string.
#[derive(Deserialize)]
struct Inner {
    #[serde(alias = "CloudTrailEvent", alias = "message")]
    text: String,
}

impl Split<'_> {
    fn piece(&mut self, source: String, line: Option<usize>, json: Cow<'_, RawValue>) {
        let refused = (self.take)(&Piece { source, line, at: None, json }).err();
        self.faults.extend(refused);
    }

    /// A whole document: a list of documents, or one.
    fn document(&mut self, source: &str, line: Option<usize>, json: &RawValue) {
        let unwrap = |index: usize, json: &RawValue| self.unwrap(format!("{source}#{index}"), line, json);
        if !each_of(json, unwrap) {
            self.unwrap(source.to_owned(), line, json);
        }
    }

    /// What a wrapper holds, or the document itself.
    fn unwrap(&mut self, source: String, line: Option<usize>, json: &RawValue) {
        // A document that holds none of the names need not be looked into.
        let lists = match LISTS.iter().any(|list| json.get().contains(list)) {
            true => Lists::of(json),
            false => Lists::default(),
        };
        let Some(((list, elements), others)) = lists.wrapped() else {
            return self.piece(source, line, Cow::Borrowed(json));
        };
        // Records of a log are pieces, whatever they are.
        let is_list = each_of(elements, |index, json| match list {
            RECORDS => self.piece(format!("{source}#{index}"), line, Cow::Borrowed(json)),
            _ => self.inner(format!("{source}#{index}"), line, json),
        });
        if !is_list {
            let message = format!("`{list}` is no list of events");
            self.faults.add(Fault::new(&source, message).at_line(line));
        }
        let further = others.map(|list| Fault::new(&source, further(list)).at_line(line));
        self.faults.extend(further);
    }

    /// A record that stands as a string in another object.
    fn inner(&mut self, source: String, line: Option<usize>, json: &RawValue) {
        let inner = serde_json::from_str::<Inner>(json.get()).ok();
        match inner.and_then(|inner| RawValue::from_string(inner.text).ok()) {
            Some(json) => self.piece(source, line, Cow::Owned(json)),
            None => {
                let message = "no event inside: `CloudTrailEvent` or `message` must hold one as a string";
                self.faults.add(Fault::new(source, message).at_line(line));
            }
        }
    }

    fn element(&mut self, list: &str, source: String, json: &RawValue) {
        match list {
            "" => self.unwrap(source, None, json),
            RECORDS => self.piece(source, None, Cow::Borrowed(json)),
            _ => self.inner(source, None, json),
        }
    }

    /// The whole elements at the beginning of a list that breaks off: what a truncated list still holds.
    fn beginning(&mut self, path: &str, text: &str, start: &Opening) -> Fault {
        let mut at = start.at;
        let mut index = 0;
        loop {
            let rest = text.get(at..).unwrap_or_default();
            let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
            let Some(Ok(json)) = stream.next() else { break };
            at += stream.byte_offset();
            self.element(start.list, format!("{path}#{index}"), json);
            index += 1;
            let rest = text.get(at..).unwrap_or_default();
            let comma = rest.len() - rest.trim_start().len();
            if !rest[comma..].starts_with(',') {
                break;
            }
            at += comma + 1;
        }
        let whole = number(index, "whole element");
        let message = format!("the list breaks off at offset {at}, after {whole}: the rest is lost");
        Fault::new(path, message).at_offset(at as u64)
    }

    /// One document a line. What is not written so is one broken document, and said once.
    fn lines(&mut self, path: &str, text: &str) -> Option<Fault> {
        if !by_line(text.as_bytes(), true) {
            return Some(broken(path, text));
        }
        let last = text.trim_end().lines().count();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let source = format!("{path}:{number}");
            match serde_json::from_str::<&RawValue>(line) {
                Ok(json) => self.document(&source, Some(number), json),
                Err(error) => {
                    let fault = Fault::new(source, not_json(&error)).at_line(Some(number));
                    if number == last && error.is_eof() {
                        return Some(fault);
                    }
                    self.faults.add(fault);
                }
            }
        }
        None
    }
}

/// That one object holds more lists of events than the one that is read.
pub(crate) fn further(list: &str) -> String {
    format!("a further list, `{list}`, is not read: put it into an object of its own")
}

/// Whether a text is JSON lines, of which some may be broken. What is printed over many lines is not: it may hold whole
/// objects in lines of their own, but its first line opens what only a later one closes. Where that line is cut off
/// instead, the second and the last one are whole. Of a text that goes on behind its end the last line is not asked.
pub(crate) fn by_line(text: &[u8], ends: bool) -> bool {
    let object = |line: &&[u8]| line.starts_with(b"{") && serde_json::from_slice::<&RawValue>(line).is_ok();
    let lines = || text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let closes = |line: &[u8]| line.starts_with(b"{") && Depth::default().end(line).is_some();
    let mut rest = lines();
    match rest.next() {
        Some(first) if closes(first) || serde_json::from_slice::<&RawValue>(first).is_ok() => {
            lines().any(|line| object(&line))
        }
        Some(_) => {
            let second = rest.next();
            second.is_some_and(|line| object(&line))
                && (!ends || rest.next_back().is_none_or(|line| object(&line)))
        }
        None => false,
    }
}

fn broken(path: &str, text: &str) -> Fault {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(_) => Fault::new(path, "not JSON"),
        Err(error) => {
            let message = format!("not JSON: {}", place(&error, &format!("at line {}", error.line())));
            Fault::new(path, message).at_line(Some(error.line()))
        }
    }
}

/// That a line is no JSON, and where.
pub(crate) fn not_json(error: &serde_json::Error) -> String {
    format!("not JSON: {}", place(error, "at"))
}

/// Where JSON stops to be any. The parser's own words would do, but that they may quote what they met.
fn place(error: &serde_json::Error, at: &str) -> String {
    let what = if error.is_eof() { "it ends too early" } else { "it breaks" };
    format!("{what} {at} column {}", error.column())
}

/// The list that a text opens with and does not end. JSON lines may be lists too: only one that its line does not end
/// is a list that breaks off.
fn unended_list(text: &str) -> Option<Opening> {
    let first = text.trim_start().lines().next().unwrap_or_default();
    opening(text.as_bytes()).filter(|_| serde_json::from_str::<&RawValue>(first).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of the pieces of a text, and what is said of it.
    fn pieces(text: &str) -> (Vec<String>, Vec<String>) {
        let (mut found, mut faults) = (Vec::new(), Faults::default());
        let tail = split("f", text, &mut faults, &mut |piece| {
            found.push(piece.source.clone());
            Ok(())
        });
        faults.extend(tail);
        (found, faults.into_list().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_printed_document_that_breaks_is_one_and_is_said_once() {
        let rows = [
            // A comma is missing, beside lines that would be whole by themselves.
            (
                "{\n  \"a\": [\n    {\"b\": 1},\n    {\"b\": 2}\n    {\"b\": 3}\n  ]\n}\n",
                "it breaks at line 5 column 5",
            ),
            ("{ \"a\":\n{\"b\":1}\n\"c\": 2\n}", "it breaks at line 3 column 1"),
            ("\n\n{\n  \"a\": [\n {\"b\": 1}", "it ends too early at line 5 column 9"),
            ("\"a\": 1,\n\"b\": [\n{\"c\": 1}\n]\n", "it breaks at line 1 column 4"),
        ];
        for (text, expected) in rows {
            assert_eq!(pieces(text), (vec![], vec![format!("f: not JSON: {expected}")]), "{text}");
        }
    }

    #[test]
    fn one_bad_line_among_good_ones_is_all_that_is_lost() {
        let good = ["{\"a\":1}", "{\"b\":{}}", "{\"c\":[]}"];
        for bad in ["oops", "{\"a\":1,}", "{\"a\":{\"b", "{\"a\":1} {", "[1", "\"", "}"] {
            for at in 0..3 {
                let mut lines = good.to_vec();
                lines[at] = bad;
                let (found, faults) = pieces(&lines.join("\n"));
                let expected: Vec<String> =
                    (1..=3).filter(|number| *number != at + 1).map(|number| format!("f:{number}")).collect();
                let list = bad == "[1" && at == 0;
                if !list {
                    assert_eq!(found, expected, "{bad} at {at}: {faults:?}");
                }
                assert_eq!(faults.len(), 1, "{bad} at {at}: {faults:?}");
            }
        }
    }
}
