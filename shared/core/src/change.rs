//! A change: what an event says was done, by whom, with what tool, to which resources.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, Arn, ChangeId, Region};
use crate::resource::{Resource, ResourceId, ResourceType, Retagged};

mod api;

pub use api::Api;

/// One change of one account, as one event tells of it. A hint: before anything is written, the state is
/// described again.
#[derive(Debug, Clone)]
pub struct Change {
    /// CloudTrail's `eventID`, or the `id` of a native event.
    pub id: ChangeId,
    /// When it happened.
    pub time: Timestamp,
    /// The account to act in: the envelope's, which AWS sets.
    pub account: AccountId,
    /// The Region to act in, likewise.
    pub region: Region,
    /// Who did it.
    pub actor: Actor,
    /// The tool that it was done with.
    pub origin: Origin,
    /// What was done.
    pub api: Api,
    /// The members that the request named.
    pub request: Request,
    /// What it was done to.
    pub observed: Vec<Observed>,
    /// The task or container instance that an event of ECS is about, and the version of its state: later events may
    /// carry older states.
    pub task_version: Option<(Arn, u64)>,
    /// The deployment that a deployment event is about.
    pub deployment: Option<DeploymentNews>,
    /// What it did to tags, where that is what it did.
    pub retagged: Option<Retagged>,
    /// CloudTrail delivered it a second time, late and perhaps only in part: it may start an evaluation, and
    /// never overwrites what newer events told.
    pub addendum: bool,
}

impl Change {
    /// Whether this change set a member of a resource, or may have: creating sets everything of what is created and
    /// nothing of what it refers to, a native event sets nothing, an update what its request names. A request that
    /// is hidden may have named anything.
    pub fn touches(&self, kind: ResourceType, member: &str) -> bool {
        let express = kind == ResourceType::ExpressGatewayService;
        match (&self.request, self.api.creates()) {
            (Request::Nothing, _) => false,
            (_, Some(_)) if express => self.api == Api::CreateExpressGatewayService,
            (_, Some(created)) => created == kind,
            (Request::Everything, None) => true,
            // What an Express service prints in its configurations, requests set beside each other: the ways in
            // are those that its network has.
            (Request::Members(members), None) => {
                let member = if express { "networkConfiguration" } else { member };
                members.iter().any(|name| name == member)
            }
        }
    }
}

/// The members that a change set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// All of them: the call creates, or its request can't be seen.
    Everything,
    /// None: the event only says that something happened.
    Nothing,
    /// These top-level members.
    Members(Vec<String>),
}

/// What a change shows of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// Its whole state after the change.
    State(Box<Resource>),
    /// Some of its state after the change, as one rule of a security group, or one policy of a role. What the document
    /// shows is there; what it does not show may be there too, further elements of its lists among it. A control may
    /// fail on what it shows, as long as nothing else could take that back, and says nothing else of it.
    Part(Box<Resource>),
    /// That it changed or is in use; its state is not in the event.
    Touched(ResourceId),
    /// That it is gone.
    Gone(ResourceId),
}

impl Observed {
    /// The resource's name.
    pub fn id(&self) -> &ResourceId {
        match self {
            Self::State(resource) | Self::Part(resource) => &resource.id,
            Self::Touched(id) | Self::Gone(id) => id,
        }
    }
}

/// What ECS announced of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentNews {
    /// `ecs-svc/…`
    pub id: String,
    /// How it went.
    pub progress: Progress,
}

/// How a deployment goes, by its event's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// `SERVICE_DEPLOYMENT_IN_PROGRESS`, also of a rollback.
    InProgress,
    /// `SERVICE_DEPLOYMENT_COMPLETED`
    Completed,
    /// `SERVICE_DEPLOYMENT_FAILED`, sent only where a circuit breaker or alarms are on.
    Failed,
    /// A name that came after this was built.
    Other,
}

/// The identity that made a change (`userIdentity`). Every member of it may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Actor {
    /// A name for people: the role and session, the user, the service.
    pub name: String,
    /// The role whose session made the call, by `sessionIssuer.arn`, which keeps the role's path.
    pub role: Option<Arn>,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The tool that a change was made with. A hint, since callers choose their user agent: good for wording, for
/// routing and for standing back, never a reason to trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A stack operation, by whoever started it.
    CloudFormation,
    /// CDK calling AWS itself (hotswap); its stacks come as CloudFormation.
    Cdk,
    /// Terraform or OpenTofu.
    Terraform,
    /// Pulumi.
    Pulumi,
    /// A person in the console.
    Console,
    /// The AWS command line.
    Cli,
    /// A program.
    Sdk,
    /// An AWS service on somebody's behalf, such as Application Auto Scaling.
    Service,
    /// ECS itself, in an event of its own.
    Ecs,
    /// Ourselves.
    Shipshape,
    /// Nothing tells.
    Unknown,
}

impl Origin {
    /// The word in the output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CloudFormation => "cloudformation",
            Self::Cdk => "cdk",
            Self::Terraform => "terraform",
            Self::Pulumi => "pulumi",
            Self::Console => "console",
            Self::Cli => "cli",
            Self::Sdk => "sdk",
            Self::Service => "service",
            Self::Ecs => "ecs",
            Self::Shipshape => "shipshape",
            Self::Unknown => "unknown",
        }
    }

    /// Whether a template or program stands behind the resource, and will put it back.
    pub fn is_iac(self) -> bool {
        matches!(self, Self::CloudFormation | Self::Cdk | Self::Terraform | Self::Pulumi)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
