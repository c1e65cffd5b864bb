//! Where the emulators let ECS calls pass that AWS refuses, and show what AWS shows only when asked.

use anyhow::Result;
use serde_json::{Value, json};

use super::call::Wire;
use super::{Call, json};
use crate::http::{Request, Response};

/// Calls that refuse a cluster that is not there or not active.
const IN_A_CLUSTER: &[&str] = &[
    "CreateService",
    "DeleteCluster",
    "DeleteService",
    "DescribeServices",
    "DescribeTasks",
    "ListContainerInstances",
    "ListServices",
    "ListTasks",
    "PutClusterCapacityProviders",
    "RunTask",
    "UpdateCluster",
    "UpdateClusterSettings",
    "UpdateService",
];

/// How many names a call takes.
const LIMITS: &[(&str, &str, usize)] = &[
    ("DescribeServices", "services", 10),
    ("DescribeClusters", "clusters", 100),
    ("DescribeTasks", "tasks", 100),
];

type Forward<'a> = &'a dyn Fn(&Request) -> Result<Response>;

/// Passes a call of ECS on, unless AWS would refuse it.
pub(super) fn pass(call: &Call, wire: Wire, request: &Request, forward: Forward<'_>) -> Result<Response> {
    let ecs = Ecs { request, forward, asked: call.json() };
    let operation = call.operation.as_str();
    if let Some((_, member, most)) = LIMITS.iter().find(|(of, ..)| *of == operation)
        && ecs.asked[member].as_array().is_some_and(|names| names.len() > *most)
    {
        let message = format!("{member} can have at most {most} items.");
        return Ok(wire.error(400, "InvalidParameterException", &message));
    }
    if IN_A_CLUSTER.contains(&operation) && !ecs.cluster_is_active()? {
        return Ok(wire.error(400, "ClusterNotFoundException", "Cluster not found."));
    }
    let mut sent = request.clone();
    if operation == "UpdateService"
        && let Some(service) = ecs.service()?
    {
        if service["status"] != "ACTIVE" {
            return Ok(wire.error(400, "ServiceNotActiveException", "Service was not ACTIVE."));
        }
        // MiniStack takes the new network over without a deployment; when it is forced, it makes one.
        let network = &ecs.asked["networkConfiguration"];
        if !network.is_null() && *network != service["networkConfiguration"] {
            let mut asked = ecs.asked.clone();
            asked["forceNewDeployment"] = true.into();
            sent.body = asked.to_string().into_bytes();
        }
    }
    let mut response = forward(&sent)?;
    if response.status == 200 && matches!(operation, "DescribeServices" | "DescribeTaskDefinition") {
        let include = ecs.asked["include"].as_array();
        if !include.is_some_and(|include| include.contains(&json!("TAGS"))) {
            let mut answer = json(&response.body);
            without_tags(&mut answer);
            response.body = answer.to_string().into_bytes();
        }
    }
    Ok(response)
}

struct Ecs<'a> {
    request: &'a Request,
    forward: Forward<'a>,
    asked: Value,
}

impl Ecs<'_> {
    /// Asks the emulator itself; `None` where it does not tell.
    fn look_up(&self, operation: &str, parameters: &Value) -> Result<Option<Value>> {
        let mut request = self.request.clone();
        request.body = parameters.to_string().into_bytes();
        for (name, value) in &mut request.headers {
            if name.eq_ignore_ascii_case("x-amz-target") {
                *value = format!("AmazonEC2ContainerServiceV20141113.{operation}");
            }
        }
        let response = (self.forward)(&request)?;
        Ok((response.status == 200).then(|| json(&response.body)))
    }

    fn cluster(&self) -> &str {
        self.asked["cluster"].as_str().unwrap_or("default")
    }

    fn cluster_is_active(&self) -> Result<bool> {
        let answer = self.look_up("DescribeClusters", &json!({"clusters": [self.cluster()]}))?;
        Ok(answer.is_none_or(|answer| answer["clusters"][0]["status"] == "ACTIVE"))
    }

    /// The service that is to be updated, if there is one.
    fn service(&self) -> Result<Option<Value>> {
        let names = [&self.asked["service"]];
        let answer =
            self.look_up("DescribeServices", &json!({"cluster": self.cluster(), "services": names}))?;
        Ok(answer.and_then(|mut answer| answer.pointer_mut("/services/0").map(Value::take)))
    }
}

/// Tags stand beside a definition, and in each service.
fn without_tags(answer: &mut Value) {
    let services = answer.get_mut("services").and_then(Value::as_array_mut).into_iter().flatten();
    services.filter_map(Value::as_object_mut).for_each(|service| {
        service.remove("tags");
    });
    for place in ["", "/taskDefinition"] {
        if let Some(Value::Object(members)) = answer.pointer_mut(place) {
            members.remove("tags");
        }
    }
}
