//! Rows as SARIF's results.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use json_patch::{Patch, PatchOperation};
use serde_json::Value;
use shipshape_core::control::{Compliance, Violation};
use shipshape_core::facts::Need;
use shipshape_core::finding::Fingerprint;
use shipshape_core::resource::ResourceId;
use shipshape_core::text::shown;

use super::log::{
    ArtifactChange, ArtifactLocation, Finding, Fix, Location, LogicalLocation, PhysicalLocation, Properties,
    Replacement, Suppression, Text,
};
use super::outline::{Outline, Spot};
use super::{message, rule, uri};
use crate::check::Report;
use crate::output::{Row, plain};
use crate::place::Place;

/// The member by which a service or task set names the revision that it runs.
const REVISION: &str = "/taskDefinition";

/// The longest value that a message quotes.
const LONGEST: usize = 160;

/// Turns a report's rows into results, in their order.
pub(super) struct Findings<'a> {
    report: &'a Report,
    /// Outlines of documents, by where in memory their places are.
    outlines: BTreeMap<usize, Outline<'a>>,
    /// The path by which each file came first. A file that was named in two ways is told once.
    first: BTreeMap<ArtifactLocation, &'a Path>,
    /// How many results of a file have a fingerprint.
    same: BTreeMap<(ArtifactLocation, String), usize>,
}

/// What a result says, and of which member of the resource's document.
struct Told<'a> {
    kind: &'static str,
    level: &'static str,
    words: String,
    pointer: &'a str,
    spot: Spot,
    /// The member of another document that is to blame.
    related: Option<Location>,
    /// What identifies it in the resource, however its lines and elements move.
    stable: String,
    fix: Option<Fix>,
    /// Whether the row's plan is told here.
    plan: bool,
}

impl<'a> Told<'a> {
    /// What is told of a member, unless it is wrong.
    fn new(kind: &'static str, words: String, pointer: &'a str, spot: Spot) -> Self {
        let stable = spot.stable.clone();
        Self { kind, level: "none", words, pointer, spot, related: None, stable, fix: None, plan: false }
    }
}

impl<'a> Findings<'a> {
    /// The results of a report.
    pub(super) fn of(report: &'a Report) -> Vec<Finding<'a>> {
        let (outlines, first, same) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut findings = Self { report, outlines, first, same };
        let mut results = Vec::new();
        for row in &report.rows {
            let Some(place) = &row.place else { continue };
            let file = uri::artifact(&place.path);
            if *findings.first.entry(file).or_insert(&place.path) != &*place.path {
                continue;
            }
            for told in findings.told(row, place) {
                results.push(findings.finding(row, place, told));
            }
        }
        results
    }

    fn told(&mut self, row: &'a Row, place: &'a Arc<Place>) -> Vec<Told<'a>> {
        let mut other =
            |kind, pointer, words| vec![Told::new(kind, words, pointer, self.outline(place).find(pointer))];
        match &row.compliance {
            Compliance::Failed(violations) => self.violations(row, place, violations),
            Compliance::Passed => other("pass", "", "Complies.".to_owned()),
            Compliance::NotApplicable(reason) => {
                other("notApplicable", "", format!("Not applicable: {}.", message(reason)))
            }
            Compliance::Unknown(needs) => {
                let member = needs.iter().find_map(|need| match need {
                    Need::Member(path) | Need::Input(path) => Some(path.as_str()),
                    _ => None,
                });
                let run = row.found_in.as_ref().map(|_| REVISION);
                let words = format!("Not judged: it takes {}.", message(&row.needs().join("; ")));
                other("open", run.or(member).unwrap_or_default(), words)
            }
        }
    }

