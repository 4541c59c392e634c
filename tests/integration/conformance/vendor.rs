//! The commands that the target's pages show, to the letter but for the host and the token, run by a shell with the real `curl`.

use std::process::Command;

use serde_json::{Value, json};

use super::Site;
use crate::readers::{self, Row};
use crate::support::make_token;

const USERS: &str = r#"curl -H "X-Auth-token: token" "http://yourdomain/api/v1/report/users/realtime-count/XLSX""#;
const UTILIZATION: &str = r#"curl --data "sd=2015-01-01" --data "ed=2015-01-02" --data "st=09:00" --data "et=17:00" -H "X-Auth-token: token" "http://yourdomain/api/v1/report/feature/3/utilization-history/json""#;
const DENIALS: &str = r#"curl --data "sd=2015-01-01" --data "ed=2015-01-02" -H "X-Auth-token: token" "http://yourdomain/api/v1/report/feature/3/denials/json""#;
const BY_USER: &str = r#"curl --data "orderBy=un" --data "orderDirection=ASC" --data "sd=2015-01-01" --data "ed=2015-01-02" -H "X-Auth-token: token" "http://yourdomain/api/v1/report/feature/3/denials/json""#;
const FIRST_100: &str = r#"curl --data "limit=100" --data "offset=0" --data "sd=2015-01-01" --data "ed=2015-01-02" -H "X-Auth-token: token" "http://yourdomain/api/v1/report/feature/3/denials/json""#;
const FIRST_100_IN_URL: &str = r#"curl -H "X-Auth-token: token" "http://yourdomain/api/v1/report/feature/3/denials/json?limit=100&offset=0&sd=2014-12-01&ed=2015-01-02""#;
const BY_MONTH: &str = r#"curl --data "sd=2015-01-01" --data "ed=2015-01-02" --data "grat=3" -H "X-Auth-token: token" "http://yourdomain/api/v1/report/feature/3/denials/grouped/json""#;
const BY_QUARTER: &str = r#"curl --data "orderBy=ldtc" --data "orderDirection=DESC" --data "sd=2014-01-01" --data "ed=2015-01-01" --data "grat=2" -H "X-Auth-token: token" "http://yourdomain/api/v1/report/feature/3/denials/grouped/json""#;
const BY_HOUR: &str = r#"curl --data "limit=100" --data "offset=0" --data "sd=2013-01-01" --data "ed=2015-01-02" --data "grat=6" -H "X-Auth-token: token" "http://yourdomain/api/v1/report/feature/3/denials/grouped/json""#;
const BY_HOUR_IN_URL: &str = r#"curl -H "X-Auth-token: token" "http://yourdomain/api/v1/report/feature/3/denials/grouped/json?limit=5&offset=2&sd=2013-01-01&ed=2015-01-02&grat=6""#;
/// Hours of 2013, 2014 and two days of 2015.
const HOURS: u64 = (365 + 365 + 2) * 24;

/// A site that only answers who shows the token.
fn guarded() -> (Site, String) {
    let site = Site::start();
    let store = site.folder.path().join("store");
    let token = make_token(store.to_str().unwrap(), "default", &[]);
    (site, token)
}

