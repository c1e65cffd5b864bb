//! What ECR and Inspector announce themselves: images that come, go and are scanned.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::Place;
use super::super::effect::{part, state};
use super::{repository, shown_image};
use crate::change::{Api, Observed};
use crate::document::{Field, Shape};
use crate::resource::{ResourceId, ResourceType};

/// The members of ECR's details, whose names have hyphens.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct Detail<'a> {
    result: Field<String>,
    action_type: Field<String>,
    repository_name: Field<String>,
    image_digest: Field<String>,
    image_tag: Field<String>,
    image_tags: Field<Vec<String>>,
    scan_status: Field<String>,
    #[serde(borrow)]
    finding_severity_counts: Field<&'a RawValue>,
    repositories: Field<Vec<Scanned>>,
}

/// A repository whose scanning has changed.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct Scanned {
    repository_name: Field<String>,
    scan_frequency: Field<String>,
}

/// What an event shows. Empty where it is about nothing that is watched.
pub(in super::super) fn observed(api: Api, place: &Place, detail: &RawValue) -> Vec<Observed> {
    if api == Api::InspectorFinding {
        let finding: Field<Finding> = Field::read(detail);
        return finding.into_known().map(|finding| finding.observed(place)).unwrap_or_default();
    }
    let detail: Detail<'_> = Field::read(detail).into_known().unwrap_or_default();
    match api {
        Api::EcrImageAction => detail.action(place).into_iter().collect(),
        Api::EcrImageScan => detail.scan(place).into_iter().collect(),
        _ => detail.repositories.items().iter().filter_map(|scanned| scanned.observed(place)).collect(),
    }
}

impl Detail<'_> {
    /// An image was pushed or deleted. What loses a tag may still be there under others.
    fn action(&self, place: &Place) -> Option<Observed> {
        if self.result.text().is_some_and(|result| result != "SUCCESS") {
            return None;
        }
        let repository = repository(place, None, self.repository_name.text()?)?;
        let tags = self.image_tag.clone().map(|tag| vec![tag]);
        let image = shown_image(&repository, self.image_digest.text()?, tags, part, |shape| shape)?;
        Some(match self.action_type.text()? {
            "PUSH" => image,
            "DELETE" if self.image_tag.is_absent() => Observed::Gone(image.id().clone()),
            _ => Observed::Touched(image.id().clone()),
        })
    }

    /// A scan tells all that is known of the image: severities that it does not name were not found.
    fn scan(&self, place: &Place) -> Option<Observed> {
        let repository = repository(place, None, self.repository_name.text()?)?;
        let status =
            self.scan_status.clone().map(|status| Shape::default().with("status", Field::Known(status)));
        let counts = self.finding_severity_counts.map(summary);
        shown_image(&repository, self.image_digest.text()?, self.image_tags.clone(), state, |shape| {
            shape.with("imageScanStatus", status).with("imageScanFindingsSummary", counts)
        })
    }
}

fn summary(counts: impl serde::Serialize) -> Shape {
    Shape::default().with("findingSeverityCounts", Field::Known(counts))
}

impl Scanned {
    fn observed(&self, place: &Place) -> Option<Observed> {
        let arn = repository(place, None, self.repository_name.text()?)?;
        let shape = Shape::default()
            .with("repositoryArn", Field::Known(&arn))
            .with("repositoryName", Field::Known(arn.name()))
            .with("scanFrequency", self.scan_frequency.clone());
        Some(part(ResourceId { kind: ResourceType::Repository, arn: arn.clone() }, &shape))
    }
}

/// One finding of Inspector.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Finding {
    severity: Field<String>,
    status: Field<String>,
    resources: Field<Vec<Affected>>,
}

