//! The pre-flight of the public address, fact by fact: one that is missing is named, one that speaks against the
//! fix refuses it in a sentence, and only when all are there is the fix made.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use shipshape_core::control::{Severity, evaluate};
use shipshape_core::document::Document;
use shipshape_core::facts::Facts;
use shipshape_core::judgement::Readiness;
use shipshape_core::policy::Policy;
use shipshape_core::preflight::preflight;
use shipshape_core::remediation::{plan, prove};
use shipshape_core::resource::{Resource, ResourceId, ResourceType};
use shipshape_core::selection::{Selection, find};
use shipshape_tests::{Call, arn, good_task, nat_network, policy, service, walk, world};

const CONTROL: &str = "ecs-service-no-public-ip";
const LOGGING: &str = "ecs-container-logging";
const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const IMAGE: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1.2";

/// The facts of one case; each is a document of `describe-*`.
#[derive(Clone)]
struct Case {
    service: Value,
    task: Value,
    network: Vec<Value>,
    images: Vec<Value>,
}

fn fixing() -> Policy {
    policy("mode = \"fix\"\ndisruptive = true\niac = \"fix\"\n")
}

/// What the decision says of a case; `fixed` where the fix is made.
fn verdict(case: &Case) -> String {
    let mut state = case.network.clone();
    state.push(json!({"taskDefinition": case.task}));
    state.extend(case.images.iter().cloned());
    let judged = walk(&mut world(fixing(), &state), &[Call::create_service(0, &case.service)], CONTROL);
    let ruling = judged[0].ruling.as_ref().unwrap();
    if ruling.kind == "fix" { "fixed".to_owned() } else { ruling.reason.text.clone() }
}

#[track_caller]
fn says(case: &Case, expected: &str) {
    let verdict = verdict(case);
    assert!(verdict.contains(expected), "wanted `{expected}`, got `{verdict}`");
}

/// A service with a NAT route and an image of ECR by tag, which has not moved.
fn by_nat() -> Case {
    let mut task = good_task("checkout", 7);
    task["containerDefinitions"][0]["image"] = json!(IMAGE);
    let running = json!({"serviceRevisions": [{"serviceArn": arn("service/shop/checkout"),
        "taskDefinition": arn("task-definition/checkout:7"),
        "containerImages": [{"containerName": "web", "imageDigest": DIGEST}]}]});
    let stored = json!({"imageDetails": [{"registryId": "111122223333", "repositoryName": "shop/web",
        "imageDigest": DIGEST, "imageTags": ["1.2"]}]});
    Case {
        service: service("checkout", "checkout:7", "ENABLED"),
        task,
        network: nat_network(),
        images: vec![running, stored],
    }
}

