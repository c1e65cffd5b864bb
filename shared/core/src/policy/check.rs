//! From what is written to what it means. Every check runs to the end, so that one reading finds all that is
//! wrong; a value that is wrong is left out, and the document is refused as a whole at the end.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::{Spanned, Value};

use super::error::{Text, suggestion};
use super::setting::Settings;
use super::wire::{WireAccount, WirePolicy, WireSettings, Word, Words};
use super::{
    Account, ControlName, Exemption, Mode, Policy, PolicyError, PolicyErrors, Setting, Source, Switch,
    duration,
};
use crate::ids::AccountId;

mod accounts;
mod rules;
mod tables;

/// The only version of the format.
const VERSION: i64 = 1;

/// How the parser's messages begin about a word without quotes.
const BARE_WORD: [&str; 3] = ["string values must be quoted", "invalid float", "invalid boolean"];

/// An account's own document: a table as under `[accounts.<id>]`, and `[[exemptions]]`.
#[derive(Debug)]
pub(super) struct AccountDocument {
    pub(super) account: Account,
    pub(super) exemptions: Vec<Exemption>,
}

/// Checks a whole file.
pub(super) fn policy(file: &str, text: &str, controls: &[ControlName]) -> Result<Policy, PolicyErrors> {
    let mut check = Checker::new(file, text, controls);
    let wire: WirePolicy = check.read(text)?;
    match &wire.version {
        None => check.error(0..0, "the policy does not say its version: write `version = 1` at the top"),
        Some(version) => check.version(version),
    }
    let groups = check.groups(&wire.groups);
    let policy = Policy {
        top: check.settings(wire.settings()),
        accounts: check.accounts(&wire.accounts),
        controls: check.controls(&wire.controls),
        rules: wire.rules.iter().map(|rule| check.rule(rule, &groups)).collect(),
        exemptions: wire.exemptions.iter().filter_map(|exemption| check.exemption(exemption, None)).collect(),
        budget: check.budget(&wire.budget),
        delegation: check.delegation(&wire.delegation),
        switch: Switch::Run,
        dry_run: false,
        capped: BTreeMap::new(),
        table: check.read(text)?,
    };
    check.finish(policy)
}

/// Checks an account's own document, whose exemptions then speak for `account` alone.
pub(super) fn account_document(
    account: &AccountId,
    file: &str,
    text: &str,
    controls: &[ControlName],
) -> Result<AccountDocument, PolicyErrors> {
    let mut check = Checker::new(file, text, controls);
    let wire: WireAccount = check.read(text)?;
    if let Some(version) = &wire.version {
        check.version(version);
    }
    let exemptions = wire.exemptions.iter().filter_map(|exemption| check.exemption(exemption, Some(account)));
    let exemptions = exemptions.collect();
    let account = check.account(&wire);
    check.finish(AccountDocument { account, exemptions })
}

/// One document being checked.
#[derive(Debug)]
struct Checker<'a> {
    text: Text<'a>,
    controls: &'a [ControlName],
    errors: Vec<PolicyError>,
}

impl<'a> Checker<'a> {
    fn new(file: &str, text: &'a str, controls: &'a [ControlName]) -> Self {
        Self { text: Text::new(file, text), controls, errors: Vec::new() }
    }

    /// Syntax, names of keys and types: the parser stops at the first.
    fn read<T: serde::de::DeserializeOwned>(&self, text: &str) -> Result<T, PolicyErrors> {
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let span = error.span().unwrap_or(0..0);
            // Of a bare word the parser says by its first letter which of its own words it took it for.
            let bare =
                text.get(span.start..).is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic()));
            let message = match error.message() {
                said if bare && BARE_WORD.iter().any(|start| said.starts_with(start)) => {
                    "put text in quotes: without, a value is true, false, a number or a date".to_owned()
                }
                "duplicate key" => {
                    let key = text.get(span.clone()).unwrap_or_default().trim_matches(['"', '\'']);
                    format!("duplicate key `{key}`: say it once, since only one of them can hold")
                }
                said => unknown_key(said)
                    .or_else(|| table_for_list(said, text, span.start))
                    .unwrap_or_else(|| said.trim_end().replace('\n', ", ")),
            };
            PolicyErrors::new(vec![self.text.error(span, message)])
        })
    }

    fn finish<T>(self, checked: T) -> Result<T, PolicyErrors> {
        if self.errors.is_empty() { Ok(checked) } else { Err(PolicyErrors::new(self.errors)) }
    }

    fn error(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.errors.push(self.text.error(span, message.into()));
    }

    fn source(&self, span: Range<usize>) -> Source {
        self.text.source(span)
    }

    fn version(&mut self, version: &Spanned<i64>) {
        if *version.get_ref() != VERSION {
            let found = version.get_ref();
            self.error(
                version.span(),
                format!("version {found} is not known: this release reads version {VERSION}"),
            );
        }
    }

    /// One value, and the line that said it.
    fn said<T, U>(
        &mut self,
        wire: &Option<Spanned<T>>,
        read: impl FnOnce(&T) -> Result<U, String>,
    ) -> Option<Setting<U>> {
        let wire = wire.as_ref()?;
        match read(wire.get_ref()) {
            Ok(value) => Some(Setting { value, source: self.source(wire.span()) }),
            Err(message) => {
                self.error(wire.span(), message);
                None
            }
        }
    }

    /// The entries of a list, each judged by itself.
    fn entries<T>(&mut self, words: &[Word], read: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let mut entries = Vec::new();
        for word in words {
            match read(word.get_ref()) {
                Ok(entry) => entries.push(entry),
                Err(message) => self.error(word.span(), message),
            }
        }
        entries
    }

    fn settings(&mut self, wire: WireSettings<'_>) -> Settings {
        Settings {
            mode: self.said(wire.mode, |text| mode(text)),
            disruptive: self.said(wire.disruptive, |value| Ok(*value)),
            iac: self.said(wire.iac, |text| mode(text)),
            supersede: self.said(wire.supersede, |value| Ok(*value)),
            grace: self.said(wire.grace, |value: &Value| duration::from_value(value)),
            windows: wire.windows.as_ref().map(|words: &Words| Setting {
                value: self.entries(words.get_ref(), |text| text.parse().map_err(|error| format!("{error}"))),
                source: self.source(words.span()),
            }),
        }
    }
}

