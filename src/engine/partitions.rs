//! Partition files as a table.
//!
//! The snapshot knows every file, so that nothing is listed and only the days that a query can mean are planned. All times
//! of a row lie within its day (an end may be the first instant of the next), so that bounds of times are bounds of days:
//!
//! ```text
//!   WHERE started < X AND ended > Y      ─▶   files of  day_of(Y) … day_of(X)
//! ```
//!
//! What comes out is DataFusion's own Parquet scan, with nothing of ours left in the plan.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat as _;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown};
use datafusion::object_store::ObjectMeta;
use datafusion::object_store::path::Path as ObjectPath;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::scalar::ScalarValue;

use crate::event::Table;
use crate::store::{PartitionFile, Snapshot};
use crate::time::Day;

/// One table of a snapshot.
#[derive(Debug)]
pub(super) struct Partitions {
    table: Table,
    snapshot: Arc<Snapshot>,
    schema: SchemaRef,
}

impl Partitions {
    pub(super) fn new(table: Table, snapshot: Arc<Snapshot>) -> Self {
        let fields = table.schema().fields().iter().cloned().chain([day_field()]).collect::<Vec<_>>();
        Self {
            table,
            snapshot,
            schema: Arc::new(Schema::new(fields)),
        }
    }

    /// Plans a scan of the days that the filters can mean; nothing where no day can have a row.
    pub(super) async fn shared_scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        sharing: Sharing,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        match self.plan(projection, filters, None, sharing)? {
            Plan::Empty(_) => Ok(None),
            Plan::Scan(config) => Ok(Some(ParquetFormat::default().create_physical_plan(state, *config).await?)),
        }
    }

    fn plan(&self, projection: Option<&Vec<usize>>, filters: &[Expr], limit: Option<usize>, sharing: Sharing) -> Result<Plan> {
        let (first, last) = self.days(filters);
        let files: Vec<&PartitionFile> = if first <= last {
            self.snapshot.files(self.table).range(first..=last).map(|(_, file)| file).collect()
        } else {
            Vec::new()
        };
        if files.is_empty() {
            return Ok(Plan::Empty(datafusion::common::project_schema(&self.schema, projection)?));
        }
        let groups = self.groups(&files, sharing)?;
        let schema = TableSchema::builder(self.table.schema())
            .with_table_partition_cols(vec![day_field()])
            .build();
        let source = Arc::new(ParquetSource::new(schema));
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), source)
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(Plan::Scan(Box::new(config)))
    }

    /// Shares the files out.
    fn groups(&self, files: &[&PartitionFile], sharing: Sharing) -> Result<Vec<FileGroup>> {
        let group = |files: &[&PartitionFile]| {
            files
                .iter()
                .map(|file| self.scanned(file))
                .collect::<Result<Vec<_>>>()
                .map(FileGroup::new)
        };
        match sharing {
            Sharing::Neighbours(parts) => files.chunks(files.len().div_ceil(parts.max(1)).max(1)).map(group).collect(),
            Sharing::ByDay(parts) => {
                let mut shares = vec![Vec::new(); parts];
                for file in files {
                    shares[file.day.0.unsigned_abs() as usize % parts].push(*file);
                }
                shares.iter().map(|files| group(files)).collect()
            }
        }
    }

    fn scanned(&self, file: &PartitionFile) -> Result<PartitionedFile> {
        let location = ObjectPath::from_absolute_path(self.snapshot.root().join(file.path()))?;
        let meta = ObjectMeta {
            location,
            // Caches tell the versions of a file by its age. Ours never change, but a store that is made anew may have
            // another file of the same name: its checksum tells them apart.
            last_modified: version_of(file),
            size: file.bytes,
            e_tag: None,
            version: None,
        };
        let mut scanned = PartitionedFile::new_from_meta(meta);
        scanned.partition_values = vec![ScalarValue::Date32(Some(file.day.0))];
        let statistics = Statistics {
            num_rows: Precision::Exact(usize::try_from(file.rows).unwrap_or(usize::MAX)),
            total_byte_size: Precision::Absent,
            column_statistics: vec![ColumnStatistics::new_unknown(); self.table.schema().fields().len()],
        };
        Ok(scanned.with_statistics(Arc::new(statistics)))
    }

    /// The days that rows which pass the filters can be of.
    fn days(&self, filters: &[Expr]) -> (Day, Day) {
        let zone = self.snapshot.zone();
        let (mut first, mut last) = (Day(i32::MIN), Day(i32::MAX));
        for filter in filters.iter().flat_map(split_conjunction) {
            let Some((column, operator, value)) = comparison(filter) else {
                continue;
            };
            let day = match (column, value) {
                ("day", ScalarValue::Date32(Some(day))) => Day(*day),
                ("at" | "started" | "ended", ScalarValue::TimestampMicrosecond(Some(at), _)) => {
                    // The end of a row may be the first instant of the day after its own.
                    let reach = i64::from(column == "ended" && operator == Operator::GtEq);
                    zone.day_of(at - reach)
                }
                _ => continue,
            };
            if matches!(operator, Operator::Gt | Operator::GtEq | Operator::Eq) && (column != "ended" || operator != Operator::Eq) {
                first = first.max(day);
            }
            if matches!(operator, Operator::Lt | Operator::LtEq | Operator::Eq) {
                last = last.min(day);
            }
        }
        (first, last)
    }
}

