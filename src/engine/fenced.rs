//! Tables behind a barrier, for SQL that somebody else wrote.
//!
//! ```text
//!   plan of the caller          FencedScan (a leaf: no rule sees below it)
//!     FilterExec (his own)        day files ─▶ server_id IN (…) ─▶ pseudonyms ─▶ batches of the usual size
//!       FencedScan
//! ```
//!
//! The invariant: no expression of the caller is evaluated on a row that he may not see, and nothing that he can observe (rows,
//! their order, batches, errors, plans, metrics) depends on such rows. So the scan is a leaf operator that shows neither its input
//! nor statistics, takes no filter, projection or limit from the operators above, and shares days out to partitions by the day
//! alone. Bounds of times choose the day files; comparing a time with a constant cannot fail.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use arrow::array::{AsArray as _, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{BatchCoalescer, cast, filter_record_batch, take_record_batch};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::internal_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::{MemTable, TableType};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput as _};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::{StreamExt as _, stream};

use super::partitions::{Partitions, Sharing, bounds_days};
use super::view::{Mask, View};
use crate::event::Table;
use crate::store::{Id, Snapshot};

/// The column that says of which license server a row is.
const SERVER: &str = "server_id";

/// Returns the rows of a list that a view shows, as a table of their own.
pub(super) fn fenced_list(rows: &RecordBatch, view: &View) -> Result<Arc<dyn TableProvider>> {
    let visible = match view.visible() {
        // Taken anew even where all rows are visible: the size of buffers would tell of hidden ones.
        Some(servers) => {
            let seen = of_servers(rows, servers)?;
            let places = (0_u32..).zip(&seen).filter(|(_, seen)| *seen == Some(true));
            take_record_batch(rows, &UInt32Array::from_iter_values(places.map(|(place, _)| place)))?
        }
        None => rows.clone(),
    };
    Ok(Arc::new(MemTable::try_new(visible.schema(), vec![vec![visible]])?))
}

/// A table of partition files behind the barrier of a view.
#[derive(Debug)]
pub(super) struct FencedTable {
    partitions: Partitions,
    table: Table,
    view: View,
}

impl FencedTable {
    pub(super) fn new(table: Table, snapshot: Arc<Snapshot>, view: View) -> Self {
        Self {
            partitions: Partitions::new(table, snapshot),
            table,
            view,
        }
    }
}

#[async_trait]
impl TableProvider for FencedTable {
    fn schema(&self) -> SchemaRef {
        self.partitions.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match bounds_days(filter) {
            true => TableProviderFilterPushDown::Inexact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = self.schema();
        let shown = datafusion::common::project_schema(&all, projection)?;
        let masks = shown
            .fields()
            .iter()
            .map(|field| self.view.mask(self.table.name(), field.name()))
            .collect::<Vec<_>>();
        let mut needed: BTreeSet<usize> = BTreeSet::from([all.index_of(SERVER)?]);
        for (field, mask) in shown.fields().iter().zip(&masks) {
            for name in mask.inputs().iter().copied().chain([field.name().as_str()]) {
                needed.insert(all.index_of(name)?);
            }
        }
        let needed: Vec<usize> = needed.into_iter().collect();
        let parts = state.config().target_partitions().max(1);
        let input = self
            .partitions
            .shared_scan(state, Some(&needed), filters, Sharing::ByDay(parts))
            .await?;
        Ok(Arc::new(FencedScan {
            table: self.table,
            bounds: filters.iter().map(ToString::to_string).collect(),
            servers: self.view.visible().cloned(),
            masks: masks.into(),
            input,
            properties: properties(shown, parts),
            metrics: ExecutionPlanMetricsSet::new(),
        }))
    }
}

/// Reads the rows of a table that a view shows.
#[derive(Debug, Clone)]
struct FencedScan {
    table: Table,
    /// The caller's own conditions that chose the days.
    bounds: Vec<String>,
    servers: Option<BTreeSet<Id>>,
    /// One for each column.
    masks: Arc<[Mask]>,
    /// Nothing where no day can have a row.
    input: Option<Arc<dyn ExecutionPlan>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

fn properties(schema: SchemaRef, parts: usize) -> Arc<PlanProperties> {
    Arc::new(PlanProperties::new(
        EquivalenceProperties::new(schema),
        Partitioning::UnknownPartitioning(parts),
        EmissionType::Incremental,
        Boundedness::Bounded,
    ))
}

impl FencedScan {
    fn shown(&self) -> &SchemaRef {
        self.properties.eq_properties.schema()
    }

