//! `check` as a pipeline has it: what is not deployed yet, and has neither account nor ARN.

use std::fs;

use serde_json::Value;

use crate::command::{EVENT, err, file, lines, out, root, run};

const TASK: &str =
    r#"{"family":"web","containerDefinitions":[{"name":"app","image":"a","privileged":true}]}"#;
const PRIVILEGED: [&str; 2] = ["--control", "ecs-container-not-privileged"];

#[test]
fn account_and_region_make_documents_those_of_a_place() {
    let folder = tempfile::tempdir().unwrap();
    let task = file(folder.path(), "task.json", TASK.as_bytes());
    let exemption = b"version = 1\n[[exemptions]]\ncontrol = \"ecs-container-not-privileged\"\n\
        resource = \"arn:aws:ecs:eu-west-1:111122223333:task-definition/web:*\"\n\
        owner = \"a\"\nreason = \"b\"\nexpires = 2030-01-31\n";
    let policy = file(folder.path(), "policy.toml", exemption);
    let base = [&["check", &task, "--policy", &policy][..], &PRIVILEGED].concat();
    let nowhere = run(&base);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(out(&nowhere).contains("policy.toml:2 may cover it: give --account and"), "{}", out(&nowhere));
    let json = lines(&base);
    assert!(json[0]["notes"][0].as_str().unwrap().ends_with("--region"), "{json:?}");
    let there = [&base[..], &["--account", "111122223333", "--region", "eu-west-1"]].concat();
    let exempt = run(&there);
    assert_eq!(exempt.status.code(), Some(0), "{}", out(&exempt));
    let named = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web ";
    assert!(out(&exempt).starts_with(named) && out(&exempt).contains("1 exempt"), "{}", out(&exempt));
    for (wrong, why) in [
        (["--account", "12", "--region", "eu-west-1"], "write its 12 digits"),
        (["--account", "111122223333", "--region", "Ireland"], "write its code"),
    ] {
        let output = run(&[&base[..], &wrong].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(err(&output).contains(why), "{}", err(&output));
    }
    assert_eq!(run(&[&base[..], &["--account", "111122223333"]].concat()).status.code(), Some(2));
}

#[test]
fn a_service_that_is_still_to_be_made_is_judged_by_the_input_of_its_family() {
    let folder = tempfile::tempdir().unwrap();
    let service = |name: &str, revision: &str| {
        let input = format!(
            r#"{{"cluster":"shop","serviceName":"web","taskDefinition":"{revision}","desiredCount":1}}"#
        );
        file(folder.path(), name, input.as_bytes())
    };
    let (by_family, by_number) = (service("a.json", "web"), service("b.json", "web:1"));
    let task = file(folder.path(), "task.json", TASK.as_bytes());
    let of_service = |args: &[&str]| -> Value {
        let found = lines(&[&["check"], args, &PRIVILEGED].concat());
        found.into_iter().find(|one| one["resource"]["type"] == "AWS::ECS::Service").unwrap()
    };
    let joined = of_service(&[&by_family, &task]);
    assert_eq!(
        (&joined["status"], &joined["resource"]["arn"]),
        (&"failed".into(), &"arn:aws:ecs:::service/shop/web".into())
    );
    let unsure = of_service(&[&by_number, &task]);
    assert_eq!(unsure["needs"][0], "aws ecs describe-task-definition --task-definition web:1 --include TAGS");
    assert!(unsure["notes"][0].as_str().unwrap().contains("next revision"), "{unsure}");
    let text = out(&run(&[&["check", &by_number, &task][..], &PRIVILEGED].concat()));
    assert!(text.contains("note        the input of family web beside it"), "{text}");
    let alone = of_service(&[&by_family]);
    assert_eq!(alone["needs"][0], "aws ecs describe-task-definition --task-definition web --include TAGS");
    let other = file(folder.path(), "other.json", TASK.as_bytes());
    let several = of_service(&[&by_family, &task, &other]);
    assert_eq!(several["status"], "unknown");
    assert!(several["notes"][0].as_str().unwrap().contains("2 inputs of family web"), "{several}");
    fs::remove_file(other).unwrap();
}

#[test]
fn what_could_not_be_judged_is_said_and_counts_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let empty = file(folder.path(), "empty.json", br#"{"family":"a b","containerDefinitions":[]}"#);
    let rows: [(&[&str], &str, i32); 4] = [
        (&[], "Nothing could be judged.\n", 0),
        (&["--fail-on", "never", "--fail-on-unknown"], "Nothing could be judged.\n", 1),
        (&["--severity", "CRITICAL", "--fail-on", "HIGH"], "Nothing could be judged.\n", 0),
        (
            &["--control", "ecs-cluster-container-insights"],
            "Nothing was judged: no selected control has an answer",
            0,
        ),
    ];
    for (args, headline, status) in rows {
        let output = run(&[&["check", &empty][..], args].concat());
        assert!(out(&output).contains(headline), "{args:?}: {}", out(&output));
        assert_eq!(output.status.code(), Some(status), "{args:?}");
    }
    let task = file(
        folder.path(),
        "task.json",
        br#"{"family":"a","containerDefinitions":[{"name":"a","image":"a"}]}"#,
    );
    let beside = run(&[&["check", &empty, &task][..], &PRIVILEGED].concat());
    assert!(out(&beside).contains("\nNothing fails; 1 could not be judged.\n"), "{}", out(&beside));
    let alone = run(&[&["check", &task, "--fail-on-unknown"][..], &PRIVILEGED].concat());
    assert_eq!(alone.status.code(), Some(0));
    assert!(out(&alone).starts_with("Nothing fails.\n"), "{}", out(&alone));
    let exempt = b"version = 1\n[[exemptions]]\ncontrol = \"*\"\nresource = \"*\"\nowner = \"a\"\nreason = \"b\"\nexpires = 2030-01-31\n";
    let policy = file(folder.path(), "policy.toml", exempt);
    let accepted = run(&["check", &empty, "--fail-on-unknown", "--policy", &policy]);
    assert_eq!(accepted.status.code(), Some(0), "{}", out(&accepted));
}

#[test]
fn replay_says_what_it_could_not_judge_too() {
    let event = root("events/ecs/ecs-cluster-container-insights.unknown.no-settings.json");
    let one = ["replay", &event, "--control", "ecs-cluster-container-insights"];
    let said = run(&one);
    assert!(out(&said).contains("Nothing could be judged.\n"), "{}", out(&said));
    assert_eq!(said.status.code(), Some(0));
    assert_eq!(run(&[&one[..], &["--fail-on-unknown"]].concat()).status.code(), Some(1));
}

#[test]
fn events_and_documents_are_told_to_belong_to_the_other_command() {
    let folder = tempfile::tempdir().unwrap();
    let event = fs::read_to_string(root(EVENT)).unwrap();
    let record: Value = serde_json::from_str(&event).unwrap();
    let record = record.get("detail").unwrap_or(&record);
    let log = serde_json::json!({"Records": [record, record, record]}).to_string();
    for (name, text) in [("event.json", event), ("log.json", log)] {
        let path = file(folder.path(), name, text.as_bytes());
        let output = run(&["check", &path]);
        assert_eq!(output.status.code(), Some(2));
        let said = format!("error: {path}: an event: use `shipshape replay`\n");
        assert_eq!(err(&output), said, "once, however many there are");
    }
    let task = file(folder.path(), "task.json", TASK.as_bytes());
    for path in [&task, &root("tests/state/describe-clusters.json")] {
        let output = run(&["replay", path]);
        assert_eq!(output.status.code(), Some(2));
        assert!(err(&output).contains("a document: use `shipshape check`"), "{}", err(&output));
    }
}

#[test]
fn what_only_lies_beside_documents_is_passed_over_and_what_is_named_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let package =
        file(folder.path(), "package.json", br#"{"name":"web","version":"1.0.0","dependencies":{}}"#);
    let path = folder.path().display().to_string();
    let nothing = run(&["check", &path]);
    assert_eq!(nothing.status.code(), Some(2), "nothing was checked");
    assert!(err(&nothing).contains("nothing here is a document"), "{}", err(&nothing));
    file(folder.path(), "task.json", TASK.as_bytes());
    let beside = run(&["check", &path, "--fail-on", "never", "-v"]);
    assert_eq!(beside.status.code(), Some(0), "{}", err(&beside));
    let said = "1 passed over, since they are no documents of AWS";
    assert!(out(&beside).contains(&format!("1 read, 1 resource, {said}")), "{}", out(&beside));
    assert!(err(&beside).contains(&format!("package.json: 0 read, 0 resources, {said}")), "{}", err(&beside));
    assert_eq!(lines(&["check", &path]).last().unwrap()["summary"]["documents"]["unrelated"], 1);
    let named = run(&["check", &path, &package, "--fail-on", "never"]);
    assert_eq!(named.status.code(), Some(2));
    assert!(err(&named).contains("no known shape"), "{}", err(&named));
    for (name, text) in [("cut.json", "{\"name\":"), ("oops.json", "{\"family\":\"a\"}")] {
        let broken = file(folder.path(), name, text.as_bytes());
        assert_eq!(run(&["check", &path, "--fail-on", "never"]).status.code(), Some(2), "{name}");
        fs::remove_file(broken).unwrap();
    }
}

#[test]
fn a_printed_document_that_breaks_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let text = "{\n  \"family\": \"a\",\n  \"containerDefinitions\": [\n    {\"name\": \"a\"}\n    {\"name\": \"b\"}\n  ]\n}\n";
    let path = file(folder.path(), "task.json", text.as_bytes());
    let output = run(&["check", &path]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(err(&output), format!("error: {path}: not JSON: it breaks at line 5 column 5\n"));
}

#[test]
fn a_violation_tells_the_container_that_it_is_in() {
    let folder = tempfile::tempdir().unwrap();
    let task = file(folder.path(), "task.json", TASK.as_bytes());
    let service = file(folder.path(), "service.json", br#"{"serviceName":"a","taskDefinition":"web"}"#);
    let text = out(&run(&[&["check", &task, &service][..], &PRIVILEGED].concat()));
    let said = "/containerDefinitions/0/privileged (container app) is true, wanted false";
    assert_eq!(text.matches(said).count(), 2, "{text}");
}

#[test]
fn controls_are_found_by_standards_and_parts_of_their_names() {
    for (name, expected) in [
        ("ECS.4", "ecs-container-not-privileged"),
        ("ecs.4", "ecs-container-not-privileged"),
        ("not-privileged", "ecs-container-not-privileged"),
        ("service-no-public-ip", "ecs-service-no-public-ip"),
    ] {
        let page = out(&run(&["controls", name]));
        assert!(page.contains(expected) && page.contains("reference"), "{name}: {page}");
    }
    let several = out(&run(&["controls", "public-ip"]));
    for slug in ["ecs-service-no-public-ip", "ecs-task-set-no-public-ip", "ecs-run-task-no-public-ip"] {
        assert!(several.contains(slug) && !several.contains("reference"), "{several}");
    }
    for name in ["ECS.99", ""] {
        assert_eq!(run(&["controls", name]).status.code(), Some(2), "{name}");
    }
}

#[test]
fn roles_are_arns_and_severities_of_any_case() {
    let role = |role: &str| run(&["replay", &root(EVENT), "--passable-role", role]);
    let refused = role("role");
    assert_eq!(refused.status.code(), Some(2));
    assert!(err(&refused).contains("not the ARN of a role: write one"), "{}", err(&refused));
    for good in ["arn:*:iam::*:role/*", "*"] {
        assert_eq!(role(good).status.code(), Some(0), "{good}");
    }
    let status = |fail_on: &str| run(&["replay", &root(EVENT), "--fail-on", fail_on]).status.code();
    assert_eq!((status("HIGH"), status("Medium"), status("NEVER")), (Some(0), Some(1), Some(0)));
}

#[test]
fn nobody_is_asked_to_describe_what_is_not_made_yet() {
    let folder = tempfile::tempdir().unwrap();
    let service = file(
        folder.path(),
        "service.json",
        br#"{"cluster":"shop","serviceName":"a","taskDefinition":"web"}"#,
    );
    let task = file(folder.path(), "task.json", TASK.as_bytes());
    let empty = file(folder.path(), "empty.json", br#"{"family":"a","containerDefinitions":[]}"#);
    let platform = lines(&["check", &service, &task, "--control", "ecs-fargate-latest-platform"]);
    assert_eq!(platform[0]["needs"], serde_json::json!(["`/launchType` in the input"]));
    let running = lines(&["check", &service, &task, "--control", "ecs-service-running-tasks", "--all"]);
    assert_eq!(running[0]["status"], "not_applicable");
    let containers = lines(&[&["check", &empty][..], &PRIVILEGED].concat());
    assert_eq!(containers[0]["needs"], serde_json::json!(["`/containerDefinitions` in the input"]));
    let runs = file(folder.path(), "runs.json", br#"{"serviceName":"b","taskDefinition":"a"}"#);
    let joined = lines(&[&["check", &empty, &runs][..], &PRIVILEGED].concat());
    assert_eq!(joined[1]["resource"]["type"], "AWS::ECS::Service");
    assert_eq!(joined[1]["needs"], containers[0]["needs"]);
}
