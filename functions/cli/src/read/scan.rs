//! What can be told of a log without parsing it: where it begins, where a record may begin, whose name a name is.
//!
//! CloudTrail writes records in one form: `{"eventVersion"` first, and the name between `eventSource` and
//! `awsRegion`, far from anything that a caller may fill. What has another form is never guessed at; it is parsed.

use std::sync::LazyLock;

use memchr::memmem::{Finder, FinderRev};
use memchr::{memchr, memrchr};

/// The member that holds a record's name.
pub(crate) const NAME: &[u8] = b"\"eventName\"";

/// How CloudTrail begins a record.
const START: &[u8] = b"{\"eventVersion\"";

/// Enough text behind a name to tell what it is; what is longer is parsed.
pub(crate) const BEHIND: usize = 256;

/// The longest value that is looked for without parsing: names of calls and sources are shorter.
const VALUE: usize = 128;

static NAMES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(NAME));
static STARTS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(START));
static LAST_START: LazyLock<FinderRev<'static>> = LazyLock::new(|| FinderRev::new(START));

/// Where the next `"eventName"` stands.
pub(crate) fn name(text: &[u8]) -> Option<usize> {
    NAMES.find(text)
}

/// Where a record may begin. What comes before it decides whether it is one: see [`follows_a_record`].
pub(crate) fn start(text: &[u8]) -> Option<usize> {
    STARTS.find(text)
}

/// The last place where a record may begin.
pub(crate) fn last_start(text: &[u8]) -> Option<usize> {
    LAST_START.rfind(text)
}

/// How much of a text's end may be the beginning of what is looked for.
pub(crate) fn overlap() -> usize {
    NAME.len().max(START.len()) - 1
}

/// Whether a text begins as CloudTrail begins a record.
pub(crate) fn begins(text: &[u8]) -> bool {
    text.starts_with(START)
}

/// Whether a record's beginning follows on another record of its list; other lists and members hold records too.
pub(crate) fn follows_a_record(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    before.strip_suffix(b",").is_some_and(|before| before.trim_ascii_end().ends_with(b"}"))
}

/// Where a list ends that a text ends with, and with it the object that it stands in.
pub(crate) fn list_end(text: &[u8]) -> Option<usize> {
    let text = text.trim_ascii_end().strip_suffix(b"}")?.trim_ascii_end();
    text.strip_suffix(b"]").map(|_| text.len())
}

/// What stands at an `"eventName"`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Name<'a> {
    /// Not a member's name: somebody's value.
    Value,
    /// A record's own name, in CloudTrail's form.
    Own(&'a [u8]),
    /// Whatever it is, only parsing can tell.
    Odd,
}

/// What the `"eventName"` at this place is. A space may follow on colons and commas, as some tools write it.
pub(crate) fn name_at(text: &[u8], at: usize) -> Name<'_> {
    let (before, behind) = text.split_at_checked(at).unwrap_or((text, &[]));
    let behind = behind.get(NAME.len()..).unwrap_or_default();
    if behind.trim_ascii_start().first().is_some_and(|next| b",]}".contains(next)) {
        return Name::Value;
    }
    let own = || {
        let value = after(after(behind, b":")?, b"\"")?;
        let (value, behind) = value.split_at_checked(memchr(b'"', &value[..value.len().min(VALUE)])?)?;
        let behind = after(after(behind, b"\"")?, b",")?;
        let plain = !value.contains(&b'\\');
        (plain && behind.starts_with(b"\"awsRegion\"") && source_ends(before)?).then_some(value)
    };
    own().map_or(Name::Odd, Name::Own)
}

/// Whether a text ends with the member `eventSource` and a comma.
fn source_ends(text: &[u8]) -> Option<bool> {
    let text = text.strip_suffix(b" ").unwrap_or(text).strip_suffix(b"\",")?;
    let value = memrchr(b'"', &text[text.len().saturating_sub(VALUE)..])?;
    let (before, value) = text.split_at_checked(text.len() - text.len().min(VALUE) + value)?;
    let before = before.strip_suffix(b" ").unwrap_or(before).strip_suffix(b":")?;
    Some(!value.contains(&b'\\') && before.ends_with(b"\"eventSource\""))
}

/// What follows on a sign and perhaps a space.
fn after<'a>(text: &'a [u8], sign: &[u8]) -> Option<&'a [u8]> {
    let text = text.strip_prefix(sign)?;
    Some(text.strip_prefix(b" ").unwrap_or(text))
}

/// The beginning of a list of events: `{"Records":[` and its kin, or `[` alone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    /// The list's name; empty where it stands alone.
    pub(crate) list: &'static str,
    /// Where its first element may stand.
    pub(crate) at: usize,
}

/// The list of a log.
pub(crate) const RECORDS: &str = "Records";

/// The lists that wrap events.
pub(crate) const LISTS: [&str; 3] = [RECORDS, "Events", "logEvents"];

/// The list that a text opens with.
pub(crate) fn opening(text: &[u8]) -> Option<Opening> {
    let mut rest = text.trim_ascii_start();
    let mut list = "";
    if let Some(inside) = rest.strip_prefix(b"{") {
        let name = inside.trim_ascii_start().strip_prefix(b"\"")?;
        list = LISTS.into_iter().find(|list| name.starts_with(list.as_bytes()))?;
        let behind = name[list.len()..].strip_prefix(b"\"")?.trim_ascii_start();
        rest = behind.strip_prefix(b":")?.trim_ascii_start();
    }
    let inside = rest.strip_prefix(b"[")?;
    Some(Opening { list, at: text.len() - inside.len() })
}

/// The mark that some tools put before UTF-8.
pub(crate) const MARK: &[u8] = b"\xef\xbb\xbf";
