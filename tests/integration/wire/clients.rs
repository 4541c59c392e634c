//! What drivers, dashboards and spreadsheets ask for: types and keys, lists as parameters, zones, rows as lines, places of errors.

use super::{Client, Message, Site, Told, frame, kinds, rows, tags, values};

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Asks with the extended protocol: a query, the types that the client says, and values in one format.
fn extended(client: &mut Client, sql: &str, types: &[u32], format: u8, parameters: &[&[u8]]) -> Vec<Message> {
    let mut parse = [b"\0", sql.as_bytes(), b"\0"].concat();
    parse.extend((types.len() as u16).to_be_bytes());
    for kind in types {
        parse.extend(kind.to_be_bytes());
    }
    let mut bind = vec![0, 0, 0, 1, 0, format];
    bind.extend((parameters.len() as u16).to_be_bytes());
    for parameter in parameters {
        bind.extend((parameter.len() as u32).to_be_bytes());
        bind.extend(*parameter);
    }
    bind.extend([0, 0]);
    let mut said = frame(Some(b'P'), &parse);
    said.extend(frame(Some(b'D'), b"S\0"));
    said.extend(frame(Some(b'B'), &bind));
    said.extend(frame(Some(b'D'), b"P\0"));
    said.extend(frame(Some(b'E'), b"\0\0\0\0\0"));
    said.extend(frame(Some(b'S'), b""));
    client.write(&said);
    client.answer()
}

fn first_column(answer: &[Message]) -> Vec<Option<String>> {
    if let Some((_, content)) = answer.iter().find(|(kind, _)| *kind == b'E') {
        panic!("{:?}", Told::of(content));
    }
    rows(answer).into_iter().map(|row| row[0].clone()).collect()
}

#[test]
fn what_spreadsheets_ask_when_they_connect_is_answered() {
    let site = Site::new();
    let mut client = site.connect();
    for (sql, expected) in [
        (
            "SELECT t.oid, t.typname FROM pg_catalog.pg_type t WHERE t.typreceive = 'boolrecv'::regproc",
            vec!["16", "bool"],
        ),
        (
            "SELECT t.typname, p.proname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_proc p ON p.oid = t.typreceive WHERE t.typname = 'bool'",
            vec!["bool", "boolrecv"],
        ),
        ("SELECT count(*) FROM information_schema.referential_constraints", vec!["0"]),
        ("SELECT count(*) FROM information_schema.key_column_usage", vec!["0"]),
        ("SELECT count(*) FROM information_schema.table_constraints", vec!["0"]),
        ("SELECT character_set_name FROM information_schema.character_sets", vec!["UTF8"]),
        (
            "SELECT typinput = 'array_in'::regproc FROM pg_type WHERE typname = '_bool'",
            vec!["t"],
        ),
        (
            "SELECT 'pg_type'::regclass IS NULL OR 'public'::regnamespace IS NOT NULL",
            vec!["t"],
        ),
        ("SELECT 'bool'::regtype::oid", vec!["16"]),
        ("SELECT typname FROM pg_type t WHERE t.oid = to_regtype('bool')", vec!["bool"]),
        (
            "SELECT typreceive::regproc::text, oid::regtype, typelem::regtype FROM pg_type WHERE oid = 1000",
            vec!["array_recv", "boolean[]", "boolean"],
        ),
        (
            "SELECT oid::regclass, relnamespace::regnamespace::text FROM pg_class WHERE relname = 'sessions'",
            vec!["sessions", "public"],
        ),
        (
            "SELECT ARRAY(SELECT relname FROM pg_class WHERE relname IN ('sessions', 'denials') ORDER BY 1)",
            vec!["{denials,sessions}"],
        ),
        (
            // The element of an array type, as loaders of types look for it.
            "SELECT e.typname FROM pg_type t LEFT JOIN pg_proc p ON p.oid = t.typreceive \
             LEFT JOIN pg_type e ON e.oid = CASE WHEN p.proname = 'array_recv' THEN t.typelem WHEN t.typtype = 'd' THEN t.typbasetype END \
             WHERE t.typname = '_int4'",
            vec!["int4"],
        ),
    ] {
        let expected: Vec<Option<String>> = expected.into_iter().map(some).collect();
        assert_eq!(client.rows(sql), [expected], "{sql}");
    }
    let session = "DISCARD ALL; SET extra_float_digits TO 3; SET client_encoding TO 'UTF8'; SELECT version(); \
                   SELECT current_setting('server_version'); \
                   SELECT table_schema, table_name, table_type FROM information_schema.tables \
                   WHERE table_schema NOT IN ('information_schema', 'pg_catalog') ORDER BY 1, 2; \
                   SELECT column_name, ordinal_position, is_nullable, data_type FROM information_schema.columns WHERE table_name = 'denials' ORDER BY 2; \
                   select \"$Table\".\"user_name\" as \"user_name\" from \"sessions\" \"$Table\" limit 5";
    let answer = client.query(session);
    assert_eq!(
        tags(&answer),
        [
            "DISCARD ALL",
            "SET",
            "SET",
            "SELECT 1",
            "SELECT 1",
            "SELECT 6",
            "SELECT 12",
            "SELECT 3"
        ]
    );
    // No hash of a password, whoever's.
    let hashes = "SELECT count(*) FROM pg_catalog.pg_authid WHERE rolpassword IS NOT NULL";
    assert_eq!(client.rows(hashes), [[some("0")]]);
}

