//! Who is connected, and the way to stop what another connection does.
//!
//! The invariant: whoever does not know the key of a connection stops nothing, and a word that comes when nothing runs stops
//! nothing later.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use subtle::ConstantTimeEq as _;
use tokio_util::sync::CancellationToken;

use super::error::PgError;

/// All connections that are let in.
#[derive(Debug)]
pub(super) struct Switchboard {
    most: usize,
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    last: i32,
    open: BTreeMap<i32, Arc<Line>>,
}

/// One connection.
#[derive(Debug)]
struct Line {
    key: i32,
    work: Mutex<Option<CancellationToken>>,
}

/// A place among the connections. Dropped, it is free.
#[derive(Debug)]
pub(super) struct Place {
    board: Arc<Switchboard>,
    pid: i32,
    line: Arc<Line>,
}

/// Something that runs and may be stopped. Dropped, it is over.
#[derive(Debug)]
pub(super) struct Work {
    line: Arc<Line>,
    word: CancellationToken,
}

impl Switchboard {
    /// With room for so many.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            lines: Mutex::default(),
        })
    }

    /// A place, if there is one.
    pub(super) fn join(self: &Arc<Self>) -> Result<Place, PgError> {
        let key = getrandom::u32().map_err(|error| PgError::internal(&std::io::Error::other(error.to_string())))?;
        let line = Arc::new(Line {
            key: key.cast_signed(),
            work: Mutex::new(None),
        });
        let mut lines = self.lines();
        if lines.open.len() >= self.most {
            let most = self.most;
            return Err(PgError::fatal(
                "53300",
                format!("sorry, too many clients already: there are {most}"),
            ));
        }
        loop {
            lines.last = lines.last.checked_add(1).unwrap_or(1);
            if !lines.open.contains_key(&lines.last) {
                break;
            }
        }
        let pid = lines.last;
        lines.open.insert(pid, Arc::clone(&line));
        Ok(Place {
            board: Arc::clone(self),
            pid,
            line,
        })
    }

    /// Stops what a connection does.
    pub(super) fn cancel(&self, pid: i32, key: i32) {
        let line = self.lines().open.get(&pid).cloned();
        if let Some(line) = line
            && bool::from(line.key.ct_eq(&key))
            && let Some(word) = &*line.work()
        {
            word.cancel();
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn work(&self) -> MutexGuard<'_, Option<CancellationToken>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The number that the connection is known by, and its key.
    pub(super) fn pid_and_key(&self) -> (i32, i32) {
        (self.pid, self.line.key)
    }

    /// From now on there is something to stop.
    pub(super) fn begin(&self) -> Work {
        let word = CancellationToken::new();
        *self.line.work() = Some(word.clone());
        Work {
            line: Arc::clone(&self.line),
            word,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.board.lines().open.remove(&self.pid);
    }
}

impl Work {
    /// Done when it shall stop.
    pub(super) async fn stopped(&self) -> PgError {
        self.word.cancelled().await;
        PgError::cancelled()
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        *self.line.work() = None;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn only_who_knows_the_key_stops_what_runs() {
        let board = Switchboard::new(2);
        let (one, other) = (board.join().unwrap(), board.join().unwrap());
        assert!(board.join().is_err());
        let (pid, key) = one.pid_and_key();
        // Nothing runs yet.
        board.cancel(pid, key);
        let (work, others) = (one.begin(), other.begin());
        board.cancel(pid, key.wrapping_add(1));
        assert!(work.stopped().now_or_never().is_none());
        board.cancel(pid, key);
        assert!(work.stopped().now_or_never().is_some());
        assert!(others.stopped().now_or_never().is_none());
        drop(work);
        assert!(one.begin().stopped().now_or_never().is_none());
        drop(one);
        assert!(board.join().is_ok());
    }
}
