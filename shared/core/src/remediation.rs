//! Fixes: patches, their simulation, the proof that they never loosen, and their combination into one write.
//!
//! A patch is RFC 6902 against the resource's own document. Its `test` operations are the fingerprint of what was
//! seen; the readable difference is its operations.

use std::collections::BTreeMap;
use std::fmt;

use json_patch::{Patch, PatchOperation};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::control::{Compliance, Context, Control, Evaluation, Functions, Rule, evaluate, evaluate_all};
use crate::document::Document;
use crate::facts::Facts;
use crate::ids::Arn;
use crate::resource::{Body, Resource, ResourceType, TaskDefinition};
use crate::selection::{Selected, Selection};

mod combine;
pub mod diff;
mod expected;
pub mod mended;
mod patch;

pub use combine::{LeftOut, Remediation, combine};
pub use expected::Expected;
pub use patch::PatchBuilder;

/// May a fix run unattended? Safety is claimed and argued in the control's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// A person has to choose. The default.
    #[default]
    Manual,
    /// Starts a deployment or cuts a path; runs only where the policy allows it, and after its pre-flight.
    Disruptive,
    /// Changes configuration only, restarts nothing, and can be undone.
    Safe,
}

impl fmt::Display for Safety {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Manual => "manual",
            Self::Disruptive => "disruptive",
            Self::Safe => "safe",
        })
    }
}

/// What one control would change.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// The change.
    pub patch: Patch,
    /// Whether it may run unattended.
    pub safety: Safety,
    /// What it does, and what that costs, in a sentence.
    pub summary: String,
    /// The call that makes it; none where only a person can.
    pub call: Option<Action>,
    provisional: bool,
}

impl Fix {
    /// A fix of a control.
    pub fn new(patch: PatchBuilder, safety: Safety, summary: impl Into<String>) -> Self {
        Self { patch: patch.build(), safety, summary: summary.into(), call: None, provisional: false }
    }

    /// Whether the value to be written is not known yet: the mended revision is still to be registered.
    pub fn is_provisional(&self) -> bool {
        self.provisional
    }
}

/// Plans the fix of one failed evaluation. `None` where only a person can say what is right.
pub fn plan(resource: &Resource, evaluation: &Evaluation, facts: &Facts, selected: &Selected) -> Option<Fix> {
    let context = Context { resource, facts, parameters: &selected.parameters };
    let mut fix = match (&selected.control.rule, &resource.body) {
        (Rule::TaskDefinition(rule), Body::TaskDefinition(task)) => (rule.fix)(task, &context)?,
        (Rule::TaskDefinition(rule), Body::Service(_)) => move_to_mended(rule, evaluation, facts, selected)?,
        (Rule::Service(rule), Body::Service(service)) => (rule.fix)(service, &context)?,
        (Rule::ExpressGatewayService(rule), Body::ExpressGatewayService(express)) => {
            (rule.fix)(express, &context)?
        }
        (Rule::Cluster(rule), Body::Cluster(cluster)) => (rule.fix)(cluster, &context)?,
        (Rule::TaskSet(rule), Body::TaskSet(set)) => (rule.fix)(set, &context)?,
        (Rule::Launch(rule), Body::Launch(launch)) => (rule.fix)(launch, &context)?,
        (Rule::CapacityProvider(rule), Body::CapacityProvider(provider)) => (rule.fix)(provider, &context)?,
        (Rule::AccountSetting(rule), Body::AccountSetting(setting)) => (rule.fix)(setting, &context)?,
        _ => return None,
    };
    fix.call = match evaluation.found_in {
        Some(_) => Some(Action::UpdateService),
        None => selected.control.call,
    };
    if resource.id.kind == ResourceType::DaemonTaskDefinition {
        // A new revision of a daemon drains and replaces hosts.
        fix.safety = Safety::Manual;
    }
    Some(fix)
}

/// A service is fixed by moving it to the mended revision of what it runs, once there is one that passes. Nobody waits
/// for one that a person has to make: that is a proposal, and says what to choose. What is mended in the revision
/// itself, as tags are, needs no move.
fn move_to_mended(
    rule: &Functions<TaskDefinition>,
    evaluation: &Evaluation,
    facts: &Facts,
    selected: &Selected,
) -> Option<Fix> {
    if selected.control.call == Some(Action::TagResource) {
        return None;
    }
    let revision = &evaluation.found_in.as_ref()?.arn;
    let name = revision.name();
    let seen = Value::from(revision.as_str());
    let mended = passing_revision(revision, facts, selected);
    let own = match mended {
        Some(_) => None,
        None => Some(own_fix(rule, revision, facts, selected)?),
    };
    let target = mended.map_or_else(|| provisional_arn(revision), |mended| mended.id.arn.to_string());
    let short = target.rsplit_once('/').map_or(target.as_str(), |(_, short)| short);
    let (safety, summary) = match &own {
        Some(own) if own.safety == Safety::Manual => {
            let first = &own.summary;
            (Safety::Manual, format!("{first}; then move the service to it, which starts a deployment"))
        }
        _ => {
            let move_to = format!("move the service from {name} to its mended revision {short}");
            (Safety::Disruptive, format!("{move_to}, which starts a deployment"))
        }
    };
    let patch = PatchBuilder::new().replace("/taskDefinition", seen, target.as_str());
    Some(Fix { provisional: mended.is_none(), ..Fix::new(patch, safety, summary) })
}

