//! Stories of events that mislead a careless reader: failed calls, addenda, old states, names of every form.

use serde_json::{Value, json};
use shipshape_core::change::Change;
use shipshape_core::event::{Ignored, Parsed};
use shipshape_core::facts::Need;
use shipshape_core::ids::Arn;
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

#[test]
fn a_time_without_a_zone_is_utc() {
    let call = Call::create_cluster(0, &cluster("shop", "disabled"));
    for time in ["2026-11-03T08:00:00Z", "2026-11-03 08:00:00", "2026-11-03 08:00:00.000000000"] {
        let change = call.clone().with("eventTime", json!(time)).change();
        assert_eq!(change.time.to_string(), "2026-11-03T08:00:00Z", "{time}");
    }
}

#[test]
fn an_older_state_of_a_container_instance_is_passed_over() {
    let instance = |minute: u32, version: u32| {
        Call::deployment(minute, "checkout", "1", "x")
            .envelope("detail-type", json!("ECS Container Instance State Change"))
            .with("containerInstanceArn", json!(arn("container-instance/7f")))
            .with("clusterArn", json!(arn("cluster/shop")))
            .with("version", json!(version))
    };
    let change = instance(0, 5).change();
    assert_eq!(change.observed[0].id().arn.as_str(), arn("container-instance/shop/7f"));
    let mut world = world(Policy::notify_only(), &[]);
    assert!(!world.walk(&change).stale);
    assert!(world.walk(&instance(1, 4).change()).stale);
    assert!(!world.walk(&instance(2, 6).change()).stale);
}

/// A call of EC2 in the shape in which most of them come.
fn ec2(name: &str, minute: u32, request: Value, response: Value) -> Change {
    Call::new(name, minute, request, response).with("eventSource", json!("ec2.amazonaws.com")).change()
}

#[test]
fn a_group_that_is_used_is_as_it_was_and_one_that_was_rewritten_is_not_known() {
    let group: Arn = "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1".parse().unwrap();
    let done = || json!({"_return": true});
    let mut world = world(Policy::notify_only(), &[]);
    let made = json!({"_return": true, "groupId": "sg-1"});
    world.walk(&ec2("CreateSecurityGroup", 0, json!({"groupName": "web"}), made));
    let used = json!({"networkInterfaceId": "eni-1", "groupSet": {"items": [{"groupId": "sg-1"}]}});
    world.walk(&ec2("ModifyNetworkInterfaceAttribute", 1, used, done()));
    assert!(world.facts().resource(&group).is_some());
    world.walk(&ec2("RevokeSecurityGroupEgress", 2, json!({"groupId": "sg-1"}), done()));
    assert!(world.facts().resource(&group).is_none());
}

#[test]
fn what_is_missing_is_asked_for_by_the_name_that_it_has() {
    let asked = |change: &Change| Need::Resource(change.observed[0].id().clone()).call();
    let revoke = |request| asked(&ec2("RevokeSecurityGroupIngress", 0, request, json!({"_return": true})));
    let by_id = revoke(json!({"groupId": "sg-1"}));
    assert_eq!(by_id, "aws ec2 describe-security-group-rules --filters Name=group-id,Values=sg-1");
    assert_eq!(revoke(json!({"groupName": "web"})), "aws ec2 describe-security-groups --group-names web");
    let image = json!({"image": {"repositoryName": "shop/web", "imageId": {"imageDigest": "sha256:ab"}}});
    let put = Call::new("PutImage", 0, json!({}), image).with("eventSource", json!("ecr.amazonaws.com"));
    let wanted = "aws ecr describe-images --repository-name shop/web --image-ids imageDigest=sha256:ab";
    assert_eq!(asked(&put.change()), wanted);
}
