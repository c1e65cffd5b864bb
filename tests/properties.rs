//! What holds for every input, tried on generated and mutated ones.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use shipshape_core::change::{Observed, Origin};
use shipshape_core::control::{Compliance, Severity, evaluate};
use shipshape_core::controls;
use shipshape_core::decide::{Decision, History, Proposal, decide};
use shipshape_core::document::Document;
use shipshape_core::event::{Parsed, Record, parse};
use shipshape_core::facts::{Facts, Need};
use shipshape_core::finding::{Cause, Finding, Owner};
use shipshape_core::ids::Arn;
use shipshape_core::inventory::Inventory;
use shipshape_core::policy::{Policy, Switch};
use shipshape_core::preflight::{Preflight, Refusal, WaitFor};
use shipshape_core::remediation::{EXCUSED, Safety, combine, plan, prove, simulate};
use shipshape_core::replay::World;
use shipshape_core::resource::{Resource, ResourceId, ResourceType};
use shipshape_core::selection::{Parameters, Selected, Selection, find};
use shipshape_tests::hunt::hunt;
use shipshape_tests::{ACCOUNT, Call, arn, cluster, good_task, nat_network, policy, world};

static EVENTS: LazyLock<Vec<String>> = LazyLock::new(events);
static ANSWERS: LazyLock<Vec<String>> = LazyLock::new(|| texts("state"));
static KNOWN: LazyLock<Inventory> = LazyLock::new(|| {
    let mut inventory = Inventory::new(Vec::new());
    for answer in ANSWERS.iter() {
        inventory.describe(serde_json::from_str(answer).unwrap());
    }
    inventory
});

/// The events of every service.
fn events() -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events");
    let mut folders: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders.iter().flat_map(|folder| texts(folder.to_str().unwrap())).collect()
}

/// The JSON files of a folder, in the order of their names.
fn texts(folder: &str) -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .filter(|file| file.extension().is_some_and(|e| e == "json"))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect()
}

fn junk() -> impl Strategy<Value = Value> {
    select(vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("HIDDEN_DUE_TO_SECURITY_REASONS"),
        json!("arn:aws:ecs:eu-west-1:111122223333:"),
        json!("\u{0}\u{202e}\n"),
        json!([]),
        json!([[[{}]]]),
        json!({}),
        json!({"omitted": "true"}),
        json!([null, 7, "x", {"name": null}]),
    ])
}

/// Puts junk at the place that a walk of indexes leads to.
fn mutate(value: &mut Value, way: &[Index], junk: Value) {
    let Some((step, rest)) = way.split_first() else {
        *value = junk;
        return;
    };
    match value {
        Value::Object(members) if !members.is_empty() => {
            let key = members.keys().nth(step.index(members.len())).cloned().unwrap();
            mutate(&mut members[&key], rest, junk);
        }
        Value::Array(items) if !items.is_empty() => {
            let place = step.index(items.len());
            mutate(&mut items[place], rest, junk);
        }
        _ => *value = junk,
    }
}

fn walk_text(text: &str) {
    let Ok(json) = serde_json::from_str::<&RawValue>(text) else { return };
    let Ok(record) = Record::read(json) else { return };
    let Ok(Parsed::Change(change)) = parse(&record) else { return };
    let fixing = policy("mode = \"fix\"\ndisruptive = true\niac = \"fix\"\nsupersede = true\n");
    let mut world = world(fixing, &nat_network());
    world.walk(&change);
    world.finish();
}

/// What an event shows: kinds, names and documents; nothing where it is no change.
fn shown(text: &str) -> Vec<(String, Option<Value>)> {
    let json: &RawValue = serde_json::from_str(text).unwrap();
    let Ok(Parsed::Change(change)) = Record::read(json).and_then(|record| parse(&record)) else {
        return Vec::new();
    };
    let each = change.observed.iter().map(|observed| {
        let (how, document) = match observed {
            Observed::State(resource) => ("state", resource.document.value()),
            Observed::Part(resource) => ("part", resource.document.value()),
            Observed::Touched(_) => ("touched", None),
            Observed::Gone(_) => ("gone", None),
        };
        (format!("{how} {} {}", observed.id().kind, observed.id().arn), document)
    });
    each.collect()
}

