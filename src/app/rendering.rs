//! A report on its way out, piece by piece.
//!
//! ```text
//!   RowStream ─▶ Page (what is shown) ─▶ batch ─▶ encoder ─▶ piece           a format that has to know what stands before
//!                                     ├▶ batch ─▶ lines ──▶ piece ┐
//!                                     └▶ batch ─▶ lines ──▶ piece ┴▶ in order   one that has no need to
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use futures::FutureExt as _;
use tokio::task::{JoinHandle, spawn_blocking};

use super::{AppError, Running};
use crate::engine::RowStream;
use crate::output::{Document, EncodeError, Encoder, Ending, Format, Rows};

/// How many batches are written at once, or wait for the reader once they are.
const AT_ONCE: usize = 3;

/// A report as bytes. Its first piece is there from the start, so that what fails at once can still be told properly;
/// what fails later ends the pieces with an error, never with an end that looks whole.
///
/// Bytes are made on threads that may take their time: a workbook is compressed as a whole, and nobody else waits for it.
pub struct Rendering {
    rows: RowStream,
    /// Away while it works.
    encoder: Option<Box<dyn Encoder>>,
    /// Who writes batches several at a time, where that can be.
    lines: Option<Lines>,
    page: Page,
    next: Option<Bytes>,
    state: State,
    running: Running,
}

/// What an answer came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Rows that were written.
    pub rows: u64,
    /// Bytes of files that were read.
    pub scanned: u64,
    /// Bytes that were put on the disk for want of memory.
    pub spilled: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Rows,
    End,
    Whole,
}

impl std::fmt::Debug for Rendering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendering")
            .field("page", &self.page)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Batches that are written several at a time.
struct Lines {
    writer: Arc<dyn Rows>,
    /// Those that are being written, in order.
    working: VecDeque<JoinHandle<Result<Vec<u8>, EncodeError>>>,
    /// Whether no batch was given to be written yet.
    first: bool,
    /// How long the longest piece is so far: the next ones get room for as much at once.
    longest: usize,
    /// How the rows ended, once they have; told when all before them is written.
    over: Option<Result<(), AppError>>,
}

/// What an encoder is asked to do.
enum Step {
    Begin,
    Rows(RecordBatch),
    End(u64),
}

impl Rendering {
    pub(super) async fn start(
        rows: RowStream,
        document: Document,
        format: &'static dyn Format,
        running: Running,
    ) -> Result<Self, AppError> {
        let page = Page {
            skip: document.offset,
            take: document.limit,
            shown: 0,
            total: 0,
        };
        let encoder = format.encoder(document);
        let mut rendering = Self {
            rows,
            page,
            lines: encoder.rows_alone().map(Lines::new),
            encoder: Some(encoder),
            next: None,
            state: State::Rows,
            running,
        };
        let first = rendering.first().await.map_err(|error| rendering.running.fail(error))?;
        rendering.next = Some(first.into());
        Ok(rendering)
    }

    async fn first(&mut self) -> Result<Vec<u8>, AppError> {
        let (begun, _) = self.encode(Step::Begin, Vec::new()).await?;
        self.fill(begun).await
    }

    /// What the query is known by.
    #[must_use]
    pub fn query(&self) -> &str {
        self.running.id()
    }

