//! `COPY (query) TO STDOUT`: rows as lines of text or CSV.
//!
//! The invariant: what is written reads back as the same values, as PostgreSQL writes them.

use bytes::Bytes;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::error::PgError;

/// How rows are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    csv: bool,
    header: bool,
    delimiter: char,
    null: String,
    quote: char,
    escape: char,
    /// Whether every value is quoted but nulls.
    quote_all: bool,
}

/// A `COPY` that is understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Copy {
    /// The query whose rows are written.
    pub(super) sql: String,
    pub(super) shape: Shape,
}

impl Copy {
    /// Reads a statement that begins with COPY.
    pub(super) fn read(sql: &str) -> Result<Self, PgError> {
        let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize_with_location();
        let mut tokens = tokens.map_err(|_error| syntax("COPY (query) TO STDOUT"))?;
        tokens.retain(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF | Token::SemiColon));
        let mut rest = Rest {
            sql,
            tokens: tokens.get(1..).unwrap_or_default(),
        };
        let query = rest.source()?;
        if rest.is("from") {
            return Err(PgError::new(
                "25006",
                "only questions are answered; COPY … FROM would change data, which the command headroom import does",
            ));
        }
        if !rest.is("to") {
            return Err(syntax("TO STDOUT"));
        }
        if !rest.is("stdout") {
            return Err(PgError::new(
                "42501",
                "COPY writes to STDOUT only; psql's \\copy writes files of its own",
            ));
        }
        let shape = rest.options()?;
        Ok(Self { sql: query, shape })
    }
}

/// What is left of a statement.
struct Rest<'a> {
    sql: &'a str,
    tokens: &'a [TokenWithSpan],
}

