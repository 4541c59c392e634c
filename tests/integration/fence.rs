//! A caller who sees some license servers learns nothing of the others: answers, errors, plans and metrics are those of a store that
//! holds only his rows.

use headroom::access::{Access, Caller, Names, Role};
use headroom::app::SqlAsk;
use headroom::engine::{Dialect, EngineOptions, Parameters, Question};
use headroom::output;
use proptest::prelude::*;

use crate::support::{Server, Store, run_ok};

/// Events of the server that the caller sees.
const MINE: &str = r#"{"time":"2026-03-02T09:00:00Z","end":"2026-03-02T10:00:00Z","event":"session","server":"mine","feature":"solver","user":"bob","host":"ws2"}
{"time":"2026-03-03T09:00:00Z","event":"checkout","server":"mine","feature":"mesher","user":"17","host":"ws3","licenses":3}
{"time":"2026-03-03T09:00:00Z","event":"denial","server":"mine","feature":"solver","user":"dan","host":"ws4","reason":"all in use","reason_code":-4}
{"time":"2026-03-03T09:00:09Z","event":"denial","server":"mine","feature":"solver","user":"eve","host":"ws4","reason":"all in use","reason_code":-4}
{"time":"2026-03-03T09:00:10Z","event":"checkout","server":"mine","feature":"solver","user":"eve","host":"ws4"}
{"time":"2026-03-06T23:59:58Z","event":"denial","server":"mine","feature":"solver","user":"dan","host":"ws4","reason_code":-24}
{"time":"2026-03-07T12:00:00Z","event":"capacity","server":"mine","feature":"solver","licenses":7}
"#;

/// Events of a server that he does not see: other users, features, days and reasons, and licenses for his own users.
const HIDDEN: &str = r#"{"time":"2026-03-02T09:00:00Z","end":"2026-03-02T10:00:00Z","event":"session","server":"hidden","feature":"solver","user":"xenia","host":"secret1"}
{"time":"2026-03-02T11:00:00Z","end":"2026-03-04T10:00:00Z","event":"session","server":"hidden","feature":"secretfeature","user":"99999999999","host":"secret2","licenses":777888}
{"time":"2026-03-03T09:00:02Z","event":"checkout","server":"hidden","feature":"solver","user":"dan","host":"ws4"}
{"time":"2026-03-07T00:00:01Z","event":"checkout","server":"hidden","feature":"solver","user":"dan","host":"ws4"}
{"time":"2026-03-05T09:00:00Z","event":"denial","server":"hidden","feature":"solver","user":"quirin","host":"secret3","reason":"secret words","reason_code":-5}
{"time":"2026-03-09T09:00:00Z","event":"server_down","server":"hidden"}
"#;

/// Words that only the hidden server's rows have.
const SECRETS: [&str; 7] = ["xenia", "secret", "quirin", "hidden", "99999999999", "777888", "2026-03-09"];

/// Two stores of one secret: with the hidden server, and without.
struct Pair {
    all: Store,
    own: Store,
}

impl Pair {
    fn new(partitions: usize) -> Self {
        let options = || EngineOptions {
            partitions,
            ..EngineOptions::default()
        };
        let (all, own) = (Store::with_options("UTC", options()), Store::with_options("UTC", options()));
        let (from, to) = (all.root().join("catalog.sqlite"), own.root().join("catalog.sqlite"));
        let secret: String = rusqlite::Connection::open(from)
            .unwrap()
            .query_row("SELECT value FROM meta WHERE key = 'secret'", [], |row| row.get(0))
            .unwrap();
        let copied = rusqlite::Connection::open(to)
            .unwrap()
            .execute("UPDATE meta SET value = ?1 WHERE key = 'secret'", [secret])
            .unwrap();
        assert_eq!(copied, 1);
        all.import("mine.ndjson", MINE);
        own.import("mine.ndjson", MINE);
        all.import("hidden.ndjson", HIDDEN);
        Self { all, own }
    }

    /// Asks both; what they say must be the same.
    fn ask(&self, access: &Access, sql: &str) -> String {
        let [all, own] = [&self.all, &self.own].map(|store| masked(&answer(store, access, sql)));
        assert_eq!(all, own, "{sql}");
        for secret in SECRETS.into_iter().filter(|secret| !sql.contains(secret)) {
            assert!(!all.contains(secret), "{sql} tells {secret:?}: {all}");
        }
        all
    }
}

