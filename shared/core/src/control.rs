//! Controls: what is demanded, how it is checked, how it is fixed. A control is data with plain functions; the
//! variant of [`Rule`] says what it judges.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::Field;
use crate::facts::{Facts, Need};
use crate::policy::Parameter;
use crate::preflight::Doubts;
use crate::remediation::Fix;
use crate::resource::{Body, Cluster, Resource, ResourceId, ResourceType, Service, TaskDefinition};
use crate::selection::{Parameters, Selected, Selection};

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
    /// Nothing is reachable that need not be.
    NetworkSecurity,
    /// What happens can be seen afterwards.
    LoggingAndMonitoring,
    /// Containers run without root and without the host's rights.
    NonRootAndNonPrivileged,
    /// What runs can't be changed while it runs.
    ReadOnlyRootFilesystem,
}

impl Practice {
    /// The practice in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NetworkSecurity => "network security",
            Self::LoggingAndMonitoring => "logging and monitoring",
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
    /// Which practice it serves.
    pub practice: Practice,
    /// Why, in a few sentences.
    pub rationale: &'static str,
    /// How the template or program that made the resource should say it.
    pub template: &'static str,
    /// What would have refused the change in the first place, where something can.
    pub prevention: &'static str,
    /// The AWS page that it rests on.
    pub reference: &'static str,
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
    /// Clusters.
    Cluster(Functions<Cluster>),
}

impl Rule {
    /// The kind of resource whose document is judged.
    pub fn kind(&self) -> ResourceType {
        match self {
            Self::TaskDefinition(_) => ResourceType::TaskDefinition,
            Self::Service(_) => ResourceType::Service,
            Self::Cluster(_) => ResourceType::Cluster,
        }
    }
}

/// The three functions of a control.
pub struct Functions<T: 'static> {
    /// Does the resource comply?
    pub check: fn(&T, &Parameters) -> Compliance,
    /// The fix of a resource that does not. `None` where only a person can say what is right.
    pub fix: fn(&Resource, &T, &Parameters) -> Option<Fix>,
    /// What speaks against running the fix now.
    pub preflight: fn(&Resource, &T, &Facts, &Parameters, &mut Doubts),
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
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    /// Whether it says anything of a kind of resource. A service answers for the task definition that it runs.
    pub fn concerns(&self, kind: ResourceType) -> bool {
        match self.rule.kind() {
            ResourceType::TaskDefinition => matches!(
                kind,
                ResourceType::TaskDefinition | ResourceType::DaemonTaskDefinition | ResourceType::Service
            ),
            own => own == kind,
        }
    }
}

/// The answer of a control that says nothing of Windows; none where the definition is Linux's.
pub(crate) fn windows(task: &TaskDefinition, reason: &'static str) -> Option<Compliance> {
    match task.windows() {
        Field::Known(true) => Some(Compliance::NotApplicable(reason)),
        Field::Hidden => Some(Compliance::Unknown(vec![Need::Member("/runtimePlatform".to_owned())])),
        Field::Known(false) | Field::Absent => None,
    }
}

/// One control's answer for one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The control.
    pub control: &'static Control,
    /// The document that was judged, where it is not the resource's own: the revision that a service runs.
    pub found_in: Option<ResourceId>,
    /// The answer.
    pub compliance: Compliance,
}

/// Judges a resource by every selected control that concerns it.
pub fn evaluate(resource: &Resource, facts: &Facts, selection: &Selection) -> Vec<Evaluation> {
    selection.iter().filter_map(|selected| judge(resource, facts, selected)).collect()
}

/// Judges a resource by the whole catalogue, switched on or not, with the parameters of a selection.
pub(crate) fn evaluate_all(resource: &Resource, facts: &Facts, selection: &Selection) -> Vec<Evaluation> {
    evaluate(resource, facts, &Selection::every(selection))
}

fn judge(resource: &Resource, facts: &Facts, selected: &Selected) -> Option<Evaluation> {
    let control = selected.control;
    let answer = |compliance| Evaluation { control, found_in: None, compliance };
    match (&control.rule, &resource.body) {
        (Rule::TaskDefinition(rule), Body::TaskDefinition(task)) => {
            Some(answer(judge_task_definition(rule, task, &selected.parameters)))
        }
        (Rule::TaskDefinition(rule), Body::Service(service)) => {
            Some(judge_service_content(control, rule, service, facts, &selected.parameters))
        }
        (Rule::Service(rule), Body::Service(service)) => {
            Some(answer((rule.check)(service, &selected.parameters)))
        }
        (Rule::Cluster(rule), Body::Cluster(cluster)) => {
            Some(answer((rule.check)(cluster, &selected.parameters)))
        }
        _ => None,
    }
}

fn judge_task_definition(
    rule: &Functions<TaskDefinition>,
    task: &TaskDefinition,
    parameters: &Parameters,
) -> Compliance {
    if !task.active() {
        return Compliance::NotApplicable("the revision is not active: nothing new can run it");
    }
    if !task.is_shown() {
        return Compliance::Unknown(vec![Need::Member("/containerDefinitions".to_owned())]);
    }
    (rule.check)(task, parameters)
}

/// A service by the revision that it runs; a deregistered revision still runs.
fn judge_service_content(
    control: &'static Control,
    rule: &Functions<TaskDefinition>,
    service: &Service,
    facts: &Facts,
    parameters: &Parameters,
) -> Evaluation {
    let plain = |compliance| Evaluation { control, found_in: None, compliance };
    if service.status.text().is_some_and(|status| status != "ACTIVE") {
        return plain(Compliance::NotApplicable("the service is not active"));
    }
    // Services whose controller is EXTERNAL have no revision of their own; their task sets do.
    if service.task_definition.is_absent() {
        return plain(Compliance::NotApplicable("the service names no task definition: its task sets do"));
    }
    let Some(id) = service.revision() else {
        return plain(Compliance::Unknown(vec![Need::Member("/taskDefinition".to_owned())]));
    };
    let compliance = match facts.resource(&id.arn).map(|known| &known.body) {
        Some(Body::TaskDefinition(task)) if task.is_shown() => match (rule.check)(task, parameters) {
            Compliance::Unknown(_) => Compliance::Unknown(vec![Need::Resource(id.clone())]),
            answer => answer,
        },
        _ => Compliance::Unknown(vec![Need::Resource(id.clone())]),
    };
    Evaluation { control, found_in: Some(id), compliance }
}
