//! The forms of input, and that its order changes no byte.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::command::{EVENT, err, file, gzip, lines, out, root, run};

#[test]
fn the_order_of_files_and_the_number_of_threads_change_no_byte() {
    let folder = root("events/ecs");
    let mut files: Vec<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path().display().to_string()).collect();
    files.sort();
    let state = root("tests/state");
    for format in ["text", "json"] {
        let with = |files: &[String], jobs: &str| {
            let mut args =
                vec!["replay", "--all", "--mode", "fix", "--format", format, "-j", jobs, "--state", &state];
            args.extend(files.iter().map(String::as_str));
            run(&args).stdout
        };
        let first = with(&files, "1");
        assert!(first.len() > 10_000);
        let mut turned = files.clone();
        turned.reverse();
        turned.rotate_left(17);
        assert_eq!(first, with(&turned, "8"), "{format}");
        assert_eq!(first, with(&files, "8"), "{format}");
    }
}

#[test]
fn every_form_of_input_gives_the_same_findings() {
    let folder = tempfile::tempdir().unwrap();
    let event = fs::read_to_string(root(EVENT)).unwrap();
    let value: Value = serde_json::from_str(&event).unwrap();
    let line = value.to_string();
    let record = &value["detail"];
    let lookup = serde_json::json!({"Events": [{"EventId": "x", "CloudTrailEvent": record.to_string()}]});
    let logs = serde_json::json!({"logEvents": [{"id": "1", "message": record.to_string()}]});
    let forms = [
        ("array.json", format!("[{event}]").into_bytes()),
        ("lines.jsonl", format!("{line}\n\n{line}\n").into_bytes()),
        ("bom.json", format!("\u{feff}{event}").into_bytes()),
        ("log.json", serde_json::json!({ "Records": [record] }).to_string().into_bytes()),
        ("log.json.gz", gzip(serde_json::json!({ "Records": [record] }).to_string().as_bytes())),
        ("record.json", record.to_string().into_bytes()),
        ("lookup.json", lookup.to_string().into_bytes()),
        ("subscription.json", logs.to_string().into_bytes()),
    ];
    let findings = |path: &str| -> Vec<Value> {
        let mut findings: Vec<Value> =
            lines(&["replay", path]).into_iter().filter(|one| one["kind"] == "finding").collect();
        for finding in &mut findings {
            finding.as_object_mut().unwrap().remove("source");
        }
        findings
    };
    let expected = findings(&root(EVENT));
    assert_eq!(expected.len(), 1);
    for (name, bytes) in forms {
        let path = file(folder.path(), name, &bytes);
        assert_eq!(findings(&path), expected, "{name}");
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_shipshape"))
        .args(["replay", "-", "--format", "json"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(event.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(out(&output).contains("ecs-cluster-container-insights"));
}

/// Findings without the place where their event stands.
fn findings(paths: &[&str]) -> Vec<Value> {
    let mut findings = lines(&[&["replay", "--all"], paths].concat());
    findings.retain(|line| line["kind"] == "finding");
    for finding in &mut findings {
        finding.as_object_mut().unwrap().remove("source");
    }
    findings
}

#[test]
fn names_of_files_change_no_finding() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (index, entry) in fs::read_dir(root("events/ecs")).unwrap().enumerate() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        file(one.path(), &format!("{index:03}.json"), &bytes);
        file(other.path(), &format!("{:03}.json", 999 - index), &bytes);
    }
    let folder = |folder: &tempfile::TempDir| findings(&[&folder.path().display().to_string()]);
    let first = folder(&one);
    assert!(first.len() > 100);
    assert_eq!(first, folder(&other));
}

#[test]
fn every_piece_is_counted_once() {
    let counted = |args: &[&str]| {
        let summary = lines(args).pop().unwrap();
        let events = summary["summary"]["events"].as_object().unwrap().clone();
        events
            .into_iter()
            .filter_map(|(name, count)| Some((name, count.as_u64()?)))
            .collect::<BTreeMap<_, _>>()
    };
    let (events, malformed) = (root("events"), root("tests/malformed"));
    for args in [
        vec!["replay", events.as_str()],
        vec!["replay", &malformed, &events],
        vec!["replay", &events, "--since", "2026-11-05", "--until", "2026-11-10T12:00:00Z"],
    ] {
        let counts = counted(&args);
        let parts = ["changes", "unjudged", "ignored", "duplicate", "rejected", "stale", "skipped"];
        assert_eq!(counts["read"], parts.iter().map(|part| counts[*part]).sum::<u64>(), "{counts:?}");
    }
    assert_eq!(counted(&["replay", &events])["broken"], 0);
}

#[test]
fn documents_that_span_lines_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let event: Value = serde_json::from_str(&fs::read_to_string(root(EVENT)).unwrap()).unwrap();
    for value in [event.clone(), json!([event]), json!({ "Records": [event["detail"]] })] {
        let path =
            file(folder.path(), "pretty.json", serde_json::to_string_pretty(&value).unwrap().as_bytes());
        assert_eq!(findings(&[&path]), findings(&[&root(EVENT)]));
        let cut = serde_json::to_string_pretty(&value).unwrap();
        let path = file(folder.path(), "cut.json", &cut.as_bytes()[..cut.len() / 2]);
        let errors = lines(&["replay", &path]).into_iter().filter(|line| line["kind"] == "error");
        assert_eq!(errors.count(), 1, "one broken document is one error");
    }
}

#[test]
fn wrappers_are_opened_in_lines_and_lists() {
    let folder = tempfile::tempdir().unwrap();
    let event: Value = serde_json::from_str(&fs::read_to_string(root(EVENT)).unwrap()).unwrap();
    let record = &event["detail"];
    let lookup = json!({"Events": [{"CloudTrailEvent": record.to_string()}]});
    let forms = [
        (format!("{{}}\n{}\n", json!({ "Records": [record] })), ":2#0"),
        (format!("{lookup}\n{{}}\n"), ":1#0"),
        (json!([{}, lookup]).to_string(), "#1#0"),
        (format!("{{}}\n{}\n", json!([event])), ":2#0"),
    ];
    for (text, place) in forms {
        let path = file(folder.path(), "wrapped.json", text.as_bytes());
        let lines = lines(&["replay", &path]);
        assert_eq!(lines[0]["source"], format!("{path}{place}"), "{text}");
        assert_eq!(findings(&[&path]), findings(&[&root(EVENT)]));
    }
}

#[test]
fn what_came_before_a_break_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let event: Value = serde_json::from_str(&fs::read_to_string(root(EVENT)).unwrap()).unwrap();
    let record = &event["detail"];
    let lookup = json!({"CloudTrailEvent": record.to_string()});
    let forms = [
        ("list.json", format!("[{event},{{\"id")),
        ("log.json", format!("{{\"Records\": [\n{record}\n,\n{{\"eventVersion\": \"1")),
        ("lookup.json", format!("{{\n  \"Events\": [{lookup},{{\"CloudT")),
        ("lines.jsonl", format!("{event}\n{{\"version\": \"0\", ")),
    ];
    for (name, text) in forms {
        let stream = gzip(text.repeat(3).as_bytes());
        for (name, bytes) in [
            (name.to_owned(), text.as_bytes().to_vec()),
            (format!("{name}.gz"), gzip(text.as_bytes())),
            (format!("cut-{name}.gz"), stream[..stream.len() - 9].to_vec()),
        ] {
            let path = file(folder.path(), &name, &bytes);
            let lines = lines(&["replay", &path]);
            let kinds: Vec<&str> = lines.iter().filter_map(|line| line["kind"].as_str()).collect();
            assert!(kinds.starts_with(&["finding"]), "{name}: {kinds:?}");
            assert_eq!(lines.last().unwrap()["summary"]["findings"]["by_status"]["failed"], 1, "{name}");
            assert!(kinds.contains(&"error"), "{name}: {kinds:?}");
            assert_eq!(run(&["replay", &path]).status.code(), Some(2), "{name}");
        }
    }
}

