//! The four seed reports on random events, compared with the model.

use chrono::{Datelike as _, NaiveDate};
use chrono_tz::Tz;
use headroom::engine::EngineOptions;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::model::{self, Event, Kind};
use crate::support::Store;

pub(crate) const ZONES: [&str; 5] = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"];
/// Days before a clock change of one of the zones.
pub(crate) const FIRST_DAYS: [&str; 7] = [
    "2024-03-30",
    "2024-10-26",
    "2024-03-09",
    "2024-11-02",
    "2024-04-06",
    "2024-10-05",
    "2023-12-30",
];
const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// What happens: a coherent session, or anything at all.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    at: i64,
    length: i64,
    what: u8,
    user: u8,
    host: u8,
    feature: u8,
    server: u8,
    licenses: u32,
    handle: u8,
    display: u8,
    reason: u8,
}

/// Instants of three days, coarse enough to meet, some of them between seconds.
fn instant() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => (0..3 * 24 * 4i64).prop_map(|quarter| quarter * 15 * MINUTE),
        3 => (0..3 * 24 * 60 * 60i64).prop_map(|second| second * 1_000_000),
        1 => 0..3 * DAY,
        1 => (0..3 * 2i64).prop_map(|noon_or_midnight| noon_or_midnight * DAY / 2),
    ]
}

pub(crate) fn happening() -> impl Strategy<Value = Happening> {
    let numbers = (0..3u8, 0..3u8, 0..3u8, 0..2u8, 0..4u8, 0..4u8, 0..6u8);
    (instant(), instant(), 0..100u8, 1..4u32, numbers).prop_map(
        |(at, length, what, licenses, (user, host, feature, server, handle, display, reason))| Happening {
            at,
            length,
            what,
            user,
            host,
            feature,
            server,
            licenses,
            handle,
            display,
            reason,
        },
    )
}

pub(crate) fn events_of(happenings: &[Happening], first: i64) -> Vec<Event> {
    let mut events = Vec::new();
    for happening in happenings {
        let mut event = Event::new(Kind::Checkout, first + happening.at);
        event.server = format!("s{}", happening.server);
        event.feature = ["f", "g", "f"][happening.feature as usize].to_owned();
        event.version = ["", "", "2"][happening.feature as usize].to_owned();
        event.user = format!("u{}", happening.user);
        event.host = format!("h{}", happening.host);
        event.licenses = happening.licenses;
        event.handle = ["", "", "a", "b"][happening.handle as usize].to_owned();
        event.display = ["", "", "", ":1"][happening.display as usize].to_owned();
        let later = event.at + happening.length / 4;
        let with = |kind| Event { kind, ..event.clone() };
        match happening.what {
            0..45 => {
                events.push(with(Kind::Checkout));
                events.push(Event {
                    at: later,
                    ..with(Kind::Checkin)
                });
            }
            45..60 => {
                let end = Some(later);
                events.push(Event {
                    end,
                    ..with(Kind::Session)
                });
            }
            60..66 => events.push(with(Kind::Checkin)),
            66..72 => events.push(with(Kind::Checkout)),
            72..90 => {
                let code = [Some(-4), Some(-24), Some(-5), Some(-38), Some(-99), None][happening.reason as usize];
                events.push(Event {
                    reason_code: code,
                    ..with(Kind::Denial)
                });
                if happening.reason % 2 == 0 {
                    // The same user gets a license within seconds, or just not.
                    let got = event.at + 1_000_000 * (3 + i64::from(happening.licenses));
                    events.push(Event {
                        at: got,
                        ..with(Kind::Checkout)
                    });
                }
            }
            90..93 => events.push(with(Kind::Unsupported)),
            what => {
                let kind = if what % 2 == 0 { Kind::ServerUp } else { Kind::ServerDown };
                let mut status = Event::new(kind, event.at);
                status.server.clone_from(&event.server);
                events.push(status);
            }
        }
    }
    events
}

/// Which days count, as it is drawn: weekdays as (first from Monday 0, how many more, way of writing), and days before or after the
/// first one that are left out, as (from, how many more).
#[derive(Debug, Clone, Default)]
pub(crate) struct Workdays {
    weekdays: Vec<(u8, u8, u8)>,
    holidays: Vec<(i64, u64)>,
}

impl Workdays {
    fn counts(&self, first: NaiveDate, day: NaiveDate) -> bool {
        let weekday = day.weekday().num_days_from_monday() as u8;
        let kept = |(from, more, _): &(u8, u8, u8)| (weekday + 7 - from) % 7 <= *more;
        let left_out = |(from, more): &(i64, u64)| (*from..=from + *more as i64).contains(&(day - first).num_days());
        (self.weekdays.is_empty() || self.weekdays.iter().any(kept)) && !self.holidays.iter().any(left_out)
    }

