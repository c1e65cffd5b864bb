//! What the calls of ECR did, and what ECR and Inspector announce of images. What is observed has the shape of
//! `DescribeRepositories`, `DescribeImages` and `GetRegistryScanningConfiguration`.
//!
//! A repository's policy and lifecycle policy are described by calls of their own; here they are members of the
//! repository, under the names of those answers (`policyText`, `lifecyclePolicyText`) and as the objects that they are.
//! How often a repository is scanned is its `scanFrequency`, as `BatchGetRepositoryScanningConfiguration` has it.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::effect::{Effect, Nothing, members, part, state};
use super::{Place, policy};
use crate::change::{Api, Observed, Request};
use crate::document::{Document, Field, Shape};
use crate::ids::{AccountId, Arn};
use crate::resource::{Resource, ResourceId, ResourceType, Retagged, Tag, keys};

mod native;

pub(super) use native::observed;

/// The members of requests, and of answers that echo them.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Given<'a> {
    registry_id: Field<String>,
    repository_name: Field<String>,
    resource_arn: Field<String>,
    image_tag: Field<String>,
    image_digest: Field<String>,
    #[serde(borrow)]
    image_tag_mutability: Field<&'a RawValue>,
    #[serde(borrow)]
    image_tag_mutability_exclusion_filters: Field<&'a RawValue>,
    #[serde(borrow)]
    image_scanning_configuration: Field<&'a RawValue>,
    #[serde(borrow)]
    policy_text: Field<&'a RawValue>,
    #[serde(borrow)]
    lifecycle_policy_text: Field<&'a RawValue>,
    tags: Field<Vec<Tag>>,
    tag_keys: Field<Vec<String>>,
    /// Of answers alone.
    #[serde(borrow)]
    repository: Field<&'a RawValue>,
    #[serde(borrow)]
    image: Field<&'a RawValue>,
    #[serde(borrow)]
    image_id: Field<&'a RawValue>,
    #[serde(borrow)]
    registry_scanning_configuration: Field<&'a RawValue>,
}

impl<'a> Given<'a> {
    fn read(json: Field<&'a RawValue>) -> Self {
        json.and_then(Field::read).into_known().unwrap_or_default()
    }

    fn of(json: Option<&'a RawValue>) -> Self {
        Self::read(json.map_or(Field::Absent, Field::read))
    }
}

/// Reads what a successful call did.
pub(super) fn effect(
    api: Api,
    place: &Place,
    request: Option<&RawValue>,
    response: Option<&RawValue>,
) -> Result<Effect, Nothing> {
    let call = Call { api, place, asked: Given::of(request), answer: Given::of(response) };
    let observed = call.observed().ok_or(Nothing::Unnamed)?;
    Ok(Effect { request: set(api), observed: vec![observed], retagged: call.retagged() })
}

/// The members that a call sets, as the observed document calls them.
fn set(api: Api) -> Request {
    match api {
        Api::PutImageScanningConfiguration => members(&["imageScanningConfiguration"]),
        Api::PutImageTagMutability => members(&["imageTagMutability", "imageTagMutabilityExclusionFilters"]),
        Api::SetRepositoryPolicy | Api::DeleteRepositoryPolicy => members(&["policyText"]),
        Api::PutLifecyclePolicy | Api::DeleteLifecyclePolicy => members(&["lifecyclePolicyText"]),
        Api::TagRepository | Api::UntagRepository => members(&["tags"]),
        _ => Request::Everything,
    }
}

struct Call<'a> {
    api: Api,
    place: &'a Place,
    asked: Given<'a>,
    answer: Given<'a>,
}

