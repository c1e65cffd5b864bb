//! The one package that names the ECR SDK: asks which images are there.

pub mod lookup;

pub use aws_sdk_ecr::Client;
