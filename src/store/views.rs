//! The runs of imports: what each import alone tells of each day.
//!
//! ```text
//!   import 7 (superseded by 9)   2026-03-02: file 12 up to line 900     its other days are those of import 9
//!   import 9                     2026-03-01: file 10     2026-03-02: file 12
//! ```
//!
//! A log that grows is imported again and again; what the earlier imports told is a part of what the last one tells. So a superseded import
//! notes only where its runs differ from those of the one that took its place, and a run that grew is kept once.
//!
//! The invariant: what the rows say of an import is what it told, whatever came or went since.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::StoreError;
use super::catalog::{Change, Reading};
use super::partition::PartitionFile;
use super::rows::EventRows;
use crate::event::Table;
use crate::time::Day;

/// Rows of a run's file: up to a line, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct View {
    pub(crate) file: i64,
    pub(crate) last_line: Option<i64>,
}

impl View {
    /// All rows of a file.
    pub(crate) const fn of(file: i64) -> Self {
        Self { file, last_line: None }
    }

    /// Leaves the rows of the view.
    pub(crate) fn cut(self, mut events: EventRows) -> EventRows {
        if let Some(last) = self.last_line {
            events.rows.retain(|event| event.line <= last);
        }
        events
    }
}

/// What an import tells, by day.
pub(crate) type Full = BTreeMap<Day, View>;

/// Where an import differs from the one that took its place: a view, or nothing told of the day.
pub(crate) type Own = BTreeMap<Day, Option<View>>;

/// The runs of all imports, as the catalog notes them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Views {
    pub(crate) own: BTreeMap<i64, Own>,
    /// The import that took the place of another.
    pub(crate) successors: BTreeMap<i64, i64>,
}

impl Views {
    /// All that an import tells.
    pub(crate) fn full(&self, import: i64) -> Full {
        let mut chain = vec![import];
        let mut last = import;
        // A successor is a later import, so that the chain ends.
        while let Some(next) = self.successors.get(&last).filter(|next| **next > last) {
            chain.push(*next);
            last = *next;
        }
        let mut full = Full::new();
        for import in chain.iter().rev() {
            for (day, view) in self.own.get(import).into_iter().flatten() {
                match view {
                    Some(view) => full.insert(*day, *view),
                    None => full.remove(day),
                };
            }
        }
        full
    }

    /// The runs without those of an import. Those that it took the place of are what they were before.
    pub(crate) fn without(&self, undone: i64) -> Self {
        let successor = self.successors.get(&undone).copied();
        let of_successor = successor.map(|successor| self.full(successor)).unwrap_or_default();
        let mut views = self.clone();
        for (import, _) in self.successors.iter().filter(|(_, successor)| **successor == undone) {
            views.own.insert(*import, relative(&self.full(*import), &of_successor));
            match successor {
                Some(successor) => views.successors.insert(*import, successor),
                None => views.successors.remove(import),
            };
        }
        views.own.remove(&undone);
        views.successors.remove(&undone);
        views
    }

    /// All views of a day, each once; of a file that is told as a whole no part.
    pub(crate) fn of_day(&self, day: Day) -> BTreeSet<View> {
        let views = self.own.values().filter_map(|own| own.get(&day).copied().flatten());
        let mut views: BTreeSet<View> = views.collect();
        let whole: BTreeSet<i64> = views.iter().filter(|view| view.last_line.is_none()).map(|view| view.file).collect();
        views.retain(|view| view.last_line.is_none() || !whole.contains(&view.file));
        views
    }
}

/// Where runs differ from those of a successor.
pub(crate) fn relative(full: &Full, successor: &Full) -> Own {
    let days: BTreeSet<Day> = full.keys().chain(successor.keys()).copied().collect();
    let differing = days.into_iter().filter(|day| full.get(day) != successor.get(day));
    differing.map(|day| (day, full.get(&day).copied())).collect()
}

