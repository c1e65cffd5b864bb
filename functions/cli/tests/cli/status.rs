//! Exit status, and what goes to standard error.

use std::process::{Command, Stdio};

use std::fs;

use crate::command::{EVENT, err, file, gzip, out, root, run};

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
        (file(folder.path(), "cut.json.gz", &whole[..whole.len() / 2]), "gzip breaks off after"),
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
fn what_calls_aws_is_in_the_help_and_needs_its_words_right() {
    for (args, part) in [
        (vec!["--help"], "  switch "),
        (vec!["policy", "--help"], "  push "),
        (vec!["switch", "--help"], "Needs a binary with the feature `aws`."),
        (vec!["policy", "push", "--help"], "Needs a binary with the feature `aws`."),
    ] {
        assert!(out(&run(&args)).contains(part), "{args:?}");
    }
    let wrong = run(&["switch", "on"]);
    assert_eq!(wrong.status.code(), Some(2));
    let message = "`on` is not a position of the switch: write run, pause or freeze";
    assert!(err(&wrong).contains(message), "{}", err(&wrong));
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_binary_that_cannot_call_aws_says_how_to_build_one() {
    for (args, command) in [
        (vec!["switch"], "switch"),
        (vec!["switch", "freeze"], "switch freeze"),
        (vec!["policy", "push", "policy.toml"], "policy push policy.toml"),
        (vec!["policy", "push", "my policy.toml", "--dry-run"], "policy push --dry-run 'my policy.toml'"),
    ] {
        let output = run(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(out(&output).is_empty());
        let said = err(&output);
        assert!(said.contains(&format!("\n  cargo run --features aws -- {command}\n")), "{said}");
        assert!(said.contains("cargo install --locked --path functions/cli --features aws"), "{said}");
    }
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

/// Progress is drawn there, by the threads that read: none of them may wait for another.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_it_comes_to_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let command = format!("{} replay {}", env!("CARGO_BIN_EXE_shipshape"), root("events"));
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "screen"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..600 {
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(status.code(), Some(0));
            let screen = String::from_utf8(fs::read(folder.path().join("screen")).unwrap()).unwrap();
            assert!(screen.contains("in mode fix:") && screen.contains('\u{1b}'), "{screen}");
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    child.kill().unwrap();
    panic!("it still runs after half a minute");
}
