//! What a policy is asked about, and which subjects a rule speaks about.

use std::fmt;

use wildmatch::WildMatch;

use super::setting::Settings;
use crate::control::Severity;
use crate::ids::{AccountId, Arn, Region};

/// What the policy is asked about: one control on one resource.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The account to act in. Without one, nothing that names accounts or groups of them matches.
    pub account: Option<&'a AccountId>,
    /// The Region to act in. Without one, nothing that names Regions matches.
    pub region: Option<&'a Region>,
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

    /// Whether it might match a text of which parts are not known: `UNKNOWN` stands for each of them.
    pub(super) fn may_match(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        // Which beginnings of the text the glob's beginning may match, which grows sign by sign.
        let unknown = text.iter().take_while(|c| **c == UNKNOWN).count();
        let mut met: Vec<bool> = (0..=text.len()).map(|end| end <= unknown).collect();
        for sign in self.text.chars() {
            let before = met.clone();
            for end in 0..met.len() {
                let last =
                    end.checked_sub(1).and_then(|last| text.get(last).map(|c| (*c, met[last], before[last])));
                met[end] = match (sign, last) {
                    ('*', None) => before[end],
                    ('*', Some((_, shorter, _))) => before[end] || shorter,
                    (_, Some((UNKNOWN, shorter, _))) => shorter || (!":/".contains(sign) && before[end]),
                    (_, Some((c, _, neither))) => (sign == '?' || sign == c) && neither,
                    (_, None) => false,
                };
            }
        }
        met.last().copied().unwrap_or(false)
    }
}

/// Stands for letters, digits and dashes of an ARN that nobody knows. No ARN has the character.
pub(super) const UNKNOWN: char = '\0';

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
        asks(&self.groups, |account| Some(account) == subject.account)
            && asks(&self.accounts, |account| Some(account) == subject.account)
            && asks(&self.regions, |region| Some(region) == subject.region)
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
    fn a_glob_may_match_what_has_unknown_parts() {
        let rows = [
            ("", "", true),
            ("a", "", false),
            ("*", "\0", true),
            ("", "\0", true),
            ("arn:aws:ecs:eu-west-1:1:task-definition/web:*", "arn:\0:ecs:\0:\0:task-definition/web:0", true),
            (
                "arn:aws:ecs:eu-west-1:1:task-definition/web:7",
                "arn:\0:ecs:\0:\0:task-definition/web:0",
                false,
            ),
            ("arn:aws:ecs:*:service/edge/*", "arn:\0:ecs:\0:\0:service/edge/sftp", true),
            ("arn:aws:ecs:*:service/edge/*", "arn:\0:ecs:\0:\0:service/shop/sftp", false),
            ("arn:aws:ecs:eu-*:1:x", "arn:\0:ecs:\0:\0:x", true),
            ("arn:aws:ecs:eu-*:1?:x", "arn:\0:ecs:\0:11:x", true),
            ("arn:aws:ecs:eu-*:1?:x", "arn:\0:ecs:\0:21:x", false),
            ("a?", "a", false),
        ];
        for (glob, text, expected) in rows {
            assert_eq!(Glob::new(glob).may_match(text), expected, "{glob} {text:?}");
        }
    }

    #[test]
    fn where_the_account_is_not_known_what_names_one_does_not_match() {
        let named = Rule { accounts: Some(vec![ACCOUNT.parse().unwrap()]), ..Rule::default() };
        let region = Rule { regions: Some(vec!["eu-west-1".parse().unwrap()]), ..Rule::default() };
        let group = Rule { groups: Some(vec![ACCOUNT.parse().unwrap()]), ..Rule::default() };
        for (rule, expected) in [(named, false), (region, false), (group, false), (Rule::default(), true)] {
            let matches =
                |subject: &Subject<'_>| rule.matches(&Subject { account: None, region: None, ..*subject });
            assert_eq!(Ask::default().of(matches), expected, "{rule:?}");
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
