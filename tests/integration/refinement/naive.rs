//! What options mean, done with every row, one after another.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDateTime, TimeZone as _};
use chrono_tz::Tz;
use serde_json::Value;

use super::draw::{Comparison, Options, Test};
use super::{Cell, Whole, WholeRow};

/// The rows that match, in order.
pub(super) fn refined<'a>(whole: &'a Whole, options: &Options) -> Vec<&'a WholeRow> {
    let matches = |row: &&WholeRow| {
        options
            .tests
            .iter()
            .all(|(column, test)| is(&row.cells[*column], &row.told.0[*column].1, test))
    };
    let mut rows: Vec<&WholeRow> = whole.rows.iter().filter(matches).collect();
    // Stable: what is equal stays in the natural order.
    rows.sort_by(|left, right| {
        let by = |(column, reverse): &(usize, bool)| {
            let ascending = compared(&left.cells[*column], &right.cells[*column]);
            if *reverse { ascending.reverse() } else { ascending }
        };
        options.order.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    rows
}

/// The rows of a page.
pub(super) fn page<'a>(rows: &[&'a WholeRow], options: &Options) -> Vec<&'a WholeRow> {
    rows.iter()
        .copied()
        .skip(options.offset)
        .take(options.limit.unwrap_or(usize::MAX))
        .collect()
}

/// What is not known is greater than everything.
fn compared(left: &Cell, right: &Cell) -> Ordering {
    match (left, right) {
        (Cell::Null, Cell::Null) => Ordering::Equal,
        (Cell::Null, _) => Ordering::Greater,
        (_, Cell::Null) => Ordering::Less,
        (Cell::Text(left), Cell::Text(right)) => left.as_bytes().cmp(right.as_bytes()),
        (Cell::Integer(left), Cell::Integer(right)) => left.cmp(right),
        (Cell::Float(left), Cell::Float(right)) => left.partial_cmp(right).unwrap(),
        (Cell::Boolean(left), Cell::Boolean(right)) => left.cmp(right),
        (Cell::Date(left), Cell::Date(right)) => left.cmp(right),
        (Cell::Instant(left, _), Cell::Instant(right, _)) => left.cmp(right),
        (Cell::Wall(left), Cell::Wall(right)) => left.cmp(right),
        other => panic!("{other:?}"),
    }
}

fn is(cell: &Cell, told: &Value, test: &Test) -> bool {
    let printed = told.as_str().unwrap_or_default();
    match (test, cell) {
        // A text that is not known is an empty one; nothing else that is not known is anything.
        (Test::Part(part), _) => printed.to_lowercase().contains(&part.to_lowercase()),
        (Test::Text(Comparison::Equal, wanted), _) => printed == wanted,
        (Test::Text(Comparison::Unequal, wanted), _) => printed != wanted,
        (_, Cell::Null) => false,
        (Test::Number(comparison, wanted), Cell::Integer(number)) => holds(*comparison, (*number as f64).partial_cmp(wanted)),
        (Test::Number(comparison, wanted), Cell::Float(number)) => holds(*comparison, number.partial_cmp(wanted)),
        (Test::Day(comparison, wanted), Cell::Date(day)) => holds(*comparison, Some(day.cmp(wanted))),
        (Test::Day(comparison, wanted), Cell::Instant(micros, zone)) => {
            let day = DateTime::from_timestamp_micros(*micros).unwrap().with_timezone(zone).date_naive();
            holds(*comparison, Some(day.cmp(wanted)))
        }
        (Test::Moment(comparison, wanted), Cell::Instant(micros, zone)) => {
            holds(*comparison, Some(micros.cmp(&first_pass(*wanted, *zone))))
        }
        (Test::AnyOf(members), Cell::Text(text)) => members.iter().any(|member| member.eq_ignore_ascii_case(text)),
        (Test::Truth(wanted), Cell::Boolean(value)) => value == wanted,
        other => panic!("{other:?}"),
    }
}

fn holds(comparison: Comparison, order: Option<Ordering>) -> bool {
    let order = order.unwrap();
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::Unequal => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::Greater => order.is_gt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

/// The first instant that shows a wall-clock time.
fn first_pass(wall: NaiveDateTime, zone: Tz) -> i64 {
    zone.from_local_datetime(&wall).earliest().unwrap().timestamp_micros()
}
