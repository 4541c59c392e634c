//! The ledger: every file that was imported, when, of which license servers, and what was lost of it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::StoreError;
use super::catalog::{Change, Reading};
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
                   WHERE superseded = 0 AND undated + unparsed > 0 ORDER BY id, server_id";
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

impl Change<'_> {
    /// Enters an import. What is known of the same file from before counts no more: a file of the same name whose events begin
    /// at the same instant, and are of no other servers, is this one, or was shorter then.
    pub(crate) fn put_import(&self, entry: &LedgerEntry, servers: &BTreeSet<Id>) -> Result<(), StoreError> {
        let begins = entry.begins.map(rfc3339);
        let before = self.imports_of(&entry.source, begins.as_deref())?;
        for (import, of) in before {
            if of.is_subset(servers) {
                self.0.execute("UPDATE imports SET superseded = 1 WHERE id = ?1", [import])?;
            }
        }
        self.0.execute(
            "INSERT INTO imports (source, at, begins, undated, unparsed, summary) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                entry.source,
                entry.at,
                begins,
                entry.undated.cast_signed(),
                entry.unparsed.cast_signed(),
                entry.summary
            ],
        )?;
        let import = self.0.last_insert_rowid();
        let mut insert = self
            .0
            .prepare("INSERT INTO import_servers (import_id, server_id) VALUES (?1, ?2)")?;
        for server in servers {
            insert.execute(params![import, server])?;
        }
        Ok(())
    }

    /// The imports of a name and a beginning that still count, with their servers.
    fn imports_of(&self, source: &str, begins: Option<&str>) -> Result<BTreeMap<i64, BTreeSet<Id>>, StoreError> {
        let sql = "SELECT id, server_id FROM imports LEFT JOIN import_servers ON import_id = id
                   WHERE source = ?1 AND begins IS ?2 AND superseded = 0";
        let mut statement = self.0.prepare(sql)?;
        let mut rows = statement.query(params![source, begins])?;
        let mut imports: BTreeMap<i64, BTreeSet<Id>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            imports.entry(row.get(0)?).or_default().extend(row.get::<_, Option<Id>>(1)?);
        }
        Ok(imports)
    }
}
