//! Reports: SQL files with typed parameters, compiled once, bound for each request.
//!
//! ```text
//!  queries/reports/*.sql ─▶ Definition ─compile─▶ plan with placeholders          once, at start
//!                                                        │
//!  raw parameters ─parse─▶ Request ─────────────────── bind ─▶ refine ─▶ plan     every request
//!                          (typed values)         values in    filter, zone, names of
//!                                                 their places  features, columns, order
//! ```
//!
//! A report is one file in `queries/reports/` and nothing else: routes, command line and listings go through [`Catalog`].
//! Values never meet the text of a query: they are bound into the compiled plan.

mod answer;
mod bind;
mod calendars;
mod catalog;
mod chart;
mod column;
mod compile;
mod definition;
mod features;
mod filter;
mod json;
mod order;
mod param;
mod refine;
mod request;
mod selection;
mod source;

pub use self::answer::{chart_of, columns_of};
pub use self::calendars::{CalendarError, Calendars};
pub use self::catalog::{Catalog, Report};
pub use self::chart::{ChartForm, ChartSpec};
pub use self::column::{Column, ColumnType, Visibility};
pub use self::definition::{Definition, Range};
pub(crate) use self::param::seconds;
pub use self::param::{Param, ParamType, Value};
pub use self::refine::Wanted;
pub use self::request::{Request, STANDARD, Scope};
pub use self::selection::{Family, Selection};
use crate::engine::EngineError;

/// What can be wrong with a report or a request for one.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A report's file makes no sense.
    #[error("queries/reports/{report}.sql: {reason}")]
    Definition {
        /// The file.
        report: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such report.
    #[error("there is no report {name:?}; there are: {known}{hint}")]
    UnknownReport {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
        /// What was perhaps meant.
        hint: String,
    },
    /// A parameter that the report does not have.
    #[error("unknown parameter {name:?}; accepted: {known}{hint}")]
    UnknownParameter {
        /// The parameter.
        name: String,
        /// Those that the report has.
        known: String,
        /// Those that were perhaps meant.
        hint: String,
    },
    /// A parameter that must be given is not.
    #[error("parameter {name:?} is missing: {expected}")]
    Missing {
        /// The parameter.
        name: String,
        /// What it must be.
        expected: String,
    },
    /// A parameter is not what it must be.
    #[error("parameter {name:?}: {value:?} is not {expected}")]
    Malformed {
        /// The parameter.
        name: String,
        /// What was given.
        value: String,
        /// What it must be.
        expected: String,
    },
    /// Parameters that say different things.
    #[error("{reason}")]
    Contradiction {
        /// Which, and what is accepted.
        reason: String,
    },
    /// There is no such feature, or the caller may not see it.
    #[error("there is no feature {feature}{hint}")]
    UnknownFeature {
        /// The feature's number, or its name in quotes.
        feature: String,
        /// Names that were perhaps meant, of features that the caller sees.
        hint: String,
    },
    /// Several features have the name.
    #[error("parameter \"feature\": several features are called {name:?}; accepted: one of their numbers: {bearers}")]
    AmbiguousFeature {
        /// The name.
        name: String,
        /// Numbers, servers and versions.
        bearers: String,
    },
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}
