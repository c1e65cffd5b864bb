//! Records in the order of their times, however many there are: runs of them are sorted in memory, and beyond a limit
//! written to a temporary file, which has no name and is gone with the process. It holds what the events hold.

mod merge;

use std::fs::File;
use std::io::{self, Seek, Write};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::Fault;
pub(crate) use merge::{Record, Sorted};
use merge::{Source, Spilled};

/// How much of what is kept may stand in memory.
pub(crate) const IN_MEMORY: usize = 16 * 1024 * 1024;

/// How much one thread collects before the others get to see it.
const PORTION: usize = 256 * 1024;

/// What records are ordered by: the time, in one second the order in which calls refer to each other, then what names
/// a change, so that two deliveries of it are neighbours, and then where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key<'a> {
    pub(crate) time: Timestamp,
    pub(crate) rank: u16,
    pub(crate) id: &'a str,
    pub(crate) account: &'a str,
    /// The number of the file.
    pub(crate) file: u32,
    /// The number of the piece within the file.
    pub(crate) number: u64,
}

/// Where a record stands in its file, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content<'a> {
    /// Whether it is a bare CloudTrail record, by its first members.
    pub(crate) bare: bool,
    pub(crate) line: Option<usize>,
    /// The offset at which it begins, where that is known.
    pub(crate) at: Option<u64>,
    /// What names the place in the file: `#INDEX`, `:LINE`.
    pub(crate) place: &'a str,
    pub(crate) text: &'a str,
}

impl Content<'_> {
    /// That it cannot be read, and why.
    pub(crate) fn fault(&self, path: &str, message: impl Into<String>) -> Fault {
        let fault = Fault::new(format!("{path}{}", self.place), message).at_line(self.line);
        Fault { offset: self.at, ..fault }
    }
}

/// The numbers of a record; its texts stand one behind the other in other bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Numbers {
    time: Timestamp,
    rank: u16,
    bare: bool,
    file: u32,
    number: u64,
    line: u64,
    /// The offset, and 1 more; 0 where there is none.
    at: u64,
    /// The lengths of id, account, place and text.
    lengths: [u32; 4],
}

impl Numbers {
    /// How many bytes they take in a file.
    const SIZE: usize = 8 + 4 + 2 + 1 + 4 + 8 + 8 + 8 + 16;

    fn texts(&self) -> usize {
        self.lengths.iter().map(|length| *length as usize).sum()
    }

    fn names(&self) -> usize {
        self.lengths[0] as usize + self.lengths[1] as usize
    }

    fn key<'a>(&self, texts: &'a str) -> Key<'a> {
        let [id, account, _, _] = self.parts(texts);
        let Self { time, rank, file, number, .. } = *self;
        Key { time, rank, id, account, file, number }
    }

    fn parts<'a>(&self, mut texts: &'a str) -> [&'a str; 4] {
        self.lengths.map(|length| {
            let (part, rest) = texts.split_at_checked(length as usize).unwrap_or((texts, ""));
            texts = rest;
            part
        })
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.extend(self.time.as_second().to_le_bytes());
        to.extend(self.time.subsec_nanosecond().to_le_bytes());
        to.extend(self.rank.to_le_bytes());
        to.push(u8::from(self.bare));
        to.extend(self.file.to_le_bytes());
        to.extend(self.number.to_le_bytes());
        to.extend(self.line.to_le_bytes());
        to.extend(self.at.to_le_bytes());
        self.lengths.iter().for_each(|length| to.extend(length.to_le_bytes()));
    }

    fn read(mut from: &[u8]) -> Option<Self> {
        fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
            let (taken, rest) = from.split_first_chunk::<N>()?;
            *from = rest;
            Some(*taken)
        }
        let (second, nanosecond) =
            (i64::from_le_bytes(take(&mut from)?), i32::from_le_bytes(take(&mut from)?));
        let time = Timestamp::new(second, nanosecond).ok()?;
        let (rank, [bare]) = (u16::from_le_bytes(take(&mut from)?), take(&mut from)?);
        let file = u32::from_le_bytes(take(&mut from)?);
        let (number, line) = (u64::from_le_bytes(take(&mut from)?), u64::from_le_bytes(take(&mut from)?));
        let at = u64::from_le_bytes(take(&mut from)?);
        let mut lengths = [0; 4];
        for length in &mut lengths {
            *length = u32::from_le_bytes(take(&mut from)?);
        }
        Some(Self { time, rank, bare: bare == 1, file, number, line, at, lengths })
    }
}

