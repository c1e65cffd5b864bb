//! The whole folder of events as one history, in the text that people see. A target of its own: `insta::glob!` would
//! collect its failure.

use shipshape_tests::shipshape;

#[test]
fn the_whole_history_reads_as_it_did() {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        let policy = ["--policy", "../infra/policy.example.toml", "--state", "state"];
        insta::assert_snapshot!("history", shipshape(&[&["replay", "../events", "--full"][..], &policy].concat()));
    });
}
