//! DataFusion, set up once: what is SQL here, and how it runs.
//!
//! ```text
//!   Snapshot ──▶ tables ──▶ bound, fenced plan ──▶ optimise ──▶ run on the engine's own threads ──▶ RowStream
//!                 View ───────┘                         (HTTP has others, and stays awake)
//! ```
//!
//! SQL that somebody else wrote comes in through `sql`, which lets nothing in but questions about the tables.
//!
//! The invariant: nothing outside this module makes a session, and a [`RowStream`] that is dropped stops its query.

mod control;
mod cooperative;
mod days;
mod fenced;
mod filters;
mod memory;
mod one_part;
mod partitions;
mod planner;
mod plans;
mod shortcut;
mod sql;
mod stream;
mod tables;
mod view;
mod within_days;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};

use datafusion::common::tree_node::Transformed;
use datafusion::config::ConfigOptions;
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::SessionState;
use datafusion::execution::{SessionStateBuilder, TaskContext};
use datafusion::logical_expr::{LogicalPlan, TableScan};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;

pub use self::control::{Budget, Control, Count, Progress};
use self::days::{Kept, Names, Shared};
use self::memory::QueryPool;
pub use self::memory::{Memory, Taken};
use self::planner::{Planner, rules_for_all};
pub use self::sql::{Described, Dialect, Parameters, Question};
pub(crate) use self::sql::{POSTGRES_VERSION, POSTGRES_VERSION_NUMBER};
pub(crate) use self::stream::Planned;
pub use self::stream::RowStream;
use self::tables::Tables;
pub use self::tables::{PublicTable, list_names, list_rows, public_tables};
pub use self::view::View;
use self::within_days::sort_within_days;
use crate::functions;
use crate::store::Snapshot;

/// How much of the machine queries may use.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// How many parts of a query run at once.
    pub partitions: usize,
    /// How many rows travel together.
    pub batch_rows: usize,
    /// Bytes of memory for all queries of the process.
    pub memory: u64,
    /// Where queries put what does not fit into their memory; a folder of the system's where there is none.
    pub scratch: Option<PathBuf>,
    /// Bytes that all queries of the process may put there.
    pub scratch_bytes: u64,
    /// Bytes of rollups and footers of files that are kept in memory, beside that of queries.
    pub kept_bytes: u64,
    /// Whether rollups are used where they can be. Answers are the same without them.
    pub rollups: bool,
    /// Bytes of stack of each thread: SQL of others may be nested deeply.
    pub stack_bytes: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            partitions: std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            batch_rows: 8192,
            memory: 2 * 1024 * 1024 * 1024,
            scratch: None,
            scratch_bytes: 16 * 1024 * 1024 * 1024,
            kept_bytes: 256 * 1024 * 1024,
            rollups: true,
            stack_bytes: 64 * 1024 * 1024,
        }
    }
}

