//! `headroom report NAME`: a sub-command for every report, made from its definition.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};

use crate::access::Caller;
use crate::app::{App, Ask};
use crate::output::{self, FORMATS, Format};
use crate::report::{Catalog, Definition, Param, STANDARD};

/// A report, its parameters, and where to put it.
#[derive(Debug)]
pub(crate) struct ReportArgs {
    report: String,
    store: PathBuf,
    given: Vec<(String, String)>,
    format: &'static dyn Format,
    output: Option<PathBuf>,
    sql: bool,
}

impl ReportArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        anyhow::ensure!(
            crate::store::exists(&self.store),
            crate::store::StoreError::Missing { path: self.store.clone() }
        );
        let app = App::new(&self.store, super::limits::unhurried())?;
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
                format: self.format,
                caller: &Caller::local(),
                place: None,
            };
            let prepared = app.prepare(&ask)?;
            if let Some(quality) = prepared.quality().filter(|_| io::stderr().is_terminal()) {
                // Formats without a place for doubts have a header over HTTP; here a person is told.
                let _closed = writeln!(io::stderr(), "quality: {}", quality.to_json());
            }
            super::document::check_terminal(self.format, self.output.as_deref())?;
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
                 headroom report denials --store licenses --feature 3 \\\n      --sd 2026-01-01 --ed 2026-12-31 --format csv -o denials.csv",
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
        .default_value(FORMATS[0].name())
        .ignore_case(true)
        .value_parser(PossibleValuesParser::new(FORMATS.iter().map(|format| format.name())))
        .help("Format of the report");
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
        .args([param, format, output, sql])
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
        let format = matches.get_one::<String>("format").and_then(|name| output::find(name));
        Ok(Self {
            report: report.to_owned(),
            store: matches.get_one::<PathBuf>("store").cloned().unwrap_or_default(),
            given: named.chain(pairs).collect(),
            format: format.unwrap_or(FORMATS[0]),
            output: matches.get_one::<PathBuf>("output").cloned(),
            sql: matches.get_flag("sql"),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
