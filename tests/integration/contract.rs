//! The contract of requests, row by row, over a real socket.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Server, run_ok};

const DENIALS: &str = "/report/feature/1/denials";
const RANGE: &str = "sd=2026-03-02&ed=2026-03-03";

/// A store with the sample log, served.
struct Served {
    server: Server,
    _folder: tempfile::TempDir,
}

fn served() -> Served {
    let folder = tempfile::TempDir::new().unwrap();
    let store = folder.path().join("store").to_str().unwrap().to_owned();
    let log = format!("{}/data/acme.log", env!("CARGO_MANIFEST_DIR"));
    run_ok(&[
        "import",
        "--store",
        &store,
        "--server",
        "flex01",
        "--timezone",
        "Europe/Berlin",
        &log,
    ]);
    let server = Server::start(store.as_ref());
    Served { server, _folder: folder }
}

/// Checks that an answer is the error envelope and returns its message.
fn refused(server: &Server, path: &str, status: u16, code: u64) -> String {
    let answer = server.get(path);
    envelope(&answer, status, code, path)
}

fn envelope(answer: &crate::support::Answer, status: u16, code: u64, what: &str) -> String {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"), "{what}");
    let body = answer.json();
    assert_eq!(
        (&body["success"], &body["data"], &body["code"]),
        (&json!(false), &json!([]), &json!(code)),
        "{what}"
    );
    let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys.iter().copied().collect::<BTreeSet<_>>().len(), 5);
    body["msg"].as_str().unwrap().to_owned()
}

