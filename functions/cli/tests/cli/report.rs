//! What is reported, and in which form.

use std::fs;

use serde_json::Value;

use crate::command::{EVENT, err, file, lines, out, root, run, run_in};

#[test]
fn a_shipshape_toml_in_the_working_directory_is_the_policy_and_said() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "shipshape.toml", b"version = 1\nmode = \"fix\"\n");
    let output = run_in(folder.path(), &["replay", &root(EVENT)]);
    assert!(err(&output).contains("shipshape.toml"), "{}", err(&output));
    assert!(out(&output).contains("mode is fix (shipshape.toml:2)"), "{}", out(&output));
    let overridden = run_in(folder.path(), &["replay", &root(EVENT), "--mode", "notify"]);
    assert!(out(&overridden).contains("mode is notify (--mode)"), "{}", out(&overridden));
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

#[test]
fn the_lines_are_what_programs_were_promised() {
    let all = lines(&["replay", &root("events"), "--state", &root("tests/state"), "--all"]);
    let members = [
        "v",
        "kind",
        "control",
        "standards",
        "severity",
        "status",
        "resource",
        "account",
        "region",
        "event",
        "violations",
        "decision",
        "plan",
        "safety",
        "summary",
        "outcome",
        "incident",
        "source",
    ];
    for line in all.iter().filter(|line| line["kind"] == "finding") {
        for member in members {
            assert!(line.get(member).is_some(), "{member} is missing: {line}");
        }
        let needs = line["needs"].as_array().unwrap();
        assert_eq!(needs.is_empty(), line["status"] != "unknown", "{line}");
        assert!(line["status"] != "passed" || line["decision"].is_null(), "{line}");
        for member in ["id", "time", "name", "actor", "origin"] {
            assert!(line["event"][member].is_string(), "{member}: {line}");
        }
    }
    let text = out(&run(&["replay", &root("events"), "--format", "json"]));
    let positions = members.map(|member| text.find(&format!("\"{member}\":")).unwrap());
    assert!(positions.is_sorted(), "the members keep their order");
    let summary = &all.last().unwrap()["summary"];
    for path in [
        "/events/read",
        "/events/ignored_by_reason",
        "/findings/by_control",
        "/findings/by_status",
        "/findings/by_decision",
        "/counterfactual/notify/messages",
        "/counterfactual/fix/fixed",
    ] {
        assert!(summary.pointer(path).is_some(), "{path}: {summary}");
    }
}

#[test]
fn the_text_ends_with_what_both_modes_would_have_done() {
    let text = out(&run(&["replay", &root("events"), "--state", &root("tests/state")]));
    let (before, end) = text.split_once("in mode notify:").unwrap();
    assert!(
        end.contains(" messages (")
            && end.contains("\nin mode fix:")
            && end.contains("need disruptive = true"),
        "{end}"
    );
    for words in ["--state", "\n                   aws ", "--passable-role"] {
        assert!(before.contains(words), "{words} would tell more");
    }
    let blocks = before.matches("arn:aws:ecs:eu-west-1:111122223333:service/shop/storefront  ").count();
    assert_eq!(blocks, 1, "one block a resource, however many events");
    for (index, line) in text.lines().enumerate() {
        assert_eq!(line.trim_end(), line, "line {} ends in blanks", index + 1);
    }
}

#[test]
fn what_is_fine_is_said_to_be() {
    let passing = root("events/ecs/ecs-cluster-container-insights.pass.enabled.json");
    let output = out(&run(&["replay", &passing]));
    assert!(output.starts_with("Nothing fails.\n"), "{output}");
    assert!(!output.contains("ecs-cluster-container-insights  passed"), "{output}");
    assert!(out(&run(&["replay", &passing, "--all"])).contains("ecs-cluster-container-insights  passed"));
    let ignored = out(&run(&["replay", &root("events/ecs/ignored.read-only.json")]));
    assert!(ignored.starts_with("Nothing was judged"), "{ignored}");
}

