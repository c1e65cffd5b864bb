//! What ECR keeps, as `describe-images` prints it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::document::{Field, Present};
use crate::image::ImageReference;

/// An image that ECR keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImage {
    /// `sha256:…`
    pub digest: String,
    /// The tags that point at it now.
    pub tags: Vec<String>,
}

/// What is known of one ECR repository.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    images: Vec<StoredImage>,
    /// Somebody listed everything.
    whole: bool,
    /// The tags and digests that somebody asked for by themselves. No tag looks like a digest.
    asked: BTreeSet<String>,
}

impl Repository {
    /// Whether it has a digest; `None` where nobody asked.
    pub fn has(&self, digest: &str) -> Option<bool> {
        let held = self.images.iter().any(|one| one.digest == digest);
        (held || self.tells(digest)).then_some(held)
    }

    /// The images that a tag points at: one, but for answers of several Regions.
    pub fn tagged(&self, tag: &str) -> impl Iterator<Item = &StoredImage> + Clone {
        self.images.iter().filter(move |one| one.tags.iter().any(|held| held == tag))
    }

    /// Whether anybody asked for a tag or digest.
    fn tells(&self, id: &str) -> bool {
        self.whole || self.asked.contains(id)
    }

    /// Forgets what an answer tells anew.
    fn ask(&mut self, id: String) {
        self.images.retain(|one| one.digest != id);
        self.images.iter_mut().for_each(|one| one.tags.retain(|tag| *tag != id));
        self.asked.insert(id);
    }
}

/// What is known of repositories.
#[derive(Debug, Clone, Default)]
pub(super) struct Repositories {
    /// By account, Region and name. Answers of `DescribeImages` name no Region: those that nobody put one beside
    /// stand under `""`, and count for every Region of the account.
    known: BTreeMap<(String, String, String), Repository>,
}

impl Repositories {
    /// The repository of an image, if it tells of this image.
    pub(super) fn of(&self, image: &ImageReference) -> Option<&Repository> {
        let (account, region) = image.ecr()?;
        let id = image.digest.as_deref().or(image.tag.as_deref())?;
        [region, ""].into_iter().find_map(|region| {
            let key = (account.to_owned(), region.to_owned(), image.repository.clone());
            self.known.get(&key).filter(|repository| repository.tells(id))
        })
    }

    /// Learns from an answer of ECR; says how many things it told of. Which images were asked for may stand beside it,
    /// since those that are not there are shown by nothing else; without, it counts for the whole repository.
    pub(super) fn absorb(&mut self, json: &RawValue) -> usize {
        let Ok(answer) = serde_json::from_str::<Answer>(json.get()) else { return 0 };
        let region = answer.region.text().unwrap_or_default();
        let mut told = 0;
        if let (Some(account), Some(name), Field::Known(ids)) =
            (answer.registry_id.text(), answer.repository_name.text(), &answer.image_ids)
        {
            let repository = self.entry(account, region, name);
            for id in ids.iter().filter_map(|id| id.image_digest.text().or(id.image_tag.text())) {
                repository.ask(id.to_owned());
                told += 1;
            }
        }
        for image in answer.image_details.items() {
            let (Some(account), Some(name), Some(digest)) =
                (image.registry_id.text(), image.repository_name.text(), image.image_digest.text())
            else {
                continue;
            };
            let repository = self.entry(account, region, name);
            repository.whole |= answer.image_ids.is_absent();
            repository
                .images
                .push(StoredImage { digest: digest.to_owned(), tags: image.image_tags.items().to_vec() });
            told += 1;
        }
        told
    }

    fn entry(&mut self, account: &str, region: &str, name: &str) -> &mut Repository {
        self.known.entry((account.to_owned(), region.to_owned(), name.to_owned())).or_default()
    }

    /// Whether a document is an answer of ECR that is known here, though perhaps an empty one.
    pub(super) fn is_answer(json: &RawValue) -> bool {
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "camelCase")]
        struct Shape {
            image_details: Field<Present>,
        }
        serde_json::from_str::<Shape>(json.get()).is_ok_and(|shape| !shape.image_details.is_absent())
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Answer {
    registry_id: Field<String>,
    region: Field<String>,
    repository_name: Field<String>,
    image_ids: Field<Vec<ImageId>>,
    image_details: Field<Vec<ImageDetail>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ImageId {
    image_digest: Field<String>,
    image_tag: Field<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ImageDetail {
    registry_id: Field<String>,
    repository_name: Field<String>,
    image_digest: Field<String>,
    image_tags: Field<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn learned(answers: &[Value]) -> Repositories {
        let mut known = Repositories::default();
        for answer in answers {
            let json = serde_json::value::to_raw_value(answer).unwrap();
            assert!(Repositories::is_answer(&json));
            known.absorb(&json);
        }
        known
    }

    fn detail(digest: &str, tag: &str) -> Value {
        json!({"registryId": "111122223333", "repositoryName": "web", "imageDigest": digest, "imageTags": [tag]})
    }

    fn asked(region: &str, tag: &str, details: &[Value]) -> Value {
        json!({"registryId": "111122223333", "region": region, "repositoryName": "web",
            "imageIds": [{"imageTag": tag}], "imageDetails": details})
    }

    fn image(region: &str, tag: &str) -> ImageReference {
        ImageReference::read(&format!("111122223333.dkr.ecr.{region}.amazonaws.com/web:{tag}"))
    }

    /// The digests of a tag; `None` where nothing is known of it.
    fn tagged(known: &Repositories, region: &str, tag: &str) -> Option<Vec<String>> {
        let repository = known.of(&image(region, tag))?;
        Some(repository.tagged(tag).map(|one| one.digest.clone()).collect())
    }

    #[test]
    fn what_nobody_asked_for_is_not_known_to_be_gone() {
        let known =
            learned(&[asked("eu-west-1", "1", &[detail("sha256:aa", "1")]), asked("eu-west-1", "2", &[])]);
        assert_eq!(tagged(&known, "eu-west-1", "1"), Some(vec!["sha256:aa".to_owned()]));
        assert_eq!(tagged(&known, "eu-west-1", "2"), Some(vec![]), "asked for, and not there");
        assert_eq!(tagged(&known, "eu-west-1", "3"), None);
        assert_eq!(tagged(&known, "eu-north-1", "1"), None);
        let repository = known.of(&image("eu-west-1", "1")).unwrap();
        assert_eq!((repository.has("sha256:aa"), repository.has("sha256:bb")), (Some(true), None));
    }

    #[test]
    fn a_listing_without_a_question_is_the_whole_repository_of_every_region() {
        let known = learned(&[json!({"imageDetails": [detail("sha256:aa", "1")]})]);
        assert_eq!(tagged(&known, "eu-north-1", "1"), Some(vec!["sha256:aa".to_owned()]));
        assert_eq!(tagged(&known, "eu-west-1", "3"), Some(vec![]));
        assert_eq!(known.of(&image("eu-west-1", "3")).unwrap().has("sha256:bb"), Some(false));
        assert_eq!(tagged(&learned(&[json!({"imageDetails": []})]), "eu-west-1", "1"), None);
    }

    #[test]
    fn the_later_answer_counts() {
        let known = learned(&[
            asked("eu-west-1", "1", &[detail("sha256:aa", "1")]),
            asked("eu-west-1", "1", &[detail("sha256:bb", "1")]),
        ]);
        assert_eq!(tagged(&known, "eu-west-1", "1"), Some(vec!["sha256:bb".to_owned()]));
    }
}
