//! Denials of a few features as a table: rows that were read once are at hand.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::internal_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::TableType;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::stream;

use super::leaf::{metrics, properties};
use crate::engine::days::Days;
use crate::event::Table;
use crate::store::Id;
use crate::time::Day;

/// More features than this are read with all others.
pub(super) const FEW: usize = 16;

/// So many days are read in one part.
const MONTHS: usize = 100;

/// The denials of a few features: their days are shared out, neighbours together.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Denials {
    /// All columns of the table, the day last.
    schema: SchemaRef,
    features: Vec<Id>,
    parts: Vec<Vec<Day>>,
    days: Arc<Days>,
    projection: Vec<usize>,
    properties: Arc<PlanProperties>,
}

impl Denials {
    pub(super) fn new(schema: SchemaRef, features: Vec<Id>, wanted: &[Day], days: Arc<Days>) -> Self {
        let parts = if wanted.len() > MONTHS { days.parts() } else { 1 };
        let size = wanted.len().div_ceil(parts).max(1);
        let mut parts: Vec<Vec<Day>> = wanted.chunks(size).map(<[Day]>::to_vec).collect();
        if parts.is_empty() {
            parts.push(Vec::new());
        }
        Self {
            properties: properties(Arc::clone(&schema), parts.len()),
            projection: (0..schema.fields().len()).collect(),
            schema,
            features,
            parts,
            days,
        }
    }

    /// Whether it is worth to share its days out.
    pub(in crate::engine) fn is_long(&self) -> bool {
        self.parts.len() > 1
    }

    /// Whether a column is the time of its rows, which come in the order of days.
    pub(in crate::engine) fn is_time(&self, column: usize) -> bool {
        self.projection
            .get(column)
            .is_some_and(|place| self.schema.field(*place).name() == "at")
    }

    fn shown(&self) -> Result<SchemaRef> {
        Ok(Arc::new(self.schema.project(&self.projection)?))
    }

    /// The rows of some of the days, as many as travel together, and how many days these are.
    fn rows(&self, days: &[Day], shown: &SchemaRef, at_once: usize) -> Result<(RecordBatch, usize)> {
        let (mut batches, mut rows, mut done) = (Vec::new(), 0, 0);
        for day in days {
            for batch in self.days.denials(*day, &self.features)? {
                let columns = self.projection.iter().map(|place| match batch.columns().get(*place) {
                    Some(column) => Ok(Arc::clone(column)),
                    // The day itself is in no file.
                    None => datafusion::scalar::ScalarValue::Date32(Some(day.0)).to_array_of_size(batch.num_rows()),
                });
                let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
                let columns = columns.collect::<Result<_>>()?;
                batches.push(RecordBatch::try_new_with_options(Arc::clone(shown), columns, &options)?);
                rows += batch.num_rows();
            }
            done += 1;
            if rows >= at_once {
                break;
            }
        }
        Ok((concat_batches(shown, &batches)?, done))
    }
}

#[async_trait]
impl TableProvider for Denials {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(&self, _: &dyn Session, projection: Option<&Vec<usize>>, _: &[Expr], _: Option<usize>) -> Result<Arc<dyn ExecutionPlan>> {
        let mut scan = self.clone();
        if let Some(projection) = projection {
            scan.projection.clone_from(projection);
        }
        scan.properties = properties(scan.shown()?, scan.parts.len());
        Ok(Arc::new(scan))
    }
}

impl DisplayAs for Denials {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DenialsByDays: features={:?}", self.features)
    }
}

impl ExecutionPlan for Denials {
    fn name(&self) -> &'static str {
        "DenialsByDays"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(&self, _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() {
            Ok(self)
        } else {
            internal_err!("DenialsByDays has no input")
        }
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self {
            days: Arc::new(self.days.anew()),
            ..Arc::unwrap_or_clone(self)
        }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let at_once = context.session_config().batch_size();
        let (shown, scan) = (self.shown()?, self.clone());
        let rows = stream::try_unfold(0, {
            let shown = Arc::clone(&shown);
            move |begin| {
                let rows = match scan.parts.get(partition).and_then(|days| days.get(begin..)) {
                    None | Some([]) => Ok(None),
                    Some(days) => scan.rows(days, &shown, at_once).map(|(batch, done)| Some((batch, begin + done))),
                };
                // Others want to go on as well.
                async {
                    tokio::task::yield_now().await;
                    rows
                }
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(shown, rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(metrics(&self.days))
    }
}

/// All columns of the table, the day last.
pub(super) fn schema() -> SchemaRef {
    let fields = Table::Denials.schema().fields().iter().cloned().collect::<Vec<_>>();
    let day = crate::engine::partitions::day_field();
    Arc::new(Schema::new(fields.into_iter().chain([day]).collect::<Vec<_>>()))
}
