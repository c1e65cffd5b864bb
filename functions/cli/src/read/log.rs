//! Logs: texts that begin with `{"Records":[`. They are scanned, and parsed only where somebody watches.
//!
//! A scan goes from one `"eventName"` to the next. Where it is a record's own, in CloudTrail's form, and nobody
//! watches that name, the record is counted and not looked at. Otherwise the record's beginning is looked up, and
//! from there on whole elements are parsed until the name lies behind. What cannot be told is never guessed at: a
//! record of another form, or a name inside of another record, costs the parsing of an element or two.
//!
//! Records are numbered as they stand in the file. An element without any `"eventName"` is seen only where it is
//! parsed; elsewhere it is neither counted nor numbered.

mod lost;

use std::borrow::Cow;

use super::head::{Head, Value, value};
use super::pieces::Piece;
use super::scan::{self, Name};
use super::window::{More, Window};
use super::{Done, Fault, Watched};

/// An element of a list that was parsed.
pub(crate) struct Found<'a> {
    /// Its place in the list.
    pub(crate) index: u64,
    /// What tells it apart, if that was asked for and it is an object.
    pub(crate) head: Option<Head<'a>>,
    /// Its text.
    pub(crate) text: &'a str,
}

impl<'a> Found<'a> {
    /// The element as a piece like any other.
    pub(crate) fn piece(&self, path: &str) -> Result<Piece<'a>, Fault> {
        let source = format!("{path}#{}", self.index);
        match serde_json::from_str(self.text) {
            Ok(json) => Ok(Piece { source, line: None, json: Cow::Borrowed(json) }),
            Err(_) => Err(Fault::new(source, "not JSON")),
        }
    }
}

/// A list as far as it was read.
struct Log<'w, 'a> {
    window: &'w mut Window<'a>,
    path: &'w str,
    /// Without it nothing is scanned for, and every element is parsed.
    watched: Option<Watched<'w>>,
    each: &'w mut dyn FnMut(&Found<'_>) -> Result<(), Fault>,
    /// How many elements there are so far.
    index: u64,
    /// How many of them nobody watches and nobody looked at.
    quiet: u64,
    /// Where the names of those stand, as far back as what is kept.
    names: Vec<u64>,
    limit: u64,
    faults: Vec<Fault>,
}

/// Where reading goes on.
enum Next {
    /// An element begins here.
    Element(u64),
    /// The list ends here.
    End(u64),
    /// The text breaks off in the element that begins here, or before it.
    Cut(u64),
    /// Here is something that belongs into no list.
    Lost(u64),
}

impl Next {
    /// Where reading goes on, for people.
    fn goes_on(&self) -> String {
        match self {
            Self::Element(at) => format!("the next record is at offset {at}"),
            _ => "no other record was found behind it".to_owned(),
        }
    }
}

/// What an element came to.
enum Element {
    Whole(u64),
    Cut,
    Broken(u64),
    TooLong,
}

