//! Random events with difficult names, and random questions about them.

use chrono::{DateTime, Days, NaiveDate};
use headroom::report::{Definition, Param, ParamType};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// Names that differ in case alone, or mean something to SQL, JSON, CSV, HTML or a spreadsheet.
const USERS: [&str; 10] = [
    "ana",
    "ANA",
    "Änne",
    "änne",
    "=cmd()",
    "o\"neil, x",
    "李 雷",
    "<b>&amp;",
    "a%a",
    "-1",
];
/// An empty host is one that is not known.
const HOSTS: [&str; 6] = ["ws-1", "WS-1", "", "h%", "h_", "line\nbreak"];
const FEATURES: [(&str, &str, &str); 5] = [
    ("alpha", "cad", ""),
    ("alpha", "cad", "2.0"),
    ("Beta & co", "MÉŠ <3>", ""),
    ("Beta & co", "+plus", "2.0"),
    ("gamma", "'quote'", "1;2"),
];
const VENDORS: [&str; 5] = ["", "ACME", "acme", "", "@vendor"];
/// Zones, and a day before their clocks change.
const ZONES: [(&str, &str); 5] = [
    ("UTC", "2023-12-30"),
    ("Europe/Berlin", "2024-10-26"),
    ("America/New_York", "2024-03-09"),
    ("Asia/Kolkata", "2024-02-28"),
    ("Australia/Lord_Howe", "2024-04-06"),
];

/// Events, and what is known about them without asking.
pub(super) struct Site {
    pub(super) zone: &'static str,
    pub(super) ndjson: String,
    first: NaiveDate,
    features: usize,
}

/// What happens: time, length, kind, user, host, feature, licenses.
type Happening = (i64, i64, u8, usize, usize, usize, u32);

fn happening() -> impl Strategy<Value = Happening> {
    let micros = prop_oneof![
        3 => (0..3 * 24 * 4i64).prop_map(|quarter| quarter * 15 * 60_000_000),
        1 => 0..3 * 24 * 3_600_000_000i64,
    ];
    let length = prop_oneof![2 => (0..40i64).prop_map(|quarter| quarter * 15 * 60_000_000), 1 => 1..30_000_000_000i64];
    (micros, length, 0..100u8, 0..USERS.len(), 0..HOSTS.len(), 0..FEATURES.len(), 1..5u32)
}

/// Random events of three days of a zone.
pub(super) fn drawn(runner: &mut TestRunner, zone: &str) -> Site {
    let (zone, first) = ZONES.into_iter().find(|(known, _)| *known == zone).unwrap();
    let first: NaiveDate = first.parse().unwrap();
    let happenings = proptest::collection::vec(happening(), 40..90).new_tree(runner).unwrap().current();
    let mut met = Vec::new();
    let mut ndjson = String::new();
    for (at, length, what, user, host, feature, licenses) in happenings {
        let (server, name, version) = FEATURES[feature];
        let time = |micros: i64| {
            let start = first.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros();
            DateTime::from_timestamp_micros(start + micros).unwrap().to_rfc3339()
        };
        let mut event = json!({"time": time(at), "server": server});
        let kind = match what {
            0..45 => "session",
            45..50 => "checkout",
            50..95 => "denial",
            95..98 => "server_up",
            _ => "server_down",
        };
        event["event"] = kind.into();
        if kind == "session" {
            event["end"] = time(at + length).into();
        }
        if kind == "denial" {
            event["reason_code"] = [-4, -24, -5, -38][user % 4].into();
        }
        if !kind.starts_with("server") {
            event["licenses"] = licenses.into();
            for (key, text) in [
                ("feature", name),
                ("version", version),
                ("vendor", VENDORS[feature]),
                ("user", USERS[user]),
                ("host", HOSTS[host]),
            ] {
                if !text.is_empty() {
                    event[key] = Value::from(text);
                }
            }
            if !met.contains(&feature) {
                met.push(feature);
            }
        }
        ndjson.push_str(&format!("{event}\n"));
    }
    Site {
        zone,
        ndjson,
        first,
        features: met.len(),
    }
}

impl Site {
    /// A random question for a report, without options.
    pub(super) fn request(&self, runner: &mut TestRunner, definition: &Definition) -> Vec<(String, String)> {
        let draws = (any::<[u8; 16]>(), 0..ZONES.len()).new_tree(runner).unwrap().current();
        let (mut bytes, zone) = (draws.0.into_iter().cycle(), draws.1);
        let mut draw = |below: usize| usize::from(bytes.next().unwrap()) % below;
        let mut given = vec![("tz".to_owned(), ZONES[zone].0.to_owned())];
        let starts = draw(3) as u64;
        let lasts = draw(4) as u64;
        for param in &definition.params {
            if !param.required && param.kind != ParamType::Date && draw(8) != 0 {
                continue;
            }
            if let Some(text) = self.value(param, (starts, lasts), &mut draw) {
                given.push((param.name.clone(), text));
            }
        }
        given
    }

    fn value(&self, param: &Param, (starts, lasts): (u64, u64), draw: &mut impl FnMut(usize) -> usize) -> Option<String> {
        let time = |quarter: usize| format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15);
        Some(match param.kind {
            ParamType::Features => match draw(4) {
                0 => "all".to_owned(),
                1 if self.features > 1 => format!("{},1", self.features),
                _ => (draw(self.features) + 1).to_string(),
            },
            // From the day before the first event on.
            ParamType::Date if param.name == "sd" => (self.first + Days::new(starts) - Days::new(1)).to_string(),
            ParamType::Date => (self.first + Days::new(starts + lasts) - Days::new(1)).to_string(),
            ParamType::Granularity => (draw(6) + 1).to_string(),
            ParamType::Time => time(draw(96)),
            ParamType::ClosingTime => time(draw(97)),
            ParamType::Boolean if param.name == "today" => return None,
            ParamType::Boolean => draw(2).to_string(),
            ParamType::Enumeration => param.values[draw(param.values.len())].clone(),
            ParamType::Weekdays => ["mon-fri", "sat-mon,3", "2", "fri-sun"][draw(4)].to_owned(),
            ParamType::Holidays => (self.first + Days::new(draw(5) as u64)).to_string(),
            ParamType::Text => ["a", "A", "2"][draw(3)].to_owned(),
            other => panic!("what may {} ({other:?}) be?", param.name),
        })
    }
}