    /// What the answer has come to so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let progress = &self.running.control().progress;
        Totals {
            rows: self.page.shown,
            scanned: progress.scanned.get(),
            spilled: progress.spilled.get(),
        }
    }

    /// The next piece; nothing after the last.
    ///
    /// # Errors
    ///
    /// When the query fails; there is no piece after that.
    pub async fn next(&mut self) -> Result<Option<Bytes>, AppError> {
        if let Some(first) = self.next.take() {
            return Ok((!first.is_empty()).then_some(first));
        }
        let piece = self.fill(Vec::new()).await.map_err(|error| self.running.fail(error))?;
        if self.state == State::Whole {
            self.running.is_done();
        }
        Ok((!piece.is_empty()).then(|| piece.into()))
    }

    /// Writes the next rows, or the end; at least one byte more, unless all is written.
    async fn fill(&mut self, mut out: Vec<u8>) -> Result<Vec<u8>, AppError> {
        let before = out.len();
        while out.len() == before && self.state != State::Whole {
            if self.state == State::Rows
                && let Some(lines) = &mut self.lines
            {
                match lines.next(&mut self.rows, &mut self.page).await? {
                    None => self.state = State::End,
                    Some(piece) if out.is_empty() => out = piece,
                    Some(piece) => out.extend_from_slice(&piece),
                }
            } else if self.state == State::Rows {
                let batch = self.rows.next().await?;
                match batch {
                    None => self.state = State::End,
                    Some(batch) => {
                        if let Some(shown) = self.page.cut(&batch) {
                            (out, _) = self.encode(Step::Rows(shown), out).await?;
                        }
                    }
                }
            } else {
                let ending;
                (out, ending) = self.encode(Step::End(self.page.total), out).await?;
                if ending == Ending::Whole {
                    self.state = State::Whole;
                }
            }
        }
        Ok(out)
    }

    async fn encode(&mut self, step: Step, mut out: Vec<u8>) -> Result<(Vec<u8>, Ending), AppError> {
        let mut encoder = self.encoder.take().ok_or_else(died)?;
        let work = spawn_blocking(move || {
            let done = match step {
                Step::Begin => encoder.begin(&mut out).map(|()| Ending::More),
                Step::Rows(batch) => encoder.rows(&batch, &mut out).map(|()| Ending::More),
                Step::End(total) => encoder.end(total, &mut out),
            };
            done.map(|ending| (encoder, out, ending))
        });
        let (encoder, out, ending) = work.await.map_err(|_panicked| died())??;
        self.encoder = Some(encoder);
        Ok((out, ending))
    }
}

impl Lines {
    const fn new(writer: Arc<dyn Rows>) -> Self {
        Self {
            writer,
            working: VecDeque::new(),
            first: true,
            longest: 0,
            over: None,
        }
    }

    /// The next piece that is written; nothing after the last. Meanwhile those after it are written as well, as far as there are
    /// rows for them.
    async fn next(&mut self, rows: &mut RowStream, page: &mut Page) -> Result<Option<Vec<u8>>, AppError> {
        while self.over.is_none() && self.working.len() < AT_ONCE {
            // Also when no further row is shown: what the answer came to is known at the end, which a limit brings near.
            let batch = if self.working.is_empty() {
                rows.next().await
            } else {
                match rows.next().now_or_never() {
                    Some(batch) => batch,
                    None => break,
                }
            };
            match batch {
                Ok(Some(batch)) => {
                    if let Some(shown) = page.cut(&batch) {
                        self.begin(shown);
                    }
                }
                Ok(None) => self.over = Some(Ok(())),
                Err(error) => self.over = Some(Err(error.into())),
            }
        }
        match self.working.pop_front() {
            Some(work) => {
                let piece = work.await.map_err(|_panicked| died())??;
                self.longest = self.longest.max(piece.len());
                Ok(Some(piece))
            }
            None => self.over.take().unwrap_or(Ok(())).map(|()| None),
        }
    }

    fn begin(&mut self, batch: RecordBatch) {
        let (writer, first) = (Arc::clone(&self.writer), std::mem::take(&mut self.first));
        // Pieces are alike, but for a few bytes.
        let room = self.longest + self.longest / 32;
        self.working.push_back(spawn_blocking(move || {
            let mut out = Vec::with_capacity(room);
            writer.rows(&batch, first, &mut out)?;
            Ok(out)
        }));
    }
}

fn died() -> EncodeError {
    EncodeError::Scratch(std::io::Error::other("the encoder died"))
}

/// Which rows are shown, and how many there are.
#[derive(Debug)]
struct Page {
    skip: u64,
    take: Option<u64>,
    shown: u64,
    total: u64,
}

impl Page {
    /// The rows of a batch that are shown.
    fn cut(&mut self, batch: &RecordBatch) -> Option<RecordBatch> {
        let rows = batch.num_rows() as u64;
        self.total += rows;
        let skipped = self.skip.min(rows);
        self.skip -= skipped;
        let shown = self.take.map_or(rows - skipped, |take| take.min(rows - skipped));
        self.shown += shown;
        if let Some(take) = &mut self.take {
            *take -= shown;
        }
        let place = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
        (shown > 0).then(|| batch.slice(place(skipped), place(shown)))
    }
}
