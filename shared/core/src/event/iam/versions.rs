//! Managed policies and their versions, as `GetAccountAuthorizationDetails` prints them.

use super::super::effect::{part, state};
use super::super::policy;
use super::{Call, Created};
use crate::change::Observed;
use crate::document::{Field, Shape};
use crate::ids::Arn;
use crate::resource::{ResourceId, ResourceType};

impl Call<'_> {
    pub(super) fn created_policy(&self) -> Option<Observed> {
        let created = self.answer.policy.known();
        let shown = |member: fn(&Created<'_>) -> Field<String>| created.map_or(Field::Absent, member);
        let name = shown(|policy| policy.policy_name.clone()).or(self.asked.policy_name.clone());
        let path =
            shown(|policy| policy.path.clone()).or(self.asked.path.clone()).or_if_absent("/".to_owned());
        let arn: Arn = match shown(|policy| policy.arn.clone()).text() {
            Some(arn) => arn.parse().ok()?,
            None => self.iam(&format!("policy{}{}", path.text()?, name.text()?))?,
        };
        let version = shown(|policy| policy.default_version_id.clone()).or(Field::Known("v1".to_owned()));
        let versions = vec![self.content(version.clone(), Field::Known(true))];
        let shape = Shape::default()
            .with("Arn", Field::Known(&arn))
            .with("Path", path)
            .with("PolicyName", name)
            .with("DefaultVersionId", version)
            .with("PolicyVersionList", Field::Known(versions));
        Some(self.tagged(state(ResourceId { kind: ResourceType::ManagedPolicy, arn }, &shape)))
    }

    /// The answer tells the version's number, and the request alone its content.
    pub(super) fn version(&self) -> Option<Observed> {
        let id = self.policy()?;
        let made = self.answer.policy_version.known();
        let number = made.map_or(Field::Absent, |made| made.version_id.clone());
        let asked = self.asked.set_as_default.or(Field::Known(false));
        let default = made.map_or(Field::Absent, |made| made.is_default_version).or(asked);
        let in_force = match default {
            Field::Known(true) => number.clone(),
            Field::Known(false) | Field::Hidden | Field::Absent => Field::Absent,
        };
        let shape = Shape::default()
            .with("Arn", Field::Known(&id.arn))
            .with("DefaultVersionId", in_force)
            .with("PolicyVersionList", Field::Known(vec![self.content(number, default)]));
        Some(part(id, &shape))
    }

    fn content(&self, number: Field<String>, default: Field<bool>) -> Shape {
        Shape::default()
            .with("VersionId", number)
            .with("IsDefaultVersion", default)
            .with("Document", policy::object(self.asked.policy_document).or(Field::Hidden))
    }

    pub(super) fn policy(&self) -> Option<ResourceId> {
        let arn = self.asked.policy_arn.text()?.parse().ok()?;
        Some(ResourceId { kind: ResourceType::ManagedPolicy, arn })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::effect::testing::{place, raw, told};
    use super::super::effect;
    use crate::change::Api;

    fn call(api: Api, request: &Value, response: &Value) -> Value {
        told(effect(api, &place("us-east-1"), raw(request).as_deref(), raw(response).as_deref()))
    }

    const POLICY: &str = "arn:aws:iam::111122223333:policy/team/deploy";

    #[test]
    fn a_policy_is_known_by_its_versions() {
        let document = r#"{"Statement": [] }"#;
        let version = |number: &str, default: bool| json!([{"VersionId": number, "IsDefaultVersion": default, "Document": {"Statement": []}}]);
        let created = json!({"policy": {"arn": POLICY, "path": "/team/", "policyName": "deploy", "defaultVersionId": "v1",
            "attachmentCount": 0}});
        let whole = json!([{"State": POLICY, "Arn": POLICY, "Path": "/team/", "PolicyName": "deploy", "DefaultVersionId": "v1",
            "PolicyVersionList": version("v1", true)}]);
        let request = json!({"policyName": "deploy", "policyDocument": document});
        assert_eq!(call(Api::CreatePolicy, &request, &created), whole);
        let mut with_path = request.clone();
        with_path["path"] = json!("/team/");
        assert_eq!(call(Api::CreatePolicy, &with_path, &Value::Null), whole);
        let unanswered = call(Api::CreatePolicy, &request, &json!({"omitted": true}));
        assert_eq!(unanswered[0]["State"], "arn:aws:iam::111122223333:policy/deploy");
        assert_eq!(call(Api::CreatePolicy, &Value::Null, &Value::Null), "unnamed");

        let made = |default: bool| json!({"policyVersion": {"versionId": "v2", "isDefaultVersion": default}});
        let asked = |default: Value| json!({"policyArn": POLICY, "policyDocument": document, "setAsDefault": default});
        let part = |default: bool| json!([{"Part": POLICY, "Arn": POLICY, "PolicyVersionList": version("v2", default)}]);
        let mut in_force = part(true);
        in_force[0]["DefaultVersionId"] = json!("v2");
        assert_eq!(call(Api::CreatePolicyVersion, &asked(json!(true)), &made(true)), in_force);
        assert_eq!(call(Api::CreatePolicyVersion, &asked(Value::Null), &made(false)), part(false));
        let unanswered = call(Api::CreatePolicyVersion, &asked(json!(true)), &Value::Null);
        let unnumbered = json!([{"IsDefaultVersion": true, "Document": {"Statement": []}}]);
        assert_eq!(unanswered[0]["PolicyVersionList"], unnumbered);
        let request = json!({"policyArn": POLICY, "versionId": "v2"});
        for api in [Api::SetDefaultPolicyVersion, Api::DeletePolicyVersion] {
            assert_eq!(call(api, &request, &Value::Null), json!([{ "Touched": POLICY }]));
        }
        assert_eq!(call(Api::DeletePolicy, &request, &Value::Null), json!([{ "Gone": POLICY }]));
    }
}
