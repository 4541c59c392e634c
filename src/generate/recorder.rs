//! What the license servers write down: from places in the [`Site`] to events with names.
//!
//! Names are borrowed from the site and handles are spelled in one buffer, so that an event costs no allocation.

use super::Totals;
use super::names::TRADES;
use super::site::{Request, Site};
use crate::event::{Event, Kind};
use crate::time::Micros;

/// Names, counts and hands on events.
pub(super) struct Recorder<'a, E> {
    site: &'a Site,
    emit: &'a mut dyn FnMut(&Event<'_>) -> Result<(), E>,
    totals: Totals,
    lines: u64,
    spelled: String,
}

/// FlexNet's number and words for too few licenses.
const ALL_TAKEN: (i32, &str) = (-4, "Licensed number of users already reached.");
/// And for a feature that is not there.
const UNKNOWN: (i32, &str) = (-5, "No such feature exists.");

impl<'a, E> Recorder<'a, E> {
    pub(super) fn new(site: &'a Site, emit: &'a mut dyn FnMut(&Event<'_>) -> Result<(), E>) -> Self {
        Self {
            site,
            emit,
            totals: Totals::default(),
            lines: 0,
            spelled: String::new(),
        }
    }

    /// How much was recorded.
    pub(super) const fn totals(&self) -> Totals {
        self.totals
    }

    /// A server came up or went down.
    pub(super) fn server(&mut self, kind: Kind, at: Micros, server: usize) -> Result<(), E> {
        self.record(&mut Event {
            server: TRADES[server].server,
            ..Event::new(kind, at)
        })
    }

    /// A feature has so many licenses from now on.
    pub(super) fn capacity(&mut self, at: Micros, feature: usize, licenses: u32) -> Result<(), E> {
        let feature = &self.site.features[feature];
        self.record(&mut Event {
            server: TRADES[feature.server].server,
            feature: &feature.name,
            version: feature.version,
            vendor: feature.vendor,
            licenses,
            expires: Some(feature.expires),
            ..Event::new(Kind::Capacity, at)
        })
    }

    /// Licenses were given out or back.
    pub(super) fn holding(&mut self, kind: Kind, at: Micros, request: &Request, handle: u32) -> Result<(), E> {
        let mut spelled = std::mem::take(&mut self.spelled);
        let mut event = self.of(kind, at, request);
        if TRADES[self.site.features[request.feature].server].handles {
            spell(handle, &mut spelled);
            event.handle = &spelled;
        }
        let recorded = self.record(&mut event);
        self.spelled = spelled;
        recorded
    }

    /// A request found too few licenses.
    pub(super) fn refusal(&mut self, at: Micros, request: &Request) -> Result<(), E> {
        let (code, reason) = ALL_TAKEN;
        self.record(&mut Event {
            reason_code: Some(code),
            reason,
            ..self.of(Kind::Denial, at, request)
        })
    }

    /// Somebody asked the server of a feature for another one, which it does not have.
    pub(super) fn unlicensed(&mut self, at: Micros, request: &Request) -> Result<(), E> {
        let (code, reason) = UNKNOWN;
        self.record(&mut Event {
            feature: TRADES[self.site.features[request.feature].server].unlicensed,
            version: "",
            licenses: 1,
            reason_code: Some(code),
            reason,
            ..self.of(Kind::Denial, at, request)
        })
    }

    fn of(&self, kind: Kind, at: Micros, request: &Request) -> Event<'a> {
        let site = self.site;
        let feature = &site.features[request.feature];
        let trade = &TRADES[feature.server];
        let project = match trade.projects.len() {
            0 => "",
            projects => trade.projects[request.user as usize % projects],
        };
        Event {
            server: trade.server,
            feature: &feature.name,
            version: feature.version,
            vendor: feature.vendor,
            user: &site.users[request.user as usize],
            host: &site.hosts[request.host as usize],
            display: trade.display,
            licenses: request.licenses,
            project,
            ..Event::new(kind, at)
        }
    }

    fn record(&mut self, event: &mut Event<'_>) -> Result<(), E> {
        self.lines += 1;
        self.totals.count(event.kind);
        event.line = self.lines;
        (self.emit)(event)
    }
}

/// Replaces `into` by a handle's hexadecimal digits.
fn spell(handle: u32, into: &mut String) {
    into.clear();
    let digits = 8 - (handle | 1).leading_zeros() / 4;
    into.extend((0..digits).rev().map(|digit| {
        let value = handle >> (4 * digit) & 0xf;
        char::from(b"0123456789abcdef"[value as usize])
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_spelled_like_format_does() {
        let mut spelled = String::new();
        for handle in [0, 1, 0xf, 0x10, 0xabc, 0x89ab_cdef, u32::MAX] {
            spell(handle, &mut spelled);
            assert_eq!(spelled, format!("{handle:x}"));
        }
    }
}
