//! What an explained plan does not tell: where files lie, and how many rows somebody saw who may see more.
//!
//! A plan shows its operators below the fence as well. Their metrics count rows that the caller must not see, so that a caller who
//! does not see everything gets no metrics of operators that read files or keep rows back.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use datafusion::logical_expr::LogicalPlan;
use futures::{Stream, StreamExt as _};

use super::super::{EngineResult, View};
use super::blame_rows;

/// The rows of a plan, and of an explained one without what is nobody's business. What fails is blamed on whom it should be.
pub(in super::super) fn fenced<S: Stream<Item = EngineResult<RecordBatch>> + Send + Unpin>(
    rows: S,
    plan: &LogicalPlan,
    view: &View,
    root: &Path,
) -> impl Stream<Item = EngineResult<RecordBatch>> + Send + Unpin + use<S> {
    let explained = matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_));
    let sees_everything = view.is_everything();
    // Paths of files have no slash before them.
    let root = root.to_string_lossy().trim_start_matches('/').to_owned();
    rows.map(move |batch| {
        let batch = batch.map_err(blame_rows)?;
        if explained {
            without(&batch, &root, sees_everything)
        } else {
            Ok(batch)
        }
    })
}

fn without(batch: &RecordBatch, root: &str, sees_everything: bool) -> EngineResult<RecordBatch> {
    let columns = batch.columns().iter().map(|column| match column.data_type() {
        DataType::Utf8 => {
            let texts = column.as_string::<i32>().iter();
            let texts: StringArray = texts.map(|text| text.map(|text| told(text, root, sees_everything))).collect();
            Arc::new(texts) as ArrayRef
        }
        _ => Arc::clone(column),
    });
    let told = RecordBatch::try_new(batch.schema(), columns.collect());
    told.map_err(|error| super::blame(error.into()))
}

fn told(plan: &str, root: &str, sees_everything: bool) -> String {
    let plan = plan.replace(&format!("{root}/"), "");
    if sees_everything {
        return plan;
    }
    let lines = plan.lines().map(|line| {
        let shows = !["DataSourceExec", "FilterExec", "ProjectionExec", "CooperativeExec"]
            .iter()
            .any(|operator| line.trim_start().starts_with(operator));
        if shows { line } else { without_metrics(line) }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn without_metrics(line: &str) -> &str {
    line.find(", metrics=[")
        .or_else(|| line.find(", statistics=["))
        .map_or(line, |at| &line[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_below_the_fence_are_not_told() {
        let plan = "AggregateExec: mode=Single, metrics=[output_rows=1]\n  FilterExec: server_id@0 = 2, metrics=[output_rows=3, selectivity=7%]\n    \
                    DataSourceExec: file_groups={1 group: [[srv/store/denials/day=2026-03-02/a.parquet]]}, metrics=[output_rows=41]";
        let shown = told(plan, "srv/store", false);
        assert!(
            shown.contains("output_rows=1]") && shown.contains("[[denials/day=2026-03-02/a.parquet]]"),
            "{shown}"
        );
        assert!(
            !shown.contains("selectivity") && !shown.contains("41") && !shown.contains("srv"),
            "{shown}"
        );
        let all = told(plan, "srv/store", true);
        assert!(all.contains("41") && !all.contains("srv"), "{all}");
    }
}
