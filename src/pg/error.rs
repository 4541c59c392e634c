//! Errors as clients of PostgreSQL know them: the one place that picks an SQLSTATE.
//!
//! What is our fault is logged once, here, and tells the client nothing but a number to ask about.

use pgwire::messages::response::ErrorResponse;

use crate::app::{AppError, QueryError};
use crate::engine::EngineError;
use crate::http::chain;

/// Why a client gets no answer, or no more of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum PgError {
    /// The application says so.
    #[error(transparent)]
    App(#[from] AppError),
    /// The protocol, or what was said in it.
    #[error("{message}")]
    Told {
        /// Its SQLSTATE.
        code: &'static str,
        /// What is wrong.
        message: String,
        /// Whether the connection ends with it.
        fatal: bool,
    },
    /// An error at a place of the text that the client sent.
    #[error("{error}")]
    At {
        /// What is wrong.
        error: Box<Self>,
        /// The letter, from 1.
        position: usize,
    },
    /// There is nobody to tell.
    #[error("the client is gone")]
    Gone(#[source] std::io::Error),
}

impl PgError {
    /// An error after which the connection goes on.
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self::Told {
            code,
            message: message.into(),
            fatal: false,
        }
    }

    /// An error that ends the connection.
    pub(super) fn fatal(code: &'static str, message: impl Into<String>) -> Self {
        Self::Told {
            code,
            message: message.into(),
            fatal: true,
        }
    }

    /// What the client asked to stop.
    pub(super) fn cancelled() -> Self {
        Self::new("57014", "canceling statement due to user request")
    }

    /// What is ours to mend.
    pub(super) fn internal(error: &dyn std::error::Error) -> Self {
        let request_id = getrandom::u64().unwrap_or_default();
        tracing::error!(request_id = format!("{request_id:016x}"), error = %chain(error), "a PostgreSQL client's query failed");
        Self::new("XX000", format!("internal error; request id {request_id:016x}"))
    }

    /// The same error with its place, where it names one: `statement` is the part of `text` that it is about.
    pub(super) fn placed(self, text: &str, statement: &str) -> Self {
        if matches!(self, Self::At { .. } | Self::Gone(_)) {
            return self;
        }
        // A statement is a part of what was sent, and lies where it lies.
        let before = (statement.as_ptr() as usize).checked_sub(text.as_ptr() as usize);
        let before = before
            .and_then(|bytes| text.get(..bytes))
            .map_or(0, |before| before.chars().count());
        match place_in(&self.to_string(), statement) {
            Some(place) => Self::At {
                error: Box::new(self),
                position: before + place,
            },
            None => self,
        }
    }

    /// Whether the connection ends with it.
    pub(super) const fn is_fatal(&self) -> bool {
        matches!(self, Self::Gone(_) | Self::Told { fatal: true, .. })
    }

    /// What the client is told.
    pub(super) fn response(&self) -> ErrorResponse {
        let (code, message, fatal) = match self {
            Self::At { error, position } => {
                let mut response = error.response();
                response.fields.push((b'P', position.to_string()));
                return response;
            }
            Self::Told { code, message, fatal } => (*code, message.clone(), *fatal),
            Self::App(error) => {
                let (code, message) = of_app(error);
                (code, message, false)
            }
            Self::Gone(_) => ("08006", self.to_string(), true),
        };
        let severity = if fatal { "FATAL" } else { "ERROR" };
        // A zero ends a text.
        let message = message.replace('\0', " ");
        ErrorResponse::new(vec![
            (b'S', severity.to_owned()),
            (b'V', severity.to_owned()),
            (b'C', code.to_owned()),
            (b'M', message),
        ])
    }
}

impl From<EngineError> for PgError {
    fn from(error: EngineError) -> Self {
        Self::App(error.into())
    }
}

/// The letter of a statement, from 1, that a message names with `(line 1, column 8)` at its end.
fn place_in(message: &str, statement: &str) -> Option<usize> {
    let (_, place) = message.rsplit_once("(line ")?;
    let (line, column) = place.strip_suffix(')')?.split_once(", column ")?;
    let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
    let lines = statement.split_inclusive('\n').take(line.checked_sub(1)?);
    Some(lines.map(|line| line.chars().count()).sum::<usize>() + column)
}

fn of_app(error: &AppError) -> (&'static str, String) {
    let code = match error {
        AppError::Engine(error) => of_engine(error),
        AppError::Query(QueryError::LineFull { .. } | QueryError::Busy { .. }) => Some("53300"),
        AppError::Query(QueryError::Stopped) => Some("57014"),
        AppError::Query(QueryError::Unknown { .. })
        | AppError::Report(_)
        | AppError::Import(_)
        | AppError::Store(_)
        | AppError::Encoding(_) => None,
    };
    match code {
        Some(code) => (code, error.to_string()),
        None => ("XX000", PgError::internal(error).to_string()),
    }
}

