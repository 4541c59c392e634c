//! Importing again changes nothing, and neither does the order of overlapping files.

use std::collections::BTreeMap;

use headroom::generate::{Plan, generate, write_ndjson_line};
use headroom::import::ImportOptions;
use proptest::prelude::*;

use crate::support::Store;

/// Lines of events in order of time: a small site over a few days, sessions over midnight and restarts included.
fn lines(seed: u64) -> Vec<String> {
    let plan = Plan {
        days: 12,
        events_per_day: 60,
        seed,
        first: "2024-03-25".parse().unwrap(),
        zone: "Europe/Berlin".parse().unwrap(),
    };
    let mut text = Vec::new();
    generate(&plan, &mut |event| {
        write_ndjson_line(event, &mut text);
        Ok::<_, ()>(())
    })
    .unwrap();
    String::from_utf8(text).unwrap().split_inclusive('\n').map(str::to_owned).collect()
}

/// A FlexNet log with two daemons, a crash, a clean stop, midnights without anchors and verbose lines.
fn flexnet_lines() -> Vec<String> {
    let mut lines = vec![
        " 8:00:00 (lmgrd) FlexNet Licensing (v11.19) started on srv (linux) (3/29/2024)\n".to_owned(),
        " 8:00:05 (acme) Server started on srv for: f g\n".to_owned(),
        " 8:00:05 (beta) Server started on srv for: h\n".to_owned(),
    ];
    for day in 0..4u32 {
        for hour in 8..24u32 {
            let user = (day * 7 + hour) % 5;
            for (minute, text) in [
                (1, format!("(acme) OUT: \"f\" u{user}@h{user}")),
                (1, format!("(acme) OUT: \"g\" u{user}@h{user}  (2 licenses)")),
                (
                    7,
                    format!("(beta) OUT: \"h\" u{user}@h1 ^^^ 1.0 u{user} 10.0.0.1 7 0x{day}{hour} 1 3 p ^^^"),
                ),
                (20, format!("(acme) IN: \"f\" u{user}@h{user}  (INACTIVE)")),
                (20, format!("(acme) OUT: \"f\" u{user}@h{user}")),
                (
                    31,
                    format!("(acme) DENIED: \"g\" u{user}@h2  (Licensed number of users already reached. (-4,342))"),
                ),
                (
                    50,
                    format!("(beta) IN: \"h\" u{user}@h1 ^^^ 1.0 u{user} 10.0.0.1 7 0x{day}{hour} 1 3 p ^^^"),
                ),
                (55, format!("(acme) IN: \"g\" u{user}@h{user}  (2 licenses)")),
            ] {
                lines.push(format!("{hour:2}:{minute:02}:00 {text}\n"));
            }
        }
        match day {
            1 => lines.push("23:59:00 (beta) EXITING DUE TO SIGNAL 15\n".to_owned()),
            2 => lines.push("23:58:00 (lmgrd) FlexNet Licensing (v11.19) started on srv (linux) (3/31/2024)\n".to_owned()),
            _ => {}
        }
    }
    lines
}

fn store_of(files: &[(&str, String)], options: &ImportOptions) -> Vec<String> {
    let store = Store::new("Europe/Berlin");
    for (name, text) in files {
        store.try_import(name, text, options).unwrap();
    }
    assert_eq!(store.flaws(), [""; 0]);
    store.contents()
}

/// What overlapping files must share to be told apart from files that follow each other: more than one second.
fn cut_points(lines: usize) -> impl Strategy<Value = (usize, usize)> {
    (lines / 10..lines * 6 / 10, lines / 4..lines / 2).prop_map(move |(start, overlap)| (start, (start + overlap).min(lines - 1)))
}

fn overlapping_files_are_one(lines: &[String], options: &ImportOptions, first_cut: usize) {
    let whole = store_of(&[("site.log", lines.concat())], options);
    assert!(whole.len() > 100);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 6,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&cut_points(lines.len()), |(second_starts, first_ends)| {
            let (first, second) = (lines[..first_ends].concat(), lines[second_starts.max(first_cut)..].concat());
            let (first, second) = (("site.log", first), ("site.log.1", second));
            let all = ("site.log.2", lines.concat());
            prop_assert_eq!(&store_of(&[first.clone(), second.clone()], options), &whole, "halves in order");
            prop_assert_eq!(&store_of(&[second, first.clone()], options), &whole, "halves in reverse");
            prop_assert_eq!(&store_of(&[first, all], options), &whole, "a part, then the whole");
            Ok(())
        })
        .unwrap();
}

