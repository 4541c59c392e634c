//! SQL that somebody else wrote.
//!
//! ```text
//!   text ─▶ guard (size, before anything recurses) ─▶ parse ─▶ one query, nothing else ─▶ plan ─▶ parameters as values
//!        ─▶ (engine) tables behind the fence ─▶ run ─▶ what EXPLAIN shows, without places and other people's counts
//! ```
//!
//! The invariant: what comes in asks questions about the tables of the store and of `information_schema`, and can neither change
//! nor reach anything else. How much it may use is not decided here: see `worker`.

mod any_of;
mod complaint;
mod disclosure;
mod guard;
mod information;
mod limited;
mod parameters;
mod postgres;
mod spelling;
mod zoned;

use std::borrow::Cow;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::{
    CatalogProvider as _, CatalogProviderList as _, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider,
    SchemaProvider as _, TableProvider,
};
use datafusion::common::DFSchema;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::{SQLOptions, SessionContext};
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_pg_catalog::setup_pg_catalog;
use datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use serde::{Deserialize, Serialize};

pub(super) use self::disclosure::{disclosed, fenced};
pub use self::parameters::Parameters;
pub(crate) use self::postgres::{VERSION as POSTGRES_VERSION, VERSION_NUMBER as POSTGRES_VERSION_NUMBER};
use super::tables::Tables;
use super::{EngineError, EngineResult};
use crate::functions::with_patterns;
use crate::store::Snapshot;
use crate::time::Zone;

/// What the catalog and the schema of the tables are called.
const CATALOG: &str = "headroom";
const SCHEMA: &str = "public";

/// Something that somebody wants to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The SQL: one query.
    pub sql: String,
    /// What its placeholders stand for.
    #[serde(default)]
    pub parameters: Parameters,
    /// Whose SQL it is.
    #[serde(default)]
    pub dialect: Dialect,
    /// At most so many rows.
    #[serde(default)]
    pub limit: Option<u64>,
    /// The zone whose clock instants are read from and printed on; UTC without one.
    #[serde(default)]
    pub zone: Option<Zone>,
}

impl Question {
    /// Refuses what is too much to be planned, without planning it.
    ///
    /// # Errors
    ///
    /// [`EngineError::TooLong`] and [`EngineError::Refused`] say what is too much.
    pub fn check(&self) -> EngineResult<()> {
        guard::check(&self.sql)
    }
}

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// The engine's own.
    #[default]
    Own,
    /// What tools of PostgreSQL send, with its catalog.
    Postgres,
}

/// What a question takes and gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// Its placeholders, like `$1` and `$name`, in order, and their types as far as they can be told.
    pub parameters: Vec<(String, Option<DataType>)>,
    /// The columns of its rows.
    pub schema: SchemaRef,
}

