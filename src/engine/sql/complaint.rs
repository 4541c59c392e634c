//! What is wrong with SQL, in plain words: what was expected and found, where, and what was perhaps meant.
//!
//! The invariant: a message that ends with `(line L, column C)` names the first character of what it complains about, counted from
//! 1 in the SQL as it was given. Clients of PostgreSQL are told that place as a position.

use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionState;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::super::EngineError;
use crate::suggest;

/// How many columns a message lists.
const MOST_LISTED: usize = 12;

/// What people call columns that are called otherwise here.
const MEANT: &[(&str, &str)] = &[
    ("user", "user_name"),
    ("username", "user_name"),
    ("users", "user_name"),
    ("end", "ended"),
    ("end_time", "ended"),
    ("stop", "ended"),
    ("start", "started"),
    ("begin", "started"),
    ("start_time", "started"),
    ("time", "at"),
    ("timestamp", "at"),
    ("date", "day"),
    ("hostname", "host"),
    ("server", "server_id"),
    ("server_name", "name"),
    ("feature", "feature_id"),
    ("feature_name", "name"),
    ("count", "licenses"),
    ("quantity", "licenses"),
    ("reason", "reason_class"),
];

/// The names that SQL may say.
#[derive(Debug)]
pub(super) struct Names {
    tables: Vec<String>,
    functions: Vec<String>,
}

impl Names {
    pub(super) fn new<'a>(state: &SessionState, tables: impl Iterator<Item = &'a str>) -> Self {
        let scalars = state.scalar_functions().keys();
        let functions = scalars
            .chain(state.aggregate_functions().keys())
            .chain(state.window_functions().keys());
        let mut functions: Vec<String> = functions.cloned().collect();
        functions.sort_unstable();
        functions.dedup();
        Self {
            tables: tables.map(str::to_owned).collect(),
            functions,
        }
    }

    /// A complaint about an error of planning; nothing where it is of another kind.
    pub(super) fn complaint(&self, error: &DataFusionError, sql: &str) -> Option<EngineError> {
        let (what, name) = match error.find_root() {
            DataFusionError::SchemaError(error, _) => match error.as_ref() {
                SchemaError::FieldNotFound { field, valid_fields } => (self.of_column(field, valid_fields), field.name.clone()),
                _ => return None,
            },
            DataFusionError::Plan(text) => {
                if let Some(name) = between(text, "table '", "' not found").or_else(|| between(text, "table function '", "' not found")) {
                    self.of_table(name, text.contains("table function"))
                } else {
                    self.of_function(between(text, "Invalid function '", "'")?)
                }
            }
            _ => return None,
        };
        Some(EngineError::Refused(format!("{what}{}", place_of(sql, &name))))
    }

    fn of_column(&self, field: &Column, valid: &[Column]) -> String {
        let mut names: Vec<&str> = valid.iter().map(|column| column.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let told = field.flat_name().replace('"', "");
        let meant = MEANT
            .iter()
            .find(|(said, _)| said.eq_ignore_ascii_case(&field.name))
            .map(|(_, meant)| *meant);
        let meant = meant.filter(|meant| names.contains(meant));
        // The column may be there, and its table under another name.
        let elsewhere = || valid.iter().find(|column| column.name == field.name).map(Column::flat_name);
        let hint = match meant.map(str::to_owned).or_else(elsewhere).or_else(|| nearest(&field.name, &names)) {
            Some(meant) => format!("; did you mean {meant}?"),
            None if names.is_empty() => "; there is no table to take it from".to_owned(),
            None => {
                let listed = names.iter().take(MOST_LISTED).copied().collect::<Vec<_>>().join(", ");
                let more = if names.len() > MOST_LISTED { " …" } else { "" };
                format!("; there are {listed}{more}")
            }
        };
        format!("there is no column {told}{hint}")
    }

    fn of_table(&self, name: &str, is_function: bool) -> (String, String) {
        let own = name.rsplit('.').next().unwrap_or(name).to_owned();
        let shown = name.strip_prefix("headroom.").unwrap_or(name);
        let shown = shown.strip_prefix("public.").unwrap_or(shown);
        let names: Vec<&str> = self.tables.iter().map(String::as_str).collect();
        let hint = nearest(&own, &names).map_or_else(
            || format!("; there are {}", names.join(", ")),
            |meant| format!("; did you mean {meant}?"),
        );
        let what = if is_function { "table function" } else { "table" };
        (format!("there is no {what} {shown}{hint}"), own)
    }

    fn of_function(&self, name: &str) -> (String, String) {
        // A word that is a function without parentheses is most often meant as a column.
        let column = reserved(name);
        let names: Vec<&str> = self.functions.iter().map(String::as_str).collect();
        let what = match (column, nearest(name, &names)) {
            (Some(column), _) => format!("{name} is a word of SQL; the column is {column}"),
            (None, Some(meant)) => format!("there is no function {name}(); did you mean {meant}()?"),
            (None, None) => format!("there is no function {name}(); SHOW FUNCTIONS lists them"),
        };
        (what, name.to_owned())
    }
}

