//! The denials of a few features, day after day.

use std::sync::Arc;

use arrow::array::{AsArray as _, RecordBatch};
use arrow_select::dictionary::garbage_collect_any_dictionary;
use datafusion::error::{DataFusionError, Result};

use super::{Days, failed};
use crate::event::Table;
use crate::store::{Id, PartitionFile};
use crate::time::Day;

impl Days {
    /// The denials of features on a day, a batch for each feature that has any; all columns of the table.
    pub(in crate::engine) fn denials(&self, day: Day, features: &[Id]) -> Result<Vec<RecordBatch>> {
        let Some(file) = self.file(Table::Denials, day) else {
            return Ok(Vec::new());
        };
        let batches = features.iter().map(|feature| {
            let read = || self.read_denials(file, *feature);
            Ok(self.shared.kept.rows(file, *feature, read)?.filter(|rows| rows.num_rows() > 0))
        });
        batches.filter_map(Result::transpose).collect()
    }

    /// Nothing for a feature without denials.
    fn read_denials(&self, file: &PartitionFile, feature: Id) -> Result<Option<RecordBatch>> {
        let opened = self.opened(file)?;
        let Some(rows) = opened.rows_of(feature) else {
            return Ok(None);
        };
        let schema = Table::Denials.schema();
        let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let batch = opened
            .read(&columns, Some(std::slice::from_ref(&rows)), &self.scanned)
            .map_err(failed)?;
        // A dictionary is that of the whole file, of which a feature has few texts.
        let columns = batch.columns().iter().map(|column| match column.as_any_dictionary_opt() {
            Some(dictionary) => garbage_collect_any_dictionary(dictionary),
            None => Ok(Arc::clone(column)),
        });
        let columns = columns.collect::<Result<_, arrow::error::ArrowError>>();
        Ok(Some(RecordBatch::try_new(schema, columns?).map_err(DataFusionError::from)?))
    }

    /// The days that have denials between two instants.
    pub(in crate::engine) fn days_with_denials(&self, from: i64, until: i64) -> Vec<Day> {
        let rows = super::Rows {
            table: Table::Denials,
            servers: None,
            from,
            until,
        };
        self.days_of(&rows)
    }
}
