//! What comes back: the envelope, CSV, types, file names, doubts.

use arrow::datatypes::DataType;
use headroom::report::ColumnType;

use super::{DAYS, DENIALS_JSON, GROUPED, HOURS, SEVERAL, Site, UTILIZATION, in_format};
use crate::readers::{self, Cell};

#[test]
fn json_is_the_envelope_with_its_keys_in_order() {
    let site = Site::start();
    let given = [DAYS, &[("filter", r#"[{"property":"ldtc","value":10}]"#)]].concat();
    let text = site.succeed(DENIALS_JSON, &given).text();
    let row = r#"{"ldt":"2015-03-04 07:00:00","ldtc":10,"un":"o'neil, \"pat\"","hn":"ws-10%"}"#;
    let expected = format!(r#"{{"success":true,"msg":"","data":[{row}],"code":null,"totalCount":1"#);
    assert!(text.starts_with(&expected), "{text}");
    let none = [DAYS, &[("filter", r#"[{"property":"ldtc","value":-1}]"#)]].concat();
    let text = site.succeed(DENIALS_JSON, &none).text();
    assert!(
        text.starts_with(r#"{"success":true,"msg":"","data":[],"code":null,"totalCount":0"#),
        "{text}"
    );
}

#[test]
fn the_worked_example_of_utilization() {
    let site = Site::start();
    let told = |incd: &str| -> Vec<serde_json::Value> {
        let rows = site.rows(UTILIZATION, &[HOURS, &[("incd", incd)]].concat());
        rows.iter().map(|row| serde_json::json!(row.values())).collect()
    };
    let json = |row: (u8, f64, f64)| serde_json::json!(row);
    assert_eq!(told("true"), [(1, 8.5, 53.13), (2, 7.0, 43.75), (3, 1.5, 9.38)].map(json));
    assert_eq!(told("false"), [(1, 8.5, 70.83), (2, 7.0, 58.33), (3, 1.5, 12.5)].map(json));
}

#[test]
fn csv_is_rfc_4180() {
    let site = Site::start();
    let answer = site.succeed(&in_format(DENIALS_JSON, "csv"), DAYS);
    let expected = [
        "Date,Denials,User,Host",
        "2015-03-02 08:15:00,1,Alice,WS-1",
        "2015-03-02 09:30:00,2,bob,ws-2",
        "2015-03-02 23:59:59,3,alice,ws-1",
        "2015-03-03 00:00:00,1,Zoë,",
        "2015-03-03 12:00:00,5,'=1+1,\"<b>&\"\"q\"\"\"",
        "2015-03-04 07:00:00,10,\"o'neil, \"\"pat\"\"\",ws-10%",
        "2015-03-05 10:00:00,4,李雷,_x",
        "",
    ];
    assert_eq!(answer.text(), expected.join("\r\n"));
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let none = site.succeed(&in_format(DENIALS_JSON, "csv"), &[("sd", "2014-01-01"), ("ed", "2014-01-01")]);
    assert_eq!(none.text(), "Date,Denials,User,Host\r\n");
}

#[test]
fn ndjson_is_an_object_a_line() {
    let site = Site::start();
    let answer = site.succeed(&in_format(DENIALS_JSON, "ndjson"), &[DAYS, &[("limit", "2")]].concat());
    let expected = concat!(
        r#"{"ldt":"2015-03-02 08:15:00","ldtc":1,"un":"Alice","hn":"WS-1"}"#,
        "\n",
        r#"{"ldt":"2015-03-02 09:30:00","ldtc":2,"un":"bob","hn":"ws-2"}"#,
        "\n",
    );
    assert_eq!(answer.text(), expected);
}

#[test]
fn formats_with_types_have_the_published_ones() {
    let site = Site::start();
    let berlin = ("tz", "Europe/Berlin");
    let hours = [DAYS, &[("grat", "6"), berlin]].concat();
    let days = [DAYS, &[("grat", "5"), berlin]].concat();
    for (path, given, kinds) in [
        (
            DENIALS_JSON,
            &[DAYS, &[berlin]].concat()[..],
            &[ColumnType::DateTime, ColumnType::Integer, ColumnType::Text, ColumnType::Text][..],
        ),
        (GROUPED, &hours, &[ColumnType::Period, ColumnType::Integer]),
        (GROUPED, &days, &[ColumnType::Period, ColumnType::Integer]),
        (UTILIZATION, HOURS, &[ColumnType::Integer, ColumnType::Float, ColumnType::Float]),
        (
            super::USERS,
            &[("ed", "2015-01-03")],
            &[
                ColumnType::Date,
                ColumnType::Integer,
                ColumnType::Integer,
                ColumnType::Integer,
                ColumnType::Integer,
            ],
        ),
    ] {
        use headroom::time::Granularity;
        let granularity = given
            .iter()
            .find(|(name, _)| *name == "grat")
            .map(|(_, text)| if *text == "6" { Granularity::Hour } else { Granularity::Day });
        let expected: Vec<DataType> = kinds
            .iter()
            .map(|kind| readers::arrow_type(*kind, granularity, "Europe/Berlin"))
            .collect();
        let told = |format: &str| site.succeed(&in_format(path, format), given).body;
        for table in [readers::arrow(&told("arrow")), readers::parquet(&told("parquet"))] {
            let types: Vec<DataType> = table.schema.fields().iter().map(|field| field.data_type().clone()).collect();
            assert_eq!(types, expected, "{path}");
        }
    }
    let servers = readers::arrow(&site.succeed("/license-server/arrow", &[]).body);
    let redundant = servers.schema.field_with_name("lshal").unwrap();
    assert_eq!(redundant.data_type(), &DataType::Boolean);
}

#[test]
fn formats_with_types_are_exact_where_texts_are_rounded() {
    let site = Site::start();
    let told = |format: &str| site.succeed(&in_format(UTILIZATION, format), HOURS).body;
    for table in [readers::arrow(&told("arrow")), readers::parquet(&told("parquet"))] {
        assert_eq!(table.columns(), ["lc", "lhu", "lutil"]);
        let Cell::Float(exact) = table.rows[0][2] else {
            panic!("{table:?}")
        };
        assert!((exact - 850.0 / 12.0).abs() < 1e-9, "{exact}");
    }
    let told = |format: &str| {
        site.succeed(&in_format(DENIALS_JSON, format), &[DAYS, &[("tz", "Europe/Berlin")]].concat())
            .body
    };
    for table in [readers::arrow(&told("arrow")), readers::parquet(&told("parquet"))] {
        // 2015-03-02 09:30:00.5 UTC
        assert_eq!(table.rows[1][0], Cell::Instant(1_425_288_600_500_000, chrono_tz::Europe::Berlin));
        assert_eq!(table.rows[3][3], Cell::Null);
    }
    let told = |format: &str| site.succeed(&in_format(SEVERAL, format), super::ONE_HOUR).body;
    for table in [readers::arrow(&told("arrow")), readers::parquet(&told("parquet"))] {
        assert_eq!(table.rows[2][4..], [Cell::Float(1.0), Cell::Null]);
    }
}

#[test]
fn what_is_kept_has_a_name_that_says_what_it_is() {
    let site = Site::start();
    for (path, given, name) in [
        (
            DENIALS_JSON,
            &[("sd", "2015-03-02"), ("ed", "2015-03-03")][..],
            "denials-1-2015-03-02-2015-03-03",
        ),
        (
            GROUPED,
            &[("sd", "2015-03-02"), ("ed", "2015-03-03"), ("grat", "3")],
            "grouped-denials-1-2015-03-02-2015-03-03",
        ),
        (UTILIZATION, HOURS, "utilization-history-3-2015-01-01-2015-01-02"),
        (
            super::USERS,
            &[("sd", "2015-01-01"), ("ed", "2015-01-03")],
            "users-count-2015-01-01-2015-01-03",
        ),
        (super::FEATURES, &[], "features"),
        (super::SERVERS, &[], "license-servers"),
    ] {
        let disposition = |format: &str| {
            site.succeed(&in_format(path, format), given)
                .header("content-disposition")
                .map(str::to_owned)
        };
        for format in ["csv", "ndjson", "arrow", "parquet", "xlsx", "pdf"] {
            assert_eq!(
                disposition(format),
                Some(format!("attachment; filename=\"{name}.{format}\"")),
                "{path}"
            );
        }
        assert_eq!(disposition("xls"), Some(format!("attachment; filename=\"{name}.xlsx\"")), "{path}");
        assert_eq!(disposition("svg"), Some(format!("inline; filename=\"{name}.svg\"")), "{path}");
        assert_eq!((disposition("json"), disposition("html")), (None, None), "{path}");
    }
}

#[test]
fn a_doubtful_figure_says_so_in_every_format() {
    let site = Site::start();
    // Feature 5 has an open session and a checkin of nothing.
    let path = "/report/feature/5/denials/json";
    let given = [("sd", "2015-06-01"), ("ed", "2015-06-01")];
    let quality = readers::envelope(&site.succeed(path, &given).body).quality.unwrap();
    let count = |key: &str| quality[key].as_u64().unwrap_or(0);
    assert_eq!((count("openSessions"), count("orphanCheckins")), (1, 1), "{quality}");
    assert_eq!((count("ambiguousMatches"), count("truncatedByRestart")), (0, 0), "{quality}");
    for (format, _) in super::MEDIA_TYPES.iter().filter(|(format, _)| *format != "json") {
        let answer = site.succeed(&in_format(path, format), &given);
        let told = answer.header("x-data-quality").unwrap_or_else(|| panic!("{format} says nothing"));
        assert!(told.is_ascii(), "{told}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(told).unwrap(), quality, "{format}");
    }
    // Days of which nothing is known.
    let before = [("sd", "2014-01-01"), ("ed", "2014-01-31")];
    assert!(readers::envelope(&site.succeed(DENIALS_JSON, &before).body).quality.is_some());
    // Nothing is wrong with what server beta told in these days.
    let sound = [("sd", "2015-03-03"), ("ed", "2015-03-04")];
    assert_eq!(readers::envelope(&site.succeed(DENIALS_JSON, &sound).body).quality, None);
    assert_eq!(site.succeed(super::DENIALS_CSV, &sound).header("x-data-quality"), None);
}
