//! What a text asks for: questions for the engine, and the words about sessions that drivers say around them.
//!
//! The invariant: whatever is not known here is a question, and the engine refuses what is none.

use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::copy::{Copy, Shape};
use super::error::PgError;

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Nothing at all.
    Empty,
    /// A question for the engine, and what its answer is called.
    Question {
        sql: String,
        tag: &'static str,
    },
    Begin(&'static str),
    Commit,
    Rollback,
    /// Points in a transaction, of which nothing is kept.
    Savepoint(&'static str),
    RollbackTo,
    Set {
        name: String,
        /// Nothing for its default.
        value: Option<String>,
    },
    Reset {
        /// Nothing for all.
        name: Option<String>,
    },
    Show {
        name: String,
    },
    /// Forgets statements.
    Deallocate {
        /// Nothing for all.
        name: Option<String>,
    },
    /// Forgets everything.
    Discard {
        all: bool,
    },
    Declare {
        name: String,
        /// Whether it outlives its transaction.
        hold: bool,
        sql: String,
    },
    Fetch {
        name: String,
        /// Nothing for all.
        rows: Option<u64>,
    },
    CloseCursor {
        /// Nothing for all.
        name: Option<String>,
    },
    /// Rows of a question as lines.
    Copy {
        sql: String,
        shape: Shape,
    },
    /// What has no effect here.
    Nothing(&'static str),
}

/// The statements of a text, one by one.
pub(super) fn split(sql: &str) -> Vec<&str> {
    let Some(tokens) = tokens(sql) else {
        // Whoever parses it tells what is wrong.
        return vec![sql];
    };
    let mut ends = tokens
        .iter()
        .filter(|token| token.token == Token::SemiColon)
        .map(|token| (token.span.start.line, token.span.start.column))
        .peekable();
    let mut statements = Vec::new();
    let (mut line, mut column, mut start) = (1, 1, 0);
    for (at, c) in sql.char_indices() {
        if ends.next_if_eq(&(line, column)).is_some() {
            statements.push(&sql[start..at]);
            start = at + 1;
        }
        if c == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
    }
    statements.push(&sql[start..]);
    statements.retain(|statement| !words(statement).is_some_and(|words| words.is_empty()));
    statements
}

fn tokens(sql: &str) -> Option<Vec<TokenWithSpan>> {
    Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize_with_location().ok()
}

/// The tokens of a statement that mean something.
fn words(sql: &str) -> Option<Vec<TokenWithSpan>> {
    let mut tokens = tokens(sql)?;
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF | Token::SemiColon));
    Some(tokens)
}

impl Command {
    /// What a single statement asks for.
    pub(super) fn read(sql: &str) -> Result<Self, PgError> {
        let question = |tag| Self::Question { sql: sql.to_owned(), tag };
        let Some(tokens) = words(sql) else {
            return Ok(question("SELECT"));
        };
        let mut said = Said { tokens: &tokens };
        let Some(first) = said.word() else {
            return Ok(if tokens.is_empty() { Self::Empty } else { question("SELECT") });
        };
        match first.as_str() {
            "begin" => Ok(Self::Begin("BEGIN")),
            "start" if said.is("transaction") => Ok(Self::Begin("START TRANSACTION")),
            "commit" | "end" => Ok(Self::Commit),
            "rollback" | "abort" => {
                said.is("work");
                said.is("transaction");
                Ok(if said.is("to") { Self::RollbackTo } else { Self::Rollback })
            }
            "savepoint" => Ok(Self::Savepoint("SAVEPOINT")),
            "release" => Ok(Self::Savepoint("RELEASE")),
            "set" => said.set(),
            "reset" => {
                let name = said.setting()?;
                Ok(Self::Reset {
                    name: (name != "all").then_some(name),
                })
            }
            "show" => said.show().map_or_else(|| Ok(question("SHOW")), Ok),
            "explain" | "describe" | "desc" => Ok(question("EXPLAIN")),
            "deallocate" => {
                said.is("prepare");
                Ok(Self::Deallocate { name: said.name_or_all()? })
            }
            "discard" => Ok(Self::Discard { all: said.is("all") }),
            "declare" => said.declare(sql),
            "fetch" => said.fetch(),
            "close" => Ok(Self::CloseCursor { name: said.name_or_all()? }),
            "copy" => Copy::read(sql).map(|copy| Self::Copy {
                sql: copy.sql,
                shape: copy.shape,
            }),
            "unlisten" => Ok(Self::Nothing("UNLISTEN")),
            _ => Ok(question("SELECT")),
        }
    }
}

impl Command {
    /// The part of its statement that is a question for the engine; all of it where there is none.
    pub(super) fn question_in<'a>(&self, statement: &'a str) -> &'a str {
        let (Self::Declare { sql, .. } | Self::Copy { sql, .. }) = self else {
            return statement;
        };
        let start = statement.find(sql.as_str());
        start.and_then(|start| statement.get(start..start + sql.len())).unwrap_or(statement)
    }
}

