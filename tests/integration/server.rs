//! A server in the world: tokens, imports beside it, clients that leave, signals.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Answer, Server, make_token, run, run_ok};

pub fn log() -> String {
    format!("{}/data/acme.log", env!("CARGO_MANIFEST_DIR"))
}

pub fn temporary_store() -> (tempfile::TempDir, String) {
    let folder = tempfile::TempDir::new().unwrap();
    let store = folder.path().join("store").to_str().unwrap().to_owned();
    (folder, store)
}

/// What a process has used of the processors, in seconds.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

#[test]
fn a_store_without_tokens_answers_this_machine_and_listens_nowhere_else() {
    let (_folder, store) = temporary_store();
    run_ok(&["init", "--store", &store]);
    let server = Server::start(store.as_ref());
    assert_eq!(server.get("/feature/json").status, 200);
    let ignored = server.send("GET", "/feature/json", &[("X-Auth-token", "whatever")], b"");
    assert_eq!(ignored.status, 200);
    let refused = run(&["serve", "--store", &store, "--listen", "0.0.0.0:0"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("token") && said.contains("0.0.0.0"),
        "{said}"
    );
}

#[test]
fn a_store_with_tokens_answers_those_who_show_one() {
    let (_folder, store) = temporary_store();
    run_ok(&["init", "--store", &store]);
    let server = Server::start(store.as_ref());
    let token = make_token(&store, "ci", &[]);
    assert_eq!(token.len(), 64);
    let code = |headers: &[(&str, &str)], path: &str| {
        let answer = server.send("GET", path, headers, b"");
        (answer.status, answer.json()["code"].as_u64())
    };
    assert_eq!(code(&[], "/feature/json"), (401, Some(1101)));
    assert_eq!(code(&[], "/no/such/path"), (401, Some(1101)), "paths are nobody's business either");
    assert_eq!(code(&[("X-Auth-token", "wrong")], "/feature/json"), (401, Some(1102)));
    assert_eq!(code(&[("X-Auth-token", "")], "/feature/json"), (401, Some(1102)));
    assert_eq!(code(&[("X-Auth-token", &token)], "/feature/json"), (200, None));
    assert_eq!(code(&[("x-auth-TOKEN", &token)], "/feature/json"), (200, None));
    assert_eq!(code(&[("Authorization", &format!("Bearer {token}"))], "/feature/json"), (200, None));
    assert_eq!(
        code(&[("Authorization", &format!("Basic {token}"))], "/feature/json"),
        (401, Some(1102)),
        "that is no user and password"
    );
    assert_eq!(
        code(&[], &format!("/feature/json?X-Auth-token={token}")),
        (401, Some(1101)),
        "never in the URL"
    );
    assert_eq!(server.send("POST", "/import", &[], b"{}").status, 401);

    assert!(run_ok(&["token", "list", "--store", &store]).contains("\nci    admin  all      plain  20"));
    assert!(
        !run(&["token", "create", "--store", &store, "ci", "--role", "admin"])
            .status
            .success(),
        "names are nobody else's"
    );
    make_token(&store, "other", &[]);
    run_ok(&["token", "revoke", "--store", &store, "ci"]);
    assert_eq!(
        code(&[("X-Auth-token", &token)], "/feature/json"),
        (401, Some(1102)),
        "revoked at once"
    );
    assert!(!run(&["token", "revoke", "--store", &store, "ci"]).status.success());
    let stored = std::fs::read(Path::new(&store).join("catalog.sqlite")).unwrap();
    assert!(
        !stored.windows(64).any(|window| window == token.as_bytes()),
        "the token itself is stored nowhere"
    );
}

#[test]
fn a_store_that_is_made_and_changed_beside_a_server_is_picked_up() {
    let (_folder, store) = temporary_store();
    let server = Server::start(store.as_ref());
    assert_eq!(server.get("/feature/json").json()["totalCount"], 0);
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
    assert_eq!(server.get("/feature/json").json()["totalCount"], 4);
    let more = json!({"time": "2026-03-09T10:00:00Z", "event": "denial", "server": "flex02", "feature": "new", "user": "u", "host": "h"});
    let file = Path::new(&store).parent().unwrap().join("more.ndjson");
    std::fs::write(&file, format!("{more}\n")).unwrap();
    run_ok(&["import", "--store", &store, file.to_str().unwrap()]);
    assert_eq!(server.get("/feature/json").json()["totalCount"], 5);
    // Thrown away and made anew, under the same names.
    std::fs::remove_dir_all(&store).unwrap();
    assert_eq!(server.get("/feature/json").json()["totalCount"], 0);
    run_ok(&["import", "--store", &store, file.to_str().unwrap()]);
    let rows = server.get("/report/feature/1/denials/json?sd=2026-03-09&ed=2026-03-09").json();
    assert_eq!(
        rows["data"],
        json!([{"ldt": "2026-03-09 10:00:00", "ldtc": 1, "un": "u", "hn": "h"}])
    );
}

#[test]
fn an_import_over_http_is_an_import() {
    let (_folder, store) = temporary_store();
    let server = Server::start(store.as_ref());
    let bytes = std::fs::read(log()).unwrap();
    let post = |query: &str, body: &[u8]| server.send("POST", &format!("/import?{query}"), &[], body);
    let summary = post("server=flex01&timezone=Europe/Berlin&name=acme.log", &bytes).json();
    let keys: Vec<&str> = summary.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "files",
        "lines",
        "bytes",
        "events",
        "first",
        "last",
        "sessions",
        "orphanCheckins",
        "openSessions",
        "ambiguousMatches",
        "truncatedByRestart",
        "undatedLines",
        "unparsedLines",
        "unterminatedLines",
        "duplicates",
        "problems",
        "seconds",
    ];
    expected.sort_unstable();
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!(
        (&summary["lines"], &summary["sessions"], &summary["truncatedByRestart"]),
        (&json!(20), &json!(6), &json!(3))
    );
    assert_eq!(summary["events"]["checkout"], 6);
    assert_eq!(summary["first"], "2026-03-02T07:00:05Z");
    let again = post("server=flex01&timezone=Europe/Berlin", &bytes).json();
    assert_eq!(again["duplicates"], 16);

    let refused = |query: &str, body: &[u8], status: u16, code: u64, word: &str| {
        let answer = post(query, body);
        assert_eq!(
            (answer.status, answer.json()["code"].as_u64()),
            (status, Some(code)),
            "{}",
            answer.text()
        );
        assert!(answer.text().contains(word), "{}", answer.text());
    };
    refused("", b"", 400, 1007, "empty");
    refused("", b"\x00\x01\x02\x03binary", 400, 1007, "REPORTLOG");
    refused("", b"dear diary,\nnothing happened\n", 400, 1007, "parquet, ndjson, flexnet, csv");
    refused("", b"{\"time\":\"now\"}\n", 400, 1007, "no event");
    refused("strict=1", b"{}\n", 400, 1007, "line 1");
    refused("", b"10:00:00 (x) OUT: \"f\" a@h\n", 400, 1007, "--date");
    refused("zone=UTC", b"x", 400, 1004, "timezone");
    refused("timezone=Moon", b"x", 400, 1002, "timezone");
    refused("format=excel", b"x", 400, 1002, "flexnet");
    let multipart = server.send("POST", "/import", &[("Content-Type", "multipart/form-data; boundary=x")], b"--x--");
    assert_eq!(multipart.status, 415);
    assert_eq!(
        server.get("/feature/json").json()["totalCount"],
        4,
        "nothing of what was refused is there"
    );
    let dated = post("server=x&date=2026-03-09", b"10:00:00 (x) OUT: \"f\" a@h\n").json();
    assert_eq!(
        (&dated["openSessions"], &dated["first"]),
        (&json!(1), &json!("2026-03-09T09:00:00Z"))
    );
}

