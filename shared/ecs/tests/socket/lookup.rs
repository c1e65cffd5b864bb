//! How many calls it takes, and what is said of what is not there.

use serde_json::{Value, json};
use shipshape_aws::failure::FailureKind;
use shipshape_aws::reach::Reach;
use shipshape_core::facts::{Facts, Need};
use shipshape_core::resource::{ResourceId, ResourceType};
use shipshape_test_server::{Answer, Request, Server};

use crate::world::{arn, ask, error, fetch, id, members, need, reach, told};

/// Describes everything that is asked for, with this status.
fn described(request: &Request, list: &str, named: &str, status: &str) -> Answer {
    let names = members(request)[list].clone();
    let one = |name: &Value| json!({named: name, "status": status, "tags": []});
    told(&json!({list: names.as_array().unwrap().iter().map(one).collect::<Vec<_>>(), "failures": []}))
}

fn services(request: &Request) -> Answer {
    described(request, "services", "serviceArn", "ACTIVE")
}

#[tokio::test]
async fn services_are_asked_for_by_ten_and_each_cluster_for_its_own() {
    let server = Server::start(|request, _| {
        assert_eq!(request.call(), "DescribeServices");
        assert_eq!(members(request)["include"], json!(["TAGS"]));
        services(request)
    });
    let names = (0..23).map(|n| format!("service/{}/s{n}", if n < 12 { "shop" } else { "edge" }));
    let names: Vec<String> = names.collect();
    let facts = fetch(&server, &names.iter().map(|name| need(name)).collect::<Vec<_>>()).await.unwrap();
    let mut calls: Vec<(String, usize)> = server
        .requests()
        .iter()
        .map(|one| {
            let sent = members(one);
            let cluster = sent["cluster"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
            (cluster, sent["services"].as_array().unwrap().len())
        })
        .collect();
    calls.sort();
    let expected = [("edge", 1), ("edge", 10), ("shop", 2), ("shop", 10)];
    assert_eq!(calls, expected.map(|(cluster, count)| (cluster.to_owned(), count)));
    assert!(names.iter().all(|name| facts.known(&id(name)).is_some_and(|service| service.whole)));
}

#[tokio::test]
async fn clusters_are_asked_for_by_a_hundred_with_everything() {
    let server = Server::start(|request, _| {
        assert_eq!(members(request)["include"], json!(["SETTINGS", "CONFIGURATIONS", "STATISTICS", "TAGS"]));
        described(request, "clusters", "clusterArn", "ACTIVE")
    });
    let needs: Vec<Need> = (0..250).map(|n| need(&format!("cluster/c{n}"))).collect();
    let facts = fetch(&server, &needs).await.unwrap();
    assert_eq!(server.calls(), ["DescribeClusters"; 3]);
    assert!((0..250).all(|n| facts.known(&id(&format!("cluster/c{n}"))).is_some()));
}

#[tokio::test]
async fn every_page_of_a_list_is_read() {
    let server = Server::start(|request, _| {
        let sent = members(request);
        let second = sent.get("nextToken").is_some_and(|token| token == "more");
        let page = |list: &str, one: &str, other: &str| match second {
            false => told(&json!({list: [one], "nextToken": "more"})),
            true => told(&json!({list: [other]})),
        };
        match request.call() {
            "ListTasks" => page("taskArns", &arn("task/shop/1"), &arn("task/shop/2")),
            "ListContainerInstances" => page(
                "containerInstanceArns",
                &arn("container-instance/shop/1"),
                &arn("container-instance/shop/2"),
            ),
            "ListAccountSettings" => {
                assert_eq!(sent["effectiveSettings"], true);
                let setting = |name: &str| json!([{"name": name, "value": "enabled", "principalArn": "arn:aws:iam::111122223333:root"}]);
                match second {
                    false => told(&json!({"settings": setting("taskLongArnFormat"), "nextToken": "more"})),
                    true => told(&json!({"settings": setting("containerInsights")})),
                }
            }
            "DescribeTasks" => {
                assert_eq!(sent["tasks"], json!([arn("task/shop/1"), arn("task/shop/2")]));
                told(&json!({"tasks": []}))
            }
            "DescribeContainerInstances" => {
                let both = json!([arn("container-instance/shop/1"), arn("container-instance/shop/2")]);
                assert_eq!(sent["containerInstances"], both);
                told(&json!({"containerInstances": []}))
            }
            other => panic!("{other} was not to be asked"),
        }
    });
    let cluster = id("cluster/shop").arn;
    let setting = arn("account-setting/containerInsights").parse().unwrap();
    let needs = [
        Need::Tasks(cluster.clone()),
        Need::ContainerInstances(cluster.clone()),
        Need::Resource(ResourceId { kind: ResourceType::AccountSetting, arn: setting }),
    ];
    let facts = fetch(&server, &needs).await.unwrap();
    assert_eq!(facts.account_setting(&cluster, "containerInsights"), Some("enabled"));
    let expected = [
        "ListAccountSettings",
        "ListAccountSettings",
        "ListContainerInstances",
        "ListContainerInstances",
        "DescribeContainerInstances",
        "ListTasks",
        "ListTasks",
        "DescribeTasks",
    ];
    assert_eq!(server.calls(), expected);
}

#[tokio::test]
async fn what_is_deleted_missing_or_in_no_cluster_is_gone() {
    let server = Server::start(|request, _| {
        let sent = members(request);
        let deleted = json!([{"serviceArn": arn("service/shop/deleted"), "status": "INACTIVE"},
            {"serviceArn": arn("service/shop/there"), "status": "DRAINING"}]);
        let missing = json!([{"arn": arn("service/shop/never"), "reason": "MISSING"}]);
        match request.call() {
            "DescribeServices" if sent["cluster"] == arn("cluster/shop") => {
                told(&json!({"services": deleted, "failures": missing}))
            }
            "DescribeServices" => error(400, "ClusterNotFoundException", "Cluster not found."),
            "DescribeClusters" => described(request, "clusters", "clusterArn", "INACTIVE"),
            "DescribeTaskDefinition" => error(400, "ClientException", "Unable to describe task definition."),
            "DescribeTaskSets" => error(400, "ServiceNotFoundException", "Service not found."),
            "DescribeExpressGatewayService" => error(400, "ResourceNotFoundException", "Service not found."),
            other => panic!("{other} was not to be asked"),
        }
    });
    let gone = [
        "service/shop/deleted",
        "service/shop/never",
        "service/none/web",
        "cluster/old",
        "task-definition/web:1",
        "task-set/shop/none/ecs-svc/1",
    ];
    let mut needs = gone.map(need).to_vec();
    needs.push(need("service/shop/there"));
    let express = ResourceId { kind: ResourceType::ExpressGatewayService, ..id("service/none/express") };
    needs.push(Need::Resource(express.clone()));
    let facts = fetch(&server, &needs).await.unwrap();
    assert!(facts.is_gone(&express));
    for name in gone {
        assert!(facts.is_gone(&id(name)) && facts.known(&id(name)).is_none(), "{name}");
    }
    assert!(!facts.is_gone(&id("service/shop/there")));
    let mut reach = reach(&server);
    assert_eq!(reach.describe(&id("service/shop/deleted")).await, Ok(None));
    assert!(reach.describe(&id("service/shop/there")).await.unwrap().is_some());
}

#[tokio::test]
async fn nothing_is_learned_of_what_goes_on_in_a_cluster_that_is_gone() {
    let server = Server::start(|_, _| error(400, "ClusterNotFoundException", "Cluster not found."));
    let cluster = id("cluster/none").arn;
    let needs = [
        Need::Tasks(cluster.clone()),
        Need::ContainerInstances(cluster.clone()),
        Need::RunningImages(id("service/none/web").arn),
    ];
    for one in needs {
        let mut facts = Facts::default();
        let learned = ask(&server, std::slice::from_ref(&one), &mut facts).await;
        assert_eq!(learned, Ok(false), "{one:?}");
    }
}

#[tokio::test]
async fn what_nobody_can_ask_for_is_not_gone() {
    let server = Server::start(|_, _| error(500, "ServerException", "not to be asked"));
    // ARNs of before 2018 name no cluster.
    let names = ["service/web", "task-set/1", "task/1", "container-instance/1"];
    let mut facts = Facts::default();
    let learned = ask(&server, &names.map(need), &mut facts).await;
    assert_eq!(learned, Ok(false));
    assert!(names.iter().all(|name| !facts.is_gone(&id(name))));
}

#[tokio::test]
async fn what_may_not_be_asked_is_not_gone() {
    let rows = [
        ("DescribeClusters", "cluster/shop", "AccessDeniedException"),
        ("DescribeServices", "service/shop/web", "AccessDeniedException"),
        ("DescribeTaskDefinition", "task-definition/web:1", "AccessDeniedException"),
        // Not every mistake of a client is that there is no such revision.
        ("DescribeTaskDefinition", "task-definition/web:1", "ClientException"),
        ("DescribeTaskDefinition", "task-definition/web:1", "InvalidParameterException"),
    ];
    for (call, name, code) in rows {
        let server = Server::start(|_, _| error(400, code, "you may not"));
        let mut facts = Facts::default();
        let failed = ask(&server, &[need(name)], &mut facts).await.unwrap_err();
        assert_eq!((failed.call, failed.code.as_str(), failed.kind), (call, code, FailureKind::Refused));
        assert!(!facts.is_gone(&id(name)));
        assert_eq!(server.calls(), [call], "what is refused is not tried again");
    }
}

#[tokio::test]
async fn a_throttled_or_lost_question_is_asked_again() {
    for first in [error(400, "ThrottlingException", "Rate exceeded"), Answer::Lost, error(503, "X", "")] {
        let server = Server::start(move |request, before| match before {
            0 => first.clone(),
            _ => services(request),
        });
        let facts = fetch(&server, &[need("service/shop/web")]).await.unwrap();
        assert!(facts.known(&id("service/shop/web")).is_some());
        assert_eq!(server.requests().len(), 2);
    }
    let server = Server::start(|_, _| error(400, "ThrottlingException", "Rate exceeded"));
    let failed = fetch(&server, &[need("service/shop/web")]).await.unwrap_err();
    assert_eq!(failed.kind, FailureKind::Retryable);
    assert_eq!(server.requests().len(), 3);
}
