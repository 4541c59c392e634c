//! The worked examples of the definitions, figure by figure.

use serde_json::json;

use crate::support::Store;

fn instant(text: &str) -> String {
    format!("{}Z", text.replace(' ', "T"))
}

fn user(time: &str, event: &str, who: &str, licenses: u32) -> String {
    let (user, host) = who.split_once('@').unwrap();
    let time = instant(time);
    json!({"time": time, "event": event, "server": "s", "feature": "f", "user": user, "host": host, "licenses": licenses}).to_string()
        + "\n"
}

fn server(time: &str, event: &str) -> String {
    json!({"time": instant(time), "event": event, "server": "s"}).to_string() + "\n"
}

#[test]
fn denials() {
    let store = Store::new("UTC");
    store.import(
        "x.ndjson",
        &[
            user("2015-01-01 08:59:59", "denial", "alice@ws1", 1),
            user("2015-01-01 09:00:00", "denial", "bob@ws2", 2),
            user("2015-01-02 23:59:59", "denial", "alice@ws1", 1),
        ]
        .concat(),
    );
    let range = [("feature", "1"), ("sd", "2015-01-01"), ("ed", "2015-01-02")];
    let rows = store.rows("denials", &range);
    assert_eq!(
        rows,
        [
            json!({"ldt": "2015-01-01 08:59:59", "ldtc": 1, "un": "alice", "hn": "ws1"}),
            json!({"ldt": "2015-01-01 09:00:00", "ldtc": 2, "un": "bob", "hn": "ws2"}),
            json!({"ldt": "2015-01-02 23:59:59", "ldtc": 1, "un": "alice", "hn": "ws1"}),
        ]
    );
    let grouped = |grat: &str| store.rows("grouped-denials", &[&range[..], &[("grat", grat)]].concat());
    assert_eq!(
        grouped("5"),
        [json!({"ldt": "2015-01-01", "ldtc": 3}), json!({"ldt": "2015-01-02", "ldtc": 1})]
    );
    assert_eq!(grouped("3"), [json!({"ldt": "2015-01", "ldtc": 4})]);
    assert_eq!(grouped("4"), [json!({"ldt": "2014-12-29-2015-01-04", "ldtc": 4})]);
    assert_eq!(grouped("QUARTER"), [json!({"ldt": "2015-Q1", "ldtc": 4})]);
    assert_eq!(grouped("year"), [json!({"ldt": "2015", "ldtc": 4})]);
    let hours = grouped("6");
    assert_eq!(hours.len(), 48);
    let busy: Vec<_> = hours.iter().filter(|row| row["ldtc"] != 0).cloned().collect();
    assert_eq!(
        busy,
        [
            json!({"ldt": "2015-01-01 08:00", "ldtc": 1}),
            json!({"ldt": "2015-01-01 09:00", "ldtc": 2}),
            json!({"ldt": "2015-01-02 23:00", "ldtc": 1}),
        ]
    );
}

#[test]
fn rows_keep_their_order_however_many_parts_compute_them() {
    let options = headroom::engine::EngineOptions {
        partitions: 8,
        batch_rows: 2,
        ..Default::default()
    };
    let store = Store::with_options("UTC", options);
    let denials: String = (1..=20)
        .rev()
        .map(|day| user(&format!("2015-01-{day:02} 09:00:{day:02}"), "denial", "a@h", 1))
        .collect();
    store.import("x.ndjson", &denials);
    for narrowed in [
        &[][..],
        &[("true", "0")],
        &[("reason", "other")],
        &[("true", "0"), ("reason", "other")],
        &[("tz", "Asia/Kolkata")],
    ] {
        let range = [("feature", "1"), ("sd", "2015-01-01"), ("ed", "2015-02-02")];
        let rows = store.rows("denials", &[&range[..], narrowed].concat());
        let dates: Vec<&str> = rows.iter().map(|row| row["ldt"].as_str().unwrap()).collect();
        assert!(dates.len() == 20 && dates.is_sorted(), "{narrowed:?}: {dates:?}");
    }
}

#[test]
fn utilization_history() {
    let store = Store::new("UTC");
    store.import(
        "x.ndjson",
        &[
            server("2015-01-01 00:00:00", "server_up"),
            user("2015-01-01 08:00:00", "checkout", "a@h", 1),
            user("2015-01-01 10:00:00", "checkout", "b@h", 2),
            user("2015-01-01 10:30:00", "checkin", "a@h", 1),
            user("2015-01-01 16:00:00", "checkout", "c@h", 1),
            user("2015-01-01 18:00:00", "checkin", "b@h", 2),
            user("2015-01-02 09:30:00", "checkin", "c@h", 1),
            server("2015-01-02 13:00:00", "server_down"),
        ]
        .concat(),
    );
    let asked = [
        ("feature", "1"),
        ("sd", "2015-01-01"),
        ("ed", "2015-01-02"),
        ("st", "09:00"),
        ("et", "17:00"),
    ];
    let with = |incd| store.rows("utilization-history", &[&asked[..], &[("incd", incd)]].concat());
    assert_eq!(
        with("true"),
        [
            json!({"lc": 1, "lhu": 8.5, "lutil": 53.13}),
            json!({"lc": 2, "lhu": 7.0, "lutil": 43.75}),
            json!({"lc": 3, "lhu": 1.5, "lutil": 9.38}),
        ]
    );
    let uptime_only = [
        json!({"lc": 1, "lhu": 8.5, "lutil": 70.83}),
        json!({"lc": 2, "lhu": 7.0, "lutil": 58.33}),
        json!({"lc": 3, "lhu": 1.5, "lutil": 12.5}),
    ];
    assert_eq!(with("false"), uptime_only);
    assert_eq!(store.rows("utilization-history", &asked), uptime_only);
    weekdays_and_holidays(&store);
}

