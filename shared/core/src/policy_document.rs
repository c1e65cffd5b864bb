//! IAM policy documents: what they allow and deny, as far as the text says it.
//!
//! A document that IAM would not have stored, or that holds an element which came after this was built, is not read
//! at all: nobody may conclude from half of a policy that it is harmless.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::text::url_decoded;

/// A pattern of every action there is: a service, a colon, a name.
pub const EVERY_ACTION: &str = "?*:?*";
/// A pattern of every action of IAM itself. Who may do all of them gives himself the rest.
const EVERY_IAM_ACTION: &str = "iam:?*";
const PARTITIONS: [&str; 3] = ["aws", "aws-cn", "aws-us-gov"];

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyDocument {
    /// Its statements, in their order.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Whether it gives or takes.
    pub effect: Effect,
    /// Which actions. They are compared without regard to case, as IAM compares them.
    pub actions: Scope,
    /// Which resources; none in a trust policy.
    pub resources: Option<Scope>,
    /// Whether it holds under a condition only. What the condition says is not read.
    pub conditional: bool,
}

/// Whether a statement gives or takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "IAM's own words")]
pub enum Effect {
    Allow,
    Deny,
}

/// What a statement is about, in patterns with `*` and `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// What one of these covers (`Action`, `Resource`).
    These(Vec<String>),
    /// Everything but what one of these covers (`NotAction`, `NotResource`).
    AllBut(Vec<String>),
}

/// How a statement makes an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    actions: &'static str,
    resources: &'static str,
    conditional: bool,
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let condition = if self.conditional { ", under a condition" } else { "" };
        write!(f, "allows {} on {}{condition}", self.actions, self.resources)
    }
}

impl PolicyDocument {
    /// Reads a document: an object as the command line prints it, or a text as the API sends it, with or without
    /// URL encoding. `None` where any of it can't be read.
    pub fn read(json: &RawValue) -> Option<Self> {
        let wire: Wire = match json.get().starts_with('"') {
            true => {
                let text: String = serde_json::from_str(json.get()).ok()?;
                serde_json::from_str(&url_decoded(text)?).ok()?
            }
            false => serde_json::from_str(json.get()).ok()?,
        };
        let statements = wire.statement.into_list().into_iter().map(Statement::read);
        Some(Self { statements: statements.collect::<Option<_>>()? })
    }

    /// The first statement that makes an administrator of whoever has it: every action, every action but some, or every
    /// action of IAM, on everything; or every action of IAM on all that IAM has, or on every role. A condition does not
    /// clear it, since nothing here can tell when it holds; what other statements deny does not either, since
    /// everything else is left.
    pub fn administrator(&self) -> Option<Grant> {
        self.statements.iter().find_map(Statement::administrator)
    }

    /// Whether it takes every right away, whatever else allows it.
    pub fn denies_everything(&self) -> bool {
        self.statements.iter().any(|one| {
            one.effect == Effect::Deny
                && !one.conditional
                && matches!(&one.actions, Scope::These(_))
                && one.actions.covers(EVERY_ACTION)
                && one
                    .resources
                    .as_ref()
                    .is_some_and(|resources| resources.everything() == Some(EVERY_RESOURCE))
        })
    }
}

impl<'de> Deserialize<'de> for PolicyDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?;
        Self::read(json).ok_or_else(|| D::Error::custom("not a policy document that can be read"))
    }
}

/// How a grant speaks of its resources.
const EVERY_RESOURCE: &str = "every resource";
const MOST_RESOURCES: &str = "every resource but those that it names";

impl Statement {
    fn read(wire: WireStatement) -> Option<Self> {
        let one_of = |these: Option<OneOrMany<String>>, but: Option<OneOrMany<String>>| match (these, but) {
            (Some(these), None) => Some(Some(Scope::These(these.into_list()))),
            (None, Some(but)) => Some(Some(Scope::AllBut(but.into_list()))),
            (None, None) => Some(None),
            (Some(_), Some(_)) => None,
        };
        Some(Self {
            effect: wire.effect,
            actions: one_of(wire.action, wire.not_action)??.in_lower_case(),
            resources: one_of(wire.resource, wire.not_resource)?,
            conditional: wire.condition.is_some_and(|condition| !condition.is_empty()),
        })
    }

