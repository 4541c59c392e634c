//! The kinds of events.

/// What a license server recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A license was given back.
    Checkin,
    /// The server went down.
    ServerDown,
    /// The server came up; while it was up already, it restarted.
    ServerUp,
    /// The total of a feature's licenses changed.
    Capacity,
    /// A license was given out.
    Checkout,
    /// An already paired interval, from checkout to checkin.
    Session,
    /// A request was refused.
    Denial,
    /// A request was refused because the server does not serve the feature.
    Unsupported,
    /// A request waits for a license.
    Queued,
    /// A waiting request left the queue.
    Dequeued,
    /// Licenses were set aside.
    Reserved,
}

impl Kind {
    /// Every kind, in the order in which events of one instant take effect: what ends comes before what begins.
    pub const ALL: [Self; 11] = [
        Self::Checkin,
        Self::ServerDown,
        Self::ServerUp,
        Self::Capacity,
        Self::Checkout,
        Self::Session,
        Self::Denial,
        Self::Unsupported,
        Self::Queued,
        Self::Dequeued,
        Self::Reserved,
    ];

    /// The name in files, SQL and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Checkin => "checkin",
            Self::ServerDown => "server_down",
            Self::ServerUp => "server_up",
            Self::Capacity => "capacity",
            Self::Checkout => "checkout",
            Self::Session => "session",
            Self::Denial => "denial",
            Self::Unsupported => "unsupported",
            Self::Queued => "queued",
            Self::Dequeued => "dequeued",
            Self::Reserved => "reserved",
        }
    }

    /// The kind of a name. Events say it by the million, which a list would be searched for.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "checkin" => Self::Checkin,
            "server_down" => Self::ServerDown,
            "server_up" => Self::ServerUp,
            "capacity" => Self::Capacity,
            "checkout" => Self::Checkout,
            "session" => Self::Session,
            "denial" => Self::Denial,
            "unsupported" => Self::Unsupported,
            "queued" => Self::Queued,
            "dequeued" => Self::Dequeued,
            "reserved" => Self::Reserved,
            _ => return None,
        })
    }

    /// Whether it is about the server as a whole and names no feature.
    #[must_use]
    pub const fn of_server(self) -> bool {
        matches!(self, Self::ServerUp | Self::ServerDown)
    }

    /// Whether it is about a user.
    #[must_use]
    pub const fn of_user(self) -> bool {
        !matches!(self, Self::ServerUp | Self::ServerDown | Self::Capacity | Self::Reserved)
    }

    /// Whether it is a refused request.
    #[must_use]
    pub const fn of_denial(self) -> bool {
        matches!(self, Self::Denial | Self::Unsupported)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_its_own() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
    }

    #[test]
    fn the_list_is_the_order_of_one_instant() {
        assert!(Kind::ALL.is_sorted());
    }
}
