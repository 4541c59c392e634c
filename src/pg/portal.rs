//! Statements that are prepared, and answers that are read bit by bit.
//!
//! The invariant: what a session keeps is weighed, and has an end.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use serde_json::Value;

use super::columns;
use super::command::Command;
use super::error::PgError;
use crate::app::Running;
use crate::engine::RowStream;

/// A statement that is prepared.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) command: Command,
    /// The types of parameters that the client says; 0 where it does not.
    pub(super) types: Vec<u32>,
    /// What the engine says.
    pub(super) described: Option<Described>,
}

/// What a statement takes and gives.
#[derive(Debug, Clone)]
pub(super) struct Described {
    /// The types that the places of parameters ask for.
    pub(super) parameters: Vec<Option<DataType>>,
    /// What is told of its columns.
    pub(super) told: SchemaRef,
}

/// A statement with values for its parameters.
#[derive(Debug)]
pub(super) struct Portal {
    pub(super) command: Arc<Command>,
    pub(super) parameters: Vec<Value>,
    pub(super) formats: Vec<i16>,
    /// What was told of its columns before it began.
    pub(super) told: Option<SchemaRef>,
    pub(super) state: Progress,
    /// Whether it outlives its transaction.
    pub(super) hold: bool,
    weight: usize,
}

/// How far a portal has come.
#[derive(Debug)]
pub(super) enum Progress {
    /// It has not begun.
    Bound,
    /// Some of its rows have been read, perhaps.
    Open(Box<Answer>),
    /// All have been.
    Over,
    /// Nobody read them for too long.
    GivenUp,
}

/// An answer that is read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) rows: RowStream,
    pub(super) running: Running,
    /// What is told of its columns.
    pub(super) told: SchemaRef,
    /// Rows that have come and were not wanted yet.
    pub(super) left: Option<RecordBatch>,
}

impl Answer {
    /// The next rows, as they are told.
    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>, PgError> {
        if let Some(left) = self.left.take() {
            return Ok(Some(left));
        }
        let batch = self.rows.next().await;
        match batch.map_err(|error| PgError::App(self.running.fail(error.into())))? {
            Some(batch) => columns::shaped(&batch, &self.told).map(Some),
            None => {
                self.running.is_done();
                Ok(None)
            }
        }
    }
}

impl Portal {
    /// A portal that has not begun.
    pub(super) fn bound(command: Arc<Command>, parameters: Vec<Value>, formats: Vec<i16>, told: Option<SchemaRef>) -> Self {
        let values = parameters.iter().map(weight_of);
        let sql = match &*command {
            Command::Question { sql, .. } | Command::Copy { sql, .. } => sql.len(),
            _ => 0,
        };
        Self {
            weight: sql + values.sum::<usize>() + formats.len() * 2,
            command,
            parameters,
            formats,
            told,
            state: Progress::Bound,
            hold: false,
        }
    }
}

/// How many bytes a value takes, roughly.
fn weight_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 64,
        Value::Array(items) => 64 + items.iter().map(weight_of).sum::<usize>(),
        _ => 64,
    }
}

impl Statement {
    fn weight(&self) -> usize {
        let sql = match &self.command {
            Command::Question { sql, .. } | Command::Declare { sql, .. } | Command::Copy { sql, .. } => sql.len(),
            _ => 0,
        };
        let columns = self
            .described
            .as_ref()
            .map_or(0, |described| described.told.fields().len() + described.parameters.len());
        sql + self.types.len() * 4 + columns * 256
    }
}

/// What a session may keep: bytes, roughly, and in how many pieces.
const MOST_BYTES: usize = 4 * 1024 * 1024;
const MOST_PIECES: usize = 1000;
/// How many of its answers may be open at once; each keeps others from beginning.
const MOST_OPEN: usize = 4;

/// What a session keeps, by names; what has none is kept until the next.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) statements: BTreeMap<String, Statement>,
    pub(super) portals: BTreeMap<String, Portal>,
}