/// One rule of a security group: its protocol by name, its ports, and the member and value that tell its source.
fn rule() -> impl Strategy<Value = (&'static str, i64, i64, &'static str, &'static str)> {
    let protocol = select(vec!["tcp", "udp", "icmp", "icmpv6", "50", "-1"]);
    let source = select(vec![
        ("CidrIpv4", "0.0.0.0/0"),
        ("CidrIpv4", "10.1.2.3/8"),
        ("CidrIpv6", "::/0"),
        ("PrefixListId", "pl-1"),
        ("ReferencedGroupInfo", "sg-2"),
    ]);
    (protocol, -1..65536i64, -1..65536i64, source)
        .prop_map(|(protocol, from, to, (member, source))| (protocol, from, to, member, source))
}

/// The same rule in every dialect of a request.
fn dialects(
    (protocol, from, to, member, source): (&str, i64, i64, &str, &str),
) -> impl Iterator<Item = Value> + use<> {
    let (list, element, xml_list, xml_element) = match member {
        "CidrIpv4" => ("ipRanges", "cidrIp", "IpRanges", "CidrIp"),
        "CidrIpv6" => ("ipv6Ranges", "cidrIpv6", "Ipv6Ranges", "CidrIpv6"),
        "PrefixListId" => ("prefixListIds", "prefixListId", "PrefixListIds", "PrefixListId"),
        _ => ("groups", "groupId", "Groups", "GroupId"),
    };
    let number = match protocol {
        "tcp" => "6",
        "udp" => "17",
        "icmp" => "1",
        "icmpv6" => "58",
        other => other,
    };
    let coerced: i64 = number.parse().unwrap();
    let items = |protocol: Value, from: Value, to: Value| {
        let mut permission = json!({"ipProtocol": protocol, "fromPort": from, "toPort": to, "groups": {}, "ipRanges": {},
            "ipv6Ranges": {}, "prefixListIds": {}});
        permission[list] = json!({"items": [{element: source}]});
        json!({"groupId": "sg-1", "ipPermissions": {"items": [permission]}})
    };
    let plain = json!({"groupId": "sg-1", "ipPermissions": [{"ipProtocol": protocol, "fromPort": from, "toPort": to,
        list: [{element: source}]}]});
    let xml = |protocol: Value, from: Value| {
        let mut permission = json!({"tag": 1, "IpProtocol": protocol, "FromPort": from, "ToPort": {"tag": 1, "content": to},
            "Groups": "", "IpRanges": "", "Ipv6Ranges": "", "PrefixListIds": ""});
        permission[xml_list] = json!({"tag": 1, xml_element: source});
        permission
    };
    let wrapped = |permissions: Value| json!({"AuthorizeSecurityGroupIngressRequest": {"GroupId": "sg-1", "IpPermissions": permissions}});
    let flat = json!({"groupId": "sg-1", "ipPermissions": {}, "ipProtocol": protocol, "fromPort": from, "toPort": to, "cidrIp": source});
    let mut all = vec![
        items(json!(protocol), json!(from), json!(to)),
        items(json!(number), json!(from.to_string()), json!(to)),
        items(json!(coerced), json!(from), json!(to.to_string())),
        plain,
        wrapped(xml(json!(protocol), json!(from))),
        wrapped(json!([xml(json!(coerced), json!(from.to_string()))])),
    ];
    all.extend((member == "CidrIpv4").then_some(flat));
    all.into_iter()
}

