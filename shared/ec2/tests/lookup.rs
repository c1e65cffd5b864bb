//! What EC2 is asked and what is learned of its answers, over a socket.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod wire;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::{BehaviorVersion, Config, Credentials, Region};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use shipshape_aws::failure::FailureKind;
use shipshape_core::control::{Severity, evaluate};
use shipshape_core::document::Document;
use shipshape_core::facts::{Facts, Need};
use shipshape_core::judgement::Readiness;
use shipshape_core::policy::Policy;
use shipshape_core::preflight::{Preflight, preflight};
use shipshape_core::remediation::{plan, prove};
use shipshape_core::resource::{Resource, ResourceId, ResourceType};
use shipshape_core::selection::{Selection, find, names};
use shipshape_ec2::lookup;
use shipshape_test_server::{Answer, Request, Server, signature};
use wire::{answer, error, items, parameter, values};

const NAT: &str = "<natGatewayId>nat-1</natGatewayId>";
const IGW: &str = "<gatewayId>igw-1</gatewayId>";

fn client(server: &Server) -> Client {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new(signature::KEY, signature::SECRET, None, None, "test"))
        .retry_config(RetryConfig::standard().with_initial_backoff(std::time::Duration::from_millis(1)))
        .endpoint_url(&server.url)
        .http_client(http)
        .build();
    Client::from_conf(config)
}

/// A future that may go from one thread to another, as the ports of a run ask.
fn sent<T: Future + Send>(future: T) -> T {
    future
}

/// What was told, and what was learned of it.
async fn fetch(server: &Server, needs: &[Need]) -> (Vec<Value>, Facts) {
    let told = sent(lookup::fetch(&client(server), needs)).await.unwrap();
    let mut facts = Facts::default();
    told.iter().for_each(|one| assert!(facts.absorb(one).is_some(), "{one}"));
    (told.iter().map(|one| serde_json::from_str(one.get()).unwrap()).collect(), facts)
}

fn action(request: &Request) -> &str {
    parameter(request, "Action").unwrap()
}

/// The calls in their order, with the values of their filter.
fn calls(server: &Server) -> Vec<String> {
    let requests = server.requests();
    requests.iter().map(|one| format!("{} {}", action(one), values(one).join(" "))).collect()
}

fn subnets(ids: &[&str]) -> Vec<Need> {
    ids.iter().map(|id| Need::Subnet((*id).to_owned())).collect()
}

/// The subnets that a request asks for, all of `vpc-1` but the one that is gone.
fn asked_subnets(request: &Request) -> String {
    let there = values(request).into_iter().filter(|id| id != "subnet-gone");
    let found: Vec<String> = there.map(|id| wire::subnet(&id, "vpc-1")).collect();
    format!("<subnetSet>{}</subnetSet>", items(&found))
}

/// A VPC that has everything, whose main route table has a default route to that target.
fn vpc(request: &Request, target: &str) -> Answer {
    let action = action(request);
    let body = match action {
        "DescribeSubnets" => asked_subnets(request),
        "DescribeRouteTables" => {
            let table = wire::main_table("rtb-1", "vpc-1", target);
            format!("<routeTableSet>{}</routeTableSet>", items(&[table]))
        }
        "DescribeNatGateways" => {
            format!("<natGatewaySet>{}</natGatewaySet>", items(&[wire::nat_gateway("nat-1", "available")]))
        }
        "DescribeVpcEndpoints" => {
            // Two pages: the gateway is on the second.
            let (page, next) = match parameter(request, "NextToken") {
                None => {
                    let services = ["ecr.api", "ecr.dkr", "logs"];
                    (services.map(|service| wire::interface(service, "vpc-1")).to_vec(), Some("more"))
                }
                Some(token) => {
                    assert_eq!(token, "more");
                    (vec![wire::gateway("vpc-1", "rtb-1")], None)
                }
            };
            let body = format!("<vpcEndpointSet>{}</vpcEndpointSet>", items(&page));
            return answer(action, &body, next);
        }
        "DescribeVpcAttribute" => {
            let name = parameter(request, "Attribute").unwrap();
            format!("<vpcId>vpc-1</vpcId><{name}><value>true</value></{name}>")
        }
        "DescribeSecurityGroups" => {
            let inside = "<ipRanges><item><cidrIp>10.0.0.0/16</cidrIp></item></ipRanges>";
            let door = [wire::permission(inside)];
            let found = values(request).into_iter().map(|id| match id.as_str() {
                "sg-door" => wire::group(&id, &door),
                _ => wire::group(&id, &[]),
            });
            format!("<securityGroupInfo>{}</securityGroupInfo>", items(&found.collect::<Vec<_>>()))
        }
        other => panic!("{other} was not to be asked"),
    };
    answer(action, &body, None)
}

