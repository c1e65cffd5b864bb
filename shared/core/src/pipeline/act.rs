//! The second half of a change's way: combine what was authorised, claim each write, write, settle.

use jiff::Timestamp;

use crate::change::Change;
use crate::decide::{Authorized, Why};
use crate::facts::{Facts, Need};
use crate::ids::Arn;
use crate::judgement::{Judgement, Ruling};
use crate::ledger::{Claim, Outcome, Request, Settled};
use crate::policy::Policy;
use crate::ports::{Applied, Ports};
use crate::remediation::{self, Remediation};
use crate::resource::{Body, ResourceId, ResourceType};
use crate::selection::Selection;

/// Combines what was authorised, claims each write, writes, and settles.
pub(super) async fn act<P: Ports>(
    change: &Change,
    authorized: Vec<Authorized>,
    judgements: &mut [Judgement],
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
        end(&[one.control], Some(ruling), Outcome::Notified, judgements, ports, now).await?;
    }
    for remediation in remediations {
        if let Some((cluster, None)) = rolls(&remediation, ports.facts()) {
            // How many services may roll at once is a share of all that there are.
            ports.fetch(&[Need::Resource(ResourceId { kind: ResourceType::Cluster, arn: cluster })]).await?;
        }
        let budget = policy.budget();
        let request = Request {
            remediation: &remediation,
            judgements: of(remediation.controls(), judgements),
            account: &change.account,
            change: &change.id,
            rolls: rolls(&remediation, ports.facts()),
            fixes_per_hour: budget.fixes_per_account_per_hour.value,
            rolling_percent: budget.max_rolling_percent.value,
        };
        let (ruling, outcome) = match ports.claim(&request, now).await? {
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
        end(remediation.controls(), ruling, outcome, judgements, ports, now).await?;
    }
    Ok(())
}

/// The judgements of some controls.
fn of<'j>(controls: &[&str], judgements: &'j [Judgement]) -> Vec<&'j Judgement> {
    judgements.iter().filter(|one| controls.contains(&one.evaluation.control.slug)).collect()
}

/// Ends the incidents of the controls of one write.
async fn end<P: Ports>(
    controls: &[&'static str],
    ruling: Option<Ruling>,
    outcome: Outcome,
    judgements: &mut [Judgement],
    ports: &mut P,
    now: Timestamp,
) -> Result<(), P::Failure> {
    for judgement in judgements.iter_mut().filter(|one| controls.contains(&one.evaluation.control.slug)) {
        if let Some(ruling) = &ruling {
            judgement.ruling = Some(ruling.clone());
        }
        judgement.outcome = Some(outcome.clone());
        let (Some(id), Some(ruling)) = (&judgement.incident, &judgement.ruling) else { continue };
        let fingerprint = judgement.fingerprint();
        let settled =
            Settled { fingerprint, outcome: outcome.clone(), reason: ruling.reason.text.as_str().into() };
        ports.settle(id, settled, now).await?;
    }
    Ok(())
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