/// The same sessions on Thursday 2015-01-01 and Friday 2015-01-02: windows belong to the day they begin on.
fn weekdays_and_holidays(store: &Store) {
    let row = |level: i64, hours: f64, share: f64| json!({"lc": level, "lhu": hours, "lutil": share});
    let ask = |st, et, more: &[(&str, &str)]| {
        let asked = [("feature", "1"), ("sd", "2015-01-01"), ("ed", "2015-01-02"), ("st", st), ("et", et)];
        store.rows("utilization-history", &[&asked[..], more].concat())
    };
    let thursday = [row(1, 8.0, 100.0), row(2, 7.0, 87.5), row(3, 1.5, 18.75)];
    for only in [
        ("wd", "thu"),
        ("wd", "4"),
        ("wd", "Mon-Thursday"),
        ("wd", "sat-thu"),
        ("holidays", "2015-01-02"),
    ] {
        for incd in ["true", "false"] {
            assert_eq!(ask("09:00", "17:00", &[only, ("incd", incd)]), thursday, "{only:?}");
        }
    }
    for only in [("wd", "fri"), ("wd", "fri-wed"), ("holidays", "2014-12-24..2015-01-01")] {
        assert_eq!(ask("09:00", "17:00", &[only, ("incd", "true")]), [row(1, 0.5, 6.25)]);
        assert_eq!(ask("09:00", "17:00", &[only, ("incd", "false")]), [row(1, 0.5, 12.5)]);
    }
    // A night belongs to its evening, and a whole day from nine to its morning.
    assert_eq!(ask("22:00", "06:00", &[("wd", "thu")]), [row(1, 8.0, 100.0)]);
    assert!(ask("22:00", "06:00", &[("wd", "fri")]).is_empty());
    let from_nine = [row(1, 24.0, 100.0), row(2, 8.0, 33.33), row(3, 2.5, 10.42)];
    assert_eq!(ask("09:00", "09:00", &[("holidays", "2015-01-02")]), from_nine);
    assert!(ask("09:00", "17:00", &[("wd", "sat,sun")]).is_empty());
}

#[test]
fn users_count() {
    let store = Store::new("UTC");
    store.import(
        "x.ndjson",
        &[
            user("2015-01-01 23:00:00", "checkout", "alice@h1", 1),
            user("2015-01-01 23:30:00", "checkout", "bob@h2", 1),
            user("2015-01-01 23:45:00", "checkin", "bob@h2", 1),
            user("2015-01-02 00:30:00", "checkout", "carol@h1", 1),
            user("2015-01-02 01:00:00", "checkin", "alice@h1", 1),
            user("2015-01-02 02:00:00", "checkin", "carol@h1", 1),
            user("2015-01-03 12:00:00", "denial", "bob@h2", 1),
        ]
        .concat(),
    );
    let row = |day: &str, counts: [i64; 4]| json!({"ucd": day, "uct": counts[0], "ucdy": counts[1], "ucde": counts[2], "ucch": counts[3]});
    let days = [
        row("2015-01-01", [2, 2, 0, 2]),
        row("2015-01-02", [3, 2, 0, 1]),
        row("2015-01-03", [3, 0, 1, 0]),
    ];
    assert_eq!(store.rows("users-count", &[("ed", "2015-01-03")]), days);
    let of_2019 = store.rows("users-count", &[("ed", "2015-01-03"), ("model", "2019")]);
    assert_eq!(of_2019[..2], days[..2]);
    assert_eq!(of_2019[2], row("2015-01-03", [3, 1, 1, 0]));
    // Nobody counts after fourteen days; every day up to yesterday has a row.
    let all = store.rows("users-count", &[]);
    assert_eq!(all[14], row("2015-01-15", [2, 0, 0, 0]));
    assert_eq!(all[15], row("2015-01-16", [0, 0, 0, 0]));
    assert!(all.len() > 4000);
    assert_eq!(store.rows("users-count", &[("today", "1")]).len(), all.len() + 1);
    assert_eq!(
        store.rows("users-count", &[("ed", "2015-01-01"), ("gathering", "realtime")]),
        [row("2015-01-01", [0; 4])]
    );
    assert_eq!(store.rows("users-count", &[("sd", "2015-01-03"), ("ed", "2015-01-03")]), days[2..]);
}
