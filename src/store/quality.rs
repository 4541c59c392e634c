//! Quality: what is doubtful about the data behind a response.
//!
//! Derivation counts its doubts by day and license server. Lines that could not be read have no day and no server: the ledger
//! has them by import, with the servers that the import has events of.

use std::collections::BTreeSet;

use serde::Serialize;

use super::StoreError;
use super::catalog::Reading;
use super::ledger::Losses;
use super::rows::Id;
use super::snapshot::{ServerState, Snapshot};
use crate::time::{Day, Micros, Zone};

/// What is doubtful about the data behind a response. The keys of its JSON are a part of the published interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quality {
    /// Checkins that no checkout explains.
    pub orphan_checkins: u64,
    /// Sessions whose end nobody knows: still held at the last instant known, if that is on one of the days.
    pub open_sessions: u64,
    /// Checkins that several checkouts explain.
    pub ambiguous_matches: u64,
    /// Sessions that ended because their server did.
    pub truncated_by_restart: u64,
    /// Lines whose day is unknown, on whichever day they were written.
    pub undated_lines: u64,
    /// Lines that could not be read, likewise.
    pub unparsed_lines: u64,
    /// What is known of each server.
    pub covered: Vec<Covered>,
    /// A day that was asked for is wholly before or after what is known of a server.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub outside: bool,
}

/// From when to when a license server is known, as the clock of the report shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// The server's name, or `name/daemon` where it has a daemon.
    pub server: String,
    /// The first instant known, `YYYY-MM-DD HH:MM:SS`.
    pub from: String,
    /// The last instant known.
    pub to: String,
}

impl Quality {
    /// Whether there is nothing to doubt.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        let doubts = self.orphan_checkins + self.open_sessions + self.ambiguous_matches + self.truncated_by_restart;
        doubts + self.undated_lines + self.unparsed_lines == 0 && !self.outside
    }

    /// As one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Everything doubtful of a store.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// By day; days and servers without a doubt are not among them.
    days: Vec<DayDoubts>,
    losses: Vec<Losses>,
}

#[derive(Debug)]
struct DayDoubts {
    day: Day,
    server: Id,
    orphans: u64,
    open: u64,
    ambiguous: u64,
    truncated: u64,
}

impl Doubts {
    pub(super) fn read(reading: &Reading<'_>) -> Result<Self, StoreError> {
        let sql = "SELECT day, server_id, orphans, open, ambiguous, truncated FROM derived_counts
                   WHERE orphans + open + ambiguous + truncated > 0 ORDER BY day";
        let mut days = reading.0.prepare(sql)?;
        let days = days.query_map([], |row| {
            let number = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
            Ok(DayDoubts {
                day: Day(row.get(0)?),
                server: row.get(1)?,
                orphans: number(2)?,
                open: number(3)?,
                ambiguous: number(4)?,
                truncated: number(5)?,
            })
        })?;
        Ok(Self {
            days: days.collect::<Result<_, _>>()?,
            losses: reading.losses()?,
        })
    }

    /// The doubts of days, the last one included.
    fn of(&self, first: Day, last: Day) -> &[DayDoubts] {
        let from = self.days.partition_point(|doubts| doubts.day < first);
        let until = self.days.partition_point(|doubts| doubts.day <= last);
        self.days.get(from..until).unwrap_or_default()
    }
}

impl Snapshot {
    /// What is doubtful about the data of some license servers on the days of a range, both included, or ever; days are those
    /// of the zone.
    ///
    /// Doubts are kept by the store's days: those count that share an instant with the range.
    #[must_use]
    pub fn quality(&self, servers: &[Id], days: Option<(Day, Day)>, zone: Zone) -> Quality {
        let servers: BTreeSet<Id> = servers.iter().copied().collect();
        let mut quality = Quality::default();
        let (first, last) = days.map_or((Day(i32::MIN), Day(i32::MAX)), |(first, last)| self.stored_days(first, last, zone));
        for doubts in self.doubts.of(first, last).iter().filter(|doubts| servers.contains(&doubts.server)) {
            quality.orphan_checkins += doubts.orphans;
            quality.open_sessions += doubts.open;
            quality.ambiguous_matches += doubts.ambiguous;
            quality.truncated_by_restart += doubts.truncated;
        }
        let of_any = |losses: &&Losses| losses.servers.is_empty() || losses.servers.iter().any(|server| servers.contains(server));
        for losses in self.doubts.losses.iter().filter(of_any) {
            quality.undated_lines += losses.undated;
            quality.unparsed_lines += losses.unparsed;
        }
        for state in self.servers().iter().filter(|state| servers.contains(&state.server.id)) {
            let (Some(from), Some(to)) = (state.first, state.last) else {
                continue; // nothing but its name is known
            };
            quality.covered.push(Covered {
                server: full_name(state),
                from: printed(from, zone),
                to: printed(to, zone),
            });
            quality.outside |=
                days.is_some_and(|(first, last)| first <= last && (zone.start_of(first.next()) <= from || zone.start_of(last) > to));
        }
        quality
    }

    /// The license servers of some features, each once.
    #[must_use]
    pub fn servers_of(&self, features: &[Id]) -> Vec<Id> {
        let servers = features.iter().filter_map(|id| Some(self.feature(*id)?.feature.server));
        servers.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The days of the store that share an instant with those of a range.
    fn stored_days(&self, first: Day, last: Day, zone: Zone) -> (Day, Day) {
        let (from, until) = (zone.start_of(first), zone.start_of(last.next()));
        (self.zone().day_of(from), self.zone().day_of(until - 1))
    }
}

fn full_name(state: &ServerState) -> String {
    let server = &state.server;
    if server.daemon.is_empty() {
        server.name.clone()
    } else {
        format!("{}/{}", server.name, server.daemon)
    }
}

fn printed(at: Micros, zone: Zone) -> String {
    let wall_clock = chrono::DateTime::from_timestamp_micros(zone.local(at));
    wall_clock.map_or_else(String::new, |clock| clock.format("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_json_is_one_line_in_order() {
        let mut quality = Quality {
            unparsed_lines: 2,
            covered: vec![Covered {
                server: "flëx01/🦀\"".to_owned(),
                from: "2026-03-02 08:00:05".to_owned(),
                to: "2026-03-03 18:00:00".to_owned(),
            }],
            ..Quality::default()
        };
        let expected = r#"{"orphanCheckins":0,"openSessions":0,"ambiguousMatches":0,"truncatedByRestart":0,"undatedLines":0,"unparsedLines":2,"covered":[{"server":"flëx01/🦀\"","from":"2026-03-02 08:00:05","to":"2026-03-03 18:00:00"}]}"#;
        assert_eq!(quality.to_json(), expected);
        assert!(!quality.is_clean());
        quality.outside = true;
        assert!(quality.to_json().ends_with(r#"18:00:00"}],"outside":true}"#));
        assert!(Quality::default().is_clean());
        assert!(
            !Quality {
                outside: true,
                ..Quality::default()
            }
            .is_clean()
        );
    }
}