    fn violations(
        &mut self,
        row: &'a Row,
        place: &'a Arc<Place>,
        violations: &'a [Violation],
    ) -> Vec<Told<'a>> {
        let revision = row.found_in.as_ref();
        let judged = revision.and_then(|id| self.report.revisions.get(&id.arn)).unwrap_or(place);
        let outline = self.outline(judged);
        let spots: Vec<Spot> = violations.iter().map(|violation| outline.find(&violation.path)).collect();
        let fixes = if revision.is_none() { exact_fixes(row, place, violations, &spots) } else { Vec::new() };
        let whole = fixes.is_empty();
        let mut fixes = fixes.into_iter();
        let mut told = Vec::new();
        for (index, (violation, spot)) in violations.iter().zip(spots).enumerate() {
            let words = words(violation, spot.name.as_deref(), revision);
            let stable = spot.stable.clone();
            // What is wrong with a service is the revision that it names; where that goes wrong is told beside it.
            let (pointer, spot, related) = match revision {
                None => (violation.path.as_str(), spot, None),
                Some(id) => {
                    let related = Location {
                        id: Some(1),
                        message: Some(Text { text: "In the revision that it runs.".to_owned() }),
                        ..location(judged, id, &violation.path, &spot)
                    };
                    (REVISION, self.outline(place).find(REVISION), Some(related))
                }
            };
            told.push(Told {
                level: rule::level(row.control.severity),
                related,
                stable,
                fix: fixes.next(),
                // Said once: a plan is the whole resource's, and there may be a thousand violations.
                plan: whole && index == 0,
                ..Told::new("fail", words, pointer, spot)
            });
        }
        told
    }

    fn finding(&mut self, row: &'a Row, place: &Place, told: Told<'a>) -> Finding<'a> {
        let slug = row.control.slug;
        let rule_index = self.report.controls.iter().position(|control| control.slug == slug);
        let mut sentences = vec![
            told.words,
            format!("Demanded: {}.", rule::literal(row.control.title)),
            format!("Resource: {}.", message(&called(&row.resource))),
        ];
        sentences.extend(row.notes.iter().map(|note| format!("Note: {}.", message(note))));
        Finding {
            rule_id: slug,
            rule_index: rule_index.unwrap_or_default(),
            kind: told.kind,
            level: told.level,
            message: Text { text: sentences.join(" ") },
            locations: [location(place, &row.resource, told.pointer, &told.spot)],
            related_locations: told.related.into_iter().collect(),
            partial_fingerprints: self.fingerprints(row, place, &told.stable),
            // All results of a run have the member or none has, so that it is there where nothing is exempt too.
            suppressions: row.exempt.iter().map(|exempt| suppression(exempt)).collect(),
            fixes: told.fix.into_iter().collect(),
            properties: Properties {
                resource_type: row.resource.kind.name(),
                severity: row.control.severity.as_str(),
                safety: row.fix.as_ref().filter(|_| told.plan).map(|fix| fix.safety),
                plan: row.fix.as_ref().filter(|_| told.plan).map(|fix| &fix.patch),
            },
        }
    }

    /// GitHub knows an alert again by `primaryLocationLineHash` and nothing else; left out, it would hash the line,
    /// which two containers may share. Like its own, ours numbers what is the same in one file.
    fn fingerprints(&mut self, row: &Row, place: &Place, stable: &str) -> BTreeMap<&'static str, String> {
        let parts = [row.control.slug, row.resource.arn.as_str(), stable];
        let hash = Fingerprint::of_text(&parts.join("\0")).to_string();
        let same = self.same.entry((uri::artifact(&place.path), hash.clone())).or_default();
        *same += 1;
        let hash = format!("{hash}:{same}");
        BTreeMap::from([("primaryLocationLineHash", hash.clone()), ("shipshape/v1", hash)])
    }

    fn outline(&mut self, place: &'a Arc<Place>) -> &mut Outline<'a> {
        self.outlines.entry(Arc::as_ptr(place).addr()).or_insert_with(|| Outline::new(place))
    }
}

/// The values that a patch sets, where all that it does is to replace what is wrong. What is added needs a place
/// between other members, and a style: no region says that exactly.
fn replaced<'a>(patch: &'a Patch, violations: &[Violation]) -> Option<BTreeMap<&'a str, &'a Value>> {
    let mut values = BTreeMap::new();
    for operation in &patch.0 {
        match operation {
            PatchOperation::Test(_) => {}
            PatchOperation::Replace(replace) => {
                values.insert(replace.path.as_str(), &replace.value);
            }
            _ => return None,
        }
    }
    (values.len() == violations.len()).then_some(values)
}

