//! What the calls of EC2 did to security groups, network ACLs and network interfaces. What is observed has the shape of
//! `DescribeSecurityGroupRules`, `DescribeNetworkAcls` and `DescribeNetworkInterfaces`, whatever dialect the event spoke.
//!
//! Rules of a security group only ever allow: one that is added is a part of the group. Entries of a network ACL count
//! in their order, and one alone tells nothing: that it was touched is all that is said.

use serde::Deserialize;
use serde_json::value::RawValue;

use self::acl::Acl;
use self::dialect::{Word, flag, list, parameters};
use super::Place;
use super::effect::{Effect, Nothing, members, part, state};
use crate::change::{Api, Observed, Request};
use crate::document::{Field, Shape};
use crate::ids::Arn;
use crate::resource::{ResourceId, ResourceType};

mod acl;
mod dialect;
mod group;

/// The members of requests.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Asked<'a> {
    #[serde(alias = "GroupId")]
    group_id: Field<Word>,
    #[serde(alias = "GroupName")]
    group_name: Field<Word>,
    #[serde(alias = "VpcId")]
    vpc_id: Field<Word>,
    #[serde(borrow, alias = "SecurityGroupRule")]
    security_group_rule: Field<&'a RawValue>,
    #[serde(alias = "NetworkAclId")]
    network_acl_id: Field<Word>,
    #[serde(alias = "NetworkInterfaceId")]
    network_interface_id: Field<Word>,
    #[serde(borrow, alias = "SecurityGroupId")]
    group_set: Field<&'a RawValue>,
}

/// The members of answers.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(alias = "_return")]
    r#return: Field<Word>,
    group_id: Field<Word>,
    #[serde(borrow)]
    security_group_rule_set: Field<&'a RawValue>,
    #[serde(borrow)]
    network_acl: Field<Acl<'a>>,
}

/// Reads what a successful call did.
pub(super) fn effect(
    api: Api,
    place: &Place,
    request: Option<&RawValue>,
    response: Option<&RawValue>,
) -> Result<Effect, Nothing> {
    let request = parameters(api.as_str(), "Request", request);
    let asked: Field<Asked<'_>> = request.and_then(Field::read);
    let answer: Field<Answer<'_>> = parameters(api.as_str(), "Response", response).and_then(Field::read);
    let call = Call {
        api,
        place,
        request,
        asked: asked.into_known().unwrap_or_default(),
        answer: answer.into_known().unwrap_or_default(),
    };
    if flag(&call.answer.r#return) == Field::Known(false) {
        return Err(Nothing::NoEffect);
    }
    let observed = call.observed().ok_or(Nothing::Unnamed)?;
    Ok(Effect { request: set(api), observed })
}

/// The members that a call sets, as the observed document calls them.
fn set(api: Api) -> Request {
    match api {
        Api::CreateSecurityGroup
        | Api::CreateNetworkAcl
        | Api::DeleteSecurityGroup
        | Api::DeleteNetworkAcl => Request::Everything,
        Api::ModifyNetworkInterfaceAttribute => members(&["Groups"]),
        Api::ReplaceNetworkAclAssociation => members(&["Associations"]),
        Api::CreateNetworkAclEntry | Api::ReplaceNetworkAclEntry | Api::DeleteNetworkAclEntry => {
            members(&["Entries"])
        }
        _ => members(&["SecurityGroupRules"]),
    }
}

struct Call<'a> {
    api: Api,
    place: &'a Place,
    request: Field<&'a RawValue>,
    asked: Asked<'a>,
    answer: Answer<'a>,
}

