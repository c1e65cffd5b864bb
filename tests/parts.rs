//! Stories of events that show a part of their resource. No call shows a cluster in part; these changes are made to.

use serde_json::{Value, json};
use shipshape_core::change::{Change, Observed};
use shipshape_core::judgement::Judgement;
use shipshape_core::policy::Policy;
use shipshape_core::replay::World;
use shipshape_tests::{Call, FIX, INSIGHTS, cluster, policy, story, world};

/// The change of a cluster, as far as it shows it.
fn part(minute: u32, cluster: &Value) -> Change {
    let mut change = Call::update_settings(minute, cluster).change();
    for observed in &mut change.observed {
        if let Observed::State(resource) = observed {
            *observed = Observed::Part(resource.clone());
        }
    }
    change
}

fn walk(world: &mut World, change: &Change) -> Vec<Judgement> {
    let mut judgements = world.walk(change).judgements;
    judgements.retain(|judgement| judgement.evaluation.control.slug == INSIGHTS);
    judgements
}

fn described(insights: &str) -> Value {
    json!({"clusters": [cluster("shop", insights)], "failures": []})
}

#[test]
fn a_part_fails_by_what_it_shows_and_is_otherwise_unknown() {
    let told = |change| story(&walk(&mut world(Policy::notify_only(), &[]), &change));
    assert_eq!(told(part(0, &cluster("shop", "disabled"))), ["failed notify notified"]);
    assert_eq!(told(part(0, &cluster("shop", "enabled"))), ["unknown notify notified"]);
    let mut none = cluster("shop", "enabled");
    none["settings"] = json!([]);
    assert_eq!(told(part(0, &none)), ["unknown notify notified"], "what a part lacks may be there");
}

#[test]
fn nothing_is_fixed_by_a_part_and_the_plan_is_shown_all_the_same() {
    let judged = walk(&mut world(policy(FIX), &[]), &part(0, &cluster("shop", "disabled")));
    assert_eq!(story(&judged), ["failed notify notified"]);
    let readiness = judged[0].readiness.as_ref().unwrap();
    assert_eq!(readiness.kind, "unknown");
    assert!(readiness.text.contains("aws ecs describe-clusters --clusters shop"), "{}", readiness.text);
    assert!(judged[0].fix.is_some());
}

#[test]
fn the_whole_answers_where_it_is_known() {
    let told = |state: &str, shown: &str| {
        story(&walk(&mut world(policy(FIX), &[described(state)]), &part(0, &cluster("shop", shown))))
    };
    assert_eq!(told("enabled", "enabled"), ["passed"]);
    assert_eq!(told("disabled", "enabled"), ["failed fix applied"]);
    assert_eq!(told("disabled", "disabled"), ["failed fix applied"], "by the whole, which shows it too");
    // The event shows it, whatever was described at another time.
    assert_eq!(told("enabled", "disabled"), ["failed notify notified"]);
}

#[test]
fn a_part_outdates_what_was_known_of_the_rest() {
    let mut known = world(Policy::notify_only(), &[]);
    known.walk(&Call::create_cluster(0, &cluster("shop", "enabled")).change());
    assert_eq!(story(&walk(&mut known, &part(1, &cluster("shop", "enabled")))), ["unknown notify notified"]);
    let state = Call::update_settings(2, &cluster("shop", "enabled")).change();
    assert_eq!(story(&walk(&mut known, &state)), ["passed"]);
}

#[test]
fn what_we_fixed_is_outdated_too() {
    let mut fixing = world(policy(FIX), &[]);
    let disabled = Call::create_cluster(0, &cluster("shop", "disabled")).change();
    assert_eq!(story(&walk(&mut fixing, &disabled)), ["failed fix applied"]);
    assert_eq!(story(&walk(&mut fixing, &part(1, &cluster("shop", "disabled")))), ["failed notify notified"]);
}

#[test]
fn an_addendum_is_no_part_either() {
    let mut late = part(5, &cluster("shop", "disabled"));
    late.addendum = true;
    let mut known = world(Policy::notify_only(), &[]);
    known.walk(&Call::create_cluster(0, &cluster("shop", "enabled")).change());
    assert_eq!(story(&walk(&mut known, &late)), ["passed"]);
}

#[test]
fn what_no_control_judges_is_passed_over_and_counted() {
    let read = |source: &str, name: &str, request: Value| {
        Call::new(name, 0, request, json!({"_return": true})).with("eventSource", json!(source)).change()
    };
    let rule = read(
        "ec2.amazonaws.com",
        "AuthorizeSecurityGroupIngress",
        json!({"groupId": "sg-1", "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "0.0.0.0/0"}),
    );
    let gone = read("iam.amazonaws.com", "DeleteUser", json!({"userName": "jo"}));
    let mut world = world(policy(FIX), &[]);
    for change in [rule, gone] {
        let step = world.walk(&change);
        assert!(step.unjudged && step.judgements.is_empty() && step.gone.is_empty(), "{}", change.api);
    }
    let judged = world.walk(&Call::create_cluster(1, &cluster("shop", "enabled")).change());
    assert!(!judged.unjudged);
}
