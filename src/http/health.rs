//! Whether the server lives, and whether it can answer: for whoever starts it, and for balancers. Neither needs a token, and
//! neither says anything about the store.

use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use super::Shared;
use super::error::{chain, not_ready};

/// The process lives; nothing else is looked at.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// The store can be read, and the server was not told to stop.
pub(super) async fn ready(State(shared): State<Shared>) -> Response {
    if shared.stopping.load(Ordering::Relaxed) {
        return not_ready("the server is shutting down");
    }
    match shared.app.snapshot() {
        Ok(_) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(error = %chain(&error), "not ready");
            not_ready("the store cannot be read")
        }
    }
}
