//! Doors: whom a server answers by the name that is asked for, by the site that asks, by proxies between, and how long it waits for
//! whoever says nothing.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::golden;
use crate::server::temporary_store;
use crate::support::{Answer, Server, make_token, run_ok};

/// Routes of every kind: reports, actions, what needs no token, and what is not there.
const ROUTES: [&str; 9] = [
    "/api/v1/feature/json",
    "/api/v1/tokens",
    "/api/v1/sql",
    "/api/v1/import",
    "/api/v1/openapi.json",
    "/docs/",
    "/healthz",
    "/metrics",
    "/no/such/path",
];

/// A server on an empty store, and what its requests show.
struct Site {
    server: Server,
    token: Option<String>,
    store: String,
    _folder: tempfile::TempDir,
}

impl Site {
    fn new(with_token: bool, options: &[&str]) -> Self {
        let (folder, store) = temporary_store();
        run_ok(&["init", "--store", &store]);
        let token = with_token.then(|| make_token(&store, "ops", &[]));
        let server = Server::start_with(store.as_ref(), options);
        Self {
            server,
            token,
            store,
            _folder: folder,
        }
    }

    /// Sends these lines, and the token.
    fn raw(&self, first: &str, headers: &[&str], body: &str) -> Answer {
        let mut socket = TcpStream::connect(&self.server.address).unwrap();
        let mut request = format!("{first}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        for header in headers {
            request.push_str(&format!("{header}\r\n"));
        }
        if let Some(token) = &self.token {
            request.push_str(&format!("X-Auth-token: {token}\r\n"));
        }
        socket.write_all(format!("{request}\r\n{body}").as_bytes()).unwrap();
        Answer::read(socket)
    }
}

fn code(answer: &Answer) -> (u16, Option<u64>) {
    (answer.status, answer.json()["code"].as_u64())
}

#[test]
fn a_page_of_another_site_is_refused_on_every_route_and_method() {
    for with_token in [false, true] {
        let site = Site::new(with_token, &[]);
        let host = format!("Host: {}", site.server.address);
        for route in ROUTES {
            for method in ["GET", "POST", "DELETE", "PUT", "OPTIONS"] {
                for other in [
                    "Origin: https://evil.example",
                    "Origin: null",
                    "Sec-Fetch-Site: cross-site",
                    "Sec-Fetch-Site: same-site",
                ] {
                    let answer = site.raw(&format!("{method} {route} HTTP/1.1"), &[&host, other], "");
                    assert_eq!(code(&answer), (403, Some(1105)), "{method} {route} {other}");
                    assert_eq!(answer.header("access-control-allow-origin"), None);
                }
            }
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded"] {
            let headers = [&host, "Origin: https://evil.example", &format!("Content-Type: {kind}")];
            let forged = site.raw("POST /api/v1/tokens HTTP/1.1", &headers, "name=evil&role=admin");
            assert_eq!(code(&forged), (403, Some(1105)));
        }
        assert!(!run_ok(&["token", "list", "--store", &site.store]).contains("evil"));
        let own = format!("Origin: http://{}", site.server.address);
        for same in [own.as_str(), "Sec-Fetch-Site: none", "Sec-Fetch-Site: same-origin"] {
            let answer = site.raw("GET /api/v1/feature/json HTTP/1.1", &[&host, same], "");
            assert_eq!(answer.status, 200, "{same}");
        }
    }
}

#[test]
fn a_host_that_is_not_ours_is_refused_on_every_route() {
    for with_token in [false, true] {
        let site = Site::new(with_token, &["--host-name", "headroom.example"]);
        for route in ROUTES {
            for version in ["1.0", "1.1"] {
                let first = format!("GET {route} HTTP/{version}");
                for hosts in [
                    &["Host: evil.example"][..],
                    &["Host: localhost.evil.example:80"],
                    &["Host: localhost", "Host: localhost"],
                    &["Host: "],
                ] {
                    assert_eq!(code(&site.raw(&first, hosts, "")), (421, Some(1307)), "{first} {hosts:?}");
                }
                assert_eq!(code(&site.raw(&first, &[], "")), (421, Some(1307)), "{first}");
            }
            let absolute = format!("GET http://evil.example{route} HTTP/1.1");
            assert_eq!(
                code(&site.raw(&absolute, &["Host: localhost"], "")),
                (421, Some(1307)),
                "{absolute}"
            );
        }
        for host in [
            "localhost",
            "LOCALHOST:1",
            "127.0.0.1",
            "[::1]:8080",
            "headroom.example",
            "Headroom.Example:443",
        ] {
            let answer = site.raw("GET /api/v1/feature/json HTTP/1.1", &[&format!("Host: {host}")], "");
            assert_eq!(answer.status, 200, "{host}");
        }
        let absolute = site.raw("GET http://localhost/api/v1/feature/json HTTP/1.1", &["Host: localhost"], "");
        assert_eq!(absolute.status, 200);
    }
}

