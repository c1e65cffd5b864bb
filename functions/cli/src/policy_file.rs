//! Policies from files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use jiff::Timestamp;
use owo_colors::OwoColorize;
use serde::Deserialize;
use shipshape_core::control::Severity;
use shipshape_core::controls;
use shipshape_core::ids::{AccountId, Arn, Region};
use shipshape_core::policy::{Exemption, Mode, PARAMETER_LIMIT, Policy, Subject};
use shipshape_core::remediation::Safety;
use shipshape_core::selection::{self, Selected, Selection};

use crate::output::plain;
use crate::output::words::wrap;
use crate::read::files;
use crate::{Status, Voices};

/// The policy that is taken where none is named.
const DEFAULT: &str = "shipshape.toml";

/// The policy that was named; else `shipshape.toml`, which is said; else notify only.
pub(crate) fn load(named: Option<&Path>, voices: &mut Voices<'_>) -> anyhow::Result<Policy> {
    let path = match named {
        Some(path) => path,
        None if Path::new(DEFAULT).is_file() => {
            if !voices.quiet {
                voices.say(&format!("policy: {DEFAULT} of the working directory"));
            }
            Path::new(DEFAULT)
        }
        None => return Ok(Policy::notify_only()),
    };
    Ok(read(path)?.0)
}

/// The policy, and its text.
fn read(path: &Path) -> anyhow::Result<(Policy, String)> {
    let name = files::name(path);
    let text = fs::read_to_string(path).with_context(|| format!("cannot read the policy {name}"))?;
    match Policy::parse(&name, &text, &selection::names()) {
        Ok(policy) => Ok((policy, text)),
        Err(errors) => bail!("the policy is wrong:\n{errors}"),
    }
}

/// `policy check`
pub(crate) fn check(path: &Path, now: Option<Timestamp>, voices: &mut Voices<'_>) -> anyhow::Result<Status> {
    let (policy, file) = read(path)?;
    let now = now.unwrap_or_else(Timestamp::now);
    let live: Vec<_> = policy.exemptions().iter().filter(|one| one.is_live(now)).collect();
    let mut text = expired(&policy, now);
    writeln!(text, "{} is right", plain(&files::name(path)))?;
    let selection = Selection::of(&policy, &[], Severity::Informational);
    judged(&mut text, &selection);
    title(&mut text, "accounts, where no rule about Regions, clusters or resources says otherwise");
    let mut answers: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for (name, account) in accounts(&file)? {
        let answer = modes(&policy, &selection, &account);
        let label = [Some(&*name), policy.account_name(&account)].into_iter().flatten();
        let label = label.collect::<Vec<_>>().join("  ");
        match answers.iter_mut().find(|(_, known)| *known == answer) {
            Some((names, _)) => names.push(label),
            None => answers.push((vec![label], answer)),
        }
    }
    for (names, answer) in answers {
        lines(&mut text, &names.join(", "), 2);
        answer.iter().for_each(|line| lines(&mut text, line, 4));
    }
    title(&mut text, &format!("parameters, of {PARAMETER_LIMIT} bytes at most"));
    for (parameter, bytes) in policy.usage() {
        writeln!(text, "  {bytes:>5} bytes  {:>3} %  {}", bytes * 100 / PARAMETER_LIMIT, plain(&parameter))?;
    }
    exemptions(&mut text, "exemptions that hold", &live);
    voices.result(&text, None)?;
    fits(&policy)?;
    Ok(Status::Done)
}

/// A policy that may be deployed: it is right, and every parameter holds its part of it.
#[cfg(feature = "aws")]
pub(crate) fn pushable(path: &Path, now: Timestamp, voices: &mut Voices<'_>) -> anyhow::Result<Policy> {
    let (policy, _) = read(path)?;
    fits(&policy)?;
    voices.say(&expired(&policy, now));
    Ok(policy)
}

/// A line for each exemption that no longer holds.
fn expired(policy: &Policy, now: Timestamp) -> String {
    let mut text = String::new();
    for one in policy.exemptions().iter().filter(|one| !one.is_live(now)) {
        let why = "has expired and suppresses nothing: renew it, or take it out";
        let Exemption { control, resource, owner, expires, source, .. } = one;
        let of = format!("the exemption of {owner} for {control} on {resource}, through {expires},");
        let _infallible = writeln!(text, "{}", plain(&format!("{source}: {of} {why}")));
    }
    text
}

/// Refuses a policy that no parameter could hold.
fn fits(policy: &Policy) -> anyhow::Result<()> {
    let over = policy.usage().into_iter().filter(|(_, bytes)| *bytes > PARAMETER_LIMIT);
    let over: Vec<String> = over.map(|(parameter, _)| parameter).collect();
    if over.is_empty() {
        return Ok(());
    }
    bail!(
        "too long for SSM: {} would be over {PARAMETER_LIMIT} bytes; move accounts to parameters of their own, or cut rules",
        over.join(", ")
    )
}

