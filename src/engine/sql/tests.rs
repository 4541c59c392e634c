//! What is let in, what is not, and what questions are told.

use std::path::Path;

use arrow::array::RecordBatch;
use serde_json::json;

use super::*;
use crate::engine::{Budget, Control, Engine, EngineOptions, View};

mod clocks;

struct Asked {
    engine: Engine,
    runtime: tokio::runtime::Runtime,
}

impl Asked {
    fn new() -> Self {
        let options = EngineOptions {
            stack_bytes: 256 * 1024 * 1024,
            ..EngineOptions::default()
        };
        Self {
            engine: Engine::new(&options).unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        }
    }

    fn ask(&self, sql: &str, parameters: Parameters) -> EngineResult<Vec<RecordBatch>> {
        let question = Question {
            sql: sql.to_owned(),
            parameters,
            dialect: Dialect::Own,
            limit: None,
            zone: None,
        };
        self.answer(question)
    }

    fn answer(&self, question: Question) -> EngineResult<Vec<RecordBatch>> {
        let snapshot = Arc::new(Snapshot::empty(Path::new("/srv/licenses")));
        let control = Control::new(Budget::unhurried(256 * 1024 * 1024, 1024 * 1024));
        self.runtime.block_on(async {
            let mut rows = self.engine.ask(question, &snapshot, &View::everything(), &control).await?;
            let mut batches = Vec::new();
            while let Some(batch) = rows.next().await? {
                batches.push(batch);
            }
            Ok(batches)
        })
    }

    /// The first column of the answer, as texts.
    fn texts(&self, sql: &str, parameters: Parameters) -> Vec<String> {
        let question = Question {
            sql: sql.to_owned(),
            parameters,
            dialect: Dialect::Own,
            limit: None,
            zone: None,
        };
        self.first_column(question).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    fn first_column(&self, question: Question) -> EngineResult<Vec<String>> {
        let batches = self.answer(question)?;
        let texts = |batch: &RecordBatch| {
            let formatter = arrow::util::display::ArrayFormatter::try_new(batch.column(0), &Default::default()).unwrap();
            (0..batch.num_rows())
                .map(|row| formatter.value(row).to_string())
                .collect::<Vec<_>>()
        };
        Ok(batches.iter().flat_map(texts).collect())
    }

    fn refused(&self, sql: &str) -> String {
        match self.ask(sql, Parameters::default()) {
            Err(EngineError::Refused(reason)) => reason,
            other => panic!("{sql}: {other:?}"),
        }
    }
}

/// Two rows of lists of days.
const LISTS: &str = "(
    SELECT
        make_array(
            named_struct('day', DATE '2026-03-03', 'n', 30, 'who', 'ann'),
            named_struct('day', DATE '2026-03-09', 'n', 90, 'who', 'bob'),
            named_struct('day', DATE '2026-02-28', 'n', 10, 'who', 'cyd')
        ) AS one,
        make_array(named_struct('n', 91, 'day', DATE '2026-03-09'), named_struct('n', 41, 'day', DATE '2026-03-04')) AS other
    UNION ALL
    SELECT NULL AS one, make_array(named_struct('n', 20, 'day', DATE '2026-03-02')) AS other
)";

#[test]
fn lists_of_days_lie_side_by_side() {
    let asked = Asked::new();
    let told = |first: &str, last: &str| {
        let sql = format!(
            "SELECT concat(told['day'], ' ', told['list_1']['n'], ' ', coalesce(told['list_1']['who'], '-'), ' ', told['list_2']['n'])
             FROM (SELECT other[1]['n'] AS row, unnest(by_day({first}, {last}, one, other)) AS told FROM {LISTS})
             ORDER BY row DESC, told['day']"
        );
        asked.texts(&sql, Parameters::default())
    };
    let first_row = [
        "2026-02-28 10 cyd 0",
        "2026-03-02 0 - 0",
        "2026-03-03 30 ann 0",
        "2026-03-04 0 - 41",
        "2026-03-09 90 bob 91",
    ];
    let second_row = ["2026-03-02 0 - 20", "2026-03-03 0 - 0", "2026-03-04 0 - 0"];
    assert_eq!(
        told("DATE '2026-03-02'", "DATE '2026-03-04'"),
        [&first_row[..], &second_row].concat()
    );
    // Without a range there are the days of the lists.
    let listed = [first_row[0], first_row[2], first_row[3], first_row[4], second_row[0]];
    assert_eq!(told("DATE '2026-03-02'", "DATE '2026-03-01'"), listed);
    assert_eq!(told("NULL", "DATE '2026-03-01'"), listed);
}

