//! `check --format sarif`: every log here is held against the standard's schema, and against the rules of the
//! standard and of code scanning that no schema says.

mod lines;
mod same;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::OnceLock;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};
use shipshape_core::finding::Fingerprint;

use crate::command::{err, file, out, root, run, run_in};

/// The log of a run, valid and lawful.
fn sarif(args: &[&str]) -> Value {
    let output = run(&[&["check", "--format", "sarif", "--fail-on", "never"], args].concat());
    let log = parsed(&out(&output));
    let unread = !log["runs"][0]["invocations"][0]["executionSuccessful"].as_bool().unwrap();
    assert_eq!(output.status.code(), Some(if unread { 2 } else { 0 }), "{args:?}: {}", err(&output));
    log
}

fn parsed(text: &str) -> Value {
    let log: Value = serde_json::from_str(text).unwrap();
    assert_eq!(invalid(&log), None, "{text}");
    lawful(&log);
    log
}

fn results(log: &Value) -> &Vec<Value> {
    log["runs"][0]["results"].as_array().unwrap()
}

fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value[member].as_array().map_or(&[], Vec::as_slice)
}

/// What the standard's schema says against a log.
fn invalid(log: &Value) -> Option<String> {
    static SCHEMA: OnceLock<(Schemas, SchemaIndex)> = OnceLock::new();
    let (schemas, index) = SCHEMA.get_or_init(|| {
        let text = fs::read_to_string(root("tests/schemas/sarif-2.1.0.json")).unwrap();
        // The first half of the SHA-256 that OASIS's own file has.
        assert_eq!(Fingerprint::of_text(&text).to_string(), "c3b4bb2d6093897483348925aaa73af0");
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.add_resource("sarif.json", serde_json::from_str(&text).unwrap()).unwrap();
        let index = compiler.compile("sarif.json", &mut schemas).unwrap();
        (schemas, index)
    });
    schemas.validate(log, *index).err().map(|error| error.to_string())
}

/// What no schema says: the standard's rules about members that go together, and what code scanning demands.
fn lawful(log: &Value) {
    let runs = list(log, "runs");
    assert_eq!(runs.len(), 1);
    let run = &runs[0];
    let rules = list(&run["tool"]["driver"], "rules");
    for rule in rules {
        let length = |pointer: &str| rule.pointer(pointer).unwrap().as_str().unwrap().chars().count();
        assert!((1..=255).contains(&length("/name")), "{rule}");
        assert!((1..=1024).contains(&length("/shortDescription/text")), "{rule}");
        assert!((1..=1024).contains(&length("/fullDescription/text")), "{rule}");
        assert!(length("/help/text") > 0 && length("/help/markdown") > 0 && length("/helpUri") > 0, "{rule}");
        assert!(!rule["help"]["markdown"].as_str().unwrap().contains(['<', '{']), "HTML: {rule}");
        let score: f64 = rule["properties"]["security-severity"].as_str().unwrap().parse().unwrap();
        assert!((0.1..=10.0).contains(&score), "{rule}");
        let tags = list(&rule["properties"], "tags");
        assert!(tags.len() <= 20 && tags[0] == "security", "{rule}");
        let names: BTreeSet<&str> = tags.iter().filter_map(Value::as_str).collect();
        assert_eq!(names.len(), tags.len(), "{rule}");
    }
    let mut told = BTreeSet::new();
    for result in list(run, "results") {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        let fails = result["kind"] == "fail";
        let level = if fails { &rule["defaultConfiguration"]["level"] } else { &json!("none") };
        assert_eq!(&result["level"], level, "{result}");
        let text = result["message"]["text"].as_str().unwrap();
        assert!(text.ends_with('.') || text.contains(". Note: "), "{text}");
        assert_eq!(list(result, "locations").len(), 1, "code scanning demands one and reads one");
        let related: Vec<&Value> = list(result, "relatedLocations").iter().collect();
        assert_eq!(text.matches("](").count(), related.len(), "every link leads somewhere: {text}");
        for place in list(result, "locations").iter().chain(related) {
            located(place);
        }
        assert!(result["suppressions"].is_array(), "all results have it, or none");
        let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        let hash = &result["partialFingerprints"]["primaryLocationLineHash"];
        assert!(told.insert((uri.to_string(), hash.to_string())), "twice in one file: {result}");
        for fix in list(result, "fixes") {
            let change = &fix["artifactChanges"][0];
            region(&change["replacements"][0]["deletedRegion"]);
            assert_eq!(
                change["artifactLocation"],
                result["locations"][0]["physicalLocation"]["artifactLocation"]
            );
        }
    }
    let invocation = &run["invocations"][0];
    let notifications = list(invocation, "toolExecutionNotifications");
    assert_eq!(invocation["executionSuccessful"], notifications.is_empty());
    for notification in notifications {
        assert_eq!(notification["level"], "error");
        list(notification, "locations").iter().for_each(located);
    }
}

