//! The SQL of a report, asked for and asked again: it says what the report says.

use std::collections::BTreeMap;

use headroom::report::{Catalog, ColumnType};
use serde_json::{Value, json};

use crate::golden;
use crate::support::{Server, run_ok};

/// The zone of the sample is an hour ahead of UTC on its days.
const HOURS_AHEAD: i64 = 1;

#[test]
fn every_report_gives_sql_that_gives_the_report() {
    let (_folder, store) = golden::store();
    let server = Server::start(store.as_ref());
    let days = [("sd", "2026-03-02"), ("ed", "2026-03-03")];
    let mut compared = 0;
    for definition in Catalog::definitions().unwrap() {
        let answer = server.get(&format!("/reports/{}/sql", definition.name));
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some("text/plain; charset=utf-8"))
        );
        let sql = answer.text();
        assert_eq!(run_ok(&["report", &definition.name, "--store", &store, "--sql"]), sql);
        // What is told at the top runs as it stands.
        let told = sql.lines().find_map(|line| line.strip_prefix("-- {"));
        let mut params: BTreeMap<String, Value> = match told {
            Some(told) => serde_json::from_str(&format!("{{{told}")).unwrap(),
            None => BTreeMap::new(),
        };
        for name in params.keys() {
            assert!(sql.contains(&format!("\n-- ${name} ")), "{name} in {sql}");
        }
        ask(&server, &sql, &params);

        // The sample's busiest feature on its two days.
        let mut given: Vec<(String, String)> = Vec::new();
        for (name, value) in &mut params {
            let known = days.iter().find(|(known, _)| known == name);
            match name.as_str() {
                "from" => *value = json!("2026-03-01T23:00:00Z"),
                "until" => *value = json!("2026-03-03T23:00:00Z"),
                "feature" => *value = json!(2),
                _ => *value = known.map_or_else(|| value.clone(), |(_, day)| json!(day)),
            }
            if let (false, Some(text)) = (["from", "until"].contains(&name.as_str()), value.as_str()) {
                given.push((name.clone(), text.to_owned()));
            }
        }
        if params.contains_key("from") {
            given.extend(days.map(|(name, day)| (name.to_owned(), day.to_owned())));
        }
        given.sort_unstable();
        given.dedup();
        let path = definition.path.replace("{feature}", "2").replace("{format}", "json");
        let query: Vec<String> = given.iter().map(|(name, value)| format!("{name}={value}")).collect();
        // Some columns are there only when they are named.
        let columns: Vec<&str> = definition.columns.iter().map(|column| column.name.as_str()).collect();
        let report = server.get(&format!("{path}?{}&columns={}", query.join("&"), columns.join(",")));
        assert_eq!(report.status, 200, "{path} {query:?}: {}", report.text());
        let (report, told) = (report.json(), ask(&server, &sql, &params));
        let rows = report["data"].as_array().unwrap();
        assert!(
            !rows.is_empty() && rows.len() == told.len(),
            "{}: {rows:?} or {told:?}",
            definition.name
        );
        for (row, told) in rows.iter().zip(&told) {
            for column in &definition.columns {
                let (expected, told) = (&row[&column.name], &told[&column.name]);
                assert!(
                    same(column.kind, expected, told),
                    "{} of {}: {told} is not {expected}",
                    column.name,
                    definition.name
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 80, "only {compared} values were compared");
}

fn ask(server: &Server, sql: &str, params: &BTreeMap<String, Value>) -> Vec<Value> {
    let body = json!({"sql": sql, "params": params, "format": "json"}).to_string();
    let answer = server.send("POST", "/sql", &[("Content-Type", "application/json")], body.as_bytes());
    assert_eq!(answer.status, 200, "{}\n{sql}", answer.text());
    answer.json()["data"].as_array().unwrap().clone()
}

/// Whether a value of SQL is that of a report, which rounds, and tells times on a clock on the wall.
fn same(kind: ColumnType, report: &Value, sql: &Value) -> bool {
    if report.is_null() || sql.is_null() {
        return report == sql;
    }
    match kind {
        ColumnType::Float => (report.as_f64().unwrap() - sql.as_f64().unwrap()).abs() <= 0.005_000_1,
        ColumnType::Period => sql.as_str().unwrap().starts_with(report.as_str().unwrap()),
        ColumnType::DateTime => {
            // SQL tells the offset as well.
            let time = |value: &Value| {
                chrono::NaiveDateTime::parse_from_str(value.as_str().unwrap().get(..19).unwrap(), "%Y-%m-%d %H:%M:%S").unwrap()
            };
            time(sql) + chrono::Duration::hours(HOURS_AHEAD) == time(report)
        }
        _ => report == sql,
    }
}

#[test]
fn a_report_that_is_none_has_no_sql() {
    let (_folder, store) = golden::store();
    let server = Server::start(store.as_ref());
    let answer = server.get("/reports/forecasts/sql");
    assert_eq!((answer.status, &answer.json()["code"]), (404, &json!(1203)));
    assert!(answer.text().contains("utilization-history"), "{}", answer.text());
}
