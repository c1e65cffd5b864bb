//! What services need to know: ECS for themselves, EC2 for the ways of their tasks, ECR for their images.

use aws_config::{Region, SdkConfig};
use shipshape_aws::failure::Failure;
use shipshape_aws::reach::{Reach as Rim, Wrote, or_nothing};
use shipshape_core::facts::{Facts, Need};
use shipshape_core::finding::Fingerprint;
use shipshape_core::ids::Arn;
use shipshape_core::notification::Done;
use shipshape_core::remediation::Remediation;
use shipshape_core::resource::{Resource, ResourceId};
use shipshape_core::selection::Selection;
use shipshape_ecs::Ecs;

/// Clients of one account and Region.
#[derive(Debug)]
pub(crate) struct Reach {
    ecs: Ecs,
    ec2: shipshape_ec2::Client,
    /// Images may be in another Region's registry.
    config: SdkConfig,
}

impl Rim for Reach {
    fn new(config: &SdkConfig) -> Self {
        Self { ecs: Ecs::new(config), ec2: shipshape_ec2::Client::new(config), config: config.clone() }
    }

    async fn fetch(
        &mut self,
        needs: &[Need],
        facts: &mut Facts,
        selection: &Selection,
    ) -> Result<bool, Failure> {
        let mut learned = self.ecs.fetch(needs, facts, selection).await?;
        let client = |region: &str| {
            let config = self.config.clone().into_builder().region(Region::new(region.to_owned()));
            shipshape_ecr::Client::new(&config.build())
        };
        let ways = or_nothing(shipshape_ec2::lookup::fetch(&self.ec2, needs).await)?;
        let images = or_nothing(shipshape_ecr::lookup::fetch(client, needs).await)?;
        for answer in ways.iter().chain(&images) {
            learned |= facts.absorb(answer).is_some();
        }
        Ok(learned)
    }

    async fn describe(&mut self, id: &ResourceId) -> Result<Option<Resource>, Failure> {
        self.ecs.describe(id).await
    }

    async fn write(&mut self, remediation: &Remediation, after: &Resource) -> Result<Wrote, Failure> {
        self.ecs.write(remediation, after).await
    }

    async fn registered(
        &mut self,
        source: &Arn,
        content: Fingerprint,
        link: bool,
    ) -> Result<Option<Done>, Failure> {
        self.ecs.registered(source, content, link).await
    }
}
