//! Tags: whose they are, who may set them, and what becomes of them when a revision is mended.

use serde_json::{Value, json};
use shipshape_core::document::Field;
use shipshape_core::policy::Policy;
use shipshape_core::remediation::Action;
use shipshape_core::resource::{Body, Resource};
use shipshape_tests::{
    Call, FIX, INSIGHTS, PRIVILEGED, arn, cluster, good_task, policy, privileged, service, story, walk,
    with_task, world,
};

const TASK: &str = "ecs-taskdef-tagged";
const SERVICE: &str = "ecs-service-tagged";
const CLUSTER: &str = "ecs-cluster-tagged";

/// Demands an owner of everything, and says who it is where nobody did.
fn owners(beginning: &str) -> Policy {
    let control = |slug: &str| {
        format!("[controls.{slug}]\nenabled = true\nrequired = [\"owner\"]\nvalues = [\"owner=unknown\"]\n")
    };
    policy(&[beginning, &control(TASK), &control(SERVICE), &control(CLUSTER)].concat())
}

fn tagged(arn: &str, key: &str, minute: u32) -> Call {
    let request = json!({"resourceArn": arn, "tags": [{"key": key, "value": "SHIPSHAPE_CANARY_tag"}]});
    Call::new("TagResource", minute, request, Value::Null)
}

fn untagged(arn: &str, key: &str, minute: u32) -> Call {
    Call::new("UntagResource", minute, json!({"resourceArn": arn, "tagKeys": [key]}), Value::Null)
}

