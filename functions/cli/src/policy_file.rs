//! Policies from files.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use jiff::Timestamp;
use shipshape_core::policy::{PARAMETER_LIMIT, Policy};
use shipshape_core::selection;

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
    read(path)
}

fn read(path: &Path) -> anyhow::Result<Policy> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read the policy {}", path.display()))?;
    match Policy::parse(&path.display().to_string(), &text, &selection::names()) {
        Ok(policy) => Ok(policy),
        Err(errors) => bail!("the policy is wrong:\n{errors}"),
    }
}

/// `policy check`
pub(crate) fn check(path: &Path, now: Option<Timestamp>, voices: &mut Voices<'_>) -> anyhow::Result<Status> {
    let policy = read(path)?;
    let now = now.unwrap_or_else(Timestamp::now);
    let mut text =
        format!("{} is right\n\nas parameters (limit {PARAMETER_LIMIT} bytes each):\n", path.display());
    let mut over = Vec::new();
    for (parameter, bytes) in policy.usage() {
        writeln!(text, "  {bytes:>5} bytes, {:>3} %  {parameter}", bytes * 100 / PARAMETER_LIMIT)?;
        if bytes > PARAMETER_LIMIT {
            over.push(parameter);
        }
    }
    let exemptions = policy.exemptions();
    if !exemptions.is_empty() {
        text.push_str("\nexemptions:\n");
    }
    for exemption in exemptions {
        let state = if exemption.is_live(now) { "through" } else { "EXPIRED after" };
        writeln!(
            text,
            "  {state} {}  {}  {}  ({}; {})",
            exemption.expires, exemption.control, exemption.resource, exemption.owner, exemption.source
        )?;
    }
    voices.result(&text, None)?;
    if over.is_empty() {
        return Ok(Status::Done);
    }
    bail!(
        "too long for SSM: {} would be over {PARAMETER_LIMIT} bytes; move accounts to parameters of their own, or cut rules",
        over.join(", ")
    )
}
