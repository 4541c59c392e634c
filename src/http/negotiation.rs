//! What a caller wants to have: a format by `Accept`, and nothing again that it has already.

use axum::http::{HeaderMap, HeaderValue, header};
use mediatype::MediaTypeList;

use crate::output::{FORMATS, Format};

/// The format that `Accept` likes best; the first one where it says nothing, nothing where none will do.
pub(super) fn format(headers: &HeaderMap) -> Option<&'static dyn Format> {
    let ranges = ranges(headers);
    if ranges.is_empty() {
        return FORMATS.first().copied();
    }
    let rated = FORMATS.iter().filter_map(|format| {
        let (kind, subtype) = essence(format.media_type()).split_once('/')?;
        // The most precise range that a format falls into decides how much it is liked.
        let best = ranges
            .iter()
            .filter(|range| range.holds(kind, subtype))
            .max_by_key(|range| range.precision())?;
        (best.liking > 0).then_some((best.liking, best.precision(), *format))
    });
    // Of formats that are liked alike, the one that was named more precisely, then the first of ours.
    let best = rated.fold(None, |best: Option<(u16, u8, _)>, next| match best {
        Some(best) if (next.0, next.1) <= (best.0, best.1) => Some(best),
        _ => Some(next),
    });
    best.map(|(.., format)| format)
}

/// Whether the caller has the answer of this tag already.
pub(super) fn has_already(headers: &HeaderMap, tag: &str) -> bool {
    let given = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut tags = given.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag.strip_prefix("W/").unwrap_or(tag))
}

/// A media type without its parameters.
pub(super) fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// A range of media types, and how much it is liked, in thousandths.
struct Range {
    kind: String,
    subtype: String,
    liking: u16,
}

impl Range {
    fn holds(&self, kind: &str, subtype: &str) -> bool {
        (self.kind == "*" || self.kind.eq_ignore_ascii_case(kind)) && (self.subtype == "*" || self.subtype.eq_ignore_ascii_case(subtype))
    }

    fn precision(&self) -> u8 {
        u8::from(self.kind != "*") + u8::from(self.subtype != "*")
    }
}

fn ranges(headers: &HeaderMap) -> Vec<Range> {
    let given = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value: &HeaderValue| value.to_str().ok());
    // What cannot be read says nothing.
    let types = given.flat_map(MediaTypeList::new).filter_map(Result::ok);
    let range = |media: mediatype::MediaType<'_>| Range {
        kind: media.ty.as_str().to_owned(),
        // A suffix like that of svg+xml is a part of the name.
        subtype: media
            .suffix
            .map_or_else(|| media.subty.as_str().to_owned(), |suffix| format!("{}+{suffix}", media.subty)),
        liking: media
            .params
            .iter()
            .find(|(name, _)| name.as_str().eq_ignore_ascii_case("q"))
            .map_or(1000, |(_, value)| liking(value.as_str())),
    };
    types.map(range).collect()
}

/// `0` to `1` with up to three decimals, in thousandths.
fn liking(text: &str) -> u16 {
    text.parse::<f32>()
        .map_or(1000, |quality| (quality.clamp(0.0, 1.0) * 1000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accept: &str) -> &'static str {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        format(&headers).map_or("none", Format::name)
    }

    #[test]
    fn the_best_liked_format_wins() {
        assert_eq!(format(&HeaderMap::new()).map(Format::name), Some("json"));
        assert_eq!(chosen("*/*"), "json");
        assert_eq!(chosen("text/csv"), "csv");
        assert_eq!(chosen("TEXT/CSV;q=0.5, application/pdf;q=0.7"), "pdf");
        assert_eq!(chosen("text/csv;q=0.5, */*;q=0.5"), "csv");
        assert_eq!(chosen("image/*"), "svg");
        assert_eq!(chosen("image/svg+xml"), "svg");
        assert_eq!(chosen("text/*"), "csv");
        assert_eq!(chosen("application/json;q=0, */*"), "csv");
        assert_eq!(
            chosen("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"),
            "html"
        );
    }

    #[test]
    fn what_is_not_there_is_not_had() {
        assert_eq!(chosen("image/png"), "none");
        assert_eq!(chosen("application/json;q=0"), "none");
        assert_eq!(chosen("*/*;q=0"), "none");
    }

    #[test]
    fn tags_are_compared_without_their_weakness() {
        let has = |given: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, given.parse().unwrap());
            has_already(&headers, "W/\"a\"")
        };
        assert!(has("W/\"a\"") && has("\"a\"") && has("\"b\", W/\"a\"") && has("*"));
        assert!(!has("\"b\"") && !has_already(&HeaderMap::new(), "W/\"a\""));
    }
}
