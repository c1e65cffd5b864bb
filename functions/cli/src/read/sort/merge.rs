//! The merge of sorted runs. Of each run it holds the numbers and the names of the next record alone; the rest of it is
//! read when its turn comes.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::{Content, Key, Numbers, Run};

/// A record, taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    numbers: Numbers,
    texts: Box<str>,
}

impl Record {
    /// What it is ordered by.
    pub(crate) fn key(&self) -> Key<'_> {
        self.numbers.key(&self.texts)
    }

    /// Where it stands, and what it says.
    pub(crate) fn content(&self) -> Content<'_> {
        let [_, _, place, text] = self.numbers.parts(&self.texts);
        let line = usize::try_from(self.numbers.line).ok().filter(|line| *line > 0);
        Content { bare: self.numbers.bare, line, at: self.numbers.at.checked_sub(1), place, text }
    }
}

/// Where a sorted run stands.
pub(super) enum Source {
    Memory { run: Run, next: usize },
    File(Spilled),
}

/// A run in the temporary file.
pub(super) struct Spilled {
    /// Where that begins which was not read yet, and where it ends.
    at: u64,
    end: u64,
    /// How much is read at a time.
    room: usize,
    /// What was read, and how much of it was taken.
    buffer: Vec<u8>,
    taken: usize,
}

/// The next record of a run, as far as its place among the others asks for.
struct Head {
    numbers: Numbers,
    /// Its id and its account.
    names: Box<str>,
    source: usize,
}

impl Head {
    fn key(&self) -> Key<'_> {
        self.numbers.key(&self.names)
    }
}

/// Records in order.
pub(crate) struct Sorted {
    sources: Vec<Source>,
    spilled: Option<File>,
    /// The head of each run that has one, the last of them in the order first.
    heads: Vec<Head>,
    count: u64,
}

impl Sorted {
    /// The records of runs, some of which stand in a file.
    pub(super) fn of(sources: Vec<Source>, spilled: Option<File>, count: u64) -> io::Result<Self> {
        let mut sorted = Self { sources, spilled, heads: Vec::new(), count };
        for source in 0..sorted.sources.len() {
            sorted.advance(source)?;
        }
        Ok(sorted)
    }

    /// How much is held of runs that stand in the file.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        let buffer = |source: &Source| match source {
            Source::Memory { .. } => 0,
            Source::File(spilled) => spilled.buffer.capacity(),
        };
        let names = self.heads.iter().map(|head| head.names.len());
        self.sources.iter().map(buffer).chain(names).sum()
    }

    /// How many runs there are.
    #[cfg(test)]
    pub(super) fn runs(&self) -> usize {
        self.sources.len()
    }

    /// How many records there were in the beginning.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The next record.
    pub(crate) fn next(&mut self) -> io::Result<Option<Record>> {
        let Some(Head { numbers, names, source }) = self.heads.pop() else { return Ok(None) };
        let Some(from) = self.sources.get_mut(source) else { return Ok(None) };
        let texts = from.texts(&numbers, &names, self.spilled.as_mut())?;
        self.advance(source)?;
        Ok(Some(Record { numbers, texts }))
    }

    /// Puts a run's next record among the others.
    fn advance(&mut self, source: usize) -> io::Result<()> {
        let next = match self.sources.get_mut(source) {
            Some(from) => from.head(self.spilled.as_mut())?,
            None => None,
        };
        if let Some((numbers, names)) = next {
            let head = Head { numbers, names, source };
            let at = self.heads.partition_point(|other| other.key().cmp(&head.key()) == Ordering::Greater);
            self.heads.insert(at, head);
        }
        Ok(())
    }
}

impl Source {
    /// The numbers and the names of the next record.
    fn head(&mut self, file: Option<&mut File>) -> io::Result<Option<(Numbers, Box<str>)>> {
        match self {
            Self::Memory { run, next } => {
                let Some((numbers, at)) = run.records.get(*next).copied() else { return Ok(None) };
                let names = run.texts(&numbers, at).get(..numbers.names()).unwrap_or_default();
                Ok(Some((numbers, names.into())))
            }
            Self::File(spilled) => {
                let Some(file) = file.filter(|_| !spilled.is_over()) else { return Ok(None) };
                let numbers = Numbers::read(&spilled.take(Numbers::SIZE, file)?).ok_or_else(changed)?;
                let names = spilled.text(numbers.names(), file)?;
                Ok(Some((numbers, names.into())))
            }
        }
    }

    /// All texts of the record whose head was read last.
    fn texts(&mut self, numbers: &Numbers, names: &str, file: Option<&mut File>) -> io::Result<Box<str>> {
        match self {
            Self::Memory { run, next } => {
                let at = run.records.get(*next).map_or(0, |(_, at)| *at);
                *next += 1;
                Ok(run.texts(numbers, at).into())
            }
            Self::File(spilled) => {
                let rest = spilled.text(numbers.texts() - names.len(), file.ok_or_else(changed)?)?;
                Ok((names.to_owned() + &rest).into())
            }
        }
    }
}

impl Spilled {
    /// A run that stands between two offsets, of which so much is read at a time.
    pub(super) fn new((at, end): (u64, u64), room: usize) -> Self {
        Self { at, end, room, buffer: Vec::new(), taken: 0 }
    }

    fn is_over(&self) -> bool {
        self.at == self.end && self.taken == self.buffer.len()
    }

    /// The next bytes. What is longer than what is read at a time goes past the buffer, which never grows.
    fn take(&mut self, length: usize, file: &mut File) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(length);
        loop {
            let ready = self.buffer.get(self.taken..).unwrap_or_default();
            let some = &ready[..ready.len().min(length - bytes.len())];
            bytes.extend_from_slice(some);
            self.taken += some.len();
            let missing = length - bytes.len();
            if missing == 0 {
                return Ok(bytes);
            }
            let left = self.end - self.at;
            if left == 0 {
                return Err(changed());
            }
            file.seek(SeekFrom::Start(self.at))?;
            let long = missing >= self.room;
            let wanted = left.min(if long { missing } else { self.room } as u64);
            let read = if long {
                (&mut *file).take(wanted).read_to_end(&mut bytes)?
            } else {
                self.buffer.resize(usize::try_from(wanted).unwrap_or(self.room), 0);
                let read = file.read(&mut self.buffer)?;
                self.buffer.truncate(read);
                self.taken = 0;
                read
            };
            self.at += read as u64;
            if read == 0 {
                return Err(changed());
            }
        }
    }

    fn text(&mut self, length: usize, file: &mut File) -> io::Result<String> {
        String::from_utf8(self.take(length, file)?).map_err(|_| changed())
    }
}

fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the temporary file has changed")
}
