//! Days from a first to a last one. There is at least one day: what is written the wrong way round is no range.

use std::fmt;
use std::str::FromStr;

use super::{Day, ParseTimeError};

/// Days from a first to a last one, both included.
///
/// ```
/// use headroom::time::Days;
/// let days: Days = "2026-02-27..2026-03-02".parse()?;
/// assert!(days.contains("2026-03-02".parse()?));
/// assert_eq!("2026-03-01".parse::<Days>()?.to_string(), "2026-03-01");
/// assert!("2026-03-02..2026-03-01".parse::<Days>().is_err());
/// # Ok::<(), headroom::time::ParseTimeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    first: Day,
    last: Day,
}

impl Days {
    /// Every day there is.
    pub const ALL: Self = Self {
        first: Day(i32::MIN),
        last: Day(i32::MAX),
    };

    /// The first day.
    #[must_use]
    pub const fn first(self) -> Day {
        self.first
    }

    /// The last day.
    #[must_use]
    pub const fn last(self) -> Day {
        self.last
    }

    /// Returns the same days up to another last one, which must not be before the first.
    pub(super) const fn until(self, last: Day) -> Self {
        Self { last, ..self }
    }

    /// Whether a day is one of them.
    #[must_use]
    pub fn contains(self, day: Day) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            all if *all == Self::ALL => f.write_str("any day"),
            Self { first, last } if first == last => first.fmt(f),
            Self { first, last } => write!(f, "{first}..{last}"),
        }
    }
}

impl FromStr for Days {
    type Err = ParseTimeError;

    /// `YYYY-MM-DD`, or two of them with `..` between, the earlier one first.
    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        match (first.parse(), last.parse()) {
            (Ok(first), Ok(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(ParseTimeError::new(
                text,
                "a day like 2026-03-01, or a first and a last day like 2026-03-01..2026-03-31",
            )),
        }
    }
}