impl Rest<'_> {
    fn next(&mut self) -> Option<&TokenWithSpan> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn is(&mut self, word: &str) -> bool {
        let is = matches!(self.tokens.first().map(|token| &token.token), Some(Token::Word(next)) if next.value.eq_ignore_ascii_case(word));
        if is {
            self.next();
        }
        is
    }

    fn takes(&mut self, token: &Token) -> bool {
        let is = self.tokens.first().is_some_and(|next| next.token == *token);
        if is {
            self.next();
        }
        is
    }

    /// The query in parentheses, or that of a table.
    fn source(&mut self) -> Result<String, PgError> {
        if self.tokens.first().is_some_and(|token| token.token == Token::LParen) {
            let start = self.next().map(|token| token.span.end).ok_or_else(|| syntax("a query"))?;
            let mut depth = 1;
            while let Some(token) = self.next() {
                match token.token {
                    Token::LParen => depth += 1,
                    Token::RParen => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    let end = token.span.start;
                    let (start, end) = (place(self.sql, start.line, start.column), place(self.sql, end.line, end.column));
                    return Ok(self.sql.get(start..end).unwrap_or_default().trim().to_owned());
                }
            }
            return Err(syntax("a closing parenthesis"));
        }
        let mut table = self.name()?;
        while self.takes(&Token::Period) {
            table = format!("{table}.{}", self.name()?);
        }
        let mut columns = Vec::new();
        if self.takes(&Token::LParen) {
            loop {
                columns.push(self.name()?);
                if self.takes(&Token::RParen) {
                    break;
                }
                if !self.takes(&Token::Comma) {
                    return Err(syntax("a comma or a closing parenthesis"));
                }
            }
        }
        let columns = if columns.is_empty() { "*".to_owned() } else { columns.join(", ") };
        Ok(format!("SELECT {columns} FROM {table}"))
    }

    /// A name as it is written.
    fn name(&mut self) -> Result<String, PgError> {
        match self.next().map(|token| &token.token) {
            Some(Token::Word(word)) => Ok(word.to_string()),
            _ => Err(syntax("a table or a query in parentheses")),
        }
    }

    /// A value of an option.
    fn text(&mut self) -> Result<String, PgError> {
        match self.next().map(|token| &token.token) {
            Some(Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text)) => Ok(text.clone()),
            Some(Token::Word(word)) => Ok(word.value.clone()),
            Some(Token::Number(number, _)) => Ok(number.clone()),
            _ => Err(syntax("a value of an option of COPY")),
        }
    }

    fn letter(&mut self, option: &str) -> Result<char, PgError> {
        let text = self.text()?;
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) if letter.is_ascii() && !matches!(letter, '\n' | '\r') => Ok(letter),
            _ => Err(PgError::new("22023", format!("COPY {option} must be a single one-byte character"))),
        }
    }

    fn truth(&mut self) -> Result<bool, PgError> {
        if matches!(
            self.tokens.first().map(|token| &token.token),
            None | Some(Token::Comma | Token::RParen)
        ) {
            return Ok(true);
        }
        match self.text()?.to_ascii_lowercase().as_str() {
            "true" | "on" | "1" => Ok(true),
            "false" | "off" | "0" => Ok(false),
            other => Err(PgError::new(
                "22023",
                format!("an option of COPY is {other:?}; expected true or false"),
            )),
        }
    }

    fn options(&mut self) -> Result<Shape, PgError> {
        let mut given = Given::default();
        self.is("with");
        let listed = self.takes(&Token::LParen);
        loop {
            if listed && self.takes(&Token::RParen) || self.tokens.is_empty() {
                break;
            }
            self.option(listed, &mut given)?;
            if listed && !self.takes(&Token::Comma) && self.tokens.first().is_none_or(|token| token.token != Token::RParen) {
                return Err(syntax("a comma between options of COPY"));
            }
        }
        if !self.tokens.is_empty() {
            return Err(syntax("the end of COPY"));
        }
        given.shape()
    }

    fn option(&mut self, listed: bool, given: &mut Given) -> Result<(), PgError> {
        let name = self.name()?.to_ascii_lowercase();
        if !listed {
            self.is("as");
        }
        match name.as_str() {
            "csv" if !listed => given.csv = true,
            "binary" if !listed => return Err(no_binary()),
            "format" => match self.text()?.to_ascii_lowercase().as_str() {
                "csv" => given.csv = true,
                "text" => given.csv = false,
                "binary" => return Err(no_binary()),
                other => {
                    return Err(PgError::new(
                        "22023",
                        format!("COPY format {other:?} is not known; there are text and csv"),
                    ));
                }
            },
            "header" => given.header = !listed || self.truth()?,
            "delimiter" | "delimiters" => given.delimiter = Some(self.letter("delimiter")?),
            "null" => given.null = Some(self.text()?),
            "quote" => given.quote = Some(self.letter("quote")?),
            "escape" => given.escape = Some(self.letter("escape")?),
            "encoding" => {
                let encoding = self.text()?;
                if !["utf8", "utf-8", "unicode"].contains(&encoding.to_ascii_lowercase().as_str()) {
                    return Err(PgError::new("0A000", format!("COPY encoding {encoding:?} is not there; UTF8 is")));
                }
            }
            "force_quote" | "force" => {
                self.is("quote");
                if !self.takes(&Token::Mul) {
                    return Err(PgError::new("0A000", "COPY quotes all columns with FORCE_QUOTE *, not single ones"));
                }
                given.quote_all = true;
            }
            other => return Err(PgError::new("42601", format!("option \"{other}\" of COPY is not known"))),
        }
        Ok(())
    }
}

/// Options as they are given.
#[derive(Debug, Default)]
struct Given {
    csv: bool,
    header: bool,
    delimiter: Option<char>,
    null: Option<String>,
    quote: Option<char>,
    escape: Option<char>,
    quote_all: bool,
}

