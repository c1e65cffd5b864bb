//! A finding: one control that one resource fails, and the change that showed it.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::change::{Actor, Api, Change, Origin};
use crate::control::{Control, Violation};
use crate::document::Field;
use crate::ids::{AccountId, ChangeId, Region};
use crate::policy::Subject;
use crate::resource::{Resource, ResourceId, ResourceType};

/// The change behind a finding, without its documents.
#[derive(Debug, Clone)]
pub struct Cause {
    /// The change's name.
    pub id: ChangeId,
    /// When it happened.
    pub time: Timestamp,
    /// The account to act in.
    pub account: AccountId,
    /// The Region to act in.
    pub region: Region,
    /// Who did it.
    pub actor: Actor,
    /// With what tool.
    pub origin: Origin,
    /// What was done.
    pub api: Api,
}

impl Cause {
    /// The cause that a change is.
    pub fn of(change: &Change) -> Self {
        Self {
            id: change.id.clone(),
            time: change.time,
            account: change.account.clone(),
            region: change.region.clone(),
            actor: change.actor.clone(),
            origin: change.origin,
            api: change.api,
        }
    }
}

/// One control that one resource fails.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The control.
    pub control: &'static Control,
    /// The resource.
    pub resource: ResourceId,
    /// The document with the violations, where it is not the resource's own.
    pub found_in: Option<ResourceId>,
    /// Where and how it fails.
    pub violations: Vec<Violation>,
    /// The change that showed it.
    pub cause: Arc<Cause>,
    /// Whether that change set what is wrong. A change of something else, or an event of ECS, only shows that
    /// it is still so.
    pub made_by_cause: bool,
    /// Whether that change has just started a deployment with it: a fix may overtake that, if the policy says so.
    pub starts_deployment: bool,
    /// Who else keeps the resource's state, and would put it back.
    pub owner: Option<Owner>,
}

impl Finding {
    /// The finding, as the policy's rules match it.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            account: Some(&self.cause.account),
            region: Some(&self.cause.region),
            resource: &self.resource.arn,
            cluster: self.resource.cluster(),
            control: self.control.slug,
            severity: self.control.severity,
        }
    }

    /// What was seen, as a short hash: equal for the same violations of the same resource.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_finding(self.control.slug, &self.resource, self.found_in.as_ref(), &self.violations)
    }
}

/// A short hash of a state. As text, 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    fn of(hash: Sha256) -> Self {
        let mut short = [0; 16];
        short.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
        Self(short)
    }

    /// The hash of a text.
    pub fn of_text(text: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(text.as_bytes());
        Self::of(hash)
    }

    /// The hash of what a control found in a resource.
    pub fn of_finding(
        control: &str,
        resource: &ResourceId,
        found_in: Option<&ResourceId>,
        violations: &[Violation],
    ) -> Self {
        let document = found_in.map_or("", |document| document.arn.as_str());
        let mut hash = Sha256::new();
        for part in [control, resource.arn.as_str(), document] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        for violation in violations {
            hash.update(violation.path.as_bytes());
            hash.update([0]);
            hash.update(violation.actual.to_string().as_bytes());
            hash.update([0]);
        }
        Self::of(hash)
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or("a fingerprint has 32 hexadecimal digits")
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Who else keeps a resource's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A CloudFormation stack: its tags are on the resource, and nobody else can set them.
    Stack,
    /// The tool that made it.
    Tool(Origin),
    /// Nobody saw who made it: it was there before Shipshape, and a template may have it.
    Unseen,
}

impl Owner {
    /// The owner of a resource, by its tags first and then by the tool that made what fails. A new revision is put beside
    /// the old one, and no template minds: whose that is has to be seen.
    pub fn of(resource: &Resource, maker: Option<Origin>) -> Option<Self> {
        let stack = match &resource.tags {
            Field::Known(keys) => keys.iter().any(|key| key.starts_with("aws:cloudformation:")),
            Field::Absent | Field::Hidden => false,
        };
        match maker {
            _ if stack => Some(Self::Stack),
            Some(tool) => tool.is_iac().then_some(Self::Tool(tool)),
            None => (resource.id.kind != ResourceType::TaskDefinition).then_some(Self::Unseen),
        }
    }

    /// Whether it is known to be one.
    pub fn is_known(self) -> bool {
        self != Self::Unseen
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stack | Self::Tool(Origin::CloudFormation) => "CloudFormation",
            Self::Tool(Origin::Cdk) => "the CDK",
            Self::Tool(Origin::Terraform) => "Terraform",
            Self::Tool(Origin::Pulumi) => "Pulumi",
            Self::Tool(_) => "another tool",
            Self::Unseen => "perhaps a template",
        })
    }
}
