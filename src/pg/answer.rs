//! What is done about a command.
//!
//! The invariant: rows go out as they come, and no more of them are held than travel together.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow_pg::datatypes::encode_recordbatch;
use pgwire::messages::PgWireBackendMessage as Reply;
use pgwire::messages::copy::{CopyData, CopyDone, CopyOutResponse};
use pgwire::messages::data::DataRow;
use pgwire::messages::extendedquery::PortalSuspended;
use pgwire::messages::response::{CommandComplete, EmptyQueryResponse, TransactionStatus};
use pgwire::messages::startup::ParameterStatus;

use super::cancel::Work;
use super::columns;
use super::command::Command;
use super::copy::Shape;
use super::error::PgError;
use super::portal::{Answer, Portal, Progress};
use super::session::Session;
use super::wire::Wire;
use crate::engine::{Dialect, Parameters, Question};

/// How the rows of an answer were read.
struct Poured {
    rows: u64,
    /// Whether there are no more.
    over: bool,
}

impl Session {
    /// Does what a command says, with columns, rows and tag.
    pub(super) async fn run(&mut self, command: &Arc<Command>) -> Result<(), PgError> {
        if let Command::Question { sql, tag } = &**command {
            let work = self.place.begin();
            let mut answer = self.begin(&work, sql, Vec::new(), None).await?;
            self.tell(&answer.told, &[])?;
            let poured = pour(&mut self.wire, &work, &mut answer, &[], u64::MAX).await?;
            return self.complete(format!("{tag} {}", poured.rows));
        }
        if let Command::Copy { sql, shape } = &**command {
            return Box::pin(self.copy(sql, shape, Vec::new())).await;
        }
        if let Some(told) = self.told_of(command)? {
            self.tell(&told, &[])?;
        }
        self.act(command, &[], Vec::new()).await
    }

    fn tell(&mut self, told: &Schema, formats: &[i16]) -> Result<(), PgError> {
        let fields = columns::fields(told, formats)?;
        self.wire.put(&Reply::RowDescription(columns::description(&fields)))
    }

    fn complete(&mut self, tag: impl Into<String>) -> Result<(), PgError> {
        self.wire.put(&Reply::CommandComplete(CommandComplete::new(tag.into())))
    }

    /// Begins to answer a question.
    async fn begin(
        &mut self,
        work: &Work,
        sql: &str,
        parameters: Vec<serde_json::Value>,
        told: Option<SchemaRef>,
    ) -> Result<Answer, PgError> {
        let caller = self.badge.check(&self.server)?;
        let question = Question {
            sql: sql.to_owned(),
            parameters: Parameters::Positional(parameters),
            dialect: Dialect::Postgres,
            limit: None,
            zone: self.settings.zone(),
        };
        let (server, time) = (Arc::clone(&self.server), self.settings.timeout());
        let begun = async move { Ok(server.app.sql_rows(question, &caller, time).await?) };
        // What was answered before is not kept waiting.
        self.wire.flush().await?;
        let (rows, running) = tokio::select! {
            begun = self.wire.unless_gone(begun) => begun?,
            error = work.stopped() => return Err(error),
        };
        let told = told.unwrap_or_else(|| columns::told(&rows.schema()));
        Ok(Answer {
            rows,
            running,
            told,
            left: None,
        })
    }

    /// Sends all rows of a question as lines.
    async fn copy(&mut self, sql: &str, shape: &Shape, parameters: Vec<serde_json::Value>) -> Result<(), PgError> {
        let work = self.place.begin();
        let mut answer = self.begin(&work, sql, parameters, None).await?;
        let columns = answer.told.fields().len();
        let count = i16::try_from(columns).map_err(|_error| PgError::new("54000", "there are too many columns"))?;
        self.wire
            .put(&Reply::CopyOutResponse(CopyOutResponse::new(0, count, vec![0; columns])))?;
        if let Some(head) = shape.head(answer.told.fields().iter().map(|field| field.name().as_str())) {
            self.wire.put(&Reply::CopyData(CopyData::new(head)))?;
        }
        let mut rows = 0;
        loop {
            let batch = tokio::select! {
                batch = self.wire.unless_gone(answer.next()) => batch?,
                error = work.stopped() => return Err(error),
            };
            let Some(batch) = batch else { break };
            rows += batch.num_rows();
            put_by(&mut self.wire, Some(&work), batch, &[], |row| {
                Reply::CopyData(CopyData::new(shape.row(&row.data)))
            })
            .await?;
        }
        self.wire.put(&Reply::CopyDone(CopyDone::new()))?;
        self.complete(format!("COPY {rows}"))
    }

    /// Begins to answer what a portal asks, if it has not begun.
    pub(super) async fn open(&mut self, name: &str) -> Result<(), PgError> {
        let portal = self.kept.portal(name)?;
        if !matches!(portal.state, Progress::Bound) {
            return Ok(());
        }
        let Command::Question { sql, .. } = &*Arc::clone(&portal.command) else {
            return Ok(());
        };
        let (parameters, told) = (std::mem::take(&mut portal.parameters), portal.told.clone());
        self.kept.may_open()?;
        let work = self.place.begin();
        let answer = self.begin(&work, sql, parameters, told).await;
        let answer = answer.map_err(|error| error.placed(sql, sql))?;
        let portal = self.kept.portal(name)?;
        portal.told = Some(Arc::clone(&answer.told));
        portal.state = Progress::Open(Box::new(answer));
        Ok(())
    }

