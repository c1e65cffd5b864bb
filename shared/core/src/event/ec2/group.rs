//! Rules of security groups in every dialect, as `DescribeSecurityGroupRules` prints them. Descriptions are left out:
//! people write what they like there.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::dialect::{Word, flag, list, number};
use crate::document::{Field, Shape};

/// What a request allows: one protocol and range of ports for sources of four kinds. The flat requests are of this
/// shape themselves, with their only source in members of their own, beside an empty `ipPermissions`.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Permission<'a> {
    #[serde(alias = "IpProtocol")]
    ip_protocol: Field<Word>,
    #[serde(alias = "FromPort")]
    from_port: Field<Word>,
    #[serde(alias = "ToPort")]
    to_port: Field<Word>,
    #[serde(borrow, alias = "IpRanges")]
    ip_ranges: Field<&'a RawValue>,
    #[serde(borrow, alias = "Ipv6Ranges")]
    ipv6_ranges: Field<&'a RawValue>,
    #[serde(borrow, alias = "PrefixListIds")]
    prefix_list_ids: Field<&'a RawValue>,
    #[serde(borrow, alias = "Groups", alias = "UserIdGroupPairs")]
    groups: Field<&'a RawValue>,
    #[serde(alias = "CidrIp")]
    cidr_ip: Field<Word>,
    #[serde(alias = "SourceSecurityGroupName")]
    source_security_group_name: Field<Word>,
    #[serde(alias = "SourceSecurityGroupOwnerId")]
    source_security_group_owner_id: Field<Word>,
}

/// A source: a range, a prefix list, or another group.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Source {
    #[serde(alias = "CidrIp")]
    cidr_ip: Field<Word>,
    #[serde(alias = "CidrIpv6")]
    cidr_ipv6: Field<Word>,
    #[serde(alias = "PrefixListId")]
    prefix_list_id: Field<Word>,
    #[serde(alias = "GroupId")]
    group_id: Field<Word>,
    #[serde(alias = "GroupName")]
    group_name: Field<Word>,
    #[serde(alias = "UserId")]
    user_id: Field<Word>,
}

/// A rule as answers hold it, and as requests change it.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Rule {
    #[serde(alias = "SecurityGroupRuleId")]
    security_group_rule_id: Field<Word>,
    group_id: Field<Word>,
    is_egress: Field<Word>,
    #[serde(alias = "IpProtocol")]
    ip_protocol: Field<Word>,
    #[serde(alias = "FromPort")]
    from_port: Field<Word>,
    #[serde(alias = "ToPort")]
    to_port: Field<Word>,
    #[serde(alias = "CidrIpv4")]
    cidr_ipv4: Field<Word>,
    #[serde(alias = "CidrIpv6")]
    cidr_ipv6: Field<Word>,
    #[serde(alias = "PrefixListId")]
    prefix_list_id: Field<Word>,
    referenced_group_info: Field<Source>,
    #[serde(alias = "ReferencedGroupId")]
    referenced_group_id: Field<Word>,
}

/// One rule on its way into a document.
struct Traffic<'a> {
    egress: Field<bool>,
    protocol: &'a Field<Word>,
    ports: [&'a Field<Word>; 2],
}

impl Traffic<'_> {
    /// The rule for one source, under the member that tells it.
    fn rule(&self, member: &'static str, source: Field<impl serde::Serialize>) -> Shape {
        let protocol = protocol(self.protocol);
        // All protocols means all ports, whatever ports the caller gave.
        let every = matches!(&protocol, Field::Known(protocol) if protocol == EVERY);
        let [from, to] = self.ports.map(|port| if every { Field::Known(-1) } else { number(port) });
        Shape::default()
            .with("IsEgress", self.egress)
            .with("IpProtocol", protocol)
            .with("FromPort", from)
            .with("ToPort", to)
            .with(member, source)
    }
}

/// All protocols.
const EVERY: &str = "-1";

/// A protocol as EC2 prints it: four by their names, all as -1, and the others by their numbers.
fn protocol(given: &Field<Word>) -> Field<String> {
    given.clone().map(|word| {
        let word = word.text().to_ascii_lowercase();
        match word.as_str() {
            "6" => "tcp".to_owned(),
            "17" => "udp".to_owned(),
            "1" => "icmp".to_owned(),
            "58" => "icmpv6".to_owned(),
            "all" => EVERY.to_owned(),
            _ => word,
        }
    })
}

