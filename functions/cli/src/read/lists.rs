//! The lists of events that one object holds, by their names, and the elements of a list one by one.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::scan::LISTS;

/// The members of an object that may be lists of events, as they follow on each other.
#[derive(Default)]
pub(crate) struct Lists<'a> {
    members: Vec<(&'static str, &'a RawValue)>,
    /// Whether the object is an event itself, and no wrapper of others.
    pub(crate) is_event: bool,
}

/// A list's name, and what stands there.
pub(crate) type List<'a> = (&'static str, &'a RawValue);

impl<'a> Lists<'a> {
    /// Those of a value; none where it is no object.
    pub(crate) fn of(json: &'a RawValue) -> Self {
        serde_json::from_str(json.get()).unwrap_or_default()
    }

    /// The names of those that are lists.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.members.iter().filter(|(_, json)| is_list(json)).map(|(name, _)| *name)
    }

    /// What a wrapper wraps, and the names of further lists. A member that is no list is there all the same.
    pub(crate) fn wrapped(&self) -> Option<(List<'a>, impl Iterator<Item = &'static str>)> {
        let members = if self.is_event { &[][..] } else { &self.members };
        let first = members.iter().position(|(_, json)| is_list(json)).unwrap_or(0);
        Some((*members.get(first)?, self.names().skip(1)))
    }
}

fn is_list(json: &RawValue) -> bool {
    json.get().starts_with('[')
}

impl<'de> Deserialize<'de> for Lists<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Lists<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut lists = Lists::default();
                while let Some(name) = map.next_key::<Cow<'de, str>>()? {
                    if let Some(list) = LISTS.into_iter().find(|list| *list == name) {
                        lists.members.push((list, map.next_value()?));
                    } else {
                        lists.is_event |= name == "eventName" || name == "detail-type";
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(lists)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// Goes through the elements of a list; answers whether it is one.
pub(crate) fn each_of(json: &RawValue, take: impl FnMut(usize, &RawValue)) -> bool {
    struct Each<F>(F);
    impl<'de, F: FnMut(usize, &RawValue)> Visitor<'de> for Each<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
            let mut index = 0;
            while let Some(json) = list.next_element::<&RawValue>()? {
                (self.0)(index, json);
                index += 1;
            }
            Ok(())
        }
    }
    let mut json = serde_json::Deserializer::from_str(json.get());
    json.deserialize_seq(Each(take)).is_ok()
}
