//! Files that should not come in, or not all of them, and what the command line says of them.

use serde_json::Value;

use crate::support::{run, run_ok};

struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn store(&self) -> String {
        self.path("store")
    }

    /// The summary of an import.
    fn import(&self, file: &str, options: &[&str]) -> Value {
        let import = [
            "import",
            "--store",
            &self.store(),
            "--server",
            "lic",
            "--timezone",
            "UTC",
            "--json",
            file,
        ];
        serde_json::from_str(&run_ok(&[&import[..], options].concat())).unwrap()
    }

    fn rows(&self, sql: &str) -> Vec<String> {
        let csv = run_ok(&["sql", "--store", &self.store(), "--format", "csv", sql]);
        csv.lines().skip(1).map(str::to_owned).collect()
    }
}

fn event(time: &str, rest: &str) -> String {
    format!("{{\"time\":\"{time}\",\"feature\":\"f\",\"user\":\"u\",{rest}}}\n")
}

fn refused(args: &[&str], words: &[&str]) {
    let output = run(args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{args:?}");
    assert!(words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
}

#[test]
fn times_that_cannot_be_are_bad_lines() {
    for line in [
        event("1970-01-01T00:00:00Z", "\"event\":\"checkout\""),
        event("9999-01-01T00:00:00Z", "\"event\":\"capacity\",\"licenses\":4"),
        event("2020-01-01T00:00:00Z", "\"event\":\"session\",\"end\":\"2026-01-01T00:00:00Z\""),
        event("2026-01-01T00:00:00Z", "\"event\":\"checkout\",\"licenses\":1000001"),
    ] {
        let site = Site::new();
        let good = event("2026-03-03T13:00:00Z", "\"event\":\"denial\"");
        let summary = site.import(&site.file("x.ndjson", format!("{line}{good}").as_bytes()), &[]);
        assert_eq!(
            (summary["unparsedLines"].as_u64(), &summary["problems"][0]["line"]),
            (Some(1), &1.into()),
            "{line}"
        );
    }
    let site = Site::new();
    let old = site.file("x.ndjson", event("1985-01-01T00:00:00Z", "\"event\":\"denial\"").as_bytes());
    refused(&["import", "--store", &site.store(), &old], &["1985-01-01", "--allow-any-time"]);
    assert_eq!(site.import(&old, &["--allow-any-time"])["unparsedLines"], 0);
    let site = Site::new();
    let long = event("2024-01-01T00:00:00Z", "\"event\":\"session\",\"end\":\"2025-06-01T00:00:00Z\"");
    let long = site.file("x.ndjson", long.as_bytes());
    refused(
        &["import", "--store", &site.store(), &long],
        &["400 days", "--longest-session-days"],
    );
    assert_eq!(site.import(&long, &["--longest-session-days", "600"])["sessions"], 1);
}

#[test]
fn a_session_whose_end_is_lost_ends_after_400_days() {
    let site = Site::new();
    let lines = event("2018-01-01T12:00:00Z", "\"event\":\"checkout\",\"handle\":\"1\"")
        + &event("2026-03-03T13:00:00Z", "\"event\":\"checkin\",\"handle\":\"1\"");
    let summary = site.import(&site.file("x.ndjson", lines.as_bytes()), &[]);
    assert_eq!((&summary["orphanCheckins"], &summary["openSessions"]), (&1.into(), &1.into()));
    let held = site.rows("SELECT count(*), max(ended) FROM sessions");
    assert_eq!(held, ["401,2019-02-05 12:00:00+00:00"]);
    assert!(run_ok(&["check", "--store", &site.store()]).contains("files"));
}

#[test]
fn many_licenses_are_no_fault_of_ours() {
    let site = Site::new();
    let lines: String = (0..30)
        .map(|user| {
            format!(
                "{{\"time\":\"2026-03-03T13:00:00Z\",\"event\":\"checkout\",\"feature\":\"f\",\"user\":\"u{user}\",\"licenses\":999999}}\n"
            )
        })
        .collect();
    site.import(&site.file("x.ndjson", lines.as_bytes()), &[]);
    let day = [
        "--feature",
        "1",
        "--sd",
        "2026-03-03",
        "--ed",
        "2026-03-03",
        "--st",
        "00:00",
        "--et",
        "24:00",
    ];
    let output = run(&[
        &["report", "utilization-history", "--store", &site.store(), "--format", "csv"][..],
        &day,
    ]
    .concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() || said.contains("licenses"), "{said}");
}

#[test]
fn a_refused_first_import_leaves_no_trace() {
    let site = Site::new();
    let bad = site.file("bad.log", b"hello\nworld\n");
    refused(
        &["import", "--store", &site.store(), "--timezone", "Europe/Paris", &bad],
        &["not recognised"],
    );
    assert!(!std::path::Path::new(&site.store()).exists());
    std::fs::create_dir(site.path("empty")).unwrap();
    refused(&["import", "--store", &site.path("empty"), &bad], &["not recognised"]);
    assert_eq!(std::fs::read_dir(site.path("empty")).unwrap().count(), 0);
}

#[test]
fn a_folder_of_other_things_becomes_no_store() {
    let site = Site::new();
    let good = site.file("x.ndjson", event("2026-03-03T13:00:00Z", "\"event\":\"denial\"").as_bytes());
    let folder = site.folder.path().to_str().unwrap();
    refused(&["import", "--store", folder, &good], &["other things"]);
    refused(&["init", "--store", folder], &["other things"]);
    for blank in ["", "  "] {
        refused(&["import", "--store", &site.store(), "--server", blank, &good], &["license server"]);
    }
}

#[test]
fn each_of_several_files_is_imported_or_told() {
    let site = Site::new();
    let bad = site.file("bad.log", b"hello\nworld\n");
    let good = site.file("x.ndjson", event("2026-03-03T13:00:00Z", "\"event\":\"denial\"").as_bytes());
    let output = run(&["import", "--store", &site.store(), &bad, &good, &site.path("missing")]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("2 of 3 files") && said.contains("bad.log") && said.contains("missing"),
        "{said}"
    );
    assert_eq!(site.rows("SELECT count(*) FROM denials"), ["1"]);
}

#[test]
fn lines_of_files_from_excel_are_counted_right() {
    for (name, bytes, line) in [
        ("a.csv", &include_bytes!("intake/crlf-bad-time.csv")[..], 3),
        ("b.csv", include_bytes!("intake/cp1252-one-row.csv"), 3),
        ("c.ndjson", include_bytes!("intake/cp1252-one-row.ndjson"), 2),
    ] {
        let site = Site::new();
        let summary = site.import(&site.file(name, bytes), &[]);
        assert_eq!(
            (&summary["unparsedLines"], &summary["problems"][0]["line"]),
            (&1.into(), &line.into()),
            "{name}"
        );
        let session =
            site.rows("SELECT user_name, to_char(min(started), 'HH24:MI'), to_char(max(ended), 'HH24:MI') FROM sessions GROUP BY 1");
        assert_eq!(session, ["ada,09:00,10:00"], "{name}");
    }
    let site = Site::new();
    site.import(&site.file("a.csv", include_bytes!("intake/crlf-bad-time.csv")), &[]);
    assert_eq!(site.rows("SELECT line FROM events ORDER BY line"), ["2", "4"]);
    for bytes in [&include_bytes!("intake/bom.csv")[..], include_bytes!("intake/bom.ndjson")] {
        let site = Site::new();
        let name = if bytes.contains(&b'{') { "x.ndjson" } else { "x.csv" };
        assert_eq!(site.import(&site.file(name, bytes), &[])["sessions"], 1);
    }
    let site = Site::new();
    let none = site.file("cp1252.csv", include_bytes!("intake/cp1252.csv"));
    refused(&["import", "--store", &site.store(), &none], &["line 2", "UTF-8"]);
}

#[test]
fn blank_lines_and_lines_within_cells_are_counted() {
    let site = Site::new();
    let csv = "time,event,feature,user,reason\r\n\r\n2026-03-03 10:00:00,denial,f,u,\"two\r\nlines\"\r\nnever,denial,f,u,x\r\n\r\n2026-03-03 11:00:00,denial,f,u,x";
    let summary = site.import(&site.file("x.csv", csv.as_bytes()), &[]);
    assert_eq!(summary["problems"][0]["line"], 5);
    assert_eq!(site.rows("SELECT line FROM events ORDER BY line"), ["3", "7"]);
}

#[test]
fn damaged_parquet_is_refused_and_leaves_nothing() {
    let site = Site::new();
    let good = event("2026-03-03T13:00:00Z", "\"event\":\"denial\"") + &event("2026-03-04T13:00:00Z", "\"event\":\"checkout\"");
    site.import(&site.file("x.ndjson", good.as_bytes()), &[]);
    let whole = site.rows("SELECT count(*) FROM events");
    let export = site.path("out");
    run_ok(&[
        "sql",
        "--store",
        &site.store(),
        "--format",
        "parquet",
        "-o",
        &export,
        "SELECT at AS time, event, 'f' AS feature, user_name AS \"user\" FROM events",
    ]);
    let parquet = std::fs::read(&export).unwrap();
    let mut state = 16_u64;
    for _ in 0..60 {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let mut mutant = parquet.clone();
        let place = (state >> 33) as usize % mutant.len();
        mutant[place] ^= 1 << (state >> 61);
        let mutant = site.file("mutant.parquet", &mutant);
        let output = run(&["import", "--store", &site.path("other"), "--server", "lic", &mutant]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{place}: {said}");
    }
    assert_eq!(site.rows("SELECT count(*) FROM events"), whole);
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let site = Site::new();
    let good = site.file("x.ndjson", event("2026-03-03T13:00:00Z", "\"event\":\"checkout\"").as_bytes());
    let summary = site.import(&good, &["--dry-run"]);
    assert_eq!((&summary["events"]["checkout"], &summary["sessions"]), (&1.into(), &1.into()));
    assert!(!std::path::Path::new(&site.store()).exists());
    site.import(&good, &[]);
    let files = || {
        let listed = run_ok(&["files", "events", "--store", &site.store()]);
        (
            listed,
            site.rows("SELECT count(*) FROM events"),
            run_ok(&["imports", "list", "--store", &site.store()]),
        )
    };
    let before = files();
    let more = site.file("y.ndjson", event("2026-03-05T13:00:00Z", "\"event\":\"denial\"").as_bytes());
    assert_eq!(site.import(&more, &["--dry-run"])["events"]["denial"], 1);
    assert_eq!(files(), before);
    assert!(run_ok(&["check", "--store", &site.store()]).contains("files"));
}

#[test]
fn a_header_that_almost_fits_is_told_what_was_expected() {
    let site = Site::new();
    for (header, words) in [
        ("at,event,feature,user", ["\"time\"", "\"at\""]),
        ("time,events,feature,user", ["\"event\"", "\"events\""]),
        ("time;event;feature;user", ["semicolons", "commas"]),
        ("time\tevent\tfeature\tuser", ["tabs", "commas"]),
    ] {
        let file = site.file("x.csv", format!("{header}\n1,2,3,4\n").as_bytes());
        refused(&["import", "--store", &site.store(), &file], &words);
    }
}
