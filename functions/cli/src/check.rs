//! `check`: documents, judged without any event.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shipshape_core::check as core;
use shipshape_core::control::Compliance;
use shipshape_core::facts::Facts;
use shipshape_core::resource::{Resource, ResourceType};
use shipshape_core::selection::Selection;

use crate::args::{Check, Format};
use crate::output::{Row, json, text};
use crate::read::{Fault, files, pieces};
use crate::{Status, Voices, policy_file};

pub(crate) fn check(args: &Check, voices: &mut Voices<'_>) -> anyhow::Result<Status> {
    let common = &args.common;
    let policy = policy_file::load(common.policy.as_deref(), voices)?;
    let now = args.now.unwrap_or_else(Timestamp::now);
    let selection = Selection::of(&policy, &common.controls, common.severity);
    let (resources, mut faults) = read(args, voices);
    let mut facts = Facts::default();
    // A service answers for the revision that it runs, where that is among the documents.
    for (resource, _) in resources.iter().filter(|(one, _)| one.id.kind == ResourceType::TaskDefinition) {
        facts.learn(resource.clone());
    }
    let mut rows = Vec::new();
    let mut judged: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (resource, source) in &resources {
        for checked in core::check(resource, &facts, &policy, &selection, now) {
            let status =
                if checked.exempt.is_some() { "exempt" } else { checked.evaluation.compliance.status() };
            *judged.entry(status).or_default() += 1;
            let complies =
                matches!(checked.evaluation.compliance, Compliance::Passed | Compliance::NotApplicable(_));
            if common.all || !complies {
                rows.push(Row::checked(checked, source.clone()));
            }
        }
    }
    faults.sort();
    let output = match common.format {
        Format::Text => text::check(&rows, &faults, resources.len(), &judged),
        Format::Json => json::check(&rows, &faults, resources.len(), &judged)?,
    };
    voices.faults(&faults, common.format);
    voices.result(&output, common.output.as_deref())?;
    Ok(Status::of(&faults, &rows, args.fail_on))
}

fn read(args: &Check, voices: &mut Voices<'_>) -> (Vec<(Resource, String)>, Vec<Fault>) {
    let (paths, mut faults) = files::list(&args.paths);
    let mut resources = Vec::new();
    for path in paths {
        let (name, (text, broken)) = (files::name(&path), files::text(&path));
        let nothing = text.is_empty() && broken.is_some();
        faults.extend(broken);
        if nothing {
            continue;
        }
        let (pieces, more) = pieces::split(&name, &text);
        faults.extend(more);
        for piece in pieces {
            match core::read(&piece.json, args.kind) {
                Ok(read) => {
                    voices.detail(&format!("{}: {} resources", piece.source, read.len()));
                    resources.extend(read.into_iter().map(|resource| (resource, piece.source.clone())));
                }
                Err(error) => faults.push(Fault {
                    source: piece.source,
                    line: piece.line,
                    message: error.to_string(),
                    rejected: false,
                }),
            }
        }
    }
    (resources, faults)
}
