//! From files to events in a store.
//!
//! ```text
//! FILE ─▶ Input ─▶ Dialect ─▶ Event ─▶ Intake ─▶ store::Incoming ─▶ commit
//!         (gz, zst,  one of     one by    counts,    nothing is in the store
//!          sniffed)  DIALECTS   one       server     before the commit
//! ```
//!
//! The invariant: a file comes in as a whole or not at all, and coming in twice changes nothing. A line that cannot be read
//! is counted and told, never fatal unless asked for; a file without a single event is an error.
//!
//! A new format is a file in `import/` with a [`Dialect`] in it, and a line in [`DIALECTS`].

mod csv;
mod dialect;
mod flexnet;
mod input;
mod intake;
mod ndjson;
mod neutral;
mod parquet;
mod tally;
mod text;

use std::panic::{self, AssertUnwindSafe};
use std::time::Instant;

pub use self::dialect::{DIALECTS, Dialect, Flaw, FlawKind, ReadOptions, Sink, find as find_dialect, names as dialect_names};
pub use self::input::Input;
use self::intake::{Bounds, Intake};
pub use self::tally::{Problem, Tally};
use crate::store::{LedgerEntry, StoreError, Writer};
use crate::time::{Day, Micros, Zone};

/// The longest session that is accepted unless an import says otherwise, in days.
pub const LONGEST_SESSION_DAYS: u32 = crate::store::LONGEST_SESSION_DAYS;

/// How to read files.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The license server of events that name none; else the file's name.
    pub server: Option<String>,
    /// The zone of times without an offset; else the store's.
    pub zone: Option<Zone>,
    /// The dialect; else it is recognised by content.
    pub format: Option<&'static dyn Dialect>,
    /// The day of the first line, for logs that never say it.
    pub date: Option<Day>,
    /// A line that cannot be read is an error.
    pub strict: bool,
    /// Nothing is taken in: the summary says what would be.
    pub dry_run: bool,
    /// The license servers that events may be of, by name; any where there is nothing.
    pub servers: Option<Vec<String>>,
    /// Events of any time are accepted, also of before 1990 and of the future, and sessions of any length.
    pub any_time: bool,
    /// The longest session that is accepted, in days; else [`LONGEST_SESSION_DAYS`].
    pub longest_session_days: Option<u32>,
    /// A log is complete: its last line is read also where it has no line end.
    pub is_final: bool,
}

