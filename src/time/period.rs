//! Calendar periods: what grouped reports put in one row.

use std::str::FromStr;

use chrono::{Datelike as _, Months, NaiveDate};

use super::zone::naive;
use super::{DAY, Day, HOUR, Micros, ParseTimeError};

/// The length of a calendar period. Its wire number is its discriminant.
///
/// ```
/// use headroom::time::{DAY, Day, Granularity};
/// let local = i64::from("2019-05-15".parse::<Day>()?.0) * DAY;
/// let week: Granularity = "week".parse()?;
/// assert_eq!(week, "4".parse()?);
/// assert_eq!(week.label(week.start_of(local)), "2019-05-13-2019-05-19");
/// # Ok::<(), headroom::time::ParseTimeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Granularity {
    /// A calendar year.
    Year = 1,
    /// Three months from January, April, July or October.
    Quarter = 2,
    /// A calendar month.
    Month = 3,
    /// Monday to Sunday.
    Week = 4,
    /// A calendar day.
    Day = 5,
    /// A wall-clock hour; one that is repeated is one period, one that is skipped is an empty one.
    Hour = 6,
}

impl Granularity {
    /// Every granularity, longest first.
    pub const ALL: [Self; 6] = [Self::Year, Self::Quarter, Self::Month, Self::Week, Self::Day, Self::Hour];

    /// The wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Year => "YEAR",
            Self::Quarter => "QUARTER",
            Self::Month => "MONTH",
            Self::Week => "WEEK",
            Self::Day => "DAY",
            Self::Hour => "HOUR",
        }
    }

    /// The first wall-clock time of the period that holds the wall-clock time `local`.
    #[must_use]
    pub fn start_of(self, local: Micros) -> Micros {
        match self {
            Self::Hour => return local.div_euclid(HOUR) * HOUR,
            Self::Day => return local.div_euclid(DAY) * DAY,
            // 1970-01-01 was a Thursday, three days into its week.
            Self::Week => return (local.div_euclid(DAY) - (local.div_euclid(DAY) + 3).rem_euclid(7)) * DAY,
            Self::Month | Self::Quarter | Self::Year => {}
        }
        let date = naive(local).date();
        let month = match self {
            Self::Year => 1,
            Self::Quarter => date.month0() / 3 * 3 + 1,
            _ => date.month(),
        };
        midnight(date.with_day(1).and_then(|first| first.with_month(month)).unwrap_or(date))
    }

    /// The start of the period after the one that starts at the wall-clock time `start`.
    #[must_use]
    pub fn next(self, start: Micros) -> Micros {
        let months = match self {
            Self::Hour => return start + HOUR,
            Self::Day => return start + DAY,
            Self::Week => return start + 7 * DAY,
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Year => 12,
        };
        let date = naive(start).date();
        midnight(date.checked_add_months(Months::new(months)).unwrap_or(NaiveDate::MAX))
    }

    /// The starts of all periods that share a day with `first` to `last`, in order.
    pub fn starts(self, first: Day, last: Day) -> impl Iterator<Item = Micros> {
        let end = (i64::from(last.0) + 1) * DAY;
        let start = self.start_of(i64::from(first.0) * DAY);
        std::iter::successors(Some(start), move |start| Some(self.next(*start))).take_while(move |start| *start < end)
    }

    /// At most how many periods share a day with so many days.
    #[must_use]
    pub const fn at_most(self, days: usize) -> usize {
        match self {
            Self::Hour => days * 24,
            Self::Day => days,
            Self::Week => days / 7 + 2,
            Self::Month | Self::Quarter | Self::Year => days / 28 + 2,
        }
    }

    /// The text of the period that starts at the wall-clock time `start`.
    #[must_use]
    pub fn label(self, start: Micros) -> String {
        let date = naive(start).date();
        let year = date.year();
        match self {
            Self::Year => format!("{year:04}"),
            Self::Quarter => format!("{year:04}-Q{}", date.month0() / 3 + 1),
            Self::Month => format!("{year:04}-{:02}", date.month()),
            Self::Week => format!("{}-{}", Day::from(date), Day::from(date).plus(6)),
            Self::Day => Day::from(date).to_string(),
            Self::Hour => format!("{} {:02}:00", Day::from(date), start.rem_euclid(DAY) / HOUR),
        }
    }
}

fn midnight(date: NaiveDate) -> Micros {
    i64::from(Day::from(date).0) * DAY
}

impl FromStr for Granularity {
    type Err = ParseTimeError;

    /// A name in any case, or the wire number.
    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        Self::ALL
            .into_iter()
            .find(|granularity| text.eq_ignore_ascii_case(granularity.name()) || text == (*granularity as u8).to_string())
            .ok_or_else(|| {
                ParseTimeError::new(
                    text,
                    "a granularity: YEAR or 1, QUARTER or 2, MONTH or 3, WEEK or 4, DAY or 5, HOUR or 6",
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(granularity: &str, first: &str, last: &str) -> Vec<String> {
        let granularity: Granularity = granularity.parse().unwrap();
        let starts = granularity.starts(first.parse().unwrap(), last.parse().unwrap());
        starts.map(|start| granularity.label(start)).collect()
    }

    #[test]
    fn periods_are_whole_even_where_the_range_cuts_them() {
        assert_eq!(labels("QUARTER", "2019-05-31", "2019-07-01"), ["2019-Q2", "2019-Q3"]);
        assert_eq!(labels("3", "2015-12-31", "2016-01-01"), ["2015-12", "2016-01"]);
        assert_eq!(labels("week", "2015-01-01", "2015-01-02"), ["2014-12-29-2015-01-04"]);
        assert_eq!(
            labels("Day", "2016-02-28", "2016-03-01"),
            ["2016-02-28", "2016-02-29", "2016-03-01"]
        );
        assert_eq!(labels("1", "2018-12-31", "2020-01-01"), ["2018", "2019", "2020"]);
    }

    #[test]
    fn a_day_has_twenty_four_hour_labels() {
        let hours = labels("6", "2019-01-02", "2019-01-02");
        assert_eq!((hours.len(), hours[17].as_str()), (24, "2019-01-02 17:00"));
    }

    #[test]
    fn weeks_before_the_epoch_start_on_monday_too() {
        assert_eq!(labels("4", "1969-12-31", "1969-12-31"), ["1969-12-29-1970-01-04"]);
    }
}
