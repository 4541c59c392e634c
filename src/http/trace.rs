//! What is told of every request: its id, one line in the log, and its part of the metrics.
//!
//! ```text
//!   request ─▶ trace ─▶ … ─▶ handler          Slip: who asks, for which report
//!                │             │ response
//!                └─ Line ──▶ Watched body ──▶ socket
//! ```
//!
//! The invariant: every request leaves one line, when its [`Line`] is dropped: after the last piece of its body, where the body is
//! cut, or where nobody reads any more. No address, no parameter and no header but the id gets into it.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Extensions, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use tracing::{Instrument as _, Span};

use super::request_id::{self, RequestId};
use super::{Shared, auth, panics};
use crate::app::App;
use crate::metrics::{Answered, Computed, InFlight};

/// What lines about requests are filtered by.
const TARGET: &str = "headroom::access";
/// The route of what no route knows.
const UNKNOWN: &str = "unknown";

/// What is learnt of a request on its way.
#[derive(Debug, Clone, Default)]
struct Slip(Arc<Learnt>);

#[derive(Debug, Default)]
struct Learnt {
    token: OnceLock<String>,
    report: OnceLock<String>,
}

/// Whoever asks shows the token of this name.
pub(super) fn learn_token(request: &Extensions, name: &str) {
    if let Some(Slip(learnt)) = request.get() {
        let _known_already = learnt.token.set(name.to_owned());
    }
}

/// The request is for this report. The names must be few: metrics count by them.
pub(super) fn learn_report(request: &Extensions, name: &str) {
    if let Some(Slip(learnt)) = request.get() {
        let _known_already = learnt.report.set(name.to_owned());
    }
}

/// That an answer is an error, and which one.
#[derive(Debug, Clone, Copy)]
pub(super) struct ErrorCode(pub(super) u16);

/// Watches a request from its first byte to the last one of its answer.
pub(super) async fn trace(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers(), auth::shown(request.headers()).as_deref());
    // An error, so that it is there whatever the least level is.
    let span = tracing::error_span!(target: TARGET, "request", request_id = %id);
    let slip = Slip::default();
    request.extensions_mut().insert(slip.clone());
    let mut line = Line::new(&shared, &request, slip, span.clone());
    let mut response = id.clone().within(next.run(request)).instrument(span.clone()).await;
    if let Some(id) = id.value() {
        response.headers_mut().insert(request_id::HEADER, id);
    }
    line.status = Some(response.status());
    line.code = response.extensions().get().map(|ErrorCode(code)| *code);
    response.map(|body| {
        // Nobody asks these bodies for anything.
        if line.method == "HEAD" || body.is_end_stream() {
            line.ends(Outcome::Whole);
            return body;
        }
        Body::new(Watched {
            body,
            line: Some(line),
            span,
        })
    })
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// All of it was handed to the socket.
    Whole,
    /// It failed after its first byte, or the server was told to stop and could wait no longer.
    Cut,
    /// The client went away.
    Gone,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Cut => "cut",
            Self::Gone => "gone",
        }
    }
}

/// What is told of a request when it is over.
#[derive(Debug)]
struct Line {
    app: Arc<App>,
    out_of_time: Arc<AtomicBool>,
    span: Span,
    begun: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
    slip: Slip,
    status: Option<StatusCode>,
    code: Option<u16>,
    bytes: u64,
    first_byte: Option<Duration>,
    outcome: Option<Outcome>,
    _in_flight: InFlight,
}

impl Line {
    fn new(shared: &Shared, request: &Request, slip: Slip, span: Span) -> Self {
        Self {
            _in_flight: shared.app.metrics().request_begins(),
            app: Arc::clone(&shared.app),
            out_of_time: Arc::clone(&shared.out_of_time),
            span,
            begun: Instant::now(),
            method: known_method(request.method()),
            route: request.extensions().get::<MatchedPath>().cloned(),
            slip,
            status: None,
            code: None,
            bytes: 0,
            first_byte: None,
            outcome: None,
        }
    }

    fn sends(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        if bytes > 0 {
            self.first_byte.get_or_insert_with(|| self.begun.elapsed());
        }
    }

    fn ends(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let outcome = self.outcome.unwrap_or_else(|| {
            if self.out_of_time.load(Ordering::Relaxed) {
                Outcome::Cut
            } else {
                Outcome::Gone
            }
        });
        let total = self.begun.elapsed();
        // An answer without a body has its first byte in its head.
        let first_byte = self.first_byte.or_else(|| (outcome == Outcome::Whole).then_some(total));
        let route = self.route.as_ref().map_or(UNKNOWN, MatchedPath::as_str);
        let Learnt { token, report } = &*self.slip.0;
        let is_computed = self.method != "HEAD" && self.status == Some(StatusCode::OK);
        let report = report
            .get()
            .filter(|_| is_computed)
            .zip(first_byte)
            .map(|(name, first_byte)| Computed {
                name,
                first_byte,
                whole: (outcome == Outcome::Whole).then_some(total),
            });
        let status = self.status.map(|status| status.as_u16());
        self.app.metrics().request_ends(&Answered {
            route,
            method: self.method,
            status,
            code: self.code,
            bytes: self.bytes,
            report,
        });
        tracing::info!(
            target: TARGET,
            parent: &self.span,
            method = %self.method,
            %route,
            status,
            code = self.code,
            bytes = self.bytes,
            first_byte_ms = first_byte.map(milliseconds),
            total_ms = milliseconds(total),
            token = token.get(),
            outcome = %outcome.name(),
        );
    }
}

