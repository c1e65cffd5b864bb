//! What went wrong between the desk and Parameter Store, and what to do about it.

use std::fmt;

use anyhow::{Context, bail};
use shipshape_aws::failure::{Failure, FailureKind, NO_CREDENTIALS};
use shipshape_aws::parameters::{Deployed, Parameter};
use shipshape_aws::policy::{POLICY, SWITCH};

use crate::output::plain;

/// What a call is refused with whose credentials are no longer good, or never were.
const STALE: [&str; 5] = [
    "ExpiredTokenException",
    "ExpiredToken",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
];

const CHOOSE: &str = "set AWS_PROFILE, and AWS_REGION where the profile names another Region";

/// Runs what has to wait for AWS.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.context("cannot start what waits for AWS")?.block_on(future))
}

/// Where the parameters are.
#[derive(Debug)]
pub(super) struct Place {
    account: String,
    region: String,
}

impl Place {
    /// The account is known where anything stands there.
    pub(super) fn of(deployed: &Deployed, region: &str) -> Self {
        let one = deployed.policy.as_ref().or(deployed.switch.as_ref());
        let account = one.map_or_else(String::new, |one| plain(&one.account));
        Self { account, region: region.to_owned() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.account.as_str() {
            "" => write!(f, "{}", self.region),
            account => write!(f, "{} of account {account}", self.region),
        }
    }
}

/// Refuses where no function would read what is written.
pub(super) fn is_deployed(deployed: &Deployed, place: &Place) -> anyhow::Result<()> {
    if deployed.switch.is_some() || deployed.policy.is_some() {
        return Ok(());
    }
    bail!(
        "there is neither {SWITCH} nor {POLICY} in {place}: no Shipshape is deployed there, and nobody would read what is \
         written.\nTo reach another account or Region, {CHOOSE}; to deploy one here, infra/template.yaml makes both."
    )
}

/// Why nothing is written over an encrypted parameter.
pub(super) fn encrypted(parameter: &Parameter) -> String {
    let name = plain(&parameter.name);
    format!(
        "{name} is a SecureString, which the functions do not decrypt, and which cannot become plain text. Delete it, and \
         do this again: aws ssm delete-parameter --name {name}"
    )
}

/// What somebody wrote between the reading and the writing is overwritten.
pub(super) fn conflict(name: &str, between: i64, written: i64, region: &str) -> String {
    let name = plain(name);
    format!(
        "{name}: somebody wrote version {between} while this ran, and version {written}, which is yours, took its place \
         without regard to it. To see what they wrote:\n  aws ssm get-parameter --region {region} --name {name}:{between}"
    )
}

/// A failed call, and what to do.
pub(super) fn failure(failure: &Failure, region: &str) -> anyhow::Error {
    let Failure { call, code, message, kind } = failure;
    let message = plain(message);
    let advice = match code.as_str() {
        "no Region" => {
            return anyhow::anyhow!(
                "no Region to look in: set AWS_REGION, or AWS_PROFILE to a profile that names one"
            );
        }
        NO_CREDENTIALS => {
            return anyhow::anyhow!(
                "no credentials for AWS: {message}.\nLog in (`aws sso login`), or set AWS_PROFILE or AWS_ACCESS_KEY_ID with \
                 its secret. What only the AWS CLI can get, it hands on:\n  \
                 eval \"$(aws configure export-credentials --format env)\""
            );
        }
        "AccessDeniedException" | "AccessDenied" => {
            "whoever runs this needs ssm:GetParameters, ssm:GetParametersByPath and ssm:PutParameter on \
             parameter/shipshape/*; of a switch alone, ssm:GetParameters and ssm:PutParameter"
        }
        code if STALE.contains(&code) => {
            "the credentials have expired or are wrong: log in again, or set AWS_PROFILE"
        }
        "ParameterAlreadyExists" => "somebody made it while this ran: do it again, and look at what changes",
        "TooManyUpdates" => "somebody is writing it at this moment: do it again, and look at what changes",
        _ if failure.is_throttled() => "AWS had too many calls: do it again in a minute",
        "no connection" | "no answer in time" => {
            "is the Region right, and is there a way to it from here? AWS_REGION names another"
        }
        _ if *kind == FailureKind::Retryable => "AWS could not do it just now: do it again in a minute",
        _ => "AWS refused it, for the reason that it gives",
    };
    let lost = if *call == "PutParameter" && *kind == FailureKind::Retryable && !failure.is_throttled() {
        "\nIt may have been written all the same: `shipshape switch`, or `policy push --dry-run`, shows what stands."
    } else {
        ""
    };
    let said = [code.as_str(), message.as_str()].into_iter().filter(|part| !part.is_empty());
    let said = said.collect::<Vec<_>>().join(": ");
    anyhow::anyhow!("{call} in {region}: {said}\n{advice}.{lost}")
}
