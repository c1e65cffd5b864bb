//! What comes together: several messages in a batch, several about one resource, two functions about one service.

use std::thread;

use serde_json::{Value, json};
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::events::record;
use shipshape_e2e::fixtures::{self, Way};
use shipshape_e2e::runtime::Sandbox;

use crate::scenario::{
    Fix, dealt_with, deliver, function, privileged, put_back, register_privileged, revisions,
};
use crate::world::{FIXING, captured, deployed};

#[test]
fn a_broken_message_fails_alone_and_changes_to_one_resource_are_judged_once() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    let violation = Fix::PublicAddress.violate(&world, "fix-batch").unwrap();
    let mut earlier = violation.event.clone();
    earlier["detail"]["eventID"] = json!("change-earlier");
    earlier["detail"]["eventTime"] = json!("2026-11-12T16:19:00Z");
    let bodies = [
        "{\"broken".to_owned(),
        violation.event.to_string(),
        earlier.to_string(),
        violation.event.to_string(),
    ];
    let records = bodies.iter().enumerate().map(|(index, body)| record("queue", index, body, 1));
    let sandbox = Sandbox::start(function(&world, "service").unwrap()).unwrap();
    emulators.proxy().clear();
    let ending = sandbox.invoke(&json!({"Records": records.collect::<Vec<_>>()})).unwrap();
    let failures = json!({"batchItemFailures": [{"itemIdentifier": "message-0"}]});
    assert_eq!(ending, shipshape_e2e::runtime::Ending::Answered(failures));
    assert!(violation.is_mended(&world).unwrap());
    assert_eq!(emulators.proxy().matching("ecs.UpdateService").len(), 1);
    let outcome =
        |change: &str| world.story(change).unwrap()["ends"]["ecs-service-no-public-ip"]["outcome"].clone();
    assert_eq!(
        (outcome(&violation.change), outcome("change-earlier")),
        (json!("applied"), json!("repeated"))
    );
    assert_eq!(world.all_told(&violation.change).unwrap().len(), 1);
    assert_eq!(world.all_told("change-earlier").unwrap(), Vec::<Value>::new());
}

#[test]
fn two_functions_about_one_service_register_one_revision_and_move_once() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    let network = fixtures::network(&world.aws, Way::Nat).unwrap();
    let source = register_privileged(&world, "fix-both").unwrap();
    fixtures::cluster(&world.aws, "fix-both", "enabled").unwrap();
    fixtures::service(&world.aws, ("fix-both", "storefront"), &source, &network, false, &json!({})).unwrap();
    let told = |mut event: Value, change: &str| {
        event["detail"]["eventID"] = json!(change);
        let body = event.to_string();
        move |received| json!({"Records": [record("queue", 0, &body, received)]})
    };
    let registered = told(privileged("fix-both", &source).unwrap(), "change-registered");
    let updated = told(put_back("fix-both").unwrap(), "change-updated");
    let definitions = Sandbox::start(function(&world, "task-definition").unwrap()).unwrap();
    let services = Sandbox::start(function(&world, "service").unwrap()).unwrap();
    emulators.proxy().clear();
    thread::scope(|scope| {
        scope.spawn(|| definitions.invoke(&registered(1)).unwrap());
        scope.spawn(|| services.invoke(&updated(1)).unwrap());
    });
    // What waited for the other comes again. Meanwhile the deployed function has been asked as well.
    for received in 2..6 {
        world.time_passes().unwrap();
        definitions.invoke(&registered(received)).unwrap();
        services.invoke(&updated(received)).unwrap();
    }
    let revisions = revisions(&world, "fix-both").unwrap();
    assert_eq!(revisions.len(), 2, "{revisions:?}");
    let service = fixtures::described_service(&world.aws, "fix-both", "storefront").unwrap();
    assert_eq!(service["taskDefinition"], revisions[1].as_str());
    assert_eq!(emulators.proxy().matching("ecs.UpdateService").len(), 1);
    assert_eq!(world.all_told("change-registered").unwrap().len(), 1);
    // The revision was asked for in the name of the change that needed it.
    let of_the_move = world.all_told("change-updated").unwrap();
    let moved = of_the_move.iter().filter(|told| told["resource"]["type"] == "AWS::ECS::Service");
    assert_eq!(moved.count(), 1, "{of_the_move:?}");
}

#[test]
fn news_about_what_was_told_are_counted_and_not_told_again() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    let violation = Fix::PublicAddress.violate(&world, "notified").unwrap();
    let sandbox = Sandbox::start(function(&world, "service").unwrap()).unwrap();
    deliver(&world, &sandbox, &violation, 1).unwrap();
    let names =
        [("service/shop/checkout", "service/notified/storefront"), ("cluster/shop", "cluster/notified")];
    for id in ["news-1", "news-2"] {
        let mut news = captured("ecs/native.service-action.json", &names).unwrap();
        news["id"] = json!(id);
        let batch = json!({"Records": [record("queue", 0, &news.to_string(), 1)]});
        assert!(dealt_with(&sandbox.invoke(&batch).unwrap()), "{}", sandbox.logs());
        assert_eq!(world.all_told(id).unwrap(), Vec::<Value>::new());
    }
    assert_eq!(world.all_told(&violation.change).unwrap().len(), 1);
    let ledger = world.ledger().unwrap();
    let book = ledger.iter().find(|item| item["sk"]["S"] == "resource").unwrap();
    let book: Value = serde_json::from_str(book["body"]["S"].as_str().unwrap()).unwrap();
    assert_eq!(book["controls"]["ecs-service-no-public-ip"]["repeats"], 2, "{book}");
}
