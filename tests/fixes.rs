//! What holds of every fix, tried on generated documents.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use shipshape_core::control::{Compliance, Severity, evaluate};
use shipshape_core::controls;
use shipshape_core::decide::{Decision, History, Proposal, decide};
use shipshape_core::document::Document;
use shipshape_core::facts::Facts;
use shipshape_core::finding::{Cause, Finding};
use shipshape_core::policy::Policy;
use shipshape_core::preflight::Preflight;
use shipshape_core::remediation::{EXCUSED, Safety, combine, plan, prove, simulate};
use shipshape_core::resource::{Resource, ResourceId, ResourceType};
use shipshape_core::selection::Selection;
use shipshape_tests::{ACCOUNT, Call, arn, deployment, good_task, policy};

/// Containers of every sort; none of their members is hidden.
fn container() -> impl Strategy<Value = Value> {
    let user =
        select(vec![None, Some("root"), Some("0"), Some("00:5"), Some("1000"), Some("app:app"), Some("")]);
    let log = select(vec![
        None,
        Some(json!({})),
        Some(json!({"logDriver": "awslogs"})),
        Some(json!({"logDriver": "awslogs", "options": {"mode": "blocking"}})),
        Some(json!({"logDriver": "splunk", "options": {"mode": "non-blocking"}})),
        Some(json!({"logDriver": ""})),
        Some(Value::Null),
    ]);
    let mounts = select(vec![
        None,
        Some(json!([])),
        Some(json!([{"sourceVolume": "d", "containerPath": "/tmp"}])),
        Some(json!([
            {"sourceVolume": "d", "containerPath": "/d", "readOnly": true}, {"sourceVolume": "e", "containerPath": "/e"},
            {"sourceVolume": "d", "containerPath": "/tmp", "readOnly": false}
        ])),
    ]);
    let flag = || select(vec![None, Some(Value::Null), Some(json!(true)), Some(json!(false))]);
    let memory = select(vec![None, Some(json!(2)), Some(json!(512))]);
    let adding =
        |add: Value| Some(json!({"initProcessEnabled": true, "capabilities": {"add": add, "drop": ["ALL"]}}));
    let linux = select(vec![
        None,
        Some(json!({})),
        adding(json!([])),
        adding(json!(["CHOWN"])),
        adding(json!(["ALL", "SYS_PTRACE"])),
        adding(json!(["SYS_PTRACE", "KILL", "cap_sys_admin"])),
    ]);
    let environment = select(vec![
        json!([]),
        json!([{"name": "LOG_LEVEL", "value": "info"}]),
        json!([{"name": "AWS_SECRET_ACCESS_KEY", "value": "x"}, {"name": "DB_PASSWORD", "value": "hunter2"}]),
    ]);
    let image = select(vec!["nginx", "nginx@sha256:0123"]);
    let beside = (environment, image, select(vec![None, Some(json!({"command": ["true"]}))]));
    let members = ("[a-z]{1,8}", flag(), flag(), user, log, mounts, memory, linux, beside);
    members.prop_map(|(name, privileged, readonly, user, log, mounts, memory, linux, beside)| {
        let (environment, image, health) = beside;
        let mut container = json!({"name": name, "image": image, "environment": environment,
            "newerMember": {"kept": [1.50, 12345678901234567890u64]}});
        let members = [
            ("privileged", privileged),
            ("readonlyRootFilesystem", readonly),
            ("user", user.map(Value::from)),
            ("logConfiguration", log),
            ("mountPoints", mounts),
            ("memory", memory),
            ("linuxParameters", linux),
            ("healthCheck", health),
        ];
        for (member, value) in members {
            if let Some(value) = value {
                container[member] = value;
            }
        }
        container
    })
}

