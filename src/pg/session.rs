//! A session: messages in, answers out.
//!
//! ```text
//!   Query ─────────────────▶ statements, one by one ─▶ run ─▶ columns, rows, tag ─┐
//!   Parse ─▶ Bind ─▶ Describe ─▶ Execute ─▶ rows, as many as are wanted ─────────┤
//!   Sync ──────────────────────────────────────────────────────────────────────────┴─▶ ReadyForQuery
//! ```
//!
//! The invariants: after an error nothing is done until the client has heard of it, and what was asked is stopped when its client
//! is gone, says so, or reads nothing for too long.

use std::sync::Arc;
use std::time::Duration;

use pgwire::api::Type;
use pgwire::messages::PgWireBackendMessage as Reply;
use pgwire::messages::data::{NoData, ParameterDescription};
use pgwire::messages::extendedquery::{BindComplete, CloseComplete, ParseComplete};
use pgwire::messages::response::{EmptyQueryResponse, ReadyForQuery, TransactionStatus};

use super::Server;
use super::cancel::Place;
use super::columns;
use super::command::{Command, split};
use super::error::PgError;
use super::message::{Bind, Message, Target};
use super::portal::{Described, Kept, Portal, Progress, Statement};
use super::settings::Settings;
use super::startup::{Badge, Guest};
use super::value;
use super::wire::Wire;
use crate::engine::{Dialect, Parameters, Question};

/// How long a message may be. The SQL in it is limited further; this is for values as well.
const MESSAGE_BYTES: usize = 1024 * 1024;

/// A client that is let in, and what it has said so far.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) server: Arc<Server>,
    pub(super) wire: Wire,
    pub(super) settings: Settings,
    pub(super) badge: Badge,
    pub(super) place: Place,
    pub(super) kept: Kept,
    pub(super) transaction: TransactionStatus,
    /// After an error, until the client has seen it.
    skipping: bool,
}

pub(super) fn stopping() -> PgError {
    PgError::fatal("57P01", "terminating connection: the server is shutting down")
}

impl Session {
    pub(super) fn new(server: Arc<Server>, wire: Wire, guest: Guest) -> Self {
        Self {
            server,
            wire,
            settings: guest.settings,
            badge: guest.badge,
            place: guest.place,
            kept: Kept::default(),
            transaction: TransactionStatus::Idle,
            skipping: false,
        }
    }

    /// Answers until the client leaves, or must.
    pub(super) async fn serve(mut self) {
        let ended = self.converse().await;
        if let Err(error) = ended {
            // If nobody is there any more, nobody is told.
            let _told = self.wire.put(&Reply::ErrorResponse(error.response()));
        }
        let Self { kept, wire, .. } = self;
        // What still runs stops before the connection is seen to end.
        drop(kept);
        wire.close().await;
    }

    async fn converse(&mut self) -> Result<(), PgError> {
        self.ready()?;
        self.wire.flush().await?;
        while let Some((kind, content)) = self.next().await? {
            let answered = match Message::read(kind, content) {
                Ok(Message::Terminate) => return Ok(()),
                Ok(message) => Box::pin(self.answer(message)).await,
                Err(error) => Err(error),
            };
            if let Err(error) = answered {
                if error.is_fatal() {
                    return Err(error);
                }
                self.complain(&error)?;
                if kind == b'Q' {
                    self.ready()?;
                    self.wire.flush().await?;
                } else {
                    // The client may wait for it, and say that it goes on only then.
                    self.wire.flush().await?;
                    self.skipping = true;
                }
            }
            if self.wire.is_full() {
                self.wire.flush().await?;
            }
        }
        Ok(())
    }

    /// The next message. Answers that are open meanwhile are not open for ever: they keep others from beginning.
    async fn next(&mut self) -> Result<Option<(u8, bytes::Bytes)>, PgError> {
        let server = Arc::clone(&self.server);
        let patience = if self.kept.open() > 0 { server.patience } else { Duration::MAX };
        loop {
            tokio::select! {
                message = self.wire.next(MESSAGE_BYTES) => return message,
                () = server.stopping.cancelled() => return Err(stopping()),
                () = tokio::time::sleep(patience) => self.kept.give_up(),
            }
        }
    }

    fn complain(&mut self, error: &PgError) -> Result<(), PgError> {
        self.wire.put(&Reply::ErrorResponse(error.response()))?;
        if self.transaction == TransactionStatus::Transaction {
            self.transaction = TransactionStatus::Error;
        }
        Ok(())
    }

