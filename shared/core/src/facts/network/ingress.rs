//! What security groups let the whole world reach: a range of length zero, or ranges that together are all addresses
//! of a family, on one port.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use serde::Deserialize;

use super::{GroupReference, IpRange, Ipv6Range, Network, Permission, PrefixListReference, SecurityGroup};
use crate::document::Field;
use crate::facts::Need;
use crate::resource::task_definition::HostPorts;

/// Whether the world reaches one of some ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum World {
    /// It does, on this port first, by these groups together.
    Reaches(u16, Vec<String>),
    /// It does not.
    Shut,
    /// Nobody can tell without these facts.
    Unknown(Vec<Need>),
}

impl Network {
    /// Whether a machine with these groups lets the world reach any of these ports but the allowed ones.
    pub fn world(&self, groups: &BTreeSet<&str>, ports: &HostPorts, allowed: &[u16]) -> World {
        let mut needs = Vec::new();
        let mut known = Vec::new();
        for id in groups {
            match self.group(id) {
                Some(group) if group.ip_permissions.known().is_some() => known.push((*id, group)),
                _ => needs.push(Need::SecurityGroup((*id).to_owned())),
            }
        }
        // What reaches a port changes only where a permission begins, so that no other port need be tried.
        let permissions = known.iter().flat_map(|(_, group)| group.ip_permissions.items());
        let begins = permissions.filter_map(|one| u16::try_from(*one.from_port.known()?).ok());
        let begins: BTreeSet<u16> = begins.filter(|port| *port >= ports.from).chain([ports.from]).collect();
        for begin in begins {
            let Some(port) = (begin..=ports.to).find(|port| !allowed.contains(port)) else { continue };
            if let Some(groups) = self.all_addresses(&known, ports.protocol, port, &mut needs) {
                return World::Reaches(port, groups);
            }
        }
        needs.sort();
        needs.dedup();
        if needs.is_empty() { World::Shut } else { World::Unknown(needs) }
    }

    /// The groups that let every address of a family reach a port: the first that does so by itself, or all.
    fn all_addresses(
        &self,
        groups: &[(&str, &SecurityGroup)],
        protocol: &str,
        port: u16,
        needs: &mut Vec<Need>,
    ) -> Option<Vec<String>> {
        let mut ranges: BTreeMap<&str, Vec<IpNet>> = BTreeMap::new();
        for (id, group) in groups {
            for permission in group.ip_permissions.items() {
                match permission.covers(protocol, port) {
                    Some(true) => self.sources(id, permission, ranges.entry(id).or_default(), needs),
                    Some(false) => {}
                    None => needs.push(Need::SecurityGroup((*id).to_owned())),
                }
            }
        }
        if let Some((id, _)) = ranges.iter().find(|(_, ranges)| is_world(ranges)) {
            return Some(vec![(*id).to_owned()]);
        }
        let together: Vec<IpNet> = ranges.values().flatten().copied().collect();
        is_world(&together).then(|| ranges.keys().map(|id| (*id).to_owned()).collect())
    }

    /// The ranges that a permission is for, those of its prefix lists among them.
    fn sources(&self, group: &str, permission: &Permission, ranges: &mut Vec<IpNet>, needs: &mut Vec<Need>) {
        let mut unread = permission.ip_ranges.is_hidden()
            || permission.ipv6_ranges.is_hidden()
            || permission.prefix_list_ids.is_hidden();
        let mut add = |text: Option<&str>| match text.and_then(|text| text.parse::<IpNet>().ok()) {
            Some(range) => ranges.push(range),
            None => unread = true,
        };
        permission.ip_ranges.items().iter().for_each(|range| add(range.cidr_ip.text()));
        permission.ipv6_ranges.items().iter().for_each(|range| add(range.cidr_ipv6.text()));
        for list in permission.prefix_list_ids.items() {
            match list.prefix_list_id.text().map(|id| (id, self.prefix_list(id))) {
                Some((_, Some(entries))) => entries.iter().for_each(|entry| add(entry.cidr.text())),
                Some((id, None)) => needs.push(Need::PrefixList(id.to_owned())),
                None => add(None),
            }
        }
        if unread {
            needs.push(Need::SecurityGroup(group.to_owned()));
        }
    }
}

