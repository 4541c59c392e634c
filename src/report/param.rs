//! Parameters: what a request may say, and how it is read.

use std::str::FromStr;
use std::time::Duration;

use datafusion::scalar::ScalarValue;
use serde::{Deserialize, Serialize};

use super::ReportError;
use crate::suggest;
use crate::time::{Day, Granularity, Micros, TimeOfDay, Weekdays, Zone};

/// A parameter of a report.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// The name in requests, and in the SQL after a `$`.
    pub name: String,
    /// Other names for it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What it must be.
    #[serde(rename = "type")]
    pub kind: ParamType,
    /// For an enumeration: what it may be.
    #[serde(default)]
    pub values: Vec<String>,
    /// Whether it must be given.
    #[serde(default)]
    pub required: bool,
    /// What it is when it is not given.
    #[serde(default)]
    pub default: Option<String>,
    /// What it means.
    pub summary: String,
}

/// What a parameter must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamType {
    /// `YYYY-MM-DD`, or an instant, whose day in the zone of the report is meant.
    Date,
    /// `HH:MM`, `00:00` to `23:59`
    Time,
    /// `HH:MM`, `00:00` to `24:00`
    ClosingTime,
    /// A name or number of a granularity.
    Granularity,
    /// `true`, `false`, `1` or `0`
    Boolean,
    /// A whole number, 1 or more.
    Count,
    /// A whole number, 0 or more.
    Offset,
    /// Seconds, more than 0; with decimals if need be.
    Seconds,
    /// Any text but the empty one.
    Text,
    /// One of a list.
    Enumeration,
    /// An IANA time zone.
    Zone,
    /// `all`, or numbers and names of features with commas between.
    Features,
    /// Weekdays: names, numbers, ranges and lists.
    Weekdays,
    /// Dates, ranges of dates, and names of calendars.
    Holidays,
    /// `ASC` or `DESC`.
    Direction,
    /// Handles of columns with commas between.
    Handles,
    /// JSON: an array of conditions.
    Conditions,
    /// JSON: an array of columns and directions.
    Orderings,
    /// JSON: an object that says of columns whether they are shown.
    Visibility,
    /// JSON: an object that says of columns what they are called.
    Titles,
}

/// A parameter that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A calendar day.
    Date(Day),
    /// A time of day.
    Time(TimeOfDay),
    /// A granularity.
    Granularity(Granularity),
    /// A truth value.
    Boolean(bool),
    /// A whole number.
    Integer(u64),
    /// A length of time.
    Duration(Duration),
    /// A text.
    Text(String),
    /// A zone.
    Zone(Zone),
    /// An instant, where a calendar day is wanted.
    Instant(Micros),
    /// Features as they were named; nothing for all.
    Features(Option<String>),
}

impl Param {
    /// The same parameter under another name as well.
    pub(super) fn or(mut self, alias: &str) -> Self {
        self.aliases.push(alias.to_owned());
        self
    }

    /// A parameter without aliases and choices.
    pub(super) fn new(name: &str, kind: ParamType, required: bool, summary: &str) -> Self {
        Self {
            name: name.to_owned(),
            aliases: Vec::new(),
            kind,
            values: Vec::new(),
            required,
            default: None,
            summary: summary.to_owned(),
        }
    }

