//! A function that makes the calls of the fix of Container Insights, and nothing beside them: nothing is read, judged,
//! proved or written down, and no answer is looked at. `BENCH_CALLS` names the calls in their order. What they carry is
//! as long as in the fix itself, give or take a little, and means nothing.

use std::env;

use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValue, TransactWriteItem, Update};
use aws_sdk_ecs::types::{ClusterField, ClusterSetting, ClusterSettingName};
use aws_sdk_sns::types::MessageAttributeValue;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use shipshape_aws::session::Session;
use tokio::sync::OnceCell;

const CLUSTER: &str = "arn:aws:ecs:eu-west-1:111122223333:cluster/orders";
const PARAMETERS: [&str; 3] = ["/shipshape/switch", "/shipshape/policy", "/shipshape/accounts/111122223333"];
const TABLE: &str = "ledger";
const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:shipshape";
/// A piece of JSON. What is written down and told in the fix is as long as so many of them.
const PIECE: &str = r#"{"name":"containerInsights","value":"enabled"},"#;
const BOOK: usize = 5;
const STORY: usize = 45;
const MESSAGE: usize = 294;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let calls = env::var("BENCH_CALLS")?;
    let clients = OnceCell::new();
    let (calls, clients) = (&calls, &clients);
    run(service_fn(move |_: LambdaEvent<IgnoredAny>| async move {
        let clients = clients.get_or_init(Clients::new).await;
        for operation in calls.split(',') {
            clients.call(operation).await?;
        }
        Ok::<Value, Error>(json!({"batchItemFailures": []}))
    }))
    .await
}

/// One client for each service, configured as the functions' are.
#[derive(Debug)]
struct Clients {
    dynamodb: aws_sdk_dynamodb::Client,
    ecs: aws_sdk_ecs::Client,
    sns: aws_sdk_sns::Client,
    ssm: aws_sdk_ssm::Client,
}

impl Clients {
    async fn new() -> Self {
        let mut session = Session::new("bare");
        let config = session.home().await;
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(config),
            ecs: aws_sdk_ecs::Client::new(config),
            sns: aws_sdk_sns::Client::new(config),
            ssm: aws_sdk_ssm::Client::new(config),
        }
    }

    async fn call(&self, operation: &str) -> Result<(), Error> {
        match operation {
            "GetParameters" => {
                self.ssm
                    .get_parameters()
                    .set_names(Some(PARAMETERS.map(str::to_owned).into()))
                    .send()
                    .await?;
            }
            "DescribeClusters" => self.describe().await?,
            "UpdateClusterSettings" => {
                let setting = ClusterSetting::builder().name(ClusterSettingName::ContainerInsights);
                let setting = setting.value("enabled").build();
                self.ecs.update_cluster_settings().cluster(CLUSTER).settings(setting).send().await?;
            }
            "UpdateItem" => self.update().await?,
            "GetItem" => {
                let key = self.dynamodb.get_item().table_name(TABLE).key("pk", text(CLUSTER));
                key.key("sk", text("fixes")).consistent_read(true).send().await?;
            }
            "TransactWriteItems" => self.transact().await?,
            "Publish" => self.publish().await?,
            _ => {
                return Err(format!(
                    "BENCH_CALLS names {operation}, which tests/bench/src/bin/bare.rs does not make"
                )
                .into());
            }
        }
        Ok(())
    }

    async fn describe(&self) -> Result<(), Error> {
        let call = self.ecs.describe_clusters().clusters(CLUSTER);
        let call = call.include(ClusterField::Settings).include(ClusterField::Configurations);
        call.include(ClusterField::Statistics).include(ClusterField::Tags).send().await?;
        Ok(())
    }

    async fn update(&self) -> Result<(), Error> {
        let call = self
            .dynamodb
            .update_item()
            .table_name(TABLE)
            .key("pk", text(CLUSTER))
            .key("sk", text("resource"))
            .update_expression(
                "SET #owner = :owner, #until = :until, v = :v, fence = if_not_exists(fence, :zero) + :one",
            )
            .condition_expression("attribute_not_exists(#owner) OR #until < :now OR #owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":owner", text("00000000-0000-4000-8000-000000000001/0"));
        let numbers = [":until", ":now", ":v", ":zero", ":one"];
        let call = numbers.into_iter().fold(call, |call, name| {
            call.expression_attribute_values(name, AttributeValue::N("1".to_owned()))
        });
        call.return_values(ReturnValue::AllNew).send().await?;
        Ok(())
    }

    async fn transact(&self) -> Result<(), Error> {
        let book = Update::builder()
            .table_name(TABLE)
            .key("pk", text(CLUSTER))
            .key("sk", text("resource"))
            .update_expression("SET body = :body")
            .condition_expression("fence = :fence")
            .expression_attribute_values(":fence", AttributeValue::N("1".to_owned()))
            .expression_attribute_values(":body", text(PIECE.repeat(BOOK)))
            .build()?;
        let story = Put::builder()
            .table_name(TABLE)
            .item("pk", text(CLUSTER))
            .item("sk", text("change#44e75fa6-5b80-4496-8c23-c70725d94985"))
            .item("body", text(PIECE.repeat(STORY)))
            .build()?;
        let call = self.dynamodb.transact_write_items();
        let call = call.transact_items(TransactWriteItem::builder().update(book).build());
        call.transact_items(TransactWriteItem::builder().put(story).build()).send().await?;
        Ok(())
    }

    async fn publish(&self) -> Result<(), Error> {
        let call = self
            .sns
            .publish()
            .topic_arn(TOPIC)
            .subject("FIXED medium: cluster orders now passes ecs-cluster-container-insights");
        let mut call = call.message(PIECE.repeat(MESSAGE)).message_structure("json");
        for name in ["account", "action", "control", "region", "resource_type", "severity"] {
            let value = MessageAttributeValue::builder().data_type("String").string_value("111122223333");
            call = call.message_attributes(name, value.build()?);
        }
        call.send().await?;
        Ok(())
    }
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}
