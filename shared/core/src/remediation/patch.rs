//! Patches as controls write them.

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, Patch, PatchOperation, RemoveOperation, ReplaceOperation, TestOperation};
use serde_json::Value;

use crate::document::Field;
use crate::resource::task_definition::Container;

/// Builds a patch that tests what it replaces.
#[derive(Debug, Clone, Default)]
pub struct PatchBuilder(Vec<PatchOperation>);

impl PatchBuilder {
    /// An empty patch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Demands that a container is the one that was seen, by its name.
    pub fn container(self, index: usize, container: &Container) -> Self {
        match container.name.text() {
            Some(name) => self.test(&format!("/containerDefinitions/{index}/name"), name),
            None => self,
        }
    }

    /// Demands that a place holds a value.
    pub fn test(mut self, path: &str, value: impl Into<Value>) -> Self {
        self.0.push(PatchOperation::Test(TestOperation { path: pointer(path), value: value.into() }));
        self
    }

    /// Adds a member or an element, or sets a member that RFC 6902 can't test to be absent.
    pub fn add(mut self, path: &str, value: impl Into<Value>) -> Self {
        self.0.push(PatchOperation::Add(AddOperation { path: pointer(path), value: value.into() }));
        self
    }

    /// Replaces a value that was seen by another.
    pub fn replace(self, path: &str, seen: impl Into<Value>, value: impl Into<Value>) -> Self {
        let mut tested = self.test(path, seen);
        let replace = ReplaceOperation { path: pointer(path), value: value.into() };
        tested.0.push(PatchOperation::Replace(replace));
        tested
    }

    /// Removes a member or an element; what it holds has to be tested before.
    pub fn remove(mut self, path: &str) -> Self {
        self.0.push(PatchOperation::Remove(RemoveOperation { path: pointer(path) }));
        self
    }

    /// Adds elements to a list; where there is none, adds the list.
    pub fn append<T>(self, path: &str, list: &Field<Vec<T>>, items: Vec<Value>) -> Self {
        match list {
            _ if items.is_empty() => self,
            Field::Absent => self.add(path, items),
            Field::Known(_) | Field::Hidden => {
                items.into_iter().fold(self, |patch, item| patch.add(&format!("{path}/-"), item))
            }
        }
    }

    /// The patch.
    pub(super) fn build(self) -> Patch {
        Patch(self.0)
    }

    /// Sets a member: replaces what was seen, or adds it where nothing was.
    pub fn set(self, path: &str, seen: Option<Value>, value: impl Into<Value>) -> Self {
        match seen {
            Some(seen) => self.replace(path, seen, value),
            None => self.add(path, value),
        }
    }
}

/// A pointer of a control's own making; one that is none would fail to apply, and so never be proved.
fn pointer(path: &str) -> PointerBuf {
    PointerBuf::parse(path).unwrap_or_default()
}
