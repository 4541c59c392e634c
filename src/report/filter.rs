//! Filters: conditions on columns, all of which must hold.
//!
//! ```text
//!  {"property":"un","operator":"eq","value":"ben"}                       new syntax
//!  {"field":"ldtc","type":"numeric","comparison":"gt","value":"1"}       old syntax      ─▶ Condition ─▶ expression of the plan
//! ```
//!
//! What an operator means depends on the type of the column. A text that is not known is like an empty one; any other value that
//! is not known meets no condition. Conditions become expressions of the engine, never text of a query.

use datafusion::functions::datetime::expr_fn::to_char;
use datafusion::functions::string::expr_fn::{contains, lower};
use datafusion::logical_expr::{Expr, Operator, binary_expr, cast, lit};
use datafusion::scalar::ScalarValue;
use serde::Deserialize;
use serde_json::Value;

use super::json::{brief, elements};
use super::{Column, ColumnType, ReportError};
use crate::functions::period_label;
use crate::suggest;
use crate::time::{Day, Micros, Zone};

mod value;

use self::value::Number;

/// What a column must be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    column: Column,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    /// What is printed has this in it, in lower or upper case.
    Contains(String),
    Equals(String),
    Differs(String),
    Number(Operator, Number),
    /// Any number at all; or none.
    Known(bool),
    Day(Operator, Day),
    /// On or after the first instant, and before the second.
    Within(Option<Micros>, Option<Micros>),
    Instant(Operator, Micros),
    AnyOf(Vec<String>),
    Is(bool),
}

