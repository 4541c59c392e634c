//! The command line.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use serde_json::{Value, json};

use crate::support::{PROGRAM, run, run_ok};

fn temporary() -> (tempfile::TempDir, String, impl Fn(&str, &[u8]) -> String) {
    let folder = tempfile::TempDir::new().unwrap();
    let root = folder.path().to_owned();
    let store = root.join("store").to_str().unwrap().to_owned();
    let file = move |name: &str, bytes: &[u8]| {
        let path = root.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    (folder, store, file)
}

fn fails(args: &[&str], words: &[&str]) {
    let output = run(args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{args:?} succeeded");
    assert!(words.iter().all(|word| said.contains(word)), "{args:?}: {said}");
}

const DENIAL: &str = r#"{"time":"2026-03-02T10:00:00Z","event":"denial","feature":"f","user":"u","host":"h"}"#;

#[test]
fn the_same_events_come_in_by_every_neutral_format() {
    let (_folder, store, file) = temporary();
    let ndjson = file("a.ndjson", b"{\"time\":\"2026-03-02T10:00:00Z\",\"event\":\"checkout\",\"server\":\"s\",\"feature\":\"f\",\"version\":\"2\",\"vendor\":\"V\",\"user\":\"u\",\"host\":\"h\",\"licenses\":2,\"handle\":7}\n{\"time\":\"2026-03-02T11:00:00Z\",\"event\":\"checkin\",\"server\":\"s\",\"feature\":\"f\",\"version\":\"2\",\"user\":\"u\",\"host\":\"h\",\"licenses\":2,\"handle\":\"7\"}\n{\"time\":\"2026-03-02T12:00:00Z\",\"event\":\"capacity\",\"server\":\"s\",\"feature\":\"f\",\"version\":\"2\",\"licenses\":0,\"expires\":\"2027-01-01\"}\n");
    let csv = file("b.csv", b"host,user,licenses,time,event,server,feature,version,vendor,handle,expires,colour\r\nh,u,2,2026-03-02 10:00:00,checkout,s,f,2,V,7,,red\r\nh,u,2,2026-03-02 11:00:00.000,checkin,s,f,2,,7,,\r\n,,0,2026-03-02T12:00:00Z,capacity,s,f,2,,,2027-01-01,\r\n");
    let parquet = {
        let text = |values: [Option<&str>; 3]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
        let times = [10, 11, 12].map(|hour| (1_772_409_600 + hour * 3600) * 1000).to_vec();
        let columns: Vec<(&str, ArrayRef)> = vec![
            (
                "time",
                Arc::new(TimestampMillisecondArray::from(times).with_timezone("America/New_York")),
            ),
            ("event", text([Some("checkout"), Some("checkin"), Some("capacity")])),
            ("server", text([Some("s"); 3])),
            ("feature", text([Some("f"); 3])),
            ("version", text([Some("2"); 3])),
            ("vendor", text([Some("V"), None, None])),
            ("user", text([Some("u"), Some("u"), None])),
            ("host", text([Some("h"), Some("h"), None])),
            ("licenses", Arc::new(Int64Array::from(vec![2, 2, 0]))),
            ("handle", Arc::new(Int64Array::from(vec![Some(7), Some(7), None]))),
            ("expires", Arc::new(Date32Array::from(vec![None, None, Some(20_819)]))),
            ("colour", text([None; 3])),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap();
        let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    };
    let zst = file("c.parquet.zst", &zstd::encode_all(&parquet[..], 1).unwrap());
    let parquet = file("c.parquet", &parquet);
    let gz = {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&std::fs::read(&ndjson).unwrap()).unwrap();
        file("a.ndjson.gz", &gz.finish().unwrap())
    };
    let mut expected = None;
    for path in [&ndjson, &csv, &parquet, &gz, &zst] {
        let summary: Value = serde_json::from_str(&run_ok(&["import", "--store", &store, "--json", path])).unwrap();
        assert_eq!(summary["events"], json!({"checkin": 1, "capacity": 1, "checkout": 1}), "{path}");
        assert_eq!(
            (&summary["sessions"], &summary["unparsedLines"]),
            (&json!(1), &json!(0)),
            "{path}: {summary}"
        );
        let contents = crate::support::contents(store.as_ref());
        assert_eq!(contents, *expected.get_or_insert_with(|| contents.clone()), "{path}");
        if path != &ndjson {
            assert_eq!(summary["duplicates"], 3, "{path}");
        }
        let unknown = summary["problems"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|problem| problem["reason"].as_str().unwrap().contains("colour"))
            .count();
        assert_eq!(unknown, usize::from(path == &csv || path == &parquet || path == &zst), "{summary}");
    }
}

#[test]
fn bad_lines_are_told_and_not_fatal_unless_strict() {
    let (_folder, store, file) = temporary();
    let text = format!("{DENIAL}\n{{\"time\":\"x\"}}\nnot json\n{DENIAL}\n");
    let path = file("x.ndjson", text.as_bytes());
    fails(&["import", "--store", &store, "--strict", &path], &["x.ndjson", "line 2"]);
    let summary: Value = serde_json::from_str(&run_ok(&["import", "--store", &store, "--json", &path])).unwrap();
    assert_eq!(
        (&summary["events"]["denial"], &summary["unparsedLines"], &summary["lines"]),
        (&json!(2), &json!(2), &json!(4))
    );
    assert_eq!(summary["problems"][0]["line"], 2);
    assert_eq!(
        summary["problems"][1],
        json!({"file": "x.ndjson", "line": 3, "reason": summary["problems"][1]["reason"]})
    );
    assert!(run_ok(&["import", "--store", &store, &path]).contains("x.ndjson:3: not a JSON object"));
}

#[test]
fn files_that_share_servers_and_days_are_counted_once() {
    let (_folder, store, file) = temporary();
    let event = |time: &str, kind: &str| {
        json!({"time": time, "event": kind, "server": "s", "feature": "f", "user": "u", "host": "h"}).to_string() + "\n"
    };
    let first = [event("2026-03-02T10:00:00Z", "checkout"), event("2026-03-02T11:00:00Z", "checkin")].concat();
    let second = [first.clone(), event("2026-03-02T12:00:00Z", "checkout")].concat();
    let (first, second) = (file("a.ndjson", first.as_bytes()), file("b.ndjson", second.as_bytes()));
    let summary: Value = serde_json::from_str(&run_ok(&["import", "--store", &store, "--json", &first, &second])).unwrap();
    let counts = ["files", "lines", "duplicates", "sessions", "openSessions", "orphanCheckins"].map(|key| summary[key].as_u64().unwrap());
    assert_eq!(counts, [2, 5, 2, 2, 1, 0]);
    // What came before a file that cannot be read is there, and told.
    let output = run(&["import", "--store", &store, "--json", &first, "missing.ndjson"]);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(!output.status.success() && summary["files"] == 1 && summary["openSessions"] == 1);
}

#[test]
fn errors_name_the_input_and_what_was_expected() {
    let (_folder, store, file) = temporary();
    let path = file("x.ndjson", DENIAL.as_bytes());
    fails(&["serve", "--store", &store, "--listen", "nowhere"], &["--listen", "nowhere"]);
    fails(&["check", "--store", &store], &["there is no store", "headroom init"]);
    fails(&["report", "features", "--store", &store], &["there is no store"]);
    fails(&["import", "--store", &store, "missing.log"], &["missing.log", "cannot read"]);
    fails(
        &["import", "--store", &store, "--timezone", "Mars/Base", &path],
        &["Mars/Base", "IANA"],
    );
    fails(&["import", "--store", &store, "--format", "excel", &path], &["excel", "flexnet"]);
    fails(&["import", "--store", &store, &file("empty.log", b"")], &["empty.log is empty"]);
    fails(
        &["import", "--store", &store, &file("x.rl", b"\x00\x10\x20")],
        &["binary", "REPORTLOG"],
    );
    fails(
        &["import", "--store", &store, &file("x.txt", b"hello\n")],
        &["not recognised", "ndjson"],
    );
    fails(
        &["import", "--store", &store, "--format", "csv", &file("x.csv", b"a,b\n1,2\n")],
        &["x.csv", "\"time\" is missing"],
    );
    fails(
        &["import", "--store", &store, &file("x.parquet", b"PAR1 and then nothing")],
        &["x.parquet", "Parquet"],
    );
    run_ok(&["import", "--store", &store, &path]);
    fails(&["init", "--store", &store], &["already", "UTC"]);
    fails(&["report", "denials", "--store", &store], &["\"feature\" is missing"]);
    fails(
        &[
            "report",
            "denials",
            "--store",
            &store,
            "--feature",
            "9",
            "--sd",
            "2026-01-01",
            "--ed",
            "2026-01-02",
        ],
        &["no feature 9"],
    );
    fails(&["report", "denial", "--store", &store], &["denial"]);
    fails(&["generate", "--days", "0", "-o", "x"], &["--days"]);
}

#[test]
fn a_report_is_written_whole_or_not_at_all() {
    let (folder, store, file) = temporary();
    run_ok(&["import", "--store", &store, &file("s.ndjson", DENIAL.as_bytes())]);
    let target = folder.path().join("denials.csv");
    let target_name = target.to_str().unwrap();
    let args = [
        "report",
        "denials",
        "--store",
        &store,
        "--feature",
        "1",
        "--sd",
        "2026-03-02",
        "--format",
        "csv",
        "-o",
        target_name,
    ];
    run_ok(&[&args[..], &["--ed", "2026-03-02"]].concat());
    let written = std::fs::read_to_string(&target).unwrap();
    assert_eq!(written, "Date,Denials,User,Host\r\n2026-03-02 10:00:00,1,u,h\r\n");
    fails(&[&args[..], &["--ed", "2026-03-01"]].concat(), &["sd"]);
    assert_eq!(std::fs::read_to_string(&target).unwrap(), written);
    assert_eq!(
        run_ok(&[
            "report",
            "denials",
            "--store",
            &store,
            "--format",
            "CSV",
            "--param",
            "feature=1",
            "--param",
            "sd=2026-03-02",
            "--param",
            "ed=2026-03-02"
        ]),
        written
    );
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("partial")), "{names:?}");
}