impl Call<'_> {
    fn observed(&self) -> Option<Observed> {
        let (asked, answer) = (&self.asked, &self.answer);
        Some(match self.api {
            Api::CreateRepository => self.created()?,
            Api::DeleteRepository => {
                let deleted = Given::read(answer.repository);
                Observed::Gone(self.repository(&deleted)?)
            }
            Api::PutImageScanningConfiguration => {
                let scanning = answer.image_scanning_configuration.or(asked.image_scanning_configuration);
                self.with(|shape| shape.with("imageScanningConfiguration", scanning))?
            }
            Api::PutImageTagMutability => {
                let mutability = answer.image_tag_mutability.or(asked.image_tag_mutability);
                let filters = answer
                    .image_tag_mutability_exclusion_filters
                    .or(asked.image_tag_mutability_exclusion_filters);
                self.with(|shape| {
                    shape
                        .with("imageTagMutability", mutability)
                        .with("imageTagMutabilityExclusionFilters", filters)
                })?
            }
            Api::SetRepositoryPolicy => {
                let text = policy::object(answer.policy_text.or(asked.policy_text).or(Field::Hidden));
                self.with(|shape| shape.with("policyText", text))?
            }
            Api::PutLifecyclePolicy => {
                let text = answer.lifecycle_policy_text.or(asked.lifecycle_policy_text).or(Field::Hidden);
                self.with(|shape| shape.with("lifecyclePolicyText", policy::object(text)))?
            }
            Api::PutRegistryScanningConfiguration => self.registry()?,
            Api::PutImage => self.image()?,
            Api::TagRepository | Api::UntagRepository => {
                let arn: Arn = asked.resource_arn.text()?.parse().ok()?;
                let tagged = arn.service() == "ecr" && arn.resource().starts_with("repository/");
                Observed::Touched(tagged.then_some(ResourceId { kind: ResourceType::Repository, arn })?)
            }
            _ => Observed::Touched(self.repository(answer)?),
        })
    }

    /// The repository that the call was made to, as the answer tells it or else the request. A registry that is named
    /// is the account that the repository lives in.
    fn repository(&self, answer: &Given<'_>) -> Option<ResourceId> {
        let name =
            [&answer.repository_name, &self.asked.repository_name].into_iter().find_map(Field::text)?;
        let registry = [&answer.registry_id, &self.asked.registry_id].into_iter().find_map(Field::text);
        Some(ResourceId { kind: ResourceType::Repository, arn: repository(self.place, registry, name)? })
    }

    /// A part of the repository: its names, and what was set.
    fn with(&self, set: impl FnOnce(Shape) -> Shape) -> Option<Observed> {
        let id = self.repository(&self.answer)?;
        let names = Shape::default()
            .with("repositoryArn", Field::Known(&id.arn))
            .with("registryId", Field::Known(id.arn.account()))
            .with("repositoryName", Field::Known(id.arn.name()));
        let shape = set(names);
        Some(part(id, &shape))
    }

    fn created(&self) -> Option<Observed> {
        let id = self.repository(&Given::read(self.answer.repository))?;
        let made = self.answer.repository.known().map(|json| Document::new(json));
        Some(match made.and_then(|document| Resource::read(id.clone(), document)) {
            // A new repository has the tags that the request gave it, and no policies yet.
            Some(resource) => Observed::State(Box::new(Resource {
                whole: true,
                ..resource.with_tags_beside(keys(&self.asked.tags))
            })),
            None => Observed::Touched(id),
        })
    }

    /// What a change of tags did, as far as its request shows it.
    fn retagged(&self) -> Option<Retagged> {
        match self.api {
            Api::TagRepository => keys(&self.asked.tags).into_known().map(Retagged::Added),
            Api::UntagRepository => self.asked.tag_keys.known().cloned().map(Retagged::Removed),
            _ => None,
        }
    }

    /// The call replaces all rules. An account has one registry in a Region.
    fn registry(&self) -> Option<Observed> {
        let arn = ecr(self.place, None, "registry")?;
        let id = ResourceId { kind: ResourceType::Registry, arn };
        let Field::Known(scanning) = self.answer.registry_scanning_configuration else {
            return Some(Observed::Touched(id));
        };
        let shape = Shape::default()
            .with("registryId", Field::Known(self.place.account.as_str()))
            .with("scanningConfiguration", Field::Known(scanning));
        Some(state(id, &shape))
    }

    /// The image that was put; where nothing tells its digest, that its repository was touched.
    fn image(&self) -> Option<Observed> {
        let image = Given::read(self.answer.image);
        let id = Given::read(image.image_id);
        let repository = self.repository(&image)?;
        let digest = id.image_digest.or(self.asked.image_digest.clone());
        let tags = id.image_tag.or(self.asked.image_tag.clone()).map(|tag| vec![tag]);
        match digest.text() {
            Some(digest) => shown_image(&repository.arn, digest, tags, part, |shape| shape),
            None => Some(Observed::Touched(repository)),
        }
    }
}