#[test]
fn lists_that_do_not_tell_of_days_once_are_refused() {
    let asked = Asked::new();
    let range = "DATE '2026-01-01', DATE '2026-01-02'";
    let twice = "make_array(named_struct('day', DATE '2026-01-07'), named_struct('day', DATE '2026-01-07'))";
    for (lists, told) in [
        ("[1, 2]", "by_day expects lists of structs that have a day of type DATE, got "),
        (
            "[named_struct('day', 'Monday')]",
            "by_day expects lists of structs that have a day of type DATE, got ",
        ),
        (
            "[named_struct('n', 1)]",
            "by_day expects lists of structs that have a day of type DATE, got ",
        ),
    ] {
        let refusal = asked.refused(&format!("SELECT by_day({range}, {lists})"));
        assert!(refusal.contains(told), "{lists}: {refusal}");
    }
    let refusal = asked.refused(&format!("SELECT by_day({range})"));
    assert!(refusal.contains("by_day expects two days and a list"), "{refusal}");
    for (call, told) in [
        (
            format!("by_day({range}, {twice})"),
            "list 1 of by_day tells of 2026-01-07 more than once",
        ),
        (
            "by_day(DATE '1970-01-01', arrow_cast(arrow_cast(5000000, 'Int32'), 'Date32'), make_array(named_struct('day', DATE '2026-01-07')))".to_owned(),
            "a range of more than 5000000 days",
        ),
    ] {
        let error = asked.ask(&format!("SELECT {call}"), Parameters::default()).unwrap_err().to_string();
        assert!(error.contains(told), "{call}: {error}");
    }
}

#[test]
fn what_has_a_row_of_nothing_is_not_filtered_before_it_is_counted() {
    let asked = Asked::new();
    let counts = "SELECT count(*) AS n FROM generate_series(1, 3) AS t(v)";
    for filter in ["n = 3 AND n = 4", "1 = 2", "n = 4", "n > 3 AND n < 3"] {
        let sql = format!("SELECT n FROM ({counts}) AS t WHERE {filter}");
        assert_eq!(asked.texts(&sql, Parameters::default()), Vec::<String>::new(), "{sql}");
    }
    for (sql, expected) in [
        (format!("SELECT n FROM ({counts}) AS t WHERE n = 3 AND 1 = 1"), vec!["3"]),
        (format!("{counts} HAVING count(*) = 3 AND count(*) = 4"), vec![]),
        (format!("{counts} WHERE v = 1 AND v = 2"), vec!["0"]),
        (
            format!("SELECT t.n FROM (SELECT unnest(make_array(n, n)) AS n FROM ({counts}) AS t) AS t WHERE t.n = 3 AND t.n = 4"),
            vec![],
        ),
        (
            "SELECT n FROM (SELECT v, count(*) AS n FROM generate_series(1, 3) AS t(v) GROUP BY ROLLUP(v)) AS t WHERE v = 1 AND v = 2"
                .to_owned(),
            vec![],
        ),
        (
            "SELECT n FROM (SELECT v, count(*) AS n FROM generate_series(1, 3) AS t(v) GROUP BY ROLLUP(v)) AS t WHERE v IS NULL".to_owned(),
            vec!["3"],
        ),
    ] {
        assert_eq!(asked.texts(&sql, Parameters::default()), expected, "{sql}");
    }
}

#[test]
fn questions_are_answered() {
    let asked = Asked::new();
    let texts = |sql| asked.texts(sql, Parameters::default());
    assert_eq!(texts("SELECT 1 + 1"), ["2"]);
    assert_eq!(texts("WITH a AS (VALUES (1), (2)) SELECT sum(column1) FROM a;"), ["3"]);
    assert_eq!(texts("SELECT count(*) FROM sessions"), ["0"]);
    assert_eq!(
        texts("SELECT period_label(period_start(TIMESTAMP '2026-05-02T10:00:00Z', 'QUARTER', 'UTC'), 'QUARTER')"),
        ["2026-Q2"]
    );
    assert_eq!(
        texts("SELECT period_label(DATE '2026-05-01', 'MONTH') || period_label(TIMESTAMP '2026-05-02 10:00:00', 'DAY')"),
        ["2026-052026-05-02"]
    );
    assert!(texts("EXPLAIN SELECT * FROM denials").join("").contains("plan"));
    assert!(!texts("EXPLAIN ANALYZE SELECT count(*) FROM denials").is_empty());
    assert!(texts("SELECT table_name FROM information_schema.tables").contains(&"sessions".to_owned()));
    assert_eq!(texts("DESCRIBE denials").len(), 12);
    assert!(!texts("SHOW TABLES").is_empty() && !texts("SHOW COLUMNS FROM events").is_empty());
    // A recursive query may call its own rows what a table is called.
    assert_eq!(
        texts("WITH RECURSIVE denials AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM denials WHERE n < 5) SELECT count(*) FROM denials"),
        ["5"]
    );
}

