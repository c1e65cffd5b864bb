//! The one package that names the ECS SDK: asks what ECS alone can tell ([`lookup`]), and writes.

pub mod lookup;
mod raw;
mod reach;
mod register;
mod remediate;

pub use reach::Ecs;
pub use register::{CONTENT, MENDED, SOURCE};
