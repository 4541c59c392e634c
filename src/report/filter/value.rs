//! Operators and values of a condition: what each type of column takes.

use datafusion::logical_expr::Operator;
use serde_json::Value;

use super::{Place, Test};
use crate::report::{Column, ColumnType, ReportError};
use crate::time::{DAY, Day, Micros, Zone, local_day};

/// A number to compare with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Whole(i64),
    Float(f64),
}

impl Place {
    /// What an operator and a value mean for a column.
    pub(super) fn test(&self, column: &Column, operator: Option<&str>, value: &Value, zone: Zone) -> Result<Test, ReportError> {
        Ok(match column.kind {
            ColumnType::Text | ColumnType::Period | ColumnType::PeriodOf(_) => {
                let test = match operator {
                    None | Some("contains" | "like") => Test::Contains,
                    Some("eq") => Test::Equals,
                    Some("ne") => Test::Differs,
                    Some(other) => return Err(self.operator(column, other, "contains (the default), eq, ne")),
                };
                test(self.text(value)?)
            }
            ColumnType::Integer | ColumnType::Float | ColumnType::Number => {
                let operator = match operator {
                    Some("ne") => Operator::NotEq,
                    Some("le") => Operator::LtEq,
                    Some("ge") => Operator::GtEq,
                    other => ordering(other)
                        .ok_or_else(|| self.operator(column, other.unwrap_or_default(), "eq (the default), ne, lt, le, gt, ge"))?,
                };
                match (column.kind, self.number(value)?) {
                    (ColumnType::Integer, Number::Float(number)) => among_whole(operator, number),
                    (_, number) => Test::Number(operator, number),
                }
            }
            ColumnType::Date => {
                let known = ordering(operator).ok_or_else(|| self.operator(column, operator.unwrap_or_default(), ORDERINGS))?;
                Test::Day(known, self.day(value)?)
            }
            ColumnType::DateTime | ColumnType::Timestamp => {
                let known = ordering(operator).ok_or_else(|| self.operator(column, operator.unwrap_or_default(), ORDERINGS))?;
                self.instant(known, value, zone)?
            }
            ColumnType::Enumeration => match operator {
                None | Some("eq") => Test::AnyOf(self.members(column, value)?),
                Some(other) => return Err(self.operator(column, other, "eq (the default): any of a list")),
            },
            ColumnType::Boolean => match operator {
                None | Some("eq") => Test::Is(self.truth(value)?),
                Some(other) => return Err(self.operator(column, other, "eq (the default)")),
            },
        })
    }

    fn operator(&self, column: &Column, given: &str, known: &str) -> ReportError {
        let kind = column.kind.name();
        self.wrong(
            ".operator",
            given,
            format!("an operator of {}, which is of type {kind}: {known}", column.name),
        )
    }

    fn value(&self, value: &Value, expected: impl Into<String>) -> ReportError {
        self.wrong(".value", &value.to_string(), expected)
    }

    pub(super) fn text(&self, value: &Value) -> Result<String, ReportError> {
        match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err(self.value(value, "a text")),
        }
    }

    fn number(&self, value: &Value) -> Result<Number, ReportError> {
        let text = match value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => return Err(self.value(value, "a number")),
        };
        // Rust reads words like "inf" as numbers too.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        let whole = text.parse().ok().map(Number::Whole);
        let number = whole.or_else(|| text.parse().ok().filter(|float: &f64| float.is_finite()).map(Number::Float));
        number.filter(|_| digits).ok_or_else(|| self.value(value, "a number"))
    }

    fn day(&self, value: &Value) -> Result<Day, ReportError> {
        let day = value.as_str().and_then(|text| text.parse().ok());
        day.ok_or_else(|| self.value(value, "a date like 2017-01-20 (YYYY-MM-DD)"))
    }

    /// A day is all of its instants; a date and time is one.
    fn instant(&self, operator: Operator, value: &Value, zone: Zone) -> Result<Test, ReportError> {
        let text = value.as_str().unwrap_or_default();
        if let Ok(day) = text.parse::<Day>() {
            let (start, next) = (zone.start_of(day), zone.start_of(day.next()));
            return Ok(match operator {
                Operator::Lt => Test::Within(None, Some(start)),
                Operator::Gt => Test::Within(Some(next), None),
                _ => Test::Within(Some(start), Some(next)),
            });
        }
        let at = wall_clock(text).map(|local| zone.instant(local_day(local), local.rem_euclid(DAY)));
        let at = at.ok_or_else(|| self.value(value, "a date like 2017-01-20, or a date and time like 2017-01-20 09:30:00"))?;
        Ok(Test::Instant(operator, at))
    }

    fn members(&self, column: &Column, value: &Value) -> Result<Vec<String>, ReportError> {
        let given = match value {
            Value::Array(members) => members.as_slice(),
            one => std::slice::from_ref(one),
        };
        let member = |value: &Value| {
            let known = column
                .values
                .iter()
                .find(|known| value.as_str().is_some_and(|text| known.eq_ignore_ascii_case(text)));
            known
                .cloned()
                .ok_or_else(|| self.value(value, format!("one of {}, or a list of them", column.values.join(", "))))
        };
        given.iter().map(member).collect()
    }

    fn truth(&self, value: &Value) -> Result<bool, ReportError> {
        match value {
            Value::Bool(value) => Some(*value),
            Value::Number(number) => match number.as_u64() {
                Some(1) => Some(true),
                Some(0) => Some(false),
                _ => None,
            },
            Value::String(text) => crate::report::param::truth(text),
            _ => None,
        }
        .ok_or_else(|| self.value(value, "true, false, 1 or 0"))
    }
}

/// What a comparison with any number says about whole ones: they are compared with whole ones alone, so that nothing is rounded.
fn among_whole(operator: Operator, number: f64) -> Test {
    // Every whole number is less than this one, and none is less than its negative.
    const END: f64 = 9_223_372_036_854_775_808.0;
    let below = number.floor();
    match operator {
        _ if !(-END..END).contains(&number) => Test::Known(match operator {
            Operator::Eq => false,
            Operator::NotEq => true,
            Operator::Lt | Operator::LtEq => number > 0.0,
            _ => number < 0.0,
        }),
        _ if number == below => Test::Number(operator, Number::Whole(number as i64)),
        Operator::Eq => Test::Known(false),
        Operator::NotEq => Test::Known(true),
        Operator::Lt | Operator::LtEq => Test::Number(Operator::LtEq, Number::Whole(below as i64)),
        _ => Test::Number(Operator::Gt, Number::Whole(below as i64)),
    }
}

const ORDERINGS: &str = "eq (the default), lt, gt";

/// The operators that every type with an order has.
fn ordering(operator: Option<&str>) -> Option<Operator> {
    match operator {
        None | Some("eq") => Some(Operator::Eq),
        Some("lt") => Some(Operator::Lt),
        Some("gt") => Some(Operator::Gt),
        Some(_) => None,
    }
}

/// `YYYY-MM-DD HH:MM:SS`, with a blank or a `T`, and with or without a fraction, as a wall-clock time.
fn wall_clock(text: &str) -> Option<Micros> {
    let bytes = text.as_bytes();
    // What follows is lenient about digits; a year has four.
    let shaped = bytes.len() >= 19 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[13] == b':' && bytes[16] == b':';
    let formats = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
    let parsed = formats
        .iter()
        .find_map(|format| chrono::NaiveDateTime::parse_from_str(text, format).ok());
    parsed.filter(|_| shaped).map(|time| time.and_utc().timestamp_micros())
}
