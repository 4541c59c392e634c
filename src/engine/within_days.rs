//! Sorting by time, a day at a time.
//!
//! Files are read in the order of their days, whichever part of a query reads them, and all times of a row lie within its day. So
//! what is sorted by time needs to be sorted only within days: rows leave as soon as their day has been read, and no more than a
//! day of them is in memory.
//!
//! ```text
//!   SortExec(at, …)                         WithinDays(at, …)
//!     ProjectionExec, FilterExec …   ─▶       ProjectionExec, FilterExec …      (these keep the order of rows)
//!       DataSourceExec(at, …)                   DataSourceExec(at, …)
//! ```

use std::fmt;
use std::sync::Arc;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, SchemaRef, TimeUnit, TimestampMicrosecondType};
use datafusion::common::internal_err;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _, TreeNodeRecursion};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::{CastExpr, Column};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr};
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::{SortExec, sort_batch_chunked};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt as _, stream};

use super::shortcut::Denials;
use crate::time::{Day, Micros, Zone};

/// Lets whatever is sorted by the time of its rows be sorted within days of the store.
pub(super) fn sort_within_days(plan: Arc<dyn ExecutionPlan>, zone: Zone) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_down(|node| {
        let Some(sort) = node.downcast_ref::<SortExec>() else {
            return Ok(Transformed::no(node));
        };
        let first = sort.expr().first();
        let by_time = first
            .expr
            .downcast_ref::<Column>()
            .is_some_and(|column| is_time(sort.input(), column.index()));
        // A few first rows of many are found faster without sorting all the others.
        if !by_time || first.options.descending || sort.fetch().is_some() {
            return Ok(Transformed::no(node));
        }
        let within_days = WithinDays {
            input: Arc::clone(sort.input()),
            order: sort.expr().clone(),
            zone,
            properties: Arc::clone(sort.properties()),
        };
        Ok(Transformed::yes(Arc::new(within_days) as Arc<dyn ExecutionPlan>))
    })
    .data()
}

/// Whether a column is the time of rows that come in the order of their days.
fn is_time(plan: &Arc<dyn ExecutionPlan>, column: usize) -> bool {
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let source = projection.expr().get(column).and_then(|projected| same_instant(&projected.expr));
        return source.is_some_and(|source| is_time(projection.input(), source.index()));
    }
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        let source = match filter.projection() {
            Some(projection) => projection.get(column).copied(),
            None => Some(column),
        };
        return source.is_some_and(|source| is_time(filter.input(), source));
    }
    if plan.is::<CooperativeExec>() {
        return plan.children().first().is_some_and(|input| is_time(input, column));
    }
    if let Some(denials) = plan.downcast_ref::<Denials>() {
        return denials.is_time(column);
    }
    let Some(source) = plan.downcast_ref::<DataSourceExec>() else {
        return false;
    };
    let Some(files) = source.data_source().downcast_ref::<FileScanConfig>() else {
        return false;
    };
    let name = match files.file_source().projection() {
        Some(projection) => {
            let projected = projection.as_ref().get(column);
            projected
                .and_then(|projected| same_instant(&projected.expr))
                .map(|column| column.name().to_owned())
        }
        None => plan.schema().fields().get(column).map(|field| field.name().clone()),
    };
    matches!(name.as_deref(), Some("at" | "started"))
}

/// The column that an expression is, perhaps with the clock of another zone.
fn same_instant(expression: &Arc<dyn PhysicalExpr>) -> Option<&Column> {
    let expression = match expression.downcast_ref::<CastExpr>() {
        Some(cast) if matches!(cast.cast_type(), DataType::Timestamp(TimeUnit::Microsecond, Some(_))) => cast.expr(),
        Some(_) => return None,
        None => expression,
    };
    expression.downcast_ref::<Column>()
}

/// Sorts the rows of each day.
#[derive(Debug, Clone)]
struct WithinDays {
    input: Arc<dyn ExecutionPlan>,
    order: LexOrdering,
    zone: Zone,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for WithinDays {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WithinDays: order=[{}]", self.order)
    }
}

impl ExecutionPlan for WithinDays {
    fn name(&self) -> &'static str {
        "WithinDays"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(&self, _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("WithinDays has one input");
        };
        Ok(Arc::new(Self {
            input,
            ..Self::clone(&self)
        }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let Some(time) = self.order.first().expr.downcast_ref::<Column>().map(Column::index) else {
            return internal_err!("WithinDays sorts by a column first");
        };
        let sorter = Sorter {
            schema: input.schema(),
            order: self.order.clone(),
            batch_rows: context.session_config().batch_size(),
            zone: self.zone,
            time,
            waiting: Vec::new(),
            day_ends: Micros::MIN,
        };
        let schema = input.schema();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, sorted(input, sorter))))
    }
}

