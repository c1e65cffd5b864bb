//! How ECS checks whether a container is well.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

use crate::document::Field;

/// How ECS checks a container's health. A command may hold secrets, and nothing of it is kept but whether it is one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HealthCheck {
    /// The command.
    pub command: Field<HealthCommand>,
}

/// Whether the command of a health check checks anything: an empty one and `NONE` do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCommand {
    /// Whether it does.
    pub checks: bool,
}

impl<'de> Deserialize<'de> for HealthCommand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<Cow<'de, str>>::deserialize(deserializer)?;
        Ok(Self { checks: words.first().is_some_and(|first| !first.eq_ignore_ascii_case("NONE")) })
    }
}
