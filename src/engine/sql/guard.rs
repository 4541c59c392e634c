//! What is too much to be planned: told before anything recurses over it.
//!
//! A planner walks over expressions by recursion: `a OR b OR c …` is as deep as it is long, and a stack has an end. So is a long
//! `UNION`. What is counted here is every token that may make a plan deeper, in a pass that does not recurse itself.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::super::EngineError;

/// How long SQL may be.
pub(super) const MOST_BYTES: usize = 64 * 1024;
/// How many operators, joins and the like it may have.
pub(super) const MOST_STEPS: usize = 1000;
/// How many expressions a list may have.
pub(super) const MOST_ITEMS: usize = 2000;
/// How many tables may be joined; their order is searched for.
pub(super) const MOST_JOINS: usize = 50;
/// How deep parentheses may be.
pub(super) const MOST_DEPTH: usize = 100;

/// Refuses what is too much.
pub(super) fn check(sql: &str) -> Result<(), EngineError> {
    if sql.len() > MOST_BYTES {
        return Err(EngineError::TooLong {
            bytes: sql.len(),
            most: MOST_BYTES,
        });
    }
    let tokens = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize()
        .map_err(|error| EngineError::Refused(super::complaint::syntax(&error.to_string())))?;
    let (mut steps, mut joins) = (0, 0);
    // Items of the lists that are open.
    let mut lists = vec![0_usize];
    for token in &tokens {
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                lists.push(0);
                steps += usize::from(!matches!(token, Token::LParen));
                at_most("parentheses within each other", lists.len() - 1, MOST_DEPTH)?;
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                if lists.len() > 1 {
                    lists.pop();
                }
            }
            Token::Comma => {
                if let Some(items) = lists.last_mut() {
                    *items += 1;
                    at_most("items in a list", *items + 1, MOST_ITEMS)?;
                }
            }
            Token::Word(word) => {
                joins += usize::from(word.keyword == Keyword::JOIN);
                steps += usize::from(is_step(word.keyword));
            }
            token => steps += usize::from(!is_plain(token)),
        }
    }
    at_most("operators", steps, MOST_STEPS)?;
    at_most("joins", joins, MOST_JOINS)
}

fn at_most(what: &str, count: usize, most: usize) -> Result<(), EngineError> {
    if count <= most {
        return Ok(());
    }
    Err(EngineError::Refused(format!(
        "the SQL has too many {what}: {count}; at most {most} are accepted"
    )))
}

/// Whether a word makes a plan deeper.
const fn is_step(word: Keyword) -> bool {
    matches!(
        word,
        Keyword::AND
            | Keyword::OR
            | Keyword::XOR
            | Keyword::NOT
            | Keyword::IS
            | Keyword::IN
            | Keyword::LIKE
            | Keyword::ILIKE
            | Keyword::SIMILAR
            | Keyword::BETWEEN
            | Keyword::COLLATE
            | Keyword::AT
            | Keyword::DIV
            | Keyword::OVERLAPS
            | Keyword::UNION
            | Keyword::EXCEPT
            | Keyword::INTERSECT
            | Keyword::MINUS
            | Keyword::JOIN
            | Keyword::LATERAL
            | Keyword::SELECT
            | Keyword::VALUES
            | Keyword::CASE
            | Keyword::WHEN
            | Keyword::INTERVAL
            | Keyword::OVER
            | Keyword::PIVOT
            | Keyword::UNPIVOT
            | Keyword::EXPLAIN
    )
}

/// Whether a token makes no plan deeper.
const fn is_plain(token: &Token) -> bool {
    matches!(
        token,
        Token::EOF
            | Token::Whitespace(_)
            | Token::Number(..)
            | Token::Placeholder(_)
            | Token::SemiColon
            | Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::HexStringLiteral(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(sql: &str) -> String {
        check(sql).unwrap_err().to_string()
    }

    #[test]
    fn chains_are_counted_whatever_they_are_made_of() {
        for link in [
            " or a",
            " and a",
            "+a",
            "-a",
            "*a",
            "/a",
            "%a",
            "||a",
            "::int",
            " is null",
            "[1]",
            ".a",
            "->'a'",
            "^a",
            " = a",
            " collate a",
            " union all select a",
            " not in (a)",
            " at time zone 'UTC'",
            " <> a",
            " & a",
            " << a",
            " like a",
            " between a and a",
        ] {
            let sql = format!("select a{}", link.repeat(MOST_STEPS + 1));
            assert!(
                matches!(refused(&sql).as_str(), text if text.contains("too many")),
                "{link}: {sql:.80}"
            );
            assert!(check(&format!("select a{}", link.repeat(100))).is_ok(), "{link}");
        }
    }

    #[test]
    fn lists_joins_and_depth_have_limits() {
        assert!(refused(&format!("select a in (1{})", ",1".repeat(MOST_ITEMS))).contains("items in a list: 2001"));
        assert!(check(&format!("select a in (1{})", ",1".repeat(MOST_ITEMS - 1))).is_ok());
        assert!(refused(&format!("select {}1{}", "(".repeat(101), ")".repeat(101))).contains("parentheses"));
        assert!(refused(&format!("select * from a{}", " join a on true".repeat(51))).contains("joins: 51"));
        // Lists beside each other are no long list.
        assert!(check(&format!("select 1{}", ", f(1, 2, 3)".repeat(900))).is_ok());
        // A stray parenthesis is the parser's business.
        assert!(check("select )))").is_ok());
    }

    #[test]
    fn texts_are_no_operators() {
        assert!(check(&format!("select '{}'", "or+".repeat(5000))).is_ok());
        assert!(check(&format!("select 1 -- {}", "or ".repeat(5000))).is_ok());
        assert_eq!(
            refused("select 'open"),
            "syntax error: unterminated string literal (line 1, column 8)"
        );
    }

    #[test]
    fn long_texts_are_not_even_read() {
        let error = check(&" ".repeat(MOST_BYTES + 1)).unwrap_err();
        assert!(matches!(
            error,
            EngineError::TooLong {
                bytes: 65_537,
                most: MOST_BYTES
            }
        ));
        assert!(check(&" ".repeat(MOST_BYTES)).is_ok());
    }
}
