//! What is not made yet has no ARN: its name is made of what its input says, and of where it is to be deployed.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::document::{Document, Field};
use crate::event::{cluster_name, identify};
use crate::ids::{AccountId, Arn, Region};
use crate::resource::{Resource, ResourceId, ResourceType};

/// Where that is to be deployed which does not say so itself.
#[derive(Debug, Clone, Default)]
pub struct Home {
    /// The account.
    pub account: Option<AccountId>,
    /// The Region.
    pub region: Option<Region>,
}

impl Home {
    /// The ARN of a resource that will be there; what is not known of it is left empty.
    fn arn(&self, resource: &str) -> Option<Arn> {
        let partition = self.region.as_ref().map_or("aws", Region::partition);
        let region = self.region.as_ref().map_or("", Region::as_str);
        let account = self.account.as_ref().map_or("", AccountId::as_str);
        format!("arn:{partition}:ecs:{region}:{account}:{resource}").parse().ok()
    }
}

/// The members by which an input names what it makes or changes.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Names {
    family: Field<String>,
    service_name: Field<String>,
    service: Field<String>,
    cluster: Field<String>,
    cluster_arn: Field<String>,
    cluster_name: Field<String>,
    name: Field<String>,
}

impl Names {
    /// The service that is meant, in its cluster. ECS takes ARNs for both, and these say where that is.
    fn service(&self, home: &Home) -> Option<Arn> {
        let name = self.service_name.text().or(self.service.text())?;
        if let Ok(arn) = name.parse() {
            return Some(arn);
        }
        let cluster = self.cluster.text().or(self.cluster_arn.text());
        let resource = format!("service/{}/{name}", cluster_name(cluster));
        let place: Option<Arn> = cluster.and_then(|cluster| cluster.parse().ok());
        match place {
            Some(arn) => {
                let (partition, region, account) = (arn.partition(), arn.region(), arn.account());
                format!("arn:{partition}:ecs:{region}:{account}:{resource}").parse().ok()
            }
            None => home.arn(&resource),
        }
    }
}

/// Names a document by the ARN in it, or else by its input's members. `part` is what shows only what it changes.
pub(super) fn one(
    kind: ResourceType,
    json: &RawValue,
    tags: Field<Vec<String>>,
    home: &Home,
    part: bool,
) -> Option<Resource> {
    let document = Document::new(json);
    let told = identify(kind, &document);
    // What is still to be made is made as its input says, and has no more than that.
    let whole = told.as_ref().is_none_or(|id| id.arn.account().is_empty()) && !part;
    let id = told.or_else(|| {
        let names: Names = document.view()?;
        let of = match kind {
            ResourceType::TaskDefinition => "task-definition",
            ResourceType::Service | ResourceType::ExpressGatewayService => "service",
            ResourceType::Cluster => "cluster",
            ResourceType::CapacityProvider => "capacity-provider",
            ResourceType::AccountSetting => "account-setting",
            _ => kind.name().rsplit("::").next().unwrap_or_default(),
        };
        let name = match kind {
            ResourceType::TaskDefinition => &names.family,
            ResourceType::Cluster => &names.cluster_name,
            ResourceType::CapacityProvider | ResourceType::AccountSetting => &names.name,
            _ => &Field::Absent,
        };
        let named = match kind {
            ResourceType::Service | ResourceType::ExpressGatewayService => names.service(home),
            _ => name.text().and_then(|name| home.arn(&format!("{of}/{name}"))),
        };
        // A name that no ARN takes must not keep the document from being judged.
        let arn = named.or_else(|| home.arn(&format!("{of}/unnamed")))?;
        Some(ResourceId { kind, arn })
    })?;
    let tags = if whole && tags.is_absent() { Field::Known(Vec::new()) } else { tags };
    Resource::read(id, document).map(|resource| Resource { whole, ..resource.with_tags_beside(tags) })
}
