//! `headroom report NAME`: a sub-command for every report, made from its definition.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};

use crate::access::Access;
use crate::app::{App, Ask, Rendering};
use crate::engine::EngineOptions;
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
}

impl ReportArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        anyhow::ensure!(
            crate::store::exists(&self.store),
            crate::store::StoreError::Missing { path: self.store.clone() }
        );
        let app = App::new(&self.store, EngineOptions::default())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let ask = Ask {
                report: &self.report,
                given: &self.given,
                format: self.format,
                access: &Access::everything(),
                place: None,
            };
            let prepared = app.prepare(&ask)?;
            if let Some(quality) = prepared.quality().filter(|_| io::stderr().is_terminal()) {
                // Formats without a place for doubts have a header over HTTP; here a person is told.
                let _closed = writeln!(io::stderr(), "quality: {}", quality.to_json());
            }
            let rendering = prepared.run().await?;
            match &self.output {
                Some(path) => write_file(rendering, path)
                    .await
                    .with_context(|| format!("cannot write {}", path.display())),
                None => match write_all(rendering, &mut io::stdout().lock()).await {
                    // Whoever reads has read enough.
                    Err(error) if is_closed_pipe(&error) => Ok(()),
                    written => written,
                },
            }
        })
    }
}

/// Writes a file that is there as a whole or not at all.
async fn write_file(rendering: Rendering, path: &PathBuf) -> anyhow::Result<()> {
    let mut partial = path.clone().into_os_string();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let mut file = io::BufWriter::new(create(&partial)?);
    let written = write_all(rendering, &mut file).await;
    let synced = written.and_then(|()| Ok(file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?));
    match synced {
        Ok(()) => Ok(std::fs::rename(&partial, path)?),
        Err(error) => {
            let _already_failing = std::fs::remove_file(&partial);
            Err(error)
        }
    }
}

fn create(path: &PathBuf) -> io::Result<File> {
    File::options().write(true).create(true).truncate(true).open(path)
}

async fn write_all(mut rendering: Rendering, out: &mut impl Write) -> anyhow::Result<()> {
    while let Some(piece) = rendering.next().await? {
        out.write_all(&piece)?;
    }
    Ok(out.flush()?)
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
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
    Command::new(definition.name)
        .about(definition.summary)
        .args([store])
        .args(args)
        .args([param, format, output])
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
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
