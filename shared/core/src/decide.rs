//! What is done about a finding, and why. The only place that authorises a fix.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::change::Origin;
use crate::control::Control;
use crate::facts::Need;
use crate::finding::{Finding, Owner};
use crate::policy::{Effective, ExemptionMatch, Mode, Policy, Source, Switch};
use crate::preflight::{Preflight, Refusal, WaitFor};
use crate::remediation::{Fix, Proof, Safety};
use crate::resource::Resource;

mod beside;
mod when;

/// How long a fix waits for a deployment, a mended revision or anything else that should end by itself.
pub const DEADLINE: SignedDuration = SignedDuration::from_mins(60);

/// What is done about one finding.
#[derive(Debug, Clone)]
pub enum Decision {
    /// It is fixed.
    Fix(Box<Authorized>, Reason),
    /// It is judged again, from fresh state, when this has come.
    Wait(Wait, Reason),
    /// People are told, with the plan.
    Notify(Reason),
    /// Somebody accepted it for a time.
    Suppress(Reason),
    /// The control is off here: counted, and nobody is told.
    Off(Reason),
}

/// What a decision waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// A time.
    Until(Timestamp),
    /// Something else; at the latest until the time, after which people are told.
    For(WaitFor, Timestamp),
}

impl Wait {
    /// When it is judged again, whatever happens.
    pub fn latest(&self) -> Timestamp {
        match self {
            Self::Until(time) | Self::For(_, time) => *time,
        }
    }
}

/// Why a decision was made: a word to count by, a sentence, and the line of the policy that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The word.
    pub why: Why,
    /// The sentence. Cites the policy where the policy decided.
    pub text: String,
    /// What the message says beside it, such as that an exemption has expired.
    pub notes: Vec<String>,
}

/// The word for a reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Everything allows the fix.
    Authorized,
    /// An exemption covers it.
    Exempt,
    /// The mode is off.
    Off,
    /// The mode is notify.
    Notify,
    /// The deployment-wide dry run caps every account at notify.
    DryRun,
    /// The switch stands at pause or freeze.
    Switch,
    /// The change is our own, and our own changes are never answered.
    OwnChange,
    /// There is no automatic fix, or a person has to choose.
    Person,
    /// The fix starts a deployment, and the policy does not allow that.
    NotDisruptive,
    /// The pre-flight refused, by these topics.
    Refused(Vec<String>),
    /// Facts are missing.
    Unknown,
    /// A template owns the resource.
    IacOwned,
    /// It was put back too often, or our fix of it did not hold.
    FlipFlop,
    /// Too many of our fixes failed in this account.
    Breaker,
    /// The team has time to fix it itself.
    Grace,
    /// No window is open.
    Window,
    /// Something has to end first.
    Waiting,
    /// What it waited for did not come.
    Deadline,
    /// The ledger allows no more fixes at this time.
    OverBudget,
}

/// A fix that may run. [`decide`] alone makes one.
#[derive(Debug, Clone)]
pub struct Authorized {
    control: &'static Control,
    resource: Resource,
    fix: Fix,
    proof: Proof,
}

impl Authorized {
    /// The control that it makes pass.
    pub fn control(&self) -> &'static Control {
        self.control
    }

    /// The resource as it was planned from.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// The fix.
    pub fn fix(&self) -> &Fix {
        &self.fix
    }

    /// That it makes its control pass and no other worse.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }
}

/// What is remembered of a resource and its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct History {
    /// When this incident began; `None` if it begins now.
    pub first_seen: Option<Timestamp>,
    /// Until when it waits for what it waits for already; `None` if it does not wait yet.
    pub deadline: Option<Timestamp>,
    /// How often a fix of ours on this resource was reverted in the last 24 hours.
    pub reverts: u32,
    /// How many of our fixes failed in this account in the last 24 hours and were not looked at yet.
    pub failures: u32,
    /// Whether our fix of this incident was made, and what it mended is so again, though no change put it back.
    pub undone: bool,
}

