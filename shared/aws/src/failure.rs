//! What went wrong with a call, and whether it may go better later.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// A call that failed. Holds AWS's code and words, and never what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{call}: {code}: {message}")]
pub struct Failure {
    /// The call, such as `DescribeServices`.
    pub call: &'static str,
    /// AWS's code, or what kept an answer from coming.
    pub code: String,
    /// AWS's words.
    pub message: String,
    /// Whether the same call may succeed later.
    pub kind: FailureKind,
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Throttled, out of order, or no answer at all: the message goes back to the queue. What was written may have
    /// been written all the same.
    Retryable,
    /// AWS refused it, and will refuse it again.
    Refused,
    /// What it is about does not exist.
    Missing,
}

/// Codes of AWS that say "not now" with the status of a refusal.
const LATER: &[&str] = &[
    "ThrottlingException",
    "Throttling",
    "RequestLimitExceeded",
    "EC2ThrottledException",
    "TooManyRequestsException",
    "ServerException",
    "ServiceUnavailable",
    "InternalFailure",
    "InternalError",
    "RequestTimeout",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "UpdateInProgressException",
];

/// Codes that say that nothing of this name exists.
const MISSING: &[&str] = &[
    "ClusterNotFoundException",
    "ServiceNotFoundException",
    "ServiceNotActiveException",
    "RepositoryNotFoundException",
    "ImageNotFoundException",
];

/// How EC2 ends such codes: `InvalidVpcID.NotFound`.
const NOT_FOUND: &str = ".NotFound";

impl Failure {
    /// Something that may go better later: the message goes back to the queue.
    pub fn later(call: &'static str, code: &str, message: impl Into<String>) -> Self {
        Self { call, code: code.to_owned(), message: message.into(), kind: FailureKind::Retryable }
    }

    /// Whether AWS refused it for the number of calls, and so has not made it.
    pub fn is_throttled(&self) -> bool {
        ["Throttling", "TooManyRequests", "RequestLimitExceeded"].iter().any(|word| self.code.contains(word))
    }

    /// Something that a person has to mend.
    pub fn refused(call: &'static str, code: &str, message: impl Into<String>) -> Self {
        Self { call, code: code.to_owned(), message: message.into(), kind: FailureKind::Refused }
    }

    /// The failure of a call.
    pub fn of<E: ProvideErrorMetadata>(call: &'static str, error: &SdkError<E, HttpResponse>) -> Self {
        let SdkError::ServiceError(service) = error else {
            let code = match error {
                SdkError::ConstructionFailure(_) => "could not be sent",
                SdkError::TimeoutError(_) => "no answer in time",
                SdkError::DispatchFailure(_) => "no connection",
                _ => "an answer that cannot be read",
            };
            let kind = match error {
                SdkError::ConstructionFailure(_) => FailureKind::Refused,
                _ => FailureKind::Retryable,
            };
            return Self { call, code: code.to_owned(), message: String::new(), kind };
        };
        let code = service.err().code().unwrap_or("no code");
        let status = service.raw().status().as_u16();
        let kind = match code {
            code if LATER.contains(&code) => FailureKind::Retryable,
            code if MISSING.contains(&code) || code.ends_with(NOT_FOUND) => FailureKind::Missing,
            _ if status >= 500 || status == 429 => FailureKind::Retryable,
            _ => FailureKind::Refused,
        };
        let message = service.err().message().unwrap_or_default();
        Self { call, code: code.to_owned(), message: message.to_owned(), kind }
    }
}
