//! Every captured event, in the text that people see: as the first command of the README shows it, and as it would
//! end where everything may be fixed and the described state is at hand.

use std::fs;
use std::path::Path;

use serde_json::Value;
use shipshape_core::control::Control;
use shipshape_core::controls;
use shipshape_tests::shipshape;

#[test]
fn every_event_reads_as_it_did() {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::glob!("../events", "**/*.json", |path| {
            let file = relative(path);
            // Events of a control that nobody switched on show that control.
            let only = named_after(&file).filter(|control| control.opt_in).map(|control| ["--control", control.slug]);
            let only = only.as_ref().map_or(&[][..], |only| &only[..]);
            let told = shipshape(&[&["replay", &file][..], only].concat());
            let fixing = ["--policy", "golden.toml", "--state", "state", "--passable-role", "arn:*:iam::*:role/*"];
            let fixed = shipshape(&[&["replay", &file, "--all"][..], &fixing, only].concat());
            insta::assert_snapshot!(format!("{told}\n==== everything may be fixed, described state at hand\n\n{fixed}"));
        });
    });
}

#[test]
fn every_event_named_after_a_control_shows_the_verdict_that_its_name_says() {
    let mut seen = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/ecs")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let Some(control) = named_after(&name) else { continue };
        let verdict = name.split('.').nth(1).unwrap();
        let status = match verdict {
            "fail" => "failed",
            "pass" => "passed",
            "not-applicable" => "not_applicable",
            "unknown" => "unknown",
            other => panic!("{name} says `{other}`, which is no verdict"),
        };
        let file = format!("../events/ecs/{name}");
        let output = shipshape(&["replay", &file, "--control", control.slug, "--all", "--format", "json"]);
        let lines = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let statuses: Vec<Value> =
            lines.filter(|line| line["kind"] == "finding").map(|line| line["status"].clone()).collect();
        assert!(statuses.contains(&status.into()), "{name}: {statuses:?}");
        seen += 1;
    }
    assert!(seen > 2 * controls::ALL.len() - 1, "only {seen} events are named after a control");
}

/// The control whose slug a file's name begins with.
fn named_after(file: &str) -> Option<&'static Control> {
    let name = file.rsplit('/').next()?;
    controls::ALL.iter().copied().find(|control| name.split('.').next() == Some(control.slug))
}

/// The path as a person in `tests/` would type it, so that snapshots hold none of this machine's.
fn relative(path: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").canonicalize().unwrap();
    format!("../events/{}", path.canonicalize().unwrap().strip_prefix(root).unwrap().display())
}