fn of_engine(error: &EngineError) -> Option<&'static str> {
    Some(match error {
        EngineError::TooLong { .. } => "54000",
        EngineError::Refused(reason) => of_refused(reason),
        EngineError::Failed(reason) => of_failed(reason),
        EngineError::Exhausted(_) => "53200",
        EngineError::OutOfTime { .. } | EngineError::Stopped | EngineError::Unread => "57014",
        EngineError::Worker(reason) => {
            tracing::warn!(reason, "a query brought down its worker");
            "53000"
        }
        EngineError::Query(_) | EngineError::Threads(_) | EngineError::Died => return None,
    })
}

/// What is wrong with SQL that is not accepted, as far as words tell.
fn of_refused(reason: &str) -> &'static str {
    const WORDS: [(&str, &str); 16] = [
        ("only questions are answered", "25006"),
        ("syntax error", "42601"),
        ("there is no table ", "42P01"),
        ("there is no column", "42703"),
        ("there is no function", "42883"),
        ("there is no table function", "42883"),
        ("is a word of SQL", "42703"),
        ("expected one query", "42601"),
        ("the SQL has too many", "54001"),
        ("No field named", "42703"),
        ("Ambiguous reference", "42702"),
        ("Invalid function", "42883"),
        ("No function matches", "42883"),
        ("table function", "42883"),
        ("parameter $", "22P02"),
        ("not implemented", "0A000"),
    ];
    if (reason.contains("table '") || reason.contains("Table ")) && reason.contains("not found") {
        return "42P01";
    }
    let known = WORDS.iter().find(|(words, _)| reason.contains(words));
    known.map_or("42000", |(_, code)| code)
}

/// What is wrong with the rows that SQL met, as far as words tell.
fn of_failed(reason: &str) -> &'static str {
    const WORDS: [(&str, &str); 6] = [
        ("Divide by zero", "22012"),
        ("verflow", "22003"),
        ("timestamp", "22007"),
        ("Cannot cast", "22P02"),
        ("Error parsing", "22007"),
        ("Parser error", "22P02"),
    ];
    let known = WORDS.iter().find(|(words, _)| reason.contains(words));
    known.map_or("22000", |(_, code)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(error: impl Into<PgError>) -> String {
        let response = error.into().response();
        let code = response.fields.into_iter().find(|(kind, _)| *kind == b'C');
        code.map(|(_, code)| code).unwrap_or_default()
    }

    #[test]
    fn errors_have_the_state_that_clients_look_for() {
        let refused = |reason: &str| EngineError::Refused(reason.to_owned());
        assert_eq!(
            code(refused("syntax error: expected an SQL statement, found SELEC (line 1, column 1)")),
            "42601"
        );
        assert_eq!(code(refused("there is no table nothing (line 1, column 15)")), "42P01");
        assert_eq!(code(refused("something else")), "42000");
        assert_eq!(code(EngineError::Failed("Divide by zero error".to_owned())), "22012");
        assert_eq!(code(EngineError::Exhausted(String::new())), "53200");
        assert_eq!(code(EngineError::Stopped), "57014");
        assert_eq!(code(EngineError::Died), "XX000");
        assert_eq!(code(AppError::from(QueryError::LineFull { waiting: 1 })), "53300");
    }

    #[test]
    fn the_place_of_an_error_is_told_as_a_letter_of_what_was_sent() {
        let text = "SELECT 'größe';\n SELECT 1,\n nothing";
        let statement = &text[text.find(';').unwrap() + 1..];
        let error = PgError::from(EngineError::Refused("there is no column nothing (line 3, column 2)".to_owned()));
        let told = error.placed(text, statement).response().fields;
        let position: usize = told.iter().find(|(kind, _)| *kind == b'P').unwrap().1.parse().unwrap();
        assert!(
            text.chars().skip(position - 1).collect::<String>().starts_with("nothing"),
            "{position}"
        );
        assert!(
            PgError::new("42000", "no place")
                .placed(text, text)
                .response()
                .fields
                .iter()
                .all(|(kind, _)| *kind != b'P')
        );
    }

    #[test]
    fn what_is_our_fault_is_not_told() {
        let error = AppError::from(EngineError::Threads(std::io::Error::other("/a/secret/place")));
        let told = PgError::from(error).response().fields;
        assert!(told.iter().all(|(_, text)| !text.contains("secret")), "{told:?}");
    }
}
