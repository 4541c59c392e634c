//! Values in the places of placeholders.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::exec_err;
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::{Cast, InList, Placeholder};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use datafusion::scalar::ScalarValue;

/// What a placeholder is bound to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Binding {
    /// One value.
    One(ScalarValue),
    /// The members of `IN ($name)`.
    Set(Vec<ScalarValue>),
    /// Everything is a member of `IN ($name)`.
    Everything,
}

/// What all placeholders are bound to, by name without the `$`.
pub(super) type Bindings = BTreeMap<String, Binding>;

/// Binds a plan.
pub(super) fn bind(plan: LogicalPlan, bindings: &Bindings) -> Result<LogicalPlan, DataFusionError> {
    Ok(bind_node(plan, bindings)?.data)
}

/// Binds a plan, and says whether it has other columns now: such as are never null.
///
/// To compute columns takes longer than all else that is done here, and most stay what they were, as every placeholder was compiled
/// with its type.
fn bind_node(plan: LogicalPlan, bindings: &Bindings) -> Result<Transformed<LogicalPlan>, DataFusionError> {
    let below = plan
        .map_children(|input| bind_node(input, bindings))?
        .transform_data(|node| node.map_subqueries(|query| bind_node(query, bindings)))?;
    let inputs_changed = below.transformed;
    let names = NamePreserver::new(&below.data);
    let bound = below.transform_data(|node| node.map_expressions(|expression| bind_expression(expression, bindings, &names)))?;
    if !bound.transformed {
        return Ok(bound);
    }
    // A filter has the columns of its input.
    if matches!(bound.data, LogicalPlan::Filter(_)) {
        return Ok(Transformed::new_transformed(bound.data, inputs_changed));
    }
    let before = Arc::clone(bound.data.schema());
    let node = bound.data.recompute_schema()?;
    let changed = *node.schema() != before;
    Ok(Transformed::new_transformed(node, changed))
}

fn bind_expression(expression: Expr, bindings: &Bindings, names: &NamePreserver) -> Result<Transformed<Expr>, DataFusionError> {
    if !expression.exists(|part| Ok(matches!(part, Expr::Placeholder(_))))? {
        return Ok(Transformed::no(expression));
    }
    // Others ask for its column by the name that it has.
    let name = names.save(&expression);
    let bound = expression.transform_up(|part| match part {
        Expr::InList(list) => expand(list, bindings),
        Expr::Cast(cast) => settle(cast),
        Expr::Placeholder(placeholder) => value(placeholder, bindings),
        part => Ok(Transformed::no(part)),
    })?;
    Ok(bound.update_data(|expression| name.restore(expression)))
}

/// The value of a placeholder; that of a set waits for its list.
fn value(placeholder: Placeholder, bindings: &Bindings) -> Result<Transformed<Expr>, DataFusionError> {
    match bindings.get(placeholder.id.trim_start_matches('$')) {
        Some(Binding::One(value)) => Ok(Transformed::yes(lit(value.clone()))),
        Some(Binding::Set(_) | Binding::Everything) => Ok(Transformed::no(Expr::Placeholder(placeholder))),
        None => exec_err!("no value for {}", placeholder.id),
    }
}

/// A value is of the type that it was compiled with already.
fn settle(cast: Cast) -> Result<Transformed<Expr>, DataFusionError> {
    match &*cast.expr {
        Expr::Literal(value, _) if value.data_type() == *cast.field.data_type() => Ok(Transformed::yes(*cast.expr)),
        _ => Ok(Transformed::no(Expr::Cast(cast))),
    }
}

/// `x IN ($name)` gets the members of the set.
fn expand(list: InList, bindings: &Bindings) -> Result<Transformed<Expr>, DataFusionError> {
    let [Expr::Placeholder(Placeholder { id, .. })] = &*list.list else {
        return Ok(Transformed::no(Expr::InList(list)));
    };
    let members = match bindings.get(id.trim_start_matches('$')) {
        Some(Binding::Set(members)) => members,
        // What holds for every row need not be asked of any.
        Some(Binding::Everything) => return Ok(Transformed::yes(lit(!list.negated))),
        Some(Binding::One(_)) | None => return exec_err!("{id} is no set"),
    };
    let members: Vec<Expr> = members.iter().cloned().map(lit).collect();
    if members.is_empty() {
        return Ok(Transformed::yes(lit(list.negated)));
    }
    Ok(Transformed::yes(Expr::InList(InList { list: members, ..list })))
}
