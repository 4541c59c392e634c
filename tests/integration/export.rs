//! Exports: what the store has, whole files only, and no more work than there is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime};

use crate::support::{PROGRAM, run, run_ok};

/// A folder with a store in it, which holds what a file says.
struct Site {
    folder: tempfile::TempDir,
    store: String,
}

impl Site {
    fn new(events: &str) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let store = folder.path().join("store").to_str().unwrap().to_owned();
        let site = Self { folder, store };
        site.import("x.ndjson", events);
        site
    }

    fn generated(days: u32, per_day: u32) -> Self {
        let (days, per_day) = (days.to_string(), per_day.to_string());
        Self::new(&run_ok(&["generate", "--days", &days, "--events-per-day", &per_day]))
    }

    fn import(&self, name: &str, events: &str) {
        let path = self.folder.path().join(name);
        std::fs::write(&path, events).unwrap();
        run_ok(&["import", "--store", &self.store, path.to_str().unwrap()]);
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn args<'a>(&'a self, table: &'a str, format: &'a str, target: &'a Path) -> [&'a str; 8] {
        let target = target.to_str().unwrap();
        ["export", table, "--store", &self.store, "--format", format, "-o", target]
    }

    /// Exports a table; returns how many files were written, unchanged and removed, and how many rows there are.
    fn export(&self, table: &str, format: &str, more: &[&str]) -> [u64; 4] {
        let target = self.target();
        counted(&run_ok(&[&self.args(table, format, &target)[..], more].concat()))
    }

    fn read(&self, path: &str) -> String {
        String::from_utf8(std::fs::read(self.target().join(path)).unwrap()).unwrap()
    }
}

/// `events: 1 files written, 2 unchanged, 3 removed; 4 rows and …`
fn counted(said: &str) -> [u64; 4] {
    let mut numbers = said.split_ascii_whitespace().filter_map(|word| word.parse().ok());
    std::array::from_fn(|_| numbers.next().unwrap_or_else(|| panic!("{said}")))
}

