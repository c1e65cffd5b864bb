//! The line that people see first, in their inbox and on their phone.

use crate::remediation::Action;
use crate::resource::{ResourceId, ResourceType};
use crate::text::shown;

use super::{Notification, Told, Upshot, words};

/// SNS takes fewer than a hundred characters.
pub(super) const LONGEST: usize = 99;
/// One text message.
const SMS: usize = 140;
/// How much of a resource's name stands in a subject at least.
const NAME: usize = 16;

/// What happened, where, most important words first. A long name gives way before what was found does.
pub(super) fn subject(of: &Notification) -> String {
    let more = match others(of) {
        0 => String::new(),
        others => format!(" +{others}"),
    };
    let start = |name: &str| ascii(&format!("{}: {}{more}", label(of), event(of, name)));
    let name = full_name(&of.resource);
    let place = match &of.account_name {
        Some(account) => ascii(&format!(" ({} {})", shown(account), of.account)),
        None => ascii(&format!(" ({} {})", of.account, of.region)),
    };
    let whole = format!("{}{place}", start(name));
    if whole.len() <= LONGEST {
        return whole;
    }
    let account = ascii(&format!(" ({})", of.account));
    let room = LONGEST.saturating_sub(start("").len() + account.len()).max(NAME);
    format!("{}{account}", cut(&start(&end(name, room)), LONGEST.saturating_sub(account.len())))
}

/// The subject with the incident's change, for a text message.
pub(super) fn sms(of: &Notification) -> String {
    let end = ascii(&format!(" #{}/{}", of.incident, of.sequence));
    if end.len() > SMS - LONGEST {
        return cut(&format!("{}{end}", subject(of)), SMS);
    }
    format!("{}{end}", subject(of))
}

/// `NOT FIXED high`
pub(super) fn label(of: &Notification) -> String {
    match of.findings.first() {
        Some(lead) => format!("{} {}", word(lead), lead.severity),
        None => of.upshot.as_str().to_uppercase(),
    }
}

/// What was done, in capitals.
pub(super) fn word(told: &Told) -> &'static str {
    let held = told.decision.as_ref().is_some_and(|decision| decision.held);
    match told.upshot {
        Upshot::Fixed if words::rolls(told) => "FIXING",
        Upshot::Fixed if told.call == Some(Action::RegisterTaskDefinition) => "MENDED",
        Upshot::Fixed => "FIXED",
        Upshot::Failed => "FIX FAILED",
        Upshot::Notified if held => "NOT FIXED",
        Upshot::Notified => "ACTION NEEDED",
        Upshot::Unknown => "UNKNOWN",
    }
}

/// `service shop/checkout fails ecs-service-no-public-ip`
pub(super) fn event(of: &Notification, name: &str) -> String {
    let noun = noun(of.resource.kind);
    let registered =
        of.findings.first().is_some_and(|lead| lead.call == Some(Action::RegisterTaskDefinition));
    let verb = match of.upshot {
        // The revision itself never changes.
        Upshot::Fixed if registered => "for",
        Upshot::Fixed if of.findings.first().is_some_and(words::rolls) => "rolls out",
        Upshot::Fixed => "now passes",
        Upshot::Failed => "still fails",
        Upshot::Notified => "fails",
        Upshot::Unknown => "not judged by",
    };
    if of.upshot == Upshot::Unknown && of.alike > 1 {
        return format!("{noun} {name} {verb} {} controls", of.alike);
    }
    let slug = of.controls.first().map_or("", String::as_str);
    format!("{noun} {name} {verb} {slug}")
}

/// How many controls came to the same end as the one that [`event`] names. Those that can't be judged lack the same as a
/// rule, and none of them is more than the others.
pub(super) fn others(of: &Notification) -> usize {
    match of.upshot {
        Upshot::Unknown => 0,
        Upshot::Failed | Upshot::Notified | Upshot::Fixed => of.alike.saturating_sub(1),
    }
}

/// A kind of resource in a sentence.
pub(super) fn noun(kind: ResourceType) -> &'static str {
    match kind {
        ResourceType::Cluster => "cluster",
        ResourceType::TaskDefinition => "task definition",
        ResourceType::DaemonTaskDefinition => "daemon task definition",
        ResourceType::Service => "service",
        ResourceType::ExpressGatewayService => "Express service",
        ResourceType::Daemon => "daemon",
        ResourceType::TaskSet => "task set",
        ResourceType::Task => "task",
        ResourceType::ContainerInstance => "container instance",
        ResourceType::AccountSetting => "account setting",
        ResourceType::CapacityProvider => "capacity provider",
        ResourceType::AutoScalingGroup => "Auto Scaling group",
        ResourceType::SecurityGroup => "security group",
        ResourceType::NetworkInterface => "network interface",
        ResourceType::NetworkAcl => "network ACL",
        ResourceType::Role => "role",
        ResourceType::User => "user",
        ResourceType::Group => "group",
        ResourceType::ManagedPolicy => "policy",
        ResourceType::PasswordPolicy => "password policy",
        ResourceType::Repository => "repository",
        ResourceType::Registry => "registry",
        ResourceType::Image => "image",
    }
}

/// The end of a name tells more than its beginning: the service behind its cluster, the number of a revision.
fn end(name: &str, longest: usize) -> String {
    let length = name.chars().count();
    if length <= longest {
        return name.to_owned();
    }
    let kept: String = name.chars().skip(length + "...".len() - longest).collect();
    format!("...{kept}")
}

/// A resource's name as its ARN says it.
pub(super) fn full_name(id: &ResourceId) -> &str {
    let name = id.arn.name();
    if name.is_empty() { id.arn.resource() } else { name }
}

/// Printable ASCII: what else there is becomes a question mark.
pub(super) fn ascii(text: &str) -> String {
    text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect()
}

/// An ASCII text by whole words; a word that is too long alone is cut.
pub(super) fn cut(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let room = longest - "...".len();
    let kept = text.get(..room).unwrap_or(text);
    let at_an_end = text.get(room..).is_some_and(|rest| rest.starts_with(' '));
    let whole = if at_an_end { kept } else { kept.rsplit_once(' ').map_or(kept, |(words, _)| words) };
    let kept = if whole.len() * 2 > room { whole } else { kept };
    format!("{kept}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_cut_behind_a_word() {
        assert_eq!(cut("FIXED high: a service", 20), "FIXED high: a...");
        assert_eq!(cut("FIXED high: a service", 16), "FIXED high: a...");
        assert_eq!(cut("FIXED high", 10), "FIXED high");
        assert_eq!(cut(&"x".repeat(30), 10), "xxxxxxx...");
        assert_eq!(end("cluster/service", 10), "...service");
        assert_eq!(end("service", 10), "service");
        assert_eq!(ascii("caf\u{e9}\nx"), "caf??x");
    }
}
