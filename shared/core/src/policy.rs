//! What a team allows Shipshape to do, and where. This file holds the policy and the questions that `decide`
//! asks of it; `policy/` holds its parts, the reading of the TOML and the form that is deployed.
//!
//! A policy is read downwards: the top level, then the account's table, then every `[[rules]]` that matches.
//! The last that speaks wins, for each setting by itself, as in CODEOWNERS. Every value remembers the line that
//! said it, so that a reason can cite it. Nothing here reads a clock, a file or the environment.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::ids::AccountId;

mod assemble;
mod check;
mod documents;
mod duration;
mod error;
mod exemption;
mod rule;
mod setting;
mod spoken;
#[cfg(test)]
mod testing;
mod window;
mod wire;

pub use assemble::{Notice, NoticeKind};
pub use documents::{Document, PARAMETER_LIMIT};
pub use error::{PolicyError, PolicyErrors};
pub use exemption::{Exemption, ExemptionMatch};
pub use rule::{Glob, Subject};
pub use setting::{Budget, Effective, Mode, ModeError, Setting, Source, Switch, SwitchError};
pub use window::{Window, WindowError, windows_next, windows_open};

pub(crate) use spoken::NarrowRule;

use rule::Rule;
use setting::{Delegation, Settings};

/// What a policy may say of one control. The catalogue makes one for each, and `parse` checks against them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlName {
    /// The control's id, such as `ecs-service-no-public-ip`.
    pub slug: &'static str,
    /// What its table may hold besides `enabled`.
    pub parameters: &'static [Parameter],
}

/// One parameter of a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// The key in the control's table.
    pub name: &'static str,
    /// The type of its value.
    pub kind: ParameterKind,
    /// What it does, in one sentence.
    pub about: &'static str,
}

/// The types that a parameter can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A string.
    Text,
    /// A list of strings.
    TextList,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
}

/// What `[controls.<slug>]` says.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlSettings<'a> {
    /// Whether the control is switched on or off; `None` leaves it to the catalogue.
    pub enabled: Option<Setting<bool>>,
    /// The parameters that were said, by name. Their types are those of the catalogue.
    pub parameters: &'a BTreeMap<String, Setting<toml::Value>>,
}

/// A policy that was checked. There is no other way to one than `parse`, `assemble` and `notify_only`.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    top: Settings,
    accounts: BTreeMap<AccountId, Account>,
    controls: BTreeMap<String, ControlTable>,
    rules: Vec<Rule>,
    exemptions: Vec<Exemption>,
    budget: Budget,
    delegation: Delegation,
    switch: Switch,
    dry_run: bool,
    /// Accounts whose own document is wrong: nothing above notify, and the line that is to blame.
    capped: BTreeMap<AccountId, Source>,
    /// The file as TOML values, for `documents`; empty unless the policy comes from one file.
    table: toml::Table,
}

/// What `[accounts.<id>]` says, or the account's own document.
#[derive(Debug, Clone, Default, PartialEq)]
struct Account {
    name: Option<String>,
    settings: Settings,
}

/// What `[controls.<slug>]` says, as it is kept.
#[derive(Debug, Clone, Default, PartialEq)]
struct ControlTable {
    enabled: Option<Setting<bool>>,
    parameters: BTreeMap<String, Setting<toml::Value>>,
}

static NO_PARAMETERS: BTreeMap<String, Setting<toml::Value>> = BTreeMap::new();

impl Policy {
    /// The policy that holds where nothing was said: notify, and nothing else.
    pub fn notify_only() -> Self {
        Self {
            top: Settings::default(),
            accounts: BTreeMap::new(),
            controls: BTreeMap::new(),
            rules: Vec::new(),
            exemptions: Vec::new(),
            budget: Budget::default(),
            delegation: Delegation::default(),
            switch: Switch::Run,
            dry_run: false,
            capped: BTreeMap::new(),
            table: toml::Table::new(),
        }
    }

    /// Reads one file. `file` is only a name, for messages and reasons. Errors of syntax and type come one at a
    /// time; all others are found in one go.
    pub fn parse(file: &str, text: &str, controls: &[ControlName]) -> Result<Self, PolicyErrors> {
        check::policy(file, text, controls)
    }

