//! A function that reads nothing and does nothing: what the runtime itself costs.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(nothing)).await
}

async fn nothing(_: LambdaEvent<IgnoredAny>) -> Result<Value, Error> {
    Ok(json!({"batchItemFailures": []}))
}
