//! One event as one line of NDJSON, the documented interchange format.
//!
//! What the event does not say is left out. Nothing is allocated but by the buffer when it grows.

use crate::event::{Event, Kind};
use crate::time::{DAY, Micros, SECOND};

/// Appends an event as a line of NDJSON, with its line end. Instants are in UTC and of the years 0000 to 9999.
///
/// ```
/// use headroom::event::{Event, Kind};
/// let mut out = Vec::new();
/// let event = Event { server: "s", feature: "f", user: "u", ..Event::new(Kind::Checkout, 0) };
/// headroom::generate::write_ndjson_line(&event, &mut out);
/// assert_eq!(out, b"{\"time\":\"1970-01-01T00:00:00Z\",\"event\":\"checkout\",\"server\":\"s\",\"feature\":\"f\",\"user\":\"u\"}\n");
/// ```
pub fn write_ndjson_line(event: &Event<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"time\":\"");
    instant(event.at, out);
    out.extend_from_slice(b"\",\"event\":\"");
    out.extend_from_slice(event.kind.name().as_bytes());
    out.push(b'"');
    text("server", event.server, out);
    text("feature", event.feature, out);
    text("version", event.version, out);
    text("vendor", event.vendor, out);
    text("user", event.user, out);
    text("host", event.host, out);
    text("display", event.display, out);
    if event.licenses != 1 || event.kind == Kind::Capacity {
        number("licenses", i64::from(event.licenses), out);
    }
    text("handle", event.handle, out);
    if let Some(code) = event.reason_code {
        number("reason_code", i64::from(code), out);
    }
    text("reason", event.reason, out);
    text("project", event.project, out);
    for (name, at) in [("end", event.ended), ("borrow_until", event.borrow_until)] {
        if let Some(at) = at {
            key(name, out);
            out.push(b'"');
            instant(at, out);
            out.push(b'"');
        }
    }
    if let Some(day) = event.expires {
        key("expires", out);
        out.push(b'"');
        date(i64::from(day.0), out);
        out.push(b'"');
    }
    out.extend_from_slice(b"}\n");
}

fn key(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn number(name: &str, value: i64, out: &mut Vec<u8>) {
    key(name, out);
    if value < 0 {
        out.push(b'-');
    }
    let value = value.unsigned_abs();
    digits(value, value.checked_ilog10().unwrap_or(0) + 1, out);
}

fn text(name: &str, value: &str, out: &mut Vec<u8>) {
    if value.is_empty() {
        return;
    }
    key(name, out);
    out.push(b'"');
    if value.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        value.bytes().for_each(|byte| escaped(byte, out));
    } else {
        out.extend_from_slice(value.as_bytes());
    }
    out.push(b'"');
}

fn escaped(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        0..b' ' => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        _ => out.push(byte),
    }
}

/// RFC 3339, with a fraction only where there is one.
fn instant(at: Micros, out: &mut Vec<u8>) {
    date(at.div_euclid(DAY), out);
    let past = at.rem_euclid(DAY).unsigned_abs();
    let (seconds, micros) = (past / SECOND.unsigned_abs(), past % SECOND.unsigned_abs());
    for (mark, value) in [(b'T', seconds / 3_600), (b':', seconds / 60 % 60), (b':', seconds % 60)] {
        out.push(mark);
        digits(value, 2, out);
    }
    if micros != 0 {
        out.push(b'.');
        digits(micros, 6, out);
    }
    out.push(b'Z');
}

/// The calendar date of a number of days since 1970-01-01, by Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>): chrono's way costs more than the rest of the line.
fn date(days: i64, out: &mut Vec<u8>) {
    // Counted from 0000-03-01, so that the leap day is the last of its year; eras of 400 years are all of one length.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    digits((era * 400 + year).unsigned_abs(), 4, out);
    out.push(b'-');
    digits(month.unsigned_abs(), 2, out);
    out.push(b'-');
    digits(day.unsigned_abs(), 2, out);
}

/// The last `width` decimal digits of a number.
fn digits(value: u64, width: u32, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + width as usize, b'0');
    let mut rest = value;
    for digit in out[start..].iter_mut().rev() {
        // Less than ten.
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Day, HOUR, rfc3339};

    fn line(event: &Event<'_>) -> String {
        let mut out = Vec::new();
        write_ndjson_line(event, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_field_has_its_documented_name() {
        let event = Event {
            server: "s",
            feature: "f",
            version: "1.0",
            vendor: "v",
            user: "u",
            host: "h",
            display: ":0",
            licenses: 12,
            handle: "2a",
            reason_code: Some(-4),
            reason: "all taken",
            project: "p",
            ended: Some(HOUR),
            borrow_until: Some(DAY),
            expires: Some(Day(365)),
            ..Event::new(Kind::Session, 0)
        };
        let expected = r#"{"time":"1970-01-01T00:00:00Z","event":"session","server":"s","feature":"f","version":"1.0","vendor":"v","user":"u","host":"h","display":":0","licenses":12,"handle":"2a","reason_code":-4,"reason":"all taken","project":"p","end":"1970-01-01T01:00:00Z","borrow_until":"1970-01-02T00:00:00Z","expires":"1971-01-01"}"#;
        assert_eq!(line(&event), format!("{expected}\n"));
    }

    #[test]
    fn a_total_is_told_even_if_it_is_nought_or_one() {
        for licenses in [0, 1] {
            let event = Event {
                licenses,
                ..Event::new(Kind::Capacity, 0)
            };
            assert!(line(&event).contains(&format!("\"licenses\":{licenses}}}")));
        }
        assert!(!line(&Event::new(Kind::Checkout, 0)).contains("licenses"));
    }

    #[test]
    fn texts_survive_a_json_reader() {
        for feature in [
            "plain",
            "\"</script>\"",
            "DOMAIN\\user",
            "tab\tand\nline\u{1}",
            "müller 設計",
            "\u{7f}",
        ] {
            let event = Event {
                feature,
                ..Event::new(Kind::Checkout, 0)
            };
            let read: serde_json::Value = serde_json::from_str(&line(&event)).unwrap();
            assert_eq!(read["feature"], feature);
        }
    }

    #[test]
    fn instants_are_those_of_chrono() {
        let years = (-62_167_219_200..253_402_300_799).step_by(7_654_321).map(|second| second * SECOND);
        for at in years.chain([-1, 1, 951_782_400 * SECOND, 4_107_542_399 * SECOND + 123_456]) {
            let mut out = Vec::new();
            instant(at, &mut out);
            let expected = chrono::DateTime::parse_from_rfc3339(&String::from_utf8(out).unwrap()).unwrap();
            assert_eq!(expected.timestamp_micros(), at, "{}", rfc3339(at));
        }
    }
}