    /// The client may go on.
    fn ready(&mut self) -> Result<(), PgError> {
        if self.transaction == TransactionStatus::Idle {
            self.kept.end_transaction();
        }
        self.wire.put(&Reply::ReadyForQuery(ReadyForQuery::new(self.transaction)))
    }

    async fn answer(&mut self, message: Message) -> Result<(), PgError> {
        if self.skipping && message != Message::Sync {
            return Ok(());
        }
        match message {
            Message::Query(sql) => {
                self.query(&sql).await?;
                self.ready()?;
                self.wire.flush().await
            }
            Message::Parse { name, sql, types } => self.parse(name, &sql, types),
            Message::Bind(bind) => self.bind(bind).await,
            Message::Describe(Target::Statement(name)) => self.describe_statement(&name).await,
            Message::Describe(Target::Portal(name)) => self.describe_portal(&name).await,
            Message::Execute { portal, most } => Box::pin(self.execute(&portal, most)).await,
            Message::Close(target) => {
                match target {
                    Target::Statement(name) => drop(self.kept.statements.remove(&name)),
                    Target::Portal(name) => drop(self.kept.portals.remove(&name)),
                }
                self.wire.put(&Reply::CloseComplete(CloseComplete::new()))
            }
            Message::Flush => self.wire.flush().await,
            Message::Sync => {
                self.skipping = false;
                self.ready()?;
                self.wire.flush().await
            }
            Message::Terminate | Message::Copy => Ok(()),
        }
    }

    async fn query(&mut self, sql: &str) -> Result<(), PgError> {
        let statements = split(sql);
        if statements.is_empty() {
            return self.wire.put(&Reply::EmptyQueryResponse(EmptyQueryResponse::new()));
        }
        for statement in statements {
            let command = Arc::new(Command::read(statement)?);
            self.check(&command)?;
            let answered = Box::pin(self.run(&command)).await;
            answered.map_err(|error| error.placed(sql, command.question_in(statement)))?;
        }
        Ok(())
    }

    /// Refuses what a failed transaction does not take.
    pub(super) fn check(&self, command: &Command) -> Result<(), PgError> {
        let ends = matches!(command, Command::Commit | Command::Rollback | Command::RollbackTo);
        if self.transaction == TransactionStatus::Error && !ends {
            return Err(PgError::new(
                "25P02",
                "current transaction is aborted, commands ignored until end of transaction block",
            ));
        }
        Ok(())
    }

    fn parse(&mut self, name: String, sql: &str, types: Vec<u32>) -> Result<(), PgError> {
        let command = match split(sql)[..] {
            [] => Command::Empty,
            [statement] => Command::read(statement)?,
            _ => return Err(PgError::new("42601", "cannot insert multiple commands into a prepared statement")),
        };
        self.check(&command)?;
        let statement = Statement {
            command,
            types,
            described: None,
        };
        self.kept.keep_statement(name, statement)?;
        self.wire.put(&Reply::ParseComplete(ParseComplete::new()))
    }

    async fn bind(&mut self, bind: Bind) -> Result<(), PgError> {
        let statement = self.kept.statement(&bind.statement)?;
        self.check(&statement.command)?;
        let (formats, given) = (&bind.parameter_formats, bind.parameters.len());
        if formats.len() > 1 && formats.len() != given {
            return Err(PgError::new("08P01", format!("{} formats for {given} parameters", formats.len())));
        }
        let is_binary = |place: usize| formats.get(if formats.len() == 1 { 0 } else { place }) == Some(&1);
        // Bytes mean nothing without a type; texts do.
        let bytes_of_what = |place: usize| is_binary(place) && statement.types.get(place).is_none_or(|kind| *kind == 0);
        // A text in braces may be a list; whether its place asks for one, the engine knows.
        let list_or_text = |place: usize| {
            let is_untyped = statement.types.get(place).is_none_or(|kind| *kind == 0);
            let text = bind.parameters.get(place).and_then(Option::as_ref);
            is_untyped && text.is_some_and(|text| text.starts_with(b"{") && text.ends_with(b"}"))
        };
        if statement.described.is_none() && (0..given).any(|place| bytes_of_what(place) || list_or_text(place)) {
            self.describe(&bind.statement).await?;
        }
        let statement = self.kept.statement(&bind.statement)?;
        let mut parameters = Vec::with_capacity(given);
        for (place, bytes) in bind.parameters.iter().enumerate() {
            let value = match bytes {
                Some(bytes) => value::read(&statement.parameter(place), is_binary(place), bytes)?,
                None => serde_json::Value::Null,
            };
            parameters.push(value);
        }
        let told = statement.described.as_ref().map(|described| Arc::clone(&described.told));
        let portal = Portal::bound(Arc::new(statement.command.clone()), parameters, bind.result_formats, told);
        self.kept.keep_portal(bind.portal, portal)?;
        self.wire.put(&Reply::BindComplete(BindComplete::new()))
    }

