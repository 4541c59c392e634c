//! Values in the places of placeholders.

use std::collections::BTreeMap;

use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::common::{ParamValues, exec_err};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::{InList, Placeholder};
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
    let expanded = plan.transform_up_with_subqueries(|node| {
        node.map_expressions(|expression| {
            expression.transform_up(|expression| match expression {
                Expr::InList(list) => expand(list, bindings),
                expression => Ok(Transformed::no(expression)),
            })
        })
    })?;
    let values = bindings.iter().filter_map(|(name, binding)| match binding {
        Binding::One(value) => Some((name.clone(), value.clone().into())),
        Binding::Set(_) | Binding::Everything => None,
    });
    expanded.data.with_param_values(ParamValues::Map(values.collect()))
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