fn ecr(place: &Place, registry: Option<&str>, resource: &str) -> Option<Arn> {
    let account: AccountId = match registry {
        Some(registry) => registry.parse().ok()?,
        None => place.account.clone(),
    };
    Arn::regional("ecr", &account, &place.region, resource).ok()
}

fn repository(place: &Place, registry: Option<&str>, name: &str) -> Option<Arn> {
    ecr(place, registry, &format!("repository/{name}"))
}

/// An image of a repository, as `DescribeImages` prints it.
fn shown_image(
    repository: &Arn,
    digest: &str,
    tags: Field<Vec<String>>,
    shown: fn(ResourceId, &Shape) -> Observed,
    more: impl FnOnce(Shape) -> Shape,
) -> Option<Observed> {
    let arn = format!("{repository}/{digest}").parse().ok()?;
    let shape = Shape::default()
        .with("registryId", Field::Known(repository.account()))
        .with("repositoryName", Field::Known(repository.name()))
        .with("imageDigest", Field::Known(digest))
        .with("imageTags", tags);
    Some(shown(ResourceId { kind: ResourceType::Image, arn }, &more(shape)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::effect::testing::{place, raw, set, told};
    use super::*;

    fn call(api: Api, request: &Value, response: &Value) -> Result<Effect, Nothing> {
        effect(api, &place("eu-west-1"), raw(request).as_deref(), raw(response).as_deref())
    }

    const REPOSITORY: &str = "arn:aws:ecr:eu-west-1:111122223333:repository/shop/web";
    const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

    fn part(set: Value) -> Value {
        let mut part = json!({"Part": REPOSITORY, "repositoryArn": REPOSITORY, "registryId": "111122223333", "repositoryName": "shop/web"});
        part.as_object_mut().unwrap().extend(set.as_object().unwrap().clone());
        json!([part])
    }

    #[test]
    fn a_setting_is_what_the_answer_says_or_else_the_request() {
        let (text, policy) = (r#"{ "Statement" : [ ] }"#, json!({"Statement": []}));
        #[rustfmt::skip]
        let rows = [
            (Api::PutImageScanningConfiguration, json!({"imageScanningConfiguration": {"scanOnPush": true}}),
             json!({"imageScanningConfiguration": {"scanOnPush": true}}), vec!["imageScanningConfiguration"]),
            (Api::PutImageTagMutability, json!({"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": [{"filter": "latest*"}]}),
             json!({"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": [{"filter": "latest*"}]}),
             vec!["imageTagMutability", "imageTagMutabilityExclusionFilters"]),
            (Api::SetRepositoryPolicy, json!({"policyText": text}), json!({"policyText": policy}), vec!["policyText"]),
            (Api::SetRepositoryPolicy, json!({"policyText": "{"}), json!({"policyText": HIDDEN}), vec!["policyText"]),
            (Api::SetRepositoryPolicy, json!({}), json!({"policyText": HIDDEN}), vec!["policyText"]),
            (Api::PutLifecyclePolicy, json!({"lifecyclePolicyText": text}), json!({"lifecyclePolicyText": policy}), vec!["lifecyclePolicyText"]),
        ];
        for (api, given, expected, members) in rows {
            let mut names = json!({"repositoryName": "shop/web", "registryId": "111122223333"});
            let asked = json!({"repositoryName": "shop/web"});
            let request = |mut names: Value| {
                names.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
                names
            };
            assert_eq!(told(call(api, &asked, &request(names.clone()))), part(expected.clone()), "{api}");
            assert_eq!(told(call(api, &request(asked.clone()), &Value::Null)), part(expected), "{api}");
            assert_eq!(set(call(api, &request(asked), &Value::Null)), members);
            // Another account's registry is where the repository lives.
            names["registryId"] = json!("999900001111");
            let foreign = told(call(api, &request(names), &Value::Null));
            assert_eq!(foreign[0]["Part"], "arn:aws:ecr:eu-west-1:999900001111:repository/shop/web");
        }
        for api in [Api::DeleteRepositoryPolicy, Api::DeleteLifecyclePolicy] {
            // The answer is the policy that was deleted.
            let answer =
                json!({"repositoryName": "shop/web", "policyText": text, "lifecyclePolicyText": text});
            assert_eq!(told(call(api, &answer, &answer)), json!([{ "Touched": REPOSITORY }]));
            for unseen in [Value::Null, json!({"omitted": true}), json!({"repositoryName": HIDDEN})] {
                assert_eq!(told(call(api, &unseen, &Value::Null)), "unnamed", "{unseen}");
            }
        }
    }

    #[test]
    fn a_repository_comes_whole_is_tagged_and_goes() {
        let repository = json!({"repositoryArn": REPOSITORY, "registryId": "111122223333", "repositoryName": "shop/web",
            "imageTagMutability": "MUTABLE", "imageScanningConfiguration": {"scanOnPush": false}, "newerMember": [1.50]});
        let request = json!({"repositoryName": "shop/web", "tags": [{"Key": "team", "Value": "shop"}]});
        let answer = json!({ "repository": repository });
        let mut whole = json!({ "State": REPOSITORY });
        whole.as_object_mut().unwrap().extend(repository.as_object().unwrap().clone());
        let effect = call(Api::CreateRepository, &request, &answer);
        let made = effect.as_ref().unwrap().observed.first();
        let Some(Observed::State(made)) = made else { panic!("{made:?}") };
        assert!(made.whole);
        assert_eq!(made.tags, Field::Known(vec!["team".to_owned()]));
        assert_eq!(told(effect), json!([whole]));
        let touched = json!([{ "Touched": REPOSITORY }]);
        assert_eq!(told(call(Api::CreateRepository, &request, &json!({"omitted": true}))), touched);
        assert_eq!(told(call(Api::DeleteRepository, &request, &answer)), json!([{ "Gone": REPOSITORY }]));
        let tags = json!({"resourceArn": REPOSITORY, "tags": [{"Key": "team", "Value": "shop"}], "tagKeys": ["owner"]});
        for (api, retagged) in [
            (Api::TagRepository, Retagged::Added(vec!["team".to_owned()])),
            (Api::UntagRepository, Retagged::Removed(vec!["owner".to_owned()])),
        ] {
            assert_eq!(told(call(api, &json!({"resourceArn": REPOSITORY}), &Value::Null)), touched);
            assert_eq!(call(api, &tags, &Value::Null).unwrap().retagged, Some(retagged));
            let other = json!({"resourceArn": "arn:aws:ecs:eu-west-1:111122223333:cluster/shop"});
            assert_eq!(told(call(api, &other, &Value::Null)), "unnamed");
        }
    }

    #[test]
    fn a_registry_is_known_by_all_of_its_rules() {
        let scanning = json!({"scanType": "ENHANCED", "rules": [{"scanFrequency": "CONTINUOUS_SCAN"}]});
        let arn = "arn:aws:ecr:eu-west-1:111122223333:registry";
        let api = Api::PutRegistryScanningConfiguration;
        let answer = json!({ "registryScanningConfiguration": scanning });
        let whole = json!([{"State": arn, "registryId": "111122223333", "scanningConfiguration": scanning}]);
        assert_eq!(told(call(api, &Value::Null, &answer)), whole);
        assert_eq!(told(call(api, &scanning, &Value::Null)), json!([{ "Touched": arn }]));
    }

    #[test]
    fn an_image_is_known_by_its_digest() {
        let arn = format!("{REPOSITORY}/sha256:ab");
        let image = json!([{"Part": arn, "registryId": "111122223333", "repositoryName": "shop/web",
            "imageDigest": "sha256:ab", "imageTags": ["7"]}]);
        let request = json!({"repositoryName": "shop/web", "imageTag": "7", "imageManifest": "{}"});
        let answer = json!({"image": {"repositoryName": "shop/web", "registryId": "111122223333", "imageManifest": "{}",
            "imageId": {"imageDigest": "sha256:ab", "imageTag": "7"}}});
        assert_eq!(told(call(Api::PutImage, &request, &answer)), image);
        let mut with_digest = request.clone();
        with_digest["imageDigest"] = json!("sha256:ab");
        assert_eq!(told(call(Api::PutImage, &with_digest, &Value::Null)), image);
        assert_eq!(told(call(Api::PutImage, &request, &Value::Null)), json!([{ "Touched": REPOSITORY }]));
    }
}
