//! SQL over HTTP: what it says, in every format, to whom, and what it does not say.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Answer, Server, make_token, run, run_ok};

const FIRST: &str = r#"
{"time":"2026-03-02T07:00:00Z","event":"server_up","server":"flex01"}
{"time":"2026-03-02T08:00:00Z","event":"session","end":"2026-03-02T12:00:00Z","server":"flex01","feature":"solid","user":"alice","host":"ws1","project":"apollo"}
{"time":"2026-03-02T09:00:00.25Z","event":"session","end":"2026-03-02T10:00:00Z","server":"flex01","feature":"solid","user":"bob","host":"ws2","licenses":2}
{"time":"2026-03-02T11:00:00Z","event":"denial","server":"flex01","feature":"solid","user":"carol","host":"ws3","reason":"carol asked too often","reason_code":-4}
"#;
const SECOND: &str = r#"
{"time":"2026-03-03T07:00:00Z","event":"server_up","server":"flex02"}
{"time":"2026-03-03T08:00:00Z","event":"session","end":"2026-03-03T17:00:00Z","server":"flex02","feature":"render","user":"dave","host":"ws4"}
{"time":"2026-03-03T10:00:00Z","event":"denial","server":"flex02","feature":"render","user":"dave","host":"ws4","licenses":3}
"#;

struct Site {
    server: Server,
    store: String,
    _folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let store = folder.path().join("store").to_str().unwrap().to_owned();
        run_ok(&["init", "--store", &store]);
        for (name, text) in [("first", FIRST), ("second", SECOND)] {
            let file = folder.path().join(format!("{name}.ndjson"));
            std::fs::write(&file, text.trim_start()).unwrap();
            run_ok(&["import", "--store", &store, file.to_str().unwrap()]);
        }
        Self {
            server: Server::start(Path::new(&store)),
            store,
            _folder: folder,
        }
    }

    fn token(&self, name: &str, options: &[&str]) -> String {
        make_token(&self.store, name, options)
    }

    fn text(&self, query: &str, sql: &str) -> Answer {
        self.server
            .send("POST", &format!("/sql{query}"), &[("Content-Type", "text/plain")], sql.as_bytes())
    }

    fn posted(&self, body: &Value) -> Answer {
        let headers = [("Content-Type", "application/json")];
        self.server.send("POST", "/sql", &headers, body.to_string().as_bytes())
    }

    /// The rows that a token sees.
    fn rows(&self, token: &str, sql: &str) -> Vec<Value> {
        let headers = [("X-Auth-token", token), ("Content-Type", "text/plain")];
        let answer = self.server.send("POST", "/sql", &headers, sql.as_bytes());
        assert_eq!(answer.status, 200, "{sql}: {}", answer.text());
        assert!(answer.whole);
        answer.json()["data"].as_array().unwrap().clone()
    }
}

fn code(answer: &Answer) -> (u16, u64) {
    (answer.status, answer.json()["code"].as_u64().unwrap())
}

#[test]
fn the_same_question_is_asked_in_many_ways() {
    let site = Site::new();
    let sql = "SELECT user_name, licenses FROM sessions WHERE licenses > 1";
    let expected = json!([{ "user_name": "bob", "licenses": 2 }]);
    let encoded = sql.replace(' ', "+").replace('>', "%3E").replace(',', "%2C");
    let get = site.server.get(&format!("/sql?q={encoded}"));
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let application = [("Content-Type", "application/sql")];
    for answer in [
        get,
        site.text("", sql),
        site.posted(&json!({ "sql": sql })),
        site.server.send("POST", "/sql", &[], sql.as_bytes()),
        site.server.send("POST", "/sql", &application, sql.as_bytes()),
        site.server.send("POST", "/sql", &form, format!("q={encoded}").as_bytes()),
    ] {
        assert_eq!((answer.status, answer.whole), (200, true), "{}", answer.text());
        assert_eq!(answer.json()["data"], expected);
        assert_eq!(answer.json()["totalCount"], 1);
        let columns: Value = serde_json::from_str(answer.header("x-columns").unwrap()).unwrap();
        assert_eq!(
            columns,
            json!([{ "name": "user_name", "type": "text" }, { "name": "licenses", "type": "integer" }])
        );
        assert!(answer.header("x-query-id").is_some_and(|id| id.len() == 16));
    }
    let head = site.server.send("HEAD", &format!("/sql?q={encoded}&format=csv"), &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-disposition"), Some("attachment; filename=\"query.csv\""));
}

