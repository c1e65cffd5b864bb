//! Answers what EC2 alone can tell. What is asked for by filter fails for nothing that does not exist, as it would by id:
//! what is there is told, and of the rest nothing is learned. Maxima by the EC2 API reference.

use std::collections::BTreeSet;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::{AttributeBooleanValue, Filter, VpcAttributeName};
use aws_smithy_async::future::pagination_stream::PaginationStream;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use shipshape_aws::failure::{Failure, FailureKind};
use shipshape_core::facts::{Facts, Need};
use shipshape_core::preflight::ahead;

use crate::shape;

/// What EC2 told, as `aws ec2 describe-*` prints it. What an answer does not name by itself stands beside it: the VPC of
/// route tables and endpoints, of which there may be none, and the id of a prefix list.
pub type Answers = Vec<Box<RawValue>>;

/// How many values one filter takes.
const VALUES: usize = 200;
/// How many things one page holds at most.
const PAGE: i32 = 1000;
/// How many route tables, or entries of a prefix list, one page holds at most.
const SMALL_PAGE: i32 = 100;
/// How many pages are asked for before it is called endless. The SDK itself would end quietly at a token that it has seen
/// before, as if what was told by then were all.
const PAGES: usize = 100;

/// Asks for everything among these needs that EC2 can tell, and for what a pre-flight would ask next: the way out of each
/// subnet, and the groups of each machine. Each thing is asked for once, and things of a kind in one call.
pub async fn fetch(client: &Client, needs: &[Need]) -> Result<Answers, Failure> {
    let mut facts = Facts::default();
    let mut answers = Answers::new();
    let mut asked = BTreeSet::new();
    let mut wave: BTreeSet<Need> = needs.iter().cloned().collect();
    while !wave.is_empty() {
        let told = ask(client, &wave).await?;
        for answer in &told {
            facts.absorb(answer);
        }
        answers.extend(told);
        asked.append(&mut wave);
        let next = needs.iter().flat_map(|need| ahead(need, &facts));
        wave = next.filter(|need| !asked.contains(need)).collect();
    }
    Ok(answers)
}

/// Asks for network interfaces, as `aws ec2 describe-network-interfaces` prints them.
pub async fn network_interfaces(client: &Client, ids: &[String]) -> Result<Answers, Failure> {
    let mut told = Vec::new();
    for ids in ids.chunks(VALUES) {
        let call = client.describe_network_interfaces().filters(among("network-interface-id", ids));
        let pages = call.max_results(PAGE).into_paginator().stop_on_duplicate_token(false).send();
        let pages = all("DescribeNetworkInterfaces", pages).await?;
        let found = pages.iter().flat_map(|page| page.network_interfaces());
        told.push(json!({"NetworkInterfaces": found.map(shape::network_interface).collect::<Value>()}));
    }
    Ok(written(&told))
}

async fn ask(client: &Client, wave: &BTreeSet<Need>) -> Result<Answers, Failure> {
    let wanted = Wanted::of(wave);
    let mut told = Vec::new();
    for ids in wanted.subnets.chunks(VALUES) {
        told.push(subnets(client, ids).await?);
    }
    for vpcs in wanted.route_tables.chunks(VALUES) {
        told.extend(route_tables(client, vpcs).await?);
    }
    for ids in wanted.nat_gateways.chunks(VALUES) {
        told.push(nat_gateways(client, ids).await?);
    }
    for vpcs in wanted.endpoints.chunks(VALUES) {
        told.extend(endpoints(client, vpcs).await?);
    }
    for vpc in &wanted.dns {
        told.extend(dns(client, vpc).await?);
    }
    for ids in wanted.groups.chunks(VALUES) {
        told.push(security_groups(client, ids).await?);
    }
    for id in &wanted.prefix_lists {
        told.extend(prefix_list(client, id).await?);
    }
    for ids in wanted.instances.chunks(VALUES) {
        told.push(instances(client, ids).await?);
    }
    Ok(written(&told))
}

/// Ids of what is to be described, by the call that does it.
#[derive(Debug, Default)]
struct Wanted {
    subnets: Vec<String>,
    /// By VPC, as are endpoints and names.
    route_tables: Vec<String>,
    nat_gateways: Vec<String>,
    endpoints: Vec<String>,
    dns: Vec<String>,
    groups: Vec<String>,
    prefix_lists: Vec<String>,
    instances: Vec<String>,
}

impl Wanted {
    fn of(wave: &BTreeSet<Need>) -> Self {
        let mut wanted = Self::default();
        for need in wave {
            let (list, id) = match need {
                Need::Subnet(id) => (&mut wanted.subnets, id),
                Need::RouteTables(vpc) => (&mut wanted.route_tables, vpc),
                Need::NatGateway(id) => (&mut wanted.nat_gateways, id),
                Need::Endpoints(vpc) => (&mut wanted.endpoints, vpc),
                Need::VpcDns(vpc) => (&mut wanted.dns, vpc),
                Need::SecurityGroup(id) => (&mut wanted.groups, id),
                Need::PrefixList(id) => (&mut wanted.prefix_lists, id),
                Need::Instance(id) => (&mut wanted.instances, id),
                _ => continue,
            };
            list.push(id.clone());
        }
        wanted
    }
}

async fn subnets(client: &Client, ids: &[String]) -> Result<Value, Failure> {
    let call = client.describe_subnets().filters(among("subnet-id", ids)).max_results(PAGE);
    let pages = all("DescribeSubnets", call.into_paginator().stop_on_duplicate_token(false).send()).await?;
    let found = pages.iter().flat_map(|page| page.subnets());
    Ok(json!({"Subnets": found.map(shape::subnet).collect::<Value>()}))
}

