//! Sessions of ECS Exec, and their logs, are encrypted with a key of the customer's.
//!
//! Judged where a cluster configures ECS Exec. The session wants a key, whatever is logged. Of the places that OVERRIDE
//! names each has to be demanded encrypted; one of two is not enough. With DEFAULT the log is the container's, and with
//! NONE there is none: there is nothing more to demand. Opt-in: the console configures DEFAULT without a key in every
//! cluster that it makes, AWS encrypts sessions anyhow, and a key of one's own wants a policy and grants that only its
//! owner can write.

use serde_json::Value;

use crate::control::exec::{EXEC, configured};
use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Place, Practice, Ratchet, Rule, Severity, Violation,
    every, no_fix,
};
use crate::document::Field;
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::Cluster;
use crate::resource::cluster::ExecuteCommandConfiguration;

/// No fix: a key whose policy does not let every task role use it refuses every session, and which key it is only its
/// owner knows.
pub(super) static CONTROL: Control = Control {
    slug: "ecs-exec-logging-encrypted",
    title: "Sessions of ECS Exec and their logs are encrypted with a key of your own",
    severity: Severity::Low,
    standards: &["NIST SC-28"],
    practice: Some(Practice::LoggingAndMonitoring),
    rationale: "What is typed and shown in a session may be a secret. With a key of your own, its policy says who can \
                read the session and its log.",
    template: "KmsKeyId, and LogConfiguration: {CloudWatchEncryptionEnabled: true} or {S3EncryptionEnabled: true}, in \
               ExecuteCommandConfiguration of AWS::ECS::Cluster; Terraform: kms_key_id and \
               cloud_watch_encryption_enabled or s3_bucket_encryption_enabled",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommandLogConfiguration.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: true,
    parameters: &[],
    rule: Rule::Cluster(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

fn check(cluster: &Cluster, context: &Context<'_>) -> Compliance {
    match configured(cluster, context) {
        Ok(Some(exec)) => every([key(exec)].into_iter().chain(logs(exec))),
        Ok(None) => Compliance::NotApplicable("the cluster configures nothing for ECS Exec"),
        Err(answer) => answer,
    }
}

fn key(exec: &ExecuteCommandConfiguration) -> Place {
    let path = format!("{EXEC}/kmsKeyId");
    match exec.kms_key_id {
        Field::Known(_) => Place::Fine,
        Field::Absent => Place::Violates(Violation::new(path, Value::Null, "a KMS key")),
        Field::Hidden => Place::Hidden(path),
    }
}

/// The places that OVERRIDE logs to.
fn logs(exec: &ExecuteCommandConfiguration) -> Vec<Place> {
    let at = format!("{EXEC}/logConfiguration");
    match (&exec.logging, &exec.log_configuration) {
        (Field::Hidden, _) => vec![Place::Hidden(format!("{EXEC}/logging"))],
        (Field::Known(logging), Field::Hidden) if logging == "OVERRIDE" => vec![Place::Hidden(at)],
        (Field::Known(logging), Field::Known(log)) if logging == "OVERRIDE" => vec![
            encrypted(&log.cloud_watch_log_group_name, &log.cloud_watch_encryption_enabled, || {
                format!("{at}/cloudWatchEncryptionEnabled")
            }),
            encrypted(&log.s3_bucket_name, &log.s3_encryption_enabled, || {
                format!("{at}/s3EncryptionEnabled")
            }),
        ],
        _ => Vec::new(),
    }
}

/// Whether a place, if it is named, is demanded to be encrypted.
fn encrypted(named: &Field<String>, demanded: &Field<bool>, path: impl Fn() -> String) -> Place {
    match (named, demanded) {
        (Field::Absent, _) | (_, Field::Known(true)) => Place::Fine,
        (Field::Hidden, _) | (_, Field::Hidden) => Place::Hidden(path()),
        (_, Field::Known(false)) => Place::Violates(Violation::new(path(), false, true)),
        (_, Field::Absent) => Place::Violates(Violation::new(path(), Value::Null, true)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::check;

    const KEY: &str = "/configuration/executeCommandConfiguration/kmsKeyId";
    const GROUP: &str =
        "/configuration/executeCommandConfiguration/logConfiguration/cloudWatchEncryptionEnabled";
    const BUCKET: &str = "/configuration/executeCommandConfiguration/logConfiguration/s3EncryptionEnabled";

    #[test]
    fn table() {
        let with =
            |exec: Value| json!({"status": "ACTIVE", "configuration": {"executeCommandConfiguration": exec}});
        let logs = |log: Value| {
            with(json!({"kmsKeyId": "alias/exec", "logging": "OVERRIDE", "logConfiguration": log}))
        };
        check(
            &CONTROL,
            &[
                ("a key and nothing else", with(json!({"kmsKeyId": "alias/exec"})), Passed),
                (
                    "a key, and the containers' logs",
                    with(json!({"kmsKeyId": "alias/exec", "logging": "DEFAULT"})),
                    Passed,
                ),
                ("no key", with(json!({"logging": "DEFAULT"})), Failed(&[KEY])),
                ("no key, and no log either", with(json!({"logging": "NONE"})), Failed(&[KEY])),
                (
                    "a group",
                    logs(json!({"cloudWatchLogGroupName": "/exec", "cloudWatchEncryptionEnabled": true})),
                    Passed,
                ),
                ("a plain group", logs(json!({"cloudWatchLogGroupName": "/exec"})), Failed(&[GROUP])),
                (
                    "one of two places",
                    logs(json!({"cloudWatchLogGroupName": "/exec", "cloudWatchEncryptionEnabled": true,
                        "s3BucketName": "exec", "s3EncryptionEnabled": false})),
                    Failed(&[BUCKET]),
                ),
                (
                    "neither key nor encryption",
                    with(json!({"logging": "OVERRIDE", "logConfiguration": {"s3BucketName": "exec"}})),
                    Failed(&[KEY, BUCKET]),
                ),
                ("a hidden key", with(json!({"kmsKeyId": "HIDDEN_DUE_TO_SECURITY_REASONS"})), Unknown),
                ("hidden places", logs(json!("HIDDEN_DUE_TO_SECURITY_REASONS")), Unknown),
                (
                    "a plain place of a log that is off",
                    with(json!({"kmsKeyId": "k", "logging": "NONE",
                    "logConfiguration": {"s3BucketName": "exec"}})),
                    Passed,
                ),
                ("nothing configured", json!({"configuration": {}}), NotApplicable),
                ("not asked for", json!({"status": "ACTIVE"}), Unknown),
                ("gone", json!({"status": "INACTIVE"}), NotApplicable),
            ],
        );
    }
}
