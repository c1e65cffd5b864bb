//! Subnets, routes, NAT gateways, endpoints and security groups, as EC2's `describe-*` print them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::document::Field;

mod groups;
pub mod ingress;

pub use groups::{
    GroupReference, IpRange, Ipv6Range, Permission, PrefixListEntry, PrefixListReference, SecurityGroup,
};

/// What is known of networks. Ids are unique in AWS, so that neither account nor Region is part of a key.
#[derive(Debug, Clone, Default)]
pub struct Network {
    subnets: BTreeMap<String, Subnet>,
    route_tables: BTreeMap<String, Vec<RouteTable>>,
    /// VPCs of which all route tables that are shown were listed.
    all_tables: BTreeSet<String>,
    nat_gateways: BTreeMap<String, NatGateway>,
    endpoints: BTreeMap<String, Vec<Endpoint>>,
    groups: BTreeMap<String, SecurityGroup>,
    /// Groups of which only the rules were listed.
    by_rules: BTreeMap<String, SecurityGroup>,
    prefix_lists: BTreeMap<String, Vec<PrefixListEntry>>,
    dns: BTreeMap<String, Dns>,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Subnet {
    /// `subnet-…`
    pub subnet_id: Field<String>,
    /// `vpc-…`
    pub vpc_id: Field<String>,
    /// Its IPv4 range.
    pub cidr_block: Field<String>,
}

/// A route table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RouteTable {
    /// `rtb-…`
    pub route_table_id: Field<String>,
    /// `vpc-…`
    pub vpc_id: Field<String>,
    /// The subnets that it serves; the main one serves all that no other does.
    pub associations: Field<Vec<Association>>,
    /// Its routes.
    pub routes: Field<Vec<Route>>,
}

/// Which subnet a route table serves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Association {
    /// `subnet-…`
    pub subnet_id: Field<String>,
    /// The VPC's main table.
    pub main: Field<bool>,
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Route {
    /// The IPv4 range that it is for.
    pub destination_cidr_block: Field<String>,
    /// The prefix list that it is for.
    pub destination_prefix_list_id: Field<String>,
    /// `igw-…`, `vgw-…`, `vpce-…` or `local`.
    pub gateway_id: Field<String>,
    /// `nat-…`
    pub nat_gateway_id: Field<String>,
    /// `tgw-…`
    pub transit_gateway_id: Field<String>,
    /// `eni-…`
    pub network_interface_id: Field<String>,
    /// `pcx-…`
    pub vpc_peering_connection_id: Field<String>,
    /// `active` or `blackhole`.
    pub state: Field<String>,
}

impl Route {
    /// Whether it takes public addresses elsewhere than the default route does, which may be those of the registry.
    /// Gateway endpoints have routes of their own, by prefix list.
    pub fn overrides(&self, default_target: &str) -> bool {
        let range = match (&self.destination_cidr_block, &self.destination_prefix_list_id) {
            (Field::Known(range), _) => range != "0.0.0.0/0" && !is_private(range),
            (Field::Hidden, _) | (_, Field::Known(_) | Field::Hidden) => true,
            (Field::Absent, Field::Absent) => false,
        };
        range
            && !self.target().starts_with("vpce-")
            && self.target() != default_target
            && self.target() != "local"
    }

    /// What it leads to.
    pub fn target(&self) -> &str {
        let targets = [
            &self.nat_gateway_id,
            &self.gateway_id,
            &self.transit_gateway_id,
            &self.network_interface_id,
            &self.vpc_peering_connection_id,
        ];
        targets.into_iter().find_map(Field::text).unwrap_or("an unknown target")
    }
}

/// A NAT gateway.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NatGateway {
    /// `nat-…`
    pub nat_gateway_id: Field<String>,
    /// `available`, `pending`, `failed`, …
    pub state: Field<String>,
    /// `public`, or `private`, which does not reach the internet.
    pub connectivity_type: Field<String>,
}

/// A VPC endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Endpoint {
    /// `vpce-…`
    pub vpc_endpoint_id: Field<String>,
    /// `Interface`, `Gateway` or `GatewayLoadBalancer`.
    pub vpc_endpoint_type: Field<String>,
    /// `vpc-…`
    pub vpc_id: Field<String>,
    /// `com.amazonaws.eu-west-1.ecr.api`
    pub service_name: Field<String>,
    /// `available` among others; EC2 writes it in small letters, its model with a capital.
    pub state: Field<String>,
    /// Of gateway endpoints.
    pub route_table_ids: Field<Vec<String>>,
    /// Of interface endpoints.
    pub subnet_ids: Field<Vec<String>>,
    /// Of interface endpoints.
    pub groups: Field<Vec<GroupReference>>,
    /// Whether the service's usual name leads to the endpoint.
    pub private_dns_enabled: Field<bool>,
    /// Who may do what through it, as a JSON text; absent means everybody everything.
    pub policy_document: Field<String>,
}

