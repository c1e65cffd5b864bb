//! What comes later about an incident that is known: it is fixed in the name of the change that began it, and whatever
//! was left unfinished is finished first.

use serde_json::{Value, json};
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::events::record;
use shipshape_e2e::fixtures;
use shipshape_e2e::proxy::{Fault, Rule};
use shipshape_e2e::runtime::Sandbox;

use crate::scenario::{Fix, Violation, dealt_with, deliver, function};
use crate::world::{FIXING, POLICY, World, captured, deployed};

/// What is named `later-…` is fixed too, from now on.
fn switch_on(world: &World<'_>) {
    let rule = "[[rules]]\nresources = [\"arn:aws:ecs:*:*:*/later-*\"]\nmode = \"fix\"\ndisruptive = true\niac = \"fix\"\n";
    fixtures::parameter(&world.aws, "/shipshape/policy", &format!("{POLICY}{rule}")).unwrap();
}

/// ECS tells, a day after a violation, that the service of a cluster is steady.
fn news(cluster: &str, id: &str) -> Value {
    let (service, cluster) = (format!("service/{cluster}/storefront"), format!("cluster/{cluster}"));
    let names = [("service/shop/checkout", service.as_str()), ("cluster/shop", cluster.as_str())];
    let mut news = captured("ecs/native.service-action.json", &names).unwrap();
    news["id"] = json!(id);
    news["time"] = json!("2026-11-13T08:00:00Z");
    news
}

fn batch(events: &[&Value], received: u32) -> Value {
    let records = events.iter().enumerate();
    let records: Vec<Value> =
        records.map(|(index, event)| record("queue", index, &event.to_string(), received)).collect();
    json!({ "Records": records })
}

fn updates(world: &World<'_>) -> usize {
    world.emulators.proxy().matching("ecs.UpdateService").len()
}

/// What was told of a violation: the action and the number of each message.
fn told(world: &World<'_>, violation: &Violation) -> Vec<(String, u64)> {
    let messages = world.all_told(&violation.change).unwrap();
    let short = |message: &Value| {
        (message["action"].as_str().unwrap().to_owned(), message["sequence"].as_u64().unwrap())
    };
    messages.iter().map(short).collect()
}

#[test]
fn what_was_told_is_fixed_by_later_news_in_the_name_of_its_own_change() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    let violation = Fix::PublicAddress.violate(&world, "later-told").unwrap();
    let services = || Sandbox::start(function(&world, "service").unwrap()).unwrap();
    deliver(&world, &services(), &violation, 1).unwrap();
    assert_eq!(told(&world, &violation), [("notified".to_owned(), 1)]);
    switch_on(&world);
    // People can't be told for a while: the news come again, and bring what is still to be told of the other change.
    let sandbox = services();
    emulators.proxy().clear();
    emulators.proxy().add(Rule::on("sns.*").before(Fault::error(500, "InternalServerError")));
    let news = news("later-told", "news-told");
    assert!(!dealt_with(&sandbox.invoke(&batch(&[&news], 1)).unwrap()));
    assert!(violation.is_mended(&world).unwrap());
    emulators.proxy().clear();
    world.time_passes().unwrap();
    assert!(dealt_with(&sandbox.invoke(&batch(&[&news], 2)).unwrap()), "{}", sandbox.logs());
    assert_eq!(updates(&world), 0, "it was written before");
    let twice = [("notified".to_owned(), 1), ("fixed".to_owned(), 2)];
    let heard: Vec<(String, u64)> = told(&world, &violation);
    // The message names the change that showed it, and the incident.
    let of_the_news = world.all_told("news-told").unwrap();
    let all: Vec<(String, u64)> = heard
        .into_iter()
        .chain(of_the_news.iter().map(|message| {
            assert_eq!(message["incident"], violation.change.as_str());
            (message["action"].as_str().unwrap().to_owned(), message["sequence"].as_u64().unwrap())
        }))
        .collect();
    assert_eq!(all, twice);
    let story = world.story(&violation.change).unwrap();
    assert_eq!(story["ends"]["ecs-service-no-public-ip"]["outcome"], "applied", "{story}");
    assert_eq!((&story["applying"], &story["messages"]), (&json!([]), &json!(2)));
}

#[test]
fn a_violation_and_later_news_in_one_batch_are_one_fix() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    let violation = Fix::PublicAddress.violate(&world, "fix-together").unwrap();
    let news = news("fix-together", "news-together");
    let sandbox = Sandbox::start(function(&world, "service").unwrap()).unwrap();
    emulators.proxy().clear();
    let ending = sandbox.invoke(&batch(&[&violation.event, &news], 1)).unwrap();
    assert!(dealt_with(&ending), "{}", sandbox.logs());
    assert!(violation.is_mended(&world).unwrap());
    assert_eq!((updates(&world), told(&world, &violation)), (1, vec![("fixed".to_owned(), 1)]));
}

