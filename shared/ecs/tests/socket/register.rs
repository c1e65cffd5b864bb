//! A revision is registered as it was described, but for the plan, and once.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use shipshape_aws::failure::{Failure, FailureKind};
use shipshape_aws::reach::Wrote;
use shipshape_test_server::{Answer, Request, Server};

use crate::world::{Judged, arn, error, judge, members, told};

const CONTROL: &str = "ecs-container-not-privileged";
const SOURCE: &str = "task-definition/web:7";

/// A revision with members that nobody knows yet: at the top, in a container, and three deep.
const DESCRIBED: &str = r#"{"taskDefinition":{
    "taskDefinitionArn":"arn:aws:ecs:eu-west-1:111122223333:task-definition/web:7",
    "family":"web","revision":7,"status":"ACTIVE","registeredAt":1769000000.123,"registeredBy":"arn:aws:iam::111122223333:root",
    "requiresAttributes":[{"name":"com.amazonaws.ecs.capability.privileged-container"}],"compatibilities":["EC2"],
    "containerDefinitions":[{"name":"web","image":"web:1","privileged":true,"environment":[{"name":"A","value":"\u00e4\ud83d\ude80 \"\\\/\n\u0001"}],
        "newerMember":{"list":[[],{},{"deep":[{"deeper":{"deepest":[1.50,9007199254740993,-0.0,1e2,18446744073709551615]}}]}]},
        "entryPoint":[],"user":""},
        {"name":"side","image":"side:1","newerFlag":null}],
    "newerTop":{"größe":"∞","empty":"","none":null,"no":false,"ratio":0.1,"tiny":1.5E-7},
    "volumes":[],"placementConstraints":[]},
  "tags":[{"key":"team","value":"web é"},{"key":"aws:newer:tag","value":"s"},{"key":"AWS:x","value":"s"},
    {"key":"shipshape:source","value":"of long ago"},{"key":"shipshape:mended","value":"not an ARN"}],"newerBeside":1}"#;

/// What a server of these tests has stored.
#[derive(Clone, Default)]
struct Account(Arc<Mutex<Vec<Value>>>);

impl Account {
    fn store(&self, request: &Request) {
        self.0.lock().unwrap().push(members(request));
    }

    fn is_empty(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }

    /// A description of what was registered, under this number, with one of its tags changed.
    fn described(&self, number: u32, tag: &str, value: Option<&str>) -> Answer {
        let mut document = self.0.lock().unwrap()[0].clone();
        let mut tags = document["tags"].take();
        for one in tags.as_array_mut().unwrap() {
            if let Some(value) = value.filter(|_| one["key"] == tag) {
                one["value"] = json!(value);
            }
        }
        document["taskDefinitionArn"] = json!(arn(&format!("task-definition/web:{number}")));
        told(&json!({"taskDefinition": document, "tags": tags}))
    }
}

/// Answers about what is there, and registers number 8.
fn answer(request: &Request, described: &str) -> Answer {
    match request.call() {
        "DescribeTaskDefinition" => Answer::Told(200, described.to_owned()),
        "RegisterTaskDefinition" => {
            told(&json!({"taskDefinition": {"taskDefinitionArn": arn("task-definition/web:8")}}))
        }
        "ListTaskDefinitions" => told(&json!({"taskDefinitionArns": [arn(SOURCE)]})),
        "TagResource" => told(&json!({})),
        other => panic!("{other} was not to be asked"),
    }
}

async fn mend(server: &Server) -> Result<Judged, Failure> {
    judge(server, SOURCE, CONTROL, "", &[]).await
}

/// What was sent to be registered.
fn registered(server: &Server) -> Vec<Request> {
    server.requests().into_iter().filter(|one| one.call() == "RegisterTaskDefinition").collect()
}

fn linked(server: &Server) -> Vec<Value> {
    server.requests().iter().filter(|one| one.call() == "TagResource").map(members).collect()
}

fn link(number: u32) -> Value {
    let mended = arn(&format!("task-definition/web:{number}"));
    json!({"resourceArn": arn(SOURCE), "tags": [{"key": "shipshape:mended", "value": mended}]})
}

