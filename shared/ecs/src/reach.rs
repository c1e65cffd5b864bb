//! ECS in one account and Region.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_ecs::Client;
use serde_json::Value;
use serde_json::value::RawValue;
use shipshape_aws::failure::Failure;
use shipshape_aws::reach::{Reach, Wrote, or_nothing};
use shipshape_core::facts::{Facts, Need};
use shipshape_core::finding::Fingerprint;
use shipshape_core::ids::Arn;
use shipshape_core::notification::Done;
use shipshape_core::remediation::mended::is_mended;
use shipshape_core::remediation::{Action, Remediation};
use shipshape_core::resource::{Body, Resource, ResourceId, ResourceType};
use shipshape_core::selection::Selection;

use crate::lookup::{self, definition};
use crate::register::{self, MENDED, tag, tags};
use crate::remediate;

/// How often a mended revision that was mended again is followed.
const HOPS: usize = 4;

/// Asks ECS, and writes to it.
#[derive(Debug)]
pub struct Ecs {
    client: Client,
    /// The tags of the revisions that were described: a mended one takes them over.
    tags: BTreeMap<Arn, Vec<Value>>,
}

impl Ecs {
    /// Learns what a description says. Of a revision that another stands in the place of, that one too, and so on.
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
        self.learn_mended(arn, mended, facts, selection).await
    }

    /// Follows the tags from a revision to the last that stands in its place. Anyone may set a tag: what it names counts
    /// only if it differs by our own fixes alone.
    async fn learn_mended(
        &mut self,
        mut source: Arn,
        mut mended: Option<Arn>,
        facts: &mut Facts,
        selection: &Selection,
    ) -> Result<(), Failure> {
        for _ in 0..HOPS {
            let Some(named) = mended.filter(|named| *named != source) else { return Ok(()) };
            if !same_family(&source, &named) {
                return Ok(());
            }
            let described = or_nothing(definition(&self.client, named.as_str()).await)?;
            let Some(described) = described else { return Ok(()) };
            let mut other = Facts::default();
            other.absorb(&described);
            let candidate = other.resource(&named).filter(|candidate| active(candidate)).cloned();
            let (Some(candidate), Some(known)) = (candidate, facts.resource(&source)) else { return Ok(()) };
            if !is_mended(known, &candidate, facts, selection) {
                return Ok(());
            }
            let tags = register::tags(&described);
            mended = tag(&tags, MENDED).and_then(|text| text.parse::<Arn>().ok());
            self.tags.insert(named.clone(), tags);
            facts.learn_mended(source, candidate);
            source = named;
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
            whole(answer)?;
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
            whole(&answer)?;
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
        let wrote = remediate::write(&self.client, remediation, after).await?;
        if remediation.action() == Action::TagResource {
            // A revision that is registered next takes them over.
            let tags = after.document.value().and_then(|document| document.get("tags")?.as_array().cloned());
            self.tags.insert(remediation.target().arn.clone(), tags.unwrap_or_default());
        }
        Ok(wrote)
    }

    async fn registered(
        &mut self,
        source: &Arn,
        content: Fingerprint,
        link: bool,
    ) -> Result<Option<Done>, Failure> {
        match register::find(&self.client, source, content).await? {
            Some(mended) if !link => Ok(Some(register::unlinked(source, &mended, "no write is allowed now"))),
            Some(mended) => register::done(&self.client, source, &mended).await.map(Some),
            None => Ok(None),
        }
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

/// An answer that tells of everything it was asked, if only that there is no such thing. ECS may have other reasons not to
/// (ECS developer guide, API failure reasons), and then nothing is gone.
fn whole(answer: &RawValue) -> Result<(), Failure> {
    let answer: Value = serde_json::from_str(answer.get()).unwrap_or_default();
    let failures = answer.get("failures").and_then(Value::as_array).into_iter().flatten();
    let mut reasons = failures.filter_map(|one| one.get("reason")?.as_str());
    match reasons.find(|reason| *reason != "MISSING") {
        Some(reason) => {
            Err(Failure::later("Describe", reason, "ECS could not tell of everything it was asked"))
        }
        None => Ok(()),
    }
}

/// Whether two revisions are of one family in one place.
fn same_family(one: &Arn, other: &Arn) -> bool {
    let family = |arn: &Arn| arn.as_str().rsplit_once(':').map(|(family, _)| family.to_owned());
    family(one) == family(other)
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
