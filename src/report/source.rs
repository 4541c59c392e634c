//! The SQL of a report as somebody wants it who starts a query of their own from it.
//!
//! It runs as it stands where SQL is answered: what stands for parameters has types and values to try, told at the top. What only a
//! report knows is spelled out: the servers that may be seen are those that there are.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use serde_json::{Map, Value, json};

use super::compile::type_of;
use super::{Definition, Param, ParamType, ReportError};
use crate::time::{Day, Zone, rfc3339};

/// 2026-03-01 and 2026-03-31: days to try.
const EXAMPLE: (Day, Day) = (Day(20_513), Day(20_543));

/// A placeholder, and what is told of it.
struct Told {
    name: String,
    kind: String,
    example: Value,
    meaning: String,
}

/// The SQL of a report, for a store of this zone.
pub(super) fn source(definition: &Definition, zone: Zone) -> Result<String, ReportError> {
    let wrong = |reason: String| ReportError::Definition {
        report: definition.name.clone(),
        reason,
    };
    let tokens = Tokenizer::new(&GenericDialect {}, definition.sql.trim_end()).tokenize();
    let mut told: Vec<Told> = Vec::new();
    let mut body = String::new();
    for token in tokens.map_err(|error| wrong(error.to_string()))? {
        match token {
            // A table has the rows that its reader may see, and no others.
            Token::Placeholder(name) if name == "$server" => body.push_str("SELECT server_id FROM servers"),
            Token::Placeholder(name) => {
                let name = name.trim_start_matches('$');
                let known = tell(name, definition, zone).ok_or_else(|| wrong(format!("uses ${name}, which is no parameter")))?;
                body.push_str(&format!("CAST(${name} AS {})", known.kind));
                if told.iter().all(|told| told.name != name) {
                    told.push(known);
                }
            }
            token => body.push_str(&token.to_string()),
        }
    }
    let order = definition.order.join(", ");
    Ok(format!("{}{body}\nORDER BY {order}\n", head(definition, &told)))
}

/// What is told at the top: the report, its placeholders, and values for all of them at once.
fn head(definition: &Definition, told: &[Told]) -> String {
    let mut head = format!("-- {}: {}\n", definition.title, definition.summary);
    if told.is_empty() {
        return head;
    }
    head.push_str("--\n");
    let width = |of: fn(&Told) -> usize| told.iter().map(of).max().unwrap_or(0);
    let (names, kinds) = (width(|told| told.name.len()), width(|told| told.kind.len()));
    let examples = width(|told| told.example.to_string().len());
    for Told {
        name,
        kind,
        example,
        meaning,
    } in told
    {
        let example = example.to_string();
        head.push_str(&format!("-- ${name:names$}  {kind:kinds$}  {example:examples$}  {meaning}\n"));
    }
    let all: Map<String, Value> = told.iter().map(|told| (told.name.clone(), told.example.clone())).collect();
    head.push_str(&format!("--\n-- {}\n", Value::Object(all)));
    head
}

fn tell(name: &str, definition: &Definition, zone: Zone) -> Option<Told> {
    let start = |day: Day| json!(rfc3339(zone.start_of(day)));
    let param = definition.params.iter().find(|param| param.name == name);
    let (example, meaning) = match name {
        "from" => (start(EXAMPLE.0), "the first instant of the first day".to_owned()),
        "until" => (start(EXAMPLE.1.next()), "the first instant after the last day".to_owned()),
        "tz" => (json!(zone.name()), "zone of days and hours".to_owned()),
        _ => (example(name, param?), param?.summary.clone()),
    };
    let (kind, meaning) = match type_of(name, &definition.params)? {
        Some(kind) => (kind.to_string(), meaning),
        None => (
            "INTEGER".to_owned(),
            "the number of a feature, as in `features`; for several, write their numbers in its place".to_owned(),
        ),
    };
    Some(Told {
        name: name.to_owned(),
        kind,
        example,
        meaning,
    })
}

/// A value to try: the default, nothing where nothing need be said, else one that fits.
fn example(name: &str, param: &Param) -> Value {
    match (param.kind, &param.default) {
        (ParamType::Boolean, Some(default)) => json!(super::param::truth(default)),
        (_, Some(default)) => json!(default),
        (ParamType::Date, _) if name == "ed" => json!(EXAMPLE.1.to_string()),
        (ParamType::Date, _) => json!(EXAMPLE.0.to_string()),
        _ if !param.required => Value::Null,
        (ParamType::Features, _) => json!(1),
        (ParamType::Time, _) => json!("09:00"),
        (ParamType::ClosingTime, _) => json!("17:00"),
        (ParamType::Granularity, _) => json!("DAY"),
        (ParamType::Boolean, _) => json!(true),
        (ParamType::Count | ParamType::Offset, _) => json!(1),
        (ParamType::Enumeration, _) => json!(param.values.first()),
        _ => json!(""),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    fn of(name: &str) -> String {
        let definitions = Catalog::definitions().unwrap();
        let definition = definitions.iter().find(|definition| definition.name == name).unwrap();
        source(definition, "Europe/Berlin".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_report_is_told_with_its_parameters_and_in_its_order() {
        assert_eq!(
            of("denials"),
            r#"-- Denials: Every refused checkout of a feature: when, how many licenses, who, on which host.
--
-- $feature  INTEGER                      1                       the number of a feature, as in `features`; for several, write their numbers in its place
-- $from     TIMESTAMP(6) WITH TIME ZONE  "2026-02-28T23:00:00Z"  the first instant of the first day
-- $until    TIMESTAMP(6) WITH TIME ZONE  "2026-03-31T22:00:00Z"  the first instant after the last day
-- $true     BOOLEAN                      null                    only true denials, where the user went without (1), or only others (0)
-- $reason   TEXT                         null                    only denials of this class
--
-- {"feature":1,"from":"2026-02-28T23:00:00Z","reason":null,"true":null,"until":"2026-03-31T22:00:00Z"}
SELECT
    feature_id AS fid,
    at AS ldt,
    licenses AS ldtc,
    user_name AS un,
    host AS hn,
    reason_class AS drc,
    CASE
        WHEN reason_code IS NULL THEN CAST(reason AS TEXT)
        WHEN reason IS NULL OR reason = '' THEN CAST(reason_code AS TEXT)
        ELSE concat(CAST(reason AS TEXT), ' (', CAST(reason_code AS TEXT), ')')
    END AS dmsg,
    is_true AS dtrue
FROM denials
WHERE feature_id IN (CAST($feature AS INTEGER))
    AND at >= CAST($from AS TIMESTAMP(6) WITH TIME ZONE) AND at < CAST($until AS TIMESTAMP(6) WITH TIME ZONE)
    AND (CAST($true AS BOOLEAN) IS NULL OR is_true = CAST($true AS BOOLEAN))
    AND (CAST($reason AS TEXT) IS NULL OR reason_class = CAST($reason AS TEXT))
ORDER BY ldt, un, hn, ldtc
"#
        );
    }

    #[test]
    fn comments_and_lines_of_a_report_stay_and_no_set_of_servers_is_left() {
        let text = of("users-count");
        assert!(
            text.contains("\n-- When who was active: held a license, or was denied one.\nactive AS (\n"),
            "{text}"
        );
        assert!(text.contains("WHERE server_id IN (SELECT server_id FROM servers)\n"), "{text}");
        assert!(!text.contains("$server") && text.contains("\"model\":\"2013\""), "{text}");
    }
}
