//! The prompt: a line editor with a history, and completion of what there is to name.

use std::io::Write as _;
use std::path::PathBuf;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Config, Context, Editor, Helper, Highlighter, Hinter};
use tokio::runtime::Runtime;

use super::{ask, find};
use crate::access::Caller;
use crate::app::App;
use crate::cli::{complain, document, say};
use crate::engine::{Dialect, Parameters, Question};
use crate::output::{FORMATS, Format, TABLE};
use crate::time::Zone;

const HELP: &str = "\
A query ends with ; and may have several lines.
  \\d            the tables
  \\d TABLE      its columns
  \\f FORMAT     how answers are written: table, csv, json …
  \\o FILE       where the next answer is written; without FILE, the terminal
  \\z ZONE       whose clock times are read from and printed on, like Europe/Berlin
  \\q            the end (or Ctrl-D); Ctrl-C stops a query";

const TABLES: &str = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name";

/// Words of SQL that are worth completing.
const KEYWORDS: &str = "SELECT FROM WHERE GROUP BY ORDER LIMIT HAVING JOIN LEFT ON USING WITH AS AND OR NOT NULL IS IN LIKE BETWEEN \
    CASE WHEN THEN ELSE END DISTINCT UNION ALL COUNT SUM AVG MIN MAX OVER PARTITION INTERVAL TIMESTAMP DATE DESCRIBE EXPLAIN ANALYZE";

/// Asks and answers until there are no more questions.
pub(super) fn run(app: &App, runtime: &Runtime, format: &'static dyn Format, zone: Zone) -> anyhow::Result<()> {
    let config = Config::builder().auto_add_history(true).build();
    let mut editor: Editor<Words, FileHistory> = Editor::with_config(config)?;
    editor.set_helper(Some(Words(words(app, runtime)?)));
    let history = history();
    if let Some(history) = &history {
        // There is none the first time.
        let _none = editor.load_history(history);
    }
    say(format_args!("{} · \\? says what can be typed", app.root().display()));
    let mut shape = Shape { format, file: None, zone };
    loop {
        let line = match editor.readline("headroom> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error.into()),
        };
        let line = line.trim();
        let sql = match line.split_once(char::is_whitespace).unwrap_or((line, "")) {
            ("", _) => continue,
            ("\\q" | "exit" | "quit", _) => break,
            ("\\?" | "\\h" | "help", _) => {
                say(HELP);
                continue;
            }
            ("\\f", name) => {
                match find(name.trim()) {
                    Some(found) => {
                        shape.format = found;
                        shape.warn();
                    }
                    None => {
                        let known: Vec<&str> = FORMATS.iter().chain([&TABLE]).map(|format| format.name()).collect();
                        say(format_args!("there is no format {:?}; there are {}", name.trim(), known.join(", ")));
                    }
                }
                continue;
            }
            ("\\o", file) => {
                shape.file = Some(file.trim()).filter(|file| !file.is_empty()).map(PathBuf::from);
                continue;
            }
            ("\\z", name) => {
                match name.trim().parse() {
                    Ok(found) => shape.zone = found,
                    Err(error) => say(format_args!("{error}")),
                }
                continue;
            }
            ("\\d", "") => TABLES.to_owned(),
            ("\\d", table) => format!("DESCRIBE {}", table.trim().trim_end_matches(';')),
            _ => line.to_owned(),
        };
        if shape.warn() {
            continue;
        }
        if let Err(error) = runtime.block_on(answer(app, sql, &shape)) {
            complain(&error);
        } else {
            // Another answer would take its place.
            shape.file = None;
        }
    }
    if let Some(history) = &history {
        if let Some(folder) = history.parent() {
            std::fs::create_dir_all(folder)?;
        }
        editor.save_history(history)?;
    }
    Ok(())
}

/// How answers are written, and where.
struct Shape {
    format: &'static dyn Format,
    /// The file of the next answer; the terminal without one.
    file: Option<PathBuf>,
    zone: Zone,
}

