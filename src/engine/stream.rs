//! The rows of a query, as they come.
//!
//! ```text
//!   plan ──▶ operators ──▶ pump ──(at most two batches wait)──▶ RowStream ──▶ whoever reads
//!                           │ clock, stop, a reader that is gone or takes nothing
//! ```
//!
//! The invariant: rows end with a word that they are all there. A stream that ends without it has failed, whatever became of
//! the query: it is never taken for whole.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::{ExecutionPlan, displayable, execute_stream};
use futures::{Stream, StreamExt as _, stream};
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument as _;

use super::control::{Clock, Control, Progress};
use super::memory::Taken;
use super::{EngineError, EngineResult};
use crate::store::Snapshot;

/// A query that runs. Dropping it stops the query.
#[derive(Debug)]
pub struct RowStream {
    schema: SchemaRef,
    rows: mpsc::Receiver<Piece>,
    /// What rows are called by whoever reads them, if not as they are.
    renamed: Option<SchemaRef>,
    /// Given back when nobody reads any more.
    held: Option<Taken>,
    _task: SpawnedTask<()>,
}

/// A part of an answer: rows, or, once, the word that these were all.
type Piece = EngineResult<Option<RecordBatch>>;

/// How many batches may wait for a slow reader.
const WAITING: usize = 2;

/// How often it is looked how far a query has come.
const LOOK: Duration = Duration::from_millis(250);

/// A query that is planned: how its rows look, and they themselves.
pub(crate) struct Planned<S> {
    pub(crate) schema: SchemaRef,
    pub(crate) rows: S,
}

impl RowStream {
    /// Plans a query and starts it, on the threads of a runtime.
    pub(crate) async fn start<S>(
        runtime: &tokio::runtime::Handle,
        control: Control,
        plan: impl Future<Output = EngineResult<Planned<S>>> + Send + 'static,
    ) -> EngineResult<Self>
    where
        S: Stream<Item = EngineResult<RecordBatch>> + Send + Unpin + 'static,
    {
        let (planned, schema) = oneshot::channel();
        let (sender, rows) = mpsc::channel(WAITING + 1);
        let task = {
            let _entered = runtime.enter();
            SpawnedTask::spawn(run(control, plan, planned, sender).in_current_span())
        };
        let schema = schema.await.unwrap_or(Err(EngineError::Died))?;
        Ok(Self {
            schema,
            rows,
            renamed: None,
            held: None,
            _task: task,
        })
    }

    /// The same rows with columns of other names.
    #[must_use]
    pub(crate) fn renamed(self, schema: SchemaRef) -> Self {
        Self {
            renamed: Some(schema),
            ..self
        }
    }

    /// The same rows, that hold this memory.
    #[must_use]
    pub(crate) fn holding(self, memory: Taken) -> Self {
        Self {
            held: Some(memory),
            ..self
        }
    }

    /// The columns of the rows.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(self.renamed.as_ref().unwrap_or(&self.schema))
    }

    /// The next rows; nothing when there are no more.
    ///
    /// # Errors
    ///
    /// When the query fails.
    pub async fn next(&mut self) -> EngineResult<Option<RecordBatch>> {
        let batch = self.rows.recv().await.unwrap_or(Err(EngineError::Died))?;
        if batch.is_none() {
            self.held = None;
        }
        match (batch, &self.renamed) {
            (Some(batch), Some(schema)) => {
                let renamed = RecordBatch::try_new(Arc::clone(schema), batch.columns().to_vec());
                Ok(Some(renamed.map_err(EngineError::of_rows)?))
            }
            (batch, _) => Ok(batch),
        }
    }
}

