//! The catalog: one SQLite file that decides what is true.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::StoreError;
use super::derive::Counts;
use super::facts::{CapacityChange, DayFacts, FactsByDay, ServerFacts, StatusChange};
use super::partition::PartitionFile;
use super::registry::{Feature, Registry, Server};
use super::rows::Id;
use super::secret::Secret;
use crate::event::Table;
use crate::time::{Day, Zone};

/// The name of the catalog's file in a store.
pub(crate) const FILE: &str = "catalog.sqlite";

/// How to reach each format from the one before; SQLite's `user_version` counts the steps that were taken.
const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
    include_str!("schema-6.sql"),
    include_str!("schema-7.sql"),
];
/// The first format whose stores have a secret.
const FORMAT_OF_SECRET: i64 = 2;

/// An open catalog.
#[derive(Debug)]
pub(crate) struct Catalog {
    connection: Connection,
}

impl Catalog {
    /// Creates the catalog of a new store.
    pub(crate) fn create(root: &Path, zone: Zone) -> Result<Self, StoreError> {
        let mut catalog = Self::connect(&root.join(FILE), true)?;
        let transaction = catalog.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        migrate(&transaction)?;
        // Another process may have been faster: the zone that came first stays.
        let insert = "INSERT OR IGNORE INTO meta (key, value) VALUES (?1, ?2)";
        transaction.execute(insert, ["zone", zone.name()])?;
        transaction.execute(insert, ["generation", "0"])?;
        transaction.commit()?;
        Ok(catalog)
    }

    /// Opens the catalog of a store.
    pub(crate) fn open(root: &Path) -> Result<Self, StoreError> {
        let path = root.join(FILE);
        if !path.exists() {
            return Err(StoreError::Missing { path: root.to_owned() });
        }
        let mut catalog = Self::connect(&path, false)?;
        let format: i64 = catalog.connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if format > MIGRATIONS.len() as i64 {
            return Err(StoreError::Newer { path, format });
        }
        if format < MIGRATIONS.len() as i64 {
            if format == 0 {
                return Err(StoreError::Missing { path: root.to_owned() });
            }
            // At once the only one: two processes may find the old format at the same time.
            let transaction = catalog.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            migrate(&transaction)?;
            transaction.commit()?;
        }
        Ok(catalog)
    }

    fn connect(path: &Path, create: bool) -> Result<Self, StoreError> {
        use rusqlite::OpenFlags;
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if create {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(30))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A commit that was reported is on the disk.
        connection.pragma_update(None, "synchronous", "FULL")?;
        Ok(Self { connection })
    }

    /// A number that changes whenever another connection commits.
    pub(crate) fn data_version(&self) -> Result<i64, StoreError> {
        Ok(self.connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// A read-only view of one moment.
    pub(crate) fn read(&mut self) -> Result<Reading<'_>, StoreError> {
        Ok(Reading(self.connection.transaction()?))
    }

    /// A change that happens as a whole or not at all.
    pub(crate) fn change(&mut self) -> Result<Change<'_>, StoreError> {
        Ok(Change(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?))
    }
}

fn migrate(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let done: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for step in MIGRATIONS.iter().skip(done.unsigned_abs() as usize) {
        transaction.execute_batch(step)?;
    }
    if done < FORMAT_OF_SECRET {
        let secret = Secret::generate()?.to_hex();
        transaction.execute("INSERT OR IGNORE INTO meta (key, value) VALUES ('secret', ?1)", [secret])?;
    }
    Ok(transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?)
}

/// Reads from one moment of the catalog.
#[derive(Debug)]
pub(crate) struct Reading<'a>(pub(super) Transaction<'a>);

