//! Which format an `Accept` header gets, and what is not sent again: `ETag`, `If-None-Match`, `HEAD`.

use super::{DAYS, DENIALS, DENIALS_JSON, MEDIA_TYPES, Site, every_report, in_format, refusal, url};

/// `Accept` headers and the formats they get where the path names none.
const ACCEPTED: &[(&str, &str)] = &[
    ("*/*", "json"),
    ("application/json", "json"),
    ("APPLICATION/JSON", "json"),
    ("text/csv", "csv"),
    ("text/csv; charset=utf-8", "csv"),
    ("text/csv; header=present", "csv"),
    ("text/html", "html"),
    ("application/x-ndjson", "ndjson"),
    ("application/pdf", "pdf"),
    ("image/svg+xml", "svg"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("application/vnd.apache.arrow.stream", "arrow"),
    ("application/vnd.apache.parquet", "parquet"),
    // As browsers ask.
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),
    ("image/avif,image/webp,image/svg+xml,image/*;q=0.8,*/*;q=0.5", "svg"),
    // The better one.
    ("application/json;q=0.5, text/csv", "csv"),
    ("application/json;q=0.5, text/csv;q=0.4", "json"),
    ("text/csv;q=0.001, application/xml", "csv"),
    ("application/pdf;q=0.7,text/html;q=0.9,text/csv;q=0.8", "html"),
    ("*/*;q=0.1, application/vnd.apache.parquet", "parquet"),
    // Ties: json, csv, ndjson, html, xlsx, pdf, svg, arrow, parquet.
    ("text/csv, application/json", "json"),
    ("text/html, text/csv", "csv"),
    ("text/html, application/x-ndjson", "ndjson"),
    ("application/pdf, text/html", "html"),
    (
        "application/pdf, application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
    ),
    ("image/svg+xml, application/pdf", "pdf"),
    ("application/vnd.apache.arrow.stream, image/svg+xml", "svg"),
    ("application/vnd.apache.parquet, application/vnd.apache.arrow.stream", "arrow"),
    ("text/*", "csv"),
    ("application/*", "json"),
    ("image/*", "svg"),
    // What is more specific decides, wherever it stands.
    ("text/*;q=0.9, text/csv;q=0.2, application/json;q=0.5", "html"),
    ("text/csv;q=0.2, application/json;q=0.5, text/*;q=0.9", "html"),
    ("*/*;q=0.9, application/json;q=0.1", "csv"),
    ("*/*;q=0.9, application/*;q=0.1, text/csv;q=0.2", "html"),
    // Nothing is refused.
    ("*/*, application/json;q=0", "csv"),
    ("application/json;q=0, */*;q=0.1", "csv"),
    ("text/*, text/csv;q=0", "html"),
    ("*/*, application/*;q=0, text/*;q=0.0", "svg"),
    ("application/json;q=0.000, text/csv;q=0, */*", "ndjson"),
];

/// What no format is.
const NOT_ACCEPTABLE: &[&str] = &[
    "application/xml",
    "video/*",
    "application/json;q=0",
    "*/*;q=0",
    "text/csv;q=0, application/xml, text/plain",
    "application/json;q=0, application/*;q=0, application/xml",
];

#[test]
fn accept_decides_where_the_path_does_not() {
    let site = Site::start();
    let media_type = |format: &str| MEDIA_TYPES.iter().find(|(known, _)| *known == format).unwrap().1;
    for (accepted, format) in ACCEPTED {
        let answer = site.get_with(DENIALS, DAYS, &[("Accept", accepted)]);
        assert_eq!(answer.status, 200, "{accepted}: {}", answer.text());
        let told = answer.header("content-type").unwrap();
        assert!(told.starts_with(media_type(format)), "{accepted}: {told}");
        if *format != "html" && *format != "pdf" && *format != "xlsx" {
            assert_eq!(answer.body, site.succeed(&in_format(DENIALS_JSON, format), DAYS).body, "{accepted}");
        }
    }
    assert_eq!(
        site.get(DENIALS, DAYS).header("content-type"),
        Some("application/json"),
        "whoever says nothing"
    );
    let form = [super::FORM[0], ("Accept", "text/csv")];
    let posted = site.server.send("POST", DENIALS, &form, super::encoded(DAYS).as_bytes());
    assert!(posted.header("content-type").unwrap().starts_with("text/csv"));
    // Several headers are one.
    let several = site.get_with(DENIALS, DAYS, &[("Accept", "application/xml"), ("Accept", "text/csv")]);
    assert!(several.header("content-type").unwrap().starts_with("text/csv"));
}

#[test]
fn what_no_format_is_is_not_acceptable() {
    let site = Site::start();
    let media_types = MEDIA_TYPES.map(|(_, media_type)| media_type.split(';').next().unwrap());
    for accepted in NOT_ACCEPTABLE {
        let answer = site.get_with(DENIALS, DAYS, &[("Accept", accepted)]);
        refusal(&answer, 406, 1304, &media_types, accepted);
        // Where the path decides it does not matter.
        assert_eq!(site.get_with(DENIALS_JSON, DAYS, &[("Accept", accepted)]).status, 200, "{accepted}");
        let csv = site.get_with(super::DENIALS_CSV, DAYS, &[("Accept", accepted)]);
        assert!(csv.header("content-type").unwrap().starts_with("text/csv"), "{accepted}");
    }
}

