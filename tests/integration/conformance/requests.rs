//! How a report is asked for: paths, methods, parameters, formats by name, the report's own name, the zone.

use super::{DAYS, DENIALS, DENIALS_JSON, GROUPED, HOURS, MEDIA_TYPES, Site, UTILIZATION, encoded, every_report, in_format, refusal};
use crate::readers;

#[test]
fn formats_are_known_in_any_case() {
    let site = Site::start();
    for (format, media_type) in MEDIA_TYPES {
        let upper = format.to_uppercase();
        let title = format!("{}{}", &upper[..1], &format[1..]);
        for format in [format, &upper, &title] {
            let answer = site.succeed(&in_format(DENIALS_JSON, format), DAYS);
            let told = answer.header("content-type").unwrap();
            assert!(told.starts_with(media_type), "{format}: {told}");
            assert!(!answer.body.is_empty());
        }
    }
    for format in ["xls", "XLS", "Xls"] {
        let answer = site.succeed(&in_format(DENIALS_JSON, format), DAYS);
        assert_eq!(answer.header("content-type"), Some(MEDIA_TYPES[4].1), "{format} is xlsx");
    }
}

#[test]
fn a_format_that_nobody_knows_is_refused_with_those_that_there_are() {
    let site = Site::start();
    for (path, query) in every_report() {
        for format in ["xml", "jsn", "csv2", "json%20", "%00", "../json"] {
            let format = format.replace('/', "%2F");
            let answer = site.server.get(&format!("{path}/{format}?{query}"));
            let known = MEDIA_TYPES.map(|(format, _)| format);
            refusal(&answer, 400, 1005, &known, &format!("{path}/{format}"));
        }
    }
}

#[test]
fn get_and_post_mean_the_same_everywhere() {
    let site = Site::start();
    for (path, query) in every_report() {
        for format in ["json", "csv"] {
            let path = format!("{path}/{format}");
            let more = if query.is_empty() {
                "limit=3".to_owned()
            } else {
                format!("{query}&limit=3")
            };
            let get = site.server.get(&format!("{path}?{more}"));
            assert_eq!(get.status, 200, "{path}: {}", get.text());
            for kind in [
                "application/x-www-form-urlencoded",
                "application/x-www-form-urlencoded; charset=UTF-8",
                "APPLICATION/X-WWW-FORM-URLENCODED",
            ] {
                let post = site.server.send("POST", &path, &[("Content-Type", kind)], more.as_bytes());
                assert_eq!((post.status, post.text()), (200, get.text()), "{path} {kind}");
            }
            // Some here, some there; and all in the URL.
            let split = site.server.send("POST", &format!("{path}?{query}"), &super::FORM, b"limit=3");
            assert_eq!((split.status, split.text()), (200, get.text()), "{path}");
            let bare = site.server.send("POST", &format!("{path}?{more}"), &[], b"");
            assert_eq!((bare.status, bare.text()), (200, get.text()), "{path}");
        }
    }
}

#[test]
fn what_is_said_twice_is_refused() {
    let site = Site::start();
    for (name, text) in [
        ("sd", "2015-03-01"),
        ("limit", "3"),
        ("filter", "[]"),
        ("order", "[]"),
        ("columns", "un"),
        ("rn", "x"),
        ("tz", "UTC"),
    ] {
        let once = encoded(&[(name, text)]);
        let rest: Vec<_> = DAYS.iter().copied().filter(|(known, _)| *known != name).collect();
        let rest = encoded(&rest);
        let both = site
            .server
            .send("POST", &format!("{DENIALS_JSON}?{rest}&{once}"), &super::FORM, once.as_bytes());
        refusal(&both, 400, 1003, &[name], name);
        let query = site.server.get(&format!("{DENIALS_JSON}?{rest}&{once}&{once}"));
        refusal(&query, 400, 1003, &[name], name);
        let form = site
            .server
            .send("POST", DENIALS_JSON, &super::FORM, format!("{rest}&{once}&{once}").as_bytes());
        refusal(&form, 400, 1003, &[name], name);
    }
}