#[test]
fn check_keeps_files_apart_and_counts_what_holds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let input = |user: &str| {
        format!(r#"{{"family":"web","containerDefinitions":[{{"name":"web","user":"{user}"}}]}}"#)
    };
    let [a, b] = [("a.json", "root"), ("b.json", "0")]
        .map(|(name, user)| file(folder.path(), name, input(user).as_bytes()));
    let nothing = file(folder.path(), "none.json", br#"{"clusterArns":[]}"#);
    let args = ["check", &a, &b, &nothing, "--control", "ecs-container-non-root-user"];
    let text = out(&run(&args));
    assert!(text.contains(&a) && text.contains(&b), "{text}");
    assert!(text.contains("\"root\"") && text.contains("\"0\""), "{text}");
    let summary = lines(&args).pop().unwrap();
    let documents = serde_json::json!({"read": 3, "resources": 2, "ignored": 1, "unrelated": 0, "broken": 0});
    assert_eq!(summary["summary"]["documents"], documents);
    assert_eq!(summary["summary"]["findings"]["by_status"]["failed"], 2);
}

#[test]
fn a_service_answers_for_the_revision_beside_it() {
    let state = root("tests/state");
    let named = |control: &str, args: &[&str]| {
        let lines = lines(&[&["check", "--control", control], args].concat());
        let service = |line: &&Value| line["resource"]["type"] == "AWS::ECS::Service";
        lines
            .iter()
            .filter(service)
            .map(|line| line["status"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let (service, task) = (
        format!("{state}/describe-services.json"),
        format!("{state}/describe-task-definition.default-feedback-2.json"),
    );
    assert_eq!(named("ecs-container-readonly-rootfs", &[&service]), ["unknown"]);
    assert_eq!(named("ecs-container-readonly-rootfs", &[&service, &task]), ["failed"]);
}

#[test]
fn a_policy_that_is_right_is_summed_up() {
    let policy = root("infra/policy.example.toml");
    let text = |now: &str| out(&run(&["policy", "check", &policy, "--now", now]));
    let before = text("2026-11-20");
    for words in ["111122223333  staging", "222233334444", "any other", "bytes", "exemptions that hold"] {
        assert!(before.contains(words), "{words}: {before}");
    }
    let after = text("2027-03-01");
    let (expired, rest) = after.split_once("policy.example.toml is right\n").unwrap();
    assert!(expired.contains("has expired and suppresses nothing"), "{after}");
    assert!(!rest.contains("exemptions that hold"), "{after}");
    let folder = tempfile::tempdir().unwrap();
    let rule = "[[rules]]\nresources = [\"arn:aws:ecs:eu-west-1:111122223333:service/a-name-of-some-length/*\"]\nmode = \"fix\"\n";
    let long = file(folder.path(), "long.toml", format!("version = 1\n{}", rule.repeat(100)).as_bytes());
    let output = run(&["policy", "check", &long]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("too long for SSM: /shipshape/policy"), "{}", err(&output));
}

#[test]
fn errors_are_said_beside_the_report_too() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report").display().to_string();
    for format in ["text", "json"] {
        let output = run(&["replay", &root("tests/malformed/null.json"), "-o", &report, "--format", format]);
        assert!(err(&output).starts_with("error: "), "{format}: {}", err(&output));
        assert!(fs::read_to_string(&report).unwrap().contains("null.json"), "{format}");
        assert!(output.stdout.is_empty());
        let quiet = run(&["replay", &root("tests/malformed/null.json"), "-q", "--format", format]);
        assert!(err(&quiet).is_empty(), "{format}: {}", err(&quiet));
        assert_eq!(quiet.status.code(), Some(2));
    }
    let unwritable = run(&["replay", &root(EVENT), "-o", &folder.path().display().to_string()]);
    assert_eq!(unwritable.status.code(), Some(2));
    assert!(err(&unwritable).contains("cannot write"), "{}", err(&unwritable));
}
