//! Notifications: one message tells everything about one resource of one change, so that whoever it wakes can act on
//! it. It is kept while its publication is pending and published later, so that every variant of its text is a function
//! of it alone: no clock, no policy, and no catalogue that may be another one by then.
//!
//! It holds no value of `environment`, `secrets`, `command`, `entryPoint` or their kin, since no judgement does.

use jiff::Timestamp;
use json_patch::Patch;
use serde::{Deserialize, Deserializer, Serialize};

use crate::control::{Compliance, Severity, Violation};
use crate::decide::Why;
use crate::judgement::Judgement;
use crate::ledger::Outcome;
use crate::remediation::{Action, Safety};
use crate::resource::ResourceId;

mod command;
mod email;
mod fit;
pub mod notice;
mod subject;
mod wire;
mod words;

pub use command::Step;
pub use wire::{Attribute, Letter};

/// What a message, its subject and its attributes may weigh together, in bytes. SNS takes 256 KiB; what else it counts,
/// it does not say.
pub const LIMIT: usize = 255 * 1024;

/// The version of what is kept, and of what programs get.
const VERSION: u8 = 1;

/// What people and programs are told of one resource of one change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    #[serde(deserialize_with = "version")]
    v: u8,
    /// The change that began it. With the resource it names the incident.
    incident: String,
    /// Which message about the incident it is: 1 for the first. Each is sent at least once, and normally once; a copy has
    /// the number of what it is a copy of.
    pub sequence: u32,
    #[serde(rename = "action")]
    upshot: Upshot,
    severity: Severity,
    resource: ResourceId,
    account: String,
    account_name: Option<String>,
    region: String,
    event: Event,
    /// When it was judged.
    at: Timestamp,
    /// Who else keeps the resource's state, and would put it back.
    owner: Option<String>,
    /// Every control that it is about, also where not every finding has room.
    #[serde(rename = "control")]
    controls: Vec<String>,
    /// How many of them came to this action.
    #[serde(rename = "controls_alike")]
    alike: usize,
    /// The one that matters most is the first.
    findings: Vec<Told>,
    findings_left_out: usize,
    /// How a person makes the change that is proposed, where nobody made it.
    by_hand: Vec<Step>,
    /// How a person takes back what was written.
    undo: Vec<Step>,
    /// What was written, where somebody who knows has said.
    pub done: Option<Done>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The call, such as `RegisterTaskDefinition`.
    pub call: String,
    /// What stood there: of a task definition the revision's ARN, of anything else what its before-image is.
    pub before: String,
    /// What stands there now.
    pub after: String,
    /// What takes it back, a command or a sentence; none where what the plan says of that is right.
    pub undo: Option<String>,
}

/// What a message says was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Upshot {
    /// A fix was to be written, and that failed.
    Failed,
    /// Nothing was written.
    Notified,
    /// The fix was written.
    Fixed,
    /// Nobody can tell whether the resource complies.
    Unknown,
}

impl Upshot {
    /// The word for filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Notified => "notified",
            Self::Fixed => "fixed",
            Self::Unknown => "unknown",
        }
    }

    fn of(judgement: &Judgement) -> Self {
        match (&judgement.evaluation.compliance, &judgement.outcome) {
            (Compliance::Unknown(_), _) => Self::Unknown,
            (_, Some(Outcome::Applied)) => Self::Fixed,
            (_, Some(Outcome::Failed)) => Self::Failed,
            _ => Self::Notified,
        }
    }
}

/// The event behind a message, by the names that the command line's JSON has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Event {
    id: String,
    time: Timestamp,
    name: String,
    actor: String,
    origin: String,
}

