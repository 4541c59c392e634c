//! Features by name, and hints for what is almost right.

use headroom::access::{Access, Names, Role};
use serde_json::{Value, json};

use crate::support::{Server, Store, run, run_ok};

/// Features of two servers: one name on both, one in two versions, names with digits, commas, slashes and blanks.
const FEATURES: [(&str, &str, &str); 9] = [
    ("flex01", "MSCONE", ""),
    ("flex01", "solver", ""),
    ("flex02", "solver", ""),
    ("flex02", "versions", "1"),
    ("flex02", "versions", "2"),
    ("flex01", "42", ""),
    ("flex01", "CAD, Pro", ""),
    ("flex01", "a/b c", ""),
    ("secret", "MSCTWO", ""),
];

fn ndjson() -> String {
    let line = |(number, (server, feature, version)): (usize, &(&str, &str, &str))| {
        let event = json!({
            "time": format!("2026-03-02T10:00:{number:02}Z"), "event": "denial", "server": server, "feature": feature,
            "version": version, "user": format!("u{number}"), "host": "h",
        });
        format!("{event}\n")
    };
    FEATURES.iter().enumerate().map(line).collect()
}

fn store() -> Store {
    let store = Store::new("UTC");
    store.import("x.ndjson", &ndjson());
    store
}

const RANGE: [(&str, &str); 2] = [("sd", "2026-03-02"), ("ed", "2026-03-02")];

fn asked(store: &Store, access: &Access, feature: &str) -> Result<Vec<Value>, String> {
    let given = [&RANGE[..], &[("feature", feature)]].concat();
    let bytes = store
        .render_for(access, "denials", "json", &given)
        .map_err(|error| error.to_string())?;
    let envelope: Value = serde_json::from_slice(&bytes).unwrap();
    Ok(envelope["data"].as_array().unwrap().clone())
}

fn users(store: &Store, feature: &str) -> Vec<String> {
    let rows = asked(store, &Access::everything(), feature).unwrap_or_else(|error| panic!("{feature}: {error}"));
    let mut users: Vec<String> = rows.iter().map(|row| row["un"].as_str().unwrap().to_owned()).collect();
    users.sort();
    users
}

#[test]
fn a_name_serves_as_well_as_a_number() {
    let store = store();
    for (feature, expected) in [
        ("MSCONE", &["u0"][..]),
        ("name:MSCONE", &["u0"]),
        ("flex01/solver", &["u1"]),
        ("flex02/solver", &["u2"]),
        ("name:42", &["u5"]),
        ("flex01/42", &["u5"]),
        ("\"42\"", &["u5"]),
        ("CAD, Pro", &["u6"]),
        ("name:CAD, Pro", &["u6"]),
        ("\"CAD, Pro\"", &["u6"]),
        ("flex01/CAD, Pro", &["u6"]),
        ("a/b c", &["u7"]),
        ("flex01/a/b c", &["u7"]),
        ("CAD, Pro,MSCONE", &["u0", "u6"]),
        ("MSCONE,CAD, Pro,flex02/solver", &["u0", "u2", "u6"]),
        ("\"CAD, Pro\",name:42", &["u5", "u6"]),
    ] {
        assert_eq!(users(&store, feature), expected, "{feature}");
    }
    let number = store.feature("flex02", "versions", "2").unwrap();
    assert_eq!(users(&store, &number), ["u4"]);
    assert_eq!(users(&store, &format!("MSCONE,{number}")), ["u0", "u4"]);
    // Several features say of which each row is, also when they are named.
    let rows = asked(&store, &Access::everything(), "MSCONE,a/b c").unwrap();
    assert!(rows.iter().all(|row| row["fns"].is_string() && row["lsn"] == "flex01"));
}

#[test]
fn a_name_of_several_and_a_name_of_none_say_what_there_is() {
    let store = store();
    let everything = Access::everything();
    let error = asked(&store, &everything, "solver").unwrap_err();
    let (one, two) = (
        store.feature("flex01", "solver", "").unwrap(),
        store.feature("flex02", "solver", "").unwrap(),
    );
    assert!(
        error.contains(&format!("{one} on flex01")) && error.contains(&format!("{two} on flex02")),
        "{error}"
    );
    let error = asked(&store, &everything, "flex02/versions").unwrap_err();
    assert!(error.contains("version 1") && error.contains("version 2"), "{error}");
    for (typed, meant) in [
        ("mscone", "\"MSCONE\""),
        ("MSCNOE", "\"MSCONE\""),
        ("MSCONE,solvr", "\"solver\""),
        ("flex1/solver", "\"flex01/solver\""),
        ("CAD Pro", "\"CAD, Pro\""),
    ] {
        let error = asked(&store, &everything, typed).unwrap_err();
        assert!(
            error.starts_with("there is no feature") && error.contains(meant),
            "{typed}: {error}"
        );
    }
    assert!(!asked(&store, &everything, "gadget").unwrap_err().contains("did you mean"));
    for typed in ["MSCONE,", ",MSCONE", "1,,2"] {
        assert!(
            asked(&store, &everything, typed)
                .unwrap_err()
                .contains("is not the number or the name"),
            "{typed}"
        );
    }
}