/// The parser's message about a key that it does not know, with the one that was probably meant.
fn unknown_key(said: &str) -> Option<String> {
    let (key, known) = said.trim_end().strip_prefix("unknown field `")?.split_once("`, expected ")?;
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    let hint = suggestion(key, known.iter().copied(), &format!("there are `{}`", known.join("`, `")));
    Some(format!("unknown key `{key}`: {hint}"))
}

/// What is said of one pair of brackets where lists have two.
fn table_for_list(said: &str, text: &str, at: usize) -> Option<String> {
    let line = text.get(text.get(..at)?.rfind('\n').map_or(0, |end| end + 1)..)?.lines().next()?;
    let name = line.trim().trim_start_matches('[').split([']', '.', '=']).next()?.trim();
    let lists = ["rules", "exemptions"];
    (said.starts_with("invalid type: map") && lists.contains(&name))
        .then(|| format!("{name} are a list: write `[[{name}]]`, once for each"))
}

/// The control of this slug, or a sentence with the one that was probably meant.
fn control_named<'a>(controls: &'a [ControlName], slug: &str) -> Result<&'a ControlName, String> {
    controls.iter().find(|control| control.slug == slug).ok_or_else(|| {
        let slugs = controls.iter().map(|control| control.slug);
        let hint = suggestion(slug, slugs, "`shipshape controls` lists all of them");
        format!("there is no control `{slug}`: {hint}")
    })
}

fn mode(text: &str) -> Result<Mode, String> {
    text.parse().map_err(|error| format!("{error}"))
}

