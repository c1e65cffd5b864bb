//! Network ACLs, as `DescribeNetworkAcls` prints them.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::dialect::{Word, flag, list, number};
use crate::document::{Field, Shape};

/// A new ACL, as the answer to its creation shows it.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Acl<'a> {
    pub(super) network_acl_id: Field<Word>,
    vpc_id: Field<Word>,
    default: Field<Word>,
    #[serde(borrow)]
    entry_set: Field<&'a RawValue>,
}

/// One entry. What the API calls `protocol` is called `aclProtocol` in events.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Entry {
    rule_number: Field<Word>,
    #[serde(alias = "aclProtocol")]
    protocol: Field<Word>,
    rule_action: Field<Word>,
    egress: Field<Word>,
    cidr_block: Field<Word>,
    ipv6_cidr_block: Field<Word>,
    port_range: Field<Pair>,
    icmp_type_code: Field<Pair>,
}

/// A range of ports, or a type and code of ICMP. Empty where the entry has none.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Pair {
    from: Field<Word>,
    to: Field<Word>,
    code: Field<Word>,
    #[serde(rename = "type")]
    kind: Field<Word>,
}

impl Acl<'_> {
    /// The whole ACL: its order decides, so that of entries that can't be read nothing is said at all.
    pub(super) fn shape(self) -> Shape {
        let entries = list::<Entry>(&self.entry_set).and_then(|entries| {
            let read: Option<Vec<Entry>> = entries.into_iter().map(Field::into_known).collect();
            read.map_or(Field::Hidden, Field::Known)
        });
        // A new ACL has two entries that deny everything, one for each direction.
        let entries = if self.entry_set.is_absent() { Field::Hidden } else { entries };
        Shape::default()
            .with("NetworkAclId", self.network_acl_id)
            .with("VpcId", self.vpc_id)
            .with("IsDefault", flag(&self.default))
            .with("Entries", entries.map(|entries| entries.into_iter().map(Entry::shape).collect::<Vec<_>>()))
    }
}

impl Entry {
    fn shape(self) -> Shape {
        Shape::default()
            .with("RuleNumber", number(&self.rule_number))
            .with("Protocol", self.protocol)
            .with("RuleAction", self.rule_action)
            .with("Egress", flag(&self.egress))
            .with("CidrBlock", self.cidr_block)
            .with("Ipv6CidrBlock", self.ipv6_cidr_block)
            .with("PortRange", self.port_range.and_then(|pair| pair.shape(["From", "To"])))
            .with("IcmpTypeCode", self.icmp_type_code.and_then(|pair| pair.shape(["Type", "Code"])))
    }
}

impl Pair {
    fn shape(self, names: [&'static str; 2]) -> Field<Shape> {
        let [first, second] = names;
        let (one, other) = if first == "From" { (self.from, self.to) } else { (self.kind, self.code) };
        let shape = Shape::default().with(first, number(&one)).with(second, number(&other));
        if shape.is_empty() { Field::Absent } else { Field::Known(shape) }
    }
}
