//! Users that held a license or were denied one, by day.

use std::collections::BTreeMap;

use arrow::array::Array as _;
use arrow::datatypes::Int32Type;
use datafusion::error::Result;

use super::columns::{NameColumn, numbers, truths};
use super::kept::UsersOfServer;
use super::pieces::Pieces;
use super::{Days, Rows, failed};
use crate::event::Table;
use crate::kernel::Activity;
use crate::store::{Id, Opened, PartitionFile};
use crate::time::{Day, Micros, Window};

impl Days {
    /// Adds the users of a day of the store, if a rollup says who they are.
    pub(super) fn add_known_users(&self, (day, window): (Day, Window), rows: &Rows, activity: &mut Activity) -> Result<bool> {
        let Some(rollup) = self.rollup(Table::UserDays, day).filter(|_| rows.covers(window)) else {
            return Ok(false);
        };
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
        Ok(true)
    }

    /// Adds the users of pieces to the days that they have a part of.
    pub(super) fn add_users(&self, file: &PartitionFile, pieces: &Pieces, rows: &Rows, activity: &mut Activity) -> Result<()> {
        // Who has a row is active then: there is no need to go through the rows.
        if let Some(day) = pieces.one_day_of_all(rows)?
            && let Some(texts) = self.opened(file)?.texts("user_name", &self.scanned).map_err(failed)?
        {
            let place = activity.place(day);
            for number in self.shared.users.numbers(&texts) {
                activity.set(place, number);
            }
            return Ok(());
        }
        let names = self.names(file, "user_name")?;
        let mut seen = vec![vec![false; names.texts.len()]; pieces.parts.len()];
        let mut see = |place: i32, (started, ended): (Micros, Micros)| {
            let Ok(place) = usize::try_from(place) else {
                return;
            };
            if let [seen] = &mut seen[..] {
                seen[place] |= started < ended;
                return;
            }
            for (part, seen) in pieces.parts.iter().zip(&mut seen) {
                seen[place] |= started < part.end().min(ended) && ended > part.start();
            }
        };
        let places = names.places.iter().copied();
        match pieces.all_of(rows)? {
            Some(all) => places.zip(all).for_each(|(place, piece)| see(place, piece)),
            None => places
                .zip(pieces.of(rows)?)
                .filter_map(|(place, piece)| Some((place, piece?)))
                .for_each(|(place, piece)| see(place, piece)),
        }
        let numbers = self.shared.users.numbers(&names.texts);
        for (day, seen) in pieces.days.iter().zip(&seen) {
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

    fn read_users(&self, file: &PartitionFile) -> Result<Vec<UsersOfServer>> {
        let opened = Opened::open(&self.snapshot, file, &self.scanned).map_err(failed)?;
        let columns = ["server_id", "user_name", "held", "denied"];
        let batch = opened.read(&columns, None, &self.scanned).map_err(failed)?;
        let servers = numbers::<Int32Type>(&batch, "server_id")?;
        let (held, denied) = (truths(&batch, "held")?, truths(&batch, "denied")?);
        let names = NameColumn::of(&batch, "user_name")?;
        let numbers = self.shared.users.numbers(&names.texts);
        let mut users: BTreeMap<Id, UsersOfServer> = BTreeMap::new();
        for (row, place) in names.places.iter().enumerate() {
            let Some(number) = usize::try_from(*place).ok().map(|place| numbers[place]) else {
                continue;
            };
            let server = servers[row];
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
}
