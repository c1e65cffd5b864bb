//! Stories of what waits: for a deployment, for grace, for a window, for a mended revision. Every wait ends.

use serde_json::json;
use shipshape_core::event::Parsed;
use shipshape_core::resource::Body;
use shipshape_tests::{
    Call, FIX, INSIGHTS, NON_ROOT, PRIVILEGED, PUBLIC_IP, arn, cluster, deployment, good_task, nat_network,
    policy, privileged, read, service, story, walk, with_task, world,
};

#[test]
fn a_deployment_in_flight_is_a_wait_and_its_end_brings_the_fix() {
    let task = good_task("checkout", 7);
    let mut open = service("checkout", "checkout:7", "ENABLED");
    open["deployments"] = json!([deployment("9", "IN_PROGRESS")]);
    let calls = [
        Call::create_service(0, &open),
        Call::deployment(4, "checkout", "8", "SERVICE_DEPLOYMENT_COMPLETED"),
        Call::deployment(7, "checkout", "9", "SERVICE_DEPLOYMENT_COMPLETED"),
    ];
    let state = with_task(nat_network(), &task);
    let mut fixing = world(policy(FIX), &state);
    let judged = walk(&mut fixing, &calls, PUBLIC_IP);
    let fixed: Vec<_> = story(&judged).into_iter().filter(|line| line.contains("fix")).collect();
    assert_eq!(story(&judged)[0], "failed wait waiting");
    assert_eq!(fixed, ["failed fix applied"], "{:?}", story(&judged));
    let known = fixing.facts().resource(&arn("service/shop/checkout").parse().unwrap()).unwrap();
    let Body::Service(known) = &known.body else { panic!("not a service") };
    assert_eq!(known.awsvpc().known().unwrap().assign_public_ip.text(), Some("DISABLED"));

    let superseding = policy(&format!("{FIX}supersede = true\n"));
    assert_eq!(story(&walk(&mut world(superseding, &state), &calls[..1], PUBLIC_IP)), ["failed fix applied"]);
}

#[test]
fn a_wait_that_can_no_longer_be_judged_ends_and_blocks_nothing() {
    let mut open = service("checkout", "checkout:7", "ENABLED");
    open["deployments"] = json!([deployment("9", "IN_PROGRESS")]);
    let calls = [
        Call::create_service(0, &open),
        Call::create_cluster(1, &cluster("shop", "disabled")),
        Call::deployment(7, "checkout", "9", "SERVICE_DEPLOYMENT_FAILED"),
    ];
    let text = format!("{FIX}[[rules]]\ncontrols = [\"{INSIGHTS}\"]\ngrace = \"90m\"\n");
    let state = with_task(nat_network(), &good_task("checkout", 7));
    let mut failing = world(policy(&text), &state);
    let told = walk(&mut failing, &calls, PUBLIC_IP);
    assert_eq!(story(&told)[0], "failed wait waiting");
    assert!(story(&told)[1..].contains(&"unknown notify notified".to_owned()), "{:?}", story(&told));
    let later = walk(&mut world(policy(&text), &state), &calls, INSIGHTS);
    assert_eq!(story(&later), ["failed wait waiting", "failed fix applied"]);
}

#[test]
fn what_waits_together_is_written_at_once() {
    let mut open = service("checkout", "checkout:7", "ENABLED");
    open["deployments"] = json!([deployment("9", "IN_PROGRESS")]);
    let calls = [
        Call::register(0, &privileged("checkout", 7)),
        Call::create_service(1, &open),
        Call::deployment(7, "checkout", "9", "SERVICE_DEPLOYMENT_COMPLETED"),
    ];
    let mut world = world(policy(FIX), &nat_network());
    for call in &calls {
        world.walk(&call.change());
    }
    let known = world.facts().resource(&arn("service/shop/checkout").parse().unwrap()).unwrap();
    let Body::Service(known) = &known.body else { panic!("not a service") };
    assert_eq!(known.awsvpc().known().unwrap().assign_public_ip.text(), Some("DISABLED"));
    assert_eq!(known.task_definition.text(), Some(arn("task-definition/checkout:7-mended").as_str()));
}

#[test]
fn a_deployment_that_never_ends_is_told_after_the_deadline() {
    let task = good_task("checkout", 7);
    let mut open = service("checkout", "checkout:7", "ENABLED");
    open["deployments"] = json!([deployment("9", "IN_PROGRESS")]);
    let calls = [
        Call::create_service(0, &open),
        Call::deployment(1, "other", "1", "SERVICE_DEPLOYMENT_IN_PROGRESS"),
        Call::create_cluster(90, &cluster("late", "enabled")),
    ];
    let judged = walk(&mut world(policy(FIX), &with_task(nat_network(), &task)), &calls, PUBLIC_IP);
    let last = judged.iter().rfind(|one| one.ruling.is_some()).unwrap();
    assert_eq!(story(std::slice::from_ref(last)), ["failed notify notified"]);
    assert!(last.ruling.as_ref().unwrap().reason.text.contains("60 minutes"), "{:?}", last.ruling);
}