/// Takes the fix of a service with a public address through its pre-flight: what it says in the end, and after how many
/// rounds.
async fn preflighted(server: &Server) -> (String, usize) {
    let read = |kind, name: &str, json: Value| {
        let arn = format!("arn:aws:ecs:eu-west-1:111122223333:{name}").parse().unwrap();
        Resource::read(ResourceId { kind, arn }, Document::from_value(&json)).unwrap()
    };
    let digest = format!("sha256:{}", "ab".repeat(32));
    let image = format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/web@{digest}");
    let service = read(
        ResourceType::Service,
        "service/shop/web",
        json!({"status": "ACTIVE", "launchType": "FARGATE", "schedulingStrategy": "REPLICA", "tags": [],
            "taskDefinition": "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1", "loadBalancers": [],
            "deployments": [{"id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "COMPLETED"}],
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1", "subnet-3"],
                "securityGroups": ["sg-1"], "assignPublicIp": "ENABLED"}}}),
    );
    let task = json!({"status": "ACTIVE", "networkMode": "awsvpc", "containerDefinitions": [{"name": "web",
        "image": image, "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web"}}}]});
    let mut facts = Facts::default();
    facts.learn(read(ResourceType::TaskDefinition, "task-definition/web:1", task));
    let stored = json!({"imageDetails": [{"registryId": "111122223333", "repositoryName": "web",
        "imageDigest": digest, "imageTags": []}]});
    facts.absorb(&RawValue::from_string(stored.to_string()).unwrap()).unwrap();
    let policy = Policy::parse("policy.toml", "version = 1\n", &names()).unwrap();
    let control = find("ecs-service-no-public-ip").unwrap();
    let selection = Selection::of(&policy, &[control], Severity::Informational);
    let selected = selection.get(control).unwrap();
    for round in 0.. {
        let evaluation = evaluate(&service, &facts, &selection).remove(0);
        let fix = plan(&service, &evaluation, &facts, selected).unwrap();
        let proof = prove(&fix, control, &service, &facts, &selection);
        let said = preflight(&fix, &service, &facts, selected, proof);
        let Preflight::Unknown(needs) = &said else {
            let said = Readiness::of(&said);
            return (format!("{} {}", said.kind, said.text).trim().to_owned(), round);
        };
        assert!(round < 3, "{needs:?}");
        for told in lookup::fetch(&client(server), needs).await.unwrap() {
            facts.absorb(&told).unwrap();
        }
    }
    unreachable!()
}

#[tokio::test]
async fn a_nat_route_is_proved_in_one_round_and_four_calls() {
    let server = Server::start(|request, _| vpc(request, NAT));
    assert_eq!(preflighted(&server).await, ("proved".to_owned(), 1));
    let expected = [
        "DescribeSubnets subnet-1 subnet-3",
        "DescribeSecurityGroups sg-1",
        "DescribeRouteTables vpc-1",
        "DescribeNatGateways nat-1",
    ];
    assert_eq!(calls(&server), expected);
    let first = &server.requests()[0];
    assert!(first.header("authorization").unwrap().contains("/eu-west-1/ec2/aws4_request"));
    assert_eq!(parameter(first, "Filter.1.Name"), Some("subnet-id"));
    assert_eq!(parameter(first, "MaxResults"), Some("1000"));
}

