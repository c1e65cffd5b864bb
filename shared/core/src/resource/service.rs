//! ECS services, as `DescribeServices` prints them.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ResourceId, ResourceType};

use crate::document::{Field, Present};

/// The members of a service that controls and pre-flights read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Service {
    /// Its ARN as AWS prints it, which may be of the old form.
    pub service_arn: Field<String>,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: Field<String>,
    /// The ARN of the revision that it runs.
    pub task_definition: Field<String>,
    /// Absent for bridge, host and external networking.
    pub network_configuration: Field<NetworkConfiguration>,
    /// Absent in old answers, which means `ECS`.
    pub deployment_controller: Field<DeploymentController>,
    /// How a deployment goes on; absent means rolling.
    pub deployment_configuration: Field<DeploymentConfiguration>,
    /// The deployments under way, and the one that is done.
    pub deployments: Field<Vec<Deployment>>,
    /// ARN of a deployment under way, if one is.
    pub current_service_deployment: Field<String>,
    /// Whether ECS Exec is on.
    pub enable_execute_command: Field<bool>,
    /// Target groups; a service without one may be reached by its address.
    pub load_balancers: Field<Vec<Present>>,
    /// Service Connect; shown in the deployments, and here in the input of a create call alone.
    pub service_connect_configuration: Field<ServiceConnect>,
    /// Target groups of VPC Lattice; shown in the deployments, and here in the input of a create call alone.
    pub vpc_lattice_configurations: Field<Vec<Present>>,
    /// `ECS` for a service that Express Mode manages.
    pub resource_management_type: Field<String>,
    /// `REPLICA` or `DAEMON`.
    pub scheduling_strategy: Field<String>,
    /// `FARGATE`, `EC2` or `EXTERNAL`; absent where a strategy decides.
    pub launch_type: Field<String>,
    /// Where its tasks are placed, if no launch type says it.
    pub capacity_provider_strategy: Field<Vec<CapacityProviderStrategyItem>>,
    /// Fargate only: `LATEST`, `1.4.0`, …
    pub platform_version: Field<String>,
    /// Fargate only: `LINUX`, `WINDOWS_SERVER_2022_CORE`, … ; recordings have `Linux`.
    pub platform_family: Field<String>,
    /// The role by which ECS calls load balancers; a service-linked role for most.
    pub role_arn: Field<String>,
    /// Which hosts may take its tasks; what they say is not read.
    pub placement_constraints: Field<Vec<Present>>,
    /// How many tasks it should run.
    pub desired_count: Field<u32>,
    /// How many tasks it runs.
    pub running_count: Field<u32>,
}

/// One part of a capacity provider strategy.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CapacityProviderStrategyItem {
    /// `FARGATE`, `FARGATE_SPOT`, or a provider of the account.
    pub capacity_provider: Field<String>,
}

/// Whether tasks placed so run on Fargate. A strategy excludes a launch type in AWS's answers; where neither is shown,
/// nobody can tell: a cluster's default strategy may decide.
pub fn on_fargate(
    launch_type: &Field<String>,
    strategy: &Field<Vec<CapacityProviderStrategyItem>>,
) -> Field<bool> {
    match (launch_type, strategy) {
        (Field::Known(kind), _) => Field::Known(kind == "FARGATE"),
        (_, Field::Known(items)) if !items.is_empty() => {
            let names = || items.iter().map(|item| &item.capacity_provider);
            if names().any(|name| matches!(name.text(), Some("FARGATE" | "FARGATE_SPOT"))) {
                Field::Known(true)
            } else if names().all(|name| name.known().is_some()) {
                Field::Known(false)
            } else {
                Field::Hidden
            }
        }
        (Field::Hidden, _) | (_, Field::Hidden) => Field::Hidden,
        (Field::Absent, _) => Field::Absent,
    }
}

/// The network block of the awsvpc mode; hidden where any part of the way to it is.
pub(super) fn awsvpc(network: &Field<NetworkConfiguration>) -> Field<&AwsvpcConfiguration> {
    match network {
        Field::Absent => Field::Absent,
        Field::Hidden => Field::Hidden,
        Field::Known(network) => match &network.awsvpc_configuration {
            Field::Absent => Field::Absent,
            Field::Hidden => Field::Hidden,
            Field::Known(block) => Field::Known(block),
        },
    }
}

/// The network block.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NetworkConfiguration {
    /// The block of the awsvpc network mode.
    pub awsvpc_configuration: Field<AwsvpcConfiguration>,
}