/// What is left of a statement.
struct Said<'a> {
    tokens: &'a [TokenWithSpan],
}

impl Said<'_> {
    fn next(&mut self) -> Option<&Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(&first.token)
    }

    /// A name: small, unless it is quoted.
    fn word(&mut self) -> Option<String> {
        match &self.tokens.first()?.token {
            Token::Word(word) => {
                let word = match word.quote_style {
                    Some(_) => word.value.clone(),
                    None => word.value.to_lowercase(),
                };
                self.next();
                Some(word)
            }
            _ => None,
        }
    }

    /// Whether this word is next; if so it is passed.
    fn is(&mut self, expected: &str) -> bool {
        let mut ahead = Said { tokens: self.tokens };
        let is = ahead.word().is_some_and(|word| word == expected);
        if is {
            self.tokens = ahead.tokens;
        }
        is
    }

    fn name(&mut self) -> Result<String, PgError> {
        self.word().ok_or_else(|| syntax("a name"))
    }

    fn name_or_all(&mut self) -> Result<Option<String>, PgError> {
        if self.is("all") { Ok(None) } else { self.name().map(Some) }
    }

    /// The name of a setting: `application_name`, `my.own`, `TIME ZONE`.
    fn setting(&mut self) -> Result<String, PgError> {
        let mut name = self.name()?;
        if name == "time" && self.is("zone") {
            return Ok("timezone".to_owned());
        }
        while self.tokens.first().is_some_and(|token| token.token == Token::Period) {
            self.next();
            name = format!("{name}.{}", self.name()?);
        }
        // Settings have no large letters, however they are quoted.
        Ok(name.to_lowercase())
    }

    fn set(&mut self) -> Result<Command, PgError> {
        if self.is("session") {
            if self.is("characteristics") {
                return Ok(Command::Nothing("SET"));
            }
        } else {
            self.is("local");
        }
        if self.is("transaction") {
            return Ok(Command::Nothing("SET"));
        }
        let mut name = self.setting()?;
        if name == "names" {
            "client_encoding".clone_into(&mut name);
        } else if name != "timezone" || !matches!(self.tokens.first().map(|token| &token.token), Some(Token::SingleQuotedString(_))) {
            let assigned = self.is("to") || {
                let is = self.tokens.first().is_some_and(|token| token.token == Token::Eq);
                if is {
                    self.next();
                }
                is
            };
            if !assigned && name != "timezone" {
                return Err(syntax("TO or ="));
            }
        }
        let mut value = String::new();
        while let Some(token) = self.next() {
            match token {
                Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => value.push_str(text),
                Token::Comma => value.push_str(", "),
                Token::Word(word) => value.push_str(&word.value),
                token => value.push_str(&token.to_string()),
            }
        }
        if value.is_empty() && name == "client_encoding" {
            return Err(syntax("a value"));
        }
        let is_default = value.eq_ignore_ascii_case("default") || name == "timezone" && value.eq_ignore_ascii_case("local");
        let value = (!is_default).then_some(value);
        Ok(Command::Set { name, value })
    }

    /// A setting that is shown; nothing where tables or the like are.
    fn show(&mut self) -> Option<Command> {
        let tables = ["tables", "columns", "functions", "create", "databases", "schemas", "views"];
        let mut ahead = Said { tokens: self.tokens };
        let first = ahead.word()?;
        if tables.contains(&first.as_str()) || matches!(first.as_str(), "full" | "extended") {
            return None;
        }
        if first == "transaction" && ahead.is("isolation") {
            return Some(Command::Show {
                name: "transaction_isolation".to_owned(),
            });
        }
        if first == "session" && ahead.is("authorization") {
            return Some(Command::Show {
                name: "session_authorization".to_owned(),
            });
        }
        let name = self.setting().ok()?;
        Some(Command::Show { name })
    }

    fn declare(&mut self, sql: &str) -> Result<Command, PgError> {
        let name = self.name()?;
        let mut hold = false;
        loop {
            if self.is("with") {
                hold = self.is("hold") || hold;
            } else if self.is("for") {
                break;
            } else if self.is("scroll") {
                return Err(PgError::new("0A000", "cursors go forward only"));
            } else if self.is("no") || self.is("without") {
                self.next();
            } else if !["binary", "insensitive", "asensitive", "cursor"].iter().any(|word| self.is(word)) {
                return Err(syntax("DECLARE name [NO SCROLL] CURSOR [WITH HOLD] FOR a query"));
            }
        }
        let Some(first) = self.tokens.first() else {
            return Err(syntax("a query"));
        };
        let (line, column) = (first.span.start.line, first.span.start.column);
        let sql = from(sql, line, column).to_owned();
        Ok(Command::Declare { name, hold, sql })
    }

    fn fetch(&mut self) -> Result<Command, PgError> {
        if ["prior", "first", "last", "absolute", "relative", "backward"]
            .iter()
            .any(|word| self.is(word))
        {
            return Err(PgError::new("0A000", "cursors go forward only"));
        }
        let mut rows = Some(1);
        if !self.is("next") {
            self.is("forward");
            if self.is("all") {
                rows = None;
            } else if let Some(Token::Number(number, _)) = self.tokens.first().map(|token| &token.token) {
                rows = Some(number.parse().map_err(|_error| syntax("a number of rows"))?);
                self.next();
            } else if self.tokens.first().is_some_and(|token| token.token == Token::Minus) {
                return Err(PgError::new("0A000", "cursors go forward only"));
            }
        }
        if !self.is("from") {
            self.is("in");
        }
        Ok(Command::Fetch { name: self.name()?, rows })
    }
}

