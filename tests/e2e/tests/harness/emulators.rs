//! The emulators start, keep accounts and Regions apart, and die.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use serde_json::json;
use shipshape_e2e::aws::Aws;
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::fixtures::{self, Way};
use shipshape_e2e::{ACCOUNT, PATIENCE, events, until};

/// How many processes of that group there are.
pub(crate) fn members(group: u32) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.filter(|entry| in_group(&entry.path().join("stat"), group)).count()
}

fn in_group(stat: &Path, group: u32) -> bool {
    let text = std::fs::read_to_string(stat).unwrap_or_default();
    // After the name in parentheses: state, parent, group.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut fields = rest.split_whitespace();
    let (state, group_of) = (fields.next(), fields.nth(1));
    state != Some("Z") && group_of.is_some_and(|of| of == group.to_string())
}

#[test]
fn they_die_with_the_test_also_when_it_panics() {
    let mut groups = [0; 2];
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let emulators = Emulators::start().unwrap();
        groups = emulators.process_groups();
        assert!(groups.into_iter().all(|group| members(group) > 0), "{groups:?}");
        panic!("as a failing test would");
    }));
    assert!(panicked.is_err());
    until("the emulators to be gone", PATIENCE, || {
        groups.into_iter().all(|group| members(group) == 0).then_some(())
    })
    .unwrap();
}

#[test]
fn accounts_and_regions_are_apart_and_the_network_is_moto_s() {
    let emulators = Emulators::start().unwrap();
    let aws = emulators.aws();
    let shop = fixtures::cluster(&aws, "shop", "disabled").unwrap();
    assert_eq!(shop, format!("arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/shop"));
    let clusters = |aws: &Aws| aws.call("ecs", "ListClusters", &json!({})).unwrap()["clusterArns"].clone();
    assert_eq!(clusters(&aws), json!([shop]));
    assert_eq!(clusters(&aws.elsewhere("222233334444", "eu-west-1")), json!([]));
    assert_eq!(clusters(&aws.elsewhere(ACCOUNT, "eu-north-1")), json!([]));
    let described = fixtures::described_cluster(&aws, "shop").unwrap();
    assert_eq!(described["settings"], json!([{"name": "containerInsights", "value": "disabled"}]));

    for (way, gateway) in [(Way::Nat, "nat-"), (Way::Internet, "igw-"), (Way::Closed, "")] {
        let network = fixtures::network(&aws, way).unwrap();
        let filter = json!({"Filter": [{"Name": "association.subnet-id", "Value": [network.subnet]}]});
        let tables = aws.call("ec2", "DescribeRouteTables", &filter).unwrap();
        let tables = &tables["routeTableSet"];
        assert_eq!(tables[0]["routeTableId"], network.route_table.as_str(), "{tables}");
        let routes = tables[0]["routeSet"].as_array().unwrap();
        let default = routes.iter().find(|route| route["destinationCidrBlock"] == "0.0.0.0/0");
        let default = default.map(|route| format!("{}{}", route["natGatewayId"], route["gatewayId"]));
        assert!(default.unwrap_or_default().contains(gateway), "{way:?}: {routes:?}");
    }

    let network = fixtures::network(&aws, Way::Nat).unwrap();
    let (image, digest) = fixtures::image(&aws, "team/web", "1").unwrap();
    let (_, other) = fixtures::image(&aws, "team/web", "2").unwrap();
    assert!(
        image.starts_with(ACCOUNT) && digest.starts_with("sha256:") && digest != other,
        "{image} {digest}"
    );
    let revision = fixtures::task_definition(&aws, "web", &image, &json!({})).unwrap();
    assert!(revision.ends_with("task-definition/web:1"), "{revision}");
    fixtures::service(&aws, ("shop", "web"), &revision, &network, true, &json!({"desiredCount": 2})).unwrap();
    let service = fixtures::described_service(&aws, "shop", "web").unwrap();
    let network = &service["networkConfiguration"]["awsvpcConfiguration"];
    assert_eq!(network["assignPublicIp"], "ENABLED", "{service}");
    assert_eq!(service["desiredCount"], 2);

    let missing = json!({"cluster": "shop", "service": "none"});
    let error = aws.call("ecs", "UpdateService", &missing).unwrap_err();
    assert_eq!((error.status, error.code.as_str()), (400, "ServiceNotFoundException"), "{error}");
    let error = aws.call("ec2", "DescribeSubnets", &json!({"SubnetId": ["subnet-00000000"]})).unwrap_err();
    assert_eq!(error.code, "InvalidSubnetID.NotFound", "{error}");
    assert_eq!(aws.call("sts", "GetCallerIdentity", &json!({})).unwrap()["Account"], ACCOUNT);

    emulators.reset().unwrap();
    assert_eq!(clusters(&aws), json!([]));
}

#[test]
fn topics_parameters_tables_and_the_bus_can_be_looked_at() {
    let emulators = Emulators::start().unwrap();
    let aws = emulators.aws();
    let topic = aws.call("sns", "CreateTopic", &json!({"Name": "told"})).unwrap();
    let topic = topic["TopicArn"].as_str().unwrap();
    let heard = fixtures::listener(&aws, topic, "heard").unwrap();
    aws.call("sns", "Publish", &json!({"TopicArn": topic, "Message": "look here"})).unwrap();
    let messages = until("what was published", PATIENCE, || {
        Some(fixtures::receive(&aws, &heard).unwrap()).filter(|messages| !messages.is_empty())
    });
    assert_eq!(messages.unwrap()[0]["Body"], "look here");
    assert_eq!(fixtures::waiting(&aws, &heard).unwrap(), (0, 0));

    fixtures::parameter(&aws, "/shipshape/switch", "run").unwrap();
    fixtures::parameter(&aws, "/shipshape/switch", "pause").unwrap();
    let names = json!({"Names": ["/shipshape/switch", "/shipshape/none"]});
    let answer = aws.call("ssm", "GetParameters", &names).unwrap();
    assert_eq!(answer["Parameters"][0]["Value"], "pause", "{answer}");
    assert_eq!(answer["InvalidParameters"], json!(["/shipshape/none"]));

    let table = json!({
        "TableName": "ledger", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    });
    aws.call("dynamodb", "CreateTable", &table).unwrap();
    for key in ["a", "b"] {
        let item = json!({"TableName": "ledger", "Item": {"pk": {"S": key}, "n": {"N": "1"}}});
        aws.call("dynamodb", "PutItem", &item).unwrap();
    }
    let items = fixtures::items(&aws, "ledger").unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(fixtures::attribute(&items[0], "n").unwrap(), "1");

    let (url, arn) = fixtures::queue(&aws, "all").unwrap();
    let rule = json!({"Name": "all", "EventPattern": r#"{"source": ["aws.ecs"]}"#});
    aws.call("events", "PutRule", &rule).unwrap();
    aws.call("events", "PutTargets", &json!({"Rule": "all", "Targets": [{"Id": "q", "Arn": arn}]})).unwrap();
    let event = events::event("ecs/native.service-action.json").unwrap();
    let id = events::put(&aws, &event).unwrap();
    let messages = until("the event", PATIENCE, || {
        Some(fixtures::receive(&aws, &url).unwrap()).filter(|messages| !messages.is_empty())
    });
    let body = messages.unwrap()[0]["Body"].as_str().unwrap().parse::<serde_json::Value>().unwrap();
    assert_eq!(body["id"], id.as_str());
    for member in ["source", "detail-type", "account", "region", "resources", "detail"] {
        assert_eq!(body[member], event[member], "{member}");
    }
}
