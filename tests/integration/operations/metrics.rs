//! `/metrics`: that it is the format it says, that it counts what was done, and that the reference tells all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;

use headroom::event::Table;

use super::exposition::Scrape;
use super::{DENIALS, sample};
use crate::server::{LONG, log, store_for_a_long_report, temporary_store};
use crate::support::{Server, contents, run_ok};

const OPEN_METRICS: (&str, &str) = (
    "Accept",
    "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4",
);

pub fn scrape(server: &Server) -> Scrape {
    let answer = server.send_to("GET", "/metrics", &[], b"");
    assert_eq!(answer.status, 200, "{}", answer.text());
    Scrape::read(&answer.text(), false)
}

/// A number of a file below `/proc`.
fn of_process(pid: u32, file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap()
}

#[test]
fn both_formats_are_what_they_say() {
    let (_folder, store) = sample();
    let server = Server::start(store.as_ref());
    server.send_to("GET", DENIALS, &[], b"");
    server.send_to("GET", "/nothing", &[], b"");
    let told = |headers: &[(&str, &str)]| {
        let answer = server.send_to("GET", "/metrics", headers, b"");
        assert_eq!((answer.status, answer.whole), (200, true));
        let kind = answer.header("content-type").unwrap().to_owned();
        (kind, answer.text())
    };
    let (kind, text) = told(&[]);
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    let text = Scrape::read(&text, false);
    let (kind, open) = told(&[OPEN_METRICS]);
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let open = Scrape::read(&open, true);
    let names = |scrape: &Scrape| {
        let name = |(name, described): &(String, super::exposition::Described)| {
            let total = described.kind == "counter" && !name.ends_with("_total");
            format!("{name}{}", if total { "_total" } else { "" })
        };
        scrape.0.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names(&text), names(&open));
    let (kind, _) = told(&[("Accept", "text/plain")]);
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    let head = server.send_to("HEAD", "/metrics", &[], b"");
    assert_eq!((head.status, head.text()), (200, String::new()));
    assert_eq!(server.send_to("POST", "/metrics", &[], b"").status, 405);
    // Units are base units, and a counter says that it is one.
    for (name, described) in &text.0 {
        assert_eq!(name.ends_with("_total"), described.kind == "counter", "{name}");
        assert!(!name.ends_with("_ms") && !name.ends_with("_mb"), "{name}");
    }
}

