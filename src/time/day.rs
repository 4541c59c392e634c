//! A calendar day.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike as _, NaiveDate};

use super::ParseTimeError;

/// A calendar day, counted from 1970-01-01; the same number that Arrow's `Date32` holds.
///
/// ```
/// use headroom::time::Day;
/// let day: Day = "2024-02-29".parse()?;
/// assert_eq!(day.next().to_string(), "2024-03-01");
/// assert!("2023-02-29".parse::<Day>().is_err());
/// assert!("2023-2-9".parse::<Day>().is_err());
/// # Ok::<(), headroom::time::ParseTimeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Day(pub i32);

/// 1970-01-01 counted from 0001-01-01, as chrono counts.
const EPOCH_FROM_CE: i32 = 719_163;

impl Day {
    /// The day `days` later, or earlier when negative.
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0 + days)
    }

    /// Returns the weekday: 1 for Monday to 7 for Sunday.
    #[must_use]
    pub const fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday. The remainder is 0 to 6.
        (self.0.rem_euclid(7) + 3).rem_euclid(7) as u8 + 1
    }

    /// The day after.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }

    /// The day before.
    #[must_use]
    pub const fn previous(self) -> Self {
        self.plus(-1)
    }

    /// Every day from `self` to `last`, both included.
    pub fn to(self, last: Self) -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator + Clone {
        (self.0..last.0.saturating_add(1)).map(Self)
    }

    /// The day as a calendar date.
    #[must_use]
    pub fn date(self) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(self.0.saturating_add(EPOCH_FROM_CE)).unwrap_or_default()
    }
}

impl From<NaiveDate> for Day {
    fn from(date: NaiveDate) -> Self {
        Self(date.num_days_from_ce() - EPOCH_FROM_CE)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.date();
        write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    }
}

impl FromStr for Day {
    type Err = ParseTimeError;

    /// Strictly `YYYY-MM-DD`, years 0001 to 9999.
    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let error = || ParseTimeError::new(text, "a date like 2017-01-20 (YYYY-MM-DD)");
        let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = *text.as_bytes() else {
            return Err(error());
        };
        let number = |digits: &[u8]| {
            digits.iter().try_fold(0u32, |number, digit| {
                digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
            })
        };
        let (Some(year), Some(month), Some(day)) = (number(&[y0, y1, y2, y3]), number(&[m0, m1]), number(&[d0, d1])) else {
            return Err(error());
        };
        let year = i32::try_from(year).map_err(|_too_large| error())?;
        match NaiveDate::from_ymd_opt(year, month, day) {
            Some(date) if year >= 1 => Ok(date.into()),
            _ => Err(error()),
        }
    }
}
