//! The server's side: workers that are asked, kept for the next question, or killed.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::runtime::SpawnedTask;
use futures::{Stream, StreamExt as _, stream};
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::ChildStdin;

use super::frame::{self, Frame, Kind, Report, Unpacker};
use super::process::Process;
use super::watch::TOO_MUCH;
use super::{Ask, Failure};
use crate::engine::{Control, Described, EngineError, EngineResult, Planned, Progress, RowStream};

/// How workers are made.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// The program.
    pub program: PathBuf,
    /// The store.
    pub root: PathBuf,
    /// Bytes of memory that a worker may take.
    pub memory: u64,
    /// Where workers have their scratch folders.
    pub scratch: PathBuf,
    /// Bytes that a worker may put there.
    pub scratch_bytes: u64,
    /// How many parts of a query run at once.
    pub partitions: usize,
}

/// How long a worker waits for another question.
const IDLE: Duration = Duration::from_secs(30);
/// How many wait.
const MOST_IDLE: usize = 4;
/// A worker that has taken more than this is not kept: it may not give it back.
const KEPT_MEMORY: u64 = 256 * 1024 * 1024;

/// Workers.
#[derive(Debug)]
pub struct Workers {
    options: WorkerOptions,
    idle: Mutex<Vec<Worker>>,
    sweeper: Mutex<Option<SpawnedTask<()>>>,
}

impl Workers {
    /// No workers yet; they are made when they are needed.
    #[must_use]
    pub const fn new(options: WorkerOptions) -> Self {
        Self {
            options,
            idle: Mutex::new(Vec::new()),
            sweeper: Mutex::new(None),
        }
    }

    /// Bytes of memory that a worker may take.
    #[must_use]
    pub const fn memory(&self) -> u64 {
        self.options.memory
    }

    /// The rows that answer a question.
    ///
    /// # Errors
    ///
    /// When the question is not accepted, or the worker breaks. What fails later comes with the rows.
    pub async fn rows(self: &Arc<Self>, runtime: &tokio::runtime::Handle, ask: Ask, control: &Control) -> EngineResult<RowStream> {
        let (workers, progress) = (Arc::clone(self), Arc::clone(&control.progress));
        let planned = async move {
            let (mut worker, columns) = workers.ask(&ask).await?;
            let schema = worker.unpacker.columns(columns).map_err(EngineError::of_rows)?;
            Ok(Planned {
                schema,
                rows: Box::pin(rows(workers, worker, progress)),
            })
        };
        RowStream::start(runtime, control.clone(), planned).await
    }

    /// What a question takes and gives.
    ///
    /// # Errors
    ///
    /// When it is not accepted, or the worker breaks.
    pub async fn describe(self: &Arc<Self>, runtime: &tokio::runtime::Handle, ask: Ask, control: &Control) -> EngineResult<Described> {
        let workers = Arc::clone(self);
        let work = async move {
            let (mut worker, parameters) = workers.ask(&ask).await?;
            let parameters = Unpacker::default().columns(parameters).map_err(EngineError::of_rows)?;
            let Some(Frame {
                kind: Kind::Columns,
                content: columns,
                ..
            }) = worker.next().await?
            else {
                return Err(worker.post_mortem().await);
            };
            let schema: SchemaRef = worker.unpacker.columns(columns).map_err(EngineError::of_rows)?;
            if let Some(Frame { kind: Kind::End, .. }) = worker.next().await? {
                workers.keep(worker, 0);
            }
            let parameter = |field: &Arc<arrow::datatypes::Field>| {
                let known = (*field.data_type() != DataType::Null).then(|| field.data_type().clone());
                (field.name().clone(), known)
            };
            Ok(Described {
                parameters: parameters.fields().iter().map(parameter).collect(),
                schema,
            })
        };
        let work = {
            let _entered = runtime.enter();
            SpawnedTask::spawn(work)
        };
        let allowed = control.budget.time.unwrap_or(Duration::MAX);
        tokio::select! {
            described = work => described.unwrap_or(Err(EngineError::Died)),
            () = control.stop.cancelled() => Err(EngineError::Stopped),
            () = tokio::time::sleep(allowed) => Err(EngineError::OutOfTime { allowed }),
        }
    }

    /// Asks a worker; what it answers first are columns.
    async fn ask(self: &Arc<Self>, ask: &Ask) -> EngineResult<(Worker, Vec<u8>)> {
        let mut line = serde_json::to_vec(ask).map_err(|error| EngineError::Worker(error.to_string()))?;
        line.push(b'\n');
        // One that waited may have died meanwhile, through no fault of the question.
        let waited = self.idle().pop();
        if let Some(mut worker) = waited
            && let Ok(()) = worker.stdin.write_all(&line).await
            && let Ok(Some(frame)) = worker.next().await
        {
            return self.columns(worker, frame);
        }
        let mut worker = self
            .spawn()
            .map_err(|error| EngineError::Worker(format!("no process for it: {error}")))?;
        if worker.stdin.write_all(&line).await.is_err() {
            return Err(worker.post_mortem().await);
        }
        match worker.next().await? {
            Some(frame) => self.columns(worker, frame),
            None => Err(worker.post_mortem().await),
        }
    }

