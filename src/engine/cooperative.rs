//! Queries that can be stopped: no step may take long.
#![expect(
    deprecated,
    reason = "operators make small batches themselves now, but the one that unfolds lists does not"
)]

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_batches::CoalesceBatchesExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::unnest::UnnestExec;

/// Makes joins yield to the scheduler and lists unfold in batches, so that a query stops soon after its stream is dropped.
///
/// DataFusion makes its other operators yield (<https://github.com/apache/datafusion/issues/19358>); remove the part about joins
/// when it does so for them. A list that is unfolded is one batch, however long it is: what comes after it gets small ones.
#[derive(Debug)]
pub(super) struct ShortSteps;

impl PhysicalOptimizerRule for ShortSteps {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| Ok(in_short_steps(node, config))).data()
    }

    fn name(&self) -> &'static str {
        "short_steps"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// An operator, made to yield if it would not.
pub(super) fn in_short_steps(node: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Transformed<Arc<dyn ExecutionPlan>> {
    if is_join(node.as_ref()) {
        Transformed::yes(Arc::new(CooperativeExec::new(node)))
    } else if node.is::<UnnestExec>() {
        let small = CoalesceBatchesExec::new(node, config.execution.batch_size.get());
        Transformed::yes(Arc::new(CooperativeExec::new(Arc::new(small))))
    } else {
        Transformed::no(node)
    }
}

fn is_join(node: &dyn ExecutionPlan) -> bool {
    node.is::<HashJoinExec>() || node.is::<NestedLoopJoinExec>() || node.is::<CrossJoinExec>() || node.is::<SortMergeJoinExec>()
}
