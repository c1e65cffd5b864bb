//! `[[rules]]` and `[[exemptions]]`.
//!
//! A matcher that can never match is an error wherever it can be seen: a rule that is silently dead is a fix that
//! nobody wanted, or one that never comes.

use jiff::civil::Date;
use toml::{Spanned, Value};

use super::super::error::suggestion;
use super::super::rule::Rule;
use super::super::wire::{WireExemption, WireRule, Words};
use super::super::{ControlName, Exemption, Glob};
use super::accounts::{Groups, account_id};
use super::{Checker, control_named, filled};
use crate::control::Severity;
use crate::ids::{AccountId, Arn, Region};

impl Checker<'_> {
    pub(super) fn rule(&mut self, wire: &Spanned<WireRule>, groups: &Groups) -> Rule {
        let header = wire.span();
        let wire = wire.get_ref();
        let controls = self.controls;
        let before = self.errors.len();
        let groups = self.matcher("groups", &wire.groups, |name| group(name, groups));
        let rule = Rule {
            groups: groups.map(|groups| groups.concat()),
            accounts: self.matcher("accounts", &wire.accounts, account_id),
            regions: self.matcher("regions", &wire.regions, region),
            clusters: self.matcher("clusters", &wire.clusters, cluster_glob),
            resources: self.matcher("resources", &wire.resources, arn_glob),
            controls: self.matcher("controls", &wire.controls, |text| control_glob(text, controls)),
            severities: self.matcher("severities", &wire.severities, severity),
            settings: self.settings(wire.settings()),
        };
        if wire.settings().is_silent() {
            self.error(
                header.clone(),
                "this rule sets nothing: give it a `mode`, `disruptive`, `iac`, `supersede`, `grace` or `windows`",
            );
        }
        // Only what was read without an error can be held against each other.
        if let (Some(groups), Some(accounts)) = (&rule.groups, &rule.accounts)
            && self.errors.len() == before
            && !accounts.iter().any(|account| groups.contains(account))
        {
            self.error(
                header,
                "this rule matches nothing, because none of its `accounts` is in its `groups`: write two rules",
            );
        }
        rule
    }

    fn matcher<T>(
        &mut self,
        name: &str,
        wire: &Option<Words>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let words = wire.as_ref()?;
        if words.get_ref().is_empty() {
            self.error(
                words.span(),
                format!("`{name}` is empty, so that the rule matches nothing: list something, or leave the key out"),
            );
        }
        Some(self.entries(words.get_ref(), read))
    }

    /// `account` is given for an account's own document: the only one that its exemptions speak for.
    pub(super) fn exemption(
        &mut self,
        wire: &Spanned<WireExemption>,
        account: Option<&AccountId>,
    ) -> Option<Exemption> {
        let header = wire.span();
        let wire = wire.get_ref();
        let missing = [
            (
                wire.control.is_none(),
                "this exemption names no control: give it a `control`, or \"*\" for all",
            ),
            (
                wire.resource.is_none(),
                "this exemption names no resource: give it a `resource`, an ARN with * and ?",
            ),
            (wire.owner.is_none(), "nobody answers for this exemption: give it an `owner`"),
            (wire.reason.is_none(), "this exemption gives no reason: give it a `reason`"),
            (
                wire.expires.is_none(),
                "this exemption never ends: give it `expires`, the last day on which it holds, such as 2027-01-31",
            ),
        ];
        for (_, message) in missing.iter().filter(|(missing, _)| *missing) {
            self.error(header.clone(), *message);
        }
        let controls = self.controls;
        let control = self.said(&wire.control, |slug| match slug.as_str() {
            "*" => Ok(slug.clone()),
            _ => control_named(controls, slug).map(|control| control.slug.to_owned()),
        });
        let resource = self.said(&wire.resource, |text| arn_glob(text));
        let owner = self.said(&wire.owner, |text| filled("owner", text));
        let reason = self.said(&wire.reason, |text| filled("reason", text));
        let expires = self.said(&wire.expires, last_day);
        Some(Exemption {
            control: control?.value,
            resource: resource?.value,
            owner: owner?.value,
            reason: reason?.value,
            expires: expires?.value,
            source: self.source(header),
            account: account.cloned(),
        })
    }
}

fn group(name: &str, groups: &Groups) -> Result<Vec<AccountId>, String> {
    groups.get(name).cloned().ok_or_else(|| {
        let hint = suggestion(name, groups.keys().map(String::as_str), "define it under `[groups]`");
        format!("there is no group `{name}`: {hint}")
    })
}

