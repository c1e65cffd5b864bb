//! `switch`: what stands between Shipshape and every write.

use anyhow::bail;
use shipshape_aws::parameters::{Deployed, Parameter, Store};
use shipshape_aws::policy::SWITCH;
use shipshape_core::policy::Switch;
use shipshape_core::text::shown;

use super::told::{self, Place, block_on};
use crate::{Status, Voices};

pub(crate) fn switch(to: Option<Switch>, voices: &mut Voices<'_>) -> anyhow::Result<Status> {
    let said = block_on(look_or_set(to))??;
    voices.result(&said, None)?;
    Ok(Status::Done)
}

async fn look_or_set(to: Option<Switch>) -> anyhow::Result<String> {
    let store = Store::open().await.map_err(|failure| told::failure(&failure, ""))?;
    let region = store.region();
    let failed = |failure| told::failure(&failure, region);
    let before = store.main().await.map_err(failed)?;
    let place = Place::of(&before, region);
    told::is_deployed(&before, &place)?;
    let Some(to) = to else { return Ok(stands(before.switch.as_ref(), &place)) };
    if !needs_write(&before, to)? {
        return Ok(stands(before.switch.as_ref(), &place));
    }
    let (word, read) = (to.to_string(), before.switch.as_ref());
    let written = store.write(SWITCH, &word, read).await.map_err(failed)?;
    let after = store.main().await.map_err(failed)?.switch;
    holds(&word, written, after.as_ref())?;
    let known = read.map_or(0, |read| read.version);
    match store.between(SWITCH, known, written, &word).await.map_err(failed)? {
        Some(between) => bail!("{}", told::conflict(SWITCH, between, written, region)),
        None => Ok(stands(after.as_ref(), &place)),
    }
}

/// Where the switch stands, and what the functions make of that.
fn stands(read: Option<&Parameter>, place: &Place) -> String {
    let switch = Switch::read(read.map(|one| one.value.as_str()));
    let means = switch.means();
    match read {
        None => format!(
            "There is no {SWITCH} in {place}. The functions take that for {switch}: {means}.\n\
             `shipshape switch run`, or pause, or freeze, makes it.\n"
        ),
        Some(Parameter { encrypted: true, version, .. }) => format!(
            "{SWITCH} is a SecureString in {place}, version {version}, which the functions do not decrypt.\n\
             They take that for {switch}: {means}.\n"
        ),
        Some(Parameter { value, version, .. }) if value.trim() == switch.to_string() => {
            format!("{SWITCH} is {switch} in {place}, version {version}: {means}.\n")
        }
        Some(Parameter { value, version, .. }) => {
            let value = shown(value);
            format!(
                "{SWITCH} is `{value}` in {place}, version {version}, which is none of run, pause and freeze.\n\
                 The functions take that for {switch}: {means}.\n\
                 `shipshape switch run`, or pause, or freeze, puts it right.\n"
            )
        }
    }
}

/// Whether it has to be written at all; refused where no function could read it.
fn needs_write(before: &Deployed, to: Switch) -> anyhow::Result<bool> {
    match &before.switch {
        Some(parameter) if parameter.encrypted => bail!("{}", told::encrypted(parameter)),
        Some(parameter) => Ok(parameter.value != to.to_string()),
        None => Ok(true),
    }
}

/// What was written has to stand there.
fn holds(word: &str, written: i64, after: Option<&Parameter>) -> anyhow::Result<()> {
    match after {
        Some(after) if after.value == word => Ok(()),
        Some(Parameter { value, version, .. }) => bail!(
            "{SWITCH} was set to {word}, version {written}, and somebody changed it right after: it is `{}` now, version {version}",
            shown(value)
        ),
        None => bail!("{SWITCH} was set to {word}, and is gone: somebody deleted it right after"),
    }
}