/// Every file below a folder that readers of folders see, with its bytes.
fn seen(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                folders.push(path);
            } else if !name.starts_with('.') && !name.ends_with(".manifest") {
                found.insert(path.clone(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

const TWO: &str = concat!(
    r#"{"time":"2026-03-02T10:00:00.123456Z","event":"denial","server":"s","feature":"f","user":"=1+1","host":"a \"quoted\", host","licenses":2}"#,
    "\n",
    r#"{"time":"2026-03-03T23:59:59Z","event":"denial","server":"s","feature":"f","version":"2","user":"Zoë","host":"h\n2"}"#,
    "\n"
);

#[test]
fn every_format_says_what_was_imported_to_the_last_digit() {
    let site = Site::new(TWO);
    for format in ["ndjson", "csv", "parquet"] {
        for table in ["events", "sessions", "denials", "servers", "features", "uptime"] {
            let [written, unchanged, removed, rows] = site.export(table, format, &[]);
            let (files, expected) = match table {
                "events" | "denials" => (2, 2),
                "sessions" => (0, 0),
                "features" => (1, 2),
                _ => (1, 1),
            };
            assert_eq!([written, unchanged, removed, rows], [files, 0, 0, expected], "{table} as {format}");
        }
    }
    let second = "events/day=2026-03-02/part";
    assert_eq!(
        site.read(&format!("{second}.ndjson")),
        concat!(
            r#"{"at":"2026-03-02T10:00:00.123456Z","event":"denial","server_id":1,"feature_id":1,"user_name":"=1+1","#,
            r#""host":"a \"quoted\", host","display":null,"group_data":null,"licenses":2,"handle":null,"reason_code":null,"#,
            r#""reason":null,"project":null,"ended":null,"borrow_until":null,"expires":null,"source":"x.ndjson","line":1}"#,
            "\n"
        )
    );
    assert_eq!(
        site.read(&format!("{second}.csv")),
        concat!(
            "at,event,server_id,feature_id,user_name,host,display,group_data,licenses,handle,reason_code,reason,project,ended,",
            "borrow_until,expires,source,line\r\n",
            "2026-03-02T10:00:00.123456Z,denial,1,1,'=1+1,\"a \"\"quoted\"\", host\",,,2,,,,,,,,x.ndjson,1\r\n"
        )
    );
    assert_eq!(
        site.read("denials/day=2026-03-03/part.ndjson"),
        concat!(
            r#"{"at":"2026-03-03T23:59:59Z","server_id":1,"feature_id":2,"user_name":"Zoë","host":"h\n2","licenses":1,"#,
            r#""reason_class":"other","is_true":false,"reason_code":null,"reason":null,"granted_by":null}"#,
            "\n"
        )
    );
    assert_eq!(
        site.read("servers/part.ndjson"),
        concat!(
            r#"{"server_id":1,"name":"s","vendor":null,"zone":"UTC","host":null,"port":null,"description":null,"manager":null,"#,
            r#""gathering":"Imported","status":"ONLINE","redundant":false,"has_features":true}"#,
            "\n"
        )
    );
    assert_eq!(
        site.read("features/part.csv"),
        "feature_id,server_id,name,version,vendor,type,total,expires,package\r\n1,1,f,,,Floating,,,\r\n2,1,f,2,,Floating,,,\r\n"
    );
    assert_eq!(
        site.read("uptime/part.ndjson"),
        "{\"server_id\":1,\"started\":\"2026-03-02T10:00:00.123456Z\",\"ended\":\"2026-03-03T23:59:59Z\"}\n"
    );
    // Parquet is what the store has, byte for byte.
    let own = run_ok(&["files", "events", "--store", &site.store, "--days", "2026-03-02"]);
    let exported = std::fs::read(site.target().join(format!("{second}.parquet"))).unwrap();
    assert_eq!(exported, std::fs::read(own.trim_end()).unwrap());
}

#[test]
fn a_second_export_writes_only_what_changed() {
    let site = Site::generated(10, 100);
    let [written, unchanged, removed, rows] = site.export("events", "csv", &[]);
    assert_eq!([written, unchanged, removed], [10, 0, 0]);
    let times = || -> Vec<SystemTime> {
        let paths = seen(&site.target()).into_keys();
        paths.map(|path| path.metadata().unwrap().modified().unwrap()).collect()
    };
    let before = times();
    assert_eq!(site.export("events", "csv", &[]), [0, 10, 0, rows]);
    assert_eq!(times(), before);

    site.import(
        "late.ndjson",
        r#"{"time":"2026-01-04T12:00:00.5Z","event":"denial","server":"late","feature":"f","user":"u","host":"h"}"#,
    );
    // Days that were not asked for stay as they are.
    assert_eq!(site.export("events", "csv", &["--days", "2026-01-05..2026-01-31"])[..3], [0, 6, 0]);
    assert_eq!(site.export("events", "csv", &[]), [1, 9, 0, rows + 1]);
    assert!(
        site.read("events/day=2026-01-04/part.csv")
            .contains("\r\n2026-01-04T12:00:00.500Z,denial,")
    );
    let changed = times().iter().zip(&before).filter(|(now, before)| now != before).count();
    assert_eq!(changed, 1);
    let lines = |bytes: &Vec<u8>| bytes.iter().filter(|byte| **byte == b'\n').count() as u64 - 1;
    assert_eq!(seen(&site.target()).values().map(lines).sum::<u64>(), rows + 1);
}

#[test]
fn what_somebody_did_to_the_files_is_mended() {
    let site = Site::generated(5, 50);
    site.export("events", "ndjson", &[]);
    let whole = seen(&site.target());
    let place = |path: &str| site.target().join("events").join(path);
    std::fs::remove_file(place("day=2026-01-01/part.ndjson")).unwrap();
    std::fs::write(place("day=2026-01-02/part.ndjson"), "half").unwrap();
    std::fs::write(place("day=2026-01-03/.part.ndjson.partial"), "half").unwrap();
    // A day that the store does not have (any more), in two formats.
    std::fs::create_dir(place("day=2031-01-01")).unwrap();
    std::fs::write(place("day=2031-01-01/part.ndjson"), "{}\n").unwrap();
    std::fs::write(place("day=2031-01-01/part.csv"), "a\r\n").unwrap();
    assert_eq!(
        site.export("events", "ndjson", &["--days", "2026-01-01..2026-01-31"])[..3],
        [2, 3, 0]
    );
    assert!(place("day=2031-01-01/part.ndjson").exists(), "nobody asked for that day");
    assert_eq!(site.export("events", "ndjson", &[])[..3], [0, 5, 1]);
    assert!(!place("day=2026-01-03/.part.ndjson.partial").exists());
    assert!(place("day=2031-01-01/part.csv").exists(), "which is no file of this format");
    std::fs::remove_dir_all(place("day=2031-01-01")).unwrap();
    assert_eq!(seen(&site.target()), whole);
}

#[test]
fn an_export_that_is_killed_leaves_whole_files_and_goes_on_where_it_was() {
    let days = 20;
    let site = Site::generated(days, 400);
    let began = Instant::now();
    site.export("events", "csv", &[]);
    let whole = began.elapsed();
    let reference = seen(&site.target());
    assert_eq!(reference.len(), days as usize);
    let (steps, mut midway) = (16, 0);
    for step in 0..steps {
        std::fs::remove_dir_all(site.target()).unwrap();
        let mut child = Command::new(PROGRAM)
            .args(site.args("events", "csv", &site.target()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(whole.mul_f64(f64::from(step) / f64::from(steps)));
        child.kill().unwrap();
        let _reaped = child.wait().unwrap();
        let left = seen(&site.target());
        for (path, bytes) in &left {
            assert!(reference.get(path) == Some(bytes), "{} is not whole at step {step}", path.display());
        }
        midway += u32::from(!left.is_empty() && left.len() < reference.len());
        let [written, unchanged, removed, _] = site.export("events", "csv", &[]);
        let there = left.len() as u64;
        assert_eq!((written + unchanged, removed), (u64::from(days), 0));
        assert!(
            there - unchanged <= 1,
            "{there} files were there, and only {unchanged} were not written again"
        );
        assert_eq!(seen(&site.target()), reference, "after step {step}");
    }
    assert!(midway >= 3, "only {midway} of {steps} kills came between two files");
}

#[test]
fn exports_do_not_get_into_each_others_way() {
    let (site, other) = (Site::generated(2, 50), Site::generated(2, 60));
    site.export("events", "csv", &[]);
    let target = site.target();
    let fails = |args: &[&str], words: &[&str]| {
        let output = run(args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && words.iter().all(|word| said.contains(word)),
            "{args:?}: {said}"
        );
    };
    let before = seen(&target);
    fails(&other.args("events", "csv", &target), &["events.csv.manifest", "another store"]);
    assert_eq!(seen(&target), before);
    let args = site.args("servers", "csv", &target);
    fails(&[&args[..], &["--days", "2026-01-01"]].concat(), &["2026-01-01", "servers"]);
    fails(
        &site.args("open", "csv", &target),
        &["'open'", "events, sessions, denials, servers, features, uptime"],
    );
    fails(&site.args("events", "xlsx", &target), &["'xlsx'", "parquet, csv, ndjson"]);
    // Whoever exports the same at the same time is told.
    let held = std::fs::File::open(target.join("events.csv.manifest")).unwrap();
    held.lock().unwrap();
    fails(&site.args("events", "csv", &target), &["another export"]);
    drop(held);
    assert_eq!(site.export("events", "csv", &[])[..3], [0, 2, 0]);
}
