//! The ledger: every file that was imported, when, of which license servers, and what was lost of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::params;

use super::StoreError;
use super::catalog::{Catalog, Change, Reading, unreadable};
use super::facts::Marks;
use super::rows::Id;
use crate::time::{Micros, rfc3339};

/// What the ledger keeps of the import of one file.
#[derive(Debug, Clone, Default)]
pub struct LedgerEntry {
    /// The file's name.
    pub source: String,
    /// When it was imported.
    pub at: Micros,
    /// The first instant of its events.
    pub begins: Option<Micros>,
    /// The last instant or end of its events.
    pub ends: Option<Micros>,
    /// The zone of its times without an offset.
    pub zone: String,
    /// The name of its dialect.
    pub dialect: String,
    /// How many events it has.
    pub events: u64,
    /// Lines without a date.
    pub undated: u64,
    /// Lines that could not be read.
    pub unparsed: u64,
    /// The whole summary as JSON.
    pub summary: String,
}

/// Lines of imported files that nothing is known of, by the license servers of these files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Losses {
    /// The servers, in order; none where the ledger does not say, so that they may be any.
    pub(crate) servers: Vec<Id>,
    pub(crate) undated: u64,
    pub(crate) unparsed: u64,
}

impl Reading<'_> {
    /// What was lost, added up by servers.
    pub(crate) fn losses(&self) -> Result<Vec<Losses>, StoreError> {
        let sql = "SELECT id, undated, unparsed, server_id FROM imports LEFT JOIN import_servers ON import_id = id
                   WHERE superseded = 0 AND undone IS NULL AND undated + unparsed > 0 ORDER BY id, server_id";
        let mut statement = self.0.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut imports: Vec<(i64, Losses)> = Vec::new();
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            if imports.last().is_none_or(|(last, _)| *last != id) {
                let losses = Losses {
                    servers: Vec::new(),
                    undated: row.get::<_, i64>(1)?.unsigned_abs(),
                    unparsed: row.get::<_, i64>(2)?.unsigned_abs(),
                };
                imports.push((id, losses));
            }
            if let (Some(server), Some((_, losses))) = (row.get(3)?, imports.last_mut()) {
                losses.servers.push(server);
            }
        }
        let mut sums: BTreeMap<Vec<Id>, (u64, u64)> = BTreeMap::new();
        for (_, losses) in imports {
            let (undated, unparsed) = sums.entry(losses.servers).or_default();
            *undated += losses.undated;
            *unparsed += losses.unparsed;
        }
        let losses = sums.into_iter().map(|(servers, (undated, unparsed))| Losses {
            servers,
            undated,
            unparsed,
        });
        Ok(losses.collect())
    }
}

impl Reading<'_> {
    /// Until when the logs of imports go on, those of some imports left out.
    pub(crate) fn marks(&self, without: &BTreeSet<i64>) -> Result<Marks, StoreError> {
        let sql = "SELECT import_id, server, daemon, marks.at FROM marks JOIN imports ON id = import_id
                   WHERE superseded = 0 AND undone IS NULL";
        self.marks_of(sql, without)
    }

    /// Until when the logs of imports go on if one of them is undone: those that it took the place of count again, unless another took
    /// its own place.
    pub(crate) fn marks_without(&self, undone: i64) -> Result<Marks, StoreError> {
        let sql = "SELECT import_id, server, daemon, marks.at FROM marks JOIN imports ON id = import_id
                   WHERE undone IS NULL AND (superseded = 0 OR superseded_by =
                       (SELECT id FROM imports WHERE superseded = 0 AND id = ";
        self.marks_of(&format!("{sql}{undone}))"), &BTreeSet::from([undone]))
    }

    fn marks_of(&self, sql: &str, without: &BTreeSet<i64>) -> Result<Marks, StoreError> {
        let mut statement = self.0.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut marks = Marks::default();
        while let Some(row) = rows.next()? {
            if !without.contains(&row.get(0)?) {
                marks.add(row.get(1)?, row.get(2)?, row.get(3)?);
            }
        }
        Ok(marks)
    }

    /// The imports that one of this file takes the place of: a file of the same name whose events begin at the same instant, and are
    /// of no other servers, is this one, or was shorter then.
    pub(crate) fn superseded_by(&self, source: &str, begins: Option<Micros>, servers: &BTreeSet<Id>) -> Result<BTreeSet<i64>, StoreError> {
        let sql = "SELECT id, server_id FROM imports LEFT JOIN import_servers ON import_id = id
                   WHERE source = ?1 AND begins IS ?2 AND superseded = 0 AND undone IS NULL";
        let mut statement = self.0.prepare(sql)?;
        let mut rows = statement.query(params![source, begins.map(rfc3339)])?;
        let mut imports: BTreeMap<i64, BTreeSet<Id>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            imports.entry(row.get(0)?).or_default().extend(row.get::<_, Option<Id>>(1)?);
        }
        let is_it = |(import, of): (i64, BTreeSet<Id>)| of.is_subset(servers).then_some(import);
        Ok(imports.into_iter().filter_map(is_it).collect())
    }
}