impl Given {
    fn shape(self) -> Result<Shape, PgError> {
        if !self.csv && (self.quote.is_some() || self.escape.is_some() || self.quote_all) {
            return Err(PgError::new("0A000", "COPY quotes and escapes are for the format csv"));
        }
        let quote = self.quote.unwrap_or('"');
        let shape = Shape {
            csv: self.csv,
            header: self.header,
            delimiter: self.delimiter.unwrap_or(if self.csv { ',' } else { '\t' }),
            null: self.null.unwrap_or_else(|| if self.csv { String::new() } else { "\\N".to_owned() }),
            quote,
            escape: self.escape.unwrap_or(quote),
            quote_all: self.quote_all,
        };
        let refused = |what: &str| Err(PgError::new("22023", what.to_owned()));
        if shape.csv && shape.delimiter == shape.quote {
            return refused("COPY delimiter and quote must be different");
        }
        if !shape.csv && (shape.delimiter.is_ascii_alphanumeric() || matches!(shape.delimiter, '\\' | '.')) {
            return refused("COPY delimiter cannot be a letter, a digit, a point or a backslash");
        }
        if shape.null.contains(['\n', '\r']) {
            return refused("COPY null representation cannot have line breaks");
        }
        if shape.null.contains(shape.delimiter) {
            return refused("COPY delimiter must not appear in the NULL specification");
        }
        Ok(shape)
    }
}

impl Shape {
    /// The first line, where one is wanted.
    pub(super) fn head<'a>(&self, names: impl Iterator<Item = &'a str>) -> Option<Bytes> {
        self.header.then(|| self.line(names.map(|name| Some(name.as_bytes()))))
    }

    /// The line of a row that is written as texts for the wire: each value behind its length.
    pub(super) fn row(&self, fields: &[u8]) -> Bytes {
        let mut rest = fields;
        let values = std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
                rest = after;
                return Some(None);
            };
            let (value, after) = after.split_at_checked(length)?;
            rest = after;
            Some(Some(value))
        });
        self.line(values)
    }

    fn line<'a>(&self, values: impl Iterator<Item = Option<&'a [u8]>>) -> Bytes {
        let mut line = Vec::new();
        for (place, value) in values.enumerate() {
            if place > 0 {
                line.push(byte(self.delimiter));
            }
            match value {
                None => line.extend_from_slice(self.null.as_bytes()),
                Some(value) if self.csv => self.quoted(value, &mut line),
                Some(value) => self.escaped(value, &mut line),
            }
        }
        line.push(b'\n');
        Bytes::from(line)
    }

    /// A value of CSV. What would be read as a null, or as the end of all rows, is quoted too.
    fn quoted(&self, value: &[u8], line: &mut Vec<u8>) {
        let (delimiter, quote, escape) = (byte(self.delimiter), byte(self.quote), byte(self.escape));
        let needs = |byte: &u8| *byte == delimiter || *byte == quote || matches!(byte, b'\n' | b'\r');
        if !self.quote_all && !value.iter().any(needs) && value != self.null.as_bytes() && value != b"\\." {
            line.extend_from_slice(value);
            return;
        }
        line.push(quote);
        for byte in value {
            if *byte == quote || *byte == escape {
                line.push(escape);
            }
            line.push(*byte);
        }
        line.push(quote);
    }

    fn escaped(&self, value: &[u8], line: &mut Vec<u8>) {
        for byte in value {
            let letter = match byte {
                b'\\' => b'\\',
                8 => b'b',
                12 => b'f',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                11 => b'v',
                other if char::from(*other) == self.delimiter => *other,
                other => {
                    line.push(*other);
                    continue;
                }
            };
            line.extend([b'\\', letter]);
        }
    }
}

/// A letter of one byte.
fn byte(letter: char) -> u8 {
    u8::try_from(letter).unwrap_or(b'?')
}

/// The index of a line and column.
fn place(sql: &str, line: u64, column: u64) -> usize {
    let mut at = (1, 1);
    for (index, c) in sql.char_indices() {
        if at == (line, column) {
            return index;
        }
        at = if c == '\n' { (at.0 + 1, 1) } else { (at.0, at.1 + 1) };
    }
    sql.len()
}

fn no_binary() -> PgError {
    PgError::new("0A000", "COPY in binary is not there; there are the formats text and csv")
}

