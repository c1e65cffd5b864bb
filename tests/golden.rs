//! Every captured event, in the text that people see: as the first command of the README shows it, and as it would
//! end where everything may be fixed and the described state is at hand.

use std::path::Path;

/// The output of a command line; its status is the last line.
fn shipshape(args: &[&str]) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let line = ["shipshape", "--color", "never"].iter().chain(args).map(|word| (*word).into());
    let status = shipshape::run(line, &mut out, &mut err);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    format!("{}{}exit status {status}\n", text(out), text(err))
}

#[test]
fn every_event_reads_as_it_did() {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::glob!("../events", "**/*.json", |path| {
            let file = relative(path);
            let told = shipshape(&["replay", &file]);
            let fixing = ["--policy", "golden.toml", "--state", "state", "--passable-role", "arn:*:iam::*:role/*"];
            let fixed = shipshape(&[&["replay", &file, "--all"][..], &fixing].concat());
            insta::assert_snapshot!(format!("{told}\n==== everything may be fixed, described state at hand\n\n{fixed}"));
        });
    });
}

/// The path as a person in `tests/` would type it, so that snapshots hold none of this machine's.
fn relative(path: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").canonicalize().unwrap();
    format!("../events/{}", path.canonicalize().unwrap().strip_prefix(root).unwrap().display())
}

#[test]
fn the_whole_history_reads_as_it_did() {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        let policy = ["--policy", "../infra/policy.example.toml", "--state", "state"];
        insta::assert_snapshot!("history", shipshape(&[&["replay", "../events"][..], &policy].concat()));
    });
}
