//! Secrets, by how they look and by the names of what holds them.
//!
//! Pure functions over texts that nothing here keeps: they answer with a word for the kind of secret, never with a part
//! of it. Precision comes before recall, since whoever is shown a secret that is none looks away from the next one: a
//! text counts by a form that only secrets have, and a name counts only together with a value that could be the secret
//! itself. What merely leads to one (a reference, a path, an address) and what can't be one (a switch, a number, a
//! word that waits to be replaced) passes.

mod addresses;
mod commands;
mod handed;
mod names;
mod shapes;

pub(crate) use handed::handed_texts;
use names::Sort;

/// The names by which AWS's programs look for credentials in their environment (Security Hub, ECS.8).
pub(crate) const AWS_CREDENTIALS: [&str; 3] =
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "ECS_ENGINE_AUTH_DATA"];

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
        .or_else(|| addresses::url_password(text).then_some("a URL with a password"))
        .or_else(|| addresses::driver_address(text).then_some("an address with a password"))
        .or_else(|| addresses::connection_string(text).then_some("a connection string with a password"))
        .or_else(|| header(text).then_some("credentials of a request's header"))
        .or_else(|| in_members(text))
}

/// What a named value holds: a variable, a label, an option.
pub(crate) fn in_named(name: &str, value: &str) -> Option<&'static str> {
    let authorization = || {
        let named = names::plain(name).ends_with("authorization") && credential(value);
        named.then_some("credentials of a request's header")
    };
    in_text(value).or_else(authorization).or_else(|| by_its_name(name, value))
}

/// The kind of a name's secret, where the value could be it and does not only repeat the name.
fn by_its_name(name: &str, value: &str) -> Option<&'static str> {
    let (sort, kind) = names::kind(name)?;
    (could_be_one(sort, value) && !echoes(sort, name, value)).then_some(kind)
}

/// `API_KEY=api-key`, `X_API_KEY=x-api-key`, `AUTH_TOKEN=X-Auth-Token`: the name of a header or of a field. People do
/// choose passwords so, and then only the very same word with its dashes is none.
fn echoes(sort: Sort, name: &str, value: &str) -> bool {
    let value = value.trim();
    let header = value.strip_prefix("x-").or(value.strip_prefix("X-")).unwrap_or(value);
    match sort {
        Sort::Chosen => name.contains(['_', '-']) && name.eq_ignore_ascii_case(value),
        Sort::Made | Sort::Key => [value, header].iter().any(|one| names::plain(one) == names::plain(name)),
    }
}

/// Members of JSON, wherever it stands in the text, in a text of its own perhaps.
fn in_members(text: &str) -> Option<&'static str> {
    let plain = text.replace("\\\"", "\"");
    let parts: Vec<&str> = plain.split('"').collect();
    let mut members = parts.windows(3).filter(|three| three[1].trim() == ":");
    let found = members.any(|three| !three[2].contains("%s") && by_its_name(three[0], three[2]).is_some());
    found.then_some("JSON with a secret")
}

/// `Authorization: Bearer …`, as a header, a member of JSON or an option.
fn header(text: &str) -> bool {
    const NAME: &str = "authorization";
    text.to_ascii_lowercase().match_indices(NAME).any(|(at, _)| {
        let rest = text.get(at + NAME.len()..).unwrap_or_default();
        let value = rest.trim_start_matches([' ', '=', ':', '"', '\'', '\\']);
        value.len() < rest.len() && credential(value)
    })
}

/// The value of such a header: its scheme, and what could be a secret.
fn credential(value: &str) -> bool {
    ["bearer", "basic", "token"].iter().any(|scheme| {
        let named = value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        let rest = value.get(scheme.len()..).filter(|_| named).unwrap_or_default();
        // Where headers are listed in a variable (OpenTelemetry), the space is encoded.
        let Some(rest) = rest.strip_prefix(' ').or(rest.strip_prefix("%20")) else { return false };
        let end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '\\');
        let secret = rest.split(end).next().unwrap_or_default();
        // `Authorization: Basic authentication` is prose.
        let coded = secret.bytes().skip(1).any(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        coded && could_be_one(Sort::Made, secret) && !is_computed(secret)
    })
}

/// Whether a program makes the value.
fn is_computed(value: &str) -> bool {
    value.contains(['$', '`', '(', '[', '{', '<'])
}

const QUOTES: [char; 2] = ['"', '\''];

