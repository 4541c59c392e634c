//! Shortcuts: aggregates of a plan that are computed a day at a time, from rollups where they can be.
//!
//! ```text
//!   Aggregate: time_at_level(started, ended, licenses, hours)          TableScan: shortcut
//!     Filter: feature_id IN (…), started < …, ended > …         ─▶       (one leaf: Days)
//!       TableScan: sessions
//! ```
//!
//! And denials of a few features come from what was read of them before.
//!
//! A plan is looked at when it is optimised: everything is folded, and filters stand where rows come from. What is not understood
//! to the last expression stays as it is. The invariant: rows are the same either way, but that a feature of which nothing was in
//! use has no row instead of one with an empty list.

mod asked;
mod denials;
mod leaf;

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder};

use self::asked::{Asked, few_denials};
pub(super) use self::denials::Denials;
use self::leaf::Leaf;
use super::days::{Days, Shared};
use crate::store::Snapshot;

/// Puts leaves in the places of the aggregates that days know.
pub(super) fn take(plan: LogicalPlan, snapshot: &Arc<Snapshot>, shared: &Arc<Shared>) -> Result<LogicalPlan> {
    plan.transform_down(|node| {
        let aggregate = match node {
            LogicalPlan::Aggregate(ref aggregate) => aggregate,
            LogicalPlan::TableScan(mut scan) => {
                let Some((features, from, until)) = few_denials(&scan, snapshot) else {
                    return Ok(Transformed::no(LogicalPlan::TableScan(scan)));
                };
                let days = Arc::new(Days::new(Arc::clone(snapshot), Arc::clone(shared)));
                let wanted = days.days_with_denials(from, until);
                scan.source = provider_as_source(Arc::new(Denials::new(denials::schema(), features, &wanted, days)));
                return Ok(Transformed::yes(LogicalPlan::TableScan(scan)));
            }
            node => return Ok(Transformed::no(node)),
        };
        match Asked::of(aggregate, snapshot) {
            Some(asked) => {
                let days = Arc::new(Days::new(Arc::clone(snapshot), Arc::clone(shared)));
                Ok(Transformed::yes(leaf_of(aggregate, asked, days)?))
            }
            None => Ok(Transformed::no(node)),
        }
    })
    .data()
}

/// A leaf whose columns are called as those of the aggregate.
fn leaf_of(aggregate: &Aggregate, asked: Asked, days: Arc<Days>) -> Result<LogicalPlan> {
    let schema = Arc::new(aggregate.schema.as_arrow().clone());
    let leaf = Leaf::new(Arc::clone(&schema), asked, days);
    let scan = LogicalPlanBuilder::scan("shortcut", provider_as_source(Arc::new(leaf)), None)?;
    let columns = aggregate.schema.iter().map(|(qualifier, field)| {
        let column = Expr::Column(Column::new(Some("shortcut"), field.name()));
        match qualifier {
            Some(_) => column.alias_qualified(qualifier.cloned(), field.name()),
            None => column.alias(field.name()),
        }
    });
    scan.project(columns.collect::<Vec<_>>())?.build()
}
