//! What every report has in common, added to its bound plan: order, zone and the names of features.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Column as PlanColumn, JoinType};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, ExprSchemable as _, LogicalPlan, LogicalPlanBuilder};

use super::{Column, ColumnType, Definition, Request};

/// The plan of a request, and its columns in order.
pub(super) fn refine(
    definition: &Definition,
    bound: LogicalPlan,
    names: &LogicalPlan,
    request: &Request,
) -> Result<(LogicalPlan, Vec<Column>), DataFusionError> {
    let mut columns = Vec::new();
    let mut order: Vec<&str> = Vec::new();
    let mut plan = LogicalPlanBuilder::from(bound);
    if request.several_features {
        let on = (
            vec![PlanColumn::new_unqualified("fid")],
            vec![PlanColumn::new_unqualified("names_fid")],
        );
        plan = plan.alias("report")?.join(
            LogicalPlanBuilder::from(names.clone()).alias("named")?.build()?,
            JoinType::Inner,
            on,
            None,
        )?;
        columns.extend(Column::of_features());
        order.push("fid");
    }
    columns.extend(definition.columns.iter().cloned());
    order.extend(definition.order.iter().map(String::as_str));
    let schema = Arc::clone(plan.schema());
    let shown = columns.iter().map(|wanted| {
        let handle = column(&wanted.name);
        let handle = match wanted.kind {
            // The instant stays; the clock on the wall that it is read from is the report's.
            ColumnType::DateTime => handle.cast_to(
                &DataType::Timestamp(TimeUnit::Microsecond, Some(request.zone.name().into())),
                &schema,
            )?,
            _ => handle,
        };
        Ok(handle.alias(&wanted.name))
    });
    let plan = plan.project(shown.collect::<Result<Vec<Expr>, DataFusionError>>()?)?;
    // Order comes last: the engine keeps that of the outermost sort, and may compute what stands above one in several parts.
    // Nulls sort after everything.
    let order = order.into_iter().map(|handle| column(handle).sort(true, false));
    let plan = plan.sort(order)?.build()?;
    for column in &mut columns {
        if let (ColumnType::Period, Some(granularity)) = (column.kind, request.granularity) {
            column.kind = ColumnType::PeriodOf(granularity);
        }
    }
    Ok((plan, columns))
}

/// A column by handle: handles are no SQL and must not be taken apart like it.
fn column(handle: &str) -> Expr {
    Expr::Column(PlanColumn::new_unqualified(handle))
}
