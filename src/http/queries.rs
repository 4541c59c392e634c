//! The queries that wait, run and ran: looked at, and stopped.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};

use super::envelope::Envelope;
use super::{ApiError, Shared};
use crate::access::Caller;

/// The caller's queries; everybody's for an administrator who sees everything.
pub(super) async fn list(State(shared): State<Shared>, caller: Caller) -> Response {
    Envelope::of(&shared.app.queries().list(&caller)).into_response()
}

/// Stops a query.
pub(super) async fn stop(
    State(shared): State<Shared>,
    caller: Caller,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = path.map_err(|error| ApiError::unreadable_body(&error.to_string()))?;
    shared.app.queries().stop(&caller, &id).map_err(crate::app::AppError::from)?;
    Ok(Envelope::of(&[(); 0]).into_response())
}