#[test]
fn whatever_is_no_question_is_refused() {
    let asked = Asked::new();
    for sql in [
        "",
        ";",
        "SELECT 1; SELECT 2",
        "DROP TABLE events",
        "CREATE TABLE a AS SELECT 1",
        "CREATE VIEW a AS SELECT 1",
        "CREATE SCHEMA a",
        "CREATE DATABASE a",
        "CREATE FUNCTION f() RETURNS INT RETURN 1",
        "CREATE EXTERNAL TABLE a STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE EXTERNAL TABLE a STORED AS PARQUET LOCATION 'http://169.254.169.254/'",
        "INSERT INTO events SELECT * FROM events",
        "UPDATE events SET licenses = 0",
        "DELETE FROM events",
        "TRUNCATE TABLE events",
        "COPY events TO '/tmp/out.parquet'",
        "COPY (SELECT 1) TO '/tmp/out.csv' STORED AS CSV",
        "EXPLAIN COPY events TO '/tmp/out.parquet'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/out.csv' STORED AS CSV",
        "EXPLAIN INSERT INTO events SELECT * FROM events",
        "EXPLAIN ANALYZE DELETE FROM events",
        "SET datafusion.execution.batch_size = 1",
        "SET datafusion.runtime.memory_limit = '100G'",
        "RESET datafusion.execution.batch_size",
        "SHOW ALL",
        "SHOW datafusion.execution.batch_size",
        "PREPARE a AS SELECT 1",
        "EXECUTE a",
        "DEALLOCATE a",
        "BEGIN",
        "COMMIT",
        "GRANT ALL ON events TO me",
        "LOAD 'x'",
        "ATTACH 'x' AS y",
        "CALL f()",
        "VACUUM",
        "USE other",
        "KILL 1",
    ] {
        asked.refused(sql);
    }
}

#[test]
fn nothing_outside_is_reached() {
    let asked = Asked::new();
    for sql in [
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"/etc/passwd\"",
        "SELECT * FROM 'catalog.sqlite'",
        "SELECT * FROM 'https://example.org/a.parquet'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT * FROM read_json('/etc/passwd')",
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT load_extension('x')",
        "SELECT getenv('HOME')",
        "SELECT system('id')",
        "SELECT input_file_name() FROM events",
        "SELECT * FROM open",
        "SELECT * FROM tokens",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM information_schema.df_settings",
        "SELECT * FROM INFORMATION_SCHEMA.DF_SETTINGS",
        "SELECT * FROM datafusion.public.events",
        "SELECT pseudonym('a')",
    ] {
        asked.refused(sql);
    }
    let names = asked.texts("SELECT routine_name FROM information_schema.routines", Parameters::default());
    assert!(
        names.len() > 100 && !names.iter().any(|name| name.contains("file") || name.contains("pseudonym")),
        "{names:?}"
    );
}

#[test]
fn parameters_are_values() {
    let asked = Asked::new();
    let positional = |values: serde_json::Value| serde_json::from_value::<Parameters>(values).unwrap();
    assert_eq!(asked.texts("SELECT $1 + 1", positional(json!([41]))), ["42"]);
    assert_eq!(
        asked.texts("SELECT CAST($2 AS VARCHAR) || $1", positional(json!(["a", "c"]))),
        ["ca"]
    );
    assert_eq!(
        asked.texts("SELECT $name", positional(json!({ "name": "x' OR 1=1 --" }))),
        ["x' OR 1=1 --"]
    );
    assert_eq!(
        asked.texts(
            "SELECT column1 FROM (VALUES (1), (2), (3)) LIMIT $n OFFSET $o",
            positional(json!({ "n": 1, "o": 1 }))
        ),
        ["2"]
    );
    // Texts become what their places ask for.
    assert_eq!(
        asked.texts(
            "SELECT count(*) FROM denials WHERE day = $1 AND at < $2",
            positional(json!(["2026-03-02", "2026-03-02T10:00:00Z"]))
        ),
        ["0"]
    );
    // A fraction is not cut to a whole number.
    assert_eq!(
        asked.texts(
            "SELECT count(*) FROM (VALUES (1), (2)) AS a(n) WHERE n < $1",
            positional(json!([1.5]))
        ),
        ["1"]
    );
    let wrong = |sql: &str, parameters| match asked.ask(sql, positional(parameters)) {
        Err(EngineError::Refused(reason)) => reason,
        other => panic!("{sql}: {other:?}"),
    };
    assert!(wrong("SELECT $1", json!([])).contains("no value is given for parameter $1"));
    assert!(wrong("SELECT $1", json!([1, 2])).contains("parameter $2 is given but not used"));
    assert!(wrong("SELECT $a", json!({ "a": 1, "b": 2 })).contains("parameter $b is given but not used; the SQL has $a"));
    assert!(wrong("SELECT 1 FROM denials WHERE day = $1", json!(["2026-02-30"])).contains("a day like"));
    assert!(wrong("SELECT 1 FROM denials WHERE licenses = $1", json!(["many"])).contains("a whole number"));
    assert!(wrong("SELECT $1", json!([[1]])).contains("expected a text, a number"));
}

