//! Anyone may set a tag: which revision stands in the place of another is believed only where the two say so themselves.

use serde_json::{Value, json};
use shipshape_aws::reach::Reach;
use shipshape_core::control::Severity;
use shipshape_core::facts::Facts;
use shipshape_core::policy::Policy;
use shipshape_core::selection::{Selection, find};
use shipshape_test_server::{Answer, Server};

use crate::world::{arn, error, id, members, need, reach, told};

const SOURCE: &str = "task-definition/web:7";

fn source() -> Value {
    json!({"taskDefinitionArn": arn(SOURCE), "family": "web", "revision": 7, "status": "ACTIVE",
        "containerDefinitions": [{"name": "web", "image": "web:1", "privileged": true, "newerMember": {"a": [1.5]},
            "environment": [{"name": "MODE", "value": "a"}]}], "newerTop": 9007199254740993u64})
}

/// That revision as our fix would leave it.
fn mended() -> Value {
    let mut document = source();
    document["taskDefinitionArn"] = json!(arn("task-definition/web:8"));
    document["revision"] = json!(8);
    document["registeredAt"] = json!(1769000000.123);
    document["containerDefinitions"][0]["privileged"] = json!(false);
    document
}

/// What is learned of a revision whose tag names another, which is answered for so, and after how many calls.
async fn learned(tag: &str, other: Answer) -> (Facts, usize) {
    let tags = json!([{"key": "shipshape:mended", "value": tag}]);
    let server = Server::start(move |request, _| match members(request)["taskDefinition"].as_str() {
        Some(name) if name == arn(SOURCE) => told(&json!({"taskDefinition": source(), "tags": tags})),
        _ => other.clone(),
    });
    // What else there is to mend would be another difference.
    let control = find("ecs-container-not-privileged").unwrap();
    let selection = Selection::of(&Policy::notify_only(), &[control], Severity::Informational);
    let mut facts = Facts::default();
    assert!(reach(&server).fetch(&[need(SOURCE)], &mut facts, &selection).await.unwrap());
    assert!(facts.known(&id(SOURCE)).is_some());
    (facts, server.requests().len())
}

async fn believed(other: Answer) -> bool {
    let (facts, _) = learned(&arn("task-definition/web:8"), other).await;
    facts.mended(&id(SOURCE).arn).is_some()
}

async fn believed_with(change: impl Fn(&mut Value)) -> bool {
    let mut document = mended();
    change(&mut document);
    believed(told(&json!({"taskDefinition": document, "tags": []}))).await
}

#[tokio::test]
async fn a_revision_that_differs_by_our_fix_alone_stands_in_anothers_place() {
    let answer = told(&json!({"taskDefinition": mended(), "tags": []}));
    let (facts, calls) = learned(&arn("task-definition/web:8"), answer).await;
    let found = facts.mended(&id(SOURCE).arn).unwrap();
    assert_eq!((&found.id, calls), (&id("task-definition/web:8"), 2));
}

#[tokio::test]
async fn a_revision_that_differs_by_more_does_not() {
    assert!(believed_with(|_| {}).await);
    let container = |name: &'static str, value: Value| {
        move |document: &mut Value| document["containerDefinitions"][0][name] = value.clone()
    };
    assert!(!believed_with(container("image", json!("evil:1"))).await);
    assert!(!believed_with(container("privileged", json!(true))).await);
    assert!(!believed_with(container("newerMember", json!({"a": [1.6]}))).await);
    assert!(!believed_with(container("environment", json!([{"name": "MODE", "value": "b"}]))).await);
    assert!(!believed_with(|document| document["newerTop"] = json!(9007199254740992u64)).await);
    assert!(
        !believed_with(|document| document["taskRoleArn"] = json!("arn:aws:iam::111122223333:role/a")).await
    );
    let text =
        |number: &str| json!({"taskDefinition": mended()}).to_string().replace("9007199254740993", number);
    // As the SDK's own types and a float would read it, the same number.
    assert!(!believed(Answer::Told(200, text("9007199254740993.1"))).await);
}

#[tokio::test]
async fn a_revision_that_no_service_can_move_to_does_not() {
    assert!(!believed_with(|document| document["status"] = json!("INACTIVE")).await);
    assert!(!believed_with(|document| document["status"] = json!("DELETE_IN_PROGRESS")).await);
    let gone = error(400, "ClientException", "Unable to describe task definition.");
    assert!(!believed(gone).await);
}

#[tokio::test]
async fn a_tag_that_names_no_other_revision_costs_no_call() {
    for tag in [arn(SOURCE), "web:8".to_owned(), String::new()] {
        let (facts, calls) = learned(&tag, error(500, "ServerException", "not to be asked")).await;
        assert_eq!((facts.mended(&id(SOURCE).arn), calls), (None, 1), "{tag}");
    }
}
