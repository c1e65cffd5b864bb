//! Signature Version 4 of a request without query: all that the JSON and query protocols send, and S3 for a bucket.

use sha2::{Digest, Sha256};

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
        let content = hex(&Sha256::digest(body));
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
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(request)));
        let key = [region, service, "aws4_request"]
            .into_iter()
            .fold(hmac(format!("AWS4{}", self.secret).as_bytes(), date.as_bytes()), |key, part| {
                hmac(&key, part.as_bytes())
            });
        let signature = hex(&hmac(&key, text.as_bytes()));
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

/// HMAC with SHA-256, whose blocks have 64 bytes.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    if key.len() > block.len() {
        block.iter_mut().zip(Sha256::digest(key)).for_each(|(to, from)| *to = from);
    } else {
        block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_gives_the_values_of_rfc_4231() {
        assert_eq!(
            hex(&hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let long = "Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(
            hex(&hmac(&[0xaa; 131], long.as_bytes())),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }
}
