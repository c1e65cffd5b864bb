//! Where the proxy refuses what AWS refuses and the emulator takes.

use serde_json::json;
use shipshape_e2e::aws::Aws;
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::fixtures::{self, Way};

#[test]
fn ecs_is_as_strict_as_aws() {
    let emulators = Emulators::start().unwrap();
    let (direct, aws) = (emulators.aws(), {
        let endpoint = emulators.proxy().endpoint();
        Aws::new(&endpoint, &endpoint)
    });
    let refused = |operation: &str, parameters| aws.call("ecs", operation, &parameters).unwrap_err().code;
    fixtures::cluster(&direct, "shop", "enabled").unwrap();
    let network = fixtures::network(&direct, Way::Nat).unwrap();
    let tags = json!({"tags": [{"key": "team", "value": "shop"}]});
    let revision = fixtures::task_definition(&direct, "web", "nginx", &tags).unwrap();
    fixtures::service(&direct, ("shop", "web"), &revision, &network, true, &tags).unwrap();

    let names: Vec<String> = (0..11).map(|number| format!("s{number}")).collect();
    let eleven = json!({"cluster": "shop", "services": names});
    assert_eq!(refused("DescribeServices", eleven), "InvalidParameterException");
    for operation in ["ListServices", "RunTask", "UpdateService", "DescribeServices"] {
        let nowhere = json!({"cluster": "nowhere", "service": "web", "services": ["web"]});
        assert_eq!(refused(operation, nowhere), "ClusterNotFoundException", "{operation}");
    }

    for (included, shown) in [(json!([]), false), (json!(["TAGS"]), true)] {
        let services = json!({"cluster": "shop", "services": ["web"], "include": included});
        let answer = aws.call("ecs", "DescribeServices", &services).unwrap();
        assert_eq!(answer["services"][0].get("tags").is_some(), shown, "{answer}");
        let definition = json!({"taskDefinition": revision, "include": included});
        let answer = aws.call("ecs", "DescribeTaskDefinition", &definition).unwrap();
        assert_eq!(answer.get("tags").is_some(), shown, "{answer}");
    }

    // Another network is another deployment; a number of tasks is not, nor is the network that it has.
    let primary = || {
        let service = fixtures::described_service(&direct, "shop", "web").unwrap();
        let deployments = service["deployments"].as_array().unwrap().clone();
        let primary = deployments.into_iter().find(|deployment| deployment["status"] == "PRIMARY");
        (primary.unwrap()["id"].as_str().unwrap().to_owned(), service["networkConfiguration"].clone())
    };
    let (first, mut network) = primary();
    let update = |member: &str, value: &serde_json::Value| {
        let mut request = json!({"cluster": "shop", "service": "web"});
        request[member] = value.clone();
        aws.call("ecs", "UpdateService", &request).unwrap();
        primary().0
    };
    assert_eq!(update("desiredCount", &json!(3)), first);
    assert_eq!(update("networkConfiguration", &network), first);
    network["awsvpcConfiguration"]["assignPublicIp"] = "DISABLED".into();
    let second = update("networkConfiguration", &network);
    assert_ne!(second, first);
    assert_eq!(primary(), (second, network));
    let asked = emulators.proxy().matching("ecs.UpdateService").pop().unwrap().json();
    assert!(asked.get("forceNewDeployment").is_none(), "what is kept is what the caller sent: {asked}");

    let gone = json!({"cluster": "shop", "service": "web", "force": true});
    aws.call("ecs", "DeleteService", &gone).unwrap();
    let code = refused("UpdateService", json!({"cluster": "shop", "service": "web", "desiredCount": 1}));
    assert!(matches!(code.as_str(), "ServiceNotActiveException" | "ServiceNotFoundException"), "{code}");
}
