//! What is written at speed is what is written with care: every cell is spelled once more, by formatters of others.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt64Array,
};
use arrow::datatypes::{Field, Int32Type, Schema};
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, TimeDelta, Timelike as _};
use chrono_tz::Tz;
use proptest::prelude::*;
use serde_json::Value;

use crate::output::{Document, Ending, find};
use crate::report::{Column, ColumnType};
use crate::time::Granularity;

/// A column, and what each of its rows says.
#[derive(Debug, Clone)]
struct Given {
    kind: ColumnType,
    array: ArrayRef,
    said: Vec<Said>,
}

/// What a row says.
#[derive(Debug, Clone)]
enum Said {
    Nothing,
    /// A text that somebody chose.
    Text(String),
    /// A date or a time.
    Time(String),
    /// A number or a truth; in JSON there may be none.
    Plain(String, bool),
}

fn said<T>(values: &[Option<T>], say: impl Fn(&T) -> Said) -> Vec<Said> {
    let say = |value: &Option<T>| value.as_ref().map_or(Said::Nothing, &say);
    values.iter().map(say).collect()
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{0,12}",
        2 => prop::sample::select(vec!["", "=1+1", "+4", "-x", "@me", "\tx", "\rx", "a,b", "say \"no\"", "\"", "a\nb", "\u{0}\u{1f}\u{7f}", "😀 né", "\\", "\u{2028}", "'"])
            .prop_map(str::to_owned),
        1 => "[ -~]{0,80}",
        1 => prop::collection::vec(any::<char>(), 0..40).prop_map(String::from_iter),
    ]
}

fn rows_of<T: std::fmt::Debug + Clone>(value: impl Strategy<Value = T> + 'static, rows: usize) -> BoxedStrategy<Vec<Option<T>>> {
    prop::collection::vec(prop::option::weighted(0.9, value), rows).boxed()
}

/// Few digits as they would be written, rounded half away from zero: by hand, from the shortest form.
fn two_decimals(number: f64) -> String {
    let shortest = format!("{}", number.abs());
    let (whole, decimals) = shortest.split_once('.').unwrap_or((&shortest, ""));
    let digits = format!("{decimals:0<3}");
    let mut hundredths: u128 = format!("{whole}{}", &digits[..2]).parse().unwrap();
    hundredths += u128::from(digits.as_bytes()[2] >= b'5');
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    let text = text.strip_suffix('0').unwrap_or(&text);
    let sign = if number < 0.0 && hundredths > 0 { "-" } else { "" };
    format!("{sign}{text}")
}

fn date(date: NaiveDate) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

fn wall_clock(time: NaiveDateTime) -> String {
    format!("{} {:02}:{:02}:{:02}", date(time.date()), time.hour(), time.minute(), time.second())
}

const EPOCH: NaiveDateTime = DateTime::UNIX_EPOCH.naive_utc();

/// Instants: near, far, and where clocks change.
fn instants() -> impl Strategy<Value = i64> {
    const SECOND: i64 = 1_000_000;
    const YEAR: i64 = 366 * 86_400 * SECOND;
    prop_oneof![
        (0i64..90_000_000).prop_map(|second| (second + 1_740_787_200) * SECOND),
        // Around both changes of clocks of a year in Berlin.
        (-9_000i64..9_000).prop_map(|second| (1_774_746_000 + second) * SECOND),
        (-9_000i64..9_000).prop_map(|second| (1_792_890_000 + second) * SECOND),
        -200 * YEAR..200 * YEAR,
        -2100 * YEAR..9000 * YEAR,
        (-60_000_000i64..60_000_000).prop_map(|milli| milli * 1000),
    ]
}

fn naive(at: i64) -> NaiveDateTime {
    EPOCH + TimeDelta::microseconds(at)
}

