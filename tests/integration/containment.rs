//! What a query may do to the server: nothing. Time and memory are those of real processes, looked at from outside.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Answer, Server, run_ok};

const MIB: u64 = 1024 * 1024;

/// A server with little memory, and a sample in its store.
struct Site {
    server: Server,
    _folder: tempfile::TempDir,
}

impl Site {
    fn new(limits: &[&str]) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let store = folder.path().join("store").to_str().unwrap().to_owned();
        run_ok(&["import", "--store", &store, "data/lab.ndjson"]);
        let scratch = folder.path().join("scratch").to_str().unwrap().to_owned();
        let args = [&["--scratch", &scratch], limits].concat();
        Self {
            server: Server::start_with(Path::new(&store), &args),
            _folder: folder,
        }
    }

    fn small() -> Self {
        Self::new(&["--memory", "512MiB", "--queries", "2", "--time-limit", "120"])
    }

    fn ask(&self, query: &str, sql: &str) -> Answer {
        self.server
            .send("POST", &format!("/sql{query}"), &[("Content-Type", "text/plain")], sql.as_bytes())
    }

    /// Begins to ask, and leaves the rest to who holds the socket.
    fn begin(&self, query: &str, sql: &str) -> TcpStream {
        let mut socket = TcpStream::connect(&self.server.address).unwrap();
        let length = sql.len();
        let request = format!(
            "POST /api/v1/sql{query} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{sql}"
        );
        socket.write_all(request.as_bytes()).unwrap();
        socket
    }

    /// The server answers at once, and its queries have all ended.
    fn is_well(&self) {
        let began = Instant::now();
        let mut socket = TcpStream::connect(&self.server.address).unwrap();
        socket
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        assert_eq!(Answer::read(socket).status, 200);
        assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
        self.until("queries are over", || {
            self.states().iter().all(|state| state != "running" && state != "waiting")
        });
        assert_eq!(self.ask("?format=csv", "SELECT 42 AS answer").text(), "answer\r\n42\r\n");
    }

    fn queries(&self) -> Vec<serde_json::Value> {
        self.server.get("/queries").json()["data"].as_array().unwrap().clone()
    }

    fn states(&self) -> Vec<String> {
        self.queries()
            .iter()
            .map(|query| query["state"].as_str().unwrap().to_owned())
            .collect()
    }

    fn until(&self, what: &str, done: impl Fn() -> bool) {
        let began = Instant::now();
        while !done() {
            assert!(began.elapsed() < Duration::from_secs(10), "not in time: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The server and what it started.
    fn processes(&self) -> Vec<u32> {
        let mut found = vec![self.server.pid()];
        let mut next = 0;
        while let Some(pid) = found.get(next) {
            let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
            let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
            let children: Vec<u32> = children
                .flat_map(|text| text.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>())
                .collect();
            found.extend(children);
            next += 1;
        }
        found
    }

    /// Bytes of memory that belong to these processes alone.
    fn memory(&self) -> u64 {
        let of = |pid: &u32| {
            let statm = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
            let pages: Vec<u64> = statm.split_whitespace().map(|pages| pages.parse().unwrap()).collect();
            pages
                .get(1)
                .zip(pages.get(2))
                .map_or(0, |(resident, shared)| (resident - shared) * 4096)
        };
        self.processes().iter().map(of).sum()
    }

    /// How many processors these processes keep busy, over half a second.
    fn busy(&self) -> f64 {
        let ticks = || -> u64 {
            let of = |pid: &u32| {
                let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
                let field = |place: usize| fields.get(place).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or(0);
                field(11) + field(12)
            };
            self.processes().iter().map(of).sum()
        };
        let before = ticks();
        std::thread::sleep(Duration::from_millis(500));
        // A hundred ticks a second; processes that went away take theirs with them.
        ticks().saturating_sub(before) as f64 / 50.0
    }
}

fn code(answer: &Answer) -> (u16, u64) {
    let code = serde_json::from_slice::<serde_json::Value>(&answer.body).ok();
    (answer.status, code.and_then(|envelope| envelope["code"].as_u64()).unwrap_or(0))
}

const ENDLESS: &str =
    "SELECT count(*) FROM generate_series(1, 100000) a CROSS JOIN generate_series(1, 100000) b WHERE (a.value * b.value) % 7 = 8";

#[test]
fn bombs_end_with_an_error_and_the_server_lives() {
    let site = Site::small();
    let deep = |open: &str, inner: &str, close: &str, times: usize| format!("SELECT {}{inner}{}", open.repeat(times), close.repeat(times));
    let join = |rows: u64| format!("SELECT * FROM generate_series(1, {rows}) a JOIN generate_series(1, {rows}) b ON a.value = b.value");
    for (sql, query, accepted) in [
        // Memory that no pool counts.
        ("SELECT length(repeat('x', 2000000000))".to_owned(), "", &[(400, 1602)][..]),
        (
            "WITH a AS (SELECT repeat('x', 60000000) AS s), b AS (SELECT s || s || s || s AS s FROM a), c AS (SELECT s || s || s || s AS s FROM b), \
             d AS (SELECT s || s || s || s AS s FROM c) SELECT length(s) FROM d"
                .to_owned(),
            "",
            &[(503, 1504), (503, 1506)],
        ),
        ("SELECT array_agg(value) FROM generate_series(1, 300000000)".to_owned(), "", &[(503, 1504)]),
        ("SELECT count(DISTINCT value), count(DISTINCT value + 1) FROM generate_series(1, 300000000)".to_owned(), "", &[(503, 1504)]),
        (join(300_000_000), "?format=csv&limit=1", &[(503, 1504)]),
        // Time that nobody gives back.
        (ENDLESS.to_owned(), "?timeout=2", &[(504, 1702)]),
        ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r".to_owned(), "?timeout=2", &[(504, 1702), (503, 1504)]),
        // Depth that overflows a stack.
        (format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(1000)), "", &[(400, 1601)]),
        (format!("SELECT 1 WHERE 1 = 1{}", " OR 1 = 2".repeat(5000)), "", &[(400, 1601)]),
        (format!("SELECT 1{}", " + 1".repeat(5000)), "", &[(400, 1601)]),
        (deep("(", "1", ")", 5000), "", &[(400, 1601)]),
        (deep("abs(", "1", ")", 3000), "", &[(400, 1601)]),
        (deep("NOT ", "true", "", 5000), "", &[(400, 1601)]),
        (deep("- ", "1", "", 900), "", &[(400, 1601), (200, 0)]),
        (deep("CASE WHEN true THEN ", "1", " END", 400), "", &[(400, 1601)]),
        (format!("SELECT 1 IN ({})", vec!["1"; 20_000].join(",")), "", &[(400, 1601)]),
        (format!("SELECT '{}'", "x".repeat(10 * 1000 * 1000)), "", &[(413, 1302), (413, 1305)]),
        (format!("SELECT '{}'", "x".repeat(100_000)), "", &[(413, 1305)]),
    ] {
        let answer = site.ask(query, &sql);
        let short: String = sql.chars().take(100).collect();
        assert!(accepted.contains(&code(&answer)), "{short}: {}", answer.text().chars().take(300).collect::<String>());
        assert!(site.memory() < 900 * MIB, "{short}: {}", site.memory() / MIB);
        site.is_well();
    }
}

#[test]
fn reports_have_limits_too() {
    let site = Site::small();
    let days = "sd=2026-03-02&ed=2026-03-03";
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let post = |form_body: String| {
        site.server
            .send("POST", "/report/feature/all/denials/json", &form, form_body.as_bytes())
    };
    let filter = |conditions: usize| {
        let condition = r#"{"property":"un","operator":"ne","value":"x"}"#;
        let all = vec![condition; conditions].join(",");
        format!("{days}&filter=%5B{}%5D", all.replace('"', "%22"))
    };
    assert_eq!(code(&post(filter(100))).0, 200);
    for conditions in [101, 2000, 8000] {
        assert_eq!(code(&post(filter(conditions))), (400, 1002));
    }
    let many = (1..100_000).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let answer = site.server.send(
        "POST",
        "/report/feature/1/denials/json",
        &form,
        format!("{days}&columns={many}").as_bytes(),
    );
    assert_eq!(code(&answer), (400, 1002));
    site.is_well();
}

#[test]
fn what_does_not_fit_into_memory_is_sorted_on_the_disk() {
    let site = Site::new(&["--memory", "512MiB", "--queries", "2", "--time-limit", "300"]);
    // Some 160 MB of texts, with 128 MiB for them.
    let sql = "SELECT length(t) AS n FROM (SELECT lpad(CAST(value AS VARCHAR), 200, 'x') AS t, value % 1009 AS k FROM generate_series(1, 800000)) \
               ORDER BY k, t DESC";
    let answer = site.ask("?format=csv", sql);
    assert_eq!(
        (answer.status, answer.whole),
        (200, true),
        "{}",
        answer.text().chars().take(300).collect::<String>()
    );
    assert_eq!(answer.body.len(), "n\r\n".len() + 800_000 * "200\r\n".len());
    let spilled = site.queries()[0]["bytesSpilled"].as_u64().unwrap();
    assert!(spilled > 50 * MIB, "{spilled}");
    site.is_well();
    // With too little room on the disk it fails, and says so.
    let site = Site::new(&["--memory", "512MiB", "--queries", "2", "--scratch-size", "64MiB"]);
    assert_eq!(code(&site.ask("?format=csv", sql)), (503, 1504));
    site.is_well();
}

#[test]
fn a_query_that_nobody_wants_any_more_gives_back_time_and_memory() {
    let site = Site::small();
    site.is_well();
    let before = site.memory();
    let hungry = "SELECT a.value % 1000 AS k, count(*), min(lpad(CAST(b.value AS VARCHAR), 50, 'x')) FROM generate_series(1, 1000000) a \
                  CROSS JOIN generate_series(1, 1000000) b GROUP BY k, b.value";
    let is_back = |how: &str| {
        let began = Instant::now();
        while site.busy() > 0.2 || site.memory() > before + 64 * MIB {
            assert!(
                began.elapsed() < Duration::from_secs(2),
                "{how}: {} processors, {} MiB",
                site.busy(),
                site.memory() / MIB
            );
        }
        site.is_well();
    };
    // Its reader goes away.
    for sql in [ENDLESS, hungry] {
        let socket = site.begin("", sql);
        site.until("it runs", || site.states().contains(&"running".to_owned()) && site.busy() > 0.3);
        drop(socket);
        is_back("gone");
    }
    // Somebody stops it.
    let socket = site.begin("", hungry);
    site.until("it runs", || site.busy() > 0.3);
    let id = site.queries()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(site.server.send("DELETE", &format!("/queries/{id}"), &[], b"").status, 200);
    assert_eq!(code(&Answer::read(socket)), (503, 1505));
    is_back("stopped");
    // Its time is up.
    assert_eq!(code(&site.ask("?timeout=1", hungry)), (504, 1702));
    is_back("late");
}

#[test]
fn a_reader_that_takes_nothing_is_left_and_its_answer_is_cut() {
    let site = Site::new(&["--time-limit", "4"]);
    site.is_well();
    let socket = site.begin("?format=csv", "SELECT value, lpad('x', 500, 'y') FROM generate_series(1, 3000000)");
    site.until("it is left", || site.states()[0] == "cancelled");
    let answer = Answer::read(socket);
    assert_eq!((answer.status, answer.whole), (200, false));
    site.is_well();
}

#[test]
fn an_answer_that_fails_midway_is_cut() {
    let site = Site::small();
    let answer = site.ask(
        "?format=csv",
        "SELECT 1 / (2500000 - value), lpad('x', 100, 'y') FROM generate_series(1, 3000000)",
    );
    assert_eq!((answer.status, answer.whole), (200, false));
    assert!(answer.body.len() > 1000);
    site.is_well();
}

#[test]
fn lines_have_an_end_and_callers_take_turns() {
    let site = Site::new(&["--queries", "1", "--queue", "2"]);
    let first = site.begin("?timeout=20", ENDLESS);
    site.until("it runs", || site.states() == ["running"]);
    let waiting = [site.begin("?timeout=1", "SELECT 1"), site.begin("", "SELECT 2")];
    site.until("they wait", || {
        site.states().iter().filter(|state| *state == "waiting").count() == 2
    });
    let refused = site.ask("", "SELECT 3");
    assert_eq!(code(&refused), (429, 1701));
    assert!(refused.header("retry-after").is_some());
    // Reports stand in the same line.
    assert_eq!(code(&site.server.get("/feature/json")), (429, 1701));
    let [late, patient] = waiting;
    let late = Answer::read(late);
    assert_eq!(code(&late), (503, 1503));
    assert!(late.header("retry-after").is_some());
    drop(first);
    assert_eq!(Answer::read(patient).json()["data"][0]["Int64(2)"], 2);
    site.is_well();
}

#[test]
fn scratch_folders_go_with_their_server() {
    let folder = tempfile::TempDir::new().unwrap();
    let store = folder.path().join("store");
    run_ok(&["init", "--store", store.to_str().unwrap()]);
    let scratch = folder.path().join("scratch");
    let start = || Server::start_with(&store, &["--scratch", scratch.to_str().unwrap()]);
    let count = || fs::read_dir(&scratch).unwrap().count();
    let mut server = start();
    assert_eq!(count(), 1);
    // Killed, it leaves its folder to the next one.
    drop(server);
    assert_eq!(count(), 1);
    server = start();
    assert_eq!(count(), 1);
    server.terminate();
    assert!(server.wait().success());
    assert_eq!(count(), 0);
}
