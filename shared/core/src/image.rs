//! References to images, as container definitions hold them.

use std::fmt;

/// An image's reference in its parts. A user and password in front of the registry are dropped when it is read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageReference {
    /// The registry's host; `docker.io` where the reference names none.
    pub registry: String,
    /// The repository's path.
    pub repository: String,
    /// The tag; `latest` where neither tag nor digest is named.
    pub tag: Option<String>,
    /// `sha256:…` or another algorithm's, if the reference is pinned.
    pub digest: Option<String>,
}

impl ImageReference {
    /// Reads a reference by Docker's rule: the first part is a registry if it has a dot, a colon, or is
    /// `localhost`.
    pub fn read(text: &str) -> Self {
        let text = text.strip_prefix("https://").or(text.strip_prefix("http://")).unwrap_or(text);
        let (name, digest) = match text.rsplit_once('@') {
            Some((name, digest)) if is_digest(digest) => (name, Some(clean(digest))),
            // A digest that is none is no part of the name either.
            Some((name, rest)) if rest.starts_with("sha") && !rest.contains('/') => (name, None),
            _ => (text, None),
        };
        let (registry, path) = match name.split_once('/') {
            // A name that is none, of which the first part may be that of a password. It is of no registry.
            Some((_, rest)) if rest.contains('@') => {
                ("unreadable", rest.rsplit_once('@').map_or(rest, |(_, last)| last))
            }
            Some((first, rest)) => {
                // Beyond the first slash an `@` ends no password: what follows it is not the registry.
                let host = first.rsplit_once('@').map_or(first, |(_, host)| host);
                match host.contains(['.', ':']) || host == "localhost" {
                    true => (host, rest),
                    false => ("docker.io", name),
                }
            }
            None => ("docker.io", name),
        };
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(clean(tag))),
            None => (path, digest.is_none().then(|| "latest".to_owned())),
        };
        Self { registry: clean(registry), repository: clean(repository), tag, digest }
    }

    /// The account and Region of a private ECR registry.
    pub fn ecr(&self) -> Option<(&str, &str)> {
        let (account, rest) = self.registry.split_once('.')?;
        let region = match rest.strip_prefix("dkr.ecr.").or(rest.strip_prefix("dkr.ecr-fips.")) {
            Some(host) => host.strip_suffix(".amazonaws.com.cn").or(host.strip_suffix(".amazonaws.com"))?,
            None => self.dual_stack_region()?,
        };
        let account = account.split_once('.').map_or(account, |(account, _)| account);
        account.bytes().all(|b| b.is_ascii_digit()).then_some((account, region))
    }

    /// `ACCOUNT.dkr-ecr.REGION.on.aws`
    fn dual_stack_region(&self) -> Option<&str> {
        self.registry.split_once(".dkr-ecr.")?.1.strip_suffix(".on.aws")
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// `ALGORITHM:HEX`, which a registry's host and a repository's path are not.
fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        let digits = match algorithm {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => return false,
        };
        hex.len() == digits && hex.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

fn clean(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic()).take(256).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_split_by_dockers_rule() {
        let rows = [
            ("nginx", "docker.io/nginx:latest"),
            ("team/app:1.2", "docker.io/team/app:1.2"),
            ("localhost/app", "localhost/app:latest"),
            ("registry.example.com:5000/app", "registry.example.com:5000/app:latest"),
            ("nginx@sha256:ab", "docker.io/nginx:latest"),
            ("evil.example/app:1@sha512:ab", "evil.example/app:1"),
            (
                "evil.io/@111122223333.dkr.ecr.eu-west-1.amazonaws.com/a",
                "unreadable/111122223333.dkr.ecr.eu-west-1.amazonaws.com/a:latest",
            ),
            (
                "evil/x:tag@111122223333.dkr.ecr.eu-west-1.amazonaws.com/a",
                "unreadable/111122223333.dkr.ecr.eu-west-1.amazonaws.com/a:latest",
            ),
            ("https://user:s3cret@registry.example.com/app:1", "registry.example.com/app:1"),
            ("user:s3cret@registry.example.com/app", "registry.example.com/app:latest"),
            ("user:s3/cret@registry.example.com/app", "unreadable/registry.example.com/app:latest"),
        ];
        for (text, expected) in rows {
            assert_eq!(ImageReference::read(text).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn a_digest_is_as_long_as_its_algorithm_makes_it() {
        for (algorithm, digits) in [("sha256", 64), ("sha384", 96), ("sha512", 128)] {
            let read = |digits| ImageReference::read(&format!("a.b/c:1@{algorithm}:{}", "a".repeat(digits)));
            let whole = format!("{algorithm}:{}", "a".repeat(digits));
            assert_eq!(read(digits).digest, Some(whole.clone()));
            assert_eq!(read(digits).to_string(), format!("a.b/c:1@{whole}"));
            for other in [0, 2, digits - 1, digits + 1] {
                assert_eq!(read(other).digest, None, "{algorithm} {other}");
            }
        }
        assert_eq!(ImageReference::read(&format!("a@md5:{}", "a".repeat(64))).digest, None);
    }

    #[test]
    fn a_private_ecr_registry_tells_account_and_region() {
        let rows = [
            ("111122223333.dkr.ecr.eu-west-1.amazonaws.com/a", Some(("111122223333", "eu-west-1"))),
            ("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/a", Some(("111122223333", "cn-north-1"))),
            ("111122223333.dkr-ecr.eu-west-1.on.aws/a", Some(("111122223333", "eu-west-1"))),
            ("public.ecr.aws/a", None),
            ("evil.dkr.ecr.eu-west-1.amazonaws.com/a", None),
        ];
        for (text, expected) in rows {
            assert_eq!(ImageReference::read(text).ecr(), expected, "{text}");
        }
    }
}