#[tokio::test]
async fn endpoints_are_proved_in_one_round_and_page_by_page() {
    let server = Server::start(|request, _| vpc(request, IGW));
    assert_eq!(preflighted(&server).await, ("proved".to_owned(), 1));
    let expected = [
        "DescribeSubnets subnet-1 subnet-3",
        "DescribeSecurityGroups sg-1",
        "DescribeRouteTables vpc-1",
        "DescribeVpcEndpoints vpc-1",
        "DescribeVpcEndpoints vpc-1",
        "DescribeSubnets subnet-2",
        "DescribeVpcAttribute ",
        "DescribeVpcAttribute ",
        "DescribeSecurityGroups sg-door",
    ];
    assert_eq!(calls(&server), expected);
    assert_eq!(parameter(&server.requests()[4], "NextToken"), Some("more"));
}

#[tokio::test]
async fn documents_are_those_that_the_command_line_prints() {
    let server = Server::start(|request, _| vpc(request, IGW));
    let (told, facts) = fetch(&server, &subnets(&["subnet-1"])).await;
    assert_eq!(
        told[0],
        json!({"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24"}]})
    );
    let table = json!({"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": true}], "Routes": [
        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"},
        {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}]});
    assert_eq!(told[1], json!({"VpcId": "vpc-1", "RouteTables": [table]}));
    let endpoints = &told[2]["VpcEndpoints"];
    assert_eq!(endpoints.as_array().unwrap().len(), 4);
    assert_eq!(
        endpoints[0],
        json!({"VpcEndpointId": "vpce-ecr.api", "VpcEndpointType": "Interface", "VpcId": "vpc-1",
            "ServiceName": "com.amazonaws.eu-west-1.ecr.api", "State": "available", "RouteTableIds": [],
            "SubnetIds": ["subnet-2"], "Groups": [{"GroupId": "sg-door"}], "PrivateDnsEnabled": true})
    );
    assert_eq!(told[4], json!({"VpcId": "vpc-1", "EnableDnsSupport": {"Value": true}}));
    assert_eq!(told[5], json!({"VpcId": "vpc-1", "EnableDnsHostnames": {"Value": true}}));
    let https = |cidr: &str| {
        json!({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": cidr}],
            "Ipv6Ranges": [], "UserIdGroupPairs": [], "PrefixListIds": []})
    };
    let door = json!({"GroupId": "sg-door", "IpPermissions": [https("10.0.0.0/16")],
        "IpPermissionsEgress": [https("0.0.0.0/0")]});
    assert_eq!(told[6], json!({ "SecurityGroups": [door] }));
    let gateway = &facts.network.endpoints("vpc-1").unwrap()[3];
    assert!(gateway.is_open() && gateway.serves("s3", "eu-west-1"));
    assert_eq!((facts.network.dns("vpc-1").support, facts.network.dns("vpc-2").support), (Some(true), None));
}

