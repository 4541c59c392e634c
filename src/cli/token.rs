//! `headroom token`

use clap::{Args, Subcommand};

use super::{StoreArgs, say};
use crate::app::{PATIENCE, now};
use crate::store::Writer;
use crate::time::rfc3339;
use crate::token::Token;

/// Make, list and revoke tokens: who may ask the server
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token and print it: it is shown this once
    Create {
        #[command(flatten)]
        store: StoreArgs,
        /// Name to list and revoke it by
        #[arg(default_value = "default")]
        name: String,
    },
    /// List the names of all tokens
    List {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Revoke a token; a server that runs knows at once
    Revoke {
        #[command(flatten)]
        store: StoreArgs,
        /// Name of the token
        name: String,
    },
}

impl TokenArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.command {
            TokenCommand::Create { store, name } => {
                let token = Token::generate()?;
                Writer::open(&store.store, PATIENCE)?.put_token(&name, token.hash(), now())?;
                say(token.reveal());
            }
            TokenCommand::List { store } => {
                for (name, created) in Writer::open(&store.store, PATIENCE)?.tokens()? {
                    say(format_args!("{name}\t{}", rfc3339(created / 1_000_000 * 1_000_000)));
                }
            }
            TokenCommand::Revoke { store, name } => {
                Writer::open(&store.store, PATIENCE)?.delete_token(&name)?;
                say(format_args!("revoked {name}"));
            }
        }
        Ok(())
    }
}