/// What can go wrong with an import. Nothing of the file is in the store then.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be opened or read.
    #[error("cannot read {name}")]
    Read {
        /// The file.
        name: String,
        /// What the file system or the decompressor said.
        source: std::io::Error,
    },
    /// There is nothing in it.
    #[error("{name} is empty")]
    Empty {
        /// The file.
        name: String,
    },
    /// It is no text, and no binary format that is known.
    #[error(
        "{name} is binary. If it is a FlexNet report log (REPORTLOG), it is encrypted and only its vendor's tools read it: import the debug log instead"
    )]
    Binary {
        /// The file.
        name: String,
    },
    /// No dialect recognises it.
    #[error("the format of {name} is not recognised; --format says it, one of: {known}", known = dialect::names())]
    Unrecognised {
        /// The file.
        name: String,
    },
    /// A line is longer than any log has.
    #[error("{name}, line {line} is longer than {most} bytes: it is no line of a log")]
    LongLine {
        /// The file.
        name: String,
        /// The line, counted from one.
        line: u64,
        /// How long a line may be.
        most: usize,
    },
    /// It has events of a license server that the caller does not see.
    #[error("{name}, line {line}: events of the license server {server:?} may not be imported with this token")]
    Hidden {
        /// The file.
        name: String,
        /// The line, counted from one.
        line: u64,
        /// The license server.
        server: String,
    },
    /// Its reader panicked.
    #[error("{name} is damaged: its reader broke off")]
    Damaged {
        /// The file.
        name: String,
    },
    /// It has no event.
    #[error("{name} was read as {format}, but holds no event{hint}")]
    NoEvent {
        /// The file.
        name: String,
        /// The dialect.
        format: &'static str,
        /// The first thing that was wrong with it, if anything was.
        hint: String,
    },
    /// Its lines have times but no date.
    #[error("{name} never says which day it is (no TIMESTAMP, no start banner); --date YYYY-MM-DD gives the day of its first line")]
    Undated {
        /// The file.
        name: String,
    },
    /// A line cannot be read, and that is an error.
    #[error("{name}, line {line}: {reason}")]
    Strict {
        /// The file.
        name: String,
        /// The line, counted from one.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// It is a damaged or foreign Parquet file.
    #[error("{name} cannot be read as Parquet: {reason}")]
    Parquet {
        /// The file.
        name: String,
        /// What the reader said.
        reason: String,
    },
    /// A column that must be there is not, or has a type that cannot be read.
    #[error("{name}: {reason}")]
    Columns {
        /// The file.
        name: String,
        /// Which one, and what was expected.
        reason: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes a file into the store, as a whole or not at all. `progress` is told how many days were derived, of how many.
///
/// # Errors
///
/// [`ImportError`] says what is wrong with the file, or with the store.
pub fn import(
    writer: &mut Writer,
    mut input: Input,
    options: &ImportOptions,
    now: Micros,
    progress: &mut (dyn FnMut(usize, usize) + Send),
) -> Result<Tally, ImportError> {
    let began = Instant::now();
    let name = input.name().to_owned();
    let dialect = match options.format {
        Some(dialect) => dialect,
        None => dialect::recognise(&mut input)?,
    };
    let read_options = ReadOptions {
        zone: options.zone.unwrap_or_else(|| writer.zone()),
        date: options.date,
        is_final: options.is_final,
    };
    let server = options.server.clone().unwrap_or_else(|| input::server_name(&name));
    let days = options.longest_session_days.unwrap_or(LONGEST_SESSION_DAYS);
    let bounds = Bounds::new(now, days, options.any_time);
    let mut intake = Intake::new(writer.incoming(&name)?, &name, &server, (options.strict, bounds)).only_of(options.servers.as_deref());
    // A decoder may panic on bytes that nobody foresaw. Nothing of the file is in the store then.
    let read = panic::catch_unwind(AssertUnwindSafe(|| dialect.read(&mut input, &read_options, &mut intake)));
    read.unwrap_or_else(|_panic| Err(ImportError::Damaged { name: name.clone() }))?;
    for reason in input.notes() {
        intake.flaw(Flaw {
            line: 1,
            kind: FlawKind::Noted,
            reason,
        })?;
    }
    let (incoming, mut tally) = intake.finish();
    tally.files = 1;
    tally.bytes = input.bytes_read();
    tally.unterminated_lines = input.unterminated_lines();
    if tally.lines == 0 {
        tally.lines = input.lines_ended();
    }
    if tally.total_events() == 0 {
        let hint = tally
            .problems
            .first()
            .map(|problem| format!(" (line {}: {})", problem.line, problem.reason));
        return Err(ImportError::NoEvent {
            name,
            format: dialect.name(),
            hint: hint.unwrap_or_default(),
        });
    }
    incoming.trial(options.dry_run).commit(progress, |committed| {
        tally.add_committed(committed);
        tally.seconds = began.elapsed().as_secs_f64();
        LedgerEntry {
            source: name.clone(),
            at: now,
            begins: tally.first,
            ends: tally.last,
            zone: read_options.zone.name().to_owned(),
            dialect: dialect.name().to_owned(),
            events: tally.total_events(),
            undated: tally.undated_lines,
            unparsed: tally.unparsed_lines,
            summary: tally.to_json(),
        }
    })?;
    tally.seconds = began.elapsed().as_secs_f64();
    Ok(tally)
}
