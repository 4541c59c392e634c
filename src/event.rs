//! The one schema: what a license server recorded, and what is derived from it.
//!
//! An [`Event`] is the source of truth. Everything else is derived from events and can be rebuilt:
//!
//! ```text
//!   events ──┬──▶ sessions   pieces of holdings, clipped to the day        (SQL)
//!            ├──▶ denials    refused requests, classed, true or not        (SQL)
//!            └──▶ open       what is held at the first instant of a day    (private: where derivation takes up again)
//! ```
//!
//! Each of the four is a [`Table`] of Parquet partitions by day; [`Table::schema`] is the only place that names columns.

mod kind;
mod reason;
mod table;

pub use self::kind::Kind;
pub use self::reason::ReasonClass;
pub use self::table::{Table, TableColumn, instant_type, text_type};

use crate::time::{Day, Micros};

/// One thing that a license server recorded at an instant. Empty texts mean that the source said nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event<'a> {
    /// When it happened.
    pub at: Micros,
    /// What happened.
    pub kind: Kind,
    /// The license server's name.
    pub server: &'a str,
    /// The vendor daemon, where one server runs several that start and stop on their own.
    pub daemon: &'a str,
    /// The feature; empty for `server_up` and `server_down` alone.
    pub feature: &'a str,
    /// The feature's version.
    pub version: &'a str,
    /// The feature's vendor.
    pub vendor: &'a str,
    /// Who.
    pub user: &'a str,
    /// On which host.
    pub host: &'a str,
    /// On which display.
    pub display: &'a str,
    /// What the source says the checkout shares a license by.
    pub group_data: &'a str,
    /// How many licenses; for `capacity` the new total.
    pub licenses: u32,
    /// Ties a checkin to its checkout.
    pub handle: &'a str,
    /// The license manager's number for a refusal.
    pub reason_code: Option<i32>,
    /// The license manager's words for a refusal.
    pub reason: &'a str,
    /// The project the request was booked on.
    pub project: &'a str,
    /// The end of an already paired [`Kind::Session`].
    pub ended: Option<Micros>,
    /// Until when the license is borrowed.
    pub borrow_until: Option<Micros>,
    /// The last day of the feature's license.
    pub expires: Option<Day>,
    /// The line, or row, of the source; counted from one.
    pub line: u64,
}

impl Event<'_> {
    /// An event of a kind at an instant that says nothing else.
    #[must_use]
    pub const fn new(kind: Kind, at: Micros) -> Self {
        Event {
            at,
            kind,
            server: "",
            daemon: "",
            feature: "",
            version: "",
            vendor: "",
            user: "",
            host: "",
            display: "",
            group_data: "",
            licenses: 1,
            handle: "",
            reason_code: None,
            reason: "",
            project: "",
            ended: None,
            borrow_until: None,
            expires: None,
            line: 0,
        }
    }
}