/// Records in memory.
#[derive(Debug, Default)]
pub(crate) struct Run {
    records: Vec<(Numbers, usize)>,
    texts: String,
}

impl Run {
    /// Adds a record.
    pub(crate) fn add(&mut self, key: &Key<'_>, content: &Content<'_>) {
        let texts = [key.id, key.account, content.place, content.text];
        // No text is longer than what a reader holds.
        let lengths = texts.map(|text| u32::try_from(text.len()).unwrap_or(u32::MAX));
        let Key { time, rank, file, number, .. } = *key;
        let line = content.line.map_or(0, |line| line as u64);
        let at = content.at.map_or(0, |at| at + 1);
        let numbers = Numbers { time, rank, bare: content.bare, file, number, line, at, lengths };
        self.records.push((numbers, self.texts.len()));
        self.texts.extend(texts);
    }

    fn size(&self) -> usize {
        self.texts.len() + self.records.len() * size_of::<(Numbers, usize)>()
    }

    fn append(&mut self, other: &mut Self) {
        let before = self.texts.len();
        self.records.extend(other.records.drain(..).map(|(numbers, at)| (numbers, before + at)));
        self.texts.push_str(&other.texts);
        other.texts.clear();
    }

    fn texts(&self, numbers: &Numbers, at: usize) -> &str {
        self.texts.get(at..at + numbers.texts()).unwrap_or_default()
    }

    fn sort(&mut self) {
        let Self { records, texts } = self;
        let key = |(numbers, at): &(Numbers, usize)| numbers.key(texts.get(*at..).unwrap_or_default());
        records.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
    }
}

/// Sorts what many threads find.
pub(crate) struct Sorter {
    limit: usize,
    sorting: Mutex<Sorting>,
}

#[derive(Default)]
struct Sorting {
    run: Run,
    spilled: Option<File>,
    /// Where runs begin in the file, and where they end.
    runs: Vec<(u64, u64)>,
    count: u64,
}

impl Sorter {
    /// A sorter that holds so much in memory.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, sorting: Mutex::default() }
    }

    /// Takes what a thread has collected, if that is worth it.
    pub(crate) fn collect(&self, run: &mut Run) -> io::Result<()> {
        if run.size() < PORTION.min(self.limit) { Ok(()) } else { self.take(run) }
    }

    /// Takes what a thread has collected.
    pub(crate) fn take(&self, run: &mut Run) -> io::Result<()> {
        let mut sorting = self.sorting.lock().unwrap_or_else(PoisonError::into_inner);
        if !sorting.run.records.is_empty() && sorting.run.size() + run.size() > self.limit {
            sorting.spill()?;
        }
        sorting.count += run.records.len() as u64;
        sorting.run.append(run);
        Ok(())
    }

    /// Everything that was taken, in order.
    pub(crate) fn sorted(self) -> io::Result<Sorted> {
        let mut sorting = self.sorting.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Beside others the last run goes the same way: history is walked with what memory it held.
        if !sorting.runs.is_empty() {
            sorting.spill()?;
            sorting.run = Run::default();
        }
        let Sorting { mut run, spilled, runs, count } = sorting;
        run.sort();
        let mut sources = vec![Source::Memory { run, next: 0 }];
        // However many runs there are, their buffers together stay small.
        let room = (IN_MEMORY / runs.len().max(1)).clamp(4 * 1024, 64 * 1024);
        sources.extend(runs.into_iter().map(|run| Source::File(Spilled::new(run, room))));
        Sorted::of(sources, spilled, count)
    }
}

