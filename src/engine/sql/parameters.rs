//! Parameters of SQL: values that never pass through the parser.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::common::{DFSchema, ParamValues};
use datafusion::error::Result;
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::{Expr, ExprSchemable as _, LogicalPlan};
use datafusion::scalar::ScalarValue;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::{EngineError, EngineResult};
use super::{any_of, blame};

/// What placeholders stand for, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Parameters {
    /// For `$1`, `$2` and so on.
    Positional(Vec<Value>),
    /// For `$name`.
    Named(BTreeMap<String, Value>),
}

impl Default for Parameters {
    fn default() -> Self {
        Self::Positional(Vec::new())
    }
}

impl Parameters {
    /// Puts values in the places of placeholders: each as what its place asks for, if that can be told.
    pub(super) fn bind(&self, plan: LogicalPlan) -> EngineResult<LogicalPlan> {
        let wanted = of_plan(&plan)?;
        let given = self.names();
        if let Some(name) = given.iter().find(|name| !wanted.iter().any(|(wanted, _)| wanted == *name)) {
            let known: Vec<&str> = wanted.iter().map(|(name, _)| name.as_str()).collect();
            return Err(EngineError::Refused(format!(
                "parameter {name} is given but not used; {}",
                if known.is_empty() {
                    "the SQL has no placeholders".to_owned()
                } else {
                    format!("the SQL has {}", known.join(", "))
                }
            )));
        }
        if wanted.is_empty() {
            return Ok(plan);
        }
        let mut values = HashMap::new();
        for (name, kind) in &wanted {
            let Some(value) = self.get(name) else {
                return Err(EngineError::Refused(format!("no value is given for parameter {name}")));
            };
            // Keys without the dollar.
            values.insert(name.get(1..).unwrap_or_default().to_owned(), scalar(name, value, kind.as_ref())?);
        }
        plan.with_param_values(ParamValues::from(values)).map_err(blame)
    }

    fn names(&self) -> Vec<String> {
        match self {
            Self::Positional(values) => (1..=values.len()).map(|place| format!("${place}")).collect(),
            Self::Named(values) => values.keys().map(|name| format!("${name}")).collect(),
        }
    }

    fn get(&self, placeholder: &str) -> Option<&Value> {
        let name = placeholder.strip_prefix('$')?;
        match self {
            Self::Positional(values) => values.get(name.parse::<usize>().ok()?.checked_sub(1)?),
            Self::Named(values) => values.get(name),
        }
    }
}

/// The placeholders of a plan, numbers first and in their order, with what their places ask for.
pub(super) fn of_plan(plan: &LogicalPlan) -> EngineResult<Vec<(String, Option<DataType>)>> {
    let mut places = Places::default();
    let looked = plan.apply_with_subqueries(|node| {
        let mut schema = DFSchema::empty();
        for input in node.inputs() {
            schema.merge(input.schema());
        }
        node.apply_expressions(|expression| places.look(expression, &schema))
    });
    looked.map_err(blame)?;
    Ok(places.0.into_iter().map(|((_, name), kind)| (name, kind)).collect())
}

/// The placeholders that were found, by their numbers and names.
#[derive(Default)]
struct Places(BTreeMap<(usize, String), Option<DataType>>);

impl Places {
    fn look(&mut self, expression: &Expr, schema: &DFSchema) -> Result<TreeNodeRecursion> {
        expression.apply(|expression| {
            if let Some((id, kind, other)) = in_any(expression, schema) {
                self.found(id, kind);
                self.look(other, schema)?;
                return Ok(TreeNodeRecursion::Jump);
            }
            // A place that is cast asks for what it is cast to, and for nothing else.
            let (expression, asked) = match expression {
                Expr::Cast(cast) => (&*cast.expr, Some(cast.field.data_type())),
                expression => (expression, None),
            };
            if let Expr::Placeholder(Placeholder { id, field }) = expression {
                let asked = asked.or_else(|| field.as_ref().map(|field| field.data_type()));
                self.found(id, asked.map(plain));
                return Ok(TreeNodeRecursion::Jump);
            }
            Ok(TreeNodeRecursion::Continue)
        })
    }

