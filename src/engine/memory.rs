//! Memory: each query has a limit of its own, and all of them together have one.
//!
//! ```text
//!   operator ─▶ QueryPool (fair among the operators of one query, at most its budget)
//!                  └──▶ Memory (all queries of the process, at most its limit)
//! ```
//!
//! Fairness between operators needs a pool for each query: DataFusion's fair pool divides by all operators that it knows.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::common::resources_datafusion_err;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

use super::control::Progress;

/// The memory of all queries.
#[derive(Debug)]
pub struct Memory {
    limit: u64,
    used: AtomicU64,
}

impl Memory {
    /// So many bytes.
    #[must_use]
    pub const fn new(limit: u64) -> Self {
        Self {
            limit,
            used: AtomicU64::new(0),
        }
    }

    /// How much there is.
    #[must_use]
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// How much is taken.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Takes memory for something that is not measured any closer, until it is dropped; nothing if there is too little.
    #[must_use]
    pub fn take(self: &Arc<Self>, bytes: u64) -> Option<Taken> {
        self.try_add(bytes).then(|| Taken {
            memory: Arc::clone(self),
            bytes,
        })
    }

    fn try_add(&self, bytes: u64) -> bool {
        let more = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn sub(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Memory that is taken; given back when dropped.
#[derive(Debug)]
pub struct Taken {
    memory: Arc<Memory>,
    bytes: u64,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.memory.sub(self.bytes);
    }
}

/// The memory of one query.
#[derive(Debug)]
pub(super) struct QueryPool {
    own: FairSpillPool,
    all: Arc<Memory>,
    progress: Arc<Progress>,
}

impl QueryPool {
    pub(super) fn new(budget: u64, all: Arc<Memory>, progress: Arc<Progress>) -> Self {
        Self {
            own: FairSpillPool::new(usize::try_from(budget).unwrap_or(usize::MAX)),
            all,
            progress,
        }
    }
}

impl fmt::Display for QueryPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.own.fmt(f)
    }
}

impl MemoryPool for QueryPool {
    fn name(&self) -> &'static str {
        "query"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.own.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.own.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.own.grow(reservation, additional);
        self.all.used.fetch_add(additional as u64, Ordering::Relaxed);
        self.progress.memory.add(additional as u64);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.own.shrink(reservation, shrink);
        self.all.sub(shrink as u64);
        self.progress.memory.sub(shrink as u64);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        if !self.all.try_add(additional as u64) {
            return Err(resources_datafusion_err!(
                "all queries together have {} bytes of memory, and {} of them are taken",
                self.all.limit(),
                self.all.used()
            ));
        }
        if let Err(error) = self.own.try_grow(reservation, additional) {
            self.all.sub(additional as u64);
            return Err(error);
        }
        self.progress.memory.add(additional as u64);
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.own.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.own.memory_limit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_a_limit_and_all_of_them_have_one() {
        let all = Arc::new(Memory::new(1000));
        let pool = |budget| -> (Arc<dyn MemoryPool>, Arc<Progress>) {
            let progress = Arc::new(Progress::default());
            (Arc::new(QueryPool::new(budget, Arc::clone(&all), Arc::clone(&progress))), progress)
        };
        let (first, progress) = pool(700);
        let (second, _) = pool(700);
        let sorter = MemoryConsumer::new("sorter").register(&first);
        let other = MemoryConsumer::new("other").register(&second);
        sorter.try_grow(600).unwrap();
        assert!(sorter.try_grow(200).is_err(), "more than its own");
        assert!(other.try_grow(500).is_err(), "more than there is");
        other.try_grow(400).unwrap();
        assert_eq!((all.used(), progress.memory.get(), first.reserved()), (1000, 600, 600));
        assert!(all.take(1).is_none());
        drop(other);
        let taken = all.take(400).unwrap();
        sorter.shrink(100);
        assert_eq!((all.used(), progress.memory.get()), (900, 500));
        drop((sorter, taken));
        assert_eq!((all.used(), progress.memory.get()), (0, 0));
    }
}
