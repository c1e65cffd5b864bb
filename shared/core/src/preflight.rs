//! What speaks against running a fix now. A refusal is a first-class answer: what is missing, where, what to do.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::control::{Context, Rule};
use crate::document::Field;
use crate::facts::{Facts, Need};
use crate::ids::Arn;
use crate::remediation::{Action, Fix, Loosening, Proof};
use crate::resource::{Body, Resource, ResourceType, Service, TaskDefinition};
use crate::selection::Selected;
use crate::text::shown;

mod ahead;
pub mod exec_logs;
pub mod images;
pub mod reachability;

pub use ahead::ahead;

/// Whether a fix may run, as far as the facts say.
#[derive(Debug, Clone)]
pub enum Preflight {
    /// Everything that the fix needs is shown to be there, and the plan is proved not to loosen anything.
    Proved(Box<Proof>),
    /// It must not run.
    Refused(Vec<Refusal>),
    /// Facts are missing: not proved, and not refused.
    Unknown(Vec<Need>),
    /// It could run, but for something that passes by itself; with the proof, where the plan is whole already.
    Wait(WaitFor, Option<Box<Proof>>),
}

/// Why a fix must not run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// A few words, by which reports count.
    pub topic: String,
    /// The whole sentence: what is missing, where, what to do.
    pub sentence: String,
}

/// What a fix waits for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// The end of a deployment (`ecs-svc/…`).
    Deployment(String),
    /// A mended revision of a task definition, which the `task-definition` function registers.
    Mended(Arn),
}

impl fmt::Display for WaitFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deployment(id) => write!(f, "the deployment {} is still under way", shown(id)),
            Self::Mended(arn) => {
                write!(f, "no mended revision of {} passes this control yet", shown(arn.name()))
            }
        }
    }
}

/// What speaks against a fix, as it is collected.
#[derive(Debug, Clone, Default)]
pub struct Doubts {
    refusals: Vec<Refusal>,
    needs: Vec<Need>,
    wait: Option<WaitFor>,
}

impl Doubts {
    /// The fix must not run.
    pub fn refuse(&mut self, topic: impl Into<String>, sentence: impl Into<String>) {
        self.refusals.push(Refusal { topic: topic.into(), sentence: sentence.into() });
    }

    /// A fact is missing.
    pub fn need(&mut self, need: Need) {
        self.needs.push(need);
    }

    /// The fix has to wait.
    pub fn wait(&mut self, wait: WaitFor) {
        self.wait.get_or_insert(wait);
    }
}

/// The pre-flight of one control's fix of a resource.
pub fn preflight(
    fix: &Fix,
    resource: &Resource,
    facts: &Facts,
    selected: &Selected,
    proof: Result<Proof, Loosening>,
) -> Preflight {
    let mut doubts = Doubts::default();
    let context = Context { resource, facts, parameters: &selected.parameters };
    match (&selected.control.rule, &resource.body) {
        (Rule::TaskDefinition(rule), Body::TaskDefinition(task)) => {
            if fix.call == Some(Action::RegisterTaskDefinition) {
                roles(resource, task, facts, &mut doubts);
            }
            (rule.preflight)(task, &context, &mut doubts);
        }
        (Rule::TaskDefinition(_), Body::Service(service)) => {
            move_service(fix, resource, service, facts, &mut doubts);
        }
        (Rule::Service(rule), Body::Service(service)) => {
            (rule.preflight)(service, &context, &mut doubts);
        }
        (Rule::Cluster(rule), Body::Cluster(cluster)) => {
            (rule.preflight)(cluster, &context, &mut doubts);
        }
        (Rule::CapacityProvider(rule), Body::CapacityProvider(provider)) => {
            (rule.preflight)(provider, &context, &mut doubts);
        }
        (Rule::AccountSetting(rule), Body::AccountSetting(setting)) => {
            (rule.preflight)(setting, &context, &mut doubts);
        }
        _ => doubts.refuse("not supported", "nothing here can fix a resource of this kind"),
    }
    conclude(doubts, proof)
}

