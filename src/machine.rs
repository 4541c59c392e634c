//! The machine: how much memory there is, and a folder for what does not fit into it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use sysinfo::{MemoryRefreshKind, RefreshKind, System};
use tempfile::TempDir;

/// What a machine has that does not tell.
const UNKNOWN: u64 = 4 * 1024 * 1024 * 1024;

/// Bytes of memory that the process may have: those of the machine, or of the group that it is confined to.
#[must_use]
pub fn memory() -> u64 {
    let only_memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let Ok(system) = System::new_with_specifics(only_memory) else {
        return UNKNOWN;
    };
    let confined = system.cgroup_limits().map(|limits| limits.total_memory).filter(|bytes| *bytes > 0);
    let machine = system.total_memory();
    confined.map_or(machine, |confined| confined.min(machine))
}

const PREFIX: &str = "headroom-scratch-";

/// A folder for what queries put on the disk. It goes with its process; what a process left that could not clean up goes when
/// the next one starts.
#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
    /// Locked for as long as the process lives, however it ends.
    _lock: File,
}

impl Scratch {
    /// Makes a scratch folder in a folder, or in that of the system for such things.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn create(parent: Option<&Path>) -> io::Result<Self> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        fs::create_dir_all(&parent)?;
        sweep(&parent);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&parent)?;
        let lock = File::create(folder.path().join("lock"))?;
        lock.lock()?;
        Ok(Self { folder, _lock: lock })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

/// Removes the folders of processes that are gone. What cannot be removed is somebody else's.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        // One without a lock is being made.
        let Ok(lock) = File::open(entry.path().join("lock")) else {
            continue;
        };
        match lock.try_lock() {
            Ok(()) => drop(fs::remove_dir_all(entry.path())),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_memory() {
        assert!(memory() > 64 * 1024 * 1024);
    }

    #[test]
    fn scratch_folders_of_the_dead_are_swept_and_those_of_the_living_are_not() {
        let parent = TempDir::new().unwrap();
        let living = Scratch::create(Some(parent.path())).unwrap();
        let dead = parent.path().join(format!("{PREFIX}dead"));
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("lock"), "").unwrap();
        fs::write(dead.join("spilled"), "rows").unwrap();
        let other = parent.path().join("other");
        fs::create_dir(&other).unwrap();
        let next = Scratch::create(Some(parent.path())).unwrap();
        assert!(living.path().exists() && other.exists() && !dead.exists());
        let path = next.path();
        drop(next);
        assert!(!path.exists());
    }
}
