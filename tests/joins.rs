//! What lies beside a document: roles, hosts, and the two shapes of an Express service.

use serde_json::{Value, json};
use shipshape_core::change::Observed;
use shipshape_core::judgement::Judgement;
use shipshape_core::policy::Policy;
use shipshape_core::resource::ResourceType;
use shipshape_tests::{
    Call, FIX, PRIVILEGED, PUBLIC_IP, arn, good_task, nat_network, policy, privileged, service, shipshape,
    story, walk, with_task, world,
};

const ADMIN: &str = "ecs-service-role-not-admin";
const EXPRESS: &str = "ecs-express-service-public";

/// A policy that fixes, and asks IAM about task roles.
fn asking() -> Policy {
    policy(&format!("{FIX}[controls.{ADMIN}]\nenabled = true\n"))
}

/// A task definition whose tasks are administrators, and the account's roles that say so.
fn administrator(mut task: Value) -> (Value, Value) {
    task["taskRoleArn"] = json!("web-task");
    let role = json!({"RoleName": "web-task", "Arn": "arn:aws:iam::111122223333:role/apps/web-task", "RolePolicyList": [],
        "AttachedManagedPolicies": [{"PolicyName": "AdministratorAccess", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]});
    (task, json!({ "RoleDetailList": [role] }))
}

#[test]
fn a_role_is_judged_only_by_what_is_known_of_it() {
    let (task, roles) = administrator(good_task("web", 1));
    let calls = [Call::register(0, &task)];
    let blind = walk(&mut world(asking(), &[]), &calls, ADMIN);
    assert_eq!(story(&blind), ["unknown notify notified"]);
    let knowing = walk(&mut world(asking(), &[roles]), &calls, ADMIN);
    assert_eq!(story(&knowing), ["failed notify notified"]);
    assert!(knowing[0].fix.is_none());
}

/// A control without a fix has no mended revision that anything could wait for, also where another control has one.
#[test]
fn a_service_waits_for_no_revision_that_nobody_will_register() {
    let (task, roles) = administrator(privileged("web", 1));
    let state = with_task(vec![roles], &task);
    let call = [Call::create_service(0, &service("web", "web:1", "DISABLED"))];
    let judged = walk(&mut world(asking(), &state), &call, ADMIN);
    // Last comes the revision, asked for by the other control.
    let of_service: Vec<&Judgement> =
        judged.iter().filter(|one| one.resource.kind == ResourceType::Service).collect();
    assert!(of_service.iter().all(|one| one.fix.is_none()), "{:?}", story(&judged));
    assert_eq!(story(&judged)[0], "failed notify notified");
    let other = walk(&mut world(asking(), &state), &call, PRIVILEGED);
    assert!(other.iter().any(|one| one.fix.is_some()), "{:?}", story(&other));
}

fn express(access: &str, member: &str) -> Value {
    let configuration =
        json!({"ingressPaths": [{"accessType": access, "endpoint": "x.ecs.eu-west-1.on.aws"}]});
    let mut service = json!({"serviceArn": arn("service/default/feedback"), "serviceName": "feedback",
        "cluster": "default", "status": {"statusCode": "ACTIVE"}});
    service[member] = match member {
        "activeConfigurations" => json!([configuration]),
        _ => configuration,
    };
    service
}

fn created(minute: u32, access: &str) -> Call {
    let response = json!({"service": express(access, "activeConfigurations")});
    Call::new("CreateExpressGatewayService", minute, json!({"serviceName": "feedback"}), response)
}

fn updated(minute: u32, access: &str, member: &str) -> Call {
    let mut request = json!({"serviceArn": arn("service/default/feedback")});
    request[member] = json!({});
    let response = json!({"service": express(access, "targetConfiguration")});
    Call::new("UpdateExpressGatewayService", minute, request, response)
}

fn watching() -> Policy {
    policy(&format!("[controls.{EXPRESS}]\nenabled = true\n"))
}

#[test]
fn an_express_service_is_shown_and_the_service_that_it_manages_is_touched() {
    for call in [created(0, "PUBLIC"), updated(0, "PUBLIC", "networkConfiguration")] {
        let observed = call.change().observed;
        let kinds: Vec<ResourceType> = observed.iter().map(|one| one.id().kind).collect();
        assert_eq!(kinds, [ResourceType::ExpressGatewayService, ResourceType::Service]);
        assert!(matches!(observed[0], Observed::State(_)) && matches!(observed[1], Observed::Touched(_)));
        assert_eq!(observed[0].id().arn, observed[1].id().arn);
        assert_eq!(observed[0].id().cluster(), Some("default"));
    }
    let cut = json!({"omitted": "true"});
    let call = Call::new(
        "UpdateExpressGatewayService",
        0,
        json!({"serviceArn": arn("service/default/feedback")}),
        cut,
    );
    assert!(call.change().observed.iter().all(|one| matches!(one, Observed::Touched(_))));
    let gone = Call::new(
        "DeleteExpressGatewayService",
        0,
        json!({"serviceArn": arn("service/default/feedback")}),
        json!({}),
    );
    assert_eq!(gone.change().observed.len(), 2);
}

/// One ARN, two documents: neither is taken for the other.
#[test]
fn the_two_shapes_of_an_express_service_are_kept_apart() {
    let mut plain = service("feedback", "default-feedback:2", "ENABLED");
    plain["serviceArn"] = json!(arn("service/default/feedback"));
    let state = with_task(nat_network(), &good_task("default-feedback", 2));
    let described = [state, vec![json!({"services": [plain]})]].concat();
    let mut knowing = world(watching(), &described);
    let judged = walk(&mut knowing, &[created(0, "PRIVATE")], PUBLIC_IP);
    assert_eq!(story(&judged), ["failed notify notified"], "the described service is judged as before");
    let judged = walk(&mut world(watching(), &described), &[created(0, "PRIVATE")], EXPRESS);
    assert_eq!(story(&judged), ["passed"]);
    let blind = walk(&mut world(watching(), &[]), &[created(0, "PUBLIC")], PUBLIC_IP);
    assert_eq!(story(&blind), ["unknown notify notified"], "the answer does not describe the plain service");
}

#[test]
fn what_an_answer_does_not_show_is_described() {
    let mut bare = express("PUBLIC", "activeConfigurations");
    bare["activeConfigurations"] = json!([{}]);
    let call = Call::new(
        "CreateExpressGatewayService",
        0,
        json!({"serviceName": "feedback"}),
        json!({ "service": bare }),
    );
    let unknown = walk(&mut world(watching(), &[]), std::slice::from_ref(&call), EXPRESS);
    assert_eq!(story(&unknown), ["unknown notify notified"]);
    let described = json!({"service": express("PUBLIC", "activeConfigurations")});
    let known = walk(&mut world(watching(), &[described]), &[call], EXPRESS);
    assert_eq!(story(&known), ["failed notify notified"]);
}

#[test]
fn only_a_change_of_its_network_makes_an_express_service_public_anew() {
    let calls = [
        updated(0, "PUBLIC", "networkConfiguration"),
        updated(5, "PUBLIC", "primaryContainer"),
        updated(9, "PUBLIC", "networkConfiguration"),
        updated(12, "PRIVATE", "networkConfiguration"),
    ];
    let judged = walk(&mut world(watching(), &[]), &calls, EXPRESS);
    assert_eq!(judged[0].incident, judged[1].incident, "{:?}", story(&judged));
    assert_ne!(judged[0].incident, judged[2].incident, "{:?}", story(&judged));
    assert_eq!(judged[3].evaluation.compliance.status(), "passed");
    // Creating sets everything.
    let calls = [updated(0, "PUBLIC", "networkConfiguration"), created(5, "PUBLIC"), created(9, "PUBLIC")];
    let judged = walk(&mut world(watching(), &[]), &calls, EXPRESS);
    assert_ne!(judged[1].incident, judged[2].incident, "{:?}", story(&judged));
}

#[test]
fn check_judges_by_the_answers_that_lie_beside_the_documents() {
    let blind = shipshape(&[
        "check",
        "state/describe-task-definition.reconciler-4.json",
        "--control",
        ADMIN,
        "--fail-on",
        "never",
    ]);
    assert!(blind.contains("unknown") && blind.contains("get-account-authorization-details"), "{blind}");
    let roles = "state/get-account-authorization-details.111122223333.json";
    let knowing =
        shipshape(&["check", "state/describe-task-definition.reconciler-4.json", roles, "--control", ADMIN]);
    assert!(knowing.contains("AdministratorAccess is attached"), "{knowing}");
    assert!(knowing.ends_with("exit status 1\n"), "{knowing}");
}
