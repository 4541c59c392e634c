//! Who may ask, and for what.
//!
//! Whoever comes past [`authorize`] is a [`Caller`] among the extensions of the request. A handler that takes one and finds
//! none fails.

use std::borrow::Cow;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::connections::Peer;
use super::{ApiError, Shared, gate, trace};
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
    // It tells which methods there are, as the description of the API does for everybody.
    if request.method() == Method::OPTIONS {
        return next.run(request).await;
    }
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
        return if peer.ip().to_canonical().is_loopback() && !gate::is_forwarded(headers) {
            Ok(Caller::local())
        } else {
            Err(ApiError::not_local())
        };
    }
    let shown = shown(headers).ok_or_else(ApiError::token_missing)?;
    let known = token::find(&shown, grants.iter().map(|grant| &grant.hash)).and_then(|place| grants.get(place));
    let caller = known.map(|grant| Caller::new(&grant.name, grant.access.clone()));
    caller.ok_or_else(ApiError::token_unknown)
}

/// The token that a request shows: in a header of its own, as `Bearer`, or as the password of `Basic`, whoever its user is.
pub(super) fn shown(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    if let Some(token) = headers.get("x-auth-token") {
        // What is no text is no token either, but it was shown.
        return Some(token.to_str().unwrap_or_default().trim().into());
    }
    let (scheme, shown) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(shown.trim().into());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(shown.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let password = decoded
        .as_deref()
        .and_then(|pair| pair.split_once(':'))
        .map(|(_user, password)| password);
    Some(password.unwrap_or_default().to_owned().into())
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
