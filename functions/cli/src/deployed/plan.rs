//! What a push is to write, and what that changes: worked out of what stands there, before anything is written.

use std::fmt::Write as _;

use anyhow::bail;
use owo_colors::OwoColorize;
use shipshape_aws::parameters::{Deployed, Parameter};
use shipshape_aws::policy::{ACCOUNTS, POLICY};
use shipshape_core::comparison::{Difference, Direction, differences};
use shipshape_core::ids::AccountId;
use shipshape_core::policy::{Document, Notice, Policy, Switch};
use shipshape_core::selection;

use super::told::{self, Place};
use crate::output::plain;
use crate::output::words::wrap;

/// What a standard parameter holds at most, in bytes; beyond, AWS charges for an advanced one.
const STANDARD: usize = 4096;

/// What is to be written, and what to tell of it.
#[derive(Debug)]
pub(super) struct Plan {
    /// The parameters that are not as the file says. Those of accounts come first: an account whose table moves from the
    /// main document to its own is never without both.
    pub(super) writes: Vec<Write>,
    /// What changes, for people.
    pub(super) text: String,
}

/// One parameter that is to be written.
#[derive(Debug)]
pub(super) struct Write {
    /// What is written.
    pub(super) document: Document,
    /// What stands there.
    pub(super) read: Option<Parameter>,
}

impl Write {
    /// The version that was read, or none at all.
    pub(super) fn version(&self) -> i64 {
        self.read.as_ref().map_or(0, |read| read.version)
    }
}

/// Works out what a push of these documents writes.
pub(super) fn plan(deployed: &Deployed, documents: &[Document], place: &Place) -> anyhow::Result<Plan> {
    told::is_deployed(deployed, place)?;
    let find = |name: &str| {
        let mut all = deployed.policy.iter().chain(&deployed.accounts);
        all.find(|parameter| parameter.name == name)
    };
    if let Some(parameter) = documents.iter().filter_map(|one| find(&one.parameter)).find(|one| one.encrypted)
    {
        bail!("{}", told::encrypted(parameter));
    }
    let (main, accounts): (Vec<_>, Vec<_>) = documents.iter().partition(|one| one.parameter == POLICY);
    let writes: Vec<Write> = accounts
        .into_iter()
        .chain(main)
        .map(|document| Write { document: document.clone(), read: find(&document.parameter).cloned() })
        .filter(|write| write.read.as_ref().is_none_or(|read| read.value != write.document.text))
        .collect();
    let text = text(deployed, documents, &writes, place);
    Ok(Plan { writes, text })
}

fn text(deployed: &Deployed, documents: &[Document], writes: &[Write], place: &Place) -> String {
    let stands: Vec<(&str, &str)> = deployed
        .policy
        .iter()
        .chain(&deployed.accounts)
        .map(|parameter| (parameter.name.as_str(), parameter.value.as_str()))
        .collect();
    let kept = stands.iter().filter(|(name, _)| documents.iter().all(|one| one.parameter != *name));
    let kept: Vec<(&str, &str)> = kept.copied().collect();
    let pushed = documents.iter().map(|one| (one.parameter.as_str(), one.text.as_str()));
    let (before, wrong) = assembled(&stands);
    let (after, left) = assembled(&pushed.chain(kept.iter().copied()).collect::<Vec<_>>());
    let mut text = String::new();
    match &deployed.policy {
        Some(policy) => {
            line(&mut text, 0, &format!("against version {} of {POLICY} in {place}", policy.version))
        }
        None => line(
            &mut text,
            0,
            &format!("no policy is deployed in {place}, so that every account is at notify"),
        ),
    }
    if deployed.policy.is_some() {
        wrong.iter().for_each(|notice| line(&mut text, 0, &format!("what stands there: {notice}")));
    }
    changes(&mut text, &differences(&before, &after), writes.is_empty());
    for (name, _) in &kept {
        let what = format!(
            "{name} stands there and is not in the file: it is left alone, and holds as far as `[delegation]` lets it. If \
             nobody wants it: aws ssm delete-parameter --name {name}"
        );
        line(&mut text, 0, &what);
    }
    left.iter().for_each(|notice| line(&mut text, 0, &format!("still wrong afterwards: {notice}")));
    for Write { document: Document { parameter, text: value }, read } in writes {
        let version = match read {
            Some(read) => format!("version {} becomes {}", read.version, read.version + 1),
            None => "new".to_owned(),
        };
        let dear = if value.len() > STANDARD { ", an advanced parameter, which AWS charges for" } else { "" };
        line(&mut text, 0, &format!("{parameter}: {version}, {} bytes{dear}", value.len()));
    }
    let switch = Switch::read(deployed.switch.as_ref().map(|switch| switch.value.as_str()));
    if switch != Switch::Run {
        line(&mut text, 0, &format!("the switch stands at {switch}: {}", switch.means()));
    }
    text
}

/// The policy that the functions make of these parameters, in every account that has one of its own.
fn assembled(parameters: &[(&str, &str)]) -> (Policy, Vec<Notice>) {
    let main = parameters.iter().find(|(name, _)| *name == POLICY).map(|(_, text)| *text);
    let own = parameters.iter().filter_map(|(name, text)| {
        let account: AccountId = name.strip_prefix(ACCOUNTS)?.parse().ok()?;
        Some((account, (*name).to_owned(), (*text).to_owned()))
    });
    Policy::assemble((POLICY, main), &own.collect::<Vec<_>>(), &selection::names())
}

fn changes(text: &mut String, all: &[Difference], same: bool) {
    if all.is_empty() {
        let what = if same {
            "nothing changes: what stands there is what the file says"
        } else {
            "nothing changes in what is done: names or the wording are others"
        };
        line(text, 0, what);
    }
    for (direction, title) in
        [(Direction::Looser, "looser"), (Direction::Tighter, "tighter"), (Direction::Other, "otherwise")]
    {
        let mut those = all.iter().filter(|one| one.direction == direction).peekable();
        if those.peek().is_some() {
            let _infallible = writeln!(text, "{}", title.bold());
        }
        those.for_each(|one| line(text, 2, &one.what));
    }
}

/// Prose, indented, what follows its first line a little more.
fn line(text: &mut String, indent: usize, what: &str) {
    for paragraph in what.lines() {
        for (index, line) in wrap(&plain(paragraph), indent + 2).into_iter().enumerate() {
            let indent = if index == 0 { indent } else { indent + 2 };
            let _infallible = writeln!(text, "{:indent$}{line}", "");
        }
    }
}
