//! Patterns of PostgreSQL for dates and times, like `YYYY-MM-DD HH24:MI`.
//!
//! ```text
//!   text ─▶ Pattern (pieces) ─▶ print: a time as text      `print.rs`
//!                            └▶ read: a text as a time      `read.rs`
//! ```
//!
//! The invariant: each letter of a pattern belongs to a piece or stands in double quotes. A pattern with another letter is refused,
//! so that nobody gets a pattern back as if it were a date.

mod print;
mod read;

pub(super) use self::print::Moment;

/// The patterns that are understood, for messages.
const UNDERSTOOD: &str = "understood are YYYY YY Q MM Mon Month DD DDD D ID IYYY IW WW HH24 HH12 MI SS MS US AM TZ TZH TZM OF Day Dy, \
    FM before one of them (no padding), TH behind a number (1st), \"text\" in double quotes, and strftime patterns like %Y-%m-%d";

/// A pattern, read once for many rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    text: String,
    pieces: Vec<Piece>,
}

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// Text that is copied.
    Text(String),
    /// A part of a time.
    Field {
        field: Field,
        /// Whether padding is left out.
        bare: bool,
        /// The letters of an ordinal number, in their case.
        ordinal: Option<Letters>,
    },
}

/// The case of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letters {
    Upper,
    Title,
    Lower,
}

/// A part of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    /// The last digits of the year.
    Year(usize),
    /// The year with a comma between thousands.
    YearWithComma,
    /// The last digits of the year that an ISO week belongs to.
    IsoYear(usize),
    Century,
    Quarter,
    Month,
    MonthName(Letters),
    MonthShort(Letters),
    MonthRoman(Letters),
    WeekOfMonth,
    WeekOfYear,
    IsoWeek,
    Day,
    DayOfYear,
    DayOfIsoYear,
    /// 1 is Sunday.
    Weekday,
    /// 1 is Monday.
    IsoWeekday,
    DayName(Letters),
    DayShort(Letters),
    JulianDay,
    Hour24,
    Hour12,
    Minute,
    Second,
    /// Digits of a second's fraction.
    Fraction(usize),
    SecondOfDay,
    /// Whether there are dots between the letters.
    Noon(Letters, bool),
    Era(Letters, bool),
    ZoneName(Letters),
    ZoneHours,
    ZoneMinutes,
    Offset,
}

/// Words whose letters may all be large or all be small.
const WORDS: &[(&str, Field)] = &[
    ("Y,YYY", Field::YearWithComma),
    ("YYYY", Field::Year(4)),
    ("YYY", Field::Year(3)),
    ("YY", Field::Year(2)),
    ("Y", Field::Year(1)),
    ("IYYY", Field::IsoYear(4)),
    ("IYY", Field::IsoYear(3)),
    ("IY", Field::IsoYear(2)),
    ("I", Field::IsoYear(1)),
    ("CC", Field::Century),
    ("Q", Field::Quarter),
    ("MM", Field::Month),
    ("WW", Field::WeekOfYear),
    ("W", Field::WeekOfMonth),
    ("IW", Field::IsoWeek),
    ("DDD", Field::DayOfYear),
    ("IDDD", Field::DayOfIsoYear),
    ("DD", Field::Day),
    ("D", Field::Weekday),
    ("ID", Field::IsoWeekday),
    ("J", Field::JulianDay),
    ("HH24", Field::Hour24),
    ("HH12", Field::Hour12),
    ("HH", Field::Hour12),
    ("MI", Field::Minute),
    ("SSSSS", Field::SecondOfDay),
    ("SSSS", Field::SecondOfDay),
    ("SS", Field::Second),
    ("MS", Field::Fraction(3)),
    ("US", Field::Fraction(6)),
    ("FF1", Field::Fraction(1)),
    ("FF2", Field::Fraction(2)),
    ("FF3", Field::Fraction(3)),
    ("FF4", Field::Fraction(4)),
    ("FF5", Field::Fraction(5)),
    ("FF6", Field::Fraction(6)),
    ("TZH", Field::ZoneHours),
    ("TZM", Field::ZoneMinutes),
    ("OF", Field::Offset),
];

/// A part of a time that is printed in letters of a case.
type OfLetters = fn(Letters) -> Field;

