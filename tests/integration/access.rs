//! Who sees what: a limited caller's answers are those of a store that holds nothing else, whatever it asks.

use std::collections::{BTreeMap, BTreeSet};

use headroom::report::{Catalog, Definition, ParamType};
use serde_json::{Value, json};

use crate::support::{Answer, Server, make_token, run, run_ok};

/// What two license servers recorded. alice and bob use both of them, carol only the first, dave only the second.
const FIRST: &str = r#"
{"time":"2026-03-02T07:00:00Z","event":"server_up","server":"flex01"}
{"time":"2026-03-02T08:00:00Z","event":"session","end":"2026-03-02T12:00:00Z","server":"flex01","feature":"solid","user":"alice","host":"ws1"}
{"time":"2026-03-02T09:00:00Z","event":"session","end":"2026-03-02T10:00:00Z","server":"flex01","feature":"solid","user":"bob","host":"ws2","licenses":2}
{"time":"2026-03-02T11:00:00Z","event":"denial","server":"flex01","feature":"solid","user":"carol","host":"ws3","reason":"licensed number of users already reached","reason_code":-4}
{"time":"2026-03-03T08:00:00Z","event":"checkout","server":"flex01","feature":"mesh","user":"carol","host":"ws3"}
{"time":"2026-03-03T09:30:00Z","event":"checkin","server":"flex01","feature":"mesh","user":"carol","host":"ws3"}
"#;
const SECOND: &str = r#"
{"time":"2026-03-03T07:00:00Z","event":"server_up","server":"flex02"}
{"time":"2026-03-03T08:00:00Z","event":"session","end":"2026-03-03T17:00:00Z","server":"flex02","feature":"solid","user":"alice","host":"ws1"}
{"time":"2026-03-03T08:30:00Z","event":"session","end":"2026-03-03T09:00:00Z","server":"flex02","feature":"render","user":"dave","host":"ws4"}
{"time":"2026-03-03T10:00:00Z","event":"denial","server":"flex02","feature":"render","user":"bob","host":"ws2","licenses":3}
{"time":"2026-03-04T10:00:00Z","event":"denial","server":"flex02","feature":"solid","user":"dave","host":"ws4"}
"#;

/// A store with some of these, served.
struct Site {
    server: Server,
    store: String,
    folder: tempfile::TempDir,
}

impl Site {
    fn new(texts: &[&str]) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let store = folder.path().join("store").to_str().unwrap().to_owned();
        run_ok(&["init", "--store", &store]);
        for (place, text) in texts.iter().enumerate() {
            let file = folder.path().join(format!("{place}.ndjson"));
            std::fs::write(&file, text.trim_start()).unwrap();
            run_ok(&["import", "--store", &store, file.to_str().unwrap()]);
        }
        let server = Server::start(store.as_ref());
        Self { server, store, folder }
    }

    fn token(&self, name: &str, options: &[&str]) -> String {
        make_token(&self.store, name, options)
    }

    fn send(&self, method: &str, token: &str, path: &str, form: &str) -> Answer {
        let headers = [("X-Auth-token", token), ("Content-Type", "application/x-www-form-urlencoded")];
        let headers = if form.is_empty() { &headers[..1] } else { &headers[..] };
        self.server.send(method, path, headers, form.as_bytes())
    }

    fn get(&self, token: &str, path: &str) -> Answer {
        self.send("GET", token, path, "")
    }

    /// The status and the code of an answer.
    fn code(&self, method: &str, token: &str, path: &str, form: &str) -> (u16, Option<u64>) {
        let answer = self.send(method, token, path, form);
        (answer.status, answer.json()["code"].as_u64())
    }

    /// The numbers of the features that a token sees, by server and name.
    fn features(&self, token: &str) -> BTreeMap<(String, String), String> {
        let rows = self.get(token, "/feature/json").json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let rows = rows["data"].as_array().unwrap().iter();
        rows.map(|row| ((text(&row["lsn"]), text(&row["fns"])), row["fid"].to_string()))
            .collect()
    }
}