impl Endpoint {
    /// Whether it is for a service of a Region, by the service's last part (`ecr.api`, `s3`, …).
    pub fn serves(&self, service: &str, region: &str) -> bool {
        self.service_name.text().is_some_and(|name| name.ends_with(&format!(".{region}.{service}")))
    }

    /// Whether it lets everybody do everything, as AWS's default policy does. Any other policy has to be read by a
    /// person.
    pub fn is_open(&self) -> bool {
        let default =
            serde_json::json!({"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"});
        match &self.policy_document {
            Field::Absent => true,
            Field::Hidden => false,
            Field::Known(text) => serde_json::from_str::<serde_json::Value>(text).is_ok_and(|policy| {
                policy.get("Statement").is_some_and(|one| *one == serde_json::json!([default]))
            }),
        }
    }
}

/// Whether a whole range lies in a private network (RFC 1918, 6598, 4193). What can't be read counts as public.
fn is_private(cidr: &str) -> bool {
    let Ok(range) = cidr.parse::<IpNet>() else { return false };
    let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];
    let loopback = matches!(range.addr(), IpAddr::V4(v4) if v4.is_loopback());
    loopback || private.iter().filter_map(|net| net.parse::<IpNet>().ok()).any(|net| net.contains(&range))
}

/// Whether a VPC resolves names; both are needed for an endpoint's private name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dns {
    /// `enableDnsSupport`
    pub support: Option<bool>,
    /// `enableDnsHostnames`
    pub hostnames: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Answer {
    subnets: Field<Vec<Subnet>>,
    route_tables: Field<Vec<RouteTable>>,
    nat_gateways: Field<Vec<NatGateway>>,
    vpc_endpoints: Field<Vec<Endpoint>>,
    security_groups: Field<Vec<SecurityGroup>>,
    security_group_rules: Field<Vec<ingress::Rule>>,
    prefix_list_id: Field<String>,
    entries: Field<Vec<PrefixListEntry>>,
    vpc_id: Field<String>,
    enable_dns_support: Field<Flag>,
    enable_dns_hostnames: Field<Flag>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Flag {
    value: Field<bool>,
}

impl Network {
    /// A subnet.
    pub fn subnet(&self, id: &str) -> Option<&Subnet> {
        self.subnets.get(id)
    }

    /// The route table that serves a subnet: its own, or else the VPC's main one. `None` where the VPC's tables are
    /// not known.
    pub fn route_table(&self, vpc: &str, subnet: &str) -> Option<&RouteTable> {
        let tables = self.route_tables.get(vpc)?;
        let serves = |table: &&RouteTable, wanted: fn(&Association, &str) -> bool| {
            table.associations.items().iter().any(|association| wanted(association, subnet))
        };
        let own = tables.iter().find(|table| serves(table, |a, subnet| a.subnet_id.text() == Some(subnet)));
        own.or_else(|| tables.iter().find(|table| serves(table, |a, _| a.main.known() == Some(&true))))
    }

    /// Whether all route tables of a VPC were listed, though perhaps none is shown.
    pub fn lists_all_tables(&self, vpc: &str) -> bool {
        self.all_tables.contains(vpc)
    }

    /// A NAT gateway.
    pub fn nat_gateway(&self, id: &str) -> Option<&NatGateway> {
        self.nat_gateways.get(id)
    }

    /// The endpoints of a VPC; `None` where nobody listed them.
    pub fn endpoints(&self, vpc: &str) -> Option<&[Endpoint]> {
        self.endpoints.get(vpc).map(Vec::as_slice)
    }

    /// A security group.
    pub fn group(&self, id: &str) -> Option<&SecurityGroup> {
        self.groups.get(id).or_else(|| self.by_rules.get(id))
    }

    /// The ranges of a prefix list.
    pub fn prefix_list(&self, id: &str) -> Option<&[PrefixListEntry]> {
        self.prefix_lists.get(id).map(Vec::as_slice)
    }

    /// Whether a VPC resolves names.
    pub fn dns(&self, vpc: &str) -> Dns {
        self.dns.get(vpc).copied().unwrap_or_default()
    }

    /// Learns from an answer of EC2; says how many things it told of. A list of route tables or endpoints with the
    /// VPC's id beside it is all that the VPC has: an empty one names no VPC by itself.
    pub fn absorb(&mut self, json: &RawValue) -> usize {
        let Ok(answer) = serde_json::from_str::<Answer>(json.get()) else { return 0 };
        let mut told = 0;
        for subnet in answer.subnets.into_known().unwrap_or_default() {
            if let Some(id) = subnet.subnet_id.text() {
                self.subnets.insert(id.to_owned(), subnet);
                told += 1;
            }
        }
        if let (Some(vpc), Field::Known(_)) = (answer.vpc_id.text(), &answer.route_tables) {
            self.all_tables.insert(vpc.to_owned());
            self.route_tables.insert(vpc.to_owned(), Vec::new());
            told += 1;
        }
        for table in answer.route_tables.into_known().unwrap_or_default() {
            if let Some(vpc) = table.vpc_id.text() {
                let known = self.route_tables.entry(vpc.to_owned()).or_default();
                known.retain(|one| one.route_table_id != table.route_table_id);
                known.push(table);
                told += 1;
            }
        }
        for gateway in answer.nat_gateways.into_known().unwrap_or_default() {
            if let Some(id) = gateway.nat_gateway_id.text() {
                self.nat_gateways.insert(id.to_owned(), gateway);
                told += 1;
            }
        }
        if let Field::Known(endpoints) = answer.vpc_endpoints {
            if let Some(vpc) = answer.vpc_id.text() {
                self.endpoints.insert(vpc.to_owned(), Vec::new());
            }
            told += 1;
            for endpoint in endpoints {
                if let Some(vpc) = endpoint.vpc_id.text() {
                    let known = self.endpoints.entry(vpc.to_owned()).or_default();
                    known.retain(|one| one.vpc_endpoint_id != endpoint.vpc_endpoint_id);
                    known.push(endpoint);
                }
            }
        }
        for group in answer.security_groups.into_known().unwrap_or_default() {
            if let Some(id) = group.group_id.text() {
                self.groups.insert(id.to_owned(), group);
                told += 1;
            }
        }
        for rule in answer.security_group_rules.into_known().unwrap_or_default() {
            if let Some(id) = rule.group_id.text().map(ToOwned::to_owned) {
                rule.add_to(self.by_rules.entry(id).or_default());
                told += 1;
            }
        }
        if let (Some(id), Field::Known(entries)) = (answer.prefix_list_id.text(), answer.entries) {
            self.prefix_lists.insert(id.to_owned(), entries);
            told += 1;
        }
        if let Some(vpc) = answer.vpc_id.text()
            && !(answer.enable_dns_support.is_absent() && answer.enable_dns_hostnames.is_absent())
        {
            let dns = self.dns.entry(vpc.to_owned()).or_default();
            let flag = |field: Field<Flag>| field.into_known().and_then(|flag| flag.value.into_known());
            dns.support = flag(answer.enable_dns_support).or(dns.support);
            dns.hostnames = flag(answer.enable_dns_hostnames).or(dns.hostnames);
            told += 1;
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn learned(answers: &[Value]) -> Network {
        let mut network = Network::default();
        for answer in answers {
            assert!(network.absorb(&serde_json::value::to_raw_value(answer).unwrap()) > 0, "{answer}");
        }
        network
    }

    #[test]
    fn an_empty_list_counts_for_the_vpc_beside_it_alone() {
        let network = learned(&[
            json!({"VpcId": "vpc-1", "VpcEndpoints": []}),
            json!({"VpcId": "vpc-1", "RouteTables": []}),
        ]);
        assert_eq!(network.endpoints("vpc-1").map(<[Endpoint]>::len), Some(0));
        assert_eq!(network.endpoints("vpc-2"), None);
        assert_eq!(learned(&[json!({"VpcEndpoints": []})]).endpoints("vpc-1"), None);
        assert!(network.lists_all_tables("vpc-1") && !network.lists_all_tables("vpc-2"));
        assert_eq!(network.dns("vpc-1"), Dns::default());
    }

    #[test]
    fn a_list_with_its_vpc_beside_it_replaces_what_was_known() {
        let endpoint = |id: &str| json!({"VpcEndpointId": id, "VpcId": "vpc-1"});
        let network = learned(&[
            json!({"VpcEndpoints": [endpoint("vpce-1")]}),
            json!({"VpcId": "vpc-1", "VpcEndpoints": [endpoint("vpce-2")]}),
        ]);
        let known = network.endpoints("vpc-1").unwrap();
        assert_eq!(known.iter().filter_map(|one| one.vpc_endpoint_id.text()).collect::<Vec<_>>(), ["vpce-2"]);
    }
}
