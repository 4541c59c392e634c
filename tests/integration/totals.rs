//! Totals reach the feature that is used, whatever names a source gives it, and in whatever order sources come.

use serde_json::Value;

use crate::support::{Store, run_ok};

const LOG: &str = "\
 9:00:00 (lmgrd) TIMESTAMP 5/5/2022
 9:00:01 (acmed) OUT: \"solver\" ada@ws01
17:00:00 (acmed) IN: \"solver\" ada@ws01
";
/// Totals as another tool tells them: without the daemon, with a version.
const TOTAL: &str = r#"{"time":"2022-05-01T00:00:00Z","event":"capacity","server":"flex01","feature":"solver","version":"2022.1","licenses":5,"expires":"2023-01-01"}
"#;

/// Imports a log or neutral events, by name.
fn import(store: &Store, name: &str) {
    let text = match name {
        "flex01.log" => LOG,
        "other.log" => &LOG.replace("acmed", "bmed"),
        _ => TOTAL,
    };
    let server = Some("flex01".to_owned());
    let options = headroom::import::ImportOptions {
        server,
        ..Default::default()
    };
    store.try_import(name, text, &options).unwrap();
}

/// Features with their vendors and totals, and how many license servers there are.
fn features(store: &Store) -> (Vec<String>, usize) {
    let root = store.root();
    let sql = "SELECT name, coalesce(version, 'none'), coalesce(vendor, 'none'), coalesce(total, -1) FROM features ORDER BY feature_id";
    let csv = run_ok(&["sql", "--store", root.to_str().unwrap(), "--format", "csv", sql]);
    let features = csv.lines().skip(1).map(str::to_owned).collect();
    (features, store.rows("license-servers", &[]).len())
}

#[test]
fn a_total_without_a_daemon_is_that_of_the_feature_that_is_used() {
    let mut contents = Vec::new();
    for order in [["flex01.log", "totals.ndjson"], ["totals.ndjson", "flex01.log"]] {
        let store = Store::new("UTC");
        for name in order {
            import(&store, name);
        }
        assert_eq!(features(&store), (vec!["solver,none,acmed,5".to_owned()], 1), "{order:?}");
        assert_eq!(store.flaws(), [""; 0]);
        contents.push(store.contents());
        // Again changes nothing, and without the log the total stands for itself.
        import(&store, order[1]);
        assert_eq!(store.contents(), contents[0]);
        let root = store.root();
        let root = root.to_str().unwrap();
        let log = if order[0] == "flex01.log" { "1" } else { "2" };
        run_ok(&["imports", "undo", "--store", root, log]);
        if order[1] == "flex01.log" {
            run_ok(&["imports", "undo", "--store", root, "3"]);
        }
        assert_eq!(features(&store), (vec!["solver,2022.1,none,5".to_owned()], 1), "{order:?}");
        assert_eq!(store.flaws(), [""; 0]);
    }
    assert_eq!(contents[0], contents[1]);
}

#[test]
fn an_event_without_a_vendor_is_refused_where_several_daemons_have_the_feature() {
    let store = Store::new("UTC");
    import(&store, "flex01.log");
    import(&store, "other.log");
    let line = r#"{"time":"2022-05-05T10:00:00Z","event":"checkout","server":"flex01","feature":"solver","user":"bob"}"#;
    let vendor = line.replace("\"user\"", "\"vendor\":\"bmed\",\"user\"");
    let tally = store
        .try_import("more.ndjson", &format!("{line}\n{vendor}\n"), &Default::default())
        .unwrap();
    assert_eq!(tally.unparsed_lines, 1);
    assert!(tally.problems[0].reason.contains("acmed, bmed"), "{:?}", tally.problems);
    let held: Vec<Value> = store.rows("features", &[]).into_iter().map(|row| row["vn"].clone()).collect();
    assert_eq!(held, ["acmed", "bmed"]);
    assert_eq!(store.flaws(), [""; 0]);
}

#[test]
fn checkouts_without_a_vendor_are_those_of_the_only_daemon() {
    let store = Store::new("UTC");
    let line = r#"{"time":"2022-05-06T10:00:00Z","event":"checkout","server":"flex01","feature":"solver","user":"bob"}"#;
    store.import("early.ndjson", &format!("{line}\n"));
    import(&store, "flex01.log");
    assert_eq!(features(&store), (vec!["solver,none,acmed,-1".to_owned()], 1));
    let root = store.root();
    let sql = "SELECT count(DISTINCT feature_id), count(DISTINCT server_id), count(*) FROM sessions";
    let csv = run_ok(&["sql", "--store", root.to_str().unwrap(), "--format", "csv", sql]);
    assert_eq!(csv.lines().nth(1), Some("1,1,2"));
    assert_eq!(store.flaws(), [""; 0]);
}
