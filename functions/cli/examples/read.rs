//! Reads logs as `replay` does, up to the order of the times, and judges nothing: what `make bench` holds against only
//! decompressing. Takes a command line of `replay`.

use std::env;
use std::io::{self, Write};

fn main() -> anyhow::Result<()> {
    let count = shipshape::read_in_order(env::args_os(), &mut io::stderr())?;
    Ok(writeln!(io::stdout(), "{count} records")?)
}
