//! SQL as PostgreSQL writes it, in the words that the engine plans.
//!
//! `at AT TIME ZONE z` becomes `timezone(z, at)`, since the engine's own plan of it keeps the instant where PostgreSQL gives the wall
//! clock. Columns without a name of their own get one where the engine would give two the same and refuse the query. The invariant:
//! what is rewritten means what PostgreSQL says that it means.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName, Select, SelectItem,
    VisitMut as _, VisitorMut,
};

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
        if let Expr::AtTimeZone { timestamp, time_zone } = expression {
            let arguments = [&**time_zone, &**timestamp].map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument.clone())));
            *expression = call("timezone", arguments.into());
        }
        ControlFlow::Continue(())
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
            Some(name) if !is_column => Some(name),
            Some(name) if repeated => Some(name),
            None if repeated => Some(text.clone()),
            _ => None,
        };
        let Some(wanted) = wanted else { continue };
        let may_clash = has_wildcard || taken.contains(&wanted);
        let mut name = if may_clash && !repeated { text } else { wanted };
        let mut count = 1;
        while taken.contains(&name) || (repeated && count == 1) {
            count += 1;
            name = format!("{}_{count}", name.trim_end_matches(&format!("_{}", count - 1)));
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
        _ => None,
    }
}

fn folded(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}
