//! The command line from outside: exit status, what goes where, and that the same input gives the same bytes.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

fn root(path: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path).display().to_string()
}

/// Runs the binary in an empty folder, so that no `shipshape.toml` is about.
fn run(args: &[&str]) -> Output {
    run_in(tempfile::tempdir().unwrap().path(), args)
}

fn run_in(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shipshape"))
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The JSON lines of a replay; the last is the summary.
fn lines(args: &[&str]) -> Vec<Value> {
    let output = run(&[args, &["--format", "json"]].concat());
    let lines: Vec<Value> = out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.last().unwrap()["kind"], "summary");
    lines
}

fn file(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const EVENT: &str = "events/ecs/ecs-cluster-container-insights.fail.switched-off.json";

#[test]
fn what_cannot_be_read_is_said_and_is_exit_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let rubbish: Vec<u8> = (0..=255u8).rev().cycle().take(900).collect();
    let whole = gzip(fs::read(root(EVENT)).unwrap().as_slice());
    let nothing = folder.path().join("nothing");
    fs::create_dir(&nothing).unwrap();
    let rows = [
        (folder.path().join("none.json").display().to_string(), "no such file or folder"),
        (file(folder.path(), "empty.json", b""), "the file is empty"),
        (nothing.display().to_string(), "no file in this folder ends in"),
        (file(folder.path(), "cut.json.gz", &whole[..whole.len() / 2]), "gzip ends or breaks after"),
        (file(folder.path(), "rubbish.bin", &rubbish), "not UTF-8 at offset"),
        (file(folder.path(), "other.json", b"{\"hello\": 1}"), "nothing here is an event"),
    ];
    for (path, expected) in rows {
        let output = run(&["replay", &path]);
        assert_eq!(output.status.code(), Some(2), "{path}");
        assert!(out(&output).contains(expected), "{path}: {}", out(&output));
        let json = run(&["replay", &path, "--format", "json"]);
        assert!(err(&json).contains(expected), "{path}: {}", err(&json));
        let with_a_good_one = run(&["replay", &path, &root(EVENT)]);
        // JSON that is no event lies beside logs everywhere; it is no fault where there are events too.
        let expected = if path.ends_with("other.json") { 0 } else { 2 };
        assert_eq!(with_a_good_one.status.code(), Some(expected), "{path}");
        assert!(
            out(&with_a_good_one).contains("ecs-cluster-container-insights"),
            "the rest is still processed"
        );
    }
}

#[test]
fn a_wrong_policy_is_said_with_line_and_column_and_is_exit_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let unknown = "version = 1\n[[rules]]\ncontrols = [\"ecs-container-not-priviledged\"]\nmode = \"fix\"\n";
    let exemption =
        "version = 1\n[[exemptions]]\ncontrol = \"*\"\nresource = \"*\"\nowner = \"a\"\nreason = \"b\"\n";
    for (name, text, expected) in [("unknown.toml", unknown, ":3:"), ("exempt.toml", exemption, ":2:")] {
        let policy = file(folder.path(), name, text.as_bytes());
        for args in [
            vec!["replay", "--policy", policy.as_str(), &root(EVENT)],
            vec!["policy", "check", policy.as_str()],
        ] {
            let output = run(&args);
            assert_eq!(output.status.code(), Some(2), "{args:?}");
            assert!(err(&output).contains(&format!("{name}{expected}")), "{}", err(&output));
            assert!(out(&output).is_empty());
        }
    }
    let right = run(&["policy", "check", &root("infra/policy.example.toml"), "--now", "2026-11-20"]);
    assert_eq!(right.status.code(), Some(0));
    assert!(out(&right).contains("/shipshape/policy"), "{}", out(&right));
}

#[test]
fn usage_errors_are_exit_status_2_and_name_what_is_near() {
    for args in [
        vec!["replay"],
        vec!["replay", "x", "--severity", "loud"],
        vec!["replay", "x", "--mode", "maybe"],
        vec!["replay", "x", "-j", "0"],
        vec!["check", "x", "--type", "AWS::S3::Bucket"],
        vec!["nonsense"],
    ] {
        let output = run(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!err(&output).is_empty());
    }
    let near = run(&["controls", "ecs-container-priviledged"]);
    assert_eq!(near.status.code(), Some(2));
    assert!(err(&near).contains("did you mean"), "{}", err(&near));
}

