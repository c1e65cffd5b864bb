//! What becomes of violations in whole accounts, control by control.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::{Difference, Direction};
use crate::control::Severity;
use crate::controls;
use crate::ids::{AccountId, Arn};
use crate::policy::{Mode, Policy, Subject};
use crate::remediation::Safety;
use crate::selection::{Selected, Selection};

/// What becomes of a violation of one control in one account.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    /// It is not judged, or nobody is told.
    Silent,
    /// People are told.
    Told,
    /// It is fixed, where nothing else stands against it.
    Fixed(Room),
}

/// How much room a fix has.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Room {
    owned: bool,
    supersede: bool,
    grace: SignedDuration,
    windows: Vec<String>,
}

const OWNED: &str = "what CloudFormation, the CDK, Terraform or Pulumi owns";

impl Standing {
    fn of(policy: &Policy, selected: Option<&Selected>, subject: &Subject<'_>) -> Self {
        let Some(selected) = selected else { return Self::Silent };
        let said = policy.effective(subject);
        let rolls = selected.control.safety != Safety::Safe;
        match said.mode.value {
            Mode::Off => Self::Silent,
            Mode::Fix if selected.has_fix() && (!rolls || said.disruptive.value) => Self::Fixed(Room {
                owned: rolls && said.iac.value == Mode::Fix,
                supersede: rolls && said.supersede.value,
                grace: said.grace.value,
                windows: said.windows.value.iter().map(ToString::to_string).collect(),
            }),
            Mode::Fix | Mode::Notify => Self::Told,
        }
    }

    fn to(&self, after: &Self) -> Vec<Difference> {
        use Direction::{Looser, Tighter};
        let one = |direction, what: &str| vec![Difference::new(direction, what.to_owned())];
        match (self, after) {
            (Self::Silent, Self::Silent) | (Self::Told, Self::Told) => Vec::new(),
            (Self::Silent | Self::Told, Self::Fixed(room)) => {
                one(Looser, &format!("newly in fix{}", room.conditions()))
            }
            (Self::Silent, Self::Told) => one(Tighter, "newly told"),
            (Self::Told, Self::Silent) => one(Looser, "no longer told"),
            (Self::Fixed(_), Self::Told) => one(Tighter, "no longer in fix, only told"),
            (Self::Fixed(_), Self::Silent) => one(Looser, "neither fixed nor told any more"),
            (Self::Fixed(before), Self::Fixed(after)) => before.to(after),
        }
    }
}

impl Room {
    /// What a fix is held to.
    fn conditions(&self) -> String {
        let mut text = String::new();
        if self.owned {
            text.push_str(&format!(", also of {OWNED}"));
        }
        if !self.grace.is_zero() {
            text.push_str(&format!(", after a grace of {:#}", self.grace));
        }
        if !self.windows.is_empty() {
            text.push_str(&format!(", within {}", self.windows.join(", ")));
        }
        text
    }

    fn to(&self, after: &Self) -> Vec<Difference> {
        let only = |yes: bool| if yes { "" } else { " no longer" };
        let grace = format!("a grace of {:#}, where it was {:#}", after.grace, self.grace);
        let times = |windows: &[String]| {
            if windows.is_empty() {
                "at any time".to_owned()
            } else {
                format!("within {}", windows.join(", "))
            }
        };
        let windows = format!("fixes {}, where it was {}", times(&after.windows), times(&self.windows));
        let owned = format!("{OWNED} is{} fixed, too", only(after.owned));
        let supersede = format!(
            "a fix may{} overtake the deployment that the violating change started",
            only(after.supersede)
        );
        let mut all = vec![
            Difference::more(&self.owned, &after.owned, owned),
            Difference::more(&self.supersede, &after.supersede, supersede),
            // Less time is more room.
            Difference::more(&after.grace, &self.grace, grace),
        ];
        if self.windows != after.windows {
            let direction = match (self.windows.is_empty(), after.windows.is_empty()) {
                (_, true) => Direction::Looser,
                (true, _) => Direction::Tighter,
                _ => Direction::Other,
            };
            all.push(Some(Difference::new(direction, windows)));
        }
        all.into_iter().flatten().collect()
    }
}

/// What holds for whole accounts: what is the same in several is told once.
pub(super) fn by_account(before: &Policy, after: &Policy) -> Vec<Difference> {
    let select = |policy: &Policy| Selection::of(policy, &[], Severity::Informational);
    let (was, is) = (select(before), select(after));
    let named: BTreeSet<&AccountId> = before.spoken_of().union(&after.spoken_of()).copied().collect();
    let others = if named.is_empty() { "every account" } else { "every other account" };
    let labels = named.iter().map(|id| (label(after, id), Some(*id))).chain([(others.to_owned(), None)]);
    let mut found: BTreeMap<Difference, BTreeMap<Vec<&str>, Vec<String>>> = BTreeMap::new();
    for (label, account) in labels {
        let mut here: BTreeMap<Difference, Vec<&str>> = BTreeMap::new();
        let arn = format!("arn:aws:ecs:any:{}:any", account.map_or("any", AccountId::as_str));
        let Ok(resource) = arn.parse::<Arn>() else { continue };
        for control in controls::ALL {
            let (slug, severity) = (control.slug, control.severity);
            let subject = Subject {
                account,
                region: None,
                resource: &resource,
                cluster: None,
                control: slug,
                severity,
            };
            let then = Standing::of(before, was.get(control), &subject);
            for difference in then.to(&Standing::of(after, is.get(control), &subject)) {
                here.entry(difference).or_default().push(slug);
            }
        }
        for (difference, slugs) in here {
            found.entry(difference).or_default().entry(slugs).or_default().push(label.clone());
        }
    }
    let mut all = Vec::new();
    for (Difference { direction, what }, places) in found {
        for (slugs, labels) in places {
            let (labels, slugs) = (labels.join(", "), slugs.join(", "));
            all.push(Difference::new(direction, format!("{what}, in {labels}: {slugs}")));
        }
    }
    all
}

fn label(policy: &Policy, account: &AccountId) -> String {
    match policy.account_name(account) {
        Some(name) => format!("{account} ({name})"),
        None => account.to_string(),
    }
}
