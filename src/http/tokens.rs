//! Tokens over HTTP, for admins: listing, making and revoking them, as `headroom token` does.
//!
//! The invariant: nobody makes a token that sees more than its maker does, nor learns of one that does.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::envelope::Envelope;
use super::{ApiError, Shared, parameters};
use crate::access::{Access, Names, Role};
use crate::app::{App, AppError};
use crate::store::{Grant, StoreError};
use crate::time::{SECOND, rfc3339};

const PARAMETERS: &str = "name, role, servers, names";

/// What is told of a token.
#[derive(Serialize)]
struct Told<'a> {
    name: &'a str,
    role: &'a str,
    servers: Option<&'a [String]>,
    names: &'a str,
    created: String,
    /// The token itself, when it is made and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

fn told(grant: &Grant, token: Option<String>) -> Told<'_> {
    Told {
        name: &grant.name,
        role: grant.access.role().name(),
        servers: grant.access.servers(),
        names: grant.access.names().name(),
        created: rfc3339(grant.created / SECOND * SECOND),
        token,
    }
}

fn admit(access: &Access) -> Result<(), ApiError> {
    if access.role().may_manage_tokens() {
        Ok(())
    } else {
        Err(ApiError::not_allowed("manage tokens", access.role(), Role::Admin))
    }
}

/// Lists the tokens that see no more than the caller's.
pub(super) async fn list(State(shared): State<Shared>, access: Access) -> Result<Response, ApiError> {
    admit(&access)?;
    let snapshot = shared.app.snapshot()?;
    let grants = snapshot.grants().iter().filter(|grant| access.covers(&grant.access));
    let listed: Vec<Told<'_>> = grants.map(|grant| told(grant, None)).collect();
    Ok(Envelope::of(&listed).into_response())
}

/// Makes a token, and shows it this once.
pub(super) async fn create(
    State(shared): State<Shared>,
    access: Access,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    admit(&access)?;
    let given = parameters::of_report(&Method::POST, query.as_deref(), &headers, body).await?;
    let (name, wanted) = wanted(given)?;
    if shared.app.snapshot()?.grants().is_empty() {
        return Err(ApiError::first_token());
    }
    if !access.covers(&wanted) {
        return Err(ApiError::beyond_sight());
    }
    let made = blocking(shared, move |app| app.create_token(name, wanted)).await;
    let (token, grant) = made.map_err(|error| refusal(error, &access))?;
    Ok(Envelope::of(&[told(&grant, Some(token.reveal()))]).into_response())
}

/// Revokes a token.
pub(super) async fn revoke(
    State(shared): State<Shared>,
    access: Access,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    admit(&access)?;
    let Path(name) = path.map_err(|error| ApiError::unreadable_body(&error.to_string()))?;
    let snapshot = shared.app.snapshot()?;
    let mut visible = snapshot.grants().iter().filter(|grant| access.covers(&grant.access));
    if !visible.any(|grant| grant.name == name) {
        return Err(refusal(StoreError::TokenUnknown { name }.into(), &access));
    }
    let revoked = blocking(shared, move |app| app.revoke_token(&name)).await;
    revoked.map_err(|error| refusal(error, &access))?;
    Ok(Envelope::of(&[(); 0]).into_response())
}

/// The catalog waits for its disk.
async fn blocking<T: Send + 'static>(
    shared: Shared,
    work: impl FnOnce(&App) -> Result<T, AppError> + Send + 'static,
) -> Result<T, AppError> {
    let worked = tokio::task::spawn_blocking(move || work(&shared.app)).await;
    worked.unwrap_or_else(|_panic| Err(StoreError::Worker.into()))
}

/// What a caller asks for: the name of a token, and what it is to open.
fn wanted(given: Vec<(String, String)>) -> Result<(String, Access), ApiError> {
    let (mut name, mut role, mut servers, mut names) = (None, None, None, Names::Plain);
    for (parameter, value) in given {
        let malformed = |expected: &str| ApiError::malformed_parameter(&parameter, &value, expected);
        match parameter.as_str() {
            "name" => name = Some(value),
            "role" => role = Some(Role::from_name(&value).ok_or_else(|| malformed("admin, analyst or viewer"))?),
            "names" => names = Names::from_name(&value).ok_or_else(|| malformed("plain or pseudonym"))?,
            "servers" => {
                let list: Vec<String> = value.split(',').map(|server| server.trim().to_owned()).collect();
                if list.iter().any(String::is_empty) {
                    return Err(malformed("names of license servers with commas between"));
                }
                servers = Some(list);
            }
            _ => return Err(ApiError::unknown_parameter(&parameter, PARAMETERS)),
        }
    }
    let name = name.ok_or_else(|| ApiError::missing_parameter("name", "the name to list and revoke the token by"))?;
    let role = role.ok_or_else(|| ApiError::missing_parameter("role", "admin, analyst or viewer"))?;
    Ok((name, Access::new(role, servers, names)))
}

/// What went wrong, as far as the caller may know. Elsewhere in the API these would be our fault.
fn refusal(error: AppError, access: &Access) -> ApiError {
    match error {
        AppError::Store(StoreError::ServerUnknown { name, known }) => {
            let known: Vec<String> = known.into_iter().filter(|server| access.sees(server)).collect();
            ApiError::malformed_parameter("servers", &name, &format!("a license server; there are: {}", known.join(", ")))
        }
        AppError::Store(StoreError::TokenName { name }) => {
            ApiError::malformed_parameter("name", &name, "1 to 100 characters, none of them a control character")
        }
        AppError::Store(error @ StoreError::TokenTaken { .. }) => ApiError::token_taken(&error),
        AppError::Store(error @ StoreError::TokenUnknown { .. }) => ApiError::token_name_unknown(&error),
        AppError::Store(StoreError::Missing { .. }) => ApiError::no_store(),
        error => error.into(),
    }
}
