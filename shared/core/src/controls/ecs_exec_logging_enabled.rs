//! What people do in containers by ECS Exec is logged.
//!
//! `NONE` fails. `DEFAULT`, which is what a cluster has that says nothing, passes: sessions go where the container logs.
//! `OVERRIDE` has to name a log group or a bucket. `DescribeClusters` shows the configuration only where it was asked for,
//! so that a cluster without it is unknown, unless the answer to `CreateCluster` is what shows none. Says nothing of
//! containers without awslogs, of which DEFAULT logs no session.

use serde_json::Value;

use crate::control::exec::{EXEC, configured};
use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Practice, Ratchet, Rule, Severity, Violation,
};
use crate::document::Field;
use crate::facts::Need;
use crate::preflight::Doubts;
use crate::preflight::exec_logs::as_the_containers;
use crate::remediation::{Action, Fix, PatchBuilder, Safety};
use crate::resource::Cluster;
use crate::resource::cluster::ExecuteCommandConfiguration;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-exec-logging-enabled",
    title: "Sessions of ECS Exec are logged",
    severity: Severity::Medium,
    standards: &["NIST AU-12"],
    practice: Some(Practice::LoggingAndMonitoring),
    rationale: "ECS Exec is a shell in a running container, with its role and its secrets. CloudTrail tells who opened \
                it; only the session's log tells what was typed.",
    template: "Configuration: {ExecuteCommandConfiguration: {Logging: DEFAULT}} in AWS::ECS::Cluster; Terraform: \
               logging = \"DEFAULT\" in configuration { execute_command_configuration { … } }",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommandConfiguration.html",
    safety: Safety::Disruptive,
    call: Some(Action::UpdateCluster),
    ratchet: Ratchet::Code,
    preflight: "nothing runs in the cluster, or the role of every task with ECS Exec may write where its containers log",
    opt_in: false,
    parameters: &[],
    rule: Rule::Cluster(Functions { check, fix, preflight }),
};

fn check(cluster: &Cluster, context: &Context<'_>) -> Compliance {
    let exec = match configured(cluster, context) {
        Ok(Some(exec)) => exec,
        Ok(None) => return Compliance::Passed,
        Err(answer) => return answer,
    };
    let path = format!("{EXEC}/logging");
    match &exec.logging {
        Field::Absent => Compliance::Passed,
        Field::Known(logging) if logging == "DEFAULT" => Compliance::Passed,
        Field::Known(logging) if logging == "NONE" => {
            Compliance::Failed(vec![Violation::new(path, logging.as_str(), "DEFAULT")])
        }
        Field::Known(logging) if logging == "OVERRIDE" => named(exec),
        // A value that came after this was built may mean anything.
        Field::Known(_) | Field::Hidden => Compliance::Unknown(vec![Need::Member(path)]),
    }
}

/// Whether a place is named, as OVERRIDE wants it.
fn named(exec: &ExecuteCommandConfiguration) -> Compliance {
    let path = format!("{EXEC}/logConfiguration");
    let places = match &exec.log_configuration {
        Field::Known(log) => [&log.cloud_watch_log_group_name, &log.s3_bucket_name],
        Field::Absent => [&Field::Absent; 2],
        Field::Hidden => [&Field::Hidden; 2],
    };
    if places.iter().any(|place| place.known().is_some()) {
        Compliance::Passed
    } else if places.iter().any(|place| place.is_hidden()) {
        Compliance::Unknown(vec![Need::Member(path)])
    } else {
        Compliance::Failed(vec![Violation::new(path, Value::Null, "a log group or a bucket")])
    }
}

/// Disruptive: nothing restarts, and sessions that are open go on, but a new one whose log the task's role may not write
/// may be refused, perhaps while somebody needs it. The key stays as it is. Places do not: AWS takes a log configuration
/// with OVERRIDE alone, and UpdateCluster replaces the whole configuration.
fn fix(cluster: &Cluster, context: &Context<'_>) -> Option<Fix> {
    let exec = cluster.configuration.known()?.execute_command_configuration.known()?;
    let seen = exec.logging.text()?;
    let mut patch = PatchBuilder::new().replace(&format!("{EXEC}/logging"), seen, "DEFAULT");
    let places = format!("{EXEC}/logConfiguration");
    if let Some(seen) = context.resource.document.value()?.pointer(&places) {
        patch = patch.test(&places, seen.clone()).remove(&places);
    }
    let summary = "log sessions of ECS Exec where the containers log by awslogs; nothing restarts, and new sessions need \
                   a task role that may write there";
    Some(Fix::new(patch, Safety::Disruptive, summary))
}