    /// Reads the deployed form: the main document, and a document for each account that has one.
    ///
    /// It fails closed. A main document that is missing or wrong gives `notify_only`; a wrong document of an
    /// account caps that account at notify. What the main document's `[delegation]` does not allow an account's
    /// document to say is ignored. Each of these is said in a notice. Until `with_switch` and `with_dry_run` are
    /// called, the switch is at pause and it is a dry run.
    pub fn assemble(
        main: (&str, Option<&str>),
        accounts: &[(AccountId, String, String)],
        controls: &[ControlName],
    ) -> (Self, Vec<Notice>) {
        assemble::assemble(main, accounts, controls)
    }

    /// What holds for `subject`. The deployment-wide dry run is not applied here: `decide` does, so that it can
    /// say what would have been done without it.
    pub fn effective(&self, subject: &Subject<'_>) -> Effective {
        let mut said = self.top.clone();
        if let Some(account) = subject.account.and_then(|account| self.accounts.get(account)) {
            said.follow(&account.settings);
        }
        for rule in self.rules.iter().filter(|rule| rule.matches(subject)) {
            said.follow(&rule.settings);
        }
        let mut effective = said.or_default();
        if let Some(source) = subject.account.and_then(|account| self.capped.get(account))
            && effective.mode.value > Mode::Notify
        {
            effective.mode = Setting { value: Mode::Notify, source: source.clone() };
        }
        effective
    }

    /// The exemption that covers `subject`: one that lives, or else one that has ended, so that the message can
    /// say so. Of several, the last.
    pub fn exemption(&self, subject: &Subject<'_>, now: Timestamp) -> Option<ExemptionMatch<'_>> {
        exemption::find(&self.exemptions, subject, now)
    }

    /// How much may be done and said in an hour, and when to stop.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// What is said of one control.
    pub fn control(&self, slug: &str) -> ControlSettings<'_> {
        match self.controls.get(slug) {
            Some(table) => ControlSettings { enabled: table.enabled.clone(), parameters: &table.parameters },
            None => ControlSettings { enabled: None, parameters: &NO_PARAMETERS },
        }
    }

    /// Every exemption, in the order in which the policy names them.
    pub fn exemptions(&self) -> &[Exemption] {
        &self.exemptions
    }

    /// The name that the policy gives an account.
    pub fn account_name(&self, account: &AccountId) -> Option<&str> {
        self.accounts.get(account)?.name.as_deref()
    }

    /// Overrides every `mode` that was said. `iac` and `disruptive` stay: they are limits, not wishes.
    pub fn with_mode(mut self, mode: Mode, said_by: &'static str) -> Self {
        self.below_top().for_each(|settings| settings.mode = None);
        self.top.mode = Some(Setting { value: mode, source: Source::Override(said_by) });
        self
    }

    /// Whether notify is the mode everywhere.
    pub fn only_notifies(&self) -> bool {
        let accounts = self.accounts.values().map(|account| &account.settings);
        let all = accounts.chain(self.rules.iter().map(|rule| &rule.settings)).chain([&self.top]);
        all.filter_map(|settings| settings.mode.as_ref()).all(|said| said.value == Mode::Notify)
    }

    /// Overrides every `disruptive` that was said.
    pub fn with_disruptive(mut self, value: bool, said_by: &'static str) -> Self {
        self.below_top().for_each(|settings| settings.disruptive = None);
        self.top.disruptive = Some(Setting { value, source: Source::Override(said_by) });
        self
    }

    /// Sets the switch.
    pub fn with_switch(mut self, switch: Switch) -> Self {
        self.switch = switch;
        self
    }

    /// Whether writes are allowed at the moment.
    pub fn switch(&self) -> Switch {
        self.switch
    }

    /// Sets the deployment-wide cap: in a dry run every account is at most at notify.
    pub fn with_dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Whether the whole deployment is capped at notify.
    pub fn dry_run(&self) -> bool {
        self.dry_run
    }