/// The rows of an answer, or its error.
fn answer(store: &Store, access: &Access, sql: &str) -> String {
    let question = Question {
        sql: sql.to_owned(),
        parameters: Parameters::default(),
        dialect: Dialect::Own,
        limit: None,
        zone: None,
    };
    let caller = Caller::new("limited", access.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rows = runtime.block_on(async {
        let ask = SqlAsk {
            question,
            format: output::find("ndjson").unwrap(),
            caller: &caller,
            limit: None,
            time: None,
            title: None,
        };
        let mut rendering = store.app.sql(ask).await?.rendering;
        let mut bytes = Vec::new();
        while let Some(piece) = rendering.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok::<_, headroom::app::AppError>(bytes)
    });
    match rows {
        Ok(rows) => String::from_utf8(rows).unwrap(),
        Err(error) => format!("error: {error}"),
    }
}

/// An answer without times that were measured.
fn masked(answer: &str) -> String {
    let is_time = |part: &str| {
        let unit = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        part != unit && ["ns", "µs", "ms", "s"].contains(&unit)
    };
    let measured =
        |part: &&str| is_time(part) || part.ends_with(" UTC") || ["elapsed", "_time", "time_"].iter().any(|word| part.contains(word));
    let parts = answer.split(|c: char| ",[]{}=\"".contains(c));
    parts.filter(|part| !measured(part)).collect::<Vec<_>>().join(",")
}

fn limited() -> [Access; 2] {
    let mine = || Some(vec!["mine".to_owned()]);
    [
        Access::new(Role::Analyst, mine(), Names::Plain),
        Access::new(Role::Analyst, mine(), Names::Pseudonym),
    ]
}

#[test]
fn attacks_on_the_fence_learn_nothing() {
    let pair = Pair::new(3);
    for access in limited() {
        for sql in [
            "SELECT 1 FROM sessions WHERE CAST(CASE WHEN server_id = 2 THEN user_name || '@' || host ELSE '1' END AS INT) = 5",
            "SELECT 1 FROM sessions WHERE 1 / (CASE WHEN server_id = 2 THEN 0 ELSE 1 END) = 1",
            "SELECT 1 FROM servers WHERE 1 / (CASE WHEN name = 'mine' THEN 1 ELSE 0 END) = 1",
            "SELECT 1 FROM features WHERE 1 / (CASE WHEN name IN ('solver', 'mesher') THEN 1 ELSE 0 END) = 1",
            "SELECT CAST(name AS INT) FROM features",
            "SELECT CAST(reason AS INT) FROM events",
            "SELECT CAST(user_name AS INT) FROM sessions",
            "SELECT lower(user_name), CAST(user_name AS BIGINT) FROM sessions ORDER BY 1",
            "SELECT sum(CAST(licenses AS INT) * 2000) FROM sessions",
            "SELECT CAST(licenses AS TINYINT) FROM sessions",
            "SELECT count(*), min(day), max(day), max(licenses), count(DISTINCT user_name) FROM sessions",
            "SELECT at, is_true, granted_by, reason_class, reason FROM denials ORDER BY at",
            "SELECT * FROM uptime ORDER BY started",
            "SELECT * FROM servers",
            "SELECT * FROM features ORDER BY feature_id",
            "SELECT table_name, column_name FROM information_schema.columns ORDER BY 1, 2",
            "SELECT s.user_name FROM sessions s JOIN features f ON f.feature_id = s.feature_id WHERE 1 / (f.feature_id - 1) > 0",
            "SELECT user_name FROM sessions WHERE feature_id IN (SELECT feature_id FROM features WHERE CAST(name AS INT) = 1)",
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r, servers WHERE n < 4) SELECT count(*) FROM r",
            "SELECT user_name FROM sessions ORDER BY started, user_name LIMIT 2",
            "EXPLAIN SELECT * FROM sessions WHERE started > '2026-03-01' AND CAST(user_name AS INT) = 1",
            "EXPLAIN SELECT count(*) FROM events",
            "EXPLAIN VERBOSE SELECT * FROM denials ORDER BY at",
            "EXPLAIN SELECT * FROM servers",
            "EXPLAIN SELECT max(started) FROM sessions",
        ] {
            pair.ask(&access, sql);
        }
    }
    let parts = Pair::new(3);
    for sql in [
        "EXPLAIN SELECT user_name, count(*) FROM sessions GROUP BY 1",
        "SELECT user_name, host, count(*), sum(licenses) FROM sessions GROUP BY 1, 2 ORDER BY 1, 2",
    ] {
        parts.ask(&limited()[0], sql);
    }
    for sql in [
        "EXPLAIN ANALYZE SELECT count(*) FROM sessions",
        "EXPLAIN ANALYZE VERBOSE SELECT user_name, count(*) FROM events GROUP BY 1",
        "EXPLAIN ANALYZE SELECT * FROM features, uptime",
    ] {
        pair.ask(&limited()[0], sql);
    }
}

