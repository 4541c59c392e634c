//! The neutral interchange format: one record an event, whether it comes as NDJSON, CSV or Parquet.
//!
//! A reader finds values under the names of [`Field`], and puts them into a [`Record`] or shows them where they lie;
//! [`Records::event`] is the only place that says what a valid record is.

mod field;
mod record;

pub(super) use self::field::Field;
pub(super) use self::record::{Fields, Record, Value};
use crate::event::{Event, Kind};
use crate::time::{DAY, Day, HOUR, LocalTimes, MINUTE, Micros, SECOND, Zone};

/// Reads the records of one source, in its order.
#[derive(Debug)]
pub(super) struct Records {
    times: LocalTimes,
}

impl Records {
    pub(super) const fn new(zone: Zone) -> Self {
        Self {
            times: LocalTimes::new(zone),
        }
    }

    /// The event of a record, or what is wrong with it.
    pub(super) fn event<'r>(&mut self, record: &'r impl Fields, line: u64) -> Result<Event<'r>, String> {
        let kind = match record.text(Field::Event)? {
            "" => return Err("event is missing".to_owned()),
            "borrowed" => Kind::Checkout,
            name => Kind::from_name(name).ok_or_else(|| {
                let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
                format!("event {name:?} is not one of {}", known.join(", "))
            })?,
        };
        let at = self.instant(record, Field::Time)?.ok_or("time is missing")?;
        let ended = match (kind, self.instant_after(record, Field::End, at)?) {
            (Kind::Session, None) => return Err("a session needs an end".to_owned()),
            (Kind::Session, Some(end)) if end < at => return Err("the session ends before it starts".to_owned()),
            (Kind::Session, end) => end,
            _ => None,
        };
        let feature = if kind.of_server() { "" } else { record.text(Field::Feature)? };
        if feature.is_empty() && !kind.of_server() {
            return Err(format!("a {} needs a feature", kind.name()));
        }
        let user = record.text(Field::User)?;
        if user.is_empty() && kind.of_user() {
            return Err(format!("a {} needs a user", kind.name()));
        }
        let least = i64::from(kind != Kind::Capacity);
        let licenses = match record.number(Field::Licenses)? {
            None if kind == Kind::Capacity => return Err("a capacity needs licenses, the new total".to_owned()),
            None => 1,
            Some(number) => u32::try_from(number)
                .ok()
                .filter(|licenses| i64::from(*licenses) >= least && i32::try_from(*licenses).is_ok())
                .ok_or_else(|| format!("licenses {number} is not an integer from {least} to {}", i32::MAX))?,
        };
        let reason_code = record.number(Field::ReasonCode)?.map(|code| {
            let fits = i32::try_from(code).ok().filter(|code| *code != i32::MIN);
            fits.ok_or_else(|| format!("reason_code {code} is out of range"))
        });
        Ok(Event {
            server: record.text(Field::Server)?,
            feature,
            version: record.text(Field::Version)?,
            vendor: record.text(Field::Vendor)?,
            user,
            host: record.text(Field::Host)?,
            display: record.text(Field::Display)?,
            licenses,
            handle: record.text(Field::Handle)?,
            reason_code: reason_code.transpose()?,
            reason: record.text(Field::Reason)?,
            project: record.text(Field::Project)?,
            ended,
            borrow_until: self.instant_after(record, Field::BorrowUntil, at)?,
            expires: record.date(Field::Expires)?,
            line,
            ..Event::new(kind, at)
        })
    }

    fn instant(&mut self, record: &impl Fields, field: Field) -> Result<Option<Micros>, String> {
        match read_time(record, field)? {
            None => Ok(None),
            Some(Value::Local(local)) => {
                let at = self.times.instant(local);
                at.map(Some).ok_or_else(|| nonexistent(field, self.times.zone()))
            }
            Some(Value::Instant(at)) => {
                self.times.note(at);
                Ok(Some(at))
            }
            Some(_) => Err(format!("{} is not a time", field.name())),
        }
    }

    /// A second time of a record; where its clock shows it twice, the first occurrence that is not before `at`.
    fn instant_after(&self, record: &impl Fields, field: Field, at: Micros) -> Result<Option<Micros>, String> {
        match read_time(record, field)? {
            None => Ok(None),
            Some(Value::Local(local)) => {
                let end = LocalTimes::first_after(self.times.zone(), local, at);
                end.map(Some).ok_or_else(|| nonexistent(field, self.times.zone()))
            }
            Some(Value::Instant(end)) => Ok(Some(end)),
            Some(_) => Err(format!("{} is not a time", field.name())),
        }
    }
}

fn nonexistent(field: Field, zone: Zone) -> String {
    format!("{} does not exist in {zone}: the clock was set forward over it", field.name())
}

fn read_time(record: &impl Fields, field: Field) -> Result<Option<Value<'static>>, String> {
    match record.get(field) {
        Value::Missing => Ok(None),
        Value::Instant(at) => Ok(Some(Value::Instant(at))),
        Value::Local(local) => Ok(Some(Value::Local(local))),
        Value::Text(text) => {
            let time = parse_time(text.trim().as_bytes());
            time.map(Some)
                .ok_or_else(|| format!("{} {text:?} is not an RFC 3339 time or YYYY-MM-DD HH:MM:SS", field.name()))
        }
        _ => Err(format!("{} is not a time", field.name())),
    }
}

