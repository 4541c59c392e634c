//! The lines of the log: one for each request, whichever way it ends, and never a token in it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use headroom::event::Table;
use serde_json::{Value, json};

use super::{DENIALS, Headers, damage, sample};
use crate::server::{LARGE, LONG, log, store_for_a_large_answer, store_for_a_long_report, temporary_store};
use crate::support::{Answer, Server, make_token, run_ok};

fn in_json(store: &str) -> Server {
    Server::start_with(store.as_ref(), &["--log-format", "json"])
}

/// The line about the request of an id.
fn line(server: &Server, id: &str) -> Value {
    let line = server.logged(&["headroom::access", &format!("\"request_id\":\"{id}\"")]);
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// A method, path and headers, and the status, route and token that are told of them.
type Asked<'a> = (&'a str, &'a str, Headers<'a>, u16, &'a str, Option<&'a str>);

#[test]
fn every_request_leaves_one_line() {
    let (_folder, store) = sample();
    let server = in_json(&store);
    let gzip = [("Accept-Encoding", "gzip")];
    let pattern = "/api/v1/report/feature/{feature}/denials/{format}";
    let negotiated = "/api/v1/report/feature/{feature}/denials";
    let short = DENIALS.replace("/json", "");
    let import = "/api/v1/import?server=x";
    let asked: [Asked<'_>; 12] = [
        ("GET", DENIALS, &[], 200, pattern, Some("local")),
        ("GET", &short, &gzip, 200, negotiated, Some("local")),
        ("HEAD", DENIALS, &[], 200, pattern, Some("local")),
        ("GET", "/api/v1/report/feature/2/denials/doc", &[], 400, pattern, Some("local")),
        ("DELETE", DENIALS, &[], 405, pattern, Some("local")),
        ("POST", import, &[], 400, "/api/v1/import", Some("local")),
        ("DELETE", "/api/v1/tokens/x", &[], 404, "/api/v1/tokens/{name}", Some("local")),
        ("GET", "/api/v1/so/so", &[], 404, "unknown", Some("local")),
        ("GET", "/so/so?a=b", &[], 404, "unknown", None),
        ("GET", "/healthz", &[], 200, "/healthz", None),
        ("GET", "/metrics", &[], 200, "/metrics", Some("local")),
        ("BREW", "/healthz", &[], 405, "/healthz", None),
    ];
    for (place, (method, path, headers, status, route, token)) in asked.into_iter().enumerate() {
        let id = format!("id-{place}");
        let answer = server.send_to(method, path, &[headers, &[("X-Request-Id", &id)]].concat(), b"");
        assert_eq!(answer.status, status, "{method} {path}");
        let line = line(&server, &id);
        let told = ["method", "route", "status", "bytes", "token", "outcome"].map(|field| &line[field]);
        let method = if method == "BREW" { "other" } else { method };
        let bytes = if method == "HEAD" { 0 } else { answer.body.len() };
        assert_eq!(
            told,
            [
                &json!(method),
                &json!(route),
                &json!(status),
                &json!(bytes),
                &json!(token),
                &json!("whole")
            ],
            "{path}"
        );
        let (first, total) = (line["first_byte_ms"].as_f64().unwrap(), line["total_ms"].as_f64().unwrap());
        assert!(0.0 < first && first <= total && total < 60_000.0, "{line}");
        assert_eq!((&line["level"], &line["target"]), (&json!("INFO"), &json!("headroom::access")));
        let code = (status >= 400).then(|| answer.json()["code"].clone());
        assert_eq!(line.get("code"), code.as_ref(), "{path}");
        assert_eq!(line["span"], json!({"name": "request", "request_id": id}));
        let known = ["timestamp", "level", "target", "span", "method", "route", "status", "code", "bytes"];
        let known = [&known[..], &["first_byte_ms", "total_ms", "token", "outcome"]].concat();
        for key in line.as_object().unwrap().keys() {
            assert!(known.contains(&key.as_str()), "{key}");
        }
        let lines = server.log().lines().filter(|line| line.contains(&format!("\"{id}\""))).count();
        assert_eq!(lines, 1, "{method} {path}");
    }
    assert!(
        !server.log().contains("so/so") && !server.log().contains("sd="),
        "nothing of an address"
    );
}

