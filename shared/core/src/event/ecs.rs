//! What the calls of ECS did: their parameters to observed resources.
//!
//! ECS speaks JSON 1.1, so that `requestParameters` and `responseElements` are the API's own shapes. Responses
//! hold the whole resource (merged, for updates); names in requests are as the caller typed them: short name,
//! ARN, ARN of the old form, or nothing at all.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Place;
use super::effect::{Effect, Nothing};
use super::names::{cluster_id, definition_id, identify, service_id, setting_name, tagged_id};
use crate::change::{Api, Observed, Request};
use crate::document::{Document, Field, Present};
use crate::ids::Arn;
use crate::resource::{Resource, ResourceId, ResourceType, Retagged, Tag, keys};

mod hosts;

/// The members of responses that matter; every call fills a few of them.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Response<'a> {
    #[serde(borrow)]
    cluster: Field<&'a RawValue>,
    #[serde(borrow)]
    service: Field<&'a RawValue>,
    #[serde(borrow)]
    task_definition: Field<&'a RawValue>,
    #[serde(borrow)]
    task_definitions: Field<Vec<&'a RawValue>>,
    /// Tags of a task definition come beside it.
    #[serde(borrow)]
    tags: Field<&'a RawValue>,
    #[serde(borrow)]
    task_set: Field<&'a RawValue>,
    #[serde(borrow)]
    tasks: Field<Vec<&'a RawValue>>,
    failures: Field<Vec<Present>>,
    #[serde(borrow)]
    setting: Field<&'a RawValue>,
    #[serde(borrow)]
    capacity_provider: Field<&'a RawValue>,
    #[serde(borrow)]
    container_instance: Field<&'a RawValue>,
    #[serde(borrow)]
    container_instances: Field<Vec<&'a RawValue>>,
    daemon_arn: Field<String>,
    status: Field<String>,
    deployment_arn: Field<String>,
    daemon_task_definition_arn: Field<String>,
}

/// The members of requests that name resources.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Names {
    cluster: Field<String>,
    cluster_name: Field<String>,
    cluster_arn: Field<String>,
    service: Field<String>,
    service_name: Field<String>,
    service_arn: Field<String>,
    family: Field<String>,
    task_definition: Field<String>,
    task_definition_arn: Field<String>,
    task_definitions: Field<Vec<String>>,
    task_set: Field<String>,
    task_set_arn: Field<String>,
    task_arn: Field<String>,
    resource_arn: Field<String>,
    tags: Field<Vec<Tag>>,
    tag_keys: Field<Vec<String>>,
    name: Field<String>,
    principal_arn: Field<String>,
    capacity_provider: Field<String>,
    container_instance: Field<String>,
    container_instances: Field<Vec<String>>,
    daemon_arn: Field<String>,
    daemon_name: Field<String>,
    daemon_task_definition: Field<String>,
    daemon_task_definition_arn: Field<String>,
}

/// Reads what a successful call did.
pub(super) fn effect(
    api: Api,
    place: &Place,
    request: Option<&RawValue>,
    response: Option<&RawValue>,
) -> Result<Effect, Nothing> {
    let response: Field<Response<'_>> = response.map_or(Field::Absent, Field::read);
    let shown = response.into_known().unwrap_or_default();
    let names: Field<Names> = request.map_or(Field::Absent, Field::read);
    let asked = names.known().is_some();
    let call =
        Call { api, place, request, names: names.into_known().unwrap_or_default(), asked, response: shown };
    if call.did_nothing() {
        return Err(Nothing::NoEffect);
    }
    let observed = call.observed().filter(|observed| !observed.is_empty()).ok_or(Nothing::Unnamed)?;
    Ok(Effect { request: call.set_members(), observed, retagged: call.retagged() })
}

struct Call<'a> {
    api: Api,
    place: &'a Place,
    request: Option<&'a RawValue>,
    names: Names,
    /// Whether the request is shown: only then does a name that is not in it mean the default.
    asked: bool,
    response: Response<'a>,
}

