//! What a scan finds is what parsing every record finds, through whatever window.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::super::faults::Faults;
use super::super::scan;
use super::super::window::Window;
use super::{Read, read};

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
    let mut faults = Faults::default();
    let Read { quiet, .. } = read(&mut window, "log", at, limit, Some(&watched), &mut faults, &mut |found| {
        let name = found.head.as_ref().and_then(|head| head.name.known());
        assert_eq!(&text[found.at as usize..][..found.text.len()], found.text.as_bytes());
        if name.is_some_and(|name| watched(name.as_bytes())) {
            records.push((found.index, found.text.to_owned()));
        } else {
            others += 1;
        }
        Ok(())
    });
    let faults = faults.into_list().iter().map(ToString::to_string).collect();
    Seen { records, quiet: quiet + others, faults }
}

#[derive(serde::Deserialize)]
struct Whole<'a> {
    #[serde(borrow, rename = "Records")]
    records: Vec<&'a RawValue>,
}

/// The same by parsing the whole text.
fn parsed(text: &str) -> Seen {
    #[derive(serde::Deserialize)]
    struct Named {
        #[serde(rename = "eventName")]
        name: Option<String>,
    }
    let log: Whole<'_> = serde_json::from_str(text).unwrap();
    let own = |json: &RawValue| serde_json::from_str::<Named>(json.get()).unwrap().name.unwrap_or_default();
    let indexed = log.records.iter().enumerate();
    let found = indexed.filter(|(_, json)| watched(own(json).as_bytes()));
    let records: Vec<_> = found.map(|(index, json)| (index as u64, json.get().to_owned())).collect();
    Seen { quiet: (log.records.len() - records.len()) as u64, records, faults: Vec::new() }
}