/// The rules that a request adds, in the direction that its call tells.
pub(super) fn requested(request: &Field<&RawValue>, egress: bool) -> Vec<Shape> {
    #[derive(Deserialize, Default)]
    #[serde(default, rename_all = "camelCase")]
    struct Asked<'a> {
        #[serde(borrow, alias = "IpPermissions")]
        ip_permissions: Field<&'a RawValue>,
    }
    let Field::Known(request) = request else { return Vec::new() };
    let asked: Field<Asked<'_>> = Field::read(request);
    let listed = asked.into_known().unwrap_or_default().ip_permissions;
    let flat: Field<Permission<'_>> = Field::read(request);
    let listed = known(list::<Permission<'_>>(&listed));
    listed.into_iter().chain(flat.into_known()).flat_map(|one| one.rules(egress)).collect()
}

/// What can be read of a list. Of a part of a group, the rest may be left out.
fn known<T>(items: Field<Vec<Field<T>>>) -> Vec<T> {
    items.into_known().into_iter().flatten().filter_map(Field::into_known).collect()
}

impl Permission<'_> {
    fn rules(&self, egress: bool) -> Vec<Shape> {
        let traffic = Traffic {
            egress: Field::Known(egress),
            protocol: &self.ip_protocol,
            ports: [&self.from_port, &self.to_port],
        };
        let sources = |json: &Field<&RawValue>| known(list::<Source>(json)).into_iter();
        let ipv4 = sources(&self.ip_ranges).map(|source| source.cidr_ip).chain([self.cidr_ip.clone()]);
        let ipv6 = sources(&self.ipv6_ranges).map(|source| source.cidr_ipv6);
        let prefixes = sources(&self.prefix_list_ids).map(|source| source.prefix_list_id);
        let flat = Source {
            group_name: self.source_security_group_name.clone(),
            user_id: self.source_security_group_owner_id.clone(),
            ..Source::default()
        };
        let groups = sources(&self.groups).chain([flat]).map(|source| source.referenced());
        let ranges = [("CidrIpv4", ipv4.collect::<Vec<_>>()), ("CidrIpv6", ipv6.collect())];
        let ranges = ranges.into_iter().chain([("PrefixListId", prefixes.collect())]);
        let named = ranges.flat_map(|(member, words)| words.into_iter().map(move |word| (member, word)));
        let named = named.filter(|(_, word)| !word.is_absent());
        let mut rules: Vec<Shape> = named.map(|(member, word)| traffic.rule(member, word)).collect();
        rules.extend(
            groups.filter(|group| !group.is_absent()).map(|group| traffic.rule("ReferencedGroupInfo", group)),
        );
        rules
    }
}

impl Source {
    /// Another group, by its id. A group that only its name tells has an id all the same.
    fn referenced(self) -> Field<Shape> {
        let id = if self.group_id.is_absent() && !self.group_name.is_absent() {
            Field::Hidden
        } else {
            self.group_id
        };
        let shape = Shape::default().with("GroupId", id);
        if shape.is_empty() { Field::Absent } else { Field::Known(shape.with("UserId", self.user_id)) }
    }
}

/// The rules that an answer shows, each with its id, and the group that they belong to.
pub(super) fn answered(rules: &Field<&RawValue>, egress: bool) -> (Field<Word>, Vec<Shape>) {
    let rules = known(list::<Rule>(rules));
    let group = rules.first().map_or(Field::Absent, |rule| rule.group_id.clone());
    let shapes = rules.into_iter().map(|rule| {
        let told = flag(&rule.is_egress).or(Field::Known(egress));
        rule.shape(told)
    });
    (group, shapes.collect())
}

/// The rules that a request rewrites. It tells all of them but their direction.
pub(super) fn modified(rules: &Field<&RawValue>) -> Vec<Shape> {
    #[derive(Deserialize, Default)]
    #[serde(default, rename_all = "camelCase")]
    struct Update {
        #[serde(alias = "SecurityGroupRuleId")]
        security_group_rule_id: Field<Word>,
        #[serde(alias = "SecurityGroupRule")]
        security_group_rule: Field<Rule>,
    }
    let updates = known(list::<Update>(rules)).into_iter();
    let rules = updates.filter_map(|update| {
        let rule = update.security_group_rule.into_known()?;
        Some(Rule { security_group_rule_id: update.security_group_rule_id, ..rule }.shape(Field::Hidden))
    });
    rules.collect()
}