/// The path of a report with all that it needs.
fn path_of(report: &Definition, feature: &str, format: &str) -> String {
    let path = report.path.replace("{feature}", feature).replace("{format}", format);
    let params = report.params.iter().filter(|param| param.kind != ParamType::Features);
    let params = params.filter_map(|param| {
        let value = match (param.kind, param.name.as_str()) {
            (ParamType::Date, "sd") => "2026-03-01",
            (ParamType::Date, "ed") => "2026-03-05",
            (ParamType::Time, _) => "08:00",
            (ParamType::ClosingTime, _) => "18:00",
            (ParamType::Granularity, _) => "DAY",
            _ if param.required => panic!("what is {} of {}?", param.name, report.name),
            _ => return None,
        };
        Some(format!("{}={value}", param.name))
    });
    format!("{path}?{}", params.collect::<Vec<_>>().join("&"))
}

/// The rows of an answer without the numbers of servers and features, which depend on what else a store holds.
fn rows(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut rows = answer.json()["data"].as_array().unwrap().clone();
    for row in &mut rows {
        for number in ["fid", "lsid"] {
            row.as_object_mut().unwrap().remove(number);
        }
    }
    rows
}

#[test]
fn a_limited_caller_sees_what_a_store_of_its_servers_tells() {
    let both = Site::new(&[FIRST, SECOND]);
    let reports = Catalog::definitions().unwrap();
    let mut compared = 0;
    for (name, text) in [("flex01", FIRST), ("flex02", SECOND)] {
        let alone = Site::new(&[text]);
        let token = both.token(name, &["--role", "viewer", "--servers", name]);
        let (numbers, own) = (both.features(&token), alone.features(""));
        assert_eq!(numbers.keys().collect::<Vec<_>>(), own.keys().collect::<Vec<_>>());
        assert_eq!(own.len(), 2);
        for report in &reports {
            let of_feature = report.path.contains("{feature}");
            let mut asked: Vec<(&str, &str)> = if of_feature {
                numbers.values().map(String::as_str).zip(own.values().map(String::as_str)).collect()
            } else {
                vec![("", "")]
            };
            if of_feature {
                asked.push(("all", "all"));
            }
            for (number, own_number) in asked {
                let seen = both.get(&token, &path_of(report, number, "json"));
                let told = alone.get("", &path_of(report, own_number, "json"));
                assert_eq!(rows(&seen), rows(&told), "{name}: {} of {number}", report.name);
                assert_eq!(seen.json()["totalCount"], told.json()["totalCount"]);
                compared += rows(&told).len();
                let (seen, told) = (
                    both.get(&token, &path_of(report, number, "csv")),
                    alone.get("", &path_of(report, own_number, "csv")),
                );
                if number != "all" {
                    assert_eq!(seen.text(), told.text(), "{name}: {} of {number}", report.name);
                }
            }
        }
    }
    assert!(compared > 60, "there was something to see: {compared} rows");
}

#[test]
fn what_is_not_visible_is_unknown() {
    let site = Site::new(&[FIRST, SECOND]);
    let admin = site.token("admin", &[]);
    let viewer = site.token("viewer", &["--role", "viewer", "--servers", "flex02"]);
    let all = site.features(&admin);
    assert_eq!(all.len(), 4);
    let hidden = &all[&("flex01".to_owned(), "solid".to_owned())];
    let visible = &all[&("flex02".to_owned(), "solid".to_owned())];
    let path = |feature: &str| format!("/report/feature/{feature}/denials/json?sd=2026-03-01&ed=2026-03-05");
    let (unseen, unknown) = (site.get(&viewer, &path(hidden)), site.get(&viewer, &path("99")));
    assert_eq!((unseen.status, unknown.status), (404, 404));
    assert_eq!(unseen.text().replace(&format!("feature {hidden}"), "feature 99"), unknown.text());
    assert_eq!(
        site.code("GET", &viewer, &path(&format!("{visible},{hidden}")), ""),
        (404, Some(1202))
    );
    assert_eq!(site.get(&admin, &path(hidden)).status, 200);
    // A server that nobody has heard of yet is seen as soon as it is there.
    let empty = Site::new(&[]);
    let early = empty.token("early", &["--role", "viewer", "--servers", "flex02"]);
    assert_eq!(empty.get(&early, "/feature/json").json()["totalCount"], 0);
    let file = empty.folder.path().join("both.ndjson");
    std::fs::write(&file, format!("{}{SECOND}", FIRST.trim())).unwrap();
    run_ok(&["import", "--store", &empty.store, file.to_str().unwrap()]);
    assert_eq!(empty.features(&early).len(), 2);
}

