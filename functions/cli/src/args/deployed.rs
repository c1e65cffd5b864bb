//! What calls AWS: its arguments and its help.

use std::path::PathBuf;

use clap::Args;
use shipshape_core::policy::Switch;

pub(super) const SWITCH: &str = "Examples:
  shipshape switch
  shipshape switch pause

run: fixes run where the policy says so. pause: no new fix; deployments that are under way
run on. freeze: no write at all. The functions read it right before every write, and
take what they cannot read for pause. Account, Region and credentials are found as by every AWS
program: AWS_PROFILE and AWS_REGION name others. Needs a binary with the feature `aws`.";

pub(super) const PUSH: &str = "Examples:
  shipshape policy push policy.toml --dry-run
  shipshape policy push policy.toml

Says what loosens and what tightens against the policy that stands there, then writes
/shipshape/policy, and /shipshape/accounts/ID for what [delegation] leaves to accounts. Comments are
left behind. It refuses what `policy check` refuses, and tells where somebody else wrote at the same
time. Account, Region and credentials are found as by every AWS program: AWS_PROFILE and AWS_REGION
name others. Needs a binary with the feature `aws`.";

/// `policy push`
#[derive(Debug, Args)]
pub(crate) struct Push {
    /// The policy.
    pub(crate) file: PathBuf,
    /// Says what would change, and writes nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

pub(super) fn switch(text: &str) -> Result<Switch, String> {
    text.parse().map_err(|error| format!("{error}"))
}
