//! The TOML as it is written: names and types only. What the values mean is `check`'s.
//!
//! Almost every value is text with its place, so that all that is wrong with the values is found in one go, and
//! in our words. The six settings are spelled out three times because serde cannot flatten what has a place.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Spanned, Value};

/// Text with its place.
pub(super) type Word = Spanned<String>;
/// A list of texts, with the places of the list and of each text.
pub(super) type Words = Spanned<Vec<Word>>;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WirePolicy {
    pub(super) version: Option<Spanned<i64>>,
    pub(super) mode: Option<Word>,
    pub(super) disruptive: Option<Spanned<bool>>,
    pub(super) iac: Option<Word>,
    pub(super) supersede: Option<Spanned<bool>>,
    pub(super) grace: Option<Spanned<Value>>,
    pub(super) windows: Option<Words>,
    pub(super) groups: BTreeMap<Word, Vec<Word>>,
    pub(super) accounts: BTreeMap<Word, WireAccount>,
    pub(super) controls: BTreeMap<Word, BTreeMap<Word, Spanned<Value>>>,
    pub(super) rules: Vec<Spanned<WireRule>>,
    pub(super) exemptions: Vec<Spanned<WireExemption>>,
    pub(super) budget: WireBudget,
    pub(super) delegation: WireDelegation,
}

/// An account's table, and also its own document; `version` and `exemptions` belong to the latter.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WireAccount {
    pub(super) version: Option<Spanned<i64>>,
    pub(super) name: Option<Word>,
    pub(super) mode: Option<Word>,
    pub(super) disruptive: Option<Spanned<bool>>,
    pub(super) iac: Option<Word>,
    pub(super) supersede: Option<Spanned<bool>>,
    pub(super) grace: Option<Spanned<Value>>,
    pub(super) windows: Option<Words>,
    pub(super) exemptions: Vec<Spanned<WireExemption>>,
}

/// One of `[[rules]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WireRule {
    pub(super) groups: Option<Words>,
    pub(super) accounts: Option<Words>,
    pub(super) regions: Option<Words>,
    pub(super) clusters: Option<Words>,
    pub(super) resources: Option<Words>,
    pub(super) controls: Option<Words>,
    pub(super) severities: Option<Words>,
    pub(super) mode: Option<Word>,
    pub(super) disruptive: Option<Spanned<bool>>,
    pub(super) iac: Option<Word>,
    pub(super) supersede: Option<Spanned<bool>>,
    pub(super) grace: Option<Spanned<Value>>,
    pub(super) windows: Option<Words>,
}

/// One of `[[exemptions]]`. All of it is mandatory; optional here, so that a message can say what is missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WireExemption {
    pub(super) control: Option<Word>,
    pub(super) resource: Option<Word>,
    pub(super) owner: Option<Word>,
    pub(super) reason: Option<Word>,
    pub(super) expires: Option<Spanned<Value>>,
}

/// `[budget]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WireBudget {
    pub(super) fixes_per_account_per_hour: Option<Spanned<i64>>,
    pub(super) messages_per_account_per_hour: Option<Spanned<i64>>,
    pub(super) max_rolling_percent: Option<Spanned<i64>>,
    pub(super) flip_flops: Option<Spanned<i64>>,
    pub(super) breaker: Option<Spanned<i64>>,
}

/// `[delegation]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WireDelegation {
    pub(super) modes: Vec<Word>,
    pub(super) exemptions: bool,
}

/// The settings of the top level, of an account or of a rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct WireSettings<'a> {
    pub(super) mode: &'a Option<Word>,
    pub(super) disruptive: &'a Option<Spanned<bool>>,
    pub(super) iac: &'a Option<Word>,
    pub(super) supersede: &'a Option<Spanned<bool>>,
    pub(super) grace: &'a Option<Spanned<Value>>,
    pub(super) windows: &'a Option<Words>,
}

impl WirePolicy {
    pub(super) fn settings(&self) -> WireSettings<'_> {
        let Self { mode, disruptive, iac, supersede, grace, windows, .. } = self;
        WireSettings { mode, disruptive, iac, supersede, grace, windows }
    }
}

impl WireAccount {
    pub(super) fn settings(&self) -> WireSettings<'_> {
        let Self { mode, disruptive, iac, supersede, grace, windows, .. } = self;
        WireSettings { mode, disruptive, iac, supersede, grace, windows }
    }
}

impl WireRule {
    pub(super) fn settings(&self) -> WireSettings<'_> {
        let Self { mode, disruptive, iac, supersede, grace, windows, .. } = self;
        WireSettings { mode, disruptive, iac, supersede, grace, windows }
    }
}

impl WireSettings<'_> {
    /// Whether nothing at all is said.
    pub(super) fn is_silent(&self) -> bool {
        let Self { mode, disruptive, iac, supersede, grace, windows } = self;
        mode.is_none()
            && disruptive.is_none()
            && iac.is_none()
            && supersede.is_none()
            && grace.is_none()
            && windows.is_none()
    }
}
