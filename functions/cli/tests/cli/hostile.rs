//! Input that is broken, by accident or on purpose.

use std::fs;

use serde_json::{Value, json};

use crate::command::{EVENT, err, file, lines, out, root, run};

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
        let events = &lines.last().unwrap()["summary"]["events"];
        assert_eq!((errors, &events["broken"]), (broken, &json!(broken)), "{name}: {events}");
        assert_eq!(events["changes"], changes, "{name}: {events}");
        let passed_over = if name == "array-of-garbage.json" { 2 } else { 0 };
        assert_eq!(events["read"], changes + passed_over, "{name}: what is broken was not read: {events}");
        // Controls that read what is broken; others may well be answered.
        let reads = ["ecs-service-no-public-ip", "ecs-container-not-privileged"];
        let own =
            |line: &&Value| line["kind"] == "finding" && reads.iter().any(|slug| line["control"] == *slug);
        let statuses: Vec<&str> =
            lines.iter().filter(own).filter_map(|line| line["status"].as_str()).collect();
        if unknown {
            // What can be seen of it may say that a control is not concerned.
            let judged = statuses.iter().any(|one| !["unknown", "not_applicable"].contains(one));
            assert!(statuses.contains(&"unknown") && !judged, "{name}: {statuses:?}");
        }
    }
}

#[test]
fn depth_is_no_danger() {
    let folder = tempfile::tempdir().unwrap();
    let event = fs::read_to_string(root(EVENT)).unwrap();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let objects = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    for member in
        ["\"requestParameters\": {", "\"responseElements\": {", "\"userIdentity\": {", "\"detail\": {"]
    {
        for value in [&deep, &objects] {
            assert!(event.contains(member), "{member}");
            let text = event.replacen(member, &format!("{member} \"settings2\": {value},"), 1);
            let path = file(folder.path(), "deep.json", text.as_bytes());
            for command in ["replay", "check"] {
                let output =
                    run(&[command, &path, "--mode", "fix"][..if command == "replay" { 4 } else { 2 }]);
                assert!(output.status.code().is_some_and(|code| code <= 2), "{member}: {}", err(&output));
            }
        }
    }
    let wrapped = json!({"Events": [{"CloudTrailEvent": deep}]}).to_string();
    for (name, text) in [("wrapped.json", &wrapped), ("lines.jsonl", &format!("{{}}\n{deep}\n{event}"))] {
        let output = run(&["replay", &file(folder.path(), name, text.as_bytes())]);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", out(&output));
    }
}

#[test]
fn a_line_that_is_no_utf_8_takes_no_other_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let event: Value = serde_json::from_str(&fs::read_to_string(root(EVENT)).unwrap()).unwrap();
    let mut bytes = b"{\"a\": \"\xff\xfe\"}\n".to_vec();
    bytes.extend(event.to_string().as_bytes());
    let lines = lines(&["replay", &file(folder.path(), "lines.jsonl", &bytes)]);
    assert_eq!(lines[0]["kind"], "finding");
    assert_eq!((&lines[1]["kind"], &lines[1]["line"]), (&json!("error"), &json!(1)));
}

#[test]
fn errors_name_their_place() {
    let place = |name: &str| {
        let path = root(&format!("tests/malformed/{name}"));
        let error = lines(&["replay", &path]).into_iter().find(|line| line["kind"] == "error").unwrap();
        let source = error["source"].as_str().unwrap().strip_prefix(&path).unwrap().to_owned();
        (source, error["line"].as_u64(), error["offset"].is_u64())
    };
    assert_eq!(place("jsonlines-with-bad-lines.jsonl"), (":3".to_owned(), Some(3), false));
    assert_eq!(place("truncated.json.gz"), (String::new(), None, true));
    assert_eq!(place("invalid-utf8.json"), (String::new(), None, true));
    assert_eq!(place("lookup-events-bad-inner.json"), ("#0".to_owned(), None, false));
    assert!(place("truncated.json").1.is_some());
    assert!(place("array-of-garbage.json").0.starts_with('#'));
}

/// What a terminal would obey, or what would forge a line, in the places that a stranger can write to.
#[test]
fn no_control_character_reaches_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let event =
        fs::read_to_string(root("events/ecs/ecs-service-no-public-ip.fail.create-fargate.json")).unwrap();
    let mut event: Value = serde_json::from_str(&event).unwrap();
    let evil = "\u{1b}[2Jx\u{9b}\r\nerror: forged\u{202e}\u{7f}";
    event["detail"]["userIdentity"]["arn"] =
        json!(format!("arn:aws:sts::111122223333:assumed-role/{evil}/{evil}"));
    event["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] = json!(evil);
    event["detail"]["userIdentity"]["userName"] = json!(evil);
    event["detail"]["responseElements"]["service"]["networkConfiguration"]["awsvpcConfiguration"]["subnets"] =
        json!([evil]);
    event["detail"]["responseElements"]["service"]["deploymentController"] = json!({ "type": evil });
    let mut broken = event.clone();
    broken["detail"]["eventName"] = json!(format!("RegisterTaskDefinition{evil}"));
    broken["account"] = json!(evil);
    let name = "evil\u{1b}[31m\nerror: forged.json";
    let good = file(folder.path(), name, event.to_string().as_bytes());
    let bad = file(folder.path(), &format!("b{name}"), broken.to_string().as_bytes());
    let policy = file(folder.path(), &format!("{name}.toml"), b"version = 1\nmode = \"loud\"\n");
    for args in [
        vec!["replay", good.as_str(), &bad, "-v", "--all", "--mode", "fix"],
        vec!["replay", &good, "--format", "json", "-v"],
        vec!["check", &good, &bad, "-v"],
        vec!["policy", "check", &policy],
        vec!["replay", &good, "--policy", &policy],
    ] {
        let output = run(&args);
        let both = format!("{}{}", out(&output), err(&output));
        let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        // JSON escapes what controls a terminal, and programs want the rest as it is.
        let json = args.contains(&"json");
        assert!(json || !both.contains(harmful), "{args:?}: {both:?}");
        assert!(!both.contains('\u{1b}'), "{args:?}: {both:?}");
        assert!(!both.lines().any(|line| line.starts_with("error: forged")), "{args:?}: {both}");
    }
}
