//! What a policy is asked about, and which subjects a rule speaks about.

use std::fmt;

use wildmatch::WildMatch;

use super::setting::Settings;
use crate::control::Severity;
use crate::ids::{AccountId, Arn, Region};

/// What the policy is asked about: one control on one resource.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The account to act in.
    pub account: &'a AccountId,
    /// The Region to act in.
    pub region: &'a Region,
    /// The resource that is judged.
    pub resource: &'a Arn,
    /// The name of the cluster that it belongs to. Without one, no rule with `clusters` matches.
    pub cluster: Option<&'a str>,
    /// The control's slug.
    pub control: &'a str,
    /// How severe a violation is.
    pub severity: Severity,
}

/// A text with `*` for any run of characters, `/` and `:` included, and `?` for one. Case counts, as in IAM.
#[derive(Debug, Clone, PartialEq)]
pub struct Glob {
    text: String,
    pattern: WildMatch,
}

impl Glob {
    /// Every text is a glob.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), pattern: WildMatch::new(text) }
    }

    /// The glob as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches the whole of `text`.
    pub fn matches(&self, text: &str) -> bool {
        self.pattern.matches(text)
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One rule. A matcher that was not said asks for nothing; the others must all match. An empty list matches
/// nothing, as a group without accounts gives one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rule {
    /// The accounts of the groups that were named.
    pub(super) groups: Option<Vec<AccountId>>,
    pub(super) accounts: Option<Vec<AccountId>>,
    pub(super) regions: Option<Vec<Region>>,
    pub(super) clusters: Option<Vec<Glob>>,
    pub(super) resources: Option<Vec<Glob>>,
    pub(super) controls: Option<Vec<Glob>>,
    pub(super) severities: Option<Vec<Severity>>,
    pub(super) settings: Settings,
}

impl Rule {
    pub(super) fn matches(&self, subject: &Subject<'_>) -> bool {
        asks(&self.groups, |account| account == subject.account)
            && asks(&self.accounts, |account| account == subject.account)
            && asks(&self.regions, |region| region == subject.region)
            && asks(&self.clusters, |glob| subject.cluster.is_some_and(|cluster| glob.matches(cluster)))
            && asks(&self.resources, |glob| glob.matches(subject.resource.as_str()))
            && asks(&self.controls, |glob| glob.matches(subject.control))
            && asks(&self.severities, |severity| *severity == subject.severity)
    }
}

fn asks<T>(list: &Option<Vec<T>>, matches: impl FnMut(&T) -> bool) -> bool {
    list.as_ref().is_none_or(|list| list.iter().any(matches))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ACCOUNT, Ask, OTHER};
    use super::*;

    #[test]
    fn globs_cross_slashes_and_colons_and_count_case() {
        let rows = [
            ("*", "", true),
            ("arn:aws:ecs:*:service/edge/*", "arn:aws:ecs:eu-west-1:1:service/edge/a/b", true),
            ("arn:aws:ecs:*:service/edge/*", "arn:aws:ecs:eu-west-1:1:service/edges/a", false),
            ("pci-?", "pci-1", true),
            ("pci-?", "pci-", false),
            ("pci-?", "pci-12", false),
            ("PCI-*", "pci-1", false),
            ("a.c", "abc", false),
            ("", "a", false),
        ];
        for (glob, text, expected) in rows {
            assert_eq!(Glob::new(glob).matches(text), expected, "{glob} {text}");
        }
    }

    #[test]
    fn all_matchers_must_match_and_one_entry_of_each_is_enough() {
        let other = || Some(vec![OTHER.parse().unwrap()]);
        let both = || Some(vec![OTHER.parse().unwrap(), ACCOUNT.parse().unwrap()]);
        let rows = [
            ("no matcher", Rule::default(), true),
            ("one of two accounts", Rule { accounts: both(), ..Rule::default() }, true),
            ("another account", Rule { accounts: other(), ..Rule::default() }, false),
            ("group and account", Rule { groups: both(), accounts: both(), ..Rule::default() }, true),
            ("account, not group", Rule { groups: other(), accounts: both(), ..Rule::default() }, false),
            ("a group of nobody", Rule { groups: Some(Vec::new()), ..Rule::default() }, false),
            ("no cluster", Rule { clusters: Some(vec![Glob::new("*")]), ..Rule::default() }, false),
            ("another severity", Rule { severities: Some(vec![Severity::Low]), ..Rule::default() }, false),
        ];
        for (name, rule, expected) in rows {
            assert_eq!(Ask::default().of(|subject| rule.matches(subject)), expected, "{name}");
        }
    }
}