/// Reads the log whose first element may stand at an offset, and those that stand behind it.
pub(crate) fn read(
    window: &mut Window<'_>,
    path: &str,
    at: u64,
    limit: usize,
    watched: Option<Watched<'_>>,
    each: &mut dyn FnMut(&Found<'_>) -> Result<(), Fault>,
) -> Done {
    let mut log = Log::new(window, path, limit, watched, each);
    let mut at = Some(at);
    while let Some(first) = at {
        at = log.list(first).and_then(|end| log.behind(end));
    }
    Done { quiet: log.quiet, faults: log.faults }
}

/// Reads the elements of any other list, each of which is parsed. It stands alone, or in an object.
pub(crate) fn elements(
    window: &mut Window<'_>,
    path: &str,
    opening: (u64, bool),
    limit: usize,
    each: &mut dyn FnMut(&Found<'_>) -> Result<(), Fault>,
) -> Vec<Fault> {
    let mut log = Log::new(window, path, limit, None, each);
    let (at, wrapped) = opening;
    if let Some(end) = log.list(at) {
        log.ends(end, wrapped);
    }
    log.faults
}

impl<'w, 'a> Log<'w, 'a> {
    fn new(
        window: &'w mut Window<'a>,
        path: &'w str,
        limit: usize,
        watched: Option<Watched<'w>>,
        each: &'w mut dyn FnMut(&Found<'_>) -> Result<(), Fault>,
    ) -> Self {
        let (names, faults) = (Vec::new(), Vec::new());
        Self { window, path, watched, each, index: 0, quiet: 0, names, limit: limit as u64, faults }
    }

    /// Reads a list up to its end; `None` where it has none.
    fn list(&mut self, at: u64) -> Option<u64> {
        let mut next = self.first(at);
        loop {
            next = match next {
                Next::Element(at) if self.can_scan(at) => self.scan(at),
                Next::Element(at) => self.parse(at, at),
                Next::End(at) => return Some(at),
                // Where the bytes break off, that the text does so too is no news.
                Next::Cut(_) if self.window.broken().is_some() => return None,
                Next::Cut(at) | Next::Lost(at) => {
                    self.breaks_off(at);
                    return None;
                }
            };
        }
    }

    /// Whether an element begins as CloudTrail begins records, so that scanning can go on from it.
    fn can_scan(&mut self, at: u64) -> bool {
        while self.window.end() < at + scan::BEHIND as u64 && self.window.more(at) == More::Read {}
        self.watched.is_some() && scan::begins(self.window.from(at))
    }

    /// Scans from an element on to one that has to be parsed, and parses it.
    fn scan(&mut self, start: u64) -> Next {
        let mut base = start;
        let mut at = start;
        self.names.clear();
        loop {
            let Some(name) = scan::name(self.window.from(at)).map(|found| at + found as u64) else {
                at = at.max(self.window.end().saturating_sub(scan::overlap() as u64));
                match self.more(&mut base) {
                    More::Read => continue,
                    More::End => break,
                    More::Full if self.names.is_empty() => return self.parse(base, at),
                    More::Full => return self.too_long(base),
                }
            };
            let behind = name + (scan::NAME.len() + scan::BEHIND) as u64;
            if self.window.end() < behind && self.more(&mut base) == More::Read {
                at = name;
                continue;
            }
            let text = self.window.from(base);
            match scan::name_at(text, usize::try_from(name - base).unwrap_or(usize::MAX)) {
                Name::Value => {}
                Name::Own(called) if !self.watched.is_some_and(|watched| watched(called)) => {
                    self.names.push(name);
                    self.index += 1;
                    self.quiet += 1;
                }
                Name::Own(_) | Name::Odd => {
                    let start = self.start_of(name, base);
                    if name - start > self.limit {
                        return self.too_long(start);
                    }
                    return self.parse(self.before(base), name);
                }
            }
            at = name + scan::NAME.len() as u64;
        }
        // The last record is parsed, since it tells whether the list ends.
        self.parse(self.before(base), u64::MAX)
    }

    /// Where the last record begins that was counted by its name alone. To parse from there on costs little, and shows
    /// whether what comes behind it is a record of its own or lies inside of it.
    fn before(&self, base: u64) -> u64 {
        self.names.last().map_or(base, |name| self.start_of(*name, base))
    }

    /// Reads on, and keeps what parsing would have to begin with.
    fn more(&mut self, base: &mut u64) -> More {
        *base = self.before(*base);
        let gone = self.names.partition_point(|name| name < base);
        self.names.drain(..gone);
        self.window.more(*base)
    }

    /// Where the record begins that a place lies in, as far as what begins at `base` or follows on a record tells.
    fn start_of(&self, at: u64, base: u64) -> u64 {
        let mut text = self.window.between(base, at);
        while let Some(start) = scan::last_start(text) {
            text = &text[..start];
            if scan::follows_a_record(text) {
                return base + start as u64;
            }
        }
        base
    }

    /// Parses element after element, until a place lies behind and scanning can go on.
    fn parse(&mut self, start: u64, until: u64) -> Next {
        // What was counted by its name alone is now counted by what it is.
        let counted = self.names.len() - self.names.partition_point(|name| *name < start);
        self.names.clear();
        self.index -= counted as u64;
        self.quiet -= counted as u64;
        let mut at = start;
        loop {
            let end = match self.element(at) {
                Element::Whole(end) => end,
                Element::Cut => return Next::Cut(at),
                Element::Broken(place) => return self.broken(at, place),
                Element::TooLong => return self.too_long(at),
            };
            match self.next(end) {
                Next::Element(next) => {
                    if next > until && self.can_scan(next) {
                        return Next::Element(next);
                    }
                    at = next;
                }
                other => return other,
            }
        }
    }

    /// Parses one element and hands it over.
    fn element(&mut self, at: u64) -> Element {
        loop {
            let text = self.window.from(at);
            match value(text, self.watched.is_some()) {
                // A number may go on behind what was read.
                Value::Whole(head, length) if length < text.len() || self.window.done() => {
                    let index = self.index;
                    self.index += 1;
                    let end = at + length as u64;
                    if length as u64 > self.limit {
                        return Element::TooLong;
                    }
                    if head.as_ref().is_some_and(|head| self.nobody_watches(head)) {
                        self.quiet += 1;
                        return Element::Whole(end);
                    }
                    let text = std::str::from_utf8(&text[..length]);
                    let read = text.map_err(|error| {
                        let place = at + error.valid_up_to() as u64;
                        self.fault(index, place, format!("not UTF-8 at offset {place}: this record is lost"))
                    });
                    let read = read.and_then(|text| (self.each)(&Found { index, head, text }));
                    self.faults.extend(read.err());
                    return Element::Whole(end);
                }
                Value::Broken(place) => return Element::Broken(at + place as u64),
                Value::Whole(..) | Value::Cut => {}
            }
            match self.window.more(at) {
                More::Read => {}
                More::Full => return Element::TooLong,
                More::End if matches!(value(self.window.from(at), false), Value::Whole(..)) => {}
                More::End => return Element::Cut,
            }
        }
    }

    /// Whether a record is one that nobody watches, as far as its name tells. Any other is handed over.
    fn nobody_watches(&self, head: &Head<'_>) -> bool {
        let name = head.name.known().filter(|_| head.source.known().is_some() && head.envelope.is_absent());
        name.is_some_and(|name| !self.watched.is_some_and(|watched| watched(name.as_bytes())))
    }

    /// The first element of a list.
    fn first(&mut self, at: u64) -> Next {
        match self.sign(at) {
            Some((b']', at)) => Next::End(at + 1),
            Some((_, at)) => Next::Element(at),
            None => Next::Cut(at),
        }
    }

    /// What follows on an element.
    fn next(&mut self, end: u64) -> Next {
        match self.sign(end) {
            Some((b',', at)) => self.sign(at + 1).map_or(Next::Cut(at + 1), |(_, at)| Next::Element(at)),
            Some((b']', at)) => Next::End(at + 1),
            Some(_) => Next::Lost(end),
            None => Next::Cut(end),
        }
    }

    /// The next sign that is no blank, and where it stands.
    fn sign(&mut self, mut at: u64) -> Option<(u8, u64)> {
        loop {
            let text = self.window.from(at);
            let blanks = text.len() - text.trim_ascii_start().len();
            if let Some(sign) = text.get(blanks) {
                return Some((*sign, at + blanks as u64));
            }
            at += blanks as u64;
            if self.window.more(at) != More::Read {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
