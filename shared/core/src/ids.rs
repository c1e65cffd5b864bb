//! Identifiers, parsed once at the edge. Nothing here judges whether an account or a Region exists:
//! history holds masked account ids and Regions that AWS opened after this was built. Their texts are shared: one change
//! is named by every judgement that it leads to.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not the identifier it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {wanted}")]
pub struct IdError {
    text: String,
    wanted: &'static str,
}

impl IdError {
    fn new(text: &str, wanted: &'static str) -> Self {
        Self { text: text.chars().take(80).collect(), wanted }
    }
}

/// Letters, digits and the few signs that ids are made of: an id goes into messages and keys as it is.
fn plain(text: &str, longest: usize) -> bool {
    !text.is_empty()
        && text.len() <= longest
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:/".contains(&b))
}

/// An AWS account id. Twelve digits in life; captures that a publisher masked hold other forms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(Arc<str>);

/// An AWS Region by its code, such as `eu-west-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(Arc<str>);

/// What names one change: CloudTrail's `eventID`, or EventBridge's `id` for a native event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChangeId(Arc<str>);

impl AccountId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Region {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition that a Region of this code belongs to; `aws` for every code that no other claims.
    pub fn partition(&self) -> &'static str {
        match &*self.0 {
            r if r.starts_with("cn-") => "aws-cn",
            r if r.starts_with("us-gov-") => "aws-us-gov",
            r if r.starts_with("us-iso-") => "aws-iso",
            r if r.starts_with("us-isob-") => "aws-iso-b",
            r if r.starts_with("eusc-") => "aws-eusc",
            _ => "aws",
        }
    }
}

impl ChangeId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        if plain(text, 64) { Ok(Self(text.into())) } else { Err(IdError::new(text, "an account id")) }
    }
}

impl FromStr for Region {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        if plain(text, 64) { Ok(Self(text.into())) } else { Err(IdError::new(text, "a Region")) }
    }
}

impl FromStr for ChangeId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        if plain(text, 256) { Ok(Self(text.into())) } else { Err(IdError::new(text, "an event id")) }
    }
}

impl TryFrom<String> for AccountId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl TryFrom<String> for Region {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl TryFrom<String> for ChangeId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> Self {
        (*id.0).to_owned()
    }
}

impl From<Region> for String {
    fn from(id: Region) -> Self {
        (*id.0).to_owned()
    }
}

impl From<ChangeId> for String {
    fn from(id: ChangeId) -> Self {
        (*id.0).to_owned()
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An Amazon Resource Name: `arn:partition:service:region:account:resource`.
/// `Display` gives back the text it was parsed from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn(Arc<str>);

impl Arn {
    /// The ARN of an ECS resource in an account and Region, such as `service/shop/checkout`.
    pub fn ecs(account: &AccountId, region: &Region, resource: &str) -> Result<Self, IdError> {
        Self::regional("ecs", account, region, resource)
    }

    /// The ARN of a service's resource in an account and Region.
    pub fn regional(
        service: &str,
        account: &AccountId,
        region: &Region,
        resource: &str,
    ) -> Result<Self, IdError> {
        format!("arn:{}:{service}:{region}:{account}:{resource}", region.partition()).parse()
    }

    /// The ARN of IAM's resource in an account; IAM has no Regions, and the Region tells the partition alone.
    pub fn iam(account: &AccountId, region: &Region, resource: &str) -> Result<Self, IdError> {
        format!("arn:{}:iam::{account}:{resource}", region.partition()).parse()
    }

    /// The ARN as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn part(&self, index: usize) -> &str {
        let mut rest = &*self.0;
        for _ in 0..index {
            rest = after_colon(rest);
        }
        if index < 5 { &rest[..rest.len() - after_colon(rest).len() - 1] } else { rest }
    }

    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub fn partition(&self) -> &str {
        self.part(1)
    }

    /// The service's namespace, such as `ecs`.
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// The Region's code; empty for global services.
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// The owner's account id; empty where the service has none.
    pub fn account(&self) -> &str {
        self.part(4)
    }

    /// What follows the account, such as `service/shop/checkout`.
    pub fn resource(&self) -> &str {
        self.part(5)
    }

    /// The resource without its type: `shop/checkout` of `service/shop/checkout`.
    pub fn name(&self) -> &str {
        self.resource().split_once('/').map_or("", |(_, name)| name)
    }
}

/// What follows on a text's first colon. A loop: parts of ARNs are too short for a search to pay.
fn after_colon(text: &str) -> &str {
    text.bytes().position(|byte| byte == b':').map_or("", |at| &text[at + 1..])
}

impl FromStr for Arn {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut parts = text.splitn(6, ':');
        let well_formed = text.len() <= 2048
            && parts.next() == Some("arn")
            && parts.next().is_some_and(|p| plain(p, 32))
            && parts.next().is_some_and(|p| plain(p, 64))
            && parts.next().is_some_and(|p| p.is_empty() || plain(p, 64))
            && parts.next().is_some_and(|p| p.is_empty() || plain(p, 64))
            && parts.next().is_some_and(|p| !p.is_empty())
            && !text.chars().any(|c| c.is_control() || c.is_whitespace());
        if well_formed { Ok(Self(text.into())) } else { Err(IdError::new(text, "an ARN")) }
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Arn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Arn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_round_trip_and_split() {
        let text = "arn:aws-us-gov:ecs:us-gov-west-1:111122223333:service/shop/checkout";
        let arn: Arn = text.parse().unwrap();
        assert_eq!(arn.to_string(), text);
        assert_eq!(
            (arn.partition(), arn.region(), arn.account(), arn.name()),
            ("aws-us-gov", "us-gov-west-1", "111122223333", "shop/checkout")
        );
    }

    #[test]
    fn colons_after_the_account_belong_to_the_resource() {
        let arn: Arn = "arn:aws:ecs:eu-west-1:1:task-definition/web:7".parse().unwrap();
        assert_eq!(arn.resource(), "task-definition/web:7");
    }

    #[test]
    fn what_is_no_arn_is_refused() {
        for text in [
            "",
            "arn",
            "arn:aws:ecs:eu-west-1:1",
            "arn:aws:ecs:eu-west-1:1:",
            "urn:aws:ecs:r:1:x",
            "arn:aws:ecs:r:1:a b",
        ] {
            assert!(text.parse::<Arn>().is_err(), "{text}");
        }
    }
}
