//! Signature Version 4, worked out from the bytes that came, by AWS's description of it and without the SDK that made it.

use sha2::{Digest, Sha256};

use crate::Request;

/// The key that clients of the server sign with.
pub const KEY: &str = "AKIDEXAMPLE";
/// Its secret.
pub const SECRET: &str = "example";

/// Why a request would not be accepted. `None` where it is signed as AWS wants it, everything that was sent included.
pub(crate) fn fault(request: &Request) -> Option<String> {
    let Some(given) = request.header("authorization").and_then(Authorization::read) else {
        return Some("it is not signed".to_owned());
    };
    let Some((key, scope)) = given.credential.split_once('/') else {
        return Some("its credential has no scope".to_owned());
    };
    if key != KEY {
        return Some(format!("nobody knows the key {key}"));
    }
    let names: Vec<&str> = given.headers.split(';').collect();
    let signs = |name: &str| names.contains(&name);
    let unsigned = request.headers.iter().map(|(name, _)| name.as_str()).find(|name| {
        // What AWS insists on, and what tells where the body ends.
        let wanted = ["host", "content-length", "content-type"].contains(name) || name.starts_with("x-amz-");
        wanted && !signs(name)
    });
    if let Some(name) = unsigned {
        return Some(format!("the header {name} is not signed"));
    }
    let content = hash(request.body.as_bytes());
    let mut lines = String::new();
    for name in &names {
        let Some(value) = request.header(name) else { return Some(format!("there is no header {name}")) };
        let value: Vec<&str> = value.split_whitespace().collect();
        lines.push_str(&format!("{name}:{}\n", value.join(" ")));
    }
    let (method, headers) = (&request.method, given.headers);
    let (path, query) = (encoded(&request.path), sorted(&request.query));
    let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{headers}\n{content}");
    let time = request.header("x-amz-date").unwrap_or_default();
    let signature = sign(SECRET, time, scope, &canonical);
    (signature != given.signature).then(|| format!("the signature does not match that of\n{canonical}"))
}

/// The parts of an `Authorization`.
struct Authorization<'a> {
    credential: &'a str,
    headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn read(header: &'a str) -> Option<Self> {
        let parts = header.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let part = |name: &str| parts.split(", ").find_map(|part| part.strip_prefix(name));
        Some(Self {
            credential: part("Credential=")?,
            headers: part("SignedHeaders=")?,
            signature: part("Signature=")?,
        })
    }
}

/// The signature of a canonical request: of a time such as `20261103T080000Z`, and a scope of day, Region, service and
/// `aws4_request`.
pub fn sign(secret: &str, time: &str, scope: &str, canonical: &str) -> String {
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hash(canonical.as_bytes()));
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in scope.split('/') {
        key = hmac(&key, part.as_bytes()).to_vec();
    }
    hex(&hmac(&key, text.as_bytes()))
}

/// SHA-256 in hexadecimal digits.
pub fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// A path is encoded once more than it was sent.
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    path.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The parameters of a query by their names, with a value each.
fn sorted(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(&str, &str)> = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
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

    /// `get-vanilla-query-order-key-case` of AWS's test suite for Signature Version 4.
    fn vanilla() -> Request {
        let authorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
        let headers = [
            ("host", "example.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
            ("authorization", authorization),
        ];
        Request {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: "Param2=value2&Param1=value1".to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: String::new(),
        }
    }

    #[test]
    fn a_signature_is_that_of_awss_test_suite() {
        let request = vanilla();
        let canonical = "GET\n/\nParam1=value1&Param2=value2\nhost:example.amazonaws.com\n\
             x-amz-date:20150830T123600Z\n\nhost;x-amz-date\n\
             e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let signature =
            sign(secret, "20150830T123600Z", "20150830/us-east-1/service/aws4_request", canonical);
        assert!(request.header("authorization").unwrap_or_default().ends_with(&signature), "{signature}");
        assert_eq!(sorted(&request.query), "Param1=value1&Param2=value2");
        assert_eq!(encoded("/a b/%20"), "/a%20b/%2520");
    }

    #[test]
    fn everything_that_was_sent_is_signed() {
        let good = signed(vanilla());
        assert_eq!(fault(&good), None);
        let spoil = |change: &dyn Fn(&mut Request)| {
            let mut request = good.clone();
            change(&mut request);
            fault(&request).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
        };
        let differs = "the signature does not match that of";
        assert_eq!(spoil(&|one| one.body.push('x')), differs);
        assert_eq!(spoil(&|one| one.query.push('x')), differs);
        assert_eq!(spoil(&|one| one.path.push('x')), differs);
        assert_eq!(spoil(&|one| one.method = "POST".to_owned()), differs);
        assert_eq!(spoil(&|one| one.headers[0].1.push('x')), differs);
        let add = |name: &str| spoil(&|one| one.headers.push((name.to_owned(), "2".to_owned())));
        assert_eq!(add("content-length"), "the header content-length is not signed");
        assert_eq!(add("x-amz-target"), "the header x-amz-target is not signed");
        assert_eq!(add("user-agent"), "");
        assert_eq!(spoil(&|one| one.headers.truncate(2)), "it is not signed");
        assert_eq!(
            spoil(&|one| one.headers[2].1 = one.headers[2].1.replace("AKID", "AKIA")),
            "nobody knows the key AKIAEXAMPLE"
        );
    }

    /// The same, signed with the secret of these tests.
    fn signed(mut request: Request) -> Request {
        let canonical = format!(
            "GET\n/\nParam1=value1&Param2=value2\nhost:example.amazonaws.com\n\
             x-amz-date:20150830T123600Z\n\nhost;x-amz-date\n{}",
            hash(b"")
        );
        let signature =
            sign(SECRET, "20150830T123600Z", "20150830/us-east-1/service/aws4_request", &canonical);
        let (start, _) = request.headers[2].1.split_once("Signature=").unwrap_or_default();
        request.headers[2].1 = format!("{start}Signature={signature}");
        request
    }
}