fn preflight(cluster: &Cluster, context: &Context<'_>, doubts: &mut Doubts) {
    as_the_containers(context.resource, cluster, context.facts, doubts);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, judge, resource};
    use crate::facts::Facts;
    use crate::remediation::{plan, simulate};
    use crate::resource::{Resource, ResourceType};
    use crate::selection::{Parameters, Selected};

    #[test]
    fn table() {
        let with =
            |exec: Value| json!({"status": "ACTIVE", "configuration": {"executeCommandConfiguration": exec}});
        let logging = |logging: &str| with(json!({"logging": logging, "kmsKeyId": "alias/exec"}));
        let places = |log: Value| with(json!({"logging": "OVERRIDE", "logConfiguration": log}));
        let mut gone = logging("NONE");
        gone["status"] = json!("INACTIVE");
        check(
            &CONTROL,
            &[
                ("off", logging("NONE"), Failed(&["/configuration/executeCommandConfiguration/logging"])),
                ("as the containers", logging("DEFAULT"), Passed),
                ("absent is as the containers", with(json!({"kmsKeyId": "alias/exec"})), Passed),
                ("nothing of ECS Exec", json!({"configuration": {}}), Passed),
                ("a log group", places(json!({"cloudWatchLogGroupName": "/exec"})), Passed),
                ("a bucket", places(json!({"s3BucketName": "exec"})), Passed),
                (
                    "no place",
                    places(json!({"s3KeyPrefix": "exec"})),
                    Failed(&["/configuration/executeCommandConfiguration/logConfiguration"]),
                ),
                (
                    "nothing of a place",
                    places(Value::Null),
                    Failed(&["/configuration/executeCommandConfiguration/logConfiguration"]),
                ),
                ("a hidden place", places(json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
                ("a value of the future", logging("VENDED"), Unknown),
                ("not asked for", json!({"status": "ACTIVE", "settings": []}), Unknown),
                ("cut off", json!({"configuration": {"omitted": "true"}}), Unknown),
                ("gone", gone, NotApplicable),
            ],
        );
    }

    #[test]
    fn a_log_configuration_goes_with_override() {
        let exec = json!({"logging": "NONE", "kmsKeyId": "k", "logConfiguration": {"s3KeyPrefix": "exec"}});
        let document = json!({"configuration": {"executeCommandConfiguration": exec}});
        let cluster = resource(ResourceType::Cluster, &document);
        let evaluation = judge(&CONTROL, &cluster, Parameters::default());
        let selected = Selected { control: &CONTROL, parameters: Parameters::default() };
        let fix = plan(&cluster, &evaluation, &Facts::default(), &selected).unwrap();
        let after = simulate(&fix.patch, &cluster).unwrap().document.value().unwrap();
        assert_eq!(after.pointer(EXEC).unwrap(), &json!({"logging": "DEFAULT", "kmsKeyId": "k"}));
    }

    #[test]
    fn a_cluster_that_was_made_without_it_has_none() {
        let judged = |document: Value, whole: bool| {
            let made = Resource { whole, ..resource(ResourceType::Cluster, &document) };
            judge(&CONTROL, &made, Parameters::default()).compliance
        };
        let made =
            json!({"status": "ACTIVE", "settings": [{"name": "containerInsights", "value": "enabled"}]});
        assert_eq!(judged(made.clone(), true), Compliance::Passed);
        assert!(matches!(judged(made, false), Compliance::Unknown(_)));
        // Answers from before there were settings show neither.
        assert!(matches!(judged(json!({"status": "ACTIVE"}), true), Compliance::Unknown(_)));
    }
}
