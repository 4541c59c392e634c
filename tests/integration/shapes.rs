//! Shapes of answers that spreadsheets and dashboards ask for: a byte order mark, bare arrays, instants as days, and what a page shows.

use headroom::access::{Access, Names, Role};
use serde_json::{Value, json};

use crate::readers;
use crate::support::{Server, Store, run, run_ok};

fn store() -> Store {
    let store = Store::new("Europe/Berlin");
    let denial = |time: &str, user: &str| {
        format!(
            "{}\n",
            json!({"time": time, "event": "denial", "server": "s", "feature": "f", "user": user, "host": "h", "reason": "Licensed number of users already reached", "reason_code": -4})
        )
    };
    store.import(
        "x.ndjson",
        &[
            denial("2016-03-01T22:59:59Z", "=1+1"),
            denial("2016-03-01T23:00:00Z", "bäß"),
            denial("2016-03-05T12:00:00Z", "cleo"),
        ]
        .concat(),
    );
    store
}

const DAYS: [(&str, &str); 3] = [("feature", "f"), ("sd", "2016-03-01"), ("ed", "2016-03-05")];

fn bytes(store: &Store, report: &str, format: &str, params: &[(&str, &str)]) -> Vec<u8> {
    store
        .render(report, format, params)
        .unwrap_or_else(|error| panic!("{report} {format} {params:?}: {error}"))
}

#[test]
fn a_byte_order_mark_comes_first_when_it_is_asked_for() {
    let store = store();
    let plain = bytes(&store, "denials", "csv", &DAYS);
    assert!(plain.starts_with(b"Date,"));
    let marked = bytes(&store, "denials", "csv", &[&DAYS[..], &[("bom", "1")]].concat());
    assert_eq!(marked, [b"\xEF\xBB\xBF", &plain[..]].concat());
    assert_eq!(bytes(&store, "denials", "csv", &[&DAYS[..], &[("bom", "0")]].concat()), plain);
    let nothing = [("feature", "f"), ("sd", "2020-01-01"), ("ed", "2020-01-01"), ("bom", "true")];
    assert_eq!(bytes(&store, "denials", "csv", &nothing), b"\xEF\xBB\xBFDate,Denials,User,Host\r\n");
}

#[test]
fn an_array_has_the_rows_of_the_envelope() {
    let store = store();
    let none = [("feature", "f"), ("sd", "2020-01-01"), ("ed", "2020-01-01")];
    for params in [&DAYS[..], &none] {
        for report in ["denials", "grouped-denials"] {
            let params = [params, &[("grat", "DAY")][..usize::from(report != "denials")]].concat();
            let array: Value =
                serde_json::from_slice(&bytes(&store, report, "json", &[&params[..], &[("shape", "array")]].concat())).unwrap();
            assert_eq!(array.as_array().unwrap(), &store.rows(report, &params));
            let envelope = bytes(&store, report, "json", &[&params[..], &[("shape", "envelope")]].concat());
            assert_eq!(envelope, bytes(&store, report, "json", &params));
        }
    }
    let paged = [&DAYS[..], &[("shape", "array"), ("limit", "1"), ("offset", "1")]].concat();
    let array: Value = serde_json::from_slice(&bytes(&store, "denials", "json", &paged)).unwrap();
    assert_eq!(array.as_array().unwrap().len(), 1);
}

#[test]
fn an_instant_is_its_day_in_the_zone_of_the_report() {
    let store = store();
    let users = |sd: &str, ed: &str, more: &[(&str, &str)]| -> Vec<String> {
        let rows = store.rows("denials", &[&[("feature", "f"), ("sd", sd), ("ed", ed)], more].concat());
        rows.iter().map(|row| row["un"].as_str().unwrap().to_owned()).collect()
    };
    // 2016-03-01 22:59:59 UTC is still the first of March in Berlin; a second later it is the second.
    assert_eq!(users("1456873199000", "1456873199999", &[]), ["=1+1"]);
    assert_eq!(users("1456873200000", "1456873200000", &[]), ["bäß"]);
    assert_eq!(users("2016-03-01T22:59:59Z", "2016-03-01T22:59:59.999Z", &[]), ["=1+1"]);
    assert_eq!(users("2016-03-02T00:30:00+01:00", "2016-03-02T00:30:00 01:00", &[]), ["bäß"]);
    // In UTC both are of the first.
    assert_eq!(users("1456873199000", "1456873200000", &[("tz", "UTC")]), ["=1+1", "bäß"]);
    // The last day is meant whole.
    assert_eq!(users("2016-03-02", "2016-03-05T00:00:00+01:00", &[]), ["bäß", "cleo"]);
    let refused = |sd: &str| {
        let given = [("feature", "f"), ("sd", sd), ("ed", "2016-03-05")];
        store.render("denials", "json", &given).unwrap_err().to_string()
    };
    assert!(refused("1456873199").contains("milliseconds"));
    assert!(refused("2016-03-06T12:00:00Z").contains("is after"));
    assert!(refused("2016-03-01T12:00:00").contains("RFC 3339"));
}