fn located(place: &Value) {
    let artifact = &place["physicalLocation"]["artifactLocation"];
    let uri = artifact["uri"].as_str().unwrap();
    let path = uri.strip_prefix("file://").unwrap_or(uri);
    let relative = path == uri && uri != "stdin";
    assert_eq!(artifact["uriBaseId"], if relative { json!("%SRCROOT%") } else { Value::Null }, "{uri}");
    assert_eq!(path.starts_with('/'), path != uri, "{uri}");
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
    assert!(!uri.is_empty() && path.bytes().all(unreserved), "{uri}");
    if let Some(one) = place["physicalLocation"].get("region") {
        region(one);
    }
}

fn region(region: &Value) {
    let number = |member: &str| region.get(member).map(|value| value.as_u64().unwrap());
    let start = (number("startLine").unwrap(), number("startColumn").unwrap_or(1));
    let end = (number("endLine").unwrap_or(start.0), number("endColumn").unwrap_or(u64::MAX));
    assert!(start >= (1, 1) && start < end, "{region}");
}

#[test]
fn a_log_that_is_none_is_refused() {
    let good = sarif(&[&root("tests/state/describe-clusters.json"), "--all"]);
    let breaks: [(&str, Value); 9] = [
        ("/version", json!("2.2.0")),
        ("/runs/0/tool/driver/name", json!(1)),
        ("/runs/0/tool/driver/rules/0/helpUri", json!("no uri")),
        ("/runs/0/tool/driver/rules/0/extra", json!(true)),
        ("/runs/0/columnKind", json!("bytes")),
        ("/runs/0/results/0/kind", json!("failed")),
        ("/runs/0/results/0/message", json!({})),
        ("/runs/0/results/0/locations/0/physicalLocation/region/startLine", json!(0)),
        ("/runs/0/invocations/0", json!({})),
    ];
    for (pointer, value) in breaks {
        let mut log = good.clone();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        let parent = log.pointer_mut(parent).unwrap();
        match member.parse::<usize>() {
            Ok(index) => parent[index] = value,
            Err(_) => parent[member] = value,
        }
        assert!(invalid(&log).is_some(), "{pointer}");
    }
}

#[test]
fn what_goes_against_the_rules_that_no_schema_says_is_refused_too() {
    let good = sarif(&[&root("tests/state"), "--all"]);
    let fails = results(&good).iter().position(|result| result["kind"] == "fail").unwrap();
    let rules = list(&good["runs"][0]["tool"]["driver"], "rules").len() as u64;
    let other = (results(&good)[fails]["ruleIndex"].as_u64().unwrap() + 1) % rules;
    let breaks = [
        ("level", json!("none")),
        ("kind", json!("open")),
        ("ruleIndex", json!(other)),
        ("locations", json!([])),
        ("message", json!({"text": "[here](7)."})),
        ("partialFingerprints", results(&good)[0]["partialFingerprints"].clone()),
        ("suppressions", Value::Null),
    ];
    for (member, value) in breaks {
        let mut log = good.clone();
        let result = &mut log["runs"][0]["results"][fails];
        assert_ne!(result[member], value, "{member}");
        result[member] = value;
        let quiet = std::panic::catch_unwind(|| lawful(&log));
        assert!(quiet.is_err(), "{member}");
    }
}

