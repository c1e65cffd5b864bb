//! When nothing is to be written: a dry run, a switch that is thrown, and what complies.

use serde_json::Value;
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::runtime::Sandbox;
use shipshape_e2e::{events, fixtures};

use crate::scenario::{Fix, dealt_with, deliver, function};
use crate::world::{FIXING, POLICY, World, captured, deployed};

/// Puts events of other accounts and Regions into the tests' own.
const HERE: &[(&str, &str)] = &[
    ("222233334444", "111122223333"),
    ("333344445555", "111122223333"),
    ("123456789012", "111122223333"),
    ("us-east-1", "eu-west-1"),
    ("eu-central-1", "eu-west-1"),
    ("cn-north-1", "eu-west-1"),
    ("arn:aws-cn:", "arn:aws:"),
];

/// What a message says of the plan, whatever is decided about it.
fn plan(told: &Value) -> Value {
    let of = |finding: &Value| {
        let members = ["control", "violations", "plan", "call", "safety", "summary", "preflight"];
        members.map(|member| finding[member].clone())
    };
    told["findings"].as_array().unwrap().iter().flat_map(of).collect()
}

/// Whether a call changes something in somebody's account: the ledger and the message are ours.
fn writes(world: &World<'_>) -> Vec<String> {
    let reads = ["Describe", "List", "Get"];
    let calls = world.calls().into_iter();
    calls
        .filter(|name| {
            let (service, operation) = name.split_once('.').unwrap();
            ["ecs", "ec2", "ecr", "iam"].contains(&service)
                && !reads.iter().any(|read| operation.starts_with(read))
        })
        .collect()
}

#[test]
fn a_dry_run_a_pause_and_a_freeze_change_nothing_and_tell_the_same_plan() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    for fix in Fix::ALL {
        let mut plans = Vec::new();
        for (held, dry_run, switch) in [
            ("run", "false", "run"),
            ("dry", "true", "run"),
            ("pause", "false", "pause"),
            ("freeze", "false", "freeze"),
            ("typo", "false", "rum"),
        ] {
            // One after the other, the same names: what they say can be compared as it is.
            emulators.reset().unwrap();
            let world = deployed(&emulators, FIXING).unwrap();
            fixtures::parameter(&world.aws, "/shipshape/switch", switch).unwrap();
            let violation = fix.violate(&world, "fix-held").unwrap();
            let environment = function(&world, fix.function()).unwrap().set("SHIPSHAPE_DRY_RUN", dry_run);
            let sandbox = Sandbox::start(environment).unwrap();
            emulators.proxy().clear();
            deliver(&world, &sandbox, &violation, 1).unwrap();
            let told = world.told(&violation.change).unwrap();
            let fixed = held == "run";
            assert_eq!(!writes(&world).is_empty(), fixed, "{held}: {:?}", world.calls());
            assert_eq!(violation.is_mended(&world).unwrap(), fixed, "{held}");
            assert_eq!(told["action"], if fixed { "fixed" } else { "notified" }, "{held}");
            plans.push((held, plan(&told)));
        }
        let (_, first) = &plans[0];
        for (held, plan) in &plans {
            assert_eq!(without_ids(plan), without_ids(first), "{fix:?} {held}");
        }
    }
    drop(world);
}

/// Ids of networks are new ones each time.
fn without_ids(plan: &Value) -> String {
    let text = plan.to_string();
    let mut parts = text.split(['"', ' ']);
    let id = |part: &str| ["subnet-", "sg-"].iter().any(|kind| part.starts_with(kind));
    parts.by_ref().map(|part| if id(part) { "id" } else { part }).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_complies_by_its_own_event_costs_no_call() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    for (name, path) in [
        ("cluster", "ecs/ecs-exec-logging-encrypted.pass.key.json"),
        ("task-definition", "ecs/ecs-container-not-privileged.pass.explicit-false.json"),
        ("service", "ecs/ecs-run-task-no-public-ip.pass.disabled.json"),
    ] {
        let sandbox = Sandbox::start(function(&world, name).unwrap()).unwrap();
        let event = captured(path, HERE).unwrap();
        let batch = events::batch(name, &[event]);
        emulators.proxy().clear();
        assert!(dealt_with(&sandbox.invoke(&batch).unwrap()));
        // Which opt-in controls are on is asked once, and then known for some minutes.
        println!("{name}: first {:?}", world.calls());
        assert!(world.calls().iter().all(|call| call == "ssm.GetParameters"), "{:?}", world.calls());
        emulators.proxy().clear();
        assert!(dealt_with(&sandbox.invoke(&batch).unwrap()));
        assert_eq!(world.calls(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_policy_that_is_wrong_is_told_once_and_fixes_nothing() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    fixtures::parameter(&world.aws, "/shipshape/policy", &POLICY.replace("\"fix\"", "\"fixx\"")).unwrap();
    for name in ["fix-wrong-1", "fix-wrong-2"] {
        let violation = Fix::Insights.violate(&world, name).unwrap();
        let sandbox = Sandbox::start(function(&world, "cluster").unwrap()).unwrap();
        assert_eq!(deliver(&world, &sandbox, &violation, 1).unwrap(), 1, "{}", sandbox.logs());
        assert!(!violation.is_mended(&world).unwrap());
        assert_eq!(world.told(&violation.change).unwrap()["action"], "notified");
    }
    let told = world.everything_told().unwrap();
    let notices: Vec<&Value> = told.iter().filter(|message| message["kind"] == "policy").collect();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(notices[0]["problem"], "policy-unusable");
    assert!(notices[0]["text"].as_str().unwrap().contains("`fixx` is not a mode"), "{}", notices[0]);
}