impl Reading<'_> {
    pub(crate) fn zone(&self) -> Result<Zone, StoreError> {
        let name: String = self.meta("zone")?;
        name.parse().map_err(|_unknown| StoreError::Zone { name })
    }

    pub(crate) fn generation(&self) -> Result<u64, StoreError> {
        Ok(self.meta("generation")?.parse().unwrap_or_default())
    }

    pub(crate) fn secret(&self) -> Result<Secret, StoreError> {
        let secret = Secret::from_hex(&self.meta("secret")?);
        Ok(secret.ok_or_else(|| unreadable(0, "the store's secret is no secret".to_owned()))?)
    }

    /// Whether every day has the rollups that follow from it.
    pub(crate) fn has_all_rollups(&self) -> Result<bool, StoreError> {
        Ok(self.meta("rollups")? == "all")
    }

    /// Whether the facts of every day say what is known before each change of a server's status.
    pub(crate) fn has_all_facts(&self) -> Result<bool, StoreError> {
        Ok(self.meta("facts")? == "all")
    }

    /// The version of the rules that the derived files follow.
    pub(crate) fn derivation(&self) -> Result<u32, StoreError> {
        Ok(self.meta("derivation")?.parse().unwrap_or_default())
    }

    pub(super) fn meta(&self, key: &str) -> Result<String, StoreError> {
        let sql = "SELECT value FROM meta WHERE key = ?1";
        Ok(self.0.query_row(sql, [key], |row| row.get(0))?)
    }

    pub(crate) fn registry(&self) -> Result<Registry, StoreError> {
        let mut servers = self.0.prepare("SELECT id, name, daemon, manager FROM servers ORDER BY id")?;
        let servers = servers.query_map([], |row| {
            Ok(Server {
                id: row.get(0)?,
                name: row.get(1)?,
                daemon: row.get(2)?,
                manager: row.get(3)?,
            })
        })?;
        let mut features = self
            .0
            .prepare("SELECT id, server_id, name, version, vendor, package FROM features ORDER BY id")?;
        let features = features.query_map([], |row| {
            Ok(Feature {
                id: row.get(0)?,
                server: row.get(1)?,
                name: row.get(2)?,
                version: row.get(3)?,
                vendor: row.get(4)?,
                package: row.get(5)?,
            })
        })?;
        Ok(Registry::new(
            servers.collect::<Result<_, _>>()?,
            features.collect::<Result<_, _>>()?,
        ))
    }

    /// The live files.
    pub(crate) fn files(&self) -> Result<Vec<PartitionFile>, StoreError> {
        let sql = "SELECT id, tbl, day, rows, bytes, checksum FROM files WHERE retired IS NULL ORDER BY tbl, day";
        let mut files = self.0.prepare(sql)?;
        let files = files.query_map([], |row| {
            let table: String = row.get(1)?;
            Ok(PartitionFile {
                id: row.get(0)?,
                table: Table::from_name(&table).ok_or_else(|| unreadable(1, format!("no table is called {table:?}")))?,
                day: Day(row.get(2)?),
                rows: row.get::<_, i64>(3)?.unsigned_abs(),
                bytes: row.get::<_, i64>(4)?.unsigned_abs(),
                checksum: row.get(5)?,
            })
        })?;
        Ok(files.collect::<Result<_, _>>()?)
    }

    /// The files that were retired and are not deleted yet, with the generation that retired them.
    pub(crate) fn retired(&self) -> Result<Vec<(PartitionFile, u64)>, StoreError> {
        let sql = "SELECT id, tbl, day, retired FROM files WHERE retired IS NOT NULL";
        let mut files = self.0.prepare(sql)?;
        let files = files.query_map([], |row| {
            let table: String = row.get(1)?;
            let file = PartitionFile {
                id: row.get(0)?,
                table: Table::from_name(&table).ok_or_else(|| unreadable(1, format!("no table is called {table:?}")))?,
                day: Day(row.get(2)?),
                rows: 0,
                bytes: 0,
                checksum: [0; 32],
            };
            Ok((file, row.get::<_, i64>(3)?.unsigned_abs()))
        })?;
        Ok(files.collect::<Result<_, _>>()?)
    }

    /// The greatest number that a file ever had.
    pub(crate) fn last_file_id(&self) -> Result<i64, StoreError> {
        Ok(self.0.query_row(
            "SELECT max(coalesce((SELECT max(id) FROM files), 0), coalesce((SELECT max(id) FROM run_files), 0))",
            [],
            |row| row.get(0),
        )?)
    }

    /// What the events of each day say.
    pub(crate) fn facts(&self) -> Result<FactsByDay, StoreError> {
        let mut facts = FactsByDay::new();
        let mut days = self.0.prepare("SELECT day, server_id, first_at, last_at FROM server_days")?;
        let mut rows = days.query([])?;
        while let Some(row) = rows.next()? {
            let server = ServerFacts {
                first: row.get(2)?,
                last: row.get(3)?,
                changes: Vec::new(),
            };
            facts.entry(Day(row.get(0)?)).or_default().servers.insert(row.get(1)?, server);
        }
        let mut statuses = self
            .0
            .prepare("SELECT day, server_id, at, up, before_at FROM statuses ORDER BY at, up")?;
        let mut rows = statuses.query([])?;
        while let Some(row) = rows.next()? {
            let server: Id = row.get(1)?;
            if let Some(server) = facts.entry(Day(row.get(0)?)).or_default().servers.get_mut(&server) {
                server.changes.push(StatusChange {
                    at: row.get(2)?,
                    up: row.get(3)?,
                    before: row.get(4)?,
                });
            }
        }
        let mut stops = self.0.prepare("SELECT day, server_id, at FROM silent_stops")?;
        let mut rows = stops.query([])?;
        while let Some(row) = rows.next()? {
            let stops = &mut facts.entry(Day(row.get(0)?)).or_default().silent_stops;
            stops.entry(row.get(1)?).or_default().insert(row.get(2)?);
        }
        let mut capacities = self
            .0
            .prepare("SELECT day, feature_id, at, total, expires FROM capacities ORDER BY rowid")?;
        let mut rows = capacities.query([])?;
        while let Some(row) = rows.next()? {
            let change = CapacityChange {
                feature: row.get(1)?,
                at: row.get(2)?,
                total: row.get(3)?,
                expires: row.get(4)?,
            };
            facts.entry(Day(row.get(0)?)).or_default().capacities.push(change);
        }
        Ok(facts)
    }

    /// What derivation counted for each server and day.
    pub(crate) fn counts(&self) -> Result<BTreeMap<(Day, Id), Counts>, StoreError> {
        let sql = "SELECT day, server_id, sessions, orphans, ambiguous, truncated, open FROM derived_counts";
        let mut counts = self.0.prepare(sql)?;
        let counts = counts.query_map([], |row| {
            let number = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
            let counts = Counts {
                sessions: number(2)?,
                orphans: number(3)?,
                ambiguous: number(4)?,
                truncated: number(5)?,
                open: number(6)?,
            };
            Ok(((Day(row.get(0)?), row.get(1)?), counts))
        })?;
        Ok(counts.collect::<Result<_, _>>()?)
    }
}

