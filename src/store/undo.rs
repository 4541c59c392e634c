//! Taking an import away, as if it had never been.
//!
//! The events of a day are those of all imports that tell of it, merged; without an import they are merged from the runs of the others.
//! What follows from that is worked out like that of an import, and named in one transaction: killed at any instant, the store is as it was
//! or without the import.

use std::collections::BTreeSet;

use super::StoreError;
use super::aliases::Aliases;
use super::draft::{Before, Draft};
use super::facts::Instants;
use super::ledger::ImportEntry;
use super::registry::Registry;
use super::rows::EventRows;
use super::views::View;
use super::writer::Writer;
use crate::time::{Day, Micros, SECOND, rfc3339};

/// What undoing an import takes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The import.
    pub import: ImportEntry,
    /// Events that no other import tells.
    pub events: u64,
    /// Days whose events are others now.
    pub days: usize,
    /// License servers that no other import names: the name, or `name/daemon` where there is a daemon.
    pub servers: Vec<String>,
    /// Features that no other import names, by name.
    pub features: Vec<String>,
}

impl Writer {
    /// Takes away what only one import told, or tells what that would be if it is only a `trial`.
    ///
    /// # Errors
    ///
    /// When there is no such import, it was undone already, or an earlier version of the program made it; or when the store fails.
    /// The store is then as it was.
    pub fn undo(
        &mut self,
        number: i64,
        now: Micros,
        trial: bool,
        progress: &mut (dyn FnMut(usize, usize) + Send),
    ) -> Result<Undone, StoreError> {
        self.refresh_facts()?;
        let reading = self.catalog.read()?;
        let import = find(reading.imports()?, number)?;
        let (all_views, marks) = (reading.views()?, reading.marks_without(number)?);
        let (known, registry) = (reading.registry()?, reading.registry_without(number)?);
        let aliases = Aliases::of(&registry, &reading.used_features_without(number)?);
        drop(reading);

        let views = all_views.without(number);
        let before = Before::read(&mut self.catalog)?;
        let mut draft = Draft::new(self, before);
        let mut events = 0;
        let days: Vec<Day> = all_views.full(number).into_keys().collect();
        let mut touched = 0;
        for day in days {
            let (before, after) = (all_views.of_day(day), views.of_day(day));
            if before == after {
                continue;
            }
            let told = draft.told(day)?;
            let left = merged(&draft, day, &after)?;
            if !left.same_rows(&told) {
                events += (told.rows.len() - left.rows.len()) as u64;
                touched += 1;
                if !trial {
                    draft.put(day, &left, Instants::new())?;
                }
            }
        }
        let undone = Undone {
            import,
            events,
            days: touched,
            servers: gone(servers(&known), &servers(&registry)),
            features: gone(features(&known), &features(&registry)),
        };
        if trial {
            return Ok(undone);
        }

        draft.realias(aliases.clone(), || Ok(views.clone()))?;
        draft.settle(&marks, &registry)?;
        draft.derive(&registry, progress)?;
        draft.sync()?;
        let change = self.catalog.change()?;
        draft.put_into(&change)?;
        for (import, own) in &views.own {
            if all_views.own.get(import) != Some(own) {
                change.replace_views(*import, own)?;
            }
        }
        change.replace_views(number, &super::views::Own::new())?;
        change.retire_run_files()?;
        change.undo_import(number, now)?;
        change.replace_aliases(&aliases)?;
        change.replace_registry(&known, &registry)?;
        change.commit()?;
        self.collect_garbage()?;
        Ok(undone)
    }
}

/// The events of a day that views tell together.
pub(super) fn merged(draft: &Draft, day: Day, views: &BTreeSet<View>) -> Result<EventRows, StoreError> {
    let mut merged = EventRows::new();
    for view in views {
        merged.merge(&draft.aliases().resolve(draft.view(day, *view)?));
    }
    Ok(merged)
}

fn find(imports: Vec<ImportEntry>, number: i64) -> Result<ImportEntry, StoreError> {
    let known = match (imports.first(), imports.last()) {
        (Some(first), Some(last)) => format!("there are imports {} to {}", first.number, last.number),
        _ => "nothing was imported yet".to_owned(),
    };
    let import = imports.into_iter().find(|import| import.number == number);
    let import = import.ok_or(StoreError::ImportUnknown { number, known })?;
    if let Some(at) = import.undone {
        let at = rfc3339(at / SECOND * SECOND);
        return Err(StoreError::ImportUndone { number, at });
    }
    if import.kept {
        Ok(import)
    } else {
        Err(StoreError::ImportNotKept { number })
    }
}

fn servers(registry: &Registry) -> Vec<(i32, String)> {
    let servers = registry.servers().iter();
    servers.map(|server| (server.id, server.full_name())).collect()
}

fn features(registry: &Registry) -> Vec<(i32, String)> {
    let features = registry.features().iter();
    features.map(|feature| (feature.id, feature.name.clone())).collect()
}

/// The names of what is there before and not after.
fn gone(before: Vec<(i32, String)>, after: &[(i32, String)]) -> Vec<String> {
    let kept: BTreeSet<i32> = after.iter().map(|(id, _)| *id).collect();
    let gone = before.into_iter().filter(|(id, _)| !kept.contains(id));
    gone.map(|(_, name)| name).collect()
}
