//! What stands before every message: when, and who speaks.

use crate::import::neutral::{self, Value};
use crate::time::{HOUR, MINUTE, Micros, SECOND};

/// A line, taken apart but not understood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Envelope<'a> {
    pub(super) clock: Clock,
    pub(super) daemon: &'a [u8],
    pub(super) message: &'a [u8],
}

/// When a line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// On some day, this long past midnight on the wall clock.
    TimeOfDay(Micros),
    /// At an instant: the log has date stamps.
    Instant(Micros),
}

impl<'a> Envelope<'a> {
    /// Takes a line apart; nothing if it has no envelope. It must be cheap, since most lines are noise.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let (clock, rest) = clock(line)?;
        let rest = rest.strip_prefix(b" (")?;
        let close = memchr::memchr(b')', rest)?;
        let message = &rest[close + 1..];
        Some(Self {
            clock,
            daemon: rest[..close].trim_ascii(),
            message: message.strip_prefix(b" ").unwrap_or(message),
        })
    }

    /// The time as the line has it, for messages about it.
    pub(super) fn clock_text(&self) -> String {
        match self.clock {
            Clock::Instant(at) => crate::time::rfc3339(at),
            Clock::TimeOfDay(time) => format!("{}:{:02}:{:02}", time / HOUR, time / MINUTE % 60, time / SECOND % 60),
        }
    }
}

/// `H:MM:SS` with a blank before a single digit, or an RFC 3339 instant.
fn clock(line: &[u8]) -> Option<(Clock, &[u8])> {
    let line = line.strip_prefix(b" ").unwrap_or(line);
    let colon = line.iter().take(3).position(|byte| *byte == b':');
    let Some(colon) = colon else {
        let end = memchr::memchr(b' ', line.get(..40.min(line.len()))?)?;
        return match neutral::parse_time(&line[..end])? {
            Value::Instant(at) => Some((Clock::Instant(at), &line[end..])),
            _ => None,
        };
    };
    let digits = |text: &[u8]| {
        (!text.is_empty() && text.iter().all(u8::is_ascii_digit)).then(|| text.iter().fold(0, |n, digit| n * 10 + i64::from(digit - b'0')))
    };
    let hour = digits(&line[..colon])?;
    let rest = line.get(colon + 1..)?;
    let (minute, second) = (digits(rest.get(..2)?)?, digits(rest.get(3..5)?)?);
    if rest[2] != b':' || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some((Clock::TimeOfDay(hour * HOUR + minute * MINUTE + second * SECOND), &rest[5..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_padded_or_not_and_instants_are_instants() {
        let clock = |line: &'static str| Envelope::parse(line.as_bytes()).map(|envelope| envelope.clock);
        let eight = Some(Clock::TimeOfDay(8 * HOUR + 55 * MINUTE + 54 * SECOND));
        assert_eq!(clock(" 8:55:54 (x) OUT: "), eight);
        assert_eq!(clock("8:55:54 (x) OUT: "), eight);
        assert_eq!(clock("08:55:54 (x) OUT: "), eight);
        assert_eq!(clock("1970-01-01T01:00:01+01:00 (x) OUT: "), Some(Clock::Instant(SECOND)));
        for noise in [
            "",
            "\t\tfeature list",
            "Mon 8:55:54",
            "25:00:00 (x) y",
            "8:55:54 no daemon",
            "8:55",
            "2026-01-01 (x) y",
            "::::::",
        ] {
            assert_eq!(clock(noise), None, "{noise:?}");
        }
    }
}
