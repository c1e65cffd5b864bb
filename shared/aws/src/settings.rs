//! What the template tells a function, by its environment.

use shipshape_core::ids::{AccountId, Arn};

/// Where things are, and what is allowed.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The ledger's table.
    pub table: String,
    /// The topic that people listen to. It lies in the account and Region that the functions run in.
    pub topic: Arn,
    /// Whether every account is capped at notify.
    pub dry_run: bool,
    /// Patterns of the roles that registering a revision may pass.
    pub passable_roles: Vec<String>,
    /// The queue on which mended revisions are asked for, by its URL.
    pub questions: Option<String>,
    /// How to act in other accounts; `None` where there are none.
    pub members: Option<Members>,
}

/// How to act in other accounts.
#[derive(Debug, Clone)]
pub struct Members {
    /// The role's path and name, the same in every account: `shipshape/shipshape-service`.
    pub role: String,
    /// What the role's trust wants to hear.
    pub external_id: String,
}

/// A variable that is missing or wrong: the template and the program do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {name} {what}: deploy with the template of this version")]
pub struct SettingsError {
    name: &'static str,
    what: &'static str,
}

impl Settings {
    /// Reads them, given how a variable is looked up.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let set = |name: &'static str| variable(name).filter(|value| !value.is_empty());
        let wanted = |name: &'static str| set(name).ok_or(SettingsError { name, what: "is not set" });
        let topic = wanted("SHIPSHAPE_TOPIC")?;
        let topic =
            topic.parse().map_err(|_| SettingsError { name: "SHIPSHAPE_TOPIC", what: "is no ARN" })?;
        let list = |name| set(name).unwrap_or_default();
        let members = match (set("SHIPSHAPE_MEMBER_ROLE"), set("SHIPSHAPE_EXTERNAL_ID")) {
            (None, _) => None,
            (Some(role), Some(external_id)) => Some(Members { role, external_id }),
            (Some(_), None) => {
                return Err(SettingsError { name: "SHIPSHAPE_EXTERNAL_ID", what: "is not set" });
            }
        };
        Ok(Self {
            table: wanted("SHIPSHAPE_TABLE")?,
            topic,
            // Whatever is not plainly false caps every account at notify.
            dry_run: set("SHIPSHAPE_DRY_RUN").as_deref() != Some("false"),
            passable_roles: list("SHIPSHAPE_PASSABLE_ROLES")
                .split(',')
                .map(str::trim)
                .filter(|pattern| !pattern.is_empty())
                .map(str::to_owned)
                .collect(),
            questions: set("SHIPSHAPE_TASK_DEFINITION_QUEUE"),
            members,
        })
    }

    /// Whether an account is the one that the functions run in.
    pub fn is_home(&self, account: &AccountId) -> bool {
        self.topic.account() == account.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(change: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let base =
            [("SHIPSHAPE_TABLE", "ledger"), ("SHIPSHAPE_TOPIC", "arn:aws:sns:eu-west-1:111122223333:t")];
        Settings::read(|name| {
            let of = |list: &[(&str, &str)]| {
                list.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            of(change).or_else(|| of(&base))
        })
    }

    #[test]
    fn only_a_plain_false_ends_the_dry_run() {
        for (value, dry_run) in [("false", false), ("true", true), ("", true), ("False", true), ("0", true)] {
            assert_eq!(read(&[("SHIPSHAPE_DRY_RUN", value)]).unwrap().dry_run, dry_run, "{value}");
        }
        assert!(read(&[]).unwrap().dry_run);
    }

    #[test]
    fn no_role_is_passable_unless_it_is_named() {
        assert!(read(&[]).unwrap().passable_roles.is_empty());
        let roles = read(&[("SHIPSHAPE_PASSABLE_ROLES", "arn:a, arn:b ,")]).unwrap().passable_roles;
        assert_eq!(roles, ["arn:a", "arn:b"]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = read(&[("SHIPSHAPE_TABLE", "")]).unwrap_err();
        assert!(
            error.to_string().starts_with("the environment variable SHIPSHAPE_TABLE is not set"),
            "{error}"
        );
        let error = read(&[("SHIPSHAPE_MEMBER_ROLE", "shipshape/x")]).unwrap_err();
        assert!(error.to_string().contains("SHIPSHAPE_EXTERNAL_ID"), "{error}");
    }
}