#[test]
fn who_does_not_see_a_feature_learns_nothing_of_its_name() {
    let store = store();
    for names in [Names::Plain, Names::Pseudonym] {
        let limited = Access::new(Role::Viewer, Some(["flex01".to_owned()].into()), names);
        // What exists out of sight is answered like what never was.
        for (hidden, never) in [
            ("MSCTWO", "MSCTHR"),
            ("secret/MSCTWO", "secrex/MSCTWO"),
            ("flex02/solver", "flex09/solver"),
        ] {
            let told = |name: &str| asked(&store, &limited, name).unwrap_err().replace(name, "…");
            assert_eq!(told(hidden), told(never));
            assert!(!told("MSCTW").contains("MSCTWO") && told("MSCNE").contains("did you mean \"MSCONE\""));
        }
        // A name that only one visible feature has is that feature's.
        assert_eq!(asked(&store, &limited, "solver").unwrap().len(), 1);
    }
}

#[test]
fn paths_and_commands_take_names() {
    let folder = tempfile::TempDir::new().unwrap();
    let root = folder.path().join("store").to_str().unwrap().to_owned();
    let file = folder.path().join("x.ndjson");
    std::fs::write(&file, ndjson()).unwrap();
    run_ok(&["import", "--store", &root, file.to_str().unwrap()]);
    let server = Server::start(root.as_ref());
    for (segment, count) in [
        ("MSCONE", 1),
        ("flex01%2Fsolver", 1),
        ("name:42", 1),
        ("CAD%2C%20Pro", 1),
        ("a%2Fb%20c", 1),
        ("CAD%2C%20Pro,MSCONE", 2),
    ] {
        let answer = server.get(&format!("/report/feature/{segment}/denials/json?sd=2026-03-02&ed=2026-03-02"));
        assert_eq!(
            (answer.status, &answer.json()["totalCount"]),
            (200, &json!(count)),
            "{segment}: {}",
            answer.text()
        );
    }
    let refused = |path: &str| {
        let answer = server.get(path);
        (
            answer.status,
            answer.json()["code"].as_u64().unwrap(),
            answer.json()["msg"].as_str().unwrap().to_owned(),
        )
    };
    let denials = |feature: &str, more: &str| format!("/report/feature/{feature}/denials/json?sd=2026-03-02&ed=2026-03-02{more}");
    for (path, status, code, word) in [
        (denials("solver", ""), 400, 1009, "flex02"),
        (denials("MSCNE", ""), 404, 1202, "did you mean \"MSCONE\"?"),
        (denials("MSCONE", "&limt=1"), 400, 1004, "did you mean \"limit\"?"),
        (denials("MSCONE", "&tz=europe/paris"), 400, 1002, "did you mean \"Europe/Paris\"?"),
        (denials("MSCONE", "&orderBy=ltd"), 400, 1002, "did you mean \"ldt\""),
        (denials("MSCONE", "&columns=ldt,dtru"), 400, 1002, "did you mean \"dtrue\""),
        (
            denials("MSCONE", "&filter=%5B%7B%22property%22:%22LDTC%22,%22value%22:1%7D%5D"),
            400,
            1002,
            "did you mean \"ldtc\"?",
        ),
        (denials("MSCONE", "&reason=capcity"), 400, 1002, "did you mean \"capacity\"?"),
        (denials("MSCONE", "").replace("/json", "/jsn"), 400, 1005, "did you mean \"json\""),
        (
            "/report/feature/MSCONE/denials/grouped/json?sd=2026-03-02&ed=2026-03-02&granularty=5".to_owned(),
            400,
            1004,
            "did you mean \"granularity\"?",
        ),
        (
            "/report/feature/MSCONE/denials/grouped/json?sd=2026-03-02&ed=2026-03-02&grat=weak".to_owned(),
            400,
            1002,
            "did you mean \"WEEK\"?",
        ),
    ] {
        let (told_status, told_code, message) = refused(&path);
        assert_eq!((told_status, told_code), (status, code), "{path}: {message}");
        assert!(message.contains(word), "{path}: {message}");
    }
    let windows = server.get(&denials("MSCONE", "&tz=Romance%20Standard%20Time")).json();
    assert_eq!(windows["data"][0]["ldt"], "2026-03-02 11:00:00");

    let report = |more: &[&str]| {
        run_ok(
            &[
                &["report", "denials", "--store", &root, "--sd", "2026-03-02", "--ed", "2026-03-02"],
                more,
            ]
            .concat(),
        )
    };
    assert!(report(&["--feature", "MSCONE", "--format", "csv"]).contains(",u0,h"));
    let table = report(&["--feature", "flex02/solver", "--format", "table"]);
    assert!(
        table.starts_with(" Date ") && table.contains(" u2 ") && table.ends_with("(1 row)\n"),
        "{table}"
    );
    // Without a format, a program gets JSON.
    assert!(report(&["--feature", "MSCONE"]).starts_with("{\"success\":true"));
    let features = run_ok(&["report", "features", "--store", &root, "--format", "table"]);
    assert!(features.starts_with(" Feature ID |"), "{features}");
    let wrong = run(&[
        "report",
        "denials",
        "--store",
        &root,
        "--sd",
        "2026-03-02",
        "--ed",
        "2026-03-02",
        "--feature",
        "mscone",
    ]);
    assert!(!wrong.status.success() && String::from_utf8_lossy(&wrong.stderr).contains("did you mean \"MSCONE\""));
}