pub(super) fn unreadable(column: usize, message: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, message.into())
}

/// One change of the catalog; dropped without [`Change::commit`] it never happened.
#[derive(Debug)]
pub(crate) struct Change<'a>(pub(super) Transaction<'a>);

impl Change<'_> {
    /// Starts the next generation: snapshots taken from now on differ from those before.
    pub(crate) fn next_generation(&self) -> Result<u64, StoreError> {
        self.0
            .execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'", [])?;
        let sql = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'generation'";
        Ok(self.0.query_row(sql, [], |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    /// Notes that every day has the rollups that follow from it.
    pub(crate) fn set_all_rollups(&self) -> Result<(), StoreError> {
        self.0.execute("UPDATE meta SET value = 'all' WHERE key = 'rollups'", [])?;
        Ok(())
    }

    /// Notes that the facts of every day say what is known before each change of a server's status.
    pub(crate) fn set_all_facts(&self) -> Result<(), StoreError> {
        self.0.execute("UPDATE meta SET value = 'all' WHERE key = 'facts'", [])?;
        Ok(())
    }

    /// Notes the version of the rules that all derived files follow now.
    pub(crate) fn set_derivation(&self, version: u32) -> Result<(), StoreError> {
        self.0
            .execute("UPDATE meta SET value = ?1 WHERE key = 'derivation'", [version.to_string()])?;
        Ok(())
    }

    pub(crate) fn put_registry(&self, registry: &Registry) -> Result<(), StoreError> {
        let sql = "INSERT INTO servers (id, name, daemon, manager) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (id) DO UPDATE SET manager = excluded.manager";
        let mut insert = self.0.prepare(sql)?;
        for server in registry.servers() {
            insert.execute(params![server.id, server.name, server.daemon, server.manager])?;
        }
        let sql = "INSERT INTO features (id, server_id, name, version, vendor, package) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT (id) DO UPDATE SET vendor = excluded.vendor, package = excluded.package";
        let mut insert = self.0.prepare(sql)?;
        for feature in registry.features() {
            let Feature {
                id,
                server,
                name,
                version,
                vendor,
                package,
            } = feature;
            insert.execute(params![id, server, name, version, vendor, package])?;
        }
        Ok(())
    }

    /// Puts a file in the place of the one that its table and day had, or leaves the place empty.
    pub(crate) fn replace_file(&self, table: Table, day: Day, file: Option<&PartitionFile>, generation: u64) -> Result<(), StoreError> {
        let retire = "UPDATE files SET retired = ?3 WHERE tbl = ?1 AND day = ?2 AND retired IS NULL";
        self.0
            .prepare_cached(retire)?
            .execute(params![table.name(), day.0, generation.cast_signed()])?;
        if let Some(file) = file {
            let insert = "INSERT INTO files (id, tbl, day, rows, bytes, checksum, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                          ON CONFLICT (id) DO UPDATE SET retired = NULL";
            self.0.prepare_cached(insert)?.execute(params![
                file.id,
                table.name(),
                day.0,
                file.rows.cast_signed(),
                file.bytes.cast_signed(),
                file.checksum,
                generation.cast_signed()
            ])?;
        }
        Ok(())
    }

    /// Forgets a retired file that is deleted.
    pub(crate) fn forget_file(&self, id: i64) -> Result<(), StoreError> {
        self.0
            .prepare_cached("DELETE FROM files WHERE id = ?1 AND retired IS NOT NULL")?
            .execute([id])?;
        Ok(())
    }

    pub(crate) fn replace_facts(&self, day: Day, facts: &DayFacts) -> Result<(), StoreError> {
        for table in ["server_days", "statuses", "capacities", "silent_stops"] {
            // The names are ours, and a table cannot be a parameter.
            self.0
                .prepare_cached(&["DELETE FROM ", table, " WHERE day = ?1"].concat())?
                .execute([day.0])?;
        }
        for (server, facts) in &facts.servers {
            let insert = "INSERT INTO server_days (day, server_id, first_at, last_at) VALUES (?1, ?2, ?3, ?4)";
            self.0
                .prepare_cached(insert)?
                .execute(params![day.0, server, facts.first, facts.last])?;
            for change in &facts.changes {
                let insert = "INSERT INTO statuses (day, server_id, at, up, before_at) VALUES (?1, ?2, ?3, ?4, ?5)";
                self.0
                    .prepare_cached(insert)?
                    .execute(params![day.0, server, change.at, change.up, change.before])?;
            }
        }
        let stops = facts.silent_stops.iter();
        for (server, at) in stops.flat_map(|(server, stops)| stops.iter().map(move |at| (server, at))) {
            let insert = "INSERT INTO silent_stops (day, server_id, at) VALUES (?1, ?2, ?3)";
            self.0.prepare_cached(insert)?.execute(params![day.0, server, at])?;
        }
        for change in &facts.capacities {
            let insert = "INSERT INTO capacities (day, feature_id, at, total, expires) VALUES (?1, ?2, ?3, ?4, ?5)";
            self.0
                .prepare_cached(insert)?
                .execute(params![day.0, change.feature, change.at, change.total, change.expires])?;
        }
        Ok(())
    }

    pub(crate) fn replace_counts(&self, day: Day, counts: &BTreeMap<Id, Counts>) -> Result<(), StoreError> {
        self.0
            .prepare_cached("DELETE FROM derived_counts WHERE day = ?1")?
            .execute([day.0])?;
        for (server, counts) in counts {
            let insert = "INSERT INTO derived_counts (day, server_id, sessions, orphans, ambiguous, truncated, open)
                          VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let [sessions, orphans, ambiguous, truncated, open] =
                [counts.sessions, counts.orphans, counts.ambiguous, counts.truncated, counts.open].map(u64::cast_signed);
            self.0
                .prepare_cached(insert)?
                .execute(params![day.0, server, sessions, orphans, ambiguous, truncated, open])?;
        }
        Ok(())
    }

    pub(crate) fn commit(self) -> Result<(), StoreError> {
        Ok(self.0.commit()?)
    }
}

#[cfg(test)]
mod tests;
