//! How one file is cut for Parameter Store, where a parameter holds 8 KB. Comments are left behind.
//!
//! Only what `[delegation]` lets an account's own parameter say is moved there: anything else would be ignored
//! when the parts are assembled again, and a file would mean one thing on the desk and another in production.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::Mode;
use super::setting::Delegation;

/// What a parameter of Parameter Store holds at most, in bytes.
pub const PARAMETER_LIMIT: usize = 8192;

const POLICY: &str = "/shipshape/policy";
const ACCOUNTS: &str = "/shipshape/accounts/";

/// One parameter, as it is pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The parameter's name.
    pub parameter: String,
    /// Its value.
    pub text: String,
}

/// The main document first, then the accounts in order.
pub(super) fn cut(file: &Table, delegation: &Delegation) -> Vec<Document> {
    if file.is_empty() {
        return Vec::new();
    }
    let mut main = file.clone();
    let mut accounts: BTreeMap<String, Table> = BTreeMap::new();

    if let Some(Value::Table(tables)) = main.remove("accounts") {
        let (moved, kept): (Table, Table) =
            tables.into_iter().partition(|(_, table)| may_say(table, delegation));
        for (id, table) in moved {
            if let Value::Table(table) = table {
                accounts.insert(id, table);
            }
        }
        put(&mut main, "accounts", Value::Table(kept));
    }

    if let Some(Value::Array(exemptions)) = main.remove("exemptions") {
        let mut kept = Vec::new();
        for exemption in exemptions {
            let resource = exemption.get("resource").and_then(Value::as_str).unwrap_or_default();
            match pinned_account(resource) {
                Some(id) if delegation.exemptions => {
                    let table = accounts.entry(id.to_owned()).or_default();
                    if let Value::Array(list) = table.entry("exemptions").or_insert(Value::Array(Vec::new()))
                    {
                        list.push(exemption);
                    }
                }
                _ => kept.push(exemption),
            }
        }
        put(&mut main, "exemptions", Value::Array(kept));
    }

    let accounts = accounts.iter().map(|(id, table)| document(format!("{ACCOUNTS}{id}"), table));
    std::iter::once(document(POLICY.to_owned(), &main)).chain(accounts).collect()
}

/// The account that an ARN glob names in full, if it does.
pub(super) fn pinned_account(resource: &str) -> Option<&str> {
    let account = resource.split(':').nth(4)?;
    (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())).then_some(account)
}

/// Whether an account's own parameter may say all that stands in its table.
fn may_say(table: &Value, delegation: &Delegation) -> bool {
    ["mode", "iac"]
        .iter()
        .filter_map(|key| table.get(key)?.as_str()?.parse::<Mode>().ok())
        .all(|mode| delegation.modes.contains(&mode))
}

