//! What a change led to, in words: one answer of one control for one resource, and everything that followed.

use jiff::Timestamp;

use crate::control::Evaluation;
use crate::decide::{Decision, Reason, Why};
use crate::finding::Cause;
use crate::ledger::{IncidentId, Outcome};
use crate::remediation::Fix;
use crate::resource::ResourceId;

/// One control's answer for one resource, and everything that followed.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The change behind it.
    pub cause: Cause,
    /// When it was judged: the change's time, or later where it waited.
    pub at: Timestamp,
    /// The resource.
    pub resource: ResourceId,
    /// The answer.
    pub evaluation: Evaluation,
    /// The plan, if there is one.
    pub fix: Option<Fix>,
    /// What was decided; only where the answer asks for a decision.
    pub ruling: Option<Ruling>,
    /// The incident, where there is one.
    pub incident: Option<IncidentId>,
    /// Where the incident stands.
    pub outcome: Option<Outcome>,
}

/// A decision without the resource that it was made on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// `fix`, `wait`, `notify`, `suppress` or `off`.
    pub kind: &'static str,
    /// Why.
    pub reason: Reason,
}

impl Ruling {
    /// A decision in words.
    pub fn of(decision: &Decision) -> Self {
        Self { kind: decision.kind(), reason: decision.reason().clone() }
    }

    /// People are told, for this reason.
    pub fn notify(why: Why, text: String) -> Self {
        Self { kind: "notify", reason: Reason { why, text, notes: Vec::new() } }
    }
}

/// What one change led to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Every answer, by resource and control.
    pub judgements: Vec<Judgement>,
    /// Incidents that ended because their resource is gone.
    pub gone: Vec<IncidentId>,
}
