//! `orderBy` and `orderDirection`, `order`; and pages, which are cut after filter and order.

use serde_json::{Value, json};

use super::{DAYS, DENIALS_CSV, DENIALS_JSON, GROUPED, ONE_HOUR, SERVERS, SEVERAL, Site};
use crate::readers;

/// The old way: one column. Denials in their natural order are a … g.
const OLD: &[(&str, Option<&str>, &str)] = &[
    // Texts by their bytes: = A Z a b o 李
    ("un", None, "eadcbfg"),
    ("un", Some("ASC"), "eadcbfg"),
    ("un", Some("asc"), "eadcbfg"),
    ("un", Some("DESC"), "gfbcdae"),
    ("un", Some("Desc"), "gfbcdae"),
    // Equal ones, 1 license, in their natural order either way.
    ("ldtc", Some("ASC"), "adbcgef"),
    ("ldtc", Some("DESC"), "fegcbad"),
    ("ldt", Some("ASC"), "abcdefg"),
    ("ldt", Some("DESC"), "gfedcba"),
    // What is not known comes last, and first in reverse: < W _ w
    ("hn", Some("ASC"), "eagcfbd"),
    ("hn", Some("DESC"), "dbfcgae"),
];

/// The new way: several columns.
const NEW: &[(&str, &str)] = &[
    ("[]", "abcdefg"),
    (r#"[{"property":"un","direction":"DESC"}]"#, "gfbcdae"),
    (r#"[{"property":"un"}]"#, "eadcbfg"),
    (r#"[{"direction":"desc","property":"un"}]"#, "gfbcdae"),
    (
        r#"[{"property":"ldtc","direction":"ASC"},{"property":"un","direction":"DESC"}]"#,
        "dabcgef",
    ),
    (r#"[{"property":"ldtc"},{"property":"un"}]"#, "adbcgef"),
    (
        r#"[{"property":"ldtc","direction":"DESC"},{"property":"ldt","direction":"DESC"}]"#,
        "fegcbda",
    ),
    (r#"[{"property":"hn","direction":"DESC"},{"property":"un"}]"#, "dbfcgae"),
    (" [ { \"property\" : \"un\" } ] ", "eadcbfg"),
];

#[test]
fn one_column_the_old_way() {
    let site = Site::start();
    for (column, direction, expected) in OLD {
        let mut given = vec![("orderBy", *column)];
        given.extend(direction.map(|direction| ("orderDirection", direction)));
        assert_eq!(site.letters(&given), *expected, "{given:?}");
    }
}

#[test]
fn several_columns_the_new_way() {
    let site = Site::start();
    for (order, expected) in NEW {
        assert_eq!(site.letters(&[("order", order)]), *expected, "{order}");
    }
}

#[test]
fn every_type_has_an_order() {
    let site = Site::start();
    let order = |path: &str, given: super::Given<'_>, handle: &str, by: &str, direction: &str| {
        let given = [given, &[("orderBy", by), ("orderDirection", direction)]].concat();
        json!(site.column(path, &given, handle)).to_string()
    };
    // Numbers that are not known come last, and first in reverse.
    assert_eq!(order(SEVERAL, ONE_HOUR, "fid", "lutil", "ASC"), "[2,2,4]");
    assert_eq!(order(SEVERAL, ONE_HOUR, "fid", "lutil", "DESC"), "[4,2,2]");
    assert_eq!(order(SEVERAL, ONE_HOUR, "lhu", "lhu", "DESC"), "[1.0,0.5,0.5]");
    assert_eq!(order(SEVERAL, ONE_HOUR, "fid", "fns", "DESC"), "[4,2,2]");
    assert_eq!(
        order(SERVERS, &[], "lsn", "lshf", "ASC"),
        r#"["delta","alpha","beta","gamma","omega"]"#
    );
    assert_eq!(
        order(SERVERS, &[], "lsn", "lshf", "DESC"),
        r#"["alpha","beta","gamma","omega","delta"]"#
    );
    assert_eq!(
        order(SERVERS, &[], "lsn", "lss", "DESC"),
        r#"["beta","delta","gamma","omega","alpha"]"#
    );
    // Hidden columns order as well.
    assert_eq!(order(SERVERS, &[], "lsid", "lsid", "DESC"), "[5,4,3,2,1]");
    assert_eq!(order(super::USERS, &[("ed", "2015-01-03")], "ucde", "ucd", "DESC"), "[0,1,2]");
    let weeks = [("sd", "2014-12-29"), ("ed", "2015-03-04"), ("grat", "WEEK")];
    assert_eq!(order(GROUPED, &weeks, "ldtc", "ldt", "DESC"), "[22,0,0,0,0,0,0,0,0,0]");
    assert_eq!(site.csv("/feature/csv", &[("orderBy", "fid"), ("columns", "fns")])[3], ["solver"]);
}

#[test]
fn what_is_filtered_by_may_be_ordered_by_too() {
    let site = Site::start();
    for (path, query) in super::every_report() {
        // Days with rows in every report.
        let (all, query) = (
            path.replace("/feature/1/", "/feature/all/"),
            query.replace("ed=2015-03-06", "ed=2015-04-02"),
        );
        let path = format!("{all}/json?{query}");
        let rows = readers::envelope(&site.server.get(&path).body).data;
        let handles = rows[0].keys();
        let mut refused = Vec::new();
        for handle in &handles {
            let known = rows.iter().map(|row| row.get(handle)).find(|value| !value.is_null());
            let filter = known.map(|value| json!([{"property": handle, "operator": "eq", "value": value}]).to_string());
            for order in [vec![handle], vec![&handles[0], handle]] {
                let mut order: Vec<&str> = order.into_iter().copied().collect();
                order.dedup();
                let order: Vec<Value> = order.iter().map(|handle| json!({"property": handle})).collect();
                let given = [("filter", filter.as_deref().unwrap_or("[]")), ("order", &json!(order).to_string())];
                let answer = site.server.get(&format!("{path}&{}", super::encoded(&given)));
                if answer.status != 200 {
                    refused.push(format!("{given:?}: {}", answer.text()));
                    continue;
                }
                let matching = readers::envelope(&answer.body).data;
                let exact = known.filter(|value| !value.is_f64());
                assert!(
                    exact.is_none_or(|value| matching.iter().all(|row| row.get(handle) == value)),
                    "{path} {given:?}"
                );
            }
        }
        assert!(refused.is_empty(), "{path}: {refused:#?}");
    }
}

#[test]
fn orders_that_make_no_sense_are_refused() {
    let site = Site::start();
    for (given, code, words) in [
        (&[("orderBy", "nobody")][..], 1002, &["orderBy", "nobody"][..]),
        (&[("orderBy", "")], 1002, &["orderBy"]),
        (&[("orderBy", "un,hn")], 1002, &["orderBy"]),
        (&[("orderBy", "fid")], 1002, &["orderBy", "fid"]),
        (
            &[("orderBy", "un"), ("orderDirection", "UP")],
            1002,
            &["orderDirection", "UP", "ASC", "DESC"],
        ),
        (&[("orderBy", "un"), ("orderDirection", "")], 1002, &["orderDirection"]),
        (&[("orderDirection", "ASC")], 1003, &["orderDirection", "orderBy"]),
        (&[("orderBy", "un"), ("order", "[]")], 1003, &["orderBy", "order"]),
        (
            &[("orderBy", "un"), ("order", r#"[{"property":"hn"}]"#)],
            1003,
            &["orderBy", "order"],
        ),
        (
            &[("orderDirection", "ASC"), ("order", r#"[{"property":"hn"}]"#)],
            1003,
            &["orderDirection"],
        ),
        (&[("order", "")], 1002, &["order"]),
        (&[("order", "un")], 1002, &["order"]),
        (&[("order", "{}")], 1002, &["order"]),
        (&[("order", r#"{"property":"un"}"#)], 1002, &["order"]),
        (&[("order", "null")], 1002, &["order"]),
        (&[("order", "[5]")], 1002, &["order"]),
        (&[("order", "[\"un\"]")], 1002, &["order"]),
        (&[("order", "[{}]")], 1002, &["order"]),
        (&[("order", r#"[{"direction":"ASC"}]"#)], 1002, &["order"]),
        (&[("order", r#"[{"property":"nobody"}]"#)], 1002, &["order", "nobody"]),
        (&[("order", r#"[{"property":5}]"#)], 1002, &["order"]),
        (&[("order", r#"[{"property":"un","direction":"UP"}]"#)], 1002, &["order", "UP"]),
        (&[("order", r#"[{"property":"un","direction":1}]"#)], 1002, &["order"]),
        (&[("order", r#"[{"property":"un","nulls":"FIRST"}]"#)], 1002, &["order", "nulls"]),
        (&[("order", r#"[{"property":"un"}"#)], 1002, &["order"]),
    ] {
        for path in [DENIALS_JSON, DENIALS_CSV] {
            site.refuse(path, &[DAYS, given].concat(), code, words);
        }
    }
    let twice = r#"[{"property":"un"},{"property":"hn"},{"property":"un","direction":"DESC"}]"#;
    let answer = site.get(DENIALS_JSON, &[DAYS, &[("order", twice)]].concat());
    let code = readers::envelope(&answer.body).code;
    assert!(
        answer.status == 400 && [Some(1002), Some(1003)].contains(&code),
        "{}",
        answer.text()
    );
}

#[test]
fn pages_are_cut_after_filter_and_order() {
    let site = Site::start();
    let filter = ("filter", r#"[{"property":"ldtc","operator":"gt","value":1}]"#);
    // What matches is b c e f g; by user e c b f g.
    for (paging, expected) in [
        (&[][..], "ecbfg"),
        (&[("limit", "2")], "ec"),
        (&[("limit", "2"), ("offset", "0")], "ec"),
        (&[("limit", "2"), ("offset", "1")], "cb"),
        (&[("limit", "2"), ("offset", "4")], "g"),
        (&[("offset", "3")], "fg"),
        (&[("limit", "100")], "ecbfg"),
        (&[("offset", "5")], ""),
        (&[("limit", "1"), ("offset", "5000000000")], ""),
    ] {
        let given = [DAYS, &[filter, ("orderBy", "un")], paging].concat();
        let envelope = readers::envelope(&site.succeed(DENIALS_JSON, &given).body);
        assert_eq!(super::letters(&envelope.data), expected, "{paging:?}");
        assert_eq!(envelope.total_count, 5, "all that match, {paging:?}");
        assert_eq!(site.csv(DENIALS_CSV, &given).len(), expected.len() + 1, "{paging:?}");
    }
    let none = [DAYS, &[("filter", r#"[{"property":"un","value":"nobody"}]"#)]].concat();
    assert_eq!(readers::envelope(&site.succeed(DENIALS_JSON, &none).body).total_count, 0);
}

#[test]
fn pages_that_make_no_sense_are_refused() {
    let site = Site::start();
    for (name, text) in [
        ("limit", "0"),
        ("limit", "-1"),
        ("limit", "ten"),
        ("limit", ""),
        ("limit", "1.5"),
        ("limit", "99999999999999999999"),
        ("offset", "-1"),
        ("offset", "x"),
        ("offset", ""),
    ] {
        for path in [DENIALS_JSON, DENIALS_CSV] {
            site.refuse(path, &[DAYS, &[(name, text)]].concat(), 1002, &[name]);
        }
    }
}
