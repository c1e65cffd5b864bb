//! Policies from files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use jiff::Timestamp;
use owo_colors::OwoColorize;
use serde::Deserialize;
use shipshape_core::controls;
use shipshape_core::ids::{AccountId, Arn, Region};
use shipshape_core::policy::{Exemption, PARAMETER_LIMIT, Policy, Subject};
use shipshape_core::selection;

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
    let mut text = format!("{} is right\n", files::name(path));
    title(&mut text, "accounts, where no rule about Regions, clusters or resources says otherwise");
    for (name, account) in accounts(&file)? {
        modes(&mut text, &policy, &name, &account);
    }
    title(&mut text, &format!("parameters, of {PARAMETER_LIMIT} bytes at most"));
    let mut over = Vec::new();
    for (parameter, bytes) in policy.usage() {
        writeln!(text, "  {bytes:>5} bytes  {:>3} %  {}", bytes * 100 / PARAMETER_LIMIT, plain(&parameter))?;
        if bytes > PARAMETER_LIMIT {
            over.push(parameter);
        }
    }
    let (live, expired): (Vec<_>, Vec<_>) = policy.exemptions().iter().partition(|one| one.is_live(now));
    exemptions(&mut text, "exemptions that hold", &live);
    exemptions(&mut text, "exemptions that have expired, and suppress nothing", &expired);
    voices.result(&text, None)?;
    if over.is_empty() {
        return Ok(Status::Done);
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

/// The mode of one account, control by control where they differ, and the lines that say so.
fn modes(text: &mut String, policy: &Policy, name: &str, account: &AccountId) {
    let (Ok(region), Ok(resource)) =
        ("any".parse::<Region>(), format!("arn:aws:ecs:any:{account}:any").parse::<Arn>())
    else {
        return;
    };
    let mut modes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for control in controls::ALL {
        let subject = Subject {
            account: Some(account),
            region: Some(&region),
            resource: &resource,
            cluster: None,
            control: control.slug,
            severity: control.severity,
        };
        let mode = policy.effective(&subject).mode;
        modes.entry(format!("{} ({})", mode.value, mode.source)).or_default().push(control.slug);
    }
    let label =
        [Some(name), policy.account_name(account)].into_iter().flatten().collect::<Vec<_>>().join("  ");
    let _infallible = writeln!(text, "  {}", plain(&label));
    let alone = modes.len() == 1;
    for (mode, slugs) in modes {
        let what = if alone { mode } else { format!("{mode}: {}", slugs.join(", ")) };
        for (index, line) in wrap(&plain(&what), 6).into_iter().enumerate() {
            let indent = if index == 0 { 4 } else { 6 };
            let _infallible = writeln!(text, "{:indent$}{line}", "");
        }
    }
}
