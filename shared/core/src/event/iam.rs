//! What the calls of IAM did. What is observed has the shape of `GetAccountAuthorizationDetails`, with policies as the
//! objects that they are, and of `GetAccountPasswordPolicy`.
//!
//! Requests hold what was set and nothing else, and most answers are empty: of a role, user, group or policy they show
//! a part. What is taken away shows nothing of what is left.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::effect::{Effect, Nothing, members, part, state};
use super::{Place, policy};
use crate::change::{Api, Observed, Request};
use crate::document::{Field, Shape};
use crate::ids::Arn;
use crate::resource::{ResourceId, ResourceType, Tag, keys};

mod password;
mod versions;

/// The members of requests.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Asked<'a> {
    role_name: Field<String>,
    user_name: Field<String>,
    group_name: Field<String>,
    path: Field<String>,
    policy_name: Field<String>,
    policy_arn: Field<String>,
    #[serde(borrow)]
    policy_document: Field<&'a RawValue>,
    #[serde(borrow)]
    assume_role_policy_document: Field<&'a RawValue>,
    permissions_boundary: Field<String>,
    set_as_default: Field<bool>,
    tags: Field<Vec<Tag>>,
}

/// The members of answers.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow)]
    role: Field<Created<'a>>,
    #[serde(borrow)]
    policy: Field<Created<'a>>,
    policy_version: Field<Version>,
}

/// What a call made: a role or a policy.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Created<'a> {
    arn: Field<String>,
    path: Field<String>,
    role_name: Field<String>,
    #[serde(borrow)]
    assume_role_policy_document: Field<&'a RawValue>,
    permissions_boundary: Field<Boundary>,
    policy_name: Field<String>,
    default_version_id: Field<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Boundary {
    permissions_boundary_arn: Field<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Version {
    version_id: Field<String>,
    is_default_version: Field<bool>,
}

/// Reads what a successful call did.
pub(super) fn effect(
    api: Api,
    place: &Place,
    request: Option<&RawValue>,
    response: Option<&RawValue>,
) -> Result<Effect, Nothing> {
    let asked: Field<Asked<'_>> = request.map_or(Field::Absent, Field::read);
    let answer: Field<Answer<'_>> = response.map_or(Field::Absent, Field::read);
    let call = Call {
        api,
        place,
        asked: asked.into_known().unwrap_or_default(),
        answer: answer.into_known().unwrap_or_default(),
    };
    let observed = match api {
        Api::UpdateAccountPasswordPolicy | Api::DeleteAccountPasswordPolicy => call.password_policy(request),
        _ => call.observed(),
    };
    Ok(Effect { request: call.set(), observed: vec![observed.ok_or(Nothing::Unnamed)?], retagged: None })
}

struct Call<'a> {
    api: Api,
    place: &'a Place,
    asked: Asked<'a>,
    answer: Answer<'a>,
}

