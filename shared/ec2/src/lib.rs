//! The one package that names the EC2 SDK: asks what EC2 alone can tell.

pub mod lookup;
mod shape;

pub use aws_sdk_ec2::Client;