/// Where SQL of others is planned: a catalog of its own, without rows, and functions that stay within limits.
pub(super) struct Session {
    /// Makes SQL of another dialect our own.
    translator: Option<PostgresCompatibilityParser>,
    state: SessionState,
    /// The tables that questions are planned with.
    tables: Vec<(&'static str, Arc<dyn TableProvider>)>,
    names: complaint::Names,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    /// A session beside that of the engine.
    #[expect(clippy::disallowed_methods, reason = "this is the engine")]
    pub(super) fn new(engine: &SessionState, dialect: Dialect) -> EngineResult<Self> {
        let known = Tables::new(Snapshot::empty(std::path::Path::new("/")))?;
        let tables = MemorySchemaProvider::new();
        for (name, table) in known.providers() {
            tables.register_table(name.to_owned(), table)?;
        }
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema(SCHEMA, Arc::new(tables))?;
        let catalogs = Arc::new(MemoryCatalogProviderList::new());
        let catalog = Arc::new(catalog);
        let told_otherwise = match dialect {
            Dialect::Own => Vec::new(),
            Dialect::Postgres => {
                let known = known.providers().map(|(name, table)| (name, table.schema()));
                postgres::information(CATALOG, SCHEMA, known)?
            }
        };
        let information = information::Information::new(Arc::clone(&catalogs) as _, told_otherwise);
        catalog.register_schema("information_schema", Arc::new(information))?;
        catalogs.register_catalog(CATALOG.to_owned(), catalog);
        let mut config = engine.config().clone().with_default_catalog_and_schema(CATALOG, SCHEMA);
        // The catalog above is all there is.
        config.options_mut().catalog.create_default_catalog_and_schema = false;
        let mut functions: Vec<_> = engine.scalar_functions().values().map(limited::limited).collect();
        // The same function may be known by several names.
        functions.sort_by(|one, other| one.name().cmp(other.name()));
        functions.dedup_by(|one, other| one.name() == other.name());
        // Where the files lie is nobody's business.
        functions.retain(|function| !["input_file_name", "file_row_index"].contains(&function.name()));
        let mut functions: Vec<_> = functions.iter().map(with_patterns).collect();
        functions.push(any_of::function());
        let state = SessionStateBuilder::new_from_existing(engine.clone())
            .with_config(config)
            .with_catalog_list(catalogs)
            .with_scalar_functions(functions)
            .build();
        let (translator, state) = match dialect {
            Dialect::Own => (None, state),
            Dialect::Postgres => {
                let context = SessionContext::new_with_state(state);
                setup_pg_catalog(&context, CATALOG, EmptyContextProvider).map_err(|error| EngineError::Query(*error))?;
                postgres::register(&context, CATALOG)?;
                (Some(PostgresCompatibilityParser::new()), context.state())
            }
        };
        let tables: Vec<_> = known.providers().collect();
        Ok(Self {
            names: complaint::Names::new(&state, tables.iter().map(|(name, _)| *name)),
            translator,
            state,
            tables,
        })
    }

    /// The state that plans and runs what is told in a zone.
    pub(super) fn state_in(&self, zone: Option<Zone>) -> EngineResult<Cow<'_, SessionState>> {
        let Some(zone) = zone.filter(|zone| *zone != Zone::UTC) else {
            return Ok(Cow::Borrowed(&self.state));
        };
        let name: Arc<str> = zone.name().into();
        let tables = MemorySchemaProvider::new();
        for (table, provider) in &self.tables {
            let told = zoned::Zoned::new(Arc::clone(provider), &name);
            tables.register_table((*table).to_owned(), Arc::new(told))?;
        }
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema(SCHEMA, Arc::new(tables))?;
        if let Some(known) = self.state.catalog_list().catalog(CATALOG) {
            for schema in known.schema_names().into_iter().filter(|schema| schema != SCHEMA) {
                if let Some(provider) = known.schema(&schema) {
                    catalog.register_schema(&schema, provider)?;
                }
            }
        }
        let catalogs = MemoryCatalogProviderList::new();
        catalogs.register_catalog(CATALOG.to_owned(), Arc::new(catalog));
        let mut config = self.state.config().clone();
        config.options_mut().execution.time_zone = Some(zone.name().to_owned());
        let functions = self.state.scalar_functions().values().map(|function| {
            let updated = function.inner().with_updated_config(config.options());
            updated.map_or_else(|| Arc::clone(function), Arc::new)
        });
        let mut functions: Vec<_> = functions.collect();
        functions.sort_by(|one, other| one.name().cmp(other.name()));
        functions.dedup_by(|one, other| one.name() == other.name());
        let state = SessionStateBuilder::new_from_existing(self.state.clone())
            .with_config(config)
            .with_catalog_list(Arc::new(catalogs))
            .with_scalar_functions(functions)
            .build();
        Ok(Cow::Owned(state))
    }

