//! What is deployed, from the desk: `policy push` and `switch`. They call AWS, and so exist only where the binary was
//! built with the feature `aws`; without it they say how to build it.

#[cfg(feature = "aws")]
mod plan;
#[cfg(feature = "aws")]
mod push;
#[cfg(feature = "aws")]
mod switch;
#[cfg(feature = "aws")]
mod told;

#[cfg(feature = "aws")]
pub(crate) use push::push;
#[cfg(feature = "aws")]
pub(crate) use switch::switch;

#[cfg(not(feature = "aws"))]
mod absent;

#[cfg(not(feature = "aws"))]
pub(crate) use absent::{push, switch};
