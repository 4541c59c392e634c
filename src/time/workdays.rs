//! The days whose working hours count: weekdays that are kept, and holidays that are left out.
//!
//! Both have one canonical text, which reads as the same value again, so that texts can stand for them in plans and cache keys.

use std::fmt;
use std::str::FromStr;

use super::{Day, Days, ParseTimeError};
use crate::suggest;

/// Monday to Sunday, in English.
const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Shorter names, beside the first three letters of each.
const SHORTER: [(&str, u8); 4] = [("tues", 2), ("weds", 3), ("thur", 4), ("thurs", 4)];

/// A set of weekdays, never empty.
///
/// ```
/// use headroom::time::Weekdays;
/// let days: Weekdays = "fri-mon, WED".parse()?;
/// assert_eq!(days.to_string(), "1,3,5,6,7");
/// assert_eq!("1-7".parse::<Weekdays>()?, Weekdays::ALL);
/// assert!("mon-".parse::<Weekdays>().is_err() && "8".parse::<Weekdays>().is_err());
/// # Ok::<(), headroom::time::ParseTimeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekdays(u8);

impl Weekdays {
    /// Monday to Sunday.
    pub const ALL: Self = Self(0b111_1111);

    /// Returns true if the day falls on one of them.
    #[must_use]
    pub fn contains(self, day: Day) -> bool {
        self.0 & bit(day.weekday()) != 0
    }
}

/// The place of a weekday (1 Monday to 7 Sunday) in a set.
const fn bit(weekday: u8) -> u8 {
    1 << (weekday - 1)
}

impl fmt::Display for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = (1..=7u8).filter(|day| self.0 & bit(*day) != 0);
        f.write_str(&days.map(|day| day.to_string()).collect::<Vec<_>>().join(","))
    }
}

impl FromStr for Weekdays {
    type Err = ParseTimeError;

    /// Weekdays and ranges of them with commas between. A range whose end comes before its start runs over the weekend.
    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let mut days = 0;
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (weekday(first)?, weekday(last)?);
            let mut day = first;
            days |= bit(day);
            while day != last {
                day = day % 7 + 1;
                days |= bit(day);
            }
        }
        Ok(Self(days))
    }
}

/// One weekday: 1 to 7, or an English name.
fn weekday(text: &str) -> Result<u8, ParseTimeError> {
    let name = text.trim().to_ascii_lowercase();
    let full = (1..).zip(NAMES).map(|(day, known)| (known, day));
    let short = (1..).zip(NAMES).map(|(day, known)| (&known[..3], day));
    let mut known = full.chain(short).chain(SHORTER);
    let found = match name.as_bytes() {
        [digit @ b'1'..=b'7'] => Some(digit - b'0'),
        _ => known.find(|(known, _)| *known == name).map(|(_, day)| day),
    };
    found.ok_or_else(|| ParseTimeError {
        hint: suggest::hint(&name, NAMES),
        ..ParseTimeError::new(text.trim(), Weekdays::EXPECTED)
    })
}

impl Weekdays {
    /// What a text must be.
    pub const EXPECTED: &'static str = "weekdays like mon-fri or 1,3,5 (Monday is 1; ranges and lists)";
}

/// Days that are left out: dates and ranges of dates.
///
/// ```
/// use headroom::time::Holidays;
/// let days: Holidays = "2026-12-24..2026-12-26,2026-01-01".parse()?;
/// assert!(days.contains("2026-12-25".parse()?) && !days.contains("2026-12-27".parse()?));
/// assert_eq!(days.to_string(), "2026-01-01,2026-12-24..2026-12-26");
/// # Ok::<(), headroom::time::ParseTimeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holidays {
    /// In order and apart from each other.
    ranges: Vec<Days>,
}

