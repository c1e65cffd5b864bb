//! The template that ships, deployed with stand-ins, and an event's way through it.

use serde_json::{Value, json};
use shipshape_e2e::aws::Credentials;
use shipshape_e2e::deploy::{Plan, deploy, lint};
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::{PATIENCE, events, fixtures, until};

use crate::STAND_IN;
use crate::emulators::members;

const PASSABLE: &str = "arn:aws:iam::111122223333:role/web,arn:aws:iam::111122223333:role/batch";

/// What the stand-ins noted so far.
fn seen(emulators: &Emulators, table: &str) -> Vec<Value> {
    let items = fixtures::items(&emulators.aws(), table).unwrap();
    let records = items.iter().map(|item| fixtures::attribute(item, "record").unwrap().as_str().unwrap());
    let records = records.map(|record| record.parse::<Value>().unwrap());
    records.map(|record| record["body"].as_str().unwrap().parse().unwrap()).collect()
}

/// The template with stand-ins, in which a message comes back after a second.
fn plan() -> Plan {
    let mut plan = Plan::new("shipshape");
    plan.binaries.values_mut().for_each(|binary| *binary = STAND_IN.into());
    plan.parameters = vec![("DryRun".into(), "false".into()), ("PassableRoles".into(), PASSABLE.into())];
    plan.seconds = Some((5, 1));
    plan
}

#[test]
fn the_linter_has_nothing_to_say() {
    lint("infra/template.yaml").unwrap();
}

#[test]
fn an_event_reaches_its_function_through_rule_and_queue() {
    let emulators = Emulators::start().unwrap();
    let stack = deploy(&emulators, &plan()).unwrap();
    let (aws, table) = (emulators.aws(), stack.output("Table").unwrap().to_owned());

    let put = |path: &str| events::put(&aws, &events::event(path).unwrap()).unwrap();
    // No rule lets pass what failed, what nobody watches, or what Shipshape did itself.
    for path in ["ignored.failed-access-denied", "ignored.unwatched", "ignored.read-only", "origin.own"] {
        put(&format!("ecs/{path}.json"));
    }
    let expected = [
        ("ecs-cluster-container-insights.fail.created-without-settings", "Cluster"),
        ("ecs-service-no-public-ip.fail.create-fargate", "Service"),
        ("native.deployment.completed", "Service"),
        ("native.task-state-change.running", "Service"),
        ("tag.native", "Service"),
        ("ecs-container-not-privileged.pass.absent", "TaskDefinition"),
    ];
    let ids: Vec<String> = expected.iter().map(|(path, _)| put(&format!("ecs/{path}.json"))).collect();
    let bodies = until("the stand-ins to note the events", PATIENCE, || {
        Some(seen(&emulators, &table)).filter(|bodies| bodies.len() >= ids.len())
    });
    let mut arrived: Vec<_> =
        bodies.unwrap().iter().map(|body| body["id"].as_str().unwrap().to_owned()).collect();
    let mut wanted = ids.clone();
    arrived.sort();
    wanted.sort();
    assert_eq!(arrived, wanted);

    for ((path, function), id) in expected.iter().zip(&ids) {
        let name = stack.output(&format!("{function}Function")).unwrap();
        let items = fixtures::items(&aws, &table).unwrap();
        let by = items.iter().find(|item| item.to_string().contains(id)).unwrap();
        assert_eq!(fixtures::attribute(by, "pk").unwrap(), &format!("seen#{name}"), "{path}");
    }
    assert!(
        emulators.proxy().matching("dynamodb.PutItem").len() >= ids.len(),
        "functions call through the proxy"
    );
    let queue = stack.output("ClusterQueue").unwrap();
    assert!(queue.starts_with(&emulators.ministack()), "{queue}");
    stack.delete().unwrap();

    // The functions' processes are of MiniStack's group, and end with it.
    let [group, _] = emulators.process_groups();
    assert!(members(group) > 1, "functions run");
    drop(emulators);
    until("the functions to be gone", PATIENCE, || (members(group) == 0).then_some(())).unwrap();
}