/// Whether a value could be a secret itself.
fn could_be_one(sort: Sort, value: &str) -> bool {
    let value = value.trim().trim_matches(QUOTES);
    let is_switch = SWITCHES.iter().any(|word| value.eq_ignore_ascii_case(word));
    if is_switch || is_number(value) || is_placeholder(value) || is_reference(value) || is_rooted(value) {
        return false;
    }
    match sort {
        Sort::Chosen => !is_address(value),
        Sort::Made => is_made(value),
        Sort::Key => is_made(value) && !is_uuid(value),
    }
}

/// What passes under a name whose secrets machines make. Whoever thinks a password up may take any word, and so
/// `hunter2` and `P@ss/word` count under DB_PASSWORD; what a machine makes is long, or mixes letters and digits, is no
/// file, and is no name of a secret either: `prod-db` and `prod/checkout/db-2` under DB_SECRET only say where it is kept.
fn is_made(value: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| value.bytes().any(|b| kind(&b));
    let mixed = value.len() >= 6 && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    let words: Vec<&str> = value.split(['-', '_', '.']).collect();
    let spelt = words.iter().all(|word| word.bytes().all(|b| b.is_ascii_alphabetic()));
    let placed = words.len() > 1 && spelt && words.iter().any(|word| names::is_environment(word));
    (mixed || value.len() >= 8)
        && !placed
        && !is_path(value)
        && !value.contains("://")
        && !FILES.iter().any(|end| value.ends_with(end))
}

/// KMS calls its keys so, and a name such as ENCRYPTION_KEY may lead to one.
fn is_uuid(value: &str) -> bool {
    let lengths = value.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// `scheme://…`
fn is_address(value: &str) -> bool {
    let scheme = value.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|one| {
        !one.is_empty() && one.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    })
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

/// Another variable, a template, or the name of a place where secrets are kept. All of the value has to be it: what has
/// a brace somewhere may be a password.
fn is_reference(value: &str) -> bool {
    let named = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    // `$DB_PASSWORD` and `$password`; `$ecret1` is a word that somebody found clever.
    let shouted = |name: &str| !name.bytes().any(|b| b.is_ascii_lowercase());
    let variable = |name: &str| name.bytes().all(named) && (shouted(name) || names::kind(name).is_some());
    let closed = [("${", "}"), ("$(", ")"), ("{{", "}}")];
    value.strip_prefix('$').is_some_and(variable)
        || closed.iter().any(|(open, close)| value.starts_with(open) && value.ends_with(close))
        || (value.starts_with('{') && value.ends_with('}') && !value.contains(['"', ':']))
        || REFERENCES.iter().any(|start| value.starts_with(start))
}

const fn plain_path(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'-' | b'@' | b':' | b' ' | b'~' | b'\\')
}

/// A path of files that begins where paths do.
fn is_rooted(value: &str) -> bool {
    let drive = value.get(1..3).is_some_and(|rest| rest == ":\\" || rest == ":/");
    let rooted = drive || ["/", "./", "../", "~/"].iter().any(|start| value.starts_with(start));
    rooted && value.bytes().all(plain_path)
}

