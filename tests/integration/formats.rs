//! Every format of every report is a whole document of its kind, whatever names people have, with rows and without.

mod markup;
mod workbook;

use headroom::output::FORMATS;
use headroom::report::{Catalog, ColumnType, Definition, Visibility};
use serde_json::{Value, json};

use self::markup::Markup;
use crate::readers::{self, Row};
use crate::support::{Server, run_ok};

/// What somebody may be called. Formulas; what XML, CSV and browsers take for their own; letters of many languages.
const NAMES: [&str; 16] = [
    "=1+1",
    "+1",
    "-1",
    "@x",
    "\tx",
    "\rx",
    "'quoted'",
    "a \"b\", c",
    "<evil onload=\"x\">&amp;</td>",
    "line\nbreak\r\nand another",
    "]]><!-- -->",
    "李雷 Ünï",
    "Здравко שלום",
    "\u{1f600}",
    "bell\u{7}",
    "plain",
];
const FEATURES: [&str; 3] = ["=cmd|' /C calc'!A0", "<evil>&\"feature\"", "plain"];
/// Requests for reports: rows, and none.
const DAYS: &str = "sd=2026-03-02&ed=2026-03-03";
const BEFORE: &str = "sd=2020-03-02&ed=2020-03-03";

struct Site {
    server: Server,
    _folder: tempfile::TempDir,
}

impl Site {
    fn start() -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("names.ndjson");
        let mut events = String::new();
        for (place, name) in NAMES.iter().enumerate() {
            let hour = |hour: usize| format!("2026-03-02T{hour:02}:00:00Z");
            let about =
                json!({"server": format!("@{}", place % 2), "feature": FEATURES[place % 3], "vendor": "-v", "user": name, "host": name});
            for event in [
                json!({"time": hour(place), "event": "denial", "licenses": place + 1}),
                json!({"time": hour(place), "event": "session", "end": hour(place + 3)}),
            ] {
                let mut event = event.as_object().unwrap().clone();
                event.extend(about.as_object().unwrap().clone());
                events.push_str(&format!("{}\n", Value::from(event)));
            }
        }
        std::fs::write(&file, events).unwrap();
        let store = folder.path().join("store");
        let store = store.to_str().unwrap();
        run_ok(&["init", "--store", store, "--timezone", "Europe/Berlin"]);
        run_ok(&["import", "--store", store, file.to_str().unwrap()]);
        Self {
            server: Server::start(store.as_ref()),
            _folder: folder,
        }
    }

    fn get(&self, path: &str) -> Vec<u8> {
        let answer = self.server.get(path);
        assert!(answer.status == 200 && answer.whole, "{path}: {} {}", answer.status, answer.text());
        answer.body
    }

    /// What a browser gets, which goes where it is sent.
    fn browse(&self, path: &str) -> Vec<u8> {
        let answer = self.server.get(path);
        let Some(place) = answer.header("location").filter(|_| [302, 303, 307, 308].contains(&answer.status)) else {
            return self.get(path);
        };
        let path = path.split(['?']).next().unwrap();
        let (folder, _) = path.rsplit_once('/').unwrap();
        self.get(&resolved(folder, place).unwrap())
    }

    /// What a request says in JSON, whose columns are those that an export has.
    fn export(&self, report: &Definition, path: &str, query: &str) -> Export {
        let several = path.contains("/all/");
        let of_features = [("fid", ColumnType::Integer), ("fns", ColumnType::Text), ("lsn", ColumnType::Text)];
        let titles = ["Feature ID", "Feature Name", "License Server"];
        let of_features = of_features
            .iter()
            .zip(titles)
            .filter(|_| several)
            .map(|((handle, kind), title)| (*handle, title, *kind));
        let own = report.columns.iter().filter(|column| column.visibility == Visibility::Shown);
        let own = own.map(|column| (column.name.as_str(), column.title.as_str(), column.kind));
        let columns: Vec<_> = of_features.chain(own).collect();
        let told = readers::envelope(&self.get(&format!("{path}/json?{query}"))).data;
        let rows = told
            .iter()
            .map(|row| columns.iter().map(|(handle, ..)| row.get(handle).clone()).collect());
        Export {
            titles: columns.iter().map(|(_, title, _)| readers::defused(title)).collect(),
            kinds: columns.iter().map(|(.., kind)| *kind).collect(),
            rows: rows.collect(),
            told,
            by_day: query.contains("grat=DAY"),
        }
    }
}

