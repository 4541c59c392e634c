//! What a store doubts, by server and day; figures worked out by hand from the events.

use headroom::store::{Id, Quality};
use headroom::time::{Day, Zone};
use serde_json::{Value, json};

use crate::support::Store;

/// The first server. alice takes the same license twice, and gives one back: either could be meant. bob gives back what he
/// never took. The restart on the third ends what alice still has. What carol has on the fourth she has for ever; zed gives back
/// what he never took, and that is the last thing known. One line is no event.
const DOUBTFUL: &str = r#"{"time":"2026-03-02T07:00:00Z","event":"server_up","server":"flex01"}
{"time":"2026-03-02T08:00:00Z","event":"checkout","server":"flex01","feature":"solid","user":"alice","host":"ws1"}
{"time":"2026-03-02T08:05:00Z","event":"checkout","server":"flex01","feature":"solid","user":"alice","host":"ws1"}
{"time":"2026-03-02T09:00:00Z","event":"checkin","server":"flex01","feature":"solid","user":"alice","host":"ws1"}
{"time":"2026-03-02T10:00:00Z","event":"checkin","server":"flex01","feature":"solid","user":"bob","host":"ws2"}
{"time":"some day","event":"checkin","server":"flex01","feature":"solid","user":"bob","host":"ws2"}
{"time":"2026-03-03T06:00:00Z","event":"server_up","server":"flex01"}
{"time":"2026-03-04T09:00:00Z","event":"checkout","server":"flex01","feature":"mesh","user":"carol","host":"ws3"}
{"time":"2026-03-04T10:00:00Z","event":"checkin","server":"flex01","feature":"mesh","user":"zed","host":"ws4"}
"#;
/// The second server has nothing to doubt.
const CLEAN: &str = r#"{"time":"2026-03-03T12:00:00Z","event":"denial","server":"flex02","feature":"solid","user":"alice","host":"ws1"}
{"time":"2026-03-05T12:00:00Z","event":"denial","server":"flex02","feature":"solid","user":"alice","host":"ws1"}
"#;

fn site() -> Store {
    let store = Store::new("UTC");
    assert_eq!(store.import("doubtful.ndjson", DOUBTFUL).unparsed_lines, 1);
    store.import("clean.ndjson", CLEAN);
    store
}

/// The doubts of some servers on days like "2026-03-02..2026-03-03", or ever.
fn quality(store: &Store, servers: &[Id], days: &str, zone: &str) -> Quality {
    let day = |text: &str| text.parse::<Day>().unwrap();
    let days = days.split_once("..").map(|(first, last)| (day(first), day(last)));
    let zone: Zone = zone.parse().unwrap();
    store.app.snapshot().unwrap().quality(servers, days, zone)
}

/// Orphans, open, ambiguous, truncated, undated, unparsed.
fn counts(quality: &Quality) -> [u64; 6] {
    [
        quality.orphan_checkins,
        quality.open_sessions,
        quality.ambiguous_matches,
        quality.truncated_by_restart,
        quality.undated_lines,
        quality.unparsed_lines,
    ]
}

#[test]
fn doubts_are_those_of_the_servers_and_days_that_were_asked_for() {
    let store = site();
    let of = |servers: &[Id], days: &str| counts(&quality(&store, servers, days, "UTC"));
    assert_eq!(of(&[1], ""), [2, 1, 1, 1, 0, 1]);
    assert_eq!(of(&[1], "2026-03-02..2026-03-02"), [1, 0, 1, 0, 0, 1]);
    assert_eq!(of(&[1], "2026-03-03..2026-03-03"), [0, 0, 0, 1, 0, 1]);
    assert_eq!(of(&[1], "2026-03-04..2026-03-04"), [1, 1, 0, 0, 0, 1]);
    assert_eq!(of(&[1], "2026-03-03..2026-03-09"), [1, 1, 0, 1, 0, 1]);
    assert_eq!(of(&[1], "2026-03-05..2026-03-09"), [0, 0, 0, 0, 0, 1]);
    assert_eq!(of(&[1, 2], ""), of(&[1], ""));
    assert_eq!(of(&[2], ""), [0; 6]);
    assert_eq!(of(&[], ""), [0; 6]);
    assert!(quality(&store, &[2], "2026-03-03..2026-03-05", "UTC").is_clean());
    assert!(!quality(&store, &[1], "2026-03-02..2026-03-02", "UTC").is_clean());
    // The third of March begins at 10:00 on the second there, and ends at 10:00 on the third: both are days of doubts.
    assert_eq!(
        counts(&quality(&store, &[1], "2026-03-03..2026-03-03", "Pacific/Kiritimati")),
        [1, 0, 1, 1, 0, 1]
    );
}

