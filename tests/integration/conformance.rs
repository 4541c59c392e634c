//! The published interface, row by row, over a real socket, as a client of it would ask.
//!
//! ```text
//! site.ndjson, store in UTC                     days with events
//! beta   1 "CAD Basic"              a … g       2015-03-02 to 03-05: seven denials, below
//!        2 "Mesh & <Model>" 2.0                 2015-04-01: 2 licenses 08:00–08:30, 1 license for a minute at noon
//! alpha  3 "solver"                             2015-01-01, 01-02: the worked examples of denials and of utilization
//! gamma  4 "late"                               2015-04-01: 1 license 08:00–09:00; the server came up at 10:00
//! delta    nothing                              2015-05-01: came up
//! omega  5 "torn"                               2015-06-01: a checkout without a checkin, and the other way round
//!
//! feature 1   user            host      licenses
//! a           Alice           WS-1      1         2015-03-02 08:15:00
//! b           bob             ws-2      2                    09:30:00.5
//! c           alice           ws-1      3                    23:59:59.999999
//! d           Zoë             not known 1         2015-03-03 00:00:00
//! e           =1+1            <b>&"q"   5                    12:00:00
//! f           o'neil, "pat"   ws-10%    10        2015-03-04 07:00:00
//! g           李雷            _x        4         2015-03-05 10:00:00
//! ```

mod columns;
mod compression;
mod elements;
mod errors;
mod filters;
mod negotiation;
mod orders;
mod periods;
mod requests;
mod responses;
mod vendor;

use headroom::report::{Definition, Param, ParamType};
use serde_json::Value;

use crate::readers::{self, Row};
use crate::support::{Answer, Server, run_ok};

const SITE: &str = include_str!("conformance/site.ndjson");
/// The letters of the denials of feature 1, and whose they are.
const LETTERS: [(&str, char); 7] = [
    ("Alice", 'a'),
    ("bob", 'b'),
    ("alice", 'c'),
    ("Zoë", 'd'),
    ("=1+1", 'e'),
    ("o'neil, \"pat\"", 'f'),
    ("李雷", 'g'),
];
/// Every format's name in paths, and what its media type begins with.
const MEDIA_TYPES: [(&str, &str); 9] = [
    ("json", "application/json"),
    ("csv", "text/csv; charset=utf-8; header=present"),
    ("ndjson", "application/x-ndjson"),
    ("html", "text/html"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pdf", "application/pdf"),
    ("svg", "image/svg+xml"),
    ("arrow", "application/vnd.apache.arrow.stream"),
    ("parquet", "application/vnd.apache.parquet"),
];
const FORM: [(&str, &str); 1] = [("Content-Type", "application/x-www-form-urlencoded")];

/// Feature 1's denials, without a format.
const DENIALS: &str = "/report/feature/1/denials";
const DENIALS_JSON: &str = "/report/feature/1/denials/json";
const DENIALS_CSV: &str = "/report/feature/1/denials/csv";
/// All of them.
const DAYS: Given<'static> = &[("sd", "2015-03-01"), ("ed", "2015-03-06")];
const GROUPED: &str = "/report/feature/1/denials/grouped/json";
const UTILIZATION: &str = "/report/feature/3/utilization-history/json";
/// What the worked example of utilization asks.
const HOURS: Given<'static> = &[("sd", "2015-01-01"), ("ed", "2015-01-02"), ("st", "09:00"), ("et", "17:00")];
/// Features 2 and 4 in an hour in which the server of 4 was not known to be up: no utilization.
const SEVERAL: &str = "/report/feature/2,4/utilization-history/json";
const ONE_HOUR: Given<'static> = &[("sd", "2015-04-01"), ("ed", "2015-04-01"), ("st", "08:00"), ("et", "09:00")];
const FEATURES: &str = "/feature/json";
const SERVERS: &str = "/license-server/json";
const USERS: &str = "/report/users/realtime-count/json";

/// Parameters.
type Given<'a> = &'a [(&'a str, &'a str)];

/// The store of this module, served.
pub struct Site {
    pub server: Server,
    folder: tempfile::TempDir,
}

impl Site {
    pub fn start() -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("site.ndjson");
        std::fs::write(&file, SITE).unwrap();
        let store = folder.path().join("store");
        let store = store.to_str().unwrap();
        run_ok(&["init", "--store", store, "--timezone", "UTC"]);
        run_ok(&["import", "--store", store, file.to_str().unwrap()]);
        Self {
            server: Server::start(store.as_ref()),
            folder,
        }
    }

    fn get(&self, path: &str, given: Given<'_>) -> Answer {
        self.server.get(&url(path, given))
    }

    fn get_with(&self, path: &str, given: Given<'_>, headers: &[(&str, &str)]) -> Answer {
        self.server.send("GET", &url(path, given), headers, b"")
    }

    fn post(&self, path: &str, form: Given<'_>) -> Answer {
        self.server.send("POST", path, &FORM, encoded(form).as_bytes())
    }

    /// The answer, which must be a success.
    fn succeed(&self, path: &str, given: Given<'_>) -> Answer {
        let answer = self.get(path, given);
        assert!(answer.status == 200 && answer.whole, "{path} {given:?}: {}", answer.text());
        answer
    }

    /// The rows, all of them.
    fn rows(&self, path: &str, given: Given<'_>) -> Vec<Row> {
        let envelope = readers::envelope(&self.succeed(path, given).body);
        assert_eq!(envelope.total_count, envelope.data.len() as u64, "{path} {given:?}");
        envelope.data
    }

    /// What the rows say in a column.
    fn column(&self, path: &str, given: Given<'_>, handle: &str) -> Vec<Value> {
        self.rows(path, given).iter().map(|row| row.get(handle).clone()).collect()
    }

    /// Which denials of feature 1 there are, in their order.
    fn letters(&self, more: Given<'_>) -> String {
        letters(&self.rows(DENIALS_JSON, &[DAYS, more].concat()))
    }

    fn csv(&self, path: &str, given: Given<'_>) -> Vec<Vec<String>> {
        readers::csv(&self.succeed(path, given).body)
    }

    /// Checks that a request is refused and returns the message.
    fn refuse(&self, path: &str, given: Given<'_>, code: u64, words: &[&str]) -> String {
        refusal(&self.get(path, given), 400, code, words, &format!("{path} {given:?}"))
    }
}

