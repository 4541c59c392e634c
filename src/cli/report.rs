//! `headroom report NAME`: a sub-command for every report, made from its definition.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};

use super::calendars;
use crate::access::Caller;
use crate::app::{App, AppOptions, Ask};
use crate::output::{self, FORMATS, Format, TABLE};
use crate::report::{Catalog, Definition, Param, STANDARD};

/// A report, its parameters, and where to put it.
#[derive(Debug)]
pub(crate) struct ReportArgs {
    report: String,
    store: PathBuf,
    given: Vec<(String, String)>,
    calendars: Vec<(String, PathBuf)>,
    /// The format that was asked for.
    format: Option<&'static dyn Format>,
    output: Option<PathBuf>,
    sql: bool,
}

impl ReportArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        anyhow::ensure!(
            crate::store::exists(&self.store),
            crate::store::StoreError::Missing { path: self.store.clone() }
        );
        let options = AppOptions {
            calendars: calendars::read(&self.calendars)?,
            ..super::limits::unhurried()
        };
        let app = App::new(&self.store, options)?;
        let is_seen = self.output.is_none() && io::stdout().is_terminal();
        let format = self.format.unwrap_or_else(|| usual(is_seen));
        if self.sql {
            let source = app.catalog().report(&self.report)?.source(app.snapshot()?.zone())?;
            super::say(source.trim_end());
            return Ok(());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let ask = Ask {
                report: &self.report,
                given: &self.given,
                format,
                caller: &Caller::local(),
                place: None,
            };
            let prepared = app.prepare(&ask)?;
            if let Some(quality) = prepared.quality().filter(|_| io::stderr().is_terminal()) {
                // Formats without a place for doubts have a header over HTTP; here a person is told.
                let _closed = writeln!(io::stderr(), "quality: {}", quality.to_json());
            }
            super::document::check_terminal(format, self.output.as_deref())?;
            super::document::write(prepared.run().await?, self.output.as_deref()).await
        })
    }
}

impl Args for ReportArgs {
    fn augment_args(command: Command) -> Command {
        // A file that makes no sense is found by a test; here it is a report less.
        let definitions = Catalog::definitions().unwrap_or_default();
        command
            .about("Write a report without a server")
            .long_about(
                "Write a report without a server: for bulk history and for cron\n\n\
                 Each report has its own parameters, the same as over HTTP: `headroom report denials --help`.\n\n  \
                 headroom report features --store licenses --format csv\n  \
                 headroom report denials --store licenses --feature solver \\\n      --sd 2026-01-01 --ed 2026-12-31 --format csv -o denials.csv",
            )
            .subcommand_required(true)
            .subcommand_value_name("NAME")
            .subcommand_help_heading("Reports")
            .disable_help_subcommand(true)
            .subcommands(definitions.into_iter().map(command_of))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn command_of(definition: Definition) -> Command {
    let args = definition.params.iter().chain(STANDARD.iter()).map(arg_of).collect::<Vec<_>>();
    let store = Arg::new("store")
        .long("store")
        .value_name("DIR")
        .env("HEADROOM_STORE")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("Folder of the store");
    let format = Arg::new("format")
        .long("format")
        .value_name("F")
        .ignore_case(true)
        .value_parser(PossibleValuesParser::new(
            FORMATS.iter().chain([&TABLE]).map(|format| format.name()),
        ))
        .help("Format of the report; else a table on a terminal, and json elsewhere");
    let calendar = Arg::new("calendar")
        .long("calendar")
        .value_name("NAME=FILE")
        .action(ArgAction::Append)
        .value_parser(calendars::pair)
        .help(calendars::HELP);
    let output = Arg::new("output")
        .short('o')
        .long("output")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("File to write, whole or not at all; else standard output");
    let param = Arg::new("param")
        .long("param")
        .value_name("NAME=VALUE")
        .action(ArgAction::Append)
        .value_parser(|text: &str| {
            let pair = text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
            pair.ok_or("expected NAME=VALUE")
        })
        .help("A parameter by name, as over HTTP");
    let sql = Arg::new("sql")
        .long("sql")
        .action(ArgAction::SetTrue)
        .help("Print the SQL of the report instead, to start a query from");
    Command::new(definition.name)
        .about(definition.summary)
        .args([store])
        .args(args)
        .args([param, calendar, format, output, sql])
}

fn arg_of(param: &Param) -> Arg {
    let mut arg = Arg::new(param.name.clone())
        .long(param.name.clone())
        .visible_aliases(param.aliases.clone())
        .value_name("VALUE")
        .allow_hyphen_values(true)
        .help(format!(
            "{}: {}{}",
            capitalised(&param.summary),
            param.expected(),
            if param.required { " (required)" } else { "" }
        ));
    if param.name == "feature" {
        arg = arg.aliases(["featureId", "feature-id", "fid"]);
    }
    arg
}

/// The format of a name, the table for a terminal included.
fn find(name: &str) -> Option<&'static dyn Format> {
    output::find(name).or_else(|| name.eq_ignore_ascii_case(TABLE.name()).then_some(TABLE))
}

/// The format where none was asked for: a person at a terminal gets a table.
fn usual(is_seen: bool) -> &'static dyn Format {
    if is_seen { TABLE } else { FORMATS[0] }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

impl FromArgMatches for ReportArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let missing = || clap::Error::raw(clap::error::ErrorKind::MissingSubcommand, "which report?\n");
        let (report, matches) = matches.subcommand().ok_or_else(missing)?;
        let definitions = Catalog::definitions().unwrap_or_default();
        let definition = definitions
            .iter()
            .find(|definition| definition.name == report)
            .ok_or_else(missing)?;
        let named = definition.params.iter().chain(STANDARD.iter()).filter_map(|param| {
            let value = matches.get_one::<String>(&param.name)?;
            Some((param.name.clone(), value.clone()))
        });
        let pairs = matches.get_many::<(String, String)>("param").into_iter().flatten().cloned();
        let format = matches.get_one::<String>("format").and_then(|name| find(name));
        let calendars = matches.get_many::<(String, PathBuf)>("calendar");
        Ok(Self {
            report: report.to_owned(),
            store: matches.get_one::<PathBuf>("store").cloned().unwrap_or_default(),
            given: named.chain(pairs).collect(),
            calendars: calendars.into_iter().flatten().cloned().collect(),
            format,
            output: matches.get_one::<PathBuf>("output").cloned(),
            sql: matches.get_flag("sql"),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_get_a_table_and_programs_do_not() {
        assert_eq!((usual(true).name(), usual(false).name()), ("table", "json"));
        assert!(find("TABLE").is_some() && find("csv").is_some() && find("x").is_none());
    }
}
