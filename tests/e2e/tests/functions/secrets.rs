//! No secret leaves: everything that the functions say, keep and send is searched for what was planted.

use serde_json::{Value, json};
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::runtime::Sandbox;

use crate::scenario::{Fix, deliver, function, privileged, register_privileged};
use crate::world::{FIXING, World, deployed};

const PLANTED: &str = "SHIPSHAPE_CANARY";

fn search(what: &str, text: &str) {
    if let Some(at) = text.find(PLANTED) {
        let from = text.floor_char_boundary(at.saturating_sub(200));
        let to = text.ceil_char_boundary((at + 200).min(text.len()));
        panic!("a planted secret is in {what}: …{}…", &text[from..to]);
    }
}

/// Deals with a violation at the most talkative level there is, and answers what the function said.
fn said(world: &World<'_>, fix: Fix, name: &str) -> String {
    let violation = fix.violate(world, name).unwrap();
    let sandbox = Sandbox::start(function(world, fix.function()).unwrap()).unwrap();
    deliver(world, &sandbox, &violation, 1).unwrap();
    sandbox.kill().unwrap();
    sandbox.logs()
}

#[test]
fn no_planted_secret_is_in_logs_ledger_or_messages() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    let mut messages = 0;
    for fix in Fix::ALL {
        for prefix in ["fix-", ""] {
            let name = format!("{prefix}{fix:?}").to_lowercase();
            let logs = said(&world, fix, &name);
            assert!(logs.contains("incident"), "nothing was logged: {logs}");
            search("the log", &logs);
            messages += world.all_told(&format!("change-{name}")).unwrap().len();
        }
    }
    // One that is a secret by its own name, so that a control speaks of it.
    let source = register_privileged(&world, "plain").unwrap();
    let mut event = privileged("plain", &source).unwrap();
    let containers = &mut event["detail"]["responseElements"]["taskDefinition"]["containerDefinitions"];
    containers[0]["environment"] = json!([{"name": "DB_PASSWORD", "value": "SHIPSHAPE_CANARY_pa55w0rd"}]);
    event["detail"]["eventID"] = json!("change-plain");
    let payload = json!({"Records": [shipshape_e2e::events::record("queue", 0, &event.to_string(), 1)]});
    let sandbox = Sandbox::start(function(&world, "task-definition").unwrap()).unwrap();
    sandbox.invoke(&payload).unwrap();
    // A body that can't be read, and one that is no event.
    for body in ["{\"SHIPSHAPE_CANARY_broken", "{\"detail-type\":\"SHIPSHAPE_CANARY\",\"detail\":7}"] {
        let payload = json!({"Records": [shipshape_e2e::events::record("queue", 0, body, 1)]});
        sandbox.invoke(&payload).unwrap();
    }
    sandbox.kill().unwrap();
    search("the log", &sandbox.logs());
    messages += world.all_told("change-plain").unwrap().len();
    assert!(messages >= 9, "{messages} messages");
    search("the messages", &Value::from(world.everything_told().unwrap()).to_string());
    let items = world.ledger().unwrap();
    assert!(items.len() >= 9, "{} items", items.len());
    search("the ledger", &Value::from(items).to_string());
    // Every variant of every message, and whatever else goes anywhere but into the workload's own account.
    let calls = emulators.proxy().calls();
    let sent =
        calls.iter().filter(|call| ["sns", "sqs", "dynamodb", "ssm", "sts"].contains(&call.service.as_str()));
    sent.for_each(|call| search(&call.name(), &String::from_utf8_lossy(&call.body)));
}
