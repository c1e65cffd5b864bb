//! Files to text: folders are walked in the order of their names, gzip is told by its first bytes.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
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

/// A file's text, and what went wrong on the way: of a truncated gzip file everything before the break.
pub(crate) fn text(path: &Path) -> (String, Option<Fault>) {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == STDIN {
        io::stdin().lock().read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    if let Err(error) = read {
        return (String::new(), Some(fault(path, format!("cannot be read: {}", reason(&error)))));
    }
    let mut broken = None;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut inflated = Vec::new();
        if let Err(error) = MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut inflated) {
            let (at, why) = (inflated.len(), reason(&error));
            let message = format!(
                "gzip breaks off after {at} bytes of content ({why}): what came before is read, the rest is lost"
            );
            broken = Some(fault(path, message).at_offset(at));
        }
        bytes = inflated;
    }
    match String::from_utf8(bytes) {
        Ok(text) => (text, broken),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            // A stream that breaks off may do so inside a character.
            let cut = broken.is_some() && error.utf8_error().error_len().is_none();
            let bytes = error.into_bytes();
            if let Some(text) = lines(&bytes).filter(|_| !cut) {
                return (text, broken);
            }
            let message = format!("not UTF-8 at offset {at}: what came before is read, the rest is lost");
            let broken = broken.or_else(|| Some(fault(path, message).at_offset(at)));
            (String::from_utf8_lossy(bytes.get(..at).unwrap_or_default()).into_owned(), broken)
        }
    }
}

/// JSON lines of which some are no UTF-8: those become a character that is no JSON, and the others stay.
fn lines(bytes: &[u8]) -> Option<String> {
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
