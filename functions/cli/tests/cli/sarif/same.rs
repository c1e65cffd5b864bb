//! What stays the same: fingerprints while lines move, bytes whatever the order, and secrets where they are.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{list, parsed, results, sarif};
use crate::command::{err, file, out, root, run, run_in};

/// Four controls that `container` fails.
const FOUR: [&str; 2] = [
    "--control",
    "ecs-container-logging,ecs-container-non-root-user,ecs-container-not-privileged,ecs-container-readonly-rootfs",
];

fn container(name: &str) -> Value {
    json!({"name": name, "image": "x", "privileged": true})
}

fn task(containers: &[Value]) -> Value {
    json!({"family": "web", "containerDefinitions": containers})
}

/// The fingerprints of a file.
fn prints(folder: &Path, text: &str) -> Vec<String> {
    let path = file(folder, "web.json", text.as_bytes());
    let log = sarif(&[&[path.as_str()], &FOUR[..]].concat());
    let print = |result: &Value| {
        let prints = &result["partialFingerprints"];
        assert_eq!(prints["primaryLocationLineHash"], prints["shipshape/v1"]);
        prints["shipshape/v1"].as_str().unwrap().to_owned()
    };
    results(&log).iter().map(print).collect()
}

#[test]
fn a_fingerprint_stays_while_lines_move_and_no_two_containers_share_one() {
    let folder = tempfile::tempdir().unwrap();
    let document = task(&[container("web"), container("side")]);
    let minified = prints(folder.path(), &document.to_string());
    assert_eq!(minified.len(), 8, "four controls, two containers");
    assert_eq!(minified.iter().collect::<BTreeSet<_>>().len(), 8);
    let pretty = serde_json::to_string_pretty(&document).unwrap();
    assert_eq!(prints(folder.path(), &pretty), minified);
    assert_eq!(prints(folder.path(), &format!("\n\n{pretty}")), minified);
    assert_eq!(prints(folder.path(), &format!("{{\"taskDefinition\":\n{pretty}}}")), minified);
    let set = |prints: &[String]| prints.iter().cloned().collect::<BTreeSet<String>>();
    let turned = task(&[container("side"), container("web")]);
    assert_eq!(set(&prints(folder.path(), &turned.to_string())), set(&minified), "names, not indexes");
    let more = task(&[container("proxy"), container("web"), container("side")]);
    assert!(set(&prints(folder.path(), &more.to_string())).is_superset(&set(&minified)));
    let mut other = document.clone();
    other["family"] = json!("other");
    assert!(set(&prints(folder.path(), &other.to_string())).is_disjoint(&set(&minified)));
    // ECS would refuse two of one name, and a file may hold a resource twice: these are numbered.
    let same = prints(folder.path(), &task(&[container("web"), container("web")]).to_string());
    assert!(same[0].ends_with(":1") && same[1].ends_with(":2") && same[0][..32] == same[1][..32], "{same:?}");
    let unnamed = prints(folder.path(), &task(&[json!({"privileged": true}), json!({})]).to_string());
    assert_eq!(set(&unnamed).len(), unnamed.len());
}

#[test]
fn the_order_of_files_changes_no_byte() {
    let mut paths: Vec<String> = ["tests/state", "tests/malformed"]
        .iter()
        .flat_map(|folder| fs::read_dir(root(folder)).unwrap())
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    paths.sort();
    let told = |paths: &[String]| {
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        out(&run(&[&["check", "--format", "sarif", "--all"], &paths[..]].concat()))
    };
    let expected = told(&paths);
    assert!(results(&parsed(&expected)).len() > 20);
    for turn in 1..6 {
        let middle = paths.len() * turn / 7;
        paths.rotate_left(middle);
        paths[..middle].reverse();
        assert!(told(&paths) == expected, "turn {turn}");
    }
}

#[test]
fn a_file_that_is_named_in_two_ways_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("rendered")).unwrap();
    fs::write(folder.path().join("rendered/web.json"), task(&[container("web")]).to_string()).unwrap();
    fs::write(folder.path().join("rendered/bad.json"), "{\n").unwrap();
    let told = |paths: &[&str]| {
        let output = run_in(folder.path(), &[&["check", "--format", "sarif"], &FOUR[..], paths].concat());
        assert_eq!(output.status.code(), Some(2));
        parsed(&out(&output))
    };
    let once = told(&["rendered/web.json", "rendered/bad.json"]);
    assert_eq!(
        (results(&once).len(), list(&once["runs"][0]["invocations"][0], "toolExecutionNotifications").len()),
        (4, 1)
    );
    for paths in [
        &["rendered"][..],
        &["rendered", "./rendered"],
        &["rendered/web.json", "rendered/bad.json", "rendered/web.json"],
        &["./rendered/bad.json", "rendered/bad.json", "rendered/./web.json", "./rendered/web.json"],
    ] {
        let mut log = told(paths);
        // The words quote the path as given.
        let words = "/runs/0/invocations/0/toolExecutionNotifications/0/message";
        *log.pointer_mut(words).unwrap() = once.pointer(words).unwrap().clone();
        assert_eq!(log, once, "{paths:?}");
    }
    let two = told(&[
        "rendered/bad.json",
        "rendered/web.json",
        &format!("{}/rendered/web.json", folder.path().display()),
    ]);
    assert_eq!(results(&two).len(), 8, "an absolute path may be another file for whoever reads the log");
}

