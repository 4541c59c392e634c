//! The ledger: every file that was imported, when, of which license servers, and what was lost of it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::StoreError;
use super::catalog::{Change, Reading};
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

impl Change<'_> {
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
