//! Stories of events that mislead a careless reader: failed calls, addenda, old states, names of every form.

use serde_json::json;
use shipshape_core::event::{Ignored, Parsed};
use shipshape_core::policy::Policy;
use shipshape_tests::{Call, FIX, INSIGHTS, PRIVILEGED, arn, cluster, policy, read, story, walk, world};

/// The request alone names the resource where the response is cut off: by name, ARN, or ARN of the old form, in a
/// cluster by name, by ARN, or in the default one.
#[test]
fn a_service_has_one_name_however_the_caller_typed_it() {
    let cut = json!({"reason": "responseElements too large", "omitted": "true"});
    let old = "arn:aws:ecs:eu-west-1:111122223333:service/checkout";
    let rows = [
        (json!({"service": "checkout"}), "service/default/checkout"),
        (json!({"service": "checkout", "cluster": ""}), "service/default/checkout"),
        (json!({"service": "checkout", "cluster": "shop"}), "service/shop/checkout"),
        (json!({"service": "checkout", "cluster": arn("cluster/shop")}), "service/shop/checkout"),
        (json!({"service": old, "cluster": "shop"}), "service/shop/checkout"),
        (json!({"service": arn("service/shop/checkout")}), "service/shop/checkout"),
    ];
    for (request, expected) in rows {
        let change = Call::new("UpdateService", 0, request.clone(), cut.clone()).change();
        assert_eq!(change.observed[0].id().arn.as_str(), arn(expected), "{request}");
    }
    let cluster = Call::new("UpdateCluster", 0, json!({}), cut).change();
    assert_eq!(cluster.observed[0].id().arn.as_str(), arn("cluster/default"));
}

#[test]
fn a_failed_call_changed_nothing() {
    let denied =
        Call::create_cluster(0, &cluster("shop", "disabled")).with("errorCode", json!("AccessDenied"));
    assert!(matches!(read(&denied.text()), Parsed::Ignored(Ignored::Failed)));
    let dry = Call::create_cluster(0, &cluster("shop", "disabled"))
        .with("errorCode", json!("Client.DryRunOperation"));
    assert!(matches!(read(&dry.text()), Parsed::Ignored(Ignored::Failed)));
    let fine = Call::create_cluster(0, &cluster("shop", "disabled")).with("errorCode", json!("200"));
    assert!(matches!(read(&fine.text()), Parsed::Change(_)));
}

#[test]
fn a_resource_of_another_account_is_rejected() {
    let text = Call::create_cluster(0, &cluster("shop", "disabled")).text();
    let moved = text
        .replace("arn:aws:ecs:eu-west-1:111122223333:cluster", "arn:aws:ecs:eu-west-1:999900001111:cluster");
    assert!(matches!(read(&moved), Parsed::Rejected(_)));
}

#[test]
fn an_addendum_never_overwrites_what_is_newer() {
    let calls = [
        Call::create_cluster(0, &cluster("shop", "disabled")),
        Call::update_settings(10, &cluster("shop", "enabled")),
        Call::create_cluster(0, &cluster("shop", "disabled"))
            .with("eventID", json!("late"))
            .with("eventTime", json!("2026-11-03T09:00:00Z"))
            .with("addendum", json!({"reason": "DELIVERY_DELAY"})),
    ];
    let judged = walk(&mut world(Policy::notify_only(), &[]), &calls, INSIGHTS);
    assert_eq!(story(&judged), ["failed notify notified", "passed", "passed"]);
}

#[test]
fn an_older_state_of_a_task_is_passed_over() {
    let task = |minute: u32, version: u32| {
        Call::deployment(minute, "checkout", "1", "x")
            .envelope("detail-type", json!("ECS Task State Change"))
            .with("taskArn", json!(arn("task/shop/1")))
            .with("clusterArn", json!(arn("cluster/shop")))
            .with("group", json!("service:checkout"))
            .with("version", json!(version))
    };
    let mut world = world(Policy::notify_only(), &[]);
    assert!(!world.walk(&task(0, 5).change()).stale);
    assert!(world.walk(&task(1, 4).change()).stale);
    assert!(!world.walk(&task(2, 6).change()).stale);
}

#[test]
fn an_addendum_alone_is_never_a_resources_whole_state() {
    let part = json!({"taskDefinitionArn": arn("task-definition/checkout:7"), "family": "checkout",
        "containerDefinitions": [{"name": "web", "privileged": true}]});
    let late = Call::register(0, &part).with("addendum", json!({"reason": "UPDATED_DATA"}));
    assert_eq!(story(&walk(&mut world(policy(FIX), &[]), &[late], PRIVILEGED)), ["unknown notify notified"]);
}

#[test]
fn a_resource_of_another_region_is_rejected() {
    let text = Call::create_cluster(0, &cluster("shop", "disabled")).text();
    let moved = text.replace("arn:aws:ecs:eu-west-1:", "arn:aws:ecs:us-east-1:");
    assert!(matches!(read(&moved), Parsed::Rejected(_)));
}

#[test]
fn a_name_that_is_hidden_is_not_the_default() {
    let cut = json!({"reason": "too large", "omitted": "true"});
    let call = Call::new("DeleteCluster", 0, cut.clone(), cut.clone());
    let json: &serde_json::value::RawValue = &serde_json::from_str::<Box<_>>(&call.text()).unwrap();
    let record = shipshape_core::event::Record::read(json).unwrap();
    assert!(shipshape_core::event::parse(&record).is_err(), "neither request nor response names it");
    let hidden = json!({"cluster": "HIDDEN_DUE_TO_SECURITY_REASONS", "service": "checkout"});
    let call = Call::new("UpdateService", 0, hidden, cut);
    let json: &serde_json::value::RawValue = &serde_json::from_str::<Box<_>>(&call.text()).unwrap();
    let record = shipshape_core::event::Record::read(json).unwrap();
    assert!(shipshape_core::event::parse(&record).is_err());
}
