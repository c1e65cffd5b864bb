//! The three fixes of the mission, each in mode fix and in mode notify, from a captured event through rule, queue and
//! function.

use serde_json::{Value, json};
use shipshape_e2e::aws::Aws;
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::fixtures;

use crate::world::{PASSABLE, World, captured, deployed};

const INSIGHTS: &str = "ecs/ecs-cluster-container-insights.fail.switched-off.json";
const PRIVILEGED: &str = "ecs/ecs-container-not-privileged.fail.sidecar.json";

/// The deployment-wide dry run is over, and mended revisions may name the roles of the fixtures.
const FIXING: &[(&str, &str)] = &[("DryRun", "false"), ("PassableRoles", PASSABLE)];

#[test]
fn container_insights_are_switched_on_where_the_policy_says_fix() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    for (name, fixed) in [("fix-orders", true), ("orders", false)] {
        fixtures::cluster(&world.aws, name, "disabled").unwrap();
        let names = [("222233334444", "111122223333"), ("cluster/orders", &format!("cluster/{name}"))];
        let event = captured(INSIGHTS, &names).unwrap();
        let told = world.told(&world.happens(&event).unwrap()).unwrap();
        assert_eq!(told["action"], action(fixed), "{told}");
        let cluster = fixtures::described_cluster(&world.aws, name).unwrap();
        let value = if fixed { "enabled" } else { "disabled" };
        assert_eq!(cluster["settings"], json!([{"name": "containerInsights", "value": value}]));
    }
}

#[test]
fn a_mended_revision_is_registered_where_the_policy_says_fix() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    for (family, fixed) in [("fix-ingest", true), ("ingest", false)] {
        let source = registered(&world, family).unwrap();
        let event = privileged(family, &source);
        let told = world.told(&world.happens(&event).unwrap()).unwrap();
        assert_eq!(told["action"], action(fixed), "{told}");
        let revisions = revisions(&world.aws, family);
        if !fixed {
            assert_eq!(revisions, [source]);
            continue;
        }
        let [first, second] = revisions.as_slice() else { panic!("{revisions:?}") };
        let (before, after) = (definition(&world.aws, first), definition(&world.aws, second));
        let mut expected = before["taskDefinition"]["containerDefinitions"].clone();
        expected[1]["privileged"] = json!(false);
        assert_eq!(after["taskDefinition"]["containerDefinitions"], expected);
        assert_eq!(tag(&before, "shipshape:mended"), second.as_str());
        assert_eq!(tag(&after, "shipshape:source"), first.as_str());
        assert_eq!(tag(&after, "team"), "ingest");
    }
}

fn action(fixed: bool) -> &'static str {
    if fixed { "fixed" } else { "notified" }
}

/// The captured registration, of that family and revision.
fn privileged(family: &str, arn: &str) -> Value {
    let names = [
        ("333344445555", "111122223333"),
        ("us-east-1", "eu-west-1"),
        ("arn:aws:ecs:eu-west-1:111122223333:task-definition/ingest:5", arn),
        ("\"family\":\"ingest\"", &format!("\"family\":\"{family}\"")),
    ];
    captured(PRIVILEGED, &names).unwrap()
}

/// Registers what the captured event had registered, its images pinned, and answers the revision's ARN.
fn registered(world: &World<'_>, family: &str) -> anyhow::Result<String> {
    let mut document = privileged(family, "arn:aws:ecs:eu-west-1:111122223333:task-definition/x:1")["detail"]
        ["responseElements"]["taskDefinition"]
        .take();
    for name in [
        "taskDefinitionArn",
        "revision",
        "status",
        "requiresAttributes",
        "compatibilities",
        "registeredAt",
        "registeredBy",
    ] {
        document.as_object_mut().unwrap().remove(name);
    }
    for container in document["containerDefinitions"].as_array_mut().unwrap() {
        let (image, digest) = fixtures::image(&world.aws, container["name"].as_str().unwrap(), "1")?;
        let repository = image.rsplit_once(':').unwrap().0.to_owned();
        container["image"] = json!(format!("{repository}@{digest}"));
    }
    document["tags"] = json!([{"key": "team", "value": "ingest"}]);
    let answer = world.aws.call("ecs", "RegisterTaskDefinition", &document)?;
    Ok(answer["taskDefinition"]["taskDefinitionArn"].as_str().unwrap().to_owned())
}

fn revisions(aws: &Aws, family: &str) -> Vec<String> {
    let answer = aws.call("ecs", "ListTaskDefinitions", &json!({"familyPrefix": family})).unwrap();
    serde_json::from_value(answer["taskDefinitionArns"].clone()).unwrap()
}

fn definition(aws: &Aws, arn: &str) -> Value {
    aws.call("ecs", "DescribeTaskDefinition", &json!({"taskDefinition": arn, "include": ["TAGS"]})).unwrap()
}

fn tag<'a>(described: &'a Value, key: &str) -> &'a str {
    let tags = described["tags"].as_array().unwrap();
    tags.iter().find(|tag| tag["key"] == key).map_or("", |tag| tag["value"].as_str().unwrap())
}
