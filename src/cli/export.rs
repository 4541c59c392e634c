//! `headroom export`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{StoreArgs, say, show};
use crate::export::{ExportFormat, ExportOptions, ExportTable, export};
use crate::store::{StoreError, Watcher};
use crate::time::Days;

/// Write a table as files, one a day, for others to keep
///
/// Files are DIR/TABLE/day=2026-03-01/part.parquet, and so on for every day; servers, features and uptime are one file,
/// DIR/TABLE/part.parquet. The column `day` is in the path alone.
///
///   headroom export events --store licenses --days 2026-01-01..2026-12-31 --format parquet -o warehouse
///
/// Each file appears whole or not at all. Asked again, after a kill or an import, it writes what is missing or has changed since,
/// and removes the days, of those asked for, that the store has no rows of any more: DIR/TABLE.FORMAT.manifest tells what
/// each file was made of. Times in csv and ndjson are UTC, as in 2026-03-01T08:00:00.25Z, to the last digit that is known.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// events, sessions or denials, by days; servers, features or uptime as a whole
    #[arg(value_name = "TABLE", value_parser = parse_table)]
    table: ExportTable,
    /// Days of the store's zone, the last one included: 2026-03-01..2026-03-31, or a single one [default: all]
    #[arg(long, value_name = "DAYS")]
    days: Option<Days>,
    /// How the files are written
    #[arg(long, value_name = "F", value_enum, default_value_t = ExportFormat::Parquet)]
    format: ExportFormat,
    /// Folder that the files go to; it may have other exports of the same store
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

fn parse_table(name: &str) -> Result<ExportTable, String> {
    let names = || ExportTable::all().map(ExportTable::name).collect::<Vec<_>>().join(", ");
    ExportTable::from_name(name).ok_or_else(|| format!("expected one of {}", names()))
}

impl ValueEnum for ExportFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.name()))
    }
}

impl ExportArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let store = &self.store.store;
        anyhow::ensure!(crate::store::exists(store), StoreError::Missing { path: store.clone() });
        let table = self.table.name();
        if let (ExportTable::List(_), Some(days)) = (self.table, self.days) {
            anyhow::bail!("--days {days} is for events, sessions and denials: {table} is not kept by days");
        }
        let snapshot = Watcher::new(store).snapshot()?;
        let options = ExportOptions {
            table: self.table,
            days: self.days.unwrap_or(Days::ALL),
            format: self.format,
        };
        let bar = show::steps_bar(table, "files");
        let summary = export(&snapshot, &options, &self.output, &mut |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        })?;
        bar.finish_and_clear();
        say(format_args!(
            "{table}: {} files written, {} unchanged, {} removed; {} rows and {} bytes in {}",
            summary.written,
            summary.unchanged,
            summary.removed,
            summary.rows,
            summary.bytes,
            self.output.join(table).display()
        ));
        Ok(())
    }
}