    /// Its name, and the other names for it.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.aliases).map(String::as_str)
    }

    /// Whether a request calls it that.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias == name)
    }

    /// Reads what a request says.
    ///
    /// # Errors
    ///
    /// [`ReportError::Malformed`] if it is not what the parameter must be.
    pub fn parse(&self, name: &str, text: &str) -> Result<Value, ReportError> {
        self.read(text).ok_or_else(|| ReportError::Malformed {
            name: name.to_owned(),
            value: text.chars().take(200).collect(),
            expected: format!("{}{}", self.expected(), self.hint(text)),
        })
    }

    /// The values that were perhaps meant.
    fn hint(&self, text: &str) -> String {
        match self.kind {
            ParamType::Zone => Zone::hint(text),
            ParamType::Date if text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                "; these look like seconds: milliseconds have three digits more".to_owned()
            }
            ParamType::Weekdays => match text.parse::<Weekdays>() {
                Ok(_) => String::new(),
                Err(error) => error.hint().to_owned(),
            },
            ParamType::Granularity => suggest::hint(text, Granularity::ALL.map(Granularity::name)),
            ParamType::Enumeration => suggest::hint(text, self.values.iter().map(String::as_str)),
            _ => String::new(),
        }
    }

    fn read(&self, text: &str) -> Option<Value> {
        Some(match self.kind {
            ParamType::Date => match text.parse() {
                Ok(day) => Value::Date(day),
                Err(_) => Value::Instant(instant(text)?),
            },
            ParamType::Weekdays => Value::Text(text.parse::<Weekdays>().ok()?.to_string()),
            // Which calendars there are is known later.
            ParamType::Holidays => Value::Text(Some(text).filter(|text| !text.is_empty())?.to_owned()),
            ParamType::Time => Value::Time(text.parse().ok().filter(|time| *time < TimeOfDay::END_OF_DAY)?),
            ParamType::ClosingTime => Value::Time(text.parse().ok()?),
            ParamType::Granularity => Value::Granularity(text.parse().ok()?),
            ParamType::Boolean => Value::Boolean(truth(text)?),
            ParamType::Direction => Value::Boolean(super::order::direction(text)?),
            ParamType::Count => Value::Integer(number(text).filter(|number| *number > 0)?),
            ParamType::Offset => Value::Integer(number(text)?),
            // What these say depends on the columns of the report.
            ParamType::Handles | ParamType::Conditions | ParamType::Orderings | ParamType::Visibility | ParamType::Titles => {
                Value::Text(text.to_owned())
            }
            ParamType::Seconds => Value::Duration(seconds(text)?),
            ParamType::Text => Value::Text(Some(text).filter(|text| !text.is_empty())?.to_owned()),
            ParamType::Enumeration => Value::Text(self.values.iter().find(|value| value.eq_ignore_ascii_case(text))?.clone()),
            ParamType::Zone => Value::Zone(Zone::from_str(text).ok()?),
            ParamType::Features if text.eq_ignore_ascii_case("all") => Value::Features(None),
            // Which features there are, and the caller sees, is known later.
            ParamType::Features => Value::Features(Some(Some(text).filter(|text| !text.is_empty())?.to_owned())),
        })
    }

    /// What it must be, for people.
    #[must_use]
    pub fn expected(&self) -> String {
        match self.kind {
            ParamType::Date => {
                "a date like 2017-01-20 (YYYY-MM-DD), or an instant as RFC 3339 or in milliseconds since 1970, whose day is meant"
                    .to_owned()
            }
            ParamType::Weekdays => Weekdays::EXPECTED.to_owned(),
            ParamType::Holidays => super::calendars::EXPECTED.to_owned(),
            ParamType::Time => "a time from 00:00 to 23:59 (HH:MM)".to_owned(),
            ParamType::ClosingTime => "a time from 00:00 to 24:00 (HH:MM)".to_owned(),
            ParamType::Granularity => {
                let known = Granularity::ALL.map(|granularity| format!("{} or {}", granularity.name(), granularity as u8));
                format!("a granularity: {}", known.join(", "))
            }
            ParamType::Boolean => "true, false, 1 or 0".to_owned(),
            ParamType::Count => "a whole number greater than zero".to_owned(),
            ParamType::Offset => "a whole number, zero or greater".to_owned(),
            ParamType::Seconds => "a number of seconds greater than zero".to_owned(),
            ParamType::Text => "a text that is not empty".to_owned(),
            ParamType::Enumeration => format!("one of {}", self.values.join(", ")),
            ParamType::Zone => "an IANA time zone like Europe/Berlin, or a Windows name like Romance Standard Time".to_owned(),
            ParamType::Features => self.kind.expected_of_features(),
            ParamType::Direction => "ASC or DESC".to_owned(),
            ParamType::Handles => "handles of columns with commas between".to_owned(),
            ParamType::Conditions => r#"JSON like [{"property":"un","operator":"eq","value":"ben"}]"#.to_owned(),
            ParamType::Orderings => r#"JSON like [{"property":"un","direction":"DESC"}]"#.to_owned(),
            ParamType::Visibility => r#"JSON like {"ldt":"1","un":"0"}"#.to_owned(),
            ParamType::Titles => r#"JSON like {"ldt":"When"}"#.to_owned(),
        }
    }
}

impl ParamType {
    /// What names features, for people.
    pub(super) fn expected_of_features(self) -> String {
        "the number or the name of a feature (server/name, where servers share it), several with commas between, or all".to_owned()
    }
}

/// The last instant of the year 9999.
const LAST_INSTANT: Micros = 253_402_300_799_999_999;