impl Kept {
    pub(super) fn keep_statement(&mut self, name: String, statement: Statement) -> Result<(), PgError> {
        if name.is_empty() {
            self.statements.remove("");
        } else if self.statements.contains_key(&name) {
            return Err(PgError::new("42P05", format!("prepared statement \"{name}\" already exists")));
        }
        self.weigh(statement.weight() + name.len())?;
        self.statements.insert(name, statement);
        Ok(())
    }

    pub(super) fn keep_portal(&mut self, name: String, portal: Portal) -> Result<(), PgError> {
        if name.is_empty() {
            self.portals.remove("");
        } else if self.portals.contains_key(&name) {
            return Err(PgError::new("42P03", format!("cursor \"{name}\" already exists")));
        }
        self.weigh(portal.weight + name.len())?;
        self.portals.insert(name, portal);
        Ok(())
    }

    pub(super) fn statement(&self, name: &str) -> Result<&Statement, PgError> {
        let statement = self.statements.get(name);
        statement.ok_or_else(|| PgError::new("26000", format!("prepared statement \"{name}\" does not exist")))
    }

    pub(super) fn portal(&mut self, name: &str) -> Result<&mut Portal, PgError> {
        let portal = self.portals.get_mut(name);
        portal.ok_or_else(|| PgError::new("34000", format!("cursor \"{name}\" does not exist")))
    }

    /// Refuses another open answer when there are enough.
    pub(super) fn may_open(&self) -> Result<(), PgError> {
        if self.open() < MOST_OPEN {
            return Ok(());
        }
        Err(PgError::new(
            "53000",
            format!("{MOST_OPEN} answers are open in this session already; read or close one"),
        ))
    }

    /// How many answers are open.
    pub(super) fn open(&self) -> usize {
        let portals = self.portals.values();
        portals.filter(|portal| matches!(portal.state, Progress::Open(_))).count()
    }

    /// Stops what is open.
    pub(super) fn give_up(&mut self) {
        for portal in self.portals.values_mut() {
            if matches!(portal.state, Progress::Open(_)) {
                portal.state = Progress::GivenUp;
            }
        }
    }

    /// Closes what does not outlive its transaction.
    pub(super) fn end_transaction(&mut self) {
        self.portals.retain(|_, portal| portal.hold);
    }

    fn weigh(&self, more: usize) -> Result<(), PgError> {
        let statements = self.statements.iter().map(|(name, statement)| name.len() + statement.weight());
        let portals = self.portals.iter().map(|(name, portal)| name.len() + portal.weight);
        let (pieces, bytes) = statements
            .chain(portals)
            .fold((1, more), |(pieces, bytes), weight| (pieces + 1, bytes + weight));
        if pieces > MOST_PIECES || bytes > MOST_BYTES {
            return Err(PgError::new(
                "54000",
                "the session keeps as many prepared statements and cursors as it may; close some",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(length: usize) -> Statement {
        Statement {
            command: Command::Question {
                sql: "x".repeat(length),
                tag: "SELECT",
            },
            types: Vec::new(),
            described: None,
        }
    }

    #[test]
    fn a_session_keeps_so_much_and_no_more() {
        let mut kept = Kept::default();
        kept.keep_statement("a".to_owned(), statement(MOST_BYTES - 100)).unwrap();
        assert!(kept.keep_statement("a".to_owned(), statement(1)).is_err());
        assert!(kept.keep_statement("b".to_owned(), statement(200)).is_err());
        for _ in 0..3 {
            // What has no name makes room for the next.
            kept.keep_statement(String::new(), statement(50)).unwrap();
        }
        let mut kept = Kept::default();
        for n in 0..MOST_PIECES {
            kept.keep_statement(n.to_string(), statement(1)).unwrap();
        }
        assert!(kept.keep_statement("one more".to_owned(), statement(1)).is_err());
    }
}
