//! What is printed: rows, each one control's answer for one resource, and their renderers.

pub(crate) mod diff;
pub(crate) mod json;
pub(crate) mod text;

use jiff::Timestamp;
use shipshape_core::check::Checked;
use shipshape_core::control::{Compliance, Control};
use shipshape_core::finding::Cause;
use shipshape_core::judgement::{Judgement, Readiness, Ruling};
use shipshape_core::ledger::{IncidentId, Outcome};
use shipshape_core::remediation::Fix;
use shipshape_core::resource::ResourceId;

/// One control's answer for one resource, with what followed.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) control: &'static Control,
    pub(crate) resource: ResourceId,
    pub(crate) found_in: Option<ResourceId>,
    pub(crate) compliance: Compliance,
    pub(crate) fix: Option<Fix>,
    pub(crate) readiness: Option<Readiness>,
    pub(crate) ruling: Option<Ruling>,
    pub(crate) exempt: Option<String>,
    pub(crate) notes: Vec<String>,
    pub(crate) cause: Option<Cause>,
    pub(crate) at: Option<Timestamp>,
    pub(crate) incident: Option<IncidentId>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) source: String,
}

impl Row {
    pub(crate) fn judged(judgement: &Judgement, source: String) -> Self {
        let notes = judgement.ruling.as_ref().map_or_else(Vec::new, |ruling| ruling.reason.notes.clone());
        Self {
            control: judgement.evaluation.control,
            resource: judgement.resource.clone(),
            found_in: judgement.evaluation.found_in.clone(),
            compliance: judgement.evaluation.compliance.clone(),
            fix: judgement.fix.clone(),
            readiness: judgement.readiness.clone(),
            ruling: judgement.ruling.clone(),
            exempt: None,
            notes,
            cause: Some(judgement.cause.clone()),
            at: Some(judgement.at),
            incident: judgement.incident.clone(),
            outcome: judgement.outcome.clone(),
            source,
        }
    }

    pub(crate) fn checked(checked: Checked, source: String) -> Self {
        Self {
            control: checked.evaluation.control,
            resource: checked.resource,
            found_in: checked.evaluation.found_in,
            compliance: checked.evaluation.compliance,
            fix: checked.fix,
            readiness: None,
            ruling: None,
            exempt: checked.exempt,
            notes: checked.notes,
            cause: None,
            at: None,
            incident: None,
            outcome: None,
            source,
        }
    }

    /// Whether it counts for `--fail-on`: it fails, and nobody accepted that.
    pub(crate) fn fails(&self) -> bool {
        let accepted = matches!(self.outcome, Some(Outcome::Suppressed | Outcome::Off | Outcome::Repeated));
        matches!(self.compliance, Compliance::Failed(_)) && self.exempt.is_none() && !accepted
    }
}

/// A text for people: control characters, and those that turn the direction of writing, could forge a report.
pub(crate) fn plain(text: &str) -> String {
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if harmful(c) { '\u{fffd}' } else { c }).collect()
}
