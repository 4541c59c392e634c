//! Parameters that are JSON: arrays of elements, and objects whose keys keep their order.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::ReportError;

/// A text that goes into a message: its beginning.
pub(super) fn brief(text: &str) -> String {
    text.chars().take(200).collect()
}

/// Plans get deeper with every element, and stacks have an end.
const MOST_ELEMENTS: usize = 100;

/// The elements of a parameter that is a JSON array.
pub(super) fn elements(name: &str, text: &str, element: &str) -> Result<Vec<Value>, ReportError> {
    let elements: Vec<Value> = serde_json::from_str(text).map_err(|error| ReportError::Malformed {
        name: name.to_owned(),
        value: brief(text),
        expected: format!("a JSON array of elements, each {element} ({error})"),
    })?;
    if elements.len() > MOST_ELEMENTS {
        return Err(ReportError::Malformed {
            name: name.to_owned(),
            value: brief(text),
            expected: format!("at most {MOST_ELEMENTS} elements, not {}", elements.len()),
        });
    }
    Ok(elements)
}

/// The members of a parameter that is a JSON object, in the order they were written.
pub(super) fn members(name: &str, text: &str, example: &str) -> Result<Vec<(String, Value)>, ReportError> {
    let Members(members) = serde_json::from_str(text).map_err(|error| ReportError::Malformed {
        name: name.to_owned(),
        value: brief(text),
        expected: format!("a JSON object like {example} ({error})"),
    })?;
    Ok(members)
}

struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
