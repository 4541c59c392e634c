//! Labels of an axis of time: the periods themselves where they fit, else years, quarters, months, weeks, days or hours, with the
//! period that holds them in a second row.
//!
//! ```text
//!   28  29  30  31  │ 1   2   3            Oct │ Nov │ Dec │ Jan │ Feb
//!     Oct 2024      │   Nov 2024                2024       │   2025
//! ```

use chrono::{Datelike as _, NaiveDate};

use super::division::Division;
use super::scale::{Range, micros};
use super::style::LABEL;
use super::ticks::Tick;
use crate::time::{DAY, Day, Granularity, HOUR, MINUTE, Micros};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Room between two labels.
const GAP: f64 = 12.0;

/// The labels of an axis of time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Calendar {
    /// The row next to the axis.
    pub(super) near: Vec<Tick>,
    /// The row after it; may be empty.
    pub(super) far: Vec<Tick>,
    /// Whether the labels of the near row are told apart by lines at the beginning of each.
    pub(super) divided: bool,
}

/// The labels of a range on an axis of a length; of periods of at least a granularity, where it has one.
pub(super) fn labels(range: Range, length: f64, granularity: Option<Granularity>) -> Calendar {
    let per_micro = length / (range.to - range.from);
    if let Some(granularity) = granularity
        && let Some(near) = periods(granularity, range, per_micro)
    {
        return Calendar {
            near,
            far: Vec::new(),
            divided: false,
        };
    }
    let division = Division::finest(per_micro, granularity);
    let far = division.holder.map_or_else(Vec::new, |holder| holders(holder, range, per_micro));
    Calendar {
        near: near(division, range, per_micro),
        far,
        divided: true,
    }
}

/// The periods by their own labels, where there is room for each.
fn periods(granularity: Granularity, range: Range, per_micro: f64) -> Option<Vec<Tick>> {
    let narrowest = LABEL.width(&granularity.label(micros(range.from))) + GAP;
    let most = ((range.to - range.from) * per_micro / narrowest) as usize;
    let ticks: Vec<Tick> = starts(granularity, range)
        .take(most + 1)
        .map(|start| span(granularity, start, granularity.label(start)))
        .collect();
    let fits = |tick: &Tick| (tick.to - tick.from) * per_micro >= LABEL.width(&tick.label) + GAP;
    (ticks.len() <= most && ticks.iter().all(fits)).then_some(ticks)
}

/// The periods that begin in a range, and the one that it begins in.
fn starts(unit: Granularity, range: Range) -> impl Iterator<Item = Micros> {
    let end = micros(range.to);
    std::iter::successors(Some(unit.start_of(micros(range.from))), move |start| Some(unit.next(*start)))
        .take_while(move |start| *start < end)
}

fn span(unit: Granularity, start: Micros, label: String) -> Tick {
    Tick {
        from: start as f64,
        to: unit.next(start) as f64,
        label,
    }
}

/// The row next to the axis. Times of day, first days of weeks and years that stand for several are at their place, all else is
/// in the middle of what it names.
fn near(division: Division, range: Range, per_micro: f64) -> Vec<Tick> {
    let whole = division.every == 1 && !matches!(division.unit, Granularity::Hour | Granularity::Week);
    let end = range.to;
    let mut ticks = Vec::new();
    // An hour that begins where the axis ends still has its label there.
    let last = Some(micros(end)).filter(|last| division.unit == Granularity::Hour && division.unit.start_of(*last) == *last);
    for start in starts(division.unit, range).chain(last) {
        let (place, label) = name(division.unit, start);
        if place % division.every != 0 {
            continue;
        }
        if !whole {
            if start as f64 >= range.from {
                ticks.push(Tick::at(start as f64, label));
            }
            continue;
        }
        let tick = visible(span(division.unit, start, label), range);
        if (tick.to - tick.from) * per_micro < LABEL.width(&tick.label) {
            ticks.push(Tick {
                label: String::new(),
                ..tick
            });
        } else {
            ticks.push(tick);
        }
    }
    ticks
}

/// Where a period is among those that are counted with it, and its short name.
fn name(unit: Granularity, start: Micros) -> (i32, String) {
    let date = day(start).date();
    match unit {
        Granularity::Year => (date.year(), unit.label(start)),
        Granularity::Quarter => (0, format!("Q{}", date.month0() / 3 + 1)),
        Granularity::Month => (0, month_name(date).to_owned()),
        Granularity::Week | Granularity::Day => (0, date.day().to_string()),
        Granularity::Hour => {
            let hour = start.rem_euclid(DAY) / HOUR;
            (i32::try_from(hour).unwrap_or_default(), format!("{hour:02}:00"))
        }
    }
}