/// What a finding is about: a host, a function, or an image.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Affected {
    details: Field<Details>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Details {
    aws_ecr_container_image: Field<Image>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Image {
    image_hash: Field<String>,
    image_tags: Field<Vec<String>>,
    registry: Field<String>,
    repository_name: Field<String>,
}

impl Finding {
    fn observed(&self, place: &Place) -> Vec<Observed> {
        let images = self.resources.items().iter();
        images.filter_map(|affected| self.image(place, affected)).collect()
    }

    /// An open finding is one of its severity, beside which there may be more. What was closed or suppressed leaves
    /// nothing to see but that the image is another.
    fn image(&self, place: &Place, affected: &Affected) -> Option<Observed> {
        let image = affected.details.known()?.aws_ecr_container_image.known()?;
        // A delegated administrator is told of its members' images too; their own copies are the ones that count.
        if image.registry.text().is_some_and(|registry| registry != place.account.as_str()) {
            return None;
        }
        let repository = repository(place, None, image.repository_name.text()?)?;
        let one = self.severity.clone().map(|severity| summary(BTreeMap::from([(severity, 1)])));
        let digest = image.image_hash.text()?;
        let shown = shown_image(&repository, digest, image.image_tags.clone(), part, |shape| {
            shape.with("imageScanFindingsSummary", one)
        })?;
        Some(match self.status.text() {
            Some("ACTIVE") => shown,
            _ => Observed::Touched(shown.id().clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::effect::testing::{place, raw, seen};
    use super::*;

    fn told(api: Api, detail: &Value) -> Value {
        let detail = raw(detail).unwrap();
        observed(api, &place("eu-west-1"), &detail).iter().map(seen).collect()
    }

    const REPOSITORY: &str = "arn:aws:ecr:eu-west-1:111122223333:repository/shop/web";

    fn image(shown: &str, more: Value) -> Value {
        let mut image = json!({shown: format!("{REPOSITORY}/sha256:ab"), "registryId": "111122223333",
            "repositoryName": "shop/web", "imageDigest": "sha256:ab"});
        image.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([image])
    }

    #[test]
    fn an_image_is_pushed_and_deleted() {
        let action = |members: Value| {
            let mut detail =
                json!({"result": "SUCCESS", "repository-name": "shop/web", "image-digest": "sha256:ab"});
            detail.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            told(Api::EcrImageAction, &detail)
        };
        let arn = format!("{REPOSITORY}/sha256:ab");
        assert_eq!(
            action(json!({"action-type": "PUSH", "image-tag": "7"})),
            image("Part", json!({"imageTags": ["7"]}))
        );
        assert_eq!(action(json!({"action-type": "PUSH"})), image("Part", json!({})));
        assert_eq!(action(json!({"action-type": "DELETE"})), json!([{ "Gone": arn }]));
        let touched = json!([{ "Touched": arn }]);
        assert_eq!(
            action(json!({"action-type": "DELETE", "image-tag": "7"})),
            touched,
            "it may have other tags"
        );
        assert_eq!(action(json!({"action-type": "ARCHIVE"})), touched);
        assert_eq!(action(json!({"action-type": "PUSH", "result": "FAILURE"})), json!([]));
        assert_eq!(action(json!({"action-type": "PUSH", "image-digest": ""})), json!([]));
    }

    #[test]
    fn a_scan_shows_the_image_whole() {
        let detail = json!({"scan-status": "COMPLETE", "repository-name": "shop/web", "image-digest": "sha256:ab", "image-tags": ["7"],
            "finding-severity-counts": {"CRITICAL": 1, "LOW": 2}});
        let whole = json!({"imageTags": ["7"], "imageScanStatus": {"status": "COMPLETE"},
            "imageScanFindingsSummary": {"findingSeverityCounts": {"CRITICAL": 1, "LOW": 2}}});
        assert_eq!(told(Api::EcrImageScan, &detail), image("State", whole));
        let failed =
            json!({"scan-status": "FAILED", "repository-name": "shop/web", "image-digest": "sha256:ab"});
        assert_eq!(
            told(Api::EcrImageScan, &failed),
            image("State", json!({"imageScanStatus": {"status": "FAILED"}}))
        );
    }

    #[test]
    fn every_repository_of_a_scan_change_is_told() {
        let detail = json!({"action-type": "SCAN_FREQUENCY_CHANGE", "repositories": [
            {"repository-name": "shop/web", "repository-arn": REPOSITORY, "scan-frequency": "MANUAL", "previous-scan-frequency": "CONTINUOUS_SCAN"},
            {"repository-name": "a b"}, {"repository-name": "shop/api", "scan-frequency": "SCAN_ON_PUSH"}]});
        let part = |name: &str, frequency: &str| {
            let arn = format!("arn:aws:ecr:eu-west-1:111122223333:repository/{name}");
            json!({"Part": arn, "repositoryArn": arn, "repositoryName": name, "scanFrequency": frequency})
        };
        let expected = json!([part("shop/web", "MANUAL"), part("shop/api", "SCAN_ON_PUSH")]);
        assert_eq!(told(Api::EcrScanResourceChange, &detail), expected);
    }

    #[test]
    fn an_open_finding_is_one_of_its_severity() {
        let finding = |status: &str| {
            json!({"severity": "HIGH", "status": status, "title": "CVE-2026-1 - openssl", "resources": [
            {"type": "AWS_EC2_INSTANCE", "id": "i-1", "details": {"awsEc2Instance": {}}},
            {"type": "AWS_ECR_CONTAINER_IMAGE", "id": format!("{REPOSITORY}/sha256:ab"), "details": {"awsEcrContainerImage":
                {"imageHash": "sha256:ab", "imageTags": ["7"], "registry": "111122223333", "repositoryName": "shop/web"}}}]})
        };
        let one =
            json!({"imageTags": ["7"], "imageScanFindingsSummary": {"findingSeverityCounts": {"HIGH": 1}}});
        assert_eq!(told(Api::InspectorFinding, &finding("ACTIVE")), image("Part", one));
        let touched = json!([{ "Touched": format!("{REPOSITORY}/sha256:ab") }]);
        for over in ["CLOSED", "SUPPRESSED", ""] {
            assert_eq!(told(Api::InspectorFinding, &finding(over)), touched, "{over}");
        }
        let mut members = finding("ACTIVE");
        members["resources"][1]["details"]["awsEcrContainerImage"]["registry"] = json!("999900001111");
        assert_eq!(told(Api::InspectorFinding, &members), json!([]));
        let host = json!({"severity": "HIGH", "status": "ACTIVE", "resources": [{"id": "i-1", "details": {"awsEc2Instance": {}}}]});
        assert_eq!(told(Api::InspectorFinding, &host), json!([]));
    }
}
