//! SQL that somebody else wrote runs in a process of its own.
//!
//! ```text
//!   server                                    worker (headroom sql-worker)
//!   Workers ──── one line of JSON: ask ─────▶ plans, runs, behind the fence
//!      ▲  RowStream ◀── frames: columns, rows, progress, end ──┘
//!      └─ a query that is dropped: its worker is killed
//! ```
//!
//! A planner may overflow its stack, a function may allocate what no pool counts, a step may take long and not yield. In a process
//! of its own none of that reaches the server: the worker has a limit of memory that it watches itself, a lower priority, and it
//! is killed when its query is out of time or its reader is gone, so that time and memory are back at once. One that has
//! answered waits a while for the next question; its caches are warm.
//!
//! The invariant: no answer is taken for whole unless the worker said that it was.

mod attend;
mod frame;
mod pool;
mod process;
mod watch;

use serde::{Deserialize, Serialize};

pub use self::attend::{Allowance, attend};
pub use self::pool::{WorkerOptions, Workers};
use crate::access::{Access, Names, Role};
use crate::engine::{EngineError, Question};

/// What a worker is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// The question.
    pub question: Question,
    /// Whether it shall be answered, or only said what it takes and gives.
    pub wants: Wants,
    /// Names of the license servers that the caller sees; all where there is nothing.
    servers: Option<Vec<String>>,
    /// Whether users and hosts have their names.
    plain_names: bool,
}

/// What is wanted of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wants {
    /// Its rows.
    Rows,
    /// What it takes and gives.
    Description,
}

impl Ask {
    /// A question of somebody.
    #[must_use]
    pub fn new(question: Question, wants: Wants, access: &Access) -> Self {
        Self {
            question,
            wants,
            servers: access.servers().map(<[String]>::to_vec),
            plain_names: access.names() == Names::Plain,
        }
    }

    fn access(&self) -> Access {
        let names = if self.plain_names { Names::Plain } else { Names::Pseudonym };
        Access::new(Role::Analyst, self.servers.clone(), names)
    }
}

/// How a question failed, on its way between processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Failure {
    Refused(String),
    Failed(String),
    Exhausted(String),
    Broken(String),
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::TooLong { .. } => Self::Refused(error.to_string()),
            EngineError::Refused(reason) => Self::Refused(reason),
            EngineError::Failed(reason) => Self::Failed(reason),
            EngineError::Exhausted(reason) => Self::Exhausted(reason),
            EngineError::Query(_)
            | EngineError::Threads(_)
            | EngineError::OutOfTime { .. }
            | EngineError::Stopped
            | EngineError::Unread
            | EngineError::Died
            | EngineError::Worker(_) => Self::Broken(error.to_string()),
        }
    }
}

impl From<Failure> for EngineError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(reason) => Self::Refused(reason),
            Failure::Failed(reason) => Self::Failed(reason),
            Failure::Exhausted(reason) => Self::Exhausted(reason),
            Failure::Broken(reason) => Self::Worker(reason),
        }
    }
}