#[test]
fn roles_may_what_they_are_for() {
    let site = Site::new(&[FIRST]);
    let admin = site.token("admin", &[]);
    let tokens = ["viewer", "analyst"].map(|role| (role, site.token(role, &["--role", role])));
    let line = r#"{"time":"2026-03-09T10:00:00Z","event":"denial","server":"flex03","feature":"new","user":"u","host":"h"}"#;
    for (role, token) in &tokens {
        let headers = [("X-Auth-token", token.as_str())];
        let refused = site.server.send("POST", "/import", &headers, line.as_bytes());
        assert_eq!((refused.status, refused.json()["code"].as_u64()), (403, Some(1104)));
        let message = refused.json()["msg"].as_str().unwrap().to_owned();
        assert!(message.contains(role) && message.contains("admin"), "{message}");
        assert_eq!(site.code("GET", token, "/feature/json", ""), (200, None));
        assert_eq!(site.code("GET", token, "/tokens", ""), (403, Some(1104)));
        assert_eq!(site.code("POST", token, "/tokens", "name=mine&role=viewer"), (403, Some(1104)));
        assert_eq!(site.code("DELETE", token, "/tokens/admin", ""), (403, Some(1104)));
    }
    assert_eq!(site.features(&admin).len(), 2, "nothing came in");
    let headers = [("X-Auth-token", admin.as_str())];
    assert_eq!(site.server.send("POST", "/import", &headers, line.as_bytes()).status, 200);
    assert_eq!(site.features(&admin).len(), 3);
}

/// The texts of a column.
fn column(rows: &[Value], handle: &str) -> Vec<String> {
    rows.iter().map(|row| row[handle].as_str().unwrap().to_owned()).collect()
}

fn is_pseudonym(text: &str, prefix: &str) -> bool {
    let letters = text.strip_prefix(prefix).unwrap_or_default();
    letters.len() == 16
        && letters
            .bytes()
            .all(|letter| letter.is_ascii_lowercase() || (b'2'..=b'7').contains(&letter))
}

