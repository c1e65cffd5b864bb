//! The three fixes of the mission, each in mode fix and in mode notify, from a captured event through rule, queue and
//! function.

use serde_json::json;
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::fixtures;

use crate::world::{PASSABLE, captured, deployed};

const INSIGHTS: &str = "ecs/ecs-cluster-container-insights.fail.switched-off.json";

#[test]
fn container_insights_are_switched_on_where_the_policy_says_fix() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, &[("DryRun", "false"), ("PassableRoles", PASSABLE)]).unwrap();
    for (name, fixed) in [("fix-orders", true), ("orders", false)] {
        fixtures::cluster(&world.aws, name, "disabled").unwrap();
        let event = captured(
            INSIGHTS,
            &[("222233334444", "111122223333"), ("cluster/orders", &format!("cluster/{name}"))],
        )
        .unwrap();
        let change = world.happens(&event).unwrap();
        let told = world.told(&change).unwrap();
        assert_eq!(told["action"], if fixed { "fixed" } else { "notified" }, "{told}");
        let cluster = fixtures::described_cluster(&world.aws, name).unwrap();
        let value = if fixed { "enabled" } else { "disabled" };
        assert_eq!(cluster["settings"], json!([{"name": "containerInsights", "value": value}]));
    }
}