/// What one control says, by the names that the command line's JSON has, and what its card says to people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Told {
    control: String,
    #[serde(rename = "action")]
    upshot: Upshot,
    severity: Severity,
    standards: Vec<String>,
    status: String,
    found_in: Option<String>,
    violations: Vec<Violation>,
    violations_left_out: usize,
    needs: Vec<String>,
    needs_left_out: usize,
    decision: Option<Decided>,
    plan: Option<Patch>,
    plan_left_out: usize,
    call: Option<Action>,
    safety: Option<Safety>,
    preflight: Option<Preflight>,
    summary: Option<String>,
    outcome: Option<String>,
    incident: Option<String>,
    title: String,
    rationale: String,
    template: String,
    prevention: String,
    reference: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Decided {
    kind: String,
    reason: String,
    notes: Vec<String>,
    /// The policy wants the fix, and something else held it.
    held: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Preflight {
    kind: String,
    text: String,
}

impl Notification {
    /// The message about what was judged of one resource of one change. `account_name` is what the policy calls the
    /// account. None where nothing was judged.
    pub fn of(judgements: &[&Judgement], account_name: Option<&str>) -> Option<Self> {
        let first = judgements.first()?;
        let cause = &first.cause;
        let mut findings: Vec<Told> = judgements.iter().map(|judgement| Told::of(judgement)).collect();
        findings.sort_by(|a, b| {
            a.upshot.cmp(&b.upshot).then(b.severity.cmp(&a.severity)).then(a.control.cmp(&b.control))
        });
        let lead = findings.first()?;
        let upshot = lead.upshot;
        let region = cause.region.as_str();
        let steps = |are: &dyn Fn(&Judgement) -> bool, side| {
            let those: Vec<&Judgement> = judgements.iter().copied().filter(|one| are(one)).collect();
            command::steps(&those, side, &first.resource, region)
        };
        let notification = Self {
            v: VERSION,
            incident: lead.incident.clone().unwrap_or_else(|| cause.id.to_string()),
            sequence: 1,
            upshot,
            severity: findings.iter().map(|told| told.severity).max()?,
            resource: first.resource.clone(),
            account: cause.account.to_string(),
            account_name: account_name.map(ToOwned::to_owned),
            region: region.to_owned(),
            event: Event {
                id: cause.id.to_string(),
                time: cause.time,
                name: cause.api.to_string(),
                actor: cause.actor.name.clone(),
                origin: cause.origin.to_string(),
            },
            at: first.at,
            owner: judgements
                .iter()
                .find_map(|judgement| judgement.owner.filter(|owner| owner.is_known()))
                .map(|owner| owner.to_string()),
            controls: findings.iter().map(|told| told.control.clone()).collect(),
            alike: findings.iter().filter(|told| told.upshot == upshot).count(),
            findings,
            findings_left_out: 0,
            by_hand: by_hand(judgements, steps(&may_be_made, command::Side::After)),
            undo: steps(&|one| Upshot::of(one) == Upshot::Fixed, command::Side::Before),
            done: None,
        };
        Some(fit::fitted(notification))
    }

    /// The change that began the incident.
    pub fn incident(&self) -> &str {
        &self.incident
    }

    /// The subject: at most 99 printable ASCII characters, the first of them a letter.
    pub fn subject(&self) -> String {
        subject::subject(self)
    }

    /// The document for `MessageStructure=json`: a text for each protocol.
    pub fn message(&self) -> String {
        wire::message(&fit::fitted(self.clone()))
    }

    /// What subscriptions can filter by. Programs find the same in the first level of the document that they get, for
    /// filters of scope `MessageBody`.
    pub fn attributes(&self) -> Vec<(&'static str, Attribute)> {
        wire::attributes(self)
    }

    /// All of that.
    pub fn letter(&self) -> Letter {
        Letter { subject: self.subject(), message: self.message(), attributes: self.attributes() }
    }

    /// How to take back what was written.
    fn undo(&self) -> Vec<Step> {
        match &self.done {
            Some(Done { undo: Some(undo), .. }) if command::is_command(undo) => vec![Step::Run(undo.clone())],
            Some(Done { undo: Some(undo), .. }) => vec![Step::Say(undo.clone())],
            Some(done) if done.call == Action::RegisterTaskDefinition.as_str() => {
                let mut steps = self.undo.clone();
                steps.push(command::deregister(&done.after, &self.region));
                steps
            }
            _ => self.undo.clone(),
        }
    }
}

impl Told {
    fn of(judgement: &Judgement) -> Self {
        let control = judgement.evaluation.control;
        let fix = judgement.fix.as_ref();
        let needs = match &judgement.evaluation.compliance {
            Compliance::Unknown(needs) => {
                let mut calls: Vec<String> =
                    needs.iter().map(|need| need.of(&judgement.resource).call()).collect();
                calls.sort();
                calls.dedup();
                calls
            }
            _ => Vec::new(),
        };
        Self {
            control: control.slug.to_owned(),
            upshot: Upshot::of(judgement),
            severity: control.severity,
            standards: control.standards.iter().map(|standard| (*standard).to_owned()).collect(),
            status: judgement.evaluation.compliance.status().to_owned(),
            found_in: judgement.evaluation.found_in.as_ref().map(ToString::to_string),
            violations: match &judgement.evaluation.compliance {
                Compliance::Failed(violations) => violations.clone(),
                _ => Vec::new(),
            },
            violations_left_out: 0,
            needs,
            needs_left_out: 0,
            decision: judgement.ruling.as_ref().map(|ruling| Decided {
                kind: ruling.kind.to_owned(),
                reason: ruling.reason.text.clone(),
                notes: ruling.reason.notes.clone(),
                held: held(&ruling.reason.why),
            }),
            plan: fix.map(|fix| fix.patch.clone()),
            plan_left_out: 0,
            call: fix.and_then(|fix| fix.call),
            safety: fix.map(|fix| fix.safety),
            preflight: judgement
                .readiness
                .as_ref()
                .map(|readiness| Preflight { kind: readiness.kind.to_owned(), text: readiness.text.clone() }),
            summary: fix.map(|fix| fix.summary.clone()),
            outcome: judgement.outcome.as_ref().map(|outcome| outcome.as_str().to_owned()),
            incident: judgement.incident.as_ref().map(|id| id.change.to_string()),
            title: control.title.to_owned(),
            rationale: control.rationale.to_owned(),
            template: control.template.to_owned(),
            prevention: control.prevention.to_owned(),
            reference: control.reference.to_owned(),
        }
    }
}

/// Whether a person may be handed the command for what was not written. Where the pre-flight refused, it would break
/// what the refusal names: the sentence says what to do instead.
fn may_be_made(judgement: &Judgement) -> bool {
    let refused = judgement.readiness.as_ref().is_some_and(|readiness| readiness.kind == "refused");
    matches!(Upshot::of(judgement), Upshot::Notified | Upshot::Failed) && !refused
}

/// The steps, behind a warning where nobody knows yet what they would break.
fn by_hand(judgements: &[&Judgement], mut steps: Vec<Step>) -> Vec<Step> {
    let proved =
        |one: &&&Judgement| one.readiness.as_ref().is_none_or(|readiness| readiness.kind == "proved");
    let doubted = judgements.iter().filter(|one| may_be_made(one)).any(|one| !proved(&one));
    let mended = |one: &&Judgement| {
        let registers = one.fix.as_ref().and_then(|fix| fix.call) == Some(Action::RegisterTaskDefinition);
        registers && Upshot::of(one) == Upshot::Fixed
    };
    if judgements.iter().any(mended) && !steps.is_empty() {
        let start =
            "Start from the mended revision that was registered just now: the old one fails what was fixed.";
        steps.insert(0, Step::Say(start.to_owned()));
    }
    if doubted && !steps.is_empty() {
        let warning =
            "Not before the pre-flight is answered: nobody knows yet whether this breaks something.";
        steps.insert(0, Step::Say(warning.to_owned()));
    }
    steps
}

/// Whether a fix was wanted here, and something else than the policy's will held it.
fn held(why: &Why) -> bool {
    match why {
        Why::Refused(_)
        | Why::Unknown
        | Why::FlipFlop
        | Why::Breaker
        | Why::Deadline
        | Why::OverBudget
        | Why::Switch => true,
        Why::Authorized
        | Why::Exempt
        | Why::Off
        | Why::Notify
        | Why::DryRun
        | Why::OwnChange
        | Why::Person
        | Why::NotDisruptive
        | Why::IacOwned
        | Why::Grace
        | Why::Window
        | Why::Waiting => false,
    }
}

/// A version that came after this was built is not touched: it may hold what this one would lose.
fn version<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    match u8::deserialize(from)? {
        VERSION => Ok(VERSION),
        other => Err(serde::de::Error::custom(format!("notification of version {other}"))),
    }
}
