//! Licenses as exporters of FlexLM tell them: issued, and in use at the last instant known.

use headroom::event::Table;

use super::exposition::Scrape;
use super::metrics::scrape;
use super::sample;
use crate::server::{log, temporary_store};
use crate::support::{Server, make_token, run_ok};

/// The licenses in use of a license server's features, without a version.
fn used(scrape: &Scrape, app: &str) -> Vec<(String, f64)> {
    let of = format!("app={app},name=");
    let values = scrape.values("flexlm_feature_used");
    let name = |labels: &str| Some(labels.strip_prefix(&of)?.strip_suffix(",version=")?.to_owned());
    values.iter().filter_map(|(labels, value)| Some((name(labels)?, *value))).collect()
}

fn expected(features: [(&str, f64); 4]) -> Vec<(String, f64)> {
    features.map(|(name, used)| (name.to_owned(), used)).to_vec()
}

/// The sample's log grows as it did when it was written. Who holds what at each of its last lines is in `data/README.md`.
#[test]
fn licenses_in_use_are_those_that_are_held_at_the_last_instant() {
    let (folder, store) = temporary_store();
    run_ok(&["init", "--store", &store, "--timezone", "Europe/Berlin"]);
    let whole = std::fs::read_to_string(log()).unwrap();
    let server = Server::start(store.as_ref());
    let import_until = |last: &str| {
        let end = whole.find(last).unwrap_or_else(|| panic!("{last}")) + last.len();
        let file = folder.path().join("acme.log");
        std::fs::write(&file, format!("{}\n", &whole[..end])).unwrap();
        run_ok(&["import", "--store", &store, "--server", "flex01", file.to_str().unwrap()]);
        scrape(&server)
    };
    let up = |scrape: &Scrape| scrape.values("flexlm_server_status")["app=flex01"];

    // 2 March, 09:30: ana since 09:00, and ben from this instant on.
    let told = import_until("9:30:00 (acme) OUT: \"cad\" ben@ws2");
    assert_eq!(used(&told, "flex01"), [("cad".to_owned(), 2.0), ("suite".to_owned(), 0.0)]);
    assert_eq!(up(&told), 1.0);
    // 10:00:03: ben's came back at this instant.
    let told = import_until("10:00:03 (acme) IN: \"cad\" ben@ws2");
    assert_eq!(used(&told, "flex01")[0], ("cad".to_owned(), 1.0));
    // 23:30: cleo since 10:00:04, and ana from this instant on.
    let told = import_until("23:30:00 (acme) OUT: \"cad\" ana@ws1");
    assert_eq!(used(&told, "flex01")[0], ("cad".to_owned(), 2.0));
    // 3 March, 09:00: cleo still, over midnight; ben three of mesh.
    let told = import_until("OUT: \"mesh\" ben@ws2 [grp] (3 licenses)");
    assert_eq!(
        used(&told, "flex01"),
        [("cad".to_owned(), 1.0), ("mesh".to_owned(), 3.0), ("suite".to_owned(), 0.0)]
    );
    // 16:00: the crash ended everything before; ben one of mesh.
    let told = import_until("16:00:00 (acme) OUT: \"mesh\" ben@ws2");
    let at_four = [("cad", 0.0), ("mesh", 1.0), ("solver", 0.0), ("suite", 0.0)];
    assert_eq!(used(&told, "flex01"), expected(at_four));
    assert_eq!(up(&told), 1.0);
    // 17:00: the server stopped.
    let told = import_until("17:00:00 (acme) EXITING DUE TO SIGNAL 15");
    assert_eq!(used(&told, "flex01"), expected(at_four.map(|(name, _)| (name, 0.0))));
    assert_eq!(up(&told), 0.0);
}

#[test]
fn licenses_are_told_where_they_are_known() {
    let (_folder, store) = sample();
    let server = Server::start(store.as_ref());
    let told = scrape(&server);
    // Only the lab says how many it has; eve's session ended at the last instant known of it.
    assert_eq!(
        told.values("flexlm_feature_issued"),
        [("app=lab,name=sim,version=".to_owned(), 5.0)].into()
    );
    assert_eq!(used(&told, "lab"), [("sim".to_owned(), 0.0)]);
    let status = [("app=flex01", 0.0), ("app=lab", 1.0)].map(|(labels, value)| (labels.to_owned(), value));
    assert_eq!(told.values("flexlm_server_status"), status.into());
}