#[test]
fn requests_are_counted_when_they_end() {
    let (_folder, store) = sample();
    let server = Server::start(store.as_ref());
    scrape(&server);
    let before = scrape(&server);
    let sizes: usize = (0..3).map(|_| server.send_to("GET", DENIALS, &[], b"").body.len()).sum();
    let tag = server.send_to("HEAD", DENIALS, &[], b"").header("etag").unwrap().to_owned();
    assert_eq!(server.send_to("GET", DENIALS, &[("If-None-Match", &tag)], b"").status, 304);
    assert_eq!(server.send_to("GET", &DENIALS.replace("/2/", "/99/"), &[], b"").status, 404);
    for made_up in 0..20 {
        assert_eq!(server.send_to("GET", &format!("/made/{made_up}"), &[], b"").status, 404);
        assert_eq!(
            server
                .send_to(&format!("BREW{made_up}"), &format!("/api/v1/{made_up}"), &[], b"")
                .status,
            404
        );
    }
    let after = scrape(&server);
    let counted = |labels: &str| {
        let of = |scrape: &Scrape| scrape.of("headroom_http_requests_total", labels);
        of(&after) - of(&before)
    };
    let route = "route=/api/v1/report/feature/{feature}/denials/{format}";
    assert_eq!(counted(&format!("method=GET,{route},status=2xx")), 3.0);
    assert_eq!(counted(&format!("method=HEAD,{route},status=2xx")), 1.0);
    assert_eq!(counted(&format!("method=GET,{route},status=3xx")), 1.0);
    assert_eq!(counted(&format!("method=GET,{route},status=4xx")), 1.0);
    assert_eq!(counted("method=GET,route=unknown,status=4xx"), 20.0);
    assert_eq!(counted("method=other,route=unknown,status=4xx"), 20.0);
    assert_eq!(counted("method=GET,route=/metrics,status=2xx"), 1.0, "the one that said `before`");
    let routes: BTreeSet<&str> = after
        .described("headroom_http_requests_total")
        .samples
        .iter()
        .map(|sample| &*sample.labels["route"])
        .collect();
    assert_eq!(
        routes,
        BTreeSet::from(["/api/v1/report/feature/{feature}/denials/{format}", "/metrics", "unknown"])
    );
    assert_eq!(after.value("headroom_http_requests_in_flight"), 1.0, "the scrape itself");
    let errors = [("code=1201", 40.0), ("code=1202", 1.0)].map(|(code, count)| (code.to_owned(), count));
    assert_eq!(after.values("headroom_http_errors_total"), errors.into());
    assert_eq!(after.of("headroom_report_sent_bytes_total", "report=denials") as usize, sizes);
    let sent = after.value("headroom_http_sent_bytes_total") - before.value("headroom_http_sent_bytes_total");
    assert!(sent > sizes as f64 + 40.0 * 50.0, "{sent}");
    for name in ["headroom_report_first_byte_seconds", "headroom_report_seconds"] {
        let (sum, count, _) = after.histogram(name, &[("report", "denials")]);
        assert_eq!(count, 3.0, "{name}: neither 304 nor HEAD nor an error is a report");
        assert!(0.0 < sum && sum < 60.0, "{name}: {sum}");
        assert_eq!(before.histogram(name, &[("report", "denials")]).1, 0.0);
        assert_eq!(
            after.histogram(name, &[("report", "features")]).1,
            0.0,
            "every report is there from the start"
        );
    }
    let (first, ..) = after.histogram("headroom_report_first_byte_seconds", &[("report", "denials")]);
    let (whole, ..) = after.histogram("headroom_report_seconds", &[("report", "denials")]);
    assert!(first <= whole);
    for (name, described) in before.0.iter().filter(|(_, described)| described.kind != "gauge") {
        for sample in &described.samples {
            let later = &after.described(name).samples;
            let later = later
                .iter()
                .find(|later| (&later.name, &later.labels) == (&sample.name, &sample.labels));
            assert!(later.unwrap().value >= sample.value, "{sample:?} fell");
        }
    }
}

#[test]
fn a_request_is_in_flight_until_its_answer_ends() {
    let (_folder, store) = store_for_a_long_report();
    let server = Server::start(store.as_ref());
    let mut socket = TcpStream::connect(&server.address).unwrap();
    write!(
        socket,
        "GET /api/v1{LONG} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: long\r\n\r\n"
    )
    .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(scrape(&server).value("headroom_http_requests_in_flight"), 2.0);
    drop(socket);
    server.logged(&["request_id=long", "outcome=gone"]);
    assert_eq!(scrape(&server).value("headroom_http_requests_in_flight"), 1.0);
}

#[test]
fn queries_are_counted_where_they_are_and_by_outcome() {
    let (_folder, store) = store_for_a_long_report();
    let server = Server::start_with(store.as_ref(), &["--memory", "1GiB"]);
    let before = scrape(&server);
    let outcomes: Vec<String> = before.values("headroom_queries_total").into_keys().collect();
    let all = ["cancelled", "done", "failed", "outOfMemory", "refused", "timedOut"].map(|outcome| format!("outcome={outcome}"));
    assert_eq!(outcomes, all, "each is there from the start");
    assert_eq!(before.value("headroom_query_memory_limit_bytes"), f64::from(1 << 30));
    assert_eq!(server.send("GET", "/feature/json", &[], b"").status, 200);
    assert_eq!(
        server.send("POST", "/sql?format=csv", &[], b"SELECT 1 AS one").text(),
        "one\r\n1\r\n"
    );
    assert_eq!(server.send("POST", "/sql?format=csv", &[], b"SELECT nothing").status, 400);
    let mut socket = TcpStream::connect(&server.address).unwrap();
    write!(
        socket,
        "GET /api/v1{LONG} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: long\r\n\r\n"
    )
    .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    let during = scrape(&server);
    assert_eq!(
        (during.value("headroom_queries_running"), during.value("headroom_queries_waiting")),
        (1.0, 0.0)
    );
    let ended = |scrape: &Scrape, outcome: &str| scrape.of("headroom_queries_total", &format!("outcome={outcome}"));
    assert_eq!((ended(&during, "done"), ended(&during, "cancelled")), (2.0, 0.0));
    drop(socket);
    server.logged(&["request_id=long", "outcome=gone"]);
    let after = scrape(&server);
    assert_eq!((after.value("headroom_queries_running"), ended(&after, "cancelled")), (0.0, 1.0));
    let (_, count, _) = after.histogram("headroom_report_seconds", &[("report", "sql")]);
    assert_eq!(count, 1.0);
    assert_eq!(after.of("headroom_http_errors_total", "code=1601"), 1.0);
}