#[test]
fn pseudonyms_are_stable_and_say_nothing() {
    let mut site = Site::new(&[FIRST, SECOND]);
    let plain = site.token("plain", &["--role", "viewer"]);
    let hidden = site.token("hidden", &["--role", "viewer", "--names", "pseudonym"]);
    let denials = "/report/feature/all/denials/json?sd=2026-03-01&ed=2026-03-05";
    let (told, first) = (rows(&site.get(&plain, denials)), rows(&site.get(&hidden, denials)));
    assert_eq!(column(&told, "un"), ["carol", "dave", "bob"]);
    let (users, hosts) = (column(&first, "un"), column(&first, "hn"));
    assert!(users.iter().all(|user| is_pseudonym(user, "user-")), "{users:?}");
    assert!(hosts.iter().all(|host| is_pseudonym(host, "host-")), "{hosts:?}");
    assert_eq!(users.iter().collect::<BTreeSet<_>>().len(), 3);
    // Everything else is as it was.
    let others = |rows: &[Value]| rows.iter().map(|row| (row["ldt"].clone(), row["ldtc"].clone())).collect::<Vec<_>>();
    assert_eq!(others(&first), others(&told));
    assert_eq!(rows(&site.get(&hidden, denials)), first, "over requests");
    site.server = Server::start(site.store.as_ref());
    assert_eq!(rows(&site.get(&hidden, denials)), first, "over restarts");

    let csv = site.get(&hidden, &denials.replace("json", "csv")).text();
    assert!(users.iter().chain(&hosts).all(|name| csv.contains(name.as_str())), "{csv}");
    for report in Catalog::definitions().unwrap() {
        for format in ["json", "csv", "ndjson", "html", "svg"] {
            let text = site.get(&hidden, &path_of(&report, "all", format)).text();
            for name in ["alice", "bob", "carol", "dave", "ws1", "ws2", "ws3", "ws4"] {
                assert!(!text.contains(name), "{} as {format} tells {name}: {text}", report.name);
            }
        }
        if !report.columns.iter().any(|column| ["un", "hn"].contains(&column.name.as_str())) {
            let path = path_of(&report, "all", "json");
            assert_eq!(
                rows(&site.get(&hidden, &path)),
                rows(&site.get(&plain, &path)),
                "{}: counts are the same",
                report.name
            );
        }
    }

    let other = Site::new(&[FIRST, SECOND]);
    let token = other.token("hidden", &["--role", "viewer", "--names", "pseudonym"]);
    let elsewhere = column(&rows(&other.get(&token, denials)), "un");
    assert!(
        elsewhere.iter().all(|user| !users.contains(user)),
        "another store has other pseudonyms"
    );
}

#[test]
fn nobody_is_told_that_another_ones_answer_has_not_changed() {
    let site = Site::new(&[FIRST, SECOND]);
    let callers = [
        ("all", &[][..]),
        ("one", &["--servers", "flex01"][..]),
        ("two", &["--servers", "flex02"][..]),
        ("hidden", &["--names", "pseudonym"][..]),
    ];
    let tokens = callers.map(|(name, options)| site.token(name, &[&["--role", "viewer"], options].concat()));
    let path = "/feature/json";
    let tags = tokens
        .each_ref()
        .map(|token| site.get(token, path).header("etag").map(str::to_owned));
    // A tag would tell a caller who sees some servers alone that the store changed elsewhere.
    assert_eq!(tags.each_ref().map(Option::is_some), [true, false, false, true]);
    for (caller, token) in tokens.iter().enumerate() {
        for (other, tag) in tags.iter().enumerate() {
            let tag = tag.as_deref().unwrap_or("*");
            let headers = [("X-Auth-token", token.as_str()), ("If-None-Match", tag)];
            let status = site.server.send("GET", path, &headers, b"").status;
            let is_known = tags[caller].is_some() && (caller == other || tag == "*");
            assert_eq!(status, if is_known { 304 } else { 200 }, "{caller} shows the tag of {other}");
        }
    }
}

#[test]
fn a_filter_on_names_is_a_filter_on_what_is_seen() {
    let site = Site::new(&[FIRST, SECOND]);
    let hidden = site.token("hidden", &["--role", "viewer", "--names", "pseudonym"]);
    let path = "/report/feature/all/denials/json?sd=2026-03-01&ed=2026-03-05";
    let all = rows(&site.get(&hidden, path));
    let filtered = |value: &str| {
        let filter = format!("%5B%7B%22property%22:%22un%22,%22operator%22:%22eq%22,%22value%22:%22{value}%22%7D%5D");
        rows(&site.get(&hidden, &format!("{path}&filter={filter}")))
    };
    assert_eq!(filtered("carol"), Vec::<Value>::new());
    assert_eq!(filtered(all[0]["un"].as_str().unwrap()), all[..1]);
}

