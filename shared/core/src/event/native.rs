//! What services announce themselves. ECS says that something happened, and hardly ever how a resource is configured;
//! what ECR and Inspector say of images is read in `ecr`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::names::{identify, service_id, tagged_id};
use super::{Envelope, Ignored, ParseError, Parsed, Place, ecr, foreign, missing};
use crate::change::{Actor, Api, Change, DeploymentNews, Observed, Origin, Progress, Request};
use crate::document::{Document, Field};
use crate::ids::Arn;
use crate::resource::{Resource, ResourceId, ResourceType};

/// The members of the details that matter.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    cluster_arn: Field<String>,
    container_instance_arn: Field<String>,
    daemon_arn: Field<String>,
    deployment_id: Field<String>,
    event_name: Field<String>,
    group: Field<String>,
    task_arn: Field<String>,
    task_definition_arn: Field<String>,
    version: Field<u64>,
    /// Of `Tag Change on Resource`: the tagged resource's service.
    service: Field<String>,
}

impl Detail {
    fn service(&self) -> Option<&str> {
        self.group.text().and_then(|group| group.strip_prefix("service:"))
    }

    /// Whether a task says which service or which definition it belongs to.
    fn names_what_runs(&self) -> bool {
        self.service().is_some()
            || self.task_definition_arn.text().is_some_and(|text| text.parse::<Arn>().is_ok())
    }
}

pub(super) fn parse(api: Api, envelope: &Envelope<'_>) -> Result<Parsed, ParseError> {
    let event = api.as_str();
    let json: &RawValue = envelope.detail.ok_or_else(|| missing(event, "detail"))?;
    let detail: Detail = Field::read(json).into_known().ok_or_else(|| missing(event, "detail"))?;
    // A task that names neither its service nor its definition tells of nothing, wherever it runs.
    if api == Api::TaskStateChange && !detail.names_what_runs() {
        return Ok(Parsed::Ignored(Ignored::NoResource));
    }
    let place = envelope.place(event)?;
    let time =
        envelope.time.known().and_then(|text| text.parse().ok()).ok_or_else(|| missing(event, "time"))?;
    let id = envelope.id.known().and_then(|text| text.parse().ok()).ok_or_else(|| missing(event, "id"))?;
    let named = || envelope.resources.items().iter().find_map(|text| text.parse::<Arn>().ok());

    if api == Api::TagChange && detail.service.text() != Some("ecs") {
        return Ok(Parsed::Ignored(Ignored::Unwatched));
    }
    let observed: Vec<Observed> = match api {
        Api::TaskStateChange => task(&place, &detail).map(Observed::Touched).into_iter().collect(),
        Api::ContainerInstanceStateChange => instance(json).into_iter().collect(),
        Api::DaemonDeploymentStateChange | Api::DaemonServiceAction => {
            daemon(&detail).map(Observed::Touched).into_iter().collect()
        }
        Api::EcrImageAction | Api::EcrImageScan | Api::EcrScanResourceChange | Api::InspectorFinding => {
            ecr::observed(api, &place, json)
        }
        Api::TagChange => {
            named().and_then(|arn| tagged_id(&place, arn)).map(Observed::Touched).into_iter().collect()
        }
        _ => {
            let service = named().and_then(|arn| service(&place, &detail, &arn));
            service.map(Observed::Touched).into_iter().collect()
        }
    };
    if observed.is_empty() {
        return Ok(Parsed::Ignored(Ignored::NoResource));
    }
    let (name, origin) = match api {
        Api::InspectorFinding => ("Amazon Inspector", Origin::Service),
        Api::EcrImageAction | Api::EcrImageScan | Api::EcrScanResourceChange => {
            ("Amazon ECR", Origin::Service)
        }
        _ => ("Amazon ECS", Origin::Ecs),
    };
    let change = Change {
        id,
        time,
        account: place.account.clone(),
        region: place.region.clone(),
        actor: Actor { name: name.to_owned(), role: None },
        origin,
        api,
        request: Request::Nothing,
        observed,
        task_version: versioned(api, &detail),
        deployment: (api == Api::DeploymentStateChange).then(|| news(&detail)).flatten(),
        retagged: None,
        addendum: false,
    };
    Ok(match foreign(&place, &change) {
        Some(rejected) => Parsed::Rejected(rejected),
        None => Parsed::Change(Box::new(change)),
    })
}

/// The service that a task belongs to; of a task on its own, the definition that it runs.
fn task(place: &Place, detail: &Detail) -> Option<ResourceId> {
    match detail.service() {
        Some(name) => service_id(place, detail.cluster_arn.text(), name),
        None => {
            let arn: Arn = detail.task_definition_arn.text()?.parse().ok()?;
            Some(ResourceId { kind: ResourceType::TaskDefinition, arn })
        }
    }
}

/// A service event names its service in `resources`, perhaps in the old form, and its cluster perhaps not at all.
fn service(place: &Place, detail: &Detail, arn: &Arn) -> Option<ResourceId> {
    match ResourceType::of_ecs_arn(arn)? {
        // An ARN of the old form without a cluster beside it may be any cluster's.
        ResourceType::Service if arn.name().contains('/') || detail.cluster_arn.known().is_some() => {
            service_id(place, detail.cluster_arn.text(), arn.as_str())
        }
        _ => None,
    }
}

fn instance(json: &RawValue) -> Option<Observed> {
    let document = Document::new(json);
    let id = identify(ResourceType::ContainerInstance, &document)?;
    Resource::read(id, document).map(|resource| Observed::State(Box::new(resource)))
}

fn daemon(detail: &Detail) -> Option<ResourceId> {
    let arn = detail.daemon_arn.text()?.parse().ok()?;
    (ResourceType::of_ecs_arn(&arn) == Some(ResourceType::Daemon))
        .then_some(ResourceId { kind: ResourceType::Daemon, arn })
}

/// What the versions of an event are counted by.
fn versioned(api: Api, detail: &Detail) -> Option<(Arn, u64)> {
    let of = match api {
        Api::ContainerInstanceStateChange => &detail.container_instance_arn,
        _ => &detail.task_arn,
    };
    Some((of.text()?.parse().ok()?, *detail.version.known()?))
}

fn news(detail: &Detail) -> Option<DeploymentNews> {
    let progress = match detail.event_name.text() {
        Some("SERVICE_DEPLOYMENT_IN_PROGRESS") => Progress::InProgress,
        Some("SERVICE_DEPLOYMENT_COMPLETED") => Progress::Completed,
        Some("SERVICE_DEPLOYMENT_FAILED") => Progress::Failed,
        _ => Progress::Other,
    };
    Some(DeploymentNews { id: detail.deployment_id.text()?.to_owned(), progress })
}
