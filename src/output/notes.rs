//! What people have to know about the figures of a document: the doubts, in words.

use super::Document;
use crate::store::Quality;

/// A sentence for the end of what is known, and for each doubt.
pub(super) fn of(document: &Document) -> Vec<String> {
    let known = document
        .known_until
        .map(|last| format!("Nothing is known of the days after {last}. Charts and pages end there; other formats go on to the present."));
    known.into_iter().chain(document.quality.iter().flat_map(doubts)).collect()
}

fn doubts(quality: &Quality) -> Vec<String> {
    let counts = [
        (quality.orphan_checkins, "checkins without a checkout, which count for nothing"),
        (
            quality.open_sessions,
            "sessions without an end, counted up to the last instant known",
        ),
        (
            quality.ambiguous_matches,
            "checkins that several checkouts explain, matched with the first",
        ),
        (quality.truncated_by_restart, "sessions that ended because their license server did"),
        (quality.undated_lines, "lines of logs whose day is unknown, left out"),
        (quality.unparsed_lines, "lines of logs that could not be read, left out"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counted = counts.map(|(count, told)| format!("Quality: {count} {told}."));
    counted.chain(outside(quality)).chain(covered(quality)).collect()
}

fn outside(quality: &Quality) -> Option<String> {
    let told = "Quality: some of the days that were asked for lie outside of what is covered.";
    quality.outside.then(|| told.to_owned())
}

fn covered(quality: &Quality) -> impl Iterator<Item = String> {
    quality
        .covered
        .iter()
        .map(|covered| format!("Covered: {} from {} to {}.", covered.server, covered.from, covered.to))
}
