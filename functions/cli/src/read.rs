//! Input: files, folders and standard input, to pieces of JSON.

pub(crate) mod files;
pub(crate) mod pieces;

use std::fmt;

/// Something that could not be read: where, and why. Never holds a value of the input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    /// The path as given, with `:LINE` or `#INDEX` where a part is meant.
    pub(crate) source: String,
    /// The line in JSON lines.
    pub(crate) line: Option<usize>,
    /// What is wrong, and what to do.
    pub(crate) message: String,
    /// The event was read, and names another account's resource: said, and no failure to read.
    pub(crate) rejected: bool,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.message)
    }
}
