//! What only PostgreSQL's SQL says, in the words that the engine plans: numbers of objects shown as names, and lists of rows.
//!
//! The invariant: what is rewritten means what PostgreSQL says that it means, on the tables that are here.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident, OrderBy, Query, Select,
    SelectItem, SetExpr, Statement, TableFactor, Value, VisitMut as _, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::super::spelling::call;

/// Rewrites a statement.
pub(in super::super) fn rewrite(statement: &mut Statement) {
    let ControlFlow::Continue(()) = statement.visit(&mut Spelling);
}

/// Lists of the catalog that are null in every row.
const NO_LISTS: &[&str] = &["reloptions", "evttags", "polroles"];

struct Spelling;

impl VisitorMut for Spelling {
    type Break = std::convert::Infallible;

    /// A number that is shown as a result is shown as a name.
    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        for item in &mut select.projection {
            match item {
                SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => {
                    if let Some(shown) = shown(expression) {
                        *expression = shown;
                    }
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Self::Break> {
        if let Expr::Cast { expr, data_type, .. } = expression
            && is_text(data_type)
            && let Some(shown) = shown(expr)
        {
            *expression = shown;
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Self::Break> {
        // The catalog has names without their schema.
        if let Expr::BinaryOp {
            left,
            op: BinaryOperator::Eq,
            right,
        } = expression
            && ["proname", "typname", "relname"].contains(&left.to_string().as_str())
            && let Expr::Value(value) = right.as_mut()
            && let Value::SingleQuotedString(name) = &mut value.value
            && let Some(bare) = name.strip_prefix("pg_catalog.")
        {
            *name = bare.to_owned();
        }
        if let Expr::Function(function) = expression
            && let FunctionArguments::Subquery(rows) = &function.args
            && function.name.to_string().eq_ignore_ascii_case("array")
            && let Some(list) = list_of(rows)
        {
            *expression = list;
        }
        if let Some(number) = number_of_name(expression) {
            *expression = number;
        }
        if let Expr::Subquery(query) = expression
            && let Some(one) = one_value(query)
        {
            *expression = one;
        }
        ControlFlow::Continue(())
    }
}

fn is_text(kind: &DataType) -> bool {
    let name = kind.to_string().to_lowercase();
    ["text", "varchar", "name"].contains(&name.strip_prefix("pg_catalog.").unwrap_or(&name))
}

/// The name of an object whose number is cast to one of the types that are shown as names.
fn shown(expression: &Expr) -> Option<Expr> {
    let Expr::Cast {
        kind: CastKind::DoubleColon | CastKind::Cast,
        expr: number,
        data_type,
        ..
    } = expression
    else {
        return None;
    };
    let name = data_type.to_string().to_lowercase();
    let (table, column) = match name.strip_prefix("pg_catalog.").unwrap_or(&name) {
        "regclass" => ("pg_class", "relname"),
        "regproc" | "regprocedure" => ("pg_proc", "proname"),
        "regnamespace" => ("pg_namespace", "nspname"),
        "regtype" => return Some(call("format_type", vec![argument((**number).clone()), argument(null())])),
        _ => return None,
    };
    // The names of the lookup are nobody else's, so that those of the number mean what they meant.
    let lookup = format!(
        "(SELECT max(named.name_of_object) FROM (SELECT oid AS number_of_object, {column} AS name_of_object FROM pg_catalog.{table}) AS named \
         WHERE named.number_of_object = NULL)"
    );
    let mut lookup = parsed(&lookup)?;
    let ControlFlow::Continue(()) = lookup.visit(&mut Put(number));
    Some(lookup)
}

/// The number of the object that `to_regtype(name)` and its kin ask for; null where there is none.
fn number_of_name(expression: &Expr) -> Option<Expr> {
    let Expr::Function(function) = expression else {
        return None;
    };
    let (table, column) = match function.name.to_string().as_str() {
        "to_regtype" => ("pg_type", "typname"),
        "to_regclass" => ("pg_class", "relname"),
        "to_regproc" => ("pg_proc", "proname"),
        "to_regnamespace" => ("pg_namespace", "nspname"),
        _ => return None,
    };
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(name))] = &list.args[..] else {
        return None;
    };
    let lookup = format!(
        "(SELECT min(named.number_of_object) FROM (SELECT oid AS number_of_object, {column} AS name_of_object FROM pg_catalog.{table}) AS named \
         WHERE named.name_of_object = NULL)"
    );
    let mut lookup = parsed(&lookup)?;
    let ControlFlow::Continue(()) = lookup.visit(&mut Put(name));
    Some(lookup)
}

fn parsed(expression: &str) -> Option<Expr> {
    Parser::new(&PostgreSqlDialect {}).try_with_sql(expression).ok()?.parse_expr().ok()
}

/// Puts an expression in the place of a null.
struct Put<'a>(&'a Expr);

impl VisitorMut for Put<'_> {
    type Break = std::convert::Infallible;

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Self::Break> {
        if matches!(expression, Expr::Value(value) if value.value == Value::Null) {
            *expression = self.0.clone();
        }
        ControlFlow::Continue(())
    }
}

fn null() -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(Expr::Value(Value::Null.with_empty_span())),
        data_type: DataType::Int(None),
        array: false,
        format: None,
    }
}

