//! Relative addresses: the same report, asked a little differently.

use crate::output::Links;

type Pair = (String, String);

/// The request with these parameters instead of its own.
pub(super) fn with(query: &[Pair], changed: &[(&str, String)]) -> String {
    let kept = query.iter().filter(|(name, _)| !changed.iter().any(|(other, _)| other == name));
    let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
    let changed = changed.iter().map(|(name, value)| (*name, value.as_str()));
    format!("?{}", encoded(kept.chain(changed)))
}

/// The request in another format.
pub(super) fn format(links: &Links, format: &str) -> String {
    let query = encoded(links.query.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}{format}{mark}{query}", links.formats)
}

/// The request ordered by a column, from its beginning.
pub(super) fn ordered(query: &[Pair], handle: &str, ascending: bool) -> String {
    let kept: Vec<Pair> = query
        .iter()
        .filter(|(name, _)| name != "order" && name != "offset")
        .cloned()
        .collect();
    let direction = if ascending { "ASC" } else { "DESC" };
    with(&kept, &[("orderBy", handle.to_owned()), ("orderDirection", direction.to_owned())])
}

/// The column that the request orders by, and whether from the smallest.
pub(super) fn order(query: &[Pair]) -> Option<(&str, bool)> {
    let value = |wanted: &str| query.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let ascending = value("orderDirection").is_none_or(|direction| direction.eq_ignore_ascii_case("ASC"));
    value("orderBy").map(|handle| (handle, ascending))
}

fn encoded<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<(&str, &str)> = pairs.collect();
    // Texts can always be encoded.
    serde_urlencoded::to_string(pairs).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query() -> Vec<Pair> {
        [("sd", "2026-03-02"), ("orderBy", "un"), ("offset", "100")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn what_is_asked_differently_replaces_what_was_asked() {
        assert_eq!(
            with(&query(), &[("offset", "200".to_owned())]),
            "?sd=2026-03-02&orderBy=un&offset=200"
        );
        assert_eq!(ordered(&query(), "ldt", false), "?sd=2026-03-02&orderBy=ldt&orderDirection=DESC");
        assert_eq!(order(&query()), Some(("un", true)));
        assert_eq!(with(&[], &[("rn", "a&b=<c>".to_owned())]), "?rn=a%26b%3D%3Cc%3E");
    }

    #[test]
    fn other_formats_are_neighbours() {
        let links = Links {
            formats: "denials/".to_owned(),
            query: query(),
            fields: Vec::new(),
        };
        assert_eq!(format(&links, "csv"), "denials/csv?sd=2026-03-02&orderBy=un&offset=100");
        assert_eq!(format(&Links::default(), "csv"), "csv");
    }
}