/// A path without a root, or a secret's name with slashes in it. What mixes both cases and digits between slashes is
/// Base64.
fn is_path(value: &str) -> bool {
    let word = |part: &str| {
        let has = |kind: fn(&u8) -> bool| part.bytes().any(|b| kind(&b));
        !(part.is_empty()
            || has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit))
    };
    value.contains('/') && value.bytes().all(plain_path) && value.split('/').all(word)
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
        ("NEXT_TOKEN", "abc"),
        ("PAGE_TOKEN", "next"),
        ("nextPageToken", "CAUQAA0123456789"),
        ("CONTINUATION_TOKEN", "0f1e2d3c4b5a"),
        ("CSRF_TOKEN", "X-CSRF-Token"),
        ("XSRF-TOKEN", "0f1e2d3c4b5a"),
        ("X_API_KEY", "x-api-key"),
        ("API_KEY", "x-api-key"),
        ("AUTH_TOKEN", "X-Auth-Token"),
        ("DB_SECRET", "prod-db"),
        ("DB_SECRET", "checkout-prod-database"),
        ("API_TOKEN", "v2"),
        ("ENCRYPTION_KEY", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"),
        ("ENCRYPTION_KEY", "alias/shop"),
        ("SIGNING_KEY", "arn:aws:kms:eu-west-1:111122223333:key/0f1e2d3c"),
        ("DB_PASSWORD_PROD", "/run/secrets/db"),
        ("DB_PASSWORD", "$db_password"),
        ("DB_PASSWORD", "{{ .Values.password }}"),
        ("PASSWORD_POLICY_2", "strict-one"),
        ("SPRING_APPLICATION_JSON", "{\"password\":\"${DB_PASSWORD}\",\"user\":\"app\"}"),
        ("SPRING_APPLICATION_JSON", "{\"token\":\"next\",\"password\":\"\"}"),
        ("DSN", "app:${DB_PASSWORD}@tcp(db:3306)/shop"),
        ("DSN", "app@tcp(db:3306)/shop"),
        ("DSN", "app/${DB_PASSWORD}@//db:1521/shop"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer ${TOKEN}"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=bearer token"),
        ("HELP", "Authorization: Basic authentication is off"),
        ("ALLOWED_HEADERS", "Authorization, Content-Type"),
        ("LINK", "https://shop.example.com/?sig=none"),
        ("MOUNT", "addr=files,username=app,ro"),
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
            ("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjEAoaCXVzLWVhc3QtMSJHMEUCIQ", "a token, by its name"),
            ("splunk-token", "11111111-2222-3333-4444-555555555555x", "a token, by its name"),
            ("com.example.token", "abc123def", "a token, by its name"),
            ("SECRET_KEY_BASE", "0f1e2d3c4b5a", "a secret key, by its name"),
            ("DB_PASSWORD_PROD", "hunter2", "a password, by its name"),
            ("PASSWORD1", "hunter2", "a password, by its name"),
            ("API_KEY_2", "0f1e2d3c4b5a", "an API key, by its name"),
            ("ENCRYPTION_KEY", "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "an encryption key, by its name"),
            ("JWT_SIGNING_KEY", "aGVsbG8gd29ybGQ", "a signing key, by its name"),
            ("DB_PASSWORD", "P@ss/word", "a password, by its name"),
            ("DB_PASSWORD", "s3cr3t/pw", "a password, by its name"),
            ("DB_PASSWORD", "my{{pw}}", "a password, by its name"),
            ("DB_PASSWORD", "abc${x", "a password, by its name"),
            ("DB_PASSWORD", "$ecret1", "a password, by its name"),
            ("DB_PASSWORD", "hunter2.key", "a password, by its name"),
            ("DB_PASSWORD", "prod-db", "a password, by its name"),
            ("API_TOKEN", "s3cr3t", "a token, by its name"),
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
            "addr=files,username=app,password=hunter2",
        ] {
            assert_eq!(in_text(text), Some("a connection string with a password"), "{text}");
        }
    }

    #[test]
    fn passwords_in_what_drivers_and_headers_take() {
        let sas = format!("?sv=2024-11-04&se=2027&sig={}%3D", "0f1E2d3C".repeat(6));
        let rows = [
            ("app:hunter2@tcp(db:3306)/shop", "an address with a password"),
            ("--dsn=app:hunter2@unix(/run/db)/shop", "an address with a password"),
            ("scott/tiger@//db:1521/shop", "an address with a password"),
            ("jdbc:oracle:thin:scott/tiger@//db:1521/shop", "an address with a password"),
            ("{\"spring\": {\"password\": \"hunter2\"}}", "JSON with a secret"),
            ("{\"spring.datasource.password\":\"hunter2\"}", "JSON with a secret"),
            ("[\"{\\\"password\\\":\\\"hunter2\\\"}\"]", "JSON with a secret"),
            ("curl -d '{\"username\":\"app\",\"password\":\"hunter2\"}'", "JSON with a secret"),
            ("Authorization=Bearer 0f1e2d3c4b5a", "credentials of a request's header"),
            ("x=y,authorization=Basic%20YXBwOmh1bnRlcjI", "credentials of a request's header"),
            ("curl -H 'Authorization: Bearer 0f1e2d3c4b5a'", "credentials of a request's header"),
            (sas.as_str(), "an Azure access signature"),
        ];
        for (text, kind) in rows {
            assert_eq!(in_text(text), Some(kind), "{text}");
        }
        let kind = Some("credentials of a request's header");
        assert_eq!(in_named("HTTP_AUTHORIZATION", "Bearer 0f1e2d3c4b5a"), kind);
        assert_eq!(in_named("HTTP_AUTHORIZATION", "Bearer"), None);
    }
}
