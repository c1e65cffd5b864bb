//! ECS.14: a cluster has tags.
//!
//! Tags are shown where they are asked for, and in the answer to `CreateCluster`; an empty list in the answer to an update
//! tells nothing. Keys that begin with `aws:` are AWS's own and do not count. Opt-in, as `ecs-taskdef-tagged` is.

use crate::control::{Compliance, Context, Control, Functions, Ratchet, Rule, Severity, tags};
use crate::preflight;
use crate::remediation::{Action, Fix, Safety};
use crate::resource::Cluster;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-cluster-tagged",
    title: "Clusters have tags",
    severity: Severity::Low,
    standards: &["ECS.14"],
    practice: None,
    rationale: "A tag says whose it is: whom to ask about what runs in it, and whom it costs.",
    template: "Tags in AWS::ECS::Cluster; Terraform: tags in aws_ecs_cluster, or default_tags of the provider",
    prevention: "deny ecs:CreateCluster with the condition Null aws:RequestTag/owner = true in an SCP, with your own key",
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-14",
    safety: Safety::Manual,
    call: Some(Action::TagResource),
    ratchet: Ratchet::Code,
    preflight: tags::PROVES,
    opt_in: true,
    parameters: tags::PARAMETERS,
    rule: Rule::Cluster(Functions { check, fix, preflight: preflight::nothing }),
};

fn check(cluster: &Cluster, context: &Context<'_>) -> Compliance {
    if cluster.gone() {
        return Compliance::NotApplicable("the cluster is gone, or going");
    }
    tags::check(context)
}

/// Safe where the policy gives the values: nothing that runs in the cluster is touched.
fn fix(_: &Cluster, context: &Context<'_>) -> Option<Fix> {
    tags::fix(context)
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
            (
                "AWS's own",
                with("ACTIVE", json!([{"key": "aws:cloudformation:stack-id"}])),
                Failed(&["/tags"]),
            ),
            ("an empty list, which tags that nobody asked for are, too", with("ACTIVE", json!([])), Unknown),
            ("not asked for", with("ACTIVE", Value::Null), Unknown),
            ("gone", with("INACTIVE", json!([])), NotApplicable),
        ];
        check(&CONTROL, &rows);
        let values = ("values".to_owned(), toml::Value::from(vec!["owner=unknown"]));
        check_with(&CONTROL, &Parameters::new([values]), &rows);
    }
}
