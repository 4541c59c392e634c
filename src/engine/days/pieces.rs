//! When the rows of a file begin and end, and of which license server they are.

use arrow::array::RecordBatch;
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use datafusion::error::Result;

use super::columns::{NameColumn, numbers};
use super::{Days, Rows, failed, parts_of};
use crate::event::Table;
use crate::store::PartitionFile;
use crate::time::{Day, Micros, Window, Zone};

/// The rows of a file of sessions or denials. A denial takes no time; it is of its instant.
pub(super) struct Pieces {
    table: Table,
    day: Window,
    /// The days of a zone that the file has a part of, and these parts.
    pub(super) days: Vec<Day>,
    pub(super) parts: Vec<Window>,
    batch: RecordBatch,
}

impl Days {
    /// Reads when the rows of a file begin and end, and of which servers they are if that matters.
    pub(super) fn pieces(&self, file: &PartitionFile, day: Window, zone: Zone, by_server: bool) -> Result<Pieces> {
        let mut columns = match file.table {
            Table::Denials => vec!["at"],
            _ => vec!["started", "ended"],
        };
        columns.extend(by_server.then_some("server_id"));
        let batch = self.opened(file)?.read(&columns, None, &self.scanned).map_err(failed)?;
        let (days, parts) = parts_of(day, zone);
        Ok(Pieces {
            table: file.table,
            day,
            days,
            parts,
            batch,
        })
    }

    /// Reads the names of a file's rows.
    pub(super) fn names(&self, file: &PartitionFile, column: &str) -> Result<NameColumn> {
        let batch = self.opened(file)?.read(&[column], None, &self.scanned).map_err(failed)?;
        NameColumn::of(&batch, column)
    }
}

impl Pieces {
    /// For each row of the file since when and until when; nothing for one that is not meant.
    pub(super) fn of<'a>(&'a self, rows: &'a Rows) -> Result<impl Iterator<Item = Option<(Micros, Micros)>> + Clone + use<'a>> {
        let (started, ended) = match self.table {
            Table::Denials => (self.instants("at")?, None),
            _ => (self.instants("started")?, Some(self.instants("ended")?)),
        };
        let servers = rows
            .servers
            .as_ref()
            .map(|_| numbers::<Int32Type>(&self.batch, "server_id"))
            .transpose()?;
        let all = rows.covers(self.day);
        Ok((0..started.len()).map(move |row| {
            let (from, until) = (started[row], ended.map_or(started[row] + 1, |ended| ended[row]));
            let meant = (all || rows.has(from, until)) && servers.is_none_or(|servers| rows.has_server(servers[row]));
            meant.then_some((from, until))
        }))
    }

    /// Since when and until when all rows of the file are, if they are sessions and all of them are meant: the shortest way.
    pub(super) fn all_of(&self, rows: &Rows) -> Result<Option<impl Iterator<Item = (Micros, Micros)> + Clone + use<'_>>> {
        if self.table != Table::Sessions || rows.servers.is_some() || !rows.covers(self.day) {
            return Ok(None);
        }
        let (started, ended) = (self.instants("started")?, self.instants("ended")?);
        Ok(Some(started.iter().copied().zip(ended.iter().copied())))
    }

    /// The one day of all rows of the file, if they are sessions, all of them are meant, and each takes some time of it.
    pub(super) fn one_day_of_all(&self, rows: &Rows) -> Result<Option<Day>> {
        let ([day], Some(mut all)) = (&self.days[..], self.all_of(rows)?) else {
            return Ok(None);
        };
        Ok(all.all(|(started, ended)| started < ended).then_some(*day))
    }

    fn instants(&self, name: &str) -> Result<&[Micros]> {
        numbers::<TimestampMicrosecondType>(&self.batch, name)
    }
}
