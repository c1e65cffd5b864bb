//! What ECS is asked, what is learned of its answers, and what is written, over a socket: by the very reach that the
//! functions have, to a server that works the signature out of what it is sent.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod lookup;
mod mended;
mod register;
mod world;
mod writes;
