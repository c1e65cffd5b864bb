//! What tests have in their account: clusters, services, networks, images, queues, parameters.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::aws::{Aws, AwsError};

/// A VPC with one subnet, whose way out is a NAT gateway, an internet gateway, or none.
#[derive(Debug, Clone)]
pub struct Network {
    /// The VPC's id.
    pub vpc: String,
    /// The subnet's id.
    pub subnet: String,
    /// The security group's id; it lets everything out and nothing in.
    pub security_group: String,
    /// The id of the route table that the subnet is associated with.
    pub route_table: String,
}

/// The way out of a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Through a NAT gateway: no public address is needed.
    Nat,
    /// Through an internet gateway: only with a public address.
    Internet,
    /// None.
    Closed,
}

fn text(answer: &Value, pointer: &str) -> Result<String> {
    let found = answer.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    found.map(str::to_owned).with_context(|| format!("no {pointer} in {answer}"))
}

/// Makes a network on moto.
pub fn network(aws: &Aws, way: Way) -> Result<Network> {
    let ec2 = |operation: &str, parameters: Value| aws.call("ec2", operation, &parameters);
    let vpc = text(&ec2("CreateVpc", json!({"CidrBlock": "10.0.0.0/16"}))?, "/vpc/vpcId")?;
    let subnet = |range: &str| -> Result<String> {
        text(&ec2("CreateSubnet", json!({"VpcId": vpc, "CidrBlock": range}))?, "/subnet/subnetId")
    };
    let inside = subnet("10.0.1.0/24")?;
    let route_table = text(&ec2("CreateRouteTable", json!({"VpcId": vpc}))?, "/routeTable/routeTableId")?;
    ec2("AssociateRouteTable", json!({"RouteTableId": route_table, "SubnetId": inside}))?;
    let everywhere = |gateway: &str, id: &str| {
        let route = json!({
            "RouteTableId": route_table, "DestinationCidrBlock": "0.0.0.0/0", gateway: id,
        });
        ec2("CreateRoute", route)
    };
    match way {
        Way::Closed => {}
        Way::Nat => {
            let address = text(&ec2("AllocateAddress", json!({"Domain": "vpc"}))?, "/allocationId")?;
            let outside = subnet("10.0.2.0/24")?;
            let gateway = ec2("CreateNatGateway", json!({"SubnetId": outside, "AllocationId": address}))?;
            everywhere("NatGatewayId", &text(&gateway, "/natGateway/natGatewayId")?)?;
        }
        Way::Internet => {
            let gateway = ec2("CreateInternetGateway", json!({}))?;
            let id = text(&gateway, "/internetGateway/internetGatewayId")?;
            ec2("AttachInternetGateway", json!({"InternetGatewayId": id, "VpcId": vpc}))?;
            everywhere("GatewayId", &id)?;
        }
    }
    let group = json!({"GroupName": "workload", "GroupDescription": "workload", "VpcId": vpc});
    let security_group = text(&ec2("CreateSecurityGroup", group)?, "/groupId")?;
    Ok(Network { vpc, subnet: inside, security_group, route_table })
}

/// Makes a cluster with that value of `containerInsights`, and answers its ARN.
pub fn cluster(aws: &Aws, name: &str, insights: &str) -> Result<String> {
    let settings = json!([{"name": "containerInsights", "value": insights}]);
    let answer = aws.call("ecs", "CreateCluster", &json!({"clusterName": name, "settings": settings}))?;
    text(&answer, "/cluster/clusterArn")
}

/// Registers a task definition for Fargate, of one container `web` with that image, and answers its ARN. `more` are
/// members of the definition, which win over the defaults.
pub fn task_definition(aws: &Aws, family: &str, image: &str, more: &Value) -> Result<String> {
    let mut request = json!({
        "family": family,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{"name": "web", "image": image, "essential": true}],
    });
    merge(&mut request, more);
    text(&aws.call("ecs", "RegisterTaskDefinition", &request)?, "/taskDefinition/taskDefinitionArn")
}

/// Makes a Fargate service in that network, with a public address or without, and answers its ARN. `more` are members
/// of the service, which win over the defaults.
pub fn service(
    aws: &Aws,
    (cluster, name): (&str, &str),
    task_definition: &str,
    network: &Network,
    public: bool,
    more: &Value,
) -> Result<String> {
    let mut request = json!({
        "cluster": cluster,
        "serviceName": name,
        "taskDefinition": task_definition,
        "desiredCount": 1,
        "launchType": "FARGATE",
        // What AWS fills in by itself, and MiniStack does not.
        "platformVersion": "LATEST",
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": [network.subnet],
            "securityGroups": [network.security_group],
            "assignPublicIp": if public { "ENABLED" } else { "DISABLED" },
        }},
    });
    merge(&mut request, more);
    text(&aws.call("ecs", "CreateService", &request)?, "/service/serviceArn")
}

/// The service as the emulator has it.
pub fn described_service(aws: &Aws, cluster: &str, name: &str) -> Result<Value> {
    let answer = aws.call("ecs", "DescribeServices", &json!({"cluster": cluster, "services": [name]}))?;
    answer.pointer("/services/0").cloned().with_context(|| format!("{cluster}/{name}: {answer}"))
}