/// What an export has to say.
struct Export {
    titles: Vec<String>,
    kinds: Vec<ColumnType>,
    rows: Vec<Vec<Value>>,
    told: Vec<Row>,
    by_day: bool,
}

/// What to ask of a report, so that it has rows, or none.
fn requests(report: &Definition) -> Vec<(String, String)> {
    let own = match report
        .params
        .iter()
        .find(|param| param.required && !["feature", "sd", "ed"].contains(&param.name.as_str()))
    {
        None => [""].as_slice(),
        Some(param) if param.name == "grat" => &["&grat=DAY", "&grat=HOUR", "&grat=WEEK"],
        Some(_) => &["&st=08:00&et=20:00"],
    };
    let ranges: &[&str] = if report.params.iter().any(|param| param.name == "sd") {
        &[DAYS, BEFORE]
    } else {
        &[""]
    };
    let path = |feature: &str| report.path.replace("{feature}", feature).replace("/{format}", "");
    let mut requests = Vec::new();
    for range in ranges {
        for own in own {
            requests.extend(["1", "all"].iter().map(|feature| (path(feature), format!("{range}{own}"))));
        }
    }
    requests.push((path("1"), format!("{}{}&offset=1000000", ranges[0], own[0])));
    requests.dedup();
    requests
}

fn each_request(check: impl Fn(&Site, &Definition, &str, &str)) {
    let site = Site::start();
    for report in Catalog::definitions().unwrap() {
        for (path, query) in requests(&report) {
            check(&site, &report, &path, &query);
        }
    }
}

#[test]
fn every_format_is_known_here() {
    let names: Vec<&str> = FORMATS.iter().map(|format| format.name()).collect();
    assert_eq!(names.len(), 9, "{names:?}");
    for name in ["json", "csv", "ndjson", "html", "xlsx", "pdf", "svg", "arrow", "parquet"] {
        assert!(names.contains(&name), "{name}");
    }
}

#[test]
fn the_names_are_those_that_were_imported() {
    let site = Site::start();
    let mut told = Vec::new();
    for feature in 1..=6 {
        let answer = site.server.get(&format!("/report/feature/{feature}/denials/json?{DAYS}"));
        told.extend(
            readers::envelope(&answer.body)
                .data
                .iter()
                .map(|row| row.get("un").as_str().unwrap().to_owned()),
        );
    }
    told.sort_unstable();
    let mut names = NAMES.map(str::to_owned);
    names.sort_unstable();
    assert_eq!(told, names);
}

#[test]
fn formats_for_programs_are_whole() {
    each_request(|site, report, path, query| {
        let told = site.export(report, path, query).told;
        let ndjson = site.get(&format!("{path}/ndjson?{query}"));
        assert_eq!(readers::ndjson(&ndjson), told, "{path}?{query}");
        let arrow = site.get(&format!("{path}/arrow?{query}"));
        assert_eq!(readers::arrow(&arrow).rows.len(), told.len(), "{path}?{query}");
        assert!(arrow.starts_with(&[0xff; 4]), "a stream begins with a message");
        let parquet = site.get(&format!("{path}/parquet?{query}"));
        assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
        let table = readers::parquet(&parquet);
        assert_eq!(table.rows.len(), told.len(), "{path}?{query}");
        if let Some(first) = told.first() {
            assert_eq!(table.columns(), first.keys());
        }
    });
}

