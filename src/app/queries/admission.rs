//! Who runs next: callers take turns, however many queries each of them has waiting.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::QueryError;

/// Slots, and lines before them.
#[derive(Debug)]
pub(super) struct Admission {
    slots: usize,
    places: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    /// A line for each caller who waits; the first line is served next.
    lines: VecDeque<Line>,
}

#[derive(Debug)]
struct Line {
    who: String,
    places: VecDeque<oneshot::Sender<Slot>>,
}

/// The right to run; given to the next when dropped.
#[derive(Debug)]
pub(super) struct Slot(Option<Arc<Admission>>);

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(admission) = self.0.take() {
            admission.next();
        }
    }
}

impl Admission {
    /// So many slots, and so many places in the line of each caller.
    pub(super) fn new(slots: usize, places: usize) -> Arc<Self> {
        Arc::new(Self {
            slots: slots.max(1),
            places,
            state: Mutex::default(),
        })
    }

    /// Waits for a slot.
    pub(super) async fn admit(self: &Arc<Self>, who: &str) -> Result<Slot, QueryError> {
        let turn = {
            let mut state = self.state();
            if state.running < self.slots {
                state.running += 1;
                return Ok(Slot(Some(Arc::clone(self))));
            }
            let (sender, turn) = oneshot::channel();
            let line = match state.lines.iter().position(|line| line.who == who) {
                Some(place) => &mut state.lines[place],
                None => {
                    state.lines.push_back(Line {
                        who: who.to_owned(),
                        places: VecDeque::new(),
                    });
                    let last = state.lines.len() - 1;
                    &mut state.lines[last]
                }
            };
            // Those who went away do not count.
            line.places.retain(|place| !place.is_closed());
            if line.places.len() >= self.places {
                return Err(QueryError::LineFull { waiting: self.places });
            }
            line.places.push_back(sender);
            turn
        };
        // Whoever holds the other end holds the slots as well: it answers.
        turn.await.map_err(|_gone| QueryError::Stopped)
    }

    /// How many wait and how many run.
    pub(super) fn counts(&self) -> (usize, usize) {
        let state = self.state();
        let waiting = state.lines.iter().flat_map(|line| &line.places);
        (waiting.filter(|place| !place.is_closed()).count(), state.running)
    }

    /// Gives a slot that has become free to the next, or to nobody.
    fn next(self: Arc<Self>) {
        loop {
            let next = {
                let mut state = self.state();
                let next = state.next();
                if next.is_none() {
                    state.running -= 1;
                }
                next
            };
            let Some(place) = next else { return };
            match place.send(Slot(Some(Arc::clone(&self)))) {
                Ok(()) => return,
                // Went away; it is somebody else's turn. The slot must not free itself once more.
                Err(mut slot) => slot.0 = None,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The first of the line whose turn it is; that line is served last from then on.
    fn next(&mut self) -> Option<oneshot::Sender<Slot>> {
        while let Some(mut line) = self.lines.pop_front() {
            if let Some(place) = line.places.pop_front() {
                if !line.places.is_empty() {
                    self.lines.push_back(line);
                }
                return Some(place);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn callers_take_turns() {
        let admission = Admission::new(1, 10);
        let first = admission.admit("ada").await.unwrap();
        let (order, mut served) = tokio::sync::mpsc::unbounded_channel();
        let mut tasks = tokio::task::JoinSet::new();
        for who in ["ada", "ada", "ada", "ben", "cleo", "ben"] {
            let (admission, order) = (Arc::clone(&admission), order.clone());
            tasks.spawn(async move {
                let slot = admission.admit(who).await.unwrap();
                order.send(who).unwrap();
                drop(slot);
            });
            tokio::task::yield_now().await;
        }
        assert_eq!(admission.counts(), (6, 1));
        drop(first);
        while tasks.join_next().await.is_some() {}
        let mut turns = Vec::new();
        while let Ok(who) = served.try_recv() {
            turns.push(who);
        }
        assert_eq!(turns, ["ada", "ben", "cleo", "ada", "ben", "ada"]);
        assert_eq!(admission.counts(), (0, 0));
    }

    #[tokio::test]
    async fn a_line_has_an_end_and_who_leaves_makes_room() {
        let admission = Admission::new(1, 1);
        let slot = admission.admit("ada").await.unwrap();
        let mut waiting = Box::pin(admission.admit("ada"));
        assert!(futures::poll!(&mut waiting).is_pending());
        assert!(matches!(admission.admit("ada").await, Err(QueryError::LineFull { waiting: 1 })));
        let mut other = Box::pin(admission.admit("ben"));
        assert!(futures::poll!(&mut other).is_pending());
        drop(waiting);
        drop(slot);
        let slot = other.await.unwrap();
        assert_eq!(admission.counts(), (0, 1));
        drop(slot);
        assert_eq!(admission.counts(), (0, 0));
    }
}