/// Runs a command of the pages and returns what it prints.
fn curl(site: &Site, token: &str, command: &str) -> Vec<u8> {
    assert!(command.contains("http://yourdomain/") && command.contains("X-Auth-token: token\""));
    let command = command
        .replace("http://yourdomain/", &format!("http://{}/", site.server.address))
        .replace("X-Auth-token: token\"", &format!("X-Auth-token: {token}\""));
    let output = Command::new("sh").arg("-c").arg(&command).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What the rows say, in the order of their keys.
fn told(rows: &[Row]) -> Vec<Value> {
    rows.iter().map(|row| json!(row.values())).collect()
}

#[test]
fn the_commands_of_denials() {
    let (site, token) = guarded();
    let asked = |command: &str| {
        let envelope = readers::envelope(&curl(&site, &token, command));
        assert!(envelope.success && envelope.msg.is_empty() && envelope.code.is_none(), "{command}");
        assert_eq!(envelope.total_count, 3, "{command}");
        assert!(
            envelope.data.iter().all(|row| row.keys() == ["ldt", "ldtc", "un", "hn"]),
            "{command}"
        );
        told(&envelope.data)
    };
    let [first, second, third] = [
        json!(["2015-01-01 08:59:59", 1, "alice", "ws1"]),
        json!(["2015-01-01 09:00:00", 2, "bob", "ws2"]),
        json!(["2015-01-02 23:59:59", 1, "alice", "ws1"]),
    ];
    let all = [first.clone(), second.clone(), third.clone()];
    assert_eq!(asked(DENIALS), all);
    assert_eq!(asked(BY_USER), [first, third, second]);
    assert_eq!(asked(FIRST_100), all);
    assert_eq!(asked(FIRST_100_IN_URL), all);
}

#[test]
fn the_commands_of_grouped_denials() {
    let (site, token) = guarded();
    let asked = |command: &str, total: u64| {
        let envelope = readers::envelope(&curl(&site, &token, command));
        assert!(envelope.success && envelope.msg.is_empty() && envelope.code.is_none(), "{command}");
        assert_eq!(envelope.total_count, total, "{command}");
        assert!(envelope.data.iter().all(|row| row.keys() == ["ldt", "ldtc"]), "{command}");
        told(&envelope.data)
    };
    assert_eq!(asked(BY_MONTH, 1), [json!(["2015-01", 4])]);
    // The last day is the first of 2015. Quarters without denials are equal, and in their natural order.
    let quarters = [("2015-Q1", 3), ("2014-Q1", 0), ("2014-Q2", 0), ("2014-Q3", 0), ("2014-Q4", 0)];
    assert_eq!(asked(BY_QUARTER, 5), quarters.map(|quarter| json!(quarter)));
    let hours = asked(BY_HOUR, HOURS);
    assert_eq!(
        (hours.len(), &hours[0], &hours[99]),
        (100, &json!(["2013-01-01 00:00", 0]), &json!(["2013-01-05 03:00", 0]))
    );
    let hours = ["02", "03", "04", "05", "06"].map(|hour| json!([format!("2013-01-01 {hour}:00"), 0]));
    assert_eq!(asked(BY_HOUR_IN_URL, HOURS), hours);
}

#[test]
fn the_command_of_utilization_history() {
    let (site, token) = guarded();
    let envelope = readers::envelope(&curl(&site, &token, UTILIZATION));
    assert!(envelope.success && envelope.msg.is_empty() && envelope.code.is_none());
    assert!(envelope.data.iter().all(|row| row.keys() == ["lc", "lhu", "lutil"]));
    assert_eq!(
        told(&envelope.data),
        [json!([1, 8.5, 70.83]), json!([2, 7.0, 58.33]), json!([3, 1.5, 12.5])]
    );
    assert_eq!(envelope.total_count, 3);
}

#[test]
fn the_command_of_users_count() {
    let (site, token) = guarded();
    let files = readers::unzip(&curl(&site, &token, USERS));
    assert!(files.iter().any(|(path, _)| path == "[Content_Types].xml"));
    let sheet = files.iter().find(|(path, _)| path == "xl/worksheets/sheet1.xml").unwrap();
    let strings = files
        .iter()
        .find(|(path, _)| path == "xl/sharedStrings.xml")
        .map_or(&[][..], |(_, text)| text);
    let text = String::from_utf8([&sheet.1[..], strings].concat()).unwrap();
    for title in ["Date", "Total Users", "Daily Users", "Denial Users", "Concurrent Hosts"] {
        assert!(text.contains(&format!(">{title}<")), "{title}");
    }
}

#[test]
fn without_the_token_they_are_refused() {
    let (site, _) = guarded();
    let envelope = readers::envelope(&curl(&site, "guess", DENIALS));
    assert!(!envelope.success && envelope.code == Some(1102));
}
