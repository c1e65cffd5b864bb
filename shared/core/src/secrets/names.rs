//! What names say of the values under them.

/// Where a secret comes from, which says what it may look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// By somebody's head: any word will do.
    Chosen,
    /// By a machine.
    Made,
    /// By a machine, and the value may be a name of a key in KMS as well.
    Key,
}

/// What names that end so hold. Case and what stands between words do not matter.
const NAMES: &[(&str, Sort, &str)] = &[
    ("password", Sort::Chosen, PASSWORD),
    ("passwd", Sort::Chosen, PASSWORD),
    ("passphrase", Sort::Chosen, "a passphrase, by its name"),
    ("apikey", Sort::Made, "an API key, by its name"),
    ("privatekey", Sort::Made, "a private key, by its name"),
    ("secretkey", Sort::Made, "a secret key, by its name"),
    ("secretkeybase", Sort::Made, "a secret key, by its name"),
    ("secretaccesskey", Sort::Made, "a secret access key, by its name"),
    ("encryptionkey", Sort::Key, "an encryption key, by its name"),
    ("signingkey", Sort::Key, "a signing key, by its name"),
    ("secret", Sort::Made, "a secret, by its name"),
    ("token", Sort::Made, "a token, by its name"),
];

const PASSWORD: &str = "a password, by its name";

/// Tokens that mark a place in a list, and those that guard forms: pages show both to everybody who reads them, and what
/// stands under such a name is a field's or a header's name.
const SHOWN: &[&str] =
    &["nexttoken", "pagetoken", "continuationtoken", "paginationtoken", "csrftoken", "xsrftoken"];

/// What one and the same variable is called by in several places.
const ENVIRONMENTS: &[&str] = &[
    "prod",
    "production",
    "prd",
    "live",
    "dev",
    "develop",
    "development",
    "staging",
    "stage",
    "stg",
    "test",
    "testing",
    "qa",
    "uat",
    "preprod",
    "sandbox",
    "local",
];

/// Whether a word names an environment.
pub(super) fn is_environment(word: &str) -> bool {
    ENVIRONMENTS.iter().any(|one| word.eq_ignore_ascii_case(one))
}

/// Letters and digits alone, small.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// What a name says: `DB_PASSWORD`, `db.password`, `DB_PASSWORD_PROD`, `PASSWORD1`.
pub(super) fn kind(name: &str) -> Option<(Sort, &'static str)> {
    let name = stem(name);
    let plain = plain(name);
    // Browsers get these.
    let public = plain.contains("public") || plain.contains("publishable");
    if public || SHOWN.iter().any(|end| plain.ends_with(end)) {
        return None;
    }
    let last = name.rsplit(BETWEEN).next().unwrap_or_default();
    if ["pass", "pwd"].iter().any(|word| last.eq_ignore_ascii_case(word)) {
        return Some((Sort::Chosen, PASSWORD));
    }
    NAMES.iter().find(|(end, ..)| plain.ends_with(end)).map(|(_, sort, kind)| (*sort, *kind))
}

const BETWEEN: [char; 3] = ['_', '-', '.'];

/// A name without the numbers and environments at its end.
fn stem(mut name: &str) -> &str {
    loop {
        name = name.trim_end_matches(|c: char| c.is_ascii_digit() || BETWEEN.contains(&c));
        match name.rsplit_once(BETWEEN) {
            Some((before, last)) if is_environment(last) => name = before,
            _ => return name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_environments_at_the_end_are_no_part_of_a_name() {
        let rows = [
            ("DB_PASSWORD_PROD", "DB_PASSWORD"),
            ("PASSWORD1", "PASSWORD"),
            ("API_KEY_2", "API_KEY"),
            ("api.key.staging.2", "api.key"),
            ("TOKEN_TTL", "TOKEN_TTL"),
            ("prod", "prod"),
            ("", ""),
        ];
        for (name, expected) in rows {
            assert_eq!(stem(name), expected, "{name}");
        }
        assert_eq!(stem(&"_PROD".repeat(100_000)), "");
    }
}
