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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::effect::testing::{place, raw, set, told};
    use super::super::super::effect::{Effect, Nothing};
    use super::super::effect;
    use crate::change::Api;

    fn call(api: Api, request: &Value, response: &Value) -> Result<Effect, Nothing> {
        effect(api, &place("eu-west-1"), raw(request).as_deref(), raw(response).as_deref())
    }

    fn arn(resource: &str) -> String {
        format!("arn:aws:ec2:eu-west-1:111122223333:{resource}")
    }

    const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

    #[test]
    fn a_new_acl_is_known_whole_and_an_entry_alone_tells_nothing() {
        let entry = |egress: bool| {
            json!({"cidrBlock": "0.0.0.0/0", "egress": egress, "icmpTypeCode": {}, "portRange": {},
            "aclProtocol": "-1", "ruleAction": "deny", "ruleNumber": 32767})
        };
        let items = json!({"networkAcl": {"networkAclId": "acl-1", "vpcId": "vpc-1", "default": false,
            "associationSet": {}, "tagSet": {}, "entrySet": {"items": [entry(true), entry(false)]}}});
        let told_entry = |egress: bool| json!({"RuleNumber": 32767, "Protocol": "-1", "RuleAction": "deny", "Egress": egress, "CidrBlock": "0.0.0.0/0"});
        let whole = |entries: Value| {
            json!([{"State": arn("network-acl/acl-1"), "NetworkAclId": "acl-1", "VpcId": "vpc-1",
            "IsDefault": false, "Entries": entries}])
        };
        let both = json!([told_entry(true), told_entry(false)]);
        let wrapped = json!({"CreateNetworkAclResponse": {"networkAcl": {"networkAclId": "acl-1", "vpcId": "vpc-1", "default": false,
            "associationSet": "", "entrySet": {"item": [
                {"cidrBlock": "0.0.0.0/0", "egress": true, "protocol": -1, "ruleAction": "deny", "ruleNumber": "32767"},
                {"cidrBlock": "0.0.0.0/0", "egress": "false", "protocol": "-1", "ruleAction": "deny", "ruleNumber": 32767}]}}}});
        let request = json!({"vpcId": "vpc-1"});
        for response in [&items, &wrapped] {
            assert_eq!(
                told(call(Api::CreateNetworkAcl, &request, response)),
                whole(both.clone()),
                "{response}"
            );
        }
        let mut broken = items.clone();
        broken["networkAcl"]["entrySet"]["items"][1] = json!(7);
        assert_eq!(told(call(Api::CreateNetworkAcl, &request, &broken)), whole(json!(HIDDEN)));
        broken["networkAcl"].as_object_mut().unwrap().remove("entrySet");
        let unshown = told(call(Api::CreateNetworkAcl, &request, &broken));
        assert_eq!(unshown, whole(json!(HIDDEN)), "a new ACL has entries");
        let mut ported = items.clone();
        ported["networkAcl"]["entrySet"]["items"] = json!([{"ruleNumber": 100, "aclProtocol": "6", "portRange": {"from": 22, "to": "22"},
            "icmpTypeCode": {"type": 8, "code": -1}, "ipv6CidrBlock": "::/0"}]);
        let entry = json!({"RuleNumber": 100, "Protocol": "6", "PortRange": {"From": 22, "To": 22},
            "IcmpTypeCode": {"Type": 8, "Code": -1}, "Ipv6CidrBlock": "::/0"});
        assert_eq!(told(call(Api::CreateNetworkAcl, &request, &ported)), whole(json!([entry])));
        assert_eq!(told(call(Api::CreateNetworkAcl, &request, &Value::Null)), "unnamed");

        let request = json!({"networkAclId": "acl-1", "ruleNumber": 100, "egress": false, "ruleAction": "allow",
            "aclProtocol": "-1", "cidrBlock": "0.0.0.0/0", "portRange": {}, "icmpTypeCode": {}});
        for (api, member) in [
            (Api::CreateNetworkAclEntry, "Entries"),
            (Api::ReplaceNetworkAclEntry, "Entries"),
            (Api::DeleteNetworkAclEntry, "Entries"),
            (Api::ReplaceNetworkAclAssociation, "Associations"),
        ] {
            let touched = json!([{ "Touched": arn("network-acl/acl-1") }]);
            assert_eq!(told(call(api, &request, &json!({"_return": true}))), touched, "{api}");
            assert_eq!(set(call(api, &request, &Value::Null)), [member]);
        }
        let gone = json!([{ "Gone": arn("network-acl/acl-1") }]);
        assert_eq!(told(call(Api::DeleteNetworkAcl, &request, &Value::Null)), gone);
    }
}