#[test]
fn the_catalog_is_the_same_for_whoever_asks() {
    let site = Site::new();
    let all = site.token("all", &["--role", "admin"]);
    let limited = site.token("limited", &["--role", "analyst", "--servers", "flex02", "--names", "pseudonym"]);
    let mut everything = Client::connect(&site.address, Some(&all)).unwrap();
    let mut client = Client::connect(&site.address, Some(&limited)).unwrap();
    for sql in [
        "SELECT relname, reltuples, relpages FROM pg_class ORDER BY 1",
        "SELECT attname, attnum FROM pg_attribute ORDER BY 1, 2",
        "SELECT proname FROM pg_proc WHERE oid >= 90000 ORDER BY 1",
        "SELECT * FROM pg_roles",
        "SELECT * FROM pg_stat_user_tables",
        "SELECT count(*) FROM pg_statistic",
        "SELECT table_name FROM information_schema.tables ORDER BY 1",
    ] {
        assert_eq!(client.rows(sql), everything.rows(sql), "{sql}");
    }
}

#[test]
fn lists_are_parameters() {
    const TEXTS: u32 = 1009;
    const WHOLE: u32 = 1007;
    let site = Site::new();
    let mut client = site.connect();
    let sql = "SELECT user_name FROM sessions WHERE user_name = ANY($1) ORDER BY 1";
    let words = |words: &[i32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    let mut texts = words(&[1, 1, 25, 3, 1, 5]);
    texts.extend(b"alice");
    texts.extend(words(&[-1, 4]));
    texts.extend(b"dave");
    let found = [some("alice"), some("dave")];
    for (types, format, value) in [
        (&[TEXTS][..], 0, &b"{alice,NULL,\"dave\"}"[..]),
        (&[], 0, b"{alice,dave}"),
        (&[0], 1, &texts),
        (&[TEXTS], 1, &texts),
    ] {
        let answer = extended(&mut client, sql, types, format, &[value]);
        assert_eq!(kinds(&answer), "1tT2TDDCZ");
        assert_eq!(u32::from_be_bytes(answer[1].1[2..6].try_into().unwrap()), TEXTS);
        assert_eq!(first_column(&answer), found, "{types:?} {format}");
    }
    let one = |sql: &str, types: &[u32], format: u8, value: &[u8]| {
        let mut client = site.connect();
        first_column(&extended(&mut client, sql, types, format, &[value]))
    };
    let whole = words(&[1, 0, 23, 2, 1, 4, 2, 4, 7]);
    assert_eq!(
        one("SELECT user_name FROM sessions WHERE licenses = ANY($1)", &[WHOLE], 1, &whole),
        [some("bob")]
    );
    assert_eq!(
        one("SELECT user_name FROM sessions WHERE licenses = ANY($1::int[])", &[], 0, b"{2}"),
        [some("bob")]
    );
    assert_eq!(
        one(
            "SELECT user_name FROM sessions WHERE day = ANY($1) AND licenses = 2",
            &[],
            0,
            b"{2026-03-02}"
        ),
        [some("bob")]
    );
    assert_eq!(
        one("SELECT count(*) FROM sessions WHERE licenses <> ALL($1)", &[], 0, b"{2,3}"),
        [some("2")]
    );
    assert_eq!(
        one("SELECT count(*) FROM sessions WHERE licenses = ANY($1)", &[], 0, b"{}"),
        [some("0")]
    );
    assert_eq!(
        one("SELECT count(*) FROM sessions WHERE NOT licenses = ANY($1)", &[], 0, b"{7,NULL}"),
        [some("0")]
    );
    assert_eq!(
        one(
            "SELECT count(*) FROM sessions WHERE $1 = ANY(ARRAY[user_name, host])",
            &[],
            0,
            b"bob"
        ),
        [some("1")]
    );
    for (sql, expected) in [
        (
            "SELECT 2 = ANY(ARRAY[1, 2, NULL]), 3 = ANY(ARRAY[1, NULL]), 3 <> ALL(ARRAY[1, 2])",
            vec![some("t"), None, some("t")],
        ),
        ("SELECT count(*) FROM sessions WHERE licenses = ANY('{2,3}')", vec![some("1")]),
    ] {
        assert_eq!(client.rows(sql), [expected], "{sql}");
    }
    let answer = extended(&mut client, sql, &[TEXTS], 0, &[b"{alice"]);
    let (_, told) = answer.iter().find(|(kind, _)| *kind == b'E').unwrap();
    assert_eq!(Told::of(told).code, "22P02");
}

#[test]
fn instants_are_told_on_the_clock_of_the_zone_that_a_session_sets() {
    let site = Site::new();
    let mut client = site.connect();
    let sql =
        "SELECT started, started::date, to_char(started, 'HH24:MI TZ'), date_trunc('day', started) FROM sessions WHERE user_name = 'alice'";
    let told = |client: &mut Client, zone: &str| {
        let answer = client.query(&format!("SET TimeZone = '{zone}'; {sql}"));
        assert_eq!(answer[0].0, b'S', "{zone}: {}", kinds(&answer));
        assert_eq!(answer[0].1, format!("TimeZone\0{zone}\0").as_bytes());
        rows(&answer)[0].iter().flatten().cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        told(&mut client, "Europe/Berlin"),
        [
            "2026-03-02 09:00:00.000000+01",
            "2026-03-02",
            "09:00 CET",
            "2026-03-02 00:00:00.000000+01"
        ]
    );
    assert_eq!(client.rows("SHOW TimeZone"), [[some("Europe/Berlin")]]);
    assert_eq!(client.rows("SELECT current_setting('TimeZone')"), [[some("Europe/Berlin")]]);
    assert_eq!(
        told(&mut client, "America/Los_Angeles"),
        [
            "2026-03-02 00:00:00.000000-08",
            "2026-03-02",
            "00:00 PST",
            "2026-03-02 00:00:00.000000-08"
        ]
    );
    // An instant without an offset is one of the session's clock, and the same instant in binary.
    assert_eq!(
        client.rows("SELECT user_name FROM sessions WHERE started = '2026-03-02 00:00:00'"),
        [[some("alice")]]
    );
    let mut said = frame(Some(b'P'), b"\0SELECT started FROM sessions WHERE user_name = 'alice'\0\0\0");
    said.extend(frame(Some(b'B'), b"\0\0\0\0\0\0\0\x01\0\x01"));
    said.extend(frame(Some(b'E'), b"\0\0\0\0\0"));
    said.extend(frame(Some(b'S'), b""));
    client.write(&said);
    let answer = client.answer();
    let started = values(&answer.iter().find(|(kind, _)| *kind == b'D').unwrap().1)[0]
        .clone()
        .unwrap();
    assert_eq!(
        i64::from_be_bytes(started.try_into().unwrap()),
        (9557 * 86_400 + 8 * 3600) * 1_000_000
    );
    for (sql, code) in [
        ("SET TimeZone = 'Europe/Berln'", "22023"),
        ("SET TimeZone = '+02:00'", "22023"),
        ("SET TIME ZONE INTERVAL '2 hours'", "22023"),
    ] {
        assert_eq!(client.error(sql), code, "{sql}");
    }
    client.query("RESET TimeZone");
    assert_eq!(client.rows("SHOW TimeZone"), [[some("UTC")]]);
    client.query("SET TIME ZONE 'Asia/Tokyo'; SET TIME ZONE LOCAL");
    assert_eq!(client.rows("SHOW TimeZone"), [[some("UTC")]]);
}

#[test]
fn local_days_are_those_of_postgresql() {
    let site = Site::new();
    let mut client = site.connect();
    // Tokyo is nine hours ahead.
    let local = "SELECT (started AT TIME ZONE 'Asia/Tokyo')::timestamp FROM sessions ORDER BY started";
    let clocks: Vec<_> = client.rows(local).into_iter().map(|row| row[0].clone().unwrap()).collect();
    assert_eq!(
        clocks,
        [
            "2026-03-02 17:00:00.000000",
            "2026-03-02 18:00:00.000000",
            "2026-03-02 18:30:00.000000"
        ]
    );
    assert_eq!(
        client
            .rows("SELECT started AT TIME ZONE 'Asia/Tokyo' FROM sessions ORDER BY started")
            .len(),
        3
    );
    assert_eq!(
        client.rows("SELECT to_char(started AT TIME ZONE 'Asia/Tokyo', 'YYYY-MM-DD HH24:MI') FROM sessions ORDER BY started LIMIT 1"),
        [[some("2026-03-02 17:00")]]
    );
}

/// The lines of a `COPY`, and its tag.
fn lines(answer: &[Message]) -> (String, Vec<String>) {
    if let Some((_, content)) = answer.iter().find(|(kind, _)| *kind == b'E') {
        panic!("{:?}", Told::of(content));
    }
    let data = answer
        .iter()
        .filter(|(kind, _)| *kind == b'd')
        .flat_map(|(_, content)| content.clone());
    (String::from_utf8(data.collect()).unwrap(), tags(answer))
}

#[test]
fn rows_are_copied_as_lines() {
    let site = Site::new();
    let mut client = site.connect();
    let sql = "COPY (SELECT user_name, licenses, NULL AS nothing FROM sessions WHERE user_name <> ')' ORDER BY 1) TO STDOUT";
    let answer = client.query(sql);
    assert_eq!(kinds(&answer), "HdddcCZ");
    // Text, three columns, all of them text.
    assert_eq!(answer[0].1, [0, 0, 3, 0, 0, 0, 0, 0, 0]);
    assert_eq!(
        lines(&answer),
        ("alice\t1\t\\N\nbob\t2\t\\N\ndave\t1\t\\N\n".to_owned(), vec!["COPY 3".to_owned()])
    );
    let csv = client.query(&format!("{sql} WITH (FORMAT csv, HEADER, DELIMITER ';', NULL 'none')"));
    assert_eq!(lines(&csv).0, "user_name;licenses;nothing\nalice;1;none\nbob;2;none\ndave;1;none\n");
    let old = client.query(&format!("{sql} CSV HEADER; SELECT 1"));
    assert_eq!(lines(&old).0, "user_name,licenses,nothing\nalice,1,\nbob,2,\ndave,1,\n");
    assert_eq!(tags(&old), ["COPY 3", "SELECT 1"]);
    let table = client.query("COPY servers (server_id, name) TO STDOUT");
    assert_eq!(lines(&table).1, ["COPY 2"]);
    // The extended protocol knows it too.
    let mut said = frame(Some(b'P'), &[b"\0", sql.as_bytes(), b"\0\0\0"].concat());
    said.extend(frame(Some(b'D'), b"S\0"));
    said.extend(frame(Some(b'B'), b"\0\0\0\0\0\0\0\0"));
    said.extend(frame(Some(b'D'), b"P\0"));
    said.extend(frame(Some(b'E'), b"\0\0\0\0\0"));
    said.extend(frame(Some(b'S'), b""));
    client.write(&said);
    let answer = client.answer();
    assert_eq!(kinds(&answer), "1tn2nHdddcCZ");
    for (sql, code) in [
        ("COPY sessions FROM STDIN", "25006"),
        ("COPY (DELETE FROM sessions) TO STDOUT", "25006"),
        ("COPY sessions TO '/tmp/x'", "42501"),
        ("COPY sessions TO PROGRAM 'true'", "42501"),
        ("COPY sessions TO STDOUT (FORMAT binary)", "0A000"),
        ("COPY nothing TO STDOUT", "42P01"),
        ("COPY (SELECT 1 / (licenses - licenses) FROM sessions) TO STDOUT", "22012"),
    ] {
        assert_eq!(client.error(sql), code, "{sql}");
    }
    assert_eq!(client.rows("SELECT 1"), [[some("1")]]);
    let limited = site.token("limited", &["--role", "analyst", "--servers", "flex02"]);
    let mut client = Client::connect(&site.address, Some(&limited)).unwrap();
    assert_eq!(lines(&client.query("COPY (SELECT user_name FROM sessions) TO STDOUT")).0, "dave\n");
}

#[test]
fn errors_name_their_place() {
    let site = Site::new();
    let mut client = site.connect();
    let mut position = |sql: &str| {
        let answer = client.query(sql);
        let (_, content) = answer.iter().find(|(kind, _)| *kind == b'E').unwrap();
        let field = content.split(|byte| *byte == 0).find(|field| field.first() == Some(&b'P'));
        let position = field.map(|field| String::from_utf8_lossy(&field[1..]).parse::<usize>().unwrap());
        position.map(|position| sql.chars().skip(position - 1).collect::<String>())
    };
    for (sql, from) in [
        ("SELEC 1", Some("SELEC 1")),
        (
            "SELECT 'größe';\n SELECT 1,\n  nothing FROM sessions",
            Some("nothing FROM sessions"),
        ),
        ("SELECT * FROM nothing", Some("nothing")),
        ("SELECT nothing(1)", Some("nothing(1)")),
        ("SELECT 1 WHERE 1 = = 2", Some("= 2")),
        ("SELECT 1 / (licenses - licenses) FROM sessions", None),
    ] {
        assert_eq!(position(sql).as_deref(), from, "{sql}");
    }
}

#[test]
fn sessions_are_cleared_as_drivers_clear_them() {
    let site = Site::new();
    let mut client = site.connect();
    for (sql, tag) in [
        ("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET"),
        ("SET datestyle = 'ISO, MDY'", "SET"),
        ("SET application_name = 'a tool'", "SET"),
        ("SET SESSION extra_float_digits = 3", "SET"),
        ("BEGIN READ ONLY", "BEGIN"),
        ("COMMIT", "COMMIT"),
        ("CLOSE ALL", "CLOSE CURSOR"),
        ("DEALLOCATE ALL", "DEALLOCATE ALL"),
        ("RESET ALL", "RESET"),
        ("DISCARD ALL", "DISCARD ALL"),
        ("UNLISTEN *", "UNLISTEN"),
    ] {
        assert_eq!(tags(&client.query(sql)), [tag], "{sql}");
    }
}

#[test]
fn an_error_is_told_before_the_client_says_that_it_goes_on() {
    let site = Site::new();
    let mut client = site.connect();
    // Some drivers wait for an error after a Flush, and send their Sync only then.
    let mut said = frame(Some(b'P'), b"\0SELECT nothing FROM sessions\0\0\0");
    said.extend(frame(Some(b'D'), b"S\0"));
    said.extend(frame(Some(b'H'), b""));
    client.write(&said);
    assert_eq!(client.read().unwrap().0, b'1');
    let (kind, content) = client.read().unwrap();
    assert_eq!((kind, Told::of(&content).code.as_str()), (b'E', "42703"));
    client.write(&frame(Some(b'S'), b""));
    assert_eq!(kinds(&client.answer()), "Z");
}

#[test]
fn a_text_in_braces_is_a_list_where_one_is_asked_for() {
    let site = Site::new();
    let mut client = site.connect();
    let lists = "SELECT count(*) FROM sessions WHERE user_name = ANY($1)";
    for (value, expected) in [(&b"{alice,NULL}"[..], "1"), (b"{}", "0"), (b"{\"alice\",bob}", "2")] {
        assert_eq!(first_column(&extended(&mut client, lists, &[], 0, &[value])), [some(expected)]);
    }
    let text = "SELECT count(*) FROM sessions WHERE user_name = $1";
    assert_eq!(first_column(&extended(&mut client, text, &[], 0, &[b"{alice}"])), [some("0")]);
}