    fn administrator(&self) -> Option<Grant> {
        let resources = self.resources.as_ref()?;
        let actions = match &self.actions {
            _ if self.effect == Effect::Deny => return None,
            Scope::These(_) if self.actions.covers(EVERY_IAM_ACTION) && resources.everything().is_none() => {
                let resources = resources.of_iam()?;
                return Some(Grant {
                    actions: "every action of IAM",
                    resources,
                    conditional: self.conditional,
                });
            }
            Scope::These(_) if self.actions.covers(EVERY_ACTION) => "every action",
            Scope::These(_) if self.actions.covers(EVERY_IAM_ACTION) => "every action of IAM",
            Scope::AllBut(_) if self.actions.covers(EVERY_ACTION) => "every action but those that it names",
            _ => return None,
        };
        Some(Grant { actions, resources: resources.everything()?, conditional: self.conditional })
    }
}

impl Scope {
    /// Whether it covers one action or resource, or all that a pattern covers. Of `AllBut` that is whether none of
    /// its exceptions covers the whole of it: what it leaves of a pattern may be less.
    pub fn covers(&self, what: &str) -> bool {
        match self {
            Self::These(patterns) => patterns.iter().any(|pattern| includes(pattern, what)),
            Self::AllBut(patterns) => !patterns.iter().any(|pattern| includes(pattern, what)),
        }
    }

    /// Whether it is every resource, or every one but some, in the words of a grant. An ARN whose parts are all
    /// wildcards is every resource too.
    fn everything(&self) -> Option<&'static str> {
        let every = ["*", "arn:aws:?*:*:*:?*", "arn:aws-cn:?*:*:*:?*", "arn:aws-us-gov:?*:*:*:?*"];
        match self {
            Self::These(_) => every.iter().any(|all| self.covers(all)).then_some(EVERY_RESOURCE),
            Self::AllBut(_) => every.iter().all(|all| self.covers(all)).then_some(MOST_RESOURCES),
        }
    }

    /// Whether it is everything that IAM has in an account, or every role, in the words of a grant. Each is enough for
    /// who may do all of IAM there: he gives a role that trusts him whatever he wants.
    fn of_iam(&self) -> Option<&'static str> {
        let Self::These(patterns) = self else { return None };
        // Of a pattern that spells out an account, everything there is everything.
        let account = |pattern: &'_ str| match pattern.splitn(6, ':').collect::<Vec<_>>()[..] {
            [_, _, _, _, account, _] => account.to_owned(),
            _ => "*".to_owned(),
        };
        let covers = |name: &str| {
            patterns.iter().any(|pattern| {
                let account = account(pattern);
                let all = |partition| format!("arn:{partition}:iam::{account}:{name}");
                PARTITIONS.iter().any(|partition| includes(pattern, &all(partition)))
            })
        };
        if covers("?*") {
            Some("every resource of IAM")
        } else if covers("role/?*") {
            Some("every role")
        } else {
            None
        }
    }

    fn in_lower_case(self) -> Self {
        let lower = |patterns: Vec<String>| patterns.iter().map(|one| one.to_ascii_lowercase()).collect();
        match self {
            Self::These(patterns) => Self::These(lower(patterns)),
            Self::AllBut(patterns) => Self::AllBut(lower(patterns)),
        }
    }
}

