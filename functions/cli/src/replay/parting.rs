//! Until when revisions and tasks are named: a world may forget what nothing names any more.
//!
//! Every deployment registers a revision, and what is known would grow with history. So while records are gathered,
//! the last time is kept at which anything that looks like the name of a revision or a task occurs in one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hasher};
use std::sync::LazyLock;

use jiff::Timestamp;
use memchr::memchr_iter;
use memchr::memmem::Finder;
use shipshape_core::change::Change;
use shipshape_core::replay::passing;
use shipshape_core::resource::ResourceId;

static ESCAPES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\\u00"));

/// How many names one thread keeps in mind. History has fewer, unless somebody makes them up.
const NAMES: usize = 500_000;

/// The last time at which a name occurs, by its hash: names that share one only live longer.
#[derive(Debug, Default)]
pub(crate) struct Mentions {
    last: BTreeMap<u64, Timestamp>,
    /// Names may occur that are not noted, since a record writes their letters in a way that hides them here, or since
    /// they are too many: nothing may be forgotten.
    blind: bool,
}

impl Mentions {
    /// Notes every name in a record's text: what passes as `FAMILY:NUMBER`, alone or at the end of an ARN, and what ends
    /// the ARN of a task.
    pub(crate) fn note(&mut self, text: &str, time: Timestamp) {
        let text = text.as_bytes();
        if self.blind || ESCAPES.find_iter(text).any(|at| hides_a_letter(text, at)) {
            return self.close();
        }
        for colon in memchr_iter(b':', text) {
            let (before, behind) = (&text[..colon], &text[colon + 1..]);
            let name = match behind.first() {
                Some(b'0'..=b'9') => {
                    revision(before, behind).map(|length| &text[colon - length.0..colon + 1 + length.1])
                }
                Some(b't') => task(behind),
                _ => None,
            };
            if let Some(name) = name {
                self.add(hash(name), time);
            }
        }
    }

    fn add(&mut self, name: u64, time: Timestamp) {
        let last = self.last.entry(name).or_insert(time);
        *last = time.max(*last);
        if self.last.len() > NAMES {
            self.close();
        }
    }

    fn close(&mut self) {
        self.blind = true;
        self.last.clear();
    }

    /// Adds those of another thread.
    pub(crate) fn append(&mut self, other: Self) {
        if self.blind || other.blind {
            return self.close();
        }
        // Threads share most names, and those of all may be as many as all threads may keep.
        for (name, time) in other.last {
            let last = self.last.entry(name).or_insert(time);
            *last = time.max(*last);
        }
    }
}

/// Whether an escape stands for a sign that names are made of.
fn hides_a_letter(text: &[u8], at: usize) -> bool {
    let escaped = text[..at].iter().rev().take_while(|sign| **sign == b'\\').count() % 2 == 1;
    let digits = text.get(at + 4..at + 6).and_then(|digits| std::str::from_utf8(digits).ok());
    let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
    !escaped && code.is_some_and(|code| in_a_name(code) || code == b':' || code == b'/')
}

fn in_a_name(sign: u8) -> bool {
    sign.is_ascii_alphanumeric() || sign == b'-' || sign == b'_'
}

/// The lengths of a family and a number on the two sides of a colon, where a string or an ARN's last part is just that.
/// No family is longer than 255 signs, and no number has more than ten digits.
fn revision(before: &[u8], behind: &[u8]) -> Option<(usize, usize)> {
    let number = behind.iter().take(11).take_while(|sign| sign.is_ascii_digit()).count();
    let family = before.iter().rev().take(256).take_while(|sign| in_a_name(**sign)).count();
    let begins = matches!(before.get(before.len().checked_sub(family + 1)?), Some(b'"' | b'/'));
    let fits = (1..=255).contains(&family) && number <= 10;
    (fits && begins && behind.get(number) == Some(&b'"')).then_some((family, number))
}

/// The last part of a task's name.
fn task(behind: &[u8]) -> Option<&[u8]> {
    let path = behind.strip_prefix(b"task")?;
    let path = &path[..path.iter().take(1024).position(|sign| *sign == b'"')?];
    let name = &path[path.iter().rposition(|sign| *sign == b'/')? + 1..];
    name.iter().all(|sign| in_a_name(*sign)).then_some(name)
}

fn hash(name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(name);
    hasher.finish()
}

/// Who is named for the last time, as history goes on.
pub(crate) struct Parting {
    mentions: Mentions,
    /// What was named, by the time at which it is for the last time.
    named: BTreeSet<(Timestamp, ResourceId)>,
}

impl Parting {
    /// Nothing was named yet.
    pub(crate) fn new(mentions: Mentions) -> Self {
        Self { mentions, named: BTreeSet::new() }
    }

    /// What no change from this time on names, after changes that name what they name.
    pub(crate) fn after<'c>(
        &mut self,
        changes: impl IntoIterator<Item = &'c Change>,
        now: Timestamp,
    ) -> Vec<ResourceId> {
        if self.mentions.blind {
            return Vec::new();
        }
        for id in changes.into_iter().flat_map(passing) {
            let name = id.arn.as_str().rsplit('/').next().unwrap_or_default();
            // What is named in a way that was not noted may be named again.
            if let Some(last) = self.mentions.last.get(&hash(name.as_bytes())) {
                self.named.insert((*last, id));
            }
        }
        let mut gone = Vec::new();
        while let Some((last, id)) = self.named.pop_first() {
            if last >= now {
                self.named.insert((last, id));
                break;
            }
            gone.push(id);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(text: &str) -> (usize, bool) {
        let mut mentions = Mentions::default();
        mentions.note(text, Timestamp::UNIX_EPOCH);
        let known = ["web:7", "a_b-c:12", "0123abcd"];
        let found = known.iter().filter(|name| mentions.last.contains_key(&hash(name.as_bytes())));
        (found.count(), mentions.blind)
    }

    #[test]
    fn names_are_noted_however_they_are_called() {
        let rows = [
            (r#"{"taskDefinition":"web:7"}"#, 1, false),
            (r#"{"a":"arn:aws:ecs:eu-west-1:1:task-definition/web:7","b":["a_b-c:12"]}"#, 2, false),
            (r#"{"a":"arn:aws:ecs:eu-west-1:1:task-definition\/web:7"}"#, 1, false),
            (
                r#"{"a":"arn:aws:ecs:eu-west-1:1:task/shop/0123abcd","b":"arn:aws:ecs:eu-west-1:1:task\/0123abcd"}"#,
                1,
                false,
            ),
            (r#"{"time":"2026-11-03T08:00:00Z","image":"web:7-slim","port":7,"a":"web:"}"#, 0, false),
            (r#"{"a":"say web:7","b":"x:web:7"}"#, 0, false),
            (r#"{"a":"x \u0026 \u003c"}"#, 0, false),
            (r#"{"a":"\u0077eb:7"}"#, 0, true),
            (r#"{"a":"web\u003a7"}"#, 0, true),
            (r#"{"a":"web\\u003a7"}"#, 0, false),
        ];
        for (text, count, blind) in rows {
            assert_eq!(noted(text), (count, blind), "{text}");
        }
    }

    #[test]
    fn names_that_somebody_makes_up_take_no_room() {
        let mut mentions = Mentions::default();
        for part in 0..600 {
            let names: String = (0..1000).map(|number| format!("\"f:{}\",", part * 1000 + number)).collect();
            mentions.note(&names, Timestamp::UNIX_EPOCH);
            assert!(mentions.last.len() <= NAMES);
        }
        assert!(mentions.blind && mentions.last.is_empty());
    }
}
