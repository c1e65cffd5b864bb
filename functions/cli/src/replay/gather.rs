//! Gathers what may be a change out of all files, in the order of the times. A record is looked at only as far as its
//! place in that order asks for; the rest is read when its turn comes.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use serde_json::value::RawValue;
use shipshape_core::change::{Api, Change};
use shipshape_core::check::{self, Home};
use shipshape_core::event::{Ignored, ParseError, Parsed, Record, parse};
use shipshape_core::ids::{AccountId, ChangeId};

use super::parting::Mentions;
use crate::Voices;
use crate::args::Replay;
use crate::output::words::number;
use crate::read::faults::Faults;
use crate::read::sort::{Content, IN_MEMORY, Key, Run, Sorted, Sorter};
use crate::read::{self, Fault, Head, Input, Sizes, files};
use crate::tally::Events;

/// Why a piece of JSON is passed over that is no event.
const NOT_AN_EVENT: &str = "not an event";

/// The same of what `check` reads.
const DOCUMENT: &str = "a document, not an event";

/// What the input holds.
pub(crate) struct Gathered {
    /// What may be a change.
    pub(crate) records: Sorted,
    /// The names of the files.
    pub(crate) names: Vec<String>,
    /// What is named, and until when; none where that is not to matter.
    pub(crate) mentions: Option<Mentions>,
    /// What was counted and said so far.
    pub(crate) seen: Seen,
}

/// What was counted and said of the input.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) events: Events,
    pub(crate) faults: Faults,
    pub(crate) strange: Strange,
}

/// The files that hold JSON and not one event.
#[derive(Debug, Default)]
pub(crate) struct Strange {
    /// The first of them by name.
    pub(crate) named: BTreeSet<String>,
    /// How many there are.
    pub(crate) count: u64,
}

impl Strange {
    /// How many are named in a report.
    const NAMED: usize = 3;

    fn add(&mut self, name: &str) {
        self.append(Self { named: BTreeSet::from([name.to_owned()]), count: 1 });
    }

    fn append(&mut self, other: Self) {
        self.count += other.count;
        self.named.extend(other.named);
        while self.named.len() > Self::NAMED {
            self.named.pop_last();
        }
    }

    /// How many there are beside those that are named.
    pub(crate) fn more(&self) -> usize {
        (self.count as usize).saturating_sub(self.named.len())
    }
}

/// How much is held.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// Of a file.
    pub(crate) sizes: Sizes,
    /// Of what is sorted.
    pub(crate) sorting: usize,
    /// Whether the worlds forget what nothing names any more.
    pub(crate) forgets: bool,
}

impl Default for Room {
    fn default() -> Self {
        Self { sizes: Sizes::default(), sorting: IN_MEMORY, forgets: true }
    }
}

/// Reads every file.
pub(crate) fn gather(args: &Replay, room: Room, voices: &mut Voices<'_>) -> anyhow::Result<Gathered> {
    let files::Listed { files: paths, faults: unlisted, others } = files::list(&args.paths);
    files::passed_over(&others).for_each(|line| voices.detail(&line));
    let names: Vec<String> = paths.iter().map(|path| files::name(path)).collect();
    let mut seen = Seen::default();
    seen.faults.extend(unlisted);

    let calls = Calls::watched();
    let watched = |name: &[u8]| calls.have(name);
    let sorter = Sorter::new(room.sorting);
    let state =
        || Reader { sorter: Some(&sorter), since: args.since, until: args.until, ..Reader::default() };
    let one = |index: usize, path: &Path, buffer: &mut Vec<u8>, reader: &mut Reader<'_>| {
        let name = names.get(index).map_or("", String::as_str);
        let file = u32::try_from(index).unwrap_or(u32::MAX);
        (reader.file, reader.pieces, reader.kept, reader.number) = (file, 0, 0, 0);
        let others = no_events(&reader.seen.events);
        let mut faults = Faults::default();
        let quiet = read::file(path, room.sizes, buffer, Some(&watched), &mut faults, &mut |input| {
            reader.input(name, &input)
        });
        reader.seen.events.unwatched(quiet);
        reader.seen.faults.append(faults);
        let strange =
            reader.pieces > 0 && quiet == 0 && no_events(&reader.seen.events) - others == reader.pieces;
        if strange {
            reader.seen.strange.add(name);
        }
        if voices.verbose {
            reader.details.push((index, reader.pieces + quiet, reader.kept, strange));
        }
    };
    let readers = read::all(&paths, read::jobs(args.jobs), voices.quiet, state, one);
    let (mut details, mut mentions) = (Vec::new(), Mentions::default());
    for mut reader in readers {
        reader.collect(|sorter, run| sorter.take(run));
        if let Some(error) = reader.failed {
            return Err(error).context(TEMPORARY);
        }
        seen.append(reader.seen);
        mentions.append(reader.mentions);
        details.extend(reader.details);
    }
    details.sort_unstable();
    for (index, read, kept, strange) in details {
        let name = names.get(index).map_or("", String::as_str);
        let what = if strange { "none of them an event" } else { &*format!("{kept} of them may be changes") };
        voices.detail(&format!("{name}: {}, {what}", number(read as usize, "piece")));
    }
    let mentions = room.forgets.then_some(mentions);
    let records = sorter.sorted().context(TEMPORARY)?;
    Ok(Gathered { records, names, mentions, seen })
}

