//! The rows of a query, as they come.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{displayable, execute_stream};
use futures::StreamExt as _;
use tokio::sync::{mpsc, oneshot};

use super::EngineError;
use super::within_days::sort_within_days;
use crate::store::Snapshot;

/// A query that runs. Dropping it stops the query.
#[derive(Debug)]
pub struct RowStream {
    schema: SchemaRef,
    batches: mpsc::Receiver<Result<RecordBatch, EngineError>>,
    _task: SpawnedTask<()>,
}

/// How many batches may wait for a slow reader.
const WAITING: usize = 2;

impl RowStream {
    /// Plans a query and starts it on the threads of the engine.
    pub(super) async fn start(
        runtime: &tokio::runtime::Handle,
        state: SessionState,
        plan: LogicalPlan,
        snapshot: Arc<Snapshot>,
    ) -> Result<Self, EngineError> {
        let (planned, schema) = oneshot::channel();
        let (sender, batches) = mpsc::channel(WAITING);
        let task = {
            let _entered = runtime.enter();
            SpawnedTask::spawn(run(state, plan, snapshot, planned, sender))
        };
        let schema = schema.await.unwrap_or_else(|_dropped| {
            let died = datafusion::error::DataFusionError::Execution("the query died while it was planned".to_owned());
            Err(EngineError::Query(died))
        })?;
        Ok(Self {
            schema,
            batches,
            _task: task,
        })
    }

    /// The columns of the rows.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The next rows; nothing when there are no more.
    ///
    /// # Errors
    ///
    /// When the query fails.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        self.batches.recv().await.transpose()
    }
}

async fn run(
    state: SessionState,
    plan: LogicalPlan,
    // Held until the last row: its files must not go away.
    snapshot: Arc<Snapshot>,
    planned: oneshot::Sender<Result<SchemaRef, EngineError>>,
    sender: mpsc::Sender<Result<RecordBatch, EngineError>>,
) {
    let physical = state.create_physical_plan(&plan).await;
    let stream = match physical.and_then(|physical| sort_within_days(physical, snapshot.zone())) {
        Ok(physical) => {
            tracing::debug!(plan = %displayable(physical.as_ref()).indent(false), "query");
            execute_stream(physical, state.task_ctx())
        }
        Err(error) => Err(error),
    };
    let mut stream = match stream {
        Ok(stream) => stream,
        Err(error) => {
            // Nobody waits any more if this fails.
            let _gone = planned.send(Err(error.into()));
            return;
        }
    };
    if planned.send(Ok(stream.schema())).is_err() {
        return;
    }
    loop {
        // Where nobody reads any more, the query must not run until its next batch.
        let batch = tokio::select! {
            batch = stream.next() => batch,
            () = sender.closed() => return,
        };
        let Some(batch) = batch else { return };
        let failed = batch.is_err();
        if sender.send(batch.map_err(EngineError::from)).await.is_err() || failed {
            return;
        }
    }
}
