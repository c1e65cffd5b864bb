//! Lambda's side: payloads go in, and every way to end is told.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use shipshape_e2e::proxy::{Fault, Proxy, Rule};
use shipshape_e2e::runtime::{Ending, Function, Sandbox, at_once, copies};
use shipshape_e2e::{PATIENCE, events, until};

use crate::STAND_IN;

fn function(endpoint: &str) -> Function {
    Function::new("stand-in", STAND_IN, endpoint).set("SHIPSHAPE_TABLE", "ledger").within(PATIENCE)
}

fn asked(what: &str) -> Value {
    events::batch("queue", &[json!({"do": what})])
}

#[test]
fn a_payload_is_delivered_and_answered() {
    let sandbox = Sandbox::start(function("http://127.0.0.1:1")).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let Ending::Answered(answer) = sandbox.invoke(&asked("later")).unwrap() else { panic!("no answer") };
    assert_eq!(answer["batchItemFailures"], json!([{"itemIdentifier": "message-0"}]));
    let deadline: u128 = answer["deadline"].as_str().unwrap().parse().unwrap();
    assert!((now + 15_000..now + 60_000).contains(&deadline), "{deadline} at {now}");

    let Ending::Answered(environment) = sandbox.invoke(&asked("environment")).unwrap() else {
        panic!("no answer")
    };
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "stand-in");
    assert_eq!(environment["AWS_ENDPOINT_URL"], "http://127.0.0.1:1");
    assert!(environment.get("HOME").is_none() && environment.get("CARGO").is_none(), "{environment}");

    let Ending::Failed(error) = sandbox.invoke(&asked("fail")).unwrap() else { panic!("no error") };
    assert_eq!(error["errorMessage"], "asked to fail");
    assert!(matches!(sandbox.invoke(&asked("later")).unwrap(), Ending::Answered(_)), "it goes on");
    sandbox.kill().unwrap();
    assert!(sandbox.logs().contains("asked to fail"), "{}", sandbox.logs());
}

#[test]
fn every_other_ending_is_told() {
    let sandbox = Sandbox::start(function("http://127.0.0.1:1").within(Duration::from_millis(500))).unwrap();
    assert_eq!(sandbox.invoke(&asked("exit")).unwrap(), Ending::Exited { code: Some(3), signal: None });
    sandbox.respawn().unwrap();
    assert_eq!(sandbox.invoke(&asked("hang")).unwrap(), Ending::TimedOut);
    sandbox.respawn().unwrap();
    assert!(matches!(sandbox.invoke(&asked("later")).unwrap(), Ending::Answered(_)), "it lives again");
    sandbox.kill().unwrap();
    assert_eq!(sandbox.logs().matches("handles 1").count(), 3, "of all lives: {}", sandbox.logs());
}

#[test]
fn a_hook_of_the_proxy_kills_the_function_in_its_call() {
    let proxy = Proxy::start().unwrap();
    let sandbox = Sandbox::start(function(&proxy.endpoint())).unwrap();
    let process = sandbox.process();
    proxy.add(Rule::on("dynamodb.PutItem").nth(1).before(Fault::hook(move |_| process.kill().unwrap())));
    let ending = sandbox.invoke(&asked("note")).unwrap();
    assert_eq!(ending, Ending::Exited { code: None, signal: Some(9) });
    sandbox.respawn().unwrap();
    // The proxy leads nowhere in this test, and says so.
    assert!(matches!(sandbox.invoke(&asked("note")).unwrap(), Ending::Failed(_)));
    let ended = until("both calls to be done", PATIENCE, || {
        Some(proxy.calls()).filter(|calls| calls.iter().all(|call| call.answered))
    });
    assert_eq!(ended.unwrap().len(), 2);
}

#[test]
fn copies_run_at_the_same_time() {
    let proxy = Proxy::start().unwrap();
    let sandboxes = copies(&function(&proxy.endpoint()), 4).unwrap();
    // Each waits in its call until all are there: one after the other would wait for ever.
    let barrier = std::sync::Arc::new(std::sync::Barrier::new(4));
    proxy.add(Rule::on("dynamodb.PutItem").before(Fault::hook(move |_| {
        barrier.wait();
    })));
    proxy.add(Rule::on("dynamodb.PutItem").before(Fault::Answer(json!({}))));
    let endings = at_once(&sandboxes, &asked("note")).unwrap();
    assert_eq!(endings.len(), 4);
    assert!(endings.iter().all(|ending| matches!(ending, Ending::Answered(_))), "{endings:?}");
}
