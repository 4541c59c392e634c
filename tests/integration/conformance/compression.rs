//! `Accept-Encoding`: texts are compressed, what is compressed already is not.

use std::io::Read as _;

use super::{GROUPED, MEDIA_TYPES, Site, in_format};

/// Enough rows that compressing them is worth it.
const HOURS: super::Given<'static> = &[("sd", "2015-03-01"), ("ed", "2015-03-14"), ("grat", "HOUR")];

fn unpacked(encoding: &str, bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match encoding {
        "gzip" => drop(flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut plain).unwrap()),
        "zstd" => drop(zstd::Decoder::new(bytes).unwrap().read_to_end(&mut plain).unwrap()),
        other => panic!("encoded by {other}"),
    }
    plain
}

#[test]
fn texts_are_compressed_for_those_who_take_it() {
    let site = Site::start();
    for format in ["json", "ndjson", "csv", "svg", "html"] {
        let path = in_format(GROUPED, format);
        let plain = site.succeed(&path, HOURS);
        assert_eq!(plain.header("content-encoding"), None, "{format}");
        for (accepted, encoding) in [
            ("gzip", "gzip"),
            ("zstd", "zstd"),
            ("GZIP", "gzip"),
            ("br, gzip;q=0.8", "gzip"),
            ("gzip;q=0, zstd", "zstd"),
            ("zstd;q=0.1, gzip;q=0.9", "gzip"),
            ("identity;q=0.1, zstd", "zstd"),
        ] {
            let answer = site.get_with(&path, HOURS, &[("Accept-Encoding", accepted)]);
            assert!(answer.status == 200 && answer.whole, "{format} {accepted}");
            assert_eq!(answer.header("content-encoding"), Some(encoding), "{format} {accepted}");
            assert_eq!(answer.header("content-type"), plain.header("content-type"), "{format} {accepted}");
            assert!(answer.body.len() < plain.body.len(), "{format} {accepted}");
            if format != "html" {
                assert_eq!(unpacked(encoding, &answer.body), plain.body, "{format} {accepted}");
            }
        }
        for accepted in ["identity", "br", "gzip;q=0", "deflate;q=0.5"] {
            let answer = site.get_with(&path, HOURS, &[("Accept-Encoding", accepted)]);
            assert_eq!(
                (answer.status, answer.header("content-encoding")),
                (200, None),
                "{format} {accepted}"
            );
        }
    }
}

#[test]
fn files_stay_as_they_are() {
    let site = Site::start();
    for (format, _) in MEDIA_TYPES
        .iter()
        .filter(|(format, _)| ["xlsx", "pdf", "arrow", "parquet"].contains(format))
    {
        let path = in_format(GROUPED, format);
        let answer = site.get_with(&path, HOURS, &[("Accept-Encoding", "gzip, zstd")]);
        assert_eq!((answer.status, answer.header("content-encoding")), (200, None), "{format}");
    }
}

#[test]
fn who_caches_knows_on_what_an_answer_depends() {
    let site = Site::start();
    for (format, _) in MEDIA_TYPES {
        for accepted in ["identity", "gzip"] {
            let answer = site.get_with(&in_format(GROUPED, format), HOURS, &[("Accept-Encoding", accepted)]);
            let told: Vec<String> = answer
                .headers
                .iter()
                .filter(|(name, _)| name == "vary")
                .map(|(_, value)| value.to_lowercase())
                .collect();
            let told = told.join(",");
            let mut told: Vec<&str> = told.split(',').map(str::trim).collect();
            told.sort_unstable();
            told.dedup();
            assert_eq!(told, ["accept", "accept-encoding", "authorization", "x-auth-token"], "{format}");
            assert_eq!(answer.header("cache-control"), Some("private, no-cache"), "{format}");
        }
    }
}
