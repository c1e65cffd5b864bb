//! What the commands say in a binary that cannot call AWS.

use anyhow::bail;
use shipshape_core::policy::Switch;
use shipshape_core::text;

use crate::args::Push;
use crate::read::files;
use crate::{Status, Voices};

pub(crate) fn push(args: &Push, _voices: &mut Voices<'_>) -> anyhow::Result<Status> {
    let dry_run = if args.dry_run { " --dry-run" } else { "" };
    without(&format!("policy push{dry_run} {}", text::whole_argument(&files::name(&args.file))))
}

pub(crate) fn switch(to: Option<Switch>, _voices: &mut Voices<'_>) -> anyhow::Result<Status> {
    without(&to.map_or_else(|| "switch".to_owned(), |to| format!("switch {to}")))
}

fn without(command: &str) -> anyhow::Result<Status> {
    bail!(
        "this binary was built without the feature `aws`, and cannot call AWS. In a checkout of Shipshape, run\n  \
         cargo run --features aws -- {command}\n\
         or install a binary that can: cargo install --locked --path functions/cli --features aws"
    )
}
