//! Which call fails, and how.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Call;

/// What happens to a call.
#[derive(Clone)]
pub enum Fault {
    /// AWS's answer is an error.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error's code.
        code: String,
        /// Its message.
        message: String,
    },
    /// AWS's answer is this, whatever the emulator says or would have said.
    Answer(Value),
    /// The connection ends without an answer.
    Cut,
    /// It takes longer.
    Delay(Duration),
    /// The test does something meanwhile, such as killing the caller; then the call goes on. A caller that is to die
    /// before its call is heard wants a [`Fault::Cut`] added behind the hook.
    Hook(Arc<dyn Fn(&Call) + Send + Sync>),
}

impl Fault {
    /// An error with a message that says that the test made it.
    pub fn error(status: u16, code: &str) -> Self {
        Self::Error { status, code: code.to_owned(), message: "made by the test".to_owned() }
    }

    /// A hook.
    pub fn hook(hook: impl Fn(&Call) + Send + Sync + 'static) -> Self {
        Self::Hook(Arc::new(hook))
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error { status, code, .. } => write!(f, "Error({status}, {code})"),
            Self::Answer(value) => write!(f, "Answer({value})"),
            Self::Cut => f.write_str("Cut"),
            Self::Delay(time) => write!(f, "Delay({time:?})"),
            Self::Hook(_) => f.write_str("Hook"),
        }
    }
}

/// Whether the emulator hears of the call first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Before,
    After,
}

/// A fault, and the calls that it strikes. Without more it strikes each call that matches.
#[derive(Debug, Clone)]
pub struct Rule {
    pattern: String,
    first: u32,
    every: u32,
    times: Option<u32>,
    seen: u32,
    fault: Option<(When, Fault)>,
}

impl Rule {
    /// For calls that match a pattern of service and operation, with `*` for any text: `ecs.Describe*`, `*`.
    pub fn on(pattern: &str) -> Self {
        Self { pattern: pattern.to_owned(), first: 1, every: 1, times: None, seen: 0, fault: None }
    }

    /// Only the nth call that matches, counted from 1.
    #[must_use]
    pub fn nth(self, n: u32) -> Self {
        Self { first: n, every: 1, times: Some(1), ..self }
    }

    /// The nth call that matches, and each one after it.
    #[must_use]
    pub fn since(self, n: u32) -> Self {
        Self { first: n, every: 1, times: None, ..self }
    }

    /// Every nth call that matches.
    #[must_use]
    pub fn every(self, n: u32) -> Self {
        Self { first: n, every: n.max(1), ..self }
    }

    /// At most that many times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// The fault comes before the emulator hears of the call.
    #[must_use]
    pub fn before(self, fault: Fault) -> Self {
        Self { fault: Some((When::Before, fault)), ..self }
    }

    /// The fault comes after the emulator has done what it was asked.
    #[must_use]
    pub fn after(self, fault: Fault) -> Self {
        Self { fault: Some((When::After, fault)), ..self }
    }

    /// Counts a call, and answers the fault that strikes it.
    pub(super) fn hit(&mut self, name: &str) -> Option<(When, Fault)> {
        if !matches(&self.pattern, name) {
            return None;
        }
        self.seen += 1;
        let since = self.seen.checked_sub(self.first)?;
        let strikes = since % self.every == 0 && self.times.is_none_or(|times| since / self.every < times);
        if strikes { self.fault.clone() } else { None }
    }
}

/// `*` stands for any text, also none.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(rule: Rule, calls: u32) -> Vec<u32> {
        let mut rule = rule.before(Fault::Cut);
        (1..=calls).filter(|_| rule.hit("ecs.UpdateService").is_some()).collect()
    }

    #[test]
    fn a_rule_strikes_the_calls_that_it_says() {
        for (rule, expected) in [
            (Rule::on("ecs.UpdateService"), vec![1, 2, 3, 4, 5, 6, 7]),
            (Rule::on("ecs.*").nth(3), vec![3]),
            (Rule::on("ecs.*").since(3).times(2), vec![3, 4]),
            (Rule::on("*").every(3), vec![3, 6]),
            (Rule::on("*Service").every(2).times(2), vec![2, 4]),
            (Rule::on("ecs.Up*Ser*").times(2), vec![1, 2]),
            (Rule::on("ecs.Update"), vec![]),
            (Rule::on("ec2.*"), vec![]),
        ] {
            assert_eq!(struck(rule.clone(), 7), expected, "{rule:?}");
        }
    }
}
