//! Input: files, folders and standard input, to pieces of JSON.

pub(crate) mod files;
pub(crate) mod pieces;

use std::fmt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::progress;
use pieces::{Piece, Split, split};

/// Something that could not be read: where, and why. Never holds a value of the input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    /// The path as given, with `:LINE` or `#INDEX` where a part is meant.
    pub(crate) source: String,
    /// The line, where one is to blame.
    pub(crate) line: Option<usize>,
    /// The offset in bytes, behind gzip in those of the content.
    pub(crate) offset: Option<usize>,
    /// What is wrong, and what to do.
    pub(crate) message: String,
    /// The event was read, and names another account's resource: said, and no failure to read.
    pub(crate) rejected: bool,
}

impl Fault {
    /// Something that could not be read.
    pub(crate) fn new(source: impl Into<String>, message: impl Into<String>) -> Self {
        Self { source: source.into(), line: None, offset: None, message: message.into(), rejected: false }
    }

    /// The line that is to blame.
    pub(crate) fn at_line(mut self, line: Option<usize>) -> Self {
        self.line = line;
        self
    }

    /// The offset from which on nothing could be read.
    pub(crate) fn at_offset(mut self, offset: usize) -> Self {
        self.offset = Some(offset);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.message)
    }
}

/// Hands over each piece of a file; answers what could not be read of it, the pieces that were refused among that.
pub(crate) fn file(path: &Path, mut each: impl FnMut(&Piece<'_>) -> Result<(), Fault>) -> Vec<Fault> {
    within(path, |_, piece| each(piece))
}

/// The same, with the text that a piece stands in.
pub(crate) fn within(path: &Path, mut each: impl FnMut(&str, &Piece<'_>) -> Result<(), Fault>) -> Vec<Fault> {
    let (text, broken) = files::text(path);
    if broken.is_some() && text.is_empty() {
        return broken.into_iter().collect();
    }
    let Split { pieces, mut faults, tail } = split(&files::name(path), &text);
    // Where the bytes break off, that the text does so too is no news.
    faults.extend(broken.or(tail));
    faults.extend(pieces.iter().filter_map(|piece| each(&text, piece).err()));
    faults
}

/// Reads files on many cores; answers what each of them came to, in the order of the files.
pub(crate) fn all<T: Send>(paths: &[PathBuf], quiet: bool, one: impl Fn(&Path) -> T + Sync) -> Vec<T> {
    let bar = progress::files(paths.len(), quiet);
    let read = paths.par_iter().map(|path| {
        let answer = one(path);
        bar.inc(1);
        answer
    });
    let read = read.collect();
    bar.finish_and_clear();
    read
}