/// What can go wrong with a query.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The engine failed.
    #[error("the query engine failed: {0}")]
    Query(#[source] DataFusionError),
    /// The threads that queries run on could not be started.
    #[error("cannot start the threads that queries run on")]
    Threads(#[from] std::io::Error),
    /// The SQL is too long to be read.
    #[error("the SQL is {bytes} bytes long; at most {most} are accepted")]
    TooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
    /// The SQL is none, asks for what is not there, or does what it must not.
    #[error("{0}")]
    Refused(String),
    /// The SQL makes sense, but not with these rows: a division by zero, say.
    #[error("{0}")]
    Failed(String),
    /// There is not enough memory, or disk, for the query.
    #[error("{0}")]
    Exhausted(String),
    /// The query took too long.
    #[error("the query took longer than the {} s that it may take", allowed.as_secs_f64())]
    OutOfTime {
        /// How long it may take.
        allowed: std::time::Duration,
    },
    /// Somebody stopped the query.
    #[error("the query was stopped")]
    Stopped,
    /// The reader took nothing for too long.
    #[error("nobody read the rows")]
    Unread,
    /// The query ended without a word.
    #[error("the query died")]
    Died,
    /// The query brought down the process that it ran in.
    #[error("the query brought down the process that it ran in ({0}); it asks for too much at once, or is nested too deeply")]
    Worker(String),
}

impl EngineError {
    /// An error of rows on their way between processes.
    pub(crate) fn of_rows(error: arrow::error::ArrowError) -> Self {
        Self::Query(error.into())
    }
}

/// What comes of a query.
pub(crate) type EngineResult<T> = Result<T, EngineError>;

impl From<DataFusionError> for EngineError {
    fn from(error: DataFusionError) -> Self {
        match want_of(&error) {
            Some(Want::Memory) => Self::Exhausted(
                "the query ran out of memory: it needs more than it may have, or than there is now; ask for fewer days, groups or columns"
                    .to_owned(),
            ),
            Some(Want::Disk) => Self::Exhausted(
                "the query does not fit into its memory, and what did not fit is more than the disk may hold; ask for fewer days, groups or columns"
                    .to_owned(),
            ),
            None => Self::Query(error),
        }
    }
}

/// What a query may want for.
enum Want {
    Memory,
    Disk,
}

/// What a query that failed wanted for, if that is why.
fn want_of(error: &DataFusionError) -> Option<Want> {
    let root = error.find_root();
    // A limit of the disk comes as an error of writing, and a disk that is full as well.
    let text = root.to_string();
    if ["exceeded the allowable limit", "No space left on device"]
        .iter()
        .any(|reason| text.contains(reason))
    {
        return Some(Want::Disk);
    }
    matches!(root, DataFusionError::ResourcesExhausted(_)).then_some(Want::Memory)
}

/// What is left to do for a report.
enum Work {
    /// It is planned: its operators, to run once.
    Known(Arc<dyn ExecutionPlan>),
    /// Its plan, on the tables of a snapshot.
    New(LogicalPlan),
}

/// Plans and runs queries.
#[derive(Debug)]
pub struct Engine {
    state: Arc<SessionState>,
    planner: Arc<Planner>,
    /// For SQL that somebody else wrote, in its dialects.
    foreign: [OnceLock<Arc<sql::Session>>; 2],
    memory: Arc<Memory>,
    days: Arc<Shared>,
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
    pub fn new(options: &EngineOptions) -> Result<Self, EngineError> {
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
        let mut state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(environment(options)?)
            .with_default_features()
            .with_optimizer_rules(rules_for_all())
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
            .thread_stack_size(options.stack_bytes)
            .enable_all()
            .build()?;
        Ok(Self {
            planner: Arc::new(Planner::new(&state)),
            state: Arc::new(state),
            foreign: Default::default(),
            memory: Arc::new(Memory::new(options.memory)),
            days: Arc::new(Shared {
                kept: Kept::new(usize::try_from(options.kept_bytes).unwrap_or(usize::MAX)),
                rollups: options.rollups,
                parts: options.partitions.max(1),
                users: Names::new(),
                hosts: Names::new(),
            }),
            runtime: Some(runtime),
            tables: Mutex::new(None),
        })
    }

    /// The memory of all queries.
    #[must_use]
    pub const fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// Compiles SQL of our own against the tables of a store, whichever; [`Engine::run`] says which.
    ///
    /// # Errors
    ///
    /// When the SQL makes no sense.
    pub fn compile(&self, statement: datafusion::sql::parser::Statement) -> Result<LogicalPlan, EngineError> {
        let plan = self.runtime()?.block_on(self.state.statement_to_plan(statement))?;
        Ok(self.planner.prepare(&self.state, plan)?)
    }

    /// Runs the plan that answers with a tag, on what may be seen of a snapshot. It is made only if it is not known by its tag.
    /// Rows come as they are computed.
    ///
    /// # Errors
    ///
    /// When the plan cannot be made to run. What fails later comes with the rows.
    pub async fn run(
        &self,
        (tag, make): (String, impl FnOnce() -> EngineResult<LogicalPlan>),
        snapshot: &Arc<Snapshot>,
        view: &View,
        control: &Control,
    ) -> EngineResult<RowStream> {
        let tables = self.tables_of(snapshot)?;
        let work = match tables.plans().get(&tag)? {
            Some(operators) => Work::Known(operators),
            None => Work::New(bind_tables(make()?, &tables, view)?),
        };
        let (state, planner) = (Arc::clone(&self.state), Arc::clone(&self.planner));
        let context = self.context(&state, control)?;
        control
            .progress
            .withholds_scanned
            .store(view.visible().is_some(), Ordering::Relaxed);
        let (snapshot, progress) = (Arc::clone(snapshot), Arc::clone(&control.progress));
        let days = Arc::clone(&self.days);
        let planned = async move {
            let operators = match work {
                Work::Known(operators) => operators,
                Work::New(plan) => {
                    let plan = shortcut::take(planner.optimise(&state, plan)?, &snapshot, &days)?;
                    let (operators, reads_files) = planner.operators(&state, &plan).await?;
                    let operators = sort_within_days(operators, snapshot.zone())?;
                    // Those that read files are large, and read for longer than they are planned.
                    if reads_files {
                        operators
                    } else {
                        tables.plans().keep(tag, operators)?
                    }
                }
            };
            stream::execute(operators, context, snapshot, progress)
        };
        RowStream::start(self.runtime()?.handle(), control.clone(), planned).await
    }

    /// Runs SQL that somebody else wrote, on what may be seen of a snapshot.
    ///
    /// # Errors
    ///
    /// When it is not accepted or cannot be made to run. What fails later comes with the rows.
    pub async fn ask(
        &self,
        question: Question,
        snapshot: &Arc<Snapshot>,
        view: &View,
        control: &Control,
    ) -> Result<RowStream, EngineError> {
        let session = self.foreign(question.dialect)?;
        let tables = self.tables_of(snapshot)?;
        let mut state = session.state_in(question.zone)?.into_owned();
        if view.visible().is_some() {
            // Side by side, rows and errors come in an order that hidden rows would change.
            state.config_mut().options_mut().execution.target_partitions = 1;
        }
        let context = self.context(&state, control)?;
        let (snapshot, view, progress) = (Arc::clone(snapshot), view.clone(), Arc::clone(&control.progress));
        let planned = async move {
            let plan = session.plan(&question).await?;
            let plan = session.bind(plan, &question)?;
            let plan = bind_barrier(plan, &tables, &view)?;
            let root = snapshot.root().to_owned();
            let optimised = state.optimize(&plan).map_err(EngineError::from).map_err(sql::blame_rows)?;
            let run = async {
                let operators = state.query_planner().create_physical_plan(&optimised, &state).await?;
                let operators = sort_within_days(operators, snapshot.zone())?;
                stream::execute(operators, context, snapshot, progress)
            };
            let Planned { schema, rows } = run.await.map_err(|error| sql::disclosed(error, &view))?;
            Ok(Planned {
                schema,
                rows: sql::fenced(rows, &plan, &view, &root),
            })
        };
        RowStream::start(self.runtime()?.handle(), control.clone(), planned).await
    }

    /// What SQL that somebody else wrote takes and gives, without running it.
    ///
    /// # Errors
    ///
    /// When it is not accepted.
    pub async fn describe(&self, question: Question) -> Result<Described, EngineError> {
        let session = self.foreign(question.dialect)?;
        let work = self.runtime()?.spawn(async move { session.describe(&question).await });
        work.await.unwrap_or(Err(EngineError::Died))
    }

    /// What becomes of a plan before it runs, for tests.
    #[cfg(test)]
    pub(crate) fn optimised(&self, plan: &LogicalPlan) -> String {
        self.planner
            .optimise(&self.state, plan.clone())
            .unwrap()
            .display_indent()
            .to_string()
    }

    /// What becomes of it on the rows of a snapshot, for tests.
    #[cfg(test)]
    pub(crate) fn shortened(&self, plan: &LogicalPlan, snapshot: &Arc<Snapshot>) -> String {
        let optimised = self.planner.optimise(&self.state, plan.clone()).unwrap();
        shortcut::take(optimised, snapshot, &self.days)
            .unwrap()
            .display_indent()
            .to_string()
    }

    /// How a plan would run, for tests.
    #[cfg(test)]
    pub(crate) fn physical(&self, plan: &LogicalPlan) -> String {
        let optimised = self.planner.optimise(&self.state, plan.clone()).unwrap();
        let physical = self.planner.operators(&self.state, &optimised);
        let (physical, _) = self.runtime().unwrap().block_on(physical).unwrap();
        datafusion::physical_plan::displayable(physical.as_ref()).indent(false).to_string()
    }

    /// The threads that queries run on.
    ///
    /// # Errors
    ///
    /// When the engine is shut down.
    pub fn threads(&self) -> Result<&tokio::runtime::Handle, EngineError> {
        Ok(self.runtime()?.handle())
    }

    fn runtime(&self) -> Result<&tokio::runtime::Runtime, EngineError> {
        self.runtime
            .as_ref()
            .ok_or_else(|| EngineError::Threads(std::io::Error::other("the engine is shut down")))
    }

    /// What a query runs in: memory of its own, all else shared.
    fn context(&self, state: &SessionState, control: &Control) -> Result<Arc<TaskContext>, EngineError> {
        let pool = QueryPool::new(control.budget.memory, Arc::clone(&self.memory), Arc::clone(&control.progress));
        let environment = RuntimeEnvBuilder::from_runtime_env(state.runtime_env())
            .with_memory_pool(Arc::new(pool))
            .build_arc()?;
        Ok(Arc::new(TaskContext::from(state).with_runtime(environment)))
    }

    /// The session for SQL of others, made when the first of it comes.
    fn foreign(&self, dialect: Dialect) -> Result<Arc<sql::Session>, EngineError> {
        let place = &self.foreign[dialect as usize];
        if let Some(session) = place.get() {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(sql::Session::new(&self.state, dialect)?);
        Ok(Arc::clone(place.get_or_init(|| session)))
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

/// What queries share: caches of files, and a folder for what does not fit into memory.
fn environment(options: &EngineOptions) -> Result<Arc<RuntimeEnv>, EngineError> {
    let mode = match &options.scratch {
        Some(folder) => DiskManagerMode::Directories(vec![folder.clone()]),
        None => DiskManagerMode::OsTmpDirectory,
    };
    let disk = DiskManagerBuilder::default()
        .with_mode(mode)
        .with_max_temp_directory_size(options.scratch_bytes);
    Ok(RuntimeEnvBuilder::new()
        .with_metadata_cache_limit(256 * 1024 * 1024)
        .with_disk_manager_builder(disk)
        .build_arc()?)
}

/// Puts the tables of a snapshot, behind the fence of a view, in the places of those that a plan was compiled against.
fn bind_tables(plan: LogicalPlan, tables: &Tables, view: &View) -> Result<LogicalPlan, DataFusionError> {
    let bound = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::TableScan(mut scan) if !is_work_table(&scan) => match tables.provider(scan.table_name.table()) {
            Some(provider) => {
                scan.source = provider_as_source(provider);
                Ok(Transformed::yes(view.fence(scan)?))
            }
            None => Ok(Transformed::no(LogicalPlan::TableScan(scan))),
        },
        node => Ok(Transformed::no(node)),
    })?;
    Ok(bound.data)
}

/// Puts the tables of a snapshot, as a view shows them, in the places of those that SQL of somebody else was planned against.
/// Nothing of that SQL goes below them.
fn bind_barrier(plan: LogicalPlan, tables: &Tables, view: &View) -> Result<LogicalPlan, DataFusionError> {
    if view.is_everything() {
        return bind_tables(plan, tables, view);
    }
    let bound = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::TableScan(mut scan) if !is_work_table(&scan) => match tables.fenced(scan.table_name.table(), view)? {
            Some(provider) => {
                scan.source = provider_as_source(provider);
                Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
            }
            None => Ok(Transformed::no(LogicalPlan::TableScan(scan))),
        },
        node => Ok(Transformed::no(node)),
    })?;
    Ok(bound.data)
}

/// Whether a scan is of what a recursive query has found so far, which may be called like one of our tables.
fn is_work_table(scan: &TableScan) -> bool {
    source_as_provider(&scan.source).is_ok_and(|provider| provider.is::<CteWorkTable>())
}
