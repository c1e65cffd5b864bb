//! What goes wrong: nothing is lost, and nothing is done twice.

use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::proxy::{Fault, Rule};
use shipshape_e2e::runtime::Sandbox;

use crate::scenario::{Fix, Violation, deliver, function};
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
    assert_eq!(story["applying"], serde_json::Value::Null, "{story}");
    assert!(story["message"]["sent"].is_string(), "{story}");
    assert!(story["ends"].as_object().unwrap().values().any(|end| end["outcome"] == "applied"), "{story}");
}

/// How many writes of a fix the emulator has heard of and made.
fn writes(world: &World<'_>, fix: Fix) -> usize {
    let calls = world.emulators.proxy().matching(fix.write());
    calls.iter().filter(|call| !call.answer.is_empty()).count()
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