async fn run<S>(
    control: Control,
    plan: impl Future<Output = EngineResult<Planned<S>>> + Send + 'static,
    mut planned: oneshot::Sender<EngineResult<SchemaRef>>,
    sender: mpsc::Sender<Piece>,
) where
    S: Stream<Item = EngineResult<RecordBatch>> + Send + Unpin + 'static,
{
    let clock = Clock::start(&control.budget);
    let plan = tokio::select! {
        // What ends a query comes before what goes on with it.
        biased;
        () = planned.closed() => return,
        () = control.stop.cancelled() => Err(EngineError::Stopped),
        error = clock.up() => Err(error),
        plan = plan => plan,
    };
    // Nobody waits any more if telling fails.
    match plan {
        Err(error) => drop(planned.send(Err(error))),
        Ok(Planned { schema, rows }) => {
            if planned.send(Ok(schema)).is_ok() {
                pump(&control, clock, rows, sender).await;
            }
        }
    }
}

/// Hands rows to their reader for as long as the query may.
async fn pump<S>(control: &Control, mut clock: Clock, mut rows: S, sender: mpsc::Sender<Piece>)
where
    S: Stream<Item = EngineResult<RecordBatch>> + Send + Unpin,
{
    // There is room for the last word, whether the reader takes anything or not.
    let Ok(last_word) = sender.clone().reserve_owned().await else {
        return;
    };
    let ended = loop {
        // Where nobody reads any more, the query must not run until its next batch.
        let batch = tokio::select! {
            biased;
            () = sender.closed() => return,
            () = control.stop.cancelled() => break Err(EngineError::Stopped),
            error = clock.up() => break Err(error),
            batch = rows.next() => batch,
        };
        let batch = match batch {
            None => break Ok(None),
            Some(Err(error)) => break Err(error),
            Some(Ok(batch)) => batch,
        };
        control.progress.rows.add(batch.num_rows() as u64);
        let waiting = Instant::now();
        tokio::select! {
            sent = sender.send(Ok(Some(batch))) => if sent.is_err() { return },
            () = control.stop.cancelled() => break Err(EngineError::Stopped),
            error = out_of_patience(control) => break Err(error),
        }
        clock.give_back(waiting.elapsed());
    };
    // What the query holds is given back before its reader hears of the end.
    drop(rows);
    let _gone = last_word.send(ended);
}

/// Done when the reader has taken nothing for too long.
async fn out_of_patience(control: &Control) -> EngineError {
    match control.budget.patience {
        Some(patience) => tokio::time::sleep(patience).await,
        None => std::future::pending().await,
    }
    EngineError::Unread
}

/// Starts operators, which run once.
pub(super) fn execute(
    operators: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    snapshot: Arc<Snapshot>,
    progress: Arc<Progress>,
) -> EngineResult<Planned<impl Stream<Item = EngineResult<RecordBatch>> + Send + Unpin + use<>>> {
    tracing::debug!(plan = %displayable(operators.as_ref()).indent(false), "query");
    let rows = execute_stream(Arc::clone(&operators), context)?;
    Ok(Planned {
        schema: rows.schema(),
        rows: observed(rows, operators, snapshot, progress),
    })
}

/// The rows of operators, with a look at the operators now and then.
fn observed(
    rows: SendableRecordBatchStream,
    physical: Arc<dyn ExecutionPlan>,
    // Held until the last row: its files must not go away.
    snapshot: Arc<Snapshot>,
    progress: Arc<Progress>,
) -> impl Stream<Item = EngineResult<RecordBatch>> + Send + Unpin {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let rows = stream::unfold((rows, looks, physical, snapshot), move |mut state| {
        let progress = Arc::clone(&progress);
        async move {
            let (rows, looks, physical, _) = &mut state;
            let batch = loop {
                tokio::select! {
                    biased;
                    batch = rows.next() => break batch,
                    _ = looks.tick() => look(physical.as_ref(), &progress),
                }
            };
            if batch.is_none() {
                look(physical.as_ref(), &progress);
            }
            Some((batch?.map_err(EngineError::from), state))
        }
    });
    Box::pin(rows.fuse())
}

