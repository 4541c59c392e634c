//! Panics of requests: each ends its own request, with an answer where none has begun, and nothing else.
//!
//! They are counted and logged where they happen, by the hook that `metrics` sets.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::FutureExt as _;
use http_body::Frame;

use super::ApiError;

/// Answers a request whose handler panics.
pub(super) async fn answer(request: Request, next: Next) -> Response {
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answered.unwrap_or_else(|_panic| ApiError::internal(&std::io::Error::other("a handler panicked")).into_response())
}

/// The next piece of a body. One that panics is cut there, and gives nothing more.
pub(super) fn poll(body: &mut Body, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
    let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(&mut *body).poll_frame(context)));
    polled.unwrap_or_else(|_panic| {
        *body = Body::empty();
        Poll::Ready(Some(Err(axum::Error::new(std::io::Error::other("the body panicked")))))
    })
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::middleware;
    use axum::routing::get;
    use futures::stream;
    use tower_service::Service as _;

    use super::*;

    #[tokio::test]
    async fn a_handler_that_panics_is_our_fault() {
        async fn broken() -> &'static str {
            panic!("secret")
        }
        let mut router = Router::new().route("/", get(broken)).layer(middleware::from_fn(answer));
        let response = router.call(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let envelope: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(envelope["code"], 1901);
        let message = envelope["msg"].as_str().unwrap();
        assert!(message.contains("request id") && !message.contains("secret"), "{message}");
    }

    #[test]
    fn a_body_that_panics_is_cut() {
        let pieces = (0..3).map(|place| match place {
            0 => Ok::<_, std::io::Error>("a"),
            _ => panic!("secret"),
        });
        let mut body = Body::from_stream(stream::iter(pieces));
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(matches!(poll(&mut body, &mut context), Poll::Ready(Some(Ok(_)))));
        assert!(matches!(poll(&mut body, &mut context), Poll::Ready(Some(Err(_)))));
        assert!(matches!(poll(&mut body, &mut context), Poll::Ready(None)));
    }
}
