//! The functions on the emulators: deployed by the template that ships, and fed by events on the bus.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

mod desk;
mod faults;
mod gate;
mod later;
mod quiet;
mod scenario;
mod secrets;
mod together;
mod world;