/// Containers of every sort; none of their members is hidden.
fn container() -> impl Strategy<Value = Value> {
    let user =
        select(vec![None, Some("root"), Some("0"), Some("00:5"), Some("1000"), Some("app:app"), Some("")]);
    let log = select(vec![
        None,
        Some(json!({})),
        Some(json!({"logDriver": "awslogs"})),
        Some(json!({"logDriver": "awslogs", "options": {"mode": "blocking"}})),
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
    let members = ("[a-z]{1,8}", flag(), flag(), user, log, mounts, memory, linux);
    members.prop_map(|(name, privileged, readonly, user, log, mounts, memory, linux)| {
        let mut container =
            json!({"name": name, "image": "nginx", "newerMember": {"kept": [1.50, 12345678901234567890u64]}});
        let members = [
            ("privileged", privileged),
            ("readonlyRootFilesystem", readonly),
            ("user", user.map(Value::from)),
            ("logConfiguration", log),
            ("mountPoints", mounts),
            ("memory", memory),
            ("linuxParameters", linux),
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
    let task = (vec(container(), 1..4), family, volumes, modes, requires);
    let task = task.prop_map(|(containers, family, volumes, (network, pid, ipc), requires)| {
        let mut task = json!({"family": "checkout", "status": "ACTIVE", "containerDefinitions": containers});
        if let Some(family) = family {
            task["runtimePlatform"] = json!({ "operatingSystemFamily": family });
        }
        let members = [
            ("volumes", volumes),
            ("networkMode", network.map(Value::from)),
            ("pidMode", pid.map(Value::from)),
            ("ipcMode", ipc.map(Value::from)),
            ("requiresCompatibilities", requires),
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
    let service = (public, any::<bool>(), platform, exec).prop_map(|(public, groups, platform, exec)| {
        let mut block = json!({"subnets": ["subnet-1"]});
        if groups {
            block["securityGroups"] = json!(["sg-1"]);
        }
        if let Some(public) = public {
            block["assignPublicIp"] = json!(public);
        }
        let mut service =
            json!({"status": "ACTIVE", "launchType": "FARGATE", "platformFamily": "Linux", "tags": [],
            "networkConfiguration": {"awsvpcConfiguration": block}, "enableExecuteCommand": exec});
        if let Some(platform) = platform {
            service["platformVersion"] = json!(platform);
        }
        (ResourceType::Service, service)
    });
    let setting =
        (select(vec!["containerInsights", "other"]), select(vec!["enabled", "disabled", "enhanced", ""]));
    let settings = vec(setting.prop_map(|(name, value)| json!({"name": name, "value": value})), 0..4);
    let logging = select(vec![None, Some("NONE"), Some("DEFAULT"), Some("OVERRIDE")]);
    let cluster = (settings, logging, any::<bool>()).prop_map(|(settings, logging, key)| {
        let exec = json!({"kmsKeyId": key.then_some("alias/exec"), "logging": logging,
            "newerMember": {"kept": 1}});
        let configuration = json!({"executeCommandConfiguration": exec});
        let cluster =
            json!({"status": "ACTIVE", "settings": settings, "configuration": configuration, "tags": []});
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
        ecs-cluster-tagged = { required = ["owner"], values = ["owner=unknown"] }
    "#;
    [
        Selection::of(&Policy::notify_only(), &[], Severity::Informational),
        Selection::of(&policy(set), controls::ALL, Severity::Informational),
    ]
}

fn preflights(proof: &Preflight) -> Vec<Preflight> {
    let Preflight::Proved(proof) = proof else { panic!("not proved") };
    vec![
        Preflight::Proved(proof.clone()),
        Preflight::Refused(vec![Refusal { topic: "x".to_owned(), sentence: "y".to_owned() }]),
        Preflight::Unknown(vec![Need::Subnet("subnet-1".to_owned())]),
        Preflight::Wait(WaitFor::Deployment("ecs-svc/1".to_owned()), Some(proof.clone())),
        Preflight::Wait(WaitFor::Deployment("ecs-svc/1".to_owned()), None),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_events_never_panic(
        file in any::<Index>(),
        changes in vec((vec(any::<Index>(), 0..9), junk()), 1..4),
    ) {
        let mut value: Value = serde_json::from_str(file.get::<String>(EVENTS.as_slice())).unwrap();
        for (way, junk) in changes {
            mutate(&mut value, &way, junk);
        }
        walk_text(&value.to_string());
    }

    #[test]
    fn mutated_answers_never_panic(
        file in any::<Index>(),
        event in any::<Index>(),
        changes in vec((vec(any::<Index>(), 0..9), junk()), 1..4),
    ) {
        let mut value: Value = serde_json::from_str(file.get::<String>(ANSWERS.as_slice())).unwrap();
        for (way, junk) in changes {
            mutate(&mut value, &way, junk);
        }
        let mut inventory = KNOWN.clone();
        inventory.describe(serde_json::from_str(&value.to_string()).unwrap());
        let json: &RawValue = serde_json::from_str(event.get::<String>(EVENTS.as_slice())).unwrap();
        let Ok(Parsed::Change(change)) = parse(&Record::read(json).unwrap()) else { return Ok(()) };
        let [selection, _] = selections();
        World::new(Policy::notify_only(), selection, inventory).walk(&change);
    }

    #[test]
    fn cut_and_flipped_bytes_never_panic(file in any::<Index>(), at in any::<Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = file.get::<String>(EVENTS.as_slice()).clone().into_bytes();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        walk_text(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn one_rule_is_one_document_in_every_dialect(rule in rule()) {
        let (protocol, from, to, member, source) = rule;
        let call = |request: Value, response: Value| {
            let call = Call::new("AuthorizeSecurityGroupIngress", 0, request, response);
            shown(&call.with("eventSource", json!("ec2.amazonaws.com")).text())
        };
        let (member_of_answer, source_of_answer) = match member {
            "CidrIpv4" => ("cidrIpv4", json!(source)),
            "CidrIpv6" => ("cidrIpv6", json!(source)),
            "PrefixListId" => ("prefixListId", json!(source)),
            _ => ("referencedGroupInfo", json!({"groupId": source})),
        };
        let ports = |port: i64| json!(if protocol == "-1" { -1 } else { port });
        let answer = json!({"_return": true, "securityGroupRuleSet": {"items": [{"groupId": "sg-1", "isEgress": false,
            "ipProtocol": protocol, "fromPort": ports(from), "toPort": ports(to), member_of_answer: source_of_answer}]}});
        let expected = call(Value::Null, answer);
        prop_assert_eq!(expected.len(), 1);
        for request in dialects(rule) {
            prop_assert_eq!(&call(request.clone(), json!({"_return": true})), &expected, "{}", request);
        }
    }

    #[test]
    fn a_record_reads_the_same_with_and_without_its_envelope(file in any::<Index>()) {
        let event: Value = serde_json::from_str(file.get::<String>(EVENTS.as_slice())).unwrap();
        if event["detail-type"] == "AWS API Call via CloudTrail" {
            prop_assert_eq!(shown(&event.to_string()), shown(&event["detail"].to_string()));
        }
    }

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
                cause: Arc::new(Cause::of(&change)), made_by_cause: true, starts_deployment: true, owner: None,
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

    #[test]
    fn arns_round_trip(text in "arn:aws(-cn)?:ecs:[a-z0-9-]{0,12}:[0-9]{0,12}:[a-z-]{1,9}[/:][!-~]{1,20}") {
        let arn: Arn = text.parse().unwrap();
        prop_assert_eq!(arn.to_string(), text);
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

/// Every combination of what speaks for and against a fix; a random draw would hardly meet the few that allow one.
#[test]
fn decide_fixes_only_what_everything_allows() {
    let resource = resource(ResourceType::Cluster, &cluster("shop", "disabled"));
    let control = find("ecs-cluster-container-insights").unwrap();
    let facts = Facts::default();
    let selection = Selection::of(&Policy::notify_only(), &[control], Severity::Informational);
    let selected = Selected { control, parameters: Parameters::default() };
    let evaluation = evaluate(&resource, &facts, &selection).remove(0);
    let fix = plan(&resource, &evaluation, &facts, &selected).unwrap();
    let proved = Preflight::Proved(Box::new(prove(&fix, control, &resource, &facts, &selection).unwrap()));
    let preflights = preflights(&proved);
    let Compliance::Failed(violations) = evaluation.compliance else { panic!("passes") };
    let change = Call::create_cluster(0, &cluster("shop", "disabled")).change();
    let flags = [false, true];
    let mut fixed = 0;
    for said in said() {
        for (switch, dry_run) in
            [Switch::Run, Switch::Pause, Switch::Freeze].into_iter().flat_map(|s| flags.map(|d| (s, d)))
        {
            let policy = said.policy.clone().with_switch(switch).with_dry_run(dry_run);
            for bits in 0..8u8 {
                let (own, owned, made) = (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0);
                let mut cause = Cause::of(&change);
                if own {
                    cause.origin = Origin::Shipshape;
                }
                let finding = Finding {
                    control,
                    resource: resource.id.clone(),
                    found_in: None,
                    violations: violations.clone(),
                    cause: cause.into(),
                    made_by_cause: made,
                    starts_deployment: made,
                    owner: owned.then_some(Owner::Stack),
                };
                for (which, safety, reverts, failures) in situations() {
                    let mut fix = fix.clone();
                    fix.safety = safety;
                    let history = History { reverts, failures, ..History::default() };
                    let proposal = Proposal { resource: &resource, fix: &fix, preflight: &preflights[which] };
                    let decision = decide(&finding, Some(proposal), &policy, &history, change.time);
                    let ready = which == 0 || (which == 3 && said.supersede && made);
                    let safe = match safety {
                        Safety::Safe => true,
                        Safety::Disruptive => said.disruptive && (!owned || said.iac),
                        Safety::Manual => false,
                    };
                    let allowed = said.mode == "fix" && !said.exempt && !said.grace;
                    let expected = allowed
                        && switch == Switch::Run
                        && !dry_run
                        && !own
                        && ready
                        && safe
                        && reverts < 3
                        && failures < 3;
                    assert_eq!(matches!(decision, Decision::Fix(..)), expected, "{:?}", decision.reason());
                    assert!(!decision.reason().text.is_empty());
                    fixed += u32::from(expected);
                }
                let without = decide(&finding, None, &policy, &History::default(), change.time);
                assert!(!matches!(without, Decision::Fix(..)));
            }
        }
    }
    assert!(fixed > 50, "only {fixed} combinations allow a fix");
}

/// What a policy said.
struct Said {
    policy: Policy,
    mode: &'static str,
    disruptive: bool,
    iac: bool,
    supersede: bool,
    grace: bool,
    exempt: bool,
}

fn said() -> Vec<Said> {
    let exemption = "[[exemptions]]\ncontrol = \"*\"\nresource = \"*\"\nowner = \"a\"\nreason = \"b\"\nexpires = 2027-01-31\n";
    let mut all = Vec::new();
    for mode in ["off", "notify", "fix"] {
        for bits in 0..32u8 {
            let [disruptive, iac, supersede, grace, exempt] = [1, 2, 4, 8, 16].map(|bit| bits & bit > 0);
            let text = format!(
                "mode = \"{mode}\"\ndisruptive = {disruptive}\niac = \"{}\"\nsupersede = {supersede}\n{}{}",
                if iac { "fix" } else { "notify" },
                if grace { "grace = \"30m\"\n" } else { "" },
                if exempt { exemption } else { "" },
            );
            all.push(Said { policy: policy(&text), mode, disruptive, iac, supersede, grace, exempt });
        }
    }
    all
}

fn situations() -> Vec<(usize, Safety, u32, u32)> {
    let mut all = Vec::new();
    for which in 0..5 {
        for safety in [Safety::Manual, Safety::Disruptive, Safety::Safe] {
            for (reverts, failures) in [(0, 0), (2, 2), (3, 0), (0, 3)] {
                all.push((which, safety, reverts, failures));
            }
        }
    }
    all
}

#[test]
fn every_control_has_a_fix_that_was_tried_here() {
    for control in controls::ALL.iter().filter(|control| control.call.is_some()) {
        let concerned = [
            ResourceType::TaskDefinition,
            ResourceType::Service,
            ResourceType::Cluster,
            ResourceType::Task,
            ResourceType::TaskSet,
            ResourceType::CapacityProvider,
            ResourceType::AccountSetting,
        ];
        assert!(
            concerned.contains(&control.rule.kind()),
            "{} judges a kind that `document` does not make",
            control.slug
        );
    }
}

/// The seeds of the fuzz target, and whatever it has found, on every `cargo test`.
#[test]
fn what_fuzzing_found_stays_mended() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found = fs::read_dir(root.join("fuzz/found")).into_iter().flatten().flatten();
    for file in found {
        hunt(&fs::read(file.path()).unwrap());
    }
    for event in EVENTS.iter() {
        hunt(event.as_bytes());
    }
}
