//! What is printed: rows, each one control's answer for one resource, and their renderers.

pub(crate) mod block;
pub(crate) mod groups;
pub(crate) mod json;
pub(crate) mod sarif;
pub(crate) mod text;
pub(crate) mod words;

use std::io::Write;
use std::sync::Arc;

use jiff::Timestamp;
use shipshape_core::check::Checked;
use shipshape_core::control::{Compliance, Control};
use shipshape_core::finding::Cause;
use shipshape_core::judgement::{Judgement, Readiness, Ruling};
use shipshape_core::ledger::{IncidentId, Outcome};
use shipshape_core::remediation::Fix;
use shipshape_core::resource::ResourceId;

use crate::place::Place;
use groups::Groups;

pub(crate) use words::plain;

/// The answers of a long run, as they come.
pub(crate) enum Answers {
    /// Lines that are to be written.
    Json(Vec<u8>),
    /// What is said of each resource.
    Text(Box<Groups>),
}

impl Answers {
    /// Takes one more answer.
    pub(crate) fn add(&mut self, row: &Row) -> anyhow::Result<()> {
        match self {
            Self::Json(lines) => json::row(row, lines)?,
            Self::Text(groups) => groups.add(row, ""),
        }
        Ok(())
    }

    /// Takes an answer that nobody wants to read: it may end that something could not be judged.
    pub(crate) fn passes(&mut self, id: &ResourceId, control: &'static str) {
        match self {
            Self::Json(_) => {}
            Self::Text(groups) => groups.passes(id, control),
        }
    }

    /// No more answers come for these resources.
    pub(crate) fn let_go(&mut self, gone: &[ResourceId]) {
        match self {
            Self::Json(_) => {}
            Self::Text(groups) => groups.let_go(gone),
        }
    }

    /// What is said of each resource, where that was collected.
    pub(crate) fn groups(self) -> Groups {
        match self {
            Self::Json(_) => Groups::default(),
            Self::Text(groups) => *groups,
        }
    }

    /// Writes what can be written already.
    pub(crate) fn flush(&mut self, out: &mut dyn Write) -> std::io::Result<()> {
        match self {
            Self::Json(lines) => {
                out.write_all(lines)?;
                lines.clear();
            }
            Self::Text(_) => {}
        }
        Ok(())
    }
}

/// Calls that core says in a row.
fn each(calls: &str) -> Vec<String> {
    calls.split(" · ").map(ToOwned::to_owned).collect()
}

/// One control's answer for one resource, with what followed.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) control: &'static Control,
    pub(crate) resource: ResourceId,
    /// The document that was judged, where it is not the resource's own.
    pub(crate) found_in: Option<ResourceId>,
    pub(crate) compliance: Compliance,
    pub(crate) fix: Option<Fix>,
    /// What the pre-flight said of the plan.
    pub(crate) readiness: Option<Readiness>,
    pub(crate) ruling: Option<Ruling>,
    /// The exemption that covers a document.
    pub(crate) exempt: Option<String>,
    pub(crate) notes: Vec<String>,
    /// The change behind it; none where documents are checked.
    pub(crate) cause: Option<Arc<Cause>>,
    /// When it was judged.
    pub(crate) at: Option<Timestamp>,
    pub(crate) incident: Option<IncidentId>,
    pub(crate) outcome: Option<Outcome>,
    /// What the containers are called of the document that was judged; none where a change is judged.
    pub(crate) containers: Vec<String>,
    /// The file and the place in it.
    pub(crate) source: Arc<str>,
    /// Where the document stands, for formats that show lines; none where a change is judged.
    pub(crate) place: Option<Arc<Place>>,
}

impl Row {
    /// What the walk came to.
    pub(crate) fn judged(judgement: Judgement, source: Arc<str>) -> Self {
        let notes = judgement.ruling.as_ref().map_or_else(Vec::new, |ruling| ruling.reason.notes.clone());
        Self {
            control: judgement.evaluation.control,
            resource: judgement.resource,
            found_in: judgement.evaluation.found_in,
            compliance: judgement.evaluation.compliance,
            fix: judgement.fix,
            readiness: judgement.readiness,
            ruling: judgement.ruling,
            exempt: None,
            notes,
            cause: Some(judgement.cause),
            at: Some(judgement.at),
            incident: judgement.incident,
            outcome: judgement.outcome,
            containers: Vec::new(),
            source,
            place: None,
        }
    }

    /// What a document came to.
    pub(crate) fn checked(
        checked: Checked,
        containers: Vec<String>,
        source: Arc<str>,
        place: Arc<Place>,
    ) -> Self {
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
            containers,
            source,
            place: Some(place),
        }
    }

    /// Whether it counts for `--fail-on`: it fails, nobody accepted that, and it was not counted before.
    pub(crate) fn fails(&self) -> bool {
        let accepted = matches!(self.outcome, Some(Outcome::Suppressed | Outcome::Off));
        let fails = matches!(self.compliance, Compliance::Failed(_)) && self.exempt.is_none();
        fails && !accepted && !self.is_repeat()
    }

    /// Whether it counts for `--fail-on-unknown`: it could not be judged, and nobody accepted that.
    pub(crate) fn is_open(&self) -> bool {
        let accepted = matches!(self.outcome, Some(Outcome::Suppressed | Outcome::Off));
        self.is_unknown() && self.exempt.is_none() && !accepted
    }

    /// Whether it only shows that something is still so.
    pub(crate) fn is_repeat(&self) -> bool {
        self.outcome == Some(Outcome::Repeated)
    }

    /// Whether it could not be judged.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self.compliance, Compliance::Unknown(_))
    }

    /// The calls whose answers its judgement lacks.
    pub(crate) fn needs(&self) -> Vec<String> {
        let Compliance::Unknown(needs) = &self.compliance else { return Vec::new() };
        let calls = needs.iter().map(|need| need.of(&self.resource).call());
        let mut calls: Vec<String> = calls.flat_map(|call| each(&call)).collect();
        calls.sort();
        calls.dedup();
        calls
    }

    /// The calls whose answers its pre-flight lacks. Core says them in one sentence.
    pub(crate) fn preflight_needs(&self) -> Vec<String> {
        let readiness = self.readiness.as_ref().filter(|readiness| readiness.kind == "unknown");
        let calls = readiness.and_then(|readiness| readiness.text.strip_prefix("needs "));
        calls.map_or_else(Vec::new, each)
    }

    /// The account that it is about, and the Region.
    pub(crate) fn place(&self) -> (&str, &str) {
        match &self.cause {
            Some(cause) => (cause.account.as_str(), cause.region.as_str()),
            None => (self.resource.arn.account(), self.resource.arn.region()),
        }
    }
}
