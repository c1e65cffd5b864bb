//! How far reading and walking are, on standard error, where that is a terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over so many files; hidden where nobody would see it.
pub(crate) fn files(count: usize, quiet: bool) -> ProgressBar {
    bar(count as u64, quiet, "reading {bar:30} {pos}/{len} files")
}

/// A bar over so many changes.
pub(crate) fn changes(count: u64, quiet: bool) -> ProgressBar {
    bar(count, quiet, "walking {bar:30} {pos}/{len} changes")
}

fn bar(count: u64, quiet: bool, template: &str) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(count);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
