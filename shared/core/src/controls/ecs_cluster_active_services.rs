//! A cluster is used: services or tasks are in it.
//!
//! House-keeping, and opt-in. A cluster for tasks that are run one by one has no service, and passes while one runs; one
//! that only runs something at night fails by day, and one that was just made fails until something is in it. Whether
//! hosts are registered is not asked: a cluster on Fargate has none.

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Ratchet, Rule, Severity, Violation, no_fix,
};
use crate::document::Field;
use crate::facts::Need;
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::Cluster;

/// No fix: nobody deletes a cluster but its owner.
pub(super) static CONTROL: Control = Control {
    slug: "ecs-cluster-active-services",
    title: "Clusters are used",
    severity: Severity::Low,
    standards: &[],
    practice: None,
    rationale: "What nobody uses nobody watches: its roles, hosts and settings stay as they were, and are there for \
                whoever finds them.",
    template: "no AWS::ECS::Cluster that nothing refers to; Terraform: no aws_ecs_cluster that nothing refers to",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/clusters.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: true,
    parameters: &[],
    rule: Rule::Cluster(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

const PATH: &str = "/activeServicesCount";

fn check(cluster: &Cluster, _: &Context<'_>) -> Compliance {
    if cluster.gone() {
        return Compliance::NotApplicable("the cluster is gone, or going");
    }
    let counts = [
        (PATH, &cluster.active_services_count),
        ("/runningTasksCount", &cluster.running_tasks_count),
        ("/pendingTasksCount", &cluster.pending_tasks_count),
    ];
    if counts.iter().any(|(_, count)| matches!(count, Field::Known(count) if *count > 0)) {
        return Compliance::Passed;
    }
    let unknown = counts.iter().filter(|(_, count)| count.known().is_none());
    let unknown: Vec<Need> = unknown.map(|(path, _)| Need::Member((*path).to_owned())).collect();
    if unknown.is_empty() {
        Compliance::Failed(vec![Violation::new(PATH, 0, "a service or a task")])
    } else {
        Compliance::Unknown(unknown)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::check;

    #[test]
    fn table() {
        let with = |services: u32, running: u32, pending: u32| {
            json!({"status": "ACTIVE", "activeServicesCount": services, "runningTasksCount": running,
                "pendingTasksCount": pending})
        };
        check(
            &CONTROL,
            &[
                ("services", with(2, 0, 0), Passed),
                ("tasks without a service", with(0, 1, 0), Passed),
                ("tasks that are about to run", with(0, 0, 1), Passed),
                ("nothing", with(0, 0, 0), Failed(&[PATH])),
                ("some counts are enough", json!({"runningTasksCount": 3}), Passed),
                ("a count is missing", json!({"activeServicesCount": 0, "runningTasksCount": 0}), Unknown),
                ("hidden", json!({"activeServicesCount": {"omitted": "true"}}), Unknown),
                ("gone", json!({"status": "INACTIVE"}), NotApplicable),
            ],
        );
    }
}
