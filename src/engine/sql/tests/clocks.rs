//! Times on the clock of a zone, patterns of times, and errors with their place.

use super::*;

#[test]
fn times_on_the_clock_of_a_zone_are_those_of_postgresql() {
    let asked = Asked::new();
    let texts = |sql: &str| asked.texts(sql, Parameters::default());
    for (sql, expected) in [
        // Denver is 6 hours behind UTC in July, Berlin 1 hour ahead in winter.
        (
            "SELECT TIMESTAMPTZ '2024-07-01T00:30:00Z' AT TIME ZONE 'America/Denver'",
            "2024-06-30T18:30:00",
        ),
        (
            "SELECT (TIMESTAMPTZ '2024-07-01T00:30:00Z' AT TIME ZONE 'America/Denver')::timestamp",
            "2024-06-30T18:30:00",
        ),
        (
            "SELECT (TIMESTAMPTZ '2024-07-01T00:30:00Z' AT TIME ZONE 'America/Denver')::date",
            "2024-06-30",
        ),
        (
            "SELECT extract(hour FROM TIMESTAMPTZ '2024-07-01T00:30:00Z' AT TIME ZONE 'America/Denver')",
            "18",
        ),
        (
            "SELECT date_trunc('day', TIMESTAMPTZ '2024-07-01T00:30:00Z' AT TIME ZONE 'America/Denver')",
            "2024-06-30T00:00:00",
        ),
        (
            "SELECT to_char(TIMESTAMPTZ '2024-07-01T00:30:00Z' AT TIME ZONE 'America/Denver', 'YYYY-MM-DD HH24:MI')",
            "2024-06-30 18:30",
        ),
        (
            "SELECT TIMESTAMP '2024-06-30 18:30:00' AT TIME ZONE 'America/Denver'",
            "2024-07-01T00:30:00Z",
        ),
        (
            "SELECT TIMESTAMP '2024-06-30 18:30:00' AT TIME ZONE 'America/Denver' AT TIME ZONE 'Europe/Berlin'",
            "2024-07-01T02:30:00",
        ),
        ("SELECT '2024-07-01T00:30:00Z' AT TIME ZONE 'America/Denver'", "2024-06-30T18:30:00"),
        ("SELECT DATE '2024-07-01' AT TIME ZONE 'America/Denver'", "2024-06-30T18:00:00"),
        // 02:30 does not exist on 2024-03-31 in Berlin, and comes twice on 2024-10-27.
        (
            "SELECT TIMESTAMP '2024-03-31 02:30:00' AT TIME ZONE 'Europe/Berlin'",
            "2024-03-31T01:00:00Z",
        ),
        (
            "SELECT TIMESTAMP '2024-10-27 02:30:00' AT TIME ZONE 'Europe/Berlin'",
            "2024-10-27T00:30:00Z",
        ),
        (
            "SELECT TIMESTAMPTZ '2024-10-27T01:30:00Z' AT TIME ZONE 'Europe/Berlin'",
            "2024-10-27T02:30:00",
        ),
        ("SELECT CAST(NULL AS TIMESTAMP) AT TIME ZONE 'Europe/Berlin' IS NULL", "true"),
        (
            "SELECT timezone(z, TIMESTAMPTZ '2024-07-01T00:30:00Z') FROM (VALUES ('Asia/Tokyo'), (NULL)) AS t(z) WHERE z IS NOT NULL",
            "2024-07-01T09:30:00",
        ),
        // The clock of a value's own zone.
        (
            "SELECT arrow_cast(TIMESTAMPTZ '2024-07-01T00:30:00Z', 'Timestamp(Microsecond, Some(\"America/Denver\"))')::timestamp",
            "2024-06-30T18:30:00",
        ),
        (
            "SELECT to_char(arrow_cast(TIMESTAMPTZ '2024-07-01T00:30:00Z', 'Timestamp(Second, Some(\"America/Denver\"))'), 'HH24:MI TZ OF')",
            "18:30 MDT -06",
        ),
        (
            "SELECT to_char(arrow_cast(TIMESTAMPTZ '2024-07-01T00:30:00Z', 'Timestamp(Second, Some(\"-06:30\"))'), 'HH24:MI OF')",
            "18:00 -06:30",
        ),
    ] {
        assert_eq!(texts(sql), [expected], "{sql}");
    }
    for sql in [
        "SELECT at AT TIME ZONE 'America/Denver' FROM denials ORDER BY at",
        "SELECT at AT TIME ZONE 'America/Denver', at AT TIME ZONE 'Europe/Berlin', at FROM denials ORDER BY at",
        "SELECT at::date FROM denials ORDER BY at",
        "SELECT at, at::date, at::timestamp, CAST(at AS DATE), d.at FROM denials AS d ORDER BY at",
        "SELECT *, at::date FROM denials",
        "SELECT 1, 1, count(*), count(*), NULL, NULL FROM denials",
        "SELECT (at AT TIME ZONE 'America/Denver')::date, count(*) FROM denials GROUP BY 1 ORDER BY 1",
        "SELECT at::date, count(*) FROM denials GROUP BY at::date ORDER BY at::date",
        "EXPLAIN SELECT at AT TIME ZONE 'America/Denver' FROM denials ORDER BY at",
    ] {
        asked
            .ask(sql, Parameters::default())
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    for (sql, part) in [
        ("SELECT at AT TIME ZONE 'America/Denvr' FROM denials", "America/Denvr"),
        ("SELECT at AT TIME ZONE INTERVAL '2 hours' FROM denials", "the name of a zone"),
        ("SELECT licenses AT TIME ZONE 'UTC' FROM denials", "expects a timestamp"),
    ] {
        let error = asked.ask(sql, Parameters::default()).unwrap_err().to_string();
        assert!(error.contains(part), "{sql}: {error}");
    }
}

#[test]
fn comparisons_on_a_wall_clock_choose_days() {
    let asked = Asked::new();
    let explained = |sql: &str| {
        let batches = asked.ask(&format!("EXPLAIN {sql}"), Parameters::default()).unwrap();
        let texts = |batch: &RecordBatch| {
            let formatter = arrow::util::display::ArrayFormatter::try_new(batch.column(1), &Default::default()).unwrap();
            (0..batch.num_rows())
                .map(|row| formatter.value(row).to_string())
                .collect::<Vec<_>>()
                .join("\n")
        };
        batches.iter().map(texts).collect::<String>()
    };
    for filter in [
        "at AT TIME ZONE 'America/Denver' >= '2024-07-01'",
        "at AT TIME ZONE 'America/Denver' >= TIMESTAMP '2024-07-01 00:00:00'",
        "at AT TIME ZONE 'America/Denver' BETWEEN '2024-07-01' AND '2024-07-02'",
    ] {
        let plan = explained(&format!("SELECT count(*) FROM denials WHERE {filter}"));
        assert!(
            plan.contains("denials.at >= TimestampMicrosecond(1719813600000000"),
            "{filter}\n{plan}"
        );
    }
}

#[test]
fn patterns_are_understood_or_refused() {
    let asked = Asked::new();
    let texts = |sql: &str| asked.texts(sql, Parameters::default());
    for (sql, expected) in [
        ("SELECT to_char(DATE '2024-07-01', 'YYYY-MM')", "2024-07"),
        ("SELECT to_char(TIMESTAMP '2024-07-01 18:30:00', 'YYYY-\"Q\"Q')", "2024-Q3"),
        ("SELECT to_char(TIMESTAMP '2024-07-01 18:30:00', '%Y-%m')", "2024-07"),
        ("SELECT to_char(DATE '2024-07-01', '%H:%M')", "00:00"),
        ("SELECT date_format(DATE '2024-07-01', 'YYYY')", "2024"),
        ("SELECT to_char(TIME '18:30:05', 'HH12:MI:SS pm')", "06:30:05 pm"),
        ("SELECT to_char('2024-07-01', 'DD.MM.YYYY')", "01.07.2024"),
        ("SELECT to_char(d, p) FROM (VALUES (DATE '2024-07-01', 'YYYY')) AS t(d, p)", "2024"),
        ("SELECT to_date('1 Jul 2024', 'DD Mon YYYY')", "2024-07-01"),
        ("SELECT to_date('01/07/2024', '%d/%m/%Y')", "2024-07-01"),
        ("SELECT to_date('2024-07-01')", "2024-07-01"),
        (
            "SELECT to_timestamp('2024-07-01 18:30', 'YYYY-MM-DD HH24:MI')",
            "2024-07-01T18:30:00Z",
        ),
        (
            "SELECT to_timestamp('2024-07-01 18:30 -06', 'YYYY-MM-DD HH24:MI TZH')",
            "2024-07-02T00:30:00Z",
        ),
        ("SELECT to_unixtime('1970-01-02', 'YYYY-MM-DD')", "86400"),
        ("SELECT to_time('6:30 PM', 'HH12:MI AM')", "18:30:00"),
        (
            "SELECT to_char(NULL, 'YYYY') IS NULL AND to_char(DATE '2024-07-01', NULL) IS NULL",
            "true",
        ),
    ] {
        assert_eq!(texts(sql), [expected], "{sql}");
    }
    let mixed = "SELECT coalesce(to_char(d, p), 'null') FROM (VALUES (DATE '2024-07-01', 'YYYY'), (DATE '2024-07-02', '%d'), \
                 (NULL, 'YYYY'), (DATE '2024-07-04', NULL), (DATE '2024-07-05', 'DD')) AS t(d, p)";
    assert_eq!(texts(mixed), ["2024", "02", "null", "null", "05"]);
    for sql in [
        "SELECT to_char(at, 'YYYY-XX') FROM denials",
        "SELECT to_char(DATE '2024-07-01', 'hello')",
        "SELECT to_char(d, p) FROM (VALUES (DATE '2024-07-01', 'jjjj yo')) AS t(d, p)",
        "SELECT to_date('2024-07-01', 'YYYY-XX')",
        "SELECT to_timestamp('2024-07-01', 'when')",
    ] {
        let error = asked.ask(sql, Parameters::default()).unwrap_err().to_string();
        assert!(error.contains("HH24") && error.contains("%Y-%m-%d"), "{sql}: {error}");
    }
    for (sql, part) in [
        ("SELECT to_char(3.14, '9.9')", "CAST"),
        ("SELECT to_char(INTERVAL '1 day', 'DD')", "CAST"),
        ("SELECT to_char(TIME '18:30:05', 'YYYY')", "no date"),
        ("SELECT to_date('Juli 2024', 'Month YYYY')", "does not fit"),
    ] {
        let error = asked.ask(sql, Parameters::default()).unwrap_err().to_string();
        assert!(error.contains(part), "{sql}: {error}");
    }
}

#[test]
fn a_session_in_a_zone_reads_every_clock_there() {
    let asked = Asked::new();
    let texts = |sql: &str| {
        let question = Question {
            sql: sql.to_owned(),
            parameters: Parameters::default(),
            dialect: Dialect::Own,
            limit: None,
            zone: Some("America/Denver".parse().unwrap()),
        };
        asked.first_column(question).unwrap_or_else(|error| panic!("{sql}: {error}"))
    };
    for (sql, expected) in [
        ("SELECT TIMESTAMPTZ '2024-07-01T00:30:00Z'", "2024-06-30T18:30:00-06:00"),
        ("SELECT TIMESTAMPTZ '2024-06-30 18:30:00'", "2024-06-30T18:30:00-06:00"),
        ("SELECT TIMESTAMPTZ '2024-07-01T00:30:00Z'::timestamp", "2024-06-30T18:30:00"),
        ("SELECT TIMESTAMPTZ '2024-07-01T00:30:00Z'::date", "2024-06-30"),
        ("SELECT to_char(TIMESTAMPTZ '2024-07-01T00:30:00Z', 'HH24:MI TZ')", "18:30 MDT"),
        (
            "SELECT TIMESTAMP '2024-07-01 02:30:00' AT TIME ZONE 'Europe/Berlin'",
            "2024-06-30T18:30:00-06:00",
        ),
        (
            "SELECT to_timestamp('2024-06-30 18:30', 'YYYY-MM-DD HH24:MI')",
            "2024-06-30T18:30:00-06:00",
        ),
        ("SELECT DATE '2024-07-01' AT TIME ZONE 'UTC'", "2024-07-01T06:00:00"),
        ("SELECT arrow_typeof(at) FROM denials UNION ALL SELECT 'none'", "none"),
        (
            "SELECT count(*) FROM denials WHERE at >= '2024-07-01' AND local_day(at, 'UTC') = DATE '2024-07-01'",
            "0",
        ),
        (
            "SELECT count(*) FROM (SELECT unnest(active_users(user_name, started, ended, 'UTC')) FROM sessions)",
            "0",
        ),
    ] {
        assert_eq!(texts(sql), [expected], "{sql}");
    }
}

#[test]
fn what_is_wrong_is_told_in_plain_words_with_its_place() {
    let asked = Asked::new();
    for (sql, told) in [
        ("SELEC 1", "syntax error: expected an SQL statement, found SELEC (line 1, column 1)"),
        ("SELECT 1 +", "syntax error: expected an expression, found the end of the SQL"),
        (
            "SELECT\nend FROM sessions",
            "there is no column end; did you mean ended? (line 2, column 1)",
        ),
        ("SELECT 'open", "syntax error: unterminated string literal (line 1, column 8)"),
        (
            "SELECT user FROM sessions",
            "there is no column user; did you mean user_name? (line 1, column 8)",
        ),
        (
            "SELECT 1,\n  s.user\nFROM sessions AS s",
            "there is no column s.user; did you mean user_name? (line 2, column 5)",
        ),
        (
            "SELECT hots FROM sessions",
            "there is no column hots; did you mean host? (line 1, column 8)",
        ),
        (
            "SELECT nothing FROM uptime",
            "there is no column nothing; there are ended, server_id, started (line 1, column 8)",
        ),
        (
            "SELECT * FROM session",
            "there is no table session; did you mean sessions? (line 1, column 15)",
        ),
        (
            "SELECT * FROM licences",
            "there is no table licences; there are events, sessions, denials, servers, features, uptime (line 1, column 15)",
        ),
        (
            "SELECT localday(at, 'UTC') FROM denials",
            "there is no function localday(); did you mean local_day()? (line 1, column 8)",
        ),
        (
            "SELECT zzzzzz(1)",
            "there is no function zzzzzz(); SHOW FUNCTIONS lists them (line 1, column 8)",
        ),
    ] {
        assert_eq!(asked.refused(sql), told, "{sql}");
    }
    let long = asked.refused("SELECT nothing FROM events");
    assert!(long.len() < 250 && long.contains(" … "), "{long}");
}