    /// Rows of a portal, or what else it is for.
    pub(super) async fn execute(&mut self, name: &str, most: u32) -> Result<(), PgError> {
        let command = Arc::clone(&self.kept.portal(name)?.command);
        self.check(&command)?;
        if let Command::Copy { sql, shape } = &*command {
            let parameters = std::mem::take(&mut self.kept.portal(name)?.parameters);
            return Box::pin(self.copy(sql, shape, parameters)).await;
        }
        let most = if most == 0 { u64::MAX } else { u64::from(most) };
        let Command::Question { tag, .. } = &*command else {
            let portal = self.kept.portal(name)?;
            let (formats, parameters) = (portal.formats.clone(), std::mem::take(&mut portal.parameters));
            return self.act(&command, &formats, parameters).await;
        };
        self.open(name).await?;
        let formats = self.kept.portal(name)?.formats.clone();
        let poured = self.read(name, &formats, most).await?;
        if poured.over {
            self.complete(format!("{tag} {}", poured.rows))
        } else {
            self.wire.put(&Reply::PortalSuspended(PortalSuspended::new()))
        }
    }

    /// Sends rows of a portal that is open, or was.
    async fn read(&mut self, name: &str, formats: &[i16], most: u64) -> Result<Poured, PgError> {
        let portal = self.kept.portal(name)?;
        // Whatever happens to it while it is read, it is over then.
        let mut answer = match std::mem::replace(&mut portal.state, Progress::Over) {
            Progress::Open(answer) => answer,
            Progress::GivenUp => {
                return Err(PgError::new(
                    "57014",
                    "nobody read the rows of the cursor for too long; it is closed",
                ));
            }
            Progress::Over | Progress::Bound => return Ok(Poured { rows: 0, over: true }),
        };
        let work = self.place.begin();
        let poured = pour(&mut self.wire, &work, &mut answer, formats, most).await?;
        if !poured.over {
            self.kept.portal(name)?.state = Progress::Open(answer);
        }
        Ok(poured)
    }

    /// What is told of the rows of a command that is no question.
    pub(super) fn told_of(&mut self, command: &Command) -> Result<Option<SchemaRef>, PgError> {
        match command {
            Command::Show { name } if name == "all" => Ok(Some(texts(&["name", "setting"]))),
            Command::Show { name } => {
                let (name, _) = self.settings.show(name)?;
                Ok(Some(texts(&[&name])))
            }
            Command::Fetch { name, .. } => Ok(self.kept.portal(name)?.told.clone()),
            _ => Ok(None),
        }
    }

    /// Does what a command says that is no question: rows, if there are any, and tag.
    async fn act(&mut self, command: &Command, formats: &[i16], parameters: Vec<serde_json::Value>) -> Result<(), PgError> {
        match command {
            Command::Question { .. } | Command::Copy { .. } => Ok(()),
            Command::Empty => self.wire.put(&Reply::EmptyQueryResponse(EmptyQueryResponse::new())),
            Command::Begin(tag) => {
                self.transaction = TransactionStatus::Transaction;
                self.complete(*tag)
            }
            Command::Commit => {
                let failed = self.transaction == TransactionStatus::Error;
                self.transaction = TransactionStatus::Idle;
                self.kept.end_transaction();
                self.complete(if failed { "ROLLBACK" } else { "COMMIT" })
            }
            Command::Rollback => {
                self.transaction = TransactionStatus::Idle;
                self.kept.end_transaction();
                self.complete("ROLLBACK")
            }
            Command::Savepoint(tag) => {
                self.in_transaction(tag)?;
                self.complete(*tag)
            }
            Command::RollbackTo => {
                self.in_transaction("ROLLBACK TO SAVEPOINT")?;
                self.transaction = TransactionStatus::Transaction;
                self.complete("ROLLBACK")
            }
            Command::Set { name, value } => {
                let told = self.settings.set(name, value.as_deref())?;
                self.tell_settings(told)?;
                self.complete("SET")
            }
            Command::Reset { name } => {
                match name {
                    Some(name) => {
                        let told = self.settings.set(name, None)?;
                        self.tell_settings(told)?;
                    }
                    None => {
                        let told = self.settings.reset();
                        self.tell_settings(told)?;
                    }
                }
                self.complete("RESET")
            }
            Command::Show { name } => {
                let rows = if name == "all" {
                    let (names, values): (Vec<_>, Vec<_>) = self.settings.all().into_iter().unzip();
                    vec![column(names), column(values)]
                } else {
                    vec![column(vec![self.settings.show(name)?.1])]
                };
                if let Some(told) = self.told_of(command)? {
                    let rows = RecordBatch::try_new(told, rows).map_err(|error| PgError::internal(&error))?;
                    put(&mut self.wire, None, rows, formats).await?;
                }
                self.complete("SHOW")
            }
            Command::Deallocate { name } => match name {
                Some(name) => {
                    self.kept.statement(name)?;
                    self.kept.statements.remove(name);
                    self.complete("DEALLOCATE")
                }
                None => {
                    self.kept.statements.clear();
                    self.complete("DEALLOCATE ALL")
                }
            },
            Command::Discard { all } => {
                if *all {
                    self.kept.statements.clear();
                    self.kept.portals.clear();
                    let told = self.settings.reset();
                    self.tell_settings(told)?;
                }
                self.complete(if *all { "DISCARD ALL" } else { "DISCARD" })
            }
            Command::Declare { name, hold, sql } => self.declare(name, *hold, sql, parameters).await,
            Command::Fetch { name, rows } => self.fetch(name, rows.unwrap_or(u64::MAX), formats).await,
            Command::CloseCursor { name } => {
                match name {
                    Some(name) => {
                        self.kept.portal(name)?;
                        self.kept.portals.remove(name);
                    }
                    None => self.kept.portals.clear(),
                }
                self.complete("CLOSE CURSOR")
            }
            Command::Nothing(tag) => self.complete(*tag),
        }
    }

