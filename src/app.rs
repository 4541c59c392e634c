//! Everything that runs, put together: the store, the engine and the reports.
//!
//! ```text
//!   http ─┐                      ┌─ Watcher ─▶ Snapshot
//!         ├─▶ App::prepare ─────┼─ Catalog ─▶ Prepared (tag, name, doubts) ─▶ plan
//!   cli ──┘                      └─ Engine ──▶ RowStream ─▶ Rendering (bytes)
//! ```
//!
//! This is the only place that reads the clock.

mod imports;
mod prepared;
mod queries;
mod rendering;
mod sql;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use self::imports::{ListedImport, UndoneImport, imports, undo_import};
pub use self::prepared::{Ask, Prepared};
pub use self::queries::{Bid, Queries, QueryError, QueryOptions, Running, State, Subject, Summary};
pub use self::rendering::{Rendering, Totals};
pub use self::sql::{Answer, SqlAsk};
use crate::access::Access;
use crate::engine::{Engine, EngineError, EngineOptions};
use crate::import::{ImportError, ImportOptions, Input, Tally};
use crate::metrics::Metrics;
use crate::output::EncodeError;
use crate::report::{Calendars, Catalog, ReportError};
use crate::store::{self, Grant, Snapshot, StoreError, Tokens, Watcher, Writer};
use crate::time::{Micros, Zone};
use crate::token::Token;
use crate::worker::{WorkerOptions, Workers};

/// How long a writer waits for another one before it gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What can go wrong, from whichever layer.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A report, or a request for one.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// An import.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Rows that do not fit their format.
    #[error(transparent)]
    Encoding(#[from] EncodeError),
    /// A query that did not begin.
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// How the application is put together.
#[derive(Debug, Clone, Default)]
pub struct AppOptions {
    /// How much of the machine queries may use.
    pub engine: EngineOptions,
    /// How many queries run at once, and what each may use.
    pub queries: QueryOptions,
    /// The calendars of holidays that requests may name.
    pub calendars: Calendars,
    /// The program that SQL of others runs in; this very process where there is none.
    pub worker: Option<PathBuf>,
}

/// The application.
#[derive(Debug)]
pub struct App {
    root: PathBuf,
    watcher: Mutex<Watcher>,
    engine: Engine,
    catalog: Catalog,
    calendars: Calendars,
    queries: Arc<Queries>,
    workers: Option<Arc<Workers>>,
    metrics: Arc<Metrics>,
}

impl App {
    /// Puts the application together on a store, which need not be there yet.
    ///
    /// # Errors
    ///
    /// When threads cannot be started. It must not be called on a thread of an asynchronous runtime.
    pub fn new(root: &Path, options: AppOptions) -> Result<Self, AppError> {
        // Plans name files by absolute paths.
        let root = std::path::absolute(root).map_err(StoreError::io("resolve", root))?;
        let engine = Engine::new(&options.engine)?;
        let catalog = Catalog::compile(&engine)?;
        let workers = options.worker.map(|program| {
            Arc::new(Workers::new(WorkerOptions {
                program,
                root: root.clone(),
                memory: options.queries.memory,
                scratch: options.engine.scratch.clone().unwrap_or_else(std::env::temp_dir),
                scratch_bytes: options.queries.scratch,
                partitions: options.engine.partitions,
            }))
        });
        Ok(Self {
            queries: Queries::new(options.queries),
            workers,
            watcher: Mutex::new(Watcher::new(&root)),
            metrics: Arc::new(Metrics::new(
                catalog.reports().map(|report| &*report.definition().name).chain(["sql"]),
            )),
            root,
            engine,
            catalog,
            calendars: options.calendars,
        })
    }

    /// Every report.
    #[must_use]
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What is counted while it runs.
    #[must_use]
    pub const fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The queries that wait, run and ran.
    #[must_use]
    pub const fn queries(&self) -> &Arc<Queries> {
        &self.queries
    }

    /// Bytes of memory that queries have taken, and may take.
    #[must_use]
    pub fn memory(&self) -> (u64, u64) {
        let memory = self.engine.memory();
        (memory.used(), memory.limit())
    }

    /// The store as it is now, whoever changed it.
    ///
    /// # Errors
    ///
    /// When the catalog cannot be read.
    pub fn snapshot(&self) -> Result<Arc<Snapshot>, AppError> {
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(watcher.snapshot()?)
    }

    /// Understands a request, without computing anything.
    ///
    /// # Errors
    ///
    /// When the request makes no sense.
    pub fn prepare(&self, ask: &Ask<'_>) -> Result<Prepared<'_>, AppError> {
        Prepared::new(self, ask)
    }

    /// Takes a file into the store, and makes the store if there is none.
    ///
    /// # Errors
    ///
    /// When the file makes no sense or the store fails; the store is then as it was.
    pub fn import(&self, input: Input, options: &ImportOptions) -> Result<Tally, AppError> {
        import(&self.root, input, options, &mut |_, _| {})
    }

    /// Makes a token. Whoever makes it must see all that it is to see.
    ///
    /// # Errors
    ///
    /// When the store has a token of that name, or lacks a license server that it is to see.
    pub fn create_token(&self, name: String, access: Access) -> Result<(Token, Grant), AppError> {
        Ok(create_token(&self.root, name, access)?)
    }

    /// Revokes a token: it opens nothing any more.
    ///
    /// # Errors
    ///
    /// When the store has no token of that name.
    pub fn revoke_token(&self, name: &str) -> Result<(), AppError> {
        Ok(Tokens::open(&self.root)?.delete(name)?)
    }

    /// Where the store lies.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// Takes a file into a store; a store that is not there yet gets the zone of the file.
///
/// # Errors
///
/// When the file makes no sense or the store fails; the store is then as it was.
pub fn import(
    root: &Path,
    input: Input,
    options: &ImportOptions,
    progress: &mut (dyn FnMut(usize, usize) + Send),
) -> Result<Tally, AppError> {
    let keeps_folder = root.is_dir();
    let mut is_new = false;
    if !store::exists(root) {
        match store::create(root, options.zone.unwrap_or(Zone::UTC)) {
            Ok(()) => is_new = true,
            // Another process may have been faster.
            Err(StoreError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut writer = Writer::open(root, PATIENCE)?;
    let imported = crate::import::import(&mut writer, input, options, now(), progress);
    if imported.is_err() || options.dry_run {
        // What a refused file left behind goes at once. Should that fail, the next writer does it; the answer is what matters.
        let cleaned = match is_new {
            true => store::remove_unused(root, keeps_folder),
            false => writer.sweep(),
        };
        if let Err(left) = cleaned {
            tracing::warn!(left = %left, "what an import that changed nothing left behind could not be removed");
        }
    }
    Ok(imported?)
}

/// Makes a token of a store.
///
/// # Errors
///
/// When there is no store, it has a token of that name, or it lacks a license server that the token is to see.
pub fn create_token(root: &Path, name: String, access: Access) -> Result<(Token, Grant), StoreError> {
    let token = Token::generate()?;
    let grant = Grant {
        name,
        hash: token.hash(),
        access,
        created: now(),
    };
    Tokens::open(root)?.put(&grant)?;
    Ok((token, grant))
}

/// The present.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn now() -> Micros {
    chrono::Utc::now().timestamp_micros()
}