#[tokio::test]
async fn what_is_registered_is_what_was_described_but_for_the_plan() {
    let server = Server::start(|request, _| answer(request, DESCRIBED));
    let judged = mend(&server).await.unwrap();
    assert_eq!(judged.outcome().0, Some("applied"), "{}", judged.outcome().1);
    let calls = ["DescribeTaskDefinition", "ListTaskDefinitions", "RegisterTaskDefinition", "TagResource"];
    assert_eq!(server.calls(), calls);
    let sent = registered(&server).remove(0);
    let mut expected: Value = serde_json::from_str(DESCRIBED).unwrap();
    let mut expected = expected["taskDefinition"].take();
    expected["containerDefinitions"][0]["privileged"] = json!(false);
    let set_by_ecs = [
        "taskDefinitionArn",
        "revision",
        "status",
        "registeredAt",
        "registeredBy",
        "requiresAttributes",
        "compatibilities",
    ];
    for member in set_by_ecs {
        assert!(expected.as_object_mut().unwrap().remove(member).is_some(), "{member}");
    }
    let mut body = members(&sent);
    let tags = body["tags"].take();
    body.as_object_mut().unwrap().remove("tags");
    assert_eq!(body, expected);
    let keys: Vec<&str> = tags.as_array().unwrap().iter().map(|tag| tag["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["team", "shipshape:source", "shipshape:content"]);
    assert_eq!((&tags[0]["value"], &tags[1]["value"]), (&json!("web é"), &json!(arn(SOURCE))));
    let numbers = "[1.5,9007199254740993,-0.0,100.0,18446744073709551615]";
    assert!(sent.body.contains(numbers), "{}", sent.body);
    assert_eq!(linked(&server), [link(8)]);
    let Some(Wrote::Done(Some(done))) = judged.wrote else { panic!("{:?}", judged.wrote) };
    assert_eq!((done.before, done.after), (arn(SOURCE), arn("task-definition/web:8")));
    // The length is what the SDK had set for a body of its own.
    assert_eq!(sent.header("content-length"), Some(sent.body.len().to_string().as_str()));
    assert!(sent.header("authorization").unwrap().contains("SignedHeaders=content-length;"));
}

#[tokio::test]
async fn a_number_that_would_be_rounded_is_not_registered() {
    for number in ["12345678901234567890123", "0.1000000000000000055511151231257827", "-9223372036854775809"]
    {
        let described = DESCRIBED.replacen("1.50", number, 1);
        let server = Server::start(move |request, _| answer(request, &described));
        let judged = mend(&server).await.unwrap();
        let (outcome, reason) = judged.outcome();
        assert_eq!(outcome, Some("notified"));
        assert!(reason.contains("a number of too many digits"), "{reason}");
        assert_eq!(server.calls(), ["DescribeTaskDefinition"]);
    }
}

#[tokio::test]
async fn a_registration_whose_answer_was_lost_is_found_by_its_content() {
    for unanswered in [Answer::Lost, error(500, "ServerException", "")] {
        let account = Account::default();
        let server = Server::start(move |request, _| match request.call() {
            "RegisterTaskDefinition" => {
                account.store(request);
                unanswered.clone()
            }
            "ListTaskDefinitions" => {
                assert_eq!(
                    members(request),
                    json!({"familyPrefix": "web", "sort": "DESC", "maxResults": 100})
                );
                let there: &[u32] = if account.is_empty() { &[7] } else { &[10, 9, 8, 7] };
                let name = |number: &u32| arn(&format!("task-definition/web:{number}"));
                let names: Vec<String> = there.iter().map(name).collect();
                told(&json!({ "taskDefinitionArns": names }))
            }
            "DescribeTaskDefinition" => match members(request)["taskDefinition"].as_str().unwrap() {
                // Of the same content, and made from something else; and the other way round.
                name if name.ends_with(":10") => {
                    account.described(10, "shipshape:source", Some(&arn("task-definition/web:6")))
                }
                name if name.ends_with(":9") => {
                    account.described(9, "shipshape:content", Some("0123456789abcdef"))
                }
                name if name.ends_with(":8") => account.described(8, "", None),
                _ => answer(request, DESCRIBED),
            },
            _ => answer(request, DESCRIBED),
        });
        for times in 1..=2 {
            // The second time somebody has taken the tag off the source: nothing is registered again.
            let judged = mend(&server).await.unwrap();
            assert_eq!(judged.outcome().0, Some("applied"));
            assert_eq!(registered(&server).len(), 1);
            assert_eq!(linked(&server), vec![link(8); times]);
        }
    }
}

#[tokio::test]
async fn what_is_registered_and_may_not_be_linked_is_told_as_made() {
    let server = Server::start(|request, _| match request.call() {
        "TagResource" => error(400, "AccessDeniedException", "no"),
        _ => answer(request, DESCRIBED),
    });
    let judged = mend(&server).await.unwrap();
    assert_eq!(judged.outcome().0, Some("applied"));
    let Some(Wrote::Done(Some(done))) = judged.wrote else { panic!("{:?}", judged.wrote) };
    assert_eq!(done.after, arn("task-definition/web:8"));
    let undo = done.undo.unwrap();
    assert!(undo.contains("shipshape:mended") && undo.contains("AccessDeniedException"), "{undo}");
}

#[tokio::test]
async fn what_was_neither_answered_nor_made_comes_again() {
    let unanswered = [
        (Answer::Lost, "no connection", 1),
        (error(500, "ServerException", ""), "ServerException", 1),
        // What was throttled was not made, and is tried again at once.
        (error(400, "ThrottlingException", "Rate exceeded"), "ThrottlingException", 4),
        (Answer::Told(200, "{}".to_owned()), "no ARN", 1),
    ];
    for (unanswered, code, sent) in unanswered {
        let server = Server::start(move |request, _| match request.call() {
            "RegisterTaskDefinition" => unanswered.clone(),
            "ListTaskDefinitions" => {
                told(&json!({"taskDefinitionArns": [arn("task-definition/web:8"), arn(SOURCE)]}))
            }
            _ => answer(request, DESCRIBED),
        });
        let failure = mend(&server).await.err().unwrap();
        assert_eq!((failure.call, failure.kind), ("RegisterTaskDefinition", FailureKind::Retryable));
        assert_eq!(failure.code, code);
        assert_eq!((registered(&server).len(), linked(&server).len()), (sent, 0));
    }
}

#[tokio::test]
async fn what_aws_refuses_to_register_is_not_looked_for_again() {
    let server = Server::start(|request, _| match request.call() {
        "RegisterTaskDefinition" => error(400, "ClientException", "Value 'SHIPSHAPE_CANARY' is not valid"),
        _ => answer(request, DESCRIBED),
    });
    let failure = mend(&server).await.err().unwrap();
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Refused, "ClientException"));
    // AWS's words may quote what it refused.
    assert!(!failure.to_string().contains("CANARY"), "{failure}");
    assert_eq!(server.calls(), ["DescribeTaskDefinition", "ListTaskDefinitions", "RegisterTaskDefinition"]);
}
