//! Filters, orders, pages and selections of every report on random events: the same as done naively with all of its rows.
//!
//! ```text
//! random events ─▶ store ─▶ report without options ─▶ Whole: every row, printed (json) and exact (arrow)
//!                    │                                  │ draw: filter, order, page, selection
//!                    │                                  ├──▶ naive, row by row ──▶ expected
//!                    └──▶ report with these options ────┴──────────────────────▶ told, in five formats
//! ```
//!
//! Reports, their parameters and columns come from the catalog, so that a new report is tested the day it is there.

mod draw;
mod fuzz;
mod naive;
mod site;

use headroom::report::{Catalog, ColumnType, Definition, Visibility};
use headroom::time::Granularity;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use self::draw::Draw;
use crate::readers::{self, Cell, Row};
use crate::support::Store;

/// How each report is asked for in a store, before any options.
const WHOLES: usize = 3;
/// Options of each report in a store.
const CASES: u32 = 12;

/// A report without options.
#[derive(Debug)]
struct Whole {
    report: String,
    given: Vec<(String, String)>,
    granularity: Option<Granularity>,
    columns: Vec<Column>,
    rows: Vec<WholeRow>,
}

#[derive(Debug)]
struct Column {
    handle: String,
    title: String,
    kind: ColumnType,
    visible: bool,
    /// Shown only where it is named.
    named: bool,
}

/// A row, exactly and as JSON prints it.
#[derive(Debug, Clone)]
struct WholeRow {
    cells: Vec<Cell>,
    told: Row,
}

impl Whole {
    fn ask(store: &Store, definition: &Definition, given: Vec<(String, String)>) -> Self {
        let columns = columns_of(definition, &given);
        let named = |name: &str| given.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
        let granularity = named("grat").map(|text| text.parse().unwrap());
        let all: Vec<&str> = columns.iter().map(|column| column.handle.as_str()).collect();
        let all = all.join(",");
        let given_now = [&borrowed(&given)[..], &[("columns", &all)]].concat();
        let told = store.rows_in_order(&definition.name, &given_now);
        let table = readers::arrow(&store.render(&definition.name, "arrow", &given_now).unwrap());
        let handles: Vec<&str> = columns.iter().map(|column| column.handle.as_str()).collect();
        assert_eq!(table.columns(), handles);
        let types: Vec<_> = table.schema.fields().iter().map(|field| field.data_type().clone()).collect();
        let expected = columns
            .iter()
            .map(|column| readers::arrow_type(column.kind, granularity, named("tz").unwrap()));
        assert_eq!(types, expected.collect::<Vec<_>>(), "{}", definition.name);
        assert_eq!(told.len(), table.rows.len(), "{} {given:?}", definition.name);
        let rows = told.into_iter().zip(table.rows).map(|(told, cells)| WholeRow { cells, told });
        let rows: Vec<WholeRow> = rows.collect();
        assert!(rows.iter().all(|row| row.told.keys() == handles));
        let whole = Self {
            report: definition.name.clone(),
            granularity,
            columns,
            rows,
            given,
        };
        for row in &whole.rows {
            whole.is_told(row, &row.told.values());
        }
        whole
    }

    /// Checks that values are those of a row.
    fn is_told(&self, row: &WholeRow, told: &[&Value]) {
        for ((column, cell), told) in self.columns.iter().zip(&row.cells).zip(told) {
            let period = self.granularity.filter(|_| column.kind == ColumnType::Period);
            assert!(
                cell.is_told_as(told, period),
                "{} {}: {cell:?} told as {told}",
                self.report,
                column.handle
            );
        }
    }
}

/// The columns of a report in their order.
fn columns_of(definition: &Definition, given: &[(String, String)]) -> Vec<Column> {
    let several = given
        .iter()
        .any(|(name, text)| name == "feature" && (text == "all" || text.contains(',')));
    let of_features = [
        ("fid", "Feature ID", ColumnType::Integer),
        ("fns", "Feature Name", ColumnType::Text),
        ("lsn", "License Server", ColumnType::Text),
    ];
    let of_features = of_features.into_iter().filter(|_| several).map(|(handle, title, kind)| Column {
        handle: handle.to_owned(),
        title: title.to_owned(),
        kind,
        visible: true,
        named: false,
    });
    let own = definition.columns.iter().map(|column| Column {
        handle: column.name.clone(),
        title: column.title.clone(),
        kind: column.kind,
        visible: column.visibility == Visibility::Shown,
        named: column.visibility == Visibility::Named,
    });
    of_features.chain(own).collect()
}

fn borrowed(given: &[(String, String)]) -> Vec<(&str, &str)> {
    given.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
}

impl Store {
    /// The rows of a report with their keys in order.
    fn rows_in_order(&self, report: &str, given: &[(&str, &str)]) -> Vec<Row> {
        readers::envelope(&self.render(report, "json", given).unwrap()).data
    }
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })
}

