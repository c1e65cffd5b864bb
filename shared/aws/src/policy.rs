//! The switch and the policy, out of Parameter Store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_ssm::Client;
use shipshape_core::control::Severity;
use shipshape_core::ids::AccountId;
use shipshape_core::policy::{Notice, Policy, Switch};
use shipshape_core::selection::{Selection, names};

use crate::failure::Failure;

/// The parameter that stops everything.
pub const SWITCH: &str = "/shipshape/switch";
/// The parameter with defaults, rules and budgets.
pub const POLICY: &str = "/shipshape/policy";
/// Where each account's own parameter is.
pub const ACCOUNTS: &str = "/shipshape/accounts/";

/// How long what was read may decide which controls are on, for events that comply with all of them. What a judgement
/// rests on is read anew.
const KEPT: Duration = Duration::from_secs(300);

/// What the parameters say for one account.
#[derive(Debug, Clone)]
pub struct Decreed {
    /// The policy, with the switch and the dry run.
    pub policy: Policy,
    /// The controls that it leaves on.
    pub selection: Arc<Selection>,
    /// What is wrong with the parameters: somebody has to be told.
    pub notices: Vec<Notice>,
    texts: Texts,
}

/// The parameters as they were read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Texts {
    switch: Option<String>,
    policy: Option<String>,
    account: Option<String>,
}

/// Reads the parameters.
#[derive(Debug)]
pub struct Policies {
    client: Client,
    dry_run: bool,
    /// Whoever acts in one account alone needs the parameters of others no more.
    kept: BTreeMap<AccountId, (Instant, Arc<Decreed>)>,
}

impl Policies {
    /// Reads with a client, and caps every account at notify in a dry run.
    pub fn new(client: Client, dry_run: bool) -> Self {
        Self { client, dry_run, kept: BTreeMap::new() }
    }

    /// What was read a short time ago.
    pub fn known(&self, account: &AccountId) -> Option<Arc<Decreed>> {
        let (read, decreed) = self.kept.get(account)?;
        (read.elapsed() < KEPT).then(|| Arc::clone(decreed))
    }

    /// Reads the parameters of an account: one call.
    pub async fn read(&mut self, account: &AccountId) -> Result<Arc<Decreed>, Failure> {
        let texts = self.texts(account).await?;
        self.kept.retain(|_, (read, _)| read.elapsed() < KEPT);
        let same = self.kept.get(account).filter(|(_, known)| known.texts == texts);
        let decreed = match same {
            Some((_, known)) => Arc::clone(known),
            None => Arc::new(decree(texts, account, self.dry_run)),
        };
        self.kept.insert(account.clone(), (Instant::now(), Arc::clone(&decreed)));
        Ok(decreed)
    }

    /// Whether the parameters still say what was decided by. Read right before a write.
    pub async fn still(&mut self, account: &AccountId, decided_by: &Decreed) -> Result<bool, Failure> {
        Ok(self.texts(account).await? == decided_by.texts)
    }

    async fn texts(&self, account: &AccountId) -> Result<Texts, Failure> {
        let own = format!("{ACCOUNTS}{account}");
        let asked = self.client.get_parameters().names(SWITCH).names(POLICY).names(&own).send().await;
        let answer = asked.map_err(|error| Failure::of("GetParameters", &error))?;
        let mut texts = Texts::default();
        for parameter in answer.parameters.unwrap_or_default() {
            match parameter.name.as_deref() {
                Some(SWITCH) => texts.switch = parameter.value,
                Some(POLICY) => texts.policy = parameter.value,
                Some(name) if name == own => texts.account = parameter.value,
                _ => {}
            }
        }
        Ok(texts)
    }
}

/// What the parameters mean. What is missing or wrong means notify only; a switch that can't be read means pause.
fn decree(texts: Texts, account: &AccountId, dry_run: bool) -> Decreed {
    let own: Vec<_> = texts
        .account
        .iter()
        .map(|text| (account.clone(), format!("{ACCOUNTS}{account}"), text.clone()))
        .collect();
    let (policy, notices) = Policy::assemble((POLICY, texts.policy.as_deref()), &own, &names());
    let policy = policy.with_switch(Switch::read(texts.switch.as_deref())).with_dry_run(dry_run);
    let selection = Arc::new(Selection::of(&policy, &[], Severity::Informational));
    Decreed { policy, selection, notices, texts }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decreed(switch: Option<&str>, policy: Option<&str>) -> Decreed {
        let texts =
            Texts { switch: switch.map(str::to_owned), policy: policy.map(str::to_owned), account: None };
        decree(texts, &"111122223333".parse().unwrap(), false)
    }

    #[test]
    fn a_switch_that_is_missing_is_a_pause() {
        assert_eq!(decreed(None, Some("version = 1")).policy.switch(), Switch::Pause);
        assert_eq!(decreed(Some("run"), Some("version = 1")).policy.switch(), Switch::Run);
    }

    #[test]
    fn a_policy_that_is_missing_or_wrong_only_notifies_and_says_so() {
        for text in [None, Some("mode = fix"), Some("version = 9\nmode = \"fix\"")] {
            let decreed = decreed(Some("run"), text);
            assert!(decreed.policy.only_notifies(), "{text:?}");
            assert!(!decreed.notices.is_empty(), "{text:?}");
        }
        let fixing = decreed(Some("run"), Some("version = 1\nmode = \"fix\""));
        assert!(!fixing.policy.only_notifies() && fixing.notices.is_empty());
    }
}
