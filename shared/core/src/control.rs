//! Controls: what is demanded, how it is checked, how it is fixed. A control is data with plain functions; the
//! variant of [`Rule`] says what it judges.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) mod address;
mod evaluate;
pub(crate) mod exec;
pub(crate) mod fargate;
pub(crate) mod host_path;
pub(crate) mod namespaces;
pub(crate) mod scratch;
pub(crate) mod tags;

pub(crate) use evaluate::evaluate_all;
pub use evaluate::{Evaluation, evaluate, evaluate_part};

use crate::document::Field;
use crate::facts::{Facts, Need};
use crate::policy::Parameter;
use crate::preflight::Doubts;
use crate::remediation::{Action, Fix, Safety};
use crate::resource::task_definition::Container;
use crate::resource::{
    AccountSetting, CapacityProvider, Cluster, ExpressGatewayService, Launch, Resource, ResourceType,
    Service, TaskDefinition, TaskSet,
};
use crate::selection::Parameters;

/// How much a violation matters, by ASFF's labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "ASFF's labels")]
pub enum Severity {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// All of them, least first.
    pub const ALL: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The label in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == text).ok_or_else(|| {
            format!("`{text}` is not a severity: one of informational, low, medium, high, critical")
        })
    }
}

/// Which of the seven practices of secure ECS a control serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Practice {
    /// Roles may do what their tasks need and no more; credentials are hard to get at.
    LeastPrivilege,
    /// Images are scanned, come from where they should, and stay what they were.
    SecureImages,
    /// Nothing is reachable that need not be.
    NetworkSecurity,
    /// What happens can be seen afterwards.
    LoggingAndMonitoring,
    /// Known flaws are closed soon.
    Patching,
    /// Containers run without root and without the host's rights.
    NonRootAndNonPrivileged,
    /// What runs can't be changed while it runs.
    ReadOnlyRootFilesystem,
}

impl Practice {
    /// The practice in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LeastPrivilege => "least-privilege IAM",
            Self::SecureImages => "secure images",
            Self::NetworkSecurity => "network security",
            Self::LoggingAndMonitoring => "logging and monitoring",
            Self::Patching => "patching",
            Self::NonRootAndNonPrivileged => "non-root and non-privileged",
            Self::ReadOnlyRootFilesystem => "read-only root filesystem",
        }
    }
}

/// What keeps a fix from loosening, beside the proof that is made of every plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ratchet {
    /// The role can't do the opposite: this condition key stops it.
    Iam(&'static str),
    /// IAM has no key for it; the program proves it before every write.
    Code,
}

/// A security requirement. Its file is its documentation.
pub struct Control {
    /// Its name everywhere: output, policy, events, snapshots, the anchor in the documentation.
    pub slug: &'static str,
    /// What is demanded, in one line.
    pub title: &'static str,
    /// How much a violation matters.
    pub severity: Severity,
    /// Ids in published standards; `ECS.n` is Security Hub's.
    pub standards: &'static [&'static str],
    /// Which practice it serves; none where it is good house-keeping.
    pub practice: Option<Practice>,
    /// Why, in a few sentences.
    pub rationale: &'static str,
    /// How the template or program that made the resource should say it.
    pub template: &'static str,
    /// What would have refused the change in the first place, where something can.
    pub prevention: &'static str,
    /// The AWS page that it rests on.
    pub reference: &'static str,
    /// May its fix run unattended, where the policy sets no parameter? Argued where the fix is.
    pub safety: Safety,
    /// The call that makes its fix; none where only a person can.
    pub call: Option<Action>,
    /// What keeps the fix from loosening.
    pub ratchet: Ratchet,
    /// What the pre-flight proves before the fix may run; empty where nothing can break.
    pub preflight: &'static str,
    /// Judged only where the policy switches it on.
    pub opt_in: bool,
    /// What the policy may set under `[controls.<slug>]`.
    pub parameters: &'static [Parameter],
    /// What it judges, and how.
    pub rule: Rule,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug)
    }
}

impl PartialEq for Control {
    fn eq(&self, other: &Self) -> bool {
        self.slug == other.slug
    }
}

/// What a control judges.
pub enum Rule {
    /// Revisions of task definitions, and the services that run them.
    TaskDefinition(Functions<TaskDefinition>),
    /// Services.
    Service(Functions<Service>),
    /// Express services.
    ExpressGatewayService(Functions<ExpressGatewayService>),
    /// Clusters.
    Cluster(Functions<Cluster>),
    /// Task sets of services that an external controller rolls.
    TaskSet(Functions<TaskSet>),
    /// Tasks that RunTask and StartTask launch, by their request.
    Launch(Functions<Launch>),
    /// Capacity providers.
    CapacityProvider(Functions<CapacityProvider>),
    /// Settings of accounts.
    AccountSetting(Functions<AccountSetting>),
}

impl Rule {
    /// The kind of resource whose document is judged.
    pub fn kind(&self) -> ResourceType {
        match self {
            Self::TaskDefinition(_) => ResourceType::TaskDefinition,
            Self::Service(_) => ResourceType::Service,
            Self::ExpressGatewayService(_) => ResourceType::ExpressGatewayService,
            Self::Cluster(_) => ResourceType::Cluster,
            Self::TaskSet(_) => ResourceType::TaskSet,
            Self::Launch(_) => ResourceType::Task,
            Self::CapacityProvider(_) => ResourceType::CapacityProvider,
            Self::AccountSetting(_) => ResourceType::AccountSetting,
        }
    }
}

