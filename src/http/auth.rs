//! Who may ask, and for what.
//!
//! Whoever comes past [`authorize`] is a [`Caller`] among the extensions of the request. A handler that takes one and finds
//! none fails.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::listener::Peer;
use super::{ApiError, Shared, trace};
use crate::access::{Access, Caller};
use crate::store::Grant;
use crate::token;

/// Lets a request through that shows a token of the store; while the store has none, one that comes from this machine.
pub(super) async fn authorize(
    State(shared): State<Shared>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let snapshot = match shared.app.snapshot() {
        Ok(snapshot) => snapshot,
        Err(error) => return ApiError::from(error).into_response(),
    };
    match check(request.headers(), peer, snapshot.grants()) {
        Ok(caller) => {
            trace::learn_token(request.extensions(), caller.name());
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

fn check(headers: &HeaderMap, peer: SocketAddr, grants: &[Grant]) -> Result<Caller, ApiError> {
    if grants.is_empty() {
        return if peer.ip().to_canonical().is_loopback() {
            Ok(Caller::local())
        } else {
            Err(ApiError::not_local())
        };
    }
    let shown = shown(headers).ok_or_else(ApiError::token_missing)?;
    let known = token::find(shown, grants.iter().map(|grant| &grant.hash)).and_then(|place| grants.get(place));
    let caller = known.map(|grant| Caller::new(&grant.name, grant.access.clone()));
    caller.ok_or_else(ApiError::token_unknown)
}

/// The token that a request shows.
pub(super) fn shown(headers: &HeaderMap) -> Option<&str> {
    if let Some(token) = headers.get("x-auth-token") {
        // What is no text is no token either, but it was shown.
        return Some(token.to_str().unwrap_or_default().trim());
    }
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| ApiError::internal(&std::io::Error::other("nobody asked who is asking")))
    }
}

impl<S: Sync> FromRequestParts<S> for Access {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        Ok(caller.access().clone())
    }
}
