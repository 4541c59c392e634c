//! Calendars of holidays that requests name: `holidays=bavaria`. The operator configures them; a request resolves their names
//! before anything is computed, so that plans and cache keys hold days alone.

use std::collections::BTreeMap;

use super::ReportError;
use crate::suggest;
use crate::time::{Days, Holidays, ParseTimeError};

/// The configured calendars, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendars(BTreeMap<String, Holidays>);

/// What the parameter must be.
pub(super) const EXPECTED: &str =
    "dates like 2026-12-25, ranges like 2026-12-24..2026-12-31, or names of configured calendars, with commas between";

impl Calendars {
    /// Adds the calendar of a file: one date or range of dates a line, and perhaps words after it; `#` begins a comment.
    ///
    /// # Errors
    ///
    /// [`CalendarError`] for a name that a request could not say, and for a line that begins with no date.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), CalendarError> {
        let sayable = !name.is_empty() && !name.contains(',') && name.trim() == name && name.parse::<Days>().is_err();
        if !sayable {
            return Err(CalendarError::Name { name: name.to_owned() });
        }
        let mut ranges = Vec::new();
        for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            let line = line.split('#').next().unwrap_or_default();
            let Some(days) = line.split_whitespace().next() else {
                continue;
            };
            ranges.push(days.parse().map_err(|reason| CalendarError::Line { number, reason })?);
        }
        if self.0.insert(name.to_owned(), Holidays::new(ranges)).is_some() {
            return Err(CalendarError::Twice { name: name.to_owned() });
        }
        Ok(())
    }

    /// Returns the days that a request leaves out.
    ///
    /// # Errors
    ///
    /// [`ReportError::Malformed`] names the part that is neither a date, a range, nor a calendar.
    pub(super) fn resolve(&self, name: &str, text: &str) -> Result<Holidays, ReportError> {
        let mut ranges = Vec::new();
        for part in text.split(',').map(str::trim) {
            match (part.parse::<Days>(), self.0.get(part)) {
                (Ok(days), _) => ranges.push(days),
                (Err(_), Some(calendar)) => ranges.extend_from_slice(calendar.ranges()),
                (Err(_), None) => {
                    let known = self.0.keys().map(String::as_str);
                    let names: Vec<&str> = known.clone().collect();
                    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                    return Err(ReportError::Malformed {
                        name: name.to_owned(),
                        value: part.chars().take(200).collect(),
                        expected: format!("one of {EXPECTED} (calendars: {names}){}", suggest::hint(part, known)),
                    });
                }
            }
        }
        Ok(Holidays::new(ranges))
    }
}

/// Why a calendar makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum CalendarError {
    /// A name that a request could not say.
    #[error("a calendar cannot be called {name:?}: expected a name that is no date and has no comma")]
    Name {
        /// The name.
        name: String,
    },
    /// A name that another calendar has.
    #[error("two calendars are called {name:?}")]
    Twice {
        /// The name.
        name: String,
    },
    /// A line that begins with no date.
    #[error("line {number}: {reason}")]
    Line {
        /// The line, from 1.
        number: usize,
        /// What is wrong with it.
        reason: ParseTimeError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_dates_and_ranges_are_put_together() {
        let mut calendars = Calendars::default();
        let file = "# Bavaria\n2026-01-01 New Year\r\n\n2026-12-25..2026-12-26  # Christmas\n";
        calendars.add("bavaria", file).unwrap();
        let days = calendars.resolve("holidays", "2026-05-14, bavaria").unwrap();
        assert_eq!(days.to_string(), "2026-01-01,2026-05-14,2026-12-25..2026-12-26");
        let error = calendars.resolve("holidays", "bavria").unwrap_err().to_string();
        assert!(
            error.contains("did you mean \"bavaria\"") && error.contains("\"holidays\""),
            "{error}"
        );
        assert!(calendars.resolve("holidays", "").is_err());
        assert!(
            Calendars::default()
                .resolve("holidays", "x")
                .unwrap_err()
                .to_string()
                .contains("calendars: none")
        );
    }

    #[test]
    fn files_and_names_that_make_no_sense_are_refused() {
        let mut calendars = Calendars::default();
        for name in ["", "a,b", "2026-01-01", " a"] {
            assert!(calendars.add(name, "").is_err(), "{name}");
        }
        let error = calendars.add("a", "2026-01-01\nChristmas 2026\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("Christmas"), "{error}");
        calendars.add("a", "").unwrap();
        assert!(calendars.add("a", "").is_err());
    }
}
