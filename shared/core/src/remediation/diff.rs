//! A patch as people read it: what goes, and what comes.

use json_patch::{Patch, PatchOperation};
use serde_json::Value;

/// One line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// What is there, and goes.
    Removed(String),
    /// What comes.
    Added(String),
}

/// The lines of a patch. What it only tests is not shown, but for the values that it replaces.
pub fn lines(patch: &Patch) -> Vec<Line> {
    let mut lines = Vec::new();
    for operation in &patch.0 {
        match operation {
            PatchOperation::Replace(replace) => {
                if let Some(seen) = tested(patch, replace.path.as_str()) {
                    lines.push(Line::Removed(member(replace.path.as_str(), seen)));
                }
                lines.push(Line::Added(member(replace.path.as_str(), &replace.value)));
            }
            PatchOperation::Add(add) => lines.push(Line::Added(member(add.path.as_str(), &add.value))),
            PatchOperation::Remove(remove) => {
                let path = remove.path.as_str();
                let seen = tested(patch, path);
                lines.push(Line::Removed(seen.map_or_else(|| path.to_owned(), |seen| member(path, seen))));
            }
            PatchOperation::Test(_) | PatchOperation::Move(_) | PatchOperation::Copy(_) => {}
        }
    }
    lines
}

fn tested<'a>(patch: &'a Patch, path: &str) -> Option<&'a Value> {
    patch.0.iter().find_map(|operation| match operation {
        PatchOperation::Test(test) if test.path.as_str() == path => Some(&test.value),
        _ => None,
    })
}

fn member(path: &str, value: &Value) -> String {
    format!("{path}: {value}")
}