#[test]
fn csv_has_equal_records_and_no_formulas() {
    each_request(|site, report, path, query| {
        let export = site.export(report, path, query);
        let csv = site.get(&format!("{path}/csv?{query}"));
        let records = readers::csv(&csv);
        assert_eq!(records[0], export.titles);
        let cells = |row: &Vec<Value>| {
            row.iter()
                .zip(&export.kinds)
                .map(|(told, kind)| readers::csv_cell(told, *kind))
                .collect()
        };
        let expected: Vec<Vec<String>> = export.rows.iter().map(cells).collect();
        assert_eq!(records[1..], expected, "{path}?{query}");
        for (cell, kind) in records[1..].iter().flat_map(|record| record.iter().zip(&export.kinds)) {
            assert!(
                *kind != ColumnType::Text || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{cell:?}"
            );
        }
        let text = String::from_utf8(csv).unwrap();
        let outside: String = text.split('"').step_by(2).collect();
        assert_eq!(
            outside.matches('\n').count(),
            outside.matches("\r\n").count(),
            "lines end with CR and LF"
        );
    });
}

#[test]
fn workbooks_have_typed_cells_and_no_formulas() {
    each_request(|site, report, path, query| {
        let export = site.export(report, path, query);
        let bytes = site.get(&format!("{path}/xlsx?{query}"));
        assert!(bytes.starts_with(b"PK\x03\x04"));
        let workbook = workbook::read(&bytes);
        assert_eq!(workbook.sheets.last().unwrap(), "About");
        assert_eq!(workbook.rows.len(), export.rows.len() + 1, "{path}?{query}");
        for (cell, title) in workbook.rows[0].iter().zip(&export.titles) {
            assert!(cell.says(&json!(title), ColumnType::Text), "{title}: {cell:?}");
        }
        for (cells, row) in workbook.rows[1..].iter().zip(&export.rows) {
            for ((place, told), kind) in row.iter().enumerate().zip(&export.kinds) {
                let kind = if *kind == ColumnType::Period && export.by_day {
                    ColumnType::Date
                } else {
                    *kind
                };
                let cell = cells.get(place).unwrap_or(&workbook::Cell::Empty);
                assert!(cell.says(told, kind), "{path}?{query}: {told} is {cell:?}");
            }
        }
    });
}

#[test]
fn pdf_begins_and_ends() {
    each_request(|site, _, path, query| {
        let pdf = site.get(&format!("{path}/pdf?{query}"));
        assert!(
            pdf.starts_with(b"%PDF-1.") && pdf.trim_ascii_end().ends_with(b"%%EOF"),
            "{path}?{query}"
        );
        assert!(!pdf.windows(11).any(|window| window == b"/JavaScript"));
    });
}

#[test]
fn charts_are_well_formed_and_show_names_as_they_are() {
    each_request(|site, _, path, query| {
        let svg = String::from_utf8(site.get(&format!("{path}/svg?{query}&rn=%3Cevil%3E%26%22"))).unwrap();
        let markup = Markup::xml(&svg);
        let root = markup.elements().next().unwrap();
        assert_eq!(
            (root.name.as_str(), root.attribute("xmlns")),
            ("svg", Some("http://www.w3.org/2000/svg"))
        );
        assert!(
            markup
                .elements()
                .all(|element| !["script", "evil", "foreignObject"].contains(&element.name.as_str())),
            "{path}?{query}"
        );
        assert!(markup.texts().any(|text| text.contains("<evil>&\"")), "its name is shown: {svg}");
        markup.loads_nothing();
    });
}

#[test]
fn pages_are_well_formed_and_show_names_as_they_are() {
    each_request(|site, report, path, query| {
        let export = site.export(report, path, query);
        let html = String::from_utf8(site.get(&format!("{path}/html?{query}"))).unwrap();
        assert!(html.get(..15).is_some_and(|start| start.eq_ignore_ascii_case("<!doctype html>")));
        let page = Markup::html(&html);
        assert!(
            page.elements()
                .all(|element| !["script", "evil", "iframe", "object", "embed"].contains(&element.name.as_str())),
            "{path}?{query}"
        );
        let has_chart = report.chart.is_some();
        for name in ["table", "form", "title", "svg"]
            .into_iter()
            .filter(|name| *name != "svg" || has_chart)
        {
            assert!(page.elements().any(|element| element.name == name), "{path}?{query}: no {name}");
        }
        page.loads_nothing();
        let rows = page.elements().filter(|element| element.name == "tr").count();
        assert!(rows > export.rows.len(), "{path}?{query}: {rows} rows");
        let texts: Vec<&str> = page.texts().collect();
        for title in &export.titles {
            assert!(texts.iter().any(|text| text.trim() == title), "{title}");
        }
        for (told, kind) in export.rows.iter().flat_map(|row| row.iter().zip(&export.kinds)) {
            if let (Value::String(text), ColumnType::Text | ColumnType::DateTime | ColumnType::Period) = (told, kind) {
                // A browser would not show a bell, and takes ends of lines for one another.
                if !text.contains(['\u{7}', '\r', '\t']) {
                    assert!(texts.iter().any(|known| known.trim() == text.trim()), "{path}?{query}: {text:?}");
                }
            }
        }
    });
}