    /// The parameters of Parameter Store that this file is pushed as: `/shipshape/policy`, and
    /// `/shipshape/accounts/<id>` for what `[delegation]` lets that account's own parameter say. Assembled again
    /// they are this policy. None for a policy that does not come from one file.
    pub fn documents(&self) -> Vec<Document> {
        documents::cut(&self.table, &self.delegation)
    }

    /// The size in bytes of each of `documents`, to be held against `PARAMETER_LIMIT`.
    pub fn usage(&self) -> Vec<(String, usize)> {
        self.documents().into_iter().map(|document| (document.parameter, document.text.len())).collect()
    }

    fn below_top(&mut self) -> impl Iterator<Item = &mut Settings> {
        let accounts = self.accounts.values_mut().map(|account| &mut account.settings);
        accounts.chain(self.rules.iter_mut().map(|rule| &mut rule.settings))
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::notify_only()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{ACCOUNT, Ask, OTHER, parse};
    use super::*;
    use crate::control::Severity;
    use jiff::SignedDuration;

    /// Each line below is cited by its number.
    const POLICY: &str = r#"version = 1
mode = "notify"
grace = "10m"
[groups]
prod = ["222233334444"]
[accounts.111122223333]
name = "staging"
mode = "fix"
disruptive = true
[[rules]]
groups = ["prod"]
mode = "fix"
iac = "fix"
windows = ["09:00-16:00 UTC"]
[[rules]]
clusters = ["pci-*"]
grace = "1h30m"
supersede = true
[[rules]]
controls = ["ecs-container-*"]
severities = ["low", "medium"]
mode = "off"
[[rules]]
resources = ["arn:aws:ecs:*:service/edge/*"]
regions = ["eu-west-1"]
disruptive = false
"#;

    #[test]
    fn the_last_that_speaks_wins_for_each_setting_by_itself() {
        let rootfs = "ecs-container-readonly-rootfs";
        let public_ip = "ecs-service-no-public-ip";
        let edge = "service/edge/web";
        #[rustfmt::skip]
        let rows = [
            ("nothing of its own", Ask { account: "999999999999", ..Ask::default() }, "notify:2 false:d 600:3"),
            ("its table", Ask::default(), "fix:8 true:9 600:3"),
            ("its group's rule", Ask { account: OTHER, ..Ask::default() }, "fix:12 false:d 600:3"),
            ("its cluster's rule", Ask { cluster: Some("pci-1"), ..Ask::default() }, "fix:8 true:9 5400:17"),
            ("another cluster", Ask { cluster: Some("a-pci-1"), ..Ask::default() }, "fix:8 true:9 600:3"),
            ("control and severity", Ask { control: rootfs, severity: Severity::Medium, ..Ask::default() }, "off:22 true:9 600:3"),
            ("control, not severity", Ask { control: rootfs, severity: Severity::High, ..Ask::default() }, "fix:8 true:9 600:3"),
            ("severity, not control", Ask { control: public_ip, severity: Severity::Low, ..Ask::default() }, "fix:8 true:9 600:3"),
            ("resource and Region", Ask { resource: edge, ..Ask::default() }, "fix:8 false:26 600:3"),
            ("resource, not Region", Ask { resource: edge, region: "eu-west-3", ..Ask::default() }, "fix:8 true:9 600:3"),
        ];
        let policy = parse(POLICY);
        for (name, ask, expected) in rows {
            let effective = ask.of(|subject| policy.effective(subject));
            let line = |source: &Source| match source {
                Source::Line { line, .. } => line.to_string(),
                Source::Default => "d".to_owned(),
                Source::Override(by) => (*by).to_owned(),
            };
            let found = format!(
                "{}:{} {}:{} {}:{}",
                effective.mode.value,
                line(&effective.mode.source),
                effective.disruptive.value,
                line(&effective.disruptive.source),
                effective.grace.value.as_secs(),
                line(&effective.grace.source),
            );
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn every_setting_has_a_default_and_a_line() {
        let nothing = Ask::default().of(|subject| Policy::notify_only().effective(subject));
        assert_eq!(nothing.mode, Setting { value: Mode::Notify, source: Source::Default });
        assert_eq!(nothing.iac, Setting { value: Mode::Notify, source: Source::Default });
        assert_eq!((nothing.disruptive.value, nothing.supersede.value), (false, false));
        assert_eq!((nothing.grace.value, nothing.windows.value), (SignedDuration::ZERO, Vec::new()));

        let prod = Ask { account: OTHER, cluster: Some("pci-1"), ..Ask::default() }
            .of(|s| parse(POLICY).effective(s));
        assert_eq!((prod.iac.value, prod.iac.source.to_string().as_str()), (Mode::Fix, "policy.toml:13"));
        assert_eq!(prod.windows.value[0].to_string(), "09:00-16:00 UTC");
        assert_eq!(prod.windows.source.to_string(), "policy.toml:14");
        assert_eq!(
            (prod.supersede.value, prod.supersede.source.to_string().as_str()),
            (true, "policy.toml:18")
        );
    }

    #[test]
    fn an_override_beats_tables_and_rules_and_leaves_the_limits_alone() {
        let policy = parse(POLICY).with_mode(Mode::Fix, "--mode");
        let off = Ask { control: "ecs-container-readonly-rootfs", severity: Severity::Low, ..Ask::default() };
        let effective = off.of(|subject| policy.effective(subject));
        assert_eq!((effective.mode.value, effective.mode.source.to_string().as_str()), (Mode::Fix, "--mode"));
        assert_eq!((effective.disruptive.value, effective.iac.value), (true, Mode::Notify));

        let policy = policy.with_disruptive(false, "--no-disruptive");
        let effective = off.of(|subject| policy.effective(subject));
        assert_eq!(effective.disruptive.source.to_string(), "--no-disruptive");
        assert_eq!((effective.disruptive.value, effective.mode.value), (false, Mode::Fix));
    }

    #[test]
    fn a_file_on_the_desk_runs_and_the_dry_run_is_not_applied_to_what_is_said() {
        let policy = parse(POLICY);
        assert_eq!((policy.switch(), policy.dry_run()), (Switch::Run, false));
        let policy = policy.with_switch(Switch::Freeze).with_dry_run(true);
        assert_eq!((policy.switch(), policy.dry_run()), (Switch::Freeze, true));
        assert_eq!(Ask::default().of(|subject| policy.effective(subject)).mode.value, Mode::Fix);
    }

    #[test]
    fn a_policy_only_notifies_where_nothing_says_otherwise() {
        let rows = [
            ("version = 1\n", true),
            ("version = 1\nmode = \"notify\"\ndisruptive = true\n", true),
            ("version = 1\nmode = \"off\"\n", false),
            ("version = 1\n[[rules]]\nmode = \"notify\"\n", true),
            ("version = 1\n[[rules]]\nregions = [\"eu-west-3\"]\nmode = \"fix\"\n", false),
            ("version = 1\n[accounts.111122223333]\nmode = \"off\"\n", false),
        ];
        for (text, expected) in rows {
            assert_eq!(parse(text).only_notifies(), expected, "{text}");
        }
        assert!(Policy::notify_only().only_notifies());
        assert!(parse(POLICY).with_mode(Mode::Notify, "--mode").only_notifies());
    }

    #[test]
    fn names_and_controls_are_found() {
        let policy = parse(
            "version = 1\n[accounts.111122223333]\nname = \"staging\"\n[controls.ecs-image-trusted-registry]\nenabled = true\nallow = [\"a/*\"]\n",
        );
        assert_eq!(policy.account_name(&ACCOUNT.parse().unwrap()), Some("staging"));
        assert_eq!(policy.account_name(&OTHER.parse().unwrap()), None);
        let control = policy.control("ecs-image-trusted-registry");
        assert_eq!(control.enabled.map(|said| said.source.to_string()).as_deref(), Some("policy.toml:5"));
        assert_eq!(control.parameters["allow"].value, toml::Value::from(vec!["a/*"]));
        assert_eq!(control.parameters["allow"].source.to_string(), "policy.toml:6");
        let silent = policy.control("ecs-service-no-public-ip");
        assert!(silent.enabled.is_none() && silent.parameters.is_empty());
    }
}
