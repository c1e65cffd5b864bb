//! The password policy of an account, as `GetAccountPasswordPolicy` prints it.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::effect::state;
use super::Call;
use crate::change::{Api, Observed};
use crate::document::{Field, Shape};
use crate::resource::{ResourceId, ResourceType};

/// The members of a request to update it.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PasswordPolicy {
    minimum_password_length: Field<u64>,
    require_symbols: Field<bool>,
    require_numbers: Field<bool>,
    require_uppercase_characters: Field<bool>,
    require_lowercase_characters: Field<bool>,
    allow_users_to_change_password: Field<bool>,
    max_password_age: Field<u64>,
    password_reuse_prevention: Field<u64>,
    hard_expiry: Field<bool>,
}

impl Call<'_> {
    /// An account has one password policy or none, and none is a document without members. An update sets all of it;
    /// what the request leaves out is at IAM's documented default.
    pub(super) fn password_policy(&self, request: Option<&RawValue>) -> Option<Observed> {
        let arn = self.iam("account-password-policy")?;
        let id = ResourceId { kind: ResourceType::PasswordPolicy, arn };
        if self.api == Api::DeleteAccountPasswordPolicy {
            return Some(state(id, &Shape::default()));
        }
        let asked: Field<PasswordPolicy> = request.map_or(Field::Absent, Field::read);
        let Field::Known(asked) = asked else { return Some(Observed::Touched(id)) };
        let positive = |days: Field<u64>| match days {
            Field::Known(0) => Field::Absent,
            days => days,
        };
        let age = positive(asked.max_password_age);
        let expires = match &age {
            Field::Absent => Field::Known(false),
            age => age.map(|_| true),
        };
        let shape = Shape::default()
            .with("MinimumPasswordLength", asked.minimum_password_length.or_if_absent(6))
            .with("RequireSymbols", asked.require_symbols.or_if_absent(false))
            .with("RequireNumbers", asked.require_numbers.or_if_absent(false))
            .with("RequireUppercaseCharacters", asked.require_uppercase_characters.or_if_absent(false))
            .with("RequireLowercaseCharacters", asked.require_lowercase_characters.or_if_absent(false))
            .with("AllowUsersToChangePassword", asked.allow_users_to_change_password.or_if_absent(false))
            .with("ExpirePasswords", expires)
            .with("MaxPasswordAge", age)
            .with("PasswordReusePrevention", positive(asked.password_reuse_prevention))
            .with("HardExpiry", asked.hard_expiry.or_if_absent(false));
        Some(state(id, &shape))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::effect::testing::{place, raw, told};
    use super::super::effect;
    use crate::change::Api;

    fn call(api: Api, request: &Value, response: &Value) -> Value {
        told(effect(api, &place("us-east-1"), raw(request).as_deref(), raw(response).as_deref()))
    }

    const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

    #[test]
    fn a_password_policy_is_all_that_was_asked_and_the_defaults_beside_it() {
        let arn = "arn:aws:iam::111122223333:account-password-policy";
        let policy = |members: Value| {
            let mut policy = json!({"State": arn, "MinimumPasswordLength": 6, "RequireSymbols": false,
                "RequireNumbers": false, "RequireUppercaseCharacters": false, "RequireLowercaseCharacters": false,
                "AllowUsersToChangePassword": false, "ExpirePasswords": false, "HardExpiry": false});
            policy.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            json!([policy])
        };
        #[rustfmt::skip]
        let rows = [
            (json!({}), policy(json!({}))),
            (json!({"minimumPasswordLength": 14, "requireSymbols": true, "hardExpiry": true}),
             policy(json!({"MinimumPasswordLength": 14, "RequireSymbols": true, "HardExpiry": true}))),
            (json!({"requireNumbers": true, "requireUppercaseCharacters": true, "requireLowercaseCharacters": true, "allowUsersToChangePassword": true}),
             policy(json!({"RequireNumbers": true, "RequireUppercaseCharacters": true, "RequireLowercaseCharacters": true, "AllowUsersToChangePassword": true}))),
            (json!({"maxPasswordAge": 90, "passwordReusePrevention": 24}),
             policy(json!({"MaxPasswordAge": 90, "ExpirePasswords": true, "PasswordReusePrevention": 24}))),
            (json!({"maxPasswordAge": 0, "passwordReusePrevention": 0, "hardExpiry": ""}), policy(json!({}))),
            (json!({"minimumPasswordLength": HIDDEN, "maxPasswordAge": {"omitted": true}}),
             policy(json!({"MinimumPasswordLength": HIDDEN, "MaxPasswordAge": HIDDEN, "ExpirePasswords": HIDDEN}))),
            (Value::Null, json!([{ "Touched": arn }])),
            (json!({"omitted": "true"}), json!([{ "Touched": arn }])),
        ];
        for (request, expected) in rows {
            let effect = call(Api::UpdateAccountPasswordPolicy, &request, &Value::Null);
            assert_eq!(effect, expected, "{request}");
        }
        let none = call(Api::DeleteAccountPasswordPolicy, &Value::Null, &Value::Null);
        assert_eq!(none, json!([{ "State": arn }]));
    }
}