/// The names of calls that are watched. Every record of every log is looked up here, and most are not among them.
struct Calls([Vec<&'static [u8]>; 64]);

impl Calls {
    fn watched() -> Self {
        let mut calls = Self([const { Vec::new() }; 64]);
        Api::call_names().map(str::as_bytes).for_each(|name| calls.0[Self::shelf(name)].push(name));
        calls
    }

    fn have(&self, name: &[u8]) -> bool {
        self.0[Self::shelf(name)].contains(&name)
    }

    /// Names of one length that begin and end alike share a shelf, and few others.
    fn shelf(name: &[u8]) -> usize {
        let [first, last] = [name.first(), name.last()].map(|sign| usize::from(sign.copied().unwrap_or(0)));
        (first * 7 + last * 3 + name.len()) % 64
    }
}

/// What went wrong where the file system did not take what memory is too small for.
pub(crate) const TEMPORARY: &str = "cannot keep events in a temporary file, whose place TMPDIR says";

/// What one thread has read.
#[derive(Default)]
struct Reader<'a> {
    sorter: Option<&'a Sorter>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    /// The number of the file.
    file: u32,
    /// How many pieces of it were looked at, and how many were kept.
    pieces: u64,
    kept: u64,
    /// The number of the next piece that has none of its own.
    number: u64,
    seen: Seen,
    run: Run,
    mentions: Mentions,
    details: Vec<(usize, u64, u64, bool)>,
    failed: Option<io::Error>,
}

impl Reader<'_> {
    fn input(&mut self, path: &str, input: &Input<'_>) -> Result<(), Fault> {
        self.pieces += 1;
        match input {
            Input::Record(_, found) => {
                let place = format!("#{}", found.index);
                let text = found.text;
                let content = Content { bare: true, line: None, at: Some(found.at), place: &place, text };
                self.number = found.index + 1;
                if found.head.as_ref().is_some_and(|head| self.keep_by(head, found.index, &content)) {
                    return Ok(());
                }
                let piece = found.piece(path)?;
                self.read(path, &piece.json, found.index, &content)
            }
            Input::Piece(_, piece) => {
                let (place, text) = (piece.source.strip_prefix(path).unwrap_or_default(), piece.json.get());
                let content = Content { bare: true, line: piece.line, at: piece.at, place, text };
                let number = self.number;
                self.number += 1;
                if serde_json::from_str(text).is_ok_and(|head| self.keep_by(&head, number, &content)) {
                    return Ok(());
                }
                self.read(path, &piece.json, number, &content)
            }
        }
    }

    /// Keeps a record for its turn, if its head tells when that is. Everything else about it is read then.
    fn keep_by(&mut self, head: &Head<'_>, number: u64, content: &Content<'_>) -> bool {
        let known = || {
            let (source, name) = (head.source.known()?, head.name.known()?);
            let api = Api::find(source, name).filter(|_| head.envelope.is_absent())?;
            let time: Timestamp = head.time.known()?.parse().ok()?;
            let id: ChangeId = head.id.known()?.parse().ok()?;
            let account: AccountId = head.account.known()?.parse().ok()?;
            Some((api, time, id, account))
        };
        let Some((api, time, id, account)) = known().filter(|(_, time, ..)| self.counts(*time)) else {
            return false;
        };
        self.keep(time, api, (&id, &account), number, content);
        true
    }

    /// Reads a piece, and keeps it for its turn if it is a change.
    fn read(&mut self, path: &str, json: &RawValue, number: u64, content: &Content<'_>) -> Result<(), Fault> {
        let Some(change) = self.seen.change(path, json, &Content { bare: false, ..*content })? else {
            return Ok(());
        };
        if !self.counts(change.time) {
            self.seen.events.skipped += 1;
            return Ok(());
        }
        // It is counted when its turn comes.
        self.seen.events.read -= 1;
        let content = Content { bare: false, ..*content };
        self.keep(change.time, change.api, (&change.id, &change.account), number, &content);
        Ok(())
    }

    fn counts(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }

    fn keep(
        &mut self,
        time: Timestamp,
        api: Api,
        (id, account): (&ChangeId, &AccountId),
        number: u64,
        content: &Content<'_>,
    ) {
        let (rank, file) = (api as u16, self.file);
        let key = Key { time, rank, id: id.as_str(), account: account.as_str(), file, number };
        self.run.add(&key, content);
        self.mentions.note(content.text, time);
        self.kept += 1;
        self.collect(|sorter, run| sorter.collect(run));
    }

    fn collect(&mut self, take: impl Fn(&Sorter, &mut Run) -> io::Result<()>) {
        let Some(sorter) = self.sorter.filter(|_| self.failed.is_none()) else { return };
        self.failed = take(sorter, &mut self.run).err();
    }
}

