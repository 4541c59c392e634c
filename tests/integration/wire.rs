//! The wire of PostgreSQL, spoken by hand: nothing hides what is on it, and nothing else need be there.

mod clients;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{Server, make_token, run, run_ok};

const FIRST: &str = r#"{"time":"2026-03-02T08:00:00Z","event":"session","end":"2026-03-02T12:00:00Z","server":"flex01","feature":"solid","user":"alice","host":"ws1"}
{"time":"2026-03-02T09:00:00Z","event":"session","end":"2026-03-02T10:00:00Z","server":"flex01","feature":"solid","user":"bob","host":"ws2","licenses":2}
{"time":"2026-03-02T09:30:00Z","event":"session","end":"2026-03-02T10:30:00Z","server":"flex02","feature":"render","user":"dave","host":"ws4"}
"#;

/// What keeps a query busy for longer than any test waits.
const ENDLESS: &str =
    "SELECT count(*) FROM generate_series(1, 10000000) AS a(x), generate_series(1, 10000000) AS b(y) WHERE a.x * b.y = -1";

/// A message: its kind and what is in it.
type Message = (u8, Vec<u8>);

struct Client {
    socket: TcpStream,
    pid: i32,
    key: i32,
}

/// What a client was told when it was not let in, or an error later.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    code: String,
    message: String,
}

impl Told {
    fn of(content: &[u8]) -> Self {
        let field = |kind: u8| {
            let fields = content.split(|byte| *byte == 0).find(|field| field.first() == Some(&kind));
            fields
                .map(|field| String::from_utf8_lossy(&field[1..]).into_owned())
                .unwrap_or_default()
        };
        Self {
            code: field(b'C'),
            message: field(b'M'),
        }
    }
}

fn frame(kind: Option<u8>, body: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = kind.into_iter().collect();
    bytes.extend((body.len() as u32 + 4).to_be_bytes());
    bytes.extend(body);
    bytes
}

fn startup() -> Vec<u8> {
    let mut body = 196_608_u32.to_be_bytes().to_vec();
    body.extend(b"user\0somebody\0database\0headroom\0\0");
    frame(None, &body)
}

