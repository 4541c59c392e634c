//! Queries: how many run at once, who waits, what they may use, and what became of them.
//!
//! ```text
//!   begin ─▶ waiting (a line for each caller, served in turn) ─▶ running (a slot) ─▶ recent
//!      └ line full: refused at once            └ stop, out of time, gone ──────────┘
//! ```
//!
//! The invariant: a query that has begun holds a [`Running`]; when that is dropped, whatever the reason, its slot is free and
//! what became of it is written down.

mod admission;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use self::admission::{Admission, Slot};
use super::{AppError, now};
use crate::access::Caller;
use crate::engine::{Budget, Control, EngineError};
use crate::time::{Micros, rfc3339};

/// What queries may use.
#[derive(Debug, Clone)]
pub struct QueryOptions {
    /// How many run at once.
    pub running: usize,
    /// How many of one caller wait.
    pub waiting: usize,
    /// How long one may take; for ever where there is nothing.
    pub time: Option<Duration>,
    /// How long its reader may take nothing.
    pub patience: Option<Duration>,
    /// Bytes of memory for one.
    pub memory: u64,
    /// Bytes on the disk for one.
    pub scratch: u64,
}

impl Default for QueryOptions {
    fn default() -> Self {
        Self {
            running: 4,
            waiting: 100,
            time: None,
            patience: None,
            memory: 512 * 1024 * 1024,
            scratch: 4 * 1024 * 1024 * 1024,
        }
    }
}

/// Why a query does not begin.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The caller's line is full.
    #[error("{waiting} queries of yours wait already; ask again when some of them are answered")]
    LineFull {
        /// How many wait.
        waiting: usize,
    },
    /// It waited for too long.
    #[error("no query could begin within {} s: the server has too much to do; ask again later", waited.as_secs_f64())]
    Busy {
        /// How long it waited.
        waited: Duration,
    },
    /// It was stopped while it waited.
    #[error("the query was stopped")]
    Stopped,
    /// There is no such query that runs, for all that the caller may know.
    #[error("no query {id:?} of yours is running")]
    Unknown {
        /// What was looked for.
        id: String,
    },
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Subject {
    /// A report.
    Report {
        /// Which one.
        report: String,
        /// Its parameters, as they were given.
        parameters: BTreeMap<String, String>,
    },
    /// A question in SQL.
    Sql {
        /// The SQL.
        sql: String,
    },
}

/// How a query stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// It waits until it may run.
    Waiting,
    /// It runs.
    Running,
    /// All of its rows have been read.
    Done,
    /// It failed.
    Failed,
    /// It took too long.
    TimedOut,
    /// It took too much memory.
    OutOfMemory,
    /// Somebody stopped it, or its reader went away.
    Cancelled,
    /// It was not let in.
    Refused,
}

impl State {
    /// Every state in which a query has come to its end.
    pub const ENDS: [Self; 6] = [
        Self::Done,
        Self::Failed,
        Self::TimedOut,
        Self::OutOfMemory,
        Self::Cancelled,
        Self::Refused,
    ];

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::TimedOut => "timedOut",
            Self::OutOfMemory => "outOfMemory",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
        }
    }

    /// What an error makes of a query.
    const fn after(error: &AppError) -> Self {
        match error {
            AppError::Engine(EngineError::OutOfTime { .. }) => Self::TimedOut,
            AppError::Engine(EngineError::Exhausted(_)) => Self::OutOfMemory,
            AppError::Engine(EngineError::Stopped | EngineError::Unread) => Self::Cancelled,
            _ => Self::Failed,
        }
    }
}

/// A query, as it is told to people.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// What it is known by.
    pub id: String,
    /// Whose it is.
    pub who: String,
    /// What was asked.
    #[serde(flatten)]
    pub subject: Subject,
    /// The format of the answer.
    pub format: &'static str,
    /// How it stands.
    pub state: State,
    /// When it was asked, UTC.
    pub asked_at: String,
    /// How long it has waited, or did.
    pub waited_ms: u64,
    /// How long it has run, or did.
    pub elapsed_ms: u64,
    /// Rows that it has made.
    pub rows: u64,
    /// Bytes of files that it has read.
    pub bytes_scanned: u64,
    /// Bytes that it has put on the disk.
    pub bytes_spilled: u64,
    /// Bytes of memory that it holds.
    pub memory_bytes: u64,
}

/// All queries.
#[derive(Debug)]
pub struct Queries {
    options: QueryOptions,
    admission: Arc<Admission>,
    book: Mutex<Book>,
}