    /// Asks the engine what a statement takes and gives, once.
    async fn describe(&mut self, name: &str) -> Result<(), PgError> {
        let statement = self.kept.statement(name)?;
        let (Command::Question { sql, .. } | Command::Copy { sql, .. }) = &statement.command else {
            return Ok(());
        };
        if statement.described.is_some() {
            return Ok(());
        }
        let question = Question {
            sql: sql.clone(),
            parameters: Parameters::default(),
            dialect: Dialect::Postgres,
            limit: None,
            zone: self.settings.zone(),
        };
        let asked = sql.clone();
        let caller = self.badge.check(&self.server)?;
        let server = Arc::clone(&self.server);
        let described = async move { Ok(server.app.describe_sql(question, &caller).await?) };
        let work = self.place.begin();
        let described = tokio::select! {
            described = self.wire.unless_gone(described) => described.map_err(|error: PgError| error.placed(&asked, &asked))?,
            error = work.stopped() => return Err(error),
        };
        let places = described.parameters.iter().filter_map(|(name, kind)| {
            let place: usize = name.strip_prefix('$')?.parse().ok()?;
            Some((place.checked_sub(1)?, kind))
        });
        let mut parameters = Vec::new();
        for (place, kind) in places {
            if place >= usize::from(u16::MAX) {
                return Err(PgError::new("54000", "there are too many parameters"));
            }
            if parameters.len() <= place {
                parameters.resize(place + 1, None);
            }
            parameters[place] = kind.clone();
        }
        let told = columns::told(&described.schema);
        if let Some(statement) = self.kept.statements.get_mut(name) {
            statement.described = Some(Described { parameters, told });
        }
        Ok(())
    }

    async fn describe_statement(&mut self, name: &str) -> Result<(), PgError> {
        self.check(&self.kept.statement(name)?.command)?;
        self.describe(name).await?;
        let statement = self.kept.statement(name)?;
        let parameters = statement.described.as_ref().map_or(0, |described| described.parameters.len());
        let count = parameters.max(statement.types.len());
        let types = (0..count).map(|place| statement.parameter_oid(place)).collect();
        let command = Arc::new(statement.command.clone());
        let is_copy = matches!(*command, Command::Copy { .. });
        let told = statement
            .described
            .as_ref()
            .filter(|_| !is_copy)
            .map(|described| Arc::clone(&described.told));
        self.wire.put(&Reply::ParameterDescription(ParameterDescription::new(types)))?;
        let told = match told {
            Some(told) => Some(told),
            None => self.told_of(&command)?,
        };
        self.tell_columns(told.as_deref(), &[])
    }

    async fn describe_portal(&mut self, name: &str) -> Result<(), PgError> {
        let portal = self.kept.portal(name)?;
        let command = Arc::clone(&portal.command);
        self.check(&command)?;
        if matches!(*command, Command::Question { .. }) {
            self.open(name).await?;
        }
        let portal = self.kept.portal(name)?;
        let formats = portal.formats.clone();
        let told = match &portal.state {
            Progress::Open(answer) => Some(Arc::clone(&answer.told)),
            Progress::Over | Progress::GivenUp => portal.told.clone(),
            Progress::Bound => self.told_of(&command)?,
        };
        self.tell_columns(told.as_deref(), &formats)
    }

    fn tell_columns(&mut self, told: Option<&arrow::datatypes::Schema>, formats: &[i16]) -> Result<(), PgError> {
        match told {
            Some(told) => {
                let fields = columns::fields(told, formats)?;
                self.wire.put(&Reply::RowDescription(columns::description(&fields)))
            }
            None => self.wire.put(&Reply::NoData(NoData::new())),
        }
    }
}

impl Statement {
    /// The type of a parameter: what the client says, else what its place asks for.
    fn parameter(&self, place: usize) -> Type {
        let said = self.types.get(place).copied().filter(|oid| *oid != 0);
        match said {
            Some(oid) => Type::from_oid(oid).unwrap_or(Type::TEXT),
            None => {
                let asked = self.described.as_ref().and_then(|described| described.parameters.get(place));
                columns::parameter(asked.and_then(Option::as_ref))
            }
        }
    }

    fn parameter_oid(&self, place: usize) -> u32 {
        let said = self.types.get(place).copied().filter(|oid| *oid != 0);
        said.unwrap_or_else(|| self.parameter(place).oid())
    }
}
