//! Could people still use ECS Exec once its sessions are logged the way the containers log? The task's role writes the
//! log, and a session whose log can't be written may be refused.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html>

use super::{Doubts, content, role_arn};
use crate::document::Field;
use crate::facts::{Facts, Need};
use crate::resource::{Body, Cluster, Resource, Service, TaskDefinition};
use crate::text::shown;

/// Demands that the role of every task of a cluster that has ECS Exec on may write where its containers log.
pub fn as_the_containers(resource: &Resource, cluster: &Cluster, facts: &Facts, doubts: &mut Doubts) {
    let (services, running, pending) =
        (&cluster.active_services_count, &cluster.running_tasks_count, &cluster.pending_tasks_count);
    if [services, running, pending].iter().all(|count| count.known() == Some(&0)) {
        return;
    }
    let known: Vec<(&Resource, &Service)> = inside(resource, facts).collect();
    let count: u32 = known.iter().filter_map(|(_, service)| service.running_count.known()).sum();
    let all = services.known().is_some_and(|services| *services as usize == known.len());
    // What services do not account for runs by itself, with ECS Exec on or off.
    if !all || running.known().is_none_or(|running| *running > count) || pending.known() != Some(&0) {
        doubts.need(Need::Tasks(resource.id.arn.clone()));
    }
    for (id, service) in known {
        match service.enable_execute_command {
            Field::Absent | Field::Known(false) => {}
            Field::Hidden => doubts.need(Need::Resource(id.id.clone())),
            Field::Known(true) => {
                let Some(task) = content(service, facts, doubts) else { continue };
                writes(id, service, task, doubts);
            }
        }
    }
}

/// The services that are known to run in a cluster.
fn inside<'a>(cluster: &Resource, facts: &'a Facts) -> impl Iterator<Item = (&'a Resource, &'a Service)> {
    let start = cluster.id.arn.as_str().replacen(":cluster/", ":service/", 1) + "/";
    facts.resources().filter_map(move |known| match &known.body {
        Body::Service(service) if known.id.arn.as_str().starts_with(&start) && service.active() => {
            Some((known, &**service))
        }
        _ => None,
    })
}

/// Whether a service's containers log where a session can, and by a role that can be asked about.
fn writes(resource: &Resource, service: &Service, task: &TaskDefinition, doubts: &mut Doubts) {
    let name = shown(resource.id.arn.name());
    let logs = || task.container_definitions.items().iter().map(|container| &container.log_configuration);
    let hidden = logs().any(Field::is_hidden);
    if !hidden && !logs().any(|log| log.known().is_some_and(|log| log.log_driver.text() == Some("awslogs"))) {
        doubts.refuse(
            "nowhere to log sessions",
            format!("no container of service {name} logs by awslogs, so that DEFAULT would log no session of it: set OVERRIDE with a log group or a bucket"),
        );
    }
    let role = match &task.task_role_arn {
        Field::Known(role) => role_arn(role, &resource.id.arn).parse().ok(),
        Field::Hidden => None,
        Field::Absent => {
            return doubts.refuse(
                "no task role",
                format!("service {name} has ECS Exec on and no task role, so that no session of it may write a log: give it one with logs:DescribeLogGroups, logs:DescribeLogStreams, logs:CreateLogStream and logs:PutLogEvents"),
            );
        }
    };
    // What the revision hides, describing it shows.
    if let Some(revision) = service.revision().filter(|_| hidden || role.is_none()) {
        doubts.need(Need::Resource(revision));
    }
    if let Some(role) = role {
        doubts.need(Need::ExecLogRights(role));
    }
}
