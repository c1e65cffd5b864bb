//! The proxy's faults, each as a caller sees it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shipshape_e2e::aws::{Aws, AwsError};
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::fixtures;
use shipshape_e2e::proxy::{Fault, Rule};

fn through(emulators: &Emulators) -> Aws {
    Aws::new(&emulators.proxy().endpoint(), &emulators.proxy().endpoint())
}

fn switch(aws: &Aws, value: &str) -> Result<Value, AwsError> {
    let settings = json!([{"name": "containerInsights", "value": value}]);
    aws.call("ecs", "UpdateClusterSettings", &json!({"cluster": "shop", "settings": settings}))
}

/// What the emulator has, seen past the proxy.
fn insights(emulators: &Emulators) -> String {
    let cluster = fixtures::described_cluster(&emulators.aws(), "shop").unwrap();
    cluster["settings"][0]["value"].as_str().unwrap().to_owned()
}

#[test]
fn a_fault_comes_before_or_after_the_write() {
    let emulators = Emulators::start().unwrap();
    let (proxy, aws) = (emulators.proxy(), through(&emulators));
    fixtures::cluster(&emulators.aws(), "shop", "disabled").unwrap();
    assert!(proxy.calls().is_empty(), "what a test prepares is not counted");

    proxy.add(Rule::on("ecs.Update*").nth(1).before(Fault::error(400, "ThrottlingException")));
    let error = switch(&aws, "enabled").unwrap_err();
    assert_eq!((error.status, error.code.as_str()), (400, "ThrottlingException"));
    assert_eq!(insights(&emulators), "disabled", "not forwarded");

    proxy.clear();
    proxy.add(Rule::on("ecs.Update*").nth(1).before(Fault::Cut));
    assert_eq!(switch(&aws, "enabled").unwrap_err().code, "NoAnswer");
    assert_eq!(insights(&emulators), "disabled", "not forwarded");

    proxy.clear();
    proxy.add(Rule::on("ecs.Update*").nth(1).after(Fault::Cut));
    assert_eq!(switch(&aws, "enabled").unwrap_err().code, "NoAnswer");
    assert_eq!(insights(&emulators), "enabled", "done, and the answer lost");

    proxy.clear();
    proxy.add(Rule::on("ecs.Update*").nth(1).after(Fault::error(500, "ServerException")));
    assert_eq!(switch(&aws, "enhanced").unwrap_err().code, "ServerException");
    assert_eq!(insights(&emulators), "enhanced", "done, and told as failed");

    switch(&aws, "enabled").unwrap();
    let statuses: Vec<_> = proxy.matching("ecs.*").iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(500), Some(200)]);
    let call = proxy.calls().remove(1);
    assert_eq!(call.name(), "ecs.UpdateClusterSettings");
    assert_eq!((call.key.as_str(), call.region.as_str()), (aws.key(), aws.region()));
    assert_eq!(call.json()["settings"][0]["value"], "enabled");
}

#[test]
fn errors_speak_the_caller_s_protocol_and_services_go_where_they_are() {
    let emulators = Emulators::start().unwrap();
    let (proxy, aws) = (emulators.proxy(), through(&emulators));
    for (service, operation, answer) in [
        ("ecs", "ListClusters", "clusterArns"),
        ("ec2", "DescribeSubnets", "subnetSet"),
        ("ecr", "DescribeRepositories", "repositories"),
        ("sns", "ListTopics", "Topics"),
        ("sqs", "ListQueues", ""),
        ("dynamodb", "ListTables", "TableNames"),
        ("events", "ListRules", "Rules"),
        ("sts", "GetCallerIdentity", "Account"),
    ] {
        proxy.clear();
        proxy.add(Rule::on(&format!("{service}.{operation}")).nth(2).before(Fault::error(503, "Slow")));
        let first = aws.call(service, operation, &json!({})).unwrap();
        assert!(answer.is_empty() || first.get(answer).is_some(), "{service}: {first}");
        let second = aws.call(service, operation, &json!({})).unwrap_err();
        assert_eq!((second.status, second.code.as_str()), (503, "Slow"), "{service}");
        assert_eq!(second.message, "made by the test", "{service}");
    }
}

#[test]
fn it_delays_hooks_and_answers_in_place_of_the_emulator() {
    let emulators = Emulators::start().unwrap();
    let (proxy, aws) = (emulators.proxy(), through(&emulators));
    proxy.add(Rule::on("ecs.ListClusters").nth(1).before(Fault::Delay(Duration::from_millis(150))));
    let started = Instant::now();
    aws.call("ecs", "ListClusters", &json!({})).unwrap();
    assert!(started.elapsed() >= Duration::from_millis(150));

    let seen = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&seen);
    let (tell, told) = mpsc::channel();
    proxy.add(Rule::on("ecs.ListServices").every(2).before(Fault::hook(move |call| {
        counted.fetch_add(1, Ordering::SeqCst);
        let _ = tell.send(call.json());
    })));
    fixtures::cluster(&emulators.aws(), "shop", "disabled").unwrap();
    for _ in 0..4 {
        aws.call("ecs", "ListServices", &json!({"cluster": "shop"})).unwrap();
    }
    assert_eq!(seen.load(Ordering::SeqCst), 2);
    assert_eq!(told.recv().unwrap(), json!({"cluster": "shop"}));

    let deployments = json!({"serviceDeployments": [{"serviceDeploymentArn": "arn:aws:ecs:x"}]});
    proxy.add(Rule::on("ecs.ListServiceDeployments").before(Fault::Answer(deployments.clone())));
    assert_eq!(aws.call("ecs", "ListServiceDeployments", &json!({})).unwrap(), deployments);
}
