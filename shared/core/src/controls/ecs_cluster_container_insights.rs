//! ECS.12: clusters report metrics and events through Container Insights.
//!
//! `enhanced` is more than `enabled`, and both comply. The setting is shown only when it is asked for
//! (`include=SETTINGS`), and today's answers hold an empty list where it was not: a cluster that does not name it is
//! unknown, unless the document is known to show everything. Says nothing of the account's default for new clusters.

use serde_json::{Value, json};

use crate::control::{Compliance, Context, Control, Functions, Practice, Ratchet, Rule, Severity, Violation};
use crate::document::Field;
use crate::facts::Need;
use crate::preflight;
use crate::remediation::{Action, Fix, PatchBuilder, Safety};
use crate::resource::Cluster;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-cluster-container-insights",
    title: "Container Insights is on",
    severity: Severity::Medium,
    standards: &["ECS.12", "NIST AU-6(3)", "NIST AU-6(4)", "NIST CA-7", "NIST SI-2"],
    practice: Some(Practice::LoggingAndMonitoring),
    rationale: "Without Container Insights nobody sees what tasks use, how often they restart and which of them \
                fail: an intruder's load looks like any other.",
    template: "AWS::ECS::Cluster ClusterSettings: [{Name: containerInsights, Value: enabled}]; Terraform: \
               aws_ecs_cluster setting { name = \"containerInsights\" value = \"enabled\" }",
    prevention: "the account's default, which ecs-account-container-insights keeps on: it holds for every cluster that is \
                 made without a word of its own",
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cloudwatch-container-insights.html",
    safety: Safety::Safe,
    call: Some(Action::UpdateClusterSettings),
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: false,
    parameters: &[],
    rule: Rule::Cluster(Functions { check, fix, preflight: preflight::nothing }),
};

const NAME: &str = "containerInsights";

fn check(cluster: &Cluster, context: &Context<'_>) -> Compliance {
    if cluster.gone() {
        return Compliance::NotApplicable("the cluster is gone, or going");
    }
    let Field::Known(settings) = &cluster.settings else {
        return Compliance::Unknown(vec![Need::Member("/settings".to_owned())]);
    };
    let Some((index, setting)) = settings.iter().enumerate().find(|(_, one)| one.name.text() == Some(NAME))
    else {
        // A setting whose name is hidden may be this one, and an answer that was not asked for settings may hold an
        // empty list: AWS lists this one wherever it shows any, disabled or not.
        let shown = context.resource.whole && !settings.iter().any(|one| one.name.is_hidden());
        return match shown {
            false => Compliance::Unknown(vec![Need::Member("/settings".to_owned())]),
            true => Compliance::Failed(vec![Violation::new("/settings", Value::Null, "enabled")]),
        };
    };
    match &setting.value {
        Field::Hidden => Compliance::Unknown(vec![Need::Member(format!("/settings/{index}/value"))]),
        Field::Known(value) if is_on(value) => Compliance::Passed,
        Field::Known(value) if value.eq_ignore_ascii_case("disabled") => failed(index, json!(value)),
        // A value that came after this was built may be more than `enabled`.
        Field::Known(_) => Compliance::Unknown(vec![Need::Member(format!("/settings/{index}/value"))]),
        Field::Absent => failed(index, Value::Null),
    }
}

fn is_on(value: &str) -> bool {
    value.eq_ignore_ascii_case("enabled") || value.eq_ignore_ascii_case("enhanced")
}

fn failed(index: usize, actual: Value) -> Compliance {
    Compliance::Failed(vec![Violation::new(format!("/settings/{index}/value"), actual, "enabled")])
}

/// Safe: no deployment, no restart; undone by the same call. It costs: CloudWatch bills the metrics as custom ones.
fn fix(cluster: &Cluster, _: &Context<'_>) -> Option<Fix> {
    let settings = cluster.settings.known()?;
    let patch = match settings.iter().position(|one| one.name.text() == Some(NAME)) {
        Some(index) => PatchBuilder::new().test(&format!("/settings/{index}/name"), NAME).set(
            &format!("/settings/{index}/value"),
            settings.get(index)?.value.text().map(Value::from),
            "enabled",
        ),
        None => PatchBuilder::new().add("/settings/-", json!({"name": NAME, "value": "enabled"})),
    };
    let summary =
        "switch Container Insights on; nothing restarts; CloudWatch bills its metrics as custom metrics";
    Some(Fix::new(patch, Safety::Safe, summary))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, judge, resource};
    use crate::resource::{Resource, ResourceType};
    use crate::selection::Parameters;

    #[test]
    fn what_is_shown_whole_and_does_not_name_it_has_it_off() {
        let made = Resource { whole: true, ..resource(ResourceType::Cluster, &json!({"settings": []})) };
        let judged = judge(&CONTROL, &made, Parameters::default());
        assert_eq!(
            judged.compliance,
            Compliance::Failed(vec![Violation::new("/settings", Value::Null, "enabled")])
        );
    }

    #[test]
    fn table() {
        let with = |value: &str| json!({"status": "ACTIVE", "settings": [{"name": NAME, "value": value}]});
        check(
            &CONTROL,
            &[
                ("enabled", with("enabled"), Passed),
                ("enhanced is more", with("enhanced"), Passed),
                ("case does not matter", with("ENABLED"), Passed),
                ("disabled", with("disabled"), Failed(&["/settings/0/value"])),
                ("a value of the future may be more than on", with("enhanced-plus"), Unknown),
                (
                    "not active yet",
                    json!({"status": "PROVISIONING", "settings": [{"name": NAME}]}),
                    Failed(&["/settings/0/value"]),
                ),
                ("no settings asked for", json!({"status": "ACTIVE"}), Unknown),
                ("settings hidden", json!({"settings": "HIDDEN_DUE_TO_SECURITY_REASONS"}), Unknown),
                (
                    "an empty list, which settings that nobody asked for are, too",
                    json!({"settings": []}),
                    Unknown,
                ),
                ("another setting alone", json!({"settings": [{"name": "other", "value": "x"}]}), Unknown),
                (
                    "not the first setting",
                    json!({"settings": [{"name": "other", "value": "x"}, {"name": NAME, "value": "disabled"}]}),
                    Failed(&["/settings/1/value"]),
                ),
                ("inactive", json!({"status": "INACTIVE", "settings": []}), NotApplicable),
            ],
        );
    }
}
