//! From values to places on the picture.
//!
//! A [`Range`] is never empty, and every value that is let in is finite and small enough to be divided and added to.

use super::{Axis, Chart, ChartKind, Datum, Scale};
use crate::time::{DAY, Granularity, HOUR, Micros};

/// The first instant of the year 1 and the last of the year 9999: beyond them calendars end.
const TIMES: (f64, f64) = (-62_135_596_800e6, 253_402_300_799e6);

/// Larger numbers are no measurement.
const LARGEST: f64 = 1e18;

/// Smaller numbers are nothing.
const SMALLEST: f64 = 1e-9;

/// From where to where an axis goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    /// The value at its beginning.
    pub(super) from: f64,
    /// The value at its end, which is greater.
    pub(super) to: f64,
}

/// What a chart has to make room for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    /// To the right.
    pub(super) x: Range,
    /// The greatest value upwards, at least 0.
    pub(super) highest: f64,
}

/// Where the values of an axis are on the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mapping {
    /// The values.
    pub(super) range: Range,
    /// The place of the first one.
    pub(super) start: f64,
    /// The place of the last one.
    pub(super) end: f64,
}

impl Mapping {
    /// The place of a value; what is out of range is put at its end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let part = (value - self.range.from) / (self.range.to - self.range.from);
        self.start + part.clamp(0.0, 1.0) * (self.end - self.start)
    }

    /// How long the axis is.
    pub(super) fn length(&self) -> f64 {
        (self.end - self.start).abs()
    }
}

impl Extent {
    /// Of all data; nothing where there is none.
    pub(super) fn of(chart: &Chart) -> Option<Self> {
        let data = || {
            chart
                .series
                .iter()
                .flat_map(|series| &series.points)
                .filter(|datum| is_value(datum.x))
        };
        let highest = data().map(|datum| datum.y).filter(|y| is_value(*y)).fold(f64::NAN, f64::max);
        if highest.is_nan() {
            return None;
        }
        let (first, last) = data().fold((f64::NAN, f64::NAN), |(first, last), datum| (first.min(datum.x), last.max(datum.x)));
        let x = match chart.x.scale {
            Scale::Time => whole_time(micros(first), micros(last)),
            Scale::TimeOfDay => Range { from: 0.0, to: DAY as f64 },
            Scale::Period(granularity) => periods(granularity, micros(first), granularity.next(granularity.start_of(micros(last)))),
            Scale::Count | Scale::Number => {
                let last = if chart.kind == ChartKind::Bars { last + 1.0 } else { last };
                let marks = chart.marks.iter().map(|mark| mark.x).filter(|x| is_value(*x));
                let to = marks.fold(last, f64::max);
                Range {
                    from: 0.0,
                    to: if to < SMALLEST { 1.0 } else { to },
                }
            }
        };
        Some(Self {
            x,
            highest: if highest < SMALLEST { 0.0 } else { highest },
        })
    }
}

/// Whether a number can be shown.
fn is_value(number: f64) -> bool {
    number.abs() <= LARGEST
}

impl Datum {
    /// Whether there is anything to show.
    pub(super) fn is_there(&self) -> bool {
        is_value(self.x) && is_value(self.y)
    }
}

/// A value of an axis of time.
pub(super) fn micros(value: f64) -> Micros {
    value.clamp(TIMES.0, TIMES.1) as Micros
}

fn periods(granularity: Granularity, first: Micros, end: Micros) -> Range {
    Range {
        from: granularity.start_of(first) as f64,
        to: end as f64,
    }
}

/// Whole days, or whole hours where there are few.
fn whole_time(first: Micros, last: Micros) -> Range {
    let granularity = if first < last && last - first < 6 * HOUR {
        Granularity::Hour
    } else {
        Granularity::Day
    };
    let start = granularity.start_of(last);
    // Data up to a midnight need no day that begins with it.
    let end = if start == last && first < last {
        last
    } else {
        granularity.next(start)
    };
    periods(granularity, first, end)
}

impl Axis {
    /// From where to where the bar of a datum goes.
    pub(super) fn span(&self, x: f64) -> Range {
        match self.scale {
            Scale::Period(granularity) => {
                let start = granularity.start_of(micros(x));
                periods(granularity, start, granularity.next(start))
            }
            Scale::Time => Range {
                from: x,
                to: x + DAY as f64,
            },
            Scale::TimeOfDay => Range {
                from: x,
                to: x + HOUR as f64,
            },
            Scale::Count | Scale::Number => Range { from: x, to: x + 1.0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::tests::{chart, series};

    #[test]
    fn an_axis_of_periods_ends_with_the_last_one() {
        let mut months = chart(ChartKind::Bars, Scale::Period(Granularity::Month), Scale::Count);
        // 2024-01-01 and 2024-02-01.
        months.series = vec![series("", &[(1_704_067_200e6, 3.0), (1_706_745_600e6, 1.0)])];
        let extent = Extent::of(&months).unwrap();
        assert_eq!(
            extent.x,
            Range {
                from: 1_704_067_200e6,
                to: 1_709_251_200e6
            }
        );
        assert_eq!(extent.highest, 3.0);
    }

    #[test]
    fn a_single_instant_is_shown_in_its_day() {
        let mut days = chart(ChartKind::Points, Scale::Time, Scale::TimeOfDay);
        days.series = vec![series("", &[(1_704_100_000e6, 1.0)])];
        assert_eq!(
            Extent::of(&days).unwrap().x,
            Range {
                from: 1_704_067_200e6,
                to: 1_704_153_600e6
            }
        );
    }

    #[test]
    fn nothing_but_missing_numbers_is_nothing() {
        let mut lines = chart(ChartKind::Lines, Scale::Time, Scale::Number);
        assert_eq!(Extent::of(&lines), None);
        lines.series = vec![series("", &[(0.0, f64::NAN), (f64::INFINITY, 1.0), (f64::NAN, 2.0)])];
        assert_eq!(Extent::of(&lines), None);
    }

    #[test]
    fn places_of_values_stay_on_the_axis() {
        let mapping = Mapping {
            range: Range { from: 10.0, to: 20.0 },
            start: 100.0,
            end: 0.0,
        };
        assert_eq!([9.0, 10.0, 15.0, 99.0].map(|value| mapping.at(value)), [100.0, 100.0, 50.0, 0.0]);
    }
}
