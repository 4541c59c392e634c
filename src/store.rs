//! Where events are kept: Parquet partitions by day, and a catalog that says which of them are true.
//!
//! ```text
//! <store>/catalog.sqlite                          ids, live files, facts of each day, imports, tokens, a secret
//! <store>/events/day=2026-03-01/<id>.parquet      source of truth, sorted by feature and instant
//! <store>/sessions/day=…  denials/day=…           derived, and rebuilt equal to the byte
//! <store>/open/day=…                              derived: what is held at the first instant of the day
//! ```
//!
//! **Nothing lost, nothing half.** Files never change. A commit writes its files, makes them durable, and then names them in
//! one SQLite transaction, which also retires the files they replace. A process killed before that transaction leaves
//! files that no catalog names; the next writer sweeps them. A retired file is deleted when no [`Snapshot`] of any process
//! needs it.
//!
//! **Nothing twice.** What makes an event another event is `rows::EventRow::identity_order`; a day takes of each event as
//! many as the source that tells it most often.

mod aliases;
mod arrivals;
mod carried;
mod catalog;
mod check;
mod chunk;
mod columns;
mod derive;
mod draft;
mod facts;
mod in_use;
mod incoming;
mod ledger;
mod lock;
mod names;
mod opened;
mod partition;
mod quality;
mod recent;
mod rederive;
mod registry;
mod rows;
mod runs;
mod secret;
mod silence;
mod snapshot;
mod strings;
mod telling;
mod tokens;
mod undo;
mod views;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::check::{CheckSummary, Flaw};
pub use self::derive::LONGEST_SESSION_DAYS;
pub use self::incoming::{Committed, Coverage, Holds, Incoming};
pub use self::ledger::{ImportEntry, LedgerEntry, imports};
pub(crate) use self::opened::Opened;
pub use self::partition::PartitionFile;
pub use self::quality::{Covered, Quality};
pub use self::registry::{Feature, Server};
pub use self::rows::Id;
pub use self::secret::Secret;
pub use self::snapshot::{FeatureState, ServerState, Snapshot};
pub(crate) use self::strings::Strings;
use self::tokens::MOST_CHARACTERS;
pub use self::tokens::{Grant, Tokens};
pub use self::undo::Undone;
pub use self::writer::{RebuildSummary, Writer};
use crate::time::Zone;