    /// Plans SQL, if it is a question.
    pub(super) async fn plan(&self, question: &Question) -> EngineResult<LogicalPlan> {
        question.check()?;
        let mut statement = self.parse(&question.sql)?;
        spelling::rewrite(&mut statement);
        let state = self.state_in(question.zone)?;
        let plan = state.statement_to_plan(statement).await.map_err(|error| {
            let complaint = self.names.complaint(&error, &question.sql);
            complaint.unwrap_or_else(|| blame(error))
        })?;
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&plan)
            .map_err(|_changes| only_questions())?;
        zoned::settle(plan).map_err(blame)
    }

    /// Puts values in the places of placeholders, and an end after so many rows.
    pub(super) fn bind(&self, plan: LogicalPlan, question: &Question) -> EngineResult<LogicalPlan> {
        let plan = question.parameters.bind(plan)?;
        let limit = question.limit.and_then(|limit| usize::try_from(limit).ok());
        match (&plan, limit) {
            // They must stay on top.
            (LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_), _) | (_, None) => Ok(plan),
            (_, limit) => {
                let plan = LogicalPlanBuilder::from(plan).limit(0, limit).and_then(LogicalPlanBuilder::build);
                plan.map_err(blame)
            }
        }
    }

    pub(super) async fn describe(&self, question: &Question) -> EngineResult<Described> {
        let plan = self.plan(question).await?;
        Ok(Described {
            parameters: parameters::of_plan(&plan)?,
            schema: Arc::new(DFSchema::as_arrow(plan.schema()).clone()),
        })
    }

    fn parse(&self, sql: &str) -> EngineResult<Statement> {
        let mut statements = match &self.translator {
            None => {
                let recursion = self.state.config().options().sql_parser.recursion_limit;
                let parser = DFParserBuilder::new(sql).with_recursion_limit(recursion.get()).build();
                parser.and_then(|mut parser| parser.parse_statements()).map_err(unreadable)?
            }
            Some(translator) => translator
                .parse(sql)
                .map_err(|error| {
                    // The translator loses places; the parser itself tells them.
                    let told = Parser::parse_sql(&PostgreSqlDialect {}, sql).err();
                    complaint::of_syntax(&told.unwrap_or(error))
                })?
                .into_iter()
                .map(|mut statement| {
                    postgres::rewrite(&mut statement);
                    Statement::Statement(Box::new(statement))
                })
                .collect(),
        };
        match (statements.pop_front(), statements.len()) {
            (None, _) => Err(EngineError::Refused("there is no SQL; expected one query".to_owned())),
            (Some(_), more) if more > 0 => Err(EngineError::Refused(format!(
                "there are {} statements; expected one query",
                more + 1
            ))),
            (Some(statement), _) => {
                if is_question(&statement) {
                    Ok(statement)
                } else {
                    Err(only_questions())
                }
            }
        }
    }
}

/// Whether a statement only asks. What is inside of an explained one is looked at again once it is planned.
fn is_question(statement: &Statement) -> bool {
    use datafusion::sql::sqlparser::ast::Statement as Sql;
    match statement {
        Statement::Statement(statement) => matches!(
            **statement,
            Sql::Query(_)
                | Sql::Explain { .. }
                | Sql::ExplainTable { .. }
                | Sql::ShowTables { .. }
                | Sql::ShowColumns { .. }
                | Sql::ShowFunctions { .. }
        ),
        Statement::Explain(explained) => is_question(&explained.statement),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => false,
    }
}

/// Tells what is wrong with SQL that cannot be read.
fn unreadable(error: DataFusionError) -> EngineError {
    match error.find_root() {
        DataFusionError::SQL(error, _) => complaint::of_syntax(error),
        _ => blame(error),
    }
}

fn only_questions() -> EngineError {
    EngineError::Refused(
        "only questions are answered: SELECT, WITH, VALUES, EXPLAIN, DESCRIBE, SHOW TABLES; nothing can be changed".to_owned(),
    )
}

/// Tells what is wrong with SQL, or with the rows that it met, from what is wrong with us.
fn blame(error: DataFusionError) -> EngineError {
    let text = || {
        let message = error.find_root().strip_backtrace();
        // Internal errors come with a request to report them to the makers of the engine.
        let message = message.split("\nThis issue was likely caused").next().unwrap_or_default();
        message.split("\n\nbacktrace:").next().unwrap_or_default().trim().to_owned()
    };
    if super::want_of(&error).is_some() {
        return error.into();
    }
    match error.find_root() {
        DataFusionError::SQL(..)
        | DataFusionError::Plan(_)
        | DataFusionError::Configuration(_)
        | DataFusionError::SchemaError(..)
        | DataFusionError::NotImplemented(_)
        | DataFusionError::Substrait(_)
        | DataFusionError::Internal(_) => EngineError::Refused(text()),
        DataFusionError::Execution(_) | DataFusionError::ArrowError(..) => EngineError::Failed(text()),
        _ => error.into(),
    }
}

/// Tells what is wrong with the rows that a question met from what is wrong with us.
pub(super) fn blame_rows(error: EngineError) -> EngineError {
    match error {
        EngineError::Query(error) => blame(error),
        error => error,
    }
}

#[cfg(test)]
mod tests;