impl Call<'_> {
    fn observed(&self) -> Option<Observed> {
        Some(match self.api {
            Api::CreateRole => self.role()?,
            Api::CreatePolicy => self.created_policy()?,
            Api::CreatePolicyVersion => self.version()?,
            Api::UpdateAssumeRolePolicy => {
                let trust = policy::object(self.asked.policy_document.or(Field::Hidden));
                self.owner_with(Shape::default().with("AssumeRolePolicyDocument", trust))?
            }
            Api::PutRolePolicy | Api::PutUserPolicy | Api::PutGroupPolicy => self.inline()?,
            Api::AttachRolePolicy | Api::AttachUserPolicy | Api::AttachGroupPolicy => self.attached()?,
            Api::PutRolePermissionsBoundary | Api::PutUserPermissionsBoundary => {
                let boundary = boundary(self.asked.permissions_boundary.clone());
                self.owner_with(Shape::default().with("PermissionsBoundary", boundary))?
            }
            Api::SetDefaultPolicyVersion | Api::DeletePolicyVersion => Observed::Touched(self.policy()?),
            Api::DeletePolicy => Observed::Gone(self.policy()?),
            Api::DeleteRole | Api::DeleteUser | Api::DeleteGroup => Observed::Gone(self.owner()?.0),
            _ => Observed::Touched(self.owner()?.0),
        })
    }

    /// The members that the call set, as the observed document calls them.
    fn set(&self) -> Request {
        match self.api {
            Api::UpdateAssumeRolePolicy => members(&["AssumeRolePolicyDocument"]),
            Api::PutRolePolicy | Api::DeleteRolePolicy => members(&["RolePolicyList"]),
            Api::PutUserPolicy | Api::DeleteUserPolicy => members(&["UserPolicyList"]),
            Api::PutGroupPolicy | Api::DeleteGroupPolicy => members(&["GroupPolicyList"]),
            Api::CreatePolicyVersion | Api::SetDefaultPolicyVersion | Api::DeletePolicyVersion => {
                members(&["DefaultVersionId", "PolicyVersionList"])
            }
            Api::PutRolePermissionsBoundary
            | Api::PutUserPermissionsBoundary
            | Api::DeleteRolePermissionsBoundary
            | Api::DeleteUserPermissionsBoundary => members(&["PermissionsBoundary"]),
            Api::AttachRolePolicy
            | Api::AttachUserPolicy
            | Api::AttachGroupPolicy
            | Api::DetachRolePolicy
            | Api::DetachUserPolicy
            | Api::DetachGroupPolicy => members(&["AttachedManagedPolicies"]),
            // What a password policy's request leaves out goes back to its default.
            _ => Request::Everything,
        }
    }

    fn iam(&self, resource: &str) -> Option<Arn> {
        Arn::iam(&self.place.account, &self.place.region, resource).ok()
    }

    /// The role, user or group that the request names, and that name as a member. Requests tell no path, so that none
    /// is part of the ids.
    fn owner(&self) -> Option<(ResourceId, Shape)> {
        let owners = [
            (ResourceType::Role, "role", "RoleName", &self.asked.role_name),
            (ResourceType::User, "user", "UserName", &self.asked.user_name),
            (ResourceType::Group, "group", "GroupName", &self.asked.group_name),
        ];
        let (kind, word, member, name) = owners.into_iter().find(|(.., name)| name.known().is_some())?;
        let arn = self.iam(&format!("{word}/{}", name.text()?))?;
        Some((ResourceId { kind, arn }, Shape::default().with(member, name.clone())))
    }

    fn owner_with(&self, shown: Shape) -> Option<Observed> {
        let (id, name) = self.owner()?;
        Some(part(id, &name.and(shown)))
    }

    /// A new role has no policies but its trust.
    fn role(&self) -> Option<Observed> {
        let created = self.answer.role.known();
        let shown = |member: fn(&Created<'_>) -> Field<String>| created.map_or(Field::Absent, member);
        let name = shown(|role| role.role_name.clone()).or(self.asked.role_name.clone());
        let arn = shown(|role| role.arn.clone());
        let resource = format!("role/{}", name.text()?);
        let arn_without_path = match arn.text().and_then(|text| text.parse::<Arn>().ok()) {
            Some(arn) => format!("arn:{}:iam::{}:{resource}", arn.partition(), arn.account()).parse().ok()?,
            None => self.iam(&resource)?,
        };
        let trust = created.map_or(Field::Absent, |role| policy::object(role.assume_role_policy_document));
        let trust = trust.or(policy::object(self.asked.assume_role_policy_document)).or(Field::Hidden);
        let bound = created.map_or(Field::Absent, |role| match &role.permissions_boundary {
            Field::Known(bound) => bound.permissions_boundary_arn.clone(),
            Field::Hidden => Field::Hidden,
            Field::Absent => Field::Absent,
        });
        let shape = Shape::default()
            .with("Arn", arn)
            .with("Path", shown(|role| role.path.clone()).or(self.asked.path.clone()))
            .with("RoleName", name)
            .with("AssumeRolePolicyDocument", trust)
            .with("RolePolicyList", Field::Known(Vec::<Shape>::new()))
            .with("AttachedManagedPolicies", Field::Known(Vec::<Shape>::new()))
            .with("PermissionsBoundary", boundary(bound.or(self.asked.permissions_boundary.clone())));
        let id = ResourceId { kind: ResourceType::Role, arn: arn_without_path };
        Some(self.tagged(state(id, &shape)))
    }

    fn inline(&self) -> Option<Observed> {
        let list = match self.api {
            Api::PutUserPolicy => "UserPolicyList",
            Api::PutGroupPolicy => "GroupPolicyList",
            _ => "RolePolicyList",
        };
        let inline = Shape::default()
            .with("PolicyName", self.asked.policy_name.clone())
            .with("PolicyDocument", policy::object(self.asked.policy_document).or(Field::Hidden));
        self.owner_with(Shape::default().with(list, Field::Known(vec![inline])))
    }

    fn attached(&self) -> Option<Observed> {
        let arn = self.asked.policy_arn.clone();
        let name = arn.clone().map(|arn| arn.rsplit('/').next().unwrap_or_default().to_owned());
        let attached = Shape::default().with("PolicyName", name).with("PolicyArn", arn);
        self.owner_with(Shape::default().with("AttachedManagedPolicies", Field::Known(vec![attached])))
    }

    /// A new resource has the tags that the request gave it.
    fn tagged(&self, observed: Observed) -> Observed {
        match observed {
            Observed::State(resource) => {
                Observed::State(Box::new(resource.with_tags_beside(keys(&self.asked.tags))))
            }
            other => other,
        }
    }
}

