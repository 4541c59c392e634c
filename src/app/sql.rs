//! SQL that somebody else wrote, as a document.

use std::time::Duration;

use super::{App, AppError, Bid, Rendering, Running, Subject, now};
use crate::access::Caller;
use crate::engine::{Control, Described, EngineError, Question, RowStream, View};
use crate::output::{Document, Format};
use crate::report::{Column, chart_of, columns_of};
use crate::time::{Zone, wall_clock};
use crate::worker::{Ask, Wants};

/// A question, and how its answer shall look.
#[derive(Debug)]
pub struct SqlAsk<'a> {
    /// The question.
    pub question: Question,
    /// How the answer is written.
    pub format: &'static dyn Format,
    /// Who asks.
    pub caller: &'a Caller,
    /// At most so many rows.
    pub limit: Option<u64>,
    /// How long it may take, if the caller says so.
    pub time: Option<Duration>,
    /// What the answer is called, if the caller says so.
    pub title: Option<String>,
}

/// An answer on its way.
#[derive(Debug)]
pub struct Answer {
    /// Its bytes.
    pub rendering: Rendering,
    /// Its columns.
    pub columns: Vec<Column>,
}

impl App {
    /// Answers a question in SQL. The first bytes are there when this returns.
    ///
    /// # Errors
    ///
    /// When the question is not accepted, may not run, or its first rows cannot be computed.
    pub async fn sql(&self, ask: SqlAsk<'_>) -> Result<Answer, AppError> {
        let question = Question {
            // A format that tells how many rows there are needs all of them.
            limit: ask.limit.filter(|_| !ask.format.counts_rows()),
            ..ask.question
        };
        let (rows, running) = self.answer(question, ask.caller, ask.format.name(), ask.time).await?;
        let (columns, schema) = columns_of(&rows.schema());
        let document = document(ask.title, columns.clone(), ask.limit, ask.format);
        let rendering = Rendering::start(rows.renamed(schema), document, ask.format, running).await?;
        Ok(Answer { rendering, columns })
    }

    /// The rows that answer a question, for who makes something of them that is no document.
    ///
    /// # Errors
    ///
    /// When the question is not accepted, may not run, or cannot be planned. What fails later comes with the rows.
    pub async fn sql_rows(&self, question: Question, caller: &Caller, time: Option<Duration>) -> Result<(RowStream, Running), AppError> {
        self.answer(question, caller, "rows", time).await
    }

    /// What a question takes and gives.
    ///
    /// # Errors
    ///
    /// When it is not accepted, or may not be planned now.
    pub async fn describe_sql(&self, question: Question, caller: &Caller) -> Result<Described, AppError> {
        let bid = Bid {
            caller,
            subject: subject(&question)?,
            format: "description",
            time: None,
        };
        let mut running = self.queries.begin(bid).await?;
        let described = match &self.workers {
            None => self.engine.describe(question).await,
            Some(workers) => {
                let ask = Ask::new(question, Wants::Description, caller.access());
                workers.describe(self.engine.threads()?, ask, running.control()).await
            }
        };
        let described = described.map_err(|error| running.fail(error.into()))?;
        running.is_done();
        Ok(described)
    }

    /// The rows that answer a question, once it may run.
    async fn answer(
        &self,
        question: Question,
        caller: &Caller,
        format: &'static str,
        time: Option<Duration>,
    ) -> Result<(RowStream, Running), AppError> {
        let bid = Bid {
            caller,
            subject: subject(&question)?,
            format,
            time,
        };
        let mut running = self.queries.begin(bid).await?;
        let rows = self.rows(question, caller, running.control()).await;
        let rows = rows.map_err(|error| running.fail(error))?;
        Ok((rows, running))
    }

    async fn rows(&self, question: Question, caller: &Caller, control: &Control) -> Result<RowStream, AppError> {
        let Some(workers) = &self.workers else {
            let snapshot = self.snapshot()?;
            let view = View::of(caller.access(), &snapshot);
            return Ok(self.engine.ask(question, &snapshot, &view, control).await?);
        };
        // What a worker takes is not measured any closer than by the limit that it keeps.
        let memory =
            self.engine.memory().take(workers.memory()).ok_or_else(|| {
                EngineError::Exhausted("there is no memory for the query now; ask again when others have ended".to_owned())
            })?;
        let ask = Ask::new(question, Wants::Rows, caller.access());
        let rows = workers.rows(self.engine.threads()?, ask, control).await?;
        Ok(rows.holding(memory))
    }
}

/// What is written down of a question that is not too long to be looked at.
fn subject(question: &Question) -> Result<Subject, EngineError> {
    question.check()?;
    Ok(Subject::Sql { sql: question.sql.clone() })
}

fn document(title: Option<String>, columns: Vec<Column>, limit: Option<u64>, format: &dyn Format) -> Document {
    let chart = format.draws().then(|| chart_of(&columns)).flatten();
    let drawn = chart
        .iter()
        .flat_map(|chart| chart.handles().map(str::to_owned).collect::<Vec<_>>());
    let drawn: Vec<String> = drawn.collect();
    Document {
        title: title.unwrap_or_else(|| "Query".to_owned()),
        subtitle: String::new(),
        summary: String::new(),
        drawn: columns.iter().filter(|column| drawn.contains(&column.name)).cloned().collect(),
        columns,
        chart,
        facts: vec![("generated at".to_owned(), format!("{} (UTC)", wall_clock(now())))],
        quality: None,
        zone: Zone::UTC,
        offset: 0,
        limit,
        known_until: None,
        bom: false,
        bare: false,
        links: None,
    }
}
