//! What every report has in common, added to its bound plan: filters, names of features, zone, columns and order.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Column as PlanColumn, JoinType};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, ExprSchemable as _, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;

use super::{Column, ColumnType, Definition, Request};

/// What a document needs of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Handles of the columns that it shows or draws.
    pub columns: Vec<String>,
    /// Only so many rows of the ordered ones matter, also for the total.
    pub rows: Option<u64>,
}

/// The plan of a request.
pub(super) fn refine(
    definition: &Definition,
    bound: LogicalPlan,
    names: &LogicalPlan,
    (request, wanted): (&Request, &Wanted),
) -> Result<LogicalPlan, DataFusionError> {
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
    }
    for condition in &request.conditions {
        let condition = condition.expression(column(condition.column()), request.zone);
        // The rest of the plan has its types already; what is compared here needs a common one.
        let condition = ExprSimplifier::new(SimplifyContext::default()).coerce(condition, plan.schema())?;
        plan = plan.filter(condition)?;
    }
    let order = order_of(definition, request);
    let schema = Arc::clone(plan.schema());
    let needed = |known: &&Column| wanted.columns.contains(&known.name) || order.iter().any(|(handle, _)| *handle == known.name);
    let columns = request.columns(definition);
    let shown = columns.iter().filter(needed).map(|wanted| {
        let handle = column(&wanted.name);
        let handle = match wanted.kind {
            // The instant stays; the clock on the wall that it is read from is the report's.
            ColumnType::DateTime => handle.cast_to(
                &DataType::Timestamp(TimeUnit::Microsecond, Some(request.zone.name().into())),
                &schema,
            )?,
            // Whole numbers are of one kind. This also keeps the engine from what it believes of a column that was grouped by: that it
            // has each value once, even where a list was unfolded since, so that nothing else need be ordered by.
            ColumnType::Integer => handle.cast_to(&DataType::Int64, &schema)?,
            _ => handle,
        };
        Ok(handle.alias(&wanted.name))
    });
    let plan = plan.project(shown.collect::<Result<Vec<Expr>, DataFusionError>>()?)?;
    // Order comes last: the engine keeps that of the outermost sort, and may compute what stands above one in several parts.
    let order = order
        .into_iter()
        .map(|(handle, ascending)| column(handle).sort(ascending, !ascending));
    let rows = wanted.rows.map(|rows| usize::try_from(rows).unwrap_or(usize::MAX));
    plan.sort_with_limit(order, rows)?.build()
}

/// The columns to order by and whether the smallest comes first: those that were asked for, then the natural ones. What is not
/// known comes last where the smallest comes first, and first where it comes last.
fn order_of<'a>(definition: &'a Definition, request: &'a Request) -> Vec<(&'a str, bool)> {
    let asked = request.order.iter().map(|ordering| (ordering.column.as_str(), ordering.ascending));
    let mut order: Vec<(&str, bool)> = asked.collect();
    let feature = request.several_features.then_some("fid");
    for handle in feature.into_iter().chain(definition.order.iter().map(String::as_str)) {
        if !order.iter().any(|(known, _)| *known == handle) {
            order.push((handle, true));
        }
    }
    order
}

/// A column by handle: handles are no SQL and must not be taken apart like it.
fn column(handle: &str) -> Expr {
    Expr::Column(PlanColumn::new_unqualified(handle))
}