#[test]
fn of_two_deliveries_the_source_that_sorts_first_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let event = fs::read(root(EVENT)).unwrap();
    let [a, b] = ["a.json", "b.json"].map(|name| file(folder.path(), name, &event));
    for paths in [[&a, &b], [&b, &a]] {
        let lines = lines(&["replay", paths[0], paths[1]]);
        assert_eq!(lines[0]["source"], a);
        assert_eq!(lines.last().unwrap()["summary"]["events"]["duplicate"], 1);
    }
}

#[test]
fn folders_hold_files_of_known_endings_and_a_file_that_is_named_may_end_in_anything() {
    let folder = tempfile::tempdir().unwrap();
    let event = fs::read(root(EVENT)).unwrap();
    let deep = folder.path().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    file(folder.path(), "README.md", b"prose");
    let named = file(folder.path(), "event.txt", &event);
    let mut members = gzip(&event);
    members.extend(gzip(b"\n"));
    file(&deep, "members.gz", &members);
    let whole = folder.path().display().to_string();
    for path in [&whole, &named] {
        let output = run(&["replay", path]);
        assert_eq!(output.status.code(), Some(0), "{}", out(&output));
        assert!(out(&output).contains("1 read, 1 change\n"), "{}", out(&output));
    }
}

/// What replay says of input that comes through a pipe in two parts.
fn piped(first: &[u8], rest: &[u8]) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_shipshape"))
        .args(["replay", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(first).unwrap();
    stdin.flush().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(200));
    stdin.write_all(rest).unwrap();
    drop(stdin);
    out(&child.wait_with_output().unwrap())
}