#[test]
fn a_server_and_hidden_names_are_hidden_together() {
    let site = Site::new(&[FIRST, SECOND]);
    let both = site.token("both", &["--role", "analyst", "--servers", "flex02", "--names", "pseudonym"]);
    let seen = rows(&site.get(&both, "/report/feature/all/denials/json?sd=2026-03-01&ed=2026-03-05"));
    assert_eq!(seen.len(), 2);
    assert!(column(&seen, "un").iter().all(|user| is_pseudonym(user, "user-")));
    // Worked out by hand from the events of the second server: alice and dave hold on the third, bob and dave are denied.
    let count = site.get(&both, "/report/users/realtime-count/json?ed=2026-03-04").json();
    assert_eq!(
        count["data"],
        json!([
            {"ucd": "2026-03-03", "uct": 2, "ucdy": 2, "ucde": 1, "ucch": 2},
            {"ucd": "2026-03-04", "uct": 2, "ucdy": 0, "ucde": 1, "ucch": 0},
        ])
    );
}

#[test]
fn tokens_are_made_listed_and_revoked_over_http() {
    let site = Site::new(&[FIRST, SECOND]);
    // Without a token in the store, callers on this machine are admins.
    assert_eq!(
        site.code("POST", "", "/tokens", "name=root&role=admin"),
        (403, Some(1106)),
        "the first one shuts others out"
    );
    let first = make_token(&site.store, "first", &[]);
    assert_eq!(
        site.code("POST", &first, "/tokens", "name=root"),
        (400, Some(1001)),
        "no role is anybody's guess"
    );
    let made = site.send("POST", &first, "/tokens", "name=root&role=admin").json();
    run_ok(&["token", "revoke", "--store", &site.store, "first"]);
    let admin = made["data"][0]["token"].as_str().unwrap().to_owned();
    assert_eq!((admin.len(), &made["totalCount"], &made["success"]), (64, &json!(1), &json!(true)));
    assert_eq!(
        site.code("GET", "", "/tokens", ""),
        (401, Some(1102)),
        "from now on everybody shows one"
    );

    let form = "name=works+council/1&role=viewer&servers=flex02,flex01&names=pseudonym";
    let made = site.send("POST", &admin, "/tokens", form);
    assert_eq!(made.status, 200, "{}", made.text());
    let viewer = made.json()["data"][0]["token"].as_str().unwrap().to_owned();
    let listed = site.get(&admin, "/tokens");
    assert_eq!(listed.header("cache-control"), Some("no-store"));
    let text = listed.text();
    assert!(
        text.starts_with(r#"{"success":true,"msg":"","data":[{"name":"root","role":"admin","servers":null,"names":"plain","created":"20"#),
        "{text}"
    );
    assert!(text.ends_with(r#"],"code":null,"totalCount":2}"#), "{text}");
    assert!(!text.contains(&admin) && !text.contains(&viewer), "tokens are shown once");
    let council = &listed.json()["data"][1];
    assert_eq!(
        (&council["name"], &council["servers"], &council["names"]),
        (&json!("works council/1"), &json!(["flex01", "flex02"]), &json!("pseudonym"))
    );
    let told = run_ok(&["token", "list", "--store", &site.store]);
    assert!(told.contains("works council/1  viewer  flex01,flex02  pseudonym  20"), "{told}");

    let refused = |form: &str| site.code("POST", &admin, "/tokens", form);
    assert_eq!(refused("name=root&role=admin"), (409, Some(1401)));
    assert_eq!(refused("role=viewer"), (400, Some(1001)));
    assert_eq!(refused("name=&role=admin"), (400, Some(1002)));
    assert_eq!(refused("name=x&role=Admin"), (400, Some(1002)));
    assert_eq!(refused("name=x&names=none"), (400, Some(1002)));
    assert_eq!(refused("name=x&role=admin&servers="), (400, Some(1002)));
    assert_eq!(refused("name=x&server=flex01"), (400, Some(1004)));
    assert_eq!(refused("name=x&name=y"), (400, Some(1003)));
    let unknown = site
        .send("POST", &admin, "/tokens", "name=x&role=admin&servers=flex01,flex09")
        .text();
    assert!(unknown.contains("flex09") && unknown.contains("flex01, flex02"), "{unknown}");

    assert_eq!(site.code("GET", &viewer, "/feature/json", ""), (200, None));
    assert_eq!(site.code("DELETE", &admin, "/tokens/works%20council%2F1", ""), (200, None));
    assert_eq!(site.code("GET", &viewer, "/feature/json", ""), (401, Some(1102)), "revoked at once");
    assert_eq!(site.code("DELETE", &admin, "/tokens/works%20council%2F1", ""), (404, Some(1204)));
    assert_eq!(site.code("PUT", &admin, "/tokens", ""), (405, Some(1301)));
}

#[test]
fn an_admin_of_one_server_gives_away_no_more_than_that() {
    let site = Site::new(&[FIRST, SECOND]);
    site.token("root", &[]);
    let admin = site.token("admin", &["--servers", "flex01", "--names", "pseudonym"]);
    let names = |listed: &Value| column(listed["data"].as_array().unwrap(), "name");
    assert_eq!(names(&site.get(&admin, "/tokens").json()), ["admin"]);
    for form in [
        "name=x&role=admin",
        "name=x&role=admin&servers=flex01",
        "name=x&role=admin&names=pseudonym",
        "name=x&role=admin&servers=flex01,flex02&names=pseudonym",
    ] {
        assert_eq!(site.code("POST", &admin, "/tokens", form), (403, Some(1104)), "{form}");
    }
    assert_eq!(
        site.code("POST", &admin, "/tokens", "name=x&role=admin&servers=flex01&names=pseudonym"),
        (200, None)
    );
    assert_eq!(site.code("DELETE", &admin, "/tokens/root", ""), (404, Some(1204)));
    assert_eq!(site.code("DELETE", &admin, "/tokens/x", ""), (200, None));
}

#[test]
fn the_command_line_says_what_a_token_may_be() {
    let site = Site::new(&[FIRST, SECOND]);
    let refused = |options: &[&str], words: &[&str]| {
        let output = run(&[&["token", "create", "--store", &site.store, "x"], options].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && words.iter().all(|word| said.contains(word)), "{said}");
    };
    refused(&[], &["--role"]);
    refused(&["--role", "admin", "--servers", "flex01,flex09"], &["flex09", "flex01, flex02"]);
    refused(&["--role", "owner"], &["admin", "analyst", "viewer"]);
    refused(&["--role", "admin", "--names", "none"], &["plain", "pseudonym"]);
    assert!(!run_ok(&["token", "list", "--store", &site.store]).contains('x'));
    let help = run_ok(&["token", "create", "--help"]);
    for word in ["--role", "--servers", "--names", "X-Auth-token", "analyst"] {
        assert!(help.contains(word), "{help}");
    }
}

#[test]
fn imports_are_listed_and_undone_over_http_by_those_who_see_all_of_their_servers() {
    let both = [FIRST.trim(), SECOND.trim()].join("\n");
    let site = Site::new(&[FIRST, SECOND, &both]);
    let admin = site.token("admin", &[]);
    let limited = site.token("first", &["--role", "admin", "--servers", "flex01"]);
    let viewer = site.token("viewer", &["--role", "viewer"]);
    let numbers = |answer: &Answer| -> Vec<Value> {
        let json = answer.json();
        json["data"].as_array().unwrap().iter().map(|row| row["number"].clone()).collect()
    };
    let listed = site.get(&admin, "/imports");
    assert_eq!(numbers(&listed), [json!(1), json!(2), json!(3)]);
    let first = &listed.json()["data"][0];
    let expected = json!({
        "number": 1, "at": first["at"], "file": "0.ndjson", "servers": ["flex01"], "zone": "UTC", "dialect": "ndjson",
        "first": "2026-03-02 07:00:00", "last": "2026-03-03 09:30:00", "events": 6, "undatedLines": 0, "unparsedLines": 0,
        "supersededBy": null, "undone": null,
    });
    assert_eq!(*first, expected);
    assert_eq!(listed.json()["data"][2]["servers"], json!(["flex01", "flex02"]));
    assert_eq!(
        numbers(&site.get(&limited, "/imports")),
        [json!(1)],
        "the third is of another server as well"
    );

    for (method, path) in [("GET", "/imports"), ("DELETE", "/imports/1")] {
        assert_eq!(site.code(method, &viewer, path, ""), (403, Some(1104)));
    }
    for path in ["/imports/2", "/imports/3", "/imports/9", "/imports/x", "/imports/-1"] {
        assert_eq!(site.code("DELETE", &limited, path, ""), (404, Some(1206)), "{path}");
    }
    let message = site.send("DELETE", &limited, "/imports/3", "").json()["msg"].to_string();
    assert!(message.contains("there is import 1") && !message.contains("flex02"), "{message}");
    assert_eq!(site.code("DELETE", &admin, "/imports/1?dryrun=1", ""), (400, Some(1004)));
    assert_eq!(site.code("DELETE", &admin, "/imports/1?dry-run=maybe", ""), (400, Some(1002)));
    assert_eq!(site.code("DELETE", &admin, "/imports/1?dry-run=1&dry-run=1", ""), (400, Some(1003)));
    assert_eq!(site.code("GET", &admin, "/imports?x=1", ""), (400, Some(1004)));

    // All that the first two tell, the third tells too.
    let features = site.features(&admin);
    let trial = site.send("DELETE", &admin, "/imports/3?dry-run=1", "").json()["data"][0].clone();
    assert_eq!(
        trial,
        json!({ "number": 3, "file": "2.ndjson", "events": 0, "days": 0, "servers": [], "features": [], "dryRun": true })
    );
    assert_eq!(site.send("DELETE", &admin, "/imports/3", "").status, 200);
    assert_eq!(site.features(&admin), features);
    assert_eq!(site.code("DELETE", &admin, "/imports/3", ""), (409, Some(1403)));
    let undone = site.send("DELETE", &limited, "/imports/1", "").json()["data"][0].clone();
    assert_eq!(undone["events"], 6);
    assert_eq!(undone["servers"], json!(["flex01"]));
    assert!(site.features(&admin).keys().all(|(server, _)| server == "flex02"));
    assert_ne!(site.get(&admin, "/imports").json()["data"][0]["undone"], Value::Null);
}

#[test]
fn an_admin_of_one_server_imports_events_of_it_alone() {
    let site = Site::new(&[FIRST, SECOND]);
    let root = site.token("root", &["--role", "admin"]);
    let admin = site.token("admin", &["--role", "admin", "--servers", "flex01"]);
    let import = |token: &str, query: &str, server: &str| {
        let line = format!("{{\"time\":\"2026-03-04T09:00:00Z\",\"event\":\"denial\",{server}\"feature\":\"new\",\"user\":\"kim\"}}\n");
        site.server
            .send("POST", &format!("/import{query}"), &[("X-Auth-token", token)], line.as_bytes())
    };
    let features = || site.features(&root).len();
    let before = features();
    for (query, server) in [
        ("?server=flex02", ""),
        ("?server=flex01", "\"server\":\"flex02\","),
        ("?server=flex09", ""),
    ] {
        let answer = import(&admin, query, server);
        assert_eq!(
            (answer.status, answer.json()["code"].clone()),
            (403, 1104.into()),
            "{query} {server}"
        );
    }
    assert_eq!(features(), before, "nothing of them is in the store");
    let own = import(&admin, "?server=flex01", "");
    assert_eq!((own.status, own.json()["duplicates"].clone()), (200, 0.into()), "{}", own.text());
    assert_eq!(features(), before + 1);
}