/// Writes down how far operators have come.
fn look(physical: &dyn ExecutionPlan, progress: &Progress) {
    let (mut scanned, mut spilled) = (0, 0);
    let mut waiting = vec![physical];
    while let Some(operator) = waiting.pop() {
        if let Some(metrics) = operator.metrics() {
            spilled += metrics.spilled_bytes().unwrap_or(0) as u64;
            scanned += metrics.sum_by_name("bytes_scanned").map_or(0, |value| value.as_usize()) as u64;
        }
        waiting.extend(operator.children().into_iter().map(AsRef::as_ref));
    }
    if !progress.withholds_scanned.load(Ordering::Relaxed) {
        progress.scanned.set(scanned);
    }
    progress.spilled.set(spilled);
}

#[cfg(test)]
mod tests {
    use arrow::array::Int32Array;
    use arrow::datatypes::Schema;

    use super::super::control::Budget;
    use super::*;

    fn batch() -> RecordBatch {
        RecordBatch::try_from_iter([("n", Arc::new(Int32Array::from(vec![1, 2, 3])) as arrow::array::ArrayRef)]).unwrap()
    }

    fn control(time: Option<u64>, patience: Option<u64>) -> Control {
        Control::new(Budget {
            time: time.map(Duration::from_millis),
            patience: patience.map(Duration::from_millis),
            ..Budget::unhurried(0, 0)
        })
    }

    async fn start<S>(control: &Control, rows: S) -> RowStream
    where
        S: Stream<Item = EngineResult<RecordBatch>> + Send + Unpin + 'static,
    {
        let plan = async {
            Ok(Planned {
                schema: Arc::new(Schema::empty()),
                rows,
            })
        };
        RowStream::start(&tokio::runtime::Handle::current(), control.clone(), plan)
            .await
            .unwrap()
    }

    /// Rows, and then nothing, for ever.
    fn endless(batches: usize) -> impl Stream<Item = EngineResult<RecordBatch>> + Send + Unpin {
        stream::iter((0..batches).map(|_| Ok(batch()))).chain(stream::pending())
    }

    #[tokio::test]
    async fn rows_end_with_a_word() {
        let control = control(None, None);
        let mut rows = start(&control, stream::iter([Ok(batch()), Ok(batch())])).await;
        assert!(rows.next().await.unwrap().is_some() && rows.next().await.unwrap().is_some());
        assert!(rows.next().await.unwrap().is_none());
        assert_eq!(control.progress.rows.get(), 6);
    }

    #[tokio::test]
    async fn a_query_that_panics_is_not_whole() {
        let rows = stream::iter([1, 0]).map(|n| if n == 0 { panic!("oh") } else { Ok(batch()) });
        let mut rows = start(&control(None, None), rows).await;
        assert!(rows.next().await.unwrap().is_some());
        assert!(matches!(rows.next().await, Err(EngineError::Died)));
    }

    #[tokio::test]
    async fn time_runs_out_while_it_works() {
        let mut rows = start(&control(Some(20), None), endless(1)).await;
        assert!(rows.next().await.unwrap().is_some());
        assert!(matches!(rows.next().await, Err(EngineError::OutOfTime { allowed }) if allowed.as_millis() == 20));
    }

    #[tokio::test]
    async fn time_stands_still_while_nobody_reads() {
        let control = control(Some(150), None);
        let mut rows = start(&control, stream::iter((0..5).map(|_| Ok(batch())))).await;
        tokio::time::sleep(Duration::from_millis(400)).await;
        for _ in 0..5 {
            assert!(rows.next().await.unwrap().is_some());
        }
        assert!(rows.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_reader_that_takes_nothing_is_left() {
        let mut rows = start(&control(None, Some(20)), stream::iter((0..9).map(|_| Ok(batch())))).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(rows.next().await.unwrap().is_some() && rows.next().await.unwrap().is_some());
        assert!(matches!(rows.next().await, Err(EngineError::Unread)));
    }

    #[tokio::test]
    async fn a_word_stops_it() {
        let control = control(None, None);
        let mut rows = start(&control, endless(0)).await;
        control.stop.cancel();
        assert!(matches!(rows.next().await, Err(EngineError::Stopped)));
    }
}
