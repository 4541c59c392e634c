//! Events as neutral NDJSON.

use super::*;

/// The events in the neutral NDJSON format, in their order; absent fields are left out.
pub fn to_ndjson(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        let mut fields = vec![("time", quoted(&rfc3339(event.at))), ("event", quoted(kind_name(event.kind)))];
        if let Some(end) = event.end {
            fields.push(("end", quoted(&rfc3339(end))));
        }
        let strings = [
            ("server", &event.server),
            ("feature", &event.feature),
            ("version", &event.version),
            ("user", &event.user),
            ("host", &event.host),
            ("display", &event.display),
            ("handle", &event.handle),
        ];
        for (name, value) in strings {
            if !value.is_empty() {
                fields.push((name, quoted(value)));
            }
        }
        if !event.is_status() {
            fields.push(("licenses", event.licenses.to_string()));
        }
        if let Some(code) = event.reason_code {
            fields.push(("reason_code", code.to_string()));
        }
        let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        text.push_str(&format!("{{{}}}\n", fields.join(",")));
    }
    text
}

pub(super) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Checkout => "checkout",
        Kind::Checkin => "checkin",
        Kind::Denial => "denial",
        Kind::Unsupported => "unsupported",
        Kind::ServerUp => "server_up",
        Kind::ServerDown => "server_down",
        Kind::Capacity => "capacity",
        Kind::Session => "session",
    }
}

pub(super) fn rfc3339(at: i64) -> String {
    let precision = if at % SECOND == 0 {
        SecondsFormat::Secs
    } else {
        SecondsFormat::Micros
    };
    let utc = DateTime::from_timestamp_micros(at).expect("the tests stay within chrono's range");
    utc.to_rfc3339_opts(precision, true)
}

/// A JSON string.
pub(super) fn quoted(value: &str) -> String {
    let mut text = String::from('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            control if control < ' ' => text.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => text.push(other),
        }
    }
    text.push('"');
    text
}
