//! The deployed form: a main document, and a document for each account that has one. It fails closed, and says
//! so: a person must learn that a policy is not in force before they wonder why nothing is fixed.

use std::fmt;

use super::check::AccountDocument;
use super::setting::{Delegation, Settings};
use super::{ControlName, Mode, Policy, PolicyErrors, Setting, Switch, check, documents};
use crate::ids::AccountId;

/// How many errors of one document a notice holds.
const ERRORS_SHOWN: usize = 5;

/// Something about the deployed policy that a person has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it is about, to count and alarm by.
    pub kind: NoticeKind,
    /// The account whose document it is; `None` for the main document.
    pub account: Option<AccountId>,
    /// What is wrong, what follows from it, and what to do.
    pub message: String,
}

/// The kinds of notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeKind {
    /// The main document is missing or wrong: everything is at notify.
    PolicyUnusable,
    /// An account's document is wrong: that account is at notify.
    AccountUnusable,
    /// An account's document says what it may not say, and that was ignored.
    OutOfBounds,
}

impl NoticeKind {
    /// The word to count by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PolicyUnusable => "policy-unusable",
            Self::AccountUnusable => "account-unusable",
            Self::OutOfBounds => "out-of-bounds",
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

pub(super) fn assemble(
    (file, text): (&str, Option<&str>),
    accounts: &[(AccountId, String, String)],
    controls: &[ControlName],
) -> (Policy, Vec<Notice>) {
    let main = match text {
        Some(text) => Policy::parse(file, text, controls).map_err(|errors| {
            format!(
                "the policy is wrong, so that every account is at notify until it is mended:\n{}",
                shown(&errors)
            )
        }),
        None => Err(format!(
            "there is no policy in {file}, so that every account is at notify: `shipshape policy push` writes it"
        )),
    };
    let (policy, notices) = match main {
        Ok(main) => with_accounts(main, file, accounts, controls),
        Err(message) => {
            let notice = Notice { kind: NoticeKind::PolicyUnusable, account: None, message };
            (Policy::notify_only(), vec![notice])
        }
    };
    // Until the caller has read both, nothing is written.
    (policy.with_switch(Switch::Pause).with_dry_run(true), notices)
}

fn with_accounts(
    mut policy: Policy,
    main: &str,
    accounts: &[(AccountId, String, String)],
    controls: &[ControlName],
) -> (Policy, Vec<Notice>) {
    let mut notices = Vec::new();
    for (id, file, text) in accounts {
        let mut say = |kind, message| notices.push(Notice { kind, account: Some(id.clone()), message });
        match check::account_document(id, file, text, controls) {
            Ok(document) => {
                for ignored in accept(&mut policy, main, id, document) {
                    say(NoticeKind::OutOfBounds, ignored);
                }
            }
            Err(errors) => {
                let shown = shown(&errors);
                let message = format!(
                    "the policy of account {id} is wrong, so that it is at notify until it is mended:\n{shown}"
                );
                say(NoticeKind::AccountUnusable, message);
                policy.capped.insert(id.clone(), errors.source());
            }
        }
    }
    (policy, notices)
}

/// Takes over what an account's document may say, and gives back a sentence for each thing that it may not.
fn accept(policy: &mut Policy, main: &str, id: &AccountId, mut document: AccountDocument) -> Vec<String> {
    let mut ignored = Vec::new();
    for (key, mode) in out_of_bounds(&mut document.account.settings, &policy.delegation) {
        ignored.push(format!(
            "{}: {key} = \"{}\" is ignored: `[delegation]` in {main} does not list it under `modes`",
            mode.source, mode.value
        ));
    }
    for exemption in document.exemptions {
        let other =
            documents::pinned_account(exemption.resource.as_str()).filter(|pinned| *pinned != id.as_str());
        let why = match other {
            _ if !policy.delegation.exemptions => {
                format!("`[delegation]` in {main} does not say `exemptions = true`")
            }
            Some(other) => format!("it names {other}, and may only name {id}"),
            None => {
                policy.exemptions.push(exemption);
                continue;
            }
        };
        ignored.push(format!(
            "{}: the exemption from {} is ignored: {why}",
            exemption.source, exemption.control
        ));
    }
    let account = policy.accounts.entry(id.clone()).or_default();
    account.settings.follow(&document.account.settings);
    account.name = document.account.name.or(account.name.take());
    ignored
}

/// Takes out the modes that were not delegated, with the key of each.
fn out_of_bounds(settings: &mut Settings, delegation: &Delegation) -> Vec<(&'static str, Setting<Mode>)> {
    let mode = settings.mode.take_if(|mode| !delegation.modes.contains(&mode.value));
    let iac = settings.iac.take_if(|iac| !delegation.modes.contains(&iac.value));
    mode.map(|mode| ("mode", mode)).into_iter().chain(iac.map(|iac| ("iac", iac))).collect()
}

/// The first errors: one message must hold them.
fn shown(errors: &PolicyErrors) -> String {
    let all = errors.as_slice();
    let mut lines: Vec<String> = all.iter().take(ERRORS_SHOWN).map(ToString::to_string).collect();
    if let more @ 1.. = all.len().saturating_sub(ERRORS_SHOWN) {
        lines.push(format!("and {more} more: `shipshape policy check` shows all of them"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ACCOUNT, Ask, CONTROLS, OTHER};
    use super::super::{Effective, ExemptionMatch};
    use super::*;

    const MAIN: &str = "/shipshape/policy";
    const DELEGATED: &str = "version = 1\n[delegation]\nmodes = [\"notify\", \"fix\"]\nexemptions = true\n";

    fn deployed(main: Option<&str>, account: &str) -> (Policy, Vec<Notice>) {
        let file = format!("/shipshape/accounts/{ACCOUNT}");
        assemble((MAIN, main), &[(ACCOUNT.parse().unwrap(), file, account.to_owned())], CONTROLS)
    }

    fn effective(policy: &Policy, account: &'static str) -> Effective {
        Ask { account, ..Ask::default() }.of(|subject| policy.effective(subject))
    }

    fn cited(mode: &Setting<Mode>) -> String {
        format!("{} {}", mode.value, mode.source)
    }

    fn said(notices: &[Notice]) -> Vec<(NoticeKind, &str)> {
        notices.iter().map(|notice| (notice.kind, notice.message.as_str())).collect()
    }

    #[test]
    fn a_main_document_that_is_missing_or_wrong_is_notify_only_and_said() {
        #[rustfmt::skip]
        let rows = [
            (None, "there is no policy in /shipshape/policy, so that every account is at notify: `shipshape policy push` writes it"),
            (Some(""), "the policy is wrong, so that every account is at notify until it is mended:\n/shipshape/policy:1:1: the policy does not say its version: write `version = 1` at the top"),
            (Some("version = 1\nmode = \"fixx\""), "the policy is wrong, so that every account is at notify until it is mended:\n/shipshape/policy:2:8: `fixx` is not a mode: write off, notify or fix"),
        ];
        for (main, message) in rows {
            // Without a policy nobody was delegated anything.
            let (policy, notices) = deployed(main, "mode = \"fix\"");
            assert_eq!(said(&notices), [(NoticeKind::PolicyUnusable, message)]);
            assert_eq!(policy, Policy::notify_only().with_switch(Switch::Pause).with_dry_run(true));
            assert_eq!(effective(&policy, ACCOUNT).mode.value, Mode::Notify);
        }
    }

    #[test]
    fn a_notice_holds_the_first_errors_and_counts_the_rest() {
        let (_, notices) = deployed(Some(&format!("version = 1\n{}", "[[rules]]\n".repeat(8))), "");
        let lines: Vec<&str> = notices[0].message.lines().collect();
        assert_eq!(lines.len(), 7);
        assert_eq!(lines[6], "and 3 more: `shipshape policy check` shows all of them");
    }

    #[test]
    fn nothing_is_written_before_switch_and_dry_run_are_read() {
        let (policy, notices) = deployed(Some(DELEGATED), "");
        assert_eq!((policy.switch(), policy.dry_run(), notices.len()), (Switch::Pause, true, 0));
    }

    #[test]
    fn an_account_s_document_speaks_after_its_table_and_before_the_rules() {
        let main = format!(
            "{DELEGATED}[accounts.{ACCOUNT}]\nname = \"a\"\nmode = \"notify\"\ngrace = \"1h\"\n[[rules]]\ncontrols = [\"ecs-container-*\"]\nmode = \"off\"\n"
        );
        let (policy, notices) = deployed(Some(&main), "version = 1\nmode = \"fix\"\ndisruptive = true\n");
        assert_eq!(said(&notices), []);
        let found = effective(&policy, ACCOUNT);
        assert_eq!(cited(&found.mode), "fix /shipshape/accounts/111122223333:2");
        assert_eq!(found.grace.source.to_string(), "/shipshape/policy:8");
        assert_eq!(policy.account_name(&ACCOUNT.parse().unwrap()), Some("a"));
        let ruled = Ask { control: "ecs-container-readonly-rootfs", ..Ask::default() };
        assert_eq!(cited(&ruled.of(|subject| policy.effective(subject)).mode), "off /shipshape/policy:11");
        assert_eq!(cited(&effective(&policy, OTHER).mode), "notify default");
    }

    #[test]
    fn what_was_not_delegated_is_ignored_and_said() {
        let exemption = "[[exemptions]]\ncontrol = \"*\"\nresource = \"*\"\nowner = \"o\"\nreason = \"r\"\nexpires = 2027-01-31\n";
        let account = format!("mode = \"off\"\niac = \"fix\"\nsupersede = true\n{exemption}");
        let out = "`[delegation]` in /shipshape/policy does not";
        let at = "/shipshape/accounts/111122223333";
        let off = format!("{at}:1: mode = \"off\" is ignored: {out} list it under `modes`");
        let fix = format!("{at}:2: iac = \"fix\" is ignored: {out} list it under `modes`");
        let exempt = format!("{at}:4: the exemption from * is ignored: {out} say `exemptions = true`");
        let rows = [
            ("version = 1", vec![&off, &fix, &exempt]),
            ("version = 1\n[delegation]\nmodes = [\"notify\"]", vec![&off, &fix, &exempt]),
            ("version = 1\n[delegation]\nmodes = [\"fix\"]\nexemptions = true", vec![&off]),
            ("version = 1\n[delegation]\nmodes = [\"off\", \"fix\"]", vec![&exempt]),
        ];
        for (main, expected) in rows {
            let (policy, notices) = deployed(Some(main), &account);
            let messages: Vec<&String> = notices.iter().map(|notice| &notice.message).collect();
            assert_eq!(messages, expected, "{main}");
            assert!(notices.iter().all(|notice| notice.kind == NoticeKind::OutOfBounds), "{main}");
            assert!(notices.iter().all(|notice| notice.account == ACCOUNT.parse().ok()), "{main}");
            // The rest of the document holds.
            assert!(effective(&policy, ACCOUNT).supersede.value, "{main}");
        }
    }

    #[test]
    fn an_account_s_exemptions_cannot_speak_for_another() {
        let exemption = |resource: &str| {
            format!(
                "[[exemptions]]\ncontrol = \"*\"\nresource = \"{resource}\"\nowner = \"o\"\nreason = \"r\"\nexpires = 2027-01-31\n"
            )
        };
        let account = exemption("*") + &exemption(&format!("arn:aws:ecs:eu-west-1:{OTHER}:service/*"));
        let (policy, notices) = deployed(Some(DELEGATED), &account);
        assert_eq!(
            said(&notices),
            [(
                NoticeKind::OutOfBounds,
                "/shipshape/accounts/111122223333:7: the exemption from * is ignored: it names 222233334444, and may only name 111122223333"
            )]
        );
        let now = "2026-11-01T00:00:00Z".parse().unwrap();
        let own = Ask::default().of(|subject| policy.exemption(subject, now).is_some());
        let other =
            Ask { account: OTHER, ..Ask::default() }.of(|subject| policy.exemption(subject, now).is_some());
        assert_eq!((own, other), (true, false));
        assert!(
            Ask::default()
                .of(|s| matches!(policy.exemption(s, now), Some(ExemptionMatch::Live(e)) if e.owner == "o"))
        );
    }

    #[test]
    fn a_wrong_document_caps_its_account_at_notify_whatever_the_rest_says() {
        let main = format!("{DELEGATED}[[rules]]\nmode = \"fix\"\n");
        let (policy, notices) = deployed(Some(&main), "name = \"a\"\ngrace = \"soon\"\n");
        assert_eq!(
            (notices[0].kind, &notices[0].account),
            (NoticeKind::AccountUnusable, &ACCOUNT.parse().ok())
        );
        assert!(notices[0].message.starts_with(
            "the policy of account 111122223333 is wrong, so that it is at notify until it is mended:\n/shipshape/accounts/111122223333:2:9: `soon` is not a duration"
        ));
        assert_eq!(cited(&effective(&policy, ACCOUNT).mode), "notify /shipshape/accounts/111122223333:2");
        assert_eq!(cited(&effective(&policy, OTHER).mode), "fix /shipshape/policy:6");
        assert_eq!(effective(&policy.with_mode(Mode::Fix, "--mode"), ACCOUNT).mode.value, Mode::Notify);

        let (policy, _) = deployed(Some("version = 1\nmode = \"off\""), "unknown = 1");
        assert_eq!(cited(&effective(&policy, ACCOUNT).mode), "off /shipshape/policy:2");
    }
}