impl Decision {
    /// The word in the output.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Fix(..) => "fix",
            Self::Wait(..) => "wait",
            Self::Notify(_) => "notify",
            Self::Suppress(_) => "suppress",
            Self::Off(_) => "off",
        }
    }

    /// Why.
    pub fn reason(&self) -> &Reason {
        match self {
            Self::Fix(_, reason) | Self::Wait(_, reason) => reason,
            Self::Notify(reason) | Self::Suppress(reason) | Self::Off(reason) => reason,
        }
    }
}

/// What speaks for and against a fix beside the policy: the plan and what its pre-flight said.
#[derive(Debug, Clone, Copy)]
pub struct Proposal<'a> {
    /// The resource as it was planned from.
    pub resource: &'a Resource,
    /// The plan.
    pub fix: &'a Fix,
    /// What its pre-flight said.
    pub preflight: &'a Preflight,
}

/// Decides about one finding. The order is that of the reasons: what somebody accepted, what the account wants,
/// what the fix may do, who else owns the resource, what became of it before, what it would break, and when.
pub fn decide(
    finding: &Finding,
    proposal: Option<Proposal<'_>>,
    policy: &Policy,
    history: &History,
    now: Timestamp,
) -> Decision {
    let subject = finding.subject();
    let mut notes = Vec::new();
    match policy.exemption(&subject, now) {
        Some(ExemptionMatch::Live(exemption)) => {
            let text = exemption.to_string();
            return Decision::Suppress(Reason { why: Why::Exempt, text, notes });
        }
        Some(ExemptionMatch::Expired(exemption)) => {
            notes.push(exemption.expired());
        }
        None => {}
    }
    let wants = policy.effective(&subject);
    if wants.mode.value == Mode::Off {
        return Decision::Off(Reason { why: Why::Off, text: cite("mode is off", &wants.mode.source), notes });
    }
    match ready(finding, proposal, policy, &wants, history, now) {
        Answer::Fix(authorized, text) => {
            Decision::Fix(authorized, Reason { why: Why::Authorized, text, notes })
        }
        Answer::Wait(wait, why, text) => Decision::Wait(wait, Reason { why, text, notes }),
        Answer::Notify(why, text) => Decision::Notify(Reason { why, text, notes }),
    }
}

enum Answer {
    Fix(Box<Authorized>, String),
    Wait(Wait, Why, String),
    Notify(Why, String),
}

fn ready(
    finding: &Finding,
    proposal: Option<Proposal<'_>>,
    policy: &Policy,
    wants: &Effective,
    history: &History,
    now: Timestamp,
) -> Answer {
    if let Some((why, text)) = stopped(finding, policy, wants) {
        return Answer::Notify(why, text);
    }
    let Some(Proposal { resource, fix, preflight }) = proposal else {
        return Answer::Notify(Why::Person, "there is no automatic fix: a person has to choose".to_owned());
    };
    if let Some(until) = when::unseen(finding, fix, wants, history.first_seen.unwrap_or(now), now) {
        let text = format!("who made it may still be told, by CloudTrail until {until}");
        return Answer::Wait(Wait::Until(until), Why::Waiting, text);
    }
    if let Some((why, text)) = not_allowed(finding, fix, policy, wants, history) {
        return Answer::Notify(why, text);
    }
    let ready = match preflight {
        Preflight::Refused(refusals) => return refused(refusals),
        Preflight::Unknown(needs) => return Answer::Notify(Why::Unknown, unknown(needs)),
        Preflight::Proved(proof) => Ok(proof),
        // The violating change started this deployment itself, just now: the fix may overtake it.
        Preflight::Wait(WaitFor::Deployment(_), Some(proof))
            if finding.starts_deployment && wants.supersede.value =>
        {
            Ok(proof)
        }
        Preflight::Wait(waits_for, proof) => Err((waits_for, proof)),
    };
    let proof = match &ready {
        Ok(proof) => Some(*proof),
        Err((_, proof)) => proof.as_ref(),
    };
    if let Some(answer) = proof.and_then(|proof| beside::beside(finding, proof, policy, history, now)) {
        return answer;
    }
    if let Some((until, why, text)) = when::too_early(wants, history.first_seen.unwrap_or(now), now) {
        return Answer::Wait(Wait::Until(until), why, text);
    }
    match ready {
        Ok(proof) => {
            let proof = (**proof).clone();
            let authorized =
                Authorized { control: finding.control, resource: resource.clone(), fix: fix.clone(), proof };
            let mut text = cite("mode is fix", &wants.mode.source);
            if authorized.fix.safety == Safety::Disruptive {
                text = format!("{text} and {}", cite("disruptive is true", &wants.disruptive.source));
            }
            Answer::Fix(Box::new(authorized), text)
        }
        Err((waits_for, _)) => when::wait(waits_for, history, now),
    }
}

