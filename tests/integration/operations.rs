//! What whoever runs a server lives by: ids of requests, the log, readiness, metrics. Read from outside, with parsers of our own.

mod exposition;
mod licenses;
mod lines;
mod metrics;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::server::temporary_store;
use crate::support::{Answer, PROGRAM, Server, make_token, run_ok};

/// A store with the sample, where it is, and the folder that vanishes with it.
fn sample() -> (tempfile::TempDir, String) {
    let (folder, store) = temporary_store();
    let file = |name: &str| format!("{}/data/{name}", env!("CARGO_MANIFEST_DIR"));
    run_ok(&["init", "--store", &store, "--timezone", "Europe/Berlin"]);
    run_ok(&["import", "--store", &store, "--server", "flex01", &file("acme.log")]);
    run_ok(&["import", "--store", &store, &file("lab.csv"), &file("lab.ndjson")]);
    (folder, store)
}

/// Names and values of the headers of a request.
type Headers<'a> = &'a [(&'a str, &'a str)];

const DENIALS: &str = "/api/v1/report/feature/2/denials/json?sd=2026-03-02&ed=2026-03-03";

/// Overwrites the partition file of a table and day, all but its last bytes, which say where everything is.
fn damage(store: &str, table: headroom::event::Table, day: &str) {
    let snapshot = headroom::store::Watcher::new(store.as_ref()).snapshot().unwrap();
    let file = &snapshot.files(table)[&day.parse().unwrap()];
    let path = Path::new(store).join(file.path());
    let mut bytes = std::fs::read(&path).unwrap();
    let footer = u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap()) as usize + 8;
    let data = bytes.len() - footer;
    bytes[4..data].fill(0xaa);
    std::fs::write(&path, &bytes).unwrap();
}

fn is_new(id: &str) -> bool {
    id.len() == 16 && id.bytes().all(|letter| matches!(letter, b'0'..=b'9' | b'a'..=b'f'))
}

