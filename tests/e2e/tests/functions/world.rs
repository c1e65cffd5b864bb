//! A deployment with a policy, and somebody who listens to what it tells.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use shipshape_e2e::aws::Aws;
use shipshape_e2e::deploy::{Plan, Stack, deploy};
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::proxy::Call;
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
[budget]
fixes_per_account_per_hour = 10000
"#;

/// The roles that mended revisions may name.
pub(crate) const PASSABLE: &str =
    "arn:aws:iam::111122223333:role/ingest-task,arn:aws:iam::111122223333:role/ecsTaskExecutionRole";

/// The deployment-wide dry run is over, and mended revisions may name the roles of the fixtures.
pub(crate) const FIXING: &[(&str, &str)] = &[("DryRun", "false"), ("PassableRoles", PASSABLE)];

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
    Ok(World { emulators, stack, aws, heard, told: Mutex::default() })
}

/// A deployment.
pub(crate) struct World<'a> {
    pub(crate) emulators: &'a Emulators,
    pub(crate) stack: Stack<'a>,
    pub(crate) aws: Aws,
    heard: String,
    told: Mutex<Vec<Value>>,
}

impl World<'_> {
    /// Puts a captured event on the bus, with names put in the place of others, and answers its change's id.
    pub(crate) fn happens(&self, event: &Value) -> Result<String> {
        events::put(&self.aws, event)?;
        Ok(event["detail"]["eventID"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits for the message about a change, as programs get it.
    pub(crate) fn told(&self, change: &str) -> Result<Value> {
        until(&format!("the message about {change}"), STORY, || {
            self.all_told(change).ok()?.into_iter().next()
        })
    }

    /// The messages about a change that have arrived by now, as programs get them.
    pub(crate) fn all_told(&self, change: &str) -> Result<Vec<Value>> {
        self.listen()?;
        let heard = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(heard.iter().filter(|body| body["event"]["id"] == change).cloned().collect())
    }

    /// Every message that has arrived by now, as programs get it.
    pub(crate) fn everything_told(&self) -> Result<Vec<Value>> {
        self.listen()?;
        Ok(self.told.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn listen(&self) -> Result<()> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let messages = fixtures::receive(&self.aws, &self.heard)?;
            if messages.is_empty() {
                return Ok(());
            }
            let bodies = messages.iter().filter_map(|message| message["Body"].as_str());
            told.extend(bodies.filter_map(|body| serde_json::from_str::<Value>(body).ok()));
        }
    }

    /// What the functions called since the proxy's list was cleared, by name, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.emulators.proxy().calls().iter().map(Call::name).collect()
    }

    /// Everything that the ledger holds.
    pub(crate) fn ledger(&self) -> Result<Vec<Value>> {
        fixtures::items(&self.aws, self.stack.output("Table")?)
    }

    /// What the ledger tells of a change.
    pub(crate) fn story(&self, change: &str) -> Result<Value> {
        let key = format!("change#{change}");
        let items = self.ledger()?;
        let item = items.iter().find(|item| item["sk"]["S"] == key.as_str());
        let item = item.with_context(|| format!("no story of {change}"))?;
        Ok(serde_json::from_str(item["body"]["S"].as_str().unwrap_or_default())?)
    }

    /// So much time passes that no lease holds any more.
    pub(crate) fn time_passes(&self) -> Result<()> {
        for item in self.ledger()?.iter().filter(|item| item["until"].is_object()) {
            let request = json!({
                "TableName": self.stack.output("Table")?,
                "Key": {"pk": item["pk"], "sk": item["sk"]},
                "UpdateExpression": "SET #until = :past",
                "ExpressionAttributeNames": {"#until": "until"},
                "ExpressionAttributeValues": {":past": {"N": "0"}},
            });
            self.aws.call("dynamodb", "UpdateItem", &request)?;
        }
        Ok(())
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
