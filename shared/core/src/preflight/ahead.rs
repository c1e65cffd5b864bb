//! What is asked next once a need is answered. Rounds are few, and whoever fetches can look ahead at no cost: each of
//! these would be asked for by itself.

use super::Doubts;
use super::reachability::{Way, default_route};
use crate::document::Field;
use crate::facts::network::Endpoint;
use crate::facts::{Facts, Need};

/// What follows from a need that EC2 answers, as far as the answers show it already.
pub fn ahead(need: &Need, facts: &Facts) -> Vec<Need> {
    match need {
        Need::Subnet(id) => beyond_subnet(id, facts),
        Need::Endpoints(vpc) => beyond_endpoints(vpc, facts),
        Need::Instance(id) => beyond_instance(id, facts),
        _ => Vec::new(),
    }
}

/// The way out of a subnet; where it has none, the endpoints of its VPC.
fn beyond_subnet(id: &str, facts: &Facts) -> Vec<Need> {
    let Some(vpc) = facts.network.subnet(id).and_then(|subnet| subnet.vpc_id.text()) else {
        return Vec::new();
    };
    let Some(table) = facts.network.route_table(vpc, id) else {
        return vec![Need::RouteTables(vpc.to_owned())];
    };
    let mut doubts = Doubts::default();
    match default_route(table, false, facts, &mut doubts) {
        Way::Internet => Vec::new(),
        Way::NotKnown => doubts.needs,
        Way::None(_) => beyond_endpoints(vpc, facts),
    }
}

/// What interface endpoints are reached by: names, groups and subnets.
fn beyond_endpoints(vpc: &str, facts: &Facts) -> Vec<Need> {
    let Some(endpoints) = facts.network.endpoints(vpc) else { return vec![Need::Endpoints(vpc.to_owned())] };
    let mut needs = Vec::new();
    let interfaces = endpoints.iter().filter(|one| one.vpc_endpoint_type.text() == Some("Interface"));
    for endpoint in interfaces {
        needs.push(Need::VpcDns(vpc.to_owned()));
        needs.extend(doors(endpoint));
    }
    needs
}

fn doors(endpoint: &Endpoint) -> impl Iterator<Item = Need> {
    let groups = endpoint.groups.items().iter().filter_map(|group| group.group_id.text());
    let groups = groups.map(|id| Need::SecurityGroup(id.to_owned()));
    groups.chain(endpoint.subnet_ids.items().iter().cloned().map(Need::Subnet))
}

/// The groups of a machine, and the prefix lists that those let in.
fn beyond_instance(id: &str, facts: &Facts) -> Vec<Need> {
    let groups = facts.hosts.machine(id).and_then(|machine| machine.groups()).unwrap_or_default();
    let mut needs = Vec::new();
    for id in groups {
        needs.push(Need::SecurityGroup(id.to_owned()));
        let permissions = facts.network.group(id).map(|group| &group.ip_permissions);
        let permissions = permissions.and_then(Field::known).into_iter().flatten();
        let lists = permissions.flat_map(|permission| permission.prefix_list_ids.items());
        needs.extend(
            lists.filter_map(|list| list.prefix_list_id.text()).map(|id| Need::PrefixList(id.to_owned())),
        );
    }
    needs
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What follows, wave by wave, when each is answered with all that is there.
    fn waves(first: Need, answers: &[(&str, Value)]) -> Vec<String> {
        let mut facts = Facts::default();
        let mut asked = vec![first.clone()];
        let mut waves = Vec::new();
        loop {
            for need in &asked {
                let call = need.call();
                for (_, answer) in answers.iter().filter(|(part, _)| call.contains(part)) {
                    facts.absorb(&serde_json::value::to_raw_value(answer).unwrap()).unwrap();
                }
            }
            let mut next = ahead(&first, &facts);
            next.retain(|need| !asked.contains(need));
            next.sort();
            next.dedup();
            if next.is_empty() {
                return waves;
            }
            waves.push(next.iter().map(|need| format!("{need:?}")).collect::<Vec<_>>().join(" "));
            asked.extend(next);
        }
    }

    fn subnet() -> (&'static str, Value) {
        ("describe-subnets", json!({"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1"}]}))
    }

    fn tables(route: Value) -> (&'static str, Value) {
        let table = json!({"VpcId": "vpc-1", "Associations": [{"Main": true}], "Routes": [route]});
        ("describe-route-tables", json!({"VpcId": "vpc-1", "RouteTables": [table]}))
    }

    #[test]
    fn a_subnet_leads_to_its_nat_gateway() {
        let nat =
            tables(json!({"DestinationCidrBlock": "0.0.0.0/0", "State": "active", "NatGatewayId": "nat-1"}));
        let gateway = |state: &str| {
            let told = json!({"NatGateways": [{"NatGatewayId": "nat-1", "State": state}]});
            ("describe-nat-gateways", told)
        };
        let need = Need::Subnet("subnet-1".to_owned());
        let works = waves(need.clone(), &[subnet(), nat.clone(), gateway("available")]);
        assert_eq!(works, [r#"RouteTables("vpc-1")"#, r#"NatGateway("nat-1")"#]);
        let failed = waves(need, &[subnet(), nat, gateway("failed")]);
        assert_eq!(failed.last().unwrap(), r#"Endpoints("vpc-1")"#);
    }

    #[test]
    fn a_subnet_without_a_way_leads_to_endpoints_and_what_they_are_reached_by() {
        let igw =
            tables(json!({"DestinationCidrBlock": "0.0.0.0/0", "State": "active", "GatewayId": "igw-1"}));
        let endpoint = json!({"VpcEndpointId": "vpce-1", "VpcEndpointType": "Interface", "VpcId": "vpc-1",
            "Groups": [{"GroupId": "sg-1"}], "SubnetIds": ["subnet-1", "subnet-2"]});
        let gateway = json!({"VpcEndpointId": "vpce-2", "VpcEndpointType": "Gateway", "VpcId": "vpc-1"});
        let told = ("describe-vpc-endpoints", json!({"VpcId": "vpc-1", "VpcEndpoints": [endpoint, gateway]}));
        let found = waves(Need::Subnet("subnet-1".to_owned()), &[subnet(), igw, told]);
        let last = r#"Subnet("subnet-2") VpcDns("vpc-1") SecurityGroup("sg-1")"#;
        assert_eq!(found, [r#"RouteTables("vpc-1")"#, r#"Endpoints("vpc-1")"#, last]);
    }

    #[test]
    fn a_machine_leads_to_its_groups_and_their_prefix_lists() {
        let machine = json!({"Reservations": [{"Instances": [
            {"InstanceId": "i-1", "SecurityGroups": [{"GroupId": "sg-1"}]}]}]});
        let group = json!({"SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": [
            {"IpProtocol": "tcp", "PrefixListIds": [{"PrefixListId": "pl-1"}]}]}]});
        let answers = [("describe-instances", machine), ("describe-security-groups", group)];
        let found = waves(Need::Instance("i-1".to_owned()), &answers);
        assert_eq!(found, [r#"SecurityGroup("sg-1")"#, r#"PrefixList("pl-1")"#]);
    }
}
