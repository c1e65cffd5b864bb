//! Tests of the harness itself: what the end-to-end tests rely on, without any function of Shipshape.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod deploy;
mod emulators;
mod faults;
mod rules;
mod runtime;
mod strictness;

/// What stands in for a function.
const STAND_IN: &str = env!("CARGO_BIN_EXE_stand-in");
