//! However little is held, and in whatever order things come, replay says the same.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Parser;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::gather::Room;
use super::*;
use crate::args::{Cli, Color, Command};
use crate::read::Sizes;
use crate::read::sort::IN_MEMORY;

/// Much room.
const WIDE: Room =
    Room { sizes: Sizes { window: 1 << 18, limit: 1 << 24 }, sorting: IN_MEMORY, forgets: true };

/// So little that every file needs many windows and every few records are a run of their own.
const NARROW: Room = Room { sizes: Sizes { window: 700, limit: 1 << 16 }, sorting: 9_000, forgets: true };

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// What replay says within some room.
fn said(room: Room, args: &[&str]) -> String {
    let cli = Cli::try_parse_from(["shipshape", "replay"].iter().chain(args)).unwrap();
    let Command::Replay(args) = cli.command else { panic!("not a replay") };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut voices =
        Voices { out: &mut out, err: &mut err, color: Color::Never, quiet: true, verbose: false };
    replay_within(&args, room, &mut voices).unwrap();
    String::from_utf8(out).unwrap()
}

/// The events of the repository: whole, and the records of those that CloudTrail tells of.
fn events() -> Vec<(Value, bool)> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(root("events/ecs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let event = |path: &PathBuf| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    let is_record = |event: &Value| event["detail"]["eventVersion"].is_string();
    paths.iter().map(event).map(|event| (event.clone(), is_record(&event))).collect()
}

/// A record as CloudTrail writes it: its first members in their order.
fn record(event: &Value) -> String {
    let mut members = event["detail"].as_object().unwrap().clone();
    let mut text = String::new();
    for name in ["eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion"] {
        if let Some(value) = members.remove(name) {
            text.push_str(&format!("\"{name}\":{value},"));
        }
    }
    let rest = Value::Object(members).to_string();
    format!("{{{text}{}", &rest[1..])
}

fn log(records: &[String]) -> String {
    format!("{{\"Records\":[{}]}}", records.join(","))
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A folder with all events: logs of a few records, plain and packed, and what has no log in lines and lists. Some come
/// twice, in other files.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (records, others): (Vec<_>, Vec<_>) = events().into_iter().partition(|(_, is_record)| *is_record);
    let records: Vec<String> = records.iter().map(|(event, _)| record(event)).collect();
    let write = |name: String, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    for (index, some) in records.chunks(7).enumerate() {
        match index % 3 {
            0 => write(format!("{index:02}.json"), log(some).as_bytes()),
            1 => write(format!("{index:02}.json.gz"), &gzip(&log(some))),
            _ => write(
                format!("{index:02}.json.gz"),
                &[gzip(&log(&some[..3])), gzip(&log(&some[3..]))].concat(),
            ),
        }
    }
    write("twice.json".to_owned(), log(&records[20..40]).as_bytes());
    let others: Vec<String> = others.iter().map(|(event, _)| event.to_string()).collect();
    write("lines.jsonl".to_owned(), others.join("\n").as_bytes());
    write("list.json".to_owned(), format!("[{}]", others[..5].join(",\n")).as_bytes());
    folder
}

#[test]
fn order_threads_and_room_change_no_byte() {
    let folder = folder();
    let mut files: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    files.sort();
    let state = root("tests/state").display().to_string();
    let mut turned = files.clone();
    turned.reverse();
    turned.rotate_left(5);
    let ways = [
        (WIDE, &turned, "8"),
        (NARROW, &files, "1"),
        (NARROW, &turned, "2"),
        (Room { sorting: 1, ..NARROW }, &turned, "8"),
    ];
    for (format, ways) in [("json", &ways[..]), ("text", &ways[3..])] {
        let with = |room: Room, files: &[String], jobs: &str| {
            let mut args = vec!["--format", format, "--all", "--mode", "fix", "-j", jobs, "--state", &state];
            args.extend(files.iter().map(String::as_str));
            said(room, &args)
        };
        let first = with(WIDE, &files, "1");
        assert!(first.len() > 50_000);
        for (room, files, jobs) in ways {
            assert!(first == with(*room, files, jobs), "{format} {room:?} -j {jobs}");
        }
    }
}

#[test]
fn a_log_counts_as_its_records_alone_do() {
    let folder = tempfile::tempdir().unwrap();
    let summary = |name: String, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let said = said(NARROW, &["--format", "json", "--all", &path.display().to_string()]);
        let mut lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for line in &mut lines {
            // A log and lines name their places in ways of their own.
            let members = line.as_object_mut().unwrap();
            members.retain(|name, _| name != "source" && name != "line" && name != "offset");
        }
        lines
    };
    let mut all = Vec::new();
    for (index, (event, is_record)) in events().iter().enumerate() {
        // Of a native event the envelope is the record.
        let record = if *is_record { record(event) } else { event.to_string() };
        let filler = record
            .replace("\"eventName\":\"", "\"eventName\":\"Describe")
            .replace("eventID\":\"", "eventID\":\"x");
        let records = [filler.clone(), record.clone(), filler.clone()];
        let alone = summary(format!("{index}.jsonl"), &format!("{{}}\n{}\n", records.join("\n")));
        let mut logged = summary(format!("{index}.json"), &log(&records));
        // The empty object makes lines of it, and is no event.
        let events = logged.last_mut().unwrap().pointer_mut("/summary/events").unwrap();
        for count in ["read", "ignored"] {
            events[count] = (events[count].as_u64().unwrap() + 1).into();
        }
        let others = &mut events["ignored_by_reason"]["not an event"];
        *others = (others.as_u64().unwrap_or(0) + 1).into();
        assert_eq!(alone, logged, "{record}");
        // What has no name is seen where it is parsed only.
        all.extend(records.into_iter().filter(|record| record.contains("\"eventName\"")));
    }
    let one = summary("all.json".to_owned(), &log(&all));
    let counts = &one.last().unwrap()["summary"]["events"];
    assert_eq!(counts["read"].as_u64().unwrap() + counts["broken"].as_u64().unwrap(), all.len() as u64);
}