    /// Keeps the visible rows, with dictionaries taken apart: these hold texts of other rows.
    fn visible(&self, batch: &RecordBatch, plain: &SchemaRef) -> Result<RecordBatch> {
        let visible = match &self.servers {
            Some(servers) => filter_record_batch(batch, &of_servers(batch, servers)?)?,
            None => batch.clone(),
        };
        let columns = visible.columns().iter().zip(plain.fields());
        let columns = columns.map(|(column, field)| cast(column, field.data_type()));
        Ok(RecordBatch::try_new(Arc::clone(plain), columns.collect::<Result<_, _>>()?)?)
    }

    /// Makes a batch of visible rows what the caller sees: his columns, masked, in their types.
    fn masked(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let shown = self.shown();
        let columns = shown.fields().iter().zip(&*self.masks).map(|(field, mask)| {
            let column = mask.apply(field.name(), batch)?;
            Ok(cast(&column, field.data_type())?)
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let rows = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(shown), columns, &rows)?)
    }
}

/// The rows of some license servers.
fn of_servers(rows: &RecordBatch, servers: &BTreeSet<Id>) -> Result<BooleanArray> {
    let column = rows.column_by_name(SERVER);
    let Some(column) = column.and_then(|column| column.as_primitive_opt::<Int32Type>()) else {
        return internal_err!("rows do not say of which license server they are");
    };
    Ok(column.iter().map(|server| server.map(|server| servers.contains(&server))).collect())
}

/// The same columns with texts instead of dictionaries.
fn plain_schema(schema: &Schema) -> SchemaRef {
    let plain = |field: &Arc<Field>| match field.data_type() {
        DataType::Dictionary(_, values) => Arc::new(field.as_ref().clone().with_data_type(values.as_ref().clone())),
        _ => Arc::clone(field),
    };
    Arc::new(Schema::new(schema.fields().iter().map(plain).collect::<Vec<_>>()))
}

/// A scan on its way: what comes in, and what waits to be a batch of the usual size.
struct Rows {
    scan: FencedScan,
    input: SendableRecordBatchStream,
    plain: SchemaRef,
    waiting: BatchCoalescer,
    is_over: bool,
    baseline: BaselineMetrics,
}

impl Rows {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.waiting.next_completed_batch() {
                let batch = self.scan.masked(&batch)?;
                return Ok(Some(batch.record_output(&self.baseline)));
            }
            if self.is_over {
                self.baseline.done();
                return Ok(None);
            }
            match self.input.next().await.transpose()? {
                Some(batch) => {
                    let visible = self.scan.visible(&batch, &self.plain)?;
                    self.waiting.push_batch(visible)?;
                    // A scan of hidden rows alone gives nothing for long; other queries go on meanwhile.
                    tokio::task::yield_now().await;
                }
                None => {
                    self.is_over = true;
                    self.waiting.finish_buffered_batch()?;
                }
            }
        }
    }
}

impl DisplayAs for FencedScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.shown().fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "FencedScan: table={}, columns=[{}]", self.table.name(), names.join(", "))?;
        if !self.bounds.is_empty() {
            write!(f, ", bounds=[{}]", self.bounds.join(", "))?;
        }
        Ok(())
    }
}

impl ExecutionPlan for FencedScan {
    fn name(&self) -> &'static str {
        "FencedScan"
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
            internal_err!("FencedScan has no input")
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let shown = Arc::clone(self.shown());
        let Some(input) = &self.input else {
            return Ok(Box::pin(RecordBatchStreamAdapter::new(shown, stream::empty())));
        };
        let plain = plain_schema(&input.schema());
        let rows = Rows {
            waiting: BatchCoalescer::new(Arc::clone(&plain), context.session_config().batch_size()),
            input: input.execute(partition, Arc::clone(&context))?,
            scan: self.clone(),
            plain,
            is_over: false,
            baseline: BaselineMetrics::new(&self.metrics, partition),
        };
        let rows = stream::try_unfold(rows, |mut rows| async move {
            let next = rows.next().await?;
            Ok::<_, DataFusionError>(next.map(|batch| (batch, rows)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(shown, rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