#[test]
fn what_fails_comes_back_and_ends_with_the_dead_letters() {
    let emulators = Emulators::start().unwrap();
    let stack = deploy(&emulators, &plan()).unwrap();
    let (aws, queue) = (emulators.aws(), stack.output("ServiceQueue").unwrap().to_owned());
    let twice = json!({"QueueUrl": queue, "Attributes": {"RedrivePolicy": json!({
        "deadLetterTargetArn": fixtures::queue_arn(&aws, stack.output("ServiceDeadLetters").unwrap()).unwrap(),
        "maxReceiveCount": 2,
    }).to_string()}});
    aws.call("sqs", "SetQueueAttributes", &twice).unwrap();
    for body in [r#"{"do": "later"}"#, r#"{"do": "fail"}"#] {
        aws.call("sqs", "SendMessage", &json!({"QueueUrl": queue, "MessageBody": body})).unwrap();
    }
    let mut dead = Vec::new();
    until("both messages among the dead letters", PATIENCE, || {
        dead.extend(fixtures::receive(&aws, stack.output("ServiceDeadLetters").unwrap()).unwrap());
        (dead.len() == 2).then_some(())
    })
    .unwrap();
    assert_eq!(fixtures::waiting(&aws, &queue).unwrap(), (0, 0));
}

#[test]
fn roles_and_signatures_hold_where_they_are_enforced() {
    let emulators = Emulators::with(&[("AUTH", "true")]).unwrap();
    let stack = deploy(&emulators, &plan()).unwrap();
    let (aws, table) = (emulators.aws(), stack.output("Table").unwrap().to_owned());
    events::put(&aws, &events::event("ecs/native.service-action.json").unwrap()).unwrap();
    let noted = until("the stand-in to write with its role", PATIENCE, || {
        Some(seen(&emulators, &table)).filter(|bodies| !bodies.is_empty())
    });
    assert_eq!(noted.unwrap()[0]["detail-type"], "ECS Service Action");
    let call = emulators.proxy().matching("dynamodb.PutItem").pop().unwrap();
    assert!(call.key.starts_with("ASIA"), "the role's own key: {}", call.key);

    // What a function's role does not allow is refused, whatever the function tries.
    let queue = stack.output("ClusterQueue").unwrap();
    for (operation, parameters) in
        [("DescribeClusters", json!({"clusters": ["shop"]})), ("DeleteCluster", json!({"cluster": "shop"}))]
    {
        let body = json!({"do": "call", "service": "ecs", "operation": operation, "parameters": parameters});
        let message = json!({"QueueUrl": queue, "MessageBody": body.to_string()});
        aws.call("sqs", "SendMessage", &message).unwrap();
    }
    let answered = |operation: &str| {
        let calls = until("the function's call", PATIENCE, || {
            Some(emulators.proxy().matching(operation)).filter(|calls| calls.iter().any(|call| call.answered))
        });
        let call = calls.unwrap().remove(0);
        (call.status, String::from_utf8(call.answer).unwrap())
    };
    assert_eq!(answered("ecs.DescribeClusters").0, Some(200));
    let (status, said) = answered("ecs.DeleteCluster");
    assert!(status >= Some(400) && said.contains("AccessDenied"), "{status:?} {said}");

    // One role alone may pass roles, and only those that it was told.
    let roles = aws.call("iam", "ListRoles", &json!({"PathPrefix": "/shipshape/"})).unwrap();
    let roles: Vec<_> = roles["Roles"].as_array().unwrap().iter().map(|role| &role["RoleName"]).collect();
    assert_eq!(roles.len(), 3, "{roles:?}");
    let passing = roles.iter().filter(|role| {
        let names = aws.call("iam", "ListRolePolicies", &json!({"RoleName": role})).unwrap();
        let name = &names["PolicyNames"][0];
        let policy =
            aws.call("iam", "GetRolePolicy", &json!({"RoleName": role, "PolicyName": name})).unwrap();
        let text = policy["PolicyDocument"].as_str().unwrap();
        text.contains("PassRole")
            && PASSABLE.split(',').all(|role| text.contains(role.rsplit('/').next().unwrap()))
    });
    assert_eq!(passing.count(), 1);

    // Nor is a signature taken that does not fit.
    aws.call("iam", "CreateUser", &json!({"UserName": "somebody"})).unwrap();
    let made = aws.call("iam", "CreateAccessKey", &json!({"UserName": "somebody"})).unwrap();
    let text = |name: &str| made["AccessKey"][name].as_str().unwrap().to_owned();
    let somebody =
        Credentials { key: text("AccessKeyId"), secret: text("SecretAccessKey"), token: String::new() };
    let code = |who: Credentials| aws.with(who).call("ecs", "ListClusters", &json!({})).unwrap_err().code;
    assert_eq!(code(somebody.clone()), "AccessDeniedException");
    assert_eq!(code(Credentials { secret: "guessed".into(), ..somebody }), "InvalidSignatureException");
}
