//! Secrets, by how they look and by the names of what holds them.
//!
//! Pure functions over texts that nothing here keeps: they answer with a word for the kind of secret, never with a part
//! of it. Precision comes before recall, since whoever is shown a secret that is none looks away from the next one: a
//! text counts by a form that only secrets have, and a name counts only together with a value that could be the secret
//! itself. What merely leads to one (a reference, a path, an address) and what can't be one (a switch, a number, a
//! word that waits to be replaced) passes.

mod handed;
mod shapes;

pub(crate) use handed::handed_texts;

/// The names by which AWS's programs look for credentials in their environment (Security Hub, ECS.8).
pub(crate) const AWS_CREDENTIALS: [&str; 3] =
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "ECS_ENGINE_AUTH_DATA"];

/// What names that end so hold. Case and what stands between words do not matter.
const NAMES: &[(&str, &str)] = &[
    ("password", "a password, by its name"),
    ("passwd", "a password, by its name"),
    ("passphrase", "a passphrase, by its name"),
    ("apikey", "an API key, by its name"),
    ("privatekey", "a private key, by its name"),
    ("secretkey", "a secret key, by its name"),
    ("secretaccesskey", "a secret access key, by its name"),
    ("secret", "a secret, by its name"),
    ("token", "a token, by its name"),
];

/// Values that switch something or say that there is nothing.
const SWITCHES: &[&str] = &[
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "enabled",
    "disabled",
    "enable",
    "disable",
    "none",
    "null",
    "nil",
    "undefined",
    "unset",
    "default",
    "auto",
    "required",
    "optional",
    "always",
    "never",
    "allow",
    "deny",
];

/// Words that wait to be replaced, and those that stand where a secret was taken away.
const PLACEHOLDERS: &[&str] = &[
    "changeme",
    "changethis",
    "changeit",
    "replaceme",
    "replacethis",
    "todo",
    "tbd",
    "fixme",
    "placeholder",
    "dummy",
    "fake",
    "example",
    "redacted",
    "masked",
    "hidden",
    "notset",
    "notused",
    "unused",
    "empty",
];

/// How values begin that only lead to a secret, or are one that was encrypted.
const REFERENCES: &[&str] = &[
    "arn:",
    "ssm:",
    "secretsmanager:",
    "aws-sm:",
    "asm:",
    "sm:",
    "vault:",
    "kms:",
    "env:",
    "file:",
    "op:",
    "ref+",
    "resolve:",
    "ENC(",
    "ENC[",
    // What KMS encrypts begins so in Base64.
    "AQICAH",
    "AQECAH",
];

/// How the names of files end.
const FILES: &[&str] =
    &[".json", ".txt", ".pem", ".key", ".crt", ".yml", ".yaml", ".env", ".conf", ".p12", ".jks"];

/// What a text holds that only a secret looks like.
pub(crate) fn in_text(text: &str) -> Option<&'static str> {
    shapes::issued(text)
        .or_else(|| shapes::private_key(text).then_some("a private key"))
        .or_else(|| shapes::aws_secret_key(text).then_some("an AWS secret access key"))
        .or_else(|| shapes::web_token(text).then_some("a JSON web token"))
        .or_else(|| url_password(text).then_some("a URL with a password"))
        .or_else(|| connection_string(text).then_some("a connection string with a password"))
}

/// What a named value holds: a variable, a label, an option.
pub(crate) fn in_named(name: &str, value: &str) -> Option<&'static str> {
    let echo = name.contains(['_', '-']) && name.eq_ignore_ascii_case(value.trim());
    in_text(value).or_else(|| by_name(name).filter(|_| could_be_one(value) && !echo))
}

/// What an argument of a command holds, alone or as `--NAME=VALUE`, `-DNAME=VALUE` or `NAME=VALUE`. A name and a value
/// in two arguments are not taken together: the flag may want no value.
pub(crate) fn in_argument(text: &str) -> Option<&'static str> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ';' | '&' | '|'));
    in_text(text).or_else(|| words.into_iter().find_map(assigned))
}

fn assigned(word: &str) -> Option<&'static str> {
    let (name, value) = word.trim_matches(QUOTES).split_once('=')?;
    // Lower-case names without dashes are the programs' own in what runs `python -c` and its kin.
    let variable = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    let name = match name.strip_prefix("--").or(name.strip_prefix("-D")) {
        Some(flag) => flag,
        None if name.bytes().all(variable) => name,
        None => return None,
    };
    by_name(name).filter(|_| could_be_one(value) && !is_computed(value))
}

