//! DataFusion, set up once: what is SQL here, and how it runs.
//!
//! ```text
//!   Snapshot ──▶ tables ──▶ bound, fenced plan ──▶ optimise ──▶ run on the engine's own threads ──▶ RowStream
//!                 View ───────┘                         (HTTP has others, and stays awake)
//! ```
//!
//! The invariant: nothing outside this module makes a session, and a [`RowStream`] that is dropped stops its query.

mod cooperative;
mod partitions;
mod stream;
mod tables;
mod view;
mod within_days;

use std::path::Path;
use std::sync::{Arc, Mutex};

use datafusion::common::tree_node::Transformed;
use datafusion::config::ConfigOptions;
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionConfig;

pub use self::stream::RowStream;
use self::tables::Tables;
pub use self::view::View;
use crate::functions;
use crate::store::Snapshot;

/// How much of the machine queries may use.
#[derive(Debug, Clone, Copy)]
pub struct EngineOptions {
    /// How many parts of a query run at once.
    pub partitions: usize,
    /// How many rows travel together.
    pub batch_rows: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            partitions: std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            batch_rows: 8192,
        }
    }
}

/// What can go wrong with a query.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The engine failed.
    #[error("the query engine failed: {0}")]
    Query(#[from] DataFusionError),
    /// The threads that queries run on could not be started.
    #[error("cannot start the threads that queries run on")]
    Threads(#[from] std::io::Error),
}

/// Plans and runs queries.
#[derive(Debug)]
pub struct Engine {
    state: SessionState,
    /// Dropped in the background: a runtime must not be dropped on a thread of another one.
    runtime: Option<tokio::runtime::Runtime>,
    tables: Mutex<Option<Arc<Tables>>>,
}

impl Engine {
    /// Sets the engine up.
    ///
    /// # Errors
    ///
    /// When threads cannot be started or functions clash.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        let mut config: SessionConfig = ConfigOptions::new().into();
        config = config
            .with_target_partitions(options.partitions.max(1))
            .with_batch_size(options.batch_rows.max(1));
        let settings = config.options_mut();
        settings.execution.time_zone = Some("UTC".to_owned());
        // The catalog's statistics of a file are all there is to know before it is read.
        settings.execution.collect_statistics = false;
        // Files are dictionaries already; views would be another copy.
        settings.execution.parquet.schema_force_view_types = false;
        let environment = RuntimeEnvBuilder::new()
            .with_metadata_cache_limit(256 * 1024 * 1024)
            .build_arc()
            .map_err(EngineError::Query)?;
        let mut state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(environment)
            .with_default_features()
            .with_physical_optimizer_rule(Arc::new(cooperative::ShortSteps))
            .build();
        functions::register(&mut state)?;
        // Plans are compiled against tables without rows; those of a snapshot take their places when a plan runs.
        let schema = state.schema_for_ref("events")?;
        for (name, table) in Tables::new(Snapshot::empty(Path::new("/")))?.providers() {
            schema.register_table(name.to_owned(), table)?;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.partitions.max(1))
            .thread_name("query")
            .thread_stack_size(16 * 1024 * 1024)
            .enable_all()
            .build()?;
        Ok(Self {
            state,
            runtime: Some(runtime),
            tables: Mutex::new(None),
        })
    }

    /// Compiles SQL against the tables of a store, whichever; [`Engine::run`] says which.
    ///
    /// # Errors
    ///
    /// When the SQL makes no sense.
    pub fn compile(&self, statement: datafusion::sql::parser::Statement) -> Result<LogicalPlan, EngineError> {
        Ok(self.runtime()?.block_on(self.state.statement_to_plan(statement))?)
    }

    /// Runs a plan on what may be seen of a snapshot. Rows come as they are computed.
    ///
    /// # Errors
    ///
    /// When the plan cannot be made to run. What fails later comes with the rows.
    pub async fn run(&self, plan: LogicalPlan, snapshot: &Arc<Snapshot>, view: &View) -> Result<RowStream, EngineError> {
        let tables = self.tables_of(snapshot)?;
        let plan = bind_tables(plan, &tables, view)?;
        let state = self.state.clone();
        let runtime = self.runtime()?;
        RowStream::start(runtime.handle(), state, plan, Arc::clone(snapshot)).await
    }

    /// What becomes of a plan before it runs, for tests.
    #[cfg(test)]
    pub(crate) fn optimised(&self, plan: &LogicalPlan) -> String {
        self.state.optimize(plan).unwrap().display_indent().to_string()
    }

    /// How a plan would run, for tests.
    #[cfg(test)]
    pub(crate) fn physical(&self, plan: &LogicalPlan) -> String {
        let physical = self.runtime().unwrap().block_on(self.state.create_physical_plan(plan)).unwrap();
        datafusion::physical_plan::displayable(physical.as_ref()).indent(false).to_string()
    }

    fn runtime(&self) -> Result<&tokio::runtime::Runtime, EngineError> {
        self.runtime
            .as_ref()
            .ok_or_else(|| EngineError::Threads(std::io::Error::other("the engine is shut down")))
    }

    /// The tables of a snapshot; those of the last one are kept.
    fn tables_of(&self, snapshot: &Arc<Snapshot>) -> Result<Arc<Tables>, EngineError> {
        let mut known = self.tables.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(tables) = &*known
            && Arc::ptr_eq(tables.snapshot(), snapshot)
        {
            return Ok(Arc::clone(tables));
        }
        let tables = Arc::new(Tables::new(Arc::clone(snapshot))?);
        *known = Some(Arc::clone(&tables));
        Ok(tables)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Puts the tables of a snapshot, behind the fence of a view, in the places of those that a plan was compiled against.
fn bind_tables(plan: LogicalPlan, tables: &Tables, view: &View) -> Result<LogicalPlan, DataFusionError> {
    let bound = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::TableScan(mut scan) => {
            // Views of the engine itself have no place here: every table is one of ours.
            debug_assert!(source_as_provider(&scan.source).is_ok());
            match tables.provider(scan.table_name.table()) {
                Some(provider) => {
                    scan.source = provider_as_source(provider);
                    Ok(Transformed::yes(view.fence(scan)?))
                }
                None => Ok(Transformed::no(LogicalPlan::TableScan(scan))),
            }
        }
        node => Ok(Transformed::no(node)),
    })?;
    Ok(bound.data)
}