/// The same service in a subnet without any way out but endpoints.
fn by_endpoints() -> Case {
    let endpoint = |service: &str| {
        json!({"VpcEndpointId": format!("vpce-{service}"), "VpcEndpointType": "Interface", "VpcId": "vpc-1",
            "ServiceName": format!("com.amazonaws.eu-west-1.{service}"), "State": "available",
            "SubnetIds": ["subnet-nat"], "Groups": [{"GroupId": "sg-door"}], "PrivateDnsEnabled": true})
    };
    let gateway = json!({"VpcEndpointId": "vpce-s3", "VpcEndpointType": "Gateway", "VpcId": "vpc-1",
        "ServiceName": "com.amazonaws.eu-west-1.s3", "State": "Available", "RouteTableIds": ["rtb-1"]});
    let https = |to: Value| json!({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": to});
    let mut network = nat_network();
    network[1] = json!({"RouteTables": [{"RouteTableId": "rtb-1", "VpcId": "vpc-1",
        "Associations": [{"Main": true}], "Routes": [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}]}]});
    network
        .push(json!({"VpcEndpoints": [endpoint("ecr.api"), endpoint("ecr.dkr"), endpoint("logs"), gateway]}));
    network.push(json!({"VpcId": "vpc-1", "EnableDnsSupport": {"Value": true}}));
    network.push(json!({"VpcId": "vpc-1", "EnableDnsHostnames": {"Value": true}}));
    network.push(json!({"SecurityGroups": [
        {"GroupId": "sg-1", "IpPermissionsEgress": [https(json!([{"CidrIp": "0.0.0.0/0"}]))]},
        {"GroupId": "sg-door", "IpPermissions": [https(json!([{"CidrIp": "10.0.0.0/16"}]))]}]}));
    Case { network, ..by_nat() }
}

/// Where the documents of a network stand in `by_endpoints`.
const ROUTES: usize = 1;
const NAT: usize = 2;
const ENDPOINTS: usize = 3;
const GROUPS: usize = 6;

#[test]
fn everything_at_hand_is_fixed() {
    says(&by_nat(), "fixed");
    says(&by_endpoints(), "fixed");
}

#[test]
fn the_default_route_must_lead_out() {
    let route = |target: Value| {
        let mut case = by_nat();
        let mut route = json!({"DestinationCidrBlock": "0.0.0.0/0", "State": "active"});
        for (member, value) in target.as_object().unwrap() {
            route[member] = value.clone();
        }
        case.network[ROUTES]["RouteTables"][0]["Routes"] = json!([route]);
        case.network.push(json!({"VpcId": "vpc-1", "VpcEndpoints": []}));
        case
    };
    says(&route(json!({"GatewayId": "igw-1"})), "an internet gateway, which serves public addresses alone");
    says(&route(json!({"TransitGatewayId": "tgw-1"})), "nothing shows what lies behind it");
    says(&route(json!({"NatGatewayId": "nat-1", "State": "blackhole"})), "a blackhole");
    says(&route(json!({"NatGatewayId": "nat-2"})), "aws ec2 describe-nat-gateways --nat-gateway-ids nat-2");
    let mut failed = by_nat();
    failed.network[NAT]["NatGateways"][0]["State"] = json!("failed");
    failed.network.push(json!({"VpcId": "vpc-1", "VpcEndpoints": []}));
    says(&failed, "a default route to nat-1, which is failed");
    let mut private = by_nat();
    private.network[NAT]["NatGateways"][0]["ConnectivityType"] = json!("private");
    private.network.push(json!({"VpcId": "vpc-1", "VpcEndpoints": []}));
    says(&private, "a private NAT gateway");
}

#[test]
fn every_missing_network_fact_is_named() {
    let without = |index: usize| {
        let mut case = by_endpoints();
        case.network.remove(index);
        case
    };
    says(&without(0), "describe-subnets --subnet-ids subnet-nat");
    says(&without(ROUTES), "describe-route-tables --filters Name=vpc-id,Values=vpc-1");
    says(&without(ENDPOINTS), "describe-vpc-endpoints --filters Name=vpc-id,Values=vpc-1");
    says(&without(4), "describe-vpc-attribute --vpc-id vpc-1");
    says(&without(GROUPS), "describe-security-groups --group-ids");
}

#[test]
fn every_endpoint_must_serve() {
    let endpoint = |index: usize, member: &str, value: Value| {
        let mut case = by_endpoints();
        case.network[ENDPOINTS]["VpcEndpoints"][index][member] = value;
        case
    };
    says(
        &endpoint(0, "ServiceName", json!("com.amazonaws.eu-west-1.sts")),
        "has no interface endpoint for ecr.api",
    );
    says(
        &endpoint(0, "ServiceName", json!("com.amazonaws.us-east-1.ecr.api")),
        "has no interface endpoint for ecr.api",
    );
    says(&endpoint(1, "State", json!("pending")), "vpce-ecr.dkr for ecr.dkr is not available");
    says(&endpoint(2, "PrivateDnsEnabled", json!(false)), "vpce-logs for logs has private DNS off");
    says(&endpoint(3, "VpcEndpointType", json!("Interface")), "has no gateway endpoint for s3");
    says(&endpoint(3, "RouteTableIds", json!(["rtb-2"])), "vpce-s3 for s3 is not in route table rtb-1");
    let mut deaf = by_endpoints();
    deaf.network[GROUPS]["SecurityGroups"][1]["IpPermissions"][0]["FromPort"] = json!(444);
    deaf.network[GROUPS]["SecurityGroups"][1]["IpPermissions"][0]["ToPort"] = json!(500);
    says(&deaf, "do not let subnet subnet-nat in on port 443");
    let mut shut = by_endpoints();
    shut.network[GROUPS]["SecurityGroups"][0]["IpPermissionsEgress"] = json!([]);
    says(&shut, "no group of the service (sg-1) lets port 443 out");
    let mut nameless = by_endpoints();
    nameless.network[4]["EnableDnsSupport"]["Value"] = json!(false);
    says(&nameless, "has DNS support or DNS hostnames off");
}

#[test]
fn what_is_not_in_this_regions_ecr_needs_the_internet() {
    let mut case = by_endpoints();
    case.task["containerDefinitions"][0]["image"] =
        json!(format!("public.ecr.aws/shop/web@sha256:{}", "ab".repeat(32)));
    says(&case, "give the subnet a NAT route, or use ECR and awslogs");
    let mut other = by_endpoints();
    other.task["containerDefinitions"][0]["logConfiguration"]["logDriver"] = json!("splunk");
    says(&other, "the log of container `web` by splunk");
    let mut secret = by_endpoints();
    secret.task["containerDefinitions"][0]["secrets"] =
        json!([{"name": "KEY", "valueFrom": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:canary"}]);
    says(&secret, "has no interface endpoint for secretsmanager");
    assert!(!verdict(&secret).contains("canary"));
}

#[test]
fn who_may_be_calling_the_public_address_is_asked() {
    let mut open = by_nat();
    open.service["loadBalancers"] = json!([]);
    says(&open, "describe-security-groups --group-ids sg-1");
    let ingress = |cidr: &str| {
        json!({"SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": [
        {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": cidr}]}]}]})
    };
    let with = |cidr: &str| {
        let mut case = open.clone();
        case.network.push(ingress(cidr));
        case
    };
    says(&with("10.0.0.0/8"), "fixed");
    says(&with("0.0.0.0/0"), "somebody may be calling the public address");
    says(&with("198.51.100.0/24"), "lets 198.51.100.0/24 in");
}

/// A member that is there and can't be read is a missing fact, wherever it stands.
#[test]
fn what_is_hidden_is_never_taken_for_absent() {
    let hidden = json!("HIDDEN_DUE_TO_SECURITY_REASONS");
    let members = [
        "/deployments",
        "/deployments/0/rolloutState",
        "/deploymentController",
        "/deploymentConfiguration",
        "/schedulingStrategy",
        "/resourceManagementType",
        "/enableExecuteCommand",
        "/currentServiceDeployment",
        "/networkConfiguration/awsvpcConfiguration/subnets",
        "/networkConfiguration/awsvpcConfiguration/securityGroups",
    ];
    for member in members {
        let mut case = by_nat();
        put(&mut case.service, member, hidden.clone());
        says(&case, "describe-services --cluster shop --services checkout");
    }
    let members = ["image", "secrets", "logConfiguration", "versionConsistency"];
    for member in members {
        let mut case = by_endpoints();
        case.task["containerDefinitions"][0][member] = hidden.clone();
        assert_ne!(verdict(&case), "fixed", "{member}");
    }
    let mut driver = by_endpoints();
    driver.task["containerDefinitions"][0]["logConfiguration"]["logDriver"] = hidden.clone();
    assert_ne!(verdict(&driver), "fixed", "the log may go anywhere");
    let mut absent = by_nat();
    absent.service["networkConfiguration"]["awsvpcConfiguration"]
        .as_object_mut()
        .unwrap()
        .remove("securityGroups");
    assert_ne!(verdict(&absent), "fixed", "the VPC's default group is not known here");
    let mut unlisted = by_nat();
    unlisted.service.as_object_mut().unwrap().remove("deployments");
    assert_ne!(verdict(&unlisted), "fixed", "ECS always lists the deployments");
}

fn put(document: &mut Value, pointer: &str, value: Value) {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[member] = value;
}

#[test]
fn what_lies_in_another_region_or_behind_a_policy_is_not_reached() {
    let mut logs = by_endpoints();
    logs.task["containerDefinitions"][0]["logConfiguration"]["options"]["awslogs-region"] =
        json!("us-east-1");
    says(&logs, "the log of container `web` in another Region");
    let mut secret = by_endpoints();
    secret.task["containerDefinitions"][0]["secrets"] =
        json!([{"name": "KEY", "valueFrom": "arn:aws:ssm:us-east-1:111122223333:parameter/canary"}]);
    says(&secret, "the secrets of container `web` in another Region");
    let mut denied = by_endpoints();
    denied.network[ENDPOINTS]["VpcEndpoints"][0]["PolicyDocument"] =
        json!(r#"{"Statement":[{"Effect":"Deny","Action":"*","Principal":"*","Resource":"*"}]}"#);
    says(&denied, "has a policy of its own");
    let mut exec = by_nat();
    exec.service["enableExecuteCommand"] = json!(true);
    says(&exec, "describe-clusters --clusters shop");
}

#[test]
fn a_fact_about_another_revision_or_vpc_is_no_fact_here() {
    let mut older = by_nat();
    older.images[0]["serviceRevisions"][0]["taskDefinition"] = json!(arn("task-definition/checkout:6"));
    says(&older, "describe-service-revisions");
    let mut two = by_nat();
    let mut other = two.images[0]["serviceRevisions"][0].clone();
    other["containerImages"][0]["imageDigest"] = json!("sha256:bbbb");
    two.images[0]["serviceRevisions"].as_array_mut().unwrap().push(other);
    says(&two, "describe-service-revisions");
    let mut elsewhere = by_endpoints();
    for endpoint in elsewhere.network[ENDPOINTS]["VpcEndpoints"].as_array_mut().unwrap() {
        endpoint["VpcId"] = json!("vpc-2");
    }
    says(&elsewhere, "describe-vpc-endpoints --filters Name=vpc-id,Values=vpc-1");
}

#[test]
fn routes_and_prefix_lists_beside_the_obvious_ones_count() {
    let mut split = by_nat();
    let other = json!({"DestinationCidrBlock": "52.0.0.0/8", "GatewayId": "igw-1", "State": "active"});
    split.network[ROUTES]["RouteTables"][0]["Routes"].as_array_mut().unwrap().push(other);
    split.network.push(json!({"VpcId": "vpc-1", "VpcEndpoints": []}));
    says(&split, "a route for 52.0.0.0/8 to igw-1 beside its default route");
    let mut local = by_nat();
    let peer =
        json!({"DestinationCidrBlock": "10.9.0.0/16", "VpcPeeringConnectionId": "pcx-1", "State": "active"});
    local.network[ROUTES]["RouteTables"][0]["Routes"].as_array_mut().unwrap().push(peer);
    says(&local, "fixed");
    let mut listed = by_nat();
    listed.service["loadBalancers"] = json!([]);
    listed.network.push(json!({"SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": [
        {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "PrefixListIds": [{"PrefixListId": "pl-1"}]}]}]}));
    says(&listed, "lets a prefix list or a range that can't be read in");
}

#[test]
fn a_roll_must_start_the_same_images() {
    let mut gone = by_nat();
    gone.images[1]["imageDetails"][0]["imageDigest"] = json!("sha256:bbbb");
    says(&gone, "which the repository no longer has");
    let mut moved = by_nat();
    moved.images[1]["imageDetails"] = json!([
        {"registryId": "111122223333", "repositoryName": "shop/web", "imageDigest": DIGEST, "imageTags": []},
        {"registryId": "111122223333", "repositoryName": "shop/web", "imageDigest": "sha256:bbbb", "imageTags": ["1.2"]}]);
    says(&moved, "is sha256:bbbb by now: a deployment would release it");
    // Where only the tag was asked for, nobody knows whether the running digest is gone.
    moved.images[1] = json!({"registryId": "111122223333", "region": "eu-west-1", "repositoryName": "shop/web",
        "imageIds": [{"imageTag": "1.2"}], "imageDetails": [moved.images[1]["imageDetails"][1]]});
    says(&moved, "is sha256:bbbb by now: a deployment would release it");
    assert!(!verdict(&moved).contains("no longer has"));
    let mut untagged = by_nat();
    untagged.images[1]["imageDetails"][0]["imageTags"] = json!(["1.3"]);
    says(&untagged, "the repository has no");
    let mut unasked = by_nat();
    unasked.images.clear();
    says(&unasked, "aws ecr describe-images --registry-id 111122223333 --repository-name shop/web");
    says(&unasked, "aws ecs describe-service-revisions");
    let mut elsewhere = by_nat();
    elsewhere.task["containerDefinitions"][0]["image"] = json!("user:s3cret@registry.example.com/web:1");
    says(&elsewhere, "pin it by digest");
    assert!(!verdict(&elsewhere).contains("s3cret"));
    let mut loose = by_nat();
    loose.task["containerDefinitions"][0]["versionConsistency"] = json!("disabled");
    says(&loose, "versionConsistency disabled");
}

/// What the pre-flight says of moving a service from a revision without logs to the mended one.
fn moving(network: &[Value], service: &Value, old: &Value) -> String {
    let mut facts = Facts::default();
    for known in network {
        facts.absorb(&RawValue::from_string(known.to_string()).unwrap()).unwrap();
    }
    let read = |kind, name: &str, json: &Value| {
        let id = ResourceId { kind, arn: arn(name).parse().unwrap() };
        Resource::read(id, Document::from_value(json)).unwrap()
    };
    let resource = read(ResourceType::Service, "service/shop/checkout", service);
    let revision = read(ResourceType::TaskDefinition, "task-definition/checkout:7", old);
    // As the fix mends it, a full buffer does not stop the program.
    let mut logging = good_task("checkout", 8);
    logging["containerDefinitions"][0]["logConfiguration"]["options"]["mode"] = json!("non-blocking");
    let mended = read(ResourceType::TaskDefinition, "task-definition/checkout:8", &logging);
    facts.learn_mended(revision.id.arn.clone(), mended);
    facts.learn(revision);
    let selection = Selection::of(&fixing(), &[find(LOGGING).unwrap()], Severity::Informational);
    let evaluation = evaluate(&resource, &facts, &selection).remove(0);
    let selected = selection.get(evaluation.control).unwrap();
    let fix = plan(&resource, &evaluation, &facts, selected).unwrap();
    let proof = prove(&fix, evaluation.control, &resource, &facts, &selection);
    Readiness::of(&preflight(&fix, &resource, &facts, selected, proof)).text
}

#[test]
fn a_mended_revision_that_is_the_first_to_log_needs_a_way_to_the_log() {
    let mut silent = good_task("checkout", 7);
    silent["containerDefinitions"][0]["logConfiguration"] = Value::Null;
    let mut private = service("checkout", "checkout:7", "DISABLED");
    private["tags"] = json!([]);
    let without = |service: &str| {
        let mut network = by_endpoints().network;
        network[3]["VpcEndpoints"]
            .as_array_mut()
            .unwrap()
            .retain(|one| !one["ServiceName"].as_str().unwrap().ends_with(service));
        network
    };
    let shut = moving(&without(".logs"), &private, &silent);
    assert!(shut.contains("no interface endpoint for logs"), "{shut}");
    let open = moving(&by_endpoints().network, &private, &silent);
    assert_eq!(open, "", "proved");
    // What else the task fetches it fetches already.
    assert_eq!(moving(&without(".ecr.api"), &private, &silent), "");
    // So it is where another container's log is written already, and on the host's own network.
    let mut half = good_task("checkout", 7);
    let mut second = half["containerDefinitions"][0].clone();
    second["name"] = json!("second");
    second["logConfiguration"] = Value::Null;
    half["containerDefinitions"].as_array_mut().unwrap().push(second);
    assert_eq!(moving(&without(".logs"), &private, &half), "");
    let mut on_hosts = private;
    on_hosts["networkConfiguration"] = Value::Null;
    assert_eq!(moving(&without(".logs"), &on_hosts, &silent), "");
}
