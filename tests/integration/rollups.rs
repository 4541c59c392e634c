//! Rollups say what the pieces say: every report, whoever asks and however.

use headroom::access::{Access, Names, Role};
use headroom::app::{App, AppOptions, Ask};
use headroom::engine::EngineOptions;
use headroom::event::Table;
use headroom::output;
use headroom::store::Writer;
use proptest::prelude::*;

use crate::model;
use crate::properties::{FIRST_DAYS, ZONES, events_of, happening};
use crate::support::{Store, flaws};

/// A second application on the same store, without rollups.
fn without_rollups(store: &Store) -> App {
    let engine = EngineOptions {
        rollups: false,
        ..EngineOptions::default()
    };
    let options = AppOptions {
        engine,
        ..AppOptions::default()
    };
    App::new(&store.root(), options).unwrap()
}

/// What is answered, or refused.
fn told(app: &App, access: &Access, report: &str, params: &[(&str, &str)]) -> String {
    let given: Vec<(String, String)> = params
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer: Result<Vec<u8>, headroom::app::AppError> = runtime.block_on(async {
        let ask = Ask {
            report,
            given: &given,
            format: output::find("json").unwrap(),
            caller: &headroom::access::Caller::new("tester", access.clone()),
            place: None,
        };
        let mut rendering = app.prepare(&ask)?.run().await?;
        let mut bytes = Vec::new();
        while let Some(piece) = rendering.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    });
    match answer {
        Ok(bytes) => String::from_utf8(bytes).unwrap(),
        Err(error) => format!("refused: {error}"),
    }
}

fn limited(servers: &[&str], names: Names) -> Access {
    let servers = servers.iter().map(|server| (*server).to_owned()).collect();
    Access::new(Role::Viewer, Some(servers), names)
}