    /// The parameters that say the same.
    pub(crate) fn params(&self, first: NaiveDate) -> Vec<(&'static str, String)> {
        let spelled = |weekday: u8, way: u8| match way % 4 {
            0 => (weekday + 1).to_string(),
            1 => ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][weekday as usize].to_owned(),
            2 => ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"][weekday as usize].to_owned(),
            _ => ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"][weekday as usize].to_owned(),
        };
        let range = |(from, more, way): &(u8, u8, u8)| match more {
            0 => spelled(*from, *way),
            more => format!("{}-{}", spelled(*from, *way), spelled((from + more) % 7, way / 4)),
        };
        let day = |after: i64| (first + chrono::TimeDelta::days(after)).to_string();
        let days = |(from, more): &(i64, u64)| match *more as i64 {
            0 => day(*from),
            more => format!("{}..{}", day(*from), day(from + more)),
        };
        let list = |texts: Vec<String>| (!texts.is_empty()).then(|| texts.join(","));
        let wd = list(self.weekdays.iter().map(range).collect()).map(|text| ("wd", text));
        let holidays = list(self.holidays.iter().map(days).collect()).map(|text| ("holidays", text));
        wd.into_iter().chain(holidays).collect()
    }
}

pub(crate) fn workdays() -> impl Strategy<Value = Workdays> {
    let weekdays = prop_oneof![
        2 => Just(Vec::new()),
        3 => proptest::collection::vec((0..7u8, 0..7u8, any::<u8>()), 1..4),
    ];
    let holidays = prop_oneof![
        2 => Just(Vec::new()),
        2 => proptest::collection::vec((-2..6i64, 0..3u64), 1..4),
    ];
    (weekdays, holidays).prop_map(|(weekdays, holidays)| Workdays { weekdays, holidays })
}

/// The store, its numbers and a second opinion on them.
struct Compared<'a> {
    store: &'a Store,
    events: &'a [Event],
    zone: &'a str,
    first: NaiveDate,
    last: NaiveDate,
}

