//! A call as it came over the wire, and answers in its protocol.

use serde_json::{Value, json};

use crate::http::{Request, Response};

/// A call that the proxy saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Counts calls over the proxy's life.
    pub number: u64,
    /// The service, as the scope of the signature names it: `ecs`, `ec2`, `monitoring` …
    pub service: String,
    /// The operation. Where it is told by method and path (S3, Lambda) these two.
    pub operation: String,
    /// The access key id: 12 digits are the account itself.
    pub key: String,
    /// The Region.
    pub region: String,
    /// The SDK or tool that it came from.
    pub agent: String,
    /// The request's body.
    pub body: Vec<u8>,
    /// The status that the emulator answered with; `None` when it never heard of the call.
    pub heard: Option<u16>,
    /// The status that the caller was told; `None` when it was told nothing.
    pub status: Option<u16>,
    /// The answer's body.
    pub answer: Vec<u8>,
    /// Whether the proxy is done with it. A call that a fault delays is not, for a while.
    pub answered: bool,
}

impl Call {
    pub(super) fn of(request: &Request) -> Self {
        let scope = request.header("authorization").unwrap_or_default();
        let scope = scope.split_once("Credential=").map_or("", |(_, rest)| rest);
        let mut scope = scope.split([',', ' ']).next().unwrap_or_default().split('/');
        let mut next = || scope.next().unwrap_or_default().to_owned();
        let (key, _date, region, service) = (next(), next(), next(), next());
        let target = request.header("x-amz-target").and_then(|target| target.rsplit('.').next());
        let operation = target.map(str::to_owned).or_else(|| action(&request.body)).unwrap_or_else(|| {
            format!("{} {}", request.method, request.path.split('?').next().unwrap_or_default())
        });
        let agent = request.header("user-agent").unwrap_or_default().to_owned();
        let body = request.body.clone();
        Self {
            number: 0,
            service,
            operation,
            key,
            region,
            agent,
            body,
            heard: None,
            status: None,
            answer: Vec::new(),
            answered: false,
        }
    }

    /// Service and operation, as rules name them: `ecs.UpdateService`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.service, self.operation)
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        super::json(&self.body)
    }
}

/// The `Action` of a form.
fn action(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    text.split('&').find_map(|pair| pair.strip_prefix("Action=")).map(str::to_owned)
}

/// How a caller reads answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Json,
    Query,
    /// EC2's own kind of errors.
    Ec2,
}

impl Wire {
    pub(super) fn of(request: &Request) -> Self {
        let is_json = request.header("content-type").is_some_and(|kind| kind.contains("json"));
        match (is_json || request.header("x-amz-target").is_some(), Call::of(request).service.as_str()) {
            (true, _) => Self::Json,
            (false, "ec2") => Self::Ec2,
            (false, _) => Self::Query,
        }
    }

    pub(super) fn error(self, status: u16, code: &str, message: &str) -> Response {
        let inner = format!("<Code>{code}</Code><Message>{message}</Message>");
        match self {
            Self::Json => {
                let body = json!({"__type": code, "message": message}).to_string();
                let mut response = Response::new(status, "application/x-amz-json-1.1", body);
                response.headers.push(("x-amzn-errortype".into(), code.into()));
                response
            }
            Self::Query => Response::new(
                status,
                "text/xml",
                format!(
                    "<ErrorResponse><Error><Type>Sender</Type>{inner}</Error><RequestId>0</RequestId></ErrorResponse>"
                ),
            ),
            Self::Ec2 => Response::new(
                status,
                "text/xml",
                format!(
                    "<Response><Errors><Error>{inner}</Error></Errors><RequestID>0</RequestID></Response>"
                ),
            ),
        }
    }

    /// A successful answer. In the query protocols it is text, which must be that protocol's XML.
    pub(super) fn answer(self, value: &Value) -> Response {
        match (self, value) {
            (Self::Json, value) => Response::new(200, "application/x-amz-json-1.1", value.to_string()),
            (_, Value::String(xml)) => Response::new(200, "text/xml", xml.as_str()),
            (_, value) => Response::new(200, "text/xml", value.to_string()),
        }
    }
}
