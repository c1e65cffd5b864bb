//! What a call did, whichever service it was made to.

use crate::change::{Observed, Request};
use crate::document::{Document, Shape};
use crate::resource::{Resource, ResourceId, Retagged};

/// What a call did.
#[derive(Debug)]
pub(super) struct Effect {
    pub(super) request: Request,
    pub(super) observed: Vec<Observed>,
    pub(super) retagged: Option<Retagged>,
}

/// Why a successful call leaves nothing to judge.
#[derive(Debug)]
pub(super) enum Nothing {
    /// It did nothing.
    NoEffect,
    /// Neither response nor request names a resource in a way that can be read.
    Unnamed,
}

/// The members of a resource that a call set.
pub(super) fn members(names: &[&str]) -> Request {
    Request::Members(names.iter().map(|name| (*name).to_owned()).collect())
}

/// The whole of a resource, in the shape in which it is described: what is not there is not there.
pub(super) fn state(id: ResourceId, shape: &Shape) -> Observed {
    match observed(id, shape, Observed::State) {
        Observed::State(resource) => Observed::State(Box::new(Resource { whole: true, ..*resource })),
        other => other,
    }
}

/// Some of a resource, in the shape in which it is described.
pub(super) fn part(id: ResourceId, shape: &Shape) -> Observed {
    observed(id, shape, Observed::Part)
}

fn observed(id: ResourceId, shape: &Shape, shown: fn(Box<Resource>) -> Observed) -> Observed {
    match Document::of(shape).and_then(|document| Resource::read(id.clone(), document)) {
        Some(resource) => shown(Box::new(resource)),
        None => Observed::Touched(id),
    }
}

#[cfg(test)]
pub(super) mod testing {
    //! Calls in short, for the tables of tests.

    use serde_json::value::{RawValue, to_raw_value};
    use serde_json::{Value, json};

    use super::super::Place;
    use super::{Effect, Nothing};
    use crate::change::{Observed, Request};

    /// A place of one account in a Region.
    pub(in super::super) fn place(region: &str) -> Place {
        Place { account: "111122223333".parse().unwrap(), region: region.parse().unwrap() }
    }

    /// A parameter; none where it is `null`, as in a record.
    pub(in super::super) fn raw(value: &Value) -> Option<Box<RawValue>> {
        (!value.is_null()).then(|| to_raw_value(value).unwrap())
    }

    /// What is observed, in short: `{"State": "ARN", …the document}`.
    pub(in super::super) fn seen(observed: &Observed) -> Value {
        let (shown, document) = match observed {
            Observed::State(resource) => ("State", resource.document.value().unwrap()),
            Observed::Part(resource) => ("Part", resource.document.value().unwrap()),
            Observed::Touched(_) => ("Touched", json!({})),
            Observed::Gone(_) => ("Gone", json!({})),
        };
        let mut told = json!({ shown: observed.id().arn });
        let members = document.as_object().cloned().unwrap_or_default();
        told.as_object_mut().unwrap().extend(members);
        told
    }

    /// What a call came to, in short.
    pub(in super::super) fn told(effect: Result<Effect, Nothing>) -> Value {
        match effect {
            Ok(effect) => effect.observed.iter().map(seen).collect(),
            Err(Nothing::NoEffect) => json!("no effect"),
            Err(Nothing::Unnamed) => json!("unnamed"),
        }
    }

    /// The members that a call set; `*` where it may have set all.
    pub(in super::super) fn set(effect: Result<Effect, Nothing>) -> Vec<String> {
        match effect.unwrap().request {
            Request::Members(members) => members,
            Request::Everything => vec!["*".to_owned()],
            Request::Nothing => Vec::new(),
        }
    }
}
