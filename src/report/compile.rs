//! SQL to plans with placeholders.
//!
//! The planner must know the type of every placeholder. Parameters have types, so each `$name` becomes `CAST($name AS type)` in
//! the syntax tree; once a value of that type is bound, nothing is left of the cast.

use std::ops::ControlFlow;

use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{CastKind, DataType as SqlType, Expr, TimezoneInfo, Value as SqlValue, visit_expressions_mut};

use super::{Param, ParamType, ReportError};
use crate::engine::Engine;

/// Compiles the SQL of a report or relation.
pub(super) fn compile(engine: &Engine, name: &str, sql: &str, params: &[Param]) -> Result<LogicalPlan, ReportError> {
    let wrong = |reason: String| ReportError::Definition {
        report: name.to_owned(),
        reason,
    };
    let mut statements = DFParserBuilder::new(sql)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| wrong(error.to_string()))?;
    let (Some(Statement::Statement(mut statement)), true) = (statements.pop_front(), statements.is_empty()) else {
        return Err(wrong("is not one query".to_owned()));
    };
    let unknown = visit_expressions_mut(&mut statement, |expression| {
        let Expr::Value(value) = expression else {
            return ControlFlow::Continue(());
        };
        let SqlValue::Placeholder(placeholder) = &value.value else {
            return ControlFlow::Continue(());
        };
        match type_of(placeholder.trim_start_matches('$'), params) {
            Some(Some(data_type)) => {
                *expression = Expr::Cast {
                    kind: CastKind::Cast,
                    expr: Box::new(expression.clone()),
                    data_type,
                    format: None,
                    array: false,
                };
                // The placeholder inside is visited no more: its parent was this very expression.
                ControlFlow::Continue(())
            }
            Some(None) => ControlFlow::Continue(()),
            None => ControlFlow::Break(placeholder.clone()),
        }
    });
    if let ControlFlow::Break(unknown) = unknown {
        return Err(wrong(format!("uses {unknown}, which is no parameter")));
    }
    let plan = engine.compile(Statement::Statement(statement));
    plan.map_err(|error| wrong(error.to_string()))
}

/// The SQL type of a placeholder; none for a set, nothing for a placeholder that there is not.
pub(super) fn type_of(name: &str, params: &[Param]) -> Option<Option<SqlType>> {
    let kind = match name {
        "from" | "until" => return Some(Some(SqlType::Timestamp(Some(6), TimezoneInfo::WithTimeZone))),
        "server" => return Some(None),
        "tz" => ParamType::Zone,
        _ => params.iter().find(|param| param.name == name)?.kind,
    };
    Some(match kind {
        ParamType::Features => None,
        ParamType::Date => Some(SqlType::Date),
        ParamType::Boolean | ParamType::Direction => Some(SqlType::Boolean),
        ParamType::Count | ParamType::Offset => Some(SqlType::BigInt(None)),
        _ => Some(SqlType::Text),
    })
}
