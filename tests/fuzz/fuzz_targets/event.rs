//! Any bytes through parse, evaluate and plan. Bytes alone rarely stay JSON, so that most mutations are of the tree:
//! a node is replaced, dropped, doubled, or moved to another place.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use serde_json::Value;
use shipshape_tests::hunt::hunt;

fuzz_target!(|data: &[u8]| hunt(data));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut dice = Dice(u64::from(seed) | 1);
    if dice.roll(8) > 0
        && let Ok(mut tree) = serde_json::from_slice::<Value>(&data[..size])
    {
        for _ in 0..=dice.roll(3) {
            mutate(&mut tree, &mut dice);
        }
        let text = tree.to_string();
        if text.len() <= max_size {
            data[..text.len()].copy_from_slice(text.as_bytes());
            return text.len();
        }
    }
    fuzzer_mutate(data, size, max_size)
});

/// xorshift: the fuzzer's seed decides everything, so that a finding can be made again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }
}

/// Values that documents have, and values that they should not have.
const WORDS: [&str; 30] = [
    "null", "true", "false", "0", "-1", "65536", "1e300", "\"\"", "\"true\"", "\"root\"", "\"0:0\"", "\"ENABLED\"",
    "\"DISABLED\"", "\"host\"", "\"HIDDEN_DUE_TO_SECURITY_REASONS\"", "{\"omitted\":\"true\"}", "[]", "{}", "[{}]",
    "[null]", "\"arn:aws:ecs:eu-west-1:111122223333:service/shop/checkout\"", "\"1.3.0\"", "\"LATEST\"",
    "\"ALL\"", "\"SYS_ADMIN\"", "\"/var/run/docker.sock\"", "\"::/0\"", "\"%7B%22Statement%22\"",
    "\"AKIAIOSFODNN7EXAMPLE\"", "{\"item\":\"x\",\"tag\":1}",
];

fn mutate(tree: &mut Value, dice: &mut Dice) {
    let nodes = count(tree);
    let donor = nth(tree, dice.roll(nodes)).cloned().unwrap_or_default();
    let how = dice.roll(6);
    let word = serde_json::from_str(WORDS[dice.roll(WORDS.len())]).unwrap_or_default();
    let Some(place) = nth_mut(tree, dice.roll(nodes)) else { return };
    match (how, place) {
        (0, place) => *place = donor,
        (1, Value::Object(members)) if !members.is_empty() => {
            let key = members.keys().nth(dice.roll(members.len())).cloned().unwrap_or_default();
            members.remove(&key);
        }
        (1, Value::Array(items)) if !items.is_empty() => {
            items.remove(dice.roll(items.len()));
        }
        (2, Value::Array(items)) => items.push(donor),
        (3, Value::Array(items)) if !items.is_empty() => {
            let item = items[dice.roll(items.len())].clone();
            items.push(item);
        }
        // A list of one collapses to its element, and an element becomes a list.
        (4, place) => {
            *place = match place.take() {
                Value::Array(mut items) if items.len() == 1 => items.remove(0),
                other => Value::Array(vec![other]),
            }
        }
        (_, place) => *place = word,
    }
}

fn count(tree: &Value) -> usize {
    1 + match tree {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

fn nth(tree: &Value, index: usize) -> Option<&Value> {
    if index == 0 {
        return Some(tree);
    }
    let mut left = index - 1;
    let children: Vec<&Value> = match tree {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => Vec::new(),
    };
    for child in children {
        let size = count(child);
        if left < size {
            return nth(child, left);
        }
        left -= size;
    }
    None
}

fn nth_mut(tree: &mut Value, index: usize) -> Option<&mut Value> {
    if index == 0 {
        return Some(tree);
    }
    let mut left = index - 1;
    let children: Vec<&mut Value> = match tree {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(members) => members.values_mut().collect(),
        _ => Vec::new(),
    };
    for child in children {
        let size = count(child);
        if left < size {
            return nth_mut(child, left);
        }
        left -= size;
    }
    None
}
