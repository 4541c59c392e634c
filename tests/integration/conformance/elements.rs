//! `filter`: elements that make no sense, each told by its place and what is wrong with it.

use super::{DAYS, DENIALS_CSV, DENIALS_JSON, GROUPED, SERVERS, Site, USERS};

/// What is no list of conditions.
const NO_LISTS: &[&str] = &[
    "",
    " ",
    "[",
    "[{]",
    "{}",
    "5",
    "null",
    "true",
    "\"un\"",
    "un=alice",
    "[] []",
    "[{\"property\":\"un\",\"value\":\"x\"}",
];

/// Denials: the second element of `[{"property":"un","value":"x"}, …]`, and what is told besides its place.
const ELEMENTS: &[(&str, &[&str])] = &[
    ("[]", &[]),
    ("null", &[]),
    ("5", &[]),
    ("\"un\"", &[]),
    ("{}", &[]),
    // Keys: missing, others, mixed.
    (r#"{"property":"un"}"#, &["value"]),
    (r#"{"value":"x"}"#, &[]),
    (r#"{"operator":"eq","value":"x"}"#, &[]),
    (r#"{"property":"un","value":"x","case":true}"#, &["case"]),
    (r#"{"type":"string","field":"un"}"#, &["value"]),
    (r#"{"field":"un","value":"x"}"#, &["type"]),
    (r#"{"type":"string","value":"x"}"#, &["field"]),
    (r#"{"type":"string","field":"un","value":"x","extra":1}"#, &["extra"]),
    (r#"{"property":"un","field":"un","value":"x"}"#, &[]),
    (r#"{"property":"un","type":"string","value":"x"}"#, &[]),
    (r#"{"property":"un","comparison":"eq","value":"x"}"#, &[]),
    (r#"{"field":"un","type":"string","operator":"eq","value":"x"}"#, &[]),
    (r#"{"property":5,"value":"x"}"#, &[]),
    (r#"{"property":"un","operator":5,"value":"x"}"#, &[]),
    // Handles.
    (r#"{"property":"nobody","value":"x"}"#, &["nobody", "un"]),
    (r#"{"property":"UN","value":"x"}"#, &["UN"]),
    (r#"{"property":"","value":"x"}"#, &[]),
    (r#"{"type":"string","field":"nobody","value":"x"}"#, &["nobody", "un"]),
    (r#"{"property":"feature_id","value":"1"}"#, &["feature_id"]),
    (r#"{"property":"is_true","value":"1"}"#, &["is_true"]),
    // Operators.
    (r#"{"property":"un","operator":"gt","value":"x"}"#, &["gt"]),
    (r#"{"property":"un","operator":"ge","value":"x"}"#, &["ge"]),
    (r#"{"property":"un","operator":"=","value":"x"}"#, &["="]),
    (r#"{"property":"un","operator":"","value":"x"}"#, &[]),
    (r#"{"property":"ldtc","operator":"contains","value":"1"}"#, &["contains"]),
    (r#"{"property":"ldtc","operator":"like","value":"1"}"#, &["like"]),
    (r#"{"property":"ldt","operator":"ne","value":"2015-03-02"}"#, &["ne"]),
    (r#"{"property":"ldt","operator":"ge","value":"2015-03-02"}"#, &["ge"]),
    (r#"{"property":"ldt","operator":"like","value":"2015-03-02"}"#, &["like"]),
    // Types and comparisons of the old syntax.
    (r#"{"type":"date","field":"ldt","value":"2015-03-02"}"#, &[]),
    (r#"{"type":"numeric","comparison":"ge","field":"ldtc","value":"1"}"#, &["ge"]),
    (r#"{"type":"numeric","comparison":"ne","field":"ldtc","value":"1"}"#, &["ne"]),
    (r#"{"type":"string","comparison":"gt","field":"un","value":"x"}"#, &["gt"]),
    (r#"{"type":"string","field":"ldtc","value":"1"}"#, &[]),
    (r#"{"type":"numeric","field":"un","value":"1"}"#, &[]),
    (r#"{"type":"numeric","field":"ldt","value":"1"}"#, &[]),
    // Values.
    (r#"{"property":"ldtc","value":"one"}"#, &[]),
    (r#"{"property":"ldtc","value":""}"#, &[]),
    (r#"{"property":"ldtc","value":"1,5"}"#, &[]),
    (r#"{"property":"ldtc","value":"NaN"}"#, &[]),
    (r#"{"property":"ldtc","value":"inf"}"#, &[]),
    (r#"{"property":"ldtc","value":null}"#, &[]),
    (r#"{"property":"ldtc","value":true}"#, &[]),
    (r#"{"property":"ldtc","value":[1]}"#, &[]),
    (r#"{"property":"ldtc","value":{}}"#, &[]),
    (r#"{"type":"numeric","field":"ldtc","value":"one"}"#, &[]),
    (r#"{"property":"ldt","value":"2015-03"}"#, &[]),
    (r#"{"property":"ldt","value":"2015-02-30"}"#, &[]),
    (r#"{"property":"ldt","value":"02.03.2015"}"#, &[]),
    (r#"{"property":"ldt","value":"2015-03-02 25:00:00"}"#, &[]),
    (r#"{"property":"ldt","value":""}"#, &[]),
    (r#"{"property":"ldt","value":20150302}"#, &[]),
    (r#"{"property":"ldt","value":["2015-03-02"]}"#, &[]),
    (r#"{"property":"un","value":["alice"]}"#, &[]),
    (r#"{"property":"un","value":{"a":1}}"#, &[]),
];

#[test]
fn a_filter_is_a_list() {
    let site = Site::start();
    for filter in NO_LISTS {
        for path in [DENIALS_JSON, DENIALS_CSV] {
            site.refuse(path, &[DAYS, &[("filter", filter)]].concat(), 1002, &["filter"]);
        }
    }
}

#[test]
fn an_element_that_makes_no_sense_is_told_by_its_place() {
    let site = Site::start();
    for (element, words) in ELEMENTS {
        let words = [&["filter[1]"], *words].concat();
        let filter = format!(r#"[{{"property":"un","value":"x"}},{element}]"#);
        site.refuse(DENIALS_JSON, &[DAYS, &[("filter", &filter)]].concat(), 1002, &words);
        // The first one that is wrong, also when nothing can match anyway.
        let filter = format!(r#"[{{"property":"ldtc","value":-1}},{element},7]"#);
        site.refuse(DENIALS_JSON, &[DAYS, &[("filter", &filter)]].concat(), 1002, &words);
    }
}

#[test]
fn other_types_are_as_strict() {
    let site = Site::start();
    let grouped = [DAYS, &[("grat", "DAY")]].concat();
    for (path, given, element, words) in [
        (
            GROUPED,
            &grouped[..],
            r#"{"property":"ldt","operator":"lt","value":"2015-03-02"}"#,
            &["lt"][..],
        ),
        (
            GROUPED,
            &grouped,
            r#"{"property":"ldt","operator":"gt","value":"2015-03-02"}"#,
            &["gt"],
        ),
        (GROUPED, &grouped, r#"{"type":"numeric","field":"ldt","value":"2015"}"#, &[]),
        (GROUPED, &grouped, r#"{"property":"un","value":"x"}"#, &["un"]),
        (USERS, &[], r#"{"property":"ucd","operator":"ne","value":"2015-01-02"}"#, &["ne"]),
        (
            USERS,
            &[],
            r#"{"property":"ucd","operator":"contains","value":"2015"}"#,
            &["contains"],
        ),
        (USERS, &[], r#"{"property":"ucd","value":"2015"}"#, &[]),
        (USERS, &[], r#"{"property":"ucd","value":"2015-01-02 08:00:00"}"#, &[]),
        (USERS, &[], r#"{"type":"numeric","field":"ucd","value":"2015"}"#, &[]),
        (
            SERVERS,
            &[],
            r#"{"property":"lss","value":"SLEEPING"}"#,
            &["ONLINE", "OFFLINE", "VERIFYING", "DISABLED"],
        ),
        (SERVERS, &[], r#"{"property":"lss","value":["ONLINE","SLEEPING"]}"#, &["VERIFYING"]),
        (SERVERS, &[], r#"{"property":"lss","value":""}"#, &[]),
        (SERVERS, &[], r#"{"property":"lss","value":7}"#, &[]),
        (SERVERS, &[], r#"{"property":"lss","value":[["ONLINE"]]}"#, &[]),
        (SERVERS, &[], r#"{"property":"lss","operator":"ne","value":"ONLINE"}"#, &["ne"]),
        (SERVERS, &[], r#"{"property":"gtn","value":"Guessed"}"#, &["Realtime", "Imported"]),
        (SERVERS, &[], r#"{"property":"lshf","value":"yes"}"#, &[]),
        (SERVERS, &[], r#"{"property":"lshf","value":2}"#, &[]),
        (SERVERS, &[], r#"{"property":"lshf","value":null}"#, &[]),
        (SERVERS, &[], r#"{"property":"lshf","operator":"ne","value":true}"#, &["ne"]),
        (SERVERS, &[], r#"{"type":"string","field":"lshf","value":"true"}"#, &[]),
        (SERVERS, &[], r#"{"type":"numeric","field":"lshf","value":"1"}"#, &[]),
        (SERVERS, &[], r#"{"type":"numeric","field":"lss","value":"1"}"#, &[]),
        (SERVERS, &[], r#"{"type":"string","field":"lsp","value":"1"}"#, &[]),
    ] {
        let words = [&["filter[0]"], words].concat();
        site.refuse(path, &[given, &[("filter", &format!("[{element}]"))]].concat(), 1002, &words);
    }
    let features = r#"[{"property":"ftype","value":"Sinking"}]"#;
    site.refuse(
        super::FEATURES,
        &[("filter", features)],
        1002,
        &["Floating", "Node-locked", "Token"],
    );
}
