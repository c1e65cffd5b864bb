//! Logs: texts that begin with `{"Records":[`. They are scanned, and parsed only where somebody watches.
//!
//! A scan goes from one `"eventName"` to the next, and always knows where the last element of the list begins. Where a
//! name is a record's own, in CloudTrail's form, where a record begins between it and the last name, behind another and
//! outside of every list (`scan::next_element`), and where nobody watches it, the record is counted and not looked at.
//! Otherwise whole elements are parsed until the name lies behind. What cannot be told is never guessed at: a record of
//! another form, or one inside of another record, costs the parsing of an element or two. Only behind what is broken is
//! there a guess, at where the next record begins; that is said.
//!
//! Records are numbered as they stand in the file. An element without any `"eventName"` is seen only where it is parsed;
//! elsewhere it is neither counted nor numbered. What is not looked at is not validated.

mod lost;

use std::borrow::Cow;

use super::faults::Faults;
use super::head::{Head, Value, value};
use super::pieces::Piece;
use super::scan::{self, Name};
use super::window::{More, Window};
use super::{Fault, Watched};

/// An element of a list that was parsed.
pub(crate) struct Found<'a> {
    /// Its place in the list.
    pub(crate) index: u64,
    /// The offset at which it begins.
    pub(crate) at: u64,
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
            Ok(json) => Ok(Piece { source, line: None, at: Some(self.at), json: Cow::Borrowed(json) }),
            Err(_) => Err(Fault::new(source, "not JSON").at_offset(self.at)),
        }
    }
}

/// A list as far as it was read.
struct Log<'w, 'a> {
    window: &'w mut Window<'a>,
    path: &'w str,
    /// Without it nothing is scanned for, and every element is parsed.
    watched: Option<Watched<'w>>,
    each: Take<'w>,
    /// How many elements there are so far.
    index: u64,
    /// How many of them nobody watches and nobody looked at.
    quiet: u64,
    /// Up to here elements are parsed: there is no name before it that a scan could go on with.
    until: u64,
    /// Whether every element followed on the one before it; behind something broken the next one is a guess.
    sure: bool,
    limit: u64,
    faults: &'w mut Faults,
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
    /// From here on nothing can be read.
    Over(u64),
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

/// What a log came to.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// How many records nobody watches and nobody looked at.
    pub(crate) quiet: u64,
    /// Where lines go on behind it, if they do, and how many records there were before.
    pub(crate) lines: Option<(u64, u64)>,
}

