//! Would a deployment start the same images? Tags are looked up again for a new deployment, so that every fix
//! that rolls a service may also be a release of whatever was pushed since.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html#deployment-container-image-stability>

use super::{Doubts, content};
use crate::facts::{Facts, Need};
use crate::ids::Arn;
use crate::image::ImageReference;
use crate::resource::task_definition::Container;
use crate::resource::{Resource, Service};
use crate::text::shown;

/// Demands that every container of the service would start the digest that it runs now, and that ECR still has it.
pub(super) fn unchanged(resource: &Resource, service: &Service, facts: &Facts, doubts: &mut Doubts) {
    let (Some(task), Some(revision)) = (content(service, facts, doubts), service.revision()) else { return };
    for (index, container) in task.container_definitions.items().iter().enumerate() {
        same_digest(resource, &revision.arn, container, &container.label(index), facts, doubts);
    }
}

fn same_digest(
    resource: &Resource,
    revision: &Arn,
    container: &Container,
    name: &str,
    facts: &Facts,
    doubts: &mut Doubts,
) {
    let Some(text) = container.image.text() else {
        doubts.need(Need::Member("/containerDefinitions".to_owned()));
        return;
    };
    let image = ImageReference::read(text);
    if container.version_consistency.is_hidden() {
        doubts.need(Need::Member("/containerDefinitions".to_owned()));
    }
    if container.version_consistency.text() == Some("disabled") && image.digest.is_none() {
        doubts.refuse(
            "image version not consistent",
            format!("container `{name}` has versionConsistency disabled, so nothing says which digest of {image} a new task starts: pin it by digest"),
        );
        return;
    }
    let pinned = image.digest.clone();
    if image.ecr().is_none() {
        if pinned.is_none() {
            doubts.refuse(
                "image tag may have moved",
                format!("container `{name}` runs {image} by tag from a registry that Shipshape can't ask whether the tag has moved: pin it by digest"),
            );
        }
        return;
    }
    let stored = facts.repository(&image);
    if stored.is_none() {
        doubts.need(Need::Repository(image.clone()));
    }
    let running = match pinned {
        Some(digest) => Some(digest),
        None => match facts.running(&resource.id.arn, revision) {
            Some(containers) => {
                let digest = container.name.text().and_then(|name| containers.get(name)).cloned();
                if digest.is_none() {
                    doubts.refuse(
                        "running digest not known",
                        format!("the running revision does not tell which digest container `{name}` runs: pin {image} by digest"),
                    );
                }
                digest
            }
            None => {
                doubts.need(Need::RunningImages(resource.id.arn.clone()));
                None
            }
        },
    };
    let (Some(stored), Some(running)) = (stored, running) else { return };
    // Where only the tag was asked for, what it points at shows whether it is the same digest.
    if stored.has(&running) == Some(false) {
        doubts.refuse(
            "running image is gone",
            format!("container `{name}` runs {} of {image}, which the repository no longer has: a roll-back would find nothing to start", shown(&running)),
        );
    }
    let Some(tag) = image.tag.as_deref().filter(|_| image.digest.is_none()) else { return };
    let mut tagged = stored.tagged(tag);
    match tagged.clone().find(|one| one.digest != running).or(tagged.next()) {
        Some(now) if now.digest == running => {}
        Some(now) => doubts.refuse(
            "image tag has moved",
            format!("container `{name}` runs {}, and {image} is {} by now: a deployment would release it; deploy it on purpose, or pin the image by digest", shown(&running), shown(&now.digest)),
        ),
        None => doubts.refuse(
            "image tag is gone",
            format!("the repository has no {image} any more, so that no new task of container `{name}` could start: push the tag again, or pin the image by digest"),
        ),
    }
}