/// To the microsecond.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// Whoever makes methods up does not make series of metrics.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// A body that is counted as it passes.
struct Watched {
    body: Body,
    /// Nothing once it has ended.
    line: Option<Line>,
    span: Span,
}

impl Watched {
    fn ends(&mut self, outcome: Outcome) {
        if let Some(line) = self.line.take() {
            line.ends(outcome);
        }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { body, span, .. } = &mut *self;
        let frame = ready!(span.in_scope(|| panics::poll(body, context)));
        match &frame {
            Some(Ok(frame)) => match frame.data_ref() {
                Some(data) => {
                    if let Some(line) = &mut self.line {
                        line.sends(data.len());
                    }
                    // Whoever knows that this was the last piece does not ask for another one.
                    if self.body.is_end_stream() {
                        self.ends(Outcome::Whole);
                    }
                }
                // Nothing comes after trailers.
                None => self.ends(Outcome::Whole),
            },
            Some(Err(_)) => self.ends(Outcome::Cut),
            None => self.ends(Outcome::Whole),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // What ends with its body ends for this request.
        self.span.in_scope(|| self.body = Body::empty());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use axum::http::HeaderMap;

    use super::*;
    use crate::app::AppOptions;
    use crate::metrics::{Exposition, Readings};

    /// A body that gives these frames, as they are.
    struct Frames(VecDeque<Result<Frame<Bytes>, axum::Error>>);

    impl HttpBody for Frames {
        type Data = Bytes;
        type Error = axum::Error;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
            Poll::Ready(self.0.pop_front())
        }
    }

    fn piece(text: &'static str) -> Result<Frame<Bytes>, axum::Error> {
        Ok(Frame::data(Bytes::from_static(text.as_bytes())))
    }

    fn trailers() -> Result<Frame<Bytes>, axum::Error> {
        let trailers = [(request_id::HEADER, "x".parse().unwrap())];
        Ok(Frame::trailers(HeaderMap::from_iter(trailers)))
    }

    /// Reads so many frames of a body and drops it. Returns what came, and what was counted of requests, bytes, and answers
    /// that were whole.
    fn watch(frames: Vec<Result<Frame<Bytes>, axum::Error>>, read: usize) -> (Vec<String>, [String; 3]) {
        let folder = tempfile::tempdir().unwrap();
        let shared = Shared {
            app: Arc::new(App::new(folder.path(), AppOptions::default()).unwrap()),
            options: Arc::default(),
            stopping: Arc::default(),
            out_of_time: Arc::default(),
        };
        let slip = Slip::default();
        slip.0.report.set("denials".into()).unwrap();
        let mut line = Line::new(&shared, &Request::new(Body::empty()), slip, Span::none());
        line.status = Some(StatusCode::OK);
        let mut body = Box::pin(Watched {
            body: Body::new(Frames(frames.into())),
            line: Some(line),
            span: Span::none(),
        });
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut came = Vec::new();
        for _ in 0..read {
            came.push(match body.as_mut().poll_frame(&mut context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => String::from_utf8(data.to_vec()).unwrap(),
                    Err(frame) => format!("{} trailers", frame.into_trailers().unwrap().len()),
                },
                Poll::Ready(Some(Err(error))) => error.to_string(),
                Poll::Ready(None) => "end".to_owned(),
                Poll::Pending => panic!("nothing waits here"),
            });
        }
        drop(body);
        let text = shared.app.metrics().write(&Readings::default(), Exposition::Text).unwrap();
        let value = |name: &str| {
            let sample = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            sample.unwrap_or_default().to_owned()
        };
        let requests = "headroom_http_requests_total{route=\"unknown\",method=\"GET\",status=\"2xx\"}";
        let whole = "headroom_report_seconds_count{report=\"denials\"}";
        (came, [requests, "headroom_http_sent_bytes_total", whole].map(value))
    }

    fn counted(values: [&str; 3]) -> [String; 3] {
        values.map(str::to_owned)
    }

    #[test]
    fn every_frame_passes() {
        let (came, told) = watch(vec![piece("ab"), piece(""), piece("cde")], 4);
        assert_eq!(came, ["ab", "", "cde", "end"]);
        assert_eq!(told, counted(["1", "5", "1"]));
    }

    #[test]
    fn trailers_are_the_end() {
        let (came, told) = watch(vec![piece("ab"), trailers()], 2);
        assert_eq!(came, ["ab", "1 trailers"]);
        assert_eq!(told, counted(["1", "2", "1"]), "though nobody asked for anything after them");
    }

    #[test]
    fn what_fails_or_is_left_is_not_whole() {
        let broken = axum::Error::new(std::io::Error::other("broken"));
        let (came, told) = watch(vec![piece("ab"), Err(broken)], 2);
        assert_eq!(came, ["ab", "broken"]);
        assert_eq!(told, counted(["1", "2", "0"]));
        let (_, told) = watch(vec![piece("ab"), piece("cd"), trailers()], 2);
        assert_eq!(told, counted(["1", "4", "0"]));
    }
}