#[test]
fn options_says_which_methods_there_are() {
    let site = Site::new(true, &["--allow-origin", "https://grafana.example"]);
    let options =
        |route: &str, headers: &[&str]| site.raw(&format!("OPTIONS {route} HTTP/1.1"), &[&["Host: localhost"], headers].concat(), "");
    for (route, methods) in [
        ("/api/v1/feature/json", "GET, HEAD, POST, OPTIONS"),
        ("/api/v1/import", "POST, OPTIONS"),
        ("/api/v1/tokens/x", "DELETE, OPTIONS"),
        ("/healthz", "GET, HEAD, OPTIONS"),
        ("/metrics", "GET, HEAD, OPTIONS"),
    ] {
        let answer = options(route, &[]);
        assert_eq!((answer.status, answer.header("allow")), (204, Some(methods)), "{route}");
    }
    let listed = "Origin: https://grafana.example";
    let preflight = options(
        "/api/v1/sql",
        &[listed, "Access-Control-Request-Method: POST", "Sec-Fetch-Site: cross-site"],
    );
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("https://grafana.example"));
    for (header, word) in [
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-headers", "X-Auth-token"),
        ("access-control-allow-headers", "Authorization"),
        ("access-control-max-age", "600"),
        ("vary", "Origin"),
    ] {
        assert!(
            preflight.header(header).is_some_and(|value| value.contains(word)),
            "{header}: {preflight:?}"
        );
    }
    let answer = site.raw("GET /api/v1/feature/json HTTP/1.1", &["Host: localhost", listed], "");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://grafana.example"));
    assert!(
        answer
            .header("access-control-expose-headers")
            .is_some_and(|headers| headers.contains("X-Request-Id"))
    );
}

#[test]
fn a_password_of_basic_is_a_token() {
    use base64::Engine as _;
    let site = Site::new(true, &[]);
    let token = site.token.as_deref().unwrap();
    let basic = |pair: &str| {
        let shown = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        site.server.send("GET", "/feature/json", &[("Authorization", &shown)], b"")
    };
    assert_eq!(
        (basic(&format!("ana:{token}")).status, basic(&format!(":{token}")).status),
        (200, 200)
    );
    assert_eq!((basic(token).status, basic("ana:wrong").status), (401, 401));
    let refused = site.server.get("/feature/json");
    let asked: Vec<&str> = refused
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(asked, ["Bearer", "Basic realm=\"headroom\", charset=\"UTF-8\""]);
}

#[test]
fn a_forwarded_request_is_never_local() {
    let site = Site::new(false, &["--trusted-proxy", "127.0.0.0/8"]);
    for header in [
        "X-Forwarded-For: 127.0.0.1",
        "Forwarded: for=127.0.0.1",
        "Via: 1.1 proxy",
        "X-Real-IP: ::1",
        "X-Forwarded-Proto: https",
    ] {
        let answer = site.raw("GET /api/v1/feature/json HTTP/1.1", &["Host: localhost", header], "");
        assert_eq!(code(&answer), (403, Some(1103)), "{header}");
    }
}