impl Permission {
    /// Whether it is for a port of a protocol; `None` where that is not shown.
    fn covers(&self, protocol: &str, port: u16) -> Option<bool> {
        match (self.ip_protocol.text()?, protocol) {
            ("-1", _) => return Some(true),
            ("tcp" | "6", "tcp") | ("udp" | "17", "udp") => {}
            _ => return Some(false),
        }
        // Without ports it is for all of them, which EC2 also writes as -1.
        let bound = |field: &Field<i64>, all: i64| match field {
            Field::Absent | Field::Known(-1) => Some(all),
            Field::Known(bound) => Some(*bound),
            Field::Hidden => None,
        };
        let (from, to) = (bound(&self.from_port, 0)?, bound(&self.to_port, i64::from(u16::MAX))?);
        Some((from..=to).contains(&i64::from(port)))
    }
}

/// Whether ranges are all addresses of IPv4, or of IPv6: in one piece, in halves, or in any other.
fn is_world(ranges: &[IpNet]) -> bool {
    IpNet::aggregate(&ranges.to_vec()).iter().any(|range| range.prefix_len() == 0)
}

/// A rule of a security group, as `describe-security-group-rules` prints it.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Rule {
    pub(super) group_id: Field<String>,
    is_egress: Field<bool>,
    ip_protocol: Field<String>,
    from_port: Field<i64>,
    to_port: Field<i64>,
    cidr_ipv4: Field<String>,
    cidr_ipv6: Field<String>,
    prefix_list_id: Field<String>,
    referenced_group_info: Field<GroupReference>,
}

impl Rule {
    /// Adds the rule to its group, in the form of `describe-security-groups`. A rule of which the direction is not
    /// shown may be either.
    pub(super) fn add_to(self, group: &mut SecurityGroup) {
        let permission = Permission {
            ip_protocol: self.ip_protocol,
            from_port: self.from_port,
            to_port: self.to_port,
            ip_ranges: one(self.cidr_ipv4, |cidr_ip| IpRange { cidr_ip }),
            ipv6_ranges: one(self.cidr_ipv6, |cidr_ipv6| Ipv6Range { cidr_ipv6 }),
            user_id_group_pairs: match self.referenced_group_info {
                Field::Absent => Field::Absent,
                Field::Hidden => Field::Hidden,
                Field::Known(group) => Field::Known(vec![group]),
            },
            prefix_list_ids: one(self.prefix_list_id, |prefix_list_id| PrefixListReference {
                prefix_list_id,
            }),
        };
        let direction = match self.is_egress {
            Field::Known(true) => &mut group.ip_permissions_egress,
            Field::Known(false) => &mut group.ip_permissions,
            Field::Absent | Field::Hidden => {
                group.ip_permissions = Field::Hidden;
                group.ip_permissions_egress = Field::Hidden;
                return;
            }
        };
        match direction {
            Field::Known(permissions) => permissions.push(permission),
            Field::Absent => *direction = Field::Known(vec![permission]),
            Field::Hidden => {}
        }
    }
}