/// Parameters that hold names and beginnings of records where no record of the log's own is.
const PARAMETERS: [&str; 22] = [
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
    r#"{"z":{"eventVersion":"1","eventTime":"2026-11-03T08:00:00Z","eventSource":"s","eventName":"Decrypt","awsRegion":"r"}}"#,
    r#"[{"eventVersion":"1","eventTime":"2026-11-03T08:00:00Z","eventSource":"s","eventName":"Decrypt","awsRegion":"r"},{"eventVersion":"1","eventTime":"2026-11-03T08:00:00Z","eventSource":"s","eventName":"Decrypt","awsRegion":"r"}]"#,
    r#"{"z":[{"a":1},{"eventVersion":"1","eventTime":"2026-11-03T08:00:00Z","eventSource":"s","eventName":"Decrypt","awsRegion":"r"},{"eventVersion":"1","eventTime":"2026-11-03T08:00:00Z","eventSource":"s","eventName":"Decrypt","awsRegion":"r"},{"eventVersion":"1","eventTime":"2026-11-03T08:00:00Z","eventSource":"s","eventName":"RunTask","awsRegion":"r"}]}"#,
    r#"[1,{},{"eventVersion":"1","eventTime":"2026-11-03T08:00:00Z","eventSource":"s","eventName":"RunTask","awsRegion":"r"},{"eventVersion":"1","eventTime":"2026-11-03T08:00:00Z","eventSource":"s","eventName":"Decrypt","awsRegion":"r"}]"#,
    r#"{"s":"[","z":[{"s":"]"},{"eventVersion":"1","eventTime":"2026-11-03T08:00:00Z","eventSource":"s","eventName":"Decrypt","awsRegion":"r"},{"eventVersion":"1","eventTime":"2026-11-03T08:00:00Z","eventSource":"s","eventName":"RunTask","awsRegion":"r"}],"t":"]"}"#,
    r#"{"p":"{\"S\":[{\"A\":\"a\"}],\"E\":[1]}","u":"[agent/1]","l":[{"n":[1,true],"s":["a","\\"]}]}"#,
    r#"{"z":[{"k":"\\"},{"eventVersion":"1","eventTime":"2026-11-03T08:00:00Z","eventSource":"s","eventName":"RunTask","awsRegion":"r"}],"y":[{"m":["}],\"x"]},{"eventVersion":"1","eventTime":"2026-11-03T08:00:00Z","eventSource":"s","eventName":"Decrypt","awsRegion":"r"},[{"eventVersion":"1","eventTime":"2026-11-03T08:00:00Z","eventSource":"s","eventName":"RunTask","awsRegion":"r"}]]}"#,
    r#"{"z":[{"a":[]},{"eventVersion":"1","eventTime":"2026-11-03T08:00:00Z","eventSource":"s","eventName":"RunTask","awsRegion":"r"} ] , "y":{"b":[ {"eventVersion":"1","eventTime":"2026-11-03T08:00:00Z","eventSource":"s","eventName":"Decrypt","awsRegion":"r"} ,
{"eventVersion":"1","eventTime":"2026-11-03T08:00:00Z","eventSource":"s","eventName":"RunTask","awsRegion":"r"} ]}}"#,
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
            let source = r#""eventTime":"2026-11-03T08:00:00Z","eventSource":"ecs.amazonaws.com""#.to_owned();
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

    /// Records that are longer than may be held are passed over and said, and the others are found.
    #[test]
    fn what_is_too_long_stops_nothing(text in log(), size in 1..600_usize) {
        let (limit, all) = (400, parsed(&text));
        let seen = scanned(text.as_bytes(), size, limit);
        prop_assert_eq!(&seen, &scanned(text.as_bytes(), limit, limit));
        let short: Vec<_> = all.records.iter().filter(|(_, record)| record.len() <= limit).cloned().collect();
        prop_assert_eq!(&seen.records, &short);
        let all = all.records.len() as u64 + all.quiet;
        prop_assert_eq!(seen.records.len() as u64 + seen.quiet + seen.faults.len() as u64, all, "{:?}", seen);
    }

    /// Whatever is done to a log, it is read to its end, through every window alike, and what is missing is said.
    #[test]
    fn whatever_is_done_to_a_log_is_said(
        text in log(),
        harm in proptest::collection::vec(harm(), 0..4),
        size in 1..300_usize,
        limit in 300..3000_usize,
    ) {
        let mut bytes = text.clone().into_bytes();
        let opening = scan::opening(&bytes).unwrap().at;
        for (place, length, by) in &harm {
            let at = opening + place.index(bytes.len() - opening + 1);
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, by.bytes());
        }
        let seen = scanned(&bytes, size, limit);
        prop_assert_eq!(&seen, &scanned(&bytes, limit, limit));
        // A log that is still JSON loses nothing but what may be nameless.
        if let Ok(Whole { records }) = serde_json::from_slice::<Whole<'_>>(&bytes) {
            let named = records.iter().filter(|json| json.get().contains("\"eventName\"")).count();
            let count = seen.records.len() + seen.quiet as usize + seen.faults.len();
            prop_assert!(count >= named, "{} of {}: {:?}", count, named, seen);
        }
    }
}

/// What is put in the place of something else.
fn harm() -> impl Strategy<Value = (prop::sample::Index, usize, &'static str)> {
    let by = ["", "}", "]", "{", "[", ",", "\"", "\\", "x", "},", "],", "{\"eventVersion\":x},", "\n", "]}"];
    (any::<prop::sample::Index>(), 0..40_usize, prop::sample::select(by.to_vec()))
}

