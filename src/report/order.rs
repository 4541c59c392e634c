//! The order of rows: what the caller asks for, then the report's natural order, so that paging is repeatable.

use serde::Deserialize;

use super::json::{brief, elements};
use super::{Column, ReportError};
use crate::suggest;

/// A column to order by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ordering {
    /// The handle.
    pub(super) column: String,
    /// The smallest first, and what is not known last; else the other way around.
    pub(super) ascending: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Element {
    property: String,
    direction: Option<String>,
}

const SYNTAX: &str = "an object like {\"property\":\"un\",\"direction\":\"DESC\"}";

/// Reads the parameter `order`.
pub(super) fn parse(text: &str, columns: &[Column]) -> Result<Vec<Ordering>, ReportError> {
    let mut orderings: Vec<Ordering> = Vec::new();
    for (place, element) in elements("order", text, SYNTAX)?.into_iter().enumerate() {
        let wrong = |part: &str, value: &str, expected: &str| ReportError::Malformed {
            name: format!("order[{place}]{part}"),
            value: brief(value),
            expected: expected.to_owned(),
        };
        let written = element.to_string();
        let element: Element = serde_json::from_value(element).map_err(|_other| wrong("", &written, SYNTAX))?;
        let known = known(columns, &element.property);
        if !columns.iter().any(|column| column.name == element.property) {
            return Err(wrong(".property", &element.property, &known));
        }
        if orderings.iter().any(|ordering| ordering.column == element.property) {
            return Err(wrong(".property", &element.property, "a column that is not ordered by already"));
        }
        let ascending = element.direction.as_deref().map_or(Some(true), direction);
        orderings.push(Ordering {
            ascending: ascending.ok_or_else(|| wrong(".direction", element.direction.as_deref().unwrap_or_default(), "ASC or DESC"))?,
            column: element.property,
        });
    }
    Ok(orderings)
}

/// Reads `orderBy` and `orderDirection`.
pub(super) fn parse_old(handle: &str, ascending: bool, columns: &[Column]) -> Result<Vec<Ordering>, ReportError> {
    if !columns.iter().any(|column| column.name == handle) {
        return Err(ReportError::Malformed {
            name: "orderBy".to_owned(),
            value: brief(handle),
            expected: known(columns, handle),
        });
    }
    Ok(vec![Ordering {
        column: handle.to_owned(),
        ascending,
    }])
}

/// Whether a direction is that from the smallest; nothing for what is no direction.
pub(super) fn direction(text: &str) -> Option<bool> {
    match text.to_ascii_uppercase().as_str() {
        "ASC" => Some(true),
        "DESC" => Some(false),
        _ => None,
    }
}

fn known(columns: &[Column], typed: &str) -> String {
    let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    format!(
        "one of the columns {}{}",
        known.join(", "),
        suggest::hint(typed, known.iter().copied())
    )
}
