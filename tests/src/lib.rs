//! What the test targets share: events in the real shapes, built in code, and a world to walk them in.

pub mod hunt;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use shipshape_core::change::{Change, Observed, Request};
use shipshape_core::control::Severity;
use shipshape_core::document::Document;
use shipshape_core::event::{Parsed, Record, parse};
use shipshape_core::inventory::Inventory;
use shipshape_core::judgement::Judgement;
use shipshape_core::policy::Policy;
use shipshape_core::replay::World;
use shipshape_core::selection::{Selection, names};

/// The account of every event here.
pub const ACCOUNT: &str = "111122223333";
/// The Region of every event here.
pub const REGION: &str = "eu-west-1";

/// The ARN of an ECS resource in that account.
pub fn arn(resource: &str) -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:{resource}")
}

/// A task definition that passes every control, with its image pinned by digest.
pub fn good_task(family: &str, revision: u32) -> Value {
    json!({
        "taskDefinitionArn": arn(&format!("task-definition/{family}:{revision}")),
        "family": family, "revision": revision, "status": "ACTIVE", "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512", "volumes": [],
        "containerDefinitions": [{
            "name": "web", "image": format!("public.ecr.aws/shop/web@sha256:{}", "ab".repeat(32)),
            "essential": true, "memory": 512, "user": "1000:1000", "readonlyRootFilesystem": true,
            "environment": [], "mountPoints": [], "healthCheck": {"command": ["CMD", "/check"]},
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web"}}
        }]
    })
}

/// A Fargate service on that definition, in one subnet, behind a load balancer, with no deployment under way.
pub fn service(name: &str, task: &str, public: &str) -> Value {
    json!({
        "serviceArn": arn(&format!("service/shop/{name}")), "serviceName": name,
        "clusterArn": arn("cluster/shop"), "status": "ACTIVE", "launchType": "FARGATE",
        "taskDefinition": arn(&format!("task-definition/{task}")),
        "loadBalancers": [{"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/t/1"}],
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": ["subnet-nat"], "securityGroups": ["sg-1"], "assignPublicIp": public}},
        "deployments": [deployment("1", "COMPLETED")], "schedulingStrategy": "REPLICA"
    })
}

/// A primary deployment.
pub fn deployment(id: &str, state: &str) -> Value {
    json!({"id": format!("ecs-svc/{id}"), "status": "PRIMARY", "rolloutState": state})
}

/// A cluster with Container Insights set so.
pub fn cluster(name: &str, insights: &str) -> Value {
    json!({
        "clusterArn": arn(&format!("cluster/{name}")), "clusterName": name, "status": "ACTIVE",
        "settings": [{"name": "containerInsights", "value": insights}], "tags": []
    })
}