impl Call<'_> {
    fn observed(&self) -> Option<Vec<Observed>> {
        Some(match self.api {
            Api::CreateCluster
            | Api::UpdateCluster
            | Api::UpdateClusterSettings
            | Api::PutClusterCapacityProviders => {
                vec![self.state(ResourceType::Cluster, &self.response.cluster, self.cluster()?)?]
            }
            Api::DeleteCluster => vec![Observed::Gone(self.cluster()?)],
            Api::CreateService | Api::UpdateService => {
                vec![self.state(ResourceType::Service, &self.response.service, self.service()?)?]
            }
            // The answer describes an Express service in a shape of its own; the service that it manages is one that
            // `DescribeServices` knows.
            Api::CreateExpressGatewayService | Api::UpdateExpressGatewayService => {
                let (service, express) = self.express()?;
                let kind = ResourceType::ExpressGatewayService;
                vec![self.state(kind, &self.response.service, express)?, Observed::Touched(service)]
            }
            Api::DeleteService => vec![Observed::Gone(self.service()?)],
            Api::DeleteExpressGatewayService => {
                let (service, express) = self.express()?;
                vec![Observed::Gone(express), Observed::Gone(service)]
            }
            Api::RegisterTaskDefinition => vec![self.registered()?],
            Api::DeregisterTaskDefinition => vec![Observed::Gone(self.task_definition()?)],
            Api::DeleteTaskDefinitions => self.deleted_definitions(),
            Api::CreateCapacityProvider | Api::UpdateCapacityProvider => vec![self.capacity_provider()?],
            Api::DeleteCapacityProvider => vec![Observed::Gone(self.capacity_provider()?.id().clone())],
            Api::RegisterContainerInstance | Api::UpdateContainerAgent => vec![self.instance()?],
            Api::DeregisterContainerInstance => vec![Observed::Gone(self.instance()?.id().clone())],
            Api::UpdateContainerInstancesState => self.instances(),
            Api::RegisterDaemonTaskDefinition => vec![self.daemon_definition()?],
            Api::DeleteDaemonTaskDefinition => vec![Observed::Gone(self.daemon_definition()?.id().clone())],
            Api::CreateDaemon | Api::UpdateDaemon => self.daemon(),
            Api::DeleteDaemon => vec![Observed::Gone(self.daemon_id()?)],
            Api::CreateTaskSet
            | Api::UpdateTaskSet
            | Api::UpdateServicePrimaryTaskSet
            | Api::DeleteTaskSet => self.task_set(),
            Api::RunTask | Api::StartTask => self.tasks(),
            Api::PutAccountSetting | Api::PutAccountSettingDefault | Api::DeleteAccountSetting => {
                vec![self.setting()?]
            }
            Api::TagResource | Api::UntagResource => self.tagged(),
            _ => return None,
        })
    }

    /// Calls that may fail for some of what they name tell so in `failures`, without an error code, and did nothing
    /// where nothing stands beside those.
    fn did_nothing(&self) -> bool {
        let done = match self.api {
            Api::UpdateContainerInstancesState => &self.response.container_instances,
            _ => &self.response.tasks,
        };
        matches!(done, Field::Known(done) if done.is_empty()) && !self.response.failures.items().is_empty()
    }

    /// The top-level members that the request set. A request that is hidden may have set anything.
    fn set_members(&self) -> Request {
        if self.api.creates().is_some() {
            return Request::Everything;
        }
        let members: Field<BTreeMap<Cow<'_, str>, Present>> = self.request.map_or(Field::Hidden, Field::read);
        match members {
            // What is called `tagKeys` there are the `tags` of the resource.
            Field::Known(members) if self.api == Api::UntagResource && members.contains_key("tagKeys") => {
                Request::Members(vec!["tags".to_owned()])
            }
            Field::Known(members) => Request::Members(members.into_keys().map(Cow::into_owned).collect()),
            Field::Absent | Field::Hidden => Request::Everything,
        }
    }

    /// The state in the response; where it is not shown, that the resource of that name was touched.
    fn state(&self, kind: ResourceType, document: &Field<&RawValue>, named: ResourceId) -> Option<Observed> {
        let Some(json) = document.known() else { return Some(Observed::Touched(named)) };
        let document = Document::new(json);
        let id = identify(kind, &document).unwrap_or(named);
        Some(match Resource::read(id.clone(), document) {
            Some(resource) => Observed::State(Box::new(self.as_created(resource))),
            None => Observed::Touched(id),
        })
    }

    /// The answer to a call that creates shows all that there is. Tags of a task definition come beside it; tags that
    /// the answer leaves out are those of the request. Of an update's answer nobody has seen tags yet: an empty list
    /// there tells nothing.
    fn as_created(&self, resource: Resource) -> Resource {
        if self.api.creates() != Some(resource.id.kind) {
            let told = resource.tags.known().is_some_and(|keys| !keys.is_empty());
            return if told { resource } else { Resource { tags: Field::Absent, ..resource } };
        }
        let tags = match (&self.response.tags, &self.names.tags) {
            (Field::Known(tags), _) => Resource::tag_keys(tags),
            (Field::Hidden, _) => Field::Hidden,
            (Field::Absent, Field::Absent) if self.asked => Field::Known(Vec::new()),
            (Field::Absent, asked) => keys(asked),
        };
        Resource { whole: true, ..resource.with_tags_beside(tags) }
    }

    /// The cluster, by the response or as the caller named it. No name means `default`.
    fn cluster(&self) -> Option<ResourceId> {
        if let Some(id) = self.shown(ResourceType::Cluster, &self.response.cluster) {
            return Some(id);
        }
        let given = [&self.names.cluster, &self.names.cluster_name, &self.names.cluster_arn];
        if !self.asked || given.iter().any(|name| name.is_hidden()) {
            return None;
        }
        cluster_id(self.place, given.into_iter().find_map(Field::text))
    }

    fn shown(&self, kind: ResourceType, document: &Field<&RawValue>) -> Option<ResourceId> {
        identify(kind, &Document::new(document.known()?))
    }

    fn service(&self) -> Option<ResourceId> {
        if let Some(id) = self.shown(ResourceType::Service, &self.response.service) {
            return Some(id);
        }
        let given = [&self.names.service, &self.names.service_name, &self.names.service_arn];
        if !self.asked || self.names.cluster.is_hidden() || self.names.cluster_arn.is_hidden() {
            return None;
        }
        let cluster = self.names.cluster.text().or(self.names.cluster_arn.text());
        service_id(self.place, cluster, given.into_iter().find_map(Field::text)?)
    }

    /// The service that an Express service manages, and the Express service.
    fn express(&self) -> Option<(ResourceId, ResourceId)> {
        let service = self.service()?;
        let express = ResourceId { kind: ResourceType::ExpressGatewayService, ..service.clone() };
        Some((service, express))
    }

    fn task_definition(&self) -> Option<ResourceId> {
        if let Some(id) = self.shown(ResourceType::TaskDefinition, &self.response.task_definition) {
            return Some(id);
        }
        let given = [&self.names.task_definition, &self.names.task_definition_arn, &self.names.family];
        definition_id(self.place, given.into_iter().find_map(Field::text)?)
    }

    fn registered(&self) -> Option<Observed> {
        let named = self.task_definition()?;
        self.state(ResourceType::TaskDefinition, &self.response.task_definition, named)
    }

    fn deleted_definitions(&self) -> Vec<Observed> {
        let shown = self.response.task_definitions.items().iter();
        let by_response =
            shown.filter_map(|json| identify(ResourceType::TaskDefinition, &Document::new(json)));
        let ids: Vec<ResourceId> = if self.response.task_definitions.items().is_empty() {
            self.names
                .task_definitions
                .items()
                .iter()
                .filter_map(|text| definition_id(self.place, text))
                .collect()
        } else {
            by_response.collect()
        };
        ids.into_iter().map(Observed::Gone).collect()
    }

    fn task_set(&self) -> Vec<Observed> {
        let service = [&self.names.service, &self.names.service_arn].into_iter().find_map(Field::text);
        let service = service.and_then(|text| service_id(self.place, self.names.cluster.text(), text));
        let named = [&self.names.task_set, &self.names.task_set_arn, &self.names.service].into_iter();
        let named = named.filter_map(Field::text).find(|text| text.contains(":task-set/"));
        let named = named.and_then(|text| text.parse().ok());
        let named = named.map(|arn| ResourceId { kind: ResourceType::TaskSet, arn });
        let id = self.shown(ResourceType::TaskSet, &self.response.task_set).or(named);
        let set = match (self.api, id) {
            (Api::DeleteTaskSet, Some(id)) => Some(Observed::Gone(id)),
            (_, Some(id)) => self.state(ResourceType::TaskSet, &self.response.task_set, id),
            (_, None) => None,
        };
        set.into_iter().chain(service.map(Observed::Touched)).collect()
    }

    /// What was launched: the request, under the first task's name, and the definition that now runs.
    fn tasks(&self) -> Vec<Observed> {
        let first = self.response.tasks.items().first().map(|json| Document::new(json));
        let task = first.as_ref().and_then(|task| identify(ResourceType::Task, task));
        let launch: Field<&RawValue> = self.request.map_or(Field::Absent, Field::read);
        let launched = task.and_then(|id| Resource::read(id, Document::new(launch.known()?)));
        let revision = first
            .as_ref()
            .and_then(|task| identify(ResourceType::TaskDefinition, task))
            .or_else(|| definition_id(self.place, self.names.task_definition.text()?));
        let launched = launched.map(|resource| Observed::State(Box::new(resource)));
        launched.into_iter().chain(revision.map(Observed::Touched)).collect()
    }

    /// The response tells which setting it was: AWS's own sample has another name in the request.
    fn setting(&self) -> Option<Observed> {
        let document = self.response.setting.known().map(|json| Document::new(json));
        let shown: Names = document.as_ref().and_then(Document::view).unwrap_or_default();
        let name = shown.name.text().or(self.names.name.text())?;
        let principal = shown.principal_arn.text().or(self.names.principal_arn.text());
        let principal = principal.and_then(|text| text.parse::<Arn>().ok());
        let id = ResourceId {
            kind: ResourceType::AccountSetting,
            arn: self.ecs(&setting_name(name, principal.as_ref()))?,
        };
        if self.api == Api::DeleteAccountSetting {
            return Some(Observed::Gone(id));
        }
        let resource = document.and_then(|document| Resource::read(id.clone(), document));
        Some(resource.map_or(Observed::Touched(id), |resource| Observed::State(Box::new(resource))))
    }

    fn tagged(&self) -> Vec<Observed> {
        let arn = self.names.resource_arn.text().and_then(|text| text.parse().ok());
        arn.and_then(|arn| tagged_id(self.place, arn)).map(Observed::Touched).into_iter().collect()
    }

    /// What a change of tags did, as far as its request shows it.
    fn retagged(&self) -> Option<Retagged> {
        match self.api {
            Api::TagResource => keys(&self.names.tags).into_known().map(Retagged::Added),
            Api::UntagResource => self.names.tag_keys.known().cloned().map(Retagged::Removed),
            _ => None,
        }
    }

    fn ecs(&self, resource: &str) -> Option<Arn> {
        Arn::ecs(&self.place.account, &self.place.region, resource).ok()
    }
}