fn given(rows: usize) -> impl Strategy<Value = Given> {
    let text = rows_of(texts(), rows).prop_map(|values| Given {
        kind: ColumnType::Text,
        said: said(&values, |text| Said::Text(text.clone())),
        array: Arc::new(StringArray::from(values)),
    });
    let dictionary = rows_of(texts(), rows).prop_map(|values| Given {
        kind: ColumnType::Enumeration,
        said: said(&values, |text| Said::Text(text.clone())),
        array: Arc::new(values.iter().map(Option::as_deref).collect::<DictionaryArray<Int32Type>>()),
    });
    let number = prop_oneof![any::<i64>(), -200i64..2000, Just(i64::MIN), Just(i64::MAX)];
    let integer = rows_of(number, rows).prop_map(|values| Given {
        kind: ColumnType::Integer,
        said: said(&values, |number| Said::Plain(number.to_string(), true)),
        array: Arc::new(Int64Array::from(values)),
    });
    let small = rows_of(any::<i32>(), rows).prop_map(|values| Given {
        kind: ColumnType::Integer,
        said: said(&values, |number| Said::Plain(number.to_string(), true)),
        array: Arc::new(Int32Array::from(values)),
    });
    let unsigned = rows_of(any::<u64>(), rows).prop_map(|values| Given {
        kind: ColumnType::Number,
        said: said(&values, |number| Said::Plain(number.to_string(), true)),
        array: Arc::new(UInt64Array::from(values)),
    });
    let decimal = rows_of(-100_000i64..100_000, rows).prop_map(|values| Given {
        kind: ColumnType::Number,
        said: said(&values, |number| {
            let sign = if *number < 0 { "-" } else { "" };
            Said::Plain(format!("{sign}{}.{:02}", number.abs() / 100, number.abs() % 100), true)
        }),
        array: Arc::new(
            values
                .iter()
                .map(|number| number.map(i128::from))
                .collect::<Decimal128Array>()
                .with_precision_and_scale(12, 2)
                .unwrap(),
        ),
    });
    let any_number = prop::sample::select(vec![
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (-f64::INFINITY, "-inf"),
        (0.25, "0.25"),
    ]);
    let unusual = rows_of(any_number, rows).prop_map(|values| Given {
        kind: ColumnType::Number,
        said: said(&values, |(number, text)| Said::Plain((*text).to_owned(), number.is_finite())),
        array: Arc::new(values.iter().map(|value| value.map(|(number, _)| number)).collect::<Float64Array>()),
    });
    let floats = prop_oneof![
        -1e9..1e9,
        (-1_000_000i64..1_000_000).prop_map(|n| n as f64 / 1000.0),
        prop::sample::select(vec![
            0.0,
            -0.0,
            -0.001,
            1.005,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            9.375,
            1e300,
            -2.5e17
        ]),
    ];
    let float = rows_of(floats, rows).prop_map(|values| Given {
        kind: ColumnType::Float,
        said: said(&values, |number: &f64| match number {
            number if !number.is_finite() => Said::Nothing,
            number if number.abs() > 1e13 => Said::Plain(format!("{number:.1}"), true),
            number => Said::Plain(two_decimals(*number), true),
        }),
        array: Arc::new(Float64Array::from(values)),
    });
    let boolean = rows_of(any::<bool>(), rows).prop_map(|values| Given {
        kind: ColumnType::Boolean,
        said: said(&values, |value| Said::Plain(if *value { "true" } else { "false" }.to_owned(), true)),
        array: Arc::new(BooleanArray::from(values)),
    });
    let day = prop_oneof![20_000i32..20_100, -800_000i32..3_000_000];
    let days = rows_of(day, rows).prop_map(|values| Given {
        kind: ColumnType::Date,
        said: said(&values, |day| Said::Time(date((EPOCH + TimeDelta::days(i64::from(*day))).date()))),
        array: Arc::new(Date32Array::from(values)),
    });
    let zones = prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]);
    let zoned = (rows_of(instants(), rows), zones, any::<bool>()).prop_map(|(values, zone, whole)| {
        let tz: Tz = zone.parse().unwrap();
        let say = move |at: &i64| {
            let told = DateTime::from_timestamp_micros(*at).unwrap().with_timezone(&tz);
            let local = wall_clock(told.naive_local());
            Said::Time(if whole {
                local
            } else {
                format!("{local}{}{}", fraction(*at), told.format("%:z"))
            })
        };
        Given {
            kind: if whole { ColumnType::DateTime } else { ColumnType::Timestamp },
            said: said(&values, say),
            array: Arc::new(TimestampMicrosecondArray::from(values).with_timezone(zone)),
        }
    });
    let bare = rows_of(instants(), rows).prop_map(|values| Given {
        kind: ColumnType::Timestamp,
        said: said(&values, |at| Said::Time(format!("{}{}", wall_clock(naive(*at)), fraction(*at)))),
        array: Arc::new(TimestampMicrosecondArray::from(values)),
    });
    let hour = prop_oneof![20_000i64 * 24..20_010 * 24, -500_000i64 * 24..2_000_000 * 24];
    let periods = (rows_of(hour, rows), any::<bool>()).prop_map(|(values, by_hour)| {
        // A day's period begins with its first hour.
        let begin = move |hour: &i64| if by_hour { *hour } else { hour.div_euclid(24) * 24 };
        let say = |hour: &i64| {
            let start = EPOCH + TimeDelta::hours(begin(hour));
            let day = date(start.date());
            Said::Time(if by_hour { format!("{day} {:02}:00", start.hour()) } else { day })
        };
        let starts = values.iter().map(|hour| hour.as_ref().map(|hour| begin(hour) * 3_600_000_000));
        Given {
            kind: ColumnType::PeriodOf(if by_hour { Granularity::Hour } else { Granularity::Day }),
            said: said(&values, say),
            array: Arc::new(starts.collect::<TimestampMicrosecondArray>()),
        }
    });
    prop_oneof![
        text, dictionary, integer, small, unsigned, decimal, unusual, float, boolean, days, zoned, bare, periods
    ]
}

