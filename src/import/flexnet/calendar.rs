//! Which day it is.
//!
//! Lines tell a time of day. Days come from *anchors*: lines that tell a date. Between anchors a step back over more than
//! two hours is a midnight; a smaller step back is two threads. Before the first anchor days are counted backwards from it.

use super::envelope::{Clock, Envelope};
use crate::time::{DAY, Day, HOUR, LocalTimes, MINUTE, Micros, SECOND, Zone};

/// A step back over more than this is a midnight.
const MIDNIGHT_STEP: Micros = 2 * HOUR;
/// A date and its line whose times of day differ by more than this lie on two sides of a midnight.
const OTHER_DAY: Micros = 12 * HOUR;
/// A line that is late by no more than this was written by another thread.
const JITTER: Micros = MINUTE;

/// The day of each line of a log.
#[derive(Debug)]
pub(super) struct Calendar {
    /// The day of the first line, once it is known.
    first: Option<Day>,
    /// Days since the first line, and the time of day of the last one.
    days: i32,
    last: Option<Micros>,
}

impl Calendar {
    /// A calendar of a log whose first line is of this day, or of one that its anchors will tell.
    pub(super) const fn new(first: Option<Day>) -> Self {
        Self {
            first,
            days: 0,
            last: None,
        }
    }

    pub(super) const fn is_dated(&self) -> bool {
        self.first.is_some()
    }

    /// Follows the days of lines before the first anchor. At the anchor the first day is known, and the calendar is
    /// back at the first line.
    pub(super) fn look_ahead(&mut self, envelope: &Envelope<'_>, zone: Zone) {
        let anchored = match envelope.clock {
            Clock::Instant(at) => {
                let local = zone.local(at);
                let (day, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
                self.step(time);
                i32::try_from(day).ok().map(Day)
            }
            Clock::TimeOfDay(time) => {
                self.step(time);
                anchor(envelope.message, time)
            }
        };
        if let Some(day) = anchored {
            *self = Self::new(Some(day.plus(-self.days)));
        }
    }

    /// The instant of a line; nothing if its wall clock never showed that time.
    pub(super) fn instant(&mut self, envelope: &Envelope<'_>, times: &mut LocalTimes) -> Option<Micros> {
        let first = self.first.unwrap_or_default();
        match envelope.clock {
            Clock::Instant(at) => {
                let local = times.zone().local(at);
                self.days = i32::try_from(local.div_euclid(DAY)).unwrap_or(first.0) - first.0;
                self.last = Some(local.rem_euclid(DAY));
                times.note(at);
                Some(at)
            }
            Clock::TimeOfDay(time) => {
                let late = self.step(time);
                if let Some(day) = anchor(envelope.message, time) {
                    self.days = day.0 - first.0;
                    self.last = Some(time);
                    return times.instant(i64::from(day.0) * DAY + time);
                }
                times.instant((i64::from(first.0 + self.days) - i64::from(late)) * DAY + time)
            }
        }
    }

    /// Goes on to the time of day of the next line. Returns whether that line is a late one of the day before.
    fn step(&mut self, time: Micros) -> bool {
        let Some(last) = self.last else {
            self.last = Some(time);
            return false;
        };
        if time - last > DAY - JITTER && self.days > 0 {
            return true;
        }
        if last - time > MIDNIGHT_STEP {
            self.days += 1;
        }
        self.last = Some(time);
        false
    }
}

/// The date that a message tells, if it tells one, as the day of a line with this time of day.
fn anchor(message: &[u8], time: Micros) -> Option<Day> {
    // Cheap first: hardly any line is an anchor.
    match message.first()? {
        b'T' if message.starts_with(b"TIMESTAMP ") => return slashed(std::str::from_utf8(&message[10..]).ok()?),
        b'(' => {}
        _ if message.ends_with(b")") && memchr::memchr(b'/', message).is_some() => {}
        // The other anchors say `Date` and a colon.
        _ if memchr::memchr_iter(b'D', message).any(|place| message[place..].starts_with(b"Date")) => {}
        _ => return None,
    }
    let text = std::str::from_utf8(message).ok()?;
    if text.contains(" started on ") {
        return slashed(text.rsplit_once('(')?.1.strip_suffix(')')?);
    }
    let written = if let Some((_, written)) = text.split_once("Start-Date: ") {
        written
    } else if let Some((_, written)) = text.split_once("System Date and Time: ") {
        written
    } else if text.starts_with("(@") {
        text.split_once("-SLOG@) Time: ")?.1
    } else {
        return None;
    };
    let (day, at) = written_out(written)?;
    // The date was taken with its own time of day, on the other side of midnight perhaps.
    Some(match at {
        Some(at) if at - time > OTHER_DAY => day.next(),
        Some(at) if time - at > OTHER_DAY => day.previous(),
        _ => day,
    })
}

/// `M/D/YYYY`
fn slashed(text: &str) -> Option<Day> {
    let mut parts = text.trim().splitn(3, '/');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    let year = year.get(..4)?;
    date(year, month.parse().ok()?, day)
}

/// `Wed Aug 08 2018`, with a time of day or without.
fn written_out(text: &str) -> Option<(Day, Option<Micros>)> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_ascii_whitespace();
    let (_weekday, month, day, year) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let time = words.next().and_then(|time| {
        let numbers: Vec<i64> = time.split(':').map_while(|part| part.parse().ok()).collect();
        match numbers[..] {
            [hour, minute, second] => Some(hour * HOUR + minute * MINUTE + second * SECOND),
            _ => None,
        }
    });
    Some((date(year, month as u32, day)?, time))
}

fn date(year: &str, month: u32, day: &str) -> Option<Day> {
    let date = chrono::NaiveDate::from_ymd_opt(year.parse().ok()?, month, day.parse().ok()?)?;
    (1..=9999).contains(&chrono::Datelike::year(&date)).then(|| date.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_tell_a_date_is_an_anchor() {
        let day = |text: &str| anchor(text.as_bytes(), 2 * HOUR).map(|day| day.to_string());
        assert_eq!(day("TIMESTAMP 4/8/2019").as_deref(), Some("2019-04-08"));
        let banner = "FlexNet Licensing (v11.12 build 1 x64_n6) started on SERVER01 (IBM PC) (3/30/2016)";
        assert_eq!(day(banner).as_deref(), Some("2016-03-30"));
        let start = "(@lmgrd-SLOG@) Start-Date: Wed Mar 30 2016 01:56:05 Romance Daylight Time";
        assert_eq!(day(start).as_deref(), Some("2016-03-30"));
        assert_eq!(day("(@x-SLOG@) Time: Wed Aug 08 2018 02:00:00 GMT").as_deref(), Some("2018-08-08"));
        let lmgrd = "Server's System Date and Time: Fri Jul 27 2018 02:00:00 GMT";
        assert_eq!(day(lmgrd).as_deref(), Some("2018-07-27"));
        for noise in [
            "Server started on SERVER01 for:",
            "TIMESTAMP 13/1/2019",
            "TIMESTAMP",
            "Time: Wed Aug 08 2018",
            "OUT: \"f\" a@b",
        ] {
            assert_eq!(day(noise), None, "{noise}");
        }
    }

    #[test]
    fn a_date_taken_just_before_midnight_is_not_that_of_the_line() {
        let text = b"(@x-SLOG@) Time: Wed Aug 08 2018 23:59:59 GMT";
        assert_eq!(anchor(text, 0).map(|day| day.to_string()).as_deref(), Some("2018-08-09"));
    }
}
