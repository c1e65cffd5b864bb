//! Documents judged without any event: what a template's author checks before anything is deployed.

use jiff::Timestamp;

use crate::control::{Compliance, Evaluation, evaluate, evaluate_part};
use crate::facts::{Facts, Need};
use crate::ids::{AccountId, Arn, Region};
use crate::policy::{Exemption, ExemptionMatch, Mode, Policy, Subject};
use crate::remediation::{Fix, plan};
use crate::resource::{Resource, ResourceId, ResourceType};
use crate::selection::Selection;

mod error;
mod input;
mod read;
mod revisions;
mod shape;

pub use error::DocumentError;
pub use input::Home;
pub use read::{Found, read};
pub use revisions::Revisions;

/// One control's answer for one document.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The resource.
    pub resource: ResourceId,
    /// The answer.
    pub evaluation: Evaluation,
    /// The plan of the fix, if there is one.
    pub fix: Option<Fix>,
    /// The exemption that covers it, in words.
    pub exempt: Option<String>,
    /// What is said beside it, such as that an exemption has expired.
    pub notes: Vec<String>,
}

/// Judges a document by the selected controls. Controls that the policy switches off for the resource are left out.
/// Where nobody says which account and Region a document is for, what names neither holds all the same.
pub fn check(
    found: &Found,
    facts: &Facts,
    policy: &Policy,
    selection: &Selection,
    home: &Home,
    now: Timestamp,
) -> Vec<Checked> {
    let resource = &found.resource;
    let arn = &resource.id.arn;
    let account: Option<AccountId> = arn.account().parse().ok().or_else(|| home.account.clone());
    let region: Option<Region> = arn.region().parse().ok().or_else(|| home.region.clone());
    let deployed = deployed(resource);
    let mut checked = Vec::new();
    for evaluation in judged(found, facts, selection) {
        let control = evaluation.control;
        let subject = |resource| Subject {
            account: account.as_ref(),
            region: region.as_ref(),
            resource,
            cluster: found.resource.id.cluster(),
            control: control.slug,
            severity: control.severity,
        };
        if policy.effective(&subject(&deployed)).mode.value == Mode::Off {
            continue;
        }
        let fix = match &evaluation.compliance {
            Compliance::Failed(_) => {
                selection.get(control).and_then(|one| plan(resource, &evaluation, facts, one))
            }
            _ => None,
        };
        let complies = matches!(evaluation.compliance, Compliance::Passed | Compliance::NotApplicable(_));
        let mut answer =
            Checked { resource: resource.id.clone(), evaluation, fix, exempt: None, notes: Vec::new() };
        // Whoever exempts a family by its name alone means the next revision too.
        let matches = [&deployed, arn].map(|arn| policy.exemption(&subject(arn), now));
        let live = matches.iter().find(|one| matches!(one, Some(ExemptionMatch::Live(_))));
        match live.or(matches.iter().find(|one| one.is_some())) {
            Some(Some(ExemptionMatch::Live(exemption))) => answer.exempt = Some(exemption.to_string()),
            Some(Some(ExemptionMatch::Expired(exemption))) => answer.notes.push(exemption.expired()),
            _ => {}
        }
        if answer.exempt.is_none() && !complies && (account.is_none() || region.is_none()) {
            let may = |one: &&Exemption| {
                one.is_live(now) && [&deployed, arn].iter().any(|arn| one.may_cover(&subject(arn)))
            };
            let exemption = policy.exemptions().iter().rev().find(may);
            answer.notes.extend(exemption.map(|exemption| {
                format!("an exemption at {} may cover it: give --account and --region", exemption.source)
            }));
        }
        checked.push(answer);
    }
    checked
}

/// A member that an input lacks is the input's.
fn of_input(need: Need) -> Need {
    match need {
        Need::Member(path) => Need::Input(path),
        other => other,
    }
}

/// What is not made yet nobody can describe. What an update changes is judged by itself, and what it leaves alone is not
/// known. A task definition that it names is seen as a whole.
fn judged(found: &Found, facts: &Facts, selection: &Selection) -> Vec<Evaluation> {
    let mut evaluations = evaluate(&found.resource, facts, selection);
    for evaluation in &mut evaluations {
        let Compliance::Unknown(needs) = &mut evaluation.compliance else { continue };
        let revision = evaluation.found_in.as_ref().and_then(|id| facts.resource(&id.arn));
        if let Some(revision) = revision.filter(|revision| revision.whole) {
            let own = evaluate(revision, facts, &selection.only(&[evaluation.control.slug]));
            if let Some(Compliance::Unknown(own)) = own.into_iter().next().map(|one| one.compliance) {
                *needs = own.into_iter().map(of_input).collect();
            }
        } else if found.resource.whole && evaluation.found_in.is_none() {
            *needs = std::mem::take(needs).into_iter().map(of_input).collect();
        }
    }
    if found.part {
        let parts = evaluate_part(&found.resource, facts, selection);
        for (whole, part) in evaluations.iter_mut().zip(parts) {
            if whole.found_in.is_none() {
                *whole = part;
            }
        }
    }
    evaluations
}

