//! What is written: combine what was authorised, claim each write, write.

use jiff::Timestamp;

use super::Ruled;
use crate::change::Change;
use crate::decide::{Authorized, Why};
use crate::facts::{Facts, Need};
use crate::ids::Arn;
use crate::judgement::{Judgement, Ruling};
use crate::ledger::{Claim, Intent, Outcome};
use crate::policy::Policy;
use crate::ports::{Applied, Ports};
use crate::remediation::{self, Remediation};
use crate::resource::{Body, ResourceId, ResourceType};
use crate::selection::Selection;

/// Combines what was authorised, claims each write, and writes. What came of it stands in the judgements then.
pub(super) async fn act<P: Ports>(
    change: &Change,
    authorized: Vec<Authorized>,
    ruled: &mut [Ruled],
    ports: &mut P,
    policy: &Policy,
    selection: &Selection,
    now: Timestamp,
) -> Result<(), P::Failure> {
    if authorized.is_empty() {
        return Ok(());
    }
    let (remediations, left_out) = remediation::combine(authorized, ports.facts(), selection);
    for one in left_out {
        let ruling = Ruling::notify(Why::Refused(vec!["does not combine".to_owned()]), one.why.to_string());
        end(&[one.control], Some(ruling), &Outcome::Notified, ruled);
    }
    for remediation in remediations {
        if let Some((cluster, None)) = rolls(&remediation, ports.facts()) {
            // How many services may roll at once is a share of all that there are.
            ports.fetch(&[Need::Resource(ResourceId { kind: ResourceType::Cluster, arn: cluster })]).await?;
        }
        let judgements = of(remediation.controls(), ruled);
        let Some(incident) = judgements.iter().find_map(|judgement| judgement.incident.as_ref()) else {
            continue;
        };
        let budget = policy.budget();
        let intent = Intent {
            remediation: &remediation,
            incident,
            account: &change.account,
            account_name: policy.account_name(&change.account),
            rolls: rolls(&remediation, ports.facts()),
            fixes_per_hour: budget.fixes_per_account_per_hour.value,
            rolling_percent: budget.max_rolling_percent.value,
            judgements,
        };
        let (ruling, outcome) = match ports.claim(&intent, now).await? {
            Claim::Mine => match ports.apply(&remediation).await? {
                Applied::Done => (None, Outcome::Applied),
                Applied::Gone => (None, Outcome::Gone),
                Applied::Refused(text) => (
                    Some(Ruling::notify(Why::Refused(vec!["AWS refused".to_owned()]), text)),
                    Outcome::Failed,
                ),
            },
            Claim::Done => (None, Outcome::Repeated),
            Claim::OverBudget(text) => {
                let text = format!("{text}: not fixed, told instead");
                (Some(Ruling::notify(Why::OverBudget, text)), Outcome::Notified)
            }
        };
        end(remediation.controls(), ruling, &outcome, ruled);
    }
    Ok(())
}

/// The judgements of some controls.
fn of<'j>(controls: &[&str], ruled: &'j [Ruled]) -> Vec<&'j Judgement> {
    let those = ruled.iter().map(|one| &one.judgement);
    those.filter(|one| controls.contains(&one.evaluation.control.slug)).collect()
}

/// Says where the incidents of the controls of one write stand.
fn end(controls: &[&str], ruling: Option<Ruling>, outcome: &Outcome, ruled: &mut [Ruled]) {
    for Ruled { judgement, .. } in ruled.iter_mut() {
        if controls.contains(&judgement.evaluation.control.slug) {
            judgement.ruling = ruling.clone().or_else(|| judgement.ruling.take());
            judgement.outcome = Some(outcome.clone());
        }
    }
}

/// The cluster whose services a write sets rolling, and how many services it has.
fn rolls(remediation: &Remediation, facts: &Facts) -> Option<(Arn, Option<u32>)> {
    if !remediation.starts_deployment() {
        return None;
    }
    let cluster = remediation.target().cluster_arn()?;
    let services = match facts.resource(&cluster).map(|known| &known.body) {
        Some(Body::Cluster(cluster)) => cluster.active_services_count.known().copied(),
        _ => None,
    };
    Some((cluster, services))
}