fn syntax(expected: &str) -> PgError {
    PgError::new("42601", format!("syntax error in COPY: expected {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sql: &str) -> Copy {
        Copy::read(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    #[test]
    fn queries_and_tables_are_copied() {
        for (sql, query) in [
            ("COPY (SELECT ')' AS \"a)\", f(1)) TO STDOUT", "SELECT ')' AS \"a)\", f(1)"),
            ("copy sessions to stdout", "SELECT * FROM sessions"),
            (
                "COPY public.sessions (user_name, \"host\") TO STDOUT WITH CSV",
                "SELECT user_name, \"host\" FROM public.sessions",
            ),
            ("COPY  ( SELECT 'größe'\n, 2 ) TO STDOUT csv header", "SELECT 'größe'\n, 2"),
        ] {
            assert_eq!(read(sql).sql, query);
        }
        for (sql, code) in [
            ("COPY sessions FROM STDIN", "25006"),
            ("COPY sessions TO '/tmp/x'", "42501"),
            ("COPY sessions TO PROGRAM 'x'", "42501"),
            ("COPY sessions TO STDOUT BINARY", "0A000"),
            ("COPY sessions TO STDOUT (FORMAT binary)", "0A000"),
            ("COPY sessions TO STDOUT (FORMAT xml)", "22023"),
            ("COPY sessions TO STDOUT (DELIMITER 'ab')", "22023"),
            ("COPY sessions TO STDOUT (QUOTE '|')", "0A000"),
            ("COPY sessions TO STDOUT (NONSENSE)", "42601"),
            ("COPY (SELECT 1 TO STDOUT", "42601"),
            ("COPY", "42601"),
        ] {
            match Copy::read(sql) {
                Err(PgError::Told { code: found, .. }) => assert_eq!(found, code, "{sql}"),
                other => panic!("{sql}: {other:?}"),
            }
        }
    }

    fn fields(values: &[Option<&str>]) -> Vec<u8> {
        let mut fields = Vec::new();
        for value in values {
            match value {
                None => fields.extend((-1_i32).to_be_bytes()),
                Some(value) => {
                    fields.extend(i32::try_from(value.len()).unwrap().to_be_bytes());
                    fields.extend(value.as_bytes());
                }
            }
        }
        fields
    }

    /// What PostgreSQL 15 writes.
    #[test]
    fn lines_are_those_of_postgresql() {
        let row = fields(&[
            Some("a,b"),
            None,
            Some(""),
            Some("say \"hi\""),
            Some("tab\tline\n\\"),
            Some("größe"),
        ]);
        let line = |options: &str| String::from_utf8(read(&format!("COPY t TO STDOUT {options}")).shape.row(&row).to_vec()).unwrap();
        assert_eq!(line(""), "a,b\t\\N\t\tsay \"hi\"\ttab\\tline\\n\\\\\tgröße\n");
        assert_eq!(line("CSV"), "\"a,b\",,\"\",\"say \"\"hi\"\"\",\"tab\tline\n\\\",größe\n");
        assert_eq!(
            line("(FORMAT csv, DELIMITER '|', NULL 'nil')"),
            "a,b|nil||\"say \"\"hi\"\"\"|\"tab\tline\n\\\"|größe\n"
        );
        assert_eq!(line("DELIMITER ',' NULL AS ''"), "a\\,b,,,say \"hi\",tab\\tline\\n\\\\,größe\n");
        let quoted = line("(FORMAT csv, FORCE_QUOTE *, QUOTE '''', ESCAPE '\\')");
        assert_eq!(quoted, "'a,b',,'','say \"hi\"','tab\tline\n\\\\','größe'\n");
        let head = read("COPY t TO STDOUT (FORMAT csv, HEADER)")
            .shape
            .head(["a", "b c", "d,e"].into_iter());
        assert_eq!(head.as_deref(), Some(&b"a,b c,\"d,e\"\n"[..]));
        assert_eq!(
            read("COPY t TO STDOUT (FORMAT csv, HEADER false)").shape.head(["a"].into_iter()),
            None
        );
    }
}
