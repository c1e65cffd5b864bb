//! `check` as a pipeline has it: what is not deployed yet, and has neither account nor ARN.

use std::fs;

use serde_json::Value;

use crate::command::{err, file, lines, out, run};

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
