//! What a scan finds is what parsing every record finds, through whatever window.

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::super::window::Window;
use super::super::{Done, scan};
use super::read;

/// What was found of a text: the records handed over by place, how many more there are, and the faults.
#[derive(Debug, PartialEq)]
struct Seen {
    records: Vec<(u64, String)>,
    quiet: u64,
    faults: Vec<String>,
}

const WATCHED: [&str; 2] = ["RunTask", "UpdateService"];

fn watched(name: &[u8]) -> bool {
    WATCHED.iter().any(|watched| watched.as_bytes() == name)
}

/// Reads a log through a window of this size, and keeps those records whose own name is watched.
fn scanned(text: &[u8], size: usize, limit: usize) -> Seen {
    let (mut buffer, mut records, mut others) = (Vec::new(), Vec::new(), 0);
    let mut window = Window::new(Box::new(text), &mut buffer, size, limit + scan::BEHIND);
    while window.end() < scan::BEHIND as u64 && window.more(0) == super::More::Read {}
    let at = scan::opening(window.from(0)).unwrap().at as u64;
    let Done { quiet, faults } = read(&mut window, "log", at, limit, Some(&watched), &mut |found| {
        let name = found.head.as_ref().and_then(|head| head.name.known());
        if name.is_some_and(|name| watched(name.as_bytes())) {
            records.push((found.index, found.text.to_owned()));
        } else {
            others += 1;
        }
        Ok(())
    });
    let faults = faults.iter().map(ToString::to_string).collect();
    Seen { records, quiet: quiet + others, faults }
}

/// The same by parsing the whole text.
fn parsed(text: &str) -> Seen {
    #[derive(serde::Deserialize)]
    struct Log<'a> {
        #[serde(borrow, rename = "Records")]
        records: Vec<&'a RawValue>,
    }
    #[derive(serde::Deserialize)]
    struct Named {
        #[serde(rename = "eventName")]
        name: Option<String>,
    }
    let log: Log<'_> = serde_json::from_str(text).unwrap();
    let own = |json: &RawValue| serde_json::from_str::<Named>(json.get()).unwrap().name.unwrap_or_default();
    let indexed = log.records.iter().enumerate();
    let found = indexed.filter(|(_, json)| watched(own(json).as_bytes()));
    let records: Vec<_> = found.map(|(index, json)| (index as u64, json.get().to_owned())).collect();
    Seen { quiet: (log.records.len() - records.len()) as u64, records, faults: Vec::new() }
}

/// Parameters that hold names and beginnings of records where no record of the log's own is.
const PARAMETERS: [&str; 14] = [
    "null",
    "{}",
    r#"{"eventName":"RunTask"}"#,
    r#"{"attributeKey":"eventName","attributeValue":"RunTask","keys":["eventName"],"more":["a","eventName"]}"#,
    r#"{"nested":{"eventVersion":"1","eventSource":"ecs.amazonaws.com","eventName":"RunTask","awsRegion":"r"}}"#,
    r#"[{"eventVersion":"1","eventSource":"ecs.amazonaws.com","eventName":"RunTask","awsRegion":"r"}]"#,
    r#"[{},{"eventVersion":"1","eventSource":"ecs.amazonaws.com","eventName":"RunTask","awsRegion":"r"}]"#,
    r#"[{"a":1},{"eventVersion":"1","eventName":"UpdateService"},{"eventVersion":"1","eventName":"RunTask"}]"#,
    r#""{\"eventVersion\":\"1\",\"eventName\":\"RunTask\"}""#,
    r#"{"say":"\"eventName","next":1}"#,
    r#"{"x\"eventName":"RunTask","y\\":"\\"}"#,
    r#"{"text":"},{ ]} [ ,","escaped":"\\\",","deep":[[[{}]]]}"#,
    r#"{"eventName":{"eventName":["RunTask"]}}"#,
    "\"ümläut \u{1f6a2} \u{fffd}\"",
];

/// How the members of a record are written.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// As CloudTrail does.
    Compact,
    /// As `json.dumps` does.
    Spaced,
    /// Over many lines.
    Pretty,
    /// The name first.
    NameFirst,
    /// The name last.
    NameLast,
    /// In CloudTrail's order, but for what follows the name.
    NoRegion,
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![
        6 => Just(Form::Compact),
        1 => Just(Form::Spaced),
        1 => Just(Form::Pretty),
        1 => Just(Form::NameFirst),
        1 => Just(Form::NameLast),
        1 => Just(Form::NoRegion),
    ]
}

