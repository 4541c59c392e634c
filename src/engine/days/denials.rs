//! The denials of a few features, day after day, and how many licenses they come to by period.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use arrow_select::dictionary::garbage_collect_any_dictionary;
use datafusion::error::{DataFusionError, Result};

use super::columns::numbers;
use super::{Days, failed};
use crate::event::Table;
use crate::store::{Id, PartitionFile};
use crate::time::{Day, Granularity, Micros, Offsets, Zone};

/// How many licenses of which features were denied, by period on the wall clock of which zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct DeniedAsked {
    pub(in crate::engine) features: Vec<Id>,
    pub(in crate::engine) from: Micros,
    pub(in crate::engine) until: Micros,
    pub(in crate::engine) granularity: Granularity,
    pub(in crate::engine) zone: Zone,
}

/// A feature and the start of a period.
type Period = (Id, Micros);

impl Days {
    /// The denied licenses of each feature and period that has any.
    pub(in crate::engine) async fn denied(self: &Arc<Self>, asked: DeniedAsked) -> Result<BTreeMap<Period, i64>> {
        let days = self.days_with_denials(asked.from, asked.until);
        let parts = self.each(days, move |this, day, part| this.denied_of_day(day, &asked, part));
        let mut denied = BTreeMap::new();
        for (period, licenses) in parts.await?.into_iter().flatten() {
            *denied.entry(period).or_default() += licenses;
        }
        Ok(denied)
    }

    /// Rows lie in the order of time, so that those of a period come together; another day may have more of it.
    fn denied_of_day(&self, day: Day, asked: &DeniedAsked, denied: &mut Vec<(Period, i64)>) -> Result<()> {
        let mut offsets = Offsets::new(asked.zone);
        let mut period = 0..0;
        for rows in self.denials(day, &asked.features)? {
            let features = numbers::<Int32Type>(&rows, "feature_id")?;
            let instants = numbers::<TimestampMicrosecondType>(&rows, "at")?;
            let licenses = numbers::<Int32Type>(&rows, "licenses")?;
            let rows = features.iter().zip(instants).zip(licenses);
            for ((feature, at), licenses) in rows.filter(|((_, at), _)| (asked.from..asked.until).contains(*at)) {
                let local = offsets.local(*at);
                if !period.contains(&local) {
                    let start = asked.granularity.start_of(local);
                    period = start..asked.granularity.next(start);
                }
                let (period, licenses) = ((*feature, period.start), i64::from(*licenses));
                match denied.last_mut() {
                    Some((of, sum)) if *of == period => *sum += licenses,
                    _ => denied.push((period, licenses)),
                }
            }
        }
        Ok(())
    }

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
