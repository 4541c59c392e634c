//! Texts read by a pattern, as `to_date` and `to_timestamp` of PostgreSQL read them.

use chrono::{Datelike as _, Duration, NaiveDate, NaiveDateTime, Weekday};

use super::print::JULIAN_DAYS_BEFORE;
use super::{DAYS, Field, MONTHS, Pattern, Piece, ROMAN};

/// What a text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The time on the wall clock.
    pub(crate) local: NaiveDateTime,
    /// How many seconds that clock is ahead of UTC, where the text says so.
    pub(crate) ahead: Option<i32>,
}

/// The parts of a time, as far as they are read.
#[derive(Debug, Default)]
struct Parts {
    year: Option<i64>,
    iso_year: Option<i64>,
    before_christ: bool,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    iso_week: Option<i64>,
    iso_day: Option<i64>,
    julian: Option<i64>,
    hour: i64,
    afternoon: Option<bool>,
    minute: i64,
    second: i64,
    micros: i64,
    second_of_day: Option<i64>,
    ahead_sign: i64,
    ahead: Option<i64>,
}

impl Pattern {
    /// Reads a text; nothing where the text does not fit the pattern.
    pub(crate) fn read(&self, text: &str) -> Option<Reading> {
        let mut parts = Parts {
            ahead_sign: 1,
            ..Parts::default()
        };
        let mut rest = text;
        for (place, piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Text(literal) => rest = skip(literal, rest),
                Piece::Field { field, ordinal, .. } => {
                    rest = rest.trim_start();
                    let next_is_number = matches!(self.pieces.get(place + 1), Some(Piece::Field { field, .. }) if field.is_number());
                    rest = parts.read(*field, next_is_number, rest)?;
                    if ordinal.is_some() {
                        rest = rest.trim_start_matches(|c: char| c.is_ascii_alphabetic());
                    }
                }
            }
        }
        parts.reading()
    }
}

/// Passes over what stands between fields: a letter or digit for each of the pattern's, separators for separators.
fn skip<'a>(literal: &str, text: &'a str) -> &'a str {
    let mut rest = text;
    for c in literal.chars() {
        if c.is_whitespace() {
            rest = rest.trim_start();
        } else if let Some(first) = rest.chars().next()
            && (first == c || (!c.is_alphanumeric() && !first.is_alphanumeric() && !matches!(first, '+' | '-')))
        {
            rest = &rest[first.len_utf8()..];
        }
    }
    rest
}

/// A whole number at the beginning of a text.
fn digits(text: &str, most: usize) -> Option<(i64, usize, &str)> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(length);
    Some((number.parse().ok()?, length, rest))
}

/// The place of a name, by its first three letters or all of it.
fn named<'a>(names: &[&str], whole: bool, text: &'a str) -> Option<(usize, &'a str)> {
    names.iter().enumerate().find_map(|(place, name)| {
        let lengths = if whole { [name.len(), 3] } else { [3, name.len()] };
        lengths.into_iter().find_map(|length| {
            let start = text.get(..length)?;
            start.eq_ignore_ascii_case(&name[..length]).then(|| (place, &text[length..]))
        })
    })
}

fn either<'a>(text: &'a str, choices: [&str; 2]) -> Option<(bool, &'a str)> {
    choices.into_iter().enumerate().find_map(|(place, choice)| {
        let start = text.get(..choice.len())?;
        start.eq_ignore_ascii_case(choice).then(|| (place == 1, &text[choice.len()..]))
    })
}