/// Whether a program makes the value.
fn is_computed(value: &str) -> bool {
    value.contains(['$', '`', '(', '[', '{', '<'])
}

const QUOTES: [char; 2] = ['"', '\''];

fn by_name(name: &str) -> Option<&'static str> {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    // Browsers get these.
    if plain.contains("public") || plain.contains("publishable") {
        return None;
    }
    let last = name.rsplit(['_', '-', '.']).next().unwrap_or_default();
    if ["pass", "pwd"].iter().any(|word| last.eq_ignore_ascii_case(word)) {
        return Some("a password, by its name");
    }
    NAMES.iter().find(|(end, _)| plain.ends_with(end)).map(|(_, kind)| *kind)
}

/// Whether a value could be a secret itself.
fn could_be_one(value: &str) -> bool {
    let value = value.trim().trim_matches(QUOTES);
    let is_switch = SWITCHES.iter().any(|word| value.eq_ignore_ascii_case(word));
    !(is_switch
        || is_number(value)
        || is_placeholder(value)
        || is_reference(value)
        || is_path(value)
        || value.contains("://")
        || FILES.iter().any(|end| value.ends_with(end)))
}

/// A number, with a unit of time perhaps.
fn is_number(value: &str) -> bool {
    let digits = value.trim_end_matches("ms").trim_end_matches(['s', 'm', 'h', 'd']);
    digits.bytes().any(|b| b.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b"+-.,_:".contains(&b))
}

fn is_placeholder(value: &str) -> bool {
    let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    let framed = [('<', '>'), ('[', ']'), ('%', '%')]
        .iter()
        .any(|(open, close)| value.len() > 1 && value.starts_with(*open) && value.ends_with(*close));
    framed
        || plain.bytes().all(|b| b == b'x')
        || PLACEHOLDERS.contains(&plain.as_str())
        // AWS's documentation writes its keys so.
        || value.contains("EXAMPLE")
        || (plain.starts_with("your") && value.contains(['-', '_', ' ']))
}

/// Another variable, a template, or the name of a place where secrets are kept.
fn is_reference(value: &str) -> bool {
    let named = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    value.strip_prefix('$').is_some_and(|name| name.bytes().all(named))
        || ["${", "$(", "{{"].iter().any(|open| value.contains(open))
        || (value.starts_with('{') && value.ends_with('}') && !value.contains(['"', ':']))
        || REFERENCES.iter().any(|start| value.starts_with(start))
}

/// A path of files, or a secret's name with slashes in it. What mixes both cases and digits between slashes is Base64.
fn is_path(value: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-@: ~\\".contains(&b);
    let drive = value.get(1..3).is_some_and(|rest| rest == ":\\" || rest == ":/");
    let rooted = drive || ["/", "./", "../", "~/"].iter().any(|start| value.starts_with(start));
    let word = |part: &str| {
        let has = |kind: fn(&u8) -> bool| part.bytes().any(|b| kind(&b));
        !(part.is_empty()
            || has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit))
    };
    value.bytes().all(plain) && (rooted || (value.contains('/') && value.split('/').all(word)))
}

/// A password in front of an address: `scheme://user:password@host`.
fn url_password(text: &str) -> bool {
    text.match_indices("://").any(|(at, slashes)| {
        let rest = text.get(at + slashes.len()..).unwrap_or_default();
        let end = rest.find(|c: char| c.is_whitespace() || "/?#\"'`<>\\".contains(c)).unwrap_or(rest.len());
        let authority = rest.get(..end).unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        user.and_then(|user| user.split_once(':')).is_some_and(|(_, password)| is_password(password))
    })
}

/// `Server=…;User Id=…;Password=…`, `host=… user=… password=…`, and the same as parameters of a URL.
fn connection_string(text: &str) -> bool {
    const BESIDE: &[&str] = &[
        "server",
        "host",
        "hostname",
        "data source",
        "user",
        "user id",
        "userid",
        "username",
        "uid",
        "database",
        "dbname",
        "initial catalog",
        "endpoint",
    ];
    let parts = |between: &[char]| {
        let parts: Vec<(String, &str)> = text
            .split(between)
            .filter_map(|part| part.split_once('='))
            .map(|(key, value)| (key.trim().trim_matches(QUOTES).to_ascii_lowercase(), value))
            .collect();
        let has = |names: &[&str]| parts.iter().any(|(key, _)| names.contains(&key.as_str()));
        let password = parts.iter().filter(|(key, _)| key == "password" || key == "pwd");
        has(BESIDE) && password.into_iter().any(|(_, value)| is_password(value))
    };
    parts(&[';']) || parts(&['?', '&', ' ', '\n'])
}