fn keys(resource: &Resource) -> Vec<&str> {
    let mut keys: Vec<&str> = resource.tags.known().unwrap().iter().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn tags_and_a_mended_revision_are_two_writes_and_the_revision_keeps_the_tags() {
    let register = Call::register(0, &privileged("checkout", 7)).with(
        "responseElements",
        json!({"taskDefinition": privileged("checkout", 7), "tags": [{"key": "team", "value": "web"}]}),
    );
    let mut world = world(owners(FIX), &[]);
    let step = world.walk(&register.change());
    for slug in [TASK, PRIVILEGED] {
        let judgement = step.judgements.iter().find(|one| one.evaluation.control.slug == slug).unwrap();
        assert_eq!(story(std::slice::from_ref(judgement)), ["failed fix applied"], "{slug}");
    }
    let call = |slug: &str| {
        let judgement = step.judgements.iter().find(|one| one.evaluation.control.slug == slug).unwrap();
        judgement.fix.as_ref().unwrap().call
    };
    assert_eq!(
        (call(TASK), call(PRIVILEGED)),
        (Some(Action::TagResource), Some(Action::RegisterTaskDefinition))
    );
    let revision = arn("task-definition/checkout:7").parse().unwrap();
    let (seen, mended) =
        (world.facts().resource(&revision).unwrap(), world.facts().mended(&revision).unwrap());
    assert_eq!((keys(seen), keys(mended)), (vec!["owner", "team"], vec!["owner", "team"]));
    let privileged = |resource: &Resource| match &resource.body {
        Body::TaskDefinition(task) => task.container_definitions.items()[0].privileged.known().copied(),
        _ => panic!("not a task definition"),
    };
    assert_eq!((privileged(seen), privileged(mended)), (Some(true), Some(false)));
}

#[test]
fn a_service_is_told_of_its_revisions_tags_and_not_moved_for_them() {
    let calls = [
        Call::register(0, &good_task("checkout", 7)),
        Call::create_service(5, &service("checkout", "checkout:7", "DISABLED")),
    ];
    let told = policy(&format!("[controls.{TASK}]\nenabled = true\nvalues = [\"owner=unknown\"]\n"));
    let judged = walk(&mut world(told, &[]), &calls, TASK);
    assert_eq!(story(&judged), ["failed notify notified"; 2]);
    assert!(judged[0].fix.is_some());
    assert!(judged[1].evaluation.found_in.is_some() && judged[1].fix.is_none());
    // Where the revision was tagged, there is nothing to tell of the service either.
    let judged = walk(&mut world(owners(FIX), &[]), &calls, TASK);
    assert_eq!(story(&judged), ["failed fix applied", "passed"]);
}

#[test]
fn what_people_tag_and_untag_is_known_from_then_on() {
    let shop = arn("cluster/shop");
    let calls = [
        Call::create_cluster(0, &cluster("shop", "enabled")),
        tagged(&shop, "team", 1),
        tagged(&shop, "owner", 2),
        // Its answer shows an empty list, as all answers to updates do.
        Call::update_settings(3, &cluster("shop", "enabled")),
        untagged(&shop, "team", 4),
        untagged(&shop, "owner", 5),
    ];
    let judged = walk(&mut world(owners(""), &[]), &calls, CLUSTER);
    assert_eq!(
        story(&judged),
        [
            "failed notify notified",
            "failed notify notified",
            "passed",
            "passed",
            "passed",
            "failed notify notified"
        ]
    );
    let text = format!("{judged:?}");
    assert!(!text.contains("SHIPSHAPE_CANARY"), "a tag's value is in no judgement");
}

#[test]
fn an_update_that_shows_no_tags_is_unknown_and_holds_up_no_other_fix() {
    let calls = [Call::update_settings(0, &cluster("shop", "disabled"))];
    assert_eq!(story(&walk(&mut world(owners(FIX), &[]), &calls, CLUSTER)), ["unknown notify notified"]);
    assert_eq!(story(&walk(&mut world(owners(FIX), &[]), &calls, INSIGHTS)), ["failed fix applied"]);
    let mut shop = cluster("shop", "disabled");
    shop["tags"] = json!([{"key": "team", "value": "web"}]);
    let described = json!({"clusters": [shop]});
    assert_eq!(story(&walk(&mut world(owners(FIX), &[described]), &calls, CLUSTER)), ["failed fix applied"]);
}

#[test]
fn our_tag_stays_through_updates_and_its_removal_is_a_revert() {
    let shop = arn("cluster/shop");
    let mut calls = vec![
        Call::create_cluster(0, &cluster("shop", "enabled")),
        Call::update_settings(1, &cluster("shop", "enabled")),
    ];
    calls.extend((1..=4).map(|turn| untagged(&shop, "owner", turn * 10)));
    let judged = walk(&mut world(owners(FIX), &[]), &calls, CLUSTER);
    assert_eq!(
        story(&judged),
        [
            "failed fix applied",
            "passed",
            "failed fix applied",
            "failed fix applied",
            "failed notify notified",
            "failed notify notified"
        ]
    );
    let reason = &judged[4].ruling.as_ref().unwrap().reason.text;
    assert!(reason.contains("reverted 3 times within 24 hours"), "{reason}");
}

#[test]
fn what_was_untagged_and_not_tagged_again_stays_untagged() {
    let shop = arn("cluster/shop");
    let calls = [
        Call::create_cluster(0, &cluster("shop", "enabled")),
        untagged(&shop, "owner", 1),
        Call::update_settings(2, &cluster("shop", "enabled")),
    ];
    // One fix an hour is all that the budget allows.
    let one = owners(&format!("{FIX}[budget]\nfixes_per_account_per_hour = 1\n"));
    assert_eq!(
        story(&walk(&mut world(one, &[]), &calls, CLUSTER)),
        // It is told once that the budget holds it, not with every event that shows the cluster.
        ["failed fix applied", "failed notify notified", "failed notify repeated"]
    );
}

#[test]
fn what_a_creating_call_does_not_name_is_not_there() {
    let create = |request: Value| {
        let made = service("checkout", "checkout:7", "DISABLED");
        Call::new("CreateService", 0, request, json!({ "service": made })).change()
    };
    let tags = |request: Value| {
        let mut world = world(owners(""), &[]);
        world.walk(&create(request));
        let known = world.facts().resource(&arn("service/shop/checkout").parse().unwrap()).unwrap();
        known.tags.clone()
    };
    let owner = json!([{"key": "owner", "value": "web"}]);
    assert_eq!(tags(json!({"serviceName": "checkout"})), Field::Known(Vec::new()));
    assert_eq!(
        tags(json!({"serviceName": "checkout", "tags": owner})),
        Field::Known(vec!["owner".to_owned()])
    );
    assert_eq!(tags(json!({"tags": "HIDDEN_DUE_TO_SECURITY_REASONS"})), Field::Hidden);
    assert_eq!(tags(Value::Null), Field::Absent);
}

#[test]
fn a_service_of_the_old_form_is_not_tagged() {
    let state = with_task(Vec::new(), &good_task("checkout", 7));
    let mut old = service("checkout", "checkout:7", "DISABLED");
    let long = walk(&mut world(owners(FIX), &state), &[Call::create_service(0, &old)], SERVICE);
    assert_eq!(story(&long), ["failed fix applied"]);
    old["serviceArn"] = json!(arn("service/checkout"));
    let short = walk(&mut world(owners(FIX), &state), &[Call::create_service(0, &old)], SERVICE);
    assert_eq!(story(&short), ["failed notify notified"]);
    let reason = &short[0].ruling.as_ref().unwrap().reason.text;
    assert!(reason.contains("ARN of the old form"), "{reason}");
}
