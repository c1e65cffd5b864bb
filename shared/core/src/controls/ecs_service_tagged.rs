//! ECS.13: a service has tags.
//!
//! Tags are shown where they are asked for, and in the answer to the call that made the service; otherwise they are
//! unknown. Keys that begin with `aws:` are AWS's own and do not count. Opt-in, as `ecs-taskdef-tagged` is. Says nothing
//! of the tasks, which get their tags by `propagateTags`.

use crate::control::{Compliance, Context, Control, Functions, Ratchet, Rule, Severity, tags};
use crate::document::Field;
use crate::facts::Need;
use crate::preflight::Doubts;
use crate::remediation::{Action, Fix, Safety};
use crate::resource::Service;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-service-tagged",
    title: "Services have tags",
    severity: Severity::Low,
    standards: &["ECS.13"],
    practice: None,
    rationale: "A tag says whose it is: whom to ask before it is rolled, and whom it costs.",
    template: "Tags in AWS::ECS::Service; Terraform: tags in aws_ecs_service, or default_tags of the provider",
    prevention: "deny ecs:CreateService with the condition Null aws:RequestTag/owner = true in an SCP, with your own key",
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-13",
    safety: Safety::Manual,
    call: Some(Action::TagResource),
    ratchet: Ratchet::Code,
    preflight: "the policy gives the missing tags their values; the service has an ARN of the long form",
    opt_in: true,
    parameters: tags::PARAMETERS,
    rule: Rule::Service(Functions { check, fix, preflight }),
};

fn check(service: &Service, context: &Context<'_>) -> Compliance {
    if !service.active() {
        return Compliance::NotApplicable("the service is not active");
    }
    tags::check(context)
}

/// Safe where the policy gives the values: no deployment, and the tasks that run keep their tags.
fn fix(_: &Service, context: &Context<'_>) -> Option<Fix> {
    tags::fix(context)
}

/// ECS refuses to tag a service whose ARN does not name its cluster (TagResource, API reference).
fn preflight(service: &Service, context: &Context<'_>, doubts: &mut Doubts) {
    match &service.service_arn {
        Field::Known(arn) if arn.matches('/').count() < 2 => doubts.refuse(
            "ARN of the old form",
            "the service has an ARN of the old form, which ECS does not tag: migrate it (aws ecs update-service), and tag it then",
        ),
        Field::Known(_) => {}
        Field::Absent | Field::Hidden => doubts.need(Need::Resource(context.resource.id.clone())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, check_with};
    use crate::selection::Parameters;

    #[test]
    fn table() {
        let with = |status: &str, tags: Value| json!({"status": status, "tags": tags});
        let rows = [
            ("one", with("ACTIVE", json!([{"key": "team", "value": "web"}])), Passed),
            ("none", with("ACTIVE", json!([])), Failed(&["/tags"])),
            ("not asked for", with("ACTIVE", Value::Null), Unknown),
            ("draining", with("DRAINING", json!([])), NotApplicable),
        ];
        check(&CONTROL, &rows);
        let values = ("values".to_owned(), toml::Value::from(vec!["owner=unknown"]));
        check_with(&CONTROL, &Parameters::new([values]), &rows);
    }
}
