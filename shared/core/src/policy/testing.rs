//! What the tests of this module share: a small catalogue, and subjects that are easy to write.

use super::{ControlName, Parameter, ParameterKind, Policy, Subject};
use crate::control::Severity;

pub(super) const ACCOUNT: &str = "111122223333";
pub(super) const OTHER: &str = "222233334444";

pub(super) const CONTROLS: &[ControlName] = &[
    ControlName { slug: "ecs-service-no-public-ip", parameters: &[] },
    ControlName { slug: "ecs-container-readonly-rootfs", parameters: &[] },
    ControlName {
        slug: "ecs-image-trusted-registry",
        parameters: &[
            Parameter { name: "allow", kind: ParameterKind::TextList, about: "registries that are trusted" },
            Parameter { name: "note", kind: ParameterKind::Text, about: "said in the message" },
            Parameter { name: "age", kind: ParameterKind::Integer, about: "the oldest image, in days" },
            Parameter { name: "strict", kind: ParameterKind::Boolean, about: "digests only" },
        ],
    },
];

/// Parses `policy.toml`, which must be right.
pub(super) fn parse(text: &str) -> Policy {
    Policy::parse("policy.toml", text, CONTROLS).unwrap()
}

/// A subject in short form; `resource` is what follows the account in the ARN.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask {
    pub(super) account: &'static str,
    pub(super) region: &'static str,
    pub(super) resource: &'static str,
    pub(super) cluster: Option<&'static str>,
    pub(super) control: &'static str,
    pub(super) severity: Severity,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            account: ACCOUNT,
            region: "eu-west-1",
            resource: "service/shop/web",
            cluster: None,
            control: "ecs-service-no-public-ip",
            severity: Severity::High,
        }
    }
}

impl Ask {
    pub(super) fn of<T>(self, question: impl FnOnce(&Subject<'_>) -> T) -> T {
        let arn = format!("arn:aws:ecs:{}:{}:{}", self.region, self.account, self.resource);
        question(&Subject {
            account: Some(&self.account.parse().unwrap()),
            region: Some(&self.region.parse().unwrap()),
            resource: &arn.parse().unwrap(),
            cluster: self.cluster,
            control: self.control,
            severity: self.severity,
        })
    }
}