#[test]
fn standard_input_and_output_are_files_too() {
    let (_folder, store, _file) = temporary();
    let generated = run_ok(&["generate", "--days", "3", "--events-per-day", "100", "--seed", "4"]);
    assert!(generated.lines().count() > 200 && generated.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    assert_eq!(
        generated,
        run_ok(&["generate", "--days", "3", "--events-per-day", "100", "--seed", "4"])
    );
    let mut import = Command::new(PROGRAM)
        .args(["import", "--store", &store, "--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    import.stdin.take().unwrap().write_all(generated.as_bytes()).unwrap();
    let summary: Value = serde_json::from_slice(&import.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(summary["lines"], generated.lines().count());
    assert_eq!(summary["unparsedLines"], 0);
}

#[test]
fn help_teaches_every_command_and_report() {
    for command in [
        "init", "import", "serve", "report", "export", "files", "generate", "demo", "check", "rebuild", "token",
    ] {
        assert!(run_ok(&["--help"]).contains(command));
        assert!(run_ok(&[command, "--help"]).len() > 200, "{command}");
    }
    for report in headroom::report::Catalog::definitions().unwrap() {
        // Long lines are wrapped.
        let help = run_ok(&["report", &report.name, "--help"])
            .split_ascii_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(help.contains(&report.summary), "{}", report.name);
        assert!(
            report.params.iter().all(|param| help.contains(&format!("--{}", param.name))),
            "{}",
            report.name
        );
    }
}

#[test]
fn the_demonstration_makes_a_store_and_serves_it() {
    let folder = tempfile::TempDir::new().unwrap();
    let store = folder.path().join("demo");
    let mut demo = Command::new(PROGRAM)
        .args([
            "demo",
            "--store",
            store.to_str().unwrap(),
            "--days",
            "5",
            "--events-per-day",
            "200",
            "--listen",
            "127.0.0.1:0",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut reader = std::io::BufReader::new(demo.stdout.take().unwrap());
    while !said.contains("Ctrl-C") {
        assert_ne!(std::io::BufRead::read_line(&mut reader, &mut said).unwrap(), 0, "{said}");
    }
    let mut tried = 0;
    for path in said.split("curl '").skip(1).map(|rest| rest.split('\'').next().unwrap()) {
        let address = path.strip_prefix("http://").unwrap().split('/').next().unwrap();
        let url = path.split_once(address).unwrap().1;
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        write!(socket, "GET {url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let answer = crate::support::Answer::read(socket);
        assert!(
            answer.status == 200 && answer.whole && answer.body.len() > 20,
            "{path}: {}",
            answer.text()
        );
        tried += 1;
    }
    assert_eq!(tried, 5);
    demo.kill().unwrap();
    demo.wait().unwrap();
}
