//! Incidents: every failed evaluation belongs to exactly one, with its end written down.
//!
//! A change of its own is a new incident, also if it puts an old violation back. An evaluation that only shows
//! that something is still so (an event of ECS, a change of another member) is a repeat: counted, not told again.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::Origin;
use crate::decide::{History, Wait};
use crate::finding::{Finding, Fingerprint};
use crate::ids::{AccountId, Arn, ChangeId};
use crate::judgement::Judgement;
use crate::remediation::Remediation;
use crate::resource::ResourceId;

pub mod book;
pub mod budget;
mod known;
pub mod memory;
pub mod story;

pub use known::{Known, Meeting};

/// Names an incident: what fails, by which control, since which change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentId {
    /// The resource that would be written.
    pub target: ResourceId,
    /// The control that it fails.
    pub control: &'static str,
    /// The change that began it.
    pub change: ChangeId,
}

/// An incident, as it stands when a finding is put to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its name.
    pub id: IncidentId,
    /// What was seen.
    pub fingerprint: Fingerprint,
    /// With what tool what fails was made: it keeps that state, whatever later events tell of it. `None` where only events
    /// were seen that show it.
    pub maker: Option<Origin>,
    /// What is remembered for the decision.
    pub history: History,
    /// How the same state ended before, if it did: the same end again is not told again.
    pub settled: Option<Settled>,
    /// Whether this very change was dealt with already, to its end: it was delivered a second time.
    pub dealt_with: bool,
}

/// A state that was dealt with, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// What was seen.
    pub fingerprint: Fingerprint,
    /// The word for what was done.
    pub outcome: Outcome,
    /// The reason, which must be the same for a repeat.
    pub reason: Arc<str>,
}

/// Where an incident stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is judged again later. Boxed, since few wait, and history has many incidents.
    Waiting(Box<Wait>),
    /// The fix was written.
    Applied,
    /// The write failed; people are told.
    Failed,
    /// People are told.
    Notified,
    /// An exemption covers it.
    Suppressed,
    /// The control is off here.
    Off,
    /// The fresh state had nothing to fix any more.
    Stale,
    /// The resource is gone.
    Gone,
    /// The same as before: counted.
    Repeated,
}

impl Outcome {
    /// The word in the output.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting(_) => "waiting",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Notified => "notified",
            Self::Suppressed => "suppressed",
            Self::Off => "off",
            Self::Stale => "stale",
            Self::Gone => "gone",
            Self::Repeated => "repeated",
        }
    }
}

/// A write that is intended: who asks for the right to it says what it is.
#[derive(Debug, Clone)]
pub struct Intent<'a> {
    /// What would be written.
    pub remediation: &'a Remediation,
    /// What was judged of the controls that it makes pass.
    pub judgements: Vec<&'a Judgement>,
    /// The account whose budget it is.
    pub account: &'a AccountId,
    /// What the policy calls that account.
    pub account_name: Option<&'a str>,
    /// The incident that it ends, of several the first.
    pub incident: &'a IncidentId,
    /// For a fix that replaces tasks: the cluster, and how many services it has as far as known.
    pub rolls: Option<(Arn, Option<u32>)>,
    /// How many fixes an account may have in an hour.
    pub fixes_per_hour: u32,
    /// Which share of a cluster's services may roll because of us, in percent; at least one may.
    pub rolling_percent: u32,
}

/// The answer to a intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The resource may be written, by this attempt alone.
    Mine,
    /// This incident was ended so already.
    Done,
    /// The budget is spent; ends as a notification. The sentence says which.
    OverBudget(String),
}

/// Remembers incidents, leases and budgets.
pub trait Ledger {
    /// The failure of a port.
    type Error;

    /// Puts a finding to its incident: an open one that waits, or a new one. Where another attempt is at work on the
    /// resource, that is a failure of the port: the change is brought again.
    fn open(
        &mut self,
        finding: &Finding,
        now: Timestamp,
    ) -> impl Future<Output = Result<Opened, Self::Error>> + Send;

    /// Asks for the right to write.
    fn claim(
        &mut self,
        intent: &Intent<'_>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Claim, Self::Error>> + Send;

    /// Writes down where an incident stands.
    fn settle(
        &mut self,
        id: &IncidentId,
        settled: Settled,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Ends the open incidents of a resource that is gone, or that passes a control again. Answers those ended.
    fn close(
        &mut self,
        target: &ResourceId,
        control: Option<&'static str>,
        outcome: Outcome,
    ) -> impl Future<Output = Result<Vec<IncidentId>, Self::Error>> + Send;
}
