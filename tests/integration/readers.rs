//! Readers of every format a report comes in, with other people's libraries where there are some: what a document says, as
//! a table of typed cells.

use std::fmt;
use std::io::Read as _;

use arrow::array::{Array, AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, SchemaRef, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use headroom::report::ColumnType;
use headroom::time::Granularity;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Value, json};

/// A cell of a format with types.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Date(NaiveDate),
    /// An instant in microseconds, and the zone to show it in.
    Instant(i64, Tz),
    /// A time on the clock on the wall.
    Wall(NaiveDateTime),
}

/// What a format with types says.
#[derive(Debug)]
pub struct Table {
    pub schema: SchemaRef,
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// The names of the columns.
    pub fn columns(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn new(schema: SchemaRef, batches: impl Iterator<Item = RecordBatch>) -> Self {
        let mut rows = Vec::new();
        for batch in batches {
            for row in 0..batch.num_rows() {
                rows.push(batch.columns().iter().map(|array| cell(array, row)).collect());
            }
        }
        Self { schema, rows }
    }
}

fn cell(array: &dyn Array, row: usize) -> Cell {
    if array.is_null(row) {
        return Cell::Null;
    }
    let micros = || array.as_primitive::<TimestampMicrosecondType>().value(row);
    match array.data_type() {
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::Int64 => Cell::Integer(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Cell::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => Cell::Boolean(array.as_boolean().value(row)),
        DataType::Date32 => Cell::Date(array.as_primitive::<Date32Type>().value_as_date(row).unwrap()),
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => Cell::Instant(micros(), zone.parse().unwrap()),
        DataType::Timestamp(TimeUnit::Microsecond, None) => Cell::Wall(utc(micros()).naive_utc()),
        other => panic!("a column of type {other}"),
    }
}

fn utc(micros: i64) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp_micros(micros).unwrap()
}

/// The type that a column has in Arrow and Parquet.
pub fn arrow_type(kind: ColumnType, granularity: Option<Granularity>, zone: &str) -> DataType {
    match kind {
        ColumnType::Text | ColumnType::Enumeration => DataType::Utf8,
        ColumnType::Integer => DataType::Int64,
        ColumnType::Float => DataType::Float64,
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Date => DataType::Date32,
        ColumnType::DateTime => DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into())),
        _ if granularity == Some(Granularity::Hour) => DataType::Timestamp(TimeUnit::Microsecond, None),
        _ => DataType::Date32,
    }
}

impl Cell {
    /// What JSON has to say where this is; nothing of decimals, see [`Cell::is_told_as`].
    pub fn printed(&self, granularity: Option<Granularity>) -> Value {
        match (self, granularity) {
            (Self::Null, _) => Value::Null,
            (Self::Text(text), _) => json!(text),
            (Self::Integer(number), _) => json!(number),
            (Self::Float(number), _) => json!(number),
            (Self::Boolean(value), _) => json!(value),
            (Self::Date(first), Some(granularity)) => json!(period(*first, granularity)),
            (Self::Date(day), None) => json!(day.to_string()),
            (Self::Instant(micros, zone), _) => json!(utc(*micros).with_timezone(zone).format("%Y-%m-%d %H:%M:%S").to_string()),
            (Self::Wall(time), _) => json!(time.format("%Y-%m-%d %H:%M").to_string()),
        }
    }

    /// Whether JSON tells this: exactly, or rounded to two decimals, half away from zero.
    pub fn is_told_as(&self, told: &Value, granularity: Option<Granularity>) -> bool {
        match (self, told.as_f64()) {
            (Self::Float(exact), Some(told)) => is_rounded(*exact, told),
            _ => self.printed(granularity) == *told,
        }
    }
}

fn is_rounded(exact: f64, told: f64) -> bool {
    let hundredths = exact.abs() * 100.0;
    let is = |rounded: f64| (told - (rounded / 100.0).copysign(exact)).abs() < 1e-9;
    // What is a half in decimal may be a little less or more in binary.
    let doubtful = hundredths.fract() != 0.5 && (hundredths.fract() - 0.5).abs() < 1e-7;
    is(hundredths.round()) || doubtful && (is(hundredths.floor()) || is(hundredths.ceil()))
}

/// The label of the period that begins on a day.
fn period(first: NaiveDate, granularity: Granularity) -> String {
    use chrono::Datelike as _;
    match granularity {
        Granularity::Year => first.format("%Y").to_string(),
        Granularity::Quarter => format!("{}-Q{}", first.format("%Y"), first.month0() / 3 + 1),
        Granularity::Month => first.format("%Y-%m").to_string(),
        Granularity::Week => format!("{first}-{}", first + Days::new(6)),
        Granularity::Day | Granularity::Hour => first.to_string(),
    }
}