impl Client {
    fn connect(address: &str, password: Option<&str>) -> Result<Self, Told> {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut client = Self { socket, pid: 0, key: 0 };
        client.write(&startup());
        loop {
            let (kind, content) = client.read().unwrap();
            match (kind, content.get(..4)) {
                (b'R', Some([0, 0, 0, 3])) => {
                    let password = [password.unwrap_or_default().as_bytes(), b"\0"].concat();
                    client.write(&frame(Some(b'p'), &password));
                }
                (b'E', _) => return Err(Told::of(&content)),
                (b'K', _) => {
                    client.pid = i32::from_be_bytes(content[..4].try_into().unwrap());
                    client.key = i32::from_be_bytes(content[4..].try_into().unwrap());
                }
                (b'Z', _) => return Ok(client),
                _ => {}
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
    }

    fn read(&mut self) -> std::io::Result<Message> {
        let mut head = [0; 5];
        self.socket.read_exact(&mut head)?;
        let length = u32::from_be_bytes(head[1..].try_into().unwrap()) as usize;
        let mut content = vec![0; length - 4];
        self.socket.read_exact(&mut content)?;
        Ok((head[0], content))
    }

    /// Everything until the server is ready again.
    fn answer(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            let message = self.read().unwrap();
            let ready = message.0 == b'Z';
            messages.push(message);
            if ready {
                return messages;
            }
        }
    }

    fn query(&mut self, sql: &str) -> Vec<Message> {
        self.write(&frame(Some(b'Q'), &[sql.as_bytes(), b"\0"].concat()));
        self.answer()
    }

    /// The rows of a query, as texts.
    fn rows(&mut self, sql: &str) -> Vec<Vec<Option<String>>> {
        let answer = self.query(sql);
        if let Some((_, content)) = answer.iter().find(|(kind, _)| *kind == b'E') {
            panic!("{sql}: {:?}", Told::of(content));
        }
        rows(&answer)
    }

    /// What is wrong with a query.
    fn error(&mut self, sql: &str) -> String {
        let answer = self.query(sql);
        let error = answer.iter().find(|(kind, _)| *kind == b'E');
        error.map(|(_, content)| Told::of(content).code).unwrap_or_default()
    }
}

/// What a client of PostgreSQL is told of a query that fails.
pub fn told_of_failure(address: &str, password: &str, sql: &str) -> String {
    let answer = Client::connect(address, Some(password)).unwrap().query(sql);
    let error = answer.iter().find(|(kind, _)| *kind == b'E');
    error.map(|(_, content)| Told::of(content).message).unwrap_or_default()
}

fn rows(answer: &[Message]) -> Vec<Vec<Option<String>>> {
    let rows = answer.iter().filter(|(kind, _)| *kind == b'D');
    rows.map(|(_, content)| {
        values(content)
            .into_iter()
            .map(|value| value.map(|value| String::from_utf8(value).unwrap()))
            .collect()
    })
    .collect()
}

fn values(row: &[u8]) -> Vec<Option<Vec<u8>>> {
    let (count, mut rest) = row.split_at(2);
    let mut values = Vec::new();
    for _ in 0..u16::from_be_bytes(count.try_into().unwrap()) {
        let (length, after) = rest.split_at(4);
        rest = after;
        let length = i32::from_be_bytes(length.try_into().unwrap());
        values.push(usize::try_from(length).ok().map(|length| {
            let (value, after) = rest.split_at(length);
            rest = after;
            value.to_vec()
        }));
    }
    values
}

fn tags(answer: &[Message]) -> Vec<String> {
    let tags = answer.iter().filter(|(kind, _)| *kind == b'C');
    tags.map(|(_, content)| String::from_utf8_lossy(&content[..content.len() - 1]).into_owned())
        .collect()
}

fn kinds(answer: &[Message]) -> String {
    answer.iter().map(|(kind, _)| char::from(*kind)).collect()
}

struct Site {
    server: Server,
    address: String,
    store: String,
    _folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let store = folder.path().join("store").to_str().unwrap().to_owned();
        run_ok(&["init", "--store", &store]);
        let file = folder.path().join("events.ndjson");
        std::fs::write(&file, FIRST).unwrap();
        run_ok(&["import", "--store", &store, file.to_str().unwrap()]);
        let (server, address) = Server::start_with_pg(store.as_ref());
        Self {
            server,
            address,
            store,
            _folder: folder,
        }
    }

    fn token(&self, name: &str, options: &[&str]) -> String {
        make_token(&self.store, name, options)
    }

    fn connect(&self) -> Client {
        Client::connect(&self.address, None).unwrap()
    }
}

#[test]
fn a_token_is_the_password() {
    let site = Site::new();
    // Without tokens, whoever is on this machine is let in.
    let mut early = site.connect();
    let analyst = site.token("ada", &["--role", "analyst"]);
    let viewer = site.token("vera", &["--role", "viewer"]);
    let refused = |password: Option<&str>| Client::connect(&site.address, password).err().map(|told| told.code);
    assert_eq!(refused(None).as_deref(), Some("28P01"));
    assert_eq!(refused(Some("wrong")).as_deref(), Some("28P01"));
    assert_eq!(refused(Some(&viewer)).as_deref(), Some("42501"));
    let mut ada = Client::connect(&site.address, Some(&analyst)).unwrap();
    assert_eq!(ada.rows("SELECT count(*) FROM sessions"), [[Some("3".to_owned())]]);
    // Whoever was let in is asked again with every query.
    early.write(&frame(Some(b'Q'), b"SELECT 1\0"));
    let (kind, content) = early.read().unwrap();
    assert_eq!((kind, Told::of(&content).code.as_str()), (b'E', "28P01"));
    run_ok(&["token", "revoke", "--store", &site.store, "ada"]);
    ada.write(&frame(Some(b'Q'), b"SELECT 1\0"));
    assert_eq!(ada.read().unwrap().0, b'E');
    assert!(ada.read().is_err());
}