#[test]
fn grace_gives_the_team_time_and_ends_when_they_used_it() {
    let graceful = || policy("mode = \"fix\"\ngrace = \"30m\"\n");
    let off = Call::create_cluster(0, &cluster("shop", "disabled"));
    let used = [off.clone(), Call::update_settings(20, &cluster("shop", "enabled"))];
    assert_eq!(
        story(&walk(&mut world(graceful(), &[]), &used, INSIGHTS)),
        ["failed wait waiting", "passed stale"]
    );
    let judged = walk(&mut world(graceful(), &[]), &[off], INSIGHTS);
    assert_eq!(story(&judged), ["failed wait waiting", "failed fix applied"]);
    assert_eq!(judged[1].at.to_string(), "2026-11-03T08:30:00Z");
    assert_eq!(judged[0].incident, judged[1].incident);
}

#[test]
fn a_window_is_waited_for() {
    let text = "mode = \"fix\"\nwindows = [\"Mon-Fri 13:00-14:00 Europe/Berlin\"]\n";
    let judged = walk(
        &mut world(policy(text), &[]),
        &[Call::create_cluster(0, &cluster("shop", "disabled"))],
        INSIGHTS,
    );
    assert_eq!(story(&judged), ["failed wait waiting", "failed fix applied"]);
    assert_eq!(judged[1].at.to_string(), "2026-11-03T12:00:00Z");
    assert!(judged[0].ruling.as_ref().unwrap().reason.text.contains("policy.toml:3"));
}

#[test]
fn a_service_asks_for_the_mended_revision_that_is_not_there_yet() {
    let state = [json!({"taskDefinition": privileged("checkout", 7)})];
    let call = [Call::create_service(5, &service("checkout", "checkout:7", "DISABLED"))];
    let judged = walk(&mut world(policy(FIX), &state), &call, PRIVILEGED);
    let lines = story(&judged);
    assert_eq!(lines.first().map(String::as_str), Some("failed wait waiting"));
    assert_eq!(lines.last().map(String::as_str), Some("failed fix applied"), "{lines:?}");
}

#[test]
fn a_resource_that_is_gone_ends_what_waits_for_it() {
    let graceful = policy("mode = \"fix\"\ngrace = \"30m\"\n");
    let mut world = world(graceful, &[]);
    world.walk(&Call::create_cluster(0, &cluster("shop", "disabled")).change());
    let gone = Call::new(
        "DeleteCluster",
        5,
        json!({"cluster": "shop"}),
        json!({"cluster": cluster("shop", "disabled")}),
    );
    assert_eq!(world.walk(&gone.change()).gone.len(), 1);
    assert!(world.finish().judgements.is_empty());
}

#[test]
fn a_control_that_waits_longer_than_its_neighbour_is_fixed_too() {
    let mut task = privileged("checkout", 7);
    task["containerDefinitions"][0]["user"] = json!("root");
    let rule = format!("[[rules]]\ncontrols = [\"{NON_ROOT}\"]\ngrace = \"30m\"\n");
    let text = format!("{FIX}[controls.{NON_ROOT}]\nuser = \"1000\"\n{rule}");
    let judged = walk(&mut world(policy(&text), &[]), &[Call::register(0, &task)], NON_ROOT);
    assert_eq!(story(&judged).last().map(String::as_str), Some("failed fix applied"), "{:?}", story(&judged));
}

#[test]
fn a_wait_is_measured_from_when_it_began() {
    let mut open = service("checkout", "checkout:7", "ENABLED");
    open["deployments"] = json!([deployment("9", "IN_PROGRESS")]);
    let text = format!("{FIX}grace = \"90m\"\n");
    let calls = [
        Call::create_service(0, &open),
        Call::deployment(1, "other", "1", "SERVICE_DEPLOYMENT_IN_PROGRESS"),
        Call::deployment(95, "checkout", "9", "SERVICE_DEPLOYMENT_COMPLETED"),
    ];
    let state = with_task(nat_network(), &good_task("checkout", 7));
    let judged = walk(&mut world(policy(&text), &state), &calls, PUBLIC_IP);
    let lines = story(&judged);
    assert!(!lines.contains(&"failed notify notified".to_owned()), "{lines:?}");
    assert!(lines.contains(&"failed fix applied".to_owned()), "{lines:?}");
}

#[test]
fn a_mended_revision_is_asked_for_in_the_account_of_the_service_that_waits() {
    let rules = "mode = \"notify\"\ndisruptive = true\niac = \"fix\"\n[[rules]]\naccounts = [\"111122223333\"]\nresources = [\"arn:*:service/*\"]\nmode = \"fix\"\ngrace = \"30m\"\n[[rules]]\naccounts = [\"222233334444\"]\nmode = \"fix\"\n";
    let state = [json!({"taskDefinition": privileged("checkout", 7)})];
    let other =
        Call::create_cluster(40, &cluster("other", "enabled")).text().replace("111122223333", "222233334444");
    let mut world = world(policy(rules), &state);
    world.walk(&Call::create_service(0, &service("checkout", "checkout:7", "DISABLED")).change());
    let Parsed::Change(other) = read(&other) else { panic!("not a change") };
    world.walk(&other);
    world.finish();
    assert!(world.facts().mended(&arn("task-definition/checkout:7").parse().unwrap()).is_none());
}