/// An instant: milliseconds since 1970, with so many digits that they are no seconds; or RFC 3339, also where a plus sign became
/// a blank on its way through an address.
fn instant(text: &str) -> Option<Micros> {
    if (11..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text
            .parse::<i64>()
            .ok()
            .map(|millis| millis * 1000)
            .filter(|at| *at <= LAST_INSTANT);
    }
    let blank = text.len().checked_sub(6).filter(|place| text.as_bytes().get(*place) == Some(&b' '));
    let mended = blank.and_then(|place| Some(format!("{}+{}", text.get(..place)?, text.get(place + 1..)?)));
    let at = chrono::DateTime::parse_from_rfc3339(mended.as_deref().unwrap_or(text)).ok()?;
    Some(at.timestamp_micros()).filter(|at| (FIRST_INSTANT..=LAST_INSTANT).contains(at))
}

/// The first instant of the year 1.
const FIRST_INSTANT: Micros = -62_135_596_800_000_000;

/// A length of time, in seconds.
pub(crate) fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero())
}

/// A truth value, in any case.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn number<N: FromStr>(text: &str) -> Option<N> {
    // `parse` would take a sign.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl Value {
    /// The value as queries take it.
    pub(super) fn scalar(&self) -> ScalarValue {
        match self {
            Self::Date(day) => ScalarValue::Date32(Some(day.0)),
            Self::Time(time) => ScalarValue::from(time.to_string()),
            Self::Granularity(granularity) => ScalarValue::from(granularity.name()),
            Self::Boolean(value) => ScalarValue::from(*value),
            Self::Integer(number) => ScalarValue::from(i64::try_from(*number).unwrap_or(i64::MAX)),
            Self::Duration(time) => ScalarValue::from(time.as_secs_f64()),
            Self::Text(text) => ScalarValue::from(text.as_str()),
            Self::Zone(zone) => ScalarValue::from(zone.name()),
            Self::Instant(_) | Self::Features(_) => ScalarValue::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(kind: ParamType, good: &[&str], bad: &[&str]) {
        let mut param = Param::new("p", kind, false, "");
        param.values = vec!["Floating".to_owned()];
        for text in good {
            assert!(param.parse("p", text).is_ok(), "{kind:?} {text}");
        }
        for text in bad {
            let error = param.parse("p", text).unwrap_err().to_string();
            assert!(error.contains("\"p\"") && error.contains(&param.expected()), "{error}");
        }
    }

    #[test]
    fn every_type_says_what_it_takes() {
        accepts(
            ParamType::Date,
            &[
                "2016-02-29",
                "1456704000000",
                "2016-02-29T00:00:00Z",
                "2016-02-29T00:00:00.123+05:30",
                "2016-02-29T00:00:00 05:30",
            ],
            &[
                "2015-02-29",
                "",
                "2016-2-9",
                "20160229",
                "2016-02-29T00:00:00",
                "1456704000",
                "-1456704000000",
            ],
        );
        accepts(ParamType::Time, &["00:00", "23:59"], &["24:00", "9:00", ""]);
        accepts(ParamType::ClosingTime, &["24:00"], &["24:01"]);
        accepts(ParamType::Granularity, &["hour", "6", "QUARTER"], &["7", "0", "fortnight"]);
        accepts(ParamType::Boolean, &["true", "FALSE", "1", "0"], &["yes", ""]);
        accepts(
            ParamType::Count,
            &["1", "100"],
            &["0", "-1", "+1", "1.5", "", "99999999999999999999"],
        );
        accepts(ParamType::Offset, &["0"], &["-1"]);
        accepts(ParamType::Seconds, &["1", "0.25", "1e2"], &["0", "-1", "", "NaN", "inf", "1 s"]);
        accepts(ParamType::Enumeration, &["floating"], &["Sinking"]);
        accepts(
            ParamType::Weekdays,
            &["mon-fri", "1,3,Fri", "sat-mon"],
            &["", "funday", "0", "mon-"],
        );
        accepts(ParamType::Holidays, &["2026-12-25", "2026-12-24..2026-12-31,bavaria"], &[""]);
        accepts(ParamType::Direction, &["asc", "DESC"], &["up", ""]);
        accepts(ParamType::Zone, &["Asia/Kolkata"], &["Mars/Base", "+01:00"]);
        accepts(
            ParamType::Features,
            &["3", "3,7,12", "all", "ALL", "MSCONE", "flex01/solver,3"],
            &[""],
        );
    }
}
