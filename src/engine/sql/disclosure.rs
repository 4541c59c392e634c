//! Answers without what is nobody's business: where files lie, and, for a caller who does not see everything, values in errors.
//!
//! The invariant: the text of an error that happened while rows were read depends on the kind of the error alone, for a caller who
//! does not see everything. So it is chosen by that kind, and nothing of the engine's own text is passed on.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use futures::{Stream, StreamExt as _};

use super::super::{EngineError, EngineResult, View};
use super::blame_rows;

/// Returns the rows of a plan with paths of the store left out of an explained one, and with errors as the caller may know them.
pub(in super::super) fn fenced<S: Stream<Item = EngineResult<RecordBatch>> + Send + Unpin>(
    rows: S,
    plan: &LogicalPlan,
    view: &View,
    root: &Path,
) -> impl Stream<Item = EngineResult<RecordBatch>> + Send + Unpin + use<S> {
    let explained = matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_));
    let view = view.clone();
    // Paths of files have no slash before them.
    let root = root.to_string_lossy().trim_start_matches('/').to_owned();
    rows.map(move |batch| {
        let batch = batch.map_err(|error| disclosed(error, &view))?;
        if explained { without_paths(&batch, &root) } else { Ok(batch) }
    })
}

/// Returns an error that happened while a query ran, as a caller with this view may know it.
pub(in super::super) fn disclosed(error: EngineError, view: &View) -> EngineError {
    match (error, view.is_everything()) {
        (EngineError::Query(error), false) => withheld(error),
        (error, _) => blame_rows(error),
    }
}

/// Returns an error without any value of a row.
fn withheld(error: DataFusionError) -> EngineError {
    let kind = match error.find_root() {
        DataFusionError::ArrowError(error, _) => of_arrow(error),
        DataFusionError::Execution(_)
        | DataFusionError::Plan(_)
        | DataFusionError::Internal(_)
        | DataFusionError::NotImplemented(_)
        | DataFusionError::SchemaError(..) => "the query fails on the rows that it reads",
        // Nothing of these is shown to anybody, or it is about memory alone.
        _ => return error.into(),
    };
    EngineError::Failed(format!("{kind}; a caller who does not see everything is not told on which value"))
}

const fn of_arrow(error: &ArrowError) -> &'static str {
    match error {
        ArrowError::CastError(_) | ArrowError::ParseError(_) => "a value cannot be converted to the type that the query asks for",
        ArrowError::DivideByZero => "the query divides by zero",
        ArrowError::ArithmeticOverflow(_) => "a number of the query is out of range",
        _ => "the query fails on the rows that it reads",
    }
}

fn without_paths(batch: &RecordBatch, root: &str) -> EngineResult<RecordBatch> {
    let folder = format!("{root}/");
    let columns = batch.columns().iter().map(|column| match column.data_type() {
        DataType::Utf8 => {
            let texts = column.as_string::<i32>().iter();
            let texts: StringArray = texts.map(|text| text.map(|text| text.replace(&folder, ""))).collect();
            Arc::new(texts) as ArrayRef
        }
        _ => Arc::clone(column),
    });
    let shown = RecordBatch::try_new(batch.schema(), columns.collect());
    shown.map_err(|error| super::blame(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Access, Names, Role};
    use crate::store::Snapshot;

    #[test]
    fn plans_say_no_places() {
        let plan = "DataSourceExec: file_groups={1 group: [[srv/store/denials/day=2026-03-02/a.parquet]]}";
        let plan = RecordBatch::try_from_iter([("plan", Arc::new(StringArray::from(vec![plan])) as ArrayRef)]).unwrap();
        let shown = without_paths(&plan, "srv/store").unwrap();
        assert_eq!(
            shown.column(0).as_string::<i32>().value(0),
            "DataSourceExec: file_groups={1 group: [[denials/day=2026-03-02/a.parquet]]}"
        );
    }

    #[test]
    fn values_are_kept_from_who_does_not_see_everything() {
        let snapshot = Snapshot::empty(Path::new("/"));
        let limited = View::of(&Access::new(Role::Analyst, Some(Vec::new()), Names::Plain), &snapshot);
        let hidden = View::of(&Access::new(Role::Analyst, None, Names::Pseudonym), &snapshot);
        let errors = || {
            [
                ArrowError::CastError("Cannot cast string 'ana' to value of Int32 type".to_owned()).into(),
                DataFusionError::Execution("no such ana".to_owned()),
                DataFusionError::Plan("ana".to_owned()),
                DataFusionError::Internal("ana".to_owned()),
                DataFusionError::Context("ana".to_owned(), Box::new(ArrowError::ParseError("ana".to_owned()).into())),
            ]
        };
        for error in errors() {
            assert!(
                disclosed(EngineError::Query(error), &View::everything())
                    .to_string()
                    .contains("ana")
            );
        }
        for (error, again) in errors().into_iter().zip(errors()) {
            let told = [(error, &limited), (again, &hidden)].map(|(error, view)| disclosed(EngineError::Query(error), view).to_string());
            assert!(
                told.iter().all(|told| !told.contains("ana") && told.contains("not told")),
                "{told:?}"
            );
        }
    }
}