#[test]
fn a_parameter_that_nobody_knows_is_refused_everywhere() {
    let site = Site::start();
    for (path, query) in every_report() {
        for name in ["limt", "Limit", "SD", "filter[]", "", "orderby", "fieldsvisibility", "X-Auth-token"] {
            let wrong = format!("{query}&{}", encoded(&[(name, "1")]));
            for format in ["json", "csv", "pdf"] {
                let answer = site.server.get(&format!("{path}/{format}?{wrong}"));
                refusal(&answer, 400, 1004, &[name, "limit", "filter"], &format!("{path}/{format}?{wrong}"));
            }
        }
    }
}

#[test]
fn a_report_is_called_what_the_caller_says_where_a_format_shows_it() {
    let site = Site::start();
    let name = "Who <was> \"refused\" & when — 2015";
    let escaped = "Who &lt;was&gt;";
    let given = [DAYS, &[("rn", name)]].concat();
    for format in ["json", "csv", "ndjson", "arrow", "parquet"] {
        let path = in_format(DENIALS_JSON, format);
        assert_eq!(
            site.succeed(&path, &given).body,
            site.succeed(&path, DAYS).body,
            "{format} shows no name"
        );
    }
    for format in ["html", "svg"] {
        let path = in_format(DENIALS_JSON, format);
        let text = site.succeed(&path, &given).text();
        assert!(text.contains(escaped) && !text.contains("Who <was>"), "{format}");
        assert!(
            site.succeed(&path, DAYS).text().contains("Denials"),
            "{format} has a name of its own"
        );
    }
    let workbook = |given: super::Given<'_>| {
        let files = readers::unzip(&site.succeed(&in_format(DENIALS_JSON, "xlsx"), given).body);
        files
            .into_iter()
            .map(|(_, content)| String::from_utf8_lossy(&content).into_owned())
            .collect::<String>()
    };
    assert!(workbook(&given).contains(escaped));
    assert!(workbook(DAYS).contains("Denials"));
    for (format, _) in MEDIA_TYPES {
        site.refuse(&in_format(DENIALS_JSON, format), &[DAYS, &[("rn", "")]].concat(), 1002, &["rn"]);
    }
}

#[test]
fn the_zone_is_that_of_days_and_of_printed_times() {
    let site = Site::start();
    let first = |more: super::Given<'_>| site.column(DENIALS_JSON, &[DAYS, more].concat(), "ldt")[0].clone();
    assert_eq!(first(&[]), "2015-03-02 08:15:00");
    assert_eq!(first(&[("tz", "UTC")]), "2015-03-02 08:15:00");
    assert_eq!(first(&[("tz", "America/New_York")]), "2015-03-02 03:15:00");
    assert_eq!(first(&[("tz", "Asia/Kathmandu")]), "2015-03-02 14:00:00");
    // A day that is over in Auckland has hardly begun in Honolulu.
    let on = |day: &str, zone: &str| super::letters(&site.rows(DENIALS_JSON, &[("sd", day), ("ed", day), ("tz", zone)]));
    assert_eq!(on("2015-03-02", "UTC"), "abc");
    assert_eq!(on("2015-03-02", "Pacific/Auckland"), "ab");
    assert_eq!(on("2015-03-01", "Pacific/Honolulu"), "ab");
    for zone in ["", "Berlin", "+01:00", "Mars/Base", "UTC "] {
        site.refuse(DENIALS_JSON, &[DAYS, &[("tz", zone)]].concat(), 1002, &["tz", "IANA"]);
    }
}