/// Reads an Arrow IPC stream to its end.
pub fn arrow(bytes: &[u8]) -> Table {
    let reader = arrow::ipc::reader::StreamReader::try_new(bytes, None).unwrap();
    Table::new(reader.schema(), reader.map(Result::unwrap))
}

/// Reads a Parquet file.
pub fn parquet(bytes: &[u8]) -> Table {
    let bytes = bytes::Bytes::copy_from_slice(bytes);
    let builder = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
    let schema = std::sync::Arc::clone(builder.schema());
    Table::new(schema, builder.build().unwrap().map(Result::unwrap))
}

/// Reads CSV of equally long records that end with CR and LF; the first is the head.
pub fn csv(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .terminator(csv::Terminator::CRLF)
        .from_reader(bytes);
    let records = reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect());
    let records: Vec<Vec<String>> = records.collect();
    assert!(bytes.ends_with(b"\r\n"), "the last record has an end too");
    records
}

/// What a text becomes in a cell that a spreadsheet reads.
pub fn defused(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// What CSV has to say where JSON says this.
pub fn csv_cell(told: &Value, kind: ColumnType) -> String {
    match (told, kind) {
        (Value::Null, _) => String::new(),
        (Value::String(text), ColumnType::Text | ColumnType::Enumeration) => defused(text),
        (Value::String(text), _) => text.clone(),
        (other, _) => other.to_string(),
    }
}

/// An object with its keys in the order in which they were written.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub Vec<(String, Value)>);

impl Row {
    pub fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(key, _)| key.as_str()).collect()
    }

    pub fn values(&self) -> Vec<&Value> {
        self.0.iter().map(|(_, value)| value).collect()
    }

    pub fn get(&self, key: &str) -> &Value {
        let found = self.0.iter().find(|(known, _)| known == key);
        &found.unwrap_or_else(|| panic!("{key} is not in {self:?}")).1
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Row;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Row(pairs))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

/// What `json` says.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Envelope {
    pub success: bool,
    pub msg: String,
    pub data: Vec<Row>,
    pub code: Option<u64>,
    pub total_count: u64,
    #[serde(default)]
    pub quality: Option<Value>,
}

/// Reads an envelope, whose keys must be in the order that is published.
pub fn envelope(bytes: &[u8]) -> Envelope {
    let text = String::from_utf8_lossy(bytes);
    let keys = serde_json::from_slice::<Row>(bytes).unwrap_or_else(|error| panic!("{error}: {text}"));
    let expected = ["success", "msg", "data", "code", "totalCount", "quality"];
    let keys = keys.keys();
    assert!(keys.len() >= 5 && keys[..] == expected[..keys.len()], "{keys:?}");
    serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Reads JSON, one object a line.
pub fn ndjson(bytes: &[u8]) -> Vec<Row> {
    assert!(bytes.is_empty() || bytes.ends_with(b"\n"), "the last line has an end too");
    let text = std::str::from_utf8(bytes).unwrap();
    text.split_terminator('\n')
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Reads the files of a zip archive by its directory.
pub fn unzip(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let number = |at: usize, length: usize| {
        bytes[at..at + length]
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    };
    let end = bytes.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    let mut at = number(end + 16, 4);
    let mut files = Vec::new();
    for _ in 0..number(end + 10, 2) {
        assert_eq!(&bytes[at..at + 4], b"PK\x01\x02");
        let (method, packed, size, name, local) = (
            number(at + 10, 2),
            number(at + 20, 4),
            number(at + 24, 4),
            number(at + 28, 2),
            number(at + 42, 4),
        );
        let path = String::from_utf8(bytes[at + 46..at + 46 + name].to_vec()).unwrap();
        at += 46 + name + number(at + 30, 2) + number(at + 32, 2);
        let from = local + 30 + number(local + 26, 2) + number(local + 28, 2);
        let stored = &bytes[from..from + packed];
        let mut content = Vec::new();
        match method {
            0 => content.extend_from_slice(stored),
            8 => drop(flate2::read::DeflateDecoder::new(stored).read_to_end(&mut content).unwrap()),
            other => panic!("{path} is packed by method {other}"),
        }
        assert_eq!(content.len(), size, "{path}");
        files.push((path, content));
    }
    files
}
