//! What holds of every input: mutated events and answers, cut bytes, and the same thing said in other words.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use shipshape_core::change::Observed;
use shipshape_core::control::Severity;
use shipshape_core::controls;
use shipshape_core::event::{Parsed, Record, parse};
use shipshape_core::ids::Arn;
use shipshape_core::inventory::Inventory;
use shipshape_core::policy::Policy;
use shipshape_core::replay::World;
use shipshape_core::selection::Selection;
use shipshape_tests::hunt::hunt;
use shipshape_tests::{Call, nat_network, policy, world};

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
        let selection = Selection::of(&Policy::notify_only(), controls::ALL, Severity::Informational);
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
    fn arns_round_trip(text in "arn:aws(-cn)?:ecs:[a-z0-9-]{0,12}:[0-9]{0,12}:[a-z-]{1,9}[/:][!-~]{1,20}") {
        let arn: Arn = text.parse().unwrap();
        prop_assert_eq!(arn.to_string(), text);
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