#[test]
fn parameters_are_bound_by_place_and_by_name() {
    let site = Site::new();
    let users = |body: Value| {
        let answer = site.posted(&body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let rows = answer.json()["data"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["user_name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let by_place = "SELECT user_name FROM sessions WHERE day = $1 AND licenses >= $2 ORDER BY user_name";
    assert_eq!(users(json!({ "sql": by_place, "params": ["2026-03-02", 1] })), ["alice", "bob"]);
    assert_eq!(users(json!({ "sql": by_place, "params": ["2026-03-02", 1.5] })), ["bob"]);
    let by_name = "SELECT user_name FROM sessions WHERE started >= $from AND user_name <> $not ORDER BY user_name";
    assert_eq!(
        users(json!({ "sql": by_name, "params": { "from": "2026-03-02T08:30:00Z", "not": "x' OR '1'='1" } })),
        ["bob", "dave"]
    );
    let get = site.server.get("/sql?q=SELECT+$1+AS+a&params=%5B%22%27%3B+DROP+TABLE+events%22%5D");
    assert_eq!(get.json()["data"], json!([{ "a": "'; DROP TABLE events" }]));
    for (body, part) in [
        (json!({ "sql": "SELECT $1" }), "no value is given for parameter $1"),
        (json!({ "sql": "SELECT 1", "params": [1] }), "$1 is given but not used"),
        (json!({ "sql": by_place, "params": ["the 2nd of March", 1] }), "a day like"),
    ] {
        let answer = site.posted(&body);
        assert_eq!(code(&answer), (400, 1601), "{body}");
        assert!(answer.text().contains(part), "{}", answer.text());
    }
}

#[test]
fn every_format_says_the_same() {
    let site = Site::new();
    let sql = "SELECT user_name AS \"Who\", ended AT TIME ZONE 'Europe/Berlin' AS until, started, day, licenses, 0.1 + 0.2 AS float, \
               CAST(2.50 AS DECIMAL(5,2)) AS price, licenses > 1 AS several, NULL AS nothing, [1, 2] AS list, \
               CAST(18446744073709551615 AS BIGINT UNSIGNED) AS big, '=1+1' AS formula FROM sessions WHERE user_name = 'bob'";
    let csv = site.text("?format=csv", sql).text();
    assert_eq!(
        csv,
        "Who,until,started,day,licenses,float,price,several,nothing,list,big,formula\r\n\
         bob,2026-03-02 11:00:00,2026-03-02 09:00:00.250+00:00,2026-03-02,2,0.30000000000000004,2.50,true,,\"[1, 2]\",18446744073709551615,'=1+1\r\n"
    );
    let row = json!({
        "Who": "bob", "until": "2026-03-02 11:00:00", "started": "2026-03-02 09:00:00.250+00:00", "day": "2026-03-02", "licenses": 2,
        "float": 0.300_000_000_000_000_04, "price": 2.50, "several": true, "nothing": null, "list": "[1, 2]",
        "big": 18_446_744_073_709_551_615_u64, "formula": "=1+1",
    });
    assert_eq!(site.text("", sql).json()["data"], json!([row]));
    let ndjson: Value = serde_json::from_str(&site.text("?format=ndjson", sql).text()).unwrap();
    assert_eq!(ndjson, row);
    for (format, start) in [
        ("xlsx", &b"PK"[..]),
        ("pdf", b"%PDF"),
        ("html", b"<!DOCTYPE html>"),
        ("svg", b"<?xml"),
        ("parquet", b"PAR1"),
        ("arrow", b"\xff\xff\xff\xff"),
    ] {
        let answer = site.text(&format!("?format={format}"), sql);
        assert_eq!((answer.status, answer.whole), (200, true), "{format}: {}", answer.text());
        assert!(answer.body.starts_with(start), "{format}: {}", answer.text());
    }
    let accepted = site.server.send(
        "POST",
        "/sql",
        &[("Accept", "text/csv"), ("Content-Type", "text/plain")],
        b"SELECT 1 AS a",
    );
    assert_eq!(accepted.text(), "a\r\n1\r\n");
    let same_names = site.text("?format=csv", "SELECT a.day, b.day FROM denials a JOIN denials b USING (at)");
    assert!(same_names.text().starts_with("day,day_2\r\n"), "{}", same_names.text());
}

#[test]
fn what_an_answer_came_to_is_told_after_it() {
    let site = Site::new();
    for (query, sql, rows) in [
        ("?format=csv", "SELECT * FROM sessions", "3"),
        ("?format=csv&limit=2", "SELECT * FROM sessions", "2"),
        ("?format=arrow", "SELECT * FROM sessions WHERE false", "0"),
    ] {
        let headers = [("TE", "trailers"), ("Content-Type", "text/plain")];
        let answer = site.server.send("POST", &format!("/sql{query}"), &headers, sql.as_bytes());
        assert!(answer.whole);
        assert_eq!(answer.trailer("x-row-count"), Some(rows), "{:?}", answer.trailers);
        assert!(
            answer
                .trailer("x-bytes-scanned")
                .is_some_and(|bytes| (bytes == "0") == (rows == "0")),
            "{:?}",
            answer.trailers
        );
    }
    let report = "/report/feature/all/denials/csv?sd=2026-03-01&ed=2026-03-31";
    let report = site.server.send("GET", report, &[("TE", "trailers")], b"");
    assert_eq!(report.trailer("x-row-count"), Some("2"));
    assert_eq!(site.text("?limit=1", "SELECT * FROM sessions").json()["totalCount"], 3);
}

#[test]
fn a_wrong_request_is_told_what_is_accepted() {
    let site = Site::new();
    let csv = [("Content-Type", "text/csv")];
    for (answer, expected, part) in [
        (site.server.get("/sql"), (400, 1001), "\"q\""),
        (site.server.get("/sql?q=SELECT+1&fromat=csv"), (400, 1004), "fromat"),
        (site.server.get("/sql?q=SELECT+1&q=SELECT+2"), (400, 1003), "\"q\""),
        (site.server.get("/sql?q=SELECT+1&format=xml"), (400, 1005), "xml"),
        (site.server.get("/sql?q=SELECT+1&limit=0"), (400, 1002), "\"limit\""),
        (site.server.get("/sql?q=SELECT+1&timeout=soon"), (400, 1002), "\"timeout\""),
        (site.server.get("/sql?q=SELECT+1&params=1"), (400, 1002), "\"params\""),
        (site.server.send("POST", "/sql", &csv, b"SELECT 1"), (415, 1303), "text/plain"),
        (site.text("?q=SELECT+1", "SELECT 2"), (400, 1003), "\"q\""),
        (
            site.posted(&json!({ "sql": "SELECT 1", "parameters": [] })),
            (400, 1006),
            "parameters",
        ),
        (site.posted(&json!({ "params": [] })), (400, 1006), "sql"),
        (site.text("", ""), (400, 1601), "one query"),
        (site.text("", "SELECT * FROM session"), (400, 1601), "session"),
        (site.text("", "SELECT 1; DROP TABLE events"), (400, 1601), "2 statements"),
        (site.text("", "DROP TABLE events"), (400, 1601), "only questions"),
        (site.text("", "SELECT licenses / 0 FROM sessions"), (400, 1602), "zero"),
    ] {
        assert_eq!(code(&answer), expected, "{}", answer.text());
        assert!(answer.text().contains(&part.replace('"', "\\\"")), "{part}: {}", answer.text());
    }
    let latin = site
        .server
        .send("POST", "/sql", &[("Content-Type", "text/plain")], b"SELECT '\xe4'");
    assert_eq!(code(&latin), (400, 1006));
    assert_eq!(site.server.send("PUT", "/sql", &[], b"SELECT 1").status, 405);
}

#[test]
fn a_fence_is_around_every_table() {
    let site = Site::new();
    let all = site.token("all", &["--role", "analyst"]);
    let first = site.token("first", &["--role", "analyst", "--servers", "flex01"]);
    let hidden = site.token("hidden", &["--role", "analyst", "--names", "pseudonym"]);
    let viewer = site.token("viewer", &["--role", "viewer"]);
    let refused = site.server.send("GET", "/sql?q=SELECT+1", &[("X-Auth-token", &viewer)], b"");
    assert_eq!(code(&refused), (403, 1104));
    assert_eq!(code(&site.server.get("/sql?q=SELECT+1")), (401, 1101));

    for table in ["events", "sessions", "denials", "servers", "features", "uptime"] {
        let count = |token: &str| {
            site.rows(token, &format!("SELECT count(*) AS n FROM {table}"))[0]["n"]
                .as_u64()
                .unwrap()
        };
        let servers = site.rows(&first, &format!("SELECT DISTINCT server_id FROM {table}"));
        assert_eq!(servers, [json!({ "server_id": 1 })], "{table}");
        assert!(
            count(&first) > 0 && count(&first) < count(&all) && count(&hidden) == count(&all),
            "{table}"
        );
    }
    // However a question is put.
    for sql in [
        "SELECT * FROM (SELECT server_id FROM events UNION ALL SELECT server_id FROM sessions) WHERE server_id <> 1",
        "SELECT * FROM servers WHERE EXISTS (SELECT 1 FROM features WHERE name = 'render')",
        "SELECT * FROM servers s JOIN features f ON true WHERE f.name = 'render'",
        "WITH a AS (SELECT * FROM sessions) SELECT * FROM a WHERE server_id = 2",
        "WITH RECURSIVE r AS (SELECT server_id FROM sessions UNION ALL SELECT server_id + 1 FROM r JOIN events USING (server_id) WHERE false) \
         SELECT * FROM r WHERE server_id = 2",
        "SELECT 1 WHERE (SELECT max(server_id) FROM denials) > 1",
        "SELECT max(server_id) AS m FROM uptime HAVING max(server_id) > 1",
        "SELECT * FROM headroom.public.sessions WHERE user_name = 'dave'",
        "SELECT server_id FROM denials INTERSECT SELECT 2",
    ] {
        assert_eq!(site.rows(&first, sql), Vec::<Value>::new(), "{sql}");
    }
    // What a plan shows has no counts of others' rows, and no place on the disk.
    for sql in [
        "EXPLAIN ANALYZE SELECT * FROM sessions",
        "EXPLAIN VERBOSE SELECT count(*) FROM sessions",
        "EXPLAIN SELECT * FROM events",
    ] {
        let plan = site
            .rows(&first, sql)
            .iter()
            .map(|row| row["plan"].as_str().unwrap().to_owned())
            .collect::<String>();
        assert!(!plan.contains(site.store.trim_start_matches('/')), "{plan}");
        assert!(plan.contains("FencedScan") && !plan.contains("parquet"), "{plan}");
    }
    let tables = |token: &str| {
        site.rows(
            token,
            "SELECT * FROM information_schema.columns ORDER BY table_name, ordinal_position",
        )
    };
    assert_eq!(tables(&first), tables(&all));

    // Names are the same pseudonyms everywhere, and what may hold them is empty.
    let everything = |token: &str, table: &str| Value::from(site.rows(token, &format!("SELECT * FROM {table}"))).to_string();
    for table in ["events", "sessions", "denials"] {
        let shown = everything(&hidden, table);
        for name in ["alice", "bob", "carol", "dave", "ws1", "ws4", "apollo", "too often"] {
            assert!(!shown.contains(name), "{table} shows {name}: {shown}");
        }
        assert!(everything(&all, table).contains("dave"));
    }
    let users = "SELECT DISTINCT user_name FROM sessions ORDER BY user_name";
    let events = "SELECT DISTINCT user_name FROM events WHERE event <> 'denial' AND user_name IS NOT NULL ORDER BY user_name";
    assert_eq!(site.rows(&hidden, users), site.rows(&hidden, events));
    assert_eq!(
        site.rows(&hidden, "SELECT * FROM sessions WHERE user_name = 'alice'"),
        Vec::<Value>::new()
    );
    let plan = site.rows(&hidden, "EXPLAIN VERBOSE SELECT user_name FROM sessions WHERE user_name = 'x'");
    assert!(!Value::from(plan).to_string().contains("Secret"));
}

#[test]
fn queries_are_listed_for_whom_they_concern() {
    let site = Site::new();
    let admin = site.token("admin", &[]);
    let ann = site.token("ann", &["--role", "analyst"]);
    let ben = site.token("ben", &["--role", "analyst"]);
    site.rows(&ann, "SELECT 'a secret of ann'");
    let path = "/report/feature/1/denials/json?sd=2026-03-01&ed=2026-03-31";
    assert_eq!(site.server.send("GET", path, &[("X-Auth-token", &ben)], b"").status, 200);
    let list = |token: &str| site.server.send("GET", "/queries", &[("X-Auth-token", token)], b"").json()["data"].clone();
    let of_ann = list(&ann);
    assert_eq!(of_ann.as_array().unwrap().len(), 1);
    let sql = &of_ann[0];
    assert_eq!(
        (sql["who"].as_str(), sql["kind"].as_str(), sql["state"].as_str()),
        (Some("ann"), Some("sql"), Some("done"))
    );
    assert_eq!((&sql["sql"], &sql["rows"]), (&json!("SELECT 'a secret of ann'"), &json!(1)));
    let of_ben = list(&ben);
    assert_eq!(of_ben.as_array().unwrap().len(), 1);
    let report = &of_ben[0];
    assert_eq!(
        (&report["report"], &report["parameters"]["sd"], &report["state"]),
        (&json!("denials"), &json!("2026-03-01"), &json!("done"))
    );
    assert_eq!(list(&admin).as_array().unwrap().len(), 2);
    let unknown = site
        .server
        .send("DELETE", "/queries/0123456789abcdef", &[("X-Auth-token", &ann)], b"");
    assert_eq!(code(&unknown), (404, 1205));
}

#[test]
fn the_command_line_asks_the_same() {
    let site = Site::new();
    let sql = |args: &[&str]| run_ok(&[&["sql", "--store", &site.store], args].concat());
    assert_eq!(
        sql(&["SELECT user_name, licenses FROM sessions ORDER BY started"]),
        " user_name | licenses\n-----------+----------\n alice     |        1\n bob       |        2\n dave      |        1\n(3 rows)\n"
    );
    assert_eq!(
        sql(&[
            "SELECT licenses FROM sessions WHERE user_name = $who AND licenses > $1",
            "--param",
            "who=bob",
            "--param",
            "1=1",
            "--format",
            "csv"
        ]),
        "licenses\r\n2\r\n"
    );
    assert_eq!(sql(&["SELECT 1 AS a", "--format", "ndjson", "--limit", "5"]), "{\"a\":1}\n");
    let file = Path::new(&site.store).with_file_name("out.parquet");
    sql(&["SELECT * FROM events", "--format", "parquet", "-o", file.to_str().unwrap()]);
    assert!(std::fs::read(&file).unwrap().starts_with(b"PAR1"));
    for wrong in [
        &["DROP TABLE events"][..],
        &["SELECT 1", "--format", "svgz"],
        &["SELECT 1/0"],
        &["SELECT $a"],
    ] {
        let output = run(&[&["sql", "--store", &site.store], wrong].concat());
        assert!(!output.status.success() && !output.stderr.is_empty(), "{wrong:?}");
    }
}

/// Five denials around midnight in Denver, which is six hours behind UTC in July.
const LOCAL_DAYS: &str = r#"{"time":"2024-07-01T00:30:00Z","event":"denial","feature":"f","user":"ada","host":"w1","reason_code":-4}
{"time":"2024-07-01T05:59:59Z","event":"denial","feature":"f","user":"ada","host":"w1","reason_code":-4}
{"time":"2024-07-01T06:00:00Z","event":"denial","feature":"f","user":"ada","host":"w1","reason_code":-4}
{"time":"2024-07-01T12:00:00Z","event":"denial","feature":"f","user":"bob","host":"w1","reason_code":-4}
{"time":"2024-07-01T18:00:00Z","event":"denial","feature":"f","user":"bob","host":"w1","reason_code":-4}
"#;

fn local_days() -> (tempfile::TempDir, String) {
    let folder = tempfile::TempDir::new().unwrap();
    let store = folder.path().join("store").to_str().unwrap().to_owned();
    let file = folder.path().join("denials.ndjson");
    std::fs::write(&file, LOCAL_DAYS).unwrap();
    run_ok(&[
        "import",
        "--store",
        &store,
        "--timezone",
        "UTC",
        "--server",
        "s1",
        file.to_str().unwrap(),
    ]);
    (folder, store)
}

#[test]
fn local_days_are_counted_in_every_way_that_sql_has() {
    let (_folder, store) = local_days();
    let ask = |options: &[&str], sql: &str| run_ok(&[&["sql", "--store", &store, "--format", "csv"], options, &[sql]].concat());
    for day in [
        "(at AT TIME ZONE 'America/Denver')::date",
        "date_trunc('day', at AT TIME ZONE 'America/Denver')::date",
        "local_day(at, 'America/Denver')",
        "to_char(at AT TIME ZONE 'America/Denver', 'YYYY-MM-DD')",
        "(at AT TIME ZONE 'America/Denver')::timestamp::date",
    ] {
        let sql = format!("SELECT {day} AS day, count(*) AS n FROM denials GROUP BY 1 ORDER BY 1");
        assert_eq!(ask(&[], &sql), "day,n\r\n2024-06-30,2\r\n2024-07-01,3\r\n", "{day}");
    }
    assert_eq!(
        ask(
            &["--tz", "America/Denver"],
            "SELECT at::date AS day, count(*) AS n FROM denials GROUP BY 1 ORDER BY 1"
        ),
        "day,n\r\n2024-06-30,2\r\n2024-07-01,3\r\n"
    );
    let clocks = "2024-06-30 18:30:00\r\n2024-06-30 23:59:59\r\n2024-07-01 00:00:00\r\n2024-07-01 06:00:00\r\n2024-07-01 12:00:00\r\n";
    for sql in [
        "SELECT (at AT TIME ZONE 'America/Denver')::timestamp FROM denials ORDER BY at",
        "SELECT at AT TIME ZONE 'America/Denver' FROM denials ORDER BY at",
    ] {
        assert_eq!(ask(&[], sql), format!("timezone\r\n{clocks}"), "{sql}");
    }
    let local = ask(&["--tz", "America/Denver"], "SELECT at FROM denials ORDER BY at LIMIT 2");
    assert_eq!(local, "at\r\n2024-06-30 18:30:00-06:00\r\n2024-06-30 23:59:59-06:00\r\n");
    let utc = ask(&[], "SELECT at FROM denials ORDER BY at LIMIT 1");
    assert_eq!(utc, "at\r\n2024-07-01 00:30:00+00:00\r\n");
    let count = |options: &[&str], filter: &str| ask(options, &format!("SELECT count(*) AS n FROM denials WHERE {filter}"));
    for (options, filter, expected) in [
        (
            &[][..],
            "at AT TIME ZONE 'America/Denver' BETWEEN '2024-06-30' AND '2024-06-30T23:59:59'",
            2,
        ),
        (&[], "at AT TIME ZONE 'America/Denver' >= TIMESTAMP '2024-07-01 00:00:00'", 3),
        (&["--tz", "America/Denver"], "at >= '2024-07-01'", 3),
        (&["--tz", "America/Denver"], "at >= TIMESTAMP '2024-07-01 00:00:00'", 3),
        (&["--tz", "America/Denver"], "at::timestamp < '2024-07-01'", 2),
    ] {
        assert_eq!(count(options, filter), format!("n\r\n{expected}\r\n"), "{filter}");
    }
    let months = ask(&[], "SELECT to_char(at, 'YYYY-MM') AS month, count(*) AS n FROM denials GROUP BY 1");
    assert_eq!(months, "month,n\r\n2024-07,5\r\n");
}

#[test]
fn times_are_printed_in_the_zone_that_is_asked_for() {
    let site = Site::new();
    let sql = "SELECT started FROM sessions WHERE user_name = 'bob'";
    let berlin = "2026-03-02 10:00:00.250+01:00";
    for answer in [
        site.text("?tz=Europe/Berlin", sql),
        site.posted(&json!({ "sql": sql, "tz": "Europe/Berlin" })),
    ] {
        assert_eq!(answer.json()["data"], json!([{ "started": berlin }]), "{}", answer.text());
    }
    assert_eq!(
        site.text("?tz=Europe/Berlin&format=csv", sql).text(),
        format!("started\r\n{berlin}\r\n")
    );
    assert_eq!(
        site.text("", sql).json()["data"],
        json!([{ "started": "2026-03-02 09:00:00.250+00:00" }])
    );
    let wrong = site.text("?tz=Europe/Berln", sql);
    assert_eq!(code(&wrong), (400, 1002), "{}", wrong.text());
    assert!(
        wrong.text().contains("\\\"tz\\\"") && wrong.text().contains("Europe/Berlin"),
        "{}",
        wrong.text()
    );
    // The fence and the files are the same in every zone.
    let limited = site.token("limited", &["--role", "analyst", "--servers", "flex02"]);
    let headers = [("X-Auth-token", limited.as_str()), ("Content-Type", "text/plain")];
    let sql = b"SELECT user_name, started::time AS t FROM sessions WHERE started >= '2026-03-01' ORDER BY 1";
    let answer = site.server.send("POST", "/sql?tz=Asia/Tokyo&format=csv", &headers, sql);
    assert_eq!(answer.text(), "user_name,t\r\ndave,17:00:00\r\n");
}
