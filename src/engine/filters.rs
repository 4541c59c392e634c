//! Filters are moved to where rows come from, but not below an aggregate that has a row of nothing.
//!
//! ```text
//!   Filter: c = 1 AND c = 2, which is false         Without a group there is a row even if there is nothing to count: a filter
//!     Aggregate: count(*) AS c                      below would leave it, with a count of 0. So this one stays above.
//!       TableScan: sessions
//! ```
//!
//! The engine's own rule asks only whether all columns of a filter are groups, which of a filter without columns is always so.

use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// Moves filters down.
#[derive(Debug, Default)]
pub(super) struct MoveFilters(PushDownFilter);

impl OptimizerRule for MoveFilters {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match &plan {
            LogicalPlan::Filter(filter) if has_row_of_nothing(&filter.input) => Ok(Transformed::no(plan)),
            _ => self.0.rewrite(plan, config),
        }
    }
}

/// Whether a plan is an aggregate that has a row though its input has none: without groups, or with sets of them, one of which may
/// be empty. No filter with a column could be moved below it anyway.
fn has_row_of_nothing(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Aggregate(Aggregate { group_expr, .. }) => {
            group_expr.is_empty() || group_expr.iter().any(|group| matches!(group, Expr::GroupingSet(_)))
        }
        _ => false,
    }
}
