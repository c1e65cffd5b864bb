//! A client of AWS that knows protocols and no models: what a test asks is JSON, and what it hears is JSON.
//!
//! Requests are signed. The emulators read account, Region and service from the signature's scope, and MiniStack verifies
//! the rest of it when it was started with `AUTH=true`.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::http::client;
use crate::{ACCOUNT, REGION};

mod sign;
mod xml;

pub use sign::Credentials;

/// A client for one account and Region.
#[derive(Debug, Clone)]
pub struct Aws {
    agent: ureq::Agent,
    ministack: String,
    moto: String,
    credentials: Credentials,
    region: String,
}

/// What AWS refused, or that there was no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError {
    /// The HTTP status; 0 where no answer came.
    pub status: u16,
    /// The error's code, such as `ClusterNotFoundException`.
    pub code: String,
    /// Its message.
    pub message: String,
}

impl std::fmt::Display for AwsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status, self.message)
    }
}

impl std::error::Error for AwsError {}

enum Protocol {
    /// The version of `application/x-amz-json-`, and what stands before the operation in `X-Amz-Target`.
    Json(&'static str, &'static str),
    /// The API's version. EC2 numbers lists in a way of its own.
    Query(&'static str),
}

fn protocol(service: &str) -> Option<Protocol> {
    Some(match service {
        "ecs" => Protocol::Json("1.1", "AmazonEC2ContainerServiceV20141113"),
        "ecr" => Protocol::Json("1.1", "AmazonEC2ContainerRegistry_V20150921"),
        "dynamodb" => Protocol::Json("1.0", "DynamoDB_20120810"),
        "events" => Protocol::Json("1.1", "AWSEvents"),
        "logs" => Protocol::Json("1.1", "Logs_20140328"),
        "sqs" => Protocol::Json("1.0", "AmazonSQS"),
        "ssm" => Protocol::Json("1.1", "AmazonSSM"),
        "cloudformation" => Protocol::Query("2010-05-15"),
        "ec2" => Protocol::Query("2016-11-15"),
        "iam" => Protocol::Query("2010-05-08"),
        "sns" => Protocol::Query("2010-03-31"),
        "sts" => Protocol::Query("2011-06-15"),
        _ => return None,
    })
}

/// Whether moto has the service, and not MiniStack.
pub fn on_moto(service: &str) -> bool {
    matches!(service, "ec2" | "ecr")
}

impl Aws {
    /// A client of the two emulators, as the root of the tests' account, in the tests' Region. Both may be the proxy.
    pub fn new(ministack: &str, moto: &str) -> Self {
        let agent = client();
        let (credentials, region) = (Credentials::root(ACCOUNT), REGION.to_owned());
        Self { agent, ministack: ministack.to_owned(), moto: moto.to_owned(), credentials, region }
    }

    /// The same for another account's root and another Region. moto knows one account alone.
    pub fn elsewhere(&self, account: &str, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.with(Credentials::root(account)) }
    }

    /// The same with other credentials.
    #[must_use]
    pub fn with(&self, credentials: Credentials) -> Self {
        Self { credentials, ..self.clone() }
    }

    /// The access key id: of a root, its account.
    pub fn key(&self) -> &str {
        &self.credentials.key
    }

    /// The Region that it is a client of.
    pub fn region(&self) -> &str {
        &self.region
    }

    fn signed(
        &self,
        service: &str,
        (method, url, path): (&str, &str, &str),
        body: &str,
    ) -> Vec<(&'static str, String)> {
        let host = url.trim_start_matches("http://");
        let now = jiff::Timestamp::now();
        self.credentials.sign((service, &self.region), (method, host, path), body.as_bytes(), now)
    }

