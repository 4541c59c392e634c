//! The names that records may have values under.

/// A field of a record. Its place in [`Field::ALL`] is its place in a [`Record`](super::Record).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import) enum Field {
    Time,
    Event,
    End,
    Server,
    Feature,
    Version,
    Vendor,
    User,
    Host,
    Display,
    Licenses,
    Handle,
    Reason,
    ReasonCode,
    Project,
    BorrowUntil,
    Expires,
}

impl Field {
    pub(in crate::import) const ALL: [Self; 17] = [
        Self::Time,
        Self::Event,
        Self::End,
        Self::Server,
        Self::Feature,
        Self::Version,
        Self::Vendor,
        Self::User,
        Self::Host,
        Self::Display,
        Self::Licenses,
        Self::Handle,
        Self::Reason,
        Self::ReasonCode,
        Self::Project,
        Self::BorrowUntil,
        Self::Expires,
    ];

    pub(in crate::import) const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Event => "event",
            Self::End => "end",
            Self::Server => "server",
            Self::Feature => "feature",
            Self::Version => "version",
            Self::Vendor => "vendor",
            Self::User => "user",
            Self::Host => "host",
            Self::Display => "display",
            Self::Licenses => "licenses",
            Self::Handle => "handle",
            Self::Reason => "reason",
            Self::ReasonCode => "reason_code",
            Self::Project => "project",
            Self::BorrowUntil => "borrow_until",
            Self::Expires => "expires",
        }
    }

    /// The field of a name. Compilers make a few comparisons of numbers of this, which lines of JSON need by the million.
    pub(in crate::import) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "time" => Self::Time,
            "event" => Self::Event,
            "end" => Self::End,
            "server" => Self::Server,
            "feature" => Self::Feature,
            "version" => Self::Version,
            "vendor" => Self::Vendor,
            "user" => Self::User,
            "host" => Self::Host,
            "display" => Self::Display,
            "licenses" => Self::Licenses,
            "handle" => Self::Handle,
            "reason" => Self::Reason,
            "reason_code" => Self::ReasonCode,
            "project" => Self::Project,
            "borrow_until" => Self::BorrowUntil,
            "expires" => Self::Expires,
            _ => return None,
        })
    }

    /// The field of the name that a text begins with, up to its closing quote; what follows the quote as well.
    pub(in crate::import) fn quoted(text: &str) -> Option<(Self, &str)> {
        const LONGEST: usize = "borrow_until".len();
        let end = text.bytes().take(LONGEST + 1).position(|byte| byte == b'"')?;
        Some((Self::from_name(&text[..end])?, &text[end + 1..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_by_its_name() {
        for field in Field::ALL {
            let name = field.name();
            assert_eq!(Field::from_name(name), Some(field));
            assert_eq!(Field::quoted(&format!("{name}\":1")), Some((field, ":1")));
            assert_eq!(Field::quoted(name), None);
            assert_eq!(Field::quoted(&format!("{name}s\"")), None);
        }
    }
}
