//! Passwords that stand in addresses and in what programs connect by.

use super::{QUOTES, is_computed, is_placeholder};

/// A password in front of an address: `scheme://user:password@host`.
pub(super) fn url_password(text: &str) -> bool {
    text.match_indices("://").any(|(at, slashes)| {
        let rest = text.get(at + slashes.len()..).unwrap_or_default();
        let end = rest.find(|c: char| c.is_whitespace() || "/?#\"'`<>\\".contains(c)).unwrap_or(rest.len());
        let authority = rest.get(..end).unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        user.and_then(|user| user.split_once(':')).is_some_and(|(_, password)| is_password(password))
    })
}

/// `Server=…;User Id=…;Password=…`, `host=… user=… password=…`, and the same as parameters of a URL.
pub(super) fn connection_string(text: &str) -> bool {
    const BESIDE: &[&str] = &[
        "server",
        "host",
        "addr",
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
        let password = parts.iter().filter(|(key, _)| ["password", "pwd", "pass"].contains(&key.as_str()));
        has(BESIDE) && password.into_iter().any(|(_, value)| is_password(value))
    };
    // Commas stand between the options of mount(8).
    parts(&[';']) || parts(&['?', '&', ' ', '\n']) || parts(&[','])
}

/// `user:password@tcp(host:port)/database` of Go's drivers, `user/password@//host` of Oracle's.
pub(super) fn driver_address(text: &str) -> bool {
    let name = |user: &str| !user.is_empty() && user.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    text.split(|c: char| c.is_whitespace() || QUOTES.contains(&c)).any(|word| {
        let go = ["@tcp(", "@tcp6(", "@unix("].iter().find_map(|net| word.split_once(net));
        let go = go.and_then(|(before, _)| before.split_once(':'));
        let oracle = word.split_once("@//").and_then(|(before, _)| before.rsplit([':', '=']).next());
        let oracle = oracle.and_then(|before| before.split_once('/')).filter(|(user, _)| name(user));
        go.or(oracle).is_some_and(|(_, password)| is_password(password))
    })
}

/// Whether what stands where a password belongs is one.
pub(super) fn is_password(text: &str) -> bool {
    let text = text.trim().trim_matches(QUOTES);
    !(is_computed(text) || text.contains("%s") || text.contains("%(") || is_placeholder(text))
}
