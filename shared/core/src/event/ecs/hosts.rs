//! What the calls of ECS did to the hosts and to what runs on each of them: capacity providers, container instances,
//! daemons.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::effect::part;
use super::super::names::{cluster_name, identify, instance_id};
use super::Call;
use crate::change::Observed;
use crate::document::{Document, Field, Shape};
use crate::ids::Arn;
use crate::resource::{Resource, ResourceId, ResourceType};

/// The members of a request that a daemon is made of.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Daemon<'a> {
    cluster_arn: Field<String>,
    daemon_task_definition_arn: Field<String>,
    #[serde(borrow)]
    capacity_provider_arns: Field<&'a RawValue>,
    enable_execute_command: Field<bool>,
    #[serde(rename = "enableECSManagedTags")]
    enable_ecs_managed_tags: Field<bool>,
    propagate_tags: Field<String>,
}

impl Call<'_> {
    pub(super) fn capacity_provider(&self) -> Option<Observed> {
        let kind = ResourceType::CapacityProvider;
        let named = self.shown(kind, &self.response.capacity_provider).or_else(|| {
            let name = [&self.names.name, &self.names.capacity_provider].into_iter().find_map(Field::text)?;
            let name = name.rsplit_once(":capacity-provider/").map_or(name, |(_, name)| name);
            Some(ResourceId { kind, arn: self.ecs(&format!("capacity-provider/{name}"))? })
        });
        self.state(kind, &self.response.capacity_provider, named?)
    }

    pub(super) fn instance(&self) -> Option<Observed> {
        match &self.response.container_instance {
            Field::Known(json) => self.shown_instance(json),
            _ => self.named_instance(self.names.container_instance.text()?).map(Observed::Touched),
        }
    }

    /// The instances that changed; what the answer names as failed did not.
    pub(super) fn instances(&self) -> Vec<Observed> {
        match &self.response.container_instances {
            Field::Known(shown) => shown.iter().filter_map(|json| self.shown_instance(json)).collect(),
            _ => {
                let names = self.names.container_instances.items().iter();
                names.filter_map(|name| self.named_instance(name)).map(Observed::Touched).collect()
            }
        }
    }

    fn shown_instance(&self, json: &RawValue) -> Option<Observed> {
        let document = Document::new(json);
        let arn = identify(ResourceType::ContainerInstance, &document)?.arn;
        // Answers tell the cluster in the ARN, and in ARNs of the old form not at all.
        let id = self
            .named_instance(arn.as_str())
            .unwrap_or(ResourceId { kind: ResourceType::ContainerInstance, arn });
        Some(match Resource::read(id.clone(), document) {
            Some(resource) => Observed::State(Box::new(self.as_created(resource))),
            None => Observed::Touched(id),
        })
    }

    fn named_instance(&self, given: &str) -> Option<ResourceId> {
        if !self.asked || self.names.cluster.is_hidden() {
            return None;
        }
        instance_id(self.place, self.names.cluster.text(), given)
    }

    /// The answer to `RegisterDaemonTaskDefinition` is an ARN alone: the definition is the request.
    pub(super) fn daemon_definition(&self) -> Option<Observed> {
        let given = [&self.response.daemon_task_definition_arn, &self.names.daemon_task_definition];
        let given = given.into_iter().find_map(Field::text);
        let arn = match given.and_then(|text| text.parse::<Arn>().ok()) {
            Some(arn) => arn,
            None => {
                let name = given.or(self.names.family.text())?;
                self.ecs(&format!("daemon-task-definition/{name}"))?
            }
        };
        let id = ResourceId { kind: ResourceType::DaemonTaskDefinition, arn };
        let document: Field<&RawValue> = self.request.map_or(Field::Absent, Field::read);
        Some(match document.known().and_then(|json| Resource::read(id.clone(), Document::new(json))) {
            Some(resource) => Observed::State(Box::new(resource)),
            None => Observed::Touched(id),
        })
    }

    pub(super) fn daemon_id(&self) -> Option<ResourceId> {
        let given = [&self.response.daemon_arn, &self.names.daemon_arn].into_iter().find_map(Field::text);
        let arn = given.and_then(|text| text.parse().ok()).or_else(|| {
            let cluster = cluster_name(self.names.cluster_arn.text().or(self.names.cluster.text()));
            self.ecs(&format!("daemon/{cluster}/{}", self.names.daemon_name.text()?))
        });
        arn.map(|arn| ResourceId { kind: ResourceType::Daemon, arn })
    }

    /// The daemon, as far as the request makes it, and the definition that it runs. `DescribeDaemon` prints the first
    /// members, `DescribeDaemonRevisions` the others.
    pub(super) fn daemon(&self) -> Vec<Observed> {
        let asked: Field<Daemon<'_>> = self.request.map_or(Field::Absent, Field::read);
        let asked = asked.into_known().unwrap_or_default();
        let definition = asked.daemon_task_definition_arn.text().and_then(|text| text.parse().ok());
        let definition = definition.map(|arn| ResourceId { kind: ResourceType::DaemonTaskDefinition, arn });
        let daemon = self.daemon_id().map(|id| {
            let shape = Shape::default()
                .with("daemonArn", Field::Known(&id.arn))
                .with("clusterArn", asked.cluster_arn)
                .with("status", self.response.status.clone())
                .with("deploymentArn", self.response.deployment_arn.clone())
                .with("daemonTaskDefinitionArn", asked.daemon_task_definition_arn)
                .with("capacityProviderArns", asked.capacity_provider_arns)
                .with("enableExecuteCommand", asked.enable_execute_command)
                .with("enableECSManagedTags", asked.enable_ecs_managed_tags)
                .with("propagateTags", asked.propagate_tags);
            part(id.clone(), &shape)
        });
        daemon.into_iter().chain(definition.map(Observed::Touched)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::effect::testing::{place, raw, told};
    use super::super::effect;
    use crate::change::Api;

    fn call(api: Api, request: &Value, response: &Value) -> Value {
        told(effect(api, &place("eu-west-1"), raw(request).as_deref(), raw(response).as_deref()))
    }

    fn arn(resource: &str) -> String {
        format!("arn:aws:ecs:eu-west-1:111122223333:{resource}")
    }

    #[test]
    fn a_capacity_provider_is_named_by_the_answer_its_name_or_its_arn() {
        let id = arn("capacity-provider/hosts");
        let provider = json!({"capacityProviderArn": id, "name": "hosts", "status": "ACTIVE"});
        let whole = json!([{"State": id, "capacityProviderArn": id, "name": "hosts", "status": "ACTIVE"}]);
        let answer = json!({ "capacityProvider": provider });
        for api in [Api::CreateCapacityProvider, Api::UpdateCapacityProvider] {
            assert_eq!(call(api, &json!({"name": "hosts"}), &answer), whole);
            assert_eq!(call(api, &json!({"name": "hosts"}), &Value::Null), json!([{ "Touched": id }]));
            assert_eq!(call(api, &json!({"omitted": true}), &Value::Null), "unnamed");
        }
        for (request, response) in [
            (json!({"capacityProvider": "hosts"}), Value::Null),
            (json!({ "capacityProvider": id }), Value::Null),
            (Value::Null, answer),
        ] {
            assert_eq!(call(Api::DeleteCapacityProvider, &request, &response), json!([{ "Gone": id }]));
        }
    }

    #[test]
    fn a_container_instance_has_one_name() {
        let long = arn("container-instance/shop/7f");
        for old in [&long, &arn("container-instance/7f")] {
            let instance = json!({"containerInstanceArn": old, "status": "ACTIVE", "versionInfo": {"agentVersion": "1.99.1"}});
            let whole = json!({"State": long, "containerInstanceArn": old, "status": "ACTIVE", "versionInfo": {"agentVersion": "1.99.1"}});
            let request = json!({"cluster": arn("cluster/shop"), "containerInstance": old, "instanceIdentityDocument": "{}"});
            let answer = json!({ "containerInstance": instance });
            for api in [Api::RegisterContainerInstance, Api::UpdateContainerAgent] {
                assert_eq!(call(api, &request, &answer), json!([whole]), "{old}");
                assert_eq!(call(api, &request, &Value::Null), json!([{ "Touched": long }]), "{old}");
            }
            assert_eq!(call(Api::DeregisterContainerInstance, &request, &answer), json!([{ "Gone": long }]));
            let many = json!({"containerInstances": [instance], "failures": [{"reason": "MISSING"}]});
            assert_eq!(call(Api::UpdateContainerInstancesState, &request, &many), json!([whole]));
        }
        let default = json!([{ "Touched": arn("container-instance/default/7f") }]);
        assert_eq!(
            call(Api::UpdateContainerAgent, &json!({"containerInstance": "7f"}), &Value::Null),
            default
        );
        let request = json!({"containerInstances": ["7f"], "status": "DRAINING"});
        assert_eq!(call(Api::UpdateContainerInstancesState, &request, &Value::Null), default);
        let none = json!({"containerInstances": [], "failures": [{"reason": "MISSING"}]});
        assert_eq!(call(Api::UpdateContainerInstancesState, &request, &none), "no effect");
        let hidden = json!({"cluster": "HIDDEN_DUE_TO_SECURITY_REASONS", "containerInstance": "7f"});
        assert_eq!(call(Api::UpdateContainerAgent, &hidden, &Value::Null), "unnamed");
    }

    #[test]
    fn a_daemon_is_what_its_request_makes_it() {
        let (id, definition) = (arn("daemon/shop/probe"), arn("daemon-task-definition/probe:1"));
        let request = json!({"daemonName": "probe", "clusterArn": arn("cluster/shop"), "daemonTaskDefinitionArn": definition,
            "capacityProviderArns": [arn("capacity-provider/hosts")], "enableExecuteCommand": true, "enableECSManagedTags": false,
            "tags": [{"key": "team", "value": "shop"}], "clientToken": "x"});
        let answer = json!({"daemonArn": id, "status": "ACTIVE", "deploymentArn": arn("daemon-deployment/shop/probe/1")});
        let part = json!({"Part": id, "daemonArn": id, "clusterArn": arn("cluster/shop"), "status": "ACTIVE",
            "deploymentArn": arn("daemon-deployment/shop/probe/1"), "daemonTaskDefinitionArn": definition,
            "capacityProviderArns": [arn("capacity-provider/hosts")], "enableExecuteCommand": true, "enableECSManagedTags": false});
        let touched = json!({ "Touched": definition });
        assert_eq!(call(Api::CreateDaemon, &request, &answer), json!([part, touched]));
        let unanswered = call(Api::CreateDaemon, &request, &Value::Null);
        assert_eq!((&unanswered[0]["Part"], &unanswered[0]["status"]), (&json!(id), &Value::Null));
        let update = json!({"daemonArn": id, "daemonTaskDefinitionArn": definition});
        let told = call(Api::UpdateDaemon, &update, &Value::Null);
        assert_eq!(
            told,
            json!([{"Part": id, "daemonArn": id, "daemonTaskDefinitionArn": definition}, touched])
        );
        let gone = |arn: &str| json!([{ "Gone": arn }]);
        assert_eq!(call(Api::DeleteDaemon, &json!({ "daemonArn": id }), &Value::Null), gone(&id));
        for given in ["probe:1", &definition] {
            let request = json!({ "daemonTaskDefinition": given });
            assert_eq!(call(Api::DeleteDaemonTaskDefinition, &request, &Value::Null), gone(&definition));
        }
    }
}