/// Whether what stands where a password belongs is one.
fn is_password(text: &str) -> bool {
    let text = text.trim().trim_matches(QUOTES);
    !(is_computed(text) || text.contains("%s") || text.contains("%(") || is_placeholder(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What people complained about in other scanners, and what is like it: none of these is a secret.
    const HARMLESS: &[(&str, &str)] = &[
        ("MYSQL_ALLOW_EMPTY_PASSWORD", "yes"),
        ("MYSQL_ALLOW_EMPTY_PASSWORD", "1"),
        ("MYSQL_RANDOM_ROOT_PASSWORD", "true"),
        ("ALLOW_EMPTY_PASSWORD", "no"),
        ("DB_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf"),
        ("DB_SECRET", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf"),
        ("TOKEN_URL", "https://login.example.com/oauth2/token"),
        ("AUTH_TOKEN", "https://login.example.com/oauth2/token"),
        ("PASSWORD_FILE", "/run/secrets/db"),
        ("POSTGRES_PASSWORD_FILE", "/run/secrets/db"),
        ("DB_PASSWORD", "/run/secrets/db"),
        ("DB_PASSWORD", "file:///run/secrets/db"),
        ("DB_PASSWORD", "./secrets/db.txt"),
        ("TLS_PRIVATE_KEY", "C:\\certs\\server.key"),
        ("TLS_PRIVATE_KEY", "server.pem"),
        ("SECRET_NAME", "prod-db"),
        ("RDS_secrets_name", "config/database_credentials"),
        ("DB_SECRET", "prod/checkout/db-2"),
        ("db_pass_secret", "prod/db/master"),
        ("SECRET_ID", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
        ("SECRETS_PROVIDER", "aws-secrets-manager"),
        ("TOKEN_ENDPOINT", "oauth2/token"),
        ("TOKEN_TTL", "3600"),
        ("REFRESH_TOKEN", "15m"),
        ("MAX_TOKEN", "4096"),
        ("PAD_TOKEN", "<pad>"),
        ("STOP_TOKEN", "###"),
        ("EOS_TOKEN", "</s>"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("API_KEY", "${API_KEY}"),
        ("API_KEY", "$API_KEY"),
        ("API_KEY", "$(cat /run/secrets/key)"),
        ("API_KEY", "{{resolve:ssm:/prod/key}}"),
        ("API_KEY", "{api_key}"),
        ("API_KEY", "%API_KEY%"),
        ("API_KEY", "ssm:/prod/api-key"),
        ("API_KEY", "vault:secret/data/app#key"),
        ("API_KEY", "ref+awssecrets://prod/key"),
        ("API_KEY", "ENC[AES256_GCM,data:kx9]"),
        ("API_KEY", "AQICAHhAbCdEf0123456789"),
        ("API_KEY", "API_KEY"),
        ("API_KEY", "xxxxxxxx"),
        ("API_KEY", "********"),
        ("API_KEY", "changeme"),
        ("API_KEY", "REPLACE_ME"),
        ("API_KEY", "<your key>"),
        ("API_KEY", "your-api-key-here"),
        ("API_KEY", "[redacted]"),
        ("API_KEY", ""),
        ("KEYSTORE_PASSWORD", "changeit"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("STRIPE_PUBLISHABLE_API_KEY", "pk-abcdefghijklmnop"),
        ("NEXT_PUBLIC_API_KEY", "0f1e2d3c4b5a"),
        ("PROXY_PASS", "http://upstream:8080"),
        ("PWD", "/srv/app"),
        ("BYPASS", "something"),
        ("LOG_LEVEL", "info"),
        ("COMMIT", "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"),
        ("IMAGE", "sha256:c031fa516b62584c09e3286ecac044d310a84f07fc02f8d2601eda8528c1582d"),
        ("DATABASE_URL", "postgres://app@db.internal:5432/shop"),
        ("DATABASE_URL", "postgres://app:${DB_PASSWORD}@db.internal:5432/shop"),
        ("DATABASE_URL", "postgres://app:$DB_PASSWORD@db.internal/shop"),
        ("DATABASE_URL", "postgres://{user}:{password}@db.internal/shop"),
        ("DATABASE_URL", "postgres://app:<password>@db.internal/shop"),
        ("DATABASE_URL", "postgres://app:%s@db.internal/shop"),
        ("DATABASE_URL", "postgres://app:****@db.internal/shop"),
        ("REPOSITORY", "ssh://git@git.example.com:2222/team/app.git"),
        ("CALLBACK", "https://app.example.com/login?next=a:b@c"),
        ("SENTRY_DSN", "https://0f1e2d3c4b5a69788796a5b4c3d2e1f0@o1.ingest.sentry.io/2"),
        ("HTTPS_PROXY", "http://proxy.internal:3128"),
        ("CONNECTION", "Server=db;Database=shop;Integrated Security=true"),
        ("CONNECTION", "Server=db;User Id=app;Password=${DB_PASSWORD}"),
        ("CONNECTION", "Server=db;User Id=app;Password="),
        ("HELP", "set password=VALUE to change it"),
        (
            "CERTIFICATE",
            "-----BEGIN CERTIFICATE-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuqwertyuiopasdfghjkl",
        ),
        ("HINT", "begins with -----BEGIN PRIVATE KEY-----"),
    ];

    #[test]
    fn nothing_harmless_is_taken_for_a_secret() {
        for (name, value) in HARMLESS {
            assert_eq!(in_named(name, value), None, "{name}={value}");
        }
    }

    #[test]
    fn names_count_with_a_value_that_could_be_the_secret() {
        let rows = [
            ("DB_PASSWORD", "hunter2", "a password, by its name"),
            ("db-password", "hunter2", "a password, by its name"),
            ("dbPassword", "correct horse battery staple", "a password, by its name"),
            ("PGPASSWORD", "postgres", "a password, by its name"),
            ("MYSQL_PWD", "hunter2", "a password, by its name"),
            ("SMTP_PASS", "hunter2", "a password, by its name"),
            ("KEY_PASSPHRASE", "hunter2", "a passphrase, by its name"),
            ("DD_API_KEY", "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "an API key, by its name"),
            ("apikey", "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "an API key, by its name"),
            ("SIGNING_PRIVATE_KEY", "aGVsbG8gd29ybGQ", "a private key, by its name"),
            ("DJANGO_SECRET_KEY", "s3cr3t!", "a secret key, by its name"),
            ("SESSION_SECRET", "keyboard-cat", "a secret, by its name"),
            ("OAUTH_CLIENT_SECRET", "aB3/xY9+q0==", "a secret, by its name"),
            ("DB_SECRET", "{\"username\":\"app\",\"password\":\"hunter2\"}", "a secret, by its name"),
            ("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjEAoaCXVzLWVhc3QtMSJHMEUCIQ", "a token, by its name"),
            ("splunk-token", "11111111-2222-3333-4444-555555555555x", "a token, by its name"),
            ("com.example.token", "abc123def", "a token, by its name"),
            ("ADMIN_PASSWORD", "$2b$10$N9qo8uLOickgx2ZMRZoMye", "a password, by its name"),
        ];
        for (name, value, kind) in rows {
            assert_eq!(in_named(name, value), Some(kind), "{name}={value}");
            assert_eq!(in_text(value), None, "{value} counts by its name alone");
        }
    }

    #[test]
    fn passwords_in_addresses_and_connection_strings() {
        for text in [
            "postgres://app:hunter2@db.internal:5432/shop",
            "redis://:hunter2@cache.internal:6379/0",
            "mongodb+srv://app:p@ss@cluster0.example.net,other.example.net/shop",
            "curl https://robot:hunter2@registry.example.com/v2/ && echo done",
            "amqp://guest:guest@rabbit",
        ] {
            assert_eq!(in_text(text), Some("a URL with a password"), "{text}");
        }
        for text in [
            "Server=db.internal;Database=shop;User Id=app;Password=hunter2;",
            "host=db.internal user=app password=hunter2",
            "jdbc:postgresql://db.internal/shop?user=app&password=hunter2",
        ] {
            assert_eq!(in_text(text), Some("a connection string with a password"), "{text}");
        }
    }

    #[test]
    fn arguments_count_by_their_names_too() {
        let password = Some("a password, by its name");
        let rows = [
            ("--password=hunter2", password),
            ("--db-password='hunter2'", password),
            ("-Dspring.datasource.password=hunter2", password),
            ("export DB_PASSWORD=hunter2 && exec app", password),
            ("PGPASSWORD=\"hunter2\" psql", password),
            ("--password", None),
            ("--password=$DB_PASSWORD", None),
            ("--password=$(cat /run/secrets/db)", None),
            ("--password-file=/run/secrets/db", None),
            ("--token=`cat /run/secrets/db`", None),
            ("token=os.environ['X']", None),
            ("password=getpass()", None),
            ("TOKEN=os.environ['X']", None),
            ("--generate-token server", None),
            ("--from-literal=password=abc", None),
            ("serve --port=8080", None),
        ];
        for (text, expected) in rows {
            assert_eq!(in_argument(text), expected, "{text}");
        }
    }
}
