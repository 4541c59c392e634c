//! The HTTP interface: routes, and nothing that a command line could not ask as well.
//!
//! ```text
//!   request ─▶ trace ─▶ gate ─▶ authorize ─▶ read parameters ─▶ App ─▶ Rendering ─▶ body, piece by piece ─▶ trace
//!                           └──────────────┴───────────────┴──▶ ApiError ─▶ envelope
//! ```
//!
//! Paths of reports come from the catalog; only `error` picks a failing status.

mod auth;
mod body;
mod catalog;
mod connections;
mod envelope;
mod error;
mod gate;
mod health;
mod home;
mod import;
mod imports;
mod metrics;
mod negotiation;
mod openapi;
mod origin;
mod page;
mod panics;
mod parameters;
mod queries;
mod reports;
mod request_id;
mod sql;
mod tokens;
mod trace;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri, Version, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;

pub use self::connections::ConnectionLimits;
pub(crate) use self::error::chain;
pub use self::error::{ApiError, CODES};
pub use self::origin::{Network, Origin};
use crate::app::App;

/// Whom the server answers, and how many.
#[derive(Debug, Clone, Default)]
pub struct HttpOptions {
    /// Names that the server has, besides `localhost` and every IP address.
    pub hosts: Vec<String>,
    /// Origins of other sites whose pages may ask.
    pub origins: Vec<Origin>,
    /// Proxies that are believed when they say which host was asked for.
    pub proxies: Vec<Network>,
    /// How many connections there may be, and how long each may wait.
    pub connections: ConnectionLimits,
}

/// What every handler shares.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    app: Arc<App>,
    options: Arc<HttpOptions>,
    stopping: Arc<AtomicBool>,
    /// It was told to stop, and waits for nothing any more.
    out_of_time: Arc<AtomicBool>,
}

/// What can go wrong before the first request.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Nobody is kept out, and the address can be reached from elsewhere.
    #[error(
        "refusing to listen on {address}: the store has no token, so that anybody could ask; `headroom token create` makes one, or listen on 127.0.0.1"
    )]
    Open {
        /// Where it should have listened.
        address: SocketAddr,
    },
    /// The listener failed.
    #[error("cannot serve")]
    Listener(#[from] std::io::Error),
    /// The store cannot be read.
    #[error(transparent)]
    App(#[from] crate::app::AppError),
}

/// Answers requests until `stop` is done; then finishes what has begun, for at most `grace`.
///
/// # Errors
///
/// [`ServeError::Open`] when it would answer anybody from anywhere.
pub async fn serve(
    app: Arc<App>,
    options: HttpOptions,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> Result<(), ServeError> {
    check_exposure(&app, listener.local_addr()?)?;
    let stopping = Arc::new(AtomicBool::new(false));
    let patience = app.queries().options().patience;
    let limits = options.connections;
    let over = Arc::new(AtomicBool::new(false));
    let shared = Shared {
        app,
        options: Arc::new(options),
        stopping: Arc::clone(&stopping),
        out_of_time: Arc::clone(&over),
    };
    let stop_accepting = CancellationToken::new();
    let mut server = Box::pin(connections::serve(
        listener,
        router(shared),
        limits,
        patience,
        stop_accepting.clone(),
    ));
    let out_of_time = async move {
        stop.await;
        stopping.store(true, Ordering::Relaxed);
        stop_accepting.cancel();
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        () = &mut server => {}
        () = out_of_time => {
            over.store(true, Ordering::Relaxed);
            tracing::warn!("stopped with requests still running");
        }
    }
    Ok(())
}

/// Refuses to listen where anybody could ask.
///
/// # Errors
///
/// [`ServeError::Open`] when the store has no token and the address can be reached from elsewhere.
pub fn check_exposure(app: &App, address: SocketAddr) -> Result<(), ServeError> {
    if !address.ip().is_loopback() && app.snapshot()?.grants().is_empty() {
        return Err(ServeError::Open { address });
    }
    Ok(())
}

/// All routes.
fn router(shared: Shared) -> Router {
    let mut api = Router::new()
        .route("/import", post(import::post).layer(DefaultBodyLimit::disable()))
        .route("/imports", get(imports::list))
        .route("/imports/{number}", delete(imports::undo))
        .route("/sql", get(sql::answer).post(sql::answer))
        .route("/queries", get(queries::list))
        .route("/queries/{id}", delete(queries::stop))
        .route("/tokens", get(tokens::list).post(tokens::create))
        .route("/tokens/{name}", delete(tokens::revoke));
    for report in shared.app.catalog().reports() {
        let definition = report.definition();
        let name: Arc<str> = definition.name.as_str().into();
        for path in definition.aliases.iter().chain([&definition.path]) {
            let handler = reports::Handler(Arc::clone(&name));
            let methods = get(handler.clone()).post(handler);
            // Without a format at its end, `Accept` decides.
            let negotiated = path.strip_suffix("/{format}").map(|path| (path, methods.clone()));
            for (path, methods) in negotiated.into_iter().chain([(path.as_str(), methods)]) {
                api = api.route(path, methods);
            }
        }
    }
    let api = api
        .route("/reports", get(catalog::get))
        .route("/reports/{name}/sql", get(catalog::sql))
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(middleware::from_fn_with_state(shared.clone(), auth::authorize))
        .layer(middleware::from_fn_with_state(shared.clone(), refuse_when_stopping));
    Router::new()
        .nest("/api/v1", api)
        // Without a token: it says what may be asked, and nothing of what the answers are.
        .route(openapi::PATH, get(openapi::get))
        .merge(openapi::page())
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route(
            "/",
            get(home::get).layer(middleware::from_fn_with_state(shared.clone(), auth::authorize)),
        )
        .route(
            "/metrics",
            get(metrics::get).layer(middleware::from_fn_with_state(shared.clone(), auth::authorize)),
        )
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(middleware::from_fn(panics::answer))
        .layer(middleware::from_fn_with_state(shared.clone(), gate::gate))
        .layer(middleware::from_fn(page::errors))
        .layer(CompressionLayer::new().compress_when(worth_compressing))
        .layer(middleware::map_response(protect))
        .layer(middleware::from_fn_with_state(shared.clone(), trace::trace))
        .with_state(shared)
}

/// Whether an answer gets smaller: texts do; most files are compressed already.
fn worth_compressing(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    ["text/", "application/json", "application/x-ndjson", "image/svg+xml"]
        .iter()
        .any(|text| kind.starts_with(text))
}

async fn unknown_path(uri: Uri) -> ApiError {
    ApiError::unknown_path(uri.path())
}

/// `OPTIONS` has no handlers: the router itself says in `Allow` which methods there are.
async fn unknown_method(method: Method, uri: Uri) -> Result<StatusCode, ApiError> {
    if method == Method::OPTIONS {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::unknown_method(&method, uri.path()))
}

/// A connection that was open when the server was told to stop gets no new answers.
async fn refuse_when_stopping(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    if shared.stopping.load(Ordering::Relaxed) {
        return ApiError::stopping().into_response();
    }
    next.run(request).await
}

/// No browser may take an answer for anything but what it is, nor keep it.
async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