impl Sorting {
    /// Writes the run away.
    fn spill(&mut self) -> io::Result<()> {
        self.run.sort();
        let mut file = match self.spilled.take() {
            Some(file) => file,
            None => tempfile::tempfile()?,
        };
        let begin = file.stream_position()?;
        let mut bytes = Vec::new();
        for (numbers, at) in &self.run.records {
            numbers.write(&mut bytes);
            bytes.extend_from_slice(self.run.texts(numbers, *at).as_bytes());
            if bytes.len() >= PORTION {
                file.write_all(&bytes)?;
                bytes.clear();
            }
        }
        file.write_all(&bytes)?;
        self.runs.push((begin, file.stream_position()?));
        self.spilled = Some(file);
        self.run.records.clear();
        self.run.texts.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u64) -> (Timestamp, u16, String) {
        let time = Timestamp::from_second((number * 7919 % 50) as i64).unwrap();
        (time, (number % 3) as u16, format!("id-{}", number % 20))
    }

    /// What comes out of a sorter of this size, where these threads put in the same in turns.
    fn sorted(limit: usize, threads: u64, numbers: &[u64]) -> (Vec<Record>, usize) {
        let sorter = Sorter::new(limit);
        let mut runs: Vec<Run> = (0..threads).map(|_| Run::default()).collect();
        for (turn, number) in numbers.iter().enumerate() {
            let (time, rank, id) = record(*number);
            let key = Key { time, rank, id: &id, account: "1", file: (number % 4) as u32, number: *number };
            let (place, text) = (format!("#{number}"), "é".repeat(*number as usize % 90));
            let line = Some(*number as usize).filter(|line| *line > 0);
            let run = &mut runs[turn % threads as usize];
            run.add(
                &key,
                &Content {
                    bare: number % 2 == 0,
                    line,
                    at: line.map(|at| at as u64 - 1),
                    place: &place,
                    text: &text,
                },
            );
            sorter.collect(run).unwrap();
        }
        runs.iter_mut().for_each(|run| sorter.take(run).unwrap());
        let mut all = sorter.sorted().unwrap();
        let spilled = all.runs() - 1;
        assert_eq!(all.count(), numbers.len() as u64);
        let mut records = Vec::new();
        while let Some(record) = all.next().unwrap() {
            records.push(record);
        }
        (records, spilled)
    }

    #[test]
    fn the_order_depends_on_nothing_but_the_records() {
        let mut numbers: Vec<u64> = (0..2000).collect();
        let (first, spilled) = sorted(usize::MAX, 1, &numbers);
        assert_eq!((first.len(), spilled), (2000, 0));
        assert!(first.is_sorted_by(|a, b| a.key() < b.key()));
        numbers.reverse();
        numbers.rotate_left(700);
        for (limit, threads) in [(100_000, 1), (30_000, 3), (500, 2), (1, 1)] {
            let (other, spilled) = sorted(limit, threads, &numbers);
            assert!(spilled > 1, "{limit}");
            assert!(first == other, "{limit} {threads}");
        }
    }

    /// However long records are, the merge holds none of them but the one whose turn it is.
    #[test]
    fn the_merge_holds_no_texts() {
        let sorter = Sorter::new(1);
        let text = "x".repeat(1 << 21);
        for number in 0..8 {
            let (time, rank, id) = record(number);
            let key = Key { time, rank, id: &id, account: "1", file: 0, number };
            let mut run = Run::default();
            run.add(&key, &Content { bare: true, line: None, at: None, place: "", text: &text });
            sorter.take(&mut run).unwrap();
        }
        let mut all = sorter.sorted().unwrap();
        while let Some(record) = all.next().unwrap() {
            assert!(record.content().text == text);
            assert!(all.held() < 1 << 21, "{}", all.held());
        }
    }

    #[test]
    fn a_record_comes_out_as_it_went_in() {
        let (records, _) = sorted(1, 1, &[5, 0]);
        assert_eq!(
            records[1].content(),
            Content { bare: false, line: Some(5), at: Some(4), place: "#5", text: "ééééé" }
        );
        assert_eq!(records[0].content(), Content { bare: true, line: None, at: None, place: "#0", text: "" });
        assert_eq!((records[1].key().id, records[1].key().account), ("id-5", "1"));
    }
}
