//! A service is reached through a load balancer.
//!
//! House-keeping, and opt-in: a worker that takes its work from a queue has none, and fails here. Not concerned are
//! daemons, services whose task sets have the load balancers, and those that others reach through Service Connect or VPC
//! Lattice, which balance by themselves. Cloud Map does not: it hands out the tasks' own addresses. Service Connect
//! and Lattice are shown in the deployments alone.

use serde_json::json;

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Ratchet, Rule, Severity, Violation, no_fix,
};
use crate::document::{Field, Present};
use crate::facts::Need;
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::Service;
use crate::resource::service::ServiceConnect;

/// No fix: which target group, port and health check are right only the owner can say.
pub(super) static CONTROL: Control = Control {
    slug: "ecs-service-behind-load-balancer",
    title: "Services are reached through a load balancer",
    severity: Severity::Low,
    standards: &[],
    practice: None,
    rationale: "Without a load balancer callers hold on to the addresses of tasks, nothing checks whether these still \
                answer, and every replaced task is a failure for somebody.",
    template: "LoadBalancers in AWS::ECS::Service; Terraform: load_balancer { … } in aws_ecs_service",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-load-balancing.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: true,
    parameters: &[],
    rule: Rule::Service(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

const PATH: &str = "/loadBalancers";

fn check(service: &Service, _: &Context<'_>) -> Compliance {
    if !service.active() {
        return Compliance::NotApplicable("the service is not active");
    }
    if service.controller() == Field::Known("EXTERNAL") {
        return Compliance::NotApplicable("the service's task sets name the load balancers");
    }
    if service.scheduling_strategy.text() == Some("DAEMON") {
        return Compliance::NotApplicable("a daemon serves its own host");
    }
    match &service.load_balancers {
        Field::Hidden => return Compliance::Unknown(vec![Need::Member(PATH.to_owned())]),
        Field::Known(balancers) if !balancers.is_empty() => return Compliance::Passed,
        Field::Known(_) | Field::Absent => {}
    }
    let primary = service.deployments.items().iter().find(|one| one.status.text() == Some("PRIMARY"));
    let connect = [&service.service_connect_configuration]
        .into_iter()
        .chain(primary.map(|deployment| &deployment.service_connect_configuration));
    let lattice = [&service.vpc_lattice_configurations]
        .into_iter()
        .chain(primary.map(|deployment| &deployment.vpc_lattice_configurations));
    let told: Vec<Field<bool>> = connect.map(serves).chain(lattice.map(listed)).collect();
    if told.contains(&Field::Known(true)) {
        return Compliance::NotApplicable("the service is reached through Service Connect or VPC Lattice");
    }
    if told.contains(&Field::Hidden) || service.deployments.is_hidden() {
        return Compliance::Unknown(vec![Need::Member("/deployments".to_owned())]);
    }
    Compliance::Failed(vec![Violation::new(PATH, json!([]), "a load balancer")])
}

/// Whether others reach it through Service Connect. One that only calls others names no services of its own.
fn serves(connect: &Field<ServiceConnect>) -> Field<bool> {
    match connect {
        Field::Absent => Field::Known(false),
        Field::Hidden => Field::Hidden,
        Field::Known(connect) if connect.enabled.known() == Some(&true) => listed(&connect.services),
        Field::Known(connect) if connect.enabled.is_hidden() => Field::Hidden,
        Field::Known(_) => Field::Known(false),
    }
}

fn listed(list: &Field<Vec<Present>>) -> Field<bool> {
    match list {
        Field::Absent => Field::Known(false),
        Field::Hidden => Field::Hidden,
        Field::Known(items) => Field::Known(!items.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::check;

    #[test]
    fn table() {
        let deployed = |status: &str, member: &str, value: Value| json!({"loadBalancers": [], "deployments": [{"status": status, member: value}]});
        let connect = |value: Value| deployed("PRIMARY", "serviceConnectConfiguration", value);
        let fails = || Failed(&[PATH]);
        check(
            &CONTROL,
            &[
                ("one", json!({"loadBalancers": [{"targetGroupArn": "arn:x"}]}), Passed),
                ("none", json!({"status": "ACTIVE", "loadBalancers": []}), fails()),
                ("absent", json!({"serviceRegistries": [{"registryArn": "arn:x"}]}), fails()),
                ("hidden", json!({"loadBalancers": "HIDDEN_DUE_TO_SECURITY_REASONS"}), Unknown),
                ("a daemon", json!({"schedulingStrategy": "DAEMON", "loadBalancers": []}), NotApplicable),
                ("task sets", json!({"deploymentController": {"type": "EXTERNAL"}}), NotApplicable),
                ("gone", json!({"status": "INACTIVE"}), NotApplicable),
                (
                    "Service Connect",
                    connect(json!({"enabled": true, "services": [{"portName": "http"}]})),
                    NotApplicable,
                ),
                ("only calls others", connect(json!({"enabled": true, "services": []})), fails()),
                ("Service Connect is off", connect(json!({"enabled": false})), fails()),
                ("Service Connect is hidden", connect(json!({"omitted": "true"})), Unknown),
                (
                    "Lattice",
                    deployed("PRIMARY", "vpcLatticeConfigurations", json!([{"portName": "http"}])),
                    NotApplicable,
                ),
                (
                    "Lattice of a deployment that is replaced",
                    deployed("ACTIVE", "vpcLatticeConfigurations", json!([{"portName": "http"}])),
                    fails(),
                ),
                (
                    "Lattice, not made yet",
                    json!({"serviceName": "a", "vpcLatticeConfigurations": [{"portName": "http"}]}),
                    NotApplicable,
                ),
                (
                    "deployments hidden",
                    json!({"loadBalancers": [], "deployments": {"omitted": "true"}}),
                    Unknown,
                ),
            ],
        );
    }
}
