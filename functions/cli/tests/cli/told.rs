//! What replay tells of answers that changed, of numbers, and of input that holds nothing.

use std::fs;

use serde_json::{Value, json};

use crate::command::{EVENT, err, file, lines, out, root, run};

const RUNNING: &str = "events/ecs/native.task-state-change.running.json";
const PASSES: &str = "events/ecs/ecs-service-no-public-ip.pass.disabled.json";
const FAILS: &str = "events/ecs/ecs-service-no-public-ip.fail.put-back-by-console.json";
const PUBLIC_IP: &str = "ecs-service-no-public-ip";

/// An event as it happens at another time.
fn at(folder: &std::path::Path, event: &str, time: &str) -> String {
    let mut event: Value = serde_json::from_str(&fs::read_to_string(root(event)).unwrap()).unwrap();
    event["time"] = json!(time);
    event["id"] = json!(time);
    if event["detail"].get("eventTime").is_some() {
        event["detail"]["eventTime"] = json!(time);
        event["detail"]["eventID"] = json!(time);
    } else {
        // Of a task only what is newer than what is known counts.
        event["detail"]["version"] = json!(
            time.bytes()
                .filter(u8::is_ascii_digit)
                .fold(0_u64, |number, digit| { (number * 10 + u64::from(digit - b'0')) % 1_000_000_000 })
        );
    }
    file(folder, &format!("{}.json", time.replace(':', "-")), event.to_string().as_bytes())
}

/// The text about one control, after these events in a row.
fn told(events: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let times = (1..).map(|hour| format!("2026-11-03T{hour:02}:00:00Z"));
    let files: Vec<String> =
        events.iter().zip(times).map(|(event, time)| at(folder.path(), event, &time)).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    out(&run(&[&["replay", "--control", PUBLIC_IP], &files[..]].concat()))
}

#[test]
fn a_later_answer_takes_back_what_could_not_be_judged() {
    assert!(told(&[RUNNING]).contains("unknown   not judged"));
    let passed = told(&[RUNNING, PASSES]);
    assert!(!passed.contains("unknown   not judged") && passed.starts_with("Nothing fails."), "{passed}");
    assert!(!passed.contains("would tell more with"), "nothing is missing any more: {passed}");
    let failed = told(&[RUNNING, FAILS]);
    assert!(failed.contains(&format!("{PUBLIC_IP}  failed\n")), "no change was told before: {failed}");
    assert!(!failed.contains("unknown   not judged"), "{failed}");
}

#[test]
fn what_was_told_to_fail_stays_when_it_passes() {
    let text = told(&[FAILS, PASSES]);
    assert!(text.contains(&format!("{PUBLIC_IP}  failed\n")), "{text}");
    let twice = told(&[FAILS, PASSES, FAILS]);
    assert!(twice.contains(&format!("{PUBLIC_IP}  failed, the last of 2 changes\n")), "{twice}");
}

#[test]
fn what_fails_and_what_is_unknown_are_counted_apart() {
    for (event, failed, unknown) in [(RUNNING, 0, 1), (FAILS, 1, 0)] {
        let summary = lines(&["replay", "--control", PUBLIC_IP, &root(event)]).pop().unwrap();
        let found = &summary["summary"]["findings"]["by_control"][PUBLIC_IP];
        assert_eq!(*found, json!({"failed": failed, "unknown": unknown}), "{event}");
    }
    let text = out(&run(&["replay", &root(RUNNING), &root(FAILS)]));
    let table = text.split_once("\nby control ").unwrap().1;
    assert!(table.split_once("\nnot judged ").is_some_and(|(table, _)| table.contains(PUBLIC_IP)), "{text}");
}

#[test]
fn each_row_of_mode_fix_adds_up() {
    let text = out(&run(&["replay", &root("events")]));
    let table = text.split_once("\nby control ").unwrap().1;
    let mut rows = table.lines();
    let titles: Vec<&str> =
        rows.next().unwrap().trim().split("  ").filter(|title| !title.is_empty()).collect();
    assert_eq!(titles[..2], ["failed", "in mode fix: failed"], "{table}");
    for row in rows.take_while(|row| row.trim().starts_with("ecs-")) {
        let numbers: Vec<u64> = row.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        assert_eq!(numbers[1], numbers[2..].iter().sum::<u64>(), "{row}");
        assert_eq!(numbers.len(), titles.len(), "{row}");
    }
}

