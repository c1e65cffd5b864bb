//! When a fix runs that may run: not before its maker may be known, not while the team has time, not out of its windows, and
//! not for ever.

use jiff::{SignedDuration, Timestamp};

use super::{Answer, DEADLINE, History, Wait, Why, cite};
use crate::finding::{Finding, Owner};
use crate::policy::{Effective, Mode, windows_next, windows_open};
use crate::preflight::WaitFor;
use crate::remediation::{Fix, Safety};

/// Within what time CloudTrail tells of a call (CloudTrail user guide: about five minutes on average, not guaranteed).
const TOLD: SignedDuration = SignedDuration::from_mins(15);

/// Until when nobody says that it may be a template's: what ECS tells comes before the call that made it.
pub(super) fn unseen(
    finding: &Finding,
    fix: &Fix,
    wants: &Effective,
    began: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    let asks = finding.owner == Some(Owner::Unseen) && wants.iac.value != Mode::Fix;
    let disruptive = fix.safety == Safety::Disruptive && wants.disruptive.value;
    let until = began.checked_add(TOLD).unwrap_or(Timestamp::MAX);
    (asks && disruptive && now < until).then_some(until)
}

/// Grace first, then the window: time to fix it themselves, then a time when it disturbs least.
pub(super) fn too_early(
    wants: &Effective,
    began: Timestamp,
    now: Timestamp,
) -> Option<(Timestamp, Why, String)> {
    let grace = wants.grace.value;
    let due = began.checked_add(grace).unwrap_or(Timestamp::MAX);
    if now < due {
        let text = cite(&format!("the team has until {due} to fix it"), &wants.grace.source);
        return Some((due, Why::Grace, text));
    }
    let windows = &wants.windows;
    if !windows_open(&windows.value, now) {
        let next = windows_next(&windows.value, now);
        let text = cite(&format!("no window is open until {next}"), &windows.source);
        return Some((next, Why::Window, text));
    }
    None
}

/// Waits, but not for ever: the time runs from when the waiting began.
pub(super) fn wait(waits_for: &WaitFor, history: &History, now: Timestamp) -> Answer {
    let latest = history.deadline.unwrap_or(now.checked_add(DEADLINE).unwrap_or(Timestamp::MAX));
    if now < latest {
        Answer::Wait(Wait::For(waits_for.clone(), latest), Why::Waiting, waits_for.to_string())
    } else {
        let text = format!("{waits_for}, and the time for it ran out after {} minutes", DEADLINE.as_mins());
        Answer::Notify(Why::Deadline, text)
    }
}
