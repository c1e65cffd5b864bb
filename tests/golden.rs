//! Every captured event, in the text that people see: as the first command of the README shows it, and as it would
//! end where everything may be fixed and the described state is at hand.

use std::path::Path;

use shipshape_core::selection::find;
use shipshape_tests::shipshape;

#[test]
fn every_event_reads_as_it_did() {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::glob!("../events", "**/*.json", |path| {
            let file = relative(path);
            let told = shipshape(&["replay", &file]);
            let fixing = ["--policy", "golden.toml", "--state", "state", "--passable-role", "arn:*:iam::*:role/*"];
            let fixed = shipshape(&[&["replay", &file, "--all"][..], &fixing].concat());
            let mut text = format!("{told}\n==== everything may be fixed, described state at hand\n\n{fixed}");
            if let Some(slug) = opt_in(path) {
                let alone = shipshape(&[&["replay", &file, "--all", "--control", slug][..], &fixing].concat());
                text.push_str(&format!("\n==== {slug}, which is opt-in\n\n{alone}"));
            }
            insta::assert_snapshot!(text);
        });
    });
}

/// The opt-in control that an event is named after: no policy here switches it on.
fn opt_in(path: &Path) -> Option<&'static str> {
    let slug = path.file_name()?.to_str()?.split('.').next()?;
    find(slug).filter(|control| control.opt_in).map(|control| control.slug)
}

/// The path as a person in `tests/` would type it, so that snapshots hold none of this machine's.
fn relative(path: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").canonicalize().unwrap();
    format!("../events/{}", path.canonicalize().unwrap().strip_prefix(root).unwrap().display())
}