/// Whether a pattern covers everything that another covers; a word without wildcards is a pattern of itself. Where it
/// says yes, it is so; of a pattern that is only spelt in another way (`*?` for `?*`) it says no.
fn includes(pattern: &str, other: &str) -> bool {
    let (pattern, other): (Vec<char>, Vec<char>) = (pattern.chars().collect(), other.chars().collect());
    let (mut p, mut o) = (0, 0);
    // The last star, and where what it took so far ends.
    let mut star: Option<(usize, usize)> = None;
    while let Some(wanted) = other.get(o) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, o));
                p += 1;
            }
            Some('?') if *wanted != '*' => (p, o) = (p + 1, o + 1),
            Some(given) if given == wanted => (p, o) = (p + 1, o + 1),
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, o) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|rest| *rest == '*')
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Wire {
    statement: OneOrMany<WireStatement>,
    #[serde(rename = "Version")]
    _version: Option<IgnoredAny>,
    #[serde(rename = "Id")]
    _id: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WireStatement {
    effect: Effect,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
    condition: Option<BTreeMap<String, IgnoredAny>>,
    #[serde(rename = "Sid")]
    _sid: Option<IgnoredAny>,
    #[serde(rename = "Principal")]
    _principal: Option<IgnoredAny>,
    #[serde(rename = "NotPrincipal")]
    _not_principal: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn into_list(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(json: &Value) -> Option<PolicyDocument> {
        PolicyDocument::read(&serde_json::value::to_raw_value(json).unwrap())
    }

    /// What the document makes of whoever has it; `unread` where it can't be read.
    fn says(document: &Value) -> String {
        match read(document) {
            None => "unread".to_owned(),
            Some(document) => document.administrator().map_or_else(String::new, |grant| grant.to_string()),
        }
    }

    fn allow(action: Value, resource: Value) -> Value {
        json!({"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", "Action": action, "Resource": resource}]})
    }

    const ALL: &str = "allows every action on every resource";
    const IAM: &str = "allows every action of IAM on every resource";
    const BUT: &str = "allows every action but those that it names on every resource";

    #[test]
    fn an_administrator_is_known_by_the_text() {
        let star = || json!("*");
        let statement = |members: Value| json!({ "Statement": members });
        #[rustfmt::skip]
        let rows = [
            ("all", allow(star(), star()), ALL),
            ("lists", allow(json!(["s3:GetObject", "*"]), json!(["arn:aws:s3:::a", "*"])), ALL),
            ("every service's every action", allow(json!("*:*"), star()), ALL),
            ("stars of every kind", allow(json!("**"), json!("**")), ALL),
            ("a question mark beside a star", allow(json!("?*"), star()), ALL),
            ("all of IAM", allow(json!("iam:*"), star()), IAM),
            ("case does not matter", allow(json!("IAM:*"), star()), IAM),
            ("less than the service's name", allow(json!("i*"), star()), IAM),
            ("all of IAM, in every account", allow(json!("iam:*"), json!("arn:*:iam::*:*")), "allows every action of IAM on every resource of IAM"),
            ("all of IAM, in one account", allow(json!("iam:*"), json!(["arn:aws:s3:::a", "arn:aws:iam::111122223333:*"])), "allows every action of IAM on every resource of IAM"),
            ("all of IAM, by fewer colons", allow(json!("iam:*"), json!("arn:aws:iam::*")), "allows every action of IAM on every resource of IAM"),
            ("all of IAM, on every role", allow(json!("iam:*"), json!("arn:aws:iam::*:role/*")), "allows every action of IAM on every role"),
            ("every action, on every role", allow(star(), json!("arn:aws:iam::111122223333:role/*")), "allows every action of IAM on every role"),
            ("all of IAM, on the roles of one path", allow(json!("iam:*"), json!("arn:aws:iam::*:role/app/*")), ""),
            ("all of IAM, on every policy", allow(json!("iam:*"), json!("arn:aws:iam::*:policy/*")), ""),
            ("all of IAM, on another service", allow(json!("iam:*"), json!("arn:aws:s3:::*")), ""),
            ("some of IAM, on every role", allow(json!("iam:Get*"), json!("arn:aws:iam::*:role/*")), ""),
            ("some of IAM", allow(json!("iam:Get*"), star()), ""),
            ("one service", allow(json!("ecs:*"), star()), ""),
            ("one object", statement(json!({"Effect": "Allow", "Action": "*", "Resource": "*"})), ALL),
            ("any ARN", allow(star(), json!("arn:aws:*")), ALL),
            ("any ARN, part by part", allow(star(), json!("arn:aws-us-gov:*:*:*:*")), ALL),
            ("one service's resources", allow(star(), json!("arn:aws:s3:::*")), ""),
            ("a star that is a letter", allow(star(), json!("${*}")), ""),
            ("a deny is no grant", statement(json!([{"Effect": "Deny", "Action": "*", "Resource": "*"}])), ""),
            ("a deny beside it", statement(json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}])), ALL),
            ("all but some", statement(json!([{"Effect": "Allow", "NotAction": ["iam:*", "account:*"], "Resource": "*"}])), BUT),
            ("all but everything", statement(json!([{"Effect": "Allow", "NotAction": "*", "Resource": "*"}])), ""),
            ("denied but some", statement(json!([{"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}])), ""),
            ("all but one resource", statement(json!([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::a"}])), "allows every action on every resource but those that it names"),
            ("all but every resource", statement(json!([{"Effect": "Allow", "Action": "*", "NotResource": "*"}])), ""),
            ("all but every ARN", statement(json!([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:*"}])), ""),
            ("no resource at all", statement(json!([{"Effect": "Allow", "Action": "*"}])), ""),
            ("under a condition", statement(json!([{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}])), "allows every action on every resource, under a condition"),
            ("an empty condition is none", statement(json!([{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {}}])), ALL),
            ("no statement", statement(json!([])), ""),
        ];
        for (name, document, expected) in rows {
            assert_eq!(says(&document), expected, "{name}");
        }
    }

    #[test]
    fn a_document_is_read_in_every_form_in_which_it_is_sent() {
        let plain =
            "{\n  \"Statement\": {\"Effect\": \"Allow\", \"Action\": \"\\u002a\", \"Resource\": \"*\"}\n}";
        let encoded = "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22*%22%2C%22Resource%22%3A%22*%22%7D%5D%7D";
        for text in [plain, encoded, &encoded.replacen("%7B", "%7b", 1)] {
            assert_eq!(says(&json!(text)), ALL, "{text}");
        }
        // A plus is a plus, and what is encoded twice is decoded once.
        let resource = |text: &str| match read(&json!(text)).unwrap().statements.remove(0).resources {
            Some(Scope::These(patterns)) => patterns.concat(),
            other => panic!("{other:?}"),
        };
        let with = |resource: &str| {
            encoded.replace("%22Resource%22%3A%22*", &format!("%22Resource%22%3A%22{resource}"))
        };
        assert_eq!(resource(&with("arn:aws:s3:::a+b%2A%2525%C3%A9")), "arn:aws:s3:::a+b*%25é");
        let plain = plain.replace("\"Resource\": \"*\"", "\"Resource\": \"%2A\"");
        assert_eq!(resource(&plain), "%2A", "a text that is not encoded is not decoded");
    }

    #[test]
    fn what_cannot_be_read_whole_is_not_read() {
        let statement = |text: &str| format!("{{\"Statement\":[{{{text}}}]}}");
        let rows = [
            "7".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            r#""""#.to_owned(),
            r#""{broken""#.to_owned(),
            r#""%7B%2""#.to_owned(),
            r#""%7B%+F%7D""#.to_owned(),
            r#""%7B%FF%7D""#.to_owned(),
            r#"{"statement":[]}"#.to_owned(),
            r#"{"Statement":"all"}"#.to_owned(),
            r#"{"Statement":[],"Statement":[]}"#.to_owned(),
            r#"{"Statement":[[]]}"#.to_owned(),
            r#"{"Statement":[],"Because":"new"}"#.to_owned(),
            statement(r#""Effect":"allow","Action":"*","Resource":"*""#),
            statement(r#""Action":"*","Resource":"*""#),
            statement(r#""Effect":"Allow","Resource":"*""#),
            statement(r#""Effect":"Allow","Action":"s3:*","NotAction":"iam:*","Resource":"*""#),
            statement(r#""Effect":"Allow","Action":"s3:*","Action":"*","Resource":"*""#),
            statement(r#""Effect":"Allow","Action":7,"Resource":"*""#),
            statement(r#""Effect":"Allow","Action":["s3:*",null],"Resource":"*""#),
            statement(r#""Effect":"Allow","Action":"s3:*","Resource":{"a":"*"}"#),
            statement(r#""Effect":"Allow","Action":"s3:*","resource":"*""#),
            statement(r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":"none""#),
            statement(r#""Effect":"Allow","Action":"s3:*","Resource":"*","Unless":{}"#),
        ];
        for text in rows {
            let json: &RawValue = serde_json::from_str(&text).unwrap();
            assert_eq!(PolicyDocument::read(json), None, "{text}");
        }
    }

    #[test]
    fn only_a_deny_of_everything_without_condition_takes_everything() {
        let deny = |more: Value| {
            let mut statement = json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
            for (member, value) in more.as_object().unwrap() {
                statement[member] = value.clone();
            }
            read(&json!({ "Statement": statement })).unwrap().denies_everything()
        };
        assert!(deny(json!({})));
        assert!(!deny(json!({"Effect": "Allow"})));
        assert!(!deny(json!({"Action": "iam:*"})));
        assert!(!deny(json!({"Resource": "arn:aws:s3:::*"})));
        assert!(!deny(
            json!({"Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-11-03T00:00:00Z"}}})
        ));
        let but =
            read(&json!({"Statement": {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}})).unwrap();
        assert!(!but.denies_everything());
    }

    #[test]
    fn a_pattern_includes_what_it_covers_wholly() {
        let rows = [
            ("*", "anything", true),
            ("", "", true),
            ("", "a", false),
            ("iam:passrole", "iam:passrole", true),
            ("iam:pass*", "iam:passrole", true),
            ("iam:p?ssr*e", "iam:passrole", true),
            ("iam:passrole", "iam:pass*", false),
            ("iam:pass?ole", "iam:pass*ole", false),
            ("*a*b", "xaxbxab", true),
            ("*a*b", "xaxbxa", false),
            ("*:*", "?*:?*", true),
            ("*:?*", "?*:?*", true),
            ("*a", "?*:?*", false),
        ];
        for (pattern, other, expected) in rows {
            assert_eq!(includes(pattern, other), expected, "{pattern} {other}");
        }
        let long = format!("{}b", "*a".repeat(500));
        assert!(!includes(&long, &"a".repeat(4000)), "and does so in time");
    }
}
