//! Refusals: the same envelope in every format, a status, and a code that is published.

use headroom::http::CODES;

use super::{DAYS, DENIALS, DENIALS_JSON, MEDIA_TYPES, Site, every_report, in_format, refusal, url};
use crate::support::make_token;

#[test]
fn an_error_is_the_same_in_every_format() {
    let site = Site::start();
    for (given, code) in [
        (&[("sd", "2015-03-01")][..], 1001),
        (&[("sd", "x"), ("ed", "2015-03-06")], 1002),
        (&[("sd", "2015-03-07"), ("ed", "2015-03-06")], 1003),
        (&[("sd", "2015-03-01"), ("ed", "2015-03-06"), ("x", "1")], 1004),
        (&[("sd", "2015-03-01"), ("ed", "2015-03-06"), ("filter", "[5]")], 1002),
    ] {
        let message = site.refuse(DENIALS_JSON, given, code, &[]);
        for (format, _) in MEDIA_TYPES {
            assert_eq!(site.refuse(&in_format(DENIALS_JSON, format), given, code, &[]), message, "{format}");
            let posted = site.post(&in_format(DENIALS_JSON, format), given);
            assert_eq!(refusal(&posted, 400, code, &[], format), message);
        }
        for accepted in ["text/csv", "application/pdf", "text/html", "*/*"] {
            let answer = site.get_with(DENIALS, given, &[("Accept", accepted)]);
            assert_eq!(refusal(&answer, 400, code, &[], accepted), message);
        }
    }
}

