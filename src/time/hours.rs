//! Working hours and the windows of instants that they cut out of days.

use std::fmt;
use std::str::FromStr;

use super::{DAY, Day, MINUTE, Micros, ParseTimeError, Zone};

/// A half-open interval of instants `[start, end)` that is never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    start: Micros,
    end: Micros,
}

impl Window {
    /// The window, or nothing if it would be empty.
    #[must_use]
    pub fn new(start: Micros, end: Micros) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The first instant inside.
    #[inline]
    #[must_use]
    pub const fn start(self) -> Micros {
        self.start
    }

    /// The first instant after.
    #[inline]
    #[must_use]
    pub const fn end(self) -> Micros {
        self.end
    }

    /// What two windows share.
    #[must_use]
    pub fn intersect(self, start: Micros, end: Micros) -> Option<Self> {
        Self::new(self.start.max(start), self.end.min(end))
    }
}

/// A time on the wall clock, `00:00` to `24:00`, to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// Midnight at the end of the day.
    pub const END_OF_DAY: Self = Self(24 * 60);

    /// Since midnight.
    #[must_use]
    pub fn micros(self) -> Micros {
        i64::from(self.0) * MINUTE
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for TimeOfDay {
    type Err = ParseTimeError;

    /// Strictly `HH:MM`, `00:00` to `24:00`.
    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let error = || ParseTimeError::new(text, "a time like 09:00 (HH:MM, 00:00 to 24:00)");
        let [h0, h1, b':', m0, m1] = *text.as_bytes() else {
            return Err(error());
        };
        if ![h0, h1, m0, m1].iter().all(u8::is_ascii_digit) {
            return Err(error());
        }
        let two = |a: u8, b: u8| u16::from(a - b'0') * 10 + u16::from(b - b'0');
        let (hour, minute) = (two(h0, h1), two(m0, m1));
        let time = Self(hour * 60 + minute);
        if minute < 60 && time <= Self::END_OF_DAY {
            Ok(time)
        } else {
            Err(error())
        }
    }
}

/// The hours of each day that count: `[start, end)` on the wall clock of a zone, on every day of a range.
///
/// An `end` before `start` makes an overnight window that belongs to the day it starts on; an `end` equal to `start`
/// makes a whole day from `start`.
///
/// ```
/// use headroom::time::{HOUR, WorkingHours, Zone};
/// let day = "2026-01-05".parse()?;
/// let night = WorkingHours { start: "22:00".parse()?, end: "06:00".parse()? };
/// let windows = night.windows(day, day, Zone::UTC);
/// assert_eq!(windows[0].end() - windows[0].start(), 8 * HOUR);
/// # Ok::<(), headroom::time::ParseTimeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkingHours {
    /// When the window opens.
    pub start: TimeOfDay,
    /// When it closes.
    pub end: TimeOfDay,
}

impl WorkingHours {
    /// How long one window is on a day without a clock change.
    #[must_use]
    pub fn nominal(self) -> Micros {
        let length = self.end.micros() - self.start.micros();
        if length > 0 { length } else { length + DAY }
    }

    /// The windows of the days `first` to `last`, both included, in order and without overlap. A window that a clock
    /// change swallows is left out.
    #[must_use]
    pub fn windows(self, first: Day, last: Day, zone: Zone) -> Vec<Window> {
        self.windows_on(first.to(last), zone)
    }

    /// Returns the windows that begin on these days, which must be in order.
    #[must_use]
    pub fn windows_on(self, days: impl Iterator<Item = Day>, zone: Zone) -> Vec<Window> {
        let (start, end) = (self.start.micros(), self.start.micros() + self.nominal());
        let mut windows: Vec<Window> = Vec::with_capacity(days.size_hint().1.unwrap_or_default());
        for day in days {
            // Both are wall-clock times, so that 24 hours past a start are a calendar day and not 24 real hours.
            let (opens, closes) = (zone.instant(day, start), zone.instant(day, end));
            let opens = windows.last().map_or(opens, |before| opens.max(before.end()));
            windows.extend(Window::new(opens, closes));
        }
        windows
    }
}

/// Whole days: midnight to midnight.
impl Default for WorkingHours {
    fn default() -> Self {
        Self {
            start: TimeOfDay(0),
            end: TimeOfDay::END_OF_DAY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::HOUR;

    fn hours(start: &str, end: &str) -> WorkingHours {
        WorkingHours {
            start: start.parse().unwrap(),
            end: end.parse().unwrap(),
        }
    }

    fn lengths(hours: WorkingHours, first: &str, last: &str, zone: &str) -> Vec<f64> {
        let windows = hours.windows(first.parse().unwrap(), last.parse().unwrap(), zone.parse().unwrap());
        windows
            .iter()
            .map(|window| (window.end() - window.start()) as f64 / HOUR as f64)
            .collect()
    }

    #[test]
    fn an_end_before_the_start_runs_into_the_next_morning() {
        assert_eq!(lengths(hours("22:00", "06:00"), "2026-01-01", "2026-01-02", "UTC"), [8.0, 8.0]);
    }

    #[test]
    fn equal_ends_are_a_whole_calendar_day() {
        assert_eq!(
            lengths(hours("09:00", "09:00"), "2026-03-28", "2026-03-29", "Europe/Berlin"),
            [23.0, 24.0]
        );
        assert_eq!(
            lengths(hours("00:00", "24:00"), "2026-10-25", "2026-10-25", "Europe/Berlin"),
            [25.0]
        );
        assert_eq!(
            lengths(hours("00:00", "00:00"), "2026-10-25", "2026-10-25", "Europe/Berlin"),
            [25.0]
        );
    }

    #[test]
    fn a_start_at_midnight_of_the_end_is_a_whole_day_of_the_next() {
        assert_eq!(
            lengths(hours("24:00", "24:00"), "2026-10-24", "2026-10-24", "Europe/Berlin"),
            [25.0]
        );
    }

    #[test]
    fn skipped_boundaries_are_the_jump_and_repeated_ones_the_first() {
        assert_eq!(
            lengths(hours("02:15", "02:45"), "2026-03-29", "2026-03-29", "Europe/Berlin"),
            [0.0; 0]
        );
        assert_eq!(lengths(hours("02:30", "04:00"), "2026-03-29", "2026-03-29", "Europe/Berlin"), [1.0]);
        assert_eq!(lengths(hours("01:30", "02:30"), "2026-10-25", "2026-10-25", "Europe/Berlin"), [1.0]);
        assert_eq!(lengths(hours("02:30", "03:00"), "2026-10-25", "2026-10-25", "Europe/Berlin"), [1.5]);
        assert_eq!(
            lengths(hours("01:30", "02:30"), "2026-10-04", "2026-10-04", "Australia/Lord_Howe"),
            [0.5]
        );
    }

    #[test]
    fn times_are_strict() {
        for bad in ["9:00", "24:01", "12:60", "ab:cd", "", "09:00:00"] {
            assert!(bad.parse::<TimeOfDay>().is_err(), "{bad}");
        }
    }
}
