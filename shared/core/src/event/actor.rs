//! Who made a call, and with what tool.

use std::borrow::Cow;

use serde::Deserialize;

use crate::change::{Actor, Origin};
use crate::document::Field;
use crate::ids::Arn;
use crate::text::shown;

/// `userIdentity` of a CloudTrail record. Service events have next to none of it.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct UserIdentity<'a> {
    #[serde(borrow, rename = "type")]
    kind: Field<Cow<'a, str>>,
    #[serde(borrow)]
    arn: Field<Cow<'a, str>>,
    #[serde(borrow)]
    user_name: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) account_id: Field<Cow<'a, str>>,
    #[serde(borrow)]
    invoked_by: Field<Cow<'a, str>>,
    #[serde(borrow)]
    session_context: Field<SessionContext<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct SessionContext<'a> {
    #[serde(borrow)]
    session_issuer: Field<SessionIssuer<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SessionIssuer<'a> {
    #[serde(borrow)]
    arn: Field<Cow<'a, str>>,
}

impl UserIdentity<'_> {
    /// The identity for people, and the role by its whole ARN: `arn` alone loses the role's path.
    pub(super) fn actor(&self) -> Actor {
        let role = self
            .session_context
            .known()
            .and_then(|context| context.session_issuer.known())
            .and_then(|issuer| issuer.arn.known())
            .and_then(|arn| arn.parse::<Arn>().ok())
            .filter(|arn| arn.resource().starts_with("role/"));
        let session = self.arn.known().and_then(|arn| arn.rsplit_once('/')).map(|(_, session)| session);
        let name = match (&role, self.kind.known().map(Cow::as_ref)) {
            (Some(role), _) => match session {
                Some(session) => format!("{} ({})", role.resource(), shown(session)),
                None => role.resource().to_owned(),
            },
            (None, Some("Root")) => "root".to_owned(),
            (None, kind) => [&self.user_name, &self.arn, &self.invoked_by]
                .into_iter()
                .find_map(|field| field.known())
                .map(|text| shown(text))
                .or_else(|| kind.map(shown))
                .unwrap_or_else(|| "unknown".to_owned()),
        };
        Actor { name, role }
    }
}

/// Every role of ours lives under this path, in every account.
const OWN_PATH: &str = "role/shipshape/";

/// The tool, from the identity and the user agent.
pub(super) fn origin(
    identity: &UserIdentity<'_>,
    actor: &Actor,
    user_agent: &str,
    source_ip: &str,
    from_console: bool,
) -> Origin {
    if actor
        .role
        .as_ref()
        .is_some_and(|role| role.service() == "iam" && role.resource().starts_with(OWN_PATH))
    {
        return Origin::Shipshape;
    }
    let invoked_by = identity.invoked_by.known().map_or("", Cow::as_ref);
    // CloudFormation keeps its caller's identity and names itself in all three places.
    if [invoked_by, source_ip, user_agent].contains(&"cloudformation.amazonaws.com") {
        return Origin::CloudFormation;
    }
    let agent = user_agent.to_ascii_lowercase();
    if agent.contains("aws-cdk") || agent.contains("cdk-hotswap") {
        Origin::Cdk
    } else if agent.contains("terraform") || agent.contains("opentofu") {
        Origin::Terraform
    } else if agent.contains("pulumi") {
        Origin::Pulumi
    } else if from_console
        || agent.starts_with("mozilla/")
        || agent.contains("console.amazonaws.com")
        || agent.contains("signin.amazonaws.com")
        || agent.contains("console.ec2.amazonaws.com")
        || agent.contains("ec2consolefrontend")
        || agent.contains("coral/jakarta")
    {
        Origin::Console
    } else if agent.trim_start_matches('[').starts_with("aws-cli/") {
        Origin::Cli
    } else if agent.contains("aws-sdk") || agent.contains("boto") || agent.contains("aws-internal") {
        Origin::Sdk
    } else if invoked_by.ends_with(".amazonaws.com")
        || agent.ends_with(".amazonaws.com")
        || identity.kind.known().is_some_and(|kind| kind == "AWSService")
    {
        Origin::Service
    } else {
        Origin::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(identity: &str, agent: &str, ip: &str, console: bool) -> Origin {
        let identity: UserIdentity<'_> = serde_json::from_str(identity).unwrap();
        origin(&identity, &identity.actor(), agent, ip, console)
    }

    #[test]
    fn the_tool_is_told_by_user_agent_and_identity() {
        let user = r#"{"type":"IAMUser","userName":"jo"}"#;
        let rows = [
            (
                "APN/1.0 HashiCorp/1.0 Terraform/1.4.7 (+https://www.terraform.io) terraform-provider-aws/4.59.0",
                Origin::Terraform,
            ),
            ("APN/1.0 Pulumi/1.0 (3.100.0) aws-sdk-go-v2/1.24", Origin::Pulumi),
            ("cloudformation.amazonaws.com", Origin::CloudFormation),
            ("aws-sdk-js/3.1 ua/2.1 aws-cdk/2.160.0", Origin::Cdk),
            ("aws-cli/2.17.32 md/awscrt#0.21.2 md/command#ecs.create-service", Origin::Cli),
            ("Mozilla/5.0 (X11; Linux x86_64)", Origin::Console),
            ("Boto3/1.34 md/Botocore#1.34", Origin::Sdk),
            ("ecs.application-autoscaling.amazonaws.com", Origin::Service),
            ("", Origin::Unknown),
        ];
        for (agent, expected) in rows {
            assert_eq!(of(user, agent, "203.0.113.9", false), expected, "{agent}");
        }
    }

    #[test]
    fn our_own_roles_are_known_by_their_path_in_any_account() {
        let own = r#"{"type":"AssumedRole","arn":"arn:aws:sts::999900001111:assumed-role/service/x",
            "sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::999900001111:role/shipshape/service"}}}"#;
        assert_eq!(of(own, "aws-sdk-rust/1.3.8", "203.0.113.9", false), Origin::Shipshape);
        let other = own.replace("role/shipshape/service", "role/service");
        assert_eq!(of(&other, "aws-sdk-rust/1.3.8", "203.0.113.9", false), Origin::Sdk);
    }

    #[test]
    fn a_session_is_named_by_role_and_session() {
        let json = r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/Admin/mary",
            "sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/team/Admin"}}}"#;
        let identity: UserIdentity<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(identity.actor().name, "role/team/Admin (mary)");
    }

    #[test]
    fn an_identity_may_be_nearly_empty() {
        let identity: UserIdentity<'_> =
            serde_json::from_str(r#"{"sessionContext":{"sessionIssuer":{}}}"#).unwrap();
        assert_eq!(identity.actor().name, "unknown");
    }
}
