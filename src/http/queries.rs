//! The queries that wait, run and ran: looked at, and stopped.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::{ApiError, Shared};
use crate::access::Caller;
use crate::app::Summary;

/// The envelope of every answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    success: bool,
    msg: &'static str,
    data: Vec<Summary>,
    code: Option<u16>,
    total_count: usize,
}

fn answer(data: Vec<Summary>) -> Response {
    let envelope = Envelope {
        success: true,
        msg: "",
        total_count: data.len(),
        data,
        code: None,
    };
    let body = serde_json::to_string(&envelope).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// The caller's queries; everybody's for an administrator who sees everything.
pub(super) async fn list(State(shared): State<Shared>, caller: Caller) -> Response {
    answer(shared.app.queries().list(&caller))
}

/// Stops a query.
pub(super) async fn stop(
    State(shared): State<Shared>,
    caller: Caller,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = path.map_err(|error| ApiError::unreadable_body(&error.to_string()))?;
    shared.app.queries().stop(&caller, &id).map_err(crate::app::AppError::from)?;
    Ok(answer(Vec::new()))
}