#[test]
fn what_is_known_of_each_server_is_told_and_what_lies_outside() {
    let store = site();
    let told = quality(&store, &[2, 1], "2026-03-03..2026-03-04", "Europe/Berlin");
    let told: Value = serde_json::from_str(&told.to_json()).unwrap();
    assert_eq!(
        told["covered"],
        json!([
            {"server": "flex01", "from": "2026-03-02 08:00:00", "to": "2026-03-04 11:00:00"},
            {"server": "flex02", "from": "2026-03-03 13:00:00", "to": "2026-03-05 13:00:00"},
        ])
    );
    assert_eq!(told.get("outside"), None);
    let outside = |servers: &[Id], days: &str, zone: &str| quality(&store, servers, days, zone).outside;
    assert!(!outside(&[1], "2026-03-02..2026-03-04", "UTC"));
    assert!(outside(&[1], "2026-03-01..2026-03-04", "UTC"));
    assert!(outside(&[1], "2026-03-02..2026-03-05", "UTC"));
    assert!(
        outside(&[1, 2], "2026-03-02..2026-03-04", "UTC"),
        "the second server is not known on the second"
    );
    assert!(!outside(&[1, 2], "2026-03-03..2026-03-04", "UTC"));
    assert!(!outside(&[1], "", "UTC"), "no day was asked for");
    assert!(!outside(&[], "2026-03-01..2026-03-09", "UTC"), "no server is behind it");
    // Noon on the third is two o'clock on the fourth there, and the whole third lies before it.
    assert!(outside(&[2], "2026-03-03..2026-03-05", "Pacific/Kiritimati"));
    assert!(!outside(&[2], "2026-03-04..2026-03-06", "Pacific/Kiritimati"));
    assert!(
        quality(&store, &[2], "2026-03-06..2026-03-06", "UTC")
            .to_json()
            .ends_with(r#","outside":true}"#)
    );
    assert!(!outside(&[1], "2026-03-09..2026-03-02", "UTC"), "a range of no day");
}

#[test]
fn what_is_open_is_no_doubt_any_more_when_its_end_is_known() {
    let store = site();
    let end = r#"{"time":"2026-03-06T09:00:00Z","event":"checkin","server":"flex01","feature":"mesh","user":"carol","host":"ws3"}"#;
    store.import("later.ndjson", &format!("{end}\n"));
    assert_eq!(counts(&quality(&store, &[1], "", "UTC")), [2, 0, 1, 1, 0, 1]);
}

#[test]
fn lines_of_a_file_count_once_however_often_it_comes_in() {
    let store = site();
    let unparsed = |servers: &[Id]| quality(&store, servers, "", "UTC").unparsed_lines;
    store.import("doubtful.ndjson", DOUBTFUL);
    assert_eq!(unparsed(&[1]), 1, "it is the same file");
    let longer = format!("{DOUBTFUL}{{\"time\":\"another day\"}}\n");
    store.import("doubtful.ndjson", &longer);
    assert_eq!(unparsed(&[1]), 2, "it has grown");
    // A file of both servers: what was lost of it may be of either.
    let both = format!(
        "{{\"time\":\"never\"}}\n{}{}",
        CLEAN.lines().next().unwrap(),
        &longer[longer.find('\n').unwrap()..]
    );
    store.import("both.ndjson", &both);
    assert_eq!((unparsed(&[1]), unparsed(&[2]), unparsed(&[1, 2])), (5, 3, 5));
    assert_eq!(store.app.snapshot().unwrap().servers_of(&[3, 1, 2, 99]), [1, 2]);
}