#[test]
fn messages_are_told_by_what_they_are_about() {
    let end = |events: &str| {
        let text = out(&run(&["replay", &root(events)]));
        let line = text.lines().find(|line| line.starts_with("in mode notify:")).map(ToOwned::to_owned);
        line.unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(end(EVENT), "in mode notify: 1 message");
    assert_eq!(end(RUNNING), "in mode notify: 1 message, about what could not be judged");
    let summary = lines(&["replay", &root("events")]).pop().unwrap();
    let told = &summary["summary"]["counterfactual"]["notify"];
    let (all, unknown) = (told["messages"].as_u64().unwrap(), told["unknown"].as_u64().unwrap());
    let failed = all - unknown;
    assert_eq!(
        end("events"),
        format!(
            "in mode notify: {all} messages ({failed} about violations, {unknown} about what could not be judged alone)"
        )
    );
}

#[test]
fn files_without_an_event_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["a.json", "b.json", "c.json", "d.json", "e.json"];
    let files = names.map(|name| file(folder.path(), name, b"{\"hello\": 1}"));
    let [a, b, c, d, e] = &files;
    let among_others = run(&["replay", "-v", &root(EVENT), a, b]);
    let text = out(&among_others).replace("\n                 ", " ");
    assert!(text.contains(&format!("no event         in {a}, {b}\n")), "{text}");
    assert!(
        err(&among_others).contains(&format!("{b}: 1 piece, none of them an event")),
        "{}",
        err(&among_others)
    );
    for order in [[a, b, c, d, e], [e, d, c, b, a]] {
        let order = order.map(String::as_str);
        let text =
            out(&run(&[&["replay", &root(EVENT)], &order[..]].concat())).replace("\n                 ", " ");
        assert!(text.contains(&format!("in {a}, {b}, {c}, and in 2 more files, which -v names\n")), "{text}");
    }
    let alone = out(&run(&["replay", a]));
    assert!(alone.contains(&format!("error: {a}: nothing here is an event")), "{alone}");
    let many = out(&run(&["replay", &folder.path().display().to_string()]));
    assert!(many.contains(&format!("error: {c}: nothing here is an event")), "{many}");
    assert!(many.contains("and 2 more files that hold no event, which -v names"), "{many}");
}

#[test]
fn why_nothing_was_judged_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let other = file(folder.path(), "other.json", b"{\"hello\": 1}");
    let empty = file(folder.path(), "list.json", b"[]");
    let nowhere = folder.path().join("none.json").display().to_string();
    let event = root(EVENT);
    let failed = root("events/ecs/ignored.failed-access-denied.json");
    let rows: [(&[&str], &str); 7] = [
        (&[&failed], "nothing in the input changes what is watched"),
        (&[&nowhere], "nothing could be read"),
        (&["-"], "nothing could be read"),
        (&[&other], "nothing in the input is an event"),
        (&[&empty], "the input holds nothing"),
        (&[&event, "--since", "2030-01-01"], "what changed in the input did so outside --since and --until"),
        (&[&event, "--control", PUBLIC_IP], "no control judges what changed in the input"),
    ];
    for (args, why) in rows {
        let text = out(&run(&[&["replay"], args].concat()));
        assert!(text.starts_with(&format!("Nothing was judged: {why}.\n")), "{args:?}: {text}");
    }
}

#[test]
fn times_that_can_hold_nothing_are_usage_errors() {
    let event = root(EVENT);
    for until in ["2026-11-01", "2026-10-01"] {
        let output = run(&["replay", &event, "--since", "2026-11-01", "--until", until]);
        assert_eq!(output.status.code(), Some(2));
        assert!(err(&output).contains("is not before --until"), "{}", err(&output));
    }
    for since in ["7d", "-24h", "now"] {
        let output = run(&["replay", &event, &format!("--since={since}")]);
        assert_eq!(output.status.code(), Some(2));
        assert!(err(&output).contains("replay reads no clock"), "{since}: {}", err(&output));
    }
    assert!(!err(&run(&["replay", &event, "--since", "soon"])).contains("replay reads no clock"));
}

