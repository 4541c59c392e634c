//! `headroom imports`

use clap::{Args, Subcommand};

use super::{StoreArgs, say, show};
use crate::access::Access;
use crate::app::{self, ListedImport, UndoneImport};

/// List the imports of a store, and undo one
#[derive(Debug, Args)]
pub(crate) struct ImportsArgs {
    #[command(subcommand)]
    command: ImportsCommand,
}

#[derive(Debug, Subcommand)]
enum ImportsCommand {
    /// List all imports: number, when, file, license servers, zone, format, first and last instant, events, doubtful lines
    ///
    /// Instants are in the store's zone. Doubtful are lines without a date, and lines that could not be read.
    List {
        #[command(flatten)]
        store: StoreArgs,
        /// Print them as a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Take away what only one import told, as if it had never been
    ///
    /// Events that other imports tell as well stay. The import stays in the list, marked as undone.
    Undo {
        #[command(flatten)]
        store: StoreArgs,
        /// Number of the import, as `headroom imports list` shows it
        #[arg(value_name = "N")]
        number: i64,
        /// Only print what would be taken away
        #[arg(long)]
        dry_run: bool,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
}

impl ImportsArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.command {
            ImportsCommand::List { store, json } => {
                let imports = app::imports(&store.store, &Access::everything())?;
                if json {
                    say(serde_json::to_string(&imports)?);
                } else {
                    say(table(&imports));
                }
            }
            ImportsCommand::Undo {
                store,
                number,
                dry_run,
                json,
            } => {
                let bar = show::steps_bar("deriving", "days");
                let undone = app::undo_import(&store.store, number, &Access::everything(), dry_run, &mut |done, total| {
                    bar.set_length(total as u64);
                    bar.set_position(done as u64);
                });
                bar.finish_and_clear();
                let undone = undone?;
                if json {
                    say(serde_json::to_string(&undone)?);
                } else {
                    say(told(&undone));
                }
            }
        }
        Ok(())
    }
}

/// What was taken away, in a sentence.
fn told(undone: &UndoneImport) -> String {
    let UndoneImport {
        number,
        file,
        events,
        days,
        servers,
        features,
        dry_run,
    } = undone;
    let verb = if *dry_run { "would take" } else { "took" };
    let mut text = format!("undoing import {number} ({file}) {verb} away {events} events on {days} days");
    for (what, names) in [("license servers", servers), ("features", features)] {
        if !names.is_empty() {
            text.push_str(&format!("\n  {what}: {}", names.join(", ")));
        }
    }
    text
}

/// Imports in columns as wide as what stands in them.
fn table(imports: &[ListedImport]) -> String {
    const TITLES: [&str; 11] = [
        "NUMBER", "AT", "FILE", "SERVERS", "ZONE", "FORMAT", "FIRST", "LAST", "EVENTS", "DOUBTS", "NOTE",
    ];
    let mut rows = vec![TITLES.map(str::to_owned)];
    rows.extend(imports.iter().map(|import| {
        let note = match (&import.undone, import.superseded_by) {
            (Some(at), _) => format!("undone {at}"),
            (None, Some(number)) => format!("a part of {number}"),
            (None, None) => String::new(),
        };
        [
            import.number.to_string(),
            import.at.clone(),
            import.file.clone(),
            import.servers.join(","),
            import.zone.clone(),
            import.dialect.clone(),
            import.first.clone().unwrap_or_default(),
            import.last.clone().unwrap_or_default(),
            import.events.to_string(),
            (import.undated_lines + import.unparsed_lines).to_string(),
            note,
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 11] = std::array::from_fn(width);
    let line = |row: &[String; 11]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
