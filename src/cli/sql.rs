//! `headroom sql`: questions in SQL, one or many.

mod prompt;

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use serde_json::Value;

use super::{StoreArgs, document, limits};
use crate::access::Caller;
use crate::app::{App, SqlAsk};
use crate::engine::{Dialect, Parameters, Question};
use crate::output::{self, FORMATS, Format, TABLE};
use crate::time::Zone;

/// Ask a store in SQL
///
/// Tables: events, sessions, denials (by day), servers, features, uptime; what their columns are says `DESCRIBE sessions`.
/// Times are those of UTC, or of the zone of `--tz`, and are printed with their offset. Without SQL, on a terminal, there is a prompt; else the SQL is read from
/// standard input.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  headroom sql --store licenses \"SELECT day, count(*) FROM denials GROUP BY day ORDER BY day\"
  headroom sql --store licenses --param feature=3 --format csv -o denials.csv \\
      'SELECT * FROM denials WHERE feature_id = $feature ORDER BY at'
  headroom sql --store licenses")]
pub(crate) struct SqlArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The SQL: one query
    #[arg(allow_hyphen_values = true)]
    sql: Option<String>,
    /// What a placeholder stands for: feature=3 for $feature, 1=solver for $1
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    params: Vec<(String, Value)>,
    /// How the answer is written
    #[arg(long, default_value = TABLE.name(), ignore_case = true, value_parser = formats())]
    format: &'static dyn Format,
    /// File to write, whole or not at all; else standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// At most so many rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Zone whose clock times are read from and printed on, like Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    tz: Zone,
}

fn formats() -> impl clap::builder::TypedValueParser<Value = &'static dyn Format> {
    let names = std::iter::once(&TABLE).chain(FORMATS).map(|format| format.name());
    PossibleValuesParser::new(names.collect::<Vec<_>>()).try_map(|name| find(&name).ok_or("no such format"))
}

fn find(name: &str) -> Option<&'static dyn Format> {
    if TABLE.name().eq_ignore_ascii_case(name) {
        return Some(TABLE);
    }
    output::find(name)
}

/// A value is JSON where it can be, a number or null, and a text else.
fn parameter(text: &str) -> Result<(String, Value), &'static str> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let scalar = serde_json::from_str(value)
        .ok()
        .filter(|value: &Value| !value.is_array() && !value.is_object());
    let value = scalar.unwrap_or_else(|| Value::String(value.to_owned()));
    Ok((name.trim_start_matches('$').to_owned(), value))
}

impl SqlArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let root = &self.store.store;
        anyhow::ensure!(crate::store::exists(root), crate::store::StoreError::Missing { path: root.clone() });
        let app = App::new(root, limits::unhurried())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let sql = match self.sql {
            Some(sql) => sql,
            None if std::io::stdin().is_terminal() => return prompt::run(&app, &runtime, self.format, self.tz),
            None => {
                let mut sql = String::new();
                std::io::stdin().read_to_string(&mut sql)?;
                sql
            }
        };
        document::check_terminal(self.format, self.output.as_deref())?;
        let question = Question {
            sql,
            parameters: Parameters::Named(BTreeMap::from_iter(self.params)),
            dialect: Dialect::Own,
            limit: None,
            zone: Some(self.tz),
        };
        runtime.block_on(async {
            let answer = app.sql(ask(question, self.format, self.limit)).await?;
            document::write(answer.rendering, self.output.as_deref()).await
        })
    }
}

/// A question of whoever types.
fn ask(question: Question, format: &'static dyn Format, limit: Option<u64>) -> SqlAsk<'static> {
    static LOCAL: std::sync::LazyLock<Caller> = std::sync::LazyLock::new(Caller::local);
    SqlAsk {
        question,
        format,
        caller: &LOCAL,
        limit,
        time: None,
        title: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_json_where_they_can_be() {
        let value = |text: &str| parameter(text).unwrap().1;
        assert_eq!(value("n=3"), json!(3));
        assert_eq!(value("n=-2.5"), json!(-2.5));
        assert_eq!(value("n=null"), Value::Null);
        assert_eq!(value("n=true"), json!(true));
        assert_eq!(value("n=solver"), json!("solver"));
        assert_eq!(value("n=\"3\""), json!("3"));
        assert_eq!(value("n=2026-03-02"), json!("2026-03-02"));
        assert_eq!(value("n=[1]"), json!("[1]"));
        assert_eq!(value("n=a=b"), json!("a=b"));
        assert_eq!(parameter("$1=x").unwrap().0, "1");
        assert!(parameter("x").is_err());
    }
}
