//! Times printed by a pattern, as PostgreSQL prints them.

use std::fmt::Write as _;

use chrono::{Datelike as _, NaiveDateTime, NaiveTime, Timelike as _};

use super::{DAYS, Field, Letters, MONTHS, Pattern, Piece, ROMAN};

/// A time on a wall clock, and the zone of that clock where it has one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    /// What the clock shows.
    pub(crate) local: NaiveDateTime,
    /// How many seconds it is ahead of UTC.
    pub(crate) ahead: i32,
    /// The short name of its zone, like CET; empty without a zone.
    pub(crate) zone: &'a str,
}

/// How many Julian days there were before the year 1.
pub(super) const JULIAN_DAYS_BEFORE: i32 = 1_721_425;

impl Pattern {
    /// Whether it prints something of the date, which a time of day does not have.
    pub(crate) fn has_date(&self) -> bool {
        self.pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Field { field, .. } if !field.is_clock()))
    }

    /// Prints a time.
    pub(crate) fn print(&self, moment: Moment<'_>, out: &mut String) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Field { field, bare, ordinal } => {
                    let start = out.len();
                    field.print(moment, *bare, out);
                    if let Some(letters) = ordinal {
                        let ending = ending(&out[start..]);
                        out.push_str(&letters.of(ending));
                    }
                }
            }
        }
    }
}

/// The letters behind an ordinal number.
fn ending(number: &str) -> &'static str {
    let digits = number.as_bytes();
    if digits.len() >= 2 && digits[digits.len() - 2] == b'1' {
        return "th";
    }
    match digits.last() {
        Some(b'1') => "st",
        Some(b'2') => "nd",
        Some(b'3') => "rd",
        _ => "th",
    }
}

impl Field {
    fn print(self, moment: Moment<'_>, bare: bool, out: &mut String) {
        let local = moment.local;
        let (date, time) = (local.date(), local.time());
        let week = date.iso_week();
        match self {
            Self::Year(digits) => number(last_digits(date.year(), digits), digits, bare, out),
            Self::IsoYear(digits) => number(last_digits(week.year(), digits), digits, bare, out),
            Self::YearWithComma => {
                let year = last_digits(date.year(), 9);
                // Writing to a text cannot fail.
                let _infallible = write!(out, "{},{:03}", year / 1000, year % 1000);
            }
            Self::Century => {
                let year = date.year();
                number(if year > 0 { (year + 99) / 100 } else { year / 100 - 1 }, 2, bare, out);
            }
            Self::Quarter => number(quarter(date.month0()), 1, bare, out),
            Self::Month => number(signed(date.month()), 2, bare, out),
            Self::MonthName(letters) => name(&letters.of(MONTHS[date.month0() as usize]), 9, bare, out),
            Self::MonthShort(letters) => out.push_str(&letters.of(&MONTHS[date.month0() as usize][..3])),
            Self::MonthRoman(letters) => {
                let letters = if letters == Letters::Lower {
                    Letters::Lower
                } else {
                    Letters::Upper
                };
                name(&letters.of(ROMAN[date.month0() as usize]), 4, bare, out);
            }
            Self::WeekOfMonth => number(signed(date.day0() / 7 + 1), 1, bare, out),
            Self::WeekOfYear => number(signed(date.ordinal0() / 7 + 1), 2, bare, out),
            Self::IsoWeek => number(signed(week.week()), 2, bare, out),
            Self::Day => number(signed(date.day()), 2, bare, out),
            Self::DayOfYear => number(signed(date.ordinal()), 3, bare, out),
            Self::DayOfIsoYear => number(signed(week.week0() * 7 + date.weekday().number_from_monday()), 3, bare, out),
            Self::Weekday => number(signed(date.weekday().number_from_sunday()), 1, bare, out),
            Self::IsoWeekday => number(signed(date.weekday().number_from_monday()), 1, bare, out),
            Self::DayName(letters) => name(&letters.of(day_name(local)), 9, bare, out),
            Self::DayShort(letters) => out.push_str(&letters.of(&day_name(local)[..3])),
            Self::JulianDay => number(date.num_days_from_ce() + JULIAN_DAYS_BEFORE, 1, bare, out),
            Self::Hour24 | Self::Hour12 | Self::Minute | Self::Second | Self::Fraction(_) | Self::SecondOfDay | Self::Noon(..) => {
                self.print_clock(time, bare, out);
            }
            Self::Era(letters, dots) => out.push_str(&marks(if date.year() > 0 { "AD" } else { "BC" }, letters, dots)),
            Self::ZoneName(letters) => {
                let letters = if letters == Letters::Lower {
                    Letters::Lower
                } else {
                    Letters::Upper
                };
                out.push_str(&letters.of(moment.zone));
            }
            Self::ZoneHours => {
                out.push(if moment.ahead < 0 { '-' } else { '+' });
                number(moment.ahead.abs() / 3600, 2, false, out);
            }
            Self::ZoneMinutes => number(moment.ahead.abs() / 60 % 60, 2, false, out),
            Self::Offset => {
                out.push(if moment.ahead < 0 { '-' } else { '+' });
                number(moment.ahead.abs() / 3600, 2, bare, out);
                let minutes = moment.ahead.abs() / 60 % 60;
                if minutes != 0 {
                    out.push(':');
                    number(minutes, 2, false, out);
                }
            }
        }
    }