fn boundary(arn: Field<String>) -> Field<Shape> {
    arn.map(|arn| {
        Shape::default()
            .with("PermissionsBoundaryType", Field::Known("PermissionsBoundaryPolicy"))
            .with("PermissionsBoundaryArn", Field::Known(arn))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::effect::testing::{place, raw, set, told};
    use super::*;

    fn call(api: Api, request: &Value, response: &Value) -> Result<Effect, Nothing> {
        effect(api, &place("us-east-1"), raw(request).as_deref(), raw(response).as_deref())
    }

    const ROLE: &str = "arn:aws:iam::111122223333:role/task";
    const POLICY: &str = "arn:aws:iam::111122223333:policy/team/deploy";
    const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
    const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

    #[test]
    fn a_new_role_is_known_whole_and_by_its_name_alone() {
        let trust = r#"{"Statement":[]}"#;
        let request = json!({"path": "/ecs/", "roleName": "task", "assumeRolePolicyDocument": trust,
            "permissionsBoundary": POLICY, "tags": [{"key": "team", "value": "shop"}]});
        let arn = "arn:aws:iam::111122223333:role/ecs/task";
        let whole = json!([{"State": ROLE, "Arn": arn, "Path": "/ecs/", "RoleName": "task",
            "AssumeRolePolicyDocument": {"Statement": []}, "RolePolicyList": [], "AttachedManagedPolicies": [],
            "PermissionsBoundary": {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": POLICY}}]);
        // What the answer hides, the request may show.
        for trust in ["%7B%22Statement%22%3A%5B%5D%7D", trust, "", HIDDEN, "{"] {
            let role = json!({"role": {"path": "/ecs/", "roleName": "task", "roleId": "AROAEXAMPLE", "arn": arn,
                "assumeRolePolicyDocument": trust, "createDate": "Nov 3, 2026, 9:35:02 AM"}});
            assert_eq!(told(call(Api::CreateRole, &request, &role)), whole, "{trust}");
        }
        let made = call(Api::CreateRole, &request, &Value::Null).unwrap().observed.remove(0);
        let Observed::State(made) = made else { panic!("{made:?}") };
        assert_eq!((made.id.arn.as_str(), &made.tags), (ROLE, &Field::Known(vec!["team".to_owned()])));
        let unshown = told(call(Api::CreateRole, &json!({"roleName": "task"}), &Value::Null));
        assert_eq!(unshown[0]["AssumeRolePolicyDocument"], HIDDEN);
    }

    #[test]
    fn what_is_set_is_a_part_and_what_is_taken_away_a_touch() {
        let (user, group) = ("arn:aws:iam::111122223333:user/jo", "arn:aws:iam::111122223333:group/ops");
        let (of_role, of_user, of_group) =
            (json!({"roleName": "task"}), json!({"userName": "jo"}), json!({"groupName": "ops"}));
        let with = |owner: &Value, more: Value| {
            let mut request = owner.clone();
            request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            request
        };
        let document = r#"{"Statement": [] }"#;
        let inline = json!({"policyName": "p", "policyDocument": document});
        let broken = json!({"policyName": "p", "policyDocument": "{"});
        let list = |document: Value| json!([{"PolicyName": "p", "PolicyDocument": document}]);
        let (listed, hidden) = (list(json!({"Statement": []})), list(json!(HIDDEN)));
        let attached = json!([{"PolicyName": "AdministratorAccess", "PolicyArn": ADMIN}]);
        let attach = json!({"policyArn": ADMIN});
        let bound = json!({"permissionsBoundary": POLICY});
        let boundary =
            json!({"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": POLICY});
        let (role, none) = (json!({"Part": ROLE, "RoleName": "task"}), json!({}));
        let (jo, ops) = (json!({"Part": user, "UserName": "jo"}), json!({"Part": group, "GroupName": "ops"}));
        let touched = |arn: &str| json!({ "Touched": arn });
        let gone = |arn: &str| json!({ "Gone": arn });
        #[rustfmt::skip]
        let rows = [
            (Api::UpdateAssumeRolePolicy, &of_role, json!({"policyDocument": document}), "AssumeRolePolicyDocument",
             with(&role, json!({"AssumeRolePolicyDocument": {"Statement": []}}))),
            (Api::PutRolePolicy, &of_role, inline.clone(), "RolePolicyList", with(&role, json!({"RolePolicyList": listed}))),
            (Api::PutRolePolicy, &of_role, broken, "RolePolicyList", with(&role, json!({"RolePolicyList": hidden}))),
            (Api::PutRolePolicy, &of_role, json!({"policyName": "p"}), "RolePolicyList", with(&role, json!({"RolePolicyList": hidden}))),
            (Api::PutUserPolicy, &of_user, inline.clone(), "UserPolicyList", with(&jo, json!({"UserPolicyList": listed}))),
            (Api::PutGroupPolicy, &of_group, inline, "GroupPolicyList", with(&ops, json!({"GroupPolicyList": listed}))),
            (Api::AttachRolePolicy, &of_role, attach.clone(), "AttachedManagedPolicies", with(&role, json!({"AttachedManagedPolicies": attached}))),
            (Api::AttachUserPolicy, &of_user, attach.clone(), "AttachedManagedPolicies", with(&jo, json!({"AttachedManagedPolicies": attached}))),
            (Api::AttachGroupPolicy, &of_group, attach.clone(), "AttachedManagedPolicies", with(&ops, json!({"AttachedManagedPolicies": attached}))),
            (Api::PutRolePermissionsBoundary, &of_role, bound.clone(), "PermissionsBoundary", with(&role, json!({"PermissionsBoundary": boundary}))),
            (Api::PutUserPermissionsBoundary, &of_user, bound, "PermissionsBoundary", with(&jo, json!({"PermissionsBoundary": boundary}))),
            (Api::DeleteRolePermissionsBoundary, &of_role, none.clone(), "PermissionsBoundary", touched(ROLE)),
            (Api::DeleteUserPermissionsBoundary, &of_user, none.clone(), "PermissionsBoundary", touched(user)),
            (Api::DeleteRolePolicy, &of_role, json!({"policyName": "p"}), "RolePolicyList", touched(ROLE)),
            (Api::DeleteUserPolicy, &of_user, json!({"policyName": "p"}), "UserPolicyList", touched(user)),
            (Api::DeleteGroupPolicy, &of_group, json!({"policyName": "p"}), "GroupPolicyList", touched(group)),
            (Api::DetachRolePolicy, &of_role, attach.clone(), "AttachedManagedPolicies", touched(ROLE)),
            (Api::DetachUserPolicy, &of_user, attach.clone(), "AttachedManagedPolicies", touched(user)),
            (Api::DetachGroupPolicy, &of_group, attach, "AttachedManagedPolicies", touched(group)),
            (Api::DeleteRole, &of_role, none.clone(), "*", gone(ROLE)),
            (Api::DeleteUser, &of_user, none.clone(), "*", gone(user)),
            (Api::DeleteGroup, &of_group, none, "*", gone(group)),
        ];
        for (api, owner, more, member, expected) in rows {
            let request = with(owner, more);
            assert_eq!(told(call(api, &request, &Value::Null)), json!([expected]), "{api} {request}");
            assert_eq!(set(call(api, &request, &Value::Null)), [member], "{api}");
            let cut =
                json!({"reason": "requestParameters too large", "omitted": "true", "originalSize": "149893"});
            let named =
                [json!({"roleName": HIDDEN}), json!({"roleName": "a b"}), json!({"roleName": ["task"]})];
            for unseen in [cut, Value::Null, json!(""), json!(HIDDEN)].into_iter().chain(named) {
                assert_eq!(told(call(api, &unseen, &Value::Null)), "unnamed", "{api} {unseen}");
            }
        }
    }

    #[test]
    fn the_partition_comes_from_the_region_even_where_that_is_scrambled() {
        for (region, partition) in
            [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn"), ("ap-central-2r", "aws")]
        {
            let request = raw(&json!({"roleName": "task"}));
            let effect = effect(Api::DeleteRole, &place(region), request.as_deref(), None);
            let arn = format!("arn:{partition}:iam::111122223333:role/task");
            assert_eq!(told(effect), json!([{ "Gone": arn }]));
        }
    }
}