impl Reading<'_> {
    /// The files of runs.
    pub(crate) fn run_files(&self) -> Result<Vec<PartitionFile>, StoreError> {
        let mut files = self.0.prepare("SELECT id, day, rows, bytes, checksum FROM run_files ORDER BY id")?;
        let files = files.query_map([], |row| {
            Ok(PartitionFile {
                id: row.get(0)?,
                table: Table::Events,
                day: Day(row.get(1)?),
                rows: row.get::<_, i64>(2)?.unsigned_abs(),
                bytes: row.get::<_, i64>(3)?.unsigned_abs(),
                checksum: row.get(4)?,
            })
        })?;
        Ok(files.collect::<Result<_, _>>()?)
    }

    /// The runs of all imports.
    pub(crate) fn views(&self) -> Result<Views, StoreError> {
        let mut views = Views {
            own: self.own_views("SELECT import_id, day, file_id, last_line FROM import_runs")?,
            successors: BTreeMap::new(),
        };
        let sql = "SELECT id, superseded_by FROM imports WHERE superseded_by IS NOT NULL AND undone IS NULL AND name_set IS NOT NULL";
        let mut successors = self.0.prepare(sql)?;
        let mut rows = successors.query([])?;
        while let Some(row) = rows.next()? {
            views.successors.insert(row.get(0)?, row.get(1)?);
        }
        Ok(views)
    }

    /// The runs of one import that nothing took the place of.
    pub(crate) fn views_of(&self, import: i64) -> Result<Full, StoreError> {
        let sql = "SELECT import_id, day, file_id, last_line FROM import_runs WHERE import_id = ";
        let own = self.own_views(&format!("{sql}{import}"))?;
        let full = own.into_values().flatten().filter_map(|(day, view)| Some((day, view?)));
        Ok(full.collect())
    }

    fn own_views(&self, sql: &str) -> Result<BTreeMap<i64, Own>, StoreError> {
        let mut statement = self.0.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut own: BTreeMap<i64, Own> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let last_line = row.get(3)?;
            let view = row.get::<_, Option<i64>>(2)?.map(|file| View { file, last_line });
            own.entry(row.get(0)?).or_default().insert(Day(row.get(1)?), view);
        }
        Ok(own)
    }
}

impl Change<'_> {
    /// Notes the file of a run.
    pub(crate) fn put_run_file(&self, file: &PartitionFile) -> Result<(), StoreError> {
        let insert = "INSERT INTO run_files (id, day, rows, bytes, checksum) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.0.prepare_cached(insert)?.execute(params![
            file.id,
            file.day.0,
            file.rows.cast_signed(),
            file.bytes.cast_signed(),
            file.checksum
        ])?;
        Ok(())
    }

    /// Puts a file that a run grew into in the place of the run's file: whoever had all of it has the rows up to a line.
    pub(crate) fn grow_run(&self, before: i64, after: i64, last_line: i64) -> Result<(), StoreError> {
        let sql = "UPDATE import_runs SET file_id = ?2, last_line = coalesce(last_line, ?3) WHERE file_id = ?1";
        self.0.execute(sql, params![before, after, last_line])?;
        Ok(())
    }

    /// Replaces what is noted of an import's runs.
    pub(crate) fn replace_views(&self, import: i64, own: &Own) -> Result<(), StoreError> {
        self.0
            .prepare_cached("DELETE FROM import_runs WHERE import_id = ?1")?
            .execute([import])?;
        let insert = "INSERT INTO import_runs (import_id, day, file_id, last_line) VALUES (?1, ?2, ?3, ?4)";
        let mut insert = self.0.prepare_cached(insert)?;
        for (day, view) in own {
            insert.execute(params![
                import,
                day.0,
                view.map(|view| view.file),
                view.and_then(|view| view.last_line)
            ])?;
        }
        Ok(())
    }

    /// Retires the files of runs that no import has any more. Readers read none of them.
    pub(crate) fn retire_run_files(&self) -> Result<(), StoreError> {
        const UNUSED: &str = "FROM run_files WHERE NOT EXISTS (SELECT 1 FROM import_runs WHERE file_id = run_files.id)";
        let retire = "INSERT OR IGNORE INTO files (id, tbl, day, rows, bytes, checksum, created, retired)
                      SELECT id, 'events', day, rows, bytes, checksum, 0, 0 ";
        self.0.execute(&[retire, UNUSED].concat(), [])?;
        self.0.execute(&["DELETE ", UNUSED].concat(), [])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(views: &[(i32, i64, Option<i64>)]) -> Full {
        let view = |(day, file, last_line): &(i32, i64, Option<i64>)| {
            let (file, last_line) = (*file, *last_line);
            (Day(*day), View { file, last_line })
        };
        views.iter().map(view).collect()
    }

    fn all(full: &Full) -> Own {
        relative(full, &Full::new())
    }

    #[test]
    fn a_log_that_grows_is_noted_once() {
        let first = full(&[(1, 10, None), (2, 12, Some(5))]);
        let second = full(&[(1, 10, None), (2, 12, Some(9))]);
        let third = full(&[(1, 10, None), (2, 12, None), (3, 13, None)]);
        let views = Views {
            own: BTreeMap::from([(1, relative(&first, &second)), (2, relative(&second, &third)), (3, all(&third))]),
            successors: BTreeMap::from([(1, 2), (2, 3)]),
        };
        assert_eq!((views.own[&1].len(), views.own[&2].len()), (1, 2));
        for (import, told) in [(1, &first), (2, &second), (3, &third)] {
            assert_eq!(views.full(import), *told);
        }
        let later = views.without(3);
        assert_eq!((later.full(1), later.full(2)), (first.clone(), second));
        assert_eq!(later.of_day(Day(3)), BTreeSet::new());
        let without_second = views.without(2);
        assert_eq!((without_second.full(1), without_second.full(3)), (first, third));
        assert_eq!(views.of_day(Day(2)), BTreeSet::from([View::of(12)]));
    }
}