fn title(text: &mut String, title: &str) {
    let _infallible = writeln!(text, "\n{}", title.bold());
}

fn exemptions(text: &mut String, heading: &str, exemptions: &[&Exemption]) {
    if exemptions.is_empty() {
        return;
    }
    title(text, heading);
    for Exemption { control, resource, owner, reason, expires, source, .. } in exemptions {
        let line = plain(&format!("through {expires}  {control}  {resource}"));
        let why = plain(&format!("{owner}: {reason} ({source})"));
        let _infallible = writeln!(text, "  {line}\n                      {why}");
    }
}

/// The accounts that a policy speaks of.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Spoken {
    accounts: BTreeMap<String, toml::Value>,
    groups: BTreeMap<String, Vec<String>>,
}

/// The accounts that a policy names, and one that it does not.
fn accounts(file: &str) -> anyhow::Result<Vec<(String, AccountId)>> {
    let spoken: Spoken = toml::from_str(file)?;
    let ids: BTreeSet<String> =
        spoken.accounts.into_keys().chain(spoken.groups.into_values().flatten()).collect();
    let named = ids.into_iter().filter_map(|id| Some((id.clone(), id.parse().ok()?)));
    let mut accounts: Vec<_> = named.collect();
    accounts.push(("any other".to_owned(), "other".parse()?));
    Ok(accounts)
}

/// Who answers a violation, as far as the control says.
fn answerer(selected: &Selected) -> &'static str {
    let control = selected.control;
    match (control.call, control.safety) {
        (None, _) => "a person",
        (Some(_), Safety::Safe) => "a safe fix",
        (Some(_), Safety::Disruptive) => "a disruptive fix",
        (Some(_), Safety::Manual) if selected.is_set() => "a fix as far as its parameters tell how",
        (Some(_), Safety::Manual) => "a person",
    }
}

/// The controls that are judged, by what answers their violations in mode fix.
fn judged(text: &mut String, selection: &Selection) {
    let mut by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for selected in selection.iter() {
        by.entry(answerer(selected)).or_default().push(selected.control.slug);
    }
    let count = by.values().map(Vec::len).sum::<usize>();
    let of = format!(
        "controls that are judged, {count} of {}, and what answers them in mode fix",
        controls::ALL.len()
    );
    title(text, &of);
    for (answer, slugs) in by {
        lines(text, &format!("{answer}: {}", slugs.join(", ")), 2);
    }
    let off: Vec<&str> =
        controls::ALL.iter().filter(|control| selection.get(control).is_none()).map(|one| one.slug).collect();
    if !off.is_empty() {
        lines(text, &format!("not judged: {}", off.join(", ")), 2);
        lines(text, "`[controls.SLUG]` with `enabled = true` switches one on", 4);
    }
}

/// Prose, indented, what follows its first line a little more.
fn lines(text: &mut String, what: &str, indent: usize) {
    for (index, line) in wrap(&plain(what), indent + 2).into_iter().enumerate() {
        let indent = if index == 0 { indent } else { indent + 2 };
        let _infallible = writeln!(text, "{:indent$}{line}", "");
    }
}

/// The mode of one account with the lines that say so: what holds for most controls, then the others.
fn modes(policy: &Policy, selection: &Selection, account: &AccountId) -> Vec<String> {
    let (Ok(region), Ok(resource)) =
        ("any".parse::<Region>(), format!("arn:aws:ecs:any:{account}:any").parse::<Arn>())
    else {
        return Vec::new();
    };
    let mut modes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for selected in selection.iter() {
        let control = selected.control;
        let subject = Subject {
            account: Some(account),
            region: Some(&region),
            resource: &resource,
            cluster: None,
            control: control.slug,
            severity: control.severity,
        };
        let effective = policy.effective(&subject);
        let (mode, disruptive) = (effective.mode, effective.disruptive);
        let mut answer = format!("{} ({})", mode.value, mode.source);
        let mut slug = control.slug.to_owned();
        if mode.value == Mode::Fix {
            let what = if disruptive.value { "disruptive fixes too" } else { "safe fixes only" };
            answer.push_str(&format!(", {what} ({})", disruptive.source));
            if !selected.has_fix() {
                slug.push_str(" (a person)");
            }
        }
        modes.entry(answer).or_default().push(slug);
    }
    let alone = modes.len() == 1;
    let most = modes.iter().max_by_key(|(_, slugs)| slugs.len()).map(|(answer, _)| answer.clone());
    let mut said = Vec::new();
    for (answer, slugs) in modes {
        match most.as_ref() {
            Some(most) if *most == answer && alone => said.insert(0, answer),
            Some(most) if *most == answer => said.insert(0, format!("{answer}, but")),
            _ => said.push(format!("{answer}: {}", slugs.join(", "))),
        }
    }
    said
}