fn document() -> impl Strategy<Value = (ResourceType, Value)> {
    let family = select(vec![None, Some("LINUX"), Some("WINDOWS_SERVER_2022_CORE")]);
    let efs = |encryption: Value| json!({"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "transitEncryption": encryption}});
    let path = |path: &str| Some(json!([{"name": "d", "host": {"sourcePath": path}}, {"name": "e"}]));
    let volumes = select(vec![
        None,
        Some(json!([])),
        Some(json!([{"name": "d"}])),
        Some(json!([{"name": "d"}, efs(Value::Null)])),
        Some(json!([efs(json!("ENABLED")), {"name": "d"}])),
        Some(json!([efs(json!("DISABLED")), {"name": "d"}, efs(json!("ENABLED"))])),
        path("/srv/../run/"),
        path("/proc"),
        path("/srv"),
    ]);
    let mode = |modes: &[&'static str]| {
        select([None].into_iter().chain(modes.iter().copied().map(Some)).collect::<Vec<_>>())
    };
    let network = mode(&["awsvpc", "bridge", "host", "none", "default"]);
    let modes = (network, mode(&["host", "task"]), mode(&["host", "task", "none"]));
    let requires = select(vec![
        None,
        Some(json!(["EC2"])),
        Some(json!(["FARGATE"])),
        Some(json!(["EXTERNAL"])),
        Some(json!(["EC2", "EXTERNAL"])),
    ]);
    let roles =
        (select(vec![None, Some("web"), Some("pull")]), select(vec![json!([]), json!([{"key": "owner"}])]));
    let task = (vec(container(), 1..4), family, volumes, modes, requires, roles);
    let task = task.prop_map(|(containers, family, volumes, (network, pid, ipc), requires, (role, tags))| {
        let mut task = json!({"family": "checkout", "status": "ACTIVE", "containerDefinitions": containers,
            "executionRoleArn": "pull", "tags": tags});
        if let Some(family) = family {
            task["runtimePlatform"] = json!({ "operatingSystemFamily": family });
        }
        let members = [
            ("volumes", volumes),
            ("networkMode", network.map(Value::from)),
            ("pidMode", pid.map(Value::from)),
            ("ipcMode", ipc.map(Value::from)),
            ("requiresCompatibilities", requires),
            ("taskRoleArn", role.map(Value::from)),
        ];
        for (member, value) in members {
            if let Some(value) = value {
                task[member] = value;
            }
        }
        (ResourceType::TaskDefinition, task)
    });
    let public = select(vec![None, Some("ENABLED"), Some("DISABLED")]);
    let platform = select(vec![None, Some("LATEST"), Some("1.4.0"), Some("1.3.0")]);
    let exec = select(vec![None, Some(true), Some(false)]);
    let running = (select(vec![0, 2]), any::<bool>());
    let service = (public, any::<bool>(), platform, exec, running);
    let service = service.prop_map(|(public, groups, platform, exec, (running, balanced))| {
        let mut block = json!({"subnets": ["subnet-1"]});
        if groups {
            block["securityGroups"] = json!(["sg-1"]);
        }
        if let Some(public) = public {
            block["assignPublicIp"] = json!(public);
        }
        let mut service =
            json!({"status": "ACTIVE", "launchType": "FARGATE", "platformFamily": "Linux", "tags": [],
            "networkConfiguration": {"awsvpcConfiguration": block}, "enableExecuteCommand": exec,
            "desiredCount": 2, "runningCount": running, "loadBalancers": if balanced { json!([{}]) } else { json!([]) },
            "deployments": [deployment("1", "COMPLETED")]});
        if running > 0 {
            service["tags"] = json!([{"key": "owner", "value": "shop"}]);
        }
        if let Some(platform) = platform {
            service["platformVersion"] = json!(platform);
        }
        (ResourceType::Service, service)
    });
    let setting =
        (select(vec!["containerInsights", "other"]), select(vec!["enabled", "disabled", "enhanced", ""]));
    let settings = vec(setting.prop_map(|(name, value)| json!({"name": name, "value": value})), 0..4);
    let logging = select(vec![None, Some("NONE"), Some("DEFAULT"), Some("OVERRIDE")]);
    let cluster = (settings, logging, any::<bool>(), select(vec![0, 3])).prop_map(|(settings, logging, key, services)| {
        let places = json!({"cloudWatchLogGroupName": "/exec", "cloudWatchEncryptionEnabled": key});
        let exec = json!({"kmsKeyId": key.then_some("alias/exec"), "logging": logging, "logConfiguration": places,
            "newerMember": {"kept": 1}});
        let configuration = json!({"executeCommandConfiguration": exec});
        let cluster =
            json!({"status": "ACTIVE", "settings": settings, "configuration": configuration, "activeServicesCount": services,
            "runningTasksCount": 0, "pendingTasksCount": 0, "tags": [{"key": if key { "owner" } else { "aws:x" }}]});
        (ResourceType::Cluster, cluster)
    });
    prop_oneof![3 => task, 1 => service, 1 => cluster, 1 => others(), 1 => launch()]
}

/// Task sets, capacity providers and account settings.
fn others() -> impl Strategy<Value = (ResourceType, Value)> {
    let word = || select(vec![None, Some("ENABLED"), Some("DISABLED")]);
    let set = word().prop_map(|public| {
        let block = json!({"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": public});
        (
            ResourceType::TaskSet,
            json!({"status": "ACTIVE", "networkConfiguration": {"awsvpcConfiguration": block}}),
        )
    });
    let provider = (word(), word()).prop_map(|(scaling, protection)| {
        let group = json!({"autoScalingGroupArn": "arn:aws:autoscaling:eu-west-1:1:autoScalingGroup:1:autoScalingGroupName/a",
            "managedScaling": {"status": scaling}, "managedTerminationProtection": protection});
        (
            ResourceType::CapacityProvider,
            json!({"name": "hosts", "status": "ACTIVE", "autoScalingGroupProvider": group}),
        )
    });
    let setting = select(vec!["enabled", "disabled", "enhanced"]).prop_map(|value| {
        let principal = format!("arn:aws:iam::{ACCOUNT}:root");
        (
            ResourceType::AccountSetting,
            json!({"name": "containerInsights", "value": value, "principalArn": principal}),
        )
    });
    prop_oneof![set, provider, setting]
}

/// Requests of RunTask.
fn launch() -> impl Strategy<Value = (ResourceType, Value)> {
    let public = select(vec![None, Some("ENABLED"), Some("DISABLED")]);
    let environment = select(vec![
        None,
        Some(json!([])),
        Some(json!([{"name": "DB_PASSWORD", "value": "hunter2"}])),
        Some(json!([{"name": "AWS_ACCESS_KEY_ID", "value": "x"}, {"name": "LOG_LEVEL", "value": "info"}])),
    ]);
    (public, environment).prop_map(|(public, environment)| {
        let network = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": public}});
        let overrides = json!({"containerOverrides": [{"name": "web", "environment": environment}]});
        let launch =
            json!({"taskDefinition": "checkout:7", "networkConfiguration": network, "overrides": overrides});
        (ResourceType::Task, launch)
    })
}

fn resource(kind: ResourceType, document: &Value) -> Resource {
    let name = match kind {
        ResourceType::Cluster => "cluster/shop",
        ResourceType::Service => "service/shop/checkout",
        ResourceType::Task => "task/shop/0f1e2d3c",
        ResourceType::TaskSet => "task-set/shop/checkout/ecs-svc/1",
        ResourceType::CapacityProvider => "capacity-provider/hosts",
        ResourceType::AccountSetting => "account-setting/containerInsights",
        _ => "task-definition/checkout:7",
    };
    Resource::read(ResourceId { kind, arn: arn(name).parse().unwrap() }, Document::from_value(document))
        .unwrap()
}

fn statuses(resource: &Resource, selection: &Selection) -> Vec<(&'static str, Compliance)> {
    evaluate(resource, &Facts::default(), selection)
        .into_iter()
        .map(|one| (one.control.slug, one.compliance))
        .collect()
}

/// The same answer, a better one, or fewer of the same violations.
fn no_worse(was: &Compliance, is: &Compliance) -> bool {
    match (was, is) {
        (_, Compliance::Passed | Compliance::NotApplicable(_)) => true,
        (Compliance::Failed(old), Compliance::Failed(new)) => {
            new.iter().all(|violation| old.iter().any(|known| known.path == violation.path))
        }
        (was, is) => was == is,
    }
}

/// The controls that are on, and all of them, with what the policy may say of them.
fn selections() -> [Selection; 2] {
    let set = r#"
        [controls]
        ecs-container-readonly-rootfs.scratch = ["/tmp", "/run"]
        ecs-container-non-root-user.user = "10001"
        ecs-no-dangerous-capabilities.allow = ["SYS_PTRACE"]
        ecs-service-tagged.values = ["owner=unknown"]
        ecs-taskdef-tagged.values = ["owner=unknown"]
        ecs-cluster-tagged = { required = ["owner"], values = ["owner=unknown"] }
    "#;
    [
        Selection::of(&Policy::notify_only(), &[], Severity::Informational),
        Selection::of(&policy(set), controls::ALL, Severity::Informational),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_fix_makes_its_control_pass_and_no_other_fail((kind, document) in document()) {
        let resource = resource(kind, &document);
        let facts = Facts::default();
        for selection in selections() {
            let before = statuses(&resource, &selection);
            for evaluation in evaluate(&resource, &facts, &selection) {
                if !matches!(evaluation.compliance, Compliance::Failed(_)) {
                    continue;
                }
                let selected = selection.get(evaluation.control).unwrap();
                let Some(fix) = plan(&resource, &evaluation, &facts, selected) else { continue };
                prop_assert!(prove(&fix, selected.control, &resource, &facts, &selection).is_ok());
                let after = statuses(&simulate(&fix.patch, &resource).unwrap(), &selection);
                for ((slug, was), (_, is)) in before.iter().zip(&after) {
                    if *slug == selected.control.slug {
                        prop_assert_eq!(is, &Compliance::Passed);
                    } else if *slug != EXCUSED {
                        prop_assert!(no_worse(was, is), "{} broke {slug}: {was:?}, {is:?}", selected.control.slug);
                    }
                }
            }
        }
    }

    #[test]
    fn a_fix_changes_nothing_but_what_its_patch_says((kind, document) in document()) {
        let resource = resource(kind, &document);
        let facts = Facts::default();
        for selection in selections() {
            for evaluation in evaluate(&resource, &facts, &selection) {
                let selected = selection.get(evaluation.control).unwrap();
                let Compliance::Failed(_) = &evaluation.compliance else { continue };
                let Some(fix) = plan(&resource, &evaluation, &facts, selected) else { continue };
                let (old, new) = (document.clone(), simulate(&fix.patch, &resource).unwrap().document.value().unwrap());
                let written: Vec<String> = fix.patch.0.iter()
                    .filter(|operation| !matches!(operation, json_patch::PatchOperation::Test(_)))
                    .map(written_at)
                    .collect();
                for path in json_difference(&old, &new, "") {
                    let named = written.iter().any(|one| path == *one || path.starts_with(&format!("{one}/")));
                    prop_assert!(named, "{} changes {path}, which its patch does not name", evaluation.control.slug);
                }
            }
        }
    }

    #[test]
    fn what_was_authorised_combines_into_one_write(containers in vec(container(), 1..4)) {
        let document = json!({"family": "checkout", "status": "ACTIVE", "containerDefinitions": containers});
        let fixing = policy("mode = \"fix\"\ndisruptive = true\n[controls.ecs-container-readonly-rootfs]\nscratch = [\"/tmp\"]\n[controls.ecs-container-non-root-user]\nuser = \"10001\"\n");
        let selection = Selection::of(&fixing, &[], Severity::Informational);
        let resource = resource(ResourceType::TaskDefinition, &document);
        let facts = Facts::default();
        let change = Call::register(0, &good_task("checkout", 7)).change();
        let (mut authorized, mut for_people) = (Vec::new(), Vec::new());
        for evaluation in evaluate(&resource, &facts, &selection) {
            let Compliance::Failed(violations) = &evaluation.compliance else { continue };
            let selected = selection.get(evaluation.control).unwrap();
            let fix = plan(&resource, &evaluation, &facts, selected).filter(|fix| fix.safety > Safety::Manual);
            let Some(fix) = fix else {
                for_people.push(evaluation.control.slug);
                continue;
            };
            let preflight = Preflight::Proved(Box::new(prove(&fix, evaluation.control, &resource, &facts, &selection).unwrap()));
            let finding = Finding {
                control: evaluation.control, resource: resource.id.clone(), found_in: None, violations: violations.clone(),
                cause: Cause::of(&change).into(), made_by_cause: true, starts_deployment: true, owner: None,
            };
            let proposal = Proposal { resource: &resource, fix: &fix, preflight: &preflight };
            if let Decision::Fix(one, _) = decide(&finding, Some(proposal), &fixing, &History::default(), change.time) {
                authorized.push(*one);
            }
        }
        let count = authorized.len();
        let (remediations, left_out) = combine(authorized, &facts, &selection);
        prop_assert!(left_out.is_empty(), "{left_out:?}");
        prop_assert_eq!(remediations.iter().map(|one| one.controls().len()).sum::<usize>(), count);
        prop_assert!(remediations.len() <= 1);
        for remediation in &remediations {
            for (slug, compliance) in statuses(remediation.after(), &selection) {
                prop_assert!(!matches!(compliance, Compliance::Failed(_)) || for_people.contains(&slug), "{slug}");
            }
            let again = simulate(remediation.patch(), &resource).unwrap();
            prop_assert_eq!(again.document.value(), remediation.after().document.value());
        }
    }
}

/// The place that an operation changes: of a list that gets longer or shorter, the list.
fn written_at(operation: &json_patch::PatchOperation) -> String {
    let path = operation.path().to_string();
    match path.rsplit_once('/') {
        Some((list, "-")) => list.to_owned(),
        Some((list, place))
            if matches!(operation, json_patch::PatchOperation::Remove(_))
                && place.parse::<usize>().is_ok() =>
        {
            list.to_owned()
        }
        _ => path,
    }
}

/// The pointers at which two trees differ.
fn json_difference(old: &Value, new: &Value, path: &str) -> Vec<String> {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            let each = keys.into_iter().flat_map(|key| match (a.get(key), b.get(key)) {
                (Some(x), Some(y)) => json_difference(x, y, &format!("{path}/{key}")),
                _ => vec![format!("{path}/{key}")],
            });
            each.collect()
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let each = a.iter().zip(b).enumerate();
            each.flat_map(|(index, (x, y))| json_difference(x, y, &format!("{path}/{index}"))).collect()
        }
        (a, b) if a == b => Vec::new(),
        _ => vec![path.to_owned()],
    }
}

/// Of as many documents as the properties try: whatever has a fix was fixed, and whatever needs nothing beside the
/// document was seen to fail and to pass.
#[test]
fn every_control_was_tried_here() {
    let (mut planned, mut failed, mut passed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut runner = TestRunner::deterministic();
    for _ in 0..1024 {
        let (kind, value) = document().new_tree(&mut runner).unwrap().current();
        let resource = resource(kind, &value);
        for selection in selections() {
            for evaluation in evaluate(&resource, &Facts::default(), &selection) {
                let slug = evaluation.control.slug;
                match &evaluation.compliance {
                    Compliance::Failed(_) => failed.insert(slug),
                    Compliance::Passed => passed.insert(slug),
                    _ => false,
                };
                let selected = selection.get(evaluation.control).unwrap();
                if matches!(evaluation.compliance, Compliance::Failed(_))
                    && plan(&resource, &evaluation, &Facts::default(), selected).is_some()
                {
                    planned.insert(slug);
                }
            }
        }
    }
    // These look at roles, hosts, or a kind that no generated document is of: their own tests and events try them.
    let elsewhere = [
        "ecs-express-service-public",
        "ecs-host-mode-security-group",
        "ecs-image-trusted-registry",
        "ecs-service-no-inline-policy",
        "ecs-service-role-not-admin",
    ];
    for control in controls::ALL {
        let slug = control.slug;
        assert!(control.call.is_none() || planned.contains(slug), "{slug} has a fix, and none was planned");
    }
    let both = |slug: &&str| failed.contains(slug) && passed.contains(slug);
    let slugs = controls::ALL.iter().map(|control| control.slug);
    let untried: Vec<&str> = slugs.filter(|slug| !both(slug) && !elsewhere.contains(slug)).collect();
    assert_eq!(untried, Vec::<&str>::new(), "never failed, or never passed");
}
