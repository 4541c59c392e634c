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

use super::{Days, Rows};
use crate::event::Table;
use crate::kernel::{Activity, Peaks};
use crate::time::{Day, Zone};

/// Whose users and hosts, on the days of which zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct HoldersAsked {
    /// Those whose users are active, for each count of users.
    pub(in crate::engine) users: Vec<Vec<Rows>>,
    /// Those whose hosts are there.
    pub(in crate::engine) hosts: Option<Rows>,
    pub(in crate::engine) zone: Zone,
}

/// What was asked for.
#[derive(Debug, Default)]
pub(in crate::engine) struct Holders {
    /// Who was active on which day, for each count of users.
    pub(in crate::engine) users: Vec<Activity>,
    /// The most hosts at one instant of each day that had any.
    pub(in crate::engine) hosts: BTreeMap<Day, i64>,
}

/// What one table is read for.
struct Reading {
    table: Table,
    /// Whose users are active, and the count that it is for.
    users: Vec<(usize, Rows)>,
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
    /// Who is active, for one of the counts.
    fn users(&mut self, count: usize) -> &mut Activity {
        if self.users.len() <= count {
            self.users.resize_with(count + 1, Activity::default);
        }
        &mut self.users[count]
    }

    /// Notes how many hosts there were on a part of a day.
    fn note(&mut self, day: Day, peak: i64) {
        if peak > 0 {
            // Two days of the store may have parts of one day of another zone: its peak is in one of them.
            let known = self.hosts.entry(day).or_default();
            *known = peak.max(*known);
        }
    }

    fn merge(&mut self, other: Self) {
        for (count, users) in other.users.iter().enumerate() {
            self.users(count).merge(users);
        }
        other.hosts.into_iter().for_each(|(day, peak)| self.note(day, peak));
    }
}

impl HoldersAsked {
    /// Each table is read once.
    fn readings(&self) -> Vec<Reading> {
        let of_table = |table| {
            let counts = self.users.iter().enumerate();
            let users = counts.flat_map(|(count, rows)| rows.iter().map(move |rows| (count, rows.clone())));
            users.filter(move |(_, rows)| rows.table == table).collect()
        };
        let tables = [Table::Sessions, Table::Denials].into_iter().map(|table| Reading {
            table,
            users: of_table(table),
            hosts: self.hosts.clone().filter(|rows| rows.table == table),
            zone: self.zone,
        });
        tables.filter(|reading| reading.rows().next().is_some()).collect()
    }
}

impl Reading {
    /// All rows that are read.
    fn rows(&self) -> impl Iterator<Item = &Rows> {
        self.users.iter().map(|(_, rows)| rows).chain(&self.hosts)
    }
}

impl Days {
    /// Users and hosts by day.
    pub(in crate::engine) async fn holders(self: &Arc<Self>, asked: HoldersAsked) -> Result<Holders> {
        let mut all = Holders {
            users: vec![Activity::default(); asked.users.len()],
            ..Holders::default()
        };
        for reading in asked.readings() {
            let days: BTreeSet<Day> = reading.rows().flat_map(|rows| self.days_of(rows)).collect();
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
        // Rollups are of the store's own days.
        let days_are_own = reading.zone == self.snapshot.zone();
        let mut users = Vec::new();
        for (count, rows) in reading.users.iter().filter(|(_, rows)| rows.meet(window)) {
            let known = days_are_own && self.add_known_users((day, window), rows, part.holders.users(*count))?;
            if !known {
                users.push((*count, rows));
            }
        }
        let mut hosts = reading.hosts.as_ref().filter(|rows| rows.meet(window));
        if let Some(rows) = hosts
            && days_are_own
            && let Some(peak) = self.known_peak((day, window), rows)?
        {
            part.holders.note(day, peak);
            hosts = None;
        }
        if users.is_empty() && hosts.is_none() {
            return Ok(());
        }
        let by_server = users.iter().map(|(_, rows)| *rows).chain(hosts).any(|rows| rows.servers.is_some());
        let pieces = self.pieces(file, window, reading.zone, by_server)?;
        for (count, rows) in users {
            self.add_users(file, &pieces, rows, part.holders.users(count))?;
        }
        if let Some(rows) = hosts {
            let peaks = self.peaks_of(file, &pieces, rows, &mut part.kernel)?;
            pieces.days.iter().zip(peaks).for_each(|(day, peak)| part.holders.note(*day, peak));
        }
        Ok(())
    }
}
