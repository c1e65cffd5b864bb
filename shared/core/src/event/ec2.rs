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
    let request = call.set();
    Ok(Effect { request, observed: call.observed().ok_or(Nothing::Unnamed)?, retagged: None })
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

    /// The members that the call set, as the observed document calls them.
    fn set(&self) -> Request {
        match self.api {
            Api::CreateSecurityGroup
            | Api::CreateNetworkAcl
            | Api::DeleteSecurityGroup
            | Api::DeleteNetworkAcl => Request::Everything,
            Api::ModifyNetworkInterfaceAttribute if self.asked.group_set.is_absent() => members(&[]),
            Api::ModifyNetworkInterfaceAttribute => members(&["Groups"]),
            Api::ReplaceNetworkAclAssociation => members(&["Associations"]),
            Api::CreateNetworkAclEntry | Api::ReplaceNetworkAclEntry | Api::DeleteNetworkAclEntry => {
                members(&["Entries"])
            }
            _ => members(&["SecurityGroupRules"]),
        }
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

    use super::super::effect::testing::{place, raw, told};
    use super::*;

    fn call(api: Api, request: &Value, response: &Value) -> Result<Effect, Nothing> {
        effect(api, &place("eu-west-1"), raw(request).as_deref(), raw(response).as_deref())
    }

    const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
    const INGRESS: Api = Api::AuthorizeSecurityGroupIngress;

    fn arn(resource: &str) -> String {
        format!("arn:aws:ec2:eu-west-1:111122223333:{resource}")
    }

    fn ssh() -> Value {
        json!({"IsEgress": false, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0"})
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
}