/// A list of one, where there is one.
fn one<T>(field: Field<String>, wrap: impl Fn(Field<String>) -> T) -> Field<Vec<T>> {
    match field {
        Field::Absent => Field::Absent,
        shown => Field::Known(vec![wrap(shown)]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// `8080 by sg-1`, `shut`, or the calls that would tell: what the world reaches of 8080 in these groups.
    fn world(groups: &[&str], answers: &[Value]) -> String {
        let mut network = Network::default();
        for answer in answers {
            assert!(network.absorb(&serde_json::value::to_raw_value(answer).unwrap()) > 0, "{answer}");
        }
        let ports = HostPorts { container: "web".to_owned(), protocol: "tcp", from: 8080, to: 8080 };
        match network.world(&groups.iter().copied().collect(), &ports, &[]) {
            World::Reaches(port, by) => format!("{port} by {}", by.join(" and ")),
            World::Shut => "shut".to_owned(),
            World::Unknown(needs) => needs.iter().map(Need::call).collect::<Vec<_>>().join(" · "),
        }
    }

    fn group(id: &str, permissions: &[Value]) -> Value {
        json!({"SecurityGroups": [{"GroupId": id, "IpPermissions": permissions}]})
    }

    fn v4(from: i32, to: i32, cidr: &str) -> Value {
        json!({"IpProtocol": "tcp", "FromPort": from, "ToPort": to, "IpRanges": [{"CidrIp": cidr}]})
    }

    fn v6(cidr: &str) -> Value {
        json!({"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "Ipv6Ranges": [{"CidrIpv6": cidr}]})
    }

    const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
    const GROUP: &str = "aws ec2 describe-security-groups --group-ids sg-1";
    const OPEN: &str = "8080 by sg-1";

    #[test]
    fn the_world_is_all_addresses_of_a_family_on_one_port() {
        let here = |cidr: &str| v4(8080, 8080, cidr);
        let of = |protocol: &str| json!({"IpProtocol": protocol, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]});
        let quarters: Vec<Value> =
            ["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"].map(here).to_vec();
        let mut beside = here("0.0.0.0/0");
        beside["UserIdGroupPairs"] = json!([{"GroupId": "sg-9"}]);
        let rows = [
            ("nothing", vec![], "shut"),
            ("a private range", vec![here("10.0.0.0/8")], "shut"),
            ("a public range", vec![here("198.51.100.0/24")], "shut"),
            ("all", vec![here("0.0.0.0/0")], OPEN),
            ("any base", vec![here("0.0.2.0/0")], OPEN),
            ("the last of its ports", vec![v4(1, 8080, "0.0.0.0/0")], OPEN),
            ("ports below", vec![v4(1, 8079, "0.0.0.0/0")], "shut"),
            ("ports above", vec![v4(8081, 9000, "0.0.0.0/0")], "shut"),
            ("IPv6", vec![v6("::/0")], OPEN),
            ("every protocol", vec![of("-1")], OPEN),
            ("a protocol by number, every port", vec![of("6")], OPEN),
            ("every port, as EC2 also writes it", vec![v4(-1, -1, "0.0.0.0/0")], OPEN),
            ("another protocol", vec![of("icmp"), of("udp")], "shut"),
            ("halves", vec![v4(8000, 8090, "0.0.0.0/1"), v4(8080, 9000, "128.0.0.0/1")], OPEN),
            (
                "halves on other ports",
                vec![v4(8000, 8079, "0.0.0.0/1"), v4(8080, 9000, "128.0.0.0/1")],
                "shut",
            ),
            ("halves of IPv6", vec![v6("::/1"), v6("8000::/1")], OPEN),
            ("halves of two families", vec![here("0.0.0.0/1"), v6("8000::/1")], "shut"),
            ("quarters", quarters.clone(), OPEN),
            ("three quarters", quarters[1..].to_vec(), "shut"),
            ("a group beside it", vec![beside], OPEN),
            ("a hidden range", vec![here(HIDDEN)], GROUP),
            ("a range that is none", vec![here("everywhere")], GROUP),
            ("hidden ranges", vec![json!({"IpProtocol": "-1", "IpRanges": HIDDEN})], GROUP),
            ("a hidden range for another port", vec![v4(22, 22, HIDDEN)], "shut"),
            ("a hidden port", vec![json!({"IpProtocol": "tcp", "FromPort": HIDDEN, "ToPort": 9000})], GROUP),
            ("no protocol", vec![json!({"FromPort": 0, "ToPort": 9000})], GROUP),
            ("an open port outweighs it", vec![here(HIDDEN), here("0.0.0.0/0")], OPEN),
        ];
        for (name, permissions, expected) in rows {
            assert_eq!(world(&["sg-1"], &[group("sg-1", &permissions)]), expected, "{name}");
        }
        assert_eq!(world(&["sg-1"], &[]), GROUP);
    }

    #[test]
    fn the_groups_of_a_machine_add_up() {
        let half = |id: &str, cidr: &str| group(id, &[v4(0, 65535, cidr)]);
        let (low, high) = (half("sg-1", "0.0.0.0/1"), half("sg-2", "128.0.0.0/1"));
        assert_eq!(world(&["sg-1", "sg-2"], &[low.clone(), high]), "8080 by sg-1 and sg-2");
        assert_eq!(world(&["sg-1", "sg-2"], &[low.clone(), half("sg-2", "0.0.0.0/0")]), "8080 by sg-2");
        assert_eq!(world(&["sg-1", "sg-2"], &[low, group("sg-2", &[])]), "shut");
    }

    #[test]
    fn prefix_lists_are_resolved_or_asked_for() {
        let listed = |port: i32| {
            group(
                "sg-1",
                &[
                    json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "PrefixListIds": [{"PrefixListId": "pl-1"}]}),
                ],
            )
        };
        let list = |cidr: &str| json!({"PrefixListId": "pl-1", "Entries": [{"Cidr": cidr}]});
        let ask = Need::PrefixList("pl-1".to_owned()).call();
        assert_eq!(world(&["sg-1"], &[listed(8080)]), ask);
        assert_eq!(world(&["sg-1"], &[listed(22)]), "shut");
        assert_eq!(world(&["sg-1"], &[listed(8080), list("10.0.0.0/8")]), "shut");
        assert_eq!(world(&["sg-1"], &[listed(8080), list("::/0")]), OPEN);
        assert_eq!(world(&["sg-1"], &[listed(8080), list("nowhere")]), GROUP);
    }

    #[test]
    fn rules_listed_by_themselves_are_a_group() {
        let rule = |egress: Value, member: &str, value: Value| {
            let mut rule = json!({"GroupId": "sg-1", "IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080});
            rule["IsEgress"] = egress;
            rule[member] = value;
            rule
        };
        let rules = |rules: &[Value]| world(&["sg-1"], &[json!({ "SecurityGroupRules": rules })]);
        let into = |member: &str, value: &str| rule(json!(false), member, json!(value));
        assert_eq!(rules(&[into("CidrIpv4", "0.0.0.0/0")]), OPEN);
        assert_eq!(rules(&[into("CidrIpv6", "::/0")]), OPEN);
        assert_eq!(rules(&[into("CidrIpv4", "0.0.0.0/1"), into("CidrIpv4", "128.0.0.0/1")]), OPEN);
        assert_eq!(rules(&[into("CidrIpv4", "10.0.0.0/8")]), "shut");
        assert_eq!(rules(&[into("CidrIpv4", HIDDEN)]), GROUP);
        assert_eq!(rules(&[into("PrefixListId", "pl-1")]), Need::PrefixList("pl-1".to_owned()).call());
        let from_group = rule(json!(false), "ReferencedGroupInfo", json!({"GroupId": "sg-9"}));
        assert_eq!(rules(&[from_group]), "shut");
        assert_eq!(
            rules(&[rule(json!(true), "CidrIpv4", json!("0.0.0.0/0"))]),
            GROUP,
            "nothing is said of what it lets in"
        );
        assert_eq!(rules(&[rule(Value::Null, "CidrIpv4", json!("10.0.0.0/8"))]), GROUP);
        let told = group("sg-1", &[]);
        let rules = json!({"SecurityGroupRules": [into("CidrIpv4", "0.0.0.0/0")]});
        assert_eq!(world(&["sg-1"], &[rules, told]), "shut", "the group itself is the better witness");
    }
}