fn canonical(name: &str, parameters: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.11","userIdentity":{{}},"eventTime":"2026-11-03T08:00:00Z","eventSource":"ecs.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1","requestParameters":{parameters}}}"#
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

/// What is not seen: an element without a name, between two that are as CloudTrail writes them.
#[test]
fn an_element_without_a_name_is_counted_only_where_it_is_parsed() {
    let nameless = r#"{"version":"1.11"}"#.to_owned();
    let quiet = canonical("Decrypt", "1");
    let seen = scanned(log_of(&[quiet.clone(), nameless.clone(), quiet.clone()]).as_bytes(), 64, 1 << 16);
    assert_eq!(seen.quiet, 2);
    let alone = scanned(log_of(&[nameless.clone(), nameless]).as_bytes(), 64, 1 << 16);
    assert_eq!((alone.quiet, alone.faults.len()), (2, 0));
}

#[test]
fn a_long_record_with_its_name_behind_what_is_long_is_said() {
    let long = format!(r#"{{"eventVersion":"1","long":"{}","eventName":"RunTask"}}"#, "x".repeat(5000));
    for quiet in [0, 1, 2] {
        let mut records = vec![canonical("RunTask", "1")];
        records.extend(vec![canonical("Decrypt", "1"); quiet]);
        records.extend([long.clone(), canonical("RunTask", "3")]);
        for size in [64, 700] {
            let seen = scanned(log_of(&records).as_bytes(), size, 1000);
            let found: Vec<u64> = seen.records.iter().map(|(index, _)| *index).collect();
            assert_eq!(found, [0, quiet as u64 + 2]);
            assert_eq!((seen.quiet, seen.faults.len()), (quiet as u64, 1), "{:?}", seen.faults);
            assert!(seen.faults[0].starts_with(&format!("log#{}: a record of more than", quiet + 1)));
        }
    }
}

/// Records as CloudTrail writes them, in lists inside of others, are no records of the log.
#[test]
fn what_lies_inside_of_a_record_is_none() {
    let inner = |name: &str| canonical(name, "{}");
    for name in ["Decrypt", "RunTask"] {
        for list in [
            inner(name),
            format!("[{}]", vec![inner(name); 3].join(",")),
            format!(r#"[{{"s":"]"}},{}]"#, vec![inner(name); 3].join(",")),
        ] {
            let outer = canonical("Decrypt", &format!(r#"{{"z":{list},"y":[{{}},{list}]}}"#));
            let records = [inner("Decrypt"), outer.clone(), inner("Decrypt"), outer, inner("RunTask")];
            let text = log_of(&records);
            assert_eq!(scanned(text.as_bytes(), 64, 1 << 16), parsed(&text), "{list}");
        }
    }
}

#[test]
fn a_comma_that_is_missing_and_a_record_that_is_cut_take_no_other_along() {
    let record = canonical("RunTask", "1");
    let text = log_of(&[record.clone(), record.clone(), record.clone()]);
    let missing = scanned(text.replacen("},{\"eventV", "}{\"eventV", 1).as_bytes(), 64, 1 << 16);
    assert_eq!((missing.records.len(), missing.faults.len()), (3, 1), "{missing:?}");
    assert!(missing.faults[0].contains("neither a comma nor the list's end"), "{missing:?}");
    let cut = text.replacen("eu-west-1\",\"requestParameters\":1}", "eu-we", 1);
    let cut = scanned(cut.as_bytes(), 64, 1 << 16);
    assert_eq!((cut.records.len(), cut.faults.len()), (2, 1), "{cut:?}");
}

/// Every one of them is said, and each is looked at once: were it not so, this would take minutes.
#[test]
fn many_broken_records_take_no_longer_than_their_number() {
    const MANY: u64 = 200_000;
    let begins = Instant::now();
    let named = canonical("Decrypt", "1");
    for good in ["", ",{\"eventVersion\":1}"] {
        let broken = format!(",{{\"eventVersion\":x}}{good}").repeat(MANY as usize);
        let text = format!("{{\"Records\":[{named}{broken},{named}]}}");
        let seen = scanned(text.as_bytes(), 1 << 18, 1 << 24);
        assert_eq!(seen.faults.len(), 10_001);
        assert_eq!(seen.quiet, 2 + if good.is_empty() { 0 } else { MANY });
        assert!(seen.faults.last().unwrap().contains("190000 more"), "{:?}", seen.faults.last());
    }
    assert!(begins.elapsed() < Duration::from_secs(30), "{:?}", begins.elapsed());
}

#[test]
fn another_list_in_the_object_is_said() {
    let record = canonical("RunTask", "1");
    for (rest, faults) in [
        (r#","Records":[{"a":1}]"#, 1),
        (r#","Events":[],"logEvents":[{}]"#, 2),
        (r#","Events":null,"more":[]"#, 0),
        (r#","eventName":"RunTask""#, 1),
    ] {
        let seen = scanned(format!("{{\"Records\":[{record}]{rest}}}").as_bytes(), 64, 1 << 16);
        assert_eq!((seen.records.len(), seen.faults.len()), (1, faults), "{rest}: {seen:?}");
    }
    let long = format!(r#"{{"Records":[{record}],"long":"{}"}}"#, "x".repeat(3000));
    let seen = scanned(long.as_bytes(), 64, 1000);
    assert_eq!((seen.records.len(), seen.faults.len()), (1, 1));
    assert!(seen.faults[0].contains("is longer than"), "{seen:?}");
}