/// The rows of the day that is being read.
struct Sorter {
    schema: SchemaRef,
    order: LexOrdering,
    batch_rows: usize,
    zone: Zone,
    time: usize,
    waiting: Vec<RecordBatch>,
    /// The first instant after the day that is being read.
    day_ends: Micros,
}

impl Sorter {
    /// Takes rows in; gives those of the days that are over.
    fn push(&mut self, mut batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        let mut over = Vec::new();
        while batch.num_rows() > 0 {
            let times = batch.column(self.time).as_primitive::<TimestampMicrosecondType>();
            let of_day = times
                .values()
                .iter()
                .position(|at| *at >= self.day_ends)
                .unwrap_or_else(|| batch.num_rows());
            if of_day > 0 {
                self.waiting.push(batch.slice(0, of_day));
            }
            if of_day < batch.num_rows() {
                let day: Day = self.zone.day_of(times.value(of_day));
                over.append(&mut self.flush()?);
                self.day_ends = self.zone.start_of(day.next());
            }
            batch = batch.slice(of_day, batch.num_rows() - of_day);
        }
        Ok(over)
    }

    fn flush(&mut self) -> Result<Vec<RecordBatch>> {
        let rows = concat_batches(&self.schema, &std::mem::take(&mut self.waiting))?;
        if rows.num_rows() == 0 {
            return Ok(Vec::new());
        }
        sort_batch_chunked(&rows, &self.order, self.batch_rows)
    }
}

fn sorted(input: SendableRecordBatchStream, sorter: Sorter) -> impl Stream<Item = Result<RecordBatch>> {
    let days = stream::unfold(Some((input, sorter)), async |state| {
        let (mut input, mut sorter) = state?;
        match input.next().await {
            Some(Ok(batch)) => {
                let over = sorter.push(batch);
                let next = over.is_ok().then_some((input, sorter));
                Some((over, next))
            }
            Some(Err(error)) => Some((Err(error), None)),
            None => Some((sorter.flush(), None)),
        }
    });
    days.fuse().flat_map(|batches| match batches {
        Ok(batches) => stream::iter(batches.into_iter().map(Ok).collect::<Vec<_>>()),
        Err(error) => stream::iter(vec![Err(error)]),
    })
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, TimestampMicrosecondArray};
    use arrow::compute::SortOptions;
    use arrow::datatypes::{Field, Schema};
    use datafusion::physical_expr::PhysicalSortExpr;

    use super::*;
    use crate::event::instant_type;
    use crate::time::HOUR;

    fn batch(rows: &[(Micros, i32)]) -> RecordBatch {
        let schema = Schema::new(vec![
            Field::new("at", instant_type(), false),
            Field::new("n", DataType::Int32, false),
        ]);
        let at = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|(at, _)| *at)).with_data_type(instant_type());
        let n = Int32Array::from_iter_values(rows.iter().map(|(_, n)| *n));
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(at), Arc::new(n)]).unwrap()
    }

    fn rows(batches: &[RecordBatch]) -> Vec<(Micros, i32)> {
        let of = |batch: &RecordBatch| {
            let at = batch.column(0).as_primitive::<TimestampMicrosecondType>().values().to_vec();
            let n = batch.column(1).as_primitive::<arrow::datatypes::Int32Type>().values().to_vec();
            at.into_iter().zip(n).collect::<Vec<_>>()
        };
        batches.iter().flat_map(of).collect()
    }

    #[test]
    fn a_day_leaves_when_the_next_one_comes() {
        let zone: Zone = "Europe/Berlin".parse().unwrap();
        let day: Day = "2026-03-29".parse().unwrap();
        // A day of 23 hours.
        let (start, next) = (zone.start_of(day), zone.start_of(day.next()));
        assert_eq!(next - start, 23 * HOUR);
        let column = |name, place| Arc::new(Column::new(name, place)) as Arc<dyn PhysicalExpr>;
        let ascending = |expr| PhysicalSortExpr::new(expr, SortOptions::new(false, false));
        let mut sorter = Sorter {
            schema: batch(&[]).schema(),
            order: LexOrdering::new([ascending(column("at", 0)), ascending(column("n", 1))]).unwrap(),
            batch_rows: 2,
            zone,
            time: 0,
            waiting: Vec::new(),
            day_ends: Micros::MIN,
        };
        assert!(sorter.push(batch(&[(start + 5, 1), (start + 2, 2)])).unwrap().is_empty());
        let over = sorter
            .push(batch(&[(start + 2, 1), (next - 1, 9), (next, 7), (next + 9, 3), (next, 6)]))
            .unwrap();
        assert_eq!(rows(&over), [(start + 2, 1), (start + 2, 2), (start + 5, 1), (next - 1, 9)]);
        assert!(over.iter().all(|batch| batch.num_rows() <= 2));
        assert_eq!(rows(&sorter.flush().unwrap()), [(next, 6), (next, 7), (next + 9, 3)]);
        assert!(sorter.flush().unwrap().is_empty());
    }
}
