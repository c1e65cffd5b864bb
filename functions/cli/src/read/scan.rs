//! What can be told of a log without parsing it: where it begins, where a record may begin, whose name a name is.
//!
//! CloudTrail writes records in one form: `{"eventVersion"` first, and the name behind `eventTime` and `eventSource` and
//! before `awsRegion`. What has another form is never guessed at; it is parsed.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::{memchr, memchr2, memchr2_iter, memrchr};

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

/// Where the next `"eventName"` stands.
pub(crate) fn name(text: &[u8]) -> Option<usize> {
    NAMES.find(text)
}

/// Where a record may begin. What comes before it decides whether it is one.
pub(crate) fn start(text: &[u8]) -> Option<usize> {
    STARTS.find(text)
}

/// How much of a text's end may be the beginning of what is looked for.
pub(crate) fn overlap() -> usize {
    NAME.len().max(START.len()) - 1
}

/// Whether a text begins as CloudTrail begins a record.
pub(crate) fn begins(text: &[u8]) -> bool {
    text.starts_with(START)
}

/// Whether a name is the first of the element that a text begins with, as far as records begin in CloudTrail's form.
pub(crate) fn is_first(text: &[u8], name: usize) -> bool {
    text.get(1..name).is_some_and(|text| start(text).is_none())
}

/// Where the next element begins, if it is the first record that begins between two names, and surely none that lies
/// inside of the element that the text begins with.
pub(crate) fn next_element(text: &[u8], from: usize, name: usize) -> Option<usize> {
    let begins = from + start(text.get(from..name)?)?;
    let before = text.get(..begins)?;
    let last = before.trim_ascii_end().strip_suffix(b",")?.trim_ascii_end();
    // Only a list holds an object that follows on a comma.
    let outside = || no_list_is_open(before) || Depth::default().end(before) == Some(last.len());
    (last.ends_with(b"}") && outside()).then_some(begins)
}

/// Whether surely no list is open at the end of a text that begins with an object. What may open one counts, and what
/// ends one only where it can't stand in a string.
fn no_list_is_open(text: &[u8]) -> bool {
    let mut open = 0_usize;
    for at in memchr2_iter(b'[', b']', text) {
        match (text[at], in_string(text, at)) {
            (_, Some(true)) | (b']', None) => {}
            (b'[', _) => open += 1,
            _ if open == 0 => return false,
            _ => open -= 1,
        }
    }
    open == 0
}

/// How far back a quotation mark is looked for.
const NEAR: usize = 128;

/// Whether a place lies in a string, if the last quotation mark before it tells: one that begins a string stands behind
/// a sign of JSON, and one that ends a string before such a sign.
fn in_string(text: &[u8], at: usize) -> Option<bool> {
    let near = at.saturating_sub(NEAR);
    // It mostly is one of the last three signs.
    let mark = near + text[near..at].iter().rposition(|sign| *sign == b'"')?;
    match text[..mark].last() {
        None | Some(b'{' | b'[' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n') => {
            let ends = matches!(text[mark + 1], b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n');
            (!ends).then_some(true)
        }
        Some(b'\\') => {
            let escapes = text[..mark].iter().rev().take(NEAR).take_while(|sign| **sign == b'\\').count();
            (escapes < NEAR).then_some(escapes % 2 == 1)
        }
        Some(_) => Some(false),
    }
}

/// Goes through a value piece by piece, to where it ends, without parsing it.
#[derive(Debug, Default)]
pub(crate) struct Depth {
    depth: usize,
    string: bool,
    escaped: bool,
}

impl Depth {
    /// Within an object.
    pub(crate) fn inside() -> Self {
        Self { depth: 1, ..Self::default() }
    }

    /// Where the value ends, if it does so in the next piece of it.
    pub(crate) fn end(&mut self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(sign) = text.get(at) {
            if self.string && !self.escaped {
                // Most of what JSON holds stands in strings.
                at += memchr2(b'"', b'\\', &text[at..])?;
                self.escaped = text[at] == b'\\';
                self.string = self.escaped;
                if !self.string && self.depth == 0 {
                    return Some(at + 1);
                }
            } else if self.escaped {
                self.escaped = false;
            } else {
                match sign {
                    b'"' => self.string = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' | b',' if self.depth == 0 => return Some(at),
                    b'}' | b']' => self.depth -= 1,
                    _ => {}
                }
                if self.depth == 0 && (*sign == b'}' || *sign == b']') {
                    return Some(at + 1);
                }
            }
            at += 1;
        }
        None
    }
}

/// Whether a record may begin behind a text, where something before is broken: behind a comma, or another object.
pub(crate) fn may_follow(before: &[u8]) -> bool {
    before.trim_ascii_end().last().is_some_and(|sign| b",}".contains(sign))
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
        let plain = behind.starts_with(b"\"awsRegion\"") && !value.contains(&b'\\');
        (plain && ends_with_time(before_member(before, b"\"eventSource\"")?)).then_some(value)
    };
    own().map_or(Name::Odd, Name::Own)
}

/// What stands before the member of this name, and a comma, that a text ends with.
fn before_member<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let text = text.strip_suffix(b" ").unwrap_or(text).strip_suffix(b"\",")?;
    let near = text.len().saturating_sub(VALUE);
    let before = &text[..near + memrchr(b'"', &text[near..])?];
    let before = before.strip_suffix(b" ").unwrap_or(before).strip_suffix(b":")?;
    before.strip_suffix(name).filter(|_| !text.ends_with(b"\\"))
}

/// Whether a text ends with the member `eventTime`, whose value always has one length, and a comma.
fn ends_with_time(text: &[u8]) -> bool {
    const NAME: &[u8] = b"\"eventTime\"";
    let text = text.strip_suffix(b" ").unwrap_or(text);
    let value = text.len().saturating_sub("\"2026-11-03T08:00:00Z\",".len());
    let (before, value) = text.split_at(value);
    let before = before.strip_suffix(b" ").unwrap_or(before).strip_suffix(b":");
    value.ends_with(b"Z\",") && before.is_some_and(|before| before.ends_with(NAME))
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

/// Whether a text is UTF-16, by its mark and the half of its first sign that JSON leaves empty.
pub(crate) fn is_utf_16(text: &[u8]) -> bool {
    matches!(text, [0xff, 0xfe, _, 0, ..] | [0xfe, 0xff, 0, ..])
}
