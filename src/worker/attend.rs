//! The worker's side: questions come in, answers go out, until nobody asks any more.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;

use super::frame::{self, Kind, Packer, Report, Speaker};
use super::{Ask, Failure, Wants, watch};
use crate::engine::{Budget, Control, Engine, EngineError, EngineOptions, View};
use crate::store::{StoreError, Watcher};

/// What a worker may use.
#[derive(Debug, Clone)]
pub struct Allowance {
    /// Bytes of memory, all in all.
    pub memory: u64,
    /// Where it puts what does not fit into its memory.
    pub scratch: PathBuf,
    /// Bytes that it may put there.
    pub scratch_bytes: u64,
    /// How many parts of a query run at once.
    pub partitions: usize,
}

/// What a worker takes before any query, and what a query takes that nobody counts: rows on their way, pages of files.
const UNCOUNTED: u64 = 96 * 1024 * 1024;

/// How often a worker says how far a query has come.
const SPEAK: Duration = Duration::from_millis(200);

/// Plans of SQL are deep; the stack is only virtual until it is used.
const STACK: usize = 256 * 1024 * 1024;

/// Why a worker ends before it is told to.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The engine does not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Nobody listens any more, or something that is no question came in.
    #[error("the worker and its server do not understand each other")]
    Talk(#[from] std::io::Error),
}

/// Answers questions about a store until `questions` end.
///
/// # Errors
///
/// When the engine does not start, or the server is gone.
pub fn attend(root: &Path, allowance: &Allowance, questions: impl Read + Send + 'static, answers: impl Write) -> Result<(), WorkerError> {
    watch::step_back(allowance.memory);
    watch::memory(allowance.memory.saturating_add(UNCOUNTED))?;
    let counted = allowance.memory / 2;
    let engine = Engine::new(&EngineOptions {
        partitions: allowance.partitions,
        memory: counted,
        scratch: Some(allowance.scratch.clone()),
        scratch_bytes: allowance.scratch_bytes,
        stack_bytes: STACK,
        ..EngineOptions::default()
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut worker = Worker {
        engine,
        watcher: Watcher::new(root),
        counted,
        scratch_bytes: allowance.scratch_bytes,
        speaker: Speaker::new(answers),
    };
    for ask in lines(questions) {
        let ask = serde_json::from_str::<Ask>(&ask?).map_err(std::io::Error::other)?;
        runtime.block_on(worker.answer(ask))?;
    }
    Ok(())
}

/// Lines, read by a thread that ends the process when there are no more: a server that is gone wants no answers, not even the one
/// that is being made.
fn lines(source: impl Read + Send + 'static) -> impl Iterator<Item = std::io::Result<String>> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(source).lines() {
            if sender.send(line).is_err() {
                return;
            }
        }
        std::process::exit(0);
    });
    receiver.into_iter()
}

struct Worker<W: Write> {
    engine: Engine,
    watcher: Watcher,
    counted: u64,
    scratch_bytes: u64,
    speaker: Speaker<W>,
}

impl<W: Write> Worker<W> {
    async fn answer(&mut self, ask: Ask) -> std::io::Result<()> {
        let wants = ask.wants;
        let answered = match wants {
            Wants::Rows => self.rows(ask).await,
            Wants::Description => self.description(ask).await,
        };
        match answered {
            Ok(()) => self.speaker.say(Kind::End, &[]),
            Err(Trouble::Failed(failure)) => self.speaker.failure(&failure),
            Err(Trouble::Gone(error)) => Err(error),
        }
    }

    async fn rows(&mut self, ask: Ask) -> Result<(), Trouble> {
        let snapshot = self.watcher.snapshot()?;
        let view = View::of(&ask.access(), &snapshot);
        let control = Control::new(Budget::unhurried(self.counted, self.scratch_bytes));
        let mut rows = self.engine.ask(ask.question, &snapshot, &view, &control).await?;
        let mut packer = Packer::new(&rows.schema())?;
        self.speaker.say(Kind::Columns, &packer.columns())?;
        let page = rustix::param::page_size() as u64;
        let mut speak = tokio::time::interval(SPEAK);
        loop {
            let batch = tokio::select! {
                batch = rows.next() => Some(batch?),
                _ = speak.tick() => None,
            };
            let over = matches!(batch, Some(None));
            match batch {
                Some(Some(batch)) => {
                    packer.pack::<Trouble>(&batch, |lane, rows| Ok(self.speaker.say_in(lane, Kind::Rows, rows)?))?;
                }
                Some(None) | None => self.speaker.progress(Report {
                    scanned: control.progress.scanned.get(),
                    spilled: control.progress.spilled.get(),
                    memory: watch::taken(page).unwrap_or(0),
                })?,
            }
            if over {
                return Ok(());
            }
        }
    }

    async fn description(&mut self, ask: Ask) -> Result<(), Trouble> {
        let described = self.engine.describe(ask.question).await?;
        let parameters = described.parameters.into_iter();
        let parameters = parameters.map(|(name, kind)| Field::new(name, kind.unwrap_or(DataType::Null), true));
        let parameters = Arc::new(Schema::new(parameters.collect::<Vec<_>>()));
        for schema in [parameters, described.schema] {
            let columns = frame::columns(&schema)?;
            self.speaker.say(Kind::Columns, &columns)?;
        }
        Ok(())
    }
}

/// Why there is no answer: it failed, or nobody listens.
enum Trouble {
    Failed(Failure),
    Gone(std::io::Error),
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<ArrowError> for Trouble {
    fn from(error: ArrowError) -> Self {
        EngineError::of_rows(error).into()
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Broken(error.to_string()))
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Gone(error)
    }
}
