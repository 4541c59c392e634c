//! Operators that work on few rows, each in one part.
//!
//! ```text
//!   Sort, Aggregate, Window …        ─▶   Sort, Aggregate, Window …
//!     UnionExec     (in several parts)      SortExec                   where the rows must have an order that they have not
//!                                             CoalescePartitionsExec   where there are several parts and one is needed
//!                                               UnionExec
//! ```
//!
//! The engine's own rule for this also looks for what could go on at once, time and again: for a report whose days are known, that
//! takes longer than its rows. The invariant is that of both: every operator gets its rows in as many parts, and in the order, that
//! it says it needs. In the same pass they are made to yield, as [`ShortSteps`](super::cooperative::ShortSteps) does elsewhere.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::physical_expr::{LexOrdering, LexRequirement};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{Distribution, ExecutionPlan, ExecutionPlanProperties as _};

use super::cooperative::in_short_steps;

/// Gives operators their rows as they need them, and makes them yield.
#[derive(Debug)]
pub(super) struct InOnePart;

impl PhysicalOptimizerRule for InOnePart {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let parts = node.input_distribution_requirements().into_per_child();
            let needs = parts.iter().zip(node.required_input_ordering());
            let inputs = node.children().into_iter().zip(needs).map(|(input, (parts, order))| {
                let mut given = Arc::clone(input);
                if !matches!(parts, Distribution::UnspecifiedDistribution) && is_in_parts(&given) {
                    given = Arc::new(CoalescePartitionsExec::new(given));
                }
                if let Some(order) = order {
                    given = ordered(given, order.into_single())?;
                }
                Ok(given)
            });
            let inputs = inputs.collect::<Result<Vec<_>>>()?;
            let given = replace_children_if_necessary(Arc::clone(&node), inputs)?;
            let changed = !Arc::ptr_eq(&given, &node);
            // In the same pass, as each change has all operators above it made anew.
            let given = in_short_steps(given, config);
            Ok(Transformed::new_transformed(given.data, changed || given.transformed))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "InOnePart"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn is_in_parts(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.output_partitioning().partition_count() > 1
}

/// The rows in an order; each part of them, if there are several.
fn ordered(plan: Arc<dyn ExecutionPlan>, order: LexRequirement) -> Result<Arc<dyn ExecutionPlan>> {
    if plan.equivalence_properties().ordering_satisfy_requirement(order.clone())? {
        return Ok(plan);
    }
    let order = LexOrdering::new(order.into_iter().map(Into::into));
    Ok(match order {
        Some(order) => {
            let in_parts = is_in_parts(&plan);
            Arc::new(SortExec::new(order, plan).with_preserve_partitioning(in_parts))
        }
        None => plan,
    })
}