#[test]
fn daemons_of_one_server_are_one() {
    let (folder, store) = temporary_store();
    let file = folder.path().join("duo.log");
    let log = "\
 8:00:00 (lmgrd) FlexNet Licensing (v11.19.5 build 1 x64_lsb) started on duo (linux) (3/2/2026)
 8:00:05 (one) Server started on duo for: f
 8:00:05 (two) Server started on duo for: f
 9:00:00 (one) OUT: \"f\" ana@ws1
 9:00:00 (two) OUT: \"f\" ben@ws2  (2 licenses)
10:00:00 (one) EXITING DUE TO SIGNAL 15
";
    std::fs::write(&file, log).unwrap();
    run_ok(&[
        "import",
        "--store",
        &store,
        "--server",
        "duo",
        "--timezone",
        "UTC",
        file.to_str().unwrap(),
    ]);
    let neutral = folder.path().join("capacity.ndjson");
    let capacity = r#"{"time":"2026-03-02T09:30:00Z","event":"capacity","server":"duo","feature":"f","vendor":"one","licenses":7}"#;
    std::fs::write(&neutral, format!("{capacity}\n")).unwrap();
    let server = Server::start(store.as_ref());
    let told = scrape(&server);
    assert_eq!(used(&told, "duo"), [("f".to_owned(), 2.0)], "one stopped, two did not");
    assert_eq!(told.values("flexlm_server_status"), [("app=duo".to_owned(), 1.0)].into());
    // It is known how many one of them has, and not how many both have.
    run_ok(&["import", "--store", &store, neutral.to_str().unwrap()]);
    let told = scrape(&server);
    assert!(told.0.iter().all(|(name, _)| name != "flexlm_feature_issued"));
    assert_eq!(used(&told, "duo"), [("f".to_owned(), 2.0)]);
}

#[test]
fn a_caller_reads_of_the_servers_that_it_sees_and_of_no_user() {
    let (_folder, store) = sample();
    let token = |name: &str, options: &[&str]| make_token(&store, name, options);
    let (all, lab) = (token("all", &[]), token("lab", &["--role", "viewer", "--servers", "lab"]));
    let server = Server::start(store.as_ref());
    let text = |token: &str| server.send_to("GET", "/metrics", &[("X-Auth-token", token)], b"").text();
    let everything = Scrape::read(&text(&all), false);
    let apps = |scrape: &Scrape| {
        let apps = scrape.described("flexlm_feature_used").samples.iter();
        let mut apps: Vec<String> = apps.map(|sample| sample.labels["app"].clone()).collect();
        apps.dedup();
        apps.sort_unstable();
        apps.dedup();
        apps
    };
    assert_eq!(apps(&everything), ["flex01", "lab"]);
    let limited = text(&lab);
    for hidden in ["flex01", "acme", "cad", "mesh", "solver"] {
        assert!(!limited.contains(hidden), "{hidden}");
    }
    let limited = Scrape::read(&limited, false);
    assert_eq!(apps(&limited), ["lab"]);
    assert_eq!(limited.values("flexlm_server_status"), [("app=lab".to_owned(), 1.0)].into());
    // 10:30 in Berlin, the last instant of the lab, and not that of flex01.
    let latest = chrono::DateTime::parse_from_rfc3339("2026-03-03T10:30:00+01:00")
        .unwrap()
        .timestamp() as f64;
    assert_eq!(limited.value("headroom_store_latest_timestamp_seconds"), latest);
    for name in ["ana", "ben", "cleo", "dana", "eve", "ws1", "ws2", "ws3", "ws4", "ws9"] {
        assert!(!text(&all).contains(&format!("\"{name}\"")), "{name}");
    }
}

#[test]
fn licenses_are_counted_once_and_not_at_every_scrape() {
    let (_folder, store) = temporary_store();
    let event = r#"{"time":"2026-03-02T09:30:00Z","event":"checkout","server":"s","feature":"f","version":"2","user":"u","licenses":4}"#;
    let file = std::path::Path::new(&store).parent().unwrap().join("x.ndjson");
    std::fs::write(&file, format!("{event}\n")).unwrap();
    run_ok(&["import", "--store", &store, file.to_str().unwrap()]);
    let server = Server::start(store.as_ref());
    let used = |scrape: &Scrape| scrape.of("flexlm_feature_used", "app=s,name=f,version=2");
    assert_eq!(used(&scrape(&server)), 4.0);
    super::damage(&store, Table::Sessions, "2026-03-02");
    assert_eq!(used(&scrape(&server)), 4.0, "no file is read again");
    // Somebody who has not counted yet cannot, and says everything else.
    let other = Server::start(store.as_ref());
    let told = scrape(&other);
    assert!(told.0.iter().all(|(name, _)| name != "flexlm_feature_used"));
    assert_eq!(told.value("headroom_store_days"), 1.0);
    other.logged(&["ERROR", "licenses in use are not known"]);
}
