//! Files as URIs.

use std::fmt::Write as _;
use std::path::{Component, Path};

use super::log::ArtifactLocation;

/// The name that viewers and code scanning know for the root of the sources.
const ROOT: &str = "%SRCROOT%";

/// A file as given: relative to the root of the sources, unless its path is absolute. Standard input has no URI;
/// code scanning refuses a result without any, so that it gets a name.
pub(super) fn artifact(path: &Path) -> ArtifactLocation {
    if path.as_os_str() == "-" {
        return ArtifactLocation { uri: "stdin".to_owned(), uri_base_id: None };
    }
    let mut uri = String::new();
    for component in path.components() {
        match component {
            Component::CurDir | Component::RootDir => continue,
            Component::ParentDir => slash(&mut uri, path, ".."),
            Component::Normal(name) => slash(&mut uri, path, &encoded(name.as_encoded_bytes())),
            // `C:`, whose colon must stay one.
            Component::Prefix(prefix) => slash(&mut uri, path, &prefix.as_os_str().to_string_lossy()),
        }
    }
    if path.is_absolute() {
        return ArtifactLocation { uri: format!("file://{uri}"), uri_base_id: None };
    }
    ArtifactLocation { uri, uri_base_id: Some(ROOT) }
}

fn slash(uri: &mut String, path: &Path, segment: &str) {
    if !uri.is_empty() || path.is_absolute() {
        uri.push('/');
    }
    uri.push_str(segment);
}

/// Everything but RFC 3986's unreserved characters as `%XX`: a colon in a relative path's first segment would be read
/// as a scheme's.
fn encoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            let _infallible = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        let rows = [
            ("rendered/web.json", "rendered/web.json", true),
            ("./rendered//web.json", "rendered/web.json", true),
            ("../web.json", "../web.json", true),
            ("a b/50%/ü#?[1].json", "a%20b/50%25/%C3%BC%23%3F%5B1%5D.json", true),
            ("c:web.json", "c%3Aweb.json", true),
            ("line\nbreak\\.json", "line%0Abreak%5C.json", true),
            ("/srv/a b.json", "file:///srv/a%20b.json", false),
            ("-", "stdin", false),
        ];
        for (path, uri, relative) in rows {
            let artifact = artifact(Path::new(path));
            assert_eq!(
                (artifact.uri.as_str(), artifact.uri_base_id),
                (uri, relative.then_some(ROOT)),
                "{path}"
            );
        }
    }
}