/// A store in which a report runs for many seconds: every hour of sixty years, for many features.
pub fn store_for_a_long_report() -> (tempfile::TempDir, String) {
    let (folder, store) = temporary_store();
    let file = folder.path().join("x.ndjson");
    let lines: String = (0..200)
        .map(|n| {
            json!({"time": "2026-03-02T10:00:00Z", "event": "denial", "server": "s", "feature": format!("f{n}"), "user": "u", "host": "h"})
                .to_string()
                + "\n"
        })
        .collect();
    std::fs::write(&file, lines).unwrap();
    run_ok(&["import", "--store", &store, file.to_str().unwrap()]);
    (folder, store)
}

pub const LONG: &str = "/report/feature/all/denials/grouped/csv?sd=1990-01-01&ed=2050-12-31&grat=6";

#[test]
fn a_client_that_leaves_stops_its_query_within_a_second() {
    let (_folder, store) = store_for_a_long_report();
    let server = Server::start(store.as_ref());
    let mut socket = TcpStream::connect(&server.address).unwrap();
    write!(socket, "GET /api/v1{LONG} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let busy = cpu_seconds(server.pid());
    assert!(busy > 0.5, "the report is no long one: {busy} s");
    drop(socket);
    std::thread::sleep(Duration::from_secs(1));
    let left = cpu_seconds(server.pid());
    std::thread::sleep(Duration::from_secs(2));
    let later = cpu_seconds(server.pid());
    assert!(later - left < 0.2, "still working: {left} s, then {later} s");
    assert_eq!(server.get("/feature/json").status, 200);
}

/// A store with many denials of one feature: an answer of many megabytes.
pub fn store_for_a_large_answer() -> (tempfile::TempDir, String) {
    use std::fmt::Write as _;
    let (folder, store) = temporary_store();
    let file = folder.path().join("x.csv");
    let mut lines = "time,event,server,feature,user,host\n".to_owned();
    for second in 0..400_000 {
        let (hour, minute, second) = (second / 3600 % 24, second / 60 % 60, second % 60);
        writeln!(
            lines,
            "2026-03-02T{hour:02}:{minute:02}:{second:02}Z,denial,s,f,a-user-with-a-long-name,a-host-with-a-long-name"
        )
        .unwrap();
    }
    std::fs::write(&file, lines).unwrap();
    run_ok(&["import", "--store", &store, file.to_str().unwrap()]);
    (folder, store)
}

pub const LARGE: &str = "/report/feature/1/denials/json?sd=2026-03-02&ed=2026-03-02";

#[test]
fn a_server_that_is_told_to_stop_finishes_what_it_began() {
    let (_folder, store) = store_for_a_large_answer();
    let mut server = Server::start(store.as_ref());
    let mut socket = TcpStream::connect(&server.address).unwrap();
    write!(socket, "GET /api/v1{LARGE} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    // The answer has begun, and fills the socket.
    let mut first = [0; 1];
    socket.read_exact(&mut first).unwrap();
    server.terminate();
    std::thread::sleep(Duration::from_millis(500));
    assert!(TcpStream::connect(&server.address).is_err(), "nothing new is accepted");
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).unwrap();
    let text = String::from_utf8_lossy(&rest);
    assert!(
        text.trim_end().ends_with("0") && text.contains("\"totalCount\":400000}"),
        "the answer was cut"
    );
    assert!(server.wait().success());
}

#[test]
fn a_server_that_is_told_to_stop_does_not_wait_for_ever() {
    let (_folder, store) = store_for_a_large_answer();
    let mut server = Server::start_with(store.as_ref(), &["--grace-seconds", "1"]);
    let mut socket = TcpStream::connect(&server.address).unwrap();
    write!(socket, "GET /api/v1{LARGE} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    socket.read_exact(&mut [0; 1]).unwrap();
    server.terminate();
    let began = Instant::now();
    assert!(server.wait().success());
    assert!(began.elapsed() < Duration::from_secs(5));
    let answer = std::panic::catch_unwind(|| Answer::read(socket));
    assert!(
        !answer.is_ok_and(|answer| answer.whole),
        "an answer that was cut must not look whole"
    );
}

#[test]
fn a_report_that_fails_after_its_first_byte_is_cut() {
    let (_folder, store) = store_for_a_large_answer();
    let server = Server::start(store.as_ref());
    let whole = server.get(LARGE);
    assert!(whole.whole && whole.json()["totalCount"] == 400_000);
    // The file loses its bytes under the server's feet.
    let snapshot = headroom::store::Watcher::new(store.as_ref()).snapshot().unwrap();
    let file = snapshot.files(headroom::event::Table::Denials).values().next().unwrap().path();
    let path = Path::new(&store).join(file);
    let length = std::fs::metadata(&path).unwrap().len();
    let mut damaged = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    damaged.write_all(&vec![0; length as usize]).unwrap();
    let answer = server.get(LARGE);
    assert!(answer.status == 500 || !answer.whole, "half a file made a whole answer");
    if answer.status == 500 {
        let message = answer.json()["msg"].as_str().unwrap().to_owned();
        assert!(message.contains("request id") && !message.contains("parquet"), "{message}");
    }
}

#[test]
fn readers_keep_the_files_that_they_read() {
    let (_folder, store) = store_for_a_large_answer();
    let server = Server::start(store.as_ref());
    let mut socket = TcpStream::connect(&server.address).unwrap();
    write!(
        socket,
        "GET /api/v1{LARGE} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut first = [0; 1];
    socket.read_exact(&mut first).unwrap();
    // Another process replaces every file of that day meanwhile.
    let file = Path::new(&store).parent().unwrap().join("more.csv");
    std::fs::write(
        &file,
        "time,event,server,feature,user,host\n2026-03-02T10:00:00.5Z,denial,s,f,u,h\n",
    )
    .unwrap();
    run_ok(&["import", "--store", &store, file.to_str().unwrap()]);
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).unwrap();
    assert!(String::from_utf8_lossy(&rest).contains("\"totalCount\":400000}"));
    assert_eq!(server.get(LARGE).json()["totalCount"], 400_001);
    // Once nobody reads them, the next writer deletes them.
    run_ok(&["import", "--store", &store, file.to_str().unwrap()]);
    let days = std::fs::read_dir(Path::new(&store).join("denials/day=2026-03-02")).unwrap().count();
    assert_eq!(days, 1);
    assert!(run(&["check", "--store", &store]).status.success());
}