#[test]
fn gzip_behind_a_slow_pipe_is_told() {
    let bytes = gzip(&fs::read(root(EVENT)).unwrap());
    let said = piped(&bytes[..1], &bytes[1..]);
    assert!(said.contains("ecs-cluster-container-insights"), "{said}");
}

#[test]
fn one_file_is_read_once_however_it_is_spelled() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("b")).unwrap();
    file(&folder.path().join("b"), "p.json", &fs::read(root(EVENT)).unwrap());
    let said = |paths: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_shipshape"))
            .args([&["replay", "--format", "json"], paths].concat())
            .current_dir(folder.path())
            .output()
            .unwrap();
        out(&output)
    };
    for other in ["b//p.json", "./b/p.json", "b/./p.json"] {
        let one = said(&["b/p.json", other]);
        assert_eq!(one, said(&[other, "b/p.json"]), "{other}");
        assert!(one.contains("\"read\":1,"), "{other}: {one}");
    }
}

#[test]
fn endings_may_be_written_in_capitals_and_the_curious_hear_what_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "A.JSON", &fs::read(root(EVENT)).unwrap());
    file(folder.path(), "B.GZ", &gzip(&fs::read(root("events/ecs/run-task.public-ip.json")).unwrap()));
    file(folder.path(), "notes.txt", b"prose");
    let path = folder.path().display().to_string();
    let output = run(&["replay", &path, "-v"]);
    assert!(out(&output).contains("2 read"), "{}", out(&output));
    assert!(err(&output).contains(": 1 more whose names end in nothing that is read"), "{}", err(&output));
}

#[test]
fn what_begins_on_a_new_line_behind_a_log_goes_on_as_lines() {
    let folder = tempfile::tempdir().unwrap();
    let event: Value = serde_json::from_str(&fs::read_to_string(root(EVENT)).unwrap()).unwrap();
    let text =
        format!("{}\n{event}\n\noops\n", json!({ "Records": [{ "eventVersion": "1", "eventName": "x" }] }));
    let path = file(folder.path(), "both.json", text.as_bytes());
    let lines = lines(&["replay", &path]);
    assert_eq!(lines[0]["source"], format!("{path}#1"), "{lines:?}");
    assert!(lines.iter().any(|line| line["source"] == format!("{path}#3")), "{lines:?}");
}

