//! Operators of requests that were answered before, kept as long as their snapshot is: who asks again need not wait for a plan.
//!
//! A plan is kept by the tag of its answer, which is another one for other rows. The invariant: what is kept never ran. Each request
//! runs a copy, with states and counts of its own.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::error::Result;
use datafusion::execution::cache::lru_queue::LruQueue;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::joins::NestedLoopJoinExec;
use datafusion::physical_plan::{ExecutionPlan, recursive_query::RecursiveQueryExec};

/// More than these are not asked for again and again. A plan takes some tens of kilobytes.
const MOST: usize = 256;

/// The plans of a snapshot.
pub(super) struct Plans {
    kept: Mutex<LruQueue<String, Arc<dyn ExecutionPlan>>>,
}

impl Plans {
    pub(super) fn new() -> Self {
        Self {
            kept: Mutex::new(LruQueue::new()),
        }
    }

    /// A copy of the plan that answers with this tag, to run once.
    pub(super) fn get(&self, tag: &String) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let plan = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(tag).cloned();
        plan.map(reset_plan_states).transpose()
    }

    /// Keeps a plan that did not run yet, if it can run more than once, and gives a copy to run.
    pub(super) fn keep(&self, tag: String, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        if !runs_again(&plan) {
            return Ok(plan);
        }
        let copy = reset_plan_states(Arc::clone(&plan))?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.put(tag, plan);
        while kept.len() > MOST {
            kept.pop();
        }
        Ok(copy)
    }
}

/// Whether all states of a plan can be set back: these operators keep theirs.
fn runs_again(plan: &Arc<dyn ExecutionPlan>) -> bool {
    !plan.is::<NestedLoopJoinExec>() && !plan.is::<RecursiveQueryExec>() && plan.children().into_iter().all(runs_again)
}

impl fmt::Debug for Plans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plans").finish_non_exhaustive()
    }
}
