//! `policy push`: a policy file becomes the parameters that the functions read.

use anyhow::bail;
use jiff::Timestamp;
use shipshape_aws::parameters::{Parameter, Store};
use shipshape_core::policy::Document;

use super::plan::{Plan, Write, plan};
use super::told::{self, Place, block_on};
use crate::args::Push;
use crate::{Status, Voices, policy_file};

pub(crate) fn push(args: &Push, voices: &mut Voices<'_>) -> anyhow::Result<Status> {
    let policy = policy_file::pushable(&args.file, Timestamp::now(), voices)?;
    block_on(look_and_write(&policy.documents(), args.dry_run, voices))??;
    Ok(Status::Done)
}

async fn look_and_write(
    documents: &[Document],
    dry_run: bool,
    voices: &mut Voices<'_>,
) -> anyhow::Result<()> {
    let store = Store::open().await.map_err(|failure| told::failure(&failure, ""))?;
    let failed = |failure| told::failure(&failure, store.region());
    let deployed = store.all().await.map_err(failed)?;
    let Plan { writes, text } = plan(&deployed, documents, &Place::of(&deployed, store.region()))?;
    // That nobody listens any more is no reason to leave undone what was asked for, or to leave it half done.
    let shown = voices.result(&text, None);
    if dry_run {
        return shown.and(voices.result("dry run: nothing was written\n", None));
    }
    let (done, unwritten) = write(&store, &writes).await;
    let lines = done
        .iter()
        .map(|(write, version)| format!("written: {}, version {version}\n", write.document.parameter));
    let told = voices.result(&lines.collect::<String>(), None);
    unwritten?;
    if !done.is_empty() {
        verify(&store, &done).await?;
    }
    shown.and(told)
}

/// Writes one after the other, up to the first that cannot be written. Answers the versions of what was.
async fn write<'a>(store: &Store, writes: &'a [Write]) -> (Vec<(&'a Write, i64)>, anyhow::Result<()>) {
    let mut done = Vec::new();
    for write in writes {
        let Document { parameter, text } = &write.document;
        match store.write(parameter, text, write.read.as_ref()).await {
            Ok(version) => done.push((write, version)),
            Err(failure) => {
                let error = told::failure(&failure, store.region());
                return (done, Err(error.context(format!("cannot write {parameter}"))));
            }
        }
    }
    (done, Ok(()))
}

/// What was written has to stand there, and nobody may have written meanwhile.
async fn verify(store: &Store, done: &[(&Write, i64)]) -> anyhow::Result<()> {
    let failed = |failure| told::failure(&failure, store.region());
    let now = store.all().await.map_err(failed)?;
    let mut wrong = Vec::new();
    for (Write { document, .. }, version) in done {
        let mut all = now.policy.iter().chain(&now.accounts);
        wrong.extend(changed(document, *version, all.find(|one| one.name == document.parameter)));
    }
    for (write, version) in done {
        let Document { parameter, text } = &write.document;
        let between = store.between(parameter, write.version(), *version, text).await.map_err(failed)?;
        wrong.extend(between.map(|between| told::conflict(parameter, between, *version, store.region())));
    }
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
}

/// What somebody made of a parameter right after it was written.
fn changed(document: &Document, version: i64, now: Option<&Parameter>) -> Option<String> {
    let name = &document.parameter;
    match now {
        Some(now) if now.value == document.text => None,
        Some(now) => Some(format!(
            "{name}: version {version} was written, and somebody changed it right after: version {} stands there now",
            now.version
        )),
        None => Some(format!(
            "{name}: version {version} was written, and is gone: somebody deleted it right after"
        )),
    }
}
