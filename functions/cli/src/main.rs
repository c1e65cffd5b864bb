//! `shipshape`: the same pipeline at your desk. Everything is in the library, so that tests run it in process.

use std::io::{stderr, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Standard error is not locked here: threads that read files draw the progress on it meanwhile.
    ExitCode::from(shipshape::run(std::env::args_os(), &mut stdout().lock(), &mut stderr()))
}