    fn print_clock(self, time: NaiveTime, bare: bool, out: &mut String) {
        match self {
            Self::Hour24 => number(signed(time.hour()), 2, bare, out),
            Self::Hour12 => number(signed(time.hour12().1), 2, bare, out),
            Self::Minute => number(signed(time.minute()), 2, bare, out),
            Self::Second => number(signed(time.second()), 2, bare, out),
            Self::Fraction(digits) => {
                let micros = format!("{:06}", time.nanosecond() / 1000 % 1_000_000);
                out.push_str(&micros[..digits]);
            }
            Self::SecondOfDay => number(signed(time.num_seconds_from_midnight()), 1, bare, out),
            Self::Noon(letters, dots) => out.push_str(&marks(if time.hour() < 12 { "AM" } else { "PM" }, letters, dots)),
            _ => {}
        }
    }
}

fn quarter(month: u32) -> i32 {
    signed(month / 3 + 1)
}

/// A number that is small enough.
fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The last digits of a year; all of them where four are asked for. Before year 1 years count backwards, without a year 0.
const fn last_digits(year: i32, digits: usize) -> i32 {
    let year = if year > 0 { year } else { 1 - year };
    match digits {
        1 => year % 10,
        2 => year % 100,
        3 => year % 1000,
        _ => year,
    }
}

fn number(number: i32, digits: usize, bare: bool, out: &mut String) {
    let digits = if bare { 1 } else { digits };
    let _infallible = write!(out, "{number:0digits$}");
}

fn name(text: &str, width: usize, bare: bool, out: &mut String) {
    let width = if bare { 0 } else { width };
    let _infallible = write!(out, "{text:width$}");
}

fn day_name(local: NaiveDateTime) -> &'static str {
    DAYS[local.date().weekday().num_days_from_monday() as usize]
}

/// Two letters, with dots where they are wanted.
fn marks(text: &str, letters: Letters, dots: bool) -> String {
    let text = if letters == Letters::Lower {
        text.to_lowercase()
    } else {
        text.to_owned()
    };
    if dots {
        text.chars().flat_map(|c| [c, '.']).collect()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(pattern: &str, time: &str) -> String {
        let moment = Moment {
            local: time.parse().unwrap(),
            ahead: -6 * 3600 - 1800,
            zone: "MDT",
        };
        let mut out = String::new();
        Pattern::parse(pattern).unwrap().print(moment, &mut out);
        out
    }

    /// What PostgreSQL 15 answers.
    #[test]
    fn every_pattern_prints_as_postgresql_does() {
        let at = "2024-07-01T06:05:09.012345";
        for (pattern, expected) in [
            ("YYYY-MM-DD HH24:MI:SS", "2024-07-01 06:05:09"),
            ("yyyy-mm-dd hh24:mi", "2024-07-01 06:05"),
            ("Y,YYY YYY YY Y", "2,024 024 24 4"),
            ("Q MM Mon MON mon", "3 07 Jul JUL jul"),
            ("Month|MONTH|month|FMMonth", "July     |JULY     |july     |July"),
            ("Day|FMDay|DY|dy", "Monday   |Monday|MON|mon"),
            ("DDD FMDDD D ID", "183 183 2 1"),
            ("IYYY-IW IDDD WW W", "2024-27 183 27 1"),
            ("HH12 HH AM p.m.", "06 06 AM a.m."),
            ("FMHH24:FMMI FMDD", "6:5 1"),
            ("MS US FF1 FF6 SSSS", "012 012345 0 012345 21909"),
            ("TZ tz OF TZH:TZM", "MDT mdt -06:30 -06:30"),
            ("FMDDth DDTH FMMMth", "1st 01ST 7th"),
            ("CC J AD bc B.C.", "21 2460493 AD ad A.D."),
            ("RM|FMrm", "VII |vii"),
            ("\"T\"HH24\"h\" \"say \\\"hi\\\"\"", "T06h say \"hi\""),
            ("", ""),
        ] {
            assert_eq!(print(pattern, at), expected, "{pattern}");
        }
        assert_eq!(print("IYYY-IW-ID DDDth", "2021-01-03T12:00:00"), "2020-53-7 003rd");
        assert_eq!(print("HH12 PM HH24 FMDDth", "2021-01-11T00:30:00"), "12 AM 00 11th");
        assert_eq!(print("HH PM", "2021-01-11T12:30:00"), "12 PM");
        assert_eq!(print("J", "2000-01-01T00:00:00"), "2451545");
        assert_eq!(print("CC", "2000-01-01T00:00:00"), "20");
    }
}