#[test]
fn neutral_files_that_overlap_are_one() {
    overlapping_files_are_one(&lines(3), &ImportOptions::default(), 0);
}

#[test]
fn flexnet_logs_that_overlap_are_one() {
    let options = ImportOptions {
        zone: Some("Europe/Berlin".parse().unwrap()),
        ..ImportOptions::default()
    };
    let mut lines = flexnet_lines();
    // Logs say the date every few hours, so that a part knows its days.
    let mut day = 28;
    let mut last = 24;
    let mut dated = Vec::new();
    for line in lines.drain(..) {
        let hour: u32 = line[..2].trim().parse().unwrap();
        day += u32::from(hour < last && last - hour > 12);
        if hour != last && hour.is_multiple_of(4) {
            let (month, date) = if day > 31 { (4, day - 31) } else { (3, day) };
            dated.push(format!("{hour:2}:00:00 (lmgrd) TIMESTAMP {month}/{date}/2024\n"));
        }
        last = hour;
        dated.push(line);
    }
    overlapping_files_are_one(&dated, &options, 0);
}

#[test]
fn a_file_that_comes_again_changes_nothing_and_says_the_same() {
    let store = Store::new("UTC");
    let text = lines(5).concat();
    let first = store.import("site.ndjson", &text);
    let (contents, generation) = (store.contents(), store.app.snapshot().unwrap().generation());
    let again = store.import("site.ndjson", &text);
    assert_eq!(store.contents(), contents);
    assert_eq!(
        store.app.snapshot().unwrap().generation(),
        generation,
        "nothing changed, so that nobody reads anew"
    );
    assert_eq!((first.duplicates, again.duplicates), (0, first.total_events()));
    let same = headroom::import::Tally {
        duplicates: 0,
        seconds: first.seconds,
        ..again
    };
    assert_eq!(same, first);
}

#[test]
fn the_same_event_twice_in_one_file_is_two_events() {
    let store = Store::new("UTC");
    let line = r#"{"time":"2024-01-01T10:00:00Z","event":"denial","server":"s","feature":"f","user":"u","host":"h"}"#.to_owned() + "\n";
    store.import("a.ndjson", &line.repeat(2));
    store.import("b.ndjson", &line.repeat(3));
    store.import("c.ndjson", &line);
    let rows = store.rows("denials", &[("feature", "1"), ("sd", "2024-01-01"), ("ed", "2024-01-01")]);
    assert_eq!(rows.len(), 3);
}

#[test]
fn late_events_rederive_what_follows() {
    let lines = lines(9);
    let (mut early, mut late) = (Vec::new(), Vec::new());
    for (number, line) in lines.iter().enumerate() {
        if number % 3 == 0 {
            late.push(line.clone())
        } else {
            early.push(line.clone())
        }
    }
    let options = ImportOptions::default();
    let whole = store_of(&[("a", lines.concat())], &options);
    let mixed = store_of(&[("a", early.concat()), ("b", late.concat())], &options);
    assert_eq!(mixed, whole);
}

#[test]
fn a_rebuild_makes_the_same_bytes() {
    let store = Store::new("Europe/Berlin");
    store.import("site.ndjson", &lines(7).concat());
    let checksums = || {
        let snapshot = store.app.snapshot().unwrap();
        let files = headroom::event::Table::ALL
            .into_iter()
            .flat_map(|table| snapshot.files(table).clone());
        files
            .map(|(day, file)| ((file.table.name(), day), file.checksum))
            .collect::<BTreeMap<_, _>>()
    };
    let before = checksums();
    let mut writer = headroom::store::Writer::open(&store.root(), headroom::app::PATIENCE).unwrap();
    let summary = writer.rebuild(&mut |_, _| {}).unwrap();
    drop(writer);
    assert_eq!((summary.changed, checksums()), (0, before));
    assert_eq!(store.flaws(), [""; 0]);
}