fn put(table: &mut Table, key: &str, value: Value) {
    let empty = match &value {
        Value::Table(table) => table.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    if !empty {
        table.insert(key.to_owned(), value);
    }
}

fn document(parameter: String, table: &Table) -> Document {
    Document { parameter, text: table.to_string() }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ACCOUNT, Ask, CONTROLS, OTHER, parse};
    use super::super::{Exemption, ExemptionMatch, Policy, Switch};
    use super::*;

    const FILE: &str = r#"version = 1   # a comment
grace = "10m"
[groups]
prod = ["222233334444"]
[accounts.111122223333]
name = "staging"
mode = "fix"
[accounts.222233334444]
mode = "off"
windows = ["09:00-10:00 UTC"]
[controls.ecs-image-trusted-registry]
enabled = true
allow = ["a/*"]
[[rules]]
groups = ["prod"]
mode = "notify"
[[rules]]
disruptive = true
[[exemptions]]
control = "ecs-service-no-public-ip"
resource = "arn:aws:ecs:eu-west-1:111122223333:service/edge/*"
owner = "pinned"
reason = "r"
expires = 2027-01-31
[[exemptions]]
control = "*"
resource = "arn:aws:ecs:*:service/shop/*"
owner = "everywhere"
reason = "r"
expires = 2027-01-31
[budget]
breaker = 5
"#;

    fn delegating(delegation: &str) -> Policy {
        parse(&format!("{FILE}[delegation]\n{delegation}"))
    }

    #[test]
    fn only_what_is_delegated_is_moved() {
        let rows = [
            ("", "/shipshape/policy"),
            ("modes = [\"fix\"]", "/shipshape/policy /shipshape/accounts/111122223333"),
            ("exemptions = true", "/shipshape/policy /shipshape/accounts/111122223333"),
            (
                "modes = [\"fix\", \"off\"]\nexemptions = true",
                "/shipshape/policy /shipshape/accounts/111122223333 /shipshape/accounts/222233334444",
            ),
        ];
        for (delegation, expected) in rows {
            let names: Vec<String> =
                delegating(delegation).usage().into_iter().map(|(name, _)| name).collect();
            assert_eq!(names.join(" "), expected, "{delegation}");
        }
    }

    /// What a policy means for one question, without the lines, which differ.
    fn meaning(policy: &Policy, ask: Ask) -> String {
        ask.of(|subject| {
            let said = policy.effective(subject);
            let windows: Vec<String> = said.windows.value.iter().map(ToString::to_string).collect();
            let owner = |exemption: &Exemption| exemption.owner.clone();
            let exemption =
                policy.exemption(subject, "2026-11-01T00:00:00Z".parse().unwrap()).map(|found| match found {
                    ExemptionMatch::Live(exemption) | ExemptionMatch::Expired(exemption) => owner(exemption),
                });
            let allow = policy.control("ecs-image-trusted-registry").parameters["allow"].value.clone();
            let name = subject.account.and_then(|account| policy.account_name(account));
            format!(
                "{} {} {:?} {windows:?} {exemption:?} {allow} {name:?} {}",
                said.mode.value,
                said.disruptive.value,
                said.grace.value,
                policy.budget().breaker.value
            )
        })
    }

    #[test]
    fn the_parts_mean_what_the_file_means() {
        for delegation in
            ["", "modes = [\"fix\"]", "exemptions = true", "modes = [\"fix\", \"off\"]\nexemptions = true"]
        {
            let policy = delegating(delegation);
            let documents = policy.documents();
            let accounts: Vec<_> = documents[1..]
                .iter()
                .map(|part| {
                    (
                        part.parameter[ACCOUNTS.len()..].parse().unwrap(),
                        part.parameter.clone(),
                        part.text.clone(),
                    )
                })
                .collect();
            let (assembled, notices) =
                Policy::assemble((POLICY, Some(&documents[0].text)), &accounts, CONTROLS);
            assert_eq!(notices, [], "{delegation}");
            let assembled = assembled.with_switch(Switch::Run).with_dry_run(false);
            for account in [ACCOUNT, OTHER, "999999999999"] {
                for resource in ["service/edge/a", "service/shop/a", "service/x/a"] {
                    let ask = Ask { account, resource, ..Ask::default() };
                    assert_eq!(meaning(&policy, ask), meaning(&assembled, ask), "{delegation} {ask:?}");
                }
            }
        }
    }

    #[test]
    fn sizes_are_bytes_without_comments() {
        let policy = parse("version = 1 # much to say\n[accounts.111122223333]\nname = \"é\"\n");
        let expected =
            [("/shipshape/policy".to_owned(), 12), ("/shipshape/accounts/111122223333".to_owned(), 12)];
        assert_eq!(policy.usage(), expected);
        assert_eq!(Policy::notify_only().usage(), []);
    }

    #[test]
    fn an_account_is_pinned_only_by_its_whole_id_in_its_place() {
        let rows = [
            ("arn:aws:ecs:eu-west-1:111122223333:service/edge/*", Some(ACCOUNT)),
            ("arn:*:*:*:111122223333:*", Some(ACCOUNT)),
            ("arn:aws:ecs:*:service/111122223333", None),
            ("arn:aws:ecs:eu-west-1:11112222333?:service/*", None),
            ("*", None),
        ];
        for (resource, expected) in rows {
            assert_eq!(pinned_account(resource), expected, "{resource}");
        }
    }
}
