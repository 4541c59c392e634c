//! Granularities by name and number, and what a period is called.

use serde_json::json;

use super::{DAYS, GROUPED, Site, in_format};
use crate::readers::{self, Cell};

/// Granularities, and how feature 1's days 2015-03-01 to 03-06 begin and end in them.
const GRANULARITIES: &[(&str, &str, &str, &str, usize)] = &[
    ("YEAR", "1", "2015", "2015", 1),
    ("QUARTER", "2", "2015-Q1", "2015-Q1", 1),
    ("MONTH", "3", "2015-03", "2015-03", 1),
    // Whole weeks, although the first day is a Sunday and the last a Friday.
    ("WEEK", "4", "2015-02-23-2015-03-01", "2015-03-02-2015-03-08", 2),
    ("DAY", "5", "2015-03-01", "2015-03-06", 6),
    ("HOUR", "6", "2015-03-01 00:00", "2015-03-06 23:00", 144),
];

#[test]
fn a_granularity_has_a_name_and_a_number_and_its_parameter_two_names() {
    let site = Site::start();
    for (name, number, first, last, periods) in GRANULARITIES {
        let (lower, title) = (name.to_lowercase(), format!("{}{}", &name[..1], name[1..].to_lowercase()));
        for parameter in ["grat", "granularity"] {
            for text in [name, number, &*lower, &title] {
                let labels = site.column(GROUPED, &[DAYS, &[(parameter, text)]].concat(), "ldt");
                assert_eq!(labels.len(), *periods, "{parameter}={text}");
                assert_eq!(
                    (&labels[0], labels.last().unwrap()),
                    (&json!(first), &json!(last)),
                    "{parameter}={text}"
                );
            }
        }
    }
}

#[test]
fn granularities_that_make_no_sense_are_refused() {
    let site = Site::start();
    for parameter in ["grat", "granularity"] {
        for text in ["", "0", "7", "-5", "05", "5.0", "FORTNIGHT", "DAYS", "D", " DAY", "DAY,WEEK"] {
            let words = [parameter, "QUARTER", "MONTH", "WEEK", "DAY", "HOUR"];
            site.refuse(GROUPED, &[DAYS, &[(parameter, text)]].concat(), 1002, &words);
        }
    }
    site.refuse(GROUPED, DAYS, 1001, &["grat"]);
    site.refuse(GROUPED, &[DAYS, &[("grat", "5"), ("granularity", "5")]].concat(), 1003, &["gra"]);
}

#[test]
fn the_worked_example_of_denials() {
    let site = Site::start();
    let days = [("sd", "2015-01-01"), ("ed", "2015-01-02")];
    let single = site.rows("/report/feature/3/denials/json", &days);
    let told: Vec<_> = single.iter().map(|row| json!(row.values())).collect();
    let expected = [
        json!(["2015-01-01 08:59:59", 1, "alice", "ws1"]),
        json!(["2015-01-01 09:00:00", 2, "bob", "ws2"]),
        json!(["2015-01-02 23:59:59", 1, "alice", "ws1"]),
    ];
    assert_eq!(told, expected);
    let grouped = |granularity: &str| -> Vec<(String, i64)> {
        let rows = site.rows(
            "/report/feature/3/denials/grouped/json",
            &[&days[..], &[("grat", granularity)]].concat(),
        );
        rows.iter()
            .map(|row| (row.get("ldt").as_str().unwrap().to_owned(), row.get("ldtc").as_i64().unwrap()))
            .collect()
    };
    let said = |label: &str, denied: i64| (label.to_owned(), denied);
    assert_eq!(grouped("5"), [said("2015-01-01", 3), said("2015-01-02", 1)]);
    assert_eq!(grouped("3"), [said("2015-01", 4)]);
    assert_eq!(grouped("4"), [said("2014-12-29-2015-01-04", 4)]);
    assert_eq!(grouped("2"), [said("2015-Q1", 4)]);
    assert_eq!(grouped("1"), [said("2015", 4)]);
    let hours = grouped("6");
    let denied: Vec<_> = hours.iter().filter(|(_, denied)| *denied != 0).cloned().collect();
    assert_eq!(
        denied,
        [
            said("2015-01-01 08:00", 1),
            said("2015-01-01 09:00", 2),
            said("2015-01-02 23:00", 1)
        ]
    );
    assert_eq!(hours.len(), 48);
}

#[test]
fn days_with_a_clock_change_have_an_hour_for_every_label() {
    let site = Site::start();
    for day in ["2015-03-29", "2015-10-25"] {
        let given = [("sd", day), ("ed", day), ("tz", "Europe/Berlin"), ("grat", "HOUR")];
        let labels = site.column(GROUPED, &given, "ldt");
        let expected: Vec<_> = (0..24).map(|hour| json!(format!("{day} {hour:02}:00"))).collect();
        assert_eq!(labels, expected);
    }
}

#[test]
fn periods_are_cut_in_the_zone_of_the_report() {
    let site = Site::start();
    let zone = |zone: &str| site.column(GROUPED, &[DAYS, &[("grat", "DAY"), ("tz", zone)]].concat(), "ldtc");
    assert_eq!(json!(zone("UTC")), json!([0, 6, 6, 10, 4, 0]));
    // Five hours behind, Zoë's midnight is the evening before; 13 hours ahead, what happens from 11:00 on is the next day's.
    assert_eq!(json!(zone("America/New_York")), json!([0, 7, 5, 10, 4, 0]));
    assert_eq!(json!(zone("Pacific/Auckland")), json!([0, 3, 4, 15, 4, 0]));
    site.refuse(GROUPED, &[DAYS, &[("grat", "DAY"), ("tz", "Mars/Base")]].concat(), 1002, &["tz"]);
}

#[test]
fn formats_with_types_give_a_period_by_its_start() {
    let site = Site::start();
    let date = |text: &str| Cell::Date(text.parse().unwrap());
    let hour = |text: &str| Cell::Wall(chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap());
    for (granularity, first, last) in [
        ("YEAR", date("2015-01-01"), date("2015-01-01")),
        ("QUARTER", date("2015-01-01"), date("2015-01-01")),
        ("MONTH", date("2015-03-01"), date("2015-03-01")),
        ("WEEK", date("2015-02-23"), date("2015-03-02")),
        ("DAY", date("2015-03-01"), date("2015-03-06")),
        ("HOUR", hour("2015-03-01 00:00"), hour("2015-03-06 23:00")),
    ] {
        let given = [DAYS, &[("grat", granularity), ("tz", "Europe/Berlin")]].concat();
        let told = |format: &str| site.succeed(&in_format(GROUPED, format), &given).body;
        for table in [readers::arrow(&told("arrow")), readers::parquet(&told("parquet"))] {
            assert_eq!(table.columns(), ["ldt", "ldtc"]);
            assert_eq!(
                (&table.rows[0][0], &table.rows.last().unwrap()[0]),
                (&first, &last),
                "{granularity}"
            );
        }
    }
}
