//! The controls that a run judges by, each with what the policy set for it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::control::{Control, Severity};
use crate::controls;
use crate::policy::{ControlName, Policy};
use crate::remediation::Safety;
use crate::resource::ResourceType;

/// What the policy set for one control, by the parameter's name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters(BTreeMap<String, toml::Value>);

impl Parameters {
    /// Parameters by name.
    pub fn new(values: impl IntoIterator<Item = (String, toml::Value)>) -> Self {
        Self(values.into_iter().collect())
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A list of texts; empty where nothing is set.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let items = self.0.get(name).and_then(toml::Value::as_array);
        items.into_iter().flatten().filter_map(toml::Value::as_str).collect()
    }

    /// A list of texts, or what holds where none is set. An empty one that is set is an empty one.
    pub fn list_or<'a>(&'a self, name: &str, otherwise: &[&'a str]) -> Vec<&'a str> {
        if self.0.contains_key(name) { self.list(name) } else { otherwise.to_vec() }
    }
}

/// One control and what the policy set for it.
#[derive(Debug, Clone)]
pub struct Selected {
    /// The control.
    pub control: &'static Control,
    /// Its parameters.
    pub parameters: Parameters,
}

impl Selected {
    /// Whether the policy set any parameter.
    pub fn is_set(&self) -> bool {
        !self.parameters.0.is_empty()
    }

    /// Whether a violation can be answered by anything but a person: a fix for which somebody has to choose is one
    /// as soon as the policy chose.
    pub fn has_fix(&self) -> bool {
        self.control.call.is_some() && (self.control.safety != Safety::Manual || self.is_set())
    }
}

/// The controls that a run judges by, in the order of their slugs.
#[derive(Debug, Clone)]
pub struct Selection {
    selected: Vec<Selected>,
    /// Every control there is, once that was asked for.
    every: Arc<OnceLock<Self>>,
}

impl Selection {
    /// The controls that a policy leaves on; with `only`, exactly those, opt-in ones included. Those of less than
    /// `at_least` are left out.
    pub fn of(policy: &Policy, only: &[&'static Control], at_least: Severity) -> Self {
        let chosen = controls::ALL.iter().copied().filter(|control| {
            let listed = only.iter().any(|one| one.slug == control.slug);
            let on = policy.control(control.slug).enabled.map_or(!control.opt_in, |enabled| enabled.value);
            control.severity >= at_least && (listed || (only.is_empty() && on))
        });
        Self::new(chosen.map(|control| Selected { control, parameters: parameters(policy, control) }))
    }

    /// Every control there is, with no parameters.
    pub fn all() -> Self {
        let all = controls::ALL.iter().copied();
        Self::new(all.map(|control| Selected { control, parameters: Parameters::default() }))
    }

    fn new(selected: impl IntoIterator<Item = Selected>) -> Self {
        Self { selected: selected.into_iter().collect(), every: Arc::default() }
    }

    /// Every control there is, with the parameters of these: what a fix must not make worse.
    pub(crate) fn every(&self) -> &Self {
        self.every.get_or_init(|| {
            let given = |control: &Control| self.get(control).map(|one| one.parameters.clone());
            let all = controls::ALL.iter().copied();
            Self::new(all.map(|control| Selected { control, parameters: given(control).unwrap_or_default() }))
        })
    }

    /// These controls alone, as far as they are among them.
    pub(crate) fn only(&self, slugs: &[&str]) -> Self {
        Self::new(self.iter().filter(|selected| slugs.contains(&selected.control.slug)).cloned())
    }

    /// One control alone.
    pub(crate) fn one(selected: &Selected) -> Self {
        Self::new([selected.clone()])
    }

    /// The controls, in the order of their slugs.
    pub fn iter(&self) -> impl Iterator<Item = &Selected> {
        self.selected.iter()
    }

    /// One of them.
    pub fn get(&self, control: &Control) -> Option<&Selected> {
        self.selected.iter().find(|selected| selected.control.slug == control.slug)
    }

    /// Whether any of them judges a kind of resource.
    pub fn concerns(&self, kind: ResourceType) -> bool {
        self.selected.iter().any(|selected| selected.control.concerns(kind))
    }
}

fn parameters(policy: &Policy, control: &Control) -> Parameters {
    let set = policy.control(control.slug).parameters;
    Parameters::new(set.iter().map(|(name, setting)| (name.clone(), setting.value.clone())))
}

/// The catalogue's names, for the policy's errors.
pub fn names() -> Vec<ControlName> {
    controls::ALL
        .iter()
        .map(|control| ControlName { slug: control.slug, parameters: control.parameters })
        .collect()
}

/// A control of that name.
pub fn find(slug: &str) -> Option<&'static Control> {
    controls::ALL.iter().copied().find(|control| control.slug == slug)
}