impl Parts {
    /// Reads a field, and gives what follows it.
    fn read<'a>(&mut self, field: Field, next_is_number: bool, text: &'a str) -> Option<&'a str> {
        let number = |most: usize| digits(text, if next_is_number { most } else { 9 });
        let plain = |most: usize, part: &mut Option<i64>| {
            let (number, _, rest) = number(most)?;
            *part = Some(number);
            Some(rest)
        };
        match field {
            Field::Year(4) => plain(4, &mut self.year),
            Field::Year(most) => {
                let (short, length, rest) = number(most)?;
                self.year = Some(if length > most { short } else { century_of(short, most) });
                Some(rest)
            }
            Field::YearWithComma => {
                let (thousands, _, rest) = digits(text, 3)?;
                let (year, _, rest) = digits(rest.strip_prefix(',')?, 3)?;
                self.year = Some(thousands * 1000 + year);
                Some(rest)
            }
            Field::IsoYear(4) => plain(4, &mut self.iso_year),
            Field::IsoYear(most) => {
                let (short, _, rest) = number(most)?;
                self.iso_year = Some(century_of(short, most));
                Some(rest)
            }
            Field::Month => plain(2, &mut self.month),
            Field::Day => plain(2, &mut self.day),
            Field::DayOfYear => plain(3, &mut self.day_of_year),
            Field::IsoWeek => plain(2, &mut self.iso_week),
            Field::IsoWeekday => plain(1, &mut self.iso_day),
            Field::JulianDay => plain(7, &mut self.julian),
            // What follows from the rest is passed over.
            Field::Quarter | Field::Century | Field::WeekOfMonth | Field::Weekday => Some(number(2)?.2),
            Field::MonthName(_) | Field::MonthShort(_) => {
                let (month, rest) = named(&MONTHS, matches!(field, Field::MonthName(_)), text)?;
                self.month = Some(month as i64 + 1);
                Some(rest)
            }
            Field::MonthRoman(_) => {
                let length = text.bytes().take_while(|byte| b"IVXivx".contains(byte)).count();
                let month = ROMAN.iter().position(|roman| roman.eq_ignore_ascii_case(&text[..length]))?;
                self.month = Some(month as i64 + 1);
                Some(&text[length..])
            }
            Field::DayName(_) | Field::DayShort(_) => Some(named(&DAYS, matches!(field, Field::DayName(_)), text)?.1),
            Field::Era(_, dots) => {
                let (before, rest) = either(text, if dots { ["A.D.", "B.C."] } else { ["AD", "BC"] })?;
                self.before_christ = before;
                Some(rest)
            }
            Field::WeekOfYear | Field::DayOfIsoYear | Field::ZoneName(_) => None,
            field => self.read_clock(field, next_is_number, text),
        }
    }

    fn read_clock<'a>(&mut self, field: Field, next_is_number: bool, text: &'a str) -> Option<&'a str> {
        let number = |most: usize| digits(text, if next_is_number { most } else { 9 });
        match field {
            Field::Hour24 | Field::Hour12 => {
                let (hour, _, rest) = number(2)?;
                if field == Field::Hour12 && !(1..=12).contains(&hour) {
                    return None;
                }
                self.hour = hour;
                Some(rest)
            }
            Field::Minute => {
                let (minute, _, rest) = number(2)?;
                self.minute = minute;
                Some(rest)
            }
            Field::Second => {
                let (second, _, rest) = number(2)?;
                self.second = second;
                Some(rest)
            }
            // A fraction is what stands behind the point: 5 of MS is half a second.
            Field::Fraction(_) => {
                let (number, length, rest) = digits(text, 6)?;
                self.micros = number * 10_i64.pow(6 - u32::try_from(length).ok()?);
                Some(rest)
            }
            Field::SecondOfDay => {
                let (second, _, rest) = number(5)?;
                self.second_of_day = Some(second);
                Some(rest)
            }
            Field::Noon(_, dots) => {
                let (after, rest) = either(text, if dots { ["A.M.", "P.M."] } else { ["AM", "PM"] })?;
                self.afternoon = Some(after);
                Some(rest)
            }
            Field::ZoneHours | Field::Offset => {
                let (sign, rest) = match text.as_bytes().first()? {
                    b'+' => (1, &text[1..]),
                    b'-' => (-1, &text[1..]),
                    _ => (1, text),
                };
                let (hours, _, rest) = digits(rest, 2)?;
                self.ahead_sign = sign;
                self.ahead = Some(hours * 3600);
                let minutes = rest.strip_prefix(':').filter(|_| field == Field::Offset);
                match minutes.and_then(|minutes| digits(minutes, 2)) {
                    Some((minutes, _, rest)) => {
                        self.ahead = Some(hours * 3600 + minutes * 60);
                        Some(rest)
                    }
                    None => Some(rest),
                }
            }
            Field::ZoneMinutes => {
                let (minutes, _, rest) = digits(text, 2)?;
                self.ahead = Some(self.ahead.unwrap_or(0) + minutes * 60);
                Some(rest)
            }
            _ => None,
        }
    }

    fn reading(self) -> Option<Reading> {
        let hour = match self.afternoon {
            Some(_) if !(1..=12).contains(&self.hour) => return None,
            Some(after) => self.hour % 12 + if after { 12 } else { 0 },
            None => self.hour,
        };
        let in_range = (0..=24).contains(&hour) && (0..60).contains(&self.minute) && (0..=60).contains(&self.second);
        if !in_range || self.second_of_day.is_some_and(|second| second > 86_400) {
            return None;
        }
        let seconds = self.second_of_day.unwrap_or(hour * 3600 + self.minute * 60 + self.second);
        if seconds > 86_400 || (seconds == 86_400 && self.micros > 0) {
            return None;
        }
        let time = Duration::seconds(seconds) + Duration::microseconds(self.micros);
        let ahead = match self.ahead {
            Some(ahead) if ahead > 15 * 3600 + 59 * 60 => return None,
            ahead => ahead.map(|ahead| ahead * self.ahead_sign),
        };
        let local = self.date()?.and_hms_opt(0, 0, 0)?.checked_add_signed(time)?;
        Some(Reading {
            local,
            ahead: ahead.and_then(|ahead| i32::try_from(ahead).ok()),
        })
    }

    /// The day; of what is not said, the first.
    fn date(&self) -> Option<NaiveDate> {
        let small = |number: i64| u32::try_from(number).ok();
        if let Some(julian) = self.julian {
            return NaiveDate::from_num_days_from_ce_opt(i32::try_from(julian).ok()?.checked_sub(JULIAN_DAYS_BEFORE)?);
        }
        if let (Some(year), week) = (self.iso_year, self.iso_week) {
            let weekday = match self.iso_day {
                None => Weekday::Mon,
                Some(day @ 1..=7) => Weekday::try_from(u8::try_from(day - 1).ok()?).ok()?,
                Some(_) => return None,
            };
            return NaiveDate::from_isoywd_opt(i32::try_from(year).ok()?, small(week.unwrap_or(1))?, weekday);
        }
        let year = self.year.unwrap_or(1);
        let year = i32::try_from(if self.before_christ { 1 - year } else { year }).ok()?;
        if let Some(day) = self.day_of_year {
            return NaiveDate::from_yo_opt(year, small(day)?);
        }
        let date = NaiveDate::from_ymd_opt(year, small(self.month.unwrap_or(1))?, small(self.day.unwrap_or(1))?)?;
        (date.year() == year).then_some(date)
    }
}