    fn found(&mut self, id: &str, kind: Option<DataType>) {
        let place = id.trim_start_matches('$').parse().unwrap_or(usize::MAX);
        self.0
            .entry((place, id.to_owned()))
            // Two places that ask for different things ask for nothing in particular.
            .and_modify(|known| *known = known.take().filter(|known| Some(known) == kind.as_ref()))
            .or_insert(kind);
    }
}

/// The placeholder of `x = ANY ($1)` or `$1 = ANY (list)`, what its place asks for, and the other side.
fn in_any<'a>(expression: &'a Expr, schema: &DFSchema) -> Option<(&'a str, Option<DataType>, &'a Expr)> {
    let Expr::ScalarFunction(call) = expression else {
        return None;
    };
    let [list, value] = &call.args[..] else {
        return None;
    };
    if call.name() != any_of::NAME {
        return None;
    }
    let kind = |expression: &Expr| expression.get_type(schema).ok();
    match (list, value) {
        (Expr::Placeholder(known), value) => {
            let item = kind(value).as_ref().map(plain).filter(|kind| !kind.is_null());
            let listed = item.map(|item| DataType::List(Arc::new(Field::new_list_field(item, true))));
            Some((&known.id, listed, value))
        }
        (list, Expr::Placeholder(known)) => Some((&known.id, any_of::item_of(&kind(list)?).map(plain), list)),
        _ => None,
    }
}

/// Texts are texts, however a column keeps them.
fn plain(kind: &DataType) -> DataType {
    match kind {
        DataType::Dictionary(_, values) => plain(values),
        kind => kind.clone(),
    }
}

fn scalar(name: &str, value: &Value, kind: Option<&DataType>) -> EngineResult<ScalarValue> {
    if let (Value::Array(items), Some(DataType::List(field))) = (value, kind) {
        let items = items.iter().map(|item| scalar(name, item, Some(field.data_type())));
        let items = items.collect::<EngineResult<Vec<_>>>()?;
        return Ok(ScalarValue::List(ScalarValue::new_list_nullable(&items, field.data_type())));
    }
    if let (Value::String(_), Some(kind @ DataType::List(_))) = (value, kind) {
        return Err(EngineError::Refused(format!(
            "parameter {name} is {value}; expected {}",
            expected(kind)
        )));
    }
    let natural = match value {
        Value::Null => ScalarValue::Null,
        Value::Bool(value) => ScalarValue::Boolean(Some(*value)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => ScalarValue::Int64(Some(whole)),
            (None, number) => ScalarValue::Float64(number),
        },
        Value::String(text) => ScalarValue::Utf8(Some(text.clone())),
        Value::Array(_) | Value::Object(_) => {
            return Err(EngineError::Refused(format!(
                "parameter {name} is {value}; expected a text, a number, true, false or null"
            )));
        }
    };
    match kind {
        // A fraction is no whole number, and is not cut to one: comparisons are made between fractions.
        Some(kind) if kind.is_integer() && matches!(natural, ScalarValue::Float64(_)) => Ok(natural),
        Some(kind) => natural
            .cast_to(kind)
            .ok()
            .filter(|cast| cast.is_null() == natural.is_null())
            .ok_or_else(|| EngineError::Refused(format!("parameter {name} is {value}; expected {}", expected(kind)))),
        None => Ok(natural),
    }
}

/// What a place asks for, for people.
fn expected(kind: &DataType) -> String {
    match kind {
        DataType::Date32 | DataType::Date64 => "a day like 2026-03-31".to_owned(),
        DataType::Timestamp(..) => "an instant like 2026-03-31T09:00:00Z".to_owned(),
        DataType::Boolean => "true or false".to_owned(),
        kind if kind.is_integer() => "a whole number".to_owned(),
        kind if kind.is_numeric() => "a number".to_owned(),
        DataType::List(field) => format!("a list, each item {}", expected(field.data_type())),
        kind => kind.to_string(),
    }
}