#[test]
fn a_denial_is_as_true_as_the_visible_servers_tell() {
    let pair = Pair::new(3);
    let sql = "SELECT user_name, is_true, granted_by FROM denials WHERE server_id = 1 ORDER BY at";
    let told = |access: &Access| answer(&pair.all, access, sql);
    let everything = told(&Access::everything());
    let expected = |first: &str, last: &str| {
        format!(
            "{{\"user_name\":\"dan\",{first}}}\n{{\"user_name\":\"eve\",\"is_true\":false,\"granted_by\":\"1\"}}\n{{\"user_name\":\"dan\",{last}}}\n"
        )
    };
    let helped = "\"is_true\":false,\"granted_by\":\"2\"";
    let short = "\"is_true\":true,\"granted_by\":null";
    assert_eq!(everything, expected(helped, helped));
    assert_eq!(told(&limited()[0]), expected(short, short));
    // Reports say the same.
    let rows = |access: &Access| {
        let given = [("feature", "1"), ("sd", "2026-03-01"), ("ed", "2026-03-31"), ("true", "1")];
        let json = pair.all.render_for(access, "denials", "json", &given).unwrap();
        serde_json::from_slice::<serde_json::Value>(&json).unwrap()["totalCount"].clone()
    };
    assert_eq!((rows(&Access::everything()), rows(&limited()[0])), (0.into(), 2.into()));
}

#[test]
fn attacks_over_sockets_learn_nothing() {
    let store = tempfile::tempdir().unwrap();
    let root = store.path().join("store");
    let file = store.path().join("all.ndjson");
    std::fs::write(&file, format!("{MINE}{HIDDEN}")).unwrap();
    let root_text = root.to_str().unwrap();
    run_ok(&["import", "--store", root_text, file.to_str().unwrap()]);
    let token = run_ok(&[
        "token",
        "create",
        "--store",
        root_text,
        "limited",
        "--role",
        "analyst",
        "--servers",
        "mine",
    ]);
    let (server, pg) = Server::start_with_pg(&root);
    let attack = "SELECT 1 FROM sessions WHERE CAST(CASE WHEN server_id=2 THEN user_name||'@'||host ELSE '1' END AS INT)=5";
    let told = server.send(
        "POST",
        "/sql",
        &[("X-Auth-token", token.trim()), ("Content-Type", "application/sql")],
        attack.as_bytes(),
    );
    assert_eq!((told.status, told.json()["totalCount"].clone()), (200, 0.into()), "{}", told.text());
    let own = "SELECT CAST(user_name AS INT) FROM sessions";
    let told = server.send(
        "POST",
        "/sql",
        &[("X-Auth-token", token.trim()), ("Content-Type", "application/sql")],
        own.as_bytes(),
    );
    assert_eq!(told.status, 400);
    assert!(
        told.text().contains("cannot be converted") && !told.text().contains("bob"),
        "{}",
        told.text()
    );
    let told = crate::wire::told_of_failure(&pg, token.trim(), own);
    assert!(told.contains("cannot be converted") && !told.contains("bob"), "{told}");
}

#[test]
fn a_tag_of_an_answer_tells_nothing_of_hidden_imports() {
    let pair = Pair::new(3);
    let root = pair.all.root();
    let token = run_ok(&[
        "token",
        "create",
        "--store",
        root.to_str().unwrap(),
        "limited",
        "--role",
        "viewer",
        "--servers",
        "mine",
    ]);
    let server = Server::start(&root);
    let ask = || {
        let path = "/report/feature/1/denials/json?sd=2026-03-01&ed=2026-03-31";
        server.send("GET", path, &[("X-Auth-token", token.trim()), ("TE", "trailers")], b"")
    };
    let before = ask();
    let more = r#"{"time":"2026-03-03T10:00:00Z","event":"checkout","server":"hidden","feature":"solver","user":"kim","host":"h"}"#;
    pair.all.import("more.ndjson", &format!("{more}\n"));
    let after = ask();
    assert_eq!((before.status, before.text()), (200, after.text()));
    let of = |answer: &crate::support::Answer| {
        let told = |name: &&(String, String)| !["date", "x-request-id", "x-query-id"].contains(&name.0.as_str());
        let all = answer.headers.iter().chain(&answer.trailers);
        all.filter(told).cloned().collect::<Vec<_>>()
    };
    assert_eq!(of(&before), of(&after));
}