#[test]
fn whoever_says_nothing_keeps_nobody_out() {
    let limits = ["--max-connections", "40", "--max-connections-per-address", "30"];
    let site = Site::new(false, &limits);
    let connect = |said: &str| {
        let mut socket = TcpStream::connect(&site.server.address).unwrap();
        socket.write_all(said.as_bytes()).unwrap();
        socket
    };
    let head = "POST /api/v1/import HTTP/1.1\r\nHost: localhost\r\n";
    let body = format!("{head}Content-Length: 1000\r\n\r\nhalf");
    let mut held = Vec::new();
    for said in ["", head, &body] {
        for _ in 0..60 {
            held.push(connect(said));
        }
        assert_eq!(site.server.get("/feature/json").status, 200, "{said:?}");
    }
    drop(held);
}

#[test]
fn whoever_takes_too_long_is_closed_or_told() {
    let limits = [
        "--header-timeout-seconds",
        "1",
        "--idle-timeout-seconds",
        "1",
        "--body-timeout-seconds",
        "1",
    ];
    let site = Site::new(false, &limits);
    let said = |text: &str| {
        let mut socket = TcpStream::connect(&site.server.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        socket.write_all(text.as_bytes()).unwrap();
        socket
    };
    for half in ["", "GET / HT", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"] {
        let mut answer = Vec::new();
        let _reset = said(half).read_to_end(&mut answer).unwrap();
        assert!(answer.is_empty(), "{half:?}");
    }
    let mut kept = Vec::new();
    said("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .read_to_end(&mut kept)
        .unwrap();
    assert!(kept.starts_with(b"HTTP/1.1 200"), "answered, and closed when it was idle");
    for path in ["/api/v1/import", "/api/v1/sql", "/api/v1/tokens"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nhalf"
        );
        assert_eq!(code(&Answer::read(said(&head))), (408, Some(1306)), "{path}");
    }
}

#[test]
fn a_hangup_ends_nothing() {
    let site = Site::new(false, &[]);
    let killed = std::process::Command::new("kill")
        .args(["-HUP", &site.server.pid().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    site.server.logged(&["SIGHUP"]);
    assert_eq!(site.server.get("/feature/json").status, 200);
}

#[test]
fn a_token_of_pseudonyms_imports_nothing() {
    let site = Site::new(true, &[]);
    let hidden = make_token(&site.store, "hidden", &["--names", "pseudonym"]);
    let answer = site.server.send("POST", "/import", &[("X-Auth-token", &hidden)], b"{}");
    assert_eq!(code(&answer), (403, Some(1104)));
}

#[test]
fn a_browser_is_shown_pages_and_a_program_is_told() {
    let (_folder, store) = golden::store();
    let server = Server::start(store.as_ref());
    let browser = ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    let home = server.send_to("GET", "/", &[browser], b"");
    assert_eq!((home.status, home.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let text = home.text();
    assert_eq!(text.matches("<h1").count(), 1);
    assert!(
        home.header("content-security-policy")
            .is_some_and(|policy| policy.starts_with("default-src 'none'"))
    );
    // Every feature is there with its number, and its links lead to pages.
    for row in server.get("/feature/json?columns=fid,fns").json()["data"].as_array().unwrap() {
        assert!(text.contains(&format!("<td class=\"n\">{}</td>", row["fid"])), "{row}");
    }
    let links: Vec<&str> = text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.len() > 10);
    for link in links.iter().filter(|link| link.starts_with("/api/v1/")) {
        let page = server.send_to("GET", &link.replace("&amp;", "&"), &[browser], b"");
        assert_eq!(page.status, 200, "{link}: {}", page.text());
    }
    let missing = server.send_to("GET", "/nowhere", &[browser], b"");
    assert_eq!(
        (missing.status, missing.header("content-type")),
        (404, Some("text/html; charset=utf-8"))
    );
    assert!(missing.text().contains("1201") && missing.text().contains("href=\"/\""));
    for path in ["/", "/nowhere"] {
        let told = server.send_to("GET", path, &[], b"");
        assert_eq!((told.status, told.json()["code"].clone()), (404, 1201.into()));
    }
    run_ok(&["token", "create", "--store", &store, "viewer", "--role", "viewer"]);
    let asked = server.send_to("GET", "/", &[browser], b"");
    assert_eq!(
        (asked.status, asked.header("content-type")),
        (401, Some("text/html; charset=utf-8"))
    );
    assert!(
        asked
            .headers
            .iter()
            .any(|(name, value)| name == "www-authenticate" && value.starts_with("Basic"))
    );
}
