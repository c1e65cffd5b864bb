//! Signature Version 4 of a request without query: all that the JSON and query protocols send, and S3 for a bucket.

use shipshape_test_server::signature::{hash, sign};

/// Who signs.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The access key id; where it is 12 digits, the account's root to MiniStack.
    pub key: String,
    /// The secret access key.
    pub secret: String,
    /// The session token of temporary credentials, otherwise empty.
    pub token: String,
}

impl Credentials {
    /// The root of an account, as MiniStack knows it.
    pub fn root(account: &str) -> Self {
        Self { key: account.to_owned(), secret: "test".to_owned(), token: String::new() }
    }

    /// Those that Lambda gives a function in its environment.
    pub fn from_environment() -> Result<Self, std::env::VarError> {
        Ok(Self {
            key: std::env::var("AWS_ACCESS_KEY_ID")?,
            secret: std::env::var("AWS_SECRET_ACCESS_KEY")?,
            token: std::env::var("AWS_SESSION_TOKEN").unwrap_or_default(),
        })
    }

    /// The headers of a signed request, `Host` excepted.
    pub(super) fn sign(
        &self,
        (service, region): (&str, &str),
        (method, host, path): (&str, &str, &str),
        body: &[u8],
        time: jiff::Timestamp,
    ) -> Vec<(&'static str, String)> {
        let time = time.strftime("%Y%m%dT%H%M%SZ").to_string();
        let date = time.get(..8).unwrap_or_default();
        let content = hash(body);
        // In the order of their names, after `host`. S3 insists on the first.
        let mut headers = vec![("x-amz-content-sha256", content.clone()), ("x-amz-date", time.clone())];
        if !self.token.is_empty() {
            headers.push(("x-amz-security-token", self.token.clone()));
        }
        let names: Vec<&str> = ["host"].into_iter().chain(headers.iter().map(|(name, _)| *name)).collect();
        let names = names.join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let request = format!("{method}\n{path}\n\nhost:{host}\n{lines}\n{names}\n{content}");
        let scope = format!("{date}/{region}/{service}/aws4_request");
        let signature = sign(&self.secret, &time, &scope, &request);
        let key = &self.key;
        headers.push((
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
            ),
        ));
        headers
    }
}