/// Refusals outweigh what is not known, and that outweighs what passes by itself: nobody waits for a fix that
/// will never run.
fn conclude(mut doubts: Doubts, proof: Result<Proof, Loosening>) -> Preflight {
    if let (None, Err(loosening)) = (&doubts.wait, &proof) {
        doubts.refuse("the plan is not proved", loosening.to_string());
    }
    doubts.refusals.sort();
    doubts.refusals.dedup();
    doubts.needs.sort();
    doubts.needs.dedup();
    match (doubts.wait, proof) {
        _ if !doubts.refusals.is_empty() => Preflight::Refused(doubts.refusals),
        _ if !doubts.needs.is_empty() => Preflight::Unknown(doubts.needs),
        (Some(wait), proof) => Preflight::Wait(wait, proof.ok().map(Box::new)),
        (None, Ok(proof)) => Preflight::Proved(Box::new(proof)),
        (None, Err(_)) => Preflight::Refused(doubts.refusals),
    }
}

/// Nothing to prove: the fix changes a setting, starts nothing and stops nothing.
pub fn nothing<T>(_: &T, _: &Context<'_>, _: &mut Doubts) {}

/// Registering a revision passes its roles to ECS, and only `PassableRoles` may be passed.
fn roles(resource: &Resource, task: &TaskDefinition, facts: &Facts, doubts: &mut Doubts) {
    if resource.id.kind == ResourceType::DaemonTaskDefinition {
        return;
    }
    for (member, role) in
        [("executionRoleArn", &task.execution_role_arn), ("taskRoleArn", &task.task_role_arn)]
    {
        match role {
            Field::Absent => {}
            Field::Hidden => doubts.need(Need::Member(format!("/{member}"))),
            Field::Known(role) => {
                let arn = shown(&role_arn(role, &resource.id.arn));
                let passable = facts
                    .passable_roles
                    .iter()
                    .any(|pattern| wildmatch::WildMatch::new(pattern).matches(&arn));
                if !passable {
                    doubts.refuse(
                        "role outside PassableRoles",
                        format!(
                            "`{member}` is {arn}, which is outside the parameter PassableRoles: deploy with a pattern that \
                             covers it (replay: --passable-role) if Shipshape may hand this role to tasks"
                        ),
                    );
                }
            }
        }
    }
}

/// `taskRoleArn` may hold a bare name (ECS API reference, RegisterTaskDefinition).
fn role_arn(role: &str, resource: &Arn) -> String {
    if role.starts_with("arn:") {
        role.to_owned()
    } else {
        format!("arn:{}:iam::{}:role/{role}", resource.partition(), resource.account())
    }
}

/// What any new deployment of a service has to satisfy (UpdateService, API reference).
pub fn rollout(resource: &Resource, service: &Service, facts: &Facts, doubts: &mut Doubts) {
    updatable(resource, service, doubts);
    match service.deployment_configuration.known().map(|configuration| &configuration.strategy) {
        None if service.deployment_configuration.is_hidden() => doubts.need(Need::Resource(resource.id.clone())),
        None | Some(Field::Absent) => {}
        Some(Field::Known(strategy)) if strategy == "ROLLING" => {}
        Some(Field::Known(strategy)) => doubts.refuse(
            "not a rolling deployment",
            format!("the service deploys by {}, with stages and hooks of its own: make the change in its next deployment", shown(strategy)),
        ),
        Some(Field::Hidden) => doubts.need(Need::Resource(resource.id.clone())),
    }
    if service.scheduling_strategy.is_hidden() {
        doubts.need(Need::Resource(resource.id.clone()));
    }
    if service.scheduling_strategy.text() == Some("DAEMON") {
        doubts.refuse("daemon service", "a daemon service stops a task on every host before it starts the next: roll it when the hosts can spare it");
    }
    images::unchanged(resource, service, facts, doubts);
    match service.rolling() {
        Field::Known(id) => doubts.wait(WaitFor::Deployment(id.to_owned())),
        Field::Hidden => doubts.need(Need::Resource(resource.id.clone())),
        Field::Absent => {}
    }
}

/// What any update of a service by us has to satisfy: nobody else manages it, and ECS takes the update.
pub fn updatable(resource: &Resource, service: &Service, doubts: &mut Doubts) {
    match service.controller() {
        Field::Known("ECS") => {}
        Field::Known("CODE_DEPLOY") => doubts.refuse(
            "CODE_DEPLOY controller",
            "AWS CodeDeploy rolls this service and ECS refuses the update: make the change in a CodeDeploy deployment, whose AppSpec can carry NetworkConfiguration and TaskDefinition",
        ),
        Field::Known("EXTERNAL") => doubts.refuse(
            "EXTERNAL controller",
            "an external controller rolls this service through task sets and ECS refuses the update: make the change where its task sets are made",
        ),
        Field::Known(other) => doubts.refuse(
            "unknown controller",
            format!("nothing is known of the deployment controller `{}`: change the service with the tool that rolls it", shown(other)),
        ),
        Field::Absent | Field::Hidden => doubts.need(Need::Resource(resource.id.clone())),
    }
    if service.resource_management_type.is_hidden() {
        doubts.need(Need::Resource(resource.id.clone()));
    }
    if service.resource_management_type.text() == Some("ECS") {
        doubts.refuse(
            "managed by ECS Express Mode",
            "Express Mode manages this service: change it with UpdateExpressGatewayService",
        );
    }
    if resource.id.cluster().is_some_and(|cluster| cluster.starts_with("AWSBatch-")) {
        doubts.refuse(
            "managed by AWS Batch",
            "AWS Batch manages this cluster: change the job definition or the compute environment",
        );
    }
    if resource.tags.known().is_none() {
        // Nobody has seen its tags, and a stack may own it.
        doubts.need(Need::Resource(resource.id.clone()));
    }
}

/// A service moves to a mended revision: a deployment like any other, and ECS Exec must still work.
fn move_service(fix: &Fix, resource: &Resource, service: &Service, facts: &Facts, doubts: &mut Doubts) {
    rollout(resource, service, facts, doubts);
    let Some(revision) = service.revision() else {
        doubts.need(Need::Resource(resource.id.clone()));
        return;
    };
    if fix.is_provisional() {
        doubts.wait(WaitFor::Mended(revision.arn.clone()));
        return;
    }
    if service.enable_execute_command.is_hidden() {
        doubts.need(Need::Resource(resource.id.clone()));
    }
    let exec = service.enable_execute_command.known() == Some(&true);
    let Some(Body::TaskDefinition(mended)) = facts.mended(&revision.arn).map(|known| &known.body) else {
        return;
    };
    let Some(Body::TaskDefinition(old)) = facts.resource(&revision.arn).map(|known| &known.body) else {
        return;
    };
    reachability::of_the_mended(resource, service, [old, mended], facts, doubts);
    if exec && read_only(mended).count() > read_only(old).count() {
        doubts.refuse(
            "ECS Exec needs a writable root",
            "the service has ECS Exec on, whose agent writes to the root filesystem: switch Exec off, or mount volumes for it and mend the revision yourselves",
        );
    }
}

fn read_only(task: &TaskDefinition) -> impl Iterator<Item = &str> {
    let containers = task.container_definitions.items().iter();
    containers
        .filter(|one| one.readonly_root_filesystem.known() == Some(&true))
        .filter_map(|one| one.name.text())
}

/// The containers of the revision that a service runs, or that its content is not known.
pub(crate) fn content<'a>(
    service: &Service,
    facts: &'a Facts,
    doubts: &mut Doubts,
) -> Option<&'a TaskDefinition> {
    let id = service.revision()?;
    match facts.resource(&id.arn).map(|known| &known.body) {
        Some(Body::TaskDefinition(task)) if task.is_shown() => Some(task),
        _ => {
            doubts.need(Need::Resource(id));
            None
        }
    }
}

/// How many refusals there are of each topic, most first: `6 no route to ecr.api, 3 role outside PassableRoles`.
pub fn count_topics<'a>(topics: impl Iterator<Item = &'a str>) -> Vec<(usize, &'a str)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for topic in topics {
        *counts.entry(topic).or_default() += 1;
    }
    let mut counts: Vec<(usize, &str)> = counts.into_iter().map(|(topic, count)| (count, topic)).collect();
    counts.sort_by_key(|(count, topic)| (usize::MAX - count, *topic));
    counts
}
