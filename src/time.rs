//! Calendar time: days, zones, periods and working hours.
//!
//! Every instant in the project is a [`Micros`]: microseconds since 1970-01-01T00:00:00Z. Every *local* time is the
//! same kind of number counted on the wall clock of one [`Zone`], and never leaves the function that made it without
//! saying so in its name. Nothing here reads the clock of the machine.
//!
//! ```text
//!   wall clock   01:00      02:00 ─ skipped ─ 03:00        a skipped time means the instant of the jump
//!   instants   ────┼──────────┼─────────────────┼────▶
//!
//!   wall clock   01:00   02:00   02:00 again  03:00        a repeated time means its first occurrence
//!   instants   ────┼───────┼────────┼───────────┼────▶
//! ```

mod day;
mod days;
mod hours;
mod local_times;
mod offsets;
mod period;
mod windows_zones;
mod workdays;
mod zone;

pub use self::day::Day;
pub use self::days::Days;
pub use self::hours::{TimeOfDay, Window, WorkingHours};
pub use self::local_times::LocalTimes;
pub use self::offsets::Offsets;
pub use self::period::Granularity;
pub use self::windows_zones::of_windows;
pub use self::workdays::{Holidays, Weekdays, Workdays};
pub use self::zone::Zone;
pub(crate) use self::zone::{Occurrence, local_day};

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;

/// One second in [`Micros`].
pub const SECOND: Micros = 1_000_000;
/// One minute in [`Micros`].
pub const MINUTE: Micros = 60 * SECOND;
/// One hour in [`Micros`].
pub const HOUR: Micros = 60 * MINUTE;
/// Twenty-four hours in [`Micros`]; a calendar day may be longer or shorter.
pub const DAY: Micros = 24 * HOUR;

/// More periods than anyone reads in one report: 200 years of hours are 1.8 million.
pub const MOST_PERIODS: usize = 5_000_000;

/// A text that is no date, time, zone or granularity: what it was, and what would have been accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}{hint}")]
pub struct ParseTimeError {
    text: String,
    expected: &'static str,
    hint: String,
}

impl ParseTimeError {
    /// What was perhaps meant: the end of a message, or nothing.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }

    fn new(text: &str, expected: &'static str) -> Self {
        Self {
            text: text.chars().take(64).collect(),
            expected,
            hint: String::new(),
        }
    }
}

/// A wall-clock time as `YYYY-MM-DD HH:MM:SS`.
#[must_use]
pub fn wall_clock(local: Micros) -> String {
    let time = zone::naive(local);
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// The instant as RFC 3339 in UTC, with a fraction only where there is one.
///
/// ```
/// assert_eq!(headroom::time::rfc3339(0), "1970-01-01T00:00:00Z");
/// assert_eq!(headroom::time::rfc3339(1_500_000), "1970-01-01T00:00:01.500Z");
/// ```
#[must_use]
pub fn rfc3339(at: Micros) -> String {
    chrono::DateTime::from_timestamp_micros(at).map_or_else(
        || format!("{at} µs"),
        |instant| instant.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
    )
}
