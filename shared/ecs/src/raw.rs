//! Documents as AWS sends and takes them, byte for byte: what is newer than the SDK's types would be lost in them.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ecs::config::http::HttpResponse;
use aws_sdk_ecs::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_ecs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ecs::error::{BoxError, ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use serde_json::value::RawValue;

use shipshape_aws::failure::{Failure, FailureKind};

/// Keeps the body of an answer. Before it was deserialised it still is a stream, and no hook that runs then sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct RawAnswer(Arc<Mutex<Option<Box<RawValue>>>>);

impl RawAnswer {
    /// What a call was answered with. What does not exist is no failure: nothing is learned of it.
    pub(crate) fn of<T, E: ProvideErrorMetadata>(
        &self,
        call: &'static str,
        sent: Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<Option<Box<RawValue>>, Failure> {
        let answer = if_there(call, sent)?;
        Ok(answer.and_then(|_| self.0.lock().unwrap_or_else(PoisonError::into_inner).take()))
    }
}

/// What a call was answered with. `None` where what it asks about does not exist.
pub(crate) fn if_there<T, E: ProvideErrorMetadata>(
    call: &'static str,
    sent: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Option<T>, Failure> {
    match sent.map_err(|error| Failure::of(call, &error)) {
        Ok(answer) => Ok(Some(answer)),
        Err(failure) if failure.kind == FailureKind::Missing => Ok(None),
        Err(failure) => Err(failure),
    }
}

impl Intercept for RawAnswer {
    fn name(&self) -> &'static str {
        "RawAnswer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        let json = serde_json::from_slice(body).ok();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = json;
        Ok(())
    }
}

/// Makes a request carry this document. The length is a signed header, which the serialiser has set for its own body.
pub(crate) fn carry(request: &mut HttpRequest, document: &str) {
    *request.body_mut() = SdkBody::from(document.as_bytes().to_vec());
    request.headers_mut().insert("content-length", document.len().to_string());
}