#[test]
fn an_envelope_has_its_keys_in_order() {
    let served = served();
    let server = &served.server;
    let answer = server.get(&format!("{DENIALS}/JSON?{RANGE}").replace("/1/", "/2/"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.whole);
    assert_eq!(
        answer.text(),
        concat!(
            r#"{"success":true,"msg":"","data":[{"ldt":"2026-03-02 10:00:00","ldtc":1,"un":"cleo","hn":"ws3"},"#,
            r#"{"ldt":"2026-03-02 11:00:00","ldtc":2,"un":"ben","hn":"ws2"}],"code":null,"totalCount":2,"#,
            // Two sessions ended when the server crashed, one when it stopped.
            r#""quality":{"orphanCheckins":0,"openSessions":0,"ambiguousMatches":0,"truncatedByRestart":3,"undatedLines":0,"unparsedLines":0,"#,
            r#""covered":[{"server":"flex01/acme","from":"2026-03-02 08:00:05","to":"2026-03-03 17:00:00"}]}}"#
        )
    );
    let errors = server.get(&format!("{DENIALS}/json"));
    assert!(errors.text().starts_with(r#"{"success":false,"msg":""#), "{}", errors.text());
    assert!(
        errors.text().ends_with(r#","data":[],"code":1001,"totalCount":0}"#),
        "{}",
        errors.text()
    );
}

#[test]
fn csv_is_rfc_4180_with_full_names_and_a_file_name() {
    let served = served();
    let server = &served.server;
    let answer = server.get(&format!("/report/feature/2/denials/csv?{RANGE}"));
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(
        answer.header("content-disposition"),
        Some("attachment; filename=\"denials-2-2026-03-02-2026-03-03.csv\"")
    );
    assert_eq!(
        answer.text(),
        "Date,Denials,User,Host\r\n2026-03-02 10:00:00,1,cleo,ws3\r\n2026-03-02 11:00:00,2,ben,ws2\r\n"
    );
}

#[test]
fn get_and_post_mean_the_same() {
    let served = served();
    let server = &served.server;
    let get = server.get(&format!("/report/feature/2/denials/json?{RANGE}"));
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let post = server.send("POST", "/report/feature/2/denials/json", &form, RANGE.as_bytes());
    assert_eq!((post.status, post.text()), (200, get.text()));
    let mixed = server.send("POST", "/report/feature/2/denials/json?sd=2026-03-02", &form, b"ed=2026-03-03");
    assert_eq!(mixed.text(), get.text());
    let twice = server.send("POST", &format!("/report/feature/2/denials/json?{RANGE}"), &form, b"ed=2026-03-03");
    assert!(envelope(&twice, 400, 1003, "twice").contains("\"ed\""));
    let path_twice = server.get(&format!("/report/feature/2/denials/json?{RANGE}&feature=2"));
    envelope(&path_twice, 400, 1003, "feature in path and query");
    let alias_twice = server.get(&format!("/report/feature/2/denials/grouped/json?{RANGE}&grat=5&granularity=5"));
    envelope(&alias_twice, 400, 1003, "both names of one parameter");
}

#[test]
fn wrong_parameters_are_named() {
    let served = served();
    let server = &served.server;
    for (query, code, words) in [
        ("", 1001, vec!["\"sd\"", "YYYY-MM-DD"]),
        ("sd=2026-03-02", 1001, vec!["\"ed\""]),
        ("sd=2026-3-2&ed=2026-03-03", 1002, vec!["\"sd\"", "2026-3-2", "YYYY-MM-DD"]),
        ("sd=2026-02-30&ed=2026-03-03", 1002, vec!["\"sd\"", "2026-02-30"]),
        ("sd=2026-03-03&ed=2026-03-02", 1003, vec!["\"sd\"", "2026-03-03", "2026-03-02"]),
        ("sd=2026-03-02&ed=2026-03-03&limt=5", 1004, vec!["\"limt\"", "limit"]),
        ("sd=2026-03-02&ed=2026-03-03&limit=0", 1002, vec!["\"limit\"", "greater than zero"]),
        ("sd=2026-03-02&ed=2026-03-03&limit=ten", 1002, vec!["\"limit\""]),
        ("sd=2026-03-02&ed=2026-03-03&offset=-1", 1002, vec!["\"offset\"", "-1"]),
        ("sd=2026-03-02&ed=2026-03-03&rn=", 1002, vec!["\"rn\"", "not empty"]),
        ("sd=2026-03-02&ed=2026-03-03&tz=Berlin", 1002, vec!["\"tz\"", "Europe/Berlin"]),
        ("sd=2026-03-02&ed=2026-03-03&reason=bad", 1002, vec!["\"reason\"", "not_entitled"]),
        ("sd=2026-03-02&sd=2026-03-02&ed=2026-03-03", 1003, vec!["\"sd\""]),
        ("sd=0000-01-01&ed=2026-03-03", 1002, vec!["\"sd\""]),
    ] {
        let message = refused(server, &format!("{DENIALS}/json?{query}"), 400, code);
        assert!(words.iter().all(|word| message.contains(word)), "{query}: {message}");
        // The same in every format.
        assert_eq!(refused(server, &format!("{DENIALS}/csv?{query}"), 400, code), message);
    }
    let utilization = format!("/report/feature/2/utilization-history/json?{RANGE}");
    for (query, code, word) in [
        ("", 1001, "\"st\""),
        ("&st=09:00", 1001, "\"et\""),
        ("&st=24:00&et=24:00", 1002, "\"st\""),
        ("&st=9&et=17:00", 1002, "\"st\""),
        ("&st=09:00&et=24:30", 1002, "\"et\""),
        ("&st=09:00&et=17:00&incd=maybe", 1002, "\"incd\""),
    ] {
        let message = refused(server, &format!("{utilization}{query}"), 400, code);
        assert!(message.contains(word), "{query}: {message}");
    }
    let grouped = format!("/report/feature/2/denials/grouped/json?{RANGE}");
    assert!(refused(server, &grouped, 400, 1001).contains("\"grat\""));
    let ages = "/report/feature/2/denials/grouped/json?sd=0001-01-01&ed=9999-12-31";
    assert!(refused(server, &format!("{ages}&grat=6"), 400, 1003).contains("at most 5000000"));
    assert_eq!(server.get(&format!("{ages}&grat=YEAR&limit=1")).json()["totalCount"], 9999);
    let all_days = "/report/feature/2/utilization-history/json?sd=0001-01-01&ed=9999-12-31&st=00:00&et=24:00";
    assert_eq!(server.get(all_days).json()["totalCount"], 2);
    assert!(refused(server, &format!("{grouped}&grat=7"), 400, 1002).contains("QUARTER or 2"));
    assert!(refused(server, "/report/users/realtime-count/json?model=2020", 400, 1002).contains("2013, 2019"));
}

#[test]
fn what_is_not_there_is_404_and_what_makes_no_sense_400() {
    let served = served();
    let server = &served.server;
    assert!(refused(server, &format!("/report/feature/99/denials/json?{RANGE}"), 404, 1202).contains("99"));
    assert!(refused(server, &format!("/report/feature/1,99/denials/json?{RANGE}"), 404, 1202).contains("99"));
    assert!(refused(server, &format!("/report/feature/99999999999/denials/json?{RANGE}"), 400, 1002).contains("\"feature\""));
    assert!(refused(server, &format!("/report/feature/cat/denials/json?{RANGE}"), 404, 1202).contains("did you mean \"cad\""));
    assert!(refused(server, &format!("/report/feature/1,/denials/json?{RANGE}"), 400, 1002).contains("\"feature\""));
    for path in [
        "",
        "/",
        "/report",
        "/report/feature/1/approvals/json",
        "/report/feature/1/denials/",
        "/reports/json/x",
    ] {
        refused(server, path, 404, 1201);
    }
    for format in ["xml", "jsn", "csv2"] {
        let message = refused(server, &format!("{DENIALS}/{format}?{RANGE}"), 400, 1005);
        assert!(message.contains("json, csv") && message.contains(format), "{message}");
    }
}

#[test]
fn methods_and_bodies_that_make_no_sense_are_refused() {
    let served = served();
    let server = &served.server;
    for method in ["PUT", "DELETE", "PATCH"] {
        let answer = server.send(method, &format!("{DENIALS}/json?{RANGE}"), &[], b"");
        envelope(&answer, 405, 1301, method);
        assert!(
            answer
                .header("allow")
                .is_some_and(|allow| allow.contains("GET") && allow.contains("POST")),
            "{answer:?}"
        );
    }
    envelope(&server.get("/import"), 405, 1301, "GET import");
    let json = [("Content-Type", "application/json")];
    let answer = server.send("POST", &format!("{DENIALS}/json"), &json, br#"{"sd":"2026-03-02"}"#);
    assert!(envelope(&answer, 415, 1303, "json body").contains("application/x-www-form-urlencoded"));
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = server.send("POST", &format!("{DENIALS}/json"), &form, &vec![b'a'; 2 * 1024 * 1024]);
    envelope(&answer, 413, 1302, "a form of 2 MiB");
    let head = server.send("HEAD", &format!("{DENIALS}/json?{RANGE}"), &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn pages_put_together_are_the_whole() {
    let served = served();
    let server = &served.server;
    let path = format!("/report/feature/2/denials/grouped/json?{RANGE}&grat=HOUR");
    let rows = |query: &str| {
        let answer = server.get(&format!("{path}{query}"));
        let body = answer.json();
        assert_eq!(body["totalCount"], 48, "{query}");
        body["data"].as_array().unwrap().clone()
    };
    let whole = rows("");
    assert_eq!(whole.len(), 48);
    let pages: Vec<Value> = (0..7).flat_map(|page| rows(&format!("&limit=7&offset={}", page * 7))).collect();
    assert_eq!(pages, whole);
    assert!(rows("&offset=48").is_empty());
    assert!(rows("&offset=1000&limit=1").is_empty());
    assert_eq!(rows("&offset=40"), whole[40..]);
    let csv = server.get(&format!("{path}&limit=2&offset=9").replace("/json", "/csv"));
    assert_eq!(csv.text(), "Date,Denials\r\n2026-03-02 09:00,0\r\n2026-03-02 10:00,1\r\n");
}

#[test]
fn several_features_have_a_row_each_and_say_of_which() {
    let served = served();
    let server = &served.server;
    let rows = |features: &str, report: &str| server.get(&format!("/report/feature/{features}/{report}")).json()["data"].clone();
    let grouped = format!("denials/grouped/json?{RANGE}&grat=MONTH");
    assert_eq!(
        rows("4,2", &grouped),
        json!([
            {"fid": 2, "fns": "cad", "lsn": "flex01", "ldt": "2026-03", "ldtc": 3},
            {"fid": 4, "fns": "solver", "lsn": "flex01", "ldt": "2026-03", "ldtc": 1},
        ])
    );
    assert_eq!(rows("all", &grouped).as_array().unwrap().len(), 4);
    assert_eq!(rows("2", &grouped), json!([{"ldt": "2026-03", "ldtc": 3}]));
    let utilization = format!("utilization-history/json?{RANGE}&st=09:00&et=17:00");
    let all = rows("ALL", &utilization);
    let levels: Vec<(i64, i64)> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["fid"].as_i64().unwrap(), row["lc"].as_i64().unwrap()))
        .collect();
    assert_eq!(levels, [(2, 1), (2, 2), (3, 1), (3, 2), (3, 3)]);
}

#[test]
fn older_paths_and_names_still_work() {
    let served = served();
    let server = &served.server;
    let same = |a: &str, b: &str| {
        let (a, b) = (server.get(a), server.get(b));
        assert_eq!((a.status, a.text()), (200, b.text()));
    };
    same(
        &format!("/report/denials/2/json?{RANGE}"),
        &format!("/report/feature/2/denials/json?{RANGE}"),
    );
    same("/feature/json", "/report/feature/json");
    let grouped = format!("/report/feature/2/denials/grouped/json?{RANGE}");
    same(&format!("{grouped}&grat=5"), &format!("{grouped}&granularity=day"));
}

#[test]
fn quick_filters_narrow_the_features() {
    let served = served();
    let server = &served.server;
    let names = |query: &str| -> Vec<String> {
        let body = server.get(&format!("/feature/json?{query}")).json();
        body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["fns"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(""), ["cad", "mesh", "solver", "suite"]);
    assert_eq!(names("fns=S"), ["mesh", "solver", "suite"]);
    assert_eq!(names("vn=ACME&fns=cad&lsn=flex&ftype=floating&gtn=imported"), ["cad"]);
    assert_eq!(names("gtn=Realtime"), [""; 0]);
    assert_eq!(names("fns=%25"), [""; 0], "a percent sign is a percent sign");
    assert_eq!(names("fns=x%27+or+1%3D1+--"), [""; 0]);
}

#[test]
fn times_are_those_of_the_zone_that_is_asked_for() {
    let served = served();
    let server = &served.server;
    let first = |query: &str| server.get(&format!("/report/feature/2/denials/json?{query}")).json()["data"][0]["ldt"].clone();
    assert_eq!(first(RANGE), "2026-03-02 10:00:00");
    assert_eq!(first(&format!("{RANGE}&tz=UTC")), "2026-03-02 09:00:00");
    assert_eq!(first(&format!("{RANGE}&tz=Asia/Kolkata")), "2026-03-02 14:30:00");
    assert_eq!(first("sd=2026-03-01&ed=2026-03-01&tz=Pacific/Pago_Pago"), "2026-03-01 22:00:00");
}

#[test]
fn formulas_are_defused_and_json_is_not_changed() {
    let served = served();
    let line = |user: &str| {
        format!(
            "{{\"time\":\"2026-03-02T10:00:00Z\",\"event\":\"denial\",\"server\":\"x\",\"feature\":\"evil\",\"user\":{},\"host\":\"a,\\\"b\\\"\"}}\n",
            json!(user)
        )
    };
    let users = ["=1+1", "+1", "-1", "@x", "\tx", "ok"];
    let body: String = users.iter().map(|user| line(user)).collect();
    let imported = served.server.send("POST", "/import", &[], body.as_bytes());
    assert_eq!(imported.status, 200, "{}", imported.text());
    let feature = served.server.get("/feature/json?fns=evil").json()["data"][0]["fid"].to_string();
    let csv = served.server.get(&format!("/report/feature/{feature}/denials/csv?{RANGE}")).text();
    for user in ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "ok"] {
        assert!(csv.contains(&format!(",1,{user},\"a,\"\"b\"\"\"\r\n")), "{user}: {csv}");
    }
    let rows = served.server.get(&format!("/report/feature/{feature}/denials/json?{RANGE}")).json();
    let told: Vec<&str> = rows["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["un"].as_str().unwrap())
        .collect();
    assert_eq!(told.iter().collect::<BTreeSet<_>>(), users.iter().collect::<BTreeSet<_>>());
}