/// Replacements in the file, one a violation, where they come to exactly what the plan does; else none.
fn exact_fixes(row: &Row, place: &Place, violations: &[Violation], spots: &[Spot]) -> Vec<Fix> {
    let Some(values) = row.fix.as_ref().and_then(|fix| replaced(&fix.patch, violations)) else {
        return Vec::new();
    };
    let fix = |(violation, spot): (&Violation, &Spot)| {
        let value = values.get(violation.path.as_str())?.to_string();
        let description = format!("Set {} to {}.", message(&violation.path), message(&value));
        let replacement = Replacement { deleted_region: spot.value?, inserted_content: Text { text: value } };
        Some(Fix {
            description: Text { text: description },
            artifact_changes: [ArtifactChange {
                artifact_location: uri::artifact(&place.path),
                replacements: [replacement],
            }],
        })
    };
    violations.iter().zip(spots).map(fix).collect::<Option<Vec<Fix>>>().unwrap_or_default()
}

/// What is wrong, and where. Its first sentence is all that there may be room for.
fn words(violation: &Violation, name: Option<&str>, revision: Option<&ResourceId>) -> String {
    let Violation { path, actual, expected } = violation;
    let container = name.filter(|_| path.starts_with("/containerDefinitions/"));
    let container = container.map(|name| format!("container {}", message(&shown(name))));
    let revision = revision.map(|id| format!("[revision](1) {}", message(&shown(id.arn.name()))));
    let within: Vec<String> = revision.into_iter().chain(container).collect();
    let within = if within.is_empty() { String::new() } else { format!("In {}: ", within.join(", ")) };
    format!("{within}{} is {}, wanted {}.", message(path), quoted(actual), quoted(expected))
}

/// A value in a sentence.
fn quoted(value: &Value) -> String {
    let text = match value {
        Value::Null => "not set".to_owned(),
        Value::Array(items) if items.is_empty() => "an empty list".to_owned(),
        Value::Array(items) => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => message(&format!("{}…", text.get(..end).unwrap_or_default())),
        None => message(&text),
    }
}

/// What a resource is called: what is not registered yet has no ARN.
fn called(id: &ResourceId) -> String {
    plain(if id.arn.account().is_empty() { id.arn.resource() } else { id.arn.as_str() })
}

fn location(place: &Place, id: &ResourceId, pointer: &str, spot: &Spot) -> Location {
    let (resource, pointer) = (called(id), plain(pointer));
    let logical = match pointer.rsplit_once('/') {
        None => LogicalLocation { name: resource.clone(), fully_qualified_name: resource, kind: "resource" },
        Some((_, last)) => LogicalLocation {
            name: last.to_owned(),
            fully_qualified_name: format!("{resource}#{pointer}"),
            kind: "property",
        },
    };
    Location {
        id: None,
        physical_location: PhysicalLocation {
            artifact_location: uri::artifact(&place.path),
            region: spot.region,
        },
        logical_locations: vec![logical],
        message: None,
    }
}

fn suppression(exempt: &str) -> Suppression {
    Suppression { kind: "external", status: "accepted", justification: plain(exempt) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_patch_that_does_nothing_but_replace_what_is_wrong_can_be_made_in_a_file() {
        let wrong = ["/a", "/b"].map(|path| Violation::new(path, true, false));
        let replace = |path: &str| json!({"op": "replace", "path": path, "value": false});
        let test = json!({"op": "test", "path": "/c", "value": 1});
        let rows = [
            (json!([test, replace("/a"), replace("/b")]), true),
            (json!([replace("/a"), {"op": "add", "path": "/b", "value": false}]), false),
            (json!([replace("/a"), replace("/b"), {"op": "add", "path": "/c", "value": 1}]), false),
            (json!([replace("/a"), replace("/b"), {"op": "remove", "path": "/c"}]), false),
            (json!([replace("/a"), replace("/b"), replace("/c")]), false),
            (json!([replace("/a")]), false),
        ];
        for (patch, exact) in rows {
            let patch: Patch = serde_json::from_value(patch).unwrap();
            assert_eq!(replaced(&patch, &wrong).is_some(), exact, "{patch}");
        }
    }

    #[test]
    fn values_are_quoted_and_cut() {
        assert_eq!(quoted(&Value::Null), "not set");
        assert_eq!(quoted(&json!([])), "an empty list");
        assert_eq!(quoted(&json!(["ALL", 7])), "\"ALL\", 7");
        assert_eq!(quoted(&json!("{0}[a](b)\u{9b}")), "\"{{0}}[a] (b)\u{fffd}\"");
        assert_eq!(quoted(&json!("é".repeat(900))).chars().count(), LONGEST + 1);
    }
}
