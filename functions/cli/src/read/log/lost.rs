//! What of a list cannot be read, where reading goes on behind it, and what may stand behind the list.

use super::super::head::{Value, value};
use super::super::window::More;
use super::super::{Fault, scan};
use super::{Log, Next};

impl Log<'_, '_> {
    pub(super) fn fault(&self, index: u64, offset: u64, message: String) -> Fault {
        Fault::new(format!("{}#{index}", self.path), message).at_offset(offset)
    }

    /// The list has no end.
    pub(super) fn breaks_off(&mut self, at: u64) {
        let whole = self.index;
        let message =
            format!("the list breaks off at offset {at}, after {whole} whole elements: the rest is lost");
        self.faults.push(Fault::new(self.path, message).at_offset(at));
    }

    /// An element that is no JSON. Reading goes on where another record begins.
    pub(super) fn broken(&mut self, at: u64, place: u64) -> Next {
        let Some(next) = self.resume(place.max(at + 1)) else { return Next::Lost(at) };
        self.lose(at, format!("not JSON: it breaks at offset {place}; {}", next.goes_on()));
        next
    }

    /// An element of which so much is no longer at hand that it can't be parsed.
    pub(super) fn too_long(&mut self, at: u64) -> Next {
        // One that nobody watches was counted, and need not be at hand.
        let seen = self.names.iter().any(|name| *name >= at);
        let next = self.resume(at + self.limit).unwrap_or(Next::Cut(at));
        if !seen {
            let what = format!("a record of more than {} MiB at offset {at} is not read", self.limit >> 20);
            self.lose(at, format!("{what}; {}", next.goes_on()));
        }
        next
    }

    pub(super) fn lose(&mut self, at: u64, message: String) {
        let fault = self.fault(self.index, at, message);
        self.faults.push(fault);
        self.index += 1;
    }

    /// Where the next record begins that follows on another one; if there is none, where the list seems to end.
    pub(super) fn resume(&mut self, mut at: u64) -> Option<Next> {
        self.names.clear();
        loop {
            if let Some(found) = scan::start(self.window.from(at)) {
                let found = at + found as u64;
                let before = found.saturating_sub(scan::BEHIND as u64).max(self.window.start());
                if scan::follows_a_record(self.window.between(before, found)) {
                    return Some(Next::Element(found));
                }
                at = found + 1;
                continue;
            }
            // A few signs before must stay at hand, to tell what a record follows on.
            at = at.max(self.window.end().saturating_sub(scan::overlap() as u64));
            if self.window.more(at.saturating_sub(scan::BEHIND as u64)) != More::Read {
                let kept = self.window.start();
                return scan::list_end(self.window.from(kept)).map(|end| Next::End(kept + end as u64));
            }
        }
    }

    /// Another log that stands behind a list and the end of its object. Nothing else should.
    pub(super) fn behind(&mut self, end: u64) -> Option<u64> {
        let close = self.closes(end)?;
        let (_, at) = self.sign(close)?;
        while self.window.end() < at + scan::BEHIND as u64 && self.window.more(at) == More::Read {}
        match scan::opening(self.window.from(at)) {
            Some(opening) if opening.list == scan::RECORDS => Some(at + opening.at as u64),
            _ => {
                self.follows(at);
                None
            }
        }
    }

    /// That nothing stands behind a list that is no log's.
    pub(super) fn ends(&mut self, end: u64, wrapped: bool) {
        let close = if wrapped { self.closes(end) } else { Some(end) };
        if let Some((_, at)) = close.and_then(|close| self.sign(close)) {
            self.follows(at);
        }
    }

    pub(super) fn follows(&mut self, at: u64) {
        let message = format!("something follows behind the list at offset {at}: it is not read");
        self.faults.push(Fault::new(self.path, message).at_offset(at));
    }

    /// Where the object ends that a list stands in.
    pub(super) fn closes(&mut self, end: u64) -> Option<u64> {
        let close = match self.sign(end) {
            Some((b'}', at)) => Some(at + 1),
            Some((b',', at)) => self.members(at),
            _ => None,
        };
        if close.is_none() {
            self.breaks_off(end);
        }
        close
    }

    /// The end of an object of which more members follow.
    pub(super) fn members(&mut self, at: u64) -> Option<u64> {
        const OBJECT: &[u8] = b"{\"\":0";
        loop {
            let text = [OBJECT, self.window.from(at)].concat();
            match value(&text, false) {
                Value::Whole(_, length) => return Some(at + (length - OBJECT.len()) as u64),
                Value::Broken(_) => return None,
                Value::Cut if self.window.more(at) == More::Read => {}
                Value::Cut => return None,
            }
        }
    }
}