#[test]
fn every_described_document_makes_a_valid_log() {
    let (mut kinds, mut files) = (BTreeMap::<String, usize>::new(), 0);
    for entry in fs::read_dir(root("tests/state")).unwrap() {
        let path = entry.unwrap().path().display().to_string();
        if path.ends_with(".json") {
            for result in results(&sarif(&[&path, "--all"])) {
                *kinds.entry(result["kind"].as_str().unwrap().to_owned()).or_default() += 1;
            }
            files += 1;
        }
    }
    assert!(files > 15);
    assert!(["fail", "open", "pass"].iter().all(|kind| kinds.contains_key(*kind)), "{kinds:?}");
    assert!(results(&sarif(&[&root("tests/state"), "--all"])).len() > 20);
}

#[test]
fn what_cannot_be_read_is_a_notification_and_the_rest_is_judged() {
    let good = root("tests/state/describe-clusters.json");
    let expected = results(&sarif(&[&good])).len();
    let mut broken = 0;
    for entry in fs::read_dir(root("tests/malformed")).unwrap() {
        let path = entry.unwrap().path().display().to_string();
        let log = sarif(&[&path, &good]);
        let notifications = list(&log["runs"][0]["invocations"][0], "toolExecutionNotifications");
        let json = run(&["check", &path, &good, "--format", "json"]);
        let errors = out(&json).lines().filter(|line| line.contains("\"kind\":\"error\"")).count();
        assert_eq!(notifications.len(), errors, "{path}");
        assert!(results(&log).len() >= expected, "{path}");
        broken += errors;
    }
    assert!(broken > 20, "{broken}");
    let folder = tempfile::tempdir().unwrap();
    let lines =
        file(folder.path(), "lines.jsonl", b"{\"clusters\":[]}\n{\"clusters\":[\n{\"clusters\":[]}\n");
    let log = sarif(&[&lines]);
    let notification = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(notification["locations"][0]["physicalLocation"]["region"], json!({"startLine": 2}));
    let none = folder.path().join("none.json").display().to_string();
    let log = sarif(&[&none]);
    let text = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert!(text.as_str().unwrap().contains("no such file"), "{text}");
}

#[test]
fn every_status_has_its_kind() {
    let folder = tempfile::tempdir().unwrap();
    let arn = "arn:aws:ecs:eu-west-1:111122223333";
    let task = |revision: u32, status: &str, container: Value| {
        json!({"taskDefinitionArn": format!("{arn}:task-definition/web:{revision}"), "family": "web",
            "revision": revision, "status": status, "containerDefinitions": [container]})
    };
    let documents = [
        task(1, "ACTIVE", json!({"name": "web", "privileged": true})),
        task(2, "ACTIVE", json!({"name": "web", "privileged": false})),
        task(3, "INACTIVE", json!({"name": "web", "privileged": true})),
        task(4, "ACTIVE", json!({"name": "web", "privileged": "HIDDEN_DUE_TO_SECURITY_REASONS"})),
        task(5, "ACTIVE", json!({"name": "web", "privileged": true})),
        task(6, "ACTIVE", json!({"name": "web", "privileged": true})),
    ];
    let documents = file(folder.path(), "tasks.json", json!(documents).to_string().as_bytes());
    let exemption = |revision: u32, expires: &str| {
        format!(
            "[[exemptions]]\ncontrol = \"*\"\nresource = \"{arn}:task-definition/web:{revision}\"\nowner = \"team\"\n\
             reason = \"reviewed\\u202e {{0}}\"\nexpires = {expires}\n"
        )
    };
    let policy = format!("version = 1\n{}{}", exemption(5, "2030-01-31"), exemption(6, "2026-01-31"));
    let policy = file(folder.path(), "policy.toml", policy.as_bytes());
    let more = ["--control", "ecs-container-not-privileged", "--policy", &policy, "--now", "2026-11-20"];
    let told = |all: &[&str]| {
        let log = sarif(&[&[documents.as_str()], &more[..], all].concat());
        let kind = |one: &Value| (one["kind"].as_str().unwrap().to_owned(), one["level"].clone());
        (results(&log).iter().map(kind).collect::<Vec<_>>(), log)
    };
    let kind = |kind: &str| (kind.to_owned(), json!(if kind == "fail" { "error" } else { "none" }));
    let (kinds, log) = told(&["--all"]);
    assert_eq!(kinds, ["fail", "pass", "notApplicable", "open", "fail", "fail"].map(kind));
    let (kinds, _) = told(&[]);
    assert_eq!(kinds, ["fail", "open", "fail", "fail"].map(kind));
    let text = |index: usize| results(&log)[index]["message"]["text"].as_str().unwrap();
    assert_eq!(
        text(0),
        "In container web: /containerDefinitions/0/privileged is true, wanted false. Demanded: Containers are not \
         privileged. Resource: arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1."
    );
    assert!(text(3).starts_with("Not judged: it takes aws ecs describe-task-definition "), "{}", text(3));
    assert!(text(5).contains(" Note: the exemption of team expired after 2026-01-31"), "{}", text(5));
    for (index, result) in results(&log).iter().enumerate() {
        let suppressions = list(result, "suppressions");
        assert_eq!(suppressions.len(), usize::from(index == 4), "{result}");
    }
    let suppression = &results(&log)[4]["suppressions"][0];
    assert_eq!((&suppression["kind"], &suppression["status"]), (&json!("external"), &json!("accepted")));
    let words = suppression["justification"].as_str().unwrap();
    assert!(words.starts_with("exempt through 2030-01-31 by team: reviewed\u{fffd} {0}"), "{words}");
}