/// What a control sees beside the view of the document.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The resource that the document is of; of a service's content, the revision.
    pub resource: &'a Resource,
    /// What else is known.
    pub facts: &'a Facts,
    /// What the policy set for the control.
    pub parameters: &'a Parameters,
}

/// The three functions of a control.
pub struct Functions<T: 'static> {
    /// Does the resource comply?
    pub check: fn(&T, &Context<'_>) -> Compliance,
    /// The fix of a resource that does not. `None` where only a person can say what is right.
    pub fix: fn(&T, &Context<'_>) -> Option<Fix>,
    /// What speaks against running the fix now.
    pub preflight: fn(&T, &Context<'_>, &mut Doubts),
}

/// The fix of a control where only a person can say what is right.
pub fn no_fix<T>(_: &T, _: &Context<'_>) -> Option<Fix> {
    None
}

/// A check's answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Compliance {
    /// It complies.
    Passed,
    /// It does not, in these places.
    Failed(Vec<Violation>),
    /// The demand does not concern it, for this reason.
    NotApplicable(&'static str),
    /// Nobody can tell without these facts. Neither compliant nor a violation.
    Unknown(Vec<Need>),
}

impl Compliance {
    /// The word in the output.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::NotApplicable(_) => "not_applicable",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Failed where there are violations; they outweigh what can't be seen elsewhere in the document.
    pub fn of(violations: Vec<Violation>, hidden: Vec<Need>) -> Self {
        match (violations.is_empty(), hidden.is_empty()) {
            (false, _) => Self::Failed(violations),
            (true, false) => Self::Unknown(hidden),
            (true, true) => Self::Passed,
        }
    }
}

/// One place of a document that is not as demanded. Never a value of `environment` or its kin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// JSON pointer into the document.
    pub path: String,
    /// What is there; `null` where nothing is.
    pub actual: Value,
    /// What is demanded.
    pub expected: Value,
}

impl Violation {
    /// A place that holds a value and should hold another.
    pub fn new(path: impl Into<String>, actual: impl Into<Value>, expected: impl Into<Value>) -> Self {
        Self { path: path.into(), actual: actual.into(), expected: expected.into() }
    }
}

impl Control {
    /// Whether it says anything of a kind of resource. Services and task sets answer for the task definition that
    /// they run.
    pub fn concerns(&self, kind: ResourceType) -> bool {
        match self.rule.kind() {
            ResourceType::TaskDefinition => matches!(
                kind,
                ResourceType::TaskDefinition
                    | ResourceType::DaemonTaskDefinition
                    | ResourceType::Service
                    | ResourceType::TaskSet
            ),
            own => own == kind,
        }
    }
}

/// What one place of a document says of a demand.
pub(crate) enum Place {
    /// As demanded, or not concerned.
    Fine,
    /// Not as demanded.
    Violates(Violation),
    /// Not shown: the JSON pointer of what would have to be.
    Hidden(String),
}

/// The answer of a control that every place of a document has to satisfy.
pub(crate) fn every(places: impl IntoIterator<Item = Place>) -> Compliance {
    let (mut violations, mut hidden) = (Vec::new(), Vec::new());
    for place in places {
        match place {
            Place::Fine => {}
            Place::Violates(violation) => violations.push(violation),
            Place::Hidden(path) => hidden.push(Need::Member(path)),
        }
    }
    Compliance::of(violations, hidden)
}

/// The answer of a control that every container has to satisfy, sidecars and non-essential ones too. `judge` gets
/// the container and its JSON pointer.
pub(crate) fn every_container(
    task: &TaskDefinition,
    judge: impl Fn(&Container, String) -> Place,
) -> Compliance {
    let containers = task.container_definitions.items().iter().enumerate();
    every(containers.map(|(index, container)| judge(container, format!("/containerDefinitions/{index}"))))
}

/// Whether a container's `user` is root: the part before the colon, by its name or by a number that is 0.
pub(crate) fn is_root(user: &str) -> bool {
    let name = user.split(':').next().unwrap_or_default().trim();
    let digits = name.strip_prefix(['+', '-']).unwrap_or(name);
    name.is_empty() || name == "root" || (!digits.is_empty() && digits.bytes().all(|digit| digit == b'0'))
}

/// The prevention of what no condition key of IAM covers.
pub(crate) const NO_KEY: &str = "no condition key covers it: test for it where the template is built";

/// The prevention of what no condition key of IAM names, and Fargate refuses.
pub(crate) const FARGATE_REFUSES: &str = "no condition key names it, but Fargate refuses it: where everything runs there, an SCP may deny \
     ecs:RegisterTaskDefinition unless ecs:compute-compatibility is FARGATE";

/// What the pre-flight of every mended revision proves.
pub(crate) const MENDED: &str =
    "roles are within PassableRoles; for the service: ECS rolls it, the same images, no deployment under way";

/// The answer of a control that says nothing of Windows; none where the definition is Linux's.
pub(crate) fn windows(task: &TaskDefinition, reason: &'static str) -> Option<Compliance> {
    match task.windows() {
        Field::Known(true) => Some(Compliance::NotApplicable(reason)),
        Field::Hidden => Some(Compliance::Unknown(vec![Need::Member("/runtimePlatform".to_owned())])),
        Field::Known(false) | Field::Absent => None,
    }
}
