//! The leaf of a plan that asks days.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::internal_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::TableType;
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{Count, Metric, MetricValue, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use datafusion::scalar::ScalarValue;
use futures::stream;

use super::asked::{Asked, OfHolders};
use crate::engine::days::Days;
use crate::functions::{list_of_changes, list_of_levels, list_of_peaks};

/// What was asked, as a table.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    schema: SchemaRef,
    asked: Asked,
    days: Arc<Days>,
    projection: Option<Vec<usize>>,
    properties: Arc<PlanProperties>,
}

impl Leaf {
    pub(super) fn new(schema: SchemaRef, asked: Asked, days: Arc<Days>) -> Self {
        Self {
            properties: properties(Arc::clone(&schema), 1),
            projection: None,
            schema,
            asked,
            days,
        }
    }

    /// The rows that the aggregate would have.
    async fn rows(self, context: Arc<TaskContext>) -> Result<RecordBatch> {
        let memory = MemoryConsumer::new("days").register(context.memory_pool());
        // What is read of a few days at once; what they come to is small beside it, and measured when it is known.
        memory.try_grow(self.days.working_memory())?;
        let columns: Vec<ArrayRef> = match self.asked {
            Asked::Levels(asked) => {
                let levels = self.days.levels(asked).await?;
                memory.try_resize(levels.iter().map(|(_, histogram)| 3 * histogram.size()).sum())?;
                let features: Int32Array = levels.iter().map(|(feature, _)| Some(*feature)).collect();
                let lists = levels.iter().map(|(_, histogram)| list_of_levels(histogram));
                let lists: Vec<ScalarValue> = lists.collect::<Result<_>>()?;
                let lists = match lists.is_empty() {
                    true => arrow::array::new_empty_array(self.schema.field(1).data_type()),
                    false => ScalarValue::iter_to_array(lists)?,
                };
                vec![Arc::new(features), lists]
            }
            Asked::Holders(asked, columns) => {
                let holders = self.days.holders(asked).await?;
                let list = |column: &OfHolders| match column {
                    OfHolders::Users(count) => list_of_changes(&holders.users[*count]),
                    OfHolders::Hosts => list_of_peaks(&holders.hosts),
                };
                let lists = columns.iter().map(|column| list(column)?.to_array());
                lists.collect::<Result<_>>()?
            }
            Asked::Denied(asked) => {
                let denied = self.days.denied(asked).await?;
                let features: Int32Array = denied.keys().map(|(feature, _)| Some(*feature)).collect();
                let periods: TimestampMicrosecondArray = denied.keys().map(|(_, period)| Some(*period)).collect();
                let licenses: Int64Array = denied.values().map(|licenses| Some(*licenses)).collect();
                vec![Arc::new(features), Arc::new(periods), Arc::new(licenses)]
            }
        };
        let batch = RecordBatch::try_new(self.schema, columns)?;
        match self.projection {
            Some(columns) => Ok(batch.project(&columns)?),
            None => Ok(batch),
        }
    }
}

/// Of a leaf with so many parts.
pub(super) fn properties(schema: SchemaRef, parts: usize) -> Arc<PlanProperties> {
    let equivalences = EquivalenceProperties::new(schema);
    let partitioning = Partitioning::UnknownPartitioning(parts);
    Arc::new(PlanProperties::new(
        equivalences,
        partitioning,
        EmissionType::Final,
        Boundedness::Bounded,
    ))
}

#[async_trait]
impl TableProvider for Leaf {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(&self, _: &dyn Session, projection: Option<&Vec<usize>>, _: &[Expr], _: Option<usize>) -> Result<Arc<dyn ExecutionPlan>> {
        let shown = datafusion::common::project_schema(&self.schema, projection)?;
        Ok(Arc::new(Self {
            properties: properties(shown, 1),
            projection: projection.cloned(),
            ..self.clone()
        }))
    }
}

impl DisplayAs for Leaf {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.asked {
            Asked::Levels(_) => "levels",
            Asked::Holders(..) => "holders",
            Asked::Denied(_) => "denied",
        };
        write!(f, "ByDays: {what}")
    }
}

impl ExecutionPlan for Leaf {
    fn name(&self) -> &'static str {
        "ByDays"
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
            internal_err!("ByDays has no input")
        }
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self {
            days: Arc::new(self.days.anew()),
            ..Arc::unwrap_or_clone(self)
        }))
    }

    fn execute(&self, _: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = stream::once(self.clone().rows(context));
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(self.properties.eq_properties.schema()),
            rows,
        )))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(metrics(&self.days))
    }
}

/// What a leaf has read.
pub(super) fn metrics(days: &Days) -> MetricsSet {
    let scanned = Count::new();
    scanned.add(usize::try_from(days.scanned()).unwrap_or(usize::MAX));
    let mut metrics = MetricsSet::new();
    let value = MetricValue::Count {
        name: "bytes_scanned".into(),
        count: scanned,
    };
    metrics.push(Arc::new(Metric::new(value, None)));
    metrics
}
