//! The fixes, each with what it starts from, what is put onto the queue, and how it is known to be made.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use shipshape_e2e::fixtures::{self, Way};
use shipshape_e2e::runtime::{Ending, Function, Sandbox};
use shipshape_e2e::{events, target};

use crate::world::{PASSABLE, World, captured};

/// What the values of tags are searched for.
pub(crate) const TEAM: &str = "SHIPSHAPE_CANARY_tag";

/// A fix of the mission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fix {
    Insights,
    Revision,
    PublicAddress,
    Move,
}

/// A violation, and the event that announced it.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) fix: Fix,
    /// The change's id.
    pub(crate) change: String,
    /// The event, in EventBridge's envelope.
    pub(crate) event: Value,
    /// The cluster, or the family of the revision.
    name: String,
}

impl Fix {
    pub(crate) const ALL: [Self; 4] = [Self::Insights, Self::Revision, Self::PublicAddress, Self::Move];

    /// The function that makes it.
    pub(crate) fn function(self) -> &'static str {
        match self {
            Self::Insights => "cluster",
            Self::Revision => "task-definition",
            Self::PublicAddress | Self::Move => "service",
        }
    }

    /// The call that must be made once, and no more.
    pub(crate) fn write(self) -> &'static str {
        match self {
            Self::Insights => "ecs.UpdateClusterSettings",
            Self::Revision => "ecs.RegisterTaskDefinition",
            Self::PublicAddress | Self::Move => "ecs.UpdateService",
        }
    }

    /// Violates it with resources of that name.
    pub(crate) fn violate(self, world: &World<'_>, name: &str) -> Result<Violation> {
        let aws = &world.aws;
        let change = format!("change-{name}");
        let mut event = match self {
            Self::Insights => {
                fixtures::cluster(aws, name, "disabled")?;
                let cluster = format!("cluster/{name}");
                captured(
                    "ecs/ecs-cluster-container-insights.fail.switched-off.json",
                    &[("222233334444", "111122223333"), ("cluster/orders", &cluster)],
                )?
            }
            Self::Revision => privileged(name, &register_privileged(world, name)?)?,
            Self::PublicAddress => {
                let network = fixtures::network(aws, Way::Nat)?;
                let task = register_pinned(world, name)?;
                fixtures::cluster(aws, name, "enabled")?;
                fixtures::service(aws, (name, "storefront"), &task, &network, true, &json!({}))?;
                put_back(name)?
            }
            Self::Move => {
                let network = fixtures::network(aws, Way::Nat)?;
                let source = register_privileged(world, name)?;
                let mended = register_mended(world, &source)?;
                let tag = json!([{"key": "shipshape:mended", "value": mended}]);
                aws.call("ecs", "TagResource", &json!({"resourceArn": source, "tags": tag}))?;
                fixtures::cluster(aws, name, "enabled")?;
                fixtures::service(aws, (name, "storefront"), &source, &network, false, &json!({}))?;
                put_back(name)?
            }
        };
        event["detail"]["eventID"] = json!(change);
        Ok(Violation { fix: self, change, event, name: name.to_owned() })
    }
}