/// The fix of the revision itself.
fn own_fix(
    rule: &Functions<TaskDefinition>,
    revision: &Arn,
    facts: &Facts,
    selected: &Selected,
) -> Option<Fix> {
    let resource = facts.resource(revision)?;
    let Body::TaskDefinition(task) = &resource.body else { return None };
    (rule.fix)(task, &Context { resource, facts, parameters: &selected.parameters })
}

/// The mended revision of a revision, if there is one and it passes a control.
fn passing_revision<'a>(revision: &Arn, facts: &'a Facts, selected: &Selected) -> Option<&'a Resource> {
    let passes = |mended: &&Resource| {
        let judged = evaluate(mended, facts, &Selection::one(selected));
        judged.iter().all(|one| one.compliance == Compliance::Passed)
    };
    facts.mended(revision).filter(passes)
}

/// How a mended revision is called before ECS has given it a number.
pub fn provisional_arn(revision: &Arn) -> String {
    format!("{revision}-mended")
}

/// Why a plan can't be trusted. Every one of these is a fault in a control, found before anything is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Loosening {
    /// The document is not the one that the plan was made from.
    #[error("the plan does not fit the document: {0}")]
    DoesNotApply(String),
    /// The control would still not pass.
    #[error("the plan would not make {0} pass")]
    DoesNotConverge(&'static str),
    /// Whether the control would pass can't be told.
    #[error("the plan can't be proved: what {0} looks at is not all shown")]
    NotShown(&'static str),
    /// Another control would be worse off.
    #[error("the plan would break {0}")]
    Breaks(&'static str),
    /// Our role may register no revision with a privileged container, whatever else is mended in it.
    #[error(
        "the mended revision would still have the privileged container {0}, and Shipshape may register none: it has to give that up as well"
    )]
    Privileged(String),
}

/// That a plan makes its control pass and no other worse. Made by [`prove`] alone.
#[derive(Debug, Clone)]
pub struct Proof {
    after: Resource,
    also: Vec<&'static Control>,
}

/// Applies a patch to a resource and reads the result as a resource.
pub fn simulate(patch: &Patch, resource: &Resource) -> Result<Resource, Loosening> {
    let does_not_apply = |reason: String| Loosening::DoesNotApply(reason);
    let mut value = resource.document.value().ok_or_else(|| {
        does_not_apply(
            "it nests too deep, or holds a number of too many digits, to be written again".to_owned(),
        )
    })?;
    // The error names the operation and the pointer, not the values.
    json_patch::patch(&mut value, &patch.0)
        .map_err(|error| does_not_apply(format!("{}: {}", error.path, error.kind)))?;
    let document = Document::from_value(&value);
    Resource::read(resource.id.clone(), document)
        .map(|after| after.following(resource))
        .ok_or_else(|| does_not_apply("the result is no document".to_owned()))
}

/// Proves that a fix converges and never loosens, by the whole catalogue.
pub fn prove(
    fix: &Fix,
    control: &Control,
    resource: &Resource,
    facts: &Facts,
    selection: &Selection,
) -> Result<Proof, Loosening> {
    Prover::new(resource).prove(fix, control, facts, selection)
}

/// Proves the fixes of one resource. What they have in common is worked out once, as long as the facts stay the same:
/// what the catalogue says of the resource, and of what a patch makes of it, which may be several controls' patch.
#[derive(Debug)]
pub struct Prover<'a> {
    resource: &'a Resource,
    before: Option<BySlug>,
    after: Vec<(Patch, Result<After, Loosening>)>,
}

impl<'a> Prover<'a> {
    /// Nothing is worked out yet.
    pub fn new(resource: &'a Resource) -> Self {
        Self { resource, before: None, after: Vec::new() }
    }

    /// Forgets what rested on facts that have changed.
    pub fn facts_changed(&mut self) {
        *self = Self::new(self.resource);
    }