/// The ARN as the policy will be asked about it: the next revision of a family has a number, though nobody knows which.
fn deployed(resource: &Resource) -> Arn {
    let arn = &resource.id.arn;
    let is_input = resource.id.kind == ResourceType::TaskDefinition && !arn.name().contains(':');
    let numbered = is_input.then(|| format!("{arn}:0").parse().ok()).flatten();
    numbered.unwrap_or_else(|| arn.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    /// The controls of a document that fail, are exempt, or may be, as the policy says.
    fn said(text: &str, policy: &str, home: &Home) -> Vec<String> {
        let json: &RawValue = serde_json::from_str(text).unwrap();
        let policy = Policy::parse("policy.toml", policy, &crate::selection::names()).unwrap();
        let controls: Vec<_> = ["ecs-container-not-privileged", "ecs-no-host-pid-mode"]
            .iter()
            .filter_map(|slug| crate::selection::find(slug))
            .collect();
        let selection = Selection::of(&policy, &controls, crate::control::Severity::Informational);
        let now = "2026-11-01T00:00:00Z".parse().unwrap();
        let found = read(json, None, home).unwrap();
        let checked =
            found.iter().flat_map(|one| check(one, &Facts::default(), &policy, &selection, home, now));
        let say = |one: Checked| {
            let exempt = if one.exempt.is_some() { " exempt" } else { "" };
            format!(
                "{} {}{exempt} {}",
                one.evaluation.control.slug,
                one.evaluation.compliance.status(),
                one.notes.join(" ")
            )
            .trim()
            .to_owned()
        };
        checked.map(say).collect()
    }

    #[test]
    fn a_policy_holds_for_what_is_still_to_be_deployed() {
        let text = r#"{"family":"web","containerDefinitions":[{"name":"a","image":"a","privileged":true}]}"#;
        let exemption = |resource: &str| {
            format!(
                "version = 1\n[[exemptions]]\ncontrol = \"ecs-container-not-privileged\"\nresource = \"{resource}\"\n\
                 owner = \"o\"\nreason = \"r\"\nexpires = 2030-01-31\n"
            )
        };
        let home = Home {
            account: Some("111122223333".parse().unwrap()),
            region: Some("eu-west-1".parse().unwrap()),
        };
        let exact = exemption("arn:aws:ecs:eu-west-1:111122223333:task-definition/web:*");
        let (failed, passed) = ("ecs-container-not-privileged failed", "ecs-no-host-pid-mode passed");
        let exempt = "ecs-container-not-privileged failed exempt";
        let may = format!("{failed} an exemption at policy.toml:2 may cover it: give --account and --region");
        let none = Home::default();
        let rows = [
            (exemption("*"), &none, vec![exempt, passed]),
            (exemption("arn:aws:ecs:*:*:task-definition/web*"), &none, vec![exempt, passed]),
            (exemption("arn:aws:ecs:*:*:task-definition/web:*"), &none, vec![exempt, passed]),
            (exemption("arn:aws:ecs:*:*:task-definition/web"), &none, vec![exempt, passed]),
            (exemption("arn:aws:ecs:*:*:task-definition/api*"), &none, vec![failed, passed]),
            (exact.clone(), &none, vec![may.as_str(), passed]),
            (exact, &home, vec![exempt, passed]),
            ("version = 1\nmode = \"off\"\n".to_owned(), &none, vec![]),
            (
                "version = 1\n[[rules]]\ncontrols = [\"ecs-no-host-*\"]\nmode = \"off\"\n".to_owned(),
                &none,
                vec![failed],
            ),
            (
                "version = 1\n[accounts.111122223333]\nmode = \"off\"\n".to_owned(),
                &none,
                vec![failed, passed],
            ),
            ("version = 1\n[accounts.111122223333]\nmode = \"off\"\n".to_owned(), &home, vec![]),
            (
                "version = 1\n[[rules]]\nregions = [\"eu-west-1\"]\nmode = \"off\"\n".to_owned(),
                &none,
                vec![failed, passed],
            ),
        ];
        for (policy, home, expected) in rows {
            assert_eq!(said(text, &policy, home), expected, "{policy}");
        }
    }
}
