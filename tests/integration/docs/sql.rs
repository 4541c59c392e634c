//! The page of the SQL: every table, column and function, and examples that were run.

use std::fmt::Write as _;

use arrow::datatypes::DataType;
use headroom::engine::public_tables;
use headroom::functions::FUNCTIONS;

use crate::golden;
use crate::support::run_ok;

#[test]
fn the_page_of_the_sql_is_what_tables_and_functions_say_of_themselves() {
    super::is_written("docs/sql.md", &page());
}

#[test]
fn every_example_of_a_function_answers_what_it_shows() {
    let (_folder, store) = golden::store();
    for function in FUNCTIONS {
        let example = function.documentation().unwrap().sql_example.unwrap();
        let (query, answer) = parts(&example);
        assert_eq!(run_ok(&["sql", "--store", &store, query]).trim_end(), answer, "{query}");
    }
}

/// What the page says of questions, with examples.
const QUESTIONS: &str = include_str!("questions.md");

#[test]
fn every_example_of_a_question_answers_what_it_shows() {
    let (_folder, store) = golden::store();
    let blocks: Vec<&str> = QUESTIONS.split("```").collect();
    let queries = blocks.iter().enumerate().filter(|(_, block)| block.starts_with("sql\n"));
    let mut tried = 0;
    for (place, query) in queries {
        let query = query.trim_start_matches("sql\n").trim_end().trim_end_matches(';');
        let answer = blocks[place + 2].trim_start_matches("text\n").trim_end();
        assert_eq!(run_ok(&["sql", "--store", &store, query]).trim_end(), answer, "{query}");
        tried += 1;
    }
    assert!(tried >= 2);
}

/// The query of an example, and what it shows as its answer.
fn parts(example: &str) -> (&str, &str) {
    let (query, answer) = example.split_once(";\n").unwrap();
    (query.strip_prefix("> ").unwrap(), answer)
}

fn page() -> String {
    let mut page = "# SQL\n\nThe tables that reports are made of, and the functions that they call. A test keeps this page equal to what the \
                    program says of itself, and runs every example with `headroom sql` on the sample in `data/`. \
                    `GET /api/v1/reports/{name}/sql` is the SQL of a report, to start a query from.\n\nInstants are microseconds in UTC; texts that \
                    are not known are null. Intervals are half-open: they hold their start and not their end.\n\n## Tables\n"
        .to_owned();
    for table in public_tables() {
        writeln!(page, "\n### {}\n\n{}.\n", table.name, capitalised(table.meaning)).unwrap();
        page.push_str("| column | type | null | meaning |\n|---|---|---|---|\n");
        for column in &table.columns {
            let kind = sql_type(column.field.data_type());
            let null = if column.field.is_nullable() { "may be" } else { "never" };
            writeln!(page, "| `{}` | {kind} | {null} | {} |", column.field.name(), column.meaning).unwrap();
        }
    }
    page.push_str(QUESTIONS);
    page.push_str("\n## Functions\n\nBesides those of DataFusion.\n");
    for function in FUNCTIONS {
        let told = function.documentation().unwrap();
        let (query, answer) = told.sql_example.as_deref().map(parts).unwrap();
        writeln!(
            page,
            "\n### {}\n\n`{}`\n\n{}\n",
            function.name(),
            told.syntax_example,
            told.description
        )
        .unwrap();
        page.push_str("| argument | is |\n|---|---|\n");
        for (name, meaning) in told.arguments.unwrap() {
            writeln!(page, "| `{name}` | {meaning} |").unwrap();
        }
        writeln!(page, "\n```sql\n{query};\n```\n\n```text\n{answer}\n```").unwrap();
    }
    page
}

fn capitalised(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

fn sql_type(kind: &DataType) -> &'static str {
    match kind {
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP WITH TIME ZONE",
        DataType::Dictionary(_, _) | DataType::Utf8 => "TEXT",
        DataType::Int32 => "INTEGER",
        DataType::Int64 => "BIGINT",
        DataType::Boolean => "BOOLEAN",
        DataType::Date32 => "DATE",
        kind => panic!("what is {kind} in SQL?"),
    }
}
