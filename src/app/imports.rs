//! The imports of a store: listing them, and undoing one.
//!
//! The invariant: a caller learns of an import only if he sees every license server of it.

use std::path::Path;

use serde::Serialize;

use super::{AppError, PATIENCE, now};
use crate::access::Access;
use crate::store::{self, ImportEntry, StoreError, Undone, Writer};
use crate::time::{Micros, Zone};

/// An import, as it is listed. The keys of its JSON are a part of the published interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedImport {
    /// Its number, from one.
    pub number: i64,
    /// When it was imported, `YYYY-MM-DD HH:MM:SS` in the store's zone, like all instants here.
    pub at: String,
    /// The file's name.
    pub file: String,
    /// The names of its license servers.
    pub servers: Vec<String>,
    /// The zone of its times without an offset; empty where an earlier version of the program imported it.
    pub zone: String,
    /// Its dialect; likewise.
    pub dialect: String,
    /// The first instant of its events.
    pub first: Option<String>,
    /// The last instant or end of its events.
    pub last: Option<String>,
    /// How many events it has.
    pub events: u64,
    /// Lines without a date.
    pub undated_lines: u64,
    /// Lines that could not be read.
    pub unparsed_lines: u64,
    /// The later import of the same file that took its place.
    pub superseded_by: Option<i64>,
    /// When it was undone.
    pub undone: Option<String>,
}

/// What undoing an import takes away. The keys of its JSON are a part of the published interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UndoneImport {
    /// The import's number.
    pub number: i64,
    /// The file's name.
    pub file: String,
    /// Events that no other import tells.
    pub events: u64,
    /// Days whose events are others now.
    pub days: usize,
    /// License servers that no other import names.
    pub servers: Vec<String>,
    /// Features that no other import names.
    pub features: Vec<String>,
    /// Nothing was changed.
    pub dry_run: bool,
}

/// Lists the imports that an access sees.
///
/// # Errors
///
/// When there is no store, or its catalog cannot be read.
pub fn imports(root: &Path, access: &Access) -> Result<Vec<ListedImport>, AppError> {
    let zone = store::zone(root)?;
    let seen: Vec<ImportEntry> = store::imports(root)?.into_iter().filter(|import| sees(access, import)).collect();
    let numbers: Vec<i64> = seen.iter().map(|import| import.number).collect();
    let listed = seen.into_iter().map(|import| {
        let mut listed = listed(import, zone);
        // One of more servers than the caller sees may have taken its place.
        listed.superseded_by = listed.superseded_by.filter(|number| numbers.contains(number));
        listed
    });
    Ok(listed.collect())
}

/// Undoes an import that an access sees, or tells what that would take away if it is only a `trial`.
///
/// # Errors
///
/// When the store has no such import for this caller, or it cannot be undone; the store is then as it was.
pub fn undo_import(
    root: &Path,
    number: i64,
    access: &Access,
    trial: bool,
    progress: &mut (dyn FnMut(usize, usize) + Send),
) -> Result<UndoneImport, AppError> {
    let known = imports(root, access)?;
    if !known.iter().any(|import| import.number == number) {
        let known = match (known.first(), known.last()) {
            (Some(first), Some(last)) if first.number == last.number => format!("there is import {}", first.number),
            (Some(first), Some(last)) => format!("there are imports {} to {}", first.number, last.number),
            _ => "nothing was imported yet".to_owned(),
        };
        return Err(StoreError::ImportUnknown { number, known }.into());
    }
    let Undone {
        import,
        events,
        days,
        servers,
        features,
    } = Writer::open(root, PATIENCE)?.undo(number, now(), trial, progress)?;
    Ok(UndoneImport {
        number: import.number,
        file: import.file,
        events,
        days,
        servers,
        features,
        dry_run: trial,
    })
}

fn sees(access: &Access, import: &ImportEntry) -> bool {
    match access.servers() {
        None => true,
        Some(_) => !import.servers.is_empty() && import.servers.iter().all(|server| access.sees(server)),
    }
}

fn listed(import: ImportEntry, zone: Zone) -> ListedImport {
    let print = |at: Micros| {
        let clock = chrono::DateTime::from_timestamp_micros(zone.local(at));
        clock.map_or_else(String::new, |clock| clock.format("%Y-%m-%d %H:%M:%S").to_string())
    };
    ListedImport {
        number: import.number,
        at: print(import.at),
        file: import.file,
        servers: import.servers,
        zone: import.zone,
        dialect: import.dialect,
        first: import.first.map(print),
        last: import.last.map(print),
        events: import.events,
        undated_lines: import.undated,
        unparsed_lines: import.unparsed,
        superseded_by: import.superseded_by,
        undone: import.undone.map(print),
    }
}
