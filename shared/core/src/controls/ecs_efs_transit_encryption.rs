//! ECS.18: file systems of EFS are mounted with TLS.
//!
//! Every volume of EFS counts; absent means `DISABLED`, the API's default. Other volumes (paths of the host, Docker's,
//! FSx, those that are configured at launch) are not judged. Where an access point or IAM decides who may mount, ECS
//! demands TLS when it registers the revision. Says nothing of encryption at rest, and nothing of file systems that a
//! host mounts by itself.

use serde_json::Value;

use crate::control::{
    Compliance, Context, Control, Functions, Place, Practice, Ratchet, Rule, Severity, Violation, every,
};
use crate::document::Field;
use crate::facts::Need;
use crate::preflight::Doubts;
use crate::remediation::{Action, Fix, PatchBuilder, Safety};
use crate::resource::TaskDefinition;
use crate::resource::task_definition::{EfsVolume, Volume};
use crate::text::shown;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-efs-transit-encryption",
    title: "EFS volumes are encrypted in transit",
    severity: Severity::Medium,
    standards: &["ECS.18", "NIST SC-8"],
    practice: Some(Practice::NetworkSecurity),
    rationale: "Without TLS, NFS carries every file in the clear: whoever sees the VPC's traffic reads them, and whoever \
                stands in its way changes them.",
    template: "TransitEncryption: ENABLED in the EFSVolumeConfiguration of AWS::ECS::TaskDefinition Volumes; Terraform: \
               transit_encryption = \"ENABLED\" in efs_volume_configuration",
    prevention: "deny elasticfilesystem:ClientMount with the condition Bool aws:SecureTransport = false in the file \
                 system's policy: mounts without TLS are refused",
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-18",
    safety: Safety::Disruptive,
    call: Some(Action::RegisterTaskDefinition),
    ratchet: Ratchet::Code,
    preflight: "whatever runs it has the mount helper of EFS: Fargate alone, or hosts of which ECS demands it; roles are \
                within PassableRoles; for the service: ECS rolls it, the same images, no deployment under way",
    opt_in: false,
    parameters: &[],
    rule: Rule::TaskDefinition(Functions { check, fix, preflight }),
};

/// What ECS demands of a host where the mount helper, which speaks TLS, has to mount a volume
/// (amazon-ecs-agent, `agent_capability.go`). Revisions of before 2020 demand `ecs.capability.efs` alone.
const HELPER: &str = "ecs.capability.efsAuth";

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    let volumes = match &task.volumes {
        Field::Hidden => return Compliance::Unknown(vec![Need::Member("/volumes".to_owned())]),
        Field::Absent => &[][..],
        Field::Known(volumes) => volumes,
    };
    if volumes.iter().all(|volume| volume.efs_volume_configuration.is_absent()) {
        return Compliance::NotApplicable("no volume is a file system of EFS");
    }
    every(volumes.iter().enumerate().map(|(index, volume)| judge(volume, index)))
}

fn judge(volume: &Volume, index: usize) -> Place {
    let path = format!("/volumes/{index}/efsVolumeConfiguration");
    let efs = match &volume.efs_volume_configuration {
        Field::Absent => return Place::Fine,
        Field::Hidden => return Place::Hidden(path),
        Field::Known(efs) => efs,
    };
    let path = format!("{path}/transitEncryption");
    match &efs.transit_encryption {
        Field::Known(value) if value == "ENABLED" => Place::Fine,
        Field::Known(value) if value == "DISABLED" => {
            Place::Violates(Violation::new(path, value.as_str(), "ENABLED"))
        }
        Field::Absent => Place::Violates(Violation::new(path, Value::Null, "ENABLED")),
        // A value that came after this was built may be more than `ENABLED`.
        Field::Known(_) | Field::Hidden => Place::Hidden(path),
    }
}

/// Disruptive: a mount that fails keeps tasks from starting, and TLS takes some of the host's time. Neither addresses
/// nor ports change, since the mount helper speaks to the same targets on port 2049; files and rights stay as they
/// are; and the deployment is rolled back if tasks don't start.
fn fix(task: &TaskDefinition, _: &Context<'_>) -> Option<Fix> {
    let (mut patch, mut names) = (PatchBuilder::new(), Vec::new());
    for (index, volume) in task.volumes.items().iter().enumerate() {
        let Some(EfsVolume { transit_encryption, .. }) = volume.efs_volume_configuration.known() else {
            continue;
        };
        let seen = match transit_encryption {
            Field::Absent => None,
            Field::Known(value) if value == "DISABLED" => Some(Value::from(value.as_str())),
            Field::Known(_) | Field::Hidden => continue,
        };
        if let Some(name) = volume.name.text() {
            patch = patch.test(&format!("/volumes/{index}/name"), name);
        }
        let path = format!("/volumes/{index}/efsVolumeConfiguration/transitEncryption");
        patch = patch.set(&path, seen, "ENABLED");
        names.push(volume.name.text().map_or_else(|| format!("#{index}"), shown));
    }
    let summary = format!("register a revision that mounts {} with TLS", names.join(", "));
    Some(Fix::new(patch, Safety::Disruptive, summary))
}

