//! Who may write, and what readers still need.
//!
//! ```text
//! <store>/writer.lock      held by the one process that writes
//! <store>/readers/gate     held for an instant by whoever takes a snapshot, or deletes files
//! <store>/readers/42-…     held by a process that reads generation 42
//! ```
//!
//! All are locks of the operating system on open files: they vanish with their process, however it ends.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::StoreError;

/// The right to write; gone when dropped.
#[derive(Debug)]
pub(crate) struct WriterLock(#[expect(dead_code, reason = "held for its lock")] File);

impl WriterLock {
    /// Waits for the right to write.
    pub(crate) fn acquire(root: &Path, patience: Duration) -> Result<Self, StoreError> {
        let path = root.join("writer.lock");
        let file = open_lock(&path)?;
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", &path)(error)),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                    return Err(StoreError::Busy {
                        path: root.to_owned(),
                        seconds: patience.as_secs(),
                    });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

/// The word of a reader that it needs the files of one generation; gone when dropped.
#[derive(Debug)]
pub(crate) struct ReaderLease {
    path: PathBuf,
    _file: File,
}

impl Drop for ReaderLease {
    fn drop(&mut self) {
        // Whoever deletes files next removes what is left behind here.
        let _left_behind = fs::remove_file(&self.path);
    }
}

/// Shuts out everyone who takes a snapshot or deletes files meanwhile.
#[derive(Debug)]
pub(crate) struct Gate {
    readers: PathBuf,
    _file: File,
}

impl Gate {
    pub(crate) fn close(root: &Path) -> Result<Self, StoreError> {
        let readers = root.join("readers");
        fs::create_dir_all(&readers).map_err(StoreError::io("create", &readers))?;
        let path = readers.join("gate");
        let file = open_lock(&path)?;
        file.lock().map_err(StoreError::io("lock", &path))?;
        Ok(Self { readers, _file: file })
    }

    /// Says that the files of a generation are needed.
    pub(crate) fn lease(&self, generation: u64) -> Result<ReaderLease, StoreError> {
        let unique = getrandom::u64().map_err(|error| StoreError::Random { reason: error.to_string() })?;
        let path = self.readers.join(format!("{generation}-{unique:016x}"));
        let file = open_lock(&path)?;
        file.lock().map_err(StoreError::io("lock", &path))?;
        Ok(ReaderLease { path, _file: file })
    }

    /// The oldest generation that somebody needs. Leases whose process is gone are removed.
    pub(crate) fn oldest_leased(&self) -> Result<Option<u64>, StoreError> {
        let mut oldest = None;
        let entries = fs::read_dir(&self.readers).map_err(StoreError::io("list", &self.readers))?;
        for entry in entries {
            let path = entry.map_err(StoreError::io("list", &self.readers))?.path();
            let Some(generation) = generation_of(&path) else {
                continue;
            };
            let Ok(file) = File::open(&path) else {
                continue; // dropped this moment
            };
            match file.try_lock() {
                Ok(()) => {
                    let _removed_by_another = fs::remove_file(&path);
                }
                Err(_held) => oldest = Some(oldest.map_or(generation, |known: u64| known.min(generation))),
            }
        }
        Ok(oldest)
    }
}

fn generation_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.split_once('-')?.0.parse().ok()
}

fn open_lock(path: &Path) -> Result<File, StoreError> {
    let opened = File::options().create(true).truncate(false).write(true).read(true).open(path);
    opened.map_err(StoreError::io("open", path))
}
