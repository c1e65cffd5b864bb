//! From JSON pointers to the lines of the text that a document was read from.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use shipshape_core::text::offset_of;

use super::log::Region;
use crate::place::{Lines, Place};

/// Where a pointer leads.
pub(super) struct Spot {
    /// The member; where the document has none of that name, the nearest one around it. None where the document has
    /// no lines of its own.
    pub(super) region: Option<Region>,
    /// The member's value alone, where the document has the member and its value is in one line.
    pub(super) value: Option<Region>,
    /// The pointer with names for indexes, as far as elements have one: it stays when elements move.
    pub(super) stable: String,
    /// What the first element on the way that has a name is called.
    pub(super) name: Option<String>,
}

/// A document's members by their pointers. A level is read when a pointer first leads through it and then kept, so that
/// a document with a thousand violations is not read a thousand times.
pub(super) struct Outline<'a> {
    text: &'a str,
    lines: Option<Lines>,
    levels: BTreeMap<String, Level>,
}

/// The members of an object, the elements of a list, or what has neither.
enum Level {
    Object(BTreeMap<String, Member>),
    List(Vec<Member>),
    Scalar,
}

#[derive(Clone)]
struct Member {
    /// Where it begins: at its name, or in a list at its value.
    start: usize,
    value: Range<usize>,
}

impl<'a> Outline<'a> {
    /// The outline of a document.
    pub(super) fn new(place: &'a Place) -> Self {
        let text = place.document.text();
        Self { text, lines: place.start.map(|start| Lines::of(text, start)), levels: BTreeMap::new() }
    }

    /// Where a pointer leads.
    pub(super) fn find(&mut self, pointer: &str) -> Spot {
        let mut member = Member { start: 0, value: 0..self.text.len() };
        let (mut path, mut stable, mut called) = (String::new(), String::new(), None);
        let mut exact = true;
        for segment in pointer.split('/').skip(1) {
            let next = exact.then(|| self.level(&path, &member.value).member(segment)).flatten();
            path = format!("{path}/{segment}");
            exact = next.is_some();
            let name = next.and_then(|next| {
                member = next;
                // Names tell the elements of lists apart; members of objects have theirs already.
                segment.parse::<usize>().ok().and_then(|_| self.name(&path, &member.value))
            });
            stable.push('/');
            stable.push_str(name.as_deref().unwrap_or(segment));
            called = called.or(name);
        }
        let one_line = !self.text.get(member.value.clone()).is_some_and(|value| value.contains('\n'));
        // A whole container would be many lines, of which most are right: its first line stands for it.
        let end = if one_line { member.value.end } else { member.value.start + 1 };
        let value = (exact && one_line).then(|| self.region(member.value.clone())).flatten();
        Spot { region: self.region(member.start..end), value, stable, name: called }
    }

    fn level(&mut self, path: &str, value: &Range<usize>) -> &Level {
        let text = self.text;
        self.levels.entry(path.to_owned()).or_insert_with(|| Level::read(text, value))
    }

    /// What an element calls itself.
    fn name(&mut self, path: &str, value: &Range<usize>) -> Option<String> {
        let text = self.text;
        let name = self.level(path, value).member("name")?;
        serde_json::from_str(text.get(name.value)?).ok()
    }

    fn region(&self, part: Range<usize>) -> Option<Region> {
        let lines = self.lines.as_ref()?;
        let [start, end] = [part.start, part.end].map(|offset| lines.at(self.text, offset));
        Some(Region {
            start_line: start.line,
            start_column: Some(start.column),
            end_line: Some(end.line),
            end_column: Some(end.column),
        })
    }
}

impl Level {
    fn read(text: &str, value: &Range<usize>) -> Self {
        let json = text.get(value.clone()).unwrap_or_default();
        let range = |part: &RawValue| {
            let start = offset_of(part.get(), text).unwrap_or_default();
            start..start + part.get().len()
        };
        if let Ok(Members(members)) = serde_json::from_str(json) {
            let member = |(name, value): (&RawValue, &RawValue)| {
                let key = serde_json::from_str(name.get()).ok()?;
                Some((key, Member { start: range(name).start, value: range(value) }))
            };
            Self::Object(members.into_iter().filter_map(member).collect())
        } else if let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(json) {
            let element = |value: &RawValue| Member { start: range(value).start, value: range(value) };
            Self::List(elements.into_iter().map(element).collect())
        } else {
            Self::Scalar
        }
    }

    /// What a pointer's segment names.
    fn member(&self, segment: &str) -> Option<Member> {
        match self {
            Self::Object(members) => members.get(&segment.replace("~1", "/").replace("~0", "~")).cloned(),
            Self::List(elements) => elements.get(segment.parse::<usize>().ok()?).cloned(),
            Self::Scalar => None,
        }
    }
}

/// The members of an object as they stand in the text, names included.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collect)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use shipshape_core::document::Document;

    use super::*;
    use crate::place::Position;

    #[test]
    fn pointers_lead_to_members_elements_and_what_is_around_what_is_missing() {
        let text = r#"{"a/b": {"~": [10, {"name": "x/y", "c": {"name": "no"}, "d": [{"name": "z"}]}], "n\u0061me": 1}, "": 2}"#;
        let json: &RawValue = serde_json::from_str(text).unwrap();
        let start = Some(Position { line: 3, column: 11 });
        let place = Place { path: Path::new("a.json").into(), start, document: Document::new(json) };
        let mut outline = Outline::new(&place);
        let rows = [
            ("", text, true, ""),
            ("/a~1b/~0/0", "10", true, "/a~1b/~0/0"),
            ("/a~1b/~0/1/c/name", r#""name": "no""#, true, "/a~1b/~0/x/y/c/name"),
            ("/a~1b/~0/1/c/d/e", r#""c": {"name": "no"}"#, false, "/a~1b/~0/x/y/c/d/e"),
            ("/a~1b/~0/1/d/0/e", r#"{"name": "z"}"#, false, "/a~1b/~0/x/y/d/z/e"),
            ("/a~1b/~0/1/d/1", r#""d": [{"name": "z"}]"#, false, "/a~1b/~0/x/y/d/1"),
            ("/a~1b/name", r#""n\u0061me": 1"#, true, "/a~1b/name"),
            ("/", r#""": 2"#, true, "/"),
            ("/a~1b/name/deeper", r#""n\u0061me": 1"#, false, "/a~1b/name/deeper"),
        ];
        for (pointer, marked, exact, stable) in rows {
            let spot = outline.find(pointer);
            let Region { start_line, start_column, end_line, end_column } = spot.region.unwrap();
            let [start, end] = [start_column, end_column].map(|column| column.unwrap() - 11);
            assert_eq!((start_line, end_line, &text[start..end]), (3, Some(3), marked), "{pointer}");
            assert_eq!((spot.value.is_some(), spot.stable.as_str()), (exact, stable), "{pointer}");
        }
        assert_eq!(outline.find("/a~1b/~0/1/d/0/e").name.as_deref(), Some("x/y"));
    }
}
