//! Imports in any order are one import, and an import that is undone never was.
//!
//! A random history of several servers is dealt out to files. What the store makes of the files must not depend on their order,
//! on how they overlap, or on files that came and went in between. The oracle is the store of one file with all events, derived
//! from nothing by `rebuild`.

mod drawn;

use std::collections::BTreeMap;
use std::path::Path;

use headroom::event::{Event, Kind, Table};
use headroom::store::{LedgerEntry, StoreError, Watcher, Writer};
use headroom::time::{Day, Micros, SECOND};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use self::drawn::{Drawn, File, Mark, drawn};
use crate::support::{Store, contents, flaws, run_ok};

/// A runner whose cases are the same every time.
fn runner(cases: u32) -> TestRunner {
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..ProptestConfig::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Everything that a store shows, in a form that can be compared.
#[derive(Debug, PartialEq)]
struct Shown {
    rows: Vec<String>,
    /// The checksums of derived files: equal rows are not enough.
    derived: BTreeMap<(&'static str, Day), [u8; 32]>,
    servers: Vec<String>,
    features: Vec<String>,
    quality: String,
}

fn shown(root: &Path) -> Shown {
    let snapshot = Watcher::new(root).snapshot().unwrap();
    let derived = Table::ALL.into_iter().filter(|table| table.derived());
    let derived = derived.flat_map(|table| {
        snapshot
            .files(table)
            .values()
            .map(move |file| ((table.name(), file.day), file.checksum))
    });
    let ids: Vec<_> = snapshot.servers().iter().map(|state| state.server.id).collect();
    let mut quality = snapshot.quality(&ids, None, snapshot.zone());
    quality.covered.sort_by(|a, b| a.server.cmp(&b.server));
    Shown {
        rows: contents(root),
        derived: derived.collect(),
        servers: snapshot.servers().iter().map(|state| format!("{state:?}")).collect(),
        features: snapshot.features().iter().map(|state| format!("{state:?}")).collect(),
        quality: quality.to_json(),
    }
}

/// A store, made of files that come in one after the other.
struct Made {
    folder: tempfile::TempDir,
}

impl Made {
    fn new(drawn: &Drawn) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        headroom::store::create(folder.path(), drawn.zone).unwrap();
        let made = Self { folder };
        // Every name gets its number here, so that numbers are the same in all stores.
        let first = drawn.names();
        made.import("names", &first, &[]);
        made
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn import(&self, name: &str, events: &[Event<'_>], marks: &[Mark]) {
        let mut writer = Writer::open(self.root(), headroom::app::PATIENCE).unwrap();
        let mut incoming = writer.incoming(name).unwrap();
        for event in events {
            incoming.push(event).unwrap();
        }
        for mark in marks {
            incoming.known_until(mark.server, mark.daemon, mark.at);
        }
        let entry = LedgerEntry {
            source: name.to_owned(),
            begins: events.iter().map(|event| event.at).min(),
            ends: events.iter().map(|event| event.at).max(),
            events: events.len() as u64,
            ..LedgerEntry::default()
        };
        incoming.commit(&mut |_, _| {}, |_| entry).unwrap();
    }

    fn import_file(&self, file: &File<'_>) {
        if !file.events.is_empty() {
            self.import(&file.name, &file.events, &file.marks);
        }
    }

    fn undo(&self, number: i64) -> Result<headroom::store::Undone, StoreError> {
        let mut writer = Writer::open(self.root(), headroom::app::PATIENCE).unwrap();
        let trial = writer.undo(number, 0, true, &mut |_, _| {});
        let undone = writer.undo(number, 0, false, &mut |_, _| {});
        assert_eq!(trial.as_ref().ok(), undone.as_ref().ok(), "a trial tells what an undo does");
        undone
    }

    /// The bytes of all partition files.
    fn bytes(&self) -> u64 {
        let files = walkdir(self.root());
        files
            .iter()
            .filter(|file| file.extension().is_some_and(|extension| extension == "parquet"))
            .map(|file| std::fs::metadata(file).unwrap().len())
            .sum()
    }

    /// What it shows, which a check and a rebuild must agree with.
    fn shown(&self) -> Shown {
        let before = shown(self.root());
        assert_eq!(flaws(self.root()), [""; 0]);
        let mut writer = Writer::open(self.root(), headroom::app::PATIENCE).unwrap();
        assert_eq!(writer.rebuild(&mut |_, _| {}).unwrap().changed, 0);
        drop(writer);
        let rebuilt = shown(self.root());
        assert_eq!(before, rebuilt);
        before
    }
}

/// Compares files in several orders with one file of all events.
fn any_order_is_one_import(drawn: &Drawn, files: &[File<'_>; 3]) -> Result<(), TestCaseError> {
    let marks: Vec<Mark> = files.iter().flat_map(|file| file.marks.clone()).collect();
    let whole = Made::new(drawn);
    whole.import_file(&drawn.whole(&marks));
    let whole = whole.shown();
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let made = Made::new(drawn);
        for place in order {
            made.import_file(&files[place]);
        }
        prop_assert_eq!(&made.shown(), &whole, "{:?}", order);
    }
    Ok(())
}

fn walkdir(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { walkdir(&path) } else { vec![path] })
        .collect()
}

#[test]
fn files_in_any_order_are_one_import() {
    let without_marks = |file: File<'static>| File { marks: Vec::new(), ..file };
    runner(10)
        .run(&drawn(), |drawn| any_order_is_one_import(&drawn, &drawn.files().map(without_marks)))
        .unwrap();
}

#[test]
fn logs_that_go_on_after_their_events_are_one_import_in_any_order() {
    runner(10)
        .run(&drawn(), |drawn| any_order_is_one_import(&drawn, &drawn.files()))
        .unwrap();
}

const CHECKOUT: &str = concat!(
    r#"{"time":"2026-03-03T12:00:00Z","event":"checkout","server":"s","feature":"f","user":"ada","host":"h"}"#,
    "\n",
    r#"{"time":"2026-03-03T13:00:00Z","event":"checkin","server":"s","feature":"f","user":"ada","host":"h"}"#,
    "\n",
);

/// The seconds that sessions last in all.
fn seconds_held(store: &Store) -> f64 {
    let of = |row: &str, column: &str| -> f64 {
        let value = row.split(&format!(" {column}=")).nth(1).unwrap().split(' ').next().unwrap();
        let at: chrono::DateTime<chrono::Utc> = value.parse().unwrap();
        at.timestamp() as f64
    };
    let contents = store.contents();
    let sessions = contents.iter().filter(|row| row.starts_with("sessions "));
    sessions.map(|row| of(row, "ended") - of(row, "started")).sum()
}

#[test]
fn a_server_that_went_down_long_before_is_down_in_either_order() {
    let down = r#"{"time":"2026-03-02T17:00:00Z","event":"server_down","server":"s"}"#.to_owned() + "\n";
    let up = r#"{"time":"2026-03-02T18:00:00Z","event":"server_up","server":"s"}"#.to_owned() + "\n";
    let held = |files: &[&str]| {
        let store = Store::new("UTC");
        for (number, text) in files.iter().enumerate() {
            store.import(&format!("{number}.ndjson"), text);
        }
        assert_eq!(store.flaws(), [""; 0]);
        seconds_held(&store)
    };
    // Nothing is in use while a server is down.
    assert_eq!(held(&[CHECKOUT, &down]), 0.0);
    assert_eq!(held(&[&down, CHECKOUT]), 0.0);
    // It came up after all.
    assert_eq!(held(&[&down, CHECKOUT, &up]), 3600.0);
    assert_eq!(held(&[CHECKOUT, &up, &down]), 3600.0);
    assert_eq!(held(&[&up, &down, CHECKOUT]), 3600.0);
}

#[test]
fn a_refusal_of_midnight_is_no_true_one_if_a_later_file_helps() {
    let denial = r#"{"time":"2026-03-02T23:59:58Z","event":"denial","server":"s","feature":"f","user":"ada","host":"h","reason_code":-4}"#;
    let checkout = r#"{"time":"2026-03-03T00:00:02Z","event":"checkout","server":"t","feature":"f","user":"ada","host":"h"}"#;
    for files in [[denial, checkout], [checkout, denial]] {
        let store = Store::new("UTC");
        for (number, text) in files.iter().enumerate() {
            store.import(&format!("{number}.ndjson"), &format!("{text}\n"));
        }
        let denials: Vec<String> = store.contents().into_iter().filter(|row| row.starts_with("denials ")).collect();
        assert!(denials.len() == 1 && denials[0].contains("true=false"), "{denials:?}");
        assert_eq!(store.flaws(), [""; 0]);
    }
}

/// The files of a server that starts a new log whenever it starts, as events and marks.
fn log_per_start() -> (Made, [File<'static>; 2], File<'static>) {
    let at = |hour: i64, minute: i64, second: i64| (17_215 * 24 + hour) * 3600 * SECOND + (minute * 60 + second) * SECOND;
    let event = |kind: Kind, at: Micros, user: &'static str, host: &'static str| Event {
        server: "lic",
        daemon: "ansyslmd",
        feature: if user.is_empty() { "" } else { "hfss_solve" },
        user,
        host,
        ..Event::new(kind, at)
    };
    let first = vec![
        event(Kind::ServerUp, at(9, 0, 1), "", ""),
        event(Kind::Checkout, at(9, 10, 0), "ada", "n1"),
    ];
    let second = vec![
        event(Kind::ServerUp, at(18, 0, 1), "", ""),
        event(Kind::Checkout, at(18, 30, 0), "bob", "n2"),
        event(Kind::Checkin, at(19, 0, 0), "bob", "n2"),
    ];
    let mark = |at: Micros| Mark {
        server: "lic",
        daemon: "ansyslmd",
        at,
    };
    let mut all = first.clone();
    all.push(event(Kind::ServerDown, at(12, 0, 0), "", ""));
    all.extend(second.clone());
    let file = |name: &str, events: Vec<Event<'static>>, until: Micros| File {
        name: name.to_owned(),
        events,
        marks: vec![mark(until)],
    };
    let folder = tempfile::TempDir::new().unwrap();
    headroom::store::create(folder.path(), "UTC".parse().unwrap()).unwrap();
    (
        Made { folder },
        [file("a.log", first, at(12, 0, 0)), file("b.log", second, at(19, 0, 0))],
        file("ab.log", all, at(19, 0, 0)),
    )
}

#[test]
fn logs_of_one_start_each_are_their_concatenation() {
    let (whole, files, concatenation) = log_per_start();
    whole.import_file(&concatenation);
    let expected = whole.shown();
    let downs: Vec<&String> = expected.rows.iter().filter(|row| row.contains("event=server_down")).collect();
    assert!(downs.len() == 1 && downs[0].contains("at=2017-02-18T12:00:00"), "{downs:?}");
    for order in [vec![0, 1], vec![1, 0], vec![1, 0, 1], vec![0, 1, 0]] {
        let (made, ..) = log_per_start();
        for place in &order {
            made.import_file(&files[*place]);
        }
        assert_eq!(made.shown(), expected, "{order:?}");
        // The whole tells the stop itself.
        made.import_file(&concatenation);
        assert_eq!(made.shown(), expected, "{order:?}, and the whole");
    }
}

#[test]
fn a_quiet_server_is_up_for_as_long_as_its_log_goes_on() {
    let (made, [mut first, _], _) = log_per_start();
    first.marks[0].at += 40 * 3600 * SECOND;
    made.import_file(&first);
    let shown = made.shown();
    assert!(
        shown.servers[0].contains(&format!("last: Some({})", first.marks[0].at)),
        "{:?}",
        shown.servers
    );
    let days = shown.rows.iter().filter(|row| row.starts_with("sessions ")).count();
    assert_eq!(days, 3, "a piece for each day until the end of the log");
}

#[test]
fn a_file_that_comes_again_leaves_the_store_as_it_is() {
    let (made, [first, second], _) = log_per_start();
    made.import_file(&first);
    made.import_file(&second);
    let generation = || Watcher::new(made.root()).snapshot().unwrap().generation();
    let before = generation();
    made.import_file(&first);
    assert_eq!(generation(), before);
}

#[test]
fn an_import_that_is_undone_never_was() {
    let steps = proptest::collection::vec((0_usize..3, any::<bool>()), 1..7);
    runner(16)
        .run(&(drawn(), steps), |(drawn, steps)| {
            let files = drawn.files();
            let made = Made::new(&drawn);
            // The imports that are not undone: number and file.
            let mut there: Vec<(i64, usize)> = Vec::new();
            let mut number = 1;
            for (place, undoes) in steps {
                if undoes && !there.is_empty() {
                    let (undone, _) = there.remove(place % there.len());
                    made.undo(undone).unwrap();
                    let again = matches!(made.undo(undone), Err(StoreError::ImportUndone { .. }));
                    prop_assert!(again);
                } else if !files[place].events.is_empty() {
                    made.import_file(&files[place]);
                    number += 1;
                    there.push((number, place));
                }
            }
            let never = Made::new(&drawn);
            for (_, place) in &there {
                never.import_file(&files[*place]);
            }
            prop_assert_eq!(made.shown(), never.shown());
            prop_assert_eq!(ledger(&made), ledger(&never));
            Ok(())
        })
        .unwrap();
}

/// The imports that count: file, events, and whether another took their place.
fn ledger(made: &Made) -> Vec<(String, u64, bool)> {
    let imports = headroom::store::imports(made.root()).unwrap();
    let counting = imports.into_iter().filter(|import| import.undone.is_none());
    counting
        .map(|import| (import.file, import.events, import.superseded_by.is_some()))
        .collect()
}

#[test]
fn a_log_that_grew_is_undone_step_by_step() {
    let drawn = Drawn::of_days(6, 30);
    let whole = drawn.whole(&[]);
    let length = whole.events.len();
    let part = |count: usize| File {
        name: "debug.log".to_owned(),
        events: whole.events[..count].to_vec(),
        marks: Vec::new(),
    };
    let steps: Vec<usize> = (1..=12).map(|step| length * step / 12).collect();
    let made = Made::new(&drawn);
    let mut states = vec![made.shown()];
    for count in &steps {
        made.import_file(&part(*count));
        states.push(made.shown());
    }
    // As if the log had come once: whatever came before is a part of it.
    let once = Made::new(&drawn);
    once.import_file(&part(length));
    let (grown, once) = (made.bytes(), once.bytes());
    assert!(grown < once * 5 / 4, "{grown} bytes instead of {once}");
    // Import 1 has the names; import n + 1 has the first n parts. One in between goes without a trace, the last ones one by one.
    let last = steps.len();
    let middle = last / 2;
    made.undo(middle as i64 + 1).unwrap();
    assert_eq!(made.shown(), states[last]);
    for parts in (middle + 1..=last).rev() {
        made.undo(parts as i64 + 1).unwrap();
        let left = if parts - 1 == middle { middle - 1 } else { parts - 1 };
        assert_eq!(made.shown(), states[left], "without part {parts}");
    }
}

#[test]
fn names_that_only_one_import_has_go_with_it() {
    let event = |server: &'static str, feature: &'static str| Event {
        server,
        daemon: "acme",
        feature,
        vendor: "acme",
        user: "ada",
        host: "h",
        ..Event::new(Kind::Checkout, 1_000 * SECOND)
    };
    let folder = tempfile::TempDir::new().unwrap();
    headroom::store::create(folder.path(), "UTC".parse().unwrap()).unwrap();
    let made = Made { folder };
    made.import("a", &[event("s", "f")], &[]);
    made.import("b", &[event("s", "f"), event("s", "g"), event("t", "f")], &[]);
    let before = shown(made.root());
    let undone = made.undo(2).unwrap();
    assert_eq!(
        (undone.servers, undone.features),
        (vec!["t/acme".to_owned()], vec!["g".to_owned(), "f".to_owned()])
    );
    assert_eq!((undone.events, undone.days), (2, 1), "the event of both stays");
    let snapshot = Watcher::new(made.root()).snapshot().unwrap();
    assert_eq!((snapshot.servers().len(), snapshot.features().len()), (1, 1));
    // The numbers are given out again as if nothing had been.
    made.import("b", &[event("s", "f"), event("s", "g"), event("t", "f")], &[]);
    assert_eq!(shown(made.root()), before);
    made.undo(1).unwrap();
    made.undo(3).unwrap();
    let nothing = made.shown();
    assert!(
        nothing.rows.is_empty() && nothing.servers.is_empty() && nothing.features.is_empty(),
        "{nothing:?}"
    );
}

#[test]
fn numbers_that_cannot_be_undone_are_told() {
    let (made, [first, _], _) = log_per_start();
    assert_eq!(
        made.undo(1).unwrap_err().to_string(),
        "there is no import 1; nothing was imported yet"
    );
    made.import_file(&first);
    made.import("more", &first.events, &[]);
    assert_eq!(
        made.undo(7).unwrap_err().to_string(),
        "there is no import 7; there are imports 1 to 2"
    );
    made.undo(2).unwrap();
    let again = made.undo(2).unwrap_err().to_string();
    assert_eq!(again, "import 2 was undone already, on 1970-01-01T00:00:00Z");
}

/// Imports files one after the other by the command line, each list of files at once. Returns what the store shows, and its events of
/// servers: kind, instant.
fn imported(commands: &[&[(&str, &str)]]) -> (Shown, Vec<(String, String)>) {
    let folder = tempfile::TempDir::new().unwrap();
    let store = folder.path().join("store");
    for files in commands {
        let mut args = vec!["import", "--server", "lic", "--timezone", "UTC", "--store", store.to_str().unwrap()];
        let paths: Vec<String> = files
            .iter()
            .map(|(name, _)| folder.path().join(name).to_str().unwrap().to_owned())
            .collect();
        for (path, (_, text)) in paths.iter().zip(*files) {
            std::fs::write(path, text).unwrap();
        }
        args.extend(paths.iter().map(String::as_str));
        run_ok(&args);
    }
    assert_eq!(flaws(&store), [""; 0]);
    let shown = shown(&store);
    let value = |row: &String, column: &str| {
        row.split(&format!(" {column}="))
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .to_owned()
    };
    let events = shown.rows.iter().filter(|row| row.contains("event=server_"));
    let mut events: Vec<_> = events.map(|row| (value(row, "at"), value(row, "event"))).collect();
    events.sort_unstable();
    (shown, events)
}

#[test]
fn flexnet_logs_of_one_start_each_are_their_concatenation() {
    let (a, b) = (("a.log", include_str!("history/a.log")), ("b.log", include_str!("history/b.log")));
    let whole = [a.1, b.1].concat();
    let (expected, events) = imported(&[&[("whole.log", &whole)]]);
    let at = |time: &str, event: &str| (format!("2017-02-18T{time}Z"), event.to_owned());
    assert_eq!(
        events,
        [
            at("09:00:01", "server_up"),
            at("12:00:00", "server_down"),
            at("18:00:01", "server_up")
        ]
    );
    let held = expected.rows.iter().filter(|row| row.starts_with("sessions "));
    let held: Vec<&String> = held.collect();
    let is = |row: &String, user: &str, from: &str, until: &str| {
        [
            format!("user_name={user} "),
            format!("started=2017-02-18T{from}Z"),
            format!("ended=2017-02-18T{until}Z"),
        ]
        .iter()
        .all(|part| row.contains(part))
    };
    assert!(held.len() == 2, "{held:?}");
    assert!(held.iter().any(|row| is(row, "ada", "09:10:00", "12:00:00")), "{held:?}");
    assert!(held.iter().any(|row| is(row, "bob", "18:30:00", "19:00:00")), "{held:?}");
    assert!(
        expected
            .quality
            .contains(r#""orphanCheckins":0,"openSessions":0,"ambiguousMatches":0,"truncatedByRestart":1"#)
    );
    let up = |hour: i64, minute: i64, second: i64| (17_215 * 86_400 + hour * 3600 + minute * 60 + second) * SECOND;
    let uptime = format!("uptime: {:?}", [(up(9, 0, 1), up(12, 0, 0)), (up(18, 0, 1), up(19, 0, 0))]);
    assert!(expected.servers[0].contains(&uptime), "{:?} {uptime}", expected.servers);
    for commands in [
        &[&[a][..], &[b][..]][..],
        &[&[b], &[a]],
        &[&[a, b]],
        &[&[b, a]],
        &[&[a], &[("whole.log", &whole)], &[b]],
    ] {
        assert_eq!(imported(commands).0, expected);
    }
}
