//! Whatever is asked, the answer is a report or a refusal: never a fault of ours, never a connection that just closes.

use headroom::report::{Catalog, Definition};
use proptest::prelude::*;

use super::{borrowed, runner, site};
use crate::conformance::{Site, query_of};
use crate::readers;
use crate::support::{Server, Store};

/// The options that are read as more than a number.
const OPTIONS: [&str; 12] = [
    "filter",
    "order",
    "orderBy",
    "orderDirection",
    "fieldsVisibility",
    "fieldVisibility",
    "columns",
    "columnNames",
    "rn",
    "tz",
    "limit",
    "offset",
];

/// What options are made of, and what readers of JSON, numbers and dates stumble over.
const PIECES: [&str; 60] = [
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\"",
    "\\",
    " ",
    "\n",
    "\0",
    "%",
    "=",
    "&",
    "+",
    ";",
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "1e999",
    "-0.0",
    "1e-400",
    "99999999999999999999",
    "\"property\":",
    "\"operator\":",
    "\"value\":",
    "\"field\":",
    "\"type\":",
    "\"comparison\":",
    "\"direction\":",
    "\"ldt\"",
    "\"ldtc\"",
    "\"un\"",
    "\"hn\"",
    "\"lc\"",
    "\"fid\"",
    "\"lss\"",
    "\"lshf\"",
    "\"ucd\"",
    "\"eq\"",
    "\"ne\"",
    "\"gt\"",
    "\"string\"",
    "\"numeric\"",
    "\"DESC\"",
    "\"2024-03-10\"",
    "\"2024-03-10 02:30:00\"",
    "\"99999-01-01\"",
    "\"0000-00-00\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"1\"",
    "ldt,un",
    "[{\"property\":\"un\",\"value\":",
    "}]",
    "{\"un\":\"1\"}",
    "é李\u{202e}",
];

/// Bytes that mean nothing, or nearly something.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let soup = proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..16).prop_map(|pieces| pieces.concat().into_bytes());
    let element = proptest::collection::vec(proptest::sample::select(&PIECES[24..56]), 3..8)
        .prop_map(|pieces| format!("[{{{}}}]", pieces.join(",").replace(":,", ":")).into_bytes());
    let deep = (1..800usize, proptest::sample::select(&["[", "{\"a\":", "[{\"property\":"][..]))
        .prop_map(|(depth, piece)| piece.repeat(depth).into_bytes());
    prop_oneof![
        3 => proptest::collection::vec(any::<u8>(), 0..40),
        4 => soup,
        4 => element,
        1 => deep,
    ]
}

/// Bytes as a form writes them; some are left as they are where HTTP lets them be.
fn percent_encoded(bytes: &[u8], sparing: bool) -> String {
    let encode = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(*byte).to_string(),
        b'%' | b'&' | b'=' | b'+' | b';' | b'[' | b'{' | b'/' | b'?' if sparing => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    bytes.iter().map(encode).collect()
}

/// An answer to anything.
fn sound(server: &Server, method: &str, path: &str, body: &[u8]) {
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let headers = if method == "POST" { &form[..] } else { &[] };
    let answer = server.send(method, path, headers, body);
    let what = || {
        format!(
            "{method} {path} {:?}: {} {}",
            String::from_utf8_lossy(body),
            answer.status,
            answer.text()
        )
    };
    assert!(answer.whole && answer.status < 500, "{}", what());
    if answer.status >= 400 {
        assert!(answer.text().starts_with("{\"success\":false,"), "{}", what());
        assert!(!readers::envelope(&answer.body).success, "{}", what());
    }
}

/// Every path of every report, with what it must be told.
fn paths() -> Vec<(String, String)> {
    let definitions = Catalog::definitions().unwrap();
    let of = |report: &Definition| -> Vec<(String, String)> {
        let paths = report.aliases.iter().chain([&report.path]);
        paths.map(|path| (path.clone(), query_of(report))).collect()
    };
    definitions.iter().flat_map(of).collect()
}

