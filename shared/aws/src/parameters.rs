//! The switch and the policies as a person at a desk reads and writes them: with their versions, and one by one.
//! What a function reads is `policy`'s.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{Parameter as Told, ParameterTier, ParameterType};

use crate::failure::Failure;
use crate::policy::{ACCOUNTS, POLICY, SWITCH};
use crate::session::Session;

/// What the switch may be set to: the pattern that the template gives it, since a write that names none may take it away.
const POSITIONS: &str = "^(run|pause|freeze)$";

/// A parameter as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value, as the functions get it.
    pub value: String,
    /// How often it was written.
    pub version: i64,
    /// The account that it lies in, where AWS says so.
    pub account: String,
    /// Whether it is encrypted: the functions do not decrypt anything.
    pub encrypted: bool,
}

/// What stands in one account and Region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deployed {
    /// The switch.
    pub switch: Option<Parameter>,
    /// The main document of the policy.
    pub policy: Option<Parameter>,
    /// The accounts' own documents. None were asked for where only the switch was.
    pub accounts: Vec<Parameter>,
}

/// Parameter Store, of the account and Region that this process has credentials for.
#[derive(Debug)]
pub struct Store {
    client: Client,
    region: String,
}

impl Store {
    /// Finds Region and credentials as every AWS program does. Nothing is called yet.
    pub async fn open() -> Result<Self, Failure> {
        let mut session = Session::new("desk");
        let config = session.home().await;
        let Some(region) = config.region() else {
            return Err(Failure::refused("configuration", "no Region", "nothing names one"));
        };
        Ok(Self { region: region.to_string(), client: Client::new(config) })
    }

    /// The Region that it is in.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The switch and the main document: one call.
    pub async fn main(&self) -> Result<Deployed, Failure> {
        let asked = self.client.get_parameters().names(SWITCH).names(POLICY).send().await;
        let answer = asked.map_err(|error| Failure::of("GetParameters", &error))?;
        let mut deployed = Deployed::default();
        for told in answer.parameters.unwrap_or_default() {
            let parameter = read(told);
            match parameter.name.as_str() {
                SWITCH => deployed.switch = Some(parameter),
                POLICY => deployed.policy = Some(parameter),
                _ => {}
            }
        }
        Ok(deployed)
    }

    /// The same, with the accounts' own documents.
    pub async fn all(&self) -> Result<Deployed, Failure> {
        let mut deployed = self.main().await?;
        let mut next = None;
        loop {
            let page = self
                .client
                .get_parameters_by_path()
                .path(ACCOUNTS.trim_end_matches('/'))
                .set_next_token(next);
            let answer = page.send().await.map_err(|error| Failure::of("GetParametersByPath", &error))?;
            deployed.accounts.extend(answer.parameters.unwrap_or_default().into_iter().map(read));
            next = answer.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(deployed);
            }
        }
    }

    /// Writes a parameter in the place of what was read, and answers its version. SSM makes no write depend on a version:
    /// what was written in between is overwritten, and `between` finds it. One that was not there is only made, never
    /// overwritten.
    pub async fn write(&self, name: &str, value: &str, read: Option<&Parameter>) -> Result<i64, Failure> {
        let put = self.client.put_parameter().name(name).value(value).overwrite(read.is_some());
        let put = if read.is_none() { put.r#type(ParameterType::String) } else { put };
        let put = if name == SWITCH { put.allowed_pattern(POSITIONS) } else { put };
        // Standard up to 4 KB, advanced beyond; what is advanced already stays so.
        let put = put.tier(ParameterTier::IntelligentTiering);
        let answer = put.send().await.map_err(|error| Failure::of("PutParameter", &error))?;
        Ok(answer.version)
    }

    /// The first version between two that holds another value: what somebody else wrote. Where the answer to a write was
    /// lost and it was sent again, a version of our own stands in between.
    pub async fn between(
        &self,
        name: &str,
        read: i64,
        written: i64,
        value: &str,
    ) -> Result<Option<i64>, Failure> {
        for version in read + 1..written {
            let asked = self.client.get_parameters().names(format!("{name}:{version}")).send().await;
            let answer = asked.map_err(|error| Failure::of("GetParameters", &error))?;
            if answer.parameters().first().and_then(|told| told.value()) != Some(value) {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }
}

fn read(told: Told) -> Parameter {
    Parameter {
        account: told.arn.as_deref().and_then(|arn| arn.split(':').nth(4)).unwrap_or_default().to_owned(),
        name: told.name.unwrap_or_default(),
        value: told.value.unwrap_or_default(),
        version: told.version,
        encrypted: told.r#type == Some(ParameterType::SecureString),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_gives_the_switch_the_same_pattern() {
        let template = include_str!("../../../infra/template.yaml");
        assert!(template.contains(&format!("AllowedPattern: {POSITIONS}\n")));
        for name in [SWITCH, POLICY] {
            assert!(template.contains(&format!("Name: {name}\n")), "{name}");
        }
    }
}
