//! How many licenses are in use now: at the last instant known of each license server.
//!
//! The invariant: a session is in use at the last instant if, and only if, nobody knows its end and its server is up. Such a
//! session has a piece on the day of that instant that ends there and goes on.

use std::collections::BTreeMap;

use arrow::array::{BooleanArray, Int32Array, TimestampMicrosecondArray};

use super::columns::column;
use super::partition;
use super::rows::Id;
use super::{Snapshot, StoreError};
use crate::event::Table;
use crate::time::{Day, Micros};

const COLUMNS: [&str; 5] = ["ended", "continues", "server_id", "feature_id", "licenses"];

impl Snapshot {
    /// How many licenses of each feature are in use at the last instant known of its server; a feature without any is not
    /// there. Counted the first time that somebody asks, from one file for each last day.
    ///
    /// # Errors
    ///
    /// When a file of sessions cannot be read.
    pub fn in_use(&self) -> Result<&BTreeMap<Id, u64>, StoreError> {
        if let Some(counted) = self.in_use.get() {
            return Ok(counted);
        }
        let counted = self.count_in_use()?;
        Ok(self.in_use.get_or_init(|| counted))
    }

    fn count_in_use(&self) -> Result<BTreeMap<Id, u64>, StoreError> {
        let mut last_days: BTreeMap<Day, BTreeMap<Id, Micros>> = BTreeMap::new();
        for state in self.servers() {
            if let Some(last) = state.last {
                last_days.entry(self.zone().day_of(last)).or_default().insert(state.server.id, last);
            }
        }
        let mut in_use = BTreeMap::new();
        for (day, last_instants) in &last_days {
            let Some(file) = self.files(Table::Sessions).get(day) else {
                continue;
            };
            for batch in partition::read_columns(self.root(), file, &COLUMNS)? {
                let batch = batch?;
                let ended = column::<TimestampMicrosecondArray>(&batch, "ended")?;
                let continues = column::<BooleanArray>(&batch, "continues")?;
                let server = column::<Int32Array>(&batch, "server_id")?;
                let feature = column::<Int32Array>(&batch, "feature_id")?;
                let licenses = column::<Int32Array>(&batch, "licenses")?;
                for row in 0..batch.num_rows() {
                    if continues.value(row) && last_instants.get(&server.value(row)) == Some(&ended.value(row)) {
                        *in_use.entry(feature.value(row)).or_default() += u64::from(licenses.value(row).unsigned_abs());
                    }
                }
            }
        }
        Ok(in_use)
    }
}
