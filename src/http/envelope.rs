//! The envelope of every answer that is not a report's own document; its keys are in the order of all of them.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What stands around data, or around the reason why there is none.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<'a, T> {
    success: bool,
    msg: &'a str,
    data: &'a [T],
    code: Option<u16>,
    total_count: usize,
}

impl<'a, T> Envelope<'a, T> {
    /// Around these data.
    pub(super) const fn of(data: &'a [T]) -> Self {
        Self {
            success: true,
            msg: "",
            data,
            code: None,
            total_count: data.len(),
        }
    }
}

impl<'a> Envelope<'a, ()> {
    /// Around nothing, for this reason.
    pub(super) const fn of_error(code: u16, message: &'a str) -> Self {
        Self {
            success: false,
            msg: message,
            data: &[],
            code: Some(code),
            total_count: 0,
        }
    }
}

impl<T: Serialize> IntoResponse for Envelope<'_, T> {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&self).unwrap_or_default();
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}