#[test]
fn imports_are_counted_by_outcome() {
    let (_folder, store) = temporary_store();
    let server = Server::start(store.as_ref());
    let bytes = std::fs::read(log()).unwrap();
    let post = |body: &[u8]| {
        server
            .send("POST", "/import?server=flex01&timezone=Europe/Berlin", &[], body)
            .status
    };
    assert_eq!((post(&bytes), post(&bytes), post(b"")), (200, 200, 400));
    let told = scrape(&server);
    let outcomes = told.values("headroom_imports_total");
    let expected = [("done", 2.0), ("refused", 1.0), ("busy", 0.0), ("failed", 0.0)];
    assert_eq!(
        outcomes,
        expected.map(|(outcome, count)| (format!("outcome={outcome}"), count)).into()
    );
    // The log has 16 events, and none of them is new the second time.
    assert_eq!(told.value("headroom_import_events_total"), 16.0);
    let (seconds, count, _) = told.histogram("headroom_import_seconds", &[]);
    assert!(count == 2.0 && 0.0 < seconds && seconds < 60.0, "{count} in {seconds} s");
}

/// The bytes and files of each table, as they lie on the disk.
fn on_disk(store: &str) -> BTreeMap<String, (f64, f64)> {
    Table::ALL
        .into_iter()
        .map(|table| {
            let mut bytes_and_files = (0.0, 0.0);
            for day in std::fs::read_dir(Path::new(store).join(table.name())).into_iter().flatten() {
                for file in std::fs::read_dir(day.unwrap().path()).unwrap() {
                    bytes_and_files.0 += file.unwrap().metadata().unwrap().len() as f64;
                    bytes_and_files.1 += 1.0;
                }
            }
            (format!("table={}", table.name()), bytes_and_files)
        })
        .collect()
}

#[test]
fn the_store_is_told_as_it_lies_on_the_disk() {
    let (_folder, store) = temporary_store();
    let server = Server::start(store.as_ref());
    let empty = scrape(&server);
    assert_eq!(empty.value("headroom_store_days"), 0.0);
    assert!(
        empty.0.iter().all(|(name, _)| name != "headroom_store_latest_timestamp_seconds"),
        "nothing is the latest"
    );
    run_ok(&[
        "import",
        "--store",
        &store,
        "--server",
        "flex01",
        "--timezone",
        "Europe/Berlin",
        &log(),
    ]);
    let told = scrape(&server);
    let disk = on_disk(&store);
    let expected = |value: fn(&(f64, f64)) -> f64| disk.iter().map(|(table, both)| (table.clone(), value(both))).collect();
    assert_eq!(told.values("headroom_store_bytes"), expected(|both| both.0));
    assert_eq!(told.values("headroom_store_files"), expected(|both| both.1));
    assert!(disk.values().all(|(bytes, files)| *bytes > 0.0 && *files > 0.0), "{disk:?}");
    let rows = contents(store.as_ref());
    for table in Table::ALL {
        let expected = rows.iter().filter(|row| row.starts_with(&format!("{} ", table.name()))).count();
        assert_eq!(
            told.values("headroom_store_rows")[&format!("table={}", table.name())],
            expected as f64
        );
    }
    // 2 and 3 March, until 17:00 in Berlin.
    assert_eq!(told.value("headroom_store_days"), 2.0);
    let latest = chrono::DateTime::parse_from_rfc3339("2026-03-03T17:00:00+01:00")
        .unwrap()
        .timestamp() as f64;
    assert_eq!(told.value("headroom_store_latest_timestamp_seconds"), latest);
    let more = format!("{}/data/lab.csv", env!("CARGO_MANIFEST_DIR"));
    run_ok(&["import", "--store", &store, &more]);
    let generation = |scrape: &Scrape| scrape.value("headroom_store_generation");
    assert!(generation(&empty) < generation(&told) && generation(&told) < generation(&scrape(&server)));
}

