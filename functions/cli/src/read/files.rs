//! Paths to files, and files to content: folders are walked in the order of their names, gzip is told by its first bytes.

use std::cmp::Reverse;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use walkdir::WalkDir;

use super::Fault;
use crate::output::plain;

/// The name that stands for standard input.
const STDIN: &str = "-";

/// What a folder's files must end in to be read.
const ENDINGS: [&str; 5] = ["json", "jsonl", "ndjson", "log", "gz"];

/// The files behind the paths that were given, each once; folders hold those with a known ending.
pub(crate) fn list(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Fault>) {
    let (mut files, mut faults) = (Vec::new(), Vec::new());
    for path in paths {
        if path.as_os_str() == STDIN || !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len() + faults.len();
        for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() && known(entry.path()) => {
                    files.push(entry.into_path());
                }
                Ok(_) => {}
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
    }
    files.sort();
    files.dedup();
    (files, faults)
}

fn known(path: &Path) -> bool {
    path.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| ENDINGS.contains(&ending))
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
    // One read may give less than the two bytes that tell; nothing gives one byte of many but a pipe.
    let gzip = content.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let content: Box<dyn Read> =
        if gzip { Box::new(MultiGzDecoder::new(content)) } else { Box::new(content) };
    Ok(Source { content, gzip })
}

/// That a file's content breaks off.
pub(crate) fn breaks_off(name: &str, gzip: bool, at: u64, error: &io::Error) -> Fault {
    let why = reason(error);
    let message = match (gzip, at) {
        (false, 0) => format!("cannot be read: {why}"),
        (false, _) => {
            format!("cannot be read on from offset {at} ({why}): what came before is read, the rest is lost")
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
    let object = |line: &[u8]| serde_json::from_slice::<&serde_json::value::RawValue>(line).is_ok();
    let lines = || bytes.split(|byte| *byte == b'\n');
    if !lines().any(|line| line.starts_with(b"{") && object(line)) {
        return None;
    }
    let lines: Vec<&str> = lines().map(|line| std::str::from_utf8(line).unwrap_or("\u{fffd}")).collect();
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