/// What EC2's describe calls print of one subnet with a NAT route that works.
pub fn nat_network() -> Vec<Value> {
    vec![
        json!({"Subnets": [{"SubnetId": "subnet-nat", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"}]}),
        json!({"RouteTables": [{"RouteTableId": "rtb-1", "VpcId": "vpc-1",
            "Associations": [{"SubnetId": "subnet-nat", "Main": false}],
            "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}]}]}),
        json!({"NatGateways": [{"NatGatewayId": "nat-1", "State": "available", "ConnectivityType": "public"}]}),
    ]
}

/// One API call, as EventBridge delivers it. Builders change what a test is about.
#[derive(Debug, Clone)]
pub struct Call(Value);

impl Call {
    /// A call by an administrator in the console, at a minute of one day.
    pub fn new(name: &str, minute: u32, request: Value, response: Value) -> Self {
        let time = format!("2026-11-03T{:02}:{:02}:00Z", 8 + minute / 60, minute % 60);
        Self(json!({
            "version": "0", "id": format!("envelope-{name}-{minute}"), "detail-type": "AWS API Call via CloudTrail",
            "source": "aws.ecs", "account": ACCOUNT, "time": time, "region": REGION, "resources": [],
            "detail": {
                "eventVersion": "1.11", "eventID": format!("{name}-{minute}"), "eventTime": time,
                "eventSource": "ecs.amazonaws.com", "eventName": name, "eventType": "AwsApiCall", "awsRegion": REGION,
                "recipientAccountId": ACCOUNT, "userAgent": "Mozilla/5.0", "sourceIPAddress": "203.0.113.9",
                "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/Admin/mary",
                    "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/Admin"}}},
                "requestParameters": request, "responseElements": response
            }
        }))
    }

    /// CreateService.
    pub fn create_service(minute: u32, service: &Value) -> Self {
        Self::new("CreateService", minute, service.clone(), json!({ "service": service }))
    }

    /// UpdateService whose request names these members.
    pub fn update_service(minute: u32, service: &Value, members: &[&str]) -> Self {
        let mut request = json!({"cluster": "shop", "service": service["serviceName"]});
        for member in members {
            request[*member] = service[*member].clone();
        }
        Self::new("UpdateService", minute, request, json!({ "service": service }))
    }

    /// RegisterTaskDefinition.
    pub fn register(minute: u32, task: &Value) -> Self {
        Self::new("RegisterTaskDefinition", minute, task.clone(), json!({ "taskDefinition": task }))
    }

    /// CreateCluster.
    pub fn create_cluster(minute: u32, cluster: &Value) -> Self {
        Self::new(
            "CreateCluster",
            minute,
            json!({"clusterName": cluster["clusterName"]}),
            json!({ "cluster": cluster }),
        )
    }

    /// UpdateClusterSettings.
    pub fn update_settings(minute: u32, cluster: &Value) -> Self {
        let request = json!({"cluster": cluster["clusterName"], "settings": cluster["settings"]});
        Self::new("UpdateClusterSettings", minute, request, json!({ "cluster": cluster }))
    }

    /// ECS's announcement of how a deployment went.
    pub fn deployment(minute: u32, service: &str, id: &str, name: &str) -> Self {
        let time = format!("2026-11-03T{:02}:{:02}:00Z", 8 + minute / 60, minute % 60);
        Self(json!({
            "version": "0", "id": format!("deployment-{minute}"), "detail-type": "ECS Deployment State Change",
            "source": "aws.ecs", "account": ACCOUNT, "time": time, "region": REGION,
            "resources": [arn(&format!("service/shop/{service}"))],
            "detail": {"eventType": "INFO", "eventName": name, "deploymentId": format!("ecs-svc/{id}"), "updatedAt": time}
        }))
    }

    /// Sets a member of the CloudTrail record, or of the native detail.
    pub fn with(mut self, member: &str, value: Value) -> Self {
        self.0["detail"][member] = value;
        self
    }

    /// Sets a member of the envelope.
    pub fn envelope(mut self, member: &str, value: Value) -> Self {
        self.0[member] = value;
        self
    }

    /// The event's text.
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// The change that it is.
    ///
    /// # Panics
    /// Where it is none.
    pub fn change(&self) -> Change {
        match read(&self.text()) {
            Parsed::Change(change) => *change,
            other => panic!("not a change: {other:?}"),
        }
    }
}

/// Reads an event.
///
/// # Panics
/// Where it is broken.
pub fn read(text: &str) -> Parsed {
    let json: &RawValue = serde_json::from_str(text).expect("JSON");
    parse(&Record::read(json).expect("a record")).expect("an event")
}

/// How an event is read, for people: who did what, and what it shows of which resource. The documents of ECS are its own
/// text, and hold what nobody may print: of them, only the names of the members are told.
///
/// # Panics
/// Where it is broken.
pub fn how_it_is_read(text: &str) -> String {
    let change = match read(text) {
        Parsed::Change(change) => change,
        Parsed::Ignored(why) => return format!("ignored: {}\n", why.as_str()),
        Parsed::Rejected(rejected) => return format!("rejected: {rejected}\n"),
    };
    let set = match &change.request {
        Request::Everything => "everything".to_owned(),
        Request::Nothing => "nothing".to_owned(),
        Request::Members(members) => members.join(", "),
    };
    let mut told = format!("{} by {} with {}, which set {set}\n", change.api, change.actor, change.origin);
    for observed in &change.observed {
        let (how, document) = match observed {
            Observed::State(resource) => ("the whole of", Some(&resource.document)),
            Observed::Part(resource) => ("a part of", Some(&resource.document)),
            Observed::Touched(_) => ("touched", None),
            Observed::Gone(_) => ("gone", None),
        };
        let id = observed.id();
        told += &format!("{how} {}  {}\n", id.arn, id.kind);
        let Some(document) = document.and_then(Document::value) else { continue };
        let shown = match id.arn.service() {
            "ecs" => document.as_object().into_iter().flat_map(|members| members.keys()).cloned().collect(),
            _ => document,
        };
        told += &format!("{}\n", serde_json::to_string_pretty(&shown).unwrap_or_default());
    }
    told
}

/// A policy by its text, below `version = 1`.
///
/// # Panics
/// Where it is wrong.
pub fn policy(text: &str) -> Policy {
    Policy::parse("policy.toml", &format!("version = 1\n{text}"), &names()).expect("a policy")
}

/// A world that follows a policy and knows these described documents.
pub fn world(policy: Policy, state: &[Value]) -> World {
    world_passing(policy, state, &[])
}

/// The same, where these roles may be passed.
///
/// # Panics
/// Where a document is not one.
pub fn world_passing(policy: Policy, state: &[Value], roles: &[&str]) -> World {
    let mut inventory = Inventory::new(roles.iter().map(|role| (*role).to_owned()).collect());
    for document in state {
        let text = document.to_string();
        let json: &RawValue = serde_json::from_str(&text).expect("JSON");
        assert!(inventory.describe(json).is_some(), "not a described document");
    }
    let selection = Selection::of(&policy, &[], Severity::Informational);
    World::new(policy, selection, inventory)
}

/// Walks calls in order; answers what was judged of one control.
pub fn walk(world: &mut World, calls: &[Call], control: &str) -> Vec<Judgement> {
    let mut judgements = Vec::new();
    for call in calls {
        judgements.extend(world.walk(&call.change()).judgements);
    }
    judgements.extend(world.finish().judgements);
    judgements.retain(|judgement| judgement.evaluation.control.slug == control);
    judgements
}

/// What each judgement came to: `failed fix applied`, `passed`, …
pub fn story(judgements: &[Judgement]) -> Vec<String> {
    let line = |judgement: &Judgement| {
        let ruling = judgement.ruling.as_ref().map(|ruling| ruling.kind);
        let outcome = judgement.outcome.as_ref().map(|outcome| outcome.as_str());
        let words = [Some(judgement.evaluation.compliance.status()), ruling, outcome];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    judgements.iter().map(line).collect()
}

/// The output of a command line; its status is the last line.
///
/// # Panics
/// Where it is no text.
pub fn shipshape(args: &[&str]) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let line = ["shipshape", "--color", "never"].iter().chain(args).map(|word| (*word).into());
    let status = shipshape::run(line, &mut out, &mut err);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    format!("{}{}exit status {status}\n", text(out), text(err))
}

/// A control of clusters.
pub const INSIGHTS: &str = "ecs-cluster-container-insights";
/// A control of services.
pub const PUBLIC_IP: &str = "ecs-service-no-public-ip";
/// A control of task definitions.
pub const PRIVILEGED: &str = "ecs-container-not-privileged";
/// A control of task definitions.
pub const NON_ROOT: &str = "ecs-container-non-root-user";
/// The beginning of a policy that fixes everything that can be fixed.
pub const FIX: &str = "mode = \"fix\"\ndisruptive = true\niac = \"fix\"\n";

/// A task definition with a privileged container.
pub fn privileged(family: &str, revision: u32) -> Value {
    let mut task = good_task(family, revision);
    task["containerDefinitions"][0]["privileged"] = json!(true);
    task
}

/// Described documents, and a described task definition.
pub fn with_task(mut state: Vec<Value>, task: &Value) -> Vec<Value> {
    state.push(json!({ "taskDefinition": task }));
    state
}
