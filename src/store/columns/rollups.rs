//! Rollups as Arrow columns.

use std::sync::Arc;

use arrow::array::{BooleanArray, Int64Array, RecordBatch};
use arrow::error::ArrowError;

use super::{gather, integers, texts};
use crate::event::Table;
use crate::store::rows::{HostPeakRow, LevelRow, UserDayRow};
use crate::store::strings::Strings;

/// A batch of levels, in the order of the rows.
pub(crate) fn levels(rows: &[LevelRow]) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_new(
        Table::Levels.schema(),
        vec![
            integers(gather(rows, |row| row.feature)),
            integers(gather(rows, |row| row.quarter)),
            Arc::new(rows.iter().map(|row| row.level).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| row.time).collect::<Int64Array>()),
        ],
    )
}

/// A batch of users, in the order of the rows.
pub(crate) fn user_days(rows: &[UserDayRow], strings: &Strings) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_new(
        Table::UserDays.schema(),
        vec![
            integers(gather(rows, |row| row.server)),
            texts(gather(rows, |row| row.user), strings),
            Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.held)))),
            Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.denied)))),
        ],
    )
}

/// A batch of peaks, in the order of the rows.
pub(crate) fn host_peaks(rows: &[HostPeakRow]) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_new(
        Table::HostPeaks.schema(),
        vec![
            integers(gather(rows, |row| row.server)),
            integers(gather(rows, |row| row.hosts)),
            integers(gather(rows, |row| row.hosts_of_all)),
        ],
    )
}