const NAMES: [&str; 8] =
    ["Decrypt", "AssumeRole", "RunTasks", "Run", "RunTask", "UpdateService", "Run\\u0054ask", "eventName"];

fn record() -> impl Strategy<Value = String> {
    let parameters = proptest::sample::select(&PARAMETERS[..]);
    (form(), proptest::sample::select(&NAMES[..]), parameters.clone(), parameters, 0..80_usize).prop_map(
        |(form, name, identity, parameters, padding)| {
            let version = r#""eventVersion":"1.11""#.to_owned();
            let identity = format!(r#""userIdentity":{identity}"#);
            let source = r#""eventSource":"ecs.amazonaws.com""#.to_owned();
            let name = format!(r#""eventName":"{name}""#);
            let region = r#""awsRegion":"eu-west-1""#.to_owned();
            let parameters = format!(r#""requestParameters":{parameters}"#);
            let padding = format!(r#""padding":"{}""#, "x".repeat(padding));
            let members = match form {
                Form::NameFirst => vec![name, version, identity, source, region, parameters, padding],
                Form::NameLast => vec![version, source, region, parameters, padding, identity, name],
                Form::NoRegion => vec![version, identity, source, name, parameters, padding],
                _ => vec![version, identity, source, name, region, parameters, padding],
            };
            match form {
                Form::Spaced => format!("{{{}}}", members.join(", ").replace("\":", "\": ")),
                Form::Pretty => format!("{{\n  {}\n}}", members.join(",\n  ").replace("\":", "\" : ")),
                _ => format!("{{{}}}", members.join(",")),
            }
        },
    )
}

fn log() -> impl Strategy<Value = String> {
    let blank = proptest::sample::select(&["", "", " ", "\n", "\r\n\t "][..]);
    let records = proptest::collection::vec(record(), 0..9);
    let rest = proptest::sample::select(&["", "", r#","more":[{"eventName":"RunTask"}]"#][..]);
    (records, blank, rest).prop_map(|(records, blank, rest)| {
        let records = records.join(&format!("{blank},{blank}"));
        format!("{{{blank}\"Records\"{blank}:{blank}[{blank}{records}{blank}]{blank}{rest}}}{blank}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_scan_finds_what_parsing_finds(text in log(), size in 1..3000_usize) {
        prop_assert_eq!(scanned(text.as_bytes(), size, 1 << 16), parsed(&text));
    }

    /// A log that ends too early, or holds rubbish, gives the same through every window, and says so.
    #[test]
    fn what_is_broken_is_said(text in log(), cut in 0..4000_usize, rubbish in any::<bool>(), size in 1..600_usize) {
        let opening = scan::opening(text.as_bytes()).unwrap().at;
        let cut = opening + cut % (text.len() - opening).max(1);
        let mut bytes = text.as_bytes()[..cut].to_vec();
        if rubbish {
            bytes.extend(b"\xff]\"}");
            bytes.extend(&text.as_bytes()[cut..]);
        }
        let whole = scanned(&bytes, 1 << 16, 1 << 16);
        prop_assert_eq!(&scanned(&bytes, size, 1 << 16), &whole);
        let inside = cut < text.trim_end().len();
        prop_assert!(rubbish || !inside || !whole.faults.is_empty(), "{:?}", whole);
        for (_, record) in &whole.records {
            prop_assert!(text.contains(record.as_str()));
        }
    }

    /// Records that are longer than may be held are passed over, and the others are found.
    #[test]
    fn what_is_too_long_stops_nothing(text in log(), size in 1..600_usize) {
        let limit = 400;
        let found = scanned(text.as_bytes(), size, limit);
        prop_assert_eq!(&found, &scanned(text.as_bytes(), limit, limit));
        prop_assert!(found.records.iter().all(|(_, record)| record.len() <= limit));
    }
}

fn canonical(name: &str, parameters: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.11","userIdentity":{{}},"eventSource":"ecs.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1","requestParameters":{parameters}}}"#
    )
}

fn log_of(records: &[String]) -> String {
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

#[test]
fn every_boundary_of_a_window_may_fall_anywhere() {
    let records = [
        canonical("Decrypt", r#"{"say":"\"eventName"}"#),
        canonical("RunTask", "null"),
        canonical("Decrypt", PARAMETERS[6]),
        canonical("Decrypt", PARAMETERS[2]),
        canonical("RunTask", PARAMETERS[5]),
    ];
    let text = log_of(&records);
    for size in 1..text.len() + 2 {
        assert_eq!(scanned(text.as_bytes(), size, 1 << 16), parsed(&text), "{size}");
    }
}

#[test]
fn a_record_that_is_no_json_is_lost_alone() {
    let broken = canonical("RunTask", r#"{"a" 1}"#);
    let records = [canonical("Decrypt", "1"), broken, canonical("RunTask", "2"), canonical("Decrypt", "3")];
    let seen = scanned(log_of(&records).as_bytes(), 64, 1 << 16);
    assert_eq!((seen.quiet, seen.records.len()), (2, 1));
    assert_eq!(seen.records[0], (2, records[2].clone()));
    assert_eq!(seen.faults.len(), 1);
    assert!(seen.faults[0].starts_with("log#1: not JSON: it breaks at offset "), "{:?}", seen.faults);
}

#[test]
fn a_record_that_is_no_utf_8_is_lost_alone_and_others_are_not_looked_at() {
    let records = ["Decrypt", "RunTask", "RunTask"].map(|name| canonical(name, r#""?""#));
    let mut bytes = log_of(&records).into_bytes();
    let marks: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'?').collect();
    bytes[marks[0]] = 0xff;
    bytes[marks[1]] = 0xff;
    let seen = scanned(&bytes, 64, 1 << 16);
    assert_eq!((seen.quiet, seen.records.len()), (1, 1));
    assert_eq!(seen.faults, [format!("log#1: not UTF-8 at offset {}: this record is lost", marks[1])]);
}

#[test]
fn a_long_record_that_nobody_watches_needs_no_room_and_a_watched_one_is_said() {
    let long = format!("\"{}\"", "x".repeat(5000));
    let rows = [("Decrypt", 2, 0), ("RunTask", 1, 1)];
    for (name, quiet, faults) in rows {
        for last in [false, true] {
            let mut records = vec![canonical("Decrypt", "1"), canonical(name, &long)];
            if !last {
                records.push(canonical("RunTask", "2"));
            }
            let seen = scanned(log_of(&records).as_bytes(), 64, 1000);
            assert_eq!((seen.quiet, seen.faults.len()), (quiet, faults), "{name} {last} {:?}", seen.faults);
            let found: Vec<u64> = seen.records.iter().map(|(index, _)| *index).collect();
            assert_eq!(found, if last { vec![] } else { vec![2] }, "{name}");
        }
    }
}

#[test]
fn a_second_log_behind_the_first_is_read_and_anything_else_is_said() {
    let log = log_of(&[canonical("Decrypt", "1"), canonical("RunTask", "2")]);
    let twice = scanned(format!("{log}\n{log}").as_bytes(), 64, 1 << 16);
    assert_eq!((twice.quiet, twice.faults.len()), (2, 0));
    assert_eq!(twice.records.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 3]);
    for rest in ["rubbish", "\0\0\0", "{}", "]"] {
        let seen = scanned(format!("{log}{rest}").as_bytes(), 64, 1 << 16);
        assert_eq!(
            (seen.quiet, seen.records.len(), seen.faults.len()),
            (1, 1, 1),
            "{rest}: {:?}",
            seen.faults
        );
    }
}

/// What is not seen: an element without a name between two that are as CloudTrail writes them.
#[test]
fn an_element_without_a_name_is_counted_only_where_it_is_parsed() {
    let nameless = r#"{"eventVersion":"1.11"}"#.to_owned();
    let quiet = canonical("Decrypt", "1");
    let seen = scanned(log_of(&[quiet.clone(), nameless.clone(), quiet.clone()]).as_bytes(), 64, 1 << 16);
    assert_eq!(seen.quiet, 2);
    let alone = scanned(log_of(&[nameless.clone(), nameless]).as_bytes(), 64, 1 << 16);
    assert_eq!((alone.quiet, alone.faults.len()), (2, 0));
}