#[test]
fn findings_count_for_the_exit_status_where_that_is_asked_for() {
    let event = root(EVENT);
    let status = |args: &[&str]| run(&[&["replay", event.as_str()], args].concat()).status.code();
    assert_eq!(status(&[]), Some(0));
    assert_eq!(status(&["--fail-on", "medium"]), Some(1));
    assert_eq!(status(&["--fail-on", "high"]), Some(0));
    let folder = tempfile::tempdir().unwrap();
    let exempt = b"version = 1\n[[exemptions]]\ncontrol = \"*\"\nresource = \"*\"\nowner = \"a\"\nreason = \"b\"\nexpires = 2030-01-31\n";
    let policy = file(folder.path(), "exempt.toml", exempt);
    assert_eq!(
        status(&["--fail-on", "medium", "--policy", &policy]),
        Some(0),
        "what is exempt does not count"
    );
    let state = root("tests/state/describe-clusters.json");
    assert_eq!(run(&["check", &state]).status.code(), Some(1));
    assert_eq!(run(&["check", &state, "--fail-on", "never"]).status.code(), Some(0));
}

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

/// What each file of `tests/malformed` must come to, as its README says: broken pieces, changes, and whether some
/// control is left unknown.
#[test]
fn hostile_input_is_reported_and_stops_nothing() {
    let rows = [
        ("empty.json", 1, 0, false),
        ("whitespace.json", 1, 0, false),
        ("truncated.json", 1, 0, false),
        ("truncated.json.gz", 1, 1, false),
        ("not-json.txt", 1, 0, false),
        ("binary.bin", 1, 0, false),
        ("invalid-utf8.json", 1, 0, false),
        ("deep-nesting.json", 1, 0, false),
        ("huge-number.json", 0, 1, false),
        ("null.json", 1, 0, false),
        ("string.json", 1, 0, false),
        ("array-of-garbage.json", 5, 1, false),
        ("jsonlines-with-bad-lines.jsonl", 3, 3, false),
        ("detail-null.json", 1, 0, false),
        ("detail-string.json", 1, 0, false),
        ("bad-time.json", 1, 0, false),
        ("missing-account.json", 1, 0, false),
        ("response-is-array.json", 0, 1, true),
        ("container-definitions-is-string.json", 0, 1, true),
        ("container-is-number.json", 0, 1, true),
        ("duplicate-keys.json", 0, 1, true),
        ("lone-surrogate.json", 1, 0, false),
        ("bad-arn.json", 1, 0, false),
        ("records-null.json", 1, 0, false),
        ("lookup-events-bad-inner.json", 1, 1, false),
        ("secret.json", 0, 1, false),
    ];
    let folder = root("tests/malformed");
    let known = fs::read_dir(&folder).unwrap().count();
    assert_eq!(known, rows.len() + 1, "every file but the README has its row");
    for (name, broken, changes, unknown) in rows {
        let path = format!("{folder}/{name}");
        let output = run(&["replay", &path]);
        assert_eq!(output.status.code(), Some(if broken > 0 { 2 } else { 0 }), "{name}: {}", out(&output));
        let lines = lines(&["replay", &path, "--all"]);
        let errors = lines.iter().filter(|line| line["kind"] == "error").count();
        assert!(errors >= broken, "{name}: {errors} errors");
        let events = &lines.last().unwrap()["summary"]["events"];
        assert_eq!(events["changes"], changes, "{name}: {events}");
        let own = |line: &&Value| line["kind"] == "finding";
        let statuses: Vec<&str> =
            lines.iter().filter(own).filter_map(|line| line["status"].as_str()).collect();
        if unknown {
            assert!(
                !statuses.is_empty() && statuses.iter().all(|one| *one == "unknown"),
                "{name}: {statuses:?}"
            );
        }
    }
}

