//! What of a list cannot be read, where reading goes on behind it, and what may stand behind the list.

use serde_json::value::RawValue;

use super::super::head::{Value, value};
use super::super::lists::Lists;
use super::super::pieces::further;
use super::super::scan::{self, Depth};
use super::super::window::More;
use super::super::{Fault, mebibytes};
use super::{Behind, Log, Next};
use crate::output::words::number;

impl Log<'_, '_> {
    pub(super) fn fault(&self, index: u64, offset: u64, message: String) -> Fault {
        Fault::new(format!("{}#{index}", self.path), message).at_offset(offset)
    }

    fn say(&mut self, offset: u64, message: String) {
        self.faults.add(Fault::new(self.path, message).at_offset(offset));
    }

    /// The list has no end.
    pub(super) fn breaks_off(&mut self, at: u64) {
        let whole = number(self.index as usize, "whole element");
        let message = format!("the list breaks off at offset {at}, after {whole}: the rest is lost");
        self.say(at, message);
    }

    /// An element that is no JSON. Reading goes on where another record begins.
    pub(super) fn broken(&mut self, at: u64, place: u64) -> Next {
        // A record that is cut within a string breaks inside of the next one's beginning.
        let from = place.saturating_sub(scan::overlap() as u64).max(at + 1);
        let Some(next) = self.resume(from) else { return Next::Over(at) };
        self.lose(at, format!("not JSON: it breaks at offset {place}; {}", next.goes_on()));
        next
    }

    /// Something between two elements that is no comma.
    pub(super) fn lost(&mut self, at: u64) -> Next {
        let Some(next) = self.resume(at) else { return Next::Over(at) };
        let message = format!("neither a comma nor the list's end at offset {at}; {}", next.goes_on());
        self.say(at, message);
        next
    }

    /// An element that is too long to be held. One that nobody watches was counted, and need not be.
    pub(super) fn too_long(&mut self, at: u64, counted: bool) -> Next {
        let next = match self.skip(at, Depth::default()) {
            Some(end) => self.next(end),
            None => Next::Cut(at),
        };
        if counted {
            self.index += 1;
            self.quiet += 1;
        } else {
            let what = format!("a record of more than {} at offset {at} is not read", mebibytes(self.limit));
            self.lose(at, format!("{what}; {}", next.goes_on()));
        }
        next
    }

    /// The end of a value, or of the object that one stands in, that is not held.
    fn skip(&mut self, mut at: u64, mut depth: Depth) -> Option<u64> {
        loop {
            if let Some(length) = depth.end(self.window.from(at)) {
                return Some(at + length as u64);
            }
            at = self.window.end();
            if self.window.more(at) != More::Read {
                return None;
            }
        }
    }

    fn lose(&mut self, at: u64, message: String) {
        let fault = self.fault(self.index, at, message);
        self.faults.add(fault);
        self.index += 1;
    }

    /// Where a record seems to begin that follows on another one; if there is none, where the list seems to end.
    pub(super) fn resume(&mut self, mut at: u64) -> Option<Next> {
        self.sure = false;
        let begins = at;
        loop {
            if let Some(found) = scan::start(self.window.from(at)) {
                let found = at + found as u64;
                let before = found.saturating_sub(scan::BEHIND as u64).max(self.window.start());
                if scan::may_follow(self.window.between(before, found)) {
                    return Some(Next::Element(found));
                }
                at = found + 1;
                continue;
            }
            // A few signs before must stay at hand, to tell what a record follows on.
            at = at.max(self.window.end().saturating_sub(scan::overlap() as u64));
            if self.window.more(at.saturating_sub(scan::BEHIND as u64)) != More::Read {
                let kept = self.window.start().max(begins);
                return scan::list_end(self.window.from(kept)).map(|end| Next::End(kept + end as u64));
            }
        }
    }

    /// Whether the list may end here, by what follows: behind something broken another list may end as well.
    pub(super) fn may_end(&mut self, end: u64) -> bool {
        match self.sign_behind(end, Some(end)) {
            Some((b'}', close)) => {
                self.sign_behind(close + 1, Some(end)).is_none_or(|(sign, _)| sign == b'{')
            }
            Some(_) => false,
            None => true,
        }
    }

    /// What stands behind a list and the end of its object: another log, or lines. Nothing else should.
    pub(super) fn behind(&mut self, end: u64) -> Behind {
        let Some(close) = self.closes(end) else { return Behind::Nothing };
        let mut line = false;
        let mut at = close;
        loop {
            let text = self.window.from(at);
            let blanks = text.len() - text.trim_ascii_start().len();
            line |= text[..blanks].contains(&b'\n');
            at += blanks as u64;
            if !self.window.from(at).is_empty() || self.window.more(at) != More::Read {
                break;
            }
        }
        while self.window.end() < at + scan::BEHIND as u64 && self.window.more(at) == More::Read {}
        let text = self.window.from(at);
        match scan::opening(text) {
            _ if text.is_empty() => Behind::Nothing,
            Some(opening) if opening.list == scan::RECORDS => Behind::Log(at + opening.at as u64),
            _ if line => Behind::Lines(at),
            _ => {
                self.follows(at);
                Behind::Nothing
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

    fn follows(&mut self, at: u64) {
        self.say(at, format!("something follows behind the list at offset {at}: it is not read"));
    }

    /// Where the object ends that a list stands in.
    fn closes(&mut self, end: u64) -> Option<u64> {
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

    /// The end of an object of which more members follow. Another list among them is said.
    fn members(&mut self, at: u64) -> Option<u64> {
        const OBJECT: &[u8] = b"{\"\":0";
        loop {
            let text = [OBJECT, self.window.from(at)].concat();
            match value(&text, false) {
                Value::Whole(_, length) => {
                    let members = serde_json::from_slice::<&RawValue>(&text[..length]).ok();
                    let lists = members.map(Lists::of).unwrap_or_default();
                    if lists.is_event {
                        let what = format!(
                            "the object that ends behind offset {at} is an event that holds `Records`"
                        );
                        self.say(at, format!("{what}: it is not read; put it on a line, or into a list"));
                    }
                    lists.names().for_each(|list| self.say(at, further(list)));
                    return Some(at + (length - OBJECT.len()) as u64);
                }
                Value::Broken(_) => return None,
                Value::Cut => {}
            }
            match self.window.more(at) {
                More::Read => {}
                More::End => return None,
                More::Full => {
                    let end = self.skip(at, Depth::inside())?;
                    let size = mebibytes(self.limit);
                    let message = format!(
                        "what follows behind the list in its object, at offset {at}, is longer than {size} and is not read"
                    );
                    self.say(at, message);
                    return Some(end);
                }
            }
        }
    }
}
