//! A deployment with a policy, and somebody who listens to what it tells.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use shipshape_e2e::aws::Aws;
use shipshape_e2e::deploy::{Plan, Stack, deploy};
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::{events, fixtures, until};

/// What is named `fix-…` is fixed; everything else is told of.
pub(crate) const POLICY: &str = r#"version = 1
mode = "notify"
[controls.ecs-container-logging]
enabled = false
[[rules]]
resources = ["arn:aws:ecs:*:*:*/fix-*"]
mode = "fix"
disruptive = true
iac = "fix"
"#;

/// The roles that mended revisions may name.
pub(crate) const PASSABLE: &str =
    "arn:aws:iam::111122223333:role/ingest-task,arn:aws:iam::111122223333:role/ecsTaskExecutionRole";

/// How long a story may take, message back from the queue included.
pub(crate) const STORY: Duration = Duration::from_secs(60);

/// Deploys the template as it ships, but for its times: what comes back does so after twelve seconds.
pub(crate) fn deployed<'a>(emulators: &'a Emulators, parameters: &[(&str, &str)]) -> Result<World<'a>> {
    let mut plan = Plan::new("shipshape");
    plan.seconds = Some((20, 12));
    plan.parameters =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let stack = deploy(emulators, &plan)?;
    let aws = emulators.aws();
    fixtures::parameter(&aws, "/shipshape/policy", POLICY)?;
    let heard = fixtures::listener(&aws, stack.output("Topic")?, "people")?;
    Ok(World { emulators, stack, aws, heard })
}

/// A deployment.
pub(crate) struct World<'a> {
    pub(crate) emulators: &'a Emulators,
    pub(crate) stack: Stack<'a>,
    pub(crate) aws: Aws,
    heard: String,
}

impl World<'_> {
    /// Puts a captured event on the bus, with names put in the place of others, and answers its change's id.
    pub(crate) fn happens(&self, event: &Value) -> Result<String> {
        events::put(&self.aws, event)?;
        Ok(event["detail"]["eventID"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits for the message about a change, as programs get it; messages about others are passed over.
    pub(crate) fn told(&self, change: &str) -> Result<Value> {
        until(&format!("the message about {change}"), STORY, || {
            let messages = fixtures::receive(&self.aws, &self.heard).ok()?;
            messages
                .iter()
                .filter_map(|message| serde_json::from_str::<Value>(message["Body"].as_str()?).ok())
                .find(|body| body["event"]["id"] == change)
        })
    }

    /// What the functions called, by name, in order, from some call on.
    pub(crate) fn calls(&self, from: usize) -> Vec<String> {
        let calls = self.emulators.proxy().calls();
        calls[from.min(calls.len())..].iter().map(shipshape_e2e::proxy::Call::name).collect()
    }

    /// Everything that the ledger holds.
    pub(crate) fn ledger(&self) -> Result<Vec<Value>> {
        fixtures::items(&self.aws, self.stack.output("Table")?)
    }
}

/// A captured event, with other names in it.
pub(crate) fn captured(path: &str, names: &[(&str, &str)]) -> Result<Value> {
    let mut text = events::event(path)?.to_string();
    for (from, to) in names {
        text = text.replace(from, to);
    }
    Ok(serde_json::from_str(&text)?)
}
