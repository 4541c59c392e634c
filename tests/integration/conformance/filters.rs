//! `filter`: every type of column, with every operator, in both syntaxes; what matches was read off the table of the module.

use serde_json::json;

use super::{FEATURES, GROUPED, HOURS, ONE_HOUR, SERVERS, SEVERAL, Site, UTILIZATION, letters};

/// Denials of feature 1 and the filters that they match: text, integer, date and time, and several at once.
const DENIALS: &[(&str, &str)] = &[
    ("[]", "abcdefg"),
    // A text: a part of it in any case, or all of it exactly.
    (r#"[{"property":"un","value":"alice"}]"#, "ac"),
    (r#"[{"property":"un","value":"ALI"}]"#, "ac"),
    (r#"[{"property":"un","operator":"contains","value":"ALI"}]"#, "ac"),
    (r#"[{"property":"un","operator":"like","value":"lic"}]"#, "ac"),
    (r#"[{"property":"un","operator":"eq","value":"alice"}]"#, "c"),
    (r#"[{"property":"un","operator":"eq","value":"ALICE"}]"#, ""),
    (r#"[{"property":"un","operator":"eq","value":"lic"}]"#, ""),
    (r#"[{"property":"un","operator":"ne","value":"alice"}]"#, "abdefg"),
    (r#"[{"value":"alice","operator":"eq","property":"un"}]"#, "c"),
    (r#"[{"field":"un","type":"string","value":"ALICE"}]"#, "ac"),
    (r#"[{"type":"string","comparison":"eq","field":"un","value":"alice"}]"#, "c"),
    (r#"[{"property":"un","value":"ZOË"}]"#, "d"),
    (r#"[{"property":"un","value":"李"}]"#, "g"),
    (r#"[{"property":"un","value":"\u674e\u96f7"}]"#, "g"),
    (r#"[{"property":"un","value":"o'neil, \"P"}]"#, "f"),
    (r#"[{"property":"un","value":"=1"}]"#, "e"),
    (r#"[{"property":"un","operator":"eq","value":"'=1+1"}]"#, ""),
    (r#"[{"property":"un","value":"' OR 1=1 --"}]"#, ""),
    (r#"[{"property":"un","value":"a\\"}]"#, ""),
    // Nothing stands for anything else.
    (r#"[{"property":"hn","value":"%"}]"#, "f"),
    (r#"[{"property":"hn","operator":"like","value":"%"}]"#, "f"),
    (r#"[{"property":"hn","value":"_"}]"#, "g"),
    (r#"[{"property":"hn","value":"ws."}]"#, ""),
    (r#"[{"property":"hn","value":"&"}]"#, "e"),
    (r#"[{"property":"hn","value":"ws-1"}]"#, "acf"),
    // A text that is not known is like an empty one.
    (r#"[{"property":"hn","value":""}]"#, "abcdefg"),
    (r#"[{"property":"hn","operator":"eq","value":""}]"#, "d"),
    (r#"[{"property":"hn","operator":"ne","value":""}]"#, "abcefg"),
    (r#"[{"property":"hn","operator":"ne","value":"ws-1"}]"#, "abdefg"),
    (r#"[{"type":"string","field":"hn","value":""}]"#, "abcdefg"),
    // A whole number, as a number or a text with one.
    (r#"[{"property":"ldtc","value":1}]"#, "ad"),
    (r#"[{"property":"ldtc","value":"1"}]"#, "ad"),
    (r#"[{"property":"ldtc","operator":"eq","value":1}]"#, "ad"),
    (r#"[{"property":"ldtc","operator":"ne","value":1}]"#, "bcefg"),
    (r#"[{"property":"ldtc","operator":"lt","value":3}]"#, "abd"),
    (r#"[{"property":"ldtc","operator":"le","value":3}]"#, "abcd"),
    (r#"[{"property":"ldtc","operator":"gt","value":3}]"#, "efg"),
    (r#"[{"property":"ldtc","operator":"ge","value":3}]"#, "cefg"),
    (r#"[{"property":"ldtc","operator":"gt","value":2.5}]"#, "cefg"),
    (r#"[{"property":"ldtc","operator":"lt","value":"2.5"}]"#, "abd"),
    (r#"[{"property":"ldtc","operator":"eq","value":2.5}]"#, ""),
    (r#"[{"property":"ldtc","operator":"ne","value":2.5}]"#, "abcdefg"),
    (r#"[{"property":"ldtc","operator":"eq","value":2.0}]"#, "b"),
    (r#"[{"property":"ldtc","operator":"gt","value":-1}]"#, "abcdefg"),
    (r#"[{"property":"ldtc","operator":"lt","value":1e30}]"#, "abcdefg"),
    (r#"[{"property":"ldtc","operator":"gt","value":9223372036854775807}]"#, ""),
    (r#"[{"property":"ldtc","operator":"lt","value":9223372036854775808}]"#, "abcdefg"),
    (
        r#"[{"property":"ldtc","operator":"gt","value":"-99999999999999999999"}]"#,
        "abcdefg",
    ),
    (r#"[{"type":"numeric","field":"ldtc","value":"3"}]"#, "c"),
    (r#"[{"type":"numeric","comparison":"eq","field":"ldtc","value":"3"}]"#, "c"),
    (r#"[{"type":"numeric","comparison":"lt","field":"ldtc","value":"3"}]"#, "abd"),
    (r#"[{"type":"numeric","comparison":"gt","field":"ldtc","value":"3"}]"#, "efg"),
    (r#"[{"type":"numeric","comparison":"gt","field":"ldtc","value":3}]"#, "efg"),
    // An instant: a day of it, or exactly.
    (r#"[{"property":"ldt","value":"2015-03-02"}]"#, "abc"),
    (r#"[{"property":"ldt","operator":"eq","value":"2015-03-02"}]"#, "abc"),
    (r#"[{"property":"ldt","operator":"lt","value":"2015-03-03"}]"#, "abc"),
    (r#"[{"property":"ldt","operator":"lt","value":"2015-03-02"}]"#, ""),
    (r#"[{"property":"ldt","operator":"gt","value":"2015-03-02"}]"#, "defg"),
    (r#"[{"property":"ldt","operator":"gt","value":"2015-03-05"}]"#, ""),
    (r#"[{"property":"ldt","operator":"gt","value":"2015-03-01"}]"#, "abcdefg"),
    (r#"[{"property":"ldt","operator":"eq","value":"2015-03-02 08:15:00"}]"#, "a"),
    (r#"[{"property":"ldt","value":"2015-03-02T08:15:00"}]"#, "a"),
    (r#"[{"property":"ldt","value":"2015-03-02 09:30:00"}]"#, ""),
    (r#"[{"property":"ldt","value":"2015-03-02 09:30:00.5"}]"#, "b"),
    (r#"[{"property":"ldt","value":"2015-03-02T23:59:59.999999"}]"#, "c"),
    (r#"[{"property":"ldt","operator":"gt","value":"2015-03-02 09:30:00"}]"#, "bcdefg"),
    (r#"[{"property":"ldt","operator":"gt","value":"2015-03-02 09:30:00.500"}]"#, "cdefg"),
    (r#"[{"property":"ldt","operator":"lt","value":"2015-03-02 09:30:00.5"}]"#, "a"),
    (r#"[{"property":"ldt","operator":"lt","value":"2015-03-03 00:00:00"}]"#, "abc"),
    (r#"[{"property":"ldt","operator":"gt","value":"2015-03-03 00:00:00"}]"#, "efg"),
    // In the old syntax, as it is printed.
    (r#"[{"type":"string","field":"ldt","value":"2015-03-02"}]"#, "abc"),
    (r#"[{"type":"string","field":"ldt","value":"2015-03"}]"#, "abcdefg"),
    (r#"[{"type":"string","field":"ldt","value":"02 0"}]"#, "ab"),
    (r#"[{"type":"string","field":"ldt","value":":59"}]"#, "c"),
    (r#"[{"type":"string","field":"ldt","value":".5"}]"#, ""),
    // All of several, each in a syntax of its own.
    (
        r#"[{"property":"un","value":"alice"},{"property":"ldtc","operator":"gt","value":1}]"#,
        "c",
    ),
    (
        r#"[{"property":"un","value":"alice"},{"type":"numeric","comparison":"lt","field":"ldtc","value":"2"}]"#,
        "a",
    ),
    (
        r#"[{"property":"ldtc","operator":"gt","value":1},{"property":"ldtc","operator":"lt","value":5}]"#,
        "bcg",
    ),
    (r#"[{"property":"un","value":"alice"},{"property":"un","value":"bob"}]"#, ""),
    ("[ {\n\t\"property\" : \"un\",\r\n \"value\" : \"bob\" } ]", "b"),
];

#[test]
fn denials_by_text_number_and_instant() {
    let site = Site::start();
    for (filter, expected) in DENIALS {
        assert_eq!(site.letters(&[("filter", filter)]), *expected, "{filter}");
    }
}

#[test]
fn instants_are_those_of_the_zone_of_the_report() {
    let site = Site::start();
    for (filter, expected) in [
        // Five hours earlier on the wall: d was on the evening of the 2nd.
        (r#"[{"property":"ldt","value":"2015-03-02"}]"#, "abcd"),
        (r#"[{"property":"ldt","operator":"gt","value":"2015-03-02"}]"#, "efg"),
        (r#"[{"property":"ldt","operator":"lt","value":"2015-03-03"}]"#, "abcd"),
        (r#"[{"property":"ldt","value":"2015-03-02 19:00:00"}]"#, "d"),
        (r#"[{"property":"ldt","operator":"gt","value":"2015-03-02 19:00:00"}]"#, "efg"),
        (r#"[{"type":"string","field":"ldt","value":"02 19:00"}]"#, "d"),
        (r#"[{"type":"string","field":"ldt","value":"03 00:00"}]"#, ""),
    ] {
        assert_eq!(
            site.letters(&[("tz", "America/New_York"), ("filter", filter)]),
            expected,
            "{filter}"
        );
    }
}

#[test]
fn a_post_filters_as_well() {
    let site = Site::start();
    let form = [super::DAYS, &[("filter", r#"[{"property":"un","value":"alice"}]"#)]].concat();
    assert_eq!(
        letters(&crate::readers::envelope(&site.post(super::DENIALS_JSON, &form).body).data),
        "ac"
    );
}

#[test]
fn periods_are_filtered_by_their_labels() {
    let site = Site::start();
    for (granularity, filter, expected) in [
        ("DAY", r#"[{"property":"ldt","value":"03-0"}]"#, json!([0, 6, 6, 10, 4, 0])),
        ("DAY", r#"[{"property":"ldt","operator":"contains","value":"-02"}]"#, json!([6])),
        ("DAY", r#"[{"property":"ldt","operator":"eq","value":"2015-03-04"}]"#, json!([10])),
        ("DAY", r#"[{"property":"ldt","operator":"eq","value":"2015-03"}]"#, json!([])),
        (
            "DAY",
            r#"[{"property":"ldt","operator":"ne","value":"2015-03-04"}]"#,
            json!([0, 6, 6, 4, 0]),
        ),
        ("DAY", r#"[{"type":"string","field":"ldt","value":"03-02"}]"#, json!([6])),
        ("DAY", r#"[{"property":"ldtc","value":0}]"#, json!([0, 0])),
        ("WEEK", r#"[{"property":"ldt","value":"03-02-2015-"}]"#, json!([26])),
        (
            "WEEK",
            r#"[{"property":"ldt","operator":"eq","value":"2015-02-23-2015-03-01"}]"#,
            json!([0]),
        ),
        ("MONTH", r#"[{"property":"ldt","operator":"eq","value":"2015-03"}]"#, json!([26])),
        ("QUARTER", r#"[{"property":"ldt","value":"q1"}]"#, json!([26])),
        ("QUARTER", r#"[{"property":"ldt","operator":"eq","value":"2015-q1"}]"#, json!([])),
        ("YEAR", r#"[{"property":"ldt","value":"2014"}]"#, json!([])),
        (
            "HOUR",
            r#"[{"property":"ldt","operator":"eq","value":"2015-03-02 09:00"}]"#,
            json!([2]),
        ),
        (
            "HOUR",
            r#"[{"property":"ldt","value":" 23:"},{"property":"ldtc","operator":"gt","value":0}]"#,
            json!([3]),
        ),
    ] {
        let told = site.column(
            GROUPED,
            &[super::DAYS, &[("grat", granularity), ("filter", filter)]].concat(),
            "ldtc",
        );
        assert_eq!(json!(told), expected, "{granularity} {filter}");
    }
}

#[test]
fn numbers_are_compared_in_full_and_not_as_they_are_printed() {
    let site = Site::start();
    for (filter, expected) in [
        // 70.8333…, printed 70.83; 58.3333…, printed 58.33; 12.5
        (r#"[{"property":"lutil","operator":"gt","value":70.83}]"#, json!([1])),
        (r#"[{"property":"lutil","operator":"eq","value":70.83}]"#, json!([])),
        (r#"[{"property":"lutil","operator":"ne","value":"70.83"}]"#, json!([1, 2, 3])),
        (r#"[{"property":"lutil","operator":"le","value":58.33}]"#, json!([3])),
        (r#"[{"property":"lutil","operator":"lt","value":58.34}]"#, json!([2, 3])),
        (r#"[{"property":"lutil","operator":"ge","value":12.5}]"#, json!([1, 2, 3])),
        (r#"[{"property":"lutil","operator":"gt","value":12.5}]"#, json!([1, 2])),
        (r#"[{"property":"lutil","value":"12.5"}]"#, json!([3])),
        (r#"[{"property":"lhu","value":7}]"#, json!([2])),
        (
            r#"[{"type":"numeric","comparison":"gt","field":"lhu","value":"1.5"}]"#,
            json!([1, 2]),
        ),
        (r#"[{"type":"numeric","field":"lhu","value":"8.5"}]"#, json!([1])),
    ] {
        assert_eq!(
            json!(site.column(UTILIZATION, &[HOURS, &[("filter", filter)]].concat(), "lc")),
            expected,
            "{filter}"
        );
    }
}

#[test]
fn numbers_that_are_not_known_never_match() {
    let site = Site::start();
    for (operator, expected) in [("eq", 0), ("ne", 2), ("lt", 2), ("le", 2), ("gt", 0), ("ge", 0)] {
        let filter = format!(r#"[{{"property":"lutil","operator":"{operator}","value":51}}]"#);
        assert_eq!(
            site.rows(SEVERAL, &[ONE_HOUR, &[("filter", &filter)]].concat()).len(),
            expected,
            "{filter}"
        );
        // No port is known.
        let filter = format!(r#"[{{"property":"lsp","operator":"{operator}","value":27000}}]"#);
        assert!(site.rows(SERVERS, &[("filter", &filter)]).is_empty(), "{filter}");
    }
}

#[test]
fn features_are_columns_when_there_are_several() {
    let site = Site::start();
    for (filter, expected) in [
        (r#"[{"property":"fid","value":2}]"#, json!([2, 2])),
        (r#"[{"property":"fid","operator":"gt","value":2}]"#, json!([4])),
        (r#"[{"property":"fns","value":"<MODEL>"}]"#, json!([2, 2])),
        (r#"[{"property":"lsn","operator":"eq","value":"gamma"}]"#, json!([4])),
        (
            r#"[{"property":"lsn","operator":"ne","value":"gamma"},{"property":"lc","operator":"gt","value":1}]"#,
            json!([2]),
        ),
    ] {
        assert_eq!(
            json!(site.column(SEVERAL, &[ONE_HOUR, &[("filter", filter)]].concat(), "fid")),
            expected,
            "{filter}"
        );
    }
    let filter = r#"[{"property":"fid","value":1}]"#;
    site.refuse(
        super::DENIALS_JSON,
        &[super::DAYS, &[("filter", filter)]].concat(),
        1002,
        &["filter[0]", "fid"],
    );
}

#[test]
fn enumerations_are_any_of_a_list() {
    let site = Site::start();
    for (filter, expected) in [
        (
            r#"[{"property":"lss","value":["ONLINE"]}]"#,
            json!(["beta", "delta", "gamma", "omega"]),
        ),
        (
            r#"[{"property":"lss","value":["online","OffLine"]}]"#,
            json!(["alpha", "beta", "delta", "gamma", "omega"]),
        ),
        (r#"[{"property":"lss","value":"offline"}]"#, json!(["alpha"])),
        (r#"[{"property":"lss","operator":"eq","value":"OFFLINE"}]"#, json!(["alpha"])),
        (
            r#"[{"property":"lss","operator":"eq","value":["OFFLINE","OFFLINE"]}]"#,
            json!(["alpha"]),
        ),
        (r#"[{"property":"lss","value":["VERIFYING","DISABLED"]}]"#, json!([])),
        (r#"[{"property":"lss","value":[]}]"#, json!([])),
        (
            r#"[{"property":"gtn","value":["imported"]},{"property":"lss","value":["OFFLINE"]}]"#,
            json!(["alpha"]),
        ),
        (r#"[{"property":"gtn","value":"Realtime"}]"#, json!([])),
    ] {
        assert_eq!(json!(site.column(SERVERS, &[("filter", filter)], "lsn")), expected, "{filter}");
    }
    let features = |filter: &str| json!(site.column(FEATURES, &[("filter", filter)], "fid"));
    assert_eq!(
        features(r#"[{"property":"ftype","value":["Node-locked","Floating"]}]"#),
        json!([1, 2, 4, 3, 5])
    );
    assert_eq!(
        features(r#"[{"type":"string","field":"ftype","value":"floating"}]"#),
        json!([1, 2, 4, 3, 5])
    );
    assert_eq!(features(r#"[{"property":"ftype","value":["token"]}]"#), json!([]));
}

#[test]
fn truth_is_written_in_six_ways() {
    let site = Site::start();
    let servers = |filter: &str| json!(site.column(SERVERS, &[("filter", filter)], "lsn"));
    for value in ["true", "1", "\"true\"", "\"1\""] {
        let expected = json!(["alpha", "beta", "gamma", "omega"]);
        assert_eq!(servers(&format!(r#"[{{"property":"lshf","value":{value}}}]"#)), expected, "{value}");
        assert_eq!(
            servers(&format!(r#"[{{"property":"lshf","operator":"eq","value":{value}}}]"#)),
            expected,
            "{value}"
        );
    }
    for value in ["false", "0", "\"false\"", "\"0\""] {
        assert_eq!(
            servers(&format!(r#"[{{"property":"lshf","value":{value}}}]"#)),
            json!(["delta"]),
            "{value}"
        );
    }
}

#[test]
fn days_are_on_before_and_after() {
    let site = Site::start();
    for (filter, expected) in [
        (r#"[{"property":"ucd","value":"2015-01-02"}]"#, json!(["2015-01-02"])),
        (
            r#"[{"property":"ucd","operator":"eq","value":"2015-01-02"}]"#,
            json!(["2015-01-02"]),
        ),
        (
            r#"[{"property":"ucd","operator":"lt","value":"2015-01-02"}]"#,
            json!(["2015-01-01"]),
        ),
        (
            r#"[{"property":"ucd","operator":"gt","value":"2015-01-02"}]"#,
            json!(["2015-01-03"]),
        ),
        (r#"[{"property":"ucd","operator":"gt","value":"2015-01-03"}]"#, json!([])),
        (
            r#"[{"type":"string","field":"ucd","value":"2015-01"}]"#,
            json!(["2015-01-01", "2015-01-02", "2015-01-03"]),
        ),
        (r#"[{"type":"string","field":"ucd","value":"-03"}]"#, json!(["2015-01-03"])),
        (
            r#"[{"property":"ucde","operator":"ge","value":1}]"#,
            json!(["2015-01-01", "2015-01-02"]),
        ),
        (
            r#"[{"property":"uct","value":3},{"property":"ucch","operator":"lt","value":1}]"#,
            json!(["2015-01-03"]),
        ),
    ] {
        let told = site.column(super::USERS, &[("ed", "2015-01-03"), ("filter", filter)], "ucd");
        assert_eq!(json!(told), expected, "{filter}");
    }
    // Two days that the one row would have to be of.
    for filter in [
        r#"[{"property":"ucd","operator":"eq","value":"2015-01-01"}]"#,
        r#"[{"property":"ucd","operator":"gt","value":"2015-01-02"}]"#,
    ] {
        let given = [("sd", "2015-01-02"), ("ed", "2015-01-02"), ("filter", filter)];
        let told = site.column(super::USERS, &given, "ucd");
        assert_eq!(json!(told), json!([]), "{filter}");
    }
}

#[test]
fn what_is_not_shown_is_filtered_too() {
    let site = Site::start();
    let filter = (
        "filter",
        r#"[{"property":"lsid","value":1},{"property":"fid","operator":"gt","value":1}]"#,
    );
    assert_eq!(
        site.csv("/feature/csv", &[filter])[1..],
        [["Mesh & <Model>", "Floating", "2.0", "beta", "ACME", "Imported"]]
    );
    let filter = ("filter", r#"[{"property":"lshf","value":false}]"#);
    assert_eq!(site.csv("/license-server/csv", &[filter])[1][0], "delta");
    let given = [super::DAYS, &[("columns", "un"), ("filter", r#"[{"property":"ldtc","value":10}]"#)]].concat();
    assert_eq!(site.csv(super::DENIALS_CSV, &given), [["User"], ["o'neil, \"pat\""]]);
}