/// Takes an element that was found; answers why it cannot be read.
pub(crate) type Take<'t> = &'t mut dyn FnMut(&Found<'_>) -> Result<(), Fault>;

/// Reads the log whose first element may stand at an offset, and those that stand behind it.
pub(crate) fn read(
    window: &mut Window<'_>,
    path: &str,
    at: u64,
    limit: usize,
    watched: Option<Watched<'_>>,
    faults: &mut Faults,
    each: Take<'_>,
) -> Read {
    let mut log = Log::new(window, path, limit, watched, faults, each);
    let mut behind = Behind::Log(at);
    while let Behind::Log(first) = behind {
        behind = log.list(first).map_or(Behind::Nothing, |end| log.behind(end));
    }
    let lines = if let Behind::Lines(at) = behind { Some((at, log.index)) } else { None };
    Read { quiet: log.quiet, lines }
}

/// Reads the elements of any other list, each of which is parsed. It stands alone, or in an object.
pub(crate) fn elements(
    window: &mut Window<'_>,
    path: &str,
    opening: (u64, bool),
    limit: usize,
    faults: &mut Faults,
    each: Take<'_>,
) {
    let mut log = Log::new(window, path, limit, None, faults, each);
    let (at, wrapped) = opening;
    if let Some(end) = log.list(at) {
        log.ends(end, wrapped);
    }
}

/// What stands behind a log.
enum Behind {
    /// Another one, whose first element may stand here.
    Log(u64),
    /// Lines, the first of which begins here.
    Lines(u64),
    /// Nothing that can be read.
    Nothing,
}

impl<'w, 'a> Log<'w, 'a> {
    fn new(
        window: &'w mut Window<'a>,
        path: &'w str,
        limit: usize,
        watched: Option<Watched<'w>>,
        faults: &'w mut Faults,
        each: Take<'w>,
    ) -> Self {
        let limit = limit as u64;
        Self { window, path, watched, each, index: 0, quiet: 0, until: 0, sure: true, limit, faults }
    }

    /// Reads a list up to its end; `None` where it has none.
    fn list(&mut self, at: u64) -> Option<u64> {
        self.sure = true;
        let mut next = self.first(at);
        loop {
            next = match next {
                Next::Element(at) if at >= self.until && self.can_scan(at) => self.scan(at),
                Next::Element(at) => self.parse(at, false),
                Next::End(at) if self.sure || self.may_end(at) => return Some(at),
                Next::End(at) => self.resume(at).unwrap_or(Next::Over(at)),
                Next::Lost(at) => self.lost(at),
                // Where the bytes break off, that the text does so too is no news.
                Next::Cut(_) if self.window.broken().is_some() => return None,
                Next::Cut(at) | Next::Over(at) => {
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
        // The last element that is known, and where its name ends, if it was counted by that alone.
        let (mut base, mut counted) = (start, None);
        let mut at = start;
        loop {
            let Some(name) = scan::name(self.window.from(at)).map(|found| at + found as u64) else {
                at = at.max(self.window.end().saturating_sub(scan::overlap() as u64));
                match self.window.more(base) {
                    More::Read => continue,
                    // The last record is parsed, since it tells whether the list ends.
                    More::End => self.until = u64::MAX,
                    More::Full => self.until = at,
                }
                return self.parse(base, counted.is_some());
            };
            let behind = name + (scan::NAME.len() + scan::BEHIND) as u64;
            if self.window.end() < behind && self.window.more(base) == More::Read {
                at = name;
                continue;
            }
            at = name + scan::NAME.len() as u64;
            let text = self.window.from(base);
            let place = |at: u64| usize::try_from(at - base).unwrap_or(usize::MAX);
            let quiet = match scan::name_at(text, place(name)) {
                Name::Value => continue,
                Name::Own(called) => !self.watched.is_some_and(|watched| watched(called)),
                Name::Odd => false,
            };
            let begins = match counted {
                Some(end) => scan::next_element(text, place(end), place(name)),
                None => scan::is_first(text, place(name)).then_some(0),
            };
            if let Some(begins) = begins {
                (base, counted) = (base + begins as u64, None);
                if quiet {
                    counted = Some(at);
                    self.index += 1;
                    self.quiet += 1;
                    continue;
                }
            }
            self.until = name;
            return self.parse(base, counted.is_some());
        }
    }

    /// Parses element after element, until scanning can go on. The first may have been counted by its name alone.
    fn parse(&mut self, start: u64, counted: bool) -> Next {
        // Now it is counted by what it is.
        self.index -= u64::from(counted);
        self.quiet -= u64::from(counted);
        let mut at = start;
        loop {
            let end = match self.element(at) {
                Element::Whole(end) => end,
                Element::Cut => return Next::Cut(at),
                Element::Broken(place) => return self.broken(at, place),
                Element::TooLong => return self.too_long(at, counted && at == start),
            };
            match self.next(end) {
                Next::Element(next) => {
                    if next > self.until && self.can_scan(next) {
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
                    if length as u64 > self.limit {
                        return Element::TooLong;
                    }
                    let index = self.index;
                    self.index += 1;
                    let end = at + length as u64;
                    if head.as_ref().is_some_and(|head| self.nobody_watches(head)) {
                        self.quiet += 1;
                        return Element::Whole(end);
                    }
                    let text = std::str::from_utf8(&text[..length]);
                    let read = text.map_err(|error| {
                        let place = at + error.valid_up_to() as u64;
                        self.fault(index, place, format!("not UTF-8 at offset {place}: this record is lost"))
                    });
                    let read = read.and_then(|text| (self.each)(&Found { index, at, head, text }));
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
    fn sign(&mut self, at: u64) -> Option<(u8, u64)> {
        self.sign_behind(at, None)
    }

    /// The same, where what stands behind an earlier offset is still to be read.
    fn sign_behind(&mut self, mut at: u64, keep: Option<u64>) -> Option<(u8, u64)> {
        loop {
            let text = self.window.from(at);
            let blanks = text.len() - text.trim_ascii_start().len();
            if let Some(sign) = text.get(blanks) {
                return Some((*sign, at + blanks as u64));
            }
            at += blanks as u64;
            if self.window.more(keep.unwrap_or(at)) != More::Read {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