#[test]
fn a_further_list_is_said_and_an_event_with_one_is_an_event() {
    let folder = tempfile::tempdir().unwrap();
    let event: Value = serde_json::from_str(&fs::read_to_string(root(EVENT)).unwrap()).unwrap();
    let record = &event["detail"];
    let lookup = json!({ "CloudTrailEvent": record.to_string() });
    for text in [
        format!("{{\"Records\":[{record}],\"Records\":[{{}}]}}"),
        format!("{{\"Records\":[{record}],\"Events\":[{lookup}]}}"),
        format!("{{\"Events\":[{lookup}],\"Events\":[{lookup}]}}"),
        format!("{{\"Events\":[{lookup}],\"logEvents\":[]}}"),
        format!("{{}}\n{{\"Records\":[{record}],\"Records\":[]}}"),
    ] {
        let lines = lines(&["replay", &file(folder.path(), "lists.json", text.as_bytes())]);
        let kinds: Vec<&str> = lines.iter().filter_map(|line| line["kind"].as_str()).collect();
        assert_eq!(kinds, ["finding", "error", "summary"], "{text}: {lines:?}");
        assert!(lines[1]["message"].as_str().unwrap().starts_with("a further list, `"), "{lines:?}");
    }
    let mut record = record.clone();
    record["Records"] = json!([]);
    let text = format!("{{}}\n{record}\n");
    let lines = lines(&["replay", &file(folder.path(), "lines.jsonl", text.as_bytes())]);
    assert_eq!(lines[0]["kind"], "finding", "{lines:?}");
}

#[test]
fn zeros_behind_gzip_are_nothing_and_rubbish_is_told_apart_from_a_break() {
    let folder = tempfile::tempdir().unwrap();
    let whole = gzip(&fs::read(root(EVENT)).unwrap());
    let zeros = [&whole[..], &[0; 700]].concat();
    let output = run(&["replay", &file(folder.path(), "zeros.gz", &zeros)]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    let rubbish = [&whole[..], b"rubbish"].concat();
    let output = run(&["replay", &file(folder.path(), "rubbish.gz", &rubbish)]);
    assert!(out(&output).contains("what follows on its last member is no gzip"), "{}", out(&output));
    let utf_16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let output = run(&["replay", &file(folder.path(), "wide.json", &utf_16)]);
    assert!(out(&output).contains("UTF-16, which is not read: convert it to UTF-8"), "{}", out(&output));
}

#[test]
fn a_watched_record_that_cannot_be_read_has_an_offset() {
    let folder = tempfile::tempdir().unwrap();
    let event: Value = serde_json::from_str(&fs::read_to_string(root(EVENT)).unwrap()).unwrap();
    let mut record = event["detail"].clone();
    record["eventTime"] = json!("yesterday");
    let text = format!("{{\"Records\":[{{}},{record}]}}");
    let lines = lines(&["replay", &file(folder.path(), "log.json", text.as_bytes())]);
    let error = lines.iter().find(|line| line["kind"] == "error").unwrap();
    assert_eq!(error["offset"], 15, "{error}");
}

#[test]
fn errors_are_bounded_and_the_rest_of_them_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "lines.jsonl", format!("{{}}\n{}", "{x}\n".repeat(12_000)).as_bytes());
    for args in [&["replay"][..], &["check"], &["check", "--format", "json"], &["check", "--format", "sarif"]]
    {
        let output = run(&[args, &[path.as_str(), "-q"]].concat());
        assert_eq!(output.status.code(), Some(2));
        let said = out(&output);
        assert!(said.contains("more that are not listed"), "{args:?}");
        assert!(said.matches("not JSON").count() <= 10_000, "{args:?}");
    }
}
