//! Every captured event, in the text that people see: as the first command of the README shows it, and as it would
//! end where everything may be fixed and the described state is at hand.

use std::path::Path;

use shipshape_tests::shipshape;

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