impl Shape {
    /// Asks for a file where the format is not for a terminal. Returns whether it did.
    fn warn(&self) -> bool {
        let lacks_file = self.file.is_none() && !document::is_text(self.format);
        if lacks_file {
            say(format_args!("{} is not for a terminal; give a file: \\o FILE", self.format.name()));
        }
        lacks_file
    }
}

/// Answers a question, unless Ctrl-C comes first.
#[expect(clippy::future_not_send, reason = "a command has one thread, and the output to itself")]
async fn answer(app: &App, sql: String, shape: &Shape) -> anyhow::Result<()> {
    let question = Question {
        sql,
        parameters: Parameters::default(),
        dialect: Dialect::Own,
        limit: None,
        zone: Some(shape.zone),
    };
    let began = std::time::Instant::now();
    let answered = async {
        let answer = app.sql(ask(question, shape.format, None)).await?;
        document::write(answer.rendering, shape.file.as_deref()).await
    };
    tokio::select! {
        answered = answered => answered?,
        _ = tokio::signal::ctrl_c() => anyhow::bail!("stopped"),
    }
    let _closed = writeln!(std::io::stderr(), "{:.3} s", began.elapsed().as_secs_f64());
    Ok(())
}

fn history() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")))?;
    Some(state.join("headroom").join("sql-history"))
}

/// Everything that can be named: tables, columns, functions, and words of SQL.
fn words(app: &App, runtime: &Runtime) -> anyhow::Result<Vec<String>> {
    let mut words: Vec<String> = KEYWORDS.split_ascii_whitespace().map(str::to_owned).collect();
    let question = Question {
        sql: "SELECT table_name FROM information_schema.tables UNION SELECT column_name FROM information_schema.columns \
              WHERE table_schema = 'public' UNION SELECT routine_name FROM information_schema.routines"
            .to_owned(),
        parameters: Parameters::default(),
        dialect: Dialect::Own,
        limit: None,
        zone: None,
    };
    runtime.block_on(async {
        let (mut rows, mut running) = app.sql_rows(question, &Caller::local(), None).await?;
        while let Some(batch) = rows.next().await? {
            let names = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8)?;
            let names = arrow::array::AsArray::as_string::<i32>(&names);
            words.extend(names.iter().flatten().map(str::to_owned));
        }
        running.is_done();
        anyhow::Ok(())
    })?;
    words.sort_unstable();
    words.dedup();
    Ok(words)
}

/// Completes words.
#[derive(Helper, Highlighter, Hinter)]
struct Words(Vec<String>);

impl Completer for Words {
    type Candidate = Pair;

    fn complete(&self, line: &str, place: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok(complete(&self.0, &line[..place]))
    }
}

/// Where the last word of a line begins, and what it may become.
fn complete(words: &[String], line: &str) -> (usize, Vec<Pair>) {
    let start = line
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
        .map_or(0, |before| before + line[before..].chars().next().map_or(1, char::len_utf8));
    let begun = line[start..].to_lowercase();
    if begun.is_empty() {
        return (start, Vec::new());
    }
    let fitting = words.iter().filter(|word| word.to_lowercase().starts_with(&begun));
    let pair = |word: &String| Pair {
        display: word.clone(),
        replacement: word.clone(),
    };
    (start, fitting.map(pair).collect())
}

impl Validator for Words {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let line = context.input().trim();
        let is_whole = line.is_empty() || line.ends_with(';') || line.starts_with('\\') || ["exit", "quit", "help"].contains(&line);
        Ok(if is_whole {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_completed() {
        let words = ["SELECT", "sessions", "servers", "server_id"].map(str::to_owned);
        let completed = |line: &str| {
            let (start, pairs) = complete(&words, line);
            (start, pairs.into_iter().map(|pair| pair.replacement).collect::<Vec<_>>())
        };
        assert_eq!(completed("sel"), (0, vec!["SELECT".to_owned()]));
        assert_eq!(completed("SELECT * FROM ses"), (14, vec!["sessions".to_owned()]));
        assert_eq!(completed("x.server"), (2, vec!["servers".to_owned(), "server_id".to_owned()]));
        assert_eq!(completed("é·serv").0, "é·".len());
        assert_eq!(completed("SELECT ").1, Vec::<String>::new());
    }
}