/// How many queries are remembered.
const REMEMBERED: usize = 200;
/// How much of the SQL is told.
const TOLD: usize = 4096;

#[derive(Debug, Default)]
struct Book {
    open: BTreeMap<String, Arc<Entry>>,
    recent: VecDeque<Summary>,
    /// How many have ended so.
    ended: [u64; State::ENDS.len()],
}

#[derive(Debug)]
struct Entry {
    id: String,
    who: Arc<str>,
    subject: Subject,
    format: &'static str,
    asked: Micros,
    since: Instant,
    control: Control,
    begun: Mutex<Option<Instant>>,
}

impl Entry {
    fn summary(&self, end: Option<State>) -> Summary {
        let begun = *self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let progress = &self.control.progress;
        Summary {
            id: self.id.clone(),
            who: self.who.to_string(),
            subject: self.subject.clone(),
            format: self.format,
            state: match (end, begun) {
                (Some(end), _) => end,
                (None, Some(_)) => State::Running,
                (None, None) => State::Waiting,
            },
            asked_at: rfc3339(self.asked),
            waited_ms: millis(begun.unwrap_or_else(Instant::now).duration_since(self.since)),
            elapsed_ms: begun.map_or(0, |begun| millis(begun.elapsed())),
            rows: progress.rows.get(),
            bytes_scanned: progress.scanned.get(),
            bytes_spilled: progress.spilled.get(),
            memory_bytes: progress.memory.get(),
        }
    }
}

/// What is asked, by whom, and for how long it may run.
#[derive(Debug)]
pub struct Bid<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// What.
    pub subject: Subject,
    /// The format of the answer.
    pub format: &'static str,
    /// How long it shall take at most, if it says so.
    pub time: Option<Duration>,
}

impl Queries {
    pub(super) fn new(options: QueryOptions) -> Arc<Self> {
        Arc::new(Self {
            admission: Admission::new(options.running, options.waiting),
            options,
            book: Mutex::default(),
        })
    }

    /// What queries may use.
    #[must_use]
    pub const fn options(&self) -> &QueryOptions {
        &self.options
    }

    /// Waits until a query may run.
    ///
    /// # Errors
    ///
    /// When it may not.
    pub async fn begin(self: &Arc<Self>, bid: Bid<'_>) -> Result<Running, QueryError> {
        // A caller may want less time than there is, not more.
        let time = match (bid.time, self.options.time) {
            (Some(wanted), Some(most)) => Some(wanted.min(most)),
            (wanted, most) => wanted.or(most),
        };
        let control = Control::new(Budget {
            memory: self.options.memory,
            scratch: self.options.scratch,
            time,
            patience: self.options.patience,
        });
        let mut subject = bid.subject;
        if let Subject::Sql { sql } = &mut subject
            && let Some((end, _)) = sql.char_indices().nth(TOLD)
        {
            sql.truncate(end);
            sql.push('…');
        }
        let entry = Arc::new(Entry {
            id: format!("{:016x}", getrandom::u64().unwrap_or_default()),
            who: Arc::clone(bid.caller.name()),
            subject,
            format: bid.format,
            asked: now(),
            since: Instant::now(),
            control,
            begun: Mutex::new(None),
        });
        self.book().open.insert(entry.id.clone(), Arc::clone(&entry));
        let mut running = Running {
            queries: Arc::clone(self),
            entry,
            end: State::Cancelled,
            slot: None,
        };
        let waited = time.unwrap_or(Duration::MAX);
        let admitted = tokio::select! {
            // Where there is room, nobody waits.
            biased;
            admitted = self.admission.admit(running.entry.who.as_ref()) => admitted,
            () = running.entry.control.stop.cancelled() => return Err(QueryError::Stopped),
            () = tokio::time::sleep(waited) => Err(QueryError::Busy { waited }),
        };
        match admitted {
            Ok(slot) => {
                running.slot = Some(slot);
                *running.entry.begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                Ok(running)
            }
            Err(error) => {
                running.end = State::Refused;
                Err(error)
            }
        }
    }

    /// The queries that a caller may know of: those that wait and run, then those that ended last, the latest first.
    #[must_use]
    pub fn list(&self, caller: &Caller) -> Vec<Summary> {
        let book = self.book();
        let mut open: Vec<&Arc<Entry>> = book.open.values().collect();
        open.sort_by_key(|entry| std::cmp::Reverse(entry.since));
        let open = open.into_iter().map(|entry| entry.summary(None));
        let recent = book.recent.iter().rev().cloned();
        open.chain(recent).filter(|summary| knows(caller, &summary.who)).collect()
    }

