//! Security groups and prefix lists, as EC2 prints them.

use ipnet::IpNet;
use serde::Deserialize;

use super::is_private;
use crate::document::Field;

/// A security group by its id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GroupReference {
    /// `sg-…`
    pub group_id: Field<String>,
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SecurityGroup {
    /// `sg-…`
    pub group_id: Field<String>,
    /// What it lets in.
    pub ip_permissions: Field<Vec<Permission>>,
    /// What it lets out.
    pub ip_permissions_egress: Field<Vec<Permission>>,
}

/// One permission of a security group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Permission {
    /// `tcp`, `-1` for all, or a number.
    pub ip_protocol: Field<String>,
    /// The first port; absent for all.
    pub from_port: Field<i64>,
    /// The last port; absent for all.
    pub to_port: Field<i64>,
    /// IPv4 sources or destinations.
    pub ip_ranges: Field<Vec<IpRange>>,
    /// IPv6 sources or destinations.
    pub ipv6_ranges: Field<Vec<Ipv6Range>>,
    /// Groups as sources or destinations.
    pub user_id_group_pairs: Field<Vec<GroupReference>>,
    /// Prefix lists as sources or destinations; what they hold is another fact.
    pub prefix_list_ids: Field<Vec<PrefixListReference>>,
}

/// A prefix list by its id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct PrefixListReference {
    /// `pl-…`
    pub prefix_list_id: Field<String>,
}

/// A range of a prefix list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct PrefixListEntry {
    /// `10.0.0.0/16`
    pub cidr: Field<String>,
}

/// An IPv4 range.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct IpRange {
    /// `10.0.0.0/16`
    pub cidr_ip: Field<String>,
}

/// An IPv6 range.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Ipv6Range {
    /// `2001:db8::/32`
    pub cidr_ipv6: Field<String>,
}

impl Permission {
    /// Whether it is about TCP port 443.
    pub fn covers_https(&self) -> bool {
        match self.ip_protocol.text() {
            Some("-1") => true,
            Some("tcp" | "6") => match (self.from_port.known(), self.to_port.known()) {
                (Some(from), Some(to)) => *from <= 443 && 443 <= *to,
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether one of its IPv4 ranges holds a whole range.
    pub fn spans(&self, cidr: &str) -> bool {
        let Ok(inner) = cidr.parse::<IpNet>() else { return false };
        let ranges = self.ip_ranges.items().iter().filter_map(|range| range.cidr_ip.text());
        ranges.filter_map(|range| range.parse::<IpNet>().ok()).any(|outer| outer.contains(&inner))
    }

    /// Whether it names a security group.
    pub fn names(&self, group: &str) -> bool {
        self.user_id_group_pairs.items().iter().any(|pair| pair.group_id.text() == Some(group))
    }

    /// The first of its ranges that holds addresses outside private networks.
    pub fn public_source(&self) -> Option<&str> {
        let v4 = self.ip_ranges.items().iter().filter_map(|range| range.cidr_ip.text());
        let v6 = self.ipv6_ranges.items().iter().filter_map(|range| range.cidr_ipv6.text());
        let unread = [
            self.ip_ranges.is_hidden() || self.ip_ranges.items().iter().any(|one| one.cidr_ip.is_hidden()),
            self.ipv6_ranges.is_hidden()
                || self.ipv6_ranges.items().iter().any(|one| one.cidr_ipv6.is_hidden()),
            self.prefix_list_ids.is_hidden(),
        ];
        let listed = !self.prefix_list_ids.items().is_empty() || unread.contains(&true);
        v4.chain(v6)
            .find(|range| !is_private(range))
            .or(listed.then_some("a prefix list or a range that can't be read"))
    }
}