impl Call<'_> {
    fn observed(self) -> Option<Vec<Observed>> {
        Some(match self.api {
            Api::CreateSecurityGroup => vec![self.created_group()?],
            Api::AuthorizeSecurityGroupIngress => vec![self.authorized(false)?],
            Api::AuthorizeSecurityGroupEgress => vec![self.authorized(true)?],
            Api::ModifySecurityGroupRules => {
                let rules = group::modified(&self.asked.security_group_rule);
                vec![with_rules(self.group(&Field::Absent)?, rules)]
            }
            Api::RevokeSecurityGroupIngress | Api::RevokeSecurityGroupEgress => {
                vec![Observed::Touched(self.group(&Field::Absent)?)]
            }
            Api::DeleteSecurityGroup => vec![Observed::Gone(self.group(&self.answer.group_id)?)],
            Api::ModifyNetworkInterfaceAttribute => self.interface()?,
            Api::CreateNetworkAcl => vec![self.created_acl()?],
            Api::DeleteNetworkAcl => vec![Observed::Gone(self.acl(&self.asked.network_acl_id)?)],
            _ => vec![Observed::Touched(self.acl(&self.asked.network_acl_id)?)],
        })
    }

    fn ec2(&self, kind: ResourceType, word: &str, name: &Field<Word>) -> Option<ResourceId> {
        let name = name.known()?.text();
        let arn =
            Arn::regional("ec2", &self.place.account, &self.place.region, &format!("{word}/{name}")).ok()?;
        Some(ResourceId { kind, arn })
    }

    /// The group by its id; callers that use a default VPC may give its name alone.
    fn group(&self, answered: &Field<Word>) -> Option<ResourceId> {
        let names = [answered, &self.asked.group_id, &self.asked.group_name];
        let name = names.into_iter().find(|name| name.known().is_some())?;
        self.ec2(ResourceType::SecurityGroup, "security-group", name)
    }

    fn created_group(&self) -> Option<Observed> {
        let id = self.group(&self.answer.group_id)?;
        let shape = Shape::default()
            .with("GroupId", self.answer.group_id.clone())
            .with("GroupName", self.asked.group_name.clone())
            .with("VpcId", self.asked.vpc_id.clone())
            .with("SecurityGroupRules", Field::Known(group::initial()));
        // Without an id it can't be told from another group of that name.
        Some(if self.answer.group_id.known().is_some() { state(id, &shape) } else { Observed::Touched(id) })
    }

    /// What was added, as the answer shows it with its ids; answers before 2021 show nothing.
    fn authorized(&self, egress: bool) -> Option<Observed> {
        let (group, answered) = group::answered(&self.answer.security_group_rule_set, egress);
        let rules = if answered.is_empty() { group::requested(&self.request, egress) } else { answered };
        Some(with_rules(self.group(&group)?, rules))
    }

    /// The interface with the groups that it has from now on, and those groups, which are in use. Its other attributes
    /// are nobody's concern.
    fn interface(&self) -> Option<Vec<Observed>> {
        let interface = &self.asked.network_interface_id;
        let id = self.ec2(ResourceType::NetworkInterface, "network-interface", interface)?;
        let groups: Vec<Field<Word>> = list::<&RawValue>(&self.asked.group_set)
            .into_known()
            .into_iter()
            .flatten()
            .filter_map(Field::into_known)
            .map(group_id)
            .filter(|group| group.known().is_some())
            .collect();
        if groups.is_empty() {
            return Some(vec![Observed::Touched(id)]);
        }
        let listed = groups.iter().map(|group| Shape::default().with("GroupId", group.clone()));
        let shape = Shape::default()
            .with("NetworkInterfaceId", interface.clone())
            .with("Groups", Field::Known(listed.collect::<Vec<_>>()));
        let used = groups.iter().filter_map(|group| {
            self.ec2(ResourceType::SecurityGroup, "security-group", group).map(Observed::Touched)
        });
        Some([part(id, &shape)].into_iter().chain(used).collect())
    }

    fn acl(&self, name: &Field<Word>) -> Option<ResourceId> {
        self.ec2(ResourceType::NetworkAcl, "network-acl", name)
    }

    fn created_acl(self) -> Option<Observed> {
        let id = self.acl(&self.answer.network_acl.known()?.network_acl_id)?;
        Some(state(id, &self.answer.network_acl.into_known()?.shape()))
    }
}

/// A group with some of its rules; where they can't be read, that it was touched.
fn with_rules(id: ResourceId, rules: Vec<Shape>) -> Observed {
    if rules.is_empty() {
        return Observed::Touched(id);
    }
    let name = Field::Known(id.arn.name().to_owned());
    let member = if id.arn.name().starts_with("sg-") { "GroupId" } else { "GroupName" };
    part(id, &Shape::default().with(member, name).with("SecurityGroupRules", Field::Known(rules)))
}

