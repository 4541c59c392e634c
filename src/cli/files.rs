//! `headroom files`: where the rows of a table lie, for other engines.
//!
//! What is printed names every file that counts and no other, as of one moment.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use arrow::datatypes::DataType;
use clap::{Args, ValueEnum};

use super::{StoreArgs, say};
use crate::event::Table;
use crate::store::{StoreError, Watcher};
use crate::time::Days;

/// Print where the rows of a table lie, for other engines to read
///
/// One Parquet file a day, by absolute path, in the order of days. The column `day` is in the path alone, as Hive has it:
/// day=2026-03-01. Days without rows have no file.
///
///   headroom files sessions --store licenses --days 2026-03-01..2026-03-31
///   duckdb -c "SELECT day, count(*) FROM $(headroom files events --store licenses --sql duckdb) GROUP BY day"
///
/// Files never change, but the list is that of this moment: an import makes new files for the days that it changes, and deletes
/// the old ones. Ask anew for each query; where that is not enough, --hold keeps what was printed.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct FilesArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// events, sessions or denials
    #[arg(value_name = "TABLE", value_parser = parse_table)]
    table: Table,
    /// Days of the store's zone, the last one included: 2026-03-01..2026-03-31, or a single one [default: all]
    #[arg(long, value_name = "DAYS")]
    days: Option<Days>,
    /// Print one expression that stands for a table in the SQL of this engine, with a column `day`
    #[arg(long, value_name = "ENGINE")]
    sql: Option<Engine>,
    /// Keep the files: print an empty line after the list, and stay until standard input ends
    #[arg(long)]
    hold: bool,
}

/// An engine that has a dialect of its own.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Engine {
    /// `read_parquet([…], hive_partitioning = true)`; where there is no file, a table of the same columns without rows.
    Duckdb,
}

/// A table that others may read.
pub(super) fn parse_table(name: &str) -> Result<Table, String> {
    let public = || Table::ALL.into_iter().filter(|table| table.public());
    let names = || public().map(Table::name).collect::<Vec<_>>().join(", ");
    Table::from_name(name)
        .filter(|table| table.public())
        .ok_or_else(|| format!("expected one of {}", names()))
}

impl FilesArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let store = &self.store.store;
        anyhow::ensure!(crate::store::exists(store), StoreError::Missing { path: store.clone() });
        let root = std::path::absolute(store).with_context(|| format!("cannot resolve {}", store.display()))?;
        let days = self.days.unwrap_or(Days::ALL);
        // The files exist for as long as this does.
        let snapshot = Watcher::new(&root).snapshot()?;
        let files: Vec<PathBuf> = snapshot
            .files(self.table)
            .range(days.first()..=days.last())
            .map(|(_, file)| root.join(file.path()))
            .collect();
        if files.is_empty() {
            let _closed = writeln!(io::stderr(), "headroom: there are no {} of {days}", self.table.name());
        }
        match self.sql {
            Some(Engine::Duckdb) => say(duckdb(self.table, &files)?),
            None => say_paths(&files),
        }
        if self.hold {
            say("");
            io::copy(&mut io::stdin().lock(), &mut io::sink())?;
        }
        drop(snapshot);
        Ok(())
    }
}

/// Prints paths as the system has them, whether or not they are texts. A reader that went away is no error.
fn say_paths(files: &[PathBuf]) {
    let mut lines = Vec::new();
    for file in files {
        lines.extend_from_slice(file.as_os_str().as_encoded_bytes());
        lines.push(b'\n');
    }
    let mut out = io::stdout().lock();
    let _closed = out.write_all(&lines).and_then(|()| out.flush());
}

/// What stands for a table in `DuckDB`.
fn duckdb(table: Table, files: &[PathBuf]) -> anyhow::Result<String> {
    if files.is_empty() {
        // `read_parquet` takes no empty list.
        let schema = table.schema();
        let columns = schema.fields().iter().map(|field| (field.name().as_str(), field.data_type()));
        let columns = columns.chain([("day", &DataType::Date32)]);
        let nulls = columns.map(|(name, kind)| format!("CAST(NULL AS {}) AS \"{name}\"", duckdb_type(kind)));
        return Ok(format!("(SELECT {} WHERE false)", nulls.collect::<Vec<_>>().join(", ")));
    }
    let quoted = |file: &PathBuf| {
        let path = file
            .to_str()
            .with_context(|| format!("{} is no text, which SQL could name", file.display()))?;
        Ok(format!("'{}'", path.replace('\'', "''")))
    };
    let paths = files.iter().map(quoted).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(format!("read_parquet([{}], hive_partitioning = true)", paths.join(", ")))
}

/// The type that `DuckDB` reads a column as.
const fn duckdb_type(kind: &DataType) -> &'static str {
    match kind {
        DataType::Timestamp(..) => "TIMESTAMPTZ",
        DataType::Date32 => "DATE",
        DataType::Int32 => "INTEGER",
        DataType::Int64 => "BIGINT",
        DataType::Boolean => "BOOLEAN",
        _ => "VARCHAR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_paths_are_doubled() {
        let sql = duckdb(Table::Events, &["/o'b/a.parquet".into(), "/o'b/b.parquet".into()]).unwrap();
        assert_eq!(
            sql,
            "read_parquet(['/o''b/a.parquet', '/o''b/b.parquet'], hive_partitioning = true)"
        );
    }

    #[test]
    fn a_table_without_files_has_its_columns_still() {
        let sql = duckdb(Table::Denials, &[]).unwrap();
        assert!(
            sql.starts_with("(SELECT CAST(NULL AS TIMESTAMPTZ) AS \"at\", CAST(NULL AS INTEGER) AS \"server_id\", "),
            "{sql}"
        );
        assert!(
            sql.ends_with("CAST(NULL AS VARCHAR) AS \"granted_by\", CAST(NULL AS DATE) AS \"day\" WHERE false)"),
            "{sql}"
        );
    }

    #[test]
    fn private_tables_are_nobodys() {
        assert_eq!(parse_table("open").unwrap_err(), "expected one of events, sessions, denials");
        assert_eq!(parse_table("denials"), Ok(Table::Denials));
    }
}