/// How files are shared out to the partitions of a scan.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sharing {
    /// To at most so many partitions, neighbouring days together, so that each reads a stretch of time.
    Neighbours(usize),
    /// To just so many partitions, by the day alone, whatever files there are.
    ByDay(usize),
}

/// An instant that only files of the same bytes share.
fn version_of(file: &PartitionFile) -> DateTime<Utc> {
    let [a, b, c, d, e, f, ..] = file.checksum;
    DateTime::from_timestamp_micros(i64::from_be_bytes([0, 0, a, b, c, d, e, f])).unwrap_or_default()
}

enum Plan {
    Empty(SchemaRef),
    Scan(Box<datafusion::datasource::physical_plan::FileScanConfig>),
}

/// The column that the path tells.
pub(super) fn day_field() -> Arc<Field> {
    Arc::new(Field::new("day", DataType::Date32, false))
}

/// Returns whether a filter is a bound of times or days with a constant: it chooses files, and evaluating it cannot fail.
pub(super) fn bounds_days(filter: &Expr) -> bool {
    split_conjunction(filter).into_iter().all(|part| {
        comparison(part).is_some_and(|(column, operator, value)| {
            let is_bound = matches!(
                operator,
                Operator::Gt | Operator::GtEq | Operator::Eq | Operator::Lt | Operator::LtEq
            );
            let of_type = match column {
                "day" => matches!(value, ScalarValue::Date32(Some(_))),
                "at" | "started" | "ended" => matches!(value, ScalarValue::TimestampMicrosecond(Some(_), _)),
                _ => false,
            };
            is_bound && of_type
        })
    })
}

/// A column compared with a value, the column first.
fn comparison(filter: &Expr) -> Option<(&str, Operator, &ScalarValue)> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else {
        return None;
    };
    match (&**left, &**right) {
        (Expr::Column(column), Expr::Literal(value, _)) => Some((&column.name, *op, value)),
        (Expr::Literal(value, _), Expr::Column(column)) => Some((&column.name, op.swap()?, value)),
        _ => None,
    }
}

#[async_trait]
impl TableProvider for Partitions {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match self.plan(projection, filters, limit, Sharing::Neighbours(state.config().target_partitions()))? {
            Plan::Empty(schema) => Ok(Arc::new(EmptyExec::new(schema))),
            Plan::Scan(config) => ParquetFormat::default().create_physical_plan(state, *config).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::{col, lit};

    use super::*;

    fn days(filter: Expr) -> (Option<String>, Option<String>) {
        let table = Partitions::new(Table::Sessions, Snapshot::empty(std::path::Path::new("/")));
        let (first, last) = table.days(&[filter]);
        let text = |day: Day, unbounded: i32| (day.0 != unbounded).then(|| day.to_string());
        (text(first, i32::MIN), text(last, i32::MAX))
    }

    fn at(text: &str) -> Expr {
        let at = DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros();
        lit(ScalarValue::TimestampMicrosecond(Some(at), Some("UTC".into())))
    }

    #[test]
    fn bounds_of_times_are_bounds_of_days() {
        let midnight = || at("2026-03-02T00:00:00Z");
        let some = |day: &str| Some(day.to_owned());
        assert_eq!(days(col("started").lt(midnight())), (None, some("2026-03-02")));
        assert_eq!(days(col("ended").gt(midnight())), (some("2026-03-02"), None));
        // A row of the day before may end at its very last instant, which is this midnight.
        assert_eq!(days(col("ended").gt_eq(midnight())), (some("2026-03-01"), None));
        assert_eq!(days(col("ended").eq(midnight())).0, None);
        assert_eq!(days(midnight().lt_eq(col("started"))), (some("2026-03-02"), None));
        assert_eq!(days(col("feature_id").eq(lit(3))), (None, None));
        assert_eq!(days(col("started").lt(midnight()).or(col("feature_id").eq(lit(3)))), (None, None));
        let both = col("started")
            .gt_eq(at("2026-03-01T10:00:00Z"))
            .and(col("started").lt(at("2026-03-03T10:00:00Z")));
        assert_eq!(days(both), (some("2026-03-01"), some("2026-03-03")));
    }
}
