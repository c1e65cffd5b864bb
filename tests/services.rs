//! Services beside their network: leaving an old platform version, and ECS Exec.

use serde_json::{Value, json};
use shipshape_core::judgement::Judgement;
use shipshape_tests::{
    Call, FIX, arn, cluster, deployment, good_task, nat_network, policy, service, story, walk, with_task,
    world,
};

const PLATFORM: &str = "ecs-fargate-latest-platform";
const LOGGED: &str = "ecs-exec-logging-enabled";
const EXEC: &str = "ecs-exec-not-enabled";

/// What was decided, or what speaks against it.
fn verdict(judged: &[Judgement]) -> String {
    let ruling = judged[0].ruling.as_ref().unwrap();
    if ruling.kind == "fix" { "fixed".to_owned() } else { ruling.reason.text.clone() }
}

/// A service on an old version whose image and secret come from this Region.
fn on(version: &str, public: &str) -> (Value, Value) {
    let mut task = good_task("checkout", 7);
    let container = &mut task["containerDefinitions"][0];
    container["image"] =
        json!(format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/web@sha256:{}", "ab".repeat(32)));
    container["secrets"] = json!([{"name": "KEY", "valueFrom": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:web/key-AbCdEf"}]);
    let mut service = service("checkout", "checkout:7", public);
    service["platformVersion"] = json!(version);
    service["platformFamily"] = json!("Linux");
    (service, task)
}

fn rolled(version: &str, public: &str, network: &[Value], set: &str) -> String {
    let (service, task) = on(version, public);
    let stored = json!({"imageDetails": [{"registryId": "111122223333", "repositoryName": "web",
        "imageDigest": format!("sha256:{}", "ab".repeat(32)), "imageTags": []}]});
    let mut state = with_task(network.to_vec(), &task);
    state.push(stored);
    let policy = policy(&format!("{FIX}{set}"));
    verdict(&walk(&mut world(policy, &state), &[Call::create_service(0, &service)], PLATFORM))
}

/// One subnet whose default route leads there, or nowhere, and no endpoint.
fn routed(target: Option<&str>) -> Vec<Value> {
    let mut network = nat_network();
    let routes: Vec<Value> = target
        .map(|gateway| json!({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway, "State": "active"}))
        .into_iter()
        .collect();
    network[1]["RouteTables"][0]["Routes"] = json!(routes);
    network.push(json!({"VpcId": "vpc-1", "VpcEndpoints": []}));
    network
}

/// The service's group, which lets port 443 out to there and nobody in; and endpoints.
fn let_out(mut network: Vec<Value>, to: &str, endpoints: Value) -> Vec<Value> {
    let https = json!({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": to}]});
    network.push(json!({"SecurityGroups": [
        {"GroupId": "sg-1", "IpPermissions": [], "IpPermissionsEgress": [https]},
        {"GroupId": "sg-door", "IpPermissions": [], "IpPermissionsEgress": []}]}));
    network.push(json!({"VpcId": "vpc-1", "VpcEndpoints": endpoints}));
    network
}

#[test]
fn what_moves_meets_the_groups_of_the_service_and_of_endpoints() {
    let rolled = |network: Vec<Value>| rolled("1.3.0", "DISABLED", &network, "");
    let asked = rolled(nat_network());
    assert!(asked.contains("describe-security-groups --group-ids sg-1"), "{asked}");
    assert_eq!(rolled(let_out(nat_network(), "0.0.0.0/0", json!([]))), "fixed");
    let narrow = rolled(let_out(nat_network(), "10.0.0.0/8", json!([])));
    assert!(narrow.contains("no group of the service (sg-1) lets port 443 out"), "{narrow}");
    let secrets = |named: bool| {
        json!([{"VpcEndpointId": "vpce-1", "VpcEndpointType": "Interface", "State": "available",
            "ServiceName": "com.amazonaws.eu-west-1.secretsmanager", "PrivateDnsEnabled": named, "VpcId": "vpc-1",
            "SubnetIds": ["subnet-nat"], "Groups": [{"GroupId": "sg-door"}]}])
    };
    let dns =
        json!({"VpcId": "vpc-1", "EnableDnsSupport": {"Value": true}, "EnableDnsHostnames": {"Value": true}});
    let shut = rolled([let_out(nat_network(), "0.0.0.0/0", secrets(true)), vec![dns]].concat());
    assert!(
        shut.contains("the groups of vpce-1 for secretsmanager do not let subnet subnet-nat in"),
        "{shut}"
    );
    assert_eq!(rolled(let_out(nat_network(), "0.0.0.0/0", secrets(false))), "fixed");
}

#[test]
fn what_moves_to_the_tasks_interface_still_has_to_get_through() {
    let shut = rolled("1.3.0", "DISABLED", &routed(None), "");
    assert!(shut.contains("no interface endpoint for ecr.api"), "{shut}");
    assert!(shut.contains("no interface endpoint for secretsmanager"), "{shut}");
    // These went through the task's interface all the time.
    for service in ["ecr.dkr", "s3", "logs"] {
        assert!(!shut.contains(&format!("endpoint for {service}")), "{shut}");
    }
}

#[test]
fn a_vpc_that_shows_no_route_table_is_one_for_its_owner() {
    let mut network = nat_network();
    network[1] = json!({"VpcId": "vpc-1", "RouteTables": []});
    let said = rolled("1.3.0", "DISABLED", &network, "");
    assert!(said.contains("VPC vpc-1 shows no route table that serves subnet subnet-nat"), "{said}");
}

#[test]
fn what_is_pulled_from_elsewhere_shows_that_it_gets_through_and_secrets_from_elsewhere_do_not() {
    let moved = |image: Value, secret: &str| {
        let (service, mut task) = on("1.3.0", "DISABLED");
        task["containerDefinitions"][0]["image"] = image;
        task["containerDefinitions"][0]["secrets"][0]["valueFrom"] = json!(secret);
        let state = with_task(routed(None), &task);
        verdict(&walk(&mut world(policy(FIX), &state), &[Call::create_service(0, &service)], PLATFORM))
    };
    let public = good_task("checkout", 7)["containerDefinitions"][0]["image"].clone();
    let here = moved(public.clone(), "/web/key");
    assert!(here.contains("no interface endpoint for ssm") && !here.contains("no way"), "{here}");
    let abroad = moved(public, "arn:aws:ssm:us-east-1:111122223333:parameter/web/key");
    assert!(abroad.contains("the secrets of container `web` in another Region needs one"), "{abroad}");
    assert!(!abroad.contains("the image"), "{abroad}");
}

#[test]
fn on_windows_nothing_ever_moved() {
    let set = format!("{FIX}[controls.{PLATFORM}]\nwindows = \"2.0.0\"\n");
    let (mut service, mut task) = on("1.0.0", "DISABLED");
    service["platformFamily"] = json!("WINDOWS_SERVER_2022_CORE");
    task["containerDefinitions"][0]["image"] =
        good_task("checkout", 7)["containerDefinitions"][0]["image"].clone();
    let state = with_task(Vec::new(), &task);
    let judged = walk(&mut world(policy(&set), &state), &[Call::create_service(0, &service)], PLATFORM);
    assert_eq!(story(&judged), ["failed fix applied"]);
}

#[test]
fn an_internet_gateway_serves_tasks_that_have_a_public_address() {
    let open = let_out(routed(Some("igw-1")), "0.0.0.0/0", json!([]));
    assert_eq!(rolled("1.3.0", "ENABLED", &open, ""), "fixed");
    let private = rolled("1.3.0", "DISABLED", &routed(Some("igw-1")), "");
    assert!(private.contains("an internet gateway, which serves public addresses alone"), "{private}");
    let behind = rolled("1.3.0", "ENABLED", &routed(Some("vgw-1")), "");
    assert!(behind.contains("nothing shows what lies behind it"), "{behind}");
}

#[test]
fn from_1_4_0_on_nothing_moves() {
    let set = format!("[controls.{PLATFORM}]\nlinux = \"1.5.0\"\n");
    assert_eq!(rolled("1.4.0", "DISABLED", &routed(None), &set), "fixed");
    assert_eq!(rolled("1.4.0", "DISABLED", &[], &set), "fixed");
    let unknown = rolled("1.3.0", "DISABLED", &[], &set);
    assert!(unknown.contains("aws ec2 describe-subnets --subnet-ids subnet-nat"), "{unknown}");
}

#[test]
fn a_new_version_waits_for_the_deployment_under_way_and_is_no_release_of_a_moved_image() {
    let (mut busy, task) = on("1.4.0", "DISABLED");
    busy["deployments"] = json!([deployment("1", "IN_PROGRESS")]);
    let set = format!("{FIX}[controls.{PLATFORM}]\nlinux = \"1.5.0\"\n");
    let state = with_task(nat_network(), &task);
    let needs = verdict(&walk(&mut world(policy(&set), &state), &[Call::create_service(0, &busy)], PLATFORM));
    assert!(
        needs.contains("aws ecr describe-images --registry-id 111122223333 --repository-name web"),
        "{needs}"
    );
    let mut pinned = task.clone();
    pinned["containerDefinitions"][0]["image"] =
        good_task("checkout", 7)["containerDefinitions"][0]["image"].clone();
    let state = with_task(nat_network(), &pinned);
    let judged = walk(&mut world(policy(&set), &state), &[Call::create_service(0, &busy)], PLATFORM);
    assert_eq!(story(&judged)[0], "failed wait waiting");
}

/// What is said of a cluster whose sessions are not logged, with one service that looks like this.
fn logged(exec: bool, change: impl Fn(&mut Value, &mut Value, &mut Value)) -> String {
    let mut task = good_task("checkout", 7);
    task["taskRoleArn"] = json!("arn:aws:iam::111122223333:role/checkout-task");
    let mut service = service("checkout", "checkout:7", "DISABLED");
    service["enableExecuteCommand"] = json!(exec);
    service["runningCount"] = json!(2);
    let mut cluster = cluster("shop", "enabled");
    cluster["configuration"] = json!({"executeCommandConfiguration": {"logging": "NONE"}});
    cluster["activeServicesCount"] = json!(1);
    cluster["runningTasksCount"] = json!(2);
    cluster["pendingTasksCount"] = json!(0);
    change(&mut cluster, &mut service, &mut task);
    let mut state = with_task(Vec::new(), &task);
    state.push(json!({"services": [service]}));
    verdict(&walk(&mut world(policy(FIX), &state), &[Call::create_cluster(0, &cluster)], LOGGED))
}

#[test]
fn sessions_are_logged_where_nothing_runs_or_nothing_has_exec() {
    let empty = logged(true, |cluster, _, _| {
        cluster["activeServicesCount"] = json!(0);
        cluster["runningTasksCount"] = json!(0);
    });
    assert_eq!(empty, "fixed");
    assert_eq!(logged(false, |_, _, _| {}), "fixed");
}

#[test]
fn a_cluster_made_without_a_word_of_exec_has_none_until_somebody_says_so() {
    let plain = cluster("shop", "enabled");
    let mut off = plain.clone();
    off["configuration"] = json!({"executeCommandConfiguration": {"logging": "NONE"}});
    let request = json!({"cluster": "shop", "configuration": off["configuration"]});
    let calls = [
        Call::create_cluster(0, &plain),
        Call::update_settings(1, &plain),
        Call::new("UpdateCluster", 2, request, json!({ "cluster": off })),
    ];
    assert_eq!(
        story(&walk(&mut world(policy(""), &[]), &calls, LOGGED)),
        ["passed", "passed", "failed notify notified"]
    );
    // Nobody saw it being made.
    assert_eq!(story(&walk(&mut world(policy(""), &[]), &calls[1..2], LOGGED)), ["unknown notify notified"]);
}

#[test]
fn sessions_are_logged_only_by_roles_that_may_write() {
    let rights = logged(true, |_, _, _| {});
    let call = "aws iam simulate-principal-policy --policy-source-arn arn:aws:iam::111122223333:role/checkout-task \
                --action-names logs:DescribeLogGroups logs:DescribeLogStreams logs:CreateLogStream logs:PutLogEvents";
    assert!(rights.ends_with(call), "{rights}");
    let bare = logged(true, |_, _, task| task["taskRoleArn"] = json!("checkout-task"));
    assert_eq!(bare, rights);
    let none = logged(true, |_, _, task| task["taskRoleArn"] = Value::Null);
    assert!(none.contains("no task role"), "{none}");
    let hidden = logged(true, |_, _, task| task["taskRoleArn"] = json!("HIDDEN_DUE_TO_SECURITY_REASONS"));
    assert!(hidden.contains("aws ecs describe-task-definition --task-definition checkout:7"), "{hidden}");
    let firelens = logged(true, |_, _, task| {
        task["containerDefinitions"][0]["logConfiguration"] = json!({"logDriver": "awsfirelens"});
    });
    assert!(firelens.contains("no container of service shop/checkout logs by awslogs"), "{firelens}");
    let unread = logged(true, |_, service, _| service["enableExecuteCommand"] = json!("yes"));
    assert!(unread.contains("aws ecs describe-services --cluster shop --services checkout"), "{unread}");
}

#[test]
fn what_no_known_service_accounts_for_has_to_be_listed() {
    let call = "aws ecs list-tasks --cluster shop";
    let changes: [fn(&mut Value); 4] = [
        |cluster| cluster["activeServicesCount"] = json!(2),
        |cluster| cluster["runningTasksCount"] = json!(3),
        |cluster| cluster["pendingTasksCount"] = json!(1),
        |cluster| cluster["runningTasksCount"] = Value::Null,
    ];
    for change in changes {
        let said = logged(false, |cluster, _, _| change(cluster));
        assert!(said.contains(call), "{said}");
    }
    let elsewhere =
        logged(false, |_, service, _| service["serviceArn"] = json!(arn("service/shop-2/checkout")));
    assert!(elsewhere.contains(call), "{elsewhere}");
}

/// A service with ECS Exec on.
fn shell(name: &str) -> Value {
    let mut service = service(name, "checkout:7", "DISABLED");
    service["enableExecuteCommand"] = json!(true);
    service
}

fn off(calls: &[Call], set: &str) -> Vec<Judgement> {
    let text = format!("{FIX}{set}[controls.{EXEC}]\nenabled = true\n");
    walk(&mut world(policy(&text), &with_task(Vec::new(), &good_task("checkout", 7))), calls, EXEC)
}

#[test]
fn switching_exec_off_starts_no_deployment_and_waits_for_none() {
    let calls = ["a", "b", "c"].map(|name| {
        let mut service = shell(name);
        service["deployments"] = json!([deployment(name, "IN_PROGRESS")]);
        Call::create_service(0, &service)
    });
    // Of four services one may roll at a time; these do not roll.
    assert_eq!(story(&off(&calls, "")), ["failed fix applied"; 3]);
}

#[test]
fn exec_is_left_on_where_somebody_else_manages_the_service() {
    let refused = |member: &str, value: Value| {
        let mut service = shell("a");
        service[member] = value;
        verdict(&off(&[Call::create_service(0, &service)], ""))
    };
    assert!(
        refused("deploymentController", json!({"type": "CODE_DEPLOY"}))
            .contains("CodeDeploy rolls this service")
    );
    assert!(refused("resourceManagementType", json!("ECS")).contains("Express Mode manages this service"));
    // A daemon and one that is rolled in stages can do without it like any other.
    assert_eq!(refused("schedulingStrategy", json!("DAEMON")), "fixed");
    assert_eq!(refused("deploymentConfiguration", json!({"strategy": "BLUE_GREEN"})), "fixed");
}
