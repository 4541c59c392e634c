//! Where rows lie: a list of exactly the files that count, which lasts as long as somebody holds it.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::golden;
use crate::support::{PROGRAM, run, run_ok};

/// The files of a table that lie in a store, looked for on the disk. Nobody reads the store, so that none of them is left over.
fn on_disk(store: &str, table: &str) -> BTreeSet<PathBuf> {
    let list = |folder: &Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let days = list(&Path::new(store).join(table));
    days.flat_map(|day| list(&day).collect::<Vec<_>>()).collect()
}

fn listed(args: &[&str]) -> Vec<PathBuf> {
    run_ok(&[&["files"], args].concat()).lines().map(PathBuf::from).collect()
}

const LATE: &str = r#"{"time":"2026-03-03T09:00:00Z","event":"denial","server":"lab","feature":"sim","user":"late","host":"ws9"}"#;

#[test]
fn the_files_of_a_table_are_those_that_lie_there() {
    let (_folder, store) = golden::store();
    for table in ["events", "sessions", "denials"] {
        let files = listed(&[table, "--store", &store]);
        assert_eq!(files.len(), 2, "{table} of two days: {files:?}");
        assert!(files.is_sorted() && files.iter().all(|file| file.is_absolute()), "{files:?}");
        // Runs of single imports lie beside the events of all of them.
        let (live, lying) = (files.iter().cloned().collect::<BTreeSet<_>>(), on_disk(&store, table));
        assert!(live == lying || table == "events" && live.is_subset(&lying), "{table}: {lying:?}");
        for (days, expected) in [
            ("2026-03-02..2026-03-03", &files[..]),
            ("2026-03-02", &files[..1]),
            ("2026-03-03..2030-01-01", &files[1..]),
        ] {
            assert_eq!(listed(&[table, "--store", &store, "--days", days]), expected, "{table} of {days}");
        }
    }
}

#[test]
fn days_without_rows_have_no_file_and_say_so() {
    let (_folder, store) = golden::store();
    let asked = ["files", "events", "--store", &store, "--days", "2026-03-04..2026-03-05"];
    let output = run(&asked);
    assert!(output.status.success() && output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no events of 2026-03-04..2026-03-05"), "{said}");
    let sql = run_ok(&[&asked[..], &["--sql", "duckdb"]].concat());
    assert!(sql.starts_with("(SELECT ") && sql.ends_with(" WHERE false)\n"), "{sql}");
}

#[test]
fn what_makes_no_sense_is_named_with_what_would() {
    let (folder, store) = golden::store();
    for (args, words) in [
        (&["open"][..], &["'open'", "events, sessions, denials"][..]),
        (
            &["events", "--days", "2026-03-03..2026-03-02"],
            &["2026-03-03..2026-03-02", "2026-03-01..2026-03-31"],
        ),
        (&["events", "--days", "March"], &["'March'", "a day like 2026-03-01"]),
        (&["events", "--sql", "oracle"], &["'oracle'", "duckdb"]),
    ] {
        let output = run(&[&["files", "--store", &store], args].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && words.iter().all(|word| said.contains(word)),
            "{args:?}: {said}"
        );
    }
    let nowhere = folder.path().join("nowhere");
    let output = run(&["files", "events", "--store", nowhere.to_str().unwrap()]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("there is no store"));
    assert!(!nowhere.exists());
}

#[test]
fn files_that_are_held_survive_an_import() {
    let (folder, store) = golden::store();
    let mut holder = Command::new(PROGRAM)
        .args(["files", "denials", "--store", &store, "--hold"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    let held: Vec<PathBuf> = lines
        .by_ref()
        .map(Result::unwrap)
        .take_while(|line| !line.is_empty())
        .map(PathBuf::from)
        .collect();
    assert_eq!(held.len(), 2);

    let late = folder.path().join("late.ndjson");
    std::fs::write(&late, LATE).unwrap();
    run_ok(&["import", "--store", &store, late.to_str().unwrap()]);
    let now = listed(&["denials", "--store", &store]);
    assert_eq!(now[0], held[0], "nothing happened to 2 March");
    assert_ne!(now[1], held[1], "3 March has another denial");
    assert!(held.iter().chain(&now).all(|file| file.exists()));

    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
    // Whoever writes next sweeps what nobody needs any more.
    run_ok(&["check", "--store", &store]);
    assert!(!held[1].exists());
    assert_eq!(on_disk(&store, "denials"), now.into_iter().collect());
}
