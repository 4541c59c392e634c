//! What one import tells of each day, on its way into the store.
//!
//! The invariant: the run of each day is kept as it came, and the day's events are those of all runs, merged.

use std::collections::{BTreeMap, BTreeSet};

use super::StoreError;
use super::catalog::Change;
use super::draft::Draft;
use super::facts::Instants;
use super::partition::PartitionFile;
use super::rows::{EventRows, Merged};
use super::runs::{Run, write_events};
use super::views::{Full, View, relative};
use super::writer::{read_events, remove};
use crate::time::Day;

/// What an import tells of each day, beside what the imports told that it takes the place of.
pub(super) struct Telling {
    earlier: BTreeMap<i64, Full>,
    full: Full,
    /// Files that runs grew into: the file before, the file now, and the last line of the one before.
    grown: Vec<(i64, i64, i64)>,
}

impl Telling {
    /// An import that takes the place of earlier ones.
    pub(super) const fn new(earlier: BTreeMap<i64, Full>) -> Self {
        Self {
            earlier,
            full: Full::new(),
            grown: Vec::new(),
        }
    }

    /// Brings the runs of a day and what is known of it together.
    pub(super) fn merge_day(&mut self, day: Day, runs: Vec<Run>, draft: &mut Draft) -> Result<Merged, StoreError> {
        let has_aliases = runs.iter().any(|run| draft.aliases().touch(&run.facts));
        if draft.events(day).is_none() && runs.len() == 1 && !has_aliases {
            let mut added = 0;
            for run in runs {
                let file = draft.add_run(run.file)?;
                added += file.rows;
                self.full.insert(day, View::of(file.id));
                draft.put_run(file, run.facts);
            }
            return Ok(Merged {
                added,
                ..Merged::default()
            });
        }
        let (file, incoming) = one_run(day, runs, draft)?;
        let file = draft.add_run(file)?;
        self.full.insert(day, View::of(file.id));
        self.grow(day, file.id, &incoming, draft)?;
        let mut events = draft.told(day)?;
        let merged = events.merge(&draft.aliases().resolve(incoming));
        if merged.added + merged.replaced > 0 {
            draft.put(day, &events, Instants::new())?;
        }
        Ok(merged)
    }

    /// Looks whether the run of a day is one that grew, and then keeps it once.
    fn grow(&mut self, day: Day, file: i64, incoming: &EventRows, draft: &Draft) -> Result<(), StoreError> {
        let views = self.earlier.values().filter_map(|full| full.get(&day));
        let shorter = views.filter(|view| view.last_line.is_none() && view.file != file).copied();
        for view in shorter.collect::<BTreeSet<View>>() {
            let before = draft.view(day, view)?;
            let last_line = before.rows.iter().map(|event| event.line).max().unwrap_or_default();
            let part = View {
                file,
                last_line: Some(last_line),
            };
            if part.cut(incoming.clone()).same_rows(&before) {
                self.grown.push((view.file, file, last_line));
                let grown = self.earlier.values_mut().filter_map(|full| full.get_mut(&day));
                grown.filter(|known| **known == view).for_each(|known| *known = part);
            }
        }
        Ok(())
    }

    /// Names everything in the catalog.
    pub(super) fn put_into(&self, change: &Change<'_>, import: i64) -> Result<(), StoreError> {
        for (before, after, last_line) in &self.grown {
            change.grow_run(*before, *after, *last_line)?;
        }
        let all = relative(&self.full, &Full::new());
        change.replace_views(import, &all)?;
        for (earlier, full) in self.earlier.iter().filter(|(_, full)| !full.is_empty()) {
            change.replace_views(*earlier, &relative(full, &self.full))?;
        }
        Ok(())
    }
}

/// Brings the runs of a day into one file. Returns its events as well.
fn one_run(day: Day, mut runs: Vec<Run>, draft: &Draft) -> Result<(PartitionFile, EventRows), StoreError> {
    let mut events = EventRows::new();
    for run in &runs {
        events.append(&read_events(draft.root(), &run.file)?);
    }
    if runs.len() == 1
        && let Some(run) = runs.pop()
    {
        return Ok((run.file, events));
    }
    for run in &runs {
        remove(&draft.root().join(run.file.path()))?;
    }
    events.sort();
    Ok((write_events(draft.root(), day, &events, draft.ids())?, events))
}