/// Histories in which every family is deployed again and again, and old revisions are run and tagged now and then.
fn deployments(folder: &Path) -> String {
    let record = |name: &str| {
        let events = fs::read_to_string(root(&format!("events/ecs/{name}.json"))).unwrap();
        record(&serde_json::from_str(&events).unwrap())
    };
    let register = record("ecs-container-not-privileged.fail.ec2-container");
    let start = record("origin.service-linked");
    let run = record("run-task.public-ip");
    assert!(register.contains("checkout:7") && start.contains("checkout:7"), "{start}");
    let launched = run.split("task-definition/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let mut records = Vec::new();
    for number in 0..96 {
        let (family, revision) = (number % 3, number / 3);
        let named = |text: &str, minute: usize, id: &str| {
            let time = format!("2026-11-{:02}T{:02}:{:02}:00Z", 1 + number / 24, number % 24, minute);
            let text = text.replace("checkout:7", &format!("family-{family}:{revision}"));
            let text = text.replace(&launched, &format!("family-{family}:{}", revision / 2));
            let text = text.replace("\"revision\":7", &format!("\"revision\":{revision}"));
            let text = text.replace("shop/checkout", &format!("shop/service-{family}"));
            let (before, rest) = text.split_once("\"eventTime\":\"").unwrap();
            let text = format!("{before}\"eventTime\":\"{time}{}", rest.split_at(20).1);
            let (before, rest) = text.split_once("\"eventID\":\"").unwrap();
            format!("{before}\"eventID\":\"{id}-{number}\"{}", rest.split_once('"').unwrap().1)
        };
        records.push(named(&register, 1, "register"));
        // The last revisions are registered and never deployed.
        if revision < 12 {
            records.push(named(&start, 5, "start"));
        }
        if number % 5 == 0 {
            records.push(named(&run, 9, "run"));
        }
    }
    // Long after that, what was deployed is only heard of.
    let native = fs::read_to_string(root("events/ecs/native.deployment.completed.checkout.json")).unwrap();
    let native: Value = serde_json::from_str(&native).unwrap();
    let heard = |family: usize| {
        let text = native.to_string().replace("shop/checkout", &format!("shop/service-{family}"));
        let mut event: Value = serde_json::from_str(&text).unwrap();
        event["time"] = "2026-12-20T00:00:00Z".into();
        event["id"] = format!("heard-{family}").into();
        event.to_string()
    };
    fs::write(folder.join("heard.jsonl"), (0..3).map(heard).collect::<Vec<_>>().join("\n")).unwrap();
    fs::write(folder.join("log.json"), log(&records)).unwrap();
    folder.display().to_string()
}

/// Worlds forget revisions, and nobody can tell.
#[test]
fn what_is_forgotten_changes_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = deployments(folder.path());
    let roles = ["--passable-role", "arn:*:iam::*:role/*"];
    for mode in [
        ["--mode", "notify", "--format", "json"],
        ["--mode", "fix", "--format", "json"],
        ["--mode", "fix", "--format", "text"],
    ] {
        let args = [&["--all", &path][..], &roles, &mode].concat();
        let all = said(Room { forgets: false, ..WIDE }, &args);
        assert!(all.len() > 5_000 && all.contains("family-2"), "{all}");
        assert!(all == said(WIDE, &args), "{mode:?}");
    }
}

/// Mode fix mends most of them, so that what is forgotten has taken others' places before.
#[test]
fn revisions_that_are_deployed_are_one_block() {
    let folder = tempfile::tempdir().unwrap();
    let path = deployments(folder.path());
    let text = said(WIDE, &["--control", "ecs-container-not-privileged", &path]);
    let blocks = text.matches(":task-definition/family-0: 32 revisions, 0 to 31  AWS::ECS::TaskDefinition\n");
    assert_eq!(blocks.count(), 1, "{text}");
    assert!(text.contains("2026-11-04T21:01:00Z  RegisterTaskDefinition"), "the last stands for all: {text}");
    let fixed = said(WIDE, &["--control", "ecs-container-not-privileged", "--mode", "fix", &path]);
    assert!(fixed.contains("in mode fix:     ") && !fixed.contains("in mode fix:     0 fixed"), "{fixed}");
}
