//! What a move to a mended revision changes beside what it is made for.

use jiff::Timestamp;

use super::when::too_early;
use super::{Answer, History, Wait, Why, cite};
use crate::control::Control;
use crate::finding::Finding;
use crate::policy::{ExemptionMatch, Mode, Policy, Subject};
use crate::remediation::Proof;

/// A revision is mended once, for everyone that runs it, and of everything that the policy fixes there. A service moves
/// to it only where the policy wants all of that for this service as well, now.
pub(super) fn beside(
    finding: &Finding,
    proof: &Proof,
    policy: &Policy,
    history: &History,
    now: Timestamp,
) -> Option<Answer> {
    finding.found_in.as_ref()?;
    let is_on = |control: &Control| {
        policy.control(control.slug).enabled.map_or(!control.opt_in, |enabled| enabled.value)
    };
    let mut waits: Option<(Timestamp, Why, String)> = None;
    for control in proof.also().iter().filter(|control| is_on(control)) {
        let subject = Subject { control: control.slug, severity: control.severity, ..finding.subject() };
        let wants = policy.effective(&subject);
        let held = match policy.exemption(&subject, now) {
            Some(ExemptionMatch::Live(exemption)) => Some(exemption.to_string()),
            _ if wants.mode.value != Mode::Fix => {
                Some(cite(&format!("at {}", wants.mode.value), &wants.mode.source))
            }
            _ if !wants.disruptive.value => Some(cite("not to be deployed", &wants.disruptive.source)),
            _ if finding.owner.is_some() && wants.iac.value != Mode::Fix => {
                Some(cite("left to the template", &wants.iac.source))
            }
            _ => None,
        };
        if let Some(held) = held {
            let text = format!(
                "the mended revision also does what {} wants, which is {held}: let both be fixed here, or move the service to a revision that does only the one",
                control.slug
            );
            return Some(Answer::Notify(Why::Refused(vec!["mended revision".to_owned()]), text));
        }
        let early = too_early(&wants, history.first_seen.unwrap_or(now), now);
        waits = waits.into_iter().chain(early).max_by_key(|(until, ..)| *until);
    }
    let (until, why, text) = waits?;
    Some(Answer::Wait(Wait::Until(until), why, text))
}
