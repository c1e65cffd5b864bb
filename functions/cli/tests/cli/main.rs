//! The command line from outside: exit status, what goes where, and that the same input gives the same bytes.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod command;
mod documents;
mod hostile;
mod input;
mod report;
mod sarif;
mod secrets;
mod status;
mod streams;
mod told;
