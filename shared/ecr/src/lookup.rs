//! Answers what ECR alone can tell: whether an image is still there, and what its tag points at. A repository may hold
//! many thousands, so that exactly those are asked for that somebody needs. Maxima by the ECR API reference.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{ImageDetail, ImageIdentifier, ImageStatus};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use shipshape_aws::failure::{Failure, FailureKind};
use shipshape_core::facts::Need;
use shipshape_core::image::ImageReference;

/// What ECR told, as `aws ecr describe-images` prints it, with what was asked for beside it: the registry, its Region,
/// the repository and the image ids. What of these is not among the images is not there.
pub type Answers = Vec<Box<RawValue>>;

/// How many images one DescribeImages takes.
const IMAGES: usize = 100;

/// Asks for the images among these needs, each in the Region of its registry, for which the caller makes a client.
pub async fn fetch(client_for: impl Fn(&str) -> Client, needs: &[Need]) -> Result<Answers, Failure> {
    let mut answers = Answers::new();
    for (region, repositories) in wanted(needs) {
        let client = client_for(region);
        for (repository, ids) in repositories {
            let ids: Vec<Id<'_>> = ids.into_iter().collect();
            for ids in ids.chunks(IMAGES) {
                let Some(found) = describe(&client, &repository, ids).await? else { continue };
                let answer = json!({
                    "registryId": repository.account, "region": region, "repositoryName": repository.name,
                    "imageIds": ids.iter().map(|id| id.json()).collect::<Value>(), "imageDetails": found,
                });
                answers.extend(to_raw_value(&answer).ok());
            }
        }
    }
    Ok(answers)
}

/// A repository of a Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Repository<'a> {
    account: &'a str,
    name: &'a str,
}

/// What an image is asked for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Id<'a> {
    Digest(&'a str),
    Tag(&'a str),
}

impl<'a> Id<'a> {
    /// The digest where there is one, by which ECS pulls as well.
    fn of(image: &'a ImageReference) -> Option<Self> {
        let tag = || image.tag.as_deref().map(Self::Tag);
        image.digest.as_deref().map(Self::Digest).or_else(tag)
    }

    fn identifier(self) -> ImageIdentifier {
        let id = ImageIdentifier::builder();
        match self {
            Self::Digest(digest) => id.image_digest(digest),
            Self::Tag(tag) => id.image_tag(tag),
        }
        .build()
    }

    fn json(self) -> Value {
        match self {
            Self::Digest(digest) => json!({ "imageDigest": digest }),
            Self::Tag(tag) => json!({ "imageTag": tag }),
        }
    }
}

/// The images by Region and repository.
fn wanted(needs: &[Need]) -> BTreeMap<&str, BTreeMap<Repository<'_>, BTreeSet<Id<'_>>>> {
    let mut wanted: BTreeMap<_, BTreeMap<_, BTreeSet<_>>> = BTreeMap::new();
    for need in needs {
        if let Need::Repository(image) = need
            && let Some(((account, region), id)) = image.ecr().zip(Id::of(image))
        {
            let repository = Repository { account, name: &image.repository };
            wanted.entry(region).or_default().entry(repository).or_default().insert(id);
        }
    }
    wanted
}

/// Those of the images that are there; `None` where the repository is not there, or does not tell us. ECR refuses the
/// whole call for one image that is not there, and is then asked for either half.
async fn describe(
    client: &Client,
    repository: &Repository<'_>,
    ids: &[Id<'_>],
) -> Result<Option<Vec<Value>>, Failure> {
    let mut found = Vec::new();
    let mut left = vec![ids];
    while let Some(ids) = left.pop() {
        let call = client
            .describe_images()
            .registry_id(repository.account)
            .repository_name(repository.name)
            .set_image_ids(Some(ids.iter().map(|id| id.identifier()).collect()));
        match call.send().await.map_err(|error| Failure::of("DescribeImages", &error)) {
            // One image may be asked for by its digest and by its tag.
            Ok(told) => {
                for image in told.image_details().iter().filter(|one| is_active(one)).map(shape) {
                    if !found.contains(&image) {
                        found.push(image);
                    }
                }
            }
            Err(failure) if failure.code == "ImageNotFoundException" => {
                if ids.len() > 1 {
                    let (first, second) = ids.split_at(ids.len() / 2);
                    left.extend([second, first]);
                }
            }
            // Central registries let other accounts pull, and seldom describe: then it stays unknown.
            Err(failure) if failure.code == "AccessDeniedException" => return Ok(None),
            Err(failure) if failure.kind == FailureKind::Missing => return Ok(None),
            Err(failure) => return Err(failure),
        }
    }
    Ok(Some(found))
}

/// An archived image can't be pulled, which is all that matters here.
fn is_active(image: &ImageDetail) -> bool {
    image.image_status().is_none_or(|status| *status == ImageStatus::Active)
}

/// What core reads of an image, under the names that `aws ecr describe-images` prints.
fn shape(image: &ImageDetail) -> Value {
    json!({
        "registryId": image.registry_id(), "repositoryName": image.repository_name(),
        "imageDigest": image.image_digest(), "imageTags": image.image_tags(),
    })
}