#[test]
fn what_a_page_offers_works() {
    let site = Site::start();
    for report in Catalog::definitions().unwrap() {
        let (path, query) = &requests(&report)[0];
        let html = String::from_utf8(site.get(&format!("{path}/html?{query}"))).unwrap();
        let page = Markup::html(&html);
        let mut offered = Vec::new();
        for link in page.elements().filter(|element| element.name == "a") {
            let Some(place) = resolved(path, link.attribute("href").unwrap()) else {
                continue;
            };
            site.browse(&place);
            offered.push(place);
        }
        for format in FORMATS.iter().map(|format| format.name()).filter(|format| *format != "html") {
            assert!(
                offered
                    .iter()
                    .any(|place| place.contains(&format!("/{format}?")) || place.ends_with(&format!("/{format}"))),
                "{path}: no {format} in {offered:?}"
            );
        }
        // Every column orders.
        for column in report.columns.iter().filter(|column| column.visibility == Visibility::Shown) {
            let orders = |place: &&String| place.contains("order") && place.contains(&column.name);
            assert!(
                offered.iter().any(|place| orders(&place)),
                "{path}: nothing orders by {}",
                column.name
            );
        }
        // The form, sent as it is, asks for the same.
        let form = page.elements().find(|element| element.name == "form").unwrap();
        assert!(form.attribute("method").is_none_or(|method| method.eq_ignore_ascii_case("get")));
        let fields = page.fields();
        for param in report
            .params
            .iter()
            .filter(|param| !report.path.contains(&format!("{{{}}}", param.name)))
        {
            assert!(
                fields.iter().any(|(name, _)| *name == param.name),
                "{path}: {} is not in the form",
                param.name
            );
        }
        let filled: Vec<&(String, String)> = fields.iter().filter(|(_, value)| !value.is_empty()).collect();
        let action = resolved(path, form.attribute("action").unwrap_or("?")).unwrap();
        let action = action.split('?').next().unwrap();
        // A browser sends what is empty as well.
        for fields in [filled, fields.iter().collect()] {
            let again = site.browse(&format!("{action}?{}", serde_urlencoded::to_string(&fields).unwrap()));
            let again = String::from_utf8(again).unwrap();
            let again = Markup::html(&again);
            // But for when it was made.
            let timeless = |page: &Markup| -> Vec<String> {
                let words = page.words().into_iter().filter(|word| !word.ends_with("(Europe/Berlin)"));
                words.map(str::to_owned).collect()
            };
            let (again, words) = (timeless(&again), timeless(&page));
            let first = again.iter().zip(&words).find(|(again, first)| again != first);
            assert!(first.is_none() && again.len() == words.len(), "{path} {fields:?}: {first:?}");
        }
    }
}

/// Where a link on the page of a report leads, below `/api/v1`; nothing if elsewhere.
fn resolved(path: &str, link: &str) -> Option<String> {
    if let Some(absolute) = link.strip_prefix('/') {
        return absolute.strip_prefix("api/v1").map(str::to_owned);
    }
    if link.is_empty() || link.starts_with('?') {
        return Some(format!("{path}/html{link}"));
    }
    (!link.starts_with('#')).then(|| format!("{path}/{}", link.trim_start_matches("./")))
}
