//! `[[exemptions]]`: violations that somebody answers for, until a day.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::rule::UNKNOWN;
use super::{Glob, Source, Subject};
use crate::ids::AccountId;

/// A violation that is accepted for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemption {
    /// The control's slug, or `*` for all.
    pub control: String,
    /// Which resources, by ARN.
    pub resource: Glob,
    /// Who answers for it.
    pub owner: String,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it holds, in UTC.
    pub expires: Date,
    /// Where it was said.
    pub source: Source,
    /// The only account it can speak for; `None` in the main document.
    pub(super) account: Option<AccountId>,
}

/// What an exemption means at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ExemptionMatch<'a> {
    /// It holds: the violation is suppressed.
    Live(&'a Exemption),
    /// It has ended and suppresses nothing; the message says so.
    Expired(&'a Exemption),
}

impl fmt::Display for Exemption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exempt through {} by {}: {} ({})", self.expires, self.owner, self.reason, self.source)
    }
}

impl Exemption {
    /// Whether it still holds at `now`: through the whole of its last day in UTC.
    pub fn is_live(&self, now: Timestamp) -> bool {
        TimeZone::UTC.to_datetime(now).date() <= self.expires
    }

    /// What a message says beside a finding that it no longer covers.
    pub fn expired(&self) -> String {
        format!("the exemption of {} expired after {} ({})", self.owner, self.expires, self.source)
    }

    /// Whether it might cover what it does not, if only the account and the Region were known.
    pub fn may_cover(&self, subject: &Subject<'_>) -> bool {
        let arn = subject.resource;
        let or_any = |known: bool, text: &str| if known { text.to_owned() } else { UNKNOWN.to_string() };
        let place = format!(
            "arn:{}:{}:{}:{}:{}",
            or_any(subject.region.is_some(), arn.partition()),
            arn.service(),
            or_any(subject.region.is_some(), arn.region()),
            or_any(subject.account.is_some(), arn.account()),
            arn.resource()
        );
        (self.control == "*" || self.control == subject.control)
            && self.account.as_ref().is_none_or(|account| subject.account.is_none_or(|one| one == account))
            && self.resource.may_match(&place)
    }

    fn covers(&self, subject: &Subject<'_>) -> bool {
        (self.control == "*" || self.control == subject.control)
            && self.account.as_ref().is_none_or(|account| Some(account) == subject.account)
            && self.resource.matches(subject.resource.as_str())
    }
}

/// The last exemption that covers `subject`, those that live before those that have ended.
pub(super) fn find<'a>(
    exemptions: &'a [Exemption],
    subject: &Subject<'_>,
    now: Timestamp,
) -> Option<ExemptionMatch<'a>> {
    let covering = || exemptions.iter().rev().filter(|exemption| exemption.covers(subject));
    covering()
        .find(|exemption| exemption.is_live(now))
        .map(ExemptionMatch::Live)
        .or_else(|| covering().next().map(ExemptionMatch::Expired))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Ask, OTHER, parse};
    use super::*;

    /// The exemption that answers, as `live 3` or `ended 3` with its header's line.
    fn found(policy: &str, ask: Ask, now: &str) -> String {
        let policy = parse(policy);
        let now = now.parse().unwrap();
        ask.of(|subject| match policy.exemption(subject, now) {
            Some(ExemptionMatch::Live(exemption)) => format!("live {}", exemption.source),
            Some(ExemptionMatch::Expired(exemption)) => format!("ended {}", exemption.source),
            None => "none".to_owned(),
        })
    }

    const ONE: &str = r#"version = 1
[[exemptions]]
control = "ecs-service-no-public-ip"
resource = "arn:aws:ecs:eu-west-1:111122223333:service/edge/*"
owner = "team-edge"
reason = "public SFTP endpoint"
expires = 2027-01-31
"#;

    #[test]
    fn it_covers_its_control_and_its_resources() {
        let edge = Ask { resource: "service/edge/sftp", ..Ask::default() };
        let rows = [
            ("covered", edge, "live policy.toml:2"),
            ("another control", Ask { control: "ecs-container-readonly-rootfs", ..edge }, "none"),
            ("another resource", Ask { resource: "service/shop/web", ..edge }, "none"),
            ("another account", Ask { account: OTHER, ..edge }, "none"),
        ];
        for (name, ask, expected) in rows {
            assert_eq!(found(ONE, ask, "2026-11-01T00:00:00Z"), expected, "{name}");
        }
    }

    #[test]
    fn it_may_cover_what_only_lacks_its_account() {
        let policy = parse(ONE);
        let may = |resource: &str, control: &'static str| {
            let resource = format!("arn:aws:ecs:::{resource}").parse().unwrap();
            Ask { control, ..Ask::default() }.of(|subject| {
                let subject = Subject { account: None, region: None, resource: &resource, ..*subject };
                policy.exemptions()[0].may_cover(&subject)
            })
        };
        assert!(may("service/edge/sftp", "ecs-service-no-public-ip"));
        assert!(!may("service/shop/web", "ecs-service-no-public-ip"));
        assert!(!may("service/edge/sftp", "ecs-container-readonly-rootfs"));
    }

    #[test]
    fn it_holds_through_its_last_day_in_utc() {
        let edge = Ask { resource: "service/edge/sftp", ..Ask::default() };
        let rows = [
            ("2027-01-31T00:00:00Z", "live policy.toml:2"),
            ("2027-01-31T23:59:59.999999999Z", "live policy.toml:2"),
            ("2027-01-31T23:30:00-05:00", "ended policy.toml:2"),
            ("2027-02-01T00:30:00+05:00", "live policy.toml:2"),
            ("2027-02-01T00:00:00Z", "ended policy.toml:2"),
        ];
        for (now, expected) in rows {
            assert_eq!(found(ONE, edge, now), expected, "{now}");
        }
    }

    #[test]
    fn one_that_lives_wins_over_a_later_one_that_has_ended() {
        let all = |control: &str, expires: &str| {
            format!(
                "[[exemptions]]\ncontrol = \"{control}\"\nresource = \"*\"\nowner = \"o\"\nreason = \"r\"\nexpires = \"{expires}\"\n"
            )
        };
        let policy = format!(
            "version = 1\n{}{}",
            all("*", "2026-12-31"),
            all("ecs-service-no-public-ip", "2026-06-30")
        );
        let rows = [
            ("2026-06-30T12:00:00Z", "live policy.toml:8"),
            ("2026-07-01T12:00:00Z", "live policy.toml:2"),
            ("2027-01-01T00:00:00Z", "ended policy.toml:8"),
        ];
        for (now, expected) in rows {
            assert_eq!(found(&policy, Ask::default(), now), expected, "{now}");
        }
    }
}