#[test]
fn every_report_has_a_path_without_a_format() {
    let site = Site::start();
    for report in headroom::report::Catalog::definitions().unwrap() {
        let query = super::query_of(&report);
        for path in report.aliases.iter().chain([&report.path]) {
            let path = path.replace("{feature}", "1").replace("/{format}", "");
            let json = site.server.get(&format!("{path}?{query}"));
            assert_eq!(
                (json.status, json.header("content-type")),
                (200, Some("application/json")),
                "{path}: {}",
                json.text()
            );
            let csv = site.server.send("GET", &format!("{path}?{query}"), &[("Accept", "text/csv")], b"");
            assert!(
                csv.status == 200 && csv.header("content-type").unwrap().starts_with("text/csv"),
                "{path}"
            );
            refusal(
                &site.server.send("GET", &format!("{path}?{query}"), &[("Accept", "video/mp4")], b""),
                406,
                1304,
                &[],
                &path,
            );
        }
    }
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let site = Site::start();
    for (format, _) in MEDIA_TYPES {
        let path = in_format(DENIALS_JSON, format);
        let answer = site.succeed(&path, DAYS);
        let tag = answer.header("etag").unwrap_or_else(|| panic!("{format}")).to_owned();
        assert!(tag.starts_with("W/\"") && tag.ends_with('"') && tag.len() > 6, "{tag}");
        assert_eq!(site.succeed(&path, DAYS).header("etag"), Some(&*tag), "{format}");
        let strong = tag.trim_start_matches("W/");
        for known in [&*tag, strong, "*", &format!("\"x\", {tag}"), &format!("W/\"x\",{tag}, \"y\"")] {
            for method in ["GET", "HEAD"] {
                let again = site.server.send(method, &url(&path, DAYS), &[("If-None-Match", known)], b"");
                assert_eq!((again.status, again.body.len()), (304, 0), "{method} {format} {known}");
                assert_eq!(again.header("etag"), Some(&*tag), "{format}");
                for name in ["cache-control", "vary"] {
                    assert_eq!(again.header(name), answer.header(name), "{format} {name}");
                }
                assert_eq!(
                    again.header("content-type").or_else(|| again.header("content-encoding")),
                    None,
                    "{format}"
                );
            }
        }
        for other in ["\"x\"", "W/\"x\"", "", "x", "W/\"x\", \"y\""] {
            assert_eq!(
                site.get_with(&path, DAYS, &[("If-None-Match", other)]).status,
                200,
                "{format} {other}"
            );
        }
    }
}

#[test]
fn another_answer_has_another_tag() {
    let site = Site::start();
    let tag = |given: super::Given<'_>, accepted: &str| {
        let answer = site.get_with(DENIALS, given, &[("Accept", accepted)]);
        assert_eq!(answer.status, 200);
        answer.header("etag").unwrap().to_owned()
    };
    let mut tags: Vec<String> = MEDIA_TYPES
        .iter()
        .map(|(_, media_type)| tag(DAYS, media_type.split(';').next().unwrap()))
        .collect();
    for more in [
        ("limit", "1"),
        ("limit", "2"),
        ("filter", "[{\"property\":\"un\",\"value\":\"x\"}]"),
        ("orderBy", "un"),
        ("columns", "un"),
        ("tz", "Asia/Tokyo"),
    ] {
        tags.push(tag(&[DAYS, &[more]].concat(), "application/json"));
    }
    let before = tags.len();
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), before, "{tags:?}");
    // Events change answers.
    let before = tag(DAYS, "*/*");
    let more = r#"{"time":"2015-03-04T08:00:00Z","event":"denial","server":"beta","feature":"CAD Basic","user":"bob","host":"ws-2"}"#;
    assert_eq!(site.server.send("POST", "/import", &[], more.as_bytes()).status, 200);
    assert_ne!(tag(DAYS, "*/*"), before);
    assert_eq!(site.get_with(DENIALS, DAYS, &[("If-None-Match", &before)]).status, 200);
}

#[test]
fn errors_are_not_kept() {
    let site = Site::start();
    let answer = site.get(DENIALS_JSON, &[]);
    assert_eq!((answer.status, answer.header("etag")), (400, None));
    let starred = site.get_with(DENIALS_JSON, &[], &[("If-None-Match", "*")]);
    assert_eq!(starred.status, 400);
}

#[test]
fn head_tells_what_get_would() {
    let site = Site::start();
    for (path, query) in every_report() {
        for (format, _) in MEDIA_TYPES {
            let path = format!("{path}/{format}?{query}");
            let (get, head) = (site.server.get(&path), site.server.send("HEAD", &path, &[], b""));
            assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
            for name in [
                "content-type",
                "content-disposition",
                "etag",
                "cache-control",
                "vary",
                "x-content-type-options",
            ] {
                assert_eq!(head.header(name), get.header(name), "{path} {name}");
            }
        }
    }
    assert_eq!(site.server.send("HEAD", &url(DENIALS_JSON, &[]), &[], b"").status, 400);
    assert_eq!(
        site.server
            .send("HEAD", &url("/report/feature/99/denials/json", DAYS), &[], b"")
            .status,
        404
    );
    assert_eq!(
        site.server.send("HEAD", &url(DENIALS, DAYS), &[("Accept", "video/*")], b"").status,
        406
    );
}
