//! The three fixes of the mission, each in mode fix and in mode notify, from a captured event through rule, queue and
//! function.

use serde_json::{Value, json};
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::fixtures::Way;
use shipshape_e2e::{fixtures, until};

use crate::scenario::{Fix, TEAM, definition, put_back, register_privileged, revisions};
use crate::world::{FIXING, STORY, World, deployed};

/// What is named so is fixed; what is not is only told of.
const NAMES: [(&str, bool); 2] = [("fix-orders", true), ("orders", false)];

/// Puts the events of one fix on the bus, and sees what is told of them.
fn gate(fix: Fix, see: impl Fn(&World<'_>, &str, bool)) {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    for (name, fixed) in NAMES {
        let violation = fix.violate(&world, name).unwrap();
        world.happens(&violation.event).unwrap();
        let told = world.told(&violation.change).unwrap();
        assert_eq!(told["action"], if fixed { "fixed" } else { "notified" }, "{told}");
        assert_eq!(violation.is_mended(&world).unwrap(), fixed);
        see(&world, name, fixed);
    }
}

#[test]
fn container_insights_are_switched_on_where_the_policy_says_fix() {
    gate(Fix::Insights, |world, name, fixed| {
        let cluster = fixtures::described_cluster(&world.aws, name).unwrap();
        let value = if fixed { "enabled" } else { "disabled" };
        assert_eq!(cluster["settings"], json!([{"name": "containerInsights", "value": value}]));
    });
}

#[test]
fn a_mended_revision_is_registered_where_the_policy_says_fix() {
    gate(Fix::Revision, |world, name, fixed| {
        let revisions = revisions(world, name).unwrap();
        if !fixed {
            assert_eq!(revisions.len(), 1);
            return;
        }
        let [first, second] = revisions.as_slice() else { panic!("{revisions:?}") };
        let (before, after) = (definition(world, first).unwrap(), definition(world, second).unwrap());
        let mut expected = before["taskDefinition"]["containerDefinitions"].clone();
        expected[1]["privileged"] = json!(false);
        assert_eq!(after["taskDefinition"]["containerDefinitions"], expected);
        assert_eq!(tag(&before, "shipshape:mended"), second.as_str());
        assert_eq!(tag(&after, "shipshape:source"), first.as_str());
        assert_eq!(tag(&after, "team"), TEAM);
    });
}

#[test]
fn a_public_address_is_taken_away_where_the_policy_says_fix() {
    gate(Fix::PublicAddress, |world, name, fixed| {
        let service = fixtures::described_service(&world.aws, name, "storefront").unwrap();
        let block = &service["networkConfiguration"]["awsvpcConfiguration"];
        assert_eq!(block["assignPublicIp"], if fixed { "DISABLED" } else { "ENABLED" });
        assert_eq!(block["subnets"].as_array().unwrap().len(), 1);
        assert_eq!(block["securityGroups"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn a_service_is_moved_to_a_mended_revision_where_the_policy_says_fix() {
    gate(Fix::Move, |world, name, fixed| {
        let service = fixtures::described_service(&world.aws, name, "storefront").unwrap();
        assert_eq!(service["taskDefinition"], revisions(world, name).unwrap()[usize::from(fixed)].as_str());
    });
}

#[test]
fn a_service_asks_for_a_mended_revision_that_there_is_none_of() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    let network = fixtures::network(&world.aws, Way::Nat).unwrap();
    // Registered before there was anybody to hear of it.
    let source = register_privileged(&world, "fix-ingest").unwrap();
    fixtures::cluster(&world.aws, "fix-shop", "enabled").unwrap();
    let service = ("fix-shop", "storefront");
    fixtures::service(&world.aws, service, &source, &network, false, &json!({})).unwrap();
    world.happens(&put_back("fix-shop").unwrap()).unwrap();
    let moved = until("the service's move", STORY, || {
        let now = fixtures::described_service(&world.aws, "fix-shop", "storefront").ok()?;
        (now["taskDefinition"] != source.as_str()).then_some(now)
    });
    assert_eq!(moved.unwrap()["taskDefinition"], revisions(&world, "fix-ingest").unwrap()[1].as_str());
}

fn tag<'a>(described: &'a Value, key: &str) -> &'a str {
    let tags = described["tags"].as_array().unwrap();
    tags.iter().find(|tag| tag["key"] == key).map_or("", |tag| tag["value"].as_str().unwrap())
}
