//! Why a request was refused.

use super::Kind;

/// The class of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReasonClass {
    /// All licenses are in use.
    Capacity,
    /// Others wait already.
    Queued,
    /// The server has no such feature or version.
    NotEntitled,
    /// The options file shuts the user out.
    Excluded,
    /// Anything else, and a refusal without a reason.
    Other,
}

impl ReasonClass {
    /// Every class.
    pub const ALL: [Self; 5] = [Self::Capacity, Self::Queued, Self::NotEntitled, Self::Excluded, Self::Other];

    /// The name in files, SQL and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capacity => "capacity",
            Self::Queued => "queued",
            Self::NotEntitled => "not_entitled",
            Self::Excluded => "excluded",
            Self::Other => "other",
        }
    }

    /// The class of a refusal: by kind, then by FlexNet's number, then by its words, which other license managers use
    /// too.
    #[must_use]
    pub fn of(kind: Kind, code: Option<i32>, reason: &str) -> Self {
        if kind == Kind::Unsupported {
            return Self::NotEntitled;
        }
        match code {
            Some(-4) => return Self::Capacity,
            Some(-24) => return Self::Queued,
            // No such feature; the server does not support this version (asked of the server, asked of the license).
            Some(-5 | -18 | -21 | -25) => return Self::NotEntitled,
            // On an EXCLUDE list; on no INCLUDE list; over a MAX of the options file; reserved for others.
            Some(-38 | -39 | -87 | -101) => return Self::Excluded,
            _ => {}
        }
        if let Some(class) = Self::ALL.into_iter().find(|class| reason.eq_ignore_ascii_case(class.name())) {
            return class;
        }
        let reason = reason.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| reason.contains(word));
        if says(&["queue"]) {
            Self::Queued
        } else if says(&["already reached", "in use", "all licenses"]) {
            Self::Capacity
        } else if says(&["exclude", "include list", "options file"]) {
            Self::Excluded
        } else if says(&["not support", "unsupported", "no such feature", "version"]) {
            Self::NotEntitled
        } else {
            Self::Other
        }
    }

    /// Whether a refusal of this class can mean that there were too few licenses.
    #[must_use]
    pub const fn of_shortage(self) -> bool {
        matches!(self, Self::Capacity | Self::Queued)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_decide_before_words() {
        let class = |code, reason| ReasonClass::of(Kind::Denial, code, reason);
        assert_eq!(class(Some(-4), "Users are queued"), ReasonClass::Capacity);
        assert_eq!(class(Some(-24), ""), ReasonClass::Queued);
        assert_eq!(class(Some(-5), ""), ReasonClass::NotEntitled);
        assert_eq!(class(Some(-25), ""), ReasonClass::NotEntitled);
        assert_eq!(class(Some(-38), ""), ReasonClass::Excluded);
        assert_eq!(class(Some(-18), ""), ReasonClass::NotEntitled);
        assert_eq!(class(Some(-101), ""), ReasonClass::Excluded);
        assert_eq!(class(Some(-97), "anything"), ReasonClass::Other);
    }

    #[test]
    fn words_decide_where_there_is_no_number() {
        let class = |reason| ReasonClass::of(Kind::Denial, None, reason);
        assert_eq!(class("Licensed number of users already reached."), ReasonClass::Capacity);
        assert_eq!(class("capacity"), ReasonClass::Capacity);
        assert_eq!(class("Users are queued for this feature."), ReasonClass::Queued);
        assert_eq!(class("User/host on EXCLUDE list for feature."), ReasonClass::Excluded);
        assert_eq!(class("No such feature exists."), ReasonClass::NotEntitled);
        assert_eq!(class(""), ReasonClass::Other);
    }

    #[test]
    fn an_unsupported_request_is_not_entitled_whatever_it_says() {
        assert_eq!(ReasonClass::of(Kind::Unsupported, Some(-4), ""), ReasonClass::NotEntitled);
    }
}
