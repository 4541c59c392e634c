//! What there is to ask: every report, its parameters, columns and formats.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::envelope::Envelope;
use super::{ApiError, Shared};
use crate::output::FORMATS;
use crate::report::{ChartSpec, Column, Definition, Param, STANDARD};

/// A report as the listing tells it.
#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    title: &'a str,
    summary: &'a str,
    path: String,
    aliases: Vec<String>,
    parameters: Vec<&'a Param>,
    columns: &'a [Column],
    order: &'a [String],
    chart: Option<&'a ChartSpec>,
    formats: Vec<&'static str>,
}

/// Lists the reports.
pub(super) async fn get(State(shared): State<Shared>) -> Response {
    let reports: Vec<Listed<'_>> = shared.app.catalog().reports().map(|report| listed(report.definition())).collect();
    Envelope::of(&reports).into_response()
}

/// The SQL of a report.
pub(super) async fn sql(State(shared): State<Shared>, path: Result<Path<String>, PathRejection>) -> Result<Response, ApiError> {
    let Path(name) = path.map_err(|error| ApiError::unreadable_body(&error.to_string()))?;
    let report = shared.app.catalog().report(&name)?;
    let text = report.source(shared.app.snapshot()?.zone())?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

fn listed(definition: &Definition) -> Listed<'_> {
    let whole = |path: &String| format!("/api/v1{path}");
    Listed {
        name: &definition.name,
        title: &definition.title,
        summary: &definition.summary,
        path: whole(&definition.path),
        aliases: definition.aliases.iter().map(whole).collect(),
        parameters: definition.params.iter().chain(STANDARD.iter()).collect(),
        columns: &definition.columns,
        order: &definition.order,
        chart: definition.chart.as_ref(),
        formats: FORMATS.iter().map(|format| format.name()).collect(),
    }
}
