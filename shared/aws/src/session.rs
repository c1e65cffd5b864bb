//! Clients' configuration: our own, and that of each member account, made when it is first needed.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_smithy_runtime_api::shared::IntoShared;
use shipshape_core::ids::{AccountId, Region as RegionCode};

use crate::failure::Failure;
use crate::settings::Settings;

/// How many accounts' credentials are kept at a time; the one that was not used for longest makes room.
const ACCOUNTS: usize = 64;
/// How often a call is tried. The SDK's adaptive mode would count calls a second, of which a function makes few: one
/// throttled call has it wait 8 to 15 s before the next. What is throttled for longer goes back to the queue, and the
/// queue's concurrency is what slows down.
const ATTEMPTS: u32 = 4;
/// How long the first retry waits at most. What lasts longer goes back to the queue.
const BACKOFF: Duration = Duration::from_millis(200);
const CONNECT: Duration = Duration::from_secs(2);
const ATTEMPT: Duration = Duration::from_secs(5);
const CALL: Duration = Duration::from_secs(15);

/// The configuration of this process, and those of the accounts that it acts in.
#[derive(Debug)]
pub struct Session {
    function: &'static str,
    home: Option<SdkConfig>,
    /// The last used comes last.
    members: Vec<(AccountId, SdkConfig)>,
}

impl Session {
    /// Nothing is looked up yet.
    pub fn new(function: &'static str) -> Self {
        Self { function, home: None, members: Vec::new() }
    }

    /// Our own account and Region.
    pub async fn home(&mut self) -> &SdkConfig {
        if self.home.is_none() {
            self.home = Some(load().await);
        }
        self.home.get_or_insert_with(|| SdkConfig::builder().build())
    }

    /// An account and Region that an event came from.
    pub async fn at(
        &mut self,
        settings: &Settings,
        account: &AccountId,
        region: &RegionCode,
    ) -> Result<SdkConfig, Failure> {
        let config = if settings.is_home(account) {
            self.home().await.clone()
        } else {
            self.member(settings, account).await?
        };
        Ok(config.into_builder().region(Region::new(region.to_string())).build())
    }

    async fn member(&mut self, settings: &Settings, account: &AccountId) -> Result<SdkConfig, Failure> {
        if let Some(index) = self.members.iter().position(|(known, _)| known == account) {
            let known = self.members.remove(index);
            let config = known.1.clone();
            self.members.push(known);
            return Ok(config);
        }
        let Some(members) = &settings.members else {
            let message = format!(
                "an event of account {account} arrived, and this deployment is for account {} alone: deploy the hub of the organization, or stop forwarding it",
                settings.topic.account()
            );
            return Err(Failure::refused("this deployment", "another account", message));
        };
        let role = format!("arn:{}:iam::{account}:role/{}", settings.topic.partition(), members.role);
        let function = self.function;
        let home = self.home().await.clone();
        // Asks again before they expire, at the first call after that.
        let provider = AssumeRoleProvider::builder(role)
            .configure(&home)
            .session_name(format!("shipshape-{function}"))
            .external_id(&members.external_id)
            .tags([("shipshape:function", function)])
            .build()
            .await;
        let identities: SharedIdentityCache =
            aws_config::identity::IdentityCache::lazy().build().into_shared();
        let config = home
            .into_builder()
            .credentials_provider(SharedCredentialsProvider::new(provider))
            .identity_cache(identities)
            .build();
        if self.members.len() == ACCOUNTS {
            self.members.remove(0);
        }
        self.members.push((account.clone(), config.clone()));
        Ok(config)
    }
}

/// Credentials, Region and endpoints as every AWS program finds them.
async fn load() -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(BACKOFF))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT)
                .operation_attempt_timeout(ATTEMPT)
                .operation_timeout(CALL)
                .build(),
        )
        .load()
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureKind;

    #[tokio::test]
    async fn another_account_is_refused_where_no_role_leads_there() {
        let settings = Settings::read(|name| match name {
            "SHIPSHAPE_TABLE" => Some("ledger".to_owned()),
            "SHIPSHAPE_TOPIC" => Some("arn:aws:sns:eu-west-1:111122223333:t".to_owned()),
            _ => None,
        });
        let (account, region) = ("444455556666".parse().unwrap(), "eu-west-1".parse().unwrap());
        let mut session = Session::new("cluster");
        let failure = session.at(&settings.unwrap(), &account, &region).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Refused);
        assert_eq!(
            failure.message,
            "an event of account 444455556666 arrived, and this deployment is for account 111122223333 alone: \
             deploy the hub of the organization, or stop forwarding it"
        );
        assert!(session.home.is_none(), "no credentials were looked for");
    }
}