#[test]
fn a_policy_tells_what_is_judged_and_what_answers() {
    let folder = tempfile::tempdir().unwrap();
    let policy = |text: &str| {
        let path = file(folder.path(), "policy.toml", format!("version = 1\n{text}").as_bytes());
        let output = run(&["policy", "check", &path]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        let text = out(&output).replace(&path, "P");
        text.replace("\n    ", " ").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let part = |text: &str, from: &str, to: &str| {
        let (_, rest) = text.split_once(from).unwrap();
        rest.split_once(to).unwrap().0.to_owned()
    };
    let plain = policy("mode = \"fix\"\n");
    assert!(part(&plain, "not judged: ", "accounts,").contains("ecs-image-trusted-registry"), "{plain}");
    let person = part(&plain, "a person: ", "a safe fix: ");
    assert!(
        person.contains("ecs-container-non-root-user") && person.contains("ecs-no-plaintext-secrets-env")
    );
    assert!(!person.contains("ecs-service-no-public-ip"), "{person}");
    assert!(plain.contains("any other fix (P:2), safe fixes only (default) "), "{plain}");

    let opted = policy("[controls.ecs-image-trusted-registry]\nenabled = true\n");
    assert!(!part(&opted, "not judged: ", "accounts,").contains("ecs-image-trusted-registry"), "{opted}");
    let user = policy("[controls.ecs-container-non-root-user]\nuser = \"1000\"\n");
    let tells = part(&user, "a fix as far as its parameters tell how: ", " a person: ");
    assert_eq!(tells, "ecs-container-non-root-user");

    let accounts = policy(
        "[groups]\nprod = [\"222233334444\", \"333344445555\"]\n[[rules]]\ngroups = [\"prod\"]\nmode = \"fix\"\n\
         controls = [\"ecs-no-plaintext-secrets-env\", \"ecs-image-trusted-registry\"]\n",
    );
    let told = part(&accounts, "says otherwise ", "any other");
    let expected = "222233334444, 333344445555 notify (default), but fix (P:6), safe fixes only (default): \
                    ecs-no-plaintext-secrets-env (a person) ";
    assert_eq!(told, expected);
}

#[test]
fn the_calls_that_would_tell_more_can_be_run_as_they_are() {
    let calls = |args: &[&str]| {
        let text = out(&run(&[&["replay"], args].concat()));
        let (_, rest) = text.split_once("would tell more with ").unwrap();
        let (count, rest) = rest.split_once(" answer").unwrap();
        let calls = rest.lines().skip(1).take_while(|line| line.starts_with("                 "));
        (count.parse::<usize>().unwrap(), calls.map(|line| line.trim().to_owned()).collect::<Vec<_>>())
    };
    let (events, service) = (root("events"), root(RUNNING));
    let (count, first) = calls(&[&events]);
    assert_eq!(*first.last().unwrap(), format!("and {} more, which --full names", count - 8));
    let (count, all) = calls(&[&events, "--full"]);
    let (headings, all): (Vec<&String>, Vec<&String>) =
        all.iter().partition(|line| line.starts_with("in account "));
    assert!(headings.len() > 1, "{headings:?}");
    assert_eq!(all.len(), count);
    for call in all {
        let part = call.split(" --region ").count() - 1;
        let asks = call.matches("aws ").count() - call.matches("aws iam ").count();
        assert!(call.starts_with("aws ") && part == asks && !call.contains(", and "), "{call}");
    }
    let (_, one) = calls(&[&service]);
    assert_eq!(
        one,
        ["aws ecs describe-services --cluster shop --services storefront --include TAGS --region eu-west-1"]
    );
}

#[test]
fn what_was_done_is_said_and_which_lines_allowed_it() {
    let (events, state) = (root("events"), root("tests/state"));
    let replay = |args: &[&str]| {
        let args = [
            &["replay", &events, "--state", &state, "--full", "--passable-role", "arn:*:iam::*:role/*"],
            args,
        ];
        out(&run(&args.concat())).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let text = replay(&["--mode", "fix"]);
    assert!(text.contains("fix applied: mode is fix (--mode)"), "{text}");
    assert!(!text.contains("was registered"), "{text}");
    let text = replay(&["--mode", "fix", "--disruptive"]);
    assert!(
        text.contains("fix applied: mode is fix (--mode) and disruptive is true (--disruptive)"),
        "{text}"
    );
    assert!(text.contains("-mended was registered: mode is fix (--mode) and disruptive"), "{text}");
    let owned = "owns the resource and would put it back, so that it has to be changed there: iac is notify (default)";
    assert!(text.contains(owned), "{text}");
}

#[test]
fn one_fix_needs_and_several_need() {
    let fail = root("events/ecs/ecs-service-no-public-ip.fail.create-fargate.json");
    let state = root("tests/state");
    let text = |control: &str| {
        let text = out(&run(&["replay", "--state", &state, "--control", control, &root("events"), &fail]));
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let said =
        ["ecs-service-no-public-ip", "ecs-exec-logging-enabled", "ecs-container-not-privileged"].map(text);
    for said in said.iter().filter(|said| said.contains(" disruptive = true)")) {
        assert_eq!(said.contains("(1 of them needs "), said.contains("(1 of them "), "{said}");
    }
    assert!(said.iter().any(|said| said.contains("(1 of them needs disruptive = true)")), "{said:?}");
}

#[test]
fn the_help_wraps_where_its_lines_are_full() {
    let help = out(&run(&["replay", "--help"]));
    let prose = help.split_once("Reads one event").unwrap().1;
    let lines: Vec<&str> = prose.trim_end().lines().collect();
    let (_, whole) = lines.split_last().unwrap();
    assert!(whole.iter().skip(1).all(|line| line.len() > 70), "{prose}");
}
