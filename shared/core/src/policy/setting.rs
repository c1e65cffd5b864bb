//! The values that a policy can say: modes, the switch, budgets, and where each of them was said.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::Window;

/// What Shipshape does about a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Nothing, not even a message.
    Off,
    /// A message, with the plan of the fix.
    Notify,
    /// The fix, where everything else allows it.
    Fix,
}

/// A text that is no mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a mode: write off, notify or fix")]
pub struct ModeError(String);

impl FromStr for Mode {
    type Err = ModeError;
    fn from_str(text: &str) -> Result<Self, ModeError> {
        match text {
            "off" => Ok(Self::Off),
            "notify" => Ok(Self::Notify),
            "fix" => Ok(Self::Fix),
            _ => Err(ModeError(text.to_owned())),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Off => "off",
            Self::Notify => "notify",
            Self::Fix => "fix",
        })
    }
}

/// The switch for everything, read before every write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// Fixes may run.
    Run,
    /// No new fix. Deployments of ours are still followed and may be rolled back.
    Pause,
    /// No write at all.
    Freeze,
}

/// A text that is no position of the switch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a position of the switch: write run, pause or freeze")]
pub struct SwitchError(String);

impl FromStr for Switch {
    type Err = SwitchError;
    fn from_str(text: &str) -> Result<Self, SwitchError> {
        match text {
            "run" => Ok(Self::Run),
            "pause" => Ok(Self::Pause),
            "freeze" => Ok(Self::Freeze),
            _ => Err(SwitchError(text.to_owned())),
        }
    }
}

impl Switch {
    /// Reads the parameter's text. What is missing or not understood is a pause: a typo must never start a fix,
    /// nor keep a failed one from being rolled back.
    pub fn read(text: Option<&str>) -> Self {
        text.and_then(|text| text.trim().parse().ok()).unwrap_or(Self::Pause)
    }

    /// What follows from it, in a sentence.
    pub fn means(self) -> &'static str {
        match self {
            Self::Run => "fixes run where the policy says so, unless the stack was deployed as a dry run",
            Self::Pause => "no new fix runs; deployments that are under way run on",
            Self::Freeze => "nothing is written at all",
        }
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Run => "run",
            Self::Pause => "pause",
            Self::Freeze => "freeze",
        })
    }
}

/// Where a value comes from, so that a reason can cite it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody said it.
    Default,
    /// A line of a policy document.
    Line {
        /// The file's or the parameter's name.
        file: Arc<str>,
        /// The line, from 1.
        line: usize,
    },
    /// Something stronger than the policy, such as `--mode`.
    Override(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Line { file, line } => write!(f, "{file}:{line}"),
            Self::Override(by) => f.write_str(by),
        }
    }
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it was said.
    pub source: Source,
}

impl<T> Setting<T> {
    /// A value that nobody said.
    pub(super) fn default(value: T) -> Self {
        Self { value, source: Source::Default }
    }
}

/// What holds for one subject, each value with the place that said it.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    /// Whether to stay silent, to notify or to fix.
    pub mode: Setting<Mode>,
    /// May a fix start a deployment or cut a path?
    pub disruptive: Setting<bool>,
    /// The mode for disruptive fixes of what CloudFormation or Terraform owns.
    pub iac: Setting<Mode>,
    /// May a fix overtake a deployment that the violating change itself started?
    pub supersede: Setting<bool>,
    /// How long the team has to fix it themselves; zero is none.
    pub grace: Setting<SignedDuration>,
    /// When a fix may run; none is always.
    pub windows: Setting<Vec<Window>>,
}

/// `[budget]`: how much is done and said before Shipshape holds back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Fixes in an account in an hour; past it, notify.
    pub fixes_per_account_per_hour: Setting<u32>,
    /// Messages about an account in an hour; past it, one summary an hour.
    pub messages_per_account_per_hour: Setting<u32>,
    /// Share of a cluster's services that may roll because of us at one time; always at least one service.
    pub max_rolling_percent: Setting<u32>,
    /// Reverts of one resource in 24 hours before it is left alone.
    pub flip_flops: Setting<u32>,
    /// Failed verifications in an account in 24 hours before it is at notify until a person re-arms it.
    pub breaker: Setting<u32>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            fixes_per_account_per_hour: Setting::default(20),
            messages_per_account_per_hour: Setting::default(20),
            max_rolling_percent: Setting::default(10),
            flip_flops: Setting::default(3),
            breaker: Setting::default(3),
        }
    }
}