/// An element as it was written, in either syntax.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Element {
    New(NewElement),
    Old(OldElement),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewElement {
    property: String,
    operator: Option<String>,
    value: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OldElement {
    field: String,
    #[serde(rename = "type")]
    kind: OldType,
    comparison: Option<String>,
    value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OldType {
    String,
    Numeric,
}

/// Both syntaxes, for people.
const SYNTAX: &str = "an object like {\"property\":\"un\",\"operator\":\"eq\",\"value\":\"ben\"} \
                      or {\"field\":\"ldtc\",\"type\":\"numeric\",\"comparison\":\"gt\",\"value\":\"1\"}";

/// Reads the parameter `filter`.
pub(super) fn parse(text: &str, columns: &[Column], zone: Zone) -> Result<Vec<Condition>, ReportError> {
    let elements = elements("filter", text, SYNTAX)?;
    let read = |(place, element)| Condition::read(&Place(place), element, columns, zone);
    elements.into_iter().enumerate().map(read).collect()
}

/// Which element it is.
struct Place(usize);

impl Place {
    fn wrong(&self, part: &str, value: &str, expected: impl Into<String>) -> ReportError {
        ReportError::Malformed {
            name: format!("filter[{}]{part}", self.0),
            value: brief(value),
            expected: expected.into(),
        }
    }
}

impl Condition {
    fn read(place: &Place, element: Value, columns: &[Column], zone: Zone) -> Result<Self, ReportError> {
        let written = element.to_string();
        let element: Element = serde_json::from_value(element).map_err(|_neither| place.wrong("", &written, SYNTAX))?;
        let (handle, operator, value, old) = match element {
            Element::New(new) => (new.property, new.operator, new.value, None),
            Element::Old(old) => (old.field, old.comparison, old.value, Some(old.kind)),
        };
        let column = columns.iter().find(|column| column.name == handle).ok_or_else(|| {
            let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            place.wrong(
                if old.is_some() { ".field" } else { ".property" },
                &handle,
                format!(
                    "one of the columns {}{}",
                    known.join(", "),
                    suggest::hint(&handle, known.iter().copied())
                ),
            )
        })?;
        if let Some(old) = old {
            check_old(place, column, old, operator.as_deref())?;
        }
        let printed = old == Some(OldType::String) && operator.is_none();
        let test = match column.kind {
            ColumnType::Date | ColumnType::DateTime if printed => Test::Contains(place.text(&value)?),
            _ => place.test(column, operator.as_deref(), &value, zone)?,
        };
        Ok(Self {
            column: column.clone(),
            test,
        })
    }

    /// The handle of the column.
    pub(super) fn column(&self) -> &str {
        &self.column.name
    }

    /// The condition on the column as it is in the report's own rows.
    pub(super) fn expression(&self, column: Expr, zone: Zone) -> Expr {
        let compared = |operator: Operator, value: ScalarValue| binary_expr(column.clone(), operator, lit(value));
        let instant = |at: Micros| ScalarValue::TimestampMicrosecond(Some(at), Some("UTC".into()));
        match &self.test {
            Test::Contains(part) if part.is_empty() => lit(true),
            Test::Contains(part) => contains(lower(self.printed(column, zone)), lit(part.to_lowercase())),
            Test::Equals(text) if text.is_empty() => column.clone().is_null().or(self.printed(column, zone).eq(lit(""))),
            Test::Equals(text) => self.printed(column, zone).eq(lit(text.as_str())),
            Test::Differs(text) if text.is_empty() => column.clone().is_not_null().and(self.printed(column, zone).not_eq(lit(""))),
            Test::Differs(text) => column.clone().is_null().or(self.printed(column, zone).not_eq(lit(text.as_str()))),
            Test::Number(operator, Number::Whole(number)) => compared(*operator, ScalarValue::from(*number)),
            Test::Number(operator, Number::Float(number)) => compared(*operator, ScalarValue::from(*number)),
            Test::Known(true) => column.is_not_null(),
            Test::Known(false) => lit(false),
            Test::Day(operator, day) => compared(*operator, ScalarValue::Date32(Some(day.0))),
            Test::Within(from, until) => {
                let from = from.map(|from| compared(Operator::GtEq, instant(from)));
                let until = until.map(|until| compared(Operator::Lt, instant(until)));
                from.into_iter().chain(until).reduce(Expr::and).unwrap_or_else(|| lit(true))
            }
            Test::Instant(operator, at) => compared(*operator, instant(*at)),
            Test::AnyOf(texts) if texts.is_empty() => lit(false),
            Test::AnyOf(texts) => column.in_list(texts.iter().map(|text| lit(text.as_str())).collect(), false),
            Test::Is(value) => column.eq(lit(*value)),
        }
    }

    /// The column as text formats print it.
    fn printed(&self, column: Expr, zone: Zone) -> Expr {
        use arrow::datatypes::{DataType, TimeUnit};
        match self.column.kind {
            ColumnType::PeriodOf(granularity) => period_label(column, granularity),
            ColumnType::Date => cast(column, DataType::Utf8),
            ColumnType::DateTime => {
                let local = DataType::Timestamp(TimeUnit::Microsecond, Some(zone.name().into()));
                to_char(cast(column, local), lit("%Y-%m-%d %H:%M:%S"))
            }
            _ => column,
        }
    }
}

/// The old syntax says what a column is: what it says must be so.
fn check_old(place: &Place, column: &Column, old: OldType, comparison: Option<&str>) -> Result<(), ReportError> {
    let is_number = matches!(column.kind, ColumnType::Integer | ColumnType::Float);
    match old {
        OldType::Numeric if !is_number => Err(place.wrong(
            ".type",
            "numeric",
            format!("\"string\": {} is of type {}", column.name, column.kind.name()),
        )),
        OldType::String if is_number || column.kind == ColumnType::Boolean => {
            let fits = if is_number {
                "\"numeric\""
            } else {
                "of the old syntax, which has no truth values"
            };
            Err(place.wrong(
                ".type",
                "string",
                format!("{fits}: {} is of type {}", column.name, column.kind.name()),
            ))
        }
        OldType::Numeric | OldType::String => match comparison {
            None | Some("eq" | "lt" | "gt") => Ok(()),
            Some(other) => Err(place.wrong(".comparison", other, "one of eq, lt, gt")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: ColumnType) -> Column {
        Column {
            name: name.to_owned(),
            title: name.to_owned(),
            kind,
            visibility: super::super::Visibility::Shown,
            values: vec!["Floating".to_owned(), "Token".to_owned()],
            summary: String::new(),
            native: None,
        }
    }

    fn columns() -> Vec<Column> {
        vec![
            column("t", ColumnType::Text),
            column("n", ColumnType::Integer),
            column("f", ColumnType::Float),
            column("d", ColumnType::Date),
            column("at", ColumnType::DateTime),
            column("e", ColumnType::Enumeration),
            column("b", ColumnType::Boolean),
        ]
    }

    fn tests(text: &str) -> Result<Vec<Test>, String> {
        let parsed = parse(text, &columns(), Zone::UTC).map_err(|error| error.to_string())?;
        Ok(parsed.into_iter().map(|condition| condition.test).collect())
    }

    #[test]
    fn either_syntax_says_the_same() {
        let new = tests(r#"[{"property":"n","operator":"gt","value":3},{"property":"t","value":"B"}]"#).unwrap();
        let old =
            tests(r#"[{"type":"numeric","comparison":"gt","field":"n","value":"3"},{"type":"string","field":"t","value":"B"}]"#).unwrap();
        assert_eq!(new, old);
        assert_eq!(new, [Test::Number(Operator::Gt, Number::Whole(3)), Test::Contains("B".to_owned())]);
    }

    #[test]
    fn days_of_instants_are_half_open() {
        let day: Day = "1970-01-02".parse().unwrap();
        let start = Zone::UTC.start_of(day);
        let next = Zone::UTC.start_of(day.next());
        let of = |operator: &str| tests(&format!(r#"[{{"property":"at","operator":"{operator}","value":"1970-01-02"}}]"#)).unwrap();
        assert_eq!(of("eq"), [Test::Within(Some(start), Some(next))]);
        assert_eq!(of("lt"), [Test::Within(None, Some(start))]);
        assert_eq!(of("gt"), [Test::Within(Some(next), None)]);
        assert_eq!(
            tests(r#"[{"property":"at","operator":"lt","value":"1970-01-02T00:00:01.5"}]"#).unwrap(),
            [Test::Instant(Operator::Lt, start + 1_500_000)]
        );
    }

    #[test]
    fn whatever_is_wrong_names_the_element() {
        for (text, told) in [
            ("nonsense", "\"filter\""),
            ("{}", "\"filter\""),
            ("[1]", "filter[0]"),
            (
                r#"[{"property":"t","value":"x"},{"property":"zz","value":1}]"#,
                "filter[1].property",
            ),
            (r#"[{"property":"t","operator":"gt","value":"x"}]"#, "filter[0].operator"),
            (r#"[{"property":"n","value":"three"}]"#, "filter[0].value"),
            (r#"[{"property":"n","value":true}]"#, "filter[0].value"),
            (r#"[{"property":"d","value":"2015-02-30"}]"#, "filter[0].value"),
            (r#"[{"property":"d","operator":"ge","value":"2015-02-03"}]"#, "filter[0].operator"),
            (r#"[{"property":"e","value":["Floating","Sinking"]}]"#, "filter[0].value"),
            (r#"[{"property":"b","value":"maybe"}]"#, "filter[0].value"),
            (r#"[{"property":"t","value":"x","extra":1}]"#, "filter[0]"),
            (r#"[{"property":"t","field":"t","value":"x"}]"#, "filter[0]"),
            (r#"[{"property":"t"}]"#, "filter[0]"),
            (r#"[{"field":"n","type":"string","value":"1"}]"#, "filter[0].type"),
            (r#"[{"field":"t","type":"numeric","value":"1"}]"#, "filter[0].type"),
            (
                r#"[{"field":"n","type":"numeric","comparison":"ge","value":"1"}]"#,
                "filter[0].comparison",
            ),
        ] {
            let error = tests(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn whole_numbers_are_compared_with_whole_numbers() {
        let of = |operator: &str, value: &str| tests(&format!(r#"[{{"property":"n","operator":"{operator}","value":{value}}}]"#)).unwrap();
        let whole = |operator, number| [Test::Number(operator, Number::Whole(number))];
        assert_eq!(of("eq", "5.0"), whole(Operator::Eq, 5));
        assert_eq!(of("eq", "5.5"), [Test::Known(false)]);
        assert_eq!(of("ne", "5.5"), [Test::Known(true)]);
        assert_eq!(of("lt", "5.5"), whole(Operator::LtEq, 5));
        assert_eq!(of("gt", "-5.5"), whole(Operator::Gt, -6));
        assert_eq!(of("ge", "5e-1"), whole(Operator::Gt, 0));
        assert_eq!(of("lt", "1e30"), [Test::Known(true)]);
        assert_eq!(of("gt", "1e30"), [Test::Known(false)]);
        assert_eq!(of("lt", "-1e30"), [Test::Known(false)]);
        assert_eq!(of("ne", "9223372036854775808"), [Test::Known(true)]);
        assert_eq!(of("le", "9223372036854775807"), whole(Operator::LtEq, i64::MAX));
    }

    #[test]
    fn members_of_an_enumeration_are_found_in_any_case() {
        let any = |value: &str| tests(&format!(r#"[{{"property":"e","value":{value}}}]"#)).unwrap();
        assert_eq!(any(r#""floating""#), [Test::AnyOf(vec!["Floating".to_owned()])]);
        assert_eq!(
            any(r#"["TOKEN","Floating"]"#),
            [Test::AnyOf(vec!["Token".to_owned(), "Floating".to_owned()])]
        );
        assert_eq!(any("[]"), [Test::AnyOf(Vec::new())]);
    }
}