/// The column that is meant by a word that SQL keeps for itself.
fn reserved(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "user" => Some("user_name"),
        "end" => Some("ended"),
        "start" => Some("started"),
        _ => None,
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

/// A complaint about SQL that is no SQL.
pub(super) fn of_syntax(error: &ParserError) -> EngineError {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => "too many expressions within each other",
    };
    EngineError::Refused(syntax(text))
}

/// What a parser says, in plain words.
pub(super) fn syntax(text: &str) -> String {
    let (what, place) = match text.rsplit_once(" at Line: ") {
        Some((what, place)) => (what, place.split_once(", Column: ")),
        None => (text, None),
    };
    let place = place.map_or_else(String::new, |(line, column)| format!(" (line {line}, column {column})"));
    let Some((expected, found)) = what.strip_prefix("Expected: ").and_then(|what| what.split_once(", found: ")) else {
        let mut letters = what.chars();
        let first = letters.next().map(|first| first.to_lowercase().to_string()).unwrap_or_default();
        return format!("syntax error: {first}{}{place}", letters.as_str());
    };
    let (shown, hint) = match reserved(found) {
        _ if found == "EOF" => ("the end of the SQL", String::new()),
        Some(column) => (found, format!("; {found} is a word of SQL, the column is {column}")),
        None => (found, String::new()),
    };
    format!("syntax error: expected {expected}, found {shown}{hint}{place}")
}

/// Where a name is said first, as a message tells it; nothing where it is not said in so many letters.
fn place_of(sql: &str, name: &str) -> String {
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location() else {
        return String::new();
    };
    let said = tokens
        .iter()
        .find(|token| matches!(&token.token, Token::Word(word) if word.value.eq_ignore_ascii_case(name)));
    said.map_or_else(String::new, |token| {
        format!(" (line {}, column {})", token.span.start.line, token.span.start.column)
    })
}

/// The name that is most like what was said, if it is like it.
fn nearest(said: &str, names: &[&str]) -> Option<String> {
    let near = suggest::near(said, names.iter().copied());
    near.first().map(|name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_near_are_found() {
        let names = ["sessions", "servers", "denials", "events", "user_name", "at"];
        for (said, meant) in [
            ("session", Some("sessions")),
            ("dneials", Some("denials")),
            ("Denial", Some("denials")),
            ("user_nam", Some("user_name")),
            ("event", Some("events")),
            ("at2", Some("at")),
            ("nothing", None),
            ("x", None),
        ] {
            assert_eq!(nearest(said, &names).as_deref(), meant, "{said}");
        }
    }

    #[test]
    fn parsers_are_told_in_plain_words() {
        for (said, told) in [
            (
                "Expected: an SQL statement, found: SELEC at Line: 1, Column: 1",
                "syntax error: expected an SQL statement, found SELEC (line 1, column 1)",
            ),
            (
                "Expected: an expression, found: end at Line: 2, Column: 8",
                "syntax error: expected an expression, found end; end is a word of SQL, the column is ended (line 2, column 8)",
            ),
            (
                "Expected: an expression, found: EOF",
                "syntax error: expected an expression, found the end of the SQL",
            ),
            (
                "Unterminated string literal at Line: 1, Column: 8",
                "syntax error: unterminated string literal (line 1, column 8)",
            ),
        ] {
            assert_eq!(syntax(said), told);
        }
    }
}