/// How many pieces are no event.
pub(crate) fn no_events(events: &Events) -> u64 {
    events.ignored_by_reason.get(NOT_AN_EVENT).copied().unwrap_or(0) + documents(events)
}

/// How many of them are what `check` reads.
pub(crate) fn documents(events: &Events) -> u64 {
    events.ignored_by_reason.get(DOCUMENT).copied().unwrap_or(0)
}

impl Seen {
    /// Adds what was counted and said elsewhere.
    pub(crate) fn append(&mut self, other: Self) {
        self.events.add(&other.events);
        self.faults.append(other.faults);
        self.strange.append(other.strange);
    }

    /// Counts what a piece of JSON is; answers the change that it is. Of what is no event, nothing is kept.
    pub(crate) fn change(
        &mut self,
        path: &str,
        json: &RawValue,
        content: &Content<'_>,
    ) -> Result<Option<Change>, Fault> {
        let fault = |message: String| content.fault(path, message);
        let parsed = match content.bare {
            true => parse(&Record::CloudTrail(json)),
            false => Record::read(json).and_then(|record| parse(&record)),
        };
        let parsed = match parsed {
            // Digests, indexes and other JSON lie beside logs.
            Err(ParseError::NotAnEvent) => None,
            Err(error) => return Err(fault(error.to_string())),
            Ok(parsed) => Some(parsed),
        };
        self.events.read += 1;
        match parsed {
            None if is_document(json) => self.events.ignore(DOCUMENT),
            None => self.events.ignore(NOT_AN_EVENT),
            Some(Parsed::Ignored(why)) => self.events.ignore(why.as_str()),
            Some(Parsed::Rejected(rejected)) => {
                self.events.rejected += 1;
                return Err(Fault { rejected: true, ..fault(rejected.to_string()) });
            }
            Some(Parsed::Change(change)) => return Ok(Some(*change)),
        }
        Ok(None)
    }
}

fn is_document(json: &RawValue) -> bool {
    check::read(json, None, &Home::default()).is_ok()
}

impl Events {
    /// Counts records that nobody watches.
    fn unwatched(&mut self, count: u64) {
        self.read += count;
        self.ignored += count;
        if count > 0 {
            *self.ignored_by_reason.entry(Ignored::Unwatched.as_str()).or_default() += count;
        }
    }
}