fn month_name(date: NaiveDate) -> &'static str {
    MONTHS.get(date.month0() as usize).copied().unwrap_or_default()
}

/// The row of what holds the near one. A label that does not fit is left out; where none fits, the first is there nevertheless.
fn holders(holder: Granularity, range: Range, per_micro: f64) -> Vec<Tick> {
    let mut ticks: Vec<Tick> = starts(holder, range)
        .map(|start| {
            let label = match holder {
                Granularity::Month => format!("{} {}", month_name(day(start).date()), Granularity::Year.label(start)),
                _ => holder.label(start),
            };
            visible(span(holder, start, label), range)
        })
        .collect();
    let room = |tick: &Tick| (tick.to - tick.from) * per_micro >= LABEL.width(&tick.label) + GAP / 2.0;
    if ticks.iter().any(room) {
        for tick in ticks.iter_mut().filter(|tick| !room(tick)) {
            tick.label.clear();
        }
    } else {
        ticks.truncate(1);
        if let Some(first) = ticks.first_mut() {
            first.to = range.to;
        }
    }
    ticks
}

/// The part of a tick that is on the axis.
fn visible(tick: Tick, range: Range) -> Tick {
    Tick {
        from: tick.from.max(range.from),
        to: tick.to.min(range.to),
        ..tick
    }
}

fn day(local: Micros) -> Day {
    Day(i32::try_from(local.div_euclid(DAY)).unwrap_or_default())
}

/// A wall-clock time to the minute.
pub(super) fn date_and_time(value: f64) -> String {
    let local = micros(value);
    let time = local.rem_euclid(DAY);
    format!("{} {:02}:{:02}", day(local), time / HOUR, time % HOUR / MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: &str, end: &str) -> Range {
        let micros = |text: &str| f64::from(text.parse::<Day>().unwrap().0) * DAY as f64;
        Range {
            from: micros(first),
            to: micros(end),
        }
    }

    fn rows(range: Range, length: f64, granularity: Option<Granularity>) -> (Vec<String>, Vec<String>) {
        let labels = labels(range, length, granularity);
        let row = |ticks: Vec<Tick>| ticks.into_iter().map(|tick| tick.label).filter(|label| !label.is_empty()).collect();
        (row(labels.near), row(labels.far))
    }

    #[test]
    fn few_periods_are_called_by_their_own_labels() {
        let (near, far) = rows(range("2024-01-01", "2024-04-01"), 850.0, Some(Granularity::Month));
        assert_eq!(
            (near, far),
            (vec!["2024-01".to_owned(), "2024-02".to_owned(), "2024-03".to_owned()], Vec::new())
        );
    }

    #[test]
    fn a_month_of_days_is_numbered() {
        let (near, far) = rows(range("2024-02-27", "2024-03-23"), 850.0, Some(Granularity::Day));
        assert_eq!(near[..5], ["27", "28", "29", "1", "2"]);
        assert_eq!(far, ["Feb 2024", "Mar 2024"]);
    }

    #[test]
    fn a_day_of_hours_has_its_date_below() {
        let (near, far) = rows(range("2024-02-27", "2024-02-28"), 400.0, None);
        assert_eq!(
            near,
            ["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "00:00"]
        );
        assert_eq!(far, ["2024-02-27"]);
    }

    #[test]
    fn years_are_grouped_where_there_are_many() {
        let (near, far) = rows(range("1990-01-01", "2060-01-01"), 850.0, Some(Granularity::Day));
        assert_eq!(near[..3], ["1990", "1995", "2000"]);
        assert_eq!(far, Vec::<String>::new());
    }

    #[test]
    fn no_labels_collide_whatever_the_range() {
        let start = range("2019-12-30", "2020-01-01").from;
        let mut length = HOUR as f64;
        while length < 9e16 {
            for granularity in [None, Some(Granularity::Hour), Some(Granularity::Week), Some(Granularity::Quarter)] {
                for width in [100.0, 330.0, 850.0, 3000.0] {
                    let range = Range {
                        from: start,
                        to: start + length,
                    };
                    let calendar = labels(range, width, granularity);
                    assert!(calendar.near.len() < 200);
                    let place = |tick: &Tick| ((tick.from + tick.to) / 2.0 - start) / length * width;
                    for row in [&calendar.near, &calendar.far] {
                        let row: Vec<&Tick> = row.iter().filter(|tick| !tick.label.is_empty()).collect();
                        for pair in row.windows(2) {
                            let room = (LABEL.width(&pair[0].label) + LABEL.width(&pair[1].label)) / 2.0;
                            assert!(place(pair[1]) - place(pair[0]) >= room, "{pair:?} {width}");
                        }
                    }
                }
            }
            length *= 1.9;
        }
    }
}
