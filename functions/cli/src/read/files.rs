//! Paths to files, and files to content: folders are walked in the order of their names, gzip is told by its first bytes.

use std::cmp::Reverse;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::mem;
use std::path::{Component, Path, PathBuf};

use flate2::bufread::GzDecoder;
use walkdir::WalkDir;

use super::Fault;
use super::pieces::by_line;
use crate::output::plain;

/// The name that stands for standard input.
const STDIN: &str = "-";

/// What a folder's files must end in to be read.
const ENDINGS: [&str; 5] = ["json", "jsonl", "ndjson", "log", "gz"];

/// What is behind the paths that were given.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// The files, each once.
    pub(crate) files: Vec<PathBuf>,
    /// What could not be looked into.
    pub(crate) faults: Vec<Fault>,
    /// How many files of a folder are passed over, since they end in something else.
    pub(crate) others: Vec<(PathBuf, u64)>,
}

/// The files behind the paths that were given; folders hold those with a known ending.
pub(crate) fn list(paths: &[PathBuf]) -> Listed {
    let Listed { mut files, mut faults, mut others } = Listed::default();
    for path in paths {
        if path.as_os_str() == STDIN || !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len() + faults.len();
        let mut passed = 0;
        for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() && known(entry.path()) => {
                    files.push(entry.into_path());
                }
                Ok(entry) => passed += u64::from(entry.file_type().is_file()),
                Err(error) => {
                    let place = error.path().unwrap_or(path).to_owned();
                    let reason = match error.loop_ancestor() {
                        Some(_) => "it leads back to a folder that it is in".to_owned(),
                        None => reason(&error.into()),
                    };
                    faults.push(fault(&place, format!("cannot be read: {reason}")));
                }
            }
        }
        if files.len() + faults.len() == before {
            let wanted = ENDINGS.join(", .");
            faults.push(fault(path, format!("no file in this folder ends in .{wanted}")));
        }
        others.extend(Some((path.clone(), passed)).filter(|(_, passed)| *passed > 0));
    }
    // One file may be spelled in many ways: which of them is read must not depend on their order.
    files.sort_by_cached_key(|path| (place(path), path.as_os_str().to_owned()));
    let is_stdin = |path: &Path| path.as_os_str() == STDIN;
    files.dedup_by(|one, other| place(one) == place(other) && is_stdin(one) == is_stdin(other));
    others.sort();
    others.dedup();
    Listed { files, faults, others }
}

/// Where a path leads, however it is spelled. A relative path stays one: whoever reads a report may stand elsewhere.
pub(crate) fn place(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

/// Says what of folders is passed over, for the curious.
pub(crate) fn passed_over(others: &[(PathBuf, u64)]) -> impl Iterator<Item = String> {
    others.iter().map(|(folder, count)| {
        format!("{}: {count} more whose names end in nothing that is read", name(folder))
    })
}

fn known(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

fn fault(path: &Path, message: String) -> Fault {
    Fault::new(name(path), message)
}

/// A path for people: control characters could forge lines of a report.
pub(crate) fn name(path: &Path) -> String {
    plain(&path.display().to_string())
}

/// A file's content, as it is read.
pub(crate) struct Source {
    pub(crate) content: Box<dyn Read>,
    pub(crate) gzip: bool,
}

/// How much of a file is read at a time.
const CHUNK: usize = 64 * 1024;

/// Opens a file, or standard input. Gzip is told by its first bytes; it may have many members.
pub(crate) fn open(path: &Path) -> Result<Source, Fault> {
    let broken = |error: &io::Error| fault(path, format!("cannot be read: {}", reason(error)));
    if path.as_os_str() == STDIN {
        return unpacked(io::stdin().lock()).map_err(|error| broken(&error));
    }
    let file = File::open(path).map_err(|error| broken(&error))?;
    unpacked(BufReader::with_capacity(CHUNK, file)).map_err(|error| broken(&error))
}

fn unpacked(mut content: impl BufRead + 'static) -> io::Result<Source> {
    // A slow pipe may give one byte at a time.
    let (mut first, mut known) = ([0; GZIP.len()], 0);
    while let Some(room) = first.get_mut(known..).filter(|room| !room.is_empty()) {
        match content.read(room) {
            Ok(0) => break,
            Ok(read) => known += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let content = Cursor::new(first).take(known as u64).chain(content);
    let gzip = first == GZIP;
    let content: Box<dyn Read> = if gzip { Box::new(Members::new(content)) } else { Box::new(content) };
    Ok(Source { content, gzip })
}

/// What gzip begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The members of gzip, one behind the other. Tapes and some tools fill up with zeros behind the last.
enum Members<R> {
    Within(Box<GzDecoder<R>>),
    Between(R),
    Done,
}

impl<R: BufRead> Members<R> {
    fn new(content: R) -> Self {
        Self::Within(Box::new(GzDecoder::new(content)))
    }

    /// Goes on behind a member.
    fn next(mut content: R) -> io::Result<Self> {
        loop {
            let text = content.fill_buf()?;
            let zeros = text.iter().take_while(|byte| **byte == 0).count();
            match text.get(zeros) {
                None if text.is_empty() => return Ok(Self::Done),
                None => content.consume(zeros),
                Some(first) if *first == GZIP[0] => {
                    content.consume(zeros);
                    return Ok(Self::new(content));
                }
                Some(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, RUBBISH)),
            }
        }
    }
}

/// What follows on gzip and is none.
const RUBBISH: &str = "what follows on its last member is no gzip";

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match mem::replace(self, Self::Done) {
                Self::Within(mut member) => {
                    let read = member.read(into);
                    if into.is_empty() || !matches!(read, Ok(0)) {
                        *self = Self::Within(member);
                        return read;
                    }
                    *self = Self::Between(member.into_inner());
                }
                Self::Between(content) => *self = Self::next(content)?,
                Self::Done => return Ok(0),
            }
        }
    }
}

/// That a file's content breaks off.
pub(crate) fn breaks_off(name: &str, gzip: bool, at: u64, error: &io::Error) -> Fault {
    let why = reason(error);
    let message = match (gzip, at) {
        (false, 0) => format!("cannot be read: {why}"),
        (false, _) => {
            format!("cannot be read on from offset {at} ({why}): what came before is read, the rest is lost")
        }
        (true, _) if why == RUBBISH => {
            format!("gzip is whole, {at} bytes of content; {why} and is not read")
        }
        (true, _) => format!(
            "gzip breaks off after {at} bytes of content ({why}): what came before is read, the rest is lost"
        ),
    };
    Fault::new(name, message).at_offset(at)
}

/// The order in which many threads should take files: the longest first. One thread takes them as they come.
pub(crate) fn longest_first(paths: &[PathBuf], jobs: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..paths.len()).collect();
    if jobs > 1 {
        let length = |index: &usize| {
            paths.get(*index).and_then(|path| path.metadata().ok()).map_or(0, |one| one.len())
        };
        order.sort_by_cached_key(|index| Reverse(length(index)));
    }
    order
}

/// JSON lines of which some are no UTF-8: those become a character that is no JSON, and the others stay.
pub(crate) fn lines(bytes: &[u8]) -> Option<String> {
    if !by_line(bytes, true) {
        return None;
    }
    let lines = bytes.split(|byte| *byte == b'\n');
    let lines: Vec<&str> = lines.map(|line| std::str::from_utf8(line).unwrap_or("\u{fffd}")).collect();
    Some(lines.join("\n"))
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::UnexpectedEof => "unexpected end".to_owned(),
        _ => error.to_string(),
    }
}
