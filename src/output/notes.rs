//! What people have to know about the figures of a document: the doubts, in words.

use serde_json::Value;

use super::Document;

/// A sentence for each doubt.
pub(super) fn of(document: &Document) -> Vec<String> {
    let Some(quality) = document
        .quality
        .as_deref()
        .and_then(|json| serde_json::from_str::<Value>(json).ok())
    else {
        return Vec::new();
    };
    let mut notes = Vec::new();
    for (key, told) in [
        ("orphanCheckins", "checkins without a checkout, which count for nothing"),
        ("openSessions", "sessions without an end, counted up to the last instant known"),
        (
            "ambiguousMatches",
            "checkins that several checkouts explain, matched with the first",
        ),
        ("truncatedByRestart", "sessions that ended because their license server did"),
        ("undatedLines", "lines of logs whose day is unknown, left out"),
        ("unparsedLines", "lines of logs that could not be read, left out"),
    ] {
        match quality[key].as_u64() {
            None | Some(0) => {}
            Some(count) => notes.push(format!("Quality: {count} {told}.")),
        }
    }
    for server in quality["covered"].as_array().into_iter().flatten() {
        let part = |key: &str| server[key].as_str().unwrap_or("?").to_owned();
        notes.push(format!("Covered: {} from {} to {}.", part("server"), part("from"), part("to")));
    }
    if quality["outside"] == true {
        notes.push("Quality: some of the days asked for lie outside what is covered.".to_owned());
    }
    notes
}