/// Text that people are meant to read.
fn filled(key: &str, text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err(format!("`{key}` is empty: write something, or leave the key out"))
    } else {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::CONTROLS;
    use super::*;

    /// The errors of `text`, without the file's name.
    pub(super) fn errors(text: &str) -> Vec<String> {
        let errors = Policy::parse("p", text, CONTROLS).unwrap_err();
        errors.to_string().lines().map(|line| line.strip_prefix("p:").unwrap().to_owned()).collect()
    }

    /// Each row is a document whose only error is the one given.
    pub(super) fn check(rows: &[(&str, &str)]) {
        for (text, expected) in rows {
            assert_eq!(errors(text), [*expected], "{text}");
        }
    }

    #[test]
    fn the_smallest_policy_says_only_its_version() {
        let policy = Policy::parse("p", "version = 1", CONTROLS).unwrap();
        assert_eq!(Policy { table: toml::Table::new(), ..policy }, Policy::notify_only());
    }

    #[test]
    fn the_policy_of_the_documentation_is_right() {
        let text = r#"version = 1
mode = "notify"
disruptive = false                      # may a fix start a deployment?
iac = "notify"
supersede = false
grace = "0m"
windows = []
[groups]
prod = ["222233334444", "333344445555"]
[accounts.111122223333]
name = "staging"
mode = "fix"
disruptive = true
[controls.ecs-image-trusted-registry]
enabled = true
allow = ["111122223333.dkr.ecr.*.amazonaws.com/*", "public.ecr.aws/docker/library/*"]
[[rules]]
groups = ["prod"]
mode = "fix"
grace = "30m"
windows = ["Mon-Fri 09:00-16:00 Europe/Berlin"]
[[rules]]
controls = ["ecs-container-readonly-rootfs"]
mode = "notify"
[[exemptions]]
control = "ecs-service-no-public-ip"
resource = "arn:aws:ecs:eu-west-1:111122223333:service/edge/*"
owner = "team-edge"
reason = "public SFTP endpoint, reviewed 2026-10"
expires = 2027-01-31
[budget]
fixes_per_account_per_hour = 20
messages_per_account_per_hour = 20
max_rolling_percent = 10
flip_flops = 3
breaker = 3
[delegation]
modes = ["notify", "fix"]
exemptions = true
"#;
        assert!(Policy::parse("p", text, CONTROLS).is_ok());
    }

    #[test]
    fn the_parser_stops_at_syntax_keys_and_types() {
        let bare = "put text in quotes: without, a value is true, false, a number or a date";
        check(&[
            ("version = 1\nmode = notify", &format!("2:8: {bare}")),
            ("version = 1\nmode = fix", &format!("2:8: {bare}")),
            ("version = 1\ndisruptive = yes", &format!("2:14: {bare}")),
            ("version = 1\n[rules", "2:7: unclosed table, expected `]`"),
            (
                "version = 1\nmode = \"off\"\nmode = \"fix\"",
                "3:1: duplicate key `mode`: say it once, since only one of them can hold",
            ),
            (
                "version = 1\n[rules]\nmode = \"fix\"",
                "2:1: rules are a list: write `[[rules]]`, once for each",
            ),
            ("version = 1\nrules = {}", "2:9: rules are a list: write `[[rules]]`, once for each"),
            (
                "version = 1\n[exemptions]",
                "2:1: exemptions are a list: write `[[exemptions]]`, once for each",
            ),
            ("version = 1\nmodes = \"fix\"", "2:1: unknown key `modes`: did you mean `mode`?"),
            ("version = \"1\"", "1:11: invalid type: string \"1\", expected i64"),
            ("version = 1\n[budget]\nbraker = 3", "3:1: unknown key `braker`: did you mean `breaker`?"),
            (
                "version = 1\n[[rules]]\nregion = [\"eu-west-1\"]\nmode = \"off\"",
                "3:1: unknown key `region`: did you mean `regions`?",
            ),
            (
                "version = 1\n[delegation]\nsleep = 1",
                "3:1: unknown key `sleep`: there are `modes`, `exemptions`",
            ),
            ("version = 1\ndisruptive = \"no\"", "2:14: invalid type: string \"no\", expected a boolean"),
            (
                "version = 1\nwindows = \"09:00-10:00 UTC\"",
                "2:11: invalid type: string \"09:00-10:00 UTC\", expected a sequence",
            ),
            (
                "version = 1\n[groups]\nprod = [222233334444]",
                "3:9: invalid type: integer `222233334444`, expected a string",
            ),
            (
                "version = 1\n[[exemptions]]\nexpires = 2027-02-30",
                "3:11: invalid date, expected day between 01 and 28",
            ),
        ]);
    }

    #[test]
    fn versions_and_settings() {
        let form =
            r#"write it in d, h, m and s, the largest first, such as "30m", "2h", "1d", "90s" or "1h30m""#;
        check(&[
            ("", "1:1: the policy does not say its version: write `version = 1` at the top"),
            ("version = 2", "1:11: version 2 is not known: this release reads version 1"),
            ("version = 1\nmode = \"Fix\"", "2:8: `Fix` is not a mode: write off, notify or fix"),
            ("version = 1\niac = \"on\"", "2:7: `on` is not a mode: write off, notify or fix"),
            ("version = 1\ngrace = \"30\"", &format!("2:9: `30` is not a duration: {form}")),
            ("version = 1\ngrace = 30", &format!("2:9: `30` is not a duration: {form}")),
            (
                "version = 1\nwindows = [\n  \"Mon 09:00-10:00 UTC\",\n  \"Mon 09:00-10:00 Europe/Berln\",\n]",
                "4:3: `Mon 09:00-10:00 Europe/Berln` is not a window: there is no time zone `Europe/Berln`: did you mean `Europe/Berlin`?",
            ),
        ]);
    }

    #[test]
    fn all_that_is_wrong_is_found_in_one_go_and_in_order() {
        let text = r#"mode = "fixx"
[groups]
prod = ["12"]
[controls.ecs-servce-no-public-ip]
enabled = true
[[rules]]
groups = ["prdo"]
severities = ["hihg"]
grace = "soon"
[[exemptions]]
control = "ecs-service-no-public-ip"
[budget]
max_rolling_percent = 120
"#;
        let positions: Vec<String> = errors(text)
            .iter()
            .map(|error| error.splitn(3, ':').take(2).collect::<Vec<_>>().join(":"))
            .collect();
        assert_eq!(
            positions,
            ["1:1", "1:8", "3:9", "4:11", "7:11", "8:15", "9:9", "10:1", "10:1", "10:1", "10:1", "13:23"]
        );
    }
}
