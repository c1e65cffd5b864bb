//! The template's rules and what core watches are the same: as the emulator matches patterns, over every captured event.

use std::collections::BTreeMap;
use std::fs;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use shipshape_core::change::Api;
use shipshape_core::event::{Ignored, Parsed, Record, parse};
use shipshape_e2e::aws::Aws;
use shipshape_e2e::deploy::{Plan, deploy};
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::root;

use crate::STAND_IN;

/// What a function that is still to come watches: `host`.
const NOT_YET: &[&str] = &[
    "DeregisterContainerInstance",
    "RegisterContainerInstance",
    "UpdateContainerAgent",
    "UpdateContainerInstancesState",
    "ECS Container Instance State Change",
];

/// Each rule's pattern, by the rule's name.
fn patterns(aws: &Aws) -> BTreeMap<String, String> {
    let rules = aws.call("events", "ListRules", &json!({})).unwrap();
    let pair =
        |rule: &Value| Some((rule["Name"].as_str()?.to_owned(), rule["EventPattern"].as_str()?.to_owned()));
    rules["Rules"].as_array().unwrap().iter().filter_map(pair).collect()
}

/// What core says of an event: whether it is a change that the rules have to let pass, or must not. What is neither is
/// sorted out by the function.
fn wanted(text: &str, event: &Value) -> Option<bool> {
    let raw = RawValue::from_string(text.to_owned()).unwrap();
    let name = event["detail"]["eventName"].as_str().or(event["detail-type"].as_str()).unwrap_or_default();
    let issuer = event["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"].as_str();
    if NOT_YET.contains(&name) || issuer.is_some_and(|arn| arn.contains(":role/shipshape/")) {
        return Some(false);
    }
    // A task on its way is not let in: what it comes to is.
    if event["detail"]["lastStatus"].as_str().is_some_and(|status| !["RUNNING", "STOPPED"].contains(&status))
    {
        return Some(false);
    }
    match parse(&Record::read(&raw).unwrap()) {
        Ok(Parsed::Change(_) | Parsed::Rejected(_)) => Some(true),
        Ok(Parsed::Ignored(Ignored::Unwatched | Ignored::Failed | Ignored::NotACall)) => Some(false),
        Ok(Parsed::Ignored(Ignored::NoResource | Ignored::NoEffect)) | Err(_) => None,
    }
}

#[test]
fn each_captured_event_passes_the_rules_of_one_function_or_of_none() {
    let emulators = Emulators::start().unwrap();
    let mut plan = Plan::new("shipshape");
    plan.binaries.values_mut().for_each(|binary| *binary = STAND_IN.into());
    deploy(&emulators, &plan).unwrap();
    let aws = emulators.aws();
    let patterns = patterns(&aws);
    assert_eq!(patterns.len(), 11, "{patterns:?}");

    let (mut passed, mut kept_out) = (0, 0);
    for entry in fs::read_dir(root().join("events/ecs")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let event: Value = serde_json::from_str(&text).unwrap();
        let Some(wanted) = wanted(&text, &event) else { continue };
        // What has no envelope is a record of a log, and never on a bus.
        if event.get("detail-type").is_none() {
            continue;
        }
        let matches = |pattern: &String| {
            let request = json!({"EventPattern": pattern, "Event": text});
            aws.call("events", "TestEventPattern", &request).unwrap()["Result"] == true
        };
        let by: Vec<_> =
            patterns.iter().filter(|(_, pattern)| matches(pattern)).map(|(name, _)| name).collect();
        assert_eq!(by.len(), usize::from(wanted), "{}: {by:?}", path.display());
        if wanted { passed += 1 } else { kept_out += 1 }
    }
    assert!(passed > 100 && kept_out > 5, "{passed} passed, {kept_out} did not");

    // Names that no captured event has are in the patterns, too.
    let all = patterns.values().cloned().collect::<String>();
    for name in Api::call_names().filter(|name| Api::find("ecs.amazonaws.com", name).is_some()) {
        assert_eq!(all.contains(&format!("\"{name}\"")), !NOT_YET.contains(&name), "{name}");
    }
}