/// Regions are listed one by one: `us-*` would take the GovCloud Regions along.
fn region(text: &str) -> Result<Region, String> {
    let refused = || format!("`{text}` is not a Region: write its code, such as eu-west-1, without * and ?");
    let parts: Vec<&str> = text.split('-').collect();
    let well_formed = match parts.split_last() {
        Some((number, names)) => {
            let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            let name = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
            digits && names.len() >= 2 && names.iter().all(name)
        }
        None => false,
    };
    if !well_formed {
        return Err(refused());
    }
    text.parse().map_err(|_| refused())
}

fn cluster_glob(text: &str) -> Result<Glob, String> {
    if text.is_empty() || text.contains(|c: char| c == '/' || c == ':' || c.is_whitespace()) {
        return Err(format!("`{text}` matches no cluster: write a name, not an ARN; * and ? are allowed"));
    }
    Ok(Glob::new(text))
}

fn arn_glob(text: &str) -> Result<Glob, String> {
    let wild = text.contains(['*', '?']);
    let possible = match wild {
        true => (text.starts_with('*') || text.starts_with("arn:")) && !text.contains(char::is_whitespace),
        false => text.parse::<Arn>().is_ok(),
    };
    if !possible {
        return Err(format!(
            "`{text}` matches no ARN: write a whole one, beginning with arn: or *; * and ? are allowed"
        ));
    }
    Ok(Glob::new(text))
}

fn control_glob(text: &str, controls: &[ControlName]) -> Result<Glob, String> {
    let glob = Glob::new(text);
    if !text.contains(['*', '?']) {
        control_named(controls, text)?;
    } else if !controls.iter().any(|control| glob.matches(control.slug)) {
        return Err(format!("`{text}` matches no control: `shipshape controls` lists all of them"));
    }
    Ok(glob)
}

fn severity(text: &str) -> Result<Severity, String> {
    text.parse().map_err(|_| {
        format!("`{text}` is not a severity: write informational, low, medium, high or critical")
    })
}