async fn route_tables(client: &Client, vpcs: &[String]) -> Result<Vec<Value>, Failure> {
    let call = client.describe_route_tables().filters(among("vpc-id", vpcs)).max_results(SMALL_PAGE);
    let pages =
        all("DescribeRouteTables", call.into_paginator().stop_on_duplicate_token(false).send()).await?;
    let of = |vpc: &str| -> Value {
        let found = pages.iter().flat_map(|page| page.route_tables());
        found.filter(|table| table.vpc_id() == Some(vpc)).map(shape::route_table).collect()
    };
    Ok(vpcs.iter().map(|vpc| json!({"VpcId": vpc, "RouteTables": of(vpc)})).collect())
}

async fn nat_gateways(client: &Client, ids: &[String]) -> Result<Value, Failure> {
    let call = client.describe_nat_gateways().filter(among("nat-gateway-id", ids)).max_results(PAGE);
    let pages =
        all("DescribeNatGateways", call.into_paginator().stop_on_duplicate_token(false).send()).await?;
    let found = pages.iter().flat_map(|page| page.nat_gateways());
    Ok(json!({"NatGateways": found.map(shape::nat_gateway).collect::<Value>()}))
}

async fn endpoints(client: &Client, vpcs: &[String]) -> Result<Vec<Value>, Failure> {
    let call = client.describe_vpc_endpoints().filters(among("vpc-id", vpcs)).max_results(PAGE);
    let pages =
        all("DescribeVpcEndpoints", call.into_paginator().stop_on_duplicate_token(false).send()).await?;
    let of = |vpc: &str| -> Value {
        let found = pages.iter().flat_map(|page| page.vpc_endpoints());
        found.filter(|endpoint| endpoint.vpc_id() == Some(vpc)).map(shape::endpoint).collect()
    };
    Ok(vpcs.iter().map(|vpc| json!({"VpcId": vpc, "VpcEndpoints": of(vpc)})).collect())
}

/// A VPC's attributes are told one by one.
async fn dns(client: &Client, vpc: &str) -> Result<Vec<Value>, Failure> {
    let ask = |attribute| client.describe_vpc_attribute().vpc_id(vpc).attribute(attribute).send();
    let told = |value: Option<&AttributeBooleanValue>| value.and_then(|known| known.value());
    let mut answers = Vec::new();
    let support = ask(VpcAttributeName::EnableDnsSupport).await;
    let Some(support) = found("DescribeVpcAttribute", support)? else { return Ok(answers) };
    answers.push(json!({"VpcId": vpc, "EnableDnsSupport": {"Value": told(support.enable_dns_support())}}));
    let hostnames = ask(VpcAttributeName::EnableDnsHostnames).await;
    let Some(hostnames) = found("DescribeVpcAttribute", hostnames)? else { return Ok(answers) };
    answers
        .push(json!({"VpcId": vpc, "EnableDnsHostnames": {"Value": told(hostnames.enable_dns_hostnames())}}));
    Ok(answers)
}

async fn security_groups(client: &Client, ids: &[String]) -> Result<Value, Failure> {
    let call = client.describe_security_groups().filters(among("group-id", ids)).max_results(PAGE);
    let pages =
        all("DescribeSecurityGroups", call.into_paginator().stop_on_duplicate_token(false).send()).await?;
    let found = pages.iter().flat_map(|page| page.security_groups());
    Ok(json!({"SecurityGroups": found.map(shape::security_group).collect::<Value>()}))
}

async fn prefix_list(client: &Client, id: &str) -> Result<Option<Value>, Failure> {
    let call = client.get_managed_prefix_list_entries().prefix_list_id(id).max_results(SMALL_PAGE);
    let pages =
        match all("GetManagedPrefixListEntries", call.into_paginator().stop_on_duplicate_token(false).send())
            .await
        {
            Err(failure) if failure.kind == FailureKind::Missing => return Ok(None),
            pages => pages?,
        };
    let found = pages.iter().flat_map(|page| page.entries());
    Ok(Some(json!({"PrefixListId": id, "Entries": found.map(shape::prefix_list_entry).collect::<Value>()})))
}

async fn instances(client: &Client, ids: &[String]) -> Result<Value, Failure> {
    let call = client.describe_instances().filters(among("instance-id", ids)).max_results(PAGE);
    let pages = all("DescribeInstances", call.into_paginator().stop_on_duplicate_token(false).send()).await?;
    let found = pages.iter().flat_map(|page| page.reservations());
    Ok(json!({"Reservations": found.map(shape::reservation).collect::<Value>()}))
}

fn among(name: &str, values: &[String]) -> Filter {
    Filter::builder().name(name).set_values(Some(values.to_vec())).build()
}

/// All pages. A part of a list must not pass for the list, so that the first failure is that of the whole.
async fn all<T, E: ProvideErrorMetadata>(
    call: &'static str,
    mut pages: PaginationStream<Result<T, SdkError<E, HttpResponse>>>,
) -> Result<Vec<T>, Failure> {
    let mut told = Vec::new();
    while let Some(page) = pages.next().await {
        told.push(page.map_err(|error| Failure::of(call, &error))?);
        if told.len() == PAGES {
            let message = format!("{PAGES} pages, and no end");
            return Err(Failure { call, code: "endless".to_owned(), message, kind: FailureKind::Refused });
        }
    }
    Ok(told)
}

/// What a call told; `None` of what does not exist.
fn found<T, E: ProvideErrorMetadata>(
    call: &'static str,
    sent: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Option<T>, Failure> {
    match sent.map_err(|error| Failure::of(call, &error)) {
        Err(failure) if failure.kind == FailureKind::Missing => Ok(None),
        told => told.map(Some),
    }
}

/// Values always can be written.
fn written(values: &[Value]) -> Answers {
    values.iter().filter_map(|value| to_raw_value(value).ok()).collect()
}