#[test]
fn every_report_wants_a_form_and_knows_its_methods() {
    let site = Site::start();
    for (path, query) in every_report() {
        for path in [format!("{path}/json"), path] {
            for method in ["PUT", "DELETE", "PATCH"] {
                let answer = site.server.send(method, &format!("{path}?{query}"), &[], b"");
                refusal(&answer, 405, 1301, &[method], &path);
                let allowed = answer.header("allow").unwrap();
                assert!(["GET", "HEAD", "POST"].iter().all(|method| allowed.contains(method)), "{allowed}");
            }
            for kind in [
                "application/json",
                "multipart/form-data; boundary=x",
                "text/plain",
                "application/x-www-form-urlencoded-x",
                "",
            ] {
                let answer = site.server.send("POST", &path, &[("Content-Type", kind)], b"limit=1");
                refusal(
                    &answer,
                    415,
                    1303,
                    &["application/x-www-form-urlencoded"],
                    &format!("{path} {kind:?}"),
                );
            }
            let answer = site.server.send("POST", &path, &[], b"limit=1");
            refusal(&answer, 415, 1303, &["application/x-www-form-urlencoded"], &path);
            let answer = site.server.send("POST", &path, &super::FORM, &vec![b'a'; 2 * 1024 * 1024]);
            refusal(&answer, 413, 1302, &[], &path);
        }
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let site = Site::start();
    for feature in ["6", "999", "2147483648", "1,6"] {
        for (path, query) in every_report().iter().filter(|(path, _)| path.contains("/feature/1/")) {
            let path = path.replace("/feature/1/", &format!("/feature/{feature}/"));
            let answer = site.server.get(&format!("{path}/json?{query}"));
            refusal(&answer, 404, 1202, &["feature", feature.rsplit(',').next().unwrap()], &path);
        }
    }
    // What is no number is a name.
    for feature in ["cad", "-1", "1;2", "%20", "1.0"] {
        refusal(
            &site.get(&format!("/report/feature/{feature}/denials/json"), DAYS),
            404,
            1202,
            &["feature"],
            feature,
        );
    }
    for feature in ["1,", ",1", "99999999999"] {
        refusal(
            &site.get(&format!("/report/feature/{feature}/denials/json"), DAYS),
            400,
            1002,
            &["feature"],
            feature,
        );
    }
    for path in [
        "",
        "/",
        "/report",
        "/report/feature/1/approvals/json",
        "/nothing",
        "/report/feature/1/denials/grouped/json/x",
    ] {
        refusal(&site.get(path, &[]), 404, 1201, &[], path);
    }
}

#[test]
fn without_a_token_nothing_is_told_but_how_the_interface_is() {
    let site = Site::start();
    let store = site.folder.path().join("store");
    let token = make_token(store.to_str().unwrap(), "default", &[]);
    for (path, query) in every_report() {
        for path in [
            format!("{path}/json?{query}"),
            format!("{path}/csv"),
            path.clone(),
            "/reports".to_owned(),
        ] {
            refusal(&site.server.get(&path), 401, 1101, &["X-Auth-token"], &path);
            let wrong = site.server.send("GET", &path, &[("X-Auth-token", "guess")], b"");
            refusal(&wrong, 401, 1102, &[], &path);
        }
        for header in [
            ("X-Auth-token", token.clone()),
            ("Authorization", format!("Bearer {token}")),
            ("AUTHORIZATION", format!("bearer {token}")),
        ] {
            let answer = site
                .server
                .send("GET", &format!("{path}/json?{query}"), &[(header.0, &header.1)], b"");
            assert_eq!(answer.status, 200, "{path} {header:?}");
        }
    }
    // Never in the URL, nor in the form.
    let in_url = url(DENIALS_JSON, &[DAYS, &[("X-Auth-token", &*token)]].concat());
    refusal(&site.server.get(&in_url), 401, 1101, &[], "a token in the URL");
    assert_eq!(site.server.get("/openapi.json").status, 200);
    assert_eq!(
        site.server.get("/openapi.json").json()["openapi"]
            .as_str()
            .unwrap()
            .split('.')
            .next(),
        Some("3")
    );
}

#[test]
fn the_catalog_of_reports_is_an_envelope() {
    let site = Site::start();
    let rows = site.rows("/reports", &[]);
    let definitions = headroom::report::Catalog::definitions().unwrap();
    let names: Vec<_> = rows.iter().map(|row| row.get("name").as_str().unwrap()).collect();
    assert_eq!(names, definitions.iter().map(|report| report.name.as_str()).collect::<Vec<_>>());
    for (row, report) in rows.iter().zip(&definitions) {
        for key in ["title", "summary", "path", "aliases", "parameters", "columns", "formats", "chart"] {
            row.get(key);
        }
        assert_eq!(
            (row.get("title"), row.get("summary")),
            (&report.title.as_str().into(), &report.summary.as_str().into())
        );
        let formats: Vec<_> = row
            .get("formats")
            .as_array()
            .unwrap()
            .iter()
            .map(|format| format.as_str().unwrap())
            .collect();
        assert!(MEDIA_TYPES.iter().all(|(format, _)| formats.contains(format)), "{formats:?}");
        let handles: Vec<_> = row
            .get("columns")
            .as_array()
            .unwrap()
            .iter()
            .map(|column| column["name"].as_str().unwrap())
            .collect();
        assert!(
            report.columns.iter().all(|column| handles.contains(&column.name.as_str())),
            "{handles:?}"
        );
    }
}

#[test]
fn a_document_that_nobody_could_read_is_not_made() {
    let site = Site::start();
    // 131,496 hours: more than 100,000 rows make no PDF.
    let given = [("sd", "2000-01-01"), ("ed", "2014-12-31"), ("grat", "HOUR")];
    let path = "/report/feature/1/denials/grouped/pdf";
    site.refuse(path, &given, 1008, &["100"]);
    site.succeed(path, &[&given[..], &[("limit", "50")]].concat());
    // A chart has at most 50,000 of them, and says so.
    let told = site
        .succeed(&in_format(path, "svg"), &given)
        .text()
        .replace([',', '.', ' ', '\u{a0}', '\u{202f}', '\''], "");
    assert!(told.contains("50000"));
}

#[test]
fn every_code_is_of_one_status() {
    let statuses: Vec<u16> = CODES.iter().map(|(_, status, _)| status.as_u16()).collect();
    for (code, status) in [(1008, 400), (1104, 403), (1304, 406)] {
        let found = CODES
            .iter()
            .position(|(known, ..)| *known == code)
            .unwrap_or_else(|| panic!("{code} is not published"));
        assert_eq!(statuses[found], status, "{code}");
    }
    let mut codes: Vec<u16> = CODES.iter().map(|(code, ..)| *code).collect();
    codes.dedup();
    assert!(codes.len() == CODES.len() && codes.is_sorted());
}
