//! SQL as PostgreSQL writes it, in the words that the engine plans.
//!
//! `at AT TIME ZONE z` becomes `timezone(z, at)`, since the engine's own plan of it keeps the instant where PostgreSQL gives the wall
//! clock. Columns without a name of their own get one where the engine would give two the same and refuse the query. The invariant:
//! what is rewritten means what PostgreSQL says that it means.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName, Select,
    SelectItem, SetExpr, UnaryOperator, Value, VisitMut as _, VisitorMut,
};

use super::any_of;

/// Rewrites a statement.
pub(super) fn rewrite(statement: &mut Statement) {
    match statement {
        Statement::Statement(statement) => {
            let ControlFlow::Continue(()) = statement.visit(&mut Spelling);
        }
        Statement::Explain(explained) => rewrite(&mut explained.statement),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => {}
    }
}

struct Spelling;

impl VisitorMut for Spelling {
    type Break = std::convert::Infallible;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        name_columns(&mut select.projection);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Self::Break> {
        let rewritten = match expression {
            Expr::AtTimeZone { timestamp, time_zone } => call("timezone", arguments([&**time_zone, &**timestamp])),
            Expr::AnyOp {
                left,
                compare_op: BinaryOperator::Eq,
                right,
                ..
            } if !is_query(right) => call(any_of::NAME, arguments([&**right, &**left])),
            Expr::AllOp {
                left,
                compare_op: BinaryOperator::NotEq,
                right,
            } if !is_query(right) => Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr: Box::new(call(any_of::NAME, arguments([&**right, &**left]))),
            },
            // The translator's words for the same.
            Expr::Function(function) if function.name.to_string() == "array_contains" => match &function.args {
                FunctionArguments::List(list) => match &list.args[..] {
                    [
                        FunctionArg::Unnamed(FunctionArgExpr::Expr(list)),
                        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)),
                    ] if is_given(list) => call(any_of::NAME, arguments([list, value])),
                    _ => return ControlFlow::Continue(()),
                },
                _ => return ControlFlow::Continue(()),
            },
            _ => return ControlFlow::Continue(()),
        };
        *expression = rewritten;
        ControlFlow::Continue(())
    }
}

fn arguments<const N: usize>(expressions: [&Expr; N]) -> Vec<FunctionArg> {
    let argument = |expression: &Expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expression.clone()));
    expressions.into_iter().map(argument).collect()
}

fn is_query(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) => is_query(inner),
        expression => matches!(expression, Expr::Subquery(_)),
    }
}

/// Whether a list is given with the query: a parameter, or one that is written out.
fn is_given(list: &Expr) -> bool {
    match list {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => is_given(inner),
        Expr::Array(_) => true,
        Expr::Value(value) => matches!(value.value, Value::Placeholder(_)),
        _ => false,
    }
}

/// The call of a function.
pub(super) fn call(name: &str, args: Vec<FunctionArg>) -> Expr {
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args,
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// Names columns that PostgreSQL names after a column or function inside of a cast, and those that say the same as one before.
fn name_columns(items: &mut [SelectItem]) {
    let mut taken: BTreeSet<String> = items.iter().filter_map(own_name).collect();
    let has_wildcard = items
        .iter()
        .any(|item| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)));
    let mut said = BTreeSet::new();
    let mut columns: Vec<Vec<String>> = Vec::new();
    for item in items {
        let SelectItem::UnnamedExpr(expression) = item else {
            continue;
        };
        let text = expression.to_string();
        let repeated = !said.insert(text.clone()) || is_known_column(&mut columns, expression);
        // A plain column keeps its table, which tells it from another of the same name.
        let is_column = matches!(expression, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        let wanted = match wanted_name(expression) {
            Some(_) if is_column && !repeated => continue,
            Some(name) => name,
            None if repeated => text.clone(),
            None => {
                taken.insert(text);
                continue;
            }
        };
        // Nobody knows here what a wildcard brings.
        let wanted = if has_wildcard && !is_column { text } else { wanted };
        let (mut name, mut count) = (wanted.clone(), 1);
        while taken.contains(&name) {
            count += 1;
            name = format!("{wanted}_{count}");
        }
        taken.insert(name.clone());
        *item = SelectItem::ExprWithAlias {
            expr: expression.clone(),
            alias: Ident::with_quote('"', name),
        };
    }
}

/// Whether an expression is a column that was said before, perhaps with its table.
fn is_known_column(known: &mut Vec<Vec<String>>, expression: &Expr) -> bool {
    let column: Vec<String> = match expression {
        Expr::Identifier(name) => vec![folded(name)],
        Expr::CompoundIdentifier(names) => names.iter().map(folded).collect(),
        _ => return false,
    };
    let is_known = known.iter().any(|one| one.ends_with(&column) || column.ends_with(one));
    known.push(column);
    is_known
}

/// The name that an item has without doing anything.
fn own_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(folded(name)),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(names)) => names.last().map(folded),
        _ => None,
    }
}

/// What PostgreSQL calls an expression: after the column that is cast, or `timezone`.
fn wanted_name(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Identifier(name) => Some(folded(name)),
        Expr::CompoundIdentifier(names) => names.last().map(folded),
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => wanted_name(inner),
        Expr::AtTimeZone { .. } => Some("timezone".to_owned()),
        Expr::Subquery(query) => match query.body.as_ref() {
            SetExpr::Select(select) => match &select.projection[..] {
                [SelectItem::UnnamedExpr(value)] => wanted_name(value).or_else(|| Some("subquery".to_owned())),
                [SelectItem::ExprWithAlias { alias, .. }] => Some(alias.value.clone()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn folded(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}