impl Holidays {
    /// Puts ranges in order, and those that overlap or touch together.
    #[must_use]
    pub fn new(mut ranges: Vec<Days>) -> Self {
        ranges.sort_by_key(|range| range.first());
        let mut merged: Vec<Days> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(before) if range.first() <= before.last().next() => *before = before.until(range.last().max(before.last())),
                _ => merged.push(range),
            }
        }
        Self { ranges: merged }
    }

    /// The ranges, in order.
    #[must_use]
    pub fn ranges(&self) -> &[Days] {
        &self.ranges
    }

    /// Returns true if the day is left out.
    #[must_use]
    pub fn contains(&self, day: Day) -> bool {
        let after = self.ranges.partition_point(|range| range.last() < day);
        self.ranges.get(after).is_some_and(|range| range.contains(day))
    }
}

impl fmt::Display for Holidays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges: Vec<String> = self.ranges.iter().map(ToString::to_string).collect();
        f.write_str(&ranges.join(","))
    }
}

impl FromStr for Holidays {
    type Err = ParseTimeError;

    /// Dates and ranges of dates with commas between; an empty text is no day.
    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let ranges = text.split(',').map(|part| part.trim().parse());
        Ok(Self::new(ranges.collect::<Result<_, _>>()?))
    }
}

/// The days whose windows count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workdays {
    /// The weekdays on which windows begin.
    pub weekdays: Weekdays,
    /// The days on which none begins.
    pub holidays: Holidays,
}

impl Workdays {
    /// Returns the days from `first` to `last` that count, in order.
    pub fn of(&self, first: Day, last: Day) -> impl Iterator<Item = Day> + Clone {
        first
            .to(last)
            .filter(|day| self.weekdays.contains(*day) && !self.holidays.contains(*day))
    }
}

/// Every day counts.
impl Default for Workdays {
    fn default() -> Self {
        Self {
            weekdays: Weekdays::ALL,
            holidays: Holidays::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Datelike as _;

    use super::*;

    #[test]
    fn weekdays_are_those_of_the_calendar() {
        for day in Day(-1000).to(Day(1000)) {
            assert_eq!(u32::from(day.weekday()), day.date().weekday().number_from_monday());
        }
    }

    #[test]
    fn every_way_to_write_weekdays() {
        for (text, days) in [
            ("mon-fri", "1,2,3,4,5"),
            ("Monday-Friday", "1,2,3,4,5"),
            ("1-5", "1,2,3,4,5"),
            ("MON-5", "1,2,3,4,5"),
            ("sat,sun", "6,7"),
            ("sat-sun", "6,7"),
            ("fri-mon", "1,5,6,7"),
            ("7-1", "1,7"),
            ("mon , wed,5", "1,3,5"),
            ("thurs,tues,weds", "2,3,4"),
            ("wed-tue", "1,2,3,4,5,6,7"),
            ("sun-sun", "7"),
            ("mon,mon", "1"),
        ] {
            assert_eq!(text.parse::<Weekdays>().unwrap().to_string(), days, "{text}");
            assert_eq!(days.parse::<Weekdays>().unwrap().to_string(), days);
        }
        for text in [
            "",
            ",",
            "mon,",
            "0",
            "8",
            "-",
            "mon-",
            "-fri",
            "mon-fri-sun",
            "12",
            "funday",
            "mon fri",
            "m",
            "1.5",
        ] {
            assert!(text.parse::<Weekdays>().is_err(), "{text}");
        }
        assert!(
            "mondy"
                .parse::<Weekdays>()
                .unwrap_err()
                .to_string()
                .contains("did you mean \"monday\"")
        );
    }

    #[test]
    fn holidays_are_put_in_order() {
        let days: Holidays = "2026-05-01,2026-04-30,2026-05-03..2026-05-05,2026-05-04..2026-05-10"
            .parse()
            .unwrap();
        assert_eq!(days.to_string(), "2026-04-30..2026-05-01,2026-05-03..2026-05-10");
        assert!(!days.contains("2026-05-02".parse().unwrap()) && days.contains("2026-05-08".parse().unwrap()));
        for text in ["x", "2026-05-01,", "2026-05-05..2026-05-01", "2026-02-30"] {
            assert!(text.parse::<Holidays>().is_err(), "{text}");
        }
    }
}
