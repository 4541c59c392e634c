//! Denials as a caller sees them who sees some of the license servers.
//!
//! A denial is no true one where the user got a license soon after, from any server. To a caller who does not see that server, it
//! must not tell: for him the denial is what a store without the server would say. The numbers of the visible servers are inside
//! the function, so that they stand in no query.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, BooleanArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::internal_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::event::ReasonClass;
use crate::store::Id;

/// The license servers that a caller sees.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct VisibleGrants(Arc<BTreeSet<Id>>);

impl VisibleGrants {
    pub(crate) fn new(servers: &BTreeSet<Id>) -> Self {
        Self(Arc::new(servers.clone()))
    }

    /// Returns the function `granted_by → granted_by` without the servers that are not visible.
    pub(crate) fn of_grants(&self) -> ScalarUDF {
        ScalarUDF::new_from_impl(Seen {
            visible: self.clone(),
            name: "visible_grants",
            signature: Signature::any(1, Volatility::Immutable),
        })
    }

    /// Returns the function `is_true, reason_class, granted_by → is_true` of the visible servers.
    pub(crate) fn of_truth(&self) -> ScalarUDF {
        ScalarUDF::new_from_impl(Seen {
            visible: self.clone(),
            name: "visibly_true",
            signature: Signature::any(3, Volatility::Immutable),
        })
    }

    /// Returns which servers of each row are visible: their numbers with commas between, null for none.
    pub(crate) fn grants(&self, granted_by: &ArrayRef) -> Result<StringArray> {
        let granted_by = cast(granted_by, &DataType::Utf8)?;
        let visible = |servers: &str| {
            let seen = |number: &&str| number.parse().is_ok_and(|id: Id| self.0.contains(&id));
            let servers: Vec<&str> = servers.split(',').filter(seen).collect();
            (!servers.is_empty()).then(|| servers.join(","))
        };
        let rows = granted_by.as_string::<i32>().iter();
        Ok(rows.map(|servers| servers.and_then(visible)).collect())
    }

    /// Returns whether each denial is a true one, as far as the visible servers tell.
    pub(crate) fn truth(&self, classes: &ArrayRef, granted_by: &ArrayRef) -> Result<BooleanArray> {
        let classes = cast(classes, &DataType::Utf8)?;
        let grants = self.grants(granted_by)?;
        let short = |class: &str| ReasonClass::ALL.iter().any(|known| known.of_shortage() && known.name() == class);
        let classes = classes.as_string::<i32>().iter().enumerate();
        Ok(classes
            .map(|(row, class)| Some(class.is_some_and(short) && grants.is_null(row)))
            .collect())
    }
}

/// One of the functions.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Seen {
    visible: VisibleGrants,
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for Seen {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types
            .first()
            .cloned()
            .map_or_else(|| internal_err!("{} takes columns", self.name), Ok)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let first = args.arg_fields.first();
        first.map_or_else(|| internal_err!("{} takes columns", self.name), |field| Ok(Arc::clone(field)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let seen: ArrayRef = match &columns[..] {
            [granted_by] => Arc::new(self.visible.grants(granted_by)?),
            [_, classes, granted_by] => Arc::new(self.visible.truth(classes, granted_by)?),
            _ => return internal_err!("{} takes other columns", self.name),
        };
        let seen = cast(&seen, args.return_field.data_type())?;
        Ok(ColumnarValue::Array(seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_out_of_sight_help_nobody() {
        let visible = VisibleGrants::new(&BTreeSet::from([2, 5]));
        let granted: ArrayRef = Arc::new(StringArray::from(vec![None, Some("2"), Some("3"), Some("3,5,12"), Some("25")]));
        let grants = visible.grants(&granted).unwrap();
        assert_eq!(grants.iter().collect::<Vec<_>>(), [None, Some("2"), None, Some("5"), None]);
        let classes: ArrayRef = Arc::new(StringArray::from(vec!["capacity", "queued", "capacity", "queued", "excluded"]));
        let truth = visible.truth(&classes, &granted).unwrap();
        assert_eq!(
            truth.iter().collect::<Vec<_>>(),
            [Some(true), Some(false), Some(true), Some(false), Some(false)]
        );
    }
}
