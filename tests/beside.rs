//! Stories of what a fix would do beside what it is made for, and to whose resources.

use serde_json::json;
use shipshape_core::replay::World;
use shipshape_core::resource::Body;
use shipshape_tests::{
    Call, FIX, NON_ROOT, PRIVILEGED, PUBLIC_IP, arn, good_task, nat_network, policy, privileged, service,
    story, walk, with_task, world,
};

const SERVICES: &str = "arn:aws:ecs:eu-west-1:111122223333:service/shop/*";

/// A revision that runs privileged and as root is mended of both; what a service then runs, and why.
fn moved(rule: &str) -> (String, Vec<String>) {
    let mut task = privileged("checkout", 7);
    task["containerDefinitions"][0]["user"] = json!("root");
    let calls =
        [Call::register(0, &task), Call::create_service(5, &service("checkout", "checkout:7", "DISABLED"))];
    let mut world = world(policy(&format!("{FIX}[controls.{NON_ROOT}]\nuser = \"1000\"\n{rule}")), &[]);
    let judged: Vec<_> = calls.iter().flat_map(|call| world.walk(&call.change()).judgements).collect();
    let of_the_service =
        judged.iter().filter(|one| one.resource.arn.as_str() == arn("service/shop/checkout"));
    let reasons = of_the_service.filter_map(|one| Some(one.ruling.as_ref()?.reason.text.clone())).collect();
    (runs(&world), reasons)
}

fn runs(world: &World) -> String {
    let known = world.facts().resource(&arn("service/shop/checkout").parse().unwrap()).unwrap();
    let Body::Service(known) = &known.body else { panic!("not a service") };
    known.task_definition.text().unwrap().to_owned()
}

#[test]
fn a_service_moves_only_where_everything_that_was_mended_is_wanted_for_it() {
    let (mended, source) = (arn("task-definition/checkout:7-mended"), arn("task-definition/checkout:7"));
    assert_eq!(moved("").0, mended);
    let exempt = format!(
        "[[exemptions]]\ncontrol = \"{NON_ROOT}\"\nresource = \"{SERVICES}\"\nowner = \"a\"\nreason = \"needs root\"\nexpires = 2027-01-31\n"
    );
    let rule = |wants: &str| {
        format!("[[rules]]\nresources = [\"{SERVICES}\"]\ncontrols = [\"{NON_ROOT}\"]\n{wants}\n")
    };
    let rows = [
        (exempt, "exempt through 2027-01-31 by a: needs root"),
        (rule("mode = \"notify\""), "at notify"),
        (rule("mode = \"off\""), "at off"),
        (rule("disruptive = false"), "not to be deployed"),
        (rule("grace = \"2h\""), "the team has until"),
        (rule("windows = [\"Sat 03:00-03:01 UTC\"]"), "no window is open"),
    ];
    for (rule, why) in rows {
        let (runs, reasons) = moved(&rule);
        assert_eq!(runs, source, "{rule}");
        assert!(reasons.iter().any(|reason| reason.contains(why)), "{rule}: {reasons:#?}");
    }
}

#[test]
fn what_nobody_saw_being_made_may_be_a_templates() {
    let open = service("checkout", "checkout:7", "ENABLED");
    let state = with_task(nat_network(), &good_task("checkout", 7));
    let scaled = [Call::update_service(0, &open, &["desiredCount"])];
    let ours = "mode = \"fix\"\ndisruptive = true\n";
    let judged = walk(&mut world(policy(ours), &state), &scaled, PUBLIC_IP);
    // CloudTrail comes later than what ECS tells.
    assert_eq!(story(&judged), ["failed wait waiting", "failed notify notified"]);
    let reason = &judged[1].ruling.as_ref().unwrap().reason.text;
    assert!(reason.starts_with("nobody saw with what it was made"), "{reason}");
    let told_in_time = [
        Call::update_service(0, &open, &["desiredCount"]),
        Call::update_service(5, &open, &["networkConfiguration"]),
    ];
    let judged = walk(&mut world(policy(ours), &state), &told_in_time, PUBLIC_IP);
    assert_eq!(story(&judged)[0], "failed wait waiting");
    let reason = &judged[1].ruling.as_ref().unwrap().reason.text;
    assert!(!reason.contains("nobody saw") && !reason.contains("CloudTrail"), "{reason}");
    // Where the policy takes that on itself, the pre-flight has the word.
    let judged = walk(&mut world(policy(FIX), &state), &scaled, PUBLIC_IP);
    let reason = &judged[0].ruling.as_ref().unwrap().reason.text;
    assert!(reason.contains("pre-flight"), "{reason}");
    let made = [Call::create_service(0, &open)];
    let judged = walk(&mut world(policy(ours), &state), &made, PUBLIC_IP);
    assert_eq!(story(&judged), ["failed fix applied"], "by a person, and that was seen");
}

#[test]
fn a_revision_that_stays_privileged_is_not_registered() {
    let mut task = privileged("checkout", 7);
    task["containerDefinitions"][0]["user"] = json!("root");
    let told = format!(
        "{FIX}[controls.{NON_ROOT}]\nuser = \"1000\"\n[[rules]]\ncontrols = [\"{PRIVILEGED}\"]\nmode = \"notify\"\n"
    );
    let mut world = world(policy(&told), &[]);
    let judged = walk(&mut world, &[Call::register(0, &task)], NON_ROOT);
    assert_eq!(story(&judged), ["failed notify notified"]);
    let reason = &judged[0].ruling.as_ref().unwrap().reason.text;
    assert!(reason.contains("still have the privileged container"), "{reason}");
    assert!(world.facts().mended(&arn("task-definition/checkout:7").parse().unwrap()).is_none());
}
