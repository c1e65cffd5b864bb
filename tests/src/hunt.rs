//! What has to hold of any bytes at all: the body of the fuzz target, and of the test that runs its seeds and what
//! it has found.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use json_patch::Patch;
use serde_json::value::RawValue;
use shipshape_core::change::{Change, Observed};
use shipshape_core::control::{Compliance, Control, Severity, evaluate};
use shipshape_core::controls::ALL;
use shipshape_core::event::{Parsed, Record, parse};
use shipshape_core::inventory::Inventory;
use shipshape_core::ledger::Outcome;
use shipshape_core::policy::Policy;
use shipshape_core::remediation::{Loosening, plan, prove, simulate};
use shipshape_core::replay::World;
use shipshape_core::resource::Resource;
use shipshape_core::selection::Selection;

use crate::{FIX, policy};

/// Everything on, and every parameter that a fix needs.
const EVERYTHING: &str = r#"
[controls.ecs-container-non-root-user]
user = "10001:10001"
[controls.ecs-container-readonly-rootfs]
scratch = ["/tmp"]
[controls.ecs-image-trusted-registry]
allow = ["111122223333.dkr.ecr.*.amazonaws.com/*"]
"#;

static POLICY: LazyLock<Policy> = LazyLock::new(|| policy(&format!("{FIX}{EVERYTHING}")));

/// What `tests/state` describes: networks, images and log groups, so that pre-flights have something to read.
static KNOWN: LazyLock<Inventory> = LazyLock::new(|| {
    let mut inventory = Inventory::new(vec!["*".to_owned()]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("state");
    let mut files: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
    files.sort_by_key(fs::DirEntry::path);
    for file in files {
        let text = fs::read_to_string(file.path()).unwrap_or_default();
        if let Ok(json) = serde_json::from_str::<&RawValue>(&text) {
            let _learned = inventory.describe(json);
        }
    }
    inventory
});

fn selection() -> Selection {
    Selection::of(&POLICY, ALL, Severity::Informational)
}

/// Reads bytes as an event, judges what it shows, plans what it can, and walks it through a world that fixes.
///
/// # Panics
/// Where something does not hold: a plan that can't be proved, or a change that is answered twice.
pub fn hunt(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(json) = serde_json::from_str::<&RawValue>(text) else { return };
    let Ok(Parsed::Change(change)) = Record::read(json).and_then(|record| parse(&record)) else { return };
    assert!(!change.observed.is_empty(), "a change of nothing");
    for observed in &change.observed {
        if let Observed::State(resource) = observed {
            every_plan_is_proved(resource);
        }
    }
    nothing_is_answered_twice(&change);
}

/// Of documents as AWS writes them. What holds a member twice, or a number beyond any, reads otherwise as a tree: it can be
/// judged, and no plan fits it.
fn every_plan_is_proved(resource: &Resource) {
    let Ok(resource) = &simulate(&Patch(Vec::new()), resource) else { return };
    let (selection, facts) = (selection(), KNOWN.facts());
    for evaluation in evaluate(resource, facts, &selection) {
        let control: &Control = evaluation.control;
        let Compliance::Failed(violations) = &evaluation.compliance else { continue };
        assert!(!violations.is_empty(), "{control:?} fails nowhere");
        let Some(selected) = selection.get(control) else { continue };
        let Some(fix) = plan(resource, &evaluation, facts, selected) else { continue };
        // The service's own document does not show that the revision it moves to passes.
        if fix.is_provisional() {
            continue;
        }
        match prove(&fix, control, resource, facts, &selection) {
            // Another container of the same definition is not shown.
            Ok(_) | Err(Loosening::NotShown(_)) => {}
            Err(why) => panic!("{control:?}: {why}"),
        }
    }
}

fn nothing_is_answered_twice(change: &Change) {
    let mut world = World::new(POLICY.clone(), selection(), KNOWN.clone());
    world.walk(change);
    let again = world.walk(change);
    for judgement in &again.judgements {
        let slug = judgement.evaluation.control.slug;
        assert!(judgement.outcome != Some(Outcome::Applied), "{slug} is fixed twice for one change");
    }
    world.finish();
}