/// Checks that an answer is the envelope of an error and returns its message.
fn refusal(answer: &Answer, status: u16, code: u64, words: &[&str], what: &str) -> String {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"), "{what}");
    let envelope = readers::envelope(&answer.body);
    assert!(!envelope.success && envelope.data.is_empty(), "{what}");
    assert_eq!(envelope.code, Some(code), "{what}: {}", envelope.msg);
    assert!(words.iter().all(|word| envelope.msg.contains(word)), "{what}: {}", envelope.msg);
    envelope.msg
}

fn letters(rows: &[Row]) -> String {
    let letter = |row: &Row| LETTERS.iter().find(|(user, _)| row.get("un") == user).unwrap().1;
    rows.iter().map(letter).collect()
}

fn encoded(given: Given<'_>) -> String {
    serde_urlencoded::to_string(given).unwrap()
}

fn url(path: &str, given: Given<'_>) -> String {
    if given.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", encoded(given))
    }
}

/// The same path in another format.
fn in_format(path: &str, format: &str) -> String {
    let (path, _) = path.rsplit_once('/').unwrap();
    format!("{path}/{format}")
}

/// A request that each report answers with success: its path below `/api/v1` without a format, and its query.
fn every_report() -> Vec<(String, String)> {
    let definitions = headroom::report::Catalog::definitions().unwrap();
    let request = |report: &Definition| (report.path.replace("{feature}", "1").replace("/{format}", ""), query_of(report));
    definitions.iter().map(request).collect()
}

/// What a report must be told; and days, so that none has thousands of rows.
pub fn query_of(report: &Definition) -> String {
    let told = |param: &Param| match param.kind {
        ParamType::Date => DAYS.iter().find(|(name, _)| *name == param.name).unwrap().1,
        ParamType::Granularity => "DAY",
        ParamType::Time => "08:00",
        ParamType::ClosingTime => "18:00",
        other => panic!("{}: what is {} ({other:?})?", report.name, param.name),
    };
    let days = ["sd", "ed"];
    let of_query = |param: &&Param| {
        let asked = param.required || days.contains(&&*param.name);
        asked && !report.path.contains(&format!("{{{}}}", param.name))
    };
    let given: Vec<_> = report
        .params
        .iter()
        .filter(of_query)
        .map(|param| (param.name.as_str(), told(param)))
        .collect();
    encoded(&given)
}