#[test]
fn the_log_is_text_unless_json_is_asked_for() {
    let (_folder, store) = sample();
    let server = Server::start(store.as_ref());
    server.send_to("GET", DENIALS, &[("X-Request-Id", "one")], b"");
    let line = server.logged(&["request_id=one"]);
    let (stamp, rest) = line.split_once("  INFO ").unwrap();
    assert!(chrono::DateTime::parse_from_rfc3339(stamp).is_ok(), "{line}");
    let expected =
        "request{request_id=one}: headroom::access: method=GET route=/api/v1/report/feature/{feature}/denials/{format} status=200 ";
    assert!(rest.starts_with(expected), "{line}");
    assert!(rest.ends_with(" token=\"local\" outcome=whole"), "{line}");
    let by_environment = Server::start_in(store.as_ref(), &[], &[("HEADROOM_LOG_FORMAT", "json")]);
    by_environment.send_to("GET", "/healthz", &[("X-Request-Id", "two")], b"");
    assert_eq!(super::lines::line(&by_environment, "two")["status"], 200);
    let quiet = Server::start_in(store.as_ref(), &[], &[("HEADROOM_LOG", "warn,headroom=info,headroom::access=warn")]);
    damage(&store, Table::Denials, "2026-03-02");
    assert_eq!(quiet.send_to("GET", DENIALS, &[("X-Request-Id", "three")], b"").status, 500);
    let told = quiet.logged(&["request failed"]);
    assert!(told.contains("request_id=three"), "{told}");
    assert!(!quiet.log().contains("outcome"), "{}", quiet.log());
    let help = run_ok(&["serve", "--help"]);
    for words in ["--log-format", "HEADROOM_LOG_FORMAT", "text", "json", "`HEADROOM_LOG` says"] {
        assert!(help.contains(words), "{words}");
    }
}

#[test]
fn whatever_is_done_for_a_request_is_logged_with_its_id() {
    let (_folder, store) = sample();
    let server = Server::start_in(store.as_ref(), &["--log-format", "json"], &[("HEADROOM_LOG", "headroom=debug")]);
    server.send_to("GET", DENIALS, &[("X-Request-Id", "asked")], b"");
    line(&server, "asked");
    for words in ["headroom::engine::stream", "query ended"] {
        let line: Value = serde_json::from_str(&server.logged(&[words])).unwrap();
        assert_eq!(line["span"]["request_id"], "asked", "{line}");
    }
}

#[test]
fn a_token_is_told_by_its_name() {
    let (_folder, store) = sample();
    let token = make_token(&store, "a \"quoted\" name", &[]);
    let server = in_json(&store);
    let ask = |id: &str, token: &str| {
        let headers = [("X-Request-Id", id), ("X-Auth-token", token)];
        server.send_to("GET", DENIALS, &headers, b"").status
    };
    assert_eq!((ask("right", &token), ask("wrong", "no such token")), (200, 401));
    assert_eq!(line(&server, "right")["token"], "a \"quoted\" name");
    assert_eq!(line(&server, "wrong")["token"], Value::Null);
}

#[test]
fn a_client_that_leaves_before_the_first_byte_is_gone() {
    let (_folder, store) = store_for_a_long_report();
    let server = in_json(&store);
    let mut socket = TcpStream::connect(&server.address).unwrap();
    // The chart is drawn when the last row is there: nothing leaves before.
    let path = LONG.replace("/csv", "/pdf");
    write!(
        socket,
        "GET /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: left\r\n\r\n"
    )
    .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    drop(socket);
    let line = line(&server, "left");
    assert_eq!((&line["outcome"], &line["bytes"]), (&json!("gone"), &json!(0)), "{line}");
    assert_eq!((line.get("status"), line.get("first_byte_ms")), (None, None), "{line}");
    assert!(line["total_ms"].as_f64().unwrap() > 300.0, "{line}");
}

#[test]
fn an_answer_that_does_not_end_says_why() {
    let (_folder, store) = store_for_a_large_answer();
    let mut server = Server::start_with(store.as_ref(), &["--log-format", "json", "--grace-seconds", "1"]);
    let begin = |id: &str| {
        let mut socket = TcpStream::connect(&server.address).unwrap();
        write!(
            socket,
            "GET /api/v1{LARGE} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {id}\r\n\r\n"
        )
        .unwrap();
        socket.read_exact(&mut [0; 1]).unwrap();
        socket
    };
    let whole = server.send("GET", LARGE, &[("X-Request-Id", "whole")], b"");
    let bytes = whole.body.len() as u64;
    assert_eq!(line(&server, "whole")["bytes"], bytes);
    drop(begin("left"));
    let left = line(&server, "left");
    assert_eq!((&left["outcome"], &left["status"]), (&json!("gone"), &json!(200)), "{left}");
    assert!((1..bytes).contains(&left["bytes"].as_u64().unwrap()), "{left}");
    let stays = begin("stopped");
    server.terminate();
    assert!(server.wait().success());
    let stopped = line(&server, "stopped");
    assert_eq!((&stopped["outcome"], &stopped["status"]), (&json!("cut"), &json!(200)), "{stopped}");
    assert!(stopped["total_ms"].as_f64().unwrap() >= 1000.0, "{stopped}");
    drop(stays);
}