fn fraction(at: i64) -> String {
    match at.rem_euclid(1_000_000) {
        0 => String::new(),
        micros if micros % 1000 == 0 => format!(".{:03}", micros / 1000),
        micros => format!(".{micros:06}"),
    }
}

/// Tables: columns of as many rows each, and where they are cut into batches.
fn tables() -> impl Strategy<Value = (Vec<Given>, Vec<usize>)> {
    (0usize..40).prop_flat_map(|rows| (prop::collection::vec(given(rows), 1..6), prop::collection::vec(0..=rows, 0..4)))
}

fn names(columns: usize) -> Vec<String> {
    let odd = ["plain", "with \"quotes\", and commas", "=formula", "é", "five"];
    (0..columns).map(|place| odd[place].to_owned()).collect()
}

fn batch(given: &[Given]) -> RecordBatch {
    let fields = given.iter().zip(names(given.len()));
    let fields: Vec<Field> = fields
        .map(|(given, name)| Field::new(name, given.array.data_type().clone(), true))
        .collect();
    RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        given.iter().map(|given| Arc::clone(&given.array)).collect(),
    )
    .unwrap()
}

fn columns(given: &[Given]) -> Vec<Column> {
    let mut columns = Vec::new();
    for (given, name) in given.iter().zip(names(given.len())) {
        let [column, ..] = &Column::of_features()[..] else { continue };
        columns.push(Column {
            title: format!("-{name}"),
            name,
            kind: given.kind,
            ..column.clone()
        });
    }
    columns
}

/// A document in a format, batch after batch: with one writer, or with pieces that know nothing of each other.
fn written(format: &str, given: &[Given], cuts: &[usize], alone: bool) -> String {
    let mut encoder = find(format).unwrap().encoder(Document::of_columns(columns(given)));
    let mut out = Vec::new();
    encoder.begin(&mut out).unwrap();
    let whole = batch(given);
    let mut cuts = cuts.to_vec();
    cuts.sort_unstable();
    cuts.push(whole.num_rows());
    let mut from = 0;
    let mut first = true;
    for cut in cuts {
        let part = whole.slice(from, cut - from);
        from = cut;
        if alone {
            let mut piece = Vec::new();
            encoder.rows_alone().unwrap().rows(&part, first, &mut piece).unwrap();
            first &= part.num_rows() == 0;
            out.extend(piece);
        } else {
            encoder.rows(&part, &mut out).unwrap();
        }
    }
    while encoder.end(whole.num_rows() as u64, &mut out).unwrap() == Ending::More {}
    String::from_utf8(out).unwrap()
}