/// A TOML date, or the same as a string. A time of day would promise a precision that is not kept.
fn last_day(value: &Value) -> Result<Date, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    date.ok_or_else(|| {
        format!("`{text}` is not a day: write year, month and day, such as 2027-01-31, without a time")
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::parse;
    use super::super::tests::{check, errors};

    /// A rule with one matcher, which stands in line 3.
    fn rule(matcher: &str) -> String {
        format!(
            "version = 1\n[[rules]]\n{matcher}\nmode = \"off\"\n[groups]\nprod = [\"222233334444\"]\nempty = []\n"
        )
    }

    #[test]
    fn every_matcher_is_checked() {
        #[rustfmt::skip]
        let rows = [
            (r#"groups = ["prdo"]"#, "3:11: there is no group `prdo`: did you mean `prod`?"),
            (r#"groups = ["staging"]"#, "3:11: there is no group `staging`: define it under `[groups]`"),
            (r#"accounts = ["prod"]"#, "3:13: `prod` is not an account id: write its 12 digits"),
            (r#"regions = ["eu-west-1", "eu-*"]"#, "3:25: `eu-*` is not a Region: write its code, such as eu-west-1, without * and ?"),
            (r#"regions = ["eu-west1"]"#, "3:12: `eu-west1` is not a Region: write its code, such as eu-west-1, without * and ?"),
            (r#"clusters = ["arn:aws:ecs:*:cluster/a"]"#, "3:13: `arn:aws:ecs:*:cluster/a` matches no cluster: write a name, not an ARN; * and ? are allowed"),
            (r#"resources = ["service/edge/*"]"#, "3:14: `service/edge/*` matches no ARN: write a whole one, beginning with arn: or *; * and ? are allowed"),
            (r#"resources = ["arn:aws:ecs"]"#, "3:14: `arn:aws:ecs` matches no ARN: write a whole one, beginning with arn: or *; * and ? are allowed"),
            (r#"controls = ["ecs-service-no-public-ips"]"#, "3:13: there is no control `ecs-service-no-public-ips`: did you mean `ecs-service-no-public-ip`?"),
            (r#"controls = ["k8s"]"#, "3:13: there is no control `k8s`: `shipshape controls` lists all of them"),
            (r#"controls = ["ecs-*", "ec2-*"]"#, "3:22: `ec2-*` matches no control: `shipshape controls` lists all of them"),
            (r#"severities = ["HIGH"]"#, "3:15: `HIGH` is not a severity: write informational, low, medium, high or critical"),
            (r#"severities = []"#, "3:14: `severities` is empty, so that the rule matches nothing: list something, or leave the key out"),
            (r#"groups = []"#, "3:10: `groups` is empty, so that the rule matches nothing: list something, or leave the key out"),
            ("groups = [\"prod\"]\naccounts = [\"1\"]", "4:13: `1` is not an account id: write its 12 digits"),
            ("groups = [\"prod\"]\naccounts = [\"111122223333\"]", "2:1: this rule matches nothing, because none of its `accounts` is in its `groups`: write two rules"),
        ];
        for (matcher, expected) in rows {
            assert_eq!(errors(&rule(matcher)), [expected], "{matcher}");
        }
    }

    #[test]
    fn what_can_match_is_accepted() {
        for matcher in [
            "",
            r#"groups = ["prod", "empty"]"#,
            r#"regions = ["eu-west-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1", "ap-southeast-12"]"#,
            r#"clusters = ["pci-*", "a", "?"]"#,
            r#"resources = ["*", "*:service/edge/*", "arn:*", "arn:aws:ecs:eu-west-1:111122223333:service/a/b"]"#,
            r#"controls = ["*", "ecs-?ervice-*", "ecs-service-no-public-ip"]"#,
            r#"severities = ["informational", "low", "medium", "high", "critical"]"#,
        ] {
            parse(&rule(matcher));
        }
    }

    #[test]
    fn a_rule_without_a_setting_is_an_error_at_its_header() {
        let message = "this rule sets nothing: give it a `mode`, `disruptive`, `iac`, `supersede`, `grace` or `windows`";
        check(&[
            ("version = 1\n\n[[rules]]\nregions = [\"eu-west-1\"]", &format!("3:1: {message}")),
            ("version = 1\nrules = [{ mode = \"off\" }, {}]", &format!("2:28: {message}")),
        ]);
    }

    /// An exemption with one key replaced, its header in line 2.
    fn exemption(key: &str, value: &str) -> String {
        let keys = [
            ("control", "\"*\""),
            ("resource", "\"*\""),
            ("owner", "\"o\""),
            ("reason", "\"r\""),
            ("expires", "2027-01-31"),
        ];
        let lines = keys.map(|(name, valid)| match (name == key, value) {
            (true, "") => String::new(),
            (true, value) => format!("{name} = {value}\n"),
            (false, _) => format!("{name} = {valid}\n"),
        });
        format!("version = 1\n[[exemptions]]\n{}", lines.concat())
    }

    #[test]
    fn every_key_of_an_exemption_is_checked() {
        let day = "is not a day: write year, month and day, such as 2027-01-31, without a time";
        #[rustfmt::skip]
        let rows = [
            ("expires", "", "2:1: this exemption never ends: give it `expires`, the last day on which it holds, such as 2027-01-31".to_owned()),
            ("owner", "", "2:1: nobody answers for this exemption: give it an `owner`".to_owned()),
            ("reason", "", "2:1: this exemption gives no reason: give it a `reason`".to_owned()),
            ("control", "", "2:1: this exemption names no control: give it a `control`, or \"*\" for all".to_owned()),
            ("resource", "", "2:1: this exemption names no resource: give it a `resource`, an ARN with * and ?".to_owned()),
            ("control", "\"ecs-*\"", "3:11: there is no control `ecs-*`: `shipshape controls` lists all of them".to_owned()),
            ("control", "\"ecs-service-public-ip\"", "3:11: there is no control `ecs-service-public-ip`: did you mean `ecs-service-no-public-ip`?".to_owned()),
            ("resource", "\"edge\"", "4:12: `edge` matches no ARN: write a whole one, beginning with arn: or *; * and ? are allowed".to_owned()),
            ("owner", "\"\"", "5:9: `owner` is empty: write something, or leave the key out".to_owned()),
            ("reason", "\" \"", "6:10: `reason` is empty: write something, or leave the key out".to_owned()),
            ("expires", "\"soon\"", format!("7:11: `soon` {day}")),
            ("expires", "\"2027-02-30\"", format!("7:11: `2027-02-30` {day}")),
            ("expires", "\"20270131\"", format!("7:11: `20270131` {day}")),
            ("expires", "2027-01-31T12:00:00Z", format!("7:11: `2027-01-31T12:00:00Z` {day}")),
            ("expires", "20270131", format!("7:11: `20270131` {day}")),
        ];
        for (key, value, expected) in rows {
            assert_eq!(errors(&exemption(key, value)), [expected], "{key} = {value}");
        }
        parse(&exemption("expires", "\"2027-01-31\""));
        parse(&exemption("control", "\"ecs-service-no-public-ip\""));
    }
}