#[test]
fn every_report_takes_every_standard_option() {
    let site = Site::start();
    let definitions = headroom::report::Catalog::definitions().unwrap();
    for (report, (path, query)) in definitions.iter().zip(every_report()) {
        let handle = report.columns[0].name.as_str();
        let (visible, titles) = (format!(r#"{{"{handle}":"1"}}"#), format!(r#"{{"{handle}":"First"}}"#));
        let order = format!(r#"[{{"property":"{handle}","direction":"DESC"}}]"#);
        let common = [
            ("rn", "Name"),
            ("columnNames", &*titles),
            ("filter", "[]"),
            ("limit", "2"),
            ("offset", "1"),
            ("tz", "Asia/Kolkata"),
        ];
        let old = [("fieldsVisibility", &*visible), ("orderBy", handle), ("orderDirection", "DESC")];
        let new = [("fieldVisibility", &*visible), ("order", &order)];
        let ask = |format: &str, given: &[(&str, &str)]| {
            let path = format!("{path}/{format}?{query}&{}", encoded(&[&common[..], given].concat()));
            let answer = site.server.get(&path);
            assert!(answer.status == 200 && answer.whole, "{path}: {}", answer.text());
        };
        for (format, _) in MEDIA_TYPES {
            ask(format, &old);
        }
        for format in ["json", "csv"] {
            ask(format, &new);
            ask(format, &[("columns", handle), ("orderBy", handle)]);
        }
    }
}

#[test]
fn own_parameters_are_asked_for_and_told_what_is_wrong_with_them() {
    let site = Site::start();
    let grouped = [("sd", "2015-03-01"), ("ed", "2015-03-06"), ("grat", "DAY")];
    for (path, given) in [(DENIALS_JSON, DAYS), (GROUPED, &grouped[..]), (UTILIZATION, HOURS)] {
        for missing in given {
            let rest: Vec<_> = given.iter().copied().filter(|pair| pair != missing).collect();
            site.refuse(path, &rest, 1001, &[missing.0]);
            let empty: Vec<_> = given
                .iter()
                .map(|(name, text)| (*name, if *name == missing.0 { "" } else { text }))
                .collect();
            site.refuse(path, &empty, 1002, &[missing.0]);
        }
    }
    for (name, text, words) in [
        ("sd", "2015-3-1", &["YYYY-MM-DD"][..]),
        ("sd", "2015-02-29", &["YYYY-MM-DD"]),
        ("ed", "01.03.2015", &["YYYY-MM-DD"]),
        ("ed", "2015-03-01T00:00:00", &["YYYY-MM-DD"]),
        ("st", "9:00", &["HH:MM"]),
        ("st", "24:00", &["HH:MM"]),
        ("et", "24:01", &["HH:MM"]),
        ("et", "17", &["HH:MM"]),
    ] {
        let given: Vec<_> = HOURS
            .iter()
            .map(|(known, right)| (*known, if *known == name { text } else { right }))
            .collect();
        site.refuse(UTILIZATION, &given, 1002, &[&[name], words].concat());
    }
    for incd in ["true", "false", "1", "0", "TRUE"] {
        site.succeed(UTILIZATION, &[HOURS, &[("incd", incd)]].concat());
    }
    site.refuse(UTILIZATION, &[HOURS, &[("incd", "yes")]].concat(), 1002, &["incd", "true"]);
    site.refuse(
        DENIALS_JSON,
        &[("sd", "2015-03-06"), ("ed", "2015-03-01")],
        1003,
        &["sd", "ed", "2015-03-06", "2015-03-01"],
    );
}

#[test]
fn a_path_may_end_with_or_without_a_format_but_not_otherwise() {
    let site = Site::start();
    assert_eq!(site.get(DENIALS, DAYS).status, 200);
    for path in [
        "/report/feature/1/denials/json/",
        "/report/feature/1/denials/json/x",
        "/report/feature/1/denial",
        "/reports/x",
        "//feature/json",
    ] {
        refusal(&site.get(path, DAYS), 404, 1201, &[], path);
    }
}