#[test]
fn no_secret_stands_in_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let event: Value =
        serde_json::from_str(&fs::read_to_string(root("tests/malformed/secret.json")).unwrap()).unwrap();
    let mut document = event["detail"]["requestParameters"].clone();
    assert!(document.to_string().matches("SHIPSHAPE_CANARY").count() >= 10);
    let plain = file(folder.path(), "register.json", document.to_string().as_bytes());
    let first = document["containerDefinitions"][0].as_object_mut().unwrap();
    first.insert("privileged".to_owned(), json!(true));
    first.insert("readonlyRootFilesystem".to_owned(), json!(false));
    first.insert("user".to_owned(), json!("root"));
    let failing = file(folder.path(), "failing.json", document.to_string().as_bytes());
    let cut =
        file(folder.path(), "cut.json", &document.to_string().as_bytes()[..document.to_string().len() - 9]);
    for path in [&plain, &failing, &cut, &root("tests/malformed/secret.json")] {
        for more in [&[][..], &["--all"], &["-v"]] {
            let output = run(&[&["check", "--format", "sarif", path.as_str()], more].concat());
            let both = format!("{}{}", out(&output), err(&output));
            assert!(!both.contains("SHIPSHAPE_CANARY"), "{path}: {both}");
            parsed(&out(&output));
        }
    }
    assert!(results(&sarif(&[&failing])).iter().any(|result| !list(result, "fixes").is_empty()));
}

#[test]
fn odd_paths_and_words_are_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let evil = "\u{1b}[31m\u{9b}\u{202e}[click](https://example.com) {0} [0](1)";
    let mut document = task(&[container(evil)]);
    document["containerDefinitions"][0]["user"] = json!("0:\u{9b}[x](1)");
    let names =
        ["a b.json", "50%.json", "ü🦀.json", "line\nbreak.json", "a:b.json", "#?[].json", "\u{1b}[31m.json"];
    let mut paths = Vec::new();
    for name in names {
        fs::write(folder.path().join(name), document.to_string()).unwrap();
        paths.push(name);
    }
    fs::write(folder.path().join("bad\n[x](1) {0}.json"), "{").unwrap();
    paths.push("bad\n[x](1) {0}.json");
    let output = run_in(folder.path(), &[&["check", "--format", "sarif"], &paths[..]].concat());
    let text = out(&output);
    let raw = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(raw), "{text:?}");
    let log = parsed(&text);
    let uris: BTreeSet<&str> = results(&log)
        .iter()
        .map(|result| result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap())
        .collect();
    let expected = [
        "a%20b.json",
        "50%25.json",
        "%C3%BC%F0%9F%A6%80.json",
        "line%0Abreak.json",
        "a%3Ab.json",
        "%23%3F%5B%5D.json",
        "%1B%5B31m.json",
    ];
    assert_eq!(uris, BTreeSet::from(expected));
    for result in results(&log) {
        let words = result["message"]["text"].as_str().unwrap();
        assert!(!words.contains(raw) && !words.contains("{0}") || words.contains("{{0}}"), "{words}");
        let place = result["locations"][0]["logicalLocations"][0].to_string();
        assert!(!place.contains("\\u001b") && !place.contains(raw), "{place}");
    }
    let notification = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    let words = notification["message"]["text"].as_str().unwrap();
    assert!(!words.contains('\n') && !words.contains("](") && words.contains("{{0}}"), "{words}");
    assert_eq!(
        notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "bad%0A%5Bx%5D%281%29%20%7B0%7D.json"
    );
}

#[test]
fn standard_input_and_pipes_are_read_whole() {
    let text = task(&[container("web")]).to_string();
    let binary = env!("CARGO_BIN_EXE_shipshape");
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "web.json", text.as_bytes());
    for (command, uri) in [
        ("cat web.json | \"$0\" check - --format sarif --control $1", "stdin"),
        ("\"$0\" check <(cat web.json) --format sarif --control $1", "file:///dev/fd/"),
    ] {
        let output = Command::new("bash")
            .args(["-c", command, binary, FOUR[1]])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", err(&output));
        let log = parsed(&out(&output));
        assert_eq!(results(&log).len(), 4);
        let place = &results(&log)[2]["locations"][0]["physicalLocation"];
        assert!(place["artifactLocation"]["uri"].as_str().unwrap().starts_with(uri), "{place}");
        assert_eq!(place["region"]["startLine"], 1, "{place}");
    }
}