/// An expression over the columns of sessions, which may fail.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("user_name".to_owned()),
        Just("host".to_owned()),
        Just("CAST(licenses AS BIGINT)".to_owned()),
        Just("CAST(feature_id AS BIGINT)".to_owned()),
        Just("CAST(server_id AS BIGINT)".to_owned()),
        Just("started".to_owned()),
        Just("continues".to_owned()),
        (0..4_i64).prop_map(|number| number.to_string()),
        prop_oneof![Just("'kim'"), Just("'bob'"), Just("'17'"), Just("'ws%'")].prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            two.clone().prop_map(|(a, b)| format!("({a} || {b})")),
            two.clone().prop_map(|(a, b)| format!("({a} / {b})")),
            two.clone().prop_map(|(a, b)| format!("({a} = {b})")),
            two.clone().prop_map(|(a, b)| format!("({a} < {b})")),
            two.prop_map(|(a, b)| format!("(CASE WHEN server_id = 2 THEN {a} ELSE {b} END)")),
            inner.clone().prop_map(|a| format!("CAST({a} AS INT)")),
            inner.clone().prop_map(|a| format!("CAST({a} AS VARCHAR)")),
            inner.clone().prop_map(|a| format!("CAST({a} AS TIMESTAMP)")),
            inner.clone().prop_map(|a| format!("(CAST({a} AS BIGINT) * 4611686018427387904)")),
            inner.clone().prop_map(|a| format!("upper({a})")),
            inner.clone().prop_map(|a| format!("regexp_replace({a}, 'a+', 'b')")),
            inner.clone().prop_map(|a| format!("({a} LIKE 'a%')")),
            inner.prop_map(|a| format!("date_part('hour', {a})")),
        ]
    })
}

/// A query of a caller.
fn query() -> impl Strategy<Value = String> {
    let source = prop_oneof![
        Just("sessions".to_owned()),
        Just("(SELECT * FROM sessions LIMIT 3) AS few".to_owned()),
        Just("(SELECT * FROM sessions UNION ALL SELECT * FROM sessions WHERE day < '2026-03-04') AS twice".to_owned()),
        Just("sessions JOIN (SELECT feature_id AS id, name FROM features) AS f ON f.id = sessions.feature_id".to_owned()),
        Just("sessions LEFT JOIN (SELECT user_name AS denied FROM denials) AS d ON d.denied = sessions.user_name".to_owned()),
    ];
    let condition = prop_oneof![
        Just("true".to_owned()),
        expression().prop_map(|a| format!("CAST({a} AS BOOLEAN)")),
        (expression(), expression()).prop_map(|(a, b)| format!("{a} = {b}")),
        expression().prop_map(|a| format!("{a} IN (SELECT user_name FROM events)")),
        expression().prop_map(|a| format!("EXISTS (SELECT 1 FROM denials WHERE denials.user_name = {a})")),
        Just("started >= '2026-03-03' AND ended < '2026-03-05'".to_owned()),
    ];
    let shape = 0..6_u8;
    (source, condition, expression(), expression(), shape).prop_map(|(source, condition, a, b, shape)| match shape {
        0 => format!("SELECT {a} AS a, {b} AS b FROM {source} WHERE {condition} ORDER BY 1, 2"),
        1 => format!("SELECT count({a}) AS a, max({b}) AS b FROM {source} WHERE {condition}"),
        2 => format!("SELECT {a} AS a, count(*) AS n FROM {source} WHERE {condition} GROUP BY 1 ORDER BY 1, 2"),
        3 => format!("SELECT DISTINCT {a} AS a FROM {source} WHERE {condition} ORDER BY 1 LIMIT 2 OFFSET 1"),
        4 => format!("SELECT rank() OVER (PARTITION BY {a} ORDER BY {b}) AS r FROM {source} WHERE {condition} ORDER BY 1"),
        _ => format!("EXPLAIN SELECT {a} AS a FROM {source} WHERE {condition}"),
    })
}

#[test]
fn random_queries_of_a_limited_caller_are_those_of_a_store_of_his_rows() {
    let pair = Pair::new(3);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(16),
        ..ProptestConfig::default()
    });
    let answered = std::cell::Cell::new((0, 0));
    let accesses = limited();
    runner
        .run(&(query(), 0..2_usize), |(sql, access)| {
            let told = pair.ask(&accesses[access], &sql);
            let (rows, errors) = answered.get();
            answered.set(if told.starts_with("error: ") {
                (rows, errors + 1)
            } else {
                (rows + 1, errors)
            });
            Ok(())
        })
        .unwrap();
    let (rows, errors) = answered.get();
    assert!(
        rows > 40 && errors > 40,
        "{rows} answers, {errors} errors: the queries prove little"
    );
}