#[test]
fn an_answer_that_fails_after_its_first_byte_is_cut() {
    let (folder, store) = temporary_store();
    let file = folder.path().join("x.csv");
    let mut lines = "time,event,server,feature,user,host\n".to_owned();
    for day in 1..=20 {
        for second in 0..20_000 {
            let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
            let user = "a-user-with-a-long-name";
            lines.push_str(&format!(
                "2026-03-{day:02}T{hour:02}:{minute:02}:{second:02}Z,denial,s,f,{user},{user}\n"
            ));
        }
    }
    std::fs::write(&file, lines).unwrap();
    run_ok(&["import", "--store", &store, file.to_str().unwrap()]);
    let server = in_json(&store);
    let path = "/report/feature/1/denials/json?sd=2026-03-01&ed=2026-03-20";
    let whole = server.send("GET", path, &[("X-Request-Id", "whole")], b"");
    assert!(whole.whole && whole.json()["totalCount"] == 400_000);
    let mut socket = TcpStream::connect(&server.address).unwrap();
    write!(
        socket,
        "GET /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: half\r\n\r\n"
    )
    .unwrap();
    let mut first = [0; 1];
    assert_eq!(socket.peek(&mut first).unwrap(), 1);
    // The last day loses its bytes while the first ones wait for a slow reader.
    damage(&store, Table::Denials, "2026-03-20");
    let answer = Answer::read(socket);
    assert_eq!((answer.status, answer.whole), (200, false));
    let line = line(&server, "half");
    assert_eq!((&line["outcome"], &line["status"]), (&json!("cut"), &json!(200)), "{line}");
    assert!((1..whole.body.len() as u64).contains(&line["bytes"].as_u64().unwrap()), "{line}");
    let failed = server.logged(&["an answer failed after its first byte"]);
    assert!(failed.contains("\"request_id\":\"half\""), "{failed}");
}

#[test]
fn no_token_is_ever_told() {
    let (folder, store) = sample();
    let make = |name: &str, options: &[&str]| make_token(&store, name, options);
    let (admin, viewer, revoked) = (make("admin", &[]), make("viewer", &["--role", "viewer"]), make("revoked", &[]));
    run_ok(&["token", "revoke", "--store", &store, "revoked"]);
    let wrong = "0123456789abcdef".repeat(4);
    let settings = [("HEADROOM_LOG", "info,headroom=trace")];
    let server = Server::start_in(store.as_ref(), &["--log-format", "json"], &settings);
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let mut tokens = vec![admin.clone(), viewer.clone(), revoked, wrong];
    let mut metrics = String::new();
    for token in tokens.clone() {
        let bearer = format!("Bearer {token}");
        let basic = format!("Basic {token}");
        let shown: [&[(&str, &str)]; 5] = [
            &[("X-Auth-token", &token)],
            &[("Authorization", &bearer)],
            &[("Authorization", &basic)],
            &[("X-Auth-token", &token), ("Authorization", &bearer)],
            &[("X-Auth-token", &token), ("X-Request-Id", &token)],
        ];
        for headers in shown {
            let ask = |method: &str, path: &str, body: &[u8]| server.send_to(method, path, headers, body);
            ask("GET", DENIALS, b"");
            ask("GET", &format!("{DENIALS}&X-Auth-token={token}"), b"");
            ask("GET", &format!("{DENIALS}&token={token}&filter={token}"), b"");
            ask("GET", &format!("/api/v1/{token}"), b"");
            ask("GET", &format!("/{token}?{token}"), b"");
            ask("DELETE", &format!("/api/v1/tokens/{token}"), b"");
            ask("POST", &format!("/api/v1/import?token={token}"), b"");
            ask("POST", "/api/v1/import?server=flex02&timezone=UTC", &std::fs::read(log()).unwrap());
            ask("POST", "/api/v1/tokens", format!("token={token}").as_bytes());
            metrics.push_str(&ask("GET", "/metrics", b"").text());
        }
    }
    for role in ["admin", "analyst", "viewer"] {
        let headers = [("X-Auth-token", &*admin), form];
        let made = server.send("POST", "/tokens", &headers, format!("name=a-{role}&role={role}").as_bytes());
        let token = made.json()["data"][0]["token"].as_str().unwrap().to_owned();
        let headers = [("X-Auth-token", &*token)];
        assert_eq!(server.send_to("GET", DENIALS, &headers, b"").status, 200);
        metrics.push_str(&server.send_to("GET", "/metrics", &headers, b"").text());
        tokens.push(token);
    }
    let last = server.send_to("GET", "/healthz", &[("X-Request-Id", "the-last")], b"");
    assert_eq!(last.status, 200);
    line(&server, "the-last");
    let log = server.log();
    assert!(log.contains("\"token\":\"a-viewer\"") && metrics.contains("headroom_imports_total{outcome=\"done\"}"));
    assert_eq!(tokens.len(), 7);
    for token in tokens {
        // The first quarter of one would be too much.
        let part = &token[..16];
        assert!(!log.contains(part), "{}", log.lines().find(|line| line.contains(part)).unwrap());
        assert!(!metrics.contains(part));
    }
    drop(folder);
}
