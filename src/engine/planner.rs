//! Planning of reports: what their SQL needs, and nothing else.
//!
//! ```text
//!   SQL ─▶ plan ─▶ (once) what reads better than it runs is rewritten        DISTINCT, IN (SELECT …), EXISTS …
//!          bound, refined ─▶ (each request) folded, narrowed, cut to what is used
//!                        ─▶ operators: in parts where files are read, else in one
//! ```
//!
//! The engine's own optimiser tries each of its rules up to three times over, which for a report takes longer than all of its rows.
//! And a few rows are sooner added up than shared out to threads. SQL of others is planned with all of them, and in parts. The
//! invariant: rules only choose how rows are computed, never which.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::decorrelate_lateral_join::DecorrelateLateralJoin;
use datafusion::optimizer::decorrelate_predicate_subquery::DecorrelatePredicateSubquery;
use datafusion::optimizer::eliminate_filter::EliminateFilter;
use datafusion::optimizer::extract_equijoin_predicate::ExtractEquijoinPredicate;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::optimize_unions::OptimizeUnions;
use datafusion::optimizer::propagate_empty_relation::PropagateEmptyRelation;
use datafusion::optimizer::push_down_limit::PushDownLimit;
use datafusion::optimizer::replace_distinct_aggregate::ReplaceDistinctWithAggregate;
use datafusion::optimizer::rewrite_set_comparison::RewriteSetComparison;
use datafusion::optimizer::scalar_subquery_to_join::ScalarSubqueryToJoin;
use datafusion::optimizer::simplify_expressions::SimplifyExpressions;
use datafusion::optimizer::{Optimizer, OptimizerContext, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::combine_partial_final_agg::CombinePartialFinalAggregate;
use datafusion::physical_optimizer::sanity_checker::SanityCheckPlan;
use datafusion::physical_plan::ExecutionPlan;

use super::filters::MoveFilters;
use super::one_part::InOnePart;
use super::partitions::Partitions;
use super::shortcut::Denials;

/// What plans of others are rewritten by: everything that the engine knows, in its order.
pub(super) fn rules_for_all() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    let filters: Arc<dyn OptimizerRule + Send + Sync> = Arc::new(MoveFilters::default());
    for rule in rules.iter_mut().filter(|rule| rule.name() == filters.name()) {
        *rule = Arc::clone(&filters);
    }
    rules
}

/// Plans reports.
pub(super) struct Planner {
    once: Optimizer,
    each: Optimizer,
    /// Makes operators in one part, where no files are read.
    in_one_part: SessionState,
}

impl Planner {
    pub(super) fn new(state: &SessionState) -> Self {
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
            Arc::new(MoveFilters::default()),
            Arc::new(OptimizeProjections::new()),
        ];
        let operators: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> =
            vec![Arc::new(CombinePartialFinalAggregate::new()), Arc::new(InOnePart)];
        let in_one_part = SessionStateBuilder::new()
            .with_config(state.config().clone().with_target_partitions(1))
            .with_runtime_env(Arc::clone(state.runtime_env()))
            .with_physical_optimizer_rules(operators)
            .build();
        Self {
            once: Optimizer::with_rules(once),
            each: Optimizer::with_rules(each),
            in_one_part,
        }
    }

    /// What is done to a plan once, before it is bound to a request.
    pub(super) fn prepare(&self, state: &SessionState, plan: LogicalPlan) -> Result<LogicalPlan> {
        let plan = state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {})?;
        let plan = self.once.optimize(plan, &OptimizerContext::new(), |_, _| {})?;
        // Some rules leave columns that may be null as far as they know; each request would have to look again.
        let settled = plan.transform_up_with_subqueries(|node| Ok(Transformed::yes(node.recompute_schema()?)))?;
        Ok(settled.data)
    }

    /// What is done to it for each request.
    pub(super) fn optimise(&self, state: &SessionState, plan: LogicalPlan) -> Result<LogicalPlan> {
        let context = OptimizerContext::new_with_config_options(Arc::clone(state.config_options())).with_max_passes(1);
        self.each.optimize(plan, &context, |_, _| {})
    }

    /// The operators of an optimised plan, and whether they read files, in parts.
    pub(super) async fn operators(&self, state: &SessionState, plan: &LogicalPlan) -> Result<(Arc<dyn ExecutionPlan>, bool)> {
        let reads_files = reads_files(plan)?;
        let state = if reads_files { state } else { &self.in_one_part };
        let operators = state.query_planner().create_physical_plan(plan, state).await?;
        // The engine's own rule would have seen to it.
        debug_assert!(
            reads_files
                || SanityCheckPlan::new()
                    .optimize(Arc::clone(&operators), state.config_options())
                    .is_ok(),
            "an operator does not get its rows as it needs them: {operators:?}"
        );
        Ok((operators, reads_files))
    }
}

/// Whether a plan reads more than lists, and what days know.
fn reads_files(plan: &LogicalPlan) -> Result<bool> {
    let mut reads = false;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let provider = source_as_provider(&scan.source)?;
            reads |= provider.is::<Partitions>() || provider.downcast_ref::<Denials>().is_some_and(Denials::is_long);
        }
        Ok(if reads {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    })?;
    Ok(reads)
}

impl fmt::Debug for Planner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Planner").finish_non_exhaustive()
    }
}