#[test]
fn no_secret_reaches_any_output() {
    let secret = root("tests/malformed/secret.json");
    let folder = tempfile::tempdir().unwrap();
    let event: Value = serde_json::from_str(&fs::read_to_string(&secret).unwrap()).unwrap();
    let canaries = event.to_string().matches("SHIPSHAPE_CANARY").count();
    assert!(canaries >= 20, "only {canaries} canaries");
    let request = event["detail"]["requestParameters"].to_string();
    let document = file(folder.path(), "register.json", request.as_bytes());
    let cut = file(folder.path(), "cut.json", &event.to_string().as_bytes()[..event.to_string().len() - 40]);
    let policy = file(
        folder.path(),
        "fix.toml",
        b"version = 1\nmode = \"fix\"\ndisruptive = true\niac = \"fix\"\n[controls.ecs-container-non-root-user]\nuser = \"1000\"\n",
    );
    let mut tried = 0;
    for (command, path) in [("replay", &secret), ("replay", &cut), ("check", &document), ("check", &cut)] {
        for format in ["text", "json"] {
            for more in [&["-v"][..], &["-q"], &["--all", "-v"], &["--policy", &policy, "-v"]] {
                let output = run(&[&[command, path.as_str(), "--format", format], more].concat());
                let both = format!("{}{}", out(&output), err(&output));
                assert!(!both.is_empty(), "{command} {format} {more:?}");
                assert!(!both.contains("SHIPSHAPE_CANARY"), "{command} {path} {format} {more:?}: {both}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 32);
    assert!(out(&run(&["check", &document])).contains("failed"), "the document is judged");
}

#[test]
fn a_shipshape_toml_in_the_working_directory_is_the_policy_and_said() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "shipshape.toml", b"version = 1\nmode = \"fix\"\n");
    let output = run_in(folder.path(), &["replay", &root(EVENT)]);
    assert!(err(&output).contains("shipshape.toml"), "{}", err(&output));
    assert!(out(&output).contains("fix: mode is fix (shipshape.toml:2)"), "{}", out(&output));
    let overridden = run_in(folder.path(), &["replay", &root(EVENT), "--mode", "notify"]);
    assert!(out(&overridden).contains("notify: mode is notify (--mode)"), "{}", out(&overridden));
}

#[test]
fn controls_severity_time_and_output_choose() {
    let events = root("events");
    let controls = |args: &[&str]| {
        let lines = lines(&[&["replay", events.as_str()], args].concat());
        let named = lines.iter().filter_map(|line| line["control"].as_str().map(ToOwned::to_owned));
        named.collect::<std::collections::BTreeSet<String>>()
    };
    let two = "ecs-service-no-public-ip,ecs-cluster-container-insights";
    assert_eq!(controls(&["--control", two]).len(), 2);
    assert!(!controls(&["--severity", "high"]).contains("ecs-cluster-container-insights"));
    assert!(controls(&["--since", "2030-01-01"]).is_empty());
    assert!(controls(&["--until", "2020-01-01T00:00:00Z"]).is_empty());
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.txt").display().to_string();
    let output = run(&["replay", &events, "-o", &report, "--color", "always"]);
    assert!(output.stdout.is_empty());
    let written = fs::read_to_string(report).unwrap();
    assert!(written.contains("in mode fix") && !written.contains('\u{1b}'));
    assert!(out(&run(&["replay", &root(EVENT), "--color", "always"])).contains('\u{1b}'));
    assert!(!out(&run(&["replay", &root(EVENT)])).contains('\u{1b}'));
}

#[test]
fn check_takes_answers_objects_and_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let input =
        r#"{"family":"web","containerDefinitions":[{"name":"web","image":"nginx","privileged":true}]}"#;
    let input = file(folder.path(), "input.json", input.as_bytes());
    let lines = lines(&["check", &input, "--control", "ecs-container-not-privileged"]);
    assert_eq!(lines[0]["status"], "failed");
    assert_eq!(lines[0]["account"], Value::Null);
    assert_eq!(lines[0]["plan"].as_array().unwrap().last().unwrap()["op"], "replace");
    assert_eq!(lines[0]["violations"][0]["path"], "/containerDefinitions/0/privileged");
    let state = run(&["check", &root("tests/state"), "--fail-on", "never"]);
    assert_eq!(state.status.code(), Some(0), "answers of EC2 and ECR hold nothing to judge: {}", out(&state));
    let services = run(&["check", &root("tests/state/describe-services.json"), "--fail-on", "never"]);
    assert_eq!(services.status.code(), Some(0), "{}", err(&services));
    let forced = file(
        folder.path(),
        "forced.json",
        br#"{"settings":[{"name":"containerInsights","value":"disabled"}]}"#,
    );
    assert_eq!(run(&["check", &forced]).status.code(), Some(2));
    assert_eq!(run(&["check", &forced, "--type", "AWS::ECS::Cluster"]).status.code(), Some(1));
}

#[test]
fn a_reader_that_stops_listening_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_shipshape"))
        .args(["replay", &root("events"), "--all"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
}

#[test]
fn help_completions_and_the_catalogue_are_there() {
    for args in [
        &["--help"][..],
        &["replay", "--help"],
        &["check", "--help"],
        &["completions", "bash"],
        &["controls"],
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(out(&output).len() > 200, "{args:?}");
    }
    assert!(out(&run(&["replay", "--help"])).contains("Examples:"));
    let one = out(&run(&["controls", "ecs-service-no-public-ip"]));
    assert!(one.contains("ECS.2") && one.contains("AssignPublicIp: DISABLED"), "{one}");
    for line in out(&run(&["controls", "--format", "json"])).lines() {
        assert!(serde_json::from_str::<Value>(line).unwrap()["reference"].is_string());
    }
}
