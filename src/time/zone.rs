//! An IANA time zone.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset as _, TimeZone as _};
use chrono_tz::{OffsetName as _, Tz};

use serde::{Deserialize, Serialize};

use super::{DAY, Day, Micros, ParseTimeError, SECOND, of_windows, windows_zones};
use crate::suggest;

/// An IANA time zone, with the rules of this project for times that a clock change repeats or skips.
///
/// ```
/// use headroom::time::{Day, HOUR, Zone};
/// let berlin: Zone = "Europe/Berlin".parse()?;
/// let spring: Day = "2026-03-29".parse()?;
/// assert_eq!(berlin.start_of(spring.next()) - berlin.start_of(spring), 23 * HOUR);
/// // 02:30 does not exist that day: it means the instant of the jump, 03:00.
/// assert_eq!(berlin.instant(spring, 5 * HOUR / 2), berlin.instant(spring, 3 * HOUR));
/// # Ok::<(), headroom::time::ParseTimeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(Tz);

/// What the wall clock of a zone says about a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occurrence {
    /// It happens once, at this instant.
    Once(Micros),
    /// It happens twice: the clock was set back.
    Twice(Micros, Micros),
    /// It never happens: the clock jumped over it at this instant.
    Skipped(Micros),
}

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The IANA name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Returns the end of a message about a name that is no zone: the zones that were perhaps meant.
    #[must_use]
    pub fn hint(name: &str) -> String {
        let iana = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        suggest::hint(name, iana.chain(windows_zones::names()))
    }

    /// How far the wall clock is ahead of UTC at an instant.
    #[must_use]
    pub fn offset(self, at: Micros) -> Micros {
        let utc = naive(at);
        i64::from(self.0.offset_from_utc_datetime(&utc).fix().local_minus_utc()) * SECOND
    }

    /// The wall clock at an instant, as microseconds since 1970-01-01 00:00 on that clock.
    #[must_use]
    pub fn local(self, at: Micros) -> Micros {
        at + self.offset(at)
    }

    /// The short name of the zone at an instant, like CET or CEST.
    #[must_use]
    pub fn abbreviation(self, at: Micros) -> String {
        self.0
            .offset_from_utc_datetime(&naive(at))
            .abbreviation()
            .map_or_else(String::new, str::to_owned)
    }

    /// The calendar day that holds an instant.
    #[must_use]
    pub fn day_of(self, at: Micros) -> Day {
        local_day(self.local(at))
    }

    /// The first instant of a day.
    #[must_use]
    pub fn start_of(self, day: Day) -> Micros {
        self.instant(day, 0)
    }

    /// The instant at which the wall clock of `day` shows `time` past midnight (which may be 24 hours or more).
    #[must_use]
    pub fn instant(self, day: Day, time: Micros) -> Micros {
        match self.occurrence(i64::from(day.0) * DAY + time) {
            Occurrence::Once(at) | Occurrence::Twice(at, _) | Occurrence::Skipped(at) => at,
        }
    }

    /// When the wall clock shows `local`.
    pub(crate) fn occurrence(self, local: Micros) -> Occurrence {
        let ahead = |offset: chrono_tz::TzOffset| i64::from(offset.fix().local_minus_utc()) * SECOND;
        match self.0.offset_from_local_datetime(&naive(local)) {
            MappedLocalTime::Single(offset) => Occurrence::Once(local - ahead(offset)),
            MappedLocalTime::Ambiguous(a, b) => {
                let (a, b) = (local - ahead(a), local - ahead(b));
                Occurrence::Twice(a.min(b), a.max(b))
            }
            MappedLocalTime::None => Occurrence::Skipped(self.jump_over(local)),
        }
    }

    /// The instant at which the clock jumps over `local`. The clock is behind `local` before it and past `local` after
    /// it, so halving finds it; two jumps never lie within two days of each other.
    fn jump_over(self, local: Micros) -> Micros {
        let (mut before, mut after) = (local - DAY - DAY / 2, local + DAY + DAY / 2);
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            if self.local(middle) > local {
                after = middle;
            } else {
                before = middle;
            }
        }
        after
    }
}

/// The day of a wall-clock time.
pub(crate) fn local_day(local: Micros) -> Day {
    // Instants are bounded by four-digit years, so the count of days fits.
    Day(i32::try_from(local.div_euclid(DAY)).unwrap_or(i32::MAX))
}

/// A count of microseconds as chrono's date and time; out of chrono's range becomes the epoch, which no caller reaches:
/// every parser in the project stops at four-digit years.
pub(crate) fn naive(micros: Micros) -> NaiveDateTime {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().naive_utc()
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

impl TryFrom<String> for Zone {
    type Error = ParseTimeError;

    fn try_from(name: String) -> Result<Self, ParseTimeError> {
        name.parse()
    }
}

impl FromStr for Zone {
    type Err = ParseTimeError;

    /// An IANA name as it is spelled, or the name that Windows has for a zone.
    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        // An IANA name is itself, also where Windows has a zone of that name.
        let iana = text.parse().or_else(|unknown| of_windows(text).map_or(Err(unknown), str::parse));
        iana.map(Self).map_err(|_unknown| ParseTimeError {
            hint: Self::hint(text),
            ..ParseTimeError::new(text, "an IANA time zone like Europe/Berlin or UTC")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_names_are_zones_and_near_misses_are_told() {
        assert_eq!("Romance Standard Time".parse::<Zone>().unwrap().name(), "Europe/Paris");
        assert_eq!("UTC".parse::<Zone>().unwrap().name(), "UTC");
        for (typed, meant) in [
            ("europe/paris", "Europe/Paris"),
            ("Europe/Pairs", "Europe/Paris"),
            ("EUROPE/BERLIN", "Europe/Berlin"),
            ("Berlin", "Europe/Berlin"),
            ("new york", "America/New_York"),
            ("Romance Standart Time", "Romance Standard Time"),
        ] {
            let error = typed.parse::<Zone>().unwrap_err().to_string();
            assert!(error.contains("did you mean") && error.contains(&format!("{meant:?}")), "{error}");
        }
        assert!(!"Mars/Base".parse::<Zone>().unwrap_err().to_string().contains("mean \"M"));
    }
}
