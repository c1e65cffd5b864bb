//! What a change led to, in words: one answer of one control for one resource, and everything that followed.

use std::sync::Arc;

use jiff::Timestamp;

use crate::control::{Compliance, Evaluation, Violation};
use crate::decide::{Decision, Reason, Why};
use crate::facts::Need;
use crate::finding::{Cause, Fingerprint, Owner};
use crate::ledger::{IncidentId, Outcome};
use crate::policy::Exemption;
use crate::preflight::Preflight;
use crate::remediation::Fix;
use crate::resource::ResourceId;

/// One control's answer for one resource, and everything that followed.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The change behind it.
    pub cause: Arc<Cause>,
    /// When it was judged: the change's time, or later where it waited.
    pub at: Timestamp,
    /// The resource.
    pub resource: ResourceId,
    /// The answer.
    pub evaluation: Evaluation,
    /// Who else keeps the resource's state, where it fails: they have to change it, or will put it back.
    pub owner: Option<Owner>,
    /// The plan, if there is one.
    pub fix: Option<Fix>,
    /// What the pre-flight said of the plan, whatever was decided: in dry run too people see what would hold it.
    pub readiness: Option<Readiness>,
    /// What was decided; only where the answer asks for a decision.
    pub ruling: Option<Ruling>,
    /// The incident, where there is one.
    pub incident: Option<IncidentId>,
    /// Where the incident stands.
    pub outcome: Option<Outcome>,
}

impl Judgement {
    /// What was seen, as a short hash.
    pub fn fingerprint(&self) -> Fingerprint {
        let violations: &[Violation] = match &self.evaluation.compliance {
            Compliance::Failed(violations) => violations,
            _ => &[],
        };
        let found_in = self.evaluation.found_in.as_ref();
        Fingerprint::of_finding(self.evaluation.control.slug, &self.resource, found_in, violations)
    }
}

/// What a pre-flight said, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// `proved`, `refused`, `unknown` or `waits`.
    pub kind: &'static str,
    /// Why; empty where it is proved.
    pub text: String,
}

impl Readiness {
    /// A pre-flight in words.
    pub fn of(preflight: &Preflight) -> Self {
        let (kind, text) = match preflight {
            Preflight::Proved(_) => ("proved", String::new()),
            Preflight::Refused(refusals) => {
                let sentences: Vec<&str> = refusals.iter().map(|refusal| refusal.sentence.as_str()).collect();
                ("refused", sentences.join("; "))
            }
            Preflight::Unknown(needs) => {
                let calls: Vec<String> = needs.iter().map(Need::call).collect();
                ("unknown", format!("needs {}", calls.join(" · ")))
            }
            Preflight::Wait(waits_for, _) => ("waits", waits_for.to_string()),
        };
        Self { kind, text }
    }
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

    /// Somebody accepted it for a time.
    pub fn exempt(exemption: &Exemption) -> Self {
        let reason = Reason { why: Why::Exempt, text: exemption.to_string(), notes: Vec::new() };
        Self { kind: "suppress", reason }
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