/// The year that its last digits mean: of 1970 to 2069, or the nearest to 2020.
const fn century_of(short: i64, digits: usize) -> i64 {
    match digits {
        2 if short < 70 => short + 2000,
        2 => short + 1900,
        3 if short < 520 => short + 2000,
        3 => short + 1000,
        _ => short + 2020,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, pattern: &str) -> Option<String> {
        let reading = Pattern::parse(pattern).unwrap().read(text)?;
        let ahead = reading.ahead.map(|ahead| format!(" {ahead}")).unwrap_or_default();
        Some(format!("{}{ahead}", reading.local))
    }

    /// What PostgreSQL 15 answers.
    #[test]
    fn texts_are_read_as_postgresql_does() {
        for (text, pattern, expected) in [
            ("2024-07-01 18:30:05", "YYYY-MM-DD HH24:MI:SS", "2024-07-01 18:30:05"),
            ("20240701183005", "YYYYMMDDHH24MISS", "2024-07-01 18:30:05"),
            ("01 Jul 2024", "DD Mon YYYY", "2024-07-01 00:00:00"),
            ("1. July 2024", "DD. Month YYYY", "2024-07-01 00:00:00"),
            ("7/1/24 6:30 PM", "MM/DD/YY HH12:MI AM", "2024-07-01 18:30:00"),
            ("7/1/99", "MM/DD/YY", "1999-07-01 00:00:00"),
            ("2024-183", "YYYY-DDD", "2024-07-01 00:00:00"),
            ("2024-27-1", "IYYY-IW-ID", "2024-07-01 00:00:00"),
            ("2460493", "J", "2024-07-01 00:00:00"),
            ("2024-07-01T18:30:05.25", "YYYY-MM-DD\"T\"HH24:MI:SS.US", "2024-07-01 18:30:05.250"),
            ("2024-07-01 18:30 -06", "YYYY-MM-DD HH24:MI TZH", "2024-07-01 18:30:00 -21600"),
            ("2024-07-01 18:30 +05:30", "YYYY-MM-DD HH24:MI TZH:TZM", "2024-07-01 18:30:00 19800"),
            ("Monday, 1st VII 2024", "Day, FMDDth RM YYYY", "2024-07-01 00:00:00"),
            ("2024", "YYYY", "2024-01-01 00:00:00"),
        ] {
            assert_eq!(read(text, pattern).as_deref(), Some(expected), "{text} by {pattern}");
        }
        for (text, pattern) in [
            ("2024-13-01", "YYYY-MM-DD"),
            ("2024-02-30", "YYYY-MM-DD"),
            ("yesterday", "YYYY-MM-DD"),
            ("2024-07-01 25:00", "YYYY-MM-DD HH24:MI"),
            ("13:00 PM", "HH12:MI AM"),
            ("2024-07", "YYYY-MM-DD"),
            ("1 Smarch 2024", "DD Month YYYY"),
        ] {
            assert_eq!(read(text, pattern), None, "{text} by {pattern}");
        }
    }
}
