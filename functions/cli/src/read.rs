//! Input: files, folders and standard input, to pieces of JSON.
//!
//! There are two readers. A log, a text that begins with `{"Records":[`, goes through a window and is never held as a
//! whole. Anything else is held and split, up to a limit; beyond that it is read by line, or by element of a list.

pub(crate) mod faults;
pub(crate) mod files;
mod head;
mod large;
mod lists;
mod log;
pub(crate) mod pieces;
mod scan;
pub(crate) mod sort;
mod window;

use std::borrow::Cow;
use std::cmp::Ordering as Order;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::progress;
use faults::Faults;
use files::Source;
pub(crate) use head::Head;
pub(crate) use log::Found;
use pieces::{Piece, split};
use window::{LIMIT, More, SMALL, Window};

/// Something that could not be read: where, and why. Never holds a value of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The path as given, with `:LINE` or `#INDEX` where a part is meant.
    pub(crate) source: String,
    /// The line, where one is to blame.
    pub(crate) line: Option<usize>,
    /// The offset in bytes, behind gzip in those of the content.
    pub(crate) offset: Option<u64>,
    /// What is wrong, and what to do.
    pub(crate) message: String,
    /// The event was read, and names another account's resource: said, and no failure to read.
    pub(crate) rejected: bool,
    /// The file that it is about, where a report asks for that; none where it is about the paths that were given.
    pub(crate) file: Option<Arc<Path>>,
}

impl Fault {
    /// Something that could not be read.
    pub(crate) fn new(source: impl Into<String>, message: impl Into<String>) -> Self {
        let (source, message) = (source.into(), message.into());
        Self { source, line: None, offset: None, message, rejected: false, file: None }
    }

    /// The line that is to blame.
    pub(crate) fn at_line(mut self, line: Option<usize>) -> Self {
        self.line = line;
        self
    }

    /// The offset from which on nothing could be read.
    pub(crate) fn at_offset(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }
}

/// By place, numbers in it by what they amount to, so that `#2` comes before `#10`.
impl Ord for Fault {
    fn cmp(&self, other: &Self) -> Order {
        let rest = |fault: &Self| (fault.line, fault.offset, fault.rejected);
        by_numbers(&self.source, &other.source)
            .then_with(|| rest(self).cmp(&rest(other)))
            .then_with(|| (&self.message, &self.file).cmp(&(&other.message, &other.file)))
    }
}

impl PartialOrd for Fault {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

/// The order of two texts up to their first difference; where that lies within numbers, these decide.
fn by_numbers(one: &str, other: &str) -> Order {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let before = one[..same].iter().rev().take_while(|sign| sign.is_ascii_digit()).count();
    let number = |text: &[u8]| -> Option<(usize, Vec<u8>)> {
        let digits = text[same - before..].iter().take_while(|sign| sign.is_ascii_digit());
        let digits: Vec<u8> = digits.copied().skip_while(|digit| *digit == b'0').collect();
        text.get(same - before).filter(|sign| sign.is_ascii_digit()).map(|_| (digits.len(), digits))
    };
    let numbers = number(one).zip(number(other)).map_or(Order::Equal, |(one, other)| one.cmp(&other));
    numbers.then_with(|| one.cmp(other))
}

/// A size for people.
pub(crate) fn mebibytes(size: u64) -> String {
    format!("{} MiB", size >> 20)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.message)
    }
}

/// How much is held at a time, and at most. Tests read the same through a small window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) window: usize,
    pub(crate) limit: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { window: SMALL, limit: LIMIT }
    }
}