#[test]
fn the_process_is_told_as_the_system_sees_it() {
    let (_folder, store) = sample();
    let server = Server::start(store.as_ref());
    let pid = server.pid();
    let told = scrape(&server);
    let near = |name: &str, value: f64, slack: f64| {
        let told = told.value(name);
        assert!((told - value).abs() <= slack, "{name}: {told}, and {value} outside");
    };
    let pages: f64 = of_process(pid, "statm").split(' ').nth(1).unwrap().parse().unwrap();
    near("process_resident_memory_bytes", pages * 4096.0, pages * 4096.0 / 4.0);
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    near("process_open_fds", files as f64, 4.0);
    let stat = of_process(pid, "stat");
    let fields: Vec<f64> = stat
        .rsplit_once(") ")
        .unwrap()
        .1
        .split(' ')
        .filter_map(|field| field.parse().ok())
        .collect();
    // Without the state, which is no number: utime, stime and starttime, in hundredths of seconds.
    near("process_cpu_seconds_total", (fields[10] + fields[11]) / 100.0, 1.0);
    let boot = std::fs::read_to_string("/proc/stat").unwrap();
    let boot: f64 = boot.lines().find_map(|line| line.strip_prefix("btime ")).unwrap().parse().unwrap();
    near("process_start_time_seconds", boot + fields[18] / 100.0, 2.0);
    let version = format!("profile=debug,version={}", env!("CARGO_PKG_VERSION"));
    let version = version.replace("debug", if cfg!(debug_assertions) { "debug" } else { "release" });
    assert_eq!(told.values("headroom_build_info"), [(version, 1.0)].into());
}

#[test]
fn metrics_need_a_token_where_the_store_has_one() {
    let (_folder, store) = sample();
    let server = Server::start(store.as_ref());
    let viewer = run_ok(&["token", "create", "--store", &store, "v", "--role", "viewer"])
        .trim()
        .to_owned();
    let ask = |headers: &[(&str, &str)]| server.send_to("GET", "/metrics", headers, b"");
    let refused = ask(&[]);
    assert_eq!((refused.status, refused.json()["code"].as_u64()), (401, Some(1101)));
    let wrong = ask(&[("X-Auth-token", "wrong")]);
    assert_eq!((wrong.status, wrong.json()["code"].as_u64()), (401, Some(1102)));
    let answer = ask(&[("Authorization", &format!("Bearer {viewer}"))]);
    assert_eq!(answer.status, 200);
    assert!(Scrape::read(&answer.text(), false).0.len() > 20);
}

/// The rows of the table in the reference are written by this test: it says them where they differ.
#[test]
fn the_reference_has_every_metric() {
    const REFERENCE: &str = include_str!("../../../docs/reference.md");
    let (_folder, store) = sample();
    let server = Server::start(store.as_ref());
    scrape(&server);
    server.send_to("GET", "/nothing", &[], b"");
    let rows: Vec<String> = scrape(&server)
        .0
        .iter()
        .map(|(name, described)| {
            let labels = described.samples.iter().flat_map(|sample| sample.labels.keys());
            let labels: BTreeSet<&String> = labels.filter(|label| *label != "le").collect();
            let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
            let labels = if labels.is_empty() { vec!["none".to_owned()] } else { labels };
            format!(
                "| `{name}` | {} | {} | {} |",
                described.kind,
                labels.join(", "),
                described.help.trim_end_matches('.')
            )
        })
        .collect();
    let told: Vec<&str> = REFERENCE
        .lines()
        .filter(|line| {
            ["| `headroom_", "| `process_", "| `flexlm_"]
                .iter()
                .any(|start| line.starts_with(start))
        })
        .collect();
    assert_eq!(told, rows, "{}", rows.join("\n"));
}