/// Fargate mounts EFS from platform version 1.4.0 on, with TLS or without: what runs there can do both. Of other hosts
/// the revision itself tells what ECS demands before it places a task there.
fn preflight(task: &TaskDefinition, _: &Context<'_>, doubts: &mut Doubts) {
    if task.requires_only("FARGATE") == Field::Known(true) {
        return;
    }
    match &task.requires_attributes {
        Field::Known(demands) if demands.iter().any(|one| one.name.text() == Some(HELPER)) => {}
        Field::Known(_) => doubts.refuse(
            "hosts may lack the mount helper",
            format!(
                "the revision does not demand {HELPER} of its hosts, so nothing shows that they can mount EFS with TLS: \
                 install amazon-efs-utils and the ECS volume plugin on all of them (the ECS-optimized AMI has both), then \
                 register the revision yourselves"
            ),
        ),
        Field::Absent | Field::Hidden => doubts.need(Need::Member("/requiresAttributes".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, judge, resource, task};
    use crate::facts::Facts;
    use crate::preflight::{Preflight, preflight};
    use crate::remediation::{plan, prove};
    use crate::resource::ResourceType;
    use crate::selection::{Parameters, Selected, Selection};

    const PATH: &[&str] = &["/volumes/0/efsVolumeConfiguration/transitEncryption"];

    fn with(volumes: Value) -> Value {
        let mut task = task(&[json!({"name": "web"})]);
        task["volumes"] = volumes;
        task
    }

    fn efs(encryption: Value) -> Value {
        json!({"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "transitEncryption": encryption}})
    }

    #[test]
    fn table() {
        let hidden = || json!("HIDDEN_DUE_TO_SECURITY_REASONS");
        check(
            &CONTROL,
            &[
                ("enabled", with(json!([efs(json!("ENABLED"))])), Passed),
                ("disabled", with(json!([efs(json!("DISABLED"))])), Failed(PATH)),
                ("absent is disabled", with(json!([efs(Value::Null)])), Failed(PATH)),
                ("empty is absent", with(json!([efs(json!(""))])), Failed(PATH)),
                ("nothing but a file system", with(json!([{"efsVolumeConfiguration": {}}])), Failed(PATH)),
                ("a value of the future", with(json!([efs(json!("REQUIRED"))])), Unknown),
                ("redacted", with(json!([efs(hidden())])), Unknown),
                (
                    "a volume that is redacted",
                    with(json!([{"name": "d", "efsVolumeConfiguration": hidden()}])),
                    Unknown,
                ),
                ("volumes that are redacted", with(hidden()), Unknown),
                (
                    "the second of two",
                    with(
                        json!([efs(json!("ENABLED")), {"name": "b", "efsVolumeConfiguration": {"fileSystemId": "fs-2"}}]),
                    ),
                    Failed(&["/volumes/1/efsVolumeConfiguration/transitEncryption"]),
                ),
                (
                    "both of two",
                    with(json!([efs(Value::Null), efs(json!("DISABLED"))])),
                    Failed(&[
                        "/volumes/0/efsVolumeConfiguration/transitEncryption",
                        "/volumes/1/efsVolumeConfiguration/transitEncryption",
                    ]),
                ),
                (
                    "other volumes beside it",
                    with(
                        json!([{"name": "tmp"}, {"name": "h", "host": {"sourcePath": "/srv"}}, efs(json!("ENABLED"))]),
                    ),
                    Passed,
                ),
                (
                    "other volumes alone",
                    with(json!([
                        {"name": "h", "host": {"sourcePath": "/srv"}},
                        {"name": "d", "dockerVolumeConfiguration": {"driver": "local"}},
                        {"name": "w", "fsxWindowsFileServerVolumeConfiguration": {"fileSystemId": "fs-3"}},
                        {"name": "e", "configuredAtLaunch": true}])),
                    NotApplicable,
                ),
                ("no volumes", task(&[json!({"name": "web"})]), NotApplicable),
            ],
        );
    }

    #[test]
    fn hosts_need_the_mount_helper() {
        let answer = |requires: Value, demands: Value| {
            let mut document = with(json!([efs(Value::Null)]));
            document["requiresCompatibilities"] = requires;
            document["requiresAttributes"] = demands;
            let resource = resource(ResourceType::TaskDefinition, &document);
            let selected = Selected { control: &CONTROL, parameters: Parameters::default() };
            let facts = Facts::default();
            let evaluation = judge(&CONTROL, &resource, Parameters::default());
            let fix = plan(&resource, &evaluation, &facts, &selected).unwrap();
            let proof = prove(&fix, &CONTROL, &resource, &facts, &Selection::one(&selected));
            match preflight(&fix, &resource, &facts, &selected, proof) {
                Preflight::Proved(_) => "proved".to_owned(),
                Preflight::Refused(refusals) => refusals[0].topic.clone(),
                Preflight::Unknown(needs) => needs[0].call(),
                Preflight::Wait(..) => "waits".to_owned(),
            }
        };
        let old = || json!([{"name": "ecs.capability.efs"}]);
        let new = || json!([{"name": "ecs.capability.efs"}, {"name": HELPER}]);
        let asks = "the described resource's `/requiresAttributes`";
        assert_eq!(answer(json!(["FARGATE"]), Value::Null), "proved");
        assert_eq!(answer(json!(["FARGATE"]), old()), "proved");
        assert_eq!(answer(json!(["EC2"]), new()), "proved");
        assert_eq!(answer(json!(["EC2", "FARGATE"]), new()), "proved");
        assert_eq!(answer(Value::Null, new()), "proved");
        assert_eq!(answer(json!(["EC2"]), old()), "hosts may lack the mount helper");
        assert_eq!(answer(json!(["EC2", "FARGATE"]), old()), "hosts may lack the mount helper");
        assert_eq!(answer(Value::Null, old()), "hosts may lack the mount helper");
        assert_eq!(answer(json!(["EC2"]), Value::Null), asks);
        assert_eq!(answer(json!("HIDDEN_DUE_TO_SECURITY_REASONS"), Value::Null), asks);
    }
}