/// Every report with every kind of parameter that rollups, and the shortcuts around them, might get wrong.
fn requests(first: &str, last: &str, zones: [&str; 2]) -> Vec<(&'static str, Vec<(String, String)>)> {
    let days = |zone: &str| [("sd", first), ("ed", last), ("tz", zone)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let with = |zone: &str, more: &[(&str, &str)]| {
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        days(zone).into_iter().chain(more).collect::<Vec<_>>()
    };
    let mut requests = Vec::new();
    for zone in zones {
        for features in ["1", "2", "1,3", "all"] {
            for (opens, closes) in [
                ("09:00", "17:00"),
                ("08:37", "17:05"),
                ("22:00", "06:00"),
                ("00:00", "24:00"),
                ("02:15", "02:15"),
            ] {
                let more = [("feature", features), ("st", opens), ("et", closes)];
                requests.push(("utilization-history", with(zone, &more)));
                let off = [("wd", "sat-mon,4"), ("holidays", last)];
                requests.push(("utilization-history", with(zone, &[&more[..], &off].concat())));
            }
            for granularity in ["HOUR", "DAY", "MONTH"] {
                requests.push(("grouped-denials", with(zone, &[("feature", features), ("grat", granularity)])));
            }
            let refined: [&[(&str, &str)]; 3] = [&[], &[("true", "1"), ("orderBy", "hn")], &[("reason", "capacity"), ("limit", "3")]];
            for more in refined {
                requests.push(("denials", with(zone, &[&[("feature", features)], more].concat())));
            }
        }
        // As many as of the others, whose parameters are more.
        for _ in 0..5 {
            for model in ["2013", "2019"] {
                requests.push(("users-count", with(zone, &[("model", model)])));
            }
        }
    }
    requests
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rollups_say_what_the_pieces_say(
        happenings in proptest::collection::vec(happening(), 1..60),
        first in proptest::sample::select(&FIRST_DAYS[..]),
        store_zone in proptest::sample::select(&ZONES[..]),
        other_zone in proptest::sample::select(&ZONES[..]),
        chosen in proptest::collection::vec(any::<proptest::sample::Index>(), 24),
    ) {
        let first: chrono::NaiveDate = first.parse().unwrap();
        let start = first.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros();
        let events = events_of(&happenings, start);
        prop_assume!(!events.is_empty());
        let store = Store::new(store_zone);
        store.import("random.ndjson", &model::to_ndjson(&events));
        prop_assert!(store.flaws().is_empty());
        let plain = without_rollups(&store);
        // Names that are hidden are computed with above the tables, where no shortcut reaches.
        let accesses = [
            Access::everything(),
            limited(&["s0"], Names::Plain),
            limited(&["s0", "s1"], Names::Plain),
            limited(&["s0", "s1"], Names::Pseudonym),
        ];
        let (from, until) = ((first - chrono::Days::new(1)).to_string(), (first + chrono::Days::new(3)).to_string());
        // A few of them each time, others with every store.
        let requests = requests(&from, &until, [store_zone, other_zone]);
        for place in chosen {
            let (report, params) = &requests[place.index(requests.len())];
            let params: Vec<(&str, &str)> = params.iter().map(|(name, value)| (&**name, &**value)).collect();
            for access in &accesses {
                let with = told(&store.app, access, report, &params);
                prop_assert_eq!(&with, &told(&plain, access, report, &params), "{} {:?} {:?}", report, params, access);
                // What was kept is what was read.
                prop_assert_eq!(&with, &told(&store.app, access, report, &params), "{} {:?}, again", report, params);
            }
            if ["users-count", "utilization-history"].contains(report) {
                // The same numbers, whatever people are called.
                let [.., plain_names, hidden] = &accesses;
                let (one, other) = (told(&store.app, plain_names, report, &params), told(&store.app, hidden, report, &params));
                prop_assert_eq!(one, other, "{} {:?}", report, params);
            }
        }
    }
}

#[test]
fn a_store_without_rollups_is_whole_and_answers_the_same() {
    let store = Store::new("Europe/Berlin");
    store.import("acme.log", &std::fs::read_to_string("data/acme.log").unwrap());
    let params = [
        ("feature", "all"),
        ("sd", "2026-03-01"),
        ("ed", "2026-03-05"),
        ("st", "09:00"),
        ("et", "17:00"),
    ];
    let before = told(&store.app, &Access::everything(), "utilization-history", &params);
    assert!(before.contains("lhu"), "{before}");
    let rollups: Vec<Table> = Table::ALL.into_iter().filter(|table| table.rollup()).collect();
    assert_eq!(rollups.len(), 3);
    let catalog = rusqlite::Connection::open(store.root().join("catalog.sqlite")).unwrap();
    for table in &rollups {
        catalog.execute("DELETE FROM files WHERE tbl = ?1", [table.name()]).unwrap();
        std::fs::remove_dir_all(store.root().join(table.name())).unwrap();
    }
    assert!(!flaws(&store.root()).is_empty(), "they are missed where there should be some");
    catalog.execute("UPDATE meta SET value = 'some' WHERE key = 'rollups'", []).unwrap();
    drop(catalog);
    assert_eq!(flaws(&store.root()), Vec::<String>::new(), "a store of before they were made");
    assert_eq!(told(&store.app, &Access::everything(), "utilization-history", &params), before);
    let mut writer = Writer::open(&store.root(), headroom::app::PATIENCE).unwrap();
    writer.rebuild(&mut |_, _| {}).unwrap();
    drop(writer);
    assert!(rollups.iter().all(|table| !store.app.snapshot().unwrap().files(*table).is_empty()));
    assert_eq!(flaws(&store.root()), Vec::<String>::new());
}

#[test]
fn rollups_take_little_room() {
    let store = Store::new("UTC");
    let plan = headroom::generate::Plan {
        days: 3,
        events_per_day: 20_000,
        seed: 1,
        first: "2025-01-06".parse().unwrap(),
        zone: "UTC".parse().unwrap(),
    };
    let mut lines = Vec::new();
    headroom::generate::generate(&plan, &mut |event| {
        headroom::generate::write_ndjson_line(event, &mut lines);
        Ok::<_, ()>(())
    })
    .unwrap();
    store.import("site.ndjson", &String::from_utf8(lines).unwrap());
    let snapshot = store.app.snapshot().unwrap();
    let bytes = |rollup: bool| -> u64 {
        let tables = Table::ALL.into_iter().filter(|table| table.rollup() == rollup);
        tables.flat_map(|table| snapshot.files(table).values()).map(|file| file.bytes).sum()
    };
    let (rollups, rest) = (bytes(true), bytes(false));
    assert!(rollups > 0 && rollups * 10 < rest * 6, "{rollups} bytes of rollups beside {rest}");
}
