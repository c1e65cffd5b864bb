//! What went wrong with a call, and whether it may go better later.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
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

/// What stands for a code where there is nothing to sign a call with.
pub const NO_CREDENTIALS: &str = "no credentials";

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

    /// The failure of a call that sends a document: AWS's words may quote what is in it, and are left out.
    pub fn of_document<E: ProvideErrorMetadata>(
        call: &'static str,
        error: &SdkError<E, HttpResponse>,
    ) -> Self {
        let message = "what AWS says of it may quote the document, and stands in CloudTrail alone";
        Self { message: message.to_owned(), ..Self::of(call, error) }
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
            if let SdkError::DispatchFailure(unsent) = error
                && let Some(why) = unsent.as_connector_error().and_then(|error| no_credentials(error))
            {
                return Self { call, code: NO_CREDENTIALS.to_owned(), message: why, kind };
            }
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

/// Why there are no credentials, if that is what kept a call from being sent. Such an error names files, profiles and
/// variables, and no secret.
fn no_credentials(error: &(dyn Error + 'static)) -> Option<String> {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    let mut causes = causes.skip_while(|error| !error.is::<CredentialsError>());
    let found = causes.next()?.to_string();
    // What a chain of providers tried follows on lines of its own.
    let first =
        |said: String| said.lines().next().map(|line| line.trim_end_matches(" Attempted:").to_owned());
    let deeper: Vec<String> = causes.filter_map(|cause| first(cause.to_string())).collect();
    Some(if deeper.is_empty() { found } else { deeper.join(": ") })
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    fn of(error: SdkError<ErrorMetadata, HttpResponse>) -> Failure {
        Failure::of("DescribeServices", &error)
    }

    fn answer(status: u16) -> HttpResponse {
        HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::empty())
    }

    #[test]
    fn codes_go_before_the_status() {
        use FailureKind::{Missing, Refused, Retryable};
        let rows = [
            (400, Some("ThrottlingException"), Retryable),
            (400, Some("RequestLimitExceeded"), Retryable),
            (400, Some("ProvisionedThroughputExceededException"), Retryable),
            (400, Some("UpdateInProgressException"), Retryable),
            (400, Some("ServerException"), Retryable),
            (500, Some("SomethingNew"), Retryable),
            (503, None, Retryable),
            (429, Some("SomethingNew"), Retryable),
            (400, Some("ClusterNotFoundException"), Missing),
            (400, Some("ServiceNotFoundException"), Missing),
            (400, Some("RepositoryNotFoundException"), Missing),
            (400, Some("InvalidVpcID.NotFound"), Missing),
            (400, Some("NotFound"), Refused),
            (400, Some("ClientException"), Refused),
            (400, Some("AccessDeniedException"), Refused),
            (403, Some("UnauthorizedOperation"), Refused),
            (403, Some("InvalidSignatureException"), Refused),
            (404, None, Refused),
        ];
        for (status, code, kind) in rows {
            let mut error = ErrorMetadata::builder().message("words");
            if let Some(code) = code {
                error = error.code(code);
            }
            let failure = of(SdkError::service_error(error.build(), answer(status)));
            assert_eq!(failure.kind, kind, "{status} {code:?}");
            assert_eq!(
                failure.to_string(),
                format!("DescribeServices: {}: words", code.unwrap_or("no code"))
            );
        }
    }

    #[test]
    fn missing_credentials_are_told_as_that() {
        let nowhere = CredentialsError::not_loaded("no profile, no variable");
        let failure = of(SdkError::dispatch_failure(ConnectorError::other(nowhere.into(), None)));
        assert_eq!((failure.code.as_str(), failure.kind), (NO_CREDENTIALS, FailureKind::Retryable));
        assert_eq!(failure.message, "no profile, no variable");
    }

    #[test]
    fn what_was_not_answered_may_go_better_later_and_what_was_not_sent_does_not() {
        let rows = [
            (SdkError::timeout_error("slow"), "no answer in time", FailureKind::Retryable),
            (
                SdkError::dispatch_failure(ConnectorError::io("reset".into())),
                "no connection",
                FailureKind::Retryable,
            ),
            (
                SdkError::response_error("half of it", answer(200)),
                "an answer that cannot be read",
                FailureKind::Retryable,
            ),
            (SdkError::construction_failure("no name"), "could not be sent", FailureKind::Refused),
        ];
        for (error, code, kind) in rows {
            let failure = of(error);
            assert_eq!((failure.code.as_str(), failure.kind, failure.message.as_str()), (code, kind, ""));
        }
    }
}