/// Subnets, security groups and the public address.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AwsvpcConfiguration {
    /// Subnet ids.
    pub subnets: Field<Vec<String>>,
    /// Security group ids.
    pub security_groups: Field<Vec<String>>,
    /// `ENABLED` or `DISABLED`; absent means `DISABLED`.
    pub assign_public_ip: Field<String>,
}

/// Who rolls the service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct DeploymentController {
    /// `ECS`, `CODE_DEPLOY` or `EXTERNAL`.
    #[serde(rename = "type")]
    pub kind: Field<String>,
}

/// How a deployment goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeploymentConfiguration {
    /// `ROLLING`, `BLUE_GREEN`, `LINEAR`, `CANARY`.
    pub strategy: Field<String>,
}

/// One deployment of a service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Deployment {
    /// `ecs-svc/…`
    pub id: Field<String>,
    /// `PRIMARY`, `ACTIVE` or `INACTIVE`.
    pub status: Field<String>,
    /// `COMPLETED`, `IN_PROGRESS` or `FAILED`; absent with Classic Load Balancers.
    pub rollout_state: Field<String>,
    /// How the service takes part in Service Connect.
    pub service_connect_configuration: Field<ServiceConnect>,
    /// Target groups of VPC Lattice.
    pub vpc_lattice_configurations: Field<Vec<Present>>,
}

/// How a service takes part in Service Connect.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ServiceConnect {
    /// Whether it takes part.
    pub enabled: Field<bool>,
    /// The ports that others reach it by; none where it only calls others.
    pub services: Field<Vec<Present>>,
}

impl Service {
    /// The documents of the task sets that a service is described with, which have ARNs of their own.
    pub fn task_sets(json: &RawValue) -> Vec<&RawValue> {
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "camelCase")]
        struct Sets<'a> {
            #[serde(borrow)]
            task_sets: Field<Vec<&'a RawValue>>,
        }
        serde_json::from_str::<Sets<'_>>(json.get())
            .map_or_else(|_| Vec::new(), |shape| shape.task_sets.items().to_vec())
    }

    /// Whether it runs: not being deleted, and not gone. A service that is still to be made has no status.
    pub fn active(&self) -> bool {
        self.status.text().is_none_or(|status| status == "ACTIVE")
    }

    /// The network block of the awsvpc mode; hidden where any part of the way to it is.
    pub fn awsvpc(&self) -> Field<&AwsvpcConfiguration> {
        awsvpc(&self.network_configuration)
    }

    /// Whether its tasks run on Fargate, as far as the service tells.
    pub fn on_fargate(&self) -> Field<bool> {
        on_fargate(&self.launch_type, &self.capacity_provider_strategy)
    }

    /// The capacity providers of its strategy, if it has one; `None` where they are not all shown.
    pub fn providers(&self) -> Option<BTreeSet<&str>> {
        let items = self.capacity_provider_strategy.items().iter();
        let shown = !self.capacity_provider_strategy.is_hidden();
        items.map(|item| item.capacity_provider.text()).collect::<Option<_>>().filter(|_| shown)
    }

    /// `ECS`, `CODE_DEPLOY`, `EXTERNAL`, or a newer kind. Old answers have no such member and mean `ECS`.
    pub fn controller(&self) -> Field<&str> {
        match &self.deployment_controller {
            Field::Absent => Field::Known("ECS"),
            Field::Hidden => Field::Hidden,
            Field::Known(controller) => match &controller.kind {
                Field::Absent => Field::Known("ECS"),
                Field::Hidden => Field::Hidden,
                Field::Known(kind) => Field::Known(kind),
            },
        }
    }

    /// The revision that it runs.
    pub fn revision(&self) -> Option<ResourceId> {
        let arn = self.task_definition.text()?.parse().ok()?;
        Some(ResourceId { kind: ResourceType::TaskDefinition, arn })
    }

    /// The id of a deployment that is still under way: more than one deployment, one that says so, or a current
    /// service deployment. Hidden where the document does not tell: ECS always lists the deployments.
    pub fn rolling(&self) -> Field<&str> {
        let Field::Known(deployments) = &self.deployments else { return Field::Hidden };
        // Services behind Classic Load Balancers never tell a state.
        let untold = deployments.iter().any(|one| one.rollout_state.known().is_none());
        if untold || self.current_service_deployment.is_hidden() {
            return Field::Hidden;
        }
        let primary = deployments.iter().find(|d| d.status.text() == Some("PRIMARY")).or(deployments.first());
        let id = primary.and_then(|d| d.id.text()).unwrap_or("a deployment");
        let running = deployments.len() > 1
            || deployments.iter().any(|d| d.rollout_state.text() == Some("IN_PROGRESS"))
            || self.current_service_deployment.known().is_some();
        if running { Field::Known(id) } else { Field::Absent }
    }
}
