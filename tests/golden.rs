//! Every captured event, in the text that people see: as the first command of the README shows it, and as it would
//! end where everything may be fixed and the described state is at hand. Events of services that speak in other shapes
//! than they are described in, and those that no control judges, show how they are read as well.

use std::fs;
use std::path::Path;

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
    let told = shipshape(&["replay", &file]);
    let fixing = ["--policy", "golden.toml", "--state", "state", "--passable-role", "arn:*:iam::*:role/*"];
    let fixed = shipshape(&[&["replay", &file, "--all"][..], &fixing].concat());
    let fixed = format!("\n==== everything may be fixed, described state at hand\n\n{fixed}");
    let read = how_it_is_read(&fs::read_to_string(path).unwrap());
    let read = format!("\n==== how it is read\n\n{read}");
    let judged = !told.contains("of what no control judges");
    let own_shape = file.starts_with("../events/ecs/");
    let parts = [(true, told), (judged, fixed), (!judged || !own_shape, read)];
    parts.into_iter().filter_map(|(shown, part)| shown.then_some(part)).collect()
}

/// The path as a person in `tests/` would type it, so that snapshots hold none of this machine's.
fn relative(path: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").canonicalize().unwrap();
    format!("../events/{}", path.canonicalize().unwrap().strip_prefix(root).unwrap().display())
}