/// A group in a list of groups: an id, or an object that holds it.
fn group_id(json: &RawValue) -> Field<Word> {
    #[derive(Deserialize, Default)]
    #[serde(default, rename_all = "camelCase")]
    struct Group {
        group_id: Field<Word>,
    }
    let group: Field<Group> = Field::read(json);
    group.and_then(|group| group.group_id).or(Field::read(json))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::effect::testing::{place, raw, set, told};
    use super::*;

    fn call(api: Api, request: &Value, response: &Value) -> Result<Effect, Nothing> {
        effect(api, &place("eu-west-1"), raw(request).as_deref(), raw(response).as_deref())
    }

    const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
    const INGRESS: Api = Api::AuthorizeSecurityGroupIngress;

    fn arn(resource: &str) -> String {
        format!("arn:aws:ec2:eu-west-1:111122223333:{resource}")
    }

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

    #[test]
    fn a_group_has_its_id_or_at_least_its_name() {
        let by_name = json!({"groupName": "web", "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "0.0.0.0/0"});
        let expected =
            json!([{"Part": arn("security-group/web"), "GroupName": "web", "SecurityGroupRules": [ssh()]}]);
        assert_eq!(told(call(INGRESS, &by_name, &json!({"_return": true}))), expected);
        let gone = |name: &str| json!([{ "Gone": arn(&format!("security-group/{name}")) }]);
        let answered = json!({"_return": true, "groupId": "sg-1"});
        assert_eq!(told(call(Api::DeleteSecurityGroup, &by_name, &answered)), gone("sg-1"));
        assert_eq!(told(call(Api::DeleteSecurityGroup, &by_name, &Value::Null)), gone("web"));
        for api in
            [INGRESS, Api::RevokeSecurityGroupEgress, Api::ModifySecurityGroupRules, Api::DeleteSecurityGroup]
        {
            for unseen in [
                Value::Null,
                json!({}),
                json!({"omitted": true}),
                json!({"groupId": HIDDEN}),
                json!({"groupId": "sg 1"}),
            ] {
                assert_eq!(told(call(api, &unseen, &Value::Null)), "unnamed", "{api} {unseen}");
            }
        }
    }

    #[test]
    fn a_call_that_returned_false_did_nothing() {
        let request = json!({"groupId": "sg-1"});
        for response in [
            json!({"_return": false}),
            json!({"_return": "false"}),
            json!({"RevokeSecurityGroupIngressResponse": {"return": false}}),
        ] {
            assert_eq!(told(call(Api::RevokeSecurityGroupIngress, &request, &response)), "no effect");
        }
        let told = told(call(Api::RevokeSecurityGroupIngress, &request, &json!({"_return": true})));
        assert_eq!(told, json!([{ "Touched": arn("security-group/sg-1") }]), "what is left is not shown");
    }

    #[test]
    fn a_new_group_lets_nothing_in_and_everything_out() {
        let request = json!({"groupName": "web", "groupDescription": "x", "vpcId": "vpc-1"});
        let rule = json!({"IsEgress": true, "IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv4": "0.0.0.0/0"});
        let whole = json!([{"State": arn("security-group/sg-1"), "GroupId": "sg-1", "GroupName": "web", "VpcId": "vpc-1",
            "SecurityGroupRules": [rule]}]);
        let response = json!({"_return": true, "groupId": "sg-1"});
        assert_eq!(told(call(Api::CreateSecurityGroup, &request, &response)), whole);
        let touched = json!([{ "Touched": arn("security-group/web") }]);
        assert_eq!(told(call(Api::CreateSecurityGroup, &request, &Value::Null)), touched);
    }

    #[test]
    fn an_interface_shows_its_groups_and_that_they_are_in_use() {
        let request = json!({"networkInterfaceId": "eni-1", "groupSet": {"items": [{"groupId": "sg-1"}, {"groupId": "sg-2"}]}});
        let wrapped = json!({"ModifyNetworkInterfaceAttributeRequest": {"NetworkInterfaceId": "eni-1",
            "SecurityGroupId": [{"tag": 1, "content": "sg-1"}, {"tag": 2, "content": "sg-2"}]}});
        let part = json!({"Part": arn("network-interface/eni-1"), "NetworkInterfaceId": "eni-1",
            "Groups": [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]});
        let expected =
            json!([part, {"Touched": arn("security-group/sg-1")}, {"Touched": arn("security-group/sg-2")}]);
        for request in [request, wrapped] {
            let effect = call(Api::ModifyNetworkInterfaceAttribute, &request, &json!({"_return": true}));
            assert_eq!(told(effect), expected, "{request}");
        }
        let other = json!({"networkInterfaceId": "eni-1", "sourceDestCheck": {"value": false}});
        let told = told(call(Api::ModifyNetworkInterfaceAttribute, &other, &Value::Null));
        assert_eq!(told, json!([{ "Touched": arn("network-interface/eni-1") }]));
    }

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
