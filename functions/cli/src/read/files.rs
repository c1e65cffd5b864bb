//! Files to text: folders are walked in the order of their names, gzip is told by its first bytes.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use walkdir::WalkDir;

use super::Fault;

/// The name that stands for standard input.
pub(crate) const STDIN: &str = "-";

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
        let before = files.len();
        for entry in WalkDir::new(path).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() && known(entry.path()) => {
                    files.push(entry.into_path())
                }
                Ok(_) => {}
                Err(error) => {
                    faults.push(fault(path, format!("cannot read the folder: {}", reason(&error.into()))))
                }
            }
        }
        if files.len() == before {
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
    Fault { source: name(path), line: None, message, rejected: false }
}

/// A path for people: control characters could forge lines of a report.
pub(crate) fn name(path: &Path) -> String {
    path.display().to_string().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
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
            let message = format!(
                "gzip ends or breaks after {} bytes of content ({}): what came before is read, the rest is lost",
                inflated.len(),
                reason(&error)
            );
            broken = Some(fault(path, message));
        }
        bytes = inflated;
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            // A text that breaks off inside a character is cut there; one that is no text at all is said.
            let valid = error.utf8_error().valid_up_to();
            if broken.is_none() {
                broken = Some(fault(path, format!("not UTF-8 at offset {valid}: what came before is read")));
            }
            let mut bytes = error.into_bytes();
            bytes.truncate(valid);
            String::from_utf8(bytes).unwrap_or_default()
        }
    };
    (text, broken)
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::UnexpectedEof => "unexpected end".to_owned(),
        _ => error.to_string(),
    }
}
