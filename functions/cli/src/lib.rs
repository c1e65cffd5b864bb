//! Shipshape's command line: reads files, walks worlds, prints. What is judged, and how, is core's.

mod args;
mod catalogue;
mod check;
mod deployed;
mod output;
mod place;
mod policy_file;
mod progress;
mod read;
mod replay;
mod tally;

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use anstream::{AutoStream, ColorChoice};
use anyhow::Context;
use clap::{CommandFactory, Parser};

use args::{Cli, Color, Command, Counts, PolicyCommand};
use output::{Row, plain};
use read::{Fault, files};
use shipshape_core::control::Severity;

/// What a command came to, as an exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// Done.
    Done = 0,
    /// There are findings that were asked to count.
    Findings = 1,
    /// Something could not be read.
    Unread = 2,
}

impl Status {
    /// What could not be read outweighs what was found.
    pub(crate) fn of(faults: &[Fault], worst: &Worst, counts: &Counts) -> Self {
        if faults.iter().any(|fault| !fault.rejected) {
            return Self::Unread;
        }
        let fails = |least: Severity| worst.failed.is_some_and(|worst| worst >= least);
        let counts = counts.fail_on.0.is_some_and(fails) || (counts.fail_on_unknown && worst.unknown);
        if counts { Self::Findings } else { Self::Done }
    }
}

/// The worst of what was found, for the exit status.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Worst {
    /// The severity of the worst finding that counts.
    failed: Option<Severity>,
    /// Whether anything could not be judged.
    unknown: bool,
}

impl Worst {
    /// Takes one more answer.
    pub(crate) fn add(&mut self, row: &Row) {
        self.failed = self.failed.max(row.fails().then_some(row.control.severity));
        self.unknown |= row.is_open();
    }
}

/// Where a command speaks: results on one side, everything else on the other.
pub(crate) struct Voices<'a> {
    pub(crate) out: &'a mut dyn Write,
    pub(crate) err: &'a mut dyn Write,
    pub(crate) color: Color,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
}

/// Runs a command line; answers its exit status: 0 done, 1 findings, 2 usage or input.
pub fn run(args: impl IntoIterator<Item = OsString>, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors, and go to standard output.
            let wrong = error.use_stderr();
            let text = error.render();
            let _unheard = if wrong { write!(err, "{text}") } else { write!(out, "{text}") };
            return if wrong { 2 } else { 0 };
        }
    };
    let mut voices = Voices { out, err, color: cli.color, quiet: cli.quiet, verbose: cli.verbose };
    match command(cli.command, &mut voices) {
        Ok(status) => status as u8,
        // Whoever closed the pipe has seen enough.
        Err(error) if closed(&error) => 0,
        Err(error) => {
            voices.say(&format!("error: {error:#}"));
            2
        }
    }
}

/// Reads what a command line of `replay` names, into the order of the times, and judges nothing; answers how many records
/// may be changes. `make bench` holds it against only decompressing.
pub fn read_in_order(args: impl IntoIterator<Item = OsString>, err: &mut dyn Write) -> anyhow::Result<u64> {
    let cli = Cli::try_parse_from(args)?;
    let Command::Replay(args) = cli.command else { anyhow::bail!("`replay` alone reads in order") };
    let mut voices =
        Voices { out: &mut io::sink(), err, color: cli.color, quiet: cli.quiet, verbose: cli.verbose };
    replay::read_in_order(&args, &mut voices)
}

fn command(command: Command, voices: &mut Voices<'_>) -> anyhow::Result<Status> {
    match command {
        Command::Replay(args) => replay::replay(&args, voices),
        Command::Check(args) => check::check(&args, voices),
        Command::Controls { slug, format } => catalogue::controls(slug.as_deref(), format, voices),
        Command::Policy { command: PolicyCommand::Check { file, now } } => {
            policy_file::check(&file, now, voices)
        }
        Command::Policy { command: PolicyCommand::Push(args) } => deployed::push(&args, voices),
        Command::Switch { to } => deployed::switch(to, voices),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "shipshape", &mut script);
            voices.out.write_all(&script)?;
            Ok(Status::Done)
        }
    }
}

fn closed(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

impl Voices<'_> {
    /// Says something beside the results. That nobody listens is no reason to stop.
    pub(crate) fn say(&mut self, text: &str) {
        for line in text.lines() {
            let _unheard = writeln!(self.err, "{}", plain(line));
        }
    }

    /// Says a line that only the curious want.
    pub(crate) fn detail(&mut self, line: &str) {
        if self.verbose {
            self.say(line);
        }
    }

    /// Says what could not be read. The report says it too, and where both go to one screen, once is enough.
    pub(crate) fn faults(&mut self, faults: &[Fault]) {
        let one_screen = io::stdout().is_terminal() && io::stderr().is_terminal();
        if self.quiet || one_screen {
            return;
        }
        for fault in faults {
            let word = if fault.rejected { "warning" } else { "error" };
            self.say(&format!("{word}: {fault}"));
        }
    }

    /// Where a result goes that is written piece by piece and has no colours.
    pub(crate) fn sink(&mut self, file: Option<&Path>) -> anyhow::Result<Box<dyn Write + '_>> {
        Ok(match file {
            Some(path) => {
                let file =
                    fs::File::create(path).with_context(|| format!("cannot write {}", files::name(path)))?;
                Box::new(BufWriter::new(file))
            }
            None => Box::new(BufWriter::new(&mut *self.out)),
        })
    }

    /// Writes a result, to a file or to standard output; colours only where they were asked for or a terminal is.
    pub(crate) fn result(&mut self, text: &str, file: Option<&Path>) -> anyhow::Result<()> {
        if let Some(path) = file {
            let plain = anstream::adapter::strip_str(text).to_string();
            return fs::write(path, plain).with_context(|| format!("cannot write {}", files::name(path)));
        }
        let colored = match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => AutoStream::choice(&io::stdout()) != ColorChoice::Never,
        };
        if colored {
            self.out.write_all(text.as_bytes())?;
        } else {
            self.out.write_all(anstream::adapter::strip_str(text).to_string().as_bytes())?;
        }
        self.out.flush()?;
        Ok(())
    }
}