impl Compared<'_> {
    fn params<'p>(&'p self, days: &'p (String, String), more: &[(&'p str, &'p str)]) -> Vec<(&'p str, &'p str)> {
        [&[("sd", &*days.0), ("ed", &*days.1), ("tz", self.zone)], more].concat()
    }

    fn days(&self) -> (String, String) {
        (self.first.to_string(), self.last.to_string())
    }

    fn tz(&self) -> Tz {
        self.zone.parse().unwrap()
    }

    fn features(&self) -> Vec<(String, String, String)> {
        let mut features: Vec<_> = self
            .events
            .iter()
            .filter(|event| !event.feature.is_empty())
            .map(|event| (event.server.clone(), event.feature.clone(), event.version.clone()))
            .collect();
        features.sort();
        features.dedup();
        features
    }

    /// How many licenses of a feature are in use at the last instant of its server: of a session, everything is known; a
    /// checkout that nobody checked in is in use unless the server is down.
    fn in_use(&self) {
        let snapshot = self.store.app.snapshot().unwrap();
        let told = snapshot.in_use().unwrap();
        let (sessions, _) = model::sessions(self.events);
        for (server, feature, version) in self.features() {
            let id: i32 = self.store.feature(&server, &feature, &version).unwrap().parse().unwrap();
            let of_server = || self.events.iter().filter(|event| event.server == server);
            let last = of_server()
                .map(|event| event.end.map_or(event.at, |end| end.max(event.at)))
                .max()
                .unwrap();
            let status = |event: &&Event| matches!(event.kind, Kind::ServerUp | Kind::ServerDown);
            let latest = of_server()
                .filter(status)
                .max_by_key(|event| (event.at, event.kind == Kind::ServerUp));
            let is_down = latest.is_some_and(|event| event.kind == Kind::ServerDown);
            let held = sessions
                .iter()
                .filter(|session| session.server == server && session.feature == feature && session.version == version)
                .filter(|session| session.start <= last && (session.open || last < session.end));
            let expected = if is_down {
                0
            } else {
                held.map(|session| u64::from(session.licenses)).sum()
            };
            assert_eq!(
                told.get(&id).copied().unwrap_or_default(),
                expected,
                "in use of {server} {feature} {version}"
            );
        }
    }

    fn denials(&self) {
        let days = self.days();
        for (server, feature, version) in self.features() {
            let id = self.store.feature(&server, &feature, &version).unwrap();
            for wanted in [None, Some("1"), Some("0")] {
                let mut params = self.params(&days, &[("feature", &id)]);
                params.extend(wanted.map(|wanted| ("true", wanted)));
                let told = self.store.rows("denials", &params);
                let expected = model::denials(self.events, &server, &feature, &version, self.first, self.last, self.tz());
                let expected: Vec<Value> = expected
                    .iter()
                    .filter(|denial| wanted.is_none_or(|wanted| denial.is_true == (wanted == "1")))
                    .map(|denial| {
                        let at = chrono::DateTime::from_timestamp_micros(denial.at)
                            .unwrap()
                            .with_timezone(&self.tz());
                        let at = at.format("%Y-%m-%d %H:%M:%S").to_string();
                        json!({"ldt": at, "ldtc": denial.licenses, "un": denial.user, "hn": denial.host})
                    })
                    .collect();
                assert_eq!(told, expected, "denials of {server} {feature} {version}, true {wanted:?}");
            }
        }
    }

    fn grouped_denials(&self) {
        let days = self.days();
        for (server, feature, version) in self.features() {
            let id = self.store.feature(&server, &feature, &version).unwrap();
            for granularity in 1..=6u8 {
                let grat = granularity.to_string();
                let told = self
                    .store
                    .rows("grouped-denials", &self.params(&days, &[("feature", &id), ("grat", &grat)]));
                let expected = model::grouped_denials(
                    self.events,
                    &server,
                    &feature,
                    &version,
                    self.first,
                    self.last,
                    granularity,
                    self.tz(),
                );
                let expected: Vec<Value> = expected
                    .iter()
                    .map(|(period, denied)| json!({"ldt": period, "ldtc": denied}))
                    .collect();
                assert_eq!(told, expected, "grouped denials of {server} {feature} {version} by {grat}");
            }
        }
    }

    fn utilization(&self, (opens, closes): (u32, u32), workdays: &Workdays) {
        let off = workdays.params(self.first);
        let days = self.days();
        let time = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let (st, et) = (time(opens), time(closes));
        for (server, feature, version) in self.features() {
            let id = self.store.feature(&server, &feature, &version).unwrap();
            let expected = model::utilization(
                self.events,
                &server,
                &feature,
                &version,
                self.first,
                self.last,
                opens,
                closes,
                self.tz(),
                &|day| workdays.counts(self.first, day),
            );
            for (incd, denominator) in [("true", expected.denominator_literal), ("false", expected.denominator_uptime)] {
                let params = self.params(&days, &[("feature", &id), ("st", &st), ("et", &et), ("incd", incd)]);
                let off = off.iter().map(|(name, text)| (*name, text.as_str()));
                let params: Vec<(&str, &str)> = params.into_iter().chain(off).collect();
                let told = self.store.rows("utilization-history", &params);
                let levels: Vec<Value> = expected
                    .levels
                    .iter()
                    .zip(1..)
                    .map(|(micros, level)| {
                        let utilization = if denominator == 0 {
                            Value::Null
                        } else {
                            rounded(100 * i128::from(*micros), i128::from(denominator))
                        };
                        json!({"lc": level, "lhu": rounded(i128::from(*micros), 3_600_000_000), "lutil": utilization})
                    })
                    .collect();
                assert_eq!(
                    told, levels,
                    "utilization of {server} {feature} {version} {st} to {et}, incd {incd}, {workdays:?}"
                );
            }
        }
    }

    fn users_count(&self) {
        let days = self.days();
        let Some(known) = self.events.iter().map(|event| event.at).min() else {
            return;
        };
        let known = chrono::DateTime::from_timestamp_micros(known)
            .unwrap()
            .with_timezone(&self.tz())
            .date_naive();
        let first = self.first.max(known);
        for of_2019 in [false, true] {
            let params = self.params(&days, &[("model", if of_2019 { "2019" } else { "2013" })]);
            let told = self.store.rows("users-count", &params);
            let expected: Vec<Value> = model::users_count(self.events, first, self.last, of_2019, self.tz())
                .iter()
                .map(|row| json!({"ucd": row.day.to_string(), "uct": row.total, "ucdy": row.daily, "ucde": row.denial, "ucch": row.hosts}))
                .collect();
            assert_eq!(told, expected, "users count, 2019: {of_2019}");
        }
    }
}

/// A quotient with two decimals, rounded half away from zero in whole numbers, as JSON reads it.
fn rounded(numerator: i128, denominator: i128) -> Value {
    let hundredths = (numerator * 200 + denominator) / (denominator * 2);
    serde_json::from_str(&format!("{}.{:02}", hundredths / 100, hundredths % 100)).unwrap()
}