#[test]
fn a_fix_that_did_not_hold_is_told_once_and_not_made_again() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    let violation = Fix::PublicAddress.violate(&world, "fix-undone").unwrap();
    let sandbox = Sandbox::start(function(&world, "service").unwrap()).unwrap();
    deliver(&world, &sandbox, &violation, 1).unwrap();
    // As a deployment that ECS rolls back.
    let service = fixtures::described_service(&world.aws, "fix-undone", "storefront").unwrap();
    let mut network = service["networkConfiguration"].clone();
    network["awsvpcConfiguration"]["assignPublicIp"] = json!("ENABLED");
    let request = json!({"cluster": "fix-undone", "service": "storefront", "networkConfiguration": network});
    world.aws.call("ecs", "UpdateService", &request).unwrap();
    emulators.proxy().clear();
    for id in ["news-1", "news-2"] {
        let ending = sandbox.invoke(&batch(&[&news("fix-undone", id)], 1)).unwrap();
        assert!(dealt_with(&ending), "{}", sandbox.logs());
    }
    assert_eq!(updates(&world), 0, "{}", sandbox.logs());
    let message = world.all_told("news-1").unwrap().remove(0);
    let reason = message["findings"][0]["decision"]["reason"].as_str().unwrap();
    assert!(reason.contains("did not hold"), "{reason}");
    assert_eq!(world.all_told("news-2").unwrap(), Vec::<Value>::new());
    // Delivered once more, the first change still is what was dealt with.
    assert!(dealt_with(&sandbox.invoke(&violation.batch(1)).unwrap()), "{}", sandbox.logs());
    assert_eq!((updates(&world), told(&world, &violation).len()), (0, 1));
}

/// A cluster without Container Insights whose Exec sessions are not logged, and the event that tells of the first.
fn two(world: &World<'_>, name: &str) -> Violation {
    let violation = Fix::Insights.violate(world, name).unwrap();
    let logging = json!({"executeCommandConfiguration": {"logging": "NONE"}});
    world.aws.call("ecs", "UpdateCluster", &json!({"cluster": name, "configuration": logging})).unwrap();
    violation
}

/// Kills the function before and after every call that it makes about two controls of a cluster, delivers the event again,
/// and demands that each was written so often, and told so. Answers how often it was killed.
fn killed_at_every_step(name: &str, policy: &str, exec: (&str, usize)) -> usize {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    fixtures::parameter(&world.aws, "/shipshape/policy", &format!("{POLICY}{policy}")).unwrap();
    let writes =
        |call: &str| emulators.proxy().matching(call).iter().filter(|call| call.heard == Some(200)).count();
    let mut kills = 0;
    for step in 1.. {
        let before = kills;
        for heard in [false, true] {
            let name = format!("fix-{name}-{step}-{heard}");
            let violation = two(&world, &name);
            let sandbox = Sandbox::start(function(&world, "cluster").unwrap()).unwrap();
            emulators.proxy().clear();
            let process = sandbox.process();
            let kill = Fault::hook(move |_| process.kill().unwrap());
            let rule = Rule::on("*").nth(step).times(1);
            emulators.proxy().add(if heard { rule.clone().after(kill) } else { rule.clone().before(kill) });
            if !heard {
                emulators.proxy().add(rule.before(Fault::Cut));
            }
            kills += usize::from(!dealt_with(&sandbox.invoke(&violation.batch(1)).unwrap()));
            world.time_passes().unwrap();
            sandbox.respawn().unwrap();
            deliver(&world, &sandbox, &violation, 2).unwrap();
            assert_eq!(writes("ecs.UpdateClusterSettings"), 1, "{name}");
            assert_eq!(writes("ecs.UpdateCluster"), exec.1, "{name}");
            let messages = world.all_told(&violation.change).unwrap();
            let said = |control: &str, action: &str| {
                let findings = messages.iter().filter_map(|message| message["findings"].as_array()).flatten();
                findings.filter(|one| one["control"] == control && one["action"] == action).count()
            };
            assert!(
                (1..=2).contains(&said("ecs-cluster-container-insights", "fixed")),
                "{name}: {messages:#?}"
            );
            assert!((1..=2).contains(&said("ecs-exec-logging-enabled", exec.0)), "{name}: {messages:#?}");
            assert!(messages.len() <= 3, "{name}: {messages:#?}");
        }
        if kills == before {
            break;
        }
    }
    assert!(kills >= 20, "only {kills} kills");
    kills
}

#[test]
fn a_kill_between_what_is_fixed_and_what_is_told_loses_neither() {
    let rule = "[[rules]]\ncontrols = [\"ecs-exec-logging-enabled\"]\nmode = \"notify\"\n";
    println!("{} kills", killed_at_every_step("told", rule, ("notified", 0)));
}

#[test]
fn a_kill_between_two_writes_on_one_resource_loses_neither() {
    println!("{} kills", killed_at_every_step("both", "", ("fixed", 1)));
}

#[test]
fn under_a_freeze_what_was_registered_is_told_and_no_tag_is_set() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    let violation = Fix::Revision.violate(&world, "fix-frozen").unwrap();
    let sandbox = Sandbox::start(function(&world, "task-definition").unwrap()).unwrap();
    emulators.proxy().clear();
    let process = sandbox.process();
    let kill = Fault::hook(move |_| process.kill().unwrap());
    emulators.proxy().add(Rule::on("ecs.RegisterTaskDefinition").times(1).after(kill));
    assert!(!dealt_with(&sandbox.invoke(&violation.batch(1)).unwrap()));
    fixtures::parameter(&world.aws, "/shipshape/switch", "freeze").unwrap();
    world.time_passes().unwrap();
    sandbox.respawn().unwrap();
    deliver(&world, &sandbox, &violation, 2).unwrap();
    assert_eq!(emulators.proxy().matching("ecs.TagResource").len(), 0, "{:?}", world.calls());
    assert_eq!(told(&world, &violation), [("fixed".to_owned(), 1)]);
    let message = world.told(&violation.change).unwrap();
    assert!(message["done"]["undo"].as_str().unwrap().contains("no write is allowed now"), "{message}");
}
