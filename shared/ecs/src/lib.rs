//! The one package that names the ECS SDK: asks what ECS alone can tell, and writes.

pub mod lookup;
mod raw;
