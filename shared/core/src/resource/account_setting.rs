//! Account settings of ECS, as `ListAccountSettings` and `PutAccountSetting` print them.

use serde::Deserialize;

use crate::document::Field;

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AccountSetting {
    /// `containerInsights`, `defaultLogDriverMode`, `awsvpcTrunking`, …
    pub name: Field<String>,
    /// `enabled`, `disabled`, `enhanced`, `blocking`, …
    pub value: Field<String>,
    /// Whose it is: the account's root for the default of all, or one user or role.
    pub principal_arn: Field<String>,
}

impl AccountSetting {
    /// Whether it is the account's default, and not one principal's own. AWS prints the root's ARN for it.
    pub fn is_default(&self) -> bool {
        self.principal_arn.text().is_none_or(|arn| arn.ends_with(":root"))
    }
}
