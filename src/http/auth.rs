//! Who may ask.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::{ApiError, Shared};
use crate::token;

/// Lets a request through that shows a token of the store; while the store has none, one that comes from this machine.
pub(super) async fn authorize(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let snapshot = match shared.app.snapshot() {
        Ok(snapshot) => snapshot,
        Err(error) => return ApiError::from(error).into_response(),
    };
    match check(request.headers(), peer, snapshot.token_hashes()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check(headers: &HeaderMap, peer: SocketAddr, hashes: &[[u8; 32]]) -> Result<(), ApiError> {
    if hashes.is_empty() {
        return if peer.ip().to_canonical().is_loopback() {
            Ok(())
        } else {
            Err(ApiError::not_local())
        };
    }
    match shown(headers) {
        None => Err(ApiError::token_missing()),
        Some(shown) if token::is_known(shown, hashes) => Ok(()),
        Some(_) => Err(ApiError::token_unknown()),
    }
}

/// The token that a request shows.
fn shown(headers: &HeaderMap) -> Option<&str> {
    if let Some(token) = headers.get("x-auth-token") {
        // What is no text is no token either, but it was shown.
        return Some(token.to_str().unwrap_or_default().trim());
    }
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
