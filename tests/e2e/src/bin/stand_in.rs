//! A function for tests of the harness. It writes each message of a batch into the table that it is told of, and does
//! what the message's body asks for: `{"do": "fail"}`, `later`, `exit`, `hang`, `call`. Anything else it only notes.

use std::env;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use shipshape_e2e::aws::{Aws, Credentials};

fn main() -> Result<()> {
    let api = format!("http://{}/2018-06-01/runtime", env::var("AWS_LAMBDA_RUNTIME_API")?);
    let next: ureq::Agent = ureq::Agent::config_builder().build().into();
    let mut calls = 0;
    loop {
        let mut answer = next.get(format!("{api}/invocation/next")).call()?;
        let header = |name: &str| {
            let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned).with_context(|| format!("no {name}"))
        };
        let id = header("lambda-runtime-aws-request-id")?;
        let deadline = header("lambda-runtime-deadline-ms")?;
        let payload: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        calls += 1;
        log(&format!("handles {calls}"));
        let (path, said) = match handle(&payload, &deadline) {
            Ok(said) => ("response", said),
            Err(error) => {
                log(&format!("{error:#}"));
                ("error", json!({"errorType": "StandIn", "errorMessage": format!("{error:#}")}))
            }
        };
        next.post(format!("{api}/invocation/{id}/{path}")).send(said.to_string())?;
    }
}

fn handle(payload: &Value, deadline: &str) -> Result<Value> {
    let mut failures = Vec::new();
    for record in payload["Records"].as_array().into_iter().flatten() {
        let body: Value = serde_json::from_str(record["body"].as_str().unwrap_or_default())?;
        match body["do"].as_str() {
            Some("fail") => bail!("asked to fail"),
            Some("exit") => stop(),
            Some("hang") => std::thread::sleep(Duration::from_secs(3600)),
            Some("later") => {
                failures.push(json!({"itemIdentifier": record["messageId"]}));
            }
            Some("call") => {
                let text = |name: &str| body[name].as_str().unwrap_or_default();
                client()?.call(text("service"), text("operation"), &body["parameters"])?;
            }
            Some("environment") => {
                return Ok(env::vars().map(|(key, value)| (key, Value::String(value))).collect());
            }
            _ => note(record)?,
        }
    }
    Ok(json!({"batchItemFailures": failures, "deadline": deadline}))
}

/// Writes the message down, so that a test sees that it arrived and what it looked like.
fn note(record: &Value) -> Result<()> {
    let own = env::vars().filter(|(key, _)| key.starts_with("SHIPSHAPE_"));
    let own = own.map(|(key, value)| (key, json!({"S": value})));
    let item = json!({
        "pk": {"S": format!("seen#{}", env::var("AWS_LAMBDA_FUNCTION_NAME")?)},
        "sk": {"S": record["messageId"]},
        "record": {"S": record.to_string()},
        "environment": {"M": own.collect::<Value>()},
    });
    let request = json!({"TableName": env::var("SHIPSHAPE_TABLE")?, "Item": item});
    client()?.call("dynamodb", "PutItem", &request)?;
    Ok(())
}

#[expect(clippy::exit, reason = "it is what the test asks for")]
fn stop() -> ! {
    std::process::exit(3)
}

#[expect(clippy::print_stderr, reason = "what a function prints is its log")]
fn log(line: &str) {
    eprintln!("{line}");
}

fn client() -> Result<Aws> {
    let endpoint = env::var("AWS_ENDPOINT_URL")?;
    Ok(Aws::new(&endpoint, &endpoint).with(Credentials::from_environment()?))
}
