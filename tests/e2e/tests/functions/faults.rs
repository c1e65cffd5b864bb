//! What goes wrong: nothing is lost, and nothing is done twice.

use serde_json::{Value, json};
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::fixtures;
use shipshape_e2e::proxy::{Fault, Rule};
use shipshape_e2e::runtime::{Sandbox, at_once, copies};

use crate::scenario::{Fix, Violation, dealt_with, deliver, function};
use crate::world::{FIXING, World, deployed};

/// Deals with one violation of a fix while nothing goes wrong, and answers the calls that it took.
fn calls(world: &World<'_>, fix: Fix, name: &str) -> Vec<String> {
    let violation = fix.violate(world, name).unwrap();
    let sandbox = Sandbox::start(function(world, fix.function()).unwrap()).unwrap();
    world.emulators.proxy().clear();
    assert_eq!(deliver(world, &sandbox, &violation, 1).unwrap(), 1, "{}", sandbox.logs());
    let calls = world.calls();
    finished(world, &violation, 1);
    calls
}

/// Whether a story has come to its end: mended by one write, told, and written down.
fn finished(world: &World<'_>, violation: &Violation, at_most: usize) {
    assert!(violation.is_mended(world).unwrap(), "{violation:?}");
    let told = world.all_told(&violation.change).unwrap();
    assert!((1..=at_most).contains(&told.len()), "told {} times: {violation:?}", told.len());
    assert!(told.iter().all(|message| message["action"] == "fixed"), "{told:?}");
    let story = world.story(&violation.change).unwrap();
    assert_eq!(story["applying"], json!([]), "{story}");
    assert_eq!(story["messages"], 1, "{story}");
    assert!(story["message"]["sent"].is_string(), "{story}");
    assert!(story["ends"].as_object().unwrap().values().any(|end| end["outcome"] == "applied"), "{story}");
}

/// What a call meets.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Throttled,
    Broken,
    /// The call is heard and made, and its answer is lost.
    Unanswered,
}

impl Trouble {
    const ALL: [Self; 3] = [Self::Throttled, Self::Broken, Self::Unanswered];

    fn strikes(self, rule: Rule) -> Rule {
        match self {
            Self::Throttled => rule.before(Fault::error(400, "ThrottlingException")),
            Self::Broken => rule.before(Fault::error(500, "InternalServerError")),
            Self::Unanswered => rule.after(Fault::Cut),
        }
    }
}

/// How many writes of a fix the emulator has heard of and made, whether its answer arrived or not.
fn writes(world: &World<'_>, fix: Fix) -> usize {
    let calls = world.emulators.proxy().matching(fix.write());
    calls.iter().filter(|call| call.heard == Some(200)).count()
}

#[test]
fn a_kill_at_any_step_loses_nothing_and_does_nothing_twice() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    let mut runs = 0;
    for fix in Fix::ALL {
        let steps = calls(&world, fix, &format!("fix-{fix:?}-clean").to_lowercase());
        println!("{fix:?}: {}", steps.join(" "));
        for step in 1..=u32::try_from(steps.len()).unwrap() {
            for heard in [false, true] {
                let name = format!("fix-{fix:?}-{step}-{heard}").to_lowercase();
                let violation = fix.violate(&world, &name).unwrap();
                let sandbox = Sandbox::start(function(&world, fix.function()).unwrap()).unwrap();
                emulators.proxy().clear();
                let process = sandbox.process();
                let kill = Fault::hook(move |_| process.kill().unwrap());
                let rule = Rule::on("*").nth(step).times(1);
                emulators.proxy().add(match heard {
                    false => rule.clone().before(kill),
                    true => rule.clone().after(kill),
                });
                if !heard {
                    emulators.proxy().add(rule.before(Fault::Cut));
                }
                let ending = sandbox.invoke(&violation.batch(1)).unwrap();
                world.time_passes().unwrap();
                sandbox.respawn().unwrap();
                deliver(&world, &sandbox, &violation, 2).unwrap();
                assert_eq!(writes(&world, fix), 1, "{name} {ending:?}: {:?}", world.calls());
                finished(&world, &violation, 2);
                runs += 1;
            }
        }
    }
    println!("{runs} runs");
}

#[test]
fn trouble_at_any_call_loses_nothing_and_does_nothing_twice() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    for trouble in Trouble::ALL {
        // Once, so that the call is made again; and as long as anybody tries, so that the message comes again.
        for times in [1, 4] {
            let (mut runs, mut deliveries) = (0, 0);
            for fix in Fix::ALL {
                let steps = calls(&world, fix, &format!("fix-{fix:?}-{trouble:?}-{times}").to_lowercase());
                for step in 1..=u32::try_from(steps.len()).unwrap() {
                    let name = format!("fix-{fix:?}-{trouble:?}-{times}-{step}").to_lowercase();
                    let violation = fix.violate(&world, &name).unwrap();
                    let sandbox = Sandbox::start(function(&world, fix.function()).unwrap()).unwrap();
                    emulators.proxy().clear();
                    emulators.proxy().add(trouble.strikes(Rule::on("*").since(step).times(times)));
                    deliveries += deliver(&world, &sandbox, &violation, 1).unwrap();
                    let made = writes(&world, fix);
                    // The SDK makes an update again that was not answered, which changes nothing; registering it does not.
                    let most = if fix == Fix::Revision { 1 } else { usize::try_from(times).unwrap() + 1 };
                    assert!((1..=most).contains(&made), "{name}: {:?}", world.calls());
                    finished(&world, &violation, 5);
                    runs += 1;
                }
            }
            println!("{trouble:?} x {times}: {runs} runs, {deliveries} deliveries");
        }
    }
}

