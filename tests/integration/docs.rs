//! What the documents say is what the program does.

use headroom::http::CODES;
use headroom::report::Catalog;

const README: &str = include_str!("../../README.md");
const REFERENCE: &str = include_str!("../../docs/reference.md");

#[test]
fn the_table_of_reports_is_the_catalog() {
    let rows: Vec<String> = Catalog::definitions()
        .unwrap()
        .iter()
        .map(|report| format!("| `{}` | {} | `{}` |", report.name, report.summary, report.path))
        .collect();
    let told: Vec<&str> = README
        .lines()
        .filter(|line| line.starts_with("| `") && line.contains("{format}"))
        .collect();
    assert_eq!(told, rows);
}

#[test]
fn the_table_of_errors_is_the_list_of_codes() {
    let rows: Vec<String> = CODES
        .iter()
        .map(|(code, status, meaning)| format!("| {code} | {} | {meaning} |", status.as_u16()))
        .collect();
    let told: Vec<&str> = REFERENCE.lines().filter(|line| line.starts_with("| 1")).collect();
    assert_eq!(told, rows);
}

#[test]
fn every_report_has_its_order_in_the_reference() {
    for report in Catalog::definitions().unwrap() {
        assert!(REFERENCE.contains(&format!("\n| {} | ", report.name)), "{}", report.name);
    }
}

#[test]
fn every_table_and_column_of_the_partitions_is_in_the_reference() {
    for table in headroom::event::Table::ALL.into_iter().filter(|table| table.public()) {
        assert!(REFERENCE.contains(&format!("| `{}` |", table.name())), "{}", table.name());
        for field in table.schema().fields() {
            assert!(REFERENCE.contains(field.name().as_str()), "{}.{}", table.name(), field.name());
        }
    }
}
