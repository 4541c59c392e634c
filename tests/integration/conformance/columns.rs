//! Which columns are shown, in which order and under which titles: `fieldsVisibility`, `columns`, `columnNames`.

use super::{DAYS, DENIALS_CSV, DENIALS_JSON, MEDIA_TYPES, ONE_HOUR, Site, in_format};
use crate::readers;

/// What the denials of a test are narrowed to.
const ONE_ROW: (&str, &str) = ("filter", r#"[{"property":"ldtc","value":10}]"#);

/// `fieldsVisibility` and the head of the CSV.
const MAPS: &[(&str, &[&str])] = &[
    (r#"{}"#, &["Date", "Denials", "User", "Host"]),
    (r#"{"un":"1","hn":"1","ldt":"1","ldtc":"1"}"#, &["User", "Host", "Date", "Denials"]),
    (r#"{"ldt":"1","un":"0"}"#, &["Date"]),
    (r#"{"hn":"1"}"#, &["Host"]),
    (r#"{"un":"0","hn":"1","ldt":"1"}"#, &["Host", "Date"]),
    (r#"{"un":"0"}"#, &["Date", "Denials", "Host"]),
    (r#"{"hn":"0","ldt":"0"}"#, &["Denials", "User"]),
    (r#"{"hn":1,"ldt":1}"#, &["Host", "Date"]),
    (r#"{"hn":0,"un":0}"#, &["Date", "Denials"]),
    (r#"{"hn":true,"ldt":1,"un":"1","ldtc":false}"#, &["Host", "Date", "User"]),
    (r#"{"hn":false}"#, &["Date", "Denials", "User"]),
    (" { \"hn\" : \"1\" ,\n\"un\":\"1\" } ", &["Host", "User"]),
];

/// `fieldsVisibility` that makes no sense, and what is told of it.
const NO_MAPS: &[(&str, &[&str])] = &[
    ("", &[]),
    ("[]", &[]),
    ("5", &[]),
    ("null", &[]),
    ("\"un\"", &[]),
    ("{", &[]),
    ("{\"un\":\"1\"", &[]),
    ("un,hn", &[]),
    (r#"{"nobody":"1"}"#, &["nobody"]),
    (r#"{"nobody":"0"}"#, &["nobody"]),
    (r#"{"un":"1","nobody":"1"}"#, &["nobody"]),
    (r#"{"fid":"1"}"#, &["fid"]),
    (r#"{"un":"1","un":"1"}"#, &["un"]),
    (r#"{"un":"1","un":"0"}"#, &["un"]),
    (r#"{"un":"yes"}"#, &["un"]),
    (r#"{"un":""}"#, &["un"]),
    (r#"{"un":2}"#, &["un"]),
    (r#"{"un":-1}"#, &["un"]),
    (r#"{"un":null}"#, &["un"]),
    (r#"{"un":["1"]}"#, &["un"]),
    (r#"{"un":{"a":1}}"#, &["un"]),
];

#[test]
fn a_map_selects_and_orders_what_is_exported() {
    let site = Site::start();
    for name in ["fieldsVisibility", "fieldVisibility"] {
        for (map, head) in MAPS {
            let records = site.csv(DENIALS_CSV, &[DAYS, &[(name, map)]].concat());
            assert_eq!(records[0], *head, "{name}={map}");
            assert_eq!(records.len(), 8);
        }
    }
    let records = site.csv(
        DENIALS_CSV,
        &[DAYS, &[ONE_ROW, ("fieldsVisibility", r#"{"hn":"1","ldtc":"1"}"#)]].concat(),
    );
    assert_eq!(records[1], ["ws-10%", "10"]);
}

#[test]
fn json_has_every_column_whatever_a_map_says() {
    let site = Site::start();
    let all = site.succeed(DENIALS_JSON, DAYS).text();
    for (map, _) in MAPS {
        assert_eq!(
            site.succeed(DENIALS_JSON, &[DAYS, &[("fieldsVisibility", map)]].concat()).text(),
            all,
            "{map}"
        );
    }
}

#[test]
fn formats_for_programs_have_every_column_until_a_map_selects() {
    let site = Site::start();
    let handles = |path: &str, given: super::Given<'_>| {
        let told = |format: &str| site.succeed(&in_format(path, format), given).body;
        let ndjson: Vec<String> = readers::ndjson(&told("ndjson"))[0].keys().iter().map(ToString::to_string).collect();
        assert_eq!(readers::arrow(&told("arrow")).columns(), ndjson, "{given:?}");
        assert_eq!(readers::parquet(&told("parquet")).columns(), ndjson, "{given:?}");
        ndjson
    };
    let servers = |map: &str| handles(super::SERVERS, &[("fieldsVisibility", map)]);
    let all = ["lsid", "lsn", "lsh", "lsp", "lsd", "lsmn", "vn", "lss", "gtn", "lshal", "lshf"];
    assert_eq!(handles(super::SERVERS, &[]), all);
    assert_eq!(servers("{}"), all);
    assert_eq!(
        servers(r#"{"lsh":"0","lshal":"0","lsid":0,"lsp":0,"lsd":0,"lsmn":0,"vn":false}"#),
        ["lsn", "lss", "gtn", "lshf"]
    );
    assert_eq!(servers(r#"{"lshf":"1","lsn":"1"}"#), ["lshf", "lsn"]);
    let several = handles(super::SEVERAL, ONE_HOUR);
    assert_eq!(several, ["fid", "fns", "lsn", "lc", "lhu", "lutil"]);
}

#[test]
fn hidden_columns_are_exported_when_they_are_asked_for() {
    let site = Site::start();
    let head = |path: &str, given: super::Given<'_>| site.csv(path, given)[0].join(",");
    let features = "Feature Name,Feature Type,Feature Version,License Server,Vendor,Gathering";
    assert_eq!(head("/feature/csv", &[]), features);
    assert_eq!(
        head("/feature/csv", &[("fieldsVisibility", r#"{"fid":"1","fns":"1"}"#)]),
        "Feature ID,Feature Name"
    );
    // What is hidden stays hidden where others are hidden as well.
    assert_eq!(
        head("/feature/csv", &[("fieldsVisibility", r#"{"fid":"0","vn":"0"}"#)]),
        features.replace(",Vendor", "")
    );
    assert_eq!(head("/feature/csv", &[("columns", "vn,fid")]), "Vendor,Feature ID");
    let servers = "License Server,Hostname,Port,Description,License Manager,Vendor,Status,Gathering";
    assert_eq!(head("/license-server/csv", &[]), servers);
    assert_eq!(
        head("/license-server/csv", &[("columns", "lshf,lsn")]),
        "Has Features,License Server"
    );
    let several = in_format(super::SEVERAL, "csv");
    assert_eq!(
        head(&several, ONE_HOUR),
        "Feature ID,Feature Name,License Server,Licenses In Use,Hours Used,Utilization"
    );
    assert_eq!(
        head(&several, &[ONE_HOUR, &[("fieldsVisibility", r#"{"fid":0,"lsn":0}"#)]].concat()),
        "Feature Name,Licenses In Use,Hours Used,Utilization"
    );
}

#[test]
fn a_map_that_makes_no_sense_is_refused() {
    let site = Site::start();
    for name in ["fieldsVisibility", "fieldVisibility"] {
        for (map, words) in NO_MAPS {
            for path in [DENIALS_CSV, DENIALS_JSON] {
                site.refuse(path, &[DAYS, &[(name, map)]].concat(), 1002, &[&[name], *words].concat());
            }
        }
        let none = r#"{"ldt":"0","ldtc":"0","un":"0","hn":"0"}"#;
        site.refuse(DENIALS_CSV, &[DAYS, &[(name, none)]].concat(), 1002, &[name]);
    }
    let both = [DAYS, &[("fieldsVisibility", r#"{"un":"1"}"#), ("fieldVisibility", r#"{"un":"1"}"#)]].concat();
    for path in [DENIALS_CSV, DENIALS_JSON] {
        site.refuse(path, &both, 1003, &["fieldVisibility"]);
    }
}

#[test]
fn a_list_selects_and_orders_in_every_format() {
    let site = Site::start();
    let given = [DAYS, &[ONE_ROW, ("columns", "hn,ldtc,ldt")]].concat();
    let rows = site.rows(DENIALS_JSON, &given);
    assert_eq!(rows[0].keys(), ["hn", "ldtc", "ldt"]);
    assert_eq!(
        rows[0].values(),
        ["ws-10%".into(), serde_json::Value::from(10), "2015-03-04 07:00:00".into()]
            .iter()
            .collect::<Vec<_>>()
    );
    let told = |format: &str| site.succeed(&in_format(DENIALS_JSON, format), &given).body;
    assert_eq!(readers::ndjson(&told("ndjson")), rows);
    assert_eq!(
        readers::csv(&told("csv")),
        [["Host", "Denials", "Date"], ["ws-10%", "10", "2015-03-04 07:00:00"]]
    );
    assert_eq!(readers::arrow(&told("arrow")).columns(), ["hn", "ldtc", "ldt"]);
    assert_eq!(readers::parquet(&told("parquet")).columns(), ["hn", "ldtc", "ldt"]);
    for (format, _) in MEDIA_TYPES {
        site.succeed(&in_format(DENIALS_JSON, format), &given);
    }
    let several = site.rows(super::SEVERAL, &[ONE_HOUR, &[("columns", "lc,fid")]].concat());
    assert_eq!(several[0].keys(), ["lc", "fid"]);
}

#[test]
fn a_list_that_makes_no_sense_is_refused() {
    let site = Site::start();
    for (list, word) in [
        ("", ""),
        (",", ""),
        ("un,", ""),
        ("nobody", "nobody"),
        ("un,nobody", "nobody"),
        ("un,un", "un"),
        ("fid", "fid"),
        ("UN", "UN"),
    ] {
        for path in [DENIALS_CSV, DENIALS_JSON] {
            site.refuse(path, &[DAYS, &[("columns", list)]].concat(), 1002, &["columns", word]);
        }
    }
    for name in ["fieldsVisibility", "fieldVisibility"] {
        let both = [DAYS, &[("columns", "un"), (name, r#"{"un":"1"}"#)]].concat();
        for path in [DENIALS_CSV, DENIALS_JSON] {
            site.refuse(path, &both, 1003, &["columns", name]);
        }
    }
}

#[test]
fn titles_are_what_the_caller_says() {
    let site = Site::start();
    let names = ("columnNames", r#"{"ldt":"When","un":"Wer, \"genau\"?","hn":"=1+1"}"#);
    let given = [DAYS, &[names]].concat();
    assert_eq!(site.csv(DENIALS_CSV, &given)[0], ["When", "Denials", "Wer, \"genau\"?", "'=1+1"]);
    let shown = [&given[..], &[("fieldsVisibility", r#"{"un":1,"ldt":1}"#)]].concat();
    assert_eq!(site.csv(DENIALS_CSV, &shown)[0], ["Wer, \"genau\"?", "When"]);
    let html = site.succeed(&in_format(DENIALS_CSV, "html"), &given).text();
    assert!(html.contains("When") && html.contains("Wer, &quot;genau&quot;?"), "{html}");
    let files = readers::unzip(&site.succeed(&in_format(DENIALS_CSV, "xlsx"), &given).body);
    let texts: String = files.iter().map(|(_, content)| String::from_utf8_lossy(content)).collect();
    assert!(
        texts.contains(">When<") && texts.contains(">=1+1<") && !texts.contains("'=1+1<"),
        "{texts}"
    );
    // Programs know handles.
    for format in ["json", "ndjson", "arrow", "parquet"] {
        let path = in_format(DENIALS_CSV, format);
        assert_eq!(site.succeed(&path, &given).body, site.succeed(&path, DAYS).body, "{format}");
    }
    assert_eq!(
        site.csv(DENIALS_CSV, &[DAYS, &[("columnNames", "{}")]].concat())[0],
        ["Date", "Denials", "User", "Host"]
    );
    // What is not shown may have a title.
    assert_eq!(
        site.csv("/feature/csv", &[("columnNames", r#"{"fid":"Number"}"#), ("columns", "fns")])[0],
        ["Feature Name"]
    );
}

#[test]
fn titles_that_make_no_sense_are_refused() {
    let site = Site::start();
    for (names, word) in [
        ("", ""),
        ("[]", ""),
        ("{", ""),
        ("5", ""),
        (r#"{"nobody":"x"}"#, "nobody"),
        (r#"{"un":""}"#, "un"),
        (r#"{"un":5}"#, "un"),
        (r#"{"un":null}"#, "un"),
        (r#"{"un":["x"]}"#, "un"),
        (r#"{"un":"x","un":"y"}"#, "un"),
    ] {
        for path in [DENIALS_CSV, DENIALS_JSON] {
            site.refuse(path, &[DAYS, &[("columnNames", names)]].concat(), 1002, &["columnNames", word]);
        }
    }
}