#[test]
fn the_same_event_fifty_times_at_once_is_one_fix_and_one_message() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    for fix in Fix::ALL {
        let violation = fix.violate(&world, &format!("fix-{fix:?}-fifty").to_lowercase()).unwrap();
        emulators.proxy().clear();
        let sandboxes = copies(&function(&world, fix.function()).unwrap(), 50).unwrap();
        let endings = at_once(&sandboxes, &violation.batch(1)).unwrap();
        assert!(endings.iter().any(dealt_with), "{}", sandboxes[0].logs());
        for (sandbox, _) in sandboxes.iter().zip(&endings).filter(|(_, ending)| !dealt_with(ending)) {
            deliver(&world, sandbox, &violation, 2).unwrap();
        }
        assert_eq!(writes(&world, fix), 1, "{fix:?}");
        finished(&world, &violation, 1);
    }
}

#[test]
fn an_event_older_than_the_state_changes_nothing_and_tells_nobody() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    let violation = Fix::Insights.violate(&world, "fix-old").unwrap();
    let settings = json!([{"name": "containerInsights", "value": "enhanced"}]);
    let request = json!({"cluster": "fix-old", "settings": settings});
    world.aws.call("ecs", "UpdateClusterSettings", &request).unwrap();
    let sandbox = Sandbox::start(function(&world, "cluster").unwrap()).unwrap();
    emulators.proxy().clear();
    assert_eq!(deliver(&world, &sandbox, &violation, 1).unwrap(), 1);
    assert_eq!(world.calls(), ["ssm.GetParameters", "ecs.DescribeClusters"]);
    assert_eq!(fixtures::described_cluster(&world.aws, "fix-old").unwrap()["settings"], settings);
    assert_eq!(world.all_told(&violation.change).unwrap(), Vec::<Value>::new());
}

#[test]
fn what_is_down_makes_the_message_come_again_and_then_the_story_ends_as_ever() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    for fix in Fix::ALL {
        for (down, from) in [
            ("dynamodb.*", 1),
            ("dynamodb.*", 2),
            ("dynamodb.*", 3),
            ("sns.*", 1),
            ("ssm.*", 1),
            ("ssm.*", 2),
        ] {
            let name = format!("fix-{fix:?}-{}-{from}", &down[..3]).to_lowercase();
            let violation = fix.violate(&world, &name).unwrap();
            let sandbox = Sandbox::start(function(&world, fix.function()).unwrap()).unwrap();
            emulators.proxy().clear();
            let rule = Rule::on(down).since(from);
            emulators.proxy().add(rule.before(Fault::error(500, "InternalServerError")));
            for received in 1..=2 {
                let ending = sandbox.invoke(&violation.batch(received)).unwrap();
                assert!(!dealt_with(&ending), "{name}: {:?}", world.calls());
            }
            let written = writes(&world, fix);
            assert!(written <= 1);
            assert_eq!(world.all_told(&violation.change).unwrap(), Vec::<Value>::new());
            emulators.proxy().clear();
            world.time_passes().unwrap();
            deliver(&world, &sandbox, &violation, 3).unwrap();
            assert_eq!(written + writes(&world, fix), 1, "{name}: {:?}", world.calls());
            finished(&world, &violation, 1);
        }
    }
}

#[test]
fn a_switch_that_is_thrown_midway_stops_the_write() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    for fix in Fix::ALL {
        let name = format!("fix-{fix:?}-thrown").to_lowercase();
        let violation = fix.violate(&world, &name).unwrap();
        let sandbox = Sandbox::start(function(&world, fix.function()).unwrap()).unwrap();
        emulators.proxy().clear();
        let aws = emulators.aws();
        let throw = Fault::hook(move |_| fixtures::parameter(&aws, "/shipshape/switch", "pause").unwrap());
        emulators.proxy().add(Rule::on("ssm.*").nth(2).times(1).before(throw));
        assert!(!dealt_with(&sandbox.invoke(&violation.batch(1)).unwrap()));
        // It is decided anew, and now the switch forbids it.
        deliver(&world, &sandbox, &violation, 2).unwrap();
        fixtures::parameter(&world.aws, "/shipshape/switch", "run").unwrap();
        assert_eq!(writes(&world, fix), 0, "{name}: {:?}", world.calls());
        let told = world.all_told(&violation.change).unwrap();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0]["findings"][0]["decision"]["reason"].as_str().unwrap().contains("pause"), "{told:?}");
    }
}
