//! Planning of reports: what their SQL needs, and nothing else.
//!
//! ```text
//!   SQL ─▶ plan ─▶ (once) what reads better than it runs is rewritten        DISTINCT, IN (SELECT …), EXISTS …
//!          bound, refined ─▶ (each request) folded, narrowed, cut to what is used
//! ```
//!
//! The engine's own optimiser tries each of its rules up to three times over, which for a report takes longer than all of its rows.
//! SQL of others is planned with all of them. The invariant: rules only choose how rows are computed, never which.

use std::fmt;
use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::common_subexpr_eliminate::CommonSubexprEliminate;
use datafusion::optimizer::decorrelate_lateral_join::DecorrelateLateralJoin;
use datafusion::optimizer::decorrelate_predicate_subquery::DecorrelatePredicateSubquery;
use datafusion::optimizer::eliminate_filter::EliminateFilter;
use datafusion::optimizer::extract_equijoin_predicate::ExtractEquijoinPredicate;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::optimize_unions::OptimizeUnions;
use datafusion::optimizer::propagate_empty_relation::PropagateEmptyRelation;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::push_down_limit::PushDownLimit;
use datafusion::optimizer::replace_distinct_aggregate::ReplaceDistinctWithAggregate;
use datafusion::optimizer::rewrite_set_comparison::RewriteSetComparison;
use datafusion::optimizer::scalar_subquery_to_join::ScalarSubqueryToJoin;
use datafusion::optimizer::simplify_expressions::SimplifyExpressions;
use datafusion::optimizer::{Optimizer, OptimizerContext, OptimizerRule};

/// Plans reports.
pub(super) struct Planner {
    once: Optimizer,
    each: Optimizer,
}

impl Planner {
    pub(super) fn new() -> Self {
        let once: Vec<Arc<dyn OptimizerRule + Send + Sync>> = vec![
            Arc::new(RewriteSetComparison::new()),
            Arc::new(ReplaceDistinctWithAggregate::new()),
            Arc::new(DecorrelatePredicateSubquery::new()),
            Arc::new(ScalarSubqueryToJoin::new()),
            Arc::new(DecorrelateLateralJoin::new()),
            Arc::new(ExtractEquijoinPredicate::new()),
        ];
        let each: Vec<Arc<dyn OptimizerRule + Send + Sync>> = vec![
            Arc::new(OptimizeUnions::new()),
            Arc::new(SimplifyExpressions::new()),
            Arc::new(EliminateFilter::new()),
            Arc::new(PropagateEmptyRelation::new()),
            Arc::new(PushDownLimit::new()),
            Arc::new(PushDownFilter::new()),
            Arc::new(CommonSubexprEliminate::new()),
            Arc::new(OptimizeProjections::new()),
        ];
        Self {
            once: Optimizer::with_rules(once),
            each: Optimizer::with_rules(each),
        }
    }

    /// What is done to a plan once, before it is bound to a request.
    pub(super) fn prepare(&self, state: &SessionState, plan: LogicalPlan) -> Result<LogicalPlan> {
        let plan = state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {})?;
        self.once.optimize(plan, &OptimizerContext::new(), |_, _| {})
    }

    /// What is done to it for each request.
    pub(super) fn optimise(&self, state: &SessionState, plan: LogicalPlan) -> Result<LogicalPlan> {
        // Conditions of a request have types of their own.
        let plan = state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {})?;
        let context = OptimizerContext::new_with_config_options(Arc::clone(state.config_options())).with_max_passes(1);
        self.each.optimize(plan, &context, |_, _| {})
    }
}

impl fmt::Debug for Planner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Planner").finish_non_exhaustive()
    }
}