#[test]
fn the_rules_are_the_controls_that_were_selected() {
    let clusters = root("tests/state/describe-clusters.json");
    let ids = |args: &[&str]| -> Vec<String> {
        let log = sarif(&[&[clusters.as_str()], args].concat());
        let rules = list(&log["runs"][0]["tool"]["driver"], "rules").iter();
        rules.map(|rule| rule["id"].as_str().unwrap().to_owned()).collect()
    };
    let two = "ecs-service-no-public-ip,ecs-cluster-container-insights";
    assert_eq!(ids(&["--control", two]), ["ecs-cluster-container-insights", "ecs-service-no-public-ip"]);
    let (all, high) = (ids(&[]), ids(&["--severity", "high"]));
    assert!(high.len() < all.len() && high.iter().all(|id| all.contains(id)));
    let log = sarif(&[&clusters]);
    let driver = &log["runs"][0]["tool"]["driver"];
    assert_eq!((&driver["name"], &driver["version"]), (&json!("shipshape"), &driver["semanticVersion"]));
    let rules = list(driver, "rules");
    let rule = rules.iter().find(|rule| rule["id"] == "ecs-container-not-privileged").unwrap();
    assert_eq!(rule["name"], "EcsContainerNotPrivileged");
    assert_eq!(rule["properties"]["security-severity"], "8.0");
    let tags = list(&rule["properties"], "tags");
    assert!(tags.contains(&json!("ECS.4")) && tags.contains(&json!("non-root-and-non-privileged")), "{rule}");
    let help = rule["help"]["markdown"].as_str().unwrap();
    for part in ["**Why.** ", "**In the template.** ", "**Prevention.** ", "[Reference](https://docs.aws."] {
        assert!(help.contains(part), "{help}");
    }
    let page = out(&run(&["controls", "ecs-container-not-privileged", "--format", "json"]));
    let card: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(
        (&rule["helpUri"], &rule["fullDescription"]["text"]),
        (&card["reference"], &card["rationale"])
    );
}

#[test]
fn only_check_has_it_and_the_exit_status_is_what_it_was() {
    let clusters = root("tests/state/describe-clusters.json");
    let replay = run(&["replay", &root("events"), "--format", "sarif"]);
    assert_eq!(replay.status.code(), Some(2));
    let words = err(&replay);
    assert!(words.contains("'sarif'") && words.contains("[possible values: text, json]"), "{words}");
    assert_eq!(run(&["controls", "--format", "sarif"]).status.code(), Some(2));
    for (args, status) in [
        (&[][..], 1),
        (&["--fail-on", "medium"], 1),
        (&["--fail-on", "high"], 0),
        (&["--fail-on", "never"], 0),
        (&["none.json"], 2),
    ] {
        let output = run(&[&["check", clusters.as_str(), "--format", "sarif"], args].concat());
        assert_eq!(output.status.code(), Some(status), "{args:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().join("log.sarif").display().to_string();
    let args = ["check", clusters.as_str(), "--format", "sarif", "--color", "always"];
    let to_file = run_in(folder.path(), &[&args[..], &["-o", &written]].concat());
    assert!(to_file.stdout.is_empty());
    let text = fs::read_to_string(written).unwrap();
    parsed(&text);
    assert_eq!(text, out(&run(&args)));
}
