//! Who held a license or was denied one, by day: users, and the most hosts at one instant.
//!
//! ```text
//!   day ─▶ users: a rollup? ─no─┐                         ┌─▶ users ─▶ Activity
//!       ─▶ hosts: a rollup? ─no─┴─▶ its pieces, read once ┴─▶ hosts ─▶ Peaks
//! ```
//!
//! When pieces begin and end takes longer to read than all else of them: who asks for users and hosts has both of one reading.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::error::Result;

use super::peaks::peaks_of;
use super::{Days, Rows};
use crate::event::Table;
use crate::kernel::{Activity, Peaks};
use crate::time::{Day, Zone};

/// Whose users and hosts, on the days of which zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct HoldersAsked {
    /// Those whose users are active, of each table.
    pub(in crate::engine) users: Vec<Rows>,
    /// Those whose hosts are there.
    pub(in crate::engine) hosts: Option<Rows>,
    pub(in crate::engine) zone: Zone,
}

/// What was asked for.
#[derive(Debug, Default)]
pub(in crate::engine) struct Holders {
    /// Who was active on which day.
    pub(in crate::engine) users: Activity,
    /// The most hosts at one instant of each day that had any.
    pub(in crate::engine) hosts: BTreeMap<Day, i64>,
}

/// What one table is read for.
struct Reading {
    table: Table,
    users: Option<Rows>,
    hosts: Option<Rows>,
    zone: Zone,
}

/// What one thread has come to.
#[derive(Default)]
struct Part {
    holders: Holders,
    kernel: Peaks,
}

impl Holders {
    /// Notes how many hosts there were on a part of a day.
    fn note(&mut self, day: Day, peak: i64) {
        if peak > 0 {
            // Two days of the store may have parts of one day of another zone: its peak is in one of them.
            let known = self.hosts.entry(day).or_default();
            *known = peak.max(*known);
        }
    }

    fn merge(&mut self, other: Self) {
        self.users.merge(&other.users);
        other.hosts.into_iter().for_each(|(day, peak)| self.note(day, peak));
    }
}

impl HoldersAsked {
    /// Each table is read once, if it can be.
    fn readings(self) -> Vec<Reading> {
        let Self { users, mut hosts, zone } = self;
        let of_users = users.into_iter().map(|users| Reading {
            table: users.table,
            hosts: hosts.take_if(|hosts| hosts.table == users.table),
            users: Some(users),
            zone,
        });
        let mut readings: Vec<Reading> = of_users.collect();
        readings.extend(hosts.map(|hosts| Reading {
            table: hosts.table,
            users: None,
            hosts: Some(hosts),
            zone,
        }));
        readings
    }
}

impl Days {
    /// Users and hosts by day.
    pub(in crate::engine) async fn holders(self: &Arc<Self>, asked: HoldersAsked) -> Result<Holders> {
        let mut all = Holders::default();
        for reading in asked.readings() {
            let rows = reading.users.iter().chain(&reading.hosts);
            let days: BTreeSet<Day> = rows.flat_map(|rows| self.days_of(rows)).collect();
            let work = move |this: &Self, day, part: &mut Part| this.holders_of_day(day, &reading, part);
            for part in self.each(days.into_iter().collect(), work).await? {
                all.merge(part.holders);
            }
        }
        Ok(all)
    }

    fn holders_of_day(&self, day: Day, reading: &Reading, part: &mut Part) -> Result<()> {
        let (Some(window), Some(file)) = (self.window(day), self.file(reading.table, day)) else {
            return Ok(());
        };
        let mut users = reading.users.as_ref().filter(|rows| rows.meet(window));
        let mut hosts = reading.hosts.as_ref().filter(|rows| rows.meet(window));
        // Rollups are of the store's own days.
        if reading.zone == self.snapshot.zone() {
            if let Some(rows) = users
                && self.add_known_users((day, window), rows, &mut part.holders.users)?
            {
                users = None;
            }
            if let Some(rows) = hosts
                && let Some(peak) = self.known_peak((day, window), rows)?
            {
                part.holders.note(day, peak);
                hosts = None;
            }
        }
        if users.is_none() && hosts.is_none() {
            return Ok(());
        }
        let by_server = [users, hosts].into_iter().flatten().any(|rows| rows.servers.is_some());
        let columns = [
            users.is_some().then_some("user_name"),
            hosts.is_some().then_some("host"),
            by_server.then_some("server_id"),
        ];
        let columns: Vec<&str> = columns.into_iter().flatten().collect();
        let pieces = self.pieces(file, window, reading.zone, &columns)?;
        if let Some(rows) = users {
            self.add_users(&pieces, rows, &mut part.holders.users)?;
        }
        if let Some(rows) = hosts {
            let peaks = peaks_of(&pieces, rows, &mut part.kernel)?;
            pieces.days.iter().zip(peaks).for_each(|(day, peak)| part.holders.note(*day, peak));
        }
        Ok(())
    }
}