impl Violation {
    /// Whether it was mended, and nothing but that changed.
    pub(crate) fn is_mended(&self, world: &World<'_>) -> Result<bool> {
        let aws = &world.aws;
        Ok(match self.fix {
            Fix::Insights => {
                let cluster = fixtures::described_cluster(aws, &self.name)?;
                cluster["settings"] == json!([{"name": "containerInsights", "value": "enabled"}])
            }
            Fix::Revision => {
                let revisions = revisions(world, &self.name)?;
                let newest = definition(world, revisions.last().context("no revision")?)?;
                revisions.len() == 2
                    && newest["taskDefinition"]["containerDefinitions"][1]["privileged"] == json!(false)
            }
            Fix::PublicAddress => {
                let service = fixtures::described_service(aws, &self.name, "storefront")?;
                service["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED"
            }
            Fix::Move => {
                let service = fixtures::described_service(aws, &self.name, "storefront")?;
                service["taskDefinition"] == revisions(world, &self.name)?[1].as_str()
            }
        })
    }

    /// The batch that the queue hands over, for the so manieth time.
    pub(crate) fn batch(&self, received: u32) -> Value {
        json!({ "Records": [events::record("queue", 0, &self.event.to_string(), received)] })
    }
}

/// A function as the template configures it, below a simulator of Lambda's runtime.
pub(crate) fn function(world: &World<'_>, name: &str) -> Result<Function> {
    let binary = target().join("debug").join(name);
    let endpoint = world.emulators.proxy().endpoint();
    Ok(Function::new(name, binary, &endpoint)
        .set("SHIPSHAPE_TABLE", world.stack.output("Table")?)
        .set("SHIPSHAPE_TOPIC", world.stack.output("Topic")?)
        .set("SHIPSHAPE_DRY_RUN", "false")
        .set("SHIPSHAPE_PASSABLE_ROLES", PASSABLE)
        .set("SHIPSHAPE_TASK_DEFINITION_QUEUE", world.stack.output("TaskDefinitionQueue")?)
        .set("RUST_LOG", "trace")
        .within(Duration::from_secs(30)))
}

/// Whether every message of a batch was dealt with.
pub(crate) fn dealt_with(ending: &Ending) -> bool {
    matches!(ending, Ending::Answered(answer) if answer["batchItemFailures"] == json!([]))
}

/// Delivers a violation until it is dealt with, as the queue would, and answers how often that took. Between two
/// deliveries so much time passes that no lease holds any more.
pub(crate) fn deliver(world: &World<'_>, sandbox: &Sandbox, violation: &Violation, from: u32) -> Result<u32> {
    for received in from..from + 9 {
        if dealt_with(&sandbox.invoke(&violation.batch(received))?) {
            return Ok(received);
        }
        world.time_passes()?;
        sandbox.respawn()?;
    }
    anyhow::bail!("{violation:?} was never dealt with:\n{}", sandbox.logs())
}

/// The captured registration of a privileged container, of that family and revision.
pub(crate) fn privileged(family: &str, arn: &str) -> Result<Value> {
    let names = [
        ("333344445555", "111122223333"),
        ("us-east-1", "eu-west-1"),
        ("arn:aws:ecs:eu-west-1:111122223333:task-definition/ingest:5", arn),
        ("\"family\":\"ingest\"", &format!("\"family\":\"{family}\"")),
    ];
    captured("ecs/ecs-container-not-privileged.fail.sidecar.json", &names)
}

/// The captured update that puts a public address back, of the service `storefront` in that cluster.
pub(crate) fn put_back(cluster: &str) -> Result<Value> {
    let (service, cluster) = (format!("service/{cluster}/"), format!("cluster/{cluster}"));
    let names = [("service/shop/", service.as_str()), ("cluster/shop", cluster.as_str())];
    captured("ecs/ecs-service-no-public-ip.fail.put-back-by-console.json", &names)
}

/// Registers what the captured event had registered, its images pinned, and answers the revision's ARN.
pub(crate) fn register_privileged(world: &World<'_>, family: &str) -> Result<String> {
    let mut document = privileged(family, "arn:aws:ecs:eu-west-1:111122223333:task-definition/x:1")?["detail"]
        ["responseElements"]["taskDefinition"]
        .take();
    for container in document["containerDefinitions"].as_array_mut().context("no containers")? {
        let name = container["name"].as_str().context("no name")?;
        container["image"] = json!(image(world, name)?);
        // Beside what the event has in `environment`.
        container["command"] = json!(["serve", "SHIPSHAPE_CANARY_command"]);
        container["entryPoint"] = json!(["SHIPSHAPE_CANARY_entry_point"]);
        container["secrets"] = json!([{
            "name": "API_KEY",
            "valueFrom": "arn:aws:ssm:eu-west-1:111122223333:parameter/SHIPSHAPE_CANARY_secret",
        }]);
        container["logConfiguration"]["options"]["awslogs-datetime-format"] =
            json!("SHIPSHAPE_CANARY_option");
    }
    document["tags"] = json!([{"key": "team", "value": TEAM}]);
    register(world, document)
}

/// Registers what the function would have registered in a revision's place.
fn register_mended(world: &World<'_>, source: &str) -> Result<String> {
    let mut document = definition(world, source)?["taskDefinition"].take();
    document["containerDefinitions"][1]["privileged"] = json!(false);
    document["tags"] = definition(world, source)?["tags"].take();
    register(world, document)
}

/// Registers a revision whose image is pinned, and which passes every control that matters here.
pub(crate) fn register_pinned(world: &World<'_>, family: &str) -> Result<String> {
    let container = json!({
        "name": "web", "image": image(world, "storefront")?, "essential": true, "user": "1000:1000",
        "readonlyRootFilesystem": true, "environment": [], "memory": 256,
        "healthCheck": {"command": ["CMD", "/healthy"]},
        "logConfiguration": {"logDriver": "awslogs", "options": {
            "awslogs-group": "/ecs/web", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "web",
            "mode": "non-blocking", "max-buffer-size": "25m",
        }},
    });
    let more = json!({
        "containerDefinitions": [container],
        "executionRoleArn": "arn:aws:iam::111122223333:role/ecsTaskExecutionRole",
        "taskRoleArn": "arn:aws:iam::111122223333:role/ingest-task",
        "tags": [{"key": "team", "value": "shop"}],
    });
    fixtures::task_definition(&world.aws, family, "unused", &more)
}

fn register(world: &World<'_>, mut document: Value) -> Result<String> {
    let members = document.as_object_mut().context("no document")?;
    for name in [
        "taskDefinitionArn",
        "revision",
        "status",
        "requiresAttributes",
        "compatibilities",
        "registeredAt",
        "registeredBy",
    ] {
        members.remove(name);
    }
    let answer = world.aws.call("ecs", "RegisterTaskDefinition", &document)?;
    answer["taskDefinition"]["taskDefinitionArn"].as_str().map(str::to_owned).context("no ARN")
}

/// An image by its digest.
fn image(world: &World<'_>, repository: &str) -> Result<String> {
    let (image, digest) = fixtures::image(&world.aws, repository, "1")?;
    let (repository, _) = image.rsplit_once(':').context("no tag")?;
    Ok(format!("{repository}@{digest}"))
}

/// The revisions of a family, the oldest first.
pub(crate) fn revisions(world: &World<'_>, family: &str) -> Result<Vec<String>> {
    let answer = world.aws.call("ecs", "ListTaskDefinitions", &json!({"familyPrefix": family}))?;
    Ok(serde_json::from_value(answer["taskDefinitionArns"].clone())?)
}

/// A revision, with its tags.
pub(crate) fn definition(world: &World<'_>, arn: &str) -> Result<Value> {
    let request = json!({"taskDefinition": arn, "include": ["TAGS"]});
    Ok(world.aws.call("ecs", "DescribeTaskDefinition", &request)?)
}