#[test]
fn any_bytes_as_an_option() {
    let site = Site::start();
    let option = (proptest::sample::select(&OPTIONS[..]), bytes(), any::<bool>());
    let format = proptest::sample::select(&["json", "csv", "html"][..]);
    runner(256)
        .run(
            &(proptest::sample::select(paths()), option, format, any::<bool>()),
            |((path, query), (option, bytes, sparing), format, posted)| {
                let path = path.replace("{feature}", "1").replace("{format}", format);
                let text = format!("{option}={}", percent_encoded(&bytes, sparing));
                if posted {
                    sound(&site.server, "POST", &format!("{path}?{query}"), text.as_bytes());
                } else {
                    sound(&site.server, "GET", &format!("{path}?{query}&{text}"), b"");
                }
                Ok(())
            },
        )
        .unwrap();
}

#[test]
fn any_bytes_as_query_form_and_path() {
    let site = Site::start();
    let asked = (proptest::sample::select(paths()), bytes(), bytes(), any::<bool>(), 0..4u8);
    runner(256)
        .run(&asked, |((path, query), bytes, others, sparing, place)| {
            let known = path.replace("{feature}", "1").replace("{format}", "json");
            match place {
                0 => sound(&site.server, "GET", &format!("{known}?{}", percent_encoded(&bytes, sparing)), b""),
                1 => sound(&site.server, "POST", &format!("{known}?{query}"), &bytes),
                2 => sound(
                    &site.server,
                    "POST",
                    &format!("{known}?{}", percent_encoded(&others, sparing)),
                    &bytes,
                ),
                _ => {
                    let path = path
                        .replace("{feature}", &percent_encoded(&bytes, false))
                        .replace("{format}", &percent_encoded(&others, false));
                    sound(&site.server, "GET", &format!("{path}?{query}"), b"");
                }
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn any_text_as_a_header() {
    let site = Site::start();
    const NAMES: [&str; 7] = [
        "Accept",
        "Accept-Encoding",
        "If-None-Match",
        "X-Auth-token",
        "Authorization",
        "Content-Type",
        "Accept-Language",
    ];
    const PARTS: [&str; 25] = [
        "text/csv",
        "*/*",
        "application/",
        "/",
        "*",
        ";q=",
        ";",
        ",",
        "0.5",
        "1",
        "0",
        "-1",
        "2",
        "\"",
        "W/\"",
        "\\",
        " ",
        "=",
        "gzip",
        "zstd",
        "identity",
        "Bearer ",
        "q",
        "\t",
        "é",
    ];
    let text = proptest::collection::vec(proptest::sample::select(&PARTS[..]), 0..12).prop_map(|pieces| pieces.concat());
    let asked = (
        proptest::sample::select(paths()),
        proptest::sample::select(&NAMES[..]),
        text,
        any::<bool>(),
    );
    runner(128)
        .run(&asked, |((path, query), name, text, posted)| {
            let path = path.replace("{feature}", "1").replace("/{format}", "");
            let method = if posted { "POST" } else { "GET" };
            let answer = site.server.send(method, &format!("{path}?{query}"), &[(name, &text)], b"");
            assert!(
                (answer.whole || answer.status == 304) && answer.status < 500,
                "{name}: {text:?}: {}",
                answer.text()
            );
            Ok(())
        })
        .unwrap();
}

#[test]
fn any_text_as_an_option_of_a_report() {
    let store = Store::new("America/New_York");
    let mut drawing = runner(1);
    let site = site::drawn(&mut drawing, "America/New_York");
    store.import("random.ndjson", &site.ndjson);
    let requests: Vec<_> = Catalog::definitions()
        .unwrap()
        .iter()
        .map(|report| (report.name.clone(), site.request(&mut drawing, report)))
        .collect();
    let formats: Vec<&str> = headroom::output::FORMATS.iter().map(|format| format.name()).collect();
    let options = proptest::collection::vec((proptest::sample::select(&OPTIONS[..]), bytes()), 1..3);
    runner(256)
        .run(
            &(proptest::sample::select(requests), options, proptest::sample::select(formats)),
            |((report, given), options, format)| {
                let texts: Vec<(&str, String)> = options
                    .iter()
                    .map(|(name, bytes)| (*name, String::from_utf8_lossy(bytes).into_owned()))
                    .collect();
                let mut given = borrowed(&given);
                given.retain(|(name, _)| *name != "tz");
                given.extend(texts.iter().map(|(name, text)| (*name, text.as_str())));
                if let Err(error) = store.render(&report, format, &given) {
                    let told = error.to_string();
                    let status = axum::response::IntoResponse::into_response(headroom::http::ApiError::from(error)).status();
                    assert!(status.is_client_error(), "{report} {given:?}: {status} {told}");
                }
                Ok(())
            },
        )
        .unwrap();
}