    fn in_transaction(&self, what: &str) -> Result<(), PgError> {
        if self.transaction == TransactionStatus::Idle {
            return Err(PgError::new("25P01", format!("{what} can only be used in transaction blocks")));
        }
        Ok(())
    }

    fn tell_settings(&mut self, told: impl IntoIterator<Item = (&'static str, String)>) -> Result<(), PgError> {
        for (name, value) in told {
            self.wire
                .put(&Reply::ParameterStatus(ParameterStatus::new(name.to_owned(), value)))?;
        }
        Ok(())
    }

    async fn declare(&mut self, name: &str, hold: bool, sql: &str, parameters: Vec<serde_json::Value>) -> Result<(), PgError> {
        if !hold {
            self.in_transaction("DECLARE CURSOR")?;
        }
        let command = Command::read(sql)?;
        if !matches!(command, Command::Question { .. }) {
            return Err(PgError::new("42601", "a cursor is for a query"));
        }
        let mut portal = Portal::bound(Arc::new(command), parameters, Vec::new(), None);
        portal.hold = hold;
        self.kept.keep_portal(name.to_owned(), portal)?;
        if let Err(error) = self.open(name).await {
            self.kept.portals.remove(name);
            return Err(error);
        }
        self.complete("DECLARE CURSOR")
    }

    async fn fetch(&mut self, name: &str, most: u64, formats: &[i16]) -> Result<(), PgError> {
        let poured = self.read(name, formats, most).await?;
        self.complete(format!("FETCH {}", poured.rows))
    }
}

fn texts(names: &[&str]) -> SchemaRef {
    let fields = names.iter().map(|name| Field::new(*name, DataType::Utf8, true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn column<T: AsRef<str>>(values: Vec<T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// Sends the rows of an answer, so many at most.
async fn pour(wire: &mut Wire, work: &Work, answer: &mut Answer, formats: &[i16], most: u64) -> Result<Poured, PgError> {
    let mut rows = 0;
    while rows < most {
        let batch = tokio::select! {
            batch = wire.unless_gone(answer.next()) => batch?,
            error = work.stopped() => return Err(error),
        };
        let Some(batch) = batch else {
            return Ok(Poured { rows, over: true });
        };
        let wanted = usize::try_from(most - rows).unwrap_or(usize::MAX).min(batch.num_rows());
        if wanted < batch.num_rows() {
            answer.left = Some(batch.slice(wanted, batch.num_rows() - wanted));
        }
        put(wire, Some(work), batch.slice(0, wanted), formats).await?;
        rows += wanted as u64;
    }
    Ok(Poured { rows, over: false })
}

/// Sends rows.
async fn put(wire: &mut Wire, work: Option<&Work>, rows: RecordBatch, formats: &[i16]) -> Result<(), PgError> {
    put_by(wire, work, rows, formats, Reply::DataRow).await
}

/// Sends rows, each as a message of some kind.
async fn put_by(
    wire: &mut Wire,
    work: Option<&Work>,
    rows: RecordBatch,
    formats: &[i16],
    message: impl Fn(DataRow) -> Reply,
) -> Result<(), PgError> {
    let fields = columns::fields(rows.schema_ref(), formats)?;
    let rows = columns::spelled(rows, &fields)?;
    let mut at = 0;
    while at < rows.num_rows() {
        // The iterator of a piece does not outlive it: it must not be held while bytes are on their way.
        let mut taken = 0;
        for row in encode_recordbatch(Arc::clone(&fields), rows.slice(at, rows.num_rows() - at)) {
            wire.put(&message(row.map_err(columns::of_pgwire)?))?;
            taken += 1;
            if wire.is_full() {
                break;
            }
        }
        at += taken;
        if wire.is_full() {
            match work {
                None => wire.flush().await?,
                Some(work) => tokio::select! {
                    flushed = wire.flush() => flushed?,
                    error = work.stopped() => return Err(error),
                },
            }
        }
    }
    Ok(())
}