fn as_csv(given: &[Given]) -> String {
    let defused = |text: &str| {
        let formula = ["=", "+", "-", "@", "\t", "\r"].iter().any(|start| text.starts_with(start));
        if formula { format!("'{text}") } else { text.to_owned() }
    };
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer
        .write_record(names(given.len()).iter().map(|name| format!("'-{name}")))
        .unwrap();
    for row in 0..given[0].said.len() {
        let cell = |given: &Given| match &given.said[row] {
            Said::Nothing => String::new(),
            Said::Text(text) => defused(text),
            Said::Time(text) | Said::Plain(text, _) => text.clone(),
        };
        writer.write_record(given.iter().map(cell)).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

fn as_objects(given: &[Given]) -> Vec<String> {
    let object = |row: usize| {
        let member = |(given, name): (&Given, String)| {
            let value = match &given.said[row] {
                Said::Plain(text, true) => text.clone(),
                Said::Nothing | Said::Plain(_, false) => "null".to_owned(),
                Said::Text(text) | Said::Time(text) => Value::from(text.as_str()).to_string(),
            };
            format!("{}:{value}", Value::from(name))
        };
        let members: Vec<String> = given.iter().zip(names(given.len())).map(member).collect();
        format!("{{{}}}", members.join(","))
    };
    (0..given[0].said.len()).map(object).collect()
}

proptest! {
    #[test]
    fn csv_is_as_others_write_it((given, cuts) in tables()) {
        let expected = as_csv(&given);
        prop_assert_eq!(&written("csv", &given, &cuts, false), &expected);
        prop_assert_eq!(&written("csv", &given, &cuts, true), &expected);
    }

    #[test]
    fn objects_are_as_others_write_them((given, cuts) in tables()) {
        let objects = as_objects(&given);
        let lines: String = objects.iter().map(|object| format!("{object}\n")).collect();
        prop_assert_eq!(&written("ndjson", &given, &cuts, false), &lines);
        prop_assert_eq!(&written("ndjson", &given, &cuts, true), &lines);
        let envelope = format!(
            r#"{{"success":true,"msg":"","data":[{}],"code":null,"totalCount":{}}}"#,
            objects.join(","),
            objects.len()
        );
        prop_assert_eq!(&written("json", &given, &cuts, false), &envelope);
        prop_assert_eq!(&written("json", &given, &cuts, true), &envelope);
    }
}

#[test]
fn dictionaries_that_change_are_not_confused() {
    let given = |texts: [&str; 3]| Given {
        kind: ColumnType::Text,
        said: Vec::new(),
        array: Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>()),
    };
    let turns = [["a", "b", "a"], ["c", "d", "c"], ["e", "f", "g"], ["\"", "=", ","]];
    let givens: Vec<Given> = turns.iter().map(|texts| given(*texts)).collect();
    let lines = find("csv").unwrap().encoder(Document::of_columns(columns(&givens[..1])));
    let lines = lines.rows_alone().unwrap();
    for turn in [0, 0, 1, 0, 2, 1, 3, 3, 0, 2] {
        let mut out = Vec::new();
        lines.rows(&batch(&givens[turn..=turn]), false, &mut out).unwrap();
        let cells = turns[turn].map(|text| match text {
            "\"" => "\"\"\"\"\r\n".to_owned(),
            "=" => "'=\r\n".to_owned(),
            "," => "\",\"\r\n".to_owned(),
            text => format!("{text}\r\n"),
        });
        assert_eq!(String::from_utf8(out).unwrap(), cells.concat());
    }
}

#[test]
fn days_that_no_calendar_knows_are_told_as_ever() {
    let given = [
        Given {
            kind: ColumnType::Date,
            said: Vec::new(),
            array: Arc::new(Date32Array::from(vec![
                i32::MAX,
                i32::MIN,
                2_932_896,
                2_932_897,
                -719_528,
                -719_529,
            ])),
        },
        Given {
            kind: ColumnType::Timestamp,
            said: Vec::new(),
            array: Arc::new(TimestampMicrosecondArray::from(vec![
                i64::MAX,
                i64::MIN,
                253_402_300_799_000_000,
                253_402_300_800_000_000,
                -1,
                0,
            ])),
        },
    ];
    let expected = [
        "1970-01-01,1970-01-01 00:00:00.775807",
        "1970-01-01,1970-01-01 00:00:00.224192",
        "9999-12-31,9999-12-31 23:59:59",
        "10000-01-01,10000-01-01 00:00:00",
        "0000-01-01,1969-12-31 23:59:59.999999",
        "-001-12-31,1970-01-01 00:00:00",
    ];
    let text = written("csv", &given, &[], false);
    let rows: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(rows, expected);
}