    /// Proves that a fix converges and never loosens, by the whole catalogue.
    pub fn prove(
        &mut self,
        fix: &Fix,
        control: &Control,
        facts: &Facts,
        selection: &Selection,
    ) -> Result<Proof, Loosening> {
        let known = self.after.iter().position(|(patch, _)| *patch == fix.patch);
        let index = known.unwrap_or_else(|| {
            let after = simulate(&fix.patch, self.resource);
            let judged = after.map(|after| {
                let evaluations = evaluate_all(&after, facts, selection);
                (after, evaluations)
            });
            self.after.push((fix.patch.clone(), judged));
            self.after.len() - 1
        });
        let (_, judged) = &self.after[index];
        let (after, evaluations) = judged.as_ref().map_err(Clone::clone)?;
        let before =
            self.before.get_or_insert_with(|| by_slug(evaluate_all(self.resource, facts, selection)));
        never_worse(before, evaluations, &[control.slug])?;
        let mends = |one: &&Evaluation| {
            let failed = matches!(before.get(one.control.slug), Some(Compliance::Failed(_)));
            failed && !matches!(one.compliance, Compliance::Failed(_)) && one.control.slug != control.slug
        };
        let also = evaluations.iter().filter(mends).map(|one| one.control).collect();
        Ok(Proof { after: after.clone(), also })
    }
}

/// What a patch makes of a resource, and what the catalogue says of that.
type After = (Resource, Vec<Evaluation>);

/// What controls say, by their slugs.
type BySlug = BTreeMap<&'static str, Compliance>;

/// What no fix is held to: ECS.1 took `privileged` for an excuse, so that a container which gives it up may fail there,
/// and is the better for it.
pub const EXCUSED: &str = "ecs-host-mode-root-opt-in";

/// Every control of `mended` passes on the new state, and no control is worse off than on the old one.
fn never_worse(before: &BySlug, after: &[Evaluation], mended: &[&str]) -> Result<(), Loosening> {
    for evaluation in after {
        let slug = evaluation.control.slug;
        match evaluation.compliance {
            Compliance::Unknown(_) if mended.contains(&slug) => return Err(Loosening::NotShown(slug)),
            Compliance::Failed(_) | Compliance::NotApplicable(_) if mended.contains(&slug) => {
                return Err(Loosening::DoesNotConverge(slug));
            }
            _ => {}
        }
        let before = before.get(slug).filter(|_| slug != EXCUSED);
        if before.is_some_and(|before| worse(before, &evaluation.compliance)) {
            return Err(Loosening::Breaks(slug));
        }
    }
    Ok(())
}

fn by_slug(evaluations: Vec<Evaluation>) -> BySlug {
    evaluations.into_iter().map(|one| (one.control.slug, one.compliance)).collect()
}

/// Whether a control answers less well than before: a lower rank, or a violation where none was.
fn worse(before: &Compliance, after: &Compliance) -> bool {
    let new_violation = match (before, after) {
        (Compliance::Failed(old), Compliance::Failed(new)) => {
            new.iter().any(|violation| !old.iter().any(|known| known.path == violation.path))
        }
        _ => false,
    };
    new_violation || rank(after) < rank(before)
}

/// Failed, then unknown, then compliant.
fn rank(compliance: &Compliance) -> u8 {
    match compliance {
        Compliance::Failed(_) => 0,
        Compliance::Unknown(_) => 1,
        Compliance::Passed | Compliance::NotApplicable(_) => 2,
    }
}

/// The call that a remediation makes. In the order in which the writes on one resource are made: tags first, since a
/// revision that is registered takes over those of the one that it mends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the calls' own names")]
pub enum Action {
    TagResource,
    UpdateClusterSettings,
    UpdateCluster,
    PutAccountSettingDefault,
    RegisterTaskDefinition,
    UpdateService,
}

impl Action {
    /// The call's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UpdateClusterSettings => "UpdateClusterSettings",
            Self::UpdateCluster => "UpdateCluster",
            Self::PutAccountSettingDefault => "PutAccountSettingDefault",
            Self::RegisterTaskDefinition => "RegisterTaskDefinition",
            Self::UpdateService => "UpdateService",
            Self::TagResource => "TagResource",
        }
    }
}

/// The members of UpdateService that change a service and start no deployment, among those that a fix writes.
const QUIET: &[&str] = &["enableExecuteCommand"];

/// The top-level members of a document that a patch writes, each once.
pub(crate) fn members(patch: &Patch) -> Vec<String> {
    let writes = patch.0.iter().filter(|operation| !matches!(operation, PatchOperation::Test(_)));
    let name = |operation: &PatchOperation| {
        operation.path().as_str().trim_start_matches('/').split('/').next().map(str::to_owned)
    };
    let mut members: Vec<String> = writes.filter_map(name).collect();
    members.sort();
    members.dedup();
    members
}

