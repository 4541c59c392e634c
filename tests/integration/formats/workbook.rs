//! Reads what an XLSX file says on its first sheet.

use headroom::report::ColumnType;
use serde_json::Value;

use super::markup::{Markup, Piece};
use crate::readers;

pub(super) struct Workbook {
    /// The names of the sheets.
    pub(super) sheets: Vec<String>,
    /// The first sheet.
    pub(super) rows: Vec<Vec<Cell>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Empty,
    Text(String),
    Number(f64),
    Boolean(bool),
}

impl Cell {
    /// Whether this is what JSON tells of a column of this type.
    pub(super) fn says(&self, told: &Value, kind: ColumnType) -> bool {
        match (self, told, kind) {
            (Self::Empty, Value::Null, _) => true,
            // An empty text is an empty cell or an empty text.
            (Self::Empty, Value::String(text), _) => text.is_empty(),
            (Self::Text(text), Value::Null, _) => text.is_empty(),
            (Self::Number(days), Value::String(text), ColumnType::Date) => *days == days_of(&format!("{text} 00:00:00")),
            // The file has fractions of seconds that JSON does not print.
            (Self::Number(days), Value::String(text), ColumnType::DateTime) => {
                (0.0..1.0 / 86_400.0).contains(&(days - days_of(text) + 1e-9))
            }
            (Self::Text(text), Value::String(told), ColumnType::Text | ColumnType::Enumeration) => {
                // A cell of the type text is never run, and holds the text as it is.
                unescaped(text) == *told
            }
            (Self::Text(text), Value::String(told), ColumnType::Period) => text == told,
            (Self::Number(number), told, ColumnType::Integer | ColumnType::Float) => told.as_f64() == Some(*number),
            (Self::Boolean(value), told, ColumnType::Boolean) => told.as_bool() == Some(*value),
            _ => false,
        }
    }
}

/// What XML cannot say is written by number, like `_x0007_`.
fn unescaped(text: &str) -> String {
    let mut whole = String::new();
    let mut rest = text;
    while let Some(place) = rest.find("_x") {
        let number = rest
            .get(place + 2..place + 7)
            .and_then(|number| u32::from_str_radix(number.strip_suffix('_')?, 16).ok());
        let (letter, end) = number
            .and_then(char::from_u32)
            .map_or(('_', place + 1), |letter| (letter, place + 7));
        whole.push_str(&rest[..place]);
        whole.push(letter);
        rest = &rest[end..];
    }
    whole + rest
}

/// A time as spreadsheets count: days since the end of 1899.
fn days_of(text: &str) -> f64 {
    let time = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap();
    let zero = chrono::NaiveDate::from_ymd_opt(1899, 12, 30)
        .unwrap()
        .and_time(chrono::NaiveTime::MIN);
    (time - zero).num_seconds() as f64 / 86_400.0
}

pub(super) fn read(bytes: &[u8]) -> Workbook {
    let files = readers::unzip(bytes);
    let file = |path: &str| {
        files
            .iter()
            .find(|(known, _)| known == path)
            .map(|(_, content)| String::from_utf8(content.clone()).unwrap())
    };
    for (path, content) in files.iter().filter(|(path, _)| path.ends_with(".xml") || path.ends_with(".rels")) {
        let markup = Markup::xml(std::str::from_utf8(content).unwrap());
        assert!(markup.elements().all(|element| element.name != "f"), "{path} has a formula");
    }
    assert!(file("[Content_Types].xml").is_some() && file("xl/workbook.xml").is_some());
    let workbook = Markup::xml(&file("xl/workbook.xml").unwrap());
    let sheets = workbook
        .elements()
        .filter(|element| element.name == "sheet")
        .map(|sheet| sheet.attribute("name").unwrap().to_owned());
    let strings = file("xl/sharedStrings.xml")
        .map(|text| shared(&Markup::xml(&text)))
        .unwrap_or_default();
    let sheet = Markup::xml(&file("xl/worksheets/sheet1.xml").expect("a first sheet"));
    for name in ["pane", "autoFilter", "cols", "pageSetup", "headerFooter"] {
        assert!(sheet.elements().any(|element| element.name == name), "no {name} in the first sheet");
    }
    Workbook {
        sheets: sheets.collect(),
        rows: rows(&sheet, &strings),
    }
}

fn shared(markup: &Markup) -> Vec<String> {
    let mut strings: Vec<String> = Vec::new();
    for piece in markup.pieces() {
        match piece {
            Piece::Open(element) if element.name == "si" => strings.push(String::new()),
            // Before the first there may be blanks.
            Piece::Text(text) => strings.iter_mut().last().into_iter().for_each(|string| string.push_str(text)),
            _ => {}
        }
    }
    strings
}

fn rows(sheet: &Markup, strings: &[String]) -> Vec<Vec<Cell>> {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut kind = String::new();
    let mut text: Option<String> = None;
    for piece in sheet.pieces() {
        match piece {
            Piece::Open(element) if element.name == "row" => rows.push(Vec::new()),
            Piece::Open(element) if element.name == "c" => {
                kind = element.attribute("t").unwrap_or("n").to_owned();
                let column = column(element.attribute("r").unwrap());
                // Cells that are left out are empty.
                let row = rows.last_mut().unwrap();
                row.resize(column, Cell::Empty);
                text = Some(String::new());
            }
            Piece::Text(more) => {
                if let Some(text) = &mut text {
                    text.push_str(more);
                }
            }
            Piece::Close(name) if name == "c" => {
                let text = text.take().unwrap();
                rows.last_mut().unwrap().push(match &*kind {
                    "s" => Cell::Text(strings[text.parse::<usize>().unwrap()].clone()),
                    "inlineStr" | "str" => Cell::Text(text),
                    "b" => Cell::Boolean(text == "1"),
                    "n" if text.is_empty() => Cell::Empty,
                    "n" => Cell::Number(text.parse().unwrap()),
                    other => panic!("a cell of type {other}"),
                });
            }
            _ => {}
        }
    }
    rows
}

/// The place of the column of a cell like `AB12`, from zero.
fn column(cell: &str) -> usize {
    let letters = cell.bytes().take_while(u8::is_ascii_uppercase);
    letters.fold(0, |sum, letter| sum * 26 + usize::from(letter - b'A') + 1) - 1
}