#[test]
fn nobody_is_answered_from_elsewhere_without_tokens() {
    let site = Site::new();
    let refused = run(&["serve", "--store", &site.store, "--listen", "127.0.0.1:0", "--pg", "0.0.0.0:0"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("refusing to listen"));
}

#[test]
fn statements_are_answered_one_by_one_and_an_error_ends_nothing() {
    let site = Site::new();
    let mut client = site.connect();
    let answer = client.query("SELECT user_name, licenses FROM sessions WHERE licenses > 1; SELECT 1 AS one, NULL AS nothing");
    assert_eq!(kinds(&answer), "TDCTDCZ");
    assert_eq!(
        rows(&answer),
        [[Some("bob".to_owned()), Some("2".to_owned())], [Some("1".to_owned()), None]]
    );
    assert_eq!(tags(&answer), ["SELECT 1", "SELECT 1"]);
    for (sql, code) in [
        ("SELEC 1", "42601"),
        ("SELECT * FROM nothing", "42P01"),
        ("SELECT nothing FROM sessions", "42703"),
        ("SELECT nothing(1)", "42883"),
        ("SELECT 1 / (licenses - licenses) FROM sessions", "22012"),
        ("DELETE FROM sessions", "25006"),
        ("CREATE TABLE a (b int)", "25006"),
        ("DROP TABLE sessions", "25006"),
        ("COPY sessions TO '/tmp/x'", "42501"),
        ("SET timezone = 'Europe/Nowhere'", "22023"),
        ("SET nonsense = 1", "42704"),
        ("EXECUTE nothing", "25006"),
    ] {
        assert_eq!(client.error(sql), code, "{sql}");
    }
    // The rest of a text with an error in it is not looked at.
    assert_eq!(kinds(&client.query("SELECT 1; SELEC 2; SELECT 3")), "TDCEZ");
    assert_eq!(kinds(&client.query("")), "IZ");
    assert_eq!(client.rows("SELECT 2"), [[Some("2".to_owned())]]);
}

#[test]
fn transactions_are_words_and_nothing_more() {
    let site = Site::new();
    let mut client = site.connect();
    let status = |answer: &[Message]| char::from(answer.last().unwrap().1[0]);
    assert_eq!(status(&client.query("BEGIN")), 'T');
    assert_eq!(client.error("SELEC 1"), "42601");
    assert_eq!(client.error("SELECT 1"), "25P02");
    let ended = client.query("COMMIT");
    assert_eq!((tags(&ended), status(&ended)), (vec!["ROLLBACK".to_owned()], 'I'));
    client.query("BEGIN; DECLARE c CURSOR FOR SELECT user_name FROM sessions ORDER BY 1");
    assert_eq!(
        client.rows("FETCH 2 FROM c"),
        [[Some("alice".to_owned())], [Some("bob".to_owned())]]
    );
    assert_eq!(client.rows("FETCH ALL FROM c"), [[Some("dave".to_owned())]]);
    assert!(client.rows("FETCH c").is_empty());
    client.query("COMMIT");
    assert_eq!(client.error("FETCH c"), "34000");
    assert_eq!(
        client.rows("SET statement_timeout = '7s'; SHOW statement_timeout"),
        [[Some("7s".to_owned())]]
    );
    assert_eq!(client.rows("SHOW TimeZone"), [[Some("UTC".to_owned())]]);
}

#[test]
fn a_statement_takes_values_and_tells_its_types_before_it_runs() {
    let site = Site::new();
    let mut client = site.connect();
    let sql = b"s\0SELECT user_name, licenses, started FROM sessions WHERE licenses >= $1 AND started >= $2 ORDER BY started\0\0\0";
    let mut said = frame(Some(b'P'), sql);
    said.extend(frame(Some(b'D'), b"Ss\0"));
    said.extend(frame(Some(b'S'), b""));
    client.write(&said);
    let answer = client.answer();
    assert_eq!(kinds(&answer), "1tTZ");
    let kind = |place: usize| u32::from_be_bytes(answer[1].1[2 + place * 4..][..4].try_into().unwrap());
    assert!([20, 23].contains(&kind(0)), "{}", kind(0));
    assert_eq!(kind(1), 1184);
    // Both values and all columns in bytes; two rows at a time.
    let mut bind = b"p\0s\0\0\x01\0\x01\0\x02".to_vec();
    let whole = if kind(0) == 20 {
        1_i64.to_be_bytes().to_vec()
    } else {
        1_i32.to_be_bytes().to_vec()
    };
    bind.extend((whole.len() as u32).to_be_bytes());
    bind.extend(whole);
    bind.extend([0, 0, 0, 8]);
    bind.extend(0_i64.to_be_bytes());
    bind.extend(b"\0\x01\0\x01");
    let mut said = frame(Some(b'B'), &bind);
    said.extend(frame(Some(b'E'), b"p\0\0\0\0\x02"));
    said.extend(frame(Some(b'E'), b"p\0\0\0\0\x02"));
    said.extend(frame(Some(b'S'), b""));
    client.write(&said);
    let answer = client.answer();
    assert_eq!(kinds(&answer), "2DDsDCZ");
    let first = values(&answer[1].1);
    assert_eq!(first[0].as_deref(), Some(&b"alice"[..]));
    // Microseconds since 2000.
    let started = i64::from_be_bytes(first[2].clone().unwrap().try_into().unwrap());
    assert_eq!(started, (9557 * 86_400 + 8 * 3600) * 1_000_000);
    // After an error nothing is done until the client says that it has seen it.
    let mut said = frame(Some(b'B'), b"\0nothing\0\0\0\0\0\0\0");
    said.extend(frame(Some(b'E'), b"\0\0\0\0\0"));
    said.extend(frame(Some(b'S'), b""));
    client.write(&said);
    assert_eq!(kinds(&client.answer()), "EZ");
    assert_eq!(client.rows("SELECT 1").len(), 1);
}

#[test]
fn only_who_knows_the_key_stops_a_query() {
    let site = Site::new();
    let mut client = site.connect();
    let cancel = |pid: i32, key: i32| {
        let body = [80_877_102_u32.to_be_bytes(), pid.to_be_bytes(), key.to_be_bytes()].concat();
        let mut socket = TcpStream::connect(&site.address).unwrap();
        socket.write_all(&frame(None, &body)).unwrap();
        assert_eq!(socket.read(&mut [0]).unwrap(), 0);
    };
    client.write(&frame(Some(b'Q'), &[ENDLESS.as_bytes(), b"\0"].concat()));
    wait_for(&site.server, "running");
    cancel(client.pid, client.key.wrapping_add(1));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(state(&site.server), "running");
    let begun = Instant::now();
    cancel(client.pid, client.key);
    let answer = client.answer();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let (_, content) = answer.iter().find(|(kind, _)| *kind == b'E').unwrap();
    assert_eq!(Told::of(content).code, "57014");
    assert_eq!(client.rows("SELECT 1").len(), 1);
    // So does a client that says how long it waits.
    assert_eq!(client.error(&format!("SET statement_timeout = 300; {ENDLESS}")), "57014");
}

#[test]
fn a_client_that_leaves_stops_its_query() {
    let site = Site::new();
    let mut client = site.connect();
    client.write(&frame(Some(b'Q'), &[ENDLESS.as_bytes(), b"\0"].concat()));
    wait_for(&site.server, "running");
    drop(client);
    wait_for(&site.server, "cancelled");
}

/// How the last query stands.
fn state(server: &Server) -> String {
    let queries = server.get("/queries").json();
    queries["data"][0]["state"].as_str().unwrap_or_default().to_owned()
}

fn wait_for(server: &Server, expected: &str) {
    let begun = Instant::now();
    while state(server) != expected {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", server.get("/queries").text());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_limited_token_sees_what_it_sees_elsewhere() {
    let site = Site::new();
    let all = site.token("all", &["--role", "admin"]);
    let limited = site.token("limited", &["--role", "analyst", "--servers", "flex01", "--names", "pseudonym"]);
    let sql = "SELECT s.name, user_name, sessions.host FROM sessions JOIN servers s USING (server_id) ORDER BY started";
    let mut everything = Client::connect(&site.address, Some(&all)).unwrap();
    assert_eq!(everything.rows(sql).len(), 3);
    let mut client = Client::connect(&site.address, Some(&limited)).unwrap();
    let seen = client.rows(sql);
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|row| row[0].as_deref() == Some("flex01")));
    let names = ["alice", "bob", "ws1", "ws2"];
    assert!(
        seen.iter().flatten().flatten().all(|value| !names.contains(&value.as_str())),
        "{seen:?}"
    );
    let headers = [("X-Auth-token", limited.as_str()), ("Content-Type", "text/plain")];
    let over_http = site.server.send("POST", "/sql?format=csv", &headers, sql.as_bytes()).text();
    let lines: Vec<String> = over_http.lines().skip(1).map(str::to_owned).collect();
    let told: Vec<String> = seen
        .iter()
        .map(|row| row.iter().flatten().cloned().collect::<Vec<_>>().join(","))
        .collect();
    assert_eq!(told, lines);
}