/// Asks for a report with options, as JSON or in every format that can be read, and compares with the naive answer.
fn compare(store: &Store, whole: &Whole, draw: &Draw, everywhere: bool) {
    let options = draw.options(whole);
    let given = options.added_to(&whole.given);
    let matching = naive::refined(whole, &options);
    let shown = naive::page(&matching, &options);
    let told = |format: &str| {
        let answer = store.render(&whole.report, format, &given);
        answer.unwrap_or_else(|error| panic!("{} {given:?} in {format}: {error}", whole.report))
    };
    let what = || format!("{} {given:?}", whole.report);

    let envelope = readers::envelope(&told("json"));
    assert_eq!(envelope.total_count, matching.len() as u64, "{}", what());
    let places = options.selection.in_json(whole);
    let expected = |places: &[usize]| -> Vec<Row> { shown.iter().map(|row| picked(&row.told, places)).collect() };
    assert_eq!(envelope.data, expected(&places), "{}", what());
    if !everywhere {
        return;
    }

    let places = options.selection.in_data(whole);
    assert_eq!(readers::ndjson(&told("ndjson")), expected(&places), "{}", what());
    let handles: Vec<_> = places.iter().map(|place| whole.columns[*place].handle.clone()).collect();
    let cells: Vec<Vec<Cell>> = shown
        .iter()
        .map(|row| places.iter().map(|place| row.cells[*place].clone()).collect())
        .collect();
    for table in [readers::arrow(&told("arrow")), readers::parquet(&told("parquet"))] {
        assert_eq!((table.columns(), &table.rows), (handles.clone(), &cells), "{}", what());
    }

    let places = options.selection.in_export(whole);
    let head = places.iter().map(|place| readers::defused(&whole.columns[*place].title)).collect();
    let record = |row: &&WholeRow| {
        places
            .iter()
            .map(|place| readers::csv_cell(&row.told.0[*place].1, whole.columns[*place].kind))
            .collect()
    };
    let records: Vec<Vec<String>> = std::iter::once(head).chain(shown.iter().map(record)).collect();
    assert_eq!(readers::csv(&told("csv")), records, "{}", what());
}

/// These columns of a row.
fn picked(row: &Row, places: &[usize]) -> Row {
    Row(places.iter().map(|place| row.0[*place].clone()).collect())
}

/// Pages of a report, put together, are all of it.
fn turn_pages(store: &Store, whole: &Whole, draw: &Draw) {
    let options = draw.without_page().options(whole);
    let given = options.added_to(&whole.given);
    let all = store.rows_in_order(&whole.report, &given);
    let size = all.len() / 3 + 1;
    let mut pages = Vec::new();
    for page in 0..4 {
        let (limit, offset) = (size.to_string(), (page * size).to_string());
        let paged = [&given[..], &[("limit", &limit), ("offset", &offset)]].concat();
        let envelope = readers::envelope(&store.render(&whole.report, "json", &paged).unwrap());
        assert_eq!(envelope.total_count, all.len() as u64, "{paged:?}");
        pages.extend(envelope.data);
    }
    assert_eq!(pages, all, "{} {given:?}", whole.report);
}

/// Asks for every report in a random store of a zone.
fn reports_agree_with_all_of_their_rows(zone: &str) {
    let mut runner = runner(CASES);
    let site = site::drawn(&mut runner, zone);
    let store = Store::new(site.zone);
    store.import("random.ndjson", &site.ndjson);
    let told = |error: &dyn std::fmt::Display| format!("{error}\nin zone {zone}:\n{}", site.ndjson);
    for definition in Catalog::definitions().unwrap() {
        let wholes: Vec<Whole> = (0..WHOLES)
            .map(|_| Whole::ask(&store, &definition, site.request(&mut runner, &definition)))
            .collect();
        let often = proptest::bool::weighted;
        let draws = (any::<proptest::sample::Index>(), draw::draw(), often(0.35), often(0.1));
        // A runner runs so many cases in its life.
        let agreed = self::runner(CASES).run(&draws, |(whole, draw, everywhere, turned)| {
            let whole = whole.get(&wholes);
            compare(&store, whole, &draw, everywhere);
            if turned {
                turn_pages(&store, whole, &draw);
            }
            Ok(())
        });
        agreed.unwrap_or_else(|error| panic!("{}", told(&error)));
    }
}

#[test]
fn in_berlin_in_autumn() {
    reports_agree_with_all_of_their_rows("Europe/Berlin");
}

#[test]
fn in_new_york_in_spring() {
    reports_agree_with_all_of_their_rows("America/New_York");
}

#[test]
fn in_lord_howe_where_an_hour_is_half_as_long() {
    reports_agree_with_all_of_their_rows("Australia/Lord_Howe");
}