/// What can go wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no store.
    #[error("there is no store at {path}; `headroom init --store {path}` or an import makes one", path = path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is a store where a new one should be made.
    #[error("there is a store at {path} already, in zone {zone}", path = path.display())]
    Exists {
        /// Where it lies.
        path: PathBuf,
        /// Its zone.
        zone: Zone,
    },
    /// A new store should be made in a folder that holds other things.
    #[error("{path} is a folder with other things in it, and no store; expected a store, an empty folder, or one that is not there yet", path = path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// A later version of the program made the store.
    #[error("{path} has format {format}, made by a later version of headroom than this one", path = path.display())]
    Newer {
        /// The catalog.
        path: PathBuf,
        /// Its format.
        format: i64,
    },
    /// Another process writes.
    #[error("another process is writing to {path}; gave up after {seconds} s", path = path.display())]
    Busy {
        /// The store.
        path: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The catalog names a zone that this program does not know.
    #[error("the store's zone {name:?} is unknown")]
    Zone {
        /// The name.
        name: String,
    },
    /// A token of that name exists.
    #[error("there is a token called {name:?} already")]
    TokenTaken {
        /// The name.
        name: String,
    },
    /// No token of that name exists.
    #[error("there is no token called {name:?}")]
    TokenUnknown {
        /// The name.
        name: String,
    },
    /// A name that no token can have.
    #[error("{name:?} is no name of a token; accepted: 1 to {MOST_CHARACTERS} characters, none of them a control character")]
    TokenName {
        /// The name.
        name: String,
    },
    /// No import has that number.
    #[error("there is no import {number}; {known}")]
    ImportUnknown {
        /// The number.
        number: i64,
        /// The numbers that there are.
        known: String,
    },
    /// The import was undone before.
    #[error("import {number} was undone already, on {at}")]
    ImportUndone {
        /// The number.
        number: i64,
        /// When.
        at: String,
    },
    /// An earlier version of the program made the import.
    #[error("import {number} cannot be undone: the version of headroom that made it kept no copy of what it told")]
    ImportNotKept {
        /// The number.
        number: i64,
    },
    /// A token is to see a license server that is not there.
    #[error("there is no license server {name:?}; there are: {}", known.join(", "))]
    ServerUnknown {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The operating system gave no random number.
    #[error("no random number: {reason}")]
    Random {
        /// What it said.
        reason: String,
    },
    /// A thread of the store died.
    #[error("a worker of the store died")]
    Worker,
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
    /// The catalog failed.
    #[error("the catalog failed")]
    Catalog(#[from] rusqlite::Error),
    /// A partition file could not be encoded or decoded.
    #[error("a partition file failed")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// Rows could not be turned into columns or back.
    #[error("a partition file does not fit its table")]
    Arrow(#[from] arrow::error::ArrowError),
}

impl StoreError {
    /// For `map_err`: names what was tried on which path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// Makes a new store whose days are those of a zone.
///
/// # Errors
///
/// [`StoreError::Exists`] where there is one already, and whatever the file system says.
pub fn create(root: &Path, zone: Zone) -> Result<(), StoreError> {
    if exists(root) {
        let zone = catalog::Catalog::open(root)?.read()?.zone()?;
        return Err(StoreError::Exists {
            path: root.to_owned(),
            zone,
        });
    }
    if holds_other_things(root) {
        return Err(StoreError::Foreign { path: root.to_owned() });
    }
    std::fs::create_dir_all(root).map_err(StoreError::io("create", root))?;
    catalog::Catalog::create(root, zone)?;
    Ok(())
}

/// Returns whether a folder has something in it that no store has.
fn holds_other_things(root: &Path) -> bool {
    let own = |name: &str| {
        name.starts_with(catalog::FILE)
            || ["writer.lock", "readers"].contains(&name)
            || crate::event::Table::ALL.iter().any(|table| table.name() == name)
    };
    std::fs::read_dir(root).is_ok_and(|entries| entries.flatten().any(|entry| !own(&entry.file_name().to_string_lossy())))
}

/// Removes a store that was just made and that nothing was taken into, so that no trace of it stays; its folder stays where it was
/// there before.
///
/// # Errors
///
/// When the catalog cannot be read, or files cannot be removed.
pub fn remove_unused(root: &Path, keeps_folder: bool) -> Result<(), StoreError> {
    let is_unused = {
        let mut catalog = catalog::Catalog::open(root)?;
        let reading = catalog.read()?;
        reading.imports()?.is_empty() && reading.grants()?.is_empty() && reading.files()?.is_empty()
    };
    if !is_unused || holds_other_things(root) {
        return Ok(());
    }
    if !keeps_folder {
        return std::fs::remove_dir_all(root).map_err(StoreError::io("remove", root));
    }
    for entry in std::fs::read_dir(root).map_err(StoreError::io("list", root))? {
        let path = entry.map_err(StoreError::io("list", root))?.path();
        let removed = match path.is_dir() {
            true => std::fs::remove_dir_all(&path),
            false => std::fs::remove_file(&path),
        };
        removed.map_err(StoreError::io("remove", &path))?;
    }
    Ok(())
}

/// The zone whose days a store's partitions are.
///
/// # Errors
///
/// When there is no store, or its catalog cannot be read.
pub fn zone(root: &Path) -> Result<Zone, StoreError> {
    catalog::Catalog::open(root)?.read()?.zone()
}

/// Whether there is a store, of whichever format and in whichever state.
#[must_use]
pub fn exists(root: &Path) -> bool {
    !matches!(catalog::Catalog::open(root), Err(StoreError::Missing { .. }))
}

/// Takes snapshots of a store, and notices when any process has changed it. There need not be a store yet.
#[derive(Debug)]
pub struct Watcher {
    root: PathBuf,
    catalog: Option<(catalog::Catalog, FileIdentity)>,
    seen: Option<(i64, Arc<Snapshot>)>,
}

/// Device and number of a file, and when it was made: another file of the same name has others, even where numbers are used
/// again.
type FileIdentity = (u64, u64, Option<std::time::SystemTime>);

impl Watcher {
    /// Watches a store, or the place where one will be.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            catalog: None,
            seen: None,
        }
    }

    /// The store as it is now. Costs two system calls and a page read while nothing changed.
    ///
    /// # Errors
    ///
    /// When the catalog cannot be read.
    pub fn snapshot(&mut self) -> Result<Arc<Snapshot>, StoreError> {
        let identity = identity(&self.root.join(catalog::FILE));
        if self.catalog.as_ref().map(|(_, known)| *known) != identity {
            self.catalog = None;
            self.seen = None;
        }
        let Some(identity) = identity else {
            return Ok(Snapshot::empty(&self.root));
        };
        if self.catalog.is_none() {
            match catalog::Catalog::open(&self.root) {
                Ok(catalog) => self.catalog = Some((catalog, identity)),
                // The file is there before its first transaction is.
                Err(StoreError::Missing { .. }) => return Ok(Snapshot::empty(&self.root)),
                Err(error) => return Err(error),
            }
        }
        let Some((catalog, _)) = &mut self.catalog else {
            return Ok(Snapshot::empty(&self.root));
        };
        let version = catalog.data_version()?;
        if let Some((seen, snapshot)) = &self.seen
            && *seen == version
        {
            return Ok(Arc::clone(snapshot));
        }
        let snapshot = Snapshot::take(&self.root, catalog)?;
        self.seen = Some((version, Arc::clone(&snapshot)));
        Ok(snapshot)
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<FileIdentity> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino(), metadata.created().ok()))
}