/// `[delegation]`: what an account's own document may say. Unsaid is nothing: whoever may write one parameter
/// has not thereby been given the right to switch fixes on, or controls off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Delegation {
    pub(super) modes: Vec<Mode>,
    pub(super) exemptions: bool,
}

/// What one place says: the top level, an account's table or a rule.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Settings {
    pub(super) mode: Option<Setting<Mode>>,
    pub(super) disruptive: Option<Setting<bool>>,
    pub(super) iac: Option<Setting<Mode>>,
    pub(super) supersede: Option<Setting<bool>>,
    pub(super) grace: Option<Setting<SignedDuration>>,
    pub(super) windows: Option<Setting<Vec<Window>>>,
}

impl Settings {
    /// Whatever `later` says replaces what was said before.
    pub(super) fn follow(&mut self, later: &Self) {
        fn replace<T: Clone>(said: &mut Option<T>, later: &Option<T>) {
            if later.is_some() {
                said.clone_from(later);
            }
        }
        replace(&mut self.mode, &later.mode);
        replace(&mut self.disruptive, &later.disruptive);
        replace(&mut self.iac, &later.iac);
        replace(&mut self.supersede, &later.supersede);
        replace(&mut self.grace, &later.grace);
        replace(&mut self.windows, &later.windows);
    }

    /// Fills in what nobody said.
    pub(super) fn or_default(self) -> Effective {
        Effective {
            mode: self.mode.unwrap_or(Setting::default(Mode::Notify)),
            disruptive: self.disruptive.unwrap_or(Setting::default(false)),
            iac: self.iac.unwrap_or(Setting::default(Mode::Notify)),
            supersede: self.supersede.unwrap_or(Setting::default(false)),
            grace: self.grace.unwrap_or(Setting::default(SignedDuration::ZERO)),
            windows: self.windows.unwrap_or_else(|| Setting::default(Vec::new())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_switch_does_not_know_is_a_pause() {
        let rows = [
            (Some("run"), Switch::Run),
            (Some("run\n"), Switch::Run),
            (Some("freeze"), Switch::Freeze),
            (Some("pause"), Switch::Pause),
            (Some("Run"), Switch::Pause),
            (Some("on"), Switch::Pause),
            (Some(""), Switch::Pause),
            (None, Switch::Pause),
        ];
        for (text, expected) in rows {
            assert_eq!(Switch::read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn whoever_sets_the_switch_has_to_say_it_right() {
        for switch in [Switch::Run, Switch::Pause, Switch::Freeze] {
            assert_eq!(switch.to_string().parse(), Ok(switch));
        }
        for text in ["Run", "run\n", "on", ""] {
            assert!(text.parse::<Switch>().is_err(), "{text:?}");
        }
        assert_eq!(
            "on".parse::<Switch>().unwrap_err().to_string(),
            "`on` is not a position of the switch: write run, pause or freeze"
        );
    }

    #[test]
    fn modes_are_ordered_and_round_trip() {
        assert!(Mode::Off < Mode::Notify && Mode::Notify < Mode::Fix);
        for mode in [Mode::Off, Mode::Notify, Mode::Fix] {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        assert_eq!(
            "Fix".parse::<Mode>().unwrap_err().to_string(),
            "`Fix` is not a mode: write off, notify or fix"
        );
    }

    #[test]
    fn a_source_is_cited_as_people_write_it() {
        let line = Source::Line { file: "policy.toml".into(), line: 14 };
        let rows =
            [(Source::Default, "default"), (line, "policy.toml:14"), (Source::Override("--mode"), "--mode")];
        for (source, expected) in rows {
            assert_eq!(source.to_string(), expected);
        }
    }
}