/// The cluster as the emulator has it, with settings, tags and configuration.
pub fn described_cluster(aws: &Aws, name: &str) -> Result<Value> {
    let include = ["SETTINGS", "TAGS", "CONFIGURATIONS"];
    let answer = aws.call("ecs", "DescribeClusters", &json!({"clusters": [name], "include": include}))?;
    answer.pointer("/clusters/0").cloned().with_context(|| format!("{name}: {answer}"))
}

/// Makes a repository on moto with one image of that tag, if there is none yet, and answers the image's URI and digest.
pub fn image(aws: &Aws, repository: &str, tag: &str) -> Result<(String, String)> {
    let made = aws.call("ecr", "CreateRepository", &json!({"repositoryName": repository}));
    if let Err(error) = made
        && error.code != "RepositoryAlreadyExistsException"
    {
        return Err(error.into());
    }
    let answer = aws.call("ecr", "DescribeRepositories", &json!({"repositoryNames": [repository]}))?;
    let uri = text(&answer, "/repositories/0/repositoryUri")?;
    // moto makes the image's digest from those of its layers.
    let layer: String = format!("{repository}:{tag}").bytes().map(|byte| format!("{byte:02x}")).collect();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": "sha256:0"},
        "layers": [{
            "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": 1,
            "digest": format!("sha256:{layer:0>64}"),
        }],
    });
    let request =
        json!({"repositoryName": repository, "imageTag": tag, "imageManifest": manifest.to_string()});
    let digest = match aws.call("ecr", "PutImage", &request) {
        Ok(answer) => text(&answer, "/image/imageId/imageDigest")?,
        Err(error) if error.code == "ImageAlreadyExistsException" => {
            let request = json!({"repositoryName": repository, "imageIds": [{"imageTag": tag}]});
            text(&aws.call("ecr", "DescribeImages", &request)?, "/imageDetails/0/imageDigest")?
        }
        Err(error) => return Err(error.into()),
    };
    Ok((format!("{uri}:{tag}"), digest))
}

/// Sets a parameter.
pub fn parameter(aws: &Aws, name: &str, value: &str) -> Result<()> {
    let request = json!({"Name": name, "Value": value, "Type": "String", "Overwrite": true});
    aws.call("ssm", "PutParameter", &request)?;
    Ok(())
}

/// Every item of a table, as text: for tests that search it.
pub fn items(aws: &Aws, table: &str) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    let mut request = json!({"TableName": table, "ConsistentRead": true});
    loop {
        let mut answer = aws.call("dynamodb", "Scan", &request)?;
        if let Some(Value::Array(page)) = answer.get_mut("Items").map(Value::take) {
            items.extend(page);
        }
        match answer.get("LastEvaluatedKey") {
            None | Some(Value::Null) => return Ok(items),
            Some(key) => request["ExclusiveStartKey"] = key.clone(),
        }
    }
}

/// Makes a queue, and answers its URL and its ARN.
pub fn queue(aws: &Aws, name: &str) -> Result<(String, String)> {
    let url = text(&aws.call("sqs", "CreateQueue", &json!({"QueueName": name}))?, "/QueueUrl")?;
    let arn = queue_arn(aws, &url)?;
    Ok((url, arn))
}

/// The ARN of the queue with that URL.
pub fn queue_arn(aws: &Aws, url: &str) -> Result<String> {
    let request = json!({"QueueUrl": url, "AttributeNames": ["QueueArn"]});
    text(&aws.call("sqs", "GetQueueAttributes", &request)?, "/Attributes/QueueArn")
}

/// Makes a queue that hears what the topic tells, each message as it was published, and answers its URL.
pub fn listener(aws: &Aws, topic: &str, name: &str) -> Result<String> {
    let (url, arn) = queue(aws, name)?;
    // A map, whose entries SNS does not call `member`.
    let raw = json!({"key": "RawMessageDelivery", "value": "true"});
    let request = json!({"TopicArn": topic, "Protocol": "sqs", "Endpoint": arn, "Attributes.entry.1": raw});
    aws.call("sns", "Subscribe", &request)?;
    Ok(url)
}

/// Takes up to ten messages off a queue.
pub fn receive(aws: &Aws, url: &str) -> Result<Vec<Value>, AwsError> {
    let request = json!({
        "QueueUrl": url, "MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"],
    });
    let mut answer = aws.call("sqs", "ReceiveMessage", &request)?;
    let Some(Value::Array(messages)) = answer.get_mut("Messages").map(Value::take) else {
        return Ok(Vec::new());
    };
    for message in &messages {
        let handle = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]});
        aws.call("sqs", "DeleteMessage", &handle)?;
    }
    Ok(messages)
}

/// How many messages wait in a queue, and how many are being worked on.
pub fn waiting(aws: &Aws, url: &str) -> Result<(u64, u64)> {
    let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
    let request = json!({"QueueUrl": url, "AttributeNames": names});
    let answer = aws.call("sqs", "GetQueueAttributes", &request)?;
    let number = |name: &str| {
        let text = answer["Attributes"][name].as_str();
        text.and_then(|text| text.parse().ok()).with_context(|| format!("no {name} in {answer}"))
    };
    Ok((number(names[0])?, number(names[1])?))
}

fn merge(into: &mut Value, more: &Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more.clone());
    }
}

/// The value of an attribute of an item, whatever its type.
pub fn attribute<'a>(item: &'a Value, name: &str) -> Result<&'a Value> {
    match item.get(name).and_then(Value::as_object).and_then(|typed| typed.values().next()) {
        Some(value) => Ok(value),
        None => bail!("no {name} in {item}"),
    }
}
