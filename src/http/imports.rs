//! Imports over HTTP, for admins: listing and undoing them, as `headroom imports` does.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};

use super::envelope::Envelope;
use super::{ApiError, Shared, parameters};
use crate::access::{Access, Role};
use crate::app::{self, AppError};
use crate::store::StoreError;

fn admit(access: &Access) -> Result<(), ApiError> {
    if access.role().may_import() {
        Ok(())
    } else {
        Err(ApiError::not_allowed("list or undo imports", access.role(), Role::Admin))
    }
}

/// Lists the imports of license servers that the caller sees.
pub(super) async fn list(State(shared): State<Shared>, access: Access, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    admit(&access)?;
    if let Some((name, _)) = parameters::of_query(query.as_deref())?.first() {
        return Err(ApiError::unknown_parameter(name, "none"));
    }
    let listed = blocking(move || app::imports(shared.app.root(), &access)).await;
    match listed {
        Ok(listed) => Ok(Envelope::of(&listed).into_response()),
        Err(AppError::Store(StoreError::Missing { .. })) => Ok(Envelope::of(&[(); 0]).into_response()),
        Err(error) => Err(error.into()),
    }
}

/// Undoes an import.
pub(super) async fn undo(
    State(shared): State<Shared>,
    access: Access,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    admit(&access)?;
    let Path(text) = path.map_err(|error| ApiError::unreadable_body(&error.to_string()))?;
    let number: i64 = text
        .parse()
        .map_err(|_wrong| ApiError::import_unknown(&format!("there is no import {text:?}: imports have numbers")))?;
    let mut trial = None;
    for (name, value) in parameters::of_query(query.as_deref())? {
        if name != "dry-run" {
            return Err(ApiError::unknown_parameter(&name, "dry-run"));
        }
        if trial.is_some() {
            return Err(ApiError::repeated_parameter(&name));
        }
        trial = match value.as_str() {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => return Err(ApiError::malformed_parameter(&name, &value, "true, false, 1 or 0")),
        };
    }
    let root = shared.app.root().to_owned();
    let undone = blocking(move || app::undo_import(&root, number, &access, trial.unwrap_or_default(), &mut |_, _| {})).await;
    match undone {
        Ok(undone) => Ok(Envelope::of(&[undone]).into_response()),
        Err(AppError::Store(StoreError::Missing { .. })) => Err(ApiError::no_store()),
        Err(error) => Err(error.into()),
    }
}

/// The store waits for its disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, AppError> + Send + 'static) -> Result<T, AppError> {
    let worked = tokio::task::spawn_blocking(work).await;
    worked.unwrap_or_else(|_panic| Err(StoreError::Worker.into()))
}