/// A text from a place on.
fn from(sql: &str, line: u64, column: u64) -> &str {
    let mut at = (1, 1);
    for (index, c) in sql.char_indices() {
        if at == (line, column) {
            return &sql[index..];
        }
        at = if c == '\n' { (at.0 + 1, 1) } else { (at.0, at.1 + 1) };
    }
    ""
}

fn syntax(expected: &str) -> PgError {
    PgError::new("42601", format!("syntax error: expected {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sql: &str) -> Command {
        Command::read(sql).unwrap()
    }

    #[test]
    fn statements_end_where_they_end() {
        let sql = "SELECT ';' AS \"a;b\", $$;$$ -- ; \n /* ; /* ; */ */ ; ; SELECT 'größe\n;'; SELECT 2 -- the end";
        let split = split(sql);
        assert_eq!(split.len(), 3, "{split:?}");
        assert_eq!(split[1], " SELECT 'größe\n;'");
        assert_eq!(super::split("  -- nothing\n ;; "), Vec::<&str>::new());
        // What is no SQL is left to whoever parses it.
        assert_eq!(super::split("SELECT 'open; SELECT 2"), ["SELECT 'open; SELECT 2"]);
    }

    #[test]
    fn words_about_sessions_are_known() {
        let set = |name: &str, value: &str| Command::Set {
            name: name.to_owned(),
            value: Some(value.to_owned()),
        };
        assert_eq!(read("SET application_name = 'psql; x'"), set("application_name", "psql; x"));
        assert_eq!(read("set session DateStyle TO ISO, MDY"), set("datestyle", "ISO, MDY"));
        assert_eq!(read("SET LOCAL statement_timeout=5000"), set("statement_timeout", "5000"));
        assert_eq!(read("SET TIME ZONE 'UTC'"), set("timezone", "UTC"));
        assert_eq!(read("SET TimeZone='UTC'"), set("timezone", "UTC"));
        assert_eq!(read("SET NAMES 'UTF8'"), set("client_encoding", "UTF8"));
        assert_eq!(read("SET extra_float_digits = -3"), set("extra_float_digits", "-3"));
        assert_eq!(
            read("SET search_path TO DEFAULT"),
            Command::Set {
                name: "search_path".to_owned(),
                value: None
            }
        );
        assert_eq!(
            read("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"),
            Command::Nothing("SET")
        );
        assert!(Command::read("SET application_name 'x'").is_err());
        assert_eq!(read(" /* hello */ begin isolation level serializable"), Command::Begin("BEGIN"));
        assert_eq!(read("ROLLBACK TO SAVEPOINT a"), Command::RollbackTo);
        assert_eq!(read("rollback work"), Command::Rollback);
        assert_eq!(read("show transaction isolation level"), read("SHOW transaction_isolation"));
        assert_eq!(read("RESET ALL"), Command::Reset { name: None });
        assert_eq!(
            read("DEALLOCATE PREPARE \"A\""),
            Command::Deallocate {
                name: Some("A".to_owned())
            }
        );
        assert_eq!(read(""), Command::Empty);
        for question in [
            "SHOW TABLES",
            "(SELECT 1)",
            "SELECT 1",
            "DELETE FROM events",
            "WITH a AS (SELECT 1) TABLE a",
            "SELECT 'open",
        ] {
            assert!(matches!(read(question), Command::Question { .. }), "{question}");
        }
    }

    #[test]
    fn cursors_go_forward() {
        let declared = read("DECLARE \"c 1\" NO SCROLL CURSOR WITHOUT HOLD FOR\n SELECT 'ä', 1");
        assert_eq!(
            declared,
            Command::Declare {
                name: "c 1".to_owned(),
                hold: false,
                sql: "SELECT 'ä', 1".to_owned()
            }
        );
        assert!(matches!(
            read("DECLARE c CURSOR WITH HOLD FOR SELECT 1"),
            Command::Declare { hold: true, .. }
        ));
        let fetch = |rows| Command::Fetch {
            name: "c".to_owned(),
            rows,
        };
        assert_eq!(read("FETCH FORWARD 100 FROM c"), fetch(Some(100)));
        assert_eq!(read("FETCH c"), fetch(Some(1)));
        assert_eq!(read("fetch all in c"), fetch(None));
        assert!(Command::read("FETCH BACKWARD 1 FROM c").is_err() && Command::read("DECLARE c SCROLL CURSOR FOR SELECT 1").is_err());
    }
}