/// What an import adds to the ledger beside its entry.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    /// The servers of its events.
    pub(crate) servers: &'a BTreeSet<Id>,
    /// Their names.
    pub(crate) names: BTreeSet<&'a str>,
    /// Until when its logs go on, by server and daemon.
    pub(crate) marks: &'a BTreeMap<(String, String), Micros>,
    /// The imports that it takes the place of: what was lost of them counts no more.
    pub(crate) supersedes: &'a BTreeSet<i64>,
}

/// An import, as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportEntry {
    /// Its number, from one.
    pub number: i64,
    /// When it was imported.
    pub at: Micros,
    /// The file's name.
    pub file: String,
    /// The names of its license servers.
    pub servers: Vec<String>,
    /// The zone of its times without an offset; empty where an earlier version imported it.
    pub zone: String,
    /// Its dialect; likewise.
    pub dialect: String,
    /// The first instant of its events.
    pub first: Option<Micros>,
    /// The last instant or end of its events.
    pub last: Option<Micros>,
    /// How many events it has.
    pub events: u64,
    /// Lines without a date.
    pub undated: u64,
    /// Lines that could not be read.
    pub unparsed: u64,
    /// The later import of the same file that took its place.
    pub superseded_by: Option<i64>,
    /// When it was undone.
    pub undone: Option<Micros>,
    /// It can be undone: an earlier version of the program did not keep what an import told.
    pub kept: bool,
}

/// Reads the imports of a store, in the order in which they were made.
///
/// # Errors
///
/// When there is no store, or its catalog cannot be read.
pub fn imports(root: &Path) -> Result<Vec<ImportEntry>, StoreError> {
    Catalog::open(root)?.read()?.imports()
}

impl Reading<'_> {
    /// All imports, by number.
    pub(crate) fn imports(&self) -> Result<Vec<ImportEntry>, StoreError> {
        let sql = "SELECT id, at, source, servers, zone, dialect, begins, ends, events, undated, unparsed, superseded_by, undone,
                          name_set IS NOT NULL
                   FROM imports ORDER BY id";
        let mut statement = self.0.prepare(sql)?;
        let instant = |text: Option<String>| {
            let read = text.and_then(|text| chrono::DateTime::parse_from_rfc3339(&text).ok());
            read.map(|at| at.timestamp_micros())
        };
        let rows = statement.query_map([], |row| {
            let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
            let servers: String = row.get(3)?;
            Ok(ImportEntry {
                number: row.get(0)?,
                at: row.get(1)?,
                file: row.get(2)?,
                servers: serde_json::from_str(&servers).map_err(|error| unreadable(3, error.to_string()))?,
                zone: row.get(4)?,
                dialect: row.get(5)?,
                first: instant(row.get(6)?),
                last: instant(row.get(7)?),
                events: count(8)?,
                undated: count(9)?,
                unparsed: count(10)?,
                superseded_by: row.get(11)?,
                undone: row.get(12)?,
                kept: row.get(13)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Change<'_> {
    /// Marks an import as undone. What it took the place of counts again, unless another took its own place.
    pub(crate) fn undo_import(&self, import: i64, now: Micros) -> Result<(), StoreError> {
        let sql = "UPDATE imports SET superseded = (SELECT superseded FROM imports WHERE id = ?1),
                                      superseded_by = (SELECT superseded_by FROM imports WHERE id = ?1)
                   WHERE superseded_by = ?1";
        self.0.execute(sql, [import])?;
        let sql = "UPDATE imports SET undone = ?2, superseded = 0, superseded_by = NULL, name_set = NULL WHERE id = ?1";
        self.0.execute(sql, params![import, now])?;
        for table in ["import_servers", "marks"] {
            let sql = ["DELETE FROM ", table, " WHERE import_id = ?1"].concat();
            self.0.execute(&sql, [import])?;
        }
        self.0.execute(
            "DELETE FROM name_sets WHERE id NOT IN (SELECT name_set FROM imports WHERE name_set IS NOT NULL)",
            [],
        )?;
        Ok(())
    }

    /// Enters an import. Returns its number.
    pub(crate) fn put_import(&self, entry: &LedgerEntry, told: &Told<'_>) -> Result<i64, StoreError> {
        self.0.execute(
            "INSERT INTO imports (source, at, begins, undated, unparsed, summary, ends, zone, dialect, events, servers)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                entry.source,
                entry.at,
                entry.begins.map(rfc3339),
                entry.undated.cast_signed(),
                entry.unparsed.cast_signed(),
                entry.summary,
                entry.ends.map(rfc3339),
                entry.zone,
                entry.dialect,
                entry.events.cast_signed(),
                serde_json::to_string(&told.names).unwrap_or_default(),
            ],
        )?;
        let import = self.0.last_insert_rowid();
        let mut supersede = self
            .0
            .prepare("UPDATE imports SET superseded = 1, superseded_by = ?2 WHERE id = ?1")?;
        for superseded in told.supersedes {
            supersede.execute(params![superseded, import])?;
        }
        let mut insert = self
            .0
            .prepare("INSERT INTO import_servers (import_id, server_id) VALUES (?1, ?2)")?;
        for server in told.servers {
            insert.execute(params![import, server])?;
        }
        let mut insert = self
            .0
            .prepare("INSERT INTO marks (import_id, server, daemon, at) VALUES (?1, ?2, ?3, ?4)")?;
        for ((server, daemon), at) in told.marks {
            insert.execute(params![import, server, daemon, at])?;
        }
        Ok(import)
    }
}
