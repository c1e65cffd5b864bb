//! Evaluation: which control judges what, and by which document.

use super::{Compliance, Context, Control, Functions, Rule};
use crate::facts::{Facts, Need};
use crate::resource::{Body, Resource, ResourceId, Service, TaskDefinition, TaskSet};
use crate::selection::{Selected, Selection};

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
    let mut evaluations = Vec::with_capacity(selection.iter().size_hint().0);
    evaluations.extend(selection.iter().filter_map(|selected| judge(resource, facts, selected)));
    evaluations
}

/// Judges a part of a resource. What it shows to be wrong is wrong, whatever there is beside it. What it lacks may be
/// there all the same, and for every other answer the whole has to be seen.
pub fn evaluate_part(part: &Resource, facts: &Facts, selection: &Selection) -> Vec<Evaluation> {
    let whole = || vec![Need::Resource(part.id.clone())];
    let mut evaluations = evaluate(part, facts, selection);
    for evaluation in &mut evaluations {
        let wrong = match &evaluation.compliance {
            Compliance::Failed(violations) => {
                violations.iter().filter(|violation| !violation.actual.is_null()).cloned().collect()
            }
            _ => Vec::new(),
        };
        evaluation.compliance = Compliance::of(wrong, whole());
    }
    evaluations
}

/// Judges a resource by the whole catalogue, switched on or not, with the parameters of a selection.
pub(crate) fn evaluate_all(resource: &Resource, facts: &Facts, selection: &Selection) -> Vec<Evaluation> {
    evaluate(resource, facts, selection.every())
}

fn judge(resource: &Resource, facts: &Facts, selected: &Selected) -> Option<Evaluation> {
    let control = selected.control;
    let context = Context { resource, facts, parameters: &selected.parameters };
    let compliance = match (&control.rule, &resource.body) {
        (Rule::TaskDefinition(rule), Body::TaskDefinition(task)) => {
            judge_task_definition(rule, task, &context)
        }
        (Rule::TaskDefinition(rule), Body::Service(service)) => {
            return Some(judge_content(control, rule, running_service(service), &context));
        }
        (Rule::TaskDefinition(rule), Body::TaskSet(set)) => {
            return Some(judge_content(control, rule, running_set(set), &context));
        }
        (Rule::Service(rule), Body::Service(service)) => (rule.check)(service, &context),
        (Rule::ExpressGatewayService(rule), Body::ExpressGatewayService(express)) => {
            (rule.check)(express, &context)
        }
        (Rule::Cluster(rule), Body::Cluster(cluster)) => (rule.check)(cluster, &context),
        (Rule::TaskSet(rule), Body::TaskSet(set)) => (rule.check)(set, &context),
        (Rule::Launch(rule), Body::Launch(launch)) => (rule.check)(launch, &context),
        (Rule::CapacityProvider(rule), Body::CapacityProvider(provider)) => (rule.check)(provider, &context),
        (Rule::AccountSetting(rule), Body::AccountSetting(setting)) => (rule.check)(setting, &context),
        _ => return None,
    };
    Some(Evaluation { control, found_in: None, compliance })
}

fn judge_task_definition(
    rule: &Functions<TaskDefinition>,
    task: &TaskDefinition,
    context: &Context<'_>,
) -> Compliance {
    if !task.active() {
        return Compliance::NotApplicable("the revision is not active: nothing new can run it");
    }
    if !task.is_shown() {
        return Compliance::Unknown(vec![Need::Member("/containerDefinitions".to_owned())]);
    }
    (rule.check)(task, context)
}

/// The revision that a service runs, or why it answers for none.
fn running_service(service: &Service) -> Result<ResourceId, Compliance> {
    if service.status.text().is_some_and(|status| status != "ACTIVE") {
        return Err(Compliance::NotApplicable("the service is not active"));
    }
    // Services whose controller is EXTERNAL have no revision of their own; their task sets do.
    if service.task_definition.is_absent() {
        return Err(Compliance::NotApplicable("the service names no task definition: its task sets do"));
    }
    service.revision().ok_or_else(|| Compliance::Unknown(vec![Need::Member("/taskDefinition".to_owned())]))
}

fn running_set(set: &TaskSet) -> Result<ResourceId, Compliance> {
    if !set.live() {
        return Err(Compliance::NotApplicable("the task set is draining"));
    }
    set.revision().ok_or_else(|| Compliance::Unknown(vec![Need::Member("/taskDefinition".to_owned())]))
}

/// What runs a revision, by the revision's content; a deregistered revision still runs.
fn judge_content(
    control: &'static Control,
    rule: &Functions<TaskDefinition>,
    revision: Result<ResourceId, Compliance>,
    context: &Context<'_>,
) -> Evaluation {
    let id = match revision {
        Ok(id) => id,
        Err(compliance) => return Evaluation { control, found_in: None, compliance },
    };
    let unknown = || Compliance::Unknown(vec![Need::Resource(id.clone())]);
    let compliance = match context.facts.resource(&id.arn) {
        Some(revision) => match &revision.body {
            Body::TaskDefinition(task) if task.is_shown() => {
                match (rule.check)(task, &Context { resource: revision, ..*context }) {
                    // A member of the revision is shown by describing the revision, not what runs it.
                    Compliance::Unknown(needs) => {
                        Compliance::Unknown(needs.iter().map(|need| need.of(&id)).collect())
                    }
                    answer => answer,
                }
            }
            _ => unknown(),
        },
        None => unknown(),
    };
    Evaluation { control, found_in: Some(id), compliance }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::document::Document;
    use crate::policy::Policy;
    use crate::resource::ResourceType;

    fn part(document: &Value) -> Compliance {
        let arn = "arn:aws:ecs:eu-west-1:111122223333:cluster/shop".parse().unwrap();
        let id = ResourceId { kind: ResourceType::Cluster, arn };
        let resource = Resource::read(id, Document::from_value(document)).unwrap();
        let control = crate::selection::find("ecs-cluster-container-insights").unwrap();
        let selection =
            Selection::of(&Policy::notify_only(), &[control], crate::control::Severity::Informational);
        evaluate_part(&resource, &Facts::default(), &selection).remove(0).compliance
    }

    #[test]
    fn a_part_fails_by_what_it_shows_and_by_nothing_else() {
        let settings = |settings: Value| json!({"status": "ACTIVE", "settings": settings});
        let disabled = settings(json!([{"name": "containerInsights", "value": "disabled"}]));
        assert!(matches!(part(&disabled), Compliance::Failed(violations) if violations.len() == 1));
        for unseen in [
            settings(json!([{"name": "containerInsights", "value": "enabled"}])),
            // What a part lacks may be there all the same.
            settings(json!([])),
            json!({"status": "ACTIVE"}),
            json!({"status": "INACTIVE"}),
        ] {
            assert!(matches!(part(&unseen), Compliance::Unknown(needs) if needs.len() == 1), "{unseen}");
        }
    }
}
