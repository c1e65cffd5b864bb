//! Secrets in events and documents, which no output may hold.

use std::fs;

use serde_json::Value;

use crate::command::{err, file, out, root, run};

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
        for format in formats(command) {
            for more in [&["-v"][..], &["-q"], &["--all", "-v"], &["--policy", &policy, "-v"]] {
                let output = run(&[&[command, path.as_str(), "--format", format], more].concat());
                let both = format!("{}{}", out(&output), err(&output));
                assert!(!both.is_empty(), "{command} {format} {more:?}");
                assert!(!both.contains("SHIPSHAPE_CANARY"), "{command} {path} {format} {more:?}: {both}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 40);
    assert!(out(&run(&["check", &document])).contains("failed"), "the document is judged");
}

/// The formats of a command.
fn formats(command: &str) -> &'static [&'static str] {
    if command == "check" { &["text", "json", "sarif"] } else { &["text", "json"] }
}

/// The same secrets where their members have another type than they should: redacted, broken, or shuffled by a tool.
#[test]
fn no_secret_of_a_wrong_shape_reaches_any_output() {
    let text = fs::read_to_string(root("tests/malformed/secret.json")).unwrap();
    let event: Value = serde_json::from_str(&text).unwrap();
    let mut variants = Vec::new();
    for member in ["requestParameters", "responseElements"] {
        let pointer = format!("/detail/{member}");
        places(event.pointer(&pointer).unwrap(), &pointer, &mut variants);
    }
    let mut events = String::new();
    let mut documents = String::new();
    for (index, pointer) in variants.iter().enumerate() {
        for shape in 0..3 {
            let mut event = event.clone();
            event["detail"]["eventID"] = format!("{index}-{shape}").into();
            let place = event.pointer_mut(pointer).unwrap();
            *place = match shape {
                0 => Value::String(place.to_string()),
                1 => Value::Array(vec![place.take()]),
                _ => serde_json::json!({ "value": place.take() }),
            };
            events.push_str(&format!("{event}\n"));
            documents.push_str(&format!(
                "{}\n{}\n",
                event["detail"]["requestParameters"], event["detail"]["responseElements"]
            ));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let [events, documents] = [("events.jsonl", events), ("documents.jsonl", documents)]
        .map(|(name, text)| file(folder.path(), name, text.as_bytes()));
    for (command, path) in
        [("replay", &events), ("check", &documents), ("check", &events), ("replay", &documents)]
    {
        for format in formats(command) {
            let output = run(&[command, path, "--format", format, "--all", "-v"]);
            let both = format!("{}{}", out(&output), err(&output));
            let shown = both.lines().find(|line| line.contains("SHIPSHAPE_CANARY"));
            assert_eq!(shown, None, "{command} {format}");
        }
    }
}

/// Where a document holds a canary at any depth, from the whole to the value.
fn places(value: &Value, pointer: &str, found: &mut Vec<String>) {
    if !value.to_string().contains("SHIPSHAPE_CANARY") {
        return;
    }
    found.push(pointer.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| places(value, &format!("{pointer}/{name}"), found));
        }
        Value::Array(items) => {
            let indexed = items.iter().enumerate();
            indexed.for_each(|(index, value)| places(value, &format!("{pointer}/{index}"), found));
        }
        _ => {}
    }
}

/// Pre-flights speak of images, and a registry's address may carry a password.
#[test]
fn no_password_of_a_registry_reaches_a_preflight() {
    let folder = tempfile::tempdir().unwrap();
    let name = "events/ecs/ecs-service-no-public-ip.fail.create-fargate.json";
    let service = fs::read_to_string(root(name)).unwrap();
    let event: Value = serde_json::from_str(&service).unwrap();
    let definition = event["detail"]["responseElements"]["service"]["taskDefinition"].clone();
    let described = serde_json::json!({"taskDefinition": {
        "taskDefinitionArn": definition, "family": "x", "revision": 1, "status": "ACTIVE", "networkMode": "awsvpc",
        "containerDefinitions": [
            {"name": "web", "image": "robot:SHIPSHAPE_CANARY_1@registry.example.com/team/web:1", "privileged": true},
            {"name": "side", "image": "https://robot:SHIPSHAPE_CANARY_2@registry.example.com/team/side:1",
             "environment": [{"name": "A", "value": "SHIPSHAPE_CANARY_3"}], "command": ["SHIPSHAPE_CANARY_4"]}
        ]
    }, "tags": [{"key": "k", "value": "SHIPSHAPE_CANARY_5"}]});
    let state = folder.path().join("state");
    fs::create_dir(&state).unwrap();
    file(&state, "task.json", described.to_string().as_bytes());
    let state = state.display().to_string();
    for format in ["text", "json"] {
        let arguments =
            ["replay", &root(name), "--state", &state, "--mode", "fix", "--all", "-v", "--format", format];
        let output = run(&arguments);
        let both = format!("{}{}", out(&output), err(&output));
        assert!(both.contains("ecs-container-not-privileged"), "the described revision is judged: {both}");
        assert!(!both.contains("SHIPSHAPE_CANARY"), "{format}: {both}");
    }
}
