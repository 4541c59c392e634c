//! Users that held a license or were denied one, by day.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use datafusion::common::exec_err;
use datafusion::error::Result;

use super::kept::UsersOfServer;
use super::{Days, NameColumn, Rows, failed, parts_of};
use crate::event::Table;
use crate::kernel::Activity;
use crate::store::{Id, Opened, PartitionFile};
use crate::time::{Day, Zone};

/// Whose activity, on the days of which zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct UsersAsked {
    pub(in crate::engine) rows: Vec<Rows>,
    pub(in crate::engine) zone: Zone,
}

impl Days {
    /// Who was active on which day.
    pub(in crate::engine) async fn users(self: &Arc<Self>, asked: UsersAsked) -> Result<Activity> {
        let mut activity = Activity::default();
        for rows in asked.rows {
            let days = self.days_of(&rows);
            let zone = asked.zone;
            let parts = self.each(days, move |this, day, part: &mut Activity| {
                this.users_of_day(day, &rows, zone, part)
            });
            for part in parts.await? {
                activity.merge(&part);
            }
        }
        Ok(activity)
    }

    fn users_of_day(&self, day: Day, rows: &Rows, zone: Zone, activity: &mut Activity) -> Result<()> {
        let (Some(window), Some(file)) = (self.window(day), self.file(rows.table, day)) else {
            return Ok(());
        };
        match self.rollup(Table::UserDays, day) {
            Some(rollup) if zone == self.snapshot.zone() && rows.covers(window) => {
                let users = self.shared.kept.users(rollup, || self.read_users(rollup))?;
                for server in users.iter().filter(|server| rows.has_server(server.server)) {
                    let bits = if rows.table == Table::Denials {
                        &server.denied
                    } else {
                        &server.held
                    };
                    if bits.iter().any(|word| *word != 0) {
                        let place = activity.place(day);
                        activity.set_all(place, bits);
                    }
                }
                Ok(())
            }
            _ => self.add_users(file, day, (rows, zone), activity),
        }
    }

    fn read_users(&self, file: &PartitionFile) -> Result<Vec<UsersOfServer>> {
        let opened = Opened::open(&self.snapshot, file, &self.scanned).map_err(failed)?;
        let columns = ["server_id", "user_name", "held", "denied"];
        let batch = opened.read(&columns, None, &self.scanned).map_err(failed)?;
        let [servers, names, held, denied] = batch.columns() else {
            return exec_err!("a file of users has other columns than it should");
        };
        let names = NameColumn::of(names)?;
        let numbers = self.shared.users.numbers(&names.texts);
        let (Some(servers), Some(held), Some(denied)) = (
            servers.as_primitive_opt::<Int32Type>(),
            held.as_boolean_opt(),
            denied.as_boolean_opt(),
        ) else {
            return exec_err!("a file of users has columns of other types than it should");
        };
        let mut users: BTreeMap<Id, UsersOfServer> = BTreeMap::new();
        for (row, place) in names.places.iter().enumerate() {
            let Some(number) = usize::try_from(*place).ok().map(|place| numbers[place]) else {
                continue;
            };
            let server = servers.value(row);
            let of_server = users.entry(server).or_insert_with(|| UsersOfServer {
                server,
                held: Vec::new(),
                denied: Vec::new(),
            });
            for (is, bits) in [(held.value(row), &mut of_server.held), (denied.value(row), &mut of_server.denied)] {
                let word = number as usize / 64;
                if bits.len() <= word {
                    bits.resize(word + 1, 0);
                }
                bits[word] |= u64::from(is) << (number % 64);
            }
        }
        Ok(users.into_values().collect())
    }

    fn add_users(&self, file: &PartitionFile, day: Day, (rows, zone): (&Rows, Zone), activity: &mut Activity) -> Result<()> {
        let Some(window) = self.window(day) else {
            return Ok(());
        };
        let (started, ended) = match rows.table {
            Table::Denials => ("at", None),
            _ => ("started", Some("ended")),
        };
        let servers = rows.servers.is_some().then_some("server_id");
        let columns: Vec<&str> = [started].into_iter().chain(ended).chain(servers).chain(["user_name"]).collect();
        let opened = self.opened(file)?;
        let batch = opened.read(&columns, None, &self.scanned).map_err(failed)?;
        let instants = |name: &str| {
            batch
                .column_by_name(name)
                .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>())
        };
        let servers = batch
            .column_by_name("server_id")
            .and_then(|column| column.as_primitive_opt::<Int32Type>());
        let (Some(started), Some(names)) = (instants(started), batch.column_by_name("user_name")) else {
            return exec_err!("a file of {} has other columns than it should", rows.table.name());
        };
        let ended = instants("ended");
        let names = NameColumn::of(names)?;
        let (days, parts) = parts_of(window, zone);
        let all = rows.covers(window);
        let mut seen = vec![vec![false; names.texts.len()]; parts.len()];
        for (row, place) in names.places.iter().enumerate() {
            let Ok(place) = usize::try_from(*place) else {
                continue;
            };
            let start = started.value(row);
            // A denial takes no time; it is of the day of its instant.
            let end = ended.map_or(start + 1, |ended| ended.value(row));
            let meant = start < end && (all || rows.has(start, end)) && servers.is_none_or(|servers| rows.has_server(servers.value(row)));
            if !meant {
                continue;
            }
            if let [seen] = &mut seen[..] {
                seen[place] = true;
                continue;
            }
            for (part, seen) in parts.iter().zip(&mut seen) {
                seen[place] |= start < part.end() && end > part.start();
            }
        }
        let numbers = self.shared.users.numbers(&names.texts);
        for (day, seen) in days.iter().zip(&seen) {
            if !seen.contains(&true) {
                continue;
            }
            let place = activity.place(*day);
            for (number, _) in numbers.iter().zip(seen).filter(|(_, seen)| **seen) {
                activity.set(place, *number);
            }
        }
        Ok(())
    }
}
