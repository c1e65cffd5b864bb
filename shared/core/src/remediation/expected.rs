//! By what a write is known again: its answer may be lost, and it must not be made twice.

use json_patch::jsonptr::{Pointer, PointerBuf};
use json_patch::{Patch, PatchOperation};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::finding::Fingerprint;
use crate::resource::Resource;

/// What the places that a patch writes hold once it is written. A hash of the values, since they may be secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    paths: Vec<String>,
    hash: String,
}

impl Expected {
    /// What a patch leads to. `None` where that document can't be read.
    pub(crate) fn of(patch: &Patch, after: &Resource) -> Option<Self> {
        let written = patch.0.iter().filter_map(place).map(|path| path.to_string());
        let mut paths: Vec<String> = written.collect();
        paths.sort();
        paths.dedup();
        let hash = hash(&paths, after)?;
        Some(Self { paths, hash })
    }

    /// Whether a resource is as it was to become.
    pub fn holds(&self, resource: &Resource) -> bool {
        hash(&self.paths, resource).is_some_and(|hash| hash == self.hash)
    }
}

/// The place that an operation changes: of an element that is appended or taken away, its list.
fn place(operation: &PatchOperation) -> Option<PointerBuf> {
    let path = operation.path();
    let list = |path: &Pointer| path.parent().map(Pointer::to_buf);
    match operation {
        PatchOperation::Test(_) => None,
        PatchOperation::Remove(_) => list(path),
        _ if path.last().is_some_and(|token| token.encoded() == "-") => list(path),
        _ => Some(path.to_buf()),
    }
}

fn hash(paths: &[String], resource: &Resource) -> Option<String> {
    let value = resource.document.value()?;
    let held = paths.iter().map(|path| {
        let value = value.pointer(path).map_or(Value::Null, plain);
        format!("{path}\0{value}\0")
    });
    Some(Fingerprint::of_text(&held.collect::<String>()).to_string())
}

/// A value without what AWS adds and leaves out at will: `null`, empty lists and empty objects.
pub(super) fn plain(value: &Value) -> Value {
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    match value {
        Value::Array(list) => list.iter().map(plain).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), plain(value)));
            Value::Object(members.filter(|(_, value)| !empty(value)).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::resource;
    use crate::remediation::{PatchBuilder, simulate};
    use crate::resource::ResourceType;

    #[test]
    fn a_write_is_known_again_by_what_it_writes_and_nothing_else() {
        let seen = json!({"subnets": ["a"], "list": [1], "other": 1});
        let before = resource(ResourceType::Service, &seen);
        let patch =
            PatchBuilder::new().replace("/subnets/0", "a", "b").add("/list/-", 2).add("/flag", false).build();
        let after = simulate(&patch, &before).unwrap();
        let expected = Expected::of(&patch, &after).unwrap();
        let held = |document: Value| expected.holds(&resource(ResourceType::Service, &document));
        assert!(held(json!({"subnets": ["b"], "list": [1, 2], "flag": false, "other": 2})));
        assert!(!held(seen));
        assert!(!held(json!({"subnets": ["b"], "list": [1], "flag": false})));
        assert!(!held(json!({"subnets": ["b"], "list": [1, 2]})));
    }

    #[test]
    fn what_aws_leaves_out_makes_no_difference() {
        let left = json!({"a": {"b": [], "c": {"d": null}}, "e": [{}, 0, ""]});
        assert_eq!(plain(&left), json!({"e": [{}, 0, ""]}));
    }
}