#[test]
fn much_of_little_is_refused() {
    let asked = Asked::new();
    for sql in [
        "SELECT repeat('x', 2000000000)",
        "SELECT lpad('x', 2147483647, 'y')",
        "SELECT rpad('x', 2147483647, 'y')",
        "SELECT generate_series(1, 100000000)",
        "SELECT range(1, 100000000)",
        "SELECT range(100000000)",
        "SELECT range(TIMESTAMP '2000-01-01', TIMESTAMP '2026-01-01', INTERVAL '1' SECOND)",
        "SELECT array_repeat('x', 100000000)",
        "SELECT array_resize([1], 100000000, 0)",
        "SELECT length(repeat(v, 100000000)) FROM (VALUES ('a'), ('b')) AS t(v)",
    ] {
        match asked.ask(sql, Parameters::default()) {
            Err(EngineError::Failed(reason)) => assert!(reason.contains("MiB"), "{sql}: {reason}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
    assert_eq!(asked.texts("SELECT repeat('ab', 3)", Parameters::default()), ["ababab"]);
    assert_eq!(asked.texts("SELECT lpad('x', 3, 'y')", Parameters::default()), ["yyx"]);
    assert_eq!(asked.texts("SELECT generate_series(1, 5, 2)", Parameters::default()), ["[1, 3, 5]"]);
    assert_eq!(
        asked.texts(
            "SELECT generate_series(DATE '2026-01-01', DATE '2026-01-03', INTERVAL '1' DAY)",
            Parameters::default()
        ),
        ["[2026-01-01, 2026-01-02, 2026-01-03]"]
    );
}

#[test]
fn what_is_as_deep_as_may_be_is_planned() {
    let asked = Asked::new();
    for link in [" + 1", " OR 1 = 2", " || 'a'"] {
        let operators = link
            .split_whitespace()
            .filter(|word| !word.chars().all(|c| c.is_ascii_digit() || c == '\'' || c == 'a'))
            .count();
        let chain = link.repeat((guard::MOST_STEPS - 10) / operators);
        let sql = match link {
            " || 'a'" => format!("SELECT length('a'{chain})"),
            _ => format!(
                "SELECT (1 = 1 {})",
                if link == " + 1" { format!("AND 5 < 1{chain}") } else { chain }
            ),
        };
        asked.texts(&sql, Parameters::default());
    }
    let unions = format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(300));
    assert_eq!(
        asked.texts(&format!("SELECT count(*) FROM ({unions})"), Parameters::default()),
        ["301"]
    );
    assert!(
        asked
            .refused(&format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(1000)))
            .contains("too many operators")
    );
}

#[test]
fn faults_of_rows_are_told_from_faults_of_sql() {
    let asked = Asked::new();
    for sql in ["SELECT 1 / 0", "SELECT CAST('x' AS INT)", "SELECT column1 / 0 FROM (VALUES (1))"] {
        assert!(
            matches!(asked.ask(sql, Parameters::default()), Err(EngineError::Failed(_))),
            "{sql}"
        );
    }
    for sql in [
        "SELEC 1",
        "SELECT a FROM b",
        "SELECT f(1)",
        "SELECT nothing FROM denials",
        "SELECT 'a' + INTERVAL '1' DAY",
    ] {
        assert!(!asked.refused(sql).contains("bug"), "{sql}");
    }
}

#[test]
fn a_description_says_what_is_taken_and_given() {
    let asked = Asked::new();
    let describe = |sql: &str| {
        let question = Question {
            sql: sql.to_owned(),
            parameters: Parameters::default(),
            dialect: Dialect::Postgres,
            limit: None,
            zone: None,
        };
        asked.runtime.block_on(asked.engine.describe(question))
    };
    let described = describe("SELECT at, licenses + 1 AS more FROM denials WHERE user_name = $2 AND day >= $1").unwrap();
    assert_eq!(
        described.parameters,
        [("$1".to_owned(), Some(DataType::Date32)), ("$2".to_owned(), Some(DataType::Utf8))]
    );
    let names: Vec<&str> = described.schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["at", "more"]);
    assert!(describe("SELECT relname FROM pg_catalog.pg_class WHERE relname = 'sessions'").is_ok());
    assert!(describe("DROP TABLE events").is_err());
}
