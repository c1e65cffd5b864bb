//! ECS in one account and Region.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_ecs::Client;
use serde_json::Value;
use serde_json::value::RawValue;
use shipshape_aws::failure::Failure;
use shipshape_aws::reach::{Reach, Wrote};
use shipshape_core::facts::{Facts, Need};
use shipshape_core::finding::Fingerprint;
use shipshape_core::ids::Arn;
use shipshape_core::remediation::mended::is_mended;
use shipshape_core::remediation::{Action, Remediation};
use shipshape_core::resource::{Body, Resource, ResourceId, ResourceType};
use shipshape_core::selection::Selection;

use crate::lookup::{self, definition};
use crate::register::{self, MENDED, tag, tags};
use crate::remediate;

/// Asks ECS, and writes to it.
#[derive(Debug)]
pub struct Ecs {
    client: Client,
    /// The tags of the revisions that were described: a mended one takes them over.
    tags: BTreeMap<Arn, Vec<Value>>,
}

impl Ecs {
    /// Learns what a description says. Of a revision that another stands in the place of, that one too.
    async fn learn(
        &mut self,
        answer: &RawValue,
        facts: &mut Facts,
        selection: &Selection,
    ) -> Result<(), Failure> {
        facts.absorb(answer);
        let Some(arn) = revision(answer) else { return Ok(()) };
        let tags = tags(answer);
        let mended = tag(&tags, MENDED).and_then(|text| text.parse::<Arn>().ok());
        self.tags.insert(arn.clone(), tags);
        // Anyone may set a tag: what it names counts only if it differs by our own fixes alone.
        let Some(named) = mended.filter(|mended| *mended != arn) else { return Ok(()) };
        let Some(described) = definition(&self.client, named.as_str()).await? else { return Ok(()) };
        let mut other = Facts::default();
        other.absorb(&described);
        let candidate = other.resource(&named).filter(|candidate| active(candidate)).cloned();
        if let (Some(candidate), Some(source)) = (candidate, facts.resource(&arn))
            && is_mended(source, &candidate, facts, selection)
        {
            self.tags.insert(named, register::tags(&described));
            facts.learn_mended(arn, candidate);
        }
        Ok(())
    }
}

impl Reach for Ecs {
    fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config), tags: BTreeMap::new() }
    }

    async fn fetch(
        &mut self,
        needs: &[Need],
        facts: &mut Facts,
        selection: &Selection,
    ) -> Result<bool, Failure> {
        let answers = lookup::fetch(&self.client, needs).await?;
        for answer in &answers {
            self.learn(answer, facts, selection).await?;
        }
        let mut learned = !answers.is_empty();
        for need in needs {
            let Need::Resource(id) = need else { continue };
            if !lookup::describes(id) {
                continue;
            }
            learned = true;
            match facts.known(id).filter(|resource| exists(resource)).cloned() {
                Some(resource) => facts.learn(resource.asked_for_whole()),
                None => facts.learn_gone(id.clone()),
            }
        }
        Ok(learned)
    }

    async fn describe(&mut self, id: &ResourceId) -> Result<Option<Resource>, Failure> {
        let mut facts = Facts::default();
        for answer in lookup::fetch(&self.client, &[Need::Resource(id.clone())]).await? {
            facts.absorb(&answer);
        }
        let known = facts.known(id).filter(|resource| exists(resource)).cloned();
        Ok(known.map(Resource::asked_for_whole))
    }

    async fn write(&mut self, remediation: &Remediation, after: &Resource) -> Result<Wrote, Failure> {
        if remediation.action() == Action::RegisterTaskDefinition {
            let tags = self.tags.get(&remediation.target().arn).cloned().unwrap_or_default();
            return register::register(&self.client, remediation, &tags).await;
        }
        remediate::write(&self.client, remediation, after).await
    }

    async fn registered(&mut self, source: &Arn, content: Fingerprint) -> Result<Option<Arn>, Failure> {
        let found = register::find(&self.client, source, content).await?;
        if let Some(mended) = &found {
            register::link(&self.client, source, mended).await?;
        }
        Ok(found)
    }
}

/// Deleted clusters and services are described for a while, as INACTIVE. A revision may be run while it is that.
fn exists(resource: &Resource) -> bool {
    match &resource.body {
        Body::Cluster(cluster) => cluster.status.text() != Some("INACTIVE"),
        Body::Service(service) => service.status.text() != Some("INACTIVE"),
        _ => true,
    }
}

/// Whether a service can move to a revision: one that was deregistered can't be deployed any more.
fn active(revision: &Resource) -> bool {
    let status = revision.document.value().and_then(|value| Some(value.get("status")?.as_str()? == "ACTIVE"));
    revision.id.kind == ResourceType::TaskDefinition && status.unwrap_or(true)
}

/// The revision that an answer describes.
fn revision(answer: &RawValue) -> Option<Arn> {
    let answer: Value = serde_json::from_str(answer.get()).ok()?;
    answer.get("taskDefinition")?.get("taskDefinitionArn")?.as_str()?.parse().ok()
}
