//! What was read of files and is likely to be read again, as far as there is room: footers, rollups, denials.
//!
//! Files never change, so that nothing here is ever out of date; what was not used for longest gives way.

use std::fmt;
use std::mem::size_of;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use datafusion::execution::cache::lru_queue::LruQueue;

use crate::store::{Id, Opened, PartitionFile};
use crate::time::Micros;

/// More rows than this take longer to write than to read, and would push out those of many features.
const MOST_ROWS: usize = 4096;

/// What is kept of files.
pub(in crate::engine) struct Kept {
    limit: usize,
    entries: Mutex<Entries>,
}

struct Entries {
    queue: LruQueue<Key, (Value, usize)>,
    bytes: usize,
}

/// A file, told from any other that was ever called like it, and which part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    file: i64,
    checksum: [u8; 8],
    feature: Option<Id>,
}

/// The most hosts of each license server, and of all.
pub(super) type PeaksOfDay = Arc<[(Option<Id>, i64)]>;

/// Something that is kept.
#[derive(Debug, Clone)]
enum Value {
    Opened(Arc<Opened>),
    Levels(Arc<LevelsOfDay>),
    Users(Arc<[UsersOfServer]>),
    Peaks(PeaksOfDay),
    Rows(Option<RecordBatch>),
}

/// The levels of a feature on a day, quarter after quarter.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LevelsOfDay {
    /// Where the rows of each quarter begin, and where the last one ends.
    pub(super) quarters: Vec<u32>,
    pub(super) levels: Vec<i64>,
    /// A quarter has fewer microseconds than 32 bits.
    pub(super) times: Vec<u32>,
}

/// The users of a license server on a day, a bit each.
#[derive(Debug)]
pub(super) struct UsersOfServer {
    pub(super) server: Id,
    pub(super) held: Vec<u64>,
    pub(super) denied: Vec<u64>,
}

impl Value {
    fn size(&self) -> usize {
        let rest = match self {
            Self::Opened(opened) => opened.size(),
            Self::Levels(levels) => levels.quarters.len() * 4 + levels.levels.len() * (size_of::<Micros>() + 4),
            Self::Users(users) => users.iter().map(|server| (server.held.len() + server.denied.len()) * 8 + 64).sum(),
            Self::Peaks(peaks) => peaks.len() * size_of::<(Option<Id>, i64)>(),
            Self::Rows(rows) => rows.as_ref().map_or(0, |rows| rows.get_array_memory_size() + 512),
        };
        // The entry itself, in a map and a list.
        rest + 256
    }
}

impl Kept {
    /// Keeps so many bytes.
    pub(in crate::engine) fn new(limit: usize) -> Self {
        Self {
            limit,
            entries: Mutex::new(Entries {
                queue: LruQueue::new(),
                bytes: 0,
            }),
        }
    }

    /// The opened file.
    pub(super) fn opened<E>(&self, file: &PartitionFile, make: impl FnOnce() -> Result<Opened, E>) -> Result<Arc<Opened>, E> {
        if let Some(Value::Opened(known)) = self.get(&key(file, None)) {
            return Ok(known);
        }
        let made = Arc::new(make()?);
        self.put(key(file, None), Value::Opened(Arc::clone(&made)));
        Ok(made)
    }

    /// The levels of a feature, if they are kept.
    pub(super) fn known_levels(&self, file: &PartitionFile, feature: Id) -> Option<Arc<LevelsOfDay>> {
        match self.get(&key(file, Some(feature))) {
            Some(Value::Levels(known)) => Some(known),
            _ => None,
        }
    }

    /// Keeps the levels of a feature.
    pub(super) fn keep_levels(&self, file: &PartitionFile, feature: Id, levels: LevelsOfDay) -> Arc<LevelsOfDay> {
        let levels = Arc::new(levels);
        self.put(key(file, Some(feature)), Value::Levels(Arc::clone(&levels)));
        levels
    }

    /// The users in a file of users.
    pub(super) fn users<E>(
        &self,
        file: &PartitionFile,
        make: impl FnOnce() -> Result<Vec<UsersOfServer>, E>,
    ) -> Result<Arc<[UsersOfServer]>, E> {
        if let Some(Value::Users(known)) = self.get(&key(file, None)) {
            return Ok(known);
        }
        let made: Arc<[UsersOfServer]> = make()?.into();
        self.put(key(file, None), Value::Users(Arc::clone(&made)));
        Ok(made)
    }

    /// The peaks in a file of peaks.
    pub(super) fn peaks<E>(&self, file: &PartitionFile, make: impl FnOnce() -> Result<Vec<(Option<Id>, i64)>, E>) -> Result<PeaksOfDay, E> {
        if let Some(Value::Peaks(known)) = self.get(&key(file, None)) {
            return Ok(known);
        }
        let made: PeaksOfDay = make()?.into();
        self.put(key(file, None), Value::Peaks(Arc::clone(&made)));
        Ok(made)
    }

    /// The rows of a feature in a file, if it has any.
    pub(super) fn rows<E>(
        &self,
        file: &PartitionFile,
        feature: Id,
        make: impl FnOnce() -> Result<Option<RecordBatch>, E>,
    ) -> Result<Option<RecordBatch>, E> {
        if let Some(Value::Rows(known)) = self.get(&key(file, Some(feature))) {
            return Ok(known);
        }
        let made = make()?;
        if made.as_ref().is_none_or(|rows| rows.num_rows() <= MOST_ROWS) {
            self.put(key(file, Some(feature)), Value::Rows(made.clone()));
        }
        Ok(made)
    }

    fn get(&self, key: &Key) -> Option<Value> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.queue.get(key).map(|(value, _)| value.clone())
    }

    fn put(&self, key: Key, value: Value) {
        let size = value.size();
        if size > self.limit {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.bytes += size;
        if let Some((_, replaced)) = entries.queue.put(key, (value, size)) {
            entries.bytes -= replaced;
        }
        while entries.bytes > self.limit {
            match entries.queue.pop() {
                Some((_, (_, size))) => entries.bytes -= size,
                None => break,
            }
        }
    }

    /// How much is kept.
    pub(in crate::engine) fn bytes(&self) -> usize {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("limit", &self.limit)
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

fn key(file: &PartitionFile, feature: Option<Id>) -> Key {
    let [a, b, c, d, e, f, g, h, ..] = file.checksum;
    Key {
        file: file.id,
        checksum: [a, b, c, d, e, f, g, h],
        feature,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Table;
    use crate::time::Day;

    #[test]
    fn what_was_not_used_for_longest_gives_way_and_no_more_is_kept_than_may_be() {
        let file = |id: i64| PartitionFile {
            id,
            table: Table::HostPeaks,
            day: Day(1),
            rows: 1,
            bytes: 1,
            checksum: [7; 32],
        };
        let kept = Kept::new(1000);
        let made = |id: i64| kept.peaks(&file(id), || Ok::<_, ()>(vec![(None, id)])).unwrap()[0].1;
        let is_known = |id: i64| kept.peaks(&file(id), || Err(())).is_ok();
        assert_eq!([1, 2, 3].map(made), [1, 2, 3]);
        assert!(is_known(1) && kept.bytes() <= 1000);
        assert_eq!(made(4), 4);
        assert!(is_known(1) && !is_known(2) && is_known(3) && is_known(4));
        let other = PartitionFile {
            checksum: [8; 32],
            ..file(1)
        };
        assert!(
            kept.peaks(&other, || Err::<Vec<_>, _>(())).is_err(),
            "another file of the same name"
        );
    }
}