/// What was found in a file.
pub(crate) enum Input<'a> {
    /// A record of a log that was scanned, by the name of its file.
    Record(&'a str, &'a Found<'a>),
    /// Any other piece of JSON, and the text that it stands in, as far as that is at hand.
    Piece(&'a str, &'a Piece<'a>),
}

/// Takes what was found; answers why it cannot be read.
pub(crate) type Each<'e> = &'e mut dyn FnMut(Input<'_>) -> Result<(), Fault>;

/// Whether a record of a log that has this name is to be looked at.
pub(crate) type Watched<'w> = &'w dyn Fn(&[u8]) -> bool;

/// Reads a file. Logs are scanned for the records that somebody watches; without `watched` each of their records is a
/// piece like any other. Answers how many records nobody watches and nobody looked at.
pub(crate) fn file(
    path: &Path,
    sizes: Sizes,
    buffer: &mut Vec<u8>,
    watched: Option<Watched<'_>>,
    faults: &mut Faults,
    each: Each<'_>,
) -> u64 {
    let name = files::name(path);
    let Source { content, gzip } = match files::open(path) {
        Ok(source) => source,
        Err(fault) => {
            faults.add(fault);
            return 0;
        }
    };
    let mut window = Window::new(content, buffer, sizes.window, sizes.limit + scan::BEHIND);
    let quiet = content_of(&name, sizes.limit, &mut window, watched, faults, each);
    if let Some(error) = window.broken() {
        faults.add(files::breaks_off(&name, gzip, window.end(), error));
    }
    quiet
}

/// Reads a file of which every piece is wanted.
pub(crate) fn pieces(
    path: &Path,
    buffer: &mut Vec<u8>,
    faults: &mut Faults,
    mut each: impl FnMut(&Piece<'_>) -> Result<(), Fault>,
) {
    within(path, buffer, faults, |_, piece| each(piece));
}

/// The same, with the text that a piece stands in; empty where that was never held as a whole.
pub(crate) fn within(
    path: &Path,
    buffer: &mut Vec<u8>,
    faults: &mut Faults,
    mut each: impl FnMut(&str, &Piece<'_>) -> Result<(), Fault>,
) {
    let each = &mut |input: Input<'_>| match input {
        Input::Piece(text, piece) => each(text, piece),
        Input::Record(path, found) => each("", &found.piece(path)?),
    };
    file(path, Sizes::default(), buffer, None, faults, each);
}

fn content_of(
    name: &str,
    limit: usize,
    window: &mut Window<'_>,
    watched: Option<Watched<'_>>,
    faults: &mut Faults,
    each: Each<'_>,
) -> u64 {
    while window.end() < scan::BEHIND as u64 && window.more(0) == More::Read {}
    if scan::is_utf_16(window.from(0)) {
        faults.add(Fault::new(name, "UTF-16, which is not read: convert it to UTF-8"));
        return 0;
    }
    let mark = if window.from(0).starts_with(scan::MARK) { scan::MARK.len() } else { 0 };
    let begins = mark as u64;
    match scan::opening(window.from(begins)) {
        Some(opening) if opening.list == scan::RECORDS => {
            let first = begins + opening.at as u64;
            let mut record = |found: &Found<'_>| each(Input::Record(name, found));
            let log::Read { quiet, lines } =
                log::read(window, name, first, limit, watched, faults, &mut record);
            if let Some((at, number)) = lines {
                let first = (at, large::Number::Document(number));
                large::lines(name, first, limit, window, faults, each);
            }
            return quiet;
        }
        _ => {}
    }
    loop {
        match window.more(begins) {
            More::Read => continue,
            More::End => whole(name, window, faults, each),
            More::Full => large::read(name, limit, window, faults, each),
        }
        return 0;
    }
}

/// A text that is held as a whole.
fn whole(name: &str, window: &Window<'_>, faults: &mut Faults, each: Each<'_>) {
    let bytes = window.from(window.start());
    let broken = window.broken().is_some();
    if broken && bytes.is_empty() {
        return;
    }
    let mut lost = broken;
    let text = match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) => {
            let at = error.valid_up_to();
            // A stream that breaks off may do so inside a character.
            let cut = broken && error.error_len().is_none();
            match files::lines(bytes).filter(|_| !cut) {
                Some(text) => Cow::Owned(text),
                None => {
                    if !broken {
                        let message =
                            format!("not UTF-8 at offset {at}: what came before is read, the rest is lost");
                        faults.add(Fault::new(name, message).at_offset(at as u64));
                        lost = true;
                    }
                    String::from_utf8_lossy(bytes.get(..at).unwrap_or_default())
                }
            }
        }
    };
    let tail = split(name, &text, faults, &mut |piece| each(Input::Piece(&text, piece)));
    // Where the bytes break off, that the text does so too is no news.
    faults.extend(tail.filter(|_| !lost));
}

/// How many threads read: as many as were asked for, or as there are cores.
pub(crate) fn jobs(asked: Option<u16>) -> usize {
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    asked.map_or_else(cores, usize::from)
}

/// Reads files on many threads; each of them keeps a state of its own, and these are the answer. What they come to must
/// not depend on which thread reads which file.
pub(crate) fn all<T: Send>(
    paths: &[PathBuf],
    jobs: usize,
    quiet: bool,
    state: impl Fn() -> T + Sync,
    one: impl Fn(usize, &Path, &mut Vec<u8>, &mut T) + Sync,
) -> Vec<T> {
    let bar = progress::files(paths.len(), quiet);
    // The longest first: whoever gets it last would keep all others waiting.
    let order = files::longest_first(paths, jobs);
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut state, mut buffer) = (state(), Vec::new());
        while let Some(index) = order.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
            if let Some(path) = paths.get(index) {
                one(index, path, &mut buffer, &mut state);
            }
            bar.inc(1);
        }
        state
    };
    let states = Mutex::new(Vec::new());
    let done = |state| states.lock().unwrap_or_else(PoisonError::into_inner).push(state);
    thread::scope(|scope| {
        for _ in 1..jobs.min(paths.len()) {
            scope.spawn(|| done(work()));
        }
        done(work());
    });
    bar.finish_and_clear();
    states.into_inner().unwrap_or_else(PoisonError::into_inner)
}
