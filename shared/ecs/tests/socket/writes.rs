//! What a write carries: what the plan changes, whole, as it was described a moment ago, and nothing else.

use serde_json::{Value, json};
use shipshape_test_server::{Request, Server};

use crate::world::{Judged, arn, judge, members, told};

/// What was sent to be written.
fn written(server: &Server, call: &str) -> Vec<Value> {
    server.requests().iter().filter(|one| one.call() == call).map(members).collect()
}

fn applied(judged: &Judged) {
    let (outcome, reason) = judged.outcome();
    assert_eq!(outcome, Some("applied"), "{reason}");
}

#[tokio::test]
async fn a_cluster_is_sent_its_settings_and_nothing_else() {
    let cluster = json!({"clusterArn": arn("cluster/shop"), "clusterName": "shop", "status": "ACTIVE",
        "settings": [{"name": "newerSetting", "value": "x", "newer": 1.5}, {"name": "containerInsights", "value": "disabled"}],
        "configuration": {"executeCommandConfiguration": {"logging": "DEFAULT"}}, "tags": [], "newerTop": {}});
    let server = Server::start(move |request, _| match request.call() {
        "DescribeClusters" => told(&json!({"clusters": [cluster]})),
        _ => told(&json!({})),
    });
    let judged = judge(&server, "cluster/shop", "ecs-cluster-container-insights", "", &[]).await.unwrap();
    applied(&judged);
    let settings = json!([{"name": "newerSetting", "value": "x", "newer": 1.5},
        {"name": "containerInsights", "value": "enabled"}]);
    let expected = json!({"cluster": arn("cluster/shop"), "settings": settings});
    assert_eq!(written(&server, "UpdateClusterSettings"), [expected]);
}

#[tokio::test]
async fn a_resource_is_sent_its_new_tags_alone() {
    let cluster = json!({"clusterArn": arn("cluster/shop"), "clusterName": "shop", "status": "ACTIVE",
        "settings": [], "tags": [{"key": "team", "value": "web"}, {"key": "aws:x", "value": "y"}]});
    let server = Server::start(move |request, _| match request.call() {
        "DescribeClusters" => told(&json!({"clusters": [cluster]})),
        _ => told(&json!({})),
    });
    let wanted = "required = [\"team\", \"owner\"]\nvalues = [\"team=nobody\", \"owner=unknown\"]\n";
    let judged = judge(&server, "cluster/shop", "ecs-cluster-tagged", wanted, &[]).await.unwrap();
    applied(&judged);
    let expected =
        json!({"resourceArn": arn("cluster/shop"), "tags": [{"key": "owner", "value": "unknown"}]});
    assert_eq!(written(&server, "TagResource"), [expected]);
}

/// Everything that ECS knows of a service on Fargate with a public address.
fn service(request: &Request) -> Value {
    let image = format!("public.ecr.aws/shop/web@sha256:{}", "ab".repeat(32));
    match request.call() {
        "DescribeServices" => {
            json!({"services": [{"serviceArn": arn("service/shop/web"), "serviceName": "web",
            "clusterArn": arn("cluster/shop"), "status": "ACTIVE", "launchType": "FARGATE",
            "schedulingStrategy": "REPLICA", "taskDefinition": arn("task-definition/web:1"), "desiredCount": 2,
            "loadBalancers": [{"targetGroupArn":
                "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/t/1"}],
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-nat", "subnet-nat2"],
                "securityGroups": ["sg-1"], "assignPublicIp": "ENABLED", "newerMember": {"kept": [1.5, null]}},
                "newerBeside": true},
            "deployments": [{"id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "COMPLETED"}],
            "currentServiceRevisions": [{"arn": arn("service-revision/shop/web/1")}], "tags": []}]})
        }
        "DescribeTaskDefinition" => {
            json!({"taskDefinition": {"taskDefinitionArn": arn("task-definition/web:1"),
            "family": "web", "revision": 1, "status": "ACTIVE", "networkMode": "awsvpc",
            "containerDefinitions": [{"name": "web", "image": image, "logConfiguration":
                {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web"}}}]}})
        }
        "DescribeServiceRevisions" => json!({"serviceRevisions": [{"serviceArn": arn("service/shop/web"),
            "taskDefinition": arn("task-definition/web:1"), "containerImages": [{"containerName": "web",
                "imageDigest": format!("sha256:{}", "ab".repeat(32)), "image": image}]}]}),
        "DescribeClusters" => json!({"clusters": [{"clusterArn": arn("cluster/shop"), "status": "ACTIVE",
            "activeServicesCount": 20, "settings": []}]}),
        "UpdateService" => json!({}),
        other => panic!("{other} was not to be asked"),
    }
}

#[tokio::test]
async fn a_service_is_sent_its_whole_network_and_no_forced_deployment() {
    let server = Server::start(|request, _| told(&service(request)));
    let subnets = ["subnet-nat", "subnet-nat2"].map(|id| json!({"SubnetId": id, "VpcId": "vpc-1"}));
    let known = [
        json!({ "Subnets": subnets }),
        json!({"RouteTables": [{"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": true},
            {"SubnetId": "subnet-nat"}, {"SubnetId": "subnet-nat2"}],
            "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}]}]}),
        json!({"NatGateways": [{"NatGatewayId": "nat-1", "State": "available", "ConnectivityType": "public"}]}),
    ];
    let judged = judge(&server, "service/shop/web", "ecs-service-no-public-ip", "", &known).await.unwrap();
    applied(&judged);
    let network = json!({"awsvpcConfiguration": {"subnets": ["subnet-nat", "subnet-nat2"],
        "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED", "newerMember": {"kept": [1.5, null]}},
        "newerBeside": true});
    let expected = json!({"cluster": arn("cluster/shop"), "service": arn("service/shop/web"),
        "networkConfiguration": network});
    assert_eq!(written(&server, "UpdateService"), [expected]);
}
