//! What the documents say is what the program does.

mod sql;

use std::fmt::Write as _;

use headroom::http::CODES;
use headroom::output::{Disposition, FORMATS};
use headroom::report::{Catalog, Definition, Family, Param, STANDARD, Visibility};

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
fn the_page_of_reports_is_the_catalog() {
    is_written("docs/reports.md", &page_of_reports());
}

/// Pages are written by their tests: `HEADROOM_BLESS=1 cargo test --test integration docs::`.
fn is_written(name: &str, page: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("HEADROOM_BLESS").is_some() {
        std::fs::write(&path, page).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == page,
        "{name} is not what the program says; HEADROOM_BLESS=1 writes it anew"
    );
}

fn page_of_reports() -> String {
    let mut page = "# Reports\n\nWhat the files in `queries/reports/` say of themselves, and what all reports have in common. A test keeps this page equal to \
                    them.\n\n## Options of every report\n\n"
        .to_owned();
    parameters(&mut page, STANDARD.iter());
    page.push_str("\n## Formats\n\n| format | media type | columns unless chosen | as a file |\n|---|---|---|---|\n");
    for format in FORMATS {
        let names: Vec<String> = std::iter::once(format.name())
            .chain(format.aliases().iter().copied())
            .map(|name| format!("`{name}`"))
            .collect();
        let columns = match format.family() {
            Family::Envelope => "all but those shown when named, whatever `fieldsVisibility` says",
            Family::Records => "all but those shown when named",
            Family::Export => "the visible ones",
            Family::Page => "the visible ones, and the number that a row begins with",
            Family::Picture => "those of the chart, always",
        };
        let file = match format.disposition() {
            Disposition::Read => "no",
            Disposition::Shown => "shown",
            Disposition::Saved => "saved",
        };
        writeln!(page, "| {} | `{}` | {columns} | {file} |", names.join(", "), format.media_type()).unwrap();
    }
    for report in Catalog::definitions().unwrap() {
        section(&mut page, &report);
    }
    page
}

fn section(page: &mut String, report: &Definition) {
    writeln!(page, "\n## {}\n\n{}\n\n- Name: `{}`", report.title, report.summary, report.name).unwrap();
    for path in std::iter::once(&report.path).chain(&report.aliases) {
        writeln!(page, "- Path: `/api/v1{path}`").unwrap();
    }
    let order: Vec<String> = report.order.iter().map(|handle| format!("`{handle}`")).collect();
    writeln!(page, "- Natural order: {}", order.join(", ")).unwrap();
    if report.of_features() {
        page.push_str("- With several features, rows have `fid`, `fns` and `lsn` first, and are ordered by `fid` first.\n");
    }
    if !report.params.is_empty() {
        page.push('\n');
        parameters(page, report.params.iter());
    }
    page.push_str("\n| column | full name | type | visible | meaning |\n|---|---|---|---|---|\n");
    for column in &report.columns {
        let visible = match column.visibility {
            Visibility::Shown => "yes",
            Visibility::Hidden => "no",
            Visibility::Json => "json only",
            Visibility::Named => "when named",
        };
        let kind = column.kind.name();
        writeln!(
            page,
            "| `{}` | {} | {kind} | {visible} | {} |",
            column.name, column.title, column.summary
        )
        .unwrap();
    }
}

fn parameters<'a>(page: &mut String, params: impl Iterator<Item = &'a Param>) {
    page.push_str("| parameter | needed | is | meaning |\n|---|---|---|---|\n");
    for param in params {
        let names: Vec<String> = std::iter::once(&param.name)
            .chain(&param.aliases)
            .map(|name| format!("`{name}`"))
            .collect();
        let needed = match &param.default {
            _ if param.required => "yes".to_owned(),
            Some(default) => format!("else `{default}`"),
            None => "no".to_owned(),
        };
        writeln!(
            page,
            "| {} | {needed} | {} | {} |",
            names.join(", "),
            param.expected(),
            param.summary
        )
        .unwrap();
    }
}