#[test]
fn every_answer_has_an_id() {
    let (_folder, store) = sample();
    let server = Server::start(store.as_ref());
    let tag = server.send_to("GET", DENIALS, &[], b"").header("etag").unwrap().to_owned();
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let asked: [(&str, &str, Headers<'_>, u16); 16] = [
        ("GET", DENIALS, &[], 200),
        ("GET", DENIALS, &[("Accept-Encoding", "gzip")], 200),
        ("HEAD", DENIALS, &[], 200),
        ("POST", DENIALS, &[form], 200),
        ("GET", DENIALS, &[("If-None-Match", &tag)], 304),
        ("GET", "/api/v1/report/feature/2/denials/json", &[], 400),
        ("GET", "/api/v1/nothing", &[], 404),
        ("GET", "/nothing", &[], 404),
        ("PUT", DENIALS, &[], 405),
        ("POST", DENIALS, &[("Content-Type", "text/plain")], 415),
        ("GET", "/healthz", &[], 200),
        ("HEAD", "/healthz", &[], 200),
        ("GET", "/readyz", &[], 200),
        ("GET", "/metrics", &[], 200),
        ("GET", "/api/v1/openapi.json", &[], 200),
        ("GET", "/docs", &[], 303),
    ];
    let mut seen = BTreeSet::new();
    for (method, path, headers, status) in asked {
        let answer = server.send_to(method, path, headers, if method == "POST" { b"sd=2026-03-02" } else { b"" });
        let id = answer.header("x-request-id").unwrap_or_else(|| panic!("{method} {path}"));
        assert!(is_new(id), "{method} {path}: {id}");
        assert!(seen.insert(id.to_owned()), "{method} {path}: {id} again");
        // Given in the query and the form at once, a day is refused.
        let status = if (method, status) == ("POST", 200) { 400 } else { status };
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        let answer = server.send_to(method, path, &[headers, &[("X-Request-Id", "Mine_1.x-2")]].concat(), b"");
        assert_eq!(answer.header("x-request-id"), Some("Mine_1.x-2"), "{method} {path}");
    }
}

#[test]
fn an_id_that_needs_quoting_is_replaced() {
    let (_folder, store) = sample();
    let server = Server::start(store.as_ref());
    let id = |brought: &str| {
        let answer = server.send_to("GET", "/healthz", &[("x-request-ID", brought)], b"");
        assert_eq!(answer.status, 200);
        answer.header("x-request-id").unwrap().to_owned()
    };
    let (longest, too_long) = ("x".repeat(64), "x".repeat(65));
    assert_eq!(id(&longest), longest);
    assert_eq!(id("0"), "0");
    for wrong in ["", "two words", "a;b", "\"quoted\"", "a\tb", "grün", "{}", &too_long] {
        assert!(is_new(&id(wrong)), "{wrong:?}");
    }
}

#[test]
fn our_fault_is_told_by_the_id_of_the_request() {
    let (_folder, store) = sample();
    let server = Server::start(store.as_ref());
    damage(&store, headroom::event::Table::Denials, "2026-03-02");
    let answer = server.send_to("GET", DENIALS, &[("X-Request-Id", "find-me")], b"");
    assert_eq!((answer.status, answer.header("x-request-id")), (500, Some("find-me")));
    assert_eq!(answer.json()["msg"], "internal error; request id find-me");
    assert_eq!(answer.json()["code"], 1901);
    let told = server.logged(&["ERROR", "request failed"]);
    assert!(told.contains("request{request_id=find-me}"), "{told}");
    let again = server.send_to("GET", DENIALS, &[], b"");
    let id = again.header("x-request-id").unwrap().to_owned();
    assert!(is_new(&id));
    assert_eq!(again.json()["msg"], format!("internal error; request id {id}"));
    server.logged(&["ERROR", "request failed", &id]);
}

#[test]
fn a_server_is_ready_when_its_store_can_be_read() {
    let (_folder, store) = temporary_store();
    let server = Server::start(store.as_ref());
    let ask = |method: &str, path: &str| server.send_to(method, path, &[], b"");
    let told = |path: &str| {
        let answer = ask("GET", path);
        (answer.status, answer.text())
    };
    assert_eq!(
        told("/readyz"),
        (200, "ready\n".to_owned()),
        "a store that is not there yet can be read"
    );
    run_ok(&["init", "--store", &store]);
    make_token(&store, "ci", &[]);
    assert_eq!(ask("GET", "/metrics").status, 401);
    assert_eq!(told("/readyz"), (200, "ready\n".to_owned()), "without a token");
    assert_eq!(told("/healthz"), (200, "ok\n".to_owned()));
    for path in ["/readyz", "/healthz"] {
        let head = ask("HEAD", path);
        assert_eq!((head.status, head.text()), (200, String::new()));
    }
    let catalog = Path::new(&store).join("catalog.sqlite");
    std::fs::remove_file(&catalog).unwrap();
    std::fs::write(&catalog, "this is no catalog; it is much too short a text to be one\n".repeat(100)).unwrap();
    assert_eq!(told("/readyz"), (503, "the store cannot be read\n".to_owned()));
    assert_eq!(ask("HEAD", "/readyz").status, 503);
    assert_eq!(told("/healthz"), (200, "ok\n".to_owned()), "it lives nevertheless");
    server.logged(&["WARN", "not ready", "file is not a database"]);
    std::fs::remove_file(&catalog).unwrap();
    assert_eq!(told("/readyz"), (200, "ready\n".to_owned()));
}

#[test]
fn a_server_that_is_told_to_stop_is_not_ready() {
    let (_folder, store) = sample();
    let mut server = Server::start(store.as_ref());
    // Connections on which a request has begun are heard to its end.
    let mut begun = ["/readyz", "/healthz", "/api/v1/reports"].map(|path| {
        let mut socket = TcpStream::connect(&server.address).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost\r\n").unwrap();
        socket
    });
    std::thread::sleep(std::time::Duration::from_millis(300));
    server.terminate();
    while TcpStream::connect(&server.address).is_ok() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for socket in &mut begun {
        write!(socket, "\r\n").unwrap();
    }
    let [ready, live, reports] = begun.map(Answer::read);
    assert_eq!((ready.status, ready.text()), (503, "the server is shutting down\n".to_owned()));
    assert_eq!((live.status, live.text()), (200, "ok\n".to_owned()));
    assert_eq!((reports.status, reports.json()["code"].clone()), (503, json!(1502)));
    assert!(server.wait().success());
}

#[test]
fn a_log_that_nobody_reads_stops_nobody() {
    let (_folder, store) = sample();
    let mut child = Command::new(PROGRAM)
        .args(["serve", "--store", &store, "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let mut said = [0; 1024];
    let read = child.stdout.as_mut().unwrap().read(&mut said).unwrap();
    let said = String::from_utf8_lossy(&said[..read]).into_owned();
    let address = said.trim().rsplit_once("http://").unwrap().1.to_owned();
    let statuses = [(); 3].map(|()| {
        let mut socket = TcpStream::connect(&address).unwrap();
        write!(socket, "GET {DENIALS} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        Answer::read(socket).status
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(statuses, [200; 3]);
}
