//! Text to pieces of JSON: one document, a list, JSON lines, or one of the wrappers that events come in.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Fault;
use super::scan::{LISTS, Opening, opening};

/// One piece, and where it stands: `path`, `path:LINE`, `path#INDEX`.
pub(crate) struct Piece<'a> {
    pub(crate) source: String,
    pub(crate) line: Option<usize>,
    pub(crate) json: Cow<'a, RawValue>,
}

/// A file's pieces, and what is none.
#[derive(Default)]
pub(crate) struct Split<'a> {
    pub(crate) pieces: Vec<Piece<'a>>,
    pub(crate) faults: Vec<Fault>,
    /// That the text breaks off before its end.
    pub(crate) tail: Option<Fault>,
}

/// Splits a file's text. What is no JSON is a fault of its own, and the rest goes on.
pub(crate) fn split<'a>(path: &str, text: &'a str) -> Split<'a> {
    let mut split = Split::default();
    if text.trim().is_empty() {
        split.faults.push(Fault::new(path, "the file is empty"));
    } else if let Ok(json) = serde_json::from_str::<&RawValue>(text) {
        split.document(path, None, json);
    } else if let Some(start) = unended_list(text) {
        split.beginning(path, text, &start);
    } else {
        split.lines(path, text);
    }
    split
}

/// The pieces of one line of JSON lines.
pub(crate) fn line<'a>(source: &str, line: usize, json: &'a RawValue) -> Split<'a> {
    let mut split = Split::default();
    split.document(source, Some(line), json);
    split
}

/// The pieces of one element of a list, which has a name where it is one of the wrappers'.
pub(crate) fn element<'a>(list: &str, source: String, json: &'a RawValue) -> Split<'a> {
    let mut split = Split::default();
    split.element(list, source, json);
    split
}

/// The wrappers of events. A member that is `null` is there, and no list.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Wrapper<'a> {
    #[serde(borrow, rename = "Records", deserialize_with = "present")]
    records: Option<&'a RawValue>,
    #[serde(borrow, rename = "Events", deserialize_with = "present")]
    events: Option<&'a RawValue>,
    #[serde(borrow, rename = "logEvents", deserialize_with = "present")]
    log_events: Option<&'a RawValue>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// An answer of `aws cloudtrail lookup-events`, or a message of CloudWatch Logs, with the record as a string.
#[derive(Deserialize)]
struct Inner {
    #[serde(alias = "CloudTrailEvent", alias = "message")]
    text: String,
}

impl<'a> Split<'a> {
    /// A whole document: a list of documents, or one.
    fn document(&mut self, source: &str, line: Option<usize>, json: &'a RawValue) {
        match json.get().starts_with('[').then(|| serde_json::from_str::<Vec<&'a RawValue>>(json.get())) {
            Some(Ok(elements)) => {
                for (index, element) in elements.into_iter().enumerate() {
                    self.unwrap(format!("{source}#{index}"), line, element);
                }
            }
            _ => self.unwrap(source.to_owned(), line, json),
        }
    }

    /// What a wrapper holds, or the document itself.
    fn unwrap(&mut self, source: String, line: Option<usize>, json: &'a RawValue) {
        // A document that holds none of the names need not be looked into.
        let wrapper: Wrapper<'a> = match LISTS.iter().any(|list| json.get().contains(list)) {
            true => serde_json::from_str(json.get()).unwrap_or_default(),
            false => Wrapper::default(),
        };
        if let Some(records) = wrapper.records {
            self.records(&source, line, records);
        } else if let Some(wrapped) = wrapper.events.or(wrapper.log_events) {
            self.wrapped(&source, line, wrapped);
        } else {
            self.pieces.push(Piece { source, line, json: Cow::Borrowed(json) });
        }
    }

    /// The records of a log; each is a piece, whatever it is.
    fn records(&mut self, source: &str, line: Option<usize>, list: &'a RawValue) {
        let Ok(elements) = serde_json::from_str::<Vec<&'a RawValue>>(list.get()) else {
            return self.faults.push(Fault::new(source, "`Records` is no list of events").at_line(line));
        };
        let pieces = elements.into_iter().enumerate().map(|(index, json)| Piece {
            source: format!("{source}#{index}"),
            line,
            json: Cow::Borrowed(json),
        });
        self.pieces.extend(pieces);
    }

    fn wrapped(&mut self, source: &str, line: Option<usize>, list: &'a RawValue) {
        let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(list.get()) else {
            let message = "`Events` or `logEvents` is no list of events";
            return self.faults.push(Fault::new(source, message).at_line(line));
        };
        for (index, json) in elements.into_iter().enumerate() {
            self.inner(format!("{source}#{index}"), line, json);
        }
    }

    /// A record that stands as a string in another object.
    fn inner(&mut self, source: String, line: Option<usize>, json: &RawValue) {
        let inner = serde_json::from_str::<Inner>(json.get()).ok();
        match inner.and_then(|inner| RawValue::from_string(inner.text).ok()) {
            Some(json) => self.pieces.push(Piece { source, line, json: Cow::Owned(json) }),
            None => {
                let message = "no event inside: `CloudTrailEvent` or `message` must hold one as a string";
                self.faults.push(Fault::new(source, message).at_line(line));
            }
        }
    }

    fn element(&mut self, list: &str, source: String, json: &'a RawValue) {
        match list {
            "" => self.unwrap(source, None, json),
            _ => self.inner(source, None, json),
        }
    }

    /// The whole elements at the beginning of a list that breaks off: what a truncated log still holds.
    fn beginning(&mut self, path: &str, text: &'a str, start: &Opening) {
        let mut at = start.at;
        let mut index = 0;
        loop {
            let rest = text.get(at..).unwrap_or_default();
            let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<&'a RawValue>();
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
        let message =
            format!("the list breaks off at offset {at}, after {index} whole elements: the rest is lost");
        self.tail = Some(Fault::new(path, message).at_offset(at as u64));
    }

    /// One document a line. A text whose lines are none of them objects is one broken document, and said once.
    fn lines(&mut self, path: &str, text: &'a str) {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let read: Vec<_> =
            lines.map(|(index, line)| (index + 1, serde_json::from_str::<&'a RawValue>(line))).collect();
        let object = |json: &RawValue| json.get().starts_with('{');
        if !read.iter().any(|(_, json)| json.as_ref().is_ok_and(|json| object(json))) {
            self.tail = Some(broken(path, text));
            return;
        }
        let last = read.last().map_or(0, |(line, _)| *line);
        for (line, json) in read {
            let source = format!("{path}:{line}");
            match json {
                Ok(json) => self.document(&source, Some(line), json),
                Err(error) => {
                    let fault = Fault::new(source, not_json(&error)).at_line(Some(line));
                    if line == last && error.is_eof() {
                        self.tail = Some(fault);
                    } else {
                        self.faults.push(fault);
                    }
                }
            }
        }
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
