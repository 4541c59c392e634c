//! `headroom import`

use std::path::PathBuf;

use clap::Args;

use super::{StoreArgs, say, show};
use crate::app;
use crate::import::{Dialect, ImportOptions, Input, Tally, dialect_names, find_dialect};
use crate::store::Holds;
use crate::time::{Day, Zone};

/// Take usage events into a store
///
/// Each file comes in as a whole or not at all, and importing it again, or a longer copy of it,
/// changes nothing that is there. Formats are recognised by content: FlexNet debug logs, and
/// neutral events as NDJSON, CSV or Parquet; .gz and .zst are read as they are. A store that is
/// not there yet is made, in the zone of --timezone.
///
///   headroom import --store licenses --server flex01 --timezone Europe/Berlin debug.log debug.log.1.gz
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// License server of events that name none [default: the file's name]
    #[arg(long, value_name = "NAME", value_parser = parse_server)]
    server: Option<String>,
    /// Zone of times without an offset, an IANA name [default: the store's]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<Zone>,
    /// Format, instead of recognising it: parquet, ndjson, flexnet or csv
    #[arg(long, value_name = "F", value_parser = parse_dialect)]
    format: Option<&'static dyn Dialect>,
    /// Day of the first line, for logs that never say it
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<Day>,
    /// Fail at the first line that cannot be read
    #[arg(long)]
    strict: bool,
    /// Read the last line of a log also where it has no line end: the log is complete
    #[arg(long = "final")]
    is_final: bool,
    /// Accept events of any time, also of before 1990 and of more than 2 days ahead, and sessions of any length
    #[arg(long)]
    allow_any_time: bool,
    /// Longest session that is accepted
    #[arg(long, value_name = "DAYS", default_value_t = crate::import::LONGEST_SESSION_DAYS)]
    longest_session_days: u32,
    /// Print the summary, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
    /// Files; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

fn parse_server(name: &str) -> Result<String, String> {
    match name.trim() {
        "" => Err("expected the name of a license server, like flex01".to_owned()),
        name => Ok(name.to_owned()),
    }
}

fn parse_dialect(name: &str) -> Result<&'static dyn Dialect, String> {
    find_dialect(name).ok_or_else(|| format!("expected one of {}", dialect_names()))
}

impl ImportArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let options = ImportOptions {
            server: self.server,
            zone: self.timezone,
            format: self.format,
            date: self.date,
            strict: self.strict,
            is_final: self.is_final,
            servers: None,
            dry_run: self.dry_run,
            any_time: self.allow_any_time,
            longest_session_days: Some(self.longest_session_days),
        };
        let mut total = Tally::default();
        let mut failures = Vec::new();
        for path in &self.files {
            match import_file(&self.store.store, path, &options) {
                Ok(tally) => {
                    total.add_holds_of(&tally);
                    total.add(tally);
                }
                Err(error) => failures.push(error.context(format!("nothing of {} was imported", path.display()))),
            }
        }
        // What came before a failure is in the store, and its summary must not be lost.
        if total.files > 0 {
            // A dry run of several files says of each what it would change by itself.
            if !self.dry_run {
                total.set_holds(Holds::read(&self.store.store, &total.coverage)?);
            }
            print(&total, self.json);
        }
        let failed = failures.len();
        match failures.pop() {
            None => Ok(()),
            Some(only) if failed == 1 => Err(only),
            Some(last) => {
                failures.push(last);
                let told: Vec<String> = failures.iter().map(|failure| format!("{failure:#}")).collect();
                anyhow::bail!("{failed} of {} files were not imported:\n  {}", self.files.len(), told.join("\n  "))
            }
        }
    }
}

fn print(tally: &Tally, json: bool) {
    if json { say(tally.to_json()) } else { say(tally) }
}

/// Imports a file with a progress bar.
pub(super) fn import_file(store: &std::path::Path, path: &std::path::Path, options: &ImportOptions) -> anyhow::Result<Tally> {
    let input = Input::open(path)?;
    let length = std::fs::metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_file)
        .map(|metadata| metadata.len());
    let bar = show::bytes_bar(input.name(), length, input.progress());
    let tally = app::import(store, input, options, &mut |done, total| show::count_days(&bar, done, total));
    bar.finish_and_clear();
    Ok(tally?)
}