/// Whether a write replaces tasks: any change of a service does, but for the quiet ones.
fn starts_deployment(action: Action, patch: &Patch) -> bool {
    let loud = |operation: &PatchOperation| {
        let path = operation.path().as_str();
        let member = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        !matches!(operation, PatchOperation::Test(_)) && !QUIET.contains(&member)
    };
    action == Action::UpdateService && patch.0.iter().any(loud)
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Proof {
    /// The state that the fix alone leads to.
    pub fn after(&self) -> &Resource {
        &self.after
    }

    /// The other controls that fail before it and not after it.
    pub fn also(&self) -> &[&'static Control] {
        &self.also
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::control::Severity;
    use crate::controls::table::{judge, resource, task};
    use crate::policy::Policy;
    use crate::selection::Parameters;

    #[test]
    fn a_plan_that_would_break_another_control_is_not_proved() {
        let container = json!({"name": "web", "logConfiguration": {"logDriver": "awslogs"}, "user": "root",
            "readonlyRootFilesystem": true});
        let resource = resource(ResourceType::TaskDefinition, &task(&[container]));
        let control = crate::selection::find("ecs-container-non-root-user").unwrap();
        assert!(matches!(judge(control, &resource, Parameters::default()).compliance, Compliance::Failed(_)));
        let patch = PatchBuilder::new()
            .replace("/containerDefinitions/0/user", "root", "app")
            .add("/containerDefinitions/0/privileged", true);
        let fix = Fix::new(patch, Safety::Disruptive, "loosens");
        let selection = Selection::of(&Policy::notify_only(), &[control], Severity::Informational);
        let proof = prove(&fix, control, &resource, &Facts::default(), &selection);
        assert_eq!(proof.unwrap_err(), Loosening::Breaks("ecs-container-not-privileged"));
    }

    #[test]
    fn a_violation_more_of_a_control_that_failed_before_is_worse() {
        let container =
            |name: &str, privileged: bool| json!({"name": name, "user": "root", "privileged": privileged});
        let resource =
            resource(ResourceType::TaskDefinition, &task(&[container("a", true), container("b", false)]));
        let control = crate::selection::find("ecs-container-non-root-user").unwrap();
        let patch = PatchBuilder::new()
            .replace("/containerDefinitions/0/user", "root", "app")
            .replace("/containerDefinitions/1/user", "root", "app")
            .replace("/containerDefinitions/1/privileged", false, true);
        let fix = Fix::new(patch, Safety::Disruptive, "loosens");
        let selection = Selection::of(&Policy::notify_only(), &[control], Severity::Informational);
        let proof = prove(&fix, control, &resource, &Facts::default(), &selection);
        assert_eq!(proof.unwrap_err(), Loosening::Breaks("ecs-container-not-privileged"));
    }

    #[test]
    fn giving_up_privileged_is_no_loosening_of_what_excused_it() {
        let mut document = task(&[json!({"name": "web", "privileged": true})]);
        document["networkMode"] = json!("host");
        let resource = resource(ResourceType::TaskDefinition, &document);
        let excused = crate::selection::find(EXCUSED).unwrap();
        let control = crate::selection::find("ecs-container-not-privileged").unwrap();
        let selected = Selected { control, parameters: Parameters::default() };
        let fix =
            plan(&resource, &judge(control, &resource, Parameters::default()), &Facts::default(), &selected);
        let proof =
            prove(&fix.unwrap(), control, &resource, &Facts::default(), &Selection::one(&selected)).unwrap();
        let answer = |resource: &Resource| judge(excused, resource, Parameters::default()).compliance;
        assert_eq!(answer(&resource), Compliance::Passed);
        assert!(matches!(answer(proof.after()), Compliance::Failed(_)));
    }

    #[test]
    fn a_plan_fits_only_what_was_seen() {
        let seen = resource(
            ResourceType::Cluster,
            &json!({"settings": [{"name": "containerInsights", "value": "disabled"}]}),
        );
        let moved =
            resource(ResourceType::Cluster, &json!({"settings": [{"name": "other", "value": "disabled"}]}));
        let control = crate::selection::find("ecs-cluster-container-insights").unwrap();
        let evaluation = judge(control, &seen, Parameters::default());
        let selected = Selected { control, parameters: Parameters::default() };
        let fix = plan(&seen, &evaluation, &Facts::default(), &selected).unwrap();
        assert!(simulate(&fix.patch, &seen).is_ok());
        assert!(matches!(simulate(&fix.patch, &moved), Err(Loosening::DoesNotApply(_))));
    }
}