    /// Stops a query that waits or runs.
    ///
    /// # Errors
    ///
    /// When there is none that the caller may know of.
    pub fn stop(&self, caller: &Caller, id: &str) -> Result<(), QueryError> {
        let entry = self.book().open.get(id).filter(|entry| knows(caller, &entry.who)).cloned();
        let entry = entry.ok_or_else(|| QueryError::Unknown { id: id.to_owned() })?;
        entry.control.stop.cancel();
        Ok(())
    }

    /// How many wait and how many run.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        self.admission.counts()
    }

    /// How many have ended in each of [`State::ENDS`].
    #[must_use]
    pub fn ended(&self) -> [(State, u64); State::ENDS.len()] {
        let ended = self.book().ended;
        std::array::from_fn(|place| (State::ENDS[place], ended[place]))
    }

    /// Bytes that the queries that run have put on the disk.
    #[must_use]
    pub fn spilled(&self) -> u64 {
        self.book().open.values().map(|entry| entry.control.progress.spilled.get()).sum()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a caller may know of somebody's queries: what others ask may say things that the caller must not see.
fn knows(caller: &Caller, who: &str) -> bool {
    **caller.name() == *who || caller.access() == &crate::access::Access::everything()
}

/// A query that runs, or waits to. Dropped, it has ended.
#[derive(Debug)]
pub struct Running {
    queries: Arc<Queries>,
    entry: Arc<Entry>,
    end: State,
    slot: Option<Slot>,
}

impl Running {
    /// What it is known by.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.entry.id
    }

    /// What it may use, what it has used, and the way to stop it.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.entry.control
    }

    /// All of its rows have been read.
    pub fn is_done(&mut self) {
        self.end = State::Done;
    }

    /// It failed with this.
    #[must_use]
    pub fn fail(&mut self, error: AppError) -> AppError {
        self.end = State::after(&error);
        error
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Whatever still works for it may stop.
        self.entry.control.stop.cancel();
        let summary = self.entry.summary(Some(self.end));
        tracing::debug!(
            query = summary.id,
            state = summary.state.name(),
            rows = summary.rows,
            scanned = summary.bytes_scanned,
            spilled = summary.bytes_spilled,
            ms = summary.elapsed_ms,
            "query ended"
        );
        let mut book = self.queries.book();
        book.open.remove(&self.entry.id);
        if let Some(place) = State::ENDS.iter().position(|end| *end == self.end) {
            book.ended[place] += 1;
        }
        if book.recent.len() == REMEMBERED {
            book.recent.pop_front();
        }
        book.recent.push_back(summary);
        drop(book);
        self.slot = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Access, Names, Role};

    fn bid<'a>(caller: &'a Caller, time: Option<u64>) -> Bid<'a> {
        Bid {
            caller,
            subject: Subject::Sql {
                sql: "SELECT 1".to_owned(),
            },
            format: "json",
            time: time.map(Duration::from_millis),
        }
    }

    fn analyst(name: &str) -> Caller {
        Caller::new(name, Access::new(Role::Analyst, None, Names::Plain))
    }

    #[tokio::test]
    async fn what_began_is_told_and_ends() {
        let queries = Queries::new(QueryOptions {
            running: 1,
            time: Some(Duration::from_secs(1)),
            ..QueryOptions::default()
        });
        let (ada, ben) = (analyst("ada"), analyst("ben"));
        let mut first = queries.begin(bid(&ada, None)).await.unwrap();
        assert_eq!(queries.list(&ada)[0].state, State::Running);
        assert!(queries.list(&ben).is_empty());
        assert_eq!(queries.list(&Caller::local()).len(), 1);
        // One that waits is refused when its own time is up.
        assert!(matches!(queries.begin(bid(&ben, Some(20))).await, Err(QueryError::Busy { .. })));
        assert_eq!(queries.list(&ben)[0].state, State::Refused);
        // Nobody stops what others ask, but an administrator.
        assert!(queries.stop(&ben, first.id()).is_err() && !first.control().stop.is_cancelled());
        queries.stop(&Caller::local(), first.id()).unwrap();
        assert!(first.control().stop.is_cancelled());
        first.is_done();
        drop(first);
        assert_eq!(queries.counts(), (0, 0));
        assert_eq!(queries.list(&ada)[0].state, State::Done);
        let ended: Vec<u64> = queries.ended().into_iter().map(|(_, count)| count).collect();
        assert_eq!(ended, [1, 0, 0, 0, 0, 1]);
    }
}