    fn columns(self: &Arc<Self>, worker: Worker, frame: Frame) -> EngineResult<(Worker, Vec<u8>)> {
        match frame.kind {
            Kind::Columns => Ok((worker, frame.content)),
            Kind::Failure => {
                // A question that is refused has not hurt anybody.
                self.keep(worker, 0);
                Err(failed(&frame.content))
            }
            kind => Err(EngineError::Worker(format!("{kind:?} before the columns"))),
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self) -> std::io::Result<Worker> {
        let options = &self.options;
        let scratch = tempfile::Builder::new().prefix("worker-").tempdir_in(&options.scratch)?;
        // A socket holds more than a pipe does: fewer turns of both processes for each frame.
        let (heard, answers) = std::os::unix::net::UnixStream::pair()?;
        heard.set_nonblocking(true)?;
        let heard = UnixStream::from_std(heard)?;
        let mut command = Command::new(&options.program);
        command
            .arg("sql-worker")
            .arg("--store")
            .arg(&options.root)
            .arg("--scratch")
            .arg(scratch.path())
            .arg("--memory-bytes")
            .arg(options.memory.to_string())
            .arg("--scratch-bytes")
            .arg(options.scratch_bytes.to_string())
            .arg("--partitions")
            .arg(options.partitions.to_string())
            // Huge pages make some loops over rows faster, and the process twice as large. There may be many of these.
            .env("MIMALLOC_ALLOW_THP", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::from(OwnedFd::from(answers)));
        let (process, stdin) = Process::start(&mut command, scratch)?;
        Ok(Worker {
            process,
            stdin,
            stdout: BufReader::new(heard),
            unpacker: Unpacker::default(),
            since: Instant::now(),
        })
    }

    /// Keeps a worker for the next question.
    fn keep(self: &Arc<Self>, mut worker: Worker, memory: u64) {
        if memory > KEPT_MEMORY {
            return;
        }
        worker.since = Instant::now();
        worker.unpacker = Unpacker::default();
        let mut idle = self.idle();
        if idle.len() < MOST_IDLE {
            idle.push(worker);
        }
        drop(idle);
        // A worker that waits keeps files of the store from being deleted: it must not wait for ever.
        let workers = Arc::downgrade(self);
        let sweep = async move {
            tokio::time::sleep(IDLE).await;
            if let Some(workers) = workers.upgrade() {
                workers.idle().retain(|worker| worker.since.elapsed() < IDLE);
            }
        };
        let mut sweeper = self.sweeper.lock().unwrap_or_else(PoisonError::into_inner);
        *sweeper = Some(SpawnedTask::spawn(sweep));
    }
}

impl Drop for Workers {
    /// The server ends: whatever is there must be gone by then.
    fn drop(&mut self) {
        for worker in self.idle().drain(..) {
            worker.process.kill();
        }
    }
}

/// A process that answers questions. Dropped, it is killed.
#[derive(Debug)]
struct Worker {
    process: Process,
    stdin: ChildStdin,
    stdout: BufReader<UnixStream>,
    unpacker: Unpacker,
    since: Instant,
}

impl Worker {
    async fn next(&mut self) -> EngineResult<Option<Frame>> {
        match frame::next(&mut self.stdout).await {
            // Half a frame is what a process leaves that dies while it speaks.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
            frame => frame.map_err(|error| EngineError::Worker(error.to_string())),
        }
    }

    /// Why it died.
    async fn post_mortem(self) -> EngineError {
        use std::os::unix::process::ExitStatusExt as _;
        match self.process.ended().await {
            Ok(status) if status.code() == Some(TOO_MUCH) => EngineError::Exhausted(
                "the query took more memory than a query may; ask for fewer days, groups or columns, or shorter texts and lists".to_owned(),
            ),
            Ok(status) => match status.signal() {
                Some(signal) => EngineError::Worker(format!("signal {signal}")),
                None => EngineError::Worker(status.to_string()),
            },
            Err(error) => EngineError::Worker(error.to_string()),
        }
    }
}

/// The rows that a worker says.
fn rows(workers: Arc<Workers>, worker: Worker, progress: Arc<Progress>) -> impl Stream<Item = EngineResult<RecordBatch>> + Send {
    let pieces = stream::unfold(Some((workers, worker, progress)), async |state| {
        let (workers, mut worker, progress) = state?;
        loop {
            let frame = match worker.next().await {
                Ok(Some(frame)) => frame,
                Ok(None) => return broken(&progress, worker.post_mortem().await),
                Err(error) => return broken(&progress, error),
            };
            let failure = match frame.kind {
                Kind::Rows => match worker.unpacker.unpack(frame.lane, frame.content) {
                    Ok(batches) => return Some((Ok(batches), Some((workers, worker, progress)))),
                    Err(error) => EngineError::of_rows(error),
                },
                Kind::Progress => {
                    if let Ok(report) = serde_json::from_slice::<Report>(&frame.content) {
                        progress.scanned.set(report.scanned);
                        progress.spilled.set(report.spilled);
                        progress.memory.set(report.memory);
                    }
                    continue;
                }
                Kind::End => {
                    let memory = progress.memory.get();
                    progress.memory.set(0);
                    workers.keep(worker, memory);
                    return None;
                }
                Kind::Failure => failed(&frame.content),
                Kind::Columns => EngineError::Worker("columns among the rows".to_owned()),
            };
            return broken(&progress, failure);
        }
    });
    pieces.fuse().flat_map(|batches| match batches {
        Ok(batches) => stream::iter(batches.into_iter().map(Ok).collect::<Vec<_>>()),
        Err(error) => stream::iter(vec![Err(error)]),
    })
}

/// The last that is heard of rows.
fn broken<S>(progress: &Progress, failure: EngineError) -> Option<(EngineResult<Vec<RecordBatch>>, Option<S>)> {
    progress.memory.set(0);
    Some((Err(failure), None))
}

fn failed(content: &[u8]) -> EngineError {
    match serde_json::from_slice::<Failure>(content) {
        Ok(failure) => failure.into(),
        Err(error) => EngineError::Worker(error.to_string()),
    }
}