/// `YYYY-MM-DDTHH:MM:SS[.f…](Z|±HH:MM)` is an instant; without an offset, and with a blank for the `T`, it is local.
pub(super) fn parse_time(text: &[u8]) -> Option<Value<'static>> {
    let (date, rest) = text.split_at_checked(10)?;
    let day: Day = std::str::from_utf8(date).ok()?.parse().ok()?;
    let [b'T' | b't' | b' ', h0, h1, b':', m0, m1, b':', s0, s1, rest @ ..] = rest else {
        return None;
    };
    let two = |a: &u8, b: &u8| (a.is_ascii_digit() && b.is_ascii_digit()).then(|| i64::from(a - b'0') * 10 + i64::from(b - b'0'));
    let (hour, minute, second) = (two(h0, h1)?, two(m0, m1)?, two(s0, s1)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut local = i64::from(day.0) * DAY + hour * HOUR + minute * MINUTE + second * SECOND;
    let mut rest = rest;
    if let [b'.', fraction @ ..] = rest {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 || digits > 9 {
            return None;
        }
        let micros = fraction[..digits].iter().chain(b"000000").take(6);
        local += micros.fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0'));
        rest = &fraction[digits..];
    }
    match rest {
        [] => Some(Value::Local(local)),
        [b'Z' | b'z'] => Some(Value::Instant(local)),
        // Some write the offset without a colon.
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] | [sign @ (b'+' | b'-'), h0, h1, m0, m1] => {
            let (hours, minutes) = (two(h0, h1)?, two(m0, m1)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let ahead = hours * HOUR + minutes * MINUTE;
            Some(Value::Instant(if *sign == b'+' { local - ahead } else { local + ahead }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(fields: &[(&str, &'static str)]) -> Result<String, String> {
        let mut record = Record::new();
        for (name, value) in fields {
            record.set(Field::from_name(name).unwrap(), Value::text(value));
        }
        let mut records = Records::new("Europe/Berlin".parse().unwrap());
        let event = records.event(&record, 1)?;
        Ok(format!(
            "{} {} {:?}",
            event.kind.name(),
            crate::time::rfc3339(event.at),
            event.ended.map(crate::time::rfc3339)
        ))
    }

    #[test]
    fn times_have_an_offset_or_are_local() {
        assert_eq!(parse_time(b"1970-01-01T00:00:01Z"), Some(Value::Instant(SECOND)));
        assert_eq!(parse_time(b"1970-01-01T01:00:01.5+01:00"), Some(Value::Instant(1_500_000)));
        assert_eq!(parse_time(b"1970-01-01 00:00:01.123456789"), Some(Value::Local(1_123_456)));
        assert_eq!(parse_time(b"1969-12-31T23:00:00-01:00"), Some(Value::Instant(0)));
        for bad in [
            "1970-01-01",
            "1970-01-01T24:00:00Z",
            "1970-01-01T00:00:60Z",
            "1970-01-01T00:00:00+1",
            "1970-01-01T00:00:00.Z",
            "",
        ] {
            assert_eq!(parse_time(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn fields_that_must_be_there_are_named() {
        let refused = |fields: &[(&str, &'static str)], word: &str| {
            let error = event(fields).unwrap_err();
            assert!(error.contains(word), "{error}");
        };
        refused(&[("event", "checkout")], "time is missing");
        refused(&[("time", "2026-01-01T00:00:00Z")], "event is missing");
        refused(&[("time", "yesterday"), ("event", "server_up")], "yesterday");
        refused(&[("time", "2026-01-01T00:00:00Z"), ("event", "checkot")], "checkot");
        refused(&[("time", "2026-01-01T00:00:00Z"), ("event", "checkout"), ("user", "a")], "feature");
        refused(&[("time", "2026-01-01T00:00:00Z"), ("event", "checkout"), ("feature", "f")], "user");
        refused(
            &[
                ("time", "2026-01-01T00:00:00Z"),
                ("event", "session"),
                ("feature", "f"),
                ("user", "a"),
            ],
            "end",
        );
        let checkout = [
            ("time", "2026-01-01T00:00:00Z"),
            ("event", "checkout"),
            ("feature", "f"),
            ("user", "a"),
        ];
        refused(&[&checkout[..], &[("licenses", "0")]].concat(), "licenses 0");
        refused(&[&checkout[..], &[("licenses", "2.5")]].concat(), "2.5");
        refused(&[&checkout[..], &[("expires", "soon")]].concat(), "expires");
        assert!(event(&checkout).is_ok());
    }

    #[test]
    fn a_local_time_is_of_the_source_zone_and_must_exist() {
        let up = |time: &'static str| event(&[("time", time), ("event", "server_up")]);
        assert_eq!(up("2026-07-01 12:00:00").unwrap(), "server_up 2026-07-01T10:00:00Z None");
        assert_eq!(up("2026-10-25 02:30:00").unwrap(), "server_up 2026-10-25T00:30:00Z None");
        assert!(up("2026-03-29 02:30:00").unwrap_err().contains("does not exist in Europe/Berlin"));
    }
}