#[test]
fn reasons_of_denials_are_there_when_they_are_named() {
    let store = store();
    let keys = |params: &[(&str, &str)]| -> Vec<String> {
        let rows = store.rows("denials", &[&DAYS[..], params].concat());
        rows[0].as_object().unwrap().keys().cloned().collect()
    };
    let mut usual = vec!["hn", "ldt", "ldtc", "un"];
    let sorted = |params: &[(&str, &str)]| {
        let mut keys = keys(params);
        keys.sort();
        keys
    };
    assert_eq!(sorted(&[]), usual);
    assert_eq!(
        sorted(&[("fieldsVisibility", r#"{"drc":"1"}"#)]),
        usual,
        "a compatible client sees what the vendor sends"
    );
    usual.extend(["drc", "dmsg", "dtrue"]);
    usual.sort_unstable();
    assert_eq!(sorted(&[("columns", "ldt,ldtc,un,hn,drc,dmsg,dtrue")]), usual);
    let csv = |params: &[(&str, &str)]| String::from_utf8(bytes(&store, "denials", "csv", &[&DAYS[..], params].concat())).unwrap();
    assert!(csv(&[]).starts_with("Date,Denials,User,Host\r\n"));
    let named = csv(&[("fieldsVisibility", r#"{"un":1,"drc":1,"dmsg":"1","dtrue":1}"#)]);
    assert!(
        named.starts_with("User,Reason,Message,True Denial\r\n'=1+1,capacity,Licensed number of users already reached (-4),true\r\n"),
        "{named}"
    );
    assert!(csv(&[("fieldsVisibility", r#"{"un":0}"#)]).starts_with("Date,Denials,Host\r\n"));
    for (filter, rows) in [
        (r#"[{"property":"drc","value":["capacity","queued"]}]"#, 3),
        (r#"[{"property":"drc","value":"other"}]"#, 0),
        (r#"[{"property":"dmsg","value":"ALREADY reached (-4"}]"#, 3),
        (
            r#"[{"property":"dmsg","operator":"ne","value":"Licensed number of users already reached (-4)"}]"#,
            0,
        ),
        (r#"[{"property":"dtrue","value":true}]"#, 3),
        (r#"[{"property":"dtrue","operator":"eq","value":"0"}]"#, 0),
    ] {
        assert_eq!(
            store
                .rows("denials", &[&DAYS[..], &[("filter", filter), ("orderBy", "drc")]].concat())
                .len(),
            rows,
            "{filter}"
        );
    }
    // The words of a log may name people: who sees no names sees the number alone.
    let hidden = Access::new(Role::Viewer, None, Names::Pseudonym);
    for filter in [
        "[]",
        r#"[{"property":"dmsg","value":"-4"}]"#,
        r#"[{"property":"dmsg","value":"reached"}]"#,
    ] {
        let params = [&DAYS[..], &[("columns", "dmsg"), ("filter", filter)]].concat();
        let told = String::from_utf8(store.render_for(&hidden, "denials", "ndjson", &params).unwrap()).unwrap();
        assert_eq!(
            told,
            "{\"dmsg\":\"-4\"}\n".repeat(if filter.contains("reached") { 0 } else { 3 }),
            "{filter}"
        );
    }
}

#[test]
fn a_page_without_dates_ends_with_what_is_known_and_rows_do_not() {
    let store = store();
    let rows = store.rows("users-count", &[]);
    assert!(rows.len() > 3000, "to yesterday: {}", rows.len());
    let page = String::from_utf8(bytes(&store, "users-count", "html", &[])).unwrap();
    assert_eq!(page.matches("<tr>").count(), 1 + 5, "{page}");
    assert!(page.contains("Nothing is known of the days after 2016-03-05"), "{page}");
    let chart = String::from_utf8(bytes(&store, "users-count", "svg", &[])).unwrap();
    assert!(chart.contains("2016") && !chart.contains("2020"), "{chart}");
    // Who asks for days gets them.
    let page = String::from_utf8(bytes(&store, "users-count", "html", &[("ed", "2016-03-09")])).unwrap();
    assert_eq!(page.matches("<tr>").count(), 1 + 9);
}

#[test]
fn a_page_shows_the_number_by_which_people_ask_for_more() {
    let store = store();
    let page = |report: &str| String::from_utf8(bytes(&store, report, "html", &[])).unwrap();
    assert!(page("features").contains("Feature ID") && !page("features").contains("License Server ID"));
    assert!(page("license-servers").contains("License Server ID"));
    assert!(bytes(&store, "features", "csv", &[]).starts_with(b"Feature Name,"));
}

#[test]
fn texts_of_a_workbook_are_raw_and_sheets_are_set_up_for_paper() {
    let store = store();
    let files = readers::unzip(&bytes(&store, "denials", "xlsx", &[&DAYS[..], &[("rn", "R & D")]].concat()));
    let text = |path: &str| {
        let file = files.iter().find(|(known, _)| known == path);
        String::from_utf8(file.unwrap_or_else(|| panic!("no {path}")).1.clone()).unwrap()
    };
    let sheet = text("xl/worksheets/sheet1.xml");
    let all: String = files
        .iter()
        .filter(|(path, _)| path.ends_with(".xml"))
        .map(|(path, _)| text(path))
        .collect();
    assert!(all.contains("=1+1") && !all.contains("'=1+1") && !sheet.contains("<f>"));
    assert!(
        sheet.contains("orientation=\"landscape\"") && sheet.contains("fitToHeight=\"0\""),
        "{sheet}"
    );
    assert!(
        sheet.contains("fitToPage=\"1\"") && sheet.contains("Page &amp;P of &amp;N") && sheet.contains("R &amp;&amp; D"),
        "{sheet}"
    );
    assert!(text("xl/workbook.xml").contains("_xlnm.Print_Titles"));
}

#[test]
fn calendars_of_holidays_are_known_by_name() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let session = |start: &str, end: &str| {
        format!(
            "{}\n",
            json!({"time": start, "event": "session", "end": end, "server": "s", "feature": "f", "user": "u", "host": "h"})
        )
    };
    std::fs::write(path("x.ndjson"), session("2026-03-02T00:00:00Z", "2026-03-04T00:00:00Z")).unwrap();
    std::fs::write(path("days"), "# nobody works\n2026-03-02 a Monday\n").unwrap();
    run_ok(&["import", "--store", &path("store"), &path("x.ndjson")]);
    let calendar = format!("spring={}", path("days"));
    let report = |more: &[&str]| {
        let asked = [
            "report",
            "utilization-history",
            "--store",
            &path("store"),
            "--feature",
            "f",
            "--sd",
            "2026-03-02",
            "--ed",
            "2026-03-03",
        ];
        run(&[&asked[..], &["--st", "09:00", "--et", "17:00", "--format", "csv"], more].concat())
    };
    let told = |more: &[&str]| String::from_utf8(report(more).stdout).unwrap();
    assert!(told(&[]).contains("1,16.0,100.0"), "{}", told(&[]));
    assert!(told(&["--calendar", &calendar, "--holidays", "spring"]).contains("1,8.0,100.0"));
    assert_eq!(
        told(&["--calendar", &calendar, "--holidays", "spring,2026-03-03"]).lines().count(),
        1
    );
    let unknown = report(&["--calendar", &calendar, "--holidays", "sprnig"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("did you mean \"spring\""));
    let missing = format!("x={}", path("no"));
    assert!(!report(&["--calendar", &missing]).status.success());
    let server = Server::start_with(path("store").as_ref(), &["--calendar", &calendar]);
    let answer =
        server.get("/report/feature/f/utilization-history/json?sd=2026-03-02&ed=2026-03-03&st=09:00&et=17:00&holidays=spring&shape=array");
    assert_eq!(answer.json(), json!([{"lc": 1, "lhu": 8.0, "lutil": 100.0}]), "{}", answer.text());
    let error =
        server.get("/report/feature/f/utilization-history/json?sd=2026-03-02&ed=2026-03-03&st=09:00&et=17:00&wd=funday&shape=array");
    assert_eq!((error.status, &error.json()["success"]), (400, &json!(false)));
    // The chart's marks and the fields of the page follow.
    let page = server
        .get("/report/feature/f/utilization-history/html?sd=2026-03-02&ed=2026-03-03&st=09:00&et=17:00&wd=mon-fri")
        .text();
    assert!(
        page.contains("name=\"wd\" value=\"mon-fri\"") && page.contains("name=\"holidays\""),
        "{page}"
    );
}

#[test]
fn the_marks_of_a_chart_are_those_of_the_days_that_count() {
    let store = Store::new("UTC");
    let session = |day: u8, licenses: u8| {
        let (start, end) = (format!("2026-03-{day:02}T09:00:00Z"), format!("2026-03-{day:02}T17:00:00Z"));
        format!(
            "{}\n",
            json!({"time": start, "event": "session", "end": end, "server": "s", "feature": "f", "user": "u", "host": "h", "licenses": licenses})
        )
    };
    // One license on Monday, and three on Tuesday.
    store.import("x.ndjson", &[session(2, 1), session(3, 3)].concat());
    let given = [
        ("feature", "f"),
        ("sd", "2026-03-02"),
        ("ed", "2026-03-03"),
        ("st", "09:00"),
        ("et", "17:00"),
    ];
    let chart =
        |more: &[(&str, &str)]| String::from_utf8(bytes(&store, "utilization-history", "svg", &[&given[..], more].concat())).unwrap();
    assert!(chart(&[]).contains("95 % of the time: 3 licenses"));
    for only in [("wd", "mon"), ("wd", "wed-mon"), ("holidays", "2026-03-03")] {
        for incd in ["true", "false"] {
            let chart = chart(&[only, ("incd", incd)]);
            assert!(
                chart.contains("95 % of the time: 1 license<") && chart.contains("99 % of the time: 1 license<"),
                "{only:?}"
            );
        }
    }
}