impl Rule {
    fn shape(self, egress: Field<bool>) -> Shape {
        let traffic =
            Traffic { egress, protocol: &self.ip_protocol, ports: [&self.from_port, &self.to_port] };
        let group = self.referenced_group_info.or(self
            .referenced_group_id
            .map(|id| Source { group_id: Field::Known(id), ..Source::default() }));
        traffic
            .rule("CidrIpv4", self.cidr_ipv4.clone())
            .with("SecurityGroupRuleId", self.security_group_rule_id)
            .with("CidrIpv6", self.cidr_ipv6)
            .with("PrefixListId", self.prefix_list_id)
            .with("ReferencedGroupInfo", group.and_then(Source::referenced))
    }
}

/// The rules of a new group: nothing may come in, and everything may go out.
pub(super) fn initial() -> Vec<Shape> {
    let every = Field::Known(Word::new(EVERY));
    let traffic =
        Traffic { egress: Field::Known(true), protocol: &every, ports: [&Field::Absent, &Field::Absent] };
    vec![traffic.rule("CidrIpv4", Field::Known("0.0.0.0/0"))]
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
    const INGRESS: Api = Api::AuthorizeSecurityGroupIngress;

    fn part(rules: &Value) -> Value {
        json!([{"Part": arn("security-group/sg-1"), "GroupId": "sg-1", "SecurityGroupRules": rules}])
    }

    /// The rule that every dialect below tells: SSH from everywhere.
    fn ssh() -> Value {
        json!({"IsEgress": false, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0"})
    }

    #[test]
    fn one_rule_is_one_document_in_every_dialect() {
        let items = |protocol: Value, from: Value, to: Value| {
            json!({"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": protocol, "fromPort": from, "toPort": to,
                "groups": {}, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0", "description": "x"}]}, "ipv6Ranges": {}, "prefixListIds": {}}]}})
        };
        let flat = json!({"groupId": "sg-1", "ipPermissions": {}, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "0.0.0.0/0"});
        let wrapped = |permissions: Value| json!({"AuthorizeSecurityGroupIngressRequest": {"GroupId": {"tag": 1, "content": "sg-1"}, "IpPermissions": permissions}});
        let xml = |ports: Value| {
            json!({"tag": 1, "IpProtocol": "tcp", "FromPort": ports, "ToPort": ports, "Groups": "", "Ipv6Ranges": "",
            "IpRanges": {"tag": 1, "CidrIp": "0.0.0.0/0"}})
        };
        let requests = [
            items(json!("tcp"), json!(22), json!(22)),
            items(json!("TCP"), json!("22"), json!("22")),
            items(json!(6), json!(22), json!("22")),
            items(json!("6"), json!({"tag": 1, "content": "22"}), json!(22)),
            flat,
            wrapped(xml(json!(22))),
            wrapped(json!([xml(json!("22"))])),
            json!({"groupId": "sg-1", "ipPermissions": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": [{"cidrIp": "0.0.0.0/0"}]}]}),
            json!({"groupId": "sg-1", "ipPermissions": {"items": {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": {"items": {"cidrIp": "0.0.0.0/0"}}}}}),
        ];
        for request in &requests {
            for response in [json!({"_return": true}), Value::Null, json!({"omitted": true}), json!("")] {
                assert_eq!(told(call(INGRESS, request, &response)), part(&json!([ssh()])), "{request}");
            }
            assert_eq!(set(call(INGRESS, request, &Value::Null)), ["SecurityGroupRules"]);
        }
        // The answer shows the rule with its id, and counts before the request.
        let rule = json!({"groupOwnerId": "111122223333", "groupId": "sg-1", "securityGroupRuleId": "sgr-1", "isEgress": false,
            "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0", "tagSet": {}});
        let mut with_id = ssh();
        with_id["SecurityGroupRuleId"] = json!("sgr-1");
        for request in requests.iter().chain([&Value::Null, &json!({"groupName": "web"})]) {
            let response = json!({"_return": true, "securityGroupRuleSet": {"items": [rule]}});
            assert_eq!(told(call(INGRESS, request, &response)), part(&json!([with_id])), "{request}");
        }
    }

    #[test]
    fn every_protocol_is_every_port() {
        for (from, to) in [(Value::Null, Value::Null), (json!(0), json!(0)), (json!(-1), json!("-1"))] {
            for protocol in [json!("-1"), json!(-1), json!("all")] {
                let request = json!({"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": protocol, "fromPort": from,
                    "toPort": to, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}]}}]}});
                let rule = json!({"IsEgress": true, "IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv4": "10.0.0.0/8"});
                let effect = call(Api::AuthorizeSecurityGroupEgress, &request, &json!({"_return": true}));
                assert_eq!(told(effect), part(&json!([rule])), "{request}");
            }
        }
    }

    #[test]
    fn a_permission_is_one_rule_for_each_source() {
        let request = json!({"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "udp", "fromPort": 53, "toPort": 53,
            "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}, {"cidrIp": "192.0.2.0/24"}]},
            "ipv6Ranges": {"items": [{"cidrIpv6": "::/0"}]}, "prefixListIds": {"items": [{"prefixListId": "pl-1"}]},
            "groups": {"items": [{"userId": "444455556666", "groupId": "sg-2"}, {"groupName": "web"}]}},
            {"ipProtocol": 50, "ipRanges": {"items": [{"cidrIp": HIDDEN}, {"description": "none"}, 7]}},
            "unreadable", {"ipProtocol": "tcp", "ipRanges": {"omitted": "true"}}]}});
        let rule = |source: Value| {
            let mut rule = json!({"IsEgress": false, "IpProtocol": "udp", "FromPort": 53, "ToPort": 53});
            rule.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
            rule
        };
        let expected = json!([
            rule(json!({"CidrIpv4": "10.0.0.0/8"})),
            rule(json!({"CidrIpv4": "192.0.2.0/24"})),
            rule(json!({"CidrIpv6": "::/0"})),
            rule(json!({"PrefixListId": "pl-1"})),
            rule(json!({"ReferencedGroupInfo": {"GroupId": "sg-2", "UserId": "444455556666"}})),
            rule(json!({"ReferencedGroupInfo": {"GroupId": HIDDEN}})),
            {"IsEgress": false, "IpProtocol": "50", "CidrIpv4": HIDDEN}
        ]);
        assert_eq!(told(call(INGRESS, &request, &Value::Null)), part(&expected));
        let flat = json!({"groupId": "sg-1", "ipPermissions": {}, "ipProtocol": "tcp", "fromPort": 1, "toPort": 2,
            "sourceSecurityGroupName": "web", "sourceSecurityGroupOwnerId": "111122223333"});
        let rule = json!({"IsEgress": false, "IpProtocol": "tcp", "FromPort": 1, "ToPort": 2,
            "ReferencedGroupInfo": {"GroupId": HIDDEN, "UserId": "111122223333"}});
        assert_eq!(told(call(INGRESS, &flat, &Value::Null)), part(&json!([rule])));
        let answered = json!({"securityGroupRuleSet": {"items": [{"groupId": "sg-1", "isEgress": "true", "ipProtocol": "icmp", "fromPort": "x",
            "referencedGroupInfo": {"groupId": "sg-2", "userId": "444455556666", "vpcId": "vpc-1"}}]}});
        let rule = json!({"IsEgress": true, "IpProtocol": "icmp", "FromPort": HIDDEN,
            "ReferencedGroupInfo": {"GroupId": "sg-2", "UserId": "444455556666"}});
        assert_eq!(told(call(INGRESS, &Value::Null, &answered)), part(&json!([rule])));
    }

    #[test]
    fn rewritten_rules_tell_all_but_their_direction() {
        let update =
            |id: &str, rule: Value| json!({"SecurityGroupRuleId": id, "tag": 1, "SecurityGroupRule": rule});
        let rule = |id: &str, source: Value| {
            let mut rule = json!({"SecurityGroupRuleId": id, "IsEgress": HIDDEN, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443});
            rule.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
            rule
        };
        let one = update(
            "sgr-1",
            json!({"CidrIpv4": "0.0.0.0/0", "FromPort": 443, "ToPort": 443, "IpProtocol": "tcp", "Description": true}),
        );
        let two = update(
            "sgr-2",
            json!({"ReferencedGroupId": "sg-2", "FromPort": "443", "ToPort": "443", "IpProtocol": 6}),
        );
        let first = rule("sgr-1", json!({"CidrIpv4": "0.0.0.0/0"}));
        let second = rule("sgr-2", json!({"ReferencedGroupInfo": {"GroupId": "sg-2"}}));
        let request = |rules: Value| json!({"ModifySecurityGroupRulesRequest": {"SecurityGroupRule": rules, "GroupId": "sg-1"}});
        let response = json!({"ModifySecurityGroupRulesResponse": {"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", "return": true}});
        let api = Api::ModifySecurityGroupRules;
        assert_eq!(told(call(api, &request(one.clone()), &response)), part(&json!([first])));
        assert_eq!(told(call(api, &request(json!([one, two])), &response)), part(&json!([first, second])));
        let touched = json!([{ "Touched": arn("security-group/sg-1") }]);
        assert_eq!(told(call(api, &request(json!("")), &response)), touched);
        assert_eq!(told(call(api, &request(json!(HIDDEN)), &response)), touched);
    }
}
