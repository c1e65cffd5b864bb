//! Which images a service runs, by digest: what its current service revisions were resolved to.

use aws_sdk_ecs::Client;
use shipshape_aws::failure::Failure;
use shipshape_core::ids::Arn;

use super::Answers;
use crate::raw::{RawAnswer, if_there};

/// How many revisions one DescribeServiceRevisions takes.
const REVISIONS: usize = 20;

/// The service revisions that a service runs.
pub(super) async fn images(client: &Client, service: &Arn) -> Result<Answers, Failure> {
    let Some((cluster, _)) = service.name().split_once('/') else { return Ok(Answers::new()) };
    let call = client.describe_services().cluster(cluster).services(service.as_str());
    let Some(sent) = if_there("DescribeServices", call.send().await)? else { return Ok(Answers::new()) };
    let current = sent.services().iter().flat_map(|one| one.current_service_revisions());
    let arns: Vec<String> = current.filter_map(|one| one.arn().map(str::to_owned)).collect();
    let mut answers = Answers::new();
    for batch in arns.chunks(REVISIONS) {
        let raw = RawAnswer::default();
        let call = client.describe_service_revisions().set_service_revision_arns(Some(batch.to_vec()));
        let sent = call.customize().interceptor(raw.clone()).send().await;
        answers.extend(raw.of("DescribeServiceRevisions", sent)?);
    }
    Ok(answers)
}
