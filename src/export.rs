//! Tables as files for others to keep: one file a day, of one moment of the store.
//!
//! ```text
//! <folder>/events/day=2026-03-01/part.parquet     a day of a table that is kept by days
//! <folder>/servers/part.parquet                   a table that is not
//! <folder>/events.parquet.manifest                which of them were made of what
//! ```
//!
//! **Nothing half.** A file is written beside its place, made durable and renamed into it; only then does the manifest say what it
//! was made of. Whatever a killed export leaves behind, the next one mends.
//!
//! **Nothing twice.** A file whose manifest names the very rows that the store has now is left alone. Days that the store has no
//! rows of any more are removed, so that the folder is what the store is.

mod file;
mod manifest;
mod rows;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use self::manifest::{Entry, Manifest};
pub use self::rows::ExportFormat;
use self::rows::Rows;
use crate::engine::{self, EngineError};
use crate::event::Table;
use crate::output::EncodeError;
use crate::store::{Snapshot, StoreError};
use crate::time::{Day, Days};

/// A table that can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportTable {
    /// One that is kept by days: a file a day.
    Days(Table),
    /// One that is not: a file.
    List(&'static str),
}

/// What is exported, and how.
#[derive(Debug, Clone, Copy)]
pub struct ExportOptions {
    /// The table.
    pub table: ExportTable,
    /// Which days of it, if it is kept by days.
    pub days: Days,
    /// How its files are written.
    pub format: ExportFormat,
}

/// What an export did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportSummary {
    /// Files that were written.
    pub written: usize,
    /// Files that were there already, made of the same rows.
    pub unchanged: usize,
    /// Files of days that the store has no rows of any more.
    pub removed: usize,
    /// Rows in all files that were asked for, written or there already.
    pub rows: u64,
    /// Bytes in these files.
    pub bytes: u64,
}

/// What can go wrong with an export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Another export is at work on the same files.
    #[error("another export is writing what {path} is about", path = path.display())]
    Busy {
        /// The manifest.
        path: PathBuf,
    },
    /// The files are another store's.
    #[error("{path} is of another store: choose another folder, or remove what was exported there", path = path.display())]
    Foreign {
        /// The manifest.
        path: PathBuf,
    },
    /// A file of the store is not what was written.
    #[error("{path} is damaged; `headroom check` says more", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A list could not be made.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Rows that do not fit the format.
    #[error(transparent)]
    Encoding(#[from] EncodeError),
    /// The file system failed.
    #[error("cannot {action} {path}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
}

impl ExportError {
    /// For `map_err`: names what was tried on which path.
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

impl ExportTable {
    /// Every table.
    pub fn all() -> impl Iterator<Item = Self> {
        let by_day = Table::ALL.into_iter().filter(|table| table.public()).map(Self::Days);
        by_day.chain(engine::list_names().map(Self::List))
    }

    /// The name in SQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Days(table) => table.name(),
            Self::List(name) => name,
        }
    }

    /// The table of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|table| table.name() == name)
    }
}

/// A file that is to be there.
struct Piece<'a> {
    day: Option<Day>,
    rows: Rows<'a>,
}

/// Makes the files of a folder those of a snapshot. `progress` is told how many of how many are done.
///
/// # Errors
///
/// When the store cannot be read or files cannot be written. What was written by then is whole, and is not written again.
pub fn export(
    snapshot: &Snapshot,
    options: &ExportOptions,
    folder: &Path,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<ExportSummary, ExportError> {
    let (table, format) = (options.table.name(), options.format);
    let place = folder.join(table);
    fs::create_dir_all(&place).map_err(ExportError::io("create", &place))?;
    let mut manifest = Manifest::open(&folder.join(format!("{table}.{}.manifest", format.name())), snapshot)?;
    let pieces = pieces(snapshot, options)?;
    let mut summary = ExportSummary {
        removed: remove_others(&place, options, &pieces)?,
        ..ExportSummary::default()
    };
    for (done, piece) in pieces.iter().enumerate() {
        progress(done, pieces.len());
        let path = path_of(&place, piece.day, format);
        let source = piece.rows.checksum();
        let entry = match manifest.entry(piece.day, &source) {
            Some(entry) if file::length(&path) == Some(entry.bytes) => {
                summary.unchanged += 1;
                *entry
            }
            _ => {
                let bytes = file::write_whole(folder, &path, |out| piece.rows.write(format, out))?;
                summary.written += 1;
                let entry = Entry {
                    day: piece.day,
                    source,
                    rows: piece.rows.count(),
                    bytes,
                };
                manifest.enter(entry)?;
                entry
            }
        };
        summary.rows += entry.rows;
        summary.bytes += entry.bytes;
    }
    progress(pieces.len(), pieces.len());
    Ok(summary)
}

fn pieces<'a>(snapshot: &'a Snapshot, options: &ExportOptions) -> Result<Vec<Piece<'a>>, ExportError> {
    match options.table {
        ExportTable::Days(table) => {
            let files = snapshot.files(table).range(options.days.first()..=options.days.last());
            let pieces = files.map(|(day, file)| Piece {
                day: Some(*day),
                rows: Rows::Partition { snapshot, file },
            });
            Ok(pieces.collect())
        }
        ExportTable::List(name) => {
            let rows = Rows::of_list(&engine::list_rows(name, snapshot)?, options.format)?;
            Ok(vec![Piece { day: None, rows }])
        }
    }
}

fn path_of(place: &Path, day: Option<Day>, format: ExportFormat) -> PathBuf {
    let folder = day.map_or_else(|| place.to_owned(), |day| place.join(format!("day={day}")));
    folder.join("part").with_extension(format.name())
}

/// Removes the files of days that were asked for and that the store has no rows of, and what a killed export left behind. Returns
/// how many were files that readers saw.
fn remove_others(place: &Path, options: &ExportOptions, pieces: &[Piece<'_>]) -> Result<usize, ExportError> {
    let wanted: BTreeSet<Option<Day>> = pieces.iter().map(|piece| piece.day).collect();
    let mut removed = 0;
    file::remove(&file::partial(&path_of(place, None, options.format)))?;
    for entry in fs::read_dir(place).map_err(ExportError::io("list", place))? {
        let name = entry.map_err(ExportError::io("list", place))?.file_name();
        let Some(day) = name.to_str().and_then(|name| name.strip_prefix("day=")?.parse().ok()) else {
            continue;
        };
        let path = path_of(place, Some(day), options.format);
        file::remove(&file::partial(&path))?;
        if options.days.contains(day) && !wanted.contains(&Some(day)) && file::remove(&path)? {
            removed += 1;
            if let Some(folder) = path.parent() {
                // It stays where another format has a file in it.
                let _not_empty = fs::remove_dir(folder);
            }
        }
    }
    Ok(removed)
}
