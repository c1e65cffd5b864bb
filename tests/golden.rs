//! Every captured event, in the text that people see: as the first command of the README shows it, and as it would
//! end where everything may be fixed and the described state is at hand. Events of services that speak in other shapes
//! than they are described in, and those that no control judges, show how they are read as well.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use shipshape_core::control::Control;
use shipshape_core::controls;
use shipshape_core::selection::find;
use shipshape_tests::{how_it_is_read, shipshape};

#[test]
fn every_event_reads_as_it_did() {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::glob!("../events/ecs", "*.json", |path| insta::assert_snapshot!(golden(path)));
    });
}

#[test]
fn every_event_of_other_services_reads_as_it_did() {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::glob!("../events", "{[!e]*,e[!c]*,ec[!s]*}/*.json", |path| insta::assert_snapshot!(golden(path)));
    });
}

fn golden(path: &Path) -> String {
    let file = relative(path);
    // Events of a control that nobody switched on show that control.
    let only = named_after(&file).filter(|control| control.opt_in).map(|control| ["--control", control.slug]);
    let only = only.as_ref().map_or(&[][..], |only| &only[..]);
    let told = shipshape(&[&["replay", &file][..], only].concat());
    let fixing = ["--policy", "golden.toml", "--state", "state", "--passable-role", "arn:*:iam::*:role/*"];
    let fixed = shipshape(&[&["replay", &file, "--all"][..], &fixing, only].concat());
    let fixed = format!("\n==== everything may be fixed, described state at hand\n\n{fixed}");
    let read = how_it_is_read(&fs::read_to_string(path).unwrap());
    let read = format!("\n==== how it is read\n\n{read}");
    let judged = !told.contains("of what no control judges");
    let own_shape = file.starts_with("../events/ecs/");
    let parts = [(true, told), (judged, fixed), (!judged || !own_shape, read)];
    parts.into_iter().filter_map(|(shown, part)| shown.then_some(part)).collect()
}

/// A file's name says what its control answers: `unknown` is what the event alone does not show, all others are true by
/// the described state. The policy is that of the snapshots.
#[test]
fn the_verdict_in_a_name_is_what_replay_says() {
    let mut tried = 0;
    for entry in fs::read_dir("../events/ecs").unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some((slug, rest)) = file.split_once('.') else { continue };
        if find(slug).is_none() {
            continue;
        }
        let verdict = rest.split('.').next().unwrap();
        let said = statuses(slug, &file, verdict != "unknown");
        let (wanted, never): (&str, &[&str]) = match verdict {
            "fail" => ("failed", &[]),
            "pass" => ("passed", &["failed", "unknown"]),
            "not-applicable" => ("not_applicable", &["failed", "unknown"]),
            "unknown" => ("unknown", &["failed"]),
            other => panic!("{file}: `{other}` is no verdict"),
        };
        let contradicted = never.iter().any(|status| said.contains(*status));
        assert!(said.contains(wanted) && !contradicted, "{file}: {said:?}");
        tried += 1;
    }
    assert!(tried >= 2 * controls::ALL.len(), "only {tried} names hold a verdict");
}

/// What a control answers for an event, in the words of the output.
fn statuses(slug: &str, file: &str, described: bool) -> BTreeSet<String> {
    let event = format!("../events/ecs/{file}");
    let mut line =
        vec!["replay", &event, "--control", slug, "--all", "--format", "json", "--policy", "golden.toml"];
    if described {
        line.extend(["--state", "state"]);
    }
    let output = shipshape(&line);
    let rows = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    rows.filter_map(|row| Some(row["status"].as_str()?.to_owned())).collect()
}

/// The control whose slug a file's name begins with.
fn named_after(file: &str) -> Option<&'static Control> {
    find(file.rsplit('/').next()?.split('.').next()?)
}

/// The path as a person in `tests/` would type it, so that snapshots hold none of this machine's.
fn relative(path: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").canonicalize().unwrap();
    format!("../events/{}", path.canonicalize().unwrap().strip_prefix(root).unwrap().display())
}