/// What stops every fix of this finding, whatever the fix is.
fn stopped(finding: &Finding, policy: &Policy, wants: &Effective) -> Option<(Why, String)> {
    if wants.mode.value != Mode::Fix {
        return Some((Why::Notify, cite("mode is notify", &wants.mode.source)));
    }
    if policy.dry_run() {
        let text =
            "DryRun is on: every account is capped at notify until Shipshape is deployed with DryRun=false";
        return Some((Why::DryRun, text.to_owned()));
    }
    match policy.switch() {
        Switch::Run => {}
        switch @ (Switch::Pause | Switch::Freeze) => {
            return Some((
                Why::Switch,
                format!(
                    "the switch stands at {switch}: no new fix until it is set to run, and none of what is told until then: that is fixed by hand, or with its next change"
                ),
            ));
        }
    }
    (finding.cause.origin == Origin::Shipshape).then(|| {
        (
            Why::OwnChange,
            "Shipshape made this change itself: it is judged, and never answered with another fix".to_owned(),
        )
    })
}

/// What speaks against this fix, now and later, whatever its pre-flight says.
fn not_allowed(
    finding: &Finding,
    fix: &Fix,
    policy: &Policy,
    wants: &Effective,
    history: &History,
) -> Option<(Why, String)> {
    match fix.safety {
        Safety::Manual => {
            return Some((Why::Person, "a person has to choose: the plan is a proposal".to_owned()));
        }
        Safety::Disruptive if !wants.disruptive.value => {
            let text = cite(
                "the fix starts or changes what will be deployed, and disruptive is false",
                &wants.disruptive.source,
            );
            return Some((Why::NotDisruptive, text));
        }
        Safety::Disruptive | Safety::Safe => {}
    }
    if let (Safety::Disruptive, Some(owner)) = (fix.safety, finding.owner)
        && wants.iac.value != Mode::Fix
    {
        let text = match owner {
            Owner::Unseen => format!(
                "nobody saw with what it was made, and a template that has it would put it back: iac is {}",
                wants.iac.value
            ),
            owner => format!(
                "{owner} owns the resource and would put it back, so that it has to be changed there: iac is {}",
                wants.iac.value
            ),
        };
        return Some((Why::IacOwned, cite(&text, &wants.iac.source)));
    }
    if history.undone {
        let text = "our fix of it was made and did not hold, and no change says who undid it: it is left alone until somebody changes it";
        return Some((Why::FlipFlop, text.to_owned()));
    }
    let budget = policy.budget();
    if history.reverts >= budget.flip_flops.value {
        let text = format!(
            "our fix was reverted {} times within 24 hours: the resource is left alone",
            history.reverts
        );
        return Some((Why::FlipFlop, cite(&text, &budget.flip_flops.source)));
    }
    if history.failures >= budget.breaker.value {
        let text = format!(
            "{} fixes failed in this account within 24 hours: none is made until a person looks",
            history.failures
        );
        return Some((Why::Breaker, cite(&text, &budget.breaker.source)));
    }
    None
}

fn refused(refusals: &[Refusal]) -> Answer {
    let mut topics: Vec<String> = refusals.iter().map(|refusal| refusal.topic.clone()).collect();
    topics.dedup();
    let sentences: Vec<&str> = refusals.iter().map(|refusal| refusal.sentence.as_str()).collect();
    Answer::Notify(Why::Refused(topics), format!("refused by the pre-flight: {}", sentences.join("; ")))
}

fn unknown(needs: &[Need]) -> String {
    let calls: Vec<String> = needs.iter().map(Need::call).collect();
    format!("the pre-flight could not prove the fix; it needs {}", calls.join(" · "))
}

/// A sentence with the place that said so.
fn cite(text: &str, source: &Source) -> String {
    format!("{text} ({source})")
}