fn argument(expression: Expr) -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Expr(expression))
}

/// `ARRAY(SELECT x FROM …)`: all values of a column of rows, in their order.
fn list_of(rows: &Query) -> Option<Expr> {
    let SetExpr::Select(select) = rows.body.as_ref() else {
        return whole(rows);
    };
    // Lists of the catalog that no object has; the planner makes no rows of a list of another row.
    let text = rows.to_string().to_lowercase();
    if NO_LISTS
        .iter()
        .any(|list| text.contains(list) && (text.contains("unnest(") || text.contains("array_contains(")))
    {
        return parsed("array_remove(make_array(''), '')");
    }
    let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, rest) if keys.is_empty() && rest.is_empty());
    let is_cut = rows.with.is_some() || rows.limit_clause.is_some() || rows.fetch.is_some();
    let is_plain = !is_grouped && !is_cut && select.having.is_none() && select.distinct.is_none();
    let [SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. }] = &select.projection[..] else {
        return whole(rows);
    };
    if !is_plain {
        return whole(rows);
    }
    let order = match &rows.order_by {
        None => String::new(),
        Some(order) => match by_place(order) {
            Some(direction) => format!(" ORDER BY {value}{direction}"),
            None => format!(" {order}"),
        },
    };
    let mut list = rows.clone();
    list.order_by = None;
    if let SetExpr::Select(select) = list.body.as_mut() {
        select.projection = vec![SelectItem::UnnamedExpr(parsed(&format!("array_agg({value}{order})"))?)];
    }
    Some(Expr::Subquery(Box::new(list)))
}

/// What follows the place of the only column in an order by it.
fn by_place(order: &OrderBy) -> Option<String> {
    let order = order.to_string();
    let direction = order.strip_prefix("ORDER BY 1")?;
    (direction.is_empty() || direction.starts_with(' ')).then(|| direction.to_owned())
}

/// The values of rows that are more than a plain query; in their order, if that is the order of the values.
fn whole(rows: &Query) -> Option<Expr> {
    let order = rows.order_by.as_ref().and_then(by_place);
    let order = order.map_or_else(String::new, |direction| format!(" ORDER BY listed.value_of_list{direction}"));
    parsed(&format!(
        "(SELECT array_agg(listed.value_of_list{order}) FROM ({rows}) AS listed(value_of_list))"
    ))
}

/// One value of a table of the catalog, looked up by the number of an object: there is at most one such row.
fn one_value(query: &Query) -> Option<Expr> {
    let SetExpr::Select(select) = query.body.as_ref() else {
        return None;
    };
    let is_catalog = |factor: &TableFactor| match factor {
        TableFactor::Table { name, .. } => name.0.last().is_some_and(|part| part.to_string().starts_with("pg_")),
        _ => false,
    };
    let [from] = &select.from[..] else { return None };
    let [SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. }] = &select.projection[..] else {
        return None;
    };
    let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, rest) if keys.is_empty() && rest.is_empty());
    let is_lookup = is_catalog(&from.relation) && from.joins.is_empty() && select.selection.is_some() && !is_grouped;
    if !is_lookup || query.limit_clause.is_some() || matches!(value, Expr::Function(_)) {
        return None;
    }
    let mut one = query.clone();
    let name = value.to_string().rsplit('.').next().unwrap_or_default().to_owned();
    let value = call("first_value", vec![argument(value.clone())]);
    if let SetExpr::Select(select) = one.body.as_mut() {
        select.projection = vec![SelectItem::ExprWithAlias {
            expr: value,
            alias: Ident::with_quote('"', name),
        }];
    }
    Some(Expr::Subquery(Box::new(one)))
}
