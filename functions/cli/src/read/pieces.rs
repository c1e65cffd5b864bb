//! Text to pieces of JSON: one document, an array, JSON lines, or one of the wrappers that events come in.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Fault;

/// One piece, and where it stands: `path`, `path:LINE`, `path#INDEX`.
pub(crate) struct Piece<'a> {
    pub(crate) source: String,
    pub(crate) line: Option<usize>,
    pub(crate) json: Cow<'a, RawValue>,
}

/// Splits a file's text. What is no JSON is a fault of its own, and the rest goes on.
pub(crate) fn split<'a>(path: &str, text: &'a str) -> (Vec<Piece<'a>>, Vec<Fault>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Found { path, pieces: Vec::new(), faults: Vec::new() };
    if text.trim().is_empty() {
        found.fault(None, "the file is empty".to_owned());
    } else if let Ok(json) = serde_json::from_str::<&RawValue>(text) {
        found.document(json);
    } else if !found.beginning(text) {
        found.lines(text);
    }
    (found.pieces, found.faults)
}

struct Found<'a, 'p> {
    path: &'p str,
    pieces: Vec<Piece<'a>>,
    faults: Vec<Fault>,
}

/// The wrappers of events.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Wrapper<'a> {
    #[serde(borrow, rename = "Records")]
    records: Option<&'a RawValue>,
    #[serde(borrow, rename = "Events")]
    events: Option<&'a RawValue>,
    #[serde(borrow, rename = "logEvents")]
    log_events: Option<&'a RawValue>,
}

/// An answer of `aws cloudtrail lookup-events`, or a message of CloudWatch Logs, with the record as a string.
#[derive(Deserialize)]
struct Inner {
    #[serde(alias = "CloudTrailEvent", alias = "message")]
    text: String,
}

impl<'a> Found<'a, '_> {
    fn fault(&mut self, line: Option<usize>, message: String) {
        let source = line.map_or_else(|| self.path.to_owned(), |line| format!("{}:{line}", self.path));
        self.faults.push(Fault { source, line, message, rejected: false });
    }

    fn piece(&mut self, source: String, line: Option<usize>, json: Cow<'a, RawValue>) {
        self.pieces.push(Piece { source, line, json });
    }

    fn document(&mut self, json: &'a RawValue) {
        let path = self.path.to_owned();
        if json.get().starts_with('[') {
            return self.elements(&path, json);
        }
        let wrapper: Wrapper<'a> = serde_json::from_str(json.get()).unwrap_or_default();
        if let Some(records) = wrapper.records {
            self.elements(&path, records);
        } else if let Some(wrapped) = wrapper.events.or(wrapper.log_events) {
            self.wrapped(&path, wrapped);
        } else {
            self.piece(path, None, Cow::Borrowed(json));
        }
    }

    /// The elements of a list; each is a piece, whatever it is.
    fn elements(&mut self, source: &str, list: &'a RawValue) {
        match serde_json::from_str::<Vec<&'a RawValue>>(list.get()) {
            Ok(elements) => {
                for (index, json) in elements.into_iter().enumerate() {
                    self.piece(format!("{source}#{index}"), None, Cow::Borrowed(json));
                }
            }
            Err(_) => self.fault(None, "`Records` is no list of events".to_owned()),
        }
    }

    fn wrapped(&mut self, source: &str, list: &'a RawValue) {
        let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(list.get()) else {
            return self.fault(None, "`Events` or `logEvents` is no list".to_owned());
        };
        for (index, json) in elements.into_iter().enumerate() {
            let source = format!("{source}#{index}");
            let inner = serde_json::from_str::<Inner>(json.get()).ok();
            match inner.map(|inner| RawValue::from_string(inner.text)) {
                Some(Ok(json)) => self.piece(source, None, Cow::Owned(json)),
                _ => self.faults.push(Fault {
                    source,
                    line: None,
                    message: "no CloudTrail record inside (`CloudTrailEvent` or `message` must hold one as a string)"
                        .to_owned(),
                    rejected: false,
                }),
            }
        }
    }

    /// The whole elements at the beginning of a list that breaks off: what a truncated log still holds.
    /// `false` where the text does not begin with a list.
    fn beginning(&mut self, text: &'a str) -> bool {
        let Some(mut at) = list_start(text) else { return false };
        let mut index = 0;
        loop {
            let rest = text.get(at..).unwrap_or_default();
            let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<&'a RawValue>();
            let Some(Ok(json)) = stream.next() else { break };
            at += stream.byte_offset();
            self.piece(format!("{}#{index}", self.path), None, Cow::Borrowed(json));
            index += 1;
            let rest = text.get(at..).unwrap_or_default();
            let Some(comma) =
                rest.find(|c: char| !c.is_whitespace()).filter(|at| rest[*at..].starts_with(','))
            else {
                break;
            };
            at += comma + 1;
        }
        self.fault(
            None,
            format!("the list breaks off at offset {at}, after {index} whole elements: the rest is lost"),
        );
        true
    }

    /// One document a line. A text whose lines are none of them JSON is one broken document, and said once.
    fn lines(&mut self, text: &'a str) {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let read = lines.map(|(index, line)| (index + 1, serde_json::from_str::<&'a RawValue>(line)));
        let read: Vec<_> = read.collect();
        let objects =
            read.iter().filter(|(_, json)| json.as_ref().is_ok_and(|json| json.get().starts_with('{')));
        if objects.count() == 0 {
            let error = serde_json::from_str::<&RawValue>(text).err();
            let place = error.map_or_else(String::new, |error| {
                let what = if error.is_eof() { "it ends too early" } else { "it breaks" };
                format!(": {what} at line {} column {}", error.line(), error.column())
            });
            return self.fault(None, format!("not JSON{place}"));
        }
        for (line, json) in read {
            match json {
                Ok(json) => self.piece(format!("{}:{line}", self.path), Some(line), Cow::Borrowed(json)),
                Err(error) => self.fault(Some(line), format!("not JSON at column {}", error.column())),
            }
        }
    }
}

/// Where the elements of a list begin: behind `[`, or behind `{"Records":[`.
fn list_start(text: &str) -> Option<usize> {
    let mut rest = text.trim_start();
    for token in ["{", "\"Records\"", ":"] {
        match rest.strip_prefix(token) {
            Some(after) => rest = after.trim_start(),
            None if token == "{" => break,
            None => return None,
        }
    }
    let after = rest.strip_prefix('[')?;
    // JSON lines may be lists too; only one that no line ends is a list that breaks off.
    let first = text.trim_start().lines().next().unwrap_or_default();
    (serde_json::from_str::<&RawValue>(first).is_err()).then(|| text.len() - after.len())
}