/// Words whose case is that of what they print.
const NAMES: &[(&str, OfLetters)] = &[
    ("MONTH", Field::MonthName),
    ("MON", Field::MonthShort),
    ("RM", Field::MonthRoman),
    ("DAY", Field::DayName),
    ("DY", Field::DayShort),
    ("AM", |letters| Field::Noon(letters, false)),
    ("PM", |letters| Field::Noon(letters, false)),
    ("A.M.", |letters| Field::Noon(letters, true)),
    ("P.M.", |letters| Field::Noon(letters, true)),
    ("AD", |letters| Field::Era(letters, false)),
    ("BC", |letters| Field::Era(letters, false)),
    ("A.D.", |letters| Field::Era(letters, true)),
    ("B.C.", |letters| Field::Era(letters, true)),
    ("TZ", Field::ZoneName),
];

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// A message for people when a letter belongs to no piece.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if c == '"' {
                let (quoted, after) = quoted(&rest[1..]);
                copy(&mut pieces, &quoted);
                rest = after;
                continue;
            }
            if let Some(after) = rest.strip_prefix("\\\"") {
                copy(&mut pieces, "\"");
                rest = after;
                continue;
            }
            let (bare, behind_prefix) = prefixes(rest);
            if let Some((field, length)) = word(behind_prefix) {
                let mut after = &behind_prefix[length..];
                let ordinal = ordinal(after).filter(|_| field.is_number());
                if ordinal.is_some() {
                    after = &after[2..];
                }
                pieces.push(Piece::Field { field, bare, ordinal });
                rest = after;
                continue;
            }
            if c.is_alphabetic() {
                let unknown: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
                return Err(format!("the pattern '{text}' is not understood at {unknown:?}; {UNDERSTOOD}"));
            }
            copy(&mut pieces, &rest[..c.len_utf8()]);
            rest = &rest[c.len_utf8()..];
        }
        Ok(Self {
            text: text.to_owned(),
            pieces,
        })
    }

    /// The pattern as it was given.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a pattern is one of strftime, which have a percent sign.
    pub(super) fn is_strftime(text: &str) -> bool {
        text.contains('%')
    }
}

/// The text in double quotes, and what follows it.
fn quoted(text: &str) -> (String, &str) {
    let mut copied = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (copied, &text[at + 1..]),
            '\\' => copied.extend(chars.next().map(|(_, c)| c)),
            c => copied.push(c),
        }
    }
    (copied, "")
}

fn copy(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        Some(Piece::Text(known)) => known.push_str(text),
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

/// Whether padding is left out, and what follows the prefixes. FX and TM change nothing here.
fn prefixes(text: &str) -> (bool, &str) {
    let (mut bare, mut rest) = (false, text);
    loop {
        let Some((prefix, after)) = rest.split_at_checked(2) else {
            return (bare, rest);
        };
        match prefix {
            "FM" | "fm" => bare = true,
            "FX" | "fx" | "TM" | "tm" => {}
            _ => return (bare, rest),
        }
        rest = after;
    }
}

/// The longest word at the beginning of a text, and how long it is.
fn word(text: &str) -> Option<(Field, usize)> {
    let starts = |word: &str| text.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word));
    let words = WORDS.iter().filter_map(|(word, field)| {
        let start = starts(word)?;
        let same_case = start == *word || *start == word.to_ascii_lowercase();
        same_case.then_some((*field, word.len()))
    });
    let names = NAMES.iter().filter_map(|(word, field)| {
        let start = starts(word)?;
        Some((field(letters(start)?), word.len()))
    });
    words.chain(names).max_by_key(|(_, length)| *length)
}

/// The case of a word, if it has one.
fn letters(word: &str) -> Option<Letters> {
    let mut letters = word.chars().filter(char::is_ascii_alphabetic);
    let first = letters.next()?.is_ascii_uppercase();
    let rest: Vec<bool> = letters.map(|c| c.is_ascii_uppercase()).collect();
    match (first, rest.iter().all(|upper| *upper), rest.iter().any(|upper| *upper)) {
        (true, true, _) => Some(Letters::Upper),
        (true, _, false) => Some(Letters::Title),
        (false, _, false) => Some(Letters::Lower),
        _ => None,
    }
}

fn ordinal(text: &str) -> Option<Letters> {
    match text.get(..2)? {
        "TH" => Some(Letters::Upper),
        "th" => Some(Letters::Lower),
        _ => None,
    }
}

impl Field {
    const fn is_number(self) -> bool {
        !matches!(
            self,
            Self::MonthName(_)
                | Self::MonthShort(_)
                | Self::MonthRoman(_)
                | Self::DayName(_)
                | Self::DayShort(_)
                | Self::Noon(..)
                | Self::Era(..)
                | Self::ZoneName(_)
                | Self::ZoneHours
                | Self::ZoneMinutes
                | Self::Offset
        )
    }

    /// Whether it is of the time of day, and not of the date.
    const fn is_clock(self) -> bool {
        matches!(
            self,
            Self::Hour24 | Self::Hour12 | Self::Minute | Self::Second | Self::Fraction(_) | Self::SecondOfDay | Self::Noon(..)
        )
    }
}

impl Letters {
    fn of(self, text: &str) -> String {
        match self {
            Self::Upper => text.to_uppercase(),
            Self::Lower => text.to_lowercase(),
            Self::Title => text.to_owned(),
        }
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// From Monday on.
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const ROMAN: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_belong_to_nothing_are_refused_with_what_is_understood() {
        for pattern in [
            "YYYY-XX",
            "yyyy-mm-ddThh24",
            "month off YYYY",
            "HH24h",
            "mOnth",
            "SP",
            "DDSP",
            "hello",
        ] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert!(
                error.contains(pattern) && error.contains("HH24") && error.contains("%Y"),
                "{pattern}: {error}"
            );
        }
        for pattern in ["", "-- 12 --", "\"month of\" YYYY", "YYYY\"T\"HH24", "FMMonth FMDDth, YYYY"] {
            assert!(Pattern::parse(pattern).is_ok(), "{pattern}");
        }
        assert!(Pattern::parse("größe").is_err());
    }
}