/// Imports events and compares every seed report with the model.
fn compare(
    store: &Store,
    events: &[Event],
    (store_zone, report_zone): (&str, &str),
    first: NaiveDate,
    (windows, workdays): ((u32, u32), &Workdays),
) {
    store.reset(store_zone);
    if events.is_empty() {
        return;
    }
    let tally = store.import("random.ndjson", &model::to_ndjson(events));
    assert_eq!(tally.total_events() as usize, events.len());
    let (_, counts) = model::sessions(events);
    let told = [
        tally.sessions,
        tally.orphan_checkins,
        tally.ambiguous_matches,
        tally.truncated_by_restart,
        tally.open_sessions,
    ];
    let expected = [counts.sessions, counts.orphans, counts.ambiguous, counts.truncated, counts.open].map(|count| count as u64);
    assert_eq!(told, expected, "sessions, orphans, ambiguous, truncated, open");
    let compared = Compared {
        store,
        events,
        zone: report_zone,
        first: first.pred_opt().unwrap(),
        last: first + chrono::Days::new(4),
    };
    compared.in_use();
    compared.denials();
    compared.grouped_denials();
    compared.utilization(windows, workdays);
    compared.users_count();
}

fn windows() -> impl Strategy<Value = (u32, u32)> {
    prop_oneof![
        Just((9 * 60, 17 * 60)),
        Just((0, 24 * 60)),
        Just((22 * 60, 6 * 60)),
        Just((2 * 60 + 30, 2 * 60 + 30)),
        (0..96u32, 0..=96u32).prop_map(|(opens, closes)| (opens * 15, closes * 15)),
    ]
}

fn random_stores_agree_with_the_model(zone: &'static str, options: EngineOptions, cases: u32) {
    let store = Store::with_options(zone, options);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let strategy = (
        proptest::collection::vec(happening(), 1..40),
        proptest::sample::select(&FIRST_DAYS[..]),
        proptest::sample::select(&ZONES[..]),
        (windows(), workdays()),
    );
    runner
        .run(&strategy, |(happenings, first, store_zone, (windows, workdays))| {
            let first: NaiveDate = first.parse().unwrap();
            let start = first.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros();
            compare(
                &store,
                &events_of(&happenings, start),
                (store_zone, zone),
                first,
                (windows, &workdays),
            );
            Ok(())
        })
        .unwrap();
}

/// Two users take a handle at one instant, and it is given back before midnight, at midnight or after it.
#[test]
fn a_checkin_ends_the_same_checkout_on_either_side_of_midnight() {
    let store = Store::new("UTC");
    let first: NaiveDate = "2024-03-30".parse().unwrap();
    let start = first.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros();
    for back in [DAY - MINUTE, DAY, DAY + MINUTE, 2 * DAY] {
        let event = |kind, at, user: &str, licenses| Event {
            feature: "f".to_owned(),
            server: "s".to_owned(),
            user: user.to_owned(),
            host: "h".to_owned(),
            handle: "b".to_owned(),
            licenses,
            ..Event::new(kind, start + at)
        };
        let events = [
            event(Kind::Checkout, DAY / 2, "anna", 2),
            event(Kind::Checkout, DAY / 2, "bert", 1),
            event(Kind::Checkin, back, "bert", 1),
        ];
        compare(&store, &events, ("UTC", "UTC"), first, ((0, 24 * 60), &Workdays::default()));
    }
}

const CASES: u32 = 16;

#[test]
fn in_utc() {
    random_stores_agree_with_the_model("UTC", EngineOptions::default(), CASES);
}

#[test]
fn in_berlin() {
    random_stores_agree_with_the_model("Europe/Berlin", EngineOptions::default(), CASES);
}

#[test]
fn in_new_york() {
    random_stores_agree_with_the_model("America/New_York", EngineOptions::default(), CASES);
}

#[test]
fn in_kolkata() {
    random_stores_agree_with_the_model("Asia/Kolkata", EngineOptions::default(), CASES);
}

#[test]
fn in_lord_howe() {
    random_stores_agree_with_the_model("Australia/Lord_Howe", EngineOptions::default(), CASES);
}

#[test]
fn in_one_part_and_tiny_batches() {
    let options = EngineOptions {
        partitions: 1,
        batch_rows: 3,
        ..Default::default()
    };
    random_stores_agree_with_the_model("Europe/Berlin", options, CASES / 2);
}

#[test]
fn in_eight_parts_and_tiny_batches() {
    let options = EngineOptions {
        partitions: 8,
        batch_rows: 2,
        ..Default::default()
    };
    random_stores_agree_with_the_model("America/New_York", options, CASES / 2);
}
