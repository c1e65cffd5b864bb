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
mod tests;