#[tokio::test]
async fn two_hundred_and_fifty_subnets_are_two_calls() {
    let server = Server::start(|request, _| match action(request) {
        "DescribeSubnets" if values(request).len() == 200 && parameter(request, "NextToken").is_none() => {
            answer("DescribeSubnets", &asked_subnets(request), Some("more"))
        }
        "DescribeSubnets" if parameter(request, "NextToken").is_some() => {
            let last = wire::subnet("subnet-999", "vpc-1");
            answer("DescribeSubnets", &format!("<subnetSet>{}</subnetSet>", items(&[last])), None)
        }
        _ => vpc(request, NAT),
    });
    let ids: Vec<String> = (0..250).map(|n| format!("subnet-{n}")).collect();
    let mut needs = subnets(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    needs.extend_from_within(..);
    let (_, facts) = fetch(&server, &needs).await;
    let sent = server.requests();
    let counts: Vec<(usize, Option<&str>)> = sent
        .iter()
        .filter(|one| action(one) == "DescribeSubnets")
        .map(|one| (values(one).len(), parameter(one, "NextToken")))
        .collect();
    assert_eq!(counts, [(200, None), (200, Some("more")), (50, None)], "the first in two pages");
    assert_eq!(sent.len(), 5);
    assert!(ids.iter().all(|id| facts.network.subnet(id).is_some()));
    assert!(facts.network.subnet("subnet-999").is_some());
}

#[tokio::test]
async fn what_does_not_exist_is_not_learned_and_the_others_are() {
    let server = Server::start(|request, _| match action(request) {
        "DescribeVpcAttribute" if parameter(request, "VpcId") == Some("vpc-gone") => {
            error(400, "InvalidVpcID.NotFound")
        }
        "GetManagedPrefixListEntries" => error(400, "InvalidPrefixListID.NotFound"),
        _ => vpc(request, NAT),
    });
    let mut needs = subnets(&["subnet-1", "subnet-gone"]);
    needs.extend(["vpc-gone", "vpc-1"].map(|vpc| Need::VpcDns(vpc.to_owned())));
    needs.push(Need::PrefixList("pl-gone".to_owned()));
    needs.push(Need::LogGroup("of no concern here".to_owned()));
    let (_, facts) = fetch(&server, &needs).await;
    assert!(facts.network.subnet("subnet-1").is_some() && facts.network.subnet("subnet-gone").is_none());
    assert_eq!(facts.network.dns("vpc-1").hostnames, Some(true));
    assert_eq!(facts.network.dns("vpc-gone").support, None);
    assert_eq!(facts.network.prefix_list("pl-gone"), None);
}

#[tokio::test]
async fn that_there_is_none_is_told_of_each_vpc_that_was_asked_for() {
    let server = Server::start(|request, _| match action(request) {
        "DescribeVpcEndpoints" => {
            let body =
                format!("<vpcEndpointSet>{}</vpcEndpointSet>", items(&[wire::gateway("vpc-1", "rtb-1")]));
            answer("DescribeVpcEndpoints", &body, None)
        }
        other => answer(other, "<routeTableSet/>", None),
    });
    let of = |vpc: &str| [Need::Endpoints(vpc.to_owned()), Need::RouteTables(vpc.to_owned())];
    let (told, facts) = fetch(&server, &[of("vpc-1"), of("vpc-2")].concat()).await;
    assert_eq!(calls(&server), ["DescribeRouteTables vpc-1 vpc-2", "DescribeVpcEndpoints vpc-1 vpc-2"]);
    assert_eq!(told[3], json!({"VpcId": "vpc-2", "VpcEndpoints": []}));
    let endpoints = |vpc: &str| facts.network.endpoints(vpc).map(<[_]>::len);
    assert_eq!([endpoints("vpc-1"), endpoints("vpc-2"), endpoints("vpc-3")], [Some(1), Some(0), None]);
    assert!(facts.network.lists_all_tables("vpc-2") && !facts.network.lists_all_tables("vpc-3"));
}

#[tokio::test]
async fn a_machine_is_told_with_its_groups_and_their_prefix_lists() {
    let server = Server::start(|request, _| {
        let action = action(request);
        match action {
            "DescribeInstances" => {
                let found = items(&[wire::reservation("i-1", "sg-host")]);
                answer(action, &format!("<reservationSet>{found}</reservationSet>"), None)
            }
            "DescribeSecurityGroups" => {
                let list = "<prefixListIds><item><prefixListId>pl-1</prefixListId></item></prefixListIds>";
                let found = items(&[wire::group("sg-host", &[wire::permission(list)])]);
                answer(action, &format!("<securityGroupInfo>{found}</securityGroupInfo>"), None)
            }
            _ => match parameter(request, "NextToken") {
                None => {
                    answer(action, "<entrySet><item><cidr>10.0.0.0/8</cidr></item></entrySet>", Some("two"))
                }
                Some(_) => answer(action, "<entrySet><item><cidr>0.0.0.0/0</cidr></item></entrySet>", None),
            },
        }
    });
    let (told, facts) = fetch(&server, &[Need::Instance("i-1".to_owned())]).await;
    assert_eq!(
        told[0],
        json!({"Reservations": [{"Instances": [{"InstanceId": "i-1", "SecurityGroups": [{"GroupId": "sg-host"}]}]}]})
    );
    assert_eq!(
        told[2],
        json!({"PrefixListId": "pl-1", "Entries": [{"Cidr": "10.0.0.0/8"}, {"Cidr": "0.0.0.0/0"}]})
    );
    assert!(facts.hosts.machine("i-1").unwrap().groups().unwrap().contains("sg-host"));
    assert_eq!(facts.network.prefix_list("pl-1").unwrap().len(), 2);
    let last = &server.requests()[3];
    assert_eq!((parameter(last, "PrefixListId"), parameter(last, "NextToken")), (Some("pl-1"), Some("two")));
}

#[tokio::test]
async fn a_throttled_call_is_tried_again() {
    let server = Server::start(|request, before| match before {
        0 => error(503, "RequestLimitExceeded"),
        _ => vpc(request, NAT),
    });
    let (_, facts) = fetch(&server, &subnets(&["subnet-1"])).await;
    assert!(facts.network.subnet("subnet-1").is_some());
    assert_eq!(calls(&server)[..2], ["DescribeSubnets subnet-1", "DescribeSubnets subnet-1"]);
}

/// The failure of a lookup of one subnet.
async fn failure(reply: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> (String, FailureKind) {
    let server = Server::start(reply);
    let failure = lookup::fetch(&client(&server), &subnets(&["subnet-1"])).await.unwrap_err();
    (failure.to_string(), failure.kind)
}

#[tokio::test]
async fn a_part_of_an_answer_is_no_answer() {
    let none = "<subnetSet/>";
    let (said, kind) = failure(|_, _| error(403, "UnauthorizedOperation")).await;
    assert_eq!(said, "DescribeSubnets: UnauthorizedOperation: words of UnauthorizedOperation");
    assert_eq!(kind, FailureKind::Refused);
    let second = failure(|request, _| match parameter(request, "NextToken") {
        None => answer("DescribeSubnets", &asked_subnets(request), Some("more")),
        Some(_) => error(503, "RequestLimitExceeded"),
    });
    assert_eq!(second.await.1, FailureKind::Retryable);
    let endless = failure(move |_, before| answer("DescribeSubnets", none, Some(&format!("token-{before}"))));
    assert_eq!(endless.await.0, "DescribeSubnets: endless: 100 pages, and no end");
    let stuck = failure(move |_, _| answer("DescribeSubnets", none, Some("the same")));
    assert_eq!(stuck.await.0, "DescribeSubnets: endless: 100 pages, and no end");
}

#[tokio::test]
async fn a_network_interface_shows_its_public_address() {
    let server = Server::start(|request, _| {
        let association = "<association><publicIp>203.0.113.9</publicIp></association>";
        let found = [
            format!("<networkInterfaceId>eni-1</networkInterfaceId>{association}"),
            "<networkInterfaceId>eni-2</networkInterfaceId>".to_owned(),
        ];
        let body = format!("<networkInterfaceSet>{}</networkInterfaceSet>", items(&found));
        answer(action(request), &body, None)
    });
    let ids = ["eni-1", "eni-2", "eni-gone"].map(str::to_owned);
    let told = lookup::network_interfaces(&client(&server), &ids).await.unwrap();
    let expected = json!({"NetworkInterfaces": [
        {"NetworkInterfaceId": "eni-1", "Association": {"PublicIp": "203.0.113.9"}},
        {"NetworkInterfaceId": "eni-2"}]});
    assert_eq!(serde_json::from_str::<Value>(told[0].get()).unwrap(), expected);
    assert_eq!(calls(&server), ["DescribeNetworkInterfaces eni-1 eni-2 eni-gone"]);
}
