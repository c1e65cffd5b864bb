//! What a policy speaks of, for whoever holds one against another.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::{Mode, Policy};
use crate::ids::AccountId;

/// What a rule names beyond accounts, controls and severities: where it holds is then known of a resource alone.
const NARROW: [&str; 3] = ["regions", "clusters", "resources"];

/// A rule that names Regions, clusters or resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NarrowRule {
    /// As it is written, with the accounts of its groups.
    pub(crate) text: String,
    /// It says something that gives fixes more room, or keeps violations quiet.
    pub(crate) loosens: bool,
    /// It says something that gives fixes less room.
    pub(crate) tightens: bool,
}

impl Policy {
    /// Every account that it names: those about which it may say what it says of no other.
    pub(crate) fn spoken_of(&self) -> BTreeSet<&AccountId> {
        let of_rules = self.rules.iter().flat_map(|rule| [&rule.groups, &rule.accounts]);
        let of_rules = of_rules.flatten().flatten();
        self.accounts.keys().chain(self.capped.keys()).chain(of_rules).collect()
    }

    /// The rules that name Regions, clusters or resources, in their order.
    pub(crate) fn narrow_rules(&self) -> Vec<NarrowRule> {
        let rules = self.table.get("rules").and_then(Value::as_array).into_iter().flatten();
        let tables = rules.filter_map(Value::as_table);
        let narrow = tables.filter(|rule| NARROW.iter().any(|key| rule.contains_key(*key)));
        narrow.map(|rule| self.narrow(rule)).collect()
    }

    fn narrow(&self, rule: &Table) -> NarrowRule {
        let mut parts: Vec<String> = rule.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let groups = rule.get("groups").and_then(Value::as_array).into_iter().flatten();
        for group in groups.filter_map(Value::as_str) {
            let accounts = self.table.get("groups").and_then(|groups| groups.get(group));
            parts.extend(accounts.map(|accounts| format!("{group} is {accounts}")));
        }
        let mode =
            |key: &str| rule.get(key).and_then(Value::as_str).and_then(|mode| mode.parse::<Mode>().ok());
        let (overall, iac) = (mode("mode"), mode("iac"));
        let switches = ["disruptive", "supersede"].map(|key| rule.get(key).and_then(Value::as_bool));
        let windows = rule.get("windows").and_then(Value::as_array).map(Vec::is_empty);
        NarrowRule {
            text: parts.join(", "),
            loosens: overall.is_some_and(|mode| mode != Mode::Notify)
                || iac == Some(Mode::Fix)
                || switches.contains(&Some(true))
                || windows == Some(true),
            tightens: overall == Some(Mode::Notify)
                || iac.is_some_and(|mode| mode != Mode::Fix)
                || switches.contains(&Some(false))
                || rule.contains_key("grace")
                || windows == Some(false),
        }
    }

    /// Which modes an account's own parameter may say, and whether it may hold exemptions.
    pub(crate) fn delegated(&self) -> (&[Mode], bool) {
        (&self.delegation.modes, self.delegation.exemptions)
    }
}