    /// Makes a bucket in the Region.
    pub fn create_bucket(&self, name: &str) -> Result<()> {
        let place = format!(
            "<CreateBucketConfiguration><LocationConstraint>{}</LocationConstraint></CreateBucketConfiguration>",
            self.region
        );
        let path = format!("/{name}");
        let mut request = self.agent.put(format!("{}{path}", self.ministack));
        for (name, value) in self.signed("s3", ("PUT", &self.ministack, &path), &place) {
            request = request.header(name, value);
        }
        let mut answer = request.send(place)?;
        let (status, said) = (answer.status(), answer.body_mut().read_to_string()?);
        anyhow::ensure!(status.is_success(), "{name}: {status} {said}");
        Ok(())
    }

    /// Calls an operation. The members of a query protocol's parameters are named as that protocol names them; lists
    /// are lists, and its answer is the result without its wrapper.
    pub fn call(&self, service: &str, operation: &str, parameters: &Value) -> Result<Value, AwsError> {
        let Some(protocol) = protocol(service) else {
            return Err(AwsError::silent(format!("the harness knows no protocol for {service}")));
        };
        let url = if on_moto(service) { &self.moto } else { &self.ministack };
        let (content_type, target, body) = match protocol {
            Protocol::Json(version, prefix) => (
                format!("application/x-amz-json-{version}"),
                Some(format!("{prefix}.{operation}")),
                parameters.to_string(),
            ),
            Protocol::Query(version) => {
                let mut form = vec![("Action".to_owned(), operation.to_owned())];
                form.push(("Version".to_owned(), version.to_owned()));
                flatten("", parameters, service != "ec2", &mut form);
                let pairs = form.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
                ("application/x-www-form-urlencoded".to_owned(), None, pairs.collect::<Vec<_>>().join("&"))
            }
        };
        let is_json = target.is_some();
        let signed = self.signed(service, ("POST", url, "/"), &body);
        let mut request = self.agent.post(format!("{url}/")).content_type(content_type);
        for (name, value) in signed.into_iter().chain(target.map(|target| ("x-amz-target", target))) {
            request = request.header(name, value);
        }
        let sent = request.send(body);
        let mut answer = sent.map_err(|error| AwsError::silent(error.to_string()))?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().read_to_string().map_err(|error| AwsError::silent(error.to_string()))?;
        let read = if is_json { json(&body) } else { xml::read(&body) };
        match read {
            Ok(value) if status < 300 => Ok(if is_json { value } else { xml::unwrapped(value, operation) }),
            Ok(value) => Err(AwsError::read(status, &value)),
            Err(error) => {
                Err(AwsError { status, code: "Unreadable".into(), message: format!("{error}: {body}") })
            }
        }
    }
}

impl AwsError {
    fn silent(message: String) -> Self {
        Self { status: 0, code: "NoAnswer".into(), message }
    }

    fn read(status: u16, value: &Value) -> Self {
        let text = |names: [&str; 4]| {
            let found = names.into_iter().find_map(|name| value.pointer(name)?.as_str());
            found.unwrap_or_default().to_owned()
        };
        let code = text(["/__type", "/code", "/Error/Code", "/Errors/Error/Code"]);
        let code = code.rsplit('#').next().unwrap_or_default().to_owned();
        let message = text(["/message", "/Message", "/Error/Message", "/Errors/Error/Message"]);
        Self { status, code, message }
    }
}

fn json(body: &str) -> Result<Value> {
    if body.is_empty() { Ok(Value::Null) } else { serde_json::from_str(body).context("not JSON") }
}

/// `{"A": {"B": [1, 2]}}` as `A.B.member.1=1&A.B.member.2=2`; EC2 leaves `member` out.
fn flatten(name: &str, value: &Value, member: bool, form: &mut Vec<(String, String)>) {
    let under = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    match value {
        Value::Null => {}
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| flatten(&under(key), value, member, form));
        }
        Value::Array(items) => {
            for (index, item) in (1..).zip(items) {
                let key = if member { format!("member.{index}") } else { format!("{index}") };
                flatten(&under(&key), item, member, form);
            }
        }
        Value::String(text) => form.push((name.to_owned(), text.clone())),
        other => form.push((name.to_owned(), other.to_string())),
    }
}

/// Percent-encoded for a form.
fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
