//! Tables whose instants are on the clock of a zone, for sessions that asked for one.
//!
//! ```text
//!   planned against   instants of the zone        so that casts, date_trunc, to_char and printed times follow its clock
//!   becomes           Projection: the same instants, told in the zone
//!                     └ the table, whose instants are told in UTC          fenced and pruned as ever
//! ```
//!
//! The invariant: an instant stays the same instant; only the clock that it is read from is another one.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::common::{Column, DFSchema, internal_err};
use datafusion::datasource::{TableType, provider_as_source, source_as_provider};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::logical_plan::TableScanBuilder;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable as _, LogicalPlan, LogicalPlanBuilder, TableScan};
use datafusion::physical_plan::ExecutionPlan;

use crate::functions::Timezone;

/// A table that is told in a zone, to plan with.
#[derive(Debug)]
pub(super) struct Zoned {
    table: Arc<dyn TableProvider>,
    schema: SchemaRef,
}

impl Zoned {
    /// The table, told in a zone.
    pub(super) fn new(table: Arc<dyn TableProvider>, zone: &Arc<str>) -> Self {
        let plain = table.schema();
        let fields = plain.fields().iter().map(|field| match field.data_type() {
            DataType::Timestamp(unit, Some(_)) => {
                let kind = DataType::Timestamp(*unit, Some(Arc::clone(zone)));
                field.as_ref().clone().with_data_type(kind)
            }
            _ => field.as_ref().clone(),
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<Field>>()));
        Self { table, schema }
    }
}

#[async_trait]
impl TableProvider for Zoned {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        self.table.table_type()
    }

    async fn scan(&self, _: &dyn Session, _: Option<&Vec<usize>>, _: &[Expr], _: Option<usize>) -> Result<Arc<dyn ExecutionPlan>> {
        internal_err!("a table that is told in a zone is to plan with, not to read")
    }
}

/// Puts tables in the places of those that were planned with, and makes casts to a time without a zone read the clock.
pub(super) fn settle(plan: LogicalPlan) -> Result<LogicalPlan> {
    let settled = plan.transform_up_with_subqueries(|node| {
        let node = match node {
            LogicalPlan::TableScan(scan) => table(scan)?,
            node => Transformed::no(node),
        };
        node.transform_data(read_clocks)
    })?;
    Ok(settled.data)
}

fn table(scan: TableScan) -> Result<Transformed<LogicalPlan>> {
    let provider = source_as_provider(&scan.source)?;
    let Some(zoned) = provider.downcast_ref::<Zoned>() else {
        return Ok(Transformed::no(LogicalPlan::TableScan(scan)));
    };
    let told = Arc::clone(&scan.projected_schema);
    let source = provider_as_source(Arc::clone(&zoned.table));
    let plain = TableScanBuilder::new(scan.table_name.clone(), source)
        .with_projection(scan.projection.clone())
        .with_filters(scan.filters.clone())
        .with_fetch(scan.fetch)
        .build()?;
    let columns = told.iter().map(|(qualifier, field)| {
        let column = Expr::Column(Column::from((qualifier, field)));
        let is_told = matches!(field.data_type(), DataType::Timestamp(_, Some(_)));
        if is_told {
            Expr::Cast(Cast::new(Box::new(column), field.data_type().clone())).alias_qualified(qualifier.cloned(), field.name())
        } else {
            column
        }
    });
    let plan = LogicalPlanBuilder::from(LogicalPlan::TableScan(plain))
        .project(columns.collect::<Vec<_>>())?
        .build()?;
    Ok(Transformed::yes(plan))
}

/// The engine casts an instant to the clock of UTC, whatever its zone.
fn read_clocks(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let mut schema = DFSchema::empty();
    for input in node.inputs() {
        schema.merge(input.schema());
    }
    let names = NamePreserver::new(&node);
    node.map_expressions(|expression| {
        let name = names.save(&expression);
        let rewritten = expression.transform_up(|expression| match &expression {
            Expr::Cast(cast) if matches!(cast.field.data_type(), DataType::Timestamp(_, None)) => match cast.expr.get_type(&schema) {
                Ok(DataType::Timestamp(_, Some(zone))) if !is_utc(&zone) => {
                    let local = Timezone::wall_clock_of(&zone, (*cast.expr).clone());
                    Ok(Transformed::yes(Expr::Cast(Cast::new(
                        Box::new(local),
                        cast.field.data_type().clone(),
                    ))))
                }
                _ => Ok(Transformed::no(expression)),
            },
            _ => Ok(Transformed::no(expression)),
        })?;
        Ok(rewritten.update_data(|expression| name.restore(expression)))
    })
}

fn is_utc(zone: &str) -> bool {
    matches!(zone, "UTC" | "+00:00" | "+00" | "Z")
}
