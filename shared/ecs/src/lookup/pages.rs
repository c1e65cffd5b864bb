//! Lists, page by page, and what they name, described in batches.

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::ContainerInstanceField;
use shipshape_aws::failure::Failure;
use shipshape_core::ids::Arn;

use super::{Answers, NAMES};
use crate::raw::{RawAnswer, if_there};

/// A list that does not end is given up: it would be an error of AWS or of something in between.
const PAGES: usize = 1000;

/// The account's settings as they hold, with defaults.
pub(super) async fn settings(client: &Client) -> Result<Answers, Failure> {
    let mut answers = Answers::new();
    let mut token = None;
    for _ in 0..PAGES {
        let raw = RawAnswer::default();
        let call = client.list_account_settings().effective_settings(true).set_next_token(token);
        let sent = call.customize().interceptor(raw.clone()).send().await;
        let next = sent.as_ref().ok().and_then(|page| page.next_token()).map(str::to_owned);
        answers.extend(raw.of("ListAccountSettings", sent)?);
        match next {
            Some(next) => token = Some(next),
            None => return Ok(answers),
        }
    }
    Err(endless("ListAccountSettings"))
}

/// The container instances of a cluster.
pub(super) async fn container_instances(client: &Client, cluster: &Arn) -> Result<Answers, Failure> {
    let mut names: Vec<String> = Vec::new();
    let mut token = None;
    for _ in 0..PAGES {
        let call = client.list_container_instances().cluster(cluster.as_str()).set_next_token(token.take());
        let Some(sent) = if_there("ListContainerInstances", call.send().await)? else { break };
        names.extend(sent.container_instance_arns.unwrap_or_default());
        token = sent.next_token;
        if token.is_none() {
            break;
        }
    }
    if token.is_some() {
        return Err(endless("ListContainerInstances"));
    }
    let mut answers = Answers::new();
    for batch in names.chunks(NAMES) {
        let raw = RawAnswer::default();
        let call = client
            .describe_container_instances()
            .cluster(cluster.as_str())
            .set_container_instances(Some(batch.to_vec()))
            .include(ContainerInstanceField::Tags);
        let sent = call.customize().interceptor(raw.clone()).send().await;
        answers.extend(raw.of("DescribeContainerInstances", sent)?);
    }
    Ok(answers)
}

/// The tasks of a cluster.
pub(super) async fn tasks(client: &Client, cluster: &Arn) -> Result<Answers, Failure> {
    let mut answers = Answers::new();
    let mut names: Vec<String> = Vec::new();
    let mut token = None;
    for _ in 0..PAGES {
        let raw = RawAnswer::default();
        let call = client.list_tasks().cluster(cluster.as_str()).set_next_token(token);
        let sent = call.customize().interceptor(raw.clone()).send().await;
        let page = sent.as_ref().ok();
        names.extend(page.map(|page| page.task_arns().to_vec()).unwrap_or_default());
        token = page.and_then(|page| page.next_token()).map(str::to_owned);
        answers.extend(raw.of("ListTasks", sent)?);
        if token.is_none() {
            break;
        }
    }
    if token.is_some() {
        return Err(endless("ListTasks"));
    }
    for batch in names.chunks(NAMES) {
        let raw = RawAnswer::default();
        let call = client.describe_tasks().cluster(cluster.as_str()).set_tasks(Some(batch.to_vec()));
        let sent = call.customize().interceptor(raw.clone()).send().await;
        answers.extend(raw.of("DescribeTasks", sent)?);
    }
    Ok(answers)
}

fn endless(call: &'static str) -> Failure {
    Failure::later(call, "endless", format!("the list did not end after {PAGES} pages"))
}
