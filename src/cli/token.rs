//! `headroom token`

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};

use super::{StoreArgs, say};
use crate::access::{Access, Names, Role};
use crate::app::create_token;
use crate::store::{Grant, Tokens};
use crate::time::{SECOND, rfc3339};

/// Make, list and revoke tokens: who may ask the server, and what they see
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    Create(CreateArgs),
    /// List all tokens: name, role, license servers, names of users and hosts, and when they were made
    List {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Revoke a token; a server that runs knows at once
    ///
    /// A store without any token answers every caller on its machine, and nobody else.
    Revoke {
        #[command(flatten)]
        store: StoreArgs,
        /// Name of the token
        name: String,
    },
}

/// Make a token and print it: it is shown this once
///
/// Callers show it as `X-Auth-token: TOKEN` or `Authorization: Bearer TOKEN`. From the first token on,
/// nobody is answered without one.
///
///   headroom token create --store licenses ops --role admin                   may do all there is
///   headroom token create --store licenses dashboard --role viewer            reads every report
///   headroom token create --store licenses berlin --role viewer --servers flex01,flex02
///   headroom token create --store licenses works-council --role analyst --names pseudonym
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
struct CreateArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Name to list and revoke it by
    #[arg(default_value = "default")]
    name: String,
    /// What it may do: a viewer reads reports, an analyst also writes queries, an admin also imports and makes tokens
    #[arg(long, value_parser = role())]
    role: Role,
    /// License servers that it sees, by name, with all their daemons, also those that come later; the others do not exist
    /// for it [default: all]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    servers: Option<Vec<String>>,
    /// How it sees users and hosts: as they are, or by pseudonyms that are always the same and say nothing
    #[arg(long, default_value = "plain", value_parser = names())]
    names: Names,
}

fn role() -> impl clap::builder::TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::name)).try_map(|name| Role::from_name(&name).ok_or("no such role"))
}

fn names() -> impl clap::builder::TypedValueParser<Value = Names> {
    PossibleValuesParser::new(Names::ALL.map(Names::name)).try_map(|name| Names::from_name(&name).ok_or("no such way"))
}

impl TokenArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.command {
            TokenCommand::Create(args) => {
                let access = Access::new(args.role, args.servers, args.names);
                let (token, _) = create_token(&args.store.store, args.name, access)?;
                say(token.reveal());
            }
            TokenCommand::List { store } => say(table(&Tokens::open(&store.store)?.all()?)),
            TokenCommand::Revoke { store, name } => {
                Tokens::open(&store.store)?.delete(&name)?;
                say(format_args!("revoked {name}"));
            }
        }
        Ok(())
    }
}

/// Tokens in columns as wide as what stands in them.
fn table(grants: &[Grant]) -> String {
    let mut rows = vec![["NAME", "ROLE", "SERVERS", "NAMES", "CREATED"].map(str::to_owned)];
    rows.extend(grants.iter().map(|grant| {
        let Grant { name, access, created, .. } = grant;
        [
            name.clone(),
            access.role().name().to_owned(),
            access.servers().map_or_else(|| "all".to_owned(), |servers| servers.join(",")),
            access.names().name().to_owned(),
            rfc3339(created / SECOND * SECOND),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3, 4].map(width);
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_columns() {
        let grant = |name: &str, access| Grant {
            name: name.to_owned(),
            hash: [0; 32],
            access,
            created: 1_772_438_405_999_999,
        };
        let limited = Access::new(Role::Viewer, Some(vec!["flex02".to_owned(), "flex01".to_owned()]), Names::Pseudonym);
        let grants = [grant("ci", Access::everything()), grant("works-council", limited)];
        let expected = "\
NAME           ROLE    SERVERS        NAMES      CREATED
ci             admin   all            plain      2026-03-02T08:00:05Z
works-council  viewer  flex01,flex02  pseudonym  2026-03-02T08:00:05Z";
        assert_eq!(table(&grants), expected);
        assert_eq!(table(&[]), "NAME  ROLE  SERVERS  NAMES  CREATED");
    }
}
