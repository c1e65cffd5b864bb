//! Makes a notification as small as SNS takes it, whatever was found: long words first, then the longest lists, then
//! whole findings. What is left out is counted. What fits is left as it is.

use json_patch::PatchOperation;
use serde::Serialize;
use serde_json::Value;

use crate::control::Violation;

use super::{Done, LIMIT, Notification, Step, Told, wire};

/// The most characters of a value that was found.
const VALUE: usize = 400;
/// The most characters of a word, such as a name or a path.
const WORD: usize = 300;
/// The most characters of a sentence.
const SENTENCE: usize = 2000;
/// The most characters of what is no use when it is cut: rather none of it.
const WHOLE: usize = 4500;
/// The most elements of any list, before anything is weighed.
const ELEMENTS: usize = 200;
/// What all lists together may weigh: programs get them four times over.
const ROOM: usize = 32 * 1024;

/// The same notification, small enough.
pub(super) fn fitted(mut of: Notification) -> Notification {
    for text in [&mut of.event.name, &mut of.event.actor, &mut of.event.origin, &mut of.incident] {
        shorten(text, WORD);
    }
    of.account_name.iter_mut().for_each(|name| shorten(name, WORD));
    of.by_hand.iter_mut().chain(&mut of.undo).for_each(shorten_step);
    of.by_hand.truncate(ELEMENTS / 10);
    of.undo.truncate(ELEMENTS / 10);
    if let Some(Done { call, before, after, undo }) = &mut of.done {
        [call, before, after].into_iter().for_each(|text| shorten(text, SENTENCE));
        // Half a command is none, and the plan's own stands in its place.
        undo.take_if(|undo| undo.chars().count() > WHOLE);
    }
    of.findings.iter_mut().for_each(shorten_told);
    while shed(&mut of) {}
    while wire::weight(&of) > LIMIT && (halve_longest(&mut of) || halve_findings(&mut of)) {}
    of
}

fn shorten(text: &mut String, longest: usize) {
    if let Some((at, _)) = text.char_indices().nth(longest) {
        let kept =
            text.get(..at).and_then(|kept| kept.char_indices().next_back()).map_or(0, |(last, _)| last);
        text.truncate(kept);
        text.push('…');
    }
}

fn shorten_step(step: &mut Step) {
    match step {
        Step::Run(command) => shorten(command, WHOLE),
        Step::Say(sentence) => shorten(sentence, SENTENCE),
    }
}

fn shorten_told(told: &mut Told) {
    for violation in &mut told.violations {
        let Violation { path, actual, expected } = violation;
        shorten(path, WORD);
        shorten_value(actual);
        shorten_value(expected);
    }
    keep(&mut told.violations, &mut told.violations_left_out, ELEMENTS);
    drop_where(&mut told.needs, &mut told.needs_left_out, |call| call.chars().count() > WHOLE);
    keep(&mut told.needs, &mut told.needs_left_out, ELEMENTS);
    if let Some(plan) = &mut told.plan {
        drop_where(&mut plan.0, &mut told.plan_left_out, |operation| !fits(operation));
        keep(&mut plan.0, &mut told.plan_left_out, ELEMENTS);
    }
    if let Some(decision) = &mut told.decision {
        shorten(&mut decision.reason, SENTENCE);
        decision.notes.iter_mut().for_each(|note| shorten(note, WORD));
        decision.notes.truncate(ELEMENTS / 10);
    }
    told.preflight.iter_mut().for_each(|preflight| shorten(&mut preflight.text, SENTENCE));
    told.summary.iter_mut().for_each(|summary| shorten(summary, SENTENCE));
}

/// A value that is too long becomes the beginning of its text. So does a fraction: read again it may be another one.
fn shorten_value(value: &mut Value) {
    match value {
        Value::String(text) => shorten(text, VALUE),
        value => {
            let mut text = value.to_string();
            if text.len() > VALUE || has_fraction(value) {
                shorten(&mut text, VALUE);
                *value = Value::String(text);
            }
        }
    }
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(values) => values.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// An operation is told as it is, or not at all.
fn fits(operation: &PatchOperation) -> bool {
    let fraction = match operation {
        PatchOperation::Add(add) => has_fraction(&add.value),
        PatchOperation::Replace(replace) => has_fraction(&replace.value),
        PatchOperation::Test(test) => has_fraction(&test.value),
        PatchOperation::Remove(_) | PatchOperation::Move(_) | PatchOperation::Copy(_) => false,
    };
    !fraction && weight(operation) <= WHOLE
}

fn weight<T: Serialize + ?Sized>(what: &T) -> usize {
    serde_json::to_string(what).map_or(0, |text| text.len())
}

fn keep<T>(list: &mut Vec<T>, left_out: &mut usize, most: usize) {
    *left_out += list.len().saturating_sub(most);
    list.truncate(most);
}

fn drop_where<T>(list: &mut Vec<T>, left_out: &mut usize, drop: impl Fn(&T) -> bool) {
    let before = list.len();
    list.retain(|one| !drop(one));
    *left_out += before - list.len();
}

/// What the three lists of a finding weigh; those that are empty, nothing.
fn weights(told: &Told) -> [usize; 3] {
    let plan = told.plan.as_ref().filter(|plan| !plan.0.is_empty()).map_or(0, weight);
    let violations = if told.violations.is_empty() { 0 } else { weight(&told.violations) };
    let needs = if told.needs.is_empty() { 0 } else { weight(&told.needs) };
    [violations, plan, needs]
}

/// Halves the longest list while all of them have no room. `false` where they have.
fn shed(of: &mut Notification) -> bool {
    let all: usize = of.findings.iter().flat_map(weights).sum();
    all > ROOM && halve_longest(of)
}

/// Halves the longest list of all. `false` where there is none.
fn halve_longest(of: &mut Notification) -> bool {
    let longest = of
        .findings
        .iter()
        .enumerate()
        .flat_map(|(at, told)| {
            weights(told).into_iter().enumerate().map(move |(list, weight)| (weight, at, list))
        })
        .filter(|(weight, ..)| *weight > 0)
        .max();
    let Some((_, at, list)) = longest else { return false };
    let Some(told) = of.findings.get_mut(at) else { return false };
    match (list, &mut told.plan) {
        (0, _) => halve(&mut told.violations, &mut told.violations_left_out),
        (1, Some(plan)) => halve(&mut plan.0, &mut told.plan_left_out),
        _ => halve(&mut told.needs, &mut told.needs_left_out),
    }
    true
}

fn halve<T>(list: &mut Vec<T>, left_out: &mut usize) {
    let half = list.len() / 2;
    keep(list, left_out, half);
}

/// Leaves the second half of the findings out. `false` where only one is left.
fn halve_findings(of: &mut Notification) -> bool {
    let half = of.findings.len() / 2;
    if half == 0 {
        return false;
    }
    keep(&mut of.findings, &mut of.findings_left_out, half);
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_shortened_is_short_enough() {
        let mut text = "é".repeat(10);
        shorten(&mut text, 4);
        assert_eq!(text, "ééé…");
        shorten(&mut text, 4);
        assert_eq!(text, "ééé…");
        let mut value = json!([vec!["\"\\"; 1000]]);
        shorten_value(&mut value);
        let once = value.clone();
        shorten_value(&mut value);
        assert_eq!(value, once);
        let mut fraction = json!({"cpu": 0.1});
        shorten_value(&mut fraction);
        assert_eq!(fraction, json!("{\"cpu\":0.1}"));
    }
}