#[test]
fn what_no_client_says_hurts_nobody() {
    let site = Site::new();
    let mut others = site.connect();
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0xff; 64],
        &[0, 0, 0, 3, 0, 0, 0, 0],
        &[0, 0, 0, 8, 0, 2, 0, 0],
        &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc],
    ] {
        let mut socket = TcpStream::connect(&site.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.write_all(bytes).unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        let _told_or_not = socket.read_to_end(&mut Vec::new());
    }
    for bytes in [
        [b'Q', 0x7f, 0xff, 0xff, 0xff, b'S'].to_vec(),
        frame(Some(b'!'), b""),
        frame(Some(b'B'), b"\0\0\0\0\0\x02\0\0\0\x7f"),
        frame(Some(b'P'), b"\0SELECT 1"),
    ] {
        let mut client = site.connect();
        client.write(&bytes);
        let (kind, content) = client.read().unwrap();
        assert_eq!((kind, Told::of(&content).code.as_str()), (b'E', "08P01"));
        assert!(client.read().is_err());
    }
    assert_eq!(others.rows("SELECT 1").len(), 1);
}

#[test]
fn there_is_room_for_so_many_and_for_those_who_stop_them() {
    let site = Site::new();
    let mut clients: Vec<Client> = (0..headroom::pg::MOST_SESSIONS).map(|_| site.connect()).collect();
    let refused = Client::connect(&site.address, None).err().unwrap();
    assert_eq!(refused.code, "53300", "{}", refused.message);
    clients.pop();
    let begun = Instant::now();
    while Client::connect(&site.address, None).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn a_server_that_is_told_to_stop_says_so() {
    let mut site = Site::new();
    let mut idle = site.connect();
    site.server.terminate();
    let (kind, content) = idle.read().unwrap();
    assert_eq!((kind, Told::of(&content).code.as_str()), (b'E', "57P01"));
    assert!(idle.read().is_err());
    assert!(site.server.wait().success());
}

#[test]
fn tools_find_what_they_look_for() {
    let site = Site::new();
    let mut client = site.connect();
    let version = client.rows("SELECT version()")[0][0].clone().unwrap();
    assert!(version.starts_with("PostgreSQL 16"), "{version}");
    assert_eq!(
        client.rows("SELECT current_setting('server_version_num')::int / 100 AS v"),
        [[Some("1600".to_owned())]]
    );
    let kinds = client
        .rows("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'sessions' ORDER BY ordinal_position");
    let kind = |name: &str| {
        let row = kinds.iter().find(|row| row[0].as_deref() == Some(name)).unwrap();
        row[1].clone().unwrap()
    };
    assert_eq!(kind("started"), "timestamp with time zone");
    assert_eq!(
        (kind("user_name").as_str(), kind("day").as_str(), kind("licenses").as_str()),
        ("text", "date", "integer")
    );
    let tables = client.rows("SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r'");
    assert!(tables.contains(&vec![Some("sessions".to_owned())]), "{tables:?}");
}
